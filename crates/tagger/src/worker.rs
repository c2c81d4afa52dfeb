//! Matching and tagging, on one thread.

use crate::Options;
use crate::rules::Rules;
use crate::summary::Counters;
use engine::Matcher;
use event::{Event, FieldPath, Fields, Malformed, Parsed, Value};
use std::sync::LazyLock;
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
        let outcome = tag(
            rules,
            options,
            &event,
            matched.rules,
            Some(source),
            counters,
            out,
        );
        let is_written =
            options.all || !matched.rules.is_empty() || matches!(outcome, Outcome::Removed);
        if is_written {
            out.push(b'\n');
        } else {
            out.truncate(start);
        }
        is_written
    }

    /// Appends a document of a store to `out`, as its tag makes it; what became of it.
    ///
    /// # Errors
    /// [`Malformed`] when it is no event.
    pub(crate) fn document(
        &mut self,
        text: &str,
        counters: &mut Counters,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Malformed> {
        let matched = self.matcher.matches(text.as_bytes())?;
        if matched.rules.is_empty() && !matched.has_hidden_field {
            counters.add_miss();
            return Ok(Outcome::Unchanged);
        }
        let (rules, options, event) = (self.rules, self.options, &matched.event);
        Ok(tag(
            rules,
            options,
            event,
            matched.rules,
            None,
            counters,
            out,
        ))
    }
}

/// Makes the tag of an event equal to the rules with these numbers.
fn tag(
    rules: &Rules,
    options: &Options,
    event: &Event<'_>,
    numbers: &[u32],
    source: Option<&Source<'_>>,
    counters: &mut Counters,
    out: &mut Vec<u8>,
) -> Outcome {
    let Some(tagger) = &options.tagger else {
        return Outcome::Unchanged;
    };
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
    let outcome = tagger.apply(event, &hits, source, out);
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
