//! All tests of a plan on one field, answered together for a value.

use crate::literals_in;
use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};
use event::{Raw, Text, Value};
use foldhash::fast::FixedState;
use predicate::{Matcher, Part, Pattern, fold, fold_into};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The tests on one field.
#[derive(Debug, Default)]
pub(crate) struct ValueTests {
    /// Caseless whole values.
    whole: HashMap<Box<str>, Vec<u32>, FixedState>,
    /// How long the longest of them is, in bytes.
    longest_whole: usize,
    /// What the other patterns contain.
    literals: Option<Literals>,
    /// Tests that are asked one by one.
    others: Vec<(u32, Matcher)>,
    /// Tests for null or missing.
    null: Vec<u32>,
    /// Tests for being there.
    present: Vec<u32>,
}

/// Patterns, found by the longest text that a value must contain to match.
#[derive(Debug)]
struct Literals {
    automaton: AhoCorasick,
    /// For each literal, the patterns that need it.
    patterns: Vec<Vec<(u32, Arc<Pattern>, Check)>>,
}

/// What is left to ask when the literal has been found.
#[derive(Debug, PartialEq, Eq)]
enum Check {
    /// Nothing: `*literal*`.
    Found,
    /// The whole pattern.
    Whole,
}

/// Collects the tests on one field.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    tests: ValueTests,
    literals: HashMap<String, Vec<(u32, Arc<Pattern>, Check)>>,
}

impl Builder {
    pub(crate) fn add_null(&mut self, test: u32) {
        self.tests.null.push(test);
    }

    pub(crate) fn add_present(&mut self, test: u32) {
        self.tests.present.push(test);
    }

    pub(crate) fn add(&mut self, test: u32, matcher: &Matcher) {
        let Matcher::Pattern(pattern) = matcher else {
            self.tests.others.push((test, matcher.clone()));
            return;
        };
        if let Some(text) = whole_text(pattern) {
            self.tests.longest_whole = self.tests.longest_whole.max(text.len());
            self.tests.whole.entry(text.into()).or_default().push(test);
        } else if let Some(literal) = longest_text(pattern).filter(|text| is_in_one_line(text)) {
            let check = match pattern.parts() {
                _ if pattern.is_cased() => Check::Whole,
                [Part::Star, Part::Text(_), Part::Star] => Check::Found,
                _ => Check::Whole,
            };
            self.literals
                .entry(fold(literal).into_owned())
                .or_default()
                .push((test, pattern.clone(), check));
        } else {
            self.tests.others.push((test, matcher.clone()));
        }
    }

    pub(crate) fn build(self) -> ValueTests {
        let mut tests = self.tests;
        if self.literals.is_empty() {
            return tests;
        }
        let (literals, patterns): (Vec<String>, Vec<_>) = self.literals.into_iter().unzip();
        match automaton(&literals) {
            Ok(automaton) => {
                tests.literals = Some(Literals {
                    automaton,
                    patterns,
                });
            }
            // Too many for one automaton: then they are asked one by one.
            Err(_) => tests.others.extend(
                patterns
                    .into_iter()
                    .flatten()
                    .map(|(test, pattern, _)| (test, Matcher::Pattern(pattern))),
            ),
        }
        tests
    }
}

/// Whether a text can be found line by line.
fn is_in_one_line(text: &str) -> bool {
    !text.contains('\n')
}

/// The text that a value must be to match, if it is only one.
fn whole_text(pattern: &Pattern) -> Option<&str> {
    match pattern.parts() {
        _ if pattern.is_cased() => None,
        [] => Some(""),
        [Part::Text(text)] => Some(text),
        _ => None,
    }
}

/// The longest text that a value must contain to match.
pub(crate) fn longest_text(pattern: &Pattern) -> Option<&str> {
    let texts = pattern.parts().iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::One | Part::Star => None,
    });
    texts.max_by_key(|text| text.len())
}

/// An automaton that finds all of `literals`, also where they overlap.
fn automaton(literals: &[String]) -> Result<AhoCorasick, BuildError> {
    // A DFA would be larger by two orders of magnitude, and slower for it.
    let kind = Some(AhoCorasickKind::ContiguousNFA);
    AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(kind)
        .build(literals)
}

impl ValueTests {
    /// The tests that hold for a field that is there (`present`) without any value, or not there; ascending.
    pub(crate) fn of_no_value(&self, present: bool) -> Vec<u32> {
        let mut truth = self.null.clone();
        if present {
            truth.extend(&self.present);
        }
        truth.sort_unstable();
        truth
    }

    /// The tests that hold for `raw`; ascending, each once. `folded` is scratch space.
    pub(crate) fn of_value(&self, raw: Raw<'_>, folded: &mut String) -> Vec<u32> {
        let value = match raw {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Number(literal) => Value::Number(literal),
            Raw::String(text) => Value::String(text.decode()),
            Raw::Object | Raw::Array => Value::Object(""),
        };
        let mut truth = self.present.clone();
        if value == Value::Null {
            truth.extend(&self.null);
        }
        if let Some(text) = predicate::text_of(&value) {
            folded.clear();
            fold_into(&text, folded);
            if let Some(tests) = self.whole.get(folded.as_str()) {
                truth.extend(tests);
            }
            if let Some(literals) = &self.literals {
                literals.ask(
                    &literals_in(&literals.automaton, folded),
                    &text,
                    folded,
                    &mut truth,
                );
            }
        }
        self.ask_others(&value, &mut truth);
        truth
    }

    /// The tests that hold for the string `text`; ascending, each once.
    pub(crate) fn of_text(&self, text: &str, folded: &mut String) -> Vec<u32> {
        let escaped = text.contains('\\');
        // What is given is not raw; but without a backslash the two are the same.
        if !escaped {
            return self.of_value(Raw::String(Text { raw: text, escaped }), folded);
        }
        let raw = text.replace('\\', r"\\");
        self.of_value(Raw::String(Text { raw: &raw, escaped }), folded)
    }

    /// Whether the literals of a long string are best found line by line, since lines repeat where values do not.
    pub(crate) fn has_literals(&self) -> bool {
        self.literals.is_some()
    }

    /// The literals that stand in one line of a string; ascending, each once.
    pub(crate) fn literals_of_line(&self, line: Text<'_>, folded: &mut String) -> Vec<u32> {
        let Some(literals) = &self.literals else {
            return Vec::new();
        };
        folded.clear();
        fold_into(&line.decode(), folded);
        literals_in(&literals.automaton, folded)
    }

    /// The tests that hold for the string `text`, in the lines of which exactly `found` are the literals; ascending, each
    /// once.
    pub(crate) fn of_lines(&self, text: Text<'_>, found: &[u32], folded: &mut String) -> Vec<u32> {
        let mut truth = self.present.clone();
        // Decoding may shorten a text to a sixth, and folding to a third of that.
        let may_be_whole = text.raw.len() / 18 <= self.longest_whole;
        let literals = self.literals.as_ref();
        let needs_folded =
            may_be_whole || literals.is_some_and(|literals| !literals.are_enough(found));
        // Often the literals alone decide, and the text need not be decoded.
        let text = if needs_folded || !self.others.is_empty() {
            text.decode()
        } else {
            Cow::Borrowed("")
        };
        folded.clear();
        if needs_folded {
            fold_into(&text, folded);
        }
        if may_be_whole {
            truth.extend(self.whole.get(folded.as_str()).into_iter().flatten());
        }
        if let Some(literals) = literals {
            literals.ask(found, &text, folded, &mut truth);
        }
        self.ask_others(&Value::String(text), &mut truth);
        truth
    }

    fn ask_others(&self, value: &Value<'_>, truth: &mut Vec<u32>) {
        let others = self.others.iter();
        let holding = others.filter(|(_, matcher)| matcher.matches(value));
        truth.extend(holding.map(|(test, _)| *test));
        truth.sort_unstable();
        truth.dedup();
    }
}

impl Literals {
    /// The patterns that need any of the literals `found`.
    fn of<'l>(&'l self, found: &'l [u32]) -> impl Iterator<Item = &'l (u32, Arc<Pattern>, Check)> {
        found
            .iter()
            .flat_map(|literal| &self.patterns[*literal as usize])
    }

    /// Whether nothing is left to ask when exactly these literals have been found.
    fn are_enough(&self, found: &[u32]) -> bool {
        self.of(found).all(|(.., check)| *check == Check::Found)
    }

    /// Adds the tests that hold for `text`, in which exactly `found` are the literals.
    fn ask(&self, found: &[u32], text: &str, folded: &str, truth: &mut Vec<u32>) {
        let holding = self.of(found).filter(|(_, pattern, check)| match check {
            Check::Found => true,
            Check::Whole if pattern.is_cased() => pattern.matches(text),
            Check::Whole => pattern.matches_folded(folded),
        });
        truth.extend(holding.map(|(test, ..)| *test));
    }
}
