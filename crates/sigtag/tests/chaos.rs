//! Killed at any moment and run again, a command leaves behind what it would have left had nobody disturbed it.
//!
//! A store is led through a row of commands ([`STEPS`]) twice: once in peace, which says what it holds after each of them, and
//! once under fire. There each command is killed at moments that a seed chooses, and a reader looks each time: it has to find
//! every document as it was before the command or as it is after it, and nothing twice; what it has once found done stays done.
//! Sometimes the end of the log is cut off as well, as if what was written last had never come to the disk. Then the command is
//! run to its end, and everything has to be as it was in peace, also what the index says of it; run once more, it writes nothing.
//!
//! Two variables of the environment make a long run of it, as `cargo xtask chaos` does: [`MINUTES`] says for how many minutes
//! stores are led through their lives, with more kills in each and more events; [`SEED`] is the number that all moments and
//! events are made from.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Write as _};
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::Random;

/// For how many minutes to go on.
const MINUTES: &str = "SIGTAG_CHAOS_MINUTES";

/// What everything random is made from.
const SEED: &str = "SIGTAG_CHAOS_SEED";

/// A rule of which there are many hits, so that most tags are of several rules and taking it away changes many.
const LOGON: &str = r"
title: Logon
id: 5f0c4e53-7a19-4a6e-9a3c-1d2f60b7c8a4
status: test
logsource: {product: windows, service: security}
detection:
    selection: {EventID: [4624, 4634, 4672, 4688]}
    condition: selection
level: informational
tags: [attack.initial-access, attack.t1078]
";

/// The life of a store: what a command is called here, and its arguments.
const STEPS: [(&str, &[&str]); 6] = [
    ("load", &["load", "--index", "events", "input"]),
    ("tag", &["tag", "--index", "events", "--rules", "rules"]),
    (
        "untag one rule",
        &["untag", "--index", "events", "--rule", LOGON_ID],
    ),
    (
        "load and tag",
        &["load", "--index", "tagged", "--rules", "rules", "input"],
    ),
    ("tag again", &["tag", "--index", "*", "--rules", "rules"]),
    ("untag", &["untag", "--index", "*", "--all"]),
];

const LOGON_ID: &str = "5f0c4e53-7a19-4a6e-9a3c-1d2f60b7c8a4";

/// What the index says of the documents, beside what they say themselves.
const AGGREGATIONS: &str = r#"{"rules": {"terms": {"field": "sigma.rule.id", "size": 200}},
    "tags": {"terms": {"field": "tags", "size": 200}}, "techniques": {"terms": {"field": "threat.technique.id", "size": 200}},
    "numbers": {"stats": {"field": "number"}}, "new": {"terms": {"field": "extra.k7", "size": 200}}}"#;

/// The lines of an event: most as the demonstration has them, some with tags of others, some with fields that nobody has
/// seen before, some with a value that does not fit.
fn event(templates: &[String], number: u64, random: &mut Random) -> String {
    let template = &templates[random.below(templates.len() as u64) as usize];
    let extra = match random.below(12) {
        0 => r#""tags":["of","others"],"#.to_owned(),
        1 => r#""tags":"only one","#.to_owned(),
        2 => r#""threat":{"framework":"Ours","technique":{"id":["T9999"]}},"#.to_owned(),
        3 | 4 => format!(r#""extra":{{"k{}":{number}}},"#, number % 61),
        5 if number % 61 != 7 => format!(r#""extra":{{"k{}":"no number"}},"#, number % 61),
        _ => String::new(),
    };
    format!("{{\"number\":{number},{extra}{}", &template[1..])
}

/// What a store holds: the text of each document, in short, by index and `_id`.
type Content = BTreeMap<String, u64>;

/// A store after a command.
#[derive(Default)]
struct State {
    content: Content,
    aggregations: String,
    /// How long the command took.
    took: Duration,
    written: u64,
}

/// A folder with events, rules and stores.
struct Desk {
    folder: TempDir,
}

impl Desk {
    /// `count` events in three files of several kinds, beside those of the demonstration.
    fn new(count: u64, random: &mut Random) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk { folder };
        let demo = testkit::workspace_root().join("demo");
        copy(&demo.join("events"), &desk.path("input/demo"));
        copy(&demo.join("rules"), &desk.path("rules"));
        fs::write(desk.path("rules/logon.yml"), LOGON).unwrap();
        let mut templates = Vec::new();
        for name in ["domain-controllers", "servers-ecs", "workstations", "linux"] {
            let text = fs::read_to_string(demo.join(format!("events/{name}.jsonl"))).unwrap();
            templates.extend(text.lines().map(str::to_owned));
        }
        let mut events = |from, to| -> Vec<String> {
            let numbers = from..to;
            numbers
                .map(|number| event(&templates, number, random))
                .collect()
        };
        let (lines, array, packed) = (
            events(0, count / 2).join("\n"),
            events(count / 2, count * 3 / 4).join(",\n"),
            events(count * 3 / 4, count).join("\n"),
        );
        let packed = zstd::encode_all(packed.as_bytes(), 1).unwrap();
        fs::write(desk.path("input/lines.jsonl"), lines).unwrap();
        fs::write(desk.path("input/array.json"), format!("[{array}]")).unwrap();
        fs::write(desk.path("input/packed.jsonl.zst"), packed).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command on a store.
    fn command(&self, store: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigtag"));
        let (name, rest) = arguments.split_first().unwrap();
        command.args([name, "--store", store]).args(rest);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    fn run(&self, store: &str, arguments: &[&str]) -> Output {
        self.command(store, arguments).output().unwrap()
    }

    /// Begins a command; what it tells goes to the file `told`.
    fn start(&self, store: &str, arguments: &[&str]) -> Child {
        let told = File::create(self.path("told")).unwrap();
        let mut command = self.command(store, arguments);
        command.stdout(Stdio::null()).stderr(told);
        command.spawn().unwrap()
    }

    fn told(&self) -> String {
        fs::read_to_string(self.path("told")).unwrap()
    }

    /// Runs a command to its end; how many documents it has written.
    fn complete(&self, store: &str, arguments: &[&str]) -> u64 {
        let arguments = [arguments, &["--stats", "stats.json"]].concat();
        let run = self.run(store, &arguments);
        assert_eq!(code(&run), 0, "{arguments:?}: {}", stderr(&run));
        let stats = fs::read(self.path("stats.json")).unwrap();
        let stats: Value = serde_json::from_slice(&stats).unwrap();
        stats["written"].as_u64().unwrap()
    }

    /// What a reader finds; none if the store is not there.
    fn look(&self, store: &str) -> Option<Content> {
        let arguments = [
            "search",
            "--index",
            "*",
            "--format",
            "jsonl",
            "--size",
            "100000000",
        ];
        let run = self.run(store, &arguments);
        let told = stderr(&run);
        if code(&run) == 2 && told.contains("not a store of sigtag: its file `format`") {
            return None;
        }
        assert_eq!(code(&run), 0, "{told}");
        let mut content = Content::new();
        for line in str::from_utf8(&run.stdout).unwrap().lines() {
            let (key, source) = line.split_once(r#","_source":"#).unwrap();
            let known = content.insert(key.to_owned(), short(source));
            assert_eq!(known, None, "{key} was found twice");
        }
        Some(content)
    }

    fn aggregations(&self, store: &str) -> String {
        let run = self.run(store, &["search", "--index", "*", "--aggs", AGGREGATIONS]);
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        String::from_utf8(run.stdout).unwrap()
    }

    /// Leads a store through its life in peace: what it holds at first and after each step.
    fn peace(&self) -> Vec<State> {
        let mut states = vec![State::default()];
        for (name, arguments) in STEPS {
            let start = Instant::now();
            let written = self.complete("peace", arguments);
            let took = start.elapsed();
            let content = self.look("peace").unwrap();
            let before = states.last().unwrap();
            let changed = content
                .iter()
                .filter(|(key, text)| before.content.get(*key) != Some(*text))
                .count();
            assert_eq!(written, changed as u64, "{name}");
            assert!(written > 500, "{name} has little to do: {written}");
            states.push(State {
                content,
                aggregations: self.aggregations("peace"),
                took,
                written,
            });
        }
        let has = |later: usize, earlier: usize| {
            let mut all = states[earlier].content.iter();
            all.all(|(key, text)| states[later].content.get(key) == Some(text))
        };
        assert!(has(5, 2), "the tags of a rule come again");
        assert!(has(6, 1), "untagging gives back what was loaded");
        states
    }

    /// The folders of the log, one for each index.
    fn logs(&self, store: &str) -> Vec<PathBuf> {
        let indices = fs::read_dir(self.path(store).join("indices"));
        let indices = indices.into_iter().flatten().flatten();
        indices.map(|index| index.path().join("log")).collect()
    }

    /// The files of the logs that are written to.
    fn newest_logs(&self, store: &str) -> BTreeSet<PathBuf> {
        let logs = self.logs(store).into_iter();
        logs.filter_map(|log| files(&log).into_iter().max())
            .collect()
    }
}

/// The text of a document, without the time of its tag, in short.
fn short(source: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut rest = source;
    while let Some((before, time)) = rest.split_once(r#""tagged_at":""#) {
        before.hash(&mut hasher);
        rest = time.split_once('"').unwrap().1;
    }
    rest.hash(&mut hasher);
    hasher.finish()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|file| file.path()).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        let target = to.join(file.file_name().unwrap());
        match file.is_dir() {
            true => copy(&file, &target),
            false => drop(fs::copy(file, target).unwrap()),
        }
    }
}

/// How many bytes the files below a folder have.
fn bytes(folder: &Path) -> u64 {
    let sizes = files(folder).into_iter().map(|file| match file.is_dir() {
        true => bytes(&file),
        false => file.metadata().unwrap().len(),
    });
    sizes.sum()
}

/// When a command is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// Before it has done much.
    Start,
    /// At any time of its run.
    Anywhere,
    /// When the index begins to take over what the log has, or soon after.
    Commit,
}

/// What was done, for the report.
#[derive(Default)]
struct Tally {
    lives: u64,
    kills: BTreeMap<(usize, Moment), u64>,
    /// Runs that were at their end before they could be killed; their step was begun anew.
    misses: u64,
    /// Looks of readers, those while a command was running, and those that found a command half done.
    looks: u64,
    meanwhile: u64,
    half_done: u64,
    /// Commands that were completed with less than all to do.
    carried_over: u64,
    cuts: u64,
}

impl Tally {
    fn kills(&self, is_meant: impl Fn(usize, Moment) -> bool) -> u64 {
        let kills = self.kills.iter();
        let meant = kills.filter(|((step, moment), _)| is_meant(*step, *moment));
        meant.map(|(_, count)| count).sum()
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = String::new();
        for (number, (name, _)) in STEPS.iter().enumerate() {
            write!(steps, ", {name} {}", self.kills(|step, _| step == number))?;
        }
        writeln!(f, "kills: {} ({})", self.kills(|_, _| true), &steps[2..])?;
        let of = |wanted| self.kills(|_, moment| moment == wanted);
        writeln!(
            f,
            "moments: {} at the start, {} anywhere, {} at a commit; {} runs ended too early",
            of(Moment::Start),
            of(Moment::Anywhere),
            of(Moment::Commit),
            self.misses
        )?;
        writeln!(
            f,
            "looks: {}, {} of them beside a running command; {} found a command half done",
            self.looks, self.meanwhile, self.half_done
        )?;
        write!(
            f,
            "logs cut off: {}; steps compared: {} in {} lives, {} begun by a run that was killed",
            self.cuts,
            self.lives * STEPS.len() as u64,
            self.lives,
            self.carried_over
        )
    }
}

/// A command that is under fire, and what readers have seen of it.
struct Fire<'a> {
    desk: &'a Desk,
    store: &'a str,
    step: usize,
    before: &'a State,
    after: &'a State,
    /// Documents that were found done.
    done: BTreeSet<String>,
    /// How long the command may still take.
    left: Duration,
}

impl Fire<'_> {
    /// Begins the command and kills it. How long it ran; none if it came to its end before.
    fn strike(
        &mut self,
        moment: Moment,
        random: &mut Random,
        tally: &mut Tally,
    ) -> Option<Duration> {
        let (desk, store) = (self.desk, self.store);
        let known = desk.newest_logs(store);
        let begun = Instant::now();
        let mut child = desk.start(store, STEPS[self.step].1);
        let mut seen = None;
        match moment {
            Moment::Start => std::thread::sleep(random.moment(Duration::from_millis(80))),
            Moment::Anywhere => {
                let (delay, is_read) = (random.moment(self.left), !random.one_in(3));
                seen = std::thread::scope(|scope| {
                    let reader = is_read.then(|| scope.spawn(|| desk.look(store)));
                    std::thread::sleep(delay);
                    child.kill().unwrap();
                    reader.map(|reader| reader.join().unwrap())
                });
            }
            Moment::Commit => {
                let is_running = |child: &mut Child| child.try_wait().unwrap().is_none();
                let (mut known, mut is_meant) = (known, false);
                while !is_meant && is_running(&mut child) {
                    let newest = desk.newest_logs(store);
                    // Of some commits the next one is meant.
                    is_meant = newest != known && !random.one_in(3);
                    known = newest;
                    std::thread::sleep(Duration::from_micros(500));
                }
                let reach = [1, 10, 100][random.below(3) as usize];
                std::thread::sleep(random.moment(Duration::from_millis(reach)));
            }
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if let Some(seen) = seen {
            tally.meanwhile += 1;
            self.check(seen, tally);
        }
        if status.signal() == Some(9) {
            return Some(begun.elapsed());
        }
        assert!(status.success(), "{status}: {}", desk.told());
        None
    }

    /// Cuts off the ends of the logs, as if they had not come to the disk.
    fn cut(&self, random: &mut Random) {
        for log in self.desk.newest_logs(self.store) {
            let file = OpenOptions::new().write(true).open(log).unwrap();
            let length = file.metadata().unwrap().len();
            let lost = random.below(length + 1);
            file.set_len(length - lost).unwrap();
        }
    }

    /// A reader looks.
    fn look(&mut self, tally: &mut Tally) {
        let seen = self.desk.look(self.store);
        self.check(seen, tally);
    }

    /// Compares what a reader has found with what may be there.
    fn check(&mut self, seen: Option<Content>, tally: &mut Tally) {
        tally.looks += 1;
        let name = STEPS[self.step].0;
        let Some(seen) = seen else {
            assert!(self.before.content.is_empty() && self.done.is_empty());
            return;
        };
        let (before, after) = (&self.before.content, &self.after.content);
        for (key, text) in &seen {
            let may_be = [before.get(key), after.get(key)];
            assert!(may_be.contains(&Some(text)), "{name}: {key} is half done");
        }
        let missing = before.keys().find(|key| !seen.contains_key(*key));
        assert_eq!(missing, None, "{name}: lost");
        let is_done = |(key, text): &(&String, &u64)| seen.get(*key) == Some(*text);
        let changes = after
            .iter()
            .filter(|(key, text)| before.get(*key) != Some(*text));
        let (done, open): (Vec<_>, Vec<_>) = changes.partition(is_done);
        let done: BTreeSet<String> = done.into_iter().map(|(key, _)| key.clone()).collect();
        let undone = self.done.difference(&done).next();
        assert_eq!(undone, None, "{name}: was done, and is not any more");
        tally.half_done += u64::from(!done.is_empty() && !open.is_empty());
        self.done = done;
    }

    /// Runs the command to its end, and once more.
    fn complete(&mut self, tally: &mut Tally) {
        let (desk, store) = (self.desk, self.store);
        let (name, arguments) = STEPS[self.step];
        let written = desk.complete(store, arguments);
        tally.carried_over += u64::from(written < self.after.written);
        self.look(tally);
        assert_eq!(self.done.len() as u64, self.after.written, "{name}");
        assert_eq!(desk.aggregations(store), self.after.aggregations, "{name}");
        assert_eq!(desk.complete(store, arguments), 0, "{name} was done");
        for log in desk.logs(store) {
            let left = bytes(&log);
            assert!(left < 100, "{name}: the index lacks {left} bytes");
        }
    }
}

/// Leads a store through its life under fire.
fn life(desk: &Desk, peace: &[State], kills: usize, random: &mut Random, tally: &mut Tally) {
    let (store, saved) = ("fire", "saved");
    let restore = |from: &str, to: &str| {
        let (from, to) = (desk.path(from), desk.path(to));
        drop(fs::remove_dir_all(&to));
        if from.exists() {
            copy(&from, &to);
        }
    };
    drop(fs::remove_dir_all(desk.path(store)));
    for (step, states) in peace.windows(2).enumerate() {
        restore(store, saved);
        let mut fire = Fire {
            desk,
            store,
            step,
            before: &states[0],
            after: &states[1],
            done: BTreeSet::new(),
            left: states[1].took,
        };
        let all = [Moment::Start, Moment::Anywhere, Moment::Commit];
        let mut moments: Vec<Moment> = all.into_iter().cycle().skip(step).take(kills).collect();
        let mut misses = 0;
        while !moments.is_empty() {
            let next = random.below(moments.len() as u64) as usize;
            if let Some(ran) = fire.strike(moments[next], random, tally) {
                let kills = tally.kills.entry((step, moments.remove(next)));
                *kills.or_default() += 1;
                // Much of what was done need not be done again.
                fire.left = fire.left.saturating_sub(ran).max(states[1].took / 4);
                if random.one_in(3) {
                    fire.cut(random);
                    tally.cuts += 1;
                }
                fire.look(tally);
            } else {
                tally.misses += 1;
                misses += 1;
                assert!(misses < 25, "{:?} cannot be hit", STEPS[step]);
                restore(saved, store);
                fire.done.clear();
                fire.left = states[1].took / (1 + misses % 4);
            }
        }
        fire.complete(tally);
    }
    // What runs that were killed have left behind goes with the next write; parts of the index that were just replaced, and
    // documents that are gone from others, may still be there.
    desk.complete(store, STEPS[4].1);
    desk.complete("peace", STEPS[4].1);
    let (size, peaceful) = (bytes(&desk.path(store)), bytes(&desk.path("peace")));
    assert!(size < 4 * peaceful, "{size} bytes, in peace {peaceful}");
    tally.lives += 1;
}

#[test]
fn a_command_that_was_killed_is_completed_by_running_it_again() {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    let minutes = number(MINUTES);
    let seed = number(SEED).unwrap_or(6);
    let (events, kills) = if minutes.is_some() {
        (10_000, 9)
    } else {
        (6_000, 2)
    };
    let start = Instant::now();
    let end = Duration::from_secs(60 * minutes.unwrap_or(0));
    let mut random = Random(seed);
    let desk = Desk::new(events, &mut random);
    let peace = desk.peace();
    println!(
        "seed {seed}, {events} events; in peace {:?}",
        start.elapsed()
    );
    let mut tally = Tally::default();
    while tally.lives == 0 || start.elapsed() < end {
        life(&desk, &peace, kills, &mut random, &mut tally);
        if minutes.is_some() {
            println!("after {} s:\n{tally}", start.elapsed().as_secs());
        }
    }
    println!("{tally}\ntook {:?}", start.elapsed());
    for (step, (name, _)) in STEPS.iter().enumerate() {
        assert!(tally.kills(|of, _| of == step) >= 2, "{name}");
    }
    for moment in [Moment::Start, Moment::Anywhere, Moment::Commit] {
        assert!(tally.kills(|_, at| at == moment) >= 1, "{moment:?}");
    }
    assert!(tally.half_done + tally.carried_over > 0, "{tally}");
}

#[test]
fn an_interrupted_command_ends_cleanly_and_is_completed_by_the_next() {
    let desk = Desk::new(6_000, &mut Random(1));
    let [load, tag, ..] = STEPS;
    for (signal, (name, arguments)) in [
        ("-INT", load),
        ("-TERM", load),
        ("-INT", tag),
        ("-TERM", tag),
    ] {
        desk.complete("peace", load.1);
        let is_tag = name == "tag";
        if is_tag {
            desk.complete("peace", tag.1);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            assert!(tries < 20, "{name} is always faster than {signal}");
            drop(fs::remove_dir_all(desk.path("fire")));
            if is_tag {
                desk.complete("fire", load.1);
            }
            let mut child = desk.start("fire", &[arguments, &["--jobs", "1"]].concat());
            // It is at work when the log grows.
            let size = |log: &PathBuf| log.metadata().map_or(0, |data| data.len());
            let written = || desk.newest_logs("fire").iter().map(size).max().unwrap_or(0);
            while written() < 1_000 && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_micros(200));
            }
            let number = child.id().to_string();
            // It may be at its end.
            drop(Command::new("kill").args([signal, &number]).output());
            let status = child.wait().unwrap();
            if status.code() == Some(130) {
                break;
            }
            assert!(status.success(), "{name}: {status}: {}", desk.told());
        }
        assert!(desk.told().contains("Interrupted"), "{}", desk.told());
        let (found, whole) = (desk.look("fire").unwrap(), desk.look("peace").unwrap());
        let done = found
            .iter()
            .filter(|(key, text)| whole.get(*key) == Some(text));
        assert!(done.count() > 0, "{name}: what was read by then is written");
        desk.complete("fire", arguments);
        assert!(desk.look("fire").unwrap() == whole, "{name}");
        assert_eq!(desk.complete("fire", arguments), 0);
        drop(fs::remove_dir_all(desk.path("peace")));
    }
}

#[test]
fn one_writes_and_many_read() {
    let desk = Desk::new(300, &mut Random(1));
    desk.complete("store", STEPS[0].1);
    let before = desk.look("store").unwrap().len();
    // As long as there may be more to load, it writes.
    let mut writing = desk.command("store", &["load", "--index", "more", "-"]);
    let mut writing = writing
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = writing.stdin.take().unwrap();
    writeln!(stdin, r#"{{"number":1,"text":"more"}}"#).unwrap();
    let start = Instant::now();
    loop {
        let seen = desk.look("store").unwrap();
        if seen.keys().any(|key| key.contains(r#""_index":"more""#)) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "nothing comes");
    }
    for (name, arguments) in STEPS {
        let run = desk.run("store", arguments);
        assert_eq!(code(&run), 2, "{name}: {}", stderr(&run));
        let told = "another process writes to this store; only one can at a time, but any number can read it";
        assert!(stderr(&run).contains(told), "{name}: {}", stderr(&run));
    }
    for look in [
        &["indices"][..],
        &["search", "--index", "events", "number:7"],
    ] {
        let run = desk.run("store", look);
        assert_eq!(code(&run), 0, "{}", stderr(&run));
    }
    writeln!(stdin, r#"{{"number":2,"text":"more"}}"#).unwrap();
    drop(stdin);
    assert!(writing.wait().unwrap().success());
    assert_eq!(desk.look("store").unwrap().len(), before + 2);
    assert!(desk.complete("store", STEPS[1].1) > 0, "now it can be done");
}

/// All files below a folder but those that are only locked, and what is in them.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut tree = BTreeMap::new();
    for file in files(folder) {
        match file.is_dir() {
            true => tree.extend(self::tree(&file)),
            false if file.to_string_lossy().ends_with("lock") => {}
            false => drop(tree.insert(file.clone(), fs::read(&file).unwrap())),
        }
    }
    tree
}

#[test]
fn what_is_no_sound_store_is_refused_and_left_as_it_is() {
    let desk = Desk::new(300, &mut Random(1));
    let looks: [(&str, &[&str]); 2] = [
        ("search", &["search", "--index", "*"]),
        ("indices", &["indices"]),
    ];
    let refused = |store: &str, wanted: i32, reason: &str| {
        let before = tree(&desk.path(store));
        for (name, arguments) in STEPS.into_iter().chain(looks) {
            let run = desk.run(store, arguments);
            let told = stderr(&run);
            assert_eq!(code(&run), wanted, "{reason}: {name}: {told}");
            assert!(told.contains(reason), "{reason}: {name}: {told}");
            assert!(tree(&desk.path(store)) == before, "{reason}: {name}");
        }
    };
    fs::create_dir(desk.path("foreign")).unwrap();
    fs::write(desk.path("foreign/notes.txt"), "mine").unwrap();
    refused("foreign", 2, "not a store of sigtag");
    assert_eq!(files(&desk.path("foreign")).len(), 1);

    // Only what loads makes a store.
    for (name, arguments) in STEPS.into_iter().chain(looks) {
        if arguments[0] == "load" {
            continue;
        }
        let run = desk.run("nowhere", arguments);
        assert_eq!(code(&run), 2, "{name}: {}", stderr(&run));
        assert!(!desk.path("nowhere").exists(), "{name}");
    }

    desk.complete("sound", STEPS[0].1);
    let index = files(&desk.path("sound/indices")).pop().unwrap();
    let index = index.strip_prefix(desk.path("sound")).unwrap().to_owned();
    let in_index = |folder: &str, ending: &str| {
        let files = files(&desk.path("sound").join(&index).join(folder));
        let file = files
            .into_iter()
            .find(|file| file.to_string_lossy().ends_with(ending));
        let file = file.unwrap();
        file.strip_prefix(desk.path("sound")).unwrap().to_owned()
    };
    let (log, meta, segment) = (
        in_index("log", ".log"),
        in_index("index", "/meta.json"),
        in_index("index", ".store"),
    );
    let damage = |file: &Path, change: &dyn Fn(&Path)| {
        drop(fs::remove_dir_all(desk.path("damaged")));
        copy(&desk.path("sound"), &desk.path("damaged"));
        change(&desk.path("damaged").join(file));
    };
    let garble = |file: &Path| fs::write(file, "{").unwrap();
    let remove = |file: &Path| fs::remove_file(file).unwrap();
    let shorten = |file: &Path| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    };
    damage(Path::new("format"), &|file| {
        fs::write(file, "sigtag store 2\n").unwrap();
    });
    refused(
        "damaged",
        2,
        "its format is \"sigtag store 2\\n\", this program reads",
    );
    let catalog = Path::new("catalog.json");
    for (file, change) in [
        (catalog, &garble as &dyn Fn(&Path)),
        (catalog, &remove),
        (&meta, &garble),
        (&meta, &remove),
        (&segment, &shorten),
        (&segment, &remove),
    ] {
        damage(file, change);
        refused("damaged", 1, "damaged: ");
    }
    // Readers need no log.
    damage(&log, &remove);
    let before = tree(&desk.path("damaged"));
    for (name, arguments) in STEPS {
        let run = desk.run("damaged", arguments);
        assert_eq!(code(&run), 1, "{name}: {}", stderr(&run));
        assert!(
            stderr(&run).contains("damaged: the file is missing"),
            "{name}"
        );
        assert!(tree(&desk.path("damaged")) == before, "{name}");
    }
}
