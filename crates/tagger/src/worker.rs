//! Matching and tagging, on one thread.

use crate::Options;
use crate::aside::{self, Aside};
use crate::plan::Way;
use crate::rules::Rules;
use crate::summary::Counters;
use engine::Matcher;
use event::{Event, FieldPath, Fields, Malformed, Parsed, Value};
use std::sync::LazyLock;
use store::Document;
use tag::{Hit, Outcome, Source};

/// Matches and tags events one after the other.
pub(crate) struct Worker<'r> {
    rules: &'r Rules,
    options: &'r Options,
    matcher: Matcher<'r>,
}

impl<'r> Worker<'r> {
    pub(crate) fn new(rules: &'r Rules, options: &'r Options) -> Worker<'r> {
        Worker {
            rules,
            options,
            matcher: rules.ruleset.matcher_for(options.jobs),
        }
    }

    /// Whether every event is written, and not only those that a rule hits.
    pub(crate) fn writes_all(&self) -> bool {
        self.options.all || self.options.tagger.is_none()
    }

    /// Appends an event of a file to `out` as a line of its own, if it is to be written; whether it is.
    pub(crate) fn line(
        &mut self,
        event: &Parsed<'_, '_>,
        source: &Source<'_>,
        counters: &mut Counters,
        out: &mut Vec<u8>,
    ) -> bool {
        let mut room = String::new();
        if self.options.tagger.is_none() {
            let event = event.event().one_line(&mut room);
            out.extend_from_slice(event.text().as_bytes());
            out.push(b'\n');
            counters.add_miss();
            return true;
        }
        let matched = self.matcher.matches_parsed(event);
        if matched.rules.is_empty() && !matched.has_hidden_field && !self.options.all {
            counters.add_miss();
            return false;
        }
        let event = matched.event.one_line(&mut room);
        let (rules, options) = (self.rules, self.options);
        let start = out.len();
        let outcome = tag(rules, options, &event, matched.rules, counters, |hits| {
            options
                .tagger
                .as_ref()
                .map_or(Outcome::Unchanged, |tagger| {
                    tagger.apply(&event, hits, Some(source), out)
                })
        });
        let is_written =
            options.all || !matched.rules.is_empty() || matches!(outcome, Outcome::Removed);
        if is_written {
            out.push(b'\n');
        } else {
            out.truncate(start);
        }
        is_written
    }

    /// What becomes of a document of a store.
    ///
    /// # Errors
    /// [`Malformed`] when it is no event.
    pub(crate) fn document(
        &mut self,
        document: &Document,
        way: Way,
        counters: &mut Counters,
    ) -> Result<Change, Malformed> {
        let mut change = Change::default();
        let matched = self.matcher.matches(document.source.as_bytes())?;
        let is_miss = matched.rules.is_empty() && !matched.has_hidden_field;
        let Some(tagger) = self.options.tagger.as_ref().filter(|_| !is_miss) else {
            counters.add_miss();
            return Ok(change);
        };
        let event = &matched.event;
        change.outcome = tag(
            self.rules,
            self.options,
            event,
            matched.rules,
            counters,
            |hits| {
                let mut outcome = match way.is_in_place() {
                    true => tagger.apply(event, hits, None, &mut change.text),
                    false if hits.is_empty() => Outcome::Unchanged,
                    false => Outcome::Tagged,
                };
                if way.is_aside() && !hits.is_empty() {
                    let aside = hits
                        .iter()
                        .map(|hit| aside::hit(tagger, event, hit, document));
                    match aside.collect() {
                        Some(aside) => change.aside = aside,
                        None => outcome = Outcome::Conflict("sigma"),
                    }
                }
                outcome
            },
        );
        Ok(change)
    }
}

/// What becomes of a document.
pub(crate) struct Change {
    /// What becomes of its tag.
    pub(crate) outcome: Outcome,
    /// Its text, if the tag changes.
    pub(crate) text: Vec<u8>,
    /// Its hits for the side index.
    pub(crate) aside: Vec<Aside>,
}

impl Default for Change {
    fn default() -> Change {
        Change {
            outcome: Outcome::Unchanged,
            text: Vec::new(),
            aside: Vec::new(),
        }
    }
}

/// Lets the rules with these numbers become the tag of an event, and counts what became of it.
fn tag(
    rules: &Rules,
    options: &Options,
    event: &Event<'_>,
    numbers: &[u32],
    counters: &mut Counters,
    apply: impl FnOnce(&[Hit<'_>]) -> Outcome,
) -> Outcome {
    if options.tagger.is_none() {
        return Outcome::Unchanged;
    }
    let index = (!numbers.is_empty()).then(|| event.index());
    let hits: Vec<Hit<'_>> = numbers
        .iter()
        .map(|number| &rules.running[*number as usize])
        .map(|rule| Hit {
            rule: &rule.tag,
            fields: index
                .as_ref()
                .map_or_else(Vec::new, |index| rule.evidence(index)),
        })
        .collect();
    let outcome = apply(&hits);
    counters.add(rules, numbers, index.as_ref().map(host), outcome);
    outcome
}

/// Where an event names its host, in the order of trust: `host.name` may be the collector's.
static HOST: LazyLock<Vec<FieldPath>> = LazyLock::new(|| {
    [
        "winlog.computer_name",
        "computer_name",
        "Computer",
        "Event.System.Computer",
        "host.name",
        "host.hostname",
        "node",
        "hostname",
    ]
    .map(FieldPath::new)
    .into()
});

/// How many characters of a host's name count. A full name in the DNS has 253.
const MAX_HOST: usize = 256;

fn host<'a>(event: &impl Fields<'a>) -> String {
    let mut values = HOST.iter().flat_map(|path| event.lookup(path).values);
    let name = values.find_map(|value| match value {
        Value::String(name) => Some(name.chars().take(MAX_HOST).collect()),
        _ => None,
    });
    name.unwrap_or_default()
}
