//! Writing: bulk requests of a bearable size, of which what was not done is sent again.

use super::Cluster;
use super::change::partial;
use super::http::{Body, Wait, error_text};
use crate::{Document, Rejected, StoreError, Write, Written};
use reqwest::Method;
use serde_json::{Value, json};

/// How many writes one request has at most, and how many bytes.
const ITEMS: usize = 1_000;
const BYTES: usize = 5 << 20;

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
    let items: Vec<Item> = writes
        .into_iter()
        .enumerate()
        .map(|(number, write)| Item::new(number, write))
        .collect();
    let mut batches: Vec<&[Item]> = Vec::new();
    let mut rest = items.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(ITEMS).take_while(|item| {
            bytes += item.lines.len();
            bytes <= BYTES
        });
        let (batch, others) = rest.split_at(fits.count().max(1));
        batches.push(batch);
        rest = others;
    }
    batches.reverse();
    let mut wait = Wait::default();
    while let Some(batch) = batches.pop() {
        let waiting: Vec<&Item> = batch
            .iter()
            .filter(|item| outcomes[item.number].is_none())
            .collect();
        if waiting.is_empty() {
            continue;
        }
        if changes && !cluster.is_there(index).await? {
            // To write would make an empty index of this name.
            for item in waiting {
                outcomes[item.number] = Some(Err(Rejected::Missing));
            }
            continue;
        }
        let lines: String = waiting.iter().map(|item| item.lines.as_str()).collect();
        let answer = cluster
            .http
            .ask(
                Method::POST,
                &format!(
                    "/{}/_bulk?filter_path=errors,items.*._id,items.*.status,items.*.error,\
                     items.*._seq_no,items.*._version",
                    super::escaped(index)
                ),
                Some(&Body::Lines(lines.into())),
            )
            .await?;
        if answer.status == 413 {
            match waiting.as_slice() {
                [one] => {
                    outcomes[one.number] = Some(Err(Rejected::TooLarge(one.lines.len())));
                }
                _ => {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    batches.extend([second, first]);
                }
            }
            continue;
        }
        let body: Value = answer.read()?;
        let answers = body["items"]
            .as_array()
            .map_or(&[] as &[Value], Vec::as_slice);
        let mut later = None;
        for (item, answer) in waiting.iter().zip(answers) {
            let answer = answer.as_object().and_then(|answer| answer.values().next());
            match item.outcome(answer.unwrap_or(&Value::Null))? {
                Ok(outcome) => outcomes[item.number] = Some(outcome),
                Err(reason) => later = Some(reason),
            }
        }
        let is_cut = answers.len() < waiting.len();
        if let Some(reason) = later.or_else(|| is_cut.then(|| "the answer is cut off".to_owned())) {
            cluster.http.wait(&mut wait, &reason).await;
            batches.push(batch);
        }
    }
    let missing = || Err(Rejected::Refused("the server did not answer".to_owned()));
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(missing))
        .collect())
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
