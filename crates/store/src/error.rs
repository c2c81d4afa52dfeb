//! What can go wrong with a store, and with one of its documents.

use std::path::PathBuf;
use thiserror::Error;

/// Why a store did not do what it was asked for. Nothing was changed, unless the variant says otherwise.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder holds something that is not a store of this version.
    #[error("{path}: not a store of sigtag: {reason}")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What was found there.
        reason: String,
    },
    /// Something that had been acknowledged cannot be read any more.
    #[error("{path}: damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// Another process writes to the folder.
    #[error(
        "{0}: another process writes to this store; only one can at a time, but any number can read it"
    )]
    Locked(PathBuf),
    /// It was opened for reading.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// There is no such index or alias.
    #[error("no such index: `{0}`")]
    NoIndex(String),
    /// There is an index or alias of this name already.
    #[error("`{0}` exists already")]
    Exists(String),
    /// A name that no index can have.
    #[error("`{name}` cannot be the name of an index: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An alias of several indices, where exactly one is needed.
    #[error("`{0}` stands for several indices, so that it cannot be written to")]
    SeveralIndices(String),
    /// A mapping or settings that cannot be used.
    #[error("{at}: {reason}")]
    Mapping {
        /// Where in the JSON.
        at: String,
        /// What is wrong there.
        reason: String,
    },
    /// A request that is not understood, or asks for what this store does not do.
    #[error("{at}: {reason}")]
    Request {
        /// Where in the JSON, as `$.aggs.by_rule.terms`.
        at: String,
        /// What is wrong there.
        reason: String,
    },
    /// A query that is not understood.
    #[error(transparent)]
    Query(#[from] query::ReadError),
    /// A cursor that belongs to an index that is gone, or was not made by this store.
    #[error("the cursor cannot be used any more: {0}")]
    Cursor(String),
    /// No server can be reached, or what is reached is none.
    #[error("{url}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A server refuses what it was asked for.
    #[error("the server refuses {what}: {reason}")]
    Refused {
        /// What: `GET /_stats`.
        what: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Who asks is not known to the server, or may not do this.
    #[error("the server refuses {what}: {reason}")]
    Forbidden {
        /// What: `PUT /logs/_mapping`.
        what: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The file system refused. Writes that were under way may or may not have happened.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The index failed. Writes that were acknowledged are safe in the log.
    #[error("the index failed: {0}")]
    Index(#[from] tantivy::TantivyError),
    /// The thread that writes has ended after an earlier failure; the store has to be opened again.
    #[error("the store has stopped after a failure: open it again")]
    Stopped,
}

/// Why one document was not written; the others of the same call were.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    /// It is no JSON object, or too deep.
    #[error("not a document: {0}")]
    Malformed(#[from] event::Malformed),
    /// It is larger than [`MAX_DOCUMENT`](crate::MAX_DOCUMENT).
    #[error("{0} bytes long, more than {max} are not taken", max = crate::MAX_DOCUMENT)]
    TooLarge(usize),
    /// An id that is empty or longer than [`MAX_ID`](crate::MAX_ID) bytes.
    #[error("an `_id` has 1 to {max} bytes, this one has {0}", max = crate::MAX_ID)]
    Id(usize),
    /// A value does not fit the type of its field.
    #[error("`{field}`: {reason}")]
    Value {
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// Somebody else has changed the document: read it again.
    #[error("version conflict: wanted sequence number {wanted}, found {found:?}")]
    Conflict {
        /// The sequence number that the write named.
        wanted: u64,
        /// The one that the document has; none if it is not there.
        found: Option<u64>,
    },
    /// The document to be created is there already, with this sequence number.
    #[error("the document exists already, with sequence number {0}")]
    Exists(u64),
    /// The server refuses it: a block, a strict mapping, a limit.
    #[error("{0}")]
    Refused(String),
    /// The document to be deleted, or its index, is not there.
    #[error("no such document")]
    Missing,
}

impl StoreError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> StoreError {
        let path = path.into();
        move |source| StoreError::Io { path, source }
    }

    pub(crate) fn request(at: impl Into<String>, reason: impl Into<String>) -> StoreError {
        StoreError::Request {
            at: at.into(),
            reason: reason.into(),
        }
    }
}
