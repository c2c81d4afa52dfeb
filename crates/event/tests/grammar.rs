//! What is an event and what is not: RFC 8259 to the letter.

use event::{Event, FieldPath, MAX_DEPTH, Parser, Paths, Reason, scan_value};
use proptest::prelude::*;

const ACCEPTED: &[&str] = &[
    "{}",
    " \t\r\n{} \n",
    r#"{"a":1}"#,
    r#"{"a" : [ ] , "b" : { } }"#,
    r#"{"a":[1,"x",null,true,false,{"b":[[]]}]}"#,
    r#"{"a":-0,"b":-0.0,"c":1E5,"d":1e-5,"e":1.5e+10,"f":0e0}"#,
    r#"{"a":123456789012345678901234567890}"#,
    r#"{"a":1e999}"#,
    r#"{"":"","a":1,"a":2}"#,
    r#"{"a":"\u0000\uD800\udc00\ud800 \"\\\/\b\f\n\r\t"}"#,
    "{\"a\":\"\u{7f}é😀\u{2028}\u{feff}\"}",
    r#"{"a.b":1,"a":{"b":2}}"#,
];

const REJECTED: &[(&str, Reason, usize)] = &[
    ("", Reason::Truncated, 0),
    ("  ", Reason::Truncated, 2),
    ("[]", Reason::NotAnObject, 0),
    ("1", Reason::NotAnObject, 0),
    ("\"a\"", Reason::NotAnObject, 0),
    ("null", Reason::NotAnObject, 0),
    ("\u{feff}{}", Reason::NotAnObject, 0),
    ("{", Reason::Truncated, 1),
    (r#"{"a""#, Reason::Truncated, 4),
    (r#"{"a":"#, Reason::Truncated, 5),
    (r#"{"a":1"#, Reason::Truncated, 6),
    (r#"{"a":"b"#, Reason::Truncated, 7),
    (r#"{"a":"\u12"#, Reason::Truncated, 10),
    (r#"{"a":tr"#, Reason::Truncated, 5),
    (r#"{"a":1,}"#, Reason::Unexpected, 7),
    (r#"{,"a":1}"#, Reason::Unexpected, 1),
    (r#"{"a":[1,]}"#, Reason::Unexpected, 8),
    (r#"{"a":[,1]}"#, Reason::Unexpected, 6),
    (r#"{"a":[1,,2]}"#, Reason::Unexpected, 8),
    (r#"{"a":[1}"#, Reason::Unexpected, 7),
    (r#"{"a":{"b":1]}"#, Reason::Unexpected, 11),
    (r#"{"a":[1 2]}"#, Reason::Unexpected, 8),
    (r#"{"a" 1}"#, Reason::Unexpected, 5),
    (r#"{"a"::1}"#, Reason::Unexpected, 5),
    (r#"{"a":1 "b":2}"#, Reason::Unexpected, 7),
    (r#"{a:1}"#, Reason::Unexpected, 1),
    (r#"{'a':1}"#, Reason::Unexpected, 1),
    (r#"{1:1}"#, Reason::Unexpected, 1),
    (r#"{"a":}"#, Reason::Unexpected, 5),
    (r#"{"a":TRUE}"#, Reason::Unexpected, 5),
    (r#"{"a":nul}"#, Reason::Unexpected, 5),
    (r#"{"a":NaN}"#, Reason::Unexpected, 5),
    (r#"{"a":Infinity}"#, Reason::Unexpected, 5),
    (r#"{"a":-Infinity}"#, Reason::BadNumber, 6),
    (r#"{"a":+1}"#, Reason::Unexpected, 5),
    (r#"{"a":.5}"#, Reason::Unexpected, 5),
    (r#"{"a":01}"#, Reason::BadNumber, 5),
    (r#"{"a":-}"#, Reason::BadNumber, 6),
    (r#"{"a":1.}"#, Reason::BadNumber, 7),
    (r#"{"a":1e}"#, Reason::BadNumber, 7),
    (r#"{"a":1e+}"#, Reason::BadNumber, 8),
    (r#"{"a":0x1}"#, Reason::Unexpected, 6),
    (r#"{"a":1_000}"#, Reason::Unexpected, 6),
    (r#"{"a":"\x41"}"#, Reason::BadEscape, 7),
    (r#"{"a":"\u00g0"}"#, Reason::BadEscape, 10),
    ("{\"a\":\"\t\"}", Reason::ControlCharacter, 6),
    ("{\"a\":\"\0\"}", Reason::ControlCharacter, 6),
    ("{\"a\":\"\n\"}", Reason::ControlCharacter, 6),
    ("{\"a\":1\0}", Reason::Unexpected, 6),
    ("{} x", Reason::Trailing, 3),
    ("{}{}", Reason::Trailing, 2),
    ("{}}", Reason::Trailing, 2),
    ("{\"a\":1} // comment", Reason::Trailing, 8),
    ("/* */ {}", Reason::NotAnObject, 0),
    ("{\u{a0}}", Reason::Unexpected, 1),
];

#[test]
fn json_objects_are_accepted() {
    for text in ACCEPTED {
        let event = Event::parse(text.as_bytes());
        assert!(event.is_ok(), "{text}");
        let mut parser = Parser::default();
        for _ in 0..3 {
            let parsed = parser.parse(text.as_bytes());
            assert_eq!(parsed.map(|parsed| parsed.event()), event);
        }
    }
}

#[test]
fn all_else_is_rejected_with_its_place() {
    for (text, reason, offset) in REJECTED {
        let malformed = Event::parse(text.as_bytes()).expect_err(text);
        assert_eq!(
            (malformed.reason, malformed.offset),
            (*reason, *offset),
            "{text}"
        );
    }
    let malformed = Event::parse(b"{\"a\":\"\xff\"}").unwrap_err();
    assert_eq!((malformed.reason, malformed.offset), (Reason::NotUtf8, 6));
}

#[test]
fn depth_is_bounded_without_recursion() {
    let nested = |depth: usize| {
        format!(
            "{{\"a\":{}{}}}",
            "[".repeat(depth - 1),
            "]".repeat(depth - 1)
        )
    };
    assert!(Event::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(
        Event::parse(nested(MAX_DEPTH + 1).as_bytes())
            .unwrap_err()
            .reason,
        Reason::TooDeep
    );
    assert_eq!(
        Event::parse(nested(100_000).as_bytes()).unwrap_err().reason,
        Reason::TooDeep
    );
}

#[test]
fn values_stand_back_to_back() {
    let text = br#" {"a":1} [2]"x" 3 true"#;
    let mut at = 0;
    let mut ends = Vec::new();
    while let Ok(end) = scan_value(text, at) {
        ends.push(end);
        at = end;
    }
    assert_eq!(ends, [8, 12, 15, 17, 22]);
}

/// Texts that are nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop::sample::select(
        [
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\n\"", "\"", "\\", "1", "0", "-", ".", "e",
            "+", "true", "null", " ", "\\u00e9", "é", "\t",
        ]
        .as_slice(),
    );
    prop::collection::vec(token, 0..24).prop_map(|tokens| format!("{{{}}}", tokens.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn agrees_with_serde_json(text in nearly_json()) {
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Event::parse(text.as_bytes()).is_ok(), theirs, "{}", text);
    }

    #[test]
    fn a_parser_that_has_learned_is_as_strict(texts in prop::collection::vec(nearly_json(), 1..12)) {
        let mut parser = Parser::new(Paths::new(&[FieldPath::new("a"), FieldPath::new("a.a")]));
        for text in texts.iter().chain(&texts) {
            let parsed = parser.parse(text.as_bytes()).map(|parsed| parsed.event());
            prop_assert_eq!(parsed, Event::parse(text.as_bytes()), "{}", text);
        }
    }

    #[test]
    fn any_bytes_are_harmless(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Event::parse(&bytes);
        let _ = scan_value(&bytes, 0);
        let _ = Parser::default().scan(&bytes, 0);
    }
}
