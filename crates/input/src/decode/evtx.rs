//! EVTX, the event log of Windows Vista and later.
//!
//! A file is a header of 4 KiB and chunks of 64 KiB, each complete in itself. So a log is read chunk after chunk like any
//! other stream, also out of a compressed file or from standard input: nothing is sought, nothing kept. The header is
//! hardly needed: what it says about the number of chunks is not relied upon. Events come in the order of the file; in a
//! log that has wrapped around, the oldest are not the first.
//!
//! Reading the binary XML is the `evtx` crate's; its records come as XML, the one form that keeps the order of the data
//! and the place of values without a name, and become events in [`winlogbeat`](super::winlogbeat).

use super::winlogbeat::{Record, convert};
use super::{Confidence, Decoder};
use crate::batch::Position;
use crate::read::Output;
use crate::report::{Place, Reason};
use crate::source::{Head, Source};
use ::evtx::{EvtxChunkData, EvtxFileHeader, HeaderFlags, ParserSettings};
use std::error::Error;
use std::fmt::Display;
use std::ops::ControlFlow;
use std::sync::Arc;

const HEADER: usize = 4096;
const CHUNK: usize = 65536;

pub(super) struct Evtx;

impl Decoder for Evtx {
    fn name(&self) -> &'static str {
        "EVTX"
    }

    /// By the header, or where that is damaged, by the first chunk.
    fn recognises(&self, head: &Head<'_>) -> Confidence {
        let chunk = head.bytes.get(HEADER..).unwrap_or(&[]);
        Confidence::sure_if(head.bytes.starts_with(b"ElfFile\0") || chunk.starts_with(b"ElfChnk\0"))
    }

    fn decode(&self, source: &mut Source<'_>, output: &mut Output<'_>) -> ControlFlow<()> {
        let mut file = File::default();
        let result = file.decode(source, output);
        file.damage.report(Reason::DamagedEvtx, output);
        file.doubts.report(Reason::SuspectEvtx, output);
        result
    }
}

#[derive(Default)]
struct File {
    /// What could not be read.
    damage: Remarks,
    /// What is wrong but could be read.
    doubts: Remarks,
}

impl File {
    fn decode(&mut self, source: &mut Source<'_>, output: &mut Output<'_>) -> ControlFlow<()> {
        self.header(source);
        let settings = Arc::new(ParserSettings::default().indent(false));
        let mut bytes = vec![0; CHUNK];
        for number in 0u64.. {
            output.before_read()?;
            let length = source.pull_all(&mut bytes);
            if length == 0 {
                break;
            }
            if length < CHUNK {
                self.damage.add(format_args!(
                    "chunk {number} is cut off after {length} bytes"
                ));
                // What follows is read as the free space at the end of a chunk.
                bytes[length..].fill(0);
            }
            // A log is made with room to grow.
            if bytes.iter().any(|byte| *byte != 0) {
                self.chunk(number, &bytes, length < CHUNK, &settings, output)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn header(&mut self, source: &mut Source<'_>) {
        let mut header = vec![0; HEADER];
        let length = source.pull_all(&mut header);
        if length < HEADER {
            self.damage.add(format_args!(
                "the file header is cut off after {length} bytes"
            ));
            return;
        }
        match EvtxFileHeader::from_bytes(&header) {
            Ok(header) => {
                if header.flags.contains(HeaderFlags::DIRTY) {
                    self.doubts.add("it was not closed cleanly");
                }
                if !header.validate_checksum() {
                    self.doubts.add("the checksum of the file header is wrong");
                }
            }
            Err(error) => self.doubts.add(whole(&error)),
        }
    }

    fn chunk(
        &mut self,
        number: u64,
        bytes: &[u8],
        is_cut: bool,
        settings: &Arc<ParserSettings>,
        output: &mut Output<'_>,
    ) -> ControlFlow<()> {
        let mut data = match EvtxChunkData::new(bytes.to_vec(), false) {
            Ok(data) => data,
            Err(error) => {
                self.damage
                    .add(format_args!("chunk {number}: {}", whole(&error)));
                return ControlFlow::Continue(());
            }
        };
        if !is_cut && !data.validate_checksum() {
            self.doubts
                .add(format_args!("the checksum of chunk {number} is wrong"));
        }
        let mut chunk = match data.parse(Arc::clone(settings)) {
            Ok(chunk) => chunk,
            Err(error) => {
                self.damage
                    .add(format_args!("chunk {number}: {}", whole(&error)));
                return ControlFlow::Continue(());
            }
        };
        for record in chunk.iter() {
            let (id, written, xml) = match record.and_then(|record| {
                let (id, written) = (record.event_record_id, record.timestamp);
                Ok((id, written, record.into_xml()?.data))
            }) {
                Ok(record) => record,
                Err(error) => {
                    self.damage
                        .add(format_args!("chunk {number}: {}", whole(&error)));
                    continue;
                }
            };
            let event = convert(&Record {
                xml: &xml,
                id: Some(id),
                written: Some(written),
            });
            if !event.has_channel {
                output.issue(Reason::NoChannel, Place::Record(id), "");
            }
            output.event(&event.json, Position::Record(id))?;
        }
        ControlFlow::Continue(())
    }
}

/// Remarks on one file, of which the first is worth reading.
#[derive(Default)]
struct Remarks {
    first: String,
    count: u64,
}

impl Remarks {
    fn add(&mut self, remark: impl Display) {
        if self.count == 0 {
            self.first = remark.to_string();
        }
        self.count += 1;
    }

    fn report(&self, reason: Reason, output: &mut Output<'_>) {
        match self.count {
            0 => {}
            1 => output.issue(reason, Place::File, &self.first),
            more => output.issue(
                reason,
                Place::File,
                format_args!("{more} times; first: {}", self.first),
            ),
        }
    }
}

/// An error with its causes.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
