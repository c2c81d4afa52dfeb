//! The part of a text that is in memory: it begins where the decoder is and grows when asked to.

use super::text::Text;
use crate::batch::BATCH;
use crate::read::Output;
use crate::report::{Place, Reason};
use crate::source::Source;
use std::ops::ControlFlow;

/// How much is read at once: no more than a batch takes, so that each batch is a step ahead.
const READ: usize = BATCH;

pub(super) struct Window<'a, 's> {
    source: &'a mut Source<'s>,
    text: Text,
    raw: Vec<u8>,
    data: Vec<u8>,
    /// Where the unread part of `data` begins.
    at: usize,
    ended: bool,
    line: u64,
    /// How many bytes of the current line lie before `at`.
    column: u64,
    /// How many blanks the current line begins with.
    indent: u64,
    /// Whether the current line has been blank so far.
    leading: bool,
}

impl<'a, 's> Window<'a, 's> {
    pub(super) fn new(source: &'a mut Source<'s>) -> Window<'a, 's> {
        Window {
            text: Text::of(source.head(0).bytes),
            source,
            raw: vec![0; READ],
            data: Vec::new(),
            at: 0,
            ended: false,
            line: 1,
            column: 0,
            indent: 0,
            leading: true,
        }
    }

    /// What has been read and not been passed.
    pub(super) fn rest(&self) -> &[u8] {
        &self.data[self.at..]
    }

    /// Whether nothing follows `rest`.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The number of the current line, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// How many blanks the current line begins with.
    pub(super) fn indent(&self) -> u64 {
        self.indent
    }

    /// Whether `rest` begins with the first character of a line that is no blank.
    pub(super) fn begins_line(&self) -> bool {
        self.leading
    }

    /// The place of `rest()[offset]`.
    pub(super) fn place(&self, offset: usize) -> Place {
        let before = &self.rest()[..offset.min(self.rest().len())];
        let (line, column) = behind((self.line, self.column + 1), before);
        Place::Text { line, column }
    }

    /// Passes `count` bytes.
    pub(super) fn advance(&mut self, count: usize) {
        let passed = &self.data[self.at..self.at + count];
        let mut of_line = passed;
        if let Some(last) = memchr::memrchr(b'\n', passed) {
            self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
            (self.column, self.indent, self.leading) = (0, 0, true);
            of_line = &passed[last + 1..];
        }
        self.column += of_line.len() as u64;
        if self.leading {
            let blanks = of_line
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            self.indent += blanks as u64;
            self.leading = blanks == of_line.len();
        }
        self.at += count;
    }

    /// Passes the rest of the current line, however long it is.
    pub(super) fn pass_line(&mut self, output: &mut Output<'_>) -> ControlFlow<()> {
        loop {
            let rest = self.rest();
            if let Some(end) = memchr::memchr(b'\n', rest) {
                self.advance(end + 1);
                return ControlFlow::Continue(());
            }
            self.advance(rest.len());
            if self.ended {
                return ControlFlow::Continue(());
            }
            self.grow(output)?;
        }
    }

    /// Reads on. Afterwards `rest` is longer, or the end has come.
    pub(super) fn grow(&mut self, output: &mut Output<'_>) -> ControlFlow<()> {
        self.data.drain(..self.at);
        self.at = 0;
        let before = self.data.len();
        // What is longer than a read is looked at again from its beginning, so it doubles.
        let wanted = if before < READ { 1 } else { before };
        while !self.ended && self.data.len() < before + wanted {
            output.before_read()?;
            let read = self.source.pull(&mut self.raw);
            self.ended = read == 0;
            let replaced = self
                .text
                .decode(&self.raw[..read], self.ended, &mut self.data);
            if self.ended {
                // Every line has an end; so no number at the end of the text could go on.
                self.data.push(b'\n');
            }
            // There may be very many: each is counted on from the one before.
            let (mut from, mut place) = (0, (self.line, self.column + 1));
            for at in replaced {
                place = behind(place, &self.data[from..at]);
                from = at;
                let (line, column) = place;
                output.issue(
                    Reason::InvalidText,
                    Place::Text { line, column },
                    "not UTF-16",
                );
            }
        }
        ControlFlow::Continue(())
    }
}

/// The line and column behind `text`, which begins at these.
fn behind((line, column): (u64, u64), text: &[u8]) -> (u64, u64) {
    match memchr::memrchr(b'\n', text) {
        None => (line, column + text.len() as u64),
        Some(last) => (
            line + memchr::memchr_iter(b'\n', text).count() as u64,
            (text.len() - last) as u64,
        ),
    }
}
