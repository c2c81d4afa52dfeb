//! What indices there are, and what can be done with each.

use super::{Cluster, Listed, escaped, scan};
use crate::{IndexInfo, StoreError};
use reqwest::Method;
use serde_json::Value;
use std::collections::HashMap;

/// Settings of an index that takes no updates, and why.
const FIXED: &[(&str, &str, &str)] = &[
    ("index.append_only.enabled", "true", "it is append-only"),
    ("index.mode", "time_series", "it is in time series mode"),
    ("index.blocks.write", "true", "it takes no writes"),
    ("index.blocks.read_only", "true", "it is read-only"),
    (
        "index.store.type",
        "snapshot",
        "it is a searchable snapshot",
    ),
    (
        "index.store.type",
        "remote_snapshot",
        "it is a searchable snapshot",
    ),
    (
        "index.xpack.ccr.following_index",
        "true",
        "it follows an index of another cluster",
    ),
    (
        "index.plugins.replication.follower.leader_index",
        "*",
        "it follows an index of another cluster",
    ),
    (
        "index.ingestion_source.type",
        "*",
        "it takes its events from a stream",
    ),
];

/// Settings of an index that cannot be read, and why.
const UNREADABLE: &[(&str, &str, &str)] = &[
    ("index.blocks.read", "true", "it takes no searches"),
    ("index.verified_before_close", "true", "it is closed"),
    (
        "index.disable_sequence_numbers",
        "true",
        "it has no sequence numbers",
    ),
];

pub(super) async fn all(cluster: &Cluster, indices: &str) -> Result<Vec<IndexInfo>, StoreError> {
    let path = |what: &str| format!("/{}/{what}", escaped(indices));
    let get = async |path: &str| cluster.send(Method::GET, path, None).await;
    let mappings = get(&path("_mapping")).await?;
    // For a data stream, whose indices are there, some answer that there is none.
    let aliases = cluster.http.ask(Method::GET, &path("_alias"), None).await?;
    let aliases: Value = match aliases.status.as_u16() {
        404 => Value::Null,
        _ => aliases.read()?,
    };
    let settings = get(&path("_settings?flat_settings=true")).await?;
    let stats = path(&format!(
        "_stats/docs,store?level=shards&filter_path={},indices.*.primaries.docs.count,\
         indices.*.primaries.store.size_in_bytes",
        scan::OF_SHARDS
    ));
    let stats: scan::Stats = cluster.http.ask(Method::GET, &stats, None).await?.read()?;
    let shards = stats.shards();
    let streams = streams(cluster, indices).await?;
    let mut all: Vec<IndexInfo> = mappings
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, mapping)| {
            let (mapping, settings) = (&mapping["mappings"], &settings[name]["settings"]);
            let stats = stats.indices.get(name).map(|of_index| &of_index.primaries);
            let number = |of: &str, name: &str| {
                let value = stats.and_then(|stats| stats[of][name].as_u64());
                value.unwrap_or_default()
            };
            let setting = |name: &str| settings[name].as_str().unwrap_or_default();
            let aliases = aliases[name]["aliases"].as_object();
            IndexInfo {
                name: name.clone(),
                uuid: setting("index.uuid").to_owned(),
                documents: number("docs", "count"),
                bytes: number("store", "size_in_bytes"),
                aliases: aliases
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.clone())
                    .collect(),
                data_stream: streams.get(name).cloned(),
                shards: setting("index.number_of_shards").parse().unwrap_or(1),
                next_seq_nos: shards
                    .iter()
                    .filter(|shard| shard.index == *name)
                    .map(|shard| shard.end)
                    .collect(),
                fixed: reason(FIXED, settings).or_else(|| is_kept_in_part(mapping)),
                unreadable: reason(UNREADABLE, settings).or_else(|| is_not_kept(mapping)),
                mapping: mapping.clone(),
            }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let mut known = cluster.known();
    for index in &all {
        let interval = &settings[&index.name]["settings"]["index.refresh_interval"];
        let known = known.indices.entry(index.name.clone()).or_default();
        known.uuid.clone_from(&index.uuid);
        known.listed = Some(Listed {
            lag: scan::lag(interval.as_str()),
            shards: index.shards as usize,
        });
    }
    Ok(all)
}

fn reason(table: &[(&str, &str, &str)], settings: &Value) -> Option<String> {
    let found = table.iter().find(|(name, value, _)| {
        let own = settings[*name].as_str();
        own.is_some_and(|own| own == *value || *value == "*")
    });
    found.map(|(name, _, why)| format!("{why} ({name})"))
}

fn is_not_kept(mapping: &Value) -> Option<String> {
    let is_off = mapping["_source"]["enabled"] == Value::Bool(false);
    is_off.then(|| "it does not keep its documents (_source)".to_owned())
}

/// To change a document would lose what is left out of it.
fn is_kept_in_part(mapping: &Value) -> Option<String> {
    let source = &mapping["_source"];
    let is_partial = ["includes", "excludes"]
        .iter()
        .any(|name| !source[name].is_null());
    is_partial.then(|| "it keeps its documents in part only (_source)".to_owned())
}

/// The data stream of each index that belongs to one.
async fn streams(cluster: &Cluster, indices: &str) -> Result<HashMap<String, String>, StoreError> {
    let path = format!("/_resolve/index/{}", escaped(indices));
    let answer = cluster.http.ask(Method::GET, &path, None).await?;
    // Who may not know it can do without.
    let found: Value = answer.read().unwrap_or_default();
    let all = |name: &str| found[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut streams = HashMap::new();
    for index in all("indices") {
        if index["data_stream"].is_string() {
            streams.insert(text(&index["name"]), text(&index["data_stream"]));
        }
    }
    for stream in all("data_streams") {
        for index in stream["backing_indices"].as_array().into_iter().flatten() {
            streams.insert(text(index), text(&stream["name"]));
        }
    }
    Ok(streams)
}
