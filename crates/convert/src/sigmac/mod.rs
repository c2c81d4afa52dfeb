//! sigmac as it was, in version 0.23.1: its reading of rules, its configurations, its options, its queries.
//!
//! Nothing of [`sigma`]'s tree is used here but its YAML. The two disagree on what a rule is: sigmac knows no types, other
//! modifiers, an older language of conditions with aggregations, and rules in one file that share what is `global`. What
//! it writes has to be the same to the byte, and the differences in meaning are all the user's to choose: [`crate::strict`]
//! is the other way.
//!
//! What is left out is what sigmac never meant: that a rule leaves traces in those that are converted after it.

pub(crate) mod attack;
mod condition;
mod config;
mod document;
pub(crate) mod dsl;
pub(crate) mod eql;
mod filter;
mod modifier;
mod options;
mod python;
mod pyyaml;
mod query_string;
mod read;
mod tree;
mod value;

pub use config::{Chain, Config};
pub use filter::{BadFilter, Filter};
pub use modifier::names as modifiers;
pub use options::{FIELD_OPTIONS, Options};

pub(crate) use condition::Aggregation;
pub(crate) use document::Rule;
pub(crate) use options::Fields;
pub(crate) use python::{json, json_indented};
pub(crate) use pyyaml::dump as dump_yaml;
pub(crate) use query_string::Writer;
pub(crate) use read::{Meaning, Query, Reader};
pub(crate) use value::Value;

use crate::draft::{Converted, Draft};
use crate::targets::Target;
use sigma::yaml::{self, Node};
use sigma::{Diagnostic, Location, Severity, Source, Span};
use std::cell::RefCell;
use std::collections::HashMap;

/// How sigmac ends when it meets something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// With a traceback.
    Crash,
    /// The file is no YAML.
    Yaml,
    /// The rule cannot be read.
    Parse,
    /// The target says that it cannot be done.
    NotSupported,
    /// Python says so: a feature that is not there, or a type that does not fit.
    NotImplemented,
}

impl Status {
    /// sigmac's exit code.
    pub fn code(self) -> u8 {
        match self {
            Status::Crash => 1,
            Status::Yaml => 3,
            Status::Parse => 4,
            Status::NotSupported => 9,
            Status::NotImplemented => 42,
        }
    }

    /// Whether it is the target that refuses, and not the rule that is broken.
    pub fn is_of_target(self) -> bool {
        matches!(self, Status::NotSupported | Status::NotImplemented)
    }
}

/// Why a rule was not converted.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// How sigmac ends.
    pub status: Status,
    /// What is wrong, and where.
    pub diagnostic: Box<Diagnostic>,
}

impl Failure {
    pub(crate) fn new(status: Status, file: &str, span: Span, message: String) -> Failure {
        let code = match status {
            Status::Crash => "sigmac-crash",
            Status::Yaml => "yaml",
            Status::Parse => "sigmac-parse",
            Status::NotSupported | Status::NotImplemented => "sigmac-unsupported",
        };
        Failure {
            status,
            diagnostic: Box::new(Diagnostic {
                severity: Severity::Error,
                code,
                message,
                help: None,
                location: Location {
                    file: file.into(),
                    span,
                },
                labels: Vec::new(),
            }),
        }
    }
}

/// Converts rules for one target.
pub struct Converter<'t> {
    target: &'t dyn Target,
    chain: Chain,
    options: Options,
    fields: Fields,
    filter: Filter,
    today: i64,
    /// How often each name was given to a rule.
    names: RefCell<HashMap<String, usize>>,
}

impl<'t> Converter<'t> {
    /// A converter for a target, with configurations and options.
    pub fn new(target: &'t dyn Target, chain: Chain, options: Options) -> Converter<'t> {
        let fields = Fields::new(&options);
        Converter {
            target,
            chain,
            options,
            fields,
            filter: Filter::default(),
            today: 0,
            names: RefCell::default(),
        }
    }

    /// Converts only rules that `filter` wants; `today` counts days from 1970.
    pub fn only(self, filter: Filter, today: i64) -> Converter<'t> {
        Converter {
            filter,
            today,
            ..self
        }
    }

    /// Converts the rules of a file, each by itself.
    pub fn convert(&self, source: &Source<'_>) -> Vec<Result<Converted, Failure>> {
        let documents = match yaml::read(source) {
            Ok(documents) => documents,
            Err(diagnostic) => {
                return vec![Err(Failure {
                    status: Status::Yaml,
                    diagnostic,
                })];
            }
        };
        let (rules, others) = document::rules(documents);
        let refused = others.iter().map(|node: &Node<'_>| {
            let message = format!("a rule must be a map, and this is {}", node.kind());
            Err(Failure::new(
                Status::NotImplemented,
                source.name,
                node.span,
                message,
            ))
        });
        let rules = rules
            .iter()
            .filter(|rule| self.filter.wants(rule, self.today));
        refused
            .chain(rules.map(|rule| self.rule(rule, source.name)))
            .collect()
    }

    fn rule(&self, rule: &Rule<'_>, file: &str) -> Result<Converted, Failure> {
        let reader = Reader {
            rule,
            chain: &self.chain,
            file,
        };
        if let Some(title) = rule
            .get("title")
            .filter(|title| title.as_scalar().is_none())
        {
            let message = format!("a title must be a text, and this is {}", title.kind());
            return Err(Failure::new(Status::Crash, file, title.span, message));
        }
        let scope = self
            .chain
            .scope(rule)
            .map_err(|fault| reader.chain_fault(fault))?;
        let queries = reader.queries(scope.condition.as_ref())?;
        let draft = Draft {
            rule,
            queries,
            indices: scope.indices,
            chain: &self.chain,
            options: &self.options,
            fields: &self.fields,
            is_strict: false,
            names: &self.names,
            reader: &reader,
            notes: RefCell::default(),
            warnings: RefCell::default(),
        };
        draft.written(self.target)
    }
}
