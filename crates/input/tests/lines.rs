//! Logs of Linux with an event on each line: auditd and Sysmon for Linux.

mod common;

use common::{Slow, read_bytes, read_from, read_path, zstd};
use event::Parser;
use input::Reason;
use serde_json::{Value, json};
use std::io::Read;
use std::ops::ControlFlow;

/// One record of auditd, as it comes out, without what all of them have.
fn record(text: &str) -> Value {
    let out = read_bytes(text);
    assert_eq!(out.shown(), [""; 0], "{text}");
    assert_eq!(out.events.len(), 1, "{text}");
    let mut event: Value = serde_json::from_str(out.texts()[0]).unwrap();
    let event_object = event.as_object_mut().unwrap();
    event_object.remove("@timestamp").unwrap();
    event_object.remove("serial").unwrap();
    event_object.remove("msg").unwrap();
    event
}

fn audit(kind: &str, rest: &str) -> Value {
    let mut event = record(&format!(
        "type={kind} msg=audit(1364481363.243:24287): {rest}\n"
    ));
    assert_eq!(event.as_object_mut().unwrap().remove("type").unwrap(), kind);
    event
}

#[test]
fn a_record_becomes_a_flat_event() {
    let out = read_bytes(
        "type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 success=no exit=-13 a0=7fffd19c5592 a1=0 \
         tty=pts0 comm=\"cat\" exe=\"/bin/cat\" key=\"sshd_config\"\x1dARCH=x86_64 SYSCALL=open AUID=\"alice\" UID=\"root\"\n\
         type=CWD msg=audit(1364481363.243:24287):  cwd=\"/home/alice\"\n",
    );
    assert_eq!(out.shown(), [""; 0]);
    assert_eq!(
        out.lines(),
        [
            (
                1,
                concat!(
                    r#"{"@timestamp":"2013-03-28T14:36:03.243Z","serial":24287,"type":"SYSCALL","#,
                    r#""msg":"audit(1364481363.243:24287)","arch":"c000003e","#,
                    r#""syscall":"2","success":"no","exit":"-13","a0":"7fffd19c5592","a1":"0","tty":"pts0","comm":"cat","#,
                    r#""exe":"/bin/cat","key":"sshd_config","ARCH":"x86_64","SYSCALL":"open","AUID":"alice","UID":"root"}"#
                )
            ),
            (
                2,
                concat!(
                    r#"{"@timestamp":"2013-03-28T14:36:03.243Z","serial":24287,"type":"CWD","#,
                    r#""msg":"audit(1364481363.243:24287)","cwd":"/home/alice"}"#
                )
            ),
        ]
    );
}

#[test]
fn encoded_values_are_decoded() {
    assert_eq!(
        audit(
            "EXECVE",
            "argc=4 a0=\"sh\" a1=2D63 a2=6C73202D6C0A a3=\"\" a4=\"6C73\""
        ),
        json!({"argc": "4", "a0": "sh", "a1": "-c", "a2": "ls -l\n", "a3": "", "a4": "6C73"})
    );
    assert_eq!(
        audit("PROCTITLE", "proctitle=6C73002D6C002F746D70"),
        json!({"proctitle": "ls -l /tmp"})
    );
    assert_eq!(
        audit("PROCTITLE", "proctitle=\"bash\""),
        json!({"proctitle": "bash"})
    );
    assert_eq!(
        audit(
            "PATH",
            "item=0 name=2F746D702F61206220C3A4 inode=10 mode=0100755 cap_fp=0"
        ),
        json!({"item": "0", "name": "/tmp/a b ä", "inode": "10", "mode": "0100755", "cap_fp": "0"})
    );
    // What looks like digits need not be an encoded value.
    assert_eq!(
        audit(
            "SYSCALL",
            "a0=10 a1=ABCD ppid=1234 comm=(null) name=6c73 exe=6C7"
        ),
        json!({"a0": "10", "a1": "ABCD", "ppid": "1234", "comm": "(null)", "name": "6c73", "exe": "6C7"})
    );
    assert_eq!(
        audit("SYSCALL", "key=66697273740167656865696D"),
        json!({"key": ["first", "geheim"]}),
        "the keys of two rules"
    );
}

#[test]
fn long_arguments_come_in_pieces() {
    assert_eq!(
        audit(
            "EXECVE",
            "argc=3 a0=\"echo\" a1_len=8 a1[0]=\"long\" a1[1]=\"word\" a2[0]=C3 a2[1]=A4"
        ),
        json!({"argc": "3", "a0": "echo", "a1_len": "8", "a1": "longword", "a2": "ä"})
    );
    assert_eq!(
        audit("EXECVE", "a1[1]=\"word\" a2=\"x\""),
        json!({"a1": "word", "a2": "x"})
    );
    assert_eq!(audit("SYSCALL", "a1[0]=C3"), json!({"a1[0]": "C3"}));
}

#[test]
fn messages_of_programs_are_opened() {
    let stop = "pid=1 uid=0 msg='unit=firewalld comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? \
        terminal=? res=success'";
    let mut expected = json!({
        "pid": "1", "uid": "0", "unit": "firewalld", "comm": "systemd", "exe": "/usr/lib/systemd/systemd",
        "hostname": "?", "addr": "?", "terminal": "?", "res": "success",
    });
    assert_eq!(audit("SERVICE_STOP", stop), expected);
    expected["UID"] = "root".into();
    for enriched in ["\x1dUID=\"root\"", "UID=\"root\""] {
        assert_eq!(
            audit("SERVICE_STOP", &format!("{stop}{enriched}")),
            expected
        );
    }
    assert_eq!(
        audit(
            "USER_CMD",
            "pid=9 msg='cwd=\"/root\" cmd=636174202F6574632F736861646F77 res=success'"
        ),
        json!({"pid": "9", "cwd": "/root", "cmd": "cat /etc/shadow", "res": "success"})
    );
    assert_eq!(
        audit(
            "USER",
            "msg='it is done, says he exe=\"/sbin/auditctl\" res=success'"
        ),
        json!({"exe": "/sbin/auditctl", "res": "success", "message": "it is done, says he"})
    );
    assert_eq!(
        audit("USER", "msg='cut off acct=\"al"),
        json!({"acct": "al", "message": "cut off"})
    );
}

#[test]
fn words_without_a_name_are_kept() {
    assert_eq!(
        audit(
            "AVC",
            "avc:  denied  { read write } for  pid=5 comm=\"httpd\" name=\"index.html\" permissive=0"
        ),
        json!({
            "pid": "5", "comm": "httpd", "name": "index.html", "permissive": "0",
            "message": "avc: denied { read write } for",
        })
    );
    assert_eq!(
        audit(
            "SOCKADDR",
            "saddr=02000050C0000201 SADDR={ saddr_fam=inet laddr=192.0.2.1 lport=80 }"
        ),
        json!({"saddr": "02000050C0000201", "SADDR": "saddr_fam=inet laddr=192.0.2.1 lport=80"})
    );
    assert_eq!(
        audit("KERNEL", "= =a b= c=\"d"),
        json!({"b": "", "c": "d", "message": "= =a"})
    );
    assert_eq!(audit("EOE", ""), json!({}));
    assert_eq!(audit("UNKNOWN[1334]", "prog-id=5"), json!({"prog-id": "5"}));
}

#[test]
fn names_that_come_twice_are_kept() {
    let out = read_bytes("type=USER_LOGIN msg=audit(1.000:2): uid=0 msg='uid=1000 res=failed'\n");
    assert_eq!(
        out.texts(),
        [concat!(
            r#"{"@timestamp":"1970-01-01T00:00:01.000Z","serial":2,"type":"USER_LOGIN","msg":"audit(1.000:2)","#,
            r#""uid":"0","uid":"1000","res":"failed"}"#
        )]
    );
}

#[test]
fn records_may_come_through_syslog() {
    let bare = "type=EXECVE msg=audit(1364481363.243:24287): argc=1 a0=\"id\"";
    let event = |node: Option<&str>| match node {
        Some(node) => json!({"node": node, "type": "EXECVE", "argc": "1", "a0": "id"}),
        None => json!({"type": "EXECVE", "argc": "1", "a0": "id"}),
    };
    assert_eq!(record(bare), event(None));
    for prefix in [
        "node=web1 ",
        "Mar 28 14:36:03 web1 audispd: ",
        "<13>Mar 28 14:36:03 web1 audisp-syslog[812]: ",
        "2013-03-28T14:36:03.243+00:00 web1 audispd: ",
        "<13>1 2013-03-28T14:36:03.243Z web1 audispd 812 - - ",
        "Mar 28 14:36:03 collector audispd: node=web1 ",
    ] {
        assert_eq!(
            record(&format!("{prefix}{bare}")),
            event(Some("web1")),
            "{prefix}"
        );
    }
}

#[test]
fn utf_16_is_read() {
    let text = "\u{FEFF}type=EOE msg=audit(1.000:1): a=\"ä\"\r\n".repeat(2);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let out = read_bytes(&text);
    assert_eq!((out.events.len(), out.shown()), (2, vec![]));
    assert_eq!(read_bytes(wide).events, out.events);
}

#[test]
fn a_record_without_a_time_is_broken() {
    let text = "type=EOE msg=audit(1.000:1): \n\
        type=EOE msg=audit(03/28/2013 14:36:03.243:24287) : \n\
        type=EOE msg=audit(99999999999999.000:1): \n\
        type=EOE msg=audit(1.1000:1): \n\
        type=EOE msg=audit(1.0\n\
        type=EOE msg=audit(1.000:4): \n";
    let out = read_bytes(text);
    assert_eq!(out.events.len(), 2);
    assert_eq!(
        out.places(),
        [
            (Reason::BrokenLine, 2, 1),
            (Reason::BrokenLine, 3, 1),
            (Reason::BrokenLine, 4, 1),
            (Reason::ForeignLine, 5, 1),
        ]
    );
}

#[test]
fn invalid_text_is_repaired() {
    let out = read_bytes(
        b"type=PATH msg=audit(1.000:1): name=\"\xff\"\ntype=PATH msg=audit(1.000:2): name=2FFF\n",
    );
    let names: Vec<Value> = out
        .texts()
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap()["name"].clone())
        .collect();
    assert_eq!(names, ["\u{FFFD}", "/\u{FFFD}"]);
    assert_eq!(
        out.places(),
        [(Reason::InvalidText, 1, 1), (Reason::InvalidText, 2, 1)]
    );
}

/// A line as Sysmon for Linux writes it.
fn sysmon(data: &str) -> String {
    format!(
        "<Event><System><Provider Name=\"Linux-Sysmon\" Guid=\"{{0a1b2c3d-0000-1111-2222-333344445555}}\"/><EventID>1</EventID>\
         <Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords>\
         <TimeCreated SystemTime=\"2024-01-02T03:04:05.678901000Z\"/><EventRecordID>75097</EventRecordID><Correlation/>\
         <Execution ProcessID=\"8\" ThreadID=\"16\"/><Channel>Linux-Sysmon/Operational</Channel><Computer>web1</Computer>\
         <Security UserId=\"0\"/></System><EventData>{data}</EventData></Event>"
    )
}

const COMMAND: &str = "<Data Name=\"RuleName\">-</Data><Data Name=\"CommandLine\">sh -c &quot;id &gt; a&quot; &amp;&amp; b</Data>\
    <Data Name=\"Empty\"></Data>";

#[test]
fn sysmon_has_the_shape_of_evtx() {
    let expected = concat!(
        r#"{"@timestamp":"2024-01-02T03:04:05.678Z","event":{"code":"1","kind":"event","provider":"Linux-Sysmon"},"#,
        r#""host":{"name":"web1"},"log":{"level":"information"},"winlog":{"api":"wineventlog","#,
        r#""channel":"Linux-Sysmon/Operational","computer_name":"web1","event_id":"1","provider_name":"Linux-Sysmon","#,
        r#""provider_guid":"{0A1B2C3D-0000-1111-2222-333344445555}","record_id":75097,"version":5,"#,
        r#""opcode":"Info","process":{"pid":8,"thread":{"id":16}},"user":{"identifier":"0"},"#,
        r#""event_data":{"RuleName":"-","CommandLine":"sh -c \"id > a\" && b"}}}"#
    );
    let event = sysmon(COMMAND);
    for prefix in [
        "",
        "Jan  2 03:04:05 web1 sysmon: ",
        "<134>Jan 12 03:04:05 web1 sysmon[12]: ",
        "2024-01-02T03:04:05.678901+00:00 web1 sysmon: ",
        "<14>1 2024-01-02T03:04:05.678Z web1 sysmon 1102 - - ",
    ] {
        let out = read_bytes(format!("{prefix}{event}\r\n"));
        assert_eq!(out.shown(), [""; 0], "{prefix}");
        assert_eq!(out.lines(), [(1, expected)], "{prefix}");
    }
}

#[test]
fn an_event_that_is_cut_off_is_lost() {
    let event = sysmon(COMMAND);
    for length in [
        "<Event>".len(),
        300,
        event.len() - "</Data></EventData></Event>".len(),
    ] {
        let text = format!(
            "Jan  2 03:04:05 web1 sysmon: {}\n{event}\n",
            &event[..length]
        );
        let out = read_bytes(text);
        assert_eq!(
            out.shown(),
            ["-:1:1: a broken line: the event is cut off"],
            "{length}"
        );
        assert_eq!(out.lines()[0].0, 2);
    }
    let out = read_bytes("<Event><System/></Event>\n");
    assert_eq!(out.shown(), ["-:1:1: a record without a channel"]);
    assert_eq!(
        out.texts(),
        [r#"{"event":{"kind":"event"},"winlog":{"api":"wineventlog"}}"#]
    );
}

/// As in `/var/log/syslog`.
#[test]
fn lines_of_other_programs_are_counted() {
    let text = format!(
        "Jan  2 03:04:05 web1 CRON[12]: (root) CMD (run-parts)\n\n\
         Jan  2 03:04:05 web1 sysmon: {}\n\
         Jan  2 03:04:05 web1 kernel: [ 1.0] <Event>\n\
         Jan  2 03:04:05 web1 sysmon: it has begun\n\
         Jan  2 03:04:05 web1 audispd: type=EOE msg=audit(1.000:1): \n\
         the rest of something\n",
        sysmon(COMMAND)
    );
    let out = read_bytes(&text);
    let lines: Vec<u64> = out.lines().iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 6]);
    assert_eq!(
        (out.report.count(Reason::ForeignLine), out.report.lost()),
        (4, 0)
    );
    for step in 1..60 {
        let bytes = text.as_bytes();
        assert_eq!(
            read_from(Slow { bytes, step }),
            out,
            "{step} bytes at a time"
        );
    }
}

#[test]
fn the_first_event_may_be_far_down() {
    let folder = tempfile::tempdir().unwrap();
    let others = "Jan  2 03:04:05 web1 CRON[12]: (root) CMD (run-parts)\n".repeat(5000);
    let record = "type=EOE msg=audit(1.000:1): \n";
    std::fs::write(
        folder.path().join("a.zst"),
        zstd(format!("{others}{record}").as_bytes()),
    )
    .unwrap();
    std::fs::write(folder.path().join("b"), &others).unwrap();
    let out = read_path(folder.path());
    assert_eq!(out.lines()[0].0, 5001);
    assert_eq!(out.report.count(Reason::ForeignLine), 10_000);
    assert_eq!(
        (out.report.count(Reason::Foreign), out.report.lost()),
        (1, 0)
    );
    let named = read_path(&folder.path().join("b"));
    assert_eq!(named.report.count(Reason::NotEvents), 1);
}

#[test]
fn lines_have_a_limit() {
    let record = |length: usize| {
        format!(
            "type=USER msg=audit(1.000:1): a=\"{}\"\n",
            "x".repeat(length)
        )
    };
    let text = [record(1), record(1_000_000), record(2_000_000), record(1)].concat();
    let out = read_bytes(&text);
    let lines: Vec<u64> = out.lines().iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 2, 4]);
    assert_eq!(out.shown(), ["-:3:1: a broken line: longer than 1 MiB"]);
    let endless = record(1).into_bytes();
    let endless = endless.chain(std::io::repeat(b'x').take(100 << 20));
    let report = input::read_stream("-".into(), endless, &mut Parser::default(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert_eq!((report.events, report.lost()), (1, 1));
}

/// Hostile lines must not cost more than their length.
#[test]
fn hostile_lines_take_linear_time() {
    let audit = |rest: &str| {
        format!(
            "type=EXECVE msg=audit(1.000:1): {}\n",
            rest.repeat(1_000_000 / rest.len())
        )
    };
    let event = |data: &str| sysmon(&data.repeat(1_000_000 / data.len())) + "\n";
    for (what, text) in [
        ("messages", audit(" msg='")),
        ("quotation marks", audit("a=\"")),
        ("pieces", audit("a0[0]=\"x\" ")),
        ("names", audit("a=b ")),
        ("equals signs", audit("=")),
        ("entities", event("&")),
        ("elements", event("<a>") + &event("<a b='</a>")),
        (
            "deep elements",
            event("<Data Name=\"x\"><b><c>y</c></b></Data>"),
        ),
        ("attributes", event("<a b=\"c\" b=\"c\"/>")),
        ("prefixes", "<1>Jan  2 03:04:05 ".repeat(50_000)),
        (
            "data",
            format!(
                "<1>1 2024-01-02T03:04:05Z a b c d [{}\n",
                "x]".repeat(400_000)
            ),
        ),
    ] {
        let text = format!("type=EOE msg=audit(1.000:1): \n{text}");
        let before = std::time::Instant::now();
        read_bytes(&text);
        let taken = before.elapsed();
        assert!(taken.as_secs() < 10, "{what} took {taken:?}");
    }
}

proptest::proptest! {
    /// Nothing that is read makes the reader panic or hang, or gives an event that is none.
    #[test]
    fn anything_can_be_read(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "type=", "EXECVE ", "msg=audit(1.000:1): ", "msg='", "'", "\"", "=", " ", "a0=", "a0[1]=", "6C73", "\u{1d}", "{",
                "}", "(", ")", "key=", "proctitle=", "\n", "ä", "\u{0}", "<134>", "1 ", "Jan  2 03:04:05 ", "web1 ",
                "sysmon: ", "2024-01-02T03:04:05Z ", "- ", "[", "] ", "<Event>", "</Event>", "<System>", "</System>",
                "<Data Name='a'>", "</Data>", "<a/>", "&amp;", "&", ";", "<EventData>", "</EventData>",
            ]),
            0..60,
        ),
        step in 1usize..50,
    ) {
        let text = format!("{}{}", "type=EOE msg=audit(1.000:1): \n".repeat(64), pieces.concat());
        let whole = read_bytes(&text);
        proptest::prop_assert!(whole.events.len() >= 63, "the last one may go on");
        proptest::prop_assert_eq!(read_from(Slow { bytes: text.as_bytes(), step }), whole);
        read_bytes(pieces.concat());
    }

    /// So does an event in which something is changed.
    #[test]
    fn changed_lines_can_be_read(
        at in proptest::collection::vec((0usize..2000, proptest::num::u8::ANY), 1..8),
        cut in 0usize..2000,
    ) {
        let lines = format!(
            "Jan  2 03:04:05 web1 sysmon: {}\ntype=EXECVE msg=audit(1.000:1): argc=2 a0=\"sh\" a1=2D63 key=6C0173\x1dUID=\"x\"\n",
            sysmon(COMMAND)
        );
        let mut bytes = lines.into_bytes();
        for (at, byte) in at {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        read_bytes(&bytes);
        bytes.truncate(cut);
        read_bytes(&bytes);
    }
}
