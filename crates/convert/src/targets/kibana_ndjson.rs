//! Saved searches for Kibana from 7.3 on.

use super::{Artefact, Target, kibana};
use crate::Draft;
use crate::sigmac::{Failure, json};
use serde_json::{Value as Json, json};

/// `kibana-ndjson`
pub(super) struct KibanaNdjson;

impl Target for KibanaNdjson {
    fn name(&self) -> &'static str {
        "kibana-ndjson"
    }

    fn title(&self) -> &'static str {
        "Kibana saved search (NDJSON)"
    }

    fn extension(&self) -> &'static str {
        "ndjson"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "not_bound_keyword",
            "name of all fields together, for keywords (\\*.keyword)",
        )]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        let searches = kibana::searches(draft)?.into_iter().map(|search| {
            json!({
                "id": search.id,
                "type": "search",
                "attributes": search.attributes,
                "references": [{
                    "id": search.index,
                    "name": "kibanaSavedObjectMeta.searchSourceJSON.index",
                    "type": "index-pattern",
                }],
            })
        });
        Ok(Artefact::Json(searches.collect()))
    }

    fn finish(&self, parts: Vec<Json>) -> Option<String> {
        let lines = parts.iter().map(|part| json(part) + "\n");
        (!parts.is_empty()).then(|| lines.collect())
    }
}
