//! `--config`: a file that holds options, so that a command need not repeat them.
//!
//! Options have one definition: the file's keys are the long names that clap knows, and each value is given to clap's own
//! parser, so that all that is wrong is told at once and with its place. What the command line does not say is then added
//! to it, and clap decides what goes together.

mod file;
mod who;

use crate::arguments::{Arguments, Color, Command, PlanCommand, TagCommand};
use crate::{Exit, show};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, Parser};
use file::{ConfigFile, Setting};
use std::ffi::OsString;
use std::path::PathBuf;

/// The option that names the file.
const OPTION: &str = "config";

/// The commands that take a file; to others, an option of this name is something else.
const TAKERS: [&str; 2] = ["tag", "plan"];

/// The arguments of the program, completed by the file that they name. Errors have been shown.
pub(crate) fn arguments(given: Vec<OsString>) -> Result<Arguments, Exit> {
    let mut lenient = Arguments::command().ignore_errors(true);
    let said = lenient.try_get_matches_from_mut(&given).ok();
    let named = said.as_ref().and_then(|said| {
        let (command, said) = said
            .subcommand()
            .filter(|(name, _)| TAKERS.contains(name))?;
        let path: &PathBuf = said.try_get_one(OPTION).ok()??;
        Some((command, said, path))
    });
    let Some((command, said, path)) = named else {
        return Ok(Arguments::parse_from(given));
    };
    if let Some(color) = said.get_one::<Color>("color") {
        color.apply();
    }
    let mut file = ConfigFile::open(path).map_err(|error| {
        show::error(&format!("{}: {error}", path.display()));
        Exit::Usage
    })?;
    let (mut settings, told) = file.read();
    file.check()?;
    let all = Arguments::command();
    settings.retain(|setting| {
        let command = all.find_subcommand(command);
        let option = command.and_then(|command| option(&all, command, &setting.name));
        option.is_some_and(|option| !is_given(said, option))
    });
    let mut arguments = match Arguments::try_parse_from(with(&given, &settings)) {
        Ok(arguments) => arguments,
        Err(error) => {
            file.faults = blame(&error, &given, &settings);
            file.check()?;
            error.exit()
        }
    };
    if let Command::Tag(TagCommand {
        config: Some(_),
        access,
        ..
    })
    | Command::Plan(PlanCommand {
        config: Some(_),
        access,
        ..
    }) = &mut arguments.command
    {
        access.credentials = told;
    }
    Ok(arguments)
}

fn takers(all: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    TAKERS
        .into_iter()
        .filter_map(|name| all.find_subcommand(name))
}

/// The option of this name that a command has, or that all have.
fn option<'c>(all: &'c clap::Command, command: &'c clap::Command, name: &str) -> Option<&'c Arg> {
    let of_all = all.get_arguments().filter(|option| option.is_global_set());
    let mut options = command.get_arguments().chain(of_all);
    options.find(|option| option.get_long() == Some(name))
}

fn is_given(said: &ArgMatches, option: &Arg) -> bool {
    said.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// The command line with settings, which go before the option that names the file.
fn with<'s>(given: &[OsString], settings: impl IntoIterator<Item = &'s Setting>) -> Vec<OsString> {
    let names_file = |argument: &OsString| {
        let rest = argument.as_encoded_bytes().strip_prefix(b"--config");
        rest.is_some_and(|rest| matches!(rest, [] | [b'=', ..]))
    };
    let at = given.iter().position(names_file).unwrap_or(given.len());
    let (before, after) = given.split_at(at);
    let added = settings.into_iter().flat_map(|setting| &setting.arguments);
    before.iter().chain(added).chain(after).cloned().collect()
}

/// The settings that do not go with the rest, and why; none if it is the command line that is wrong.
fn blame(error: &clap::Error, given: &[OsString], settings: &[Setting]) -> Vec<(usize, String)> {
    match error.kind() {
        ErrorKind::ArgumentConflict => {
            // The first does not go with any of the others.
            let one = named(error, ContextKind::InvalidArg);
            let others = named(error, ContextKind::PriorArg);
            let blamed = settings.iter().filter_map(|setting| {
                let own = format!("--{}", setting.name);
                let against = match (one.contains(&own), others.contains(&own)) {
                    (true, _) => &others,
                    (_, true) => &one,
                    _ => return None,
                };
                let against = against.join(", ");
                let reason = format!("`{}` does not go with {against}", setting.name);
                Some((setting.at, reason))
            });
            blamed.collect()
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = named(error, ContextKind::InvalidArg);
            let without = missing_of(with(given, []));
            let blamed = settings.iter().filter_map(|setting| {
                // What is missed only since this is set.
                let mut needed = missing_of(with(given, [setting]));
                needed.retain(|name| missing.contains(name) && !without.contains(name));
                let reason = || format!("`{}` needs {}", setting.name, needed.join(", "));
                (!needed.is_empty()).then(|| (setting.at, reason()))
            });
            blamed.collect()
        }
        _ => Vec::new(),
    }
}

/// What a command line misses.
fn missing_of(arguments: Vec<OsString>) -> Vec<String> {
    match Arguments::try_parse_from(arguments) {
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            named(&error, ContextKind::InvalidArg)
        }
        _ => Vec::new(),
    }
}

/// The options that an error speaks of, without their values.
fn named(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    let whole = match error.get(kind) {
        Some(ContextValue::String(one)) => std::slice::from_ref(one),
        Some(ContextValue::Strings(several)) => several,
        _ => &[],
    };
    let names = whole
        .iter()
        .filter_map(|name| name.split([' ', '=']).next());
    names.map(str::to_owned).collect()
}
