//! From a predicate to the questions that a server can answer.
//!
//! Where the two differ, a question is asked that finds at least the right events. Under a `not` that is turned round: there
//! a question must find only right ones, so that what is left is enough. So each part of a predicate is planned for one
//! [`Side`].

use crate::asked::MAPPED;
use crate::note::{Effect, Note, Reason};
use crate::regexp::{Translated, class_of, end_safely, escape_char, translate};
use crate::schema::{Schema, Type};
use event::FieldPath;
use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use predicate::{
    Analysis, Comparison, DateRange, Decimal, Field, Indexed, Matcher, Part, Pattern, Predicate,
    Source, TermTest, Test, fold_char, lower, words,
};
use std::collections::HashMap;
use std::ops::{Bound, RangeInclusive};
use std::sync::LazyLock;

/// A query of either language.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Query {
    /// All of these; everything if there are none.
    All(Vec<Query>),
    /// Any of these; nothing if there are none.
    Any(Vec<Query>),
    Not(Box<Query>),
    /// The field has a value.
    Exists(String),
    /// A term is this text; `caseless` as far as it is ASCII.
    Term {
        field: String,
        text: String,
        caseless: bool,
    },
    /// A term is like this.
    Wildcard {
        field: String,
        parts: Vec<Part>,
        caseless: bool,
    },
    /// A term matches Lucene's regular expression.
    Regexp {
        field: String,
        regexp: String,
    },
    /// A term of any field does.
    AnyRegexp(String),
    /// These words follow one another.
    Phrase {
        field: String,
        text: String,
    },
    /// A value lies between these.
    Range {
        field: String,
        from: Bound<String>,
        to: Bound<String>,
    },
}

impl Query {
    fn everything() -> Query {
        Query::All(Vec::new())
    }

    fn nothing() -> Query {
        Query::Any(Vec::new())
    }

    fn all(parts: impl IntoIterator<Item = Query>) -> Query {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Query::All(parts) => all.extend(parts),
                Query::Any(parts) if parts.is_empty() => return Query::nothing(),
                part => all.push(part),
            }
        }
        match all.len() {
            1 => all.remove(0),
            _ => Query::All(all),
        }
    }

    fn any(parts: impl IntoIterator<Item = Query>) -> Query {
        let mut any = Vec::new();
        for part in parts {
            match part {
                Query::Any(parts) => any.extend(parts),
                Query::All(parts) if parts.is_empty() => return Query::everything(),
                part => any.push(part),
            }
        }
        match any.len() {
            1 => any.remove(0),
            _ => Query::Any(any),
        }
    }

    fn not(part: Query) -> Query {
        match part {
            Query::All(parts) if parts.is_empty() => Query::nothing(),
            Query::Any(parts) if parts.is_empty() => Query::everything(),
            Query::Not(part) => *part,
            part => Query::Not(Box::new(part)),
        }
    }
}

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

    fn matcher(&mut self, matcher: &Matcher, target: &Target<'_>) -> Query {
        if let Matcher::Indexed(indexed) = matcher {
            return self.terms(indexed, target);
        }
        match target.kind {
            Type::Keyword { .. } | Type::Wildcard { .. } => self.on_keyword(matcher, target),
            Type::Text => self.on_text(matcher, target),
            Type::Number => self.on_number(matcher, target),
            Type::Date => match matcher {
                Matcher::Date(range) => date_range(target, range),
                Matcher::TimePart(..) => self.instead(Reason::TimePart, target),
                _ => self.instead(Reason::Type, target),
            },
            Type::Boolean => match matcher {
                Matcher::Bool(value) => target.term(value.to_string()),
                Matcher::Pattern(pattern) if matches!(whole(pattern), Some("true" | "false")) => {
                    target.term(whole(pattern).unwrap_or_default())
                }
                _ => self.instead(Reason::Type, target),
            },
            Type::Ip => match matcher {
                Matcher::Cidr(net) => self.ip_network(net, target),
                _ => self.instead(Reason::Type, target),
            },
            Type::Other(_) => self.instead(Reason::Type, target),
        }
    }

    fn on_keyword(&mut self, matcher: &Matcher, target: &Target<'_>) -> Query {
        match matcher {
            Matcher::Pattern(pattern) => self.keyword_pattern(pattern, target),
            Matcher::Regex(regex) => self.keyword_regex(regex.as_str(), target),
            Matcher::Number(number) => {
                self.differs(Reason::Number, Differs::Less, target);
                self.short_term(&number.to_string(), target)
            }
            Matcher::Bool(value) => {
                let text = value.to_string();
                match self.language {
                    Language::Dsl => Query::Term {
                        field: target.name.clone(),
                        text,
                        caseless: true,
                    },
                    Language::Lucene if matches!(target.kind, Type::Wildcard { .. }) => {
                        self.instead(Reason::WildcardField, target)
                    }
                    Language::Lucene => target.regexp(ascii_caseless(&[Part::Text(text)])),
                }
            }
            Matcher::Cidr(net) => self.keyword_network(net, target),
            Matcher::TimePart(..) => self.instead(Reason::TimePart, target),
            Matcher::Compare(..) | Matcher::Between(_) | Matcher::Date(_) | Matcher::Indexed(_) => {
                self.instead(Reason::Type, target)
            }
        }
    }

    /// A term that is this text, in a field that may leave it out.
    fn short_term(&mut self, text: &str, target: &Target<'_>) -> Query {
        if text.encode_utf16().count() > target.ignore_above() {
            self.differs(Reason::TooLong, Differs::Less, target);
        }
        target.term(text)
    }

    fn keyword_pattern(&mut self, pattern: &Pattern, target: &Target<'_>) -> Query {
        if may_be_longer(pattern, target.ignore_above()) {
            self.differs(Reason::TooLong, Differs::Less, target);
        }
        if target.is_lowered() {
            // What is told apart here is equal there, or the other way round.
            self.differs(Reason::Case, Differs::More, target);
            self.differs(Reason::Case, Differs::Less, target);
            if target.side == Side::Under {
                return Query::nothing();
            }
        }
        let has_case = !pattern.is_cased() && chars(pattern.parts()).any(|c| variants(c).len() > 1);
        if !has_case {
            let lowered = pattern.parts().iter().map(|part| match part {
                Part::Text(text) if target.is_lowered() => Part::Text(lower(text)),
                part => part.clone(),
            });
            return self.like(lowered.collect(), false, target);
        }
        match self.language {
            Language::Dsl => {
                if chars(pattern.parts()).any(|c| matches!(c, 'k' | 's')) {
                    self.differs(Reason::Case, Differs::Less, target);
                }
                let parts = self.ascii_parts(pattern, target);
                self.like(parts, true, target)
            }
            Language::Lucene if matches!(target.kind, Type::Wildcard { .. }) => {
                self.instead(Reason::WildcardField, target)
            }
            Language::Lucene => {
                let parts = pattern.parts();
                let regexp = regexp(parts.iter(), &|c| variants(c).to_vec());
                if regexp.chars().count() <= MAX_REGEXP {
                    return target.regexp(regexp);
                }
                match target.side {
                    Side::Over => {
                        self.differs(Reason::Length, Differs::More, target);
                        target.regexp(beginning(parts))
                    }
                    Side::Under => self.instead(Reason::Length, target),
                }
            }
        }
    }

    /// The parts of a caseless pattern for a server that knows the case of ASCII letters only: other letters become `?`,
    /// or under a `not` themselves.
    fn ascii_parts(&mut self, pattern: &Pattern, target: &Target<'_>) -> Vec<Part> {
        let mut parts = Vec::new();
        for part in pattern.parts() {
            let Part::Text(text) = part else {
                parts.push(part.clone());
                continue;
            };
            for c in text.chars() {
                let has_case = !c.is_ascii() && variants(c).len() > 1;
                match target.side {
                    Side::Over if has_case => {
                        self.differs(Reason::Case, Differs::More, target);
                        parts.push(Part::One);
                    }
                    Side::Under if has_case => {
                        self.differs(Reason::Case, Differs::Less, target);
                        parts.push(Part::Text(c.to_string()));
                    }
                    _ => parts.push(Part::Text(c.to_string())),
                }
            }
        }
        Pattern::new(parts, true).parts().to_vec()
    }

    /// A term is like `parts`.
    fn like(&mut self, parts: Vec<Part>, caseless: bool, target: &Target<'_>) -> Query {
        let field = target.name.clone();
        let steps = single(&parts).count();
        match &*parts {
            [] => target.term(""),
            [Part::Text(text)] if !caseless || steps <= MAX_STEPS => {
                let text = text.clone();
                Query::Term {
                    field,
                    text,
                    caseless,
                }
            }
            _ if self.language == Language::Lucene
                && matches!(target.kind, Type::Wildcard { .. }) =>
            {
                self.instead(Reason::WildcardField, target)
            }
            _ if steps <= MAX_STEPS => Query::Wildcard {
                field,
                parts,
                caseless,
            },
            _ if target.side == Side::Under => self.instead(Reason::Length, target),
            _ => {
                self.differs(Reason::Length, Differs::More, target);
                let parts = single(&parts).take(MAX_STEPS - 1).chain([Part::Star]);
                let parts = Pattern::new(parts, true).parts().to_vec();
                Query::Wildcard {
                    field,
                    parts,
                    caseless,
                }
            }
        }
    }

    fn keyword_regex(&mut self, pattern: &str, target: &Target<'_>) -> Query {
        if target.is_lowered() {
            return self.instead(Reason::Case, target);
        }
        if self.language == Language::Lucene && matches!(target.kind, Type::Wildcard { .. }) {
            return self.instead(Reason::WildcardField, target);
        }
        match translate(pattern) {
            Some(found) if !is_taken(&found) => self.instead(Reason::Length, target),
            Some(found) if found.is_exact || target.side == Side::Over => {
                if !found.is_exact {
                    self.differs(Reason::Regex, Differs::More, target);
                }
                if target.ignore_above() != usize::MAX {
                    self.differs(Reason::TooLong, Differs::Less, target);
                }
                target.regexp(found.text)
            }
            _ => self.instead(Reason::Regex, target),
        }
    }

    fn keyword_network(&mut self, net: &IpNet, target: &Target<'_>) -> Query {
        if self.language == Language::Lucene && matches!(target.kind, Type::Wildcard { .. }) {
            return self.instead(Reason::WildcardField, target);
        }
        let regexp = match (net, target.side) {
            // An IPv6 address that stands for one of these begins like this, a scope follows a `%`.
            (IpNet::V4(net), Side::Over) => {
                format!("({}(%.*)?|[0\\:]+[fF]{{4}}\\:.*)", addresses(net)).replace('%', "\\%")
            }
            (IpNet::V4(net), Side::Under) => addresses(net),
            (IpNet::V6(_), Side::Over) => ".*\\:.*".to_owned(),
            (IpNet::V6(_), Side::Under) => return self.instead(Reason::Network, target),
        };
        let differs = match target.side {
            Side::Over => Differs::More,
            Side::Under => Differs::Less,
        };
        self.differs(Reason::Network, differs, target);
        if target.ignore_above() != usize::MAX {
            self.differs(Reason::TooLong, Differs::Less, target);
        }
        target.regexp(regexp)
    }

    fn ip_network(&mut self, net: &IpNet, target: &Target<'_>) -> Query {
        match net {
            // Such an address is in the field one of IPv4, and a server refuses the network.
            IpNet::V6(net) if MAPPED.contains(net) => self.instead(Reason::Network, target),
            IpNet::V6(net) if net.contains(&*MAPPED) => match target.side {
                Side::Over => {
                    self.differs(Reason::Network, Differs::More, target);
                    target.term(net.to_string())
                }
                Side::Under => self.instead(Reason::Network, target),
            },
            net => target.term(net.to_string()),
        }
    }

    /// A field that is words only. Of a whole value, what stands in one word for sure is asked.
    fn on_text(&mut self, matcher: &Matcher, target: &Target<'_>) -> Query {
        if target.side == Side::Under {
            return self.instead(Reason::Words, target);
        }
        match matcher {
            Matcher::Pattern(pattern) => {
                let runs = runs(pattern);
                if runs.is_empty() {
                    return self.instead(Reason::Words, target);
                }
                self.differs(Reason::Words, Differs::More, target);
                self.differs(Reason::Words, Differs::Less, target);
                Query::all(runs.into_iter().map(|run| target.regexp(run)))
            }
            Matcher::Number(number) => {
                self.differs(Reason::Words, Differs::More, target);
                self.differs(Reason::Number, Differs::Less, target);
                target.phrase(&number.to_string())
            }
            Matcher::Bool(value) => {
                self.differs(Reason::Words, Differs::More, target);
                target.phrase(&value.to_string())
            }
            _ => self.instead(Reason::Words, target),
        }
    }

    fn on_number(&mut self, matcher: &Matcher, target: &Target<'_>) -> Query {
        let numbers = match matcher {
            Matcher::Number(number) | Matcher::Compare(_, number) => vec![number],
            Matcher::Between(range) => [&range.0, &range.1]
                .into_iter()
                .filter_map(end_of)
                .collect(),
            _ => Vec::new(),
        };
        // Servers refuse numbers that the field cannot hold.
        if numbers.iter().any(|number| !LONGS.contains(number)) {
            return self.instead(Reason::Type, target);
        }
        let field = target.name.clone();
        let range = |from: Bound<&Decimal>, to: Bound<&Decimal>| Query::Range {
            field,
            from: from.map(ToString::to_string),
            to: to.map(ToString::to_string),
        };
        match matcher {
            Matcher::Number(number) => {
                // Also strings such as `01`, which are that number there.
                self.differs(Reason::Number, Differs::More, target);
                target.term(number.to_string())
            }
            Matcher::Compare(Comparison::Equal, number) => target.term(number.to_string()),
            Matcher::Compare(comparison, number) => match comparison {
                Comparison::Less => range(Bound::Unbounded, Bound::Excluded(number)),
                Comparison::Greater => range(Bound::Excluded(number), Bound::Unbounded),
                Comparison::GreaterOrEqual => range(Bound::Included(number), Bound::Unbounded),
                Comparison::LessOrEqual | Comparison::Equal => {
                    range(Bound::Unbounded, Bound::Included(number))
                }
            },
            Matcher::Between(between) => range(between.0.as_ref(), between.1.as_ref()),
            Matcher::Pattern(pattern) if target.side == Side::Over => {
                match whole(pattern).and_then(Decimal::parse) {
                    Some(number) => {
                        self.differs(Reason::Type, Differs::More, target);
                        target.term(number.to_string())
                    }
                    None => self.instead(Reason::Type, target),
                }
            }
            _ => self.instead(Reason::Type, target),
        }
    }

    /// A test on terms, of a field whose terms may be others.
    fn terms(&mut self, indexed: &Indexed, target: &Target<'_>) -> Query {
        if target.kind.analysis() != Some(indexed.analysis) {
            return self.instead(Reason::Type, target);
        }
        let is_wildcard_field = matches!(target.kind, Type::Wildcard { .. });
        // A query string lowers what is asked of words.
        let is_kept = |text: &str| {
            self.language == Language::Dsl
                || indexed.analysis != Analysis::Words
                || lower(text) == text
        };
        let field = target.name.clone();
        match &indexed.test {
            TermTest::Phrase(phrase) => match (&**phrase, indexed.analysis) {
                ([], _) => Query::nothing(),
                ([text], Analysis::Whole { .. }) => self.short_term(text, target),
                (_, Analysis::Whole { .. }) => Query::nothing(),
                (phrase, Analysis::Words) => {
                    let text = phrase.join(" ");
                    match words(&text) == phrase {
                        true => target.phrase(&text),
                        false => self.instead(Reason::Words, target),
                    }
                }
            },
            // No word is empty.
            TermTest::Pattern { pattern, .. }
                if indexed.analysis == Analysis::Words && pattern.parts().is_empty() =>
            {
                Query::nothing()
            }
            TermTest::Pattern { pattern, caseless } => match (self.language, pattern.parts()) {
                (Language::Dsl, parts) => self.like(parts.to_vec(), *caseless, target),
                (Language::Lucene, [Part::Text(text)])
                    if indexed.analysis == Analysis::Words && !caseless =>
                {
                    match words(text)[..] == [text.as_str()] {
                        true => target.phrase(text),
                        false => self.instead(Reason::Words, target),
                    }
                }
                _ if is_wildcard_field => self.instead(Reason::WildcardField, target),
                (Language::Lucene, parts) if *caseless => {
                    let regexp = ascii_caseless(parts);
                    match regexp.chars().count() <= MAX_REGEXP {
                        true => target.regexp(regexp),
                        false => self.instead(Reason::Length, target),
                    }
                }
                (Language::Lucene, parts) => match chars(parts).all(|c| is_kept(&c.to_string())) {
                    true => self.like(parts.to_vec(), false, target),
                    false => self.instead(Reason::Words, target),
                },
            },
            TermTest::Regex(regex) => match translate(regex.as_str()) {
                Some(found) if found.is_exact && is_taken(&found) && is_kept(&found.text) => {
                    match is_wildcard_field && self.language == Language::Lucene {
                        true => self.instead(Reason::WildcardField, target),
                        false => target.regexp(found.text),
                    }
                }
                _ => self.instead(Reason::Regex, target),
            },
            TermTest::Between(Bound::Unbounded, Bound::Unbounded) => {
                self.like(vec![Part::Star], false, target)
            }
            TermTest::Between(from, to) => {
                let end = |bound: &Bound<Box<str>>| bound.as_ref().map(|text| text.to_string());
                let (from, to) = (end(from), end(to));
                let is_written = |bound: &Bound<String>| match bound {
                    Bound::Included(text) | Bound::Excluded(text) => {
                        is_kept(text)
                            && (self.language == Language::Dsl || !matches!(&**text, "" | "*"))
                    }
                    Bound::Unbounded => true,
                };
                match is_written(&from) && is_written(&to) {
                    true => Query::Range { field, from, to },
                    false => self.instead(Reason::Words, target),
                }
            }
        }
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

/// The numbers that a field of type `long` holds.
static LONGS: LazyLock<RangeInclusive<Decimal>> =
    LazyLock::new(|| i64::MIN.into()..=i64::MAX.into());

fn end_of<T>(bound: &Bound<T>) -> Option<&T> {
    match bound {
        Bound::Included(end) | Bound::Excluded(end) => Some(end),
        Bound::Unbounded => None,
    }
}

/// Whether a server takes an expression.
fn is_taken(found: &Translated) -> bool {
    found.text.chars().count() <= MAX_REGEXP && found.size <= MAX_STEPS as u64
}

/// Which types of fields answer a test best, the lower the better.
fn rank(matcher: &Matcher, kind: &Type) -> usize {
    let is_own = match matcher {
        Matcher::Indexed(indexed) => kind.analysis() == Some(indexed.analysis),
        Matcher::Number(_) | Matcher::Compare(..) | Matcher::Between(_) => *kind == Type::Number,
        Matcher::Bool(_) => *kind == Type::Boolean,
        Matcher::Cidr(_) => *kind == Type::Ip,
        Matcher::Date(_) => *kind == Type::Date,
        Matcher::Pattern(_) | Matcher::Regex(_) | Matcher::TimePart(..) => false,
    };
    match kind {
        _ if is_own => 0,
        Type::Keyword {
            lowercase: false, ..
        } => 1,
        Type::Wildcard { .. } => 2,
        Type::Keyword { .. } => 3,
        Type::Text => 4,
        Type::Number | Type::Date | Type::Boolean | Type::Ip => 5,
        Type::Other(_) => 6,
    }
}

fn date_range(target: &Target<'_>, range: &DateRange) -> Query {
    let date = |millis: i64| match Timestamp::from_millisecond(millis) {
        Ok(date) if (0..=253_402_300_799_999).contains(&millis) => format!("{date:.3}"),
        // Only recent dates are written in one way by all.
        _ => millis.to_string(),
    };
    let end = |millis: i64, open: i64| match millis == open {
        true => Bound::Unbounded,
        false => Bound::Included(date(millis)),
    };
    Query::Range {
        field: target.name.clone(),
        from: end(range.from, i64::MIN),
        to: end(range.to, i64::MAX),
    }
}

/// The text of a pattern without wildcards.
fn whole(pattern: &Pattern) -> Option<&str> {
    match pattern.parts() {
        [] => Some(""),
        [Part::Text(text)] => Some(text),
        _ => None,
    }
}

/// Whether a value that matches may have more than so many UTF-16 units.
fn may_be_longer(pattern: &Pattern, ignore_above: usize) -> bool {
    let longest = pattern
        .parts()
        .iter()
        .try_fold(0usize, |longest, part| match part {
            Part::Star => None,
            Part::One => Some(longest + 2),
            // Another case of a character may take more units.
            Part::Text(text) => Some(
                longest
                    + text
                        .chars()
                        .map(|c| if c.is_ascii() { 1 } else { 2 })
                        .sum::<usize>(),
            ),
        });
    longest.is_none_or(|longest| longest > ignore_above)
}

fn chars(parts: &[Part]) -> impl Iterator<Item = char> {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::One | Part::Star => None,
    });
    texts.flat_map(str::chars)
}

/// All characters that are equal to `c` where case does not count, `c` among them, if there are others.
fn variants(c: char) -> &'static [char] {
    static VARIANTS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
        let mut variants: HashMap<char, Vec<char>> = HashMap::new();
        for (c, folded) in ('\0'..=char::MAX)
            .map(|c| (c, fold_char(c)))
            .filter(|(c, folded)| c != folded)
        {
            variants
                .entry(folded)
                .or_insert_with(|| vec![folded])
                .push(c);
        }
        variants
    });
    VARIANTS.get(&fold_char(c)).map_or(&[], Vec::as_slice)
}

/// The regular expression for `parts`, each character as any of its `variants`.
fn regexp<'p>(
    parts: impl Iterator<Item = &'p Part>,
    variants: &dyn Fn(char) -> Vec<char>,
) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Star => out.push_str(".*"),
            Part::One => out.push('.'),
            Part::Text(text) => {
                for c in text.chars() {
                    match variants(c) {
                        variants if variants.len() > 1 => out.push_str(&class_of(variants)),
                        _ => escape_char(&mut out, c),
                    }
                }
            }
        }
    }
    end_safely(out)
}

fn ascii_caseless(parts: &[Part]) -> String {
    regexp(parts.iter(), &|c| match c.is_ascii_alphabetic() {
        true => vec![c.to_ascii_lowercase(), c.to_ascii_uppercase()],
        false => vec![c],
    })
}

/// The parts, each character by itself.
fn single(parts: &[Part]) -> impl Iterator<Item = Part> {
    parts.iter().flat_map(|part| match part {
        Part::Text(text) => text.chars().map(|c| Part::Text(c.to_string())).collect(),
        part => vec![part.clone()],
    })
}

/// The expression for all that begins like `parts`, as far as a server takes it.
fn beginning(parts: &[Part]) -> String {
    let mut out = String::new();
    let mut single = single(parts);
    while let Some(part) = single.next()
        && out.chars().count() < MAX_REGEXP - 20
    {
        out.push_str(&regexp([&part].into_iter(), &|c| variants(c).to_vec()));
    }
    out + ".*"
}

/// For each run of ASCII letters and digits in a pattern, the expression for the words that contain it: nothing cuts a value
/// between them.
fn runs(pattern: &Pattern) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    for part in pattern.parts() {
        let Part::Text(text) = part else {
            continue;
        };
        for run in text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|run| !run.is_empty())
        {
            let parts = [Part::Star, Part::Text(run.to_owned()), Part::Star];
            // A word may be in another case than the value is.
            let regexp = match run.len() <= MAX_REGEXP / 8 {
                true => regexp(parts.iter(), &|c| variants(c).to_vec()),
                false => continue,
            };
            if !runs.contains(&regexp) {
                runs.push(regexp);
            }
        }
    }
    runs
}

/// The expression for the addresses in a network, as they are written.
fn addresses(net: &Ipv4Net) -> String {
    const ANY: &str = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    let (first, last) = (net.network().octets(), net.broadcast().octets());
    let octets = first
        .iter()
        .zip(last)
        .map(|(first, last)| match (*first, last) {
            (first, last) if first == last => first.to_string(),
            (0, 255) => ANY.to_owned(),
            (first, last) => {
                let octets: Vec<String> = (first..=last).map(|octet| octet.to_string()).collect();
                format!("({})", octets.join("|"))
            }
        });
    octets.collect::<Vec<_>>().join("\\.")
}
