//! `cargo demo`: the sample events, loaded into a store and tagged there with the sample rules, and tables of what a search
//! finds then.
//!
//! It runs the real program with the options that a user would give, and reads nothing but its output.

mod tables;
mod tagged;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use owo_colors::OwoColorize;
use serde_json::{Map, Value};

use crate::{
    Outcome,
    workspace::{Workspace, cargo},
};
use tagged::TaggedEvent;

/// Where the sample rules lie, from the root of the workspace.
const RULES: &str = "demo/rules";
/// Where the sample events lie, from the root of the workspace.
const EVENTS: &str = "demo/events";

/// The index of the demo.
const INDEX: &str = "demo";

/// Finds the events with a tag.
const TAGGED: &str = "tags:sigma";

/// Builds the program, runs it, and shows what it found.
pub fn run() -> Outcome {
    if !cargo(&["build", "--package", "sigtag"]).status()?.success() {
        return Err("sigtag could not be built".into());
    }
    let root = testkit::workspace_root();
    let target = Workspace::load()?.target;
    let target = target.strip_prefix(root).unwrap_or(&target);
    let program = target.join("debug").join("sigtag");
    let folder = target.join("demo");
    let store = folder.join("store");
    // Each demo begins anew.
    if root.join(&folder).exists() {
        fs::remove_dir_all(root.join(&folder))?;
    }
    fs::create_dir_all(root.join(&folder))?;

    let place = format!("--store {} --index {INDEX}", store.display());
    let sigtag = |command: &str, more: &[&str]| -> Result<Vec<u8>, Box<dyn Error>> {
        let mut arguments = vec![command];
        arguments.extend(place.split(' '));
        arguments.extend(more);
        let mut run = Command::new(root.join(&program));
        run.current_dir(root)
            .args(&arguments)
            .stderr(Stdio::inherit());
        let output = run.output()?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(format!("`sigtag {command}` ended with {}", output.status).into()),
        }
    };
    sigtag("load", &["--quiet", EVENTS])?;
    sigtag("tag", &["--quiet", "--rules", RULES])?;
    let found = sigtag("search", &["--format", "jsonl", "--size", "10000", TAGGED])?;
    let events = TaggedEvent::read(&found)?;
    let Some(example) = events
        .iter()
        .max_by_key(|event| (event.severity(), event.matched_fields().count()))
    else {
        return Err("no event is tagged".into());
    };
    show(
        "Events by tactic and host",
        &tables::tactics_by_host(&events),
    );
    show("Rules with the most hits", &tables::top_rules(&events));
    show(
        "The attack: hits of level high and critical",
        &tables::timeline(&events),
    );
    show(
        "One tagged event (its other fields left out)",
        &serde_json::to_string_pretty(&extract(example))?,
    );

    let event = folder.join("event.json");
    fs::write(root.join(&event), example.json.to_string())?;
    let worst = example
        .rules
        .iter()
        .max_by_key(|hit| hit.level)
        .ok_or("the tagged event names no rule")?;
    let rule = find_rule(&root.join(RULES), &worst.id)?
        .ok_or_else(|| format!("no file in {RULES} has the id {}", worst.id))?;
    let rule = rule.strip_prefix(root).unwrap_or(&rule);
    let program = program.display();
    anstream::println!("{}", "Try next".bold());
    for (what, command) in [
        (
            "Search the events of this demo, and count what is in them:",
            format!("search {place} 'sigma.level:critical'"),
        ),
        (
            "",
            format!(
                r#"search {place} --aggs '{{"tactics": {{"terms": {{"field": "threat.tactic.name"}}}}}}'"#
            ),
        ),
        (
            "Tag your own logs (JSON lines, EVTX, .gz, .zst; files or folders) with your own rules:",
            format!("tag --rules {RULES} LOGS > tagged.jsonl"),
        ),
        (
            "Why did this rule hit this event?",
            format!("explain {} {}", rule.display(), event.display()),
        ),
        (
            "Is a rule right, and does it run without set-up?",
            format!("check {RULES}"),
        ),
    ] {
        if !what.is_empty() {
            anstream::println!("  {what}");
        }
        anstream::println!("    {program} {command}");
    }
    Ok(ExitCode::SUCCESS)
}

fn show(title: &str, text: &str) {
    anstream::println!("{}\n{text}\n", title.bold());
}

/// The rule file that has this id.
fn find_rule(folder: &Path, id: &str) -> Result<Option<PathBuf>, Box<dyn Error>> {
    let line = format!("id: {id}");
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find_rule(&path, id)? {
                return Ok(Some(found));
            }
        } else if fs::read_to_string(&path)?
            .lines()
            .any(|text| text.trim_end() == line)
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// What a reader wants to see of a tagged event: when, where, the fields that matched, and what sigtag added.
fn extract(event: &TaggedEvent) -> Value {
    let tags = ["tags", "sigma", "threat"];
    let shown = tagged::TIME
        .iter()
        .chain(tagged::HOST)
        .copied()
        .chain(event.matched_fields())
        .chain(tags);
    prune(&event.json, &shown.collect::<Vec<_>>())
}

/// Keeps of an object what lies at one of these paths. A key may have dots in it.
fn prune(value: &Value, paths: &[&str]) -> Value {
    let Value::Object(members) = value else {
        return value.clone();
    };
    let kept = members.iter().filter_map(|(key, value)| {
        let below: Vec<&str> = paths
            .iter()
            .filter_map(|path| path.strip_prefix(key.as_str()))
            .collect();
        if below.contains(&"") {
            return Some((key.clone(), value.clone()));
        }
        let below: Vec<&str> = below
            .into_iter()
            .filter_map(|path| path.strip_prefix('.'))
            .collect();
        let value = prune(value, &below);
        (!below.is_empty() && value != Value::Object(Map::new())).then(|| (key.clone(), value))
    });
    kept.collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pruning_keeps_nested_and_dotted_fields() {
        let event = json!({"a": {"b": 1, "c": 2}, "a.d": 3, "e": {"f": 4}, "sigma": {"g": 5}});
        let kept = json!({"a": {"b": 1}, "a.d": 3, "sigma": {"g": 5}});
        assert_eq!(prune(&event, &["a.b", "a.d", "e.x", "sigma"]), kept);
    }
}
