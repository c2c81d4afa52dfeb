//! The mapping against real rules and real events, of which is known which rule hits which.

use event::Event;
use foldhash::fast::RandomState;
use mapping::{MapError, MappedRule, Mapping};
use predicate::{Field, Predicate, Test};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sigma::{Document, Rule, Source};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The folders of active rules.
const ACTIVE: [&str; 6] = [
    "rules",
    "rules-emerging-threats",
    "rules-threat-hunting",
    "rules-compliance",
    "rules-dfir",
    "rules-placeholder",
];

/// The texts of the files of an archive, by path.
fn unpack(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let archive = zstd::Decoder::new(File::open(archive).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for file in tar::Archive::new(archive).entries().unwrap() {
        let mut file = file.unwrap();
        let path = file
            .path()
            .unwrap()
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        files.insert(path, text);
    }
    files
}

fn lines(file: &Path) -> Vec<String> {
    let file = File::open(file).unwrap();
    BufReader::new(zstd::Decoder::new(file).unwrap())
        .lines()
        .map(Result::unwrap)
        .collect()
}

fn json_lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The active rules that can be run.
fn rules(corpus: &Path) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (name, text) in unpack(&corpus.join("sigmahq-2026-08.tar.zst")) {
        let is_active = ACTIVE
            .iter()
            .any(|folder| name.starts_with(&format!("{folder}/")));
        if is_active && name.ends_with(".yml") {
            let parsed = sigma::parse(&Source {
                name: &name,
                text: &text,
            });
            rules.extend(
                parsed
                    .documents
                    .into_iter()
                    .filter_map(|document| match document {
                        Document::Rule(rule) => Some(*rule),
                        Document::Correlation(_) | Document::Filter(_) => None,
                    }),
            );
        }
    }
    rules
}

/// The rules whose hits on every event of the sample are known: the half with a low hash.
fn open_rules(corpus: &Path) -> Vec<Rule> {
    let is_open = |rule: &Rule| Sha256::digest(rule.id.as_str().as_bytes())[0] < 0x80;
    rules(corpus).into_iter().filter(is_open).collect()
}

/// The rules that have a mapping, their branches sorted by condition.
struct Hunt {
    conditions: Vec<(Predicate, Vec<(String, Predicate)>)>,
}

impl Hunt {
    fn new(rules: &[Rule]) -> Hunt {
        let mapping = Mapping::builtin();
        let mut conditions: Vec<(Predicate, Vec<(String, Predicate)>)> = Vec::new();
        for rule in rules {
            let MappedRule { branches } = match mapping.map(rule) {
                Ok(mapped) => mapped,
                Err(MapError::NotMapped(_)) => continue,
                Err(error) => panic!("{error}"),
            };
            for branch in branches {
                let detection = (rule.id.to_string(), branch.detection);
                match conditions
                    .iter_mut()
                    .find(|(condition, _)| *condition == branch.condition)
                {
                    Some((_, detections)) => detections.push(detection),
                    None => conditions.push((branch.condition, vec![detection])),
                }
            }
        }
        Hunt { conditions }
    }

    /// The ids of the rules that hit this event.
    fn hits(&self, event: &str) -> BTreeSet<&str> {
        let event = Event::parse(event.as_bytes()).unwrap();
        let mut look = Look {
            event,
            values: HashMap::default(),
        };
        let mut hits = BTreeSet::new();
        for (condition, branches) in &self.conditions {
            if look.matches(condition) {
                hits.extend(
                    branches
                        .iter()
                        .filter(|(_, detection)| look.matches(detection))
                        .map(|(id, _)| id.as_str()),
                );
            }
        }
        hits
    }
}

/// An event, and what was found in it: `Predicate::matches`, except that each field is looked up once.
struct Look<'a, 'f> {
    event: Event<'a>,
    values: HashMap<&'f Field, Vec<event::Value<'a>>, RandomState>,
}

impl<'f> Look<'_, 'f> {
    fn matches(&mut self, predicate: &'f Predicate) -> bool {
        match predicate {
            Predicate::All(parts) => parts.iter().all(|part| self.matches(part)),
            Predicate::Any(parts) => parts.iter().any(|part| self.matches(part)),
            Predicate::Not(part) => !self.matches(part),
            Predicate::Test(Test::Value(field, matcher)) => {
                let found = self.values.entry(field).or_insert_with(|| {
                    field
                        .lookup(&self.event)
                        .values
                        .into_iter()
                        .map(|(_, value)| value)
                        .collect()
                });
                found.iter().any(|value| matcher.matches(value))
            }
            Predicate::Test(test) => test.matches(&self.event),
        }
    }
}

/// What is expected of an event: hits that must be, and hits that may be.
#[derive(Default)]
struct Expected {
    must: BTreeSet<String>,
    may: BTreeSet<String>,
}

fn ids(expectation: &Value, key: &str) -> BTreeSet<String> {
    let ids = expectation[key].as_array().into_iter().flatten();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// Every event against every rule; panics with what is wrong, and gives the number of hits.
fn assert_hits(hunt: &Hunt, what: &str, events: &[(String, Expected)]) -> usize {
    let half = events.len().div_ceil(2).max(1);
    let count = |events: &[(String, Expected)]| {
        let mut wrong = Vec::new();
        let mut right = 0;
        for (nth, (event, expected)) in events.iter().enumerate() {
            let hits = hunt.hits(event);
            let missing = expected
                .must
                .iter()
                .filter(|id| !hits.contains(id.as_str()))
                .map(|id| format!("missing {id}"));
            let extra = hits
                .iter()
                .filter(|id| !expected.must.contains(**id) && !expected.may.contains(**id));
            let problems: Vec<_> = missing
                .chain(extra.map(|id| format!("extra {id}")))
                .collect();
            wrong.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("{problem} ({nth}) on {event:.2000}")),
            );
            right += expected.must.len();
        }
        (right, wrong)
    };
    let (right, wrong) = std::thread::scope(|scope| {
        let halves: Vec<_> = events
            .chunks(half)
            .map(|events| scope.spawn(move || count(events)))
            .collect();
        halves.into_iter().map(|half| half.join().unwrap()).fold(
            (0, Vec::new()),
            |(right, mut wrong), (more, faults)| {
                wrong.extend(faults);
                (right + more, wrong)
            },
        )
    });
    assert!(
        wrong.is_empty(),
        "{what}: {} wrong of {right}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    right
}

/// The sample in one shape, with the hits that are known.
fn sample(corpus: &Path, file: &str) -> Vec<(String, Expected)> {
    let mut events: Vec<_> = lines(&corpus.join(file))
        .into_iter()
        .map(|line| (line, Expected::default()))
        .collect();
    for line in json_lines(&corpus.join("sample-expected-open.jsonl")) {
        let number = usize::try_from(line["line"].as_u64().unwrap()).unwrap();
        events[number - 1].1 = Expected {
            must: ids(&line, "expected"),
            may: ids(&line, "optional"),
        };
    }
    events
}

/// What is expected of each record of the regression cases, of all rules.
fn regression_matrix(corpus: &Path) -> HashMap<(String, u64), Expected> {
    let matrix = json_lines(&corpus.join("regression-matrix-open.jsonl"));
    let row = |line: Value| {
        let key = (
            line["case"].as_str().unwrap().to_owned(),
            line["record"].as_u64().unwrap(),
        );
        (
            key,
            Expected {
                must: ids(&line, "expected"),
                may: ids(&line, "disputed"),
            },
        )
    };
    matrix.into_iter().map(row).collect()
}

fn regression(corpus: &Path, file: &str) -> Vec<(String, Expected)> {
    let mut matrix = regression_matrix(corpus);
    let events = lines(&corpus.join(file))
        .into_iter()
        .map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let event = |line: Value| {
        let key = (
            line["case"].as_str().unwrap().to_owned(),
            line["record"].as_u64().unwrap(),
        );
        (line["doc"].to_string(), matrix.remove(&key).unwrap())
    };
    events.map(event).collect()
}

/// The records of the cases as nested JSON.
fn regression_nested(corpus: &Path) -> Vec<(String, Expected)> {
    let mut matrix = regression_matrix(corpus);
    let files = unpack(&corpus.join("regression-open.tar.zst"));
    let mut events = Vec::new();
    for case in json_lines(&corpus.join("regression-open.jsonl")) {
        let text = &files[case["json_path"].as_str().unwrap()];
        for (record, event) in serde_json::Deserializer::from_slice(text)
            .into_iter::<Value>()
            .enumerate()
        {
            let key = (case["rule_id"].as_str().unwrap().to_owned(), record as u64);
            events.push((event.unwrap().to_string(), matrix.remove(&key).unwrap()));
        }
    }
    events
}

/// A nested record, flat: the data beside the system's fields, an attribute `B` of `A` as `A_B`.
fn flat(event: &str) -> String {
    let event: Value = serde_json::from_str(event).unwrap();
    let mut flat = serde_json::Map::new();
    for (name, value) in event["Event"]["System"].as_object().unwrap() {
        match &value["#attributes"] {
            Value::Object(attributes) => flat.extend(
                attributes
                    .iter()
                    .map(|(attribute, value)| (format!("{name}_{attribute}"), value.clone())),
            ),
            _ => drop(flat.insert(name.clone(), value.clone())),
        }
        if let Some(text) = value.get("#text") {
            flat.insert(name.clone(), text.clone());
        }
    }
    for (name, value) in event["Event"]["EventData"]
        .as_object()
        .into_iter()
        .flatten()
    {
        flat.insert(name.clone(), value.get("#text").unwrap_or(value).clone());
    }
    Value::Object(flat).to_string()
}

/// What winlogbeat 7 sends, as winlogbeat 6 sent it; there `user` is the account that wrote the event.
fn winlogbeat_6(event: &str) -> String {
    let event: Value = serde_json::from_str(event).unwrap();
    let winlog = &event["winlog"];
    let id = winlog["event_id"]
        .as_str()
        .and_then(|id| id.parse::<u32>().ok());
    let mut old = serde_json::json!({
        "@timestamp": event["@timestamp"],
        "host": event["host"],
        "level": event["log"]["level"],
        "log_name": winlog["channel"],
        "event_id": id.unwrap(),
        "record_number": winlog["record_id"].to_string(),
        "source_name": winlog["provider_name"],
        "computer_name": winlog["computer_name"],
    });
    for name in [
        "keywords",
        "opcode",
        "task",
        "user",
        "event_data",
        "user_data",
    ] {
        if let Some(value) = winlog.get(name) {
            old[name] = value.clone();
        }
    }
    old.to_string()
}

/// Log sources of active rules that are not mapped, and how many rules have them: nothing is known that would tell such
/// events from others.
const NOT_MAPPED: [(&str, usize); 18] = [
    ("product=azure, service=pim", 7),
    ("product=django, category=application", 1),
    ("product=fortios, service=sslvpnd", 1),
    ("product=huawei, service=bgp", 1),
    ("product=juniper, service=bgp", 1),
    ("product=jvm, category=application", 5),
    ("product=nodejs, category=application", 1),
    ("product=onelogin, service=onelogin.events", 2),
    (
        "product=paloalto, category=appliance, service=globalprotect",
        1,
    ),
    (
        "product=paloalto, category=file_event, service=globalprotect",
        1,
    ),
    ("product=python, category=application", 1),
    ("product=qualys", 2),
    ("product=ruby_on_rails, category=application", 1),
    ("product=spring, category=application", 2),
    ("product=sql, category=application", 1),
    ("product=velocity, category=application", 1),
    ("product=windows, category=file_access", 13),
    ("product=windows, category=file_rename", 2),
];

#[test]
fn nearly_every_rule_is_mapped() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let rules = rules(&shared.join("corpus"));
    let mapping = Mapping::builtin();
    let mut missing = BTreeMap::<String, usize>::new();
    let mut mapped = 0;
    for rule in &rules {
        match mapping.map(rule) {
            Ok(rule) => {
                assert!(!rule.branches.is_empty());
                mapped += 1;
            }
            Err(MapError::NotMapped(source)) => {
                *missing.entry(source.to_string()).or_default() += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    println!(
        "{mapped} of {} rules are mapped; not mapped: {missing:#?}",
        rules.len()
    );
    assert!(mapped >= 3400, "{mapped}");
    let known = NOT_MAPPED
        .map(|(source, rules)| (format!("no mapping knows the log source {source}"), rules));
    assert_eq!(missing, BTreeMap::from(known));
}

#[test]
fn the_sample_as_winlogbeat_sends_it() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let corpus = shared.join("corpus");
    let hunt = Hunt::new(&open_rules(&corpus));
    assert_eq!(
        assert_hits(
            &hunt,
            "sample",
            &sample(&corpus, "sample-winlogbeat.jsonl.zst")
        ),
        595
    );
}

#[test]
fn the_sample_as_elastic_ingests_it() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let corpus = shared.join("corpus");
    let hunt = Hunt::new(&open_rules(&corpus));
    assert_eq!(
        assert_hits(&hunt, "sample", &sample(&corpus, "sample-ecs.jsonl.zst")),
        595
    );
}

#[test]
fn the_sample_as_winlogbeat_6_sent_it() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let corpus = shared.join("corpus");
    let hunt = Hunt::new(&open_rules(&corpus));
    let events = sample(&corpus, "sample-winlogbeat.jsonl.zst");
    let events: Vec<_> = events
        .into_iter()
        .map(|(event, expected)| (winlogbeat_6(&event), expected))
        .collect();
    assert_eq!(assert_hits(&hunt, "sample", &events), 595);
}

#[test]
fn the_regression_cases_in_every_shape() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let corpus = shared.join("corpus");
    let hunt = Hunt::new(&rules(&corpus));
    let nested = regression_nested(&corpus);
    let flat: Vec<_> = regression_nested(&corpus)
        .into_iter()
        .map(|(event, expected)| (flat(&event), expected))
        .collect();
    let winlogbeat = regression(&corpus, "regression-winlogbeat-open.jsonl.zst");
    let ingested = regression(&corpus, "regression-ecs-open.jsonl.zst");
    for (shape, events) in [
        ("nested", nested),
        ("flat", flat),
        ("winlogbeat", winlogbeat),
        ("ingested", ingested),
    ] {
        assert_eq!(assert_hits(&hunt, shape, &events), 153, "{shape}");
    }
}
