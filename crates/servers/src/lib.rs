//! Real servers for tests and by hand: OpenSearch and Elasticsearch, each a node of its own on a free port of this machine.
//!
//! A server is made of the jars that its makers publish, fetched by Maven when it is first asked for and kept in a cache, and of one
//! small Java class of ours (`xtask/servers/`). So it needs Java and Maven, and neither containers nor an archive of a distribution.
//! Which there are is a table: [`KINDS`].
//!
//! - [`server`] is for tests: one server for all tests of a binary, and indices that nobody else has. A test without it skips itself.
//! - [`start`] is for the rest: a server that is stopped when it is dropped. `cargo xtask servers` is made of it.
//!
//! **No server outlives its owner.** Dropped, it is killed and its folder deleted. When the owner itself is killed, the pipe on the
//! server's standard input closes; the server watches it, deletes its folder and ends. Only [`Running::detach`] lets one go.
//!
//! ```no_run
//! # #[allow(non_snake_case)]
//! fn a_document_is_found() {
//!     let Some(server) = servers::server(&["opensearch-3", "opensearch-2"]) else { return };
//!     let index = server.create_index("events", &serde_json::json!({}));
//!     server.post(&format!("/{index}/_doc?refresh=true"), r#"{"a": 1}"#);
//!     assert_eq!(server.get(&format!("/{index}/_count")).body["count"], 1);
//! }
//! ```

mod cache;
mod error;
mod folder;
mod http;
mod java;
mod kinds;
mod process;
mod running;
mod shared;

pub use error::Error;
pub use http::{Answer, request};
pub use java::{Java, missing_tools};
pub use kinds::{KINDS, Kind};
pub use process::{Process, quietly};
pub use running::{Options, Running, start, start_first};
pub use shared::{ANY, GIVEN, GIVEN_ANYWHERE, Server, TEST_INDEX_SETTINGS, server};
