//! The Sigma language: text in, typed tree out.
//!
//! # Why
//!
//! Everything that is done with a rule (matching, tagging, converting, checking) starts from the same tree, and the
//! language has more corners than it seems: YAML 1.1, backslashes before stars, modifiers that must be first. They are
//! all turned here, once, so that nobody behind this crate ever sees YAML, a modifier's name or a glob in a condition.
//!
//! ```
//! let text = b"
//! title: Shadow copies deleted
//! logsource: { product: windows, category: process_creation }
//! detection:
//!   selection:
//!     Image|endswith: '\\vssadmin.exe'
//!     CommandLine|contains|all: [delete, shadows]
//!   condition: selection
//! ";
//! let parsed = sigma::parse(&sigma::Source { name: "shadow.yml", text });
//! let sigma::Document::Rule(rule) = &parsed.documents[0] else { panic!() };
//! assert_eq!(rule.title, "Shadow copies deleted");
//! let sigma::Expr::And(items) = rule.expression() else { panic!() };
//! assert_eq!(items.len(), 2);
//! ```
//!
//! # What it promises
//!
//! - Specification 2.1 as a whole: rules, correlations, filters, collections, every modifier. Each module says how it
//!   decides where the specification, its schema and common practice disagree.
//! - A broken document is set aside with a [`Diagnostic`] that says what is wrong, where, and what to do; the documents
//!   around it are read. One that only lacks something of the user's (a placeholder's values) says so by
//!   [`Severity::NeedsSetUp`].
//! - Any bytes may be passed in: there is no panic, no endless loop and no unbounded memory.
//!
//! # Where the specification, its schema and practice disagree
//!
//! | matter | here |
//! | --- | --- |
//! | id | optional; if there, a UUID |
//! | duplicate keys | an error that shows both |
//! | `falsepositives` and other lists | a single text is a list of one, with a warning |
//! | null in a list, `all` on one value | read, with a warning |
//! | empty list of values | null, with a warning |
//! | `AND`, `Or`, `1 OF` | an error; the words are lower case |
//! | list of conditions | any of them |
//! | selector that matches no search | an error |
//! | regular expressions | search; `startswith` and `endswith` anchor them; no look-around, no back-references |
//! | `neq` | negates the whole item, whatever its type |
//! | `windash` | all five dashes, in the rule's text and in the alternatives |
//! | `wide`, `utf16le`, `utf16` | `utf16le` is `wide`; what is no text afterwards needs `base64` behind it |
//! | keywords with `contains` | the wildcards are added, as to any text |
//! | `minute` … `year` | the part as written in the event, without change of time zone |
//! | `group-by` of correlations | optional |
//! | ranges in correlation conditions | allowed |
//! | `generate` | at the top or within `correlation` |
//! | `percentile` | a key of the condition; may be missing |
//! | correlation types | all of `value_*`, `value_median` too |
//! | filters | AND-ed as written: to exclude, say `not selection` |
//!
//! # What it leaves out
//!
//! Files and folders, the fields and log sources of any product, what a tag means, matching, and how a diagnostic
//! looks on a screen. Correlations are typed, not run.

mod action;
mod collection;
mod condition;
mod correlation;
mod detection;
mod diagnostic;
mod filter;
mod header;
mod modifier;
mod pattern;
mod regex;
mod rule;
mod scalar;
pub mod yaml;

pub use collection::Collection;
pub use condition::Condition;
pub use correlation::{
    Alias, Bound, BoundOperator, Correlation, CorrelationKind, Figure, RuleExpression, RuleRef,
    TemporalCondition, Timespan,
};
pub use detection::{
    Comparison, DatePart, Detection, Item, Link, Node, Part, Pattern, RefKind, Search, Value,
};
pub use diagnostic::{Diagnostic, Label, Location, Severity, Source, Span};
pub use filter::{Filter, Targets};
pub use modifier::{Modifier, Placeholders};
pub use rule::{
    Custom, Data, Date, Expr, Level, LogSource, Related, Rule, RuleId, Status, Tag, UnknownWord,
};

use action::Actions;
use diagnostic::Sink;
use yaml::{Documents, Fault};

/// What one source holds.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The sound documents, in source order.
    pub documents: Vec<Document>,
    /// The others, and why.
    pub set_aside: Vec<SetAside>,
    /// All there is to say, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

/// One document of a source.
#[derive(Debug)]
pub enum Document {
    /// A rule.
    Rule(Box<Rule>),
    /// A correlation of rules.
    Correlation(Box<Correlation>),
    /// A filter on rules.
    Filter(Box<Filter>),
}

/// What a document is about, as far as its keys tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It has `detection`, or nothing that says otherwise.
    Rule,
    /// It has `correlation`.
    Correlation,
    /// It has `filter`.
    Filter,
}

/// A document that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// What it was meant to be.
    pub kind: Kind,
    /// Its title, if it has one that can be read.
    pub title: Option<String>,
    /// The gravest thing that is wrong. Its severity tells a broken document ([`Severity::Error`]) from one that waits
    /// for the user ([`Severity::NeedsSetUp`]). It is among the diagnostics, too.
    pub reason: Diagnostic,
}

/// Reads all documents of a source. A broken one does not stop the others.
pub fn parse(source: &Source<'_>) -> Parsed {
    parse_with(source, &Placeholders::new())
}

/// Reads all documents of a source as [`parse`] does, with values for the placeholders under `expand`.
pub fn parse_with(source: &Source<'_>, placeholders: &Placeholders) -> Parsed {
    let mut reader = Reader {
        placeholders,
        sink: Sink::new(source.name),
        documents: Vec::new(),
        set_aside: Vec::new(),
    };
    match yaml::decode(source.text) {
        Ok(text) => reader.read(text),
        Err(fault) => reader.reject(fault, source.text),
    }
    Parsed {
        documents: reader.documents,
        set_aside: reader.set_aside,
        diagnostics: reader.sink.diagnostics,
    }
}

/// Reads what a search looks for, out of a document that is no rule; `file` is the name of that document's source.
///
/// # Errors
/// All that is wrong with it.
pub fn parse_search(file: &str, search: &yaml::Node<'_>) -> Result<Node, Vec<Diagnostic>> {
    let mut sink = Sink::new(file);
    let node = detection::read_search(search, &mut sink);
    sink.diagnostics.retain(Diagnostic::sets_aside);
    node.ok_or(sink.diagnostics)
}

struct Reader<'p> {
    placeholders: &'p Placeholders,
    sink: Sink,
    documents: Vec<Document>,
    set_aside: Vec<SetAside>,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) {
        let mut documents = Documents::new(text);
        let mut actions = Actions::default();
        while let Some(document) = documents.next() {
            match document.and_then(|document| actions.apply(document, documents.budget())) {
                Ok(Some(document)) => {
                    self.document(&document);
                    actions.keep(document);
                }
                Ok(None) => {}
                Err(fault) => self.reject(fault, text.as_bytes()),
            }
        }
    }

    fn document(&mut self, document: &yaml::Node<'_>) {
        let mark = self.sink.diagnostics.len();
        let sink = &mut self.sink;
        let (kind, read) = if document.get("correlation").is_some() {
            (
                Kind::Correlation,
                Correlation::read(document, sink).map(|it| Document::Correlation(Box::new(it))),
            )
        } else if document.get("filter").is_some() {
            (
                Kind::Filter,
                Filter::read(document, self.placeholders, sink)
                    .map(|it| Document::Filter(Box::new(it))),
            )
        } else if document.get("detection").is_some() || document.get("logsource").is_some() {
            (
                Kind::Rule,
                Rule::read(document, self.placeholders, sink)
                    .map(|it| Document::Rule(Box::new(it))),
            )
        } else {
            sink.error(
                "no-rule",
                document.span,
                "this is neither a rule nor a correlation nor a filter",
            )
            .help("a rule has `logsource` and `detection`; point to folders that hold rules only");
            (Kind::Rule, None)
        };
        match (sink.verdict_since(mark), read) {
            (None, Some(read)) => self.documents.push(read),
            (None, None) => debug_assert!(false, "a document went missing in silence"),
            (Some(reason), _) => {
                let title = document.get("title").and_then(|title| title.as_scalar());
                let title = title.map(|title| title.text.trim().to_owned());
                self.set_aside.push(SetAside {
                    kind,
                    title,
                    reason: reason.clone(),
                });
            }
        }
    }

    /// Sets aside what is no sound YAML. A filter must be known even then, since the rules that it is about must not run
    /// without it: a source with a line that begins with `filter:` is taken for one.
    fn reject(&mut self, fault: Fault, source: &[u8]) {
        let mark = self.sink.diagnostics.len();
        self.sink.fault(fault);
        let reason = self.sink.diagnostics[mark].clone();
        let mut lines = source.split(|byte| *byte == b'\n');
        let is_filter = lines.any(|line| line.starts_with(b"filter:"));
        self.set_aside.push(SetAside {
            kind: if is_filter { Kind::Filter } else { Kind::Rule },
            title: None,
            reason,
        });
    }
}
