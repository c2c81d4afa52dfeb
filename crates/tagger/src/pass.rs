//! Documents of a store, changed where they lie.

use crate::aside::{self, Aside};
use crate::plan::{self, Plan, PlannedIndex, Way};
use crate::state::{Numbers, State};
use crate::summary::{Counters, Tally};
use crate::worker::{Change, Worker};
use crate::{Mode, Options, Rules, Selection, Summary};
use crossbeam_channel::{Receiver, Sender};
use event::Event;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use input::Report;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use store::{Document, DocumentId, Part, Rejected, Scan, Store, StoreError, Write};
use tag::{Outcome, Tagger};
use tokio::sync::oneshot;

/// How many pages are being written at a time.
const WRITES: usize = 4;

/// How often it is written down what is done.
const SAVE: Duration = Duration::from_secs(1);

/// Makes the tags of the documents of a [`Selection`] equal to the rules that hit them, and writes those that change; each has
/// one write for all rules together. Where documents cannot be changed, their hits are written to a side index. The tag fields
/// get their schema before. What is done with these rules already is not read.
///
/// # Errors
/// Those of the store before anything is read or written. What ends the run later, and what the store says of single indices and
/// documents, is in the [`Summary`].
pub async fn tag_store(
    rules: &Arc<Rules>,
    options: &Options,
    store: &dyn Store,
    selection: &Selection,
) -> Result<Summary, StoreError> {
    let profile = options.tagger.as_ref().map(|tagger| tagger.profile);
    let (mut plan, mut state) =
        plan::planned(rules, profile.unwrap_or_default(), store, selection).await?;
    if selection.again || selection.dry_run {
        state.forget();
    }
    let mut run = Run::new(options, store, selection.rate);
    if !selection.dry_run {
        prepare(&mut plan, selection, &mut run).await?;
    }
    let documents: u64 = plan.indices.iter().map(|index| index.index.documents).sum();
    run.tell_of(&plan, selection).await?;
    let work = {
        let (rules, options) = (rules.clone(), options.clone());
        move |jobs: Receiver<Job>| {
            let mut worker = Worker::new(&rules, &options);
            for job in jobs {
                job.work(|document, way, counters| {
                    let change = worker.document(document, way, counters);
                    change.map_err(|cause| cause.to_string())
                });
            }
        }
    };
    let workers = Workers::start(options.jobs, work);
    run.writes = !selection.dry_run;
    run.falls_back = matches!(selection.mode, Mode::Auto | Mode::Both);
    let query = selection.query();
    let whole = async {
        run.go_over(&workers, &plan, query.as_ref(), &mut state)
            .await?;
        if !run.writes || run.is_stopped() {
            return Ok(());
        }
        if query.is_none() {
            run.known = documents.saturating_sub(run.done.counters.events());
        }
        // What others have written meanwhile.
        run.go_over(&workers, &plan, query.as_ref(), &mut state)
            .await?;
        for index in plan.indices.iter().filter(|index| index.tags.is_aside()) {
            let name = &index.index.name;
            run.done.removed += aside::remove_others(store, name, rules, query.clone()).await?;
        }
        Ok(())
    };
    let whole = whole.await;
    Ok(run.ended(whole, rules))
}

/// Takes the tags of one rule, or all tags, away from the documents of these indices, and their hits out of the side index.
///
/// # Errors
/// As [`tag_store`].
pub async fn untag_store(
    rule: Option<&str>,
    options: &Options,
    store: &dyn Store,
    indices: &str,
) -> Result<Summary, StoreError> {
    let now = options.tagger.as_ref().map(|tagger| &tagger.tagged_at);
    let (id, now) = (rule.map(str::to_owned), now.cloned().unwrap_or_default());
    let work = move |jobs: Receiver<Job>| {
        for job in jobs {
            job.work(|document, _, counters| {
                let event = Event::parse(document.source.as_bytes());
                let event = event.map_err(|cause| cause.to_string())?;
                let mut change = Change::default();
                change.outcome = match &id {
                    Some(id) => Tagger::remove_rule(&event, id, &now, &mut change.text),
                    None => Tagger::remove(&event, &mut change.text),
                };
                counters.add_untagged(change.outcome);
                Ok(change)
            });
        }
    };
    let none = Rules::none();
    let selection = Selection {
        mode: Mode::InPlace,
        ..Selection::all(indices)
    };
    let (plan, mut state) = plan::planned(&none, Default::default(), store, &selection).await?;
    let mut run = Run::new(options, store, None);
    let workers = Workers::start(options.jobs, work);
    run.writes = true;
    let query = tag::tagged(rule);
    let whole = async {
        run.go_over(&workers, &plan, Some(&query), &mut state)
            .await?;
        for index in &plan.indices {
            run.done.removed += aside::remove(store, &index.index.name, rule).await?;
        }
        Ok(())
    };
    let whole = whole.await;
    Ok(run.ended(whole, &none))
}

/// Puts what is missing of the schema of the tag fields into these indices. A field that is there stays as it is: documents
/// that do not fit it are refused one by one when they are written.
pub(crate) async fn put_schema(store: &dyn Store, indices: &str) -> Result<(), StoreError> {
    let schema = tag::schema();
    for index in store.indices(indices).await? {
        let missing = plan::missing(&schema["properties"], &index.mapping["properties"]);
        if !missing.is_empty() {
            let missing = json!({"properties": missing});
            store.put_mapping(&index.name, missing).await?;
        }
    }
    Ok(())
}

/// Puts the schema of the tag fields where it is missing. An index that does not take it gets no tags either.
async fn prepare(
    plan: &mut Plan,
    selection: &Selection,
    run: &mut Run<'_>,
) -> Result<(), StoreError> {
    for index in &mut plan.indices {
        if !index.lacks_schema() {
            continue;
        }
        match run
            .store
            .put_mapping(&index.index.name, index.schema.clone())
            .await
        {
            Ok(()) => {}
            Err(StoreError::Refused { reason, .. }) if selection.mode != Mode::InPlace => {
                index.tags = Way::Side;
                index.reason = Some(format!("it does not take the fields of tags: {reason}"));
            }
            // It went since the plan was made.
            Err(StoreError::NoIndex(_)) => index.tags = Way::Nowhere,
            Err(error) => return Err(error),
        }
    }
    if selection.templates && plan.indices.iter().any(|index| index.tags.is_in_place()) {
        let existing = plan.indices.iter().map(|planned| &planned.index).collect();
        let future = run
            .store
            .put_future_mapping(&selection.indices, existing, tag::schema());
        match future.await {
            Ok(put) => run.note("indices to come will have the fields of tags", put),
            Err(StoreError::Refused { reason, .. } | StoreError::Forbidden { reason, .. }) => {
                let what = "indices to come will not have the fields of tags";
                run.note(what, [reason]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Documents for a worker, all of one index.
struct Job {
    documents: Vec<Document>,
    way: Way,
    reply: oneshot::Sender<Changes>,
}

/// What a worker has made of a page.
#[derive(Default)]
struct Changes {
    /// Documents as they were read, and the texts that they are to have.
    writes: Vec<(Document, Vec<u8>)>,
    /// What goes into the side index, with the number of the document.
    aside: Vec<Aside>,
    counters: Counters,
    broken: Tally,
    /// The documents that cannot be tagged.
    open: Vec<u64>,
    read: Vec<u64>,
    bytes: u64,
}

impl Job {
    /// Changes the documents, and answers.
    fn work(self, mut change: impl FnMut(&Document, Way, &mut Counters) -> Result<Change, String>) {
        let mut changes = Changes::default();
        for document in self.documents {
            changes.read.push(document.seq_no);
            changes.bytes += document.source.len() as u64;
            match change(&document, self.way, &mut changes.counters) {
                Ok(change) => {
                    changes.aside.extend(change.aside);
                    match change.outcome {
                        Outcome::Tagged | Outcome::Renewed | Outcome::Removed
                            if self.way.is_in_place() =>
                        {
                            changes.writes.push((document, change.text));
                        }
                        Outcome::Conflict(_) => changes.open.push(document.seq_no),
                        _ => {}
                    }
                }
                Err(cause) => {
                    changes.open.push(document.seq_no);
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
    /// Hits in the side index.
    aside: u64,
    /// Hits that were taken out of it.
    removed: u64,
    /// Documents that somebody else has changed since they were read.
    again: Tally,
    gone: Tally,
    refused: Tally,
    broken: Tally,
    /// Refused where they lie, so that their hits are in the side index.
    moved: Tally,
    /// Hits without the rest of their event.
    cut: Tally,
    gone_indices: Tally,
    not_shown: Tally,
}

/// A page that was read, or why there is none.
enum Read<'p> {
    Page(&'p PlannedIndex, Part, Vec<Document>),
    /// The index is not there any more, or is another one.
    Gone(&'p PlannedIndex),
    /// The store does not show it.
    Refused(&'p PlannedIndex, StoreError),
}

/// A run over documents.
struct Run<'r> {
    options: &'r Options,
    store: &'r dyn Store,
    rate: Option<u32>,
    /// Whether anything is written.
    writes: bool,
    /// Whether hits on documents that are refused go into the side index.
    falls_back: bool,
    /// Whether it is noted what is done.
    is_noted: bool,
    done: Done,
    /// How many documents were done before.
    known: u64,
    /// What there is to tell beside what became of the documents: effect, reason, how often.
    told: Vec<(&'static str, &'static str, Tally)>,
    start: Instant,
}

impl<'r> Run<'r> {
    fn new(options: &'r Options, store: &'r dyn Store, rate: Option<u32>) -> Run<'r> {
        Run {
            options,
            store,
            rate,
            writes: false,
            falls_back: false,
            is_noted: true,
            done: Done::default(),
            known: 0,
            told: Vec::new(),
            start: Instant::now(),
        }
    }

    fn is_stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    /// Takes a note to be told at the end.
    fn note(&mut self, what: &'static str, examples: impl IntoIterator<Item = String>) {
        let mut tally = Tally::default();
        for example in examples {
            tally.add(|| example);
        }
        self.told.push(("noted", what, tally));
    }

    /// Tells what is not as somebody may expect it.
    async fn tell_of(&mut self, plan: &Plan, selection: &Selection) -> Result<(), StoreError> {
        let mut unreadable = Tally::default();
        let mut aside = Tally::default();
        let mut undated = Tally::default();
        for planned in &plan.indices {
            let name = &planned.index.name;
            match (&planned.reason, planned.tags) {
                (Some(reason), Way::Nowhere) => unreadable.add(|| format!("{name}: {reason}")),
                (Some(reason), Way::Side) => aside.add(|| format!("{name}: {reason}")),
                _ => {}
            }
            if let Some(query) = selection.undated()
                && planned.tags != Way::Nowhere
            {
                match self.store.count(name, &query).await {
                    Ok(0) | Err(StoreError::NoIndex(_)) => {}
                    Ok(count) => undated.add_many(count, || name.clone()),
                    Err(error) => return Err(error),
                }
            }
        }
        self.told.extend([
            ("lost", "the index cannot be read", unreadable),
            (
                "noted",
                "the index takes no tags: its hits are in sigma-hits-*",
                aside,
            ),
            (
                "noted",
                "the document has no @timestamp, and is left out",
                undated,
            ),
        ]);
        Ok(())
    }

    /// Reads what `query` finds in the indices and is not done, lets threads work on it, and writes what that changes.
    async fn go_over(
        &mut self,
        workers: &Workers,
        plan: &Plan,
        query: Option<&Value>,
        state: &mut State,
    ) -> Result<(), StoreError> {
        let known = state.known();
        let (options, store) = (self.options, self.store);
        let (writes, falls_back, rate) = (self.writes, self.falls_back, self.rate);
        let pages = stream::iter(&plan.indices)
            .filter(|index| std::future::ready(index.tags != Way::Nowhere))
            .flat_map(|index| {
                let page = store.capabilities().page;
                let scan = Scan {
                    // So that what is read at once takes no longer than a second.
                    size: rate.map_or(page, |rate| page.min(rate as usize)),
                    query: query.cloned(),
                    known: known.clone(),
                    ..Scan::all(&index.index.name)
                };
                pages(options, store, index, scan)
            });
        let mut pace = Pace::new(rate);
        let done = pages
            .and_then(|read| pace.slow(read))
            .map_ok(|read| work(workers, read))
            .try_buffered(options.jobs + 1)
            .map_ok(|(read, changes)| {
                let writer = Writer {
                    store,
                    workers,
                    writes,
                    falls_back,
                };
                options
                    .progress
                    .fetch_add(changes.read.len() as u64, Ordering::Relaxed);
                writer.page(read, changes)
            })
            .try_buffered(WRITES);
        let mut done = std::pin::pin!(done);
        let mut saved = Instant::now();
        let outcome = loop {
            match done.try_next().await {
                Ok(Some((part, numbers, more))) => {
                    self.done.add(more);
                    if let Some(part) = part {
                        state.done(&part, &numbers, query.is_none());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
            if saved.elapsed() > SAVE {
                self.save(state).await?;
                saved = Instant::now();
            }
        };
        // What went wrong first is told.
        let saved = self.save(state).await;
        outcome.and(saved)
    }

    /// Writes down what is done; who may not has to do without.
    async fn save(&mut self, state: &mut State) -> Result<(), StoreError> {
        if !self.writes || !self.is_noted {
            return Ok(());
        }
        let tagger = self.options.tagger.as_ref();
        let now = tagger.map_or("", |tagger| tagger.tagged_at.as_str());
        match state.save(self.store, now).await {
            Err(StoreError::Forbidden { reason, .. }) => {
                self.is_noted = false;
                let what =
                    "the next run will read all again, since .sigtag-state cannot be written";
                self.note(what, [reason]);
                Ok(())
            }
            saved => saved,
        }
    }

    /// What there is to tell at the end, also if something went wrong before all was done.
    fn ended(mut self, whole: Result<(), StoreError>, rules: &Rules) -> Summary {
        if let Err(error) = whole {
            let mut failed = Tally::default();
            failed.add(|| error.to_string());
            self.told
                .push(("lost", "the store has ended the run", failed));
        }
        self.summary(rules)
    }

    fn summary(self, rules: &Rules) -> Summary {
        let interrupted = self.is_stopped();
        let done = self.done;
        let report = Report {
            bytes: done.bytes,
            ..Report::default()
        };
        let time = self.start.elapsed();
        let mut summary = done.counters.summary(rules, &report, time, interrupted);
        summary.written = Some(done.written);
        summary.aside = done.aside;
        summary.aside_removed = done.removed;
        summary.known = self.known;
        summary.dry_run = !self.writes;
        let told = self.told.into_iter().chain([
            (
                "noted",
                "the index is not there any more",
                done.gone_indices,
            ),
            (
                "noted",
                "the document was changed meanwhile, and read again",
                done.again,
            ),
            ("noted", "the document was deleted meanwhile", done.gone),
            (
                "noted",
                "the document takes no tag: its hits are in sigma-hits-*",
                done.moved,
            ),
            (
                "noted",
                "the event does not fit into sigma-hits-*: only its tag is there",
                done.cut,
            ),
            ("lost", "the index cannot be read", done.not_shown),
            (
                "lost",
                "the store refuses the tagged document",
                done.refused,
            ),
            ("lost", "the document is no event", done.broken),
        ]);
        for (effect, reason, tally) in told {
            summary.tell(effect, reason, tally);
        }
        summary
    }
}

/// The pages of an index, until all is read or the run is to end.
fn pages<'a>(
    options: &'a Options,
    store: &'a dyn Store,
    index: &'a PlannedIndex,
    scan: Scan,
) -> impl Stream<Item = Result<Read<'a>, StoreError>> + 'a {
    stream::try_unfold(Some(scan), move |mut scan| async move {
        loop {
            let Some(mut next) = scan.filter(|_| !options.stop.load(Ordering::Relaxed)) else {
                return Ok(None);
            };
            let page = match store.scan(&next).await {
                Ok(page) => page,
                Err(StoreError::NoIndex(_)) => return Ok(Some((Read::Gone(index), None))),
                Err(error @ StoreError::Refused { .. }) => {
                    return Ok(Some((Read::Refused(index, error), None)));
                }
                Err(error) => return Err(error),
            };
            scan = page.next.clone().map(|after| {
                next.after = Some(after);
                next
            });
            match page.part {
                Some(part) if part.uuid != index.index.uuid => {
                    return Ok(Some((Read::Gone(index), None)));
                }
                Some(part) => return Ok(Some((Read::Page(index, part, page.documents), scan))),
                None => {}
            }
        }
    })
}

/// Lets no more documents be read than are to be.
struct Pace {
    rate: Option<f64>,
    /// When all that was read so far has had its time.
    next: Instant,
}

impl Pace {
    fn new(rate: Option<u32>) -> Pace {
        Pace {
            rate: rate.map(f64::from),
            next: Instant::now(),
        }
    }

    /// Waits until these documents have had their time.
    fn slow<'p>(
        &mut self,
        read: Read<'p>,
    ) -> impl Future<Output = Result<Read<'p>, StoreError>> + use<'p> {
        let mut wait = None;
        if let (Some(rate), Read::Page(_, _, documents)) = (self.rate, &read) {
            let time = Duration::from_secs_f64(documents.len() as f64 / rate);
            self.next = self.next.max(Instant::now()) + time;
            wait = Some(self.next);
        }
        async move {
            if let Some(until) = wait {
                tokio::time::sleep_until(until.into()).await;
            }
            Ok(read)
        }
    }
}

/// Gives the documents of a page to the workers.
async fn work<'p>(workers: &Workers, read: Read<'p>) -> Result<(Read<'p>, Changes), StoreError> {
    match read {
        Read::Page(index, part, documents) => {
            let changes = workers.work(documents, index.tags).await?;
            Ok((Read::Page(index, part, Vec::new()), changes))
        }
        none => Ok((none, Changes::default())),
    }
}

/// Writes what has changed.
struct Writer<'w> {
    store: &'w dyn Store,
    workers: &'w Workers,
    writes: bool,
    falls_back: bool,
}

impl Writer<'_> {
    /// Writes what has changed on a page, and tells what is done.
    async fn page(
        self,
        read: Read<'_>,
        changes: Changes,
    ) -> Result<(Option<Part>, Numbers, Done), StoreError> {
        let mut done = Done::default();
        let (index, part) = match read {
            Read::Page(index, part, _) => (index, part),
            Read::Gone(index) => {
                done.gone_indices.add(|| index.index.name.clone());
                return Ok((None, Numbers::default(), done));
            }
            Read::Refused(index, error) => {
                done.not_shown
                    .add(|| format!("{}: {error}", index.index.name));
                return Ok((None, Numbers::default(), done));
            }
        };
        let mut numbers = Numbers::default();
        self.changes(index, changes, &mut done, &mut numbers)
            .await?;
        Ok((Some(part), numbers, done))
    }

    /// Writes documents. What somebody else has changed meanwhile is read and worked on again.
    async fn changes(
        &self,
        index: &PlannedIndex,
        mut changes: Changes,
        done: &mut Done,
        numbers: &mut Numbers,
    ) -> Result<(), StoreError> {
        done.counters = std::mem::take(&mut changes.counters);
        done.bytes = changes.bytes;
        let name = &index.index.name;
        loop {
            done.broken.merge(changes.broken);
            numbers.read.append(&mut changes.read);
            numbers.open.extend(changes.open);
            if !self.writes {
                done.written += changes.writes.len() as u64;
                done.aside += changes.aside.len() as u64;
                return Ok(());
            }
            self.aside(changes.aside, done).await?;
            if changes.writes.is_empty() {
                return Ok(());
            }
            let read: Vec<Document> = changes
                .writes
                .iter()
                .map(|(read, _)| read.clone())
                .collect();
            let writes = changes
                .writes
                .into_iter()
                .map(|(read, source)| Write::Update {
                    read: Box::new(read),
                    source,
                });
            let answers = self.store.write(name, writes.collect()).await?;
            let (mut conflicts, mut refused) = (Vec::new(), Vec::new());
            for (document, answer) in read.into_iter().zip(answers) {
                let place = || format!("{name}/{}", document.id);
                match answer {
                    Ok(written) => {
                        done.written += 1;
                        if written.seq_no > document.seq_no {
                            numbers.written.push(written.seq_no);
                        }
                    }
                    Err(Rejected::Conflict { found: None, .. } | Rejected::Missing) => {
                        done.gone.add(place);
                    }
                    Err(Rejected::Conflict { .. }) => {
                        done.again.add(place);
                        conflicts.push(DocumentId::from(&document));
                    }
                    Err(cause @ Rejected::Refused(_)) if self.falls_back => {
                        done.moved.add(|| format!("{}: {cause}", place()));
                        refused.push(document);
                    }
                    Err(cause) => {
                        numbers.open.insert(document.seq_no);
                        done.refused.add(|| format!("{}: {cause}", place()));
                    }
                }
            }
            if !refused.is_empty() && index.tags != Way::Both {
                // They have been counted as they were first read.
                let changes = self.workers.work(refused, Way::Side).await?;
                self.aside(changes.aside, done).await?;
            }
            if conflicts.is_empty() {
                return Ok(());
            }
            let found = match self.store.get(name, &conflicts).await {
                Ok(found) => found,
                Err(StoreError::NoIndex(_)) => conflicts.iter().map(|_| None).collect(),
                Err(error) => return Err(error),
            };
            let mut again = Vec::new();
            for (id, document) in conflicts.iter().zip(found) {
                match document {
                    Some(document) => again.push(document),
                    None => done.gone.add(|| format!("{name}/{}", id.id)),
                }
            }
            changes = self.workers.work(again, index.tags).await?;
        }
    }

    /// Writes hits into the side index.
    async fn aside(&self, hits: Vec<Aside>, done: &mut Done) -> Result<(), StoreError> {
        if hits.is_empty() {
            return Ok(());
        }
        let put = aside::put(self.store, hits).await?;
        done.aside += put.written;
        for hit in put.cut {
            done.cut.add(|| hit);
        }
        for hit in put.refused {
            done.refused.add(|| hit);
        }
        Ok(())
    }
}

impl Done {
    fn add(&mut self, more: Done) {
        self.counters.merge(more.counters);
        self.bytes += more.bytes;
        self.written += more.written;
        self.aside += more.aside;
        self.removed += more.removed;
        for (tally, more) in [
            (&mut self.again, more.again),
            (&mut self.gone, more.gone),
            (&mut self.refused, more.refused),
            (&mut self.broken, more.broken),
            (&mut self.moved, more.moved),
            (&mut self.cut, more.cut),
            (&mut self.gone_indices, more.gone_indices),
            (&mut self.not_shown, more.not_shown),
        ] {
            tally.merge(more);
        }
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
        way: Way,
    ) -> impl Future<Output = Result<Changes, StoreError>> + use<> {
        let (reply, changes) = oneshot::channel();
        // If no thread is left, the reply is dropped with the job.
        drop(self.jobs.send(Job {
            documents,
            way,
            reply,
        }));
        async { changes.await.map_err(|_| StoreError::Stopped) }
    }
}
