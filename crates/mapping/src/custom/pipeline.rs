//! Processing pipelines of pySigma: the part of them that says which events a rule means and what their fields are called.
//!
//! The transformations are gone through in their order, each on the rules for which its conditions hold. `add_condition`
//! says which events are of a rule's log source, unless it is negated; with `change_logsource` behind it, it only restricts
//! them. `value_placeholders` gives the placeholders of all rules the values under `vars`, whatever its place: they are put in
//! when the rules are read.

use super::document::{Document, Found, all, field_name};
use super::draft::{Draft, Unusable};
use predicate::Predicate;
use sigma::yaml::{Content, Node};
use sigma::{LogSource, Placeholders};
use std::collections::HashMap;

/// The keys that tell such a file from others.
pub(super) const MARKS: &[&str] = &["transformations", "postprocessing", "finalizers"];

/// All keys that it may have. Those about names and tools have no say in what matches.
const KEYS: &[&str] = &[
    "transformations",
    "vars",
    "name",
    "priority",
    "allowed_backends",
];

/// The keys that every transformation may have.
const ITEM_KEYS: [&str; 5] = [
    "id",
    "type",
    "rule_conditions",
    "rule_cond_op",
    "rule_cond_not",
];

/// The keys that a transformation of fields may have besides.
const FIELD_KEYS: [&str; 3] = [
    "field_name_conditions",
    "field_name_cond_op",
    "field_name_cond_not",
];

/// A pipeline of pySigma.
#[derive(Debug)]
pub(crate) struct Pipeline {
    items: Vec<Item>,
    placeholders: Placeholders,
}

/// A change, and what it applies to.
#[derive(Debug)]
struct Item {
    rules: Conditions<RuleTest>,
    fields: Conditions<FieldTest>,
    change: Change,
}

/// What is done to a rule.
#[derive(Debug)]
enum Change {
    Names(HashMap<String, Vec<String>>),
    Prefixes(Vec<(String, Vec<String>)>),
    Prefix(String),
    Suffix(String),
    Condition { test: Predicate, negated: bool },
    LogSource(LogSource),
    Drop,
    Placeholders,
}

/// Tests that hold together; with none, they do.
#[derive(Debug)]
struct Conditions<T> {
    tests: Vec<T>,
    any: bool,
    negated: bool,
}

/// A test on a rule.
#[derive(Debug)]
enum RuleTest {
    LogSource(LogSource),
    Field(String),
    Value { field: String, value: String },
    Tag(String),
    Rule,
    Correlation,
}

/// A test on the name of a field.
#[derive(Debug)]
enum FieldTest {
    Include(Vec<String>),
    Exclude(Vec<String>),
}

/// A member of a family that is told by its `type`.
struct Kind<T> {
    name: &'static str,
    /// The keys that only it has.
    keys: &'static [&'static str],
    read: fn(&Document, &Node<'_>) -> Found<T>,
}

/// The transformations of fields.
static FIELD_CHANGES: [Kind<Change>; 5] = [
    Kind {
        name: "field_name_mapping",
        keys: &["mapping"],
        read: |document, node| Ok(Change::Names(names(document, node)?.into_iter().collect())),
    },
    Kind {
        name: "field_name_prefix_mapping",
        keys: &["mapping"],
        read: |document, node| Ok(Change::Prefixes(names(document, node)?)),
    },
    Kind {
        name: "field_name_prefix",
        keys: &["prefix"],
        read: |document, node| Ok(Change::Prefix(text(document, node, "prefix")?)),
    },
    Kind {
        name: "field_name_suffix",
        keys: &["suffix"],
        read: |document, node| Ok(Change::Suffix(text(document, node, "suffix")?)),
    },
    Kind {
        name: "drop_detection_item",
        keys: &[],
        read: |document, node| match node.get("field_name_conditions") {
            Some(_) => Ok(Change::Drop),
            None => Err(document.error(
                node.span,
                "without `field_name_conditions`, this would drop all there is in a rule",
            )),
        },
    },
];

/// The transformations of whole rules.
static RULE_CHANGES: [Kind<Change>; 3] = [
    Kind {
        name: "add_condition",
        keys: &["conditions", "name", "negated"],
        read: |document, node| {
            Ok(Change::Condition {
                test: document.search(document.required(node, "conditions")?)?,
                negated: flag(document, node, "negated")?,
            })
        },
    },
    Kind {
        name: "change_logsource",
        keys: &["category", "product", "service"],
        read: |document, node| Ok(Change::LogSource(document.log_source(node)?)),
    },
    Kind {
        name: "value_placeholders",
        keys: &[],
        read: |document, node| match node.get("rule_conditions") {
            None => Ok(Change::Placeholders),
            Some(conditions) => {
                Err(document.unsupported(conditions.span, "a condition on placeholders", &[]))
            }
        },
    },
];

/// The conditions on rules.
static RULE_TESTS: [Kind<RuleTest>; 6] = [
    Kind {
        name: "logsource",
        keys: &["category", "product", "service"],
        read: |document, node| Ok(RuleTest::LogSource(document.log_source(node)?)),
    },
    Kind {
        name: "contains_field",
        keys: &["field"],
        read: |document, node| {
            let field = field_name(&text(document, node, "field")?);
            Ok(RuleTest::Field(field))
        },
    },
    Kind {
        name: "contains_detection_item",
        keys: &["field", "value"],
        read: |document, node| {
            Ok(RuleTest::Value {
                field: field_name(&text(document, node, "field")?),
                value: text(document, node, "value")?,
            })
        },
    },
    Kind {
        name: "tag",
        keys: &["tag"],
        read: |document, node| {
            let tag = text(document, node, "tag")?;
            Ok(RuleTest::Tag(tag.to_lowercase()))
        },
    },
    Kind {
        name: "is_sigma_rule",
        keys: &[],
        read: |_, _| Ok(RuleTest::Rule),
    },
    Kind {
        name: "is_sigma_correlation_rule",
        keys: &[],
        read: |_, _| Ok(RuleTest::Correlation),
    },
];

/// The conditions on names of fields.
static FIELD_TESTS: [Kind<FieldTest>; 2] = [
    Kind {
        name: "include_fields",
        keys: &["fields", "mode"],
        read: |document, node| Ok(FieldTest::Include(fields(document, node)?)),
    },
    Kind {
        name: "exclude_fields",
        keys: &["fields", "mode"],
        read: |document, node| Ok(FieldTest::Exclude(fields(document, node)?)),
    },
];

/// Reads the document.
pub(super) fn read(document: &Document, root: &Node<'_>) -> Found<Pipeline> {
    document.map_of(root, KEYS)?;
    let items = document.list(document.required(root, "transformations")?)?;
    let items = all(items.iter().map(|node| item(document, node)))?;
    let vars = match root.get("vars") {
        None => Vec::new(),
        Some(vars) => all(document.map(vars)?.iter().map(|entry| {
            let values = document.texts(&entry.value)?;
            Ok((entry.key.text.clone().into_owned(), values))
        }))?,
    };
    let fills = |item: &Item| matches!(item.change, Change::Placeholders);
    let placeholders = if items.iter().any(fills) {
        vars.into_iter().collect()
    } else {
        Placeholders::new()
    };
    Ok(Pipeline {
        items,
        placeholders,
    })
}

fn item(document: &Document, node: &Node<'_>) -> Found<Item> {
    let of_fields = FIELD_CHANGES.iter().map(|kind| (kind, &FIELD_KEYS[..]));
    let of_rules = RULE_CHANGES.iter().map(|kind| (kind, &[][..]));
    let kinds = of_fields.chain(of_rules);
    let (change, extra) = kind(document, node, kinds, "transformation")?;
    let keys = [change.keys, &ITEM_KEYS, extra].concat();
    document.map_of(node, &keys)?;
    Ok(Item {
        rules: conditions(document, node, "rule", &RULE_TESTS)?,
        fields: conditions(document, node, "field_name", &FIELD_TESTS)?,
        change: (change.read)(document, node)?,
    })
}

/// The member of a family that a node is, with what comes with it.
fn kind<T, X>(
    document: &Document,
    node: &Node<'_>,
    kinds: impl Iterator<Item = (&'static Kind<T>, X)> + Clone,
    family: &str,
) -> Found<(&'static Kind<T>, X)> {
    document.map(node)?;
    let named = document.required(node, "type")?;
    let name = document.text(named)?;
    let mut all = kinds.clone();
    all.find(|(kind, _)| kind.name == name).ok_or_else(|| {
        let known: Vec<_> = kinds.map(|(kind, _)| kind.name).collect();
        document.unsupported(named.span, &format!("the {family} `{name}`"), &known)
    })
}

/// The conditions under the keys that begin with `family`.
fn conditions<T>(
    document: &Document,
    node: &Node<'_>,
    family: &str,
    kinds: &'static [Kind<T>],
) -> Found<Conditions<T>> {
    let tests = match node.get(&format!("{family}_conditions")) {
        None => Vec::new(),
        Some(tests) => all(document.list(tests)?.iter().map(|node| {
            let kinds = kinds.iter().map(|kind| (kind, ()));
            let (test, ()) = kind(document, node, kinds, "condition")?;
            document.map_of(node, &[&["type"], test.keys].concat())?;
            (test.read)(document, node)
        }))?,
    };
    let any = match node.get(&format!("{family}_cond_op")) {
        None => false,
        Some(node) => match &*document.text(node)? {
            "and" => false,
            "or" => true,
            _ => return Err(document.error(node.span, "`and` or `or` is wanted here")),
        },
    };
    Ok(Conditions {
        tests,
        any,
        negated: flag(document, node, &format!("{family}_cond_not"))?,
    })
}

fn text(document: &Document, node: &Node<'_>, key: &str) -> Found<String> {
    document.text(document.required(node, key)?)
}

fn flag(document: &Document, node: &Node<'_>, key: &str) -> Found<bool> {
    node.get(key).map_or(Ok(false), |node| document.flag(node))
}

/// The names on both sides of a `mapping`.
fn names(document: &Document, node: &Node<'_>) -> Found<Vec<(String, Vec<String>)>> {
    let entries = document.map(document.required(node, "mapping")?)?;
    all(entries.iter().map(|entry| {
        let from = field_name(&entry.key.text);
        if from.is_empty() || entry.key.meaning() == sigma::yaml::Meaning::Null {
            return Err(document.unsupported(entry.key.span, "a mapping of keywords", &[]));
        }
        Ok((from, document.names(&entry.value)?))
    }))
}

/// The names of fields that a condition lists.
fn fields(document: &Document, node: &Node<'_>) -> Found<Vec<String>> {
    if let Some(mode) = node.get("mode")
        && document.text(mode)? != "plain"
    {
        return Err(document.unsupported(mode.span, "this mode", &["plain"]));
    }
    let fields = document.required(node, "fields")?;
    if !matches!(fields.content, Content::List(_)) {
        return Err(document.wanted(fields, "a list of fields"));
    }
    let fields = document.texts(fields)?;
    Ok(fields.iter().map(|name| field_name(name)).collect())
}

impl Pipeline {
    /// The values for placeholders.
    pub fn placeholders(&self) -> &Placeholders {
        &self.placeholders
    }

    /// Does each change for which the conditions hold.
    pub fn apply(&self, draft: &mut Draft<'_>) -> Result<(), Unusable> {
        for item in &self.items {
            if !item.rules.hold(|test| test.holds(draft)) {
                continue;
            }
            let concerned = |name: &str| item.fields.hold(|test| test.holds(name));
            match &item.change {
                Change::Condition { test, negated } if *negated => {
                    draft.restrict(Predicate::Not(Box::new(test.clone())));
                }
                Change::Condition { test, .. } => draft.add_condition(test.clone()),
                Change::LogSource(to) => draft.change_log_source(to),
                Change::Drop => draft.drop_fields(&concerned)?,
                Change::Placeholders => {}
                names => draft.rename(&|name| {
                    let renamed = concerned(name).then(|| names.of(name)).flatten();
                    renamed.unwrap_or_else(|| vec![name.to_owned()])
                })?,
            }
        }
        Ok(())
    }
}

impl Change {
    /// The new names of a field, if it gets any.
    fn of(&self, name: &str) -> Option<Vec<String>> {
        match self {
            Change::Names(names) => names.get(name).cloned(),
            Change::Prefixes(prefixes) => prefixes.iter().find_map(|(prefix, new)| {
                let rest = name.strip_prefix(&**prefix)?;
                Some(new.iter().map(|new| format!("{new}{rest}")).collect())
            }),
            Change::Prefix(prefix) => Some(vec![format!("{prefix}{name}")]),
            Change::Suffix(suffix) => Some(vec![format!("{name}{suffix}")]),
            Change::Condition { .. }
            | Change::LogSource(_)
            | Change::Drop
            | Change::Placeholders => None,
        }
    }
}

impl<T> Conditions<T> {
    fn hold(&self, holds: impl Fn(&T) -> bool) -> bool {
        let together = if self.any {
            self.tests.iter().any(holds)
        } else {
            self.tests.iter().all(holds)
        };
        self.tests.is_empty() || together != self.negated
    }
}

impl RuleTest {
    fn holds(&self, draft: &Draft<'_>) -> bool {
        match self {
            RuleTest::LogSource(log_source) => log_source.contains(&draft.log_source),
            RuleTest::Field(name) => draft.has_field(name),
            RuleTest::Value { field, value } => draft.has_value(field, value),
            RuleTest::Tag(tag) => draft.rule.tags.iter().any(|own| own.to_string() == *tag),
            RuleTest::Rule => true,
            RuleTest::Correlation => false,
        }
    }
}

impl FieldTest {
    fn holds(&self, name: &str) -> bool {
        let among = |names: &[String]| names.iter().any(|own| own == name);
        match self {
            FieldTest::Include(names) => among(names),
            FieldTest::Exclude(names) => !among(names),
        }
    }
}
