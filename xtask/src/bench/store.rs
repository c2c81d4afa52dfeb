//! What a store in a folder costs, beside a server with the same events.
//!
//! A million events are loaded, tagged, read and searched by runs of the program, once each: they take minutes, and so differ
//! less than short ones. A tenth of them goes into a store and into a real OpenSearch, in the same run.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use servers::{Running, start_first};

use super::{
    child::{self, Cost},
    data::{made, windows_rules},
    events,
    figures::{
        Figure,
        Unit::{EventsPerCpuSecond, Mebibytes, Seconds, Times},
        mebibytes,
    },
    server::{ask, cpu, give},
};

/// How many events there are.
const EVENTS: usize = 1_000_000;

/// How many of them a server gets, too.
const BESIDE: usize = 100_000;

const INDEX: &str = "events";

/// What was measured, and what could not be.
#[derive(Default)]
pub struct Measured {
    pub figures: Vec<Figure>,
    pub missing: Vec<String>,
    /// What has to be said of the figures.
    pub notes: Vec<String>,
    /// Every single measurement, where there are several of a kind.
    pub tasks: Value,
}

/// Measures everything. `shared` is the folder with the rules for Windows.
pub fn measure(
    sigtag: &Path,
    shared: Option<&Path>,
    folder: &Path,
    tell: &dyn Fn(&str),
) -> Result<Measured, Box<dyn Error>> {
    let rules = folder.join("marked.yml");
    fs::create_dir_all(folder)?;
    fs::write(&rules, events::RULE)?;
    let mut bench = Bench {
        sigtag,
        folder,
        rules,
        tell,
        measured: Measured::default(),
    };
    bench.million(shared)?;
    bench.beside()?;
    Ok(bench.measured)
}

struct Bench<'b> {
    sigtag: &'b Path,
    folder: &'b Path,
    /// The rule that hits the marked events.
    rules: PathBuf,
    tell: &'b dyn Fn(&str),
    measured: Measured,
}

impl Bench<'_> {
    fn add(&mut self, name: &str, value: f64, unit: super::figures::Unit) {
        self.measured.figures.push(Figure::new(name, value, unit));
    }

    fn events(&self, count: usize) -> Result<PathBuf, Box<dyn Error>> {
        (self.tell)(&format!("{count} events"));
        made(self.folder, &format!("events-{count}.jsonl"), |path| {
            events::write(path, count)
        })
    }

    /// A store that is not there yet.
    fn store(&self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let path = self.folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        Ok(path)
    }

    fn command(&self, name: &str, store: &Path) -> Command {
        let mut command = Command::new(self.sigtag);
        command.arg(name).arg("--store").arg(store);
        command.args(["--index", INDEX]);
        command
    }

    fn load(&self, store: &Path, events: &Path) -> Result<(Cost, u64), Box<dyn Error>> {
        (self.tell)("load");
        let mut load = self.command("load", store);
        child::cost_and_peak(load.args(["--quiet", "--jobs", "1"]).arg(events))
    }

    fn tag(&self, store: &Path, rules: &Path) -> Result<(Cost, u64), Box<dyn Error>> {
        (self.tell)("tag");
        let mut tag = self.command("tag", store);
        child::cost_and_peak(tag.args(["--quiet", "--jobs", "1", "--rules"]).arg(rules))
    }

    /// All that is done with a million events.
    fn million(&mut self, shared: Option<&Path>) -> Result<(), Box<dyn Error>> {
        let events = self.events(EVENTS)?;
        let store = self.store("store")?;
        let rate = |count: usize, cost: f64| count as f64 / cost;
        let (load, load_peak) = self.load(&store, &events)?;
        self.add("load", rate(EVENTS, load.cpu), EventsPerCpuSecond);
        let (again, _) = self.load(&store, &events)?;
        let name = "load again, which adds nothing";
        self.add(name, rate(EVENTS, again.cpu), EventsPerCpuSecond);
        let loaded = size_of(&store)?;

        let rules = self.rules.clone();
        let (tag, tag_peak) = self.tag(&store, &rules)?;
        let (scan, scan_peak) = self.tag(&store, &rules)?;
        self.add(
            "scan and match one rule",
            rate(EVENTS, scan.cpu),
            EventsPerCpuSecond,
        );
        let tagging = rate(EVENTS / events::MARKED, tag.cpu - scan.cpu);
        self.add("tag, beyond scanning", tagging, EventsPerCpuSecond);
        self.add(
            "size after tagging : before",
            size_of(&store)? as f64 / loaded as f64,
            Times,
        );

        let mut search_peak = 0;
        let aggregations = ["host.name.keyword", "event.code.keyword"].map(|field| {
            let aggs = json!({"a": {"terms": {"field": field}}});
            (
                format!("terms of {field}"),
                vec!["--aggs".to_owned(), aggs.to_string()],
            )
        });
        let searches = [
            ("a word in any field", "marked"),
            ("a rule's tag", "sigma.level:high"),
        ];
        let searches = searches.map(|(name, query)| (name.to_owned(), vec![query.to_owned()]));
        for (name, arguments) in aggregations.into_iter().chain(searches) {
            (self.tell)(&name);
            let mut search = self.command("search", &store);
            let (cost, peak) = child::cost_and_peak(search.args(arguments))?;
            search_peak = peak.max(search_peak);
            self.add(&format!("search: {name}"), cost.wall, Seconds);
        }
        match shared {
            Some(shared) => {
                let rules = windows_rules(shared, self.folder)?;
                // What these rules hit is written the first time.
                self.tag(&store, &rules)?;
                let (scan, _) = self.tag(&store, &rules)?;
                let name = "scan and match the rules for Windows";
                self.add(name, rate(EVENTS, scan.cpu), EventsPerCpuSecond);
            }
            None => self.measured.missing.push(
                "the rules for Windows are not there, so that no store was read with them"
                    .to_owned(),
            ),
        }
        for (name, peak) in [
            ("peak memory: load", load_peak),
            ("peak memory: tag", tag_peak.max(scan_peak)),
            ("peak memory: search", search_peak),
        ] {
            self.add(name, mebibytes(peak), Mebibytes);
        }
        fs::remove_dir_all(&store)?;
        Ok(())
    }

    /// The same events in a store and in a server.
    fn beside(&mut self) -> Result<(), Box<dyn Error>> {
        let options = servers::Options {
            progress: self.tell,
            ..servers::Options::default()
        };
        let server = match start_first(&["opensearch-3", "opensearch-2"], &options) {
            Ok(server) => server,
            Err(error @ servers::Error::Missing { .. }) => {
                let reason =
                    format!("there is no OpenSearch, and nothing beside the store: {error}");
                self.measured.missing.push(reason);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let events = self.events(BESIDE)?;
        let store = self.store("store-beside")?;
        let (own, _) = self.load(&store, &events)?;
        let size = size_of(&store)?;
        fs::remove_dir_all(&store)?;
        let title = server.kind().title();
        // It compiles what it runs often; so it has run it once before.
        (self.tell)(&format!("{title} warms up"));
        fill(&server, &events)?;
        (self.tell)(&format!("{title} is loaded"));
        let (cpu, bytes) = fill(&server, &events)?;
        let rate = BESIDE as f64 / cpu;
        self.add(&format!("{title}: load {BESIDE}"), rate, EventsPerCpuSecond);
        let name = format!("sigtag : {title}, events loaded for each CPU second");
        self.add(&name, cpu / own.cpu, Times);
        let name = format!("sigtag : {title}, size on disk");
        self.add(&name, size as f64 / bytes as f64, Times);
        Ok(())
    }
}

/// Gives events to a server, whose fields it finds out itself, and says what that cost it: CPU seconds, and bytes on disk.
fn fill(server: &Running, events: &Path) -> Result<(f64, u64), Box<dyn Error>> {
    let ask = |method: &str, path: &str, body: Option<&str>| ask(server, method, path, body);
    let settings = json!({"settings": {"index": {
        "number_of_shards": 1, "number_of_replicas": 0, "mapping.total_fields.limit": 10_000,
    }}});
    ask("PUT", INDEX, Some(&settings.to_string()))?;
    let start = cpu(server)?;
    give(server, INDEX, events)?;
    ask("POST", &format!("{INDEX}/_refresh"), None)?;
    let cpu = cpu(server)? - start;
    ask(
        "POST",
        &format!("{INDEX}/_flush?force=true&wait_if_ongoing=true"),
        None,
    )?;
    let stats = ask("GET", &format!("{INDEX}/_stats/store"), None)?;
    let bytes = stats["_all"]["primaries"]["store"]["size_in_bytes"].as_u64();
    ask("DELETE", INDEX, None)?;
    Ok((
        cpu,
        bytes.ok_or("the server does not say how large an index is")?,
    ))
}

/// How many bytes the files below a folder have.
fn size_of(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => size_of(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
