//! Tests on any string of the event, by one scan of its text.

use crate::values::longest_text;
use aho_corasick::{AhoCorasick, BuildError, MatchKind};
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
    /// Whether there is any: with SIMD where they are few, which they nearly always are.
    any: AhoCorasick,
    /// Which, also where they overlap.
    all: AhoCorasick,
}

impl Literals {
    fn new(literals: &[String]) -> Result<Literals, BuildError> {
        let build = |kind: MatchKind| AhoCorasick::builder().match_kind(kind).build(literals);
        let any = build(MatchKind::LeftmostFirst)?;
        let all = build(MatchKind::Standard)?;
        Ok(Literals { any, all })
    }
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

    /// The tests that hold for `event`; ascending, each once.
    pub(crate) fn of_event(&self, event: &Event<'_>, folded: &mut String) -> Vec<u32> {
        let Some(literals) = &self.literals else {
            return Vec::new();
        };
        folded.clear();
        fold_into(event.text(), folded);
        // A character may be written in other ways than `escape` writes it; then it is looked for in the strings as meant.
        let is_written = |escape: &[u8]| memchr::memmem::find(folded.as_bytes(), escape).is_some();
        if is_written(br"\u") || is_written(br"\/") {
            folded.clear();
            for string in event.strings() {
                folded.push_str(&escape(&fold(&string)));
                folded.push('"');
            }
        }
        if !literals.any.is_match(&*folded) {
            return Vec::new();
        }
        let found = literals.all.find_overlapping_iter(&*folded);
        let mut candidates: Vec<usize> = found.map(|found| found.pattern().as_usize()).collect();
        candidates.sort_unstable();
        candidates.dedup();
        // The text has keys and invisible fields too: the strings decide.
        let strings = event.strings();
        let tests = candidates
            .into_iter()
            .flat_map(|literal| &self.tests[literal]);
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
