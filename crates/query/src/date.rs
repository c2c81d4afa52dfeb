//! Dates as queries write them: with arithmetic, and relative to now.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::Offset;
use jiff::{Span, Timestamp, ToSpan};
use predicate::{Missing, date_millis};

/// Reads `2024-01-01`, `now-1d/d`, `2024-01-01||+1M/d` and the like into milliseconds since 1970. What is left open is
/// taken as early or as late as possible, and what is rounded is rounded down or up.
pub(crate) fn read(text: &str, now: Timestamp, missing: Missing) -> Option<i64> {
    let (base, math) = match text.strip_prefix("now") {
        Some(math) => (now.as_millisecond(), math),
        None => match text.split_once("||") {
            Some((base, math)) => (date_millis(base, Missing::Earliest)?, math),
            None => return date_millis(text, missing),
        },
    };
    let timestamp = Timestamp::from_millisecond(base).ok()?;
    let date = calculate(Offset::UTC.to_datetime(timestamp), math, missing)?;
    let timestamp = Offset::UTC.to_timestamp(date).ok()?;
    Some(timestamp.as_millisecond())
}

fn calculate(mut date: DateTime, math: &str, missing: Missing) -> Option<DateTime> {
    let mut rest = math;
    while let Some(operator) = rest.chars().next() {
        rest = &rest[operator.len_utf8()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = match &rest[..digits] {
            "" => 1,
            digits => digits.parse().ok()?,
        };
        rest = &rest[digits..];
        let unit = rest.chars().next()?;
        rest = &rest[unit.len_utf8()..];
        date = match operator {
            '+' => date.checked_add(span(number, unit)?).ok()?,
            '-' => date.checked_sub(span(number, unit)?).ok()?,
            '/' if digits == 0 => {
                let start = floor(date, unit)?;
                match missing {
                    Missing::Earliest => start,
                    Missing::Latest => {
                        let next = start.checked_add(span(1, unit)?).ok()?;
                        next.checked_sub(1.millisecond()).ok()?
                    }
                }
            }
            _ => return None,
        };
    }
    Some(date)
}

fn span(number: i64, unit: char) -> Option<Span> {
    let span = Span::new();
    match unit {
        'y' => span.try_years(number),
        'M' => span.try_months(number),
        'w' => span.try_weeks(number),
        'd' => span.try_days(number),
        'h' | 'H' => span.try_hours(number),
        'm' => span.try_minutes(number),
        's' => span.try_seconds(number),
        _ => return None,
    }
    .ok()
}

/// The beginning of the year, month … second that `date` lies in.
fn floor(date: DateTime, unit: char) -> Option<DateTime> {
    let day = date.date();
    let time = date.time();
    let at = |hour, minute, second| Time::new(hour, minute, second, 0).ok();
    let midnight = at(0, 0, 0)?;
    Some(match unit {
        'y' => day.first_of_year().to_datetime(midnight),
        'M' => day.first_of_month().to_datetime(midnight),
        'w' => {
            let days = day.weekday().since(Weekday::Monday);
            day.checked_sub(i64::from(days).days())
                .ok()?
                .to_datetime(midnight)
        }
        'd' => day.to_datetime(midnight),
        'h' | 'H' => day.to_datetime(at(time.hour(), 0, 0)?),
        'm' => day.to_datetime(at(time.hour(), time.minute(), 0)?),
        's' => day.to_datetime(at(time.hour(), time.minute(), time.second())?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_calculated() {
        let now: Timestamp = "2024-05-15T13:14:15.167Z".parse().unwrap();
        for (text, earliest, latest) in [
            (
                "now",
                "2024-05-15T13:14:15.167Z",
                "2024-05-15T13:14:15.167Z",
            ),
            (
                "now-1d",
                "2024-05-14T13:14:15.167Z",
                "2024-05-14T13:14:15.167Z",
            ),
            (
                "now-d",
                "2024-05-14T13:14:15.167Z",
                "2024-05-14T13:14:15.167Z",
            ),
            ("now/d", "2024-05-15T00:00:00Z", "2024-05-15T23:59:59.999Z"),
            (
                "now-1M/M",
                "2024-04-01T00:00:00Z",
                "2024-04-30T23:59:59.999Z",
            ),
            ("now/w", "2024-05-13T00:00:00Z", "2024-05-19T23:59:59.999Z"),
            (
                "now/y+2h",
                "2024-01-01T02:00:00Z",
                "2025-01-01T01:59:59.999Z",
            ),
            (
                "2024-01-31||+1M",
                "2024-02-29T00:00:00Z",
                "2024-02-29T00:00:00Z",
            ),
            (
                "2024-01-31",
                "2024-01-31T00:00:00Z",
                "2024-01-31T23:59:59.999Z",
            ),
            (
                "2024-01-31T01:02||/h",
                "2024-01-31T01:00:00Z",
                "2024-01-31T01:59:59.999Z",
            ),
            (
                "now/m-1s/s",
                "2024-05-15T13:13:59Z",
                "2024-05-15T13:14:58.999Z",
            ),
        ] {
            for (missing, expected) in [(Missing::Earliest, earliest), (Missing::Latest, latest)] {
                let expected: Timestamp = expected.parse().unwrap();
                assert_eq!(
                    read(text, now, missing),
                    Some(expected.as_millisecond()),
                    "{text}"
                );
            }
        }
        for text in [
            "",
            "nowadays",
            "now-",
            "now-1",
            "now/2d",
            "now-1x",
            "now+99999999999999999999d",
            "2024||",
            "now-9999999d",
            "x||+1d",
        ] {
            let expected = (text == "2024||").then_some(1_704_067_200_000);
            assert_eq!(read(text, now, Missing::Earliest), expected, "{text}");
        }
    }
}
