//! From bytes to UTF-8 with line feeds: UTF-16 is decoded, the line ends of old Macs are changed.

use encoding_rs::{DecoderResult, Encoding, UTF_16BE, UTF_16LE};

/// The byte order mark in UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The text that an input begins with, as [`Text::decode`] gives it.
pub(super) fn sample(head: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    Text::of(head).decode(head, false, &mut text);
    text
}

/// How the bytes of a text become UTF-8.
pub(super) struct Text {
    utf16: Option<encoding_rs::Decoder>,
    /// Lines end with a lone carriage return.
    returns: bool,
}

impl Text {
    /// Reads off the beginning of a text how it is written.
    pub(super) fn of(head: &[u8]) -> Text {
        let encoding = utf16(head);
        let mut text = Text {
            utf16: encoding.map(Encoding::new_decoder_with_bom_removal),
            returns: false,
        };
        let mut sample = Vec::new();
        text.decode(head, false, &mut sample);
        Text {
            utf16: encoding.map(Encoding::new_decoder_with_bom_removal),
            returns: has_returns(&sample),
        }
    }

    /// Appends what `bytes` say to `out`; returns where in `out` a U+FFFD stands for what was no UTF-16. `last` says that no
    /// more bytes follow. Text in UTF-8 is appended as it is, valid or not.
    pub(super) fn decode(&mut self, mut bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Vec<usize> {
        let start = out.len();
        let mut replaced = Vec::new();
        match &mut self.utf16 {
            None => out.extend_from_slice(bytes),
            Some(decoder) => loop {
                let wanted = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
                let filled = out.len();
                out.resize(filled + wanted.unwrap_or(bytes.len()), 0);
                let (result, read, written) =
                    decoder.decode_to_utf8_without_replacement(bytes, &mut out[filled..], last);
                out.truncate(filled + written);
                bytes = &bytes[read..];
                match result {
                    DecoderResult::InputEmpty => break,
                    DecoderResult::OutputFull => {}
                    DecoderResult::Malformed(..) => {
                        replaced.push(out.len());
                        out.extend_from_slice("\u{FFFD}".as_bytes());
                    }
                }
            },
        }
        if self.returns {
            for byte in out[start..].iter_mut().filter(|byte| **byte == b'\r') {
                *byte = b'\n';
            }
        }
        replaced
    }
}

/// UTF-16 by its byte order mark, or by the zero that it has beside every ASCII character.
fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    let begins = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    match *head {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [byte, 0, ..] if begins(byte) => Some(UTF_16LE),
        [0, byte, ..] if begins(byte) => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether lines end with a lone carriage return: there is no line feed, and in JSON the first carriage return stands
/// where one may end a line and not inside a string.
fn has_returns(sample: &[u8]) -> bool {
    if memchr::memchr(b'\n', sample).is_some() {
        return false;
    }
    let Some(first) = memchr::memchr(b'\r', sample) else {
        return false;
    };
    let text = sample.strip_prefix(BOM).unwrap_or(sample);
    if !matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return true;
    }
    let next = sample[first..]
        .iter()
        .find(|byte| !matches!(byte, b'\r' | b' ' | b'\t'));
    matches!(next, Some(b'{' | b'}' | b'[' | b']' | b'"'))
}
