//! The words of Lucene's query language, by the rules of its grammar `QueryParser.jj`: the longest one counts.

use crate::error::Problem;

/// A word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// As it is written.
    pub(crate) image: String,
    /// Its column, from 1.
    pub(crate) column: usize,
}

/// The kinds of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    And,
    Or,
    Not,
    Plus,
    Minus,
    /// `+`, `-` or `!` before a blank.
    BareOperator,
    Open,
    Close,
    Colon,
    Star,
    Caret,
    Quoted,
    Term,
    Fuzzy,
    Prefix,
    Wildcard,
    Regex,
    /// `[`
    FromIncluded,
    /// `{`
    FromExcluded,
    /// `]`
    ToIncluded,
    /// `}`
    ToExcluded,
    /// What separates the ends of a range.
    To,
    RangeQuoted,
    RangeEnd,
    Number,
    End,
}

/// Cuts a query into its words; the last is [`Kind::End`]. An error comes with its column.
pub(crate) fn tokens(query: &str) -> Result<Vec<Token>, (usize, Problem)> {
    let chars: Vec<char> = query.chars().collect();
    let mut tokens = Vec::new();
    let mut state = State::Default;
    let mut at = 0;
    loop {
        while chars.get(at).is_some_and(|c| is_space(*c)) {
            at += 1;
        }
        let column = at + 1;
        if at == chars.len() {
            let (kind, image) = (Kind::End, String::new());
            tokens.push(Token {
                kind,
                image,
                column,
            });
            return Ok(tokens);
        }
        let rest = &chars[at..];
        let (kind, length) = match state {
            State::Default => word(rest),
            State::Range => range_word(rest),
            State::Boost => number(rest),
        }
        .map_err(|problem| (column, problem))?;
        state = match kind {
            Kind::Caret => State::Boost,
            Kind::FromIncluded | Kind::FromExcluded => State::Range,
            Kind::To | Kind::RangeQuoted | Kind::RangeEnd => State::Range,
            _ => State::Default,
        };
        let image = rest[..length].iter().collect();
        tokens.push(Token {
            kind,
            image,
            column,
        });
        at += length;
    }
}

/// What comes next follows other rules after a `^` and within a range.
enum State {
    Default,
    Range,
    Boost,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}

/// Whether a term may begin with it.
fn is_start(c: char) -> bool {
    !is_space(c)
        && !matches!(
            c,
            '+' | '-'
                | '!'
                | '('
                | ')'
                | ':'
                | '^'
                | '['
                | ']'
                | '"'
                | '{'
                | '}'
                | '~'
                | '*'
                | '?'
                | '\\'
                | '/'
        )
}

fn expected(expected: &'static str, found: Option<&char>) -> Problem {
    Problem::Expected {
        expected,
        found: found.map_or("the end".to_owned(), |c| format!("`{c}`")),
    }
}

/// The kind and length of the next word. There is at least one character.
fn word(rest: &[char]) -> Result<(Kind, usize), Problem> {
    let is_before_space = rest.get(1).is_some_and(|c| is_space(*c));
    Ok(match rest[0] {
        '+' | '-' | '!' if is_before_space => (Kind::BareOperator, 2),
        '+' => (Kind::Plus, 1),
        '-' => (Kind::Minus, 1),
        '!' => (Kind::Not, 1),
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        ':' => (Kind::Colon, 1),
        '^' => (Kind::Caret, 1),
        '[' => (Kind::FromIncluded, 1),
        '{' => (Kind::FromExcluded, 1),
        '"' => (Kind::Quoted, quoted(rest)?),
        '/' => (Kind::Regex, regex(rest)?),
        '~' => {
            let more = rest[1..].iter().take_while(|c| is_start(**c));
            (Kind::Fuzzy, 1 + more.count())
        }
        c if is_start(c) || matches!(c, '*' | '?' | '\\') => term(rest)?,
        c => return Err(expected("a word, `(` or `\"`", Some(&c))),
    })
}

fn quoted(rest: &[char]) -> Result<usize, Problem> {
    let mut at = 1;
    while let Some(c) = rest.get(at) {
        at += match c {
            '"' => return Ok(at + 1),
            '\\' => 2,
            _ => 1,
        };
    }
    Err(expected("a `\"` that closes this one", None))
}

/// An expression ends at a slash, but not at one after a backslash, whatever stands before that, if a later slash can end
/// it.
fn regex(rest: &[char]) -> Result<usize, Problem> {
    let mut end = None;
    for at in (1..rest.len()).filter(|at| rest[*at] == '/') {
        end = Some(at + 1);
        if rest[at - 1] != '\\' {
            break;
        }
    }
    end.ok_or_else(|| expected("a `/` that closes this one", None))
}

fn term(rest: &[char]) -> Result<(Kind, usize), Problem> {
    let mut at = 0;
    let mut wildcards = 0;
    while let Some(c) = rest.get(at) {
        at += match c {
            '\\' if at + 1 < rest.len() => 2,
            '\\' if at == 0 => return Err(expected("a character after the `\\`", None)),
            '*' | '?' => {
                wildcards += 1;
                1
            }
            '+' | '-' if at > 0 => 1,
            c if is_start(*c) => 1,
            _ => break,
        };
    }
    let image: String = rest[..at].iter().collect();
    let kind = match &*image {
        "AND" | "&&" => Kind::And,
        "OR" | "||" => Kind::Or,
        "NOT" => Kind::Not,
        "*" => Kind::Star,
        _ if wildcards == 0 => Kind::Term,
        _ if wildcards == 1 && rest[at - 1] == '*' && !ends_escaped(&rest[..at]) => Kind::Prefix,
        _ => Kind::Wildcard,
    };
    Ok((kind, at))
}

/// Whether the last character has lost its meaning to a backslash.
fn ends_escaped(image: &[char]) -> bool {
    let before = image[..image.len() - 1].iter().rev();
    before.take_while(|c| **c == '\\').count() % 2 == 1
}

fn range_word(rest: &[char]) -> Result<(Kind, usize), Problem> {
    let end = rest
        .iter()
        .take_while(|c| !matches!(c, ' ' | ']' | '}'))
        .count();
    let quoted = match rest {
        ['"', inner @ ..] => {
            let mut ends = (1..inner.len()).filter(|at| inner[*at] == '"');
            let is_last = |at: &usize| inner[at - 1] != '\\';
            ends.find(is_last).map_or(0, |at| at + 2)
        }
        _ => 0,
    };
    Ok(match rest[0] {
        ']' => (Kind::ToIncluded, 1),
        '}' => (Kind::ToExcluded, 1),
        _ if quoted >= end => (Kind::RangeQuoted, quoted),
        'T' if rest[..end] == ['T', 'O'] => (Kind::To, end),
        _ => (Kind::RangeEnd, end),
    })
}

fn number(rest: &[char]) -> Result<(Kind, usize), Problem> {
    let digits = |rest: &[char]| rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let whole = digits(rest);
    let fraction = match rest.get(whole) {
        Some('.') => digits(&rest[whole + 1..]),
        _ => 0,
    };
    match (whole, fraction) {
        (0, _) => Err(expected("a number after `^`", rest.first())),
        (whole, 0) => Ok((Kind::Number, whole)),
        (whole, fraction) => Ok((Kind::Number, whole + 1 + fraction)),
    }
}

#[cfg(test)]
mod tests {
    use super::Kind::*;
    use super::*;

    fn words(query: &str) -> Vec<(Kind, String)> {
        let tokens = tokens(query).unwrap().into_iter();
        tokens
            .map(|token| (token.kind, token.image))
            .filter(|(kind, _)| *kind != End)
            .collect()
    }

    #[test]
    fn the_longest_word_counts() {
        for (query, expected) in [
            ("a AND b", vec![(Term, "a"), (And, "AND"), (Term, "b")]),
            (
                "ANDa&&b && !c",
                vec![(Term, "ANDa&&b"), (And, "&&"), (Not, "!"), (Term, "c")],
            ),
            (
                "a-b -c - d+",
                vec![
                    (Term, "a-b"),
                    (Minus, "-"),
                    (Term, "c"),
                    (BareOperator, "- "),
                    (Term, "d+"),
                ],
            ),
            (
                r"a\ b\:c:d*",
                vec![(Term, r"a\ b\:c"), (Colon, ":"), (Prefix, "d*")],
            ),
            (
                r"a\* * *a ?? a\\*",
                vec![
                    (Term, r"a\*"),
                    (Star, "*"),
                    (Wildcard, "*a"),
                    (Wildcard, "??"),
                    (Prefix, r"a\\*"),
                ],
            ),
            (
                r#""a \" b"~2 a~0.5^2"#,
                vec![
                    (Quoted, r#""a \" b""#),
                    (Fuzzy, "~2"),
                    (Term, "a"),
                    (Fuzzy, "~0.5"),
                    (Caret, "^"),
                    (Number, "2"),
                ],
            ),
            (
                "[a TO \"b c\"} [TO TO TOx]",
                vec![
                    (FromIncluded, "["),
                    (RangeEnd, "a"),
                    (To, "TO"),
                    (RangeQuoted, "\"b c\""),
                    (ToExcluded, "}"),
                    (FromIncluded, "["),
                    (To, "TO"),
                    (To, "TO"),
                    (RangeEnd, "TOx"),
                    (ToIncluded, "]"),
                ],
            ),
            (r"/a\/b/ /c/", vec![(Regex, r"/a\/b/"), (Regex, "/c/")]),
            (r"/a\\/", vec![(Regex, r"/a\\/")]),
            (
                r"/a[\\]/ OR /b/",
                vec![(Regex, r"/a[\\]/"), (Or, "OR"), (Regex, "/b/")],
            ),
            (
                "age:>=10",
                vec![(Term, "age"), (Colon, ":"), (Term, ">=10")],
            ),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(kind, image)| (kind, image.to_owned()))
                .collect();
            assert_eq!(words(query), expected, "{query}");
        }
        // The backslash before the slash hides it, so that the next one ends the expression, and the last is left alone.
        assert!(tokens(r"/a\\/ OR /b/").is_err());
        assert_eq!(words(r"/a\\/ OR /b")[0], (Regex, r"/a\\/ OR /".to_owned()));
    }

    #[test]
    fn broken_queries_are_errors() {
        for query in ["\"a", "/a", "a]", "}", "\\", "a^b", "a \\"] {
            assert!(tokens(query).is_err(), "{query}");
        }
    }
}
