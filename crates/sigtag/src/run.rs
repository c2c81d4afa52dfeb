//! What all commands that go over events have in common: rules, Ctrl-C, a progress bar, the summary.

use crate::arguments::{RuleOptions, RunOptions};
use crate::{Exit, mappings, show};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tag::{Profile, Tagger};
use tagger::{Options, Rules, Summary};

/// Rules, for as long as the program runs.
pub(crate) type LoadedRules = Arc<Rules>;

/// Loads rules, and tells when none of them runs. None if they cannot be used: why has been shown.
pub(crate) fn rules(paths: &[PathBuf], options: &RuleOptions, quiet: bool) -> Option<LoadedRules> {
    let mapping = mappings::load(&options.mapping.names)?;
    let rules = match Rules::load(paths, &mapping, options.min_level) {
        Ok(rules) => Arc::new(rules),
        Err(error) => {
            show::error(&error);
            return None;
        }
    };
    if rules.running.is_empty() && !quiet {
        show::error(&"no rule runs; `sigtag check` says why");
    }
    // The program ends when it is done with them: to take them apart would be time lost.
    std::mem::forget(rules.clone());
    Some(rules)
}

/// What writes the tags of these rules now.
pub(crate) fn tagger(profile: Profile, rules: &Rules) -> Tagger {
    Tagger {
        profile,
        ruleset: rules.id.clone(),
        tagged_at: now(),
    }
}

/// The time of this run, to the second.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second());
    now.unwrap_or_default().to_string()
}

/// A time as people write it, in RFC 3339: a timestamp, a date (its beginning, UTC), or how long ago (`7d`).
///
/// # Errors
/// When it is none of them.
pub(crate) fn time(text: &str) -> Result<String, String> {
    let date = |text: &str| -> Option<jiff::Timestamp> {
        let date: jiff::civil::Date = text.parse().ok()?;
        jiff::tz::TimeZone::UTC
            .to_timestamp(date.at(0, 0, 0, 0))
            .ok()
    };
    let ago = |text: &str| -> Option<jiff::Timestamp> {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        let seconds = number.parse::<u32>().ok()?.checked_mul(seconds)?;
        let ago = jiff::SignedDuration::from_secs(seconds.into());
        jiff::Timestamp::now().checked_sub(ago).ok()
    };
    let found = text
        .parse()
        .ok()
        .or_else(|| date(text))
        .or_else(|| ago(text));
    let found = found.map(|time: jiff::Timestamp| time.to_string());
    found.ok_or_else(|| {
        "a time is 2026-03-15T12:00:00Z, 2026-03-15, or how long ago: 7d, 12h, 30m".to_owned()
    })
}

/// What progress is measured in.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Bytes,
    Documents,
}

/// A run that can be stopped, and shows how far it is.
pub(crate) struct Run {
    options: Options,
    bar: Bar,
}

impl Run {
    /// Starts a run over so much; 0 if that is not known.
    pub(crate) fn start(given: &RunOptions, size: u64, unit: Unit) -> Run {
        let mut options = Options::new(None);
        if let Some(jobs) = given.jobs {
            options.jobs = jobs.into();
        }
        stop_on_ctrl_c(&options.stop);
        let bar = Bar::start(!given.quiet, size, unit, &options.progress);
        Run { options, bar }
    }

    /// Starts a run that tells of itself in its own way.
    pub(crate) fn start_quietly(jobs: Option<u16>) -> Run {
        let quiet = RunOptions {
            jobs,
            stats: None,
            quiet: true,
        };
        Run::start(&quiet, 0, Unit::Documents)
    }

    /// How to go over events that are to be left as they are.
    pub(crate) fn options(&self) -> Options {
        self.options.clone()
    }

    pub(crate) fn end(self) {
        self.bar.end();
    }
}

/// How a run ended.
pub(crate) fn exit_of(summary: &Summary, strict_rules: bool) -> Exit {
    if summary.interrupted {
        Exit::Interrupted
    } else if summary.is_clean() && !(strict_rules && summary.rule_set.need_set_up > 0) {
        Exit::Done
    } else {
        Exit::Incomplete
    }
}

/// Tells what was done, as was asked for; how the command ended, if it would end like `exit` otherwise.
pub(crate) fn tell(
    options: &RunOptions,
    summary: &Summary,
    mut exit: Exit,
    show: fn(&Summary),
) -> Exit {
    if let Some(path) = &options.stats
        && let Err(error) = write_stats(path, summary)
    {
        exit = show::not_written(Some(path), &error);
    }
    if options.quiet {
        errors(summary);
    } else {
        show(summary);
    }
    exit
}

/// The first Ctrl-C ends the run after what has been read, the second ends it at once.
fn stop_on_ctrl_c(stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    let handler = move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        show::error(&format!("Ctrl-C will not end this run cleanly: {error}"));
    }
}

fn write_stats(path: &Path, summary: &Summary) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, summary)?;
    file.write_all(b"\n")?;
    file.flush()
}

/// What even `--quiet` shows.
fn errors(summary: &Summary) {
    for rule in summary
        .rule_set
        .set_aside
        .iter()
        .filter(|rule| rule.verdict == "broken")
    {
        show::error(&format!("{}:{}: {}", rule.file, rule.line, rule.reason));
    }
    for skip in summary.input.iter().filter(|skip| skip.effect == "lost") {
        show::error(&format!("{} × {}", show::number(skip.count), skip.reason));
        skip.examples
            .iter()
            .for_each(|example| show::error(example));
    }
    if summary.retagged.conflicts > 0 {
        show::error(&format!(
            "{} not tagged: `sigma` or `outliers` is not sigtag's",
            show::count(summary.retagged.conflicts, "event")
        ));
    }
}

/// A progress bar, on a terminal.
struct Bar {
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Bar {
    fn start(wanted: bool, size: u64, unit: Unit, progress: &Arc<AtomicU64>) -> Bar {
        let ended = Arc::new(AtomicBool::new(false));
        if !wanted || !io::stderr().is_terminal() {
            return Bar {
                ended,
                thread: None,
            };
        }
        let bar = if size > 0 {
            ProgressBar::new(size)
        } else {
            ProgressBar::no_length()
        };
        let template = match (unit, size) {
            (Unit::Bytes, 0) => "{spinner} {bytes} read, {bytes_per_sec}, {elapsed}",
            (Unit::Bytes, _) => {
                "{wide_bar} {percent}%  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} to go"
            }
            (Unit::Documents, 0) => "{spinner} {human_pos} read, {per_sec}, {elapsed}",
            (Unit::Documents, _) => {
                "{wide_bar} {percent}%  {human_pos} of {human_len}, {per_sec}, {eta} to go"
            }
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let (progress, stop) = (Arc::clone(progress), Arc::clone(&ended));
        let show = move || {
            while !stop.load(Ordering::Relaxed) {
                bar.set_position(progress.load(Ordering::Relaxed));
                bar.tick();
                std::thread::park_timeout(Duration::from_millis(100));
            }
            bar.finish_and_clear();
        };
        Bar {
            ended,
            thread: Some(std::thread::spawn(show)),
        }
    }

    fn end(mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A bar that broke has nothing to tell.
            let _ = thread.join();
        }
    }
}
