//! A document as an index sees it.
//!
//! To rules, what sigtag wrote into an event is invisible ([`event::HIDDEN`]); to those who search for tags it is what they
//! look for. So a document is walked here, and not by `event`, but with the same paths: keys joined by dots, arrays taken
//! apart, blanks in keys without meaning for a look-up.

use event::{Event, FieldPath, Fields, Lookup, Text, Value};
use std::borrow::Cow;
use std::ops::Range;

/// A document, taken apart once for any number of look-ups.
pub(crate) struct Document<'a> {
    id: &'a str,
    index: &'a str,
    leaves: Leaves<'a>,
}

/// All values of a document, each with its path.
#[derive(Default)]
pub(crate) struct Leaves<'a> {
    /// The texts of all paths, one behind the other.
    paths: String,
    found: Vec<Leaf<'a>>,
}

struct Leaf<'a> {
    path: Range<usize>,
    has_blanks: bool,
    /// None for an array: its elements follow.
    value: Option<Value<'a>>,
}

impl<'a> Leaves<'a> {
    /// Walks the text of an event. Iterative, as deep as an event may be.
    pub(crate) fn of(event: Event<'a>) -> Leaves<'a> {
        let mut leaves = Leaves::default();
        leaves.walk(event.text());
        leaves
    }

    /// The values with their paths, in the order of the text; objects stand before what is in them, arrays have no value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<&Value<'a>>)> {
        let path = |leaf: &Leaf<'a>| leaf.path.clone();
        self.found
            .iter()
            .map(move |leaf| (&self.paths[path(leaf)], leaf.value.as_ref()))
    }

    fn walk(&mut self, text: &'a str) {
        let bytes = text.as_bytes();
        // For each open container: where its own path stands, whether it is an object, and whether it is the outermost.
        let mut open: Vec<(Range<usize>, bool)> = Vec::new();
        let mut path = 0..0;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'{' => {
                    let Ok(end) = event::scan_value(bytes, at) else {
                        return;
                    };
                    if !open.is_empty() {
                        self.push(path.clone(), Some(Value::Object(&text[at..end])));
                    }
                    open.push((path.clone(), true));
                    at = self.key(text, at + 1, &open, &mut path);
                }
                b'[' => {
                    self.push(path.clone(), None);
                    open.push((path.clone(), false));
                    at += 1;
                }
                b'}' | b']' => {
                    if let Some((own, _)) = open.pop() {
                        path = own;
                    }
                    at += 1;
                }
                b',' => {
                    at += 1;
                    match open.last() {
                        Some((_, true)) => at = self.key(text, at, &open, &mut path),
                        Some((own, false)) => path = own.clone(),
                        None => {}
                    }
                }
                b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                _ => {
                    let Ok(end) = event::scan_value(bytes, at) else {
                        return;
                    };
                    self.push(path.clone(), Some(scalar(&text[at..end])));
                    at = end;
                }
            }
        }
    }

    /// Reads a key, if one follows, and says where its value begins.
    fn key(
        &mut self,
        text: &'a str,
        at: usize,
        open: &[(Range<usize>, bool)],
        path: &mut Range<usize>,
    ) -> usize {
        let bytes = text.as_bytes();
        let at = at + blank(&bytes[at..]);
        if bytes.get(at) != Some(&b'"') {
            return at;
        }
        let Ok(end) = event::scan_value(bytes, at) else {
            return text.len();
        };
        let start = self.paths.len();
        if let Some((parent, _)) = open.last()
            && open.len() > 1
        {
            self.paths.extend_from_within(parent.clone());
            self.paths.push('.');
        }
        inside(&text[at..end]).decode_into(&mut self.paths);
        *path = start..self.paths.len();
        let colon = end + blank(&bytes[end..]);
        colon + 1
    }

    fn push(&mut self, path: Range<usize>, value: Option<Value<'a>>) {
        let has_blanks = self.paths[path.clone()].contains(' ');
        self.found.push(Leaf {
            path,
            has_blanks,
            value,
        });
    }
}

/// How many bytes of white space come first.
fn blank(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
        .count()
}

/// The inside of a string, given with its quotes.
fn inside(quoted: &str) -> Text<'_> {
    let raw = quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default();
    let escaped = raw.contains('\\');
    Text { raw, escaped }
}

fn scalar(text: &str) -> Value<'_> {
    match text.as_bytes().first() {
        Some(b'"') => Value::String(inside(text).decode()),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(text),
    }
}

impl<'a> Document<'a> {
    pub(crate) fn new(index: &'a str, id: &'a str, event: Event<'a>) -> Document<'a> {
        let leaves = Leaves::of(event);
        Document { id, index, leaves }
    }

    /// The values at a field's path, by its name.
    pub(crate) fn values<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d Value<'a>> + 'd {
        let at_name = self.leaves.iter().filter(move |(path, _)| *path == name);
        at_name.filter_map(|(_, value)| value)
    }
}

impl<'a> Fields<'a> for Document<'a> {
    fn lookup(&self, path: &FieldPath) -> Lookup<'a> {
        let own = match path.as_str() {
            "_id" => Some(self.id),
            "_index" => Some(self.index),
            _ => None,
        };
        if let Some(text) = own {
            return Lookup {
                present: true,
                values: vec![Value::String(text.into())],
            };
        }
        let mut lookup = Lookup::default();
        for leaf in &self.leaves.found {
            if is_at(path, &self.leaves.paths[leaf.path.clone()], leaf.has_blanks) {
                lookup.present = true;
                lookup.values.extend(leaf.value.clone());
            }
        }
        lookup
    }

    fn strings(&self) -> Vec<Cow<'a, str>> {
        let values = self
            .leaves
            .found
            .iter()
            .filter_map(|leaf| leaf.value.as_ref());
        let strings = values.filter_map(|value| match value {
            Value::String(text) => Some(text.clone()),
            _ => None,
        });
        strings.collect()
    }
}

/// Whether `wanted`, in which a `*` stands for any one name, is `path`.
fn is_at(wanted: &FieldPath, path: &str, has_blanks: bool) -> bool {
    let text = wanted.as_str();
    if has_blanks {
        let path: String = path.chars().filter(|c| *c != ' ').collect();
        return is_at(wanted, &path, false);
    }
    if text == path {
        return true;
    }
    text.contains('*') && {
        let mut names = path.split('.');
        wanted.names().all(|wanted| {
            names
                .next()
                .is_some_and(|name| wanted == "*" || wanted == name)
        }) && names.next().is_none()
    }
}

/// Whether the values at `name` are meant by `wanted`.
pub(crate) fn is_meant(wanted: &FieldPath, name: &str) -> bool {
    is_at(wanted, name, name.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_values_are_found_and_tags_too() {
        let text = r#" { "a" : { "b":[1, {"c":"\u00e9"} , [null]], "d.e":true},"sigma":{"level":["high"]}, "x y" : {}, "z":[] } "#;
        let leaves = Leaves::of(Event::parse(text.as_bytes()).unwrap());
        let found: Vec<_> = leaves
            .iter()
            .map(|(path, value)| (path.to_owned(), value.cloned()))
            .collect();
        let string = |text: &str| Some(Value::String(text.to_owned().into()));
        let object = |text: &'static str| Some(Value::Object(text));
        assert_eq!(
            found,
            [
                (
                    "a".to_owned(),
                    object(r#"{ "b":[1, {"c":"\u00e9"} , [null]], "d.e":true}"#)
                ),
                ("a.b".to_owned(), None),
                ("a.b".to_owned(), Some(Value::Number("1"))),
                ("a.b".to_owned(), object(r#"{"c":"\u00e9"}"#)),
                ("a.b.c".to_owned(), string("é")),
                ("a.b".to_owned(), None),
                ("a.b".to_owned(), Some(Value::Null)),
                ("a.d.e".to_owned(), Some(Value::Bool(true))),
                ("sigma".to_owned(), object(r#"{"level":["high"]}"#)),
                ("sigma.level".to_owned(), None),
                ("sigma.level".to_owned(), string("high")),
                ("x y".to_owned(), object("{}")),
                ("z".to_owned(), None),
            ]
        );
    }

    #[test]
    fn look_ups_are_those_of_events() {
        let text = r#"{"a":[{"b":1},{"b":[2,null]}],"a.b":"x","New Value":"v","l":[]}"#;
        let event = Event::parse(text.as_bytes()).unwrap();
        let document = Document::new("i", "7", event);
        for path in ["a", "a.b", "NewValue", "New Value", "l", "none", "*.b"] {
            let path = FieldPath::new(path);
            assert_eq!(document.lookup(&path), event.lookup(&path), "{path}");
        }
        let id = document.lookup(&FieldPath::new("_id"));
        assert_eq!(id.values, [Value::String("7".into())]);
    }
}
