//! Watches of Elasticsearch's Watcher.

use super::{Artefact, Target};
use crate::Draft;
use crate::sigmac::{Aggregation, Failure, json, json_indented};
use serde_json::{Map, Value as Json, json};

/// `xpack-watcher`
pub(super) struct XpackWatcher;

impl Target for XpackWatcher {
    fn name(&self) -> &'static str {
        "xpack-watcher"
    }

    fn title(&self) -> &'static str {
        "Elasticsearch Watcher alert"
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
            "throttle_period": "15m",
            "email": {
                "profile": "standard",
                "from": "root@localhost",
                "to": "root@localhost",
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
    /// The number of events in the first bucket, which is the largest or the smallest one.
    fn of(draft: &Draft<'_, '_>, it: &Aggregation) -> Result<Figure, Failure> {
        let Aggregation::Compare {
            function,
            field,
            group,
            operator,
            number,
        } = it
        else {
            return Err(draft.refuse_aggregation("near"));
        };
        if function != "count" {
            return Err(draft.refuse_aggregation(function));
        }
        let number = draft.number(number)?;
        let (comparison, order, least) = match *operator {
            ">" => ("gt", "desc", number.saturating_add(1)),
            ">=" => ("gte", "desc", number),
            "<" => ("lt", "asc", 1),
            "<=" => ("lte", "asc", 1),
            _ => ("eq", "desc", number),
        };
        let mut path = String::new();
        let mut aggregations = None;
        for (name, field) in [("agg", field), ("by", group)] {
            let Some(field) = field else { continue };
            let mut buckets = json!({"terms": {
                "field": draft.keyword_field(field)?,
                "size": 10,
                "order": {"_count": order},
                "min_doc_count": least,
            }});
            if let Some(inner) = aggregations {
                buckets["aggs"] = inner;
            }
            aggregations = Some(Json::Object(Map::from_iter([(name.to_owned(), buckets)])));
            path = format!("{name}.buckets.0.{path}");
        }
        let path = match &aggregations {
            Some(_) => format!("ctx.payload.aggregations.{path}doc_count"),
            None => Figure::default().path,
        };
        Ok(Figure {
            aggregations,
            path,
            comparison,
            number,
        })
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
