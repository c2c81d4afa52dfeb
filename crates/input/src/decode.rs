//! The formats, one decoder each, all of the same shape.

mod evtx;
mod json;

use crate::read::Output;
use crate::source::Source;
use std::ops::ControlFlow;

/// The longest event, or line of something else, that is held in memory; longer ones are skipped. The longest real event
/// in the test data has 43 kB; Elasticsearch refuses documents beyond 100 MB.
pub const MAX_EVENT: usize = 16 << 20;

/// One format of events.
pub(crate) trait Decoder: Sync {
    /// What it is called, in a message.
    fn name(&self) -> &'static str;

    /// Whether something that begins like this is of this format.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Decodes all of it. Breaks off only when the output does.
    fn decode(&self, source: &mut Source<'_>, output: &mut Output<'_>) -> ControlFlow<()>;
}

/// Every format there is, the surest first.
static DECODERS: &[&dyn Decoder] = &[&evtx::Evtx, &json::Json];

pub(crate) fn recognise(head: &[u8]) -> Option<&'static dyn Decoder> {
    DECODERS
        .iter()
        .copied()
        .find(|decoder| decoder.recognises(head))
}

/// The names of all formats, for a message.
pub(crate) fn names() -> String {
    let names: Vec<&str> = DECODERS.iter().map(|decoder| decoder.name()).collect();
    names.join(" nor ")
}
