//! Lucene's query language, as `query_string` has it.

mod lexer;
mod read;
mod write;

pub(crate) use read::read_at;
pub use read::{LuceneOptions, Operator, read_lucene};
pub use write::lucene;
