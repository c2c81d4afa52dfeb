//! The promise of the writers, held by the readers: what is written, read again in the same schema, finds at least the events
//! that the predicate selects, and where there is no note exactly those.

use event::{Event, FieldPath};
use ipnet::IpNet;
use jiff::Timestamp;
use predicate::{
    Analysis, Comparison, DateRange, Decimal, Derived, Field, Indexed, Matcher, Part, Pattern,
    Predicate, Regex, Relation, Source, TermTest, Test, TimePart, lower, words,
};
use proptest::prelude::*;
use query::{Effect, LuceneOptions, Note, Reason, Schema, dsl, lucene, read, read_lucene};
use serde_json::{Value, json};
use std::ops::Bound;
use std::sync::{Arc, LazyLock};

static JOINED: Derived = Derived {
    name: "joined",
    from: &["a", "b.c"],
    build: join,
};

fn join(from: &[Vec<String>]) -> Vec<String> {
    let firsts: Vec<&str> = from
        .iter()
        .filter_map(|texts| Some(texts.first()?.as_str()))
        .collect();
    if firsts.is_empty() {
        Vec::new()
    } else {
        vec![firsts.join("\\")]
    }
}

/// A field of each type; and beside them whatever comes, as keywords.
static TYPED: LazyLock<Schema> = LazyLock::new(|| {
    let json = json!({
        "dynamic_templates": [{"all": {"mapping": {"type": "keyword"}}}],
        "properties": {
            "low": {"type": "keyword", "normalizer": "lowercase"},
            "text": {"type": "text"},
            "wild": {"type": "wildcard", "ignore_above": 20},
            "number": {"type": "long"},
            "flag": {"type": "boolean"},
            "ip": {"type": "ip"},
            "when": {"type": "date"},
        }
    });
    Schema::from_json(&json).unwrap()
});

const PATHS: [&str; 13] = [
    "a",
    "b",
    "b.c",
    "b.*",
    "@timestamp",
    "low",
    "text",
    "wild",
    "number",
    "flag",
    "ip",
    "when",
    "AND",
];

/// What texts are made of: cases, folding to ASCII and beyond, all that some language gives a meaning, numbers, words.
const TEXTS: [&str; 42] = [
    "a", "A", "ab", "aB", "b", "k", "K", "\u{212a}", "ſ", "s", "S", "é", "É", "ß", "İ", "i", "",
    " ", "\\", "\\\\", "*", "?", "\"", "/", "AND", "OR", "&&", "<", ">", "-", "+", "!", "(", ":",
    "1", "1.0", "01", "-5", "true", "10.0.0.1", "\n", "😀",
];

fn text() -> impl Strategy<Value = String> {
    let piece = || prop::sample::select(TEXTS.as_slice());
    prop_oneof![
        4 => piece().prop_map(str::to_owned),
        4 => prop::collection::vec(piece(), 0..5).prop_map(|parts| parts.concat()),
        1 => (piece(), 100usize..700).prop_map(|(text, n)| text.repeat(n)),
        1 => prop::sample::select(vec!["::ffff:10.0.0.1", "::FFFF:a00:1", "fe80::1%x", "10.255.0.1", "2024-05-06T07:08:09Z", "2024-05-06", "1714979289123"]).prop_map(str::to_owned),
    ]
}

fn field() -> impl Strategy<Value = Field> {
    let path = |path| Source::Path(FieldPath::new(path));
    let source = prop_oneof![
        12 => prop::sample::select(PATHS.as_slice()).prop_map(path),
        1 => Just(Source::Derived(&JOINED)),
    ];
    prop_oneof![
        4 => prop::sample::select(PATHS.as_slice()).prop_map(Field::path),
        1 => prop::collection::vec(source, 0..3).prop_map(Field::new),
    ]
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![
        4 => prop::sample::select(TEXTS.as_slice()).prop_map(|text| Part::Text(text.to_owned())),
        2 => Just(Part::Star),
        1 => Just(Part::One),
    ];
    prop_oneof![
        6 => prop::collection::vec(part, 0..5),
        1 => (text(), any::<bool>()).prop_map(|(text, open)| {
            let star = open.then_some(Part::Star);
            vec![Part::Text(text)].into_iter().chain(star).collect()
        }),
    ]
}

fn number() -> impl Strategy<Value = Decimal> {
    let numbers = [
        "0",
        "1",
        "1.5",
        "-5",
        "10",
        "9007199254740993",
        "1e30",
        "1e999",
    ];
    prop::sample::select(numbers.to_vec()).prop_map(|text| Decimal::parse(text).unwrap())
}

fn bound<T: std::fmt::Debug>(end: impl Strategy<Value = T>) -> impl Strategy<Value = Bound<T>> {
    (end, 0u8..3).prop_map(|(end, kind)| match kind {
        0 => Bound::Included(end),
        1 => Bound::Excluded(end),
        _ => Bound::Unbounded,
    })
}

/// What queries ask of terms.
fn indexed() -> impl Strategy<Value = Matcher> {
    let analysis = prop_oneof![
        Just(Analysis::Words),
        (
            prop::sample::select(vec![20, 256, 1024, usize::MAX]),
            any::<bool>()
        )
            .prop_map(|(ignore_above, lowercase)| Analysis::Whole {
                ignore_above,
                lowercase
            }),
    ];
    let test = prop_oneof![
        (parts(), any::<bool>()).prop_map(|(parts, caseless)| {
            let parts = parts.into_iter().map(|part| match part {
                Part::Text(text) if caseless => Part::Text(text.to_ascii_lowercase()),
                part => part,
            });
            let pattern = Arc::new(Pattern::new(parts, true));
            TermTest::Pattern { pattern, caseless }
        }),
        prop::sample::select(vec!["^(?:a.*)$", "^(?:[ab/]+)$"])
            .prop_map(|regex| TermTest::Regex(Arc::new(Regex::new(regex).unwrap()))),
        (bound(text()), bound(text()))
            .prop_map(|(from, to)| TermTest::Between(from.map(Into::into), to.map(Into::into))),
        text().prop_map(|text| TermTest::Phrase(words(&text).into())),
    ];
    (analysis, test).prop_map(|(analysis, test)| {
        // A query is lowered before the index of lowered terms is asked.
        let is_lowered = matches!(
            analysis,
            Analysis::Whole {
                lowercase: true,
                ..
            }
        );
        let low = |text: &str| {
            if is_lowered {
                lower(text)
            } else {
                text.to_owned()
            }
        };
        let test = match test {
            TermTest::Pattern { pattern, caseless } => {
                let parts = pattern.parts().iter().map(|part| match part {
                    Part::Text(text) => Part::Text(low(text)),
                    part => part.clone(),
                });
                TermTest::Pattern {
                    pattern: Arc::new(Pattern::new(parts, true)),
                    caseless,
                }
            }
            TermTest::Between(from, to) => TermTest::Between(
                from.map(|text| low(&text).into()),
                to.map(|text| low(&text).into()),
            ),
            test => test,
        };
        Matcher::Indexed(Arc::new(Indexed { analysis, test }))
    })
}

fn matcher() -> impl Strategy<Value = Matcher> {
    use Comparison::*;
    let regexes = [
        "a",
        "^a",
        "k$",
        "(?i)K",
        "a.*b",
        "[0-9]+",
        "^$",
        "é",
        r"\d\w",
        r"\\",
        "/",
        "a|^b",
        r"\bab\b",
        "(?i)é|ſ",
        r"^.\x22",
    ];
    let nets = [
        "10.0.0.0/8",
        "10.0.0.0/30",
        "10.240.0.0/12",
        "0.0.0.0/0",
        "::/0",
        "fe80::/10",
        "::ffff:0:0/96",
    ];
    let comparison =
        || prop::sample::select([Equal, Less, LessOrEqual, Greater, GreaterOrEqual].as_slice());
    prop_oneof![
        10 => (parts(), prop::bool::weighted(0.3)).prop_map(|(parts, cased)| Matcher::Pattern(Arc::new(Pattern::new(parts, cased)))),
        2 => number().prop_map(Matcher::Number),
        1 => any::<bool>().prop_map(Matcher::Bool),
        3 => prop::sample::select(regexes.to_vec()).prop_map(|regex| Matcher::Regex(Arc::new(Regex::new(regex).unwrap()))),
        2 => prop::sample::select(nets.to_vec()).prop_map(|net| Matcher::Cidr(net.parse::<IpNet>().unwrap())),
        2 => (comparison(), number()).prop_map(|(comparison, number)| Matcher::Compare(comparison, number)),
        1 => (comparison(), 0i64..24).prop_map(|(comparison, n)| Matcher::TimePart(TimePart::Hour, comparison, Decimal::parse(&n.to_string()).unwrap())),
        3 => indexed(),
        1 => (bound(number()), bound(number())).prop_map(|range| Matcher::Between(Arc::new(range))),
        1 => (0i64..1 << 42, 0i64..1 << 42).prop_map(|(from, length)| Matcher::Date(DateRange { from, to: from + length })),
        1 => Just(Matcher::Date(DateRange { from: i64::MIN, to: 1_714_979_289_000 })),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    use Relation::*;
    prop_oneof![
        16 => (field(), matcher()).prop_map(|(field, matcher)| Test::Value(field, matcher)),
        2 => field().prop_map(Test::Null),
        2 => field().prop_map(Test::Present),
        2 => (field(), prop::sample::select(vec![20, 256, 1024, usize::MAX])).prop_map(|(field, longest)| Test::Indexed(field, longest)),
        2 => matcher().prop_map(Test::Keyword),
        2 => parts().prop_map(|parts| Test::Keyword(Matcher::Pattern(Arc::new(Pattern::new(parts, false).anywhere())))),
        1 => (field(), prop::sample::select([Equals, StartsWith, EndsWith, Contains].as_slice()), field())
            .prop_map(|(left, relation, right)| Test::Refer(left, relation, right)),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    test()
        .prop_map(Predicate::Test)
        .prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::All),
                2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::Any),
                2 => inner.prop_map(|part| Predicate::Not(Box::new(part))),
            ]
        })
}

/// A value of a field, or several; of the type that the typed schema says.
fn value(path: &str) -> BoxedStrategy<Value> {
    let texts = || text().prop_map(Value::from);
    let one = match path {
        "text" | "low" | "wild" => texts().boxed(),
        "number" => prop::sample::select(vec![json!(0), json!(1), json!("1"), json!(-5), json!(9007199254740993u64)]).boxed(),
        "flag" => any::<bool>().prop_map(Value::from).boxed(),
        "ip" => prop::sample::select(vec!["10.0.0.1", "10.250.1.2", "fe80::1", "192.168.0.1"]).prop_map(Value::from).boxed(),
        "when" | "@timestamp" => prop::sample::select(vec![json!("2024-05-06T07:08:09Z"), json!("1984-01-01"), json!(1_714_979_289_123i64)]).boxed(),
        _ => prop_oneof![
            8 => texts(),
            2 => prop::sample::select(vec![json!(0), json!(1), json!(1.0), json!(-5), json!(1.5), json!(9007199254740993u64), json!(true), json!(false)]),
            1 => Just(json!({})),
            1 => texts().prop_map(|text| json!({"c": text})),
            1 => texts().prop_map(|text| json!({"x": [{"y": text}, null]})),
        ]
        .boxed(),
    };
    let several =
        prop::collection::vec(prop_oneof![6 => one.clone(), 1 => Just(Value::Null)], 0..4);
    prop_oneof![6 => one, 1 => Just(Value::Null), 2 => several.prop_map(Value::from)].boxed()
}

fn event() -> impl Strategy<Value = Value> {
    let paths = PATHS.iter().filter(|path| !path.contains('*'));
    let members = paths.map(|path| {
        prop::option::weighted(0.5, value(path)).prop_map(|value| (path.to_string(), value))
    });
    members.collect::<Vec<_>>().prop_map(|members| {
        members
            .into_iter()
            .filter_map(|(path, value)| Some((path, value?)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    })
}

/// Whether an event has what makes the reason of a note matter where no finer answer can be given.
fn concerns(reason: Reason, event: &Value) -> bool {
    match event {
        Value::Null => reason == Reason::Empty,
        Value::Bool(_) => false,
        Value::Number(number) => reason == Reason::Number && !number.is_i64() && !number.is_u64(),
        Value::String(text) => match reason {
            Reason::TooLong => text.encode_utf16().count() > 20,
            Reason::Case => text.contains(['ſ', '\u{212a}', 'İ']),
            Reason::Number => Decimal::parse(text).is_some(),
            Reason::Words => words(text).iter().any(|word| word.chars().count() > 250),
            _ => false,
        },
        Value::Array(items) => {
            reason == Reason::Empty && items.is_empty()
                || items.iter().any(|item| concerns(reason, item))
        }
        Value::Object(members) => {
            reason == Reason::Empty && members.is_empty()
                || reason == Reason::AnyField
                    && ["@timestamp", "ip", "when"]
                        .iter()
                        .any(|name| members.contains_key(*name))
                || members.values().any(|item| concerns(reason, item))
        }
    }
}

/// One test on one field, and values that often just meet it or just miss it.
fn close_up() -> impl Strategy<Value = (Predicate, Value)> {
    let texts = [
        "k", "K", "\u{212a}", "s", "ſ", "é", "É", "\\", "*", "?", "\"", "/", " ", "a",
    ];
    let text = move || prop::sample::select(texts.to_vec());
    let part = prop_oneof![
        4 => text().prop_map(|text| Part::Text(text.to_owned())),
        1 => Just(Part::Star),
        1 => Just(Part::One),
    ];
    let pattern = (prop::collection::vec(part, 0..4), any::<bool>())
        .prop_map(|(parts, cased)| Matcher::Pattern(Arc::new(Pattern::new(parts, cased))));
    let values = prop::collection::vec(
        prop::collection::vec(text(), 0..4).prop_map(|texts| Value::from(texts.concat())),
        1..4,
    );
    let nets = vec![
        "10.0.0.0/8",
        "10.0.0.0/30",
        "10.240.0.0/12",
        "0.0.0.0/0",
        "fe80::/10",
        "::/0",
    ];
    let net =
        prop::sample::select(nets).prop_map(|net| Matcher::Cidr(net.parse::<IpNet>().unwrap()));
    let addresses = vec![
        "::ffff:10.0.0.1",
        "0:0:0:0:0:FFFF:a00:1",
        "fe80::1%x",
        "10.0.0.3",
        "10.0.0.4",
        "10.240.1.1",
        "10.9.9.9",
        "11.0.0.1",
        "10.0.0.1%y",
        "10.0.0.256",
    ];
    let addresses =
        prop::collection::vec(prop::sample::select(addresses).prop_map(Value::from), 1..3);
    let met = prop_oneof![3 => (pattern, values), 1 => (net, addresses)];
    (
        met,
        any::<bool>(),
        prop::sample::select(vec!["a", "low", "text", "wild"]),
    )
        .prop_map(|((matcher, values), not, path)| {
            let test = Predicate::Test(Test::Value(Field::path(path), matcher));
            let predicate = if not {
                Predicate::Not(Box::new(test))
            } else {
                test
            };
            (predicate, json!({path: values}))
        })
}

fn now() -> Timestamp {
    "2024-05-06T07:08:09Z".parse().unwrap()
}

/// Whether `found` is right for a query with these notes, where the predicate says `expected`.
fn is_right(
    predicate: &Predicate,
    notes: &[Note],
    event: &Value,
    found: bool,
    expected: bool,
) -> bool {
    // A miss must have been announced, by something that is in the event.
    let may_miss = |note: &Note| note.effect == Effect::FindsLess && concerns(note.reason, event);
    if expected && !found && !notes.iter().any(may_miss) {
        return false;
    }
    // These differ only in what can be seen in the event.
    let is_ascii = format!("{predicate:?}").is_ascii();
    let is_exact = |note: &Note| match note.reason {
        Reason::TooLong | Reason::Empty | Reason::Number => !concerns(note.reason, event),
        Reason::Case => {
            is_ascii
                && !concerns(note.reason, event)
                && !note.fields.iter().any(|field| field == "low")
        }
        _ => false,
    };
    expected == found || !notes.iter().all(is_exact)
}

fn holds(predicate: &Predicate, event: &Value, schema: &Schema) -> Result<(), TestCaseError> {
    let text = event.to_string();
    let view = Event::parse(text.as_bytes()).unwrap();
    let expected = predicate.matches(&view);
    let as_json = dsl(predicate, schema);
    let again = read(&as_json.query, schema, now());
    let again = again.unwrap_or_else(|error| panic!("{error}: {}", as_json.query));
    prop_assert!(
        is_right(
            predicate,
            &as_json.notes,
            event,
            again.matches(&view),
            expected
        ),
        "{}\n{:?}\nexpected: {expected}",
        as_json.query,
        as_json.notes
    );
    let as_text = lucene(predicate, schema);
    let again = read_lucene(&as_text.query, schema, &LuceneOptions::new(now()));
    let again = again.unwrap_or_else(|error| panic!("{error}: {}", as_text.query));
    prop_assert!(
        is_right(
            predicate,
            &as_text.notes,
            event,
            again.matches(&view),
            expected
        ),
        "{}\n{:?}\nexpected: {expected}",
        as_text.query,
        as_text.notes
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn holds_for_keywords(predicate in predicate(), events in prop::collection::vec(event(), 1..6)) {
        for event in &events {
            holds(&predicate, event, &Schema::keywords())?;
        }
    }

    #[test]
    fn holds_for_texts_with_keywords(predicate in predicate(), events in prop::collection::vec(event(), 1..6)) {
        for event in &events {
            holds(&predicate, event, &Schema::dynamic())?;
        }
    }

    #[test]
    fn holds_for_fields_of_all_types(predicate in predicate(), events in prop::collection::vec(event(), 1..6)) {
        for event in &events {
            holds(&predicate, event, &TYPED)?;
        }
    }

    #[test]
    fn holds_where_values_just_meet_or_miss((predicate, event) in close_up()) {
        for schema in [&Schema::keywords(), &Schema::dynamic(), &*TYPED] {
            holds(&predicate, &event, schema)?;
        }
    }

    #[test]
    fn any_text_is_a_query_or_an_error(text in "\\PC{0,40}|[a:*?\"/\\\\(){}\\[\\]~^<>&|+! \\-TO]{0,30}") {
        for schema in [&Schema::keywords(), &Schema::dynamic(), &*TYPED] {
            let _ = read_lucene(&text, schema, &LuceneOptions::new(now()));
            let regexp = json!({"regexp": {"a": text}});
            let _ = read(&regexp, schema, now());
            let _ = read(&json!({"wildcard": {"a": {"value": text}}}), schema, now());
            let _ = read(&json!({"range": {"when": {"gte": text}}}), schema, now());
        }
    }

    #[test]
    fn any_json_is_a_query_or_an_error(json in any_json()) {
        let _ = read(&json, &TYPED, now());
        let _ = Schema::from_json(&json);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = [
        "bool",
        "must",
        "should",
        "must_not",
        "filter",
        "minimum_should_match",
        "term",
        "terms",
        "match",
        "match_phrase",
        "multi_match",
        "wildcard",
        "regexp",
        "range",
        "gte",
        "lt",
        "exists",
        "field",
        "query_string",
        "query",
        "fields",
        "type",
        "a",
        "number",
        "when",
        "value",
        "constant_score",
        "properties",
        "mappings",
        "dynamic",
        "dynamic_templates",
        "ignore_above",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..9).prop_map(Value::from),
        text().prop_map(Value::from),
        prop::sample::select(names.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 24, 4, move |inner| {
        let name = prop::sample::select(names.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::vec((name, inner), 0..3).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
