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
    /// The ends of the literals, from their rarest characters on: where none of them is, there is no literal. Nearly all
    /// events end here. None if there are too many.
    ends: Option<Vec<Searcher>>,
    /// Which literals there are, also where they overlap.
    all: AhoCorasick,
}

/// How many literals one searcher takes, before its vectors let too much through,
const MAX_ENDS: usize = 64;

/// and how many searchers are still faster than the automaton.
const MAX_SEARCHERS: usize = 8;

impl Literals {
    fn new(literals: &[String]) -> Result<Literals, BuildError> {
        let searchers = literals.chunks(MAX_ENDS).map(|literals| {
            let ends = literals.iter().map(|literal| rare_end(literal.as_bytes()));
            Searcher::new(ends)
        });
        let few = literals.len() <= MAX_ENDS * MAX_SEARCHERS;
        Ok(Literals {
            ends: few.then(|| searchers.collect()).flatten(),
            all: AhoCorasick::new(literals)?,
        })
    }

    /// The literals in `text`; ascending, each once.
    fn find(&self, text: &str) -> Vec<u32> {
        let ends = self.ends.as_ref();
        let are_missing =
            ends.is_some_and(|ends| ends.iter().all(|ends| ends.find(text).is_none()));
        if are_missing {
            return Vec::new();
        }
        literals_in(&self.all, text)
    }
}

/// The characters that most of the text of events consists of, the most frequent first.
const FREQUENT: &[u8] = b"\\esiotnrawcdlm.p/u:0h1 2-f3";

/// How many bytes a searcher looks at in all places.
const WINDOW: usize = 4;

/// A folded text from its rarest few characters on.
fn rare_end(text: &[u8]) -> &[u8] {
    let rank = |byte: &u8| FREQUENT.iter().position(|frequent| frequent == byte);
    let frequency = |window: &[u8]| -> usize {
        let ranks = window.iter().filter_map(rank);
        ranks.map(|rank| FREQUENT.len() - rank).sum()
    };
    let windows = text.windows(WINDOW).enumerate();
    let rarest = windows.min_by_key(|(_, window)| frequency(window));
    &text[rarest.map_or(0, |(at, _)| at)..]
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
        } else {
            fold_into(event.text(), folded);
        }
        let candidates = literals.find(folded);
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

    #[test]
    fn ends_begin_where_a_literal_is_rare() {
        assert_eq!(rare_end(br"\\temp\\z::x"), b"z::x");
        assert_eq!(rare_end(b"ks"), b"ks");
    }
}
