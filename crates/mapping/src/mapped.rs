//! A rule with the fields of events.

use event::FieldPath;
use predicate::{Field, Predicate, Source, Test};
use std::collections::HashSet;

/// A rule with the fields of events: it is true when one of its branches is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedRule {
    /// The kinds of events that the rule reads, at least one.
    pub branches: Vec<Branch>,
}

/// One kind of events that a rule reads, and what it looks for there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Whether an event is of this kind: tests on channel, event id and the like. Many rules share it.
    pub condition: Predicate,
    /// The rule's own tests, with the fields that such an event has.
    pub detection: Predicate,
}

impl MappedRule {
    /// The meaning of the rule.
    pub fn predicate(&self) -> Predicate {
        let branch = |branch: &Branch| {
            Predicate::All(vec![branch.condition.clone(), branch.detection.clone()])
        };
        Predicate::Any(self.branches.iter().map(branch).collect())
    }

    /// The rule on events of which it is known how the names of their fields begin: places of fields that begin otherwise
    /// are left out, and so are branches whose condition has none left. None if nothing is left.
    pub fn within(&self, roots: &HashSet<String>) -> Option<MappedRule> {
        let lies_within = |path: &FieldPath| {
            let root = path.as_str().split('.').next().unwrap_or_default();
            roots.contains(root)
        };
        let within = |field: &Field| {
            let sources = field.sources().iter().filter(|source| match source {
                Source::Path(path) => lies_within(path),
                Source::Derived(derived) => derived.paths().all(|path| lies_within(&path)),
            });
            Field::new(sources.cloned())
        };
        let branches = self.branches.iter().filter_map(|branch| {
            let condition = replace_fields(&branch.condition, &within);
            let mut holds = true;
            condition.for_each_test(&mut |test| {
                holds &= !matches!(test, Test::Value(field, _) | Test::Present(field) if field.sources().is_empty());
            });
            holds.then(|| Branch { condition, detection: replace_fields(&branch.detection, &within) })
        });
        let branches: Vec<Branch> = branches.collect();
        (!branches.is_empty()).then_some(MappedRule { branches })
    }
}

/// The same tree of tests, on the fields that are known by the names in it.
pub(crate) fn rebind(predicate: &Predicate, field: &impl Fn(&str) -> Field) -> Predicate {
    replace_fields(predicate, &|own| match own.sources() {
        [Source::Path(path)] => field(path.as_str()),
        _ => {
            let mut sources: Vec<Source> = Vec::new();
            for source in paths(own).flat_map(|name| field(name).sources().to_vec()) {
                if !sources.contains(&source) {
                    sources.push(source);
                }
            }
            Field::new(sources)
        }
    })
}

/// The same tree of tests, on other fields. What is large in it (patterns, expressions) is shared.
pub(crate) fn replace_fields(predicate: &Predicate, by: &impl Fn(&Field) -> Field) -> Predicate {
    let all = |parts: &[Predicate]| parts.iter().map(|part| replace_fields(part, by)).collect();
    match predicate {
        Predicate::All(parts) => Predicate::All(all(parts)),
        Predicate::Any(parts) => Predicate::Any(all(parts)),
        Predicate::Not(part) => Predicate::Not(Box::new(replace_fields(part, by))),
        Predicate::Test(test) => Predicate::Test(match test {
            Test::Value(own, matcher) => Test::Value(by(own), matcher.clone()),
            Test::Null(own) => Test::Null(by(own)),
            Test::Present(own) => Test::Present(by(own)),
            Test::Indexed(own, ignore_above) => Test::Indexed(by(own), *ignore_above),
            Test::Keyword(matcher) => Test::Keyword(matcher.clone()),
            Test::Refer(left, relation, right) => Test::Refer(by(left), *relation, by(right)),
        }),
    }
}

/// The names of the fields in a tree that has Sigma's own names, blanks removed.
pub(crate) fn names(predicate: &Predicate) -> Vec<&str> {
    let mut names = Vec::new();
    predicate.for_each_test(&mut |test| match test {
        Test::Value(own, _) | Test::Null(own) | Test::Present(own) | Test::Indexed(own, _) => {
            names.extend(paths(own));
        }
        Test::Refer(left, _, right) => names.extend(paths(left).chain(paths(right))),
        Test::Keyword(_) => {}
    });
    names.sort_unstable();
    names.dedup();
    names
}

/// The names of a field that has Sigma's own, which are several where a mapping of the user's says so.
pub(crate) fn paths(own: &Field) -> impl Iterator<Item = &str> {
    own.sources().iter().filter_map(|source| match source {
        Source::Path(path) => Some(path.as_str()),
        Source::Derived(_) => None,
    })
}
