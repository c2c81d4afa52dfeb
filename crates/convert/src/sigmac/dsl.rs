//! Trees as queries in Elasticsearch's JSON, as sigmac writes them.

use super::options::{Fields, has_wildcard};
use super::tree::Tree;
use super::value::{Operand, Value};
use serde_json::{Value as Json, json};

/// The query; an error says which value cannot be written.
pub(crate) fn query(tree: &Tree, fields: &Fields) -> Result<Json, String> {
    let all = |trees: &[Tree]| {
        trees
            .iter()
            .map(|tree| query(tree, fields))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match tree {
        Tree::And(trees) => json!({"bool": {"must": all(trees)?}}),
        Tree::Or(trees) => any(all(trees)?),
        Tree::Not(inner) => json!({"bool": {"must_not": [query(inner, fields)?]}}),
        Tree::Group(inner) => query(inner, fields)?,
        Tree::Keyword(value) => {
            let value = match value {
                Value::Int(digits) => number(digits),
                value => value.shown().into(),
            };
            json!({"multi_match": {"query": value, "fields": [], "type": "phrase"}})
        }
        Tree::Field(field, operand) => test(field, operand, fields)?,
    })
}

/// A number of any size.
fn number(digits: &str) -> Json {
    serde_json::from_str(digits).unwrap_or_else(|_| digits.into())
}

fn any(queries: Vec<Json>) -> Json {
    json!({"bool": {"should": queries}})
}

fn test(field: &str, operand: &Operand, fields: &Fields) -> Result<Json, String> {
    match operand {
        Operand::One(Value::Null) => {
            Ok(json!({"bool": {"must_not": {"exists": {"field": fields.analysed_name(field)}}}}))
        }
        Operand::One(Value::Regex(text)) => Ok(one(
            "regexp",
            fields.access(field, false, true).name,
            text.clone(),
        )),
        Operand::One(value @ (Value::Text(_) | Value::Int(_))) => {
            Ok(text(field, &value.shown(), fields))
        }
        Operand::One(value) => Err(format!("a field cannot be compared with {}", value.kind())),
        Operand::List(items) | Operand::Any(items) => {
            let item = |item: &Operand| match item {
                Operand::One(value @ Value::Regex(_)) => {
                    test(field, &Operand::One(value.clone()), fields)
                }
                Operand::One(value) => Ok(text(field, &value.shown(), fields)),
                // The name is looked up once for the list, and once more inside it.
                several => test(&fields.access(field, false, false).name, several, fields),
            };
            Ok(any(items.iter().map(item).collect::<Result<_, _>>()?))
        }
        Operand::All(_) => Err("a field cannot be compared with several values at once".to_owned()),
    }
}

/// A query with one parameter.
fn one(kind: &str, field: String, value: String) -> Json {
    json!({kind: {field: value}})
}

fn text(field: &str, value: &str, fields: &Fields) -> Json {
    let wildcard = has_wildcard(value);
    let access = fields.access(field, wildcard, false);
    if access.caseless {
        let (kind, value) = caseless(value, wildcard);
        one(kind, access.name, value)
    } else if access.keyword || wildcard {
        one("wildcard", access.name, escaped(value))
    } else {
        one("match_phrase", access.name, value.to_owned())
    }
}

/// Sigma's escapes are Elasticsearch's, but for a lone backslash, and two of them before a `*`.
fn escaped(value: &str) -> String {
    value.replace(r"\\*", r"\*").replace('\\', r"\\")
}

/// An expression that finds both cases of each letter; what has no letter, and what looks like an UUID, stays as it is.
fn caseless(value: &str, wildcard: bool) -> (&'static str, String) {
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    if !wildcard && (!letters || is_uuid(value)) {
        return ("wildcard", escaped(value));
    }
    let mut expression = String::with_capacity(4 * value.len());
    let mut is_escaped = false;
    for c in super::query_string::escaped(value).chars() {
        match c {
            '*' if !is_escaped => expression.push_str(".*"),
            '.' | '?' | '@' | '~' | '#' | '<' | '>' | '&' if !is_escaped => {
                expression.extend(['\\', c])
            }
            c if c.is_ascii_alphabetic() => {
                expression.extend(['[', c.to_ascii_uppercase(), c.to_ascii_lowercase(), ']']);
            }
            c => expression.push(c),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    ("regexp", expression)
}

fn is_uuid(value: &str) -> bool {
    let widths = [8, 4, 4, 4, 12];
    let bare = value.trim_matches(['{', '}']);
    let parts: Vec<&str> = bare.split('-').collect();
    parts.len() == widths.len()
        && parts.iter().zip(widths).all(|(part, width)| {
            part.len() == width && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}
