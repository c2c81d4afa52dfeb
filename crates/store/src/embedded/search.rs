//! Searches: what is found, in which order, and which part of it is given.

use super::aggs;
use super::index::{Segment, Snapshot};
use super::mapping::Kind;
use super::query::{Selected, Wanted};
use super::source::Filter;
use super::values::{Item, Reader, kind_of};
use crate::{Hits, MAX_HITS, Relation, SearchHit, SearchResponse, Shards, StoreError, Total};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Instant;
use tantivy::DocId;

const SINGLE: Kind = Kind::Float { is_single: true };

/// Up to how many documents are counted unless all of them are to be.
const COUNTED: u64 = 10_000;

/// Answers a search.
pub(crate) fn search(
    snapshots: &[Arc<Snapshot>],
    request: &Value,
) -> Result<SearchResponse, StoreError> {
    let start = Instant::now();
    let members = object(request, "$")?;
    let mut aggregations = None;
    let mut tracked = Some(COUNTED);
    for (key, value) in members {
        let at = format!("$.{key}");
        match &**key {
            "aggs" | "aggregations" => aggregations = Some(aggs::read(value, &at)?),
            "track_total_hits" => {
                tracked = match value {
                    Value::Bool(true) => Some(u64::MAX),
                    Value::Bool(false) => None,
                    value => {
                        let wrong = || StoreError::request(&at, "expected true, false or a number");
                        Some(value.as_u64().ok_or_else(wrong)?)
                    }
                }
            }
            "query" | "timeout" => {}
            key if HITS.contains(&key) => {}
            _ => return Err(StoreError::request(at, "this is not supported")),
        }
    }
    let page = HitsRequest::read(members, "$", 10)?;
    let wanted = Wanted::new(members.get("query"));
    let selected: Vec<Selected> = snapshots
        .iter()
        .map(|snapshot| wanted.select(snapshot))
        .collect::<Result<_, _>>()?;
    let segments: Vec<Segment<'_>> = snapshots
        .iter()
        .flat_map(|snapshot| snapshot.segments())
        .collect();
    let docs: Docs = selected
        .iter()
        .flatten()
        .map(|set| set.iter().collect())
        .collect();
    let found = count_of(&docs);
    let hits = page.hits(&segments, &docs)?;
    let aggregations = aggregations
        .map(|aggregations| aggs::answer(&aggregations, snapshots, &segments, &docs))
        .transpose()?;
    let total = tracked.map(|most| Total {
        value: found.min(most),
        relation: if found > most {
            Relation::Gte
        } else {
            Relation::Eq
        },
    });
    let shards = Shards {
        total: snapshots.len(),
        successful: snapshots.len(),
        skipped: 0,
        failed: 0,
    };
    Ok(SearchResponse {
        took: start.elapsed().as_millis() as u64,
        timed_out: false,
        shards,
        hits: Hits {
            total,
            max_score: None,
            hits,
        },
        aggregations,
    })
}

/// How many documents a request `{"query": …}`, or a query alone, finds.
pub(crate) fn count(snapshots: &[Arc<Snapshot>], query: &Value) -> Result<u64, StoreError> {
    let members = object(query, "$")?;
    let query = match members.get("query") {
        Some(query) if members.len() == 1 => Some(query),
        _ if members.is_empty() => None,
        _ => Some(query),
    };
    let wanted = Wanted::new(query);
    let mut count = 0;
    for snapshot in snapshots {
        count += wanted
            .select(snapshot)?
            .iter()
            .map(|set| set.count())
            .sum::<u64>();
    }
    Ok(count)
}

/// Documents, for each segment.
pub(crate) type Docs = Vec<Vec<DocId>>;

pub(crate) fn count_of(docs: &Docs) -> u64 {
    docs.iter().map(|docs| docs.len() as u64).sum()
}

pub(crate) fn object<'j>(json: &'j Value, at: &str) -> Result<&'j Map<String, Value>, StoreError> {
    json.as_object()
        .ok_or_else(|| StoreError::request(at, "expected an object"))
}

/// What a request says of the hits that it wants.
pub(crate) const HITS: [&str; 7] = [
    "from",
    "size",
    "sort",
    "search_after",
    "_source",
    "version",
    "seq_no_primary_term",
];

/// Which hits are wanted, and what of them.
#[derive(Debug)]
pub(crate) struct HitsRequest {
    from: usize,
    size: usize,
    sort: Vec<Sort>,
    after: Option<Vec<Value>>,
    source: Filter,
    version: bool,
    seq_no: bool,
    at: String,
}

/// One of the things that hits are sorted by.
#[derive(Clone, Debug)]
struct Sort {
    by: By,
    is_descending: bool,
    missing: Missing,
    /// Which of several values counts; otherwise the one that comes first.
    mode: Option<Mode>,
    may_be_unmapped: bool,
    at: String,
}

#[derive(Clone, Debug)]
enum By {
    Field(String),
    /// The order of writing.
    Written,
    /// All are equal.
    Score,
}

#[derive(Clone, Debug)]
enum Missing {
    Last,
    First,
    Value(Value),
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Min,
    Max,
}

/// What one document is sorted by: before or behind all values, or with one.
type Key = (i8, Option<Item>);

/// A document, and what it is sorted by.
struct Place {
    keys: Vec<Key>,
    /// Where documents come that are equal.
    tie: (usize, u64),
    segment: usize,
    doc: DocId,
}

impl HitsRequest {
    /// Reads it out of the members of a request; whoever calls has seen to it that there are no unknown ones.
    pub(crate) fn read(
        members: &Map<String, Value>,
        at: &str,
        size: usize,
    ) -> Result<HitsRequest, StoreError> {
        let number = |key: &str, default: usize| match members.get(key) {
            None => Ok(default),
            Some(value) => {
                let number = value
                    .as_u64()
                    .and_then(|number| usize::try_from(number).ok());
                let wrong = || StoreError::request(format!("{at}.{key}"), "expected a number");
                number.ok_or_else(wrong)
            }
        };
        let flag = |key: &str| match members.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(StoreError::request(
                format!("{at}.{key}"),
                "expected true or false",
            )),
        };
        let (from, size) = (number("from", 0)?, number("size", size)?);
        if from.saturating_add(size) > MAX_HITS {
            let reason =
                format!("`from` and `size` together are more than {MAX_HITS}: use `search_after`");
            return Err(StoreError::request(format!("{at}.size"), reason));
        }
        let sort = match members.get("sort") {
            None => Vec::new(),
            Some(sort) => read_sorts(sort, &format!("{at}.sort"))?,
        };
        let after = match members.get("search_after") {
            None => None,
            Some(Value::Array(after))
                if after.len() == sort.len() && from == 0 && !sort.is_empty() =>
            {
                Some(after.clone())
            }
            Some(_) => {
                let reason = "expected as many values as there are in `sort`, and no `from`";
                return Err(StoreError::request(format!("{at}.search_after"), reason));
            }
        };
        Ok(HitsRequest {
            from,
            size,
            sort,
            after,
            source: Filter::read(members.get("_source"), &format!("{at}._source"))?,
            version: flag("version")?,
            seq_no: flag("seq_no_primary_term")?,
            at: at.to_owned(),
        })
    }

    /// The hits among some documents.
    pub(crate) fn hits(
        &self,
        segments: &[Segment<'_>],
        docs: &Docs,
    ) -> Result<Vec<SearchHit>, StoreError> {
        let wanted = self.from + self.size;
        if self.size == 0 {
            return Ok(Vec::new());
        }
        let mut places: Vec<Place> = Vec::new();
        let mut after: Option<Vec<Key>> = None;
        let mut kinds: Vec<Vec<Kind>> = Vec::new();
        for (number, (segment, docs)) in segments.iter().zip(docs).enumerate() {
            let sorters: Vec<Sorter<'_>> = self
                .sort
                .iter()
                .map(|sort| Sorter::open(sort, *segment))
                .collect::<Result<_, _>>()?;
            kinds.push(sorters.iter().map(|sorter| sorter.kind).collect());
            if let Some(values) = &self.after {
                after = Some(self.after_keys(values, &sorters)?);
            }
            let seq_nos = segment.seq_nos();
            let index = segments[..number]
                .iter()
                .filter(|other| other.snapshot.name < segment.snapshot.name)
                .count();
            for doc in docs {
                let seq_no = seq_nos.first(*doc).unwrap_or(0);
                let keys: Vec<Key> = sorters
                    .iter()
                    .map(|sorter| sorter.key(*doc, seq_no))
                    .collect::<Result<_, _>>()?;
                if let Some(after) = &after
                    && self.compare(&keys, after) != Ordering::Greater
                {
                    continue;
                }
                places.push(Place {
                    keys,
                    tie: (index, seq_no),
                    segment: number,
                    doc: *doc,
                });
                if places.len() >= 2 * wanted + 1_000 {
                    self.keep_first(&mut places, wanted);
                }
            }
        }
        self.keep_first(&mut places, wanted);
        places.sort_by(|a, b| self.order(a, b));
        places
            .iter()
            .skip(self.from)
            .map(|place| self.hit(segments, place, &kinds[place.segment]))
            .collect()
    }

    fn keep_first(&self, places: &mut Vec<Place>, wanted: usize) {
        if places.len() > wanted {
            places.select_nth_unstable_by(wanted, |a, b| self.order(a, b));
            places.truncate(wanted);
        }
    }

    fn order(&self, a: &Place, b: &Place) -> Ordering {
        let by_keys = self.compare(&a.keys, &b.keys);
        by_keys.then_with(|| a.tie.cmp(&b.tie))
    }

    fn compare(&self, a: &[Key], b: &[Key]) -> Ordering {
        let sorts = self.sort.iter().zip(a.iter().zip(b));
        sorts.fold(Ordering::Equal, |order, (sort, (a, b))| {
            order.then_with(|| {
                let by_value = match sort.is_descending {
                    true => b.1.cmp(&a.1),
                    false => a.1.cmp(&b.1),
                };
                a.0.cmp(&b.0).then(by_value)
            })
        })
    }

    fn after_keys(&self, values: &[Value], sorters: &[Sorter<'_>]) -> Result<Vec<Key>, StoreError> {
        let keys = values.iter().zip(sorters).enumerate();
        let keys = keys.map(|(number, (value, sorter))| {
            if value.is_null() {
                return Ok(sorter.sort.key(None, None));
            }
            let item = Item::read(value, sorter.kind);
            let item = item.ok_or_else(|| {
                let at = format!("{}.search_after[{number}]", self.at);
                StoreError::request(at, format!("{value} is no value of what is sorted by"))
            })?;
            Ok((0, Some(item)))
        });
        keys.collect()
    }

    fn hit(
        &self,
        segments: &[Segment<'_>],
        place: &Place,
        kinds: &[Kind],
    ) -> Result<SearchHit, StoreError> {
        let segment = segments[place.segment];
        let stored = segment.store()?.get(place.doc)?;
        let numbers = segment.numbers(place.doc);
        let sort = place.keys.iter().zip(kinds);
        Ok(SearchHit {
            index: segment.snapshot.name.clone(),
            id: stored.id,
            version: self.version.then_some(numbers.version),
            seq_no: self.seq_no.then_some(numbers.seq_no),
            primary_term: self.seq_no.then_some(1),
            score: None,
            source: self.source.apply(&stored.source),
            highlight: None,
            sort: sort
                .map(|((_, item), kind)| match item {
                    // Numbers of single precision are written as short as they are.
                    Some(Item::Float(number)) if *kind == SINGLE => {
                        let text = (*number as f32).to_string();
                        text.parse::<f64>().map_or(Value::Null, Value::from)
                    }
                    item => item.as_ref().map_or(Value::Null, Item::json),
                })
                .collect(),
        })
    }
}

impl Sort {
    /// The key of a document with this value.
    fn key(&self, item: Option<Item>, missing: Option<&Item>) -> Key {
        match (item.or_else(|| missing.cloned()), &self.missing) {
            (Some(item), _) => (0, Some(item)),
            (None, Missing::First) => (-1, None),
            (None, Missing::Last | Missing::Value(_)) => (1, None),
        }
    }
}

/// Finds the keys of one segment's documents.
struct Sorter<'s> {
    sort: &'s Sort,
    kind: Kind,
    reader: Option<Reader<'s>>,
    missing: Option<Item>,
}

impl<'s> Sorter<'s> {
    fn open(sort: &'s Sort, segment: Segment<'s>) -> Result<Sorter<'s>, StoreError> {
        let By::Field(name) = &sort.by else {
            return Ok(Sorter {
                sort,
                kind: Kind::Integer(i64::MIN, i64::MAX),
                reader: None,
                missing: None,
            });
        };
        let wrong = |reason: String| StoreError::request(&sort.at, reason);
        let kind = kind_of(segment.snapshot, name).map_err(wrong)?;
        if kind.is_none() && !sort.may_be_unmapped {
            let index = &segment.snapshot.name;
            return Err(wrong(format!("`{index}` has no field `{name}` to sort by")));
        }
        let kind = kind.unwrap_or(Kind::String);
        let missing = match &sort.missing {
            Missing::Value(value) => {
                let item = Item::read(value, kind);
                Some(item.ok_or_else(|| wrong(format!("{value} is no value of `{name}`")))?)
            }
            Missing::First | Missing::Last => None,
        };
        Ok(Sorter {
            sort,
            kind,
            reader: Reader::open(segment, name)?,
            missing,
        })
    }

    fn key(&self, doc: DocId, seq_no: u64) -> Result<Key, StoreError> {
        match self.sort.by {
            By::Written => return Ok((0, Some(Item::Integer(seq_no as i64)))),
            By::Score => return Ok((0, None)),
            By::Field(_) => {}
        }
        let mut items = Vec::new();
        if let Some(reader) = &self.reader {
            reader.values(doc, true, &mut items)?;
        }
        let takes_most = match self.sort.mode {
            Some(mode) => matches!(mode, Mode::Max),
            None => self.sort.is_descending,
        };
        let item = if takes_most {
            items.pop()
        } else {
            items.into_iter().next()
        };
        Ok(self.sort.key(item, self.missing.as_ref()))
    }
}

fn read_sorts(json: &Value, at: &str) -> Result<Vec<Sort>, StoreError> {
    let Value::Array(list) = json else {
        return Ok(vec![read_sort(json, at)?]);
    };
    let sorts = list.iter().enumerate();
    sorts
        .map(|(number, sort)| read_sort(sort, &format!("{at}[{number}]")))
        .collect()
}

fn read_sort(json: &Value, at: &str) -> Result<Sort, StoreError> {
    let expected = || StoreError::request(at, "expected a field, or an object with one");
    let (name, body) = match json {
        Value::String(name) => (name, None),
        Value::Object(members) if members.len() == 1 => {
            let (name, body) = members.iter().next().ok_or_else(expected)?;
            (name, Some(body))
        }
        _ => return Err(expected()),
    };
    let by = match name.as_str() {
        "_doc" | "_seq_no" => By::Written,
        "_score" => By::Score,
        name => By::Field(name.to_owned()),
    };
    let mut sort = Sort {
        is_descending: matches!(by, By::Score),
        by,
        missing: Missing::Last,
        mode: None,
        may_be_unmapped: false,
        at: at.to_owned(),
    };
    let descends = |value: &Value, at: &str| match value.as_str() {
        Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        _ => Err(StoreError::request(at, "expected `asc` or `desc`")),
    };
    match body {
        None => {}
        Some(Value::Object(members)) => {
            for (key, value) in members {
                let at = format!("{at}.{name}.{key}");
                match (&**key, value) {
                    ("order", value) => sort.is_descending = descends(value, &at)?,
                    ("missing", Value::String(text)) if text == "_last" => {}
                    ("missing", Value::String(text)) if text == "_first" => {
                        sort.missing = Missing::First;
                    }
                    ("missing", value) => sort.missing = Missing::Value(value.clone()),
                    ("mode", Value::String(mode)) if mode == "min" => sort.mode = Some(Mode::Min),
                    ("mode", Value::String(mode)) if mode == "max" => sort.mode = Some(Mode::Max),
                    ("unmapped_type", Value::String(_)) => sort.may_be_unmapped = true,
                    _ => return Err(StoreError::request(at, "this is not supported")),
                }
            }
        }
        Some(value) => sort.is_descending = descends(value, at)?,
    }
    Ok(sort)
}
