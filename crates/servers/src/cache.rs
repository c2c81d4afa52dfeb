//! The jars of the servers and our classes, kept for the next time.
//!
//! A folder of the cache is made under another name and renamed when it is whole. Its name says what it was made of, so that none is
//! ever changed while a server runs from it.

use std::{
    env, fs,
    fs::{File, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::{Error, Java, Kind, folder::TempFolder, quietly};

/// What a server is started from.
pub(crate) struct Jars {
    /// The folder with what Maven has fetched.
    pub folder: PathBuf,
    /// The folder with our classes.
    pub classes: PathBuf,
}

impl Jars {
    /// The class path.
    pub fn class_path(&self) -> String {
        let (main, lib) = (self.classes.join("main"), self.folder.join("lib"));
        format!("{}:{}/*", main.display(), lib.display())
    }
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
    let folder = place(kind, "jars", &recipe(kind)?);
    made(&folder, |partial| {
        progress("fetching the jars, once");
        fetch(kind, java, partial, cancelled)
    })?;
    let classes = place(kind, "classes", &sources_of(kind)?);
    made(&classes, |partial| {
        progress("compiling, once");
        compile(kind, java, &folder.join("lib"), partial, cancelled)
    })?;
    Ok(Jars { folder, classes })
}

/// Whether Maven has done its part for this kind of server.
pub(crate) fn has_jars(kind: &Kind) -> bool {
    recipe(kind).is_ok_and(|recipe| place(kind, "jars", &recipe).is_dir())
}

/// Where it lies in the cache, by what it is made of.
fn place(kind: &Kind, what: &str, made_of: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    made_of.hash(&mut hasher);
    let hash = hasher.finish();
    cache_folder().join(format!("{}-{}-{what}-{hash:016x}", kind.name, kind.version))
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

/// Makes a folder unless it is there.
fn made(folder: &Path, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(folder);
    let partial = TempFolder::new(parent, PARTIAL)?;
    make(partial.path())?;
    fs::rename(partial.path(), folder).map_err(Error::io("rename a folder to", folder))?;
    // It has another name now, and is to stay.
    partial.keep();
    Ok(())
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
    fn a_folder_is_made_once() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let folder = cache.path().join("jars");
        let mut times = 0;
        for _ in 0..2 {
            made(&folder, |partial| {
                times += 1;
                fs::write(partial.join("content"), "").map_err(Error::io("write", partial))
            })
            .expect("it can be made");
        }
        assert!(folder.join("content").is_file());
        assert_eq!(times, 1);
    }

    #[test]
    fn a_folder_that_could_not_be_made_is_not_there() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let folder = cache.path().join("jars");
        made(&folder, |_| Err(Error::Cancelled)).expect_err("it cannot be made");
        let left = fs::read_dir(cache.path()).expect("a folder").count();
        assert_eq!(left, 0);
    }

    #[test]
    fn other_sources_are_another_folder() {
        let kind = &crate::KINDS[0];
        let places = ["a", "a", "b"].map(|made_of| place(kind, "classes", made_of));
        assert_eq!(places[0], places[1]);
        assert_ne!(places[0], places[2]);
    }
}
