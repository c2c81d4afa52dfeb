//! Whole artefacts out of rules.
mod head;
pub mod sigmac;
mod targets;

pub use head::Head;
pub use targets::{Artefact, TARGETS, Target};
