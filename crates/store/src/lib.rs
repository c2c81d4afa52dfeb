//! Where events lie, are searched, and are tagged in place.
//!
//! [`Store`] is what everything else in sigtag knows of such a place. It speaks Elasticsearch's language, so that models,
//! dashboards and tests are written once, whether events lie in a cluster or in a folder. It is async and object-safe; what
//! a store cannot do it says ([`Store::capabilities`], or an error that names the part of the request), and never answers
//! with fewer hits instead.
//!
//! [`Cluster`] is Elasticsearch or OpenSearch. Every request may come twice, and is asked again for as long as the cluster is
//! busy or away. [`Embedded`] is a store in a folder, for whoever has no cluster; the rest of this page is about it. It is
//! made of two things that each do what they are good at:
//!
//! - A **log** of its own makes a write safe: it is acknowledged when it is written and synced, for all that wait at once.
//! - **Tantivy** holds the columns and texts for searching, and gets what the log has some seconds later, since a commit
//!   of it costs a tenth of a second. What it has is then removed from the log; what it has not is given to it again
//!   when the store is opened.
//!
//! **Exact, then fast.** A query becomes a [`Predicate`](predicate::Predicate), under the mapping of each index, and that
//! decides. Columns answer the tests of it where their values cannot be told from the document's own: each distinct value is
//! asked once. Where that is not certain (a text beyond 4,096 bytes, a number that no machine number is equal to) the document
//! itself is read and asked. Tests hold the two together.
//!
//! **Promises.** An acknowledged write is there after `kill -9` or a loss of power; one that was not is there as a whole
//! or not at all. Sequence numbers grow and survive restarts, and a write can name the one that it was made for, so that no
//! change is lost. Sources are kept byte for byte. A folder that is no store, or damaged, is refused with the reason and left
//! as it is. One process writes; any number reads.
//!
//! **Limits.** A document has at most [`MAX_DOCUMENT`] bytes, objects 20 levels deep and an `_id` of [`MAX_ID`] bytes; an index
//! has 10,000 fields unless its settings say otherwise; a search gives [`MAX_HITS`] hits and 65,536 buckets. A new field
//! gets the type of its first value as in Elasticsearch, and documents that do not fit are [`Rejected`] one by one;
//! `index.mapping.ignore_malformed` takes them all the same.
//!
//! **Left out**: scores (hits without a `sort` come in the order of writing), scripts, `nested` and `flattened` fields,
//! aggregations on texts. A number with a fraction in a field of whole numbers is asked with its fraction, which a server has
//! cut off. A hit without a value for what it is sorted by has `null` there. Counts of buckets and distinct values are exact
//! where a server estimates.
//!
//! ```
//! use serde_json::json;
//! use store::{Embedded, Store, Write};
//! # let folder = tempfile::tempdir().unwrap();
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let store = Embedded::open(folder.path())?;
//! let event = br#"{"process": {"name": "mshta.exe"}}"#.to_vec();
//! store.write("events", vec![Write::Create { id: None, source: event }]).await?;
//! store.refresh("events").await?;
//! let query = json!({"query": {"term": {"process.name.keyword": "mshta.exe"}}, "seq_no_primary_term": true});
//! let hit = store.search("events", &query).await?.hits.hits.remove(0);
//! let tagged = br#"{"process": {"name": "mshta.exe"}, "tags": ["sigma"]}"#.to_vec();
//! store.write("events", vec![Write::Put { id: hit.id, source: tagged, if_seq_no: hit.seq_no }]).await?;
//! store.refresh("events").await?;
//! assert_eq!(store.count("events", &json!({"query": {"match": {"tags": "sigma"}}})).await?, 1);
//! # Ok::<(), store::StoreError>(())
//! # }).unwrap();
//! ```

mod cluster;
mod embedded;
mod error;
mod names;
mod seq_nos;
mod store;

pub use cluster::{Access, Cluster, Credentials, OnWait, Product};
pub use embedded::Embedded;
pub use error::{Rejected, StoreError};
pub use seq_nos::SeqNos;
pub use store::{
    Answer, Capabilities, Checkpoint, Cursor, Document, DocumentId, Hits, IndexInfo, Known,
    MAX_DOCUMENT, MAX_HITS, MAX_ID, MAX_PAGE, Page, Part, Position, Relation, Scan, SearchHit,
    SearchResponse, Shards, Store, Total, Write, Written,
};
