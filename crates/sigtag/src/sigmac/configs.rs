//! Where configurations are found: in folders that the user names, in those where sigmac looks, and built in.

use super::{Refusal, code};
use crate::diagnostics::Printer;
use anstream::eprintln;
use convert::sigmac::Config;
use sigma::Source;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Folders with configurations, as a list with the separator of PATH.
const VARIABLE: &str = "SIGTAG_SIGMAC_CONFIGS";

/// All configurations there are.
pub(super) struct Library {
    /// The files, those found first first.
    files: Vec<PathBuf>,
}

impl Library {
    /// What there is in the usual places.
    pub fn new() -> Library {
        let mut folders: Vec<PathBuf> = std::env::var_os(VARIABLE)
            .map(|paths| std::env::split_paths(&paths).collect())
            .unwrap_or_default();
        folders.extend(std::env::home_dir().map(|home| home.join(".config/sigma")));
        folders.push("/etc/sigma".into());
        let mut library = Library { files: Vec::new() };
        folders.iter().for_each(|folder| library.add(folder));
        library
    }

    fn add(&mut self, folder: &Path) {
        let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name();
        let files = entries
            .into_iter()
            .flatten()
            .filter(|entry| entry.file_type().is_file());
        let files = files.map(walkdir::DirEntry::into_path);
        self.files.extend(
            files.filter(|path| path.extension().is_some_and(|extension| extension == "yml")),
        );
    }

    /// The configurations of these names, paths of files, or folders that are searched for the names.
    pub fn chain(&mut self, names: &[PathBuf]) -> Result<Vec<Found>, Refusal> {
        let (folders, names): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.is_dir());
        // Those that are named for this run come before the usual ones.
        let usual = std::mem::take(&mut self.files);
        folders.into_iter().for_each(|folder| self.add(folder));
        self.files.extend(usual);
        names.into_iter().map(|name| self.find(name)).collect()
    }

    fn find(&self, name: &Path) -> Result<Found, Refusal> {
        let shown = name.to_string_lossy().into_owned();
        let stem = |path: &&PathBuf| path.file_stem() == Some(name.as_os_str());
        if let Some(path) = self.files.iter().find(stem) {
            return Found::file(shown, path);
        }
        if let Some(text) = mapping::configs::text(&shown) {
            return Found::read(shown, text.into_bytes());
        }
        if name.is_file() {
            return Found::file(shown, name);
        }
        let known: Vec<&str> = mapping::configs::names().collect();
        let message = format!(
            "there is no configuration `{shown}`: name a file, a folder to search, or one of those built in ({})",
            known.join(", ")
        );
        Err(Refusal(code::UNREADABLE, message))
    }

    /// All configurations, by their names; those that cannot be read are left out.
    pub fn all(&self) -> Vec<(String, Config)> {
        let files = self.files.iter().filter_map(|path| {
            let name = path.file_stem()?.to_string_lossy().into_owned();
            Some((name, std::fs::read(path).ok()?))
        });
        let built_in = mapping::configs::names().filter_map(|name| {
            let text = mapping::configs::text(name)?;
            Some((name.to_owned(), text.into_bytes()))
        });
        let mut all: Vec<(String, Config)> = Vec::new();
        for (name, text) in files.chain(built_in) {
            let source = Source {
                name: &name,
                text: &text,
            };
            if let Ok(config) = Config::read(&source)
                && all.iter().all(|(known, _)| *known != name)
            {
                all.push((name, config));
            }
        }
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}

/// A configuration that was found.
pub(super) struct Found {
    /// The name or path that was asked for.
    pub name: String,
    /// Its text.
    pub text: Vec<u8>,
    /// What it says.
    pub config: Config,
}

impl Found {
    fn file(name: String, path: &Path) -> Result<Found, Refusal> {
        match std::fs::read(path) {
            Ok(text) => Found::read(name, text),
            Err(error) => Err(Refusal(
                code::UNREADABLE,
                format!("{}: {error}", path.display()),
            )),
        }
    }

    fn read(name: String, text: Vec<u8>) -> Result<Found, Refusal> {
        match Config::read(&Source {
            name: &name,
            text: &text,
        }) {
            Ok(config) => Ok(Found { name, text, config }),
            Err(diagnostic) => {
                eprintln!("{}\n", Printer::new().render(&diagnostic));
                Err(Refusal(
                    code::CONFIG,
                    format!("the configuration `{name}` cannot be used"),
                ))
            }
        }
    }
}
