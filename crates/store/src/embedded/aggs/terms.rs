//! `terms`: a bucket for each distinct value.

use super::metric::What;
use super::{Aggregations, Answerer, Of, Parameters, Parts, key};
use crate::StoreError;
use crate::embedded::mapping::Kind;
use crate::embedded::search::Docs;
use crate::embedded::values::Item;
use event::Event;
use jiff::Timestamp;
use predicate::Predicate;
use query::Schema;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Terms {
    field: String,
    size: usize,
    order: Vec<(Order, bool)>,
    missing: Option<Value>,
    include: Option<Names>,
    exclude: Option<Names>,
    min_doc_count: u64,
}

/// What buckets are ordered by.
enum Order {
    Count,
    Key,
    /// The number of an aggregation in the bucket, and which of its numbers.
    Inner(String, String),
}

/// The values that get a bucket, or do not.
enum Names {
    These(Vec<Value>),
    Like(Predicate),
}

impl Terms {
    pub(super) fn read(json: &Value, at: &str) -> Result<Terms, StoreError> {
        // What says how a server counts across shards, which means nothing where all counts are exact.
        let known = [
            "field",
            "size",
            "order",
            "missing",
            "include",
            "exclude",
            "min_doc_count",
            "shard_size",
            "show_term_doc_count_error",
            "execution_hint",
            "collect_mode",
        ];
        let parameters = Parameters::read(json, at, &known)?;
        let size = parameters.number("size", 10)? as usize;
        let min_doc_count = parameters.number("min_doc_count", 1)?;
        if size == 0 || min_doc_count == 0 {
            let name = if size == 0 { "size" } else { "min_doc_count" };
            return Err(parameters.wrong(name, "has to be at least 1"));
        }
        let names = |name: &str| {
            let names = parameters.get(name);
            names
                .map(|names| Names::read(names, &format!("{at}.{name}")))
                .transpose()
        };
        Ok(Terms {
            field: parameters.field()?,
            size,
            order: match parameters.get("order") {
                None => vec![(Order::Count, true)],
                Some(order) => read_order(order, &format!("{at}.order"))?,
            },
            missing: parameters.get("missing").cloned(),
            include: names("include")?,
            exclude: names("exclude")?,
            min_doc_count,
        })
    }

    pub(super) fn answer(
        &self,
        answerer: &Answerer<'_>,
        inner: &Aggregations,
        docs: &Docs,
        at: &str,
    ) -> Result<Value, StoreError> {
        let kind = answerer.check(&self.field, at)?.unwrap_or(Kind::String);
        let named = [("include", &self.include), ("exclude", &self.exclude)];
        for (name, names) in named {
            if matches!(names, Some(Names::Like(_))) && kind != Kind::String {
                let reason = "a regular expression is only for texts: a list of values is needed";
                return Err(StoreError::request(format!("{at}.{name}"), reason));
            }
        }
        let missing = self.missing.as_ref().map(|value| {
            let wrong = || {
                StoreError::request(
                    format!("{at}.missing"),
                    format!("{value} is no value of the field"),
                )
            };
            Item::read(value, kind).ok_or_else(wrong)
        });
        let missing = missing.transpose()?;
        let mut counts: Vec<(Item, u64)> = self
            .count(answerer, docs, missing.as_ref())?
            .into_iter()
            .collect();
        let is_wanted = |item: &Item| {
            let is_in = |names: &Names| names.have(item, kind);
            self.include.as_ref().is_none_or(is_in) && !self.exclude.as_ref().is_some_and(is_in)
        };
        counts.retain(|(item, count)| *count >= self.min_doc_count && is_wanted(item));
        let total: u64 = counts.iter().map(|(_, count)| count).sum();
        let by_inner = self
            .order
            .iter()
            .any(|(order, _)| matches!(order, Order::Inner(..)));
        if !by_inner {
            counts.sort_by(|a, b| self.compare(a, b, &mut |_, _, _| Ordering::Equal));
            counts.truncate(self.size);
        }
        let mut buckets: Vec<((Item, u64), serde_json::Map<String, Value>)> = Vec::new();
        if inner.is_empty() {
            for (item, count) in counts {
                answerer.count_bucket(at)?;
                let mut bucket = key(&item);
                bucket.insert("doc_count".to_owned(), count.into());
                buckets.push(((item, count), bucket));
            }
        } else {
            let chosen: BTreeSet<&Item> = counts.iter().map(|(item, _)| item).collect();
            let mut parts: Parts<Item> = Parts::new(docs.len());
            answerer.visit(&self.field, docs, true, &mut |segment, doc, items| {
                let items = match (items, &missing) {
                    ([], Some(missing)) => std::slice::from_ref(missing),
                    (items, _) => items,
                };
                for item in items.iter().filter(|item| chosen.contains(item)) {
                    parts.add(item.clone(), segment, doc);
                }
                Ok(())
            })?;
            for (item, count) in &counts {
                let docs = parts.docs.get(item).cloned().unwrap_or_default();
                let bucket = answerer.bucket(key(item), inner, &docs, at)?;
                buckets.push(((item.clone(), *count), bucket));
            }
        }
        if by_inner {
            for (order, _) in &self.order {
                if let Order::Inner(name, number) = order
                    && let Some((_, bucket)) = buckets.first()
                    && bucket
                        .get(name)
                        .and_then(|inner| inner.get(number))
                        .is_none()
                {
                    let reason = format!("there is no number `{name}.{number}` to order by");
                    return Err(StoreError::request(format!("{at}.order"), reason));
                }
            }
            buckets.sort_by(|(a, first), (b, second)| {
                self.compare(a, b, &mut |name, number, is_descending| {
                    let empty = of_nothing(inner, name, number, is_descending);
                    let number = |bucket: &serde_json::Map<String, Value>| {
                        bucket[name][number].as_f64().unwrap_or(empty)
                    };
                    number(first).total_cmp(&number(second))
                })
            });
            buckets.truncate(self.size);
        }
        let shown: u64 = buckets.iter().map(|((_, count), _)| count).sum();
        let buckets: Vec<Value> = buckets
            .into_iter()
            .map(|(_, bucket)| Value::Object(bucket))
            .collect();
        Ok(json!({
            "doc_count_error_upper_bound": 0,
            "sum_other_doc_count": total - shown,
            "buckets": buckets
        }))
    }

    /// How many documents have each value.
    fn count(
        &self,
        answerer: &Answerer<'_>,
        docs: &Docs,
        missing: Option<&Item>,
    ) -> Result<BTreeMap<Item, u64>, StoreError> {
        let mut counts: BTreeMap<Item, u64> = BTreeMap::new();
        let mut items = Vec::new();
        for (reader, docs) in answerer.readers(&self.field)?.iter().zip(docs) {
            let at_once = reader
                .as_ref()
                .and_then(|reader| reader.count_texts(&mut docs.iter().copied()));
            if let Some(counted) = at_once {
                for (text, count) in counted.texts {
                    *counts.entry(Item::Text(text)).or_default() += count;
                }
                if let Some(missing) = missing.filter(|_| counted.without > 0) {
                    *counts.entry(missing.clone()).or_default() += counted.without;
                }
                continue;
            }
            for doc in docs {
                items.clear();
                if let Some(reader) = reader {
                    reader.values(*doc, true, &mut items)?;
                }
                if items.is_empty() {
                    items.extend(missing.cloned());
                }
                for item in items.drain(..) {
                    *counts.entry(item).or_default() += 1;
                }
            }
        }
        Ok(counts)
    }

    fn compare(
        &self,
        a: &(Item, u64),
        b: &(Item, u64),
        inner: &mut dyn FnMut(&str, &str, bool) -> Ordering,
    ) -> Ordering {
        let mut result = Ordering::Equal;
        for (order, is_descending) in &self.order {
            let order = match order {
                Order::Count => a.1.cmp(&b.1),
                Order::Key => a.0.cmp(&b.0),
                Order::Inner(name, number) => inner(name, number, *is_descending),
            };
            let order = if *is_descending {
                order.reverse()
            } else {
                order
            };
            result = result.then(order);
        }
        result.then_with(|| a.0.cmp(&b.0))
    }
}

/// Where a bucket comes in which there is nothing to make a number of: the least number of nothing is infinite, the greatest is
/// so below zero, and what has no mean comes last.
fn of_nothing(inner: &Aggregations, name: &str, number: &str, is_descending: bool) -> f64 {
    let what = inner
        .iter()
        .find_map(|(own, aggregation)| match &aggregation.kind {
            Of::Metric(metric) if own == name => Some(metric.what),
            _ => None,
        });
    match (what, number) {
        (Some(What::Min), _) | (_, "min") => f64::INFINITY,
        (Some(What::Max), _) | (_, "max") => f64::NEG_INFINITY,
        _ if is_descending => f64::NEG_INFINITY,
        _ => f64::INFINITY,
    }
}

fn read_order(json: &Value, at: &str) -> Result<Vec<(Order, bool)>, StoreError> {
    let list = match json {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let mut orders = Vec::new();
    for order in list {
        let members = super::object(order, at)?;
        for (name, direction) in members {
            let is_descending = match direction.as_str() {
                Some("asc") => false,
                Some("desc") => true,
                _ => return Err(StoreError::request(at, "expected `asc` or `desc`")),
            };
            let order = match name.as_str() {
                "_count" => Order::Count,
                "_key" => Order::Key,
                name if name.contains('>') => {
                    return Err(StoreError::request(
                        at,
                        "ordering by what lies deeper is not supported",
                    ));
                }
                name => match name.split_once('.') {
                    Some((name, number)) => Order::Inner(name.to_owned(), number.to_owned()),
                    None => Order::Inner(name.to_owned(), "value".to_owned()),
                },
            };
            orders.push((order, is_descending));
        }
    }
    Ok(orders)
}

impl Names {
    fn read(json: &Value, at: &str) -> Result<Names, StoreError> {
        match json {
            Value::Array(values) => Ok(Names::These(values.clone())),
            Value::String(_) => {
                // A regular expression of Lucene's, as a query on a keyword has it.
                let schema = json!({"properties": {"f": {"type": "keyword"}}});
                let schema = Schema::from_json(&schema);
                let schema = schema.map_err(|error| StoreError::request(at, error.to_string()))?;
                let query = json!({"regexp": {"f": json}});
                let read = query::read(&query, &schema, Timestamp::UNIX_EPOCH);
                let read =
                    read.map_err(|error| StoreError::request(at, error.problem.to_string()))?;
                Ok(Names::Like(read))
            }
            _ => Err(StoreError::request(
                at,
                "expected a regular expression or a list of values",
            )),
        }
    }

    fn have(&self, item: &Item, kind: Kind) -> bool {
        match self {
            Names::These(values) => values
                .iter()
                .any(|value| Item::read(value, kind).as_ref() == Some(item)),
            Names::Like(predicate) => {
                let text = json!({"f": item.json()}).to_string();
                Event::parse(text.as_bytes()).is_ok_and(|event| predicate.matches(&event))
            }
        }
    }
}
