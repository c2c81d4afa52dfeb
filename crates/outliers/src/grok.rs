//! Fields out of texts, with grok: `%{YEAR:year}-%{MONTHNUM:month}` is a regular expression whose parts have names.

use crate::pattern::{Anchor, compile};
use crate::value::Value;
use fancy_regex::Regex;

/// How deep patterns may name each other.
const MAX_DEPTH: usize = 20;

/// A grok expression.
#[derive(Debug)]
pub(crate) struct Grok {
    regex: Regex,
    /// The names that are to be whole numbers or fractions, and not texts.
    numbers: Vec<(String, Kind)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Float,
}

/// The patterns that an expression may name, as Logstash's own collection defines them.
const PATTERNS: &[(&str, &str)] = &[
    ("USERNAME", "[a-zA-Z0-9._-]+"),
    ("USER", "%{USERNAME}"),
    ("EMAILLOCALPART", "[a-zA-Z][a-zA-Z0-9_.+=:-]+"),
    ("EMAILADDRESS", "%{EMAILLOCALPART}@%{HOSTNAME}"),
    ("INT", "(?:[+-]?[0-9]+)"),
    (
        "BASE10NUM",
        r"(?<![0-9.+-])(?>[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))",
    ),
    ("NUMBER", "(?:%{BASE10NUM})"),
    ("BASE16NUM", "(?<![0-9A-Fa-f])(?:[+-]?(?:0x)?[0-9A-Fa-f]+)"),
    ("POSINT", r"\b[1-9][0-9]*\b"),
    ("NONNEGINT", r"\b[0-9]+\b"),
    ("WORD", r"\b\w+\b"),
    ("NOTSPACE", r"\S+"),
    ("SPACE", r"\s*"),
    ("DATA", ".*?"),
    ("GREEDYDATA", ".*"),
    (
        "QUOTEDSTRING",
        r#"(?:"(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*'|`(?:\\.|[^\\`])*`)"#,
    ),
    ("QS", "%{QUOTEDSTRING}"),
    (
        "UUID",
        "[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}",
    ),
    ("MAC", "(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})"),
    ("CISCOMAC", r"(?:(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4})"),
    ("WINDOWSMAC", "(?:(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2})"),
    ("COMMONMAC", "(?:(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2})"),
    (
        "IPV4",
        r"(?<![0-9])(?:(?:25[0-5]|2[0-4][0-9]|[0-1]?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|[0-1]?[0-9]{1,2})(?![0-9])",
    ),
    (
        "IPV6",
        "(?<![0-9A-Fa-f:])(?:(?:[0-9A-Fa-f]{1,4}:){1,7}(?:(?::[0-9A-Fa-f]{1,4}){1,6}|:|[0-9A-Fa-f]{1,4})|::(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?)(?:%[0-9A-Za-z]+)?",
    ),
    ("IP", "(?:%{IPV6}|%{IPV4})"),
    (
        "HOSTNAME",
        r"\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\.?(?:\b|$)",
    ),
    ("HOST", "%{HOSTNAME}"),
    ("IPORHOST", "(?:%{IP}|%{HOSTNAME})"),
    ("HOSTPORT", "%{IPORHOST}:%{POSINT}"),
    ("PATH", "(?:%{UNIXPATH}|%{WINPATH})"),
    ("UNIXPATH", r"(?:/(?:[\w_%!$@:.,~+=-]+|\\.)*)+"),
    ("WINPATH", r"(?>[A-Za-z]+:|\\)(?:\\[^\\?*]*)+"),
    ("URIPROTO", r"[A-Za-z]+(?:\+[A-Za-z+]+)?"),
    ("URIHOST", "%{IPORHOST}(?::%{POSINT})?"),
    ("URIPATH", r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%_-]*)+"),
    ("URIPARAM", r"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*"),
    ("URIPATHPARAM", "%{URIPATH}(?:%{URIPARAM})?"),
    (
        "URI",
        "%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    ),
    (
        "MONTH",
        r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b",
    ),
    ("MONTHNUM", "(?:0?[1-9]|1[0-2])"),
    ("MONTHNUM2", "(?:0[1-9]|1[0-2])"),
    ("MONTHDAY", "(?:0[1-9]|[12][0-9]|3[01]|[1-9])"),
    (
        "DAY",
        "(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)",
    ),
    ("YEAR", r"(?>\d\d){1,2}"),
    ("HOUR", "(?:2[0123]|[01]?[0-9])"),
    ("MINUTE", "(?:[0-5][0-9])"),
    ("SECOND", "(?:(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?)"),
    ("TIME", "(?<![0-9])%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9])"),
    ("DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"),
    ("DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"),
    ("DATE", "(?:%{DATE_US}|%{DATE_EU})"),
    ("ISO8601_TIMEZONE", "(?:Z|[+-]%{HOUR}(?::?%{MINUTE}))"),
    ("ISO8601_SECOND", "(?:%{SECOND}|60)"),
    (
        "TIMESTAMP_ISO8601",
        "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?",
    ),
    ("DATESTAMP", "%{DATE}[- ]%{TIME}"),
    ("TZ", "(?:[PMCE][SD]T|UTC)"),
    ("SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}"),
    ("PROG", r"[\w._/%-]+"),
    ("SYSLOGPROG", r"%{PROG}(?:\[%{POSINT}\])?"),
    ("SYSLOGHOST", "%{IPORHOST}"),
    (
        "LOGLEVEL",
        "(?i:alert|trace|debug|notice|info|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?)",
    ),
];

impl Grok {
    /// Reads an expression.
    pub(crate) fn read(expression: &str) -> Result<Grok, String> {
        let mut numbers = Vec::new();
        let regex = expand(expression, &mut numbers, 0)?;
        Ok(Grok {
            regex: compile(&regex, Anchor::None)?,
            numbers,
        })
    }

    /// What its names stand for in a text, wherever that matches; null for those of parts that are left out. None if it does
    /// not match.
    pub(crate) fn find(&self, text: &str) -> Option<Vec<(String, Value<'static>)>> {
        let found = self.regex.captures(text).ok()??;
        let names = self.regex.capture_names().flatten();
        let fields = names.map(|name| {
            let value = match found.name(name) {
                None => Value::Null,
                Some(part) => self.value(name, part.as_str()),
            };
            (name.to_owned(), value)
        });
        Some(fields.collect())
    }

    fn value(&self, name: &str, text: &str) -> Value<'static> {
        let kind = self.numbers.iter().find(|(own, _)| own == name);
        match kind.map(|(_, kind)| kind) {
            Some(Kind::Int) => match crate::python::read_int(text) {
                Some(number) => Value::Int(number.to_string().into()),
                None => text.into(),
            },
            Some(Kind::Float) => match crate::python::read_float(text) {
                Some(number) => Value::Float(number),
                None => text.into(),
            },
            None => text.into(),
        }
    }
}

/// The regular expression that an expression stands for.
fn expand(
    expression: &str,
    numbers: &mut Vec<(String, Kind)>,
    depth: usize,
) -> Result<String, String> {
    if depth > MAX_DEPTH {
        return Err(format!(
            "patterns name each other more than {MAX_DEPTH} deep"
        ));
    }
    let mut out = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once("%{") {
        out.push_str(before);
        let (inside, behind) = after
            .split_once('}')
            .ok_or_else(|| format!("`%{{{after}` does not end"))?;
        rest = behind;
        let mut parts = inside.split(':');
        let pattern = parts.next().unwrap_or_default();
        let known = PATTERNS.iter().find(|(name, _)| *name == pattern);
        let (_, pattern) = known.ok_or_else(|| format!("there is no pattern `{pattern}`"))?;
        let pattern = expand(pattern, numbers, depth + 1)?;
        match parts.next() {
            None => out.push_str(&format!("(?:{pattern})")),
            Some(name) => {
                let kind = match parts.next() {
                    Some("int") => Some(Kind::Int),
                    Some("float") => Some(Kind::Float),
                    _ => None,
                };
                numbers.extend(kind.map(|kind| (name.to_owned(), kind)));
                out.push_str(&format!("(?P<{name}>{pattern})"));
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(expression: &str, text: &str) -> Option<Vec<(String, String)>> {
        let fields = Grok::read(expression).unwrap().find(text)?;
        let fields = fields.into_iter();
        Some(fields.map(|(name, value)| (name, value.json())).collect())
    }

    fn some(fields: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let fields = fields.iter();
        Some(
            fields
                .map(|(name, json)| ((*name).to_owned(), (*json).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn every_pattern_can_be_used() {
        for (name, _) in PATTERNS {
            Grok::read(&format!("%{{{name}:x}}")).unwrap();
        }
    }

    #[test]
    fn the_parts_of_a_time_are_found() {
        let expression = "%{YEAR:y}-%{MONTHNUM:m}-%{MONTHDAY:d}[T ]%{HOUR:h}:?%{MINUTE:i}(?::?%{SECOND:s})?%{ISO8601_TIMEZONE:z}?";
        let whole = some(&[
            ("y", "\"2018\""),
            ("m", "\"07\""),
            ("d", "\"02\""),
            ("h", "\"07\""),
            ("i", "\"54\""),
            ("s", "\"30.549523\""),
            ("z", "\"+00:00\""),
        ]);
        assert_eq!(found(expression, "2018-07-02T07:54:30.549523+00:00"), whole);
        let part = found(expression, "at 2026-03-14T23:31Z").unwrap();
        assert_eq!(part[5..], some(&[("s", "null"), ("z", "\"Z\"")]).unwrap());
        assert_eq!(found(expression, "yesterday"), None);
    }

    #[test]
    fn own_expressions_and_numbers_are_read() {
        assert_eq!(
            found("%{WORD:verb} %{NUMBER:n:int}(?: %{WORD:opt})?", "GET 12"),
            some(&[("verb", "\"GET\""), ("n", "12"), ("opt", "null")])
        );
        assert_eq!(
            found("(?P<drive>[A-Z]):", "x C:"),
            some(&[("drive", "\"C\"")])
        );
        assert_eq!(
            found("%{IP:ip}", "from 10.0.0.12."),
            some(&[("ip", "\"10.0.0.12\"")])
        );
    }

    #[test]
    fn what_is_no_expression_is_told() {
        for (bad, reason) in [
            ("%{NOPE:x}", "no pattern `NOPE`"),
            ("%{WORD", "does not end"),
            ("(", ""),
        ] {
            assert!(Grok::read(bad).unwrap_err().contains(reason), "{bad}");
        }
    }
}
