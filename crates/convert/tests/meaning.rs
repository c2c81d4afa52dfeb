//! What converted queries find, on recorded events: those that are written by their meaning find what the rules find; those
//! of sigmac do not, and by which of its faults is counted.
//!
//! Queries are read back, and run as an index with the given schema would run them.

use convert::strict::{Converter, Names};
use convert::{Artefact, TARGETS};
use engine::{Branch, Ruleset};
use event::Event;
use mapping::Mapping;
use predicate::Predicate;
use query::{Effect, Reason, Schema};
use serde_json::{Value, json};
use sigma::{Document, Rule, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

/// What winlogbeat's template makes of fields: strings are keywords, without sub-fields.
fn template() -> Schema {
    let keyword = json!({"type": "keyword", "ignore_above": 1024});
    let template = json!({"index_patterns": ["winlogbeat-*"], "template": {"mappings": {
        "dynamic_templates": [{"strings_as_keyword": {"match_mapping_type": "string", "mapping": keyword}}],
        "properties": {"@timestamp": {"type": "date"}, "message": {"type": "text"}},
    }}});
    Schema::from_json(&template).unwrap()
}

/// A rule of the golden data, and the query that sigmac made of it.
struct Case {
    rule: Rule,
    compat: Value,
}

fn unpack(path: &Path) -> Vec<u8> {
    zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()
}

fn cases(shared: &Path) -> Vec<Case> {
    let rows = unpack(&shared.join("golden/es-dsl-winlogbeat-new.jsonl.zst"));
    let rows = serde_json::Deserializer::from_slice(&rows).into_iter::<Value>();
    let mut compat: BTreeMap<String, Value> = rows
        .map(Result::unwrap)
        .filter_map(|row| {
            let output = serde_json::from_str(row["output"].as_str()?).unwrap();
            Some((row["rule_path"].as_str()?.to_owned(), output))
        })
        .collect();
    let file = std::fs::File::open(shared.join("corpus/sigmahq-2026-08.tar.zst")).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut cases = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry
            .path()
            .unwrap()
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        let Some(compat) = compat.remove(&name) else {
            continue;
        };
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        let parsed = sigma::parse(&Source {
            name: &name,
            text: &text,
        });
        let Some(Document::Rule(rule)) = parsed.documents.into_iter().next() else {
            continue;
        };
        cases.push(Case {
            rule: *rule,
            compat,
        });
    }
    cases
}

/// Which of some predicates hold for each event.
fn hits(predicates: Vec<Predicate>, events: &[&[u8]]) -> Vec<BTreeSet<usize>> {
    let rules = predicates.into_iter().map(|detection| {
        [Branch {
            condition: Predicate::All(Vec::new()),
            detection,
        }]
    });
    let ruleset = Ruleset::compile(rules);
    let mut matcher = ruleset.matcher();
    let matched = events.iter().map(|event| {
        matcher
            .matches(event)
            .unwrap()
            .rules
            .iter()
            .map(|rule| *rule as usize)
            .collect()
    });
    matched.collect()
}

fn now() -> jiff::Timestamp {
    jiff::Timestamp::UNIX_EPOCH
}

fn read(query: &Value, schema: &Schema) -> Predicate {
    query::read(&query["query"], schema, now()).unwrap_or_else(|error| panic!("{error}: {query}"))
}

#[test]
fn queries_by_meaning_find_what_the_rules_find() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let text = unpack(&shared.join("corpus/sample-winlogbeat.jsonl.zst"));
    let events: Vec<&[u8]> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    let config = mapping::configs::text("winlogbeat").unwrap();
    let names = Names::read(&[Source {
        name: "winlogbeat",
        text: config.as_bytes(),
    }])
    .unwrap();
    let schema = template();
    let target = *TARGETS
        .iter()
        .find(|target| target.name() == "es-dsl")
        .unwrap();
    let converter = Converter::new(target, names, template(), Default::default());
    let builtin = Mapping::builtin();
    let (mut meant, mut written, mut notes, mut titles) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut unready = 0;
    for Case { rule, .. } in cases(&shared) {
        let Ok(mapped) = builtin.map(&rule) else {
            unready += 1;
            continue;
        };
        let converted = converter.convert(&rule).unwrap().unwrap();
        let Artefact::Json(requests) = converted.artefact else {
            panic!("no JSON")
        };
        meant.push(mapped.predicate());
        written.push(read(&requests[0], &schema));
        notes.push(converted.notes);
        titles.push(rule.title);
    }
    let rules = meant.len();
    let (meant, written) = (hits(meant, &events), hits(written, &events));
    let (mut equal, mut too_long, mut more, mut wrong) = (0, 0, 0, Vec::new());
    for (at, (meant, written)) in meant.iter().zip(&written).enumerate() {
        equal += meant.intersection(written).count();
        let has_long = events[at]
            .split(|byte| *byte == b'"')
            .any(|part| part.len() > 1024);
        for rule in meant.symmetric_difference(written) {
            let noted = |effect, reason| {
                notes[*rule]
                    .iter()
                    .any(|note| note.effect == effect && note.reason == reason)
            };
            let effects = |effect| notes[*rule].iter().any(|note| note.effect == effect);
            if has_long
                && (noted(Effect::FindsLess, Reason::TooLong)
                    || noted(Effect::FindsMore, Reason::TooLong))
            {
                too_long += 1;
            } else if written.contains(rule) && effects(Effect::FindsMore) {
                more += 1;
            } else {
                wrong.push(format!(
                    "{}: line {}: rule {}, query {}",
                    titles[*rule],
                    at + 1,
                    meant.contains(rule),
                    written.contains(rule)
                ));
            }
        }
    }
    println!(
        "{rules} rules ({unready} need set-up), {} events: {equal} hits of both, {too_long} lost with a value that is too long, {more} by a query that finds more",
        events.len()
    );
    assert!(
        wrong.is_empty(),
        "{} differences without a reason:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert!(equal > 400);
}

/// The same with a sub-field `keyword` for each string, which sigmac takes for granted; or without regard to case, too.
fn sub_fields(caseless: bool) -> Schema {
    let mut keyword = json!({"type": "keyword", "ignore_above": 1024});
    if caseless {
        keyword["normalizer"] = json!("lowercase");
    }
    let mut string = keyword.clone();
    string["fields"] = json!({"keyword": keyword});
    let mapping = json!({"mappings": {
        "dynamic_templates": [{"strings": {"match_mapping_type": "string", "mapping": string}}],
        "properties": {"@timestamp": {"type": "date"}},
    }});
    Schema::from_json(&mapping).unwrap()
}

/// Why a query of sigmac does not do what its rule means, in the order in which the faults are tried. `docs/sigmac.md` says
/// what each is.
fn fault(
    case: &Case,
    event: &str,
    missed: bool,
    with_sub_fields: bool,
    caseless: bool,
) -> &'static str {
    let log_source = &case.rule.log_source;
    let has_condition =
        log_source.product.as_deref() == Some("windows") && log_source.service.is_some();
    let text = case.compat.to_string();
    let faults = [
        (
            "log source",
            !has_condition && (!missed || event.contains("\"channel\":\"Security\"")),
        ),
        ("sub-field", with_sub_fields == missed),
        ("case", caseless == missed),
        (
            "keywords",
            text.contains("multi_match") || text.contains("\"match_phrase\":{\"\":"),
        ),
        ("regular expressions", text.contains("regexp")),
        (
            "long values",
            event.split('"').any(|part| part.len() > 1024),
        ),
        ("names", missed || is_unmapped(&case.compat)),
    ];
    let fault = faults.iter().find(|(_, applies)| *applies);
    fault
        .unwrap_or_else(|| panic!("{}: {text}\n{event}", case.rule.title))
        .0
}

/// Whether a query asks for a field that winlogbeat does not write.
fn is_unmapped(query: &Value) -> bool {
    match query {
        Value::Array(items) => items.iter().any(is_unmapped),
        Value::Object(map) => map.iter().any(|(key, value)| match key.as_str() {
            "wildcard" | "match_phrase" | "regexp" => {
                let mut names = value.as_object().into_iter().flat_map(|map| map.keys());
                names.any(|name| !name.is_empty() && !name.starts_with("winlog."))
            }
            _ => is_unmapped(value),
        }),
        _ => false,
    }
}

#[test]
fn what_sigmac_misses_is_counted() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let text = unpack(&shared.join("corpus/sample-winlogbeat.jsonl.zst"));
    let events: Vec<&[u8]> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    let builtin = Mapping::builtin();
    let mapped = cases(&shared)
        .into_iter()
        .filter_map(|case| Some((builtin.map(&case.rule).ok()?.predicate(), case)));
    let (meant, cases): (Vec<_>, Vec<_>) = mapped.unzip();
    // What a server would refuse finds nothing.
    let read = |case: &Case, schema: &Schema| {
        query::read(&case.compat["query"], schema, now()).unwrap_or(Predicate::Any(Vec::new()))
    };
    let schema = template();
    let meant = hits(meant, &events);
    let found = hits(
        cases.iter().map(|case| read(case, &schema)).collect(),
        &events,
    );
    let different: BTreeSet<usize> = (0..events.len())
        .flat_map(|at| {
            meant[at]
                .symmetric_difference(&found[at])
                .copied()
                .collect::<Vec<_>>()
        })
        .collect();
    let repaired = |schema: &Schema| -> BTreeMap<usize, Predicate> {
        different
            .iter()
            .map(|rule| (*rule, read(&cases[*rule], schema)))
            .collect()
    };
    let (with_sub_fields, caseless) = (repaired(&sub_fields(false)), repaired(&sub_fields(true)));
    let mut equal = 0;
    let mut faults: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (at, text) in events.iter().enumerate() {
        let event = Event::parse(text).unwrap();
        equal += meant[at].intersection(&found[at]).count();
        for rule in meant[at].symmetric_difference(&found[at]) {
            let missed = meant[at].contains(rule);
            let text = std::str::from_utf8(text).unwrap();
            let holds = |predicates: &BTreeMap<usize, Predicate>| predicates[rule].matches(&event);
            let fault = fault(
                &cases[*rule],
                text,
                missed,
                holds(&with_sub_fields),
                holds(&caseless),
            );
            faults.entry(fault).or_default()[usize::from(!missed)] += 1;
        }
    }
    let rows = faults
        .iter()
        .map(|(fault, [missed, too_many])| format!("| **{fault}** | {missed} | {too_many} |"));
    let rows: Vec<String> = rows.collect();
    println!("{equal} of both; missed, too many:\n{}", rows.join("\n"));
    let guide = std::fs::read_to_string(testkit::workspace_root().join("docs/sigmac.md")).unwrap();
    for row in rows {
        assert!(guide.contains(&row), "docs/sigmac.md has not the row {row}");
    }
    assert!(
        guide.contains(&format!("{equal} hits")),
        "docs/sigmac.md does not speak of {equal} hits"
    );
}
