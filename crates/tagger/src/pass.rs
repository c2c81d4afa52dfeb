//! Documents of a store, changed where they lie.

use crate::summary::{Counters, Tally};
use crate::worker::Worker;
use crate::{Options, Rules, Summary};
use crossbeam_channel::{Receiver, Sender};
use event::Event;
use futures_util::{Stream, TryStreamExt, stream};
use input::Report;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use store::{Document, Page, Rejected, Scan, Store, StoreError, Write};
use tag::{Outcome, Tagger};
use tokio::sync::oneshot;

/// How many documents are read at once.
const PAGE: usize = 2_000;

/// How many pages are being written at a time.
const WRITES: usize = 4;

/// Makes the tags of all documents of these indices equal to the rules that hit them, and writes those that change; each has
/// one write for all rules together. The tag fields get their schema before.
///
/// # Errors
/// Those of the store, which end the run; what it says of single documents is in the [`Summary`].
pub async fn tag_store(
    rules: &Arc<Rules>,
    options: &Options,
    store: &dyn Store,
    indices: &str,
) -> Result<Summary, StoreError> {
    put_schema(store, indices).await?;
    let scan = Scan {
        size: PAGE,
        ..Scan::all(indices)
    };
    let work = {
        let (rules, options) = (rules.clone(), options.clone());
        move |jobs: Receiver<Job>| {
            let mut worker = Worker::new(&rules, &options);
            for job in jobs {
                job.work(|document, counters, out| {
                    let outcome = worker.document(&document.source, counters, out);
                    outcome.map_err(|cause| cause.to_string())
                });
            }
        }
    };
    pass(rules, options, store, scan, work).await
}

/// Takes the tags of one rule, or all tags, away from the documents of these indices.
///
/// # Errors
/// As [`tag_store`].
pub async fn untag_store(
    rule: Option<&str>,
    options: &Options,
    store: &dyn Store,
    indices: &str,
) -> Result<Summary, StoreError> {
    let scan = Scan {
        size: PAGE,
        query: Some(tag::tagged(rule)),
        ..Scan::all(indices)
    };
    let now = options.tagger.as_ref().map(|tagger| &tagger.tagged_at);
    let (rule, now) = (rule.map(str::to_owned), now.cloned().unwrap_or_default());
    let work = move |jobs: Receiver<Job>| {
        for job in jobs {
            job.work(|document, counters, out| {
                let event = Event::parse(document.source.as_bytes());
                let event = event.map_err(|cause| cause.to_string())?;
                let outcome = match &rule {
                    Some(id) => Tagger::remove_rule(&event, id, &now, out),
                    None => Tagger::remove(&event, out),
                };
                counters.add_untagged(outcome);
                Ok(outcome)
            });
        }
    };
    pass(&Rules::none(), options, store, scan, work).await
}

/// Puts what is missing of the schema of the tag fields into these indices. A field that is there stays as it is: documents
/// that do not fit it are refused one by one when they are written.
pub(crate) async fn put_schema(store: &dyn Store, indices: &str) -> Result<(), StoreError> {
    let schema = tag::schema();
    for index in store.indices(indices).await? {
        let missing = missing(&schema["properties"], &index.mapping["properties"]);
        if !missing.is_empty() {
            let missing = json!({"properties": missing});
            store.put_mapping(&index.name, missing).await?;
        }
    }
    Ok(())
}

/// The fields of `wanted` for which there is none in `known`.
fn missing(wanted: &Value, known: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, wanted) in wanted.as_object().into_iter().flatten() {
        match known.get(name) {
            None => drop(all.insert(name.clone(), wanted.clone())),
            Some(known) => {
                let below = match known.get("properties") {
                    Some(known) => missing(&wanted["properties"], known),
                    None => Map::new(),
                };
                if !below.is_empty() {
                    all.insert(name.clone(), json!({"properties": below}));
                }
            }
        }
    }
    all
}

/// Documents for a worker.
struct Job {
    documents: Vec<Document>,
    reply: oneshot::Sender<Changes>,
}

/// What a worker has made of a page.
#[derive(Default)]
struct Changes {
    /// By index, the documents as they were read, and the texts that they are to have.
    writes: BTreeMap<String, Vec<(Document, Vec<u8>)>>,
    counters: Counters,
    broken: Tally,
    read: u64,
    bytes: u64,
}

impl Job {
    /// Changes the documents, and answers.
    fn work(
        self,
        mut change: impl FnMut(&Document, &mut Counters, &mut Vec<u8>) -> Result<Outcome, String>,
    ) {
        let mut changes = Changes {
            read: self.documents.len() as u64,
            ..Changes::default()
        };
        for document in self.documents {
            changes.bytes += document.source.len() as u64;
            let mut changed = Vec::new();
            match change(&document, &mut changes.counters, &mut changed) {
                Ok(Outcome::Tagged | Outcome::Renewed | Outcome::Removed) => {
                    let of_index = changes.writes.entry(document.index.clone());
                    of_index.or_default().push((document, changed));
                }
                Ok(Outcome::Unchanged | Outcome::Conflict(_)) => {}
                Err(cause) => {
                    let place = |cause| format!("{}/{}: {cause}", document.index, document.id);
                    changes.broken.add(|| place(cause));
                }
            }
        }
        // Nobody waits any more when the store has failed.
        drop(self.reply.send(changes));
    }
}

/// What has become of the documents of a pass.
#[derive(Default)]
struct Done {
    counters: Counters,
    bytes: u64,
    written: u64,
    /// Documents that somebody else has changed since they were read.
    again: Tally,
    gone: Tally,
    refused: Tally,
    broken: Tally,
}

/// Reads what `scan` finds, lets threads do `work` on it, and writes what that changes.
async fn pass(
    rules: &Rules,
    options: &Options,
    store: &dyn Store,
    scan: Scan,
    work: impl Fn(Receiver<Job>) + Send + Sync + 'static,
) -> Result<Summary, StoreError> {
    let start = Instant::now();
    let workers = Workers::start(options.jobs, work);
    let done = pages(options, store, scan)
        .map_ok(|page| workers.work(page.documents))
        .try_buffered(2 * options.jobs)
        .map_ok(|changes| {
            options.progress.fetch_add(changes.read, Ordering::Relaxed);
            write(store, &workers, changes)
        })
        .try_buffered(WRITES)
        .try_fold(Done::default(), |done, more| async { Ok(done.and(more)) })
        .await?;
    let report = Report {
        bytes: done.bytes,
        ..Report::default()
    };
    let interrupted = options.stop.load(Ordering::Relaxed);
    let mut summary = done
        .counters
        .summary(rules, &report, start.elapsed(), interrupted);
    summary.written = Some(done.written);
    summary.tell(
        "noted",
        "the document was changed meanwhile, and read again",
        done.again,
    );
    summary.tell("noted", "the document was deleted meanwhile", done.gone);
    summary.tell(
        "lost",
        "the store refuses the tagged document",
        done.refused,
    );
    summary.tell("lost", "the document is no event", done.broken);
    Ok(summary)
}

/// The pages of a scan, until it is at its end or the run is to end.
fn pages<'a>(
    options: &'a Options,
    store: &'a dyn Store,
    scan: Scan,
) -> impl Stream<Item = Result<Page, StoreError>> + 'a {
    stream::try_unfold(Some(scan), move |scan| async move {
        let Some(mut scan) = scan.filter(|_| !options.stop.load(Ordering::Relaxed)) else {
            return Ok(None);
        };
        let page = store.scan(&scan).await?;
        let next = page.next.clone().map(|next| {
            scan.after = Some(next);
            scan
        });
        Ok(Some((page, next)))
    })
}

/// Writes what has changed. What somebody else has changed meanwhile is read and worked on again.
async fn write(
    store: &dyn Store,
    workers: &Workers,
    mut changes: Changes,
) -> Result<Done, StoreError> {
    let mut done = Done {
        counters: std::mem::take(&mut changes.counters),
        bytes: changes.bytes,
        ..Done::default()
    };
    loop {
        done.broken.merge(changes.broken);
        let mut again = Vec::new();
        for (index, documents) in changes.writes {
            let ids: Vec<String> = documents.iter().map(|(read, _)| read.id.clone()).collect();
            let writes = documents.into_iter().map(|(read, source)| Write::Update {
                read: Box::new(read),
                source,
            });
            let answers = store.write(&index, writes.collect()).await?;
            let mut conflicts = Vec::new();
            for (id, answer) in ids.into_iter().zip(answers) {
                let place = || format!("{index}/{id}");
                match answer {
                    Ok(_) => done.written += 1,
                    Err(Rejected::Conflict { found: None, .. } | Rejected::Missing) => {
                        done.gone.add(place);
                    }
                    Err(Rejected::Conflict { .. }) => {
                        done.again.add(place);
                        conflicts.push(id);
                    }
                    Err(cause) => done.refused.add(|| format!("{}: {cause}", place())),
                }
            }
            if !conflicts.is_empty() {
                let found = store.get(&index, &conflicts).await?;
                for (id, document) in conflicts.iter().zip(found) {
                    match document {
                        Some(document) => again.push(document),
                        None => done.gone.add(|| format!("{index}/{id}")),
                    }
                }
            }
        }
        if again.is_empty() {
            return Ok(done);
        }
        // They have been counted as they were first read.
        changes = workers.work(again).await?;
    }
}

impl Done {
    fn and(mut self, more: Done) -> Done {
        self.counters.merge(more.counters);
        self.bytes += more.bytes;
        self.written += more.written;
        self.again.merge(more.again);
        self.gone.merge(more.gone);
        self.refused.merge(more.refused);
        self.broken.merge(more.broken);
        self
    }
}

/// Threads that work on pages. They end when this is dropped.
struct Workers {
    jobs: Sender<Job>,
}

impl Workers {
    fn start(threads: usize, work: impl Fn(Receiver<Job>) + Send + Sync + 'static) -> Workers {
        let (jobs, queue) = crossbeam_channel::unbounded();
        let work = Arc::new(work);
        for _ in 0..threads {
            let (work, queue) = (work.clone(), queue.clone());
            std::thread::spawn(move || work(queue));
        }
        Workers { jobs }
    }

    /// Gives documents to the next thread that is free.
    fn work(
        &self,
        documents: Vec<Document>,
    ) -> impl Future<Output = Result<Changes, StoreError>> + use<> {
        let (reply, changes) = oneshot::channel();
        // If no thread is left, the reply is dropped with the job.
        drop(self.jobs.send(Job { documents, reply }));
        async { changes.await.map_err(|_| StoreError::Stopped) }
    }
}
