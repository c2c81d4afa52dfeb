//! Why there is no server.

use std::{io, path::Path};

use thiserror::Error;

/// Why there is no server.
#[derive(Debug, Error)]
pub enum Error {
    /// This machine lacks what a server needs; a test without it may be skipped.
    #[error("{what}; {help}")]
    Missing {
        /// What is not there.
        what: String,
        /// What to do about it: a command.
        help: String,
    },
    /// No row of the table has this name.
    #[error("there is no server `{name}`; there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names of all rows.
        known: String,
    },
    /// A program that was run on the way has failed.
    #[error("`{program}` has failed:\n{output}")]
    Tool {
        /// The program.
        program: String,
        /// The last lines of what it said.
        output: String,
    },
    /// The server has ended before it was ready.
    #[error("{server} has ended before it was ready; its last words:\n{output}")]
    Ended {
        /// Product and version.
        server: String,
        /// The last lines of its log.
        output: String,
    },
    /// The server was not ready in time.
    #[error("{server} was not ready after {seconds} s; its last words:\n{output}")]
    TooSlow {
        /// Product and version.
        server: String,
        /// How long it was waited for.
        seconds: u64,
        /// The last lines of its log.
        output: String,
    },
    /// A request got no answer.
    #[error("{method} {url}: {reason}")]
    NoAnswer {
        /// The method of the request.
        method: String,
        /// Where it went.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The server that the environment names may not be used, or is none.
    #[error("{variable}={value}: {reason}")]
    Given {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Whoever started it wants it no longer.
    #[error("stopped")]
    Cancelled,
    /// A file or a process could not be worked with.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, and with what.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: what was being done with the file.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io {
            what: format!("cannot {doing} {}", path.display()),
            source,
        }
    }
}
