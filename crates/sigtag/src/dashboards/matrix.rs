//! Tactics and techniques as ATT&CK's matrix has them: a column for each tactic, a cell for each technique. Written in Vega-Lite
//! 4, the newest that OpenSearch Dashboards knows.

use super::objects::Names;
use super::panels::Attack;
use serde_json::{Value, json};

/// How many techniques a column shows.
const ROWS: u16 = 25;

/// More tactics than there are, under all names that they had.
const TACTICS: usize = 50;

/// From few events to many.
const COLOURS: [&str; 2] = ["#FDE6D8", "#E7664C"];

/// The text of the visualization, for events that have `mark` in `tags`.
pub(super) fn spec(attack: Attack, mark: &str, names: &Names<'_>) -> Value {
    let (aggregations, property, read) = match attack {
        Attack::Pairs(field) => (pairs(field), "aggregations.pairs.buckets", read_pairs()),
        Attack::Tags(field) => (tags(field), "aggregations.tactics.buckets", read_tags()),
    };
    let body = json!({"size": 0, "query": query(mark, names.time), "aggs": aggregations});
    let transform: Vec<Value> = read.into_iter().chain(arrange()).collect();
    let order: Vec<_> = attack::tactics().iter().map(|tactic| tactic.name).collect();
    json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v4.json",
        "title": {"text": format!("Per tactic the {ROWS} techniques with the most events"), "fontWeight": "normal"},
        "data": {"url": {"index": names.index, "body": body}, "format": {"property": property}},
        "transform": transform,
        "encoding": {
            "x": {"field": "tactic", "type": "nominal", "sort": order,
                "axis": {"title": null, "orient": "top", "labelAngle": -20, "labelLimit": 150}},
            "y": {"field": "row", "type": "ordinal", "axis": null},
            "tooltip": [{"field": "tactic", "type": "nominal"}, {"field": "technique", "type": "nominal"},
                {"field": "events", "type": "quantitative"}],
        },
        "layer": [
            {"mark": {"type": "rect", "stroke": "white"}, "encoding": {"color": {"field": "events", "type": "quantitative",
                "scale": {"range": COLOURS}, "legend": {"title": "events"}}}},
            {"mark": {"type": "text", "color": "#1A1C21", "fontSize": 10}, "encoding": {"text": {"field": "technique", "type": "nominal"}}},
        ],
    })
}

/// Tagged events of the time, and under the filters, that the dashboard has. Where a query is written out, this is how the
/// dashboard's come into it.
fn query(mark: &str, time: &str) -> Value {
    json!({"bool": {
        "must": ["%dashboard_context-must_clause%"],
        "filter": [
            {"term": {"tags": mark}},
            {"range": {time: {"%timefilter%": true}}},
            "%dashboard_context-filter_clause%",
        ],
        "must_not": ["%dashboard_context-must_not_clause%"],
    }})
}

/// As many as there can be.
fn pairs(field: &str) -> Value {
    let techniques = attack::techniques().iter();
    let pairs: usize = techniques.map(|technique| technique.tactics.len()).sum();
    let alone = attack::tactics().len();
    json!({"pairs": {"terms": {"field": field, "size": pairs + alone}}})
}

/// Makes `tactic`, `technique` and `events` of a pair.
fn read_pairs() -> Vec<Value> {
    let ids = attack::tactics().iter();
    let ids = ids.map(|tactic| json!({"id": tactic.id, "name": tactic.name}));
    vec![
        json!({"calculate": "split(datum.key, ':')", "as": "pair"}),
        json!({"calculate": "datum.pair[0]", "as": "id"}),
        json!({"calculate": "length(datum.pair) > 1 ? datum.pair[1] : 'none named'", "as": "technique"}),
        json!({"calculate": "datum.doc_count", "as": "events"}),
        named(ids.collect()),
        json!({"calculate": "datum.name || datum.id", "as": "tactic"}),
    ]
}

/// Tags of tactics, and in each those of techniques that are in the same events.
fn tags(field: &str) -> Value {
    let techniques = json!({"terms": {"field": field, "include": "attack\\.[tT][0-9]{4}(\\.[0-9]{3})?",
        "size": attack::techniques().len()}});
    json!({"tactics": {
        "terms": {"field": field, "include": "attack\\.[a-zA-Z_\\-]+", "size": TACTICS},
        "aggs": {"techniques": techniques},
    }})
}

/// Makes `tactic`, `technique` and `events` of a tag of a tactic and those within.
fn read_tags() -> Vec<Value> {
    let tags = attack::tactics().iter();
    let tags = tags
        .map(|tactic| json!({"id": format!("attack.{}", tactic.short_name), "name": tactic.name}));
    vec![
        json!({"flatten": ["techniques.buckets"], "as": ["cell"]}),
        // As SigmaHQ writes it now, and as it did.
        json!({"calculate": "lower(join(split(datum.key, '_'), '-'))", "as": "id"}),
        json!({"calculate": "upper(split(datum.cell.key, 'attack.')[1])", "as": "technique"}),
        json!({"calculate": "datum.cell.doc_count", "as": "events"}),
        named(tags.collect()),
        json!({"calculate": "datum.name || split(datum.id, 'attack.')[1]", "as": "tactic"}),
    ]
}

/// Gives each `id` its `name`.
fn named(values: Vec<Value>) -> Value {
    json!({"lookup": "id", "from": {"data": {"values": values}, "key": "id", "fields": ["name"]}})
}

/// Sends each technique to its row.
fn arrange() -> Vec<Value> {
    let by = |field: &str, order: &str| json!({"field": field, "order": order});
    vec![
        json!({"window": [{"op": "row_number", "as": "row"}], "groupby": ["tactic"],
            "sort": [by("events", "descending"), by("technique", "ascending")]}),
        json!({"filter": format!("datum.row <= {ROWS}")}),
    ]
}
