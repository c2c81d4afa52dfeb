//! Events of files and streams, into an index of a store.

use crate::files::{self, Lines, Sink};
use crate::pass::put_schema;
use crate::summary::Tally;
use crate::{Options, Rules, Summary};
use futures_util::{StreamExt, TryStreamExt, stream};
use input::{Input, Inputs};
use sha2::{Digest, Sha256};
use std::io;
use std::sync::Arc;
use store::{Rejected, Store, StoreError, Write};
use tokio::sync::mpsc;

/// How many batches are being written at a time.
const WRITES: usize = 16;

/// How many batches wait.
const WAITING: usize = 4;

/// Writes the events of `inputs` into an index, which has to be there, tagged if [`Options::tagger`] says so. The tag fields
/// get their schema before.
///
/// An event of a file has an `_id` made of the file, its number in it and its text: to load a file again adds nothing, and
/// is how a load that was cut off is completed. Events of a stream are always new.
///
/// # Errors
/// Those of the store, which end the run; what it says of single events is in the [`Summary`].
pub async fn load(
    rules: &Arc<Rules>,
    inputs: Inputs,
    options: &Options,
    store: &dyn Store,
    index: &str,
) -> Result<Summary, StoreError> {
    put_schema(store, index).await?;
    let (to_store, batches) = mpsc::channel(WAITING);
    let names = inputs.list.iter().map(|input| input.file.clone()).collect();
    let reader = {
        let rules = rules.clone();
        let options = Options {
            all: true,
            ..options.clone()
        };
        let mut sink = Batches {
            bases: inputs.list.iter().map(base).collect(),
            next: (0, 0),
            to_store,
        };
        std::thread::spawn(move || files::run(&rules, inputs, &options, &mut sink))
    };
    let batches = stream::unfold(batches, |mut batches| async {
        batches.recv().await.map(|batch| (batch, batches))
    });
    let written = batches
        .map(|batch| write(store, index, batch))
        .buffered(WRITES)
        .try_fold(Written::new(names), |written, batch| async {
            Ok(written.and(batch))
        })
        .await;
    let read = reader
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let written = written?;
    // The reader fails only when the store has.
    let mut summary = read.map_err(|_| StoreError::Stopped)?;
    summary.written = Some(written.count);
    summary.tell(
        "noted",
        "the event is in the index already",
        Tally::of(written.known),
    );
    summary.tell("lost", "the store refuses the event", written.refused);
    Ok(summary)
}

/// A batch of events on its way into the store.
struct Batch {
    /// The number of their input.
    input: usize,
    /// The number of the first one in it.
    first: u64,
    writes: Vec<Write>,
}

/// Makes writes of lines.
struct Batches {
    /// For each input, what its events are known by; none for a stream.
    bases: Vec<Option<Sha256>>,
    /// The input, and the number in it, of the next event.
    next: (usize, u64),
    to_store: mpsc::Sender<Batch>,
}

/// What the events of a file are known by, wherever a run is started. A stream has no such thing.
fn base(input: &Input) -> Option<Sha256> {
    let is_file = input.size > 0;
    let path = is_file.then(|| std::fs::canonicalize(&*input.file).ok());
    Some(Sha256::new_with_prefix(path??.as_os_str().as_encoded_bytes()).chain_update([0]))
}

impl Sink for Batches {
    const DIGESTS: bool = true;

    fn write(&mut self, lines: Lines) -> io::Result<()> {
        if self.next.0 != lines.input {
            self.next = (lines.input, 0);
        }
        let first = self.next.1;
        let base = self.bases.get(lines.input).and_then(Option::as_ref);
        let texts = lines.text.split(|byte| *byte == b'\n');
        let writes: Vec<Write> = (first..)
            .zip(texts.zip(&lines.digests))
            .map(|(number, (text, digest))| Write::Create {
                id: base.map(|base| id(base, number, digest)),
                source: text.to_vec(),
            })
            .collect();
        self.next.1 += writes.len() as u64;
        let batch = Batch {
            input: lines.input,
            first,
            writes,
        };
        let sent = self.to_store.blocking_send(batch);
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The `_id` of an event of a file.
fn id(base: &Sha256, number: u64, digest: &[u8]) -> String {
    let hash = base.clone().chain_update(number.to_le_bytes());
    let hash = hash.chain_update(digest).finalize();
    hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What became of events that were to be written.
#[derive(Default)]
struct Written {
    count: u64,
    known: u64,
    refused: Tally,
    /// The names of the inputs.
    names: Vec<Arc<str>>,
}

/// What became of the events of a batch.
type Answers = (Batch, Vec<Result<store::Written, Rejected>>);

async fn write(store: &dyn Store, index: &str, mut batch: Batch) -> Result<Answers, StoreError> {
    let writes = std::mem::take(&mut batch.writes);
    let answers = store.write(index, writes).await?;
    Ok((batch, answers))
}

impl Written {
    fn new(names: Vec<Arc<str>>) -> Written {
        Written {
            names,
            ..Written::default()
        }
    }

    fn and(mut self, (batch, answers): Answers) -> Written {
        let name = self.names.get(batch.input).map_or("", |name| name);
        for (number, answer) in (batch.first + 1..).zip(answers) {
            let event = |cause: &Rejected| format!("{name}: event {number}: {cause}");
            match &answer {
                Ok(_) => self.count += 1,
                Err(Rejected::Exists(_)) => self.known += 1,
                Err(cause) => self.refused.add(|| event(cause)),
            }
        }
        self
    }
}
