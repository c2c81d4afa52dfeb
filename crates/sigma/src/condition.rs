//! The condition of a rule: `selection and not 1 of filter_*`.
//!
//! `or` binds weaker than `and`, `and` weaker than `not`, `not` weaker than `1 of`. Words are whole words: `notepad`
//! is an identifier. The words of the language are lower case; `AND` is an error that says so. A pattern that matches
//! no search is an error, too: dropping the term in silence would turn `a and 1 of typo*` into `a`.

use crate::detection::Link;
use std::ops::Range;

/// A condition, its identifiers resolved and its globs expanded. Indices point into
/// [`Detection::searches`](crate::Detection::searches).
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of them.
    And(Vec<Condition>),
    /// At least one of them.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// The search with this index.
    Search(usize),
    /// `1 of …` or `all of …`.
    Selector {
        /// [`Link::Any`] for `1 of` and `any of`, [`Link::All`] for `all of`.
        quantifier: Link,
        /// The pattern as written; `them` for all.
        pattern: String,
        /// The searches it means; never empty.
        searches: Vec<usize>,
    },
}

/// Brackets and `not` may be nested this deep.
const MAX_DEPTH: usize = 64;
/// So many names may be looked at to resolve the conditions of a rule.
const MAX_LOOKUPS: usize = 1_000_000;

/// What is wrong with a condition, and at which bytes of it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub code: &'static str,
    pub range: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(code: &'static str, range: Range<usize>, message: impl Into<String>) -> Problem {
        Problem {
            code,
            range,
            message: message.into(),
            help: None,
        }
    }

    pub fn help(self, help: impl Into<String>) -> Problem {
        Problem {
            help: Some(help.into()),
            ..self
        }
    }
}

/// A condition as written.
#[derive(Debug, PartialEq)]
pub(crate) enum Ast<'t> {
    And(Vec<Ast<'t>>),
    Or(Vec<Ast<'t>>),
    Not(Box<Ast<'t>>),
    Name(Word<'t>),
    Selector(Link, Word<'t>),
}

/// A word of a condition or one of its brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'t> {
    pub text: &'t str,
    at: usize,
}

impl Word<'_> {
    pub fn range(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }
}

/// Reads a condition.
pub(crate) fn parse(text: &str) -> Result<Ast<'_>, Problem> {
    if let Some(at) = text.find('|') {
        return Err(Problem::new(
            "deprecated-aggregation",
            at..text.len(),
            "aggregations behind `|` are no part of Sigma 2",
        )
        .help("write a correlation rule that refers to this rule"));
    }
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let ast = parser.or()?;
    match parser.peek() {
        None => Ok(ast),
        Some(word) => Err(parser.unexpected(word, "`and`, `or` or the end of the condition")),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Word<'t>> {
        let rest = &self.text[self.at..];
        let at = self.at + rest.len() - rest.trim_start().len();
        let rest = &self.text[at..];
        let first = rest.chars().next()?;
        let end = if matches!(first, '(' | ')') {
            1
        } else {
            rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
                .unwrap_or(rest.len())
        };
        Some(Word {
            text: &rest[..end],
            at,
        })
    }

    fn next(&mut self) -> Option<Word<'t>> {
        let word = self.peek()?;
        self.at = word.range().end;
        Some(word)
    }

    fn next_if(&mut self, text: &str) -> bool {
        let there = self.peek().is_some_and(|word| word.text == text);
        if there {
            self.next();
        }
        there
    }

    fn or(&mut self) -> Result<Ast<'t>, Problem> {
        self.chain("or", Parser::and, Ast::Or)
    }

    fn and(&mut self) -> Result<Ast<'t>, Problem> {
        self.chain("and", Parser::not, Ast::And)
    }

    fn chain(
        &mut self,
        operator: &str,
        operand: fn(&mut Self) -> Result<Ast<'t>, Problem>,
        join: fn(Vec<Ast<'t>>) -> Ast<'t>,
    ) -> Result<Ast<'t>, Problem> {
        let first = operand(self)?;
        let mut operands = vec![first];
        while self.next_if(operator) {
            operands.push(operand(self)?);
        }
        Ok(if operands.len() == 1 {
            operands.remove(0)
        } else {
            join(operands)
        })
    }

    fn not(&mut self) -> Result<Ast<'t>, Problem> {
        let start = self.at;
        if !self.next_if("not") {
            return self.operand();
        }
        self.nested(start, Parser::not)
            .map(|inner| Ast::Not(Box::new(inner)))
    }

    fn operand(&mut self) -> Result<Ast<'t>, Problem> {
        const WANTED: &str = "a search, `not`, `1 of`, `all of` or `(`";
        let Some(word) = self.next() else {
            let end = self.text.len();
            return Err(Problem::new(
                "condition",
                end..end,
                format!("the condition ends where {WANTED} is expected"),
            ));
        };
        let of = self.peek().is_some_and(|next| next.text == "of");
        match word.text {
            "(" => {
                let inner = self.nested(word.at, Parser::or)?;
                match self.next() {
                    Some(close) if close.text == ")" => Ok(inner),
                    Some(other) => Err(self.unexpected(other, "`and`, `or` or `)`")),
                    None => Err(Problem::new(
                        "condition",
                        word.range(),
                        "this bracket is never closed",
                    )),
                }
            }
            ")" | "and" | "or" => Err(self.unexpected(word, WANTED)),
            "1" | "any" | "all" if of => {
                self.next();
                let quantifier = if word.text == "all" {
                    Link::All
                } else {
                    Link::Any
                };
                match self.next() {
                    Some(pattern) if !matches!(pattern.text, "(" | ")") => {
                        Ok(Ast::Selector(quantifier, pattern))
                    }
                    Some(other) => {
                        Err(self.unexpected(other, "`them` or a pattern such as `filter_*`"))
                    }
                    None => Err(Problem::new(
                        "condition",
                        word.range(),
                        "`of` needs `them` or a pattern behind it",
                    )),
                }
            }
            _ if of => Err(Problem::new(
                "condition",
                word.range(),
                format!("`{} of` is no quantifier", word.text),
            )
            .help("there are `1 of`, `any of` and `all of`")),
            _ => Ok(Ast::Name(word)),
        }
    }

    fn nested(
        &mut self,
        start: usize,
        inner: fn(&mut Self) -> Result<Ast<'t>, Problem>,
    ) -> Result<Ast<'t>, Problem> {
        if self.depth == MAX_DEPTH {
            let message = format!("the condition is nested deeper than {MAX_DEPTH} levels");
            return Err(Problem::new("too-deep", start..self.at, message));
        }
        self.depth += 1;
        let ast = inner(self);
        self.depth -= 1;
        ast
    }

    fn unexpected(&self, word: Word<'_>, wanted: &str) -> Problem {
        let problem = Problem::new(
            "condition",
            word.range(),
            format!("`{}` where {wanted} is expected", word.text),
        );
        match word.text.to_lowercase().as_str() {
            lower @ ("and" | "or" | "of") if lower != word.text => problem.help(format!(
                "the words of a condition are lower case: `{lower}`"
            )),
            _ if self.text[..word.at].trim_end().ends_with("NOT") => {
                problem.help("the words of a condition are lower case: `not`")
            }
            _ => problem,
        }
    }
}

/// Puts the indices of searches in the place of their names.
pub(crate) struct Resolver<'n> {
    names: &'n [&'n str],
    left: usize,
}

impl<'n> Resolver<'n> {
    pub fn new(names: &'n [&'n str]) -> Resolver<'n> {
        Resolver {
            names,
            left: MAX_LOOKUPS,
        }
    }

    pub fn resolve(&mut self, ast: &Ast<'_>) -> Result<Condition, Problem> {
        match ast {
            Ast::And(parts) => self.resolve_all(parts).map(Condition::And),
            Ast::Or(parts) => self.resolve_all(parts).map(Condition::Or),
            Ast::Not(inner) => self
                .resolve(inner)
                .map(|inner| Condition::Not(Box::new(inner))),
            Ast::Name(word) => {
                self.spend(word)?;
                match self.names.iter().position(|name| *name == word.text) {
                    Some(index) => Ok(Condition::Search(index)),
                    None => Err(self.undefined(word)),
                }
            }
            Ast::Selector(quantifier, word) => self.select(*quantifier, word),
        }
    }

    fn resolve_all(&mut self, parts: &[Ast<'_>]) -> Result<Vec<Condition>, Problem> {
        parts.iter().map(|part| self.resolve(part)).collect()
    }

    fn spend(&mut self, word: &Word<'_>) -> Result<(), Problem> {
        let too_big = || {
            Problem::new(
                "condition-too-big",
                word.range(),
                "the condition names too many searches",
            )
        };
        self.left = self
            .left
            .checked_sub(self.names.len())
            .ok_or_else(too_big)?;
        Ok(())
    }

    fn undefined(&self, word: &Word<'_>) -> Problem {
        let problem = Problem::new(
            "undefined-search",
            word.range(),
            format!("there is no search `{}`", word.text),
        );
        if word.text.contains('*') {
            return problem.help(format!(
                "did you mean `1 of {}` or `all of {}`?",
                word.text, word.text
            ));
        }
        problem.help(self.known())
    }

    fn known(&self) -> String {
        const SHOWN: usize = 8;
        let shown = self
            .names
            .iter()
            .take(SHOWN)
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let more = if self.names.len() > SHOWN {
            ", …"
        } else {
            ""
        };
        format!("the searches of this rule are {shown}{more}")
    }

    fn select(&mut self, quantifier: Link, word: &Word<'_>) -> Result<Condition, Problem> {
        self.spend(word)?;
        let hidden = word.text.starts_with('_');
        let wanted = |name: &str| match word.text {
            "them" => !name.starts_with('_'),
            pattern => (hidden || !name.starts_with('_')) && glob(pattern, name),
        };
        let searches: Vec<usize> = self
            .names
            .iter()
            .enumerate()
            .filter(|(_, name)| wanted(name))
            .map(|(index, _)| index)
            .collect();
        if searches.is_empty() {
            let message = format!("`{}` matches no search", word.text);
            return Err(Problem::new("undefined-search", word.range(), message).help(self.known()));
        }
        Ok(Condition::Selector {
            quantifier,
            pattern: word.text.to_owned(),
            searches,
        })
    }
}

/// Whether the name matches the pattern, in which `*` is any number of characters. Case matters.
fn glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(condition: &Condition) -> String {
        let join = |parts: &[Condition], word: &str| {
            format!(
                "({})",
                parts.iter().map(show).collect::<Vec<_>>().join(word)
            )
        };
        match condition {
            Condition::And(parts) => join(parts, " & "),
            Condition::Or(parts) => join(parts, " | "),
            Condition::Not(inner) => format!("!{}", show(inner)),
            Condition::Search(index) => index.to_string(),
            Condition::Selector {
                quantifier,
                searches,
                ..
            } => format!("{quantifier:?}{searches:?}"),
        }
    }

    const NAMES: [&str; 6] = ["s1", "s2", "notepad", "_x", "filter_a.b", "of-s"];

    fn read(text: &str) -> Result<String, Problem> {
        parse(text)
            .and_then(|ast| Resolver::new(&NAMES).resolve(&ast))
            .map(|condition| show(&condition))
    }

    #[test]
    fn operators_bind_as_the_specification_says() {
        for (text, meaning) in [
            ("s1", "0"),
            ("s1 and s2", "(0 & 1)"),
            ("s1 or s2 and notepad", "(0 | (1 & 2))"),
            ("(s1 or s2) and notepad", "((0 | 1) & 2)"),
            ("not s1 and s2", "(!0 & 1)"),
            ("not not s1", "!!0"),
            ("s1 and not notepad", "(0 & !2)"),
            ("((s1))", "0"),
            ("s1\n  and\ts2", "(0 & 1)"),
            ("s1 or not 1 of s*", "(0 | !Any[0, 1])"),
            ("(s1)or(s2)", "(0 | 1)"),
            ("filter_a.b", "4"),
        ] {
            assert_eq!(read(text).unwrap(), meaning, "{text}");
        }
    }

    #[test]
    fn selectors_pick_by_glob_and_leave_hidden_searches_alone() {
        for (text, meaning) in [
            ("1 of them", "Any[0, 1, 2, 4, 5]"),
            ("any of s*", "Any[0, 1]"),
            ("all of *1", "All[0]"),
            ("1 of _*", "Any[3]"),
            ("1 of *", "Any[0, 1, 2, 4, 5]"),
            ("1 of s1", "Any[0]"),
            ("all of filter_*", "All[4]"),
            ("1 of n*p*d", "Any[2]"),
        ] {
            assert_eq!(read(text).unwrap(), meaning, "{text}");
        }
    }

    #[test]
    fn errors_name_the_place_and_the_reason() {
        for (text, code, place) in [
            ("s1 AND s2", "condition", "AND"),
            ("NOT s1", "condition", "s1"),
            ("s1 s2", "condition", "s2"),
            ("s1 and", "condition", ""),
            ("", "condition", ""),
            ("(s1", "condition", "("),
            ("s1)", "condition", ")"),
            ("2 of s*", "condition", "2"),
            ("1 of (s1, s2)", "condition", "("),
            ("1 of", "condition", "1"),
            ("1 OF s*", "condition", "OF"),
            ("s1 and s3", "undefined-search", "s3"),
            ("s1 and s*", "undefined-search", "s*"),
            ("1 of z*", "undefined-search", "z*"),
            ("1 of S*", "undefined-search", "S*"),
            (
                "s1 | count() > 5",
                "deprecated-aggregation",
                "| count() > 5",
            ),
        ] {
            let problem = read(text).unwrap_err();
            assert_eq!(
                (problem.code, &text[problem.range.clone()]),
                (code, place),
                "{text}: {}",
                problem.message
            );
        }
    }

    #[test]
    fn ten_thousand_brackets_are_an_error() {
        for text in [
            "(".repeat(10_000),
            "not ".repeat(10_000),
            format!("{}s1{}", "(".repeat(9_999), ")".repeat(9_999)),
        ] {
            assert_eq!(read(&text).unwrap_err().code, "too-deep");
        }
    }

    #[test]
    fn globs_match_whole_names() {
        assert!(glob("a*b*c", "abbc") && glob("a", "a") && glob("**", "") && glob("a*", "a"));
        assert!(!glob("a", "ab") && !glob("a*b", "ba") && !glob("ab*b", "ab") && !glob("*a", "ab"));
    }
}
