//! JSON in the forms that events come in, and what becomes of it when it is broken.

mod common;

use common::{Slow, clean, events, read_bytes, read_from};
use event::Parser;
use input::{MAX_EVENT, Position, Reason};
use std::io::Read;
use std::ops::ControlFlow;

#[test]
fn one_event_a_line() {
    let two = events(&[(1, r#"{"a":1}"#), (2, r#"{"a":2}"#)]);
    assert_eq!(clean("{\"a\":1}\n{\"a\":2}\n"), two);
    assert_eq!(
        clean("{\"a\":1}\n{\"a\":2}"),
        two,
        "no line feed at the end"
    );
    assert_eq!(clean("{\"a\":1}\r\n{\"a\":2}\r\n"), two);
    assert_eq!(clean("{\"a\":1}\r{\"a\":2}\r"), two, "lines of old Macs");
    assert_eq!(
        clean("\u{FEFF}{\"a\":1}\n{\"a\":2}"),
        two,
        "a byte order mark"
    );
    let apart = events(&[(3, r#"{"a":1}"#), (6, r#"{"a":2}"#)]);
    assert_eq!(
        clean("\n\n  {\"a\":1}  \n \t\n\r\n{\"a\":2}\n\n"),
        apart,
        "blank lines"
    );
    assert_eq!(
        clean("\u{FEFF}{}\n\u{FEFF}{}"),
        events(&[(1, "{}"), (2, "{}")]),
        "two texts, concatenated"
    );
}

#[test]
fn nothing_in_it() {
    for text in [
        "",
        " ",
        "\n\n",
        "\r\n",
        "\u{FEFF}",
        "\u{FEFF}\n",
        "[]",
        "[ ]\n[]",
        r#"{"Records":[]}"#,
    ] {
        assert_eq!(clean(text), [], "{text:?}");
    }
    let blank = std::io::repeat(b'\n').take(3 << 20);
    assert_eq!(read_from(blank).shown(), [""; 0]);
}

#[test]
fn one_object_after_another() {
    assert_eq!(
        clean("{\n  \"a\": [\n    1\n  ]\n}\n{\n  \"a\": {}\n}\n"),
        events(&[
            (1, "{\n  \"a\": [\n    1\n  ]\n}"),
            (6, "{\n  \"a\": {}\n}")
        ])
    );
    assert_eq!(clean("{\"a\":1}{\"a\":2} {\"a\":3}").len(), 3);
    assert_eq!(
        clean("{\"a\":1}{\n\"a\":2}{}"),
        events(&[(1, "{\"a\":1}"), (1, "{\n\"a\":2}"), (2, "{}")])
    );
}

#[test]
fn lists_of_events() {
    assert_eq!(
        clean("[{\"a\":1},{\"a\":2}]"),
        events(&[(1, "{\"a\":1}"), (1, "{\"a\":2}")])
    );
    assert_eq!(
        clean("[\n  {\n    \"a\": 1\n  },\n  {}\n]\n"),
        events(&[(2, "{\n    \"a\": 1\n  }"), (5, "{}")])
    );
    assert_eq!(clean("[{}]\n[{},{}]\n{}").len(), 4, "a list a line");
}

#[test]
fn records_of_cloudtrail() {
    assert_eq!(
        clean("{\"Records\":[{\"a\":1},{\"a\":2}]}"),
        events(&[(1, "{\"a\":1}"), (1, "{\"a\":2}")])
    );
    assert_eq!(
        clean("{\"Records\":[{}]}\n{\"Records\":[{},{}],\"more\":[1]}").len(),
        3
    );
    let plain = r#"{"Records":[1,2]}"#;
    assert_eq!(
        clean(plain),
        events(&[(1, plain)]),
        "a list of something else"
    );
}

#[test]
fn search_replies() {
    let reply = r#"{"took":1,"timed_out":false,"_shards":{"total":1},
        "hits":{"total":{"value":2},"max_score":null,"hits":[
        {"_index":"i","_id":"1","_score":null,"_source":{"a":1},"sort":[1]},
        {"_index":"i","_id":"2","_source": {"a":2} }
        ]},"aggregations":{"b":[{"c":1}]}}"#;
    assert_eq!(clean(reply), events(&[(3, "{\"a\":1}"), (4, "{\"a\":2}")]));
    assert_eq!(
        clean(r#"{"hits":{"hits":[{"_source":{"a":1}}]}}"#),
        events(&[(1, "{\"a\":1}")])
    );
    let scroll = r#"{"_scroll_id":"x","hits":{"hits":[]}}"#;
    assert_eq!(clean(scroll), []);
}

#[test]
fn hits_one_a_line() {
    let hit = r#"{"_index":"i","_type":"_doc","_id":"1","_source":{"a":{"_source":{}}}}"#;
    assert_eq!(clean(hit), events(&[(1, r#"{"a":{"_source":{}}}"#)]));
    let document = r#"{"_index":"i","_id":"1","a":1}"#;
    assert_eq!(
        clean(document),
        events(&[(1, document)]),
        "a document that keeps its place among its fields"
    );
    let out = read_bytes(
        "{\"_index\":\"i\",\"_id\":\"1\"}\n{\"hits\":{\"hits\":[{\"_id\":\"2\"},{\"_source\":{}}]}}\n",
    );
    assert_eq!(out.lines(), [(2, "{}")]);
    assert_eq!(
        out.places(),
        [
            (Reason::HitWithoutSource, 1, 1),
            (Reason::HitWithoutSource, 2, 18)
        ]
    );
}

#[test]
fn values_stay_as_they_are_written() {
    let event = r#"{"n":123456789012345678901234567890,"e":1e999,"a":1,"a":2,"":0,"a.b":1,"a":{"b":[{}]},"s":"\ud800\/\u0000"}"#;
    assert_eq!(clean(event), events(&[(1, event)]));
}

#[test]
fn a_broken_line_costs_one_line() {
    for broken in [
        r#"{"a":1,}"#,
        r#"{"a":nope}"#,
        r#"{"a":"cut"#,
        r#"{"a":{"b":1"#,
        r#"{"a":"#,
        "{",
        "}",
        "]",
        "[{",
        r#"[{"a":1"#,
        "[1,",
        "nope",
        "\"cut",
        r#"{"Records":[{"#,
        r#"{"hits":{"hits":[{"_source":{"a":}"#,
        "{\"a\":\"\u{1}",
        "{\"a\":\u{0}}",
        "\u{0}\u{0}\u{0}",
    ] {
        let text = format!("{{\"a\":1}}\n{broken}\n{{\"a\":2}}\n  \n{{\"a\":3}}");
        let out = read_bytes(&text);
        let lines: Vec<u64> = out.lines().iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 3, 5], "{text}: {:?}", out.shown());
        assert_eq!(
            out.report.count(Reason::Malformed),
            1,
            "{text}: {:?}",
            out.shown()
        );
        assert_eq!(out.places()[0].1, 2, "{text}: {:?}", out.shown());
    }
}

/// A lone bracket opens a list, and only what follows shows that there is none.
#[test]
fn a_lone_bracket_costs_one_line() {
    let out = read_bytes("{\"a\":1}\n[\n{\"a\":2}\n{\"a\":3}\n{\"a\":4}\n");
    assert_eq!(
        (out.events.len(), out.places()),
        (4, vec![(Reason::Malformed, 4, 1)])
    );
}

#[test]
fn a_broken_line_is_named() {
    let shown = |text: &str| read_bytes(text).shown();
    assert_eq!(
        shown("{}\n{\"a\": nope}\n{}"),
        ["-:2:7: not well-formed JSON: not valid JSON"]
    );
    assert_eq!(
        shown("{}\n{\"a\": 1\n{}"),
        ["-:2:8: not well-formed JSON: the text ends in the middle of a value"]
    );
    assert_eq!(
        shown("{}\n  {\"a\": 1  \n\n\n"),
        ["-:2:10: not well-formed JSON: the text ends in the middle of a value"]
    );
    assert_eq!(
        shown("{}\n{\"a\": \"x\n{}"),
        ["-:2:9: not well-formed JSON: the line ends in the middle of a string"]
    );
    assert_eq!(shown("{}\n1\n{}"), ["-:2:1: not a JSON object: a number"]);
}

#[test]
fn a_broken_object_costs_one_object() {
    let good = "{\n  \"a\": [\n    {\n      \"b\": 1\n    }\n  ]\n}\n";
    for broken in [
        "{\n  \"a\": [\n    {\n      \"b\": nope\n    }\n  ]\n}\n",
        "{ \"a\": nope,\n  \"b\": {\n    \"c\": 1\n  }\n}\n",
        "{\n  \"a\": 1,\n}\n",
        "{\n  \"a\": 1\n",
        "{\n  \"a\": [\n    {\n",
        "{\n  \"a\": \"cut\n}\n",
    ] {
        let out = read_bytes([good, broken, good].concat());
        assert_eq!(out.texts(), [good.trim(), good.trim()], "{broken}");
        assert_eq!(out.report.lost(), 1, "{broken}: {:?}", out.shown());
    }
}

#[test]
fn a_broken_event_costs_one_of_its_list() {
    for (text, expected) in [
        ("[{\"a\":1},{\"a\":nope},{\"a\":3}]", 2),
        ("[{\"a\":1},nope,{\"a\":3}]", 2),
        ("[{\"a\":1},{\"a\":2]},{\"a\":3}]\n{\"a\":4}", 2),
        ("[\n{\"a\":1},\n{\"a\":nope},\n{\"a\":3}\n]\n{}", 3),
        ("[\n{\"a\":1},\n{\"a\":2\n{\"a\":3}\n]\n{}", 3),
        ("[\n{\"a\":1},\n{\"a\":\"cut\n{\"a\":3}\n]\n{}", 3),
        ("[\n{\"a\":1},\n{\"a\":2}},\n{\"a\":3}\n]\n{}", 4),
        ("[{\"a\":1} {\"a\":2},{\"a\":3}]", 2),
        ("[{\"a\":1}\n{\"a\":2}\n{\"a\":3}", 3),
        ("[{\"a\":1},]\n{\"a\":2}", 2),
        (
            "[ {\n  \"a\": 1\n}, {\n  \"a\": nope\n}, {\n  \"a\": 3\n} ]",
            2,
        ),
        ("{\"Records\":[{\"a\":1},{\"a\":nope},{\"a\":3}]}\n{}", 3),
        ("{\"Records\":[{\"a\":1}],nope}\n{}", 2),
        ("[{\"a\":1}", 1),
        ("{\"Records\":[{\"a\":1}]", 1),
    ] {
        let out = read_bytes(text);
        assert_eq!(out.events.len(), expected, "{text}: {:?}", out.shown());
        assert_eq!(
            out.report.count(Reason::Malformed),
            1,
            "{text}: {:?}",
            out.shown()
        );
    }
}

#[test]
fn what_is_no_object_is_no_event() {
    let out = read_bytes("1\n\"a\"\n[1,{\"a\":1}]\ntrue null\n{}\n-0.5e3");
    assert_eq!(out.texts(), ["{}"]);
    assert_eq!(out.report.count(Reason::NotAnObject), 6);
    assert_eq!(
        out.places(),
        [(1, 1), (2, 1), (3, 1), (4, 1), (4, 6)].map(|(line, column)| (
            Reason::NotAnObject,
            line,
            column
        ))
    );
    let out = read_bytes("[{},1,[{}],{}]");
    assert_eq!(
        (out.events.len(), out.report.count(Reason::NotAnObject)),
        (2, 2)
    );
}

#[test]
fn a_log_may_begin_in_the_middle_of_an_event() {
    let out = read_bytes("of an event\"}\n{\"a\":1}\n{\"a\":2}\n");
    assert_eq!((out.events.len(), out.report.lost()), (2, 1));
}

#[test]
fn invalid_utf8_is_replaced() {
    // A lone byte, an overlong form, a surrogate half, a character cut short.
    let text = b"{\"a\":\"\xff\"}\n{\"a\":\"\xc0\xaf\"}\n{\"\xed\xa0\x80\":1}\n{\"a\":\"\xe2\x82\"}\n{\"a\":\"\xc3\xa4\"}";
    let out = read_bytes(text);
    assert_eq!(out.texts()[0], "{\"a\":\"\u{FFFD}\"}");
    assert_eq!(out.texts()[3], "{\"a\":\"\u{FFFD}\"}");
    assert_eq!(out.texts()[4], "{\"a\":\"ä\"}");
    assert_eq!(
        (out.events.len(), out.report.repaired(), out.report.lost()),
        (5, 4, 0)
    );
    assert_eq!(out.places()[2], (Reason::InvalidText, 3, 1));
    let out = read_bytes(b"{\"a\":\xff}\n{}");
    assert_eq!(
        (out.texts(), out.report.lost()),
        (vec!["{}"], 1),
        "outside a string it is no JSON"
    );
}

#[test]
fn control_characters_are_escaped() {
    let all: Vec<u8> = (0..0x20).filter(|byte| *byte != b'\n').collect();
    let text = [&b"{\"a\":1}\n{\"a\":\""[..], &all, b"\",\"\t\":{}}\n{}\n"].concat();
    let out = read_bytes(&text);
    let escaped: String = all.iter().map(|byte| format!("\\u{byte:04x}")).collect();
    assert_eq!(
        out.lines(),
        [
            (1, "{\"a\":1}"),
            (
                2,
                format!("{{\"a\":\"{escaped}\",\"\\u0009\":{{}}}}").as_str()
            ),
            (3, "{}")
        ]
    );
    assert_eq!(out.places(), [(Reason::ControlCharacter, 2, 7)]);
    assert_eq!(
        out.shown(),
        ["-:2:7: control characters escaped: 32 of them"]
    );

    let out = read_bytes(
        "{\"a\":\"\t\",\"b\":nope}\n{\"a\":\"\t\u{7f}\",\n \"b\":\"\t\"}\n{\"a\":\"\t\n{}",
    );
    assert_eq!(
        out.texts(),
        ["{\"a\":\"\\u0009\u{7f}\",\n \"b\":\"\\u0009\"}", "{}"]
    );
    assert_eq!(
        out.places(),
        [
            (Reason::Malformed, 1, 14),
            (Reason::Malformed, 4, 7),
            (Reason::ControlCharacter, 2, 7)
        ]
    );
}

#[test]
fn what_grows_too_long_by_repair_is_skipped() {
    let text = format!("{{\"a\":\"{}\"}}\n{{}}", "\t".repeat(MAX_EVENT / 4));
    let out = read_bytes(text);
    assert_eq!(
        (out.texts(), out.report.count(Reason::TooLong)),
        (vec!["{}"], 1)
    );
}

#[test]
fn both_repairs_at_once() {
    let out = read_bytes(b"{\"a\":\"\t\xff\"}");
    assert_eq!(out.texts(), ["{\"a\":\"\\u0009\u{FFFD}\"}"]);
    assert_eq!(out.report.repaired(), 2);
}

#[test]
fn utf16_is_decoded() {
    let text = "{\"a\":\"ä😀\"}\r\n{\"a\":2}\r\n";
    let units = || text.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        [&b"\xff\xfe"[..], &little].concat(),
        [&b"\xfe\xff"[..], &big].concat(),
        little.clone(),
        big,
    ] {
        let out = read_bytes(&bytes);
        assert_eq!(
            out.lines(),
            [(1, "{\"a\":\"ä😀\"}"), (2, "{\"a\":2}")],
            "{bytes:x?}"
        );
        assert_eq!(out.shown(), [""; 0]);
    }
    let mut lone = little.clone();
    let at = lone.windows(2).position(|pair| pair == [0xe4, 0]).unwrap();
    lone[at..at + 2].copy_from_slice(&0xd800_u16.to_le_bytes());
    lone.pop();
    let out = read_bytes(&lone);
    assert_eq!(out.texts()[0], "{\"a\":\"\u{FFFD}😀\"}");
    assert_eq!(out.events.len(), 2);
    assert_eq!(
        out.report.count(Reason::InvalidText),
        2,
        "half a unit is missing at the end"
    );
}

#[test]
fn what_is_no_utf16_is_named_by_its_place_however_it_arrives() {
    let lines = "{\"a\":1}\n".repeat(5000);
    let mut units: Vec<u16> = format!("{lines}{{\"b\":\"?\", \"c\":\"?\"}}\n{{\"d\":\"?\"}}\n")
        .encode_utf16()
        .collect();
    for unit in units.iter_mut().filter(|unit| **unit == u16::from(b'?')) {
        *unit = 0xdc00;
    }
    let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
    let slow = Slow {
        bytes: &bytes,
        step: 999,
    };
    for out in [read_bytes(&bytes), read_from(slow)] {
        assert_eq!(out.events.len(), 5002);
        assert_eq!(
            out.places(),
            [
                (Reason::InvalidText, 5001, 7),
                (Reason::InvalidText, 5001, 18),
                (Reason::InvalidText, 5002, 7),
            ]
        );
    }
}

#[test]
fn nesting_is_limited() {
    let deep = |depth: usize| format!("{}{}{}", r#"{"a":"#.repeat(depth), 1, "}".repeat(depth));
    let text = format!("{}\n{}\n{}\n{{}}", deep(128), deep(129), deep(100_000));
    let out = read_bytes(&text);
    let lines: Vec<u64> = out.lines().iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 4]);
    assert_eq!(out.report.count(Reason::Malformed), 2);
    assert!(
        out.shown()[0].ends_with("nested deeper than 128 levels"),
        "{:?}",
        out.shown()
    );
    let out = read_bytes(format!("{{}}\n{}\n{{}}", "[".repeat(100_000)));
    assert_eq!((out.events.len(), out.report.lost()), (2, 1));
}

#[test]
fn length_is_limited() {
    // A hundred megabytes on one line, as it may come: an event, a string, zeros, words.
    for (head, fill, tail) in [
        ("{\"a\":\"", "x", "\"}\n"),
        ("{\"a\":[", "{},", "{}]}\n"),
        ("{\"a\":\"\t", "\t", "\"}\n"),
        ("{\n  \"a\": [\n", "    {},\n", "    {}\n  ]\n}\n"),
        ("\"", "x", "\"\n"),
    ] {
        let fill = fill.repeat((100 << 20) / fill.len());
        let stream = b"{\"a\":1}\n"
            .chain(head.as_bytes())
            .chain(fill.as_bytes())
            .chain(tail.as_bytes())
            .chain(&b"{\"a\":2}\n"[..]);
        let out = read_from(stream);
        assert_eq!(out.texts(), ["{\"a\":1}", "{\"a\":2}"], "{head:?}");
        assert_eq!(out.places(), [(Reason::TooLong, 2, 1)], "{head:?}");
    }
    let out = read_from(
        b"{}\n"
            .chain(std::io::repeat(0).take(100 << 20))
            .chain(&b"\n{}"[..]),
    );
    assert_eq!(
        (out.events.len(), out.places()),
        (2, vec![(Reason::Malformed, 2, 1)])
    );
}

#[test]
fn the_limit_is_exact() {
    let event = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    let out = read_bytes(format!(
        "{}\n{}\n{{}}",
        event(MAX_EVENT),
        event(MAX_EVENT + 1)
    ));
    let lengths: Vec<usize> = out.texts().iter().map(|text| text.len()).collect();
    assert_eq!(lengths, [MAX_EVENT, 2]);
    assert_eq!(out.places(), [(Reason::TooLong, 2, 1)]);
}

/// Lists have no limit but that of each of their events.
#[test]
fn a_list_is_read_event_by_event() {
    let event = format!("{{\"a\":\"{}\"}},", "x".repeat(1000));
    for (head, tail) in [
        ("[", "{}]"),
        ("{\"Records\":[", "{}]}"),
        ("{\"hits\":{\"hits\":[", "{\"_source\":{}}]}}"),
    ] {
        let event = match head.contains("hits") {
            true => format!("{{\"_source\":{}}},", event.trim_end_matches(',')),
            false => event.clone(),
        };
        let events = event.repeat(40_000);
        let mut count = 0;
        let stream = head
            .as_bytes()
            .chain(events.as_bytes())
            .chain(tail.as_bytes());
        let report = input::read_stream("-".into(), stream, &mut Parser::default(), &mut |batch| {
            assert!(batch.block.size() < 2 << 20);
            count += batch.positions.len();
            ControlFlow::Continue(())
        });
        assert_eq!((count, report.lost()), (40_001, 0));
    }
}

/// Broken text must not cost more than its length, however it is broken.
#[test]
fn broken_text_takes_linear_time() {
    for line in [
        "{\"a\":\n",
        "{\"a\":[1,\n",
        "{\"a\":\"\t\",\n",
        "[{\"a\":\n",
        "[{\"a\":1,\"b\":\"\t\"\n",
        "{\"Records\":[{\n",
        "{\n \"a\":1,\n",
        "[{\"a\":nope},",
        "{\"took\":1,\n",
        "nope\n",
    ] {
        let text = line.repeat((2 << 20) / line.len());
        let before = std::time::Instant::now();
        read_bytes(&text);
        let taken = before.elapsed();
        assert!(taken.as_secs() < 20, "{line:?} took {taken:?}");
    }
}

#[test]
fn batches_come_in_order_and_can_be_stopped() {
    let text: String = (0..100_000)
        .map(|n| format!("{{\"number\":{n},\"text\":\"some more of it\"}}\n"))
        .collect();
    let mut sequence = Vec::new();
    let mut consumed = 0;
    let mut line = 0;
    let report = input::read_stream(
        "name".into(),
        text.as_bytes(),
        &mut Parser::default(),
        &mut |batch| {
            assert_eq!(&*batch.file, "name");
            sequence.push(batch.sequence);
            assert!(batch.consumed > consumed);
            consumed = batch.consumed;
            for (position, _) in batch.events() {
                line += 1;
                assert_eq!(position, Position::Line(line));
            }
            match sequence.len() {
                3 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        },
    );
    assert_eq!(sequence, [0, 1, 2]);
    assert_eq!(report.events, line);
    assert!(report.bytes < text.len() as u64);
}

/// A program that writes into a pipe gets its events through before it writes the next ones.
#[test]
fn a_stream_is_passed_on_as_it_comes() {
    struct Pipe<'a> {
        parts: Vec<&'a [u8]>,
        seen: &'a std::cell::Cell<usize>,
        asked: usize,
    }
    impl Read for Pipe<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            assert!(
                self.seen.get() >= self.asked.saturating_sub(1),
                "an event waits"
            );
            self.asked += 1;
            let part = if self.parts.is_empty() {
                &[][..]
            } else {
                self.parts.remove(0)
            };
            into[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }
    let seen = std::cell::Cell::new(0);
    let pipe = Pipe {
        parts: vec![b"{\"number\":1234567}\n", b"{\"b\":2}\n", b"{\"c\":3}\n"],
        seen: &seen,
        asked: 0,
    };
    input::read_stream("-".into(), pipe, &mut Parser::default(), &mut |batch| {
        seen.set(seen.get() + batch.positions.len());
        ControlFlow::Continue(())
    });
    assert_eq!(seen.get(), 3);
}

/// Where the pieces of a text happen to end makes no difference.
#[test]
fn pieces_make_no_difference() {
    let text = "\u{FEFF}{\"a\":\"\t\"}\r\n{\"b\": nul}\n[{\"c\":1},{\"d\":nope},\n{\"e\":-1.5e3}]\n{\"Records\":[{\"f\":\"\\u00e4ä\"}],\"x\":12}\n\
                12345 true\n{\n  \"g\": [\n    1\n  ]\n}\n{\"took\":1,\"hits\":{\"hits\":[{\"_source\":{\"h\":1}},{}]}}\n{\"cut\":1\n{}\n{\"i\":\"";
    let whole = read_bytes(text);
    assert_eq!(whole.events.len(), 7);
    for step in 1..40 {
        let pieces = read_from(Slow {
            bytes: text.as_bytes(),
            step,
        });
        assert_eq!(pieces, whole, "{step} bytes at a time");
    }
}

proptest::proptest! {
    /// Nothing that is read makes the reader panic or hang, or gives an event that is none.
    #[test]
    fn anything_can_be_read(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "{", "}", "[", "]", "\"", "\\", ",", ":", "\n", "\r", "\t", " ", "  ", "1", "-", "e", "nope", "true",
                "\"a\"", "\"a\":", "{}", "{\"a\":1}", "{\"Records\":[", "{\"hits\":{\"hits\":[", "{\"_source\":{\"a\":1}}",
                "\u{0}", "\u{FEFF}", "ä", "\\u00", "{\"a\":\"\t\"}",
            ]),
            0..40,
        ),
        step in 1usize..50,
    ) {
        let text = format!("{{}}\n{}", pieces.concat());
        let whole = read_bytes(&text);
        proptest::prop_assert_eq!(whole.lines()[0], (1, "{}"));
        proptest::prop_assert_eq!(read_from(Slow { bytes: text.as_bytes(), step }), whole);
    }

    #[test]
    fn any_bytes_can_be_read(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        read_bytes(&bytes);
        read_bytes([&b"{}\n"[..], &bytes].concat());
        read_bytes([&b"\xff\xfe{\0"[..], &bytes].concat());
        read_bytes([&b"ElfFile\0"[..], &bytes].concat());
        read_bytes([&b"\x1f\x8b"[..], &bytes].concat());
        read_bytes([&b"\x28\xb5\x2f\xfd"[..], &bytes].concat());
    }
}
