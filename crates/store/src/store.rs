//! What every store does.

use crate::{Rejected, SeqNos, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The longest document that is taken, in bytes: as much as a request to Elasticsearch may have.
pub const MAX_DOCUMENT: usize = 100 << 20;

/// The longest `_id`, in bytes, as in Elasticsearch.
pub const MAX_ID: usize = 512;

/// The most hits that one search gives, `from` and `size` together: Elasticsearch's `index.max_result_window`.
pub const MAX_HITS: usize = 10_000;

/// The most documents that one page of a scan has.
pub const MAX_PAGE: usize = 10_000;

/// The most ranges of sequence numbers that one page asks for.
const MAX_GAPS: usize = 256;

/// What a store will answer. It can be awaited by any executor; dropping it does not undo what was asked.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A place that holds events, is searched in Elasticsearch's language, and in which events are tagged where they lie.
///
/// Names of indices may be patterns with `*`, several of them separated by commas, and aliases, wherever a parameter is
/// called `indices`; a parameter called `index` takes one index, or an alias of one.
///
/// What has been written is found by [`Store::scan`], [`Store::search`] and [`Store::count`] after a moment, as in
/// Elasticsearch: [`Store::refresh`] waits for it. Checks for conflicts always see the newest state.
pub trait Store: Send + Sync {
    /// What this store can do, and what it cannot.
    fn capabilities(&self) -> Capabilities;

    /// Makes an index. `body` is that of Elasticsearch's request: `mappings`, `settings` and `aliases`, all of them
    /// optional; without a mapping the fields are made as documents come, as Elasticsearch makes them.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Name`], [`StoreError::Mapping`].
    fn create<'a>(&'a self, index: &'a str, body: Value) -> Answer<'a, ()>;

    /// Deletes indices with all their documents, and gives their names.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`] if there is none.
    fn delete<'a>(&'a self, indices: &'a str) -> Answer<'a, Vec<String>>;

    /// What indices there are, by name.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`] if a name without `*` is that of none.
    fn indices<'a>(&'a self, indices: &'a str) -> Answer<'a, Vec<IndexInfo>>;

    /// Makes `alias` stand for exactly these indices; for none, removes it.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`], [`StoreError::Name`], and [`StoreError::Exists`] where an index has that name.
    fn alias<'a>(&'a self, alias: &'a str, indices: Vec<String>) -> Answer<'a, ()>;

    /// Gives indices that will be made under these names fields, as far as there is something that decides of them (index
    /// templates, those of data streams too): `mapping` is `{"properties": …}`. What such a template says itself of a field
    /// counts more. `existing` are the indices that are there under these names: their templates are meant. Gives the names
    /// of the templates that were changed or made.
    ///
    /// # Errors
    /// [`StoreError::Refused`].
    fn put_future_mapping<'a>(
        &'a self,
        indices: &'a str,
        existing: Vec<&'a IndexInfo>,
        mapping: Value,
    ) -> Answer<'a, Vec<String>>;

    /// Adds fields to the mappings of indices: `mapping` is `{"properties": …}`. Fields that are there have to be the same.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`]; [`StoreError::Mapping`] if a field is of another type already. Indices that come before
    /// that one, by name, have been changed then.
    fn put_mapping<'a>(&'a self, indices: &'a str, mapping: Value) -> Answer<'a, ()>;

    /// Writes documents, in their order, into an index, which is made if it is not there. When the answer comes, all that
    /// was not rejected is safe on disk.
    ///
    /// Gives for each write what became of it.
    ///
    /// # Errors
    /// Where no write was done at all; what is wrong with single documents is [`Rejected`].
    fn write<'a>(
        &'a self,
        index: &'a str,
        writes: Vec<Write>,
    ) -> Answer<'a, Vec<Result<Written, Rejected>>>;

    /// Reads all documents, or those that a query finds, page by page, in the order of their sequence numbers, as they are
    /// at the time of the page.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`], [`StoreError::Query`], [`StoreError::Cursor`].
    fn scan<'a>(&'a self, scan: &'a Scan) -> Answer<'a, Page>;

    /// Reads single documents as they are now, also what searches do not find yet; none for one that is not there.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`].
    fn get<'a>(
        &'a self,
        index: &'a str,
        ids: &'a [DocumentId],
    ) -> Answer<'a, Vec<Option<Document>>>;

    /// Answers a search, written as Elasticsearch's request: `query`, `aggs`, `size`, `from`, `sort`, `search_after`,
    /// `_source`, `track_total_hits`, `version`, `seq_no_primary_term`.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`]; [`StoreError::Query`] and [`StoreError::Request`] for everything that is not understood.
    fn search<'a>(&'a self, indices: &'a str, request: &'a Value) -> Answer<'a, SearchResponse>;

    /// How many documents a query finds.
    ///
    /// # Errors
    /// As [`Store::search`].
    fn count<'a>(&'a self, indices: &'a str, query: &'a Value) -> Answer<'a, u64>;

    /// Waits until everything that has been acknowledged is found by searches.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`], [`StoreError::Index`].
    fn refresh<'a>(&'a self, indices: &'a str) -> Answer<'a, ()>;
}

/// What a store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether documents can be changed where they lie.
    pub tags_in_place: bool,
    /// Whether an acknowledged write survives a loss of power.
    pub durable: bool,
    /// Whether several processes can write at the same time.
    pub several_writers: bool,
    /// Whether hits have scores to be sorted by.
    pub scores: bool,
    /// How many documents a page of a scan best has at most.
    pub page: usize,
}

/// An index, as [`Store::indices`] tells of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndexInfo {
    /// Its name.
    pub name: String,
    /// What it is known by even if another index gets its name.
    pub uuid: String,
    /// How many documents searches find in it.
    pub documents: u64,
    /// How many bytes its files take.
    pub bytes: u64,
    /// The aliases that stand for it.
    pub aliases: Vec<String>,
    /// The data stream that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_stream: Option<String>,
    /// In how many parts it lies that have sequence numbers of their own.
    pub shards: u32,
    /// The first sequence number that each of them has not given yet.
    #[serde(skip)]
    pub next_seq_nos: Vec<u64>,
    /// Why its documents cannot be changed where they lie, if they cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// Why its documents cannot be read, if they cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Its mapping, as Elasticsearch shows it: `{"properties": …}`.
    pub mapping: Value,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// A document that is new; without an id it gets one.
    Create {
        /// Its id.
        id: Option<String>,
        /// Its JSON text, kept byte for byte.
        source: Vec<u8>,
    },
    /// A document, in the place of the one with its id if there is one.
    Put {
        /// Its id.
        id: String,
        /// Its JSON text.
        source: Vec<u8>,
        /// The sequence number that the document must have now; none if that does not matter.
        if_seq_no: Option<u64>,
    },
    /// A document that was read is to have another text, unless somebody has changed it since: then the write is
    /// [`Rejected::Conflict`](crate::Rejected::Conflict).
    Update {
        /// As it was read.
        read: Box<Document>,
        /// Its JSON text.
        source: Vec<u8>,
    },
    /// The document goes.
    Delete {
        /// Its id.
        id: String,
        /// The sequence number that it must have now.
        if_seq_no: Option<u64>,
    },
}

/// A write that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The id of the document.
    pub id: String,
    /// The number of this write in its index; each has a higher one than those before it.
    pub seq_no: u64,
    /// The primary term, which goes with the sequence number in a cluster.
    pub primary_term: u64,
    /// How often the document was written, this time included.
    pub version: u64,
}

/// What to scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// In which indices.
    pub indices: String,
    /// What to find, in the Query DSL; everything if there is none.
    pub query: Option<Value>,
    /// Where to go on; at the beginning if there is none.
    pub after: Option<Cursor>,
    /// The most documents on a page, up to [`MAX_PAGE`].
    pub size: usize,
    /// What is not to be read, by the uuid of the index and the number of the shard.
    pub known: Arc<BTreeMap<(String, u32), Known>>,
}

/// What is known of a shard from scans before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The numbers that do not matter any more: those of documents that were read or written, and those for which there is
    /// none.
    pub done: SeqNos,
    /// How far the shard had come at some time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
}

/// How far a shard had come at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The first sequence number that not all of its copies had.
    pub next: u64,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

impl Checkpoint {
    /// A shard has come so far now.
    pub(crate) fn now(next: u64) -> Checkpoint {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Checkpoint {
            next,
            at: now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0)),
        }
    }

    /// Whether this was so long before another one.
    pub fn is_before(&self, other: Checkpoint, time: Duration) -> bool {
        u128::from(other.at.saturating_sub(self.at)) >= time.as_millis()
    }
}

impl Scan {
    /// A scan of everything in `indices`, from the beginning, in pages of 5,000.
    pub fn all(indices: &str) -> Scan {
        Scan {
            indices: indices.to_owned(),
            query: None,
            after: None,
            size: 5_000,
            known: Arc::default(),
        }
    }
}

/// How far a scan has come. It can be written down and used after a restart.
///
/// A scan that begins takes note of the newest sequence number of each index and ends there. So it does not meet the
/// documents again that are tagged while it runs; and what others have changed meanwhile is found by going on from
/// [`Page::end`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// For each index, in the order of their names.
    pub indices: Vec<Position>,
}

/// How far a scan has come in one index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The index, by its uuid.
    pub uuid: String,
    /// The part of it that has sequence numbers of its own; 0 if there is only one.
    #[serde(default)]
    pub shard: u32,
    /// The first sequence number that has not been read.
    pub next: u64,
    /// The first one that is not to be read.
    pub end: u64,
}

/// A page of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The documents.
    pub documents: Vec<Document>,
    /// Where they are from; none if nothing was left to be read.
    pub part: Option<Part>,
    /// Where the next page begins; none if this one is the last.
    pub next: Option<Cursor>,
    /// Where a later scan goes on to find only what has been written since this one began.
    pub end: Cursor,
}

/// The part of an index that a page was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The index, by its uuid.
    pub uuid: String,
    /// The shard of it.
    pub shard: u32,
    /// The sequence numbers that were looked for.
    pub numbers: Range<u64>,
    /// How far the shard had come before the page was read. What has a number from there on may get another one, when a
    /// copy of the shard fails.
    pub checkpoint: Checkpoint,
    /// Below this number the page has all that there is, and not only all that searches find at the moment.
    pub complete: u64,
}

impl Scan {
    /// What is known of a shard.
    pub(crate) fn known(&self, uuid: &str, shard: u32) -> Option<&Known> {
        self.known.get(&(uuid.to_owned(), shard))
    }

    /// What is left of a range of numbers of a shard, in order.
    pub(crate) fn gaps(&self, position: &Position) -> Vec<Range<u64>> {
        let range = position.next..position.end.max(position.next);
        match self.known(&position.uuid, position.shard) {
            Some(known) => known.done.gaps(range).take(MAX_GAPS).collect(),
            None if range.is_empty() => Vec::new(),
            None => vec![range],
        }
    }

    /// Checks what a page may have.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.size {
            1..=MAX_PAGE => Ok(()),
            size => {
                let reason = format!("a page has 1 to {MAX_PAGE} documents, not {size}");
                Err(StoreError::request("size", reason))
            }
        }
    }
}

impl Page {
    /// The page of a scan that has come to these positions.
    pub(crate) fn new(
        documents: Vec<Document>,
        part: Option<Part>,
        positions: Vec<Position>,
    ) -> Page {
        let end = positions.iter().map(|position| Position {
            next: position.end,
            end: u64::MAX,
            ..position.clone()
        });
        let end = Cursor {
            indices: end.collect(),
        };
        let is_done = positions
            .iter()
            .all(|position| position.next >= position.end);
        Page {
            documents,
            part,
            next: (!is_done).then_some(Cursor { indices: positions }),
            end,
        }
    }
}

/// A document as a scan gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The name of its index.
    pub index: String,
    /// Its id.
    pub id: String,
    /// The sequence number, to name in [`Write::Put`].
    pub seq_no: u64,
    /// The primary term, which goes with the sequence number in a cluster.
    pub primary_term: u64,
    /// What it was routed by, if that is not its id.
    pub routing: Option<String>,
    /// Its JSON text, byte for byte.
    pub source: String,
}

/// By what a single document is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentId {
    /// Its id.
    pub id: String,
    /// What it was routed by, if that is not its id.
    pub routing: Option<String>,
}

impl From<String> for DocumentId {
    /// A document that was routed by its id.
    fn from(id: String) -> DocumentId {
        DocumentId { id, routing: None }
    }
}

impl From<&Document> for DocumentId {
    fn from(document: &Document) -> DocumentId {
        DocumentId {
            id: document.id.clone(),
            routing: document.routing.clone(),
        }
    }
}

/// The answer to a search, which becomes Elasticsearch's JSON when it is serialized.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchResponse {
    /// How long it took, in milliseconds.
    pub took: u64,
    /// Always false: a search runs to its end.
    pub timed_out: bool,
    /// How many shards were asked.
    #[serde(rename = "_shards")]
    pub shards: Shards,
    /// What was found.
    pub hits: Hits,
    /// The aggregations by name, if any were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregations: Option<Value>,
}

/// How many shards took part in a search: one for each index, and all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shards {
    /// How many there are.
    pub total: usize,
    /// How many have answered.
    pub successful: usize,
    /// How many could be left out.
    pub skipped: usize,
    /// How many have failed.
    pub failed: usize,
}

/// The documents that a search has found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hits {
    /// How many there are in all; none with `track_total_hits: false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
    /// Always none: there are no scores.
    pub max_score: Option<f64>,
    /// Those that were asked for.
    pub hits: Vec<SearchHit>,
}

/// How many documents a search has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// So many,
    pub value: u64,
    /// or more.
    pub relation: Relation,
}

/// Whether a number is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// It is.
    Eq,
    /// There are at least as many.
    Gte,
}

/// A document that a search has found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchHit {
    /// Its index.
    #[serde(rename = "_index")]
    pub index: String,
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// How often it was written, if that was asked for.
    #[serde(rename = "_version", skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Its sequence number, if that was asked for.
    #[serde(rename = "_seq_no", skip_serializing_if = "Option::is_none")]
    pub seq_no: Option<u64>,
    /// The primary term, if that was asked for.
    #[serde(rename = "_primary_term", skip_serializing_if = "Option::is_none")]
    pub primary_term: Option<u64>,
    /// Always none.
    #[serde(rename = "_score")]
    pub score: Option<f64>,
    /// Its JSON text as it was written, or what was asked for of it.
    #[serde(rename = "_source", skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<RawValue>>,
    /// Where it matches, field by field, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highlight: Option<Value>,
    /// The values that it was sorted by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<Value>,
}
