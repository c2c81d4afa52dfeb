//! From a rule's tests to a predicate that still has Sigma's field names.

use crate::MapError;
use predicate::{
    Comparison, Decimal, Field, Matcher, Part, Pattern, Predicate, Regex, Relation, Test, TimePart,
};
use sigma::{DatePart, Expr, Item, Link, Location, RefKind, Rule, Value};
use std::sync::Arc;

/// The detection of `rule`, filters included. Each regular expression is compiled here, once.
pub(crate) fn detection(rule: &Rule) -> Result<Predicate, MapError> {
    let own = translate(&rule.detection.expression(), &rule.location)?;
    if rule.filters.is_empty() {
        return Ok(own);
    }
    let mut parts = vec![own];
    for filter in &rule.filters {
        parts.push(translate(&filter.detection.expression(), &filter.location)?);
    }
    Ok(Predicate::All(parts))
}

/// The document is where the items come from: they know their place in it, but not its file.
pub(crate) fn translate(expression: &Expr<'_>, document: &Location) -> Result<Predicate, MapError> {
    let all = |parts: &[Expr<'_>]| -> Result<Vec<Predicate>, MapError> {
        parts.iter().map(|part| translate(part, document)).collect()
    };
    Ok(match expression {
        Expr::And(parts) => Predicate::All(all(parts)?),
        Expr::Or(parts) => Predicate::Any(all(parts)?),
        Expr::Not(part) => Predicate::Not(Box::new(translate(part, document)?)),
        Expr::Item(item) => test(
            item,
            &Location {
                file: document.file.clone(),
                span: item.span,
            },
        )?,
    })
}

fn test(item: &Item, location: &Location) -> Result<Predicate, MapError> {
    let field = item.field.as_deref().map(Field::path);
    let mut parts = Vec::with_capacity(item.values.len());
    for value in &item.values {
        parts.push(on_value(field.as_ref(), value, location)?);
    }
    let joined = match item.link {
        _ if parts.len() == 1 => parts.remove(0),
        Link::Any => Predicate::Any(parts),
        Link::All => Predicate::All(parts),
    };
    Ok(if item.negated {
        Predicate::Not(Box::new(joined))
    } else {
        joined
    })
}

fn on_value(
    field: Option<&Field>,
    value: &Value,
    location: &Location,
) -> Result<Predicate, MapError> {
    if let Value::AnyOf(values) = value {
        return Ok(Predicate::Any(
            values
                .iter()
                .map(|value| on_value(field, value, location))
                .collect::<Result<_, _>>()?,
        ));
    }
    let Some(field) = field else {
        return Ok(Predicate::Test(Test::Keyword(keyword(value, location)?)));
    };
    let field = field.clone();
    Ok(Predicate::Test(match value {
        Value::Null => Test::Null(field),
        Value::Exists(true) => Test::Present(field),
        Value::Exists(false) => {
            return Ok(Predicate::Not(Box::new(Predicate::Test(Test::Present(
                field,
            )))));
        }
        Value::FieldRef { field: other, kind } => {
            Test::Refer(field, relation(*kind), Field::path(other))
        }
        value => Test::Value(field, matcher(value, location)?),
    }))
}

/// A keyword stands anywhere in a string; a number is searched by its digits.
fn keyword(value: &Value, location: &Location) -> Result<Matcher, MapError> {
    let text = match value {
        Value::Number(text) => Pattern::text(text),
        Value::Bool(value) => Pattern::text(if *value { "true" } else { "false" }),
        Value::String(own) => pattern(own, location)?,
        value => return matcher(value, location),
    };
    Ok(Matcher::Pattern(Arc::new(text.anywhere())))
}

fn matcher(value: &Value, location: &Location) -> Result<Matcher, MapError> {
    let number = |text: &str| Decimal::parse(text).ok_or_else(|| refuse("not a number", location));
    Ok(match value {
        Value::String(own) => Matcher::Pattern(Arc::new(pattern(own, location)?)),
        Value::Number(text) => Matcher::Number(number(text)?),
        Value::Bool(value) => Matcher::Bool(*value),
        Value::Regex {
            pattern,
            ignore_case,
            multi_line,
            dot_all,
        } => {
            let flags = [("i", ignore_case), ("m", multi_line), ("s", dot_all)];
            let flags: String = flags
                .into_iter()
                .filter(|(_, set)| **set)
                .map(|(flag, _)| flag)
                .collect();
            let pattern = if flags.is_empty() {
                pattern.clone()
            } else {
                format!("(?{flags}){pattern}")
            };
            let location = location.clone();
            Matcher::Regex(Arc::new(Regex::new(&pattern).map_err(|cause| {
                MapError::Regex {
                    pattern,
                    location,
                    cause,
                }
            })?))
        }
        Value::Cidr(network) => Matcher::Cidr(*network),
        Value::Compare(order, text) => Matcher::Compare(comparison(*order), number(text)?),
        Value::DatePart {
            part,
            compare,
            value,
        } => {
            let compare = compare.map_or(Comparison::Equal, comparison);
            Matcher::TimePart(time_part(*part), compare, number(value)?)
        }
        Value::Null | Value::Exists(_) | Value::FieldRef { .. } => {
            return Err(refuse("this needs a field", location));
        }
        Value::AnyOf(_) => return Err(refuse("a list is no single value", location)),
    })
}

fn pattern(own: &sigma::Pattern, location: &Location) -> Result<Pattern, MapError> {
    let part = |part: &sigma::Part| match part {
        sigma::Part::Text(text) => Ok(Part::Text(text.clone())),
        sigma::Part::Star => Ok(Part::Star),
        sigma::Part::One => Ok(Part::One),
        sigma::Part::Placeholder(_) => Err(refuse("a placeholder has no value", location)),
    };
    Ok(Pattern::new(
        own.parts.iter().map(part).collect::<Result<Vec<_>, _>>()?,
        own.cased,
    ))
}

fn refuse(reason: &'static str, location: &Location) -> MapError {
    MapError::Value {
        reason,
        location: location.clone(),
    }
}

fn relation(kind: RefKind) -> Relation {
    match kind {
        RefKind::Equals => Relation::Equals,
        RefKind::StartsWith => Relation::StartsWith,
        RefKind::EndsWith => Relation::EndsWith,
        RefKind::Contains => Relation::Contains,
    }
}

fn comparison(order: sigma::Comparison) -> Comparison {
    match order {
        sigma::Comparison::Lt => Comparison::Less,
        sigma::Comparison::Lte => Comparison::LessOrEqual,
        sigma::Comparison::Gt => Comparison::Greater,
        sigma::Comparison::Gte => Comparison::GreaterOrEqual,
    }
}

fn time_part(part: DatePart) -> TimePart {
    match part {
        DatePart::Minute => TimePart::Minute,
        DatePart::Hour => TimePart::Hour,
        DatePart::Day => TimePart::Day,
        DatePart::Week => TimePart::Week,
        DatePart::Month => TimePart::Month,
        DatePart::Year => TimePart::Year,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predicate::BadRegex;
    use sigma::{Document, Node, Source};

    fn rule(detection: &str) -> Rule {
        let text = format!(
            "title: test\nlogsource: {{product: windows}}\ndetection:\n  s: {detection}\n  condition: s\n"
        );
        let parsed = sigma::parse(&Source {
            name: "test.yml",
            text: text.as_bytes(),
        });
        match parsed.documents.into_iter().next() {
            Some(Document::Rule(rule)) => *rule,
            _ => panic!("{text}: {:?}", parsed.diagnostics),
        }
    }

    /// The tests of a detection, as they are shown.
    fn shown(predicate: &Predicate) -> String {
        let all = |parts: &[Predicate]| parts.iter().map(shown).collect::<Vec<_>>();
        match predicate {
            Predicate::All(parts) => format!("({})", all(parts).join(" and ")),
            Predicate::Any(parts) => format!("({})", all(parts).join(" or ")),
            Predicate::Not(part) => format!("not {}", shown(part)),
            Predicate::Test(test) => test.to_string(),
        }
    }

    #[test]
    fn each_value_becomes_a_test() {
        for (search, predicate) in [
            ("{a: b}", "a is 'b'"),
            ("{a: 'b*?'}", "a is 'b*?'"),
            ("{a|cased: B}", "a is 'B' (case counts)"),
            ("{a: 10}", "a is 10"),
            ("{a: true}", "a is true"),
            ("{a: null}", "a is null or missing"),
            ("{a|exists: true}", "a exists"),
            ("{a|exists: false}", "not a exists"),
            ("{a|re: b+}", "a matches /b+/"),
            ("{a|re|i|s: b+}", "a matches /(?is)b+/"),
            ("{a|cidr: 10.0.0.0/8}", "a is in 10.0.0.0/8"),
            ("{a|gte: 3}", "a >= 3"),
            ("{a|fieldref: b}", "a equals the field b"),
            ("{a|fieldref|endswith: b}", "a ends with the field b"),
            ("{a|hour: 3}", "a has a hour = 3"),
            ("{a: [b, c]}", "(a is 'b' or a is 'c')"),
            ("{a|contains|all: [b, c]}", "(a is '*b*' and a is '*c*')"),
            ("{a|neq: [b, c]}", "not (a is 'b' or a is 'c')"),
            ("{a: b, c: d}", "(a is 'b' and c is 'd')"),
            ("[{a: b}, {c: d}]", "(a is 'b' or c is 'd')"),
            ("[b, 10]", "(any string is '*b*' or any string is '*10*')"),
            (
                "{'|all': [b, c]}",
                "(any string is '*b*' and any string is '*c*')",
            ),
            ("{New Value: b}", "NewValue is 'b'"),
        ] {
            assert_eq!(
                shown(&detection(&rule(search)).unwrap()),
                predicate,
                "{search}"
            );
        }
    }

    #[test]
    fn a_regex_that_is_too_large_is_an_error_with_its_place() {
        let mut rule = rule("{a|re: b}");
        let Node::Item(item) = &mut rule.detection.searches[0].node else {
            panic!()
        };
        let pattern = r"\w{1000}{1000}".to_owned();
        item.values = vec![Value::Regex {
            pattern,
            ignore_case: true,
            multi_line: false,
            dot_all: false,
        }];
        let error = detection(&rule).unwrap_err();
        assert!(
            matches!(&error, MapError::Regex { cause: BadRegex::TooLarge, pattern, .. } if pattern.starts_with("(?i)"))
        );
        assert!(error.to_string().starts_with("test.yml:4:7: "), "{error}");
    }

    #[test]
    fn a_value_that_means_nothing_there_is_an_error() {
        let mut rule = rule("[b]");
        let Node::Item(item) = &mut rule.detection.searches[0].node else {
            panic!()
        };
        item.values = vec![Value::Null];
        assert!(matches!(detection(&rule), Err(MapError::Value { .. })));
    }
}
