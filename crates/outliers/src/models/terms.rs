//! An event is an outlier if its term is unusually frequent or rare within its aggregator, or if its aggregator has unusually many
//! or few different terms.

use super::{Batch, Candidate, Detect, Fate, Group, Model, Note, Prepared, range, sample, tells};
use crate::Problem;
use crate::config::Config;
use crate::fields::Fields;
use crate::frontier::{Method, Side, Trigger};
use crate::use_case::Keys;
use crate::value::Value;
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};

pub(super) const MODEL: Model = Model {
    name: "terms",
    keys: &[
        "aggregator",
        "target",
        "target_count_method",
        "trigger_on",
        "trigger_method",
        "trigger_sensitivity",
        "min_target_buckets",
        "process_documents_chronologically",
    ],
    read,
};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// How often each term comes in an aggregator.
    Within,
    /// How many different terms each aggregator has.
    Across,
}

const COUNTS: [(&str, Counts); 2] = [
    ("within_aggregator", Counts::Within),
    ("across_aggregators", Counts::Across),
];

struct Terms {
    aggregators: Vec<String>,
    targets: Vec<String>,
    counts: Counts,
    trigger: Trigger,
    /// What the trigger's method is called.
    method: String,
    least: Option<usize>,
    is_chronological: bool,
    batch: Option<usize>,
}

fn read(keys: &Keys<'_>, config: &Config) -> Result<Box<dyn Detect>, Problem> {
    let least = keys.int("min_target_buckets")?;
    let chronological = keys.bool("process_documents_chronologically")?;
    Ok(Box::new(Terms {
        aggregators: keys.fields("aggregator")?,
        targets: keys.fields("target")?,
        counts: *keys.one_of("target_count_method", &COUNTS)?,
        trigger: keys.trigger(config)?,
        method: keys.text("trigger_method")?.value.clone(),
        least: least.and_then(|least| usize::try_from(least).ok()),
        is_chronological: chronological.unwrap_or(true),
        batch: keys.batch(MODEL.name, config)?,
    }))
}

impl Detect for Terms {
    fn batch(&self) -> Batch {
        self.batch.map_or(Batch::Whole, Batch::Size)
    }

    fn is_chronological(&self) -> bool {
        self.is_chronological
    }

    fn prepare(&mut self, _: &Prepared<'_>) -> Result<Vec<Json>, String> {
        Ok(Vec::new())
    }

    fn look(&self, fields: &Fields<'_>) -> Vec<Note> {
        let targets = fields.sentences(&self.targets);
        let Some((targets, aggregators)) = targets.zip(fields.sentences(&self.aggregators)) else {
            return Vec::new();
        };
        let notes = aggregators.iter().flat_map(|group| {
            targets.iter().map(|target| Note {
                group: group.clone(),
                text: target.clone(),
                ..Note::default()
            })
        });
        notes.collect()
    }

    fn fate(&self, group: &Group, is_last: bool) -> Fate {
        let is_enough = || {
            let least = self.least.filter(|_| self.counts == Counts::Within);
            least.is_none_or(|least| distinct(group) >= least)
        };
        match (is_enough(), is_last) {
            (true, _) => Fate::Decided,
            (false, false) => Fate::Waits,
            (false, true) => Fate::Dropped,
        }
    }

    fn counts_again(&self) -> bool {
        true
    }

    fn explain(&self, groups: &[Group]) -> Vec<String> {
        let as_numbers =
            |counts: &[usize]| counts.iter().map(|count| *count as f64).collect::<Vec<_>>();
        if self.counts == Counts::Across {
            let counts: Vec<usize> = groups.iter().map(distinct).collect();
            let values = as_numbers(&counts);
            let (range, decides) = (range(&values), self.trigger.explain(&values));
            let all = format!("different terms of all aggregators: {range}; {decides}");
            let each = groups.iter().zip(counts);
            let each =
                each.map(|(group, count)| format!("{}: {count} different terms", group.name));
            return std::iter::once(all).chain(each).collect();
        }
        let lines = groups.iter().map(|group| {
            let values = as_numbers(&counts(group).in_order);
            let decides = match self.trigger.method {
                Method::CoeffOfVariation => {
                    let frontier = self.trigger.frontier(&values);
                    let sensitivity = self.trigger.sensitivity;
                    format!("all are outliers if {frontier} is {} than {sensitivity} (coeff_of_variation)", match self.trigger.side {
                        Side::High => "more",
                        Side::Low => "less",
                    })
                }
                _ => self.trigger.explain(&values),
            };
            format!("{}: counts of terms: {}; {decides}", group.name, range(&values))
        });
        lines.collect()
    }

    fn decide(&self, groups: &[Group]) -> Vec<Candidate> {
        match self.counts {
            Counts::Within => self.within(groups),
            Counts::Across => self.across(groups),
        }
    }
}

impl Terms {
    fn across(&self, groups: &[Group]) -> Vec<Candidate> {
        let counts: Vec<usize> = groups.iter().map(distinct).collect();
        let values: Vec<f64> = counts.iter().map(|count| *count as f64).collect();
        let frontier = self.trigger.frontier(&values);
        let mut found = Vec::new();
        for (number, (group, count)) in groups.iter().zip(counts).enumerate() {
            if self.trigger.side.is_beyond(count as f64, frontier) {
                let notes = (0..group.notes.len()).map(|note| Candidate {
                    group: number,
                    note,
                    tells: self.tells(group, note, count, frontier, sample(&[])),
                });
                found.extend(notes);
            }
        }
        found
    }

    fn within(&self, groups: &[Group]) -> Vec<Candidate> {
        let mut found = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let counts = counts(group);
            let values: Vec<f64> = counts.in_order.iter().map(|count| *count as f64).collect();
            let frontier = self.trigger.frontier(&values);
            let is_whole = self.trigger.method == Method::CoeffOfVariation;
            let is_beyond = |count: usize| match is_whole {
                // It says something of the aggregator as a whole.
                true => self
                    .trigger
                    .side
                    .is_beyond(frontier, self.trigger.sensitivity),
                false => self.trigger.side.is_beyond(count as f64, frontier),
            };
            if !counts.in_order.iter().any(|count| is_beyond(*count)) {
                continue;
            }
            let (mut seen, mut ordinary) = (HashSet::new(), Vec::new());
            for (note, (_, noted)) in group.notes.iter().enumerate() {
                let count = counts.of(&noted.text);
                if is_beyond(count) {
                    let sample = sample(&ordinary);
                    found.push(Candidate {
                        group: number,
                        note,
                        tells: self.tells(group, note, count, frontier, sample),
                    });
                } else if seen.insert(&*noted.text) {
                    ordinary.push(&*noted.text);
                }
            }
        }
        found
    }

    fn tells(
        &self,
        group: &Group,
        note: usize,
        count: usize,
        frontier: f64,
        sample: Value<'static>,
    ) -> super::Tells {
        tells([
            ("aggregator", group.name.clone().into()),
            ("term", group.notes[note].1.text.clone().into()),
            ("term_count", count.into()),
            ("decision_frontier", Value::Float(frontier)),
            ("trigger_method", self.method.clone().into()),
            ("non_outlier_values_sample", sample),
        ])
    }
}

/// How many different terms a group has.
fn distinct(group: &Group) -> usize {
    let terms: HashSet<&str> = group.notes.iter().map(|(_, note)| &*note.text).collect();
    terms.len()
}

/// How often the terms of a group come.
struct Counted<'g> {
    places: HashMap<&'g str, usize>,
    /// In the order in which they came first.
    in_order: Vec<usize>,
}

impl Counted<'_> {
    fn of(&self, term: &str) -> usize {
        self.places
            .get(term)
            .map_or(0, |place| self.in_order[*place])
    }
}

fn counts(group: &Group) -> Counted<'_> {
    let (mut places, mut in_order) = (HashMap::new(), Vec::new());
    for (_, note) in &group.notes {
        let place = *places.entry(&*note.text).or_insert_with(|| {
            in_order.push(0);
            in_order.len() - 1
        });
        in_order[place] += 1;
    }
    Counted { places, in_order }
}
