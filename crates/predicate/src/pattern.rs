//! Strings with wildcards.

use crate::fold::{fold, fold_char};
use std::fmt;

/// A piece of a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// These characters.
    Text(String),
    /// `?`: exactly one character.
    One,
    /// `*`: any characters, also none.
    Star,
}

/// A string with wildcards, matched against a whole value; caseless by simple folding unless `cased`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    parts: Vec<Part>,
    cased: bool,
}

impl Pattern {
    /// The pattern of `parts`; the text of a caseless one is folded, neighbouring texts are joined, doubled stars too.
    pub fn new(parts: impl IntoIterator<Item = Part>, cased: bool) -> Pattern {
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (_, Part::Text(text)) if text.is_empty() => {}
                (Some(Part::Star), Part::Star) => {}
                (Some(Part::Text(before)), Part::Text(text)) if cased => before.push_str(&text),
                (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&fold(&text)),
                (_, Part::Text(text)) if !cased => {
                    joined.push(Part::Text(fold(&text).into_owned()))
                }
                (_, part) => joined.push(part),
            }
        }
        Pattern {
            parts: joined,
            cased,
        }
    }

    /// The caseless pattern that only `text` itself matches.
    pub fn text(text: &str) -> Pattern {
        Pattern::new([Part::Text(text.to_owned())], false)
    }

    /// The pieces: no empty text, no two texts or stars side by side; folded if caseless.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether case counts.
    pub fn is_cased(&self) -> bool {
        self.cased
    }

    /// The pattern that finds this one anywhere inside a value.
    pub fn anywhere(&self) -> Pattern {
        let parts = std::iter::once(Part::Star)
            .chain(self.parts.iter().cloned())
            .chain([Part::Star]);
        Pattern::new(parts, self.cased)
    }

    /// Whether the whole of `value` matches.
    pub fn matches(&self, value: &str) -> bool {
        if self.cased {
            self.matches_folded(value)
        } else {
            self.matches_folded(&fold(value))
        }
    }

    /// Whether the whole of `value` matches, which is folded already if this pattern is caseless.
    ///
    /// The stars cut the pattern into pieces. The first is bound to the beginning, the last to the end, and each piece
    /// between them is taken at the first place where it fits: a later place could not help those that follow.
    /// The time is linear in the value for each piece without `?`.
    pub fn matches_folded(&self, value: &str) -> bool {
        let mut pieces = self.parts.split(|part| *part == Part::Star);
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = strip_piece(first, value) else {
            return false;
        };
        let Some(last) = pieces.next_back() else {
            return rest.is_empty();
        };
        for piece in pieces {
            match find_piece(piece, rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        ends_with_piece(last, rest)
    }
}

/// Whether a name is like `pattern`, in which `*` stands for any characters; case counts. For names of fields, indices and
/// searches, where a [`Pattern`] would be made for one question.
pub fn glob(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What follows `piece` (texts and `?`) at the beginning of `value`.
fn strip_piece<'v>(piece: &[Part], value: &'v str) -> Option<&'v str> {
    piece.iter().try_fold(value, |rest, part| match part {
        Part::Text(text) => rest.strip_prefix(text.as_str()),
        Part::One | Part::Star => {
            let mut chars = rest.chars();
            chars.next().map(|_| chars.as_str())
        }
    })
}

/// What follows the first place of `piece` in `value`.
fn find_piece<'v>(piece: &[Part], value: &'v str) -> Option<&'v str> {
    match piece {
        [] => Some(value),
        [Part::Text(text)] => memchr::memmem::find(value.as_bytes(), text.as_bytes())
            .map(|at| &value[at + text.len()..]),
        piece => {
            let starts = value.char_indices().map(|(at, _)| at).chain([value.len()]);
            starts
                .into_iter()
                .find_map(|at| strip_piece(piece, &value[at..]))
        }
    }
}

fn ends_with_piece(piece: &[Part], value: &str) -> bool {
    piece
        .iter()
        .rev()
        .try_fold(value, |rest, part| match part {
            Part::Text(text) => rest.strip_suffix(text.as_str()),
            Part::One | Part::Star => {
                let mut chars = rest.chars();
                chars.next_back().map(|_| chars.as_str())
            }
        })
        .is_some()
}

impl fmt::Display for Pattern {
    /// As one would write it in a rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Star => f.write_str("*")?,
                Part::One => f.write_str("?")?,
                Part::Text(text) => {
                    for c in text.chars() {
                        if matches!(c, '*' | '?') {
                            f.write_str("\\")?;
                        }
                        write!(f, "{c}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether two values are equal but for case.
pub(crate) fn equal_folded(a: &str, b: &str) -> bool {
    a.chars().map(fold_char).eq(b.chars().map(fold_char))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `*` and `?` are wildcards, anything else is text.
    fn glob(pattern: &str) -> Pattern {
        let parts = pattern.chars().map(|c| match c {
            '*' => Part::Star,
            '?' => Part::One,
            c => Part::Text(c.to_string()),
        });
        Pattern::new(parts, false)
    }

    /// The definition: `*` is any number of characters, `?` one.
    fn by_definition(pattern: &[char], value: &[char]) -> bool {
        match pattern.split_first() {
            None => value.is_empty(),
            Some(('*', rest)) => (0..=value.len()).any(|skip| by_definition(rest, &value[skip..])),
            Some(('?', rest)) => !value.is_empty() && by_definition(rest, &value[1..]),
            Some((c, rest)) => value.first() == Some(c) && by_definition(rest, &value[1..]),
        }
    }

    proptest! {
        #[test]
        fn matches_by_definition(pattern in "[ab?*é]{0,8}", value in "[abé]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(glob(&pattern).matches(&value), by_definition(&chars(&pattern), &chars(&value)));
        }
    }

    #[test]
    fn names_are_like_patterns() {
        let like = super::glob;
        assert!(like("a-*", "a-b") && like("*", "") && like("*b*", "abc") && like("a", "a"));
        assert!(!like("a-*", "b-a-") && !like("a", "ab") && !like("ab*ba", "aba"));
    }

    #[test]
    fn caseless_unless_cased() {
        assert!(glob("*\\CMD.exe").matches(r"C:\Windows\cmd.EXE"));
        assert!(Pattern::text("Straße").matches("STRAßE") && !Pattern::text("ß").matches("ss"));
        assert!(!Pattern::new([Part::Text("AbC".into())], true).matches("abc"));
    }

    #[test]
    fn long_values_take_linear_time() {
        let value = "a".repeat(1 << 20);
        assert!(!glob("*a*a*a*a*a*b").matches(&value));
        assert!(glob("*a*a*a*a*a*").matches(&value));
    }

    #[test]
    fn shown_as_written() {
        let pattern = Pattern::new([Part::Star, Part::Text("A*b".into()), Part::One], true);
        assert_eq!(pattern.to_string(), r"*A\*b?");
    }
}
