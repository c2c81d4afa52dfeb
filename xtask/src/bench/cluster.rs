//! What it costs to tag the events of a cluster in one pass, beside a search for each rule.
//!
//! A hundred thousand events lie in a real OpenSearch, in one shard and in four. What counts is the processor time of the server:
//! it has other work to do. What follows a pass counts with it: refreshing, and merging what was written.

use std::{
    collections::BTreeMap,
    error::Error,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value, json};
use servers::{Running, start};

use super::{
    child,
    data::{WINDOW_LOG, made, rule_count, windows_rules},
    figures::{
        Figure, Unit,
        Unit::{Count, CpuSeconds, Mebibytes, Seconds, Times},
        mebibytes, median,
    },
    server::{answer, ask, cpu, give, rest},
    store::Measured,
};

/// The server that is measured beside.
const SERVER: &str = "opensearch-3";

/// In how many shards the events lie, and how many times less the pass is to cost the server than the searches.
const SHARDS: [(u32, f64); 2] = [(1, 8.0), (4, 20.0)];

/// How often everything is run before it is measured: a server compiles what it runs often.
const WARM_UP: usize = 3;

/// How many segments a shard has at first. With those that loading leaves, chance would decide whether a large merge that is
/// due anyway falls into a run.
const SEGMENTS: u32 = 5;

/// The index with the events, and the copy of it that is tagged.
const EVENTS: &str = "events";
const TAGGED: &str = "tagged";

/// Measures everything, each task so many times. `shared` is the folder with the events, rules and queries.
pub fn measure(
    sigtag: &Path,
    runs: usize,
    shared: Option<&Path>,
    folder: &Path,
    tell: &dyn Fn(&str),
) -> Result<Measured, Box<dyn Error>> {
    let mut measured = Measured::default();
    let Some(shared) = shared else {
        let missing = "the rules and events are not there, so that no cluster was measured: put them into the folder \
                       `shared` beside the repository, or name their folder with SIGTAG_SHARED";
        measured.missing.push(missing.to_owned());
        return Ok(measured);
    };
    let options = servers::Options {
        progress: tell,
        ..servers::Options::default()
    };
    let server = match start(servers::Kind::named(SERVER)?, &options) {
        Ok(server) => server,
        Err(error @ servers::Error::Missing { .. }) => {
            let missing =
                format!("there is no OpenSearch, so that no cluster was measured: {error}");
            measured.missing.push(missing);
            return Ok(measured);
        }
        Err(error) => return Err(error.into()),
    };
    fs::create_dir_all(folder)?;
    let mut bench = Bench {
        sigtag,
        server,
        rules: windows_rules(shared, folder)?,
        events: events(shared, folder)?,
        queries: queries(shared)?,
        body: serde_json::from_reader(File::open(shared.join("bench/index-ecs.json"))?)?,
        runs,
        tell,
        costs: BTreeMap::new(),
    };
    bench.of_files()?;
    for (shards, _) in SHARDS {
        bench.of_shards(shards)?;
    }
    let rules = rule_count(&bench.rules)?;
    measured.figures = figures(&bench.costs, bench.queries.len(), rules);
    measured.tasks = as_json(&bench.costs);
    measured.notes = vec![format!(
        "{}; medians of {runs}; the searches are those for {} of the {rules} rules, scaled to all of them",
        bench.server.kind().title(),
        bench.queries.len(),
    )];
    Ok(measured)
}

/// The events, one a line.
fn events(shared: &Path, folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    made(folder, "events-ecs.jsonl", |path| {
        let packed = File::open(shared.join("bench/events-ecs-100k.jsonl.zst"))?;
        let mut decoder = zstd::Decoder::new(packed)?;
        decoder.window_log_max(WINDOW_LOG)?;
        std::io::copy(&mut decoder, &mut File::create(path)?)?;
        Ok(())
    })
}

/// For each rule for Windows that has one, its queries.
fn queries(shared: &Path) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let packed = File::open(shared.join("golden/pysigma-lucene-ecs_windows.jsonl.zst"))?;
    let mut all = Vec::new();
    for line in BufReader::new(zstd::Decoder::new(packed)?).lines() {
        let row: Value = serde_json::from_str(&line?)?;
        let path = row["rule_path"].as_str().unwrap_or_default();
        if path.starts_with("rules/windows/") && row["ok"] == true {
            let queries = row["output"].as_array().into_iter().flatten();
            let queries = queries.filter_map(|query| query.as_str().map(str::to_owned));
            all.push(queries.collect());
        }
    }
    Ok(all)
}

/// What was measured: by task and what of it, as often as it was run.
type Costs = BTreeMap<(Task, What), Vec<f64>>;

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    /// `sigtag tag` over a file of the events.
    File,
    /// `sigtag tag --store` over events without tags, in so many shards.
    Pass(u32),
    /// The same once more: nothing is written.
    Again(u32),
    /// A search for each rule.
    Searches(u32),
}

/// What is measured of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// CPU seconds of the server.
    Server,
    /// Those of them after sigtag has ended.
    Later,
    /// CPU seconds of sigtag.
    Sigtag,
    /// Seconds by the clock.
    Wall,
    /// The most memory that sigtag held, in bytes.
    Peak,
    /// How many events were written.
    Written,
    /// How many hits the searches had.
    Hits,
    /// How many searches the server refused.
    Refused,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            What::Server => "server_cpu_seconds",
            What::Later => "server_cpu_seconds_later",
            What::Sigtag => "sigtag_cpu_seconds",
            What::Wall => "wall_seconds",
            What::Peak => "peak_bytes",
            What::Written => "written",
            What::Hits => "hits",
            What::Refused => "refused",
        }
    }
}

struct Bench<'b> {
    sigtag: &'b Path,
    server: Running,
    rules: PathBuf,
    events: PathBuf,
    queries: Vec<Vec<String>>,
    /// The body of the index.
    body: Value,
    runs: usize,
    tell: &'b dyn Fn(&str),
    costs: Costs,
}

impl Bench<'_> {
    fn add(&mut self, task: Task, what: What, value: f64) {
        self.costs.entry((task, what)).or_default().push(value);
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Box<dyn Error>> {
        let body = body.map(Value::to_string);
        ask(&self.server, method, path, body.as_deref())
    }

    fn sigtag(&self) -> Command {
        let mut command = Command::new(self.sigtag);
        command.args(["tag", "--quiet", "--rules"]).arg(&self.rules);
        command
    }

    /// What the same work costs without a cluster.
    fn of_files(&mut self) -> Result<(), Box<dyn Error>> {
        for run in 1..=self.runs {
            (self.tell)(&format!("run {run} of {}: tag a file", self.runs));
            let (cost, _) = child::cost_and_peak(self.sigtag().arg(&self.events))?;
            self.add(Task::File, What::Sigtag, cost.cpu);
        }
        Ok(())
    }

    /// Everything with the events in so many shards.
    fn of_shards(&mut self, shards: u32) -> Result<(), Box<dyn Error>> {
        (self.tell)(&format!("shards: {shards}: load the events"));
        let mut body = self.body.clone();
        body["settings"]["number_of_shards"] = json!(shards);
        self.ask("PUT", EVENTS, Some(&body))?;
        give(&self.server, EVENTS, &self.events)?;
        for path in [
            format!("{EVENTS}/_forcemerge?max_num_segments={SEGMENTS}"),
            format!("{EVENTS}/_flush?wait_if_ongoing=true"),
        ] {
            self.ask("POST", &path, None)?;
        }
        let blocked = json!({"index.blocks.write": true});
        self.ask("PUT", &format!("{EVENTS}/_settings"), Some(&blocked))?;
        for run in 0..WARM_UP + self.runs {
            self.tell_run(shards, run, "one pass");
            self.pass(shards, run >= WARM_UP)?;
        }
        // They are so many that the first run is enough.
        for run in WARM_UP - 1..WARM_UP + self.runs {
            self.tell_run(shards, run, "searches");
            self.searches(shards, run >= WARM_UP)?;
        }
        self.ask("DELETE", EVENTS, None).map(drop)
    }

    fn tell_run(&self, shards: u32, run: usize, what: &str) {
        let run = match run.checked_sub(WARM_UP) {
            Some(run) => format!("run {} of {}", run + 1, self.runs),
            None => "before it counts".to_owned(),
        };
        (self.tell)(&format!("shards: {shards}, {run}: {what}"));
    }

    /// One pass over a copy of the index, and another one.
    fn pass(&mut self, shards: u32, counts: bool) -> Result<(), Box<dyn Error>> {
        // The files are the same, so that each run begins with the same segments.
        let settings =
            json!({"settings": {"index.blocks.write": null, "index.number_of_replicas": 0}});
        let path = format!("{EVENTS}/_clone/{TAGGED}?wait_for_active_shards=all");
        self.ask("PUT", &path, Some(&settings))?;
        for task in [Task::Pass(shards), Task::Again(shards)] {
            rest(&self.server)?;
            let stats = self.events.with_file_name("stats.json");
            let start = cpu(&self.server)?;
            let mut command = self.sigtag();
            command.args(["--store", self.server.url(), "--index", TAGGED, "--stats"]);
            command.arg(&stats);
            if task == Task::Again(shards) {
                // It would find nothing that is not done.
                command.arg("--again");
            }
            let (cost, peak) = child::cost_and_peak(&mut command)?;
            let ended = cpu(&self.server)?;
            self.ask("POST", &format!("{TAGGED}/_refresh"), None)?;
            rest(&self.server)?;
            let later = cpu(&self.server)? - ended;
            let stats: Value = serde_json::from_slice(&fs::read(&stats)?)?;
            let number = |key: &str| stats[key].as_f64().ok_or(format!("no `{key}` in {stats}"));
            for (what, value) in [
                (What::Server, ended - start + later),
                (What::Later, later),
                (What::Sigtag, cost.cpu),
                (What::Wall, cost.wall),
                (What::Peak, peak as f64),
                (What::Written, number("written")?),
            ] {
                if counts {
                    self.add(task, what, value);
                }
            }
        }
        self.ask("DELETE", TAGGED, None).map(drop)
    }

    /// A search for each rule, as cheap as it can be: it only counts.
    fn searches(&mut self, shards: u32, counts: bool) -> Result<(), Box<dyn Error>> {
        let clear = format!("{EVENTS}/_cache/clear?query=true&request=true&fielddata=true");
        self.ask("POST", &clear, None)?;
        rest(&self.server)?;
        let (mut hits, mut refused) = (0.0, 0.0);
        let start = cpu(&self.server)?;
        for query in self.queries.iter().flatten() {
            let query = json!({"query_string": {"query": query}});
            let search =
                json!({"size": 0, "track_total_hits": true, "query": {"bool": {"filter": query}}});
            let path = format!("{EVENTS}/_search?request_cache=false");
            let found = answer(&self.server, "POST", &path, Some(&search.to_string()))?;
            match (found.status, found.body["_shards"]["failed"].as_u64()) {
                (200, Some(0)) => {
                    hits += found.body["hits"]["total"]["value"].as_f64().unwrap_or(0.0)
                }
                (200 | 400, _) => refused += 1.0,
                (status, _) => {
                    return Err(
                        format!("POST /{path}: {status} {:.2000}", found.body.to_string()).into(),
                    );
                }
            }
        }
        let server = cpu(&self.server)? - start;
        let values = [
            (What::Server, server),
            (What::Hits, hits),
            (What::Refused, refused),
        ];
        for (what, value) in values.into_iter().filter(|_| counts) {
            self.add(Task::Searches(shards), what, value);
        }
        Ok(())
    }
}

/// All figures; of `rules` rules `queried` had queries.
fn figures(costs: &Costs, queried: usize, rules: usize) -> Vec<Figure> {
    let of = |task, what| median(costs.get(&(task, what))?.iter().copied());
    let scale = rules as f64 / queried as f64;
    let mut figures = Vec::new();
    let mut add = |name: String, value: Option<f64>, unit: Unit| {
        figures.extend(value.map(|value| Figure::new(name, value, unit)));
    };
    for (shards, wanted) in SHARDS {
        let at = match shards {
            1 => "1 shard".to_owned(),
            shards => format!("{shards} shards"),
        };
        let (pass, again) = (Task::Pass(shards), Task::Again(shards));
        let searches = Task::Searches(shards);
        let server = of(pass, What::Server);
        let reading = of(again, What::Server);
        let searching = of(searches, What::Server).map(|cpu| cpu * scale);
        let sigtag = of(pass, What::Sigtag);
        let beside = minus(sigtag, of(Task::File, What::Sigtag));
        let ratio = |more: Option<f64>, less: Option<f64>| Some(more? / less?);
        let rows = [
            ("server: one pass", server, CpuSeconds),
            (
                "server: of that, reading (a second pass)",
                reading,
                CpuSeconds,
            ),
            (
                "server: of that, writing and merging",
                minus(server, reading),
                CpuSeconds,
            ),
            (
                "server: of that, refreshing and merging afterwards",
                of(pass, What::Later),
                CpuSeconds,
            ),
            ("events written", of(pass, What::Written), Count),
            (
                "events written by the second pass",
                of(again, What::Written),
                Count,
            ),
            ("server: a search for each rule", searching, CpuSeconds),
            ("hits of the searches made", of(searches, What::Hits), Count),
            ("searches refused", of(searches, What::Refused), Count),
        ];
        for (name, value, unit) in rows {
            add(format!("{at}: {name}"), value, unit);
        }
        let name = format!("{at}: searches : one pass, server (wanted: {wanted} or more)");
        add(name, ratio(searching, server), Times);
        let rows = [
            ("sigtag: one pass", sigtag, CpuSeconds),
            ("sigtag: a second pass", of(again, What::Sigtag), CpuSeconds),
            (
                "sigtag: of one pass, beyond tagging a file",
                beside,
                CpuSeconds,
            ),
            (
                "sigtag beyond tagging a file : server (wanted: 0.3 or less)",
                ratio(beside, server),
                Times,
            ),
            (
                "sigtag : server (a wish: 0.2 or less)",
                ratio(sigtag, server),
                Times,
            ),
            (
                "peak memory of sigtag (wanted: 250 or less)",
                of(pass, What::Peak).map(|peak| mebibytes(peak as u64)),
                Mebibytes,
            ),
            ("one pass, by the clock", of(pass, What::Wall), Seconds),
        ];
        for (name, value, unit) in rows {
            add(format!("{at}: {name}"), value, unit);
        }
    }
    add(
        "sigtag: tag a file".to_owned(),
        of(Task::File, What::Sigtag),
        CpuSeconds,
    );
    figures
}

fn minus(more: Option<f64>, less: Option<f64>) -> Option<f64> {
    Some(more? - less?)
}

fn as_json(costs: &Costs) -> Value {
    let mut tasks = Map::new();
    for ((task, what), values) in costs {
        let name = match task {
            Task::File => "tag a file".to_owned(),
            Task::Pass(shards) => format!("one pass, shards: {shards}"),
            Task::Again(shards) => format!("a second pass, shards: {shards}"),
            Task::Searches(shards) => format!("the searches, shards: {shards}"),
        };
        tasks.entry(name).or_insert_with(|| json!({}))[what.name()] = json!(values);
    }
    Value::Object(tasks)
}
