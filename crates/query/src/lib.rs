//! Elasticsearch's and OpenSearch's query languages.

mod asked;
mod date;
mod dsl;
mod error;
mod lucene;
mod note;
mod plan;
mod regexp;
mod schema;

pub use dsl::{dsl, read};
pub use error::{Place, Problem, ReadError};
pub use lucene::{LuceneOptions, Operator, lucene, read_lucene};
pub use note::{Effect, Note, Reason, Written};
pub use schema::{Schema, SchemaError, Type};
