//! The embedded store held to a real server: the same searches over the same documents have the same ids, totals and buckets
//! in both.
//!
//! What a server refuses the embedded store refuses, and what the embedded store does not do it refuses by name. The few
//! differences that are wanted are [`classes`], each with its reason and a test of its own that a difference is really one of
//! them; whatever else differs is wrong.

mod cases;
mod classes;
mod compare;
mod corpus;
mod golden;
mod pair;
mod random;

use classes::CLASSES;
use compare::Counts;
use pair::{Index, Pair};
use random::Maker;
use serde_json::{Value, json};

/// Asks both the requests, and compares.
fn compare(pair: &Pair, index: &Index, requests: &[Value], what: &str) -> Counts {
    let mut counts = Counts::default();
    for (request, answers) in requests.iter().zip(pair.search(index, requests)) {
        counts.add(index, request, &answers, CLASSES);
    }
    counts.finish(what, index.documents.len());
    counts
}

/// A request for all that a query finds.
fn everything(query: Value) -> Value {
    json!({"query": query, "size": 10_000, "_source": false, "track_total_hits": true})
}

#[test]
fn odd_documents_are_found_as_a_server_finds_them() {
    let Some(pair) = Pair::start() else { return };
    let index = pair.index("odd", &json!({}), cases::dynamic());
    assert_eq!((index.documents.len(), index.rejected), (55, 29));
    let queries: Vec<Value> = cases::queries().into_iter().map(everything).collect();
    let counts = compare(&pair, &index, &queries, "odd documents, queries");
    assert!(counts.found > 250, "{counts:?}");
    let (mut same, mut other) = (0, 0);
    for query in cases::queries() {
        // What asks only whether there is a value, a server counts wrongly; the searches have said so.
        if query.get("exists").is_none()
            && query.get("query_string").is_none()
            && let [Some(server), Some(own)] = pair.count(&index, &query)
        {
            *(if server == own { &mut same } else { &mut other }) += 1;
        }
    }
    // Those that differ are about -0.0 and a `false` that is empty.
    assert!(same > 150, "{same}");
    assert_eq!(other, 4);
}

#[test]
fn odd_documents_are_counted_and_ordered_as_a_server_does() {
    let Some(pair) = Pair::start() else { return };
    let index = pair.index("odd", &json!({}), cases::dynamic());
    let counts = compare(&pair, &index, &cases::requests(), "odd documents, requests");
    assert!(counts.found > 150, "{counts:?}");
}

#[test]
fn what_only_one_takes_is_known() {
    let Some(pair) = Pair::start() else { return };
    let rows = cases::judged_otherwise();
    let documents = rows.iter().enumerate();
    let documents: Vec<_> = documents
        .map(|(number, (text, ..))| (number.to_string(), text.clone()))
        .collect();
    let (_, verdicts) = pair.judge("judged", &cases::typed_mapping(), &documents);
    for ((text, server_takes, reason), verdict) in rows.iter().zip(verdicts) {
        let takes = (verdict.server.is_ok(), verdict.embedded.is_ok());
        assert_eq!(
            takes,
            (*server_takes, !server_takes),
            "{reason}: {text:.100}"
        );
    }
}

#[test]
fn every_type_is_found_as_a_server_finds_it() {
    let Some(pair) = Pair::start() else { return };
    let index = pair.index("typed", &cases::typed_mapping(), cases::typed());
    assert_eq!((index.documents.len(), index.rejected), (20, 20));
    let queries: Vec<Value> = cases::typed_queries().into_iter().map(everything).collect();
    let counts = compare(&pair, &index, &queries, "every type, queries");
    assert!(counts.found > 500, "{counts:?}");
}

#[test]
fn real_events_are_found_as_a_server_finds_them() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let Some(pair) = Pair::start() else { return };
    let (queries, requests) = if golden::is_all() {
        (600, 200)
    } else {
        (150, 60)
    };
    for (shape, body, is_usual) in [
        ("winlogbeat", corpus::dynamic(), true),
        ("winlogbeat", corpus::keywords(), false),
        ("ecs", corpus::dynamic(), false),
        ("ecs", corpus::keywords(), true),
    ] {
        if !is_usual && !golden::is_all() {
            continue;
        }
        let what = if body.get("mappings").is_some() {
            "keywords"
        } else {
            "dynamic"
        };
        let index = pair.index(
            &format!("{shape}-{what}"),
            &body,
            corpus::events(&shared, shape),
        );
        assert_eq!((index.documents.len(), index.rejected), (3_824, 0));
        let mut maker = Maker::new(&index, 6);
        let asked: Vec<Value> = (0..queries).map(|_| maker.query()).collect();
        let counts = compare(
            &pair,
            &index,
            &asked,
            &format!("{shape}, {what}, queries at random"),
        );
        assert!(counts.found * 3 > queries, "{counts:?}");
        let asked: Vec<Value> = (0..requests).map(|_| maker.request()).collect();
        let counts = compare(
            &pair,
            &index,
            &asked,
            &format!("{shape}, {what}, requests at random"),
        );
        assert!(counts.found * 3 > requests, "{counts:?}");
    }
}

#[test]
fn converted_rules_find_what_they_find_at_a_server() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let Some(pair) = Pair::start() else { return };
    let events = corpus::events(&shared, "winlogbeat");
    // So few that a server asks all their fields at once.
    let few = pair.index("few", &corpus::dynamic(), events[3_718..].to_vec());
    let index = pair.index("golden", &corpus::dynamic(), events);
    for name in [
        "es-dsl-winlogbeat-new",
        "es-qs-winlogbeat-new",
        "es-dsl-winlogbeat-old_by0231",
        "es-qs-winlogbeat-old_by0231",
        "es-dsl-sysmon+winlogbeat-new",
        "es-qs-sysmon+winlogbeat-new",
    ] {
        let golden::Queries { narrow, wide } = golden::queries(&shared, name);
        let narrow: Vec<Value> = narrow.into_iter().map(everything).collect();
        let counts = compare(&pair, &index, &narrow, name);
        assert!(counts.found > 2, "{counts:?}");
        let wide: Vec<Value> = wide.into_iter().map(everything).collect();
        compare(&pair, &few, &wide, &format!("{name}, all fields"));
    }
}
