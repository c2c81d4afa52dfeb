//! Many sources as one set: identities, filters, references.
//!
//! - The second document with an id is an error; the first stays.
//! - A filter is one more AND on each rule that it names and whose log source lies within its own. A set with a filter
//!   that cannot be applied is refused as a whole, for without it rules would match what somebody decided to leave
//!   out: a filter that is broken, and one that names a rule of another log source. Naming a rule that is not in the
//!   set is harmless, and a warning.
//! - Correlations refer to rules and to each other by id or name, without circles; filters do not apply to them.

use crate::correlation::Correlation;
use crate::diagnostic::{Diagnostic, Label, Location, Severity, Source};
use crate::filter::{Filter, Targets};
use crate::header::parse_uuid;
use crate::rule::{Rule, RuleId};
use crate::{Document, Kind, Parsed, SetAside};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The rules of many sources, as one set.
#[derive(Debug, Default)]
pub struct Collection {
    /// The rules, filters applied, in the order of the sources.
    pub rules: Vec<Rule>,
    /// The correlations.
    pub correlations: Vec<Correlation>,
    /// The filters.
    pub filters: Vec<Arc<Filter>>,
    /// Documents that are in none of these, and why.
    pub set_aside: Vec<SetAside>,
    /// All there is to say, first what is wrong within the sources, then between them.
    pub diagnostics: Vec<Diagnostic>,
    /// Why the set must not be used at all, if so. It is among the diagnostics, too.
    pub refused: Option<Diagnostic>,
}

impl Collection {
    /// Parses the sources and makes one set of them.
    pub fn load<'a>(sources: impl IntoIterator<Item = Source<'a>>) -> Collection {
        Collection::assemble(sources.into_iter().map(|source| crate::parse(&source)))
    }

    /// Makes one set of what was parsed (perhaps on many threads) from many sources.
    pub fn assemble(parsed: impl IntoIterator<Item = Parsed>) -> Collection {
        let mut collection = Collection::default();
        let mut ids = HashMap::new();
        for Parsed {
            documents,
            set_aside,
            diagnostics,
        } in parsed
        {
            collection.set_aside.extend(set_aside);
            collection.diagnostics.extend(diagnostics);
            documents
                .into_iter()
                .for_each(|document| collection.add(document, &mut ids));
        }
        collection.check_names();
        collection.apply_filters();
        collection.check_references();
        collection
    }

    fn add(&mut self, document: Document, ids: &mut HashMap<RuleId, Location>) {
        let (kind, id, title, location) = match &document {
            Document::Rule(it) => (Kind::Rule, &it.id, &it.title, &it.location),
            Document::Correlation(it) => (Kind::Correlation, &it.id, &it.title, &it.location),
            Document::Filter(it) => (Kind::Filter, &it.id, &it.title, &it.location),
        };
        if let Some(first) = ids.get(id) {
            let mut reason = error(
                "duplicate-id",
                location.clone(),
                format!("the id `{id}` is taken"),
            );
            reason.help("give the document an id of its own, or load it once");
            reason.label(first.clone(), "by this document");
            let title = title.clone();
            self.set_aside(kind, title, reason);
            return;
        }
        ids.insert(id.clone(), location.clone());
        match document {
            Document::Rule(rule) => self.rules.push(*rule),
            Document::Correlation(correlation) => self.correlations.push(*correlation),
            Document::Filter(filter) => self.filters.push(Arc::new(*filter)),
        }
    }

    fn set_aside(&mut self, kind: Kind, title: String, reason: Diagnostic) {
        self.diagnostics.push(reason.clone());
        self.set_aside.push(SetAside {
            kind,
            title: Some(title),
            reason,
        });
    }

    fn check_names(&mut self) {
        let named = |rule: &'_ Rule| Some((rule.name.clone()?, rule.location.clone()));
        let rules = self.rules.iter().filter_map(named);
        let correlations = self
            .correlations
            .iter()
            .filter_map(|it| Some((it.name.clone()?, it.location.clone())));
        let mut names: HashMap<String, Location> = HashMap::new();
        for (name, location) in rules.chain(correlations) {
            if let Some(first) = names.get(&name) {
                self.diagnostics.push(Diagnostic {
                    severity: Severity::Warning,
                    labels: vec![Label {
                        location: first.clone(),
                        message: "by this document".to_owned(),
                    }],
                    ..error(
                        "duplicate-name",
                        location,
                        format!("the name `{name}` is taken"),
                    )
                });
            } else {
                names.insert(name, location);
            }
        }
    }

    fn apply_filters(&mut self) {
        let broken = self
            .set_aside
            .iter()
            .find(|document| document.kind == Kind::Filter);
        self.refused = broken.map(|document| document.reason.clone());
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, rule) in self.rules.iter().enumerate() {
            references_to(&rule.id, &rule.name)
                .for_each(|name| index.entry(name).or_default().push(at));
        }
        for filter in &self.filters {
            let targets: BTreeSet<usize> = match &filter.rules {
                Targets::Any => (0..self.rules.len()).collect(),
                Targets::These(names) => {
                    let rules = |name: &String| {
                        index.get(reference(name).as_ref()).or_else(|| {
                            let message =
                                format!("the filter names `{name}`, which is not among the rules");
                            self.diagnostics.push(Diagnostic {
                                severity: Severity::Warning,
                                ..error("filter-rules", filter.location.clone(), message)
                            });
                            None
                        })
                    };
                    names.iter().filter_map(rules).flatten().copied().collect()
                }
            };
            for at in targets {
                let rule = &mut self.rules[at];
                if filter.log_source.contains(&rule.log_source) {
                    rule.filters.push(Arc::clone(filter));
                } else if filter.rules != Targets::Any {
                    let message = format!(
                        "the filter names `{}`, whose log source is not within its own",
                        rule.title
                    );
                    let mut reason = error("filter-log-source", filter.location.clone(), message);
                    reason
                        .help("leave out of the filter's `logsource` what the rule's does not say");
                    reason.label(rule.location.clone(), "this rule");
                    self.diagnostics.push(reason.clone());
                    self.refused.get_or_insert(reason);
                }
            }
        }
    }

    /// Takes out correlations that refer to what is not there, or in a circle, and all that refer to those.
    fn check_references(&mut self) {
        let known: HashSet<String> = self
            .rules
            .iter()
            .flat_map(|rule| references_to(&rule.id, &rule.name))
            .collect();
        let provided = |it: &Correlation| references_to(&it.id, &it.name).collect::<Vec<_>>();
        let provided: Vec<Vec<String>> = self.correlations.iter().map(provided).collect();

        // A correlation is sound once all that it refers to is; what never gets there is not.
        let mut waiting: HashMap<String, Vec<usize>> = HashMap::new();
        let mut missing = vec![0; self.correlations.len()];
        for (at, correlation) in self.correlations.iter().enumerate() {
            let references: HashSet<_> = correlation
                .rules
                .iter()
                .map(|rule| reference(&rule.name))
                .collect();
            for name in references
                .into_iter()
                .filter(|name| !known.contains(name.as_ref()))
            {
                missing[at] += 1;
                waiting.entry(name.into_owned()).or_default().push(at);
            }
        }
        let mut sound: Vec<usize> = (0..missing.len()).filter(|at| missing[*at] == 0).collect();
        while let Some(at) = sound.pop() {
            for waiter in provided[at]
                .iter()
                .filter_map(|name| waiting.remove(name))
                .flatten()
            {
                missing[waiter] -= 1;
                if missing[waiter] == 0 {
                    sound.push(waiter);
                }
            }
        }

        let somewhere: HashSet<&String> = provided.iter().flatten().collect();
        for (correlation, missing) in std::mem::take(&mut self.correlations)
            .into_iter()
            .zip(missing)
        {
            if missing == 0 {
                self.correlations.push(correlation);
                continue;
            }
            let unresolved = correlation
                .rules
                .iter()
                .filter(|rule| waiting.contains_key(reference(&rule.name).as_ref()));
            let Some((is_absent, rule)) = unresolved
                .map(|rule| {
                    (
                        !somewhere.contains(&reference(&rule.name).into_owned()),
                        rule,
                    )
                })
                .max_by_key(|(is_absent, _)| *is_absent)
            else {
                continue;
            };
            let why = if is_absent {
                "which is not there"
            } else {
                "which refers back to it or is broken itself"
            };
            let message = format!("the correlation refers to `{}`, {why}", rule.name);
            let mut reason = error("correlation-reference", rule.location.clone(), message);
            reason.help("refer to rules by `id` or `name`, and load them together");
            self.set_aside(Kind::Correlation, correlation.title.clone(), reason);
        }
    }
}

/// A reference in the form in which it is compared: the case of a UUID is of no importance.
fn reference(name: &str) -> Cow<'_, str> {
    parse_uuid(name).map_or(Cow::Borrowed(name), Cow::Owned)
}

/// What a document may be called by others.
fn references_to(id: &RuleId, name: &Option<String>) -> impl Iterator<Item = String> {
    std::iter::once(id.to_string()).chain(name.as_ref().map(|name| reference(name).into_owned()))
}

fn error(code: &'static str, location: Location, message: String) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code,
        message,
        help: None,
        location,
        labels: Vec::new(),
    }
}
