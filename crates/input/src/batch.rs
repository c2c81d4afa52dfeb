//! What the reader hands on: some whole events of one file.

use event::{Block, Parsed};
use std::fmt;
use std::sync::Arc;

/// A batch is handed on when it holds this many bytes of events: enough that handing it on costs nothing, little enough
/// that several threads have work and memory stays small.
pub const BATCH: usize = 256 << 10;

/// Some whole events of one input, in their order.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The input the events come from, as it is shown to the user: [`Input::file`](crate::Input::file).
    pub file: Arc<str>,
    /// The number of this batch among those of its input, from 0.
    pub sequence: u64,
    /// The events.
    pub block: Block,
    /// Where each of them stood in its input.
    pub positions: Vec<Position>,
    /// How much of the input had been read when this batch was complete, in bytes as they lie on the disk: the measure
    /// of progress against [`Inputs::size`](crate::Inputs::size).
    pub consumed: u64,
}

impl Batch {
    /// The events, each with where it stood in its input.
    pub fn events(&self) -> impl Iterator<Item = (Position, Parsed<'_, '_>)> {
        self.positions.iter().copied().zip(self.block.events())
    }
}

/// Where an event stands in its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// The line on which it begins, from 1.
    Line(u64),
    /// Its EVTX record id.
    Record(u64),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::Line(line) => write!(f, "line {line}"),
            Position::Record(id) => write!(f, "record {id}"),
        }
    }
}
