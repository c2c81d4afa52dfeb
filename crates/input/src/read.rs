//! Reading one input: open, unpack, recognise, decode.

use crate::batch::{BATCH, Batch, Position, Span};
use crate::compression::{Compression, refused};
use crate::decode;
use crate::report::{Issue, Place, Reason, Report};
use crate::source::{Counted, Source};
use crate::walk::Input;
use std::cell::Cell;
use std::fmt::Display;
use std::io::Read;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

/// How much of an input is looked at to recognise it, if its first bytes are not enough.
const HEAD: usize = 64 << 10;

/// Reads an input and hands its events to `emit`, batch by batch and in order, until there are no more or `emit` breaks
/// off. Inputs are independent of one another: several threads may read one each.
pub fn read(input: &Input, emit: &mut dyn FnMut(Batch) -> ControlFlow<()>) -> Report {
    let mut output = Output::new(input.file.clone(), input.is_stream(), emit);
    match input.open() {
        Ok(stream) => read_into(stream, input.was_named(), &mut output),
        Err(error) => output.issue(Reason::Unreadable, Place::File, error),
    }
    output.report()
}

/// Reads a stream that is not in the file system; as [`read`] otherwise. `file` is the name its events go by.
pub fn read_stream(
    file: Arc<str>,
    stream: impl Read,
    emit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
) -> Report {
    let mut output = Output::new(file, true, emit);
    read_into(stream, true, &mut output);
    output.report()
}

fn read_into(stream: impl Read, was_named: bool, output: &mut Output<'_>) {
    let count = Rc::clone(&output.consumed);
    let mut source = Source::new(Counted {
        inner: stream,
        count,
    });
    let mut broken = Reason::Unreadable;
    if let Some(compression) = Compression::of(source.head(4)) {
        broken = Reason::BrokenCompression;
        source = match compression.unpack(source) {
            Ok(source) => source,
            Err(error) => return output.issue(broken, Place::File, error),
        };
        // Once is usual, twice is a mistake or a trap.
        if Compression::of(source.head(4)).is_some() {
            return output.issue(
                Reason::Archive,
                Place::File,
                "compressed twice: unpack it once",
            );
        }
    }
    // A stream may begin slowly, so a look at few bytes comes first.
    let first = if output.is_stream { 16 } else { HEAD };
    let decoder = decode::recognise(source.head(first)).or_else(|| {
        let head = source.head(HEAD);
        match refused(head) {
            Some(_) => None,
            None => decode::recognise(head),
        }
    });
    match decoder {
        // The caller has had enough: there is nothing more to say.
        Some(decoder) if decoder.decode(&mut source, output).is_break() => return,
        Some(_) => {}
        None => match refused(source.head(0)) {
            Some(detail) => output.issue(Reason::Archive, Place::File, detail),
            None if was_named => {
                let detail = format!("neither {}", decode::names());
                output.issue(Reason::NotEvents, Place::File, detail);
            }
            None => output.issue(Reason::Foreign, Place::File, ""),
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
    emit: &'a mut dyn FnMut(Batch) -> ControlFlow<()>,
    batch: Batch,
    report: Report,
    is_stream: bool,
    consumed: Rc<Cell<u64>>,
}

impl<'a> Output<'a> {
    fn new(
        file: Arc<str>,
        is_stream: bool,
        emit: &'a mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Output<'a> {
        let batch = Batch {
            file,
            sequence: 0,
            bytes: Vec::new(),
            spans: Vec::new(),
            consumed: 0,
        };
        Output {
            emit,
            batch,
            report: Report::default(),
            is_stream,
            consumed: Rc::default(),
        }
    }

    /// Takes an event; `text` is one well-formed JSON object in UTF-8.
    pub(crate) fn event(&mut self, text: &[u8], position: Position) -> ControlFlow<()> {
        let start = self.batch.bytes.len();
        self.batch.bytes.extend_from_slice(text);
        let range = start..self.batch.bytes.len();
        self.batch.spans.push(Span { range, position });
        self.report.events += 1;
        match self.batch.bytes.len() {
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

    /// To be called before a read that may take long: events of a stream do not wait for those that come after them.
    pub(crate) fn before_read(&mut self) -> ControlFlow<()> {
        match self.is_stream {
            true => self.flush(),
            false => ControlFlow::Continue(()),
        }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if self.batch.spans.is_empty() {
            return ControlFlow::Continue(());
        }
        let next = Batch {
            file: Arc::clone(&self.batch.file),
            sequence: self.batch.sequence + 1,
            bytes: Vec::with_capacity(self.batch.bytes.len()),
            spans: Vec::with_capacity(self.batch.spans.len()),
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
