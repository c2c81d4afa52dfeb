//! sigmac's modifiers, which are older than the specification's: they know neither escapes nor types.

use super::value::{Operand, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Why a modifier cannot be applied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// sigmac does not know it, and dies.
    Unknown,
    /// It is `cidr`, of which sigmac says that it will not be known.
    Cidr,
    /// It is not made for what stands there.
    Type(&'static str),
    /// It would make too many values, or too large ones.
    TooMany,
}

/// Something that makes one value of another.
type Transform = fn(Value) -> Result<Operand, Refusal>;

/// How a modifier works.
enum Modifier {
    /// On each value.
    Each(Transform),
    /// On a single value, never on a list.
    Single(Transform),
    /// On the list as a whole.
    All,
}

/// The modifiers, by their names.
const TABLE: &[(&str, Modifier)] = &[
    ("all", Modifier::All),
    ("base64", Modifier::Each(base64)),
    ("base64offset", Modifier::Each(base64_offset)),
    (
        "contains",
        Modifier::Each(|value| wildcards(value, true, true)),
    ),
    (
        "endswith",
        Modifier::Each(|value| wildcards(value, true, false)),
    ),
    ("re", Modifier::Single(regex)),
    (
        "startswith",
        Modifier::Each(|value| wildcards(value, false, true)),
    ),
    (
        "utf16",
        Modifier::Each(|value| utf16(value, &[0xff, 0xfe], u16::to_le_bytes)),
    ),
    (
        "utf16be",
        Modifier::Each(|value| utf16(value, &[], u16::to_be_bytes)),
    ),
    (
        "utf16le",
        Modifier::Each(|value| utf16(value, &[], u16::to_le_bytes)),
    ),
    (
        "wide",
        Modifier::Each(|value| utf16(value, &[], u16::to_le_bytes)),
    ),
    ("windash", Modifier::Each(windash)),
];

/// The names of all modifiers.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// A field may have so many values after a modifier, of so many bytes altogether.
const MAX_VALUES: usize = 100_000;
const MAX_BYTES: usize = 64 << 20;

/// Whether a modifier would make too much of what is there.
fn is_too_much(name: &str, operand: &Operand) -> bool {
    fn count(name: &str, operand: &Operand, values: &mut usize, bytes: &mut usize) {
        match operand {
            Operand::One(value) => {
                let text = value.shown();
                let forms = match name {
                    "windash" => 1_usize << dashes(&text).len().min(40),
                    "base64offset" => 3,
                    _ => 1,
                };
                *values = values.saturating_add(forms);
                *bytes = bytes.saturating_add(forms.saturating_mul(text.len()));
            }
            Operand::List(items) | Operand::Any(items) | Operand::All(items) => {
                items
                    .iter()
                    .for_each(|item| count(name, item, values, bytes));
            }
        }
    }
    let (mut values, mut bytes) = (0, 0);
    count(name, operand, &mut values, &mut bytes);
    values > MAX_VALUES || bytes > MAX_BYTES
}

/// Applies one modifier.
pub(crate) fn apply(name: &str, operand: Operand) -> Result<Operand, Refusal> {
    if is_too_much(name, &operand) {
        return Err(Refusal::TooMany);
    }
    let modifier = TABLE.iter().find(|(known, _)| *known == name);
    match modifier.map(|(_, modifier)| modifier) {
        None if name == "cidr" => Err(Refusal::Cidr),
        None => Err(Refusal::Unknown),
        Some(Modifier::Each(transform)) => each(*transform, operand),
        Some(Modifier::Single(transform)) => match operand {
            Operand::One(value) => transform(value),
            _ => Err(Refusal::Type("a list")),
        },
        Some(Modifier::All) => match operand {
            Operand::List(items) => Ok(Operand::All(items)),
            _ => Err(Refusal::Type("a single value")),
        },
    }
}

fn each(transform: Transform, operand: Operand) -> Result<Operand, Refusal> {
    let all = |items: Vec<Operand>| -> Result<Vec<_>, _> {
        items
            .into_iter()
            .map(|item| each(transform, item))
            .collect()
    };
    Ok(match operand {
        Operand::One(value) => transform(value)?,
        Operand::List(items) => Operand::List(all(items)?),
        Operand::Any(items) => Operand::Any(all(items)?),
        Operand::All(items) => Operand::All(all(items)?),
    })
}

fn one(value: Value) -> Result<Operand, Refusal> {
    Ok(Operand::One(value))
}

fn any(texts: impl IntoIterator<Item = String>) -> Result<Operand, Refusal> {
    let values = texts
        .into_iter()
        .map(|text| Operand::One(Value::Text(text)));
    Ok(Operand::Any(values.collect()))
}

fn text(value: Value) -> Result<String, Refusal> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(Refusal::Type(other.kind())),
    }
}

fn regex(value: Value) -> Result<Operand, Refusal> {
    one(Value::Regex(text(value)?))
}

/// Puts a `*` before and behind a text, where there is none. Behind a backslash that ends it, a second one comes first.
fn wildcards(value: Value, before: bool, behind: bool) -> Result<Operand, Refusal> {
    let mut text = text(value)?;
    if before && !text.starts_with('*') {
        text.insert(0, '*');
    }
    if behind && !text.ends_with('*') {
        if text.ends_with('\\') {
            text.push('\\');
        }
        text.push('*');
    }
    one(Value::Text(text))
}

fn bytes(value: Value) -> Result<Vec<u8>, Refusal> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        other => text(other).map(String::into_bytes),
    }
}

fn base64(value: Value) -> Result<Operand, Refusal> {
    one(Value::Text(STANDARD.encode(bytes(value)?)))
}

/// The text as it is found inside of base64, wherever it begins: only what its own bytes decide.
fn base64_offset(value: Value) -> Result<Operand, Refusal> {
    let bytes = bytes(value)?;
    any([(0, 0), (1, 2), (2, 3)].map(|(shift, skip)| {
        let mut shifted = vec![b' '; shift];
        shifted.extend(&bytes);
        let encoded = STANDARD.encode(&shifted);
        let cut = [0, 3, 2][shifted.len() % 3];
        let end = encoded.len().saturating_sub(cut);
        encoded.get(skip..end).unwrap_or_default().to_owned()
    }))
}

fn utf16<const N: usize>(
    value: Value,
    mark: &[u8],
    encode: fn(u16) -> [u8; N],
) -> Result<Operand, Refusal> {
    let mut bytes = mark.to_vec();
    bytes.extend(text(value)?.encode_utf16().flat_map(encode));
    one(Value::Bytes(bytes))
}

/// The places in a text where a `-` or a `/` begins an option.
fn dashes(text: &str) -> Vec<usize> {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let begins_option = |(at, c): &(usize, char)| {
        matches!(c, '-' | '/')
            && !word(text[..*at].chars().next_back())
            && word(text[at + 1..].chars().next())
    };
    let places = text.char_indices().filter(begins_option);
    places.map(|(at, _)| at).collect()
}

/// The text with `-` and with `/` at each of these places.
fn windash(value: Value) -> Result<Operand, Refusal> {
    let text = text(value)?;
    let dashes = dashes(&text);
    if dashes.is_empty() {
        return one(Value::Text(text));
    }
    any((0..1_usize << dashes.len()).map(|form| {
        let mut bytes = text.clone();
        for (place, at) in dashes.iter().rev().enumerate() {
            let dash = if form >> place & 1 == 0 { "-" } else { "/" };
            bytes.replace_range(*at..at + 1, dash);
        }
        bytes
    }))
}
