//! Reading whole indices, page by page.

use super::index::Snapshot;
use super::query::Wanted;
use crate::{Cursor, Document, MAX_PAGE, Page, Position, Scan, StoreError};
use std::sync::Arc;
use tantivy::DocId;

/// The place of a document: its sequence number, segment and place there.
type Place = (u64, usize, DocId);

pub(crate) fn page(snapshots: &[Arc<Snapshot>], scan: &Scan) -> Result<Page, StoreError> {
    if scan.size == 0 || scan.size > MAX_PAGE {
        let reason = format!("a page has 1 to {MAX_PAGE} documents, not {}", scan.size);
        return Err(StoreError::request("size", reason));
    }
    let mut positions = begin(snapshots, scan.after.as_ref())?;
    let end = Cursor {
        indices: positions
            .iter()
            .map(|position| Position {
                next: position.end,
                end: u64::MAX,
                ..position.clone()
            })
            .collect(),
    };
    let wanted = Wanted::new(scan.query.as_ref());
    let mut documents = Vec::new();
    for (snapshot, position) in snapshots.iter().zip(&mut positions) {
        if position.next >= position.end || documents.len() == scan.size {
            continue;
        }
        let room = scan.size - documents.len();
        let (places, next) = next_places(snapshot, &wanted, position, room)?;
        read(snapshot, &places, &mut documents)?;
        position.next = next;
    }
    let is_done = positions
        .iter()
        .all(|position| position.next >= position.end);
    Ok(Page {
        documents,
        next: (!is_done).then_some(Cursor { indices: positions }),
        end,
    })
}

/// The documents with these ids.
pub(crate) fn get(
    snapshots: &[Arc<Snapshot>],
    ids: &[String],
) -> Result<Vec<Option<Document>>, StoreError> {
    ids.iter()
        .map(|id| {
            let mut found = Vec::new();
            for snapshot in snapshots {
                for (number, segment) in snapshot.segments().iter().enumerate() {
                    if let Some(doc) = segment.with_id(id)?.first() {
                        let place = (segment.numbers(*doc)?.seq_no, number, *doc);
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
    let selected = wanted.select(snapshot)?;
    let mut places: Vec<Place> = Vec::new();
    for (number, (segment, set)) in snapshot.segments().iter().zip(&selected).enumerate() {
        let seq_nos = segment.seq_nos()?;
        if seq_nos.max_value() < position.next || seq_nos.min_value() >= position.end {
            continue;
        }
        for doc in set.iter() {
            if let Some(seq_no) = seq_nos.first(doc)
                && (position.next..position.end).contains(&seq_no)
            {
                places.push((seq_no, number, doc));
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
    let mut store = None;
    for at in order {
        let (seq_no, number, doc) = places[at];
        if !matches!(&store, Some((known, _)) if *known == number) {
            let segment = segments[number];
            store = Some((number, (segment.store()?, segment.versions()?)));
        }
        let Some((_, (store, versions))) = &store else {
            continue;
        };
        let stored = store.get(doc)?;
        read[at] = Some(Document {
            index: snapshot.name.clone(),
            id: stored.id,
            seq_no,
            primary_term: 1,
            routing: None,
            version: versions.first(doc).unwrap_or(0),
            source: stored.source,
        });
    }
    documents.extend(read.into_iter().flatten());
    Ok(())
}
