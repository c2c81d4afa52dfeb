//! `sigtag tag`: files in, tagged events out.

use crate::Exit;
use crate::arguments::TagCommand;
use crate::{mappings, show};
use indicatif::{ProgressBar, ProgressStyle};
use input::Inputs;
use std::fs::{File, Metadata};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::mem::ManuallyDrop;
use std::num::NonZero;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tag::Tagger;
use tagger::{Options, Rules, Summary, tag_files};

pub(crate) fn run(command: &TagCommand) -> Exit {
    let Some(mapping) = mappings::load(&command.mapping.names) else {
        return Exit::Usage;
    };
    let rules = match Rules::load(&command.rules, &mapping, command.min_level) {
        // The program ends when it is done with them: to take them apart would be time lost.
        Ok(rules) => ManuallyDrop::new(rules),
        Err(error) => {
            show::error(&error);
            return Exit::Usage;
        }
    };
    if rules.running.is_empty() && !command.quiet {
        show::error(&"no rule runs; `sigtag check` says why");
    }
    let inputs = input::inputs(&command.input);
    let mut output = match open(command, &inputs) {
        Ok(output) => output,
        Err(message) => {
            show::error(&message);
            return Exit::Usage;
        }
    };
    let options = options(command, &rules);
    stop_on_ctrl_c(&options.stop);
    let bar = Bar::start(!command.quiet, inputs.size(), &options.progress);
    let tagged = tag_files(&rules, inputs, &options, &mut output);
    bar.end();
    let summary = match tagged {
        Ok(summary) => summary,
        Err(cause) => return show::not_written(command.output.as_deref(), &cause),
    };
    let mut exit = exit_of(command, &summary);
    if let Some(path) = &command.stats
        && let Err(error) = write_stats(path, &summary)
    {
        exit = show::not_written(Some(path), &error);
    }
    if command.quiet {
        errors(&summary);
    } else {
        show::summary(&summary);
    }
    exit
}

fn options(command: &TagCommand, rules: &Rules) -> Options {
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap_or_default();
    Options {
        tagger: Tagger {
            profile: command.profile,
            ruleset: rules.id.clone(),
            tagged_at: now.to_string(),
        },
        all: command.all,
        jobs: command.jobs.map_or_else(cores, usize::from),
        stop: Arc::new(AtomicBool::new(false)),
        progress: Arc::new(AtomicU64::new(0)),
    }
}

/// Opens the output, unless that or the statistics would destroy what is read.
fn open(command: &TagCommand, inputs: &Inputs) -> Result<Box<dyn Write>, String> {
    let named = |path: &Path| identity(std::fs::metadata(path));
    let existing = command.output.iter().chain(&command.stats);
    let existing: Vec<_> = existing
        .filter_map(|path| Some((path, named(path)?)))
        .collect();
    if !existing.is_empty() {
        let inputs = inputs.list.iter().map(|input| Path::new(&*input.file));
        let others = command.rules.iter().chain(&command.mapping.names);
        let mut read: Vec<_> = inputs
            .chain(others.map(PathBuf::as_path))
            .filter_map(named)
            .collect();
        let stdin = std::io::stdin().as_fd().try_clone_to_owned();
        read.extend(identity(
            stdin.and_then(|stdin| File::from(stdin).metadata()),
        ));
        if let Some((path, _)) = existing.iter().find(|(_, written)| read.contains(written)) {
            return Err(format!(
                "{} is read by this run: write to another file",
                path.display()
            ));
        }
    }
    if command.output.is_some() && command.output == command.stats {
        return Err("--output and --stats name the same file".to_owned());
    }
    let Some(path) = &command.output else {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    };
    if inputs.list.is_empty() && inputs.report.lost() > 0 {
        // There is nothing to read, so nothing is written either.
        return Ok(Box::new(io::sink()));
    }
    let file = File::create(path)
        .map_err(|error| format!("cannot write to {}: {error}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// What a regular file is known by, whatever its name.
fn identity(metadata: io::Result<Metadata>) -> Option<(u64, u64)> {
    let metadata = metadata.ok().filter(Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
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

fn exit_of(command: &TagCommand, summary: &Summary) -> Exit {
    if summary.interrupted {
        Exit::Interrupted
    } else if summary.is_clean() && !(command.strict_rules && summary.rule_set.need_set_up > 0) {
        Exit::Done
    } else {
        Exit::Incomplete
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

/// A progress bar over the bytes of the input, on a terminal.
struct Bar {
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Bar {
    fn start(wanted: bool, bytes: u64, progress: &Arc<AtomicU64>) -> Bar {
        let ended = Arc::new(AtomicBool::new(false));
        if !wanted || !io::stderr().is_terminal() {
            return Bar {
                ended,
                thread: None,
            };
        }
        let bar = if bytes > 0 {
            ProgressBar::new(bytes)
        } else {
            ProgressBar::no_length()
        };
        let template = match bytes {
            0 => "{spinner} {bytes} read, {bytes_per_sec}, {elapsed}",
            _ => "{wide_bar} {percent}%  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} to go",
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
