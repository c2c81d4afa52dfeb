//! Rules of Elastic's detection engine, with query strings.

use super::{Artefact, Target};
use crate::Draft;
use crate::sigmac::{Aggregation, Failure, attack, json};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// `es-rule`
pub(super) struct EsRule;

impl Target for EsRule {
    fn name(&self) -> &'static str {
        "es-rule"
    }

    fn title(&self) -> &'static str {
        "Elastic detection rule (Lucene)"
    }

    fn extension(&self) -> &'static str {
        "ndjson"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("custom_tag", "one more tag"),
            (
                "not_bound_keyword",
                "name of all fields together, for keywords (\\*.keyword)",
            ),
        ]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        let query = draft.only_query()?;
        let threshold = query.aggregation.as_ref().map(|it| threshold(draft, it));
        let threshold = threshold.transpose()?;
        let search = Search {
            language: "lucene",
            kind: if threshold.is_some() {
                "threshold"
            } else {
                "query"
            },
            query: draft.lucene(query)?,
        };
        let mut rule = rule(draft, &search);
        if let Some(threshold) = threshold {
            rule["threshold"] = threshold;
        }
        Ok(Artefact::Text(json(&rule)))
    }
}

/// What a rule searches.
pub(super) struct Search {
    /// The language of the query.
    pub language: &'static str,
    /// The kind of rule.
    pub kind: &'static str,
    pub query: String,
}

/// Where a rule searches if the configuration names no index: where Kibana does so by itself.
const DEFAULT_INDICES: [&str; 6] = [
    "apm-*-transaction*",
    "auditbeat-*",
    "endgame-*",
    "filebeat-*",
    "packetbeat-*",
    "winlogbeat-*",
];

/// A rule around a search.
pub(super) fn rule(draft: &Draft<'_, '_>, search: &Search) -> Json {
    let text = |key: &str| draft.rule.text(key).unwrap_or_default();
    let authors = draft.rule.texts("author");
    let authors = authors.iter().flat_map(|names| names.split(", "));
    let (severity, risk) = severity(draft.rule.text("level").as_deref());
    let tags = Tags::of(&draft.rule.texts("tags"));
    let custom = draft.options.get("custom_tag");
    let mut rule = json!({
        "author": authors.collect::<Vec<&str>>(),
        "description": text("description"),
        "enabled": true,
        "false_positives": draft.rule.texts("falsepositives"),
        "filters": [],
        "from": "now-360s",
        "immutable": false,
        "index": draft.indices,
        "interval": "5m",
        "rule_id": draft.rule_uuid(),
        "language": search.language,
        "output_index": ".siem-signals-default",
        "max_signals": 100,
        "risk_score": risk,
        "name": text("title"),
        "query": search.query,
        "meta": {"from": "1m"},
        "severity": severity,
        "tags": tags.shown().chain(custom).collect::<Vec<&str>>(),
        "to": "now",
        "type": search.kind,
        "threat": tags.threat(),
        "version": 1,
    });
    if draft.indices.is_empty() {
        rule["index"] = DEFAULT_INDICES.as_slice().into();
    }
    let references = draft.rule.texts("references");
    if !references.is_empty() {
        rule["references"] = references.into();
    }
    rule
}

fn severity(level: Option<&str>) -> (&'static str, u8) {
    match level {
        Some("critical") => ("critical", 95),
        Some("high") => ("high", 65),
        Some("low") => ("low", 5),
        // As grave as `low`, and as risky as what has no level.
        Some("informational") => ("low", 35),
        _ => ("medium", 35),
    }
}

/// How many events make a hit: of all, or of those with the same value of a field.
fn threshold(draft: &Draft<'_, '_>, it: &Aggregation) -> Result<Json, Failure> {
    let (function, group, operator, number) = match it {
        Aggregation::Compare {
            function,
            field: None,
            group,
            operator,
            number,
        } => (function, group, *operator, number),
        _ => return Err(draft.refuse_aggregation(it)),
    };
    let least = match (function.as_str(), operator) {
        ("count", ">") => draft.number(number)?.saturating_add(1),
        ("count", ">=") => draft.number(number)?,
        _ => return Err(draft.refuse_aggregation(it)),
    };
    let field = group.as_ref().map(|group| draft.keyword_field(group));
    let field = field.transpose()?.unwrap_or_default();
    Ok(json!({"field": field, "value": least}))
}

/// The tags of a rule, by what they are.
#[derive(Debug, Default)]
struct Tags {
    /// What is in ATT&CK or CAR.
    known: Vec<String>,
    others: Vec<String>,
    /// Tactics and others of ATT&CK that have names instead of ids.
    names: Vec<String>,
    techniques: BTreeSet<String>,
}

impl Tags {
    fn of(tags: &[String]) -> Tags {
        let mut sorted = Tags::default();
        for tag in tags {
            match tag.split_once('.') {
                Some(("attack", name)) => sorted.attack(name),
                Some(("car", _)) => sorted.known.push(tag.clone()),
                _ => sorted.others.push(capitalised(tag)),
            }
        }
        sorted.known.extend(sorted.techniques.iter().cloned());
        sorted.known.sort();
        sorted.others.sort();
        sorted
    }

    /// Techniques that are not in the table are left out, but not those that they belong to.
    fn attack(&mut self, name: &str) {
        let id = name.to_ascii_uppercase();
        let is_id = id.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        match id.as_bytes().first() {
            Some(b'T') if is_id => {
                let technique = id.split('.').next().unwrap_or(&id);
                let ids = [technique, &id].into_iter().filter_map(attack::technique);
                self.techniques.extend(ids.map(|cell| cell.id.to_owned()));
            }
            Some(b'G' | b'S') if is_id => self.known.push(id),
            _ => {
                let name = capitalised(&name.replace('_', " "));
                self.known.push(name.clone());
                self.names.push(name);
            }
        }
    }

    fn shown(&self) -> impl Iterator<Item = &str> {
        self.known.iter().chain(&self.others).map(String::as_str)
    }

    /// Each tactic of the rule, with those of its techniques that serve it. A tactic of several words is found if they
    /// are joined with `_`, but not with `-` as in newer rules.
    fn threat(&self) -> Vec<Json> {
        let named = |tactic: &&attack::Cell| {
            let name = tactic.name();
            self.names.iter().any(|tag| tag.eq_ignore_ascii_case(&name))
        };
        attack::tactics()
            .filter(named)
            .map(|tactic| {
                let cells = self
                    .techniques
                    .iter()
                    .filter_map(|id| attack::technique(id));
                let techniques = cells.filter(|cell| cell.serves(tactic)).map(|cell| {
                    let page = cell.id.replace('.', "/");
                    json!({
                        "id": cell.id,
                        "name": cell.name(),
                        "reference": format!("https://attack.mitre.org/techniques/{page}"),
                    })
                });
                json!({
                    "tactic": {
                        "id": tactic.id,
                        "reference": format!("https://attack.mitre.org/tactics/{}", tactic.id),
                        "name": tactic.name(),
                    },
                    "framework": "MITRE ATT&CK®",
                    "technique": techniques.collect::<Vec<Json>>(),
                })
            })
            .collect()
    }
}

/// The text with each word of letters in lower case, but for its first letter.
fn capitalised(text: &str) -> String {
    let mut capitalised = String::with_capacity(text.len());
    let mut is_inner = false;
    for c in text.chars() {
        if is_inner {
            capitalised.extend(c.to_lowercase());
        } else {
            capitalised.extend(c.to_uppercase());
        }
        is_inner = c.is_alphabetic();
    }
    capitalised
}
