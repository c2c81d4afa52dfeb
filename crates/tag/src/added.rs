//! What a tag put into fields that others write as well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was put into shared fields: the value of `sigma.added`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Added {
    /// By path.
    #[serde(flatten)]
    pub values: BTreeMap<String, Vec<String>>,
    /// The former shape of what was no list, or no object, by path; nothing of what stands in something that is new.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    was: BTreeMap<String, Shape>,
}

/// What was at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    /// Nothing.
    Absent,
    /// `null`.
    Null,
    /// A value that is no list.
    Single,
}

impl Added {
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether it names shared fields only.
    pub fn is_sound(&self) -> bool {
        self.values.keys().all(|path| kind(path).is_some())
            && self
                .was
                .keys()
                .all(|path| FIELDS.iter().any(|(field, _)| leads_to(path, field)))
    }

    /// Whether a tag that added `other` would find all of it here, and the same outliers.
    pub fn covers(&self, other: &Added) -> bool {
        self.outliers().eq(other.outliers())
            && other.values.iter().all(|(path, values)| {
                self.values
                    .get(path)
                    .is_some_and(|own| values.iter().all(|value| own.contains(value)))
            })
    }

    fn outliers(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.values
            .iter()
            .filter(|(path, _)| leads_to("outliers", path))
    }

    /// Records what was put into a field.
    pub fn set(&mut self, path: &str, values: Vec<String>) {
        self.values.insert(path.to_owned(), values);
    }

    /// Records the former shape of what is at a path.
    pub fn was(&mut self, path: &str, shape: Shape) {
        self.was.insert(path.to_owned(), shape);
    }

    /// The top-level field of something that stands one level deeper now, as the first value of a list.
    pub fn deepened(&self) -> Option<&'static str> {
        let (path, _) = self
            .was
            .iter()
            .find(|(_, shape)| **shape == Shape::Single)?;
        let (field, _) = FIELDS.iter().find(|(field, _)| field == path)?;
        field.split('.').next()
    }

    /// The former shape of what is at a path; none if it was a list or an object. `in_new` says that it stands in something
    /// that is new itself.
    pub fn former(&self, path: &str, in_new: bool) -> Option<Shape> {
        self.was
            .get(path)
            .copied()
            .or(in_new.then_some(Shape::Absent))
    }
}

/// How a shared field holds its values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A list that has each value once.
    Set,
    /// The same, and a plain string as long as there is only ours.
    Text,
    /// A list that has each value as often as it is added.
    Bag,
    /// A number, to which is added.
    Count,
}

/// Every shared field. A record that names another one is not ours, and nothing is ever taken out of a field that is not
/// in this table.
pub(crate) static FIELDS: [(&str, Kind); 15] = [
    ("tags", Kind::Set),
    ("threat.framework", Kind::Text),
    ("threat.tactic.id", Kind::Set),
    ("threat.tactic.name", Kind::Set),
    ("threat.technique.id", Kind::Set),
    ("threat.technique.name", Kind::Set),
    ("threat.technique.subtechnique.id", Kind::Set),
    ("threat.technique.subtechnique.name", Kind::Set),
    ("outliers.type", Kind::Bag),
    ("outliers.reason", Kind::Bag),
    ("outliers.summary", Kind::Bag),
    ("outliers.rule_author", Kind::Bag),
    ("outliers.model_name", Kind::Bag),
    ("outliers.model_type", Kind::Bag),
    ("outliers.total_outliers", Kind::Count),
];

/// How the field at a path holds its values; none if it is not a shared one.
pub(crate) fn kind(path: &str) -> Option<Kind> {
    FIELDS
        .iter()
        .find(|(field, _)| *field == path)
        .map(|(_, kind)| *kind)
}

/// Whether `path` leads to `below`, or to something above it.
pub(crate) fn leads_to(path: &str, below: &str) -> bool {
    below
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
