//! How much the longest word in base64 hides: characters once decoded, five or more, all of them ASCII; 0 if there is none.

use super::{Measured, Metric};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) const METRIC: Metric = Metric {
    name: "base64_encoded_length",
    measure,
};

/// What is shorter hides nothing.
const SHORTEST: usize = 5;

fn measure(text: &str) -> Option<Measured> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='));
    let mut longest: Option<String> = None;
    for word in words {
        let Ok(decoded) = STANDARD.decode(word) else {
            continue;
        };
        let known = longest.as_ref().map_or(0, String::len);
        if decoded.is_ascii()
            && decoded.len() >= SHORTEST.max(known)
            && let Ok(decoded) = String::from_utf8(decoded)
        {
            longest = Some(decoded);
        }
    }
    let Some(word) = longest else {
        return Some(Measured::count(0));
    };
    Some(Measured {
        more: vec![
            ("max_base64_decoded_length", word.len().into()),
            ("max_base64_decoded_word", word.as_str().into()),
        ],
        ..Measured::count(word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_found() {
        let measured = measure("houston we have a cHJvYmxlbQ==").unwrap();
        assert_eq!(measured.number, 7.0);
        assert_eq!(
            measured.more[1],
            ("max_base64_decoded_word", "problem".into())
        );
        // Not canonical, too short, not ASCII.
        for text in ["cHJvYmxlbR==", "dGVzdA==", "w6TDtsO8w58="] {
            assert_eq!(measure(text), Some(Measured::count(0)), "{text}");
        }
    }
}
