//! Tagging in a store while others write to it: nothing of theirs is lost, and in the end every tag is right.

use mapping::Mapping;
use serde_json::{Value, json};
use sigma::{Collection, Source};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{Embedded, Rejected, Scan, Store, Write};
use tag::{Profile, Tagger};
use tagger::{Options, Rules, Selection};

/// A rule for events whose `command` contains `evil`.
fn rules() -> Rules {
    let text =
        b"title: Evil\nid: 5f1abf3e-0000-4000-8000-000000000001\nlogsource: {category: any}\n\
        detection: {selection: {command|contains: evil}, condition: selection}\nlevel: high\n";
    let source = Source {
        name: "rule.yml",
        text,
    };
    let collection = Collection::assemble(vec![sigma::parse(&source)]);
    Rules::compile(collection, &Mapping::none(), None)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn options(progress: &Arc<AtomicU64>) -> Options {
    Options {
        tagger: Some(Tagger {
            profile: Profile::Ecs,
            ruleset: "9f2c01ab".into(),
            tagged_at: "2026-11-24T09:00:00Z".into(),
        }),
        all: false,
        jobs: 2,
        stop: Arc::new(AtomicBool::new(false)),
        progress: progress.clone(),
    }
}

fn documents(store: &Embedded) -> Vec<store::Document> {
    wait(store.refresh("events")).unwrap();
    let mut scan = Scan::all("events");
    let mut all = Vec::new();
    loop {
        let page = wait(store.scan(&scan)).unwrap();
        all.extend(page.documents);
        match page.next {
            Some(next) => scan.after = Some(next),
            None => return all,
        }
    }
}

/// How many documents there are, and how often the other writer changes one of them.
const DOCUMENTS: u64 = 20_000;

#[test]
fn what_others_write_meanwhile_is_kept_and_tagged() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path()).unwrap();
    let writes = (0..DOCUMENTS).map(|id| Write::Create {
        id: Some(id.to_string()),
        source: json!({"command": if id % 2 == 0 { "evil" } else { "good" }, "n": 0})
            .to_string()
            .into_bytes(),
    });
    for answer in wait(store.write("events", writes.collect())).unwrap() {
        answer.unwrap();
    }
    wait(store.refresh("events")).unwrap();

    let rules = Arc::new(rules());
    let progress = Arc::new(AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let (summary, changed, refused) = std::thread::scope(|scope| {
        // Changes documents as it finds them: what was evil becomes good, and the other way round.
        let other = scope.spawn(|| {
            let (mut changed, mut refused) = (0u64, 0u64);
            let mut round = 0;
            while !is_over.load(Ordering::Relaxed) {
                round += 1;
                let mut scan = Scan::all("events");
                scan.size = 200;
                scan.query = Some(json!({"ids": {"values": (0..200).map(|n| ((n * 97 + round * 31) % DOCUMENTS).to_string()).collect::<Vec<_>>()}}));
                let page = wait(store.scan(&scan)).unwrap();
                let writes = page.documents.iter().map(|document| {
                    let mut event: Value = serde_json::from_str(&document.source).unwrap();
                    let was_evil = event["command"] == "evil";
                    event["command"] = json!(if was_evil { "good" } else { "evil" });
                    event["n"] = json!(event["n"].as_u64().unwrap() + 1);
                    Write::Put {
                        id: document.id.clone(),
                        source: event.to_string().into_bytes(),
                        if_seq_no: Some(document.seq_no),
                    }
                });
                for answer in wait(store.write("events", writes.collect())).unwrap() {
                    match answer {
                        Ok(_) => changed += 1,
                        Err(Rejected::Conflict { .. }) => refused += 1,
                        Err(cause) => panic!("{cause}"),
                    }
                }
            }
            (changed, refused)
        });
        let summary = wait(tagger::tag_store(
            &rules,
            &options(&progress),
            &store,
            &Selection::all("events"),
        ));
        is_over.store(true, Ordering::Relaxed);
        let (changed, refused) = other.join().unwrap();
        (summary.unwrap(), changed, refused)
    });
    assert!(summary.is_clean(), "{:?}", summary.input);
    let again: u64 = summary.input.iter().map(|skip| skip.count).sum();
    eprintln!(
        "{changed} changed by the other, {refused} of its writes refused, {again} read again"
    );
    assert!(changed > 0);

    // Nothing that the other has changed is lost.
    let all = documents(&store);
    assert_eq!(all.len() as u64, DOCUMENTS);
    let counted = all.iter().map(|document| {
        let event: Value = serde_json::from_str(&document.source).unwrap();
        event["n"].as_u64().unwrap()
    });
    assert_eq!(counted.sum::<u64>(), changed);

    // Another pass makes right what came after the first one, and a third has nothing to do.
    wait(tagger::tag_store(
        &rules,
        &options(&progress),
        &store,
        &Selection::all("events"),
    ))
    .unwrap();
    for document in documents(&store) {
        let event: Value = serde_json::from_str(&document.source).unwrap();
        let is_tagged = event["sigma"]["rule"]["id"][0] == "5f1abf3e-0000-4000-8000-000000000001";
        assert_eq!(is_tagged, event["command"] == "evil", "{event}");
    }
    let third = wait(tagger::tag_store(
        &rules,
        &options(&progress),
        &store,
        &Selection::all("events"),
    ))
    .unwrap();
    assert_eq!(third.written, Some(0));
    assert_eq!(third.tagged, third.retagged.unchanged);
}

/// Another writer that is always in between: whatever is read is changed before it is written, twice.
#[test]
fn a_document_that_was_changed_is_read_again_until_it_is_tagged() {
    let folder = tempfile::tempdir().unwrap();
    let meddler = Meddler {
        store: Embedded::open(folder.path()).unwrap(),
        left: AtomicU64::new(2),
    };
    let source = json!({"command": "evil", "n": 0}).to_string().into_bytes();
    let write = Write::Create {
        id: Some("a".into()),
        source,
    };
    wait(meddler.store.write("events", vec![write]))
        .unwrap()
        .remove(0)
        .unwrap();
    wait(meddler.store.refresh("events")).unwrap();
    let progress = Arc::new(AtomicU64::new(0));
    let rules: Arc<Rules> = Arc::new(rules());
    let summary = wait(tagger::tag_store(
        &rules,
        &options(&progress),
        &meddler,
        &Selection::all("events"),
    ))
    .unwrap();
    assert_eq!(summary.written, Some(1));
    let [again] = summary.input.as_slice() else {
        panic!("{:?}", summary.input)
    };
    assert_eq!((again.effect, again.count), ("noted", 2));
    assert_eq!(again.examples, ["events/a", "events/a"]);
    let all = documents(&meddler.store);
    let event: Value = serde_json::from_str(&all[0].source).unwrap();
    assert_eq!(event["n"], 2);
    assert_eq!(event["sigma"]["level"][0], "high");
}

/// A store in which somebody else writes right before this one does.
struct Meddler {
    store: Embedded,
    left: AtomicU64,
}

impl Store for Meddler {
    fn capabilities(&self) -> store::Capabilities {
        self.store.capabilities()
    }

    fn create<'a>(&'a self, index: &'a str, body: Value) -> store::Answer<'a, ()> {
        self.store.create(index, body)
    }

    fn delete<'a>(&'a self, indices: &'a str) -> store::Answer<'a, Vec<String>> {
        self.store.delete(indices)
    }

    fn indices<'a>(&'a self, indices: &'a str) -> store::Answer<'a, Vec<store::IndexInfo>> {
        self.store.indices(indices)
    }

    fn alias<'a>(&'a self, alias: &'a str, indices: Vec<String>) -> store::Answer<'a, ()> {
        self.store.alias(alias, indices)
    }

    fn put_future_mapping<'a>(
        &'a self,
        indices: &'a str,
        existing: Vec<&'a store::IndexInfo>,
        mapping: Value,
    ) -> store::Answer<'a, Vec<String>> {
        self.store.put_future_mapping(indices, existing, mapping)
    }

    fn put_mapping<'a>(&'a self, indices: &'a str, mapping: Value) -> store::Answer<'a, ()> {
        self.store.put_mapping(indices, mapping)
    }

    fn write<'a>(
        &'a self,
        index: &'a str,
        writes: Vec<Write>,
    ) -> store::Answer<'a, Vec<Result<store::Written, Rejected>>> {
        Box::pin(async move {
            let left = self.left.load(Ordering::Relaxed);
            if left > 0 {
                self.left.store(left - 1, Ordering::Relaxed);
                let others = writes.iter().map(|write| match write {
                    Write::Update { read, .. } => Write::Put {
                        id: read.id.clone(),
                        source: json!({"command": "evil", "n": 3 - left})
                            .to_string()
                            .into_bytes(),
                        if_seq_no: None,
                    },
                    other => other.clone(),
                });
                self.store.write(index, others.collect()).await?;
            }
            self.store.write(index, writes).await
        })
    }

    fn scan<'a>(&'a self, scan: &'a Scan) -> store::Answer<'a, store::Page> {
        self.store.scan(scan)
    }

    fn get<'a>(
        &'a self,
        index: &'a str,
        ids: &'a [store::DocumentId],
    ) -> store::Answer<'a, Vec<Option<store::Document>>> {
        self.store.get(index, ids)
    }

    fn search<'a>(
        &'a self,
        indices: &'a str,
        request: &'a Value,
    ) -> store::Answer<'a, store::SearchResponse> {
        self.store.search(indices, request)
    }

    fn count<'a>(&'a self, indices: &'a str, query: &'a Value) -> store::Answer<'a, u64> {
        self.store.count(indices, query)
    }

    fn refresh<'a>(&'a self, indices: &'a str) -> store::Answer<'a, ()> {
        self.store.refresh(indices)
    }
}
