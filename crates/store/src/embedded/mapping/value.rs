//! What an index makes of one value.
//!
//! A cell stands for a value only if no question can tell the two apart. Where that is not so (a number that `f64` does not
//! hold, a long text), there is no cell: the index notes that the document has such a value, and it is asked itself.

use super::Kind;
use event::Value;
use predicate::{Decimal, Missing, date_millis, text_of};
use std::net::IpAddr;

/// The longest text that a column holds, in bytes. Longer ones are read from the documents.
pub(crate) const LONGEST_CELL: usize = 4_096;

/// A value in a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Integer(i64),
    Float(f64),
}

impl Kind {
    /// Whether a value is one that the field takes, whether or not a cell can stand for it.
    pub(crate) fn takes(self, value: &Value<'_>) -> bool {
        self != Kind::Opaque && *value != Value::Null && self.cell(value).is_ok()
    }

    /// The cell for a value; none if the document has to be asked; an error if the field does not take it.
    pub(super) fn cell(self, value: &Value<'_>) -> Result<Option<Cell>, String> {
        if self == Kind::Opaque {
            return Ok(None);
        }
        let text = text_of(value).ok_or("an object, where the field takes single values")?;
        let is_number = matches!(value, Value::Number(_));
        let fits = |fits: bool, what: &str| match fits {
            true => Ok(()),
            false => Err(format!(
                "`{}` is no {what}, which the field takes",
                brief(&text)
            )),
        };
        match self {
            Kind::String => {
                let is_short = text.len() <= LONGEST_CELL;
                Ok(is_short.then(|| Cell::Text(text.into_owned())))
            }
            Kind::Ip => {
                fits(text.parse::<IpAddr>().is_ok() && !is_number, "address")?;
                Ok(Some(Cell::Text(text.into_owned())))
            }
            Kind::Boolean => match &*text {
                "true" if !is_number => Ok(Some(Cell::Integer(1))),
                "false" if !is_number => Ok(Some(Cell::Integer(0))),
                // What a server takes for false.
                "" => Ok(None),
                _ => fits(false, "boolean").map(|()| None),
            },
            // A server takes it for nothing.
            Kind::Integer(..) | Kind::Float { .. } if text.is_empty() => Ok(None),
            Kind::Integer(least, most) => {
                fits(!matches!(value, Value::Bool(_)), "number")?;
                if let Ok(number) = text.parse::<i64>()
                    && number.to_string() == *text
                {
                    fits((least..=most).contains(&number), "number of this size")?;
                    return Ok(Some(Cell::Integer(number)));
                }
                let number: f64 = number(&text).unwrap_or(f64::NAN);
                // `i64` has numbers that `f64` has not, and its ends are among them.
                let whole = text.parse().unwrap_or(number.trunc() as i128);
                let is_in = i128::from(least) <= whole && whole <= i128::from(most);
                fits(is_in && !number.is_nan(), "number of this size")?;
                Ok(None)
            }
            Kind::Float { is_single } => {
                fits(!matches!(value, Value::Bool(_)), "number")?;
                let number: f64 = number(&text).unwrap_or(f64::NAN);
                let is_finite = number.is_finite() && !(is_single && (number as f32).is_infinite());
                fits(is_finite, "number of this size")?;
                let same = Decimal::parse(&number.to_string());
                let is_same = match is_number {
                    true => same == Decimal::parse(&text),
                    false => same.is_some_and(|same| same.is_written(&text)),
                };
                Ok(is_same.then_some(Cell::Float(number)))
            }
            Kind::Date => {
                fits(!matches!(value, Value::Bool(_)), "date")?;
                let date = date_millis(&text, Missing::Earliest);
                fits(date.is_some(), "date")?;
                Ok(date.map(Cell::Integer))
            }
            Kind::Opaque => Ok(None),
        }
    }
}

/// A number as a field takes it: words such as `inf` are none.
pub(crate) fn number(text: &str) -> Option<f64> {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    has_digit.then(|| text.trim().parse().ok())?
}

fn brief(text: &str) -> &str {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => &text[..end],
    }
}
