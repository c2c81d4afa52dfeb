//! `sigtag tag` is killed at any moment, on a bad way to the cluster, while another writer changes the same events: in the end each
//! event has exactly its tags, and no change of the other writer is gone.
//!
//! The other writer remembers what it has done, so that what is to be in the index is known to the event. It changes fields and
//! what rules say of events, adds tags of its own, makes events and deletes them. `sigtag tag` runs beside it through a way on
//! which a third of all requests meets a fault, is killed (`kill -9`) and started again. When the other writer has ended,
//! it runs to its end once more; what it skips then as done has to have been done.
//!
//! Two variables of the environment make a long run of it, as `cargo xtask chaos cluster` does: [`MINUTES`] says for how long, and
//! everything random is made from [`SEED`].

mod desk;
mod message;
mod way;

use desk::Desk;
use serde_json::{Value, json};
use servers::Server;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use testkit::Random;
use way::BadWay;

/// For how many minutes to go on.
const MINUTES: &str = "SIGTAG_CHAOS_MINUTES";

/// What everything random is made from.
const SEED: &str = "SIGTAG_CHAOS_SEED";

/// How often the program is killed in one life of an index, and how many events there are at first.
const KILLS: u32 = 6;
const EVENTS: u64 = 4_000;

const EVIL: &str = "5f1abf3e-0000-4000-8000-000000000001";
const ODD: &str = "5f1abf3e-0000-4000-8000-000000000002";

const RULES: &str = "title: Evil\nid: 5f1abf3e-0000-4000-8000-000000000001\nlogsource: {product: windows, service: sysmon}\n\
    detection: {selection: {Image|contains: evil}, condition: selection}\nlevel: high\ntags: [attack.t1218.005]\n\
    ---\ntitle: Odd\nid: 5f1abf3e-0000-4000-8000-000000000002\nlogsource: {product: windows, service: sysmon}\n\
    detection: {selection: {Image|endswith: odd}, condition: selection}\nlevel: low\n";

fn server() -> Option<Server> {
    servers::server(servers::ANY)
}

/// An event, as the other writer knows it.
#[derive(Clone, Default)]
struct Event {
    is_evil: bool,
    is_odd: bool,
    seen: u64,
    /// Tags of the other writer.
    tags: BTreeSet<String>,
}

impl Event {
    fn random(random: &mut Random) -> Event {
        Event {
            is_evil: random.below(3) == 0,
            is_odd: random.below(4) == 0,
            ..Event::default()
        }
    }

    fn image(&self) -> String {
        let (evil, odd) = (["good", "evil"], ["", " odd"]);
        [
            evil[usize::from(self.is_evil)],
            odd[usize::from(self.is_odd)],
        ]
        .concat()
    }

    fn source(&self) -> Value {
        json!({"Channel": "Microsoft-Windows-Sysmon/Operational", "Image": self.image(), "seen": self.seen})
    }

    /// The rules that hit it.
    fn rules(&self) -> Vec<&str> {
        let all = [(self.is_evil, EVIL), (self.is_odd, ODD)];
        all.iter()
            .filter(|(hits, _)| *hits)
            .map(|(_, rule)| *rule)
            .collect()
    }

    /// What is wrong with a document that is to be this event with its tags.
    fn check(&self, found: &Value) -> Result<(), String> {
        let rules = self.rules();
        let tags = found["tags"]
            .as_array()
            .map_or(&[] as &[Value], Vec::as_slice);
        let has = |tag: &str| tags.iter().any(|own| own == tag);
        for (what, is_right) in [
            (
                "rules",
                found["sigma"]["rule"]["id"].as_array().map_or(0, Vec::len) == rules.len(),
            ),
            (
                "rule",
                rules.iter().all(|rule| {
                    found["sigma"]["rule"]["id"]
                        .as_array()
                        .is_some_and(|ids| ids.contains(&json!(rule)))
                }),
            ),
            ("`sigma` in tags", has("sigma") != rules.is_empty()),
            ("tags of others", self.tags.iter().all(|tag| has(tag))),
            (
                "more tags",
                tags.len() == self.tags.len() + usize::from(!rules.is_empty()),
            ),
            ("threat", found["threat"].is_object() == self.is_evil),
            ("image", found["Image"] == json!(self.image())),
            ("seen", found["seen"] == json!(self.seen)),
        ] {
            if !is_right {
                return Err(format!("{what}: {rules:?} {:?} {found}", self.tags));
            }
        }
        Ok(())
    }
}

/// Who else writes to the index.
struct Other<'a> {
    server: &'a Server,
    index: &'a str,
    events: BTreeMap<String, Event>,
    random: Random,
    changes: u64,
}

impl Other<'_> {
    fn bulk(&self, lines: &str) -> Vec<Value> {
        let answer = self
            .server
            .post(&format!("/{}/_bulk", self.index), lines)
            .body;
        let items = answer["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"));
        items
            .iter()
            .map(|item| item.as_object().unwrap().values().next().unwrap().clone())
            .collect()
    }

    fn add(&mut self, count: u64) {
        let mut lines = String::new();
        for _ in 0..count {
            let id = format!("e{}", self.changes);
            let event = Event::random(&mut self.random);
            lines += &format!("{}\n{}\n", json!({"create": {"_id": id}}), event.source());
            self.events.insert(id, event);
            self.changes += 1;
        }
        for item in self.bulk(&lines) {
            assert_eq!(item["status"], 201, "{item}");
        }
    }

    /// Some that are there.
    fn some(&mut self, count: usize) -> Vec<String> {
        let ids: Vec<&String> = self.events.keys().collect();
        let some = (0..count).map(|_| ids[self.random.below(ids.len() as u64) as usize].clone());
        let some: BTreeSet<String> = some.collect();
        some.into_iter().collect()
    }

    /// Changes of events without a look at them.
    fn change(&mut self, change: impl Fn(&mut Event, u64) -> Value) {
        let mut lines = String::new();
        for id in self.some(40) {
            self.changes += 1;
            let changes = self.changes;
            let doc = change(self.events.get_mut(&id).unwrap(), changes);
            lines += &format!(
                "{}\n{}\n",
                json!({"update": {"_id": id, "retry_on_conflict": 50}}),
                json!({"doc": doc})
            );
        }
        for item in self.bulk(&lines) {
            assert_eq!(item["status"], 200, "{item}");
        }
    }

    /// Adds a tag of its own to what is there, as somebody does who reads first.
    fn tag(&mut self) {
        let tag = format!("other-{}", self.random.below(9));
        let mut left = self.some(20);
        while !left.is_empty() {
            let found = self
                .server
                .post(
                    &format!("/{}/_mget", self.index),
                    &json!({"ids": left}).to_string(),
                )
                .body;
            let mut lines = String::new();
            for document in found["docs"].as_array().unwrap() {
                let mut tags = document["_source"]["tags"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                if !tags.contains(&json!(tag)) {
                    tags.push(json!(tag));
                }
                let to = json!({"_id": document["_id"], "if_seq_no": document["_seq_no"], "if_primary_term": document["_primary_term"]});
                lines += &format!(
                    "{}\n{}\n",
                    json!({"update": to}),
                    json!({"doc": {"tags": tags}})
                );
            }
            for item in self.bulk(&lines) {
                match item["status"].as_u64() {
                    Some(200) => {
                        let id = item["_id"].as_str().unwrap();
                        left.retain(|own| own != id);
                        self.events.get_mut(id).unwrap().tags.insert(tag.clone());
                        self.changes += 1;
                    }
                    Some(409) => {}
                    _ => panic!("{item}"),
                }
            }
        }
    }

    fn delete(&mut self) {
        let mut lines = String::new();
        for id in self.some(3) {
            lines += &format!("{}\n", json!({"delete": {"_id": id}}));
            self.events.remove(&id);
            self.changes += 1;
        }
        for item in self.bulk(&lines) {
            assert_eq!(item["status"], 200, "{item}");
        }
    }

    /// Does something.
    fn act(&mut self) {
        match self.random.below(10) {
            0..3 => self.change(|event, number| {
                event.seen = number;
                json!({"seen": number})
            }),
            3..5 => self.change(|event, number| {
                (event.is_evil, event.is_odd) = (number % 3 == 0, number % 5 < 2);
                json!({"Image": event.image()})
            }),
            5..7 => self.tag(),
            7 => self.add(30),
            8 => self.delete(),
            _ => drop(self.server.post(&format!("/{}/_refresh", self.index), "")),
        }
    }
}

/// What happened in all lives.
#[derive(Debug, Default)]
struct Tally {
    lives: u32,
    kills: u32,
    faults: u64,
    changes: u64,
    events: usize,
    read_at_the_end: u64,
}

fn start(desk: &Desk, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sigtag"))
        .current_dir(desk.path(""))
        .args(arguments)
        .env("NO_PROXY", "*")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(desk.path("err")).unwrap())
        .spawn()
        .unwrap()
}

/// One index from its beginning to its end.
fn life(server: &Server, random: &mut Random, tally: &mut Tally) {
    let shards = 1 + random.below(4);
    // Also one that is refreshed when the other writer wants it, and one that is slow.
    let interval = ["1s", "50ms", "10s", "-1"][random.below(4) as usize];
    let settings = json!({
        "index.number_of_shards": shards.to_string(),
        "index.number_of_replicas": "0",
        "index.refresh_interval": interval,
    });
    let body =
        json!({"settings": settings, "mappings": {"properties": {"tags": {"type": "keyword"}}}});
    let index = server.create_index(&format!("chaos-{}", tally.lives), &body);
    let way = BadWay::to(server.url());
    let desk = Desk::new(&[("rules.yml", RULES)]);
    let tag = [
        "tag",
        "--rules",
        "rules.yml",
        "--store",
        &way.url,
        "--index",
        &index,
    ];
    let mut other = Other {
        server,
        index: &index,
        events: BTreeMap::new(),
        random: Random(random.next()),
        changes: 0,
    };
    for _ in 0..4 {
        other.add(EVENTS / 4);
    }
    server.post(&format!("/{index}/_refresh"), "");
    let is_over = AtomicBool::new(false);
    let kills = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                other.act();
                // So that what was changed is not always changed again before it is tagged.
                std::thread::sleep(Duration::from_millis(other.random.below(60)));
            }
        });
        let mut kills = 0;
        let end = Instant::now() + Duration::from_secs(120);
        while kills < KILLS && Instant::now() < end && !writer.is_finished() {
            let mut child = start(&desk, &tag);
            std::thread::sleep(Duration::from_millis(50 + random.below(6_000)));
            match child.try_wait().unwrap() {
                None => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    kills += 1;
                }
                Some(status) => {
                    let told = std::fs::read_to_string(desk.path("err")).unwrap();
                    assert!(status.success(), "{told}");
                }
            }
        }
        is_over.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        kills
    });
    server.post(&format!("/{index}/_refresh"), "");
    let last = desk.stats(&tag);
    server.post(&format!("/{index}/_refresh"), "");
    let mut wrong = Vec::new();
    let page = server.get(&format!("/{index}/_search?size=10000")).body;
    let found = page["hits"]["hits"].as_array();
    let found = found.unwrap_or_else(|| panic!("{page}"));
    assert!(found.len() < 10_000, "these may not be all");
    for hit in found {
        match other.events.get(hit["_id"].as_str().unwrap()) {
            Some(event) => wrong.extend(event.check(&hit["_source"]).err()),
            None => wrong.push(format!("was deleted: {hit}")),
        }
    }
    assert_eq!(
        wrong,
        Vec::<String>::new(),
        "{index}, {shards} shards, {interval}, {last}"
    );
    assert_eq!(
        found.len(),
        other.events.len(),
        "{index}, {shards} shards, {interval}"
    );
    let search = [
        "search",
        "--store",
        server.url(),
        "--index",
        &index,
        "--format",
        "jsonl",
        "--size",
        "100000",
        "tags:sigma",
    ];
    let tagged = desk.run(&search).out.lines().count();
    assert_eq!(
        tagged,
        other
            .events
            .values()
            .filter(|event| !event.rules().is_empty())
            .count()
    );
    tally.lives += 1;
    tally.kills += kills;
    tally.faults += way.faults();
    tally.changes += other.changes - EVENTS;
    tally.events += other.events.len();
    tally.read_at_the_end += last["events"].as_u64().unwrap();
    server.send("DELETE", &format!("/{index}"), None);
}

#[test]
fn every_event_has_its_tags_whatever_happens_on_the_way() {
    let Some(server) = server() else { return };
    let variable = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let minutes = variable(MINUTES);
    let seed = variable(SEED).unwrap_or(77);
    let end = Duration::from_secs(60 * minutes.unwrap_or(0));
    let mut random = Random(seed);
    let mut tally = Tally::default();
    let start = Instant::now();
    while tally.lives < 2 || start.elapsed() < end {
        life(&server, &mut random, &mut tally);
        if minutes.is_some() {
            println!("after {} s: {tally:?}", start.elapsed().as_secs());
        }
    }
    println!(
        "{}, seed {seed}, {:?}: {tally:?}, no difference",
        server.name(),
        start.elapsed()
    );
    assert!(tally.kills >= KILLS, "{tally:?}");
    assert!(tally.faults > 20 && tally.changes > 100, "{tally:?}");
}

/// Between two pages of a pass that was killed, everything that is not needed any more is merged away.
#[test]
fn a_merge_between_two_halves_of_a_pass_hides_nothing() {
    let Some(server) = server() else { return };
    let body = json!({"settings": {
        "index.number_of_shards": "2",
        "index.number_of_replicas": "0",
        "index.soft_deletes.retention_lease.period": "1s",
    }});
    let index = server.create_index("merge", &body);
    let desk = Desk::new(&[("rules.yml", RULES)]);
    let mut other = Other {
        server: &server,
        index: &index,
        events: BTreeMap::new(),
        random: Random(1),
        changes: 0,
    };
    for _ in 0..6 {
        other.add(1_000);
        server.post(&format!("/{index}/_refresh"), "");
    }
    let tag = [
        "tag",
        "--rules",
        "rules.yml",
        "--store",
        server.url(),
        "--index",
        &index,
    ];
    let mut child = start(&desk, &[&tag[..], &["--rate", "400"]].concat());
    std::thread::sleep(Duration::from_secs(8));
    child.kill().unwrap();
    child.wait().unwrap();
    for _ in 0..30 {
        other.delete();
    }
    other.change(|event, number| {
        event.seen = number;
        json!({"seen": number})
    });
    let start = Instant::now();
    loop {
        server.post(&format!("/{index}/_flush"), "");
        let path = format!("/{index}/_forcemerge?max_num_segments=1");
        let merged = server.post(&path, "");
        assert_eq!(merged.status, 200, "{}", merged.body);
        server.post(&format!("/{index}/_refresh"), "");
        let left = server.get(&format!("/{index}/_stats/docs")).body;
        let deleted = &left["_all"]["primaries"]["docs"]["deleted"];
        if *deleted == 0 {
            break;
        }
        assert!(
            start.elapsed() < Duration::from_secs(90),
            "{deleted} are still there"
        );
        std::thread::sleep(Duration::from_secs(1));
    }
    eprintln!("merged after {:?}", start.elapsed());
    let last = desk.stats(&tag);
    let read = last["events"].as_u64().unwrap();
    assert!((100..5_000).contains(&read), "{read} were left");
    server.post(&format!("/{index}/_refresh"), "");
    let found = server.get(&format!("/{index}/_search?size=10000")).body;
    let hits = found["hits"]["hits"].as_array().unwrap();
    assert_eq!(hits.len(), other.events.len());
    for hit in hits {
        other.events[hit["_id"].as_str().unwrap()]
            .check(&hit["_source"])
            .unwrap();
    }
}

/// An index that is deleted while it is read is told, is not made anew, and does not stop the others.
#[test]
fn an_index_that_goes_in_the_middle_is_told() {
    let Some(server) = server() else { return };
    let first = server.create_index("gone-1", &json!({}));
    let second = server.create_index("gone-2", &json!({}));
    let third = server.create_index("gone-3", &json!({}));
    let desk = Desk::new(&[("rules.yml", RULES)]);
    let mut events = BTreeMap::new();
    for index in [&first, &second, &third] {
        let mut other = Other {
            server: &server,
            index,
            events: BTreeMap::new(),
            random: Random(1),
            changes: 0,
        };
        other.add(1_500);
        server.post(&format!("/{index}/_refresh"), "");
        events.insert(index.clone(), other.events);
    }
    let pattern = first.replace("gone-1", "gone-*");
    let tag = [
        "tag",
        "--rules",
        "rules.yml",
        "--store",
        server.url(),
        "--index",
        &pattern,
        "--rate",
        "500",
    ];
    let mut child = start(&desk, &[&tag[..], &["--stats", "stats.json"]].concat());
    // Three seconds for each index: the second is being read.
    std::thread::sleep(Duration::from_millis(5_000));
    assert!(child.try_wait().unwrap().is_none());
    assert_eq!(
        server.send("DELETE", &format!("/{second}"), None).status,
        200
    );
    let status = child.wait().unwrap();
    let told = std::fs::read_to_string(desk.path("err")).unwrap();
    assert!(status.success(), "{told}");
    assert!(
        told.contains("not there any more") || told.contains("deleted meanwhile"),
        "{told}"
    );
    assert_eq!(server.get(&format!("/{second}")).status, 404, "{told}");
    for index in [&first, &third] {
        server.post(&format!("/{index}/_refresh"), "");
        let found = server.get(&format!("/{index}/_search?size=10000")).body;
        let hits = found["hits"]["hits"].as_array().unwrap();
        assert_eq!(hits.len(), 1_500);
        for hit in hits {
            events[index][hit["_id"].as_str().unwrap()]
                .check(&hit["_source"])
                .unwrap();
        }
    }
}
