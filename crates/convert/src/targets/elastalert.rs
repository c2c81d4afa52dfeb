//! Rules of ElastAlert, with query strings.

use super::{Artefact, Target};
use crate::Draft;
use crate::sigmac::{Aggregation, Failure, dump_yaml};
use serde_json::{Map, Value as Json, json};

/// `elastalert`
pub(super) struct Elastalert;

impl Target for Elastalert {
    fn name(&self) -> &'static str {
        "elastalert"
    }

    fn title(&self) -> &'static str {
        "ElastAlert rule"
    }

    fn extension(&self) -> &'static str {
        "yaml"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "alert_methods",
                "how alerts are sent: email, http_post; commas between them (into the log)",
            ),
            ("emails", "addresses, with commas between them"),
            ("from_addr", "who sends mails"),
            ("smtp_host", "the mail server"),
            ("smtp_auth_file", "a file with its user and password"),
            ("http_post_url", "where to post to"),
            (
                "http_post_include_rule_metadata",
                "true: post what the rule says of itself",
            ),
            ("realert_time", "how long no second alert is sent (0m)"),
            (
                "not_bound_keyword",
                "name of all fields together, for keywords (\\*.keyword)",
            ),
        ]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        let query = draft.lucene(draft.first_query()?)?;
        rule(
            draft,
            json!([{"query": {"query_string": {"query": query}}}]),
        )
    }
}

/// Aggregations without a time frame count over this one.
const DEFAULT_TIMEFRAME: &str = "30m";

/// A rule with a filter. Of several conditions, only the first one counts something.
pub(super) fn rule(draft: &Draft<'_, '_>, filter: Json) -> Result<Artefact, Failure> {
    let mut rule = json!({
        "name": draft.rule_name(),
        "description": draft.rule.text("description").unwrap_or_default(),
        "index": draft.indices.first().map_or("logstash-*", String::as_str),
        "priority": priority(draft.rule.text("level").as_deref()),
        "realert": span(draft, draft.options.or("realert_time", "0m"))?,
        "type": "any",
        "filter": filter,
    });
    let aggregation = draft.first_query()?.aggregation.as_ref();
    let more = [aggregation.map(|it| aggregate(draft, it)).transpose()?];
    let more = more.into_iter().flatten().chain([alerts(draft)]);
    if let Some(rule) = rule.as_object_mut() {
        rule.extend(more.flatten());
    }
    Ok(Artefact::Text(dump_yaml(&rule)))
}

fn priority(level: Option<&str>) -> u8 {
    match level {
        Some("critical") => 1,
        Some("medium") => 3,
        Some("low") => 4,
        _ => 2,
    }
}

/// A span of time as ElastAlert has it. What is no other unit is a month.
fn span(draft: &Draft<'_, '_>, text: &str) -> Result<Json, Failure> {
    let text = text.trim();
    let unit = match text.chars().next_back() {
        Some('s') => "seconds",
        Some('m') => "minutes",
        Some('h') => "hours",
        Some('d') => "days",
        _ => "months",
    };
    let mut digits = text.chars();
    digits.next_back();
    let number: Result<i64, _> = digits.as_str().parse();
    let number = number.map_err(|_| {
        draft.refuse(format!(
            "`{text}` is no span of time, such as `30m`: a number and one of s, m, h, d, M"
        ))
    })?;
    Ok(json!({unit: number}))
}

fn aggregate(draft: &Draft<'_, '_>, it: &Aggregation) -> Result<Map<String, Json>, Failure> {
    let Aggregation::Compare {
        function,
        field,
        group,
        operator,
        number,
    } = it
    else {
        return Err(draft.refuse_aggregation(it));
    };
    let timeframe = draft.rule.timeframe();
    let timeframe = timeframe.as_deref().unwrap_or(DEFAULT_TIMEFRAME);
    let kind = match function.as_str() {
        "count" => "cardinality",
        other => other,
    };
    let key = match field {
        Some(field) => draft.keyword_field(field)?,
        None => "_id".to_owned(),
    };
    let mut map = Map::from_iter([
        ("type".to_owned(), "metric_aggregation".into()),
        ("buffer_time".to_owned(), span(draft, timeframe)?),
        ("doc_type".to_owned(), "doc".into()),
        ("metric_agg_type".to_owned(), kind.into()),
        ("metric_agg_key".to_owned(), key.into()),
    ]);
    if let Some(group) = group {
        map.insert("query_key".to_owned(), draft.keyword_field(group)?.into());
    }
    let number = draft.number(number)?;
    for (name, threshold) in thresholds(operator, number) {
        map.insert((*name).to_owned(), threshold.into());
    }
    Ok(map)
}

/// An alert comes when the figure is above `max_threshold`, or below `min_threshold`.
///
/// sigmac is wrong about `<=`: it should be one more, not one less.
fn thresholds(operator: &str, number: i64) -> Vec<(&'static str, i64)> {
    let (more, less) = (number.saturating_add(1), number.saturating_sub(1));
    match operator {
        ">" => vec![("max_threshold", number)],
        ">=" => vec![("max_threshold", less)],
        "<" => vec![("min_threshold", number)],
        "<=" => vec![("min_threshold", less)],
        _ => vec![("max_threshold", less), ("min_threshold", more)],
    }
}

/// A way in which ElastAlert sends alerts.
struct Method {
    /// What the option `alert_methods` calls it.
    asked: &'static str,
    /// What ElastAlert calls it.
    name: &'static str,
    /// Options, and what ElastAlert calls them.
    settings: &'static [(&'static str, &'static str)],
}

const METHODS: &[Method] = &[
    Method {
        asked: "email",
        name: "email",
        settings: &[
            ("emails", "email"),
            ("from_addr", "from_addr"),
            ("smtp_auth_file", "smtp_auth_file"),
            ("smtp_host", "smtp_host"),
        ],
    },
    Method {
        asked: "http_post",
        name: "post",
        settings: &[
            ("http_post_url", "http_post_url"),
            (
                "http_post_include_rule_metadata",
                "http_post_static_payload",
            ),
        ],
    },
];

/// How alerts are sent: as the option `alert_methods` says, or into ElastAlert's log.
fn alerts(draft: &Draft<'_, '_>) -> Map<String, Json> {
    let asked = draft.options.or("alert_methods", "");
    let asked: Vec<&str> = asked.split(',').map(str::trim).collect();
    let methods = METHODS.iter().filter(|it| asked.contains(&it.asked));
    let (mut names, mut map) = (Vec::new(), Map::new());
    for method in methods {
        names.push(method.name);
        for (option, setting) in method.settings {
            if let Some(value) = draft.options.get(option) {
                map.insert((*setting).to_owned(), setting_value(draft, option, value));
            }
        }
    }
    if names.is_empty() {
        names.push("debug");
    }
    map.insert("alert".to_owned(), names.into());
    map
}

fn setting_value(draft: &Draft<'_, '_>, option: &str, value: &str) -> Json {
    match option {
        "emails" => value.split(',').map(str::trim).collect(),
        "http_post_include_rule_metadata" => json!({"sigma_rule_metadata": metadata(draft)}),
        _ => value.into(),
    }
}

/// What of a rule is sent with an alert.
fn metadata(draft: &Draft<'_, '_>) -> Map<String, Json> {
    let mut map = Map::new();
    for key in ["title", "description", "level"] {
        if let Some(text) = draft.rule.text(key) {
            map.insert(key.to_owned(), text.into());
        }
    }
    let tags = draft.rule.texts("tags");
    if !tags.is_empty() {
        map.insert("tags".to_owned(), tags.into());
    }
    map
}
