//! Tags in events: from the hits of rules to the event that carries them, and back.
//!
//! A tag is spliced into the event's own text. What sigtag does not own keeps its bytes: the spelling of numbers, the
//! order of keys, white space, duplicate keys, whatever is foreign in a field that is shared. [`Tagger::remove`] gives back
//! what [`Tagger::apply`] was given: the same bytes, as long as nobody wrote the event anew in between, and an equal JSON
//! document if somebody did.
//!
//! ```
//! use event::Event;
//! use tag::{Hit, Outcome, Profile, RuleTag, Tagger};
//!
//! let rule = RuleTag {
//!     id: "5f1abf3e-0000-4000-8000-000000000001".into(),
//!     title: "Remote Page in a Script Host".into(),
//!     author: Some("Ada Example".into()),
//!     level: Some(sigma::Level::High),
//!     tags: vec!["attack.t1218.005".into()],
//!     attack: attack::attribute(["t1218.005"]),
//! };
//! let hit = Hit { rule: &rule, fields: vec![("process.name".into(), "mshta.exe".into())] };
//! let tagger = Tagger { profile: Profile::Ecs, ruleset: "9f2c01ab".into(), tagged_at: "2026-11-24T09:00:00Z".into() };
//!
//! let event = br#"{"process": {"name": "mshta.exe"}}"#;
//! let (mut tagged, mut bare) = (Vec::new(), Vec::new());
//! assert_eq!(tagger.apply(&Event::parse(event).unwrap(), &[hit], None, &mut tagged), Outcome::Tagged);
//! assert_eq!(Tagger::remove(&Event::parse(&tagged).unwrap(), &mut bare), Outcome::Removed);
//! assert_eq!(bare, event);
//! ```
//!
//! # What is written
//!
//! | profile | `sigma` | `tags` gets | `threat` gets | `outliers` gets |
//! | --- | --- | --- | --- | --- |
//! | [`Profile::Ecs`] | the tag | `sigma` | tactics, techniques | – |
//! | [`Profile::EeOutliers`] | – | `outlier` | – | one outlier per rule |
//! | [`Profile::Both`] | the tag | `sigma`, `outlier` | tactics, techniques | one outlier per rule |
//!
//! `sigma.added` lists what went into `tags`, `threat` and `outliers`, which belong to others as well, and under `was` the
//! former shape of what was no list or object there: `absent`, `null`, or `single` (one value, now the first of a list). A
//! path counts in every spelling, nested or dotted. Where `threat` or a part of it is neither an object nor null, the event
//! says something else there: it is left alone, and the attribution is in `sigma.attack` only.
//!
//! `ee-outliers` writes nothing but `tags` and `outliers` where that says enough to be undone: the event had no `outliers`,
//! and `tags` was absent or a list that held something else. Otherwise it writes `sigma.added`, and only that part of `sigma`.
//!
//! # When an event is tagged already
//!
//! The tag always equals the hits of the rules in use: those of other rules go, and so does the tag of an event that no rule
//! hits any more. Both are outcomes of their own ([`Outcome::Renewed`], [`Outcome::Removed`]), for the caller to count. Two
//! tags are equal when their rules, levels, tactics, techniques and matches are; `ruleset`, `tagged_at` and `source` are not
//! compared, and an event that has an equal tag passes as it is. The first `source` wins.
//!
//! A top-level `sigma` (or `sigma.…`) that sigtag did not write, an `outliers` that cannot be merged with, and a value that
//! would come to stand deeper than an event may be nested, are never touched: the event passes as it is, and the outcome is
//! [`Outcome::Conflict`].
//!
//! # What it leaves out
//!
//! Which rule hits what; files; stores; the further fields of `outliers` that other models than simplequery write.

mod added;
mod ecs;
mod outliers;
mod rule;
mod schema;
mod shared;
pub mod splice;

use std::borrow::Cow;
use std::sync::LazyLock;

use event::Event;
use memchr::memmem::Finder;

pub use ecs::{Position, Source};
pub use rule::{Hit, RuleTag};
pub use schema::{TAGGED_BY, aside, schema, tagged};

use added::Added;
use ecs::Sigma;
use shared::Patch;
use splice::{Changes, items, rewrite};

/// Which fields a tag consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// `sigma`, `tags`, and `threat` of the Elastic Common Schema.
    #[default]
    Ecs,
    /// `outliers` and `tags`, as ee-outliers writes them.
    EeOutliers,
    /// Both of them.
    Both,
}

impl Profile {
    /// Every profile, in the order that help texts show them.
    pub const ALL: [Profile; 3] = [Profile::Ecs, Profile::EeOutliers, Profile::Both];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Ecs => "ecs",
            Profile::EeOutliers => "ee-outliers",
            Profile::Both => "both",
        }
    }

    /// This profile, and the fields of the Elastic Common Schema with it.
    pub fn with_ecs(self) -> Profile {
        match self {
            Profile::EeOutliers => Profile::Both,
            other => other,
        }
    }

    fn writes_ecs(self) -> bool {
        self != Profile::EeOutliers
    }

    fn writes_outliers(self) -> bool {
        self != Profile::Ecs
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed as it was: its tag is equal to the hits, or it has neither.
    Unchanged,
    /// It had no tag and has one now.
    Tagged,
    /// It had another tag.
    Renewed,
    /// It had a tag and has none now.
    Removed,
    /// It passed as it was, because this top-level field holds something that sigtag did not write and cannot merge with.
    Conflict(&'static str),
}

/// Writes tags.
#[derive(Debug, Clone)]
pub struct Tagger {
    /// Which fields to write.
    pub profile: Profile,
    /// The short hash of the rule set, for `sigma.ruleset`.
    pub ruleset: String,
    /// The time of this run, for `sigma.tagged_at`: RFC 3339, UTC.
    pub tagged_at: String,
}

impl Tagger {
    /// Makes the tag of an event equal to its hits, which may come in any order, and appends the event to `out`, also when
    /// it stays as it is. `source` says where an event from a file stood.
    pub fn apply(
        &self,
        event: &Event<'_>,
        hits: &[Hit<'_>],
        source: Option<&Source<'_>>,
        out: &mut Vec<u8>,
    ) -> Outcome {
        if hits.is_empty() {
            return Tagger::remove(event, out);
        }
        finish(event, self.change(event, hits, source), out)
    }

    /// Takes the tag of an event away, whichever profile it has, and appends the event to `out`.
    pub fn remove(event: &Event<'_>, out: &mut Vec<u8>) -> Outcome {
        let found = may_be_tagged(event.text())
            .then(|| Found::read(event))
            .filter(Found::is_tagged);
        let change =
            found.map(|found| (found.strip(event.text()).0.into_owned(), Outcome::Removed));
        finish(event, Ok(change), out)
    }

    /// Takes one rule out of the tag of an event, whichever profile it has, and appends the event to `out`. The tag then
    /// says that it was changed at `tagged_at`; that of the last rule goes.
    ///
    /// The outcome is [`Outcome::Unchanged`] where the tag does not name the rule, and [`Outcome::Conflict`] where there are
    /// only the lists of ee-outliers, and they do not tell which of their values are those of the rule: [`Tagger::remove`]
    /// takes all of them.
    pub fn remove_rule(event: &Event<'_>, id: &str, tagged_at: &str, out: &mut Vec<u8>) -> Outcome {
        let change = match may_be_tagged(event.text()).then(|| Found::read(event)) {
            Some(found) => found.without(event, id, tagged_at),
            None => Ok(None),
        };
        finish(event, change, out)
    }

    fn change(
        &self,
        event: &Event<'_>,
        hits: &[Hit<'_>],
        source: Option<&Source<'_>>,
    ) -> Result<Change, Conflict> {
        let mut hits: Vec<&Hit<'_>> = hits.iter().collect();
        hits.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
        hits.dedup_by(|a, b| a.rule.id == b.rule.id);

        let found = Found::read(event);
        let (bare, whole) = found.strip(event.text());
        let (text, added) = shared::add(&bare, &self.patch(&bare, &hits))?;
        let source = found
            .tag
            .as_ref()
            .and_then(|tag| tag.source.as_ref())
            .or(source);
        let tag = self
            .profile
            .writes_ecs()
            .then(|| Sigma::new(&hits, self, source, &added));
        if whole && found.equals(tag.as_ref(), &added) {
            return Ok(None);
        }
        let outcome = match (found.is_tagged(), tag.is_some() || !added.is_empty()) {
            (false, false) => return Ok(None),
            (false, true) => Outcome::Tagged,
            (true, false) => Outcome::Removed,
            (true, true) => Outcome::Renewed,
        };
        let member = match tag {
            Some(tag) => Some(tag.member()),
            None if added.is_empty() || outliers::implied(&text).as_ref() == Some(&added) => None,
            None => Some(ecs::record(&added)),
        };
        if member.is_some() && found.sigma_is_foreign {
            return Err(Conflict("sigma"));
        }
        Ok(Some((
            rewrite(&text, &items(&text), &Changes::new(), member.as_slice()),
            outcome,
        )))
    }

    /// What the profile makes of the hits on an event that has no tag.
    fn patch(&self, bare: &str, hits: &[&Hit<'_>]) -> Patch {
        let mut patch = Patch::default();
        if self.profile.writes_ecs() {
            ecs::add(hits, &mut patch);
        }
        if self.profile.writes_outliers() {
            outliers::add(bare, hits, &mut patch);
        }
        patch
    }
}

/// The text of an event that changed, and how; none when it did not.
type Change = Option<(String, Outcome)>;

/// A top-level field that is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Conflict(&'static str);

fn finish(event: &Event<'_>, change: Result<Change, Conflict>, out: &mut Vec<u8>) -> Outcome {
    let (text, outcome) = match &change {
        Ok(Some((text, outcome))) => (text.as_str(), *outcome),
        Ok(None) => (event.text(), Outcome::Unchanged),
        Err(Conflict(field)) => (event.text(), Outcome::Conflict(field)),
    };
    out.extend_from_slice(text.as_bytes());
    outcome
}

/// A cheap look that spares most events the reading: whether the keys of a tag can be there, also when they are escaped.
fn may_be_tagged(event: &str) -> bool {
    static SIGNS: LazyLock<[Finder<'static>; 3]> =
        LazyLock::new(|| ["sigma", "outliers", "\\u00"].map(Finder::new));
    SIGNS
        .iter()
        .any(|sign| sign.find(event.as_bytes()).is_some())
}

/// The tag that an event has.
struct Found<'a> {
    tag: Option<Sigma<'a>>,
    /// What the tag put into shared fields; none when there is no tag.
    added: Option<Added>,
    /// Whether `sigma` belongs to somebody else.
    sigma_is_foreign: bool,
}

impl<'a> Found<'a> {
    fn read(event: &Event<'a>) -> Found<'a> {
        let mut sigma = event
            .members()
            .filter(|member| member.key == "sigma" || member.key.starts_with("sigma."));
        let (tag, added, sigma_is_foreign) = match (sigma.next(), sigma.next()) {
            (None, _) => (None, None, false),
            (Some(only), None) if only.key == "sigma" => match ecs::read(only.value) {
                Some((tag, added)) => (tag, Some(added), false),
                None => (None, None, true),
            },
            _ => (None, None, true),
        };
        let added = added.or_else(|| outliers::implied(event.text()));
        Found {
            tag,
            added,
            sigma_is_foreign,
        }
    }

    fn is_tagged(&self) -> bool {
        self.added.is_some()
    }

    /// The event without its tag, and whether everything that the tag had added was still there.
    fn strip<'e>(&self, event: &'e str) -> (Cow<'e, str>, bool) {
        let Some(added) = &self.added else {
            return (Cow::Borrowed(event), false);
        };
        let (text, whole) = shared::subtract(event, added);
        if self.sigma_is_foreign {
            return (Cow::Owned(text), whole);
        }
        let members = items(&text);
        let own = members.iter().position(|member| member.key == "sigma");
        let changes: Changes = own
            .map(|index| (index, splice::Change::Drop))
            .into_iter()
            .collect();
        (Cow::Owned(rewrite(&text, &members, &changes, &[])), whole)
    }

    /// The event with the tag of all rules but one; none if that one is not among them.
    fn without(&self, event: &Event<'_>, id: &str, tagged_at: &str) -> Result<Change, Conflict> {
        let Some(added) = &self.added else {
            return Ok(None);
        };
        let has_outliers = outliers::are_in(added);
        let rules = match &self.tag {
            Some(tag) => tag.rules(),
            None => outliers::rules(added).ok_or(Conflict("outliers"))?,
        };
        let others: Vec<Hit<'_>> = rules
            .iter()
            .filter(|(rule, _)| rule.id != id)
            .map(|(rule, fields)| Hit {
                rule,
                fields: fields.clone(),
            })
            .collect();
        if others.len() == rules.len() {
            return Ok(None);
        }
        if others.is_empty() {
            let bare = self.strip(event.text()).0.into_owned();
            return Ok(Some((bare, Outcome::Removed)));
        }
        let tagger = Tagger {
            profile: match (&self.tag, has_outliers) {
                (None, _) => Profile::EeOutliers,
                (Some(_), false) => Profile::Ecs,
                (Some(_), true) => Profile::Both,
            },
            ruleset: self.tag.as_ref().map_or_else(String::new, Sigma::ruleset),
            tagged_at: tagged_at.to_owned(),
        };
        tagger.change(event, &others, None)
    }

    /// Whether this tag is equal to another one.
    fn equals(&self, tag: Option<&Sigma<'_>>, added: &Added) -> bool {
        let same = match (&self.tag, tag) {
            (Some(own), Some(other)) => own.equals(other),
            (None, None) => true,
            _ => false,
        };
        same && self.added.as_ref().is_some_and(|own| own.covers(added))
    }
}
