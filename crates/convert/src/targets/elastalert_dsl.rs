//! Rules of ElastAlert, with queries in Elasticsearch's JSON.

use super::{Artefact, Target, dsl, elastalert};
use crate::Draft;
use crate::sigmac::Failure;

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
        let filters = draft.queries.iter().map(|it| dsl::filter(draft, it));
        let filters: Result<_, Failure> = filters.collect();
        elastalert::rule(draft, filters?)
    }
}
