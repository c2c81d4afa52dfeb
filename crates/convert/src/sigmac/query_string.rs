//! Trees as Lucene query strings, as sigmac writes them.

use super::options::{Fields, Options, has_wildcard};
use super::tree::Tree;
use super::value::{Operand, Value};

/// Writes query strings.
pub(crate) struct Writer<'o> {
    fields: &'o Fields,
    /// The name of all fields together, for keywords.
    everywhere: &'o str,
    /// Whether the last value was searched as a whole: it decides how a lone keyword is written.
    keyword: bool,
}

impl<'o> Writer<'o> {
    pub fn new(fields: &'o Fields, options: &'o Options) -> Writer<'o> {
        let everywhere = options.or("not_bound_keyword", r"\*.keyword");
        Writer {
            fields,
            everywhere,
            keyword: true,
        }
    }

    /// The query; an error says which value cannot be written.
    pub fn query(&mut self, tree: &Tree) -> Result<String, String> {
        match tree {
            Tree::And(trees) => self.joined(trees, " AND "),
            Tree::Or(trees) => self.joined(trees, " OR "),
            Tree::Not(inner) => Ok(format!("NOT {}", self.query(inner)?)),
            Tree::Group(inner) => self.group(inner),
            Tree::Keyword(value) => Ok(self.keyword(value)),
            Tree::Field(field, operand) => self.test(field, operand),
        }
    }

    fn joined(&mut self, trees: &[Tree], by: &str) -> Result<String, String> {
        let parts: Result<Vec<String>, String> =
            trees.iter().map(|tree| self.query(tree)).collect();
        Ok(parts?.join(by))
    }

    fn group(&mut self, inner: &Tree) -> Result<String, String> {
        let (trees, by) = match inner {
            Tree::And(trees) => (trees, " AND "),
            Tree::Or(trees) => (trees, " OR "),
            other => return Ok(format!("({})", self.query(other)?)),
        };
        let keywords: Option<Vec<String>> = trees
            .iter()
            .map(|tree| match tree {
                Tree::Keyword(Value::Text(text)) => Some(escaped(&anywhere(text))),
                Tree::Keyword(value) => Some(escaped(&value.shown())),
                _ => None,
            })
            .collect();
        if let Some(keywords) = keywords {
            self.keyword = false;
            return Ok(format!("{}:({})", self.everywhere, keywords.join(by)));
        }
        Ok(format!("({})", self.joined(trees, by)?))
    }

    fn keyword(&mut self, value: &Value) -> String {
        let value = value.shown();
        value_text(&value, self.keyword || has_wildcard(&value))
    }

    fn test(&mut self, field: &str, operand: &Operand) -> Result<String, String> {
        let name = |field: &str| field.replace(' ', r"\ ");
        Ok(match operand {
            Operand::One(Value::Null) => {
                format!("NOT _exists_:{}", name(&self.fields.analysed_name(field)))
            }
            Operand::One(Value::Regex(text)) => {
                let access = self.fields.access(field, false, true);
                self.keyword = access.keyword;
                format!("{}:/{}/", name(&access.name), searching(text)?)
            }
            Operand::One(value @ (Value::Text(_) | Value::Int(_))) => {
                let value = value.shown();
                let keyword = self.access(field, has_wildcard(&value));
                format!("{}:{}", name(&keyword.0), value_text(&value, keyword.1))
            }
            Operand::One(value) => {
                return Err(format!("a field cannot be compared with {}", value.kind()));
            }
            Operand::List(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    match item {
                        Operand::One(value @ (Value::Text(_) | Value::Int(_))) => {
                            texts.push(value.shown())
                        }
                        Operand::One(value) => {
                            return Err(format!("a list of values cannot hold {}", value.kind()));
                        }
                        _ => {
                            return Err(
                                "a list of values cannot hold what a modifier has made several of"
                                    .to_owned(),
                            );
                        }
                    }
                }
                let (access, keyword) =
                    self.access(field, texts.iter().any(|text| has_wildcard(text)));
                let values: Vec<String> =
                    texts.iter().map(|text| value_text(text, keyword)).collect();
                match values.as_slice() {
                    [value] => format!("{}:{value}", name(&access)),
                    values => format!("{}:({})", name(&access), values.join(" OR ")),
                }
            }
            Operand::Any(_) | Operand::All(_) => {
                return Err("a field cannot be compared with several values at once".to_owned());
            }
        })
    }

    fn access(&mut self, field: &str, wildcard: bool) -> (String, bool) {
        let access = self.fields.access(field, wildcard, false);
        self.keyword = access.keyword;
        (access.name, access.keyword)
    }
}

/// A text with a `*` at both ends.
fn anywhere(text: &str) -> String {
    let before = if text.starts_with('*') { "" } else { "*" };
    let behind = if text.ends_with('*') { "" } else { "*" };
    format!("{before}{text}{behind}")
}

fn value_text(value: &str, keyword: bool) -> String {
    if keyword {
        escaped(value)
    } else {
        format!("\"{}\"", escaped(value))
    }
}

/// Lucene's expressions are anchored, so sigmac takes anchors away. Where there is one, the other end is set free; where
/// there is none, both stay bound.
fn searching(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty regular expression cannot be written".to_owned());
    }
    let (start, rest) = text
        .strip_prefix('^')
        .map_or((false, text), |rest| (true, rest));
    let (end, rest) = rest
        .strip_suffix('$')
        .map_or((false, rest), |rest| (true, rest));
    Ok(match (start, end) {
        (true, false) => format!("{rest}.*"),
        (false, true) => format!(".*{rest}"),
        _ => rest.to_owned(),
    })
}

/// Whether the backslash at a place is lone: it neither escapes anything nor is escaped.
pub(crate) fn is_lone_backslash(value: &[u8], at: usize) -> bool {
    let before = at > 0 && value[at - 1] == b'\\';
    !before && !matches!(value.get(at + 1), Some(b'*' | b'?' | b'\\'))
}

/// Sigma's escapes are Lucene's, but for a lone backslash.
pub(crate) fn escaped(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut escaped = String::with_capacity(value.len() + 8);
    for (at, c) in value.char_indices() {
        let next = bytes.get(at + 1).copied();
        let special = match c {
            '+' | '-' | '=' | '!' | '(' | ')' | '{' | '}' | '[' | ']' | '^' | '"' | '~' | ':'
            | '/' => true,
            c if c.is_whitespace() => true,
            '\\' => next == Some(b'u') || is_lone_backslash(bytes, at),
            '&' | '|' => next == Some(c as u8) && !escaped.ends_with(&format!("\\{c}")),
            _ => false,
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
