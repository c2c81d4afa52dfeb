//! What a plain YAML scalar means: YAML 1.1 as PyYAML reads it, for that is what rules are written against.
//!
//! `no` is false, `010` is 8, `0x10` is 16, `1_000` is 1000, `1:30` is 90 (base 60), `1e3` is a text, `2024-01-01` is
//! a date. Numbers become canonical decimal text and stay exact, however many digits they have.

/// The meaning of a scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// Canonical decimal text: no leading zeros, no trailing ones behind the point, no exponent.
    Number(String),
    /// Infinite, not a number, or too long to be compared with anything.
    NoNumber,
    /// A date, with or without a time.
    Date,
    /// A text.
    Text,
}

/// Numbers with more digits than this are refused: nothing that is compared with a field is so long.
const MAX_DIGITS: usize = 1_000;

/// The meaning of an unquoted scalar.
pub(crate) fn resolve(text: &str) -> Meaning {
    match text.as_bytes() {
        [] => Meaning::Null,
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => number_or_date(text),
        [
            b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O',
            ..,
        ] => word(text),
        _ => Meaning::Text,
    }
}

fn word(text: &str) -> Meaning {
    match text {
        "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Meaning::Bool(true)
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Meaning::Bool(false)
        }
        _ => Meaning::Text,
    }
}

fn number_or_date(text: &str) -> Meaning {
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let signed = unsigned.len() < text.len();
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Meaning::NoNumber,
        ".nan" | ".NaN" | ".NAN" if !signed => return Meaning::NoNumber,
        _ => {}
    }
    let number = integer(unsigned).or_else(|| float(unsigned, signed));
    match number {
        Some(Some(digits)) if negative && digits != "0" => Meaning::Number(format!("-{digits}")),
        Some(Some(digits)) => Meaning::Number(digits),
        Some(None) => Meaning::NoNumber,
        None if is_date(text) => Meaning::Date,
        None => Meaning::Text,
    }
}

/// Outer none: not of this form. Inner none: of this form, but too long.
type Digits = Option<Option<String>>;

fn integer(text: &str) -> Digits {
    let bytes = text.as_bytes();
    let all = |rest: &[u8], digit: fn(&u8) -> bool| {
        !rest.is_empty() && rest.iter().all(|byte| digit(byte) || *byte == b'_')
    };
    match bytes {
        b"0" => Some(Some("0".to_owned())),
        [b'0', b'b', rest @ ..] if all(rest, |byte| matches!(byte, b'0' | b'1')) => {
            Some(radix(&text[2..], 2))
        }
        [b'0', b'x', rest @ ..] if all(rest, u8::is_ascii_hexdigit) => Some(radix(&text[2..], 16)),
        [b'0', rest @ ..] if all(rest, |byte| (b'0'..=b'7').contains(byte)) => {
            Some(radix(&text[1..], 8))
        }
        [b'1'..=b'9', ..] if all(bytes, u8::is_ascii_digit) => Some(decimal(text, "", 0)),
        [b'1'..=b'9', ..] if is_sexagesimal(text) => {
            Some(sexagesimal(text).map(|number| number.to_string()))
        }
        _ => None,
    }
}

fn float(text: &str, signed: bool) -> Digits {
    let (whole, rest) = text.split_once('.')?;
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    if !digits(fraction) {
        return None;
    }
    if whole.contains(':') {
        if exponent.is_some()
            || !whole.starts_with(|c: char| c.is_ascii_digit())
            || !is_sexagesimal(whole)
        {
            return None;
        }
        return Some(sexagesimal(whole).and_then(|whole| decimal(&whole.to_string(), fraction, 0)));
    }
    let sound = if whole.is_empty() {
        !signed && fraction.starts_with(|c: char| c.is_ascii_digit())
    } else {
        whole.starts_with(|c: char| c.is_ascii_digit()) && digits(whole)
    };
    if !sound {
        return None;
    }
    let shift = match exponent {
        None => 0,
        Some(exponent) => {
            let power = exponent.strip_prefix(['+', '-'])?;
            if power.is_empty() || !power.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            match exponent.parse::<i32>() {
                Ok(shift) if shift.unsigned_abs() as usize <= MAX_DIGITS => shift,
                _ => return Some(None),
            }
        }
    };
    Some(decimal(whole, fraction, shift))
}

fn radix(text: &str, radix: u32) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    u128::from_str_radix(&digits, radix)
        .ok()
        .map(|number| number.to_string())
}

/// `[0-9][0-9_]*(:[0-5]?[0-9])+`
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().is_some_and(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'_')
    });
    let mut more = false;
    first
        && parts.all(|part| {
            more = true;
            matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
        })
        && more
}

fn sexagesimal(text: &str) -> Option<u128> {
    text.split(':').try_fold(0u128, |sum, part| {
        let part: u128 = part.replace('_', "").parse().ok()?;
        sum.checked_mul(60)?.checked_add(part)
    })
}

/// `whole.fraction` times ten to the `shift`, in canonical form.
fn decimal(whole: &str, fraction: &str, shift: i32) -> Option<String> {
    let mut digits: Vec<u8> = whole.bytes().filter(u8::is_ascii_digit).collect();
    let mut point = digits.len() as i64 + i64::from(shift);
    digits.extend(fraction.bytes().filter(u8::is_ascii_digit));
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    point -= zeros as i64;
    while digits.last() == Some(&b'0') && digits.len() as i64 > point.max(0) {
        digits.pop();
    }
    if digits.iter().all(|digit| *digit == b'0') {
        return Some("0".to_owned());
    }
    if digits.len() > MAX_DIGITS || point.unsigned_abs() as usize > MAX_DIGITS {
        return None;
    }
    let mut text = String::with_capacity(digits.len() + 2);
    for at in point.min(0)..(digits.len() as i64).max(point) {
        if at == point {
            text.push('.');
        }
        let digit = usize::try_from(at)
            .ok()
            .and_then(|at| digits.get(at))
            .unwrap_or(&b'0');
        text.push(char::from(*digit));
    }
    Some(if text.starts_with('.') {
        format!("0{text}")
    } else {
        text
    })
}

/// A date or a date with a time, in the forms that YAML 1.1 calls a timestamp.
fn is_date(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ', '\t']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start_matches([' ', '\t'])),
        None => (text, ""),
    };
    let widths = |text: &str, separator: char, allowed: &[&[usize]]| {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len() == allowed.len()
            && parts.iter().zip(allowed).all(|(part, widths)| {
                widths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
            })
    };
    if date.len() == text.len() {
        return widths(date, '-', &[&[4], &[2], &[2]]);
    }
    let clock_end = time
        .find(|c: char| !c.is_ascii_digit() && c != ':')
        .unwrap_or(time.len());
    widths(date, '-', &[&[4], &[1, 2], &[1, 2]])
        && widths(&time[..clock_end], ':', &[&[1, 2], &[2], &[2]])
}

#[cfg(test)]
mod tests {
    use super::{Meaning, resolve};

    #[test]
    fn numbers_become_canonical_decimal_text() {
        let cases = [
            ("0", "0"),
            ("-0", "0"),
            ("42", "42"),
            ("+42", "42"),
            ("-3", "-3"),
            ("010", "8"),
            ("0_10", "8"),
            ("0x10", "16"),
            ("-0xFF", "-255"),
            ("0b101", "5"),
            ("1_000", "1000"),
            ("1:30", "90"),
            ("12:30:45", "45045"),
            ("1:30.5", "90.5"),
            ("1.0", "1"),
            ("1.50", "1.5"),
            ("0.5", "0.5"),
            (".5", "0.5"),
            ("1.", "1"),
            ("007.5", "7.5"),
            ("1.5e+3", "1500"),
            ("1.5E-3", "0.0015"),
            ("-1.25e+1", "-12.5"),
            ("0.0", "0"),
            ("100.0", "100"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
        ];
        for (text, number) in cases {
            assert_eq!(resolve(text), Meaning::Number(number.to_owned()), "{text}");
        }
    }

    #[test]
    fn words_are_those_of_yaml_1_1() {
        for text in ["yes", "On", "TRUE"] {
            assert_eq!(resolve(text), Meaning::Bool(true), "{text}");
        }
        for text in ["no", "Off", "false"] {
            assert_eq!(resolve(text), Meaning::Bool(false), "{text}");
        }
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(resolve(text), Meaning::Null, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_something_is_a_text() {
        for text in [
            "y",
            "n",
            "nO",
            "nUll",
            "1e3",
            "1.5e3",
            "08",
            "0x",
            "0b2",
            "1:60",
            "1:2:",
            ":30",
            "-",
            "+",
            ".",
            "-.5",
            "1.2.3.4",
            "10.0.0.0/8",
            "4625,4624",
            "-a",
            "--",
            "1-2",
            "2024-1-1",
            "2024-01-01x",
            "٣",
        ] {
            assert_eq!(resolve(text), Meaning::Text, "{text}");
        }
    }

    #[test]
    fn dates_are_told_from_numbers() {
        for text in [
            "2024-01-01",
            "2024-1-1 2:03:04",
            "2024-01-01T02:03:04.5Z",
            "2024-01-01 02:03:04 +1",
        ] {
            assert_eq!(resolve(text), Meaning::Date, "{text}");
        }
    }

    #[test]
    fn endless_and_boundless_numbers_are_none() {
        let long = "9".repeat(2_000);
        let deep = format!("0x{}", "f".repeat(100));
        for text in [
            ".inf",
            "-.INF",
            ".nan",
            "1.0e+99999999999",
            "1.0e+2000",
            &long,
            &deep,
        ] {
            assert_eq!(resolve(text), Meaning::NoNumber, "{text}");
        }
    }
}
