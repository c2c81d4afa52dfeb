//! Elasticsearch's and OpenSearch's query languages.

mod asked;
mod date;
mod dsl;
mod error;
mod lucene;
mod regexp;
mod schema;

pub use dsl::read;
pub use error::{Place, Problem, ReadError};
pub use lucene::{LuceneOptions, Operator, read_lucene};
pub use schema::{Schema, SchemaError, Type};
