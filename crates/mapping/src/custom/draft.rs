//! A rule on its way through the mappings.

use super::document::MAX_NAMES;
use crate::mapped::{Branch, names, paths, replace_fields};
use crate::{MapError, translate};
use event::FieldPath;
use predicate::{Decimal, Field, Matcher, Predicate, Source, Test};
use sigma::{LogSource, Rule};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// A rule on its way through the mappings.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'r> {
    /// The rule as written.
    pub rule: &'r Rule,
    /// The log source that it has by now.
    pub log_source: LogSource,
    /// What the rule itself looks for, with the names of fields that it has by now.
    own: Predicate,
    /// What has to hold besides.
    restrictions: Vec<Predicate>,
    /// Which events are of the log source. Empty as long as no mapping has said so.
    conditions: Vec<Predicate>,
}

/// What a mapping may make of a rule that is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    NothingLeft,
    TooManyNames,
}

impl Unusable {
    /// The same in words.
    pub fn reason(self) -> &'static str {
        match self {
            Unusable::NothingLeft => "the mapping drops all that the rule looks for",
            Unusable::TooManyNames => "the mapping gives a field more than 1,000 names",
        }
    }
}

impl<'r> Draft<'r> {
    /// The rule before any mapping.
    pub fn of(rule: &'r Rule) -> Result<Draft<'r>, MapError> {
        Ok(Draft {
            rule,
            log_source: rule.log_source.clone(),
            own: translate::detection(rule)?,
            restrictions: Vec::new(),
            conditions: Vec::new(),
        })
    }

    /// The branch that mappings have decided on, if they have.
    pub fn branch(&self) -> Option<Branch> {
        (!self.conditions.is_empty()).then(|| Branch {
            condition: Predicate::All(self.conditions.clone()),
            detection: self.detection().into_owned(),
        })
    }

    /// What it looks for in the events of its log source.
    pub fn detection(&self) -> Cow<'_, Predicate> {
        if self.restrictions.is_empty() {
            return Cow::Borrowed(&self.own);
        }
        let parts = self.restrictions.iter().chain([&self.own]);
        Cow::Owned(Predicate::All(parts.cloned().collect()))
    }

    /// Only events for which this holds are of the log source.
    pub fn add_condition(&mut self, condition: Predicate) {
        self.conditions.push(condition);
    }

    /// Only events for which this holds matter, which does not yet say which events are of the log source.
    pub fn restrict(&mut self, test: Predicate) {
        self.restrictions.push(test);
    }

    /// What was known of the former log source still has to hold, but does not say which events are of the new one.
    pub fn change_log_source(&mut self, to: &LogSource) {
        self.restrictions.append(&mut self.conditions);
        self.log_source = LogSource {
            span: self.log_source.span,
            ..to.clone()
        };
    }

    /// Gives each field the names that `to` has for its name; several count together.
    pub fn rename(&mut self, to: &impl Fn(&str) -> Vec<String>) -> Result<(), Unusable> {
        let known: RefCell<HashMap<Field, Field>> = RefCell::default();
        let field = |own: &Field| {
            if let Some(field) = known.borrow().get(own) {
                return field.clone();
            }
            let mut names: Vec<String> = paths(own).flat_map(to).collect();
            let mut seen = HashSet::new();
            names.retain(|name| seen.insert(name.clone()));
            let field = Field::new(names.iter().map(|name| Source::Path(FieldPath::new(name))));
            known.borrow_mut().insert(own.clone(), field.clone());
            field
        };
        self.own = replace_fields(&self.own, &field);
        for part in self.restrictions.iter_mut().chain(&mut self.conditions) {
            *part = replace_fields(part, &field);
        }
        let too_many = |field: &Field| field.sources().len() > MAX_NAMES;
        if known.borrow().values().any(too_many) {
            return Err(Unusable::TooManyNames);
        }
        Ok(())
    }

    /// Takes out the tests of the fields for which `doomed` holds.
    pub fn drop_fields(&mut self, doomed: &impl Fn(&str) -> bool) -> Result<(), Unusable> {
        self.own = without(&self.own, doomed).ok_or(Unusable::NothingLeft)?;
        for parts in [&mut self.restrictions, &mut self.conditions] {
            let rest = parts.iter().filter_map(|part| without(part, doomed));
            *parts = rest.collect();
        }
        Ok(())
    }

    /// Whether any test is on this field.
    pub fn has_field(&self, name: &str) -> bool {
        self.parts().any(|part| names(part).contains(&name))
    }

    /// Whether this field is somewhere tested for being this value, as a text or as a number.
    pub fn has_value(&self, name: &str, value: &str) -> bool {
        let text = Matcher::text(value);
        let number = Decimal::parse(value).map(Matcher::Number);
        let mut has = false;
        for part in self.parts() {
            part.for_each_test(&mut |test| {
                has |= matches!(test, Test::Value(field, matcher)
                    if (*matcher == text || Some(matcher) == number.as_ref()) && paths(field).any(|path| path == name));
            });
        }
        has
    }

    fn parts(&self) -> impl Iterator<Item = &Predicate> {
        let others = self.conditions.iter().chain(&self.restrictions);
        others.chain([&self.own])
    }
}

/// The tree without the tests of some fields, and without the branches that had nothing else.
fn without(predicate: &Predicate, doomed: &impl Fn(&str) -> bool) -> Option<Predicate> {
    let rest = |parts: &[Predicate]| -> Option<Vec<Predicate>> {
        let rest: Vec<_> = parts
            .iter()
            .filter_map(|part| without(part, doomed))
            .collect();
        (!rest.is_empty()).then_some(rest)
    };
    Some(match predicate {
        Predicate::All(parts) => Predicate::All(rest(parts)?),
        Predicate::Any(parts) => Predicate::Any(rest(parts)?),
        Predicate::Not(part) => Predicate::Not(Box::new(without(part, doomed)?)),
        Predicate::Test(test) => match test {
            Test::Value(field, _)
            | Test::Null(field)
            | Test::Present(field)
            | Test::Indexed(field, _)
            | Test::Refer(field, ..)
                if paths(field).any(doomed) =>
            {
                return None;
            }
            test => Predicate::Test(test.clone()),
        },
    })
}
