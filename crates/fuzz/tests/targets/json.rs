//! JSON: the parser that learns and the plain one agree on what an event is, on what is wrong with a text that is none, and on
//! every value.

use crate::input::demo_events;
use event::{Event, FieldPath, Fields, Parser, Paths, Raw, Value};
use fuzz::{Mutation, TEST_TIME};

const ODD: [&str; 5] = [
    r#"{"a":{"b":[1,{"c":null}]},"a.b":"\u00e9\ud83d\ude00\/","":[],"a":-1.5e+3}"#,
    r#" { "sigma" : {"a":1} , "tags":["t"], "outliers.x":1, "a b":"\\\"" } "#,
    r#"{"a":[[[[{}]]]],"b":"","c":0,"d":false}"#,
    r#"{"a":"x","b":"y","a.b":"z"}"#,
    "{}",
];

const PATHS: [&str; 12] = [
    "a",
    "b",
    "c",
    "a.b",
    "a.b.c",
    "*",
    "a.*",
    "*.b",
    "ab",
    "",
    "winlog.event_data.*",
    "EventID",
];

#[test]
fn the_learning_parser_and_the_plain_one_agree() {
    let mut samples = ODD.map(str::to_owned).to_vec();
    samples.extend(demo_events());
    let paths = PATHS.map(FieldPath::new);
    bolero::check!()
        .with_type::<[Mutation; 3]>()
        .with_test_time(TEST_TIME)
        .for_each(|mutations| {
            let set = Paths::new(&paths);
            let mut parser = Parser::new(set.clone());
            // Each one is read by a parser that has seen the others, and itself.
            let texts = mutations
                .each_ref()
                .map(|mutation| mutation.apply(&samples));
            for text in texts.iter().chain(&texts) {
                compare(&mut parser, &set, &paths, text);
            }
        });
}

fn compare(parser: &mut Parser, set: &Paths, paths: &[FieldPath], text: &[u8]) {
    let event = Event::parse(text);
    let parsed = parser.parse(text);
    assert_eq!(parsed.map(|parsed| parsed.event()), event);
    let (Ok(event), Ok(parsed)) = (event, parsed) else {
        return;
    };
    let mut found = vec![Vec::new(); paths.len()];
    for leaf in parsed.leaves() {
        let value = match leaf.raw(event.text()) {
            Raw::Null => shown(&Value::Null),
            Raw::Bool(value) => shown(&Value::Bool(value)),
            Raw::Number(literal) => shown(&Value::Number(literal)),
            Raw::String(text) => shown(&Value::String(text.decode())),
            Raw::Object => OBJECT.to_owned(),
            Raw::Array => continue,
        };
        for path in set.targets(leaf.targets) {
            found[path as usize].push(value.clone());
        }
    }
    let index = event.index();
    for (path, found) in paths.iter().zip(found) {
        let lookup = event.lookup(path);
        let expected: Vec<String> = lookup.values.iter().map(shown).collect();
        assert_eq!(found, expected, "{path} in {}", event.text());
        assert_eq!(index.lookup(path), lookup, "{path} in {}", event.text());
    }
}

const OBJECT: &str = "object";

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Object(_) => OBJECT.to_owned(),
        value => format!("{value:?}"),
    }
}
