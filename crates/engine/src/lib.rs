//! Thousands of rules at once: which of them does this event match?
//!
//! The engine knows rules only as numbers and [`Predicate`]s, and gives exactly the answer that `Predicate::matches` gives
//! for each of them; tests hold it to that on random rules and events. It is fast because it does not ask each rule:
//!
//! 1. **Read** ([`event::Parser`]). One pass over the text finds the values that any rule looks at; how events of one source
//!    look is learned, so that most of the text is only compared. Whoever reads the events anyway, to find where they end,
//!    does it with [`Ruleset::parser`], and asks with [`Matcher::matches_parsed`].
//! 2. **Route** (`route`). The conditions of the rules' branches – log sources, as a rule – look at few fields, such as
//!    channel and event id. Their values in an event decide which branches can apply at all. Each such set of branches is
//!    compiled once, when it is first met, into a *plan*, and remembered by the values themselves.
//! 3. **Pieces** (`pieces`). A plan's rules are split where they say "or" over several fields, so that one field's value
//!    is often enough to rule a piece out.
//! 4. **Values** (`values`). All tests of all rules on one field are answered together for a value: hash tables for whole
//!    values, one automaton for what they contain, the rest one by one. The set of tests that hold is the value's *class*,
//!    and a class says, as a bit mask, which pieces are still possible whatever the other fields hold. Values repeat, so
//!    classes are remembered by value, and long values line by line (`memo`).
//! 5. **Narrow** (`plan`). The masks of an event's fields are and-ed, short values first; fields that no piece needs any
//!    more are not looked at. What is left – seldom anything – is evaluated as a tree. Where the fields are, and which are
//!    missing, is remembered by the *shape* of the event.
//!
//! Keyword tests are the class of one more field, found by one scan of the event's text (`keywords`): where the rare end of
//! no literal stands, there is none, and nearly all events end here.
//!
//! What each of these is worth, as the time of `sigtag tag` for an event when it is taken out again: 100,000 recorded Windows
//! events of 1.2 kB and the 2,407 Windows rules of SigmaHQ of July 2026, one thread of a 2026 server, medians of three.
//!
//! | without | events seen before | all new |
//! | --- | --- | --- |
//! | (everything in place) | 4.4 µs | 8.6 µs |
//! | the memory of values up to 512 bytes | 11.1 µs | 12.5 µs |
//! | the search for rare ends before that for keywords | 8.6 µs | 14.5 µs |
//! | what the parser has learned | 7.9 µs | 12.0 µs |
//! | the memory of longer values' lines | 7.8 µs | 11.7 µs |
//! | the memory of shapes | 5.8 µs | 9.1 µs |
//! | pieces: each rule is one | 5.4 µs | 9.7 µs |
//! | the early end, when no piece is left that a field could rule out | 4.6 µs | 9.2 µs |
//!
//! A [`Ruleset`] is shared by all threads; each thread asks through a [`Matcher`] of its own, which holds what it has
//! learned about events and values, within a fixed budget. Nothing else is shared and nothing grows with the input.
//!
//! ```
//! use engine::{Branch, Ruleset};
//! use predicate::{Field, Matcher, Predicate, Test};
//!
//! let is = |field: &str, text: &str| Predicate::Test(Test::Value(Field::path(field), Matcher::text(text)));
//! let rules = [[Branch { condition: is("Channel", "Security"), detection: is("EventID", "4688") }]];
//! let ruleset = Ruleset::compile(rules);
//! let mut matcher = ruleset.matcher();
//! let matched = matcher.matches(br#"{"Channel": "Security", "EventID": 4688}"#).unwrap();
//! assert_eq!(matched.rules, [0]);
//! ```

mod keywords;
mod memo;
mod pieces;
mod plan;
mod route;
mod values;

use aho_corasick::AhoCorasick;
use event::{Event, Malformed, Parsed, Parser};
use memo::Memo;
use plan::Plan;
use predicate::Predicate;
use route::{Route, Router};
use std::sync::Arc;

/// One way in which a rule applies: where its condition holds, its detection decides.
#[derive(Clone, Debug)]
pub struct Branch {
    /// What selects the events that this is about: few tests, shared by many rules.
    pub condition: Predicate,
    /// What the rule looks for in them.
    pub detection: Predicate,
}

/// A set of rules, ready to be matched. Cheap to share between threads.
#[derive(Debug)]
pub struct Ruleset {
    router: Router,
}

/// Matches events against a [`Ruleset`], one after another, on one thread.
#[derive(Debug)]
pub struct Matcher<'r> {
    ruleset: &'r Ruleset,
    /// For events that are given as texts.
    parser: Option<Parser>,
    routes: route::Cache,
    memo: Memo,
    hits: Vec<u32>,
}

/// An event and the rules that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched<'a, 'm> {
    /// The event.
    pub event: Event<'a>,
    /// The numbers of the rules, in ascending order.
    pub rules: &'m [u32],
    /// Whether it has a field that is invisible to rules: it may carry a tag.
    pub has_hidden_field: bool,
}

impl Ruleset {
    /// Compiles `rules`, each a list of branches of which any may hold. They are numbered from 0 in their order.
    pub fn compile<R: IntoIterator<Item = Branch>>(rules: impl IntoIterator<Item = R>) -> Ruleset {
        let mut router = Router::default();
        for (number, rule) in (0..).zip(rules) {
            for branch in rule {
                router.add(number, branch);
            }
        }
        router.finish();
        Ruleset { router }
    }

    /// A parser that finds what these rules look at.
    pub fn parser(&self) -> Parser {
        Parser::new(self.router.paths().clone())
    }

    /// A matcher for the only thread.
    pub fn matcher(&self) -> Matcher<'_> {
        self.matcher_for(1)
    }

    /// A matcher for one of so many threads, which share the memory that they may use.
    pub fn matcher_for(&self, threads: usize) -> Matcher<'_> {
        Matcher {
            ruleset: self,
            parser: None,
            routes: route::Cache::default(),
            memo: Memo::new(threads),
            hits: Vec::new(),
        }
    }
}

impl Matcher<'_> {
    /// Reads an event and finds the rules that it matches.
    ///
    /// # Errors
    /// Those of [`Event::parse`], for a text that is no event.
    pub fn matches<'a>(&mut self, text: &'a [u8]) -> Result<Matched<'a, '_>, Malformed> {
        // The parser lends what it has found, so it is taken out.
        let mut parser = self.parser.take().unwrap_or_else(|| self.ruleset.parser());
        let matched = parser.parse(text).map(|event| {
            self.find(&event);
            (event.event(), event.signs().hidden_field)
        });
        self.parser = Some(parser);
        matched.map(|(event, has_hidden_field)| Matched {
            event,
            rules: &self.hits,
            has_hidden_field,
        })
    }

    /// Finds the rules that an event matches which a [parser](Ruleset::parser) of these rules has read.
    pub fn matches_parsed<'a>(&mut self, event: &Parsed<'a, '_>) -> Matched<'a, '_> {
        self.find(event);
        Matched {
            event: event.event(),
            rules: &self.hits,
            has_hidden_field: event.signs().hidden_field,
        }
    }

    fn find(&mut self, event: &Parsed<'_, '_>) {
        self.hits.clear();
        let router = &self.ruleset.router;
        match router.route(&mut self.routes, event) {
            Route::Nothing => {}
            Route::Plan(plan) => {
                Plan::matches(plan, &mut self.memo, router.paths(), event, &mut self.hits);
            }
            Route::OneByOne => router.matches_one_by_one(&event.event(), &mut self.hits),
        }
        self.hits.sort_unstable();
        self.hits.dedup();
    }
}

/// A plan, known by its address.
type SharedPlan = Arc<Plan>;

/// The literals of `automaton` that stand in `text`; ascending, each once, however often it stands there.
fn literals_in(automaton: &AhoCorasick, text: &str) -> Vec<u32> {
    let mut seen = vec![0u64; automaton.patterns_len().div_ceil(64)];
    for found in automaton.find_overlapping_iter(text) {
        let literal = found.pattern().as_usize();
        seen[literal / 64] |= 1 << (literal % 64);
    }
    bits(&seen).collect()
}

/// The numbers in a set of bits.
fn bits(words: &[u64]) -> impl Iterator<Item = u32> {
    words.iter().enumerate().flat_map(|(word, bits)| {
        let mut bits = *bits;
        std::iter::from_fn(move || {
            let lowest = (bits != 0).then(|| bits.trailing_zeros())?;
            bits &= bits - 1;
            Some(word as u32 * 64 + lowest)
        })
    })
}
