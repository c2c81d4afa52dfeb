//! What rules, correlations and filters say about themselves.
//!
//! What the program relies on must be right: a missing title, an id that is no UUID and an unknown level set the
//! document aside. The rest is for people: what cannot be read there is left out, with a warning, and a single text
//! stands for a list of one.

use crate::diagnostic::{Sink, Span};
use crate::rule::{Custom, Data, Date, Level, Related, RuleId, Status, Tag};
use crate::scalar::Meaning;
use crate::yaml::{Content, Entry, Node};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt::Write;

/// The keys that all kinds of documents share.
#[derive(Debug, Default)]
pub(crate) struct Header {
    pub id: Option<RuleId>,
    pub title: String,
    pub name: Option<String>,
    pub related: Vec<Related>,
    pub taxonomy: Option<String>,
    pub status: Option<Status>,
    pub description: Option<String>,
    pub license: Option<String>,
    pub author: Option<String>,
    pub references: Vec<String>,
    pub date: Option<Date>,
    pub modified: Option<Date>,
    pub fields: Vec<String>,
    pub false_positives: Vec<String>,
    pub level: Option<Level>,
    pub tags: Vec<Tag>,
    pub scope: Vec<String>,
    pub custom: Vec<Custom>,
}

const MAX_TITLE: usize = 256;

impl Header {
    /// Reads the header; of keys in `others` somebody else takes care.
    pub fn read(entries: &[Entry<'_>], others: &[&str], document: Span, sink: &mut Sink) -> Header {
        let mut header = Header::default();
        let mut titled = false;
        for Entry { key, value } in entries {
            let field = Field {
                name: &key.text,
                value,
            };
            match field.name {
                "title" => {
                    titled = true;
                    header.read_title(&field, sink);
                }
                "id" => header.id = read_id(value, sink),
                "level" => header.level = read_level(value, sink),
                "name" => header.name = field.text(sink).filter(|name| !name.is_empty()),
                "related" => header.related = read_related(value, sink),
                "taxonomy" => header.taxonomy = field.text(sink),
                "status" => header.status = field.word(sink),
                "description" => header.description = field.text(sink),
                "license" => header.license = field.text(sink),
                "author" => header.author = field.text(sink),
                "references" => header.references = field.distinct_texts(sink),
                "date" => header.date = field.date(sink),
                "modified" => header.modified = field.date(sink),
                "fields" => header.fields = field.texts(sink),
                "falsepositives" => header.false_positives = field.texts(sink),
                "tags" => header.tags = read_tags(&field, sink),
                "scope" => header.scope = field.texts(sink),
                name if others.contains(&name) => {}
                name => {
                    sink.note(
                        "custom-field",
                        key.span,
                        format!("`{name}` is no field of the specification"),
                    );
                    header.custom.push(Custom {
                        name: name.to_owned(),
                        value: data(value),
                        span: key.span,
                    });
                }
            }
        }
        if !titled {
            sink.error("no-title", document, "there is no title")
                .help("add `title:`");
        }
        header
    }

    fn read_title(&mut self, field: &Field<'_, '_>, sink: &mut Sink) {
        match field.value.as_scalar() {
            Some(title) if !field.value.is_null() && !title.text.trim().is_empty() => {
                self.title = title.text.trim().to_owned();
                if self.title.chars().count() > MAX_TITLE {
                    let message = format!("the title has more than {MAX_TITLE} characters");
                    sink.warning("long-title", field.value.span, message);
                }
            }
            _ => {
                let message = format!(
                    "the title is {}",
                    if field.value.is_null() {
                        "empty"
                    } else {
                        field.value.kind()
                    }
                );
                sink.error("no-title", field.value.span, message);
            }
        }
    }

    /// Notes what every rule should say of itself.
    pub fn note_gaps(&self, document: Span, sink: &mut Sink) {
        let gaps = [
            (
                "id",
                self.id.is_none(),
                "a UUID that is its own makes the rule known across versions",
            ),
            (
                "status",
                self.status.is_none(),
                "stable, test, experimental, deprecated or unsupported",
            ),
            (
                "level",
                self.level.is_none(),
                "informational, low, medium, high or critical",
            ),
        ];
        for (name, _, help) in gaps.into_iter().filter(|(_, missing, _)| *missing) {
            sink.note("missing-field", document, format!("there is no `{name}`"))
                .help(help);
        }
    }
}

/// A key and its value.
pub(crate) struct Field<'n, 'a> {
    pub name: &'n str,
    pub value: &'n Node<'a>,
}

impl Field<'_, '_> {
    /// The text; numbers, booleans and dates are taken as they are written.
    pub fn text(&self, sink: &mut Sink) -> Option<String> {
        match self.value.as_scalar() {
            Some(scalar) if scalar.meaning() != Meaning::Null => {
                Some(scalar.text.clone().into_owned())
            }
            Some(_) => None,
            None => {
                self.wrong("a text", sink);
                None
            }
        }
    }

    /// The texts of a list; a single one will do.
    pub fn texts(&self, sink: &mut Sink) -> Vec<String> {
        self.texts_with_spans(sink)
            .into_iter()
            .map(|(text, _)| text)
            .collect()
    }

    fn texts_with_spans(&self, sink: &mut Sink) -> Vec<(String, Span)> {
        let nodes = match &self.value.content {
            Content::List(nodes) => nodes.as_slice(),
            Content::Scalar(_) if self.value.is_null() => &[],
            Content::Scalar(_) => {
                self.wrong("a list", sink);
                std::slice::from_ref(self.value)
            }
            Content::Map(_) => {
                self.wrong("a list", sink);
                &[]
            }
        };
        nodes
            .iter()
            .filter_map(|value| {
                let name = self.name;
                Some((Field { name, value }.text(sink)?, value.span))
            })
            .collect()
    }

    fn distinct_texts(&self, sink: &mut Sink) -> Vec<String> {
        let texts = self.texts(sink);
        let mut seen = HashSet::new();
        if let Some(twice) = texts.iter().find(|text| !seen.insert(text.as_str())) {
            sink.warning(
                "duplicate-reference",
                self.value.span,
                format!("`{twice}` is listed twice"),
            );
        }
        texts
    }

    fn word(&self, sink: &mut Sink) -> Option<Status> {
        let text = self.text(sink)?;
        text.parse()
            .map_err(|error| {
                sink.warning(
                    "unknown-status",
                    self.value.span,
                    format!("the status {error}"),
                )
            })
            .ok()
    }

    fn date(&self, sink: &mut Sink) -> Option<Date> {
        let text = self.text(sink)?;
        let date = parse_date(&text);
        if date.is_none() {
            sink.warning("odd-date", self.value.span, format!("`{text}` is no date"))
                .help("write it as `2024-12-31`");
        }
        date
    }

    fn wrong(&self, wanted: &str, sink: &mut Sink) {
        let message = format!(
            "`{}` should be {wanted}, and this is {}",
            self.name,
            self.value.kind()
        );
        sink.warning("field-type", self.value.span, message);
    }
}

/// `2024-12-31` or `2024/12/31`, one digit will do for month and day.
fn parse_date(text: &str) -> Option<Date> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.trim().split(separator);
    let mut part = |digits: std::ops::RangeInclusive<usize>| {
        let part = parts.next().filter(|part| digits.contains(&part.len()))?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| part.parse::<u16>().ok())?
    };
    let (year, month, day) = (part(4..=4)?, part(1..=2)?, part(1..=2)?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u16::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let sound = parts.next().is_none()
        && (1000..=3999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days).contains(&day);
    sound.then_some(Date {
        year,
        month: month as u8,
        day: day as u8,
    })
}

/// A UUID in lower case.
pub(crate) fn parse_uuid(text: &str) -> Option<String> {
    let groups = text.split('-').map(str::len);
    let sound = groups.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    sound.then(|| text.to_ascii_lowercase())
}

fn read_id(value: &Node<'_>, sink: &mut Sink) -> Option<RuleId> {
    if value.is_null() {
        return None;
    }
    let id = value
        .as_scalar()
        .and_then(|scalar| parse_uuid(scalar.text.trim()));
    if id.is_none() {
        sink.error("odd-id", value.span, "the id is no UUID")
            .help("make one with `uuidgen`, or remove the line");
    }
    id.map(|id| RuleId(id.into()))
}

fn read_level(value: &Node<'_>, sink: &mut Sink) -> Option<Level> {
    if value.is_null() {
        return None;
    }
    let text = value
        .as_scalar()
        .map(|scalar| scalar.text.as_ref())
        .unwrap_or(value.kind());
    text.parse()
        .map_err(|error| sink.error("unknown-level", value.span, format!("the level {error}")))
        .ok()
}

fn read_related(value: &Node<'_>, sink: &mut Sink) -> Vec<Related> {
    const KINDS: [&str; 6] = [
        "derived",
        "obsolete",
        "merged",
        "renamed",
        "similar",
        "correlation",
    ];
    let Content::List(nodes) = &value.content else {
        if !value.is_null() {
            Field {
                name: "related",
                value,
            }
            .wrong("a list", sink);
        }
        return Vec::new();
    };
    let text = |node: &Node<'_>, key| {
        node.get(key)
            .and_then(Node::as_scalar)
            .map(|scalar| scalar.text.to_string())
    };
    let mut read = |node: &Node<'_>| {
        let id = text(node, "id").and_then(|id| parse_uuid(&id));
        let kind = text(node, "type").filter(|kind| KINDS.contains(&kind.as_str()));
        if id.is_none() || kind.is_none() {
            sink.warning(
                "odd-related",
                node.span,
                "a related rule needs `id`, a UUID, and `type`",
            )
            .help(format!("the types are {}", KINDS.join(", ")));
        }
        Some(Related {
            id: id?,
            kind: kind?,
        })
    };
    nodes.iter().filter_map(&mut read).collect()
}

fn read_tags(field: &Field<'_, '_>, sink: &mut Sink) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    let mut seen = HashSet::new();
    for (text, span) in field.texts_with_spans(sink) {
        let lower = text.trim().to_lowercase();
        match lower.split_once('.') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                let tag = Tag {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    span,
                };
                if seen.insert(lower) {
                    tags.push(tag);
                } else {
                    sink.warning(
                        "duplicate-tag",
                        span,
                        format!("the tag `{tag}` is there twice"),
                    );
                }
            }
            _ => {
                sink.warning(
                    "odd-tag",
                    span,
                    format!("the tag `{text}` has no namespace"),
                )
                .help("tags are written as `attack.t1059.001`");
            }
        }
    }
    tags
}

fn data(node: &Node<'_>) -> Data {
    match &node.content {
        Content::List(nodes) => Data::List(nodes.iter().map(data).collect()),
        Content::Map(entries) => Data::Map(
            entries
                .iter()
                .map(|entry| (entry.key.text.clone().into_owned(), data(&entry.value)))
                .collect(),
        ),
        Content::Scalar(scalar) => match scalar.meaning() {
            Meaning::Null => Data::Null,
            Meaning::Bool(truth) => Data::Bool(truth),
            Meaning::Number(number) => Data::Number(number),
            Meaning::NoNumber | Meaning::Date | Meaning::Text => {
                Data::String(scalar.text.clone().into_owned())
            }
        },
    }
}

/// The identity of a document without id: `x-` and 16 hex digits of the SHA-256 of its canonical form. That form knows
/// no layout, comments, quotes or order of keys: a map is its entries sorted by key, everything has its length
/// written before it.
pub(crate) fn derived_id(document: &Node<'_>) -> RuleId {
    let mut hash = Sha256::new();
    digest(document, &mut hash);
    let mut id = String::from("x-");
    for byte in &hash.finalize()[..8] {
        let _ = write!(id, "{byte:02x}");
    }
    RuleId(id.into())
}

fn digest(node: &Node<'_>, hash: &mut Sha256) {
    let mut put = |kind: &str, text: &str| hash.update(format!("{kind}{}:{text}", text.len()));
    match &node.content {
        Content::Scalar(scalar) => match scalar.meaning() {
            Meaning::Null => put("z", ""),
            Meaning::Bool(truth) => put("b", if truth { "1" } else { "0" }),
            Meaning::Number(number) => put("n", &number),
            Meaning::NoNumber | Meaning::Date | Meaning::Text => put("t", &scalar.text),
        },
        Content::List(nodes) => {
            hash.update(format!("l{}:", nodes.len()));
            nodes.iter().for_each(|node| digest(node, hash));
        }
        Content::Map(entries) => {
            hash.update(format!("m{}:", entries.len()));
            let mut sorted: Vec<&Entry> = entries.iter().collect();
            sorted.sort_unstable_by(|one, other| one.key.text.cmp(&other.key.text));
            for entry in sorted {
                hash.update(format!("t{}:{}", entry.key.text.len(), entry.key.text));
                digest(&entry.value, hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_date, parse_uuid};

    #[test]
    fn dates_are_days_of_the_calendar() {
        for (text, shown) in [
            ("2024-02-29", "2024-02-29"),
            ("2024/1/5", "2024-01-05"),
            ("3999-12-31", "3999-12-31"),
        ] {
            assert_eq!(
                parse_date(text).map(|date| date.to_string()).as_deref(),
                Some(shown),
                "{text}"
            );
        }
        for text in [
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "0999-01-01",
            "24-1-1",
            "2024-01",
            "2024-01-01-01",
            "x",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn uuids_become_lower_case() {
        let id = "0123ABCD-4567-89ab-cdef-0123456789AB";
        assert_eq!(parse_uuid(id), Some(id.to_lowercase()));
        for text in [
            "",
            "0123abcd",
            "0123abcd-4567-89ab-cdef-0123456789ag",
            "0123abcd-4567-89ab-cdef0123456789ab",
        ] {
            assert_eq!(parse_uuid(text), None, "{text}");
        }
    }
}
