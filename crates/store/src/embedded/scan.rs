//! Reading whole indices, page by page.
//!
//! What a page needs is looked for further ahead than it goes, and remembered for the pages that follow, which then cost
//! no more than the documents on them.

use super::index::{Snapshot, Store};
use super::query::Wanted;
use super::select::select;
use crate::{Checkpoint, Cursor, Document, DocumentId, Page, Part, Position, Scan, StoreError};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::DocId;

/// How many documents are looked for at once.
const AHEAD: usize = 100_000;

/// In how many indices what was found is remembered.
const REMEMBERED: usize = 8;

/// The place of a document: its sequence number, segment and place there.
type Place = (u64, u32, DocId);

/// What scans have found and not yet given.
pub(crate) struct Ahead {
    /// The newest first.
    found: Mutex<VecDeque<Arc<Found>>>,
    size: usize,
}

/// The documents of an index that a query finds, in a range of sequence numbers.
struct Found {
    uuid: String,
    opstamp: u64,
    query: Option<Value>,
    first: u64,
    /// The first sequence number behind the range.
    end: u64,
    /// In their order.
    places: Vec<Place>,
}

impl Default for Ahead {
    fn default() -> Ahead {
        Ahead::new(AHEAD)
    }
}

impl Ahead {
    fn new(size: usize) -> Ahead {
        let found = Mutex::new(VecDeque::new());
        Ahead { found, size }
    }

    /// What has been found from a position on; nothing for a scan that begins, to which the time may be another.
    fn remembered(&self, snapshot: &Snapshot, scan: &Scan, next: u64) -> Option<Arc<Found>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |found: &&Arc<Found>| {
            found.uuid == snapshot.uuid
                && found.opstamp == snapshot.opstamp
                && (found.first..found.end).contains(&next)
                && found.query == scan.query
        };
        let found = found.iter().find(is_it).cloned();
        found.filter(|_| scan.after.is_some())
    }

    /// What is to be found from a position on.
    fn find(
        &self,
        snapshot: &Snapshot,
        scan: &Scan,
        position: &Position,
    ) -> Result<Arc<Found>, StoreError> {
        if let Some(found) = self.remembered(snapshot, scan, position.next) {
            return Ok(found);
        }
        let wanted = Wanted::new(scan.query.as_ref());
        let (places, end) = next_places(snapshot, &wanted, position, self.size.max(scan.size))?;
        let found = Arc::new(Found {
            uuid: snapshot.uuid.clone(),
            opstamp: snapshot.opstamp,
            query: scan.query.clone(),
            first: position.next,
            end,
            places,
        });
        let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        known.push_front(found.clone());
        known.truncate(REMEMBERED);
        Ok(found)
    }
}

/// The page that a scan has come to.
pub(crate) fn page(
    snapshots: &[Arc<Snapshot>],
    scan: &Scan,
    ahead: &Ahead,
) -> Result<Page, StoreError> {
    scan.check()?;
    let mut positions = begin(snapshots, scan.after.as_ref())?;
    let mut documents = Vec::new();
    let mut part = None;
    for (snapshot, position) in snapshots.iter().zip(&mut positions) {
        let start = position.next;
        while documents.len() < scan.size {
            let Some(gap) = scan.gaps(position).into_iter().next() else {
                position.next = position.end;
                break;
            };
            position.next = gap.start;
            let found = ahead.find(snapshot, scan, position)?;
            let at = |seq_no: u64| found.places.partition_point(|place| place.0 < seq_no);
            let (from, end) = (at(gap.start), at(gap.end));
            let to = end.min(from + scan.size - documents.len());
            read(snapshot, &found.places[from..to], &mut documents)?;
            position.next = match found.places.get(to) {
                Some((next, ..)) => (*next).min(gap.end),
                None => found.end.min(gap.end),
            };
        }
        // A page is from one index, if there is something on it.
        if !documents.is_empty() || position.next < position.end {
            part = Some(Part {
                uuid: snapshot.uuid.clone(),
                shard: 0,
                numbers: start..position.next,
                checkpoint: Checkpoint::now(snapshot.next_seq_no),
                complete: position.next,
            });
            break;
        }
    }
    Ok(Page::new(documents, part, positions))
}

/// The documents with these ids.
pub(crate) fn get(
    snapshots: &[Arc<Snapshot>],
    ids: &[DocumentId],
) -> Result<Vec<Option<Document>>, StoreError> {
    ids.iter()
        .map(|DocumentId { id, .. }| {
            let mut found = Vec::new();
            for snapshot in snapshots {
                for (number, segment) in (0..).zip(snapshot.segments()) {
                    if let Some(doc) = segment.with_id(id)?.first() {
                        let place = (segment.numbers(*doc).seq_no, number, *doc);
                        read(snapshot, &[place], &mut found)?;
                    }
                }
            }
            Ok(found.pop())
        })
        .collect()
}

/// Where the page begins and where the scan ends, in each index.
fn begin(snapshots: &[Arc<Snapshot>], after: Option<&Cursor>) -> Result<Vec<Position>, StoreError> {
    if let Some(cursor) = after {
        let is_there = |position: &&Position| {
            snapshots
                .iter()
                .any(|snapshot| snapshot.uuid == position.uuid)
        };
        if let Some(gone) = cursor.indices.iter().find(|position| !is_there(position)) {
            let reason = format!(
                "the index {} is not among those that are scanned",
                gone.uuid
            );
            return Err(StoreError::Cursor(reason));
        }
    }
    let positions = snapshots.iter().map(|snapshot| {
        let indices = after.into_iter().flat_map(|cursor| &cursor.indices);
        let known = indices
            .into_iter()
            .find(|position| position.uuid == snapshot.uuid);
        let (next, end) = known.map_or((0, u64::MAX), |known| (known.next, known.end));
        Position {
            uuid: snapshot.uuid.clone(),
            shard: 0,
            next,
            end: end.min(snapshot.next_seq_no),
        }
    });
    Ok(positions.collect())
}

/// The next places from a position on, and the sequence number that follows them.
fn next_places(
    snapshot: &Snapshot,
    wanted: &Wanted,
    position: &Position,
    room: usize,
) -> Result<(Vec<Place>, u64), StoreError> {
    let predicate = wanted.predicate(snapshot)?;
    let mut places: Vec<Place> = Vec::new();
    for (number, segment) in (0..).zip(snapshot.segments()) {
        let seq_nos = segment.seq_nos();
        if seq_nos.max_value() < position.next || seq_nos.min_value() >= position.end {
            continue;
        }
        for doc in select(segment, &predicate)?.iter() {
            if let Some(seq_no) = seq_nos.first(doc)
                && (position.next..position.end).contains(&seq_no)
            {
                places.push((seq_no, number, doc));
                // At twice the room, so that what is kept is moved seldom.
                if places.len() > 2 * room {
                    places.select_nth_unstable(room);
                    places.truncate(room + 1);
                }
            }
        }
    }
    let mut next = position.end;
    if places.len() > room {
        let (_, (seq_no, ..), _) = places.select_nth_unstable(room);
        next = *seq_no;
        places.truncate(room);
    }
    places.sort_unstable();
    Ok((places, next))
}

/// Reads documents, each segment in its own order, and gives them in the order of their sequence numbers.
fn read(
    snapshot: &Snapshot,
    places: &[Place],
    documents: &mut Vec<Document>,
) -> Result<(), StoreError> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|at| (places[*at].1, places[*at].2));
    let segments = snapshot.segments();
    let mut read: Vec<Option<Document>> = places.iter().map(|_| None).collect();
    let mut store: Option<(u32, Store<'_>)> = None;
    for at in order {
        let (seq_no, number, doc) = places[at];
        let segment = segments[number as usize];
        let store = match &store {
            Some((known, store)) if *known == number => store,
            _ => &store.insert((number, segment.store()?)).1,
        };
        let stored = store.get(doc)?;
        read[at] = Some(Document {
            index: snapshot.name.clone(),
            id: stored.id,
            seq_no,
            primary_term: 1,
            routing: None,
            source: stored.source,
        });
    }
    documents.extend(read.into_iter().flatten());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Embedded, MAX_PAGE, Store as _, Write};
    use serde_json::json;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn what_is_looked_for_ahead_is_what_each_page_would_find() {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path()).unwrap();
        let write = |first: usize, last: usize| {
            let writes = (first..last).map(|number| Write::Put {
                id: (number % 50).to_string(),
                source: format!(r#"{{"n":{},"m":{number}}}"#, number % 3).into_bytes(),
                if_seq_no: None,
            });
            for index in ["a", "b"] {
                wait(store.write(index, writes.clone().collect())).unwrap();
                wait(store.refresh(index)).unwrap();
            }
        };
        // Several segments, with documents that are gone.
        write(0, 30);
        write(30, 45);
        write(40, 70);
        let scan = |size: usize, query: &Value, ahead: &Ahead, meanwhile: &dyn Fn(usize)| {
            let mut scan = Scan {
                size,
                query: Some(query.clone()),
                ..Scan::all("*")
            };
            let mut found = Vec::new();
            for number in 0.. {
                let page = page(&store.shared.snapshots("*").unwrap(), &scan, ahead).unwrap();
                assert!(page.documents.len() <= size);
                found.extend(page.documents);
                scan.after = page.next;
                if scan.after.is_none() {
                    break;
                }
                meanwhile(number);
            }
            found
        };
        let odd = json!({"term": {"n": 1}});
        let ahead = Ahead::new(7);
        for query in [json!({"match_all": {}}), odd.clone()] {
            // A single page has nothing to remember.
            let plain = scan(MAX_PAGE, &query, &Ahead::new(1), &|_| {});
            assert_eq!(plain.len(), if query == odd { 32 } else { 100 });
            for size in [1, 2, 3, 7, 8, 40] {
                assert_eq!(scan(size, &query, &ahead, &|_| {}), plain, "{size}");
            }
        }
        // What others write meanwhile is not taken from what was remembered.
        let found = scan(2, &odd, &ahead, &|number| {
            if number == 3 {
                write(70, 120);
            }
        });
        assert_eq!(found.len(), 8);
    }
}
