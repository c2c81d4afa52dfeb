//! The store in a folder.

mod aggs;
mod directory;
mod document;
mod folder;
mod index;
mod log;
mod mapping;
mod query;
mod scan;
mod search;
mod select;
mod source;
mod values;
mod writer;

use crate::{
    Answer, Capabilities, Document, DocumentId, IndexInfo, Page, Rejected, Scan, SearchResponse,
    Store, StoreError, Write, Written,
};
use crossbeam_channel::Sender;
use folder::Catalog;
use index::Snapshot;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::{Semaphore, oneshot};
use writer::{Job, Queued, Writer};

/// How many writes wait at most; who comes then waits for a place.
const QUEUE: usize = 64;

/// A store in a folder of its own.
///
/// One process at a time [opens](Embedded::open) it to write; any number [open](Embedded::open_to_read) it to read. It is
/// closed when it is dropped, which waits until the index has what has been written.
pub struct Embedded {
    shared: Arc<Shared>,
    /// None if it is open for reading.
    writing: Option<Writing>,
    /// Whether it looks each time what the process that writes has done.
    follows: bool,
    searches: Arc<Semaphore>,
}

/// What threads of one store share.
struct Shared {
    folder: PathBuf,
    catalog: RwLock<Catalog>,
    ahead: scan::Ahead,
}

struct Writing {
    jobs: Option<Sender<Queued>>,
    places: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    /// Held as long as the store is open.
    _lock: File,
}

impl Shared {
    fn catalog(&self) -> Catalog {
        let catalog = self.catalog.read();
        catalog.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_catalog(&self, catalog: Catalog) {
        let known = self.catalog.write();
        *known.unwrap_or_else(PoisonError::into_inner) = catalog;
    }

    /// The indices that are meant, as searches see them.
    fn snapshots(&self, indices: &str) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let indices = self.catalog().resolve(indices)?;
        Ok(indices.iter().map(|index| index.snapshot()).collect())
    }

    /// Sees what the process that writes has done meanwhile.
    fn catch_up(&self) -> Result<(), StoreError> {
        let catalog = Catalog::open(&self.folder, &self.catalog())?;
        for index in catalog.indices.values() {
            index.reload()?;
        }
        self.set_catalog(catalog);
        Ok(())
    }
}

impl Embedded {
    /// Opens the store in `folder` to read and write, and makes one there if there is nothing. What had been acknowledged
    /// when an earlier process ended, however it ended, is there.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process writes to it; [`StoreError::Foreign`] and [`StoreError::Damaged`] say
    /// what cannot be used in the folder, which is then left as it is.
    pub fn open(folder: impl AsRef<Path>) -> Result<Embedded, StoreError> {
        let folder = folder.as_ref();
        let lock = folder::take(folder)?;
        let catalog = Catalog::open(folder, &Catalog::default())?;
        catalog.sweep(folder)?;
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            catalog: RwLock::new(catalog),
            ahead: scan::Ahead::default(),
        });
        let writer = Writer::open(shared.clone())?;
        let (jobs, queue) = crossbeam_channel::unbounded();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(StoreError::io(folder))?;
        let writing = Writing {
            jobs: Some(jobs),
            places: Arc::new(Semaphore::new(QUEUE)),
            thread: Mutex::new(Some(thread)),
            _lock: lock,
        };
        Ok(Embedded::new(shared, Some(writing)))
    }

    /// Opens the store in `folder` to read only. It sees what the index has, also what a process that writes adds
    /// meanwhile: within some seconds of its being acknowledged, or, if that process was killed, after the next
    /// [`Embedded::open`].
    ///
    /// # Errors
    /// [`StoreError::Foreign`], [`StoreError::Damaged`].
    pub fn open_to_read(folder: impl AsRef<Path>) -> Result<Embedded, StoreError> {
        let folder = folder.as_ref();
        folder::check(folder)?;
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            catalog: RwLock::new(Catalog::open(folder, &Catalog::default())?),
            ahead: scan::Ahead::default(),
        });
        Ok(Embedded::new(shared, None))
    }

    /// Opens the store in `folder` to read what it has now, whatever a process that writes does meanwhile: a scan finds each
    /// document once, also if it is changed before the scan has come to it.
    ///
    /// # Errors
    /// [`StoreError::Foreign`], [`StoreError::Damaged`].
    pub fn open_snapshot(folder: impl AsRef<Path>) -> Result<Embedded, StoreError> {
        let mut store = Embedded::open_to_read(folder)?;
        store.follows = false;
        Ok(store)
    }

    fn new(shared: Arc<Shared>, writing: Option<Writing>) -> Embedded {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Embedded {
            shared,
            follows: writing.is_none(),
            writing,
            searches: Arc::new(Semaphore::new(threads)),
        }
    }

    /// Closes the store, as dropping it does, and says whether the index has everything. What has been acknowledged is
    /// safe in either case.
    ///
    /// # Errors
    /// What has stopped the thread that writes.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), StoreError> {
        let Some(writing) = &mut self.writing else {
            return Ok(());
        };
        writing.jobs = None;
        let thread = writing.thread.get_mut();
        match thread.unwrap_or_else(PoisonError::into_inner).take() {
            Some(thread) => thread.join().unwrap_or(Err(StoreError::Stopped)),
            None => Ok(()),
        }
    }

    /// Gives a request to the thread that writes.
    fn ask<'a, T: Send + 'a>(
        &'a self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job + Send + 'a,
    ) -> Answer<'a, T> {
        Box::pin(async move {
            let writing = self.writing.as_ref().ok_or(StoreError::ReadOnly)?;
            let place = writing.places.clone().acquire_owned().await;
            let place = place.map_err(|_| StoreError::Stopped)?;
            let (reply, answer) = oneshot::channel();
            let jobs = writing.jobs.as_ref().ok_or(StoreError::Stopped)?;
            jobs.send((job(reply), place))
                .map_err(|_| StoreError::Stopped)?;
            answer.await.map_err(|_| StoreError::Stopped)?
        })
    }

    /// Reads, on a thread of its own.
    fn read<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'a, T> {
        let shared = self.shared.clone();
        let follows = self.follows;
        Box::pin(async move {
            let place = self.searches.clone().acquire_owned().await;
            let place = place.map_err(|_| StoreError::Stopped)?;
            let (reply, answer) = oneshot::channel();
            let folder = shared.folder.clone();
            let read = move || {
                let caught_up = if follows { shared.catch_up() } else { Ok(()) };
                let found = caught_up.and_then(|()| work(&shared));
                drop(place);
                // Who has asked may be gone.
                drop(reply.send(found));
            };
            std::thread::Builder::new()
                .name("store-reader".to_owned())
                .spawn(read)
                .map_err(StoreError::io(folder))?;
            answer.await.map_err(|_| StoreError::Stopped)?
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Whoever wants to know calls `close`.
        drop(self.end());
    }
}

impl Store for Embedded {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            tags_in_place: self.writing.is_some(),
            durable: true,
            several_writers: false,
            scores: false,
            page: 2_000,
        }
    }

    fn create<'a>(&'a self, index: &'a str, body: Value) -> Answer<'a, ()> {
        self.ask(move |reply| Job::Create(index.to_owned(), body, reply))
    }

    fn delete<'a>(&'a self, indices: &'a str) -> Answer<'a, Vec<String>> {
        self.ask(move |reply| Job::Delete(indices.to_owned(), reply))
    }

    fn indices<'a>(&'a self, indices: &'a str) -> Answer<'a, Vec<IndexInfo>> {
        let patterns = indices.to_owned();
        self.read(move |shared| {
            let catalog = shared.catalog();
            let indices = catalog.resolve(&patterns)?;
            let info = indices.iter().map(|index| {
                let snapshot = index.snapshot();
                let aliases = catalog.aliases.iter();
                let own = aliases.filter(|(_, names)| names.contains(&index.name));
                IndexInfo {
                    name: index.name.clone(),
                    uuid: index.uuid.clone(),
                    documents: snapshot.documents(),
                    bytes: index.bytes(),
                    aliases: own.map(|(alias, _)| alias.clone()).collect(),
                    data_stream: None,
                    shards: 1,
                    next_seq_nos: vec![snapshot.next_seq_no],
                    fixed: None,
                    unreadable: None,
                    mapping: snapshot.mapping.json().clone(),
                }
            });
            Ok(info.collect())
        })
    }

    fn put_future_mapping<'a>(
        &'a self,
        _: &'a str,
        _: Vec<&'a IndexInfo>,
        _: Value,
    ) -> Answer<'a, Vec<String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn alias<'a>(&'a self, alias: &'a str, indices: Vec<String>) -> Answer<'a, ()> {
        self.ask(move |reply| Job::Alias(alias.to_owned(), indices, reply))
    }

    fn put_mapping<'a>(&'a self, indices: &'a str, mapping: Value) -> Answer<'a, ()> {
        self.ask(move |reply| Job::PutMapping(indices.to_owned(), mapping, reply))
    }

    fn write<'a>(
        &'a self,
        index: &'a str,
        writes: Vec<Write>,
    ) -> Answer<'a, Vec<Result<Written, Rejected>>> {
        self.ask(move |reply| Job::Write((index.to_owned(), writes, reply)))
    }

    fn scan<'a>(&'a self, scan: &'a Scan) -> Answer<'a, Page> {
        let scan = scan.clone();
        self.read(move |shared| scan::page(&shared.snapshots(&scan.indices)?, &scan, &shared.ahead))
    }

    fn get<'a>(
        &'a self,
        index: &'a str,
        ids: &'a [DocumentId],
    ) -> Answer<'a, Vec<Option<Document>>> {
        Box::pin(async move {
            if self.writing.is_some() {
                self.refresh(index).await?;
            }
            let ids = ids.to_owned();
            let index = index.to_owned();
            let get = self.read(move |shared| scan::get(&shared.snapshots(&index)?, &ids));
            get.await
        })
    }

    fn search<'a>(&'a self, indices: &'a str, request: &'a Value) -> Answer<'a, SearchResponse> {
        let (indices, request) = (indices.to_owned(), request.clone());
        self.read(move |shared| search::search(&shared.snapshots(&indices)?, &request))
    }

    fn count<'a>(&'a self, indices: &'a str, query: &'a Value) -> Answer<'a, u64> {
        let (indices, query) = (indices.to_owned(), query.clone());
        self.read(move |shared| search::count(&shared.snapshots(&indices)?, &query))
    }

    fn refresh<'a>(&'a self, indices: &'a str) -> Answer<'a, ()> {
        self.ask(move |reply| Job::Refresh(indices.to_owned(), reply))
    }
}
