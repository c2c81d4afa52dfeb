//! `sigtag sigmac`: the converter sigmac, its options, its output and its exit codes.

mod arguments;
mod configs;
mod sink;

pub(crate) use arguments::{SigmacCommand, from_environment};

use crate::diagnostics::Printer;
use crate::show;
use crate::strict::{self, Notes};
use anstream::eprintln;
use configs::{Found, Library};
use convert::sigmac::{Chain, Config, Converter, FIELD_OPTIONS, Failure, Filter, Options};
use convert::strict::Names;
use convert::{Artefact, Converted, TARGETS, Target};
use sigma::Source;
use sink::Sink;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use tagger::LoadError;

/// sigmac's exit codes, but for those of failures.
mod code {
    pub const DONE: u8 = 0;
    pub const OUTPUT: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const UNREADABLE: u8 = 5;
    pub const CONFIG: u8 = 6;
    pub const NO_TARGET: u8 = 10;
    pub const NO_CONFIG: u8 = 20;
    pub const CONFIG_ORDER: u8 = 21;
    pub const OUTPUT_FORMAT: u8 = 30;
}

/// Why nothing is converted: the exit code and what is said.
struct Refusal(u8, String);

pub(crate) fn run(command: &SigmacCommand) -> u8 {
    let mut out = String::new();
    let code = match dispatch(command, &mut out) {
        Ok(code) => code,
        Err(Refusal(code, message)) => {
            show::error(&message);
            code
        }
    };
    match show::output(out.as_bytes(), crate::Exit::Done) {
        crate::Exit::Done => code,
        _ => code::OUTPUT,
    }
}

fn dispatch(command: &SigmacCommand, out: &mut String) -> Result<u8, Refusal> {
    if command.lists_files_after_date.is_some() {
        let message = "--lists-files-after-date is not in Sigtag".to_owned();
        return Err(Refusal(code::OUTPUT, message));
    }
    let mut library = Library::new();
    let target = command.target.as_deref().map(target).transpose()?;
    if command.lists {
        lists(target, &library, out);
        return Ok(code::DONE);
    }
    if let Some(name) = &command.backend_help {
        let target = self::target(name)?;
        for (option, about) in FIELD_OPTIONS.iter().chain(target.options()) {
            let _ = writeln!(out, "{option:28} {about}");
        }
        return Ok(code::DONE);
    }
    if command.inputs.is_empty() {
        out.push_str("Nothing to do!\n\n");
        out.push_str(&arguments::usage());
        return Ok(code::DONE);
    }
    let target =
        target.ok_or_else(|| Refusal(code::NO_TARGET, "no target: name one with -t".to_owned()))?;
    let configs = library.chain(&command.config)?;
    if configs.is_empty() && !command.shoot_yourself_in_the_foot {
        show::error(&format!(
            "`{}` needs a configuration: name one of these with -c",
            target.name()
        ));
        for (name, config) in library.all() {
            if suits(&config, target) {
                let _ = writeln!(out, "{name:32} {}", config.title);
            }
        }
        return Ok(code::NO_CONFIG);
    }
    let named = configs
        .iter()
        .map(|found| (found.name.as_str(), &found.config));
    check(named, target, command.shoot_yourself_in_the_foot)
        .map_err(|message| Refusal(code::CONFIG_ORDER, message))?;
    let options = options(command)?;
    for name in unknown(&options, target) {
        show::error(&format!(
            "`{}` has no option `{name}`; it is passed over",
            target.name()
        ));
    }
    let filter = Filter::read(command.filter.as_deref().unwrap_or_default())
        .map_err(|error| Refusal(code::OUTPUT, error.to_string()))?;
    let sink = Sink::new(command)?;
    let run = Run {
        command,
        target,
        sink,
        printer: Printer::new(),
        notes: Notes::default(),
        parts: Vec::new(),
        failed: Vec::new(),
    };
    if command.strict {
        return run.strict(&configs, options, filter);
    }
    let chain = Chain::new(configs.into_iter().map(|found| found.config).collect());
    Ok(run.compat(&Converter::new(target, chain, options).only(filter, days_since_1970())))
}

/// The target of a name.
fn target(name: &str) -> Result<&'static dyn Target, Refusal> {
    if let Some(target) = TARGETS.iter().find(|target| target.name() == name) {
        return Ok(*target);
    }
    let names: Vec<_> = TARGETS.iter().map(|target| target.name()).collect();
    let names = names.join(", ");
    Err(Refusal(
        code::USAGE,
        format!("the target `{name}` is not in Sigtag; there are {names}"),
    ))
}

fn lists(target: Option<&dyn Target>, library: &Library, out: &mut String) {
    out.push_str("Targets:\n");
    for target in TARGETS {
        let _ = writeln!(out, "{:>20} : {}", target.name(), target.title());
    }
    out.push_str("\nConfigurations:\n");
    for (name, config) in library.all() {
        if target.is_none_or(|target| suits(&config, target)) {
            let _ = writeln!(out, "{name:>32} : {}", config.title);
        }
    }
    out.push_str("\nModifiers:\n");
    for name in convert::sigmac::modifiers() {
        let _ = writeln!(out, "{name:>20}");
    }
}

/// Whether a configuration is meant for a target.
fn suits(config: &Config, target: &dyn Target) -> bool {
    let for_target = |names: &Vec<String>| names.iter().any(|name| name == target.name());
    config.backends.as_ref().is_none_or(for_target)
}

/// Whether configurations are meant for a target, and in ascending order; what is wrong, if not.
pub(crate) fn check<'c>(
    configs: impl IntoIterator<Item = (&'c str, &'c Config)>,
    target: &dyn Target,
    anyway: bool,
) -> Result<(), String> {
    let mut last: Option<(i64, &str)> = None;
    for (name, config) in configs {
        if !suits(config, target) {
            let target = target.name();
            return Err(format!(
                "the configuration `{name}` is not meant for `{target}`: it does not name it under `backends`"
            ));
        }
        let Some(order) = config.order else { continue };
        if let Some((before, other)) = last
            && order <= before
            && !anyway
        {
            return Err(format!(
                "`{name}` has the order {order} and cannot come behind `{other}`, which has {before}"
            ));
        }
        last = Some((order, name));
    }
    Ok(())
}

/// Options that are none of a target's.
pub(crate) fn unknown<'o>(options: &'o Options, target: &dyn Target) -> Vec<&'o str> {
    let known = |name: &&str| {
        let mut known = FIELD_OPTIONS
            .iter()
            .chain(target.options())
            .chain(WITHOUT_EFFECT);
        known.any(|(known, _)| known == name)
    };
    options.names().filter(|name| !known(name)).collect()
}

/// Options that sigmac takes and does nothing with.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("es", ""),
    ("hash_normalize", ""),
    ("not_bound_keyword", ""),
    ("output", ""),
    ("rulecomment", ""),
    ("set_size", ""),
];

/// The options of the file of `-C`, and those of `-O`, which count more.
fn options(command: &SigmacCommand) -> Result<Options, Refusal> {
    let mut options = Options::default();
    if let Some(path) = &command.backend_config {
        let name = path.display();
        let refuse = |cause: &str| Refusal(code::OUTPUT, format!("{name}: {cause}"));
        let text = std::fs::read(path).map_err(|error| refuse(&error.to_string()))?;
        let source = Source {
            name: &path.to_string_lossy(),
            text: &text,
        };
        let documents = sigma::yaml::read(&source).map_err(|error| refuse(&error.message))?;
        let entries = documents.first().and_then(|root| root.as_map());
        for entry in entries.ok_or_else(|| refuse("a map of options is wanted here"))? {
            let value = entry
                .value
                .as_scalar()
                .ok_or_else(|| refuse("an option must be a single value"))?;
            options.set(&entry.key.text, &value.text);
        }
    }
    for option in &command.backend_option {
        let (name, value) = option.split_once('=').unwrap_or((option, "True"));
        options.set(name, value);
    }
    Ok(options)
}

fn days_since_1970() -> i64 {
    jiff::Timestamp::now().as_second().div_euclid(86_400)
}

/// The conversion of all files.
struct Run<'c> {
    command: &'c SigmacCommand,
    target: &'static dyn Target,
    sink: Sink,
    printer: Printer,
    notes: Notes,
    /// What is written when all rules are there.
    parts: Vec<serde_json::Value>,
    /// The exit codes of what went wrong.
    failed: Vec<u8>,
}

impl Run<'_> {
    /// Converts as sigmac does.
    fn compat(mut self, converter: &Converter<'_>) -> u8 {
        for path in self.files() {
            let Some(text) = self.read(&path) else {
                continue;
            };
            let source = Source {
                name: &path.to_string_lossy(),
                text: &text,
            };
            if let Err(refusal) = self.take(&path, converter.convert(&source)) {
                return lost(refusal);
            }
        }
        self.end()
    }

    /// Converts by what the rules mean.
    fn strict(
        mut self,
        configs: &[Found],
        options: Options,
        filter: Filter,
    ) -> Result<u8, Refusal> {
        if !self.target.takes_meaning() {
            let message = format!("`{}` has no strict form", self.target.name());
            return Err(Refusal(code::USAGE, message));
        }
        if filter.asks_conditions() {
            let message = "with --strict, rules cannot be chosen by their conditions".to_owned();
            return Err(Refusal(code::OUTPUT, message));
        }
        let sources = configs.iter().map(|found| Source {
            name: &found.name,
            text: &found.text,
        });
        let names = Names::read(&sources.collect::<Vec<_>>()).map_err(|diagnostics| {
            for diagnostic in &diagnostics {
                eprintln!("{}\n", self.printer.render(diagnostic));
            }
            Refusal(
                code::CONFIG,
                "a configuration cannot be used with --strict".to_owned(),
            )
        })?;
        let schema = strict::schema(self.command.schema.as_deref())
            .map_err(|error| Refusal(code::CONFIG, error))?;
        let mut files = Vec::new();
        for path in self.files() {
            if let Some(text) = self.read(&path) {
                files.push((path, text));
            }
        }
        let when = (filter, days_since_1970());
        let outcomes = strict::convert(&files, names, schema, self.target, options, when);
        for outcomes in outcomes.chunk_by(|a, b| a.file == b.file) {
            for outcome in outcomes {
                if let Ok(converted) = &outcome.converted {
                    self.notes.take(&outcome.title, &converted.notes);
                }
            }
            let converted = outcomes.iter().map(|outcome| outcome.converted.clone());
            if let Err(refusal) = self.take(&outcomes[0].file, converted.collect()) {
                return Ok(lost(refusal));
            }
        }
        Ok(self.end())
    }

    /// Takes what became of the rules of a file.
    fn take(&mut self, path: &Path, rules: Vec<Result<Converted, Failure>>) -> Result<(), Refusal> {
        let mut texts = Vec::new();
        for converted in rules {
            for warning in converted.iter().flat_map(|converted| &converted.warnings) {
                eprintln!("{}\n", self.printer.render(warning));
            }
            match converted {
                Ok(Converted {
                    head,
                    artefact: Artefact::Text(text),
                    ..
                }) => texts.push((head, text)),
                Ok(Converted {
                    head,
                    artefact: Artefact::Json(more),
                    ..
                }) if self.sink.lists() => {
                    texts.push((head, self.target.finish(more).unwrap_or_default()));
                }
                Ok(Converted {
                    artefact: Artefact::Json(more),
                    ..
                }) => self.parts.extend(more),
                Err(failure) => self.report(&failure),
            }
        }
        self.sink.rules(path, texts)
    }

    fn end(mut self) -> u8 {
        if let Err(refusal) = self.sink.end(self.target, self.target.finish(self.parts)) {
            return lost(refusal);
        }
        self.notes.tell();
        // Who does not wait for the end is told of the first failure, who does of the last.
        let failed = if self.command.defer_abort {
            self.failed.pop()
        } else {
            self.failed.first().copied()
        };
        failed.unwrap_or(code::DONE)
    }

    fn read(&mut self, path: &Path) -> Option<Vec<u8>> {
        match read(path) {
            Ok(text) => Some(text),
            Err(error) => {
                show::error(&format!("{}: {error}", path.display()));
                self.failed.push(code::UNREADABLE);
                None
            }
        }
    }

    fn report(&mut self, failure: &Failure) {
        eprintln!("{}\n", self.printer.render(&failure.diagnostic));
        if !(self.command.ignore_backend_errors && failure.status.is_of_target()) {
            self.failed.push(failure.status.code());
        }
    }

    /// The files to read: with `-r`, those that end in .yml or .yaml, in the order of their names.
    fn files(&mut self) -> Vec<PathBuf> {
        if !self.command.recurse {
            return self.command.inputs.clone();
        }
        let mut files = Vec::new();
        for path in &self.command.inputs {
            if path == Path::new("-") {
                files.push(path.clone());
                continue;
            }
            match tagger::rule_files(std::slice::from_ref(path)) {
                Ok(more) => files.extend(more),
                // sigmac says nothing of an empty folder either, but neither does it leave out files.
                Err(error @ LoadError::NoFiles(_)) => show::error(&error),
                Err(error) => {
                    show::error(&error);
                    self.failed.push(code::UNREADABLE);
                }
            }
        }
        files
    }
}

/// Nothing more can be written.
fn lost(Refusal(code, message): Refusal) -> u8 {
    if !message.is_empty() {
        show::error(&message);
    }
    code
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return std::fs::read(path);
    }
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text)?;
    Ok(text)
}
