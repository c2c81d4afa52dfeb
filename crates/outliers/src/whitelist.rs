//! Outliers that are known to be harmless.
//!
//! An outlier is compared by values: those of the outlier, of the event, and where the event lies. The name of a field does not
//! matter. A line is a list of values, separated by commas; all of them have to be there. Literals are compared whole and with
//! their case; regular expressions from the start of a value, without.

use crate::ini::{Ini, Section, Setting};
use crate::pattern::{Anchor, compile};
use crate::value::Value;
use crate::{Mode, Problem, python};
use fancy_regex::Regex;
use std::collections::HashSet;

const LITERALS: &str = "whitelist_literals";
const REGEXPS: &str = "whitelist_regexps";

/// What makes outliers harmless.
#[derive(Debug, Default)]
pub(crate) struct Whitelist {
    literals: Vec<Vec<String>>,
    regexps: Vec<Vec<Regex>>,
}

/// Where a whitelist stands, which decides what becomes of an expression that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    General,
    UseCases,
}

impl Whitelist {
    /// Reads the whitelist of a file. What cannot be read is told: as a note if the file can be used without it.
    pub(crate) fn read(
        ini: &Ini,
        origin: Origin,
        mode: Mode,
        notes: &mut Vec<Problem>,
    ) -> Result<Whitelist, Vec<Problem>> {
        let mut whitelist = Whitelist::default();
        for setting in settings(ini, LITERALS) {
            whitelist.literals.push(parts(&setting.value));
        }
        let mut problems = Vec::new();
        for setting in settings(ini, REGEXPS) {
            match (regexps(&setting, mode), origin) {
                (Ok(regexps), _) => whitelist.regexps.push(regexps),
                (Err((_, problem)), Origin::UseCases) => problems.push(problem),
                (Err((rest, problem)), Origin::General) => {
                    notes.push(problem);
                    // ee-outliers goes on with what it can read, so that the line matches more.
                    if mode == Mode::Compat && !rest.is_empty() {
                        whitelist.regexps.push(rest);
                    }
                }
            }
        }
        match problems.is_empty() {
            true => Ok(whitelist),
            false => Err(problems),
        }
    }

    /// Whether it has no line.
    pub(crate) fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.regexps.is_empty()
    }

    /// Whether one of its lines matches these values.
    pub(crate) fn matches(&self, values: &HashSet<String>) -> bool {
        let has_literal = |literal: &String| values.contains(literal);
        let literals = self.literals.iter();
        if literals
            .into_iter()
            .any(|line| line.iter().all(has_literal))
        {
            return true;
        }
        // An expression that takes too long does not match.
        let has_regexp = |regexp: &Regex| {
            let mut values = values.iter();
            values.any(|value| regexp.is_match(value).unwrap_or(false))
        };
        let mut regexps = self.regexps.iter();
        regexps.any(|line| line.iter().all(has_regexp))
    }
}

fn settings(ini: &Ini, section: &str) -> Vec<Setting> {
    let section: Option<&Section> = ini.section(section);
    section.map_or_else(Vec::new, |section| ini.settings(section))
}

fn parts(line: &str) -> Vec<String> {
    line.split(',').map(|part| part.trim().to_owned()).collect()
}

/// The expressions of a line, or those of them that can be used and what is wrong with the others.
fn regexps(setting: &Setting, mode: Mode) -> Result<Vec<Regex>, (Vec<Regex>, Problem)> {
    let (mut regexps, mut wrong) = (Vec::new(), None);
    for part in parts(&setting.value) {
        if part.is_empty() && mode == Mode::Strict {
            wrong = Some("an empty expression would match every outlier".to_owned());
            continue;
        }
        match compile(&part, Anchor::Start) {
            Ok(regexp) => regexps.push(regexp),
            Err(error) => wrong = Some(format!("`{part}` is no regular expression: {error}")),
        }
    }
    match wrong {
        None => Ok(regexps),
        Some(wrong) => Err((regexps, setting.problem(wrong))),
    }
}

/// Adds the values that `value` is made of: members of objects at any depth, elements of lists one by one.
pub(crate) fn collect(value: &Value<'_>, values: &mut HashSet<String>) {
    let mut add = |value: &Value<'_>| {
        values.insert(python::str(value).trim().to_owned());
    };
    match value {
        Value::Object(members) => {
            for (_, member) in members {
                collect(member, values);
            }
        }
        Value::List(list) => list.iter().for_each(add),
        single => add(single),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ini::Kind;
    use std::path::Path;

    fn read(text: &str, origin: Origin, mode: Mode) -> (Result<Whitelist, Vec<Problem>>, usize) {
        let (mut ini, mut notes) = (Ini::default(), Vec::new());
        ini.add(Path::new("f"), text.as_bytes(), Kind::General, &mut notes)
            .unwrap();
        let whitelist = Whitelist::read(&ini, origin, mode, &mut notes);
        (whitelist, notes.len())
    }

    fn is_listed(text: &str, event: &str) -> bool {
        let whitelist = read(text, Origin::General, Mode::Compat).0.unwrap();
        let mut values = HashSet::new();
        collect(&Value::read(event), &mut values);
        whitelist.matches(&values)
    }

    #[test]
    fn values_are_compared_wherever_they_stand() {
        let event = r#"{"a": {"b": "HOST"}, "l": ["one", 2, {"x": 1}, [3]], "t": true, "f": 1.0, "n": null, "s": " trimmed "}"#;
        for listed in [
            "HOST",
            "one",
            "2",
            "{'x': 1}",
            "[3]",
            "True",
            "1.0",
            "None",
            "trimmed",
            "one, HOST",
        ] {
            assert!(
                is_listed(&format!("[whitelist_literals]\na={listed}\n"), event),
                "{listed}"
            );
        }
        for not in ["host", "HOS", "one, two", "3", "b"] {
            assert!(
                !is_listed(&format!("[whitelist_literals]\na={not}\n"), event),
                "{not}"
            );
        }
        for listed in ["hos", "h.*t$", "ON,h"] {
            assert!(
                is_listed(&format!("[whitelist_regexps]\na={listed}\n"), event),
                "{listed}"
            );
        }
        assert!(!is_listed("[whitelist_regexps]\na=ost\n", event));
        assert!(is_listed("[whitelist_literals]\na=nope\nb=HOST\n", event));
        assert!(!is_listed("[other]\na=HOST\n", event));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_does_not_widen_a_line() {
        let text = "[whitelist_regexps]\na=both,(unclosed\nb=fine\n";
        let (whitelist, notes) = read(text, Origin::General, Mode::Strict);
        assert_eq!((whitelist.unwrap().regexps.len(), notes), (1, 1));
        let (whitelist, notes) = read(text, Origin::General, Mode::Compat);
        assert_eq!((whitelist.unwrap().regexps.len(), notes), (2, 1));
        let (whitelist, _) = read(text, Origin::UseCases, Mode::Compat);
        assert_eq!(whitelist.unwrap_err()[0].line, Some(2));
        let (whitelist, notes) = read("[whitelist_regexps]\na=\n", Origin::General, Mode::Strict);
        assert_eq!((whitelist.unwrap().is_empty(), notes), (true, 1));
    }
}
