//! Configuration files of sigmac.
//!
//! The definitions under `logsources` are gone through in their order. One fits that says nothing else of category, product
//! and service than the rule; its conditions are added. `rewrite` changes the log source for the definitions behind it,
//! and for the next mapping. A log source for which there are neither conditions nor a `rewrite` is left to the
//! next mapping as it is; but the field names of a file without `logsources` are for all rules.

use super::document::{Document, Found, all, field_name};
use super::draft::{Draft, Unusable};
use predicate::Predicate;
use sigma::LogSource;
use sigma::yaml::{Content, Entry, Node};
use std::collections::HashMap;

/// The keys that tell such a file from others.
pub(super) const MARKS: &[&str] = &["logsources", "fieldmappings", "defaultindex"];

/// All keys that it may have. Those about names, indices and tools have no say in what matches.
const KEYS: &[&str] = &[
    "logsources",
    "fieldmappings",
    "logsourcemerging",
    "title",
    "description",
    "author",
    "order",
    "backends",
    "defaultindex",
    "dateField",
];

/// The keys of a log source.
const LOG_SOURCE_KEYS: &[&str] = &[
    "category",
    "product",
    "service",
    "conditions",
    "rewrite",
    "index",
];

/// A configuration of sigmac.
#[derive(Debug)]
pub(crate) struct Config {
    /// None: what it says of fields is for all rules.
    definitions: Option<Vec<Definition>>,
    merging: Merging,
    fields: HashMap<String, Names>,
    /// Whether the names come beside the one in the rule, and not in its place.
    beside: bool,
}

/// What is said of a log source.
#[derive(Debug)]
struct Definition {
    of: LogSource,
    condition: Option<Predicate>,
    rewrite: Option<LogSource>,
}

/// How the conditions of several definitions go together.
#[derive(Clone, Copy, Debug)]
enum Merging {
    And,
    Or,
}

/// The names of a field.
#[derive(Debug)]
enum Names {
    Always(Vec<String>),
    Depending {
        cases: Vec<Case>,
        default: Option<Vec<String>>,
    },
}

/// Names that a field has where the log source of the rule, or another field of it, has a certain value.
#[derive(Debug)]
struct Case {
    attribute: String,
    value: String,
    names: Vec<String>,
}

/// Reads the document.
pub(super) fn read(document: &Document, root: &Node<'_>) -> Found<Config> {
    document.map_of(root, KEYS)?;
    let definitions = root
        .get("logsources")
        .map(|node| {
            all(document
                .map(node)?
                .iter()
                .map(|entry| definition(document, &entry.value)))
        })
        .transpose();
    let fields = root.get("fieldmappings").map_or(Ok(Vec::new()), |node| {
        all(document
            .map(node)?
            .iter()
            .map(|entry| Ok((field_name(&entry.key.text), names(document, entry)?))))
    });
    let merging = match root.get("logsourcemerging") {
        None => Ok(Merging::And),
        Some(node) => match &*document.text(node)? {
            "and" => Ok(Merging::And),
            "or" => Ok(Merging::Or),
            _ => Err(document.error(node.span, "`and` or `or` is wanted here")),
        },
    };
    // All are read before the first that fails decides, so that all problems are reported.
    let mut wrong = Vec::new();
    let mut keep = |more: &mut Vec<_>| wrong.append(more);
    match (definitions, fields, merging) {
        (Ok(definitions), Ok(fields), Ok(merging)) => {
            return Ok(Config {
                definitions,
                merging,
                fields: fields.into_iter().collect(),
                beside: false,
            });
        }
        (definitions, fields, merging) => {
            definitions.err().iter_mut().for_each(&mut keep);
            fields.err().iter_mut().for_each(&mut keep);
            merging.err().iter_mut().for_each(&mut keep);
        }
    }
    Err(wrong)
}

fn definition(document: &Document, node: &Node<'_>) -> Found<Definition> {
    document.map_of(node, LOG_SOURCE_KEYS)?;
    let condition = node.get("conditions").map(|node| document.search(node));
    let rewrite = node.get("rewrite").map(|node| {
        document.map_of(node, &["category", "product", "service"])?;
        document.log_source(node)
    });
    Ok(Definition {
        of: document.log_source(node)?,
        condition: condition.transpose()?,
        rewrite: rewrite.transpose()?,
    })
}

fn names(document: &Document, entry: &Entry<'_>) -> Found<Names> {
    let Content::Map(entries) = &entry.value.content else {
        return Ok(Names::Always(document.names(&entry.value)?));
    };
    let mut default = None;
    let mut cases = Vec::new();
    for Entry { key, value } in entries {
        let names = document.names(value)?;
        match key.text.split_once('=') {
            Some((attribute, value)) => cases.push(Case {
                attribute: field_name(attribute),
                value: value.to_owned(),
                names,
            }),
            None if key.text == "default" => default = Some(names),
            None => {
                let message = format!("`{}` is neither `field=value` nor `default`", key.text);
                return Err(document.error(key.span, message));
            }
        }
    }
    Ok(Names::Depending { cases, default })
}

impl Config {
    /// Gives the draft the conditions and the names of its log source.
    pub fn apply(&self, draft: &mut Draft<'_>) -> Result<(), Unusable> {
        let before = draft.clone();
        let mut concerned = self.definitions.is_none();
        let mut conditions = Vec::new();
        for definition in self.definitions.iter().flatten() {
            if !definition.of.contains(&draft.log_source) {
                continue;
            }
            conditions.extend(definition.condition.clone());
            concerned |= definition.condition.is_some() || definition.rewrite.is_some();
            if let Some(rewrite) = &definition.rewrite {
                self.merge(&mut conditions, draft);
                draft.change_log_source(rewrite);
            }
        }
        self.merge(&mut conditions, draft);
        if concerned {
            draft.rename(&|name| self.names(name, &before))?;
        }
        Ok(())
    }

    /// Moves the conditions of several definitions to the draft.
    fn merge(&self, conditions: &mut Vec<Predicate>, draft: &mut Draft<'_>) {
        let conditions = std::mem::take(conditions);
        if conditions.is_empty() {
            return;
        }
        draft.add_condition(match self.merging {
            Merging::And => Predicate::All(conditions),
            Merging::Or => Predicate::Any(conditions),
        });
    }

    /// Leaves only the names of fields, beside those in the rule.
    pub fn leave_names_beside(&mut self) {
        self.definitions = None;
        self.beside = true;
    }

    /// All names that it gives to fields.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        let names = self.fields.values().flat_map(|names| match names {
            Names::Always(names) => vec![names],
            Names::Depending { cases, default } => cases
                .iter()
                .map(|case| &case.names)
                .chain(default)
                .collect(),
        });
        names.flatten().map(String::as_str)
    }

    /// The names of a field in a rule as it was before.
    fn names(&self, name: &str, rule: &Draft<'_>) -> Vec<String> {
        let own = self.beside.then(|| name.to_owned());
        own.into_iter()
            .chain(self.other_names(name, rule))
            .collect()
    }

    fn other_names(&self, name: &str, rule: &Draft<'_>) -> Vec<String> {
        let own = || vec![name.to_owned()];
        match self.fields.get(name) {
            None => own(),
            Some(Names::Always(names)) => names.clone(),
            Some(Names::Depending { cases, default }) => {
                let fitting = cases.iter().filter(|case| case.fits(rule));
                let names: Vec<String> = fitting.flat_map(|case| case.names.clone()).collect();
                if names.is_empty() {
                    default.clone().unwrap_or_else(own)
                } else {
                    names
                }
            }
        }
    }
}

impl Case {
    fn fits(&self, rule: &Draft<'_>) -> bool {
        let named = match &*self.attribute {
            "category" => &rule.log_source.category,
            "product" => &rule.log_source.product,
            "service" => &rule.log_source.service,
            field => return rule.has_value(field, &self.value),
        };
        named.as_ref() == Some(&self.value)
    }
}
