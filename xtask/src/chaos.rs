//! `cargo xtask chaos`: stores under fire, for as long as wanted.
//!
//! The work is that of tests, which run with few kills in `cargo xtask test`; here they go on, and say what they have done:
//!
//! - `crates/sigtag/tests/chaos.rs` kills the program while it loads, tags and untags in a folder, and compares what is left with
//!   what it leaves in peace.
//! - `crates/sigtag/tests/cluster_chaos.rs` kills it while it tags in a cluster, beside another writer and on a bad way.

use std::{
    env,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use servers::Options;

use crate::{Outcome, workspace::cargo};

/// What may stand behind the command.
pub const OPTIONS: &str = "[cluster [--server NAME]] [--minutes N] [--seed N]";

/// The test binaries, and the test in each.
const FOLDER: (&str, &str) = (
    "chaos",
    "a_command_that_was_killed_is_completed_by_running_it_again",
);
const CLUSTER: (&str, &str) = (
    "cluster_chaos",
    "every_event_has_its_tags_whatever_happens_on_the_way",
);

/// Runs a test for some minutes.
pub fn run(arguments: &[String]) -> Outcome {
    let (mut minutes, mut seed) = (5, SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let mut server = "opensearch-3";
    let is_cluster = arguments.first().is_some_and(|first| first == "cluster");
    let mut rest = arguments[usize::from(is_cluster)..].iter();
    while let Some(option) = rest.next() {
        let value = rest.next().map_or("", String::as_str);
        match (option.as_str(), value.parse()) {
            ("--minutes", Ok(value)) => minutes = value,
            ("--seed", Ok(value)) => seed = value,
            ("--server", _) if is_cluster => server = value,
            _ => return Err(format!("usage: cargo xtask chaos {OPTIONS}").into()),
        }
    }
    let (binary, test) = if is_cluster { CLUSTER } else { FOLDER };
    let server = match is_cluster && env::var_os(servers::GIVEN).is_none() {
        true => Some(servers::start_first(&[server], &Options::default())?),
        false => None,
    };
    let test = [
        "test",
        "--package",
        "sigtag",
        "--test",
        binary,
        "--",
        "--exact",
        test,
        "--nocapture",
    ];
    let mut command = cargo(&test);
    if let Some(server) = &server {
        command.env(servers::GIVEN, server.url());
    }
    let status = command
        .env("SIGTAG_CHAOS_MINUTES", minutes.to_string())
        .env("SIGTAG_CHAOS_SEED", seed.to_string())
        .status()?;
    if !status.success() {
        let which = if is_cluster { "cluster " } else { "" };
        eprintln!("to see it again: cargo xtask chaos {which}--minutes {minutes} --seed {seed}");
    }
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
