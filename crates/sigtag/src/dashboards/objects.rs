//! Saved objects out of the tables: an index pattern, an object for each panel, and the dashboard that holds them.

use super::panels::{Dashboard, Field, Panel, Shows};
use super::{charts, matrix};
use serde_json::{Value, json};

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
    pub(super) fn field(&self, field: Field) -> &'n str {
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
    let title = format!("[{}] {}", dashboard.name, panel.title);
    let mut attributes = match &panel.shows {
        Shows::Drawn(chart) => {
            visualization(&charts::state(chart, &title, names), &charts::look(chart))
        }
        Shows::Matrix(attack) => {
            let spec = matrix::spec(*attack, dashboard.mark, names).to_string();
            let state =
                json!({"title": title, "type": "vega", "aggs": [], "params": {"spec": spec}});
            visualization(&state, &json!({}))
        }
        Shows::Events(columns) => {
            let columns: Vec<_> = columns.iter().map(|field| names.field(*field)).collect();
            json!({"hits": 0, "columns": columns, "sort": [[names.time, "desc"]]})
        }
    };
    let (source, references) = match panel.shows {
        // Its query is in its text.
        Shows::Matrix(_) => (everything(), vec![]),
        _ => (tagged(dashboard.mark), vec![reference(dashboard)]),
    };
    attributes["title"] = json!(title);
    attributes["description"] = json!(panel.about);
    attributes["version"] = json!(1);
    attributes["kibanaSavedObjectMeta"] = json!({"searchSourceJSON": source.to_string()});
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
    let attributes = json!({
        "title": format!("[{}] Tagged events", dashboard.name), "description": dashboard.about,
        "hits": 0, "version": 1,
        "timeRestore": true, "timeFrom": "now-7d", "timeTo": "now",
        "optionsJSON": options.to_string(),
        "panelsJSON": Value::from(placed).to_string(),
        "kibanaSavedObjectMeta": {"searchSourceJSON": everything().to_string()},
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

/// What an object that shows tagged events asks for.
fn tagged(mark: &str) -> Value {
    json!({"query": kuery(&format!("tags : \"{mark}\"")), "filter": [], "indexRefName": INDEX_REF})
}

/// What an object asks for that leaves it to others.
fn everything() -> Value {
    json!({"query": kuery(""), "filter": []})
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

fn id(dashboard: &Dashboard, name: &str) -> String {
    format!("sigtag-{}-{name}", dashboard.profile.name())
}

/// A saved object with the name that it has on its dashboard.
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
