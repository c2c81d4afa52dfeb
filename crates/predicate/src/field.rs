//! Where a field's values come from.

use event::{FieldPath, Fields, Lookup, Value};
use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A field of an event: one or several sources, whose values count together.
///
/// Several, since the same field has different names in the different shapes of an event, of which one event has one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    sources: Arc<[Source]>,
}

/// One place of an event that a field's values come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The values at this path.
    Path(FieldPath),
    /// Values computed from others.
    Derived(&'static Derived),
}

/// A field that an ingest pipeline took apart, and how to put it together again.
#[derive(Debug)]
pub struct Derived {
    /// The name that is shown for it; no two have the same.
    pub name: &'static str,
    /// The paths that it is computed from.
    pub from: &'static [&'static str],
    /// The computation: given the texts found at each path of `from` in that order, the values; none if it is not there.
    pub build: fn(&[Vec<String>]) -> Vec<String>,
}

impl PartialEq for Derived {
    fn eq(&self, other: &Derived) -> bool {
        self.name == other.name
    }
}

impl Eq for Derived {}

impl Hash for Derived {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Field {
    /// The field with the values of all `sources`.
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Field {
        Field {
            sources: sources.into_iter().collect(),
        }
    }

    /// The field at one path.
    pub fn path(path: &str) -> Field {
        Field::new([Source::Path(FieldPath::new(path))])
    }

    /// Where its values come from.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// All that `event` holds of this field, each value with the name of its source.
    pub fn lookup<'s, 'a>(&'s self, event: &impl Fields<'a>) -> Found<'s, 'a> {
        let mut found = Found::default();
        for source in &*self.sources {
            let (name, lookup) = match source {
                Source::Path(path) => (path.as_str(), event.lookup(path)),
                Source::Derived(derived) => (derived.name, derived.lookup(event)),
            };
            found.present |= lookup.present;
            found
                .values
                .extend(lookup.values.into_iter().map(|value| (name, value)));
        }
        found
    }
}

/// What an event holds of a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found<'s, 'a> {
    /// Whether any of its sources is there.
    pub present: bool,
    /// The values, each with the name of its source.
    pub values: Vec<(&'s str, Value<'a>)>,
}

impl Derived {
    /// The paths that it is computed from.
    pub fn paths(&self) -> impl Iterator<Item = FieldPath> {
        self.from.iter().map(|path| FieldPath::new(path))
    }

    fn lookup<'a>(&self, event: &impl Fields<'a>) -> Lookup<'a> {
        let inputs: Vec<Vec<String>> = self
            .from
            .iter()
            .map(|path| {
                event
                    .lookup(&FieldPath::new(path))
                    .values
                    .iter()
                    .filter_map(text_of)
                    .map(Cow::into_owned)
                    .collect()
            })
            .collect();
        let values: Vec<_> = (self.build)(&inputs)
            .into_iter()
            .map(|text| Value::String(text.into()))
            .collect();
        Lookup {
            present: !values.is_empty(),
            values,
        }
    }
}

/// The text that a string test compares: a string itself, the literal of a number, `true` or `false`; nothing else has one.
pub fn text_of<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(literal) => Some(Cow::Borrowed(literal)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Null | Value::Object(_) => None,
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Path(path) => path.fmt(f),
            Source::Derived(derived) => f.write_str(derived.name),
        }
    }
}
