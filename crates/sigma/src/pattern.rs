//! Texts with wildcards: `*` is any number of characters, `?` exactly one, `\` takes that away from them.
//!
//! A backslash before anything but `*`, `?` and `\` is itself, so that `C:\Temp` needs no escaping; before one of the
//! three it makes it literal. `\\server` therefore has *one* leading backslash.

use crate::detection::{Part, Pattern};
use crate::modifier::Placeholders;
use std::iter;

impl Pattern {
    /// Reads a text as it stands in a rule.
    pub fn parse(text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        if !text.contains(['*', '?', '\\']) {
            pattern.push_text(text);
            return pattern;
        }
        let mut literal = String::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\\' => literal.push(
                    chars
                        .next_if(|next| matches!(next, '*' | '?' | '\\'))
                        .unwrap_or('\\'),
                ),
                '*' | '?' => {
                    pattern.push_text(&literal);
                    literal.clear();
                    pattern
                        .parts
                        .push(if char == '*' { Part::Star } else { Part::One });
                }
                _ => literal.push(char),
            }
        }
        pattern.push_text(&literal);
        pattern
    }

    /// The text, if the pattern is nothing but a text.
    pub fn as_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Adds a text at the end.
    pub(crate) fn push_text(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    pub(crate) fn push(&mut self, part: Part) {
        match part {
            Part::Text(text) => self.push_text(&text),
            part => self.parts.push(part),
        }
    }

    /// Adds `*` in front unless it is there.
    pub(crate) fn open_start(&mut self) {
        if self.parts.first() != Some(&Part::Star) {
            self.parts.insert(0, Part::Star);
        }
    }

    /// Adds `*` at the end unless it is there.
    pub(crate) fn open_end(&mut self) {
        if self.parts.last() != Some(&Part::Star) {
            self.parts.push(Part::Star);
        }
    }

    /// The same pattern with other texts.
    pub(crate) fn map_text(self, change: impl Fn(&str) -> String) -> Pattern {
        let mut changed = Pattern {
            parts: Vec::with_capacity(self.parts.len()),
            cased: self.cased,
        };
        for part in self.parts {
            changed.push(match part {
                Part::Text(text) => Part::Text(change(&text)),
                part => part,
            });
        }
        changed
    }

    /// `%name%` becomes a placeholder, `\%` a percent sign.
    pub(crate) fn expand(self) -> Pattern {
        let mut expanded = Pattern {
            parts: Vec::new(),
            cased: self.cased,
        };
        for part in self.parts {
            let Part::Text(text) = part else {
                expanded.parts.push(part);
                continue;
            };
            let mut rest = text.as_str();
            while let Some(at) = rest.find('%') {
                if let Some(before) = rest[..at].strip_suffix('\\') {
                    expanded.push_text(before);
                    expanded.push_text("%");
                    rest = &rest[at + 1..];
                    continue;
                }
                expanded.push_text(&rest[..at]);
                match placeholder(&rest[at..]) {
                    Some(name) => {
                        expanded.parts.push(Part::Placeholder(name.to_owned()));
                        rest = &rest[at + name.len() + 2..];
                    }
                    None => {
                        expanded.push_text("%");
                        rest = &rest[at + 1..];
                    }
                }
            }
            expanded.push_text(rest);
        }
        expanded
    }

    /// Every way to put values in the place of the placeholders that have some. None if that is more than `limit`.
    pub(crate) fn fill(&self, placeholders: &Placeholders, limit: usize) -> Option<Vec<Pattern>> {
        let mut variants = vec![Pattern {
            parts: Vec::new(),
            cased: self.cased,
        }];
        for part in &self.parts {
            let Part::Placeholder(name) = part else {
                variants
                    .iter_mut()
                    .for_each(|variant| variant.push(part.clone()));
                continue;
            };
            let values = match placeholders.get(name) {
                Some(values) if !values.is_empty() => values
                    .iter()
                    .map(|value| Part::Text(value.clone()))
                    .collect(),
                _ => vec![part.clone()],
            };
            if variants.len().saturating_mul(values.len()) > limit {
                return None;
            }
            variants = variants
                .iter()
                .flat_map(|variant| {
                    values.iter().map(|value| {
                        let mut longer = variant.clone();
                        longer.push(value.clone());
                        longer
                    })
                })
                .collect();
        }
        Some(variants)
    }

    /// Every way to write the options in it: a dash or slash that begins a word (`\B[-/–—―]\b`) may be any of
    /// [`DASHES`]. None if that is more than `limit`.
    pub(crate) fn windash(&self, limit: usize) -> Option<Vec<Pattern>> {
        let mut variants = vec![Pattern {
            parts: Vec::new(),
            cased: self.cased,
        }];
        for part in &self.parts {
            let Part::Text(text) = part else {
                variants
                    .iter_mut()
                    .for_each(|variant| variant.parts.push(part.clone()));
                continue;
            };
            let mut from = 0;
            for (at, dash) in option_dashes(text) {
                if variants.len() * DASHES.len() > limit {
                    return None;
                }
                let before = &text[from..at];
                variants = variants
                    .iter()
                    .flat_map(|variant| {
                        DASHES.iter().map(|dash| {
                            let mut longer = variant.clone();
                            longer.push_text(before);
                            longer.push_text(dash);
                            longer
                        })
                    })
                    .collect();
                from = at + dash.len_utf8();
            }
            variants
                .iter_mut()
                .for_each(|variant| variant.push_text(&text[from..]));
        }
        Some(variants)
    }
}

/// What Windows programs take for the sign of an option: hyphen, slash, en dash, em dash, horizontal bar.
const DASHES: [&str; 5] = ["-", "/", "–", "—", "―"];

fn option_dashes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let nexts = text.chars().skip(1).map(Some).chain(iter::once(None));
    let mut before = None;
    text.char_indices()
        .zip(nexts)
        .filter_map(move |((at, char), next)| {
            let begins_word = !before.is_some_and(is_word) && next.is_some_and(is_word);
            before = Some(char);
            (begins_word && matches!(char, '-' | '/' | '–' | '—' | '―')).then_some((at, char))
        })
}

/// The name in a text that starts with `%name%`.
pub(crate) fn placeholder(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('%')?.split_once('%')?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    #[test]
    fn backslashes_before_a_star_and_before_a_letter() {
        let cases: [(&str, &[Part], &str); 7] = [
            ("", &[Part::Star], ""),
            (r"\", &[text("*")], r"\"),
            (r"\\", &[text(r"\"), Part::Star], r"\"),
            (r"\\\", &[text(r"\*")], r"\\"),
            (r"\\\\", &[text(r"\\"), Part::Star], r"\\"),
            (r"\\\\\", &[text(r"\\*")], r"\\\"),
            (r"\\\\\\", &[text(r"\\\"), Part::Star], r"\\\"),
        ];
        for (slashes, before_star, before_letter) in cases {
            assert_eq!(
                Pattern::parse(&format!("{slashes}*")).parts,
                before_star,
                "{slashes}*"
            );
            let plain = Pattern::parse(&format!("{slashes}x"));
            assert_eq!(
                plain.as_text(),
                Some(format!("{before_letter}x").as_str()),
                "{slashes}x"
            );
            assert_eq!(
                Pattern::parse(slashes).as_text(),
                Some(before_letter),
                "{slashes} at the end"
            );
        }
    }

    #[test]
    fn a_question_mark_is_escaped_as_a_star_is() {
        assert_eq!(
            Pattern::parse("a?b").parts,
            [text("a"), Part::One, text("b")]
        );
        assert_eq!(Pattern::parse(r"a\?b").as_text(), Some("a?b"));
    }

    #[test]
    fn placeholders_need_two_percent_signs_and_a_name() {
        let expand = |source: &str| Pattern::parse(source).expand().parts;
        assert_eq!(
            expand("a%x%b"),
            [text("a"), Part::Placeholder("x".into()), text("b")]
        );
        assert_eq!(
            expand("%a-b%%c%"),
            [
                Part::Placeholder("a-b".into()),
                Part::Placeholder("c".into())
            ]
        );
        assert_eq!(expand(r"\%x%"), [text("%x%")]);
        assert_eq!(expand("100 % of it, 5%"), [text("100 % of it, 5%")]);
        assert_eq!(expand("%%"), [text("%%")]);
    }

    #[test]
    fn only_a_dash_that_begins_a_word_is_an_option() {
        let places = |text: &'static str| option_dashes(text).map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(places("-a -b"), [0, 3]);
        assert_eq!(places("-param-name"), [0]);
        assert_eq!(places("--all"), [1]);
        assert_eq!(places("a/b /c"), [4]);
        assert_eq!(places("- a -"), []);
        assert_eq!(places("–a —b"), [0, 5]);
    }

    #[test]
    fn windash_writes_every_combination() {
        let variants = Pattern::parse("-a /b*").windash(100).unwrap();
        assert_eq!(variants.len(), 25);
        assert_eq!(variants[0].parts, [text("-a -b"), Part::Star]);
        assert_eq!(variants[24].parts, [text("―a ―b"), Part::Star]);
        assert_eq!(Pattern::parse("-a -b -c").windash(100), None);
    }
}
