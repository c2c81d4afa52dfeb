//! A correlation: several matches of rules within a time frame that mean more together.
//!
//! Where specification and practice leave a choice: `group-by` may be missing; a condition may be a range of two
//! bounds; `generate` may stand at the top or within `correlation`; `value_median`, weeks, months and years are known;
//! `value_percentile` may leave out its percentage.

use crate::condition::{self, Ast, Problem, Word};
use crate::detection::report;
use crate::diagnostic::{Location, Sink, Span};
use crate::header::{Header, derived_id};
use crate::rule::{Custom, Date, Level, Related, RuleId, Status, Tag};
use crate::scalar::Meaning;
use crate::yaml::{Content, Entry, Node, Scalar};
use std::time::Duration;

/// A Sigma correlation rule, typed completely.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// Its identity, made as that of a rule.
    pub id: RuleId,
    /// Its title.
    pub title: String,
    /// The name by which other correlations may call it.
    pub name: Option<String>,
    /// Other rules it has to do with.
    pub related: Vec<Related>,
    /// How ripe it is.
    pub status: Option<Status>,
    /// What it finds, in words.
    pub description: Option<String>,
    /// Its author, as written.
    pub author: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// When it was written.
    pub date: Option<Date>,
    /// When it was last changed.
    pub modified: Option<Date>,
    /// Known false positives, in words.
    pub false_positives: Vec<String>,
    /// How grave a match is.
    pub level: Option<Level>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// What is counted, and how much of it is a match.
    pub kind: CorrelationKind,
    /// The rules it watches, by id or name.
    pub rules: Vec<RuleRef>,
    /// Events are counted apart for each combination of values of these fields or aliases.
    pub group_by: Vec<String>,
    /// Names for fields that are called differently in different rules.
    pub aliases: Vec<Alias>,
    /// The sliding time frame.
    pub timespan: Timespan,
    /// Whether the rules it watches report their own matches, too.
    pub generate: bool,
    /// Every other top-level key.
    pub custom: Vec<Custom>,
    /// The document it comes from.
    pub location: Location,
}

/// A rule that a correlation names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRef {
    /// The id or name.
    pub name: String,
    /// Where it is named.
    pub location: Location,
}

/// What a correlation counts, and how much of it is a match.
#[derive(Debug, Clone, PartialEq)]
pub enum CorrelationKind {
    /// Number of events.
    EventCount(Vec<Bound>),
    /// Number of distinct values, or of distinct tuples of values.
    ValueCount {
        /// The fields of the tuple.
        fields: Vec<String>,
        /// All bounds hold.
        bounds: Vec<Bound>,
    },
    /// Several rules within the time frame.
    Temporal {
        /// Whether in the order of the list.
        ordered: bool,
        /// Which of them.
        condition: TemporalCondition,
    },
    /// A figure over the values of a field.
    Aggregate {
        /// Which figure.
        figure: Figure,
        /// Of which field.
        field: String,
        /// All bounds hold.
        bounds: Vec<Bound>,
    },
}

/// A figure over a set of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Their sum.
    Sum,
    /// Their arithmetic mean.
    Average,
    /// Their median.
    Median,
    /// The value below which this percentage of them lies. None when the rule says none: what it then means is
    /// left open by the specification.
    Percentile(Option<u8>),
}

/// Which rules must match in the time frame.
#[derive(Debug, Clone, PartialEq)]
pub enum TemporalCondition {
    /// All of them.
    All,
    /// As many different ones as the bounds say.
    Count(Vec<Bound>),
    /// Those that the expression says; indices point into [`Correlation::rules`].
    Expression(RuleExpression),
}

/// An extended condition: `rule_a and not rule_b`.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleExpression {
    /// All of them.
    And(Vec<RuleExpression>),
    /// At least one of them.
    Or(Vec<RuleExpression>),
    /// Not this.
    Not(Box<RuleExpression>),
    /// The rule with this index matches.
    Rule(usize),
}

/// A bound on a figure; a range is two of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// How it is compared.
    pub operator: BoundOperator,
    /// With what, as canonical decimal text.
    pub value: String,
}

/// How a figure is compared with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundOperator {
    /// Less than.
    Lt,
    /// Less than or equal.
    Lte,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Gte,
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
}

/// One name for fields that are called differently in different rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name, to be used in `group-by`.
    pub name: String,
    /// The rule (by id or name) and its field.
    pub fields: Vec<(String, String)>,
}

/// A time frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timespan {
    /// As written, e.g. `15m`.
    pub text: String,
    /// Its length; a month is 2,629,746 s, a year 31,556,952 s.
    pub length: Duration,
}

impl Correlation {
    /// Reads a document that is a correlation; none if it is broken.
    pub(crate) fn read(document: &Node<'_>, sink: &mut Sink) -> Option<Correlation> {
        let entries = document.as_map()?;
        let start = entries
            .first()
            .map_or(document.span, |first| first.key.span);
        let header = Header::read(entries, &["correlation", "generate"], start, sink);
        header.note_gaps(start, sink);
        let node = document.get("correlation")?;
        let Some(entries) = node.as_map() else {
            let message = format!("`correlation` must be a map, and this is {}", node.kind());
            sink.error("correlation", node.span, message);
            return None;
        };
        let body = Body::read(entries, node.span, sink)?;
        let generate = read_flag(document.get("generate"), sink)?;
        Some(Correlation {
            id: header.id.unwrap_or_else(|| derived_id(document)),
            title: header.title,
            name: header.name,
            related: header.related,
            status: header.status,
            description: header.description,
            author: header.author,
            references: header.references,
            date: header.date,
            modified: header.modified,
            false_positives: header.false_positives,
            level: header.level,
            tags: header.tags,
            kind: body.kind,
            rules: body.rules,
            group_by: body.group_by,
            aliases: body.aliases,
            timespan: body.timespan,
            generate: generate || body.generate,
            custom: header.custom,
            location: sink.location(start),
        })
    }
}

/// What stands under `correlation`.
struct Body {
    kind: CorrelationKind,
    rules: Vec<RuleRef>,
    group_by: Vec<String>,
    aliases: Vec<Alias>,
    timespan: Timespan,
    generate: bool,
}

impl Body {
    fn read(entries: &[Entry<'_>], whole: Span, sink: &mut Sink) -> Option<Body> {
        const KEYS: [&str; 7] = [
            "type",
            "rules",
            "group-by",
            "timespan",
            "condition",
            "aliases",
            "generate",
        ];
        for entry in entries
            .iter()
            .filter(|entry| !KEYS.contains(&entry.key.text.as_ref()))
        {
            sink.warning(
                "correlation",
                entry.key.span,
                format!("a correlation has no `{}`", entry.key.text),
            )
            .help(format!("it has {}", KEYS.join(", ")));
        }
        let get = |name: &str| {
            entries
                .iter()
                .find(|entry| entry.key.text == name)
                .map(|entry| &entry.value)
        };
        let names = |name, sink: &mut Sink| get(name).map(|value| read_names(name, value, sink));

        let rules = names("rules", sink);
        let group_by = names("group-by", sink).unwrap_or(Some(Vec::new()));
        let timespan = read_timespan(get("timespan"), whole, sink);
        let generate = read_flag(get("generate"), sink);
        let aliases = read_aliases(get("aliases"), sink);
        let mut rules: Vec<RuleRef> = match rules {
            Some(rules) => {
                let rules = rules?.into_iter();
                rules
                    .map(|(name, span)| RuleRef {
                        name,
                        location: sink.location(span),
                    })
                    .collect()
            }
            None => Vec::new(),
        };
        let kind = read_kind(get("type"), get("condition"), &mut rules, whole, sink)?;
        if rules.is_empty() {
            sink.error("correlation", whole, "the correlation names no rules")
                .help("add `rules:`");
            return None;
        }
        let body = Body {
            kind,
            rules,
            group_by: group_by?.into_iter().map(|(name, _)| name).collect(),
            aliases: aliases?,
            timespan: timespan?,
            generate: generate?,
        };
        body.check_aliases(whole, sink).then_some(body)
    }

    fn check_aliases(&self, whole: Span, sink: &mut Sink) -> bool {
        let mut sound = true;
        for alias in &self.aliases {
            if !self.group_by.contains(&alias.name) {
                sink.warning(
                    "correlation-alias",
                    whole,
                    format!("the alias `{}` is not used in `group-by`", alias.name),
                );
            }
            for (rule, _) in &alias.fields {
                if !self.rules.iter().any(|known| known.name == *rule) {
                    let message = format!(
                        "the alias `{}` names `{rule}`, which is not among `rules`",
                        alias.name
                    );
                    sink.error("correlation-alias", whole, message);
                    sound = false;
                }
            }
        }
        sound
    }
}

/// The texts of a list, or a single one.
fn read_names(name: &str, value: &Node<'_>, sink: &mut Sink) -> Option<Vec<(String, Span)>> {
    let nodes = match &value.content {
        Content::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let text = |node: &Node<'_>| {
        let text = node.as_scalar().filter(|_| !node.is_null());
        text.map(|scalar| (scalar.text.clone().into_owned(), node.span))
    };
    let names: Option<Vec<_>> = nodes.iter().map(text).collect();
    if names.is_none() {
        sink.error(
            "correlation",
            value.span,
            format!("`{name}` must be a list of texts"),
        );
    }
    names
}

fn read_flag(value: Option<&Node<'_>>, sink: &mut Sink) -> Option<bool> {
    let Some(value) = value else {
        return Some(false);
    };
    match value.as_scalar().map(Scalar::meaning) {
        Some(Meaning::Bool(flag)) => Some(flag),
        _ => {
            sink.error(
                "correlation",
                value.span,
                "`generate` must be `true` or `false`",
            );
            None
        }
    }
}

/// The letters of time frames and how many seconds they are.
const UNITS: &[(char, u64)] = &[
    ('s', 1),
    ('m', 60),
    ('h', 3_600),
    ('d', 86_400),
    ('w', 604_800),
    ('M', 2_629_746),
    ('y', 31_556_952),
];

fn read_timespan(value: Option<&Node<'_>>, whole: Span, sink: &mut Sink) -> Option<Timespan> {
    const HELP: &str = "write a number and one of s, m, h, d, w, M, y, e.g. `15m`";
    let Some(value) = value else {
        sink.error("timespan", whole, "the correlation has no `timespan`")
            .help(HELP);
        return None;
    };
    let text = value.as_scalar().map_or("", |scalar| scalar.text.as_ref());
    let seconds = UNITS.iter().find_map(|(letter, seconds)| {
        let number = text
            .strip_suffix(*letter)
            .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
        number
            .parse::<u64>()
            .ok()?
            .checked_mul(*seconds)
            .filter(|seconds| *seconds > 0)
    });
    match seconds {
        Some(seconds) => Some(Timespan {
            text: text.to_owned(),
            length: Duration::from_secs(seconds),
        }),
        None => {
            sink.error("timespan", value.span, format!("`{text}` is no time frame"))
                .help(HELP);
            None
        }
    }
}

fn read_aliases(value: Option<&Node<'_>>, sink: &mut Sink) -> Option<Vec<Alias>> {
    let Some(value) = value else {
        return Some(Vec::new());
    };
    let fields = |node: &Node<'_>| {
        let field = |entry: &Entry<'_>| {
            let field = entry.value.as_scalar().filter(|_| !entry.value.is_null())?;
            Some((
                entry.key.text.clone().into_owned(),
                field.text.clone().into_owned(),
            ))
        };
        node.as_map()?.iter().map(field).collect::<Option<Vec<_>>>()
    };
    let alias = |entry: &Entry<'_>| {
        Some(Alias {
            name: entry.key.text.clone().into_owned(),
            fields: fields(&entry.value)?,
        })
    };
    let aliases = value
        .as_map()
        .and_then(|entries| entries.iter().map(alias).collect());
    if aliases.is_none() {
        sink.error(
            "correlation-alias",
            value.span,
            "`aliases` must map each alias to a map of rules and fields",
        );
    }
    aliases
}

/// What a correlation counts, by the word for it.
#[derive(Clone, Copy)]
enum Type {
    EventCount,
    ValueCount,
    Temporal { ordered: bool },
    Aggregate(Figure),
}

const TYPES: &[(&str, Type)] = &[
    ("event_count", Type::EventCount),
    ("value_count", Type::ValueCount),
    ("temporal", Type::Temporal { ordered: false }),
    ("temporal_ordered", Type::Temporal { ordered: true }),
    ("value_sum", Type::Aggregate(Figure::Sum)),
    ("value_avg", Type::Aggregate(Figure::Average)),
    ("value_median", Type::Aggregate(Figure::Median)),
    (
        "value_percentile",
        Type::Aggregate(Figure::Percentile(None)),
    ),
];

fn read_kind(
    kind: Option<&Node<'_>>,
    condition: Option<&Node<'_>>,
    rules: &mut Vec<RuleRef>,
    whole: Span,
    sink: &mut Sink,
) -> Option<CorrelationKind> {
    let word = kind
        .and_then(Node::as_scalar)
        .map(|scalar| scalar.text.as_ref());
    let Some((word, kind)) = TYPES.iter().find(|(known, _)| word == Some(known)) else {
        let span = kind.map_or(whole, |kind| kind.span);
        let message = match word {
            Some(word) => format!("there is no correlation type `{word}`"),
            None => "the correlation has no `type`".to_owned(),
        };
        let known: Vec<&str> = TYPES.iter().map(|(word, _)| *word).collect();
        sink.error("correlation-type", span, message)
            .help(format!("the types are {}", known.join(", ")));
        return None;
    };
    let ordered = match kind {
        Type::Temporal { ordered } => Some(*ordered),
        _ => None,
    };
    let bounds = match (condition, ordered) {
        (None, Some(ordered)) => {
            return Some(CorrelationKind::Temporal {
                ordered,
                condition: TemporalCondition::All,
            });
        }
        (Some(node), Some(ordered)) if let Some(scalar) = node.as_scalar() => {
            let expression = read_expression(scalar, rules, sink)?;
            let condition = TemporalCondition::Expression(expression);
            return Some(CorrelationKind::Temporal { ordered, condition });
        }
        (None, None) => {
            sink.error(
                "correlation-condition",
                whole,
                format!("`{word}` needs a condition"),
            )
            .help("e.g. `gte: 10`");
            return None;
        }
        (Some(node), _) => Bounds::read(node, sink)?,
    };
    let Bounds {
        bounds,
        fields,
        percentile,
        span,
    } = bounds;
    let mut one_field = |fields: Vec<String>| match <[String; 1]>::try_from(fields) {
        Ok([field]) => Some(field),
        Err(_) => {
            sink.error(
                "correlation-condition",
                span,
                format!("the condition of `{word}` needs one `field`"),
            );
            None
        }
    };
    Some(match *kind {
        Type::Temporal { ordered } => CorrelationKind::Temporal {
            ordered,
            condition: TemporalCondition::Count(bounds),
        },
        Type::EventCount => CorrelationKind::EventCount(bounds),
        Type::ValueCount if fields.is_empty() => {
            sink.error(
                "correlation-condition",
                span,
                format!("the condition of `{word}` needs a `field`"),
            );
            return None;
        }
        Type::ValueCount => CorrelationKind::ValueCount { fields, bounds },
        Type::Aggregate(Figure::Percentile(_)) => CorrelationKind::Aggregate {
            figure: Figure::Percentile(percentile),
            field: one_field(fields)?,
            bounds,
        },
        Type::Aggregate(figure) => CorrelationKind::Aggregate {
            figure,
            field: one_field(fields)?,
            bounds,
        },
    })
}

/// A condition that is a map.
struct Bounds {
    bounds: Vec<Bound>,
    fields: Vec<String>,
    percentile: Option<u8>,
    span: Span,
}

const OPERATORS: &[(&str, BoundOperator)] = &[
    ("lt", BoundOperator::Lt),
    ("lte", BoundOperator::Lte),
    ("gt", BoundOperator::Gt),
    ("gte", BoundOperator::Gte),
    ("eq", BoundOperator::Eq),
    ("neq", BoundOperator::Neq),
];

impl Bounds {
    fn read(node: &Node<'_>, sink: &mut Sink) -> Option<Bounds> {
        const CODE: &str = "correlation-condition";
        let mut read = Bounds {
            bounds: Vec::new(),
            fields: Vec::new(),
            percentile: None,
            span: node.span,
        };
        let Some(entries) = node.as_map() else {
            sink.error(
                CODE,
                node.span,
                format!(
                    "a condition of this type must be a map, and this is {}",
                    node.kind()
                ),
            );
            return None;
        };
        for Entry { key, value } in entries {
            let number = match value.as_scalar().map(Scalar::meaning) {
                Some(Meaning::Number(number)) => Some(number),
                _ => None,
            };
            let operator = OPERATORS.iter().find(|(name, _)| key.text == *name);
            match (key.text.as_ref(), operator, number) {
                (_, Some((_, operator)), Some(value)) => read.bounds.push(Bound {
                    operator: *operator,
                    value,
                }),
                ("field", ..) => {
                    read.fields = read_names("field", value, sink)?
                        .into_iter()
                        .map(|(name, _)| name)
                        .collect()
                }
                ("percentile", _, Some(number))
                    if number.parse::<u8>().is_ok_and(|number| number <= 100) =>
                {
                    read.percentile = number.parse().ok();
                }
                ("percentile", ..) => {
                    sink.error(
                        CODE,
                        value.span,
                        "`percentile` must be a number from 0 to 100",
                    );
                    return None;
                }
                (name, Some(_), None) => {
                    sink.error(
                        CODE,
                        value.span,
                        format!("`{name}` needs a number, and this is {}", value.kind()),
                    );
                    return None;
                }
                (name, None, _) => {
                    sink.error(
                        CODE,
                        key.span,
                        format!("there is no `{name}` in a condition"),
                    )
                    .help("there are gt, gte, lt, lte, eq, neq, field and percentile");
                    return None;
                }
            }
        }
        if read.bounds.is_empty() {
            sink.error(CODE, node.span, "the condition compares with nothing")
                .help("add e.g. `gte: 10`");
            return None;
        }
        Some(read)
    }
}

/// Reads an extended condition. Without a list of rules, those that it names are the list.
fn read_expression(
    scalar: &Scalar<'_>,
    rules: &mut Vec<RuleRef>,
    sink: &mut Sink,
) -> Option<RuleExpression> {
    let listed = !rules.is_empty();
    let expression = condition::parse(&scalar.text).and_then(|ast| {
        let mut resolve = |word: &Word<'_>| {
            let known = rules.iter().position(|rule| rule.name == word.text);
            if known.is_none() && listed {
                let message = format!("`{}` is not among `rules`", word.text);
                return Err(Problem::new("correlation-condition", word.range(), message));
            }
            Ok(known.unwrap_or_else(|| {
                let location = sink.location(scalar.part(word.range()));
                rules.push(RuleRef {
                    name: word.text.to_owned(),
                    location,
                });
                rules.len() - 1
            }))
        };
        expression_of(&ast, &mut resolve)
    });
    let expression = expression
        .map_err(|problem| report(problem, scalar, sink))
        .ok()?;
    let mut used = vec![false; rules.len()];
    expression.each_rule(&mut |index| used[index] = true);
    if let Some(unused) = used.iter().position(|used| !used) {
        let message = format!(
            "the condition does not say what `{}` is for",
            rules[unused].name
        );
        sink.error("correlation-condition", scalar.span, message)
            .help("use it in the condition, or take it off `rules`");
        return None;
    }
    Some(expression)
}

fn expression_of(
    ast: &Ast<'_>,
    resolve: &mut impl FnMut(&Word<'_>) -> Result<usize, Problem>,
) -> Result<RuleExpression, Problem> {
    let mut all = |parts: &[Ast<'_>]| {
        parts
            .iter()
            .map(|part| expression_of(part, resolve))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match ast {
        Ast::And(parts) => RuleExpression::And(all(parts)?),
        Ast::Or(parts) => RuleExpression::Or(all(parts)?),
        Ast::Not(inner) => RuleExpression::Not(Box::new(expression_of(inner, resolve)?)),
        Ast::Name(word) => RuleExpression::Rule(resolve(word)?),
        Ast::Selector(_, word) => {
            return Err(Problem::new(
                "correlation-condition",
                word.range(),
                "a correlation has no `1 of` or `all of`",
            )
            .help("name the rules"));
        }
    })
}

impl RuleExpression {
    fn each_rule(&self, see: &mut impl FnMut(usize)) {
        match self {
            RuleExpression::And(parts) | RuleExpression::Or(parts) => {
                parts.iter().for_each(|part| part.each_rule(see))
            }
            RuleExpression::Not(inner) => inner.each_rule(see),
            RuleExpression::Rule(index) => see(*index),
        }
    }
}
