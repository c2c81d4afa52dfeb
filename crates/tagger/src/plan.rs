//! What a pass will do with each index.

use crate::state::{self, State};
use crate::{Mode, Rules, Selection, aside};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{IndexInfo, Store, StoreError};
use tag::Profile;

/// What a pass over the documents of a store will do.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// With each index, by name.
    pub indices: Vec<PlannedIndex>,
}

/// What a pass will do with an index.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedIndex {
    /// What it is.
    #[serde(flatten)]
    pub index: IndexInfo,
    /// Where the tags of its documents go.
    pub tags: Way,
    /// Why they go there, if not because all do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many sequence numbers of it are done with these rules, and not read again.
    pub done: u64,
    /// What its schema lacks of the fields of tags, as `{"properties": …}`.
    pub schema: Value,
}

/// Where the tags of documents go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Into the documents.
    InPlace,
    /// Into the side index.
    Side,
    /// Into both.
    Both,
    /// Nowhere: the documents cannot be read.
    Nowhere,
}

impl Way {
    /// Whether the documents are changed.
    pub(crate) fn is_in_place(self) -> bool {
        matches!(self, Way::InPlace | Way::Both)
    }

    /// Whether there are documents in the side index.
    pub(crate) fn is_aside(self) -> bool {
        matches!(self, Way::Side | Way::Both)
    }
}

/// What [`tag_store`](crate::tag_store) will do. Nothing is changed.
///
/// # Errors
/// Those of the store.
pub async fn plan(
    rules: &Rules,
    profile: Profile,
    store: &dyn Store,
    selection: &Selection,
) -> Result<Plan, StoreError> {
    Ok(planned(rules, profile, store, selection).await?.0)
}

/// What will be done, and what has been.
pub(crate) async fn planned(
    rules: &Rules,
    profile: Profile,
    store: &dyn Store,
    selection: &Selection,
) -> Result<(Plan, State), StoreError> {
    let indices = store.indices(&selection.indices).await?;
    let indices: Vec<IndexInfo> = indices
        .into_iter()
        .filter(|index| !is_ours(&index.name))
        .collect();
    let shards = indices
        .iter()
        .flat_map(|index| (0..index.shards).map(move |shard| (index, shard)));
    let key = state::key(rules, profile, selection.mode);
    let state = State::load(store, key, shards).await?;
    let planned = indices.into_iter().map(|index| {
        let done = match selection.again || selection.dry_run {
            true => 0,
            false => state.done_of(&index.uuid),
        };
        PlannedIndex::new(index, selection.mode, done)
    });
    let plan = Plan {
        indices: planned.collect(),
    };
    Ok((plan, state))
}

/// Whether an index is sigtag's own: what is in it are no events.
fn is_ours(name: &str) -> bool {
    name == state::INDEX || name.starts_with(aside::PREFIX)
}

impl PlannedIndex {
    fn new(index: IndexInfo, mode: Mode, done: u64) -> PlannedIndex {
        let schema = tag::schema();
        let (wanted, known) = (&schema["properties"], &index.mapping["properties"]);
        let missing = json!({"properties": missing(wanted, known)});
        let fixed = index.fixed.clone().or_else(|| conflict(wanted, known, ""));
        let (tags, reason) = match (&index.unreadable, fixed, mode) {
            (Some(reason), ..) => (Way::Nowhere, Some(reason.clone())),
            (None, _, Mode::Side) => (Way::Side, None),
            (None, None, Mode::Auto | Mode::InPlace) => (Way::InPlace, None),
            (None, None, Mode::Both) => (Way::Both, None),
            (None, reason, Mode::InPlace) => (Way::InPlace, reason),
            (None, reason, Mode::Auto | Mode::Both) => (Way::Side, reason),
        };
        PlannedIndex {
            index,
            tags,
            reason,
            done,
            schema: missing,
        }
    }

    /// Whether its schema lacks fields of tags that are going to be written to it.
    pub(crate) fn lacks_schema(&self) -> bool {
        let missing = self.schema["properties"].as_object();
        self.tags.is_in_place() && missing.is_some_and(|missing| !missing.is_empty())
    }
}

/// The fields of `wanted` for which there is none in `known`.
pub(crate) fn missing(wanted: &Value, known: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, wanted) in wanted.as_object().into_iter().flatten() {
        match known.get(name) {
            None => drop(all.insert(name.clone(), wanted.clone())),
            Some(known) => {
                let below = match known.get("properties") {
                    Some(known) => missing(&wanted["properties"], known),
                    None => Map::new(),
                };
                if !below.is_empty() {
                    all.insert(name.clone(), json!({"properties": below}));
                }
            }
        }
    }
    all
}

/// Why documents with a tag will be refused: a field of `wanted` that is an object in `known`, or the other way round.
fn conflict(wanted: &Value, known: &Value, path: &str) -> Option<String> {
    let mut fields = wanted.as_object().into_iter().flatten();
    fields.find_map(|(name, wanted)| {
        let (known, path) = (known.get(name)?, format!("{path}{name}"));
        let is_object = known.get("properties").is_some() || known["type"] == json!("object");
        match (wanted.get("properties"), is_object) {
            (Some(wanted), true) => conflict(wanted, &known["properties"], &format!("{path}.")),
            (None, true) if wanted["type"] != json!("object") => {
                Some(format!("its field `{path}` is an object"))
            }
            (Some(_), false) => Some(format!("its field `{path}` is no object")),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_gets_what_it_lacks_or_is_in_the_way() {
        let wanted = tag::schema();
        let wanted = &wanted["properties"];
        assert_eq!(json!(missing(wanted, &json!({}))), *wanted);
        assert_eq!(json!(missing(wanted, wanted)), json!({}));
        let keyword = json!({"type": "keyword"});
        let text = json!({"type": "text", "fields": {"keyword": keyword}});
        let known = json!({
            "tags": text,
            "sigma": {"properties": {"rule": {"properties": {"id": text}}}},
            "threat": {"properties": {"feed": {"properties": {"name": keyword}}}},
        });
        let lacks = missing(wanted, &known);
        assert!(!lacks.contains_key("tags"));
        assert_eq!(
            lacks["sigma"]["properties"]["rule"]["properties"]
                .as_object()
                .map(Map::len),
            Some(1)
        );
        assert!(!lacks["threat"]["properties"]["technique"].is_null());
        assert_eq!(conflict(wanted, &known, ""), None);
        for (known, reason) in [
            (
                json!({"tags": {"properties": {"a": keyword}}}),
                "its field `tags` is an object",
            ),
            (
                json!({"tags": {"type": "object", "enabled": false}}),
                "its field `tags` is an object",
            ),
            (json!({"sigma": keyword}), "its field `sigma` is no object"),
            (
                json!({"threat": {"properties": {"tactic": keyword}}}),
                "its field `threat.tactic` is no object",
            ),
        ] {
            assert_eq!(conflict(wanted, &known, "").as_deref(), Some(reason));
        }
    }
}
