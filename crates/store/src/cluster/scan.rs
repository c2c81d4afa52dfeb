//! Reading whole indices by the sequence numbers of their shards.
//!
//! A page is what one search finds in a range of numbers of one shard: it is seen as it is at one time, needs no sorting, and
//! a cursor into it is a number that stays valid. All pages of a shard come from the same copy of it, as it is when its first page is read (a point in time), so that
//! what is there then is on its page. A cursor needs none: where it has expired, another one is opened. A document that is
//! changed gets a higher number, so the scan of a shard ends with the highest one that it had right after a point in time was
//! opened.

use super::http::{Body, Wait, error_text};
use super::{Cluster, escaped};
use crate::{Checkpoint, Document, DocumentId, MAX_PAGE, Page, Part, Position, Scan, StoreError};
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// The request for a page. To leave parts out of the answer (`filter_path`) would cost the server more than to send them: it would
/// have to read the text of each document.
const PAGE: &str = "/_search?request_cache=false";

/// How many bytes a page is to have at most, and how long it is to take.
const PAGE_BYTES: f64 = (16 << 20) as f64;
const PAGE_TIME: Duration = Duration::from_secs(5);

/// How many documents the first page of a scan has.
pub(super) const FIRST_PAGE: usize = 1_000;

/// How long it takes until searches find what was written, if the index is not set to be slower.
const LAG: Duration = Duration::from_secs(120);

/// A shard, as the scan knows it.
#[derive(Clone)]
pub(super) struct Shard {
    pub(super) index: String,
    pub(super) uuid: String,
    pub(super) number: u32,
    /// The first sequence number that it did not have.
    pub(super) end: u64,
    /// How far all its copies had come.
    pub(super) checkpoint: Checkpoint,
    /// How many sequence numbers a page has.
    pub(super) width: u64,
    /// The point in time that is open.
    pub(super) point: Option<Point>,
}

/// A shard as it is at one time.
#[derive(Clone)]
pub(super) struct Point {
    pub(super) id: String,
    /// The first sequence number that is not in it.
    pub(super) end: u64,
    /// How far the shard had come when it was open.
    pub(super) checkpoint: Checkpoint,
    /// When it was not open yet.
    pub(super) before: Checkpoint,
}

impl Shard {
    pub(super) fn key(&self) -> (String, u32) {
        (self.uuid.clone(), self.number)
    }

    fn is_at(&self, position: &Position) -> bool {
        (&self.uuid, self.number) == (&position.uuid, position.shard)
    }
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: crate::Shards,
    /// Left out of the answer where it is empty.
    #[serde(default)]
    hits: Hits,
}

#[derive(Default, Deserialize)]
struct Hits {
    #[serde(default)]
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_index")]
    index: String,
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_seq_no")]
    seq_no: u64,
    #[serde(rename = "_primary_term")]
    primary_term: u64,
    #[serde(rename = "_routing")]
    routing: Option<String>,
    #[serde(rename = "_source")]
    source: Option<Box<RawValue>>,
}

impl Hit {
    fn document(self) -> Result<Document, StoreError> {
        let source = self.source.ok_or_else(|| StoreError::Refused {
            what: format!("to show {}/{}", self.index, self.id),
            reason: "the index does not keep the text of its documents (`_source`)".to_owned(),
        })?;
        Ok(Document {
            index: self.index,
            id: self.id,
            seq_no: self.seq_no,
            primary_term: self.primary_term,
            routing: self.routing,
            source: Box::<str>::from(source).into(),
        })
    }
}

pub(super) async fn page(cluster: &Cluster, scan: &Scan) -> Result<Page, StoreError> {
    scan.check()?;
    let shards = shards(cluster, scan).await?;
    let mut positions = begin(cluster, scan, &shards)?;
    for position in &mut positions {
        let Some(shard) = shards.iter().find(|shard| shard.is_at(position)) else {
            continue;
        };
        if let Some((documents, part)) = next(cluster, scan, shard, position).await? {
            return Ok(Page::new(documents, Some(part), positions));
        }
    }
    Ok(Page::new(Vec::new(), None, positions))
}

/// The shards of the indices, with what they have now.
async fn shards(cluster: &Cluster, scan: &Scan) -> Result<Vec<Shard>, StoreError> {
    if let Some(known) = scan
        .after
        .as_ref()
        .and_then(|after| cluster.known_shards(after))
    {
        return Ok(known);
    }
    let shards = shards_of(cluster, &scan.indices).await?;
    are_all_there(cluster, &shards, &scan.indices)?;
    cluster.learn(&shards);
    Ok(shards)
}

/// A shard that no node has at the moment is not among those that are found.
fn are_all_there(cluster: &Cluster, shards: &[Shard], indices: &str) -> Result<(), StoreError> {
    let known = cluster.known();
    let meant = known.indices.iter().filter(|(index, _)| {
        *index == indices || shards.iter().any(|shard| shard.index == **index)
    });
    for (index, of_index) in meant {
        let found = shards.iter().filter(|shard| shard.index == *index).count();
        let count = of_index.listed.map_or(0, |listed| listed.shards);
        if found < count {
            return Err(StoreError::Refused {
                what: format!("to show {index}"),
                reason: format!(
                    "{found} of its {count} shards are there (`_cluster/allocation/explain` says why)"
                ),
            });
        }
    }
    Ok(())
}

/// Single documents, as they are now.
pub(super) async fn get(
    cluster: &Cluster,
    index: &str,
    ids: &[DocumentId],
) -> Result<Vec<Option<Document>>, StoreError> {
    #[derive(Deserialize)]
    struct Found {
        docs: Vec<Value>,
    }
    let path = format!("/{}/_mget", escaped(index));
    let docs: Vec<Value> = ids
        .iter()
        .map(|one| match &one.routing {
            Some(routing) => json!({"_id": one.id, "routing": routing}),
            None => json!({"_id": one.id}),
        })
        .collect();
    let body = Body::Json(json!({"docs": docs}));
    let mut wait = Wait::default();
    loop {
        let answer = cluster.http.ask(Method::POST, &path, Some(&body)).await?;
        let found: Found = answer.read()?;
        let mut failed = found.docs.iter().map(|one| &one["error"]);
        match failed.find(|error| !error.is_null()) {
            Some(error) if error["type"] == "index_not_found_exception" => {
                return Err(StoreError::NoIndex(index.to_owned()));
            }
            // Its shard is away.
            Some(error) => {
                let reason = error_text(error).unwrap_or_else(|| error.to_string());
                cluster.http.wait(&mut wait, &reason).await;
            }
            None => return found.docs.into_iter().map(read).collect(),
        }
    }
}

fn read(found: Value) -> Result<Option<Document>, StoreError> {
    if found["found"] != json!(true) {
        return Ok(None);
    }
    let hit: Hit = serde_json::from_value(found).map_err(|error| StoreError::Refused {
        what: "to read a document".to_owned(),
        reason: error.to_string(),
    })?;
    hit.document().map(Some)
}

/// What the statistics of indices say of them and their shards.
#[derive(Deserialize)]
pub(super) struct Stats {
    /// By name; none of those that are not there.
    #[serde(default)]
    pub(super) indices: BTreeMap<String, StatsOfIndex>,
}

#[derive(Deserialize)]
pub(super) struct StatsOfIndex {
    uuid: String,
    /// All in all.
    #[serde(default)]
    pub(super) primaries: Value,
    #[serde(default)]
    shards: BTreeMap<u32, Vec<Value>>,
}

/// The part of the statistics that tells of shards.
pub(super) const OF_SHARDS: &str = "indices.*.uuid,indices.*.shards.*.seq_no";

/// The shards of indices; none of those that are not there.
pub(super) async fn shards_of(cluster: &Cluster, indices: &str) -> Result<Vec<Shard>, StoreError> {
    let path = format!(
        "/{}/_stats/docs?level=shards&filter_path={OF_SHARDS}",
        escaped(indices)
    );
    let stats: Stats = cluster.http.ask(Method::GET, &path, None).await?.read()?;
    Ok(stats.shards())
}

impl Stats {
    /// The shards of all indices.
    pub(super) fn shards(&self) -> Vec<Shard> {
        let mut shards = Vec::new();
        for (index, of_index) in &self.indices {
            for (number, copies) in &of_index.shards {
                let highest = |name: &str| {
                    let all = copies
                        .iter()
                        .filter_map(|copy| copy["seq_no"][name].as_i64());
                    u64::try_from(all.max().unwrap_or(-1) + 1).unwrap_or(0)
                };
                shards.push(Shard {
                    index: index.clone(),
                    uuid: of_index.uuid.clone(),
                    number: *number,
                    end: highest("max_seq_no"),
                    checkpoint: Checkpoint::now(highest("global_checkpoint")),
                    width: 0,
                    point: None,
                });
            }
        }
        shards
    }
}

/// Where the page begins and where the scan ends, in each shard.
fn begin(cluster: &Cluster, scan: &Scan, shards: &[Shard]) -> Result<Vec<Position>, StoreError> {
    let Some(after) = &scan.after else {
        return Ok(shards
            .iter()
            .map(|shard| Position {
                uuid: shard.uuid.clone(),
                shard: shard.number,
                next: 0,
                end: shard.end,
            })
            .collect());
    };
    let positions = after.indices.iter().map(|position| {
        match shards.iter().find(|shard| shard.is_at(position)) {
            Some(shard) => Ok(Position {
                end: position.end.min(shard.end),
                ..position.clone()
            }),
            None => Err(StoreError::Cursor(format!(
                "the index {} is not among those that are scanned{}",
                position.uuid,
                cluster.name_of(&position.uuid)
            ))),
        }
    });
    positions.collect()
}

/// The documents of the next range of numbers; none if nothing of the shard is left.
async fn next(
    cluster: &Cluster,
    scan: &Scan,
    shard: &Shard,
    position: &mut Position,
) -> Result<Option<(Vec<Document>, Part)>, StoreError> {
    let mut wait = Wait::default();
    loop {
        if scan.gaps(position).is_empty() {
            position.next = position.end;
            cluster.close_point_in_time(shard).await;
            return Ok(None);
        }
        let Some(point) = cluster.point_in_time(shard).await? else {
            // The index went while it was read.
            position.next = position.end;
            return Ok(None);
        };
        position.end = position.end.max(point.end);
        let size = cluster.page_size(scan.size);
        let width = cluster.width(shard).max(size as u64);
        let gaps = first(scan.gaps(position), width);
        let (Some(start), Some(end)) = (gaps.first(), gaps.last()) else {
            continue;
        };
        let numbers = start.start..end.end;
        let request = Instant::now();
        let answer = cluster
            .http
            .ask(
                Method::POST,
                PAGE,
                Some(&Body::Json(request_for(scan, &point, &gaps, size))),
            )
            .await?;
        if answer.status == 404 {
            // It has expired, or its node went. What was read stays read.
            cluster.forget_point_in_time(shard);
            cluster.http.wait(&mut wait, &answer.reason()).await;
            continue;
        }
        let found: Found = match answer.read() {
            Ok(found) => found,
            Err(error) if answer.status.is_success() => {
                cluster.http.wait(&mut wait, &error.to_string()).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        if found.timed_out || found.shards.failed > 0 || found.shards.successful == 0 {
            let reason = "a search did not reach the whole shard";
            cluster.http.wait(&mut wait, reason).await;
            continue;
        }
        let hits = found.hits.hits;
        if hits.len() >= size && width > size as u64 {
            // There may be more than fit.
            cluster.set_width(shard, size as u64);
            continue;
        }
        if hits.len() < size / 4 {
            cluster.set_width(shard, width.saturating_mul(2));
        }
        cluster.adapt_page(size, hits.len(), answer.body.len(), request.elapsed());
        position.next = numbers.end;
        if scan.gaps(position).is_empty() {
            position.next = position.end;
            cluster.close_point_in_time(shard).await;
        }
        let known = scan.known(&shard.uuid, shard.number);
        let earlier = known.and_then(|known| known.checkpoint);
        let lag = cluster.lag(&shard.index);
        let earlier = earlier.filter(|earlier| earlier.is_before(point.before, lag));
        let part = Part {
            uuid: shard.uuid.clone(),
            shard: shard.number,
            numbers,
            checkpoint: point.checkpoint,
            complete: earlier.map_or(0, |earlier| earlier.next),
        };
        let documents: Result<_, _> = hits.into_iter().map(Hit::document).collect();
        return Ok(Some((documents?, part)));
    }
}

/// The first of these ranges that have so many numbers in all.
fn first(gaps: Vec<Range<u64>>, mut width: u64) -> Vec<Range<u64>> {
    let mut first = Vec::new();
    for gap in gaps {
        if width == 0 {
            break;
        }
        let end = gap.end.min(gap.start.saturating_add(width));
        width -= end - gap.start;
        first.push(gap.start..end);
    }
    first
}

fn request_for(scan: &Scan, point: &Point, gaps: &[Range<u64>], size: usize) -> Value {
    let ranges: Vec<Value> = gaps
        .iter()
        .map(|gap| json!({"range": {"_seq_no": {"gte": gap.start, "lt": gap.end}}}))
        .collect();
    let numbers = json!({"bool": {"should": ranges, "minimum_should_match": 1}});
    let filter: Vec<Value> = [Some(numbers), scan.query.clone()]
        .into_iter()
        .flatten()
        .collect();
    json!({
        "pit": {"id": point.id, "keep_alive": super::KEEP_ALIVE},
        "size": size,
        "query": {"bool": {"filter": filter}},
        "sort": ["_doc"],
        "track_total_hits": false,
        "seq_no_primary_term": true,
    })
}

/// How many documents the next page has, after one of `size` of which so many came, in so many bytes and so long a time.
pub(super) fn next_size(size: usize, documents: usize, bytes: usize, time: Duration) -> usize {
    if documents == 0 {
        return size;
    }
    let by_bytes = PAGE_BYTES * documents as f64 / bytes as f64;
    let by_time = PAGE_TIME.div_duration_f64(time) * documents as f64;
    let next = by_bytes.min(by_time) as usize;
    next.clamp(size.div_ceil(2), size * 2).clamp(10, MAX_PAGE)
}

/// How long it takes until searches find everything, with this `index.refresh_interval`.
pub(super) fn lag(interval: Option<&str>) -> Duration {
    let Some(interval) = interval else { return LAG };
    let digits = interval.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &interval[digits.len()..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        // Never, or not known.
        _ => return Duration::MAX,
    };
    match digits.parse::<f64>() {
        Ok(number) if number >= 0.0 => Duration::try_from_secs_f64(2.0 * number * unit)
            .map_or(Duration::MAX, |time| time.max(LAG)),
        _ => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_as_large_as_is_bearable() {
        let second = Duration::from_secs(1);
        for (size, documents, bytes, time, next) in [
            (1_000, 1_000, 1 << 20, second, 2_000),
            (8_000, 8_000, 8 << 20, second, MAX_PAGE),
            (1_000, 1_000, 32 << 20, second, 500),
            (1_000, 1_000, 64 << 20, second, 500),
            (1_000, 1_000, 1 << 20, 10 * second, 500),
            (15, 15, 1 << 30, second, 10),
            (1_000, 0, 60, second, 1_000),
            // A few that are left say little of the next.
            (1_000, 3, 9_000, second / 100, 1_500),
        ] {
            assert_eq!(
                next_size(size, documents, bytes, time),
                next,
                "{size} {documents}"
            );
        }
    }

    #[test]
    fn a_slow_index_needs_more_time_to_show_everything() {
        for (interval, seconds) in [
            (None, Some(120)),
            (Some("1s"), Some(120)),
            (Some("500ms"), Some(120)),
            (Some("5m"), Some(600)),
            (Some("1h"), Some(7_200)),
            (Some("-1"), None),
            (Some("-1s"), None),
            (Some("often"), None),
            (Some("1e300d"), None),
            (Some(""), None),
        ] {
            let time = seconds.map_or(Duration::MAX, Duration::from_secs);
            assert_eq!(lag(interval), time, "{interval:?}");
        }
    }

    #[test]
    fn a_page_has_so_many_numbers() {
        assert_eq!(first(vec![0..5, 7..20], 10), [0..5, 7..12]);
        assert_eq!(first(vec![0..5, 7..20], 6), [0..5, 7..8]);
        assert_eq!(first(vec![0..5, 7..9], 50), [0..5, 7..9]);
    }
}
