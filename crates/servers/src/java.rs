//! Java and Maven: where they are, and how they come onto a machine that has none.

use std::{
    env, fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};

use crate::{Error, Kind, cache, quietly};

/// Where JDKs are installed: on Debian and Fedora, by SDKMAN, on macOS.
const FOLDERS: &[&str] = &[
    "/usr/lib/jvm",
    "~/.sdkman/candidates/java",
    "/Library/Java/JavaVirtualMachines",
];

/// A JDK: our part of a server is compiled, so that running Java programs is not enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// Its folder, as `JAVA_HOME` names one.
    pub home: PathBuf,
    /// Its major version.
    pub major: u32,
}

impl Java {
    /// The JDK that a kind of server is to run on: the one of `JAVA_HOME` if it will do, otherwise the oldest that will.
    pub fn find(versions: &RangeInclusive<u32>) -> Option<Java> {
        let will_do = |java: &Java| versions.contains(&java.major);
        let named = env::var_os("JAVA_HOME").and_then(|home| Java::at(home.as_ref()));
        named.filter(will_do).or_else(|| {
            candidates()
                .iter()
                .filter_map(|home| Java::at(home))
                .filter(will_do)
                .min_by_key(|java| java.major)
        })
    }

    fn at(home: &Path) -> Option<Java> {
        if !home.join("bin/javac").is_file() {
            return None;
        }
        let output = Command::new(home.join("bin/java"))
            .arg("-version")
            .output()
            .ok()?;
        let major = major(&String::from_utf8_lossy(&output.stderr))?;
        Some(Java {
            home: home.to_owned(),
            major,
        })
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.home.join("bin").join(name)
    }
}

/// Folders that may hold a JDK.
fn candidates() -> Vec<PathBuf> {
    let home = env::home_dir().unwrap_or_default();
    let mut found = Vec::new();
    for folder in FOLDERS {
        let folder = match folder.strip_prefix("~/") {
            Some(rest) => home.join(rest),
            None => PathBuf::from(folder),
        };
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // Links are other names of what is there anyhow.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                found.push(entry.path());
                found.push(entry.path().join("Contents/Home"));
            }
        }
    }
    // The `java` of the path, wherever it is: `HOME/bin/java`.
    let on_path = on_path("java").and_then(|java| fs::canonicalize(java).ok());
    found.extend(on_path.and_then(|java| Some(java.ancestors().nth(2)?.to_owned())));
    found
}

/// The major version in what `java -version` says. `JAVA_TOOL_OPTIONS` may put another line before it.
fn major(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("version \"")?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// A program by its name, as a shell finds it.
fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Whether Maven is asked for, and is not there: what it has fetched once needs it no more.
fn needs_maven(kind: &Kind) -> bool {
    on_path("mvn").is_none() && !cache::has_jars(kind)
}

/// What this machine lacks for a server of this kind, if anything: in words, and the command that helps.
pub fn missing_tools(kind: &Kind) -> Option<(String, String)> {
    let mut what = Vec::new();
    let mut packages = Vec::new();
    if Java::find(&kind.java).is_none() {
        what.push(format!("a JDK of Java {} or newer", kind.java.start()));
        packages.extend(kind.packages.first().copied());
    }
    if needs_maven(kind) {
        what.push("Maven".to_owned());
        packages.push("maven");
    }
    if packages.is_empty() {
        return None;
    }
    let help = format!("apt-get install {}", packages.join(" "));
    Some((
        format!("{} needs {}", kind.title(), what.join(" and ")),
        help,
    ))
}

/// The JDK for a kind of server. What is missing, Maven included, is installed if `install` says so.
pub(crate) fn tools(
    kind: &Kind,
    install: bool,
    progress: &dyn Fn(&str),
    cancelled: &AtomicBool,
) -> Result<Java, Error> {
    if let Some((what, help)) = missing_tools(kind) {
        if !install {
            return Err(Error::Missing { what, help });
        }
        progress(&format!("installing, since {what}"));
        add_packages(kind, cancelled)?;
    }
    Java::find(&kind.java).ok_or_else(|| {
        let (what, help) = missing_tools(kind).unwrap_or_default();
        Error::Missing { what, help }
    })
}

/// Installs the first package with a Java that the distribution has, and Maven.
fn add_packages(kind: &Kind, cancelled: &AtomicBool) -> Result<(), Error> {
    let apt = on_path("apt-get").filter(|_| nix::unistd::geteuid().is_root());
    let Some(apt) = apt else {
        let (what, help) = missing_tools(kind).unwrap_or_default();
        return Err(Error::Missing {
            what: format!("{what}, and only root on a Debian system can install it from here"),
            help,
        });
    };
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new(&apt);
        command
            // Another process may be installing something.
            .args(["-qq", "-y", "-o", "DPkg::Lock::Timeout=300"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        quietly(&mut command, cancelled)
    };
    apt_get(&["update"])?;
    if needs_maven(kind) {
        apt_get(&["install", "--no-install-recommends", "maven"])?;
    }
    let mut refusal = String::new();
    for package in kind.packages {
        if Java::find(&kind.java).is_some() {
            return Ok(());
        }
        match apt_get(&["install", "--no-install-recommends", package]) {
            Ok(_) => {}
            // A distribution that does not have this one may have the next.
            Err(Error::Tool { output, .. }) => refusal = output,
            Err(error) => return Err(error),
        }
    }
    if Java::find(&kind.java).is_some() {
        return Ok(());
    }
    Err(Error::Missing {
        what: format!(
            "{} needs a JDK of Java {} or newer, and apt-get has installed none of {}:\n{refusal}\n",
            kind.title(),
            kind.java.start(),
            kind.packages.join(", ")
        ),
        help: "put one into /usr/lib/jvm, or name it: JAVA_HOME=DIR".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_wherever_it_stands() {
        for (said, expected) in [
            (
                "openjdk version \"17.0.15\" 2025-04-15\nOpenJDK …",
                Some(17),
            ),
            (
                "Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version \"25\" 2025-09-16",
                Some(25),
            ),
            ("java version \"1.8.0_202\"", Some(1)),
            ("openjdk version \"26-ea\"", Some(26)),
            ("command not found", None),
        ] {
            assert_eq!(major(said), expected, "{said}");
        }
    }

    #[test]
    fn no_java_is_found_where_none_is_new_enough() {
        assert_eq!(Java::find(&(9000..=9999)), None);
    }
}
