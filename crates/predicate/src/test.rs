//! Tests on the values of a field.

use crate::date::DateRange;
use crate::decimal::Decimal;
use crate::field::{Field, text_of};
use crate::fold::fold;
use crate::indexed::{Between, Indexed, is_within};
use crate::pattern::{Pattern, equal_folded};
use event::{Fields, Value};
use ipnet::IpNet;
use jiff::Timestamp;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use thiserror::Error;

/// A single question about an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// Some value of the field passes.
    Value(Field, Matcher),
    /// The field is missing, has no value (`[]`), or a value is null.
    Null(Field),
    /// The field is there, also as null or empty: Sigma's `exists`.
    Present(Field),
    /// The field is in an index that takes values up to this many UTF-16 units: Elasticsearch's `exists`. A null is not,
    /// nor is a list or an object without any value in it.
    Indexed(Field, usize),
    /// Some string of the event passes.
    Keyword(Matcher),
    /// Some value of the first field stands in this relation to some value of the second; caseless.
    Refer(Field, Relation, Field),
}

/// A question about one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Matcher {
    /// The text of the value, as a whole, matches.
    Pattern(Arc<Pattern>),
    /// The value is this number, or a string that is its decimal text.
    Number(Decimal),
    /// The value is this boolean, or the word for it.
    Bool(bool),
    /// The text of the value contains a match.
    Regex(Arc<Regex>),
    /// The value is the text of an address in this network.
    Cidr(IpNet),
    /// The value is a number, or a string that is a plain decimal number, that compares like this.
    Compare(Comparison, Decimal),
    /// The value is the text of a time, and this part of it compares like this.
    TimePart(TimePart, Comparison, Decimal),
    /// The terms that an index makes of the value pass.
    Indexed(Arc<Indexed>),
    /// The value is a number, or a string that is a plain decimal number, between these.
    Between(Arc<(Bound<Decimal>, Bound<Decimal>)>),
    /// The value is a date in this span, as an index reads dates.
    Date(DateRange),
}

/// How two values of two fields relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The first is the second.
    Equals,
    /// The first begins with the second.
    StartsWith,
    /// The first ends with the second.
    EndsWith,
    /// The first contains the second.
    Contains,
}

/// How numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal to.
    Equal,
    /// Less than.
    Less,
    /// Less than or equal to.
    LessOrEqual,
    /// Greater than.
    Greater,
    /// Greater than or equal to.
    GreaterOrEqual,
}

/// A part of a time, as it is written there: nothing is converted to another time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// The day of the month.
    Day,
    /// The ISO 8601 week of the year.
    Week,
    /// 1 to 12.
    Month,
    /// The year.
    Year,
}

/// A regular expression that searches (it is not anchored).
#[derive(Clone, Debug)]
pub struct Regex {
    pattern: String,
    regex: regex::Regex,
}

/// A regular expression that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadRegex {
    /// It is no regular expression of this flavour.
    #[error("{0}")]
    Syntax(String),
    /// Compiled, it would be larger than [`Regex::SIZE_LIMIT`].
    #[error("the regular expression is too large: more than {} KiB when compiled", Regex::SIZE_LIMIT >> 10)]
    TooLarge,
}

impl Regex {
    /// How large a compiled expression may be, in bytes.
    pub const SIZE_LIMIT: usize = 4 << 20;

    /// Compiles `pattern`; flags are written into it, as in `(?i)abc`.
    ///
    /// # Errors
    /// [`BadRegex`] for what is no regular expression, needs look-around or back-references, or is too large.
    pub fn new(pattern: &str) -> Result<Regex, BadRegex> {
        let regex = regex::RegexBuilder::new(pattern)
            .size_limit(Regex::SIZE_LIMIT)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => BadRegex::TooLarge,
                error => BadRegex::Syntax(error.to_string()),
            })?;
        Ok(Regex {
            pattern: pattern.to_owned(),
            regex,
        })
    }

    /// The expression as given.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether `text` contains a match. Linear in the length of `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Regex) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for Regex {}

impl Hash for Regex {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pattern.hash(state);
    }
}

impl Test {
    /// Whether `event` passes.
    pub fn matches<'a>(&self, event: &impl Fields<'a>) -> bool {
        match self {
            Test::Value(field, matcher) => field
                .lookup(event)
                .values
                .iter()
                .any(|(_, value)| matcher.matches(value)),
            Test::Null(field) => {
                let found = field.lookup(event);
                found.values.is_empty()
                    || found.values.iter().any(|(_, value)| *value == Value::Null)
            }
            Test::Present(field) => field.lookup(event).present,
            Test::Indexed(field, ignore_above) => field
                .lookup(event)
                .values
                .iter()
                .any(|(_, value)| is_indexed(value, *ignore_above)),
            Test::Keyword(matcher) => event
                .strings()
                .into_iter()
                .any(|string| matcher.matches(&Value::String(string))),
            Test::Refer(left, relation, right) => {
                let right = right.lookup(event);
                left.lookup(event)
                    .values
                    .iter()
                    .any(|(_, a)| right.values.iter().any(|(_, b)| relation.holds(a, b)))
            }
        }
    }
}

/// Whether an index that takes values up to this many UTF-16 units holds `value`, or anything in it.
pub(crate) fn is_indexed(value: &Value<'_>, ignore_above: usize) -> bool {
    match value {
        Value::Null => false,
        Value::Object(text) => holds_a_value(text),
        value => text_of(value).is_some_and(|text| is_within(&text, ignore_above)),
    }
}

/// Whether the JSON text of an object holds a value that is not null.
fn holds_a_value(object: &str) -> bool {
    let mut rest = object.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => {
                let after = after_string(after);
                // A name is followed by a colon, a value is not.
                match after.iter().find(|byte| !byte.is_ascii_whitespace()) {
                    Some(b':') => after,
                    _ => return true,
                }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' => return true,
            _ => after,
        };
    }
    false
}

/// What follows a string, given what follows the quote that opens it.
fn after_string(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'\\', _, after @ ..] => after,
            [b'"', after @ ..] => return after,
            [_, after @ ..] => after,
            [] => return rest,
        }
    }
}

impl Matcher {
    /// The caseless comparison with `text` as a whole.
    pub fn text(text: &str) -> Matcher {
        Matcher::Pattern(Arc::new(Pattern::text(text)))
    }

    /// Whether `value` passes.
    pub fn matches(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Matcher::Number(number), Value::Number(literal)) => {
                Decimal::parse(literal).as_ref() == Some(number)
            }
            (Matcher::Compare(comparison, number), Value::Number(literal)) => {
                Decimal::parse(literal).is_some_and(|value| comparison.holds(&value, number))
            }
            (Matcher::Between(range), Value::Number(literal)) => {
                Decimal::parse(literal).is_some_and(|value| range.contains(&value))
            }
            (Matcher::Bool(wanted), Value::Bool(value)) => wanted == value,
            (
                Matcher::Number(_) | Matcher::Compare(..) | Matcher::Between(_) | Matcher::Date(_),
                Value::Bool(_),
            )
            | (Matcher::Bool(_), Value::Number(_)) => false,
            (_, value) => text_of(value).is_some_and(|text| self.matches_text(&text)),
        }
    }

    /// Whether a string passes.
    pub fn matches_text(&self, text: &str) -> bool {
        match self {
            Matcher::Pattern(pattern) => pattern.matches(text),
            Matcher::Number(number) => number.is_written(text),
            Matcher::Bool(value) => {
                text.eq_ignore_ascii_case(if *value { "true" } else { "false" })
            }
            Matcher::Regex(regex) => regex.is_match(text),
            Matcher::Cidr(net) => {
                // A scope (`fe80::1%12`) says on which link an address is, not which.
                let address = text
                    .split('%')
                    .next()
                    .and_then(|text| text.parse::<IpAddr>().ok());
                address.is_some_and(|address| {
                    net.contains(&address) || net.contains(&address.to_canonical())
                })
            }
            Matcher::Compare(comparison, number) => {
                Decimal::parse_plain(text).is_some_and(|value| comparison.holds(&value, number))
            }
            Matcher::TimePart(part, comparison, number) => part
                .of(text)
                .and_then(|value| Decimal::parse(&value.to_string()))
                .is_some_and(|value| comparison.holds(&value, number)),
            Matcher::Indexed(indexed) => indexed.matches_text(text),
            Matcher::Between(range) => {
                Decimal::parse_plain(text).is_some_and(|value| range.contains(&value))
            }
            Matcher::Date(range) => range.contains(text),
        }
    }
}

impl Relation {
    fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        let (Some(left), Some(right)) = (text_of(left), text_of(right)) else {
            return false;
        };
        self.holds_for(&left, &right)
    }

    /// Whether the texts stand in this relation, without regard to case.
    pub fn holds_for(self, left: &str, right: &str) -> bool {
        match self {
            Relation::Equals => equal_folded(left, right),
            Relation::StartsWith => fold(left).starts_with(&*fold(right)),
            Relation::EndsWith => fold(left).ends_with(&*fold(right)),
            Relation::Contains => fold(left).contains(&*fold(right)),
        }
    }
}

impl Comparison {
    /// Whether `left` compares to `right` like this.
    pub fn holds(self, left: &Decimal, right: &Decimal) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}

impl TimePart {
    /// This part of the time that `text` begins with (ISO 8601 or RFC 3339, `T` or a blank between date and time); `None`
    /// if it is no such time or the part is not in it.
    pub fn of(self, text: &str) -> Option<i64> {
        let (date, time) = match text.split_once(['T', 't', ' ']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let date: jiff::civil::Date = date.parse().ok()?;
        let clock = |at: usize, below: i64| -> Option<i64> {
            let digits = time?
                .get(at..at + 2)?
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| &time.unwrap_or_default()[at..at + 2])?;
            digits.parse().ok().filter(|value| *value < below)
        };
        Some(match self {
            TimePart::Minute => clock(3, 60)?,
            TimePart::Hour => clock(0, 24)?,
            TimePart::Day => i64::from(date.day()),
            TimePart::Week => i64::from(date.iso_week_date().week()),
            TimePart::Month => i64::from(date.month()),
            TimePart::Year => i64::from(date.year()),
        })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Value(field, matcher) => write!(f, "{field} {matcher}"),
            Test::Null(field) => write!(f, "{field} is null or missing"),
            Test::Present(field) => write!(f, "{field} exists"),
            Test::Indexed(field, _) => write!(f, "{field} has a value"),
            Test::Keyword(matcher) => write!(f, "any string {matcher}"),
            Test::Refer(left, relation, right) => write!(f, "{left} {relation} {right}"),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sources() {
            [] => f.write_str("(no field)"),
            [first, ..] => first.fmt(f),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Matcher::Pattern(pattern) if pattern.is_cased() => {
                write!(f, "is '{pattern}' (case counts)")
            }
            Matcher::Pattern(pattern) => write!(f, "is '{pattern}'"),
            Matcher::Number(number) => write!(f, "is {number}"),
            Matcher::Bool(value) => write!(f, "is {value}"),
            Matcher::Regex(regex) => write!(f, "matches /{}/", regex.as_str()),
            Matcher::Cidr(net) => write!(f, "is in {net}"),
            Matcher::Compare(comparison, number) => write!(f, "{comparison} {number}"),
            Matcher::TimePart(part, comparison, number) => {
                write!(f, "has a {part} {comparison} {number}")
            }
            Matcher::Indexed(indexed) => indexed.fmt(f),
            Matcher::Between(range) => {
                write!(f, "is in {}", Between(range.0.as_ref(), range.1.as_ref()))
            }
            Matcher::Date(range) => {
                let date = |millis| match Timestamp::from_millisecond(millis) {
                    Ok(date) => Bound::Included(date),
                    Err(_) => Bound::Unbounded,
                };
                write!(
                    f,
                    "is a date in {}",
                    Between(date(range.from), date(range.to))
                )
            }
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Relation::Equals => "equals the field",
            Relation::StartsWith => "starts with the field",
            Relation::EndsWith => "ends with the field",
            Relation::Contains => "contains the field",
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for TimePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimePart::Minute => "minute",
            TimePart::Hour => "hour",
            TimePart::Day => "day",
            TimePart::Week => "week",
            TimePart::Month => "month",
            TimePart::Year => "year",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_times() {
        for text in [
            "2024-12-30T23:05:59.123Z",
            "2024-12-30 23:05:59.123",
            "2024-12-30T23:05:59+02:00",
        ] {
            let parts = [
                TimePart::Minute,
                TimePart::Hour,
                TimePart::Day,
                TimePart::Week,
                TimePart::Month,
                TimePart::Year,
            ];
            assert_eq!(
                parts.map(|part| part.of(text)),
                [5, 23, 30, 1, 12, 2024].map(Some)
            );
        }
        assert_eq!(TimePart::Day.of("2024-12-30"), Some(30));
        for (part, text) in [
            (TimePart::Hour, "2024-12-30"),
            (TimePart::Day, "30.12.2024"),
            (TimePart::Hour, "2024-12-30T99:00"),
            (TimePart::Day, ""),
        ] {
            assert_eq!(part.of(text), None, "{text}");
        }
    }

    #[test]
    fn an_index_holds_neither_null_nor_nothing() {
        for (value, is_indexed) in [
            ("null", false),
            ("[]", false),
            ("[null, []]", false),
            ("{}", false),
            (r#"{"a": null, "b": {"c\"": [ ] }}"#, false),
            (r#""""#, true),
            ("0", true),
            ("false", true),
            (r#"[null, "a"]"#, true),
            (r#"["abcdef"]"#, false),
            (r#"{"a": {"b" : [null, {"c": "" }]}}"#, true),
            (r#"{"a": [1]}"#, true),
        ] {
            let text = format!(r#"{{"f": {value}}}"#);
            let event = event::Event::parse(text.as_bytes()).unwrap();
            assert_eq!(
                Test::Indexed(Field::path("f"), 5).matches(&event),
                is_indexed,
                "{value}"
            );
        }
        let event = event::Event::parse(b"{}").unwrap();
        assert!(!Test::Indexed(Field::path("f"), 5).matches(&event));
    }

    #[test]
    fn hostile_expressions_are_refused_or_linear() {
        assert_eq!(Regex::new(r"\w{1000}{1000}"), Err(BadRegex::TooLarge));
        assert!(matches!(Regex::new("a(?=b)"), Err(BadRegex::Syntax(_))));
        let haystack = "a".repeat(1 << 20);
        assert!(!Regex::new("(a+)+$b").unwrap().is_match(&haystack));
    }
}
