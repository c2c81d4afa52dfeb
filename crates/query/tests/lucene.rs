//! Lucene's language: what is read, what is refused, and where.

use event::Event;
use query::{LuceneOptions, Operator, Schema, read_lucene};
use serde_json::{Value, json};

fn options() -> LuceneOptions {
    LuceneOptions::new("2024-05-06T07:08:09Z".parse().unwrap())
}

fn finds(query: &str, schema: &Schema, event: &Value) -> bool {
    let found = read_lucene(query, schema, &options());
    let found = found.unwrap_or_else(|error| panic!("{query}: {error}"));
    found.matches(&Event::parse(event.to_string().as_bytes()).unwrap())
}

/// For each query the values of `f` that it finds, and those that it does not.
fn check(schema: &Schema, table: &[(&str, &[Value], &[Value])]) {
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
fn on_keywords_values_are_whole_and_exact() {
    check(
        &Schema::keywords(),
        &[
            (
                "f:abc",
                &[json!("abc"), json!(["x", "abc"])],
                &[json!("ABC"), json!("abc d"), json!(null)],
            ),
            ("f:4688", &[json!(4688), json!("4688")], &[json!(4688.0)]),
            (r"f:a\ b", &[json!("a b")], &[json!("a"), json!(["a", "b"])]),
            ("f:\"a b\"", &[json!("a b")], &[json!("a  b")]),
            (r#"f:"a\"\\\u0041""#, &[json!("a\"\\A")], &[]),
            ("f:\"\"", &[json!("")], &[json!("a"), json!(null)]),
            (r"f:a\:b\-\(c\)\/", &[json!("a:b-(c)/")], &[]),
            ("f:a-b+c", &[json!("a-b+c")], &[]),
            (
                "f:a*b?",
                &[json!("abc"), json!("axxbb"), json!("a\nb\n")],
                &[json!("ab"), json!("Abc")],
            ),
            (
                r"f:*\\mshta.exe",
                &[json!(r"C:\mshta.exe")],
                &[json!("xmshta.exe")],
            ),
            (r"f:a\*b*", &[json!("a*bc")], &[json!("axb")]),
            (r"f:a\\*", &[json!(r"a\b")], &[json!("a*")]),
            ("f:ab*", &[json!("ab"), json!("abc")], &[json!("xab")]),
            (
                "f:*",
                &[json!(""), json!(0), json!({"x": 1})],
                &[json!(null), json!([]), json!({}), json!("x".repeat(1025))],
            ),
            ("_exists_:f", &[json!("x")], &[json!(null), json!([null])]),
            (
                "f:/[a-c]+\\/.*/",
                &[json!("ab/\n")],
                &[json!("xab/"), json!("ab")],
            ),
            (r"f:/.*[\\]/", &[json!("a\\")], &[json!("a")]),
            // Each word alone is one clause, and words beside each other are one text.
            ("f:(a b)", &[json!("a b")], &[json!("a"), json!("b")]),
            ("f:(a AND b)", &[json!(["a", "b"])], &[json!("a")]),
            (
                "f:(a OR \"b c\")",
                &[json!("a"), json!("b c")],
                &[json!("b")],
            ),
            (
                "f:[b TO d}",
                &[json!("b"), json!("c")],
                &[json!("a"), json!("d"), json!("B")],
            ),
            ("f:{b TO *]", &[json!("c")], &[json!("b")]),
            ("f:[\"b c\" TO \"b d\"]", &[json!("b cc")], &[json!("b b")]),
            ("f:>=b", &[json!("b")], &[json!("a")]),
            ("f:<b", &[json!("a")], &[json!("b")]),
            // The sign keeps its meaning behind a backslash, and loses it in quotes.
            (r"f:\>b", &[json!("c")], &[json!(">b")]),
            ("f:\">b\"", &[json!(">b")], &[json!("c")]),
            ("*:*", &[json!(null)], &[]),
            ("f:abc^2.5", &[json!("abc")], &[json!("b")]),
            ("f:(abc)^2 OR f:b^3", &[json!("abc"), json!("b")], &[]),
            ("f.keyword:abc", &[], &[json!("abc")]),
        ],
    );
}

#[test]
fn on_texts_words_are_found() {
    check(
        &Schema::dynamic(),
        &[
            (
                "f:QUICK",
                &[json!("the quick fox"), json!("Quick")],
                &[json!("quicker")],
            ),
            (
                "f:(quick fox)",
                &[json!("a fox"), json!("quick")],
                &[json!("a")],
            ),
            (
                "f:\"quick fox\"",
                &[json!("the QUICK fox!")],
                &[json!("fox quick"), json!(["quick", "fox"])],
            ),
            ("f:QUI*", &[json!("the quick fox")], &[json!("the fox")]),
            ("f:Q?ick", &[json!("Quick!")], &[]),
            ("f:/qu.*/", &[json!("the quick fox")], &[json!("xqu")]),
            ("f:\"--\"", &[], &[json!("--")]),
            ("f:\"--\" AND f:a", &[json!("a")], &[json!("b")]),
            (
                "f.keyword:\"the fox\"",
                &[json!("the fox")],
                &[json!("the fox!")],
            ),
            (
                "f.keyword:*fox*",
                &[json!("the fox!")],
                &[json!("the FOX"), json!(format!("{} fox", "x".repeat(256)))],
            ),
            ("f.keyword:*", &[json!("")], &[json!("x".repeat(257))]),
            ("f:*", &[json!("x".repeat(257))], &[]),
        ],
    );
}

#[test]
fn clauses_must_may_and_must_not() {
    // For the clauses a, b and c of each query: which events, named by what they have, are found.
    for (query, found, others) in [
        ("a OR b", &["a", "b", "ab"][..], &["", "c"][..]),
        ("a || b", &["a", "b"], &[""]),
        ("a AND b", &["ab", "abc"], &["a", "b"]),
        ("a && b", &["ab"], &["a", "b"]),
        // `OR` does not make optional what `AND` has made required.
        ("a OR b AND c", &["bc", "abc"], &["a", "b", "c"]),
        ("a AND b OR c", &["ab", "abc"], &["c", "a"]),
        ("a AND (b OR c)", &["ab", "ac"], &["a", "bc"]),
        ("NOT a", &["", "b"], &["a"]),
        ("!a", &["b"], &["a"]),
        ("-a", &["b"], &["a"]),
        ("a AND NOT b", &["a"], &["ab", "b"]),
        ("NOT a AND b", &["b"], &["ab", ""]),
        // What may match must, if nothing else must.
        ("NOT a OR b", &["b", "bc"], &["", "ab", "c"]),
        ("(NOT a) OR b", &["b", "ab", ""], &["a"]),
        ("+a b", &["a", "ab"], &["b"]),
        ("+a -b", &["a", "ac"], &["ab", ""]),
        ("a -b", &["a"], &["ab", ""]),
        ("NOT (a OR b)", &["", "c"], &["a", "b"]),
        ("a OR (b AND NOT c)", &["a", "b", "ac"], &["bc", ""]),
        ("*:* AND NOT a", &["", "b"], &["a"]),
    ] {
        let mut query = query.to_owned();
        for name in ["a", "b", "c"] {
            query = query
                .split(' ')
                .map(|word| {
                    let core = word.trim_matches(|c: char| "()+-!".contains(c));
                    if core == name {
                        word.replacen(name, &format!("{name}:1"), 1)
                    } else {
                        word.to_owned()
                    }
                })
                .collect::<Vec<_>>()
                .join(" ");
        }
        for (events, expected) in [(found, true), (others, false)] {
            for event in events {
                let event: serde_json::Map<String, Value> = event
                    .chars()
                    .map(|name| (name.to_string(), json!("1")))
                    .collect();
                let event = Value::Object(event);
                assert_eq!(
                    finds(&query, &Schema::keywords(), &event),
                    expected,
                    "{query} on {event}"
                );
            }
        }
    }
}

#[test]
fn the_default_operator_may_be_and() {
    let all = LuceneOptions {
        operator: Operator::And,
        ..options()
    };
    for (query, event, expected) in [
        ("a:1 b:1", json!({"a": 1, "b": 1}), true),
        ("a:1 b:1", json!({"a": 1}), false),
        ("a:1 OR b:1", json!({"a": 1}), true),
        ("a:1 OR b:1 c:1", json!({"b": 1, "c": 1}), true),
        ("a:1 -b:1", json!({"a": 1, "b": 1}), false),
    ] {
        let found = read_lucene(query, &Schema::keywords(), &all).unwrap();
        let event = event.to_string();
        assert_eq!(
            found.matches(&Event::parse(event.as_bytes()).unwrap()),
            expected,
            "{query} on {event}"
        );
    }
    let words = read_lucene("f:(quick fox)", &Schema::dynamic(), &all).unwrap();
    assert!(!words.matches(&Event::parse(br#"{"f": "quick"}"#).unwrap()));
    assert!(words.matches(&Event::parse(br#"{"f": "fox, quick!"}"#).unwrap()));
}

#[test]
fn without_a_field_all_strings_are_asked() {
    let event = json!({"a": "x y", "n": {"m": ["The Fox"]}, "sigma": "hidden"});
    for (query, keywords, texts) in [
        ("fox", false, true),
        ("\"The Fox\"", true, true),
        ("*Fox", true, true),
        ("*:*Fox", true, true),
        ("hidden", false, false),
        (r"\*.keyword:*Fox", false, true),
        ("*", true, true),
        ("/.*F.*/", true, true),
        ("NOT fox", true, false),
    ] {
        if query != r"\*.keyword:*Fox" {
            assert_eq!(
                finds(query, &Schema::keywords(), &event),
                keywords,
                "{query}"
            );
        }
        assert_eq!(finds(query, &Schema::dynamic(), &event), texts, "{query}");
    }
    let named = LuceneOptions {
        fields: vec!["a".to_owned(), "b".to_owned()],
        ..options()
    };
    let found = read_lucene("\"x y\" AND NOT \"The Fox\"", &Schema::keywords(), &named).unwrap();
    assert!(found.matches(&Event::parse(event.to_string().as_bytes()).unwrap()));
}

#[test]
fn typed_fields_take_their_values() {
    let schema = Schema::from_json(&json!({"dynamic": false, "properties": {
        "f": {"type": "long"}, "d": {"type": "date"}, "b": {"type": "boolean"}, "i": {"type": "ip"}, "k": {"type": "keyword", "normalizer": "lowercase"},
        "t": {"type": "text"},
    }})).unwrap();
    for (query, event, expected) in [
        ("f:5", json!({"f": 5.0}), true),
        ("f:[1 TO 5}", json!({"f": "4"}), true),
        ("f:[1 TO 5}", json!({"f": 5}), false),
        ("f:>=5", json!({"f": [1, 6]}), true),
        ("f:(>1 AND <3)", json!({"f": [0, 5]}), true),
        (
            "d:[2024-05-01 TO 2024-05-06]",
            json!({"d": "2024-05-06T23:59:59.999Z"}),
            true,
        ),
        (
            "d:[2024-05-01 TO 2024-05-06}",
            json!({"d": "2024-05-06T00:00:00Z"}),
            false,
        ),
        (
            r"d:[now-1d/d TO now]",
            json!({"d": 1_714_950_000_000i64}),
            true,
        ),
        ("d:>now-1h", json!({"d": "2024-05-06T07:00:00Z"}), true),
        ("d:>2024-05-06", json!({"d": "2024-05-06T07:00:00Z"}), false),
        ("d:2024-05-06", json!({"d": "2024-05-06T07:00:00Z"}), true),
        ("b:true", json!({"b": true}), true),
        ("b:true", json!({"b": "false"}), false),
        (r#"i:"10.0.0.0/8""#, json!({"i": "10.1.2.3"}), true),
        (r"i:10.0.0.0\/8", json!({"i": "11.1.2.3"}), false),
        ("k:ABC*", json!({"k": "abcd"}), true),
        ("k:/A.*/", json!({"k": "ABC"}), true),
        ("t:fox", json!({"t": "the Fox"}), true),
        // A field that is not mapped has nothing in the index.
        ("unknown:x", json!({"unknown": "x"}), false),
        ("_exists_:unknown", json!({"unknown": "x"}), false),
    ] {
        assert_eq!(
            finds(query, &schema, &event),
            expected,
            "{query} on {event}"
        );
    }
    for (query, message) in [
        ("f:abc", "column 3: `abc` is no number, which `f` is"),
        (
            "f:a*",
            "column 3: `f` is a number: a prefix cannot be asked of it",
        ),
        ("d:[x TO *]", "column 3: `x` is no date, which `d` is"),
        ("b:1", "column 3: `1` is no boolean, which `b` is"),
        (
            "i:[1 TO 2]",
            "column 3: `i` is an address: a range cannot be asked of it",
        ),
        (
            "i:x",
            "column 3: `x` is no address or network, which `i` is",
        ),
    ] {
        assert_eq!(
            read_lucene(query, &schema, &options())
                .unwrap_err()
                .to_string(),
            message,
            "{query}"
        );
    }
    let lenient = LuceneOptions {
        lenient: true,
        ..options()
    };
    assert!(read_lucene("f:abc OR t:fox", &schema, &lenient).is_ok());
}

#[test]
fn what_cannot_be_read_is_named() {
    for (query, message) in [
        (
            "",
            "column 1: the query is empty, so that it would find nothing",
        ),
        (
            "  ",
            "column 1: the query is empty, so that it would find nothing",
        ),
        (
            "f:roam~",
            "column 7: `~` (fuzzy terms and proximity) is not supported",
        ),
        (
            "f:\"a b\"~5",
            "column 8: `~` (fuzzy terms and proximity) is not supported",
        ),
        (
            "f:(a",
            "column 5: expected a `)` that closes the group, found the end",
        ),
        (
            "f:a)",
            "column 4: expected the end, or another clause, found `)`",
        ),
        (
            "()",
            "column 2: expected a word, a phrase, a range or a group, found `)`",
        ),
        (
            "f:",
            "column 3: expected a word, a phrase, a range or a group, found the end",
        ),
        (
            "a AND",
            "column 6: expected a word, a phrase, a range or a group, found the end",
        ),
        (
            "AND a",
            "column 1: expected a word, a phrase, a range or a group, found `AND`",
        ),
        (
            "a AND OR b",
            "column 7: expected a word, a phrase, a range or a group, found `OR`",
        ),
        (
            "f:\"abc",
            "column 3: expected a `\"` that closes this one, found the end",
        ),
        (
            "f:/abc",
            "column 3: expected a `/` that closes this one, found the end",
        ),
        (
            "f:[a TO b",
            "column 10: expected a `]` or `}` that closes the range, found the end",
        ),
        (
            "f:[a TO]",
            "column 8: expected an end of the range, found `]`",
        ),
        ("f:a^x", "column 5: expected a number after `^`, found `x`"),
        (
            "f:a\\",
            "column 4: expected a character after the `\\`, found the end",
        ),
        (
            r"f:\u00g0",
            "column 3: expected four hexadecimal digits after `\\u`, found `00g0`",
        ),
        (
            "f:b OR f:/a~b/",
            "column 10: in the regular expression, at character 2: the operator `~` cannot be translated",
        ),
        (
            "win*:a",
            "column 5: expected a word, a phrase, a range or a group, found `:`",
        ),
        (r"win\*:a", "column 7: `win*` stands for several fields"),
        (r"_exists_:\*", "column 10: `*` stands for several fields"),
        (
            "_id:a",
            "column 5: `_id` is a field of the server's own: its value cannot be asked of it",
        ),
    ] {
        let error = read_lucene(query, &Schema::keywords(), &options())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(message), "{query}: {error}");
    }
    let deep = "(".repeat(100_000);
    let error = read_lucene(&deep, &Schema::keywords(), &options()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column 102: nested more than 100 levels deep"
    );
}
