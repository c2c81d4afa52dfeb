//! `sigtag outliers`: ee-outliers' use cases, on any store.

use crate::arguments::{
    AccessOptions, OutliersCommand, OutliersExplain, OutliersFiles, OutliersRun,
};
use crate::stores::{Place, Want};
use crate::{Exit, run, show, stores};
use outliers::{Config, Level, Mode, Options, Problem, Summary, UseCase, UseCases};
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use store::Credentials;

pub(crate) fn run(command: &OutliersCommand) -> Exit {
    match command {
        OutliersCommand::Interactive(command) => interactive(command),
        OutliersCommand::Check(files) => check(files),
        OutliersCommand::Explain(command) => explain(command),
    }
}

fn mode(files: &OutliersFiles) -> Mode {
    match files.compat {
        true => Mode::Compat,
        false => Mode::Strict,
    }
}

fn config(files: &OutliersFiles) -> Result<Config, Exit> {
    Config::read(&files.config, mode(files)).map_err(|problems| {
        show_all(&problems);
        Exit::Usage
    })
}

fn show_all(problems: &[Problem]) {
    problems.iter().for_each(|problem| show::error(problem));
}

/// Reads everything, tells what is wrong, and runs nothing.
fn check(files: &OutliersFiles) -> Exit {
    let config = match config(files) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    config.notes.iter().for_each(|note| show::warning(note));
    let use_cases = UseCases::read(&files.use_cases, &config);
    show_all(&use_cases.problems);
    let mut text = String::new();
    for use_case in &use_cases.list {
        let (file, line) = (use_case.file.display(), use_case.line);
        text += &format!("{file}:{line}: {}\n", use_case.section);
    }
    let exit = match use_cases.problems.is_empty() {
        true => Exit::Done,
        false => Exit::Incomplete,
    };
    show::output(text.as_bytes(), exit)
}

fn interactive(command: &OutliersRun) -> Exit {
    let config = match config(&command.files) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let place = match place(command.events.store.as_deref(), &config) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let logger = Logger::new(&config);
    let log = |level, message: &str| logger.log(level, message);
    log(Level::Info, "run mode: interactive");
    log(Level::Info, "");
    log(Level::Info, "===== initializing =====");
    log(
        Level::Info,
        &format!("loaded {} configuration files", config.files),
    );
    for note in &config.notes {
        log(Level::Warning, &note.to_string());
    }
    let use_cases = UseCases::read(&command.files.use_cases, &config);
    for problem in &use_cases.problems {
        log(Level::Error, &problem.to_string());
    }
    let shown = place.shown();
    let use_cases = RefCell::new(Some(use_cases));
    let ran = stores::with_place(
        place,
        &access(&command.events.access),
        Want::Write,
        async |store| {
            let what = match shown.contains("://") {
                true => "connected to Elasticsearch on host",
                false => "opened the store",
            };
            log(Level::Info, &format!("{what} {shown}"));
            let started = run::Run::start_quietly(command.jobs);
            let options = started.options();
            let options = Options {
                now: command.events.now.unwrap_or_else(jiff::Timestamp::now),
                jobs: options.jobs,
                dry_run: command.dry_run,
                explains: false,
                stop: options.stop,
            };
            let use_cases = use_cases.take().unwrap_or_default();
            Ok(outliers::run(&config, use_cases, store, &options, &log).await)
        },
    );
    match ran {
        Ok(summary) => tell(&summary, command, &log),
        Err(exit) => exit,
    }
}

/// Runs one use case without writing, and prints what decides.
fn explain(command: &OutliersExplain) -> Exit {
    let config = match config(&command.files) {
        Ok(config) => config.that_only_looks(),
        Err(exit) => return exit,
    };
    let place = match place(command.events.store.as_deref(), &config) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let mut use_cases = UseCases::read(&command.files.use_cases, &config);
    let is_it = |use_case: &UseCase| [&use_case.section, &use_case.name].contains(&&command.name);
    use_cases.list.retain(is_it);
    if use_cases.list.is_empty() {
        show_all(&use_cases.problems);
        let message = format!(
            "there is no use case `{}` that is switched on and can be run",
            command.name
        );
        show::error(&message);
        return Exit::Usage;
    }
    let printed = Mutex::new(Vec::new());
    let log = |level, message: &str| match (level, printed.lock()) {
        (Level::Explanation, Ok(mut lines)) => lines.push(message.to_owned()),
        (Level::Warning | Level::Error, _) => show::warning(&message),
        _ => {}
    };
    let use_cases = RefCell::new(Some(use_cases));
    let ran = stores::with_place(
        place,
        &access(&command.events.access),
        Want::Read,
        async |store| {
            let options = Options {
                now: command.events.now.unwrap_or_else(jiff::Timestamp::now),
                jobs: 1,
                dry_run: true,
                explains: true,
                stop: Arc::default(),
            };
            let use_cases = UseCases {
                list: use_cases.take().unwrap_or_default().list,
                ..UseCases::default()
            };
            Ok(outliers::run(&config, use_cases, store, &options, &log).await)
        },
    );
    let exit = match ran {
        Ok(summary) if summary.is_clean() => Exit::Done,
        Ok(_) => Exit::Incomplete,
        Err(exit) => return exit,
    };
    let lines = printed.into_inner().unwrap_or_default();
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    show::output(text.as_bytes(), exit)
}

fn tell(summary: &Summary, command: &OutliersRun, log: &outliers::Log<'_>) -> Exit {
    if summary.use_cases.is_empty() {
        let message = "no use cases were analyzed. are you sure your configuration file contains use cases, which are enabled?";
        log(Level::Warning, message);
    } else {
        for line in summary.lines() {
            log(Level::Info, &line);
        }
    }
    if command.dry_run {
        let unwritten: u64 = summary
            .use_cases
            .iter()
            .map(|(tally, _)| tally.unwritten)
            .sum();
        log(
            Level::Info,
            &format!(
                "dry run: {} would have been written",
                show::count(unwritten, "event")
            ),
        );
    }
    log(Level::Info, "finished performing outlier detection");
    if summary.interrupted {
        Exit::Interrupted
    } else if summary.is_clean() {
        Exit::Done
    } else {
        Exit::Incomplete
    }
}

/// Where the events lie: as the command says, or the configuration. Where that cannot be said, it has been told.
fn place(store: Option<&str>, config: &Config) -> Result<Place, Exit> {
    if let Some(place) = store {
        return Ok(Place::new(place.to_owned(), from_environment()));
    }
    if config.es_url.is_empty() {
        show::error(&"`es_url` is missing in the section `[general]`, and there is no --store");
        return Err(Exit::Usage);
    }
    // In the configuration, unlike on the command line, a password may be part of the address.
    let (url, credentials) = split(&config.es_url);
    Ok(Place::new(url, credentials.or_else(from_environment)))
}

/// The user and password that ee-outliers takes from the environment.
fn from_environment() -> Option<Credentials> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable("es_username").map(|user| Credentials::Basic {
        user,
        password: variable("es_password").unwrap_or_default(),
    })
}

/// How the cluster is reached: as the command says, or as ee-outliers takes it from the environment.
fn access(given: &AccessOptions) -> AccessOptions {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_unverified = variable("verify_certs")
        .is_some_and(|value| !matches!(&*value.to_lowercase(), "yes" | "true" | "1"));
    AccessOptions {
        ca: given
            .ca
            .clone()
            .or_else(|| variable("ca_certs").map(Into::into)),
        insecure: given.insecure || is_unverified,
        credentials: given.credentials.clone(),
    }
}

/// An address without the user and password that may stand in it.
fn split(url: &str) -> (String, Option<Credentials>) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find('/').unwrap_or(rest.len());
        let (who, host) = rest[..end].rsplit_once('@')?;
        Some((scheme, who, host, &rest[end..]))
    });
    let Some((scheme, who, host, path)) = parts else {
        return (url.to_owned(), None);
    };
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let credentials = Credentials::Basic {
        user: unescaped(user),
        password: unescaped(password),
    };
    (format!("{scheme}://{host}{path}"), Some(credentials))
}

/// A part of an address with its `%40` and the like undone.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The log: on standard error and, if its folder is there, in a file.
struct Logger {
    least: Level,
    file: Option<Mutex<File>>,
}

impl Logger {
    fn new(config: &Config) -> Logger {
        let least = match &*config.log_level {
            "DEBUG" => Level::Debug,
            "WARNING" => Level::Warning,
            "ERROR" | "CRITICAL" => Level::Error,
            _ => Level::Info,
        };
        let mut logger = Logger { least, file: None };
        if let Some(path) = &config.log_file {
            let folder = path.parent().unwrap_or(Path::new("."));
            match OpenOptions::new().append(true).create(true).open(path) {
                Ok(file) => logger.file = Some(Mutex::new(file)),
                Err(_) if !folder.is_dir() => {
                    let message = format!(
                        "log directory for log file {} does not exist, check your settings! Only logging to stdout",
                        path.display()
                    );
                    logger.log(Level::Warning, &message);
                }
                Err(error) => {
                    logger.log(Level::Warning, &format!("{}: {error}", path.display()));
                }
            }
        }
        logger
    }

    fn log(&self, level: Level, message: &str) {
        if level < self.least {
            return;
        }
        let name = match level {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
            Level::Explanation => return,
        };
        let now = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now());
        let now = now.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let line = format!("{now} - {name} - {message}\n");
        // If standard error is gone, nobody can be told.
        let _ = std::io::stderr().write_all(line.as_bytes());
        if let Some(Ok(mut file)) = self.file.as_ref().map(Mutex::lock) {
            let _ = file.write_all(line.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_an_address() {
        let (url, credentials) = split("https://us%40er:p%3aw@host:9200/es");
        assert_eq!(url, "https://host:9200/es");
        let Some(Credentials::Basic { user, password }) = credentials else {
            panic!()
        };
        assert_eq!((&*user, &*password), ("us@er", "p:w"));
        let (url, credentials) = split("http://host:9200");
        assert!(url == "http://host:9200" && credentials.is_none());
    }
}
