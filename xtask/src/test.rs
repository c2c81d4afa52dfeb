//! `cargo xtask test`: every test of the workspace, and an honest end.
//!
//! The last lines name each test that did not run, why, and what would make it run; the very last one counts:
//! `N passed, N failed, N skipped`. A test skips itself through `testkit::skip`, which appends to a file that is made here; see there.
//! Tests that are `#[ignore]`d count as skipped too.
//!
//! Tests that need a server share one. With `--all-servers`, those that talk to a cluster ([`ON_SERVERS`]) run again on each of the
//! other servers, one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{ExitCode, Stdio},
};

use servers::{KINDS, Kind, Options, Running};
use testkit::{SKIPS, Skip};

use crate::{
    Outcome,
    workspace::{Workspace, cargo},
};

/// What may stand behind the command.
pub const OPTIONS: &str = "[--all-servers] [--install]";

/// The servers that most tests ask for, the one to be taken first.
const SHARED_SERVER: &[&str] = &["opensearch-3", "opensearch-2"];

/// The test binaries that run on several servers, and what the names of those servers begin with. What it says is what the tests
/// themselves ask `servers::server` for.
const ON_SERVERS: &[(&str, &[&str])] = &[
    ("cluster", &["opensearch-", "elasticsearch-"]),
    ("cluster_chaos", &["opensearch-", "elasticsearch-"]),
    ("cluster_corpus", &["opensearch-", "elasticsearch-"]),
    ("dashboards", &["opensearch-", "elasticsearch-"]),
    ("differential", &["opensearch-"]),
    ("outliers", &["opensearch-"]),
    ("pass", &["opensearch-", "elasticsearch-"]),
    ("tls", &["opensearch-", "elasticsearch-"]),
];

/// Runs the tests; fails when one fails, or when something could not be built.
pub fn run(arguments: &[String]) -> Outcome {
    let mut install = Options::default().install;
    let mut all_servers = false;
    for argument in arguments {
        match argument.as_str() {
            "--install" => install = true,
            "--all-servers" => all_servers = true,
            _ => return Err(format!("usage: cargo xtask test {OPTIONS}").into()),
        }
    }
    let given = env::var_os(servers::GIVEN).is_some();
    if all_servers && given {
        let variable = servers::GIVEN;
        return Err(format!("--all-servers starts the servers itself: unset {variable}").into());
    }
    let folder = Workspace::load()?.target.join("xtask");
    let skips = folder.join("skips");
    fs::create_dir_all(&folder)?;

    let options = Options {
        install,
        progress: &|doing| eprintln!("server for the tests: {doing}"),
        ..Options::default()
    };
    // Unless the environment names one. Without it, the tests that need one say so.
    let shared = match given {
        true => None,
        false => servers::start_first(SHARED_SERVER, &options)
            .inspect_err(|error| eprintln!("no server for the tests: {error}"))
            .ok(),
    };
    let taken = shared.as_ref().map(Running::kind);
    let title = taken.map_or_else(|| "all".to_owned(), |kind| format!("all, {}", kind.title()));
    let mut parts = vec![cargo_test(title, &[], &skips, shared.as_ref())?];
    drop(shared);
    if all_servers {
        for kind in KINDS
            .iter()
            .filter(|kind| Some(kind.name) != taken.map(|kind| kind.name))
        {
            parts.push(on(kind, &options, &skips)?);
        }
    }
    report(&parts);
    Ok(if parts.iter().all(Part::is_good) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the tests that are for a server on it.
fn on(kind: &'static Kind, options: &Options, skips: &Path) -> Result<Part, Box<dyn Error>> {
    let title = kind.title();
    let binaries: Vec<&str> = ON_SERVERS
        .iter()
        .filter(|(_, servers)| servers.iter().any(|name| kind.name.starts_with(name)))
        .map(|(binary, _)| *binary)
        .collect();
    match servers::start(kind, options) {
        Ok(server) => cargo_test(title, &binaries, skips, Some(&server)),
        Err(error) => {
            // Only what the machine lacks is no failure, and in CI it lacks nothing.
            let is_missing = matches!(error, servers::Error::Missing { .. }) && !options.install;
            eprintln!("{title}: {error}");
            Ok(Part {
                title,
                success: is_missing,
                not_run: Some(error.to_string()),
                ..Part::default()
            })
        }
    }
}

/// What one run of tests came to.
#[derive(Debug, Default)]
struct Part {
    title: String,
    tally: Tally,
    skips: BTreeSet<Skip>,
    /// Whether cargo has nothing to complain of.
    success: bool,
    /// Why there was no run at all.
    not_run: Option<String>,
}

impl Part {
    fn is_good(&self) -> bool {
        self.success && self.tally.failed == 0
    }

    /// How many tests passed, failed, and were skipped.
    fn counts(&self) -> [usize; 3] {
        // To libtest, a test that skipped itself has passed.
        let skipped = self.skips.iter().map(|skip| (&skip.file, &skip.test));
        let skipped = skipped.collect::<BTreeSet<_>>().len();
        let Tally { passed, failed, .. } = self.tally;
        let ignored = self.tally.ignored.len();
        [passed.saturating_sub(skipped), failed, skipped + ignored]
    }
}

/// Runs `cargo test`, with these binaries or all, passes its output on, and reads it on the way.
fn cargo_test(
    title: String,
    binaries: &[&str],
    skips: &Path,
    server: Option<&Running>,
) -> Result<Part, Box<dyn Error>> {
    fs::write(skips, "")?;
    // Always the whole workspace: for a part of it, its dependencies would be built with other features.
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    for binary in binaries {
        command.args(["--test", binary]);
    }
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
    let success = child.wait()?.success();
    let skips = fs::read_to_string(skips)?;
    Ok(Part {
        title,
        tally,
        skips: skips.lines().filter_map(Skip::parse).collect(),
        success,
        not_run: None,
    })
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
fn report(parts: &[Part]) {
    println!();
    let mut groups: BTreeMap<(&str, &str), BTreeSet<&Skip>> = BTreeMap::new();
    let mut ignored = BTreeSet::new();
    for part in parts {
        for name in &part.tally.failures {
            println!("failed ({}): {name}", part.title);
        }
        for skip in &part.skips {
            let group = groups.entry((&skip.reason, &skip.help)).or_default();
            group.insert(skip);
        }
        ignored.extend(&part.tally.ignored);
    }
    for ((reason, help), skips) in groups {
        println!("did not run, since {reason}:");
        for skip in skips {
            println!("  {}: {}", skip.file, skip.test);
        }
        println!("  to run: {help}");
    }
    if !ignored.is_empty() {
        println!("did not run, since marked `#[ignore]`:");
        for test in ignored {
            println!("  {test}");
        }
        println!("  to run: cargo test --workspace -- --ignored");
    }
    let counted = |[passed, failed, skipped]: [usize; 3]| {
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    };
    let mut sum = [0; 3];
    for part in parts {
        let counts = part.counts();
        sum = std::array::from_fn(|at| sum[at] + counts[at]);
        match &part.not_run {
            Some(reason) => println!("{}: did not run: {reason}", part.title),
            None if parts.len() > 1 => println!("{}: {}", part.title, counted(counts)),
            None => {}
        }
    }
    println!("{}", counted(sum));
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

    #[test]
    fn every_test_that_asks_for_a_server_is_known() {
        let workspace = Workspace::load().expect("cargo knows the workspace");
        let mut asking = BTreeSet::new();
        // What tests the servers themselves asks for those that it means.
        let others = |package: &&crate::workspace::Crate| package.name != "servers";
        for package in workspace.crates.iter().filter(others) {
            let tests = testkit::workspace_root()
                .join(&package.folder)
                .join("tests");
            for entry in fs::read_dir(tests).into_iter().flatten().flatten() {
                if asks(&entry.path()) {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    asking.insert(name.trim_end_matches(".rs").to_owned());
                }
            }
        }
        let known = ON_SERVERS.iter().map(|(binary, _)| (*binary).to_owned());
        assert_eq!(asking, known.collect());
    }

    /// Whether a file, or one of a folder, asks for a server.
    fn asks(path: &Path) -> bool {
        match fs::read_dir(path) {
            Ok(entries) => entries.flatten().any(|entry| asks(&entry.path())),
            Err(_) => fs::read_to_string(path).is_ok_and(|text| text.contains("servers::server(")),
        }
    }
}
