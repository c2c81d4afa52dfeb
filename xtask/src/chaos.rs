//! `cargo xtask chaos`: stores under fire, for as long as wanted.
//!
//! The work is a test's: `crates/sigtag/tests/chaos.rs` kills the program while it loads, tags and untags, and compares what is
//! left with what it leaves in peace. It runs with few kills in `cargo xtask test`; here it goes on, and says what it has done.

use std::{
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{Outcome, workspace::cargo};

/// What may stand behind the command.
pub const OPTIONS: &str = "[--minutes N] [--seed N]";

const TEST: &str = "a_command_that_was_killed_is_completed_by_running_it_again";

/// Runs the test for some minutes.
pub fn run(arguments: &[String]) -> Outcome {
    let (mut minutes, mut seed) = (5, SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let value = rest.next().and_then(|value| value.parse().ok());
        match (option.as_str(), value) {
            ("--minutes", Some(value)) => minutes = value,
            ("--seed", Some(value)) => seed = value,
            _ => return Err(format!("usage: cargo xtask chaos {OPTIONS}").into()),
        }
    }
    let test = [
        "test",
        "--package",
        "sigtag",
        "--test",
        "chaos",
        "--",
        "--exact",
        TEST,
        "--nocapture",
    ];
    let status = cargo(&test)
        .env("SIGTAG_CHAOS_MINUTES", minutes.to_string())
        .env("SIGTAG_CHAOS_SEED", seed.to_string())
        .status()?;
    if !status.success() {
        eprintln!("to see it again: cargo xtask chaos --minutes {minutes} --seed {seed}");
    }
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
