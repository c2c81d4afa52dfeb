//! The conversion of rule files by their meaning, for `sigtag convert` and `sigtag sigmac --strict`.

use crate::show;
use anstream::eprintln;
use convert::sigmac::{Failure, Filter, Options, Status};
use convert::strict::{Converter, Names};
use convert::{Converted, Target};
use owo_colors::OwoColorize;
use query::{Effect, Note, Reason, Schema};
use sigma::{Collection, Diagnostic, Location, Severity, Source};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// What became of a rule.
pub(crate) struct Outcome {
    /// The file that it is in.
    pub file: PathBuf,
    /// Its title.
    pub title: String,
    /// What it was converted to.
    pub converted: Result<Converted, Failure>,
}

/// The schema of an index by the name that is built in, or from a file.
pub(crate) fn schema(name: Option<&Path>) -> Result<Schema, String> {
    let Some(path) = name else {
        return Ok(Schema::keywords());
    };
    match path.to_str() {
        Some("keywords") => return Ok(Schema::keywords()),
        Some("dynamic") => return Ok(Schema::dynamic()),
        _ => {}
    }
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    let json = serde_json::from_slice(&text).map_err(|error| format!("{shown}: {error}"))?;
    Schema::from_json(&json).map_err(|error| format!("{shown}: {error}"))
}

/// Converts the rules of all files, filters among them applied, in the order of the files.
pub(crate) fn convert(
    files: &[(PathBuf, Vec<u8>)],
    names: Names,
    schema: Schema,
    target: &dyn Target,
    options: Options,
    (filter, today): (Filter, i64),
) -> Vec<Outcome> {
    let placeholders = names.placeholders();
    let sources = files
        .iter()
        .map(|(path, text)| (path.to_string_lossy(), text));
    let parsed =
        sources.map(|(name, text)| sigma::parse_with(&Source { name: &name, text }, &placeholders));
    let collection = Collection::assemble(parsed);
    let places: HashMap<String, usize> = files
        .iter()
        .enumerate()
        .map(|(at, (path, _))| (path.to_string_lossy().into_owned(), at))
        .collect();
    let place = |location: &Location| places.get(&*location.file).copied();
    let mut outcomes = Vec::new();
    let mut add = |location: &Location, title: &str, converted| {
        let order = (place(location), location.span.start);
        let file = PathBuf::from(&*location.file);
        outcomes.push((
            order,
            Outcome {
                file,
                title: title.to_owned(),
                converted,
            },
        ));
    };
    let refused = |diagnostic: Diagnostic, status| {
        Err(Failure {
            status,
            diagnostic: Box::new(diagnostic),
        })
    };
    for set_aside in &collection.set_aside {
        let status = match set_aside.reason.code {
            "yaml" | "not-utf-8" | "file-too-big" => Status::Yaml,
            _ => Status::Parse,
        };
        let title = set_aside.title.as_deref().unwrap_or_default();
        add(
            &set_aside.reason.location,
            title,
            refused(set_aside.reason.clone(), status),
        );
    }
    for correlation in &collection.correlations {
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            code: "correlation",
            message: format!(
                "a correlation of rules cannot be converted to `{}`",
                target.name()
            ),
            help: None,
            location: correlation.location.clone(),
            labels: Vec::new(),
        };
        add(
            &correlation.location,
            &correlation.title,
            refused(diagnostic, Status::NotSupported),
        );
    }
    let converter = Converter::new(target, names, schema, options).only(filter, today);
    for rule in &collection.rules {
        // A filter that cannot be applied would leave out what should be left out.
        let converted = match &collection.refused {
            Some(diagnostic) => Some(refused(diagnostic.clone(), Status::Parse)),
            None => converter.convert(rule),
        };
        if let Some(converted) = converted {
            add(&rule.location, &rule.title, converted);
        }
    }
    outcomes.sort_by_key(|(order, _)| *order);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// What is said about queries that do not find exactly what a rule means: of each rule, if it is the rule's own matter; at
/// the end and by the reason, if it is that of every index.
#[derive(Default)]
pub(crate) struct Notes {
    common: BTreeMap<String, usize>,
}

impl Notes {
    /// Tells of a rule what has to be told, and keeps the rest.
    pub fn take(&mut self, title: &str, notes: &[Note]) {
        let mut common: Vec<String> = Vec::new();
        for note in notes {
            match note.reason {
                // Under a `not`, keywords cannot be asked at all.
                Reason::AnyField if note.effect == Effect::FindsMore => tell(title, note),
                Reason::TooLong
                | Reason::Empty
                | Reason::Number
                | Reason::Case
                | Reason::AnyField => {
                    common.push(note.reason.to_string());
                }
                _ => tell(title, note),
            }
        }
        common.sort_unstable();
        common.dedup();
        for reason in common {
            *self.common.entry(reason).or_default() += 1;
        }
    }

    /// Tells what was kept.
    pub fn tell(&self) {
        for (reason, rules) in &self.common {
            eprintln!(
                "note: the queries of {} are not exact, since {reason}",
                show::count(*rules, "rule")
            );
        }
    }
}

fn tell(title: &str, note: &Note) {
    let title = show::one_line(title);
    eprintln!("{} {title}: {note}", "warning:".yellow().bold());
}
