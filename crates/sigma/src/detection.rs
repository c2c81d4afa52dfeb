//! What a rule looks for: named searches, which are trees of items, and conditions over them.
//!
//! A map is AND, a list of maps is OR, a list of texts is OR of keywords; they nest. Where specification and practice
//! leave a choice: null in a list of values is accepted (with a warning) and so is `all` on a single value; an empty
//! list of values is null; null as a keyword is an error, for no event is without strings.

use crate::condition::{self, Condition, Problem, Resolver};
use crate::diagnostic::{Sink, Span};
use crate::modifier::{self, Alternatives, Modifier, PLACEHOLDER, Placeholders, Refusal};
use crate::rule::Expr;
use crate::yaml::{self, Content, Entry, Scalar};

/// The searches of a rule and how they combine.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// The named searches, in source order.
    pub searches: Vec<Search>,
    /// The conditions; more than one means any of them.
    pub conditions: Vec<Condition>,
}

/// One search identifier and what stands under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The identifier.
    pub name: String,
    /// What it looks for.
    pub node: Node,
    /// Where the identifier stands.
    pub span: Span,
}

/// What a search looks for. A map is [`Node::All`], a list of maps [`Node::Any`]; one of one is the one itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// All of them; never empty.
    All(Vec<Node>),
    /// At least one of them; never empty.
    Any(Vec<Node>),
    /// One test on an event.
    Item(Item),
}

/// A field (or, without one, every string of the event) against values.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The field as written, without modifiers; none for keywords.
    pub field: Option<String>,
    /// The modifiers as written.
    pub modifiers: Vec<Modifier>,
    /// The values, after modifiers; never empty.
    pub values: Vec<Value>,
    /// How the values combine.
    pub link: Link,
    /// Whether the whole item is negated (`neq`).
    pub negated: bool,
    /// Where it stands: the key, or the value of a keyword.
    pub span: Span,
}

/// How the values of an item combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// One match is enough.
    Any,
    /// Each must match.
    All,
}

/// What a field's value is compared with, after all modifiers.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text with wildcards; matches the whole value.
    String(Pattern),
    /// A number as canonical decimal text, exact: `1`, `-3`, `1.5`.
    Number(String),
    /// True or false.
    Bool(bool),
    /// The field is missing or null.
    Null,
    /// Whether the field is there at all.
    Exists(bool),
    /// A regular expression in the syntax of the crate `regex`; it searches, it is not anchored.
    Regex {
        /// The expression, rewritten where the crate's syntax differs from PCRE's.
        pattern: String,
        /// `|i`
        ignore_case: bool,
        /// `|m`: `^` and `$` match at lines, too.
        multi_line: bool,
        /// `|s`: `.` matches newlines, too.
        dot_all: bool,
    },
    /// An IPv4 or IPv6 network.
    Cidr(ipnet::IpNet),
    /// An order between the field and a number in canonical decimal text.
    Compare(Comparison, String),
    /// The value of another field.
    FieldRef {
        /// The other field, as written.
        field: String,
        /// How the two are compared.
        kind: RefKind,
    },
    /// A part of a point in time, such as its hour, as it stands in the event (no change of time zone).
    DatePart {
        /// Which part.
        part: DatePart,
        /// How it is compared; none means equal.
        compare: Option<Comparison>,
        /// With what, as canonical decimal text.
        value: String,
    },
    /// Any of these, also under [`Link::All`].
    AnyOf(Vec<Value>),
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern {
    /// The parts; no two [`Part::Text`] stand side by side, and none is empty.
    pub parts: Vec<Part>,
    /// Whether case matters.
    pub cased: bool,
}

/// A part of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// This text.
    Text(String),
    /// `*`: any number of characters, also none.
    Star,
    /// `?`: exactly one character.
    One,
    /// `%name%` under `expand`. A rule with one of these is set aside until it has a value.
    Placeholder(String),
}

/// An order between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Less than.
    Lt,
    /// Less than or equal.
    Lte,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Gte,
}

/// How a field is compared with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefKind {
    /// The two are equal.
    Equals,
    /// The field starts with the other's value.
    StartsWith,
    /// The field ends with the other's value.
    EndsWith,
    /// The field contains the other's value.
    Contains,
}

/// A part of a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Day of the month, from 1.
    Day,
    /// ISO 8601 week of the year, from 1.
    Week,
    /// 1 to 12.
    Month,
    /// With the century.
    Year,
}

impl Detection {
    /// The conditions with their searches put in; several conditions are OR-ed.
    pub fn expression(&self) -> Expr<'_> {
        let mut conditions: Vec<_> = self
            .conditions
            .iter()
            .map(|condition| self.resolve(condition))
            .collect();
        if conditions.len() == 1 {
            conditions.remove(0)
        } else {
            Expr::Or(conditions)
        }
    }

    fn resolve(&self, condition: &Condition) -> Expr<'_> {
        let all =
            |conditions: &[Condition]| conditions.iter().map(|inner| self.resolve(inner)).collect();
        match condition {
            Condition::And(conditions) => Expr::And(all(conditions)),
            Condition::Or(conditions) => Expr::Or(all(conditions)),
            Condition::Not(inner) => Expr::Not(Box::new(self.resolve(inner))),
            Condition::Search(index) => self.searches[*index].node.expression(),
            Condition::Selector {
                quantifier,
                searches,
                ..
            } => {
                let mut nodes: Vec<_> = searches
                    .iter()
                    .map(|index| self.searches[*index].node.expression())
                    .collect();
                match quantifier {
                    _ if nodes.len() == 1 => nodes.remove(0),
                    Link::Any => Expr::Or(nodes),
                    Link::All => Expr::And(nodes),
                }
            }
        }
    }
}

impl Node {
    /// The node as a part of a rule's [`Expr`].
    pub fn expression(&self) -> Expr<'_> {
        match self {
            Node::All(nodes) => Expr::And(nodes.iter().map(Node::expression).collect()),
            Node::Any(nodes) => Expr::Or(nodes.iter().map(Node::expression).collect()),
            Node::Item(item) => Expr::Item(item),
        }
    }
}

/// The tree of a rule may have this many items, those of a search counted each time that a condition names it.
const MAX_ITEMS: usize = 100_000;

/// Reads searches and conditions; of keys in `others` somebody else takes care.
pub(crate) fn read(
    entries: &[Entry<'_>],
    others: &[&str],
    whole: Span,
    placeholders: &Placeholders,
    sink: &mut Sink,
) -> Option<Detection> {
    let mut alternatives = Alternatives::new(placeholders);
    let mut names = Vec::new();
    let mut searches = Vec::new();
    let mut condition = None;
    for Entry { key, value } in entries {
        match key.text.as_ref() {
            "condition" => condition = Some(value),
            other if others.contains(&other) => {}
            name => {
                let mut reader = SearchReader {
                    sink,
                    alternatives: &mut alternatives,
                };
                names.push(name);
                searches.push(reader.node(value).map(|node| Search {
                    name: name.to_owned(),
                    node,
                    span: key.span,
                }));
            }
        }
    }
    if searches.is_empty() {
        sink.error("no-search", whole, "there is no search")
            .help("name what to look for, e.g. `selection:` with fields and values below it");
    }
    let Some(condition) = condition else {
        sink.error("no-condition", whole, "there is no condition")
            .help("add e.g. `condition: selection`");
        return None;
    };
    let conditions = read_conditions(condition, &names, sink)?;
    let searches: Vec<Search> = searches.into_iter().collect::<Option<_>>()?;
    let detection = Detection {
        searches,
        conditions,
    };
    detection.report_unused(sink);
    if detection.size() > MAX_ITEMS {
        sink.error(
            "condition-too-big",
            condition.span,
            format!("the rule has more than {MAX_ITEMS} tests, searches written out"),
        );
        return None;
    }
    Some(detection)
}

/// Reads a single search.
pub(crate) fn read_search(node: &yaml::Node<'_>, sink: &mut Sink) -> Option<Node> {
    let placeholders = Placeholders::new();
    let mut reader = SearchReader {
        sink,
        alternatives: &mut Alternatives::new(&placeholders),
    };
    reader.node(node)
}

fn read_conditions(
    node: &yaml::Node<'_>,
    names: &[&str],
    sink: &mut Sink,
) -> Option<Vec<Condition>> {
    let texts: Vec<&Scalar> = match &node.content {
        Content::Scalar(scalar) => vec![scalar],
        Content::List(nodes) if !nodes.is_empty() => {
            nodes.iter().filter_map(yaml::Node::as_scalar).collect()
        }
        _ => Vec::new(),
    };
    let wanted = if let Content::List(nodes) = &node.content {
        nodes.len()
    } else {
        1
    };
    if texts.len() != wanted || texts.is_empty() {
        sink.error(
            "condition",
            node.span,
            "a condition must be a text or a list of texts",
        );
        return None;
    }
    let mut resolver = Resolver::new(names);
    let read = |text: &&Scalar| {
        let condition = condition::parse(&text.text).and_then(|ast| resolver.resolve(&ast));
        condition
            .map_err(|problem| report(problem, text, sink))
            .ok()
    };
    // All of them are read before the first that fails decides, so that all problems are reported.
    texts
        .iter()
        .map(read)
        .collect::<Vec<_>>()
        .into_iter()
        .collect()
}

/// Reports a problem of a condition that is written in this scalar.
pub(crate) fn report(problem: Problem, scalar: &Scalar<'_>, sink: &mut Sink) {
    sink.error(problem.code, scalar.part(problem.range), problem.message)
        .help = problem.help;
}

struct SearchReader<'s, 'p> {
    sink: &'s mut Sink,
    alternatives: &'s mut Alternatives<'p>,
}

impl SearchReader<'_, '_> {
    fn node(&mut self, node: &yaml::Node<'_>) -> Option<Node> {
        match &node.content {
            Content::Map(entries) if !entries.is_empty() => {
                let items: Vec<_> = entries
                    .iter()
                    .map(|entry| self.item(entry).map(Node::Item))
                    .collect();
                join(items, Node::All)
            }
            Content::List(nodes) if !nodes.is_empty() => self.list(nodes),
            Content::Scalar(scalar) => self.keywords(&[scalar]),
            _ => {
                self.sink
                    .error("empty-search", node.span, "the search is empty")
                    .help("remove it, or say what it looks for");
                None
            }
        }
    }

    /// Runs of keywords in a list become one item each.
    fn list(&mut self, nodes: &[yaml::Node<'_>]) -> Option<Node> {
        let is_keyword = |node: &yaml::Node<'_>| node.as_scalar().is_some();
        let runs = nodes.chunk_by(|one, next| is_keyword(one) && is_keyword(next));
        let read = |run: &[yaml::Node<'_>]| match run {
            [single] => self.node(single),
            run => self.keywords(
                &run.iter()
                    .filter_map(yaml::Node::as_scalar)
                    .collect::<Vec<_>>(),
            ),
        };
        join(runs.map(read).collect(), Node::Any)
    }

    fn keywords(&mut self, scalars: &[&Scalar<'_>]) -> Option<Node> {
        let span = Span {
            end: scalars.last()?.span.end,
            ..scalars.first()?.span
        };
        let values = self.values(None, &[], scalars)?;
        let item = Item {
            field: None,
            modifiers: Vec::new(),
            values,
            link: Link::Any,
            negated: false,
            span,
        };
        Some(Node::Item(item))
    }

    fn item(&mut self, entry: &Entry<'_>) -> Option<Item> {
        let Entry { key, value } = entry;
        let mut parts = key.text.split('|');
        let field = parts.next().filter(|field| !field.is_empty());
        let modifiers = self.modifiers(key, parts);
        let scalars: Vec<&Scalar> = match &value.content {
            Content::Scalar(scalar) => vec![scalar],
            Content::List(nodes) => nodes.iter().map_while(yaml::Node::as_scalar).collect(),
            Content::Map(_) => Vec::new(),
        };
        let odd = match &value.content {
            Content::Map(_) => Some(value),
            Content::List(nodes) => nodes.get(scalars.len()),
            Content::Scalar(_) => None,
        };
        if let Some(odd) = odd {
            let message = format!("a value cannot be {}", odd.kind());
            self.sink
                .error("value-type", odd.span, message)
                .help("a field has one value or a list of values");
            return None;
        }
        let modifiers = modifiers?;
        if field.is_none()
            && let Some(modifier) = modifiers.iter().find(|modifier| modifier.needs_field())
        {
            let message = format!("`{}` needs a field", modifier.as_str());
            self.sink
                .error("modifier-type", key.span, message)
                .help(format!("write `field|{}`", modifier.as_str()));
            return None;
        }
        let all = modifiers.contains(&Modifier::All);
        if all && scalars.len() == 1 {
            self.sink
                .warning(
                    "all-of-one",
                    key.span,
                    "`all` has no effect on a single value",
                )
                .help("remove `all`");
        }
        let values = if scalars.is_empty() && modifiers.is_empty() && field.is_some() {
            self.sink
                .warning(
                    "empty-list",
                    value.span,
                    "an empty list of values means that the field is missing or null",
                )
                .help("write `null` if that is meant");
            vec![Value::Null]
        } else {
            self.values(field, &modifiers, &scalars)?
        };
        if values.is_empty() {
            self.sink
                .error("empty-list", value.span, "there is no value");
            return None;
        }
        Some(Item {
            field: field.map(str::to_owned),
            link: if all { Link::All } else { Link::Any },
            negated: modifiers.contains(&Modifier::Neq),
            modifiers,
            values,
            span: key.span,
        })
    }

    fn modifiers<'t>(
        &mut self,
        key: &Scalar<'_>,
        names: impl Iterator<Item = &'t str>,
    ) -> Option<Vec<Modifier>> {
        let mut modifiers = Some(Vec::new());
        for name in names {
            match Modifier::named(name) {
                Some(modifier) => {
                    if let Some(modifiers) = &mut modifiers {
                        modifiers.push(modifier);
                    }
                }
                None => {
                    let start = name.as_ptr() as usize - key.text.as_ptr() as usize;
                    let span = key.part(start..start + name.len());
                    let diagnostic = match name {
                        "" => self.sink.error(
                            "unknown-modifier",
                            key.span,
                            "`|` without a modifier behind it",
                        ),
                        _ => self.sink.error(
                            "unknown-modifier",
                            span,
                            format!("there is no modifier `{name}`"),
                        ),
                    };
                    if let Some(meant) = Modifier::meant_by(name) {
                        diagnostic.help(format!("did you mean `{}`?", meant.as_str()));
                    }
                    modifiers = None;
                }
            }
        }
        modifiers
    }

    fn values(
        &mut self,
        field: Option<&str>,
        modifiers: &[Modifier],
        scalars: &[&Scalar<'_>],
    ) -> Option<Vec<Value>> {
        let mut values = Vec::with_capacity(scalars.len());
        for scalar in scalars {
            match modifier::apply(modifiers, scalar, self.alternatives) {
                Ok(Value::Null) if field.is_none() => {
                    self.sink
                        .error("null-keyword", scalar.span, "null is no keyword")
                        .help("write `field: null` to ask for a missing field");
                }
                Ok(value) => {
                    if value == Value::Null && scalars.len() > 1 {
                        self.sink
                            .warning(
                                "null-in-list",
                                scalar.span,
                                "null in a list of values is no part of Sigma",
                            )
                            .help("ask for the missing field in a search of its own");
                    }
                    values.push(value);
                }
                Err(refusal) => self.refuse(refusal, scalar),
            }
        }
        (values.len() == scalars.len()).then_some(values)
    }

    fn refuse(&mut self, refusal: Refusal, scalar: &Scalar<'_>) {
        if refusal.code == PLACEHOLDER {
            self.sink
                .needs_set_up(PLACEHOLDER, scalar.span, refusal.message)
                .help("give it values by a mapping, or put them in its place and remove `expand`");
        } else {
            self.sink
                .error(refusal.code, scalar.span, refusal.message)
                .help = refusal.help.map(str::to_owned);
        }
    }
}

/// One node is itself; a broken one spoils all.
fn join(nodes: Vec<Option<Node>>, join: fn(Vec<Node>) -> Node) -> Option<Node> {
    let mut nodes: Vec<Node> = nodes.into_iter().collect::<Option<_>>()?;
    Some(if nodes.len() == 1 {
        nodes.remove(0)
    } else {
        join(nodes)
    })
}

impl Node {
    fn size(&self) -> usize {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(Node::size).sum(),
            Node::Item(_) => 1,
        }
    }
}

impl Detection {
    /// How many items its expression has.
    fn size(&self) -> usize {
        let sizes: Vec<usize> = self
            .searches
            .iter()
            .map(|search| search.node.size())
            .collect();
        let mut size: usize = 0;
        self.each_use(&mut |index| size = size.saturating_add(sizes[index]));
        size
    }

    fn report_unused(&self, sink: &mut Sink) {
        let mut used = vec![false; self.searches.len()];
        self.each_use(&mut |index| used[index] = true);
        for search in self
            .searches
            .iter()
            .zip(used)
            .filter(|(_, used)| !used)
            .map(|(search, _)| search)
        {
            let diagnostic = sink.warning(
                "unused-search",
                search.span,
                format!("no condition uses the search `{}`", search.name),
            );
            match search.name.as_str() {
                "timeframe" => diagnostic.help("time frames belong to correlation rules"),
                _ => diagnostic.help("use it in the condition, or remove it"),
            };
        }
    }

    fn each_use(&self, see: &mut impl FnMut(usize)) {
        fn walk(condition: &Condition, see: &mut impl FnMut(usize)) {
            match condition {
                Condition::And(parts) | Condition::Or(parts) => {
                    parts.iter().for_each(|part| walk(part, see))
                }
                Condition::Not(inner) => walk(inner, see),
                Condition::Search(index) => see(*index),
                Condition::Selector { searches, .. } => {
                    searches.iter().for_each(|index| see(*index))
                }
            }
        }
        self.conditions
            .iter()
            .for_each(|condition| walk(condition, see));
    }
}
