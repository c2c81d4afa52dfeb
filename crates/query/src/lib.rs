//! Elasticsearch's and OpenSearch's query languages, read into predicates and written out of them.
//!
//! A query does not ask an event. It asks an index what the index has made of events: a keyword that is whole, exact and
//! perhaps left out for its length, words without case, numbers and dates. So the same query means different things in
//! different indices, and both directions take a [`Schema`], which says what the fields of one are. `f.keyword` becomes a
//! test on the event's `f`, and a field that is not in the index is found nowhere.
//!
//! **Reading** ([`read`] for the Query DSL, [`read_lucene`] for the strings of `query_string`) gives the predicate that
//! selects exactly the events that a server would find, so that queries run where there is no server, all at once with
//! thousands of rules. What is not read is an error that says what it is and where it stands, and is never taken for a query
//! that finds nothing. Lucene's language is read by its own grammar: the longest word counts, `AND` and `OR` have no
//! precedence, a sign keeps its meaning behind a backslash in `f:\>1`, words beside each other are one text.
//!
//! **Writing** ([`dsl`], [`lucene`]) gives a query that finds at least what the predicate selects, and [`Note`]s that say
//! where it is not exact. A server knows no case beyond ASCII, its regular expressions lack much, and what it has left out
//! of its index it cannot find: so a written query is a filter before the predicate, which decides. What cannot be asked is
//! asked wider, down to whether the field is there at all; under a `not` narrower. Only what an index does not hold can be
//! missed ([`Effect::FindsLess`]), and the note's reason says what.
//!
//! What is written runs on Elasticsearch 7.17, 8 and 9 and on OpenSearch 2 and 3, with their default limits on the length of
//! expressions. Some choices that this takes:
//!
//! - Where case does not count, JSON has `case_insensitive` and Lucene's strings have `[aA]`, which is longer and, with the
//!   Kelvin sign and `ſ`, exact.
//! - A keyword without a field becomes a regular expression over all fields (`query_string` with `fields: ["*"]`, or
//!   `*:/…/`): `multi_match` finds only whole values of keywords, and a list of wildcards with leading `*` is what servers
//!   have run out of memory with. It is expanded by the server to as many clauses as the index has fields of strings, of
//!   which there may be 1,024 by default; and looks into more than a predicate does.
//! - Strings for `query_string` do not ask for parts of fields of type `wildcard`, since OpenSearch finds none in that way.
//! - A field that is words only is asked for the words that must be in it, by what stands between blanks and signs.
//!
//! Where servers differ, reading takes the side of most: regular expressions in a query string are lowered for words, as
//! they are in 7.17 and in OpenSearch; `\d` in one is a digit, as everywhere but in 7.17.
//!
//! **Left out**: fuzziness, proximity, scores, scripts, `nested`, and all that relates documents to each other. A query over
//! all fields looks at strings, not at numbers. An object counts as there if it is given as an object: a flat `a.b` does not
//! make `a` exist, unless the schema names it.
//!
//! ```
//! use event::Event;
//! use query::Schema;
//! use serde_json::json;
//!
//! let now = "2024-05-06T07:08:09Z".parse().unwrap();
//! let schema = Schema::dynamic();
//! let query = json!({"bool": {
//!     "must": [{"wildcard": {"process.name.keyword": "*.exe"}}, {"match": {"process.args": "encoded"}}],
//!     "must_not": [{"range": {"@timestamp": {"lt": "now-1d"}}}],
//! }});
//! let wanted = query::read(&query, &schema, now).unwrap();
//! let event = br#"{"process": {"name": "a.exe", "args": ["-Encoded", "x"]}, "@timestamp": "2024-05-06T01:02:03Z"}"#;
//! assert!(wanted.matches(&Event::parse(event).unwrap()));
//!
//! // What is written is read as the same thing.
//! let written = query::dsl(&wanted, &schema);
//! assert!(written.notes.is_empty());
//! assert_eq!(query::read(&written.query, &schema, now).unwrap(), wanted);
//! ```

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
