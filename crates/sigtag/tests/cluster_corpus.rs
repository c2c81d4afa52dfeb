//! Real rules over real events in a cluster: the tags there are those of the same events in files, in every kind of index.
//!
//! Rules and events are not part of this repository; see `testkit::shared`.

mod desk;

use desk::Desk;
use serde_json::{Value, json};
use servers::Server;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// The folders of the rules that are in use.
const RULES: [&str; 4] = [
    "rules",
    "rules-emerging-threats",
    "rules-threat-hunting",
    "rules-compliance",
];

/// A file of the corpus, and the member of a line that holds the event where it is not the line.
type EventFile = (&'static str, Option<&'static str>);

/// The events, by their shape.
const EVENTS: [(&str, [EventFile; 2]); 2] = [
    (
        "winlogbeat",
        [
            ("sample-winlogbeat.jsonl.zst", None),
            ("regression-winlogbeat-open.jsonl.zst", Some("doc")),
        ],
    ),
    (
        "ecs",
        [
            ("sample-ecs.jsonl.zst", None),
            ("regression-ecs-open.jsonl.zst", Some("doc")),
        ],
    ),
];

/// The member by which an event is known again; also a dimension, which is a text.
const NUMBER: &str = "sigtag_test";

/// Rule ids by the number of the event; only events with a hit.
type Hits = BTreeMap<String, Vec<String>>;

fn ids(event: &Value) -> Vec<String> {
    let ids = event["sigma"]["rule"]["id"]
        .as_array()
        .into_iter()
        .flatten();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn events(corpus: &Path, files: &[EventFile]) -> Vec<Value> {
    let mut all = Vec::new();
    for (file, member) in files {
        let lines =
            BufReader::new(zstd::Decoder::new(File::open(corpus.join(file)).unwrap()).unwrap())
                .lines();
        for line in lines {
            let mut line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let mut event = match member {
                Some(member) => line[*member].take(),
                None => line,
            };
            event[NUMBER] = json!(all.len().to_string());
            all.push(event);
        }
    }
    all
}

/// What is said of an index, and what is said of it when it is made.
fn kinds(server: &Server) -> Vec<(&'static str, Value)> {
    // What searches find does not matter here, and events of many kinds do not fit into one mapping.
    let mapping = json!({"dynamic": false, "properties": {"@timestamp": {"type": "date"}, NUMBER: {"type": "keyword"}}});
    let with = |settings: Value| json!({"settings": settings, "mappings": mapping});
    let mut kinds = vec![
        ("one-shard", with(json!({"index.number_of_shards": "1"}))),
        ("four-shards", with(json!({"index.number_of_shards": "4"}))),
    ];
    if matches!(server.name(), "elasticsearch-8" | "elasticsearch-9") {
        kinds.push(("logsdb", with(json!({"index.mode": "logsdb"}))));
        let mut series = with(json!({
            "index.mode": "time_series",
            "index.routing_path": NUMBER,
            "index.time_series.start_time": "2000-01-01T00:00:00Z",
            "index.time_series.end_time": "2040-01-01T00:00:00Z",
        }));
        series["mappings"]["properties"][NUMBER]["time_series_dimension"] = json!(true);
        kinds.push(("time-series", series));
    }
    kinds
}

fn load(server: &Server, index: &str, events: &[Value]) {
    for some in events.chunks(500) {
        let lines = some
            .iter()
            .map(|event| format!("{{\"create\":{{}}}}\n{event}\n"));
        let loaded = server
            .post(&format!("/{index}/_bulk"), &lines.collect::<String>())
            .body;
        assert_eq!(
            loaded["errors"],
            false,
            "{index}: {}",
            loaded.to_string().chars().take(500).collect::<String>()
        );
    }
    server.post(&format!("/{index}/_refresh"), "");
}

fn all(server: &Server, index: &str) -> Vec<Value> {
    server.post(&format!("/{index}/_refresh"), "");
    let found = server.get(&format!("/{index}/_search?size=10000")).body;
    found["hits"]["hits"]
        .as_array()
        .unwrap_or_else(|| panic!("{found}"))
        .clone()
}

#[test]
fn tags_in_a_cluster_are_those_of_files() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let Some(server) = servers::server(servers::ANY) else {
        return;
    };
    let corpus = shared.join("corpus");
    let desk = Desk::new(&[]);
    let archive = File::open(corpus.join("sigmahq-2026-08.tar.zst")).unwrap();
    tar::Archive::new(zstd::Decoder::new(archive).unwrap())
        .unpack(desk.path("sigma"))
        .unwrap();
    let mut rules = Vec::new();
    for name in RULES {
        rules.extend(["--rules".to_owned(), format!("sigma/{name}")]);
    }
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    for (shape, files) in EVENTS {
        let events = events(&corpus, &files);
        let mut file = File::create(desk.path("events.jsonl")).unwrap();
        for event in &events {
            writeln!(file, "{event}").unwrap();
        }
        let in_files = desk.stats(
            &[
                &["tag"],
                &rules[..],
                &["--output", "tagged.jsonl", "events.jsonl"],
            ]
            .concat(),
        );
        let tagged = fs::read_to_string(desk.path("tagged.jsonl")).unwrap();
        let wanted: Hits = tagged
            .lines()
            .map(|line| {
                let event: Value = serde_json::from_str(line).unwrap();
                (event[NUMBER].as_str().unwrap().to_owned(), ids(&event))
            })
            .collect();
        assert!(wanted.len() > 500, "{shape}: {}", wanted.len());

        let mut places: Vec<(&str, String)> = kinds(&server)
            .into_iter()
            .map(|(name, body)| {
                (
                    name,
                    server.create_index(&format!("corpus-{shape}-{name}"), &body),
                )
            })
            .collect();
        if server.name() != "elasticsearch-7" {
            let stream = server.index(&format!("corpus-{shape}-stream"));
            let mapping = kinds(&server).swap_remove(0).1["mappings"].take();
            let template = json!({"index_patterns": [stream], "data_stream": {}, "priority": 900, "template": {"mappings": mapping}});
            let put = server.send(
                "PUT",
                &format!("/_index_template/{stream}"),
                Some(&template.to_string()),
            );
            assert_eq!(put.status, 200, "{}", put.body);
            places.push(("stream", stream));
        }
        for (kind, index) in &places {
            load(&server, index, &events);
            // Through an alias, too.
            let mut name = index.clone();
            if *kind == "one-shard" {
                name = format!("{index}-alias");
                assert_eq!(
                    server
                        .send("PUT", &format!("/{index}/_alias/{name}"), None)
                        .status,
                    200
                );
            }
            let in_cluster = desk.stats(
                &[
                    &["tag"],
                    &rules[..],
                    &["--store", server.url(), "--index", &name],
                ]
                .concat(),
            );
            for counter in ["events", "tagged", "hits", "rules", "techniques", "hosts"] {
                assert_eq!(
                    in_cluster[counter], in_files[counter],
                    "{shape} {kind} {counter}"
                );
            }
            // What is done is known again, whatever the rules.
            server.post("/_refresh", "");
            let tag = ["--store", server.url(), "--index", &name];
            let again = desk.stats(&[&["tag"], &rules[..], &tag].concat());
            assert_eq!(again["events"], 0, "{shape} {kind}");
            let documents = all(&server, index);
            assert_eq!(documents.len(), events.len());
            let numbers: BTreeMap<&str, &str> = documents
                .iter()
                .map(|document| {
                    (
                        document["_id"].as_str().unwrap(),
                        document["_source"][NUMBER].as_str().unwrap(),
                    )
                })
                .collect();
            let mut found = Hits::new();
            if *kind == "time-series" {
                for hit in all(&server, "sigma-hits-*") {
                    let source = &hit["_source"]["sigma"]["source"];
                    if source["index"] == json!(index) {
                        let number = numbers[source["id"].as_str().unwrap()].to_owned();
                        found
                            .entry(number)
                            .or_default()
                            .extend(ids(&hit["_source"]));
                    }
                }
                found.values_mut().for_each(|ids| ids.sort());
            } else {
                for document in &documents {
                    let ids = ids(&document["_source"]);
                    if !ids.is_empty() {
                        found.insert(
                            document["_source"][NUMBER].as_str().unwrap().to_owned(),
                            ids,
                        );
                    }
                }
            }
            assert!(found == wanted, "{shape} {kind}");
            eprintln!(
                "{}: {shape} in {kind}: {} of {} events tagged, {} hits, as in files",
                server.name(),
                found.len(),
                events.len(),
                in_files["hits"]
            );
            if *kind == "stream" {
                server.send("DELETE", &format!("/_data_stream/{index}"), None);
                server.send("DELETE", &format!("/_index_template/{index}"), None);
            }
        }
    }
}
