//! CSV with a header, as programs write it and as it breaks.

mod common;

use common::{Out, Slow, clean, events, gzip, read_bytes, read_from, read_path};
use event::Parser;
use input::{MAX_EVENT, Position, Reason};
use std::io::Read;
use std::ops::ControlFlow;

#[test]
fn rows_become_events() {
    let two = events(&[
        (
            2,
            r#"{"time":"2024-01-02","EventID":"1","Image":"C:\\a.exe"}"#,
        ),
        (3, r#"{"time":"2024-01-03","Image":" b "}"#),
    ]);
    let text = "time,EventID,Image\n2024-01-02,1,C:\\a.exe\n2024-01-03,, b \n";
    assert_eq!(clean(text), two);
    assert_eq!(
        clean(text.trim_end_matches('\n')),
        two,
        "no line feed at the end"
    );
    assert_eq!(clean(text.replace('\n', "\r\n")), two, "CRLF");
    assert_eq!(clean(text.replace('\n', "\r")), two, "lines of old Macs");
    assert_eq!(clean(text.replace(',', ";")), two, "semicolons");
    assert_eq!(clean(text.replace(',', "\t")), two, "tabs");
    assert_eq!(clean(format!("\u{FEFF}{text}")), two, "a byte order mark");
    assert_eq!(clean(gzip(text.as_bytes())), two, "packed");
    let quoted = text.replace(',', "\",\"").replace('\n', "\"\n\"");
    let quoted = format!("\"{}", quoted.trim_end_matches('"'));
    assert_eq!(clean(quoted), two, "every cell in quotation marks");
}

#[test]
fn utf_16_is_read() {
    let text = "Zeit;Ereignis-ID;Größe\n2024-01-02;1;\"5\n€\"\n";
    let expected = events(&[(
        2,
        r#"{"Zeit":"2024-01-02","Ereignis-ID":"1","Größe":"5\n€"}"#,
    )]);
    let marked = format!("\u{FEFF}{text}");
    for text in [text, &marked] {
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(clean(little), expected);
        assert_eq!(clean(big), expected);
    }
}

#[test]
fn cells_may_hold_anything() {
    assert_eq!(
        clean("a,b,c\n1,\"x, \"\"y\"\"\nz\",\\ü\n\n2,\"\r\n\",it's \"so\"\n3,\"\",\t\n"),
        events(&[
            (2, r#"{"a":"1","b":"x, \"y\"\nz","c":"\\ü"}"#),
            (5, r#"{"a":"2","b":"\r\n","c":"it's \"so\""}"#),
            (7, r#"{"a":"3","c":"\t"}"#),
        ])
    );
}

#[test]
fn a_line_is_where_a_row_begins() {
    let lines: Vec<u64> = clean("\n\r\na,b,c\n1,\"\n\n\",2\n\n\n3,4,5\r\n\r\n6,7,8")
        .iter()
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(lines, [4, 9, 11]);
}

#[test]
fn columns_of_one_name_are_kept() {
    assert_eq!(
        clean("a,b,a\n1,2,3\n,2,3\n"),
        events(&[
            (2, r#"{"a":"1","b":"2","a":"3"}"#),
            (3, r#"{"b":"2","a":"3"}"#)
        ])
    );
    assert_eq!(
        clean("a,New Value,c.d\n1,2,3\n"),
        events(&[(2, r#"{"a":"1","New Value":"2","c.d":"3"}"#)]),
        "names are as they are"
    );
}

#[test]
fn what_stands_before_the_header_is_passed() {
    let event = r#"{"Message":"a","Id":"1","Version":"2"}"#;
    for (before, delimiter, line) in [
        (
            "#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\r\n",
            ",",
            3,
        ),
        ("sep=;\n", ";", 3),
        ("\u{FEFF}sep=,\r\n", ",", 3),
        ("sep=\t\n#TYPE x\n", "\t", 4),
    ] {
        let table = "\"Message\",\"Id\",\"Version\"\n\"a\",\"1\",\"2\"\n".replace(',', delimiter);
        assert_eq!(clean(format!("{before}{table}")), events(&[(line, event)]));
    }
}

/// As the event viewer of Windows exports a log.
#[test]
fn a_last_column_may_have_no_name() {
    let text = "Level,Date and Time,Source,Event ID,Task Category\r\n\
        Information,1/2/2024 3:04:05 AM,Some-Provider,1,None,\"It began.\r\n\r\nSubject:\r\n\ta\"\r\n\
        Information,1/2/2024 3:04:06 AM,Some-Provider,2,None,It ended.\r\n";
    let out = read_bytes(text);
    assert_eq!(out.shown(), [""; 0]);
    let ids: Vec<u64> = out.lines().iter().map(|(line, _)| *line).collect();
    assert_eq!(ids, [2, 6]);
    assert!(out.texts()[1].ends_with(r#""Task Category":"None","column6":"It ended."}"#));
    assert_eq!(
        clean(",a,b\n0,1,2\n"),
        events(&[(2, r#"{"column1":"0","a":"1","b":"2"}"#)])
    );
}

#[test]
fn ragged_rows_are_read_and_counted() {
    let out = read_bytes("a,b,c\n1,2,3\n4,5\n6,7,8,9,\n,,\n10\n11,,\n");
    assert_eq!(
        out.lines(),
        [
            (2, r#"{"a":"1","b":"2","c":"3"}"#),
            (3, r#"{"a":"4","b":"5"}"#),
            (4, r#"{"a":"6","b":"7","c":"8","column4":"9"}"#),
            (5, "{}"),
            (6, r#"{"a":"10"}"#),
            (7, r#"{"a":"11"}"#),
        ]
    );
    assert_eq!(
        out.shown(),
        [
            "-:3:1: a row with more or fewer cells than the header: 2, the header has 3",
            "-:4:1: a row with more or fewer cells than the header: 5, the header has 3",
            "-:6:1: a row with more or fewer cells than the header: 1, the header has 3",
        ]
    );
    assert_eq!(out.report.lost(), 0);
}

#[test]
fn tables_may_be_concatenated() {
    let table = "a,b,c\n1,2,3\n";
    let out = read_bytes(table.repeat(3));
    assert_eq!(out.report.count(Reason::RepeatedHeader), 2);
    let lines: Vec<u64> = out.lines().iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 4, 6]);
}

#[test]
fn a_quotation_mark_that_is_not_closed_costs_its_line() {
    let out = read_bytes("a,b,c\n1,2,3\n4,\"5,6\n7,8,9\n10,\"11,12");
    assert_eq!(
        out.lines(),
        [
            (2, r#"{"a":"1","b":"2","c":"3"}"#),
            (4, r#"{"a":"7","b":"8","c":"9"}"#),
        ]
    );
    assert_eq!(
        out.shown(),
        [
            "-:3:1: a broken line: a quotation mark is not closed",
            "-:5:1: a broken line: a quotation mark is not closed",
        ]
    );
    assert_eq!(out.report.lost(), 2);
}

#[test]
fn invalid_text_is_repaired() {
    let out = read_bytes(b"a,b\xff,c\n1,\xfc,3\n4,5,6\n");
    assert_eq!(
        out.lines(),
        [
            (2, "{\"a\":\"1\",\"b\u{FFFD}\":\"\u{FFFD}\",\"c\":\"3\"}"),
            (3, "{\"a\":\"4\",\"b\u{FFFD}\":\"5\",\"c\":\"6\"}"),
        ]
    );
    assert_eq!(
        out.places(),
        [(Reason::InvalidText, 1, 1), (Reason::InvalidText, 2, 1)]
    );
}

/// Any text may be the beginning of some table.
#[test]
fn whether_it_is_a_table_depends_on_who_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let log = write("log", "time,EventID,Image\n2024-01-02,1,a.exe\n");
    let list = write("list", "name,role\nalice,admin\nbob,user\n");
    let lines = write("lines", "alice,admin,1\nbob,user,2\n");
    let text = write("text", "First, some words.\nThen, some more.\n");
    let out = read_path(folder.path());
    assert_eq!(
        (out.events.len(), out.report.count(Reason::Foreign)),
        (1, 3)
    );
    let named = |path| {
        let out: Out = read_path(path);
        (out.events.len(), out.report.count(Reason::NotEvents))
    };
    assert_eq!(named(&log), (1, 0));
    assert_eq!(named(&list), (2, 0));
    assert_eq!(named(&lines), (0, 1), "no header");
    assert_eq!(named(&text), (0, 1));
}

#[test]
fn a_table_without_rows_has_no_events() {
    assert_eq!(clean("time,EventID,Image\n"), []);
    assert_eq!(clean("time,EventID,Image"), []);
}

#[test]
fn rows_have_a_limit_that_is_exact() {
    let row = |length: usize| format!("1,{},2\n", "x".repeat(length - 5));
    let table = |row: &str| read_bytes(format!("a,b,c\n1,2,3\n{row}4,5,6\n"));
    // The names make an event longer than its row.
    let longest = MAX_EVENT - r#"{"a":"1","b":"","c":"2"}"#.len() + "1,,2\n".len();
    let out = table(&row(longest));
    assert_eq!((out.events.len(), out.report.lost()), (3, 0));
    assert_eq!(out.events[1].1.len(), MAX_EVENT);
    for length in [longest + 1, MAX_EVENT, MAX_EVENT + 1, 3 * MAX_EVENT] {
        let out = table(&row(length));
        assert_eq!(out.places(), [(Reason::TooLong, 3, 1)], "{length}");
        assert_eq!(out.lines()[1].0, 4, "{length}");
    }
    let out = table(&format!("{}\n", ",".repeat(70_000)));
    assert_eq!(
        out.shown(),
        ["-:3:1: a broken line: more than 65,536 cells"]
    );
    assert_eq!(out.events.len(), 2);
}

/// A table has no limit but that of each of its rows.
#[test]
fn a_table_is_read_row_by_row() {
    let row = format!("1,\"{}\",3\n", "x\n".repeat(500));
    let mut count = 0;
    let stream = "a,b,c\n"
        .as_bytes()
        .chain(std::io::Cursor::new(row.repeat(40_000)));
    let report = input::read_stream("-".into(), stream, &mut Parser::default(), &mut |batch| {
        assert!(batch.block.size() < 2 << 20);
        for (position, _) in batch.events() {
            assert_eq!(position, Position::Line(2 + 501 * count));
            count += 1;
        }
        ControlFlow::Continue(())
    });
    assert_eq!((count, report.lost()), (40_000, 0));
}

/// Broken tables must not cost more than their length, however they are broken.
#[test]
fn broken_tables_take_linear_time() {
    for line in [
        "1,\"\n",
        "x\"y,\"z\n",
        "\"\"\"\n",
        ",\"\"\"\n",
        "\n",
        ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
        "1,2\r",
        "\"a\"b\"c\n",
    ] {
        let text = format!("a,b,c\n1,2,3\n{}", line.repeat((2 << 20) / line.len()));
        let before = std::time::Instant::now();
        read_bytes(&text);
        let taken = before.elapsed();
        assert!(taken.as_secs() < 20, "{line:?} took {taken:?}");
    }
}

/// Where the pieces of a table happen to end makes no difference.
#[test]
fn pieces_make_no_difference() {
    let text = "\u{FEFF}time,EventID,Größe,a\r\n1,2,\"3\r\n\"\"€\",\r\n\r\n4,5,6,7,8\n9,\"10\",\"\"\"\",\n\
        time,EventID,Größe,a\n11,\u{FEFF}12,,\n13,\"14\n15,16,17,18";
    let whole = read_bytes(text);
    assert_eq!(
        (whole.events.len(), whole.report.lost()),
        (5, 1),
        "{:?}",
        whole.shown()
    );
    for step in 1..80 {
        let bytes = text.as_bytes();
        assert_eq!(
            read_from(Slow { bytes, step }),
            whole,
            "{step} bytes at a time"
        );
    }
}

proptest::proptest! {
    /// Nothing that is read makes the reader panic or hang, or gives an event that is none.
    #[test]
    fn anything_can_be_read(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                ",", ";", "\t", "\"", "\"\"", "\n", "\r", "\r\n", " ", "1", "a", "2024-01-02", "ä", "\u{0}", "\u{1b}",
                "\u{FEFF}", "\\", "a,b,c", "1,2,3\n", "sep=;\n", "#TYPE a\n", "{}", "\"a\nb\"",
            ]),
            0..60,
        ),
        step in 1usize..50,
    ) {
        let text = format!("{}{}", "a,b,c\n".to_owned() + &"1,2,3\n".repeat(64), pieces.concat());
        let whole = read_bytes(&text);
        proptest::prop_assert_eq!(whole.lines()[0], (2, r#"{"a":"1","b":"2","c":"3"}"#));
        read_bytes(pieces.concat());
        read_from(Slow { bytes: text.as_bytes(), step });
    }

    #[test]
    fn any_bytes_can_be_read(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        read_bytes([&b"a,b,c\n1,2,3\n"[..], &bytes].concat());
        read_bytes([&b"a,b,"[..], &bytes].concat());
        read_bytes([&b"\xff\xfea\0,\0b\0,\0c\0\n\0\x31\0\n\0"[..], &bytes].concat());
    }

    /// A table that was written as the rules say is read as it was meant.
    #[test]
    fn what_was_written_is_read(
        rows in proptest::collection::vec(proptest::collection::vec("[a-z0-9,;\"\n\r\té€ ]{0,6}", 3), 1..8),
    ) {
        let cell = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
        let row = |cells: &Vec<String>| cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\n";
        let text = format!("sep=,\nx1,y,z\n{}", rows.iter().map(row).collect::<String>());
        let out = read_bytes(&text);
        let expected: Vec<String> = rows.iter().map(|cells| {
            let members = ["x1", "y", "z"].iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
            let members = members.map(|(name, cell)| format!("\"{name}\":{}", serde_json::to_string(cell).unwrap()));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }).collect();
        proptest::prop_assert_eq!(out.texts(), expected, "{:?}", out.shown());
    }
}
