//! A pass over a store knows what was done before, where tags can go, and which events are meant; in a folder and in a cluster.

mod desk;

use desk::Desk;
use serde_json::{Value, json};
use servers::Server;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const EVIL: &str = "5f1abf3e-0000-4000-8000-000000000001";
const ODD: &str = "5f1abf3e-0000-4000-8000-000000000002";

/// Two rules: for events with `evil` in them, and for those with an odd number.
const RULES: &str = "title: Evil\nid: 5f1abf3e-0000-4000-8000-000000000001\nlogsource: {product: windows, service: sysmon}\n\
    detection: {selection: {Image|contains: evil}, condition: selection}\nlevel: high\nauthor: Ada\ntags: [attack.t1218.005]\n\
    ---\ntitle: Odd\nid: 5f1abf3e-0000-4000-8000-000000000002\nlogsource: {product: windows, service: sysmon}\n\
    detection: {selection: {Image|endswith: odd}, condition: selection}\nlevel: low\n";

fn server() -> Option<Server> {
    servers::server(servers::ANY)
}

/// Events with these numbers: each third is evil, each second odd; one an hour.
fn events(numbers: std::ops::Range<u32>) -> String {
    let event = |n: u32| {
        let image = [
            if n.is_multiple_of(3) { "evil" } else { "good" },
            if n % 2 == 1 { " odd" } else { "" },
        ]
        .concat();
        let time = format!(
            "2026-{:02}-{:02}T{:02}:00:00Z",
            1 + n / 672,
            1 + n / 24 % 28,
            n % 24
        );
        let event = json!({"@timestamp": time, "Channel": "Microsoft-Windows-Sysmon/Operational", "Image": image, "n": n});
        event.to_string() + "\n"
    };
    numbers.map(event).collect()
}

fn evil(numbers: std::ops::Range<u32>) -> usize {
    numbers.filter(|n| n.is_multiple_of(3)).count()
}

/// The events of which the rules say something.
fn said(numbers: std::ops::Range<u32>) -> usize {
    numbers
        .filter(|n| n.is_multiple_of(3) || n % 2 == 1)
        .count()
}

/// A store with an index of its own.
struct Place {
    desk: Desk,
    store: String,
    index: String,
    server: Option<Server>,
}

impl Place {
    fn folder() -> Place {
        Place::new("s".to_owned(), "logs".to_owned(), None)
    }

    /// An index of a server, with this body.
    fn cluster(server: Server, name: &str, body: &Value) -> Place {
        let index = server.create_index(name, body);
        Place::new(server.url().to_owned(), index, Some(server))
    }

    fn new(store: String, index: String, server: Option<Server>) -> Place {
        let desk = Desk::new(&[("rules.yml", RULES)]);
        Place {
            desk,
            store,
            index,
            server,
        }
    }

    /// A command on the index that has to succeed; its summary.
    fn run(&self, command: &[&str]) -> Value {
        self.refresh();
        let at = ["--store", &self.store, "--index", &self.index];
        self.desk
            .stats(&[&command[..1], &at, &command[1..]].concat())
    }

    fn tag(&self, more: &[&str]) -> Value {
        self.run(&[&["tag", "--rules", "rules.yml"], more].concat())
    }

    fn load(&self, numbers: std::ops::Range<u32>) {
        fs::write(self.desk.path("events.jsonl"), events(numbers)).unwrap();
        self.run(&["load", "events.jsonl"]);
    }

    /// Writes events past the program.
    fn post(&self, events: impl Iterator<Item = String>) {
        let lines: String = events
            .map(|event| format!("{{\"create\":{{}}}}\n{event}\n"))
            .collect();
        let path = format!("/{}/_bulk?refresh=true", self.index);
        let loaded = self.server.as_ref().unwrap().post(&path, &lines);
        assert_eq!(loaded.body["errors"], false, "{}", loaded.body);
    }

    fn refresh(&self) {
        if let Some(server) = &self.server {
            server.post("/_refresh", "");
        }
    }

    /// All documents of an index, by id.
    fn content_of(&self, index: &str) -> BTreeMap<String, Value> {
        self.refresh();
        let all = [
            "search",
            "--store",
            &self.store,
            "--index",
            index,
            "--format",
            "jsonl",
            "--size",
            "100000",
        ];
        let found = self.desk.run(&all);
        assert_eq!(found.code, 0, "{}", found.err);
        let hits = found.out.lines().map(|line| {
            let mut hit: Value = serde_json::from_str(line).unwrap();
            (
                hit["_id"].as_str().unwrap().to_owned(),
                hit["_source"].take(),
            )
        });
        hits.collect()
    }

    /// The numbers of events that carry a rule.
    fn tagged(&self, rule: &str) -> usize {
        let has = |event: &&Value| {
            event["sigma"]["rule"]["id"]
                .as_array()
                .is_some_and(|ids| ids.contains(&json!(rule)))
        };
        self.content_of(&self.index).values().filter(has).count()
    }

    /// The hits on events of the index in the side index: rule, and number of the event.
    fn aside(&self) -> BTreeSet<(String, u64)> {
        let hits = self.content_of("sigma-hits-*").into_values();
        let own = hits.filter(|hit| hit["sigma"]["source"]["index"] == json!(self.index));
        let hit = |hit: Value| {
            assert_eq!(hit["sigma"]["rule"]["id"].as_array().map(Vec::len), Some(1));
            (
                hit["sigma"]["rule"]["id"][0].as_str().unwrap().to_owned(),
                hit["n"].as_u64().unwrap(),
            )
        };
        own.map(hit).collect()
    }
}

/// The hits of the rules.
fn hits(numbers: std::ops::Range<u32>) -> BTreeSet<(String, u64)> {
    let of = |n: u32| {
        let evil = n.is_multiple_of(3).then(|| (EVIL.to_owned(), n.into()));
        let odd = (n % 2 == 1).then(|| (ODD.to_owned(), n.into()));
        evil.into_iter().chain(odd)
    };
    numbers.flat_map(of).collect()
}

#[test]
fn a_second_pass_reads_only_what_is_new_in_a_folder() {
    second_pass(&Place::folder());
}

#[test]
fn a_second_pass_reads_only_what_is_new_in_a_cluster() {
    let Some(server) = server() else { return };
    second_pass(&Place::cluster(
        server,
        "second",
        &json!({"settings": {"index.number_of_shards": "3"}}),
    ));
}

fn second_pass(place: &Place) {
    place.load(0..3_000);
    let first = place.tag(&[]);
    assert_eq!(
        (&first["events"], &first["written"]),
        (&json!(3_000), &json!(said(0..3_000)))
    );
    // What it has written itself is not new.
    let second = place.tag(&[]);
    assert_eq!(
        (&second["events"], &second["known"]),
        (&json!(0), &json!(3_000)),
        "{second}"
    );
    place.load(3_000..3_010);
    let third = place.tag(&[]);
    assert_eq!(
        (&third["events"], &third["written"]),
        (&json!(10), &json!(said(3_000..3_010)))
    );
    // What others change is new.
    place.run(&["untag", "--rule", EVIL]);
    assert_eq!(place.tagged(EVIL), 0);
    let fourth = place.tag(&[]);
    assert_eq!(
        (&fourth["events"], &fourth["written"]),
        (&json!(evil(0..3_010)), &json!(evil(0..3_010)))
    );
    assert_eq!(place.tagged(EVIL), evil(0..3_010));
    // Who wants to can have it all again, and a dry run counts all.
    for (option, written) in [("--again", 0), ("--dry-run", 0)] {
        let again = place.tag(&[option]);
        assert_eq!(
            (&again["events"], &again["written"]),
            (&json!(3_010), &json!(written)),
            "{option}"
        );
    }
    assert_eq!(place.tag(&[])["events"], 0);
    // Other rules have done nothing yet; not even if only what tags say of them is another.
    for (from, to) in [
        ("level: low", "level: medium"),
        ("endswith: odd", "endswith: d"),
        ("author: Ada", "author: Eve"),
    ] {
        let rules = fs::read_to_string(place.desk.path("rules.yml"))
            .unwrap()
            .replace(from, to);
        fs::write(place.desk.path("rules.yml"), rules).unwrap();
        let other = place.tag(&[]);
        assert_eq!(other["events"], 3_010, "{to}");
        assert_ne!(other["written"], 0, "{to}");
        assert_eq!(place.tag(&[])["events"], 0, "{to}");
    }
    assert_eq!(place.tag(&["--profile", "both"])["events"], 3_010);
}

#[test]
fn only_the_events_that_are_meant_are_tagged_in_a_folder() {
    meant(&Place::folder());
}

#[test]
fn only_the_events_that_are_meant_are_tagged_in_a_cluster() {
    let Some(server) = server() else { return };
    meant(&Place::cluster(server, "meant", &json!({})));
}

fn meant(place: &Place) {
    place.load(0..1_000);
    let dry = place.tag(&["--dry-run"]);
    assert_eq!(
        (&dry["dry_run"], &dry["written"]),
        (&json!(true), &json!(said(0..1_000)))
    );
    assert_eq!(place.tagged(EVIL), 0);
    // Hours 100 to 199.
    let some = [
        "--since",
        "2026-01-05T04:00:00Z",
        "--until",
        "2026-01-09T08:00:00Z",
    ];
    let tagged = place.tag(&some);
    assert_eq!(
        (&tagged["events"], &tagged["tagged"]),
        (&json!(100), &json!(said(100..200))),
        "{tagged}"
    );
    let evil_ones = evil(100..200);
    assert_eq!(place.tagged(EVIL), evil_ones);
    assert_eq!(place.tag(&some)["events"], 0);
    // What was seen counts for others too.
    assert_eq!(
        place.tag(&["--since", "2026-01-05", "--until", "2026-01-10"])["events"],
        120 - 100
    );
    assert_eq!(place.tag(&[])["events"], 1_000 - 120);
    assert_eq!(place.tagged(EVIL), evil(0..1_000));
    // Who says nothing of the time cannot be meant, and that is said.
    fs::write(
        place.desk.path("events.jsonl"),
        "{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Image\":\"evil\"}\n",
    )
    .unwrap();
    place.run(&["load", "events.jsonl"]);
    let dated = place.tag(&["--since", "3000d"]);
    assert_eq!(dated["events"], 0);
    assert!(
        dated["input"].to_string().contains("has no @timestamp"),
        "{dated}"
    );
    assert_eq!(place.tag(&[])["events"], 1);
    let start = std::time::Instant::now();
    assert_eq!(place.tag(&["--again", "--rate", "500"])["events"], 1_001);
    assert!(start.elapsed().as_secs_f64() > 1.9, "{:?}", start.elapsed());
    for wrong in ["yesterday", "2026-13-01", "7", "d", "99999999999d"] {
        let ran = place.desk.run(&[
            "tag",
            "--rules",
            "rules.yml",
            "--store",
            &place.store,
            "--index",
            "x",
            "--since",
            wrong,
        ]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("how long ago"), "{}", ran.err);
    }
}

#[test]
fn hits_go_beside_events_that_are_not_to_be_changed_in_a_folder() {
    beside(&Place::folder());
}

#[test]
fn hits_go_beside_events_that_are_not_to_be_changed_in_a_cluster() {
    let Some(server) = server() else { return };
    beside(&Place::cluster(server, "beside", &json!({})));
}

fn beside(place: &Place) {
    place.load(0..700);
    let before = place.content_of(&place.index);
    let tagged = place.tag(&["--mode", "side"]);
    assert_eq!(
        (&tagged["written"], &tagged["aside"]),
        (&json!(0), &json!(hits(0..700).len()))
    );
    assert_eq!(place.content_of(&place.index), before);
    assert_eq!(place.aside(), hits(0..700));
    // The copy is the event with its tag.
    let all = place.content_of("sigma-hits-*");
    let mut hit = all
        .into_values()
        .find(|hit| {
            hit["n"] == 3
                && hit["sigma"]["level"][0] == "high"
                && hit["sigma"]["source"]["index"] == json!(place.index)
        })
        .unwrap();
    let source = hit["sigma"]["source"]["id"].as_str().unwrap().to_owned();
    assert_eq!(hit["threat"]["technique"]["id"], json!(["T1218"]));
    for name in ["sigma", "tags", "threat"] {
        assert!(hit.as_object_mut().unwrap().shift_remove(name).is_some());
    }
    assert_eq!(hit, before[&source]);
    // To find it again adds nothing.
    assert_eq!(place.tag(&["--mode", "side"])["events"], 0);
    let again = place.tag(&["--mode", "side", "--again"]);
    assert_eq!(
        (&again["events"], &again["aside"]),
        (&json!(700), &Value::Null)
    );
    // A rule that is gone takes its hits with it.
    let one = RULES.split("---").next().unwrap();
    fs::write(place.desk.path("rules.yml"), one).unwrap();
    let odd = (0..700).filter(|n| n % 2 == 1).count();
    assert_eq!(place.tag(&["--mode", "side"])["aside_removed"], odd);
    assert!(place.aside().iter().all(|(rule, _)| rule == EVIL));
    fs::write(place.desk.path("rules.yml"), RULES).unwrap();
    let both = place.tag(&["--mode", "both"]);
    assert_eq!(
        (&both["written"], &both["aside"]),
        (&json!(said(0..700)), &json!(odd))
    );
    assert_eq!(place.aside(), hits(0..700));
    assert_eq!(place.tagged(EVIL), evil(0..700));
    let gone = place.run(&["untag", "--rule", ODD]);
    assert_eq!(gone["aside_removed"], odd);
    place.run(&["untag", "--all"]);
    assert_eq!(place.aside(), BTreeSet::new());
    assert_eq!(place.content_of(&place.index), before);
    // What is ours is no event, whoever asks for it.
    let everything = place.desk.run(&[
        "tag",
        "--rules",
        "rules.yml",
        "--store",
        &place.store,
        "--index",
        "sigma-hits-*",
        "--stats",
        "stats.json",
    ]);
    assert_eq!(everything.code, 0, "{}", everything.err);
    let stats: Value =
        serde_json::from_slice(&fs::read(place.desk.path("stats.json")).unwrap()).unwrap();
    assert_eq!(stats["events"], 0);
}

/// An index, and what is to become of the tags of its events.
struct Kind {
    name: &'static str,
    /// What is said of it when it is made.
    body: Value,
    /// What is set when the events are in it.
    then: Value,
    tags: &'static str,
    reason: &'static str,
}

fn kinds(server: &Server) -> Vec<Kind> {
    let keyword = json!({"type": "keyword"});
    let event = json!({"@timestamp": {"type": "date"}, "Channel": keyword, "Image": keyword, "n": {"type": "long"}});
    let with = |more: Value| {
        let mut all = event.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let kind = |name, body, tags, reason| Kind {
        name,
        body,
        then: json!({}),
        tags,
        reason,
    };
    let mut kinds = vec![
        kind("plain", json!({}), "in-place", ""),
        kind(
            "strict",
            json!({"mappings": {"dynamic": "strict", "properties": event}}),
            "in-place",
            "",
        ),
        Kind {
            then: json!({"index.blocks.write": true}),
            ..kind(
                "blocked",
                json!({}),
                "side",
                "it takes no writes (index.blocks.write)",
            )
        },
        kind(
            "object",
            json!({"mappings": {"properties": with(json!({"tags": {"properties": {"a": keyword}}}))}}),
            "side",
            "its field `tags` is an object",
        ),
        // What the plan cannot know is found out by putting the schema.
        kind(
            "full",
            json!({"mappings": {"properties": event}, "settings": {"index.mapping.total_fields.limit": "6"}}),
            "in-place",
            "",
        ),
        kind(
            "partial",
            json!({"mappings": {"properties": event, "_source": {"excludes": ["secret"]}}}),
            "side",
            "it keeps its documents in part only (_source)",
        ),
        kind(
            "unkept",
            json!({"mappings": {"properties": event, "_source": {"enabled": false}}}),
            "nowhere",
            "it does not keep its documents (_source)",
        ),
    ];
    if server.name() == "opensearch-3" {
        kinds.push(kind(
            "append",
            json!({"settings": {"index.append_only.enabled": "true"}}),
            "side",
            "it is append-only (index.append_only.enabled)",
        ));
    }
    if matches!(server.name(), "elasticsearch-8" | "elasticsearch-9") {
        let mode = json!({
            "index.mode": "time_series",
            "index.routing_path": "station",
            "index.time_series.start_time": "2026-01-01T00:00:00Z",
            "index.time_series.end_time": "2026-12-31T00:00:00Z",
        });
        let station = json!({"station": {"type": "keyword", "time_series_dimension": true}});
        kinds.push(kind(
            "series",
            json!({"settings": mode, "mappings": {"properties": with(station)}}),
            "side",
            "it is in time series mode (index.mode)",
        ));
        let host = with(json!({"host": {"properties": {"name": keyword}}}));
        kinds.push(kind(
            "logsdb",
            json!({"settings": {"index.mode": "logsdb"}, "mappings": {"properties": host}}),
            "in-place",
            "",
        ));
    }
    kinds
}

/// On each kind of index all hits are somewhere, and to find them again adds nothing.
#[test]
fn where_tags_can_go_is_found_out() {
    let Some(first) = server() else { return };
    let kinds = kinds(&first);
    drop(first);
    for kind in kinds {
        let place = Place::cluster(server().unwrap(), kind.name, &kind.body);
        let (server, index) = (place.server.as_ref().unwrap(), &place.index);
        let text = events(0..200);
        place.post(text.lines().map(|event| match kind.name {
            "series" => event.replacen('{', "{\"station\":\"a\",", 1),
            "logsdb" => event.replacen('{', "{\"host\":{\"name\":\"a\"},", 1),
            _ => event.to_owned(),
        }));
        if kind.then != json!({}) {
            let set = server.send(
                "PUT",
                &format!("/{index}/_settings"),
                Some(&kind.then.to_string()),
            );
            assert_eq!(set.status, 200, "{}", set.body);
        }
        let plan = place.desk.run(&[
            "plan",
            "--rules",
            "rules.yml",
            "--store",
            &place.store,
            "--index",
            index,
            "--format",
            "jsonl",
        ]);
        assert_eq!(
            plan.code,
            i32::from(kind.tags == "nowhere"),
            "{}: {}",
            kind.name,
            plan.err
        );
        let planned: Value = serde_json::from_str(&plan.out).unwrap();
        assert_eq!(planned["documents"], 200);
        assert_eq!(planned["tags"], kind.tags, "{}: {planned}", kind.name);
        assert_eq!(
            planned["reason"].as_str().unwrap_or_default(),
            kind.reason,
            "{}",
            kind.name
        );

        let tag = [
            "tag",
            "--rules",
            "rules.yml",
            "--store",
            &place.store,
            "--index",
            index,
        ];
        let ran = place
            .desk
            .run(&[&tag[..], &["--stats", "stats.json"]].concat());
        assert_eq!(
            ran.code,
            i32::from(kind.tags == "nowhere"),
            "{}: {}",
            kind.name,
            ran.err
        );
        let stats: Value =
            serde_json::from_slice(&fs::read(place.desk.path("stats.json")).unwrap()).unwrap();
        match kind.tags {
            "nowhere" => assert!(ran.err.contains(kind.reason), "{}", ran.err),
            "in-place" if kind.name != "full" => {
                assert_eq!(
                    (&stats["written"], &stats["aside"]),
                    (&json!(said(0..200)), &Value::Null),
                    "{}",
                    kind.name
                );
                assert_eq!(place.tagged(EVIL), evil(0..200), "{}", kind.name);
            }
            _ => {
                assert!(
                    ran.err.contains("its hits are in sigma-hits-*"),
                    "{}: {}",
                    kind.name,
                    ran.err
                );
                assert_eq!(
                    (&stats["written"], &stats["aside"]),
                    (&json!(0), &json!(hits(0..200).len())),
                    "{}",
                    kind.name
                );
                assert_eq!(place.aside(), hits(0..200), "{}", kind.name);
            }
        }
        if kind.tags == "nowhere" {
            continue;
        }
        assert_eq!(place.tag(&[])["events"], 0, "{}", kind.name);
        let again = place.tag(&["--again"]);
        assert_eq!(
            (&again["events"], &again["written"], &again["aside"]),
            (&json!(200), &json!(0), &Value::Null),
            "{}",
            kind.name
        );
        if kind.name == "blocked" {
            // What was done beside the events is not done in them.
            let open = json!({"index.blocks.write": false}).to_string();
            let set = server.send("PUT", &format!("/{index}/_settings"), Some(&open));
            assert_eq!(set.status, 200, "{}", set.body);
            assert_eq!(place.tag(&[])["written"], said(0..200));
        }
        place.run(&["untag", "--all"]);
        assert_eq!(place.aside(), BTreeSet::new(), "{}", kind.name);
        assert_eq!(place.tagged(EVIL), 0, "{}", kind.name);
    }
}

/// One event that its index refuses with a tag does not stop the others.
#[test]
fn a_document_that_is_refused_has_its_hits_beside_it() {
    let Some(server) = server() else { return };
    // What is not in the schema is not looked at, until the schema of tags is there.
    let place = Place::cluster(server, "refused", &json!({"mappings": {"dynamic": false}}));
    let odd = |n: usize| n % 20 == 3;
    let text = events(0..60);
    place.post(text.lines().enumerate().map(|(n, event)| match odd(n) {
        true => event.replacen('{', "{\"threat\":\"none\",", 1),
        false => event.to_owned(),
    }));
    let refused: BTreeSet<_> = hits(0..60)
        .into_iter()
        .filter(|(_, n)| odd(*n as usize))
        .collect();
    let stats = place.tag(&[]);
    assert_eq!(
        (&stats["written"], &stats["aside"]),
        (&json!(said(0..60) - 3), &json!(refused.len())),
        "{stats}"
    );
    assert!(
        stats["input"]
            .to_string()
            .contains("the document takes no tag"),
        "{stats}"
    );
    // The copy does not fit either, so that only the tag is there.
    assert!(
        stats["input"].to_string().contains("only its tag is there"),
        "{stats}"
    );
    let aside = place.content_of("sigma-hits-*").into_values();
    let own = aside.filter(|hit| hit["sigma"]["source"]["index"] == json!(place.index));
    assert_eq!(own.count(), refused.len());
    assert_eq!(place.tag(&[])["events"], 0);
}

/// The backing indices of a data stream are tagged, and those that it gets later have the fields of tags.
#[test]
fn data_streams_and_indices_to_come_get_the_fields_of_tags() {
    // The jars of Elasticsearch 7.17 do not have them.
    let with_streams = [
        "opensearch-3",
        "opensearch-2",
        "elasticsearch-9",
        "elasticsearch-8",
    ];
    let Some(server) = servers::server(&with_streams) else {
        return;
    };
    let stream = server.index("stream");
    let template = json!({
        "index_patterns": [format!("{stream}*")],
        "data_stream": {},
        "priority": 500,
        "template": {"settings": {"index.number_of_shards": "2"}, "mappings": {"properties": {"tags": {"type": "keyword", "ignore_above": 77}}}},
    });
    let put = server.send(
        "PUT",
        &format!("/_index_template/{stream}"),
        Some(&template.to_string()),
    );
    assert_eq!(put.status, 200, "{}", put.body);
    let place = Place::new(server.url().to_owned(), stream.clone(), Some(server));
    let server = place.server.as_ref().unwrap();
    let load = |numbers| place.post(events(numbers).lines().map(str::to_owned));
    load(0..100);
    assert_eq!(server.post(&format!("/{stream}/_rollover"), "").status, 200);
    load(100..200);
    let planned = place.desk.run(&[
        "plan",
        "--rules",
        "rules.yml",
        "--store",
        &place.store,
        "--index",
        &stream,
        "--format",
        "jsonl",
    ]);
    let planned: Vec<Value> = planned
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(planned.len(), 2);
    assert!(
        planned
            .iter()
            .all(|index| index["data_stream"] == json!(stream)
                && index["shards"] == 2
                && index["tags"] == "in-place")
    );
    let stats = place.tag(&[]);
    assert_eq!(
        (&stats["events"], &stats["written"]),
        (&json!(200), &json!(said(0..200)))
    );
    assert!(
        stats["input"]
            .to_string()
            .contains(&format!("index template {stream}")),
        "{stats}"
    );
    assert_eq!(place.tagged(EVIL), evil(0..200));
    let put = server.get(&format!("/_index_template/{stream}"));
    let put = &put.body["index_templates"][0]["index_template"];
    assert_eq!(
        (&put["composed_of"], &put["priority"]),
        (&json!(["sigtag"]), &json!(500))
    );
    // An index of the next day.
    assert_eq!(server.post(&format!("/{stream}/_rollover"), "").status, 200);
    let mappings = server.get(&format!("/{stream}/_mapping")).body;
    let newest = mappings
        .as_object()
        .unwrap()
        .iter()
        .max_by_key(|(name, _)| (*name).clone())
        .unwrap()
        .1;
    let properties = &newest["mappings"]["properties"];
    assert_eq!(
        properties["sigma"]["properties"]["rule"]["properties"]["id"]["type"],
        "keyword"
    );
    // What the template says itself counts more.
    assert_eq!(properties["tags"]["ignore_above"], 77);
    load(200..210);
    let third = place.tag(&[]);
    assert_eq!(
        (&third["events"], &third["written"]),
        (&json!(10), &json!(said(200..210)))
    );
    assert!(
        !third["input"].to_string().contains("index template"),
        "{third}"
    );
    server.send("DELETE", &format!("/_data_stream/{stream}"), None);
    server.send("DELETE", &format!("/_index_template/{stream}"), None);
}

/// Where no template decides of an index, there is one more of the older kind, which is added to others.
#[test]
fn plain_indices_to_come_get_the_fields_of_tags() {
    let Some(server) = server() else { return };
    let place = Place::cluster(server, "daily-1", &json!({}));
    let server = place.server.as_ref().unwrap();
    let pattern = place.index.replace("daily-1", "daily-*");
    place.post(events(0..10).lines().map(str::to_owned));
    let tag = [
        "tag",
        "--rules",
        "rules.yml",
        "--store",
        &place.store,
        "--index",
        &pattern,
    ];
    let plain = place.desk.stats(&[&tag[..], &["--no-templates"]].concat());
    assert!(!plain["input"].to_string().contains("template"), "{plain}");
    let stats = place.desk.stats(&tag);
    assert!(
        stats["input"]
            .to_string()
            .contains("index template sigtag-"),
        "{stats}"
    );
    let next = place.index.replace("daily-1", "daily-2");
    assert_eq!(server.send("PUT", &format!("/{next}"), None).status, 200);
    let mapping = server.get(&format!("/{next}/_mapping")).body;
    assert_eq!(
        mapping[&next]["mappings"]["properties"]["sigma"]["properties"]["level"]["type"],
        "keyword"
    );
    let again = place.desk.stats(&tag);
    assert!(!again["input"].to_string().contains("template"), "{again}");
    let name = pattern.replace('*', "x");
    assert_eq!(
        server
            .send("DELETE", &format!("/_template/sigtag-{name}"), None)
            .status,
        200
    );
}
