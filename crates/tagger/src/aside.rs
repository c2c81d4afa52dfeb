//! Hits of documents that cannot be changed where they lie: the side index.
//!
//! It has a document for each hit: a copy of the event with the tag of that rule, and `sigma.source` to say which event it is a
//! copy of. Its `_id` is made of the event's index and id and of the rule, so that to find the hit again adds nothing.

use crate::Rules;
use crate::selection::TIME;
use event::{Event, FieldPath, Value as Field};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use store::{Document, Rejected, Scan, Store, StoreError, Write};
use tag::{Hit, Outcome, Source, Tagger};

/// What the names of side indices begin with; behind it stand year and month of the events.
pub(crate) const PREFIX: &str = "sigma-hits-";

/// The name behind the prefix for events that do not say when they were.
const UNDATED: &str = "undated";

/// Years that events can be of. One that pretends to be of another has no date: it is not to make an index of its own.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2100;

type Shape = fn(&Value) -> bool;

/// What is left of a hit whose event does not fit into the side index, if it has the shape of a tag.
const KEPT: [(&str, Shape); 5] = [
    (TIME, |_| true),
    ("sigma", Value::is_object),
    ("threat", Value::is_object),
    ("outliers", Value::is_object),
    ("tags", Value::is_array),
];

/// A document for the side index.
pub(crate) struct Aside {
    index: String,
    id: String,
    source: Vec<u8>,
}

/// What has become of documents for the side index.
#[derive(Default)]
pub(crate) struct Put {
    pub(crate) written: u64,
    pub(crate) cut: Vec<String>,
    pub(crate) refused: Vec<String>,
}

/// A hit on a document; none if the document holds something in the place of a tag that sigtag did not write.
pub(crate) fn hit(
    tagger: &Tagger,
    event: &Event<'_>,
    hit: &Hit<'_>,
    document: &Document,
) -> Option<Aside> {
    let tagger = Tagger {
        profile: tagger.profile.with_ecs(),
        ..tagger.clone()
    };
    let source = Source::Document {
        index: (&document.index).into(),
        id: (&document.id).into(),
    };
    let mut bare = Vec::new();
    Tagger::remove(event, &mut bare);
    let bare = Event::parse(&bare).ok()?;
    let mut tagged = Vec::new();
    let outcome = tagger.apply(&bare, std::slice::from_ref(hit), Some(&source), &mut tagged);
    (outcome == Outcome::Tagged).then(|| Aside {
        index: index_of(event),
        id: id_of(&document.index, &document.id, &hit.rule.id),
        source: tagged,
    })
}

fn id_of(index: &str, id: &str, rule: &str) -> String {
    let mut hash = Sha256::new();
    for part in [index, id, rule] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..20]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn index_of(event: &Event<'_>) -> String {
    let path = FieldPath::new(TIME);
    let found = event.lookup(&path);
    let time = found.values.iter().find_map(|value| match value {
        Field::String(text) => text.parse().ok(),
        Field::Number(number) => jiff::Timestamp::from_millisecond(number.parse().ok()?).ok(),
        _ => None,
    });
    let date = time.map(|time| jiff::tz::TimeZone::UTC.to_datetime(time).date());
    match date.filter(|date| YEARS.contains(&date.year())) {
        Some(date) => format!("{PREFIX}{:04}.{:02}", date.year(), date.month()),
        None => format!("{PREFIX}{UNDATED}"),
    }
}

/// Writes hits. The side index is made if it is not there.
pub(crate) async fn put(store: &dyn Store, hits: Vec<Aside>) -> Result<Put, StoreError> {
    let mut put = Put::default();
    let mut by_index: BTreeMap<String, Vec<Aside>> = BTreeMap::new();
    for hit in hits {
        by_index.entry(hit.index.clone()).or_default().push(hit);
    }
    for (index, hits) in by_index {
        match store.create(&index, body()).await {
            Ok(()) | Err(StoreError::Exists(_)) => {}
            Err(error) => return Err(error),
        }
        let mut cut = Vec::new();
        for (hit, answer) in hits.iter().zip(create(store, &index, &hits).await?) {
            match answer {
                Ok(_) => put.written += 1,
                Err(Rejected::Exists(_)) => {}
                Err(cause) => {
                    put.cut.push(format!("{}: {cause}", hit.id));
                    cut.push(hit.cut());
                }
            }
        }
        for (hit, answer) in cut.iter().zip(create(store, &index, &cut).await?) {
            match answer {
                Ok(_) => put.written += 1,
                Err(Rejected::Exists(_)) => {}
                Err(cause) => put.refused.push(format!("{index}/{}: {cause}", hit.id)),
            }
        }
    }
    Ok(put)
}

async fn create(
    store: &dyn Store,
    index: &str,
    hits: &[Aside],
) -> Result<Vec<Result<store::Written, Rejected>>, StoreError> {
    if hits.is_empty() {
        return Ok(Vec::new());
    }
    let writes = hits.iter().map(|hit| Write::Create {
        id: Some(hit.id.clone()),
        source: hit.source.clone(),
    });
    store.write(index, writes.collect()).await
}

impl Aside {
    /// The hit without what else is in the event.
    fn cut(&self) -> Aside {
        let all: Map<String, Value> = serde_json::from_slice(&self.source).unwrap_or_default();
        let kept: Map<String, Value> = all
            .into_iter()
            .filter(|(name, value)| {
                KEPT.iter()
                    .any(|(kept, has_shape)| kept == name && has_shape(value))
            })
            .collect();
        Aside {
            index: self.index.clone(),
            id: self.id.clone(),
            source: Value::Object(kept).to_string().into_bytes(),
        }
    }
}

/// The body of a side index: the fields of tags, and those of all kinds of events as keywords, as far as they fit together.
fn body() -> Value {
    let mut mapping = tag::schema();
    mapping["properties"][TIME] = json!({"type": "date"});
    mapping["date_detection"] = json!(false);
    let keyword = json!({"type": "keyword", "ignore_above": 1024});
    let strings = json!({"match_mapping_type": "string", "mapping": keyword});
    mapping["dynamic_templates"] = json!([{"strings": strings}]);
    let settings: Map<String, Value> = [
        ("index.mapping.total_fields.limit", json!("10000")),
        ("index.mapping.ignore_malformed", json!("true")),
        ("index.number_of_shards", json!("1")),
        ("index.auto_expand_replicas", json!("0-1")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    json!({"mappings": mapping, "settings": settings})
}

/// Removes the hits on events of an index that are those of one rule, or all; how many there were.
pub(crate) async fn remove(
    store: &dyn Store,
    index: &str,
    rule: Option<&str>,
) -> Result<u64, StoreError> {
    delete(store, tag::aside(index, rule)).await
}

/// Removes the hits on events of an index that are those of other rules; how many there were.
pub(crate) async fn remove_others(
    store: &dyn Store,
    index: &str,
    rules: &Rules,
    query: Option<Value>,
) -> Result<u64, StoreError> {
    let running: Vec<&str> = rules
        .running
        .iter()
        .map(|rule| rule.tag.id.as_str())
        .collect();
    let filter: Vec<Value> = [Some(tag::aside(index, None)), query]
        .into_iter()
        .flatten()
        .collect();
    let running = json!({"terms": {tag::TAGGED_BY: running}});
    delete(
        store,
        json!({"bool": {"filter": filter, "must_not": running}}),
    )
    .await
}

async fn delete(store: &dyn Store, query: Value) -> Result<u64, StoreError> {
    let all = format!("{PREFIX}*");
    if store.indices(&all).await?.is_empty() {
        return Ok(0);
    }
    // They are sigtag's own, so that nobody is disturbed.
    store.refresh(&all).await?;
    let mut scan = Scan {
        query: Some(query),
        ..Scan::all(&all)
    };
    let mut deleted = 0;
    loop {
        let page = store.scan(&scan).await?;
        if let Some(first) = page.documents.first() {
            let index = first.index.clone();
            let writes = page.documents.into_iter().map(|document| Write::Delete {
                id: document.id,
                if_seq_no: None,
            });
            let answers = store.write(&index, writes.collect()).await?;
            deleted += answers.iter().filter(|answer| answer.is_ok()).count() as u64;
        }
        match page.next {
            Some(next) => scan.after = Some(next),
            None => return Ok(deleted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_lies_in_the_month_of_its_event() {
        for (event, index) in [
            (
                r#"{"@timestamp":"2026-03-09T10:00:00Z"}"#,
                "sigma-hits-2026.03",
            ),
            (
                r#"{"@timestamp":"2026-03-01T00:30:00+02:00"}"#,
                "sigma-hits-2026.02",
            ),
            (r#"{"@timestamp":1773050400000}"#, "sigma-hits-2026.03"),
            (
                r#"{"@timestamp":["2026-03-09T10:00:00.123456789Z"]}"#,
                "sigma-hits-2026.03",
            ),
            (
                r#"{"@timestamp":"9999-03-09T10:00:00Z"}"#,
                "sigma-hits-undated",
            ),
            (r#"{"@timestamp":"yesterday"}"#, "sigma-hits-undated"),
            (r#"{"@timestamp":1e300}"#, "sigma-hits-undated"),
            ("{}", "sigma-hits-undated"),
        ] {
            assert_eq!(
                index_of(&Event::parse(event.as_bytes()).unwrap()),
                index,
                "{event}"
            );
        }
    }

    #[test]
    fn a_hit_is_known_by_index_id_and_rule() {
        let ids = [
            ("a", "b", "c"),
            ("ab", "", "c"),
            ("a", "bc", ""),
            ("a", "b", "d"),
        ];
        let ids = ids.map(|(index, id, rule)| id_of(index, id, rule));
        assert!(
            (1..ids.len()).all(|nth| !ids[..nth].contains(&ids[nth])),
            "{ids:?}"
        );
        assert_eq!(ids[0].len(), 40);
    }

    #[test]
    fn what_is_left_of_an_event_is_its_tag() {
        let hit = Aside {
            index: "i".into(),
            id: "1".into(),
            source: br#"{"@timestamp":"x","host":"a","sigma":{"level":["high"]},"tags":["sigma"]}"#
                .to_vec(),
        };
        let cut = String::from_utf8(hit.cut().source).unwrap();
        assert_eq!(
            cut,
            r#"{"@timestamp":"x","sigma":{"level":["high"]},"tags":["sigma"]}"#
        );
    }
}
