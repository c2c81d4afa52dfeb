//! Trees as queries in Elasticsearch's Event Query Language, as sigmac writes them.

use super::query_string::is_lone_backslash;
use super::tree::Tree;
use super::value::{Operand, Value};
use std::collections::BTreeSet;

/// The query for one event; an error says which value cannot be written. No tree: any event.
pub(crate) fn event(tree: Option<&Tree>) -> Result<String, String> {
    let Some(tree) = tree else {
        return Ok("any where true".to_owned());
    };
    let mut writer = Writer::default();
    let condition = writer.query(tree)?;
    let mut categories = writer.categories.into_iter();
    let category = match (categories.next(), categories.next()) {
        (Some(category), None) => category,
        _ => "any",
    };
    Ok(format!("{category} where {condition}"))
}

/// The event categories that fields of the same name belong to.
const CATEGORIES: [&str; 4] = ["file", "network", "process", "registry"];

#[derive(Debug, Default)]
struct Writer {
    categories: BTreeSet<&'static str>,
}

impl Writer {
    fn query(&mut self, tree: &Tree) -> Result<String, String> {
        match tree {
            Tree::And(trees) => self.joined(trees, " and "),
            Tree::Or(trees) => self.joined(trees, " or "),
            Tree::Not(inner) => Ok(format!(" not {}", self.query(inner)?)),
            Tree::Group(inner) => match &**inner {
                Tree::Not(_) => self.query(inner),
                inner => Ok(format!("({})", self.query(inner)?)),
            },
            Tree::Keyword(value) => Ok(quoted(&value.shown())),
            Tree::Field(field, operand) => self.test(field, operand),
        }
    }

    /// The operands in the order of their texts, which is sigmac's way to have the same query each time.
    fn joined(&mut self, trees: &[Tree], by: &str) -> Result<String, String> {
        let parts: Result<Vec<String>, String> =
            trees.iter().map(|tree| self.query(tree)).collect();
        let mut parts = parts?;
        parts.sort();
        Ok(parts.join(by))
    }

    fn test(&mut self, field: &str, operand: &Operand) -> Result<String, String> {
        let name = self.name(field)?;
        Ok(match operand {
            Operand::One(Value::Null) => format!("{name} == null"),
            Operand::One(value) => format!("{name} : {}", literal(value)?),
            Operand::List(items) => match items.as_slice() {
                [item] => format!("{name} : {}", item_literal(item)?),
                items => {
                    let items: Result<Vec<String>, String> =
                        items.iter().map(item_literal).collect();
                    format!("{name} : ({})", items?.join(","))
                }
            },
            Operand::Any(_) | Operand::All(_) => {
                return Err("a field cannot be compared with several values at once".to_owned());
            }
        })
    }

    /// The name as EQL wants it; its first part may say what category the event is of.
    fn name(&mut self, field: &str) -> Result<String, String> {
        if field.is_empty() {
            return Err("a list of keywords cannot have modifiers for this target".to_owned());
        }
        let first = field.split('.').next().unwrap_or_default();
        if let Some(category) = CATEGORIES.iter().find(|category| **category == first) {
            self.categories.insert(category);
        }
        Ok(if field.contains(['-', ' ']) {
            format!("`{field}`")
        } else {
            field.to_owned()
        })
    }
}

fn item_literal(item: &Operand) -> Result<String, String> {
    match item {
        Operand::One(value) => literal(value),
        _ => Err("a list of values cannot hold what a modifier has made several of".to_owned()),
    }
}

fn literal(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(_) | Value::Int(_) => Ok(quoted(&value.shown())),
        value => Err(format!("a field cannot be compared with {}", value.kind())),
    }
}

/// A text in quotes: its escapes are Sigma's, but for a lone backslash.
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 8);
    text.push('"');
    for (at, c) in value.char_indices() {
        if c == '"' || c == '\\' && is_lone_backslash(value.as_bytes(), at) {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, text: &str) -> Tree {
        Tree::Field(name.to_owned(), Operand::One(Value::Text(text.to_owned())))
    }

    #[test]
    fn the_category_is_that_of_all_fields_that_have_one() {
        let both = Tree::And(vec![field("process.name", "a"), field("user.name", "b")]);
        let query = event(Some(&both)).unwrap();
        assert_eq!(
            query,
            r#"process where process.name : "a" and user.name : "b""#
        );
        let many = Tree::And(vec![field("process.name", "a"), field("file.path", "b")]);
        let query = event(Some(&many)).unwrap();
        assert_eq!(query, r#"any where file.path : "b" and process.name : "a""#);
    }

    #[test]
    fn names_and_values_are_quoted() {
        let odd = field("c-uri path", r#"a\b\\c\*"d""#);
        let query = event(Some(&odd)).unwrap();
        assert_eq!(query, r#"any where `c-uri path` : "a\\b\\c\*\"d\"""#);
    }
}
