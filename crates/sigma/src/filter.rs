//! A filter: a condition that is AND-ed to other people's rules, to tune them without a change.

use crate::detection::{self, Detection};
use crate::diagnostic::{Location, Sink};
use crate::header::{Field, Header, derived_id};
use crate::modifier::Placeholders;
use crate::rule::{LogSource, RuleId};
use crate::yaml::{Content, Node};

/// A Sigma filter. Its condition is AND-ed as written: to exclude what it selects, it must say `not selection`.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Its identity, made as that of a rule.
    pub id: RuleId,
    /// Its title.
    pub title: String,
    /// It applies only to rules whose log source is contained in this one.
    pub log_source: LogSource,
    /// The rules it applies to.
    pub rules: Targets,
    /// What is AND-ed.
    pub detection: Detection,
    /// The document it comes from.
    pub location: Location,
}

/// The rules that a filter names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Every rule with a fitting log source (`any`, or an empty list).
    Any,
    /// These, by id or name.
    These(Vec<String>),
}

impl Filter {
    /// Reads a document that is a filter; none if it is broken.
    pub(crate) fn read(
        document: &Node<'_>,
        placeholders: &Placeholders,
        sink: &mut Sink,
    ) -> Option<Filter> {
        let entries = document.as_map()?;
        let start = entries
            .first()
            .map_or(document.span, |first| first.key.span);
        let header = Header::read(entries, &["logsource", "filter"], start, sink);
        let log_source = LogSource::read(document, start, sink);
        let node = document.get("filter")?;
        let Some(entries) = node.as_map() else {
            sink.error(
                "no-filter",
                node.span,
                format!("`filter` must be a map, and this is {}", node.kind()),
            );
            return None;
        };
        let rules = read_targets(node, sink);
        if let Some(condition) = node.get("condition")
            && condition.as_scalar().is_none()
        {
            sink.error(
                "condition",
                condition.span,
                "the condition of a filter must be one text",
            );
            return None;
        }
        let detection = detection::read(entries, &["rules"], node.span, placeholders, sink);
        Some(Filter {
            log_source: log_source?,
            rules: rules?,
            detection: detection?,
            id: header.id.unwrap_or_else(|| derived_id(document)),
            title: header.title,
            location: sink.location(start),
        })
    }
}

fn read_targets(filter: &Node<'_>, sink: &mut Sink) -> Option<Targets> {
    const HELP: &str = "list ids or names of rules, or say `any`";
    let Some(value) = filter.get("rules") else {
        sink.error(
            "filter-rules",
            filter.span,
            "the filter does not say which rules it applies to",
        )
        .help(HELP);
        return None;
    };
    match &value.content {
        Content::Scalar(scalar) if scalar.text == "any" => Some(Targets::Any),
        Content::List(nodes)
            if nodes
                .iter()
                .all(|node| node.as_scalar().is_some() && !node.is_null()) =>
        {
            let names = Field {
                name: "rules",
                value,
            }
            .texts(sink);
            Some(if names.is_empty() {
                Targets::Any
            } else {
                Targets::These(names)
            })
        }
        Content::Scalar(scalar) if !value.is_null() => {
            Some(Targets::These(vec![scalar.text.clone().into_owned()]))
        }
        _ => {
            sink.error(
                "filter-rules",
                value.span,
                "`rules` must be a list of ids or names",
            )
            .help(HELP);
            None
        }
    }
}
