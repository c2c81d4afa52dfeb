//! What is done, kept in the store itself: for each shard, the sequence numbers that do not have to be read again with the same
//! rules.
//!
//! A document gets a new number with every change. So a number that was read, or written by sigtag, is done for good; and one
//! that was not found is done as soon as searches would have found it. A pass that was cut off goes on with what is left, and
//! one that was not reads only what is new.
//!
//! Several processes may keep the same state: each writes what it has read only in the place of what it knows, and else adds
//! what another one has done.

use crate::{Mode, Rules};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{
    Document, DocumentId, IndexInfo, Known, Part, Rejected, SeqNos, Store, StoreError, Write,
    Written,
};
use tag::Profile;

/// The index of the state. It is hidden: no pattern that does not begin with a dot finds it.
pub(crate) const INDEX: &str = ".sigtag-state";

/// In how many ranges the numbers of one shard may lie. What is forgotten is read again.
const MAX_RANGES: usize = 20_000;

/// How many states are read at once.
const PAGE: usize = 500;

/// What is done in some shards.
pub(crate) struct State {
    /// Whether it is kept.
    is_kept: bool,
    shards: BTreeMap<(String, u32), Shard>,
    /// Whether the index is there for certain.
    is_there: bool,
}

/// What is done in a shard.
struct Shard {
    index: String,
    /// The rules and what else decides of a tag, and of where it goes.
    key: String,
    /// The first sequence number that it had not given when the run began.
    next: u64,
    known: Known,
    /// What was read or written in this run, if it is not done.
    met: SeqNos,
    /// The state as it is in the store.
    stored: Option<Document>,
    is_changed: bool,
}

/// The state of a shard as it is written.
#[derive(Serialize, Deserialize)]
struct Record {
    index: String,
    uuid: String,
    shard: u32,
    rules: String,
    updated_at: String,
    #[serde(flatten)]
    known: Known,
}

/// What was done with a page.
#[derive(Default)]
pub(crate) struct Numbers {
    /// Those of the documents that were read.
    pub(crate) read: Vec<u64>,
    /// Those of them that are to be read again by the next run, since something was wrong with them.
    pub(crate) open: BTreeSet<u64>,
    /// Those that documents got when they were written.
    pub(crate) written: Vec<u64>,
}

/// What decides of the tags of a document beside the document. None for rules that cannot be known again.
pub(crate) fn key(rules: &Rules, profile: Profile, mode: Mode) -> Option<String> {
    let (version, rules) = (env!("CARGO_PKG_VERSION"), &rules.id);
    let key = format!("{rules}-{}-{}-{version}", profile.name(), mode.name());
    (!rules.is_empty()).then_some(key)
}

impl State {
    /// What is done in these shards with these rules.
    pub(crate) async fn load<'i>(
        store: &dyn Store,
        key: Option<String>,
        shards: impl Iterator<Item = (&'i IndexInfo, u32)>,
    ) -> Result<State, StoreError> {
        let mut state = State {
            is_kept: key.is_some(),
            shards: BTreeMap::new(),
            is_there: false,
        };
        let key = key.unwrap_or_default();
        for (index, shard) in shards {
            // Tags that are beside the events are not in them.
            let key = match index.fixed {
                Some(_) => format!("{key}-fixed"),
                None => key.clone(),
            };
            let next = index.next_seq_nos.get(shard as usize);
            let new = Shard::new(index.name.clone(), key, next.copied().unwrap_or(0));
            state.shards.insert((index.uuid.clone(), shard), new);
        }
        if !state.is_kept {
            return Ok(state);
        }
        let wanted: Vec<(String, u32)> = state.shards.keys().cloned().collect();
        state.read(store, &wanted).await?;
        for shard in state.shards.values_mut() {
            if let Some(record) = shard.record()
                && record.rules == shard.key
                // Else the store has lost what it had acknowledged, and will give numbers again.
                && record.known.done.end() <= shard.next
            {
                shard.known = record.known;
            }
        }
        Ok(state)
    }

    /// Reads how the state of these shards is in the store.
    async fn read(
        &mut self,
        store: &dyn Store,
        shards: &[(String, u32)],
    ) -> Result<(), StoreError> {
        for page in shards.chunks(PAGE) {
            let ids: Vec<DocumentId> = page.iter().map(|key| id_of(key).into()).collect();
            let found = match store.get(INDEX, &ids).await {
                Ok(found) => found,
                // Who may not see it does without.
                Err(StoreError::NoIndex(_) | StoreError::Forbidden { .. }) => return Ok(()),
                Err(error) => return Err(error),
            };
            for (shard, document) in page.iter().zip(found) {
                if let Some(shard) = self.shards.get_mut(shard) {
                    shard.stored = document;
                }
            }
        }
        Ok(())
    }

    /// How many numbers of an index are done.
    pub(crate) fn done_of(&self, uuid: &str) -> u64 {
        let shards = self.shards.iter().filter(|((own, _), _)| own == uuid);
        shards.map(|(_, shard)| shard.known.done.count()).sum()
    }

    /// Forgets what is done.
    pub(crate) fn forget(&mut self) {
        for shard in self.shards.values_mut() {
            shard.known = Known::default();
        }
    }

    /// What a scan need not read.
    pub(crate) fn known(&self) -> Arc<BTreeMap<(String, u32), Known>> {
        let known = self.shards.iter().map(|(key, shard)| {
            let mut known = shard.known.clone();
            known.done.merge(&shard.met);
            (key.clone(), known)
        });
        Arc::new(known.collect())
    }

    /// What was read of a part is done. `is_whole` says that all of it was read, and not only what a query finds.
    pub(crate) fn done(&mut self, part: &Part, numbers: &Numbers, is_whole: bool) {
        let Some(shard) = self.shards.get_mut(&(part.uuid.clone(), part.shard)) else {
            return;
        };
        let mut open: Vec<u64> = numbers.open.iter().copied().collect();
        for number in &numbers.read {
            shard.met.insert(*number..number + 1);
            match *number < part.checkpoint.next {
                true if numbers.open.contains(number) => {}
                true => shard.known.done.insert(*number..number + 1),
                false => open.push(*number),
            }
        }
        for number in &numbers.written {
            shard.met.insert(*number..number + 1);
            shard.known.done.insert(*number..number + 1);
        }
        if is_whole {
            open.sort_unstable();
            let end = part.numbers.end.min(part.complete);
            let done = part.numbers.start..end;
            shard.known.done.insert_without(done, &open);
        }
        // An older one is kept until it has been of use.
        if shard.known.checkpoint.is_none() || part.complete > 0 {
            shard.known.checkpoint = Some(part.checkpoint);
        }
        shard.known.done.shrink(MAX_RANGES);
        shard.is_changed = true;
    }

    /// Writes what has changed.
    pub(crate) async fn save(&mut self, store: &dyn Store, now: &str) -> Result<(), StoreError> {
        let changed = self.shards.iter().filter(|(_, shard)| shard.is_changed);
        let mut changed: Vec<(String, u32)> = changed.map(|(key, _)| key.clone()).collect();
        if changed.is_empty() || !self.is_kept {
            return Ok(());
        }
        if !self.is_there {
            match store.create(INDEX, body()).await {
                Ok(()) | Err(StoreError::Exists(_)) => self.is_there = true,
                Err(error) => return Err(error),
            }
        }
        while !changed.is_empty() {
            let mut again = Vec::new();
            for page in changed.chunks(PAGE) {
                let states: Vec<String> = page.iter().map(|key| self.record(key, now)).collect();
                let writes = page
                    .iter()
                    .zip(&states)
                    .map(|(key, state)| self.write(key, state));
                let answers = store.write(INDEX, writes.collect()).await?;
                for ((key, state), answer) in page.iter().zip(states).zip(answers) {
                    match (answer, self.shards.get_mut(key)) {
                        (Ok(written), Some(shard)) => shard.saved(written, state),
                        // Somebody else was faster.
                        (
                            Err(
                                Rejected::Conflict { .. } | Rejected::Exists(_) | Rejected::Missing,
                            ),
                            _,
                        ) => again.push(key.clone()),
                        (Err(cause), _) => {
                            return Err(StoreError::Refused {
                                what: format!("to write to {INDEX}"),
                                reason: cause.to_string(),
                            });
                        }
                        (Ok(_), None) => {}
                    }
                }
            }
            self.read(store, &again).await?;
            self.merge();
            changed = again;
        }
        Ok(())
    }

    /// Adds what others have done of what is not written yet.
    fn merge(&mut self) {
        for shard in self.shards.values_mut().filter(|shard| shard.is_changed) {
            if let Some(record) = shard.record()
                && record.rules == shard.key
            {
                shard.known.done.merge(&record.known.done);
            }
        }
    }

    /// The state of a shard as it is to be written.
    fn record(&self, key: &(String, u32), now: &str) -> String {
        let shard = &self.shards[key];
        let record = Record {
            index: shard.index.clone(),
            uuid: key.0.clone(),
            shard: key.1,
            rules: shard.key.clone(),
            updated_at: now.to_owned(),
            known: shard.known.clone(),
        };
        json!(record).to_string()
    }

    fn write(&self, key: &(String, u32), state: &str) -> Write {
        let source = state.as_bytes().to_vec();
        match &self.shards[key].stored {
            Some(read) => Write::Update {
                read: Box::new(read.clone()),
                source,
            },
            None => Write::Create {
                id: Some(id_of(key)),
                source,
            },
        }
    }
}

impl Shard {
    fn new(index: String, key: String, next: u64) -> Shard {
        Shard {
            index,
            key,
            next,
            known: Known::default(),
            met: SeqNos::default(),
            stored: None,
            is_changed: false,
        }
    }

    /// The state as it is in the store, if it can be read.
    fn record(&self) -> Option<Record> {
        let stored = self.stored.as_ref()?;
        serde_json::from_str(&stored.source).ok()
    }

    fn saved(&mut self, written: Written, source: String) {
        self.stored = Some(Document {
            index: INDEX.to_owned(),
            id: written.id,
            seq_no: written.seq_no,
            primary_term: written.primary_term,
            routing: None,
            source,
        });
        self.is_changed = false;
    }
}

fn id_of((uuid, shard): &(String, u32)) -> String {
    format!("{uuid}-{shard}")
}

fn body() -> Value {
    let keyword = json!({"type": "keyword"});
    let kept = json!({"type": "object", "enabled": false});
    json!({
        "mappings": {"dynamic": false, "properties": {
            "index": keyword, "uuid": keyword, "rules": keyword,
            "shard": {"type": "long"}, "updated_at": {"type": "date"},
            "done": kept, "checkpoint": kept,
        }},
        "settings": {
            "index.hidden": "true",
            "index.number_of_shards": "1",
            "index.auto_expand_replicas": "0-1",
        },
    })
}
