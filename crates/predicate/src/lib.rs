//! What selects events: a tree of and, or and not over tests on fields, and what it means.
//!
//! Everything in sigtag that selects events becomes a [`Predicate`], and [`Predicate::matches`] says which. That function
//! is written to be read: it walks the tree and asks each test, and each test walks the event. It is the oracle that the
//! fast engine and all generated queries are held to, so it must be obviously right and need not be fast.
//!
//! The meaning is that of the Sigma specification 2.1: strings compare as a whole and without regard to case (Unicode
//! simple folding, [`fold`]), numbers exactly ([`Decimal`]), a field with several values passes when one of them does, and
//! `not` is true when the field is missing. [`Predicate::explain`] tells which test came out how, and over which values.
//!
//! A query of a search engine asks another thing: not what an event says, but what an index has made of it. For that
//! there are tests on terms ([`Indexed`]), on dates ([`DateRange`]) and on being in the index at all ([`Test::Indexed`]).
//!
//! No rules, no field mappings, no speed: see `sigma`, `mapping` and `engine`.
//!
//! ```
//! use event::Event;
//! use predicate::{Field, Matcher, Predicate, Test};
//!
//! let is_cmd = Predicate::Test(Test::Value(Field::path("process.name"), Matcher::text("CMD.exe")));
//! let event = Event::parse(br#"{"process": {"name": "cmd.exe"}}"#).unwrap();
//! assert!(is_cmd.matches(&event));
//! ```

mod date;
mod decimal;
mod explain;
mod field;
mod fold;
mod indexed;
mod pattern;
mod test;

pub use date::{DateRange, Missing, date_millis};
pub use decimal::Decimal;
pub use explain::{Evidence, Explanation, Held, Shape, Verdict};
pub use field::{Derived, Field, Found, Source, text_of};
pub use fold::{fold, fold_char, fold_into};
pub use indexed::{Analysis, Indexed, TermTest, lower, words};
pub use pattern::{Part, Pattern, glob};
pub use test::{BadRegex, Comparison, Matcher, Regex, Relation, Test, TimePart};

use event::Fields;

/// A tree of and, or and not over tests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Predicate {
    /// All of these; true if there are none.
    All(Vec<Predicate>),
    /// Any of these; false if there are none.
    Any(Vec<Predicate>),
    /// Not this.
    Not(Box<Predicate>),
    /// One test.
    Test(Test),
}

impl Predicate {
    /// Whether `event` is selected.
    pub fn matches<'a>(&self, event: &impl Fields<'a>) -> bool {
        match self {
            Predicate::All(parts) => parts.iter().all(|part| part.matches(event)),
            Predicate::Any(parts) => parts.iter().any(|part| part.matches(event)),
            Predicate::Not(part) => !part.matches(event),
            Predicate::Test(test) => test.matches(event),
        }
    }

    /// Visits every test in the tree.
    pub fn for_each_test<'p>(&'p self, visit: &mut impl FnMut(&'p Test)) {
        match self {
            Predicate::All(parts) | Predicate::Any(parts) => {
                parts.iter().for_each(|part| part.for_each_test(visit))
            }
            Predicate::Not(part) => part.for_each_test(visit),
            Predicate::Test(test) => visit(test),
        }
    }
}
