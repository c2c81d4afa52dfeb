//! `cargo xtask servers`: no server is left behind, however the command ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use servers::{Kind, Process};

/// The server that starts soonest, of those that this machine can start.
const NAME: &str = "opensearch-2";

/// The command, with a `target` folder that no other server is written down in.
fn servers(target: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .arg("servers")
        .args(arguments)
        .env("CARGO_TARGET_DIR", target);
    command
}

fn output(target: &Path, arguments: &[&str]) -> Output {
    servers(target, arguments)
        .stderr(Stdio::inherit())
        .output()
        .expect("xtask runs")
}

/// Whether the calling test is to be skipped, and is recorded as that.
#[track_caller]
fn is_missing() -> bool {
    let kind = Kind::named(NAME).expect("it is in the table");
    // With CI=true the command installs what is missing.
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        return false;
    }
    servers::missing_tools(kind)
        .map(|(what, help)| testkit::skip(&what, &help))
        .is_some()
}

/// What `start --json` prints.
struct Started {
    address: String,
    process: Process,
}

impl Started {
    fn read(line: &str) -> Started {
        let record: Value = serde_json::from_str(line).expect("a line of JSON");
        let url = record["url"].as_str().expect("a URL");
        let pid = record["pid"].as_u64().expect("a process");
        Started {
            address: url.trim_start_matches("http://").to_owned(),
            process: Process {
                pid: pid.try_into().expect("a number of a process"),
                home: record["folder"].as_str().expect("a folder").into(),
            },
        }
    }

    fn is_there(&self) -> bool {
        self.process.is_running() && TcpStream::connect(&*self.address).is_ok()
    }

    fn is_gone(&self) -> bool {
        !self.process.is_running()
            && !self.process.home.exists()
            && TcpStream::connect(&*self.address).is_err()
    }

    /// Waits a little: nobody does for a server whose owner was killed.
    fn assert_gone(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.is_gone() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
        assert!(self.is_gone(), "left behind: {:?}", self.process);
    }
}

fn start_attached(target: &Path) -> (Child, Started) {
    let mut child = servers(target, &["start", NAME, "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("xtask runs");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("it can be read");
    (child, Started::read(&line))
}

#[test]
fn a_server_ends_when_its_owner_is_killed() {
    if is_missing() {
        return;
    }
    let target = tempfile::tempdir().expect("a temporary folder");
    let (mut owner, server) = start_attached(target.path());
    assert!(server.is_there());
    // SIGKILL: nothing can be done about it.
    owner.kill().expect("it runs");
    owner.wait().expect("it has ended");
    server.assert_gone();
}

#[test]
fn a_server_that_is_let_go_runs_until_it_is_stopped() {
    if is_missing() {
        return;
    }
    let target = tempfile::tempdir().expect("a temporary folder");
    let started = output(target.path(), &["start", NAME, "--detach", "--json"]);
    let server = Started::read(&String::from_utf8_lossy(&started.stdout));
    assert!(server.is_there());

    let list = || {
        let listed = output(target.path(), &["list", "--json"]).stdout;
        serde_json::from_slice::<Value>(&listed).expect("JSON")
    };
    assert_eq!(list()[0]["pid"], server.process.pid);
    assert!(output(target.path(), &["stop", NAME]).status.success());
    assert!(server.is_gone(), "left behind: {:?}", server.process);
    assert_eq!(list(), Value::Array(vec![]));
}

#[test]
fn a_server_is_stopped_with_sigterm() {
    if is_missing() {
        return;
    }
    let target = tempfile::tempdir().expect("a temporary folder");
    let (mut owner, server) = start_attached(target.path());
    let pid = owner.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(killed.expect("there is a `kill`").success());
    assert!(owner.wait().expect("it ends").success());
    assert!(server.is_gone(), "left behind: {:?}", server.process);
}

/// What `start` says on a machine that has nothing but what is in `bin`, and nothing in its cache.
fn start_on_a_bare_machine(bin: &Path, arguments: &[&str]) -> String {
    let empty = tempfile::tempdir().expect("a temporary folder");
    let output = servers(empty.path(), &["start", NAME])
        .args(arguments)
        .env("PATH", bin)
        .env("XDG_CACHE_HOME", empty.path())
        .env("CI", "false")
        .output()
        .expect("xtask runs");
    assert!(!output.status.success(), "it cannot have started");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn script(bin: &Path, name: &str, lines: &str) {
    let path = bin.join(name);
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is there");
}

#[test]
fn a_missing_maven_is_named_with_the_command_that_helps() {
    let bin = tempfile::tempdir().expect("a temporary folder");
    let said = start_on_a_bare_machine(bin.path(), &[]);
    assert!(said.contains("needs") && said.contains("Maven"), "{said}");
    assert!(said.contains("apt-get install"), "{said}");
}

#[test]
fn a_missing_maven_is_installed_where_that_is_asked_for() {
    let bin = tempfile::tempdir().expect("a temporary folder");
    // Installing writes down what was asked for, and brings a Maven that has no network.
    let apt_get = format!(
        "cd {}; echo \"$*\" >> asked; printf '#!/bin/sh\necho no network; exit 1' > mvn; /bin/chmod +x mvn",
        bin.path().display()
    );
    script(bin.path(), "apt-get", &apt_get);
    let said = start_on_a_bare_machine(bin.path(), &["--install"]);
    let asked = fs::read_to_string(bin.path().join("asked")).unwrap_or_default();
    if asked.is_empty() {
        assert!(said.contains("only root"), "{said}");
    } else {
        assert!(asked.contains("update"), "{asked}");
        let no_jars = said.contains("cannot be fetched") && said.contains("no network");
        assert!(no_jars || said.contains("needs a JDK"), "{said}");
    }
}

#[test]
fn a_name_that_is_none_is_answered_with_those_there_are() {
    let target = tempfile::tempdir().expect("a temporary folder");
    let output = servers(target.path(), &["start", "solr"])
        .output()
        .expect("xtask runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("`solr`") && said.contains("elasticsearch-7"),
        "{said}"
    );
}
