//! `cargo xtask servers`: real servers by hand.
//!
//! `start` stays until Ctrl-C and takes the server with it; with `--detach` it leaves the server alone, until `stop`. What runs is
//! written down in one file for each server under `target/servers/`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{self, ExitCode},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use comfy_table::{ContentArrangement, LineStyle, Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};
use servers::{Error, KINDS, Kind, Options, Process, Running, missing_tools, start};

use crate::{Outcome, workspace::Workspace};

/// What may stand behind the command.
pub const OPTIONS: &str = "start NAME [--detach] [--json] [--install] | stop NAME | list [--json]";

/// Becomes true with the first Ctrl-C, SIGTERM or SIGHUP.
static STOP: AtomicBool = AtomicBool::new(false);

/// The exit code of a program that was stopped before it was done.
const INTERRUPTED: u8 = 130;

/// Runs the command behind `servers`.
pub fn run(arguments: &[String]) -> Outcome {
    let folder = Workspace::load()?.target.join("servers");
    let (flags, words): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|argument| argument.starts_with("--"));
    let (name, allowed): (_, &[&str]) = match *words {
        ["start", name] => (name, &["--detach", "--json", "--install"]),
        ["stop", name] => (name, &[]),
        ["list"] => ("", &["--json"]),
        _ => return usage(),
    };
    if flags.iter().any(|flag| !allowed.contains(flag)) {
        return usage();
    }
    let has = |flag| flags.contains(&flag);
    match words[0] {
        "start" => Start {
            kind: Kind::named(name)?,
            detach: has("--detach"),
            json: has("--json"),
            install: has("--install"),
        }
        .run(&folder),
        "stop" => stop(Kind::named(name)?, &folder),
        _ => list(&folder, has("--json")),
    }
}

fn usage() -> Outcome {
    Err(format!("usage: cargo xtask servers {OPTIONS}").into())
}

struct Start {
    kind: &'static Kind,
    detach: bool,
    json: bool,
    install: bool,
}

impl Start {
    fn run(&self, folder: &Path) -> Outcome {
        listen()?;
        let began = Instant::now();
        let name = self.kind.name;
        let defaults = Options::default();
        let options = Options {
            install: self.install || defaults.install,
            progress: &|doing| eprintln!("{name}: {doing}"),
            cancelled: &STOP,
        };
        let server = match start(self.kind, &options) {
            // Nobody got an address, so that this is no success.
            Err(Error::Cancelled) => return Ok(ExitCode::from(INTERRUPTED)),
            other => other?,
        };
        eprintln!("{name}: ready after {:.1} s", began.elapsed().as_secs_f64());
        let record = Record::of(&server, folder);
        record.write()?;
        record.announce(self.json);
        if self.detach {
            server.detach()?;
            return Ok(ExitCode::SUCCESS);
        }
        stay(server, &record)
    }
}

/// From here on a signal is a wish; a second one is an order. Even then the server ends, since our end of its pipe closes.
fn listen() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED.into());
        }
    })
}

/// Waits for a signal, or for the end of the server.
fn stay(mut server: Running, record: &Record) -> Outcome {
    eprintln!("Ctrl-C stops it");
    let last_words = loop {
        if STOP.load(Ordering::Relaxed) {
            break None;
        }
        if let Some(last_words) = server.ended() {
            break Some(last_words);
        }
        thread::sleep(Duration::from_millis(100));
    };
    drop(server);
    // Without its record, it was `stop` that ended it.
    let was_stopped = last_words.is_none() || !record.file.exists();
    record.remove();
    match last_words {
        Some(last_words) if !was_stopped => {
            Err(format!("the server has ended by itself; its last words:\n{last_words}").into())
        }
        _ => {
            eprintln!("stopped");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// One server that runs, as it is written down.
struct Record {
    file: PathBuf,
    name: String,
    version: String,
    url: String,
    process: Process,
}

impl Record {
    fn of(server: &Running, folder: &Path) -> Record {
        let kind = server.kind();
        let process = server.process();
        Record {
            file: folder.join(format!("{}-{}.json", kind.name, process.pid)),
            name: kind.name.into(),
            version: kind.version.into(),
            url: server.url().into(),
            process,
        }
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "version": self.version,
            "url": self.url,
            "pid": self.process.pid,
            "folder": self.process.home,
        })
    }

    fn write(&self) -> std::io::Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.file, self.json().to_string())
    }

    /// The address on standard output, for programs; everything else went elsewhere.
    fn announce(&self, json: bool) {
        if json {
            println!("{}", self.json());
        } else {
            println!("{}", self.url);
        }
    }

    fn read(file: PathBuf) -> Option<Record> {
        let record: Value = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
        let text = |key: &str| record[key].as_str().map(str::to_owned);
        Some(Record {
            name: text("name")?,
            version: text("version")?,
            url: text("url")?,
            process: Process {
                pid: u32::try_from(record["pid"].as_u64()?).ok()?,
                home: text("folder")?.into(),
            },
            file,
        })
    }

    fn remove(&self) {
        // Another process may have been here before.
        let _ = fs::remove_file(&self.file);
    }
}

/// The servers that run, by name. Records of others are deleted.
fn running(folder: &Path) -> BTreeMap<String, Vec<Record>> {
    let mut running: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for record in entries.filter_map(|entry| Record::read(entry.path())) {
        if record.process.is_running() {
            running.entry(record.name.clone()).or_default().push(record);
        } else {
            record.remove();
        }
    }
    running
}

/// Stops every server of a kind that was started by hand.
fn stop(kind: &Kind, folder: &Path) -> Outcome {
    let records = running(folder).remove(kind.name).unwrap_or_default();
    if records.is_empty() {
        println!("no {} runs", kind.name);
        return Ok(ExitCode::SUCCESS);
    }
    let mut all_gone = true;
    for record in records {
        record.remove();
        if record.process.stop() {
            println!("{}: stopped {}", record.name, record.url);
        } else {
            record.write()?;
            all_gone = false;
            println!(
                "{}: process {} cannot be stopped",
                record.name, record.process.pid
            );
        }
    }
    Ok(if all_gone {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Every server that can be started, and where it runs.
fn list(folder: &Path, json: bool) -> Outcome {
    let running = running(folder);
    if json {
        let records = running.values().flatten().map(Record::json);
        println!("{}", Value::Array(records.collect()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["name", "server", "Java", "runs at"]);
    for kind in KINDS {
        let urls: Vec<&str> = running
            .get(kind.name)
            .into_iter()
            .flatten()
            .map(|record| &*record.url)
            .collect();
        let state = match missing_tools(kind) {
            _ if !urls.is_empty() => urls.join(" "),
            Some((what, help)) => format!("{what}: {help}"),
            None => "–".into(),
        };
        let java = format!("{} or newer", kind.java.start());
        table.add_row([kind.name, &kind.title(), &java, &state]);
    }
    println!("{}", table.to_string().trim_end());
    Ok(ExitCode::SUCCESS)
}
