//! What the tests of this crate share: the folder of reference data beside the repository, and short ways to ask.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use sigma::{Diagnostic, Document, Parsed, Rule, Source};

/// Reads one source named `rule.yml`.
pub fn parse(text: &str) -> Parsed {
    sigma::parse(&Source {
        name: "rule.yml",
        text: text.as_bytes(),
    })
}

/// A rule with this text under `detection:` (four spaces deep).
pub fn with_detection(detection: &str) -> String {
    format!("title: t\nlogsource:\n    category: test\ndetection:\n{detection}\n")
}

/// A rule with one search that has this one line, e.g. `f|contains: a`.
pub fn with_item(item: &str) -> String {
    with_detection(&format!("    sel:\n        {item}\n    condition: sel"))
}

/// The only rule of a text that must hold one.
pub fn rule(text: &str) -> Rule {
    let mut parsed = parse(text);
    assert!(
        parsed.set_aside.is_empty(),
        "{text}\n{:#?}",
        parsed.diagnostics
    );
    match parsed.documents.pop() {
        Some(Document::Rule(rule)) if parsed.documents.is_empty() => *rule,
        other => panic!("one rule expected, not {other:?}"),
    }
}

/// Why the only document of a text is set aside.
pub fn reason(text: &str) -> Diagnostic {
    let mut parsed = parse(text);
    assert!(
        parsed.documents.is_empty(),
        "{text}\nis read as {:#?}",
        parsed.documents
    );
    assert_eq!(
        parsed.set_aside.len(),
        1,
        "{text}\n{:#?}",
        parsed.diagnostics
    );
    parsed.set_aside.remove(0).reason
}

/// The codes of all diagnostics of a text.
pub fn codes(text: &str) -> Vec<&'static str> {
    parse(text)
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect()
}

/// The lines of a `.jsonl.zst` file.
pub fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    let bytes = zstd::decode_all(File::open(path).unwrap()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A table of deliberate differences: case, what is so here, reason.
pub fn differences(name: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(name),
    )
    .unwrap();
    let rows = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [case, ours, reason] = columns[..] else {
                panic!("{name}: three columns expected: {line}")
            };
            assert!(!reason.is_empty(), "{name}: {case} has no reason");
            (case.to_owned(), ours.to_owned())
        });
    rows.collect()
}

/// Compares what differs with what should, by name.
pub fn assert_differences(table: &str, found: &BTreeMap<String, String>) {
    let expected = differences(table);
    let new: Vec<_> = found
        .iter()
        .filter(|(case, ours)| expected.get(*case) != Some(ours))
        .collect();
    let stale: Vec<_> = expected
        .iter()
        .filter(|(case, ours)| found.get(*case) != Some(ours))
        .collect();
    assert!(
        new.is_empty() && stale.is_empty(),
        "{table}\nnot in the table: {new:#?}\nnot so any more: {stale:#?}"
    );
}
