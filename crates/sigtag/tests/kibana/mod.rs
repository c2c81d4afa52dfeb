//! What Kibana and OpenSearch Dashboards make of saved objects: which schema they must meet, and the searches that are sent.
//!
//! Neither can be had in a test. So this is what their source says, for as much of it as sigtag's dashboards use; whatever else
//! is met fails.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = include_str!("saved-objects.schema.json");

/// A name, and no place: nothing is fetched.
const NAME: &str = "https://sigtag.invalid/saved-objects.schema.json";

/// The strings in which there is JSON, by where they are in an object, and the definition that it has to meet.
const EMBEDDED: [(&str, &str); 5] = [
    (
        "/attributes/kibanaSavedObjectMeta/searchSourceJSON",
        "searchSourceJSON",
    ),
    ("/attributes/optionsJSON", "optionsJSON"),
    ("/attributes/panelsJSON", "panelsJSON"),
    ("/attributes/uiStateJSON", "uiStateJSON"),
    ("/attributes/visState", "visState"),
];

/// Says what is wrong with objects.
pub struct Schema {
    all: Schemas,
    object: SchemaIndex,
    embedded: BTreeMap<&'static str, SchemaIndex>,
}

impl Schema {
    pub fn new() -> Schema {
        let (mut all, mut compiler) = (Schemas::new(), Compiler::new());
        let schema = serde_json::from_str(SCHEMA).unwrap();
        compiler.add_resource(NAME, schema).unwrap();
        let mut compiled = |place: &str| {
            compiler
                .compile(&format!("{NAME}{place}"), &mut all)
                .unwrap()
        };
        let object = compiled("");
        let names = EMBEDDED.iter().map(|(_, name)| *name).chain(["spec"]);
        let embedded = names
            .map(|name| (name, compiled(&format!("#/$defs/{name}"))))
            .collect();
        Schema {
            all,
            object,
            embedded,
        }
    }

    /// What is wrong with an object; nothing if both products take it.
    pub fn faults(&self, object: &Value) -> Vec<String> {
        let mut faults = Vec::from_iter(self.fault(object, self.object));
        for (place, name) in EMBEDDED {
            if let Some(text) = object.pointer(place) {
                faults.extend(self.within(name, text));
            }
        }
        faults
    }

    fn within(&self, name: &str, text: &Value) -> Vec<String> {
        let text = text.as_str().unwrap_or_default();
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return vec![format!("{name}: no JSON")];
        };
        let mut faults = Vec::from_iter(self.fault(&value, self.embedded[name]));
        if let Some(spec) = value.pointer("/params/spec") {
            faults.extend(self.within("spec", spec));
        }
        faults
    }

    fn fault(&self, value: &Value, schema: SchemaIndex) -> Option<String> {
        let error = self.all.validate(value, schema).err()?;
        Some(format!("{error:#}"))
    }
}

/// The JSON that is in a string.
pub fn parsed(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// From when to when.
pub type Range<'r> = (&'r str, &'r str);

/// The query of an object for a time.
pub fn query(object: &Value, time: &str, range: Range<'_>) -> Value {
    let source = parsed(&object["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]);
    let kuery = source["query"]["query"].as_str().unwrap();
    json!({"bool": {"filter": [translated(kuery), {"range": {time: bounds(range)}}]}})
}

fn bounds((from, to): Range<'_>) -> Value {
    json!({"gte": from, "lte": to, "format": "strict_date_optional_time"})
}

/// A query of the language kuery: nothing, or one field with one phrase.
fn translated(kuery: &str) -> Value {
    if kuery.is_empty() {
        return json!({"match_all": {}});
    }
    let (field, phrase) = kuery.split_once(" : ").unwrap();
    let phrase = phrase.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    assert!(!phrase.contains(['"', '\\']), "{kuery}");
    json!({"bool": {"should": [{"match_phrase": {field: phrase}}], "minimum_should_match": 1}})
}

/// The interval that is taken for `auto`; which one depends on the time and the width of the browser.
pub const INTERVAL: &str = "3h";

/// The aggregations of a visualization: those that make buckets are nested in their order, and the others are in each bucket.
pub fn aggregations(state: &Value) -> Value {
    let all = state["aggs"].as_array().unwrap();
    let (metrics, buckets): (Vec<_>, Vec<_>) =
        all.iter().partition(|one| one["schema"] == "metric");
    nested(&buckets, &metrics)
}

fn nested(buckets: &[&Value], metrics: &[&Value]) -> Value {
    // A bucket says itself how many events it has.
    let counted = metrics.iter().filter(|one| one["type"] != "count");
    let mut all: serde_json::Map<_, _> = counted
        .map(|one| (name(one), asked(one, metrics)))
        .collect();
    if let [first, rest @ ..] = buckets {
        let mut bucket = asked(first, metrics);
        bucket["aggs"] = nested(rest, metrics);
        all.insert(name(first), bucket);
    }
    Value::Object(all)
}

fn name(aggregation: &Value) -> String {
    aggregation["id"].as_str().unwrap().to_owned()
}

fn asked(aggregation: &Value, metrics: &[&Value]) -> Value {
    let params = &aggregation["params"];
    let field = &params["field"];
    match aggregation["type"].as_str().unwrap() {
        kind @ ("cardinality" | "sum") => json!({kind: {"field": field}}),
        "date_histogram" => {
            assert_eq!(params["interval"], "auto");
            let count = &params["min_doc_count"];
            json!({"date_histogram": {"field": field, "fixed_interval": INTERVAL, "time_zone": "UTC", "min_doc_count": count}})
        }
        "terms" => {
            let by = metrics.iter().find(|one| one["id"] == params["orderBy"]);
            assert_eq!(by.unwrap()["type"], "count", "{aggregation}");
            let order = json!({"_count": params["order"]});
            json!({"terms": {"field": field, "order": order, "size": params["size"]}})
        }
        kind => panic!("{kind}"),
    }
}

/// The search of a Vega visualization, with the time and the filter of the dashboard.
pub fn body(spec: &Value, range: Range<'_>, filter: &Value) -> Value {
    let mut body = spec["data"]["url"]["body"].clone();
    fill(&mut body["query"], range, filter);
    assert!(!body.to_string().contains('%'), "{body}");
    body
}

fn fill(part: &mut Value, range: Range<'_>, filter: &Value) {
    match part {
        Value::Array(all) => {
            let clause = |one: &Value| {
                one.as_str()
                    .and_then(|text| text.strip_prefix("%dashboard_context-"))
                    .map(str::to_owned)
            };
            *all = all
                .drain(..)
                .flat_map(|one| match clause(&one).as_deref() {
                    Some("must_clause%") => vec![json!({"match_all": {}})],
                    Some("must_not_clause%") => vec![],
                    Some("filter_clause%") => vec![filter.clone()],
                    Some(other) => panic!("{other}"),
                    None => vec![one],
                })
                .collect();
            all.iter_mut().for_each(|one| fill(one, range, filter));
        }
        Value::Object(members) => {
            for member in members.values_mut() {
                match member["%timefilter%"] == true {
                    true => *member = bounds(range),
                    false => fill(member, range, filter),
                }
            }
        }
        _ => {}
    }
}
