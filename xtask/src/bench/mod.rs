//! `cargo xtask bench`: what sigtag costs, beside a peer and beside itself. `docs/benchmarks.md` says what each figure means.
//!
//! Every task is a run of a whole program over prepared files ([`data`]); its cost is what the kernel counts for the child
//! ([`child`]). All tasks take turns, so that a machine that is faster or slower for a while is so for each of them, and of each
//! the median counts. What is wanted is in differences of tasks ([`figures`]). Speed at the price of hits would be no speed: the
//! hits of both programs are compared, one by one ([`hits`]). A store has its own tasks and its own peer ([`store`]), and so has a cluster ([`cluster`]).

mod child;
mod cluster;
mod data;
mod events;
mod figures;
mod hits;
mod server;
mod store;

use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use serde_json::{Value, json};

use crate::{
    Outcome,
    workspace::{Workspace, cargo},
};
use child::Cost;
use data::Data;
use store::Measured;

/// What may stand behind the command.
pub const OPTIONS: &str = "[engine | store | cluster] [--runs N] [--json]";

/// How often each task is run, if nobody says otherwise; those of a cluster take longer.
const RUNS: usize = 5;
const RUNS_OF_CLUSTER: usize = 3;

/// The version of the peer that the classes of [`hits`] speak of.
const PEER: &str = "rsigma 0.23.0";
const PEER_HELP: &str = "rsigma is not there, so there is nothing beside sigtag. To have it: cargo install rsigma --version 0.23.0 --locked; \
     or name the program: RSIGMA=FILE cargo xtask bench";

/// What is run and measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    /// One event: what it costs to begin.
    Load,
    LoadAll,
    LoadTenfold,
    LoadPeer,
    Flat,
    /// The same file five times, to see what is left when nothing is new.
    FlatFive,
    FlatFiveTwoJobs,
    FlatPeer,
    Nested,
    NestedFive,
    Tenfold,
    TenfoldFive,
    /// All rules to use cases of ee-outliers, as sigmac would.
    Convert,
}

impl Task {
    const ALL: [Task; 13] = [
        Task::Load,
        Task::LoadAll,
        Task::LoadTenfold,
        Task::LoadPeer,
        Task::Flat,
        Task::FlatFive,
        Task::FlatFiveTwoJobs,
        Task::FlatPeer,
        Task::Nested,
        Task::NestedFive,
        Task::Tenfold,
        Task::TenfoldFive,
        Task::Convert,
    ];

    fn name(self) -> &'static str {
        match self {
            Task::Load => "load",
            Task::LoadAll => "load all rules",
            Task::LoadTenfold => "load 10 x rules",
            Task::LoadPeer => "load, rsigma",
            Task::Flat => "flat",
            Task::FlatFive => "flat 5 x",
            Task::FlatFiveTwoJobs => "flat 5 x, 2 jobs",
            Task::FlatPeer => "flat, rsigma",
            Task::Nested => "nested",
            Task::NestedFive => "nested 5 x",
            Task::Tenfold => "flat, 10 x rules",
            Task::TenfoldFive => "flat 5 x, 10 x rules",
            Task::Convert => "convert all rules",
        }
    }

    /// The program and its arguments; none for a task of a peer that is not there.
    fn command(self, bench: &Bench) -> Option<Command> {
        let data = &bench.data;
        let windows = std::slice::from_ref(&data.windows);
        let tenfold = std::slice::from_ref(&data.tenfold);
        let sigtag = |rules, events, times| Some(bench.sigtag(rules, events, times, 1));
        match self {
            Task::Load => sigtag(windows, &data.one, 1),
            Task::LoadAll => sigtag(&data.all, &data.one, 1),
            Task::LoadTenfold => sigtag(tenfold, &data.one, 1),
            Task::LoadPeer => bench.peer(&data.one),
            Task::Flat => sigtag(windows, &data.flat, 1),
            Task::FlatFive => sigtag(windows, &data.flat, 5),
            Task::FlatFiveTwoJobs => Some(bench.sigtag(windows, &data.flat, 5, 2)),
            Task::FlatPeer => bench.peer(&data.flat),
            Task::Nested => sigtag(windows, &data.nested, 1),
            Task::NestedFive => sigtag(windows, &data.nested, 5),
            Task::Tenfold => sigtag(tenfold, &data.flat, 1),
            Task::TenfoldFive => sigtag(tenfold, &data.flat, 5),
            Task::Convert => Some(bench.converter()),
        }
    }
}

/// What was measured: each task, as often as it was run.
type Costs = BTreeMap<Task, Vec<Cost>>;

/// Builds, measures, compares, and prints it all. Fails when a hit of one program that the other lacks has no explanation.
pub fn run(arguments: &[String]) -> Outcome {
    let options = Options::parse(arguments)?;
    let program = Program::build()?;
    let shared = testkit::shared();
    let mut report = json!({});
    let mut is_explained = true;
    if options.does("engine") {
        let bench = Bench::prepare(&program, shared.as_deref())?;
        is_explained = bench.measure(&options, &mut report)?;
    }
    if options.does("store") {
        let folder = program.folder.join("store");
        let measured = told("store", |tell| {
            store::measure(&program.sigtag, shared.as_deref(), &folder, tell)
        })?;
        show(&options, "store", &measured, &mut report);
    }
    if options.does("cluster") {
        let runs = options.runs.unwrap_or(RUNS_OF_CLUSTER);
        let measured = told("cluster", |tell| {
            let folder = &program.folder;
            cluster::measure(&program.sigtag, runs, shared.as_deref(), folder, tell)
        })?;
        show(&options, "cluster", &measured, &mut report);
    }
    let load = child::load_average();
    report["load_average"] = json!(load);
    if options.json {
        println!("{report:#}");
    } else {
        println!("\nload of the machine at the end, over one, five and fifteen minutes: {load}");
    }
    Ok(if is_explained {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Measures a part, and says on the last line of the terminal what is being done.
fn told(
    part: &str,
    measure: impl FnOnce(&dyn Fn(&str)) -> Result<Measured, Box<dyn Error>>,
) -> Result<Measured, Box<dyn Error>> {
    let measured = measure(&|what| eprint!("\r\x1b[K{part}: {what}"));
    eprint!("\r\x1b[K");
    measured
}

/// Shows what a part came to, or adds it to what is shown at the end.
fn show(options: &Options, part: &str, measured: &Measured, report: &mut Value) {
    report[part] = json!({
        "figures": measured.figures.iter().map(figures::Figure::as_json).collect::<Vec<_>>(),
        "missing": measured.missing,
        "notes": measured.notes,
        "tasks": measured.tasks,
    });
    if !options.json {
        println!("{}", figures::table(&measured.figures));
        for line in measured.missing.iter().chain(&measured.notes) {
            println!("\n{line}");
        }
    }
}

fn as_json(costs: &Costs) -> Value {
    let tasks = costs.iter().map(|(task, costs)| {
        let seconds = |of: fn(&Cost) -> f64| costs.iter().map(of).collect::<Vec<_>>();
        let costs = json!({"cpu_seconds": seconds(|cost| cost.cpu), "wall_seconds": seconds(|cost| cost.wall)});
        (task.name().to_owned(), costs)
    });
    Value::Object(tasks.collect())
}

/// What can be measured alone.
const PARTS: [&str; 3] = ["engine", "store", "cluster"];

/// What stands behind `cargo xtask bench`.
struct Options {
    runs: Option<usize>,
    json: bool,
    /// One of [`PARTS`]; all of them if there is none.
    only: Option<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options, Box<dyn Error>> {
        let mut options = Options {
            runs: None,
            json: false,
            only: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.json = true,
                "--runs" => {
                    let runs = arguments.next().and_then(|runs| runs.parse().ok());
                    let runs = runs.filter(|runs| *runs > 0);
                    options.runs = Some(runs.ok_or("--runs needs a number, from 1")?);
                }
                "--only" => {
                    let part = arguments.next().filter(|part| PARTS.contains(&&***part));
                    let expected = || format!("--only needs one of {}", PARTS.join(", "));
                    options.only = Some(part.ok_or_else(expected)?.clone());
                }
                part if PARTS.contains(&part) => options.only = Some(part.to_owned()),
                other => return Err(format!("unknown argument `{other}`: {OPTIONS}").into()),
            }
        }
        Ok(options)
    }

    fn does(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

/// What is measured.
struct Program {
    sigtag: PathBuf,
    /// Where data is kept.
    folder: PathBuf,
}

impl Program {
    fn build() -> Result<Program, Box<dyn Error>> {
        if !cargo(&["build", "--release", "--package", "sigtag"])
            .status()?
            .success()
        {
            return Err("sigtag could not be built".into());
        }
        let target = Workspace::load()?.target;
        Ok(Program {
            sigtag: target.join("release").join("sigtag"),
            folder: target.join("bench"),
        })
    }
}

/// All that the tasks need.
struct Bench {
    sigtag: PathBuf,
    rsigma: Option<PathBuf>,
    data: Data,
}

impl Bench {
    fn prepare(program: &Program, shared: Option<&Path>) -> Result<Bench, Box<dyn Error>> {
        let shared = shared.ok_or(
            "the rules and events to measure with are not there: put them into the folder `shared` beside the repository, \
             or name their folder with SIGTAG_SHARED; a store is measured without them: --only store",
        )?;
        Ok(Bench {
            sigtag: program.sigtag.clone(),
            rsigma: find_rsigma()?,
            data: Data::prepare(shared, &program.folder)?,
        })
    }

    /// Runs all tasks, adds what they came to to `report`, and says whether all differences of hits are explained.
    fn measure(&self, options: &Options, report: &mut Value) -> Result<bool, Box<dyn Error>> {
        let mut costs = Costs::new();
        let runs = options.runs.unwrap_or(RUNS);
        report["runs"] = json!(runs);
        for run in 1..=runs {
            for task in Task::ALL {
                if let Some(mut command) = task.command(self) {
                    eprint!("\r\x1b[Krun {run} of {runs}: {}", task.name());
                    costs
                        .entry(task)
                        .or_default()
                        .push(child::cost(&mut command)?);
                }
            }
        }
        eprint!("\r\x1b[K");
        let windows = std::slice::from_ref(&self.data.windows);
        let peak = child::peak_memory(&mut self.sigtag(windows, &self.data.flat, 5, 2))?;
        let peak_of_conversion = child::peak_memory(&mut self.converter())?;
        let figures = figures::of(&costs, &self.data, peak, peak_of_conversion);
        let comparison = self.compare()?;
        report["figures"] = figures.iter().map(figures::Figure::as_json).collect();
        report["hits"] = json!(comparison.as_ref().map(hits::Comparison::as_json));
        report["tasks"] = as_json(&costs);
        if !options.json {
            println!("{}", figures::table(&figures));
            match &comparison {
                Some(comparison) => println!("\n{comparison}"),
                None => println!("\n{PEER_HELP}"),
            }
            println!("\nmedians of {runs}");
        }
        Ok(comparison.is_none_or(|comparison| comparison.unexplained.is_empty()))
    }

    fn sigtag(&self, rules: &[PathBuf], events: &Path, times: usize, jobs: usize) -> Command {
        let mut command = Command::new(&self.sigtag);
        command.args(["tag", "--quiet", "--jobs", &jobs.to_string()]);
        for rules in rules {
            command.arg("--rules").arg(rules);
        }
        command.args(std::iter::repeat_n(events, times));
        command
    }

    /// The conversion of all rules. It ends with the code of a rule that sigmac cannot convert.
    fn converter(&self) -> Command {
        let mut command = Command::new(&self.sigtag);
        command.args(["sigmac", "-t", "ee-outliers", "-c", "winlogbeat", "-r"]);
        command.args(&self.data.all);
        command
    }

    /// rsigma with the pipelines that bind rules to log sources; without them it asks every rule about every event.
    fn peer(&self, events: &Path) -> Option<Command> {
        let mut command = Command::new(self.rsigma.as_ref()?);
        command
            .args(["engine", "eval", "--quiet", "-p", "sysmon", "-p"])
            .arg(&self.data.channels)
            .arg("-r")
            .arg(&self.data.windows)
            .arg("-e");
        command.arg(format!("@{}", events.display()));
        Some(command)
    }

    fn compare(&self) -> Result<Option<hits::Comparison>, Box<dyn Error>> {
        let Some(mut theirs) = self.peer(&self.data.numbered) else {
            return Ok(None);
        };
        let mut ours = self.sigtag(
            std::slice::from_ref(&self.data.windows),
            &self.data.numbered,
            1,
            2,
        );
        let ours = hits::of_sigtag(&child::output(&mut ours)?)?;
        let theirs = hits::of_rsigma(&child::output(theirs.arg("--include-event"))?)?;
        let rules = data::rules_by_id(&self.data.windows)?;
        Ok(Some(hits::compare(&ours, &theirs, &rules)))
    }
}

/// The program that `RSIGMA` names, or else the one on the path. It must be the version that is spoken of.
fn find_rsigma() -> Result<Option<PathBuf>, Box<dyn Error>> {
    let program = PathBuf::from(std::env::var_os("RSIGMA").unwrap_or_else(|| "rsigma".into()));
    let version = match Command::new(&program).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
        Err(_) if std::env::var_os("RSIGMA").is_none() => return Ok(None),
        Err(error) => return Err(format!("cannot run {}: {error}", program.display()).into()),
    };
    if version != PEER {
        return Err(format!("{} is `{version}`, and not {PEER}", program.display()).into());
    }
    Ok(Some(program))
}
