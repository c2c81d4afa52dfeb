//! JSON in all forms that events come in: one a line, one after another, pretty-printed, in a list, in a reply.
//!
//! These are one format, not several: a text is a row of values, white space between them means nothing, and lists and
//! wrappers are opened, so that even those of 5 GB are read value by value. Only when a value is broken do lines matter.
//! Then reading goes on at the next line that is not part of it: one that is neither indented deeper than the line the
//! value begins on, nor just closes it. That skips one line of JSON lines and one object of pretty-printed ones.

mod envelope;
mod repair;

use self::envelope::{Content, Wrapped, content, scan_member, scan_whole, truncated, wrapped};
use self::repair::{Escaped, balanced, begins_event};
use super::text::{BOM, sample};
use super::window::Window;
use super::{Confidence, Decoder, MAX_EVENT};
use crate::batch::Position;
use crate::read::Output;
use crate::report::{Place, Reason as Issue};
use crate::source::{Head, Source};
use event::{Malformed, Parser, Reason, scan_value};
use std::borrow::Cow;
use std::ops::ControlFlow;

pub(super) struct Json;

impl Decoder for Json {
    fn name(&self) -> &'static str {
        "JSON"
    }

    /// A text is JSON when it begins with an object or a list, or with any other value on a line of its own, or when
    /// half of its lines begin like objects: a log that was cut may begin in the middle of an event. An empty text is
    /// as good as any.
    fn recognises(&self, head: &Head<'_>) -> Confidence {
        let decoded = sample(head.bytes);
        let text = decoded
            .strip_prefix(BOM)
            .unwrap_or(&decoded)
            .trim_ascii_start();
        let is_object = |line: &[u8]| {
            let inside = line.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
            matches!(inside, Some([] | [b'"' | b'}', ..]))
        };
        let is_list = |line: &[u8]| {
            let inside = line.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
            matches!(inside, Some([] | [b'{' | b']', ..]))
        };
        if text.is_empty() || is_object(text) || is_list(text) {
            return Confidence::Sure;
        }
        let lines = || {
            let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            lines.filter(|line| !line.is_empty())
        };
        let is_value = |line: &[u8]| scan_value(line, 0).is_ok_and(|end| end == line.len());
        let is_json = lines().next().is_some_and(is_value)
            || 2 * lines().filter(|line| is_object(line)).count() >= lines().count();
        Confidence::sure_if(is_json)
    }

    fn decode(&self, source: &mut Source<'_>, output: &mut Output<'_>) -> ControlFlow<()> {
        let mut reader = Reader {
            window: Window::new(source),
            output,
            scopes: Vec::new(),
            patience: 16,
        };
        reader.run()
    }
}

struct Reader<'a, 's, 'o> {
    window: Window<'a, 's>,
    output: &'a mut Output<'o>,
    /// The lists and wrappers that are open.
    scopes: Vec<Scope>,
    /// How often the end of a broken value is still looked for by its brackets. In a list on a single line each try may
    /// run up to [`MAX_EVENT`] in vain, so that there must not be many.
    patience: u32,
}

/// An open list or object.
#[derive(Clone, Copy)]
struct Scope {
    kind: Kind,
    /// The line it was opened on.
    line: u64,
    after: After,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A list of events.
    Events,
    /// A list of Elasticsearch hits.
    Hits,
    /// The object around one of them.
    Object,
}

/// What stands before the place in a scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Opening,
    Value,
    Comma,
    /// A broken value: a comma may or may not follow.
    Broken,
}

/// Something that was scanned to its end, or cannot be.
enum Scanned<T> {
    Whole(T),
    Broken(Malformed),
    TooLong,
}

impl Reader<'_, '_, '_> {
    fn run(&mut self) -> ControlFlow<()> {
        while let Some(byte) = self.next_byte()? {
            match self.scopes.last().copied() {
                None if byte == b'[' => self.list()?,
                None => self.value(byte)?,
                Some(scope) if scope.kind == Kind::Object => self.in_object(scope, byte)?,
                Some(scope) => self.in_list(scope, byte)?,
            }
        }
        if !self.scopes.is_empty() {
            self.malformed(0, "the text ends in the middle of a list of events");
        }
        ControlFlow::Continue(())
    }

    /// Passes white space, and byte order marks, which may stand before any value: texts with one get concatenated,
    /// too. `None` at the end.
    fn next_byte(&mut self) -> ControlFlow<(), Option<u8>> {
        loop {
            let rest = self.window.rest();
            let blanks = rest.len() - rest.trim_ascii_start().len();
            self.window.advance(blanks);
            match self.window.rest() {
                rest if rest.starts_with(BOM) => self.window.advance(BOM.len()),
                rest if !self.window.ended() && BOM.starts_with(rest) => {
                    self.window.grow(self.output)?;
                }
                rest => return ControlFlow::Continue(rest.first().copied()),
            }
        }
    }

    /// A list at the top: one of events is opened, any other is a value like others.
    fn list(&mut self) -> ControlFlow<()> {
        let opened = self.scan(|text| match text[1..].trim_ascii_start().first() {
            Some(first) => Ok(matches!(first, b'{' | b']')),
            None => Err(truncated(text)),
        })?;
        if let Scanned::Whole(true) = opened {
            self.open(Kind::Events);
            self.window.advance(1);
            return ControlFlow::Continue(());
        }
        self.value(b'[')
    }

    fn in_list(&mut self, scope: Scope, byte: u8) -> ControlFlow<()> {
        match (byte, scope.after) {
            (b']', After::Opening | After::Value | After::Broken) => self.close(),
            (b',', After::Value | After::Broken) => {
                self.window.advance(1);
                self.set_after(After::Comma);
            }
            (b']', After::Comma) => {
                self.malformed(0, "a comma before the end of a list");
                self.close();
            }
            (b'{', After::Value) if self.window.begins_line() => {
                // More likely events one a line, after a line that was not one of them.
                self.malformed(0, "a comma or the end of the list expected");
                self.scopes.clear();
            }
            (_, After::Value) => return self.broken(0, "a comma or the end of the list expected"),
            (_, After::Opening | After::Comma | After::Broken) => {
                self.set_after(After::Value);
                return self.value(byte);
            }
        }
        ControlFlow::Continue(())
    }

    /// Inside a wrapper, after its list of events: the rest of it is checked and passed over.
    fn in_object(&mut self, scope: Scope, byte: u8) -> ControlFlow<()> {
        match (byte, scope.after) {
            (b'}', After::Value) => self.close(),
            (b',', After::Value) => {
                self.window.advance(1);
                self.set_after(After::Comma);
            }
            (b'"', After::Comma) => match self.scan(scan_member)? {
                Scanned::Whole(end) => {
                    self.window.advance(end);
                    self.set_after(After::Value);
                }
                Scanned::Broken(error) => return self.broken(error.offset, error.reason),
                Scanned::TooLong => return self.too_long(),
            },
            _ => return self.broken(0, "a comma or the end of the object expected"),
        }
        ControlFlow::Continue(())
    }

    fn open(&mut self, kind: Kind) {
        let after = match kind {
            Kind::Object => After::Value,
            Kind::Events | Kind::Hits => After::Opening,
        };
        self.scopes.push(Scope {
            kind,
            line: self.window.line(),
            after,
        });
    }

    fn close(&mut self) {
        self.window.advance(1);
        self.scopes.pop();
    }

    fn set_after(&mut self, after: After) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.after = after;
        }
    }

    /// One value: an event, a hit, a wrapper, or none of these.
    fn value(&mut self, byte: u8) -> ControlFlow<()> {
        if byte == b'{'
            && self.scopes.is_empty()
            && let Scanned::Whole(Some(list)) = self.scan(wrapped)?
        {
            self.unwrap(&list);
            return ControlFlow::Continue(());
        }
        // The parser takes objects only, and asks for more than the grammar: the keys that it learns are UTF-8.
        let scanned = self.scan_by(|parser, text| match parser.scan(text, 0) {
            Ok(end) => Ok((end, true)),
            Err(_) => scan_whole(text, 0).map(|end| (end, false)),
        })?;
        match scanned {
            Scanned::Whole((end, is_known)) if byte == b'{' => {
                let place = self.window.place(0);
                let text = &self.window.rest()[..end];
                let (line, in_hits) = (self.window.line(), self.in_hits());
                emit(self.output, text, is_known, place, line, in_hits)?;
                self.window.advance(end);
            }
            Scanned::Whole((end, _)) => {
                self.output
                    .issue(Issue::NotAnObject, self.window.place(0), kind_of(byte));
                self.window.advance(end);
            }
            Scanned::TooLong => return self.too_long(),
            Scanned::Broken(error) => {
                let is_control = error.reason == Reason::ControlCharacter;
                if byte == b'{' && is_control && self.window.rest()[error.offset] != b'\n' {
                    return self.escaped();
                }
                return self.malformed_value(error);
            }
        }
        ControlFlow::Continue(())
    }

    fn unwrap(&mut self, list: &Wrapped) {
        for _ in 0..list.depth {
            self.open(Kind::Object);
        }
        self.open(if list.hits { Kind::Hits } else { Kind::Events });
        self.window.advance(list.start);
    }

    fn in_hits(&self) -> bool {
        self.scopes
            .last()
            .is_some_and(|scope| scope.kind == Kind::Hits)
    }

    /// An object with control characters in its strings.
    fn escaped(&mut self) -> ControlFlow<()> {
        let indent = self.window.indent();
        let end = match self.scan(|text| balanced(text, indent))? {
            Scanned::Whole(Ok(end) | Err(end)) => end,
            Scanned::Broken(_) => self.window.rest().len(),
            Scanned::TooLong => return self.too_long(),
        };
        let value = Escaped::new(&self.window.rest()[..end]);
        match scan_value(&value.text, 0) {
            Ok(_) => {
                let place = self.window.place(value.at[0]);
                let count = value.at.len();
                self.output.issue(
                    Issue::ControlCharacter,
                    place,
                    format_args!("{count} of them"),
                );
                let (line, in_hits) = (self.window.line(), self.in_hits());
                emit(
                    self.output,
                    &value.text,
                    false,
                    self.window.place(0),
                    line,
                    in_hits,
                )?;
                self.window.advance(end);
                ControlFlow::Continue(())
            }
            Err(error) => self.malformed_value(Malformed {
                offset: value.origin(error.offset),
                ..error
            }),
        }
    }

    fn malformed_value(&mut self, error: Malformed) -> ControlFlow<()> {
        let rest = self.window.rest();
        // When a later line begins like an event, this one was cut off, and that is the news.
        let seen = &rest[..rest.len().min(error.offset + 1)];
        let next = memchr::memchr_iter(b'\n', seen)
            .find(|end| begins_event(&seen[end + 1..], self.window.indent()));
        if let Some(next) = next {
            let end = rest[..next].trim_ascii_end().len();
            return self.broken(end, Reason::Truncated);
        }
        if error.reason == Reason::Truncated {
            let end = rest[..error.offset].trim_ascii_end().len();
            return self.broken(end, error.reason);
        }
        if rest.get(error.offset) == Some(&b'\n') {
            return self.broken(error.offset, "the line ends in the middle of a string");
        }
        self.broken(error.offset, error.reason)
    }

    /// Reports a broken value, and passes it.
    fn broken(&mut self, offset: usize, detail: impl std::fmt::Display) -> ControlFlow<()> {
        self.malformed(offset, detail);
        // In a list there may be no lines to go by, but there are brackets.
        let in_list = self
            .scopes
            .last()
            .is_some_and(|scope| scope.kind != Kind::Object);
        if in_list && self.patience > 0 {
            let indent = self.window.indent();
            if let Scanned::Whole(Ok(end)) = self.scan(|text| balanced(text, indent))? {
                self.window.advance(end);
                self.set_after(After::Value);
                return ControlFlow::Continue(());
            }
            self.patience -= 1;
        }
        self.resume()
    }

    fn too_long(&mut self) -> ControlFlow<()> {
        self.output.issue(Issue::TooLong, self.window.place(0), "");
        self.resume()
    }

    fn malformed(&mut self, offset: usize, detail: impl std::fmt::Display) {
        self.output
            .issue(Issue::Malformed, self.window.place(offset), detail);
    }

    /// Goes to the next line that is not part of the broken value which begins here.
    fn resume(&mut self) -> ControlFlow<()> {
        let (line, indent) = (self.window.line(), self.window.indent());
        // A list that was opened on this line is lost with it, and so is a wrapper that broke.
        let in_object = self
            .scopes
            .last()
            .is_some_and(|scope| scope.kind == Kind::Object);
        self.scopes.retain(|scope| scope.line < line && !in_object);
        self.set_after(After::Broken);
        loop {
            self.window.pass_line(self.output)?;
            let Some(byte) = self.next_byte()? else {
                return ControlFlow::Continue(());
            };
            let depth = self.window.indent();
            if depth < indent || (depth == indent && byte != b'}') {
                return ControlFlow::Continue(());
            }
        }
    }

    /// Scans what begins here, reading on while it is not there to its end.
    fn scan<T>(
        &mut self,
        scan: impl Fn(&[u8]) -> Result<T, Malformed>,
    ) -> ControlFlow<(), Scanned<T>> {
        self.scan_by(|_, text| scan(text))
    }

    /// As [`Reader::scan`], with the help of the parser.
    fn scan_by<T>(
        &mut self,
        scan: impl Fn(&mut Parser, &[u8]) -> Result<T, Malformed>,
    ) -> ControlFlow<(), Scanned<T>> {
        loop {
            let rest = self.window.rest();
            let text = &rest[..rest.len().min(MAX_EVENT)];
            let scanned = match scan(self.output.parser, text) {
                Ok(found) => Scanned::Whole(found),
                Err(error) if error.reason != Reason::Truncated => Scanned::Broken(error),
                Err(_) if text.len() == MAX_EVENT => Scanned::TooLong,
                Err(error) if self.window.ended() => Scanned::Broken(error),
                Err(_) => {
                    self.window.grow(self.output)?;
                    continue;
                }
            };
            return ControlFlow::Continue(scanned);
        }
    }
}

/// Hands on a well-formed object, or the event inside it if it is a hit. `is_known`: whether it is what the parser has just
/// scanned.
fn emit(
    output: &mut Output<'_>,
    object: &[u8],
    is_known: bool,
    place: Place,
    line: u64,
    in_hits: bool,
) -> ControlFlow<()> {
    let text = match simdutf8::basic::from_utf8(object) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            output.issue(Issue::InvalidText, place, "not UTF-8");
            String::from_utf8_lossy(object)
        }
    };
    if text.len() > MAX_EVENT {
        // It has grown by being repaired.
        output.issue(Issue::TooLong, place, "");
        return ControlFlow::Continue(());
    }
    let position = Position::Line(line);
    match (content(text.as_bytes(), in_hits), &text) {
        (Content::Event, Cow::Borrowed(text)) if is_known => output.scanned(text, position),
        (Content::Event, text) => output.event(text.as_bytes(), position),
        (Content::Source(range), text) => output.event(&text.as_bytes()[range], position),
        (Content::NoSource, _) => {
            output.issue(Issue::HitWithoutSource, place, "");
            ControlFlow::Continue(())
        }
    }
}

/// What a value is that begins with this byte and is no object.
fn kind_of(byte: u8) -> &'static str {
    match byte {
        b'[' => "a list",
        b'"' => "a string",
        b't' | b'f' => "a truth value",
        b'n' => "null",
        _ => "a number",
    }
}
