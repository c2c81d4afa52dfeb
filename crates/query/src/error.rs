//! What cannot be read, and where it stands.

use serde_json::Value;
use std::fmt;
use thiserror::Error;

/// A query that cannot be read: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{at}: {problem}")]
pub struct ReadError {
    /// Where it stands.
    pub at: Place,
    /// What is wrong.
    pub problem: Problem,
}

/// A place in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In JSON, as `$.query.bool.filter[0]`.
    Json(String),
    /// In a Lucene query: its column, counted in characters from 1.
    Column(usize),
    /// In a Lucene query that stands in JSON.
    Both(String, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Json(path) => f.write_str(path),
            Place::Column(column) => write!(f, "column {column}"),
            Place::Both(path, column) => write!(f, "{path}, column {column}"),
        }
    }
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What should.
        expected: &'static str,
        /// What does, in short.
        found: String,
    },
    /// A kind of query that is not read.
    #[error("the query `{0}` is not supported")]
    Query(String),
    /// A parameter that would change what is found.
    #[error("the parameter `{0}` is not supported")]
    Parameter(String),
    /// A part of Lucene's syntax that is not read.
    #[error("{0} is not supported")]
    Syntax(&'static str),
    /// A field whose type does not take this query.
    #[error("`{field}` is {kind}: {query} cannot be asked of it")]
    Field {
        /// The name of the field.
        field: String,
        /// What it is.
        kind: String,
        /// What was asked.
        query: &'static str,
    },
    /// A value that the type of the field does not take.
    #[error("`{value}` is no {expected}, which `{field}` is")]
    Value {
        /// The name of the field.
        field: String,
        /// The value.
        value: String,
        /// What the field holds.
        expected: &'static str,
    },
    /// A regular expression that cannot be translated.
    #[error("in the regular expression, at character {column}: {reason}")]
    Regex {
        /// Counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A name of fields with a `*` in it, where it is not understood.
    #[error(
        "`{0}` stands for several fields: only `*` is supported, and `*` as a whole name between dots in `exists`"
    )]
    Names(String),
    /// It is nested too deeply.
    #[error("nested more than {0} levels deep")]
    TooDeep(usize),
    /// There is no query.
    #[error("the query is empty, so that it would find nothing")]
    Empty,
}

/// A JSON value, in short.
pub(crate) fn brief(value: &Value) -> String {
    const LONGEST: usize = 40;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
