//! Processes that are not ours: run to their end without a word, or ended.

use std::{
    env, fs,
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::{Error, folder::TempFolder};

/// How often a process is looked at.
const TICK: Duration = Duration::from_millis(50);

/// How long a process that was killed may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most lines of a log that a message shows.
const LAST_LINES: usize = 20;

/// Runs a program to its end and gives back what it said, on whichever stream. It gets no input.
///
/// # Errors
/// [`Error::Tool`] with its last lines when it fails, [`Error::Cancelled`] when it was stopped, since `cancelled` became true.
pub fn quietly(command: &mut Command, cancelled: &AtomicBool) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let io = |source| Error::Io {
        what: format!("cannot run `{program}`"),
        source,
    };
    // A file, since a pipe stays open for as long as anything runs that the program has started.
    let folder = TempFolder::new(&env::temp_dir(), "sigtag-said-")?;
    let path = folder.path().join("said");
    let said = File::create(&path).map_err(io)?;
    let mut child = command
        .stdin(Stdio::null())
        .stderr(said.try_clone().map_err(io)?)
        .stdout(said)
        .process_group(0)
        .spawn()
        .map_err(io)?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(io)? {
            break status;
        }
        if cancelled.load(Ordering::Relaxed) {
            end(&mut child);
            return Err(Error::Cancelled);
        }
        thread::sleep(TICK);
    };
    let output = fs::read(&path).map_err(io)?;
    let output = String::from_utf8_lossy(&output).into_owned();
    verdict(program, status, output)
}

fn verdict(program: String, status: ExitStatus, output: String) -> Result<String, Error> {
    if status.success() {
        return Ok(output);
    }
    let output = last_lines(&output);
    Err(Error::Tool { program, output })
}

/// Kills a child that was started in a process group of its own, and all others of the group.
pub(crate) fn end(child: &mut Child) {
    if let Some(group) = group(child.id()) {
        // It has no such group when all of it has ended already.
        let _ = killpg(group, Signal::SIGKILL);
    }
    let _ = child.wait();
}

fn group(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().map(Pid::from_raw)
}

/// The last lines of a text, indented, for a message.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A server that is no child of ours: known by its process and the folder that it was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The number of the process, and of its group.
    pub pid: u32,
    /// The server's folder.
    pub home: PathBuf,
}

impl Process {
    /// Whether it still runs. A number may have been given to another process since; that one does not name the folder.
    pub fn is_running(&self) -> bool {
        let command = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_else(|_| self.ps());
        String::from_utf8_lossy(&command).contains(&*self.home.to_string_lossy())
    }

    /// The same where there is no `/proc`; nothing where there is no such process.
    fn ps(&self) -> Vec<u8> {
        let mut ps = Command::new("ps");
        ps.args(["-ww", "-o", "command=", "-p", &self.pid.to_string()]);
        ps.output().map(|output| output.stdout).unwrap_or_default()
    }

    /// Kills it and deletes its folder; gives back whether it is gone.
    pub fn stop(&self) -> bool {
        let group = group(self.pid).filter(|_| self.is_running());
        let mut gone = true;
        if let Some(group) = group {
            let _ = killpg(group, Signal::SIGKILL);
            gone = self.wait(group);
        }
        delete(&self.home);
        gone
    }

    /// Waits until it has let go of its port and its files, which is later than that it has no command any more.
    fn wait(&self, pid: Pid) -> bool {
        let is_gone = || kill(pid, None) == Err(Errno::ESRCH) || self.is_zombie();
        let deadline = Instant::now() + PATIENCE;
        while !is_gone() && Instant::now() < deadline {
            thread::sleep(TICK);
        }
        is_gone()
    }

    /// Whether all that is left is a process that nobody has asked how it ended: in a container, nobody may ever.
    fn is_zombie(&self) -> bool {
        let proc = PathBuf::from(format!("/proc/{}", self.pid));
        // The state follows the name of the program, which is in parentheses.
        let is_dead = fs::read_to_string(proc.join("stat")).is_ok_and(|stat| {
            stat.rsplit_once(") ")
                .is_some_and(|(_, rest)| rest.starts_with('Z'))
        });
        is_dead && fs::read_dir(proc.join("task")).is_ok_and(|threads| threads.count() == 1)
    }
}

/// Deletes the folder of a server that was killed; the server itself may have begun to.
fn delete(home: &Path) {
    let _ = fs::remove_dir_all(home);
}

#[cfg(test)]
mod tests {
    use super::*;

    static GO_ON: AtomicBool = AtomicBool::new(false);

    #[test]
    fn what_a_program_says_is_kept() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo out; echo err >&2"]);
        let said = quietly(&mut shell, &GO_ON).expect("it ends well");
        assert_eq!(said, "out\nerr\n");
    }

    #[test]
    fn a_program_that_fails_has_its_say() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo no such thing; exit 3"]);
        let error = quietly(&mut shell, &GO_ON).expect_err("it fails");
        assert!(error.to_string().contains("no such thing"), "{error}");
    }

    #[test]
    fn a_program_can_be_stopped() {
        let started = Instant::now();
        let mut sleep = Command::new("sleep");
        let result = quietly(sleep.arg("60"), &AtomicBool::new(true));
        assert!(matches!(result, Err(Error::Cancelled)));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn another_process_with_the_number_is_not_ours() {
        let process = Process {
            pid: std::process::id(),
            home: "/no/such/home".into(),
        };
        assert!(!process.is_running());
    }
}
