//! The documents of a rule file, as sigmac puts them together.

use super::config::Attributes;
use super::value::Value;
use crate::Head;
use sigma::yaml::{Content, Entry, Node};

/// One rule: a document, with what `action` has put into it.
#[derive(Clone, Debug)]
pub(crate) struct Rule<'a> {
    root: Node<'a>,
    /// Whether it repeats the rule before it: filters choose those by the contrary.
    pub is_repeated: bool,
}

impl<'a> Rule<'a> {
    /// The value of a key at the top.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.root.get(key)
    }

    /// What it says of itself.
    pub fn head(&self) -> Head {
        Head::of(&self.root)
    }

    /// Where it begins.
    pub fn span(&self) -> sigma::Span {
        let first = self.root.as_map().and_then(<[_]>::first);
        // What was made of a rule that is read already has no places but its own.
        let placed = first
            .map(|first| first.key.span)
            .filter(|span| span.line > 0);
        placed.unwrap_or(self.root.span)
    }

    /// The text of a key at the top, as Python would show it; none if it is missing.
    pub fn text(&self, key: &str) -> Option<String> {
        let scalar = self.get(key)?.as_scalar()?;
        Some(Value::of(scalar).shown().into_owned())
    }

    /// The texts of a list at the top. A single text counts as one.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let shown = |node: &Node<'_>| {
            node.as_scalar()
                .map(|scalar| Value::of(scalar).shown().into_owned())
        };
        match self.get(key).map(|node| &node.content) {
            Some(Content::List(nodes)) => nodes.iter().filter_map(shown).collect(),
            Some(Content::Scalar(_)) => self.text(key).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Category, product and service.
    pub fn log_source(&self) -> Attributes {
        let log_source = self.get("logsource");
        ["category", "product", "service"].map(|name| {
            let scalar = log_source?.get(name)?.as_scalar()?;
            (!scalar.text.is_empty()).then(|| scalar.text.to_string())
        })
    }

    /// The searches, the conditions and what else stands under `detection`.
    pub fn detection(&self) -> Option<&[Entry<'a>]> {
        self.get("detection")?.as_map()
    }

    /// The span of time within which events belong together, as written.
    pub fn timeframe(&self) -> Option<String> {
        let entries = self.detection()?;
        let entry = entries.iter().find(|entry| entry.key.text == "timeframe")?;
        Some(entry.value.as_scalar()?.text.to_string())
    }

    /// Whether any field of this name, modifiers included, is somewhere compared with this one value.
    pub fn has_value(&self, field: &str, value: &str) -> bool {
        fn find(node: &Node<'_>, field: &str, value: &str) -> bool {
            match &node.content {
                Content::Scalar(_) => false,
                Content::List(nodes) => nodes.iter().any(|node| find(node, field, value)),
                Content::Map(entries) => entries.iter().any(|entry| {
                    let here = entry.key.text == field
                        && (entry.value.as_scalar())
                            .is_some_and(|scalar| Value::of(scalar).shown() == value);
                    here || find(&entry.value, field, value)
                }),
            }
        }
        self.get("detection")
            .is_some_and(|node| find(node, field, value))
    }
}

/// The head of a rule that was read by [`sigma`].
impl<'a> From<&'a sigma::Rule> for Rule<'a> {
    fn from(rule: &'a sigma::Rule) -> Rule<'a> {
        let text = |text: &'a str| Node::text(text);
        let texts = |texts: &'a [String]| list(texts.iter().map(|text| Node::text(text.as_str())));
        let source = &rule.log_source;
        let attributes = [
            ("category", &source.category),
            ("product", &source.product),
            ("service", &source.service),
        ];
        let log_source = attributes
            .into_iter()
            .filter_map(|(key, value)| Some((key, text(value.as_deref()?))));
        let optional = [
            ("description", rule.description.as_deref()),
            ("author", rule.author.as_deref()),
            ("status", rule.status.map(sigma::Status::as_str)),
            ("level", rule.level.map(sigma::Level::as_str)),
        ];
        let dates = [("date", rule.date), ("modified", rule.modified)];
        let entries = [("title", text(&rule.title)), ("id", text(rule.id.as_str()))]
            .into_iter()
            .chain(
                optional
                    .into_iter()
                    .filter_map(|(key, value)| Some((key, text(value?)))),
            )
            .chain(
                dates
                    .into_iter()
                    .filter_map(|(key, date)| Some((key, Node::text(date?.to_string())))),
            )
            .chain([
                ("references", texts(&rule.references)),
                ("fields", texts(&rule.fields)),
                ("falsepositives", texts(&rule.false_positives)),
                (
                    "tags",
                    list(rule.tags.iter().map(|tag| Node::text(tag.to_string()))),
                ),
                ("logsource", Node::map(log_source)),
            ]);
        let mut root = Node::map(entries);
        root.span = rule.location.span;
        Rule {
            root,
            is_repeated: false,
        }
    }
}

fn list<'a>(nodes: impl Iterator<Item = Node<'a>>) -> Node<'a> {
    Node {
        span: sigma::Span::default(),
        content: Content::List(nodes.collect()),
    }
}

/// The rules of a file. What is no map is left out, and given back apart.
pub(crate) fn rules<'a>(documents: Vec<Node<'a>>) -> (Vec<Rule<'a>>, Vec<Node<'a>>) {
    let (mut rules, mut others) = (Vec::new(), Vec::new());
    let mut global: Vec<Entry<'a>> = Vec::new();
    let mut previous: Vec<Entry<'a>> = Vec::new();
    // What comes before may be repeated.
    let several = documents.len() > 1;
    for document in documents {
        let span = document.span;
        let Content::Map(mut entries) = document.content else {
            others.push(document);
            continue;
        };
        let action = entries.iter().position(|entry| entry.key.text == "action");
        let action = action.map(|at| entries.remove(at));
        let action = action.as_ref().and_then(|entry| entry.value.as_scalar());
        let action = action.map(|scalar| &*scalar.text);
        let is_repeated = action == Some("repeat");
        match action {
            Some("global") => {
                lay_over(&mut global, &entries);
                continue;
            }
            Some("reset") => {
                global.clear();
                continue;
            }
            Some("repeat") => {
                lay_over(&mut previous, &entries);
                entries.clone_from(&previous);
            }
            _ => {
                lay_over(&mut entries, &global);
                if several {
                    previous.clone_from(&entries);
                }
            }
        }
        let content = Content::Map(entries);
        rules.push(Rule {
            root: Node { span, content },
            is_repeated,
        });
    }
    (rules, others)
}

/// Lays one map over another: maps are joined, of anything else what lies above stays.
fn lay_over<'a>(below: &mut Vec<Entry<'a>>, above: &[Entry<'a>]) {
    for entry in above {
        let place = below
            .iter_mut()
            .find(|other| other.key.text == entry.key.text);
        match (place, &entry.value.content) {
            (None, _) => below.push(entry.clone()),
            (Some(place), Content::Map(inner)) => match &mut place.value.content {
                Content::Map(outer) => lay_over(outer, inner),
                content => *content = Content::Map(inner.clone()),
            },
            (Some(place), _) => place.value = entry.value.clone(),
        }
    }
}
