//! Regular expressions in Python's syntax.

use fancy_regex::{Regex, RegexBuilder};

/// How many steps a match may take; what takes more does not match. Python would go on for years.
const MOST_STEPS: usize = 1_000_000;

/// Where an expression has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// From the first character on, whatever follows, and without regard to case: as whitelists have it.
    Start,
    /// Anywhere.
    None,
}

/// Reads an expression.
pub(crate) fn compile(pattern: &str, anchor: Anchor) -> Result<Regex, String> {
    let translated = translate(pattern);
    let whole = match anchor {
        Anchor::Start => format!(r"(?i)\A(?:{translated})"),
        Anchor::None => translated,
    };
    let mut builder = RegexBuilder::new(&whole);
    builder.backtrack_limit(MOST_STEPS);
    builder.build().map_err(|error| error.to_string())
}

/// What means the same here. Differences are few: a brace that is no repetition is a brace, `[` and `&&` in a class are
/// characters, `$` matches before a last line break too, `\Z` is the end.
fn translate(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    let mut in_class = false;
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        match c {
            '\\' => {
                let escaped = chars.get(at).copied();
                at += 1;
                match escaped {
                    Some('Z') if !in_class => out.push_str(r"\z"),
                    Some(c @ ('<' | '>')) => out.push(c),
                    Some('_') => out.push('_'),
                    Some(c) if !c.is_ascii() => out.push(c),
                    Some(c) => out.extend(['\\', c]),
                    None => out.push('\\'),
                }
            }
            '[' if in_class => out.push_str(r"\["),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.get(at) == Some(&'^') {
                    out.push('^');
                    at += 1;
                }
                // The first one is a character of the class.
                if chars.get(at) == Some(&']') {
                    out.push_str(r"\]");
                    at += 1;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            c @ ('&' | '~') if in_class => out.extend(['\\', c]),
            '{' if !in_class && !is_repetition(&chars[at..]) => out.push_str(r"\{"),
            '}' if !in_class && !ends_repetition(&chars[..at - 1]) => out.push_str(r"\}"),
            '$' if !in_class => out.push_str(r"(?=\n?\z)"),
            c => out.push(c),
        }
    }
    out
}

/// Whether what follows a brace is `2}`, `2,}`, `,3}` or `2,3}`.
fn is_repetition(rest: &[char]) -> bool {
    let Some(end) = rest.iter().position(|c| *c == '}') else {
        return false;
    };
    let inside = &rest[..end];
    let commas = inside.iter().filter(|c| **c == ',').count();
    let is_part = |c: &char| c.is_ascii_digit() || *c == ',';
    commas <= 1 && inside.iter().all(is_part) && inside.iter().any(char::is_ascii_digit)
}

/// Whether a closing brace here ends a repetition, and not, say, the name of a class.
fn ends_repetition(before: &[char]) -> bool {
    let Some(start) = before.iter().rposition(|c| *c == '{') else {
        return false;
    };
    let mut whole = before[start + 1..].to_vec();
    whole.push('}');
    let is_named =
        start >= 2 && before[start - 2] == '\\' && matches!(before[start - 1], 'p' | 'P' | 'x');
    is_repetition(&whole) || is_named
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern, Anchor::Start)
            .unwrap()
            .is_match(text)
            .unwrap()
    }

    #[test]
    fn an_expression_of_a_whitelist_matches_from_the_start_in_any_case() {
        assert!(matches("A{3}-WHITE", "aaa-whitelisted"));
        assert!(!matches("white", "aaa-white"));
        assert!(matches("a|b", "bx"));
        assert!(matches("^(?=carol).*(?<!x)$", "Carol y"));
        assert!(!matches("^(?=carol).*(?<!x)$", "carol x"));
        assert!(!matches("multi.line", "multi\nline"));
        assert!(matches("MULTI(?s).line", "multi\nline"));
    }

    #[test]
    fn what_python_reads_otherwise_is_translated() {
        for (pattern, text) in [
            ("a{1", "a{1"),
            ("3}b", "3}b"),
            ("a{,}x", "a{,}x"),
            ("x{2,3}$", "xxx\n"),
            ("[[]x", "[x"),
            ("[]a]+$", "]a"),
            ("[^]]$", "x"),
            ("[a&&b]+$", "a&b"),
            (r"end\Z", "end"),
            (r"\<tag\>", "<tag>"),
            (r"C:\\Windows\\.*\.exe", r"c:\windows\x.exe"),
            (r"\d{4}-", "2026-03"),
        ] {
            assert!(matches(pattern, text), "{pattern}");
        }
        assert!(!matches("[a&&b]$", "c"));
        for bad in ["(unclosed", "*", "[a", "(?P<n"] {
            assert!(compile(bad, Anchor::Start).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hostile_expression_ends() {
        let text = "a".repeat(5000);
        let slow = compile("(?=(a+)+)(a+)+\\1b", Anchor::Start).unwrap();
        assert!(!slow.is_match(&text).unwrap_or(false));
    }

    proptest! {
        #[test]
        fn whatever_an_expression_is_it_ends(pattern in "[ab(){}\\[\\]\\\\^$|?*+.,0-9<>=!:&~P-]{0,24}", text in "[ab{}0-9\n]{0,40}") {
            for anchor in [Anchor::Start, Anchor::None] {
                if let Ok(regex) = compile(&pattern, anchor) {
                    let _ = regex.is_match(&text);
                }
            }
        }

        #[test]
        fn plain_text_matches_itself(text in "[a-z{}, ]{1,20}") {
            let is_repeated = text.chars().filter(|c| *c == '{').count() > 0 && text.contains('}');
            prop_assume!(!is_repeated);
            prop_assert!(compile(&text, Anchor::Start).unwrap().is_match(&text).unwrap());
        }
    }
}
