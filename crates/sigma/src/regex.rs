//! Regular expressions: from the dialect that rules are written in (PCRE's plain part) to that of the crate `regex`.
//!
//! The two agree on nearly everything. Where the crate would refuse or mean something else, the pattern is rewritten:
//! `{` that counts nothing, `[`, `&&`, `--` and `~~` in a class, and escapes such as `\<`, `\e` and `\Z`. Look-around
//! and back-references do not exist there (they cannot be matched in linear time) and are refused.

use regex_syntax::ast::ErrorKind;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;
use std::borrow::Cow;

/// Patterns that would take more states than this are refused. The crate `regex` refuses programs of more than 10 MiB;
/// what passes here passes there, so that a pattern is refused where its place in the rule is known.
const MAX_STATES: usize = 250_000;

/// The pattern in the crate's syntax, or why it has none.
pub(crate) fn translate(pattern: &str) -> Result<String, String> {
    let translated = rewrite(pattern);
    let hir = regex_syntax::parse(&translated).map_err(|error| explain(&error))?;
    match states(&hir) {
        states if states > MAX_STATES => {
            Err("it is too big once its repetitions are written out".to_owned())
        }
        _ => Ok(translated.into_owned()),
    }
}

fn explain(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => match error.kind() {
            ErrorKind::UnsupportedLookAround => "look-around is not supported".to_owned(),
            ErrorKind::UnsupportedBackreference => "back-references are not supported".to_owned(),
            kind => format!("{kind} (at character {})", error.span().start.offset + 1),
        },
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "it is invalid".to_owned(),
    }
}

/// About as many states as the crate's automaton of it has, rather too many than too few.
fn states(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => class_states(class),
        HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min + 1).max(1);
            let ways_on = if repetition.max == Some(repetition.min) {
                0
            } else {
                2
            };
            states(&repetition.sub)
                .saturating_add(ways_on)
                .saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(3),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(states).fold(1, usize::saturating_add)
        }
    }
}

/// The bytes of all UTF-8 sequences of the class. Sequences share their ends; in big classes such as `\w` that saves
/// more than three fifths (measured).
fn class_states(class: &ClassUnicode) -> usize {
    const BIG: usize = 1_000;
    let sequences = class
        .iter()
        .flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
    let bytes = 1 + sequences.map(|sequence| sequence.len()).sum::<usize>();
    if bytes > BIG { bytes * 2 / 5 } else { bytes }
}

fn rewrite(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains(['\\', '{', '[']) {
        return Cow::Borrowed(pattern);
    }
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(char) = rest.chars().next() {
        let taken = match char {
            '\\' => escape(rest, false, &mut out),
            '[' => class(rest, &mut out),
            '{' if !counts(rest) => {
                out.push_str(r"\{");
                1
            }
            _ => {
                out.push(char);
                char.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    Cow::Owned(out)
}

/// Whether the text starts with `{n}`, `{n,}` or `{n,m}`.
fn counts(text: &str) -> bool {
    let Some((count, _)) = text[1..].split_once('}') else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (least, most) = count.split_once(',').unwrap_or((count, ""));
    !least.is_empty() && digits(least) && digits(most)
}

/// Writes the escape that the text starts with; says how much of the text it was.
fn escape(text: &str, in_class: bool, out: &mut String) -> usize {
    let Some(escaped) = text[1..].chars().next() else {
        out.push('\\');
        return 1;
    };
    let outside = |written: &'static str| if in_class { None } else { Some(written) };
    let written = match escaped {
        'e' => Some(r"\x1B"),
        // `\012` is left alone, so that it is refused rather than misread.
        '0' if !text[2..].starts_with(|c: char| c.is_ascii_digit()) => Some(r"\x00"),
        '<' => Some("<"),
        '>' => Some(">"),
        'Z' => outside(r"(?:\n?\z)"),
        'h' if in_class => Some(r" \t"),
        'h' => Some(r"[ \t]"),
        'b' if in_class => Some(r"\x08"),
        _ => None,
    };
    match written {
        Some(written) => out.push_str(written),
        // A code point or a property, as in `\x{202E}` and `\p{Greek}`: its braces count nothing.
        None if matches!(escaped, 'x' | 'u' | 'U' | 'p' | 'P') && text[2..].starts_with('{') => {
            let end = text.find('}').map_or(text.len(), |end| end + 1);
            out.push_str(&text[..end]);
            return end;
        }
        None if escaped.is_ascii() => {
            out.push('\\');
            out.push(escaped);
        }
        None => out.push(escaped),
    }
    1 + escaped.len_utf8()
}

/// Writes the class that the text starts with, `[` in it escaped; says how much of the text it was.
fn class(text: &str, out: &mut String) -> usize {
    out.push('[');
    let mut at = 1;
    if text[at..].starts_with('^') {
        out.push('^');
        at += 1;
    }
    let start = at;
    // A bracket in the first place is a member of the class.
    if text[at..].starts_with(']') {
        out.push_str(r"\]");
        at += 1;
    }
    while let Some(char) = text[at..].chars().next() {
        let rest = &text[at..];
        at += match char {
            ']' => {
                out.push(']');
                return at + 1;
            }
            '\\' => escape(rest, true, out),
            '[' => match posix_class(rest) {
                Some(name) => {
                    out.push_str(name);
                    name.len()
                }
                None => {
                    out.push_str(r"\[");
                    1
                }
            },
            '&' | '~' if rest[1..].starts_with(char) => {
                out.push('\\');
                out.push(char);
                1
            }
            // A range up to a hyphen, or one from a hyphen.
            '-' if rest.starts_with("--") && at > start => {
                out.push_str(r"-\-");
                2
            }
            '-' if rest.starts_with("--") => {
                out.push_str(r"\-");
                1
            }
            _ => {
                out.push(char);
                char.len_utf8()
            }
        };
    }
    at
}

/// `[:alpha:]` at the start of the text.
fn posix_class(text: &str) -> Option<&str> {
    let end = text.strip_prefix("[:")?.find(":]")?;
    let name = &text[..end + 4];
    name[2..end + 2]
        .trim_start_matches('^')
        .bytes()
        .all(|byte| byte.is_ascii_lowercase())
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn what_both_dialects_know_stays_as_it_is() {
        for pattern in [
            r"^a.b$",
            r"(?i)abc",
            r"\d{1,3}\.\d{2,}",
            r"[a-z0-9\-]+",
            r#"a/b"c\\d\s"#,
            r"\$\{`?e`?\}",
            "",
            r"a{3}",
            r"[^\]]",
            r"\/\-\_\:\'",
            r"[[:alpha:]x]",
            r"x*?y+?",
        ] {
            assert_eq!(translate(pattern).as_deref(), Ok(pattern), "{pattern}");
        }
    }

    #[test]
    fn what_the_crate_reads_otherwise_is_rewritten() {
        for (pattern, written) in [
            (r"\{\d\}{", r"\{\d\}\{"),
            ("a{,5}", r"a\{,5}"),
            ("{x}", r"\{x}"),
            ("[[]", r"[\[]"),
            ("[]a]", r"[\]a]"),
            ("[^]]", r"[^\]]"),
            ("[a&&b]", r"[a\&&b]"),
            ("[+--]", r"[+-\-]"),
            ("[--a]", r"[\--a]"),
            (r"\<a\>", "<a>"),
            (r"\é", "é"),
            (r"\e\0", r"\x1B\x00"),
            (r"a\Z", r"a(?:\n?\z)"),
            (r"[\b]", r"[\x08]"),
        ] {
            assert_eq!(translate(pattern).as_deref(), Ok(written), "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_matched_in_linear_time_is_refused() {
        for (pattern, reason) in [
            ("a(?=b)", "look-around"),
            ("(?<!a)b", "look-around"),
            (r"(a)\1", "back-references"),
            ("(ab", "unclosed group"),
            ("[a", "unclosed character class"),
            ("a**)", "unopened group"),
            (r"(?:\w{1000}){1000}", "too big"),
            ("a{1000}{1000}{1000}", "too big"),
        ] {
            let error = translate(pattern).unwrap_err();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
    }

    /// The biggest repetition of each that is let through is one that the crate `regex` compiles.
    #[test]
    fn what_is_not_too_big_here_is_not_too_big_there() {
        for unit in [
            r"\w", r"\W", r"\d", ".", "a", "[a-z]", "(?i:abc)", "(ab|cd)", r"\s", "é", r"\pL",
            "(?:a|b)?",
        ] {
            let repeated = |times: usize| format!("(?:(?:{unit}){{{}}}){{100}}", times);
            let (mut fits, mut too_big) = (0, 4_000);
            while too_big - fits > 1 {
                let middle = (fits + too_big) / 2;
                match translate(&repeated(middle)) {
                    Ok(_) => fits = middle,
                    Err(_) => too_big = middle,
                }
            }
            assert!(fits > 0, "{unit}");
            assert!(regex::Regex::new(&repeated(fits)).is_ok(), "{unit} {fits}");
            assert!(
                regex::bytes::Regex::new(&repeated(fits)).is_ok(),
                "{unit} {fits}"
            );
        }
    }

    /// They hang engines that backtrack; here they are as good as any other.
    #[test]
    fn exponential_patterns_are_harmless() {
        for pattern in ["(a+)+$", "(.*a){25}", r"(\w*)*x"] {
            assert!(translate(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(translate(&"(".repeat(100_000)).is_err());
        assert!(translate(&format!("{}{}", "(".repeat(10_000), ")".repeat(10_000))).is_err());
    }
}
