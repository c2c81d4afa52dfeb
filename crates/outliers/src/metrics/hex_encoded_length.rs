//! How long the longest word of hexadecimal digits in the value is: of more than ten of them; 0 if there is none.

use super::{Measured, Metric};

pub(super) const METRIC: Metric = Metric {
    name: "hex_encoded_length",
    measure,
};

/// A word that is shorter is none.
const SHORTEST: usize = 11;

fn measure(text: &str) -> Option<Measured> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '+');
    let is_number = |word: &&str| {
        let digits = word.strip_prefix('+').unwrap_or(word);
        word.len() >= SHORTEST && !digits.contains('+')
    };
    // The last of those that are longest.
    let Some(word) = words.filter(is_number).max_by_key(|word| word.len()) else {
        return Some(Measured::count(0));
    };
    Some(Measured {
        more: vec![
            ("max_hex_encoded_length", word.len().into()),
            ("max_hex_encoded_word", word.into()),
        ],
        ..Measured::count(word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_word_counts() {
        let measured = measure("12c322adc020 12322029620").unwrap();
        assert_eq!(measured.number, 12.0);
        assert_eq!(
            measured.more[1],
            ("max_hex_encoded_word", "12c322adc020".into())
        );
        let measured = measure("aaaaaaaaaaa-bbbbbbbbbbb").unwrap();
        assert_eq!(measured.more[1].1, "bbbbbbbbbbb".into());
        assert_eq!(measure("0123456789 xyz"), Some(Measured::count(0)));
    }
}
