//! Several rules in one source that share what they have in common.
//!
//! `action: global` makes a document the template of all rules behind it: it is merged over each of them, and where
//! both say something, the template wins. `action: reset` forgets the template. `action: repeat` is the rule before it
//! with some keys replaced. Correlations and filters are left alone.

use crate::yaml::{Budget, Content, Fault, Node};
use std::borrow::Cow;
use std::collections::HashMap;

/// What the documents read so far mean for the next one.
#[derive(Debug, Default)]
pub(crate) struct Actions<'a> {
    template: Option<Node<'a>>,
    previous: Option<Node<'a>>,
}

impl<'a> Actions<'a> {
    /// The document that a document stands for; none if it only gives an order.
    pub fn apply(
        &mut self,
        mut document: Node<'a>,
        budget: &mut Budget,
    ) -> Result<Option<Node<'a>>, Fault> {
        let Content::Map(entries) = &mut document.content else {
            return Ok(Some(document));
        };
        let Some(at) = entries.iter().position(|entry| entry.key.text == "action") else {
            return match &self.template {
                Some(template) if is_rule(&document) => {
                    Ok(Some(merge(document, budget.copy(template)?)))
                }
                _ => Ok(Some(document)),
            };
        };
        let action = entries.remove(at).value;
        match action
            .as_scalar()
            .map_or(action.kind(), |scalar| scalar.text.as_ref())
        {
            "global" => {
                self.template = Some(match self.template.take() {
                    Some(template) => merge(template, document),
                    None => document,
                });
                Ok(None)
            }
            "reset" => {
                self.template = None;
                Ok(None)
            }
            "repeat" => match self.previous.take() {
                Some(previous) => {
                    budget.pay(&previous)?;
                    Ok(Some(merge(previous, document)))
                }
                None => Err(Fault::new(
                    "action",
                    action.span,
                    "there is no rule before this one to repeat",
                )),
            },
            other => Err(Fault::new(
                "action",
                action.span,
                format!("there is no action `{other}`"),
            )
            .help("there are `global`, `reset` and `repeat`")),
        }
    }

    /// Takes back a document once it has been read, for another to repeat it.
    pub fn keep(&mut self, document: Node<'a>) {
        if is_rule(&document) {
            self.previous = Some(document);
        }
    }
}

fn is_rule(document: &Node<'_>) -> bool {
    document.get("correlation").is_none() && document.get("filter").is_none()
}

/// The lower node with the upper one over it: maps are merged key by key, anything else is replaced.
fn merge<'a>(lower: Node<'a>, upper: Node<'a>) -> Node<'a> {
    let Node { span, content } = lower;
    match (content, upper.content) {
        (Content::Map(mut entries), Content::Map(over)) => {
            let places: HashMap<Cow<str>, usize> = entries
                .iter()
                .enumerate()
                .map(|(at, entry)| (entry.key.text.clone(), at))
                .collect();
            for entry in over {
                match places.get(&entry.key.text) {
                    Some(at) => {
                        let lower = std::mem::replace(&mut entries[*at].value, Node::null(span));
                        entries[*at].value = merge(lower, entry.value);
                    }
                    None => entries.push(entry),
                }
            }
            Node {
                span,
                content: Content::Map(entries),
            }
        }
        (_, content) => Node {
            span: upper.span,
            content,
        },
    }
}
