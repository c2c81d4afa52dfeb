//! `cargo xtask test`: every test of the workspace, and an honest end.
//!
//! The last lines name each test that did not run, why, and what would make it run; the very last one counts:
//! `N passed, N failed, N skipped`. A test skips itself through `testkit::skip`, which appends to a file that is made here; see there.
//! Tests that are `#[ignore]`d count as skipped too.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{ExitCode, Stdio},
};

use servers::{Options, Running};
use testkit::{SKIPS, Skip};

use crate::{
    Outcome,
    workspace::{Workspace, cargo},
};

/// The servers that most tests ask for, the one to be taken first.
const SHARED_SERVER: &[&str] = &["opensearch-3", "opensearch-2"];

/// Runs the tests; fails when one fails, or when something could not be built.
pub fn run(arguments: &[String]) -> Outcome {
    let install = match arguments {
        [] => Options::default().install,
        [flag] if flag == "--install" => true,
        _ => return Err("usage: cargo xtask test [--install]".into()),
    };
    let folder = Workspace::load()?.target.join("xtask");
    let skips = folder.join("skips");
    fs::create_dir_all(&folder)?;
    fs::write(&skips, "")?;

    let server = shared_server(install);
    let (tally, success) = cargo_test(&skips, server.as_ref())?;
    drop(server);
    let skips: BTreeSet<Skip> = fs::read_to_string(&skips)?
        .lines()
        .filter_map(Skip::parse)
        .collect();
    report(&tally, &skips);
    Ok(if success && tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One server for all test binaries, unless the environment names one. Without it, the tests that need one say so.
fn shared_server(install: bool) -> Option<Running> {
    if env::var_os(servers::GIVEN).is_some() {
        return None;
    }
    let options = Options {
        install,
        progress: &|doing| eprintln!("server for the tests: {doing}"),
        ..Options::default()
    };
    servers::start_first(SHARED_SERVER, &options)
        .inspect_err(|error| eprintln!("no server for the tests: {error}"))
        .ok()
}

/// Runs `cargo test`, passes its output on, and reads it on the way.
fn cargo_test(skips: &Path, server: Option<&Running>) -> Result<(Tally, bool), Box<dyn Error>> {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    if let Some(server) = server {
        command.env(servers::GIVEN, server.url());
    }
    let mut child = command.env(SKIPS, skips).stdout(Stdio::piped()).spawn()?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            tally.read(&line);
        }
    }
    Ok((tally, child.wait()?.success()))
}

/// What the lines of libtest add up to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Each ignored test, with the reason its author gave, if any.
    ignored: Vec<String>,
    /// The names of the tests that failed.
    failures: Vec<String>,
}

impl Tally {
    /// Takes in one line of output: `test NAME ... ok`, or `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn read(&mut self, line: &str) {
        let Some(line) = line.strip_prefix("test ") else {
            return;
        };
        if let Some(result) = line.strip_prefix("result: ") {
            self.passed += count(result, "passed");
            self.failed += count(result, "failed");
        } else if let Some((name, verdict)) = line.rsplit_once(" ... ") {
            match verdict.split_once(", ").unwrap_or((verdict, "")) {
                ("FAILED", _) => self.failures.push(name.to_owned()),
                ("ignored", "") => self.ignored.push(name.to_owned()),
                ("ignored", reason) => self.ignored.push(format!("{name}: {reason}")),
                _ => {}
            }
        }
    }
}

/// The number before `word` in a line of results.
fn count(result: &str, word: &str) -> usize {
    let mut words = result
        .split([' ', ';', '.'])
        .filter(|word| !word.is_empty());
    let mut number = 0;
    words
        .by_ref()
        .take_while(|next| *next != word)
        .for_each(|next| number = next.parse().unwrap_or(0));
    number
}

/// The last lines.
fn report(tally: &Tally, skips: &BTreeSet<Skip>) {
    println!();
    for name in &tally.failures {
        println!("failed: {name}");
    }
    let mut groups: BTreeMap<(&str, &str), Vec<&Skip>> = BTreeMap::new();
    for skip in skips {
        groups
            .entry((&skip.reason, &skip.help))
            .or_default()
            .push(skip);
    }
    for ((reason, help), skips) in groups {
        println!("did not run, since {reason}:");
        for skip in skips {
            println!("  {}: {}", skip.file, skip.test);
        }
        println!("  to run: {help}");
    }
    if !tally.ignored.is_empty() {
        println!("did not run, since marked `#[ignore]`:");
        for test in &tally.ignored {
            println!("  {test}");
        }
        println!("  to run: cargo test --workspace -- --ignored");
    }
    // To libtest, a test that skipped itself has passed.
    let skipped = skips
        .iter()
        .map(|skip| (&skip.file, &skip.test))
        .collect::<BTreeSet<_>>()
        .len();
    let passed = tally.passed.saturating_sub(skipped);
    println!(
        "{passed} passed, {} failed, {} skipped",
        tally.failed,
        skipped + tally.ignored.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_adds_up_what_libtest_prints() {
        let output = "\
running 4 tests
test a::b ... ok
test a::c ... FAILED
test a::d ... ignored, takes an hour
test crates/a/src/lib.rs - x (line 3) ... ignored
test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s
";
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        let expected = Tally {
            passed: 13,
            failed: 1,
            ignored: vec![
                "a::d: takes an hour".into(),
                "crates/a/src/lib.rs - x (line 3)".into(),
            ],
            failures: vec!["a::c".into()],
        };
        assert_eq!(tally, expected);
    }
}
