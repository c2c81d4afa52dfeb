//! sigmac's `--filter`: which rules are converted, by what their head says.

use super::document::Rule;
use super::value::Value;
use sigma::yaml::Content;

/// Conditions on rules, all of which have to hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    conditions: Vec<Condition>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    /// The level is at least, at most or exactly this one.
    Level(Order, usize),
    /// One of a rule's texts is this one, or none is.
    Is {
        key: Key,
        value: String,
        negated: bool,
    },
    /// The rule is no older than this many days.
    InLastDays(u32),
}

/// How levels are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    AtMost,
    AtLeast,
    Exactly,
}

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Key {
    Status,
    LogSource,
    Tag,
    Target,
    Tlp,
    Condition,
}

/// The levels that can be compared, in ascending order. Rules with another one are left out.
const LEVELS: [&str; 4] = ["low", "medium", "high", "critical"];
const STATUSES: [&str; 5] = [
    "unsupported",
    "deprecated",
    "experimental",
    "test",
    "stable",
];

const KEYS: &[(&str, Key)] = &[
    ("status", Key::Status),
    ("logsource", Key::LogSource),
    ("tag", Key::Tag),
    ("target", Key::Target),
    ("tlp", Key::Tlp),
    ("condition", Key::Condition),
];

/// A text that is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFilter {
    /// It is about something that is not known.
    #[error(
        "`{0}` is no filter: level, status, logsource, tag, target, tlp, condition and inlastday are"
    )]
    Unknown(String),
    /// What it is compared with is none of the words there are.
    #[error("`{value}` is none of {known}")]
    Word {
        /// The word.
        value: String,
        /// Those there are.
        known: String,
    },
    /// It has no number of days.
    #[error("`{0}` is no number of days")]
    Days(String),
}

impl Filter {
    /// Reads conditions with commas between them. Blanks do not count.
    ///
    /// # Errors
    /// The first that is none.
    pub fn read(text: &str) -> Result<Filter, BadFilter> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let conditions = text
            .split(',')
            .filter(|text| !text.is_empty())
            .map(condition);
        Ok(Filter {
            conditions: conditions.collect::<Result<_, _>>()?,
        })
    }

    /// Whether it asks for the conditions of rules.
    pub fn asks_conditions(&self) -> bool {
        let asks = |condition: &Condition| {
            matches!(
                condition,
                Condition::Is {
                    key: Key::Condition,
                    ..
                }
            )
        };
        self.conditions.iter().any(asks)
    }

    /// Whether a rule is wanted. `today` counts days from 1970.
    pub(crate) fn wants(&self, rule: &Rule<'_>, today: i64) -> bool {
        if self.conditions.is_empty() {
            return true;
        }
        let wanted = self
            .conditions
            .iter()
            .all(|condition| condition.holds(rule, today));
        wanted != rule.is_repeated
    }
}

fn condition(text: &str) -> Result<Condition, BadFilter> {
    let word = |value: &str, known: &[&str]| BadFilter::Word {
        value: value.to_owned(),
        known: known.join(", "),
    };
    if let Some(rest) = text.strip_prefix("level") {
        let orders = [
            ("<=", Order::AtMost),
            (">=", Order::AtLeast),
            ("=", Order::Exactly),
        ];
        for (sign, order) in orders {
            if let Some(level) = rest.strip_prefix(sign) {
                let place = LEVELS.iter().position(|known| *known == level);
                return Ok(Condition::Level(
                    order,
                    place.ok_or_else(|| word(level, &LEVELS))?,
                ));
            }
        }
    }
    if let Some(days) = text.strip_prefix("inlastday=") {
        let number = days.parse().map_err(|_| BadFilter::Days(days.to_owned()))?;
        return Ok(Condition::InLastDays(number));
    }
    for (name, key) in KEYS {
        let Some(rest) = text.strip_prefix(name) else {
            continue;
        };
        let (negated, value) = match (rest.strip_prefix("!="), rest.strip_prefix('=')) {
            (Some(value), _) => (true, value),
            (None, Some(value)) => (false, value),
            (None, None) => continue,
        };
        if *key == Key::Status && !STATUSES.contains(&value) {
            return Err(word(value, &STATUSES));
        }
        return Ok(Condition::Is {
            key: *key,
            value: value.to_owned(),
            negated,
        });
    }
    Err(BadFilter::Unknown(text.to_owned()))
}

impl Condition {
    fn holds(&self, rule: &Rule<'_>, today: i64) -> bool {
        match self {
            Condition::Level(order, wanted) => {
                let level = rule.text("level");
                let place = LEVELS
                    .iter()
                    .position(|known| level.as_deref() == Some(known));
                place.is_some_and(|place| match order {
                    Order::AtMost => place <= *wanted,
                    Order::AtLeast => place >= *wanted,
                    Order::Exactly => place == *wanted,
                })
            }
            Condition::Is {
                key,
                value,
                negated,
            } => key.is(rule, value) != *negated,
            Condition::InLastDays(days) => {
                let date = rule.text("modified").or_else(|| rule.text("date"));
                date.and_then(|date| day(&date))
                    .is_some_and(|day| day >= today - i64::from(*days))
            }
        }
    }
}

impl Key {
    fn is(self, rule: &Rule<'_>, value: &str) -> bool {
        match self {
            Key::Status => rule.text("status").as_deref() == Some(value),
            Key::LogSource => rule
                .log_source()
                .iter()
                .any(|attribute| attribute.as_deref() == Some(value)),
            Key::Tag => rule
                .texts("tags")
                .iter()
                .any(|tag| tag.eq_ignore_ascii_case(value)),
            Key::Target => rule
                .texts("target")
                .iter()
                .any(|target| target.eq_ignore_ascii_case(value)),
            Key::Tlp => rule
                .text("tlp")
                .as_deref()
                .unwrap_or("WHITE")
                .eq_ignore_ascii_case(value),
            Key::Condition => {
                let condition = rule
                    .get("detection")
                    .and_then(|detection| detection.get("condition"));
                let texts: Vec<String> = match condition.map(|node| &node.content) {
                    Some(Content::Scalar(scalar)) => vec![Value::of(scalar).shown().into_owned()],
                    Some(Content::List(nodes)) => nodes
                        .iter()
                        .filter_map(|node| Some(node.as_scalar()?.text.to_string()))
                        .collect(),
                    _ => Vec::new(),
                };
                texts.iter().any(|text| text.contains(value))
            }
        }
    }
}

/// The day of `YYYY/MM/DD` or `YYYY-MM-DD`, counted from 1970.
fn day(date: &str) -> Option<i64> {
    let mut parts = date.get(..10)?.split(['/', '-']).map(str::parse::<i64>);
    let (year, month, day) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The year begins in March, so that the leap day is its last: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}
