//! What a use case sees of an event: its fields, those that were derived from them, and what the model has found out.

use crate::python;
use crate::value::{Case, Found, Value, alike, look_up};
use event::Event;
use std::borrow::Cow;

/// Between the values of several fields, and between the elements of a list that stands for one value.
const BETWEEN: &str = " - ";

/// The fields of one event.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) event: Event<'a>,
    /// Derived fields, each a name at the top of the event.
    pub(crate) derived: Vec<(String, Value<'static>)>,
}

impl<'a> Fields<'a> {
    /// The value at a dotted path.
    pub(crate) fn get(&self, path: &str, case: Case) -> Found<'a> {
        let is_it = |name: &str| match case {
            Case::Counts => name == path,
            Case::Ignored => alike(name, path),
        };
        match self.derived.iter().find(|(name, _)| is_it(name)) {
            Some((_, value)) => Found::Value(value.clone()),
            None => look_up(&self.event, path, case),
        }
    }

    /// The sentences that the values of some fields make: one for each combination of the elements of lists, with the
    /// last field outermost. None if a field is missing.
    pub(crate) fn sentences(&self, paths: &[String]) -> Option<Vec<String>> {
        let mut sentences: Vec<String> = Vec::new();
        for (number, path) in paths.iter().enumerate() {
            let Found::Value(value) = self.get(path, Case::Ignored) else {
                return None;
            };
            let words = words(&value);
            sentences = match number {
                0 => words,
                _ => words
                    .iter()
                    .flat_map(|word| {
                        let with = move |sentence: &String| format!("{sentence}{BETWEEN}{word}");
                        sentences.iter().map(with)
                    })
                    .collect(),
            };
        }
        Some(sentences)
    }

    /// A text with the values of fields in the place of their names in braces. `own` is what the model has found out, which
    /// goes before fields of the same name.
    pub(crate) fn fill(&self, template: &str, own: &[(Cow<'_, str>, Value<'_>)]) -> String {
        let mut text = template.to_owned();
        for name in names(template) {
            let found = match own.iter().find(|(key, _)| alike(key, name)) {
                Some((_, value)) => Found::Value(value.clone()),
                None => self.get(name, Case::Ignored),
            };
            let value = match found {
                Found::Value(value) => shown(&value, name),
                Found::Nothing | Found::NoObject => format!("{{field {name} not found in event}}"),
            };
            text = text.replace(&format!("{{{name}}}"), &value);
        }
        text
    }
}

/// The names in braces, in their order.
fn names(template: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else {
            break;
        };
        names.push(name);
        rest = behind;
    }
    names
}

/// A value in a text.
fn shown(value: &Value<'_>, name: &str) -> String {
    let Value::List(list) = value else {
        return python::str(value);
    };
    let texts: Option<Vec<&str>> = list
        .iter()
        .map(|element| match element {
            Value::Text(text) => Some(&**text),
            _ => None,
        })
        .collect();
    match texts {
        Some(texts) => texts.join(", "),
        None => format!("complex field {name}"),
    }
}

/// The words that a value gives: itself, or each element of a list. Nulls, objects and deeper lists give none.
pub(crate) fn words(value: &Value<'_>) -> Vec<String> {
    match value {
        Value::List(list) => list.iter().filter_map(word).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
        single => vec![python::str(single)],
    }
}

/// A value as one word; the elements of a flat list are put together.
pub(crate) fn word(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::List(list) => {
            let is_flat =
                |element: &Value<'_>| !matches!(element, Value::List(_) | Value::Object(_));
            let words: Vec<String> = list.iter().map(python::str).collect();
            list.iter().all(is_flat).then(|| words.join(BETWEEN))
        }
        single => Some(python::str(single)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(json: &str) -> Fields<'_> {
        Fields {
            event: Event::parse(json.as_bytes()).unwrap(),
            derived: vec![("hour".to_owned(), Value::from("07"))],
        }
    }

    #[test]
    fn placeholders_are_filled() {
        let fields = fields(
            r#"{"a": "x", "b": 1, "f": 1.0, "t": true, "n": null, "l": ["p", "q"], "m": ["p", 1],
                "o": {"k": 1}, "Deep": {"Er": "y"}, "tricky": "{b}", "s": "text"}"#,
        );
        for (template, text) in [
            ("{a} {b} {f} {t} {n}", "x 1 1.0 True None"),
            ("{l}/{m}", "p, q/complex field m"),
            ("{o} {deep.er} {HOUR}", "{'k': 1} y 07"),
            (
                "{missing} {s.x}",
                "{field missing not found in event} {field s.x not found in event}",
            ),
            ("{tricky} {b}", "1 1"),
            ("{ a }", "{field  a  not found in event}"),
            ("{{b}}", "{field {b not found in event}}"),
            ("{b} {{b}}", "1 {1}"),
            ("{b", "{b"),
            ("}{b}{", "}1{"),
        ] {
            assert_eq!(fields.fill(template, &[]), text);
        }
        let own = [(Cow::from("b"), Value::Float(0.5))];
        assert_eq!(fields.fill("{B}", &own), "0.5");
    }

    #[test]
    fn lists_give_a_sentence_for_each_combination() {
        let fields = fields(
            r#"{"h": ["A", "B"], "u": ["evb", "dra"], "one": "02", "n": [1, null, {"x": 1}, ["n1", "n2"], [["z"]]],
                "null": null, "o": {}}"#,
        );
        let sentences = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            fields.sentences(&paths)
        };
        let some = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(
            sentences(&["h", "u"]),
            some(&["A - evb", "B - evb", "A - dra", "B - dra"])
        );
        assert_eq!(sentences(&["h", "one"]), some(&["A - 02", "B - 02"]));
        assert_eq!(sentences(&["n"]), some(&["1", "n1 - n2"]));
        assert_eq!(sentences(&["null"]), some(&[]));
        assert_eq!(sentences(&["o"]), some(&[]));
        assert_eq!(sentences(&["h", "missing"]), None);
    }

    proptest! {
        #[test]
        fn a_text_without_braces_stays_as_it_is(text in "[a-z{} .]{0,30}") {
            let filled = fields(r#"{"a": "x", "b": {"c": 1}}"#).fill(&text, &[]);
            if !text.contains('{') || !text.contains('}') {
                prop_assert_eq!(filled, text);
            }
        }
    }
}
