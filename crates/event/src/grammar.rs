//! The grammar of JSON (RFC 8259), checked byte by byte and without recursion.
//!
//! [`check_object`] is the only place that decides whether a text is an event; [`walk`] and the look-ups rely on its
//! verdict, but stay harmless (no panic, no endless loop) on any text.

use crate::Member;
use crate::value::{Text, Value};
use std::borrow::Cow;
use thiserror::Error;
use wide::u8x32;

/// How deep an event may be nested. Elasticsearch accepts 20 levels by default; the deepest real event seen has 9.
pub const MAX_DEPTH: usize = 128;

/// A text that is not one well-formed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{reason} (byte {offset})")]
pub struct Malformed {
    /// Where the text stops being well-formed, in bytes from its beginning.
    pub offset: usize,
    /// Why.
    pub reason: Reason,
}

/// Why a text is not one well-formed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// Bytes that are no UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// The text ends inside a value.
    #[error("the text ends in the middle of a value")]
    Truncated,
    /// Something else than an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// Something that JSON does not know at this place.
    #[error("not valid JSON")]
    Unexpected,
    /// A number that JSON does not know, like `01`, `+1`, `.5` or `NaN`.
    #[error("not a JSON number")]
    BadNumber,
    /// A backslash followed by something that is no escape.
    #[error("not a JSON escape")]
    BadEscape,
    /// A control character (U+0000 to U+001F) that is not escaped.
    #[error("a control character in a string must be escaped")]
    ControlCharacter,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Longer than 4 GiB.
    #[error("longer than 4 GiB")]
    TooLong,
    /// A second value after the first.
    #[error("something follows the object")]
    Trailing,
}

/// The two kinds of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
}

/// Checks that `text` is one JSON object.
pub(crate) fn check_object(text: &str) -> Result<(), Malformed> {
    let bytes = text.as_bytes();
    let start = skip_space(bytes, 0);
    if bytes.get(start) != Some(&b'{') {
        return Err(stopped(bytes, start, Reason::NotAnObject));
    }
    let end = scan_value(bytes, start)?;
    match skip_space(bytes, end) {
        rest if rest == bytes.len() => Ok(()),
        rest => Err(Malformed {
            offset: rest,
            reason: Reason::Trailing,
        }),
    }
}

/// Checks the JSON value that begins at or after `at` (white space is skipped) and returns where it ends.
///
/// Iterative: the depth is bounded by [`MAX_DEPTH`], the time by the length. Whether the bytes are UTF-8 is not asked.
///
/// # Errors
/// [`Malformed`] with the offset in `bytes`; [`Reason::Truncated`] when more bytes could make it a value.
pub fn scan_value(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    let mut at = skip_space(bytes, at);
    // The open containers, innermost last; a bit says whether it is an object.
    let mut objects = 0u128;
    let mut depth = 0usize;
    loop {
        // Here a value is expected.
        let mut closing = false;
        match bytes.get(at) {
            Some(b'{') => {
                (objects, depth) = enter(objects, depth, 1, at)?;
                at = skip_space(bytes, at + 1);
                if bytes.get(at) == Some(&b'}') {
                    closing = true;
                } else {
                    at = scan_key(bytes, at)?;
                    continue;
                }
            }
            Some(b'[') => {
                (objects, depth) = enter(objects, depth, 0, at)?;
                at = skip_space(bytes, at + 1);
                if bytes.get(at) == Some(&b']') {
                    closing = true;
                } else {
                    continue;
                }
            }
            Some(b'"') => at = scan_string(bytes, at)?.0,
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => at = scan_scalar(bytes, at)?,
            _ => return Err(stopped(bytes, at, Reason::Unexpected)),
        }
        // Here a value has ended, or the container that is empty is about to.
        loop {
            if depth == 0 {
                return Ok(at);
            }
            let is_object = objects & 1 == 1;
            if !closing {
                at = skip_space(bytes, at);
            }
            match bytes.get(at) {
                Some(b',') if !closing => {
                    at = skip_space(bytes, at + 1);
                    if is_object {
                        at = scan_key(bytes, at)?;
                    }
                    break;
                }
                Some(b'}') if is_object => {}
                Some(b']') if !is_object => {}
                _ => return Err(stopped(bytes, at, Reason::Unexpected)),
            }
            at += 1;
            objects >>= 1;
            depth -= 1;
            closing = false;
        }
    }
}

fn enter(
    objects: u128,
    depth: usize,
    is_object: u128,
    at: usize,
) -> Result<(u128, usize), Malformed> {
    if depth == MAX_DEPTH {
        return Err(Malformed {
            offset: at,
            reason: Reason::TooDeep,
        });
    }
    Ok((objects << 1 | is_object, depth + 1))
}

/// A key, its colon and the white space after it.
fn scan_key(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    if bytes.get(at) != Some(&b'"') {
        return Err(stopped(bytes, at, Reason::Unexpected));
    }
    let colon = scan_colon(bytes, scan_string(bytes, at)?.0)?;
    Ok(skip_space(bytes, colon))
}

/// The colon after a key that ends at `at`.
pub(crate) fn scan_colon(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    let at = skip_space(bytes, at);
    match bytes.get(at) {
        Some(b':') => Ok(at + 1),
        _ => Err(stopped(bytes, at, Reason::Unexpected)),
    }
}

/// What is wrong where a text cannot go on: `reason`, or nothing but that it has ended.
fn stopped(bytes: &[u8], offset: usize, reason: Reason) -> Malformed {
    let reason = if offset < bytes.len() {
        reason
    } else {
        Reason::Truncated
    };
    Malformed { offset, reason }
}

/// The escapes in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Escapes {
    /// There are none.
    None,
    /// Only the short forms of characters that must be escaped.
    Plain,
    /// Others: `\u` and `\/` may stand for any character.
    Odd,
}

/// A string from its opening quote: where it ends (after the closing one), and which escapes it has.
///
/// Block by block, with a bit for each byte; what bits cannot tell – an odd escape, an error – is read byte by byte.
pub(crate) fn scan_string(bytes: &[u8], at: usize) -> Result<(usize, Escapes), Malformed> {
    let mut at = at + 1;
    let mut escapes = Escapes::None;
    let mut first_is_escaped = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let block = Block::new(block, first_is_escaped);
        let end = block.quotes.trailing_zeros();
        let inside = if end < 32 { (1 << end) - 1 } else { u32::MAX };
        if block.odd & inside != 0 {
            match scan_plainly(
                bytes,
                at - first_is_escaped as usize,
                at + BLOCK,
                &mut escapes,
            )? {
                Plainly::End(end) => return Ok((end, escapes)),
                Plainly::After(next) => (at, first_is_escaped) = (next, 0),
            }
            continue;
        }
        if block.backslashes & inside != 0 {
            escapes = escapes.max(Escapes::Plain);
        }
        if end < 32 {
            return Ok((at + end as usize + 1, escapes));
        }
        at += BLOCK;
        first_is_escaped = block.next_is_escaped;
    }
    match scan_plainly(
        bytes,
        at - first_is_escaped as usize,
        usize::MAX,
        &mut escapes,
    )? {
        Plainly::End(end) => Ok((end, escapes)),
        Plainly::After(end) => Err(stopped(bytes, end, Reason::Unexpected)),
    }
}

/// How many bytes of a string are read at once: one bit each.
const BLOCK: usize = 32;

/// Part of a string, with the lowest bit for its first byte.
struct Block {
    backslashes: u32,
    /// The quotes that are not escaped: the first of them ends the string.
    quotes: u32,
    /// Control characters, and what follows a backslash but is none of the short escapes of JSON.
    odd: u32,
    /// Whether the byte behind the block is escaped: 0 or 1.
    next_is_escaped: u32,
}

impl Block {
    #[inline]
    fn new(bytes: &[u8; BLOCK], first_is_escaped: u32) -> Block {
        let block = u8x32::new(*bytes);
        let is = |byte: u8| block.simd_eq(u8x32::splat(byte));
        let backslashes = is(b'\\').to_bitmask();
        let quotes = is(b'"').to_bitmask();
        let controls = block.simd_eq(block.min(u8x32::splat(0x1f))).to_bitmask();
        if backslashes | first_is_escaped == 0 {
            return Block {
                backslashes,
                quotes,
                odd: controls,
                next_is_escaped: 0,
            };
        }
        // In a row of backslashes every second one is escaped, and what follows it if their number is odd: a subtraction
        // finds the ends of the rows. (Langdale and Lemire, Parsing Gigabytes of JSON per Second, 3.1.1.)
        const ODD_BITS: u32 = 0xaaaa_aaaa;
        let beginning = backslashes & !first_is_escaped;
        let ends = ((beginning << 1 | ODD_BITS).wrapping_sub(beginning)) ^ ODD_BITS;
        let escaped = ends ^ (backslashes | first_is_escaped);
        let short = is(b'b') | is(b'f') | is(b'n') | is(b'r') | is(b't');
        let may_be_escaped = short.to_bitmask() | backslashes | quotes;
        Block {
            backslashes,
            quotes: quotes & !escaped,
            odd: controls | escaped & !may_be_escaped,
            next_is_escaped: (ends & backslashes) >> 31,
        }
    }
}

/// Where the bytes of a string led to, read one by one.
enum Plainly {
    /// The string ends there.
    End(usize),
    /// It goes on there.
    After(usize),
}

/// Reads a string from `at`, which is not escaped, up to its end or at least to `enough`.
fn scan_plainly(
    bytes: &[u8],
    mut at: usize,
    enough: usize,
    escapes: &mut Escapes,
) -> Result<Plainly, Malformed> {
    while at < enough.min(bytes.len()) {
        at = match bytes[at] {
            b'"' => return Ok(Plainly::End(at + 1)),
            b'\\' => {
                *escapes = (*escapes).max(Escapes::Plain);
                match bytes.get(at + 1) {
                    Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => at + 2,
                    Some(b'/') => {
                        *escapes = Escapes::Odd;
                        at + 2
                    }
                    Some(b'u') => {
                        *escapes = Escapes::Odd;
                        let digits = &bytes[at + 2..(at + 6).min(bytes.len())];
                        let good = digits.iter().take_while(|digit| digit.is_ascii_hexdigit());
                        match good.count() {
                            4 => at + 6,
                            good => return Err(stopped(bytes, at + 2 + good, Reason::BadEscape)),
                        }
                    }
                    _ => return Err(stopped(bytes, at + 1, Reason::BadEscape)),
                }
            }
            ..0x20 => return Err(stopped(bytes, at, Reason::ControlCharacter)),
            _ => at + 1,
        }
    }
    Ok(Plainly::After(at))
}

/// A number or a word.
pub(crate) fn scan_scalar(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    match bytes.get(at) {
        Some(b't') => scan_word(bytes, at, b"true"),
        Some(b'f') => scan_word(bytes, at, b"false"),
        Some(b'n') => scan_word(bytes, at, b"null"),
        _ => scan_number(bytes, at),
    }
}

fn scan_number(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let fail = |at: usize| stopped(bytes, at, Reason::BadNumber);
    let start = at + usize::from(bytes.get(at) == Some(&b'-'));
    let mut end = digits(start);
    if end == start || (bytes[start] == b'0' && end > start + 1) {
        return Err(fail(start));
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return Err(fail(end));
        }
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent);
        if end == exponent {
            return Err(fail(end));
        }
    }
    Ok(end)
}

fn scan_word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Malformed> {
    let rest = &bytes[at..];
    if rest.starts_with(word) {
        return Ok(at + word.len());
    }
    let reason = if word.starts_with(rest) {
        Reason::Truncated
    } else {
        Reason::Unexpected
    };
    Err(Malformed { offset: at, reason })
}

#[inline]
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Follows a walk through a well-formed text.
pub(crate) trait Visitor<'a> {
    /// A key of the innermost object; its value comes next.
    fn key(&mut self, key: Text<'a>);
    /// A value that is no container.
    fn scalar(&mut self, value: Value<'a>);
    /// A container begins; `text` is the whole of it.
    fn open(&mut self, kind: Kind, text: &'a str);
    /// The innermost container ends.
    fn close(&mut self);
}

/// Walks through a text that [`check_object`] has accepted.
pub(crate) fn walk<'a>(text: &'a str, visitor: &mut impl Visitor<'a>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                let kind = if *byte == b'{' {
                    Kind::Object
                } else {
                    Kind::Array
                };
                visitor.open(kind, &text[at..skip_value(bytes, at)]);
                at += 1;
            }
            b'}' | b']' => {
                visitor.close();
                at += 1;
            }
            b'"' => {
                let (string, end) = string_at(text, at);
                let next = skip_space(bytes, end);
                if bytes.get(next) == Some(&b':') {
                    visitor.key(string);
                    at = next + 1;
                } else {
                    visitor.scalar(Value::String(string.decode()));
                    at = end;
                }
            }
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => at += 1,
            _ => {
                let end = skip_value(bytes, at);
                visitor.scalar(word_or_number(&text[at..end]));
                at = end;
            }
        }
    }
}

/// The value that `literal` says: not a string, not a container.
pub(crate) fn word_or_number(literal: &str) -> Value<'_> {
    match literal {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number => Value::Number(number),
    }
}

/// The string whose opening quote stands at `at`, and where it ends, after its closing quote.
#[inline]
pub(crate) fn string_at(text: &str, at: usize) -> (Text<'_>, usize) {
    let bytes = text.as_bytes();
    let start = at + 1;
    let mut end = start;
    let mut escaped = false;
    while let Some(found) = bytes
        .get(end..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        end += found;
        if bytes[end] == b'"' {
            return (
                Text {
                    raw: &text[start..end],
                    escaped,
                },
                end + 1,
            );
        }
        escaped = true;
        end += 2;
    }
    (
        Text {
            raw: &text[start..],
            escaped,
        },
        bytes.len(),
    )
}

/// Where the value that begins at `at` ends, in a well-formed text.
#[inline]
pub(crate) fn skip_value(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at),
        Some(b'{' | b'[') => {
            let mut depth = 0usize;
            let mut at = at;
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => {
                        at = skip_string(bytes, at);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return at + 1;
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            bytes.len()
        }
        _ => {
            let length = bytes[at..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'));
            length.map_or(bytes.len(), |length| at + length.max(1))
        }
    }
}

fn skip_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

/// A well-formed text without the white space between its tokens.
pub(crate) fn without_space(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut compact = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let start = skip_space(bytes, at);
        at = match bytes.get(start) {
            Some(b'"') => skip_string(bytes, start),
            Some(_) => bytes[start..]
                .iter()
                .position(|byte| matches!(byte, b'"' | b' ' | b'\t' | b'\n' | b'\r'))
                .map_or(bytes.len(), |length| start + length),
            None => start,
        };
        compact.push_str(&text[start..at]);
    }
    compact
}

/// The top-level members of a well-formed object.
pub(crate) fn members(text: &str) -> impl Iterator<Item = Member<'_>> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0) + 1;
    std::iter::from_fn(move || {
        at = skip_space(bytes, at);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let (key, key_end) = string_at(text, at);
        let key_range = at..key_end;
        let start = skip_space(bytes, skip_space(bytes, key_end) + 1);
        at = skip_value(bytes, start);
        let key: Cow<'_, str> = key.decode();
        Some(Member {
            key,
            key_range,
            value: &text[start..at],
            value_range: start..at,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn blocks_are_read_as_bytes_are(
            parts in prop::collection::vec(
                prop::sample::select(
                    ["\\\\", "\\", "\"", "\\\"", "\\n", "\\/", "\\u00e9", "\\u00", "\\x", "\t", "a", "é", "0123456789", "C:\\\\a"]
                        .as_slice(),
                ),
                0..40,
            ),
        ) {
            let text = format!("\"{}", parts.concat());
            let mut escapes = Escapes::None;
            let plainly = scan_plainly(text.as_bytes(), 1, usize::MAX, &mut escapes);
            let expected = plainly.and_then(|plainly| match plainly {
                Plainly::End(end) => Ok((end, escapes)),
                Plainly::After(end) => Err(stopped(text.as_bytes(), end, Reason::Truncated)),
            });
            prop_assert_eq!(scan_string(text.as_bytes(), 0), expected, "{}", text);
        }
    }
}
