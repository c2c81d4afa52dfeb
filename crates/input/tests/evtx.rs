//! EVTX, whole and damaged.

mod common;

use common::evtx::{CHUNK, HEADER, file};
use common::{Slow, gzip, read_bytes, read_from, zstd};
use input::{Position, Reason};
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read;

/// The EVTX files of the corpus, by the id of their case.
fn corpus() -> Option<HashMap<String, Vec<u8>>> {
    let archive =
        std::fs::File::open(testkit::shared_file("corpus/regression-open.tar.zst")?).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(archive).unwrap());
    let mut files = HashMap::new();
    for file in archive.entries().unwrap() {
        let mut file = file.unwrap();
        let path = file.path().unwrap().into_owned();
        if path
            .extension()
            .is_some_and(|extension| extension == "evtx")
        {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            let case = path.file_stem().unwrap().to_str().unwrap();
            files.insert(case.to_owned(), bytes);
        }
    }
    Some(files)
}

/// GUIDs without regard to case and braces: Windows, winlogbeat and former versions of the `evtx` crate differ in both.
fn normalised(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let bare = text.trim_start_matches('{').trim_end_matches('}');
            let is_guid = bare.len() == 36
                && bare.chars().enumerate().all(|(at, character)| match at {
                    8 | 13 | 18 | 23 => character == '-',
                    _ => character.is_ascii_hexdigit(),
                });
            Value::from(if is_guid {
                bare.to_uppercase()
            } else {
                text.clone()
            })
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.clone(), normalised(value)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

#[test]
fn the_corpus_is_read_as_winlogbeat_reads_it() {
    let (Some(files), Some(documents)) = (
        corpus(),
        testkit::shared_file("corpus/regression-winlogbeat-open.jsonl.zst"),
    ) else {
        return;
    };
    let documents = zstd::decode_all(std::fs::File::open(documents).unwrap()).unwrap();
    let mut checked = 0;
    for line in documents
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let line: Value = serde_json::from_slice(line).unwrap();
        let out = read_bytes(&files[line["case"].as_str().unwrap()]);
        assert_eq!(out.shown(), [""; 0]);
        let (position, event) = &out.events[line["record"].as_u64().unwrap() as usize];
        let event: Value = serde_json::from_str(event).unwrap();
        let document = &line["doc"];
        assert_eq!(normalised(&event), normalised(document), "{}", line["case"]);
        // The place in the file, not the number that the record had in the log it was exported from.
        assert_eq!(
            *position,
            Position::Record(line["record"].as_u64().unwrap() + 1)
        );
        checked += 1;
    }
    assert_eq!(checked, 106);
}

/// The beginning of an event like those of Sysmon.
const SYSTEM: &str = "<System><Provider Name=\"Some-Provider\" Guid=\"{0a1b2c3d-0000-1111-2222-333344445555}\"/>\
    <EventID>1</EventID><Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode>\
    <Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime=\"2024-01-02T03:04:05.6789012Z\"/>\
    <EventRecordID>9007199254740993</EventRecordID><Correlation/><Execution ProcessID=\"8\" ThreadID=\"16\"/>\
    <Channel>Some/Operational</Channel><Computer>host.example</Computer><Security UserID=\"S-1-5-18\"/></System>";

fn event(system: &str, data: &str) -> String {
    format!(
        "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">{system}{data}</Event>"
    )
}

/// One record, as it comes out.
fn converted(system: &str, data: &str) -> String {
    let out = read_bytes(file(&[&[&event(system, data)]]));
    assert_eq!(out.events.len(), 1, "{:?}", out.shown());
    out.events[0].1.clone()
}

/// The `event_data` or `user_data` of one record.
fn data(data: &str) -> Value {
    let event: Value = serde_json::from_str(&converted(SYSTEM, data)).unwrap();
    let winlog = &event["winlog"];
    winlog
        .get("event_data")
        .or(winlog.get("user_data"))
        .cloned()
        .unwrap_or_default()
}

#[test]
fn a_record_becomes_an_event() {
    let out = read_bytes(file(&[&[&event(
        SYSTEM,
        "<EventData><Data Name=\"Image\">C:\\a.exe</Data></EventData>",
    )]]));
    assert_eq!(out.shown(), [""; 0]);
    let expected = concat!(
        r#"{"@timestamp":"2024-01-02T03:04:05.678Z","event":{"code":"1","kind":"event","provider":"Some-Provider"},"#,
        r#""host":{"name":"host.example"},"log":{"level":"information"},"winlog":{"api":"wineventlog","#,
        r#""channel":"Some/Operational","computer_name":"host.example","event_id":"1","provider_name":"Some-Provider","#,
        r#""provider_guid":"{0A1B2C3D-0000-1111-2222-333344445555}","record_id":9007199254740993,"version":5,"#,
        r#""opcode":"Info","process":{"pid":8,"thread":{"id":16}},"user":{"identifier":"S-1-5-18"},"#,
        r#""event_data":{"Image":"C:\\a.exe"}}}"#
    );
    assert_eq!(out.events, [(Position::Record(1), expected.to_owned())]);
}

#[test]
fn data_follows_the_five_rules() {
    let values = "<EventData><Data Name=\"Number\">1</Data><Data Name=\"Flag\">true</Data><Data Name=\"Empty\"/>\
        <Data>unnamed</Data><Data></Data><Data>third</Data><Data Name=\"Number\">2</Data>\
        <Data Name=\"Threat Name\">a\r\nb\rc</Data><Data Name=\"Path:\">&lt;&amp;&quot;</Data><Binary>00FF</Binary></EventData>";
    assert_eq!(
        data(values),
        serde_json::json!({
            "Number": "1", "Flag": "true", "param4": "unnamed", "param6": "third",
            "Threat Name": "a\nb\rc", "Path:": "<&\"", "Binary": "00FF",
        })
    );
    assert_eq!(data(""), Value::Null);
    assert_eq!(data("<EventData/>"), Value::Null);
    assert_eq!(data("<EventData><Data/></EventData>"), Value::Null);
    assert_eq!(
        data("<EventData><Data>a</Data><Data Name=\"param1\">b</Data></EventData>"),
        serde_json::json!({"param1": "a"})
    );
}

#[test]
fn user_data_has_the_name_of_its_element() {
    let values = "<UserData><LogFileCleared xmlns=\"x\"><User>a</User><Empty/><Outer><Inner>b</Inner></Outer></LogFileCleared></UserData>";
    assert_eq!(
        data(values),
        serde_json::json!({"xml_name": "LogFileCleared", "User": "a", "Outer.Inner": "b"})
    );
    assert_eq!(data("<UserData><Nothing/></UserData>"), Value::Null);
    assert_eq!(data("<UserData/>"), Value::Null);
}

#[test]
fn audits_have_an_outcome() {
    for (keywords, outcome, names) in [
        (
            "0x8020000000000000",
            Some("success"),
            serde_json::json!(["Audit Success"]),
        ),
        (
            "0x8010000000000000",
            Some("failure"),
            serde_json::json!(["Audit Failure"]),
        ),
        (
            "0xa0000000000000",
            Some("success"),
            serde_json::json!(["Audit Success", "Classic"]),
        ),
        ("0x80000000000000", None, serde_json::json!(["Classic"])),
        ("0x0", None, Value::Null),
        ("nonsense", None, Value::Null),
    ] {
        let event: Value = serde_json::from_str(&converted(
            &SYSTEM.replace("0x8000000000000000", keywords),
            "",
        ))
        .unwrap();
        assert_eq!(
            event["event"].get("outcome").and_then(Value::as_str),
            outcome,
            "{keywords}"
        );
        assert_eq!(
            event["winlog"].get("keywords").cloned().unwrap_or_default(),
            names,
            "{keywords}"
        );
    }
}

#[test]
fn forwarded_records_bring_their_message() {
    let info = "<RenderingInfo Culture=\"en-US\"><Message>It happened.</Message><Level>Information</Level>\
        <Task>Some task</Task><Opcode>Begun</Opcode><Channel>else</Channel></RenderingInfo>";
    let event: Value = serde_json::from_str(&converted(SYSTEM, info)).unwrap();
    assert_eq!(event["message"], "It happened.");
    assert_eq!(event["event"]["action"], "Some task");
    assert_eq!(
        (&event["winlog"]["opcode"], &event["winlog"]["channel"]),
        (&"Begun".into(), &"Some/Operational".into())
    );
}

#[test]
fn what_a_record_lacks_its_event_lacks() {
    assert_eq!(
        converted("", ""),
        r#"{"@timestamp":"2024-05-06T07:08:09.123Z","event":{"kind":"event"},"winlog":{"api":"wineventlog","record_id":1}}"#
    );
    let qualified = SYSTEM.replace("<EventID>1<", "<EventID Qualifiers=\"16384\">7036<");
    assert!(converted(&qualified, "").contains(r#""event_id":"7036""#));
    let odd = SYSTEM
        .replace("<EventID>1<", "<EventID>one<")
        .replace("\"8\"", "\"0x8\"")
        .replace("2024-01-02T", "then ");
    let odd = converted(&odd, "");
    assert!(
        odd.contains(r#""event_id":"one""#) && odd.contains(r#""pid":"0x8""#),
        "{odd}"
    );
    assert!(
        odd.starts_with(r#"{"@timestamp":"2024-05-06T07:08:09.123Z""#),
        "{odd}"
    );
}

#[test]
fn a_record_without_a_channel_is_counted() {
    let out = read_bytes(file(&[&[
        &event(&SYSTEM.replace("Some/Operational", ""), ""),
        &event(SYSTEM, ""),
    ]]));
    assert_eq!(out.events.len(), 2);
    assert_eq!(out.shown(), ["-: record 1: a record without a channel"]);
}

/// Two chunks of three records each.
fn log() -> Vec<u8> {
    let event = event(
        SYSTEM,
        "<EventData><Data Name=\"Image\">a.exe</Data></EventData>",
    );
    let records: &[&str] = &[&event, &event, &event];
    file(&[records, records])
}

/// How many events come out, and whether anything was damaged or doubtful.
fn survey(bytes: &[u8]) -> (usize, bool, bool) {
    let out = read_bytes(bytes);
    let (damage, doubts) = (
        out.report.count(Reason::DamagedEvtx),
        out.report.count(Reason::SuspectEvtx),
    );
    assert!(damage <= 1 && doubts <= 1, "one warning per file");
    assert_eq!(out.report.lost(), damage);
    (out.events.len(), damage == 1, doubts == 1)
}

#[test]
fn a_whole_log_is_read_from_anywhere() {
    let log = log();
    let plain = read_bytes(&log);
    let ids: Vec<Position> = plain.events.iter().map(|(position, _)| *position).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6].map(Position::Record));
    assert_eq!(plain.shown(), [""; 0]);
    assert_eq!(
        read_from(Slow {
            bytes: &log,
            step: 1000
        }),
        plain
    );
    for packed in [gzip(&log), zstd(&log)] {
        assert_eq!(read_bytes(&packed).events, plain.events);
    }
}

#[test]
fn a_damaged_log_gives_what_can_be_read() {
    let changed = |at: usize, bytes: &[u8]| {
        let mut log = log();
        log[at..at + bytes.len()].copy_from_slice(bytes);
        log
    };
    let record = |log: &[u8], number: usize| {
        let places = memchr::memmem::find_iter(log, b"\x2a\x2a\0\0");
        places.take(number).last().unwrap()
    };
    let second = record(&log(), 2);
    assert_eq!(survey(&log()), (6, false, false));
    assert_eq!(survey(&log()[..8]), (0, true, false), "only the magic");
    assert_eq!(
        survey(&log()[..HEADER]),
        (0, false, false),
        "only the header"
    );
    assert_eq!(
        survey(&log()[..HEADER + 100]),
        (0, true, false),
        "cut in a chunk's header"
    );
    assert_eq!(
        survey(&log()[..second + 100]),
        (1, true, false),
        "cut in a record"
    );
    assert_eq!(
        survey(&log()[..HEADER + CHUNK - 1]),
        (3, true, false),
        "cut in the free space"
    );
    assert!(
        survey(&log()[..HEADER + CHUNK + 600]).1,
        "cut in the second chunk"
    );
    assert_eq!(
        survey(&changed(0, b"NotFile")),
        (6, false, true),
        "bad magic of the file"
    );
    assert_eq!(
        survey(&changed(HEADER, b"NotChnk")),
        (3, true, false),
        "bad magic of a chunk"
    );
    assert_eq!(
        survey(&changed(second, b"xxxx")),
        (5, true, true),
        "bad magic of a record"
    );
    assert_eq!(
        survey(&changed(second + 24, &[0xff; 40])),
        (5, true, true),
        "a bad record"
    );
    assert!(
        survey(&changed(second + 4, &[0xff; 4])).1,
        "a record longer than its chunk"
    );
    assert_eq!(
        survey(&changed(second + 4, &[0; 4])),
        (5, true, true),
        "a record without size"
    );
    assert_eq!(
        survey(&changed(HEADER + 52, &[0; 4])),
        (6, false, true),
        "a wrong checksum of records"
    );
    assert_eq!(
        survey(&changed(124, &[0; 4])),
        (6, false, true),
        "a wrong checksum of the file"
    );
    assert_eq!(
        survey(&changed(120, &[1])),
        (6, false, true),
        "not closed cleanly"
    );
    assert_eq!(
        survey(&changed(42, &[200, 0])),
        (6, false, true),
        "a wrong number of chunks"
    );
    let gap = [
        &log()[..HEADER + CHUNK],
        &[0; CHUNK],
        &log()[HEADER + CHUNK..],
        &[0; CHUNK],
    ]
    .concat();
    assert_eq!(survey(&gap), (6, false, false), "room to grow");
    let out = read_bytes(changed(second, b"xxxx"));
    assert!(
        out.shown()[0].starts_with("-: is damaged: chunk 0: Failed to read the record at offset"),
        "{:?}",
        out.shown()
    );
}

/// Whatever is wrong with a log, it does not stop the reader.
#[test]
fn any_damage_can_be_read() {
    let log = log();
    let used = HEADER + 8192;
    for at in (0..used).step_by(13).chain(HEADER..HEADER + 1600) {
        for value in [0x00, 0xff, log[at] ^ 0x01] {
            let mut damaged = log[..HEADER + CHUNK].to_vec();
            damaged[at] = value;
            read_bytes(&damaged);
        }
    }
    for end in (0..used).step_by(97) {
        read_bytes(&log[..end]);
    }
}

#[test]
fn the_corpus_can_be_damaged() {
    let Some(files) = corpus() else { return };
    let mut cases: Vec<_> = files.iter().collect();
    cases.sort();
    for (case, bytes) in cases.into_iter().take(12) {
        let whole = read_bytes(bytes).events.len();
        for end in (0..bytes.len()).step_by(4099) {
            assert!(
                read_bytes(&bytes[..end]).events.len() <= whole,
                "{case} cut at {end}"
            );
        }
        for at in (HEADER..HEADER + 6000).step_by(61) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            read_bytes(&damaged);
        }
    }
}
