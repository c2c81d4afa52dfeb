//! Queries in the Event Query Language.

use super::{Artefact, Target};
use crate::Draft;
use crate::sigmac::{Aggregation, Failure};

/// `es-eql`
pub(super) struct EsEql;

impl Target for EsEql {
    fn name(&self) -> &'static str {
        "es-eql"
    }

    fn title(&self) -> &'static str {
        "Elasticsearch EQL query"
    }

    fn extension(&self) -> &'static str {
        "eql"
    }

    fn takes_meaning(&self) -> bool {
        false
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        query(draft).map(Artefact::Text)
    }
}

/// The query for an event, or for a sequence of events that come near to each other.
pub(super) fn query(draft: &Draft<'_, '_>) -> Result<String, Failure> {
    let query = draft.only_query()?;
    let event = draft.eql(query)?;
    let (with, without) = match &query.aggregation {
        None => return Ok(event),
        Some(Aggregation::Near { with, without }) => (with, without),
        Some(other) => return Err(draft.refuse_aggregation(other)),
    };
    let mut text = String::from("sequence");
    if let Some(timeframe) = draft.rule.timeframe() {
        text.push_str(&format!(" with maxspan={timeframe}"));
    }
    text.push_str(&format!(" [{event}]"));
    for search in with {
        text.push_str(&format!(" [{}]", draft.eql_of(search)?));
    }
    for search in without {
        text.push_str(&format!(" until [{}]", draft.eql_of(search)?));
    }
    Ok(text)
}
