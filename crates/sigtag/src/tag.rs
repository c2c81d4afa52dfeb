//! `sigtag tag`: events in, tagged events out; or tagged where they lie.

use crate::arguments::{SelectionOptions, TagCommand};
use crate::run::Run;
use crate::stores::Want;
use crate::{Exit, run, show, stores};
use input::Inputs;
use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tagger::{Selection, Summary};

pub(crate) fn run(command: &TagCommand) -> Exit {
    let Some(rules) = run::rules(&command.rules, &command.options, command.run.quiet) else {
        return Exit::Usage;
    };
    let tagged = match (&command.store, &command.index) {
        (Some(place), Some(indices)) => in_store(command, rules, place, indices),
        _ => in_files(command, rules),
    };
    let (summary, exit) = match tagged {
        Ok(summary) => {
            let exit = run::exit_of(&summary, command.options.strict_rules);
            (summary, exit)
        }
        Err(exit) => return exit,
    };
    run::tell(&command.run, &summary, exit, show::summary)
}

fn in_files(command: &TagCommand, rules: run::LoadedRules) -> Result<Summary, Exit> {
    let inputs = input::inputs(&command.input);
    let mut output = open(command, &inputs).map_err(|message| {
        show::error(&message);
        Exit::Usage
    })?;
    let run = Run::start(&command.run, inputs.size(), run::Unit::Bytes);
    let options = tagger::Options {
        tagger: Some(run::tagger(command.options.profile, &rules)),
        all: command.all,
        ..run.options()
    };
    let tagged = tagger::tag_files(&rules, inputs, &options, &mut output);
    run.end();
    tagged.map_err(|cause| show::not_written(command.output.as_deref(), &cause))
}

fn in_store(
    command: &TagCommand,
    rules: run::LoadedRules,
    place: &str,
    indices: &str,
) -> Result<Summary, Exit> {
    stores::with(place, &command.access, Want::Write, async |store| {
        let selection = Selection {
            dry_run: command.dry_run,
            again: command.again,
            rate: command.rate,
            templates: !command.no_templates,
            ..selection(&command.selection, indices)
        };
        let documents = store.count(indices, &serde_json::json!({})).await?;
        let run = Run::start(&command.run, documents, run::Unit::Documents);
        let options = tagger::Options {
            tagger: Some(run::tagger(command.options.profile, &rules)),
            ..run.options()
        };
        let tagged = tagger::tag_store(&rules, &options, store, &selection).await;
        run.end();
        tagged
    })
}

/// Which events are meant, and where their tags go.
pub(crate) fn selection(options: &SelectionOptions, indices: &str) -> Selection {
    Selection {
        since: options.since.clone(),
        until: options.until.clone(),
        mode: options.mode,
        ..Selection::all(indices)
    }
}

/// Opens the output, unless that or the statistics would destroy what is read.
fn open(command: &TagCommand, inputs: &Inputs) -> Result<Box<dyn Write>, String> {
    let named = |path: &Path| identity(std::fs::metadata(path));
    let existing = command.output.iter().chain(&command.run.stats);
    let existing: Vec<_> = existing
        .filter_map(|path| Some((path, named(path)?)))
        .collect();
    if !existing.is_empty() {
        let inputs = inputs.list.iter().map(|input| Path::new(&*input.file));
        let others = command.rules.iter().chain(&command.options.mapping.names);
        let others = others.chain(&command.config);
        let mut read: Vec<_> = inputs
            .chain(others.map(PathBuf::as_path))
            .filter_map(named)
            .collect();
        let stdin = std::io::stdin().as_fd().try_clone_to_owned();
        read.extend(identity(
            stdin.and_then(|stdin| File::from(stdin).metadata()),
        ));
        if let Some((path, _)) = existing.iter().find(|(_, written)| read.contains(written)) {
            return Err(format!(
                "{} is read by this run: write to another file",
                path.display()
            ));
        }
    }
    if command.output.is_some() && command.output == command.run.stats {
        return Err("--output and --stats name the same file".to_owned());
    }
    let Some(path) = &command.output else {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    };
    if inputs.list.is_empty() && inputs.report.lost() > 0 {
        // There is nothing to read, so nothing is written either.
        return Ok(Box::new(io::sink()));
    }
    let file = File::create(path)
        .map_err(|error| format!("cannot write to {}: {error}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// What a regular file is known by, whatever its name.
fn identity(metadata: io::Result<Metadata>) -> Option<(u64, u64)> {
    let metadata = metadata.ok().filter(Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}
