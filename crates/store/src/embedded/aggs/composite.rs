//! `composite`: a bucket for each combination of values, page by page.

use super::histogram::Rounding;
use super::{Aggregations, Answerer, Parameters, Parts};
use crate::StoreError;
use crate::embedded::mapping::Kind;
use crate::embedded::search::Docs;
use crate::embedded::values::Item;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

pub(super) struct Composite {
    sources: Vec<Source>,
    size: usize,
    after: Option<Map<String, Value>>,
}

struct Source {
    name: String,
    field: String,
    /// How dates become spans of time.
    rounding: Option<Rounding>,
    is_descending: bool,
    /// Whether documents without a value have a bucket.
    has_missing: bool,
}

/// One value of a combination; none where the document has none.
type Part = Option<Item>;

impl Composite {
    pub(super) fn read(json: &Value, at: &str) -> Result<Composite, StoreError> {
        let parameters = Parameters::read(json, at, &["sources", "size", "after"])?;
        let Some(Value::Array(list)) = parameters.get("sources") else {
            return Err(parameters.wrong("sources", "expected a list"));
        };
        let mut sources = Vec::new();
        for (number, named) in list.iter().enumerate() {
            let at = format!("{at}.sources[{number}]");
            for (name, body) in super::object(named, &at)? {
                for (kind, body) in super::object(body, &at)? {
                    sources.push(Source::read(
                        name,
                        kind,
                        body,
                        &format!("{at}.{name}.{kind}"),
                    )?);
                }
            }
        }
        if sources.is_empty() {
            return Err(parameters.wrong("sources", "there has to be one"));
        }
        let after = match parameters.get("after") {
            None => None,
            Some(after) => Some(super::object(after, &format!("{at}.after"))?.clone()),
        };
        let size = parameters.number("size", 10)? as usize;
        if size == 0 {
            return Err(parameters.wrong("size", "has to be at least 1"));
        }
        Ok(Composite {
            sources,
            size,
            after,
        })
    }

    pub(super) fn answer(
        &self,
        answerer: &Answerer<'_>,
        inner: &Aggregations,
        docs: &Docs,
        at: &str,
    ) -> Result<Value, StoreError> {
        let mut kinds = Vec::new();
        for source in &self.sources {
            let kind = answerer.check(&source.field, at)?.unwrap_or(Kind::String);
            if source.rounding.is_some() && !matches!(kind, Kind::Date | Kind::String) {
                return Err(StoreError::request(
                    at,
                    format!("`{}` is no date", source.field),
                ));
            }
            kinds.push(kind);
        }
        let after = self.after_key(&kinds, at)?;
        // The parts of each document, source by source.
        let mut found: Vec<Vec<Vec<Part>>> = Vec::new();
        let mut places = Vec::new();
        for source in &self.sources {
            let mut column = Vec::new();
            places.clear();
            answerer.visit(&source.field, docs, true, &mut |segment, doc, items| {
                let mut parts: Vec<Part> =
                    items.iter().map(|item| Some(source.part(item))).collect();
                parts.dedup();
                if parts.is_empty() && source.has_missing {
                    parts.push(None);
                }
                column.push(parts);
                places.push((segment, doc));
                Ok(())
            })?;
            found.push(column);
        }
        let mut parts: Parts<Vec<Part>> = Parts::new(docs.len());
        for (number, (segment, doc)) in places.iter().enumerate() {
            let mut keys: Vec<Vec<Part>> = vec![Vec::new()];
            for column in &found {
                let longer = keys.iter().flat_map(|key| {
                    column[number].iter().map(move |part| {
                        let mut key = key.clone();
                        key.push(part.clone());
                        key
                    })
                });
                keys = longer.collect();
            }
            for key in keys {
                let is_behind = |after: &Vec<Part>| self.compare(&key, after) == Ordering::Greater;
                if after.as_ref().is_none_or(is_behind) {
                    parts.add(key, *segment, *doc);
                }
            }
        }
        let mut chosen: Vec<(Vec<Part>, Docs)> = parts.docs.into_iter().collect();
        chosen.sort_by(|(a, _), (b, _)| self.compare(a, b));
        chosen.truncate(self.size);
        let mut buckets = Vec::new();
        for (parts, docs) in &chosen {
            let mut key = Map::new();
            key.insert("key".to_owned(), self.key(parts));
            buckets.push(Value::Object(answerer.bucket(key, inner, docs, at)?));
        }
        let mut answer = json!({"buckets": buckets});
        if let Some((last, _)) = chosen.last() {
            answer["after_key"] = self.key(last);
        }
        Ok(answer)
    }

    fn after_key(&self, kinds: &[Kind], at: &str) -> Result<Option<Vec<Part>>, StoreError> {
        let Some(after) = &self.after else {
            return Ok(None);
        };
        let mut parts = Vec::new();
        for (source, kind) in self.sources.iter().zip(kinds) {
            let wrong =
                |reason: &str| StoreError::request(format!("{at}.after.{}", source.name), reason);
            parts.push(match after.get(&source.name) {
                None => return Err(wrong("the value is missing")),
                Some(Value::Null) => None,
                Some(value) => {
                    Some(Item::read(value, *kind).ok_or_else(|| wrong("no value of the field"))?)
                }
            });
        }
        Ok(Some(parts))
    }

    fn compare(&self, a: &[Part], b: &[Part]) -> Ordering {
        let parts = self.sources.iter().zip(a.iter().zip(b));
        parts.fold(Ordering::Equal, |order, (source, (a, b))| {
            order.then_with(|| match source.is_descending {
                true => b.cmp(a),
                false => a.cmp(b),
            })
        })
    }

    fn key(&self, parts: &[Part]) -> Value {
        let members = self.sources.iter().zip(parts).map(|(source, part)| {
            let value = match part {
                None => Value::Null,
                Some(Item::Boolean(value)) => Value::Bool(*value),
                Some(item) => item.json(),
            };
            (source.name.clone(), value)
        });
        Value::Object(members.collect())
    }
}

impl Source {
    fn read(name: &str, kind: &str, json: &Value, at: &str) -> Result<Source, StoreError> {
        let known: &[&str] = match kind {
            "terms" => &["field", "order", "missing_bucket"],
            "date_histogram" => &[
                "field",
                "order",
                "missing_bucket",
                "fixed_interval",
                "calendar_interval",
                "time_zone",
            ],
            _ => {
                return Err(StoreError::request(
                    at,
                    format!("the source `{kind}` is not supported"),
                ));
            }
        };
        let parameters = Parameters::read(json, at, known)?;
        let is_descending = match parameters.text("order")?.as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(parameters.wrong("order", "expected `asc` or `desc`")),
        };
        Ok(Source {
            name: name.to_owned(),
            field: parameters.field()?,
            rounding: match kind {
                "terms" => None,
                _ => Some(Rounding::read(&parameters)?),
            },
            is_descending,
            has_missing: parameters.get("missing_bucket") == Some(&Value::Bool(true)),
        })
    }

    fn part(&self, item: &Item) -> Item {
        match (item, &self.rounding) {
            (Item::Date(millis), Some(rounding)) => Item::Date(rounding.round(*millis)),
            (item, _) => item.clone(),
        }
    }
}
