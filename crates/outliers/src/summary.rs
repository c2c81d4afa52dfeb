//! What a run has come to.

use crate::run::thousands;
use crate::time;
use crate::use_case::UseCase;
use std::collections::HashSet;

/// How many examples of what was odd are kept.
const EXAMPLES: usize = 3;

/// What a run has come to.
#[derive(Debug, Default)]
pub struct Summary {
    /// The use cases that were run.
    pub use_cases: Vec<(Tally, Ended)>,
    /// What the passes have come to that several use cases were matched in.
    pub passes: Vec<Tally>,
    /// How many use cases and files could not be used.
    pub refused: usize,
    /// How many events had their outliers taken away.
    pub wiped: u64,
    /// How many of these failed.
    pub failed_wipes: u64,
    /// Whether the run was ended before its end.
    pub interrupted: bool,
}

/// How a use case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was done.
    Done,
    /// Its index is not there.
    NoIndex,
    /// The store did not answer, or refused what was asked.
    Failed,
}

/// What a use case has come to.
#[derive(Debug, Default)]
pub struct Tally {
    /// The name of its section.
    pub section: String,
    /// The name of its model and its own, as the summary shows them.
    pub name: String,
    /// How many events were looked at.
    pub events: u64,
    /// How many outliers there are, the whitelisted ones included.
    pub outliers: u64,
    /// How many of them are whitelisted.
    pub whitelisted: u64,
    /// How many events were written.
    pub written: u64,
    /// How many would have been.
    pub unwritten: u64,
    /// How often an event was changed by somebody else meanwhile, and read again.
    pub conflicts: u64,
    /// How many events were deleted meanwhile.
    pub gone: u64,
    /// How many aggregators had too few different terms.
    pub dropped: u64,
    /// How many events could not be written.
    pub refused: u64,
    /// How many events could not be read.
    pub odd: u64,
    /// How long it took.
    pub seconds: u64,
    pub(crate) summaries: HashSet<String>,
    examples: Vec<String>,
}

impl Tally {
    pub(crate) fn new(use_case: &UseCase) -> Tally {
        Tally {
            section: use_case.section.clone(),
            name: format!("{}_{}", use_case.model, use_case.name),
            ..Tally::default()
        }
    }

    /// Of so many use cases that are matched together.
    pub(crate) fn of_pass(use_cases: usize) -> Tally {
        Tally {
            section: format!("{use_cases} use cases in one pass"),
            ..Tally::default()
        }
    }

    /// An event could not be written.
    pub(crate) fn refuse(&mut self, example: &str) {
        self.refused += 1;
        self.example(example);
    }

    /// An event could not be read.
    pub(crate) fn odd(&mut self, example: &str) {
        self.odd += 1;
        self.example(example);
    }

    fn example(&mut self, example: &str) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(example.to_owned());
        }
    }

    /// What is to be told beside the outliers.
    pub(crate) fn oddities(&self) -> Vec<String> {
        let counts = [
            (self.refused, "events could not be written"),
            (self.odd, "events could not be read"),
            (self.gone, "events were deleted meanwhile"),
            (
                self.conflicts,
                "events were changed meanwhile, and read again",
            ),
            (
                self.dropped,
                "aggregators have fewer different terms than `min_target_buckets`",
            ),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let lines =
            counts.map(|(count, what)| format!("{}: {} {what}", self.section, thousands(*count)));
        let examples = self.examples.iter().map(|example| format!("  {example}"));
        lines.chain(examples).collect()
    }
}

impl Summary {
    pub(crate) fn add(&mut self, tally: Tally, ended: Ended) {
        self.use_cases.push((tally, ended));
    }

    /// Whether all was done.
    pub fn is_clean(&self) -> bool {
        let is_clean = |(tally, ended): &(Tally, Ended)| {
            *ended == Ended::Done && tally.refused == 0 && tally.odd == 0
        };
        let mut passes = self.passes.iter();
        self.refused == 0
            && self.failed_wipes == 0
            && self.use_cases.iter().all(is_clean)
            && passes.all(|pass| pass.refused == 0 && pass.odd == 0)
    }

    /// The closing lines of the log.
    pub fn lines(&self) -> Vec<String> {
        let tallies = || self.use_cases.iter().map(|(tally, _)| tally);
        let sum = |what: fn(&Tally) -> u64| thousands(tallies().map(what).sum());
        let count = |what: &dyn Fn(&Tally, Ended) -> bool| {
            let matching = self
                .use_cases
                .iter()
                .filter(|(tally, ended)| what(tally, *ended));
            thousands(matching.count() as u64)
        };
        let done = |tally: &Tally, ended: Ended| (ended == Ended::Done).then_some(tally.events);
        let mut lines = vec![
            String::new(),
            "============================".to_owned(),
            "===== analysis summary =====".to_owned(),
            "============================".to_owned(),
            format!("total use cases processed: {}", self.use_cases.len()),
            format!(
                "total outliers detected: {}",
                sum(|tally| tally.outliers - tally.whitelisted.min(tally.outliers))
            ),
            format!(
                "total whitelisted outliers: {}",
                sum(|tally| tally.whitelisted)
            ),
            String::new(),
            format!(
                "succesfully analyzed use cases: {}",
                count(&|tally, ended| done(tally, ended).is_some())
            ),
            format!(
                "succesfully analyzed use cases without events: {}",
                count(&|tally, ended| done(tally, ended) == Some(0))
            ),
            format!(
                "succesfully analyzed use cases with events: {}",
                count(&|tally, ended| done(tally, ended).is_some_and(|events| events > 0))
            ),
            String::new(),
            format!(
                "use cases skipped because of missing index: {}",
                count(&|_, ended| ended == Ended::NoIndex)
            ),
            format!(
                "use cases skipped because of incorrect configuration: {}",
                self.refused
            ),
            format!(
                "use cases that caused an error: {}",
                count(&|_, ended| ended == Ended::Failed)
            ),
            String::new(),
        ];
        let mut slowest: Vec<&Tally> = tallies().filter(|tally| tally.events > 0).collect();
        if !slowest.is_empty() {
            let total: u64 = slowest.iter().map(|tally| tally.seconds).sum();
            let average = total / slowest.len() as u64;
            lines.push(format!("total analysis time: {}", time::taken(total)));
            lines.push(format!("average analysis time: {}", time::taken(average)));
            lines.push(String::new());
            lines.push("most time consuming use cases (top 10):".to_owned());
            slowest.sort_by_key(|tally| std::cmp::Reverse(tally.seconds));
            let slowest = slowest.into_iter().take(10).map(|tally| {
                let (events, outliers) = (thousands(tally.events), thousands(tally.outliers));
                let taken = time::taken(tally.seconds);
                format!(
                    "\t+ {} - {events} events - {outliers} outliers - {taken}",
                    tally.name
                )
            });
            lines.extend(slowest);
        }
        let failed = self
            .use_cases
            .iter()
            .filter(|(_, ended)| *ended == Ended::Failed);
        let failed: Vec<String> = failed
            .map(|(tally, _)| format!("\t+ {}", tally.name))
            .collect();
        if !failed.is_empty() {
            lines.push(String::new());
            lines.push("models for which an unexpected error was encountered:".to_owned());
            lines.extend(failed);
        }
        lines.push("============================".to_owned());
        lines
    }
}
