//! What was met on the way: left out, repaired or just worth a word; counted by reason, the first ones in full.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How many issues of one reason a [`Report`] keeps in full.
pub const EXAMPLES: usize = 5;

/// What an issue did to the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Events were lost, or may have been.
    Lost,
    /// An event was changed to make it readable, and passed on.
    Repaired,
    /// Nothing was lost: there was nothing of ours, or all could be read in spite of it.
    Noted,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident: $effect:ident, $text:literal;)+) => {
        /// Why something was left out, repaired or noted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &[Reason] = &[$(Reason::$name),+];

            /// What it did to the events.
            pub fn effect(self) -> Effect {
                match self { $(Reason::$name => Effect::$effect),+ }
            }

            /// The reason in a few words.
            pub fn text(self) -> &'static str {
                match self { $(Reason::$name => $text),+ }
            }
        }
    };
}

reasons! {
    /// A file or folder could not be opened or read to its end.
    Unreadable: Lost, "could not be read";
    /// An archive with files of its own, or a compression that sigtag does not know.
    Archive: Lost, "cannot be unpacked by sigtag";
    /// A path that was given by the user holds nothing that sigtag reads.
    NotEvents: Lost, "holds no events that sigtag can read";
    /// A compressed file is cut off or broken; what was unpacked until then was used.
    BrokenCompression: Lost, "its compression is broken or cut off";
    /// Some of an EVTX file could not be read; the rest was. At most once per file.
    DamagedEvtx: Lost, "is damaged";
    /// Text that is no well-formed JSON.
    Malformed: Lost, "not well-formed JSON";
    /// A JSON value that is no object, so no event.
    NotAnObject: Lost, "not a JSON object";
    /// A line of a log, or a row of CSV, whose end is missing or that is not what it begins like.
    BrokenLine: Lost, "a broken line";
    /// An event or line longer than [`MAX_EVENT`](crate::MAX_EVENT).
    TooLong: Lost, "longer than 16 MiB";
    /// An Elasticsearch hit that does not hold its document.
    HitWithoutSource: Lost, "a search hit without its _source";
    /// Bytes that are no UTF-8 (or code units that are no UTF-16), replaced by U+FFFD.
    InvalidText: Repaired, "invalid text replaced by U+FFFD";
    /// Control characters in a JSON string, now escaped.
    ControlCharacter: Repaired, "control characters escaped";
    /// An EVTX file with wrong checksums or not closed cleanly, yet all of it could be read. At most once per file.
    SuspectEvtx: Noted, "is doubtful";
    /// An EVTX record that names no channel: passed on, but no log source will be found for it.
    NoChannel: Noted, "a record without a channel";
    /// A row of CSV that has not as many cells as the header. What it has was passed on.
    Ragged: Noted, "a row with more or fewer cells than the header";
    /// A row of CSV that is the header once more: tables were put one behind the other.
    RepeatedHeader: Noted, "the header of a table once more";
    /// A line of a system log that another program wrote than those whose events are read.
    ForeignLine: Noted, "a line of another program";
    /// A file found in a folder that holds nothing of ours.
    Foreign: Noted, "holds no events";
    /// A named pipe, socket or device.
    Special: Noted, "is no regular file";
    /// A folder that was met before, through a symbolic link.
    SeenBefore: Noted, "is a folder that was already read";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Where in a file an issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It concerns the whole file.
    File,
    /// A place in a text, both from 1; the column counts bytes of UTF-8.
    Text {
        /// The line.
        line: u64,
        /// The column.
        column: u64,
    },
    /// An EVTX record, by its id.
    Record(u64),
}

/// One thing met on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Why.
    pub reason: Reason,
    /// In which file, as it is shown to the user. Names come from outside: escape them before a terminal sees them.
    pub file: Arc<str>,
    /// Where in it.
    pub place: Place,
    /// What exactly, and where there is one, the way out; may be empty.
    pub detail: String,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::File => write!(f, "{}: {}", self.file, self.reason)?,
            Place::Text { line, column } => {
                write!(f, "{}:{line}:{column}: {}", self.file, self.reason)?;
            }
            Place::Record(id) => write!(f, "{}: record {id}: {}", self.file, self.reason)?,
        }
        match self.detail.as_str() {
            "" => Ok(()),
            detail => write!(f, ": {detail}"),
        }
    }
}

/// How often something was met, and the first [`EXAMPLES`] of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// The first ones.
    pub examples: Vec<Issue>,
}

/// What became of an input. Its size does not depend on the input's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Events handed on.
    pub events: u64,
    /// Bytes read, as they lie on the disk.
    pub bytes: u64,
    /// Everything met, by its reason.
    pub issues: BTreeMap<Reason, Tally>,
}

impl Report {
    /// Adds one issue.
    pub fn add(&mut self, issue: Issue) {
        let tally = self.issues.entry(issue.reason).or_default();
        tally.count += 1;
        if tally.examples.len() < EXAMPLES {
            tally.examples.push(issue);
        }
    }

    /// Adds the report of an input that comes after those in this one.
    pub fn merge(&mut self, later: Report) {
        self.events += later.events;
        self.bytes += later.bytes;
        for (reason, tally) in later.issues {
            let mine = self.issues.entry(reason).or_default();
            mine.count += tally.count;
            mine.examples.extend(tally.examples);
            mine.examples.truncate(EXAMPLES);
        }
    }

    /// How often something with this reason was met.
    pub fn count(&self, reason: Reason) -> u64 {
        self.issues.get(&reason).map_or(0, |tally| tally.count)
    }

    /// How often events were, or may have been, lost.
    pub fn lost(&self) -> u64 {
        self.total(Effect::Lost)
    }

    /// How many events were repaired. One that needed two kinds of repair counts twice.
    pub fn repaired(&self) -> u64 {
        self.total(Effect::Repaired)
    }

    fn total(&self, effect: Effect) -> u64 {
        let of_effect =
            |(reason, tally): (&Reason, &Tally)| (reason.effect() == effect).then_some(tally.count);
        self.issues.iter().filter_map(of_effect).sum()
    }
}
