//! Queries and schemas: samples with a few changes, as text and as JSON.

use fuzz::{Mutation, TEST_TIME};
use query::{LuceneOptions, Schema, read, read_lucene};

const LUCENE: [&str; 6] = [
    r#"winlog.channel:"System" AND (winlog.event_id:(7045 OR "4697") AND NOT process.name:*\\mshta.exe)"#,
    r"f:/[a-c]+\/.*\d{2,3}(x|y)?/ || +g:\>5 -h:[a TO b} !_exists_:i",
    r"@timestamp:[now-1d/d TO 2024-05-06||+1M] && *.keyword:(*a* OR ?b\*)^2",
    r#"a b c OR "d \u0041 e" AND f:>=10 (g)"#,
    r"f:/.*[\\]/ OR n:{1 TO *]",
    "*:* AND NOT a:b~2",
];

const JSON: [&str; 3] = [
    r#"{"query": {"bool": {"must": [{"wildcard": {"f.keyword": "*\\\\a?"}}, {"term": {"n": {"value": 1, "case_insensitive": false}}}], "should": [{"match_phrase": {"f": "a b"}}, {"terms": {"f": ["a", 1]}}], "must_not": {"exists": {"field": "g"}}, "minimum_should_match": 1}}}"#,
    r#"{"constant_score": {"filter": {"regexp": {"f": {"value": "a{1,2}|[^b]\"c\"", "flags": "INTERVAL|EMPTY"}}}}}"#,
    r#"{"mappings": {"dynamic_templates": [{"s": {"path_match": "a.*", "match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}}], "properties": {"f": {"type": "text", "fields": {"keyword": {"type": "keyword"}}}, "n": {"type": "long"}, "g": {"type": "alias", "path": "n"}, "o": {"dynamic": "strict", "properties": {"d": {"type": "date"}}}}}}"#,
];

#[test]
fn queries_are_read_or_refused() {
    bolero::check!()
        .with_type::<Mutation>()
        .with_test_time(TEST_TIME)
        .for_each(|mutation| {
            let query = String::from_utf8_lossy(&mutation.apply(&LUCENE)).into_owned();
            let options = LuceneOptions::new("2024-05-06T07:08:09Z".parse().unwrap());
            for schema in [Schema::keywords(), Schema::dynamic()] {
                // Whether it is one does not matter, only that an answer comes; here and below.
                let _ = read_lucene(&query, &schema, &options);
            }
        });
}

#[test]
fn json_is_read_or_refused() {
    bolero::check!()
        .with_type::<Mutation>()
        .with_test_time(TEST_TIME)
        .for_each(|mutation| {
            let Ok(json) = serde_json::from_slice(&mutation.apply(&JSON)) else {
                return;
            };
            let now = "2024-05-06T07:08:09Z".parse().unwrap();
            let _ = read(&json, &Schema::dynamic(), now);
            let _ = Schema::from_json(&json);
        });
}
