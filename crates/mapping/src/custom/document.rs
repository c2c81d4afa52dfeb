//! What both kinds of files are read with: values of the type that is wanted, or errors with their place.

use crate::{MapError, translate};
use event::FieldPath;
use predicate::Predicate;
use sigma::yaml::{Content, Entry, Meaning, Node};
use sigma::{Diagnostic, Location, LogSource, Severity, Span};
use std::sync::Arc;

/// Something that was read, or all that is wrong with it.
pub(super) type Found<T> = Result<T, Vec<Diagnostic>>;

/// A field may have this many names.
pub(super) const MAX_NAMES: usize = 1_000;

/// The file that is read.
pub(super) struct Document {
    file: Arc<str>,
}

impl Document {
    pub fn new(file: &str) -> Document {
        Document { file: file.into() }
    }

    /// Something is wrong.
    pub fn error(&self, span: Span, message: impl Into<String>) -> Vec<Diagnostic> {
        self.diagnostic("mapping", span, message.into(), None)
    }

    /// Something may well be right, but is not understood here.
    pub fn unsupported(&self, span: Span, what: &str, known: &[&str]) -> Vec<Diagnostic> {
        let message = format!("{what} is not supported here");
        let help = (!known.is_empty()).then(|| format!("what is supported: {}", quoted(known)));
        self.diagnostic("unsupported-mapping", span, message, help)
    }

    fn diagnostic(
        &self,
        code: &'static str,
        span: Span,
        message: String,
        help: Option<String>,
    ) -> Vec<Diagnostic> {
        vec![Diagnostic {
            severity: Severity::Error,
            code,
            message,
            help,
            location: self.location(span),
            labels: Vec::new(),
        }]
    }

    fn location(&self, span: Span) -> Location {
        Location {
            file: Arc::clone(&self.file),
            span,
        }
    }

    /// The entries of a map.
    pub fn map<'n, 'a>(&self, node: &'n Node<'a>) -> Found<&'n [Entry<'a>]> {
        node.as_map().ok_or_else(|| self.wanted(node, "a map"))
    }

    /// The entries of a map that has no other keys than these.
    pub fn map_of<'n, 'a>(&self, node: &'n Node<'a>, keys: &[&str]) -> Found<&'n [Entry<'a>]> {
        let entries = self.map(node)?;
        all(entries.iter().map(|entry| {
            if keys.contains(&&*entry.key.text) {
                return Ok(());
            }
            let what = format!("the key `{}`", entry.key.text);
            Err(self.unsupported(entry.key.span, &what, keys))
        }))?;
        Ok(entries)
    }

    /// The value of a key that must be there.
    pub fn required<'n, 'a>(&self, node: &'n Node<'a>, key: &str) -> Found<&'n Node<'a>> {
        node.get(key)
            .ok_or_else(|| self.error(node.span, format!("there is no `{key}` here")))
    }

    /// The elements of a list.
    pub fn list<'n, 'a>(&self, node: &'n Node<'a>) -> Found<&'n [Node<'a>]> {
        match &node.content {
            Content::List(nodes) => Ok(nodes),
            _ => Err(self.wanted(node, "a list")),
        }
    }

    /// A text that is not empty; numbers and the like are taken as they are written.
    pub fn text(&self, node: &Node<'_>) -> Found<String> {
        match node.as_scalar() {
            Some(scalar) if scalar.meaning() != Meaning::Null && !scalar.text.is_empty() => {
                Ok(scalar.text.clone().into_owned())
            }
            _ => Err(self.wanted(node, "a text")),
        }
    }

    /// A text, or a list of at least one.
    pub fn texts(&self, node: &Node<'_>) -> Found<Vec<String>> {
        match &node.content {
            Content::List(nodes) if !nodes.is_empty() => {
                all(nodes.iter().map(|node| self.text(node)))
            }
            Content::Scalar(_) => Ok(vec![self.text(node)?]),
            _ => Err(self.wanted(node, "a text or a list of texts")),
        }
    }

    /// The names of a field: one, or a list of them.
    pub fn names(&self, node: &Node<'_>) -> Found<Vec<String>> {
        let names = self.texts(node)?;
        if names.len() > MAX_NAMES {
            return Err(self.error(node.span, format!("these are more than {MAX_NAMES} names")));
        }
        Ok(names)
    }

    /// True or false.
    pub fn flag(&self, node: &Node<'_>) -> Found<bool> {
        match node.as_scalar().map(|scalar| scalar.meaning()) {
            Some(Meaning::Bool(flag)) => Ok(flag),
            _ => Err(self.wanted(node, "true or false")),
        }
    }

    /// Tests on an event, as they stand in a search of a rule.
    pub fn search(&self, node: &Node<'_>) -> Found<Predicate> {
        let search = sigma::parse_search(&self.file, node)?;
        translate::translate(&search.expression(), &self.location(node.span)).map_err(|error| {
            let span = match &error {
                MapError::Regex { location, .. } | MapError::Value { location, .. } => {
                    location.span
                }
                MapError::NotMapped(_) => node.span,
            };
            self.error(span, error.to_string())
        })
    }

    /// What a map says of category, product and service, of which there must be one.
    pub fn log_source(&self, node: &Node<'_>) -> Found<LogSource> {
        let named = |key| node.get(key).map(|node| self.text(node)).transpose();
        let log_source = LogSource {
            category: named("category")?,
            product: named("product")?,
            service: named("service")?,
            span: node.span,
            ..LogSource::default()
        };
        if (
            &log_source.category,
            &log_source.product,
            &log_source.service,
        ) == (&None, &None, &None)
        {
            return Err(self.error(
                node.span,
                "there is neither `category` nor `product` nor `service` here",
            ));
        }
        Ok(log_source)
    }

    /// The node is not what is wanted.
    pub fn wanted(&self, node: &Node<'_>, what: &str) -> Vec<Diagnostic> {
        self.error(
            node.span,
            format!("{what} is wanted here, and this is {}", node.kind()),
        )
    }
}

/// All of them, or all that is wrong with them.
pub(super) fn all<T>(found: impl IntoIterator<Item = Found<T>>) -> Found<Vec<T>> {
    let (mut sound, mut wrong) = (Vec::new(), Vec::new());
    for one in found {
        match one {
            Ok(one) => sound.push(one),
            Err(more) => wrong.extend(more),
        }
    }
    if wrong.is_empty() {
        Ok(sound)
    } else {
        Err(wrong)
    }
}

/// The name of a field, as it is compared: without blanks.
pub(super) fn field_name(text: &str) -> String {
    FieldPath::new(text).as_str().to_owned()
}

/// Names in a sentence.
pub(super) fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
