//! What a rule says of itself.

use crate::sigmac::Value as Single;
use serde_json::{Map, Number, Value};
use sigma::yaml::{Content, Node};

/// The head of a rule: its title, its id, its tags and whatever else stands at its top, but for what it looks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    entries: Map<String, Value>,
}

impl Head {
    /// The head of a document.
    pub(crate) fn of(root: &Node<'_>) -> Head {
        let entries = root.as_map().unwrap_or_default().iter();
        let entries =
            entries.filter(|entry| !matches!(&*entry.key.text, "detection" | "logsource"));
        Head {
            entries: entries
                .map(|entry| (entry.key.text.to_string(), json(&entry.value)))
                .collect(),
        }
    }

    /// The value of a key; null if it is missing.
    pub fn json(&self, key: &str) -> Value {
        self.entries.get(key).cloned().unwrap_or_default()
    }
}

fn json(node: &Node<'_>) -> Value {
    match &node.content {
        Content::Scalar(scalar) => match Single::of(scalar) {
            Single::Null => Value::Null,
            Single::Bool(value) => value.into(),
            Single::Int(text) | Single::Float(text) => text
                .parse::<Number>()
                .map_or_else(|_| text.into(), Value::Number),
            other => other.shown().into(),
        },
        Content::List(nodes) => nodes.iter().map(json).collect(),
        Content::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|entry| (entry.key.text.to_string(), json(&entry.value)))
                .collect(),
        ),
    }
}
