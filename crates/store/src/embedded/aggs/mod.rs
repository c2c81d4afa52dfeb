//! Aggregations, with Elasticsearch's meaning and the shape of its answers.
//!
//! Each kind is read into an [`Aggregation`] and answered over a set of documents; one that makes buckets hands the documents
//! of each bucket to those that lie in it. All counts are exact, so that the errors which a server estimates are 0.

mod composite;
mod histogram;
mod metric;
mod terms;

use super::index::{Segment, Snapshot};
use super::mapping::Kind;
use super::query::Wanted;
use super::search::{Docs, HITS, HitsRequest, count_of, object};
use super::values::{Item, Reader, kind_of};
use crate::StoreError;
use composite::Composite;
use histogram::Histogram;
use metric::Metric;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use tantivy::DocId;
use terms::Terms;

/// How deep aggregations may lie in one another.
const DEEPEST: usize = 20;

/// How many buckets one search may make: Elasticsearch's `search.max_buckets`.
const MOST_BUCKETS: u64 = 65_536;

/// The aggregations of a request, by name.
pub(crate) type Aggregations = Vec<(String, Aggregation)>;

/// One aggregation.
pub(crate) struct Aggregation {
    kind: Of,
    /// Those that lie in its buckets.
    inner: Aggregations,
    /// Where it stands in the request.
    at: String,
}

enum Of {
    Terms(Terms),
    Histogram(Histogram),
    Composite(Composite),
    Metric(Metric),
    Filter(Wanted),
    Filters(Filters),
    Missing(String),
    TopHits(HitsRequest),
}

struct Filters {
    /// With their names, if they have any.
    filters: Vec<(Option<String>, Wanted)>,
    /// The name of the bucket for what no filter finds.
    other: Option<String>,
}

/// Reads aggregations.
pub(crate) fn read(json: &Value, at: &str) -> Result<Aggregations, StoreError> {
    read_at(json, at, 0)
}

fn read_at(json: &Value, at: &str, depth: usize) -> Result<Aggregations, StoreError> {
    if depth > DEEPEST {
        let reason = format!("more than {DEEPEST} aggregations in one another");
        return Err(StoreError::request(at, reason));
    }
    let mut aggregations = Vec::new();
    for (name, body) in object(json, at)? {
        let at = format!("{at}.{name}");
        let mut kind = None;
        let mut inner = Vec::new();
        for (key, value) in object(body, &at)? {
            let inside = format!("{at}.{key}");
            if matches!(&**key, "aggs" | "aggregations") {
                inner = read_at(value, &inside, depth + 1)?;
                continue;
            }
            if kind.is_some() {
                return Err(StoreError::request(inside, "one aggregation has one kind"));
            }
            kind = Some((read_kind(key, value, &inside)?, inside));
        }
        let (kind, at) = kind.ok_or_else(|| StoreError::request(at, "the kind is missing"))?;
        if matches!(kind, Of::Metric(_) | Of::TopHits(_)) && !inner.is_empty() {
            let reason = "nothing can lie in an aggregation that has no buckets";
            return Err(StoreError::request(at, reason));
        }
        aggregations.push((name.clone(), Aggregation { kind, inner, at }));
    }
    Ok(aggregations)
}

fn read_kind(name: &str, json: &Value, at: &str) -> Result<Of, StoreError> {
    if let Some(of) = metric::OF.iter().find(|(known, _)| *known == name) {
        return Ok(Of::Metric(Metric::read(of.1, json, at)?));
    }
    Ok(match name {
        "terms" => Of::Terms(Terms::read(json, at)?),
        "date_histogram" => Of::Histogram(Histogram::read(json, at)?),
        "composite" => Of::Composite(Composite::read(json, at)?),
        "filter" => Of::Filter(Wanted::new(Some(json))),
        "filters" => Of::Filters(Filters::read(json, at)?),
        "missing" => {
            let parameters = Parameters::read(json, at, &["field"])?;
            Of::Missing(parameters.field()?)
        }
        "top_hits" => {
            let parameters = Parameters::read(json, at, &HITS)?;
            Of::TopHits(HitsRequest::read(parameters.members, at, 3)?)
        }
        _ => {
            return Err(StoreError::request(
                at,
                format!("the aggregation `{name}` is not supported"),
            ));
        }
    })
}

/// The parameters of an aggregation.
struct Parameters<'j> {
    members: &'j Map<String, Value>,
    at: String,
}

impl<'j> Parameters<'j> {
    fn read(json: &'j Value, at: &str, known: &[&str]) -> Result<Parameters<'j>, StoreError> {
        let members = object(json, at)?;
        if let Some(key) = members.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(StoreError::request(
                format!("{at}.{key}"),
                "this is not supported",
            ));
        }
        let at = at.to_owned();
        Ok(Parameters { members, at })
    }

    fn get(&self, key: &str) -> Option<&'j Value> {
        self.members.get(key)
    }

    fn wrong(&self, key: &str, reason: &str) -> StoreError {
        StoreError::request(format!("{}.{key}", self.at), reason)
    }

    fn text(&self, key: &str) -> Result<Option<String>, StoreError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(key, "expected a string")),
        }
    }

    fn field(&self) -> Result<String, StoreError> {
        let field = self.text("field")?;
        field.ok_or_else(|| self.wrong("field", "the field is missing"))
    }

    fn number(&self, key: &str, default: u64) -> Result<u64, StoreError> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => {
                let number = value.as_u64();
                number.ok_or_else(|| self.wrong(key, "expected a number that is not negative"))
            }
        }
    }
}

impl Filters {
    fn read(json: &Value, at: &str) -> Result<Filters, StoreError> {
        let parameters =
            Parameters::read(json, at, &["filters", "other_bucket", "other_bucket_key"])?;
        let filters = match parameters.get("filters") {
            Some(Value::Object(filters)) => filters
                .iter()
                .map(|(name, query)| (Some(name.clone()), Wanted::new(Some(query))))
                .collect(),
            Some(Value::Array(filters)) => filters
                .iter()
                .map(|query| (None, Wanted::new(Some(query))))
                .collect(),
            _ => return Err(parameters.wrong("filters", "expected an object or a list of queries")),
        };
        let key = parameters.text("other_bucket_key")?;
        let has_other = parameters.get("other_bucket") == Some(&Value::Bool(true));
        let other = key.or_else(|| has_other.then(|| "_other_".to_owned()));
        Ok(Filters { filters, other })
    }
}

/// What is done with the values of one document, given the number of its segment and its place there.
type Visit<'v> = dyn FnMut(usize, DocId, &[Item]) -> Result<(), StoreError> + 'v;

/// What answers aggregations.
struct Answerer<'s> {
    snapshots: &'s [Arc<Snapshot>],
    segments: &'s [Segment<'s>],
    buckets: Cell<u64>,
}

/// Answers aggregations over some documents.
pub(crate) fn answer(
    aggregations: &Aggregations,
    snapshots: &[Arc<Snapshot>],
    segments: &[Segment<'_>],
    docs: &Docs,
) -> Result<Value, StoreError> {
    let answerer = Answerer {
        snapshots,
        segments,
        buckets: Cell::new(0),
    };
    answerer.all(aggregations, docs).map(Value::Object)
}

impl Answerer<'_> {
    fn all(
        &self,
        aggregations: &Aggregations,
        docs: &Docs,
    ) -> Result<Map<String, Value>, StoreError> {
        let answers = aggregations.iter();
        answers
            .map(|(name, aggregation)| Ok((name.clone(), self.one(aggregation, docs)?)))
            .collect()
    }

    fn one(&self, aggregation: &Aggregation, docs: &Docs) -> Result<Value, StoreError> {
        let Aggregation { kind, inner, at } = aggregation;
        match kind {
            Of::Terms(terms) => terms.answer(self, inner, docs, at),
            Of::Histogram(histogram) => histogram.answer(self, inner, docs, at),
            Of::Composite(composite) => composite.answer(self, inner, docs, at),
            Of::Metric(metric) => metric.answer(self, docs, at),
            Of::Filter(wanted) => {
                let found = self.filtered(wanted, docs)?;
                self.bucket(Map::new(), inner, &found, at)
                    .map(Value::Object)
            }
            Of::Filters(filters) => self.filters(filters, inner, docs, at),
            Of::Missing(field) => {
                self.check(field, at)?;
                let found = self.each(field, docs, |items| items.is_empty())?;
                self.bucket(Map::new(), inner, &found, at)
                    .map(Value::Object)
            }
            Of::TopHits(request) => {
                let hits = request.hits(self.segments, docs)?;
                // Its parts are strings, numbers and JSON already.
                let hits = serde_json::to_value(hits).unwrap_or_default();
                let total = json!({"value": count_of(docs), "relation": "eq"});
                Ok(json!({"hits": {"total": total, "max_score": null, "hits": hits}}))
            }
        }
    }

    /// A bucket with these documents.
    fn bucket(
        &self,
        mut key: Map<String, Value>,
        inner: &Aggregations,
        docs: &Docs,
        at: &str,
    ) -> Result<Map<String, Value>, StoreError> {
        self.count_bucket(at)?;
        key.insert("doc_count".to_owned(), count_of(docs).into());
        key.extend(self.all(inner, docs)?);
        Ok(key)
    }

    fn count_bucket(&self, at: &str) -> Result<(), StoreError> {
        self.buckets.set(self.buckets.get() + 1);
        if self.buckets.get() > MOST_BUCKETS {
            let reason = format!("more than {MOST_BUCKETS} buckets");
            return Err(StoreError::request(at, reason));
        }
        Ok(())
    }

    fn filters(
        &self,
        filters: &Filters,
        inner: &Aggregations,
        docs: &Docs,
        at: &str,
    ) -> Result<Value, StoreError> {
        let mut rest: Vec<std::collections::BTreeSet<DocId>> = match filters.other {
            Some(_) => docs
                .iter()
                .map(|docs| docs.iter().copied().collect())
                .collect(),
            None => Vec::new(),
        };
        let mut named = Map::new();
        let mut listed = Vec::new();
        for (name, wanted) in &filters.filters {
            let found = self.filtered(wanted, docs)?;
            for (rest, found) in rest.iter_mut().zip(&found) {
                rest.retain(|doc| found.binary_search(doc).is_err());
            }
            let bucket = Value::Object(self.bucket(Map::new(), inner, &found, at)?);
            match name {
                Some(name) => drop(named.insert(name.clone(), bucket)),
                None => listed.push(bucket),
            }
        }
        let is_named = filters.filters.iter().any(|(name, _)| name.is_some());
        if let Some(name) = &filters.other {
            let rest: Docs = rest
                .into_iter()
                .map(|docs| docs.into_iter().collect())
                .collect();
            let bucket = Value::Object(self.bucket(Map::new(), inner, &rest, at)?);
            match is_named {
                true => drop(named.insert(name.clone(), bucket)),
                false => listed.push(bucket),
            }
        }
        Ok(match is_named {
            true => json!({"buckets": named}),
            false => json!({"buckets": listed}),
        })
    }

    /// Those of the documents that a query finds.
    fn filtered(&self, wanted: &Wanted, docs: &Docs) -> Result<Docs, StoreError> {
        let mut found = Vec::with_capacity(docs.len());
        let mut docs = docs.iter();
        for snapshot in self.snapshots {
            for mut set in wanted.select(snapshot)? {
                let mut own = super::select::Set::none(set.size());
                docs.next()
                    .into_iter()
                    .flatten()
                    .for_each(|doc| own.insert(*doc));
                set.and(&own);
                found.push(set.iter().collect());
            }
        }
        Ok(found)
    }

    /// The kind of a field; none if no index has it.
    fn check(&self, field: &str, at: &str) -> Result<Option<Kind>, StoreError> {
        let mut known: Option<Kind> = None;
        for snapshot in self.snapshots {
            let kind =
                kind_of(snapshot, field).map_err(|reason| StoreError::request(at, reason))?;
            let Some(kind) = kind else {
                continue;
            };
            let is_text = |kind: Kind| matches!(kind, Kind::String | Kind::Ip);
            if known.is_some_and(|known| is_text(known) != is_text(kind)) {
                let reason =
                    format!("`{field}` is a number in some of the indices and a text in others");
                return Err(StoreError::request(at, reason));
            }
            known = Some(kind);
        }
        Ok(known)
    }

    fn readers(&self, field: &str) -> Result<Vec<Option<Reader<'_>>>, StoreError> {
        let segments = self.segments.iter();
        segments
            .map(|segment| Reader::open(*segment, field))
            .collect()
    }

    /// Visits the values of each document: each once, in their order.
    fn visit(
        &self,
        field: &str,
        docs: &Docs,
        distinct: bool,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let mut items = Vec::new();
        for (segment, (reader, docs)) in self.readers(field)?.iter().zip(docs).enumerate() {
            for doc in docs {
                items.clear();
                if let Some(reader) = reader {
                    reader.values(*doc, distinct, &mut items)?;
                }
                visit(segment, *doc, &items)?;
            }
        }
        Ok(())
    }

    /// The documents whose values are like this.
    fn each(
        &self,
        field: &str,
        docs: &Docs,
        is_wanted: impl Fn(&[Item]) -> bool,
    ) -> Result<Docs, StoreError> {
        let mut found: Docs = vec![Vec::new(); docs.len()];
        self.visit(field, docs, true, &mut |segment, doc, items| {
            if is_wanted(items) {
                found[segment].push(doc);
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// The documents of each bucket.
struct Parts<K> {
    docs: BTreeMap<K, Docs>,
    segments: usize,
}

impl<K: Ord> Parts<K> {
    fn new(segments: usize) -> Parts<K> {
        let docs = BTreeMap::new();
        Parts { docs, segments }
    }

    fn add(&mut self, key: K, segment: usize, doc: DocId) {
        let empty = || vec![Vec::new(); self.segments];
        let docs = &mut self.docs.entry(key).or_insert_with(empty)[segment];
        if docs.last() != Some(&doc) {
            docs.push(doc);
        }
    }
}

/// What a bucket is called.
fn key(item: &Item) -> Map<String, Value> {
    let mut key = Map::new();
    key.insert("key".to_owned(), item.json());
    if let Some(words) = item.words() {
        key.insert("key_as_string".to_owned(), words.into());
    }
    key
}
