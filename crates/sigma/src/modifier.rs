//! The modifiers of a field: `CommandLine|base64offset|contains`.
//!
//! They apply from left to right to each value. Where specification and practice leave a choice:
//!
//! - `wide` and `utf16le` are one modifier, as the specification says. Text that is not ASCII becomes bytes that are
//!   no text, and must be followed by `base64` or `base64offset`; so must `utf16`, whose byte order mark is `FF FE`.
//! - `startswith` and `endswith` anchor a regular expression, for Sigma's expressions search; `contains` adds nothing.
//! - `base64offset` needs two bytes at least: of a single one, a variant would be empty and match everything.
//! - `windash` finds en dash, em dash and horizontal bar in the rule's text, too.
//! - `re`, `cidr` and `exists` come first; `all` and `neq` may stand anywhere; the same modifier twice is once.
//! - A placeholder under `expand` needs set-up as long as nobody has values for it; they are texts, without wildcards. In a
//!   regular expression it always does.

use crate::detection::{Comparison, DatePart, Part, Pattern, RefKind, Value};
use crate::pattern::placeholder;
use crate::regex;
use crate::scalar::Meaning;
use crate::yaml::Scalar;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;

/// Defines the modifiers by their names, the first of which is the usual one.
macro_rules! modifiers {
    ($($variant:ident = $name:literal $(| $alias:literal)*),+ $(,)?) => {
        /// Every modifier of the specification's appendix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Modifier {
            $(#[doc = concat!("`", $name, "`" $(, ", `", $alias, "`")*)] $variant),+
        }

        impl Modifier {
            /// All of them.
            pub const ALL: &[Modifier] = &[$(Modifier::$variant),+];

            /// Its usual name in a rule.
            pub fn as_str(self) -> &'static str {
                match self { $(Modifier::$variant => $name),+ }
            }

            /// The modifier of that name.
            pub fn named(name: &str) -> Option<Modifier> {
                match name { $($name $(| $alias)* => Some(Modifier::$variant),)+ _ => None }
            }
        }
    };
}

modifiers! {
    Contains = "contains",
    StartsWith = "startswith",
    EndsWith = "endswith",
    All = "all",
    Exists = "exists",
    Cased = "cased",
    Neq = "neq",
    Re = "re",
    IgnoreCase = "i" | "ignorecase",
    MultiLine = "m" | "multiline",
    DotAll = "s" | "dotall",
    Base64 = "base64",
    Base64Offset = "base64offset",
    Utf16Le = "wide" | "utf16le",
    Utf16Be = "utf16be",
    Utf16 = "utf16",
    Windash = "windash",
    Cidr = "cidr",
    Lt = "lt",
    Lte = "lte",
    Gt = "gt",
    Gte = "gte",
    Minute = "minute",
    Hour = "hour",
    Day = "day",
    Week = "week",
    Month = "month",
    Year = "year",
    FieldRef = "fieldref",
    Expand = "expand",
}

/// Names from other languages and from memory, and what they mean here.
const MISNOMERS: &[(&str, Modifier)] = &[
    ("regex", Modifier::Re),
    ("regexp", Modifier::Re),
    ("ne", Modifier::Neq),
    ("not", Modifier::Neq),
    ("beginswith", Modifier::StartsWith),
    ("prefix", Modifier::StartsWith),
    ("suffix", Modifier::EndsWith),
    ("ge", Modifier::Gte),
    ("le", Modifier::Lte),
    ("case", Modifier::Cased),
    ("b64", Modifier::Base64),
];

impl Modifier {
    /// What somebody most likely meant by a name that is none.
    pub(crate) fn meant_by(name: &str) -> Option<Modifier> {
        let plain: String = name
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect::<String>()
            .to_lowercase();
        let misnomer = MISNOMERS.iter().find(|(misnomer, _)| *misnomer == plain);
        Modifier::named(&plain).or(misnomer.map(|(_, modifier)| *modifier))
    }

    /// Whether it is about the item and not about its values.
    fn is_about_item(self) -> bool {
        matches!(self, Modifier::All | Modifier::Neq)
    }

    fn must_be_first(self) -> bool {
        matches!(self, Modifier::Re | Modifier::Cidr | Modifier::Exists)
    }

    /// Whether keywords may have it.
    pub(crate) fn needs_field(self) -> bool {
        matches!(self, Modifier::Exists | Modifier::FieldRef)
    }
}

/// Why a value cannot be had.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub message: String,
    pub help: Option<&'static str>,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
            help: None,
        }
    }

    fn help(self, help: &'static str) -> Refusal {
        Refusal {
            help: Some(help),
            ..self
        }
    }
}

/// The values of placeholders, by their names without percent signs.
pub type Placeholders = HashMap<String, Vec<String>>;

/// How many values may still come of alternatives (`windash`, `base64offset`, `expand`) in one rule.
#[derive(Debug)]
pub(crate) struct Alternatives<'p> {
    left: usize,
    placeholders: &'p Placeholders,
}

impl<'p> Alternatives<'p> {
    pub const MAX: usize = 20_000;

    pub fn new(placeholders: &'p Placeholders) -> Alternatives<'p> {
        Alternatives {
            left: Alternatives::MAX,
            placeholders,
        }
    }

    fn spend(&mut self, variants: usize) {
        self.left = self.left.saturating_sub(variants);
    }

    /// Any of these, which are none when they would be too many.
    fn any_of(
        &mut self,
        modifier: Modifier,
        variants: Option<Vec<Pattern>>,
    ) -> Result<Draft, Refusal> {
        let Some(variants) = variants else {
            let message = format!(
                "`{}` gives more than {} alternatives",
                modifier.as_str(),
                Alternatives::MAX
            );
            return Err(Refusal::new("too-many-alternatives", message)
                .help("split the values over several rules"));
        };
        self.spend(variants.len());
        Ok(Draft::AnyOf(
            variants.into_iter().map(Draft::Text).collect(),
        ))
    }
}

/// A value on its way through the modifiers.
enum Draft {
    Text(Pattern),
    /// UTF-16: each character of the texts is one byte.
    Bytes(Pattern),
    Done(Value),
    AnyOf(Vec<Draft>),
}

/// Applies the modifiers of an item to one of its values.
pub(crate) fn apply(
    modifiers: &[Modifier],
    scalar: &Scalar<'_>,
    alternatives: &mut Alternatives<'_>,
) -> Result<Value, Refusal> {
    let mut steps = modifiers
        .iter()
        .copied()
        .filter(|modifier| !modifier.is_about_item())
        .peekable();
    if let Some(late) = steps
        .clone()
        .skip(1)
        .find(|modifier| modifier.must_be_first())
    {
        let message = format!("`{}` must be the first modifier", late.as_str());
        return Err(Refusal::new("modifier-order", message));
    }
    let mut draft = match steps.next_if(|first| first.must_be_first()) {
        Some(Modifier::Re) => Draft::Done(expression(scalar)?),
        Some(Modifier::Cidr) => Draft::Done(network(scalar)?),
        Some(exists) => match scalar.meaning() {
            Meaning::Bool(there) => Draft::Done(Value::Exists(there)),
            _ => {
                return Err(Refusal::new(
                    "modifier-type",
                    format!("`{}` needs `true` or `false`", exists.as_str()),
                ));
            }
        },
        None => literal(scalar)?,
    };
    for step in steps {
        draft = draft.step(step, alternatives)?;
    }
    draft.finish()
}

fn literal(scalar: &Scalar<'_>) -> Result<Draft, Refusal> {
    Ok(Draft::Done(match scalar.meaning() {
        Meaning::Text => return Ok(Draft::Text(Pattern::parse(&scalar.text))),
        Meaning::Null => Value::Null,
        Meaning::Bool(truth) => Value::Bool(truth),
        Meaning::Number(number) => Value::Number(number),
        Meaning::NoNumber => {
            return Err(Refusal::new(
                "odd-number",
                format!("`{}` is no number that a field could hold", scalar.text),
            )
            .help("put it in quotes if it is a text"));
        }
        Meaning::Date => {
            return Err(
                Refusal::new("date-value", format!("`{}` is a date to YAML", scalar.text))
                    .help("put it in quotes: it is compared as text"),
            );
        }
    }))
}

fn expression(scalar: &Scalar<'_>) -> Result<Value, Refusal> {
    if scalar.meaning() == Meaning::Null {
        return Err(Refusal::new(
            "modifier-type",
            "`re` needs a text, and this is null",
        ));
    }
    let pattern = regex::translate(&scalar.text).map_err(|reason| {
        Refusal::new(
            "regex",
            format!("the regular expression cannot be used: {reason}"),
        )
    })?;
    Ok(Value::Regex {
        pattern,
        ignore_case: false,
        multi_line: false,
        dot_all: false,
    })
}

fn network(scalar: &Scalar<'_>) -> Result<Value, Refusal> {
    let text = scalar.text.as_ref();
    let net = text
        .parse::<IpNet>()
        .or_else(|error| text.parse::<IpAddr>().map(IpNet::from).map_err(|_| error));
    match net {
        Ok(net) if net.addr() == net.network() => Ok(Value::Cidr(net)),
        Ok(net) => Err(Refusal::new(
            "cidr",
            format!(
                "`{text}` names a host, not a network; the network is `{}`",
                net.trunc()
            ),
        )),
        Err(_) => Err(
            Refusal::new("cidr", format!("`{text}` is no IPv4 or IPv6 network"))
                .help("write it as `10.0.0.0/8` or `2001:db8::/32`"),
        ),
    }
}

impl Draft {
    fn step(
        self,
        modifier: Modifier,
        alternatives: &mut Alternatives<'_>,
    ) -> Result<Draft, Refusal> {
        use Modifier::*;
        if let Draft::AnyOf(drafts) = self {
            let drafts = drafts
                .into_iter()
                .map(|draft| draft.step(modifier, alternatives));
            return Ok(Draft::AnyOf(drafts.collect::<Result<_, _>>()?));
        }
        match modifier {
            All | Neq | Re | Cidr | Exists => Ok(self),
            Contains | StartsWith | EndsWith => self.open(modifier),
            Cased => self.text(modifier, |pattern| Pattern {
                cased: true,
                ..pattern
            }),
            IgnoreCase | MultiLine | DotAll => self.flag(modifier),
            Utf16Le => self.utf16(modifier, &[], u16::to_le_bytes),
            Utf16Be => self.utf16(modifier, &[], u16::to_be_bytes),
            Utf16 => self.utf16(modifier, &[0xff, 0xfe], u16::to_le_bytes),
            Base64 => self.base64(),
            Base64Offset => self.base64_offset(alternatives),
            Windash => match self {
                Draft::Text(pattern) => {
                    let variants = pattern.windash(alternatives.left);
                    alternatives.any_of(modifier, variants)
                }
                other => Err(other.wrong_type(modifier, "a text")),
            },
            Lt => self.compare(modifier, Comparison::Lt),
            Lte => self.compare(modifier, Comparison::Lte),
            Gt => self.compare(modifier, Comparison::Gt),
            Gte => self.compare(modifier, Comparison::Gte),
            Minute => self.date_part(modifier, DatePart::Minute),
            Hour => self.date_part(modifier, DatePart::Hour),
            Day => self.date_part(modifier, DatePart::Day),
            Week => self.date_part(modifier, DatePart::Week),
            Month => self.date_part(modifier, DatePart::Month),
            Year => self.date_part(modifier, DatePart::Year),
            FieldRef => match self {
                Draft::Text(pattern) => match pattern.as_text() {
                    Some(field) if !field.is_empty() => Ok(Draft::Done(Value::FieldRef {
                        field: field.to_owned(),
                        kind: RefKind::Equals,
                    })),
                    _ => Err(Refusal::new(
                        "fieldref",
                        "`fieldref` needs the name of a field, without wildcards",
                    )),
                },
                other => Err(other.wrong_type(modifier, "the name of a field")),
            },
            Expand => match self {
                Draft::Done(Value::Regex { ref pattern, .. }) => match first_placeholder(pattern) {
                    Some(name) => Err(unset(name)),
                    None => Ok(self),
                },
                Draft::Text(pattern) => {
                    let pattern = pattern.expand();
                    let filled = pattern.fill(alternatives.placeholders, alternatives.left);
                    match filled {
                        Some(mut one) if one.len() == 1 => Ok(Draft::Text(one.remove(0))),
                        filled => alternatives.any_of(modifier, filled),
                    }
                }
                other => Err(other.wrong_type(modifier, "a text")),
            },
        }
    }

    /// Changes a text.
    fn text(
        self,
        modifier: Modifier,
        change: impl FnOnce(Pattern) -> Pattern,
    ) -> Result<Draft, Refusal> {
        match self {
            Draft::Text(pattern) => Ok(Draft::Text(change(pattern))),
            Draft::Bytes(pattern) => Ok(Draft::Bytes(change(pattern))),
            other => Err(other.wrong_type(modifier, "a text")),
        }
    }

    /// `contains`, `startswith` and `endswith`.
    fn open(self, modifier: Modifier) -> Result<Draft, Refusal> {
        let (start, end) = (
            modifier != Modifier::StartsWith,
            modifier != Modifier::EndsWith,
        );
        match self {
            Draft::Done(Value::FieldRef { field, kind }) => {
                let start = start || matches!(kind, RefKind::EndsWith | RefKind::Contains);
                let end = end || matches!(kind, RefKind::StartsWith | RefKind::Contains);
                let kind = match (start, end) {
                    (true, true) => RefKind::Contains,
                    (true, false) => RefKind::EndsWith,
                    (false, true) => RefKind::StartsWith,
                    (false, false) => RefKind::Equals,
                };
                Ok(Draft::Done(Value::FieldRef { field, kind }))
            }
            Draft::Done(Value::Regex {
                pattern,
                ignore_case,
                multi_line,
                dot_all,
            }) => {
                let pattern = match (start, end) {
                    (true, true) => pattern,
                    (false, _) => format!(r"\A(?:{pattern})"),
                    (true, false) => format!(r"(?:{pattern})\z"),
                };
                Ok(Draft::Done(Value::Regex {
                    pattern,
                    ignore_case,
                    multi_line,
                    dot_all,
                }))
            }
            other => other.text(modifier, |mut pattern| {
                if start {
                    pattern.open_start();
                }
                if end {
                    pattern.open_end();
                }
                pattern
            }),
        }
    }

    fn flag(self, modifier: Modifier) -> Result<Draft, Refusal> {
        let Draft::Done(Value::Regex {
            pattern,
            ignore_case,
            multi_line,
            dot_all,
        }) = self
        else {
            let message = format!("`{}` is a flag of regular expressions", modifier.as_str());
            return Err(Refusal::new("modifier-order", message)
                .help("it stands behind `re`, as in `field|re|i`"));
        };
        Ok(Draft::Done(Value::Regex {
            pattern,
            ignore_case: ignore_case || modifier == Modifier::IgnoreCase,
            multi_line: multi_line || modifier == Modifier::MultiLine,
            dot_all: dot_all || modifier == Modifier::DotAll,
        }))
    }

    fn utf16(
        self,
        modifier: Modifier,
        mark: &[u8],
        bytes: fn(u16) -> [u8; 2],
    ) -> Result<Draft, Refusal> {
        let Draft::Text(pattern) = self else {
            return Err(self.wrong_type(modifier, "a text"));
        };
        let mut encoded = Pattern {
            cased: pattern.cased,
            ..Pattern::default()
        };
        encoded.push_text(&mark.iter().copied().map(char::from).collect::<String>());
        let parts = pattern.map_text(|text| {
            text.encode_utf16()
                .flat_map(bytes)
                .map(char::from)
                .collect()
        });
        parts.parts.into_iter().for_each(|part| encoded.push(part));
        Ok(Draft::Bytes(encoded))
    }

    /// The bytes of a text without wildcards.
    fn bytes(&self, modifier: Modifier) -> Result<(Vec<u8>, bool), Refusal> {
        let (Draft::Text(pattern) | Draft::Bytes(pattern)) = self else {
            return Err(self.wrong_type(modifier, "a text"));
        };
        if let Some(Part::Placeholder(name)) = pattern
            .parts
            .iter()
            .find(|part| matches!(part, Part::Placeholder(_)))
        {
            return Err(unset(name));
        }
        let Some(text) = pattern.as_text() else {
            return Err(Refusal::new(
                "encoded-wildcard",
                format!("`{}` cannot encode wildcards", modifier.as_str()),
            )
            .help(r"write `\*` for a literal star, and put `contains` behind the encoding"));
        };
        let bytes = match self {
            Draft::Bytes(_) => text.chars().map(|char| char as u8).collect(),
            _ => text.as_bytes().to_vec(),
        };
        Ok((bytes, pattern.cased))
    }

    fn base64(self) -> Result<Draft, Refusal> {
        let (bytes, cased) = self.bytes(Modifier::Base64)?;
        Ok(encoded(&STANDARD.encode(bytes), cased))
    }

    fn base64_offset(self, alternatives: &mut Alternatives<'_>) -> Result<Draft, Refusal> {
        let (bytes, cased) = self.bytes(Modifier::Base64Offset)?;
        if bytes.len() < 2 {
            return Err(
                Refusal::new("base64offset", "`base64offset` needs two bytes at least")
                    .help("shorter ones leave nothing to look for"),
            );
        }
        alternatives.spend(3);
        // The characters that depend on what stands before and behind the bytes are left out.
        let variant = |offset: usize| {
            let shifted = [&b"  "[..offset], &bytes].concat();
            let text = STANDARD.encode(&shifted);
            let start = [0, 2, 3][offset];
            let end = text.len() - [0, 3, 2][shifted.len() % 3];
            encoded(&text[start..end], cased)
        };
        Ok(Draft::AnyOf((0..3).map(variant).collect()))
    }

    fn compare(self, modifier: Modifier, comparison: Comparison) -> Result<Draft, Refusal> {
        Ok(Draft::Done(match self {
            Draft::Done(Value::Number(number)) => Value::Compare(comparison, number),
            Draft::Done(Value::DatePart {
                part,
                compare: None,
                value,
            }) => Value::DatePart {
                part,
                compare: Some(comparison),
                value,
            },
            other => return Err(other.wrong_type(modifier, "a number")),
        }))
    }

    fn date_part(self, modifier: Modifier, part: DatePart) -> Result<Draft, Refusal> {
        match self {
            Draft::Done(Value::Number(value)) => Ok(Draft::Done(Value::DatePart {
                part,
                compare: None,
                value,
            })),
            other => Err(other.wrong_type(modifier, "a number")),
        }
    }

    fn finish(self) -> Result<Value, Refusal> {
        Ok(match self {
            Draft::Text(pattern) => {
                let missing = pattern.parts.iter().find_map(|part| match part {
                    Part::Placeholder(name) => Some(name),
                    _ => None,
                });
                match missing {
                    Some(name) => return Err(unset(name)),
                    None => Value::String(pattern),
                }
            }
            Draft::Bytes(pattern) => {
                let ascii = |part: &Part| !matches!(part, Part::Text(text) if !text.is_ascii());
                if !pattern.parts.iter().all(ascii) {
                    return Err(Refusal::new(
                        "utf16-bytes",
                        "UTF-16 gives bytes here that are no text",
                    )
                    .help("put `base64` or `base64offset` behind it"));
                }
                return Draft::Text(pattern).finish();
            }
            Draft::Done(value) => value,
            Draft::AnyOf(drafts) => Value::AnyOf(
                drafts
                    .into_iter()
                    .map(Draft::finish)
                    .collect::<Result<_, _>>()?,
            ),
        })
    }

    fn wrong_type(&self, modifier: Modifier, wanted: &str) -> Refusal {
        let (what, help) = match self {
            Draft::Text(_) => ("a text", Some("write numbers without quotes")),
            Draft::Bytes(_) => ("encoded already", None),
            Draft::AnyOf(_) => ("a choice of texts", None),
            Draft::Done(value) => match value {
                Value::Number(_) => ("a number", Some("put it in quotes to make it a text")),
                Value::Bool(_) => ("a boolean", Some("put it in quotes to make it a text")),
                Value::Null => (
                    "null",
                    Some("a field that is missing has no modifiers: `field: null`"),
                ),
                Value::Regex { .. } => ("a regular expression", None),
                Value::Cidr(_) => ("a network", None),
                Value::Exists(_) => ("a test of existence", None),
                Value::FieldRef { .. } => ("a reference to a field", None),
                _ => ("a comparison", None),
            },
        };
        Refusal {
            code: "modifier-type",
            message: format!("`{}` needs {wanted}, and this is {what}", modifier.as_str()),
            help,
        }
    }
}

fn encoded(text: &str, cased: bool) -> Draft {
    let mut pattern = Pattern {
        cased,
        ..Pattern::default()
    };
    pattern.push_text(text);
    Draft::Text(pattern)
}

fn first_placeholder(text: &str) -> Option<&str> {
    text.match_indices('%')
        .filter(|(at, _)| !text[..*at].ends_with('\\'))
        .find_map(|(at, _)| placeholder(&text[at..]))
}

/// The code of the diagnostic about a placeholder.
pub(crate) const PLACEHOLDER: &str = "placeholder";

fn unset(name: &str) -> Refusal {
    Refusal::new(
        PLACEHOLDER,
        format!("the placeholder `%{name}%` has no value"),
    )
}
