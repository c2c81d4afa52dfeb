//! From a predicate to Lucene's query language.

use crate::note::Written;
use crate::plan::{Language, Query, plan};
use crate::schema::Schema;
use predicate::{Part, Predicate};
use std::ops::Bound;

/// Writes `predicate` as a query string for an index of this schema. It runs as `query_string` on Elasticsearch 7.17 to 9
/// and OpenSearch 2 and 3, and in the search bars that take Lucene's language.
///
/// Case is disregarded by expressions such as `/[cC][mM][dD]\.[eE][xX][eE]/`, exactly, since the language has nothing for it.
///
/// ```
/// use predicate::{Field, Matcher, Predicate, Test};
/// use query::Schema;
///
/// let is_cmd = Predicate::Test(Test::Value(Field::path("name"), Matcher::text("cmd")));
/// let written = query::lucene(&Predicate::Not(Box::new(is_cmd)), &Schema::keywords());
/// assert_eq!(written.query, "(*:* AND NOT name:/[cC][mM][dD]/)");
/// assert!(written.notes.is_empty());
/// ```
pub fn lucene(predicate: &Predicate, schema: &Schema) -> Written<String> {
    let (query, notes) = plan(predicate, schema, Language::Lucene);
    Written {
        query: write(&query),
        notes,
    }
}

fn write(query: &Query) -> String {
    match query {
        Query::All(parts) if parts.is_empty() => "*:*".to_owned(),
        Query::Any(parts) if parts.is_empty() => "(*:* AND NOT *:*)".to_owned(),
        Query::All(parts) => {
            // What excludes must stand beside something that includes.
            let is_not = |part: &Query| matches!(part, Query::Not(_));
            let everything = parts.iter().all(is_not).then(|| "*:*".to_owned());
            let parts = parts.iter().map(|part| match part {
                Query::Not(part) => format!("NOT {}", write(part)),
                part => write(part),
            });
            let parts: Vec<String> = everything.into_iter().chain(parts).collect();
            format!("({})", parts.join(" AND "))
        }
        Query::Any(parts) => {
            let parts: Vec<String> = parts.iter().map(write).collect();
            format!("({})", parts.join(" OR "))
        }
        Query::Not(part) => format!("(*:* AND NOT {})", write(part)),
        Query::Exists(field) => format!("_exists_:{}", name(field)),
        Query::Term { field, text, .. } => format!("{}:{}", name(field), term(text)),
        Query::Wildcard { field, parts, .. } => match &**parts {
            // `f:*` would also find objects.
            [Part::Star] => format!("{}:/.*/", name(field)),
            parts => format!("{}:{}", name(field), wildcard(parts)),
        },
        Query::Regexp { field, regexp } => format!("{}:/{regexp}/", name(field)),
        Query::AnyRegexp(regexp) => format!("*:/{regexp}/"),
        Query::Phrase { field, text } => format!("{}:{}", name(field), quoted(text)),
        Query::Range { field, from, to } => {
            let (open, from) = match from {
                Bound::Included(from) => ('[', range_end(from)),
                Bound::Excluded(from) => ('{', range_end(from)),
                Bound::Unbounded => ('[', "*".to_owned()),
            };
            let (to, close) = match to {
                Bound::Included(to) => (range_end(to), ']'),
                Bound::Excluded(to) => (range_end(to), '}'),
                Bound::Unbounded => ("*".to_owned(), ']'),
            };
            format!("{}:{open}{from} TO {to}{close}", name(field))
        }
    }
}

/// Whether a text is a word that means itself wherever it stands.
fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    !text.is_empty() && text.chars().all(is_plain) && !is_operator(text)
}

fn is_operator(text: &str) -> bool {
    matches!(text, "AND" | "OR" | "NOT" | "TO")
}

/// Whether a character needs a backslash in a word. More do than must.
fn is_special(c: char) -> bool {
    c.is_whitespace()
        || c.is_ascii_punctuation()
            && !matches!(
                c,
                '_' | '.' | '@' | ',' | ';' | '#' | '$' | '%' | '\'' | '`'
            )
}

fn name(field: &str) -> String {
    match is_operator(field) {
        true => format!("\\{field}"),
        false => word(field),
    }
}

fn word(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if is_special(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn term(text: &str) -> String {
    match is_plain(text) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn wildcard(parts: &[Part]) -> String {
    let parts = parts.iter().map(|part| match part {
        Part::Star => "*".to_owned(),
        Part::One => "?".to_owned(),
        Part::Text(text) => word(text),
    });
    parts.collect()
}

/// An end of a range. There is no way to escape a blank or bracket there but by its code.
fn range_end(text: &str) -> String {
    let mut out = String::new();
    for (number, c) in text.chars().enumerate() {
        let is_plain =
            c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_') || !c.is_ascii();
        if is_plain && !c.is_whitespace() && !(number == 0 && is_operator(text)) {
            out.push(c);
        } else {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        }
    }
    out
}
