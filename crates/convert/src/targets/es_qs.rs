//! Lucene query strings.

use super::{Artefact, Target};
use crate::Draft;
use crate::sigmac::Failure;

/// `es-qs`
pub(super) struct EsQs;

impl Target for EsQs {
    fn name(&self) -> &'static str {
        "es-qs"
    }

    fn title(&self) -> &'static str {
        "Elasticsearch query string"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "not_bound_keyword",
            "name of all fields together, for keywords (\\*.keyword)",
        )]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        draft.query_string().map(Artefact::Text)
    }
}
