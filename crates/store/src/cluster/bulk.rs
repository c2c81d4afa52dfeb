//! Writing: bulk requests of a bearable size, of which what was not done is sent again.

use super::Cluster;
use super::change::partial;
use super::http::{Body, Wait, error_text};
use crate::{Document, Rejected, StoreError, Write, Written};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many writes one request has at first, at least and at most.
const ITEMS: (usize, usize, usize) = (500, 10, 2_000);

/// How many bytes one request has at most.
const BYTES: usize = 5 << 20;

/// An answer that takes longer is one of a server that has too much to do.
const SLOW: Duration = Duration::from_secs(5);

/// How large a request may be now: the more the server bears, the more.
#[derive(Clone, Copy)]
pub(super) struct Batch {
    items: usize,
    bytes: usize,
}

impl Default for Batch {
    fn default() -> Batch {
        Batch {
            items: ITEMS.0,
            bytes: BYTES,
        }
    }
}

impl Batch {
    /// How many of the first items fit in one request; one in any case.
    fn fits(self, items: &VecDeque<Item>) -> usize {
        let mut bytes = 0;
        let fits = items.iter().take(self.items).take_while(|item| {
            bytes += item.lines.len();
            bytes <= self.bytes
        });
        fits.count().max(1)
    }

    fn grow(&mut self) {
        self.items = (self.items + ITEMS.0 / 4).min(ITEMS.2);
    }

    fn shrink(&mut self) {
        self.items = (self.items / 2).max(ITEMS.1);
    }
}

/// A write, as the lines of a bulk request.
struct Item {
    lines: String,
    /// The number of the write among those of the caller.
    number: usize,
    wanted: Option<u64>,
    /// Whether the id is one that nobody else has.
    is_ours: bool,
}

type Outcome = Result<Written, Rejected>;

pub(super) async fn write(
    cluster: &Cluster,
    index: &str,
    writes: Vec<Write>,
) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes: Vec<Option<Outcome>> = writes.iter().map(unsupported).collect();
    let changes = writes
        .iter()
        .any(|write| matches!(write, Write::Update { .. }));
    let items = writes.into_iter().enumerate();
    let mut waiting: VecDeque<Item> = items
        .map(|(number, write)| Item::new(number, write))
        .filter(|item| outcomes[item.number].is_none())
        .collect();
    let mut wait = Wait::default();
    while !waiting.is_empty() {
        if changes && !cluster.is_there(index).await? {
            // To write would make an empty index of this name.
            for item in waiting.drain(..) {
                outcomes[item.number] = Some(Err(Rejected::Missing));
            }
            break;
        }
        let fits = cluster.known().batch.fits(&waiting);
        let batch: Vec<Item> = waiting.drain(..fits).collect();
        let (done, later) = send(cluster, index, &batch).await?;
        let has_done = !done.is_empty();
        for (number, outcome) in done {
            outcomes[number] = Some(outcome);
        }
        let left = batch.into_iter().rev();
        for item in left.filter(|item| outcomes[item.number].is_none()) {
            waiting.push_front(item);
        }
        if has_done {
            wait = Wait::default();
        }
        if let Some(reason) = later {
            cluster.http.wait(&mut wait, &reason).await;
        }
    }
    let missing = || Err(Rejected::Refused("the server did not answer".to_owned()));
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(missing))
        .collect())
}

/// What has become of some of the items, by their numbers; and why to wait before the others are sent again, if so.
type Sent = (Vec<(usize, Outcome)>, Option<String>);

/// Sends items once.
async fn send(cluster: &Cluster, index: &str, batch: &[Item]) -> Result<Sent, StoreError> {
    let lines: String = batch.iter().map(|item| item.lines.as_str()).collect();
    let bytes = lines.len();
    let path = format!(
        "/{}/_bulk?filter_path=errors,items.*._id,items.*.status,items.*.error,\
         items.*._seq_no,items.*._primary_term,items.*._version",
        super::escaped(index)
    );
    let start = Instant::now();
    let body = Body::Lines(lines.into());
    let answer = cluster
        .http
        .ask_unless_busy(Method::POST, &path, Some(&body));
    let answer = answer.await?;
    if answer.status == 413 {
        if let [one] = batch {
            let too_large = Rejected::TooLarge(one.lines.len());
            return Ok((vec![(one.number, Err(too_large))], None));
        }
        cluster.known().batch.bytes = bytes / 2;
        return Ok((Vec::new(), None));
    }
    if answer.status == 429 {
        cluster.known().batch.shrink();
        return Ok((Vec::new(), Some(answer.reason())));
    }
    let body: Value = answer.read()?;
    let answers = body["items"].as_array();
    let answers = answers.map_or(&[] as &[Value], Vec::as_slice);
    let mut done = Vec::with_capacity(answers.len());
    let mut later = None;
    for (item, answer) in batch.iter().zip(answers) {
        let answer = answer.as_object().and_then(|answer| answer.values().next());
        match item.outcome(answer.unwrap_or(&Value::Null))? {
            Ok(outcome) => done.push((item.number, outcome)),
            Err(reason) => later = Some(reason),
        }
    }
    let is_cut = answers.len() < batch.len();
    let later = later.or_else(|| is_cut.then(|| "the answer is cut off".to_owned()));
    match later.is_some() || start.elapsed() > SLOW {
        true => cluster.known().batch.shrink(),
        false => cluster.known().batch.grow(),
    }
    Ok((done, later))
}

/// A sequence number alone does not tell a server which state of a document is meant.
fn unsupported(write: &Write) -> Option<Outcome> {
    let has_number = match write {
        Write::Put { if_seq_no, .. } | Write::Delete { if_seq_no, .. } => if_seq_no.is_some(),
        _ => false,
    };
    has_number.then(|| {
        let reason = "a cluster wants the document as it was read (`Write::Update`)";
        Err(Rejected::Refused(reason.to_owned()))
    })
}

impl Item {
    fn new(number: usize, write: Write) -> Item {
        let mut item = Item {
            lines: String::new(),
            number,
            wanted: None,
            is_ours: false,
        };
        match write {
            Write::Create { id, source } => {
                item.is_ours = id.is_none();
                let id = id.unwrap_or_else(super::random_id);
                item.put(json!({"create": {"_id": id}}), &source);
            }
            Write::Put { id, source, .. } => item.put(json!({"index": {"_id": id}}), &source),
            Write::Update { read, source } => {
                item.wanted = Some(read.seq_no);
                item.update(&read, &source);
            }
            Write::Delete { id, .. } => {
                item.lines = format!("{}\n", json!({"delete": {"_id": id}}));
            }
        }
        item
    }

    fn update(&mut self, read: &Document, source: &[u8]) {
        let mut to = json!({
            "_id": read.id,
            "if_seq_no": read.seq_no,
            "if_primary_term": read.primary_term,
        });
        if let Some(routing) = &read.routing {
            to["routing"] = json!(routing);
        }
        let after = String::from_utf8_lossy(source);
        match partial(&read.source, &after) {
            Some(doc) => {
                let doc = format!("{{\"doc\":{doc}}}");
                self.put(json!({"update": to}), doc.as_bytes());
            }
            None => {
                // What is written anew must not go through the pipeline of new events.
                to["pipeline"] = json!("_none");
                self.put(json!({"index": to}), source);
            }
        }
    }

    fn put(&mut self, action: Value, source: &[u8]) {
        // Between values there may be line breaks; in strings they are escaped.
        let source = String::from_utf8_lossy(source).replace(['\n', '\r'], " ");
        self.lines = format!("{action}\n{source}\n");
    }

    /// What became of the write; or, in the inner error, why to try again.
    fn outcome(&self, answer: &Value) -> Result<Result<Outcome, String>, StoreError> {
        let error = &answer["error"];
        let reason = || error_text(error).unwrap_or_else(|| "no reason given".to_owned());
        let number = |key: &str| answer[key].as_u64().unwrap_or_default();
        let kind = error["type"].as_str().unwrap_or_default();
        let written = || Written {
            id: answer["_id"].as_str().unwrap_or_default().to_owned(),
            seq_no: number("_seq_no"),
            primary_term: number("_primary_term"),
            version: number("_version"),
        };
        Ok(Ok(match answer["status"].as_u64().unwrap_or_default() {
            200..=299 => Ok(written()),
            // Nobody else has the id: an answer has been lost.
            409 if self.is_ours => Ok(written()),
            409 => match self.wanted {
                Some(wanted) => Err(Rejected::Conflict {
                    wanted,
                    found: Some(current(&reason()).unwrap_or(wanted + 1)),
                }),
                None => Err(Rejected::Exists(number("_seq_no"))),
            },
            404 => Err(Rejected::Missing),
            429 if kind == "cluster_block_exception" => {
                let reason = format!(
                    "the disk of the server is full, so that it has stopped all writes: free some \
                     space and run the command again: {}",
                    reason()
                );
                return Err(StoreError::Refused {
                    what: "to write".to_owned(),
                    reason,
                });
            }
            0 | 429 | 502..=504 => return Ok(Err(reason())),
            status => Err(Rejected::Refused(format!("{status}: {}", reason()))),
        }))
    }
}

/// The sequence number that a document has, as the reason of a conflict says it.
fn current(reason: &str) -> Option<u64> {
    let (_, after) = reason.split_once("current document has seqNo [")?;
    after.split(']').next()?.parse().ok()
}
