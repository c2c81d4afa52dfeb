//! sigmac's configuration files: what log sources and fields are called in an index.
//!
//! The format has no reference but sigmac's own reading of it, and that is what is done here: unknown keys are passed over,
//! and what stands in the wrong place is an error. (`mapping` reads the same files for matching and, since nothing may
//! be passed over there, is stricter.)

use super::document::Rule;
use super::tree::Tree;
use super::value::{Operand, Value};
use sigma::yaml::{self, Content, Entry, Meaning, Node};
use sigma::{Diagnostic, Location, Severity, Source, Span};
use std::collections::HashMap;

/// A configuration of sigmac.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What it is called in lists.
    pub title: String,
    /// Configurations are given in ascending order.
    pub order: Option<i64>,
    /// The targets that it is for; none: all.
    pub backends: Option<Vec<String>>,
    fields: HashMap<String, Names>,
    definitions: Vec<Definition>,
    merging: Option<Merging>,
    default_index: Vec<String>,
    date_field: Option<String>,
    overrides: Vec<Override>,
}

/// The names of a field in the events.
#[derive(Clone, Debug)]
enum Names {
    /// Always these.
    Always(Vec<String>),
    /// Those of the cases that fit the rule, or those by default, or its own.
    Depending {
        cases: Vec<Case>,
        default: Vec<String>,
    },
}

/// Names that a field has where the log source of the rule, or another field in it, has a certain value.
#[derive(Clone, Debug)]
struct Case {
    attribute: String,
    value: String,
    names: Vec<String>,
}

/// What is said of a log source.
#[derive(Clone, Debug)]
struct Definition {
    category: Option<String>,
    product: Option<String>,
    service: Option<String>,
    index: Vec<String>,
    conditions: Vec<(String, Operand)>,
    rewrite: Option<Attributes>,
    search: bool,
}

/// Category, product and service.
pub(crate) type Attributes = [Option<String>; 3];

/// The names of [`Attributes`].
const ATTRIBUTES: [&str; 3] = ["category", "product", "service"];

/// How the conditions of several definitions go together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Merging {
    And,
    Or,
}

/// Texts in queries that become another one.
#[derive(Clone, Debug)]
struct Override {
    field: String,
    value: String,
    regexes: Vec<String>,
    literals: Vec<String>,
}

impl Config {
    /// Reads the text of a configuration.
    ///
    /// # Errors
    /// The first thing that is wrong with it, and where.
    pub fn read(source: &Source<'_>) -> Result<Config, Box<Diagnostic>> {
        let documents = yaml::read(source)?;
        let reader = Reader { file: source.name };
        let root = documents.first().ok_or_else(|| {
            let top = Span {
                line: 1,
                column: 1,
                ..Span::default()
            };
            reader.error(top, "the configuration is empty".to_owned())
        })?;
        reader.config(root)
    }
}

struct Reader<'s> {
    file: &'s str,
}

type Read<T> = Result<T, Box<Diagnostic>>;

impl Reader<'_> {
    fn error(&self, span: Span, message: String) -> Box<Diagnostic> {
        Box::new(Diagnostic {
            severity: Severity::Error,
            code: "sigmac-config",
            message,
            help: None,
            location: Location {
                file: self.file.into(),
                span,
            },
            labels: Vec::new(),
        })
    }

    fn wanted(&self, node: &Node<'_>, what: &str) -> Box<Diagnostic> {
        self.error(
            node.span,
            format!("{what} is wanted here, and this is {}", node.kind()),
        )
    }

    fn config(&self, root: &Node<'_>) -> Read<Config> {
        self.map(root)?;
        let get = |key: &str| root.get(key).filter(|node| !node.is_null());
        let texts = |key: &str| get(key).map(|node| self.texts(node)).transpose();
        let mut fields = HashMap::new();
        if let Some(node) = get("fieldmappings") {
            for entry in self.map(node)? {
                // A field that is mapped to nothing keeps its name.
                if !entry.value.is_null() {
                    fields.insert(entry.key.text.to_string(), self.names(&entry.value)?);
                }
            }
        }
        let mut definitions = Vec::new();
        if let Some(node) = get("logsources") {
            for entry in self.map(node)? {
                definitions.push(self.definition(entry)?);
            }
        }
        let mut overrides = Vec::new();
        if let Some(Node {
            content: Content::List(nodes),
            ..
        }) = get("overrides")
        {
            overrides.extend(nodes.iter().filter_map(|node| self.replacement(node)));
        }
        let merging = match get("logsourcemerging") {
            None => None,
            Some(node) => match &*self.text(node)? {
                "and" => Some(Merging::And),
                "or" => Some(Merging::Or),
                _ => return Err(self.wanted(node, "`and` or `or`")),
            },
        };
        let order = match get("order") {
            None => None,
            Some(node) => match node.as_scalar().map(|scalar| scalar.meaning()) {
                Some(Meaning::Number(digits)) => digits.parse().ok(),
                _ => return Err(self.wanted(node, "a number")),
            },
        };
        Ok(Config {
            title: get("title").map_or(Ok(String::new()), |node| self.text(node))?,
            order,
            backends: texts("backends")?,
            fields,
            definitions,
            merging,
            default_index: texts("defaultindex")?.unwrap_or_default(),
            date_field: get("dateField").map(|node| self.text(node)).transpose()?,
            overrides,
        })
    }

    fn map<'n, 'a>(&self, node: &'n Node<'a>) -> Read<&'n [Entry<'a>]> {
        node.as_map().ok_or_else(|| self.wanted(node, "a map"))
    }

    fn text(&self, node: &Node<'_>) -> Read<String> {
        let scalar = node
            .as_scalar()
            .ok_or_else(|| self.wanted(node, "a text"))?;
        Ok(scalar.text.to_string())
    }

    fn texts(&self, node: &Node<'_>) -> Read<Vec<String>> {
        match &node.content {
            Content::List(nodes) => nodes.iter().map(|node| self.text(node)).collect(),
            _ => Ok(vec![self.text(node)?]),
        }
    }

    fn names(&self, node: &Node<'_>) -> Read<Names> {
        let Content::Map(entries) = &node.content else {
            return Ok(Names::Always(self.texts(node)?));
        };
        let (mut cases, mut default) = (Vec::new(), Vec::new());
        for Entry { key, value } in entries {
            let names = self.texts(value)?;
            match key.text.split_once('=') {
                Some((attribute, value)) => cases.push(Case {
                    attribute: attribute.to_owned(),
                    value: value.to_owned(),
                    names,
                }),
                None if key.text == "default" => default = names,
                None => {
                    let message = "`field=value` or `default` is wanted here".to_owned();
                    return Err(self.error(key.span, message));
                }
            }
        }
        Ok(Names::Depending { cases, default })
    }

    fn attributes(&self, node: &Node<'_>) -> Read<Attributes> {
        let mut attributes = Attributes::default();
        for (name, attribute) in ATTRIBUTES.iter().zip(&mut attributes) {
            if let Some(node) = node.get(name) {
                let scalar = node
                    .as_scalar()
                    .filter(|scalar| scalar.meaning() == Meaning::Text);
                let text = scalar.ok_or_else(|| self.wanted(node, "a text"))?;
                *attribute = Some(text.text.to_string());
            }
        }
        if attributes.iter().all(Option::is_none) {
            let message = "there is neither `category` nor `product` nor `service` here".to_owned();
            return Err(self.error(node.span, message));
        }
        Ok(attributes)
    }

    fn definition(&self, entry: &Entry<'_>) -> Read<Definition> {
        let node = &entry.value;
        self.map(node)?;
        let mut conditions = Vec::new();
        if let Some(node) = node.get("conditions").filter(|node| !node.is_null()) {
            for Entry { key, value } in self.map(node)? {
                conditions.push((key.text.to_string(), self.operand(value)?));
            }
        }
        let index = node.get("index").filter(|node| !node.is_null());
        let rewrite = node.get("rewrite").filter(|node| !node.is_null());
        let [category, product, service] = self.attributes(node)?;
        Ok(Definition {
            category,
            product,
            service,
            index: index
                .map(|node| self.texts(node))
                .transpose()?
                .unwrap_or_default(),
            conditions,
            rewrite: rewrite.map(|node| self.attributes(node)).transpose()?,
            search: node.get("search").is_some(),
        })
    }

    fn operand(&self, node: &Node<'_>) -> Read<Operand> {
        Ok(match &node.content {
            Content::Scalar(scalar) => Operand::One(Value::of(scalar)),
            Content::List(nodes) => Operand::List(
                nodes
                    .iter()
                    .map(|node| self.operand(node))
                    .collect::<Read<_>>()?,
            ),
            Content::Map(_) => return Err(self.wanted(node, "a value or a list of values")),
        })
    }

    fn replacement(&self, node: &Node<'_>) -> Option<Override> {
        let texts = |key: &str| self.texts(node.get(key)?).ok();
        Some(Override {
            field: self.text(node.get("field")?).ok()?,
            value: self.text(node.get("value")?).ok()?,
            regexes: texts("regexes").unwrap_or_default(),
            literals: texts("literals").unwrap_or_default(),
        })
    }
}

/// Several configurations, one after another.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    configs: Vec<Config>,
}

/// Why a chain cannot say what a rule wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChainFault {
    #[error("a field mapping with conditions must be in the last configuration")]
    NotLast,
    #[error("the configurations disagree on what the log source becomes")]
    Rewrites,
    #[error("the configurations name a `search` for the log source, which is not in Sigtag")]
    Search,
}

/// What a chain says of a rule's log source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Where the events are. Without order and doubles.
    pub indices: Vec<String>,
    /// Which of them are meant.
    pub condition: Option<Tree>,
}

impl Chain {
    /// The configurations in their order.
    pub fn new(configs: Vec<Config>) -> Chain {
        Chain { configs }
    }

    /// The field of the time of an event, if one is named.
    pub(crate) fn date_field(&self) -> Option<&str> {
        self.configs
            .iter()
            .rev()
            .find_map(|config| config.date_field.as_deref())
    }

    /// The names of a field, as each configuration in turn has them.
    pub(crate) fn names(&self, field: &str, rule: &Rule<'_>) -> Result<Vec<String>, ChainFault> {
        let mut names = vec![field.to_owned()];
        for (at, config) in self.configs.iter().enumerate() {
            let mut next = Vec::with_capacity(names.len());
            for name in names {
                match config.fields.get(&name) {
                    None => next.push(name),
                    Some(Names::Always(names)) => next.extend(names.iter().cloned()),
                    Some(Names::Depending { .. }) if at + 1 < self.configs.len() => {
                        return Err(ChainFault::NotLast);
                    }
                    Some(Names::Depending { cases, default }) => {
                        next.extend(depending(name, cases, default, rule));
                    }
                }
            }
            names = next;
        }
        let mut seen = Vec::new();
        names.retain(|name| {
            !seen.contains(name) && {
                seen.push(name.clone());
                true
            }
        });
        Ok(names)
    }

    /// What is said of the log source of a rule.
    pub(crate) fn scope(&self, rule: &Rule<'_>) -> Result<Scope, ChainFault> {
        let mut now = rule.log_source();
        let (mut indices, mut conditions, mut rewritten) = (Vec::new(), Vec::new(), None);
        let mut search = false;
        for config in &self.configs {
            for definition in &config.definitions {
                if !definition.fits(&now) {
                    continue;
                }
                search |= definition.search;
                for index in &definition.index {
                    if !indices.contains(index) {
                        indices.push(index.clone());
                    }
                }
                if !definition.conditions.is_empty() {
                    conditions.push(&definition.conditions);
                }
                if let Some(rewrite) = &definition.rewrite {
                    if rewritten.as_ref().is_some_and(|before| before != rewrite) {
                        return Err(ChainFault::Rewrites);
                    }
                    rewritten = Some(rewrite.clone());
                    now = rewrite.clone();
                }
            }
        }
        if search {
            return Err(ChainFault::Search);
        }
        if indices.is_empty() {
            indices = self
                .configs
                .last()
                .map_or_else(Vec::new, |last| last.default_index.clone());
        }
        let mut sets = Vec::with_capacity(conditions.len());
        for set in conditions {
            let tests: Result<Vec<Tree>, ChainFault> = set
                .iter()
                .map(|(field, operand)| self.field(field, operand.clone(), rule))
                .collect();
            sets.push(Tree::And(tests?));
        }
        let condition = match self.configs.iter().find_map(|config| config.merging) {
            _ if sets.is_empty() => None,
            Some(Merging::Or) => Some(Tree::Or(sets)),
            _ => Some(Tree::And(sets)),
        };
        // One level more than is needed, as sigmac has it: it shows in what the optimiser joins.
        let condition = condition.map(|condition| Tree::And(vec![condition]));
        Ok(Scope { indices, condition })
    }

    /// A test on a field, under its names here.
    pub(crate) fn field(
        &self,
        field: &str,
        operand: Operand,
        rule: &Rule<'_>,
    ) -> Result<Tree, ChainFault> {
        let mut names = self.names(field, rule)?;
        Ok(match names.pop() {
            Some(name) if names.is_empty() => Tree::Field(name, operand),
            last => {
                let names = names.into_iter().chain(last);
                Tree::Or(
                    names
                        .map(|name| Tree::Field(name, operand.clone()))
                        .collect(),
                )
            }
        })
    }

    /// A query with the texts replaced that the configurations want replaced. What is no expression is passed over.
    pub(crate) fn overridden(&self, mut query: String) -> String {
        for replacement in self.configs.iter().flat_map(|config| &config.overrides) {
            let test = format!("{}:{}", replacement.field, replacement.value);
            for pattern in &replacement.regexes {
                if let Ok(regex) = regex::Regex::new(pattern) {
                    query = regex
                        .replace_all(&query, regex::NoExpand(&test))
                        .into_owned();
                }
            }
            for literal in &replacement.literals {
                query = query.replace(literal.as_str(), &test);
            }
        }
        query
    }
}

impl Definition {
    /// Whether the log source has each attribute that is named here.
    fn fits(&self, [category, product, service]: &Attributes) -> bool {
        let within = |mine: &Option<String>, theirs| mine.is_none() || mine == theirs;
        within(&self.category, category)
            && within(&self.product, product)
            && within(&self.service, service)
    }
}

/// The names by the cases that fit. Cases on the log source take the place of the default.
fn depending(field: String, cases: &[Case], default: &[String], rule: &Rule<'_>) -> Vec<String> {
    let log_source = rule.log_source();
    let mut names = Vec::new();
    let mut default = default;
    for case in cases {
        match ATTRIBUTES.iter().position(|name| *name == case.attribute) {
            Some(at) if log_source[at].as_ref() == Some(&case.value) => default = &case.names,
            Some(_) => {}
            None if rule.has_value(&case.attribute, &case.value) => {
                names.extend(case.names.iter().cloned())
            }
            None => {}
        }
    }
    match (names.is_empty(), default) {
        (false, _) => names,
        (true, []) => vec![field],
        (true, default) => default.to_vec(),
    }
}
