//! What the tests of several crates need, and nothing that a product needs: only `[dev-dependencies]` name this crate.
//!
//! - [`shared`] finds the shared test data, which is too large, and licensed too differently, to be part of the repository. A test
//!   without it calls itself skipped, in a way that `cargo xtask test` can count and name: see [`skip`].
//! - [`Random`] gives the same numbers for the same seed.
//! - [`cases::read`] reads `tests/cases/*.cases`: rules, events, and what is to come of them.
//!
//! ```no_run
//! # #[allow(non_snake_case)]
//! fn every_rule_parses() {
//!     let Some(shared) = testkit::shared() else { return };
//!     // … reads from below `shared` …
//! }
//! ```

pub mod cases;
mod random;
mod shared;
mod skips;

use std::path::Path;

pub use random::Random;
pub use shared::{shared, shared_file};
pub use skips::{SKIPS, Skip, skip};

/// The root of the workspace: the folder of `Cargo.lock`.
pub fn workspace_root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // `crates/testkit` lies two folders below the root.
    here.ancestors().nth(2).unwrap_or(here)
}
