//! The chores of the repository: `cargo xtask test`, `cargo xtask check`, `cargo xtask bench`, `cargo xtask chaos`,
//! `cargo xtask servers`, `cargo demo`.
//!
//! Every piece of automation is a command here, so that it runs the same on every machine, and is read, formatted and linted as the
//! rest is. Each command is a file with a function `run`, and a line in [`COMMANDS`].

mod bench;
mod chaos;
mod check;
mod demo;
mod house;
mod servers;
mod test;
mod workspace;

use std::{env, error::Error, process::ExitCode};

/// What a command comes to: its exit code, or why it could not do its work at all.
type Outcome = Result<ExitCode, Box<dyn Error>>;

struct Command {
    name: &'static str,
    about: &'static str,
    /// What may stand behind it.
    options: &'static str,
    run: fn(&[String]) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        about: "all tests, and what did not run and why",
        options: test::OPTIONS,
        run: test::run,
    },
    Command {
        name: "check",
        about: "formatting, lints, documentation, fuzz targets, spelling, licences, structure",
        options: "",
        run: |_| check::run(),
    },
    Command {
        name: "bench",
        about: "what sigtag costs, beside rsigma, OpenSearch and itself",
        options: bench::OPTIONS,
        run: bench::run,
    },
    Command {
        name: "chaos",
        about: "kills sigtag while it writes to a store, and compares what is left",
        options: chaos::OPTIONS,
        run: chaos::run,
    },
    Command {
        name: "servers",
        about: "real servers, for tests and by hand:",
        options: servers::OPTIONS,
        run: servers::run,
    },
    Command {
        name: "demo",
        about: "tags the sample events with the sample rules and shows what was found",
        options: "",
        run: |_| demo::run(),
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let called = arguments.split_first().and_then(|(name, options)| {
        let command = COMMANDS.iter().find(|command| name == command.name)?;
        (options.is_empty() || !command.options.is_empty()).then_some((command, options))
    });
    let Some((command, options)) = called else {
        eprintln!("usage: cargo xtask COMMAND\n");
        for command in COMMANDS {
            eprintln!("  {:<8}{} {}", command.name, command.about, command.options);
        }
        return ExitCode::from(2);
    };
    (command.run)(options).unwrap_or_else(|error| {
        eprintln!("cargo xtask {}: {error}", command.name);
        ExitCode::FAILURE
    })
}
