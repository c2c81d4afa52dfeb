//! An event is an outlier if it is the first of its kind for a while: if, in a window of time that slides over the history, its
//! target appears in its aggregator only within the last step.
//!
//! The last window of ee-outliers is one step long, so that everything in it appears suddenly; that is so in compat mode only.
//! Fields are named as queries name them, and have the values that the index has: of several, the smallest.

use super::{Batch, Candidate, Detect, Group, Model, Note, Prepared, tells};
use crate::config::Config;
use crate::fields::Fields;
use crate::ini::Setting;
use crate::use_case::Keys;
use crate::value::{Case, Found, Value};
use crate::{Mode, Problem, python, time};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use std::collections::HashMap;

pub(super) const MODEL: Model = Model {
    name: "sudden_appearance",
    keys: &[
        "aggregator",
        "target",
        "sliding_window_size",
        "sliding_window_step_size",
    ],
    read,
};

/// The most steps that a window makes.
const MOST_WINDOWS: i64 = 100_000;

struct SuddenAppearance {
    aggregators: Vec<String>,
    targets: Vec<String>,
    size: SignedDuration,
    step: SignedDuration,
    mode: Mode,
    /// Known when a run begins.
    from: Timestamp,
    to: Timestamp,
    timestamp_field: String,
    fields: [Vec<Known>; 2],
}

/// A field of the index.
#[derive(Clone, Debug)]
struct Known {
    /// Where its values stand in an event.
    path: String,
    /// The longest text that is kept.
    longest: usize,
}

fn read(keys: &Keys<'_>, config: &Config) -> Result<Box<dyn Detect>, Problem> {
    let size = duration(keys.text("sliding_window_size")?)?;
    let step = duration(keys.text("sliding_window_step_size")?)?;
    if step > size {
        let setting = keys.text("sliding_window_step_size")?;
        return Err(setting.problem("the step is longer than the window"));
    }
    let days = keys.int("history_window_days")?.filter(|days| *days > 0);
    let hours = keys.int("history_window_hours")?.filter(|hours| *hours > 0);
    let history = 24 * days.unwrap_or(config.history.days) + hours.unwrap_or(config.history.hours);
    if size > SignedDuration::from_hours(history) {
        let setting = keys.text("sliding_window_size")?;
        return Err(setting.problem("the window is longer than the history"));
    }
    let windows = (SignedDuration::from_hours(history) - size).as_secs() / step.as_secs();
    if windows > MOST_WINDOWS {
        let setting = keys.text("sliding_window_step_size")?;
        let message = format!("this makes {windows} windows; at most {MOST_WINDOWS} are allowed");
        return Err(setting.problem(message));
    }
    Ok(Box::new(SuddenAppearance {
        aggregators: keys.fields("aggregator")?,
        targets: keys.fields("target")?,
        size,
        step,
        mode: config.mode,
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::UNIX_EPOCH,
        timestamp_field: config.timestamp_field.clone(),
        fields: [Vec::new(), Vec::new()],
    }))
}

/// Reads `DDD:HH:MM`.
fn duration(setting: &Setting) -> Result<SignedDuration, Problem> {
    let wrong = || setting.problem("expected days, hours and minutes above 0, as `001:12:30`");
    let parts: Option<Vec<i64>> = setting.value.split(':').map(python::read_int).collect();
    match parts.as_deref() {
        Some([days, hours, minutes])
            if [days, hours, minutes]
                .iter()
                .all(|n| (0..=365_000).contains(*n)) =>
        {
            let duration = SignedDuration::from_mins(minutes + 60 * (hours + 24 * days));
            (!duration.is_zero()).then_some(duration).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

impl Detect for SuddenAppearance {
    fn batch(&self) -> Batch {
        Batch::Whole
    }

    fn is_chronological(&self) -> bool {
        false
    }

    fn decides_again(&self) -> bool {
        false
    }

    fn prepare(&mut self, run: &Prepared<'_>) -> Result<Vec<Json>, String> {
        (self.from, self.to) = (run.from, run.to);
        self.timestamp_field = run.timestamp_field.to_owned();
        let mut fields = [Vec::new(), Vec::new()];
        for (fields, names) in fields.iter_mut().zip([&self.aggregators, &self.targets]) {
            for name in names {
                let known = run.mappings.iter().find_map(|mapping| known(mapping, name));
                fields.push(known.transpose()?.unwrap_or_else(|| Known {
                    path: name.clone(),
                    longest: usize::MAX,
                }));
            }
        }
        self.fields = fields;
        let all = self.targets.iter().chain(&self.aggregators);
        Ok(all.map(|name| json!({"exists": {"field": name}})).collect())
    }

    fn look(&self, fields: &Fields<'_>) -> Vec<Note> {
        let sentence = |known: &[Known]| {
            let values: Option<Vec<String>> =
                known.iter().map(|one| one.smallest(fields)).collect();
            values.map(|values| values.join(" - "))
        };
        let [aggregators, targets] = &self.fields;
        let note = || {
            Some(Note {
                group: sentence(aggregators)?,
                text: sentence(targets)?,
                number: self.time(fields)? as f64,
                ..Note::default()
            })
        };
        note().into_iter().collect()
    }

    fn explain(&self, _: &[Group]) -> Vec<String> {
        let lines = self.windows().into_iter().map(|window| {
            let (from, to) = (time::plain(window.from), time::plain(window.to));
            let new = Timestamp::from_millisecond(window.new_from).map(time::plain);
            let new = new.unwrap_or_default();
            format!("window from {from} to {to}: sudden is what appears first after {new}")
        });
        lines.collect()
    }

    fn decide(&self, groups: &[Group]) -> Vec<Candidate> {
        let mut found = Vec::new();
        let sorted: Vec<Vec<(i64, usize)>> = groups.iter().map(by_time).collect();
        for window in self.windows() {
            let mut in_window: Vec<(usize, usize, Vec<Appearance<'_>>)> = groups
                .iter()
                .zip(&sorted)
                .enumerate()
                .filter_map(|(number, (group, sorted))| {
                    let appearances = appearances(group, sorted, &window);
                    let all: usize = appearances.iter().map(|one| one.count).sum();
                    (all > 0).then_some((number, all, appearances))
                })
                .collect();
            // The order of a server's buckets.
            in_window.sort_by(|a, b| {
                (b.1.cmp(&a.1)).then_with(|| groups[a.0].name.cmp(&groups[b.0].name))
            });
            for (number, _, appearances) in in_window {
                let is_sudden = |one: &&Appearance<'_>| one.first > window.new_from;
                for one in appearances.iter().filter(is_sudden) {
                    found.push(Candidate {
                        group: number,
                        note: one.note,
                        tells: self.tells(&groups[number].name, one, &window),
                    });
                }
            }
        }
        found
    }
}

/// A window of time, in milliseconds since 1970; what is later than `new_from` is new.
struct Window {
    from: Timestamp,
    to: Timestamp,
    new_from: i64,
}

/// How often a target appears in a window, and where first.
struct Appearance<'g> {
    target: &'g str,
    count: usize,
    first: i64,
    note: usize,
}

/// The times of the notes of a group, in their order, each with the number of its note.
fn by_time(group: &Group) -> Vec<(i64, usize)> {
    let notes = group.notes.iter().enumerate();
    let times = notes.map(|(number, (_, note))| (note.number as i64, number));
    let mut times: Vec<(i64, usize)> = times.collect();
    times.sort_by_key(|(time, _)| *time);
    times
}

fn appearances<'g>(
    group: &'g Group,
    sorted: &[(i64, usize)],
    window: &Window,
) -> Vec<Appearance<'g>> {
    let (from, to) = (time::ceil_millis(window.from), window.to.as_millisecond());
    let start = sorted.partition_point(|(time, _)| *time < from);
    let end = sorted.partition_point(|(time, _)| *time <= to);
    let mut places = HashMap::new();
    let mut all: Vec<Appearance<'_>> = Vec::new();
    for (time, note) in sorted.get(start..end).unwrap_or_default() {
        let target = &*group.notes[*note].1.text;
        let place = *places.entry(target).or_insert_with(|| {
            all.push(Appearance {
                target,
                count: 0,
                first: *time,
                note: *note,
            });
            all.len() - 1
        });
        all[place].count += 1;
    }
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.target.cmp(b.target)));
    all
}

impl SuddenAppearance {
    fn windows(&self) -> Vec<Window> {
        let mut windows = Vec::new();
        let (mut from, mut to) = (self.from, self.from + self.size);
        loop {
            let before = windows.last().map(|window: &Window| window.to);
            let is_last = to >= self.to;
            let mut new_from = to - self.step;
            if is_last && !windows.is_empty() {
                to = self.to;
                (from, new_from) = match self.mode {
                    Mode::Compat => (to - self.step, to - self.step),
                    Mode::Strict => (to - self.size, before.unwrap_or(new_from)),
                };
            }
            let new_from = new_from.as_millisecond();
            windows.push(Window { from, to, new_from });
            if is_last {
                return windows;
            }
            let later = |time: Timestamp| time.checked_add(self.step).unwrap_or(Timestamp::MAX);
            (from, to) = (later(from), later(to));
        }
    }

    /// When the event was.
    fn time(&self, fields: &Fields<'_>) -> Option<i64> {
        let Found::Value(value) = fields.get(&self.timestamp_field, Case::Counts) else {
            return None;
        };
        time::millis(&value)
    }

    fn tells(&self, group: &str, one: &Appearance<'_>, window: &Window) -> super::Tells {
        let list = |names: &[String]| {
            let names = names.iter();
            Value::List(names.map(|name| Value::from(name.as_str())).collect())
        };
        tells([
            ("size_time_window", time::span(self.size).into()),
            ("start_time_window", time::plain(window.from).into()),
            ("end_time_window", time::plain(window.to).into()),
            ("aggregator", list(&self.aggregators)),
            ("aggregator_value", group.into()),
            ("target", list(&self.targets)),
            ("target_value", one.target.into()),
            ("num_target_value_in_window", one.count.into()),
        ])
    }
}

impl Known {
    /// The smallest value that the index has.
    fn smallest(&self, fields: &Fields<'_>) -> Option<String> {
        let Found::Value(value) = fields.get(&self.path, Case::Counts) else {
            return None;
        };
        let list = match value {
            Value::List(list) => list,
            single => vec![single],
        };
        let mut texts: Vec<(f64, String)> = Vec::new();
        for value in list {
            match value {
                Value::Null | Value::Object(_) | Value::List(_) => {}
                Value::Bool(value) => texts.push((0.0, value.to_string())),
                Value::Float(number) => texts.push((number, python::float(number))),
                Value::Int(text) => texts.push((text.parse().unwrap_or(0.0), text.into_owned())),
                Value::Text(text) => {
                    if text.encode_utf16().count() <= self.longest {
                        texts.push((0.0, text.into_owned()));
                    }
                }
            }
        }
        let smallest = texts
            .into_iter()
            .min_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        smallest.map(|(_, text)| text)
    }
}

/// A field of a mapping; an error if its values cannot be counted.
fn known(mapping: &Json, name: &str) -> Option<Result<Known, String>> {
    let names: Vec<&str> = name.split('.').collect();
    let mut at = mapping;
    for (number, part) in names.iter().enumerate() {
        let property = &at["properties"][*part];
        let is_last = number + 1 == names.len();
        let (found, path) = match property.is_null() && is_last {
            true => (&at["fields"][*part], names[..number].join(".")),
            false => (property, name.to_owned()),
        };
        if found.is_null() {
            return None;
        }
        if is_last {
            let kind = found["type"].as_str().unwrap_or("object");
            if matches!(kind, "text" | "object" | "nested") {
                let problem = format!(
                    "`{name}` is {kind}: its values cannot be counted; perhaps `{name}.keyword` can"
                );
                return Some(Err(problem));
            }
            let longest = found["ignore_above"].as_u64();
            let longest = longest.and_then(|longest| usize::try_from(longest).ok());
            return Some(Ok(Known {
                path,
                longest: longest.unwrap_or(usize::MAX),
            }));
        }
        at = found;
    }
    None
}
