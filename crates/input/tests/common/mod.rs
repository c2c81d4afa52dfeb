//! What the tests of this crate share. Each test file uses some of it.
#![allow(dead_code)]

pub mod evtx;

use event::Parser;
use input::{Batch, Issue, Place, Position, Reason, Report};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

/// What came out of an input.
#[derive(Debug, Default, PartialEq)]
pub struct Out {
    pub events: Vec<(Position, String)>,
    pub report: Report,
}

impl Out {
    /// The events with the lines they begin on.
    pub fn lines(&self) -> Vec<(u64, &str)> {
        let line = |position: &Position| match position {
            Position::Line(line) => *line,
            Position::Record(id) => panic!("record {id} in a text"),
        };
        let events = self.events.iter();
        events
            .map(|(position, text)| (line(position), text.as_str()))
            .collect()
    }

    pub fn texts(&self) -> Vec<&str> {
        self.events.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The issues that were kept in full.
    pub fn issues(&self) -> impl Iterator<Item = &Issue> {
        self.report
            .issues
            .values()
            .flat_map(|tally| &tally.examples)
    }

    /// The reasons of the issues, with line and column, in the order of the reasons.
    pub fn places(&self) -> Vec<(Reason, u64, u64)> {
        let place = |issue: &Issue| match issue.place {
            Place::Text { line, column } => (issue.reason, line, column),
            Place::File | Place::Record(_) => (issue.reason, 0, 0),
        };
        self.issues().map(place).collect()
    }

    /// The issues, as they are shown.
    pub fn shown(&self) -> Vec<String> {
        self.issues().map(ToString::to_string).collect()
    }
}

/// Collects batches, and checks what holds for all of them.
fn collect(events: &mut Vec<(Position, String)>, batch: &Batch) -> ControlFlow<()> {
    assert!(!batch.positions.is_empty(), "no batch is empty");
    for (position, event) in batch.events() {
        let text = event.event().text();
        event::Event::parse(text.as_bytes()).expect("every event is well-formed");
        events.push((position, text.to_owned()));
    }
    ControlFlow::Continue(())
}

/// Reads bytes as if they came from standard input.
pub fn read_bytes(bytes: impl AsRef<[u8]>) -> Out {
    read_from(bytes.as_ref())
}

pub fn read_from(stream: impl Read) -> Out {
    let mut events = Vec::new();
    let report = input::read_stream("-".into(), stream, &mut Parser::default(), &mut |batch| {
        collect(&mut events, &batch)
    });
    assert_eq!(report.events, events.len() as u64);
    Out { events, report }
}

/// Reads everything behind a path, with the names of the files.
pub fn read_path(path: &Path) -> Out {
    let inputs = input::inputs(&[path.to_path_buf()]);
    let mut out = Out {
        report: inputs.report,
        ..Out::default()
    };
    for input in &inputs.list {
        out.report
            .merge(input::read(input, &mut Parser::default(), &mut |batch| {
                collect(&mut out.events, &batch)
            }));
    }
    out
}

/// Hands out a few bytes at a time, as a slow pipe does.
pub struct Slow<'a> {
    pub bytes: &'a [u8],
    pub step: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.step.min(into.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(length);
        into[..length].copy_from_slice(now);
        self.bytes = later;
        Ok(length)
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
    encoder.read_to_end(&mut out).unwrap();
    out
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// Reads what has nothing wrong with it: each event, and the line on which it begins.
pub fn clean(bytes: impl AsRef<[u8]>) -> Vec<(u64, String)> {
    let out = read_bytes(&bytes);
    assert_eq!(
        out.shown(),
        [""; 0],
        "{}",
        String::from_utf8_lossy(bytes.as_ref())
    );
    events(&out.lines())
}

/// Events and their lines, to compare with.
pub fn events(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    let events = expected.iter();
    events
        .map(|(line, text)| (*line, (*text).to_owned()))
        .collect()
}
