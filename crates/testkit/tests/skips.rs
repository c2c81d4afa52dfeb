//! A skipped test is recorded once, and is a failure where CI=true. The tests here run this binary again, as `xtask` would.

use std::{env, fs, path::Path, process::Command};

use testkit::{SKIPS, Skip, skip};

const CHILD: &str = "TESTKIT_CHILD";

/// Does something only when another test runs it.
#[test]
fn child() {
    if env::var_os(CHILD).is_some() {
        skip("there is no moon", "wait for a clear night");
        // In the file, lines and tabs mean something else.
        skip("there is\n\tno moon\n", "wait for a clear night");
    }
}

fn run_child(skips: &Path, ci: &str) -> bool {
    fs::write(skips, "").expect("the target folder can be written");
    let mut command = Command::new(env::current_exe().expect("a test knows its binary"));
    // Two threads, so that the test gets one of its own that bears its name.
    command
        .args(["--exact", "child", "--test-threads=2"])
        .env(CHILD, "1")
        .env(SKIPS, skips)
        .env("CI", ci);
    command
        .output()
        .expect("the test binary starts")
        .status
        .success()
}

#[test]
fn a_skip_is_recorded_once() {
    let skips = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorded-skips");
    assert!(run_child(&skips, ""));
    let recorded = fs::read_to_string(skips).expect("the file of skips is there");
    let skips: Vec<_> = recorded.lines().map(Skip::parse).collect();
    let expected = Skip {
        help: "wait for a clear night".into(),
        reason: "there is no moon".into(),
        file: "crates/testkit/tests/skips.rs".into(),
        test: "child".into(),
    };
    assert_eq!(skips, [Some(expected)]);
}

#[test]
fn a_skip_is_a_failure_in_ci() {
    let skips = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused-skips");
    assert!(!run_child(&skips, "true"));
    assert_eq!(
        fs::read_to_string(skips).expect("the file of skips is there"),
        ""
    );
}
