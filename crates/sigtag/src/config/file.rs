//! From the text of the file to options and credentials. Of the text nothing is shown but names of keys, and values that an
//! option refuses: secrets may lie in it.

use super::who::{CREDENTIALS, KEYS};
use super::{OPTION, option, takers};
use crate::arguments::Arguments;
use crate::credentials::Told;
use crate::{Exit, mappings, show, stores};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, ValueHint};
use std::any::TypeId;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use store::StoreError;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Options whose values are separated by commas; in the file they may be an array.
const LISTS: [&str; 2] = ["store", "index"];

/// The most bytes that are read.
const LIMIT: u64 = 1 << 20;

/// How many faults are shown.
const SHOWN: usize = 100;

/// An option of the file, as arguments.
pub(super) struct Setting {
    pub(super) name: String,
    /// The byte where its key begins.
    pub(super) at: usize,
    pub(super) arguments: Vec<OsString>,
}

/// A file, and what is wrong with it.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// Whether others than its owner can read it.
    pub(super) is_open: bool,
    text: Vec<u8>,
    commands: Command,
    /// Each with the byte that it is about.
    pub(super) faults: Vec<(usize, String)>,
}

impl ConfigFile {
    pub(super) fn open(path: &Path) -> io::Result<ConfigFile> {
        let file = File::open(path)?;
        let is_open = file.metadata()?.mode() & 0o044 != 0;
        let mut text = Vec::new();
        file.take(LIMIT + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LIMIT {
            return Err(io::Error::other("it has more than 1 MiB"));
        }
        if text.starts_with(b"\xef\xbb\xbf") {
            text.drain(..3);
        }
        Ok(ConfigFile {
            path: path.to_owned(),
            is_open,
            text,
            commands: Arguments::command(),
            faults: Vec::new(),
        })
    }

    /// Shows what is wrong, in the order of the file.
    pub(super) fn check(&mut self) -> Result<(), Exit> {
        self.faults.sort();
        self.faults.dedup();
        for (at, reason) in self.faults.iter().take(SHOWN) {
            let fault = format!("{}: {reason}", self.place(*at));
            show::error(&show::one_line(&fault));
        }
        if let Some(more) = self
            .faults
            .len()
            .checked_sub(SHOWN)
            .filter(|more| *more > 0)
        {
            let path = self.path.display();
            show::error(&format!("{path}: and {} more", show::number(more)));
        }
        match self.faults.is_empty() {
            true => Ok(()),
            false => Err(Exit::Usage),
        }
    }

    pub(super) fn place(&self, at: usize) -> String {
        let before = String::from_utf8_lossy(&self.text[..at.min(self.text.len())]);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let (line, column) = (before.matches('\n').count(), line.chars().count());
        format!("{}:{}:{}", self.path.display(), line + 1, column + 1)
    }

    pub(super) fn fault(&mut self, at: usize, reason: impl Into<String>) {
        self.faults.push((at, reason.into()));
    }

    /// All options and credentials; what is wrong is kept as faults.
    pub(super) fn read(&mut self) -> (Vec<Setting>, Told) {
        let text = match String::from_utf8(self.text.clone()) {
            Ok(text) => text,
            Err(error) => {
                self.fault(error.utf8_error().valid_up_to(), "this is not UTF-8");
                return Default::default();
            }
        };
        let (document, errors) = DeTable::parse_recoverable(&text);
        // What is read in spite of errors need not be what was meant: part of a secret may look like a key.
        if !errors.is_empty() {
            self.faults.extend(errors.iter().map(|error| {
                let at = error.span().map_or(0, |span| span.start);
                (at, format!("this is not TOML: {}", error.message()))
            }));
            return Default::default();
        }
        let (mut settings, mut told) = (Vec::new(), Told::default());
        for (key, value) in document.get_ref() {
            let (name, at): (&str, _) = (key.get_ref(), key.span().start);
            match value.get_ref() {
                DeValue::Table(table) if name == CREDENTIALS => told = self.credentials(table),
                _ if name == CREDENTIALS => self.mistyped(name, "a table", value),
                _ => settings.extend(self.arguments(name, at, value).map(|arguments| Setting {
                    name: name.to_owned(),
                    at,
                    arguments,
                })),
            }
        }
        (settings, told)
    }

    /// The arguments that a key stands for.
    fn arguments(
        &mut self,
        name: &str,
        at: usize,
        value: &Spanned<DeValue>,
    ) -> Option<Vec<OsString>> {
        let found = takers(&self.commands).find_map(|command| {
            let option = option(&self.commands, command, name)?;
            Some((command.get_name().to_owned(), option.clone()))
        });
        let Some((command, option)) = found.filter(|_| name != OPTION) else {
            let reason = self.unknown(name);
            self.fault(at, reason);
            return None;
        };
        if let ArgAction::SetTrue = option.get_action() {
            let DeValue::Boolean(is_set) = value.get_ref() else {
                self.mistyped(name, "true or false", value);
                return None;
            };
            let flag = is_set.then(|| format!("--{name}").into());
            return Some(flag.into_iter().collect());
        }
        let is_joined = LISTS.contains(&name);
        let is_list = is_joined || matches!(option.get_action(), ArgAction::Append);
        let known = self.faults.len();
        let values: Vec<OsString> = match value.get_ref() {
            DeValue::Array(array) if is_list => array
                .iter()
                .filter_map(|value| self.value(&command, &option, name, value))
                .collect(),
            _ => self
                .value(&command, &option, name, value)
                .into_iter()
                .collect(),
        };
        let values = match is_joined && !values.is_empty() {
            true => vec![values.join(OsStr::new(","))],
            false => values,
        };
        let arguments = values.iter().map(|value| argument(name, value));
        (self.faults.len() == known).then(|| arguments.collect())
    }

    /// A value as it would be on the command line; none, and a fault, if the option refuses it.
    fn value(
        &mut self,
        command: &str,
        option: &Arg,
        name: &str,
        value: &Spanned<DeValue>,
    ) -> Option<OsString> {
        let parser = option.get_value_parser().type_id();
        let is_number = parser == TypeId::of::<u16>() || parser == TypeId::of::<u32>();
        let text = match value.get_ref() {
            DeValue::String(text) if !is_number => text.to_string(),
            DeValue::Datetime(time) if !is_number => time.to_string(),
            DeValue::Integer(number) if is_number => {
                let read = i128::from_str_radix(number.as_str(), number.radix());
                read.map_or_else(|_| number.to_string(), |number| number.to_string())
            }
            _ => {
                let expected = match option.get_action() {
                    _ if is_number => "a number",
                    ArgAction::Set if !LISTS.contains(&name) => "a string",
                    _ => "a string or an array of strings",
                };
                self.mistyped(name, expected, value);
                return None;
            }
        };
        let is_url = name == "store" && stores::is_cluster(&text);
        let is_name = name == "mapping" && mappings::is_built_in(&text);
        let reason = if text.is_empty() {
            Some("is empty".to_owned())
        } else if is_url && let Err(StoreError::Request { reason, .. }) = stores::urls(&text) {
            Some(format!("is refused: {reason}"))
        } else {
            let reason = self.refused(command, &argument(name, text.as_ref()));
            reason.map(|reason| format!("cannot be `{text}`: {reason}"))
        };
        if let Some(reason) = reason {
            self.fault(value.span().start, format!("`{name}` {reason}"));
            return None;
        }
        let hint = option.get_value_hint();
        let paths = [ValueHint::AnyPath, ValueHint::FilePath, ValueHint::DirPath];
        Some(match paths.contains(&hint) && !is_url && !is_name {
            true => self.beside(&text).into_os_string(),
            false => text.into(),
        })
    }

    /// A path of the file, which counts from where the file lies.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.path.with_file_name("").join(path)
    }

    /// Why a command would not have an argument, whatever else is given.
    fn refused(&self, command: &str, argument: &OsStr) -> Option<String> {
        let line = [OsStr::new("sigtag"), OsStr::new(command), argument];
        let error = self.commands.clone().try_get_matches_from(line).err()?;
        match (error.kind(), error.get(ContextKind::ValidValue)) {
            (ErrorKind::InvalidValue, Some(ContextValue::Strings(valid))) => {
                Some(format!("there are {}", valid.join(", ")))
            }
            (ErrorKind::InvalidValue, _) => Some("it is no value".to_owned()),
            (ErrorKind::ValueValidation, _) => error.source().map(ToString::to_string),
            _ => None,
        }
    }

    /// What to say of a key that is none.
    fn unknown(&self, name: &str) -> String {
        let mut inputs = takers(&self.commands).flat_map(Command::get_positionals);
        let is_input = |input: &Arg| input.get_id() == name.trim_end_matches('s');
        let reason = match name {
            OPTION => "one file holds it all",
            _ if KEYS.contains(&name) => "it goes into the table `[credentials]`",
            _ if inputs.any(is_input) => "name the events on the command line",
            _ => {
                let options = takers(&self.commands).chain([&self.commands]);
                let options = options
                    .flat_map(Command::get_arguments)
                    .filter_map(Arg::get_long);
                return suggesting(
                    name,
                    options.chain([CREDENTIALS]).filter(|key| *key != OPTION),
                );
            }
        };
        format!("`{name}` cannot be set here: {reason}")
    }

    pub(super) fn mistyped(&mut self, name: &str, expected: &str, found: &Spanned<DeValue>) {
        let type_of = found.get_ref().type_str();
        self.fault(
            found.span().start,
            format!("`{name}`: expected {expected}, found {type_of}"),
        );
    }
}

/// `--name=value`: so that no value is taken for an option.
fn argument(name: &str, value: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{name}="));
    argument.push(value);
    argument
}

/// What to say of a key that is none of these.
pub(super) fn suggesting<'k>(name: &str, keys: impl Iterator<Item = &'k str>) -> String {
    let near = keys.map(|key| (strsim::jaro(name, key), key));
    let nearest = near.max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest.filter(|(nearness, _)| *nearness > 0.7) {
        Some((_, meant)) => format!("there is no key `{name}`: did you mean `{meant}`?"),
        None => format!("there is no key `{name}`"),
    }
}
