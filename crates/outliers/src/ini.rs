//! The dialect of the files: sections, keys, values, as Python's `configparser` reads them.
//!
//! `=` and `:` both end a key, the first of them counts. `#` and `;` begin a comment only where they begin a line. A line that is
//! indented deeper than its key goes on with the value. What `[DEFAULT]` holds is in every section. Nothing is interpolated:
//! `%` is a percent sign.

use crate::Problem;
use std::path::{Path, PathBuf};

/// The section whose keys are in all others.
const DEFAULT: &str = "DEFAULT";

/// How a kind of file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Keys keep their case; a key or section that is there twice is noted, and the last one counts.
    General,
    /// Keys are lowered; a key or section that is there twice makes the file unusable.
    UseCases,
}

/// What files say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ini {
    sections: Vec<Section>,
    defaults: Vec<Setting>,
}

/// A section.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    settings: Vec<Setting>,
}

/// A key and its value, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
}

impl Setting {
    /// A problem with it.
    pub(crate) fn problem(&self, message: impl std::fmt::Display) -> Problem {
        let message = format!("`{}`: {message}", self.key);
        Problem::new(&self.file, Some(self.line), message)
    }
}

impl Ini {
    /// Adds what a file says. Of what cannot be read, everything is told; what is only odd goes to `notes`.
    pub(crate) fn add(
        &mut self,
        file: &Path,
        bytes: &[u8],
        kind: Kind,
        notes: &mut Vec<Problem>,
    ) -> Result<(), Vec<Problem>> {
        let text = decode(file, bytes).map_err(|problem| vec![problem])?;
        let mut reader = Reader {
            ini: self,
            file,
            kind,
            at: At::Nowhere,
            seen: Vec::new(),
            open: None,
            indent: 0,
            notes,
            problems: Vec::new(),
        };
        for (number, line) in (1..).zip(lines(text)) {
            reader.line(number, line);
        }
        let problems = reader.problems;
        for setting in self.all_settings() {
            setting.value.truncate(setting.value.trim_end().len());
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems),
        }
    }

    fn all_settings(&mut self) -> impl Iterator<Item = &mut Setting> {
        let sections = self.sections.iter_mut();
        let settings = sections.flat_map(|section| &mut section.settings);
        self.defaults.iter_mut().chain(settings)
    }

    /// The sections, in the order of their first mention.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// A section by its name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// All that a section says, what is said for all sections before it.
    pub(crate) fn settings(&self, section: &Section) -> Vec<Setting> {
        let mut all = self.defaults.clone();
        for setting in &section.settings {
            put(&mut all, setting.clone());
        }
        all
    }

    /// The value of a key in a section.
    pub(crate) fn get(&self, section: &str, key: &str) -> Option<&Setting> {
        let section = self.section(section)?;
        let own = section.settings.iter().chain(&self.defaults);
        own.into_iter().find(|setting| setting.key == key)
    }
}

/// Puts a setting in the place of the one with its key, or behind all.
fn put(settings: &mut Vec<Setting>, new: Setting) {
    match settings.iter_mut().find(|known| known.key == new.key) {
        Some(known) => *known = new,
        None => settings.push(new),
    }
}

fn decode<'b>(file: &Path, bytes: &'b [u8]) -> Result<&'b str, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Problem::new(file, Some(line), "this is not UTF-8: save the file as such")
    })?;
    match text.starts_with('\u{feff}') {
        true => {
            let reason = "the file begins with a byte order mark: save it without one";
            Err(Problem::new(file, Some(1), reason))
        }
        false => Ok(text),
    }
}

/// Lines, whichever way they end.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.filter(|text| !text.is_empty())?;
        let end = text.find(['\n', '\r']);
        let (line, after) = match end {
            None => (text, None),
            Some(end) => {
                let after = &text[end..];
                let skipped = if after.starts_with("\r\n") { 2 } else { 1 };
                (&text[..end], Some(&after[skipped..]))
            }
        };
        rest = after;
        Some(line)
    })
}

/// The section that a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Nowhere,
    Defaults,
    Section(usize),
}

struct Reader<'r> {
    ini: &'r mut Ini,
    file: &'r Path,
    kind: Kind,
    at: At,
    /// The sections, and keys of sections, that this file has had.
    seen: Vec<(String, Option<String>)>,
    /// The key whose value may go on.
    open: Option<String>,
    indent: usize,
    notes: &'r mut Vec<Problem>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &str) {
        let text = line.trim();
        if text.starts_with(['#', ';']) {
            return;
        }
        if text.is_empty() {
            self.go_on("");
            return;
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if self.open.is_some() && indent > self.indent {
            self.go_on(text);
            return;
        }
        self.indent = indent;
        let header = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match header {
            Some((name, _)) if !name.is_empty() => self.section(number, name),
            _ if self.at == At::Nowhere => {
                let message = "there is no `[section]` before this line";
                self.problem(number, message.to_owned());
            }
            _ => self.setting(number, text),
        }
    }

    /// Another line of the value that is open.
    fn go_on(&mut self, text: &str) {
        let Some(key) = self.open.clone() else {
            return;
        };
        if let Some(setting) = self.here().iter_mut().find(|setting| setting.key == key) {
            setting.value.push('\n');
            setting.value.push_str(text);
        }
    }

    fn section(&mut self, number: usize, name: &str) {
        self.open = None;
        let mut known = self.ini.sections.iter();
        self.at = match known.position(|section| section.name == name) {
            Some(at) => {
                if self.is_again(name, None) {
                    self.again(number, format!("the section `[{name}]` is there already"));
                }
                At::Section(at)
            }
            None if name == DEFAULT => At::Defaults,
            None => {
                self.is_again(name, None);
                self.ini.sections.push(Section {
                    name: name.to_owned(),
                    file: self.file.to_owned(),
                    line: number,
                    settings: Vec::new(),
                });
                At::Section(self.ini.sections.len() - 1)
            }
        };
    }

    fn setting(&mut self, number: usize, text: &str) {
        let Some((key, value)) = text.split_once(['=', ':']) else {
            self.problem(number, "expected `key = value`".to_owned());
            return;
        };
        let key = match self.kind {
            Kind::General => key.trim_end().to_owned(),
            Kind::UseCases => key.trim_end().to_lowercase(),
        };
        if key.is_empty() {
            self.problem(number, "expected a key before the `=`".to_owned());
            return;
        }
        let section = match self.at {
            At::Section(at) => self.ini.sections[at].name.clone(),
            _ => DEFAULT.to_owned(),
        };
        if self.is_again(&section, Some(&key)) {
            let message = format!("`{key}` is there already in the section `[{section}]`");
            self.again(number, message);
        }
        let setting = Setting {
            key: key.clone(),
            value: value.trim().to_owned(),
            file: self.file.to_owned(),
            line: number,
        };
        put(self.here(), setting);
        self.open = Some(key);
    }

    fn here(&mut self) -> &mut Vec<Setting> {
        match self.at {
            At::Section(at) => &mut self.ini.sections[at].settings,
            _ => &mut self.ini.defaults,
        }
    }

    /// Whether this file has had it; it has now.
    fn is_again(&mut self, section: &str, key: Option<&str>) -> bool {
        let this = (section.to_owned(), key.map(str::to_owned));
        let is_again = self.seen.contains(&this);
        self.seen.push(this);
        is_again
    }

    /// Something is there twice.
    fn again(&mut self, number: usize, message: String) {
        match self.kind {
            Kind::UseCases => self.problem(number, message),
            Kind::General => {
                let message = format!("{message}: only this one counts");
                let note = Problem::new(self.file, Some(number), message);
                self.notes.push(note);
            }
        }
    }

    fn problem(&mut self, number: usize, message: String) {
        let problem = Problem::new(self.file, Some(number), message);
        self.problems.push(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, kind: Kind) -> (Ini, Vec<Problem>, Vec<Problem>) {
        let (mut ini, mut notes) = (Ini::default(), Vec::new());
        let read = ini.add(Path::new("f.conf"), text.as_bytes(), kind, &mut notes);
        (ini, notes, read.err().unwrap_or_default())
    }

    fn value(ini: &Ini, section: &str, key: &str) -> Option<String> {
        ini.get(section, key).map(|setting| setting.value.clone())
    }

    #[test]
    fn a_line_is_a_key_and_a_value() {
        let text = "[a b]\nk = v ; not a comment\n# a comment\n  ; another\nfilter: x=y:z\nempty=\nPer%Cent=%d%%\n";
        let (ini, notes, problems) = read(text, Kind::General);
        assert_eq!((notes, problems), (vec![], vec![]));
        let value = |key| value(&ini, "a b", key);
        assert_eq!(value("k").unwrap(), "v ; not a comment");
        assert_eq!(value("filter").unwrap(), "x=y:z");
        assert_eq!(value("empty").unwrap(), "");
        assert_eq!(value("Per%Cent").unwrap(), "%d%%");
        assert_eq!(value("per%cent"), None);
    }

    #[test]
    fn an_indented_line_goes_on_with_the_value() {
        let text = "[s]\nlist = one\n  two\n\n  # no part of it\n   three = 3\nnext = 1\n";
        let (ini, ..) = read(text, Kind::General);
        assert_eq!(value(&ini, "s", "list").unwrap(), "one\ntwo\n\nthree = 3");
        assert_eq!(value(&ini, "s", "next").unwrap(), "1");
    }

    #[test]
    fn the_last_of_two_counts_in_a_general_file_and_spoils_one_of_use_cases() {
        let text = "[s]\na=1\na=2\n[t]\nb=1\n[s]\nc=3\n";
        let (ini, notes, problems) = read(text, Kind::General);
        assert_eq!(value(&ini, "s", "a").unwrap(), "2");
        assert_eq!(value(&ini, "s", "c").unwrap(), "3");
        assert_eq!(problems, []);
        let lines: Vec<_> = notes.iter().map(|note| note.line).collect();
        assert_eq!(lines, [Some(3), Some(6)]);
        let (_, _, problems) = read(text, Kind::UseCases);
        assert_eq!(problems.len(), 2);
        assert_eq!(
            problems[0].to_string(),
            "f.conf:3: `a` is there already in the section `[s]`"
        );
    }

    #[test]
    fn keys_of_use_cases_are_lowered() {
        let (ini, ..) = read("[Terms_X]\nCustom_Key = Value\n", Kind::UseCases);
        assert_eq!(value(&ini, "Terms_X", "custom_key").unwrap(), "Value");
    }

    #[test]
    fn defaults_are_in_every_section_and_a_later_file_wins() {
        let (mut ini, mut notes) = (Ini::default(), Vec::new());
        for text in [
            "[DEFAULT]\nowner=bob\nx=0\n[s]\nx=1\ny=1\n",
            "[s]\ny=2\n[t]\nz=1\n",
        ] {
            ini.add(Path::new("f"), text.as_bytes(), Kind::General, &mut notes)
                .unwrap();
        }
        assert_eq!(notes, []);
        let settings = |name| {
            let settings = ini.settings(ini.section(name).unwrap());
            let settings = settings.into_iter();
            settings
                .map(|one| format!("{}={}", one.key, one.value))
                .collect::<Vec<_>>()
        };
        assert_eq!(settings("s"), ["owner=bob", "x=1", "y=2"]);
        assert_eq!(settings("t"), ["owner=bob", "x=0", "z=1"]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, line) in [
            (&b"k=v\n[s]\n"[..], 1),
            (b"[s]\nno delimiter\n", 2),
            (b"[s]\n=x\n", 2),
            (b"[s]\na=1\nb=\xff\n", 3),
            (b"\xef\xbb\xbf[s]\n", 1),
        ] {
            let mut notes = Vec::new();
            let problems = Ini::default()
                .add(Path::new("f"), text, Kind::UseCases, &mut notes)
                .unwrap_err();
            assert_eq!(problems[0].line, Some(line), "{problems:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_file_holds_it_is_read_or_refused_with_a_line_of_it(
            text in "([a-c \\[\\]=:#;%,\t\r\n\u{e4}]|\\[s\\]\n|k=v\n|DEFAULT){0,60}",
            use_cases in any::<bool>(),
        ) {
            let kind = if use_cases { Kind::UseCases } else { Kind::General };
            let (ini, notes, problems) = read(&text, kind);
            let lines = lines(&text).count();
            for told in notes.iter().chain(&problems) {
                prop_assert!((1..=lines).contains(&told.line.unwrap()));
            }
            for section in ini.sections() {
                for setting in ini.settings(section) {
                    prop_assert!(!setting.key.is_empty() && setting.line <= lines);
                }
            }
        }
    }
}
