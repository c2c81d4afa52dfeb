//! A folder of its own for a test, and the program run in it.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder of its own.
pub struct Desk {
    folder: TempDir,
    /// What is in the environment of the program besides.
    pub environment: Vec<(&'static str, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new(files: &[(&str, &str)]) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Desk {
            folder,
            environment: Vec::new(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// With something on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigtag"));
        command.current_dir(&self.folder).args(arguments);
        // A proxy that the environment names is not meant for servers on this machine.
        command.env("NO_PROXY", "*");
        command.envs(self.environment.iter().cloned());
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let text = input.to_owned();
        let mut stdin = child.stdin.take().unwrap();
        // Who fails at once does not read.
        let writer = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what has to succeed, and gives its summary.
    pub fn stats(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--stats", "stats.json"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        serde_json::from_slice(&fs::read(self.path("stats.json")).unwrap()).unwrap()
    }
}
