//! Values as Python writes and reads them. Summaries, whitelists and aggregators are compared by these texts.

use crate::value::Value;
use std::borrow::Cow;

/// What `str` makes of a value.
pub(crate) fn str(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.clone().into_owned(),
        value => repr(value),
    }
}

/// What `repr` makes of a value.
pub(crate) fn repr(value: &Value<'_>) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(text) => text.clone().into_owned(),
        Value::Float(number) => float(*number),
        Value::Text(text) => quoted(text),
        Value::List(list) => {
            let list: Vec<String> = list.iter().map(repr).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), repr(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// A number: the shortest digits that mean it, with an exponent below 1e-4 and from 1e16 on.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let short = format!("{number:e}");
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{number:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// A string in quotes: single ones, unless there are only single ones in it.
fn quoted(text: &str) -> String {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c => match u32::from(c) {
                code @ 0..=0xff => out.push_str(&format!("\\x{code:02x}")),
                code @ 0x100..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push(quote);
    out
}

/// Whether `repr` shows a character as it is: everything but controls, and blanks other than the plain one.
fn is_printable(c: char) -> bool {
    let is_format = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || is_format)
}

/// What `float` reads: blanks around it, `_` between digits, `nan`, `inf`, decimal digits of any script.
pub(crate) fn read_float(text: &str) -> Option<f64> {
    let text = number_text(text)?;
    let unsigned = text.trim_start_matches(['+', '-']);
    if text.len() - unsigned.len() > 1 {
        return None;
    }
    let lower = unsigned.to_ascii_lowercase();
    match &*lower {
        "nan" => Some(f64::NAN),
        "inf" | "infinity" if text.starts_with('-') => Some(f64::NEG_INFINITY),
        "inf" | "infinity" => Some(f64::INFINITY),
        _ if lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') => text.parse().ok(),
        _ => None,
    }
}

/// What `int` reads.
pub(crate) fn read_int(text: &str) -> Option<i64> {
    number_text(text)?.parse().ok()
}

/// Blanks and underscores taken out, all digits ASCII. None where an underscore is not between digits.
fn number_text(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    if text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'_')
    {
        return (!text.is_empty()).then_some(Cow::Borrowed(text));
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    for (at, c) in chars.iter().enumerate() {
        let is_digit = |at: Option<usize>| {
            let c = at.and_then(|at| chars.get(at));
            c.is_some_and(|c| digit(*c).is_some())
        };
        match (c, digit(*c)) {
            (_, Some(digit)) => out.push(digit),
            ('_', _) if is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)) => {}
            (c, _) if c.is_ascii_graphic() && *c != '_' => out.push(*c),
            _ => return None,
        }
    }
    Some(Cow::Owned(out))
}

/// The digit that a character is, in the scripts that logs have.
fn digit(c: char) -> Option<char> {
    const ZEROS: [char; 8] = [
        '0',
        '\u{660}',
        '\u{6f0}',
        '\u{966}',
        '\u{9e6}',
        '\u{e50}',
        '\u{ff10}',
        '\u{1d7ce}',
    ];
    let value = ZEROS.iter().find_map(|zero| {
        u32::from(c)
            .checked_sub(u32::from(*zero))
            .filter(|n| *n < 10)
    })?;
    char::from_digit(value, 10)
}

/// What `getboolean` reads.
pub(crate) fn read_bool(text: &str) -> Option<bool> {
    match &*text.to_lowercase() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_in_python() {
        for (number, text) in [
            (1.5, "1.5"),
            (8.0, "8.0"),
            (1e16, "1e+16"),
            (123456789012345.0, "123456789012345.0"),
            (1e15, "1000000000000000.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (-1.25e-7, "-1.25e-07"),
            (2.469_999_999_999_999_8, "2.4699999999999998"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
            (-0.0, "-0.0"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(float(number), text);
        }
    }

    #[test]
    fn values_look_as_in_python() {
        for (json, text) in [
            (
                r#"{"k": 1, "l": [true, null, "it's"]}"#,
                r#"{'k': 1, 'l': [True, None, "it's"]}"#,
            ),
            (
                r#"["a\\b", "q\"'", "\n\u0001", "é€\u00a0"]"#,
                r#"['a\\b', 'q"\'', '\n\x01', 'é€\xa0']"#,
            ),
            ("1.0", "1.0"),
            ("100", "100"),
            ("\"it's\"", "it's"),
        ] {
            assert_eq!(str(&Value::read(json)), text);
        }
    }

    #[test]
    fn numbers_are_read_as_in_python() {
        for (text, number) in [
            (" 3 ", 3.0),
            ("1e3", 1000.0),
            ("1_000", 1000.0),
            ("１２", 12.0),
            ("-.5", -0.5),
            ("5.", 5.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("+inf", f64::INFINITY),
        ] {
            assert_eq!(read_float(text), Some(number), "{text}");
        }
        assert!(read_float("NaN").unwrap().is_nan());
        for text in [
            "", "_1", "1_", "1__0", "0x1", "1 2", "--1", "e5", "1,0", "infin",
        ] {
            assert_eq!(read_float(text), None, "{text}");
        }
        assert_eq!((read_int(" 1_0 "), read_int("1.5")), (Some(10), None));
    }
}
