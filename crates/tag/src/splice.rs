//! Changes in the text of one JSON object or array that leave every other byte as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use event::{Text, scan_value};

/// A member of an object, or an element of an array.
pub struct Item<'a> {
    /// The key, unescaped; empty for an element.
    pub key: Cow<'a, str>,
    /// The value as written.
    pub value: &'a str,
    /// Where key and value stand.
    span: Range<usize>,
    /// How much of `span` stands before the value.
    lead: usize,
}

/// What becomes of an item.
pub enum Change {
    /// It goes.
    Drop,
    /// Its value becomes this text.
    Value(String),
}

/// What becomes of the items with these indices; all others stay.
pub type Changes = BTreeMap<usize, Change>;

/// The members of an object, or the elements of an array; none for any other text.
pub fn items(text: &str) -> Vec<Item<'_>> {
    let bytes = text.as_bytes();
    let mut items = Vec::new();
    let mut at = skip_space(bytes, 0);
    let keyed = match bytes.get(at) {
        Some(b'{') => true,
        Some(b'[') => false,
        _ => return items,
    };
    loop {
        at = skip_space(bytes, at + 1); // past the bracket, or the comma
        let start = at;
        let mut key = Cow::Borrowed("");
        if keyed {
            let Ok(end) = scan_value(bytes, at) else {
                return items;
            };
            let raw = text
                .get(start + 1..end.saturating_sub(1))
                .unwrap_or_default();
            key = Text {
                raw,
                escaped: raw.contains('\\'),
            }
            .decode();
            at = skip_space(bytes, skip_space(bytes, end) + 1); // past the colon
        }
        let Ok(end) = scan_value(bytes, at) else {
            return items;
        };
        items.push(Item {
            key,
            value: &text[at..end],
            span: start..end,
            lead: at - start,
        });
        at = skip_space(bytes, end);
        if bytes.get(at) != Some(&b',') {
            return items;
        }
    }
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    at + bytes.iter().skip(at).take_while(|byte| space(byte)).count()
}

/// The text of an object or array with some items changed, and `append` behind them.
///
/// A dropped item takes the separator before it along, so what was appended can be dropped without a trace.
pub fn rewrite(text: &str, items: &[Item<'_>], changes: &Changes, append: &[String]) -> String {
    let (start, end) = match (items.first(), items.last()) {
        (Some(first), Some(last)) => (first.span.start, last.span.end),
        _ => {
            let inside = text
                .find(['{', '['])
                .map_or(text.len(), |bracket| bracket + 1);
            (inside, inside)
        }
    };
    let mut out =
        String::with_capacity(text.len() + append.iter().map(|new| new.len() + 1).sum::<usize>());
    out.push_str(&text[..start]);
    let inside = out.len();
    for (index, item) in items.iter().enumerate() {
        let change = changes.get(&index);
        if matches!(change, Some(Change::Drop)) {
            continue;
        }
        if out.len() > inside {
            out.push_str(&text[items[index - 1].span.end..item.span.start]);
        }
        if let Some(Change::Value(value)) = change {
            out.push_str(&text[item.span.start..item.span.start + item.lead]);
            out.push_str(value);
        } else {
            out.push_str(&text[item.span.clone()]);
        }
    }
    for new in append {
        if out.len() > inside {
            out.push(',');
        }
        out.push_str(new);
    }
    out.push_str(&text[end..]);
    out
}

/// A string as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The string that a JSON text is, if it is one.
pub fn string(value: &str) -> Option<Cow<'_, str>> {
    let raw = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(
        Text {
            raw,
            escaped: raw.contains('\\'),
        }
        .decode(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, dropped: &[usize]) -> String {
        let changes = dropped.iter().map(|index| (*index, Change::Drop)).collect();
        rewrite(text, &items(text), &changes, &[])
    }

    #[test]
    fn items_are_found_between_any_white_space() {
        let text = " { \"a\\u0062\" : [1, 2] ,\n\"c\":\"{,}\"\t} ";
        let found: Vec<_> = items(text)
            .into_iter()
            .map(|item| (item.key.into_owned(), item.value.to_owned()))
            .collect();
        assert_eq!(
            found,
            [
                ("ab".into(), "[1, 2]".into()),
                ("c".into(), "\"{,}\"".into())
            ]
        );
        assert_eq!(
            items("[ 1,[2] , {} ]")
                .iter()
                .map(|item| item.value)
                .collect::<Vec<_>>(),
            ["1", "[2]", "{}"]
        );
        for none in [
            "{}", " [ ] ", "\"{\"", "null", "12", "", "{", "[1", "{\"a\"",
        ] {
            assert!(items(none).len() <= 1, "{none}");
        }
    }

    #[test]
    fn dropping_takes_one_separator_and_nothing_else() {
        assert_eq!(without("[ 1 , 2 ,3 ]", &[0]), "[ 2 ,3 ]");
        assert_eq!(without("[ 1 , 2 ,3 ]", &[1]), "[ 1 ,3 ]");
        assert_eq!(without("[ 1 , 2 ,3 ]", &[1, 2]), "[ 1 ]");
        assert_eq!(without("{\"a\":1}", &[0]), "{}");
    }

    #[test]
    fn what_was_appended_can_be_dropped_without_a_trace() {
        for text in ["[]", "[ ]", "[ 1 ]", "\n[1,\n 2\n]\n"] {
            let more = rewrite(
                text,
                &items(text),
                &Changes::new(),
                &["8".into(), "9".into()],
            );
            let count = items(&more).len();
            assert_eq!(without(&more, &[count - 2, count - 1]), text);
        }
    }
}
