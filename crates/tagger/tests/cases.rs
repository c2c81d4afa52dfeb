//! `tests/cases/`: every hand-written case, judged by the reference evaluation and by the engine alike.

use event::Event;
use mapping::Mapping;
use sigma::{Collection, Severity, Source};
use std::fmt::Write;
use tagger::Rules;
use testkit::cases::{Case, Kind};

/// At least this many cases must be there, so that a lost file does not go unnoticed.
const AT_LEAST: usize = 700;

#[test]
fn every_case_is_as_written() {
    let folder = testkit::workspace_root().join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "cases")
    });
    files.sort();
    let cases: Vec<Case> = files
        .iter()
        .flat_map(|file| testkit::cases::read(file).unwrap())
        .collect();
    assert!(cases.len() >= AT_LEAST, "{} cases", cases.len());
    let failures: String = cases.iter().map(judge).collect();
    assert!(failures.is_empty(), "\n{failures}");
}

/// A rule without a title gets the case's. A rule that says no log source is about the language alone: its fields are the
/// event's.
fn load(case: &Case) -> (Rules, Vec<sigma::Diagnostic>) {
    let says = |key: &str| case.rule.lines().any(|line| line.starts_with(key));
    let first_document = case.rule.split("\n---").next().unwrap_or_default();
    let mut text = String::new();
    if !first_document
        .lines()
        .any(|line| line.starts_with("title:"))
    {
        let _ = writeln!(text, "title: {:?}", case.name);
    }
    let mapping = if says("logsource:") {
        Mapping::builtin()
    } else {
        text.push_str("logsource: {category: any}\n");
        Mapping::none()
    };
    text.push_str(&case.rule);
    let collection = Collection::load([Source {
        name: "case.yml",
        text: text.as_bytes(),
    }]);
    let refused = collection.refused.clone();
    let rules = Rules::compile(collection, &mapping, None);
    let mut said = rules.diagnostics.clone();
    said.extend(
        rules
            .set_aside
            .iter()
            .map(|set_aside| set_aside.reason.clone()),
    );
    said.extend(refused);
    (rules, said)
}

/// What is wrong with a case; empty if nothing is.
fn judge(case: &Case) -> String {
    let (rules, said) = load(case);
    let mut wrong = String::new();
    for expectation in &case.expectations {
        let verdict = match &expectation.kind {
            Kind::Hit(text) => hits(&rules, text, true),
            Kind::Miss(text) => hits(&rules, text, false),
            Kind::Broken(words) => says(&said, Severity::Error, words),
            Kind::NeedsSetUp(words) => says(&said, Severity::NeedsSetUp, words),
        };
        if let Err(problem) = verdict {
            let place = format!(
                "{}:{}",
                case.file.file_name().unwrap_or_default().display(),
                expectation.line
            );
            let _ = writeln!(wrong, "{place}: {}: {problem}", case.name);
        }
    }
    wrong
}

fn hits(rules: &Rules, text: &str, expected: bool) -> Result<(), String> {
    if rules.running.is_empty() {
        let reasons: Vec<String> = rules
            .set_aside
            .iter()
            .map(|set_aside| set_aside.reason.to_string())
            .collect();
        return Err(format!("the rule does not run: {}", reasons.join("; ")));
    }
    let event =
        Event::parse(text.as_bytes()).map_err(|malformed| format!("{malformed}: {text}"))?;
    let mut oracle: Vec<u32> = Vec::new();
    for (number, rule) in (0..).zip(&rules.running) {
        if rule.mapped().predicate().matches(&event) {
            oracle.push(number);
        }
    }
    let mut matcher = rules.ruleset.matcher();
    let engine = matcher
        .matches(text.as_bytes())
        .map(|matched| matched.rules.to_vec());
    let engine = engine.map_err(|malformed| malformed.to_string())?;
    if engine != oracle {
        return Err(format!(
            "the engine says {engine:?}, the reference evaluation {oracle:?}: {text}"
        ));
    }
    let again = matcher
        .matches(text.as_bytes())
        .map(|matched| matched.rules.to_vec());
    if again.as_ref() != Ok(&engine) {
        return Err(format!(
            "the engine says something else the second time: {text}"
        ));
    }
    if oracle.is_empty() == expected {
        return Err(format!(
            "{}: {text}",
            if expected { "no hit" } else { "hit" }
        ));
    }
    Ok(())
}

fn says(said: &[sigma::Diagnostic], severity: Severity, words: &str) -> Result<(), String> {
    let words = words.to_lowercase();
    let matching = |diagnostic: &&sigma::Diagnostic| {
        let help = diagnostic.help.as_deref().unwrap_or_default();
        diagnostic.severity == severity
            && format!("{} {help}", diagnostic.message)
                .to_lowercase()
                .contains(&words)
    };
    match said.iter().find(matching) {
        Some(_) => Ok(()),
        None => Err(format!(
            "no `{severity}` that says `{words}`; instead: {}",
            said.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        )),
    }
}
