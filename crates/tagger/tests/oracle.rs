//! The engine against the reference evaluation: all rules of the corpus over real events, and over mutated ones.

use event::Event;
use mapping::Mapping;
use predicate::Predicate;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use tagger::{LoadedRule, Rules};

/// Of so many events one is judged: the reference evaluation takes its time.
const STEP: usize = 11;

#[test]
fn engine_and_reference_agree_on_real_and_mutated_events() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let corpus = shared.join("corpus");
    let folder = tempfile::tempdir().unwrap();
    let archive = File::open(corpus.join("sigmahq-2026-08.tar.zst")).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(archive).unwrap());
    archive.unpack(folder.path()).unwrap();
    let paths = ["rules", "rules-emerging-threats", "rules-threat-hunting"];
    let paths = paths.map(|name| folder.path().join(name));
    let rules = Rules::load(&paths, &Mapping::builtin(), None).unwrap();
    let mut matcher = rules.ruleset.matcher();
    let (mut events, mut hits) = (0, 0);
    for name in [
        "sample-winlogbeat.jsonl.zst",
        "sample-ecs.jsonl.zst",
        "real-winlogbeat6.jsonl.zst",
    ] {
        let file = File::open(corpus.join(name)).unwrap();
        let lines = BufReader::new(zstd::Decoder::new(file).unwrap()).lines();
        for (number, line) in lines.enumerate().step_by(STEP) {
            let line = line.unwrap();
            let mut value: Value = serde_json::from_str(&line).unwrap();
            MUTATIONS[number / STEP % MUTATIONS.len()](&mut value);
            for text in [line, value.to_string()] {
                let event = Event::parse(text.as_bytes()).unwrap();
                let engine = matcher.matches(text.as_bytes()).unwrap().rules;
                assert_eq!(engine, reference(&rules, &event), "{text}");
                events += 1;
                hits += engine.len();
            }
        }
    }
    assert!(
        events > 1_200 && hits > 200,
        "{hits} hits on {events} events"
    );
}

/// The rules that match, one after another; equal conditions are asked once.
fn reference<'r>(rules: &'r Rules, event: &Event<'_>) -> Vec<u32> {
    let index = event.index();
    let mut asked: Vec<(&Predicate, bool)> = Vec::new();
    let mut applies =
        |condition: &'r Predicate| match asked.iter().find(|(known, _)| *known == condition) {
            Some((_, applies)) => *applies,
            None => {
                let applies = condition.matches(&index);
                asked.push((condition, applies));
                applies
            }
        };
    let mut matches = |rule: &'r LoadedRule| {
        let mut branches = rule.mapped().branches.iter();
        branches.any(|branch| applies(&branch.condition) && branch.detection.matches(&index))
    };
    let numbered = (0..).zip(&rules.running);
    let matching = numbered.filter(|(_, rule)| matches(rule));
    matching.map(|(number, _)| number).collect()
}

/// Ways to change an event, so that it says the same in another way, or nearly the same.
const MUTATIONS: [fn(&mut Value); 6] = [
    // Another case, which must not matter.
    |event| texts(event, &|text| text.to_uppercase()),
    |event| texts(event, &|text| text.to_lowercase()),
    // Characters that fold to ASCII: the Kelvin sign and the long s.
    |event| {
        texts(event, &|text| {
            text.replace(['k', 'K'], "\u{212a}").replace('s', "ſ")
        })
    },
    // Lists of one value, and of the value among others.
    |event| scalars(event, &|value| Value::from(vec![value])),
    |event| {
        scalars(event, &|value| {
            Value::from(vec![Value::Null, value, Value::from("")])
        })
    },
    // The last character is gone.
    |event| {
        texts(event, &|text| {
            text.chars()
                .take(text.chars().count().saturating_sub(1))
                .collect()
        });
    },
];

fn texts(value: &mut Value, change: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| texts(item, change)),
        Value::Object(members) => {
            // The channel says which rules apply; without it nothing would be tested.
            let members = members
                .iter_mut()
                .filter(|(key, _)| !matches!(key.as_str(), "channel" | "log_name"));
            members.for_each(|(_, value)| texts(value, change));
        }
        _ => {}
    }
}

fn scalars(value: &mut Value, change: &impl Fn(Value) -> Value) {
    match value {
        Value::Object(members) => members
            .values_mut()
            .for_each(|value| scalars(value, change)),
        Value::Array(_) => {}
        scalar => *scalar = change(scalar.take()),
    }
}
