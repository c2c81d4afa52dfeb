//! From a query to the documents that it selects.

use super::index::Snapshot;
use super::select::{Set, select};
use crate::StoreError;
use jiff::Timestamp;
use predicate::Predicate;
use serde_json::{Value, json};

/// The selected documents of one index, for each of its segments.
pub(crate) type Selected = Vec<Set>;

/// A query, read for each index.
pub(crate) struct Wanted {
    query: Value,
    asks_metadata: bool,
    now: Timestamp,
}

impl Wanted {
    /// Prepares a query of the Query DSL, or everything if there is none.
    pub(crate) fn new(query: Option<&Value>) -> Wanted {
        let mut query = query.cloned().unwrap_or_else(|| json!({"match_all": {}}));
        let mut asks_metadata = false;
        translate_ids(&mut query, &mut asks_metadata);
        Wanted {
            query,
            asks_metadata,
            now: Timestamp::now(),
        }
    }

    /// What selects documents of this index.
    pub(crate) fn predicate(&self, snapshot: &Snapshot) -> Result<Predicate, StoreError> {
        let schema = match self.asks_metadata {
            true => &snapshot.schema_with_metadata,
            false => &snapshot.schema,
        };
        Ok(query::read(&self.query, schema, self.now)?)
    }

    /// The documents of this index.
    pub(crate) fn select(&self, snapshot: &Snapshot) -> Result<Selected, StoreError> {
        let predicate = self.predicate(snapshot)?;
        let segments = snapshot.segments().into_iter();
        segments
            .map(|segment| select(segment, &predicate))
            .collect()
    }
}

/// `ids` asks for the keyword `_id`; and where `_id` or `_index` are asked for, they have to be fields.
fn translate_ids(query: &mut Value, asks_metadata: &mut bool) {
    match query {
        Value::Array(queries) => {
            for query in queries {
                translate_ids(query, asks_metadata);
            }
        }
        Value::Object(members) => {
            let ids = members.get("ids").and_then(|ids| ids.get("values"));
            if let (1, Some(values)) = (members.len(), ids) {
                let values = match values {
                    Value::Array(_) => values.clone(),
                    one => json!([one]),
                };
                *query = json!({"terms": {"_id": values}});
                *asks_metadata = true;
                return;
            }
            for (key, member) in members.iter_mut() {
                match &**key {
                    "_id" | "_index" => *asks_metadata = true,
                    "bool" | "must" | "filter" | "should" | "must_not" | "constant_score"
                    | "dis_max" | "queries" | "term" | "terms" | "wildcard" | "prefix"
                    | "match" => {
                        translate_ids(member, asks_metadata);
                    }
                    "exists" => {
                        let field = member.get("field").and_then(Value::as_str);
                        *asks_metadata |= matches!(field, Some("_id" | "_index"));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}
