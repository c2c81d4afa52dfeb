//! Where a written query does not find exactly what its predicate selects.

use std::fmt;

/// A query, and where it does not find exactly what it should.
#[derive(Clone, Debug, PartialEq)]
pub struct Written<T> {
    /// The query.
    pub query: T,
    /// Each way in which it differs, once. If there is none, the query finds exactly what the predicate selects.
    pub notes: Vec<Note>,
}

/// One way in which a query differs from its predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Why.
    pub reason: Reason,
    /// What that does to what is found.
    pub effect: Effect,
    /// The fields, as the query names them; none for a test on all fields.
    pub fields: Vec<String>,
}

/// What a difference does to what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is missed, but there may be more than the predicate selects: decide each event that is found.
    FindsMore,
    /// An event of which an index does not hold enough may be missed; the reason says which.
    FindsLess,
}

/// Why a query differs from its predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An index leaves out values that are longer than the field's `ignore_above`.
    TooLong,
    /// An index holds no null, and neither empty lists nor empty objects.
    Empty,
    /// An index has numbers in keywords as they are written: `1.0` is not `1` there; and in numbers as what they are.
    Number,
    /// A server compares without regard to case only the letters of ASCII: `ſ` is not `s` there, and the Kelvin sign not
    /// `k`; and a normalizer lowers what should be told apart.
    Case,
    /// The field is words only, of which each is asked for what the whole value should be; and the longest ones are cut.
    Words,
    /// The type of the field does not take this test.
    Type,
    /// The field is not in the index.
    Unmapped,
    /// Lucene's regular expressions have no counterpart for a part of this one, or it is too long for a server.
    Regex,
    /// The test is longer than what a server takes as a regular expression.
    Length,
    /// A query string does not find what is in fields of type `wildcard` by their parts, on some servers.
    WildcardField,
    /// The network has addresses that can be written in several ways.
    Network,
    /// A part of a time cannot be asked.
    TimePart,
    /// Two fields cannot be compared.
    Reference,
    /// The value of the field is computed from others.
    Derived,
    /// The field is one of several whose names are not known.
    Names,
    /// A query over all fields looks into numbers, tags and words too, and not at all at dates and addresses.
    AnyField,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::TooLong => "values longer than the field's `ignore_above` are not in the index",
            Reason::Empty => "null, empty lists and empty objects are not in the index",
            Reason::Number => "a number is compared as it is written in keywords, and by what it is in numbers",
            Reason::Case => "servers know no case but that of ASCII letters, and normalizers lower what differs",
            Reason::Words => "the field is words, not a whole value",
            Reason::Type => "the type of the field does not take this test",
            Reason::Unmapped => "the field is not in the index",
            Reason::Regex => "Lucene has no counterpart for a part of the regular expression",
            Reason::Length => "a server takes no regular expression as long as this",
            Reason::WildcardField => "some servers do not find parts of `wildcard` fields by a query string",
            Reason::Network => "an address can be written in several ways",
            Reason::TimePart => "a part of a time cannot be asked",
            Reason::Reference => "two fields cannot be compared",
            Reason::Derived => "the value is computed from other fields",
            Reason::Names => "the field's name is not known",
            Reason::AnyField => {
                "a query over all fields looks into numbers, tags and single words too, and not into dates and addresses"
            }
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.effect {
            Effect::FindsMore => "finds more",
            Effect::FindsLess => "may miss some",
        })?;
        match &*self.fields {
            [] => write!(f, ": {}", self.reason),
            fields => write!(f, ", by {}: {}", fields.join(", "), self.reason),
        }
    }
}
