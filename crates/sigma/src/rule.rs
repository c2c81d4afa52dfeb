//! A rule: what it is called, which log it reads, what it looks for.

use crate::detection::{self, Detection, Item};
use crate::diagnostic::{Location, Sink, Span};
use crate::filter::Filter;
use crate::header::{Field, Header, derived_id};
use crate::modifier::Placeholders;
use crate::yaml::Node;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A Sigma rule that can be run.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its identity.
    pub id: RuleId,
    /// Its title, at most 256 characters.
    pub title: String,
    /// The name by which correlations and filters may call it.
    pub name: Option<String>,
    /// Other rules it has to do with.
    pub related: Vec<Related>,
    /// The taxonomy of its field names; none means Sigma's own.
    pub taxonomy: Option<String>,
    /// How ripe it is.
    pub status: Option<Status>,
    /// What it finds, in words.
    pub description: Option<String>,
    /// SPDX identifier of its licence.
    pub license: Option<String>,
    /// Its author, as written.
    pub author: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// When it was written.
    pub date: Option<Date>,
    /// When it was last changed.
    pub modified: Option<Date>,
    /// The log it reads.
    pub log_source: LogSource,
    /// What it looks for.
    pub detection: Detection,
    /// Filters that apply to it, each one more AND. Only [`crate::Collection`] puts some here.
    pub filters: Vec<Arc<Filter>>,
    /// Fields worth a look when it matches.
    pub fields: Vec<String>,
    /// Known false positives, in words.
    pub false_positives: Vec<String>,
    /// How grave a match is.
    pub level: Option<Level>,
    /// Its tags, in their order.
    pub tags: Vec<Tag>,
    /// The machines it is meant for.
    pub scope: Vec<String>,
    /// Every other top-level key.
    pub custom: Vec<Custom>,
    /// The document it comes from.
    pub location: Location,
}

impl Rule {
    /// The meaning of the rule as one tree over its items: the conditions of a list are OR-ed, filters are AND-ed.
    pub fn expression(&self) -> Expr<'_> {
        let own = self.detection.expression();
        if self.filters.is_empty() {
            return own;
        }
        let filters = self
            .filters
            .iter()
            .map(|filter| filter.detection.expression());
        Expr::And(std::iter::once(own).chain(filters).collect())
    }

    /// Reads a document that is a rule; none if it is broken.
    pub(crate) fn read(
        document: &Node<'_>,
        placeholders: &Placeholders,
        sink: &mut Sink,
    ) -> Option<Rule> {
        let entries = document.as_map()?;
        let start = entries
            .first()
            .map_or(document.span, |first| first.key.span);
        let header = Header::read(entries, &["logsource", "detection"], start, sink);
        header.note_gaps(start, sink);
        let log_source = LogSource::read(document, start, sink);
        let detection = match document.get("detection") {
            Some(node) => match node.as_map() {
                Some(entries) => detection::read(entries, &[], node.span, placeholders, sink),
                None => {
                    let message = format!("`detection` must be a map, and this is {}", node.kind());
                    sink.error("no-detection", node.span, message);
                    None
                }
            },
            None => {
                sink.error("no-detection", start, "there is no `detection`")
                    .help("a rule needs `detection:` with a search and a condition");
                None
            }
        };
        Some(Rule {
            log_source: log_source?,
            detection: detection?,
            filters: Vec::new(),
            id: header.id.unwrap_or_else(|| derived_id(document)),
            title: header.title,
            name: header.name,
            related: header.related,
            taxonomy: header.taxonomy,
            status: header.status,
            description: header.description,
            license: header.license,
            author: header.author,
            references: header.references,
            date: header.date,
            modified: header.modified,
            fields: header.fields,
            false_positives: header.false_positives,
            level: header.level,
            tags: header.tags,
            scope: header.scope,
            custom: header.custom,
            location: sink.location(start),
        })
    }
}

/// A tree over the items of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr<'a> {
    /// All of them.
    And(Vec<Expr<'a>>),
    /// At least one of them.
    Or(Vec<Expr<'a>>),
    /// Not this.
    Not(Box<Expr<'a>>),
    /// One test on an event.
    Item(&'a Item),
}

/// The identity of a rule: its UUID in lower case, or, when it has none, `x-` and 16 hex digits of the SHA-256 of its
/// canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(crate) Box<str>);

impl RuleId {
    /// The text of the identity.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a rule has to do with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The other rule's UUID in lower case.
    pub id: String,
    /// `derived`, `obsolete`, `merged`, `renamed`, `similar` or `correlation`, as written.
    pub kind: String,
}

/// The log a rule reads. At least one of product, category and service is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSource {
    /// E.g. `windows`.
    pub product: Option<String>,
    /// E.g. `process_creation`.
    pub category: Option<String>,
    /// E.g. `security`.
    pub service: Option<String>,
    /// What must be set up for such events to come, in words.
    pub definition: Option<String>,
    /// Every other key.
    pub custom: Vec<(String, String)>,
    /// Where it stands.
    pub span: Span,
}

impl LogSource {
    /// Whether every attribute that is set here is equal in `other`: `windows` contains `windows`/`sysmon`.
    pub fn contains(&self, other: &LogSource) -> bool {
        let within =
            |mine: &Option<String>, theirs: &Option<String>| mine.is_none() || mine == theirs;
        within(&self.product, &other.product)
            && within(&self.category, &other.category)
            && within(&self.service, &other.service)
            && self
                .custom
                .iter()
                .all(|attribute| other.custom.contains(attribute))
    }

    /// Reads the log source of a document.
    pub(crate) fn read(document: &Node<'_>, start: Span, sink: &mut Sink) -> Option<LogSource> {
        const HELP: &str = "say `product`, `category` or `service`";
        let Some(node) = document.get("logsource") else {
            sink.error("no-log-source", start, "there is no `logsource`")
                .help(HELP);
            return None;
        };
        let Some(entries) = node.as_map() else {
            sink.error(
                "no-log-source",
                node.span,
                format!("`logsource` must be a map, and this is {}", node.kind()),
            )
            .help(HELP);
            return None;
        };
        let mut source = LogSource {
            span: node.span,
            ..LogSource::default()
        };
        for entry in entries {
            let name = entry.key.text.as_ref();
            let text = Field {
                name,
                value: &entry.value,
            }
            .text(sink)
            .filter(|text| !text.is_empty());
            match (name, text) {
                ("product", text) => source.product = text,
                ("category", text) => source.category = text,
                ("service", text) => source.service = text,
                ("definition", text) => source.definition = text,
                (name, Some(text)) => source.custom.push((name.to_owned(), text)),
                (_, None) => {}
            }
        }
        if source.product.is_none() && source.category.is_none() && source.service.is_none() {
            sink.error("no-log-source", node.span, "the log source is empty")
                .help(HELP);
            return None;
        }
        Some(source)
    }
}

/// A tag such as `attack.t1059.001`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag {
    /// What stands before the first dot, e.g. `attack`.
    pub namespace: String,
    /// What stands behind it, e.g. `t1059.001`.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.namespace, self.name)
    }
}

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 1000 to 3999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A top-level key that the specification does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Custom {
    /// The key.
    pub name: String,
    /// Its value.
    pub value: Data,
    /// Where the key stands.
    pub span: Span,
}

/// Any YAML value, of which Sigma says nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, as canonical decimal text.
    Number(String),
    /// A text; dates are texts, too.
    String(String),
    /// A list.
    List(Vec<Data>),
    /// A map in source order.
    Map(Vec<(String, Data)>),
}

/// A word of a closed list that is not in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of {known}")]
pub struct UnknownWord {
    /// The word.
    pub word: String,
    /// The words there are.
    pub known: &'static str,
}

/// Defines an enum whose variants are the words of a closed list, in ascending order.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? } known $known:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them, in ascending order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word, as it stands in a rule.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownWord { word: word.to_owned(), known: $known }),
                }
            }
        }
    };
}

words! {
    /// How grave a match is. [`Level::severity`] counts from 1.
    Level {
        /// Not an alert: context for others.
        Informational = "informational",
        /// Worth a look now and then.
        Low = "low",
        /// Worth a look when there is time.
        Medium = "medium",
        /// Worth a look soon.
        High = "high",
        /// Worth a look now.
        Critical = "critical",
    } known "informational, low, medium, high, critical"
}

impl Level {
    /// 1 for informational to 5 for critical.
    pub fn severity(self) -> u8 {
        self as u8 + 1
    }
}

words! {
    /// How ripe a rule is.
    Status {
        /// Cannot be used in its present form.
        Unsupported = "unsupported",
        /// Replaced by another rule.
        Deprecated = "deprecated",
        /// May give many false positives.
        Experimental = "experimental",
        /// May need some tuning.
        Test = "test",
        /// Fit for production.
        Stable = "stable",
    } known "stable, test, experimental, deprecated, unsupported"
}
