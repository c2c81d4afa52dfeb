//! Values of events as ee-outliers sees them: with every digit that stands in the text.

use event::{Event, Text, scan_value};
use std::borrow::Cow;

/// A value of an event, or one that a model adds to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// A whole number, as it is written.
    Int(Cow<'a, str>),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Members<'a>),
}

/// The members of an object, in their order.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// What is found at a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    Value(Value<'a>),
    /// There is no such field.
    Nothing,
    /// The path goes through something that is no object.
    NoObject,
}

impl<'a> Value<'a> {
    /// Reads JSON that is known to be well-formed.
    pub(crate) fn read(json: &'a str) -> Value<'a> {
        let json = json.trim_matches([' ', '\t', '\n', '\r']);
        match json.as_bytes().first() {
            Some(b'{') => Value::Object(
                members(json)
                    .map(|(key, value)| (key, Value::read(value)))
                    .collect(),
            ),
            Some(b'[') => Value::List(elements(json).map(Value::read).collect()),
            Some(b'"') => Value::Text(text(json)),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') | None => Value::Null,
            Some(_) if json.contains(['.', 'e', 'E']) => {
                Value::Float(json.parse().unwrap_or(f64::NAN))
            }
            Some(_) => Value::Int(Cow::Borrowed(if json == "-0" { "0" } else { json })),
        }
    }

    /// The same for good.
    pub(crate) fn into_owned(self) -> Value<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Int(text) => Value::Int(own(text)),
            Value::Float(value) => Value::Float(value),
            Value::Text(text) => Value::Text(own(text)),
            Value::List(list) => Value::List(list.into_iter().map(Value::into_owned).collect()),
            Value::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (own(key), value.into_owned()))
                    .collect(),
            ),
        }
    }

    /// As JSON. A number that JSON does not have is null.
    pub(crate) fn json(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Int(text) => text.clone().into_owned(),
            Value::Float(value) if value.is_finite() => serde_json::Value::from(*value).to_string(),
            Value::Float(_) => "null".to_owned(),
            Value::Text(text) => quoted(text),
            Value::List(list) => {
                let list: Vec<String> = list.iter().map(Value::json).collect();
                format!("[{}]", list.join(","))
            }
            Value::Object(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{}:{}", quoted(key), value.json()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

impl From<&str> for Value<'static> {
    fn from(text: &str) -> Self {
        Value::Text(Cow::Owned(text.to_owned()))
    }
}

impl From<String> for Value<'static> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl From<usize> for Value<'static> {
    fn from(number: usize) -> Self {
        Value::Int(Cow::Owned(number.to_string()))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether the case of names counts when a field is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Counts,
    Ignored,
}

/// Looks a dotted path up: through objects only, member by member, the first member of a name.
pub(crate) fn look_up<'a>(event: &Event<'a>, path: &str, case: Case) -> Found<'a> {
    let mut json = event.text();
    for name in path.split('.') {
        let json_here = json.trim_start();
        if !json_here.starts_with('{') {
            return Found::NoObject;
        }
        let is_it = |key: &str| match case {
            Case::Counts => key == name,
            Case::Ignored => alike(key, name),
        };
        // Of a name that is given twice, the last value counts, as readers of JSON have it.
        let mut found = None;
        for (key, value) in members(json_here) {
            if is_it(&key) && found.as_ref().is_none_or(|(known, _)| *known == key) {
                found = Some((key, value));
            }
        }
        match found {
            Some((_, value)) => json = value,
            None => return Found::Nothing,
        }
    }
    Found::Value(Value::read(json))
}

/// Whether two names are the same but for their case.
pub(crate) fn alike(a: &str, b: &str) -> bool {
    match a.is_ascii() && b.is_ascii() {
        true => a.eq_ignore_ascii_case(b),
        false => a.to_lowercase() == b.to_lowercase(),
    }
}

/// The string that a JSON text is.
fn text(json: &str) -> Cow<'_, str> {
    let raw = json.get(1..json.len().saturating_sub(1)).unwrap_or("");
    let escaped = raw.contains('\\');
    Text { raw, escaped }.decode()
}

/// The members of a well-formed object.
fn members(json: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let mut at = 1;
    std::iter::from_fn(move || {
        let bytes = json.as_bytes();
        let start = skip(bytes, at);
        if bytes.get(start) != Some(&b'"') {
            return None;
        }
        let end = scan_value(bytes, start).ok()?;
        let value = skip(bytes, end);
        let value_end = scan_value(bytes, value).ok()?;
        at = value_end;
        Some((text(json.get(start..end)?), json.get(value..value_end)?))
    })
}

/// The elements of a well-formed list.
fn elements(json: &str) -> impl Iterator<Item = &str> {
    let mut at = 1;
    std::iter::from_fn(move || {
        let bytes = json.as_bytes();
        let start = skip(bytes, at);
        if matches!(bytes.get(start), None | Some(b']')) {
            return None;
        }
        at = scan_value(bytes, start).ok()?;
        json.get(start..at)
    })
}

/// Past white space, commas and colons.
fn skip(bytes: &[u8], at: usize) -> usize {
    let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_between(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(event: &'a str, path: &str, case: Case) -> Found<'a> {
        look_up(&Event::parse(event.as_bytes()).unwrap(), path, case)
    }

    #[test]
    fn a_path_goes_through_objects() {
        let event = r#"{"a": {"B": 1, "c": [1, {"d": 2}]}, "e.f": 3, "s": "x", "n": null}"#;
        let int = |text: &'static str| Found::Value(Value::Int(text.into()));
        assert_eq!(found(event, "a.b", Case::Ignored), int("1"));
        assert_eq!(found(event, "A.B", Case::Ignored), int("1"));
        assert_eq!(found(event, "a.b", Case::Counts), Found::Nothing);
        assert_eq!(found(event, "e.f", Case::Ignored), Found::Nothing);
        assert_eq!(found(event, "a.c.d", Case::Ignored), Found::NoObject);
        assert_eq!(found(event, "s.x", Case::Ignored), Found::NoObject);
        assert_eq!(found(event, "n.x", Case::Ignored), Found::NoObject);
        assert_eq!(found(event, "n", Case::Ignored), Found::Value(Value::Null));
    }

    #[test]
    fn values_are_read_with_all_their_digits() {
        let event = "{\"v\": [ 1 , -0, 123456789012345678901234567890, 0.1, 1e3, \"\\u00e4\\n\", true, null, [], {} ]}";
        let Found::Value(value) = found(event, "v", Case::Counts) else {
            panic!()
        };
        let json = "[1,0,123456789012345678901234567890,0.1,1000.0,\"ä\\n\",true,null,[],{}]";
        assert_eq!(value.json(), json);
    }

    #[test]
    fn a_number_is_read_to_the_last_bit() {
        for text in [
            "0.4349",
            "2485.115702479339",
            "0.009320000000000106",
            "1.7976931348623157e308",
        ] {
            assert_eq!(Value::read(text), Value::Float(text.parse().unwrap()));
        }
    }
}
