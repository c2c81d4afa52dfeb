//! What can be asked for the values of a field.

use crate::grammar::{Kind, Visitor, walk};
use crate::value::{Text, Value};
use crate::{Event, FieldPath, HIDDEN, Lookup, Place};
use foldhash::fast::RandomState;
use std::borrow::Cow;
use std::collections::HashMap;

/// Something that holds the values of an event: the event itself, or one that is prepared for many look-ups.
pub trait Fields<'a> {
    /// All that stands at `path`.
    fn lookup(&self, path: &FieldPath) -> Lookup<'a>;

    /// Every string that a keyword searches.
    fn strings(&self) -> Vec<Cow<'a, str>>;
}

impl<'a> Fields<'a> for Event<'a> {
    fn lookup(&self, path: &FieldPath) -> Lookup<'a> {
        Event::lookup(self, path)
    }

    fn strings(&self) -> Vec<Cow<'a, str>> {
        Event::strings(self)
    }
}

/// An event whose fields have been looked up all at once. Made by [`Event::index`].
#[derive(Clone, Debug)]
pub struct Indexed<'a> {
    event: Event<'a>,
    /// What stands where, in the order of the text: the number of the path, and the value if it is no array.
    found: Vec<(usize, Option<Value<'a>>)>,
    /// For each path, its number and its places in `found`.
    paths: HashMap<String, (usize, Vec<usize>), RandomState>,
}

impl<'a> Indexed<'a> {
    pub(crate) fn new(event: Event<'a>) -> Indexed<'a> {
        let mut indexer = Indexer {
            at: Place::default(),
            index: Indexed {
                event,
                found: Vec::new(),
                paths: HashMap::default(),
            },
        };
        walk(event.text(), &mut indexer);
        indexer.index
    }

    fn gather<'i>(places: impl Iterator<Item = &'i Option<Value<'a>>>) -> Lookup<'a>
    where
        'a: 'i,
    {
        places.fold(Lookup::default(), |mut lookup, value| {
            lookup.present = true;
            lookup.values.extend(value.clone());
            lookup
        })
    }
}

impl<'a> Fields<'a> for Indexed<'a> {
    fn lookup(&self, path: &FieldPath) -> Lookup<'a> {
        if path.has_wildcard() {
            let mut is_meant = vec![false; self.paths.len()];
            for (text, (number, _)) in &self.paths {
                is_meant[*number] = path.matches(text);
            }
            let meant = self.found.iter().filter(|(number, _)| is_meant[*number]);
            return Indexed::gather(meant.map(|(_, value)| value));
        }
        match self.paths.get(path.as_str()) {
            Some((_, places)) => Indexed::gather(places.iter().map(|place| &self.found[*place].1)),
            None => Lookup::default(),
        }
    }

    fn strings(&self) -> Vec<Cow<'a, str>> {
        self.event.strings()
    }
}

/// Walks the event and notes what stands where.
struct Indexer<'a> {
    at: Place,
    index: Indexed<'a>,
}

impl<'a> Indexer<'a> {
    fn note(&mut self, value: Option<Value<'a>>) {
        if self.at.open.is_empty() || self.at.is_under(&HIDDEN) {
            return;
        }
        let Indexed { found, paths, .. } = &mut self.index;
        if !paths.contains_key(&self.at.path) {
            paths.insert(self.at.path.clone(), (paths.len(), Vec::new()));
        }
        if let Some((number, places)) = paths.get_mut(&self.at.path) {
            places.push(found.len());
            found.push((*number, value));
        }
    }
}

impl<'a> Visitor<'a> for Indexer<'a> {
    fn key(&mut self, key: Text<'a>) {
        self.at.key(key);
    }

    fn scalar(&mut self, value: Value<'a>) {
        self.note(Some(value));
    }

    fn open(&mut self, kind: Kind, text: &'a str) {
        self.note((kind == Kind::Object).then_some(Value::Object(text)));
        self.at.open(kind);
    }

    fn close(&mut self) {
        self.at.close();
    }
}
