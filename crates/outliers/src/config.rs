//! The general configuration: where events lie, how far back to look, assets, derived fields, what is harmless everywhere.

use crate::grok::Grok;
use crate::ini::{Ini, Kind, Setting};
use crate::whitelist::{Origin, Whitelist};
use crate::{Mode, Problem, python};
use std::path::{Path, PathBuf};

const GENERAL: &str = "general";

/// What the general configuration says. [`Config::read`] makes it of files.
#[derive(Debug)]
pub struct Config {
    /// Where the cluster is.
    pub es_url: String,
    /// How much the log tells: `DEBUG`, `INFO`, `WARNING`, `ERROR`, `CRITICAL`.
    pub log_level: String,
    /// Where the log is kept besides.
    pub log_file: Option<PathBuf>,
    /// What is odd in the files, and what they ask for that is not done.
    pub notes: Vec<Problem>,
    /// How many files it was read from.
    pub files: usize,
    pub(crate) mode: Mode,
    pub(crate) index: String,
    pub(crate) page: usize,
    pub(crate) timestamp_field: String,
    pub(crate) saves: bool,
    pub(crate) prints: bool,
    pub(crate) history: History,
    pub(crate) wipes: bool,
    pub(crate) runs: bool,
    pub(crate) tests: bool,
    pub(crate) highlights: bool,
    /// Batches of the models that collect before they decide, by the section's name.
    pub(crate) batches: Vec<(&'static str, Option<usize>)>,
    /// Fields, and what kind of asset their values are.
    pub(crate) assets: Vec<(String, String)>,
    /// Fields, and what is derived from their values.
    pub(crate) derived: Vec<(String, Grok)>,
    pub(crate) whitelist: Whitelist,
}

/// How far to look back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) days: i64,
    pub(crate) hours: i64,
}

/// What the values of missing keys are; the original stops without those of the second kind.
const SHIPPED: &[(&str, &str)] = &[
    ("timestamp_field", "@timestamp"),
    ("print_outliers_to_console", "0"),
];
const MANDATORY: &[(&str, &str)] = &[
    ("es_index_pattern", "logstash-eagleeye-*"),
    ("es_scan_size", "10000"),
    ("es_scroll_time", "25m"),
    ("es_timeout", "300"),
    ("es_save_results", "1"),
    ("history_window_days", "7"),
    ("history_window_hours", "12"),
    ("es_wipe_all_existing_outliers", "0"),
    ("run_models", "1"),
    ("test_models", "0"),
    ("log_verbosity", "1"),
    ("log_level", "INFO"),
    ("log_file", ""),
];

/// The longest history, in days.
const LONGEST: i64 = 365_000;

impl Config {
    /// Reads files, of which later ones override earlier ones.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn read(files: &[PathBuf], mode: Mode) -> Result<Config, Vec<Problem>> {
        let (mut ini, mut notes, mut problems) = (Ini::default(), Vec::new(), Vec::new());
        for file in files {
            match std::fs::read(file) {
                Ok(bytes) => {
                    let added = ini.add(file, &bytes, Kind::General, &mut notes);
                    problems.extend(added.err().into_iter().flatten());
                }
                Err(error) => problems.push(Problem::new(file, None, error.to_string())),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let last = files.last().map(PathBuf::as_path);
        let mut reader = Reader {
            ini: &ini,
            file: last.unwrap_or(Path::new("")),
            mode,
            problems,
        };
        let config = reader.config(files.len(), notes);
        match reader.problems.is_empty() {
            true => Ok(config),
            false => Err(reader.problems),
        }
    }

    /// The same, but that nothing is wiped or saved.
    pub fn that_only_looks(self) -> Config {
        Config {
            wipes: false,
            saves: false,
            ..self
        }
    }
}

/// Reads keys, and collects what is wrong with them.
struct Reader<'r> {
    ini: &'r Ini,
    /// The file that is named where something is missing.
    file: &'r Path,
    mode: Mode,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn config(&mut self, files: usize, mut notes: Vec<Problem>) -> Config {
        let es_url = self
            .get(GENERAL, "es_url")
            .map(|setting| setting.value.clone());
        self.notifier(&mut notes);
        let whitelist = Whitelist::read(self.ini, Origin::General, self.mode, &mut notes);
        let scan_size = self.number("es_scan_size").unwrap_or(1);
        if self.flag("general", "es_wipe_all_whitelisted_outliers", "0") {
            let setting = self.get(GENERAL, "es_wipe_all_whitelisted_outliers");
            let what = "outliers that have become whitelisted are not removed by this version";
            notes.extend(setting.map(|setting| setting.problem(what)));
        }
        let log_file = self.text("log_file");
        let log_level = self.text("log_level");
        for key in ["es_scroll_time", "es_timeout", "log_verbosity"] {
            self.text(key);
        }
        let mut batch = |section: &'static str, key: &str| {
            let setting = self.get(section, key);
            let batch = setting.map(|setting| match python::read_int(&setting.value) {
                Some(size) if size > 0 => Ok(size as usize),
                _ => Err(setting.problem("expected a number above 0")),
            });
            match batch {
                None => (section, None),
                Some(Ok(size)) => (section, Some(size)),
                Some(Err(problem)) => {
                    self.problems.push(problem);
                    (section, None)
                }
            }
        };
        let batches = vec![
            batch("terms", "terms_batch_eval_size"),
            batch("metrics", "metrics_batch_eval_size"),
        ];
        Config {
            es_url: es_url.unwrap_or_default(),
            log_file: (!log_file.is_empty()).then(|| log_file.into()),
            log_level,
            notes,
            files,
            mode: self.mode,
            index: self.text("es_index_pattern"),
            page: usize::try_from(scan_size)
                .unwrap_or(1)
                .clamp(1, store::MAX_PAGE),
            timestamp_field: self.text("timestamp_field"),
            saves: self.switch("es_save_results"),
            prints: self.switch("print_outliers_to_console"),
            history: History {
                days: self.days("history_window_days"),
                hours: self.days("history_window_hours"),
            },
            wipes: self.switch("es_wipe_all_existing_outliers"),
            runs: self.switch("run_models"),
            tests: self.switch("test_models"),
            highlights: self.flag("simplequery", "highlight_match", "0"),
            batches,
            assets: self.assets(),
            derived: self.derived(),
            whitelist: whitelist.unwrap_or_default(),
        }
    }

    fn get(&self, section: &str, key: &str) -> Option<Setting> {
        self.ini.get(section, key).cloned()
    }

    /// The setting of `[general]`, or what stands for it if it is missing.
    fn general(&mut self, key: &str) -> Setting {
        if let Some(setting) = self.get(GENERAL, key) {
            return setting;
        }
        let mandatory = MANDATORY.iter().find(|(own, _)| *own == key);
        if mandatory.is_some() && self.mode == Mode::Compat {
            let message = format!("`{key}` is missing in the section `[{GENERAL}]`");
            let problem = Problem::new(self.file, None, message);
            self.problems.push(problem);
        }
        let value = SHIPPED.iter().find(|(own, _)| *own == key).or(mandatory);
        Setting {
            key: key.to_owned(),
            value: value.map_or_else(String::new, |(_, value)| (*value).to_owned()),
            file: self.file.to_owned(),
            line: 0,
        }
    }

    fn text(&mut self, key: &str) -> String {
        self.general(key).value
    }

    fn number(&mut self, key: &str) -> Option<i64> {
        let setting = self.general(key);
        let number = python::read_int(&setting.value);
        if number.is_none() {
            self.problems
                .push(setting.problem("expected a whole number"));
        }
        number
    }

    fn days(&mut self, key: &str) -> i64 {
        let number = self.number(key).unwrap_or(0);
        if !(0..=LONGEST).contains(&number) {
            let setting = self.general(key);
            let message = format!("expected a number from 0 to {LONGEST}");
            self.problems.push(setting.problem(message));
        }
        number
    }

    fn switch(&mut self, key: &str) -> bool {
        let setting = self.general(key);
        self.bool_of(&setting)
    }

    fn flag(&mut self, section: &str, key: &str, otherwise: &str) -> bool {
        match self.get(section, key) {
            Some(setting) => self.bool_of(&setting),
            None => python::read_bool(otherwise).unwrap_or(false),
        }
    }

    fn bool_of(&mut self, setting: &Setting) -> bool {
        let value = python::read_bool(&setting.value);
        if value.is_none() {
            let message = format!("expected 0 or 1, found `{}`", setting.value);
            self.problems.push(setting.problem(message));
        }
        value.unwrap_or(false)
    }

    fn notifier(&mut self, notes: &mut Vec<Problem>) {
        match self.get("notifier", "email_notifier") {
            Some(setting) if self.bool_of(&setting) => {
                notes.push(setting.problem("mails are not sent by this version"));
            }
            None if self.mode == Mode::Compat => {
                let message = "`email_notifier` is missing in the section `[notifier]`";
                let problem = Problem::new(self.file, None, message);
                self.problems.push(problem);
            }
            _ => {}
        }
    }

    fn all(&self, section: &str) -> Vec<Setting> {
        let section = self.ini.section(section);
        section.map_or_else(Vec::new, |section| self.ini.settings(section))
    }

    fn assets(&self) -> Vec<(String, String)> {
        let all = self.all("assets").into_iter();
        all.map(|setting| (setting.key, setting.value)).collect()
    }

    fn derived(&mut self) -> Vec<(String, Grok)> {
        let mut derived = Vec::new();
        for setting in self.all("derivedfields") {
            match Grok::read(&setting.value) {
                Ok(grok) => derived.push((setting.key, grok)),
                Err(error) => self.problems.push(setting.problem(error)),
            }
        }
        derived
    }
}
