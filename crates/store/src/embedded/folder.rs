//! The folder of a store: what is in it, who may write to it, and which indices there are.
//!
//! ```text
//! format        "sigtag store 1"
//! lock          locked by the process that writes
//! catalog.json  the names of indices and aliases
//! indices/UUID  index/ (Tantivy) and log/ of each index
//! ```

use super::index::Index;
use super::log::sync_folder;
use crate::StoreError;
use predicate::glob;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the file `format` holds.
const FORMAT: &str = "sigtag store 1\n";

/// The indices and aliases of a store.
#[derive(Clone, Default)]
pub(crate) struct Catalog {
    pub(crate) indices: BTreeMap<String, Arc<Index>>,
    pub(crate) aliases: BTreeMap<String, Vec<String>>,
}

/// A catalog as it is kept.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// The uuid of each index.
    indices: BTreeMap<String, String>,
    aliases: BTreeMap<String, Vec<String>>,
}

/// Takes the folder for writing, and makes it a store if it is empty. The lock holds as long as the file is open.
pub(crate) fn take(folder: &Path) -> Result<File, StoreError> {
    fs::create_dir_all(folder).map_err(StoreError::io(folder))?;
    if !folder.join("format").exists() {
        let foreign = names_in(folder)?
            .into_iter()
            .find(|name| !matches!(name.as_str(), "lock" | "format.new"));
        if let Some(name) = foreign {
            return Err(StoreError::Foreign {
                path: folder.to_owned(),
                reason: format!("there is no file `format`, and `{name}` lies in it"),
            });
        }
    } else {
        check(folder)?;
    }
    let path = folder.join("lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(StoreError::io(&path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => return Err(StoreError::io(&path)(error)),
    }
    // In this order: what was begun and not ended is a store that has nothing.
    if !folder.join("format").exists() {
        replace(&folder.join("format"), FORMAT.as_bytes())?;
    }
    let indices = folder.join("indices");
    if !indices.exists() {
        Catalog::open(folder, &Catalog::default())?.save(folder)?;
        fs::create_dir(&indices).map_err(StoreError::io(&indices))?;
        // The folder itself has to be there, too, after a loss of power.
        let whole = fs::canonicalize(folder).map_err(StoreError::io(folder))?;
        for folder in whole.ancestors().take(2) {
            sync_folder(folder)?;
        }
    }
    Ok(lock)
}

/// Checks that the folder is a store.
pub(crate) fn check(folder: &Path) -> Result<(), StoreError> {
    let foreign = |reason: String| StoreError::Foreign {
        path: folder.to_owned(),
        reason,
    };
    match fs::read(folder.join("format")) {
        Ok(format) if format == FORMAT.as_bytes() => Ok(()),
        Ok(format) => {
            let head = String::from_utf8_lossy(&format[..format.len().min(40)]).into_owned();
            let expected = FORMAT.trim_end();
            Err(foreign(format!(
                "its format is {head:?}, this program reads {expected:?}"
            )))
        }
        Err(error) => Err(foreign(format!(
            "its file `format` cannot be read: {error}"
        ))),
    }
}

/// Writes a file as a whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let new = path.with_extension("new");
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&new, path))
        .map_err(StoreError::io(path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn names_in(folder: &Path) -> Result<Vec<String>, StoreError> {
    let files = fs::read_dir(folder).map_err(StoreError::io(folder))?;
    let names = files.flatten().map(|file| file.file_name());
    Ok(names
        .map(|name| name.to_string_lossy().into_owned())
        .collect())
}

/// The folder of an index.
pub(crate) fn of_index(folder: &Path, uuid: &str) -> PathBuf {
    folder.join("indices").join(uuid)
}

impl Catalog {
    /// Reads the catalog and opens the indices in it, but for those that `known` has.
    pub(crate) fn open(folder: &Path, known: &Catalog) -> Result<Catalog, StoreError> {
        let path = folder.join("catalog.json");
        // The catalog is there before they are. Without it, all of them would look like leftovers.
        let has_indices = folder.join("indices").exists();
        let kept: Kept = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| StoreError::Damaged {
                path: path.clone(),
                reason: error.to_string(),
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound && has_indices => {
                return Err(StoreError::Damaged {
                    path,
                    reason: "the file is missing".to_owned(),
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(StoreError::io(path)(error)),
        };
        let mut catalog = Catalog {
            indices: BTreeMap::new(),
            aliases: kept.aliases,
        };
        for (name, uuid) in kept.indices {
            let index = match known.indices.get(&name) {
                Some(index) if index.uuid == uuid => index.clone(),
                _ => Arc::new(Index::open(&of_index(folder, &uuid), &name, &uuid)?),
            };
            catalog.indices.insert(name, index);
        }
        Ok(catalog)
    }

    /// Keeps the catalog.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), StoreError> {
        let indices = self.indices.iter();
        let kept = Kept {
            indices: indices
                .map(|(name, index)| (name.clone(), index.uuid.clone()))
                .collect(),
            aliases: self.aliases.clone(),
        };
        // Strings can always be written.
        let bytes = serde_json::to_vec_pretty(&kept).unwrap_or_default();
        replace(&folder.join("catalog.json"), &bytes)
    }

    /// Removes what was left behind by an index that was being made or deleted, and files that Tantivy had not yet given
    /// their names: it knows of all others that are not needed any more.
    pub(crate) fn sweep(&self, folder: &Path) -> Result<(), StoreError> {
        let indices = folder.join("indices");
        for name in names_in(&indices)? {
            if !self.indices.values().any(|index| index.uuid == name) {
                let path = indices.join(name);
                fs::remove_dir_all(&path).map_err(StoreError::io(path))?;
            }
        }
        for index in self.indices.values() {
            let files = index.folder.join("index");
            for name in names_in(&files)?
                .iter()
                .filter(|name| name.starts_with(".tmp"))
            {
                let path = files.join(name);
                fs::remove_file(&path).map_err(StoreError::io(path))?;
            }
        }
        Ok(())
    }

    /// The indices that are meant, by name.
    pub(crate) fn resolve(&self, patterns: &str) -> Result<Vec<Arc<Index>>, StoreError> {
        let mut found: BTreeMap<&String, &Arc<Index>> = BTreeMap::new();
        for pattern in patterns.split(',').map(str::trim) {
            let pattern = if pattern == "_all" { "*" } else { pattern };
            let before = found.len();
            // As in Elasticsearch, what begins with a dot is hidden from who does not ask for it.
            let is_hidden = |name: &str| name.starts_with('.') && !pattern.starts_with('.');
            let own = self.indices.iter();
            let own = own.filter(|(name, _)| glob(pattern, name) && !is_hidden(name));
            found.extend(own);
            let aliases = self
                .aliases
                .iter()
                .filter(|(alias, _)| glob(pattern, alias));
            let meant = aliases.flat_map(|(_, names)| names);
            found.extend(meant.filter_map(|name| self.indices.get_key_value(name)));
            let is_known = self.indices.contains_key(pattern) || self.aliases.contains_key(pattern);
            if found.len() == before && !pattern.contains('*') && !is_known {
                return Err(StoreError::NoIndex(pattern.to_owned()));
            }
        }
        Ok(found.into_values().cloned().collect())
    }

    /// The index that is written to under this name, if it is there.
    pub(crate) fn target(&self, name: &str) -> Result<Option<Arc<Index>>, StoreError> {
        match self.aliases.get(name).map(Vec::as_slice) {
            None => Ok(self.indices.get(name).cloned()),
            Some([only]) => Ok(self.indices.get(only).cloned()),
            Some(_) => Err(StoreError::SeveralIndices(name.to_owned())),
        }
    }
}
