//! Use cases, as their files describe them.

use crate::config::{Config, History};
use crate::frontier::{METHODS, Side, Trigger};
use crate::ini::{Ini, Kind, Section, Setting};
use crate::models::{Detect, MODELS, Model};
use crate::whitelist::{Origin, Whitelist};
use crate::{Mode, Problem, python};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A use case: which events are looked at, by which model, and what an outlier says.
pub struct UseCase {
    /// Its file.
    pub file: PathBuf,
    /// The line of its section.
    pub line: usize,
    /// The name of its section, as `terms_rare_process`.
    pub section: String,
    /// The name of its model, as `terms`.
    pub model: &'static str,
    /// Its own name, as `rare_process`.
    pub name: String,
    pub(crate) detect: Box<dyn Detect>,
    pub(crate) filters: Vec<Json>,
    pub(crate) timestamp_field: String,
    pub(crate) history: History,
    pub(crate) index: String,
    pub(crate) derives: bool,
    pub(crate) types: String,
    pub(crate) reasons: String,
    pub(crate) summary: String,
    pub(crate) is_wanted: bool,
    /// What every outlier says besides.
    pub(crate) more: Vec<(String, String)>,
    pub(crate) whitelist: Arc<Whitelist>,
}

/// What files of use cases hold.
#[derive(Default)]
pub struct UseCases {
    /// Those that can be run.
    pub list: Vec<UseCase>,
    /// How many are switched off.
    pub off: usize,
    /// What is wrong with the others, and with files.
    pub problems: Vec<Problem>,
    /// How many files were read.
    pub files: usize,
}

/// The keys that every use case may have.
const KEYS: &[&str] = &[
    "es_query_filter",
    "es_dsl_filter",
    "timestamp_field",
    "history_window_days",
    "history_window_hours",
    "es_index",
    "should_notify",
    "use_derived_fields",
    "outlier_type",
    "outlier_reason",
    "outlier_summary",
    "run_model",
    "test_model",
];

/// Models that ee-outliers has and that are not here.
const MISSING: &[&str] = &["word2vec"];

impl UseCases {
    /// Reads all files that these patterns name, in the order of the patterns and then of the names. `**` stands for any
    /// number of folders.
    pub fn read(patterns: &[String], config: &Config) -> UseCases {
        let mut all = UseCases::default();
        for pattern in patterns {
            let options = glob::MatchOptions {
                require_literal_leading_dot: true,
                require_literal_separator: true,
                ..glob::MatchOptions::default()
            };
            let paths = match glob::glob_with(pattern, options) {
                Ok(paths) => paths,
                Err(error) => {
                    let problem = Problem::new(Path::new(pattern), None, error.to_string());
                    all.problems.push(problem);
                    continue;
                }
            };
            for path in paths {
                match path {
                    Ok(path) if path.is_dir() => {}
                    Ok(path) => all.add(&path, config),
                    Err(error) => {
                        let problem = Problem::new(error.path(), None, error.error().to_string());
                        all.problems.push(problem);
                    }
                }
            }
        }
        all
    }

    fn add(&mut self, file: &Path, config: &Config) {
        self.files += 1;
        let (mut ini, mut notes) = (Ini::default(), Vec::new());
        let read = std::fs::read(file)
            .map_err(|error| vec![Problem::new(file, None, error.to_string())])
            .and_then(|bytes| ini.add(file, &bytes, Kind::UseCases, &mut notes))
            .and_then(|()| Whitelist::read(&ini, Origin::UseCases, config.mode, &mut notes));
        let whitelist = match read {
            Ok(whitelist) => Arc::new(whitelist),
            Err(problems) => {
                self.problems.extend(problems);
                return;
            }
        };
        for section in ini.sections() {
            if MISSING.iter().any(|model| section.name.starts_with(model)) {
                let message = format!("`[{}]`: this version does not have the model", section.name);
                let problem = Problem::new(file, Some(section.line), message);
                self.problems.push(problem);
                continue;
            }
            let model = MODELS
                .iter()
                .find(|model| section.name.starts_with(model.name));
            let Some(model) = model else {
                continue;
            };
            let keys = Keys {
                section,
                settings: ini.settings(section),
            };
            match use_case(model, &keys, config, &whitelist) {
                Ok(use_case) if use_case.is_wanted => self.list.push(use_case),
                Ok(_) => self.off += 1,
                Err(problem) => self.problems.push(problem),
            }
        }
    }
}

fn use_case(
    model: &'static Model,
    keys: &Keys<'_>,
    config: &Config,
    whitelist: &Arc<Whitelist>,
) -> Result<UseCase, Problem> {
    let section = keys.section;
    let mut name = section.name[model.name.len()..].chars();
    name.next();
    let wants = |key, general| Ok(general && keys.bool(key)?.unwrap_or(false));
    let is_wanted = wants("run_model", config.runs)? | wants("test_model", config.tests)?;
    let own = |key, general: i64| match keys.int(key)? {
        None | Some(0) => Ok(general),
        Some(number) => Ok(number),
    };
    let history = History {
        days: own("history_window_days", config.history.days)?,
        hours: own("history_window_hours", config.history.hours)?,
    };
    let (filters, _) = filters(keys)?;
    // The text of the one that comes last.
    let filter = keys.settings.iter().rev();
    let filter = filter.into_iter().find(|setting| is_filter(&setting.key));
    let filter = filter.map(|setting| ("elasticsearch_filter".to_owned(), setting.value.clone()));
    let is_arbitrary =
        |setting: &&Setting| !KEYS.contains(&&*setting.key) && !model.keys.contains(&&*setting.key);
    let more = keys.settings.iter().filter(is_arbitrary);
    let more = more.map(|setting| (setting.key.clone(), setting.value.clone()));
    let text = |key| keys.text(key).map(|setting| setting.value.clone());
    let or = |key: &str, general: &str| match keys.get(key) {
        Some(setting) => setting.value.clone(),
        None => general.to_owned(),
    };
    keys.bool("should_notify")?;
    Ok(UseCase {
        file: section.file.clone(),
        line: section.line,
        section: section.name.clone(),
        model: model.name,
        name: name.collect(),
        detect: (model.read)(keys, config)?,
        filters,
        timestamp_field: or("timestamp_field", &config.timestamp_field),
        history,
        index: or("es_index", &config.index),
        derives: keys.bool("use_derived_fields")?.unwrap_or(false),
        types: text("outlier_type")?,
        reasons: text("outlier_reason")?,
        summary: text("outlier_summary")?,
        is_wanted,
        more: more.chain(filter).collect(),
        whitelist: whitelist.clone(),
    })
}

fn is_filter(key: &str) -> bool {
    matches!(key, "es_query_filter" | "es_dsl_filter")
}

/// The queries that all have to match, and the setting that they come from.
fn filters<'k>(keys: &'k Keys<'_>) -> Result<(Vec<Json>, &'k Setting), Problem> {
    if let Some(setting) = keys.get("es_dsl_filter") {
        let json: Json = serde_json::from_str(&setting.value)
            .map_err(|error| setting.problem(format!("this is no JSON: {error}")))?;
        let list = match json {
            Json::Array(list) => list,
            single => vec![single],
        };
        let query = |mut one: Json| match one.get_mut("query").map(Json::take) {
            Some(query) => Ok(query),
            None => Err(setting.problem("expected `{\"query\": …}`, or a list of such")),
        };
        let queries: Result<_, _> = list.into_iter().map(query).collect();
        return Ok((queries?, setting));
    }
    let setting = keys
        .get("es_query_filter")
        .ok_or_else(|| keys.problem("neither `es_query_filter` nor `es_dsl_filter` is there"))?;
    let query = json!({"query_string": {"query": setting.value}});
    Ok((vec![query], setting))
}

/// The keys of a section, as a model reads them.
pub(crate) struct Keys<'s> {
    section: &'s Section,
    settings: Vec<Setting>,
}

impl Keys<'_> {
    pub(crate) fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// A key that has to be there.
    pub(crate) fn text(&self, key: &str) -> Result<&Setting, Problem> {
        let missing = || self.problem(format!("`{key}` is missing"));
        self.get(key).ok_or_else(missing)
    }

    /// A list of fields, separated by commas.
    pub(crate) fn fields(&self, key: &str) -> Result<Vec<String>, Problem> {
        let value = self.text(key)?.value.replace(' ', "");
        Ok(value.split(',').map(str::to_owned).collect())
    }

    pub(crate) fn bool(&self, key: &str) -> Result<Option<bool>, Problem> {
        let read = |setting: &Setting| {
            let wrong = || setting.problem(format!("expected 0 or 1, found `{}`", setting.value));
            python::read_bool(&setting.value).ok_or_else(wrong)
        };
        self.get(key).map(read).transpose()
    }

    pub(crate) fn int(&self, key: &str) -> Result<Option<i64>, Problem> {
        let read = |setting: &Setting| {
            let wrong = || setting.problem(format!("expected a number, found `{}`", setting.value));
            let number = python::read_int(&setting.value).ok_or_else(wrong)?;
            let is_sound = (0..=365_000).contains(&number);
            is_sound
                .then_some(number)
                .ok_or_else(|| setting.problem("expected a number from 0 to 365000"))
        };
        self.get(key).map(read).transpose()
    }

    pub(crate) fn float(&self, key: &str) -> Result<f64, Problem> {
        let setting = self.text(key)?;
        let wrong = || setting.problem(format!("expected a number, found `{}`", setting.value));
        python::read_float(&setting.value).ok_or_else(wrong)
    }

    /// One of some words.
    pub(crate) fn one_of<'t, T>(
        &self,
        key: &str,
        table: &'t [(&str, T)],
    ) -> Result<&'t T, Problem> {
        let setting = self.text(key)?;
        let found = table.iter().find(|(name, _)| *name == setting.value);
        found.map(|(_, value)| value).ok_or_else(|| {
            let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
            setting.problem(format!(
                "`{}` is none of {}",
                setting.value,
                names.join(", ")
            ))
        })
    }

    /// A problem with the section.
    pub(crate) fn problem(&self, message: impl std::fmt::Display) -> Problem {
        let message = format!("`[{}]`: {message}", self.section.name);
        Problem::new(&self.section.file, Some(self.section.line), message)
    }

    /// The trigger of a model of values.
    pub(crate) fn trigger(&self, config: &Config) -> Result<Trigger, Problem> {
        let sides = [("high", Side::High), ("low", Side::Low)];
        Ok(Trigger {
            side: *self.one_of("trigger_on", &sides)?,
            method: *self.one_of("trigger_method", &METHODS)?,
            sensitivity: self.float("trigger_sensitivity")?,
            mode: config.mode,
        })
    }

    /// How many events a batch has: a key of the general configuration that has to be there if batches are made.
    pub(crate) fn batch(&self, section: &str, config: &Config) -> Result<Option<usize>, Problem> {
        let size = config.batches.iter().find(|(name, _)| *name == section);
        match (config.mode, size.and_then(|(_, size)| *size)) {
            (Mode::Strict, _) => Ok(None),
            (Mode::Compat, Some(size)) => Ok(Some(size)),
            (Mode::Compat, None) => Err(self.problem(format!(
                "`{section}_batch_eval_size` is missing in the section `[{section}]` of the general configuration"
            ))),
        }
    }
}
