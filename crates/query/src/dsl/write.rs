//! From a predicate to the Query DSL.

use crate::note::Written;
use crate::plan::{Language, Query, plan};
use crate::schema::Schema;
use predicate::{Part, Predicate};
use serde_json::{Map, Value, json};
use std::ops::Bound;

/// Writes `predicate` as a query for an index of this schema. It runs on Elasticsearch 7.17 to 9 and OpenSearch 2 and 3.
///
/// ```
/// use predicate::{Field, Matcher, Predicate, Test};
/// use query::Schema;
/// use serde_json::json;
///
/// let is_cmd = Predicate::Test(Test::Value(Field::path("name"), Matcher::text("Cmd.exe")));
/// let written = query::dsl(&is_cmd, &Schema::keywords());
/// assert_eq!(written.query, json!({"term": {"name": {"value": "cmd.exe", "case_insensitive": true}}}));
/// assert!(written.notes.is_empty());
/// ```
pub fn dsl(predicate: &Predicate, schema: &Schema) -> Written<Value> {
    let (query, notes) = plan(predicate, schema, Language::Dsl);
    Written {
        query: write(&query),
        notes,
    }
}

fn write(query: &Query) -> Value {
    match query {
        Query::All(parts) if parts.is_empty() => json!({"match_all": {}}),
        Query::Any(parts) if parts.is_empty() => json!({"match_none": {}}),
        Query::All(parts) => {
            let mut bool = Map::new();
            let is_not = |part: &&Query| matches!(part, Query::Not(_));
            let (not, must): (Vec<&Query>, Vec<&Query>) = parts.iter().partition(is_not);
            if !must.is_empty() {
                bool.insert("filter".to_owned(), must.into_iter().map(write).collect());
            }
            let not: Vec<Value> = not.into_iter().filter_map(inner).map(write).collect();
            if !not.is_empty() {
                bool.insert("must_not".to_owned(), not.into());
            }
            json!({"bool": bool})
        }
        Query::Any(parts) => {
            let should: Vec<Value> = parts.iter().map(write).collect();
            json!({"bool": {"should": should, "minimum_should_match": 1}})
        }
        Query::Not(part) => json!({"bool": {"must_not": [write(part)]}}),
        Query::Exists(field) => json!({"exists": {"field": field}}),
        Query::Term {
            field,
            text,
            caseless,
        } => on_text("term", field, text, *caseless),
        Query::Wildcard {
            field,
            parts,
            caseless,
        } => on_text("wildcard", field, &wildcard(parts), *caseless),
        Query::Regexp { field, regexp } => json!({"regexp": {field: {"value": regexp}}}),
        Query::AnyRegexp(regexp) => json!({
            "query_string": {"query": format!("/{regexp}/"), "fields": ["*"], "lenient": true}
        }),
        Query::Phrase { field, text } => json!({"match_phrase": {field: text}}),
        Query::Range { field, from, to } => {
            let mut ends = Map::new();
            match from {
                Bound::Included(from) => drop(ends.insert("gte".to_owned(), from.as_str().into())),
                Bound::Excluded(from) => drop(ends.insert("gt".to_owned(), from.as_str().into())),
                Bound::Unbounded => {}
            }
            match to {
                Bound::Included(to) => drop(ends.insert("lte".to_owned(), to.as_str().into())),
                Bound::Excluded(to) => drop(ends.insert("lt".to_owned(), to.as_str().into())),
                Bound::Unbounded => {}
            }
            json!({"range": {field: ends}})
        }
    }
}

fn inner(query: &Query) -> Option<&Query> {
    match query {
        Query::Not(part) => Some(part),
        _ => None,
    }
}

fn on_text(query: &str, field: &str, text: &str, caseless: bool) -> Value {
    match caseless && text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        true => json!({query: {field: {"value": text, "case_insensitive": true}}}),
        false => json!({query: {field: {"value": text}}}),
    }
}

fn wildcard(parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Star => out.push('*'),
            Part::One => out.push('?'),
            Part::Text(text) => {
                for c in text.chars() {
                    if matches!(c, '*' | '?' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    out
}
