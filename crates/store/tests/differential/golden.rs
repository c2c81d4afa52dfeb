//! The queries that other converters made of rules.

use crate::corpus::lines;
use crate::random::Dice;
use serde_json::{Value, json};
use std::path::Path;

/// How many queries of each file are asked unless all are to be.
const SAMPLE: usize = 50;

/// Set to whatever, it has all queries asked.
const ALL: &str = "SIGTAG_ALL_GOLDEN";

/// Whether all is to be asked, and not what there is time for.
pub fn is_all() -> bool {
    std::env::var_os(ALL).is_some()
}

/// Queries of a file.
pub struct Queries {
    /// Those that name the fields that they ask,
    pub narrow: Vec<Value>,
    /// and those that ask all fields for something.
    pub wide: Vec<Value>,
}

/// The queries of a file, or a sample of them.
pub fn queries(shared: &Path, name: &str) -> Queries {
    let is_lucene = name.starts_with("es-qs");
    let mut queries = Vec::new();
    for line in lines(&shared.join(format!("golden/{name}.jsonl.zst"))) {
        let line: Value = serde_json::from_str(&line).unwrap();
        let Some(output) = line["output"].as_str() else {
            continue;
        };
        if is_lucene {
            let texts = output.lines().filter(|text| !text.trim().is_empty());
            queries.extend(texts.map(|text| json!({"query_string": {"query": text}})));
            continue;
        }
        let output: Value = serde_json::from_str(output).unwrap();
        match output.as_array() {
            Some(several) => queries.extend(several.iter().map(|one| one["query"].clone())),
            None => queries.push(output["query"].clone()),
        }
    }
    if !is_all() {
        let mut dice = Dice::new(queries.len() as u64);
        queries = (0..SAMPLE.min(queries.len()))
            .map(|_| queries.swap_remove(dice.below(queries.len())))
            .collect();
    }
    let (wide, narrow) = queries.into_iter().partition(asks_all_fields);
    Queries { narrow, wide }
}

fn asks_all_fields(query: &Value) -> bool {
    match query["query_string"]["query"].as_str() {
        Some(text) => text.contains(r"\*.keyword:") || has_bare_term(text),
        None => query.to_string().contains(r#""fields":[]"#),
    }
}

/// Whether something in a query string has no field.
fn has_bare_term(text: &str) -> bool {
    // For each open bracket, whether it is the value of a field.
    let mut open: Vec<bool> = Vec::new();
    let mut is_value = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '+' | '-' | '!' => continue,
            '(' => open.push(is_value),
            ')' => drop(open.pop()),
            c => {
                let end = matches!(c, '"' | '/').then_some(c);
                let mut term = String::from(c);
                let mut before = if end.is_none() { c } else { ' ' };
                while let Some(next) = chars.peek().copied() {
                    let is_escaped = before == '\\';
                    let is_over = match end {
                        Some(_) => false,
                        None => !is_escaped && " ():".contains(next),
                    };
                    if is_over {
                        break;
                    }
                    chars.next();
                    term.push(next);
                    if end == Some(next) && !is_escaped {
                        break;
                    }
                    before = if is_escaped { ' ' } else { next };
                }
                if end.is_none() && chars.next_if_eq(&':').is_some() {
                    is_value = true;
                    continue;
                }
                let is_operator = matches!(&*term, "AND" | "OR" | "NOT" | "&&" | "||");
                if !is_operator && !is_value && !open.contains(&true) {
                    return true;
                }
            }
        }
        is_value = false;
    }
    false
}

#[test]
fn bare_terms_are_seen() {
    for (text, has) in [
        ("a:b AND (c:d OR NOT e:\"f g\")", false),
        ("a.b\\ c:(x OR \"y z\" OR /r (t/)", false),
        ("(a:b OR \\*x\\:y*)", true),
        ("\"a:b\"", true),
        ("a:(b OR (c AND d)) AND /x/", true),
        ("a:\\(b\\ c\\)", false),
    ] {
        assert_eq!(has_bare_term(text), has, "{text}");
    }
}
