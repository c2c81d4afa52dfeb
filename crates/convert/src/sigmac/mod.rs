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
mod dsl;
mod eql;
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
pub use options::Options;

pub(crate) use condition::Aggregation;
pub(crate) use document::Rule;
pub(crate) use options::Fields;
pub(crate) use python::{json, json_indented};
pub(crate) use pyyaml::dump as dump_yaml;
pub(crate) use read::Query;
pub(crate) use value::Value;

use crate::targets::{Artefact, Target};
use query_string::Writer;
use read::Reader;
use sha2::{Digest, Sha256};
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
    fn new(status: Status, file: &str, span: Span, message: String) -> Failure {
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
    pub fn convert(&self, source: &Source<'_>) -> Vec<Result<Artefact, Failure>> {
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

    fn rule(&self, rule: &Rule<'_>, file: &str) -> Result<Artefact, Failure> {
        let reader = Reader {
            rule,
            chain: &self.chain,
            file,
        };
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
            names: &self.names,
            reader: &reader,
        };
        self.target.write(&draft)
    }
}

/// A rule that is read, and all that a target may want to know.
pub struct Draft<'d, 'a> {
    pub(crate) rule: &'d Rule<'a>,
    pub(crate) queries: Vec<Query>,
    pub(crate) indices: Vec<String>,
    pub(crate) chain: &'d Chain,
    pub(crate) options: &'d Options,
    pub(crate) fields: &'d Fields,
    names: &'d RefCell<HashMap<String, usize>>,
    reader: &'d Reader<'d, 'a>,
}

impl Draft<'_, '_> {
    /// The target cannot do something.
    pub(crate) fn refuse(&self, message: impl Into<String>) -> Failure {
        Failure::new(
            Status::NotImplemented,
            self.reader.file,
            self.rule.span(),
            message.into(),
        )
    }

    /// The target refuses to do something, although it could.
    pub(crate) fn not_supported(&self, message: impl Into<String>) -> Failure {
        Failure {
            status: Status::NotSupported,
            ..self.refuse(message)
        }
    }

    /// The query string of a rule that has one condition and counts nothing.
    pub(crate) fn query_string(&self) -> Result<String, Failure> {
        let query = self.only_query()?;
        if query.aggregation.is_some() {
            return Err(self.refuse("this target cannot write aggregations"));
        }
        self.lucene(query)
    }

    /// The query of a condition in Elasticsearch's JSON; that of an empty one is an empty map.
    pub(crate) fn dsl(&self, query: &Query) -> Result<serde_json::Value, Failure> {
        match &query.tree {
            Some(tree) => dsl::query(tree, self.fields).map_err(|message| self.refuse(message)),
            None => Ok(serde_json::json!({})),
        }
    }

    /// The condition of a rule that has one.
    pub(crate) fn only_query(&self) -> Result<&Query, Failure> {
        match self.queries.as_slice() {
            [query] => Ok(query),
            _ => Err(self.refuse("this target cannot write a list of conditions")),
        }
    }

    /// The first condition, for targets that have no place for more.
    pub(crate) fn first_query(&self) -> Result<&Query, Failure> {
        let first = self.queries.first();
        first.ok_or_else(|| self.refuse("there is no condition in the list of conditions"))
    }

    /// The query of a condition in EQL.
    pub(crate) fn eql(&self, query: &Query) -> Result<String, Failure> {
        eql::event(query.tree.as_ref()).map_err(|message| self.refuse(message))
    }

    /// The query of a search of the rule in EQL, by the name of the search.
    pub(crate) fn eql_of(&self, search: &str) -> Result<String, Failure> {
        let tree = self.reader.named(search)?;
        eql::event(tree.as_ref()).map_err(|message| self.refuse(message))
    }

    /// The query string of a condition.
    pub(crate) fn lucene(&self, query: &Query) -> Result<String, Failure> {
        let Some(tree) = &query.tree else {
            return Ok(String::new());
        };
        let written = Writer::new(self.fields, self.options).query(tree);
        let text = written.map_err(|message| self.refuse(message))?;
        Ok(self.chain.overridden(text))
    }

    /// The names of a field.
    pub(crate) fn names(&self, field: &str) -> Result<Vec<String>, Failure> {
        self.chain
            .names(field, self.rule)
            .map_err(|fault| self.reader.chain_fault(fault))
    }

    /// What the rule is called where names must be short: its id, or its title. No two get the same.
    pub(crate) fn rule_name(&self) -> String {
        let id = self
            .rule
            .text("id")
            .filter(|id| !id.bytes().all(|byte| matches!(byte, b'0' | b'-')));
        let name = id.unwrap_or_else(|| {
            let title = self.rule.text("title").unwrap_or_default();
            title.replace(' ', "-").replace(['(', ')'], "")
        });
        let mut names = self.names.borrow_mut();
        let times = names.entry(name.clone()).or_default();
        *times += 1;
        if *times == 1 {
            name
        } else {
            format!("{name}-{times}")
        }
    }

    /// The id of the rule. Where it has none, or another rule has it already, it gets one that is made of its name: the
    /// same in each run, where sigmac's is random.
    pub(crate) fn rule_uuid(&self) -> String {
        let name = self.rule_name();
        if self.rule.text("id").as_ref() == Some(&name) {
            return name.to_ascii_lowercase();
        }
        let hash = Sha256::digest(name.as_bytes());
        let mut digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        // Version 8 of RFC 9562 leaves it to us what the other digits are.
        digits.replace_range(12..13, "8");
        digits.replace_range(16..17, "8");
        [0..8, 8..12, 12..16, 16..20, 20..32]
            .map(|part| &digits[part])
            .join("-")
    }

    /// The one name of a field, as a whole and not as its words.
    pub(crate) fn keyword_field(&self, field: &str) -> Result<String, Failure> {
        Ok(self.fields.keyword_name(&self.field(field)?))
    }

    /// The number that a figure is compared with.
    pub(crate) fn number(&self, text: &str) -> Result<i64, Failure> {
        let number = text.parse();
        number.map_err(|_| self.refuse(format!("`{text}` in the aggregation is no whole number")))
    }

    /// The aggregation is not among those that the target can write.
    pub(crate) fn refuse_aggregation(&self, it: &Aggregation) -> Failure {
        let function = it.function();
        let title = self.rule.text("title").unwrap_or_default();
        self.refuse(format!(
            "{title} : the aggregation `{function}` is not implemented for this target"
        ))
    }

    /// The one name of a field.
    pub(crate) fn field(&self, field: &str) -> Result<String, Failure> {
        let names = self.names(field)?;
        match <[String; 1]>::try_from(names) {
            Ok([name]) => Ok(name),
            Err(_) => Err(self.refuse(format!(
                "`{field}` has several names here, and an aggregation wants one"
            ))),
        }
    }
}
