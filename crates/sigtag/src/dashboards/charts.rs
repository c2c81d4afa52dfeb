//! Charts that the products draw by themselves: what they count, and how they look.

use super::objects::Names;
use super::panels::{COLOURS, Chart, LEVEL, Number};
use serde_json::{Map, Value, json};

/// The state of a visualization with this title.
pub(super) fn state(chart: &Chart, title: &str, names: &Names<'_>) -> Value {
    let (kind, aggregations, params) = parts(chart, names);
    json!({"title": title, "type": kind, "aggs": numbered(aggregations), "params": params})
}

/// The type of a chart, its aggregations and its settings.
fn parts(chart: &Chart, names: &Names<'_>) -> (&'static str, Vec<Value>, Value) {
    match chart {
        Chart::Numbers(all) => {
            let all = all.iter().map(|(name, number)| count(*number, name, names));
            ("metric", all.collect(), look_of_numbers())
        }
        Chart::Timeline { by, size } => {
            let time = json!({"field": names.time, "interval": "auto", "drop_partials": false,
                "min_doc_count": 1, "extended_bounds": {}});
            let time = aggregation("date_histogram", "segment", time);
            let split = top(by, *size, "group", None);
            ("histogram", vec![events(), time, split], look_of_bars())
        }
        Chart::Ring { by, size } => {
            let segments = top(by, *size, "segment", None);
            ("pie", vec![events(), segments], look_of_ring())
        }
        Chart::Top { by, column, size } => {
            let rows = top(names.field(*by), *size, "bucket", Some(column));
            ("table", vec![events(), rows], look_of_table())
        }
    }
}

fn aggregation(kind: &str, schema: &str, params: Value) -> Value {
    json!({"enabled": true, "type": kind, "schema": schema, "params": params})
}

fn numbered(mut aggregations: Vec<Value>) -> Vec<Value> {
    for (aggregation, number) in aggregations.iter_mut().zip(1u32..) {
        aggregation["id"] = json!(number.to_string());
    }
    aggregations
}

fn events() -> Value {
    aggregation("count", "metric", json!({"customLabel": "Events"}))
}

fn count(number: Number, name: &str, names: &Names<'_>) -> Value {
    let of = |field| json!({"field": names.field(field), "customLabel": name});
    let (kind, params) = match number {
        Number::Events => ("count", json!({"customLabel": name})),
        Number::Distinct(field) => ("cardinality", of(field)),
        Number::Sum(field) => ("sum", of(field)),
    };
    aggregation(kind, "metric", params)
}

/// The values of a field in most events; the first aggregation says in how many.
fn top(field: &str, size: u16, schema: &str, label: Option<&str>) -> Value {
    let mut params = json!({"field": field, "orderBy": "1", "order": "desc", "size": size,
        "otherBucket": false, "missingBucket": false});
    if let Some(label) = label {
        params["customLabel"] = json!(label);
    }
    aggregation("terms", schema, params)
}

/// What belongs to its look alone: the colours of values.
pub(super) fn look(chart: &Chart) -> Value {
    match chart {
        Chart::Timeline { by, .. } | Chart::Ring { by, .. } if *by == LEVEL => {
            let colours = COLOURS.map(|(level, colour)| (level.as_str().to_owned(), json!(colour)));
            json!({"vis": {"colors": Map::from_iter(colours)}})
        }
        _ => json!({}),
    }
}

fn look_of_numbers() -> Value {
    json!({"type": "metric", "addTooltip": true, "addLegend": false, "metric": {
        "percentageMode": false, "useRanges": false, "invertColors": false, "colorSchema": "Green to Red",
        "metricColorMode": "None", "colorsRange": [{"from": 0, "to": 10000}], "labels": {"show": true},
        "style": {"bgFill": "#000", "bgColor": false, "labelColor": false, "subText": "", "fontSize": 28},
    }})
}

fn look_of_bars() -> Value {
    let labels = json!({"show": true, "filter": true, "truncate": 100});
    json!({"type": "histogram", "addTooltip": true, "addLegend": true, "legendPosition": "right",
        "grid": {"categoryLines": false}, "times": [], "addTimeMarker": false, "labels": {"show": false},
        "categoryAxes": [{"id": "CategoryAxis-1", "type": "category", "position": "bottom", "show": true,
            "style": {}, "scale": {"type": "linear"}, "labels": labels, "title": {}}],
        "valueAxes": [{"id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value", "position": "left", "show": true,
            "style": {}, "scale": {"type": "linear", "mode": "normal"}, "labels": labels, "title": {"text": "Events"}}],
        "seriesParams": [{"show": true, "type": "histogram", "mode": "stacked", "data": {"label": "Events", "id": "1"},
            "valueAxis": "ValueAxis-1", "drawLinesBetweenPoints": true, "lineWidth": 2, "showCircles": true}],
        "thresholdLine": {"show": false, "value": 10, "width": 1, "style": "full", "color": "#E7664C"},
    })
}

fn look_of_ring() -> Value {
    json!({"type": "pie", "addTooltip": true, "addLegend": true, "legendPosition": "right", "isDonut": true,
        "labels": {"show": true, "values": true, "last_level": true, "truncate": 100}})
}

fn look_of_table() -> Value {
    json!({"perPage": 10, "showPartialRows": false, "showMetricsAtAllLevels": false, "showTotal": false,
        "totalFunc": "sum", "percentageCol": ""})
}
