//! How a test that cannot run says so.
//!
//! libtest knows no skipped test: one that returns early has passed, and what it printed is hidden. So the skip goes another way.
//! `cargo xtask test` names an empty file in the environment variable [`SKIPS`]; a skipping test appends one line to it; `xtask`
//! reads the file when all is done.

use std::{
    collections::BTreeSet,
    env,
    fmt::{self, Display},
    fs::OpenOptions,
    io::{self, Write},
    panic::Location,
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

/// The environment variable that names the file to which skips are appended.
pub const SKIPS: &str = "SIGTAG_SKIPS";

/// One test that did not run. Its text form, as it stands in the file, is one line of four fields separated by tabs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    /// What to do so that it runs.
    pub help: String,
    /// Why it did not run.
    pub reason: String,
    /// The source file of the test, from the workspace's root.
    pub file: String,
    /// The test's name within its binary.
    pub test: String,
}

impl Skip {
    /// Reads the text form; `None` when the line is not one.
    pub fn parse(line: &str) -> Option<Skip> {
        let mut fields = line.split('\t').map(str::to_owned);
        let skip = Skip {
            help: fields.next()?,
            reason: fields.next()?,
            file: fields.next()?,
            test: fields.next()?,
        };
        fields.next().is_none().then_some(skip)
    }
}

impl Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\t{}\t{}\t{}",
            self.help, self.reason, self.file, self.test
        )
    }
}

/// Records that the calling test does not run: `reason` says why, `help` what to do about it (a command where there is one).
/// The test then has to return. It may call this more than once.
///
/// # Panics
/// With `CI=true`: there a test that cannot run is a failure. Also when the skip cannot be written down.
#[track_caller]
pub fn skip(reason: &str, help: &str) {
    if env::var_os("CI").is_some_and(|ci| ci == "true") {
        panic!("a test may not be skipped where CI=true; {reason}: {help}");
    }
    let caller = Location::caller();
    // libtest runs each test on a thread of that name; with one test thread it is `main`, and the line has to do.
    let test = match thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("line {}", caller.line()),
    };
    let skip = Skip {
        help: one_line(help),
        reason: one_line(reason),
        file: caller.file().into(),
        test,
    };
    if !SEEN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(skip.clone())
    {
        return;
    }
    eprintln!("SKIPPED: {}: {}: {reason}", skip.file, skip.test);
    if let Some(path) = env::var_os(SKIPS) {
        append(path.as_ref(), &skip)
            .unwrap_or_else(|error| panic!("cannot append to {}: {error}", path.display()));
    }
}

/// What another program said may be part of it, in lines and with tabs.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What this process has recorded, so that a test is recorded once.
static SEEN: Mutex<BTreeSet<Skip>> = Mutex::new(BTreeSet::new());

/// One line, one write: test binaries may append at the same time.
fn append(path: &Path, skip: &Skip) -> io::Result<()> {
    OpenOptions::new()
        .append(true)
        .open(path)?
        .write_all(format!("{skip}\n").as_bytes())
}
