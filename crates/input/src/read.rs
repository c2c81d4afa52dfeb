//! Reading one input: open, unpack, recognise, decode.

use crate::batch::{BATCH, Batch, Position};
use crate::compression::{Compression, refused};
use crate::decode::{self, Confidence};
use crate::report::{Issue, Place, Reason, Report};
use crate::source::{Counted, Source};
use crate::walk::Input;
use event::{Block, Parser};
use std::cell::Cell;
use std::fmt::Display;
use std::io::Read;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

/// How much of an input is looked at to recognise it, if its first bytes are not enough.
const HEAD: usize = 64 << 10;

/// Reads an input and hands its events to `emit`, batch by batch and in order, until there are no more or `emit` breaks
/// off. `parser` finds in them what it is to find. Inputs are independent of one another: several threads may read one each.
pub fn read(
    input: &Input,
    parser: &mut Parser,
    emit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
) -> Report {
    let mut output = Output::new(input.file.clone(), parser, emit);
    output.is_stream = input.is_stream();
    output.was_named = input.was_named();
    match input.open() {
        Ok(stream) => read_into(stream, &mut output),
        Err(error) => output.issue(Reason::Unreadable, Place::File, error),
    }
    output.report()
}

/// Reads a stream that is not in the file system; as [`read`] otherwise. `file` is the name its events go by.
pub fn read_stream(
    file: Arc<str>,
    stream: impl Read,
    parser: &mut Parser,
    emit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
) -> Report {
    let mut output = Output::new(file, parser, emit);
    read_into(stream, &mut output);
    output.report()
}

fn read_into(stream: impl Read, output: &mut Output<'_>) {
    let count = Rc::clone(&output.consumed);
    let mut source = Source::new(Counted {
        inner: stream,
        count,
    });
    let mut broken = Reason::Unreadable;
    if let Some(compression) = Compression::of(source.head(4).bytes) {
        broken = Reason::BrokenCompression;
        source = match compression.unpack(source) {
            Ok(source) => source,
            Err(error) => return output.issue(broken, Place::File, error),
        };
        // Once is usual, twice is a mistake or a trap.
        if Compression::of(source.head(4).bytes).is_some() {
            return output.issue(
                Reason::Archive,
                Place::File,
                "compressed twice: unpack it once",
            );
        }
    }
    // A stream may begin slowly, so a look at few bytes comes first.
    let first = if output.is_stream { 16 } else { HEAD };
    let wanted = match output.was_named {
        true => Confidence::Likely,
        false => Confidence::Sure,
    };
    let decoder = decode::recognise(&source.head(first), Confidence::Sure).or_else(|| {
        let head = source.head(HEAD);
        match refused(head.bytes) {
            Some(_) => None,
            None => decode::recognise(&head, wanted),
        }
    });
    match decoder {
        // The caller has had enough: there is nothing more to say.
        Some(decoder) if decoder.decode(&mut source, output).is_break() => return,
        Some(_) => {}
        None => match refused(source.head(0).bytes) {
            Some(detail) => output.issue(Reason::Archive, Place::File, detail),
            None => output.no_events(),
        },
    }
    if let Some(error) = source.failure() {
        output.issue(broken, Place::File, error);
    }
    // Whether the caller wants more no longer matters.
    let _ = output.flush();
}

/// Where decoders put what they find.
pub(crate) struct Output<'a> {
    pub(crate) parser: &'a mut Parser,
    emit: &'a mut dyn FnMut(Batch) -> ControlFlow<()>,
    batch: Batch,
    report: Report,
    /// Whether it is read as it comes.
    is_stream: bool,
    /// Whether the user named it, and did not just name a folder that it is in.
    was_named: bool,
    consumed: Rc<Cell<u64>>,
}

impl<'a> Output<'a> {
    /// For a stream; a file differs in `is_stream` and `was_named`.
    fn new(
        file: Arc<str>,
        parser: &'a mut Parser,
        emit: &'a mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Output<'a> {
        let batch = Batch {
            file,
            sequence: 0,
            block: Block::default(),
            positions: Vec::new(),
            consumed: 0,
        };
        Output {
            parser,
            emit,
            batch,
            report: Report::default(),
            is_stream: true,
            was_named: true,
            consumed: Rc::default(),
        }
    }

    /// Takes an event; `text` is one well-formed JSON object in UTF-8.
    pub(crate) fn event(&mut self, text: &[u8], position: Position) -> ControlFlow<()> {
        match self.parser.parse(text).map(|parsed| parsed.event().text()) {
            Ok(text) => self.scanned(text, position),
            Err(error) => {
                let column = error.offset as u64 + 1;
                let place = match position {
                    Position::Line(line) => Place::Text { line, column },
                    Position::Record(id) => Place::Record(id),
                };
                self.issue(Reason::Malformed, place, error.reason);
                ControlFlow::Continue(())
            }
        }
    }

    /// Takes the event that the parser has just scanned from the beginning of `text`.
    pub(crate) fn scanned(&mut self, text: &str, position: Position) -> ControlFlow<()> {
        self.batch.block.push(self.parser, text);
        self.batch.positions.push(position);
        self.report.events += 1;
        match self.batch.block.size() {
            BATCH.. => self.flush(),
            _ => ControlFlow::Continue(()),
        }
    }

    pub(crate) fn issue(&mut self, reason: Reason, place: Place, detail: impl Display) {
        self.report.add(Issue {
            reason,
            file: Arc::clone(&self.batch.file),
            place,
            detail: detail.to_string(),
        });
    }

    /// Says that the input holds nothing that is ours: wrong for one that the user named.
    pub(crate) fn no_events(&mut self) {
        match self.was_named {
            true => {
                let detail = format!("neither {}", decode::names());
                self.issue(Reason::NotEvents, Place::File, detail);
            }
            false => self.issue(Reason::Foreign, Place::File, ""),
        }
    }

    /// To be called before a read that may take long: events of a stream do not wait for those that come after them.
    pub(crate) fn before_read(&mut self) -> ControlFlow<()> {
        match self.is_stream {
            true => self.flush(),
            false => ControlFlow::Continue(()),
        }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if self.batch.positions.is_empty() {
            return ControlFlow::Continue(());
        }
        let next = Batch {
            file: Arc::clone(&self.batch.file),
            sequence: self.batch.sequence + 1,
            block: self.batch.block.another(),
            positions: Vec::with_capacity(self.batch.positions.len()),
            consumed: 0,
        };
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.consumed = self.consumed.get();
        (self.emit)(batch)
    }

    fn report(self) -> Report {
        Report {
            bytes: self.consumed.get(),
            ..self.report
        }
    }
}
