//! A rule on its way to a target.

use crate::Head;
use crate::sigmac::{
    self, Aggregation, Chain, Failure, Fields, Meaning, Options, Query, Reader, Rule, Status,
    Writer,
};
use crate::targets::{Artefact, Target};
use query::{Note, Written};
use sha2::{Digest, Sha256};
use sigma::{Diagnostic, Severity};
use std::cell::RefCell;
use std::collections::HashMap;

/// A rule that was converted.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// What it says of itself.
    pub head: Head,
    /// What it became.
    pub artefact: Artefact,
    /// Where a query does not find exactly what the rule means.
    pub notes: Vec<Note>,
    /// What of the rule is lost.
    pub warnings: Vec<Diagnostic>,
}

/// A rule that is read, and all that a target may want to know.
pub struct Draft<'d, 'a> {
    pub(crate) rule: &'d Rule<'a>,
    pub(crate) queries: Vec<Query>,
    pub(crate) indices: Vec<String>,
    pub(crate) chain: &'d Chain,
    pub(crate) options: &'d Options,
    pub(crate) fields: &'d Fields,
    /// Whether what is written is to be right, and not sigmac's.
    pub(crate) is_strict: bool,
    pub(crate) names: &'d RefCell<HashMap<String, usize>>,
    pub(crate) reader: &'d Reader<'d, 'a>,
    /// What is to be said about what is written.
    pub(crate) notes: RefCell<Vec<Note>>,
    pub(crate) warnings: RefCell<Vec<Diagnostic>>,
}

impl Draft<'_, '_> {
    /// The rule as a target writes it.
    pub(crate) fn written(self, target: &dyn Target) -> Result<Converted, Failure> {
        Ok(Converted {
            artefact: target.write(&self)?,
            head: self.rule.head(),
            notes: self.notes.into_inner(),
            warnings: self.warnings.into_inner(),
        })
    }

    /// Keeps what is to be said of a query.
    fn noted<T>(&self, written: Written<T>) -> T {
        let mut notes = self.notes.borrow_mut();
        for note in written.notes {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        written.query
    }

    /// Something of the rule is lost on the way.
    pub(crate) fn warn(&self, message: &str) {
        let failure = self.refuse(message);
        self.warnings.borrow_mut().push(Diagnostic {
            severity: Severity::Warning,
            ..*failure.diagnostic
        });
    }

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
        match &query.search {
            Meaning::Tree(None) => Ok(serde_json::json!({})),
            Meaning::Tree(Some(tree)) => {
                sigmac::dsl::query(tree, self.fields).map_err(|message| self.refuse(message))
            }
            Meaning::Predicate(predicate, schema) => Ok(self.noted(query::dsl(predicate, schema))),
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
        match &query.search {
            Meaning::Tree(tree) => {
                sigmac::eql::event(tree.as_ref()).map_err(|message| self.refuse(message))
            }
            Meaning::Predicate(..) => {
                Err(self.refuse("EQL is written as sigmac does, or not at all: say `--compat`"))
            }
        }
    }

    /// The query of a search of the rule in EQL, by the name of the search.
    pub(crate) fn eql_of(&self, search: &str) -> Result<String, Failure> {
        let tree = self.reader.named(search)?;
        sigmac::eql::event(tree.as_ref()).map_err(|message| self.refuse(message))
    }

    /// The query string of a condition.
    pub(crate) fn lucene(&self, query: &Query) -> Result<String, Failure> {
        match &query.search {
            Meaning::Tree(None) => Ok(String::new()),
            Meaning::Tree(Some(tree)) => {
                let written = Writer::new(self.fields, self.options).query(tree);
                let text = written.map_err(|message| self.refuse(message))?;
                Ok(self.chain.overridden(text))
            }
            Meaning::Predicate(predicate, schema) => {
                Ok(self.noted(query::lucene(predicate, schema)))
            }
        }
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
