//! The Query DSL: what is read, what is refused, and where; and what is written.

use event::Event;
use jiff::Timestamp;
use predicate::{Decimal, Field, Matcher, Part, Pattern, Predicate, Regex, Test};
use query::{Effect, Reason, Schema, dsl, lucene, read};
use serde_json::{Value, json};
use std::sync::Arc;

fn now() -> Timestamp {
    "2024-05-06T07:08:09Z".parse().unwrap()
}

fn finds(query: &Value, schema: &Schema, event: &Value) -> bool {
    let found = read(query, schema, now()).unwrap_or_else(|error| panic!("{query}: {error}"));
    found.matches(&Event::parse(event.to_string().as_bytes()).unwrap())
}

fn check(schema: &Schema, table: &[(Value, &[Value], &[Value])]) {
    for (query, found, others) in table {
        for (values, expected) in [(found, true), (others, false)] {
            for value in *values {
                assert_eq!(
                    finds(query, schema, &json!({"f": value})),
                    expected,
                    "{query} on {value}"
                );
            }
        }
    }
}

#[test]
fn on_keywords_values_are_whole() {
    let ci = |query: &str, value: &str| json!({query: {"f": {"value": value, "case_insensitive": true}}});
    check(
        &Schema::keywords(),
        &[
            (
                json!({"term": {"f": "aB"}}),
                &[json!("aB"), json!(["x", "aB"])],
                &[json!("ab"), json!("aB c")],
            ),
            (
                json!({"term": {"f": {"value": 5, "boost": 2}}}),
                &[json!(5), json!("5")],
                &[json!(5.0)],
            ),
            (
                json!({"term": {"f": true}}),
                &[json!(true), json!("true")],
                &[json!("True")],
            ),
            (ci("term", "aBé"), &[json!("Abé")], &[json!("abÉ")]),
            (ci("term", "k"), &[json!("K")], &[json!("\u{212a}")]),
            (
                json!({"terms": {"f": ["a", 5], "boost": 1}}),
                &[json!("a"), json!(5)],
                &[json!("b")],
            ),
            (json!({"terms": {"f": []}}), &[], &[json!("a")]),
            (
                json!({"match": {"f": "a b"}}),
                &[json!("a b")],
                &[json!("a")],
            ),
            (
                json!({"match_phrase": {"f": "a b"}}),
                &[json!("a b")],
                &[json!("x a b")],
            ),
            (
                json!({"wildcard": {"f": "*\\\\mshta.exe"}}),
                &[json!("C:\\mshta.exe")],
                &[json!("mshta.exe"), json!("C:\\MSHTA.exe")],
            ),
            (
                json!({"wildcard": {"f": "*\\mshta.exe"}}),
                &[json!("notmshta.exe")],
                &[],
            ),
            (
                json!({"wildcard": {"f": {"wildcard": "a?c"}}}),
                &[json!("abc")],
                &[json!("ac")],
            ),
            (
                ci("wildcard", "A*"),
                &[json!("abc"), json!("Abc")],
                &[json!("ba")],
            ),
            (json!({"wildcard": {"f": ""}}), &[], &[json!("")]),
            (
                json!({"wildcard": {"f": "*"}}),
                &[json!("")],
                &[json!("x".repeat(1025)), json!(null), json!({"a": 1})],
            ),
            (
                json!({"prefix": {"f": "a*"}}),
                &[json!("a*b")],
                &[json!("ab")],
            ),
            (ci("prefix", "AB"), &[json!("abc")], &[json!("b")]),
            (
                json!({"regexp": {"f": "a.+"}}),
                &[json!("ab\n")],
                &[json!("a"), json!("xab")],
            ),
            (ci("regexp", "Ab."), &[json!("aBc")], &[json!("ab")]),
            (
                json!({"regexp": {"f": {"value": "a@", "flags": "NONE"}}}),
                &[json!("a@")],
                &[json!("ab")],
            ),
            (
                json!({"range": {"f": {"gt": "b", "lte": "d"}}}),
                &[json!("c"), json!("d")],
                &[json!("b"), json!("e")],
            ),
            (
                json!({"range": {"f": {"gte": "b", "lt": null}}}),
                &[json!("c")],
                &[json!("a")],
            ),
            (
                json!({"exists": {"field": "f"}}),
                &[json!(""), json!(0), json!({"x": [1]})],
                &[json!(null), json!([]), json!({}), json!("x".repeat(1025))],
            ),
            (
                json!({"query_string": {"query": "a OR f:b", "default_field": "f"}}),
                &[json!("a"), json!("b")],
                &[json!("c")],
            ),
            (
                json!({"query_string": {"query": "a b", "fields": ["f^2"], "default_operator": "AND"}}),
                &[json!("a b")],
                &[json!("a")],
            ),
            (json!({"match_all": {}}), &[json!(null)], &[]),
            (json!({"match_none": {}}), &[], &[json!("a")]),
            (
                json!({"constant_score": {"filter": {"term": {"f": "a"}}, "boost": 1.2}}),
                &[json!("a")],
                &[json!("b")],
            ),
            (
                json!({"dis_max": {"queries": [{"term": {"f": "a"}}, {"term": {"f": "b"}}]}}),
                &[json!("a"), json!("b")],
                &[json!("c")],
            ),
            (
                json!({"query": {"term": {"f": "a"}}}),
                &[json!("a")],
                &[json!("b")],
            ),
            (
                json!({"multi_match": {"query": "a b", "fields": [], "type": "phrase"}}),
                &[json!("a b")],
                &[json!("a b c")],
            ),
        ],
    );
}

#[test]
fn on_texts_terms_are_words() {
    check(
        &Schema::dynamic(),
        &[
            (
                json!({"term": {"f": "fox"}}),
                &[json!("The Fox")],
                &[json!("foxes")],
            ),
            (json!({"term": {"f": "Fox"}}), &[], &[json!("The Fox")]),
            (
                json!({"term": {"f.keyword": "The Fox"}}),
                &[json!("The Fox")],
                &[json!("the fox")],
            ),
            (
                json!({"match": {"f": "quick Fox"}}),
                &[json!("fox"), json!("QUICK")],
                &[json!("dog")],
            ),
            (
                json!({"match": {"f": {"query": "quick fox", "operator": "and"}}}),
                &[json!("fox quick"), json!(["fox", "quick"])],
                &[json!("fox")],
            ),
            (json!({"match": {"f": "--"}}), &[], &[json!("--")]),
            (
                json!({"match": {"f": {"query": "--", "zero_terms_query": "all"}}}),
                &[json!("x")],
                &[],
            ),
            (
                json!({"match_phrase": {"f": "quick fox"}}),
                &[json!("a Quick-Fox!")],
                &[json!("fox quick"), json!(["quick", "fox"])],
            ),
            (
                json!({"match_phrase": {"f": {"query": "fox", "slop": 0}}}),
                &[json!("a fox")],
                &[json!("a")],
            ),
            (json!({"wildcard": {"f": "fox*"}}), &[json!("The Fox")], &[]),
            (json!({"wildcard": {"f": "Fox*"}}), &[], &[json!("The Fox")]),
            (
                json!({"wildcard": {"f": "the*fox"}}),
                &[],
                &[json!("the fox")],
            ),
            (json!({"regexp": {"f": "f.x"}}), &[json!("The Fox")], &[]),
            (
                json!({"exists": {"field": "f"}}),
                &[json!("x".repeat(300)), json!("")],
                &[json!(null)],
            ),
            (
                json!({"exists": {"field": "f.keyword"}}),
                &[json!("")],
                &[json!("x".repeat(300))],
            ),
            (
                json!({"multi_match": {"query": "a b", "fields": [], "type": "phrase"}}),
                &[json!("x A, b")],
                &[json!("b a")],
            ),
            (
                json!({"multi_match": {"query": "a b", "fields": ["f", "g^3"]}}),
                &[json!("b")],
                &[json!("c")],
            ),
        ],
    );
}

#[test]
fn bool_counts_its_clauses() {
    let is = |name: &str| json!({"term": {name: "1"}});
    let (a, b, c) = (is("a"), is("b"), is("c"));
    for (body, found, others) in [
        (json!({}), &["", "a"][..], &[][..]),
        (json!({"should": []}), &["", "a"], &[]),
        (
            json!({"should": [], "minimum_should_match": 1}),
            &["", "a"],
            &[],
        ),
        (
            json!({"must_not": [a], "minimum_should_match": 3}),
            &["", "b"],
            &["a"],
        ),
        (json!({"must": [a], "minimum_should_match": 1}), &[], &["a"]),
        (json!({"must": a, "filter": [b]}), &["ab"], &["a", "b"]),
        (json!({"should": [a, b]}), &["a", "b"], &["", "c"]),
        (json!({"must_not": a}), &["", "b"], &["a"]),
        (json!({"should": [a], "must_not": [b]}), &["a"], &["", "ab"]),
        // What may match only weighs, beside what must.
        (json!({"must": [c], "should": [a, b]}), &["c", "ac"], &["a"]),
        (
            json!({"must": [c], "should": [a, b], "minimum_should_match": 1}),
            &["ac", "bc"],
            &["c", "ab"],
        ),
        (
            json!({"should": [a, b, c], "minimum_should_match": 2}),
            &["ab", "bc", "abc"],
            &["a", "c"],
        ),
        (
            json!({"should": [a, b, c], "minimum_should_match": "-1"}),
            &["ab", "bc"],
            &["a"],
        ),
        (
            json!({"should": [a, b], "minimum_should_match": 3}),
            &[],
            &["ab"],
        ),
        (
            json!({"should": [a, b], "minimum_should_match": 0}),
            &["a"],
            &[""],
        ),
    ] {
        for (events, expected) in [(found, true), (others, false)] {
            for event in events {
                let event: serde_json::Map<String, Value> = event
                    .chars()
                    .map(|name| (name.to_string(), json!("1")))
                    .collect();
                let query = json!({"bool": body});
                assert_eq!(
                    finds(&query, &Schema::keywords(), &event.into()),
                    expected,
                    "{query}"
                );
            }
        }
    }
}

#[test]
fn dates_are_relative_to_now() {
    let schema = Schema::keywords();
    for (range, date, expected) in [
        (
            json!({"gte": "now-1d"}),
            json!("2024-05-05T07:08:09Z"),
            true,
        ),
        (
            json!({"gt": "now-1d"}),
            json!("2024-05-05T07:08:09Z"),
            false,
        ),
        (
            json!({"gte": "now-1d/d", "lt": "now/d"}),
            json!("2024-05-05T00:00:00Z"),
            true,
        ),
        (
            json!({"lte": "2024-05-05"}),
            json!("2024-05-05T23:59:59.999Z"),
            true,
        ),
        (
            json!({"lt": "2024-05-05"}),
            json!("2024-05-05T00:00:00Z"),
            false,
        ),
        (
            json!({"gte": "2024-05-05", "format": "strict_date_optional_time", "time_zone": "UTC"}),
            json!(1_714_979_289_123i64),
            true,
        ),
        (
            json!({"gte": 1_714_979_289_123i64}),
            json!("2024-05-06T07:08:09.123Z"),
            true,
        ),
    ] {
        let query = json!({"range": {"@timestamp": range}});
        assert_eq!(
            finds(&query, &schema, &json!({"@timestamp": date})),
            expected,
            "{query} on {date}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    for (query, message) in [
        (json!([]), "$: expected an object, found []"),
        (
            json!({}),
            "$: the query is empty, so that it would find nothing",
        ),
        (
            json!({"term": {"f": 1}, "match_all": {}}),
            "$: expected an object with one query",
        ),
        (
            json!({"fuzzy": {"f": "a"}}),
            "$.fuzzy: the query `fuzzy` is not supported",
        ),
        (
            json!({"bool": {"must": [{"match_all": {}}, {"nested": {}}]}}),
            "$.bool.must[1].nested: the query `nested` is not supported",
        ),
        (
            json!({"bool": {"musst": []}}),
            "$.bool.musst: the parameter `musst` is not supported",
        ),
        (
            json!({"bool": {"should": [], "minimum_should_match": "75%"}}),
            "$.bool.minimum_should_match: the parameter `minimum_should_match` is not supported",
        ),
        (
            json!({"match": {"f": {"query": "a", "fuzziness": "AUTO"}}}),
            "$.match.f.fuzziness: the parameter `fuzziness` is not supported",
        ),
        (
            json!({"match_phrase": {"f": {"query": "a", "slop": 2}}}),
            "$.match_phrase.f.slop: the parameter `slop` is not supported",
        ),
        (
            json!({"multi_match": {"query": "a", "type": "cross_fields"}}),
            "$.multi_match.type: the parameter `type` is not supported",
        ),
        (
            json!({"term": {"f": null}}),
            "$.term.f.value: expected a string, number or boolean, found null",
        ),
        (
            json!({"term": {"f": {}}}),
            "$.term.f: expected the parameter that it needs, found no `value`",
        ),
        (
            json!({"term": {}}),
            "$.term: expected an object with one field, found {}",
        ),
        (
            json!({"terms": {"f": {"index": "i"}}}),
            "$.terms.f: expected a list of values",
        ),
        (
            json!({"range": {"f": {"gt": 1, "gte": 2}}}),
            "$.range.f.gt: the parameter `gt` is not supported",
        ),
        (
            json!({"range": {"@timestamp": {"gte": "yesterday"}}}),
            "$.range.@timestamp: `yesterday` is no date, which `@timestamp` is",
        ),
        (
            json!({"range": {"@timestamp": {"gte": "now", "time_zone": "+02:00"}}}),
            "$.range.@timestamp.time_zone: the parameter `time_zone` is not supported",
        ),
        (
            json!({"range": {"@timestamp": {"gte": "01/02/2024", "format": "dd/MM/yyyy"}}}),
            "$.range.@timestamp.format: the parameter `format` is not supported",
        ),
        (
            json!({"regexp": {"f": {"value": "a", "flags": "SOME"}}}),
            "$.regexp.f.flags: the parameter `flags` is not supported",
        ),
        (
            json!({"regexp": {"f": "a&b"}}),
            "$.regexp.f: in the regular expression, at character 2: the operator `&` cannot be translated",
        ),
        (
            json!({"wildcard": {"@timestamp": "2024*"}}),
            "$.wildcard.@timestamp: `@timestamp` is a date: a wildcard cannot be asked of it",
        ),
        (
            json!({"wildcard": {"f": {"value": "\\k", "case_insensitive": true}}}),
            "$.wildcard.f: a backslash before a letter, which makes its case count is not supported",
        ),
        (
            json!({"exists": {"field": "pre*"}}),
            "$.exists: `pre*` stands for several fields",
        ),
        (
            json!({"query_string": {"query": "f:(a"}}),
            "$.query_string.query, column 5: expected a `)` that closes the group",
        ),
        (
            json!({"query_string": {"query": "a", "analyze_wildcard": true}}),
            "$.query_string.analyze_wildcard: the parameter",
        ),
    ] {
        let error = read(&query, &Schema::keywords(), now())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(message), "{query}: {error}");
    }
    let mut deep = json!({"match_all": {}});
    for _ in 0..200 {
        deep = json!({"bool": {"must": deep}});
    }
    assert!(
        read(&deep, &Schema::keywords(), now())
            .unwrap_err()
            .to_string()
            .ends_with("nested more than 100 levels deep")
    );
}

fn value(field: &str, matcher: Matcher) -> Predicate {
    Predicate::Test(Test::Value(Field::path(field), matcher))
}

fn glob(text: &str, cased: bool) -> Matcher {
    let parts = text.chars().map(|c| match c {
        '*' => Part::Star,
        '?' => Part::One,
        c => Part::Text(c.to_string()),
    });
    Matcher::Pattern(Arc::new(Pattern::new(parts, cased)))
}

#[test]
fn what_is_written_is_what_people_write() {
    let regex = |pattern: &str| Matcher::Regex(Arc::new(Regex::new(pattern).unwrap()));
    let not = |predicate| Predicate::Not(Box::new(predicate));
    for (predicate, in_json, in_lucene) in [
        (
            value("f", Matcher::text("Cmd.exe")),
            json!({"term": {"f": {"value": "cmd.exe", "case_insensitive": true}}}),
            r"f:/[cC][mM][dD]\.[eE][xX][eE]/",
        ),
        (
            value("f", Matcher::text("4 >5")),
            json!({"term": {"f": {"value": "4 >5"}}}),
            r#"f:"4 >5""#,
        ),
        (
            value("f", Matcher::Number(Decimal::parse("4688").unwrap())),
            json!({"term": {"f": {"value": "4688"}}}),
            "f:4688",
        ),
        (
            value("f", glob(r"*\a?", true)),
            json!({"wildcard": {"f": {"value": r"*\\a?"}}}),
            r"f:*\\a?",
        ),
        (
            value("f", glob(r"*/\", false)),
            json!({"wildcard": {"f": {"value": r"*/\\"}}}),
            r"f:*\/\\",
        ),
        (
            value("f", glob(r"*a\", false)),
            json!({"wildcard": {"f": {"value": r"*a\\", "case_insensitive": true}}}),
            r"f:/.*[aA][\\]/",
        ),
        (
            value("f", regex(r"APT\d$")),
            json!({"regexp": {"f": {"value": r".*APT[^ -\/\:-\~]"}}}),
            r"f:/.*APT[^ -\/\:-\~]/",
        ),
        (
            Predicate::Test(Test::Null(Field::path("f"))),
            json!({"bool": {"must_not": [{"exists": {"field": "f"}}]}}),
            "(*:* AND NOT _exists_:f)",
        ),
        (
            Predicate::Test(Test::Present(Field::path("f"))),
            json!({"exists": {"field": "f"}}),
            "_exists_:f",
        ),
        (
            Predicate::All(vec![
                Predicate::Any(vec![
                    value("a", Matcher::text("1")),
                    value("b b", Matcher::text("2")),
                ]),
                not(value("c-d", Matcher::text("3"))),
            ]),
            json!({"bool": {
                "filter": [{"bool": {"should": [{"term": {"a": {"value": "1"}}}, {"term": {"bb": {"value": "2"}}}], "minimum_should_match": 1}}],
                "must_not": [{"term": {"c-d": {"value": "3"}}}],
            }}),
            r"((a:1 OR bb:2) AND NOT c\-d:3)",
        ),
        (
            Predicate::Test(Test::Keyword(glob("*mimi kz*", false))),
            json!({"query_string": {"query": "/.*[mM][iI][mM][iI] [kK\u{212a}][zZ].*/", "fields": ["*"], "lenient": true}}),
            "*:/.*[mM][iI][mM][iI] [kK\u{212a}][zZ].*/",
        ),
        (
            value("ip", Matcher::Cidr("10.1.2.0/23".parse().unwrap())),
            json!({"regexp": {"ip": {"value": r"(10\.1\.(2|3)\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\%.*)?|[0\:]+[fF]{4}\:.*)"}}}),
            r"ip:/(10\.1\.(2|3)\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\%.*)?|[0\:]+[fF]{4}\:.*)/",
        ),
        (Predicate::All(vec![]), json!({"match_all": {}}), "*:*"),
        (
            Predicate::Any(vec![]),
            json!({"match_none": {}}),
            "(*:* AND NOT *:*)",
        ),
    ] {
        assert_eq!(dsl(&predicate, &Schema::keywords()).query, in_json);
        assert_eq!(lucene(&predicate, &Schema::keywords()).query, in_lucene);
    }
}

#[test]
fn fields_are_asked_by_the_name_that_has_what_is_asked() {
    let schema = Schema::from_json(&json!({"properties": {
        "t": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 256}}},
        "k": {"type": "keyword", "fields": {"text": {"type": "text"}}},
        "w": {"type": "wildcard"},
        "m": {"type": "match_only_text"},
        "n": {"type": "long"},
        "ip": {"type": "ip"},
    }}))
    .unwrap();
    let number = || Matcher::Number(Decimal::parse("5").unwrap());
    for (predicate, in_json, in_lucene) in [
        (
            value("t", glob("1*", false)),
            json!({"wildcard": {"t.raw": {"value": "1*"}}}),
            "t.raw:1*",
        ),
        (
            value("k", glob("1*", false)),
            json!({"wildcard": {"k": {"value": "1*"}}}),
            "k:1*",
        ),
        // Some servers do not find parts of such a field by a query string.
        (
            value("w", glob("1*", false)),
            json!({"wildcard": {"w": {"value": "1*"}}}),
            "_exists_:w",
        ),
        (
            value("m", glob("*1 23-*", false)),
            json!({"bool": {"filter": [{"regexp": {"m": {"value": ".*1.*"}}}, {"regexp": {"m": {"value": ".*23.*"}}}]}}),
            "(m:/.*1.*/ AND m:/.*23.*/)",
        ),
        (
            value("n", number()),
            json!({"term": {"n": {"value": "5"}}}),
            "n:5",
        ),
        (
            value("ip", Matcher::Cidr("10.0.0.0/8".parse().unwrap())),
            json!({"term": {"ip": {"value": "10.0.0.0/8"}}}),
            "ip:\"10.0.0.0/8\"",
        ),
    ] {
        assert_eq!(dsl(&predicate, &schema).query, in_json);
        assert_eq!(lucene(&predicate, &schema).query, in_lucene);
    }
}

#[test]
fn differences_are_noted_once_for_each_reason() {
    let predicate = Predicate::All(vec![
        value("a", glob("*1*", false)),
        value("b", glob("*2*", false)),
        Predicate::Not(Box::new(value("c", glob("*3", false)))),
    ]);
    let notes = dsl(&predicate, &Schema::keywords()).notes;
    let shown: Vec<String> = notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "may miss some, by a, b: values longer than the field's `ignore_above` are not in the index",
            "finds more, by c: values longer than the field's `ignore_above` are not in the index",
        ]
    );
    // Under a `not`, what cannot be asked exactly is not asked.
    let regex = Matcher::Regex(Arc::new(Regex::new(r"\bab").unwrap()));
    let written = dsl(
        &Predicate::Not(Box::new(value("a", regex))),
        &Schema::keywords(),
    );
    assert_eq!(written.query, json!({"match_all": {}}));
    assert_eq!(
        (written.notes[0].reason, written.notes[0].effect),
        (Reason::Regex, Effect::FindsMore)
    );
}
