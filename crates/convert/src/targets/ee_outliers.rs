//! Use cases of ee-outliers.

use super::{Artefact, Target, dsl};
use crate::Draft;
use crate::sigmac::{Failure, Value, json};
use sigma::yaml::Content;

/// `ee-outliers`
pub(super) struct EeOutliers;

impl Target for EeOutliers {
    fn name(&self) -> &'static str {
        "ee-outliers"
    }

    fn title(&self) -> &'static str {
        "ee-outliers use case"
    }

    fn extension(&self) -> &'static str {
        "conf"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "set_size",
            "how many events a search gives back; 0: as many as by default (0)",
        )]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        if draft
            .queries
            .iter()
            .any(|query| query.aggregation.is_some())
        {
            draft.warn("ee-outliers reads the query only: what the rule counts is lost, and each single event is a hit");
        }
        if draft.queries.len() > 1 {
            draft.warn(
                "ee-outliers joins the queries of a list with AND, and the rule means any of them",
            );
        }
        let mut requests = dsl::requests(draft)?;
        let filter = if requests.len() == 1 {
            requests.remove(0)
        } else {
            requests.into()
        };
        let index = match draft.indices.as_slice() {
            [index] => index,
            _ => "",
        };
        let mut kinds = String::from("Sigma hit");
        for tag in tags(draft)? {
            kinds.push_str(", ");
            kinds.push_str(&tag);
        }
        let text = |key: &str| {
            let text = draft.rule.text(key).unwrap_or_default();
            if draft.is_strict { plain(&text) } else { text }
        };
        let reason = format!("Sigma hit - {}", text("title"));
        let author = text("author");
        let filter = json(&filter);
        let mut lines = vec![
            ("es_dsl_filter", filter.as_str()),
            ("es_index", index),
            ("outlier_type", &kinds),
            ("outlier_reason", &reason),
            ("outlier_summary", &reason),
            ("run_model", "1"),
            ("test_model", "0"),
        ];
        if draft.is_strict && !author.is_empty() {
            lines.push(("rule_author", &author));
        }
        let mut text = format!("[simplequery_sigma_{}]\n", draft.rule_name());
        for (name, value) in lines {
            text.push_str(&format!("{name} = {}\n", value.replace('\n', "\n\t")));
        }
        text.push('\n');
        Ok(Artefact::Text(text))
    }
}

/// A text without what ee-outliers takes for more: it splits texts at commas, and puts fields in for names in braces.
fn plain(text: &str) -> String {
    let harmless = |c| match c {
        ',' => ';',
        '{' => '(',
        '}' => ')',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(harmless).collect()
}

/// The tags as they stand; a single text is taken for a list of its letters.
fn tags(draft: &Draft<'_, '_>) -> Result<Vec<String>, Failure> {
    let Some(node) = draft.rule.get("tags") else {
        return Ok(Vec::new());
    };
    match &node.content {
        Content::List(_) => Ok(draft.rule.texts("tags")),
        Content::Scalar(scalar) => match Value::of(scalar) {
            Value::Text(text) => Ok(text.chars().map(String::from).collect()),
            other => Err(draft.refuse(format!(
                "`tags` must be a list, and this is {}",
                other.kind()
            ))),
        },
        Content::Map(entries) => Ok(entries
            .iter()
            .map(|entry| entry.key.text.to_string())
            .collect()),
    }
}
