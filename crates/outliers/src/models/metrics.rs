//! An event is an outlier if what is measured of one of its fields is unusual among the events of the same aggregator.

use super::{Batch, Candidate, Detect, Fate, Group, Model, Note, Prepared, range, sample, tells};
use crate::config::Config;
use crate::fields::{Fields, word};
use crate::frontier::Trigger;
use crate::metrics::{METRICS, Metric};
use crate::use_case::Keys;
use crate::value::{Case, Found, Value};
use crate::{Mode, Problem, python};
use serde_json::Value as Json;
use std::collections::HashSet;

pub(super) const MODEL: Model = Model {
    name: "metrics",
    keys: &[
        "aggregator",
        "target",
        "metric",
        "trigger_on",
        "trigger_method",
        "trigger_sensitivity",
        "process_documents_chronologically",
    ],
    read,
};

/// How many values an aggregator has at least before a batch that is not the last decides about it.
const ENOUGH: usize = 100;

struct Metrics {
    aggregators: Vec<String>,
    target: String,
    metric: &'static Metric,
    trigger: Trigger,
    is_chronological: bool,
    batch: Option<usize>,
}

fn read(keys: &Keys<'_>, config: &Config) -> Result<Box<dyn Detect>, Problem> {
    let metrics: Vec<(&str, &Metric)> = METRICS.iter().map(|one| (one.name, one)).collect();
    let chronological = keys.bool("process_documents_chronologically")?;
    Ok(Box::new(Metrics {
        aggregators: keys.fields("aggregator")?,
        target: keys.text("target")?.value.replace(' ', ""),
        metric: keys.one_of("metric", &metrics)?,
        trigger: keys.trigger(config)?,
        is_chronological: chronological.unwrap_or(false),
        batch: keys.batch(MODEL.name, config)?,
    }))
}

impl Detect for Metrics {
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
        let Found::Value(target) = fields.get(&self.target, Case::Counts) else {
            return Vec::new();
        };
        let Some(aggregators) = fields.sentences(&self.aggregators) else {
            return Vec::new();
        };
        let Some(target) = word(&target) else {
            return Vec::new();
        };
        let Some(measured) = (self.metric.measure)(&target) else {
            return Vec::new();
        };
        let last = aggregators.last().cloned();
        let notes = aggregators.into_iter().map(|group| {
            let mut more = measured.more.clone();
            // Of several aggregators of an event, ee-outliers shows the last one, whichever it is about.
            if let Some(last) = last.clone().filter(|last| *last != group)
                && self.trigger.mode == Mode::Compat
            {
                more.push(("aggregator", last.into()));
            }
            Note {
                group,
                text: target.clone(),
                number: measured.number,
                is_count: measured.is_count,
                more,
            }
        });
        notes.collect()
    }

    fn fate(&self, group: &Group, is_last: bool) -> Fate {
        match is_last || group.notes.len() >= ENOUGH {
            true => Fate::Decided,
            false => Fate::Waits,
        }
    }

    fn explain(&self, groups: &[Group]) -> Vec<String> {
        let lines = groups.iter().map(|group| {
            let values: Vec<f64> = group.notes.iter().map(|(_, note)| note.number).collect();
            let (range, decides) = (range(&values), self.trigger.explain(&values));
            format!("{}: {} of {range}; {decides}", group.name, self.metric.name)
        });
        lines.collect()
    }

    fn decide(&self, groups: &[Group]) -> Vec<Candidate> {
        let mut found = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let values: Vec<f64> = group.notes.iter().map(|(_, note)| note.number).collect();
            let frontier = self.trigger.frontier(&values);
            let is_beyond = |value: f64| self.trigger.side.is_beyond(value, frontier);
            if !values.iter().any(|value| is_beyond(*value)) {
                continue;
            }
            let mut ordinary = Ordinary::default();
            for (note, (_, noted)) in group.notes.iter().enumerate() {
                if !is_beyond(noted.number) {
                    ordinary.add(shown(noted));
                    continue;
                }
                let value = match noted.is_count {
                    true => Value::from(noted.number as usize),
                    false => Value::Float(noted.number),
                };
                let mut tells = tells([
                    ("target", noted.text.clone().into()),
                    ("metric", value),
                    ("decision_frontier", Value::Float(frontier)),
                    ("confidence", Value::Float((frontier - noted.number).abs())),
                    ("non_outlier_values_sample", ordinary.sample()),
                ]);
                let more = noted.more.iter().cloned();
                tells.extend(more.map(|(key, value)| (key.into(), value)));
                if !tells.iter().any(|(key, _)| key == "aggregator") {
                    tells.push(("aggregator".into(), group.name.clone().into()));
                }
                found.push(Candidate {
                    group: number,
                    note,
                    tells,
                });
            }
        }
        found
    }
}

/// The number that was measured, as text.
fn shown(note: &Note) -> String {
    match note.is_count {
        true => note.number.to_string(),
        false => python::float(note.number),
    }
}

/// The ordinary values so far, each once.
#[derive(Default)]
struct Ordinary {
    seen: HashSet<String>,
    list: Vec<String>,
}

/// More of them make no better sample.
const MOST: usize = 1_000;

impl Ordinary {
    fn add(&mut self, value: String) {
        if self.list.len() < MOST && self.seen.insert(value.clone()) {
            self.list.push(value);
        }
    }

    fn sample(&self) -> Value<'static> {
        let list: Vec<&str> = self.list.iter().map(String::as_str).collect();
        sample(&list)
    }
}
