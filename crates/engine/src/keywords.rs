//! Tests on any string of the event, by one scan of its text.

use crate::literals_in;
use crate::values::longest_text;
use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, BuildError};
use event::Event;
use predicate::{Matcher, fold, fold_into};
use std::collections::HashMap;

/// The keyword tests of a plan that have a literal.
#[derive(Debug, Default)]
pub(crate) struct Keywords {
    literals: Option<Literals>,
    /// For each literal, the tests that need it.
    tests: Vec<Vec<(u32, Matcher)>>,
}

/// Finds literals, folded and escaped as in JSON.
#[derive(Debug)]
struct Literals {
    /// The rarest three characters of each literal in all their cases, to be looked for in the text as it is: where none of them is,
    /// there is no literal. Nearly all events end here. None if a literal has no such characters, or there are too many.
    windows: Option<Searcher>,
    /// Which literals there are, also where they overlap.
    all: AhoCorasick,
}

impl Literals {
    fn new(literals: &[String]) -> Result<Literals, BuildError> {
        let windows: Option<Vec<Vec<String>>> = literals.iter().map(|text| window(text)).collect();
        let windows = windows.and_then(|windows| Searcher::new(windows.concat()));
        let all = AhoCorasick::new(literals)?;
        Ok(Literals { windows, all })
    }

    /// Whether there is none for sure.
    fn are_missing(&self, event: &Event<'_>) -> bool {
        let windows = self.windows.as_ref();
        windows.is_some_and(|windows| windows.find(event.text()).is_none())
    }
}

/// The characters that most of the text of events consists of, the most frequent first.
const FREQUENT: &[u8] = b"\\esiotnrawcdlm.p/u:0h1 2-f3";

/// The three characters of a folded text that are the rarest in events, in all the ways they can be written.
fn window(text: &str) -> Option<Vec<String>> {
    let rank = |byte: &u8| FREQUENT.iter().position(|frequent| frequent == byte);
    let frequency = |window: &&[u8]| -> usize {
        let ranks = window.iter().filter_map(rank);
        ranks.map(|rank| FREQUENT.len() - rank).sum()
    };
    let windows = text
        .as_bytes()
        .windows(3)
        .filter(|window| window.is_ascii());
    let rarest = windows.min_by_key(frequency)?;
    Some(rarest.iter().fold(vec![String::new()], |ways, byte| {
        let spellings = unfold(char::from(*byte));
        let longer = |way: &String| {
            spellings
                .clone()
                .map(move |c| format!("{way}{c}"))
                .collect::<Vec<_>>()
        };
        ways.iter().flat_map(longer).collect()
    }))
}

/// The characters that fold to an ASCII character.
fn unfold(c: char) -> impl Iterator<Item = char> + Clone {
    let upper = Some(c.to_ascii_uppercase()).filter(|upper| *upper != c);
    let beyond_ascii = match c {
        'k' => Some('\u{212a}'),
        's' => Some('\u{17f}'),
        _ => None,
    };
    [Some(c), upper, beyond_ascii].into_iter().flatten()
}

impl Keywords {
    /// Takes the tests that have a literal; those without are given back.
    pub(crate) fn new(tests: Vec<(u32, Matcher)>) -> (Keywords, Vec<u32>) {
        let mut by_literal: HashMap<String, Vec<(u32, Matcher)>> = HashMap::new();
        let mut without = Vec::new();
        for (test, matcher) in tests {
            let literal = match &matcher {
                Matcher::Pattern(pattern) => longest_text(pattern),
                _ => None,
            };
            match literal.map(|literal| escape(&fold(literal))) {
                Some(literal) => by_literal.entry(literal).or_default().push((test, matcher)),
                None => without.push(test),
            }
        }
        if by_literal.is_empty() {
            return (Keywords::default(), without);
        }
        let (literals, tests): (Vec<String>, Vec<Vec<_>>) = by_literal.into_iter().unzip();
        match Literals::new(&literals) {
            Ok(literals) => {
                let literals = Some(literals);
                (Keywords { literals, tests }, without)
            }
            // Too many for one automaton: then they are asked one by one.
            Err(_) => {
                without.extend(tests.into_iter().flatten().map(|(test, _)| test));
                (Keywords::default(), without)
            }
        }
    }

    /// The tests that hold for `event`; ascending, each once. `odd_escapes`: whether characters may be written in other ways
    /// than [`escape`] writes them.
    pub(crate) fn of_event(
        &self,
        event: &Event<'_>,
        odd_escapes: bool,
        folded: &mut String,
    ) -> Vec<u32> {
        let Some(literals) = &self.literals else {
            return Vec::new();
        };
        folded.clear();
        if odd_escapes {
            for string in event.strings() {
                folded.push_str(&escape(&fold(&string)));
                folded.push('"');
            }
        } else if literals.are_missing(event) {
            return Vec::new();
        } else {
            fold_into(event.text(), folded);
        }
        let candidates = literals_in(&literals.all, folded);
        if candidates.is_empty() {
            return Vec::new();
        }
        // The text has keys and invisible fields too: the strings decide.
        let strings = event.strings();
        let tests = candidates
            .into_iter()
            .flat_map(|literal| &self.tests[literal as usize]);
        let holding =
            tests.filter(|(_, matcher)| strings.iter().any(|string| matcher.matches_text(string)));
        let mut truth: Vec<u32> = holding.map(|(test, _)| *test).collect();
        truth.sort_unstable();
        truth
    }
}

/// `text` as it stands in JSON where nothing is escaped needlessly.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use predicate::fold_char;

    #[test]
    fn windows_have_every_spelling() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let folded = fold_char(c);
            if folded.is_ascii() {
                assert!(unfold(folded).any(|spelling| spelling == c), "{c:?}");
            }
        }
        assert_eq!(
            window(r"\\temp\\z::x"),
            Some(vec!["z::".into(), "Z::".into()])
        );
        assert_eq!(window("ks").or(window("äöü")), None);
    }
}
