//! What became of every event and rule.

use crate::rules::Rules;
use attack::Tactic;
use input::{Reason, Report};
use serde::Serialize;
use sigma::{Level, Severity};
use std::collections::HashMap;
use std::time::Duration;
use tag::Outcome;

/// How many hosts are told apart; the hits of others are counted together.
const MAX_HOSTS: usize = 10_000;

/// What became of every event and rule of a run. Its size does not depend on the input's.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Events that were read.
    pub events: u64,
    /// Events that some rule matched.
    pub tagged: u64,
    /// Hits: pairs of a rule and an event that it matches.
    pub hits: u64,
    /// Of the events, those that came with sigtag's tags.
    pub retagged: Retagged,
    /// Hits by level, highest first; only levels that occur.
    pub levels: Vec<Count>,
    /// Rules that matched, those of the highest level and with the most events first.
    pub rules: Vec<RuleCount>,
    /// Tactics of the hits, in the order of ATT&CK's matrix.
    pub tactics: Vec<TacticCount>,
    /// Techniques of the hits, the most frequent first.
    pub techniques: Vec<Count>,
    /// Hosts of the tagged events, those with the most first.
    pub hosts: Vec<HostCount>,
    /// What became of the rules.
    pub rule_set: RuleSummary,
    /// What was left out, repaired or noted in the input.
    pub input: Vec<SkipCount>,
    /// Documents that were written, if the events lie in a store; in a dry run, that would have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<u64>,
    /// Hits that were added to the side index; in a dry run, that it would have.
    #[serde(skip_serializing_if = "is_zero")]
    pub aside: u64,
    /// Hits that were taken out of the side index.
    #[serde(skip_serializing_if = "is_zero")]
    pub aside_removed: u64,
    /// Documents that were done with the same rules before, and not read.
    #[serde(skip_serializing_if = "is_zero")]
    pub known: u64,
    /// Whether nothing was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Bytes read: of files as they lie on the disk, of a store those of the documents.
    pub bytes: u64,
    /// Wall-clock time of the run, in seconds.
    pub seconds: f64,
    /// Whether the run was ended before its input was.
    pub interrupted: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Events that came with sigtag's tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Retagged {
    /// The tags were equal to the hits: passed on as they were.
    pub unchanged: u64,
    /// The tags were others.
    pub renewed: u64,
    /// No rule matches any more.
    pub removed: u64,
    /// A field of the tags holds something that sigtag did not write: passed on untagged.
    pub conflicts: u64,
}

impl Retagged {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Tagged => {}
            Outcome::Renewed => self.renewed += 1,
            Outcome::Removed => self.removed += 1,
            Outcome::Conflict(_) => self.conflicts += 1,
        }
    }
}

/// How often something occurred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What.
    pub name: String,
    /// In how many hits.
    pub hits: u64,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its level, if it has one.
    pub level: Option<String>,
    /// Its author, as written.
    pub author: Option<String>,
    /// Its techniques' ids.
    pub techniques: Vec<&'static str>,
    /// How many events it matched.
    pub events: u64,
}

/// A tactic of the hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TacticCount {
    /// Its id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// In how many hits.
    pub hits: u64,
}

/// A host of tagged events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostCount {
    /// Its name, as in the events; empty for events that name none, `*` for those beyond the first 10,000 hosts.
    pub name: String,
    /// Its tagged events.
    pub events: u64,
    /// The highest severity of its hits, 0 to 5.
    pub severity: u8,
}

/// What became of the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleSummary {
    /// A short hash of the set.
    pub id: String,
    /// Files that were read.
    pub files: usize,
    /// Rules that ran.
    pub running: usize,
    /// Rules left out because of their level.
    pub below_level: usize,
    /// Documents that are broken.
    pub broken: usize,
    /// Documents that need set-up.
    pub need_set_up: usize,
    /// Each of those: where it stands, and why it does not run.
    pub set_aside: Vec<SetAside>,
}

/// A rule that does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 if the file could not be read.
    pub line: u32,
    /// The title, if it can be read.
    pub title: Option<String>,
    /// `broken` or `needs set-up`.
    pub verdict: &'static str,
    /// Why.
    pub reason: String,
}

/// Something that was left out, repaired or noted in the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkipCount {
    /// `lost`, `repaired` or `noted`.
    pub effect: &'static str,
    /// Why.
    pub reason: &'static str,
    /// How often.
    pub count: u64,
    /// The first ones: file, place and cause.
    pub examples: Vec<String>,
}

impl Summary {
    /// Whether nothing was lost: no rule is broken, and all events could be read and tagged.
    pub fn is_clean(&self) -> bool {
        self.rule_set.broken == 0
            && self.retagged.conflicts == 0
            && self.input.iter().all(|skip| skip.effect != "lost")
    }

    /// Adds what else there is to tell of the events, if it happened at all.
    pub(crate) fn tell(&mut self, effect: &'static str, reason: &'static str, tally: Tally) {
        if tally.count > 0 {
            self.input.push(SkipCount {
                effect,
                reason,
                count: tally.count,
                examples: tally.examples,
            });
        }
    }
}

/// How many examples there are of one thing.
const EXAMPLES: usize = 3;

/// How often something happened, and the first times.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    count: u64,
    examples: Vec<String>,
}

impl Tally {
    /// So often, and it does not matter when.
    pub(crate) fn of(count: u64) -> Tally {
        Tally {
            count,
            ..Tally::default()
        }
    }

    /// Counts one more.
    pub(crate) fn add(&mut self, example: impl FnOnce() -> String) {
        self.add_many(1, example);
    }

    /// Counts so many more that have one example.
    pub(crate) fn add_many(&mut self, count: u64, example: impl FnOnce() -> String) {
        self.count += count;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }

    /// Adds what happened later.
    pub(crate) fn merge(&mut self, later: Tally) {
        self.count += later.count;
        let room = EXAMPLES - self.examples.len();
        self.examples.extend(later.examples.into_iter().take(room));
    }
}

/// Counts while events go by; one for each batch, merged in their order.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    events: u64,
    tagged: u64,
    retagged: Retagged,
    /// Events by rule number.
    rules: HashMap<u32, u64>,
    hosts: HashMap<String, (u64, u8)>,
}

impl Counters {
    /// Counts an event: the rules that it matches, and what became of it.
    pub(crate) fn add(
        &mut self,
        rules: &Rules,
        hits: &[u32],
        host: Option<String>,
        outcome: Outcome,
    ) {
        self.events += 1;
        if !hits.is_empty() || outcome != Outcome::Unchanged {
            self.retagged.add(outcome);
        }
        if hits.is_empty() {
            return;
        }
        self.tagged += 1;
        for hit in hits {
            *self.rules.entry(*hit).or_default() += 1;
        }
        let severities = hits
            .iter()
            .filter_map(|hit| rules.running[*hit as usize].tag.level);
        self.add_host(
            host.unwrap_or_default(),
            1,
            severities.map(Level::severity).max().unwrap_or(0),
        );
    }

    /// Counts an event whose tag was to go, as a whole or for one rule.
    pub(crate) fn add_untagged(&mut self, outcome: Outcome) {
        self.events += 1;
        self.retagged.add(outcome);
    }

    /// Counts an event that no rule matches, and that has no tag.
    pub(crate) fn add_miss(&mut self) {
        self.events += 1;
    }

    fn add_host(&mut self, name: String, events: u64, severity: u8) {
        let name = if self.hosts.len() < MAX_HOSTS || self.hosts.contains_key(&name) {
            name
        } else {
            "*".to_owned()
        };
        let host = self.hosts.entry(name).or_default();
        *host = (host.0 + events, host.1.max(severity));
    }

    /// How many events were counted.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// Adds the counts of a later batch.
    pub(crate) fn merge(&mut self, later: Counters) {
        self.events += later.events;
        self.tagged += later.tagged;
        self.retagged.unchanged += later.retagged.unchanged;
        self.retagged.renewed += later.retagged.renewed;
        self.retagged.removed += later.retagged.removed;
        self.retagged.conflicts += later.retagged.conflicts;
        for (rule, events) in later.rules {
            *self.rules.entry(rule).or_default() += events;
        }
        for (name, (events, severity)) in later.hosts {
            self.add_host(name, events, severity);
        }
    }

    /// The summary of these counts.
    pub(crate) fn summary(
        self,
        rules: &Rules,
        report: &Report,
        time: Duration,
        interrupted: bool,
    ) -> Summary {
        let mut levels = [0; 6];
        let mut techniques: HashMap<&'static str, u64> = HashMap::new();
        let mut tactics: HashMap<&'static str, u64> = HashMap::new();
        let mut counted = Vec::new();
        for (number, events) in &self.rules {
            let tag = &rules.running[*number as usize].tag;
            levels[usize::from(tag.level.map_or(0, Level::severity))] += events;
            for technique in &tag.attack.techniques {
                *techniques.entry(technique.id).or_default() += events;
            }
            for tactic in &tag.attack.tactics {
                *tactics.entry(tactic.id).or_default() += events;
            }
            counted.push((tag, *events));
        }
        counted.sort_by(|(a, a_events), (b, b_events)| {
            b.level
                .cmp(&a.level)
                .then_with(|| b_events.cmp(a_events))
                .then_with(|| a.id.cmp(&b.id))
        });
        let level_name = |severity: usize| {
            Level::ALL
                .iter()
                .find(|level| usize::from(level.severity()) == severity)
        };
        let tactic = |tactic: &Tactic| {
            let hits = tactics.get(tactic.id)?;
            Some(TacticCount {
                id: tactic.id,
                name: tactic.name,
                hits: *hits,
            })
        };
        let mut techniques: Vec<Count> = techniques
            .into_iter()
            .map(|(id, hits)| Count {
                name: id.to_owned(),
                hits,
            })
            .collect();
        techniques.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.name.cmp(&b.name)));
        let mut hosts: Vec<HostCount> = self
            .hosts
            .into_iter()
            .map(|(name, (events, severity))| HostCount {
                name,
                events,
                severity,
            })
            .collect();
        hosts.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.name.cmp(&b.name)));
        Summary {
            events: self.events,
            tagged: self.tagged,
            hits: counted.iter().map(|(_, events)| events).sum(),
            retagged: self.retagged,
            levels: (0..levels.len())
                .rev()
                .filter(|severity| levels[*severity] > 0)
                .map(|severity| Count {
                    name: level_name(severity)
                        .map_or_else(|| "none".to_owned(), ToString::to_string),
                    hits: levels[severity],
                })
                .collect(),
            rules: counted
                .into_iter()
                .map(|(tag, events)| RuleCount {
                    id: tag.id.clone(),
                    title: tag.title.clone(),
                    level: tag.level.map(|level| level.to_string()),
                    author: tag.author.clone(),
                    techniques: tag
                        .attack
                        .techniques
                        .iter()
                        .map(|technique| technique.id)
                        .collect(),
                    events,
                })
                .collect(),
            tactics: attack::tactics().iter().filter_map(tactic).collect(),
            techniques,
            hosts,
            rule_set: RuleSummary::of(rules),
            input: skips(report),
            written: None,
            aside: 0,
            aside_removed: 0,
            known: 0,
            dry_run: false,
            bytes: report.bytes,
            seconds: time.as_secs_f64(),
            interrupted,
        }
    }
}

impl RuleSummary {
    fn of(rules: &Rules) -> RuleSummary {
        RuleSummary {
            id: rules.id.clone(),
            files: rules.files,
            running: rules.running.len(),
            below_level: rules.below_level,
            broken: rules.set_aside_as(Severity::Error),
            need_set_up: rules.set_aside_as(Severity::NeedsSetUp),
            set_aside: rules
                .set_aside
                .iter()
                .map(|set_aside| SetAside {
                    file: set_aside.reason.location.file.to_string(),
                    line: set_aside.reason.location.line(),
                    title: set_aside.title.clone(),
                    verdict: if set_aside.reason.severity == Severity::Error {
                        "broken"
                    } else {
                        "needs set-up"
                    },
                    reason: set_aside.reason.message.clone(),
                })
                .collect(),
        }
    }
}

fn skips(report: &Report) -> Vec<SkipCount> {
    let effect = |reason: Reason| match reason.effect() {
        input::Effect::Lost => "lost",
        input::Effect::Repaired => "repaired",
        input::Effect::Noted => "noted",
    };
    report
        .issues
        .iter()
        .map(|(reason, tally)| SkipCount {
            effect: effect(*reason),
            reason: reason.text(),
            count: tally.count,
            examples: tally.examples.iter().map(ToString::to_string).collect(),
        })
        .collect()
}
