//! From a document to trees, one for each of its conditions.

use super::condition::{self, Aggregation, Condition, Fault, Search};
use super::config::{Chain, ChainFault};
use super::document::Rule;
use super::modifier::{self, Refusal};
use super::tree::Tree;
use super::value::{Operand, Value};
use super::{Failure, Status};
use predicate::{Predicate, glob};
use query::Schema;
use sigma::Span;
use sigma::yaml::{Content, Entry, Node};
use std::sync::Arc;

/// What one condition of a rule looks for.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub search: Meaning,
    /// What is counted.
    pub aggregation: Option<Aggregation>,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    /// As sigmac sees it, with the conditions of the log source; none if nothing is left of it.
    Tree(Option<Tree>),
    /// As the specification has it, in an index with this schema.
    Predicate(Predicate, Arc<Schema>),
}

/// Reads rules of one file.
pub(crate) struct Reader<'r, 'a> {
    pub rule: &'r Rule<'a>,
    pub chain: &'r Chain,
    pub file: &'r str,
}

type Read<T> = Result<T, Failure>;

impl<'r, 'a> Reader<'r, 'a> {
    /// One query for each condition. `scope` is what holds of the log source.
    pub fn queries(&self, scope: Option<&Tree>) -> Read<Vec<Query>> {
        let missing = |what: &str| self.parse(self.rule.span(), format!("there is no {what}"));
        let Some(node) = self.rule.get("detection") else {
            return Err(missing("`detection`"));
        };
        let Some(entries) = node.as_map() else {
            return Err(self.parse(
                node.span,
                format!("`detection` must be a map, and this is {}", node.kind()),
            ));
        };
        let find = |key: &str| entries.iter().find(|entry| entry.key.text == key);
        let Some(condition) = find("condition") else {
            return Err(missing("`condition`"));
        };
        let texts = match &condition.value.content {
            Content::List(nodes) => nodes.iter().collect(),
            _ => vec![&condition.value],
        };
        texts
            .into_iter()
            .map(|node| self.query(node, entries, scope))
            .collect()
    }

    fn query(&self, node: &Node<'a>, entries: &[Entry<'a>], scope: Option<&Tree>) -> Read<Query> {
        let Some(scalar) = node.as_scalar() else {
            return Err(self.crash(
                node.span,
                format!("a condition must be a text, and this is {}", node.kind()),
            ));
        };
        let fault = |Fault { at, message, crash }: Fault| {
            let span = scalar.part(at);
            if crash {
                self.crash(span, message)
            } else {
                self.parse(span, message)
            }
        };
        let Condition {
            search,
            aggregation,
        } = condition::read(&scalar.text).map_err(fault)?;
        let own = self.search(&search, entries, scalar.span)?;
        let tree = match scope {
            Some(scope) => Tree::And(vec![scope.clone(), Tree::Group(Box::new(own))]),
            None => own,
        };
        Ok(Query {
            search: Meaning::Tree(tree.optimised()),
            aggregation,
        })
    }

    /// The trees of searches by name, for `near`.
    pub fn named(&self, name: &str) -> Read<Option<Tree>> {
        let entries = self.rule.detection().unwrap_or_default();
        let tree = self.search(&Search::Name(name.to_owned()), entries, self.rule.span())?;
        Ok(tree.optimised())
    }

    fn search(&self, search: &Search, entries: &[Entry<'a>], at: Span) -> Read<Tree> {
        let of = |search: &Search| self.search(search, entries, at);
        Ok(match search {
            Search::And(left, right) => Tree::And(vec![of(left)?, of(right)?]),
            Search::Or(left, right) => Tree::Or(vec![of(left)?, of(right)?]),
            Search::Not(inner) => Tree::Not(Box::new(of(inner)?)),
            // What stands in parentheses is read, and optimised, by itself.
            Search::Group(inner) => {
                let inner = of(inner)?.optimised().unwrap_or(Tree::And(Vec::new()));
                Tree::Group(Box::new(inner))
            }
            Search::Name(name) => self.definition(&self.find(name, entries, at)?.value)?,
            Search::Of { all, what } => {
                let join = |trees| {
                    Tree::Group(Box::new(if *all {
                        Tree::And(trees)
                    } else {
                        Tree::Or(trees)
                    }))
                };
                let searches = entries
                    .iter()
                    .filter(|entry| !matches!(&*entry.key.text, "condition" | "timeframe"));
                let chosen: Vec<&Entry<'a>> = match what.find('*') {
                    _ if what.eq_ignore_ascii_case("them") => searches.collect(),
                    Some(at) if at > 0 => searches
                        .filter(|entry| glob(what, &entry.key.text))
                        .collect(),
                    _ => {
                        let entry = self.find(what, entries, at)?;
                        return match &entry.value.content {
                            Content::List(nodes) => Ok(join(self.items(nodes)?)),
                            _ => self.definition(&entry.value),
                        };
                    }
                };
                if chosen.is_empty() {
                    let message = format!("no search has a name that fits `{what}`");
                    return Err(self.refuse(at, message));
                }
                let trees: Read<Vec<Tree>> = chosen
                    .iter()
                    .map(|entry| self.definition(&entry.value))
                    .collect();
                join(trees?)
            }
        })
    }

    fn find<'e>(&self, name: &str, entries: &'e [Entry<'a>], at: Span) -> Read<&'e Entry<'a>> {
        let found = entries.iter().find(|entry| entry.key.text == name);
        found.ok_or_else(|| self.parse(at, format!("there is no search `{name}`")))
    }

    fn definition(&self, node: &Node<'a>) -> Read<Tree> {
        if node.as_scalar().is_some() {
            let message = format!(
                "a search must be a map or a list, and this is {}",
                node.kind()
            );
            return Err(self.parse(node.span, message));
        }
        Ok(Tree::Group(Box::new(self.node(node)?)))
    }

    fn node(&self, node: &Node<'a>) -> Read<Tree> {
        Ok(match &node.content {
            Content::List(nodes) => Tree::Or(self.items(nodes)?),
            Content::Map(entries) => Tree::And(
                entries
                    .iter()
                    .map(|entry| self.field(entry))
                    .collect::<Read<_>>()?,
            ),
            Content::Scalar(scalar) => match Value::of(scalar) {
                value @ (Value::Text(_) | Value::Int(_)) => Tree::Keyword(value),
                value => {
                    let message = format!(
                        "a keyword must be a text or a number, and this is {}",
                        value.kind()
                    );
                    return Err(self.parse(node.span, message));
                }
            },
        })
    }

    fn items(&self, nodes: &[Node<'a>]) -> Read<Vec<Tree>> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    fn field(&self, entry: &Entry<'a>) -> Read<Tree> {
        let mut parts = entry.key.text.split('|');
        let field = parts.next().unwrap_or_default();
        let mut operand = self.operand(&entry.value)?;
        for name in parts {
            operand = modifier::apply(name, operand)
                .map_err(|refusal| self.modifier_fault(entry.key.span, name, refusal))?;
        }
        let on = |operand| {
            self.chain
                .field(field, operand, self.rule)
                .map_err(|fault| self.chain_fault(fault))
        };
        let all = |operands: Vec<Operand>| operands.into_iter().map(on).collect::<Read<Vec<_>>>();
        Ok(match operand {
            Operand::Any(operands) => Tree::Or(all(operands)?),
            Operand::All(operands) => {
                if operands
                    .iter()
                    .any(|operand| !matches!(operand, Operand::One(_)))
                {
                    let message =
                        "sigmac cannot join with `all` what another modifier has made several of";
                    return Err(self.refuse(entry.key.span, message.to_owned()));
                }
                Tree::And(all(operands)?)
            }
            operand => on(operand)?,
        })
    }

    /// A modifier cannot be applied: most of them are younger than sigmac.
    fn modifier_fault(&self, at: Span, name: &str, refusal: Refusal) -> Failure {
        let unknown = || format!("the modifier `{name}` is not known to sigmac");
        let mut failure = match refusal {
            Refusal::Unknown => self.crash(at, unknown()),
            Refusal::Cidr => self.parse(at, unknown()),
            Refusal::TooMany => {
                let message = format!("the modifier `{name}` would make too many values here");
                return self.refuse(at, message);
            }
            Refusal::Type(kind) => self.refuse(
                at,
                format!("the modifier `{name}` cannot be applied to {kind}"),
            ),
        };
        let help = "`--strict` reads rules as the Sigma specification has them";
        failure.diagnostic.help = Some(help.to_owned());
        failure
    }

    fn operand(&self, node: &Node<'a>) -> Read<Operand> {
        Ok(match &node.content {
            Content::Scalar(scalar) => Operand::One(Value::of(scalar)),
            Content::List(nodes) => Operand::List(
                nodes
                    .iter()
                    .map(|node| self.operand(node))
                    .collect::<Read<_>>()?,
            ),
            Content::Map(_) => {
                return Err(self.refuse(
                    node.span,
                    "a field cannot be compared with a map".to_owned(),
                ));
            }
        })
    }

    /// The chain cannot say what the rule wants to know.
    pub fn chain_fault(&self, fault: ChainFault) -> Failure {
        let status = match fault {
            ChainFault::Rewrites => Status::Crash,
            ChainFault::NotLast | ChainFault::Search => Status::NotImplemented,
        };
        Failure::new(status, self.file, self.rule.span(), fault.to_string())
    }

    fn parse(&self, span: Span, message: String) -> Failure {
        Failure::new(Status::Parse, self.file, span, message)
    }

    fn refuse(&self, span: Span, message: String) -> Failure {
        Failure::new(Status::NotImplemented, self.file, span, message)
    }

    fn crash(&self, span: Span, message: String) -> Failure {
        Failure::new(Status::Crash, self.file, span, message)
    }
}
