//! Events in a cluster are tagged where they lie: on a real server, also when the way to it is bad.

mod desk;
mod message;
mod way;

use desk::{Desk, Ran};
use message::{forward, read_message};
use serde_json::{Value, json};
use servers::Server;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::sync::Once;
use std::time::Duration;
use way::BadWay;

/// Where the rules of these tests look.
const CHANNEL: &str = "Microsoft-Windows-Sysmon/Operational";

fn server() -> Option<Server> {
    servers::server(servers::ANY)
}

fn demo(name: &str) -> String {
    let path = testkit::workspace_root().join("demo").join(name);
    path.to_str().unwrap().to_owned()
}

/// Everything in an index, by id: the texts as the server gives them.
fn content(server: &Server, index: &str) -> BTreeMap<String, String> {
    server.post(&format!("/{index}/_refresh"), "");
    let path = format!("/{index}/_search?size=10000");
    let found = server.get(&path).body;
    let hits = found["hits"]["hits"].as_array().unwrap().iter();
    let all = hits.map(|hit| {
        let id = hit["_id"].as_str().unwrap().to_owned();
        (id, hit["_source"].to_string())
    });
    all.collect()
}

/// The hits by the demo's rules, as they are to be: for each, how many events.
fn expected() -> BTreeMap<String, usize> {
    let expected = fs::read_to_string(demo("expected.tsv")).unwrap();
    let mut all = BTreeMap::new();
    for line in expected.lines() {
        let rule = line.split('\t').nth(2).unwrap().to_owned();
        *all.entry(rule).or_default() += 1;
    }
    all
}

fn hits(content: &BTreeMap<String, String>) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for text in content.values() {
        let event: Value = serde_json::from_str(text).unwrap();
        for id in event["sigma"]["rule"]["id"]
            .as_array()
            .into_iter()
            .flatten()
        {
            *all.entry(id.as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    all
}

/// The body of an index that takes the events of the demo.
fn body(shards: u32) -> Value {
    let settings = [
        ("index.mapping.total_fields.limit", json!(4000)),
        ("index.mapping.ignore_malformed", json!(true)),
        ("index.number_of_shards", json!(shards)),
        ("index.number_of_replicas", json!(0)),
    ];
    let settings: serde_json::Map<_, _> = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    // The demo has several shapes of events, and with several shards it is open which comes first.
    let keywords =
        json!({"all": {"match_mapping_type": "*", "match": "*", "mapping": {"type": "keyword"}}});
    let objects = json!({"all": {"match_mapping_type": "object", "match": "*", "mapping": {}}});
    let open = json!({"type": "object", "enabled": false});
    let mapping = json!({
        "dynamic_templates": [objects, keywords],
        "properties": {"Event": {"properties": {"System": {"properties": {"EventID": open}}}}},
    });
    json!({"settings": settings, "mappings": mapping})
}

fn values(content: &BTreeMap<String, String>) -> Vec<Value> {
    let texts = content.values();
    texts
        .map(|text| serde_json::from_str(text).unwrap())
        .collect()
}

#[test]
fn events_are_tagged_where_they_lie_and_untagged() {
    let Some(server) = server() else { return };
    let (events, rules) = (demo("events"), demo("rules"));
    for shards in [1, 4] {
        let index = server.index(&format!("demo-{shards}"));
        let schema = body(shards).to_string();
        let desk = Desk::new(&[("schema.json", &schema)]);
        let at = ["--store", server.url(), "--index", &index];
        let run = |command: &str, more: &[&str]| desk.stats(&[&[command], &at[..], more].concat());

        let loaded = run("load", &["--schema", "schema.json", &events]);
        assert_eq!(loaded["events"], loaded["written"]);
        let bare = content(&server, &index);
        assert_eq!(loaded["events"], bare.len());
        let again = run("load", &[&events]);
        assert_eq!(again["written"], 0);

        let tagged = run("tag", &["--rules", &rules]);
        let after = content(&server, &index);
        assert_eq!(hits(&after), expected(), "{shards} shards");
        assert_eq!(tagged["events"], bare.len());
        assert_eq!(tagged["written"], tagged["tagged"]);
        // In the schema of tags, not in that of whatever comes.
        let counted = server.post(
            &format!("/{index}/_count"),
            &json!({"query": {"term": {"sigma.level": "critical"}}}).to_string(),
        );
        assert!(
            counted.body["count"].as_u64().unwrap() > 5,
            "{}",
            counted.body
        );

        let again = run("tag", &["--rules", &rules]);
        assert_eq!(again["written"], 0);
        assert_eq!(content(&server, &index), after);

        let search = [
            &["search"],
            &at[..],
            &["--format", "jsonl", "--size", "10000"],
        ]
        .concat();
        let found = desk.run(&[&search[..], &["tags:sigma"]].concat());
        assert_eq!(
            found.out.lines().count() as u64,
            tagged["tagged"].as_u64().unwrap()
        );
        let aggs = r#"{"levels": {"terms": {"field": "sigma.level"}}}"#;
        let counted = desk.run(&[&["search"], &at[..], &["--aggs", aggs]].concat());
        assert!(counted.out.contains("critical"), "{}", counted.err);
        let listed = desk.run(&["indices", "--store", server.url(), &index]);
        assert!(
            listed.out.contains(&format!(" {} ", bare.len())),
            "{}",
            listed.out
        );

        // One rule goes, and then all of them; what is left is what was there, in its order.
        let (rule, count) = expected().into_iter().next().unwrap();
        let gone = run("untag", &["--rule", &rule]);
        assert_eq!(gone["written"], count);
        assert!(!hits(&content(&server, &index)).contains_key(&rule));
        run("untag", &["--all"]);
        assert_eq!(content(&server, &index), bare);
    }
}

#[test]
fn foreign_tags_pipelines_and_routing_are_left_alone() {
    let Some(server) = server() else { return };
    let pipeline = server.index("pipeline");
    let set = json!({"processors": [{"set": {"field": "seen", "value": "by the pipeline"}}]});
    let made = server.send(
        "PUT",
        &format!("/_ingest/pipeline/{pipeline}"),
        Some(&set.to_string()),
    );
    let mut settings = json!({"settings": {"index.number_of_shards": "3"}});
    // What makes pipelines is not part of the jars of Elasticsearch.
    if server.name().starts_with("opensearch") {
        assert_eq!(made.status, 200);
        settings["settings"]["index.default_pipeline"] = json!(pipeline);
    }
    let index = server.create_index("foreign", &settings);
    let rule = "title: Evil\nid: 5f1abf3e-0000-4000-8000-000000000001\nlogsource: {product: windows, service: sysmon}\n\
        detection: {selection: {Image|contains: evil}, condition: selection}\nlevel: high\n\
        tags: [attack.t1218.005]\n";
    let desk = Desk::new(&[("rule.yml", rule)]);
    let events = [
        json!({"Channel": CHANNEL, "Image": "evil"}),
        json!({"Channel": CHANNEL, "Image": "evil", "tags": "one"}),
        json!({"Channel": CHANNEL, "Image": "evil", "tags": ["one", "two"]}),
        json!({"Channel": CHANNEL, "Image": "evil", "threat": {"technique": {"id": ["T1000"]}, "feed": "x"}}),
        json!({"Channel": CHANNEL, "Image": "evil", "tags": null}),
        json!({"Channel": CHANNEL, "Image": "good", "tags": ["sigma"]}),
        json!({"Channel": CHANNEL, "Image": "evil", "a": {"b": [1, 2], "c": [{"d": null}]}, "n": 9007199254740993u64}),
    ];
    for (number, event) in events.iter().enumerate() {
        let path = format!("/{index}/_doc/{number}?routing=r{number}&pipeline=_none&refresh=true");
        let written = server.send("PUT", &path, Some(&event.to_string()));
        assert_eq!(written.status, 201, "{}", written.body);
    }
    let bare = content(&server, &index);
    let at = ["--store", server.url(), "--index", &index];
    let tag = [&["tag"], &at[..], &["--rules", "rule.yml"]].concat();
    let tagged = desk.stats(&tag);
    assert_eq!(tagged["written"], 6, "{tagged}");
    let after = content(&server, &index);
    for (id, text) in &after {
        let event: Value = serde_json::from_str(text).unwrap();
        assert_eq!(event["seen"], Value::Null, "{event}");
        assert_eq!(
            event["sigma"].is_object(),
            event["Image"] == "evil",
            "{id}: {event}"
        );
    }
    let event = |id: &str| serde_json::from_str::<Value>(&after[id]).unwrap();
    assert_eq!(event("1")["tags"], json!(["one", "sigma"]));
    assert_eq!(event("2")["tags"], json!(["one", "two", "sigma"]));
    assert_eq!(
        event("3")["threat"]["technique"]["id"],
        json!(["T1000", "T1218"])
    );
    assert_eq!(event("3")["threat"]["feed"], "x");
    // Another rule in its place: what the first one had put there goes.
    fs::write(
        desk.path("rule.yml"),
        rule.replace("0001\n", "0002\n")
            .replace("t1218.005", "t1059"),
    )
    .unwrap();
    assert_eq!(desk.stats(&tag)["written"], 6);
    let renewed = content(&server, &index);
    let event = |id: &str| serde_json::from_str::<Value>(&renewed[id]).unwrap();
    assert_eq!(
        event("3")["threat"]["technique"]["id"],
        json!(["T1000", "T1059"])
    );
    assert_eq!(
        event("0")["sigma"]["rule"]["id"],
        json!(["5f1abf3e-0000-4000-8000-000000000002"])
    );
    assert_eq!(desk.stats(&tag)["written"], 0);
    desk.stats(&[&["untag"], &at[..], &["--all"]].concat());
    assert_eq!(content(&server, &index), bare);
}

/// While another writer changes tags and fields of the same events, and the way to the server drops, delays and garbles, no
/// change of anybody is lost.
#[test]
fn nothing_is_lost_on_a_bad_way_beside_another_writer() {
    let Some(server) = server() else { return };
    let index = server.create_index("bad", &json!({"settings": {"index.number_of_shards": "2"}}));
    let rule = "title: Evil\nid: 5f1abf3e-0000-4000-8000-000000000001\nlogsource: {product: windows, service: sysmon}\n\
        detection: {selection: {Image|contains: evil}, condition: selection}\nlevel: high\n";
    let lines: String = (0..6_000)
        .map(|n| {
            format!(
                "{{\"Channel\":\"{CHANNEL}\",\"Image\":\"{}\",\"n\":0}}\n",
                if n % 3 == 0 { "evil" } else { "good" }
            )
        })
        .collect();
    let desk = Desk::new(&[("rule.yml", rule), ("e.jsonl", &lines)]);
    let way = BadWay::to(server.url());
    let at = ["--store", way.url.as_str(), "--index", &index];
    let ran = |command: &str, more: &[&str]| -> Ran {
        let ran = desk.run(&[&[command], &at[..], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        eprintln!("{}", ran.err);
        ran
    };
    ran("load", &["e.jsonl"]);
    assert_eq!(way_count(&server, &index), 6_000);
    let ids: Vec<String> = {
        let found = server
            .get(&format!("/{index}/_search?size=6000&_source=false"))
            .body;
        let hits = found["hits"]["hits"].as_array().unwrap().iter();
        hits.map(|hit| hit["_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let tag = ["--rules", "rule.yml"];
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let changed = std::thread::scope(|scope| {
        let (server, index, ids) = (&server, &index, &ids);
        let other = scope.spawn(move || {
            let mut changed = 0u64;
            // Until the sender is dropped, also by a panic.
            while is_over.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                let lines: String = (0..100)
                    .map(|k| {
                        let id = &ids[((changed + k) * 37 % ids.len() as u64) as usize];
                        let body = json!({"doc": {"seen": changed}});
                        format!(
                            "{}\n{body}\n",
                            json!({"update": {"_id": id, "retry_on_conflict": 9}})
                        )
                    })
                    .collect();
                let answer = server.post(&format!("/{index}/_bulk"), &lines);
                assert_eq!(answer.body["errors"], false, "{}", answer.body);
                changed += 100;
            }
            changed
        });
        let over = over;
        ran("tag", &tag);
        drop(over);
        other.join().unwrap()
    });
    assert!(changed > 0);
    server.post(&format!("/{index}/_refresh"), "");
    // What was changed after it had been read has its tags, too.
    let mut seen = 0;
    for event in values(&content(&server, &index)) {
        assert_eq!(
            event["sigma"].is_object(),
            event["Image"] == "evil",
            "{event}"
        );
        seen += u64::from(event["seen"].is_u64());
    }
    assert_eq!(seen, changed.min(6_000));
    ran("untag", &["--all"]);
    for event in values(&content(&server, &index)) {
        assert!(
            event["sigma"].is_null() && event["tags"].is_null(),
            "{event}"
        );
    }
    let faults = way.faults();
    assert!(faults > 10, "{faults}");
    eprintln!("{faults} faults, {changed} changes by another writer");
}

fn way_count(server: &Server, index: &str) -> u64 {
    server.post(&format!("/{index}/_refresh"), "");
    server.get(&format!("/{index}/_count")).body["count"]
        .as_u64()
        .unwrap()
}

#[test]
fn what_is_wrong_is_said() {
    let desk = Desk::new(&[]);
    let rules = demo("rules");
    let at = |url: &str| desk.run(&["tag", "--store", url, "--index", "i", "--rules", &rules]);
    // Nobody is there.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = at(&format!("http://{free}"));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("refused"), "{}", ran.err);
    // Somebody else is there.
    for (answer, message) in [
        (
            r#"{"hello": "world"}"#,
            "neither Elasticsearch nor OpenSearch",
        ),
        (
            r#"{"version": {"number": "6.8.0"}, "tagline": "You Know, for Search"}"#,
            "its version is 6.8.0",
        ),
        ("<html>", "its answer cannot be read"),
    ] {
        let ran = at(&fixed("200 OK", answer));
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(message), "{}", ran.err);
    }
    let refused = r#"{"error": {"type": "security_exception", "reason": "missing authentication"}, "status": 401}"#;
    let ran = at(&fixed("401 Unauthorized", refused));
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("SIGTAG_USER") && ran.err.contains("missing authentication"),
        "{}",
        ran.err
    );
    let Some(server) = server() else { return };
    let ran = at(server.url());
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no such index: `i`"), "{}", ran.err);
    // The first node that answers is taken.
    let both = format!("http://{free},{}", server.url());
    assert!(at(&both).err.contains("no such index: `i`"));
}

#[test]
fn who_asks_is_told_to_the_server_only() {
    let (url, asked) = listening();
    for (variables, header) in [
        (
            vec![("SIGTAG_USER", "ada"), ("SIGTAG_PASSWORD", "s3cret:x")],
            "Basic YWRhOnMzY3JldDp4",
        ),
        (vec![("SIGTAG_API_KEY", "aWQ6a2V5")], "ApiKey aWQ6a2V5"),
        (vec![("SIGTAG_BEARER", "abc.def")], "Bearer abc.def"),
    ] {
        let mut desk = Desk::new(&[]);
        let owned = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        desk.environment = owned.collect();
        let ran = desk.run(&["indices", "--store", &url]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        let request = asked.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(
            request.contains(&format!("authorization: {header}\r\n")),
            "{request}"
        );
        for (_, secret) in variables.iter().filter(|(name, _)| *name != "SIGTAG_USER") {
            assert!(!ran.err.contains(secret) && !ran.out.contains(secret));
        }
    }
}

/// A server that tells what it was asked, and refuses.
fn listening() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (request, _) = read_message(&mut stream).unwrap();
            let _ = send.send(String::from_utf8_lossy(&request).into_owned());
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
    });
    (url, receive)
}

/// A server that always gives this answer.
fn fixed(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if read_message(&mut stream).is_some() {
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        }
    });
    url
}

const EVIL_RULE: &str = "title: Evil\nid: 5f1abf3e-0000-4000-8000-000000000001\nlogsource: {product: windows, service: sysmon}\n\
    detection: {selection: {Image|contains: evil}, condition: selection}\nlevel: high\n";

const EVIL_EVENT: &str = r#"{"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"evil"}"#;

#[test]
fn a_shard_that_is_away_is_said() {
    let Some(server) = server() else { return };
    let index = server.index("away");
    // No node may have its shard: as if the one that has it were down.
    let body = json!({"settings": {"index.routing.allocation.require.box": "nowhere"}});
    let path = format!("/{index}?wait_for_active_shards=0");
    let made = server.send("PUT", &path, Some(&body.to_string()));
    assert_eq!(made.status, 200, "{}", made.body);
    server.create_index("here", &json!({}));
    let indices = format!("{}*", server.prefix());
    let desk = Desk::new(&[("rule.yml", EVIL_RULE)]);
    let ran = desk.run(&[
        "tag",
        "--store",
        server.url(),
        "--index",
        &indices,
        "--rules",
        "rule.yml",
    ]);
    assert_ne!(ran.code, 0, "nothing is said of the shard: {}", ran.err);
    assert!(ran.err.contains("shard"), "{}", ran.err);
}

#[test]
fn an_event_with_a_routing_that_is_changed_meanwhile_is_tagged() {
    let Some(server) = server() else { return };
    let settings = json!({"settings": {"index.number_of_shards": "3"}});
    let index = server.create_index("routed", &settings);
    let doc = |number: u32| format!("/{index}/_doc/{number}?routing=r{number}&refresh=true");
    for number in 0..9 {
        assert_eq!(
            server.send("PUT", &doc(number), Some(EVIL_EVENT)).status,
            201
        );
    }
    // Between reading and writing, somebody else changes all of them.
    let others: Vec<(String, String)> = (0..9)
        .map(|number| (doc(number), EVIL_EVENT.replace('}', ",\"seen\":1}")))
        .collect();
    let way = before_first_write(server.url(), others);
    let desk = Desk::new(&[("rule.yml", EVIL_RULE)]);
    let at = ["--store", &way, "--index", &index, "--rules", "rule.yml"];
    let stats = desk.stats(&[&["tag"], &at[..]].concat());
    server.post(&format!("/{index}/_refresh"), "");
    let tagged = json!({"query": {"exists": {"field": "sigma.rule.id"}}}).to_string();
    let count = server.post(&format!("/{index}/_count"), &tagged);
    assert_eq!(count.body["count"], 9, "{stats:#}");
}

/// A way to a server; before the first bulk request these documents are put there.
fn before_first_write(url: &str, documents: Vec<(String, String)>) -> String {
    let server = url.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let once = Once::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some((request, head)) = read_message(&mut stream) else {
                continue;
            };
            if String::from_utf8_lossy(&request[..head]).contains("/_bulk") {
                once.call_once(|| {
                    for (path, text) in &documents {
                        let length = text.len();
                        let request = format!(
                            "PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{text}"
                        );
                        forward(&server, request.as_bytes());
                    }
                });
            }
            let _ = stream.write_all(&forward(&server, &request));
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
    url
}

/// Where the network is slow, pages come packed; and what is in them is the same.
#[test]
fn answers_are_packed_on_a_slow_way_only() {
    let Some(server) = server() else { return };
    let index = server.create_index("far", &json!({}));
    let event = |n: usize| {
        let image = if n.is_multiple_of(3) { "evil" } else { "good" };
        json!({"Channel": CHANNEL, "Image": image, "n": n, "more": "x".repeat(1_000)})
    };
    let lines: String = (0..4_000)
        .map(|n| format!("{{\"create\":{{}}}}\n{}\n", event(n)))
        .collect();
    let loaded = server.post(&format!("/{index}/_bulk?refresh=true"), &lines);
    assert_eq!(loaded.body["errors"], false);
    let desk = Desk::new(&[("rule.yml", EVIL_RULE)]);
    for (pause, is_packed) in [(0, false), (40, true)] {
        let (way, asked) = slow_way(server.url(), Duration::from_millis(pause));
        let tag = ["tag", "--again", "--rules", "rule.yml", "--index", &index];
        let stats = desk.stats(&[&tag[..], &["--store", &way]].concat());
        assert_eq!(
            (&stats["events"], &stats["tagged"]),
            (&json!(4_000), &json!(1_334))
        );
        let packed = asked.try_iter().filter(|head| {
            head.contains("/_search?") && head.to_lowercase().contains("accept-encoding: gzip")
        });
        assert_eq!(packed.count() > 0, is_packed, "{pause}");
        server.post(&format!("/{index}/_refresh"), "");
    }
}

/// A way on which each 64 KiB of an answer take a while; it tells the heads of requests.
fn slow_way(url: &str, pause: Duration) -> (String, std::sync::mpsc::Receiver<String>) {
    let server = url.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (server, send) = (server.clone(), send.clone());
            std::thread::spawn(move || {
                let Some((request, head)) = read_message(&mut stream) else {
                    return;
                };
                let _ = send.send(String::from_utf8_lossy(&request[..head]).into_owned());
                for part in forward(&server, &request).chunks(65_536) {
                    std::thread::sleep(pause);
                    let _ = stream.write_all(part);
                }
                let _ = stream.shutdown(Shutdown::Both);
            });
        }
    });
    (url, receive)
}
