//! Files and streams: read, match, tag, write, in the order of the input.

use crate::gate::Gate;
use crate::rules::Rules;
use crate::summary::{Counters, Summary};
use engine::Matcher;
use event::{FieldPath, Fields, Parsed, Value};
use input::{Batch, Input, Inputs, Position, Report};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Instant;
use tag::{Hit, Outcome, Source, Tagger};

/// How to go over files.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to write into the events.
    pub tagger: Tagger,
    /// Whether events without a hit are written too.
    pub all: bool,
    /// How many threads match; at least one.
    pub jobs: usize,
    /// Set from outside to end the run: what has been read by then is still written.
    pub stop: Arc<AtomicBool>,
    /// Counts the bytes read so far, for a progress bar.
    pub progress: Arc<AtomicU64>,
}

/// Tags the events of `inputs` and writes them to `out` as JSON lines, in their order.
///
/// # Errors
/// Those of `out`; the run ends at the first. Whatever is wrong with the input is in the [`Summary`].
pub fn tag_files(
    rules: &Rules,
    inputs: Inputs,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<Summary> {
    let start = Instant::now();
    let mut run = Run {
        out,
        counters: Counters::default(),
        report: inputs.report,
    };
    if options.jobs <= 1 {
        run.alone(rules, &inputs.list, options)?;
    } else {
        run.in_parallel(rules, &inputs.list, options)?;
    }
    run.out.flush()?;
    let interrupted = options.stop.load(Ordering::Relaxed);
    Ok(run
        .counters
        .summary(rules, &run.report, start.elapsed(), interrupted))
}

/// What is kept over the whole run, by the thread that writes.
struct Run<'o> {
    out: &'o mut dyn Write,
    counters: Counters,
    report: Report,
}

/// A batch after the work.
struct Done {
    text: Vec<u8>,
    counters: Counters,
}

/// What the writer hears, for the input with this number.
enum Message {
    Batch {
        input: usize,
        sequence: u64,
        done: Done,
    },
    /// All batches have been read, as many as this.
    End {
        input: usize,
        batches: u64,
        report: Report,
    },
}

impl Run<'_> {
    fn alone(&mut self, rules: &Rules, inputs: &[Input], options: &Options) -> io::Result<()> {
        let mut worker = Worker::new(rules, options);
        let mut parser = rules.ruleset.parser();
        for input in inputs {
            let mut outcome = Ok(());
            let mut progress = Progress::new(options);
            let report = input::read(input, &mut parser, &mut |batch| {
                progress.set(batch.consumed);
                outcome = self.write(worker.work(batch));
                let goes_on = outcome.is_ok() && !options.stop.load(Ordering::Relaxed);
                if goes_on {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            outcome?;
            progress.set(report.bytes);
            self.report.merge(report);
            if options.stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(())
    }

    fn in_parallel(
        &mut self,
        rules: &Rules,
        inputs: &[Input],
        options: &Options,
    ) -> io::Result<()> {
        let gate = Gate::new((2 * options.jobs).clamp(4, 16));
        let failed = AtomicBool::new(false);
        let next = AtomicUsize::new(0);
        let stopped = || options.stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed);
        std::thread::scope(|scope| {
            let (to_writer, messages) = mpsc::channel::<Message>();
            let (to_workers, batches) = crossbeam_channel::unbounded::<(usize, Batch)>();
            for _ in 0..options.jobs {
                let (to_writer, batches) = (to_writer.clone(), batches.clone());
                let alarm = Alarm(&gate, &failed);
                scope.spawn(move || {
                    let _alarm = alarm;
                    let mut worker = Worker::new(rules, options);
                    for (input, batch) in batches {
                        let sequence = batch.sequence;
                        // Nobody listens any more only when writing has failed.
                        let _ = to_writer.send(Message::Batch {
                            input,
                            sequence,
                            done: worker.work(batch),
                        });
                    }
                });
            }
            for _ in 0..options.jobs.min(inputs.len()) {
                let (to_writer, to_workers) = (to_writer.clone(), to_workers.clone());
                let (gate, next, stopped) = (&gate, &next, &stopped);
                let alarm = Alarm(gate, &failed);
                scope.spawn(move || {
                    let _alarm = alarm;
                    let mut parser = rules.ruleset.parser();
                    while let Some((number, input)) = take(next, inputs) {
                        let mut progress = Progress::new(options);
                        let mut batches = 0;
                        let mut report = Report::default();
                        if !stopped() {
                            report = input::read(input, &mut parser, &mut |batch| {
                                gate.enter(number);
                                progress.set(batch.consumed);
                                batches = batch.sequence + 1;
                                let sent = to_workers.send((number, batch));
                                if sent.is_ok() && !stopped() {
                                    ControlFlow::Continue(())
                                } else {
                                    ControlFlow::Break(())
                                }
                            });
                        }
                        progress.set(report.bytes);
                        let _ = to_writer.send(Message::End {
                            input: number,
                            batches,
                            report,
                        });
                    }
                });
            }
            drop((to_writer, to_workers, batches));
            let written = self.write_in_order(&messages, &gate);
            failed.store(written.is_err(), Ordering::Relaxed);
            gate.open();
            written
        })
    }

    /// Writes what comes in any order in the right one: by input, then by batch.
    fn write_in_order(
        &mut self,
        messages: &mpsc::Receiver<Message>,
        gate: &Gate,
    ) -> io::Result<()> {
        let mut waiting: BTreeMap<(usize, u64), Done> = BTreeMap::new();
        let mut ends: BTreeMap<usize, (u64, Report)> = BTreeMap::new();
        let mut at = (0, 0);
        for message in messages {
            match message {
                Message::Batch {
                    input,
                    sequence,
                    done,
                } => drop(waiting.insert((input, sequence), done)),
                Message::End {
                    input,
                    batches,
                    report,
                } => drop(ends.insert(input, (batches, report))),
            }
            loop {
                if let Some(done) = waiting.remove(&at) {
                    self.write(done)?;
                    gate.leave();
                    at.1 += 1;
                } else if ends.get(&at.0).is_some_and(|(batches, _)| *batches == at.1) {
                    let report = ends
                        .remove(&at.0)
                        .map(|(_, report)| report)
                        .unwrap_or_default();
                    self.report.merge(report);
                    at = (at.0 + 1, 0);
                    gate.advance(at.0);
                } else {
                    break;
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, done: Done) -> io::Result<()> {
        self.out.write_all(&done.text)?;
        // Whoever follows a slow stream does not wait for what comes next.
        self.out.flush()?;
        self.counters.merge(done.counters);
        Ok(())
    }
}

/// Lets nobody wait for a thread that has panicked; the panic goes on where the threads are joined.
struct Alarm<'g>(&'g Gate, &'g AtomicBool);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.1.store(true, Ordering::Relaxed);
            self.0.open();
        }
    }
}

/// The next input that nobody has taken yet.
fn take<'i>(next: &AtomicUsize, inputs: &'i [Input]) -> Option<(usize, &'i Input)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    inputs.get(number).map(|input| (number, input))
}

/// Adds the progress in one input to that of the run.
struct Progress<'o> {
    total: &'o AtomicU64,
    so_far: u64,
}

impl<'o> Progress<'o> {
    fn new(options: &'o Options) -> Progress<'o> {
        Progress {
            total: &options.progress,
            so_far: 0,
        }
    }

    fn set(&mut self, consumed: u64) {
        self.total
            .fetch_add(consumed.saturating_sub(self.so_far), Ordering::Relaxed);
        self.so_far = self.so_far.max(consumed);
    }
}

/// Matches and tags, on one thread.
struct Worker<'r> {
    rules: &'r Rules,
    options: &'r Options,
    matcher: Matcher<'r>,
}

impl<'r> Worker<'r> {
    fn new(rules: &'r Rules, options: &'r Options) -> Worker<'r> {
        Worker {
            rules,
            options,
            matcher: rules.ruleset.matcher_for(options.jobs),
        }
    }

    fn work(&mut self, batch: Batch) -> Done {
        let capacity = if self.options.all {
            batch.block.size()
        } else {
            0
        };
        let mut done = Done {
            text: Vec::with_capacity(capacity),
            counters: Counters::default(),
        };
        for (position, event) in batch.events() {
            self.event(&batch.file, position, &event, &mut done);
        }
        done
    }

    fn event(&mut self, file: &str, position: Position, event: &Parsed<'_, '_>, done: &mut Done) {
        let matched = self.matcher.matches_parsed(event);
        if matched.rules.is_empty() && !matched.has_hidden_field && !self.options.all {
            done.counters.add_miss();
            return;
        }
        let numbers = matched.rules;
        let mut room = String::new();
        let event = matched.event.one_line(&mut room);
        let index = (!numbers.is_empty()).then(|| event.index());
        let hits: Vec<Hit<'_>> = numbers
            .iter()
            .map(|number| &self.rules.running[*number as usize])
            .map(|rule| Hit {
                rule: &rule.tag,
                fields: index
                    .as_ref()
                    .map_or_else(Vec::new, |index| rule.evidence(index)),
            })
            .collect();
        let source = Source {
            file: file.into(),
            position: match position {
                Position::Line(line) => tag::Position::Line(line),
                Position::Record(id) => tag::Position::Record(id),
            },
        };
        let start = done.text.len();
        let outcome = self
            .options
            .tagger
            .apply(&event, &hits, Some(&source), &mut done.text);
        let is_written =
            self.options.all || !hits.is_empty() || matches!(outcome, Outcome::Removed);
        if is_written {
            done.text.push(b'\n')
        } else {
            done.text.truncate(start)
        }
        done.counters
            .add(self.rules, numbers, index.as_ref().map(host), outcome);
    }
}

/// Where an event names its host, in the order of trust: `host.name` may be the collector's.
static HOST: LazyLock<Vec<FieldPath>> = LazyLock::new(|| {
    [
        "winlog.computer_name",
        "computer_name",
        "Computer",
        "Event.System.Computer",
        "host.name",
        "host.hostname",
        "node",
        "hostname",
    ]
    .map(FieldPath::new)
    .into()
});

/// How many characters of a host's name count. A full name in the DNS has 253.
const MAX_HOST: usize = 256;

fn host<'a>(event: &impl Fields<'a>) -> String {
    let mut values = HOST.iter().flat_map(|path| event.lookup(path).values);
    let name = values.find_map(|value| match value {
        Value::String(name) => Some(name.chars().take(MAX_HOST).collect()),
        _ => None,
    });
    name.unwrap_or_default()
}
