//! Where converted rules go: standard output, a file, or one file for each rule file.

use super::{Refusal, SigmacCommand, code};
use crate::show;
use convert::{Head, Target};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What rules may be listed with.
const FIELDS: &[&str] = &[
    "title",
    "id",
    "status",
    "description",
    "author",
    "references",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "filename",
];

/// Where converted rules go.
pub(super) struct Sink {
    place: Place,
    terminator: &'static str,
    extension: String,
    /// What is listed with the rules, and the list.
    fields: Option<(Vec<String>, Vec<Value>)>,
}

enum Place {
    /// Standard output, or a file that is opened with the first result: a run that comes to nothing leaves it as it is.
    One {
        path: Option<PathBuf>,
        out: Option<Box<dyn Write>>,
    },
    /// A file for each rule file, with names that begin like this; and those that were written.
    Each(String, HashSet<String>),
}

impl Sink {
    pub fn new(command: &SigmacCommand) -> Result<Sink, Refusal> {
        let fields = match (&command.output_fields, command.output_format.as_deref()) {
            (None, None | Some("json")) => None,
            (_, Some("yaml")) => {
                return Err(Refusal(
                    code::OUTPUT,
                    "the output format `yaml` is not in Sigtag; `json` is".to_owned(),
                ));
            }
            (_, Some(other)) if other != "json" => {
                return Err(Refusal(
                    code::USAGE,
                    format!("`{other}` is no output format: `json` is"),
                ));
            }
            (Some(_), None) => {
                return Err(Refusal(
                    code::OUTPUT_FORMAT,
                    "fields want an output format: add -oF json".to_owned(),
                ));
            }
            (Some(names), Some(_)) => {
                let names: Vec<String> = names
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect();
                if let Some(unknown) = names.iter().find(|name| !FIELDS.contains(&name.as_str())) {
                    let message =
                        format!("`{unknown}` is none of the fields {}", FIELDS.join(", "));
                    return Err(Refusal(code::OUTPUT_FORMAT, message));
                }
                Some((names, Vec::new()))
            }
            (None, Some(_)) => None,
        };
        let place = match command.output.as_deref() {
            None => Place::One {
                path: None,
                out: None,
            },
            Some(path) => {
                let text = path.to_string_lossy();
                if fields.is_none() && text.ends_with(['_', '/', '\\']) {
                    Place::Each(text.into_owned(), HashSet::new())
                } else {
                    let path = path.to_owned();
                    let is_input = |input: &PathBuf| {
                        input.canonicalize().ok() == path.canonicalize().ok() && input.exists()
                    };
                    if command.inputs.iter().any(is_input) {
                        let message = format!("{text} is an input, and cannot be the output");
                        return Err(Refusal(code::OUTPUT, message));
                    }
                    Place::One {
                        path: Some(path),
                        out: None,
                    }
                }
            }
        };
        let extension = command.output_extention.trim_start_matches('.');
        Ok(Sink {
            place,
            terminator: if command.print0 { "\0" } else { "\n" },
            extension: format!(".{extension}"),
            fields,
        })
    }

    /// Takes the converted rules of a file.
    pub fn rules(&mut self, path: &Path, rules: Vec<(Head, String)>) -> Result<(), Refusal> {
        if let Some((names, list)) = &mut self.fields {
            list.extend(
                rules
                    .into_iter()
                    .map(|(head, text)| listed(names, path, &head, text)),
            );
            return Ok(());
        }
        let several = rules.len() > 1;
        for (number, (_, text)) in rules.into_iter().enumerate() {
            match &mut self.place {
                Place::One { path, out } => write(path, out, &text, self.terminator)?,
                Place::Each(prefix, written) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let number = if several {
                        format!("_{number}")
                    } else {
                        String::new()
                    };
                    let name = match name.strip_suffix(".yml") {
                        Some(stem) => format!("{prefix}{stem}{number}{}", self.extension),
                        None => format!("{prefix}{name}{number}{}", self.extension),
                    };
                    whole(&name, &text, self.terminator)?;
                    if written.contains(&name) {
                        let rule = path.display();
                        show::error(&format!(
                            "{name} is written again, for {rule}: what was there is lost"
                        ));
                    }
                    written.insert(name);
                }
            }
        }
        Ok(())
    }

    /// Whether rules are listed with some of their fields.
    pub fn lists(&self) -> bool {
        self.fields.is_some()
    }

    /// Takes what is written when all rules are there.
    pub fn end(mut self, target: &dyn Target, text: Option<String>) -> Result<(), Refusal> {
        let text = match self.fields.take() {
            Some((_, list)) => {
                Some(serde_json::to_string_pretty(&Value::Array(list)).unwrap_or_default())
            }
            None => text,
        };
        match &mut self.place {
            Place::One { path, out } => {
                if let Some(text) = text {
                    write(path, out, &text, self.terminator)?;
                }
                let flushed = out.as_mut().map_or(Ok(()), |out| out.flush());
                flushed.map_err(|error| lost(&shown(path), &error))
            }
            Place::Each(prefix, _) => match text {
                Some(text) => {
                    let name = format!("{prefix}{}_mono_output{}", target.name(), self.extension);
                    whole(&name, &text, self.terminator)
                }
                None => Ok(()),
            },
        }
    }
}

fn listed(names: &[String], path: &Path, head: &Head, text: String) -> Value {
    let mut entry = Map::new();
    for name in names {
        let value = match name.as_str() {
            "filename" => json!(path.file_name().map(|name| name.to_string_lossy())),
            name => head.json(name),
        };
        entry.insert(name.clone(), value);
    }
    entry.insert("rule".to_owned(), json!([text]));
    Value::Object(entry)
}

/// Writes to what is open, or opens it.
fn write(
    path: &Option<PathBuf>,
    out: &mut Option<Box<dyn Write>>,
    text: &str,
    terminator: &str,
) -> Result<(), Refusal> {
    let open = || -> io::Result<Box<dyn Write>> {
        Ok(match path {
            Some(path) => Box::new(BufWriter::new(File::create(path)?)),
            None => Box::new(BufWriter::new(io::stdout())),
        })
    };
    let mut write = || {
        if out.is_none() {
            *out = Some(open()?);
        }
        match out {
            Some(out) => write!(out, "{text}{terminator}"),
            None => Ok(()),
        }
    };
    write().map_err(|error| lost(&shown(path), &error))
}

fn shown(path: &Option<PathBuf>) -> String {
    let name = path.as_ref().map(|path| path.display().to_string());
    name.unwrap_or_else(|| "standard output".to_owned())
}

fn whole(name: &str, text: &str, terminator: &str) -> Result<(), Refusal> {
    std::fs::write(PathBuf::from(name), format!("{text}{terminator}"))
        .map_err(|error| lost(name, &error))
}

/// Something could not be written. Whoever has closed our output has seen enough, and is told nothing.
fn lost(name: &str, error: &io::Error) -> Refusal {
    if error.kind() == ErrorKind::BrokenPipe {
        return Refusal(code::OUTPUT, String::new());
    }
    Refusal(code::OUTPUT, format!("cannot write to {name}: {error}"))
}
