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
    servers::server(&[
        "opensearch-3",
        "opensearch-2",
        "elasticsearch-9",
        "elasticsearch-8",
        "elasticsearch-7",
    ])
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
