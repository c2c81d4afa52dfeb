//! Fields for indices that do not exist yet.
//!
//! What decides of a new index is one index template, with the component templates that it is composed of. So the fields go into
//! a component template of sigtag's, which is added to the index templates that made the indices that are there; as its first
//! component, so that all others, and what the template says itself, count more. A template that belongs to the server is left
//! as it is but for the component that it leaves to users (`logs@custom`). Where only templates of the older kind decide, or
//! none, there is one more of those.

use super::{Cluster, escaped};
use crate::{IndexInfo, StoreError};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The component template.
const COMPONENT: &str = "sigtag";

/// What is in the answer to a question for a template, and not in a template.
const NOT_PUT: [&str; 4] = [
    "created_date",
    "created_date_millis",
    "modified_date",
    "modified_date_millis",
];

pub(super) async fn put(
    cluster: &Cluster,
    indices: &str,
    existing: Vec<&IndexInfo>,
    mapping: Value,
) -> Result<Vec<String>, StoreError> {
    let templates = cluster.send(Method::GET, "/_index_template", None).await?;
    let templates = templates["index_templates"].as_array();
    let templates: Vec<&Value> = templates.into_iter().flatten().collect();
    // A data stream's next index is made by what its own name is met by.
    let decisive: Vec<Option<&Value>> = existing
        .iter()
        .map(|index| index.data_stream.as_deref().unwrap_or(&index.name))
        .map(|name| template_of(&templates, name))
        .collect();
    let wanted: BTreeSet<&str> = decisive
        .iter()
        .flatten()
        .filter_map(|template| template["name"].as_str())
        .collect();
    let mut put = Vec::new();
    for template in templates {
        let name = template["name"].as_str().unwrap_or_default();
        if wanted.contains(name)
            && add(cluster, name, &template["index_template"], &mapping).await?
        {
            put.push(format!("index template {name}"));
        }
    }
    if decisive.contains(&None) {
        put.extend(legacy(cluster, indices, &mapping).await?);
    }
    Ok(put)
}

/// The template that decides of an index or data stream with this name.
fn template_of<'t>(templates: &[&'t Value], name: &str) -> Option<&'t Value> {
    let matching = templates.iter().filter(|template| {
        let patterns = template["index_template"]["index_patterns"].as_array();
        let mut patterns = patterns.into_iter().flatten().filter_map(Value::as_str);
        patterns.any(|pattern| predicate::glob(pattern, name))
    });
    let priority = |template: &&&Value| template["index_template"]["priority"].as_u64();
    matching.max_by_key(priority).copied()
}

/// Adds the fields to a template; whether they were not there.
async fn add(
    cluster: &Cluster,
    name: &str,
    template: &Value,
    mapping: &Value,
) -> Result<bool, StoreError> {
    let components: Vec<&str> = template["composed_of"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if template["_meta"]["managed"] == json!(true) {
        return match components.iter().find(|name| name.ends_with("@custom")) {
            Some(custom) => component(cluster, custom, mapping).await,
            None => Ok(false),
        };
    }
    let is_new = component(cluster, COMPONENT, mapping).await?;
    if components.contains(&COMPONENT) {
        return Ok(is_new);
    }
    let mut body: Map<String, Value> = template.as_object().cloned().unwrap_or_default();
    body.retain(|key, _| !NOT_PUT.contains(&key.as_str()));
    let components: Vec<&str> = [COMPONENT].into_iter().chain(components).collect();
    body.insert("composed_of".to_owned(), json!(components));
    let path = format!("/_index_template/{}", escaped(name));
    cluster
        .send(Method::PUT, &path, Some(Value::Object(body)))
        .await?;
    Ok(true)
}

/// Adds the fields to a component template, which is made if it is not there; whether they were not there.
async fn component(cluster: &Cluster, name: &str, mapping: &Value) -> Result<bool, StoreError> {
    let path = format!("/_component_template/{}", escaped(name));
    let answer = cluster.http.ask(Method::GET, &path, None).await?;
    let mut template = match answer.status.as_u16() {
        404 => json!({"template": {}}),
        _ => answer.read::<Value>()?["component_templates"][0]["component_template"].take(),
    };
    let now = &mut template["template"]["mappings"]["properties"];
    let mut properties = mapping["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    // What is said there already stays as it is.
    properties.extend(now.as_object().cloned().unwrap_or_default());
    if now
        .as_object()
        .is_some_and(|now| now.len() == properties.len())
    {
        return Ok(false);
    }
    *now = Value::Object(properties);
    if let Some(template) = template.as_object_mut() {
        template.retain(|key, _| !NOT_PUT.contains(&key.as_str()));
    }
    cluster.send(Method::PUT, &path, Some(template)).await?;
    Ok(true)
}

/// A template of the older kind, which is added to others.
async fn legacy(
    cluster: &Cluster,
    indices: &str,
    mapping: &Value,
) -> Result<Option<String>, StoreError> {
    let patterns = indices.split(',').map(str::trim);
    let patterns: Vec<&str> = patterns
        .filter(|pattern| pattern.contains('*') && !pattern.starts_with(['*', '.', '-']))
        .collect();
    if patterns.is_empty() {
        return Ok(None);
    }
    let name = format!("{COMPONENT}-{}", patterns.join("-").replace('*', "x"));
    let path = format!("/_template/{}", escaped(&name));
    let answer = cluster.http.ask(Method::GET, &path, None).await?;
    if answer.status.is_success() {
        return Ok(None);
    }
    let body = json!({"index_patterns": patterns, "order": -1, "mappings": mapping});
    cluster.send(Method::PUT, &path, Some(body)).await?;
    Ok(Some(format!("index template {name}")))
}
