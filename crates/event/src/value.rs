//! Values as they stand in the text.

use std::borrow::Cow;

/// A single value of an event. Arrays are not values: their elements are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its literal in the text: all digits are there.
    Number(&'a str),
    /// A string, unescaped; a lone surrogate has become U+FFFD.
    String(Cow<'a, str>),
    /// An object, as its text.
    Object(&'a str),
}

/// The inside of a JSON string, as written between its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// What stands between the quotes.
    pub raw: &'a str,
    /// Whether there is a backslash in it.
    pub escaped: bool,
}

impl<'a> Text<'a> {
    /// The string that is meant: escapes undone, a lone surrogate replaced by U+FFFD.
    pub fn decode(self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut decoded = String::with_capacity(self.raw.len());
        self.decode_into(&mut decoded);
        Cow::Owned(decoded)
    }

    /// Appends the string that is meant to `out`.
    pub fn decode_into(self, out: &mut String) {
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            out.push_str(&rest[..at]);
            let Some(escape) = rest.as_bytes().get(at + 1) else {
                return;
            };
            rest = &rest[at + 2..];
            match escape {
                b'n' => out.push('\n'),
                b't' => out.push('\t'),
                b'r' => out.push('\r'),
                b'b' => out.push('\u{8}'),
                b'f' => out.push('\u{c}'),
                b'u' => {
                    let (c, length) = code_point(rest);
                    out.push(c);
                    rest = &rest[length..];
                }
                other => out.push(char::from(*other)),
            }
        }
        out.push_str(rest);
    }
}

/// The character that follows `\u`, and how many bytes of `text` it takes: four, or ten with its other surrogate.
fn code_point(text: &str) -> (char, usize) {
    let unit = |at: usize| {
        text.get(at..at + 4)
            .and_then(|hex| u16::from_str_radix(hex, 16).ok())
    };
    let Some(first) = unit(0) else {
        return (char::REPLACEMENT_CHARACTER, text.len().min(4));
    };
    if (0xD800..0xDC00).contains(&first)
        && text.get(4..6) == Some("\\u")
        && let Some(second) = unit(6)
        && let Some(Ok(pair)) = char::decode_utf16([first, second]).next()
    {
        return (pair, 10);
    }
    (
        char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER),
        4,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(raw: &str) -> String {
        Text {
            raw,
            escaped: raw.contains('\\'),
        }
        .decode()
        .into_owned()
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(
            decode(r#"C:\\Temp\/a\"b\n\t\r\b\f"#),
            "C:\\Temp/a\"b\n\t\r\u{8}\u{c}"
        );
        assert_eq!(decode(r"\u00e9 \u0041\u0000"), "é A\0");
    }

    #[test]
    fn surrogates_pair_up_or_are_replaced() {
        assert_eq!(decode(r"\ud83d\ude00"), "😀");
        assert_eq!(decode(r"a\ud800b"), "a\u{fffd}b");
        assert_eq!(decode(r"\udc00\ud83d"), "\u{fffd}\u{fffd}");
        assert_eq!(decode(r"\ud83d\u0041"), "\u{fffd}A");
        assert_eq!(decode(r"\ud83d\ud83d\ude00"), "\u{fffd}😀");
    }
}
