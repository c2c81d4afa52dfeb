//! Rules of Elastic's detection engine, with queries in EQL.

use super::{Artefact, Target, es_eql, es_rule};
use crate::Draft;
use crate::sigmac::{Failure, json};

/// `es-rule-eql`
pub(super) struct EsRuleEql;

impl Target for EsRuleEql {
    fn name(&self) -> &'static str {
        "es-rule-eql"
    }

    fn title(&self) -> &'static str {
        "Elastic detection rule (EQL)"
    }

    fn extension(&self) -> &'static str {
        "ndjson"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[("custom_tag", "one more tag")]
    }

    fn takes_meaning(&self) -> bool {
        false
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        let search = es_rule::Search {
            language: "eql",
            kind: "eql",
            query: es_eql::query(draft)?,
        };
        Ok(Artefact::Text(json(&es_rule::rule(draft, &search))))
    }
}
