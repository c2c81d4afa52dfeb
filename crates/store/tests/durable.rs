//! What has been acknowledged is there, however the process ended.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use store::{Embedded, Rejected, Scan, Store, StoreError, Write};

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// All documents: id, sequence number and text.
fn all(store: &Embedded, indices: &str) -> BTreeMap<String, (u64, String)> {
    let mut scan = Scan::all(indices);
    scan.size = 700;
    let mut found = BTreeMap::new();
    loop {
        let page = wait(store.scan(&scan)).unwrap();
        for document in page.documents {
            let known = found.insert(document.id.clone(), (document.seq_no, document.source));
            assert_eq!(known, None, "{} was found twice", document.id);
        }
        match page.next {
            Some(next) => scan.after = Some(next),
            None => return found,
        }
    }
}

fn put(id: u64, round: u64) -> Write {
    Write::Put {
        id: format!("d{id}"),
        source: format!(
            r#"{{"id":{id},"round":{round},"text":"{}"}}"#,
            "x".repeat(200)
        )
        .into_bytes(),
        if_seq_no: None,
    }
}

/// Not a test: the process that is killed. It says what has been acknowledged.
#[test]
fn child() {
    let Ok(folder) = std::env::var("STORE_TEST_CHILD") else {
        return;
    };
    let store = Embedded::open(folder).unwrap();
    println!("open");
    for round in 1..1_000_000 {
        let first = round * 37 % 900;
        let writes = (first..first + 60).map(|id| put(id, round)).collect();
        for written in wait(store.write("events", writes)).unwrap() {
            let written = written.unwrap();
            println!("done {} {} {round}", written.id, written.seq_no);
        }
        if round % 7 == 0 {
            wait(store.refresh("events")).unwrap();
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut seed = 7u64;
    for kill in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env("STORE_TEST_CHILD", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let reader =
            std::thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>());
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(150 + (seed >> 33) % 900));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reader.join().unwrap() {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["done", id, seq_no, round] = words[..] {
                let number = |text: &str| text.parse::<u64>();
                // The last line may have been cut.
                if let (Ok(seq_no), Ok(round)) = (number(seq_no), number(round)) {
                    let known = acknowledged.entry(id.to_owned()).or_default();
                    if seq_no >= known.0 {
                        *known = (seq_no, round);
                    }
                }
            }
        }
        let store = Embedded::open(folder.path()).unwrap();
        let found = if acknowledged.is_empty() {
            BTreeMap::new()
        } else {
            all(&store, "events")
        };
        for (id, (seq_no, round)) in &acknowledged {
            let (found_seq_no, source) = &found[id];
            assert!(
                found_seq_no >= seq_no,
                "kill {kill}: {id} is older than what was acknowledged"
            );
            if found_seq_no == seq_no {
                assert!(
                    source.contains(&format!("\"round\":{round},")),
                    "kill {kill}: {id}"
                );
            }
        }
        // What was not acknowledged may be there, as a whole.
        acknowledged = found
            .iter()
            .map(|(id, (seq_no, source))| {
                let json: serde_json::Value = serde_json::from_str(source).unwrap();
                (id.clone(), (*seq_no, json["round"].as_u64().unwrap()))
            })
            .collect();
    }
    assert!(acknowledged.len() > 500);
}

/// A copy of a folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}

/// The file of the log that is written to.
fn log_of(store: &Path) -> std::path::PathBuf {
    let index = std::fs::read_dir(store.join("indices"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let logs = std::fs::read_dir(index.path().join("log")).unwrap();
    logs.map(|log| log.unwrap().path()).max().unwrap()
}

#[test]
fn writes_that_were_not_synced_are_lost_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original");
    let store = Embedded::open(&original).unwrap();
    wait(store.write("events", (0..50).map(|id| put(id, 0)).collect())).unwrap();
    wait(store.refresh("events")).unwrap();
    let mut ends = vec![(std::fs::metadata(log_of(&original)).unwrap().len(), 0)];
    for round in 1..=10u64 {
        wait(store.write("events", (0..50).map(|id| put(id, round)).collect())).unwrap();
        ends.push((std::fs::metadata(log_of(&original)).unwrap().len(), round));
    }
    // As the folder lies there, with the log not yet in the index.
    let crashed = folder.path().join("crashed");
    copy(&original, &crashed);
    drop(store);
    let whole = ends.last().unwrap().0;
    let mut seed = 11u64;
    for _ in 0..12 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let length = ends[0].0 + (seed >> 20) % (whole - ends[0].0);
        let copied = folder.path().join(format!("cut-{length}"));
        copy(&crashed, &copied);
        let log = std::fs::OpenOptions::new()
            .write(true)
            .open(log_of(&copied))
            .unwrap();
        log.set_len(length).unwrap();
        drop(log);
        let (_, round) = ends.iter().rfind(|(end, _)| *end <= length).unwrap();
        let store = Embedded::open(&copied).unwrap();
        let found = all(&store, "events");
        assert_eq!(found.len(), 50);
        for (id, (_, source)) in found {
            assert!(
                source.contains(&format!("\"round\":{round},")),
                "{id} at {length}: {source}"
            );
        }
    }
}

/// What a pass does: it reads, and writes with the numbers that it has read.
fn pass(store: &Embedded, from: u64, to: u64) -> usize {
    let old = format!("\"round\":{from},");
    let behind = all(store, "events")
        .into_iter()
        .filter(|(_, (_, source))| source.contains(&old));
    let writes: Vec<Write> = behind
        .map(|(id, (seq_no, source))| Write::Put {
            id,
            source: source
                .replace(&old, &format!("\"round\":{to},"))
                .into_bytes(),
            if_seq_no: Some(seq_no),
        })
        .collect();
    let count = writes.len();
    let mut writes = writes.into_iter().peekable();
    while writes.peek().is_some() {
        let batch = writes.by_ref().take(40).collect();
        for written in wait(store.write("events", batch)).unwrap() {
            written.unwrap();
        }
    }
    count
}

#[test]
fn a_pass_that_lost_what_was_not_synced_is_completed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original");
    let store = Embedded::open(&original).unwrap();
    let create = |id: u64| match put(id, 0) {
        Write::Put { id, source, .. } => Write::Create {
            id: Some(id),
            source,
        },
        other => other,
    };
    wait(store.write("events", (0..400).map(create).collect())).unwrap();
    wait(store.refresh("events")).unwrap();
    assert_eq!(pass(&store, 0, 1), 400);
    let crashed = folder.path().join("crashed");
    copy(&original, &crashed);
    drop(store);
    let whole = std::fs::metadata(log_of(&crashed)).unwrap().len();
    let mut seed = 5u64;
    let mut lost = Vec::new();
    for _ in 0..12 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let length = (seed >> 20) % whole;
        let copied = folder.path().join(format!("cut-{length}"));
        copy(&crashed, &copied);
        let log = std::fs::OpenOptions::new()
            .write(true)
            .open(log_of(&copied));
        log.unwrap().set_len(length).unwrap();
        let store = Embedded::open(&copied).unwrap();
        let again = pass(&store, 0, 1);
        assert_eq!(again % 40, 0, "a frame is there as a whole or not at all");
        lost.push(again);
        wait(store.refresh("events")).unwrap();
        let found = all(&store, "events");
        assert_eq!(found.len(), 400);
        for (id, (seq_no, source)) in found {
            assert!(source.contains("\"round\":1,"), "{id} at {length}");
            assert!((400..800).contains(&seq_no), "{id}: {seq_no}");
        }
    }
    lost.sort_unstable();
    lost.dedup();
    assert!(lost.len() > 4, "{lost:?}");
}

#[test]
fn one_writes_and_many_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path()).unwrap();
    assert!(matches!(
        Embedded::open(folder.path()),
        Err(StoreError::Locked(_))
    ));
    wait(store.write("a", vec![put(1, 1)])).unwrap();
    wait(store.refresh("*")).unwrap();
    let reader = Embedded::open_to_read(folder.path()).unwrap();
    assert_eq!(all(&reader, "*").len(), 1);
    wait(store.write("b", vec![put(2, 1)])).unwrap();
    wait(store.refresh("*")).unwrap();
    assert_eq!(all(&reader, "*").len(), 2);
    assert!(matches!(
        wait(reader.write("a", vec![put(3, 1)])),
        Err(StoreError::ReadOnly)
    ));
    wait(store.delete("a")).unwrap();
    assert_eq!(all(&reader, "*").len(), 1);
    store.close().unwrap();
    Embedded::open(folder.path()).unwrap().close().unwrap();
}

#[test]
fn a_snapshot_stays_as_it_was_while_documents_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path()).unwrap();
    wait(store.write("events", (0..400).map(|id| put(id, 0)).collect())).unwrap();
    wait(store.refresh("events")).unwrap();
    let reader = Embedded::open_snapshot(folder.path()).unwrap();
    let mut scan = Scan::all("events");
    scan.size = 100;
    let first = wait(reader.scan(&scan)).unwrap();
    assert_eq!(pass(&store, 0, 1), 400);
    wait(store.refresh("events")).unwrap();
    scan.after = first.next;
    scan.size = 400;
    let rest = wait(reader.scan(&scan)).unwrap();
    assert!(rest.next.is_none());
    let both = first.documents.into_iter().chain(rest.documents);
    let both: BTreeMap<String, String> = both.map(|one| (one.id, one.source)).collect();
    assert_eq!(both.len(), 400);
    assert!(both.values().all(|source| source.contains("\"round\":0,")));
    // Who follows finds what has changed behind the end of the scan.
    let reader = Embedded::open_to_read(folder.path()).unwrap();
    assert!(
        all(&reader, "events")
            .values()
            .all(|(_, source)| source.contains("\"round\":1,"))
    );
}

#[test]
fn sequence_numbers_and_conflicts_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3u64 {
        let store = Embedded::open(folder.path()).unwrap();
        let written = wait(store.write("a", vec![put(1, round)])).unwrap();
        let written = written[0].clone().unwrap();
        assert_eq!(
            (written.seq_no, written.version),
            (round * 2, round * 2 + 1)
        );
        let stale = Write::Put {
            id: "d1".to_owned(),
            source: b"{}".to_vec(),
            if_seq_no: Some(written.seq_no + 5),
        };
        let fresh = Write::Put {
            id: "d1".to_owned(),
            source: format!(r#"{{"round":{round}}}"#).into_bytes(),
            if_seq_no: Some(written.seq_no),
        };
        let done = wait(store.write("a", vec![stale, fresh])).unwrap();
        let conflict = Rejected::Conflict {
            wanted: written.seq_no + 5,
            found: Some(written.seq_no),
        };
        assert_eq!(done[0], Err(conflict));
        assert_eq!(done[1].as_ref().unwrap().seq_no, round * 2 + 1);
    }
}

#[test]
fn foreign_and_damaged_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("notes.txt"), "x").unwrap();
    assert!(matches!(
        Embedded::open(&path),
        Err(StoreError::Foreign { .. })
    ));
    assert!(matches!(
        Embedded::open_to_read(&path),
        Err(StoreError::Foreign { .. })
    ));
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);

    let path = folder.path().join("store");
    let store = Embedded::open(&path).unwrap();
    wait(store.write("a", vec![put(1, 1)])).unwrap();
    store.close().unwrap();
    let format = path.join("format");
    std::fs::write(&format, "sigtag store 2\n").unwrap();
    assert!(matches!(
        Embedded::open(&path),
        Err(StoreError::Foreign { .. })
    ));
    std::fs::write(&format, "sigtag store 1\n").unwrap();
    Embedded::open(&path).unwrap();
    let log = log_of(&path);
    let bytes = std::fs::read(&log).unwrap();
    // It was opened twice, and there was nothing to write.
    assert_eq!(std::fs::read_dir(log.parent().unwrap()).unwrap().count(), 1);
    std::fs::remove_file(&log).unwrap();
    assert!(matches!(
        Embedded::open(&path),
        Err(StoreError::Damaged { .. })
    ));
    std::fs::write(&log, bytes).unwrap();
    let catalog = path.join("catalog.json");
    let kept = std::fs::read(&catalog).unwrap();
    std::fs::write(&catalog, "{").unwrap();
    assert!(matches!(
        Embedded::open(&path),
        Err(StoreError::Damaged { .. })
    ));
    // Nothing says any more which indices there are, so none may be taken for a leftover.
    std::fs::remove_file(&catalog).unwrap();
    for opened in [Embedded::open(&path), Embedded::open_to_read(&path)] {
        assert!(matches!(opened, Err(StoreError::Damaged { .. })));
    }
    std::fs::write(&catalog, kept).unwrap();
    assert_eq!(all(&Embedded::open(&path).unwrap(), "a").len(), 1);
}

#[test]
fn a_store_that_was_being_made_is_made_by_the_next_to_open_it() {
    // What stands in the way of each step, so that it ends there.
    for obstacle in ["lock", "format.new", "catalog.new", "indices"] {
        let folder = tempfile::tempdir().unwrap();
        if matches!(obstacle, "catalog.new" | "indices") {
            std::fs::write(folder.path().join("format"), "sigtag store 1\n").unwrap();
        }
        let obstacle = folder.path().join(obstacle);
        match obstacle.ends_with("indices") {
            true => std::os::unix::fs::symlink("nowhere", &obstacle).unwrap(),
            false => std::fs::create_dir(&obstacle).unwrap(),
        }
        assert!(matches!(
            Embedded::open(folder.path()),
            Err(StoreError::Io { .. })
        ));
        match obstacle.is_symlink() {
            true => std::fs::remove_file(&obstacle).unwrap(),
            false => std::fs::remove_dir(&obstacle).unwrap(),
        }
        let store = Embedded::open(folder.path()).unwrap();
        wait(store.write("a", vec![put(1, 1)])).unwrap();
        store.close().unwrap();
        let reader = Embedded::open_to_read(folder.path()).unwrap();
        assert_eq!(all(&reader, "a").len(), 1);
    }
}
