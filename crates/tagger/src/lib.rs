//! The work itself: rules are loaded, events are read, matched, tagged and written, and everything is counted.
//!
//! [`Rules::load`] makes of rule files what can be matched, and keeps a list of what could not be used, and why. The events
//! may be
//!
//! - files and streams: [`tag_files`] writes them as lines, and [`load`] into an index of a store. Readers decode, workers
//!   match and tag, and one thread writes, in the order of the input whatever the number of threads.
//! - documents of a [`Store`](store::Store): [`tag_store`] and [`untag_store`] read them page by page, and write those that
//!   change where they lie.
//!
//! Memory is bounded: whoever is ahead waits. The [`Summary`] tells of every event and rule what became of it.
//!
//! **Again and again.** What was cut off is done by doing it again: which documents are done is kept in the store, one that has
//! its tags is not written, and an event of a file that is in the index is known there by its `_id`.
//!
//! **Nothing of others is lost.** A document is written only if nobody has changed it since it was read; if somebody has, it
//! is read again.
//!
//! What it leaves out: how things are shown (`sigtag`), and everything that a neighbour does better: reading is `input`'s,
//! meaning `mapping`'s, matching `engine`'s, writing tags `tag`'s, keeping them `store`'s.

mod aside;
mod files;
mod gate;
mod load;
mod pass;
mod plan;
mod rules;
mod selection;
mod state;
mod summary;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tag::Tagger;

pub use files::tag_files;
pub use load::load;
pub use pass::{tag_store, untag_store};
pub use plan::{Plan, PlannedIndex, Way, plan};
pub use rules::{LoadError, LoadedRule, Rules, rule_files};
pub use selection::{Mode, Selection};
pub use summary::{Count, HostCount, RuleCount, RuleSummary, SkipCount, Summary, TacticCount};

/// How to go over events.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to write into the events; none to leave them as they are.
    pub tagger: Option<Tagger>,
    /// Whether events of files without a hit are written too.
    pub all: bool,
    /// How many threads match; at least one.
    pub jobs: usize,
    /// Set from outside to end the run: what has been read by then is still written.
    pub stop: Arc<AtomicBool>,
    /// Counts what has been read so far, for a progress bar: of files bytes, of a store documents.
    pub progress: Arc<AtomicU64>,
}

impl Options {
    /// One thread for each core; only events with a hit are written.
    pub fn new(tagger: Option<Tagger>) -> Options {
        Options {
            tagger,
            all: false,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            stop: Arc::default(),
            progress: Arc::default(),
        }
    }
}
