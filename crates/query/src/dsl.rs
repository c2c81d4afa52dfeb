//! The Query DSL: queries as JSON.

mod read;
mod write;

pub use read::read;
pub use write::dsl;
