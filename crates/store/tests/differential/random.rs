//! Searches at random, made of the fields and values that documents have.

use crate::pair::Index;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How many values are kept for each field.
const VALUES: usize = 60;

/// Numbers that are the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn is(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A field of an index, with some of its values.
struct Field {
    /// By which it is asked.
    name: String,
    kind: String,
    values: Vec<Value>,
}

/// Makes searches for an index.
pub struct Maker {
    dice: Dice,
    fields: Vec<Field>,
    ids: Vec<String>,
}

impl Maker {
    pub fn new(index: &Index, seed: u64) -> Maker {
        let mut values = BTreeMap::new();
        for (_, text) in &index.documents {
            if let Ok(document) = serde_json::from_str::<Value>(text) {
                gather(&document, "", &mut values);
            }
        }
        let mut fields = Vec::new();
        name(&index.mapping, "", &values, &mut fields);
        let ids = index.documents.iter().map(|(id, _)| id.clone());
        Maker {
            dice: Dice::new(seed),
            fields,
            ids: ids.collect(),
        }
    }

    /// A request that finds documents.
    pub fn query(&mut self) -> Value {
        let query = self.tree(2);
        json!({"query": query, "size": 10_000, "_source": false, "track_total_hits": true})
    }

    /// A request that counts, orders or cuts what it finds.
    pub fn request(&mut self) -> Value {
        let query = if self.dice.is(30) {
            json!({"match_all": {}})
        } else {
            self.tree(1)
        };
        let mut request = json!({"query": query, "size": self.dice.below(20), "_source": false, "track_total_hits": true});
        if self.dice.is(40) {
            request["sort"] = self.sort();
        } else {
            request["size"] = json!(0);
        }
        if self.dice.is(20) {
            request["_source"] = json!([self.field(|_| true).name, "winlog.*"]);
        }
        if self.dice.is(75) {
            request["aggs"] = json!({"x": self.agg(2)});
        }
        request
    }

    fn field(&mut self, is_wanted: impl Fn(&Field) -> bool) -> &Field {
        let wanted: Vec<usize> = (0..self.fields.len())
            .filter(|number| is_wanted(&self.fields[*number]))
            .collect();
        let number = *self.dice.one(&wanted);
        &self.fields[number]
    }

    /// A field and one of its values, sometimes another one.
    fn pair(&mut self, is_wanted: impl Fn(&Field) -> bool) -> (String, String, Value) {
        let field = self.field(is_wanted);
        let (name, kind, values) = (field.name.clone(), field.kind.clone(), field.values.clone());
        let value = self.dice.one(&values).clone();
        (name, kind, value)
    }

    fn tree(&mut self, depth: usize) -> Value {
        if depth == 0 || self.dice.is(35) {
            return self.leaf();
        }
        let mut clauses = Map::new();
        for (name, percent) in [
            ("must", 40),
            ("filter", 30),
            ("should", 60),
            ("must_not", 25),
        ] {
            if self.dice.is(percent) {
                let count = 1 + self.dice.below(3);
                let queries: Vec<Value> = (0..count).map(|_| self.tree(depth - 1)).collect();
                clauses.insert(name.to_owned(), queries.into());
            }
        }
        if clauses.contains_key("should") && self.dice.is(40) {
            let least = self.dice.below(3) as i64;
            clauses.insert("minimum_should_match".to_owned(), least.into());
        }
        json!({"bool": clauses})
    }

    fn leaf(&mut self) -> Value {
        let is_text = |field: &Field| matches!(&*field.kind, "text" | "keyword");
        let kind = self.dice.below(14);
        let (name, _, value) = match kind {
            0..=3 | 8 | 9 => self.pair(|_| true),
            _ => self.pair(is_text),
        };
        let text = match &value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        match kind {
            0 => json!({"term": {name: value}}),
            1 => {
                let (_, _, other) = self.pair(|field| field.name == name);
                json!({"terms": {name: [value, other]}})
            }
            2 => {
                json!({"match": {name: {"query": value, "operator": if self.dice.is(50) { "and" } else { "or" }}}})
            }
            3 => json!({"match_phrase": {name: value}}),
            4 => json!({"match_phrase": {name: self.piece(&text)}}),
            5 => {
                json!({"wildcard": {name: {"value": self.holes(&text), "case_insensitive": self.dice.is(50)}}})
            }
            6 => {
                json!({"prefix": {name: {"value": start(&text, 1 + self.dice.below(12)), "case_insensitive": self.dice.is(50)}}})
            }
            7 => {
                let pattern = self.regexp(&text);
                // Ranges without regard to case are left out.
                let is_caseless = !pattern.contains('[') && self.dice.is(60);
                json!({"regexp": {name: {"value": pattern, "case_insensitive": is_caseless}}})
            }
            8 => {
                let from = if self.dice.is(50) { "gte" } else { "gt" };
                let to = if self.dice.is(50) { "lte" } else { "lt" };
                let (_, _, other) = self.pair(|field| field.name == name);
                match self.dice.below(3) {
                    0 => json!({"range": {name: {from: value}}}),
                    1 => json!({"range": {name: {to: value}}}),
                    _ => json!({"range": {name: {from: value, to: other}}}),
                }
            }
            9 => json!({"exists": {"field": name}}),
            10 => {
                let ids: Vec<String> = (0..10).map(|_| self.dice.one(&self.ids).clone()).collect();
                json!({"ids": {"values": ids}})
            }
            11 => json!({"term": {name: {"value": value, "case_insensitive": true}}}),
            12 => {
                let other = self.field(is_text).name.clone();
                let kind = if self.dice.is(50) {
                    "phrase"
                } else {
                    "best_fields"
                };
                json!({"multi_match": {"query": self.piece(&text), "type": kind, "fields": [name, other]}})
            }
            _ => {
                let first = self.clause();
                let query = match self.dice.below(4) {
                    0 => format!("{first} AND NOT {}", self.clause()),
                    1 => format!("({first} OR {}) AND {}", self.clause(), self.clause()),
                    2 => format!("+{first} -{}", self.clause()),
                    _ => first,
                };
                json!({"query_string": {"query": query}})
            }
        }
    }

    /// A clause of a query string.
    fn clause(&mut self) -> String {
        let (name, kind, value) = self.pair(|_| true);
        let text = match &value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        // Servers find nothing for what takes a longer automaton.
        let text = start(&text, 200);
        let field = escape(&name);
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        match self.dice.below(8) {
            0 => format!("_exists_:{field}"),
            1 => format!("{field}:{}", escape(&text)),
            2 => format!(
                "{field}:({} OR {})",
                escape(&text),
                escape(&self.piece(&text))
            ),
            3 if kind == "date" || kind == "long" => format!("{field}:[{} TO *]", escape(&text)),
            4 if kind == "keyword" || kind == "text" => {
                format!("{field}:*{}*", escape(&self.piece(&text)))
            }
            5 if kind == "keyword" || kind == "text" => {
                format!("{field}:/{}/", self.regexp(&text).replace('/', "\\/"))
            }
            6 if kind == "keyword" => format!("{field}:[\"{quoted}\" TO *}}"),
            _ => format!("{field}:\"{quoted}\""),
        }
    }

    /// A part of a text, of whole words mostly.
    fn piece(&mut self, text: &str) -> String {
        let words: Vec<&str> = text.split_inclusive([' ', '\\', '/', '.', '-']).collect();
        if words.is_empty() {
            return "x".to_owned();
        }
        let from = self.dice.below(words.len());
        let count = 1 + self.dice.below(3);
        let mut piece: String = words.into_iter().skip(from).take(count).collect();
        if self.dice.is(20) {
            piece = piece.to_uppercase();
        }
        match piece.trim() {
            "" => "x".to_owned(),
            piece => piece.to_owned(),
        }
    }

    /// A pattern with wildcards that a text has mostly.
    fn holes(&mut self, text: &str) -> String {
        let mut pattern = String::new();
        let mut chars = text.chars().take(200);
        if self.dice.is(50) {
            pattern.push('*');
            let skipped = self.dice.below(text.chars().count().min(100) + 1);
            chars.by_ref().take(skipped).for_each(drop);
        }
        for c in chars {
            match self.dice.below(12) {
                0 => pattern.push('?'),
                1 => pattern.push('*'),
                _ if matches!(c, '*' | '?' | '\\') => pattern.extend(['\\', c]),
                _ if self.dice.is(10) => pattern.extend(c.to_uppercase()),
                _ => pattern.push(c),
            }
        }
        if self.dice.is(50) || text.len() > 200 {
            pattern.push('*');
        }
        pattern
    }

    /// A regular expression of Lucene's that a text has mostly.
    fn regexp(&mut self, text: &str) -> String {
        let mut pattern = String::new();
        for c in text.chars().take(60) {
            match self.dice.below(14) {
                0 => pattern.push('.'),
                1 => pattern.push_str(".*"),
                2 if c.is_ascii_digit() => pattern.push_str("[0-9]+"),
                3 if c.is_ascii_lowercase() => pattern.push_str("[a-z]"),
                4 if c.is_alphanumeric() => pattern.push_str(&format!("({c}|xyz)")),
                _ if c.is_alphanumeric() || c == ' ' || !c.is_ascii() => pattern.push(c),
                _ => pattern.extend(['\\', c]),
            }
        }
        if self.dice.is(60) || text.chars().count() > 60 {
            pattern.push_str(".*");
        }
        pattern
    }

    fn sort(&mut self) -> Value {
        let count = 1 + self.dice.below(2);
        let sorts = (0..count).map(|_| {
            let name = self.field(|field| field.kind != "text").name.clone();
            let order = if self.dice.is(50) { "asc" } else { "desc" };
            let missing = if self.dice.is(30) { "_first" } else { "_last" };
            json!({name: {"order": order, "missing": missing}})
        });
        sorts.collect()
    }

    fn agg(&mut self, depth: usize) -> Value {
        let is_whole = |field: &Field| field.kind != "text";
        let field = self.field(is_whole).name.clone();
        let kind = match self.dice.below(if depth > 0 { 9 } else { 3 }) {
            // A server takes it only at the top.
            7 if depth < 2 => 3,
            kind => kind,
        };
        let mut agg = match kind {
            0 => return json!({"cardinality": {"field": field}}),
            1 => {
                let field = self
                    .field(|field| matches!(&*field.kind, "long" | "date" | "float" | "boolean"));
                let field = field.name.clone();
                return json!({*self.dice.one(&["min", "max", "avg", "sum", "stats"]): {"field": field}});
            }
            2 => {
                return json!({"top_hits": {"size": 1 + self.dice.below(3), "sort": self.sort(), "_source": false}});
            }
            3 | 4 => {
                let orders = [
                    json!({"_count": "desc"}),
                    json!({"_count": "asc"}),
                    json!({"_key": "asc"}),
                    json!({"_key": "desc"}),
                ];
                let order = self.dice.one(&orders);
                json!({"terms": {"field": field, "size": 1 + self.dice.below(12), "order": order}})
            }
            5 => json!({"missing": {"field": field}}),
            6 => {
                let (one, other) = (self.leaf(), self.leaf());
                json!({"filters": {"filters": {"one": one, "two": other}, "other_bucket": true}})
            }
            7 => {
                let other = self.field(is_whole).name.clone();
                json!({"composite": {"size": 1 + self.dice.below(20), "sources": [
                    {"a": {"terms": {"field": field, "missing_bucket": self.dice.is(50)}}}, {"b": {"terms": {"field": other, "order": "desc"}}}]}})
            }
            _ => {
                let field = self.field(|field| field.kind == "date").name.clone();
                let interval = *self.dice.one(&["day", "week", "month", "quarter", "year"]);
                let zone = *self
                    .dice
                    .one(&["UTC", "Europe/Berlin", "America/New_York", "+05:30"]);
                json!({"date_histogram": {"field": field, "calendar_interval": interval, "time_zone": zone, "min_doc_count": 1}})
            }
        };
        if self.dice.is(60) {
            agg["aggs"] = json!({"y": self.agg(depth - 1)});
        }
        agg
    }
}

fn start(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}

/// A text as a query string has it.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if " \t\n\r+-=&|><!(){}[]^\"~*?:\\/".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    match &*escaped {
        "" => "\"\"".to_owned(),
        "AND" | "OR" | "NOT" => format!("\\{escaped}"),
        _ => escaped,
    }
}

/// The values of a document, by their paths.
fn gather(value: &Value, path: &str, values: &mut BTreeMap<String, Vec<Value>>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                gather(value, &path, values);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| gather(value, path, values)),
        Value::Null => {}
        value => {
            let known = values.entry(path.to_owned()).or_default();
            if known.len() < VALUES && !known.contains(value) {
                known.push(value.clone());
            }
        }
    }
}

/// The fields of a mapping that have values.
fn name(
    mapping: &Value,
    parent: &str,
    values: &BTreeMap<String, Vec<Value>>,
    fields: &mut Vec<Field>,
) {
    let members = |key: &str| {
        mapping
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    let kind = mapping.get("type").and_then(Value::as_str);
    if let (Some(kind), Some(values)) = (kind, values.get(parent)) {
        let mut add = |name: String, kind: &str| {
            fields.push(Field {
                name,
                kind: kind.to_owned(),
                values: values.clone(),
            });
        };
        add(parent.to_owned(), kind);
        for (key, field) in members("fields") {
            add(
                format!("{parent}.{key}"),
                field["type"].as_str().unwrap_or("text"),
            );
        }
    }
    for (key, field) in members("properties") {
        let path = match parent {
            "" => key.clone(),
            parent => format!("{parent}.{key}"),
        };
        name(field, &path, values, fields);
    }
}
