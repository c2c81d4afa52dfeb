//! What is found at a path, against the definition of paths, on random events.

use event::{Event, FieldPath, Fields, Lookup, Parsed, Parser, Paths, Raw, Value};
use proptest::prelude::*;

/// An event as a tree, from which both its text and what must be found in it are made.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(&'static str, Value<'static>),
    Array(Vec<Tree>),
    Object(Vec<(&'static str, Tree)>),
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Tree::Scalar(text, _) => (*text).to_owned(),
            Tree::Array(items) => format!(
                "[{}]",
                items.iter().map(Tree::text).collect::<Vec<_>>().join(", ")
            ),
            Tree::Object(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{key:?}:{}", value.text()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    /// The definition: descend by the names of each key, through arrays, and collect what stands at the end.
    fn lookup(&self, names: &[&str], found: &mut Vec<Option<Value<'static>>>) {
        match self {
            Tree::Array(items) => {
                if names.is_empty() {
                    found.push(None);
                }
                items.iter().for_each(|item| item.lookup(names, found));
            }
            Tree::Scalar(_, value) if names.is_empty() => found.push(Some(value.clone())),
            Tree::Object(_) if names.is_empty() => found.push(Some(Value::Object(""))),
            Tree::Object(members) => members.iter().for_each(|(key, value)| {
                let key = key.replace(' ', "");
                let key: Vec<&str> = key.split('.').collect();
                if names.len() >= key.len()
                    && key
                        .iter()
                        .zip(names)
                        .all(|(name, wanted)| *wanted == "*" || name == wanted)
                {
                    value.lookup(&names[key.len()..], found);
                }
            }),
            Tree::Scalar(..) => {}
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let scalar = prop::sample::select(vec![
        ("null", Value::Null),
        ("true", Value::Bool(true)),
        ("1.50", Value::Number("1.50")),
        ("-12e3", Value::Number("-12e3")),
        (r#""x""#, Value::String("x".into())),
        (r#""\u00e9\\\"""#, Value::String("é\\\"".into())),
        (r#""{[,]}""#, Value::String("{[,]}".into())),
    ])
    .prop_map(|(text, value)| Tree::Scalar(text, value));
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::Array),
            3 => members(inner).prop_map(Tree::Object),
        ]
    })
}

fn members(value: impl Strategy<Value = Tree>) -> impl Strategy<Value = Vec<(&'static str, Tree)>> {
    let key = prop::sample::select(["a", "b", "a.b", "b.a", "a b", "", ".", "a."].as_slice());
    prop::collection::vec((key, value), 0..5)
}

const PATHS: [&str; 12] = [
    "a", "b", "ab", "a.b", "b.a", "a.a.b", "", ".", "a.", "*", "a.*", "*.b",
];

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Object(_) => "object".to_owned(),
        value => format!("{value:?}"),
    }
}

/// What a parser has found at each path.
fn found(set: &Paths, parsed: &Parsed<'_, '_>, paths: usize) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new(); paths];
    for leaf in parsed.leaves() {
        for path in set.targets(leaf.targets) {
            found[path as usize].push(match leaf.raw(parsed.event().text()) {
                Raw::Null => shown(&Value::Null),
                Raw::Bool(value) => shown(&Value::Bool(value)),
                Raw::Number(literal) => shown(&Value::Number(literal)),
                Raw::String(text) => shown(&Value::String(text.decode())),
                Raw::Object => "object".to_owned(),
                Raw::Array => "array".to_owned(),
            });
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn finds_what_the_definition_says(
        members in members(tree()),
        mut seen in prop::collection::vec(members(tree()), 0..3),
        again in any::<bool>(),
    ) {
        if again {
            seen.push(members.clone());
        }
        let tree = Tree::Object(members);
        let text = tree.text();
        let event = Event::parse(text.as_bytes()).unwrap();
        let paths = PATHS.map(FieldPath::new);
        let index = event.index();
        // A parser that has seen this event, one like it, or none.
        let set = Paths::new(&paths);
        let mut parser = Parser::new(set.clone());
        for text in seen.iter().map(|members| Tree::Object(members.clone()).text()) {
            parser.parse(text.as_bytes()).unwrap();
        }
        let parsed = parser.parse(text.as_bytes()).unwrap();
        let at_once = found(&set, &parsed, paths.len());
        for (number, path) in paths.iter().enumerate() {
            prop_assert_eq!(index.lookup(path), event.lookup(path), "{} in {}", path, text);
            let mut expected = Vec::new();
            tree.lookup(&path.names().collect::<Vec<_>>(), &mut expected);
            let Lookup { present, values } = event.lookup(path);
            prop_assert_eq!(present, !expected.is_empty(), "{} in {}", path, text);
            let values: Vec<String> = values.iter().map(shown).collect();
            let wanted: Vec<String> = expected.iter().flatten().map(shown).collect();
            prop_assert_eq!(&values, &wanted, "{} in {}", path, text);
            let wanted: Vec<String> = expected.iter().map(|value| value.as_ref().map_or("array".to_owned(), shown)).collect();
            prop_assert_eq!(&at_once[number], &wanted, "{} in {}", path, text);
        }
    }
}

#[test]
fn what_sigtag_wrote_is_invisible() {
    let text = br#"{"sigma":{"a":"s1"},"sigma.a":"s2"," sigma":"s3","outliers.a":"o","tags":["t"],"threat":{"a":"h"},"x":{"sigma":{"a":"x"}},"sigmas":"y"}"#;
    let event = Event::parse(text).unwrap();
    for hidden in ["sigma", "sigma.a", "outliers.a", "outliers"] {
        assert_eq!(event.lookup(&FieldPath::new(hidden)), Lookup::default());
        let mut parser = Parser::new(Paths::new(&[FieldPath::new(hidden)]));
        assert_eq!(parser.parse(text).unwrap().leaves(), []);
    }
    assert_eq!(
        event.lookup(&FieldPath::new("*.a")).values,
        [Value::String("h".into())]
    );
    assert_eq!(
        event.lookup(&FieldPath::new("tags")).values,
        [Value::String("t".into())]
    );
    assert_eq!(
        event.lookup(&FieldPath::new("x.sigma.a")).values,
        [Value::String("x".into())]
    );
    assert_eq!(event.strings(), ["x", "y"]);
}

#[test]
fn members_have_their_places() {
    let text = r#" { "a\u0062" : [1, {"x": "}"}] , "c":"d" } "#;
    let event = Event::parse(text.as_bytes()).unwrap();
    let members: Vec<_> = event.members().collect();
    assert_eq!(
        members
            .iter()
            .map(|member| (&*member.key, member.value))
            .collect::<Vec<_>>(),
        [("ab", r#"[1, {"x": "}"}]"#), ("c", r#""d""#)]
    );
    for member in members {
        assert_eq!(&text[member.value_range.clone()], member.value);
        assert!(
            text[member.key_range.clone()].starts_with('"')
                && text[member.key_range.clone()].ends_with('"')
        );
    }
}

#[test]
fn one_line_keeps_what_is_in_strings() {
    let pretty = "{\n  \"a b\" : [ 1,\r\n 2 ],\t\"c\": \" \\n\\\" x \" , \"d\":{ } }\n";
    let one_line = |text: &str| {
        let event = Event::parse(text.as_bytes()).unwrap();
        event.one_line(&mut String::new()).text().to_owned()
    };
    assert_eq!(one_line(pretty), r#"{"a b":[1,2],"c":" \n\" x ","d":{}}"#);
    let spaced = r#"{ "a" : 1 }"#;
    assert_eq!(one_line(spaced), spaced);
}
