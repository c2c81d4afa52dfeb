//! Where events come from: files, folders, standard input; compressed or not; JSON in its many forms, EVTX, CSV, and the
//! logs of auditd and Sysmon for Linux.
//!
//! Everything that comes from outside is taken as hostile. What this crate promises:
//!
//! - **Told apart by content.** A name says nothing: compression and format are read off the first bytes. Only CSV is no
//!   format that tells: a file that the user named is more readily taken for it than one that was found in a folder.
//! - **Events are text.** An event is a range of bytes in a [`Batch`], one well-formed JSON object in valid UTF-8, with
//!   its numbers and duplicate keys as they were written. EVTX records and the events of Sysmon for Linux become the raw
//!   shape of winlogbeat 8; a row of CSV and a record of auditd become flat objects of strings.
//! - **Bounded memory.** Input is decoded piece by piece; a batch is about [`BATCH`] bytes, and nothing longer than
//!   [`MAX_EVENT`] is ever held. That is also all there is to say about compression bombs: what is unpacked is looked
//!   at and dropped, so a ratio of 1:1000 costs time in proportion to its output and no memory.
//! - **Nothing is dropped in silence, nothing stops the rest.** Each line, file or record that had to be left out, and
//!   each text that had to be repaired, is counted in the [`Report`] by its [`Reason`], the first ones with their place.
//! - **The same order every time.** Folders are read in the order of their names, events in the order of their file.
//!
//! What it leaves out: archives with several files inside (zip, 7z, tar …) are refused with a way out, and what an
//! event means is for others to say.
//!
//! ```
//! use event::Parser;
//! use input::Position;
//!
//! let text: &[u8] = b"{\"a\":1}\nbroken\n{\"a\":2}\n";
//! let mut lines = Vec::new();
//! let report = input::read_stream("-".into(), text, &mut Parser::default(), &mut |batch| {
//!     lines.extend(batch.events().map(|(position, _)| position));
//!     std::ops::ControlFlow::Continue(())
//! });
//! assert_eq!(lines, [Position::Line(1), Position::Line(3)]);
//! assert_eq!((report.events, report.lost()), (2, 1));
//! ```

mod batch;
mod compression;
mod decode;
mod read;
mod report;
mod source;
mod walk;

pub use batch::{BATCH, Batch, Position};
pub use decode::MAX_EVENT;
pub use read::{read, read_stream};
pub use report::{EXAMPLES, Effect, Issue, Place, Reason, Report, Tally};
pub use walk::{Input, Inputs, inputs};
