//! The engine's promise: for each rule the answer of `Predicate::matches`, on any rules and any events.

use engine::{Branch, Ruleset};
use event::Event;
use ipnet::IpNet;
use predicate::{
    Analysis, Comparison, DateRange, Decimal, Derived, Field, Indexed, Matcher, Part, Pattern,
    Predicate, Regex, Relation, Source, TermTest, Test, TimePart, words,
};
use proptest::prelude::*;
use std::ops::Bound;
use std::sync::Arc;

/// Joins a name that was taken apart.
static JOINED: Derived = Derived {
    name: "joined",
    from: &["a", "b.c"],
    build: join,
};

fn join(from: &[Vec<String>]) -> Vec<String> {
    match from {
        [first, second] if !first.is_empty() && !second.is_empty() => {
            vec![format!("{}\\{}", first[0], second[0])]
        }
        _ => Vec::new(),
    }
}

const PATHS: [&str; 8] = ["a", "b", "b.c", "c", "b.*", "*.a", "tags", "sigma"];
/// Short texts that often meet: cases, folding to ASCII, an escape, a backslash, numbers, words, an address, a time.
const TEXTS: [&str; 20] = [
    "a",
    "A",
    "ab",
    "aB\\",
    "\\a",
    "k",
    "\u{212a}",
    "ſ",
    "s",
    "é",
    "É",
    "",
    "1",
    "1.0",
    "01",
    "true",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "2024-05-06T07:08:09Z",
    "\"\n",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(TEXTS.as_slice()).prop_map(str::to_owned),
        1 => prop::collection::vec(prop::sample::select(TEXTS.as_slice()), 0..4).prop_map(|parts| parts.concat()),
        1 => (prop::sample::select(TEXTS.as_slice()), 500usize..1500).prop_map(|(text, n)| text.repeat(n)),
    ]
}

fn field() -> impl Strategy<Value = Field> {
    let source = prop_oneof![
        6 => prop::sample::select(PATHS.as_slice()).prop_map(|path| Source::Path(event::FieldPath::new(path))),
        1 => Just(Source::Derived(&JOINED)),
    ];
    prop::collection::vec(source, 1..3).prop_map(Field::new)
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let part = prop_oneof![
        3 => prop::sample::select(TEXTS.as_slice()).prop_map(|text| Part::Text(text.to_owned())),
        2 => Just(Part::Star),
        1 => Just(Part::One),
    ];
    (prop::collection::vec(part, 0..5), prop::bool::weighted(0.2))
        .prop_map(|(parts, cased)| Pattern::new(parts, cased))
}

fn number() -> impl Strategy<Value = Decimal> {
    prop::sample::select(["0", "1", "1.5", "-1", "10", "9007199254740993", "1e999"].as_slice())
        .prop_map(|text| Decimal::parse(text).unwrap())
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::*;
    prop::sample::select([Equal, Less, LessOrEqual, Greater, GreaterOrEqual].as_slice())
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let regexes = ["a", "^a", "k$", "(?i)K", "a.*b", "[0-9]+", "^$", "é"];
    let parts = [
        TimePart::Minute,
        TimePart::Hour,
        TimePart::Day,
        TimePart::Week,
        TimePart::Month,
        TimePart::Year,
    ];
    prop_oneof![
        8 => pattern().prop_map(|pattern| Matcher::Pattern(Arc::new(pattern))),
        2 => number().prop_map(Matcher::Number),
        1 => any::<bool>().prop_map(Matcher::Bool),
        2 => prop::sample::select(regexes.to_vec()).prop_map(|regex| Matcher::Regex(Arc::new(Regex::new(regex).unwrap()))),
        1 => prop::sample::select(["10.0.0.0/8", "::/0", "0.0.0.0/0"].as_slice()).prop_map(|net| Matcher::Cidr(net.parse::<IpNet>().unwrap())),
        2 => (comparison(), number()).prop_map(|(comparison, number)| Matcher::Compare(comparison, number)),
        1 => (prop::sample::select(parts.to_vec()), comparison(), 0i64..60)
            .prop_map(|(part, comparison, n)| Matcher::TimePart(part, comparison, Decimal::parse(&n.to_string()).unwrap())),
        2 => indexed().prop_map(|indexed| Matcher::Indexed(Arc::new(indexed))),
        1 => (bound(number()), bound(number())).prop_map(|range| Matcher::Between(Arc::new(range))),
        1 => (0i64..2, 0i64..1 << 42).prop_map(|(from, to)| Matcher::Date(DateRange { from, to })),
    ]
}

fn bound<T: std::fmt::Debug>(end: impl Strategy<Value = T>) -> impl Strategy<Value = Bound<T>> {
    (end, 0u8..3).prop_map(|(end, kind)| match kind {
        0 => Bound::Included(end),
        1 => Bound::Excluded(end),
        _ => Bound::Unbounded,
    })
}

/// What only queries ask.
fn indexed() -> impl Strategy<Value = Indexed> {
    let analysis = prop_oneof![
        (prop::sample::select(vec![0, 1, 2, 1_000]), any::<bool>()).prop_map(
            |(ignore_above, lowercase)| Analysis::Whole {
                ignore_above,
                lowercase
            }
        ),
        Just(Analysis::Words),
    ];
    let regexes = ["^a$", "a", "^.*b"];
    let text = || prop::sample::select(TEXTS.as_slice()).prop_map(Box::<str>::from);
    let test = prop_oneof![
        (pattern(), any::<bool>()).prop_map(|(pattern, caseless)| TermTest::Pattern {
            pattern: Arc::new(Pattern::new(pattern.parts().to_vec(), true)),
            caseless
        }),
        prop::sample::select(regexes.to_vec())
            .prop_map(|regex| TermTest::Regex(Arc::new(Regex::new(regex).unwrap()))),
        (bound(text()), bound(text())).prop_map(|(from, to)| TermTest::Between(from, to)),
        prop::sample::select(TEXTS.as_slice())
            .prop_map(|text| TermTest::Phrase(words(text).into())),
    ];
    (analysis, test).prop_map(|(analysis, test)| Indexed { analysis, test })
}

fn test() -> impl Strategy<Value = Test> {
    use Relation::*;
    prop_oneof![
        10 => (field(), matcher()).prop_map(|(field, matcher)| Test::Value(field, matcher)),
        1 => field().prop_map(Test::Null),
        1 => field().prop_map(Test::Present),
        1 => (field(), prop::sample::select(vec![0, 1, 1_000])).prop_map(|(field, longest)| Test::Indexed(field, longest)),
        3 => prop_oneof![pattern().prop_map(|p| p.anywhere()), pattern()].prop_map(|p| Test::Keyword(Matcher::Pattern(Arc::new(p)))),
        1 => matcher().prop_map(Test::Keyword),
        1 => (field(), prop::sample::select([Equals, StartsWith, EndsWith, Contains].as_slice()), field())
            .prop_map(|(left, relation, right)| Test::Refer(left, relation, right)),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    test()
        .prop_map(Predicate::Test)
        .prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::All),
                2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::Any),
                1 => inner.prop_map(|part| Predicate::Not(Box::new(part))),
            ]
        })
}

/// A condition as log sources have them, or any predicate.
fn condition() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        3 => prop::sample::select(["a", "k", "1"].as_slice()).prop_map(|text| Predicate::Test(Test::Value(Field::path("c"), Matcher::text(text)))),
        1 => Just(Predicate::All(vec![])),
        1 => predicate(),
    ]
}

fn rules() -> impl Strategy<Value = Vec<Vec<Branch>>> {
    let branch = (condition(), predicate()).prop_map(|(condition, detection)| Branch {
        condition,
        detection,
    });
    prop::collection::vec(prop::collection::vec(branch, 1..3), 1..12)
}

/// A JSON string, escaped as little or as much as JSON permits.
fn json_string(text: &str, style: u8) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            c if style == 1 => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| json.push_str(&format!("\\u{unit:04x}"))),
            '"' | '\\' => json.extend(['\\', c]),
            '\n' => json.push_str("\\n"),
            c if c < ' ' => json.push_str(&format!("\\u{:04X}", c as u32)),
            c => json.push(c),
        }
    }
    json + "\""
}

fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        6 => (text(), prop_oneof![6 => Just(0u8), 1 => Just(1)]).prop_map(|(text, style)| json_string(&text, style)),
        2 => prop::sample::select(["0", "1", "1.0", "-1", "1e0", "15e-1", "9007199254740993", "1e999"].as_slice()).prop_map(str::to_owned),
        1 => prop::sample::select(["null", "true", "false", "\"\\ud800\""].as_slice()).prop_map(str::to_owned),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            3 => object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop::sample::select(
        [
            "a", "b", "c", "b.c", " a", "b .c", "\\u0061", "tags", "sigma", "sigma.a", "", "threat",
        ]
        .as_slice(),
    );
    prop::collection::vec((key, value), 0..6).prop_map(|members| {
        let members: Vec<String> = members
            .into_iter()
            .map(|(key, value)| format!("\"{key}\" : {value}"))
            .collect();
        format!("{{ {} }}", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn equals_the_reference_evaluation(rules in rules(), events in prop::collection::vec(object(json()), 1..12)) {
        let ruleset = Ruleset::compile(rules.clone());
        let mut matcher = ruleset.matcher();
        // Twice, so that what was learned about values is used too.
        for text in events.iter().chain(&events) {
            let event = Event::parse(text.as_bytes()).unwrap();
            let holds = |branch: &Branch| branch.condition.matches(&event) && branch.detection.matches(&event);
            let expected: Vec<u32> = (0..).zip(&rules).filter(|(_, rule)| rule.iter().any(holds)).map(|(number, _)| number).collect();
            prop_assert_eq!(matcher.matches(text.as_bytes()).unwrap().rules, expected, "{}", text);
        }
    }
}
