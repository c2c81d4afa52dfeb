//! Why an event is selected or not: the tree once more, with the outcome of each part.

use crate::field::{Field, text_of};
use crate::test::is_indexed;
use crate::{Matcher, Predicate, Test, fold};
use event::{Fields, Value};
use foldhash::fast::FixedState;
use std::borrow::Cow;
use std::collections::HashMap;

/// A part of a predicate and how it came out on one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation<'p> {
    /// What kind of part this is.
    pub shape: Shape<'p>,
    /// How it came out.
    pub verdict: Verdict,
    /// The parts that it is made of.
    pub children: Vec<Explanation<'p>>,
    /// What the event held where a test looked; for keywords, only the strings that passed.
    pub held: Vec<Held>,
}

/// What an [`Explanation`] is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape<'p> {
    /// All of its children.
    All,
    /// Any of its children.
    Any,
    /// Not its child.
    Not,
    /// A test.
    Test(&'p Test),
}

/// How a part came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It does not hold, since the event has no such field.
    NoField,
}

/// A value of the event that a test looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The path it stands at; empty for a keyword.
    pub field: String,
    /// Its text; `null` for null, the JSON text for an object.
    pub value: String,
    /// Whether it passed the test.
    pub passed: bool,
}

/// A field and the value for which a predicate holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The path of the field.
    pub field: String,
    /// The text of the value.
    pub value: String,
}

impl Predicate {
    /// How each part of this predicate comes out on `event`.
    pub fn explain<'p, 'a>(&'p self, event: &impl Fields<'a>) -> Explanation<'p> {
        let (shape, children) = match self {
            Predicate::Test(test) => return test.explain(event),
            Predicate::All(parts) => (
                Shape::All,
                parts.iter().map(|part| part.explain(event)).collect(),
            ),
            Predicate::Any(parts) => (
                Shape::Any,
                parts.iter().map(|part| part.explain(event)).collect(),
            ),
            Predicate::Not(part) => (Shape::Not, vec![part.explain(event)]),
        };
        let holds = |child: &Explanation<'_>| child.verdict == Verdict::True;
        let verdict = match shape {
            Shape::Any => children.iter().any(holds),
            Shape::Not => !children.iter().any(holds),
            Shape::All | Shape::Test(_) => children.iter().all(holds),
        };
        Explanation {
            shape,
            verdict: if verdict {
                Verdict::True
            } else {
                Verdict::False
            },
            children,
            held: Vec::new(),
        }
    }
}

impl Predicate {
    /// The fields for whose values this holds on `event`, in the order of the predicate, each field once; nothing from
    /// under a `not`. `None` if it does not hold.
    pub fn evidence<'a>(&self, event: &impl Fields<'a>) -> Option<Vec<Evidence>> {
        let mut gatherer = Gatherer {
            event,
            fields: HashMap::default(),
            evidence: Vec::new(),
        };
        gatherer.gather(self).then_some(gatherer.evidence)
    }
}

/// Gathers evidence. Rules ask for the same field over and over, so each is looked up once.
struct Gatherer<'e, 'p, 'a, F> {
    event: &'e F,
    /// By the address of what tests on one field mostly share.
    fields: HashMap<usize, Vec<Looked<'p, 'a>>, FixedState>,
    evidence: Vec<Evidence>,
}

/// A value of a field.
struct Looked<'p, 'a> {
    /// The path that it stands at.
    path: &'p str,
    value: Value<'a>,
    /// Its text, folded.
    folded: Option<String>,
}

impl<'p, 'a, F: Fields<'a>> Gatherer<'_, 'p, 'a, F> {
    fn gather(&mut self, predicate: &'p Predicate) -> bool {
        match predicate {
            Predicate::All(parts) => {
                let before = self.evidence.len();
                let holds = parts.iter().all(|part| self.gather(part));
                if !holds {
                    self.evidence.truncate(before);
                }
                holds
            }
            Predicate::Any(parts) => {
                // All of them, also after the first that holds.
                let holding = parts.iter().filter(|part| self.gather(part));
                holding.count() > 0
            }
            Predicate::Not(part) => {
                let before = self.evidence.len();
                let holds = self.gather(part);
                self.evidence.truncate(before);
                !holds
            }
            Predicate::Test(Test::Value(field, matcher)) => self.gather_values(field, matcher),
            Predicate::Test(test) => {
                let holds = test.matches(self.event);
                if holds {
                    let held = test.explain(self.event).held.into_iter();
                    for held in held.filter(|held| held.passed && !held.field.is_empty()) {
                        add(&mut self.evidence, &held.field, || held.value);
                    }
                }
                holds
            }
        }
    }

    fn gather_values(&mut self, field: &'p Field, matcher: &Matcher) -> bool {
        let values = self
            .fields
            .entry(field.sources().as_ptr().addr())
            .or_insert_with(|| {
                let found = field.lookup(self.event).values.into_iter();
                let looked = found.map(|(path, value)| Looked {
                    path,
                    folded: text_of(&value).map(|text| fold(&text).into_owned()),
                    value,
                });
                looked.collect()
            });
        let mut holds = false;
        for looked in &*values {
            if looked.passes(matcher) {
                holds = true;
                add(&mut self.evidence, looked.path, || shown(&looked.value));
            }
        }
        holds
    }
}

impl Looked<'_, '_> {
    fn passes(&self, matcher: &Matcher) -> bool {
        match (matcher, &self.folded) {
            (Matcher::Pattern(pattern), Some(folded)) if !pattern.is_cased() => {
                pattern.matches_folded(folded)
            }
            _ => matcher.matches(&self.value),
        }
    }
}

/// Adds what a field holds, if nothing is known of it yet.
fn add(evidence: &mut Vec<Evidence>, field: &str, value: impl FnOnce() -> String) {
    if !evidence.iter().any(|known| known.field == field) {
        evidence.push(Evidence {
            field: field.to_owned(),
            value: value(),
        });
    }
}

impl Test {
    fn explain<'p, 'a>(&'p self, event: &impl Fields<'a>) -> Explanation<'p> {
        let held: Vec<Held> = match self {
            Test::Value(field, matcher) => held(field, event, |value| matcher.matches(value)),
            Test::Null(field) => held(field, event, |value| *value == Value::Null),
            Test::Present(field) => held(field, event, |_| true),
            Test::Indexed(field, ignore_above) => {
                held(field, event, |value| is_indexed(value, *ignore_above))
            }
            Test::Refer(left, relation, right) => {
                let others = right.lookup(event).values;
                let mut both = held(left, event, |value| {
                    let left = text_of(value);
                    left.is_some_and(|left| {
                        others
                            .iter()
                            .filter_map(|(_, other)| text_of(other))
                            .any(|right| relation.holds_for(&left, &right))
                    })
                });
                both.extend(held(right, event, |_| false));
                both
            }
            Test::Keyword(matcher) => event
                .strings()
                .into_iter()
                .filter(|string| matcher.matches_text(string))
                .map(|string| Held {
                    field: String::new(),
                    value: string.into_owned(),
                    passed: true,
                })
                .collect(),
        };
        let verdict = match self {
            _ if self.matches(event) => Verdict::True,
            Test::Keyword(_) => Verdict::False,
            _ if held.is_empty() => Verdict::NoField,
            _ => Verdict::False,
        };
        Explanation {
            shape: Shape::Test(self),
            verdict,
            children: Vec::new(),
            held,
        }
    }
}

/// How a value is shown.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Object(text) => (*text).to_owned(),
        value => text_of(value).map_or_else(|| "null".to_owned(), Cow::into_owned),
    }
}

fn held<'a>(
    field: &Field,
    event: &impl Fields<'a>,
    passes: impl Fn(&Value<'_>) -> bool,
) -> Vec<Held> {
    let values = field.lookup(event).values;
    values
        .iter()
        .map(|(name, value)| Held {
            field: (*name).to_owned(),
            value: shown(value),
            passed: passes(value),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Event;

    fn is(field: &str, text: &str) -> Predicate {
        Predicate::Test(Test::Value(Field::path(field), Matcher::text(text)))
    }

    #[test]
    fn evidence_is_what_holds() {
        let event = br#"{"a": "1", "b": ["x", "2"], "c": "3", "d": null}"#;
        let event = Event::parse(event).unwrap();
        let predicate = Predicate::All(vec![
            Predicate::Any(vec![
                Predicate::All(vec![is("c", "3"), is("a", "other")]),
                is("b", "2"),
                is("a", "1"),
            ]),
            Predicate::Not(Box::new(is("c", "4"))),
            Predicate::Test(Test::Null(Field::path("d"))),
            Predicate::Test(Test::Null(Field::path("e"))),
        ]);
        let found = predicate.evidence(&event).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|found| (&*found.field, &*found.value))
            .collect();
        assert_eq!(found, [("b", "2"), ("a", "1"), ("d", "null")]);
        assert_eq!(
            predicate.evidence(&event.index()),
            predicate.evidence(&event)
        );
        assert_eq!(is("a", "2").evidence(&event), None);
    }

    #[test]
    fn an_explanation_tells_false_from_missing() {
        let event = Event::parse(br#"{"a": "1"}"#).unwrap();
        let predicate = Predicate::Any(vec![is("a", "1"), is("a", "2"), is("b", "2")]);
        let explanation = predicate.explain(&event);
        let verdicts: Vec<Verdict> = explanation
            .children
            .iter()
            .map(|child| child.verdict)
            .collect();
        assert_eq!(verdicts, [Verdict::True, Verdict::False, Verdict::NoField]);
        assert_eq!(explanation.verdict, Verdict::True);
        assert_eq!(explanation.children[1].held[0].value, "1");
    }
}
