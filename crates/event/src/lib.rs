//! One event, as a view on its JSON bytes.
//!
//! Sigtag never builds a tree of an event: an [`Event`] is the text it was read from, known to be one well-formed JSON
//! object, and every question about it is answered by walking that text. So an event costs nothing to make, its numbers
//! keep all their digits, duplicate keys stay visible, and what is written out again is byte for byte what came in.
//!
//! **Paths.** The path of a value is the keys that lead to it, split at dots, with blanks removed. So
//! `{"a":{"b":1}}`, `{"a.b":1}` and `{"a":[{"b":1}]}` all hold `1` at `a.b`, and `New Value` is the field `NewValue`.
//! A [`FieldPath`] finds all values at its path: elements of arrays one by one, and every value of a key that was given
//! twice, as if it held a list. Names are case-sensitive, as in Elasticsearch.
//!
//! **What sigtag wrote is invisible.** The top-level fields of [`HIDDEN`] are never found, so that a rule cannot match
//! its own tag; those of [`TAGGED`] are left out of [`Event::strings`] besides.
//!
//! Four ways to look, for four needs: [`Event::lookup`] asks for one field and is as plain as the definition above,
//! a [`Parser`] reads many events and finds many fields in each, fast, [`Event::index`] prepares any number of look-ups
//! in the same event, and [`Event::members`] gives the top-level members with their places in the text, for those who splice.
//!
//! No files, no formats: see `input`.
//!
//! ```
//! use event::{Event, FieldPath, Value};
//!
//! let event = Event::parse(br#"{"process":{"name":"cmd.exe"},"process.pid":[4, 8]}"#).unwrap();
//! let name = event.lookup(&FieldPath::new("process.name"));
//! assert_eq!(name.values, [Value::String("cmd.exe".into())]);
//! assert_eq!(event.lookup(&FieldPath::new("process.pid")).values, [Value::Number("4"), Value::Number("8")]);
//! ```

mod fields;
mod grammar;
mod parser;
mod path;
mod paths;
mod value;

pub use fields::{Fields, Indexed};
pub use grammar::{MAX_DEPTH, Malformed, Reason, scan_value};
pub use parser::{Block, Leaf, Parsed, Parser, Shape, Signs};
pub use path::FieldPath;
pub use paths::{Paths, Raw};
pub use value::{Text, Value};

use grammar::{Kind, Visitor, walk};
use std::borrow::Cow;
use std::ops::Range;

/// Top-level fields that sigtag and ee-outliers own: no rule sees them.
pub const HIDDEN: [&str; 2] = ["sigma", "outliers"];

/// Top-level fields that sigtag adds to, beside [`HIDDEN`]: a rule may name them, a keyword does not search them.
pub const TAGGED: [&str; 2] = ["tags", "threat"];

/// One event: a well-formed JSON object, at most [`MAX_DEPTH`] levels deep, in valid UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    text: &'a str,
}

/// What an event holds at a path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lookup<'a> {
    /// Whether the field is there at all, also as `null`, `""` or `[]`.
    pub present: bool,
    /// All values found, in the order of the text; arrays are taken apart, so an empty one gives none.
    pub values: Vec<Value<'a>>,
}

/// A top-level member of an event and its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The key, unescaped.
    pub key: Cow<'a, str>,
    /// Where the key stands, with its quotes.
    pub key_range: Range<usize>,
    /// The value as written.
    pub value: &'a str,
    /// Where the value stands.
    pub value_range: Range<usize>,
}

impl<'a> Event<'a> {
    /// Checks that `bytes` is one JSON object (RFC 8259, surrounded by white space at most) and views it as an event.
    ///
    /// # Errors
    /// [`Malformed`] says at which byte the text stops being one, and why.
    pub fn parse(bytes: &'a [u8]) -> Result<Event<'a>, Malformed> {
        let text = simdutf8::basic::from_utf8(bytes)
            .or_else(|_| std::str::from_utf8(bytes))
            .map_err(|error| Malformed {
                offset: error.valid_up_to(),
                reason: Reason::NotUtf8,
            })?;
        grammar::check_object(text)?;
        Ok(Event { text })
    }

    /// The text of the event, as it was read.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The event on one line: if there are line breaks between its tokens, all white space between them goes; what is left
    /// is put into `room`.
    pub fn one_line<'r>(&self, room: &'r mut String) -> Event<'r>
    where
        'a: 'r,
    {
        // A line break inside a string is written as an escape, so one in the text stands between tokens.
        if memchr::memchr2(b'\n', b'\r', self.text.as_bytes()).is_none() {
            return *self;
        }
        *room = grammar::without_space(self.text);
        Event { text: room }
    }

    /// All that the event holds at `path`. Plain and obviously right; for many paths and events see [`Parser`].
    pub fn lookup(&self, path: &FieldPath) -> Lookup<'a> {
        let mut seeker = Seeker {
            at: Place::default(),
            path,
            found: Lookup::default(),
        };
        walk(self.text, &mut seeker);
        seeker.found
    }

    /// Every string that a keyword searches: all string values but those under [`HIDDEN`] and [`TAGGED`].
    pub fn strings(&self) -> Vec<Cow<'a, str>> {
        let mut strings = Strings {
            at: Place::default(),
            found: Vec::new(),
        };
        walk(self.text, &mut strings);
        strings.found
    }

    /// The same event, prepared for many look-ups: one walk now, none for each.
    pub fn index(&self) -> Indexed<'a> {
        Indexed::new(*self)
    }

    /// The top-level members, in the order of the text.
    pub fn members(&self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        grammar::members(self.text)
    }
}

/// Where a walk is: the path so far, and how long it was at each level.
#[derive(Default)]
struct Place {
    path: String,
    /// One entry per open container: the length of `path` at it, and whether it is an object.
    open: Vec<(usize, Kind)>,
}

impl Place {
    fn key(&mut self, key: Text<'_>) {
        let objects = self
            .open
            .iter()
            .filter(|(_, kind)| *kind == Kind::Object)
            .count();
        self.path
            .truncate(self.open.last().map_or(0, |(length, _)| *length));
        if objects > 1 {
            self.path.push('.');
        }
        self.path.extend(key.decode().chars().filter(|c| *c != ' '));
    }

    fn open(&mut self, kind: Kind) {
        self.open.push((self.path.len(), kind));
    }

    fn close(&mut self) {
        let (length, _) = self.open.pop().unwrap_or((0, Kind::Object));
        self.path.truncate(length);
    }

    /// Whether this place lies under one of the top-level fields `names`.
    fn is_under(&self, names: &[&str]) -> bool {
        let first = self.path.split('.').next().unwrap_or_default();
        !self.open.is_empty() && names.contains(&first)
    }
}

struct Seeker<'p, 'a> {
    at: Place,
    path: &'p FieldPath,
    found: Lookup<'a>,
}

impl Seeker<'_, '_> {
    fn is_here(&self) -> bool {
        !self.at.open.is_empty() && !self.at.is_under(&HIDDEN) && self.path.matches(&self.at.path)
    }
}

impl<'a> Visitor<'a> for Seeker<'_, 'a> {
    fn key(&mut self, key: Text<'a>) {
        self.at.key(key);
    }

    fn scalar(&mut self, value: Value<'a>) {
        if self.is_here() {
            self.found.present = true;
            self.found.values.push(value);
        }
    }

    fn open(&mut self, kind: Kind, text: &'a str) {
        if self.is_here() {
            self.found.present = true;
            if kind == Kind::Object {
                self.found.values.push(Value::Object(text));
            }
        }
        self.at.open(kind);
    }

    fn close(&mut self) {
        self.at.close();
    }
}

struct Strings<'a> {
    at: Place,
    found: Vec<Cow<'a, str>>,
}

impl<'a> Visitor<'a> for Strings<'a> {
    fn key(&mut self, key: Text<'a>) {
        self.at.key(key);
    }

    fn scalar(&mut self, value: Value<'a>) {
        if let Value::String(string) = value
            && !self.at.is_under(&HIDDEN)
            && !self.at.is_under(&TAGGED)
        {
            self.found.push(string);
        }
    }

    fn open(&mut self, kind: Kind, _: &'a str) {
        self.at.open(kind);
    }

    fn close(&mut self) {
        self.at.close();
    }
}
