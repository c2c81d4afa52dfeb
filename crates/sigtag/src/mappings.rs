//! What `--mapping` names.

use crate::diagnostics::Printer;
use crate::show;
use anstream::eprintln;
use mapping::Mapping;
use sigma::Source;
use std::path::{Path, PathBuf};

/// The name of the built-in mapping.
const BUILTIN: &str = "builtin";
/// What is said to leave it out.
const NONE: &str = "none";

/// The mappings in the order of their names, and then the built-in one, unless they name it or leave it out. None if one
/// cannot be used: what is wrong with it has been shown.
pub(crate) fn load(names: &[PathBuf]) -> Option<Mapping> {
    let named = |name: &str| names.iter().any(|own| own == Path::new(name));
    let files = names.iter().filter(|name| *name != Path::new(NONE));
    let mappings: Vec<_> = files.map(|name| read(name)).collect();
    let last = (!named(BUILTIN) && !named(NONE)).then(|| Some(Mapping::builtin()));
    let mappings: Option<Vec<_>> = mappings.into_iter().chain(last).collect();
    mappings.map(Mapping::first_of)
}

fn read(name: &Path) -> Option<Mapping> {
    if name == Path::new(BUILTIN) {
        return Some(Mapping::builtin());
    }
    let text = match text(name) {
        Ok(text) => text,
        Err(error) => {
            show::error(&error);
            return None;
        }
    };
    let source = Source {
        name: &name.to_string_lossy(),
        text: &text,
    };
    match Mapping::read(&source) {
        Ok(mapping) => Some(mapping),
        Err(diagnostics) => {
            let mut printer = Printer::new();
            for diagnostic in &diagnostics {
                eprintln!("{}\n", printer.render(diagnostic));
            }
            None
        }
    }
}

/// Whether something is meant by this name without a file.
pub(crate) fn is_built_in(name: &str) -> bool {
    [BUILTIN, NONE].contains(&name) || mapping::configs::text(name).is_some()
}

/// The text of a configuration that is built in, or of a file.
pub(crate) fn text(name: &Path) -> Result<Vec<u8>, String> {
    match name.to_str().and_then(mapping::configs::text) {
        Some(text) => Ok(text.into_bytes()),
        None => std::fs::read(name).map_err(|error| format!("{}: {error}", name.display())),
    }
}
