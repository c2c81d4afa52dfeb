//! Many documents and sources as one set: actions, identities, filters, correlations.

mod support;

use sigma::{
    BoundOperator, Collection, CorrelationKind, Document, Expr, Figure, Kind, RuleExpression,
    Severity, Source, TemporalCondition,
};
use std::time::Duration;
use support::{parse, reason};

const RULES: &str = "
title: rule a
name: rule_a
id: 00000000-0000-4000-8000-00000000000a
logsource: {category: test, product: windows}
detection: {s: {f: a}, condition: s}
---
title: rule b
name: rule_b
logsource: {category: test, product: linux}
detection: {s: {f: b}, condition: s}
";

fn load(texts: &[&str]) -> Collection {
    Collection::load(texts.iter().map(|text| Source {
        name: "set.yml",
        text: text.as_bytes(),
    }))
}

/// The rules above and one filter.
fn filtered(logsource: &str, rules: &str) -> Collection {
    let filter = format!(
        "title: filt\nlogsource: {{{logsource}}}\nfilter:\n    {rules}\n    x: {{u: adm}}\n    condition: not x\n"
    );
    load(&[RULES, &filter])
}

/// The titles of the rules that a filter was applied to.
fn with_filter(collection: &Collection) -> Vec<&str> {
    collection
        .rules
        .iter()
        .filter(|rule| !rule.filters.is_empty())
        .map(|rule| rule.title.as_str())
        .collect()
}

#[test]
fn a_filter_is_one_more_and() {
    let collection = filtered("category: test", "rules: [rule_a]");
    let Expr::And(parts) = collection.rules[0].expression() else {
        panic!()
    };
    assert!(
        matches!(parts.as_slice(), [Expr::Item(_), Expr::Not(_)]),
        "{parts:?}"
    );
    assert!(matches!(collection.rules[1].expression(), Expr::Item(_)));
}

#[test]
fn a_filter_applies_to_what_it_names_and_its_log_source_contains() {
    for (logsource, rules, applied) in [
        ("category: test", "rules: [rule_a]", &["rule a"][..]),
        ("category: test", "rules: rule_a", &["rule a"]),
        (
            "category: test",
            "rules: [00000000-0000-4000-8000-00000000000A]",
            &["rule a"],
        ),
        ("category: test", "rules: any", &["rule a", "rule b"]),
        ("category: test", "rules: []", &["rule a", "rule b"]),
        ("product: linux", "rules: any", &["rule b"]),
        (
            "category: test, product: windows",
            "rules: any",
            &["rule a"],
        ),
        ("category: test, service: x", "rules: any", &[]),
        ("category: other", "rules: any", &[]),
        ("category: test", "rules: [nobody]", &[]),
    ] {
        let collection = filtered(logsource, rules);
        assert_eq!(with_filter(&collection), applied, "{logsource} {rules}");
        assert!(collection.refused.is_none(), "{:?}", collection.refused);
    }
}

#[test]
fn a_set_with_a_filter_that_cannot_be_applied_is_refused() {
    let other_log = filtered("category: other", "rules: [rule_a]");
    assert_eq!(other_log.refused.unwrap().code, "filter-log-source");
    let no_rules = filtered("category: test", "other: {f: a}");
    assert_eq!(no_rules.refused.unwrap().code, "filter-rules");
    assert_eq!(no_rules.set_aside[0].kind, Kind::Filter);
    for filter in [
        "title: f\nlogsource: {product: a}\nfilter: {rules: any, x: {f: a}, condition: [x, x]}\n",
        "title: f\nlogsource: {product: a}\nfilter: {rules: any, x: {f|foo: a}, condition: x}\n",
        "title: f\nlogsource: {product: a}\nfilter: {rules: any, x: {f|expand: '%a%'}, condition: x}\n",
        "title: f\nlogsource: {product: a}\nfilter: any\n",
        "title: f\nlogsource: {product: a}\nfilter: {rules: {a: b}, x: {f: a}, condition: x}\n",
        "title: f\nfilter: {rules: any, x: {f: a}, condition: x}\n",
    ] {
        let collection = load(&[RULES, filter]);
        assert!(collection.refused.is_some(), "{filter}");
        assert_eq!(collection.rules.len(), 2);
    }
}

#[test]
fn naming_a_rule_that_is_not_there_is_a_warning() {
    let collection = filtered("category: test", "rules: [nobody]");
    let warned = collection
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.code == "filter-rules")
        .unwrap();
    assert_eq!(warned.severity, Severity::Warning);
}

#[test]
fn the_second_document_with_an_id_is_an_error() {
    let collection = load(&[RULES, RULES]);
    assert_eq!((collection.rules.len(), collection.set_aside.len()), (2, 2));
    for document in &collection.set_aside {
        assert_eq!(document.reason.code, "duplicate-id");
        assert_eq!(document.reason.labels[0].message, "by this document");
    }
    let named_alike = RULES.replace("id: 0", "id: 1").replace("f: b", "f: c");
    let collection = load(&[RULES, &named_alike]);
    assert!(collection.set_aside.is_empty());
    assert_eq!(
        collection
            .diagnostics
            .iter()
            .filter(|it| it.code == "duplicate-name")
            .count(),
        2
    );
}

#[test]
fn a_template_is_merged_over_the_rules_behind_it() {
    let titles = |text: &str| {
        let parsed = parse(text);
        assert!(parsed.set_aside.is_empty(), "{:#?}", parsed.diagnostics);
        let title = |document: Document| match document {
            Document::Rule(rule) => (
                rule.title.clone(),
                format!("{:?}", rule.detection.searches[0].node),
            ),
            other => panic!("{other:?}"),
        };
        parsed.documents.into_iter().map(title).collect::<Vec<_>>()
    };
    let shared =
        "action: global\ntitle: g\nlogsource: {product: a}\ndetection: {condition: s}\n---\n";
    let one = "detection: {s: {f: one}}\n---\n";
    let two = "title: own\ndetection: {s: {f: two}, condition: other}\n---\n";
    let global = titles(&format!("{shared}{one}{two}"));
    assert_eq!(
        global
            .iter()
            .map(|(title, _)| title.as_str())
            .collect::<Vec<_>>(),
        ["g", "g"]
    );
    assert!(global[0].1.contains("one") && global[1].1.contains("two"));

    let whole = "title: own\nlogsource: {product: b}\ndetection: {s: {f: x}, condition: s}\n---\n";
    let reset = titles(&format!("{shared}{one}action: reset\n---\n{whole}"));
    assert_eq!(reset[1].0, "own");

    let repeated = titles(&format!(
        "{whole}action: repeat\ndetection: {{s: {{f: y}}}}\n---\naction: repeat\ntitle: third\n"
    ));
    assert_eq!(
        repeated
            .iter()
            .map(|(title, _)| title.as_str())
            .collect::<Vec<_>>(),
        ["own", "own", "third"]
    );
    assert!(repeated[1].1.contains("\"y\"") && repeated[2].1.contains("\"y\""));
}

#[test]
fn actions_have_their_limits() {
    assert_eq!(reason("action: foo\ntitle: g\n").code, "action");
    assert_eq!(reason("action: [global]\n").code, "action");
    assert_eq!(reason("action: repeat\ntitle: g\n").code, "action");
    let text = "action: global\nlevel: low\n---\ntitle: c\ncorrelation: {type: event_count, rules: a, timespan: 5m, condition: {gte: 2}}\n";
    match parse(text).documents.as_slice() {
        [Document::Correlation(correlation)] => assert_eq!(correlation.level, None),
        other => panic!("{other:?}"),
    }
}

/// A correlation with these lines.
fn correlation(lines: &str) -> String {
    let indented: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("title: c\nname: corr\ncorrelation:\n{indented}")
}

fn read(lines: &str) -> sigma::Correlation {
    let mut parsed = parse(&correlation(lines));
    match parsed.documents.pop() {
        Some(Document::Correlation(correlation)) => *correlation,
        other => panic!("{lines}: {other:?} {:#?}", parsed.diagnostics),
    }
}

#[test]
fn every_type_of_correlation_is_typed() {
    let count = read(
        "type: event_count\nrules: [a]\ntimespan: 15m\ngroup-by: [u, v]\ncondition: {gt: 5, lte: 9}",
    );
    let CorrelationKind::EventCount(bounds) = &count.kind else {
        panic!()
    };
    assert_eq!(
        bounds
            .iter()
            .map(|bound| bound.operator)
            .collect::<Vec<_>>(),
        [BoundOperator::Gt, BoundOperator::Lte]
    );
    assert_eq!(
        (count.group_by.len(), count.timespan.length),
        (2, Duration::from_secs(900))
    );

    let distinct =
        read("type: value_count\nrules: [a]\ntimespan: 1d\ncondition: {field: [h, i], eq: 5}");
    assert!(
        matches!(distinct.kind, CorrelationKind::ValueCount { fields, .. } if fields.len() == 2)
    );

    for (kind, ordered) in [("temporal", false), ("temporal_ordered", true)] {
        let all = read(&format!("type: {kind}\nrules: [a, b]\ntimespan: 1h"));
        assert_eq!(
            all.kind,
            CorrelationKind::Temporal {
                ordered,
                condition: TemporalCondition::All
            }
        );
    }
    let some = read("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: {gte: 1}");
    assert!(matches!(
        some.kind,
        CorrelationKind::Temporal {
            condition: TemporalCondition::Count(_),
            ..
        }
    ));

    for (kind, figure) in [
        ("value_sum", Figure::Sum),
        ("value_avg", Figure::Average),
        ("value_median", Figure::Median),
        ("value_percentile", Figure::Percentile(None)),
    ] {
        let figures = read(&format!(
            "type: {kind}\nrules: [a]\ntimespan: 1h\ncondition: {{field: n, gt: 1.5}}"
        ));
        assert!(
            matches!(figures.kind, CorrelationKind::Aggregate { figure: f, .. } if f == figure),
            "{kind}"
        );
    }
    let percentile = read(
        "type: value_percentile\nrules: [a]\ntimespan: 1h\ncondition: {field: n, gt: 1, percentile: 95}",
    );
    assert!(matches!(
        percentile.kind,
        CorrelationKind::Aggregate {
            figure: Figure::Percentile(Some(95)),
            ..
        }
    ));
}

#[test]
fn an_extended_condition_is_an_expression_over_rules() {
    let listed = read("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: a and not b");
    let CorrelationKind::Temporal {
        condition: TemporalCondition::Expression(expression),
        ..
    } = &listed.kind
    else {
        panic!()
    };
    let not_b = RuleExpression::Not(Box::new(RuleExpression::Rule(1)));
    assert_eq!(
        *expression,
        RuleExpression::And(vec![RuleExpression::Rule(0), not_b])
    );
    let unlisted = read("type: temporal\ntimespan: 1h\ncondition: (x or y) and x");
    assert_eq!(
        unlisted
            .rules
            .iter()
            .map(|rule| rule.name.as_str())
            .collect::<Vec<_>>(),
        ["x", "y"]
    );
    assert_eq!(
        (
            unlisted.rules[1].location.line(),
            unlisted.rules[1].location.column()
        ),
        (6, 22)
    );
}

#[test]
fn generate_may_stand_at_the_top_or_within() {
    let body = "type: event_count\nrules: a\ntimespan: 5m\ncondition: {gte: 2}";
    assert!(!read(body).generate);
    assert!(read(&format!("{body}\ngenerate: true")).generate);
    let top = parse(&format!("generate: true\n{}", correlation(body)));
    assert!(
        matches!(top.documents.as_slice(), [Document::Correlation(correlation)] if correlation.generate)
    );
}

#[test]
fn a_month_is_no_minute() {
    for (text, seconds) in [
        ("1s", 1),
        ("2m", 120),
        ("3h", 10_800),
        ("1d", 86_400),
        ("1w", 604_800),
        ("1M", 2_629_746),
        ("1y", 31_556_952),
    ] {
        let read = read(&format!(
            "type: event_count\nrules: a\ntimespan: {text}\ncondition: {{gte: 2}}"
        ));
        assert_eq!(read.timespan.length.as_secs(), seconds, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_correlation_sets_it_aside() {
    let base = "rules: [a, b]\ntimespan: 5m\n";
    for (lines, code) in [
        (format!("{base}condition: {{gte: 1}}"), "correlation-type"),
        (
            format!("{base}type: foo\ncondition: {{gte: 1}}"),
            "correlation-type",
        ),
        (format!("{base}type: event_count"), "correlation-condition"),
        (
            format!("{base}type: event_count\ncondition: [a]"),
            "correlation-condition",
        ),
        (
            format!("{base}type: event_count\ncondition: a and b"),
            "correlation-condition",
        ),
        (
            format!("{base}type: event_count\ncondition: {{gte: x}}"),
            "correlation-condition",
        ),
        (
            format!("{base}type: event_count\ncondition: {{foo: 1}}"),
            "correlation-condition",
        ),
        (
            format!("{base}type: event_count\ncondition: {{field: x}}"),
            "correlation-condition",
        ),
        (
            format!("{base}type: value_count\ncondition: {{gte: 1}}"),
            "correlation-condition",
        ),
        (
            format!("{base}type: value_sum\ncondition: {{gte: 1, field: [a, b]}}"),
            "correlation-condition",
        ),
        (
            format!(
                "{base}type: value_percentile\ncondition: {{gte: 1, field: a, percentile: 101}}"
            ),
            "correlation-condition",
        ),
        (
            format!("{base}type: temporal\ncondition: a"),
            "correlation-condition",
        ),
        (
            format!("{base}type: temporal\ncondition: a and c"),
            "correlation-condition",
        ),
        (
            format!("{base}type: temporal\ncondition: 1 of a*"),
            "correlation-condition",
        ),
        (
            format!("{base}type: temporal\ncondition: a and ("),
            "condition",
        ),
        (format!("{base}type: temporal\ngenerate: 5"), "correlation"),
        (
            format!("{base}type: temporal\naliases: {{x: {{c: f}}}}"),
            "correlation-alias",
        ),
        (
            format!("{base}type: temporal\naliases: {{x: y}}"),
            "correlation-alias",
        ),
        (
            format!("{base}type: temporal\ngroup-by: {{x: y}}"),
            "correlation",
        ),
        ("type: temporal\ntimespan: 5m".to_owned(), "correlation"),
        (
            "type: temporal\nrules: []\ntimespan: 5m".to_owned(),
            "correlation",
        ),
        ("type: temporal\nrules: [a]".to_owned(), "timespan"),
    ] {
        let reason = reason(&correlation(&lines));
        assert_eq!(reason.code, code, "{lines}: {reason}");
    }
    for span in [
        "5",
        "0m",
        "-5m",
        "1.5h",
        "1H",
        "5 m",
        "m",
        "",
        "[5m]",
        "99999999999999999999s",
        "99999999999999999y",
    ] {
        let reason = reason(&correlation(&format!(
            "type: temporal\nrules: [a]\ntimespan: {span}"
        )));
        assert_eq!(reason.code, "timespan", "{span}");
    }
    assert_eq!(reason("title: c\ncorrelation: x\n").code, "correlation");
}

#[test]
fn correlations_refer_to_what_is_there_and_not_in_circles() {
    let named = |name: &str, rules: &str| {
        format!(
            "title: {name}\nname: {name}\ncorrelation: {{type: temporal, rules: [{rules}], timespan: 5m}}\n"
        )
    };
    let titles = |collection: &Collection| {
        collection
            .correlations
            .iter()
            .map(|correlation| correlation.title.clone())
            .collect::<Vec<_>>()
    };
    let nested = load(&[
        &named("outer", "inner, rule_b"),
        &named("inner", "rule_a"),
        RULES,
    ]);
    assert_eq!(titles(&nested), ["outer", "inner"]);
    let by_id = load(&[RULES, &named("c", "00000000-0000-4000-8000-00000000000A")]);
    assert_eq!(titles(&by_id), ["c"]);

    let missing = load(&[
        RULES,
        &named("c", "rule_a, nobody"),
        &named("d", "c"),
        &named("e", "rule_a"),
    ]);
    assert_eq!(titles(&missing), ["e"]);
    let reasons: Vec<&str> = missing
        .set_aside
        .iter()
        .map(|document| document.reason.message.as_str())
        .collect();
    assert!(
        reasons[0].contains("`nobody`, which is not there") && reasons[1].contains("broken itself"),
        "{reasons:?}"
    );

    let circle = load(&[RULES, &named("c", "d"), &named("d", "c"), &named("e", "e")]);
    assert!(circle.correlations.is_empty());
    assert_eq!(circle.set_aside.len(), 3);
}

#[test]
fn filters_leave_correlations_alone() {
    let counted =
        correlation("type: event_count\nrules: rule_a\ntimespan: 5m\ncondition: {gte: 2}");
    let filter = "title: f\nlogsource: {category: test}\nfilter: {rules: [corr], x: {f: a}, condition: not x}\n";
    let collection = load(&[RULES, &counted, filter]);
    assert!(with_filter(&collection).is_empty() && collection.refused.is_none());
}
