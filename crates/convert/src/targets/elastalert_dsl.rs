//! Rules of ElastAlert, with queries in Elasticsearch's JSON.

use super::{Artefact, Target, dsl, elastalert};
use crate::Draft;
use crate::sigmac::Failure;
use serde_json::json;

/// `elastalert-dsl`
pub(super) struct ElastalertDsl;

impl Target for ElastalertDsl {
    fn name(&self) -> &'static str {
        "elastalert-dsl"
    }

    fn title(&self) -> &'static str {
        "ElastAlert rule, with queries in Elasticsearch's JSON"
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        let requests = dsl::requests(draft)?;
        // A filter has no place for what else is in a request.
        let filter = requests.iter().map(|it| json!({"query": it["query"]}));
        elastalert::rule(draft, filter.collect())
    }
}
