//! Whole artefacts out of rules.
mod draft;
mod head;
pub mod sigmac;
pub mod strict;
mod targets;

pub use draft::{Converted, Draft};
pub use head::Head;
pub use targets::{Artefact, TARGETS, Target};
