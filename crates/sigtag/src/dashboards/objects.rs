//! Saved objects out of the tables: an index pattern, an object for each panel, and the dashboard that holds them.

use super::matrix;
use super::panels::{COLOURS, Chart, Dashboard, Field, Number, Panel, Shows};
use serde_json::{Map, Value, json};

/// How the things that all panels ask for are called.
pub(super) struct Names<'n> {
    /// The indices, separated by commas.
    pub index: &'n str,
    /// The field with the time of an event.
    pub time: &'n str,
    /// The field with its host.
    pub host: &'n str,
}

impl<'n> Names<'n> {
    fn field(&self, field: Field) -> &'n str {
        match field {
            Field::Named(name) => name,
            Field::Host => self.host,
        }
    }
}

/// The types of objects that both products know.
#[derive(Clone, Copy)]
enum Kind {
    IndexPattern,
    Search,
    Visualization,
    Dashboard,
}

impl Kind {
    /// Its name, and the newest form of it that OpenSearch Dashboards knows.
    fn form(self) -> (&'static str, &'static str) {
        match self {
            Kind::IndexPattern => ("index-pattern", "7.6.0"),
            Kind::Search => ("search", "7.9.3"),
            Kind::Visualization => ("visualization", "7.10.0"),
            Kind::Dashboard => ("dashboard", "7.9.3"),
        }
    }
}

/// What an object calls the index pattern it refers to.
const INDEX_REF: &str = "kibanaSavedObjectMeta.searchSourceJSON.index";

/// All objects of a dashboard. None refers to one that comes after it.
pub(super) fn all(dashboard: &Dashboard, names: &Names<'_>) -> Vec<Value> {
    let pattern = json!({"title": names.index, "timeFieldName": names.time});
    let mut objects = vec![object(
        dashboard,
        Kind::IndexPattern,
        "index",
        pattern,
        vec![],
    )];
    let panels = dashboard.panels.iter();
    objects.extend(panels.map(|panel| held(dashboard, panel, names)));
    objects.push(holder(dashboard));
    objects
}

/// The object of a panel.
fn held(dashboard: &Dashboard, panel: &Panel, names: &Names<'_>) -> Value {
    let head = json!({"title": title(dashboard, panel), "description": panel.about, "version": 1});
    let (mut own, asks) = match &panel.shows {
        Shows::Events(columns) => {
            let columns: Vec<_> = columns.iter().map(|field| names.field(*field)).collect();
            let search = json!({"hits": 0, "columns": columns, "sort": [[names.time, "desc"]]});
            (search, true)
        }
        Shows::Matrix(attack) => {
            let spec = matrix::spec(*attack, dashboard.mark, names);
            let state = json!({
                "title": title(dashboard, panel), "type": "vega", "aggs": [],
                "params": {"spec": spec.to_string()},
            });
            (visualization(&state, &json!({})), false)
        }
        Shows::Drawn(chart) => {
            let (kind, aggregations, params) = parts(chart, names);
            let state = json!({
                "title": title(dashboard, panel), "type": kind, "aggs": numbered(aggregations),
                "params": params,
            });
            (visualization(&state, &colours(chart)), true)
        }
    };
    let (source, references) = match asks {
        true => (source(dashboard.mark), vec![reference(dashboard)]),
        // Its query is in its text.
        false => (json!({"query": kuery(""), "filter": []}), vec![]),
    };
    own["kibanaSavedObjectMeta"] = json!({"searchSourceJSON": source.to_string()});
    let attributes = merged(head, own);
    object(dashboard, kind(panel), panel.id, attributes, references)
}

/// The dashboard.
fn holder(dashboard: &Dashboard) -> Value {
    let panels = dashboard.panels.iter().zip(0u32..);
    let placed = panels.clone().map(|(panel, number)| {
        let [x, y, w, h] = panel.place;
        let number = number.to_string();
        json!({
            "version": "7.10.0", "panelIndex": number, "panelRefName": format!("panel_{number}"),
            "gridData": {"x": x, "y": y, "w": w, "h": h, "i": number}, "embeddableConfig": {},
        })
    });
    let placed: Vec<Value> = placed.collect();
    let references = panels.map(|(panel, number)| {
        let (kind, _) = kind(panel).form();
        json!({"id": id(dashboard, panel.id), "name": format!("panel_{number}"), "type": kind})
    });
    let options = json!({"useMargins": true, "hidePanelTitles": false});
    let source = json!({"query": kuery(""), "filter": []});
    let attributes = json!({
        "title": format!("[{}] Tagged events", dashboard.name), "description": dashboard.about,
        "hits": 0, "version": 1,
        "timeRestore": true, "timeFrom": "now-7d", "timeTo": "now",
        "optionsJSON": options.to_string(),
        "panelsJSON": Value::from(placed).to_string(),
        "kibanaSavedObjectMeta": {"searchSourceJSON": source.to_string()},
    });
    let references = references.collect();
    object(
        dashboard,
        Kind::Dashboard,
        "dashboard",
        attributes,
        references,
    )
}

/// A visualization's own attributes.
fn visualization(state: &Value, look: &Value) -> Value {
    json!({"visState": state.to_string(), "uiStateJSON": look.to_string()})
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

/// Colours that belong to values.
fn colours(chart: &Chart) -> Value {
    match chart {
        Chart::Timeline { by, .. } | Chart::Ring { by, .. } if *by == "sigma.level" => {
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

/// What an object that shows tagged events asks for.
fn source(mark: &str) -> Value {
    json!({"query": kuery(&format!("tags : \"{mark}\"")), "filter": [], "indexRefName": INDEX_REF})
}

fn kuery(query: &str) -> Value {
    json!({"query": query, "language": "kuery"})
}

fn reference(dashboard: &Dashboard) -> Value {
    let (kind, _) = Kind::IndexPattern.form();
    json!({"id": id(dashboard, "index"), "name": INDEX_REF, "type": kind})
}

fn kind(panel: &Panel) -> Kind {
    match panel.shows {
        Shows::Events(_) => Kind::Search,
        _ => Kind::Visualization,
    }
}

fn title(dashboard: &Dashboard, panel: &Panel) -> String {
    format!("[{}] {}", dashboard.name, panel.title)
}

fn id(dashboard: &Dashboard, name: &str) -> String {
    format!("sigtag-{}-{name}", dashboard.profile.name())
}

fn object(
    dashboard: &Dashboard,
    kind: Kind,
    name: &str,
    attributes: Value,
    references: Vec<Value>,
) -> Value {
    let (kind, version) = kind.form();
    json!({
        "id": id(dashboard, name), "type": kind, "attributes": attributes, "references": references,
        "migrationVersion": {kind: version},
    })
}

fn merged(one: Value, other: Value) -> Value {
    let objects = [one, other].into_iter();
    let members = objects.filter_map(|value| match value {
        Value::Object(members) => Some(members),
        _ => None,
    });
    members.flatten().collect::<Map<_, _>>().into()
}
