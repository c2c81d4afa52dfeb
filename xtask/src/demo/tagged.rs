//! A tagged event, as `sigtag search` finds it, with the parts that the demo shows.

use std::error::Error;

use attack::{Attribution, Tactic};
use serde_json::Value;

/// Where the shapes of events that the demo has keep their time.
pub const TIME: &[&str] = &[
    "@timestamp",
    "SystemTime",
    "UtcTime",
    "Event.System.TimeCreated.#attributes.SystemTime",
    "eventTime",
];
/// Where they keep the name of their host.
pub const HOST: &[&str] = &[
    "host.name",
    "winlog.computer_name",
    "Computer",
    "Event.System.Computer",
];

/// A level that a rule can have; the last is the worst. A rule without one has the first.
pub const LEVELS: &[&str] = &["informational", "low", "medium", "high", "critical"];

/// One hit of the search.
pub struct TaggedEvent {
    /// Date and time to the second, UTC, `2026-03-02 09:14:05`.
    pub time: String,
    /// The host's name without its domain, or what stands for it when there is none.
    pub host: String,
    /// The tactics of all its rules.
    pub tactics: Vec<&'static Tactic>,
    /// The rules that hit it.
    pub rules: Vec<Hit>,
    /// The whole event.
    pub json: Value,
}

/// One rule that hit an event.
pub struct Hit {
    pub id: String,
    pub title: String,
    pub author: String,
    /// Its place in [`LEVELS`].
    pub level: usize,
    pub attribution: Attribution,
}

impl TaggedEvent {
    /// Reads the lines that a search prints.
    pub fn read(lines: &[u8]) -> Result<Vec<TaggedEvent>, Box<dyn Error>> {
        let hits = serde_json::Deserializer::from_slice(lines).into_iter::<Value>();
        hits.map(|hit| {
            let event = TaggedEvent::from_json(hit?["_source"].take());
            event.ok_or_else(|| "a hit is no tagged event".into())
        })
        .collect()
    }

    fn from_json(json: Value) -> Option<TaggedEvent> {
        let rules: Vec<Hit> = json["sigma"]["matches"]
            .as_array()?
            .iter()
            .map(Hit::from_json)
            .collect::<Option<_>>()?;
        let pairs = json["sigma"]["attack"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let mut tactics: Vec<_> = pairs
            .filter_map(|pair| attack::tactic(pair.split(':').next()?).next())
            .collect();
        tactics.dedup();
        Some(TaggedEvent {
            time: first_text(&json, TIME)?
                .replace('T', " ")
                .chars()
                .take("2026-03-02 09:14:05".len())
                .collect(),
            host: first_text(&json, HOST)
                .map_or("(no host)", short)
                .to_owned(),
            tactics,
            rules,
            json,
        })
    }

    /// The place of its worst rule's level in [`LEVELS`].
    pub fn severity(&self) -> usize {
        self.rules.iter().map(|hit| hit.level).max().unwrap_or(0)
    }

    /// The paths of the fields that its rules matched.
    pub fn matched_fields(&self) -> impl Iterator<Item = &str> {
        let matches = self.json["sigma"]["matches"]
            .as_array()
            .into_iter()
            .flatten();
        matches
            .filter_map(|hit| hit["fields"].as_object())
            .flat_map(|fields| fields.keys().map(String::as_str))
    }
}

impl Hit {
    fn from_json(json: &Value) -> Option<Hit> {
        let tags = json["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        Some(Hit {
            id: json["id"].as_str()?.to_owned(),
            title: json["title"].as_str()?.to_owned(),
            author: json["author"].as_str().unwrap_or("").to_owned(),
            level: LEVELS
                .iter()
                .position(|level| json["level"] == *level)
                .unwrap_or(0),
            attribution: attack::attribute(tags.filter_map(|tag| tag.strip_prefix("attack."))),
        })
    }
}

/// The first part of a host's name.
fn short(host: &str) -> &str {
    host.split('.').next().unwrap_or(host)
}

/// The text at the first of these paths that has one.
fn first_text<'v>(event: &'v Value, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| lookup(event, path)?.as_str())
}

/// What lies at a path, whether its keys are nested or dotted.
fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    value.get(path).or_else(|| {
        path.match_indices('.')
            .find_map(|(at, _)| lookup(value.get(&path[..at])?, &path[at + 1..]))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_of_output_becomes_what_the_tables_need() {
        let event = TaggedEvent::from_json(json!({
            "Event": {"System": {"Computer": "DC01", "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T09:14:05.123Z"}}}},
            "host.name": "dc01.example.org",
            "sigma": {
                "attack": ["TA0005:T1218.005", "TA0005:T1027", "TA0002"],
                "matches": [{"id": "1", "title": "Mshta", "level": "high", "tags": ["attack.t1218.005"], "fields": {"Image": "mshta.exe"}}],
            },
        }))
        .unwrap();
        assert_eq!(
            (event.time.as_str(), event.host.as_str()),
            ("2026-03-02 09:14:05", "dc01")
        );
        assert_eq!(
            event
                .tactics
                .iter()
                .map(|tactic| tactic.id)
                .collect::<Vec<_>>(),
            ["TA0005", "TA0002"]
        );
        assert_eq!(LEVELS[event.severity()], "high");
        assert_eq!(event.matched_fields().collect::<Vec<_>>(), ["Image"]);
        assert_eq!(event.rules[0].attribution.techniques[0].name, "Mshta");
    }

    #[test]
    fn an_event_without_tags_is_none() {
        assert!(TaggedEvent::from_json(json!({"@timestamp": "2026-03-02T09:14:05Z"})).is_none());
    }
}
