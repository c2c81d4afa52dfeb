//! Text that real programs write and JSON forbids, made valid.

use super::envelope::truncated;
use event::{MAX_DEPTH, Malformed};

/// Where the value that `text` begins with ends, by brackets and quotes alone; what has no brackets ends before the comma,
/// bracket or line end after it. It has no end, and `Err` says up to where that was not seen, when the brackets do not
/// fit, when a line ends inside a string, or when a line begins like another event: not deeper than `indent`, with an
/// opening brace. So a broken value costs no more time than the lines up to the next good one.
///
/// # Errors
/// [`event::Reason::Truncated`] when more text is needed to tell.
pub(super) fn balanced(text: &[u8], indent: u64) -> Result<Result<usize, usize>, Malformed> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => match end_of_string(text, at + 1)? {
                Ok(end) => {
                    at = end;
                    continue;
                }
                broken => return Ok(broken),
            },
            b',' | b']' | b'}' | b'\n' if open.is_empty() => {
                return Ok(if at > 0 { Ok(at) } else { Err(at) });
            }
            b'{' | b'[' if open.len() == MAX_DEPTH => return Ok(Err(at)),
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                if open.pop() != Some(byte) {
                    return Ok(Err(at + 1));
                }
                if open.is_empty() {
                    return Ok(Ok(at + 1));
                }
            }
            b'\n' if begins_event(&text[at + 1..], indent) => return Ok(Err(at)),
            _ => {}
        }
        at += 1;
    }
    Err(truncated(text))
}

/// Where a string ends that `at` is inside of, after its closing quote; or where the line ends first.
fn end_of_string(text: &[u8], mut at: usize) -> Result<Result<usize, usize>, Malformed> {
    while let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', text.get(at..).unwrap_or(&[])) {
        at += found;
        match text[at] {
            b'"' => return Ok(Ok(at + 1)),
            b'\n' => return Ok(Err(at)),
            _ => {
                at += if text.get(at + 1) == Some(&b'\n') {
                    1
                } else {
                    2
                }
            }
        }
    }
    Err(truncated(text))
}

/// Whether this line begins like an event that stands beside one with this indentation, not inside of it.
pub(super) fn begins_event(line: &[u8], indent: u64) -> bool {
    let blanks = line
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    blanks as u64 <= indent && line.get(blanks) == Some(&b'{')
}

/// A value with the control characters in its strings escaped, and where it differs.
pub(super) struct Escaped {
    pub(super) text: Vec<u8>,
    /// Where in the value as it was each of them stands.
    pub(super) at: Vec<usize>,
}

impl Escaped {
    /// Escapes the control characters in the strings of `value`.
    pub(super) fn new(value: &[u8]) -> Escaped {
        let mut escaped = Escaped {
            text: Vec::with_capacity(value.len() + value.len() / 8),
            at: Vec::new(),
        };
        let mut in_string = false;
        let mut after_backslash = false;
        for (at, &byte) in value.iter().enumerate() {
            match byte {
                b'"' if !after_backslash => in_string = !in_string,
                0..0x20 if in_string && !after_backslash => {
                    escaped
                        .text
                        .extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                    escaped.at.push(at);
                    continue;
                }
                _ => {}
            }
            after_backslash = byte == b'\\' && in_string && !after_backslash;
            escaped.text.push(byte);
        }
        escaped
    }

    /// Where in the value as it was the byte `offset` of the escaped one stands.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let grown = "\\u0000".len() - 1;
        let before = self
            .at
            .iter()
            .enumerate()
            .take_while(|(count, at)| *at + count * grown < offset)
            .count();
        offset - (before * grown).min(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_in_strings_only() {
        let escaped = Escaped::new(b"{\t\"a\tb\" : \"\\\"\x00\", \"c\": x}");
        assert_eq!(
            escaped.text,
            b"{\t\"a\\u0009b\" : \"\\\"\\u0000\", \"c\": x}"
        );
        assert_eq!(escaped.at, [4, 13]);
        let of_x = escaped.text.iter().position(|byte| *byte == b'x').unwrap();
        assert_eq!(escaped.origin(of_x), 22);
        assert_eq!(escaped.origin(2), 2);
        assert_eq!(
            Escaped::new(b"{\"\\\t\"}").text,
            b"{\"\\\t\"}",
            "a broken escape stays one"
        );
    }

    #[test]
    fn a_value_ends_where_its_brackets_say() {
        let end = |text: &str| balanced(text.as_bytes(), 0).ok().and_then(Result::ok);
        assert_eq!(end(r#"{"a}": [1, nope]} tail"#), Some(17));
        assert_eq!(end(r#"{"a": "\"}"} tail"#), Some(12));
        assert_eq!(end("{\n  {\n }}"), Some(9));
        assert_eq!(end("{\n{}}"), None, "another event begins");
        assert_eq!(end("{\"a\n\"}"), None, "a line ends in a string");
        assert_eq!(end("{]}"), None);
        assert_eq!(end("{"), None);
        assert_eq!(end("nope, {}"), Some(4));
        assert_eq!(end(", {}"), None);
    }
}
