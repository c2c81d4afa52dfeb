//! The field `sigma`, and what goes into `tags` and `threat`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::added::Added;
use crate::rule::{Named, attribute};
use crate::shared::Patch;
use crate::{Hit, RuleTag, Tagger};

/// Most fields that a match tells.
const MAX_FIELDS: usize = 20;

/// Most characters of a field's value that a match tells.
const MAX_CHARACTERS: usize = 256;

/// The value of the field `sigma`, whole. A value that has other members was not written by this version: it does not
/// parse, and is foreign.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sigma<'a> {
    rule: Rules<'a>,
    level: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    severity: Option<u8>,
    attack: Vec<Cow<'a, str>>,
    ruleset: Cow<'a, str>,
    tagged_at: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source<'a>>,
    matches: Vec<Match<'a>>,
    added: Cow<'a, Added>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules<'a> {
    id: Vec<Cow<'a, str>>,
    name: Vec<Cow<'a, str>>,
}

/// Where the event stood that this one is a copy of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source<'a> {
    /// In a file.
    File {
        /// The path as it was given, joined with what was found under it; `-` for standard input.
        file: Cow<'a, str>,
        /// Where in the file.
        #[serde(flatten)]
        position: Position,
    },
    /// In a store.
    Document {
        /// The index.
        index: Cow<'a, str>,
        /// The `_id`.
        id: Cow<'a, str>,
    },
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// A line, counted from 1.
    Line(u64),
    /// The id of an EVTX record.
    Record(u64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match<'a> {
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<Cow<'a, str>>,
    tags: Vec<Cow<'a, str>>,
    fields: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl<'a> Match<'a> {
    fn new(hit: &'a Hit<'_>) -> Match<'a> {
        let mut fields = BTreeMap::new();
        for (path, value) in &hit.fields {
            if fields.len() < MAX_FIELDS {
                fields
                    .entry(Cow::from(path))
                    .or_insert_with(|| Cow::from(cut(value)));
            }
        }
        Match {
            id: Cow::from(&hit.rule.id),
            title: Cow::from(&hit.rule.title),
            author: hit.rule.author.as_deref().map(Cow::from),
            level: hit.rule.level.map(|level| Cow::from(level.as_str())),
            tags: hit.rule.tags.iter().map(Cow::from).collect(),
            fields,
        }
    }
}

impl Match<'_> {
    /// The rule as [`Match::new`] was given it, and its fields.
    fn rule(&self) -> Named {
        let tags: Vec<String> = self.tags.iter().map(ToString::to_string).collect();
        let rule = RuleTag {
            id: self.id.to_string(),
            title: self.title.to_string(),
            author: self.author.as_ref().map(ToString::to_string),
            level: self.level.as_ref().and_then(|level| level.parse().ok()),
            attack: attribute(&tags),
            tags,
        };
        let fields = self.fields.iter();
        let fields = fields.map(|(path, value)| (path.to_string(), value.to_string()));
        (rule, fields.collect())
    }
}

/// The first [`MAX_CHARACTERS`] of a text.
fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(MAX_CHARACTERS)
        .map_or(text, |(end, _)| &text[..end])
}

impl<'a> Sigma<'a> {
    /// The tag of these hits, which are in the order of their rules' ids.
    pub fn new(
        hits: &[&'a Hit<'_>],
        by: &'a Tagger,
        source: Option<&Source<'a>>,
        added: &'a Added,
    ) -> Sigma<'a> {
        let rules = || hits.iter().map(|hit| hit.rule);
        let pairs = rules().flat_map(|rule| &rule.attack.pairs);
        Sigma {
            rule: Rules {
                id: rules().map(|rule| Cow::from(&rule.id)).collect(),
                name: rules().map(|rule| Cow::from(&rule.title)).collect(),
            },
            level: rules()
                .filter_map(|rule| rule.level)
                .map(|level| Cow::from(level.as_str()))
                .collect(),
            severity: rules()
                .filter_map(|rule| rule.level)
                .max()
                .map(sigma::Level::severity),
            attack: distinct(pairs.map(|pair| Cow::from(pair.to_string()))),
            ruleset: Cow::from(&by.ruleset),
            tagged_at: Cow::from(&by.tagged_at),
            source: source.cloned(),
            matches: hits.iter().map(|hit| Match::new(hit)).collect(),
            added: Cow::Borrowed(added),
        }
    }

    /// The rules that it names, and the fields that they matched.
    pub fn rules(&self) -> Vec<Named> {
        self.matches.iter().map(Match::rule).collect()
    }

    /// The rule set by which it last changed.
    pub fn ruleset(&self) -> String {
        self.ruleset.clone().into_owned()
    }

    /// Whether both say the same of the event; when and by which rule set it was said, and where the event stood, is not
    /// compared.
    pub fn equals(&self, other: &Sigma<'_>) -> bool {
        self.rule == other.rule
            && self.level == other.level
            && self.severity == other.severity
            && self.attack == other.attack
            && self.matches == other.matches
    }

    /// The member of the event.
    pub fn member(&self) -> String {
        member(self)
    }
}

/// The field `sigma` where it is needed only to tell what was added.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<'a> {
    added: Cow<'a, Added>,
}

/// The member of the event that only tells what was added.
pub(crate) fn record(added: &Added) -> String {
    member(&Record {
        added: Cow::Borrowed(added),
    })
}

fn member(value: &impl Serialize) -> String {
    let value = serde_json::to_string(value).expect("maps with string keys can always be written");
    format!("\"sigma\":{value}")
}

/// Reads the value of `sigma`: the tag, unless it only tells what was added, and what was added. None if it is foreign.
pub(crate) fn read<'a>(value: &'a str) -> Option<(Option<Sigma<'a>>, Added)> {
    let object = Some(value).filter(|value| value.starts_with('{'))?; // serde takes a list for a struct, too
    let (tag, added) = match serde_json::from_str::<Sigma<'a>>(object) {
        Ok(tag) => {
            let added = tag.added.clone().into_owned();
            (Some(tag), added)
        }
        Err(_) => (
            None,
            serde_json::from_str::<Record<'a>>(object)
                .ok()?
                .added
                .into_owned(),
        ),
    };
    added.is_sound().then_some((tag, added))
}

/// What the hits put into `tags` and `threat`.
pub(crate) fn add(hits: &[&Hit<'_>], patch: &mut Patch) {
    patch.push("tags", ["sigma"]);
    let attributions = || hits.iter().map(|hit| &hit.rule.attack);
    let tactics = distinct(attributions().flat_map(|attack| attack.tactics.iter().copied()));
    let named = distinct(attributions().flat_map(|attack| attack.techniques.iter().copied()));
    if tactics.is_empty() {
        return;
    }
    let techniques = distinct(
        named
            .iter()
            .copied()
            .map(|named| named.parent.and_then(attack::technique).unwrap_or(named)),
    );
    let parts = || named.iter().filter(|technique| technique.parent.is_some());
    patch.push("threat.framework", [attack::FRAMEWORK]);
    patch.push("threat.tactic.id", tactics.iter().map(|tactic| tactic.id));
    patch.push(
        "threat.tactic.name",
        tactics.iter().map(|tactic| tactic.name),
    );
    patch.push(
        "threat.technique.id",
        techniques.iter().map(|technique| technique.id),
    );
    patch.push(
        "threat.technique.name",
        techniques.iter().map(|technique| technique.name),
    );
    patch.push(
        "threat.technique.subtechnique.id",
        parts().map(|part| part.id),
    );
    patch.push(
        "threat.technique.subtechnique.name",
        parts().map(|part| part.name),
    );
}

/// Each value once, where it comes first.
fn distinct<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
