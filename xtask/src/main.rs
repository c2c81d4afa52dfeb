//! The chores of the repository: `cargo xtask test`, `cargo xtask check`, `cargo demo`.
//!
//! Every piece of automation is a command here, so that it runs the same on every machine, and is read, formatted and linted as the
//! rest is. Each command is a file with a function `run`, and a line in [`COMMANDS`].

mod check;
mod demo;
mod house;
mod test;
mod workspace;

use std::{env, error::Error, process::ExitCode};

/// What a command comes to: its exit code, or why it could not do its work at all.
type Outcome = Result<ExitCode, Box<dyn Error>>;

struct Command {
    name: &'static str,
    about: &'static str,
    run: fn() -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        about: "all tests, and what did not run and why",
        run: test::run,
    },
    Command {
        name: "check",
        about: "formatting, lints, documentation, spelling, licences, structure",
        run: check::run,
    },
    Command {
        name: "demo",
        about: "tags the sample events with the sample rules and shows what was found",
        run: demo::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let command = COMMANDS.iter().find(|command| arguments == [command.name]);
    let Some(command) = command else {
        eprintln!("usage: cargo xtask COMMAND\n");
        for command in COMMANDS {
            eprintln!("  {:<8}{}", command.name, command.about);
        }
        return ExitCode::from(2);
    };
    (command.run)().unwrap_or_else(|error| {
        eprintln!("cargo xtask {}: {error}", command.name);
        ExitCode::FAILURE
    })
}
