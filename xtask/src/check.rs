//! `cargo xtask check`: all that must be clean before a commit, but for the tests; of those the fuzz targets, for longer.

use std::{
    io::{self, ErrorKind},
    process::{Command, ExitCode},
};

use crate::{Outcome, house, workspace::cargo};

/// One program that finds nothing wrong.
struct Step {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
    /// The package that `cargo install` gets the program from; none when it comes with the toolchain.
    package: Option<&'static str>,
}

const STEPS: &[Step] = &[
    Step {
        name: "formatting",
        program: "cargo",
        arguments: &["fmt", "--all", "--check"],
        environment: &[],
        package: None,
    },
    Step {
        name: "lints",
        program: "cargo",
        arguments: &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        environment: &[],
        package: None,
    },
    Step {
        name: "documentation",
        program: "cargo",
        arguments: &["doc", "--workspace", "--no-deps"],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        package: None,
    },
    // Each target for half a minute.
    Step {
        name: "fuzz targets",
        program: "cargo",
        arguments: &["test", "--package", "fuzz"],
        environment: &[("BOLERO_RANDOM_TEST_TIME_MS", "30000")],
        package: None,
    },
    Step {
        name: "spelling",
        program: "typos",
        arguments: &[],
        environment: &[],
        package: Some("typos-cli"),
    },
    Step {
        name: "licences",
        program: "cargo-deny",
        arguments: &["check", "licenses", "bans", "sources"],
        environment: &[],
        package: Some("cargo-deny"),
    },
];

/// Takes every step, also after one that failed, and names those that failed last.
pub fn run() -> Outcome {
    let mut failed = Vec::new();
    let mut missing = Vec::new();
    for step in STEPS {
        println!("== {}", step.name);
        match (step.run(), step.package) {
            (Ok(true), _) => {}
            (Ok(false), _) => failed.push(step.name),
            (Err(error), Some(package)) if error.kind() == ErrorKind::NotFound => {
                println!("`{}` is not installed", step.program);
                failed.push(step.name);
                missing.push(package);
            }
            (Err(error), _) => return Err(format!("cannot run `{}`: {error}", step.program).into()),
        }
    }

    println!("== structure");
    let violations = house::violations()?;
    violations
        .iter()
        .for_each(|violation| println!("{violation}"));
    if !violations.is_empty() {
        failed.push("structure");
    }

    println!();
    if !missing.is_empty() {
        println!(
            "to install what is missing: cargo install --locked {}",
            missing.join(" ")
        );
    }
    if failed.is_empty() {
        println!("all clean");
        return Ok(ExitCode::SUCCESS);
    }
    println!("not clean: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

impl Step {
    fn run(&self) -> io::Result<bool> {
        let mut command = match self.program {
            "cargo" => cargo(&[]),
            program => Command::new(program),
        };
        command
            .args(self.arguments)
            .envs(self.environment.iter().copied())
            .current_dir(testkit::workspace_root());
        Ok(command.status()?.success())
    }
}
