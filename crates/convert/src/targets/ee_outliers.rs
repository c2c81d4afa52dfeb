//! Use cases of ee-outliers.

use super::{Artefact, Target, dsl};
use crate::sigmac::{Draft, Failure, Value, json};
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

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
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
        let title = draft.rule.text("title").unwrap_or_default();
        let reason = format!("Sigma hit - {title}");
        let lines = [
            ("es_dsl_filter", &*json(&filter)),
            ("es_index", index),
            ("outlier_type", &kinds),
            ("outlier_reason", &reason),
            ("outlier_summary", &reason),
            ("run_model", "1"),
            ("test_model", "0"),
        ];
        let mut text = format!("[simplequery_sigma_{}]\n", draft.rule_name());
        for (name, value) in lines {
            text.push_str(&format!("{name} = {}\n", value.replace('\n', "\n\t")));
        }
        text.push('\n');
        Ok(Artefact::Text(text))
    }
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
