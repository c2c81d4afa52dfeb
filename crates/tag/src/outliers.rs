//! The field `outliers`, as ee-outliers writes it for a use case of the model simplequery.
//!
//! All values are lists but `total_outliers`. The lists are concatenated outlier by outlier and are not parallel, since an
//! outlier has several types. An outlier that the event has already (its summary and its model are there) is not added
//! again; ee-outliers compares the summary alone, and so loses one of two rules that have the same title.

use serde::Deserialize;

use crate::added::{Added, Shape};
use crate::rule::{Named, attribute};
use crate::shared::{self, Patch};
use crate::splice::{items, string};
use crate::{Hit, RuleTag};

/// The type of every outlier that stands for a rule's hit.
const TYPE: &str = "Sigma hit";

/// The model of every such outlier.
const MODEL_TYPE: &str = "simplequery";

/// What the name of every such model begins with.
pub(crate) const MODEL_NAME: &str = "sigma_";

/// What the hits put into `tags` and `outliers` of an event that has no tag of ours.
pub(crate) fn add(bare: &str, hits: &[&Hit<'_>], patch: &mut Patch) {
    patch.push("tags", ["outlier"]);
    let summaries = shared::values(bare, "outliers.summary");
    let models = shared::values(bare, "outliers.model_name");
    let mut count = 0u64;
    for rule in hits.iter().map(|hit| hit.rule) {
        let summary = format!("{TYPE} - {}", rule.title);
        let model = format!("{MODEL_NAME}{}", rule.id);
        if summaries.contains(&summary) && models.contains(&model) {
            continue;
        }
        count += 1;
        patch.push("outliers.type", [TYPE]);
        patch.push("outliers.type", rule.tags.iter().map(String::as_str));
        patch.push("outliers.reason", [summary.as_str()]);
        patch.push("outliers.summary", [summary.as_str()]);
        patch.push("outliers.rule_author", rule.author.as_deref());
        patch.push("outliers.model_name", [model.as_str()]);
        patch.push("outliers.model_type", [MODEL_TYPE]);
    }
    if count > 0 {
        patch.push("outliers.total_outliers", [count.to_string().as_str()]);
    }
}

/// Whether a tag has put outliers into the event.
pub(crate) fn are_in(added: &Added) -> bool {
    added.values.contains_key("outliers.model_name")
}

/// The rules whose outliers a tag has put into the event. None if it cannot be told which values are those of which rule: a
/// rule without an author leaves no gap among the authors.
pub(crate) fn rules(added: &Added) -> Option<Vec<Named>> {
    let list = |name: &str| {
        added
            .values
            .get(name)
            .map_or(&[] as &[String], Vec::as_slice)
    };
    let models = list("outliers.model_name");
    let summaries = list("outliers.summary");
    let authors = list("outliers.rule_author");
    let types: Vec<&[String]> = list("outliers.type").split(|kind| kind == TYPE).collect();
    let (before, types) = types.split_first()?;
    let is_clear = before.is_empty()
        && types.len() == models.len()
        && summaries.len() == models.len()
        && (authors.is_empty() || authors.len() == models.len());
    if !is_clear {
        return None;
    }
    let rules = models.iter().zip(summaries).zip(types).enumerate();
    rules
        .map(|(number, ((model, summary), tags))| {
            let rule = RuleTag {
                id: model.strip_prefix(MODEL_NAME)?.to_owned(),
                title: summary.strip_prefix(TYPE)?.strip_prefix(" - ")?.to_owned(),
                author: authors.get(number).cloned(),
                level: None,
                attack: attribute(tags),
                tags: tags.to_vec(),
            };
            Some((rule, Vec::new()))
        })
        .collect()
}

/// The value of `outliers` when all of it is ours. What ee-outliers writes always has `elasticsearch_filter` besides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ours {
    r#type: Vec<String>,
    reason: Vec<String>,
    summary: Vec<String>,
    #[serde(default)]
    rule_author: Vec<String>,
    model_name: Vec<String>,
    model_type: Vec<String>,
    total_outliers: usize,
}

impl Ours {
    fn is_sound(&self) -> bool {
        let count = self.total_outliers;
        count > 0
            && self.r#type.iter().filter(|kind| *kind == TYPE).count() == count
            && self.reason == self.summary
            && self.summary.iter().all(|summary| summary.starts_with(TYPE))
            && [&self.summary, &self.model_name, &self.model_type]
                .iter()
                .all(|list| list.len() == count)
            && self
                .model_name
                .iter()
                .all(|name| name.starts_with(MODEL_NAME))
            && self.model_type.iter().all(|kind| kind == MODEL_TYPE)
            && self.rule_author.len() <= count
    }
}

/// What a tag added to an event that does not tell: an event whose `outliers` are all ours had none before, and had `tags`
/// before if they hold anything else. None if the event has no such tag.
pub(crate) fn implied(event: &str) -> Option<Added> {
    let members = items(event);
    let mut outliers = members
        .iter()
        .filter(|member| member.key == "outliers" || member.key.starts_with("outliers."));
    let (Some(only), None) = (outliers.next(), outliers.next()) else {
        return None;
    };
    let object = Some(only.value).filter(|value| value.starts_with('{'))?; // serde takes a list for a struct, too
    let ours: Ours = serde_json::from_str(object).ok().filter(Ours::is_sound)?;
    let tags = items(members.iter().rfind(|member| member.key == "tags")?.value);
    tags.iter()
        .find(|tag| string(tag.value).is_some_and(|tag| tag == "outlier"))?;

    let mut added = Added::default();
    added.set("tags", vec!["outlier".to_owned()]);
    if tags.len() == 1 {
        added.was("tags", Shape::Absent);
    }
    added.set("outliers.type", ours.r#type);
    added.set("outliers.reason", ours.reason);
    added.set("outliers.summary", ours.summary);
    if !ours.rule_author.is_empty() {
        added.set("outliers.rule_author", ours.rule_author);
    }
    added.set("outliers.model_name", ours.model_name);
    added.set("outliers.model_type", ours.model_type);
    added.set(
        "outliers.total_outliers",
        vec![ours.total_outliers.to_string()],
    );
    added.was("outliers", Shape::Absent);
    Some(added)
}
