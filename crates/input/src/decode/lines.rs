//! Logs of Linux with an event on each line: auditd's own, and what Sysmon for Linux sends to the system log.
//!
//! Lines stand alone or behind the prefix of a syslog daemon, and in a system log among those of all other programs. So
//! each line is told for itself; what others wrote is counted and left out.

mod auditd;
mod syslog;
mod sysmon;

use self::syslog::Line;
use super::text::{BOM, sample};
use super::window::Window;
use super::{Confidence, Decoder, MAX_EVENT};
use crate::batch::Position;
use crate::read::Output;
use crate::report::{Place, Reason};
use crate::source::{Head, Source};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// The longest line that is read. The kernel's records end at 9 kB and syslog's messages, as daemons are set, at 64 kB.
const MAX_LINE: usize = 1 << 20;

/// One form of lines.
struct Form {
    /// Whether a line is of this form, going by its beginning.
    recognises: fn(&Line<'_>) -> bool,
    /// Makes an event of it, or says why it is broken.
    convert: fn(&Line<'_>) -> Result<Converted, &'static str>,
}

/// What a line became.
struct Converted {
    /// The event, a JSON object.
    json: Vec<u8>,
    /// What is to be said about it.
    remark: Option<(Reason, &'static str)>,
}

static FORMS: &[Form] = &[auditd::FORM, sysmon::FORM];

impl Form {
    fn of(line: &Line<'_>) -> Option<&'static Form> {
        FORMS.iter().find(|form| (form.recognises)(line))
    }
}

pub(super) struct Lines;

impl Decoder for Lines {
    fn name(&self) -> &'static str {
        "a log of auditd or Sysmon for Linux"
    }

    /// A text is such a log when half of its lines have a known form or a syslog prefix: the first event may be far
    /// down in a system log.
    fn recognises(&self, head: &Head<'_>) -> Confidence {
        let text = sample(head.bytes);
        let whole = match memchr::memrchr(b'\n', &text) {
            Some(end) if !head.is_whole => &text[..end],
            _ => &text,
        };
        let (mut known, mut all) = (0, 0);
        for line in whole.split(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(trimmed(line));
            if !line.is_empty() {
                let line = Line::of(&line);
                known += usize::from(line.has_prefix || Form::of(&line).is_some());
                all += 1;
            }
        }
        Confidence::sure_if(known > 0 && 2 * known >= all)
    }

    fn decode(&self, source: &mut Source<'_>, output: &mut Output<'_>) -> ControlFlow<()> {
        let mut window = Window::new(source);
        let mut is_ours = false;
        loop {
            let rest = window.rest();
            let rest = &rest[..rest.len().min(MAX_LINE + 1)];
            match memchr::memchr(b'\n', rest) {
                Some(end) => {
                    is_ours |= read(&rest[..end], window.place(0), window.line(), output)?;
                    window.advance(end + 1);
                }
                None if rest.len() > MAX_LINE => {
                    output.issue(Reason::BrokenLine, window.place(0), "longer than 1 MiB");
                    window.pass_line(output)?;
                }
                None if window.ended() => break,
                None => window.grow(output)?,
            }
        }
        if !is_ours {
            output.no_events();
        }
        ControlFlow::Continue(())
    }
}

/// A line without what is around its text.
fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(BOM).unwrap_or(line).trim_ascii()
}

/// Reads one line; whether it is, or should be, one of ours.
fn read(bytes: &[u8], place: Place, number: u64, output: &mut Output<'_>) -> ControlFlow<(), bool> {
    let text = String::from_utf8_lossy(trimmed(bytes));
    if text.is_empty() {
        return ControlFlow::Continue(false);
    }
    let line = Line::of(&text);
    let Some(form) = Form::of(&line) else {
        output.issue(Reason::ForeignLine, place, "");
        return ControlFlow::Continue(false);
    };
    if let Cow::Owned(_) = text {
        output.issue(Reason::InvalidText, place, "not UTF-8");
    }
    match (form.convert)(&line) {
        Ok(event) if event.json.len() > MAX_EVENT => output.issue(Reason::TooLong, place, ""),
        Ok(event) => {
            if let Some((reason, detail)) = event.remark {
                output.issue(reason, place, detail);
            }
            output.event(&event.json, Position::Line(number))?;
        }
        Err(detail) => output.issue(Reason::BrokenLine, place, detail),
    }
    ControlFlow::Continue(true)
}
