//! What an index makes of the fields of a tag, and how tagged events are found in one.

use crate::added::{FIELDS, Kind};
use crate::outliers::MODEL_NAME;
use serde_json::{Map, Value, json};

/// How long a value may be to be found, in characters: as in the Elastic Common Schema.
const IGNORE_ABOVE: u32 = 1024;

/// The field that is in every tag of a profile that writes `sigma`: the ids of its rules.
pub const TAGGED_BY: &str = "sigma.rule.id";

/// The field that names the index of the event, in a hit that lies in another one.
const SOURCE_INDEX: &str = "sigma.source.index";

/// The mapping of all fields that tags consist of, as `{"properties": …}`. Names, ids and the like are plain keywords;
/// `sigma.matches` and `sigma.added`, which hold values of any kind, are kept and not indexed.
pub fn schema() -> Value {
    let keyword = json!({"type": "keyword", "ignore_above": IGNORE_ABOVE});
    let kept = json!({"type": "object", "enabled": false});
    let number = json!({"type": "long"});
    let sigma = [
        (TAGGED_BY, &keyword),
        ("sigma.rule.name", &keyword),
        ("sigma.level", &keyword),
        ("sigma.severity", &number),
        ("sigma.attack", &keyword),
        ("sigma.ruleset", &keyword),
        ("sigma.tagged_at", &json!({"type": "date"})),
        ("sigma.source.file", &keyword),
        ("sigma.source.line", &number),
        ("sigma.source.record", &number),
        (SOURCE_INDEX, &keyword),
        ("sigma.source.id", &keyword),
        ("sigma.matches", &kept),
        ("sigma.added", &kept),
    ];
    let shared = FIELDS.iter().map(|(path, kind)| match kind {
        Kind::Count => (*path, &number),
        _ => (*path, &keyword),
    });
    let mut properties = Map::new();
    for (path, mapping) in sigma.into_iter().chain(shared) {
        put(&mut properties, path, mapping);
    }
    json!({"properties": properties})
}

fn put(properties: &mut Map<String, Value>, path: &str, mapping: &Value) {
    match path.split_once('.') {
        None => drop(properties.insert(path.to_owned(), mapping.clone())),
        Some((object, below)) => {
            let object = properties
                .entry(object)
                .or_insert_with(|| json!({"properties": {}}));
            if let Some(properties) = object["properties"].as_object_mut() {
                put(properties, below, mapping);
            }
        }
    }
}

/// A query of the Query DSL that finds the events with a tag of any profile: with one that names this rule, or with any. Where
/// an index does not have the fields as [`schema`] says, it may find others too.
pub fn tagged(rule: Option<&str>) -> Value {
    let either = match rule {
        Some(id) => [
            json!({"match_phrase": {TAGGED_BY: id}}),
            json!({"match_phrase": {"outliers.model_name": format!("{MODEL_NAME}{id}")}}),
        ],
        None => [
            json!({"exists": {"field": TAGGED_BY}}),
            json!({"prefix": {"outliers.model_name": MODEL_NAME}}),
        ],
    };
    json!({"bool": {"should": either, "minimum_should_match": 1}})
}

/// A query of the Query DSL that finds the hits of events of this index that lie in another one: those of one rule, or all.
pub fn aside(index: &str, rule: Option<&str>) -> Value {
    let index = json!({"term": {SOURCE_INDEX: index}});
    let rule = rule.map(|id| json!({"term": {TAGGED_BY: id}}));
    let filter: Vec<Value> = [Some(index), rule].into_iter().flatten().collect();
    json!({"bool": {"filter": filter}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_place() {
        let schema = schema();
        let at = |path: &str| &schema["properties"][path.split('.').next().unwrap()];
        assert_eq!(at("tags")["type"], "keyword");
        let technique = &at("threat")["properties"]["technique"]["properties"];
        assert_eq!(
            technique["subtechnique"]["properties"]["id"]["type"],
            "keyword"
        );
        assert_eq!(
            at("outliers")["properties"]["total_outliers"]["type"],
            "long"
        );
        assert_eq!(at("sigma")["properties"]["matches"]["enabled"], false);
        assert_eq!(
            at("sigma")["properties"]["rule"]["properties"]["id"]["type"],
            "keyword"
        );
    }
}
