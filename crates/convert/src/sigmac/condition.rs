//! sigmac's language of conditions, which is older than the specification's: words end anywhere, there are aggregations
//! behind a `|`, and `1 of` and `all of` are all the quantifiers there are.

use std::ops::Range;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    /// What comes before the `|`.
    pub search: Search,
    /// What comes behind it.
    pub aggregation: Option<Aggregation>,
}

/// What is looked for, by the names of searches.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Search {
    /// Both.
    And(Box<Search>, Box<Search>),
    /// One of the two.
    Or(Box<Search>, Box<Search>),
    /// Not this.
    Not(Box<Search>),
    /// This, in parentheses.
    Group(Box<Search>),
    /// The search of this name.
    Name(String),
    /// One of several searches, or all.
    Of {
        /// All of them.
        all: bool,
        /// `them`, a name, or a name with a `*`.
        what: String,
    },
}

/// What is counted about the events that are found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Aggregation {
    /// A figure is compared with a number.
    Compare {
        /// `count`, `min`, `max`, `avg` or `sum`, in lower case.
        function: String,
        /// The field in parentheses.
        field: Option<String>,
        /// The field behind `by`.
        group: Option<String>,
        /// `==`, `<`, `<=`, `>` or `>=`.
        operator: &'static str,
        /// The number, as written.
        number: String,
    },
    /// Events of other searches come, or do not come, near to these.
    Near {
        /// Those that come.
        with: Vec<String>,
        /// Those that do not.
        without: Vec<String>,
    },
}

impl Aggregation {
    /// The name of what it does, as in the condition.
    pub fn function(&self) -> &str {
        match self {
            Aggregation::Compare { function, .. } => function,
            Aggregation::Near { .. } => "near",
        }
    }
}

/// Why a text is no condition, and which part of it is to blame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub at: Range<usize>,
    pub message: String,
    /// What sigmac does about it: it says so, or dies.
    pub crash: bool,
}

/// Parentheses may be nested this deep.
const MAX_DEPTH: usize = 200;
/// A condition may name so many searches: each is one level of a tree.
const MAX_NAMES: usize = 2_000;

/// Reads a condition.
pub(crate) fn read(text: &str) -> Result<Condition, Fault> {
    let tokens = tokens(text)?;
    let mut names = tokens.iter().filter(|token| token.kind == Kind::Name);
    if let Some(token) = names.nth(MAX_NAMES) {
        let message = format!("a condition may name {MAX_NAMES} searches, and this is one more");
        return Err(token.fault(message, false));
    }
    let (search, rest) = match tokens.iter().position(|token| token.kind == Kind::Pipe) {
        Some(at) => (&tokens[..at], Some(&tokens[at + 1..])),
        None => (&tokens[..], None),
    };
    let mut reader = Reader {
        tokens: search,
        next: 0,
        end: text.len(),
        depth: 0,
    };
    let condition = reader.or()?;
    if let Some(token) = reader.peek() {
        return Err(token.fault("this does not belong to what stands before it", true));
    }
    let aggregation = rest
        .map(|tokens| aggregation(tokens, text.len()))
        .transpose()?;
    Ok(Condition {
        search: condition,
        aggregation,
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    OneOf,
    AllOf,
    Blank,
    Function,
    Near,
    By,
    Compare(&'static str),
    Pipe,
    And,
    Or,
    Not,
    Name,
    Open,
    Close,
}

#[derive(Debug)]
struct Token<'t> {
    kind: Kind,
    text: &'t str,
    at: Range<usize>,
}

impl Token<'_> {
    fn fault(&self, message: impl Into<String>, crash: bool) -> Fault {
        Fault {
            at: self.at.clone(),
            message: message.into(),
            crash,
        }
    }
}

/// The words, in the order in which they are tried. None has to end where a word ends.
const WORDS: &[(&str, Kind)] = &[
    ("count", Kind::Function),
    ("min", Kind::Function),
    ("max", Kind::Function),
    ("avg", Kind::Function),
    ("sum", Kind::Function),
    ("near", Kind::Near),
    ("by", Kind::By),
    ("==", Kind::Compare("==")),
    ("<=", Kind::Compare("<=")),
    ("<", Kind::Compare("<")),
    (">=", Kind::Compare(">=")),
    (">", Kind::Compare(">")),
    ("|", Kind::Pipe),
    ("and", Kind::And),
    ("or", Kind::Or),
    ("not", Kind::Not),
];

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (kind, length) = token(&text[at..]).ok_or_else(|| Fault {
            at: at..at + text[at..].chars().next().map_or(0, char::len_utf8),
            message: "this cannot stand in a condition".to_owned(),
            crash: false,
        })?;
        let range = at..at + length;
        if kind != Kind::Blank {
            tokens.push(Token {
                kind,
                text: &text[range.clone()],
                at: range,
            });
        }
        at += length;
    }
    Ok(tokens)
}

/// The token that a text begins with, and its length.
fn token(text: &str) -> Option<(Kind, usize)> {
    let starts = |word: &str| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let quantifier = |word: &str| {
        starts(word)
            .then(|| text[word.len()..].trim_start())
            .filter(|rest| {
                let blanks = text.len() - word.len() - rest.len();
                blanks > 0
                    && rest
                        .get(..2)
                        .is_some_and(|of| of.eq_ignore_ascii_case("of"))
            })
    };
    for (word, kind) in [("1", Kind::OneOf), ("all", Kind::AllOf)] {
        if let Some(rest) = quantifier(word) {
            return Some((kind, text.len() - rest.len() + 2));
        }
    }
    let blanks = text.len() - text.trim_start().len();
    if blanks > 0 {
        return Some((Kind::Blank, blanks));
    }
    if let Some((word, kind)) = WORDS.iter().find(|(word, _)| starts(word)) {
        return Some((*kind, word.len()));
    }
    let named = |c: char| c.is_alphanumeric() || c == '_' || ('*'..='.').contains(&c);
    let name = text.find(|c| !named(c)).unwrap_or(text.len());
    match text.as_bytes()[0] {
        _ if name > 0 => Some((Kind::Name, name)),
        b'(' => Some((Kind::Open, 1)),
        b')' => Some((Kind::Close, 1)),
        _ => None,
    }
}

struct Reader<'t> {
    tokens: &'t [Token<'t>],
    next: usize,
    end: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t Token<'t>> {
        self.tokens.get(self.next)
    }

    fn take(&mut self, kind: Kind) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == kind);
        self.next += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Search, Fault> {
        let mut left = self.and()?;
        while self.take(Kind::Or) {
            left = Search::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Search, Fault> {
        let mut left = self.not()?;
        while self.take(Kind::And) {
            left = Search::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Search, Fault> {
        Ok(if self.take(Kind::Not) {
            Search::Not(Box::new(self.operand()?))
        } else {
            self.operand()?
        })
    }

    fn operand(&mut self) -> Result<Search, Fault> {
        let Some(token) = self.peek() else {
            return Err(Fault {
                at: self.end..self.end,
                message: "something is missing here: the name of a search, or a `(`".to_owned(),
                crash: true,
            });
        };
        self.next += 1;
        match token.kind {
            Kind::Name => Ok(Search::Name(token.text.to_owned())),
            Kind::OneOf | Kind::AllOf => match self.peek() {
                Some(what) if what.kind == Kind::Name => {
                    self.next += 1;
                    let all = token.kind == Kind::AllOf;
                    Ok(Search::Of {
                        all,
                        what: what.text.to_owned(),
                    })
                }
                _ => Err(token.fault("there is no search behind this", true)),
            },
            Kind::Open => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    let message = format!("more than {MAX_DEPTH} parentheses are nested here");
                    return Err(token.fault(message, false));
                }
                let inner = self.or()?;
                if !self.take(Kind::Close) {
                    return Err(token.fault("this parenthesis is never closed", false));
                }
                self.depth -= 1;
                Ok(Search::Group(Box::new(inner)))
            }
            _ => Err(token.fault("the name of a search is wanted here", true)),
        }
    }
}

fn aggregation(tokens: &[Token<'_>], end: usize) -> Result<Aggregation, Fault> {
    let missing = |what: &str| Fault {
        at: end..end,
        message: format!("{what} is missing at the end of this aggregation"),
        crash: false,
    };
    let Some((first, rest)) = tokens.split_first() else {
        return Err(missing("everything"));
    };
    match first.kind {
        Kind::Near => near(rest).ok_or_else(|| {
            first.fault(
                "`near` is followed by names of searches, joined with `and` or `and not`",
                false,
            )
        }),
        Kind::Function => {
            let mut rest = rest.iter().peekable();
            let mut take = |kind: Kind| rest.next_if(|token| token.kind == kind);
            if take(Kind::Open).is_none() {
                return Err(first.fault("this wants a field in parentheses, or `()`", false));
            }
            let field = take(Kind::Name).map(|token| token.text.to_owned());
            if take(Kind::Close).is_none() {
                return Err(first.fault("the parenthesis behind this is never closed", false));
            }
            let group = match take(Kind::By) {
                Some(_) => {
                    let name = take(Kind::Name).ok_or_else(|| missing("a field behind `by`"))?;
                    Some(name.text.to_owned())
                }
                None => None,
            };
            let operator = match rest.next() {
                Some(Token {
                    kind: Kind::Compare(operator),
                    ..
                }) => *operator,
                Some(token) => return Err(token.fault("a comparison is wanted here", false)),
                None => return Err(missing("a comparison")),
            };
            let number = rest.next().ok_or_else(|| missing("a number"))?;
            if let Some(more) = rest.next() {
                return Err(more.fault("this is too much for an aggregation", false));
            }
            Ok(Aggregation::Compare {
                function: first.text.to_ascii_lowercase(),
                field,
                group,
                operator,
                number: number.text.to_owned(),
            })
        }
        _ => Err(first.fault(
            "an aggregation begins with a function, or with `near`",
            false,
        )),
    }
}

fn near(tokens: &[Token<'_>]) -> Option<Aggregation> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut rest = tokens.iter().peekable();
    loop {
        let negated = rest.next_if(|token| token.kind == Kind::Not).is_some();
        let name = rest.next().filter(|token| token.kind == Kind::Name)?;
        let names = if negated { &mut without } else { &mut with };
        names.push(name.text.to_owned());
        match rest.next() {
            None => return Some(Aggregation::Near { with, without }),
            Some(token) if token.kind == Kind::And => {}
            Some(_) => return None,
        }
    }
}
