//! From an event to the rules that can apply to it, by the conditions of their branches.

use crate::plan::Plan;
use crate::{Branch, SharedPlan};
use event::{Event, Parsed, Paths, Raw};
use foldhash::fast::FixedState;
use predicate::{Field, Predicate, Source, Test};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// How many tests all plans may have together, as a multiple of what all rules have, and at least. Real events need about
/// twice what the rules have; an event that is made to be of many log sources at once must not fill the memory.
const MAX_PLANNED: (usize, usize) = (4, 200_000);

/// How many combinations of routing values a thread remembers before it starts anew.
const MAX_ROUTES: usize = 20_000;

/// How long the routing values of an event may be together to be remembered.
const MAX_KEY: usize = 1_024;

/// The conditions, each once, with the rules under them.
#[derive(Debug, Default)]
pub(crate) struct Router {
    conditions: Vec<Condition>,
    known: HashMap<Predicate, usize>,
    /// All paths that any rule or condition looks at; those of the conditions come first.
    paths: Paths,
    /// How many paths the conditions look at.
    routing: u32,
    /// Whether some condition looks at more than the values of fields, so that routes cannot be remembered by them.
    looks_further: bool,
    /// How many tests there are in all rules.
    tests: usize,
    plans: Mutex<Plans>,
}

#[derive(Debug, Default)]
struct Plans {
    by_conditions: HashMap<Box<[usize]>, SharedPlan>,
    /// How many tests they have together.
    tests: usize,
}

#[derive(Debug)]
struct Condition {
    predicate: Predicate,
    /// Rule numbers with what they look for.
    rules: Vec<(u32, Predicate)>,
}

/// Where an event goes.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// No rule can apply.
    Nothing,
    /// These can.
    Plan(SharedPlan),
    /// There are too many plans already.
    OneByOne,
}

/// What one thread has learned about routes: from the routing fields' values as they stand in the text.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    routes: HashMap<Box<[u8]>, Route, FixedState>,
    key: Vec<u8>,
    /// By targets of the parser: whether a condition looks there.
    is_routing: Vec<bool>,
}

impl Router {
    pub(crate) fn add(&mut self, rule: u32, branch: Branch) {
        let index = match self.known.get(&branch.condition) {
            Some(index) => *index,
            None => {
                self.conditions.push(Condition {
                    predicate: branch.condition.clone(),
                    rules: Vec::new(),
                });
                self.known
                    .insert(branch.condition, self.conditions.len() - 1);
                self.conditions.len() - 1
            }
        };
        self.conditions[index].rules.push((rule, branch.detection));
    }

    /// Takes stock of the paths, when all rules are there.
    pub(crate) fn finish(&mut self) {
        self.known = HashMap::new();
        let mut paths = PathSet::default();
        for condition in &self.conditions {
            let looks_further = paths.add(&condition.predicate);
            self.looks_further |= looks_further;
        }
        self.routing = paths.set.len() as u32;
        let in_conditions = paths.tests;
        for (_, detection) in self
            .conditions
            .iter()
            .flat_map(|condition| &condition.rules)
        {
            paths.add(detection);
        }
        self.tests = paths.tests - in_conditions;
        self.paths = paths.set;
    }

    /// All paths that any rule or condition looks at.
    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Where an event goes; looked up by the routing fields' values, else found out by asking
    /// every condition.
    pub(crate) fn route<'c>(&self, cache: &'c mut Cache, parsed: &Parsed<'_, '_>) -> &'c Route {
        let event = parsed.event();
        cache.key.clear();
        if !self.looks_further {
            for leaf in parsed.leaves() {
                if self.is_routing(&mut cache.is_routing, leaf.targets) {
                    push_key(&mut cache.key, leaf.targets, leaf.raw(event.text()));
                }
            }
        }
        let is_known = !self.looks_further && cache.key.len() <= MAX_KEY;
        if !(is_known && cache.routes.contains_key(&*cache.key)) {
            let route = self.find_route(&event);
            if cache.routes.len() >= MAX_ROUTES {
                cache.routes.clear();
            }
            if !is_known {
                // One place is enough for what cannot be remembered.
                cache.key.truncate(MAX_KEY + 1);
            }
            cache.routes.insert(cache.key.as_slice().into(), route);
        }
        &cache.routes[&*cache.key]
    }

    fn is_routing(&self, known: &mut Vec<bool>, targets: u32) -> bool {
        while known.len() <= targets as usize {
            let paths = self.paths.targets(known.len() as u32);
            known.push(paths.iter().any(|path| *path < self.routing));
        }
        known[targets as usize]
    }

    fn find_route(&self, event: &Event<'_>) -> Route {
        let event = &event.index();
        let applies = |index: &usize| self.conditions[*index].predicate.matches(event);
        let applying: Box<[usize]> = (0..self.conditions.len()).filter(applies).collect();
        if applying.is_empty() {
            return Route::Nothing;
        }
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.by_conditions.get(&applying) {
            return Route::Plan(plan.clone());
        }
        let (times, least) = MAX_PLANNED;
        if plans.tests > (times * self.tests).max(least) {
            return Route::OneByOne;
        }
        let rules = applying.iter().flat_map(|index| {
            self.conditions[*index]
                .rules
                .iter()
                .map(|(rule, detection)| (*rule, detection))
        });
        let plan = Arc::new(Plan::compile(rules, &self.paths));
        plans.tests += plan.len();
        plans.by_conditions.insert(applying, plan.clone());
        Route::Plan(plan)
    }

    /// The plain way, for an event that has no plan.
    pub(crate) fn matches_one_by_one(&self, event: &Event<'_>, hits: &mut Vec<u32>) {
        let event = &event.index();
        let applies = |condition: &&Condition| condition.predicate.matches(event);
        for condition in self.conditions.iter().filter(applies) {
            let rules = condition.rules.iter();
            let matching = rules.filter(|(_, detection)| detection.matches(event));
            hits.extend(matching.map(|(rule, _)| *rule));
        }
    }
}

fn push_key(key: &mut Vec<u8>, targets: u32, raw: Raw<'_>) {
    let (kind, text) = match raw {
        Raw::Null => (0, ""),
        Raw::Bool(false) => (1, ""),
        Raw::Bool(true) => (2, ""),
        Raw::Number(literal) => (3, literal),
        Raw::String(text) => (4, text.raw),
        Raw::Object => (5, ""),
        Raw::Array => (6, ""),
    };
    key.extend_from_slice(&targets.to_le_bytes());
    key.push(kind);
    key.extend_from_slice(&(text.len() as u32).to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

/// Collects the paths that predicates look at.
#[derive(Default)]
struct PathSet {
    set: Paths,
    /// Fields that have been collected, by the address of what they share.
    seen: HashSet<usize>,
    /// How many tests there were.
    tests: usize,
}

impl PathSet {
    /// Adds the paths of a predicate; whether it looks at more than the values at paths.
    fn add(&mut self, predicate: &Predicate) -> bool {
        let mut looks_further = false;
        predicate.for_each_test(&mut |test| {
            self.tests += 1;
            let fields: [Option<&Field>; 2] = match test {
                Test::Value(field, _)
                | Test::Null(field)
                | Test::Present(field)
                | Test::Indexed(field, _) => [Some(field), None],
                Test::Refer(left, _, right) => [Some(left), Some(right)],
                Test::Keyword(_) => [None, None],
            };
            // What is in an object is no part of its value.
            looks_further |= fields[0].is_none() || matches!(test, Test::Indexed(..));
            for field in fields.into_iter().flatten() {
                let sources = field.sources();
                looks_further |= sources
                    .iter()
                    .any(|source| matches!(source, Source::Derived(_)));
                if self.seen.insert(sources.as_ptr().addr()) {
                    sources.iter().for_each(|source| self.add_source(source));
                }
            }
        });
        looks_further
    }

    fn add_source(&mut self, source: &Source) {
        match source {
            Source::Path(path) => drop(self.set.insert(path)),
            Source::Derived(derived) => {
                for path in derived.paths() {
                    self.set.insert(&path);
                }
            }
        }
    }
}
