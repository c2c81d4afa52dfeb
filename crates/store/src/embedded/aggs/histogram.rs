//! `date_histogram`: a bucket for each span of time, also for those in between without documents.

use super::{Aggregations, Answerer, Parameters, Parts};
use crate::StoreError;
use crate::embedded::mapping::Kind;
use crate::embedded::search::Docs;
use crate::embedded::values::Item;
use jiff::civil::Weekday;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};
use serde_json::{Map, Value, json};

pub(super) struct Histogram {
    field: String,
    rounding: Rounding,
    min_doc_count: u64,
    is_descending: bool,
    missing: Option<Value>,
}

/// Which span of time a date lies in.
#[derive(Clone, Debug)]
pub(super) struct Rounding {
    interval: Interval,
    zone: TimeZone,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Interval {
    /// So many milliseconds.
    Fixed(i64),
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Histogram {
    pub(super) fn read(json: &Value, at: &str) -> Result<Histogram, StoreError> {
        let known = [
            "field",
            "fixed_interval",
            "calendar_interval",
            "time_zone",
            "min_doc_count",
            "missing",
            "order",
        ];
        let parameters = Parameters::read(json, at, &known)?;
        let is_descending = match parameters.get("order") {
            None => false,
            Some(order) if *order == json!({"_key": "asc"}) => false,
            Some(order) if *order == json!({"_key": "desc"}) => true,
            Some(_) => return Err(parameters.wrong("order", "only `_key` is supported")),
        };
        Ok(Histogram {
            field: parameters.field()?,
            rounding: Rounding::read(&parameters)?,
            min_doc_count: parameters.number("min_doc_count", 0)?,
            is_descending,
            missing: parameters.get("missing").cloned(),
        })
    }

    pub(super) fn answer(
        &self,
        answerer: &Answerer<'_>,
        inner: &Aggregations,
        docs: &Docs,
        at: &str,
    ) -> Result<Value, StoreError> {
        if !matches!(answerer.check(&self.field, at)?, None | Some(Kind::Date)) {
            return Err(StoreError::request(
                at,
                format!("`{}` is no date", self.field),
            ));
        }
        let missing = self.missing.as_ref().map(|value| {
            let wrong =
                || StoreError::request(format!("{at}.missing"), format!("{value} is no date"));
            Item::read(value, Kind::Date).ok_or_else(wrong)
        });
        let missing = missing.transpose()?;
        let mut parts: Parts<i64> = Parts::new(docs.len());
        answerer.visit(&self.field, docs, true, &mut |segment, doc, items| {
            let items = match (items, &missing) {
                ([], Some(missing)) => std::slice::from_ref(missing),
                (items, _) => items,
            };
            for item in items {
                if let Item::Date(millis) = item {
                    parts.add(self.rounding.round(*millis), segment, doc);
                }
            }
            Ok(())
        })?;
        let empty: Docs = vec![Vec::new(); docs.len()];
        let mut buckets = Vec::new();
        let mut expected: Option<i64> = None;
        for (start, docs) in &parts.docs {
            if self.min_doc_count == 0 {
                while let Some(next) = expected.filter(|next| next < start) {
                    buckets.push(self.bucket(answerer, inner, next, &empty, at)?);
                    expected = Some(self.rounding.next(next)).filter(|after| *after > next);
                }
            }
            expected = Some(self.rounding.next(*start));
            if super::count_of(docs) >= self.min_doc_count {
                buckets.push(self.bucket(answerer, inner, *start, docs, at)?);
            }
        }
        if self.is_descending {
            buckets.reverse();
        }
        Ok(json!({"buckets": buckets}))
    }

    fn bucket(
        &self,
        answerer: &Answerer<'_>,
        inner: &Aggregations,
        start: i64,
        docs: &Docs,
        at: &str,
    ) -> Result<Value, StoreError> {
        let mut key = Map::new();
        key.insert("key_as_string".to_owned(), self.rounding.text(start).into());
        key.insert("key".to_owned(), start.into());
        answerer.bucket(key, inner, docs, at).map(Value::Object)
    }
}

impl Rounding {
    /// Reads `fixed_interval` or `calendar_interval`, and `time_zone`.
    pub(super) fn read(parameters: &Parameters<'_>) -> Result<Rounding, StoreError> {
        let fixed = parameters.text("fixed_interval")?;
        let calendar = parameters.text("calendar_interval")?;
        let interval = match (fixed, calendar) {
            (Some(text), None) => fixed_interval(&text).ok_or_else(|| {
                parameters.wrong("fixed_interval", "expected a span such as `90m`")
            })?,
            (None, Some(text)) => calendar_interval(&text).ok_or_else(|| {
                parameters.wrong("calendar_interval", "expected a unit such as `day` or `1d`")
            })?,
            _ => {
                let reason = "one of `fixed_interval` and `calendar_interval` is needed";
                return Err(parameters.wrong("fixed_interval", reason));
            }
        };
        let zone = match parameters.text("time_zone")? {
            None => TimeZone::UTC,
            Some(name) => zone(&name)
                .ok_or_else(|| parameters.wrong("time_zone", "no such time zone is known here"))?,
        };
        Ok(Rounding { interval, zone })
    }

    /// The beginning of the span that a date lies in.
    pub(super) fn round(&self, millis: i64) -> i64 {
        let Ok(date) = Timestamp::from_millisecond(millis) else {
            return millis;
        };
        if let Interval::Fixed(length) = self.interval {
            return self.fixed(date, length).unwrap_or(millis);
        }
        let local = date.to_zoned_datetime(self.zone.clone());
        self.start(&local)
            .map_or(millis, |start| start.timestamp().as_millisecond())
    }

    /// As servers round: spans are counted by the clock on the wall. One that would begin before the clock was last changed
    /// goes on with the span in which that was done; one that would begin in a gap begins with it.
    fn fixed(&self, date: Timestamp, length: i64) -> Option<i64> {
        let offset = |offset: Offset| i64::from(offset.seconds()) * 1_000;
        let mut date = date;
        loop {
            let now = date.as_millisecond();
            let local = now + offset(self.zone.to_offset(date));
            let rounded = local.div_euclid(length) * length;
            let wall = Offset::UTC.to_datetime(Timestamp::from_millisecond(rounded).ok()?);
            let after_now = Timestamp::from_millisecond(now + 1).ok()?;
            let changed = self.zone.preceding(after_now).next();
            let changed = changed.map(|change| change.timestamp().as_millisecond());
            let starts = match self.zone.to_ambiguous_timestamp(wall).offset() {
                AmbiguousOffset::Unambiguous { offset } => [offset; 2],
                AmbiguousOffset::Fold { before, after } => [after, before],
                AmbiguousOffset::Gap { before, .. } => {
                    let inside = Timestamp::from_millisecond(rounded - offset(before) + 1).ok()?;
                    let gap = self.zone.preceding(inside).next()?;
                    return Some(gap.timestamp().as_millisecond());
                }
            };
            let starts = starts.map(|start| rounded - offset(start));
            let start = starts
                .into_iter()
                .find(|start| *start <= now || changed.is_some_and(|changed| *start < changed))?;
            match changed.filter(|changed| start < *changed) {
                None => return Some(start),
                Some(changed) => date = Timestamp::from_millisecond(changed - 1).ok()?,
            }
        }
    }

    fn start(&self, local: &ZonedDateTime) -> Option<ZonedDateTime> {
        let date = local.date();
        let day = match self.interval {
            Interval::Fixed(_) => return None,
            Interval::Minute => return local.with().second(0).subsec_nanosecond(0).build().ok(),
            Interval::Hour => {
                return local
                    .with()
                    .minute(0)
                    .second(0)
                    .subsec_nanosecond(0)
                    .build()
                    .ok();
            }
            Interval::Day => date,
            Interval::Week => {
                let days = i64::from(date.weekday().since(Weekday::Monday));
                date.checked_sub(days.days()).ok()?
            }
            Interval::Month => date.first_of_month(),
            Interval::Quarter => {
                let month = (date.month() - 1) / 3 * 3 + 1;
                date.with().month(month).day(1).build().ok()?
            }
            Interval::Year => date.first_of_year(),
        };
        day.to_zoned_datetime(self.zone.clone()).ok()
    }

    /// The beginning of the span that follows the one that begins here.
    fn next(&self, start: i64) -> i64 {
        let span = match self.interval {
            Interval::Fixed(length) if self.zone == TimeZone::UTC => {
                return start.saturating_add(length);
            }
            Interval::Fixed(length) => return self.next_fixed(start, length).unwrap_or(i64::MAX),
            Interval::Minute => 1.minute(),
            Interval::Hour => 1.hour(),
            Interval::Day => 1.day(),
            Interval::Week => 1.week(),
            Interval::Month => 1.month(),
            Interval::Quarter => 3.months(),
            Interval::Year => 1.year(),
        };
        let next = Timestamp::from_millisecond(start).ok().and_then(|date| {
            let local = date.to_zoned_datetime(self.zone.clone());
            local.checked_add(span).ok()
        });
        next.map_or(i64::MAX, |next| next.timestamp().as_millisecond())
    }

    fn next_fixed(&self, start: i64, length: i64) -> Option<i64> {
        let date = Timestamp::from_millisecond(start).ok()?;
        let local = date.to_zoned_datetime(self.zone.clone()).datetime();
        let next = local
            .checked_add(SignedDuration::from_millis(length))
            .ok()?;
        let next = next.to_zoned_datetime(self.zone.clone()).ok()?;
        Some(next.timestamp().as_millisecond())
    }

    /// The beginning of a span in words, as it is called in the time zone.
    fn text(&self, start: i64) -> String {
        let Ok(date) = Timestamp::from_millisecond(start) else {
            return start.to_string();
        };
        if self.zone == TimeZone::UTC {
            return format!("{date:.3}");
        }
        let local = date.to_zoned_datetime(self.zone.clone());
        let seconds = local.offset().seconds();
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        let zone = match seconds {
            0 => "Z".to_owned(),
            _ => format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        };
        format!("{:.3}{zone}", local.datetime())
    }
}

fn fixed_interval(text: &str) -> Option<Interval> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let length = number.parse::<i64>().ok()?.checked_mul(unit)?;
    (length > 0).then_some(Interval::Fixed(length))
}

fn calendar_interval(text: &str) -> Option<Interval> {
    Some(match text {
        "minute" | "1m" => Interval::Minute,
        "hour" | "1h" => Interval::Hour,
        "day" | "1d" => Interval::Day,
        "week" | "1w" => Interval::Week,
        "month" | "1M" => Interval::Month,
        "quarter" | "1q" => Interval::Quarter,
        "year" | "1y" => Interval::Year,
        _ => return None,
    })
}

/// A time zone by its name, or `+02:00`.
fn zone(name: &str) -> Option<TimeZone> {
    if matches!(name, "UTC" | "Z" | "GMT") {
        return Some(TimeZone::UTC);
    }
    let sign = match name.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return TimeZone::get(name).ok(),
    };
    let digits: Vec<i32> = name[1..]
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let (hours, minutes) = match digits[..] {
        [hours] => (hours, 0),
        [hours, minutes] => (hours, minutes),
        _ => return None,
    };
    let is_in = (0..=18).contains(&hours) && (0..60).contains(&minutes);
    let seconds = sign * (hours * 3_600 + minutes * 60);
    is_in.then(|| Offset::from_seconds(seconds).ok().map(TimeZone::fixed))?
}
