//! The jars of the servers and our classes, kept for the next time.
//!
//! A folder of the cache is made under another name and renamed when it is whole. A file in it says what it was made of: when that is
//! different, it is made anew.

use std::{
    env, fs,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::{Error, Java, Kind, folder::TempFolder, quietly};

/// The file in a folder that says what it was made of.
const MADE_OF: &str = "made-of";

/// What a server is started from.
pub(crate) struct Jars {
    /// The folder with all of it.
    pub folder: PathBuf,
    /// The class path.
    pub class_path: String,
}

/// Our files: POMs, classes, settings of the log.
pub(crate) fn sources() -> PathBuf {
    testkit::workspace_root().join("xtask/servers")
}

/// The jars and classes of a kind of server, made if they are not there yet. The caller has the [`lock`].
pub(crate) fn jars(
    kind: &Kind,
    java: &Java,
    progress: &dyn Fn(&str),
    cancelled: &AtomicBool,
) -> Result<Jars, Error> {
    let folder = folder(kind);
    made(&folder, &recipe(kind)?, |partial| {
        progress("fetching the jars, once");
        fetch(kind, java, partial, cancelled)
    })?;
    let classes = folder.join("classes");
    made(&classes, &sources_of(kind)?, |partial| {
        progress("compiling, once");
        compile(kind, java, &folder.join("lib"), partial, cancelled)
    })?;
    let class_path = format!(
        "{}:{}/lib/*",
        classes.join("main").display(),
        folder.display()
    );
    Ok(Jars { folder, class_path })
}

/// Whether Maven has done its part for this kind of server.
pub(crate) fn has_jars(kind: &Kind) -> bool {
    recipe(kind).is_ok_and(|recipe| is_made(&folder(kind), &recipe))
}

fn folder(kind: &Kind) -> PathBuf {
    cache_folder().join(format!("{}-{}", kind.name, kind.version))
}

fn cache_folder() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    cache
        .filter(|folder| folder.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("sigtag/servers")
}

/// Waits until no other process installs anything or fills the cache; nor will one while what this gives back is held.
pub(crate) fn lock(progress: &dyn Fn(&str), cancelled: &AtomicBool) -> Result<File, Error> {
    let cache = cache_folder();
    fs::create_dir_all(&cache).map_err(Error::io("make the folder", &cache))?;
    let path = cache.join("lock");
    let file = File::create(&path).map_err(Error::io("make", &path))?;
    let mut waiting = false;
    loop {
        match file.try_lock() {
            Ok(()) => {
                // What others left half done is nobody's now.
                sweep(&cache);
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
            Err(TryLockError::WouldBlock) if cancelled.load(Ordering::Relaxed) => {
                return Err(Error::Cancelled);
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if !waiting {
            progress("another process fills the cache; waiting for it");
            waiting = true;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

const PARTIAL: &str = "partial-";

fn sweep(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Makes a folder unless it is there and made of the same.
fn made(
    folder: &Path,
    of: &str,
    make: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    if is_made(folder, of) {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(folder);
    let partial = TempFolder::new(parent, PARTIAL)?;
    make(partial.path())?;
    let stamp = partial.path().join(MADE_OF);
    fs::write(&stamp, of).map_err(Error::io("write", &stamp))?;
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Error::io("delete", folder))?;
    }
    fs::rename(partial.path(), folder).map_err(Error::io("rename a folder to", folder))?;
    // It has another name now, and is to stay.
    partial.keep();
    Ok(())
}

fn is_made(folder: &Path, of: &str) -> bool {
    fs::read_to_string(folder.join(MADE_OF)).is_ok_and(|before| before == of)
}

/// What the jars depend on.
fn recipe(kind: &Kind) -> Result<String, Error> {
    let pom = read(&pom(kind))?;
    Ok(format!(
        "{}\n{pom}",
        properties(kind, Path::new("")).join(" ")
    ))
}

fn pom(kind: &Kind) -> PathBuf {
    sources().join(kind.folder).join("pom.xml")
}

fn properties(kind: &Kind, out: &Path) -> Vec<String> {
    let own = kind.properties.iter().copied();
    own.chain([("version", kind.version), ("jars", &*out.to_string_lossy())])
        .map(|(key, value)| format!("-D{key}={value}"))
        .collect()
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io("read", path))
}

/// Lets Maven copy the jars.
fn fetch(kind: &Kind, java: &Java, out: &Path, cancelled: &AtomicBool) -> Result<(), Error> {
    let mut maven = Command::new("mvn");
    maven
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(pom(kind))
        .args(properties(kind, out))
        .arg("process-resources")
        .env("JAVA_HOME", &java.home);
    match quietly(&mut maven, cancelled) {
        Ok(_) => Ok(()),
        Err(Error::Tool { output, .. }) => Err(Error::Missing {
            what: format!(
                "the jars of {} cannot be fetched:\n{output}\n",
                kind.title()
            ),
            help: format!(
                "with a network, once: cargo xtask servers start {}",
                kind.name
            ),
        }),
        Err(error) => Err(error),
    }
}

/// What the classes depend on.
fn sources_of(kind: &Kind) -> Result<String, Error> {
    let files = kind.classes.iter().flat_map(|(_, files)| *files);
    files.map(|file| read(&sources().join(file))).collect()
}

/// Compiles our classes, so that each Java that will do for the server can run them.
fn compile(
    kind: &Kind,
    java: &Java,
    jars: &Path,
    out: &Path,
    cancelled: &AtomicBool,
) -> Result<(), Error> {
    for (folder, files) in kind.classes {
        let mut javac = Command::new(java.program("javac"));
        javac
            .args(["-nowarn", "--release", &kind.java.start().to_string()])
            .arg("-cp")
            .arg(jars.join("*"))
            .arg("-d")
            .arg(out.join(folder))
            .args(files.iter().map(|file| sources().join(file)));
        quietly(&mut javac, cancelled)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_for_what_it_is_made_of() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let folder = cache.path().join("jars");
        let make = |of: &str| {
            let mut made_anew = false;
            made(&folder, of, |partial| {
                made_anew = true;
                fs::write(partial.join("content"), of).map_err(Error::io("write", partial))
            })
            .expect("it can be made");
            assert_eq!(read(&folder.join("content")).expect("it is there"), of);
            made_anew
        };
        assert_eq!(
            [make("a"), make("a"), make("b"), make("b")],
            [true, false, true, false]
        );
    }

    #[test]
    fn a_folder_that_could_not_be_made_is_not_there() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let folder = cache.path().join("jars");
        made(&folder, "a", |_| Err(Error::Cancelled)).expect_err("it cannot be made");
        let left = fs::read_dir(cache.path()).expect("a folder").count();
        assert_eq!(left, 0);
    }
}
