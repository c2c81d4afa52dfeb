//! CSV with a header: each row becomes one flat event, with the names of the header as its keys.
//!
//! - **Values are strings, as written.** A cell that is empty is left out, as winlogbeat leaves out what is empty: in a
//!   table with the columns of many kinds of events it means that the event has no such field.
//! - **Names are as written, too.** Of two columns with one name both are kept. A column without a name is called
//!   `column` and its number, from 1.
//! - **A row is read whatever its length.** One with more or fewer cells than the header is counted.
//! - **A quotation mark that is never closed costs its line.** Without that it would swallow the rest of the file.
//!
//! Parsing is the `csv-core` crate's, of which the better known `csv` is made: it is fed piece by piece, so that a row
//! without an end takes no more memory than any other, and each row knows its line.

mod table;

use self::table::Table;
use super::window::Window;
use super::{Confidence, Decoder, MAX_EVENT};
use crate::batch::Position;
use crate::read::Output;
use crate::report::Reason;
use crate::source::{Head, Source};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::ops::ControlFlow;

/// The most cells that a row may have. No spreadsheet makes more than 16,384.
const MOST_CELLS: usize = 1 << 16;

const UNCLOSED: &str = "a quotation mark is not closed";

pub(super) struct Csv;

impl Decoder for Csv {
    fn name(&self) -> &'static str {
        "CSV with a header"
    }

    /// See [`Table`]: hardly anything is not the beginning of some table, so a file that was only found must look like
    /// one all through.
    fn recognises(&self, head: &Head<'_>) -> Confidence {
        Table::of(head).map_or(Confidence::No, |table| table.confidence)
    }

    fn decode(&self, source: &mut Source<'_>, output: &mut Output<'_>) -> ControlFlow<()> {
        let Some(table) = Table::of(&source.head(0)) else {
            return ControlFlow::Continue(());
        };
        let mut rows = Rows::new(source, table.delimiter);
        rows.pass(table.preamble, output)?;
        let keys: Vec<Vec<u8>> = table.names.iter().map(|name| key(name)).collect();
        let mut event = Vec::new();
        if rows.next(output)? {
            rows.check_text(output);
        }
        let header = rows.row.clone();
        while rows.next(output)? {
            match rows.row == header {
                true => output.issue(Reason::RepeatedHeader, rows.window.place(0), ""),
                false => rows.emit(&keys, &mut event, output)?,
            }
        }
        ControlFlow::Continue(())
    }
}

/// A name as it stands in an event, with the colon after it.
fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 3);
    push_string(&mut key, name);
    key.push(b':');
    key
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// The cells of one row, without their quotation marks.
#[derive(Clone)]
struct Row {
    /// Their text, back to back.
    text: Vec<u8>,
    filled: usize,
    /// Where each of them ends in `text`.
    ends: Vec<usize>,
    count: usize,
}

impl Row {
    fn new() -> Row {
        Row {
            text: vec![0; 1024],
            filled: 0,
            ends: vec![0; 64],
            count: 0,
        }
    }

    fn clear(&mut self) {
        (self.filled, self.count) = (0, 0);
    }

    /// Takes more of a row from `input`; returns how much of that was read, and how far the row is there.
    fn read(&mut self, reader: &mut Reader, input: &[u8]) -> (usize, Extent) {
        let mut read = 0;
        while read < input.len() {
            let text = &mut self.text[self.filled..];
            let ends = &mut self.ends[self.count..];
            let (result, taken, filled, count) = reader.read_record(&input[read..], text, ends);
            read += taken;
            self.filled += filled;
            self.count += count;
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => return (read, Extent::Whole),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull if self.count >= MOST_CELLS => {
                    return (read, Extent::TooWide);
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
            }
        }
        (read, Extent::Begun)
    }

    fn bytes(&self) -> &[u8] {
        &self.text[..self.filled]
    }

    /// The cells that are there to their end.
    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends[..self.count].iter().map(move |end| {
            let cell = &self.text[start..*end];
            start = *end;
            cell
        })
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        self.bytes() == other.bytes() && self.cells().eq(other.cells())
    }
}

/// How much of a row there is.
enum Extent {
    Begun,
    Whole,
    /// More cells than are read.
    TooWide,
}

/// The rows of a text, one after another.
struct Rows<'a, 's> {
    window: Window<'a, 's>,
    delimiter: u8,
    reader: Reader,
    row: Row,
    /// How much of `window` the row takes that was read last.
    length: usize,
    /// How many bytes may still be read again after they turned out not to be one row.
    patience: usize,
}

impl<'a, 's> Rows<'a, 's> {
    fn new(source: &'a mut Source<'s>, delimiter: u8) -> Rows<'a, 's> {
        Rows {
            window: Window::new(source),
            delimiter,
            reader: reader(delimiter),
            row: Row::new(),
            length: 0,
            patience: 16 * MAX_EVENT,
        }
    }

    /// Passes what stands before the header.
    fn pass(&mut self, length: usize, output: &mut Output<'_>) -> ControlFlow<()> {
        while self.window.rest().len() < length && !self.window.ended() {
            self.window.grow(output)?;
        }
        self.window.advance(length.min(self.window.rest().len()));
        ControlFlow::Continue(())
    }

    /// Passes the last row, and reads the next; there is none when this is `false`. What is no row is reported.
    fn next(&mut self, output: &mut Output<'_>) -> ControlFlow<(), bool> {
        self.window.advance(std::mem::take(&mut self.length));
        while self.begins(output)? {
            match self.read(output)? {
                None => return ControlFlow::Continue(true),
                Some((reason, detail)) => {
                    output.issue(reason, self.window.place(0), detail);
                    self.give_up(output)?;
                }
            }
        }
        ControlFlow::Continue(false)
    }

    /// Passes blank lines; whether anything follows.
    fn begins(&mut self, output: &mut Output<'_>) -> ControlFlow<(), bool> {
        loop {
            let rest = self.window.rest();
            let is_end = |byte: &&u8| matches!(byte, b'\n' | b'\r');
            let blanks = rest.iter().take_while(is_end).count();
            let is_there = blanks < rest.len();
            self.window.advance(blanks);
            if is_there || self.window.ended() {
                return ControlFlow::Continue(is_there);
            }
            self.window.grow(output)?;
        }
    }

    /// Reads one row, or says why what begins here is none.
    fn read(&mut self, output: &mut Output<'_>) -> ControlFlow<(), Option<(Reason, &'static str)>> {
        self.row.clear();
        let broken = loop {
            let rest = self.window.rest();
            let unread = &rest[self.length..rest.len().min(MAX_EVENT)];
            let (read, extent) = self.row.read(&mut self.reader, unread);
            self.length += read;
            match extent {
                Extent::Whole if self.is_one() => return ControlFlow::Continue(None),
                Extent::Whole => break (Reason::BrokenLine, UNCLOSED),
                Extent::TooWide => break (Reason::BrokenLine, "more than 65,536 cells"),
                Extent::Begun if self.length >= MAX_EVENT => break (Reason::TooLong, ""),
                // Every text ends with the end of a line, so that only a quotation mark can want more.
                Extent::Begun if self.window.ended() => {
                    break (Reason::BrokenLine, UNCLOSED);
                }
                Extent::Begun => self.window.grow(output)?,
            }
        };
        ControlFlow::Continue(Some(broken))
    }

    /// Whether the row that was read is one, and not several of which the first has a quotation mark that is closed by
    /// the first one of another.
    fn is_one(&self) -> bool {
        let row = self.window.rest()[..self.length].trim_ascii_end();
        memchr::memchr(b'\n', row).is_none() || is_quoted_well(row, self.delimiter)
    }

    /// Goes to the next line, or when that was done too often, to the end of what was read in vain.
    fn give_up(&mut self, output: &mut Output<'_>) -> ControlFlow<()> {
        self.reader.reset();
        let length = std::mem::take(&mut self.length);
        match self.patience.checked_sub(length) {
            Some(patience) => self.patience = patience,
            None => self.window.advance(length),
        }
        self.window.pass_line(output)
    }

    /// Reports the row that was read last if it is no UTF-8.
    fn check_text(&self, output: &mut Output<'_>) {
        if simdutf8::basic::from_utf8(self.row.bytes()).is_err() {
            output.issue(Reason::InvalidText, self.window.place(0), "not UTF-8");
        }
    }

    /// Hands on the row that was read last.
    fn emit(
        &self,
        keys: &[Vec<u8>],
        event: &mut Vec<u8>,
        output: &mut Output<'_>,
    ) -> ControlFlow<()> {
        let (row, place) = (&self.row, self.window.place(0));
        if row.count != keys.len() {
            let detail = format_args!("{}, the header has {}", row.count, keys.len());
            output.issue(Reason::Ragged, place, detail);
        }
        self.check_text(output);
        event.clear();
        for (column, cell) in row.cells().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            event.push(if event.is_empty() { b'{' } else { b',' });
            match keys.get(column) {
                Some(key) => event.extend_from_slice(key),
                None => event.extend_from_slice(&key(&unnamed(column))),
            }
            push_string(event, &String::from_utf8_lossy(cell));
            if event.len() >= MAX_EVENT {
                // It has grown by its names.
                output.issue(Reason::TooLong, place, "");
                return ControlFlow::Continue(());
            }
        }
        if event.is_empty() {
            event.push(b'{');
        }
        event.push(b'}');
        output.event(event, Position::Line(self.window.line()))
    }
}

/// Whether each quotation mark that closes a cell is the last of it.
fn is_quoted_well(row: &[u8], delimiter: u8) -> bool {
    let mut at = 0;
    while at < row.len() {
        if row[at] == b'"' {
            at += 1;
            // Two of them in a row stand for one inside the cell.
            while let Some(found) = memchr::memchr(b'"', &row[at..]) {
                at += found + 1;
                if row.get(at) != Some(&b'"') {
                    break;
                }
                at += 1;
            }
            if row.get(at).is_some_and(|after| *after != delimiter) {
                return false;
            }
        }
        at += memchr::memchr(delimiter, &row[at..]).map_or(row.len() - at, |found| found + 1);
    }
    true
}

fn reader(delimiter: u8) -> Reader {
    ReaderBuilder::new().delimiter(delimiter).build()
}

/// What a column is called that has no name of its own.
fn unnamed(column: usize) -> String {
    format!("column{}", column + 1)
}
