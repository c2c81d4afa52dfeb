//! Whole artefacts out of rules.
pub mod sigmac;
mod targets;
pub use targets::{Artefact, TARGETS, Target};
