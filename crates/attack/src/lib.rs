//! MITRE ATT&CK®'s tactics and techniques (Enterprise) as one static table, and what the `attack.*` tags of a Sigma rule
//! mean in it.
//!
//! Rules are older or newer than the matrix: they name techniques that have been revoked since, and tactics that are
//! called otherwise today. This crate brings both into one version ([`VERSION`]), so that everything that is written into
//! events, counted or drawn speaks of the same matrix.
//!
//! ```
//! let found = attack::attribute(["defense-evasion", "t1170"]);
//! let pairs: Vec<String> = found.pairs.iter().map(ToString::to_string).collect();
//! assert_eq!(pairs, ["TA0005:T1218.005"]); // Stealth, Mshta
//! ```
//!
//! Promises: no I/O; every chain of revocations ends at a technique that is not revoked; a sub-technique's parent is in the
//! table. Leaves out: groups, software, mitigations and data sources (their tags are [`Meaning::Other`]), descriptions,
//! platforms, the Mobile and ICS matrices.
//!
//! The facts in the table are © 2026 The MITRE Corporation; this work is reproduced and distributed with the permission of
//! The MITRE Corporation. The licence stands in the repository's `NOTICE`.

mod attribution;
mod tactics;
mod techniques;

pub use attribution::{Attribution, Meaning, Pair, attribute, meaning};
pub use tactics::{Tactic, tactic, tactics};
pub use techniques::{Status, Technique, technique, techniques};

/// The release of ATT&CK Enterprise that the table holds.
pub const VERSION: &str = "19.2";

/// The text that ECS expects in `threat.framework`.
pub const FRAMEWORK: &str = "MITRE ATT&CK";
