//! What is asked, before it is written in one of the languages.

use predicate::Part;
use std::ops::Bound;

/// A query of either language.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Query {
    /// All of these; everything if there are none.
    All(Vec<Query>),
    /// Any of these; nothing if there are none.
    Any(Vec<Query>),
    Not(Box<Query>),
    /// The field has a value.
    Exists(String),
    /// A term is this text; `caseless` as far as it is ASCII.
    Term {
        field: String,
        text: String,
        caseless: bool,
    },
    /// A term is like this.
    Wildcard {
        field: String,
        parts: Vec<Part>,
        caseless: bool,
    },
    /// A term matches Lucene's regular expression.
    Regexp {
        field: String,
        regexp: String,
    },
    /// A term of any field does.
    AnyRegexp(String),
    /// These words follow one another.
    Phrase {
        field: String,
        text: String,
    },
    /// A value lies between these.
    Range {
        field: String,
        from: Bound<String>,
        to: Bound<String>,
    },
}

impl Query {
    pub(super) fn everything() -> Query {
        Query::All(Vec::new())
    }

    pub(super) fn nothing() -> Query {
        Query::Any(Vec::new())
    }

    pub(super) fn all(parts: impl IntoIterator<Item = Query>) -> Query {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Query::All(parts) => all.extend(parts),
                Query::Any(parts) if parts.is_empty() => return Query::nothing(),
                part => all.push(part),
            }
        }
        match all.len() {
            1 => all.remove(0),
            _ => Query::All(all),
        }
    }

    pub(super) fn any(parts: impl IntoIterator<Item = Query>) -> Query {
        let mut any = Vec::new();
        for part in parts {
            match part {
                Query::Any(parts) => any.extend(parts),
                Query::All(parts) if parts.is_empty() => return Query::everything(),
                part => any.push(part),
            }
        }
        match any.len() {
            1 => any.remove(0),
            _ => Query::Any(any),
        }
    }

    pub(super) fn not(part: Query) -> Query {
        match part {
            Query::All(parts) if parts.is_empty() => Query::nothing(),
            Query::Any(parts) if parts.is_empty() => Query::everything(),
            Query::Not(part) => *part,
            part => Query::Not(Box::new(part)),
        }
    }
}
