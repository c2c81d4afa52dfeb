//! Windows: in which events a rule's log source lies, and where these keep its fields.
//!
//! Events that leave a host as Windows wrote them keep a field under one name, whatever their id (`fields`). Elastic's
//! ingest pipelines do not (`ingested`): `process.executable` is the `Image` of one event and the `SourceImage` of
//! another. So a scope is cut into regions of event ids in which each of the rule's fields has one meaning; nearly always
//! there is one.

mod fields;
mod ingested;
mod log_sources;
mod rebuilt;

use crate::mapped::{Branch, names, rebind};
use ingested::{MODULES, Module, Row};
use predicate::{Decimal, Field, Matcher, Predicate, Source, Test};
use sigma::LogSource;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

pub(crate) use log_sources::{LINUX_SYSMON, Scope};
pub(crate) use rebuilt::INITIATED;

/// The events of Windows that a log source means: those of one of the scopes. None if it means no events of Windows, or
/// none that are known.
pub(crate) fn scopes(log_source: &LogSource) -> Vec<Scope> {
    let product = log_source.product.as_deref();
    let category = log_source.category.as_deref().map(log_sources::category);
    let service = log_source.service.as_deref().map(log_sources::service);
    match (product, category, service) {
        (None | Some("windows"), Some(Some(scopes)), None) => scopes.to_vec(),
        (None | Some("windows"), Some(Some(scopes)), Some(Some(channels))) => scopes
            .iter()
            .copied()
            .filter(|scope| scope.lies_in(channels))
            .collect(),
        (None | Some("windows"), None, Some(Some(channels))) => vec![Scope::of_channels(channels)],
        (Some("windows"), None, None) => vec![Scope::of_channels(&[])],
        _ => Vec::new(),
    }
}

/// Makes branches, and remembers the fields that it made for them: equal fields of all rules are one.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    fields: Mutex<HashMap<String, Vec<Known>>>,
}

/// A field of some name, and the rows that say where else it is than in the usual places.
type Known = (Vec<&'static Row>, Field);

/// Events of a scope in which each field has one meaning.
struct Region {
    condition: Predicate,
    /// The moved fields there.
    rows: Vec<&'static Row>,
}

impl Windows {
    /// The branches of a detection that still has Sigma's field names, in these scopes.
    pub fn branches(&self, scopes: &[Scope], detection: &Predicate) -> Vec<Branch> {
        let names = names(detection);
        let mut branches = Vec::new();
        for scope in scopes {
            for Region { condition, rows } in self.regions(scope, &names) {
                let detection = rebind(detection, &|name| self.field(scope.own_name(name), &rows));
                branches.push(Branch {
                    condition,
                    detection,
                });
            }
        }
        branches
    }

    /// Cuts a scope where the fields with these names change their meaning.
    fn regions(&self, scope: &Scope, names: &[&str]) -> Vec<Region> {
        let concerned = |module: &'static Module| -> Vec<&'static Row> {
            module
                .rows
                .iter()
                .filter(|row| names.iter().any(|name| scope.own_name(name) == row.field))
                .collect()
        };
        let [first, ..] = scope.channels else {
            return self.regions_anywhere(concerned);
        };
        let module = MODULES.iter().find(|module| module.works_on(first));
        self.regions_in(
            scope.channels,
            module.map(concerned).unwrap_or_default(),
            scope,
        )
    }

    /// All events of Windows, which have a channel: those of the modules whose moved fields are concerned, and all others.
    fn regions_anywhere(
        &self,
        concerned: impl Fn(&'static Module) -> Vec<&'static Row>,
    ) -> Vec<Region> {
        let mut elsewhere = vec![
            Predicate::Test(Test::Present(self.field("Channel", &[]))),
            Predicate::Not(Box::new(self.text("Channel", &[LINUX_SYSMON]))),
        ];
        let mut regions = Vec::new();
        for module in &MODULES {
            let rows = concerned(module);
            if !rows.is_empty() {
                regions.extend(self.regions_in(
                    module.channels,
                    rows,
                    &Scope::of_channels(module.channels),
                ));
                elsewhere.push(Predicate::Not(Box::new(
                    self.text("Channel", module.channels),
                )));
            }
        }
        regions.push(Region {
            condition: Predicate::All(elsewhere),
            rows: Vec::new(),
        });
        regions
    }

    fn regions_in(&self, channels: &[&str], rows: Vec<&'static Row>, scope: &Scope) -> Vec<Region> {
        let region = |(ids, rows)| Region {
            condition: self.condition(channels, &ids, scope.event_types),
            rows,
        };
        partition(scope.ids, rows).into_iter().map(region).collect()
    }

    fn condition(&self, channels: &[&str], ids: &IdTest, event_types: &[&str]) -> Predicate {
        let mut parts = vec![self.text("Channel", channels)];
        match ids {
            IdTest::None => {}
            IdTest::In(ids) => parts.push(self.number("EventID", ids)),
            IdTest::NotIn(ids) => parts.push(Predicate::Not(Box::new(self.number("EventID", ids)))),
        }
        if !event_types.is_empty() {
            parts.push(self.text("EventType", event_types));
        }
        Predicate::All(parts)
    }

    fn text(&self, name: &str, texts: &[&str]) -> Predicate {
        self.one_of(name, texts.iter().map(|text| Matcher::text(text)))
    }

    fn number(&self, name: &str, numbers: &[u32]) -> Predicate {
        let numbers = numbers
            .iter()
            .filter_map(|number| Decimal::parse(&number.to_string()));
        self.one_of(name, numbers.map(Matcher::Number))
    }

    fn one_of(&self, name: &str, matchers: impl Iterator<Item = Matcher>) -> Predicate {
        let field = self.field(name, &[]);
        let mut tests: Vec<_> = matchers
            .map(|matcher| Predicate::Test(Test::Value(field.clone(), matcher)))
            .collect();
        if tests.len() == 1 {
            tests.remove(0)
        } else {
            Predicate::Any(tests)
        }
    }

    /// The field with this name in the event, where these rows hold.
    fn field(&self, name: &str, rows: &[&'static Row]) -> Field {
        let moved: Vec<_> = rows
            .iter()
            .copied()
            .filter(|row| row.field == name)
            .collect();
        // What is in there is right, even if another thread panicked while it added to it.
        let mut fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, field)) = fields
            .get(name)
            .and_then(|known| known.iter().find(|(rows, _)| same(rows, &moved)))
        {
            return field.clone();
        }
        let moved_sources: Vec<Source> = moved.iter().map(|row| row.source()).collect();
        // A field that was split in its own place is looked up whole, and its parts do not count.
        let is_split = |source: &Source| {
            let place = source.to_string();
            moved_sources
                .iter()
                .any(|moved| matches!(moved, Source::Derived(derived) if derived.name == place))
        };
        let mut sources = fields::sources(name);
        sources.retain(|source| !is_split(source));
        sources.extend(moved_sources);
        let field = Field::new(sources);
        fields
            .entry(name.to_owned())
            .or_default()
            .push((moved, field.clone()));
        field
    }
}

/// A condition on event ids.
#[derive(Clone, Debug, PartialEq, Eq)]
enum IdTest {
    None,
    In(Vec<u32>),
    NotIn(Vec<u32>),
}

/// Cuts `ids` (none: all there are) into groups, and gives for each the rows that hold for all of it; the other rows hold
/// for none of it.
fn partition(ids: &[u32], rows: Vec<&'static Row>) -> Vec<(IdTest, Vec<&'static Row>)> {
    let named: BTreeSet<u32> = if ids.is_empty() {
        rows.iter().flat_map(|row| row.ids.named()).collect()
    } else {
        ids.iter().copied().collect()
    };
    let mut groups: Vec<(Vec<u32>, Vec<&Row>)> = Vec::new();
    for id in named {
        let holding: Vec<&Row> = rows
            .iter()
            .copied()
            .filter(|row| row.ids.contains(id))
            .collect();
        match groups.iter_mut().find(|(_, rows)| same(rows, &holding)) {
            Some((ids, _)) => ids.push(id),
            None => groups.push((vec![id], holding)),
        }
    }
    if !ids.is_empty() {
        return groups
            .into_iter()
            .map(|(ids, rows)| (IdTest::In(ids), rows))
            .collect();
    }
    let others: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| row.ids.contains_others())
        .collect();
    groups.retain(|(_, rows)| !same(rows, &others));
    let grouped: Vec<u32> = groups.iter().flat_map(|(ids, _)| ids).copied().collect();
    let rest = if grouped.is_empty() {
        IdTest::None
    } else {
        IdTest::NotIn(grouped)
    };
    let groups = groups
        .into_iter()
        .map(|(ids, rows)| (IdTest::In(ids), rows));
    groups.chain([(rest, others)]).collect()
}

/// Whether these are the same rows of the table.
fn same(a: &[&'static Row], b: &[&'static Row]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| std::ptr::eq(*a, *b))
}
