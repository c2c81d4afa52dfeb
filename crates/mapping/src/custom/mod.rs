//! Mappings that users bring: configuration files of sigmac, and processing pipelines of pySigma.
//!
//! Both do the same things to a rule on its way, the [`Draft`]: they rename its fields, say by conditions which events its
//! log source means, and change its log source. Where one has given conditions for the log source that the draft has in the
//! end, the rule runs under these; else the next mapping has its turn. So what only *changes* a log source (`rewrite`,
//! `change_log_source`) hands the rule on, with the conditions so far among the rule's own tests.
//!
//! What a file says that is not understood here is an error with its place. Nothing in it is passed over but what cannot
//! matter to the question whether an event matches: titles, orders, and names of indices and tools.

mod config;
mod document;
mod draft;
mod pipeline;

pub(crate) use draft::{Draft, Unusable};

use document::{Document, Found};
use sigma::{Diagnostic, Placeholders, Source, Span, yaml};

/// Where a file begins.
const TOP: Span = Span {
    start: 0,
    end: 0,
    line: 1,
    column: 1,
};

/// A mapping that a user brings.
#[derive(Debug)]
pub(crate) enum Custom {
    /// A configuration of sigmac.
    Config(config::Config),
    /// A pipeline of pySigma.
    Pipeline(pipeline::Pipeline),
}

impl Custom {
    /// Reads the text of a file, and sees from its keys what it is.
    pub fn read(source: &Source<'_>) -> Result<Custom, Vec<Diagnostic>> {
        let nodes = yaml::read(source).map_err(|diagnostic| vec![*diagnostic])?;
        let document = Document::new(source.name);
        let root = match nodes.as_slice() {
            [root] => root,
            [] => return Err(document.error(TOP, "the file is empty")),
            [_, second, ..] => {
                return Err(document.error(second.span, "a mapping is a single document"));
            }
        };
        let has = |keys: &[&str]| keys.iter().any(|key| root.get(key).is_some());
        if has(pipeline::MARKS) {
            Found::map(pipeline::read(&document, root), Custom::Pipeline)
        } else if has(config::MARKS) {
            Found::map(config::read(&document, root), Custom::Config)
        } else {
            let message = format!(
                "this is no mapping: a configuration of sigmac has {}, a pipeline of pySigma {}",
                document::quoted(config::MARKS),
                document::quoted(pipeline::MARKS)
            );
            Err(document.error(root.span, message))
        }
    }

    /// The values that it has for placeholders.
    pub fn placeholders(&self) -> Option<&Placeholders> {
        match self {
            Custom::Config(_) => None,
            Custom::Pipeline(pipeline) => Some(pipeline.placeholders()),
        }
    }

    /// Leaves only what a configuration says of the names of fields, which come beside those in the rule.
    pub fn leave_names_beside(&mut self) {
        if let Custom::Config(config) = self {
            config.leave_names_beside();
        }
    }

    /// The names that a configuration gives to fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let config = match self {
            Custom::Config(config) => Some(config),
            Custom::Pipeline(_) => None,
        };
        config.into_iter().flat_map(config::Config::all_names)
    }

    /// Does its work on a draft.
    pub fn apply(&self, draft: &mut Draft<'_>) -> Result<(), Unusable> {
        match self {
            Custom::Config(config) => config.apply(draft),
            Custom::Pipeline(pipeline) => pipeline.apply(draft),
        }
    }
}
