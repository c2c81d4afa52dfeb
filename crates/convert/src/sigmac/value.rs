//! Single values, as YAML has them, and what sigmac's modifiers make of them.

use sigma::yaml::{Meaning, Scalar};
use std::borrow::Cow;

/// A single value. Numbers are canonical decimal text.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(String),
    /// Any other number.
    Float(String),
    /// A date, as written.
    Date(String),
    /// A text.
    Text(String),
    /// A text under `utf16` and the like; of use to `base64` only.
    Bytes(Vec<u8>),
    /// A regular expression.
    Regex(String),
}

impl Value {
    pub fn of(scalar: &Scalar<'_>) -> Value {
        match scalar.meaning() {
            Meaning::Null => Value::Null,
            Meaning::Bool(value) => Value::Bool(value),
            // `1.0` means the same as `1`, but Python knows them apart.
            Meaning::Number(digits) if scalar.text.contains('.') => {
                // As Python shows it: `1000.0`, `0.5`.
                let number: Option<f64> = digits.parse().ok();
                Value::Float(number.map_or(digits, |number| format!("{number:?}")))
            }
            Meaning::Number(digits) => Value::Int(digits),
            Meaning::NoNumber => Value::Float(scalar.text.to_string()),
            Meaning::Date => Value::Date(scalar.text.to_string()),
            Meaning::Text => Value::Text(scalar.text.to_string()),
        }
    }

    /// How Python shows it in a text.
    pub fn shown(&self) -> Cow<'_, str> {
        match self {
            Value::Null => "None".into(),
            Value::Bool(true) => "True".into(),
            Value::Bool(false) => "False".into(),
            Value::Int(text) | Value::Float(text) | Value::Date(text) => text.into(),
            Value::Text(text) | Value::Regex(text) => text.into(),
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes),
        }
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a number",
            Value::Float(_) => "a number with a fraction",
            Value::Date(_) => "a date",
            Value::Text(_) => "a text",
            Value::Bytes(_) => "UTF-16 that is not under `base64`",
            Value::Regex(_) => "a regular expression",
        }
    }
}

/// What stands under a field, modifiers applied.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    /// One value.
    One(Value),
    /// Any of these.
    List(Vec<Operand>),
    /// Any of these, which a modifier has made of one value.
    Any(Vec<Operand>),
    /// Each of these.
    All(Vec<Operand>),
}

impl Operand {
    /// Whether sigmac can tell that another one is the same.
    pub fn is_comparable(&self) -> bool {
        match self {
            Operand::One(value) => !matches!(value, Value::Regex(_)),
            Operand::List(items) => items.iter().all(Operand::is_comparable),
            Operand::Any(_) | Operand::All(_) => false,
        }
    }
}
