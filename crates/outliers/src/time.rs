//! Times, as they are asked for and as they are shown.

use crate::value::Value;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use predicate::{Missing, date_millis};

/// A time in UTC with `between` between date and time of day; a fraction of a second only if there is one.
fn shown(time: Timestamp, between: char) -> String {
    let time = Offset::UTC.to_datetime(time);
    let whole = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let whole = whole.replace(' ', &between.to_string());
    match time.subsec_nanosecond() / 1_000 {
        0 => whole,
        micros => format!("{whole}.{micros:06}"),
    }
}

/// As queries ask for it: `2026-03-15T12:00:00`.
pub(crate) fn asked(time: Timestamp) -> String {
    shown(time, 'T')
}

/// As outliers and logs show it: `2026-03-15 12:00:00`.
pub(crate) fn plain(time: Timestamp) -> String {
    shown(time, ' ')
}

/// As `1 day, 0:00:00`.
pub(crate) fn span(span: SignedDuration) -> String {
    let (days, rest) = (span.as_secs() / 86_400, span.as_secs() % 86_400);
    let clock = format!("{}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60);
    match days {
        0 => clock,
        1 => format!("1 day, {clock}"),
        days => format!("{days} days, {clock}"),
    }
}

/// As `0d 0h 0m 12s`.
pub(crate) fn taken(seconds: u64) -> String {
    format!(
        "{}d {}h {}m {}s",
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The first whole millisecond that is not before it.
pub(crate) fn ceil_millis(time: Timestamp) -> i64 {
    let millis = time.as_millisecond();
    let is_whole = time.as_nanosecond() == i128::from(millis) * 1_000_000;
    millis + i64::from(!is_whole)
}

/// The time that a value of an event says, in milliseconds since 1970: of several, the earliest.
pub(crate) fn millis(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Text(text) => date_millis(text, Missing::Earliest),
        Value::Int(text) => text.parse().ok(),
        Value::List(list) => list.iter().filter_map(millis).min(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_python_shows_them() {
        let time: Timestamp = "2026-03-15T12:00:00.0005Z".parse().unwrap();
        assert_eq!(plain(time), "2026-03-15 12:00:00.000500");
        assert_eq!(asked(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00");
        assert_eq!(ceil_millis(time), time.as_millisecond() + 1);
        assert_eq!(span(SignedDuration::from_mins(45)), "0:45:00");
        assert_eq!(span(SignedDuration::from_hours(24)), "1 day, 0:00:00");
        assert_eq!(span(SignedDuration::from_hours(50)), "2 days, 2:00:00");
        assert_eq!(taken(90_061), "1d 1h 1m 1s");
    }
}
