//! `sigtag convert`: rules as queries, alerts and use cases of other programs.

use crate::Exit;
use crate::arguments::ConvertCommand;
use crate::diagnostics::Printer;
use crate::strict::{self, Notes, Outcome};
use crate::{mappings, show};
use anstream::eprintln;
use convert::sigmac::{self, Chain, Config, Filter, Options};
use convert::strict::Names;
use convert::{Artefact, Converted, Head, TARGETS, Target};
use sigma::{Diagnostic, Severity, Source};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) fn run(command: &ConvertCommand) -> Exit {
    let usage = |message: String| {
        show::error(&message);
        Exit::Usage
    };
    let Some(target) = TARGETS
        .iter()
        .find(|target| target.name() == command.target)
    else {
        return usage(format!("there is no target `{}`", command.target));
    };
    if !command.compat && !target.takes_meaning() {
        return usage(format!(
            "`{}` is written as sigmac does, or not at all: add --compat",
            command.target
        ));
    }
    if command.split && command.output.is_none() {
        return usage("--split writes into a folder: name it with --output".to_owned());
    }
    let files = match tagger::rule_files(&command.paths) {
        Ok(files) => files,
        Err(error) => return usage(error.to_string()),
    };
    let mut counts = Counts::default();
    let mut texts = Vec::with_capacity(files.len());
    for path in files {
        match std::fs::read(&path) {
            Ok(text) => texts.push((path, text)),
            Err(error) => {
                show::error(&format!("{}: {error}", path.display()));
                counts.broken += 1;
            }
        }
    }
    let Some(outcomes) = outcomes(command, *target, &texts) else {
        return Exit::Usage;
    };
    let (mut printer, mut notes, mut converted) = (Printer::new(), Notes::default(), Vec::new());
    for outcome in outcomes {
        match outcome.converted {
            Ok(one) => {
                for warning in &one.warnings {
                    eprintln!("{}\n", printer.render(warning));
                }
                notes.take(&outcome.title, &one.notes);
                counts.converted += 1;
                converted.push((outcome.file, one));
            }
            Err(failure) => {
                eprintln!("{}\n", printer.render(&failure.diagnostic));
                match failure.diagnostic.severity {
                    Severity::NeedsSetUp => counts.unready += 1,
                    _ => counts.broken += 1,
                }
            }
        }
    }
    let written = match &command.output {
        // A file that nothing goes into is left as it is.
        Some(_) if converted.is_empty() => Ok(()),
        Some(folder) if command.split => split(*target, folder, converted),
        place => whole(*target, place.as_deref(), converted),
    };
    notes.tell();
    eprintln!(
        "{} converted, {} need set-up, {} broken or not possible",
        show::count(counts.converted, "rule"),
        show::number(counts.unready),
        show::number(counts.broken)
    );
    match written {
        Err((place, error)) => show::not_written(place.as_deref(), &error),
        Ok(()) if counts.broken > 0 || command.strict_rules && counts.unready > 0 => {
            Exit::Incomplete
        }
        Ok(()) => Exit::Done,
    }
}

#[derive(Default)]
struct Counts {
    converted: usize,
    unready: usize,
    broken: usize,
}

/// What becomes of all rules; none if the mappings or the schema cannot be used, which has been told.
fn outcomes(
    command: &ConvertCommand,
    target: &dyn Target,
    files: &[(PathBuf, Vec<u8>)],
) -> Option<Vec<Outcome>> {
    let told = |diagnostics: Vec<Diagnostic>| {
        let mut printer = Printer::new();
        diagnostics
            .iter()
            .for_each(|diagnostic| eprintln!("{}\n", printer.render(diagnostic)));
    };
    let mut options = Options::default();
    for option in &command.option {
        let (name, value) = option.split_once('=').unwrap_or((option, "True"));
        options.set(name, value);
    }
    if let [unknown, ..] = crate::sigmac::unknown(&options, target)[..] {
        show::error(&format!("`{}` has no option `{unknown}`", target.name()));
        return None;
    }
    let mut mappings = Vec::new();
    for name in &command.mapping {
        match mappings::text(name) {
            Ok(text) => mappings.push((name.to_string_lossy(), text)),
            Err(error) => {
                show::error(&error);
                return None;
            }
        }
    }
    let sources: Vec<Source> = mappings
        .iter()
        .map(|(name, text)| Source { name, text })
        .collect();
    if command.compat {
        let configs: Result<Vec<Config>, _> = sources.iter().map(Config::read).collect();
        let configs = configs.map_err(|diagnostic| told(vec![*diagnostic])).ok()?;
        let names = mappings.iter().map(|(name, _)| &**name);
        crate::sigmac::check(names.zip(&configs), target, false)
            .map_err(|error| show::error(&error))
            .ok()?;
        let converter = sigmac::Converter::new(target, Chain::new(configs), options);
        let convert = |(path, text): &(PathBuf, Vec<u8>)| {
            let converted = converter.convert(&Source {
                name: &path.to_string_lossy(),
                text,
            });
            let outcome = |converted: Result<Converted, _>| Outcome {
                file: path.clone(),
                title: converted
                    .as_ref()
                    .map(|one| title(&one.head))
                    .unwrap_or_default(),
                converted,
            };
            converted.into_iter().map(outcome).collect::<Vec<_>>()
        };
        return Some(files.iter().flat_map(convert).collect());
    }
    let names = Names::read(&sources).map_err(told).ok()?;
    let schema = strict::schema(command.schema.as_deref())
        .map_err(|error| show::error(&error))
        .ok()?;
    Some(strict::convert(
        files,
        names,
        schema,
        target,
        options,
        (Filter::default(), 0),
    ))
}

fn title(head: &Head) -> String {
    head.json("title").as_str().unwrap_or_default().to_owned()
}

type Written = Result<(), (Option<PathBuf>, io::Error)>;

/// Writes all rules into one file, or to standard output.
fn whole(
    target: &dyn Target,
    place: Option<&Path>,
    converted: Vec<(PathBuf, Converted)>,
) -> Written {
    let (mut text, mut parts) = (String::new(), Vec::new());
    for (_, one) in converted {
        match one.artefact {
            Artefact::Text(one) => text.push_str(&(one + "\n")),
            Artefact::Json(more) => parts.extend(more),
        }
    }
    if let Some(one) = target.finish(parts) {
        text.push_str(&(one + "\n"));
    }
    let written = match place {
        Some(path) => std::fs::write(path, text),
        None => io::Write::write_all(&mut io::stdout().lock(), text.as_bytes()),
    };
    written.map_err(|error| (place.map(Path::to_owned), error))
}

/// Writes each rule into a file of its own, with the name of the rule's file.
fn split(target: &dyn Target, folder: &Path, converted: Vec<(PathBuf, Converted)>) -> Written {
    std::fs::create_dir_all(folder).map_err(|error| (Some(folder.to_owned()), error))?;
    let mut taken = HashSet::new();
    for (file, one) in converted {
        let text = match one.artefact {
            Artefact::Text(text) => Some(text),
            Artefact::Json(parts) => target.finish(parts),
        };
        let stem = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let name = std::iter::once(stem.clone())
            .chain(numbered)
            .find(|name| taken.insert(name.clone()));
        let path = folder.join(format!("{}.{}", name.unwrap_or(stem), target.extension()));
        let written = std::fs::write(&path, text.unwrap_or_default() + "\n");
        written.map_err(|error| (Some(path), error))?;
    }
    Ok(())
}
