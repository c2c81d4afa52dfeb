//! From an event to the rules that can apply to it, by the conditions of their branches.

use crate::plan::Plan;
use crate::{Branch, SharedPlan};
use event::{Event, Paths, Raw};
use foldhash::fast::FixedState;
use predicate::{Predicate, Source, Test};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many different sets of conditions get a plan. Real sets of rules and events need about a hundred; an event that is
/// made to fulfil strange combinations must not fill the memory.
const MAX_PLANS: usize = 2_000;

/// How many combinations of routing values a thread remembers before it starts anew.
const MAX_ROUTES: usize = 20_000;

/// The conditions, each once, with the rules under them.
#[derive(Debug, Default)]
pub(crate) struct Router {
    conditions: Vec<Condition>,
    known: HashMap<Predicate, usize>,
    /// The fields that conditions look at.
    paths: Paths,
    /// Whether some condition looks at more than the values of fields, so that routes cannot be remembered by them.
    looks_further: bool,
    plans: Mutex<HashMap<Box<[usize]>, SharedPlan>>,
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

    pub(crate) fn finish(&mut self) {
        self.known = HashMap::new();
        for condition in &self.conditions {
            condition.predicate.for_each_test(&mut |test| {
                let fields = match test {
                    Test::Value(field, _) | Test::Null(field) | Test::Present(field) => {
                        [Some(field), None]
                    }
                    Test::Refer(left, _, right) => [Some(left), Some(right)],
                    Test::Keyword(_) => [None, None],
                };
                self.looks_further |= fields[0].is_none();
                for source in fields
                    .into_iter()
                    .flatten()
                    .flat_map(|field| field.sources())
                {
                    match source {
                        Source::Path(path) => drop(self.paths.insert(path)),
                        Source::Derived(_) => self.looks_further = true,
                    }
                }
            });
        }
    }

    /// Where `event` goes; looked up by the routing fields' values, else found out by asking every condition.
    pub(crate) fn route(&self, cache: &mut Cache, event: &Event<'_>) -> Route {
        if self.looks_further {
            return self.find_route(event);
        }
        cache.key.clear();
        event.find(&self.paths, |path, raw| {
            cache.key.extend_from_slice(&path.to_le_bytes());
            let (kind, text) = match raw {
                Raw::Null => (0, ""),
                Raw::Bool(false) => (1, ""),
                Raw::Bool(true) => (2, ""),
                Raw::Number(literal) => (3, literal),
                Raw::String(text) => (4, text.raw),
                Raw::Object => (5, ""),
                Raw::Array => (6, ""),
            };
            cache.key.push(kind);
            cache
                .key
                .extend_from_slice(&(text.len() as u64).to_le_bytes());
            cache.key.extend_from_slice(text.as_bytes());
        });
        if let Some(route) = cache.routes.get(&*cache.key) {
            return route.clone();
        }
        let route = self.find_route(event);
        if cache.routes.len() >= MAX_ROUTES {
            cache.routes.clear();
        }
        cache
            .routes
            .insert(cache.key.as_slice().into(), route.clone());
        route
    }

    fn find_route(&self, event: &Event<'_>) -> Route {
        let event = &event.index();
        let applies = |index: &usize| self.conditions[*index].predicate.matches(event);
        let applying: Box<[usize]> = (0..self.conditions.len()).filter(applies).collect();
        if applying.is_empty() {
            return Route::Nothing;
        }
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&applying) {
            return Route::Plan(plan.clone());
        }
        if plans.len() >= MAX_PLANS {
            return Route::OneByOne;
        }
        let rules = applying.iter().flat_map(|index| {
            self.conditions[*index]
                .rules
                .iter()
                .map(|(rule, detection)| (*rule, detection))
        });
        let plan = Arc::new(Plan::compile(rules));
        plans.insert(applying, plan.clone());
        Route::Plan(plan)
    }

    /// The plain way, for an event that has no plan.
    pub(crate) fn matches_one_by_one(&self, event: &Event<'_>, hits: &mut Vec<u32>) {
        let event = &event.index();
        for condition in self
            .conditions
            .iter()
            .filter(|condition| condition.predicate.matches(event))
        {
            hits.extend(
                condition
                    .rules
                    .iter()
                    .filter(|(_, detection)| detection.matches(event))
                    .map(|(rule, _)| *rule),
            );
        }
    }
}
