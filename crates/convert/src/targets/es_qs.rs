//! Lucene query strings.

use super::{Artefact, Target};
use crate::sigmac::{Draft, FIELD_OPTIONS, Failure};

/// `es-qs`
pub(super) struct EsQs;

impl Target for EsQs {
    fn name(&self) -> &'static str {
        "es-qs"
    }

    fn title(&self) -> &'static str {
        "Elasticsearch query string"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        FIELD_OPTIONS
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        draft.query_string().map(Artefact::Text)
    }
}
