//! The thread that writes.
//!
//! It takes all requests that wait, puts their documents into the logs of their indices, syncs each log once, answers, and
//! only then gives the documents to the index. The index is committed some seconds later, or when somebody waits for it;
//! what the log holds of a commit is removed after it.

use super::Shared;
use super::folder::{Catalog, of_index};
use super::index::{Commit, Index, Numbers};
use super::log::{Entry, Log, random, sync_folder};
use super::mapping::{Mapping, Row};
use crate::{MAX_DOCUMENT, MAX_ID, Rejected, StoreError, Write, Written, names};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use event::Event;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{IndexWriter, TantivyDocument};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// How long documents wait for a commit.
const COMMIT_AFTER: Duration = Duration::from_secs(2);

/// How many documents may wait for one.
const COMMIT_EVERY: usize = 50_000;

/// How many bytes of documents are written to the log at once, if there are so many.
const GROUP: usize = 32 << 20;

/// What an index may take of memory for what is not on disk yet, in bytes.
const MEMORY: usize = 64 << 20;

/// How many indices may have a writer at a time.
const MOST_WRITERS: usize = 4;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A request.
pub(crate) enum Job {
    Create(String, Value, Reply<()>),
    Delete(String, Reply<Vec<String>>),
    Alias(String, Vec<String>, Reply<()>),
    PutMapping(String, Value, Reply<()>),
    Write(Writes),
    Refresh(String, Reply<()>),
}

/// A request to write: the index, the writes, and who waits for them.
type Writes = (String, Vec<Write>, Reply<Vec<Result<Written, Rejected>>>);

/// A request, and its place in the queue.
pub(crate) type Queued = (Job, OwnedSemaphorePermit);

pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// By uuid.
    open: HashMap<String, Target>,
    /// Part of the ids of this run.
    run: [u8; 8],
}

/// An index that is written to.
struct Target {
    index: Arc<Index>,
    mapping: Mapping,
    log: Log,
    next_seq_no: u64,
    /// Only while something is written.
    writer: Option<IndexWriter>,
    /// The documents written since the last commit; none for those that are gone.
    pending: HashMap<String, Option<Numbers>>,
    /// How many writes wait for a commit, and since when.
    waiting: usize,
    since: Option<Instant>,
    last_used: Instant,
}

/// A write that is in order.
struct Prepared {
    entry: Entry,
    row: Option<Row>,
    is_new: bool,
}

impl Writer {
    /// Opens all indices and gives them what the logs hold and they do not.
    pub(crate) fn open(shared: Arc<Shared>) -> Result<Writer, StoreError> {
        let mut run = [0; 8];
        run.copy_from_slice(&random()[..8]);
        let mut writer = Writer {
            shared: shared.clone(),
            open: HashMap::new(),
            run,
        };
        for index in shared.catalog().indices.values() {
            let mut target = Target::open(index.clone())?;
            if target.waiting > 0 {
                target.commit()?;
            }
            target.writer = None;
            writer.open.insert(index.uuid.clone(), target);
        }
        Ok(writer)
    }

    /// Serves requests until nobody can ask any more.
    pub(crate) fn run(mut self, jobs: &Receiver<Queued>) -> Result<(), StoreError> {
        let mut next: Option<Queued> = None;
        loop {
            let job = match next.take() {
                Some(job) => job,
                None => match jobs.recv_timeout(self.patience()) {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Timeout) => {
                        self.commit_what_is_due(Instant::now())?;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                },
            };
            match job.0 {
                Job::Write(first) => {
                    let mut size = size_of(&first.1);
                    let mut group = vec![first];
                    let mut places = vec![job.1];
                    while size < GROUP {
                        match jobs.try_recv() {
                            Ok((Job::Write(more), place)) => {
                                size += size_of(&more.1);
                                group.push(more);
                                places.push(place);
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.write(group)?;
                    drop(places);
                }
                // Who has asked may be gone: then nobody wants to know.
                Job::Create(name, body, reply) => {
                    let done = self.create(&name, &body).map(drop);
                    drop(reply.send(done));
                }
                Job::Delete(patterns, reply) => drop(reply.send(self.delete(&patterns))),
                Job::Alias(alias, names, reply) => drop(reply.send(self.alias(alias, names))),
                Job::PutMapping(patterns, mapping, reply) => {
                    drop(reply.send(self.put_mapping(&patterns, &mapping)));
                }
                Job::Refresh(patterns, reply) => drop(reply.send(self.refresh(&patterns))),
            }
            self.commit_what_is_due(Instant::now())?;
        }
        for target in self.open.values_mut() {
            target.commit_if_waiting()?;
            if let Some(writer) = target.writer.take() {
                writer.wait_merging_threads()?;
            }
        }
        Ok(())
    }

    /// How long nothing has to be done.
    fn patience(&self) -> Duration {
        let since = self.open.values().filter_map(|target| target.since).min();
        since.map_or(Duration::from_secs(3_600), |since| {
            COMMIT_AFTER.saturating_sub(since.elapsed())
        })
    }

    fn commit_what_is_due(&mut self, now: Instant) -> Result<(), StoreError> {
        for target in self.open.values_mut() {
            let is_due = |since: Instant| now.duration_since(since) >= COMMIT_AFTER;
            if target.waiting >= COMMIT_EVERY || target.since.is_some_and(is_due) {
                target.commit()?;
            }
        }
        // A writer costs threads and memory.
        let mut idle: Vec<&mut Target> = self
            .open
            .values_mut()
            .filter(|target| target.writer.is_some())
            .collect();
        idle.sort_by_key(|target| target.last_used);
        let surplus = idle.len().saturating_sub(MOST_WRITERS);
        for target in idle.into_iter().take(surplus) {
            target.commit_if_waiting()?;
            target.writer = None;
        }
        Ok(())
    }

    fn create(&mut self, name: &str, body: &Value) -> Result<Arc<Index>, StoreError> {
        names::check(name)?;
        let mut catalog = self.shared.catalog();
        if catalog.indices.contains_key(name) || catalog.aliases.contains_key(name) {
            return Err(StoreError::Exists(name.to_owned()));
        }
        let empty = serde_json::Map::new();
        let members = match body {
            Value::Null => &empty,
            Value::Object(members) => members,
            _ => return Err(StoreError::request("$", "expected an object")),
        };
        let known = ["mappings", "settings", "aliases"];
        if let Some(key) = members.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(StoreError::request(
                format!("$.{key}"),
                "this is not supported",
            ));
        }
        let part = |key: &str| members.get(key).unwrap_or(&Value::Null);
        let mapping = Mapping::new(part("mappings"), part("settings"))?;
        let aliases: Vec<String> = match part("aliases") {
            Value::Null => Vec::new(),
            Value::Object(aliases) => aliases.keys().cloned().collect(),
            _ => return Err(StoreError::request("$.aliases", "expected an object")),
        };
        for alias in &aliases {
            names::check(alias)?;
            if catalog.indices.contains_key(alias) || alias == name {
                return Err(StoreError::Exists(alias.clone()));
            }
        }
        let uuid: String = random().iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = of_index(&self.shared.folder, &uuid);
        let logs = folder.join("log");
        fs::create_dir_all(&logs).map_err(StoreError::io(&logs))?;
        let log = Log::create(&logs, 1)?;
        let first = Commit {
            log: log.number(),
            next_seq_no: 0,
            mapping: mapping.kept(),
        };
        let index = Arc::new(Index::create(&folder, name, &uuid, &first)?);
        sync_folder(&folder)?;
        sync_folder(&self.shared.folder.join("indices"))?;
        catalog.indices.insert(name.to_owned(), index.clone());
        for alias in aliases {
            let names = catalog.aliases.entry(alias).or_default();
            names.push(name.to_owned());
        }
        self.publish(catalog)?;
        self.open
            .insert(uuid, Target::new(index.clone(), mapping, log, 0));
        Ok(index)
    }

    fn delete(&mut self, patterns: &str) -> Result<Vec<String>, StoreError> {
        let mut catalog = self.shared.catalog();
        let indices = catalog.resolve(patterns)?;
        for index in &indices {
            catalog.indices.remove(&index.name);
        }
        catalog.aliases.retain(|_, names| {
            names.retain(|name| catalog.indices.contains_key(name));
            !names.is_empty()
        });
        self.publish(catalog)?;
        for index in &indices {
            self.open.remove(&index.uuid);
            fs::remove_dir_all(&index.folder).map_err(StoreError::io(&index.folder))?;
        }
        Ok(indices.iter().map(|index| index.name.clone()).collect())
    }

    fn alias(&mut self, alias: String, indices: Vec<String>) -> Result<(), StoreError> {
        names::check(&alias)?;
        let mut catalog = self.shared.catalog();
        if catalog.indices.contains_key(&alias) {
            return Err(StoreError::Exists(alias));
        }
        if let Some(name) = indices
            .iter()
            .find(|name| !catalog.indices.contains_key(*name))
        {
            return Err(StoreError::NoIndex(name.clone()));
        }
        match indices.is_empty() {
            true => drop(catalog.aliases.remove(&alias)),
            false => drop(catalog.aliases.insert(alias, indices)),
        }
        self.publish(catalog)
    }

    fn put_mapping(&mut self, patterns: &str, added: &Value) -> Result<(), StoreError> {
        for index in self.shared.catalog().resolve(patterns)? {
            if let Some(target) = self.open.get_mut(&index.uuid) {
                let mapping = target.mapping.with(added)?;
                // The log holds no mappings, so the commit has to.
                if mapping.json() != target.mapping.json() {
                    target.mapping = mapping;
                    target.commit()?;
                }
            }
        }
        Ok(())
    }

    /// Keeps a catalog, and lets everybody see it.
    fn publish(&self, catalog: Catalog) -> Result<(), StoreError> {
        catalog.save(&self.shared.folder)?;
        self.shared.set_catalog(catalog);
        Ok(())
    }

    fn refresh(&mut self, patterns: &str) -> Result<(), StoreError> {
        for index in self.shared.catalog().resolve(patterns)? {
            if let Some(target) = self.open.get_mut(&index.uuid) {
                target.commit_if_waiting()?;
            }
        }
        Ok(())
    }

    /// Writes the documents of several requests.
    fn write(&mut self, group: Vec<Writes>) -> Result<(), StoreError> {
        let mut prepared: BTreeMap<String, Vec<Prepared>> = BTreeMap::new();
        let mut replies = Vec::new();
        for (name, writes, reply) in group {
            let target = match self.target(&name) {
                Ok(target) => target,
                Err(error) => {
                    drop(reply.send(Err(error)));
                    continue;
                }
            };
            let uuid = target.index.uuid.clone();
            let run = self.run;
            let Some(target) = self.open.get_mut(&uuid) else {
                drop(reply.send(Err(StoreError::Stopped)));
                continue;
            };
            let own = prepared.entry(uuid).or_default();
            let mut answers = Vec::with_capacity(writes.len());
            for write in writes {
                answers.push(target.prepare(write, &run)?.map(|ready| {
                    let entry = &ready.entry;
                    let written = Written {
                        id: entry.id.clone(),
                        seq_no: entry.seq_no,
                        primary_term: 1,
                        version: entry.version,
                    };
                    own.push(ready);
                    written
                }));
            }
            replies.push((reply, answers));
        }
        let mut ready = Vec::new();
        for (uuid, own) in prepared {
            if let Some(target) = self.open.get_mut(&uuid)
                && !own.is_empty()
            {
                let (entries, rows): (Vec<_>, Vec<_>) = own
                    .into_iter()
                    .map(|own| (own.entry, (own.row, own.is_new)))
                    .unzip();
                target.log.append(&entries)?;
                ready.push((uuid, entries, rows));
            }
        }
        for (reply, answers) in replies {
            drop(reply.send(Ok(answers)));
        }
        for (uuid, entries, rows) in ready {
            if let Some(target) = self.open.get_mut(&uuid) {
                for (entry, (row, is_new)) in entries.into_iter().zip(rows) {
                    target.index(entry, row, is_new)?;
                }
            }
        }
        Ok(())
    }

    /// The index that is written to under this name; it is made if it is not there.
    fn target(&mut self, name: &str) -> Result<&Target, StoreError> {
        let index = match self.shared.catalog().target(name)? {
            Some(index) => index,
            None => self.create(name, &Value::Null)?,
        };
        self.open.get(&index.uuid).ok_or(StoreError::Stopped)
    }
}

fn size_of(writes: &[Write]) -> usize {
    writes
        .iter()
        .map(|write| match write {
            Write::Create { source, .. }
            | Write::Put { source, .. }
            | Write::Update { source, .. } => source.len(),
            Write::Delete { .. } => 0,
        })
        .sum()
}

impl Target {
    fn new(index: Arc<Index>, mapping: Mapping, log: Log, next_seq_no: u64) -> Target {
        Target {
            index,
            mapping,
            log,
            next_seq_no,
            writer: None,
            pending: HashMap::new(),
            waiting: 0,
            since: None,
            last_used: Instant::now(),
        }
    }

    /// Opens an index, and gives it what its log holds.
    fn open(index: Arc<Index>) -> Result<Target, StoreError> {
        let commit = index.last_commit()?;
        let folder = index.folder.join("log");
        let damaged = |reason: String| StoreError::Damaged {
            path: folder.clone(),
            reason,
        };
        let mut mapping = Mapping::restore(&commit.mapping).map_err(damaged)?;
        let mut writer: Option<IndexWriter> = None;
        let mut next_seq_no = commit.next_seq_no;
        let mut waiting = 0;
        let log = Log::open(&folder, commit.log, &mut |entry| {
            let row = match &entry.source {
                None => None,
                Some(source) => {
                    // It was taken before, in the same order.
                    let event = Event::parse(source).map_err(|error| damaged(error.to_string()))?;
                    let row = mapping.row(event);
                    Some(row.map_err(|error| damaged(error.to_string()))?)
                }
            };
            let writer = match &mut writer {
                Some(writer) => writer,
                none => none.insert(writer_of(&index)?),
            };
            next_seq_no = entry.seq_no + 1;
            waiting += 1;
            add(&index, writer, entry, row, false)
        })?;
        let mut target = Target::new(index, mapping, log, next_seq_no);
        target.writer = writer;
        target.waiting = waiting;
        Ok(target)
    }

    /// The document as it is now.
    fn current(&self, id: &str) -> Result<Option<Numbers>, StoreError> {
        match self.pending.get(id) {
            Some(numbers) => Ok(*numbers),
            None => self.index.snapshot().numbers(id),
        }
    }

    /// Decides whether a write can be done.
    fn prepare(
        &mut self,
        write: Write,
        run: &[u8; 8],
    ) -> Result<Result<Prepared, Rejected>, StoreError> {
        let (id, source, wanted, must_be_new) = match write {
            Write::Create { id: None, source } => {
                let id = own_id(run, self.next_seq_no);
                return Ok(self.finish(id, Some(source), None, true));
            }
            Write::Create {
                id: Some(id),
                source,
            } => (id, Some(source), None, true),
            Write::Put {
                id,
                source,
                if_seq_no,
            } => (id, Some(source), if_seq_no, false),
            Write::Update { read, source } => (read.id, Some(source), Some(read.seq_no), false),
            Write::Delete { id, if_seq_no } => (id, None, if_seq_no, false),
        };
        if id.is_empty() || id.len() > MAX_ID {
            return Ok(Err(Rejected::Id(id.len())));
        }
        let current = self.current(&id)?;
        let found = current.map(|numbers| numbers.seq_no);
        if let Some(wanted) = wanted
            && found != Some(wanted)
        {
            return Ok(Err(Rejected::Conflict { wanted, found }));
        }
        match (found, &source) {
            (Some(seq_no), _) if must_be_new => return Ok(Err(Rejected::Exists(seq_no))),
            (None, None) => return Ok(Err(Rejected::Missing)),
            _ => {}
        }
        Ok(self.finish(id, source, current, current.is_none()))
    }

    fn finish(
        &mut self,
        id: String,
        source: Option<Vec<u8>>,
        current: Option<Numbers>,
        is_new: bool,
    ) -> Result<Prepared, Rejected> {
        let row = match &source {
            None => None,
            Some(source) if source.len() > MAX_DOCUMENT => {
                return Err(Rejected::TooLarge(source.len()));
            }
            Some(source) => Some(self.mapping.row(Event::parse(source)?)?),
        };
        let numbers = Numbers {
            seq_no: self.next_seq_no,
            version: current.map_or(1, |numbers| numbers.version + 1),
        };
        self.next_seq_no += 1;
        self.pending
            .insert(id.clone(), source.is_some().then_some(numbers));
        let entry = Entry {
            seq_no: numbers.seq_no,
            version: numbers.version,
            id,
            source,
        };
        Ok(Prepared { entry, row, is_new })
    }

    fn index(&mut self, entry: Entry, row: Option<Row>, is_new: bool) -> Result<(), StoreError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(writer_of(&self.index)?),
        };
        self.waiting += 1;
        self.last_used = Instant::now();
        self.since.get_or_insert(self.last_used);
        add(&self.index, writer, entry, row, is_new)
    }

    fn commit_if_waiting(&mut self) -> Result<(), StoreError> {
        match self.waiting {
            0 => Ok(()),
            _ => self.commit(),
        }
    }

    /// Makes the index have all that the log has, and forgets that.
    fn commit(&mut self) -> Result<(), StoreError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(writer_of(&self.index)?),
        };
        let log = self.log.rotate()?;
        let state = Commit {
            log,
            next_seq_no: self.next_seq_no,
            mapping: self.mapping.kept(),
        };
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&state.text());
        commit.commit()?;
        self.index.reload()?;
        self.log.forget()?;
        self.pending.clear();
        (self.waiting, self.since) = (0, None);
        Ok(())
    }
}

fn writer_of(index: &Index) -> Result<IndexWriter, StoreError> {
    // Merges take memory, so there is one at a time.
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .num_merge_threads(1)
        .memory_budget_per_thread(MEMORY)
        .build();
    let writer: IndexWriter = index.tantivy.writer_with_options(options)?;
    let mut policy = LogMergePolicy::default();
    // A pass that tags a good part of all documents must not make it write the others again: the folder is at most twice as
    // large as it has to be.
    policy.set_del_docs_ratio_before_merge(0.5);
    writer.set_merge_policy(Box::new(policy));
    // A process that was killed may have left files whose names would be given again.
    writer.garbage_collect_files().wait()?;
    Ok(writer)
}

fn add(
    index: &Index,
    writer: &IndexWriter,
    entry: Entry,
    row: Option<Row>,
    is_new: bool,
) -> Result<(), StoreError> {
    if !is_new {
        writer.delete_term(index.term(&entry.id));
    }
    let numbers = Numbers {
        seq_no: entry.seq_no,
        version: entry.version,
    };
    if let (Some(source), Some(row)) = (entry.source, row) {
        // An event is UTF-8, so nothing is copied or replaced.
        let source = String::from_utf8_lossy(&source);
        let document: TantivyDocument = index.document(&entry.id, numbers, &source, row);
        writer.add_document(document)?;
    }
    Ok(())
}

/// An id for a document without one: unlike all others, and in the order of writing.
fn own_id(run: &[u8; 8], seq_no: u64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let number = u128::from(seq_no) << 64 | u128::from(u64::from_be_bytes(*run));
    // 40 bits of the sequence number, and those of the run.
    (0..21)
        .rev()
        .map(|digit| char::from(DIGITS[(number >> (digit * 5)) as usize & 31]))
        .collect()
}
