//! The audit log of Linux: `type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e comm="cat" …`.
//!
//! Each record becomes one flat event with the names of the record as its keys and strings as values; what `msg=audit(…)`
//! says is also its `@timestamp` and `serial`.
//!
//! - **One record, one event.** What happened once is written as several records with one serial. They are not joined:
//!   Sigma's rules test one record, by its `type` and the names that it has there, and the same names mean other things
//!   in other records. `a0` is a number in `SYSCALL` and a word of the command line in `EXECVE`, and of the `name`s of
//!   two `PATH`s only one may be meant.
//! - **Encoded values are decoded**: those of names that auditd is known to encode, written as an even number of capital
//!   hexadecimal digits without quotation marks. The zeros between the arguments in `proctitle` become blanks, and the keys
//!   of several audit rules, a list.
//! - **What is inside `msg='…'`** stands beside the rest.
//! - **Long arguments** come in pieces, `a1[0]`, `a1[1]` …; those of one record become one `a1`.
//! - **Words without a name**, as in `avc:  denied  { read } for`, become `message`.
//!
//! `log_format = ENRICHED` adds names to numbers, such as `SYSCALL=execve` to `syscall=59`; some rules need them.
//!
//! Sources: audit's own README and `auparse/typetab.h` for which names are encoded, the kernel's `audit_log_execve_info`.

use super::syslog::Line;
use super::{Converted, Form};
use crate::decode::writer::Writer;
use crate::report::Reason;
use jiff::Timestamp;
use std::borrow::Cow;

pub(super) const FORM: Form = Form {
    recognises: |line| Stamp::split(line.message).is_some(),
    convert: |line| {
        let (stamp, rest) = Stamp::split(line.message).ok_or("no record")?;
        convert(line, &stamp, rest)
    },
};

/// Names whose values are encoded when they have blanks, quotation marks or anything else than ASCII in them, sorted. So
/// are the arguments in `EXECVE`.
#[rustfmt::skip]
static ENCODED: &[&str] = &[
    "acct", "apparmor", "cgroup", "cmd", "comm", "cwd", "data", "denied_mask", "device", "dir", "exe", "file", "grp",
    "info", "invalid_context", "key", "name", "new-chardev", "new-disk", "new-fs", "new-net", "new-rng", "new_group",
    "ocomm", "old-chardev", "old-disk", "old-fs", "old-net", "old-rng", "operation", "path", "proctitle", "profile",
    "requested_mask", "root_dir", "sw", "vm", "watch",
];

/// What the kernel puts between the keys of several audit rules.
const BETWEEN_KEYS: char = '\u{1}';

/// What auditd puts before the names that it adds to numbers.
const BEFORE_ENRICHMENT: char = '\u{1d}';

/// What every record begins with.
struct Stamp<'a> {
    /// The host, where several write into one log.
    node: &'a str,
    kind: &'a str,
    /// `audit(…)`, as it stands there.
    text: &'a str,
    seconds: &'a str,
    milliseconds: &'a str,
    serial: &'a str,
}

impl<'a> Stamp<'a> {
    /// Splits a record after it.
    fn split(message: &'a str) -> Option<(Stamp<'a>, &'a str)> {
        let (node, record) = match message.strip_prefix("node=") {
            Some(rest) => rest.split_once(' ')?,
            None => ("", message),
        };
        let (kind, rest) = record.strip_prefix("type=")?.split_once(' ')?;
        let text = rest.strip_prefix("msg=")?;
        let (inside, rest) = text.strip_prefix("audit(")?.split_once(')')?;
        let (time, serial) = inside.split_once(':').unwrap_or((inside, ""));
        let (seconds, milliseconds) = time.split_once('.').unwrap_or((time, ""));
        let stamp = Stamp {
            node,
            kind,
            text: &text[..text.len() - rest.len()],
            seconds,
            milliseconds,
            serial,
        };
        Some((stamp, rest.strip_prefix(':').unwrap_or(rest)))
    }

    fn time(&self) -> Option<Timestamp> {
        let milliseconds: u16 = self
            .milliseconds
            .parse()
            .ok()
            .filter(|number| *number < 1000)?;
        let nanoseconds = i32::from(milliseconds) * 1_000_000;
        Timestamp::new(self.seconds.parse().ok()?, nanoseconds).ok()
    }
}

fn convert(line: &Line<'_>, stamp: &Stamp<'_>, text: &str) -> Result<Converted, &'static str> {
    let time = stamp.time().ok_or("no time in `audit(…)`")?;
    let record = Record::of(stamp.kind, text);
    let mut out = Writer::new(2 * line.message.len());
    out.text("@timestamp", &format!("{time:.3}"));
    out.number("serial", stamp.serial);
    out.string(
        "node",
        if stamp.node.is_empty() {
            line.host
        } else {
            stamp.node
        },
    );
    out.text("type", stamp.kind);
    out.text("msg", stamp.text);
    let mut is_text = true;
    for (name, value) in &record.fields {
        let value = String::from_utf8_lossy(value);
        is_text &= matches!(value, Cow::Borrowed(_));
        match *name {
            "proctitle" => out.text(name, &value.replace('\0', " ")),
            "key" if value.contains(BETWEEN_KEYS) => out.strings(name, value.split(BETWEEN_KEYS)),
            _ => out.text(name, &value),
        }
    }
    out.string("message", &record.words.join(" "));
    Ok(Converted {
        json: out.finish(),
        remark: (!is_text).then_some((Reason::InvalidText, "not UTF-8, in an encoded value")),
    })
}

/// What stands in a record.
struct Record<'a> {
    /// Names with their values, decoded.
    fields: Vec<(&'a str, Cow<'a, [u8]>)>,
    /// Words that are no value of a name.
    words: Vec<&'a str>,
    has_arguments: bool,
}

impl<'a> Record<'a> {
    fn of(kind: &str, text: &'a str) -> Record<'a> {
        let mut record = Record {
            fields: Vec::new(),
            words: Vec::new(),
            has_arguments: kind == "EXECVE",
        };
        // The message of a program, in its own quotation marks, has the same form as what is around it.
        let (before, inside) = text.split_once(" msg='").unwrap_or((text, ""));
        let (inside, after) = inside.rsplit_once('\'').unwrap_or((inside, ""));
        for part in [before, inside, after] {
            record.read(part);
        }
        record
    }

    fn read(&mut self, text: &'a str) {
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', BEFORE_ENRICHMENT]);
            if rest.is_empty() {
                return;
            }
            let end = rest
                .find([' ', BEFORE_ENRICHMENT, '='])
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            rest = match after.strip_prefix('=') {
                Some(value) if !name.is_empty() => self.value(name, value),
                _ => {
                    // A lone `=` is a word, too.
                    let end = rest.find([' ', BEFORE_ENRICHMENT]).unwrap_or(rest.len());
                    let (word, after) = rest.split_at(end);
                    self.words.push(word);
                    after
                }
            };
        }
    }

    /// Takes the value that `text` begins with; returns what follows.
    fn value(&mut self, name: &'a str, text: &'a str) -> &'a str {
        let until = |end: char| text[1..].split_once(end).unwrap_or((&text[1..], ""));
        let (value, rest) = match text.as_bytes().first() {
            Some(b'"') => until('"'),
            Some(b'\'') => until('\''),
            Some(b'{') => until('}'),
            _ => {
                let end = text.find([' ', BEFORE_ENRICHMENT]).unwrap_or(text.len());
                let value = text[..end].trim_end_matches(',');
                self.add(name, self.decoded(name, value));
                return &text[end..];
            }
        };
        self.add(name, Cow::Borrowed(value.trim_matches(' ').as_bytes()));
        rest
    }

    /// A value without quotation marks, decoded if it is encoded.
    fn decoded(&self, name: &'a str, value: &'a str) -> Cow<'a, [u8]> {
        let may_be = ENCODED.binary_search(&name).is_ok() || self.argument(name).is_some();
        match decode(value).filter(|_| may_be) {
            Some(bytes) => Cow::Owned(bytes),
            None => Cow::Borrowed(value.as_bytes()),
        }
    }

    /// Which argument a name says, without the number of its piece.
    fn argument(&self, name: &'a str) -> Option<&'a str> {
        let argument = name.split('[').next().unwrap_or(name);
        let number = argument.strip_prefix('a').filter(|_| self.has_arguments)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(argument)
    }

    fn add(&mut self, name: &'a str, value: Cow<'a, [u8]>) {
        let argument = self.argument(name).unwrap_or(name);
        match self.fields.last_mut() {
            Some((last, begun)) if *last == argument && argument != name => {
                begun.to_mut().extend_from_slice(&value);
            }
            _ => self.fields.push((argument, value)),
        }
    }
}

/// The bytes that an even number of capital hexadecimal digits stands for.
fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(16 * digit(*high)? + digit(*low)?));
    bytes
        .collect::<Option<Vec<u8>>>()
        .filter(|bytes| rest.is_empty() && !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted() {
        assert!(ENCODED.is_sorted());
    }

    #[test]
    fn digits_are_bytes() {
        assert_eq!(decode("6C73").as_deref(), Some(&b"ls"[..]));
        for other in ["", "6", "6C7", "6c73", "(null)", "6C 7", "ä"] {
            assert_eq!(decode(other), None, "{other}");
        }
    }
}
