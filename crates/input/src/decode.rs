//! The formats, one decoder each, all of the same shape.

mod csv;
mod evtx;
mod json;
mod lines;
mod text;
mod window;
mod winlogbeat;
mod writer;

use crate::read::Output;
use crate::source::{Head, Source};
use std::ops::ControlFlow;

/// The longest event, or line of something else, that is held in memory; longer ones are skipped. The longest real event
/// in the test data has 43 kB; Elasticsearch refuses documents beyond 100 MB.
pub const MAX_EVENT: usize = 16 << 20;

/// How sure it is that something is of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Confidence {
    /// It is not.
    No,
    /// It is, if the user says that it holds events. Any text may look so.
    Likely,
    /// It is, wherever it was found.
    Sure,
}

impl Confidence {
    /// For a format that leaves no doubt.
    fn sure_if(is: bool) -> Confidence {
        match is {
            true => Confidence::Sure,
            false => Confidence::No,
        }
    }
}

/// One format of events.
pub(crate) trait Decoder: Sync {
    /// What it is called, in a message.
    fn name(&self) -> &'static str;

    /// Whether something that begins like this is of this format.
    fn recognises(&self, head: &Head<'_>) -> Confidence;

    /// Decodes all of it. Breaks off only when the output does.
    fn decode(&self, source: &mut Source<'_>, output: &mut Output<'_>) -> ControlFlow<()>;
}

/// Every format there is, the surest first.
static DECODERS: &[&dyn Decoder] = &[&evtx::Evtx, &json::Json, &lines::Lines, &csv::Csv];

/// The format of something that begins like this, if that is at least as sure as wanted.
pub(crate) fn recognise(head: &Head<'_>, wanted: Confidence) -> Option<&'static dyn Decoder> {
    DECODERS
        .iter()
        .copied()
        .find(|decoder| decoder.recognises(head) >= wanted)
}

/// The names of all formats, for a message.
pub(crate) fn names() -> String {
    let names: Vec<&str> = DECODERS.iter().map(|decoder| decoder.name()).collect();
    names.join(" nor ")
}
