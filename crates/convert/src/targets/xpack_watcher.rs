//! Watches of Elasticsearch's Watcher.

use super::{Artefact, Target};
use crate::Draft;
use crate::sigmac::{Aggregation, Failure, json, json_indented};
use serde_json::{Value as Json, json};

/// `xpack-watcher`
pub(super) struct XpackWatcher;

impl Target for XpackWatcher {
    fn name(&self) -> &'static str {
        "xpack-watcher"
    }

    fn title(&self) -> &'static str {
        "Elasticsearch Watcher alert"
    }

    fn extension(&self) -> &'static str {
        "sh"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("output", "curl, plain or json (curl)"),
            ("es", "the server that curl speaks to (localhost:9200)"),
            ("filter_range", "how far back a watch looks (30m)"),
            (
                "action_throttle_period",
                "how long no second mail is sent (15m)",
            ),
            ("mail_from", "who sends mails (root@localhost)"),
            ("mail", "who gets them (root@localhost)"),
            ("mail_profile", "how mails are written (standard)"),
            (
                "not_bound_keyword",
                "name of all fields together, for keywords (\\*.keyword)",
            ),
        ]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        let mut texts = Vec::with_capacity(draft.queries.len());
        for query in &draft.queries {
            let figure = match &query.aggregation {
                Some(aggregation) => Figure::of(draft, aggregation)?,
                None => Figure::default(),
            };
            let watch = watch(draft, draft.lucene(query)?, figure);
            texts.push(shown(draft, &watch).into());
        }
        Ok(Artefact::Json(texts))
    }

    fn finish(&self, parts: Vec<Json>) -> Option<String> {
        (!parts.is_empty()).then(|| parts.iter().filter_map(Json::as_str).collect())
    }
}

/// How often a watch runs whose rule has no time frame, and how far it looks back.
const DEFAULT_TIMEFRAME: &str = "30m";

/// The body of the mail that a watch sends.
const MAIL: &str = "Hits:\n{{#ctx.payload.hits.hits}}{{_source}}\n\
    ================================================================================\n\
    {{/ctx.payload.hits.hits}}";

fn watch(draft: &Draft<'_, '_>, query: String, figure: Figure) -> Json {
    let text = |key: &str| draft.rule.text(key).unwrap_or_default();
    let timeframe = draft.rule.timeframe();
    let date = draft.chain.date_field().unwrap_or("timestamp");
    let range = draft.options.or("filter_range", DEFAULT_TIMEFRAME);
    let search = json!({"query_string": {"query": query, "analyze_wildcard": true}});
    let mut body = json!({
        "size": 0,
        "query": {"bool": {
            "must": [search],
            "filter": {"range": {date: {"gte": format!("now-{range}/m")}}},
        }},
    });
    if let Some(aggregations) = figure.aggregations {
        body["aggs"] = aggregations;
    }
    json!({
        "metadata": {
            "name": text("title"),
            "description": text("description"),
            "tags": draft.rule.texts("tags"),
            "query": query,
        },
        "trigger": {"schedule": {"interval": timeframe.as_deref().unwrap_or(DEFAULT_TIMEFRAME)}},
        "input": {"search": {"request": {"body": body, "indices": draft.indices}}},
        "condition": {"compare": {figure.path: {figure.comparison: figure.number}}},
        "actions": {"send_email": {
            "throttle_period": draft.options.or("action_throttle_period", "15m"),
            "email": {
                "profile": draft.options.or("mail_profile", "standard"),
                "from": draft.options.or("mail_from", "root@localhost"),
                "to": draft.options.or("mail", "root@localhost"),
                "subject": format!("Sigma Rule '{}'", text("title")),
                "body": MAIL,
                "attachments": {"data.json": {"data": {"format": "json"}}},
            },
        }},
    })
}

/// What decides whether a watch sends an alert.
struct Figure {
    aggregations: Option<Json>,
    /// Where the figure is in what the search returns.
    path: String,
    comparison: &'static str,
    number: i64,
}

impl Default for Figure {
    /// The number of hits.
    fn default() -> Figure {
        Figure {
            aggregations: None,
            path: "ctx.payload.hits.total".to_owned(),
            comparison: "not_eq",
            number: 0,
        }
    }
}

impl Figure {
    /// The figure of the first bucket, which is that of the largest or the smallest one. What is near is not counted.
    fn of(draft: &Draft<'_, '_>, it: &Aggregation) -> Result<Figure, Failure> {
        let Aggregation::Compare {
            function,
            field,
            group,
            operator,
            number,
        } = it
        else {
            return Ok(Figure::default());
        };
        let order = Order::of(operator, draft.number(number)?);
        let is_count = function == "count" || field.is_none();
        let mut aggregations = None;
        let mut path = "doc_count".to_owned();
        if let Some(field) = field {
            let inner = if is_count {
                path.insert_str(0, "agg.buckets.0.");
                order.buckets(draft.keyword_field(field)?, "_count")
            } else {
                path = "agg.value".to_owned();
                json!({function.as_str(): {"field": draft.field(field)?}})
            };
            aggregations = Some(json!({"agg": inner}));
        }
        if let Some(group) = group {
            let by = if is_count { "_count" } else { "agg" };
            let mut buckets = order.buckets(draft.keyword_field(group)?, by);
            if let Some(inner) = aggregations {
                buckets["aggs"] = inner;
            }
            aggregations = Some(json!({"by": buckets}));
            path.insert_str(0, "by.buckets.0.");
        }
        let path = match &aggregations {
            Some(_) => format!("ctx.payload.aggregations.{path}"),
            None => Figure::default().path,
        };
        Ok(Figure {
            aggregations,
            path,
            comparison: order.comparison,
            number: order.number,
        })
    }
}

/// How a figure is compared, and which bucket must come first for it.
struct Order {
    comparison: &'static str,
    number: i64,
    direction: &'static str,
    /// Buckets with fewer events are left out.
    least: i64,
}

impl Order {
    fn of(operator: &str, number: i64) -> Order {
        let (comparison, direction, least) = match operator {
            ">" => ("gt", "desc", number.saturating_add(1)),
            ">=" => ("gte", "desc", number),
            "<" => ("lt", "asc", 1),
            "<=" => ("lte", "asc", 1),
            _ => ("eq", "desc", number),
        };
        Order {
            comparison,
            number,
            direction,
            least,
        }
    }

    /// Buckets of a field's values, sorted by the number of their events or by a figure that is not one of events.
    fn buckets(&self, field: String, by: &str) -> Json {
        let least = if by == "_count" { self.least } else { 1 };
        json!({"terms": {
            "field": field,
            "size": 10,
            "order": {by: self.direction},
            "min_doc_count": least,
        }})
    }
}

/// The watch as the option `output` wants it: a command line, a request for Kibana's console, or JSON on one line.
fn shown(draft: &Draft<'_, '_>, watch: &Json) -> String {
    let path = format!("_watcher/watch/{}", draft.rule_name());
    match draft.options.or("output", "curl") {
        "plain" => format!("PUT {path}\n{}\n", json_indented(watch)),
        "json" => json(watch) + "\n",
        _ => {
            let server = draft.options.or("es", "localhost:9200");
            let watch = json_indented(watch);
            format!(
                "curl -s -XPUT -H 'Content-Type: application/json' --data-binary @- \
                 {server}/{path} <<EOF\n{watch}\nEOF\n"
            )
        }
    }
}
