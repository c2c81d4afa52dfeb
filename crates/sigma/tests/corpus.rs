//! The crate against all of SigmaHQ's rules, and case by case against pySigma.

mod support;

use serde_json::{Value as Json, json};
use sigma::{
    Comparison, Document, Expr, Item, Link, Part, Pattern, RefKind, Severity, Source, Value,
};
use std::collections::BTreeMap;
use std::io::Read;

/// The folders that hold active rules.
const ACTIVE: [&str; 6] = [
    "rules",
    "rules-compliance",
    "rules-dfir",
    "rules-emerging-threats",
    "rules-placeholder",
    "rules-threat-hunting",
];

fn active_rules() -> Option<Vec<(String, Vec<u8>)>> {
    let path = testkit::shared_file("corpus/sigmahq-2026-08.tar.zst")?;
    let archive = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let mut rules = Vec::new();
    for entry in tar::Archive::new(archive.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry
            .path()
            .unwrap()
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        if path.ends_with(".yml")
            && path
                .split('/')
                .next()
                .is_some_and(|top| ACTIVE.contains(&top))
        {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            rules.push((path, text));
        }
    }
    Some(rules)
}

#[test]
fn every_active_rule_of_sigmahq_is_read() {
    let Some(rules) = active_rules() else { return };
    assert_eq!(rules.len(), 3_780);
    let sources = rules.iter().map(|(name, text)| Source { name, text });
    let collection = sigma::Collection::load(sources);
    let (broken, waiting): (Vec<_>, Vec<_>) = collection
        .set_aside
        .iter()
        .partition(|document| document.reason.severity == Severity::Error);
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(
        waiting
            .iter()
            .all(|document| document.reason.code == "placeholder"),
        "{waiting:#?}"
    );
    assert_eq!((collection.rules.len(), waiting.len()), (3_755, 25));

    let mut patterns = 0;
    for rule in &collection.rules {
        each_item(&rule.expression(), &mut |item| {
            for value in &item.values {
                if let Value::Regex { pattern, .. } = value {
                    patterns += 1;
                    assert!(
                        regex::Regex::new(pattern).is_ok()
                            && regex::bytes::Regex::new(pattern).is_ok(),
                        "{pattern}"
                    );
                }
            }
        });
    }
    assert_eq!(patterns, 217);
}

fn each_item(expression: &Expr<'_>, see: &mut impl FnMut(&Item)) {
    match expression {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| each_item(part, see)),
        Expr::Not(inner) => each_item(inner, see),
        Expr::Item(item) => see(item),
    }
}

#[test]
fn every_micro_case_is_read_as_pysigma_reads_it() {
    let Some(path) = testkit::shared_file("golden/pysigma-micro-cases.jsonl.zst") else {
        return;
    };
    let cases = support::json_lines(&path);
    assert_eq!(cases.len(), 257);
    let mut found = BTreeMap::new();
    for case in cases {
        let parsed = support::parse(case["yaml"].as_str().unwrap());
        let ours = match (parsed.set_aside.first(), parsed.documents.first()) {
            (Some(document), _) if document.reason.severity == Severity::NeedsSetUp => {
                "needs set-up"
            }
            (Some(_), _) if case["tree"].is_null() => continue,
            (Some(_), _) => "error",
            (None, Some(Document::Rule(_))) if case["tree"].is_null() => "parses",
            (None, Some(Document::Rule(rule))) if trees(rule) == normal(&case["tree"]) => continue,
            (None, _) => "another tree",
        };
        found.insert(case["case"].as_str().unwrap().to_owned(), ours.to_owned());
    }
    support::assert_differences("micro-differences.tsv", &found);
}

/// The rule as pySigma's trees, one for each condition.
fn trees(rule: &sigma::Rule) -> Json {
    let trees = rule.detection.conditions.iter().map(|condition| {
        let detection = sigma::Detection {
            searches: rule.detection.searches.clone(),
            conditions: vec![condition.clone()],
        };
        tree(&detection.expression())
    });
    trees.collect()
}

fn tree(expression: &Expr<'_>) -> Json {
    let all = |parts: &[Expr<'_>]| parts.iter().map(tree).collect::<Json>();
    match expression {
        Expr::And(parts) => json!({ "and": all(parts) }),
        Expr::Or(parts) => json!({ "or": all(parts) }),
        Expr::Not(inner) => json!({ "not": [tree(inner)] }),
        Expr::Item(item) => item_tree(item),
    }
}

fn item_tree(item: &Item) -> Json {
    let leaf = |value: &Value| match &item.field {
        Some(field) => json!({ "field": field, "value": value_tree(value) }),
        None => json!({ "keyword": value_tree(value) }),
    };
    let tree = match (item.values.as_slice(), item.link) {
        ([value], _) => leaf(value),
        (values, Link::Any) => json!({ "or": values.iter().map(leaf).collect::<Json>() }),
        (values, Link::All) => json!({ "and": values.iter().map(leaf).collect::<Json>() }),
    };
    if item.negated {
        json!({ "not": [tree] })
    } else {
        tree
    }
}

fn value_tree(value: &Value) -> Json {
    match value {
        Value::String(pattern) => {
            let kind = if pattern.cased {
                "SigmaCasedString"
            } else {
                "SigmaString"
            };
            json!({ kind: parts(pattern) })
        }
        Value::Number(text) => number(text),
        Value::Bool(truth) => json!({ "SigmaBool": truth }),
        Value::Null => json!({ "SigmaNull": null }),
        Value::Exists(there) => json!({ "SigmaExists": there }),
        Value::Regex {
            pattern,
            ignore_case,
            multi_line,
            dot_all,
        } => {
            let flags = [
                (dot_all, "DOTALL"),
                (ignore_case, "IGNORECASE"),
                (multi_line, "MULTILINE"),
            ];
            let flags: Json = flags
                .iter()
                .filter(|(set, _)| **set)
                .map(|(_, name)| json!(name))
                .collect();
            json!({ "SigmaRegularExpression": pattern, "flags": flags })
        }
        Value::Cidr(net) => json!({ "SigmaCIDRExpression": net.to_string() }),
        Value::Compare(comparison, text) => compare(*comparison, number(text)),
        Value::FieldRef { field, kind } => {
            let starts = matches!(kind, RefKind::StartsWith | RefKind::Contains);
            let ends = matches!(kind, RefKind::EndsWith | RefKind::Contains);
            json!({ "SigmaFieldReference": [field, starts, ends] })
        }
        Value::DatePart {
            part,
            compare: comparison,
            value,
        } => {
            let name = format!("{part:?}").to_uppercase();
            let part = json!({ "SigmaTimestampPart": [name, serde_json::from_str::<Json>(value).unwrap()] });
            comparison.map_or(part.clone(), |comparison| compare(comparison, part))
        }
        Value::AnyOf(values) => {
            json!({ "SigmaExpansion": values.iter().map(value_tree).collect::<Json>() })
        }
    }
}

fn compare(comparison: Comparison, with: Json) -> Json {
    json!({ "SigmaCompareExpression": [format!("{comparison:?}").to_uppercase(), with] })
}

fn number(text: &str) -> Json {
    json!({ "SigmaNumber": serde_json::from_str::<Json>(text).unwrap() })
}

fn parts(pattern: &Pattern) -> Json {
    let part = |part: &Part| match part {
        Part::Text(text) => json!(text),
        Part::Star => json!({ "w": "*" }),
        Part::One => json!({ "w": "?" }),
        Part::Placeholder(name) => json!({ "ph": name }),
    };
    pattern.parts.iter().map(part).collect()
}

/// Their tree without what only backends need, and with the prefix length of single addresses.
fn normal(theirs: &Json) -> Json {
    match theirs {
        Json::Array(items) => items.iter().map(normal).collect(),
        Json::Object(map) => {
            let members = map
                .iter()
                .filter(|(key, _)| *key != "expand")
                .map(|(key, value)| match value.as_str() {
                    Some(net) if key == "SigmaCIDRExpression" && !net.contains('/') => {
                        let length = if net.contains(':') { 128 } else { 32 };
                        (key.clone(), json!(format!("{net}/{length}")))
                    }
                    _ => (key.clone(), normal(value)),
                });
            Json::Object(members.collect())
        }
        other => other.clone(),
    }
}

#[test]
fn correlations_filters_and_collections_are_read_as_pysigma_reads_them() {
    let Some(path) = testkit::shared_file("golden/pysigma-correlation-cases.jsonl.zst") else {
        return;
    };
    let cases = support::json_lines(&path);
    assert_eq!(cases.len(), 105);
    let mut found = BTreeMap::new();
    for case in cases {
        let text = case["yaml"].as_str().unwrap();
        let collection = sigma::Collection::load([Source {
            name: "case.yml",
            text: text.as_bytes(),
        }]);
        let ours = collection.set_aside.is_empty() && collection.refused.is_none();
        let theirs = case["targets"]
            .as_object()
            .unwrap()
            .values()
            .all(|target| !is_refusal(&target["error"]));
        if ours != theirs {
            let ours = if ours { "parses" } else { "error" };
            found.insert(case["case"].as_str().unwrap().to_owned(), ours.to_owned());
        }
    }
    support::assert_differences("correlation-differences.tsv", &found);
}

/// Whether an error is about the text and not about what a backend can do.
fn is_refusal(error: &Json) -> bool {
    let name = error
        .as_str()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    name.starts_with("Sigma")
        && name != "SigmaConversionError"
        && name != "SigmaFeatureNotSupportedByBackendError"
}
