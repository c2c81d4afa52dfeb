//! All tests of a plan on one field, answered together for a value.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};
use event::{Raw, Value};
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
#[derive(Debug)]
enum Check {
    /// Nothing: `*literal*`.
    Found,
    /// That the value begins with it: `literal*`.
    AtStart,
    /// That the value ends with it: `*literal`.
    AtEnd,
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
            self.tests.whole.entry(text.into()).or_default().push(test);
        } else if let Some(literal) = longest_text(pattern) {
            let check = match pattern.parts() {
                _ if pattern.is_cased() => Check::Whole,
                [Part::Star, Part::Text(_), Part::Star] => Check::Found,
                [Part::Text(_), Part::Star] => Check::AtStart,
                [Part::Star, Part::Text(_)] => Check::AtEnd,
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
        let mut truth = self.present.clone();
        let value = match raw {
            Raw::Null => {
                truth.extend(&self.null);
                Value::Null
            }
            Raw::Bool(value) => Value::Bool(value),
            Raw::Number(literal) => Value::Number(literal),
            Raw::String(text) => Value::String(text.decode()),
            Raw::Object | Raw::Array => Value::Object(""),
        };
        self.ask(&value, folded, &mut truth);
        truth
    }

    /// The tests that hold for the string `text`; ascending, each once.
    pub(crate) fn of_text(&self, text: &str, folded: &mut String) -> Vec<u32> {
        let mut truth = self.present.clone();
        self.ask(&Value::String(Cow::Borrowed(text)), folded, &mut truth);
        truth
    }

    fn ask(&self, value: &Value<'_>, folded: &mut String, truth: &mut Vec<u32>) {
        if let Some(text) = predicate::text_of(value) {
            folded.clear();
            fold_into(&text, folded);
            if let Some(tests) = self.whole.get(folded.as_str()) {
                truth.extend(tests);
            }
            if let Some(literals) = &self.literals {
                literals.find(&text, folded, truth);
            }
        }
        truth.extend(
            self.others
                .iter()
                .filter(|(_, matcher)| matcher.matches(value))
                .map(|(test, _)| *test),
        );
        truth.sort_unstable();
        truth.dedup();
    }
}

impl Literals {
    fn find(&self, text: &str, folded: &str, truth: &mut Vec<u32>) {
        for found in self.automaton.find_overlapping_iter(folded) {
            for (test, pattern, check) in &self.patterns[found.pattern().as_usize()] {
                let holds = match check {
                    Check::Found => true,
                    Check::AtStart => found.start() == 0,
                    Check::AtEnd => found.end() == folded.len(),
                    Check::Whole if pattern.is_cased() => pattern.matches(text),
                    Check::Whole => pattern.matches_folded(folded),
                };
                if holds {
                    truth.push(*test);
                }
            }
        }
    }
}
