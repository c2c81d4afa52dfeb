//! The demo set: exactly the hits that its lists name.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

#[test]
fn the_demo_has_exactly_its_expected_hits() {
    let demo = testkit::workspace_root().join("demo");
    let run = Command::new(env!("CARGO_BIN_EXE_sigtag"))
        .current_dir(&demo)
        .args(["tag", "--quiet", "--rules", "rules", "events"])
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let mut hits = BTreeSet::new();
    for line in String::from_utf8(run.stdout).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let source = &event["sigma"]["source"];
        let place = format!("{}\t{}", source["file"].as_str().unwrap(), source["line"]);
        for hit in event["sigma"]["matches"].as_array().unwrap() {
            hits.insert(format!(
                "{place}\t{}\t{}",
                hit["id"].as_str().unwrap(),
                hit["title"].as_str().unwrap()
            ));
        }
    }
    let expected = fs::read_to_string(demo.join("expected.tsv")).unwrap();
    let expected: BTreeSet<String> = expected.lines().map(str::to_owned).collect();
    assert!(expected.len() >= 100);
    assert_eq!(hits, expected);
}
