//! Rules as the specification means them.
//!
//! A rule is read by [`sigma`], bound to the fields of an index by [`mapping`], and its meaning written by [`query`]. What a
//! query cannot say exactly is said of it: see [`Converted::notes`]. The targets are the same as for [`crate::sigmac`].

use crate::draft::{Converted, Draft};
use crate::sigmac::{
    Chain, Config, Failure, Fields, Filter, Meaning, Options, Query, Reader, Rule, Status,
};
use crate::targets::Target;
use mapping::{MapError, MappedRule, Mapping};
use query::Schema;
use sigma::{Diagnostic, Placeholders, Severity, Source};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What log sources and fields are called in an index.
#[derive(Debug)]
pub struct Names {
    /// What the user brings, and then what is built in.
    mapping: Mapping,
    /// The fields as the user's configuration has them, in the log sources that are built in; and how these fields begin. It
    /// decides before `mapping`, since a configuration knows neither all fields nor all conditions of a log source.
    within: Option<(Mapping, HashSet<String>)>,
    /// The configurations, for the names of indices.
    chain: Chain,
}

impl Names {
    /// Reads configurations of sigmac and pipelines of pySigma, in their order. There may be none.
    ///
    /// # Errors
    /// All that is wrong with the first that cannot be used.
    pub fn read(sources: &[Source<'_>]) -> Result<Names, Vec<Diagnostic>> {
        let (mut full, mut only, mut configs) = (Vec::new(), Vec::new(), Vec::new());
        let mut roots = HashSet::new();
        for source in sources {
            let mapping = Mapping::read(source)?;
            if mapping.is_config() {
                configs.push(Config::read(source).map_err(|diagnostic| vec![*diagnostic])?);
                roots.extend(mapping.roots());
            }
            full.push(mapping);
            only.push(Mapping::read(source)?.names_beside());
        }
        let with_builtin = |mappings: Vec<Mapping>| {
            Mapping::first_of(mappings.into_iter().chain([Mapping::builtin()]))
        };
        Ok(Names {
            mapping: with_builtin(full),
            within: (!roots.is_empty()).then(|| (with_builtin(only), roots)),
            chain: Chain::new(configs),
        })
    }

    /// The values that it has for the placeholders of rules.
    pub fn placeholders(&self) -> Placeholders {
        self.mapping.placeholders()
    }

    fn map(&self, rule: &sigma::Rule) -> Result<MappedRule, MapError> {
        if let Some((mapping, roots)) = &self.within {
            match mapping.map(rule) {
                Ok(mapped) => {
                    if let Some(within) = mapped.within(roots) {
                        return Ok(within);
                    }
                }
                Err(MapError::NotMapped(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.mapping.map(rule)
    }
}

/// Converts rules for one target.
pub struct Converter<'t> {
    target: &'t dyn Target,
    rule_names: Names,
    schema: Arc<Schema>,
    options: Options,
    fields: Fields,
    filter: Filter,
    today: i64,
    names: RefCell<HashMap<String, usize>>,
}

impl<'t> Converter<'t> {
    /// A converter for a target, for an index with these names and this schema.
    pub fn new(
        target: &'t dyn Target,
        names: Names,
        schema: Schema,
        options: Options,
    ) -> Converter<'t> {
        let fields = Fields::new(&options);
        Converter {
            target,
            rule_names: names,
            schema: Arc::new(schema),
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

    /// Converts a rule; none if it is not wanted. What cannot be mapped or written is a failure, with the severity
    /// [`Severity::NeedsSetUp`] if the rule only lacks the names of its log source.
    pub fn convert(&self, rule: &sigma::Rule) -> Option<Result<Converted, Failure>> {
        let head = Rule::from(rule);
        let wanted = self.filter.wants(&head, self.today);
        wanted.then(|| self.write(rule, &head))
    }

    fn write(&self, rule: &sigma::Rule, head: &Rule<'_>) -> Result<Converted, Failure> {
        let location = &rule.location;
        let mapped = self.rule_names.map(rule).map_err(|error| {
            let mut failure = Failure::new(
                Status::NotSupported,
                &location.file,
                location.span,
                error.to_string(),
            );
            if let MapError::NotMapped(_) = error {
                failure.diagnostic.severity = Severity::NeedsSetUp;
                failure.diagnostic.code = "log-source";
                failure.diagnostic.location.span = rule.log_source.span;
                failure.diagnostic.help =
                    Some("give a mapping that knows this log source".to_owned());
            }
            failure
        })?;
        let chain = &self.rule_names.chain;
        let draft = Draft {
            rule: head,
            queries: vec![Query {
                search: Meaning::Predicate(mapped.predicate(), self.schema.clone()),
                aggregation: None,
            }],
            indices: chain
                .scope(head)
                .map(|scope| scope.indices)
                .unwrap_or_default(),
            chain,
            options: &self.options,
            fields: &self.fields,
            is_strict: true,
            names: &self.names,
            reader: &Reader {
                rule: head,
                chain,
                file: &location.file,
            },
            notes: RefCell::default(),
            warnings: RefCell::default(),
        };
        draft.written(self.target)
    }
}
