//! `sigtag`: the program. Arguments, output, exit codes; the work is done elsewhere.

mod arguments;
mod check;
mod config;
mod convert;
mod credentials;
mod dashboards;
mod diagnostics;
mod explain;
mod indices;
mod load;
mod mappings;
mod outliers;
mod plan;
mod run;
mod search;
mod show;
mod sigmac;
mod stores;
mod strict;
mod tag;
mod untag;

use arguments::{Arguments, Command, Setup};
use clap::CommandFactory;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// All was done.
    Done,
    /// A rule or an event is broken, or a write failed; the rest was done.
    Incomplete,
    /// Wrong usage or configuration; nothing was done.
    Usage,
    /// Ended by the user.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Incomplete => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        })
    }
}

fn main() -> ExitCode {
    let given = sigmac::from_environment(std::env::args_os());
    let arguments = match config::arguments(given) {
        Ok(arguments) => arguments,
        Err(exit) => return exit.into(),
    };
    arguments.color.apply();
    let exit = match arguments.command {
        Command::Tag(command) => tag::run(&command),
        Command::Plan(command) => plan::run(&command),
        Command::Load(command) => load::run(&command),
        Command::Untag(command) => untag::run(&command),
        Command::Search(command) => search::run(&command),
        Command::Indices(command) => indices::run(&command),
        Command::Outliers { command } => outliers::run(&command),
        Command::Check(command) => check::run(&command),
        Command::Explain(command) => explain::run(&command),
        Command::Convert(command) => convert::run(&command),
        Command::Sigmac(command) => return ExitCode::from(sigmac::run(&command)),
        Command::Dashboards(command) => dashboards::run(&command),
        Command::Completions { shell } => generate(|out| {
            clap_complete::generate(shell, &mut Arguments::command(), "sigtag", out);
            Ok(())
        }),
        Command::Man(Setup { command }) => generate(|out| man(command.as_deref(), out)),
    };
    exit.into()
}

/// Prints something that is made from the definitions of the arguments.
fn generate(make: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Exit {
    let mut text = Vec::new();
    match make(&mut text) {
        Ok(()) => show::output(&text, Exit::Done),
        Err(error) => {
            show::error(&error);
            Exit::Incomplete
        }
    }
}

fn man(command: Option<&str>, out: &mut Vec<u8>) -> std::io::Result<()> {
    let mut all = Arguments::command();
    all.build();
    let page = match command {
        None => Some(&all),
        Some(name) => all.find_subcommand(name),
    };
    let unknown = || {
        std::io::Error::other(format!(
            "there is no command `{}`",
            command.unwrap_or_default()
        ))
    };
    clap_mangen::Man::new(page.ok_or_else(unknown)?.clone()).render(out)
}
