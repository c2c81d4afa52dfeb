//! From a predicate to the questions that a server can answer.
//!
//! Where the two differ, a question is asked that finds at least the right events. Under a `not` that is turned round: there
//! a question must find only right ones, so that what is left is enough. So each part of a predicate is planned for one
//! [`Side`].

mod kinds;
mod query;
mod texts;

pub(crate) use query::Query;

use crate::note::{Effect, Note, Reason};
use crate::regexp::{Translated, translate};
use crate::schema::{Schema, Type};
use event::FieldPath;
use kinds::rank;
use predicate::{Field, Matcher, Predicate, Source, Test};
use texts::{beginning, regexp, runs, variants};

/// Which of the two languages is written: they differ in how they disregard case, and in what they lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Dsl,
    Lucene,
}

/// What a question must do where it cannot be exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Find at least the right events.
    Over,
    /// Find only right events.
    Under,
}

impl Side {
    fn flip(self) -> Side {
        match self {
            Side::Over => Side::Under,
            Side::Under => Side::Over,
        }
    }
}

/// How a question differs from what should be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Differs {
    More,
    Less,
}

/// The longest regular expression that servers take, by default.
const MAX_REGEXP: usize = 1_000;

/// The longest wildcard that they take, and the longest text without regard to case.
const MAX_STEPS: usize = 900;

/// Plans the query for `predicate`.
pub(crate) fn plan(
    predicate: &Predicate,
    schema: &Schema,
    language: Language,
) -> (Query, Vec<Note>) {
    let mut planner = Planner {
        schema,
        language,
        notes: Vec::new(),
    };
    let query = planner.predicate(predicate, Side::Over);
    (query, planner.notes)
}

struct Planner<'s> {
    schema: &'s Schema,
    language: Language,
    notes: Vec<Note>,
}

/// A field as a query names it, and what it is asked for.
struct Target<'s> {
    name: String,
    kind: &'s Type,
    side: Side,
}

impl Target<'_> {
    fn ignore_above(&self) -> usize {
        self.kind.ignore_above()
    }

    fn is_lowered(&self) -> bool {
        matches!(
            self.kind,
            Type::Keyword {
                lowercase: true,
                ..
            }
        )
    }

    fn term(&self, text: impl Into<String>) -> Query {
        Query::Term {
            field: self.name.clone(),
            text: text.into(),
            caseless: false,
        }
    }

    fn regexp(&self, regexp: String) -> Query {
        Query::Regexp {
            field: self.name.clone(),
            regexp,
        }
    }

    fn phrase(&self, text: &str) -> Query {
        Query::Phrase {
            field: self.name.clone(),
            text: text.to_owned(),
        }
    }
}

impl<'s> Planner<'s> {
    fn predicate(&mut self, predicate: &Predicate, side: Side) -> Query {
        match predicate {
            Predicate::All(parts) => {
                let parts: Vec<Query> = parts
                    .iter()
                    .map(|part| self.predicate(part, side))
                    .collect();
                Query::all(parts)
            }
            Predicate::Any(parts) => {
                let parts: Vec<Query> = parts
                    .iter()
                    .map(|part| self.predicate(part, side))
                    .collect();
                Query::any(parts)
            }
            Predicate::Not(part) => Query::not(self.predicate(part, side.flip())),
            Predicate::Test(test) => self.test(test, side),
        }
    }

    /// Notes that a question on `side` differs.
    fn note(&mut self, reason: Reason, differs: Differs, field: Option<&str>, side: Side) {
        let effect = match (differs, side) {
            (Differs::More, Side::Over) | (Differs::Less, Side::Under) => Effect::FindsMore,
            (Differs::Less, Side::Over) | (Differs::More, Side::Under) => Effect::FindsLess,
        };
        let known = self
            .notes
            .iter_mut()
            .find(|note| note.reason == reason && note.effect == effect);
        let fields = field.map(str::to_owned);
        match known {
            None => self.notes.push(Note {
                reason,
                effect,
                fields: fields.into_iter().collect(),
            }),
            Some(note) => {
                let new = fields.filter(|field| !note.fields.contains(field));
                note.fields.extend(new);
            }
        }
    }

    fn differs(&mut self, reason: Reason, differs: Differs, target: &Target<'_>) {
        self.note(reason, differs, Some(&target.name), target.side);
    }

    /// What is asked instead of what cannot be: whether there is a value at all; under a `not`, nothing.
    fn instead(&mut self, reason: Reason, target: &Target<'_>) -> Query {
        match target.side {
            Side::Over => {
                self.differs(reason, Differs::More, target);
                self.exists_of(target)
            }
            Side::Under => {
                self.differs(reason, Differs::Less, target);
                Query::nothing()
            }
        }
    }

    fn exists_of(&mut self, target: &Target<'_>) -> Query {
        if matches!(target.kind, Type::Other(_)) {
            // Whether it can be asked is not known either.
            return Query::everything();
        }
        if target.ignore_above() != usize::MAX {
            self.differs(Reason::TooLong, Differs::Less, target);
        }
        Query::Exists(target.name.clone())
    }

    fn test(&mut self, test: &Test, side: Side) -> Query {
        match test {
            Test::Value(field, matcher) => self.value(field, matcher, side),
            Test::Null(field) => {
                self.note(Reason::Empty, Differs::More, Some(&field.to_string()), side);
                self.note(Reason::Empty, Differs::Less, Some(&field.to_string()), side);
                Query::not(self.exists(field, side.flip()))
            }
            Test::Present(field) => {
                self.note(Reason::Empty, Differs::Less, Some(&field.to_string()), side);
                self.exists(field, side)
            }
            Test::Indexed(field, ignore_above) => self.indexed(field, *ignore_above, side),
            Test::Keyword(matcher) => self.keyword(matcher, side),
            Test::Refer(left, _, right) => match side {
                Side::Over => {
                    self.note(
                        Reason::Reference,
                        Differs::More,
                        Some(&left.to_string()),
                        side,
                    );
                    let both = [self.exists(left, side), self.exists(right, side)];
                    Query::all(both)
                }
                Side::Under => {
                    self.note(
                        Reason::Reference,
                        Differs::Less,
                        Some(&left.to_string()),
                        side,
                    );
                    Query::nothing()
                }
            },
        }
    }

    /// Asks each place that the field's values come from; `ask` those that are names of fields.
    fn sources(
        &mut self,
        field: &Field,
        side: Side,
        ask: &mut dyn FnMut(&mut Planner<'s>, &FieldPath) -> Query,
    ) -> Query {
        let mut parts = Vec::new();
        for source in field.sources() {
            parts.push(match source {
                Source::Path(path) if path.names().any(|name| name == "*") => {
                    let name = path.as_str();
                    match side {
                        Side::Over => {
                            self.note(Reason::Names, Differs::More, Some(name), side);
                            self.note(Reason::TooLong, Differs::Less, Some(name), side);
                            Query::Exists(name.to_owned())
                        }
                        Side::Under => {
                            self.note(Reason::Names, Differs::Less, Some(name), side);
                            Query::nothing()
                        }
                    }
                }
                Source::Path(path) => ask(self, path),
                Source::Derived(derived) => match side {
                    Side::Over => {
                        self.note(Reason::Derived, Differs::More, Some(derived.name), side);
                        let inputs: Vec<Query> = derived
                            .paths()
                            .map(|path| self.exists_at(&path, side))
                            .collect();
                        Query::any(inputs)
                    }
                    Side::Under => {
                        self.note(Reason::Derived, Differs::Less, Some(derived.name), side);
                        Query::nothing()
                    }
                },
            });
        }
        Query::any(parts)
    }

    fn exists(&mut self, field: &Field, side: Side) -> Query {
        self.sources(field, side, &mut |planner, path| {
            planner.exists_at(path, side)
        })
    }

    fn exists_at(&mut self, path: &FieldPath, side: Side) -> Query {
        // By the name that leaves out the fewest values.
        match self.target(path, side, &|kind| usize::MAX - kind.ignore_above()) {
            Some(target) => match target.kind {
                Type::Other(_) => self.instead(Reason::Type, &target),
                _ => self.exists_of(&target),
            },
            None => self.unmapped(path, side),
        }
    }

    fn unmapped(&mut self, path: &FieldPath, side: Side) -> Query {
        self.note(Reason::Unmapped, Differs::Less, Some(path.as_str()), side);
        Query::nothing()
    }

    /// The name for the values at `path` whose type has the lowest rank.
    fn target(
        &self,
        path: &FieldPath,
        side: Side,
        rank: &dyn Fn(&Type) -> usize,
    ) -> Option<Target<'s>> {
        let names = self.schema.names_of(path.as_str()).into_iter();
        let (name, kind) = names.min_by_key(|(_, kind)| rank(kind))?;
        Some(Target { name, kind, side })
    }

    /// The field is in an index that takes values up to this length.
    fn indexed(&mut self, field: &Field, ignore_above: usize, side: Side) -> Query {
        self.sources(field, side, &mut |planner, path| {
            let away = |kind: &Type| kind.ignore_above().abs_diff(ignore_above);
            let Some(target) = planner.target(path, side, &away) else {
                return planner.unmapped(path, side);
            };
            let own = target.ignore_above();
            match (target.kind, side) {
                (Type::Other(_), _) => planner.instead(Reason::Type, &target),
                _ if own == ignore_above => Query::Exists(target.name),
                (_, Side::Over) => {
                    let differs = if own > ignore_above {
                        Differs::More
                    } else {
                        Differs::Less
                    };
                    planner.differs(Reason::TooLong, differs, &target);
                    Query::Exists(target.name)
                }
                (_, Side::Under) if own < ignore_above => {
                    planner.differs(Reason::TooLong, Differs::Less, &target);
                    Query::Exists(target.name)
                }
                (_, Side::Under) => planner.instead(Reason::Type, &target),
            }
        })
    }

    fn value(&mut self, field: &Field, matcher: &Matcher, side: Side) -> Query {
        self.sources(field, side, &mut |planner, path| match planner
            .target(path, side, &|kind| rank(matcher, kind))
        {
            Some(target) => planner.matcher(matcher, &target),
            None => planner.unmapped(path, side),
        })
    }

    /// A test on any string of the event.
    fn keyword(&mut self, matcher: &Matcher, side: Side) -> Query {
        if side == Side::Under {
            self.note(Reason::AnyField, Differs::Less, None, side);
            return Query::nothing();
        }
        self.note(Reason::AnyField, Differs::More, None, side);
        self.note(Reason::AnyField, Differs::Less, None, side);
        let regexps = match matcher {
            // Where a field is words only, none of them is the whole.
            Matcher::Pattern(pattern) if self.schema.has_words_only() => runs(pattern),
            Matcher::Pattern(pattern) => {
                let parts = pattern.parts();
                let regexp = match pattern.is_cased() {
                    true => regexp(parts.iter(), &|c| vec![c]),
                    false => regexp(parts.iter(), &|c| variants(c).to_vec()),
                };
                match regexp.chars().count() <= MAX_REGEXP {
                    true => vec![regexp],
                    false => vec![beginning(parts)],
                }
            }
            Matcher::Regex(regex) if !self.schema.has_words_only() => translate(regex.as_str())
                .filter(is_taken)
                .map(|found| found.text)
                .into_iter()
                .collect(),
            _ => Vec::new(),
        };
        if !regexps.is_empty() {
            self.note(Reason::TooLong, Differs::Less, None, side);
        }
        Query::all(regexps.into_iter().map(Query::AnyRegexp))
    }
}

/// Whether a server takes an expression.
fn is_taken(found: &Translated) -> bool {
    found.text.chars().count() <= MAX_REGEXP && found.size <= MAX_STEPS as u64
}
