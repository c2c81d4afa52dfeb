//! The bytes of one input, with a look ahead.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// The beginning of an input.
pub(crate) struct Head<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether nothing follows.
    pub(crate) is_whole: bool,
}

/// A stream of bytes whose beginning can be looked at before it is read, and which keeps the error that ended it.
pub(crate) struct Source<'a> {
    inner: Box<dyn Read + 'a>,
    head: Vec<u8>,
    /// How much of `head` has been read.
    at: usize,
    /// Whether nothing follows `head`.
    ended: bool,
    failure: Option<io::Error>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(inner: impl Read + 'a) -> Source<'a> {
        Source {
            inner: Box::new(inner),
            head: Vec::new(),
            at: 0,
            ended: false,
            failure: None,
        }
    }

    /// The first bytes: at least `wanted` unless there are fewer.
    pub(crate) fn head(&mut self, wanted: usize) -> Head<'_> {
        while self.head.len() < wanted && !self.ended {
            let filled = self.head.len();
            self.head.resize(wanted.max(filled + 4096), 0);
            let read = match retried(|| self.inner.read(&mut self.head[filled..])) {
                Ok(read) => read,
                Err(error) => {
                    self.failure.get_or_insert(error);
                    0
                }
            };
            self.head.truncate(filled + read);
            self.ended = read == 0;
        }
        Head {
            bytes: &self.head,
            is_whole: self.ended,
        }
    }

    /// Reads some bytes; 0 at the end. An error is an end, too: see [`Source::failure`].
    pub(crate) fn pull(&mut self, into: &mut [u8]) -> usize {
        match retried(|| self.read(into)) {
            Ok(read) => read,
            Err(error) => {
                self.failure.get_or_insert(error);
                0
            }
        }
    }

    /// Reads until `into` is full or the end has come.
    pub(crate) fn pull_all(&mut self, into: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < into.len() {
            match self.pull(&mut into[filled..]) {
                0 => break,
                read => filled += read,
            }
        }
        filled
    }

    /// The error that ended the stream too early, if one did.
    pub(crate) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at < self.head.len() {
            let length = into.len().min(self.head.len() - self.at);
            into[..length].copy_from_slice(&self.head[self.at..self.at + length]);
            self.at += length;
            return Ok(length);
        }
        match self.failure.take() {
            Some(error) => Err(error),
            None => self.inner.read(into),
        }
    }
}

fn retried(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Counts the bytes that pass.
pub(crate) struct Counted<R> {
    pub(crate) inner: R,
    pub(crate) count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}
