//! A run: use case by use case, events are read, judged, and written.

use crate::config::Config;
use crate::fields::Fields;
use crate::models::{Batch, Candidate, Fate, Group, Note, Prepared, Tells};
use crate::outlier::{self, Outlier};
use crate::summary::{Ended, Summary, Tally};
use crate::use_case::{UseCase, UseCases};
use crate::value::{Case, Found, Value};
use crate::{Mode, python, time, together};
use event::Event;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use store::{Document, DocumentId, Rejected, Scan, Store, StoreError, Write};

/// How many documents are read again, judged and written at a time.
const CHUNK: usize = 1_000;

/// How many things make it worth to have a thread for them.
const LEAST: usize = 100;

/// The most groups that are explained.
const MOST_LINES: usize = 100;

/// How often a document that others keep changing is read again.
const MOST_CONFLICTS: usize = 20;

/// What a server puts around the parts of a value that match.
const BEFORE: &str = "<value>";
const BEHIND: &str = "</value>";

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time that the run takes for now.
    pub now: Timestamp,
    /// How many threads judge events.
    pub jobs: usize,
    /// Do all but write.
    pub dry_run: bool,
    /// Say what decides, and what becomes of each outlier: lines of [`Level::Explanation`].
    pub explains: bool,
    /// Set to end the run after what is under way.
    pub stop: Arc<AtomicBool>,
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For those who look for the cause of something.
    Debug,
    /// What is done.
    Info,
    /// What is odd.
    Warning,
    /// What failed.
    Error,
    /// What was asked for, and is no line of a log.
    Explanation,
}

/// Takes the lines of the log.
pub type Log<'l> = dyn Fn(Level, &str) + Sync + 'l;

/// Runs use cases, and writes their outliers into the events. What goes wrong with one does not stop the others.
pub async fn run(
    config: &Config,
    use_cases: UseCases,
    store: &dyn Store,
    options: &Options,
    log: &Log<'_>,
) -> Summary {
    let mut summary = Summary {
        refused: use_cases.problems.len(),
        ..Summary::default()
    };
    let run = Run {
        config,
        store,
        options,
        log,
    };
    if config.wipes
        && let Err(error) = run.wipe(&mut summary).await
    {
        log(
            Level::Error,
            &format!("outliers could not be wiped: {error}"),
        );
        summary.failed_wipes += 1;
    }
    let (together, mut alone) = match options.explains {
        true => (Vec::new(), use_cases.list),
        false => together::split(use_cases.list, config.mode),
    };
    for list in together {
        if options.stop.load(Ordering::Relaxed) {
            summary.interrupted = true;
            return summary;
        }
        alone.extend(run.together(list, &mut summary).await);
    }
    let count = alone.len();
    for (number, mut use_case) in (1..).zip(alone) {
        if options.stop.load(Ordering::Relaxed) {
            summary.interrupted = true;
            break;
        }
        let start = Instant::now();
        let mut tally = Tally::new(&use_case);
        let ended = run.evaluate(&mut use_case, &mut tally).await;
        let ended = match ended {
            Ok(()) => Ended::Done,
            Err(StoreError::NoIndex(index)) => {
                let message = format!("index {index} does not exist, skipping use case");
                log(Level::Warning, &message);
                Ended::NoIndex
            }
            Err(error) => {
                let message = format!(
                    "error while analyzing use case {}: {error}",
                    use_case.section
                );
                log(Level::Error, &message);
                Ended::Failed
            }
        };
        run.tell(&tally, ended);
        if ended == Ended::Done {
            let share = 100.0 * f64::from(number) / count as f64;
            log(
                Level::Info,
                &format!("finished processing use case - {number} / {count} [{share:.2}% done]"),
            );
        }
        tally.seconds = start.elapsed().as_secs();
        summary.add(tally, ended);
    }
    summary
}

/// What all steps of a run need.
pub(crate) struct Run<'r> {
    pub(crate) config: &'r Config,
    pub(crate) store: &'r dyn Store,
    pub(crate) options: &'r Options,
    pub(crate) log: &'r Log<'r>,
}

/// An event that there are notes of.
struct Held {
    index: Arc<str>,
    id: Box<str>,
    routing: Option<Box<str>>,
}

impl Held {
    fn document(&self) -> DocumentId {
        DocumentId {
            id: self.id.to_string(),
            routing: self.routing.as_ref().map(ToString::to_string),
        }
    }
}

/// What a use case has collected.
#[derive(Default)]
struct Collected {
    held: Vec<Held>,
    groups: Vec<Group>,
    /// The groups by name.
    places: HashMap<String, usize>,
    /// How many notes were taken since the last batch.
    notes: usize,
    /// How many events were looked at.
    events: u64,
    /// How many groups wait since the last batch.
    waiting: usize,
}

impl Run<'_> {
    fn explain(&self, lines: impl FnOnce() -> Vec<String>) {
        if self.options.explains {
            for line in lines() {
                (self.log)(Level::Explanation, &line);
            }
        }
    }

    fn info(&self, message: &str) {
        (self.log)(Level::Info, message);
    }

    async fn evaluate(&self, use_case: &mut UseCase, tally: &mut Tally) -> Result<(), StoreError> {
        let to = self.options.now;
        let hours = 24 * use_case.history.days + use_case.history.hours;
        let from = to
            .checked_sub(SignedDuration::from_hours(hours))
            .unwrap_or(Timestamp::MIN);
        let shown = match use_case.model {
            "metrics" | "terms" => &use_case.name,
            _ => &use_case.section,
        };
        self.info("");
        self.info(&format!(
            "===== evaluating {shown} [{} model] ===",
            use_case.model
        ));
        let indices = self.store.indices(&use_case.index).await?;
        let mappings: Vec<Json> = indices.into_iter().map(|index| index.mapping).collect();
        let timestamp_field = match use_case.model {
            "sudden_appearance" => self.config.timestamp_field.clone(),
            _ => use_case.timestamp_field.clone(),
        };
        let more = use_case.detect.prepare(&Prepared {
            name: &use_case.name,
            mappings: &mappings,
            from,
            to,
            timestamp_field: &timestamp_field,
            mode: self.config.mode,
        });
        let more = more.map_err(|reason| StoreError::Request {
            at: use_case.section.clone(),
            reason,
        })?;
        let (gte, lte) = (time::asked(from), time::asked(to));
        let mut filter = vec![json!({"range": {&*timestamp_field: {"gte": gte, "lte": lte}}})];
        filter.extend(use_case.filters.iter().cloned());
        filter.extend(more);
        let query = json!({"bool": {"filter": filter}});
        (self.log)(Level::Debug, &format!("query: {query}"));
        self.explain(|| {
            let (index, count) = (&use_case.index, mappings.len());
            vec![
                format!(
                    "{} ({}:{})",
                    use_case.section,
                    use_case.file.display(),
                    use_case.line
                ),
                format!("indices: {index} ({count})"),
                format!("query: {query:#}"),
            ]
        });
        tally.events = match mappings.is_empty() {
            true => 0,
            false => {
                let asked = json!({"query": query});
                self.store.count(&use_case.index, &asked).await?
            }
        };
        self.info(&format!("analyzing {} events", thousands(tally.events)));
        self.explain(|| vec![format!("events: {}", thousands(tally.events))]);
        let (from, to) = (time::plain(from), time::plain(to));
        self.info(&format!("processing events between {from} and {to}"));
        if tally.events == 0 {
            (self.log)(Level::Warning, "no events to analyze!");
            return Ok(());
        }
        let scan = Scan {
            query: Some(query),
            size: self.config.page,
            ..Scan::all(&use_case.index)
        };
        let start = Instant::now();
        match use_case.detect.batch() {
            Batch::None => self.one_by_one(use_case, scan, tally).await?,
            batch => self.collected(use_case, scan, batch, tally).await?,
        }
        let speed = tally.events as f64 / start.elapsed().as_secs_f64().max(1e-3);
        let speed = thousands(speed as u64);
        self.info(&format!(
            "{} - evaluating {} model [{speed} eps. - 100.00% done]",
            use_case.name, use_case.model
        ));
        Ok(())
    }

    /// Each event is judged by itself, as it comes.
    async fn one_by_one(
        &self,
        use_case: &UseCase,
        mut scan: Scan,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        loop {
            let page = self.store.scan(&scan).await?;
            let matched = match use_case.detect.highlights() {
                true => self.matched(&scan, &page.documents).await?,
                false => HashMap::new(),
            };
            let found = self.in_parallel(page.documents, |document| {
                let place = format!("{}/{}", document.index, document.id);
                let key = (document.index.clone(), document.id.clone());
                let judged = self.by_itself(use_case, document, matched.get(&key));
                Some(judged.map_err(|reason| format!("{place}: {reason}")))
            });
            let mut judged = Vec::new();
            for one in found {
                match one {
                    Ok(one) => judged.push(one),
                    Err(example) => tally.odd(&example),
                }
            }
            self.save(use_case, judged, tally).await?;
            match page.next {
                Some(next) if !self.options.stop.load(Ordering::Relaxed) => scan.after = Some(next),
                _ => return Ok(()),
            }
        }
    }

    /// Where documents match, by index and id.
    async fn matched(
        &self,
        scan: &Scan,
        documents: &[Document],
    ) -> Result<HashMap<(String, String), Json>, StoreError> {
        let mut matched = HashMap::new();
        for chunk in documents.chunks(CHUNK) {
            let ids: Vec<&str> = chunk.iter().map(|document| &*document.id).collect();
            let request = json!({
                "query": scan.query,
                "post_filter": {"ids": {"values": ids}},
                "highlight": {"pre_tags": [BEFORE], "post_tags": [BEHIND], "fields": {"*": {}}},
                "_source": false,
                "size": store::MAX_HITS,
            });
            let found = self.store.search(&scan.indices, &request).await?;
            for hit in found.hits.hits {
                matched.extend(hit.highlight.map(|one| ((hit.index, hit.id), one)));
            }
        }
        Ok(matched)
    }

    fn by_itself(
        &self,
        use_case: &UseCase,
        document: Document,
        matched: Option<&Json>,
    ) -> Result<Judged, String> {
        let notes = match self.is_known(use_case, &document) {
            true => Vec::new(),
            false => self.look(use_case, &document)?,
        };
        let groups = [Group {
            name: String::new(),
            notes: notes.into_iter().map(|note| (0, note)).collect(),
        }];
        let mut candidates = use_case.detect.decide(&groups);
        if let Some(matched) = matched {
            for candidate in &mut candidates {
                candidate.tells.extend(tells_of(matched));
            }
        }
        self.judged(use_case, document, &candidates.iter().collect::<Vec<_>>())
    }

    /// Whether the event has an outlier of this use case, as far as the index could not tell.
    fn is_known(&self, use_case: &UseCase, document: &Document) -> bool {
        self.config.mode == Mode::Strict
            && outlier::has(&document.source, &use_case.name, use_case.model)
    }

    /// Notes are collected, and judged when a batch is full and at the end.
    async fn collected(
        &self,
        use_case: &UseCase,
        mut scan: Scan,
        batch: Batch,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        let mut collected = Collected::default();
        let mut names: HashMap<String, Arc<str>> = HashMap::new();
        let mut sorted: Vec<(i64, Held, Vec<Note>)> = Vec::new();
        loop {
            let page = self.store.scan(&scan).await?;
            let looked = self.in_parallel(page.documents, |document| {
                let is_chronological = use_case.detect.is_chronological();
                let looked = self.fields(use_case, &document).map(|fields| {
                    let time = is_chronological.then(|| time_of(use_case, &fields));
                    (use_case.detect.look(&fields), time.unwrap_or(0))
                });
                let (notes, time) = match looked {
                    Ok((notes, time)) => (Ok(notes), time),
                    Err(reason) => (Err(reason), 0),
                };
                Some((document.index, document.id, document.routing, time, notes))
            });
            for (index, id, routing, time, notes) in looked {
                let notes = match notes {
                    Ok(notes) => notes,
                    Err(reason) => {
                        tally.odd(&format!("{index}/{id}: {reason}"));
                        Vec::new()
                    }
                };
                let index = names
                    .entry(index)
                    .or_insert_with_key(|name| name.as_str().into());
                let held = Held {
                    index: index.clone(),
                    id: id.into(),
                    routing: routing.map(Into::into),
                };
                match use_case.detect.is_chronological() {
                    true => sorted.push((time, held, notes)),
                    false => {
                        self.take(use_case, &mut collected, held, notes, batch, tally)
                            .await?
                    }
                }
            }
            match page.next {
                Some(next) if !self.options.stop.load(Ordering::Relaxed) => scan.after = Some(next),
                _ => break,
            }
        }
        sorted.sort_by_key(|(time, ..)| *time);
        for (_, held, notes) in sorted {
            self.take(use_case, &mut collected, held, notes, batch, tally)
                .await?;
        }
        self.decide(use_case, &mut collected, true, tally).await
    }

    /// Takes the notes of an event, after a full batch was judged.
    async fn take(
        &self,
        use_case: &UseCase,
        collected: &mut Collected,
        held: Held,
        notes: Vec<Note>,
        batch: Batch,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        if matches!(batch, Batch::Size(size) if collected.notes >= size) {
            self.decide(use_case, collected, false, tally).await?;
        }
        collected.events += 1;
        if notes.is_empty() {
            return Ok(());
        }
        collected.notes += notes.len();
        let event = u32::try_from(collected.held.len()).unwrap_or(u32::MAX);
        collected.held.push(held);
        for mut note in notes {
            let name = std::mem::take(&mut note.group);
            let place = match collected.places.get(&name) {
                Some(place) => *place,
                None => {
                    collected
                        .places
                        .insert(name.clone(), collected.groups.len());
                    let notes = Vec::new();
                    collected.groups.push(Group { name, notes });
                    collected.groups.len() - 1
                }
            };
            collected.groups[place].notes.push((event, note));
        }
        Ok(())
    }

    /// Judges a batch.
    async fn decide(
        &self,
        use_case: &UseCase,
        collected: &mut Collected,
        is_last: bool,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        self.tell_batch(use_case, collected);
        let (mut groups, mut waiting) = (Vec::new(), Vec::new());
        for group in collected.groups.drain(..) {
            match use_case.detect.fate(&group, is_last) {
                Fate::Decided => groups.push(group),
                Fate::Waits => waiting.push(group),
                Fate::Dropped => tally.dropped += 1,
            }
        }
        let places = waiting.iter().enumerate();
        collected.places = places
            .map(|(place, group)| (group.name.clone(), place))
            .collect();
        collected.groups = waiting;
        collected.notes = 0;
        collected.waiting = collected.groups.len();

        let is_whitelisting = !self.config.whitelist.is_empty() || !use_case.whitelist.is_empty();
        let mut candidates = use_case.detect.decide(&groups);
        while is_whitelisting && use_case.detect.decides_again() {
            let harmless = self
                .harmless(use_case, &collected.held, &groups, &candidates)
                .await?;
            if harmless.is_empty() {
                break;
            }
            tally.whitelisted += harmless.len() as u64;
            for (number, group) in groups.iter_mut().enumerate() {
                let mut note = 0;
                group.notes.retain(|_| {
                    note += 1;
                    !harmless.contains(&(number, note - 1))
                });
            }
            if use_case.detect.counts_again() {
                groups = self.counted_again(use_case, collected, groups, is_last, tally);
            }
            candidates = use_case.detect.decide(&groups);
        }
        self.explain(|| {
            let mut lines = use_case.detect.explain(&groups);
            let more = lines.len().saturating_sub(MOST_LINES);
            lines.truncate(MOST_LINES);
            lines.extend((more > 0).then(|| format!("and {} more", thousands(more as u64))));
            lines
        });
        let before = tally.outliers;
        let seen = tally.summaries.len();
        for chunk in candidates.chunks(CHUNK) {
            let of_events = by_event(&groups, chunk);
            let documents = self.read(&collected.held, of_events.keys(), tally).await?;
            let judged = self.in_parallel(documents, |(event, document)| {
                self.judged(use_case, document, &of_events[&event]).ok()
            });
            self.save(use_case, judged, tally).await?;
        }
        let (found, new) = (tally.outliers - before, tally.summaries.len() - seen);
        match found {
            0 => self.info("no outliers detected in batch"),
            found => self.info(&format!(
                "processing {} outliers in batch [{new} unique summaries]",
                thousands(found)
            )),
        }
        Ok(())
    }

    /// The groups that there is still enough in.
    fn counted_again(
        &self,
        use_case: &UseCase,
        collected: &mut Collected,
        groups: Vec<Group>,
        is_last: bool,
        tally: &mut Tally,
    ) -> Vec<Group> {
        let mut enough = Vec::new();
        for group in groups {
            match use_case.detect.fate(&group, is_last) {
                Fate::Decided => enough.push(group),
                Fate::Waits => {
                    let place = collected.groups.len();
                    collected.places.insert(group.name.clone(), place);
                    collected.groups.push(group);
                }
                Fate::Dropped => tally.dropped += 1,
            }
        }
        enough
    }

    fn tell_batch(&self, use_case: &UseCase, collected: &Collected) {
        if use_case.model == "sudden_appearance" {
            return;
        }
        let model = use_case.model;
        let waiting = match collected.waiting {
            0 => String::new(),
            waiting => format!(" (+ {waiting} {model} from last batch)"),
        };
        self.info(&format!(
            "evaluating batch of {} {model}{waiting} [{} events processed]",
            thousands(collected.notes as u64),
            thousands(collected.events)
        ));
    }

    /// Which of the candidates are whitelisted.
    async fn harmless(
        &self,
        use_case: &UseCase,
        held: &[Held],
        groups: &[Group],
        candidates: &[Candidate],
    ) -> Result<HashSet<(usize, usize)>, StoreError> {
        let mut harmless = HashSet::new();
        for chunk in candidates.chunks(CHUNK) {
            let of_events = by_event(groups, chunk);
            let mut ignored = Tally::default();
            let documents = self.read(held, of_events.keys(), &mut ignored).await?;
            let found = self.in_parallel(documents, |(event, document)| {
                let fields = self.fields(use_case, &document).ok()?;
                let is_harmless = |candidate: &&&Candidate| {
                    let outlier = Outlier::new(use_case, self.config, &fields, &candidate.tells);
                    self.is_whitelisted(use_case, &outlier, &document, &fields)
                };
                let found = of_events[&event].iter().filter(is_harmless);
                Some(found.map(|one| (one.group, one.note)).collect::<Vec<_>>())
            });
            harmless.extend(found.into_iter().flatten());
        }
        Ok(harmless)
    }

    pub(crate) fn is_whitelisted(
        &self,
        use_case: &UseCase,
        outlier: &Outlier,
        document: &Document,
        fields: &Fields<'_>,
    ) -> bool {
        let lists = [&self.config.whitelist, &*use_case.whitelist];
        if lists.iter().all(|list| list.is_empty()) {
            return false;
        }
        let values = outlier.values(document, fields, self.config.mode);
        lists.iter().any(|list| list.matches(&values))
    }

    /// Takes notes of an event.
    fn look(&self, use_case: &UseCase, document: &Document) -> Result<Vec<Note>, String> {
        let fields = self.fields(use_case, document)?;
        Ok(use_case.detect.look(&fields))
    }

    pub(crate) fn fields<'d>(
        &self,
        use_case: &UseCase,
        document: &'d Document,
    ) -> Result<Fields<'d>, String> {
        let event = Event::parse(document.source.as_bytes());
        let mut fields = Fields {
            event: event.map_err(|error| error.to_string())?,
            derived: Vec::new(),
        };
        if use_case.derives {
            for (field, grok) in &self.config.derived {
                // Only texts have parts.
                if let Found::Value(Value::Text(text)) = fields.get(field, Case::Ignored) {
                    let found = grok.find(&text);
                    fields.derived.extend(found.into_iter().flatten());
                }
            }
        }
        Ok(fields)
    }

    /// The outliers of an event, without those that are whitelisted.
    fn judged(
        &self,
        use_case: &UseCase,
        document: Document,
        candidates: &[&Candidate],
    ) -> Result<Judged, String> {
        let fields = self.fields(use_case, &document)?;
        let mut judged = Judged {
            outliers: Vec::new(),
            whitelisted: Vec::new(),
            changed: Ok(None),
            document: None,
        };
        for candidate in candidates {
            let outlier = Outlier::new(use_case, self.config, &fields, &candidate.tells);
            match self.is_whitelisted(use_case, &outlier, &document, &fields) {
                true => judged.whitelisted.push(outlier.summary()),
                false => judged.outliers.push(outlier),
            }
        }
        judged.changed = outlier::add(&document.source, judged.outliers.iter(), self.config.mode);
        judged.document = Some(document);
        Ok(judged)
    }

    /// The newest versions of events.
    async fn read(
        &self,
        held: &[Held],
        events: impl Iterator<Item = &u32>,
        tally: &mut Tally,
    ) -> Result<Vec<(u32, Document)>, StoreError> {
        let mut of_indices: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for event in events {
            let index = &*held[*event as usize].index;
            of_indices.entry(index).or_default().push(*event);
        }
        let mut all = Vec::new();
        for (index, events) in of_indices {
            let ids: Vec<DocumentId> = events
                .iter()
                .map(|event| held[*event as usize].document())
                .collect();
            let found = self.store.get(index, &ids).await?;
            for (event, document) in events.into_iter().zip(found) {
                match document {
                    Some(document) => all.push((event, document)),
                    None => tally.gone += 1,
                }
            }
        }
        Ok(all)
    }

    /// Counts, shows and writes what was judged.
    async fn save(
        &self,
        use_case: &UseCase,
        judged: Vec<Judged>,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        let mut writes = Changed::new();
        for one in judged {
            tally.whitelisted += one.whitelisted.len() as u64;
            tally.outliers += one.whitelisted.len() as u64;
            if let Some(document) = &one.document {
                self.explain(|| one.explanation(document));
            }
            tally.summaries.extend(one.whitelisted);
            for outlier in &one.outliers {
                tally.outliers += 1;
                tally.summaries.insert(outlier.summary());
                if self.config.prints {
                    self.info(&format!("outlier - {}", outlier.summary()));
                }
            }
            match (one.changed, one.document) {
                (Ok(Some(text)), Some(document)) => {
                    let index = writes.entry(document.index.clone()).or_default();
                    index.push((document, text, one.outliers));
                }
                (Err(reason), Some(document)) => {
                    tally.refuse(&format!("{}/{}: {reason}", document.index, document.id));
                }
                _ => {}
            }
        }
        if !self.config.saves || self.options.dry_run {
            let writes: usize = writes.values().map(Vec::len).sum();
            tally.unwritten += writes as u64;
            return Ok(());
        }
        for (index, writes) in writes {
            self.write(&use_case.section, &index, writes, tally).await?;
        }
        Ok(())
    }

    /// Writes events; those that somebody has changed meanwhile are read and changed again.
    pub(crate) async fn write(
        &self,
        who: &str,
        index: &str,
        mut writes: Vec<Change>,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        for _ in 0..MOST_CONFLICTS {
            let mut sent = Vec::new();
            let mut kept = Vec::new();
            for (document, text, outliers) in writes {
                kept.push((DocumentId::from(&document), outliers));
                sent.push(Write::Update {
                    read: Box::new(document),
                    source: text.into_bytes(),
                });
            }
            let answers = self.store.write(index, sent).await?;
            let mut again: Vec<(DocumentId, Vec<Outlier>)> = Vec::new();
            for ((id, outliers), answer) in kept.into_iter().zip(answers) {
                match answer {
                    Ok(_) => tally.written += 1,
                    Err(Rejected::Conflict { found: None, .. } | Rejected::Missing) => {
                        tally.gone += 1
                    }
                    Err(Rejected::Conflict { .. }) => again.push((id, outliers)),
                    Err(cause) => tally.refuse(&format!("{index}/{}: {cause}", id.id)),
                }
            }
            if again.is_empty() {
                return Ok(());
            }
            tally.conflicts += again.len() as u64;
            let ids: Vec<DocumentId> = again.iter().map(|(id, _)| id.clone()).collect();
            let found = self.store.get(index, &ids).await?;
            writes = Vec::new();
            for ((id, outliers), document) in again.into_iter().zip(found) {
                let Some(document) = document else {
                    tally.gone += 1;
                    continue;
                };
                match outlier::add(&document.source, outliers.iter(), self.config.mode) {
                    Ok(Some(text)) => writes.push((document, text, outliers)),
                    Ok(None) => {}
                    Err(reason) => tally.refuse(&format!("{index}/{}: {reason}", id.id)),
                }
            }
            if writes.is_empty() {
                return Ok(());
            }
        }
        for (document, ..) in writes {
            let reason = "others change it again and again";
            tally.refuse(&format!("{index}/{}: {reason} ({})", document.id, who));
        }
        Ok(())
    }

    /// Takes all outliers away that there are.
    async fn wipe(&self, summary: &mut Summary) -> Result<(), StoreError> {
        let to = self.options.now;
        let history = self.config.history;
        let hours = SignedDuration::from_hours(24 * history.days + history.hours);
        let from = to.checked_sub(hours).unwrap_or(Timestamp::MIN);
        let (gte, lte) = (time::asked(from), time::asked(to));
        let query = json!({"bool": {"filter": [
            {"range": {&*self.config.timestamp_field: {"gte": gte, "lte": lte}}},
            {"term": {"tags": {"value": "outlier"}}},
        ]}});
        let index = &self.config.index;
        let count = self.store.count(index, &json!({"query": query})).await?;
        if count == 0 {
            self.info("no existing outliers were found, so nothing was wiped");
            return Ok(());
        }
        self.info(&format!("wiping {} existing outliers", thousands(count)));
        let mut scan = Scan {
            query: Some(query),
            size: CHUNK,
            ..Scan::all(index)
        };
        loop {
            let page = self.store.scan(&scan).await?;
            let mut writes: BTreeMap<String, Vec<Document>> = BTreeMap::new();
            for document in page.documents {
                writes
                    .entry(document.index.clone())
                    .or_default()
                    .push(document);
            }
            for (index, documents) in writes {
                self.wipe_these(&index, documents, summary).await?;
            }
            match page.next {
                Some(next) => scan.after = Some(next),
                None => break,
            }
        }
        let wiped = thousands(summary.wiped);
        self.info(&format!("wiped outlier information of {wiped} documents"));
        Ok(())
    }

    async fn wipe_these(
        &self,
        index: &str,
        mut documents: Vec<Document>,
        summary: &mut Summary,
    ) -> Result<(), StoreError> {
        for _ in 0..MOST_CONFLICTS {
            let mut ids = Vec::new();
            let mut writes = Vec::new();
            for read in documents.drain(..) {
                if let Some(text) = outlier::remove(&read.source) {
                    ids.push(DocumentId::from(&read));
                    let (read, source) = (Box::new(read), text.into_bytes());
                    writes.push(Write::Update { read, source });
                }
            }
            if writes.is_empty() || self.options.dry_run {
                return Ok(());
            }
            let answers = self.store.write(index, writes).await?;
            let mut again = Vec::new();
            for (id, answer) in ids.into_iter().zip(answers) {
                match answer {
                    Ok(_) => summary.wiped += 1,
                    Err(Rejected::Conflict { found: None, .. } | Rejected::Missing) => {}
                    Err(Rejected::Conflict { .. }) => again.push(id),
                    Err(cause) => {
                        (self.log)(Level::Error, &format!("{index}/{}: {cause}", id.id));
                        summary.failed_wipes += 1;
                    }
                }
            }
            if again.is_empty() {
                return Ok(());
            }
            let found = self.store.get(index, &again).await?;
            documents = found.into_iter().flatten().collect();
        }
        summary.failed_wipes += documents.len() as u64;
        Ok(())
    }

    fn tell(&self, tally: &Tally, ended: Ended) {
        for line in tally.oddities() {
            (self.log)(Level::Warning, &line);
        }
        if ended != Ended::Done {
            return;
        }
        match tally.outliers {
            0 => self.info("no outliers detected for use case"),
            outliers => self.info(&format!(
                "total outliers processed for use case: {} [{} unique summaries]",
                thousands(outliers),
                thousands(tally.summaries.len() as u64)
            )),
        }
    }

    /// Does work on things with the threads of the run, and gives what comes of it in their order.
    fn in_parallel<T: Send, R: Send>(
        &self,
        things: Vec<T>,
        work: impl Fn(T) -> Option<R> + Sync,
    ) -> Vec<R> {
        let work = |share: Vec<T>| share.into_iter().filter_map(&work).collect::<Vec<R>>();
        let done = self.in_parallel_of(self.shares(things), work);
        done.into_iter().flatten().collect()
    }

    /// Cuts things into shares for the threads of the run.
    pub(crate) fn shares<T>(&self, things: Vec<T>) -> Vec<Vec<T>> {
        let threads = self
            .options
            .jobs
            .clamp(1, things.len().div_ceil(LEAST).max(1));
        let share = things.len().div_ceil(threads);
        let mut things = things.into_iter();
        let shares = (0..threads).map(|_| things.by_ref().take(share).collect());
        shares.collect()
    }

    /// Does work on each share, with a thread for each.
    pub(crate) fn in_parallel_of<T: Send, R: Send>(
        &self,
        mut shares: Vec<T>,
        work: impl Fn(T) -> R + Sync,
    ) -> Vec<R> {
        if shares.len() == 1 {
            return shares.pop().map(work).into_iter().collect();
        }
        let work = &work;
        std::thread::scope(|scope| {
            let threads: Vec<_> = shares
                .into_iter()
                .map(|share| scope.spawn(move || work(share)))
                .collect();
            let done = threads.into_iter().map(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            done.collect()
        })
    }
}

/// An event as it was read, the text that it is to have, and the outliers that it gets.
pub(crate) type Change = (Document, String, Vec<Outlier>);

/// What is to be written, by index.
pub(crate) type Changed = BTreeMap<String, Vec<Change>>;

/// An event, and what was found out about it.
struct Judged {
    outliers: Vec<Outlier>,
    /// The summaries of those that are harmless.
    whitelisted: Vec<String>,
    /// The text that the event is to have.
    changed: Result<Option<String>, &'static str>,
    document: Option<Document>,
}

impl Judged {
    /// What becomes of the event, and why.
    fn explanation(&self, document: &Document) -> Vec<String> {
        let place = format!("{}/{}", document.index, document.id);
        let outliers = self.outliers.iter().map(|outlier| {
            let facts = outlier.facts();
            format!("outlier {place}: {}{facts}", outlier.summary())
        });
        let whitelisted = self.whitelisted.iter();
        let whitelisted = whitelisted.map(|summary| format!("whitelisted {place}: {summary}"));
        let known = matches!(self.changed, Ok(None)) && !self.outliers.is_empty();
        let known = known.then(|| format!("known {place}: the event has all of them"));
        outliers.chain(whitelisted).chain(known).collect()
    }
}

/// What an outlier tells of where its event matches: the fields as the server shows them, and the values alone. Of several
/// parts of a field, ee-outliers has the values of the last.
fn tells_of(matched: &Json) -> Tells {
    let mut values = Vec::new();
    for (field, parts) in matched.as_object().into_iter().flatten() {
        let last = parts.as_array().and_then(|parts| parts.last());
        let last = last.and_then(Json::as_str).unwrap_or_default();
        let marked = last.split(BEFORE).skip(1);
        let marked = marked.filter_map(|part| part.split_once(BEHIND));
        let marked = marked.map(|(value, _)| Value::from(value)).collect();
        values.push((field.clone().into(), Value::List(marked)));
    }
    let fields = matched.to_string();
    vec![
        ("matched_fields".into(), Value::read(&fields).into_owned()),
        (
            "matched_values".into(),
            python::repr(&Value::Object(values)).into(),
        ),
    ]
}

/// When an event was.
fn time_of(use_case: &UseCase, fields: &Fields<'_>) -> i64 {
    match fields.get(&use_case.timestamp_field, Case::Counts) {
        Found::Value(value) => time::millis(&value).unwrap_or(0),
        Found::Nothing | Found::NoObject => 0,
    }
}

/// Candidates by their events.
fn by_event<'c>(
    groups: &[Group],
    candidates: &'c [Candidate],
) -> BTreeMap<u32, Vec<&'c Candidate>> {
    let mut of_events: BTreeMap<u32, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        let (event, _) = groups[candidate.group].notes[candidate.note];
        of_events.entry(event).or_default().push(candidate);
    }
    of_events
}

/// A number with commas.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
