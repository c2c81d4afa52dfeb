//! The language as a rule's author meets it: structure, values, modifiers, conditions, metadata.

mod support;

use sigma::{
    Comparison, Document, Expr, Item, Level, Link, Modifier, Node, Part, Pattern, Severity, Status,
    Value,
};
use support::{codes, reason, rule, with_detection, with_item};

/// The tree of an expression in short: `f=a & (g=b | kw)`.
fn show(expression: &Expr<'_>) -> String {
    let join = |parts: &[Expr<'_>], word: &str| {
        format!(
            "({})",
            parts.iter().map(show).collect::<Vec<_>>().join(word)
        )
    };
    match expression {
        Expr::And(parts) => join(parts, " & "),
        Expr::Or(parts) => join(parts, " | "),
        Expr::Not(inner) => format!("!{}", show(inner)),
        Expr::Item(item) => show_item(item),
    }
}

fn show_item(item: &Item) -> String {
    let word = if item.link == Link::All { " & " } else { " | " };
    let values = item
        .values
        .iter()
        .map(show_value)
        .collect::<Vec<_>>()
        .join(word);
    let field = item
        .field
        .as_ref()
        .map(|field| format!("{field}="))
        .unwrap_or_default();
    let not = if item.negated { "!" } else { "" };
    if item.values.len() == 1 {
        format!("{not}{field}{values}")
    } else {
        format!("{not}{field}[{values}]")
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::String(pattern) => {
            let part = |part: &Part| match part {
                Part::Text(text) => text.clone(),
                Part::Star => "⁎".to_owned(),
                Part::One => "¿".to_owned(),
                Part::Placeholder(name) => format!("%{name}%"),
            };
            let text: String = pattern.parts.iter().map(part).collect();
            if pattern.cased {
                format!("cased'{text}'")
            } else {
                format!("'{text}'")
            }
        }
        Value::Number(number) => number.clone(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => "null".to_owned(),
        Value::Exists(there) => format!("exists({there})"),
        Value::Regex {
            pattern,
            ignore_case,
            multi_line,
            dot_all,
        } => {
            let flag = |set: &bool, letter| if *set { letter } else { "" };
            format!(
                "/{pattern}/{}{}{}",
                flag(ignore_case, "i"),
                flag(multi_line, "m"),
                flag(dot_all, "s")
            )
        }
        Value::Cidr(net) => net.to_string(),
        Value::Compare(comparison, number) => format!("{}{number}", sign(*comparison)),
        Value::FieldRef { field, kind } => format!("{kind:?}({field})"),
        Value::DatePart {
            part,
            compare,
            value,
        } => {
            format!("{part:?}{}{value}", compare.map_or("=", sign))
        }
        Value::AnyOf(values) => format!(
            "<{}>",
            values
                .iter()
                .map(show_value)
                .collect::<Vec<_>>()
                .join(" | ")
        ),
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Lt => "<",
        Comparison::Lte => "<=",
        Comparison::Gt => ">",
        Comparison::Gte => ">=",
    }
}

/// What one line under a search means.
fn item(line: &str) -> String {
    show(&rule(&with_item(line)).expression())
}

/// What a `detection:` means.
fn detection(text: &str) -> String {
    show(&rule(&with_detection(text)).expression())
}

#[test]
fn maps_are_and_lists_are_or_and_they_nest() {
    for (text, meaning) in [
        ("    s: {a: 1, b: 2}\n    condition: s", "(a=1 & b=2)"),
        ("    s: {a: [1, 2]}\n    condition: s", "a=[1 | 2]"),
        ("    s: [{a: 1}, {b: 2}]\n    condition: s", "(a=1 | b=2)"),
        (
            "    s: [{a: 1, c: 3}, {b: 2}]\n    condition: s",
            "((a=1 & c=3) | b=2)",
        ),
        (
            "    s: [[{a: 1}, {b: 2}], {c: 3}]\n    condition: s",
            "((a=1 | b=2) | c=3)",
        ),
        ("    s: [{a: 1}, kw]\n    condition: s", "(a=1 | 'kw')"),
        (
            "    s: [x, y, {a: 1}, z]\n    condition: s",
            "(['x' | 'y'] | a=1 | 'z')",
        ),
        ("    s: [x, y]\n    condition: s", "['x' | 'y']"),
        ("    s: kw\n    condition: s", "'kw'"),
        ("    s: {'|all': [x, y]}\n    condition: s", "['x' & 'y']"),
        (
            "    s: {f|contains: a, f|endswith: b}\n    condition: s",
            "(f='⁎a⁎' & f='⁎b')",
        ),
    ] {
        assert_eq!(detection(text), meaning, "{text}");
    }
}

#[test]
fn values_have_the_types_of_yaml() {
    for (line, meaning) in [
        ("f: abc", "f='abc'"),
        ("f: ''", "f=''"),
        ("f: '42'", "f='42'"),
        ("f: 42", "f=42"),
        ("f: -3", "f=-3"),
        ("f: 1.0", "f=1"),
        ("f: 1.50", "f=1.5"),
        ("f: 010", "f=8"),
        ("f: 0x10", "f=16"),
        ("f: 1:30", "f=90"),
        ("f: 1e3", "f='1e3'"),
        (
            "f: 123456789012345678901234567890",
            "f=123456789012345678901234567890",
        ),
        ("f: yes", "f=true"),
        ("f: 'no'", "f='no'"),
        ("f: off", "f=false"),
        ("f: null", "f=null"),
        ("f:", "f=null"),
        ("f: ~", "f=null"),
        ("f: []", "f=null"),
        ("f: !!str 5", "f='5'"),
        ("f: !!int '5'", "f=5"),
        ("'New Value': a", "New Value='a'"),
        ("a.b-c@d: a", "a.b-c@d='a'"),
    ] {
        assert_eq!(item(line), meaning, "{line}");
    }
}

#[test]
fn backslashes_are_read_as_the_table_of_the_specification_says() {
    for (value, meaning) in [
        (r"a*b?c", "a⁎b¿c"),
        (r"a\*b", "a*b"),
        (r"a\\*b", r"a\⁎b"),
        (r"a\\\*b", r"a\*b"),
        (r"a\\\\*b", r"a\\⁎b"),
        (r"C:\Temp\x", r"C:\Temp\x"),
        (r"\\server\share", r"\server\share"),
        (r"\\\\server\share", r"\\server\share"),
        (r"a\", r"a\"),
        (r"\?", "?"),
        (r"%TEMP%\x", r"%TEMP%\x"),
    ] {
        assert_eq!(
            item(&format!("f: '{value}'")),
            format!("f='{meaning}'"),
            "{value}"
        );
    }
    assert_eq!(
        item(r"f|contains: 'C:\Temp\'"),
        r"f='⁎C:\Temp\⁎'",
        "wildcards are added after the text is read"
    );
    assert_eq!(
        item(r"f|re: 'a\\b\*'"),
        r"f=/a\\b\*/",
        "a regular expression is kept as it is"
    );
}

/// Lines of a search and what they mean.
const MODIFIERS: &[(&str, &str)] = &[
    ("f|contains: a", "f='⁎a⁎'"),
    ("f|contains: '*a*'", "f='⁎a⁎'"),
    ("f|contains: ''", "f='⁎'"),
    ("f|startswith: a", "f='a⁎'"),
    ("f|endswith: a*b", "f='⁎a⁎b'"),
    ("f|startswith|endswith: a", "f='⁎a⁎'"),
    ("f|contains|contains: a", "f='⁎a⁎'"),
    ("f|all: [a, b]", "f=['a' & 'b']"),
    ("f|all|contains: [a, b]", "f=['⁎a⁎' & '⁎b⁎']"),
    ("f|exists: true", "f=exists(true)"),
    ("f|exists: [yes, no]", "f=[exists(true) | exists(false)]"),
    ("f|cased: AbC", "f=cased'AbC'"),
    ("f|cased|contains: AbC", "f=cased'⁎AbC⁎'"),
    ("f|contains|cased: AbC", "f=cased'⁎AbC⁎'"),
    ("f|neq: [a, b]", "!f=['a' | 'b']"),
    ("f|contains|all|neq: [a, b]", "!f=['⁎a⁎' & '⁎b⁎']"),
    ("f|neq: null", "!f=null"),
    ("f|neq: 5", "!f=5"),
    ("f|re: ^a.b$", "f=/^a.b$/"),
    ("f|re: 5", "f=/5/"),
    ("f|re|i: a", "f=/a/i"),
    ("f|re|m|s|i: a", "f=/a/ims"),
    ("f|re|ignorecase|multiline|dotall: a", "f=/a/ims"),
    ("f|neq|re: a", "!f=/a/"),
    ("f|re|startswith: a|b", r"f=/\A(?:a|b)/"),
    ("f|re|endswith: a", r"f=/(?:a)\z/"),
    ("f|re|contains: a", "f=/a/"),
    ("f|base64: abc", "f='YWJj'"),
    (r"f|base64: 'a\*'", "f='YSo='"),
    (
        "f|base64offset|contains: foobar",
        "f=<'⁎Zm9vYmFy⁎' | '⁎Zvb2Jhc⁎' | '⁎mb29iYX⁎'>",
    ),
    ("f|base64offset: é", "f=<'w6' | 'Op' | 'Dq'>"),
    (
        "f|base64offset|contains|all: [ab, cd]",
        "f=[<'⁎YW⁎' | '⁎Fi⁎' | '⁎hY⁎'> & <'⁎Y2⁎' | '⁎Nk⁎' | '⁎jZ⁎'>]",
    ),
    ("f|wide: ab", "f='a\0b\0'"),
    ("f|utf16le: ab", "f='a\0b\0'"),
    ("f|utf16be: ab", "f='\0a\0b'"),
    ("f|wide: a*", "f='a\0⁎'"),
    ("f|wide|contains: a", "f='⁎a\0⁎'"),
    ("f|utf16be|base64: ab", "f='AGEAYg=='"),
    ("f|utf16|base64: ab", "f='//5hAGIA'"),
    ("f|wide|base64: é", "f='6QA='"),
    (
        "f|wide|base64offset|contains: ping",
        "f=<'⁎cABpAG4AZw⁎' | '⁎AAaQBuAGcA⁎' | '⁎wAGkAbgBnA⁎'>",
    ),
    ("f|windash: -a", "f=<'-a' | '/a' | '–a' | '—a' | '―a'>"),
    ("f|windash: /a", "f=<'-a' | '/a' | '–a' | '—a' | '―a'>"),
    ("f|windash: ―a", "f=<'-a' | '/a' | '–a' | '—a' | '―a'>"),
    (
        "f|windash: --a-b",
        "f=<'--a-b' | '-/a-b' | '-–a-b' | '-—a-b' | '-―a-b'>",
    ),
    ("f|windash: abc", "f=<'abc'>"),
    (
        "f|contains|windash: ' -f '",
        "f=<'⁎ -f ⁎' | '⁎ /f ⁎' | '⁎ –f ⁎' | '⁎ —f ⁎' | '⁎ ―f ⁎'>",
    ),
    ("f|cidr: 10.0.0.0/8", "f=10.0.0.0/8"),
    ("f|cidr: 10.0.0.1", "f=10.0.0.1/32"),
    (
        "f|cidr: ['2001:db8::/32', '::1']",
        "f=[2001:db8::/32 | ::1/128]",
    ),
    ("f|lt: 5", "f=<5"),
    ("f|lte: 5", "f=<=5"),
    ("f|gt: 1.5", "f=>1.5"),
    ("f|gte: [1, 2]", "f=[>=1 | >=2]"),
    ("f|minute: 5", "f=Minute=5"),
    ("f|hour: 5", "f=Hour=5"),
    ("f|day: 5", "f=Day=5"),
    ("f|week: 5", "f=Week=5"),
    ("f|month: 5", "f=Month=5"),
    ("f|year: 2024", "f=Year=2024"),
    ("f|hour|gte: 8", "f=Hour>=8"),
    ("f|fieldref: g", "f=Equals(g)"),
    ("f|fieldref|startswith: g", "f=StartsWith(g)"),
    ("f|fieldref|endswith: g", "f=EndsWith(g)"),
    ("f|fieldref|contains: g", "f=Contains(g)"),
    ("f|fieldref|startswith|endswith: g", "f=Contains(g)"),
    ("f|fieldref|neq: g", "!f=Equals(g)"),
    (r"f|expand: '\%a% 100 %'", "f='%a% 100 %'"),
    ("'|contains': a", "'⁎a⁎'"),
    ("'|re': a.b", "/a.b/"),
];

#[test]
fn each_modifier_does_what_the_appendix_says() {
    for (line, meaning) in MODIFIERS {
        assert_eq!(item(line), *meaning, "{line}");
    }
}

#[test]
fn every_modifier_is_in_the_table() {
    for modifier in Modifier::ALL {
        let used = MODIFIERS.iter().any(|(line, _)| {
            let key = line.split(':').next().unwrap().trim_matches('\'');
            key.split('|')
                .skip(1)
                .any(|name| Modifier::named(name) == Some(*modifier))
        });
        assert!(used, "{}", modifier.as_str());
        assert_eq!(Modifier::named(modifier.as_str()), Some(*modifier));
    }
}

#[test]
fn a_value_that_does_not_fit_sets_the_rule_aside() {
    for (line, code) in [
        ("f|foo: a", "unknown-modifier"),
        ("f|: a", "unknown-modifier"),
        ("f|Contains: a", "unknown-modifier"),
        ("f|not: a", "unknown-modifier"),
        ("f|contains: 5", "modifier-type"),
        ("f|contains: null", "modifier-type"),
        ("f|contains: []", "empty-list"),
        ("f|base64: 5", "modifier-type"),
        ("f|base64: 'a*'", "encoded-wildcard"),
        ("f|contains|base64: a", "encoded-wildcard"),
        ("f|base64offset: a", "base64offset"),
        ("f|base64offset: ''", "base64offset"),
        ("f|wide: é", "utf16-bytes"),
        ("f|utf16: a", "utf16-bytes"),
        ("f|exists: 'true'", "modifier-type"),
        ("f|exists: 1", "modifier-type"),
        ("f|contains|exists: true", "modifier-order"),
        ("'|exists': true", "modifier-type"),
        ("'|fieldref': g", "modifier-type"),
        ("f|contains|re: a", "modifier-order"),
        ("f|re|cased: a", "modifier-type"),
        ("f|re: null", "modifier-type"),
        ("f|i: a", "modifier-order"),
        ("f|re: '(a'", "regex"),
        ("f|re: 'a(?=b)'", "regex"),
        (r"f|re: '(a)\1'", "regex"),
        ("f|re: '['", "regex"),
        (r"f|re: '(?:\w{1000}){1000}'", "regex"),
        ("f|cidr: 10.0.0.1/8", "cidr"),
        ("f|cidr: 10.0.0.0/99", "cidr"),
        ("f|cidr: null", "cidr"),
        ("f|endswith|cidr: 10.0.0.0/8", "modifier-order"),
        ("f|gt: '5'", "modifier-type"),
        ("f|gt: null", "modifier-type"),
        ("f|hour: a", "modifier-type"),
        ("f|fieldref: 'g*'", "fieldref"),
        ("f|fieldref: 5", "modifier-type"),
        ("f|windash: 5", "modifier-type"),
        (
            "f|windash: '-a -b -c -d -e -f -g -h'",
            "too-many-alternatives",
        ),
        ("f: 2024-01-01", "date-value"),
        ("f: .nan", "odd-number"),
        ("f: .inf", "odd-number"),
        ("f: {g: a}", "value-type"),
        ("f: [[a, b]]", "value-type"),
        ("f: [a, {g: b}]", "value-type"),
        ("'': null", "null-keyword"),
    ] {
        let reason = reason(&with_item(line));
        assert_eq!(
            (reason.code, reason.severity),
            (code, Severity::Error),
            "{line}: {reason}"
        );
    }
    for (search, code) in [
        ("{}", "empty-search"),
        ("[]", "empty-search"),
        ("null", "null-keyword"),
        ("[null]", "null-keyword"),
    ] {
        let reason = reason(&with_detection(&format!(
            "    sel: {search}\n    condition: sel"
        )));
        assert_eq!(reason.code, code, "{search}");
    }
}

#[test]
fn a_placeholder_needs_set_up() {
    for line in [
        "f|expand: '%x%'",
        "f|contains|expand: 'a%x%b'",
        "f|re|expand: 'a%x%'",
        "f|expand|base64: '%x%'",
    ] {
        let reason = reason(&with_item(line));
        assert_eq!(
            (reason.code, reason.severity),
            ("placeholder", Severity::NeedsSetUp),
            "{line}: {reason}"
        );
        assert_eq!(reason.message, "the placeholder `%x%` has no value");
    }
    let both = reason(&with_item("f|expand: '%x%'\n        g|foo: a"));
    assert_eq!(
        both.severity,
        Severity::Error,
        "a rule that is broken as well is broken"
    );
}

#[test]
fn what_is_odd_but_clear_is_read_with_a_warning() {
    for (line, code) in [
        ("f|all: a", "all-of-one"),
        ("f: [a, null]", "null-in-list"),
        ("f: []", "empty-list"),
    ] {
        let warned = codes(&with_item(line));
        assert!(warned.contains(&code), "{line}: {warned:?}");
        rule(&with_item(line));
    }
}

#[test]
fn conditions_combine_searches() {
    let searches = "    a: {f: 1}\n    b: {f: 2}\n    _c: {f: 3}\n    notepad: {f: 4}\n    odd|name.x: {f: 5}\n";
    for (condition, meaning) in [
        ("a and b or _c", "((f=1 & f=2) | f=3)"),
        ("not (a or b)", "!(f=1 | f=2)"),
        ("1 of them", "(f=1 | f=2 | f=4 | f=5)"),
        ("all of them", "(f=1 & f=2 & f=4 & f=5)"),
        ("any of _*", "f=3"),
        ("a and not 1 of odd*", "(f=1 & !f=5)"),
        ("notepad", "f=4"),
        ("a and notepad", "(f=1 & f=4)"),
        ("[a, b]", "(f=1 | f=2)"),
        ("[a and b, not _c]", "((f=1 & f=2) | !f=3)"),
    ] {
        assert_eq!(
            detection(&format!("{searches}    condition: {condition}")),
            meaning,
            "{condition}"
        );
    }
}

#[test]
fn broken_conditions_are_errors_at_their_place() {
    for (condition, code, column) in [
        ("sel AND sel", "condition", 20),
        ("sel and zz", "undefined-search", 24),
        ("sel and 1 of zz*", "undefined-search", 29),
        ("sel | count() > 5", "deprecated-aggregation", 20),
        ("'sel and zz'", "undefined-search", 25),
        ("''", "condition", 16),
        ("{a: b}", "condition", 16),
        ("[]", "condition", 16),
        ("[sel, [sel]]", "condition", 16),
        ("null", "undefined-search", 16),
    ] {
        let reason = reason(&with_detection(&format!(
            "    sel: {{f: a}}\n    condition: {condition}"
        )));
        let place = (reason.location.line(), reason.location.column());
        assert_eq!(
            (reason.code, place),
            (code, (6, column)),
            "{condition}: {reason}"
        );
    }
    assert_eq!(
        reason(&with_detection("    sel: {f: a}")).code,
        "no-condition"
    );
    assert_eq!(
        reason(&with_detection("    condition: sel")).code,
        "no-search"
    );
}

#[test]
fn a_search_that_no_condition_uses_is_a_warning() {
    let unused =
        with_detection("    a: {f: 1}\n    b: {f: 2}\n    timeframe: 5m\n    condition: a");
    let warned = codes(&unused)
        .into_iter()
        .filter(|code| *code == "unused-search")
        .count();
    assert_eq!(warned, 2);
}

#[test]
fn what_a_rule_says_of_itself_is_typed() {
    let rule = rule(concat!(
        "title: ' A title '\n",
        "id: 0123ABCD-4567-89ab-cdef-0123456789AB\n",
        "name: a_name\n",
        "related: [{id: 1123abcd-4567-89ab-cdef-0123456789ab, type: derived}]\n",
        "taxonomy: sigma\nstatus: test\ndescription: |\n  Words\nlicense: MIT\nauthor: A, B\n",
        "references: ['https://example.org']\ndate: 2024-01-31\nmodified: 2024/2/1\n",
        "logsource: {product: windows, category: process_creation, definition: set it up, extra: x}\n",
        "detection: {s: {f: a}, condition: s}\n",
        "fields: [f]\nfalsepositives: [Unknown]\nlevel: high\ntags: [attack.T1059.001, attack.execution]\n",
        "scope: [server]\nsimulation: [{type: atomic, n: 1, on: null}]\n",
    ));
    assert_eq!(rule.id.as_str(), "0123abcd-4567-89ab-cdef-0123456789ab");
    assert_eq!(
        (rule.title.as_str(), rule.name.as_deref()),
        ("A title", Some("a_name"))
    );
    assert_eq!(rule.related[0].kind, "derived");
    assert_eq!(
        (rule.status, rule.level),
        (Some(Status::Test), Some(Level::High))
    );
    assert_eq!(
        (rule.level.unwrap().severity(), Level::Critical.severity()),
        (4, 5)
    );
    assert_eq!(rule.date.unwrap().to_string(), "2024-01-31");
    assert_eq!(rule.modified.unwrap().to_string(), "2024-02-01");
    assert_eq!(rule.log_source.product.as_deref(), Some("windows"));
    assert_eq!(
        rule.log_source.custom,
        [("extra".to_owned(), "x".to_owned())]
    );
    assert_eq!(
        rule.tags
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["attack.t1059.001", "attack.execution"]
    );
    assert_eq!(rule.custom[0].name, "simulation");
    assert_eq!((rule.location.line(), rule.location.column()), (1, 1));
}

#[test]
fn gaps_and_oddities_of_the_header_are_told_apart_by_gravity() {
    let base = "logsource: {category: test}\ndetection: {s: {f: a}, condition: s}\n";
    for (line, code, severity) in [
        ("id: 5", "odd-id", Severity::Error),
        ("level: grave", "unknown-level", Severity::Error),
        ("status: fine", "unknown-status", Severity::Warning),
        ("date: soon", "odd-date", Severity::Warning),
        ("author: [a]", "field-type", Severity::Warning),
        ("falsepositives: none", "field-type", Severity::Warning),
        (
            "tags: [attack.t1059, ATTACK.T1059]",
            "duplicate-tag",
            Severity::Warning,
        ),
        ("tags: [evil]", "odd-tag", Severity::Warning),
        (
            "references: [a, a]",
            "duplicate-reference",
            Severity::Warning,
        ),
        ("related: [{id: x}]", "odd-related", Severity::Warning),
        ("regression_tests_path: x", "custom-field", Severity::Note),
    ] {
        let parsed = support::parse(&format!("title: t\n{line}\n{base}"));
        let told = parsed
            .diagnostics
            .iter()
            .find(|diagnostic| diagnostic.code == code);
        assert_eq!(
            told.map(|diagnostic| diagnostic.severity),
            Some(severity),
            "{line}: {:?}",
            parsed.diagnostics
        );
        assert_eq!(
            parsed.documents.len(),
            usize::from(severity > Severity::NeedsSetUp),
            "{line}"
        );
    }
    for (text, code) in [
        (base.to_owned(), "no-title"),
        (format!("title:\n{base}"), "no-title"),
        (format!("title: [t]\n{base}"), "no-title"),
        (
            "title: t\ndetection: {s: {f: a}, condition: s}".to_owned(),
            "no-log-source",
        ),
        (
            "title: t\nlogsource: {product: }\ndetection: {s: {f: a}, condition: s}".to_owned(),
            "no-log-source",
        ),
        (
            "title: t\nlogsource: windows\ndetection: {s: {f: a}, condition: s}".to_owned(),
            "no-log-source",
        ),
        (
            "title: t\nlogsource: {product: a}".to_owned(),
            "no-detection",
        ),
        (
            "title: t\nlogsource: {product: a}\ndetection: []".to_owned(),
            "no-detection",
        ),
        ("a: b".to_owned(), "no-rule"),
        ("just text".to_owned(), "no-rule"),
        ("- a\n- b".to_owned(), "no-rule"),
    ] {
        assert_eq!(reason(&text).code, code, "{text}");
    }
    let bare = codes(&format!("title: t\n{base}"));
    assert_eq!(bare, ["missing-field"; 3]);
}

#[test]
fn a_rule_without_id_is_known_by_what_it_says_not_by_how_it_is_written() {
    let one = rule(
        "title: t\nlogsource: {product: a}\ndetection:\n    s: {f: a, g: 10}\n    condition: s\n",
    );
    let same = rule(concat!(
        "# a comment\n\"title\": 't'\ndetection: {condition: \"s\", s: {g: 0xA, f: 'a'}}\n",
        "logsource:\n  product: a\n",
    ));
    let other = rule(
        "title: t\nlogsource: {product: a}\ndetection:\n    s: {f: a, g: '10'}\n    condition: s\n",
    );
    assert_eq!(one.id, same.id);
    assert_ne!(one.id, other.id);
    let digits = one.id.as_str().strip_prefix("x-").unwrap();
    assert!(
        digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{}",
        one.id
    );
}

#[test]
fn placeholders_that_have_values_are_texts() {
    let placeholders = [("x", vec!["a*", "b"]), ("none", vec![])];
    let placeholders = placeholders.map(|(name, values)| {
        let values = values.into_iter().map(str::to_owned).collect();
        (name.to_owned(), values)
    });
    let placeholders = placeholders.into_iter().collect();
    let read = |search: &str| {
        let text = format!(
            "title: T\nlogsource: {{product: p}}\ndetection: {{s: {search}, condition: s}}\n"
        );
        let source = sigma::Source {
            name: "rule.yml",
            text: text.as_bytes(),
        };
        sigma::parse_with(&source, &placeholders)
    };
    let text = |text: &str| Part::Text(text.to_owned());
    let pattern = |parts: Vec<Part>| {
        Value::String(Pattern {
            parts,
            cased: false,
        })
    };
    let parsed = read("{f|expand|contains: '-%x%*'}");
    let [Document::Rule(rule)] = parsed.documents.as_slice() else {
        panic!("{:?}", parsed.diagnostics)
    };
    let Node::Item(item) = &rule.detection.searches[0].node else {
        panic!()
    };
    let filled = ["-a*", "-b"].map(|it| pattern(vec![Part::Star, text(it), Part::Star]));
    assert_eq!(item.values, [Value::AnyOf(filled.to_vec())]);
    for (search, code) in [
        ("{f|expand: '%y%'}", "placeholder"),
        ("{f|expand: '%none%'}", "placeholder"),
        ("{f|expand: '%x%%y%'}", "placeholder"),
        ("{f|re|expand: '%x%'}", "placeholder"),
        (
            &format!("{{f|expand: '{}'}}", "%x%".repeat(40)),
            "too-many-alternatives",
        ),
    ] {
        assert_eq!(read(search).set_aside[0].reason.code, code, "{search}");
    }
}

#[test]
fn other_files_are_read_with_the_same_care() {
    let source = |text: &'static str| sigma::Source {
        name: "other.yml",
        text: text.as_bytes(),
    };
    let documents = sigma::yaml::read(&source("a: {f|contains: [x, 1]}\n---\nb: 2\n")).unwrap();
    let [first, second] = documents.as_slice() else {
        panic!("{documents:?}")
    };
    assert_eq!(second.get("b").unwrap().kind(), "a number");
    let search = sigma::parse_search("other.yml", first.get("a").unwrap());
    assert_eq!(search.unwrap_err()[0].location.line(), 1);
    let fault = sigma::yaml::read(&source("a: 1\na: 2\n")).unwrap_err();
    assert_eq!(
        (fault.code, fault.location.line(), &*fault.location.file),
        ("duplicate-key", 2, "other.yml")
    );
}
