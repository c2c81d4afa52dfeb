//! Models: what makes an event an outlier. A model is one file of the same shape; a new one is a copy of such a file and one more
//! line in [`MODELS`].
//!
//! A model looks at events one by one and takes notes. Notes are in groups, and when all are there, or a batch of them, it
//! decides which of them are outliers. What is whitelisted is taken out, and it decides again.

mod metrics;
mod simplequery;
mod sudden_appearance;
mod terms;

use crate::config::Config;
use crate::fields::Fields;
use crate::use_case::Keys;
use crate::value::Value;
use crate::{Mode, Problem};
use jiff::Timestamp;
use serde_json::Value as Json;
use std::borrow::Cow;

/// A model.
pub(crate) struct Model {
    /// What the sections of its use cases begin with.
    pub(crate) name: &'static str,
    /// The keys that it reads; all others are copied into events.
    pub(crate) keys: &'static [&'static str],
    /// Reads them.
    pub(crate) read: Reader,
}

/// Makes a model of the keys of a use case.
pub(crate) type Reader = fn(&Keys<'_>, &Config) -> Result<Box<dyn Detect>, Problem>;

/// All models.
pub(crate) const MODELS: &[Model] = &[
    simplequery::MODEL,
    metrics::MODEL,
    terms::MODEL,
    sudden_appearance::MODEL,
];

/// What a model has made of a use case.
pub(crate) trait Detect: Send + Sync {
    /// How notes are collected before it decides.
    fn batch(&self) -> Batch;

    /// Whether events have to come in the order of their times.
    fn is_chronological(&self) -> bool;

    /// Prepares a run, and gives what the query has to ask for besides.
    fn prepare(&mut self, run: &Prepared<'_>) -> Result<Vec<Json>, String>;

    /// Takes notes of an event.
    fn look(&self, fields: &Fields<'_>) -> Vec<Note>;

    /// What becomes of a group when a batch is there.
    fn fate(&self, group: &Group, is_last: bool) -> Fate {
        let _ = (group, is_last);
        Fate::Decided
    }

    /// Whether the store is asked which parts of an event match.
    fn highlights(&self) -> bool {
        false
    }

    /// Whether a group is judged by what is left of it when whitelisted outliers were taken out.
    fn counts_again(&self) -> bool {
        false
    }

    /// Whether the others are judged anew when a whitelisted one is taken out.
    fn decides_again(&self) -> bool {
        true
    }

    /// Says what decides in each group, as `name: 12 values from 1 to 9; outliers are above 6.34 (stdev, 1)`.
    fn explain(&self, groups: &[Group]) -> Vec<String> {
        let _ = groups;
        Vec::new()
    }

    /// Finds the outliers, in their order.
    fn decide(&self, groups: &[Group]) -> Vec<Candidate>;
}

/// How notes are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    /// Each event is decided by itself.
    None,
    /// Until there are so many.
    Size(usize),
    /// All of them.
    Whole,
}

/// What a model may know of the run.
pub(crate) struct Prepared<'r> {
    /// The name of the use case.
    pub(crate) name: &'r str,
    /// The mappings of the indices.
    pub(crate) mappings: &'r [Json],
    /// The time that is looked at.
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) timestamp_field: &'r str,
    pub(crate) mode: Mode,
}

/// What a model keeps of an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Note {
    /// The group that it belongs to.
    pub(crate) group: String,
    /// What it says there.
    pub(crate) text: String,
    /// What was measured.
    pub(crate) number: f64,
    /// Whether that is a count.
    pub(crate) is_count: bool,
    /// What an outlier tells besides.
    pub(crate) more: Vec<(&'static str, Value<'static>)>,
}

/// Notes that are compared with each other.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Each with the number of its event.
    pub(crate) notes: Vec<(u32, Note)>,
}

/// What becomes of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Decided,
    /// There is too little in it yet.
    Waits,
    /// There was too little in it.
    Dropped,
}

/// A note that makes its event an outlier.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) group: usize,
    pub(crate) note: usize,
    /// What the outlier tells.
    pub(crate) tells: Tells,
}

/// Names and values.
pub(crate) type Tells = Vec<(Cow<'static, str>, Value<'static>)>;

/// The keys and values of a table.
pub(crate) fn tells<const N: usize>(pairs: [(&'static str, Value<'static>); N]) -> Tells {
    let pairs = pairs.into_iter();
    pairs.map(|(key, value)| (key.into(), value)).collect()
}

/// The least and the largest of some values, in words.
pub(crate) fn range(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} values from {least} to {largest}", values.len())
}

/// How many ordinary values an outlier shows.
const SAMPLE: usize = 3;

/// Up to three of the ordinary values that came before an outlier, as ee-outliers draws them by lot. Here the same ones are
/// drawn each time, spread over all of them.
pub(crate) fn sample(ordinary: &[&str]) -> Value<'static> {
    if ordinary.is_empty() {
        return Value::List(Vec::new());
    }
    let count = SAMPLE.min(ordinary.len());
    let drawn = (0..count).map(|number| ordinary[number * ordinary.len() / count]);
    drawn.collect::<Vec<_>>().join(",").into()
}
