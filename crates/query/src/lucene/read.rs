//! From a Lucene query to a predicate, as `query_string` reads it.
//!
//! `AND`, `OR` and `NOT` are no operators with precedence: they say of the clauses at their sides whether these must, may
//! or must not match. `a OR b AND c` is `a` if it likes, `b` and `c` by all means.

use super::lexer::{Kind, Token, tokens};
use crate::asked::{Asked, Case, Lowered, all, any, ask, everything, exists, nothing};
use crate::error::{Place, Problem, ReadError};
use crate::regexp::Flags;
use crate::schema::Schema;
use jiff::Timestamp;
use predicate::Predicate;
use std::ops::Bound;

/// How deep groups may lie in one another.
const MAX_DEPTH: usize = 100;

/// What `query_string` can be told beside the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LuceneOptions {
    /// The fields that are asked where the query names none; `*` is all of them.
    pub fields: Vec<String>,
    /// What stands between two clauses where there is nothing.
    pub operator: Operator,
    /// Whether a value that the type of its field does not take finds nothing, instead of being an error.
    pub lenient: bool,
    /// The time that dates such as `now-1d` are relative to.
    pub now: Timestamp,
}

/// Whether clauses are wanted all, or any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// All.
    And,
    /// Any.
    Or,
}

impl LuceneOptions {
    /// As servers have them if nothing is said.
    pub fn new(now: Timestamp) -> LuceneOptions {
        LuceneOptions {
            fields: vec!["*".to_owned()],
            operator: Operator::Or,
            lenient: false,
            now,
        }
    }
}

/// Reads a query in Lucene's language, with the meaning that `query_string` gives it in an index of this schema.
///
/// # Errors
/// [`ReadError`] names the column and what is wrong there: what is no such query, asks a field what its type does not
/// take, or cannot be read here (fuzzy terms, proximity, some operators of regular expressions).
///
/// ```
/// use query::{LuceneOptions, Schema};
///
/// let options = LuceneOptions::new("2024-05-06T07:08:09Z".parse().unwrap());
/// let wanted = query::read_lucene(r"process.name:(cmd.exe OR power*) AND NOT user.name:root", &Schema::keywords(), &options).unwrap();
/// let event = event::Event::parse(br#"{"process": {"name": "powershell.exe"}}"#).unwrap();
/// assert!(wanted.matches(&event));
/// ```
pub fn read_lucene(
    query: &str,
    schema: &Schema,
    options: &LuceneOptions,
) -> Result<Predicate, ReadError> {
    read_at(query, schema, options).map_err(|(column, problem)| ReadError {
        at: Place::Column(column),
        problem,
    })
}

/// As [`read_lucene`], for a query that stands in another.
pub(crate) fn read_at(
    query: &str,
    schema: &Schema,
    options: &LuceneOptions,
) -> Result<Predicate, Failed> {
    if query.trim().is_empty() {
        return Err((1, Problem::Empty));
    }
    let mut parser = Parser {
        tokens: tokens(query)?,
        at: 0,
        schema,
        options,
    };
    let found = parser.query(None, 0)?;
    match parser.kind() {
        Kind::End => Ok(found.unwrap_or_else(nothing)),
        _ => Err(parser.expected("the end, or another clause")),
    }
}

/// The column and what is wrong there.
type Failed = (usize, Problem);

/// What is read; `None` if nothing is left of it, since no word is in it.
type Found = Option<Predicate>;

struct Parser<'q> {
    tokens: Vec<Token>,
    at: usize,
    schema: &'q Schema,
    options: &'q LuceneOptions,
}

/// What a clause is in its query.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occur {
    Must,
    Should,
    MustNot,
}

/// What stands before a clause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conjunction {
    None,
    And,
    Or,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> Kind {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + ahead).min(last)].kind
    }

    fn kind(&self) -> Kind {
        self.peek(0)
    }

    fn column(&self) -> usize {
        self.tokens[self.at].column
    }

    /// The next word. The last one stays.
    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    fn take(&mut self, kind: Kind) -> bool {
        let is_next = self.kind() == kind;
        if is_next {
            self.next();
        }
        is_next
    }

    fn expected(&self, expected: &'static str) -> Failed {
        let token = &self.tokens[self.at];
        let found = match token.kind {
            Kind::End => "the end".to_owned(),
            _ => format!("`{}`", token.image),
        };
        (token.column, Problem::Expected { expected, found })
    }

    /// Clauses, up to the end or a `)`. `field`: what they are about unless they say otherwise.
    fn query(&mut self, field: Option<&str>, depth: usize) -> Result<Found, Failed> {
        if depth > MAX_DEPTH {
            return Err((self.column(), Problem::TooDeep(MAX_DEPTH)));
        }
        let mut clauses: Vec<(Occur, Predicate)> = Vec::new();
        let mut is_first = true;
        while is_first || !matches!(self.kind(), Kind::End | Kind::Close) {
            if self.starts_words() {
                let found = self.several_words(field)?;
                let occur = match self.options.operator {
                    Operator::And => Occur::Must,
                    Operator::Or => Occur::Should,
                };
                clauses.extend(found.map(|found| (occur, found)));
            } else {
                let conjunction = match self.kind() {
                    Kind::And if !is_first => Conjunction::And,
                    Kind::Or if !is_first => Conjunction::Or,
                    _ => Conjunction::None,
                };
                if conjunction != Conjunction::None {
                    self.next();
                }
                let modifier = self.kind();
                if matches!(modifier, Kind::Plus | Kind::Minus | Kind::Not) {
                    self.next();
                }
                let found = self.clause(field, depth)?;
                self.add(&mut clauses, conjunction, modifier, found);
            }
            is_first = false;
        }
        Ok(combine(clauses))
    }

    /// Adds a clause, and changes the one before it as the conjunction says.
    fn add(
        &self,
        clauses: &mut Vec<(Occur, Predicate)>,
        conjunction: Conjunction,
        modifier: Kind,
        found: Found,
    ) {
        let default = self.options.operator;
        if let Some((occur, _)) = clauses.last_mut()
            && *occur != Occur::MustNot
        {
            match conjunction {
                Conjunction::And => *occur = Occur::Must,
                Conjunction::Or if default == Operator::And => *occur = Occur::Should,
                _ => {}
            }
        }
        let Some(found) = found else {
            return;
        };
        let is_required = match default {
            Operator::Or => modifier == Kind::Plus || conjunction == Conjunction::And,
            Operator::And => conjunction != Conjunction::Or,
        };
        let occur = match modifier {
            Kind::Minus | Kind::Not => Occur::MustNot,
            _ if is_required => Occur::Must,
            _ => Occur::Should,
        };
        clauses.push((occur, found));
    }

    /// Whether words without anything between them begin here: they are analysed together.
    fn starts_words(&self) -> bool {
        self.kind() == Kind::Term && self.continues_words(1)
    }

    fn continues_words(&self, ahead: usize) -> bool {
        let is_other = |kind| {
            use Kind::*;
            matches!(kind, Colon | Star | Fuzzy | Caret | And | Or)
        };
        self.peek(ahead) == Kind::Term && !is_other(self.peek(ahead + 1))
    }

    fn several_words(&mut self, field: Option<&str>) -> Result<Found, Failed> {
        let column = self.column();
        let mut text = unescape(&self.next())?;
        while self.continues_words(0) {
            text.push(' ');
            text.push_str(&unescape(&self.next())?);
        }
        self.words(field, &text, column)
    }

    fn clause(&mut self, field: Option<&str>, depth: usize) -> Result<Found, Failed> {
        let mut own = None;
        if matches!(self.kind(), Kind::Term | Kind::Star) && self.peek(1) == Kind::Colon {
            own = Some(unescape(&self.next())?);
            self.next();
        }
        let field = own.as_deref().or(field);
        if self.take(Kind::Open) {
            let found = self.query(field, depth + 1)?;
            if !self.take(Kind::Close) {
                return Err(self.expected("a `)` that closes the group"));
            }
            self.boost()?;
            return Ok(found);
        }
        let found = self.term(field)?;
        self.boost()?;
        Ok(found)
    }

    /// What makes a clause weigh more does not change what is found.
    fn boost(&mut self) -> Result<(), Failed> {
        if self.take(Kind::Caret) && !self.take(Kind::Number) {
            return Err(self.expected("a number after `^`"));
        }
        match self.kind() {
            Kind::Fuzzy => Err((
                self.column(),
                Problem::Syntax("`~` (fuzzy terms and proximity)"),
            )),
            _ => Ok(()),
        }
    }

    fn term(&mut self, field: Option<&str>) -> Result<Found, Failed> {
        let column = self.column();
        let token = self.next();
        let (now, image) = (self.options.now, &*token.image);
        match token.kind {
            Kind::Term => {
                let text = unescape(&token)?;
                self.words(field, &text, column)
            }
            Kind::BareOperator => self.words(field, &image[..1], column),
            Kind::Quoted => {
                let text = unescape_inner(&token)?;
                match field {
                    Some("_exists_") => self.exists(&text, column),
                    _ => self.ask(field, column, &|asked| asked.phrase(&text, now)),
                }
            }
            Kind::Star => match field {
                Some("*") => Ok(Some(everything())),
                Some(field) => self.exists(field, column),
                None if self.options.fields.iter().any(|field| field == "*") => {
                    Ok(Some(everything()))
                }
                None => {
                    let parts = self
                        .options
                        .fields
                        .iter()
                        .map(|field| self.exists(field, column));
                    let parts: Result<Vec<Found>, Failed> = parts.collect();
                    Ok(Some(any(parts?.into_iter().flatten().collect())))
                }
            },
            Kind::Prefix => {
                let mut token = token;
                token.image.pop();
                let text = unescape(&token)?;
                self.ask(field, column, &|asked| {
                    asked.prefix(&text, Case::Exact, Lowered::Yes).map(Some)
                })
            }
            Kind::Wildcard => self.ask(field, column, &|asked| {
                asked.wildcard(image, Case::Exact, Lowered::Yes).map(Some)
            }),
            Kind::Regex => {
                let text = &image[1..image.len() - 1];
                self.ask(field, column, &|asked| {
                    asked
                        .regexp(text, Flags::ALL, Case::Exact, Lowered::Yes)
                        .map(Some)
                })
            }
            Kind::FromIncluded | Kind::FromExcluded => self.range(token.kind, field, column),
            _ => {
                self.at -= usize::from(token.kind != Kind::End);
                Err(self.expected("a word, a phrase, a range or a group"))
            }
        }
    }

    fn range(&mut self, open: Kind, field: Option<&str>, column: usize) -> Result<Found, Failed> {
        let from = self.range_end()?;
        self.take(Kind::To);
        let to = self.range_end()?;
        let close = self.next();
        let bound = |end: &Option<String>, is_included| match (end, is_included) {
            (None, _) => Bound::Unbounded,
            (Some(text), true) => Bound::Included(text.clone()),
            (Some(text), false) => Bound::Excluded(text.clone()),
        };
        let is_included = match close.kind {
            Kind::ToIncluded => true,
            Kind::ToExcluded => false,
            _ => {
                self.at -= usize::from(close.kind != Kind::End);
                return Err(self.expected("a `]` or `}` that closes the range"));
            }
        };
        let (from, to) = (
            bound(&from, open == Kind::FromIncluded),
            bound(&to, is_included),
        );
        self.between(field, from, to, column)
    }

    /// An end of a range; `None` if it is open.
    fn range_end(&mut self) -> Result<Option<String>, Failed> {
        let token = self.next();
        match token.kind {
            Kind::RangeQuoted => unescape_inner(&token).map(|text| (text != "*").then_some(text)),
            Kind::RangeEnd | Kind::To => unescape(&token).map(|text| (text != "*").then_some(text)),
            _ => {
                self.at -= usize::from(token.kind != Kind::End);
                Err(self.expected("an end of the range"))
            }
        }
    }

    fn between(
        &self,
        field: Option<&str>,
        from: Bound<String>,
        to: Bound<String>,
        column: usize,
    ) -> Result<Found, Failed> {
        let now = self.options.now;
        let (from, to) = (
            from.as_ref().map(String::as_str),
            to.as_ref().map(String::as_str),
        );
        self.ask(field, column, &|asked| {
            asked.range(from, to, Lowered::Yes, now).map(Some)
        })
    }

    /// Words that are analysed together, or one end of a range.
    fn words(&self, field: Option<&str>, text: &str, column: usize) -> Result<Found, Failed> {
        if field == Some("_exists_") {
            return self.exists(text, column);
        }
        // Also where the sign was escaped: a server does not know that any more.
        if field.is_some() {
            let open = || Bound::Unbounded;
            for (sign, is_from, is_included) in [
                (">=", true, true),
                ("<=", false, true),
                (">", true, false),
                ("<", false, false),
            ] {
                let Some(end) = text.strip_prefix(sign).filter(|end| !end.is_empty()) else {
                    continue;
                };
                let bound = match is_included {
                    _ if end == "*" => open(),
                    true => Bound::Included(end.to_owned()),
                    false => Bound::Excluded(end.to_owned()),
                };
                return match is_from {
                    true => self.between(field, bound, open(), column),
                    false => self.between(field, open(), bound, column),
                };
            }
        }
        let (now, all_words) = (self.options.now, self.options.operator == Operator::And);
        self.ask(field, column, &|asked| asked.words(text, all_words, now))
    }

    fn exists(&self, field: &str, column: usize) -> Result<Found, Failed> {
        exists(self.schema, field)
            .map(Some)
            .map_err(|problem| (column, problem))
    }

    /// Asks the field, or those that are asked where none is named.
    fn ask(
        &self,
        field: Option<&str>,
        column: usize,
        question: &dyn Fn(&Asked<'_>) -> Result<Found, Problem>,
    ) -> Result<Found, Failed> {
        let fields = match field {
            // All fields of the index are those of the query, if there is nothing to choose.
            Some(field) => vec![field],
            None => self.options.fields.iter().map(String::as_str).collect(),
        };
        let lenient = self.options.lenient;
        let answers = fields
            .into_iter()
            .map(|field| ask(self.schema, field, lenient, question));
        let answers: Result<Vec<Found>, Problem> = answers.collect();
        let answers: Vec<Predicate> = answers
            .map_err(|problem| (column, problem))?
            .into_iter()
            .flatten()
            .collect();
        Ok((!answers.is_empty()).then(|| any(answers)))
    }
}

/// What clauses select together. If none must or may match, everything does that none excludes.
fn combine(clauses: Vec<(Occur, Predicate)>) -> Found {
    let (mut must, mut should, mut must_not) = (Vec::new(), Vec::new(), Vec::new());
    for (occur, predicate) in clauses {
        match occur {
            Occur::Must => must.push(predicate),
            Occur::Should => should.push(predicate),
            Occur::MustNot => must_not.push(Predicate::Not(Box::new(predicate))),
        }
    }
    // Where something must match, what may match only weighs.
    if must.is_empty() && !should.is_empty() {
        must.push(any(should));
    }
    must.extend(must_not);
    (!must.is_empty()).then(|| all(must))
}

/// The text that is meant: what follows a backslash means itself, and `\u0041` is `A`.
fn unescape(token: &Token) -> Result<String, Failed> {
    unescape_text(&token.image, token.column)
}

/// The same for what stands between quotes.
fn unescape_inner(token: &Token) -> Result<String, Failed> {
    unescape_text(&token.image[1..token.image.len() - 1], token.column)
}

fn unescape_text(image: &str, column: usize) -> Result<String, Failed> {
    let wrong = |found: &str| {
        let expected = "four hexadecimal digits after `\\u`";
        (
            column,
            Problem::Expected {
                expected,
                found: format!("`{found}`"),
            },
        )
    };
    let mut units: Vec<u16> = Vec::new();
    let mut chars = image.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    let is_hex =
                        digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
                    units.push(unit.ok_or_else(|| wrong(&digits))?);
                }
                Some(c) => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
                None => {
                    let expected = "a character after the `\\`";
                    return Err((
                        column,
                        Problem::Expected {
                            expected,
                            found: "the end".to_owned(),
                        },
                    ));
                }
            },
            c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
        }
    }
    Ok(String::from_utf16_lossy(&units))
}
