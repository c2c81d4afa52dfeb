//! Saved searches for Kibana up to 7.2.

use super::{Artefact, Target};
use crate::Draft;
use crate::sigmac::{Failure, json, json_indented};
use serde_json::{Value as Json, json};

/// `kibana`
pub(super) struct Kibana;

impl Target for Kibana {
    fn name(&self) -> &'static str {
        "kibana"
    }

    fn title(&self) -> &'static str {
        "Kibana saved search (up to 7.2)"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "not_bound_keyword",
            "name of all fields together, for keywords (\\*.keyword)",
        )]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        let searches = searches(draft)?.into_iter().map(|search| {
            json!({
                "_id": search.id,
                "_type": "search",
                "_source": search.attributes,
            })
        });
        Ok(Artefact::Json(searches.collect()))
    }

    fn finish(&self, parts: Vec<Json>) -> Option<String> {
        (!parts.is_empty()).then(|| json_indented(&Json::Array(parts)))
    }
}

/// A search that Kibana keeps.
pub(super) struct Search {
    pub id: String,
    pub index: String,
    pub attributes: Json,
}

/// The searches of a rule, one for each condition. What is counted is left out: a search has no place for it.
pub(super) fn searches(draft: &Draft<'_, '_>) -> Result<Vec<Search>, Failure> {
    let index = match draft.indices.as_slice() {
        [] => "*",
        [index] => index,
        _ => return Err(draft.not_supported("a saved search has one index, and there are several")),
    };
    let text = |key: &str| draft.rule.text(key).unwrap_or_default();
    let mut columns = Vec::new();
    for field in draft.rule.texts("fields") {
        if !draft.is_strict {
            columns.extend(draft.names(&field)?);
        }
    }
    let search = |query| {
        let source = json!({
            "index": index,
            "filter": [],
            "highlight": {
                "pre_tags": ["@kibana-highlighted-field@"],
                "post_tags": ["@/kibana-highlighted-field@"],
                "fields": {"*": {}},
                "require_field_match": false,
                "fragment_size": i32::MAX,
            },
            "query": {"query_string": {"query": draft.lucene(query)?, "analyze_wildcard": true}},
        });
        Ok(Search {
            id: draft.rule_name(),
            index: index.to_owned(),
            attributes: json!({
                "title": format!("Sigma: {}", text("title")),
                "description": text("description"),
                "hits": 0,
                "columns": columns,
                "sort": ["@timestamp", "desc"],
                "version": 1,
                "kibanaSavedObjectMeta": {"searchSourceJSON": json(&source)},
            }),
        })
    };
    draft.queries.iter().map(search).collect()
}
