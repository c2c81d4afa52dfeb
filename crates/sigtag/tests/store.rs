//! Stores on the command line: events are loaded, tagged where they lie, searched, and untagged.

mod desk;

use desk::Desk;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

trait Stored {
    /// The texts of all documents by index and id, with when they were tagged left out.
    fn content(&self, store: &str) -> BTreeMap<(String, String), String>;

    fn hits(&self, query: &str) -> Vec<Value>;
}

impl Stored for Desk {
    fn content(&self, store: &str) -> BTreeMap<(String, String), String> {
        let all = ["--index", "*", "--format", "jsonl", "--size", "1000000"];
        let ran = self.run(&[&["search", "--store", store], &all[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines = ran.out.lines().map(|line| {
            let hit: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| hit[name].as_str().unwrap().to_owned();
            let (_, source) = line.split_once("\"_source\":").unwrap();
            let source = source.strip_suffix('}').unwrap();
            ((text("_index"), text("_id")), without_time(source))
        });
        lines.collect()
    }

    fn hits(&self, query: &str) -> Vec<Value> {
        let ran = self.run(&[
            "search", "--store", "s", "--index", "*", "--format", "jsonl", query,
        ]);
        assert_eq!(ran.code, 0, "{query}: {}", ran.err);
        let lines = ran.out.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn without_time(text: &str) -> String {
    const KEY: &str = "\"tagged_at\":\"";
    match text.split_once(KEY) {
        Some((before, after)) => format!("{before}{KEY}{}", &after["2026-11-24T09:00:00Z".len()..]),
        None => text.to_owned(),
    }
}

fn demo(name: &str) -> String {
    let path = testkit::workspace_root().join("demo").join(name);
    path.to_str().unwrap().to_owned()
}

/// The hits that the demo is to have: pairs of a line's place and a rule.
fn expected_hits() -> usize {
    let expected = fs::read_to_string(demo("expected.tsv")).unwrap();
    expected.lines().count()
}

#[test]
fn events_are_tagged_where_they_lie_and_untagged() {
    let desk = Desk::new(&[]);
    let (events, rules) = (demo("events"), demo("rules"));
    let loaded = desk.stats(&["load", "--store", "s", "--index", "demo", &events]);
    assert_eq!(loaded["events"], loaded["written"]);
    let bare = desk.content("s");
    assert_eq!(loaded["events"], bare.len());

    let tag = ["tag", "--store", "s", "--index", "de*", "--rules", &rules];
    let tagged = desk.stats(&tag);
    assert_eq!(tagged["events"], bare.len());
    assert_eq!(tagged["hits"], expected_hits());
    assert_eq!(tagged["written"], tagged["tagged"]);
    let after = desk.content("s");
    let changed = after.iter().filter(|(id, text)| bare[*id] != **text);
    assert_eq!(tagged["written"], changed.count());

    // As the same rules tag the same events in their files, but for where these stood.
    let from_files = desk.run(&["tag", "--rules", &rules, "--all", "--quiet", &events]);
    let bare_of_source = |text: &str| {
        let mut event: Value = serde_json::from_str(text).unwrap();
        if let Some(sigma) = event["sigma"].as_object_mut() {
            sigma.shift_remove("source");
            sigma.shift_remove("tagged_at");
        }
        event.to_string()
    };
    let mut from_files: Vec<_> = from_files.out.lines().map(bare_of_source).collect();
    let mut in_store: Vec<_> = after.values().map(|text| bare_of_source(text)).collect();
    from_files.sort();
    in_store.sort();
    assert_eq!(in_store, from_files);

    // A second time there is nothing to write, neither for tagging nor for loading.
    assert_eq!(desk.stats(&tag)["events"], 0);
    let again = desk.stats(&[&tag[..], &["--again"]].concat());
    assert_eq!(
        (&again["written"], &again["hits"]),
        (&json!(0), &tagged["hits"])
    );
    assert_eq!(again["retagged"]["unchanged"], tagged["tagged"]);
    let again = desk.stats(&["load", "--store", "s", "--index", "demo", &events]);
    assert_eq!(again["written"], 0);
    assert_eq!(again["input"][0]["count"], bare.len());
    assert_eq!(desk.content("s"), after);

    // One rule goes, then all.
    let rule = desk.hits("tags:sigma")[0]["_source"]["sigma"]["rule"]["id"][0].clone();
    let rule = rule.as_str().unwrap();
    let named = |desk: &Desk| {
        let named = desk.hits(&format!("sigma.rule.id:\"{rule}\""));
        named.len()
    };
    let before = named(&desk);
    assert!(before > 0);
    let gone = desk.stats(&["untag", "--store", "s", "--index", "demo", "--rule", rule]);
    assert_eq!(gone["written"], before);
    assert_eq!(named(&desk), 0);
    let left = desk.stats(&["untag", "--store", "s", "--index", "demo", "--all"]);
    let removed = &gone["retagged"]["removed"];
    assert_eq!(
        left["written"].as_u64().unwrap() + removed.as_u64().unwrap(),
        tagged["tagged"]
    );
    assert_eq!(desk.content("s"), bare);
    let nothing = desk.stats(&["untag", "--store", "s", "--index", "demo", "--all"]);
    assert_eq!(nothing["written"], 0);
}

#[test]
fn tags_on_the_way_in_are_the_same() {
    let desk = Desk::new(&[]);
    let (events, rules) = (demo("events"), demo("rules"));
    for profile in ["ecs", "ee-outliers", "both"] {
        let at_once = format!("{profile}-1");
        let later = format!("{profile}-2");
        let tags = ["--rules", &rules, "--profile", profile];
        let load = |store: &str, more: &[&str]| {
            let load = ["load", "--store", store, "--index", "demo"];
            desk.stats(&[&load[..], more, &[&events]].concat())
        };
        let summary = load(&at_once, &tags);
        assert_eq!(summary["hits"], expected_hits());
        load(&later, &[]);
        let tag = ["tag", "--store", &later, "--index", "demo"];
        desk.stats(&[&tag[..], &tags].concat());
        let without_source = |content: BTreeMap<(String, String), String>| {
            let texts = content.into_iter().map(|(id, text)| {
                let mut event: Value = serde_json::from_str(&text).unwrap();
                if let Some(sigma) = event["sigma"].as_object_mut() {
                    sigma.shift_remove("source");
                }
                (id, event)
            });
            texts.collect::<Vec<_>>()
        };
        let content = without_source(desk.content(&at_once));
        assert_eq!(content, without_source(desk.content(&later)));
        // Where an event stood does not make its tag another one.
        let tag = ["tag", "--store", &at_once, "--index", "demo"];
        assert_eq!(desk.stats(&[&tag[..], &tags].concat())["written"], 0);
        desk.stats(&["untag", "--store", &at_once, "--index", "demo", "--all"]);
        desk.stats(&["untag", "--store", &later, "--index", "demo", "--all"]);
        assert_eq!(desk.content(&at_once), desk.content(&later));
    }
}

#[test]
fn equal_events_are_all_kept_and_streams_are_always_new() {
    let two = "{\"a\":1}\n{\"a\":1}\n";
    let desk = Desk::new(&[("a.jsonl", two), ("b.jsonl", two)]);
    let load = |inputs: &[&str], stdin: &str| {
        let load = ["load", "--store", "s", "--index", "i", "--quiet"];
        let ran = desk.run_with(&[&load[..], inputs].concat(), stdin);
        assert_eq!(ran.code, 0, "{}", ran.err);
        desk.content("s").len()
    };
    assert_eq!(load(&["a.jsonl"], ""), 2);
    assert_eq!(load(&["./a.jsonl", "b.jsonl"], ""), 4);
    assert_eq!(load(&["-"], two), 6);
    assert_eq!(load(&["-"], two), 8);
    // What has been added to a file is new.
    fs::write(desk.path("a.jsonl"), format!("{two}{{\"a\":1}}\n")).unwrap();
    assert_eq!(load(&["a.jsonl"], ""), 9);
}

#[test]
fn refused_events_are_told_and_the_others_kept() {
    let lines = "{\"a\":1}\n{\"b\":1}\n{\"a\":2}\nno event\n";
    let strict = r#"{"dynamic": "strict", "properties": {"a": {"type": "long"}}}"#;
    let desk = Desk::new(&[("e.jsonl", lines), ("strict.json", strict)]);
    let ran = desk.run(&[
        "load",
        "--store",
        "s",
        "--index",
        "i",
        "--schema",
        "strict.json",
        "--stats",
        "t.json",
        "e.jsonl",
    ]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("e.jsonl: event 2: "), "{}", ran.err);
    assert!(ran.err.contains("2 documents written"), "{}", ran.err);
    let stats: Value = serde_json::from_slice(&fs::read(desk.path("t.json")).unwrap()).unwrap();
    assert_eq!(stats["events"], 3);
    assert_eq!(stats["written"], 2);
    let lost = stats["input"].as_array().unwrap();
    let lost = lost.iter().filter(|skip| skip["effect"] == "lost");
    assert_eq!(
        lost.map(|skip| skip["count"].as_u64().unwrap())
            .sum::<u64>(),
        2
    );
    assert_eq!(desk.content("s").len(), 2);
}

#[test]
fn the_user_says_what_fields_are() {
    let bare = r#"{"properties": {"a": {"type": "keyword"}}}"#;
    let body =
        json!({"mappings": serde_json::from_str::<Value>(bare).unwrap(), "aliases": {"all": {}}});
    let template = json!({"index_patterns": ["x-*"], "template": body});
    let files = [
        ("bare.json", bare),
        ("body.json", &body.to_string()),
        ("template.json", &template.to_string()),
        ("other.json", r#"{"properties": {"a": {"type": "long"}}}"#),
        ("e.jsonl", "{\"a\":\"Ada Lovelace\"}\n"),
    ];
    let desk = Desk::new(&files);
    for schema in ["bare", "body", "template"] {
        let file = format!("{schema}.json");
        desk.stats(&[
            "load", "--store", "s", "--index", schema, "--schema", &file, "e.jsonl",
        ]);
    }
    // A keyword is not taken apart.
    assert_eq!(desk.hits("a:ada").len(), 0);
    assert_eq!(desk.hits(r#"a:"Ada Lovelace""#).len(), 3);
    let ran = desk.run(&[
        "search", "--store", "s", "--index", "all", "--format", "jsonl",
    ]);
    assert_eq!(ran.out.lines().count(), 2);
    // The same again is a load that goes on; an index that is there keeps its fields.
    let again = |schema: &str| {
        let load = [
            "load", "--store", "s", "--index", "bare", "--schema", schema,
        ];
        desk.run(&[&load[..], &["e.jsonl"]].concat())
    };
    assert_eq!(again("bare.json").code, 0);
    let ran = again("other.json");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`bare` exists already"), "{}", ran.err);
}

#[test]
fn indices_have_patterns_and_aliases_and_can_go() {
    let desk = Desk::new(&[("e.jsonl", "{\"a\":1}\n")]);
    for index in ["logs-1", "logs-2", "other"] {
        desk.stats(&["load", "--store", "s", "--index", index, "e.jsonl"]);
    }
    let indices = |more: &[&str]| {
        let ran = desk.run(&[&["indices", "--store", "s", "--format", "jsonl"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines = ran.out.lines();
        let indices = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        let names = indices.map(|index| {
            assert_eq!(index["documents"], 1);
            index["name"].as_str().unwrap().to_owned()
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(indices(&[]), ["logs-1", "logs-2", "other"]);
    assert_eq!(indices(&["logs-*"]), ["logs-1", "logs-2"]);
    assert_eq!(
        indices(&["--alias", "mine", "logs-2,other"]),
        ["logs-2", "other"]
    );
    assert_eq!(indices(&["mine"]), ["logs-2", "other"]);
    let table = desk.run(&["indices", "--store", "s"]);
    assert!(
        table.out.contains("Documents") && table.out.contains("mine"),
        "{}",
        table.out
    );
    let gone = desk.run(&["indices", "--store", "s", "logs-*", "--delete"]);
    assert_eq!(gone.out, "deleted logs-1\ndeleted logs-2\n");
    assert_eq!(indices(&[]), ["other"]);
    // Not all of them by an oversight.
    assert_eq!(desk.run(&["indices", "--store", "s", "--delete"]).code, 2);
    assert_eq!(indices(&[]), ["other"]);
}

#[test]
fn searches_sort_cut_and_count() {
    let lines: String = (0..30)
        .map(|n| {
            format!(
                "{{\"n\":{n},\"user\":{{\"name\":\"u{}\"}},\"x.y\":[{n},null]}}\n",
                n % 3
            )
        })
        .collect();
    let desk = Desk::new(&[("e.jsonl", &lines)]);
    desk.stats(&["load", "--store", "s", "--index", "i", "e.jsonl"]);
    let search =
        |more: &[&str]| desk.run(&[&["search", "--store", "s", "--index", "i"], more].concat());
    let jsonl = |more: &[&str]| {
        let ran = search(&[&["--format", "jsonl"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines = ran.out.lines();
        let hits =
            lines.map(|line| serde_json::from_str::<Value>(line).unwrap()["_source"].clone());
        hits.collect::<Vec<_>>()
    };
    assert_eq!(jsonl(&[]).len(), 20);
    assert_eq!(
        jsonl(&["--size", "2", "--sort", "n:desc", "--fields", "n"]),
        [json!({"n": 29}), json!({"n": 28})]
    );
    let sorted = jsonl(&["--size", "11", "--sort", "user.name.keyword,n:desc"]);
    assert_eq!(
        (&sorted[0]["n"], &sorted[10]["n"]),
        (&json!(27), &json!(28))
    );
    assert_eq!(jsonl(&[r#"{"range": {"n": {"gte": 28}}}"#]).len(), 2);
    assert_eq!(jsonl(&["--size", "50000", "user.name:u1"]).len(), 10);
    let table = search(&["--size", "1", "--fields", "user.name,x.y", "n:7"]);
    assert!(
        table.out.contains(" user.name   x.y ") && table.out.contains(" u1          7"),
        "{}",
        table.out
    );
    assert!(table.err.contains("1 hit"), "{}", table.err);
    assert!(search(&["--size", "3"]).err.contains("3 of 30 hits"));
    let aggs = r#"{"users": {"terms": {"field": "user.name.keyword"}, "aggs": {"most": {"max": {"field": "n"}}}}}"#;
    let ran = search(&["--aggs", aggs, "n:[0 TO 27]"]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        found["users"]["buckets"][0],
        json!({"key": "u0", "doc_count": 10, "most": {"value": 27.0}})
    );
}

#[test]
fn what_is_wrong_is_named() {
    let desk = Desk::new(&[("e.jsonl", "{\"a\":1}\n"), ("no.json", "[1]")]);
    desk.stats(&["load", "--store", "s", "--index", "i", "e.jsonl"]);
    fs::create_dir(desk.path("foreign")).unwrap();
    fs::write(desk.path("foreign/photo.jpg"), "x").unwrap();
    let rules = demo("rules");
    let cases: [(&[&str], &str); 13] = [
        (
            &["search", "--store", "s", "--index", "none"],
            "no such index: `none`",
        ),
        (&["search", "--store", "nowhere", "--index", "i"], "nowhere"),
        (
            &["search", "--store", "foreign", "--index", "i"],
            "not a store of sigtag",
        ),
        (
            &["load", "--store", "foreign", "--index", "i", "e.jsonl"],
            "not a store of sigtag",
        ),
        (
            &[
                "tag", "--store", "nowhere", "--index", "i", "--rules", &rules,
            ],
            "nowhere",
        ),
        (
            &["tag", "--store", "s", "--index", "none", "--rules", &rules],
            "no such index: `none`",
        ),
        (
            &["untag", "--store", "s", "--index", "none", "--all"],
            "no such index: `none`",
        ),
        (
            &["load", "--store", "s", "--index", "Upper", "e.jsonl"],
            "`Upper` cannot be the name of an index",
        ),
        (
            &[
                "load", "--store", "s", "--index", "j", "--schema", "no.json", "e.jsonl",
            ],
            "no.json: expected an object",
        ),
        (
            &["search", "--store", "s", "--index", "i", "a:["],
            "column 4",
        ),
        (
            &[
                "search",
                "--store",
                "s",
                "--index",
                "i",
                "{\"span_term\": {\"a\": 1}}",
            ],
            "span_term",
        ),
        (
            &[
                "search",
                "--store",
                "s",
                "--index",
                "i",
                "--aggs",
                "{\"x\": {\"weighted_avg\": {}}}",
            ],
            "weighted_avg",
        ),
        (
            &[
                "search", "--store", "s", "--index", "i", "--size", "10001", "--sort", "a",
            ],
            "10,000",
        ),
    ];
    for (arguments, message) in cases {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(message), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "");
    }
    // Nothing was made on the way.
    assert!(!desk.path("nowhere").exists());
    let left: Vec<_> = fs::read_dir(desk.path("foreign")).unwrap().collect();
    assert_eq!(left.len(), 1);
    for arguments in [
        &["tag", "--store", "s", "--rules", &rules] as &[&str],
        &["tag", "--index", "i", "--rules", &rules, "e.jsonl"],
        &[
            "tag", "--store", "s", "--index", "i", "--rules", &rules, "e.jsonl",
        ],
        &["untag", "--store", "s", "--index", "i"],
        &[
            "untag", "--store", "s", "--index", "i", "--all", "--rule", "x",
        ],
    ] {
        assert_eq!(desk.run(arguments).code, 2, "{arguments:?}");
    }
}

/// The path is there for what the tests above say of the program's own folder.
#[test]
fn a_store_is_one_folder() {
    let desk = Desk::new(&[("e.jsonl", "{\"a\":1}\n")]);
    desk.stats(&["load", "--store", "deep/er/s", "--index", "i", "e.jsonl"]);
    let moved = Path::new("elsewhere");
    fs::rename(desk.path("deep/er/s"), desk.path("elsewhere")).unwrap();
    assert_eq!(desk.content(moved.to_str().unwrap()).len(), 1);
}
