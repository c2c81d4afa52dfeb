//! From the paths on the command line to the files behind them.

use crate::report::{Issue, Place, Reason, Report};
use std::collections::HashSet;
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::{DirEntry, WalkDir};

/// Files whose names mean an open descriptor of this process: `/dev/fd/63` is what a shell makes of `<(command)`.
/// These may be pipes; any other pipe could keep us waiting for ever.
const DESCRIPTORS: &[&str] = &["/dev/stdin", "/dev/fd", "/proc/self/fd"];

/// One file or stream to read.
#[derive(Clone, Debug)]
pub struct Input {
    /// How it is shown to the user, and named as the source of its events: the path as it was given, joined with what
    /// was found under it; `-` for standard input. Names that are no UTF-8 are shown with U+FFFD.
    pub file: Arc<str>,
    /// Its size on the disk in bytes; 0 for a stream.
    pub size: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    StandardInput,
    /// An open descriptor by its name, read as it comes.
    Stream(PathBuf),
    /// A file that the user named.
    Given(PathBuf),
    /// A file found in a folder.
    Found(PathBuf),
}

/// Everything there is to read, in order.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The files and streams.
    pub list: Vec<Input>,
    /// What was met on the way: paths that do not exist, folders that may not be read, pipes, loops.
    pub report: Report,
}

impl Inputs {
    /// How many bytes lie ahead, on the disk; streams count nothing.
    pub fn size(&self) -> u64 {
        self.list.iter().map(|input| input.size).sum()
    }
}

/// Looks up the files behind `paths`: a file is itself, a folder all files in it and below, in the order of their names,
/// `-` is standard input. Symbolic links are followed, but no folder is entered twice from the same path.
pub fn inputs(paths: &[PathBuf]) -> Inputs {
    let mut inputs = Inputs::default();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(path, 0, Kind::StandardInput);
            continue;
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => inputs.walk(path),
            Ok(metadata) if metadata.is_file() => {
                inputs.push(path, metadata.len(), Kind::Given(path.clone()));
            }
            Ok(_) if DESCRIPTORS.iter().any(|name| path.starts_with(name)) => {
                inputs.push(path, 0, Kind::Stream(path.clone()));
            }
            Ok(metadata) => inputs.special(path, metadata.file_type()),
            Err(error) => inputs.issue(path, Reason::Unreadable, error.to_string()),
        }
    }
    inputs
}

impl Inputs {
    fn walk(&mut self, root: &Path) {
        let mut entered = HashSet::new();
        let mut again = Vec::new();
        let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
        // A link may lead to a folder beside it as well as above it; walkdir itself only knows the latter.
        let is_new = |entry: &DirEntry| {
            if !entry.file_type().is_dir() {
                return true;
            }
            let folder = entry.path();
            let is_new = entered.insert(folder.canonicalize().unwrap_or_else(|_| folder.into()));
            if !is_new {
                again.push(folder.to_path_buf());
            }
            is_new
        };
        for entry in walk.into_iter().filter_entry(is_new) {
            match entry {
                Ok(entry) => self.found(&entry),
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_path_buf();
                    match error.loop_ancestor() {
                        Some(_) => self.issue(&path, Reason::SeenBefore, String::new()),
                        None => self.issue(&path, Reason::Unreadable, without_path(error)),
                    }
                }
            }
        }
        for folder in again {
            self.issue(&folder, Reason::SeenBefore, String::new());
        }
    }

    fn found(&mut self, entry: &DirEntry) {
        let path = entry.path();
        match entry.file_type() {
            kind if kind.is_dir() => {}
            kind if kind.is_file() => {
                let size = entry.metadata().as_ref().map_or(0, Metadata::len);
                self.push(path, size, Kind::Found(path.to_path_buf()));
            }
            kind => self.special(path, kind),
        }
    }

    fn push(&mut self, path: &Path, size: u64, kind: Kind) {
        self.list.push(Input {
            file: shown(path),
            size,
            kind,
        });
    }

    fn special(&mut self, path: &Path, kind: FileType) {
        let detail = format!(
            "{}; to read from it, use `-` and redirect it to standard input",
            name_of(kind)
        );
        self.issue(path, Reason::Special, detail);
    }

    fn issue(&mut self, path: &Path, reason: Reason, detail: String) {
        self.report.add(Issue {
            reason,
            file: shown(path),
            place: Place::File,
            detail,
        });
    }
}

impl Input {
    /// Whether the user named this file, instead of a folder that it was found in. Then it has to hold events.
    pub(crate) fn was_named(&self) -> bool {
        !matches!(self.kind, Kind::Found(_))
    }

    /// Whether it is read as it comes, so that events should not wait for others to come.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::StandardInput | Kind::Stream(_))
    }

    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        match &self.kind {
            Kind::StandardInput => Ok(Box::new(io::stdin().lock())),
            Kind::Stream(path) => Ok(Box::new(File::open(path)?)),
            Kind::Given(path) | Kind::Found(path) => {
                let file = File::open(path)?;
                // A file that is being written is read as far as it went when it was opened: whoever writes faster than
                // we read must not keep us for ever. Files of the system claim a size of 0 and are read to their end.
                let limit = match file.metadata()?.len() {
                    0 => u64::MAX,
                    size => size,
                };
                Ok(Box::new(file.take(limit)))
            }
        }
    }
}

fn shown(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

/// The error alone: the path is shown beside it.
fn without_path(error: walkdir::Error) -> String {
    match error.io_error() {
        Some(error) => error.to_string(),
        None => error.to_string(),
    }
}

#[cfg(unix)]
fn name_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn name_of(_: FileType) -> &'static str {
    "a device"
}
