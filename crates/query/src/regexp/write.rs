//! From the `regex` crate's regular expressions to Lucene's.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

/// A translated expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Translated {
    /// Matches whole terms.
    pub(crate) text: String,
    /// How many steps it has when its repetitions are written out: what a server limits.
    pub(crate) size: u64,
    /// Whether it matches exactly those in which the original finds a match; else those and more.
    pub(crate) is_exact: bool,
}

/// The expression for the terms in which `pattern` finds a match; `None` if it is none that the `regex` crate takes.
pub(crate) fn translate(pattern: &str) -> Option<Translated> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut writer = Writer {
        out: String::new(),
        is_exact: true,
    };
    writer.whole(
        &hir,
        Edges {
            left: true,
            right: true,
        },
    );
    Some(Translated {
        text: end_safely(writer.out),
        size: size(&hir),
        is_exact: writer.is_exact,
    })
}

/// The expression for any of these characters.
pub(crate) fn class_of(chars: impl IntoIterator<Item = char>) -> String {
    let mut out = String::from("[");
    chars.into_iter().for_each(|c| escape_char(&mut out, c));
    out + "]"
}

/// In a Lucene query, a backslash before the slash that ends an expression escapes that, even if it is escaped itself.
pub(crate) fn end_safely(expression: String) -> String {
    match expression.strip_suffix("\\\\") {
        Some(rest) => format!("{rest}[\\\\]"),
        None => expression,
    }
}

/// Which ends of the term a part of an expression may be away from.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Edges {
    left: bool,
    right: bool,
}

struct Writer {
    out: String,
    is_exact: bool,
}

const ANYTHING: &str = ".*";

/// More ranges than this are not listed.
const MAX_RANGES: usize = 12;

impl Writer {
    /// Writes a part of the expression that lies at these edges: anything may stand between it and them.
    fn whole(&mut self, hir: &Hir, edges: Edges) {
        match hir.kind() {
            HirKind::Capture(capture) => self.whole(&capture.sub, edges),
            HirKind::Alternation(choices) => {
                self.out.push('(');
                for (number, choice) in choices.iter().enumerate() {
                    if number > 0 {
                        self.out.push('|');
                    }
                    self.whole(choice, edges);
                }
                self.out.push(')');
            }
            HirKind::Concat(parts) => self.sequence(parts, edges),
            _ => self.sequence(std::slice::from_ref(hir), edges),
        }
    }

    fn sequence(&mut self, mut parts: &[Hir], mut edges: Edges) {
        // An anchor at its own edge binds it; what is left of the edge cannot then be bound again.
        while let [first, rest @ ..] = parts
            && edges.left
            && is_look(first, Look::Start)
        {
            (parts, edges.left) = (rest, false);
        }
        while let [rest @ .., last] = parts
            && edges.right
            && is_look(last, Look::End)
        {
            (parts, edges.right) = (rest, false);
        }
        match parts {
            [] if edges.left || edges.right => self.out.push_str(ANYTHING),
            [] => self.out.push_str("()"),
            [only] if only.properties().look_set().is_empty() => {
                self.open(edges.left);
                self.part(only);
                self.open(edges.right);
            }
            [only] if matches!(only.kind(), HirKind::Alternation(_) | HirKind::Capture(_)) => {
                self.whole(only, edges);
            }
            [only] => {
                self.open(edges.left);
                self.part(only);
                self.open(edges.right);
            }
            [first, middle @ .., last] => {
                self.edge(
                    first,
                    Edges {
                        left: edges.left,
                        right: false,
                    },
                );
                middle.iter().for_each(|part| self.part(part));
                self.edge(
                    last,
                    Edges {
                        left: false,
                        right: edges.right,
                    },
                );
            }
        }
    }

    /// A part that is first or last. Only a choice, or a part of it, may have anchors of its own there.
    fn edge(&mut self, hir: &Hir, edges: Edges) {
        let has_anchors = !hir.properties().look_set().is_empty();
        if has_anchors && matches!(hir.kind(), HirKind::Alternation(_) | HirKind::Capture(_)) {
            self.whole(hir, edges);
        } else {
            self.open(edges.left);
            self.part(hir);
            self.open(edges.right);
        }
    }

    fn open(&mut self, open: bool) {
        if open {
            self.out.push_str(ANYTHING);
        }
    }

    /// A part with other parts at both sides, or nothing at all.
    fn part(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty => self.out.push_str("()"),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => text.chars().for_each(|c| escape_char(&mut self.out, c)),
                Err(_) => self.widen(ANYTHING),
            },
            HirKind::Class(Class::Unicode(class)) => self.class(class),
            HirKind::Class(Class::Bytes(class)) => match class.to_unicode_class() {
                Some(class) => self.class(&class),
                None => self.widen(ANYTHING),
            },
            // Without it, the rest matches all the same terms and more.
            HirKind::Look(_) => self.widen("()"),
            HirKind::Capture(capture) => self.part(&capture.sub),
            HirKind::Concat(parts) => {
                self.out.push('(');
                parts.iter().for_each(|part| self.part(part));
                self.out.push(')');
            }
            HirKind::Alternation(choices) => {
                self.out.push('(');
                for (number, choice) in choices.iter().enumerate() {
                    if number > 0 {
                        self.out.push('|');
                    }
                    self.part(choice);
                }
                self.out.push(')');
            }
            HirKind::Repetition(repetition) => {
                self.out.push('(');
                self.part(&repetition.sub);
                self.out.push(')');
                match (repetition.min, repetition.max) {
                    (0, Some(1)) => self.out.push('?'),
                    (0, None) => self.out.push('*'),
                    (1, None) => self.out.push('+'),
                    (least, None) => self.out.push_str(&format!("{{{least},}}")),
                    (least, Some(most)) if least == most => {
                        self.out.push_str(&format!("{{{least}}}"));
                    }
                    (least, Some(most)) => self.out.push_str(&format!("{{{least},{most}}}")),
                }
            }
        }
    }

    fn widen(&mut self, by: &str) {
        self.is_exact = false;
        self.out.push_str(by);
    }

    fn class(&mut self, class: &ClassUnicode) {
        let mut complement = class.clone();
        complement.negate();
        let few = |class: &ClassUnicode| class.ranges().len() <= MAX_RANGES;
        match class.ranges() {
            // Nothing can match it.
            [] => self.out.push('#'),
            _ if complement.ranges().is_empty() => self.out.push('.'),
            _ if few(&complement) && !few(class)
                || complement.ranges().len() < class.ranges().len() =>
            {
                self.ranges("[^", &complement);
            }
            _ if few(class) => self.ranges("[", class),
            _ => {
                // Everything but the printable ASCII characters that are not in it.
                self.is_exact = false;
                let printable = ClassUnicode::new([ClassUnicodeRange::new(' ', '~')]);
                complement.intersect(&printable);
                match complement.ranges() {
                    [] => self.out.push('.'),
                    _ => self.ranges("[^", &complement),
                }
            }
        }
    }

    fn ranges(&mut self, open: &str, class: &ClassUnicode) {
        self.out.push_str(open);
        for range in class.ranges() {
            escape_char(&mut self.out, range.start());
            if range.start() != range.end() {
                self.out.push('-');
                escape_char(&mut self.out, range.end());
            }
        }
        self.out.push(']');
    }
}

fn is_look(hir: &Hir, look: Look) -> bool {
    matches!(hir.kind(), HirKind::Look(other) if *other == look)
}

fn size(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(_) => 1,
        HirKind::Capture(capture) => size(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(size).sum(),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            size(&repetition.sub).saturating_mul(times.into())
        }
    }
}

/// Writes a character that means only itself. Every punctuation character of ASCII may be escaped, and many must be.
pub(crate) fn escape_char(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && c != '_' {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regexp::{Flags, read};
    use predicate::Regex;
    use proptest::prelude::*;

    fn text(pattern: &str) -> String {
        translate(pattern).unwrap().text
    }

    #[test]
    fn searches_become_whole_terms() {
        for (pattern, expected) in [
            ("abc", ".*abc.*"),
            ("^abc", "abc.*"),
            ("abc$", ".*abc"),
            ("^abc$", "abc"),
            ("^", ".*"),
            ("^$", "()"),
            ("", ".*().*"),
            ("(^a|b)c", "(a|.*b)c.*"),
            ("^(a|b)$", "[a-b]"),
            ("a(?:b|cd)+?", ".*a((b|cd))+.*"),
            (r"a\.b/c", r".*a\.b\/c.*"),
            ("x[0-9]{2,3}", ".*x([0-9]){2,3}.*"),
            ("(?i)k", ".*[Kk\u{212a}].*"),
            ("(?s)a.b", ".*a.b.*"),
            ("a.b", ".*a[^\n]b.*"),
            ("[^\"]", ".*[^\\\"].*"),
            ("a\\\\$", ".*a[\\\\]"),
        ] {
            let translated = translate(pattern).unwrap();
            assert_eq!(
                (translated.text.as_str(), translated.is_exact),
                (expected, true),
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_lucene_lacks_is_widened() {
        for (pattern, expected) in [
            (r"\bab", ".*()ab.*"),
            (r"a^b", ".*a()b.*"),
            (r"(?m)^a", ".*()a.*"),
        ] {
            let translated = translate(pattern).unwrap();
            assert_eq!(
                (translated.text.as_str(), translated.is_exact),
                (expected, false),
                "{pattern}"
            );
        }
        // `\w` and `\d` are Unicode's: all that is not printable ASCII may be in them.
        assert_eq!(text(r"\d"), r".*[^ -\/\:-\~].*");
        assert_eq!(translate("(?="), None);
        assert_eq!(translate("(ab|[cd]{2,5}){10}").unwrap().size, 70);
    }

    #[test]
    fn ends_do_not_escape_the_slash() {
        assert_eq!(end_safely("a\\\\".to_owned()), "a[\\\\]");
        assert_eq!(end_safely("\\\\a".to_owned()), "\\\\a");
        assert_eq!(class_of(['a', '\\', ']']), r"[a\\\]]");
    }

    fn pattern() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "a", "b", "é", ".", r"\d", r"\w", r"\s", "[a-c]", "[^a]", "^", "$", r"\b", r"\.",
            r"\\", "/", "\"", "(?i:k)", "#", "@", "~", "&", "<", "(?m:^)", "\\n",
        ]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 12, 4, |inner| {
            prop_oneof![
                4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
                2 => prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| format!("({})", parts.join("|"))),
                1 => (inner, prop::sample::select(vec!["*", "+?", "?", "{2}", "{0,2}", "{1,}"]))
                    .prop_map(|(part, operator)| format!("(?:{part}){operator}")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn finds_at_least_the_same(pattern in pattern(), text in "[ab1éKkK./\"\\\\\n _#@~&<^$-]{0,5}") {
            let original = Regex::new(&pattern).unwrap();
            let translated = translate(&pattern).unwrap();
            let regex = read(&translated.text, Flags::ALL, false).unwrap();
            let (found, expected) = (regex.is_match(&text), original.is_match(&text));
            prop_assert!(found || !expected, "{}", translated.text);
            prop_assert!(!translated.is_exact || found == expected, "{}", translated.text);
        }
    }
}
