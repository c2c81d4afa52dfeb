//! Patterns and networks as Lucene's regular expressions.

use super::MAX_REGEXP;
use crate::regexp::{class_of, end_safely, escape_char};
use ipnet::Ipv4Net;
use predicate::{Part, Pattern, fold_char};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The text of a pattern without wildcards.
pub(super) fn whole(pattern: &Pattern) -> Option<&str> {
    match pattern.parts() {
        [] => Some(""),
        [Part::Text(text)] => Some(text),
        _ => None,
    }
}

/// Whether a value that matches may have more than so many UTF-16 units.
pub(super) fn may_be_longer(pattern: &Pattern, ignore_above: usize) -> bool {
    let longest = pattern
        .parts()
        .iter()
        .try_fold(0usize, |longest, part| match part {
            Part::Star => None,
            Part::One => Some(longest + 2),
            // Another case of a character may take more units.
            Part::Text(text) => Some(
                longest
                    + text
                        .chars()
                        .map(|c| if c.is_ascii() { 1 } else { 2 })
                        .sum::<usize>(),
            ),
        });
    longest.is_none_or(|longest| longest > ignore_above)
}

pub(super) fn chars(parts: &[Part]) -> impl Iterator<Item = char> {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::One | Part::Star => None,
    });
    texts.flat_map(str::chars)
}

/// All characters that are equal to `c` where case does not count, `c` among them, if there are others.
pub(super) fn variants(c: char) -> &'static [char] {
    static VARIANTS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
        let mut variants: HashMap<char, Vec<char>> = HashMap::new();
        for (c, folded) in ('\0'..=char::MAX)
            .map(|c| (c, fold_char(c)))
            .filter(|(c, folded)| c != folded)
        {
            variants
                .entry(folded)
                .or_insert_with(|| vec![folded])
                .push(c);
        }
        variants
    });
    VARIANTS.get(&fold_char(c)).map_or(&[], Vec::as_slice)
}

/// The regular expression for `parts`, each character as any of its `variants`.
pub(super) fn regexp<'p>(
    parts: impl Iterator<Item = &'p Part>,
    variants: &dyn Fn(char) -> Vec<char>,
) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Star => out.push_str(".*"),
            Part::One => out.push('.'),
            Part::Text(text) => {
                for c in text.chars() {
                    match variants(c) {
                        variants if variants.len() > 1 => out.push_str(&class_of(variants)),
                        _ => escape_char(&mut out, c),
                    }
                }
            }
        }
    }
    end_safely(out)
}

pub(super) fn ascii_caseless(parts: &[Part]) -> String {
    regexp(parts.iter(), &|c| match c.is_ascii_alphabetic() {
        true => vec![c.to_ascii_lowercase(), c.to_ascii_uppercase()],
        false => vec![c],
    })
}

/// The parts, each character by itself.
pub(super) fn single(parts: &[Part]) -> impl Iterator<Item = Part> {
    parts.iter().flat_map(|part| match part {
        Part::Text(text) => text.chars().map(|c| Part::Text(c.to_string())).collect(),
        part => vec![part.clone()],
    })
}

/// The expression for all that begins like `parts`, as far as a server takes it.
pub(super) fn beginning(parts: &[Part]) -> String {
    let mut out = String::new();
    let mut single = single(parts);
    while let Some(part) = single.next()
        && out.chars().count() < MAX_REGEXP - 20
    {
        out.push_str(&regexp([&part].into_iter(), &|c| variants(c).to_vec()));
    }
    out + ".*"
}

/// For each run of ASCII letters and digits in a pattern, the expression for the words that contain it: nothing cuts a value
/// between them.
pub(super) fn runs(pattern: &Pattern) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    for part in pattern.parts() {
        let Part::Text(text) = part else {
            continue;
        };
        for run in text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|run| !run.is_empty())
        {
            let parts = [Part::Star, Part::Text(run.to_owned()), Part::Star];
            // A word may be in another case than the value is.
            let regexp = match run.len() <= MAX_REGEXP / 8 {
                true => regexp(parts.iter(), &|c| variants(c).to_vec()),
                false => continue,
            };
            if !runs.contains(&regexp) {
                runs.push(regexp);
            }
        }
    }
    runs
}

/// The expression for the addresses in a network, as they are written.
pub(super) fn addresses(net: &Ipv4Net) -> String {
    const ANY: &str = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    let (first, last) = (net.network().octets(), net.broadcast().octets());
    let octets = first
        .iter()
        .zip(last)
        .map(|(first, last)| match (*first, last) {
            (first, last) if first == last => first.to_string(),
            (0, 255) => ANY.to_owned(),
            (first, last) => {
                let octets: Vec<String> = (first..=last).map(|octet| octet.to_string()).collect();
                format!("({})", octets.join("|"))
            }
        });
    octets.collect::<Vec<_>>().join("\\.")
}
