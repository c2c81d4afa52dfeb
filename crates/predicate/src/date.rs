//! Points in time, as an index reads them out of values.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

/// A span of time in milliseconds since 1970, both ends included. Finer parts of a date are cut off, as an index does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateRange {
    /// The first millisecond of it.
    pub from: i64,
    /// The last millisecond of it.
    pub to: i64,
}

/// What stands for the parts of a time of day that a date leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The first moment that is meant.
    Earliest,
    /// The last moment that is meant.
    Latest,
}

impl DateRange {
    /// Whether the date that `text` says lies in it.
    pub fn contains(&self, text: &str) -> bool {
        date_millis(text, Missing::Earliest)
            .is_some_and(|date| self.from <= date && date <= self.to)
    }
}

/// Reads a date in the default format of Elasticsearch and OpenSearch, `strict_date_optional_time||epoch_millis`: ISO 8601
/// from `2024` to `2024-05-06T07:08:09.123456789+02:00`, in UTC unless it says otherwise, or milliseconds since 1970.
///
/// A missing month or day is the first one. A time of day is filled up to what `missing` says.
pub fn date_millis(text: &str, missing: Missing) -> Option<i64> {
    iso(text, missing).or_else(|| epoch_millis(text))
}

fn epoch_millis(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(digits) && is_number(fraction)).then(|| whole.parse().ok())?
}

fn iso(text: &str, missing: Missing) -> Option<i64> {
    let mut rest = text;
    let year = number(&mut rest, 4)?;
    let month = part(&mut rest, '-')?.unwrap_or(1);
    let day = match rest.starts_with('-') {
        true => part(&mut rest, '-')?.unwrap_or(1),
        false => 1,
    };
    let date = Date::new(year as i16, month as i8, day as i8).ok()?;
    let (filled, filled_nanos) = match missing {
        Missing::Earliest => ((0, 0, 0), 0),
        Missing::Latest => ((23, 59, 59), 999_999_999),
    };
    let (mut hour, mut minute, mut second, mut nanos) =
        (filled.0, filled.1, filled.2, filled_nanos);
    let mut offset = Offset::UTC;
    if let Some(time) = rest.strip_prefix('T') {
        rest = time;
        if !rest.is_empty() {
            hour = number(&mut rest, 2)?;
            if let Some(value) = part(&mut rest, ':')? {
                minute = value;
                if let Some(value) = part(&mut rest, ':')? {
                    second = value;
                    nanos = fraction(&mut rest)?.unwrap_or(nanos);
                }
            }
            offset = zone(&mut rest)?;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    let time = Time::new(hour as i8, minute as i8, second as i8, nanos).ok()?;
    let timestamp = offset.to_timestamp(date.to_datetime(time)).ok()?;
    // Towards the past, also before 1970.
    Some(timestamp.as_nanosecond().div_euclid(1_000_000) as i64)
}

/// So many digits.
fn number(rest: &mut &str, digits: usize) -> Option<u16> {
    let text = rest.get(..digits)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = &rest[digits..];
    text.parse().ok()
}

/// Two digits after `sign`, or nothing; `None` if the sign is followed by something else.
fn part(rest: &mut &str, sign: char) -> Option<Option<u16>> {
    match rest.strip_prefix(sign) {
        Some(after) => {
            *rest = after;
            number(rest, 2).map(Some)
        }
        None => Some(None),
    }
}

/// Up to nine digits after a point or comma, as nanoseconds.
fn fraction(rest: &mut &str) -> Option<Option<i32>> {
    let Some(after) = rest.strip_prefix(['.', ',']) else {
        return Some(None);
    };
    let length = after.bytes().take_while(u8::is_ascii_digit).count();
    *rest = &after[length..];
    match length {
        1..=9 => format!("{:0<9}", &after[..length]).parse().ok().map(Some),
        _ => None,
    }
}

/// `Z`, `+02`, `+02:00`, `+0200` or nothing.
fn zone(rest: &mut &str) -> Option<Offset> {
    if let Some(after) = rest.strip_prefix(['Z', 'z']) {
        *rest = after;
        return Some(Offset::UTC);
    }
    let sign = match rest.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => return Some(Offset::UTC),
    };
    *rest = &rest[1..];
    let hours = i32::from(number(rest, 2)?);
    *rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = match rest.is_empty() {
        true => 0,
        false => i32::from(number(rest, 2)?),
    };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970", 0),
            ("1970-01-02", 86_400_000),
            ("1970-01-01T00:00:01.5", 1_500),
            ("1970-01-01T00:00:00.123456789Z", 123),
            ("1970-01-01T02:00+02:00", 0),
            ("1970-01-01T01+0100", 0),
            ("1969-12-31T23:59:59.9999", -1),
            ("1714979289123", 1_714_979_289_123),
            ("-5.7", -5),
        ] {
            assert_eq!(date_millis(text, Missing::Earliest), Some(millis), "{text}");
        }
        for text in [
            "",
            "x",
            "19700",
            "1970-13",
            "1970-1-1",
            "1970-01-01 00:00",
            "1970-01-01T00:00:00.",
            "1970-01-01Z",
            "1970-01-01T25",
            "1970-01-01T00:00:00Zz",
            "1e3",
            "197é",
        ] {
            let expected = text.parse::<i64>().ok();
            assert_eq!(date_millis(text, Missing::Earliest), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_can_be_the_latest() {
        for (text, millis) in [
            ("1970-01-01", 86_399_999),
            ("1970-01", 86_399_999),
            ("1970-01-01T00", 3_599_999),
            ("1970-01-01T00:00:00", 999),
            ("1970-01-01T00:00:00.001", 1),
        ] {
            assert_eq!(date_millis(text, Missing::Latest), Some(millis), "{text}");
        }
    }
}
