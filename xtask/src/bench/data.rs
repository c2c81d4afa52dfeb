//! The rules and events to measure with, made once and kept in a folder.

use std::{
    collections::HashMap,
    error::Error,
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

/// How far back the compressed events refer, as a power of two.
pub const WINDOW_LOG: u32 = 27;

/// The folders with the rules of SigmaHQ that are in use.
const FOLDERS: [&str; 5] = [
    "rules",
    "rules-emerging-threats",
    "rules-threat-hunting",
    "rules-compliance",
    "rules-placeholder",
];

/// How many times the rules are there in [`Data::tenfold`].
const TENFOLD: usize = 10;

/// Where everything is.
pub struct Data {
    /// The rules for Windows.
    pub windows: PathBuf,
    /// All rules, and
    pub all: Vec<PathBuf>,
    /// how many those are.
    pub all_count: usize,
    /// The rules for Windows, and nine copies with other literals.
    pub tenfold: PathBuf,
    /// rsigma's pipeline from Windows services to channels.
    pub channels: PathBuf,
    /// One event.
    pub one: PathBuf,
    /// Flat events, and
    pub flat: PathBuf,
    /// how many.
    pub events: usize,
    /// The same events, nested.
    pub nested: PathBuf,
    /// The flat events, each with its number in the field [`NUMBER`].
    pub numbered: PathBuf,
}

/// The field with the number of an event.
pub const NUMBER: &str = "BenchLine";

/// The folder with the rules of SigmaHQ.
fn rules(shared: &Path, folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    made(folder, "rules", |path| {
        let archive = File::open(shared.join("corpus/sigmahq-2026-08.tar.zst"))?;
        tar::Archive::new(zstd::Decoder::new(archive)?).unpack(path)?;
        Ok(())
    })
}

/// Those for Windows.
pub fn windows_rules(shared: &Path, folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    Ok(rules(shared, folder)?.join("rules").join("windows"))
}

impl Data {
    /// Makes in `folder` what is not there yet.
    pub fn prepare(shared: &Path, folder: &Path) -> Result<Data, Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        let corpus = shared.join("corpus");
        let rules = rules(shared, folder)?;
        let windows = windows_rules(shared, folder)?;
        let unpacked = |name: &str| {
            made(folder, &format!("{name}.jsonl"), |path| {
                let packed = File::open(corpus.join(format!("bench-{name}-100k.jsonl.zst")))?;
                let mut decoder = zstd::Decoder::new(packed)?;
                decoder.window_log_max(WINDOW_LOG)?;
                std::io::copy(&mut decoder, &mut File::create(path)?)?;
                Ok(())
            })
        };
        let flat = unpacked("flat")?;
        let nested = unpacked("nested")?;
        let one = made(folder, "one.jsonl", |path| {
            let mut line = String::new();
            BufReader::new(File::open(&flat)?).read_line(&mut line)?;
            Ok(fs::write(path, line)?)
        })?;
        let numbered = made(folder, "numbered.jsonl", |path| number(&flat, path))?;
        let tenfold = made(folder, "tenfold", |path| multiply(&windows, path))?;
        let all = FOLDERS.map(|name| rules.join(name)).to_vec();
        let mut all_count = 0;
        for folder in &all {
            all_count += rule_count(folder)?;
        }
        Ok(Data {
            windows,
            all,
            all_count,
            tenfold,
            channels: shared.join("bench").join("channels.yml"),
            one,
            events: BufReader::new(File::open(&flat)?).split(b'\n').count(),
            flat,
            nested,
            numbered,
        })
    }
}

/// How many rules there are below a folder.
pub fn rule_count(folder: &Path) -> Result<usize, Box<dyn Error>> {
    Ok(rules_below(folder)?.len())
}

/// The texts of all rules below a folder, by their ids.
pub fn rules_by_id(folder: &Path) -> Result<HashMap<String, String>, Box<dyn Error>> {
    let rules = rules_below(folder)?.into_iter().filter_map(|(_, text)| {
        let id = text.lines().find_map(|line| line.strip_prefix("id: "))?;
        Some((id.trim().to_owned(), text))
    });
    Ok(rules.collect())
}

/// The path of a file or folder, which `make` makes if it is not there. It gets its name last, so that one that is there is whole.
pub fn made(
    folder: &Path,
    name: &str,
    make: impl FnOnce(&Path) -> Result<(), Box<dyn Error>>,
) -> Result<PathBuf, Box<dyn Error>> {
    let path = folder.join(name);
    if !path.exists() {
        let unfinished = folder.join(format!("{name}.unfinished"));
        if unfinished.is_dir() {
            fs::remove_dir_all(&unfinished)?;
        }
        make(&unfinished)?;
        fs::rename(&unfinished, &path)?;
    }
    Ok(path)
}

fn number(events: &Path, numbered: &Path) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(File::create(numbered)?);
    for (number, line) in (1..).zip(BufReader::new(File::open(events)?).lines()) {
        let line = line?;
        let members = line.strip_prefix('{').ok_or("an event is no object")?;
        writeln!(out, "{{\"{NUMBER}\":{number},{members}")?;
    }
    Ok(out.flush()?)
}

fn multiply(rules: &Path, copies: &Path) -> Result<(), Box<dyn Error>> {
    let rules = rules_below(rules)?;
    for copy in 0..TENFOLD {
        let folder = copies.join(copy.to_string());
        fs::create_dir_all(&folder)?;
        for (path, text) in &rules {
            let name = path.file_name().unwrap_or_default();
            let text = match copy {
                0 => text.clone(),
                copy => mutate(text, copy),
            };
            fs::write(folder.join(name), text)?;
        }
    }
    Ok(())
}

/// The paths and texts of all rules below a folder.
fn rules_below(folder: &Path) -> Result<Vec<(PathBuf, String)>, Box<dyn Error>> {
    let mut rules = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rules.extend(rules_below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let text = fs::read_to_string(&path)?;
            rules.push((path, text));
        }
    }
    Ok(rules)
}

/// A rule like this one, with another id and other literals: each string that it looks for ends in the number of the copy.
///
/// It knows as much of YAML as SigmaHQ's rules use: one `key: value` or `- value` a line.
fn mutate(rule: &str, copy: usize) -> String {
    let mut mutated = String::with_capacity(rule.len() + rule.len() / 8);
    let mut in_detection = false;
    let mut key = String::new();
    for line in rule.lines() {
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            in_detection = line.starts_with("detection:");
        }
        let line = match line.strip_prefix("id: ") {
            Some(id) => format!("id: {}", other_id(id, copy)),
            None if in_detection => other_literal(line, &mut key, copy),
            None => line.to_owned(),
        };
        mutated.push_str(&line);
        mutated.push('\n');
    }
    mutated
}

/// An id of its own for each copy: its first digit is as many further on.
fn other_id(id: &str, copy: usize) -> String {
    let mut chars = id.chars();
    let first = chars.next().and_then(|first| first.to_digit(16));
    let other = (first.unwrap_or(0) + copy as u32) % 16;
    format!("{other:x}{}", chars.as_str())
}

/// The keys whose values are no literals, or of which another one would be none.
const KEPT: [&str; 8] = [
    "condition",
    "timeframe",
    "cidr",
    "exists",
    "fieldref",
    "expand",
    "lt",
    "gt",
];

/// A line of a detection with a suffix on its literal, if it has one. `key` is the last key, which a list's items belong to.
fn other_literal(line: &str, key: &mut String, copy: usize) -> String {
    let item = line.trim_start();
    if item.starts_with('#') {
        return line.to_owned();
    }
    let item = item.strip_prefix("- ").unwrap_or(item).trim_start();
    let value = match item.split_once(':') {
        // A text in quotes may have a colon; a key in quotes has nothing behind it.
        Some((name, value))
            if value.trim().is_empty()
                || (value.starts_with(' ') && !item.starts_with(['\'', '"'])) =>
        {
            name.clone_into(key);
            value.trim_start()
        }
        _ => item,
    };
    let mut words = key.split('|');
    let start = line.len() - value.len();
    match end_of_text(value) {
        Some(end) if !words.any(|word| KEPT.contains(&word)) => {
            let (before, after) = line.split_at(start + end);
            format!("{before}q{copy}{after}")
        }
        _ => line.to_owned(),
    }
}

/// Where the text of a YAML scalar ends, before its quote if it has one; none if it is no text.
fn end_of_text(value: &str) -> Option<usize> {
    match value.chars().next()? {
        '\'' => {
            let inner = value[1..].replace("''", "xx");
            inner.find('\'').map(|end| end + 1)
        }
        '"' => {
            let mut escaped = false;
            let mut chars = value.char_indices().skip(1);
            let end = chars.find(|(_, c)| {
                let is_end = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                is_end
            });
            end.map(|(at, _)| at)
        }
        '#' | '[' | '{' | '|' | '>' | '&' | '*' | '!' => None,
        _ => {
            let text = value.split(" #").next()?.trim_end();
            let is_other = text.parse::<f64>().is_ok()
                || text.starts_with("0x")
                || ["true", "false", "null", "yes", "no", "~"]
                    .contains(&text.to_lowercase().as_str());
            (!is_other).then_some(text.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutated_rule_has_other_literals_and_is_the_same_otherwise() {
        let rule = r"id: a0000000-0000-4000-8000-000000000000
detection:
    selection:
        EventID: 4688
        Image|endswith: '\it''s.exe' # the tool's name
        CommandLine|contains:
            - ' -x'
            # a comment
            - plain: text # why
            - plain text # why
        Source|cidr:
            - '10.0.0.0/8'
        Other: null
        '|all':
            - 'key: value'
        Regex|re: .*\d$
    condition: selection
level: high
";
        let expected = r"id: d0000000-0000-4000-8000-000000000000
detection:
    selection:
        EventID: 4688
        Image|endswith: '\it''s.exeq3' # the tool's name
        CommandLine|contains:
            - ' -xq3'
            # a comment
            - plain: textq3 # why
            - plain textq3 # why
        Source|cidr:
            - '10.0.0.0/8'
        Other: null
        '|all':
            - 'key: valueq3'
        Regex|re: .*\d$q3
    condition: selection
level: high
";
        assert_eq!(mutate(rule, 3), expected);
    }
}
