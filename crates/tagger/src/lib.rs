//! The work itself: rules are loaded, events are read, matched, tagged and written, and everything is counted.
//!
//! [`Rules::load`] makes of rule files what can be matched, and keeps a list of what could not be used, and why.
//! [`tag_files`] takes it over files and streams: readers decode, workers match and tag, and the caller's thread writes, in
//! the order of the input whatever the number of threads. Memory is bounded: a reader that is ahead of the writer waits.
//! The [`Summary`] tells of every event and rule what became of it.
//!
//! What it leaves out: how things are shown (`sigtag`), and everything that a neighbour does better: reading is `input`'s,
//! meaning `mapping`'s, matching `engine`'s, writing tags `tag`'s.

mod files;
mod gate;
mod rules;
mod summary;

pub use files::{Options, tag_files};
pub use rules::{LoadError, LoadedRule, Rules, rule_files};
pub use summary::{Count, HostCount, RuleCount, RuleSummary, SkipCount, Summary, TacticCount};
