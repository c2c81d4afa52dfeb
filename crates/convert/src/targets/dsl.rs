//! What the targets share that search with Elasticsearch's JSON.

use crate::Draft;
use crate::sigmac::{Aggregation, Failure, Query};
use serde_json::{Map, Value as Json, json};

/// The search requests, one for each condition.
pub(super) fn requests(draft: &Draft<'_, '_>) -> Result<Vec<Json>, Failure> {
    let mut requests = Vec::with_capacity(draft.queries.len());
    for query in &draft.queries {
        let mut request = filter(draft, query)?;
        if let Some(aggregation) = &query.aggregation
            && let Some(aggregation) = aggregate(draft, aggregation)?
        {
            request["aggs"] = aggregation;
        }
        let fields = draft.rule.texts("fields");
        // By its meaning a rule has no single name for them.
        if !fields.is_empty() && !draft.is_strict {
            let mut names = Vec::new();
            for field in &fields {
                names.extend(draft.names(field)?);
            }
            request["_source"] = names.into();
        }
        if let Some(size) = draft.options.get("set_size").filter(|size| *size != "0") {
            request["size"] = size.into();
        }
        requests.push(request);
    }
    Ok(requests)
}

/// What a condition looks for, without what it counts: a request with nothing but a query.
pub(super) fn filter(draft: &Draft<'_, '_>, query: &Query) -> Result<Json, Failure> {
    let mut filter = draft.dsl(query)?;
    if let Some(timeframe) = draft.rule.timeframe() {
        limit(&mut filter, draft, &timeframe);
    }
    Ok(json!({"query": {"constant_score": {"filter": filter}}}))
}

/// Adds the time frame to the outermost AND; where there is none, one is put beside what is there.
fn limit(filter: &mut Json, draft: &Draft<'_, '_>, timeframe: &str) {
    let field = draft.chain.date_field().unwrap_or("date");
    let range = json!({"range": {field: {"gte": format!("now-{timeframe}")}}});
    if !filter.get("bool").is_some_and(Json::is_object) {
        let inner = filter.take();
        *filter = json!({"bool": {"must": [inner]}});
    }
    let must = filter["bool"]
        .as_object_mut()
        .map(|map: &mut Map<String, Json>| map.entry("must").or_insert_with(|| json!([])));
    if let Some(Json::Array(must)) = must {
        must.push(range);
    }
}

fn aggregate(draft: &Draft<'_, '_>, aggregation: &Aggregation) -> Result<Option<Json>, Failure> {
    let Aggregation::Compare {
        function,
        field,
        group,
        operator,
        number,
    } = aggregation
    else {
        return Err(draft.refuse_aggregation(aggregation));
    };
    if function != "count" {
        return Err(draft.refuse_aggregation(aggregation));
    }
    let Some(group) = group else { return Ok(None) };
    let group = draft.field(group)?;
    let (figure, inner) = match field {
        Some(field) => {
            let field = draft.field(field)?;
            (
                format!("{field}_distinct"),
                json!({"cardinality": {"field": field}}),
            )
        }
        None => (
            format!("single_{group}_count"),
            json!({"value_count": {"field": group}}),
        ),
    };
    let limit = json!({"bucket_selector": {
        "buckets_path": {"count": figure},
        "script": format!("params.count {operator} {number}"),
    }});
    let name = format!("{group}_count");
    Ok(Some(
        json!({name: {"terms": {"field": group}, "aggs": {figure: inner, "limit": limit}}}),
    ))
}
