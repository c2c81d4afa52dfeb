//! Reading whole indices by the sequence numbers of their shards.
//!
//! A page is what one search finds in a range of numbers of one shard: it is seen as it is at one time, needs no sorting, and
//! a cursor into it is a number that stays valid. All pages of a shard come from the same copy of it, as it is when its first page is read (a point in time), so that
//! what is there then is on its page. A cursor needs none: where it has expired, another one is opened. A document that is
//! changed gets a higher number, so the scan of a shard ends with the highest one that it had right after a point in time was
//! opened.

use super::{Cluster, escaped};
use crate::{Document, Page, Position, Scan, StoreError};
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::http::{Body, Wait};

/// The request for a page. What the scan does not need is left out of the answer.
const PAGE: &str = "/_search?request_cache=false&filter_path=hits.hits._index,hits.hits._id,\
     hits.hits._routing,hits.hits._seq_no,hits.hits._primary_term,hits.hits._version,\
     hits.hits._source,timed_out,_shards";

/// A shard, as the scan knows it.
#[derive(Clone)]
pub(super) struct Shard {
    pub(super) index: String,
    pub(super) uuid: String,
    pub(super) number: u32,
    /// The first sequence number that it did not have.
    pub(super) end: u64,
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
pub(super) struct Hit {
    #[serde(rename = "_index")]
    index: String,
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_seq_no")]
    seq_no: u64,
    #[serde(rename = "_primary_term")]
    primary_term: u64,
    #[serde(rename = "_version", default)]
    version: u64,
    #[serde(rename = "_routing")]
    routing: Option<String>,
    #[serde(rename = "_source")]
    source: Option<Box<RawValue>>,
}

impl Hit {
    pub(super) fn document(self) -> Result<Document, StoreError> {
        let source = self.source.ok_or_else(|| StoreError::Refused {
            what: format!("to show {}/{}", self.index, self.id),
            reason: "the index does not keep the text of its documents (`_source`)".to_owned(),
        })?;
        Ok(Document {
            index: self.index,
            id: self.id,
            seq_no: self.seq_no,
            primary_term: self.primary_term,
            version: self.version,
            routing: self.routing,
            source: Box::<str>::from(source).into(),
        })
    }
}

pub(super) async fn page(cluster: &Cluster, scan: &Scan) -> Result<Page, StoreError> {
    scan.check()?;
    let shards = shards(cluster, scan).await?;
    let mut positions = begin(cluster, scan, &shards)?;
    let mut documents = Vec::new();
    for position in &mut positions {
        if position.next >= position.end {
            continue;
        }
        let is_it =
            |shard: &&Shard| (&shard.uuid, shard.number) == (&position.uuid, position.shard);
        let Some(shard) = shards.iter().find(is_it) else {
            continue;
        };
        documents = next(cluster, scan, shard, position).await?;
        break;
    }
    Ok(Page::new(documents, positions))
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
    cluster.learn(&shards);
    Ok(shards)
}

/// The shards of indices; none of those that are not there.
pub(super) async fn shards_of(cluster: &Cluster, indices: &str) -> Result<Vec<Shard>, StoreError> {
    #[derive(Deserialize)]
    struct Stats {
        #[serde(default)]
        indices: BTreeMap<String, OfIndex>,
    }
    #[derive(Deserialize)]
    struct OfIndex {
        uuid: String,
        #[serde(default)]
        shards: BTreeMap<u32, Vec<Value>>,
    }
    let path = format!(
        "/{}/_stats/docs?level=shards&filter_path=indices.*.uuid,indices.*.shards.*.seq_no",
        escaped(indices)
    );
    let stats: Stats = cluster.http.ask(Method::GET, &path, None).await?.read()?;
    let mut shards = Vec::new();
    for (index, of_index) in stats.indices {
        for (number, copies) in of_index.shards {
            let highest = copies
                .iter()
                .filter_map(|copy| copy["seq_no"]["max_seq_no"].as_i64());
            shards.push(Shard {
                index: index.clone(),
                uuid: of_index.uuid.clone(),
                number,
                end: u64::try_from(highest.max().unwrap_or(-1) + 1).unwrap_or(0),
            });
        }
    }
    Ok(shards)
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
        let is_it =
            |shard: &&Shard| (&shard.uuid, shard.number) == (&position.uuid, position.shard);
        match shards.iter().find(is_it) {
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

/// The documents of the next range of numbers.
async fn next(
    cluster: &Cluster,
    scan: &Scan,
    shard: &Shard,
    position: &mut Position,
) -> Result<Vec<Document>, StoreError> {
    let size = scan.size as u64;
    let mut wait = Wait::default();
    loop {
        let Some((pit, seen)) = cluster.point_in_time(shard).await? else {
            // The index went while it was read.
            position.next = position.end;
            return Ok(Vec::new());
        };
        position.end = position.end.max(seen);
        let width = cluster.width(shard).max(size);
        let end = position.end.min(position.next.saturating_add(width));
        let range = json!({"range": {"_seq_no": {"gte": position.next, "lt": end}}});
        let filter: Vec<Value> = [Some(range), scan.query.clone()]
            .into_iter()
            .flatten()
            .collect();
        let body = json!({
            "pit": {"id": pit, "keep_alive": super::KEEP_ALIVE},
            "size": size,
            "query": {"bool": {"filter": filter}},
            "sort": ["_doc"],
            "track_total_hits": false,
            "seq_no_primary_term": true,
            "version": true,
        });
        let answer = cluster
            .http
            .ask(Method::POST, PAGE, Some(&Body::Json(body)))
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
        if hits.len() as u64 >= size && width > size {
            // There may be more than fit.
            cluster.set_width(shard, size);
            continue;
        }
        if (hits.len() as u64) < size / 4 {
            cluster.set_width(shard, width.saturating_mul(2));
        }
        position.next = end;
        if position.next >= position.end {
            cluster.close_point_in_time(shard).await;
        }
        return hits.into_iter().map(Hit::document).collect();
    }
}
