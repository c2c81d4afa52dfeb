//! The Query DSL: queries as JSON.

mod read;

pub use read::read;
