//! Mappings that users bring: what they make of rules, and what of them is refused.

use event::Event;
use mapping::{MapError, Mapping};
use sigma::{Diagnostic, Document, Rule, Source};
use std::io::Read;

fn source<'a>(name: &'a str, text: &'a str) -> Source<'a> {
    Source {
        name,
        text: text.as_bytes(),
    }
}

fn read(text: &str) -> Mapping {
    Mapping::read(&source("mapping.yml", text)).unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"))
}

fn refused(text: &str) -> Vec<Diagnostic> {
    Mapping::read(&source("mapping.yml", text)).expect_err(text)
}

fn rule(log_source: &str, search: &str) -> Rule {
    let text = format!(
        "title: T\ntags: [attack.t1059]\nlogsource: {{{log_source}}}\ndetection: {{s: {search}, condition: s}}\n"
    );
    let parsed = sigma::parse(&source("rule.yml", &text));
    match parsed.documents.into_iter().next() {
        Some(Document::Rule(rule)) => *rule,
        _ => panic!("{text}: {:?}", parsed.diagnostics),
    }
}

/// Whether the rule hits the event; none if it needs set-up.
fn hits(mapping: &Mapping, rule: &Rule, event: &str) -> Option<bool> {
    match mapping.map(rule) {
        Ok(mapped) => Some(
            mapped
                .predicate()
                .matches(&Event::parse(event.as_bytes()).unwrap()),
        ),
        Err(MapError::NotMapped(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Asserts what becomes of a rule that looks for this in this log source.
#[track_caller]
fn assert_hits(mapping: &Mapping, log_source: &str, search: &str, cases: &[(&str, Option<bool>)]) {
    let rule = rule(log_source, search);
    for (event, expected) in cases {
        assert_eq!(
            hits(mapping, &rule, event),
            *expected,
            "{search} on {event}"
        );
    }
}

const CONFIG: &str = r#"
title: Acme
order: 10
backends: [es-dsl]
logsources:
  logins:
    product: acme
    category: login
    index: acme-*
    conditions:
      Kind: [login, log*on]
  all:
    product: acme
    index: [acme-*]
defaultindex: acme-*
fieldmappings:
  Kind: event.kind
  User: [user.name, user.email]
  New Value: change.new
  Target:
    service=disk: disk.path
    Kind=file: file.path
    default: target.name
  Odd:
    Kind=file: file.odd
"#;

#[test]
fn a_configuration_gives_conditions_and_names() {
    let mapping = read(CONFIG);
    let login = "product: acme, category: login";
    assert_hits(
        &mapping,
        login,
        "{User: bob}",
        &[
            (
                r#"{"event": {"kind": "login"}, "user": {"name": "bob"}}"#,
                Some(true),
            ),
            (
                r#"{"event.kind": "LogSOn", "user.email": "Bob"}"#,
                Some(true),
            ),
            (
                r#"{"event.kind": "logout", "user.name": "bob"}"#,
                Some(false),
            ),
            (r#"{"event.kind": "login", "User": "bob"}"#, Some(false)),
        ],
    );
    let without_user = r#"{"event.kind": "login"}"#;
    assert_hits(
        &mapping,
        login,
        "{User: null}",
        &[
            (without_user, Some(true)),
            (r#"{"event.kind": "login", "user.email": "b"}"#, Some(false)),
        ],
    );
    assert_hits(
        &mapping,
        login,
        "{User|neq: bob}",
        &[
            (without_user, Some(true)),
            (
                r#"{"event.kind": "login", "user.name": "ann", "user.email": "bob"}"#,
                Some(false),
            ),
        ],
    );
    assert_hits(
        &mapping,
        login,
        "{NewValue|fieldref: User}",
        &[(
            r#"{"event.kind": "login", "change.new": "x", "user.email": "x"}"#,
            Some(true),
        )],
    );
    assert_hits(
        &mapping,
        login,
        "[bob]",
        &[(r#"{"event.kind": "login", "any": "Bobby"}"#, Some(true))],
    );
}

#[test]
fn names_may_depend_on_the_log_source_and_on_other_fields() {
    let mapping = read(CONFIG);
    for (log_source, search, name) in [
        (
            "product: acme, category: login",
            "{Target: x}",
            "target.name",
        ),
        (
            "product: acme, category: login, service: disk",
            "{Target: x}",
            "disk.path",
        ),
        (
            "product: acme, category: login",
            "{Target: x, Kind: file}",
            "file.path",
        ),
        (
            "product: acme, category: login",
            "{Target: x, Kind: other}",
            "target.name",
        ),
        ("product: acme, category: login", "{Odd: x}", "Odd"),
    ] {
        let mapped = mapping.map(&rule(log_source, search)).unwrap();
        let mut shown = Vec::new();
        mapped.branches[0]
            .detection
            .for_each_test(&mut |test| shown.push(test.to_string()));
        assert!(
            shown.contains(&format!("{name} is 'x'")),
            "{search}: {shown:?}"
        );
    }
}

#[test]
fn conditions_of_several_definitions_go_together_as_the_file_says() {
    let both = r#"{"a": 1, "b": 1, "x": "y"}"#;
    let one = r#"{"a": 1, "x": "y"}"#;
    for (merging, on_one) in [
        ("", false),
        ("logsourcemerging: and", false),
        ("logsourcemerging: or", true),
    ] {
        let mapping = read(&format!(
            "{merging}\nlogsources:\n  a: {{product: p, conditions: {{a: 1}}}}\n  b: {{service: s, conditions: {{b: 1}}}}\n"
        ));
        assert_hits(
            &mapping,
            "product: p, service: s",
            "{x: y}",
            &[(both, Some(true)), (one, Some(on_one))],
        );
    }
}

#[test]
fn a_log_source_without_conditions_is_left_to_the_next_as_it_is() {
    let mapping = Mapping::first_of([read(CONFIG), Mapping::none()]);
    assert_hits(
        &mapping,
        "product: acme",
        "{User: bob}",
        &[
            (r#"{"User": "bob"}"#, Some(true)),
            (r#"{"user.name": "bob"}"#, Some(false)),
        ],
    );
    assert_hits(
        &read(CONFIG),
        "product: acme",
        "{User: bob}",
        &[("{}", None)],
    );
    let everything = read("fieldmappings: {User: user.name}");
    let mapping = Mapping::first_of([everything, Mapping::none()]);
    assert_hits(
        &mapping,
        "product: acme",
        "{User: bob}",
        &[(r#"{"user.name": "bob"}"#, Some(true))],
    );
}

#[test]
fn a_rewritten_log_source_goes_on_to_the_next() {
    let rewriting = "logsources: {l: {category: login, conditions: {Id: 7}, rewrite: {product: windows, service: security}}}
fieldmappings: {Id: EventID}";
    let event = r#"{"Channel": "Security", "EventID": 7, "x": "y"}"#;
    let cases = [
        (event, Some(true)),
        (
            r#"{"Channel": "Security", "EventID": 8, "x": "y"}"#,
            Some(false),
        ),
        (
            r#"{"Channel": "System", "EventID": 7, "x": "y"}"#,
            Some(false),
        ),
    ];
    let mapping = Mapping::first_of([read(rewriting), Mapping::builtin()]);
    assert_hits(&mapping, "category: login", "{x: y}", &cases);
    let pipeline = "transformations:
- {type: add_condition, conditions: {EventID: 7}, rule_conditions: [{type: logsource, category: login}]}
- {type: change_logsource, product: windows, service: security, rule_conditions: [{type: logsource, category: login}]}";
    let mapping = Mapping::first_of([read(pipeline), Mapping::builtin()]);
    assert_hits(&mapping, "category: login", "{x: y}", &cases);
    assert_hits(
        &read(pipeline),
        "category: login",
        "{x: y}",
        &[(event, None)],
    );
    let error = read(pipeline)
        .map(&rule("category: login", "{x: y}"))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("product=windows, service=security"),
        "{error}"
    );
}

#[test]
fn a_pipeline_gives_conditions_and_names() {
    let mapping = read(
        "
name: acme
priority: 20
allowed_backends: [lucene]
transformations:
- id: names
  type: field_name_mapping
  mapping: {User: [user.name, user.email], Path: file.path}
- type: field_name_prefix_mapping
  mapping: {win_: win.}
- type: field_name_prefix
  prefix: data.
  field_name_conditions: [{type: exclude_fields, fields: [user.name, user.email, file.path]}]
- type: add_condition
  conditions: {kind|startswith: log}
  rule_conditions: [{type: logsource, product: acme}, {type: contains_field, field: user.email}]
- type: add_condition
  negated: true
  conditions: {noise: yes}
",
    );
    let product = "product: acme, category: login";
    assert_hits(
        &mapping,
        product,
        "{User: bob, win_a: 1, z: 2}",
        &[
            (
                r#"{"kind": "login", "user": {"email": "bob"}, "win.a": 1, "data.z": 2}"#,
                Some(false),
            ),
            (
                r#"{"kind": "login", "user": {"email": "bob"}, "data": {"win.a": 1, "z": 2}}"#,
                Some(true),
            ),
            (
                r#"{"kind": "x", "user": {"email": "bob"}, "data": {"win.a": 1, "z": 2}}"#,
                Some(false),
            ),
            (
                r#"{"kind": "login", "noise": true, "user": {"email": "bob"}, "data": {"win.a": 1, "z": 2}}"#,
                Some(false),
            ),
        ],
    );
    assert_hits(&mapping, product, "{Path: x}", &[("{}", None)]);
    assert_hits(&mapping, "product: other", "{User: x}", &[("{}", None)]);
}

#[test]
fn conditions_of_a_pipeline_combine() {
    let applies = |conditions: &str, log_source: &str| {
        let text = format!(
            "transformations:\n- type: add_condition\n  conditions: {{k: 1}}\n{conditions}"
        );
        read(&text).map(&rule(log_source, "{a: b, n: 4}")).is_ok()
    };
    let logsource = "{type: logsource, category: login}";
    for (conditions, expected) in [
        ("", true),
        ("  rule_conditions: [{type: logsource, product: p}]", true),
        ("  rule_conditions: [{type: logsource, product: q}]", false),
        (
            "  rule_conditions: [{type: logsource, product: p, service: s}]",
            false,
        ),
        (
            &format!("  rule_conditions: [{logsource}, {{type: logsource, product: p}}]"),
            false,
        ),
        (
            &format!(
                "  rule_conditions: [{logsource}, {{type: logsource, product: p}}]\n  rule_cond_op: or"
            ),
            true,
        ),
        (
            &format!("  rule_conditions: [{logsource}]\n  rule_cond_not: true"),
            true,
        ),
        (
            "  rule_conditions: [{type: contains_field, field: a}]",
            true,
        ),
        (
            "  rule_conditions: [{type: contains_field, field: c}]",
            false,
        ),
        (
            "  rule_conditions: [{type: contains_detection_item, field: n, value: 4}]",
            true,
        ),
        (
            "  rule_conditions: [{type: contains_detection_item, field: a, value: c}]",
            false,
        ),
        ("  rule_conditions: [{type: tag, tag: attack.T1059}]", true),
        ("  rule_conditions: [{type: is_sigma_rule}]", true),
        (
            "  rule_conditions: [{type: is_sigma_correlation_rule}]",
            false,
        ),
    ] {
        assert_eq!(applies(conditions, "product: p"), expected, "{conditions}");
    }
}

#[test]
fn dropped_items_take_their_branches_along() {
    let mapping = Mapping::first_of([
        read(
            "transformations: [{type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [a]}]}]",
        ),
        Mapping::none(),
    ]);
    for (search, event, expected) in [
        ("{a: 1, b: 2}", r#"{"b": 2}"#, true),
        ("[{a: 1}, {b: 2}]", r#"{"a": 1}"#, false),
        ("{a|neq: 1, b: 2}", r#"{"a": 1, "b": 2}"#, true),
    ] {
        assert_hits(&mapping, "product: p", search, &[(event, Some(expected))]);
    }
    let error = mapping.map(&rule("product: p", "{a: [1, 2]}")).unwrap_err();
    assert!(error.to_string().contains("drops all"), "{error}");
}

#[test]
fn placeholders_get_the_values_of_a_pipeline() {
    let pipeline =
        "vars: {admins: [root, 'a*'], one: 1}\ntransformations: [{type: value_placeholders}]";
    let mapping = Mapping::first_of([read(pipeline), Mapping::none()]);
    let parse = |search: &str| {
        let text = format!(
            "title: T\nlogsource: {{product: p}}\ndetection: {{s: {search}, condition: s}}\n"
        );
        sigma::parse_with(&source("rule.yml", &text), &mapping.placeholders())
    };
    for (search, event, expected) in [
        ("{u|expand: '%admins%'}", r#"{"u": "ROOT"}"#, true),
        ("{u|expand: '%admins%'}", r#"{"u": "a*"}"#, true),
        ("{u|expand: '%admins%'}", r#"{"u": "ab"}"#, false),
        (
            "{u|expand|contains: '%admins%'}",
            r#"{"u": "xrooty"}"#,
            true,
        ),
        (
            "{u|contains|expand: '%one%-%admins%'}",
            r#"{"u": "x1-rooty"}"#,
            true,
        ),
        (
            "{u|expand|base64: '%admins%'}",
            r#"{"u": "cm9vdA=="}"#,
            true,
        ),
    ] {
        let parsed = parse(search);
        let [Document::Rule(rule)] = parsed.documents.as_slice() else {
            panic!("{search}: {:?}", parsed.diagnostics)
        };
        assert_eq!(
            hits(&mapping, rule, event),
            Some(expected),
            "{search} on {event}"
        );
    }
    for search in [
        "{u|expand: '%other%'}",
        "{u|expand: '%one%%other%'}",
        "{u|re|expand: '%one%'}",
    ] {
        assert!(parse(search).documents.is_empty(), "{search}");
    }
    let without = read("vars: {admins: root}\ntransformations: []");
    assert!(without.placeholders().is_empty());
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (text, line, column, said) in [
        ("", 1, 1, "empty"),
        ("a: 1", 1, 1, "no mapping"),
        ("- a", 1, 1, "no mapping"),
        (
            "title: T\nlogsource: {product: p}\ndetection: {s: {a: b}, condition: s}",
            1,
            1,
            "no mapping",
        ),
        (
            "fieldmappings: {}\n---\nfieldmappings: {}",
            3,
            1,
            "single document",
        ),
        ("fieldmappings: {a: b}\noverrides: []", 2, 1, "`overrides`"),
        ("fieldmappings:\n  a: null", 2, 6, "null"),
        ("fieldmappings:\n  a: []", 2, 6, "a list"),
        ("fieldmappings:\n  a: {b: c}", 2, 7, "`b` is neither"),
        ("fieldmappings:\n  a: b\n  a: c", 3, 3, "twice"),
        ("logsources:\n  l: {index: x}", 2, 6, "neither `category`"),
        (
            "logsources:\n  l: {product: x, search: y}",
            2,
            19,
            "`search`",
        ),
        (
            "logsources:\n  l: {product: x, conditions: {a|foo: y}}",
            2,
            34,
            "foo",
        ),
        (
            "logsources: {}\nlogsourcemerging: xor",
            2,
            19,
            "`and` or `or`",
        ),
        ("transformations: {}", 1, 18, "a list is wanted"),
        ("transformations:\n- id: x", 2, 3, "no `type`"),
        ("transformations:\n- type: set_state", 2, 9, "`set_state`"),
        (
            "transformations:\n- {type: field_name_prefix, prefix: p, suffix: s}",
            2,
            40,
            "`suffix`",
        ),
        (
            "transformations:\n- {type: field_name_prefix}",
            2,
            3,
            "no `prefix`",
        ),
        (
            "transformations:\n- {type: drop_detection_item}",
            2,
            3,
            "drop all",
        ),
        (
            "transformations:\n- {type: add_condition, conditions: {a: b}, template: true}",
            2,
            45,
            "`template`",
        ),
        (
            "transformations:\n- {type: add_condition, conditions: {a|re: '('}}",
            2,
            44,
            "regular expression",
        ),
        (
            "transformations:\n- {type: field_name_mapping, mapping: {null: x}}",
            2,
            40,
            "keywords",
        ),
        (
            "transformations:\n- {type: field_name_suffix, suffix: x, rule_conditions: [{type: rule_attribute}]}",
            2,
            65,
            "`rule_attribute`",
        ),
        (
            "transformations:\n- {type: field_name_suffix, suffix: x, rule_cond_expr: a}",
            2,
            40,
            "`rule_cond_expr`",
        ),
        (
            "transformations:\n- type: field_name_suffix\n  suffix: x\n  field_name_conditions: [{type: include_fields, fields: [a], mode: re}]",
            4,
            69,
            "mode",
        ),
        ("transformations: []\nfinalizers: []", 2, 1, "`finalizers`"),
        ("a: [", 1, 4, "YAML"),
    ] {
        let wrong = refused(text);
        let [first, ..] = wrong.as_slice() else {
            panic!("{text}")
        };
        assert_eq!(&*first.location.file, "mapping.yml");
        assert_eq!(
            (first.location.line(), first.location.column()),
            (line, column),
            "{first}\n{text}"
        );
        assert!(first.message.contains(said), "{first}\n{text}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let wrong =
        refused("transformations:\n- type: set_state\n- type: field_name_prefix\n- type: nest\n");
    let lines: Vec<_> = wrong.iter().map(|one| one.location.line()).collect();
    assert_eq!(lines, [2, 3, 4]);
    let wrong = refused(
        "logsources: {a: {index: x}, b: {}}\nfieldmappings: {c: null}\nlogsourcemerging: 1",
    );
    let lines: Vec<_> = wrong.iter().map(|one| one.location.line()).collect();
    assert_eq!(lines, [1, 1, 2, 3]);
}

#[test]
fn hostile_files_are_refused_or_harmless() {
    let mut texts = vec![
        b"\xff\xfe".to_vec(),
        b"\xc3(".to_vec(),
        vec![b'['; 100_000],
        "fieldmappings: {a: &a [*a]}".into(),
        format!("fieldmappings: {{a: [{}]}}", "x, ".repeat(100_000)).into(),
    ];
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        bomb += &format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1);
    }
    texts.push((bomb + "fieldmappings: {}\n").into_bytes());
    for text in &texts {
        let source = Source {
            name: "hostile.yml",
            text,
        };
        assert!(Mapping::read(&source).is_err());
    }
    // Names that double forty times.
    let double = "- {type: field_name_prefix_mapping, mapping: {a: [ab, ac]}}\n";
    let mapping = read(&format!("transformations:\n{}", double.repeat(40)));
    let error = mapping.map(&rule("product: p", "{a: b}")).unwrap_err();
    assert!(error.to_string().contains("1,000 names"), "{error}");
    let same = "- {type: field_name_mapping, mapping: {a: [a, a]}}\n";
    let mapping = read(&format!("transformations:\n{}", same.repeat(1_000)));
    assert_hits(&mapping, "product: p", "{a: b}", &[("{}", None)]);
    // Many conditions do not nest.
    let condition =
        "- {type: add_condition, conditions: {a: b}}\n- {type: change_logsource, product: p}\n";
    let mapping = read(&format!(
        "transformations:\n{}- {{type: add_condition, conditions: {{a: b}}}}\n",
        condition.repeat(10_000)
    ));
    assert_hits(
        &mapping,
        "product: p",
        "{a: b}",
        &[(r#"{"a": "b"}"#, Some(true))],
    );
}

/// The configurations of sigmac that are refused, and why.
const REFUSED: [(&str, &str); 13] = [
    ("ala-azure-aws_cloudtrail.yml", "the key `overrides`"),
    ("arcsight-zeek.yml", "this is null"),
    ("carbon-black.yml", "the key `excludedfields`"),
    ("datadog.yml", "this is no mapping"),
    ("dnif.yml", "the key `overrides`"),
    ("ecs-cloudtrail.yml", "the key `overrides`"),
    ("ecs-proxy.yml", "this is null"),
    ("hawk.yml", "the key `product_name`"),
    ("splunk-windows.yml", "the key `search`"),
    ("streamalert.yml", "the key `outputs`"),
    ("sumologic.yml", "the key `afl_fields`"),
    ("thor.yml", "the key `fieldmappings`"),
    ("uberagent.yml", "this is no mapping"),
];

#[test]
fn every_configuration_of_sigmac_is_read_or_refused_with_a_reason() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let archive = std::fs::File::open(shared.join("corpus/sigmac-configs-0.23.1.tar.zst")).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(archive).unwrap());
    let mut files = 0;
    let mut refused = Vec::new();
    for file in archive.entries().unwrap() {
        let mut file = file.unwrap();
        let name = file
            .path()
            .unwrap()
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        if !name.ends_with(".yml") {
            continue;
        }
        files += 1;
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        if let Err(wrong) = Mapping::read(&Source {
            name: &name,
            text: &text,
        }) {
            refused.push((name, wrong));
        }
    }
    assert_eq!(files, 75);
    refused.sort_by(|a, b| a.0.cmp(&b.0));
    let names: Vec<&str> = refused.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, REFUSED.map(|(name, _)| name));
    for ((name, wrong), (_, reason)) in refused.iter().zip(REFUSED) {
        assert!(
            wrong.iter().any(|one| one.message.contains(reason)),
            "{name}: {wrong:?}"
        );
    }
}
