//! Broken input for whatever reads what comes from outside.
//!
//! Random bytes seldom get past the first check of a reader. So the input here is a sound sample, changed a little: bytes are
//! set, left out, doubled, repeated, and what has a meaning somewhere is put where it has none. The changes are data
//! ([`Change`]), made by `bolero`, which shortens the list of them when something fails.
//!
//! The targets are the tests of this crate. Each runs for about [`TEST_TIME`]; `BOLERO_RANDOM_TEST_TIME_MS` sets another time, as
//! `cargo xtask check` does. A failure prints a seed, and `BOLERO_RANDOM_SEED` runs it again.
//!
//! ```
//! use fuzz::{Change, Mutation};
//!
//! let mutation = Mutation { sample: 7, changes: vec![Change::Cut { at: 1, length: 2 }] };
//! assert_eq!(mutation.apply(&["{\"a\":1}"]), b"{\":1}");
//! ```

use bolero::TypeGenerator;
use std::time::Duration;

/// How long a target runs, if nobody says otherwise.
pub const TEST_TIME: Duration = Duration::from_secs(2);

/// No input gets longer than this by its changes.
const MAX_LENGTH: usize = 1 << 18;

/// `bolero` makes at most so many changes: what has too many fails early and at the same place.
const MAX_CHANGES: usize = 8;

/// How often [`Change::Nest`] repeats a token: further than any limit on depth.
const MAX_TIMES: u16 = 2_000;

/// Means something to one reader or another.
const TOKENS: [&str; 32] = [
    "\"", "\\", "\\u", "\\ud800", "{", "}", "[", "]", ",", ":", "'", "\n", "\r", "\t", "- ", "&a ",
    "*a", "<<: *a\n", "|\n", "> ", "---\n", "%x%", "*", "?", " and ", " not ", "1 of ", "(", ")",
    "1e999", "\u{feff}", "\0",
];

/// A sample and what is to be changed in it. Numbers that are too large count around: anything is a mutation.
#[derive(Clone, Debug, TypeGenerator)]
pub struct Mutation {
    /// Which sample.
    pub sample: u16,
    /// Its changes, one after another.
    #[generator(bolero::produce::<Vec<Change>>().with().len(0..=MAX_CHANGES))]
    pub changes: Vec<Change>,
}

/// One change. `at` counts the bytes that are not zero, since files have long stretches of nothing.
#[derive(Clone, Copy, Debug, TypeGenerator)]
pub enum Change {
    /// Another byte.
    Set {
        /// Where.
        at: u32,
        /// Which.
        byte: u8,
    },
    /// Four other bytes: a size or an offset, often.
    Number {
        /// Where.
        at: u32,
        /// Which, the lowest byte first.
        number: u32,
    },
    /// A token of some language.
    Insert {
        /// Where.
        at: u32,
        /// Which.
        token: u8,
    },
    /// The same token, again and again.
    Nest {
        /// Where.
        at: u32,
        /// Which.
        token: u8,
        /// How often.
        times: u16,
    },
    /// Something is missing.
    Cut {
        /// From where,
        at: u32,
        /// and how much.
        length: u8,
    },
    /// Something is there twice.
    Double {
        /// What, from here,
        at: u32,
        /// and so long,
        length: u8,
        /// comes here, too.
        to: u32,
    },
    /// Nothing more comes.
    End {
        /// From here on.
        at: u32,
    },
}

impl Mutation {
    /// The changed sample. Of no samples it is empty.
    pub fn apply(&self, samples: &[impl AsRef<[u8]>]) -> Vec<u8> {
        let Some(sample) = samples.get(usize::from(self.sample) % samples.len().max(1)) else {
            return Vec::new();
        };
        let mut bytes = sample.as_ref().to_vec();
        for change in &self.changes {
            change.apply(&mut bytes);
            bytes.truncate(MAX_LENGTH);
        }
        bytes
    }
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Change::Set { at, byte } => overwrite(bytes, at, &[byte]),
            Change::Number { at, number } => overwrite(bytes, at, &number.to_le_bytes()),
            Change::Insert { at, token } => insert(bytes, at, token_of(token)),
            Change::Nest { at, token, times } => {
                insert(
                    bytes,
                    at,
                    &token_of(token).repeat(usize::from(times % MAX_TIMES)),
                );
            }
            Change::Cut { at, length } => {
                let at = place(bytes, at);
                let end = (at + usize::from(length)).min(bytes.len());
                bytes.drain(at..end);
            }
            Change::Double { at, length, to } => {
                let at = place(bytes, at);
                let end = (at + usize::from(length)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                insert(bytes, to, &part);
            }
            Change::End { at } => bytes.truncate(place(bytes, at)),
        }
    }
}

fn token_of(number: u8) -> &'static [u8] {
    TOKENS[usize::from(number) % TOKENS.len()].as_bytes()
}

/// The place of a byte that is not zero; the end, if all are.
fn place(bytes: &[u8], at: u32) -> usize {
    let filled = bytes.iter().filter(|byte| **byte != 0).count().max(1);
    let mut places = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
    let nth = places.nth(at as usize % filled);
    nth.map_or(bytes.len(), |(place, _)| place)
}

fn overwrite(bytes: &mut [u8], at: u32, with: &[u8]) {
    let at = place(bytes, at);
    bytes[at..]
        .iter_mut()
        .zip(with)
        .for_each(|(byte, new)| *byte = *new);
}

fn insert(bytes: &mut Vec<u8>, at: u32, part: &[u8]) {
    let at = place(bytes, at);
    bytes.splice(at..at, part.iter().copied());
}
