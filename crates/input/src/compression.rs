//! Compressed input: gzip and zstd are unpacked on the way, everything else that packs is refused with a way out.

use crate::source::Source;
use flate2::read::MultiGzDecoder;
use std::io;

/// One compression: how it begins and how it is unpacked.
pub(crate) struct Compression {
    begins: fn(&[u8]) -> bool,
    unpack: for<'a> fn(Source<'a>) -> io::Result<Source<'a>>,
}

static COMPRESSIONS: &[Compression] = &[
    // Several members in one file are one text, as gzip itself says.
    Compression {
        begins: |head| head.starts_with(&[0x1f, 0x8b]),
        unpack: |source| Ok(Source::new(MultiGzDecoder::new(source))),
    },
    // Frames follow one another likewise; a file may also begin with one that zstd skips.
    Compression {
        begins: |head| {
            head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
                || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
        },
        unpack: |source| Ok(Source::new(zstd::stream::read::Decoder::new(source)?)),
    },
];

impl Compression {
    /// The compression of something that begins like this.
    pub(crate) fn of(head: &[u8]) -> Option<&'static Compression> {
        COMPRESSIONS
            .iter()
            .find(|compression| (compression.begins)(head))
    }

    pub(crate) fn unpack<'a>(&self, source: Source<'a>) -> io::Result<Source<'a>> {
        (self.unpack)(source)
    }
}

/// What is recognised only to be refused.
struct Refused {
    name: &'static str,
    offset: usize,
    magic: &'static [u8],
    way_out: &'static str,
}

const UNPACK: &str = "unpack it and give the folder";
const PIPE: &str = "unpack it, or pipe what it holds to `-`";

#[rustfmt::skip]
static REFUSED: &[Refused] = &[
    Refused { name: "a zip archive", offset: 0, magic: b"PK\x03\x04", way_out: UNPACK },
    Refused { name: "an empty zip archive", offset: 0, magic: b"PK\x05\x06", way_out: UNPACK },
    Refused { name: "a split zip archive", offset: 0, magic: b"PK\x07\x08", way_out: UNPACK },
    Refused { name: "a 7z archive", offset: 0, magic: b"7z\xbc\xaf\x27\x1c", way_out: UNPACK },
    Refused { name: "a rar archive", offset: 0, magic: b"Rar!\x1a\x07", way_out: UNPACK },
    Refused { name: "a tar archive", offset: 257, magic: b"ustar", way_out: UNPACK },
    Refused { name: "compressed with xz", offset: 0, magic: b"\xfd7zXZ\x00", way_out: PIPE },
    Refused { name: "compressed with bzip2", offset: 0, magic: b"BZh", way_out: PIPE },
    Refused { name: "compressed with lz4", offset: 0, magic: b"\x04\x22\x4d\x18", way_out: PIPE },
    Refused { name: "compressed with snappy", offset: 0, magic: b"\xff\x06\x00\x00sNaPpY", way_out: PIPE },
];

/// Why something that begins like this is refused, with the way out.
pub(crate) fn refused(head: &[u8]) -> Option<String> {
    let is_at = |refused: &&Refused| {
        head.get(refused.offset..)
            .is_some_and(|rest| rest.starts_with(refused.magic))
    };
    let refused = REFUSED.iter().find(is_at)?;
    Some(format!("{}: {}", refused.name, refused.way_out))
}
