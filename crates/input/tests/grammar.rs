//! What is JSON and what is not, to the letter of RFC 8259: `{"v":VALUE}` on a line of its own.

mod common;

use common::read_bytes;
use input::Reason;

/// Values that are JSON.
const VALID: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "10",
    "123456789012345678901234567890",
    "1.5",
    "-0.0",
    "1e5",
    "1E5",
    "1e+5",
    "1e-05",
    "0e0",
    "1.5e300",
    "1e999",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\"",
    "\"ä€😀\"",
    "\"\u{7f}\"",
    "\"\u{2028}\"",
    "\"\u{FEFF}\"",
    r#""\"\\\/\b\f\n\r\t""#,
    r#""\u0000""#,
    r#""\u00E4""#,
    r#""\ud83d\ude00""#,
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""\\u0000""#,
    r#""/*""#,
    "[]",
    "[ ]",
    "[1]",
    "[1,2]",
    "[[],[[]]]",
    "[null,{}]",
    "{}",
    "{ }",
    r#"{"":0}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"a":{"b":{}}}"#,
    r#"{"\u0061":1}"#,
    " 1 ",
    "\t1\r",
];

/// Values that are not.
const INVALID: &[&str] = &[
    "",
    "01",
    "-01",
    "00",
    "+1",
    "-",
    "--1",
    "1.",
    ".5",
    "-.5",
    "1.e5",
    "1e",
    "1e+",
    "1.5.5",
    "1 2",
    "0x1",
    "1_000",
    "NaN",
    "nan",
    "Infinity",
    "-Infinity",
    "True",
    "nul",
    "nullx",
    "nul l",
    "undefined",
    "'a'",
    "a",
    "\"",
    "\"\\",
    "\"\\\"",
    r#""\a""#,
    r#""\'""#,
    r#""\u""#,
    r#""\u00""#,
    r#""\u00g0""#,
    r#""\U0061""#,
    r#""\x61""#,
    "[",
    "[1",
    "[1,",
    "[,]",
    "[1,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    "[1}",
    "]",
    "{",
    r#"{"a"}"#,
    r#"{"a":}"#,
    r#"{"a":1,}"#,
    r#"{,"a":1}"#,
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    r#"{"a" 1}"#,
    r#"{"a":1 "b":2}"#,
    r#"{"a":1,,"b":2}"#,
    r#"{"a"::1}"#,
    r#"{"a":1]"#,
    "1}",
    "1]",
    "1 // one",
    "/* one */ 1",
    "# one",
    "<1>",
    "\u{a0}1",
    "\u{FEFF}1",
    "\u{b}1",
    "\u{0}1",
];

#[test]
fn valid_values_are_events() {
    for value in VALID {
        let event = format!("{{\"v\":{value}}}");
        let out = read_bytes(format!("{{}}\n{event}\n{{}}"));
        assert_eq!(out.lines(), [(1, "{}"), (2, &*event), (3, "{}")], "{value}");
        assert_eq!(out.shown(), [""; 0], "{value}");
    }
}

#[test]
fn invalid_values_cost_their_line() {
    for value in INVALID {
        let out = read_bytes(format!("{{}}\n{{\"v\":{value}}}\n{{}}"));
        let others: Vec<u64> = out
            .lines()
            .iter()
            .map(|(line, _)| *line)
            .filter(|line| *line != 2)
            .collect();
        assert_eq!(others, [1, 3], "{value}");
        assert_eq!(
            out.report.count(Reason::Malformed),
            1,
            "{value}: {:?}",
            out.shown()
        );
        assert_eq!(out.places()[0].1, 2, "{value}: {:?}", out.shown());
    }
}
