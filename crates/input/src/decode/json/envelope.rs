//! What events come wrapped in: `{"Records":[…]}` of CloudTrail, search replies of Elasticsearch, single hits.

use event::{Malformed, Reason, scan_value};
use std::ops::Range;

/// Where a reply keeps its list of events: the keys that lead there from the top.
struct Wrapper {
    path: &'static [&'static str],
    /// Whether the list holds hits, with the events inside.
    hits: bool,
}

#[rustfmt::skip]
static WRAPPERS: &[Wrapper] = &[
    Wrapper { path: &["Records"], hits: false },
    Wrapper { path: &["hits", "hits"], hits: true },
];

/// The keys that a wrapped list of events may begin with. An object that begins with another key is not looked at.
#[rustfmt::skip]
const OPENING_KEYS: &[&str] = &[
    "Records",
    "_clusters", "_scroll_id", "_shards", "hits", "num_reduce_phases", "pit_id", "terminated_early", "timed_out", "took",
];

/// The keys that a hit may have.
#[rustfmt::skip]
const HIT_KEYS: &[&str] = &[
    "_explanation", "_id", "_ignored", "_index", "_nested", "_node", "_primary_term", "_routing", "_score", "_seq_no",
    "_shard", "_source", "_type", "_version", "fields", "found", "highlight", "ignored_field_values", "inner_hits",
    "matched_queries", "sort",
];

/// A list of events inside an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrapped {
    /// Where the list begins, after its bracket.
    pub(super) start: usize,
    /// How many objects it is inside of.
    pub(super) depth: usize,
    /// Whether it holds hits.
    pub(super) hits: bool,
}

/// Looks whether the object that `text` begins with wraps a list of events; it need not be there to its end. Anything
/// that is not well-formed is no wrapper: whoever reads it as an event will say so.
///
/// # Errors
/// [`Reason::Truncated`] when more text is needed to tell.
pub(super) fn wrapped(text: &[u8]) -> Result<Option<Wrapped>, Malformed> {
    match unwrap(text) {
        Err(error) if error.reason != Reason::Truncated => Ok(None),
        result => result,
    }
}

fn unwrap(text: &[u8]) -> Result<Option<Wrapped>, Malformed> {
    let mut at = 1;
    let mut depth = 1;
    let mut inside: Option<&Wrapper> = None;
    let mut is_first = true;
    loop {
        let key_start = skip_space(text, at);
        if byte(text, key_start)? != b'"' {
            return Ok(None);
        }
        let key_end = scan_value(text, key_start)?;
        let key = &text[key_start + 1..key_end - 1];
        if is_first && !OPENING_KEYS.iter().any(|name| name.as_bytes() == key) {
            return Ok(None);
        }
        is_first = false;
        let value = after_colon(text, key_end)?;
        let mut candidates = WRAPPERS
            .iter()
            .filter(|wrapper| inside.is_none_or(|inside| std::ptr::eq(inside, *wrapper)));
        if let Some(wrapper) = candidates.find(|wrapper| wrapper.path[depth - 1].as_bytes() == key)
        {
            match byte(text, value)? {
                b'[' if wrapper.path.len() == depth => {
                    let first = skip_space(text, value + 1);
                    let is_list = matches!(byte(text, first)?, b'{' | b']');
                    return Ok(is_list.then_some(Wrapped {
                        start: value + 1,
                        depth,
                        hits: wrapper.hits,
                    }));
                }
                b'{' if wrapper.path.len() > depth => {
                    inside = Some(wrapper);
                    depth += 1;
                    at = value + 1;
                    continue;
                }
                _ => {}
            }
        }
        let end = skip_space(text, scan_whole(text, value)?);
        if byte(text, end)? != b',' {
            return Ok(None);
        }
        at = end + 1;
    }
}

/// Where the member of an object ends that `text` begins with.
pub(super) fn scan_member(text: &[u8]) -> Result<usize, Malformed> {
    if byte(text, 0)? != b'"' {
        return Err(Malformed {
            offset: 0,
            reason: Reason::Unexpected,
        });
    }
    let key = scan_value(text, 0)?;
    scan_whole(text, after_colon(text, key)?)
}

/// Where the value ends that begins at `at`. A number that the text ends with may go on.
pub(super) fn scan_whole(text: &[u8], at: usize) -> Result<usize, Malformed> {
    match scan_value(text, at)? {
        end if end == text.len() && text[end - 1].is_ascii_digit() => Err(truncated(text)),
        end => Ok(end),
    }
}

/// More text is needed.
pub(super) fn truncated(text: &[u8]) -> Malformed {
    Malformed {
        offset: text.len(),
        reason: Reason::Truncated,
    }
}

/// What an object is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// An event as it stands.
    Event,
    /// A hit, with the event inside.
    Source(Range<usize>),
    /// A hit without an event.
    NoSource,
}

/// Looks whether a well-formed object is a hit. It is one when it has no keys but a hit's and says where it comes from or
/// holds a document; what stands in a list of hits always is.
pub(super) fn content(object: &[u8], in_hits: bool) -> Content {
    // In whatever order its keys are, one of those with an underscore comes first.
    if !in_hits && !object[skip_space(object, 1)..].starts_with(b"\"_") {
        return Content::Event;
    }
    let mut source = None;
    let mut is_hit = in_hits;
    for (key, value) in members(object) {
        if !in_hits && !HIT_KEYS.iter().any(|name| name.as_bytes() == key) {
            return Content::Event;
        }
        is_hit |= key == b"_index" || key == b"_source";
        if key == b"_source" && source.is_none() && object[value.clone()].starts_with(b"{") {
            source = Some(value);
        }
    }
    match source {
        Some(range) => Content::Source(range),
        None if is_hit => Content::NoSource,
        None => Content::Event,
    }
}

/// The members of a well-formed object: each key as written, without its quotes, and where the value stands.
fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], Range<usize>)> {
    let mut at = 1;
    std::iter::from_fn(move || {
        let key = skip_space(object, at);
        let key_end = scan_value(object, key).ok()?;
        let value = after_colon(object, key_end).ok()?;
        let end = scan_value(object, value).ok()?;
        at = skip_space(object, end) + 1;
        Some((&object[key + 1..key_end - 1], value..end))
    })
}

/// Where the value begins whose key ends at `at`.
fn after_colon(text: &[u8], at: usize) -> Result<usize, Malformed> {
    let colon = skip_space(text, at);
    match byte(text, colon)? {
        b':' => {
            let value = skip_space(text, colon + 1);
            byte(text, value).map(|_| value)
        }
        _ => Err(Malformed {
            offset: colon,
            reason: Reason::Unexpected,
        }),
    }
}

fn byte(text: &[u8], at: usize) -> Result<u8, Malformed> {
    text.get(at).copied().ok_or(truncated(text))
}

fn skip_space(text: &[u8], at: usize) -> usize {
    let blanks = text[at.min(text.len())..]
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    at + blanks.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_from_events() {
        let found = |text: &str| wrapped(text.as_bytes()).unwrap();
        let list = |start, depth, hits| Some(Wrapped { start, depth, hits });
        assert_eq!(found(r#"{"Records":[{"a":1}]}"#), list(12, 1, false));
        assert_eq!(found(r#"{ "Records" : [ ] }"#), list(15, 1, false));
        assert_eq!(found(r#"{"hits":{"hits":[{"#), list(17, 2, true));
        let reply = r#"{"took":5,"_shards":{"total":1},"hits":{"total":{"value":1},"hits":[{}]}}"#;
        assert_eq!(found(reply).unwrap().depth, 2);
        for event in [
            r#"{"Records":[1,2]}"#,
            r#"{"Records":{"a":1}}"#,
            r#"{"hits":[{"a":1}]}"#,
            r#"{"hits":3,"a":1}"#,
            r#"{"hits":{"Records":[{}]}}"#,
            r#"{"took":5}"#,
            r#"{"a":1,"Records":[{}]}"#,
            r#"{"took":nope,"hits":{"hits":[{}]}}"#,
            "{}",
        ] {
            assert_eq!(found(event), None, "{event}");
        }
        for cut in [
            "{",
            r#"{"Rec"#,
            r#"{"Records":["#,
            r#"{"took":1,"#,
            r#"{"took":1"#,
        ] {
            assert!(wrapped(cut.as_bytes()).is_err(), "{cut}");
        }
    }

    #[test]
    fn hits_are_told_from_events() {
        let of = |text: &str| content(text.as_bytes(), false);
        let hit = r#"{"_index":"i","_id":"1","_source":{"a":1},"sort":[1]}"#;
        assert_eq!(of(hit), Content::Source(34..41));
        assert_eq!(of(r#"{"_source":{}}"#), Content::Source(11..13));
        assert_eq!(of(r#"{"_index":"i","_id":"1"}"#), Content::NoSource);
        assert_eq!(of(r#"{"_index":"i","_source":null}"#), Content::NoSource);
        assert_eq!(of(r#"{"_index":"i","_source":{},"a":1}"#), Content::Event);
        assert_eq!(of(r#"{"_id":"1"}"#), Content::Event);
        assert_eq!(of(r#"{"sort":1}"#), Content::Event);
        assert_eq!(of("{}"), Content::Event);
        assert_eq!(content(br#"{"_id":"1"}"#, true), Content::NoSource);
        assert_eq!(
            content(br#"{"a":1,"_source":{}}"#, true),
            Content::Source(17..19)
        );
    }
}
