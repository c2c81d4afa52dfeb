//! The format of `tests/cases/*.cases`: small rules, each with the events that it must hit and must not hit.
//!
//! ```text
//! # A comment: before the first case, and among the expectations.
//! === contains ignores case
//! title: contains ignores case
//! logsource: {product: windows, service: sysmon}
//! detection:
//!   sel: {Image|contains: cmd}
//!   condition: sel
//! ---
//! + {"Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "C:\\CMD.exe"}
//! - {"Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "C:\\more.com"}
//! ```
//!
//! A case begins with `=== ` and its name, which no other case of the file has. Its rule goes up to the *last* line that is `---`, so
//! that the YAML may have several documents. Each line after that is one expectation ([`Kind`]), a comment (`#`), or blank.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One rule and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The file it stands in, as it was given to [`read`].
    pub file: PathBuf,
    /// The line of its `===`, from 1.
    pub line: usize,
    /// Its name, unique in the file.
    pub name: String,
    /// The rule, as YAML. Its first line is line `line + 1` of the file.
    pub rule: String,
    /// What is expected of the rule, in the file's order; at least one.
    pub expectations: Vec<Expectation>,
}

/// One line of expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Its line, from 1.
    pub line: usize,
    /// What is expected.
    pub kind: Kind,
}

/// What can be expected of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `+ json`: the rule hits this event. The text is not checked to be JSON.
    Hit(String),
    /// `- json`: the rule does not hit this event. The text is not checked to be JSON.
    Miss(String),
    /// `! words`: the rule is set aside, and a message about it contains these words.
    Broken(String),
    /// `? words`: the rule needs set-up, and a message about it contains these words.
    NeedsSetUp(String),
}

impl Kind {
    fn parse(line: &str) -> Option<Kind> {
        let (mark, text) = line.split_once(' ')?;
        let text = Some(text.trim())
            .filter(|text| !text.is_empty())?
            .to_owned();
        match mark {
            "+" => Some(Kind::Hit(text)),
            "-" => Some(Kind::Miss(text)),
            "!" => Some(Kind::Broken(text)),
            "?" => Some(Kind::NeedsSetUp(text)),
            _ => None,
        }
    }
}

/// Why a file of cases could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file itself could not be read.
    #[error("{}: {error}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A line is not what the format has there.
    #[error("{}:{line}: {problem}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What can be wrong with a file of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Text that is neither comment nor blank stands before the first `===`.
    #[error("text before the first `=== name`")]
    BeforeFirstCase,
    /// The `===` has no name after it.
    #[error("a case has no name: `=== name`")]
    NoName,
    /// An earlier case of the file has the same name.
    #[error("an earlier case has this name")]
    DoubleName,
    /// There is nothing but blanks between `===` and `---`.
    #[error("the case has no rule")]
    NoRule,
    /// No line of the case is `---`.
    #[error("the case has no line `---` after its rule")]
    NoSeparator,
    /// Nothing is expected of the rule.
    #[error("the case expects nothing")]
    NoExpectation,
    /// A line after `---` is none of the four kinds.
    #[error("not an expectation: `+ json`, `- json`, `! words` or `? words`")]
    NotAnExpectation,
}

/// Reads one file of cases; one malformed line is an error for the whole file.
///
/// # Errors
/// [`CaseError`], with the file and the line.
pub fn read(file: &Path) -> Result<Vec<Case>, CaseError> {
    let text = fs::read_to_string(file).map_err(|error| CaseError::File {
        file: file.into(),
        error,
    })?;
    parse(file, &text).map_err(|(line, problem)| CaseError::Line {
        file: file.into(),
        line,
        problem,
    })
}

fn parse(file: &Path, text: &str) -> Result<Vec<Case>, (usize, Problem)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> = (0..lines.len())
        .filter(|&at| lines[at].starts_with("==="))
        .collect();
    let preamble = starts.first().copied().unwrap_or(lines.len());
    if let Some(at) = (0..preamble).find(|&at| !is_comment(lines[at])) {
        return Err((at + 1, Problem::BeforeFirstCase));
    }
    let mut cases: Vec<Case> = Vec::new();
    for (nth, &start) in starts.iter().enumerate() {
        let end = starts.get(nth + 1).copied().unwrap_or(lines.len());
        let case = case(file, start, &lines[start..end])?;
        if cases.iter().any(|earlier| earlier.name == case.name) {
            return Err((case.line, Problem::DoubleName));
        }
        cases.push(case);
    }
    Ok(cases)
}

/// Reads the lines of one case, of which the first is its `===`; `start` counts the lines before it.
fn case(file: &Path, start: usize, lines: &[&str]) -> Result<Case, (usize, Problem)> {
    let line = start + 1;
    let name = lines[0]
        .strip_prefix("=== ")
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .ok_or((line, Problem::NoName))?;
    let separator = lines
        .iter()
        .rposition(|text| text.trim_end() == "---")
        .ok_or((line, Problem::NoSeparator))?;
    let rule: String = lines[1..separator]
        .iter()
        .flat_map(|text| [text, "\n"])
        .collect();
    if rule.trim().is_empty() {
        return Err((line, Problem::NoRule));
    }
    let mut expectations = Vec::new();
    for (at, text) in lines
        .iter()
        .enumerate()
        .skip(separator + 1)
        .filter(|(_, text)| !is_comment(text))
    {
        let kind = Kind::parse(text).ok_or((line + at, Problem::NotAnExpectation))?;
        expectations.push(Expectation {
            line: line + at,
            kind,
        });
    }
    if expectations.is_empty() {
        return Err((line, Problem::NoExpectation));
    }
    Ok(Case {
        file: file.into(),
        line,
        name: name.into(),
        rule,
        expectations,
    })
}

fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Case>, (usize, Problem)> {
        parse(Path::new("x.cases"), text)
    }

    #[test]
    fn a_file_gives_its_cases_with_lines() {
        let cases = parsed("# two cases\n\n=== one\na: 1\n---\nb: 2\n---\n+ {\"a\": 1}\n\n# why\n- {}\n=== two\nc: 3\n---\n! no such\n? set up\n").unwrap();
        let [one, two] = &cases[..] else {
            panic!("{cases:?}")
        };
        assert_eq!(
            (one.line, one.name.as_str(), one.rule.as_str()),
            (3, "one", "a: 1\n---\nb: 2\n")
        );
        let expected = [
            (8, Kind::Hit("{\"a\": 1}".into())),
            (11, Kind::Miss("{}".into())),
        ];
        assert_eq!(
            one.expectations,
            expected.map(|(line, kind)| Expectation { line, kind })
        );
        let expected = [
            (15, Kind::Broken("no such".into())),
            (16, Kind::NeedsSetUp("set up".into())),
        ];
        assert_eq!(
            two.expectations,
            expected.map(|(line, kind)| Expectation { line, kind })
        );
    }

    #[test]
    fn each_malformed_file_is_an_error_with_its_line() {
        for (text, line, problem) in [
            ("hello\n=== a\nx\n---\n+ {}\n", 1, Problem::BeforeFirstCase),
            ("hello\n", 1, Problem::BeforeFirstCase),
            ("===\nx\n---\n+ {}\n", 1, Problem::NoName),
            ("===a\nx\n---\n+ {}\n", 1, Problem::NoName),
            (
                "=== a\nx\n---\n+ {}\n=== a\nx\n---\n+ {}\n",
                5,
                Problem::DoubleName,
            ),
            ("=== a\n\n---\n+ {}\n", 1, Problem::NoRule),
            ("# c\n=== a\nx\n+ {}\n", 2, Problem::NoSeparator),
            ("=== a\nx\n---\n# c\n", 1, Problem::NoExpectation),
            ("=== a\nx\n---\n+ {}\n+{}\n", 5, Problem::NotAnExpectation),
            ("=== a\nx\n---\n+ \n", 4, Problem::NotAnExpectation),
            ("=== a\nx\n---\n* {}\n", 4, Problem::NotAnExpectation),
        ] {
            assert_eq!(parsed(text), Err((line, problem)), "{text:?}");
        }
    }
}
