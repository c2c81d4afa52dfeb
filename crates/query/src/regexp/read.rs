//! From Lucene's regular expressions to those of the `regex` crate.

use crate::error::Problem;
use predicate::Regex;
use std::iter::Peekable;
use std::str::CharIndices;

/// How deep groups may lie in one another.
const MAX_DEPTH: usize = 50;

/// Which optional operators are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    complement: bool,
    intersection: bool,
    interval: bool,
    empty: bool,
    anystring: bool,
}

impl Flags {
    pub(crate) const ALL: Flags = Flags {
        complement: true,
        intersection: true,
        interval: true,
        empty: true,
        anystring: true,
    };
    const NONE: Flags = Flags {
        complement: false,
        intersection: false,
        interval: false,
        empty: false,
        anystring: false,
    };

    /// Reads `COMPLEMENT|INTERVAL` and the like; `None` if it is not.
    pub(crate) fn read(text: &str) -> Option<Flags> {
        text.split('|').try_fold(Flags::NONE, |flags, name| {
            Some(match name {
                "ALL" => Flags::ALL,
                "NONE" => flags,
                "COMPLEMENT" => Flags {
                    complement: true,
                    ..flags
                },
                "INTERSECTION" => Flags {
                    intersection: true,
                    ..flags
                },
                "INTERVAL" | "AUTOMATON" => Flags {
                    interval: true,
                    ..flags
                },
                "EMPTY" => Flags {
                    empty: true,
                    ..flags
                },
                "ANYSTRING" => Flags {
                    anystring: true,
                    ..flags
                },
                _ => return None,
            })
        })
    }
}

/// The expression that matches the terms that Lucene's `text` does. `caseless` concerns ASCII letters.
pub(crate) fn read(text: &str, flags: Flags, caseless: bool) -> Result<Regex, Problem> {
    let mut reader = Reader {
        chars: text.char_indices().peekable(),
        text,
        flags,
        caseless,
        out: String::from("^(?:"),
    };
    if !text.is_empty() {
        reader.union(0)?;
    }
    if reader.chars.peek().is_some() {
        return Err(reader.wrong("this `)` closes nothing"));
    }
    reader.out.push_str(")$");
    Regex::new(&reader.out).map_err(|error| Problem::Regex {
        column: 1,
        reason: error.to_string(),
    })
}

struct Reader<'t> {
    chars: Peekable<CharIndices<'t>>,
    text: &'t str,
    flags: Flags,
    caseless: bool,
    out: String,
}

/// A character, or a class of them.
enum Class {
    One(char),
    /// Written for the inside of brackets.
    Several(&'static str),
}

impl Reader<'_> {
    fn wrong(&mut self, reason: impl Into<String>) -> Problem {
        let at = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        Problem::Regex {
            column: self.text[..at].chars().count() + 1,
            reason: reason.into(),
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, c)| *c)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, c)| *c == wanted).is_some()
    }

    fn next(&mut self) -> Result<char, Problem> {
        match self.chars.next() {
            Some((_, c)) => Ok(c),
            None => Err(self.wrong("it ends too early")),
        }
    }

    fn unsupported(&mut self, operator: &str) -> Problem {
        self.wrong(format!("the operator `{operator}` cannot be translated"))
    }

    /// Choices between `|`. As in Lucene, what follows a `|` is never empty: a second one stands for itself.
    fn union(&mut self, depth: usize) -> Result<(), Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::TooDeep(MAX_DEPTH));
        }
        loop {
            self.sequence(depth)?;
            if self.flags.intersection && self.peek() == Some('&') {
                return Err(self.unsupported("&"));
            }
            if !self.take('|') {
                return Ok(());
            }
            self.out.push('|');
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<(), Problem> {
        loop {
            self.repeated(depth)?;
            match self.peek() {
                None | Some(')' | '|') => return Ok(()),
                Some('&') if self.flags.intersection => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn repeated(&mut self, depth: usize) -> Result<(), Problem> {
        let start = self.out.len();
        self.simple(depth)?;
        while let Some(operator @ ('?' | '*' | '+' | '{')) = self.peek() {
            self.next()?;
            self.out.insert_str(start, "(?:");
            self.out.push(')');
            match operator {
                '{' => self.bounds()?,
                operator => self.out.push(operator),
            }
        }
        Ok(())
    }

    /// What follows `{`.
    fn bounds(&mut self) -> Result<(), Problem> {
        let least = self.digits();
        if least.is_empty() {
            return Err(self.wrong("a number should stand here"));
        }
        let most = match self.take(',') {
            true => self.digits(),
            false => least.clone(),
        };
        if !self.take('}') {
            return Err(self.wrong("a `}` should stand here"));
        }
        self.out.push_str(&format!("{{{least},{most}}}"));
        Ok(())
    }

    fn digits(&mut self) -> String {
        let mut digits = String::new();
        while let Some((_, digit)) = self.chars.next_if(|(_, c)| c.is_ascii_digit()) {
            digits.push(digit);
        }
        digits
    }

    fn simple(&mut self, depth: usize) -> Result<(), Problem> {
        match self.peek() {
            Some('~') if self.flags.complement => return Err(self.unsupported("~")),
            Some('<') if self.flags.interval => return Err(self.unsupported("<")),
            Some('[') => {
                self.next()?;
                return self.class();
            }
            _ => {}
        }
        if self.take('.') {
            self.out.push_str("(?s:.)");
        } else if self.flags.empty && self.take('#') {
            self.out.push_str(r"[^\s\S]");
        } else if self.flags.anystring && self.take('@') {
            self.out.push_str("(?s:.*)");
        } else if self.take('"') {
            self.out.push_str("(?:");
            loop {
                match self.next()? {
                    '"' => break,
                    c => self.push_char(c),
                }
            }
            self.out.push(')');
        } else if self.take('(') {
            self.out.push_str("(?:");
            if !self.take(')') {
                self.union(depth + 1)?;
                if !self.take(')') {
                    return Err(self.wrong("a `)` should stand here"));
                }
            }
            self.out.push(')');
        } else {
            match self.class_or_char()? {
                Class::One(c) => self.push_char(c),
                Class::Several(class) => self.out.push_str(&format!("[{class}]")),
            }
        }
        Ok(())
    }

    fn push_char(&mut self, c: char) {
        if self.caseless && c.is_ascii_alphabetic() {
            let (lower, upper) = (c.to_ascii_lowercase(), c.to_ascii_uppercase());
            self.out.push_str(&format!("[{lower}{upper}]"));
        } else {
            self.out.push_str(&code(c));
        }
    }

    /// A character, perhaps after a backslash, or one of the classes with a name.
    fn class_or_char(&mut self) -> Result<Class, Problem> {
        if !self.take('\\') {
            return Ok(Class::One(self.next()?));
        }
        Ok(match self.next()? {
            'd' => Class::Several("0-9"),
            'D' => Class::Several("[^0-9]"),
            'w' => Class::Several("0-9A-Z_a-z"),
            'W' => Class::Several("[^0-9A-Z_a-z]"),
            's' => Class::Several(r" \t\n\r"),
            'S' => Class::Several(r"[^ \t\n\r]"),
            c if c.is_ascii_alphabetic() => {
                return Err(self.wrong(format!("`\\{c}` is no class of characters")));
            }
            c => Class::One(c),
        })
    }

    /// What follows `[`.
    fn class(&mut self) -> Result<(), Problem> {
        self.out.push('[');
        if self.take('^') {
            self.out.push('^');
        }
        // The first character counts, even if it is a `]`.
        loop {
            match self.class_or_char()? {
                Class::Several(class) => self.out.push_str(class),
                Class::One(from) if self.take('-') => {
                    let to = match self.class_or_char()? {
                        Class::One(to) if from <= to => to,
                        _ => return Err(self.wrong("this range ends before it begins")),
                    };
                    if self.caseless {
                        return Err(
                            self.wrong("a range without regard to case cannot be translated")
                        );
                    }
                    self.out.push_str(&format!("{}-{}", code(from), code(to)));
                }
                Class::One(c) if self.caseless => {
                    self.out.push_str(&code(c.to_ascii_lowercase()));
                    self.out.push_str(&code(c.to_ascii_uppercase()));
                }
                Class::One(c) => self.out.push_str(&code(c)),
            }
            if self.take(']') {
                self.out.push(']');
                return Ok(());
            }
        }
    }
}

/// A character that means only itself.
fn code(c: char) -> String {
    match c.is_ascii_alphanumeric() {
        true => c.to_string(),
        false => format!("\\u{{{:x}}}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_lucene_means() {
        for (expression, matching, others) in [
            ("", vec![""], vec!["a"]),
            ("ab", vec!["ab"], vec!["xab", "abx", "AB"]),
            ("a.c", vec!["abc", "a\nc"], vec!["ac"]),
            ("a|b", vec!["a", "b"], vec!["|"]),
            ("a||b", vec!["a", "|b"], vec!["", "b"]),
            ("(a|b)+c?", vec!["ab", "abc"], vec!["c"]),
            ("a{2}b{1,}c{0,1}", vec!["aab", "aabbc"], vec!["ab", "aac"]),
            ("a*?", vec!["", "aaa"], vec!["b"]),
            ("()a", vec!["a"], vec![""]),
            ("[a-c\\-x]+", vec!["abc-x"], vec!["d"]),
            ("[^a-c]", vec!["d", "\n"], vec!["a"]),
            ("[\\d_]\\w\\s", vec!["1a ", "__\n"], vec!["aa "]),
            ("\\.\\\\\\/", vec![".\\/"], vec!["a\\/"]),
            ("^a$", vec!["^a$"], vec!["a"]),
            ("\"a.c\"*", vec!["", "a.ca.c"], vec!["abc"]),
            ("a@", vec!["a", "a\nb"], vec!["ba"]),
            ("a#|b", vec!["b"], vec!["a", "a#"]),
            ("[]a]", vec!["]", "a"], vec!["[]a]"]),
            ("*a", vec!["*a"], vec!["a"]),
        ] {
            let regex = read(expression, Flags::ALL, false).unwrap();
            for text in matching {
                assert!(regex.is_match(text), "{expression} {text:?}");
            }
            for text in others {
                assert!(!regex.is_match(text), "{expression} {text:?}");
            }
        }
        let caseless = read("aB[c]é", Flags::ALL, true).unwrap();
        assert!(caseless.is_match("AbCé") && !caseless.is_match("abcÉ"));
        let plain = read("a@#~&<1-2>", Flags::read("NONE").unwrap(), false).unwrap();
        assert!(plain.is_match("a@#~&<1-2>"));
    }

    #[test]
    fn what_has_no_counterpart_is_named() {
        for (expression, message) in [
            (
                "a~b",
                "at character 2: the operator `~` cannot be translated",
            ),
            (
                "é&b",
                "at character 2: the operator `&` cannot be translated",
            ),
            (
                "<1-9>",
                "at character 1: the operator `<` cannot be translated",
            ),
            ("a{x}", "at character 3: a number should stand here"),
            ("a{1", "at character 4: a `}` should stand here"),
            ("(a", "at character 3: a `)` should stand here"),
            ("a)", "at character 2: this `)` closes nothing"),
            ("[a", "at character 3: it ends too early"),
            ("\\", "at character 2: it ends too early"),
            ("\\b", "at character 3: `\\b` is no class of characters"),
            ("[z-a]", "at character 5: this range ends before it begins"),
            ("\"a", "at character 3: it ends too early"),
        ] {
            let message = format!("in the regular expression, {message}");
            let error = read(expression, Flags::ALL, false).unwrap_err();
            assert_eq!(error.to_string(), message, "{expression}");
        }
        let deep = "(".repeat(1_000_000);
        assert_eq!(
            read(&deep, Flags::ALL, false),
            Err(Problem::TooDeep(MAX_DEPTH))
        );
        assert!(read("((a{1000}){1000}){1000}", Flags::ALL, false).is_err());
        assert_eq!(Flags::read("COMPLEMENT|FOO"), None);
    }
}
