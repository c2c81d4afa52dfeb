//! How long the addresses in the value are, all together. An address has a scheme, and a host that is an IP address, `localhost`, or a
//! name with a top-level domain.

use super::{Measured, Metric};
use fancy_regex::Regex;
use std::sync::LazyLock;

pub(super) const METRIC: Metric = Metric {
    name: "url_length",
    measure,
};

static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let letter = r"[a-z\u{a1}-\u{ffff}0-9]";
    let name = format!(
        r"(?:(?:{letter}-?)*{letter}+)(?:\.(?:{letter}-?)*{letter}+)*\.[a-z\u{{a1}}-\u{{ffff}}]{{2,}}"
    );
    let ipv4 = r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)";
    let ipv6 = r"\[[0-9a-f:.]+\]";
    let host = format!(r"(?:localhost|{ipv4}|{ipv6}|{name})");
    let user = r"(?:[-a-z0-9._~%!$&'()*+,;=:]+@)?";
    let rest = r"(?::\d{2,5})?(?:[/?#]\S*)?";
    Regex::new(&format!(r"(?i)\A(?:https?|ftp)://{user}{host}{rest}\z")).ok()
});

fn measure(text: &str) -> Option<Measured> {
    let regex = ADDRESS.as_ref()?;
    let text = text.replace('"', " ");
    let words = text.split_whitespace();
    let found: Vec<&str> = words
        .filter(|word| regex.is_match(word).unwrap_or(false))
        .collect();
    let length: usize = found.iter().map(|word| word.chars().count()).sum();
    if found.is_empty() {
        return Some(Measured::count(0));
    }
    Some(Measured {
        more: vec![
            ("extracted_urls_length", length.into()),
            ("extracted_urls", found.join(",").into()),
        ],
        ..Measured::count(length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found() {
        let measured = measure("why don't we go http://www.nviso.com").unwrap();
        assert_eq!(measured.number, 20.0);
        assert_eq!(
            measured.more[1],
            ("extracted_urls", "http://www.nviso.com".into())
        );
        for address in [
            "https://example.com:8080/a?b=c#d",
            "ftp://10.0.0.1/x",
            "http://localhost",
            "http://user:pw@example.org/",
            "http://[2001:db8::1]/",
        ] {
            assert_eq!(
                measure(address).unwrap().number,
                address.len() as f64,
                "{address}"
            );
        }
        for none in [
            "http://intranet/x",
            "www.example.com",
            "http://",
            "gopher://example.com",
        ] {
            assert_eq!(measure(none), Some(Measured::count(0)), "{none}");
        }
    }
}
