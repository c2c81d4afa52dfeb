//! Numbers over all values: `min`, `max`, `sum`, `avg`, `stats`, `value_count`, `cardinality`.

use super::{Answerer, Parameters};
use crate::StoreError;
use crate::embedded::mapping::Kind;
use crate::embedded::search::Docs;
use crate::embedded::values::{Item, date_text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Which number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Min,
    Max,
    Sum,
    Avg,
    Stats,
    ValueCount,
    Cardinality,
}

/// The names of the numbers.
pub(super) const OF: [(&str, What); 7] = [
    ("min", What::Min),
    ("max", What::Max),
    ("sum", What::Sum),
    ("avg", What::Avg),
    ("stats", What::Stats),
    ("value_count", What::ValueCount),
    ("cardinality", What::Cardinality),
];

pub(super) struct Metric {
    pub(super) what: What,
    field: String,
    missing: Option<Value>,
}

impl Metric {
    pub(super) fn read(what: What, json: &Value, at: &str) -> Result<Metric, StoreError> {
        // An exact count needs no threshold for precision.
        let known = ["field", "missing", "precision_threshold"];
        let known = if what == What::Cardinality {
            &known[..]
        } else {
            &known[..2]
        };
        let parameters = Parameters::read(json, at, known)?;
        Ok(Metric {
            what,
            field: parameters.field()?,
            missing: parameters.get("missing").cloned(),
        })
    }

    pub(super) fn answer(
        &self,
        answerer: &Answerer<'_>,
        docs: &Docs,
        at: &str,
    ) -> Result<Value, StoreError> {
        let kind = answerer.check(&self.field, at)?;
        let is_text = matches!(kind, Some(Kind::String | Kind::Ip));
        if is_text && !matches!(self.what, What::ValueCount | What::Cardinality) {
            let reason = format!("`{}` has no numbers", self.field);
            return Err(StoreError::request(at, reason));
        }
        let kind_of_missing = kind.unwrap_or(Kind::Float { is_single: false });
        let missing = self.missing.as_ref().map(|value| {
            let item = Item::read(value, kind_of_missing);
            let wrong = || {
                StoreError::request(
                    format!("{at}.missing"),
                    format!("{value} is no value of the field"),
                )
            };
            item.ok_or_else(wrong)
        });
        let missing = missing.transpose()?;
        let mut distinct: BTreeSet<Item> = BTreeSet::new();
        let (mut count, mut sum, mut rest) = (0u64, 0f64, 0f64);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        let is_set = self.what == What::Cardinality;
        answerer.visit(&self.field, docs, is_set, &mut |_, _, items| {
            let items = match (items, &missing) {
                ([], Some(missing)) => std::slice::from_ref(missing),
                (items, _) => items,
            };
            for item in items {
                count += 1;
                if is_set && !distinct.contains(item) {
                    distinct.insert(item.clone());
                }
                if let Some(number) = item.number() {
                    // Kahan's summation, as the servers have it.
                    let corrected = number - rest;
                    let next = sum + corrected;
                    rest = (next - sum) - corrected;
                    sum = next;
                    min = min.min(number);
                    max = max.max(number);
                }
            }
            Ok(())
        })?;
        let or_null = |number: f64| match count {
            0 => Value::Null,
            _ => Value::from(number),
        };
        let value = match self.what {
            What::Cardinality => return Ok(json!({"value": distinct.len()})),
            What::ValueCount => return Ok(json!({"value": count})),
            What::Sum => Value::from(sum),
            What::Min => or_null(min),
            What::Max => or_null(max),
            What::Avg => or_null(sum / count as f64),
            What::Stats => {
                let mut stats = json!({
                    "count": count, "min": or_null(min), "max": or_null(max),
                    "avg": or_null(sum / count as f64), "sum": sum
                });
                for name in ["min", "max", "avg", "sum"].iter().filter(|_| count > 0) {
                    if let Some(words) = words(&stats[name], kind) {
                        stats[format!("{name}_as_string")] = words.into();
                    }
                }
                return Ok(stats);
            }
        };
        let mut answer = json!({"value": value});
        if let Some(words) = words(&value, kind) {
            answer["value_as_string"] = words.into();
        }
        Ok(answer)
    }
}

/// A number in the words of its field, where it has them.
fn words(number: &Value, kind: Option<Kind>) -> Option<String> {
    let number = number.as_f64()?;
    match kind {
        Some(Kind::Date) => Some(date_text(number as i64)),
        Some(Kind::Boolean) => Some((number != 0.0).to_string()),
        _ => None,
    }
}
