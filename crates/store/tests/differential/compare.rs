//! Whether two answers say the same.

use crate::pair::{Answer, Answers, Index};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Up to so many distinct values a server counts exactly.
const EXACT_CARDINALITY: f64 = 3_000.0;

/// What became of many searches.
#[derive(Debug, Default)]
pub struct Counts {
    /// How many were asked.
    pub asked: usize,
    /// How many found something.
    pub found: usize,
    /// How many both refuse.
    pub refused: usize,
    /// How many differ, for the reason.
    pub classes: BTreeMap<&'static str, usize>,
    /// How many differ without one.
    pub wrong: Vec<String>,
}

/// What differs.
pub struct Case<'a> {
    pub index: &'a Index,
    pub request: &'a Value,
    pub server: &'a Answer,
    pub embedded: &'a Answer,
}

/// A difference that is known and wanted.
pub struct Class {
    /// Why the two differ.
    pub reason: &'static str,
    /// Whether the answers to a request differ for this reason.
    pub has: fn(&Case<'_>) -> bool,
}

impl Counts {
    /// Takes in what both say to a request.
    pub fn add(&mut self, index: &Index, request: &Value, answers: &Answers, classes: &[Class]) {
        self.asked += 1;
        let problem = match (&answers.server, &answers.embedded) {
            (Err(_), Err(_)) => {
                self.refused += 1;
                return;
            }
            (Ok(server), Ok(embedded)) => {
                let total = &server["hits"]["total"]["value"];
                self.found += usize::from(total.as_u64().is_some_and(|total| total > 0));
                match difference(request, server, embedded) {
                    None => return,
                    Some(problem) => problem,
                }
            }
            (Err(reason), Ok(_)) => format!("only the server refuses: {reason}"),
            (Ok(_), Err(reason)) => format!("only the embedded store refuses: {reason}"),
        };
        let case = Case {
            index,
            request,
            server: &answers.server,
            embedded: &answers.embedded,
        };
        match classes.iter().find(|class| (class.has)(&case)) {
            Some(class) => *self.classes.entry(class.reason).or_default() += 1,
            None => {
                let request = request.to_string();
                let request: String = request.chars().take(3_000).collect();
                self.wrong
                    .push(format!("{}\n    {request}", brief(&problem)));
            }
        }
    }

    /// Prints what was compared, and fails where something is wrong.
    pub fn finish(&self, what: &str, documents: usize) {
        println!(
            "{what}: {} searches of {documents} documents, {} with hits, {} refused by both",
            self.asked, self.found, self.refused
        );
        for (reason, count) in &self.classes {
            println!("    {count} differ: {reason}");
        }
        let shown: Vec<&str> = self.wrong.iter().take(40).map(String::as_str).collect();
        let wrong = self.wrong.len();
        assert_eq!(wrong, 0, "{what}: {wrong} differ:\n{}", shown.join("\n"));
    }
}

fn brief(text: &str) -> String {
    text.chars().take(900).collect()
}

/// How two answers to a request differ, if they do.
pub fn difference(request: &Value, server: &Value, own: &Value) -> Option<String> {
    let (hits, own_hits) = (&server["hits"], &own["hits"]);
    let total = (hits.get("total"), own_hits.get("total"));
    let has_all =
        hits["hits"].as_array().map(|hits| hits.len() as u64) == hits["total"]["value"].as_u64();
    let mut problems = Vec::new();
    if total.0 != total.1 {
        problems.push(format!("total: {:?}, here {:?}", total.0, total.1));
    }
    let is_sorted = request.get("sort").is_some();
    problems.extend(hits_differ(
        &hits["hits"],
        &own_hits["hits"],
        is_sorted,
        has_all,
    ));
    let aggs = |answer: &Value| answer.get("aggregations").cloned().unwrap_or_default();
    let asked = request.get("aggs").unwrap_or(&Value::Null);
    problems.extend(aggs_differ(asked, &aggs(server), &aggs(own), "aggs"));
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Hits that are equal for what they are sorted by come in any order, and of those at the end either may have others.
fn hits_differ(server: &Value, own: &Value, is_sorted: bool, has_all: bool) -> Option<String> {
    let empty = Vec::new();
    let list = |hits: &Value| hits.as_array().unwrap_or(&empty).clone();
    let (server, own) = (list(server), list(own));
    if server.len() != own.len() {
        let ids = |hits: &[Value]| -> BTreeSet<String> {
            hits.iter().map(|hit| hit["_id"].to_string()).collect()
        };
        let (server, own) = (ids(&server), ids(&own));
        let missing: Vec<_> = server.difference(&own).take(5).collect();
        let more: Vec<_> = own.difference(&server).take(5).collect();
        return Some(format!(
            "hits: missing here {missing:?}, only here {more:?}"
        ));
    }
    let keys = |hits: &[Value]| -> Vec<Value> {
        let sort = |hit: &Value| hit.get("sort").filter(|_| is_sorted).cloned();
        hits.iter()
            .map(|hit| number(&sort(hit).unwrap_or_default()))
            .collect()
    };
    let (keys, own_keys) = (keys(&server), keys(&own));
    for (number, (key, own_key)) in keys.iter().zip(&own_keys).enumerate() {
        if !same_keys(key, own_key) {
            return Some(format!(
                "hit {number} is sorted by {key}, here by {own_key}"
            ));
        }
    }
    let last = keys.last();
    let groups = |hits: &[Value]| {
        let mut groups: Vec<(&Value, BTreeMap<String, Value>)> = Vec::new();
        for (key, hit) in keys.iter().zip(hits) {
            if groups.last().is_none_or(|(last, _)| *last != key) {
                groups.push((key, BTreeMap::new()));
            }
            let (_, group) = groups.last_mut().unwrap();
            group.insert(hit["_id"].to_string(), bare(hit));
        }
        groups
    };
    for ((key, group), (_, own)) in groups(&server).into_iter().zip(groups(&own)) {
        if (has_all || Some(key) != last) && group != own {
            let other = group.iter().find(|(id, hit)| own.get(*id) != Some(hit));
            let (id, hit) = other.or(own.iter().next()).unwrap();
            return Some(format!("hits at {key}: {hit}, here {:?}", own.get(id)));
        }
    }
    None
}

/// A hit without a value for what it is sorted by has null here, and the greatest or least number at a server.
fn same_keys(server: &Value, own: &Value) -> bool {
    let (Some(server), Some(own)) = (server.as_array(), own.as_array()) else {
        return server == own;
    };
    server.len() == own.len()
        && server.iter().zip(own).all(|(server, own)| {
            let is_nothing = || match server {
                Value::Number(number) => {
                    let number = number.as_f64().unwrap_or_default();
                    // The ends of `long` and `int`.
                    number.abs() > 9.2e18 || number == 2_147_483_647.0 || number == -2_147_483_648.0
                }
                Value::String(text) => text.contains("Infinity"),
                _ => false,
            };
            is_same(server, own) || own.is_null() && is_nothing()
        })
}

/// What of a hit does not depend on scores or on names of indices.
fn bare(hit: &Value) -> Value {
    let members = hit.as_object().into_iter().flatten();
    let members =
        members.filter(|(key, _)| !["_score", "_index", "_type", "sort"].contains(&&***key));
    let members = members.map(|(key, value)| (key.clone(), value.clone()));
    Value::Object(members.collect())
}

/// Numbers are compared as numbers, and what is said of them in words as texts.
fn number(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default();
            match float.fract() == 0.0 && float.abs() < 9e15 {
                true => Value::from(float as i64),
                false => value.clone(),
            }
        }
        Value::Array(list) => list.iter().map(number).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| match value {
                Value::Bool(word) if key.ends_with("_as_string") => {
                    (key.clone(), word.to_string().into())
                }
                value => (key.clone(), number(value)),
            });
            Value::Object(members.collect())
        }
        value => value.clone(),
    }
}

/// Java up to 18 writes some numbers with another last digit than they have.
fn is_same(server: &Value, own: &Value) -> bool {
    match (server, own) {
        (Value::Number(server), Value::Number(own)) if server.is_f64() && own.is_f64() => {
            let numbers = server.as_f64().zip(own.as_f64());
            numbers.is_some_and(|(server, own)| (server - own).abs() <= 1e-14 * server.abs())
        }
        (Value::Object(server), Value::Object(own)) => {
            server.len() == own.len()
                && server
                    .iter()
                    .all(|(key, value)| own.get(key).is_some_and(|own| is_same(value, own)))
        }
        (Value::Array(server), Value::Array(own)) => {
            server.len() == own.len()
                && server
                    .iter()
                    .zip(own)
                    .all(|(server, own)| is_same(server, own))
        }
        (server, own) => server == own,
    }
}

/// How the answers to aggregations differ, which are `asked` by name.
fn aggs_differ(asked: &Value, server: &Value, own: &Value, at: &str) -> Option<String> {
    let empty = Map::new();
    for (name, asked) in asked.as_object().unwrap_or(&empty) {
        let (server, own) = (&server[name], &own[name]);
        let at = format!("{at}.{name}");
        let inner = asked.get("aggs").unwrap_or(&Value::Null);
        let differ = match asked {
            asked if asked.get("cardinality").is_some() => {
                let count = |answer: &Value| answer["value"].as_f64().unwrap_or(f64::NAN);
                let (server, own) = (count(server), count(own));
                let allowed = if own > EXACT_CARDINALITY {
                    own * 0.05
                } else {
                    0.0
                };
                let is_same = (server - own).abs() <= allowed;
                (!is_same).then(|| format!("{at}: {server}, here {own}"))
            }
            asked if asked.get("top_hits").is_some() => {
                let body = &asked["top_hits"];
                let (server, own) = (&server["hits"], &own["hits"]);
                let same_total = server["total"] == own["total"];
                let total = (!same_total)
                    .then(|| format!("{at}: {}, here {}", server["total"], own["total"]));
                let has_all = server["hits"].as_array().map(|hits| hits.len() as u64)
                    == server["total"]["value"].as_u64();
                let is_sorted = body.get("sort").is_some();
                total.or_else(|| {
                    hits_differ(&server["hits"], &own["hits"], is_sorted, has_all)
                        .map(|problem| format!("{at}: {problem}"))
                })
            }
            _ => bucket_differs(inner, server, own, &at),
        };
        if differ.is_some() {
            return differ;
        }
    }
    None
}

/// What is compared elsewhere, and the error that a server only estimates.
const NOT_COMPARED: [&str; 3] = ["buckets", "meta", "doc_count_error_upper_bound"];

/// How two buckets, or the lists of them, differ.
fn bucket_differs(inner: &Value, server: &Value, own: &Value, at: &str) -> Option<String> {
    let is_inner = |key: &str| inner.get(key).is_some();
    let rest = |bucket: &Value| {
        let members = bucket.as_object().cloned().unwrap_or_default();
        let members = members
            .into_iter()
            .filter(|(key, _)| !is_inner(key) && !NOT_COMPARED.contains(&&**key));
        number(&Value::Object(members.collect()))
    };
    let (rest, own_rest) = (rest(server), rest(own));
    if !is_same(&rest, &own_rest) {
        return Some(format!("{at}: {rest}, here {own_rest}"));
    }
    match (&server["buckets"], &own["buckets"]) {
        (Value::Null, Value::Null) => aggs_differ(inner, server, own, at),
        (Value::Array(buckets), Value::Array(own)) => {
            let both = buckets.iter().zip(own).enumerate();
            let mut both = both;
            both.find_map(|(number, (bucket, own))| {
                bucket_differs(inner, bucket, own, &format!("{at}[{number}]"))
            })
            .or_else(|| {
                let lengths = (buckets.len(), own.len());
                (lengths.0 != lengths.1)
                    .then(|| format!("{at}: {} buckets, here {}", lengths.0, lengths.1))
            })
        }
        (Value::Object(buckets), Value::Object(own)) if buckets.len() == own.len() => {
            buckets.iter().find_map(|(name, bucket)| {
                let own = own.get(name).unwrap_or(&Value::Null);
                bucket_differs(inner, bucket, own, &format!("{at}.{name}"))
            })
        }
        (server, own) => Some(format!("{at}: {server}, here {own}")),
    }
}
