//! `sigtag outliers` gives what ee-outliers gave: recorded runs of the original, run again on a real server.

mod desk;

use desk::{Desk, Ran};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use servers::Server;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The kinds of recorded runs that are compared.
const KINDS: [&str; 10] = [
    "simplequery",
    "metrics",
    "terms",
    "sudden_appearance",
    "whitelist",
    "config",
    "multi-run",
    "sample",
    "notifier",
    "unmodified launch",
];

/// Runs whose outcome was left to chance, or which never ended.
const BY_CHANCE: [&str; 4] = ["mr04", "cf08", "me62", "cf19"];

fn server() -> Option<Server> {
    servers::server(&["opensearch-3", "opensearch-2"])
}

#[test]
fn recorded_runs_of_the_original_give_the_same_documents() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let Some(server) = server() else { return };
    let bench = Bench::new(&server, &shared);
    let groups = groups(&shared);
    let listed = differing();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let compared = bench.run(group);
                    done.lock().unwrap().extend(compared);
                }
            });
        }
    });
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut wrong, mut stale) = (Vec::new(), Vec::new());
    for (case, kind, difference) in done.into_inner().unwrap() {
        let counts = kinds.entry(kind).or_default();
        counts.1 += 1;
        counts.0 += usize::from(difference.is_none());
        match (difference, listed.contains(&case)) {
            (Some(difference), false) => wrong.push(format!("{case}: {difference}")),
            (None, true) => stale.push(case),
            _ => {}
        }
    }
    let mut table = String::new();
    for (kind, (equal, all)) in &kinds {
        writeln!(table, "{kind}: {equal} of {all} equal").unwrap();
    }
    eprint!("{table}");
    assert!(wrong.is_empty(), "{table}{}", wrong.join("\n"));
    assert_eq!(stale, [""; 0], "these are said to differ, and do not");
    let all: usize = kinds.values().map(|(_, all)| all).sum();
    assert!(all > 150 || std::env::var_os("SIGTAG_CASES").is_some());
}

/// The recorded runs that are said to differ, and why: the table in the guide.
fn differing() -> BTreeSet<String> {
    let guide = testkit::workspace_root().join("docs/ee-outliers.md");
    let guide = fs::read_to_string(guide).unwrap();
    let (_, table) = guide.split_once("## Differs: fixed").unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    let names = rows.flat_map(|row| {
        let cell = row.split('|').nth(1).unwrap_or_default();
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    names.collect()
}

/// The recorded runs, or those with the text of `SIGTAG_CASES` in their names: those that go on with the index of the one before together with it.
fn groups(shared: &Path) -> Vec<Vec<Value>> {
    let wanted = std::env::var("SIGTAG_CASES").unwrap_or_default();
    let file = shared.join("golden/ee-outliers-runs/cases-open.jsonl.zst");
    let mut groups: Vec<Vec<Value>> = Vec::new();
    for line in unpacked(&file).lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["case"].as_str().unwrap();
        let is_left_out = !KINDS.iter().any(|kind| case["model"] == *kind)
            || BY_CHANCE.iter().any(|start| name.starts_with(start))
            || case["mode"] != "interactive"
            || case["use_cases"].to_string().contains("[word2vec")
            || !name.contains(&wanted);
        if is_left_out {
            continue;
        }
        match case["fresh_index"] == json!(false) {
            true => groups.last_mut().unwrap().push(case),
            false => groups.push(vec![case]),
        }
    }
    groups
}

fn unpacked(file: &Path) -> String {
    let packed = fs::File::open(file).unwrap();
    std::io::read_to_string(zstd::Decoder::new(packed).unwrap()).unwrap()
}

/// A set of events, ready to be loaded into an index.
struct Events {
    body: Value,
    bulk: String,
    /// The texts by id.
    texts: BTreeMap<String, String>,
}

struct Bench<'s> {
    server: &'s Server,
    synthetic: Events,
    sample: Events,
}

impl Bench<'_> {
    fn new<'s>(server: &'s Server, shared: &Path) -> Bench<'s> {
        let folder = shared.join("golden/ee-outliers-runs");
        #[derive(serde::Deserialize)]
        struct Line {
            #[serde(rename = "_id")]
            id: String,
            #[serde(rename = "_source")]
            source: Box<RawValue>,
        }
        let lines = unpacked(&folder.join("data-synthetic.jsonl.zst"));
        let lines = lines.lines().map(|line| {
            let line: Line = serde_json::from_str(line).unwrap();
            (line.id, line.source.get().to_owned())
        });
        let mapping = fs::read_to_string(folder.join("mapping-synthetic.json")).unwrap();
        let synthetic = Events::new(&mapping, lines.collect());

        let lines = unpacked(&shared.join("corpus/sample-winlogbeat.jsonl.zst"));
        let lines: Vec<&str> = lines.lines().collect();
        let order = unpacked(&folder.join("order-sample.txt.zst"));
        let ordered = order.lines().map(|id| {
            let number: usize = id.parse().unwrap();
            (id.to_owned(), lines[number].to_owned())
        });
        let mapping = unpacked(&folder.join("mapping-sample.json.zst"));
        let sample = Events::new(&mapping, ordered.collect());
        Bench {
            server,
            synthetic,
            sample,
        }
    }

    /// Runs a group, and gives for each run its name, its kind, and what differs.
    fn run(&self, group: &[Value]) -> Vec<(String, String, Option<String>)> {
        let first = &group[0];
        let name = first["case"].as_str().unwrap();
        let is_sample = first["index"].as_str().unwrap().starts_with("sample");
        let (events, index) = match is_sample {
            true => (&self.sample, "winlogbeat-2020.01.01"),
            false => (&self.synthetic, "eeo-synth"),
        };
        let index = match first["index"] == "synthd" {
            true => {
                let conf = first["general_confs"][0].as_str().unwrap();
                let (_, after) = conf.split_once("es_index_pattern=").unwrap();
                after.lines().next().unwrap()
            }
            false => index,
        };
        let place = format!("{}-", name.to_lowercase());
        let index = events.load(self.server, &place, index);
        if first["notes"]
            .as_str()
            .is_some_and(|notes| notes.contains("tags_* deleted"))
        {
            let query = json!({"query": {"prefix": {"kind.keyword": "tags_"}}}).to_string();
            let path = format!("/{index}/_delete_by_query?refresh=true");
            assert_eq!(self.server.post(&path, &query).status, 200);
        }
        let compared = group.iter().map(|case| {
            let ran = self.run_case(case, &place);
            self.server.post(&format!("/{index}/_refresh"), "");
            let difference = self.difference(case, events, &index);
            let difference = difference.map(|text| format!("{text}\n{}", last_lines(&ran.err)));
            let text = |key: &str| case[key].as_str().unwrap().to_owned();
            (text("case"), text("model"), difference)
        });
        let compared = compared.collect();
        self.server.send("DELETE", &format!("/{index}"), None);
        compared
    }

    fn run_case(&self, case: &Value, place: &str) -> Ran {
        let own = |text: &str| {
            let mut text = text.to_owned();
            for name in ["eeo-", "winlogbeat-2020"] {
                text = text.replace(name, &format!("{}{place}{name}", self.server.prefix()));
            }
            text.into_bytes()
        };
        let desk = Desk::new(&[]);
        let mut arguments = vec!["outliers".to_owned(), "interactive".to_owned()];
        let configs = case["general_confs"].as_array().unwrap();
        let is_plain = case["args"].is_null();
        for (number, conf) in configs.iter().enumerate() {
            let name = match number {
                0 => "outliers.conf".to_owned(),
                number => format!("outliers{number}.conf"),
            };
            fs::write(desk.path(&name), own(conf.as_str().unwrap())).unwrap();
            if is_plain {
                arguments.extend(["--config".to_owned(), name]);
            }
        }
        fs::create_dir(desk.path("uc")).unwrap();
        for (name, text) in case["use_cases"].as_object().unwrap() {
            let text = text.as_str().unwrap();
            let bytes = match text.strip_prefix("b'") {
                Some(escaped) => bytes(escaped.trim_end().trim_end_matches('\'')),
                None => own(text),
            };
            fs::write(desk.path("uc").join(name), bytes).unwrap();
        }
        match case["args"].as_array() {
            Some(args) => arguments.extend(args.iter().map(|one| {
                let one = one.as_str().unwrap();
                one.replace(
                    "@DIR@",
                    desk.path("").to_str().unwrap().trim_end_matches('/'),
                )
            })),
            None => arguments.extend(["--use-cases".to_owned(), "uc/*.conf".to_owned()]),
        }
        let clock = case["clock"].as_str().filter(|clock| *clock != "real");
        let clock = format!("{}Z", clock.unwrap_or("2026-11-24T12:00:00"));
        arguments
            .extend(["--compat", "--now", &clock, "--store", self.server.url()].map(str::to_owned));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        desk.run(&arguments)
    }

    /// What is otherwise than recorded.
    fn difference(&self, case: &Value, events: &Events, index: &str) -> Option<String> {
        let changed = events.changed(self.server, index);
        let lines: Vec<&String> = changed.values().collect();
        let lines: Vec<&str> = lines.into_iter().map(String::as_str).collect();
        let text = format!("[{}]", lines.join(","));
        let digest = Sha256::digest(text.as_bytes());
        let digest = digest
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        if case["docs_sha256"] == digest {
            return None;
        }
        let recorded = case["docs"].as_array().or(case["docs_first_20"].as_array());
        let is_whole = case["docs"].is_array();
        let mut differences = String::new();
        let mut known = BTreeSet::new();
        for document in recorded.into_iter().flatten() {
            let id = document["_id"].as_str().unwrap();
            known.insert(id.to_owned());
            let recorded = canonical_document(
                id,
                Some(&document["tags"].to_string()),
                Some(&document["outliers"].to_string()),
            );
            match changed.get(id) {
                Some(own) if *own == recorded => {}
                own => {
                    let own = own.map_or("nothing", String::as_str);
                    writeln!(differences, "\n  recorded {recorded}\n  now      {own}").unwrap();
                }
            }
            if differences.len() > 3_000 {
                break;
            }
        }
        if is_whole {
            for (id, own) in changed
                .iter()
                .filter(|(id, _)| !known.contains(*id))
                .take(2)
            {
                writeln!(differences, "\n  {id} is new: {own}").unwrap();
            }
        }
        Some(format!(
            "{} documents for {}{differences}",
            changed.len(),
            case["tagged"]
        ))
    }
}

impl Events {
    fn new(mapping: &str, events: Vec<(String, String)>) -> Events {
        let mapping: Value = serde_json::from_str(mapping).unwrap();
        let mapping = mapping.as_object().unwrap().values().next().unwrap();
        let mut bulk = String::new();
        for (id, text) in &events {
            writeln!(bulk, "{}\n{text}", json!({"index": {"_id": id}})).unwrap();
        }
        Events {
            body: json!({
                "mappings": mapping["mappings"],
                "settings": {"index.mapping.total_fields.limit": 10_000, "index.refresh_interval": "-1"},
            }),
            bulk,
            texts: events.into_iter().collect(),
        }
    }

    fn load(&self, server: &Server, place: &str, index: &str) -> String {
        let index = server.create_index(&format!("{place}{index}"), &self.body);
        let answer = server.post(&format!("/{index}/_bulk?refresh=true"), &self.bulk);
        assert_eq!(answer.body["errors"], false);
        index
    }

    /// The documents whose tags or outliers have changed, by id, in the canonical form of the recorded runs.
    fn changed(&self, server: &Server, index: &str) -> BTreeMap<String, String> {
        let desk = Desk::new(&[]);
        let search = ["search", "--store", server.url(), "--index", index];
        let ran = desk.run(&[&search[..], &["--format", "jsonl", "--size", "10000"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        #[derive(serde::Deserialize)]
        struct Hit<'h> {
            #[serde(rename = "_id")]
            id: String,
            #[serde(rename = "_source", borrow)]
            source: BTreeMap<String, &'h RawValue>,
        }
        let mut changed = BTreeMap::new();
        for line in ran.out.lines() {
            let hit: Hit<'_> = serde_json::from_str(line).unwrap();
            let before: BTreeMap<String, &RawValue> =
                serde_json::from_str(&self.texts[&hit.id]).unwrap();
            let get = |of: &BTreeMap<String, &RawValue>, key: &str| {
                of.get(key).map(|raw| raw.get().to_owned())
            };
            let is_same = |key: &str| get(&hit.source, key) == get(&before, key);
            if ["tags", "outliers"].into_iter().all(is_same) {
                continue;
            }
            let [tags, outliers] = ["tags", "outliers"].map(|key| get(&hit.source, key));
            let text = canonical_document(&hit.id, tags.as_deref(), outliers.as_deref());
            changed.insert(hit.id, text);
        }
        changed
    }
}

fn canonical_document(id: &str, tags: Option<&str>, outliers: Option<&str>) -> String {
    let canonical = |text: Option<&str>| canonical(text.unwrap_or("null"), "");
    let (tags, outliers) = (canonical(tags), canonical(outliers));
    format!(
        "{{\"_id\":{},\"outliers\":{outliers},\"tags\":{tags}}}",
        json!(id)
    )
}

/// JSON with sorted keys and Python's numbers; samples, which are drawn by lot, become `<sample>`.
fn canonical(json: &str, key: &str) -> String {
    let list = |parts: Vec<String>| parts.join(",");
    match json.trim_start().as_bytes()[0] {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap();
            let members = members
                .iter()
                .map(|(key, value)| format!("{}:{}", json!(key), canonical(value.get(), key)));
            format!("{{{}}}", list(members.collect()))
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap();
            let elements = elements.iter().map(|value| canonical(value.get(), key));
            format!("[{}]", list(elements.collect()))
        }
        b'"' if key == "non_outlier_values_sample" => "\"<sample>\"".to_owned(),
        b'"' => json!(serde_json::from_str::<String>(json).unwrap()).to_string(),
        _ if json.contains(['.', 'e', 'E']) && json != "false" && json != "true" => {
            let number: f64 = json.parse().unwrap();
            match number.abs() {
                0.0 | 1e-4..1e16 => format!("{number:?}"),
                _ => {
                    let text = format!("{number:e}");
                    let (digits, exponent) = text.split_once('e').unwrap();
                    let exponent: i32 = exponent.parse().unwrap();
                    let sign = if exponent < 0 { '-' } else { '+' };
                    format!("{digits}e{sign}{:02}", exponent.abs())
                }
            }
        }
        _ => json.to_owned(),
    }
}

/// What Python shows of bytes.
fn bytes(escaped: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = escaped;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            bytes.extend(c.to_string().as_bytes());
        } else if let Some(hex) = rest.strip_prefix('x') {
            bytes.push(u8::from_str_radix(&hex[..2], 16).unwrap());
            rest = &hex[2..];
        } else {
            bytes.push(if rest.starts_with('n') {
                b'\n'
            } else {
                rest.as_bytes()[0]
            });
            rest = &rest[1..];
        }
    }
    bytes
}

fn last_lines(text: &str) -> String {
    let lines = text.lines().filter(|line| {
        line.contains("WARNING") || line.contains("ERROR") || line.contains("error")
    });
    let lines: Vec<&str> = lines
        .filter(|line| !line.contains("log directory"))
        .take(4)
        .collect();
    lines.join("\n")
}

/// A general configuration for whatever store the command line names.
const GENERAL: &str = "[general]
es_url=http://127.0.0.1:9
es_index_pattern=INDEX
timestamp_field=@timestamp
es_save_results=1
print_outliers_to_console=1
history_window_days=30
run_models=1
[notifier]
email_notifier=0
";

const NOW: &str = "2026-03-15T12:00:00Z";

fn general(index: &str) -> String {
    GENERAL.replace("INDEX", index)
}

/// Runs use cases on a store.
fn outliers(desk: &Desk, store: &str, more: &[&str]) -> Ran {
    let files = ["--config", "outliers.conf", "--use-cases", "uc/*.conf"];
    let command = ["outliers", "interactive", "--now", NOW, "--store", store];
    desk.run(&[&command[..], &files, more].concat())
}

/// A desk with a general configuration and files of use cases.
fn desk_with(index: &str, use_cases: &[(&str, &str)]) -> Desk {
    let desk = Desk::new(&[("outliers.conf", &general(index))]);
    fs::create_dir(desk.path("uc")).unwrap();
    for (name, text) in use_cases {
        fs::write(desk.path("uc").join(name), text).unwrap();
    }
    desk
}

/// What an index holds, by id.
fn content(desk: &Desk, store: &str, index: &str) -> BTreeMap<String, Value> {
    let search = ["search", "--store", store, "--index", index];
    let ran = desk.run(&[&search[..], &["--format", "jsonl", "--size", "10000"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let hits = ran.out.lines().map(|line| {
        let mut hit: Value = serde_json::from_str(line).unwrap();
        (
            hit["_id"].as_str().unwrap().to_owned(),
            hit["_source"].take(),
        )
    });
    hits.collect()
}

/// From a Sigma rule to a tagged event: the rule becomes a use case, and the use case is run as it is.
#[test]
fn a_rule_becomes_a_use_case_and_the_use_case_tags_its_events() {
    let Some(rules) = testkit::shared_file("corpus/sigmahq-2020-05.tar.zst") else {
        return;
    };
    let desk = desk_with("winlogbeat-*", &[]);
    let packed = zstd::Decoder::new(fs::File::open(rules).unwrap()).unwrap();
    tar::Archive::new(packed).unpack(desk.path("")).unwrap();
    let sigmac = ["sigmac", "-t", "ee-outliers", "-c", "winlogbeat"];
    let one = desk.run(
        &[
            &sigmac[..],
            &["rules/windows/builtin/win_susp_mshta_execution.yml"],
        ]
        .concat(),
    );
    assert_eq!(one.code, 0, "{}", one.err);
    let all = desk.run(&[&sigmac[..], &["-r", "rules/windows"]].concat());
    assert!(
        all.out.matches("[simplequery_").count() > 400,
        "{}",
        all.err
    );
    let events = json!({"@timestamp": "2026-03-14T00:00:00Z", "winlog": {"event_data": {
        "Image": r"C:\Windows\System32\mshta.exe",
        "CommandLine": r#"mshta.exe "C:\Users\ada\picture.jpg""#,
    }}});
    let others = json!({"@timestamp": "2026-03-14T00:00:00Z", "winlog": {"event_data": {
        "Image": r"C:\Windows\notepad.exe",
        "CommandLine": "notepad.exe picture.jpg",
    }}});
    fs::write(desk.path("e.jsonl"), format!("{events}\n{others}\n")).unwrap();

    let server = server();
    let cluster = server.as_ref().map(|server| {
        let name = server.create_index("winlogbeat-1", &json!({}));
        (server.url(), name)
    });
    let stores = [Some(("folder", "winlogbeat-1".to_owned())), cluster];
    for (store, index) in stores.into_iter().flatten() {
        let load = ["load", "--store", store, "--index", &index, "e.jsonl"];
        assert_eq!(desk.stats(&load)["written"], 2);
        let refresh = || {
            if let Some(server) = &server {
                server.post(&format!("/{index}/_refresh"), "");
            }
        };
        refresh();
        for (name, text) in [("one.conf", &one.out), ("one.conf", &all.out)] {
            let prefix = index.strip_suffix("winlogbeat-1").unwrap();
            let text = text.replace("es_index = ", &format!("es_index = {prefix}"));
            fs::write(desk.path("uc").join(name), text).unwrap();
            let ran = outliers(&desk, store, &[]);
            assert_eq!(ran.code, 0, "{}", ran.err);
            refresh();
            let tagged: Vec<Value> = content(&desk, store, &index).into_values().collect();
            let tagged: Vec<&Value> = tagged
                .iter()
                .filter(|event| event["tags"] != Value::Null)
                .collect();
            assert_eq!(tagged.len(), 1, "{}", ran.err);
            let outliers = &tagged[0]["outliers"];
            assert_eq!(tagged[0]["tags"], json!(["outlier"]));
            assert_eq!(
                outliers["type"],
                json!(["Sigma hit", "attack.defense_evasion", "attack.t1140"])
            );
            let text = "Sigma hit - MSHTA Suspicious Execution 01";
            assert_eq!(outliers["reason"], json!([text]));
            assert_eq!(outliers["summary"], json!([text]));
            assert_eq!(outliers["model_type"], json!(["simplequery"]));
            assert_eq!(outliers["total_outliers"], 1);
        }
    }
}

const RARE: &str = "[terms_rare]
es_query_filter=kind:x
aggregator=host
target=name
target_count_method=within_aggregator
trigger_on=low
trigger_method=float
trigger_sensitivity=2
outlier_type=t
outlier_reason=r
outlier_summary={term} is rare on {aggregator}
run_model=1
";

const EVERY: &str = "[simplequery_every]
es_query_filter=kind:x
outlier_type=t
outlier_reason=r
outlier_summary=every {name}
run_model=1
";

fn load(desk: &Desk, events: &[Value]) {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    fs::write(desk.path("e.jsonl"), lines.join("\n")).unwrap();
    desk.stats(&["load", "--store", "folder", "--index", "logs", "e.jsonl"]);
}

fn event(host: Value, name: Value) -> Value {
    json!({"@timestamp": "2026-03-14T00:00:00Z", "kind": "x", "host": host, "name": name})
}

#[test]
fn odd_events_and_broken_use_cases_stop_nothing_and_are_told() {
    let broken = "[terms_bad]\nes_query_filter=*\nrun_model=maybe\n";
    let twice = "[simplequery_a]\nes_query_filter=a\nes_query_filter=b\n";
    let regexp = format!("{EVERY}\n[whitelist_regexps]\na=(unclosed\n");
    let gone = EVERY
        .replace("every]", "gone]")
        .replace("run_model", "es_index=nothing\nrun_model");
    let missing = EVERY
        .replace("every]", "neural]")
        .replace("simplequery", "word2vec");
    let files = [
        ("1.conf", broken),
        ("2.conf", twice),
        ("3.conf", &regexp),
        ("4.conf", "no section\n"),
        ("5.conf", &gone),
        ("6.conf", RARE),
        ("7.conf", EVERY),
        ("8.conf", &missing),
    ];
    let desk = desk_with("logs", &files);
    let mut events: Vec<Value> = (0..5).map(|_| event(json!("h"), json!("a"))).collect();
    events.extend([
        event(json!("h"), json!("b")),
        event(json!(["h", "i"]), json!(["a", null, {"deep": 1}])),
        event(json!({"name": "h"}), json!("a")),
        event(json!(null), json!(7)),
    ]);
    events[8]["outliers"] = json!("somebody's");
    load(&desk, &events);
    let ran = outliers(&desk, "folder", &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for told in [
        "uc/1.conf:3: `run_model`: expected 0 or 1, found `maybe`",
        "uc/2.conf:3: `es_query_filter` is there already in the section `[simplequery_a]`",
        "uc/3.conf:9: `a`: `(unclosed` is no regular expression",
        "uc/4.conf:1: there is no `[section]` before this line",
        "index nothing does not exist, skipping use case",
        "uc/8.conf:1: `[word2vec_neural]`: this version does not have the model",
        "outlier - b is rare on h",
        "outlier - a is rare on i",
        "outlier - every 7",
        "`outliers` is there already, and is no object",
        "use cases skipped because of incorrect configuration: 5",
        "use cases skipped because of missing index: 1",
        "total use cases processed: 3",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let content = content(&desk, "folder", "logs");
    let tagged = content
        .values()
        .filter(|event| event["outliers"].is_object());
    assert_eq!(tagged.count(), 8);

    // Nothing is new in a second run.
    let again = outliers(&desk, "folder", &[]);
    assert_eq!(
        self::content(&desk, "folder", "logs"),
        content,
        "{}",
        again.err
    );

    let checked = desk.run(&[
        "outliers",
        "check",
        "--config",
        "outliers.conf",
        "--use-cases",
        "uc/*.conf",
    ]);
    assert_eq!(checked.code, 1);
    assert!(
        checked.err.contains("uc/4.conf:1: there is no `[section]`"),
        "{}",
        checked.err
    );
    assert!(
        checked.out.contains("uc/6.conf:1: terms_rare"),
        "{}",
        checked.out
    );
}

#[test]
fn use_cases_that_meet_in_an_event_add_to_each_other() {
    let other = EVERY.replace("every]", "other]");
    let desk = desk_with(
        "logs",
        &[("a.conf", RARE), ("b.conf", EVERY), ("c.conf", &other)],
    );
    load(&desk, &[event(json!("h"), json!("b"))]);
    let dry = outliers(&desk, "folder", &["--dry-run"]);
    assert!(
        dry.err
            .contains("dry run: 3 events would have been written"),
        "{}",
        dry.err
    );
    assert_eq!(dry.code, 0);
    assert!(
        content(&desk, "folder", "logs")
            .values()
            .all(|event| event["tags"].is_null())
    );

    let ran = outliers(&desk, "folder", &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let content = content(&desk, "folder", "logs");
    let outliers = &content.values().next().unwrap()["outliers"];
    // The same summary of two use cases: one of them would be lost in ee-outliers.
    assert_eq!(
        outliers["summary"],
        json!(["b is rare on h", "every b", "every b"])
    );
    assert_eq!(outliers["model_name"], json!(["rare", "every", "other"]));
    assert_eq!(outliers["total_outliers"], 3);
}

#[test]
fn a_general_configuration_that_cannot_be_used_ends_with_2() {
    let desk = desk_with("logs", &[]);
    let run = |config: &str| {
        let files = ["--config", config, "--use-cases", "uc/*.conf"];
        desk.run(&[&["outliers", "interactive"][..], &files].concat())
    };
    let ran = run("nope.conf");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("nope.conf: No such file"), "{}", ran.err);
    for (text, told) in [
        (
            "[general]\nes_save_results=perhaps\n",
            "bad.conf:2: `es_save_results`: expected 0 or 1",
        ),
        (
            "[general]\nes_scan_size=many\n",
            "bad.conf:2: `es_scan_size`: expected a whole number",
        ),
        ("es_url=x\n", "bad.conf:1: there is no `[section]`"),
        (
            "[derivedfields]\nx=%{NOPE:y}\n",
            "bad.conf:2: `x`: there is no pattern `NOPE`",
        ),
        ("[general]\n", "`es_url` is missing"),
    ] {
        fs::write(desk.path("bad.conf"), text).unwrap();
        let ran = run("bad.conf");
        assert_eq!(ran.code, 2, "{text}");
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
}

#[test]
fn many_use_cases_over_the_same_events_are_matched_in_one_pass_with_the_same_result() {
    let file = |count: usize, more: &str| {
        let use_cases = (0..count).map(|number| {
            let text = EVERY.replace("every]", &format!("n{number:03}]"));
            let text = text.replace("kind:x", &format!("kind:x AND name:n{}", number % 7));
            text.replace("run_model=1", &format!("{more}\nrun_model=1"))
        });
        use_cases.collect::<String>()
    };
    let events: Vec<Value> = (0..50)
        .map(|number| {
            event(
                json!(format!("h{}", number % 3)),
                json!(format!("n{}", number % 9)),
            )
        })
        .collect();
    let run = |text: &str| {
        let desk = desk_with("logs", &[("many.conf", text)]);
        fs::write(
            desk.path("outliers.conf"),
            general("logs") + "[whitelist_literals]\na=h2,n2\n",
        )
        .unwrap();
        load(&desk, &events);
        let first = outliers(&desk, "folder", &[]);
        assert_eq!(first.code, 0, "{}", first.err);
        let tagged = content(&desk, "folder", "logs");
        let again = outliers(&desk, "folder", &[]);
        assert_eq!(content(&desk, "folder", "logs"), tagged, "{}", again.err);
        // Where the file lay is part of an id.
        let mut texts: Vec<String> = tagged.values().map(Value::to_string).collect();
        texts.sort();
        (first.err, texts)
    };
    let (log, together) = run(&file(40, ""));
    assert!(
        log.contains("evaluating 40 use cases of logs in one pass"),
        "{log}"
    );
    assert!(log.contains("total use cases processed: 40"), "{log}");
    // With a history of their own, each has a scan of its own.
    let alone: String = (0..40)
        .map(|number| {
            let all = file(40, &format!("history_window_days={}", 30 + number));
            let sections: Vec<&str> = all.split_inclusive("run_model=1\n").collect();
            sections[number].to_owned()
        })
        .collect();
    let (log, alone) = run(&alone);
    assert!(!log.contains("in one pass"), "{log}");
    assert_eq!(together, alone);
    let tagged = together.iter().filter(|event| event.contains("\"tags\":"));
    assert_eq!(tagged.count(), 34);
}

#[test]
fn what_decides_is_explained_and_nothing_is_written() {
    let listed = format!("{RARE}\n[whitelist_literals]\na=c\n");
    let desk = desk_with("logs", &[("a.conf", &listed), ("b.conf", EVERY)]);
    let names = ["a", "a", "a", "b", "c"];
    load(&desk, &names.map(|name| event(json!("h"), json!(name))));
    let explain = |name: &str| {
        let files = [
            "--config",
            "outliers.conf",
            "--use-cases",
            "uc/*.conf",
            "--store",
            "folder",
        ];
        desk.run(&[&["outliers", "explain", "--now", NOW], &files[..], &[name]].concat())
    };
    let ran = explain("terms_rare");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for told in [
        "terms_rare (uc/a.conf:1)",
        "\"query\": \"kind:x\"",
        "events: 5",
        "h: counts of terms: 2 values from 1 to 3; outliers are below 2 (float, 2)",
        ": b is rare on h; term_count 1; decision_frontier 2.0",
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    assert!(!ran.out.contains("every"), "{}", ran.out);
    assert!(
        content(&desk, "folder", "logs")
            .values()
            .all(|event| event["tags"].is_null())
    );
    let ran = explain("nothing");
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("there is no use case `nothing`"),
        "{}",
        ran.err
    );
}

/// A run that was killed leaves nothing behind that the next one does not complete.
#[test]
fn a_run_that_was_killed_is_completed_by_the_next_one() {
    let events: Vec<Value> = (0..4_000)
        .map(|number| {
            event(
                json!(format!("h{}", number % 9)),
                json!(format!("n{}", number % 1_000)),
            )
        })
        .collect();
    let frequent = RARE
        .replace("rare]", "frequent]")
        .replace("trigger_on=low", "trigger_on=high")
        .replace("{term} is rare", "{term} is frequent")
        .replace("sensitivity=2", "sensitivity=0");
    let files = [("a.conf", &*frequent), ("b.conf", EVERY)];
    let desk = desk_with("logs", &files);
    load(&desk, &events);
    let bare = desk.path("bare");
    copy(&desk.path("folder"), &bare);
    let clean = outliers(&desk, "folder", &[]);
    assert_eq!(clean.code, 0, "{}", clean.err);
    let whole = content(&desk, "folder", "logs");
    let mut cut = 0;
    for wait in [40, 80, 120, 200, 300] {
        fs::remove_dir_all(desk.path("folder")).unwrap();
        copy(&bare, &desk.path("folder"));
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sigtag"))
            .current_dir(desk.path(""))
            .args(["outliers", "interactive", "--now", NOW, "--store", "folder"])
            .args(["--config", "outliers.conf", "--use-cases", "uc/*.conf"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        let left = content(&desk, "folder", "logs");
        cut += usize::from(left != whole);
        let again = outliers(&desk, "folder", &[]);
        assert_eq!(again.code, 0, "{}", again.err);
        assert_eq!(
            content(&desk, "folder", "logs"),
            whole,
            "killed after {wait} ms"
        );
    }
    assert!(cut > 0, "no run was cut off");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        match item.file_type().unwrap().is_dir() {
            true => copy(&item.path(), &target),
            false => drop(fs::copy(item.path(), target).unwrap()),
        }
    }
}
