//! Files and streams: read, match, tag, write, in the order of the input.

use crate::Options;
use crate::gate::Gate;
use crate::rules::Rules;
use crate::summary::{Counters, Summary};
use crate::worker::Worker;
use input::{Batch, Input, Inputs, Position, Report};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;
use tag::Source;

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
    run(rules, inputs, options, &mut Stream(out))
}

/// Events on their way out, in their order.
#[derive(Debug)]
pub(crate) struct Lines {
    /// The number of their input.
    pub(crate) input: usize,
    /// One event a line.
    pub(crate) text: Vec<u8>,
    /// The SHA-256 of each event as it was read, if the sink [wants](Sink::DIGESTS) them.
    pub(crate) digests: Vec<[u8; 32]>,
}

/// Where events go.
pub(crate) trait Sink {
    /// Whether [`Lines::digests`] are wanted.
    const DIGESTS: bool;

    /// Takes the next events.
    fn write(&mut self, lines: Lines) -> io::Result<()>;

    /// There are no more.
    fn end(&mut self) -> io::Result<()>;
}

/// Writes lines to a file or stream.
struct Stream<'o>(&'o mut dyn Write);

impl Sink for Stream<'_> {
    const DIGESTS: bool = false;

    fn write(&mut self, lines: Lines) -> io::Result<()> {
        self.0.write_all(&lines.text)?;
        // Whoever follows a slow stream does not wait for what comes next.
        self.0.flush()
    }

    fn end(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Reads, matches and tags the events of `inputs`, and gives them to `sink` in their order.
pub(crate) fn run<S: Sink>(
    rules: &Rules,
    inputs: Inputs,
    options: &Options,
    sink: &mut S,
) -> io::Result<Summary> {
    let start = Instant::now();
    let mut run = Run {
        sink,
        counters: Counters::default(),
        report: inputs.report,
    };
    if options.jobs <= 1 {
        run.alone(rules, &inputs.list, options)?;
    } else {
        run.in_parallel(rules, &inputs.list, options)?;
    }
    run.sink.end()?;
    let interrupted = options.stop.load(Ordering::Relaxed);
    Ok(run
        .counters
        .summary(rules, &run.report, start.elapsed(), interrupted))
}

/// What is kept over the whole run, by the thread that writes.
struct Run<'s, S> {
    sink: &'s mut S,
    counters: Counters,
    report: Report,
}

/// A batch after the work.
struct Done {
    lines: Lines,
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

impl<S: Sink> Run<'_, S> {
    fn alone(&mut self, rules: &Rules, inputs: &[Input], options: &Options) -> io::Result<()> {
        let mut worker = Worker::new(rules, options);
        let mut parser = rules.ruleset.parser();
        for (number, input) in inputs.iter().enumerate() {
            let mut outcome = Ok(());
            let mut progress = Progress::new(options);
            let report = input::read(input, &mut parser, &mut |batch| {
                progress.set(batch.consumed);
                outcome = self.write(work(&mut worker, number, &batch, S::DIGESTS));
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
                            done: work(&mut worker, input, &batch, S::DIGESTS),
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
        self.sink.write(done.lines)?;
        self.counters.merge(done.counters);
        Ok(())
    }
}

/// Matches and tags the events of a batch.
fn work(worker: &mut Worker<'_>, input: usize, batch: &Batch, digests: bool) -> Done {
    let capacity = if worker.writes_all() {
        batch.block.size()
    } else {
        0
    };
    let mut lines = Lines {
        input,
        text: Vec::with_capacity(capacity),
        digests: Vec::new(),
    };
    let mut counters = Counters::default();
    for (position, event) in batch.events() {
        let source = Source::File {
            file: (&*batch.file).into(),
            position: match position {
                Position::Line(line) => tag::Position::Line(line),
                Position::Record(id) => tag::Position::Record(id),
            },
        };
        let is_written = worker.line(&event, &source, &mut counters, &mut lines.text);
        if is_written && digests {
            let text = event.event().text().as_bytes();
            lines.digests.push(Sha256::digest(text).into());
        }
    }
    Done { lines, counters }
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
