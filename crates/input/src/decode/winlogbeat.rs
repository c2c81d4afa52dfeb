//! One Windows event, given as XML, in the raw shape of winlogbeat 8, before any ingest pipeline. Sysmon for Linux writes
//! the same XML.
//!
//! What winlogbeat does to a record, and so do we:
//!
//! 1. every value in `event_data` and `user_data` is a string, also numbers and booleans;
//! 2. empty values are left out;
//! 3. `Data` without a name becomes `param1`, `param2` … by its place, the empty ones counted;
//! 4. of two values with one name the first wins; CRLF becomes LF;
//! 5. names keep their blanks.
//!
//! GUIDs of the header are written in capitals, as winlogbeat does; those in the data as Windows renders them. Where
//! winlogbeat drops the elements inside a value, they are kept here under a path: `Outer.Inner`.

pub(super) mod xml;

use self::xml::{Tag, Token, Tokens, unescape};
use super::writer::Writer;
use evtx::Timestamp;
use std::borrow::Cow;
use std::collections::HashSet;

/// The longest path of names that the elements inside a value are put under; deeper ones go by their own name.
const LONGEST_PATH: usize = 256;

/// One event in XML.
pub(super) struct Record<'a> {
    /// Its `Event` element.
    pub(super) xml: &'a str,
    /// Its id, for a record that does not name it itself.
    pub(super) id: Option<u64>,
    /// When it was written, for a record that does not say when it happened.
    pub(super) written: Option<Timestamp>,
}

/// What a record became.
pub(super) struct Converted {
    /// The event, a JSON object.
    pub(super) json: Vec<u8>,
    /// Whether it names the channel it comes from.
    pub(super) has_channel: bool,
}

/// Writes a record as winlogbeat would.
pub(super) fn convert(record: &Record<'_>) -> Converted {
    let parts = Parts::of(record.xml);
    let has_channel = !parts.get(Field::Channel).is_empty();
    let mut writer = Writer::new(record.xml.len());
    parts.write(record, &mut writer);
    Converted {
        json: writer.finish(),
        has_channel,
    }
}

/// What stands in the header of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Provider,
    EventSource,
    ProviderGuid,
    EventId,
    Version,
    Level,
    OpcodeNumber,
    Keywords,
    Time,
    RecordId,
    Activity,
    RelatedActivity,
    Process,
    Thread,
    Channel,
    Computer,
    User,
    Message,
    Task,
    Opcode,
}

/// Where each field stands: the part of the record, the element, and the attribute or, if there is none, the text. Only
/// records that were forwarded from another host bring their `RenderingInfo` along.
#[rustfmt::skip]
static FIELDS: &[(Field, &str, &str, &str)] = &[
    (Field::Provider, "System", "Provider", "Name"),
    (Field::EventSource, "System", "Provider", "EventSourceName"),
    (Field::ProviderGuid, "System", "Provider", "Guid"),
    (Field::EventId, "System", "EventID", ""),
    (Field::Version, "System", "Version", ""),
    (Field::Level, "System", "Level", ""),
    (Field::OpcodeNumber, "System", "Opcode", ""),
    (Field::Keywords, "System", "Keywords", ""),
    (Field::Time, "System", "TimeCreated", "SystemTime"),
    (Field::RecordId, "System", "EventRecordID", ""),
    (Field::Activity, "System", "Correlation", "ActivityID"),
    (Field::RelatedActivity, "System", "Correlation", "RelatedActivityID"),
    (Field::Process, "System", "Execution", "ProcessID"),
    (Field::Thread, "System", "Execution", "ThreadID"),
    (Field::Channel, "System", "Channel", ""),
    (Field::Computer, "System", "Computer", ""),
    (Field::User, "System", "Security", "UserID"),
    (Field::User, "System", "Security", "UserId"), // as Sysmon for Linux writes it
    (Field::Message, "RenderingInfo", "Message", ""),
    (Field::Task, "RenderingInfo", "Task", ""),
    (Field::Opcode, "RenderingInfo", "Opcode", ""),
];

/// The names of levels, opcodes and keywords that Windows itself defines; winlogbeat knows the same.
static LEVELS: &[(&str, &str)] = &[
    ("0", "information"),
    ("1", "critical"),
    ("2", "error"),
    ("3", "warning"),
    ("4", "information"),
    ("5", "verbose"),
];

#[rustfmt::skip]
static OPCODES: &[(&str, &str)] = &[
    ("0", "Info"), ("1", "Start"), ("2", "Stop"), ("3", "DCStart"), ("4", "DCStop"), ("5", "Extension"),
    ("6", "Reply"), ("7", "Resume"), ("8", "Suspend"), ("9", "Send"),
];

const AUDIT_FAILURE: u64 = 0x10_0000_0000_0000;
const AUDIT_SUCCESS: u64 = 0x20_0000_0000_0000;

static KEYWORDS: &[(u64, &str)] = &[
    (0x01_0000_0000_0000, "Response Time"),
    (0x04_0000_0000_0000, "WDI Diag"),
    (0x08_0000_0000_0000, "SQM"),
    (AUDIT_FAILURE, "Audit Failure"),
    (AUDIT_SUCCESS, "Audit Success"),
    (0x40_0000_0000_0000, "Correlation Hint"),
    (0x80_0000_0000_0000, "Classic"),
];

fn name_of(table: &[(&'static str, &'static str)], number: &str) -> &'static str {
    let found = table.iter().find(|(known, _)| *known == number);
    found.map_or("", |(_, name)| name)
}

/// The parts of a record that are used.
#[derive(Default)]
struct Parts<'a> {
    fields: Vec<(Field, Cow<'a, str>)>,
    event_data: Vec<(String, String)>,
    /// The name of the element inside `UserData`.
    user_data_name: &'a str,
    user_data: Vec<(String, String)>,
}

impl<'a> Parts<'a> {
    fn of(xml: &'a str) -> Parts<'a> {
        let mut parts = Parts::default();
        let mut tokens = Tokens::new(xml);
        // The root, whatever it is called.
        tokens
            .by_ref()
            .find(|token| matches!(token, Token::Open(_)));
        while let Some(token) = tokens.next() {
            match token {
                Token::Open(tag) => match tag.name {
                    "System" | "RenderingInfo" => parts.header(tag.name, &mut tokens),
                    "EventData" => pairs(&mut tokens, &mut parts.event_data),
                    "UserData" => parts.user_data(&mut tokens),
                    _ => pass(&mut tokens),
                },
                Token::Close => break,
                Token::Text(_) => {}
            }
        }
        parts
    }

    fn get(&self, field: Field) -> &str {
        let found = self.fields.iter().find(|(known, _)| *known == field);
        found.map_or("", |(_, value)| value)
    }

    fn header(&mut self, part: &str, tokens: &mut Tokens<'a>) {
        let mut open: Vec<Tag<'a>> = Vec::new();
        for token in tokens {
            match token {
                Token::Open(tag) => {
                    self.add(part, tag, |attribute| match attribute {
                        "" => None,
                        _ => tag.attribute(attribute),
                    });
                    open.push(tag);
                }
                Token::Text(text) => {
                    if let [tag] = open[..] {
                        self.add(part, tag, |attribute| {
                            attribute.is_empty().then(|| unescape(text))
                        });
                    }
                }
                Token::Close => {
                    if open.pop().is_none() {
                        return;
                    }
                }
            }
        }
    }

    fn add(&mut self, part: &str, tag: Tag<'a>, value: impl Fn(&str) -> Option<Cow<'a, str>>) {
        for (field, _, _, attribute) in FIELDS
            .iter()
            .filter(|(_, of, name, _)| *of == part && *name == tag.name)
        {
            if let Some(value) = value(attribute) {
                self.fields.push((*field, value));
            }
        }
    }

    fn user_data(&mut self, tokens: &mut Tokens<'a>) {
        while let Some(token) = tokens.next() {
            match token {
                Token::Open(tag) => {
                    self.user_data_name = tag.name;
                    pairs(tokens, &mut self.user_data);
                }
                Token::Close => return,
                Token::Text(_) => {}
            }
        }
    }

    fn write(&self, record: &Record<'_>, out: &mut Writer) {
        let keywords = self.get(Field::Keywords).trim_start_matches("0x");
        let keywords = u64::from_str_radix(keywords, 16).unwrap_or(0);
        let outcome = match keywords & (AUDIT_SUCCESS | AUDIT_FAILURE) {
            AUDIT_SUCCESS => "success",
            AUDIT_FAILURE => "failure",
            _ => "",
        };
        let provider = match self.get(Field::Provider) {
            "" => self.get(Field::EventSource),
            name => name,
        };
        let opcode = match self.get(Field::Opcode) {
            "" => name_of(OPCODES, self.get(Field::OpcodeNumber)),
            name => name,
        };
        let own_time = self.get(Field::Time).parse().ok();
        let time = own_time.or(record.written);
        let time = time.map_or(String::new(), |time: Timestamp| format!("{time:.3}"));
        let own_id = record.id.map_or(String::new(), |id| id.to_string());
        let record_id = match self.get(Field::RecordId) {
            "" => &own_id,
            id => id,
        };

        out.string("@timestamp", &time);
        out.object("event", |out| {
            out.string("code", self.get(Field::EventId));
            out.string("kind", "event");
            out.string("provider", provider);
            out.string("outcome", outcome);
            out.string("action", self.get(Field::Task));
        });
        out.object("host", |out| out.string("name", self.get(Field::Computer)));
        out.object("log", |out| {
            out.string("level", name_of(LEVELS, self.get(Field::Level)))
        });
        out.string("message", self.get(Field::Message));
        out.object("winlog", |out| {
            out.string("api", "wineventlog");
            out.string("channel", self.get(Field::Channel));
            out.string("computer_name", self.get(Field::Computer));
            out.string("event_id", self.get(Field::EventId));
            out.string("provider_name", provider);
            out.string(
                "provider_guid",
                &self.get(Field::ProviderGuid).to_ascii_uppercase(),
            );
            let names = KEYWORDS.iter().filter(|(bit, _)| keywords & bit != 0);
            out.strings("keywords", names.map(|(_, name)| *name));
            out.number("record_id", record_id);
            out.number("version", self.get(Field::Version));
            out.string("opcode", opcode);
            out.string("task", self.get(Field::Task));
            out.object("process", |out| {
                out.number("pid", self.get(Field::Process));
                out.object("thread", |out| out.number("id", self.get(Field::Thread)));
            });
            out.object("user", |out| {
                out.string("identifier", self.get(Field::User))
            });
            out.string(
                "activity_id",
                &self.get(Field::Activity).to_ascii_uppercase(),
            );
            let related = self.get(Field::RelatedActivity).to_ascii_uppercase();
            out.string("related_activity_id", &related);
            out.object("event_data", |out| write_pairs(&self.event_data, out));
            if !self.user_data.is_empty() {
                out.object("user_data", |out| {
                    out.string("xml_name", self.user_data_name);
                    write_pairs(&self.user_data, out);
                });
            }
        });
    }
}

/// Passes the rest of an element.
fn pass(tokens: &mut Tokens<'_>) {
    let mut depth = 0;
    for token in tokens {
        match token {
            Token::Open(_) => depth += 1,
            Token::Close if depth == 0 => return,
            Token::Close => depth -= 1,
            Token::Text(_) => {}
        }
    }
}

/// Reads the names and values inside an element, to its end.
fn pairs(tokens: &mut Tokens<'_>, into: &mut Vec<(String, String)>) {
    let mut place = 0;
    let mut open: Vec<(String, String)> = Vec::new();
    for token in tokens {
        match token {
            Token::Open(tag) => {
                let name = tag.attribute("Name").filter(|name| !name.is_empty());
                let name = name.unwrap_or(Cow::Borrowed(tag.name));
                let name = match open.last() {
                    Some((outer, _)) if outer.len() + name.len() < LONGEST_PATH => {
                        format!("{outer}.{name}")
                    }
                    Some(_) => name.into_owned(),
                    None => {
                        place += 1;
                        if name == "Data" {
                            format!("param{place}")
                        } else {
                            name.into_owned()
                        }
                    }
                };
                open.push((name, String::new()));
            }
            Token::Text(text) => {
                if let Some((_, value)) = open.last_mut() {
                    value.push_str(&unescape(text));
                }
            }
            Token::Close => match open.pop() {
                None => return,
                Some((_, value)) if value.is_empty() => {}
                Some((name, value)) => into.push((name, value.replace("\r\n", "\n"))),
            },
        }
    }
}

/// Of two pairs with one name the first wins.
fn write_pairs(pairs: &[(String, String)], out: &mut Writer) {
    let mut seen = HashSet::new();
    for (name, value) in pairs.iter().filter(|(name, _)| seen.insert(name)) {
        out.string(name, value);
    }
}
