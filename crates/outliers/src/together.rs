//! Use cases of the model simplequery over the same events, matched together: one scan of the window instead of a query for each.
//!
//! A filter becomes a predicate under the schema of each index, and the engine asks all of them at once. So a use case more costs next
//! to nothing. What cannot be read as a predicate, asks for what sigtag itself has written, or needs an answer of the server, is
//! asked of the server alone.

use crate::config::History;
use crate::models::Candidate;
use crate::outlier::{self, Outlier};
use crate::run::{Changed, Level, Run};
use crate::summary::{Ended, Summary, Tally};
use crate::use_case::UseCase;
use crate::{Mode, time};
use engine::{Branch, Matcher, Ruleset};
use jiff::{SignedDuration, Timestamp};
use predicate::Predicate;
use query::Schema;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::time::Instant;
use store::{Document, Scan, StoreError};

/// How many use cases make it worth to read all events of a window, and not only those that queries find.
const ENOUGH: usize = 8;

/// What use cases have in common that are matched together.
type Window = (String, String, i64);

/// Takes the use cases out of the list that are matched together.
pub(crate) fn split(list: Vec<UseCase>, mode: Mode) -> (Vec<Vec<UseCase>>, Vec<UseCase>) {
    let mut alike: BTreeMap<Window, Vec<UseCase>> = BTreeMap::new();
    let mut alone = Vec::new();
    for use_case in list {
        let is_apart = mode == Mode::Compat
            || use_case.model != "simplequery"
            || use_case.detect.highlights()
            // What sigtag writes cannot be looked up in an event.
            || use_case.filters.iter().any(|filter| filter.to_string().contains("outliers"));
        match is_apart {
            true => alone.push(use_case),
            false => {
                let hours = hours(use_case.history);
                let window = (
                    use_case.index.clone(),
                    use_case.timestamp_field.clone(),
                    hours,
                );
                alike.entry(window).or_default().push(use_case);
            }
        }
    }
    let (together, few): (Vec<_>, Vec<_>) =
        alike.into_values().partition(|list| list.len() >= ENOUGH);
    alone.extend(few.into_iter().flatten());
    (together, alone)
}

fn hours(history: History) -> i64 {
    24 * history.days + history.hours
}

/// The rules of one schema.
struct Compiled {
    ruleset: Ruleset,
    /// The use case that each rule is of.
    use_cases: Vec<usize>,
}

/// An event that use cases match.
struct Matched {
    document: Document,
    outliers: Vec<(usize, Outlier)>,
    whitelisted: Vec<(usize, String)>,
    changed: Result<Option<String>, &'static str>,
}

impl Run<'_> {
    /// Runs use cases together, and gives those back that have to be asked of the server.
    pub(crate) async fn together(&self, list: Vec<UseCase>, summary: &mut Summary) -> Vec<UseCase> {
        let start = Instant::now();
        let (index, field) = (list[0].index.clone(), list[0].timestamp_field.clone());
        let indices = match self.store.indices(&index).await {
            Ok(indices) => indices,
            // Each of them is to tell it.
            Err(_) => return list,
        };
        let mappings: Vec<(String, Json)> = indices
            .into_iter()
            .map(|index| (index.name, index.mapping))
            .collect();
        let (list, alone) = self.readable(list, &mappings);
        if list.is_empty() || mappings.is_empty() {
            return list.into_iter().chain(alone).collect();
        }
        let hours = hours(list[0].history);
        let to = self.options.now;
        let from = to
            .checked_sub(SignedDuration::from_hours(hours))
            .unwrap_or(Timestamp::MIN);
        let message = format!(
            "===== evaluating {} use cases of {index} in one pass ===",
            list.len()
        );
        (self.log)(Level::Info, "");
        (self.log)(Level::Info, &message);
        let (shown_from, shown_to) = (time::plain(from), time::plain(to));
        let message = format!("processing events between {shown_from} and {shown_to}");
        (self.log)(Level::Info, &message);

        let mut tallies: Vec<Tally> = list.iter().map(Tally::new).collect();
        let mut pass = Tally::of_pass(list.len());
        let (gte, lte) = (time::asked(from), time::asked(to));
        let scan = Scan {
            query: Some(json!({"range": {field: {"gte": gte, "lte": lte}}})),
            size: self.config.page,
            ..Scan::all(&index)
        };
        let compiled = compile(&list, &mappings, to);
        let ended = self
            .scan(&list, &compiled, scan, &mut tallies, &mut pass)
            .await;
        let ended = match ended {
            Ok(()) => Ended::Done,
            Err(error) => {
                let message = format!("error while analyzing {}: {error}", pass.section);
                (self.log)(Level::Error, &message);
                Ended::Failed
            }
        };
        for line in pass.oddities() {
            (self.log)(Level::Warning, &line);
        }
        let seconds = start.elapsed().as_secs();
        for mut tally in tallies {
            if tally.outliers > 0 {
                let message = format!("{}: {} outliers", tally.section, tally.outliers);
                (self.log)(Level::Info, &message);
            }
            tally.seconds = seconds;
            summary.add(tally, ended);
        }
        summary.passes.push(pass);
        alone
    }

    /// Those of the use cases that can be read as predicates under all schemas, and the others.
    fn readable(
        &self,
        list: Vec<UseCase>,
        mappings: &[(String, Json)],
    ) -> (Vec<UseCase>, Vec<UseCase>) {
        let schemas: Option<Vec<Schema>> = mappings
            .iter()
            .map(|(_, mapping)| Schema::from_json(mapping).ok())
            .collect();
        let Some(schemas) = schemas else {
            return (Vec::new(), list);
        };
        list.into_iter().partition(|use_case| {
            let mut schemas = schemas.iter();
            schemas.all(|schema| predicate(use_case, schema, self.options.now).is_some())
        })
    }

    async fn scan(
        &self,
        list: &[UseCase],
        compiled: &[(String, Compiled)],
        mut scan: Scan,
        tallies: &mut [Tally],
        pass: &mut Tally,
    ) -> Result<(), StoreError> {
        let matchers: HashMap<&str, (&Compiled, std::sync::Mutex<Vec<Matcher<'_>>>)> = compiled
            .iter()
            .map(|(index, compiled)| (&**index, (compiled, std::sync::Mutex::default())))
            .collect();
        loop {
            let page = self.store.scan(&scan).await?;
            pass.events += page.documents.len() as u64;
            let shares = self.shares(page.documents);
            let done = self.in_parallel_of(shares, |documents: Vec<Document>| {
                self.share(list, &matchers, documents)
            });
            let mut writes = Changed::new();
            for one in done.into_iter().flatten() {
                match one {
                    Ok(one) => self.count(one, tallies, pass, &mut writes),
                    Err(example) => pass.odd(&example),
                }
            }
            if self.config.saves && !self.options.dry_run {
                for (index, writes) in writes {
                    self.write(&pass.section.clone(), &index, writes, pass)
                        .await?;
                }
            }
            match page.next {
                Some(next) if !self.options.stop.load(Ordering::Relaxed) => scan.after = Some(next),
                _ => return Ok(()),
            }
        }
    }

    /// Matches a share of a page, with matchers that have learned from the shares before.
    fn share<'m>(
        &self,
        list: &[UseCase],
        matchers: &HashMap<&str, (&'m Compiled, std::sync::Mutex<Vec<Matcher<'m>>>)>,
        documents: Vec<Document>,
    ) -> Vec<Result<Matched, String>> {
        let mut mine: HashMap<&str, Matcher<'m>> = HashMap::new();
        let mut found = Vec::new();
        for document in documents {
            let Some((index, (compiled, idle))) = matchers.get_key_value(&*document.index) else {
                continue;
            };
            let matcher = mine.entry(index).or_insert_with(|| {
                let idle = idle.lock().ok().and_then(|mut idle| idle.pop());
                idle.unwrap_or_else(|| compiled.ruleset.matcher_for(self.options.jobs))
            });
            let rules: Result<Vec<usize>, String> = matcher
                .matches(document.source.as_bytes())
                .map(|matched| {
                    matched
                        .rules
                        .iter()
                        .map(|rule| compiled.use_cases[*rule as usize])
                        .collect()
                })
                .map_err(|error| format!("{}/{}: {error}", document.index, document.id));
            match rules {
                Ok(rules) if rules.is_empty() => {}
                Ok(rules) => found.extend(self.matched_by(list, rules, document).transpose()),
                Err(example) => found.push(Err(example)),
            }
        }
        for (index, matcher) in mine {
            if let Some(Ok(mut idle)) = matchers.get(index).map(|(_, idle)| idle.lock()) {
                idle.push(matcher);
            }
        }
        found
    }

    /// What these use cases say of an event; none if it has it all.
    fn matched_by(
        &self,
        list: &[UseCase],
        rules: Vec<usize>,
        document: Document,
    ) -> Result<Option<Matched>, String> {
        let (mut outliers, mut whitelisted) = (Vec::new(), Vec::new());
        let nothing = Candidate {
            group: 0,
            note: 0,
            tells: Vec::new(),
        };
        for number in rules {
            let use_case = &list[number];
            if outlier::has(&document.source, &use_case.name, use_case.model) {
                continue;
            }
            let fields = self.fields(use_case, &document)?;
            let outlier = Outlier::new(use_case, self.config, &fields, &nothing.tells);
            match self.is_whitelisted(use_case, &outlier, &document, &fields) {
                true => whitelisted.push((number, outlier.summary())),
                false => outliers.push((number, outlier)),
            }
        }
        if outliers.is_empty() && whitelisted.is_empty() {
            return Ok(None);
        }
        let all = outliers.iter().map(|(_, outlier)| outlier);
        let changed = outlier::add(&document.source, all, self.config.mode);
        Ok(Some(Matched {
            document,
            outliers,
            whitelisted,
            changed,
        }))
    }

    fn count(&self, one: Matched, tallies: &mut [Tally], pass: &mut Tally, writes: &mut Changed) {
        for (number, summary) in one.whitelisted {
            let tally = &mut tallies[number];
            tally.events += 1;
            tally.outliers += 1;
            tally.whitelisted += 1;
            tally.summaries.insert(summary);
        }
        for (number, outlier) in &one.outliers {
            let tally = &mut tallies[*number];
            tally.events += 1;
            tally.outliers += 1;
            tally.unwritten += u64::from(!self.config.saves || self.options.dry_run);
            if self.config.prints {
                (self.log)(Level::Info, &format!("outlier - {}", outlier.summary()));
            }
            tally.summaries.insert(outlier.summary());
        }
        match one.changed {
            Ok(Some(text)) => {
                let outliers = one.outliers.into_iter().map(|(_, outlier)| outlier);
                let of_index = writes.entry(one.document.index.clone()).or_default();
                of_index.push((one.document, text, outliers.collect()));
            }
            Ok(None) => {}
            Err(reason) => {
                let document = &one.document;
                pass.refuse(&format!("{}/{}: {reason}", document.index, document.id));
            }
        }
    }
}

/// What a use case looks for in an index of this schema; none if that cannot be said.
fn predicate(use_case: &UseCase, schema: &Schema, now: Timestamp) -> Option<Predicate> {
    let filters = use_case.filters.iter();
    let all: Result<_, _> = filters
        .map(|filter| query::read(filter, schema, now))
        .collect();
    all.ok().map(Predicate::All)
}

/// One set of rules for each index.
fn compile(
    list: &[UseCase],
    mappings: &[(String, Json)],
    now: Timestamp,
) -> Vec<(String, Compiled)> {
    let all = mappings.iter().filter_map(|(index, mapping)| {
        let schema = Schema::from_json(mapping).ok()?;
        let (mut branches, mut use_cases) = (Vec::new(), Vec::new());
        for (number, use_case) in list.iter().enumerate() {
            if let Some(detection) = predicate(use_case, &schema, now) {
                let condition = Predicate::All(Vec::new());
                branches.push([Branch {
                    condition,
                    detection,
                }]);
                use_cases.push(number);
            }
        }
        let ruleset = Ruleset::compile(branches);
        Some((index.clone(), Compiled { ruleset, use_cases }))
    });
    all.collect()
}
