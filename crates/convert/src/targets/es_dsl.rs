//! Search requests in Elasticsearch's JSON.

use super::{Artefact, Target, dsl};
use crate::Draft;
use crate::sigmac::{Failure, json_indented};
use serde_json::Value;

/// `es-dsl`
pub(super) struct EsDsl;

impl Target for EsDsl {
    fn name(&self) -> &'static str {
        "es-dsl"
    }

    fn title(&self) -> &'static str {
        "Elasticsearch search request (JSON)"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "set_size",
            "how many events a search gives back; 0: as many as by default (0)",
        )]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        Ok(Artefact::Json(dsl::requests(draft)?))
    }

    fn finish(&self, mut parts: Vec<Value>) -> Option<String> {
        Some(match parts.len() {
            0 => return None,
            1 => json_indented(&parts.remove(0)),
            _ => json_indented(&Value::Array(parts)),
        })
    }
}
