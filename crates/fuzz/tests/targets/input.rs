//! Files of every format: what is emitted is an event, what is counted is true, and how the bytes arrive does not matter.

#[path = "../../../input/tests/common/evtx.rs"]
mod evtx;

use event::{Event, Parser};
use flate2::{Compression, read::GzEncoder};
use fuzz::{Mutation, TEST_TIME};
use input::{Position, Report};
use std::fs;
use std::io::Read;
use std::ops::ControlFlow;

#[test]
fn evtx_is_read_as_far_as_it_goes() {
    let event = |id: usize| {
        format!(
            "<Event><System><Provider Name=\"P{id}\"/><EventID>{id}</EventID><Channel>Security</Channel>\
             <TimeCreated SystemTime=\"2024-05-06T07:08:09Z\"/></System>\
             <EventData><Data Name=\"Image\">C:\\x.exe</Data><Data>{id}</Data></EventData></Event>"
        )
    };
    let events: Vec<String> = (0..5).map(event).collect();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    run(&[
        evtx::file(&[&events]),
        evtx::file(&[&events[..2], &events[2..]]),
    ]);
}

#[test]
fn every_format_is_read_as_far_as_it_goes() {
    let lines = demo_events()[..20].join("\n").into_bytes();
    let mut gzip = Vec::new();
    GzEncoder::new(lines.as_slice(), Compression::fast())
        .read_to_end(&mut gzip)
        .unwrap();
    let utf16 = format!("\u{feff}{}", "{\"a\":\"é\"}\n".repeat(300));
    let utf16 = utf16.encode_utf16();
    let many = |text: &str| text.repeat(100).into_bytes();
    let array = format!("[{}{{}}]", "{\"a\":1},\n{\"a\":[{}]}\n,".repeat(200));
    let csv = "2024-05-06,a,1,\"x, \"\"y\"\"\nz\"\n2024-05-07,b,2,\n2024-05-08,c,3,w\n";
    run(&[
        zstd::encode_all(lines.as_slice(), 1).unwrap(),
        gzip,
        lines,
        utf16.flat_map(u16::to_le_bytes).collect(),
        array.into_bytes(),
        many("{\"Records\":[{\"a\":1},{\"b\":2}]} {\"hits\":{\"hits\":[{\"_source\":{\"c\":3}}]}}"),
        format!("time,name,id,text\n{}", csv.repeat(100)).into_bytes(),
        many(
            "type=SYSCALL msg=audit(1715000000.123:456): arch=c000003e syscall=59 success=yes exe=\"/usr/bin/id\" key=(null)\n\
             type=EXECVE msg=audit(1715000000.123:456): argc=2 a0=\"id\" a1=2D75\n",
        ),
        many(
            "May  6 07:08:09 host sysmon: <Event><System><Provider Name=\"Linux-Sysmon\"/><EventID>1</EventID></System>\
             <EventData><Data Name=\"Image\">/usr/bin/id</Data></EventData></Event>\n",
        ),
    ]);
}

/// Lines of the events of the demo.
pub fn demo_events() -> Vec<String> {
    let folder = testkit::workspace_root().join("demo/events");
    let names = ["linux.jsonl", "servers-ecs.jsonl", "workstations.jsonl"];
    let texts = names.map(|name| fs::read_to_string(folder.join(name)).unwrap());
    let lines = texts.iter().flat_map(|text| text.lines().take(20));
    lines.map(str::to_owned).collect()
}

fn run(samples: &[Vec<u8>]) {
    bolero::check!()
        .with_type::<(Mutation, u16)>()
        .with_test_time(TEST_TIME)
        .for_each(|(mutation, step)| {
            let bytes = mutation.apply(samples);
            let at_once = read(&bytes, bytes.len().max(1));
            assert_eq!(read(&bytes, usize::from(*step).max(1)), at_once);
        });
}

/// Reads bytes that arrive so many at a time.
fn read(bytes: &[u8], step: usize) -> (Vec<(Position, Vec<u8>)>, Report) {
    let mut events = Vec::new();
    let mut report = input::read_stream(
        "x".into(),
        Steps { bytes, at: 0, step },
        &mut Parser::default(),
        &mut |batch| {
            events.extend(
                batch
                    .events()
                    .map(|(position, event)| (position, event.event().text().as_bytes().to_vec())),
            );
            ControlFlow::Continue(())
        },
    );
    for (position, text) in &events {
        assert!(Event::parse(text).is_ok(), "{position}: {text:?}");
    }
    assert_eq!(report.events, events.len() as u64);
    // How far a reader has looked when it gives up is no promise.
    report.bytes = 0;
    (events, report)
}

/// Bytes that arrive so many at a time, but for the first, by which a stream is recognised: it is taken for what it looks like
/// when they are there, however few, so how they arrive does matter.
struct Steps<'a> {
    bytes: &'a [u8],
    at: usize,
    step: usize,
}

const FIRST: usize = 4096;

impl Read for Steps<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let step = FIRST.saturating_sub(self.at).max(self.step);
        let length = step.min(into.len()).min(self.bytes.len() - self.at);
        into[..length].copy_from_slice(&self.bytes[self.at..][..length]);
        self.at += length;
        Ok(length)
    }
}
