//! Values as a search index holds them: taken apart into terms, or left out.

use crate::pattern::{Part, Pattern};
use crate::test::Regex;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, LazyLock};
use unicode_segmentation::UnicodeSegmentation;

/// A question about the terms that an index makes of one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Indexed {
    /// How the index makes them.
    pub analysis: Analysis,
    /// What is asked.
    pub test: TermTest,
}

/// How an index makes terms of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Analysis {
    /// The whole value is one term: a field of type `keyword`.
    Whole {
        /// The length, in UTF-16 units, beyond which a value is not in the index.
        ignore_above: usize,
        /// Whether the term is lower-cased: the normalizer `lowercase`.
        lowercase: bool,
    },
    /// Each word, lower-cased: a field of type `text` with the analyzer `standard`. See [`words`].
    Words,
}

/// A question about terms: one that a term passes, or one about several.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TermTest {
    /// A term, as a whole, matches. `caseless` makes the letters a–z equal to A–Z; no other letters.
    Pattern {
        /// The pattern, in which case counts; without A–Z if `caseless`.
        pattern: Arc<Pattern>,
        /// Whether a term is brought to lower case first, as far as it is ASCII.
        caseless: bool,
    },
    /// A term contains a match.
    Regex(Arc<Regex>),
    /// A term lies between these, in the order of their characters' code points.
    Between(Bound<Box<str>>, Bound<Box<str>>),
    /// These terms follow one another.
    Phrase(Arc<[String]>),
}

/// The longest word, in UTF-16 units; what is longer is cut into several.
const LONGEST_WORD: usize = 255;

impl Indexed {
    /// Whether the terms of `text` pass.
    pub fn matches_text(&self, text: &str) -> bool {
        match self.analysis {
            Analysis::Whole { ignore_above, .. } if !is_within(text, ignore_above) => false,
            Analysis::Whole {
                lowercase: true, ..
            } => self.test.holds(&[lower(text)]),
            Analysis::Whole { .. } => self.test.holds(&[text]),
            Analysis::Words => self.test.holds(&words(text)),
        }
    }
}

impl TermTest {
    /// A term is `text`.
    pub fn is(text: &str) -> TermTest {
        let part = Part::Text(text.to_owned());
        TermTest::Pattern {
            pattern: Arc::new(Pattern::new([part], true)),
            caseless: false,
        }
    }

    /// Whether `terms`, which are those of one value in their order, pass.
    fn holds(&self, terms: &[impl AsRef<str>]) -> bool {
        let any = |test: &dyn Fn(&str) -> bool| terms.iter().any(|term| test(term.as_ref()));
        match self {
            TermTest::Pattern {
                pattern,
                caseless: false,
            } => any(&|term| pattern.matches(term)),
            TermTest::Pattern {
                pattern,
                caseless: true,
            } => any(&|term| pattern.matches(&term.to_ascii_lowercase())),
            TermTest::Regex(regex) => any(&|term| regex.is_match(term)),
            TermTest::Between(from, to) => {
                let range = (from.as_ref().map(Box::as_ref), to.as_ref().map(Box::as_ref));
                any(&|term| <_ as RangeBounds<str>>::contains(&range, term))
            }
            TermTest::Phrase(phrase) if phrase.is_empty() => false,
            TermTest::Phrase(phrase) => terms.windows(phrase.len()).any(|terms| {
                terms
                    .iter()
                    .zip(&**phrase)
                    .all(|(term, wanted)| term.as_ref() == wanted)
            }),
        }
    }
}

/// Whether `text` has at most so many UTF-16 units: those are what a server counts.
pub(crate) fn is_within(text: &str, longest: usize) -> bool {
    text.len() <= longest || text.chars().map(char::len_utf16).sum::<usize>() <= longest
}

/// `text` in lower case as an index lowers it: one character becomes one.
pub fn lower(text: &str) -> String {
    text.chars()
        .map(|c| c.to_lowercase().next().unwrap_or(c))
        .collect()
}

/// The words of a text, lower-cased, as the analyzer `standard` makes them: what lies between the word boundaries of
/// Unicode's annex 29 if it holds a letter, a digit or an emoji, cut after 255 UTF-16 units. Scripts without blanks between
/// words, as Thai, are cut where something else begins.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut bounds = text.split_word_bound_indices().peekable();
    let is_spaceless = |piece: &str| !piece.is_ascii() && SPACELESS.is_match(piece);
    while let Some((start, mut word)) = bounds.next() {
        while let Some((next, more)) =
            bounds.next_if(|(_, next)| is_spaceless(next) && is_spaceless(word))
        {
            word = &text[start..next + more.len()];
        }
        if is_word(word) {
            cut(word, &mut words);
        }
    }
    words
}

/// What makes a word of a piece of text.
static CORE: LazyLock<Regex> = LazyLock::new(|| {
    known(r"[\p{Alphabetic}\p{Nd}\p{Extended_Pictographic}\p{Regional_Indicator}\x{20E3}]")
});

/// Text in scripts without blanks between words.
static SPACELESS: LazyLock<Regex> =
    LazyLock::new(|| known(r"^[[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]&&[\p{L}\p{M}]]+$"));

fn known(pattern: &str) -> Regex {
    Regex::new(pattern).expect("this is a regular expression")
}

fn is_word(piece: &str) -> bool {
    match piece.is_ascii() {
        true => piece.bytes().any(|byte| byte.is_ascii_alphanumeric()),
        false => CORE.is_match(piece),
    }
}

/// Adds a word, in as many pieces as its length asks for.
fn cut(word: &str, words: &mut Vec<String>) {
    let (mut start, mut length) = (0, 0);
    for (at, c) in word.char_indices() {
        if length + c.len_utf16() > LONGEST_WORD {
            words.push(lower(&word[start..at]));
            (start, length) = (at, 0);
        }
        length += c.len_utf16();
    }
    words.push(lower(&word[start..]));
}

impl fmt::Display for Indexed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = match self.analysis {
            Analysis::Whole { .. } => "",
            Analysis::Words => "has a word that ",
        };
        match &self.test {
            TermTest::Phrase(phrase) => write!(f, "has the words '{}'", phrase.join(" ")),
            TermTest::Pattern {
                pattern,
                caseless: true,
            } => write!(f, "{subject}is '{pattern}'"),
            TermTest::Pattern {
                pattern,
                caseless: false,
            } => {
                write!(f, "{subject}is '{pattern}' (case counts)")
            }
            TermTest::Regex(regex) => write!(f, "{subject}matches /{}/", regex.as_str()),
            TermTest::Between(from, to) => {
                write!(f, "{subject}is in {}", Between(from.as_ref(), to.as_ref()))
            }
        }
    }
}

/// Shows a range.
pub(crate) struct Between<T>(pub(crate) Bound<T>, pub(crate) Bound<T>);

impl<T: fmt::Display> fmt::Display for Between<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Bound::Included(from) => write!(f, "[{from} to ")?,
            Bound::Excluded(from) => write!(f, "({from} to ")?,
            Bound::Unbounded => f.write_str("(any to ")?,
        }
        match &self.1 {
            Bound::Included(to) => write!(f, "{to}]"),
            Bound::Excluded(to) => write!(f, "{to})"),
            Bound::Unbounded => f.write_str("any)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_standard_analyzer() {
        for (text, expected) in [
            (
                r"C:\Windows\system32\mshta.exe",
                vec!["c", "windows", "system32", "mshta.exe"],
            ),
            (
                "The 2 QUICK Brown-Foxes, 3.5 dog's bone_1.",
                vec![
                    "the", "2", "quick", "brown", "foxes", "3.5", "dog's", "bone_1",
                ],
            ),
            ("-enc  //", vec!["enc"]),
            ("", vec![]),
            ("Ünï 漢字", vec!["ünï", "漢", "字"]),
            (
                "a😀b ☺️ 👩‍🚒 🇩🇪🇫🇷 1️⃣ #️⃣ # © ½ ①",
                vec!["a", "😀", "b", "☺️", "👩‍🚒", "🇩🇪", "🇫🇷", "1️⃣", "#️⃣", "©"],
            ),
            ("สวัสดีครับ ok ລາວ २३", vec!["สวัสดีครับ", "ok", "ລາວ", "२३"]),
            (
                "_ __ a_b _a a:b a,b 1,5",
                vec!["a_b", "_a", "a:b", "a", "b", "1,5"],
            ),
            ("İI ẞ Σ ς", vec!["ii", "ß", "σ", "ς"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
        assert_eq!(
            words(&"a".repeat(600)),
            ["a".repeat(255), "a".repeat(255), "a".repeat(90)]
        );
    }

    fn whole(ignore_above: usize, lowercase: bool, test: TermTest) -> Indexed {
        let analysis = Analysis::Whole {
            ignore_above,
            lowercase,
        };
        Indexed { analysis, test }
    }

    #[test]
    fn a_keyword_is_whole_exact_and_not_too_long() {
        let exact = whole(3, false, TermTest::is("aB"));
        assert!(
            exact.matches_text("aB") && !exact.matches_text("ab") && !exact.matches_text("aB ")
        );
        let any = Pattern::new([Part::Star], true);
        let any = whole(
            3,
            false,
            TermTest::Pattern {
                pattern: Arc::new(any),
                caseless: false,
            },
        );
        assert!(any.matches_text("") && any.matches_text("äöü") && !any.matches_text("abcd"));
        // One character, but two UTF-16 units.
        assert!(any.matches_text("a😀") && !any.matches_text("😀😀"));
        assert!(whole(3, true, TermTest::is("äb")).matches_text("ÄB"));
    }

    #[test]
    fn caseless_is_ascii_only() {
        let pattern = Pattern::new([Part::Text("kä".into()), Part::Star], true);
        let test = whole(
            99,
            false,
            TermTest::Pattern {
                pattern: Arc::new(pattern),
                caseless: true,
            },
        );
        assert!(
            test.matches_text("Kä!") && !test.matches_text("KÄ") && !test.matches_text("\u{212a}ä")
        );
    }

    #[test]
    fn ranges_of_terms() {
        let test = TermTest::Between(Bound::Included("b".into()), Bound::Excluded("d".into()));
        let test = whole(99, false, test);
        assert!(
            test.matches_text("b") && test.matches_text("c\u{10ffff}") && !test.matches_text("d")
        );
        assert!(!test.matches_text("B"));
    }

    #[test]
    fn phrases_are_consecutive_words() {
        let phrase = |text: &str| Indexed {
            analysis: Analysis::Words,
            test: TermTest::Phrase(words(text).into()),
        };
        assert!(phrase("quick brown").matches_text("the QUICK, brown fox"));
        assert!(!phrase("quick fox").matches_text("the quick brown fox"));
        assert!(!phrase("--").matches_text("--"));
    }
}
