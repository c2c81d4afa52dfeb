//! The hits of both programs, one by one, and why they differ.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt,
};

use serde_json::{Value, json};

use super::data::NUMBER;

/// The event's number and the rule's id, with the event.
pub type Hits = BTreeMap<(u64, String), Value>;

/// A reason for which one program has a hit that the other has not.
struct Class {
    name: &'static str,
    /// Whose hit it is.
    of: Side,
    /// Whether this is the reason, for a rule's text and an event.
    holds: fn(&str, &Value) -> bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Sigtag,
    Rsigma,
}

/// What is known of rsigma 0.23.0 with its pipeline `sysmon`. The first that holds counts.
const CLASSES: &[Class] = &[
    Class {
        name: "process creation, as Security 4688",
        of: Side::Sigtag,
        holds: |rule, event| {
            rule.contains("category: process_creation") && event["EventID"] == 4688
        },
    },
    Class {
        name: "a `?` in what a value ends with",
        of: Side::Sigtag,
        holds: |rule, _| rule.contains("|endswith") && rule.lines().any(|line| line.contains("?'")),
    },
    Class {
        name: "a field that the event writes with a blank",
        of: Side::Sigtag,
        holds: |rule, event| {
            let mut keys = event.as_object().into_iter().flat_map(|event| event.keys());
            keys.any(|key| key.contains(' ') && rule.contains(&key.replace(' ', "")))
        },
    },
    Class {
        name: "fieldref",
        of: Side::Sigtag,
        holds: |rule, _| rule.contains("|fieldref"),
    },
    Class {
        name: "a registry event of another type",
        of: Side::Rsigma,
        holds: |rule, event| {
            REGISTRY.iter().any(|(category, types)| {
                rule.contains(category)
                    && event["EventType"]
                        .as_str()
                        .is_some_and(|kind| !types.contains(&kind))
            })
        },
    },
    Class {
        name: "a service, on another service's channel",
        of: Side::Rsigma,
        holds: |rule, event| {
            CHANNELS.iter().any(|(service, channel)| {
                rule.contains(service)
                    && event["Channel"]
                        .as_str()
                        .is_some_and(|text| !text.contains(channel))
            })
        },
    },
];

/// The types of registry events that are of a category.
const REGISTRY: &[(&str, &[&str])] = &[
    ("category: registry_add", &["CreateKey"]),
    ("category: registry_delete", &["DeleteKey", "DeleteValue"]),
    ("category: registry_rename", &["RenameKey", "RenameValue"]),
];

/// The services that rsigma is given no channel for.
const CHANNELS: &[(&str, &str)] = &[
    ("service: sysmon", "Sysmon"),
    ("service: driver-framework", "DriverFrameworks"),
];

/// How the hits of two programs compare.
pub struct Comparison {
    sigtag: usize,
    rsigma: usize,
    both: usize,
    /// How many hits there are of each class, in the order of [`CLASSES`].
    classes: Vec<usize>,
    /// Those that are of no class.
    pub unexplained: Vec<String>,
}

/// The hits in the output of sigtag: events with all rules that hit them.
pub fn of_sigtag(output: &str) -> Result<Hits, Box<dyn Error>> {
    read(output, |line| {
        let rules = line["sigma"]["rule"]["id"].as_array();
        let rules = rules.into_iter().flatten().cloned().collect();
        (rules, line)
    })
}

/// The hits in the output of rsigma: a line for each, with the event inside.
pub fn of_rsigma(output: &str) -> Result<Hits, Box<dyn Error>> {
    read(output, |mut line| {
        (vec![line["rule_id"].take()], line["event"].take())
    })
}

/// Reads lines, each some rules and the event that they hit.
fn read(
    output: &str,
    parts: impl Fn(Value) -> (Vec<Value>, Value),
) -> Result<Hits, Box<dyn Error>> {
    let mut hits = Hits::new();
    for line in output.lines() {
        let (rules, event) = parts(serde_json::from_str(line)?);
        let number = event[NUMBER].as_u64().ok_or("a hit without its event")?;
        for rule in rules {
            let rule = rule.as_str().ok_or("a hit without its rule")?;
            hits.insert((number, rule.to_owned()), event.clone());
        }
    }
    Ok(hits)
}

/// Compares the hits of two programs; `rules` are the texts of the rules by their ids.
pub fn compare(sigtag: &Hits, rsigma: &Hits, rules: &HashMap<String, String>) -> Comparison {
    let mut comparison = Comparison {
        sigtag: sigtag.len(),
        rsigma: rsigma.len(),
        both: sigtag.keys().filter(|hit| rsigma.contains_key(hit)).count(),
        classes: vec![0; CLASSES.len()],
        unexplained: Vec::new(),
    };
    for (side, these, those) in [
        (Side::Sigtag, sigtag, rsigma),
        (Side::Rsigma, rsigma, sigtag),
    ] {
        for (hit, event) in these.iter().filter(|(hit, _)| !those.contains_key(hit)) {
            let (number, id) = hit;
            let rule = rules.get(id).map_or("", String::as_str);
            let class = |class: &Class| class.of == side && (class.holds)(rule, event);
            match CLASSES.iter().position(class) {
                Some(class) => comparison.classes[class] += 1,
                None => comparison
                    .unexplained
                    .push(format!("event {number}, rule {id}, only {side}")),
            }
        }
    }
    comparison
}

impl Comparison {
    fn by_class(&self) -> impl Iterator<Item = (&Class, usize)> {
        CLASSES.iter().zip(self.classes.iter().copied())
    }

    /// The comparison for machines.
    pub fn as_json(&self) -> Value {
        let classes = self.by_class().map(|(class, count)| {
            json!({"name": class.name, "only": class.of.to_string(), "count": count})
        });
        json!({
            "sigtag": self.sigtag,
            "rsigma": self.rsigma,
            "both": self.both,
            "classes": classes.collect::<Vec<_>>(),
            "unexplained": self.unexplained,
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "hits on flat: sigtag {}, rsigma {}, both {}",
            self.sigtag, self.rsigma, self.both
        )?;
        for (class, count) in self.by_class().filter(|(_, count)| *count > 0) {
            writeln!(f, "{count:>6}  only {}: {}", class.of, class.name)?;
        }
        for hit in &self.unexplained {
            writeln!(f, "        {hit}")?;
        }
        write!(f, "unexplained: {}", self.unexplained.len())
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Sigtag => "sigtag",
            Side::Rsigma => "rsigma",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_by_class() {
        let sigtag = r#"{"BenchLine":1,"EventID":4688,"sigma":{"rule":{"id":["a","b"]}}}"#;
        let rsigma = r#"{"rule_id":"b","event":{"BenchLine":1,"EventID":4688}}
{"rule_id":"c","event":{"BenchLine":2,"EventID":12,"EventType":"CreateKey"}}
{"rule_id":"c","event":{"BenchLine":3,"EventID":12,"EventType":"DeleteKey"}}"#;
        let rules = [
            ("a", "category: process_creation"),
            ("c", "category: registry_delete"),
        ];
        let rules = rules.map(|(id, text)| (id.to_owned(), text.to_owned()));
        let comparison = compare(
            &of_sigtag(sigtag).unwrap(),
            &of_rsigma(rsigma).unwrap(),
            &rules.into(),
        );
        assert_eq!(comparison.both, 1);
        assert_eq!(comparison.classes, [1, 0, 0, 0, 1, 0]);
        assert_eq!(comparison.unexplained, ["event 3, rule c, only rsigma"]);
    }
}
