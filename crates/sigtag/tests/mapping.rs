//! `--mapping`, as a user meets it.

use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

const RULE: &str = r"
title: Vault opened
id: 11111111-2222-4333-8444-555555555555
logsource: {product: acme, category: vault}
detection:
    selection: {User: bob}
    condition: selection
level: high
";

const PLACEHOLDER: &str = r"
title: Vault opened by an administrator
id: 22222222-2222-4333-8444-555555555555
logsource: {product: acme, category: vault}
detection:
    selection: {User|expand: '%admins%'}
    condition: selection
level: low
";

const CONFIG: &str = r"
title: Acme
logsources:
    vault: {product: acme, category: vault, conditions: {event.dataset: acme.vault}}
fieldmappings: {User: user.name}
";

const PIPELINE: &str = r"
name: Acme
vars: {admins: [ann, bob]}
transformations:
    - {type: value_placeholders}
    - {type: field_name_mapping, mapping: {User: [user.name, user.email]}}
    - type: add_condition
      conditions: {event.dataset: acme.vault}
      rule_conditions: [{type: logsource, product: acme}]
";

const EVENTS: &str = r#"{"event.dataset": "acme.vault", "user": {"name": "bob"}}
{"event.dataset": "acme.door", "user": {"name": "bob"}}
{"event.dataset": "acme.vault", "user": {"name": "eve"}}
"#;

const UNSUPPORTED: &str = "transformations:\n    - type: set_state\n      key: index\n";

fn run(arguments: &[&str]) -> (i32, String, String) {
    let folder: TempDir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("rules/vault.yml", RULE),
        ("rules/placeholder.yml", PLACEHOLDER),
        ("config.yml", CONFIG),
        ("pipeline.yml", PIPELINE),
        ("unsupported.yml", UNSUPPORTED),
        ("events.jsonl", EVENTS),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_sigtag"))
        .current_dir(&folder)
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn rules_of_a_mapped_log_source_run() {
    let tag = ["tag", "--quiet", "--rules", "rules", "events.jsonl"];
    assert_eq!(run(&tag), (0, String::new(), String::new()));
    for (mapping, rules) in [
        (
            "config.yml",
            r#""rule":{"id":["11111111-2222-4333-8444-555555555555"]"#,
        ),
        (
            "pipeline.yml",
            r#""rule":{"id":["11111111-2222-4333-8444-555555555555","22222222-2222-4333-8444-555555555555"]"#,
        ),
    ] {
        let (code, tagged, said) = run(&[&tag[..], &["--mapping", mapping]].concat());
        assert_eq!((code, &*said), (0, ""));
        assert_eq!(tagged.lines().count(), 1, "{tagged}");
        assert!(tagged.contains(rules), "{tagged}");
    }
}

#[test]
fn check_and_explain_take_mappings_too() {
    let check = ["check", "--strict-rules", "rules/vault.yml"];
    assert_eq!(run(&check).0, 1);
    assert_eq!(
        run(&[&check[..], &["--mapping", "config.yml"]].concat()).0,
        0
    );
    let explain = ["explain", "rules/vault.yml", "events.jsonl"];
    let (code, shown, _) = run(&[&explain[..], &["--mapping", "config.yml"]].concat());
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("user.name is 'bob'"), "{shown}");
}

#[test]
fn the_built_in_mapping_can_be_left_out_and_put_first() {
    let folder = tempfile::tempdir().unwrap();
    let rule = folder.path().join("rule.yml");
    let text = "title: T\nlogsource: {product: windows, service: security}\ndetection: {s: {a: b}, condition: s}\n";
    fs::write(&rule, text).unwrap();
    let needed = |mappings: &[&str]| {
        let options = mappings.iter().flat_map(|name| ["--mapping", name]);
        let command = ["check", "--strict-rules", rule.to_str().unwrap()];
        run(&command.into_iter().chain(options).collect::<Vec<_>>()).0
    };
    assert_eq!(needed(&[]), 0);
    assert_eq!(needed(&["config.yml"]), 0);
    assert_eq!(needed(&["none"]), 1);
    assert_eq!(needed(&["config.yml", "none"]), 1);
    assert_eq!(needed(&["builtin", "config.yml"]), 0);
    assert_eq!(needed(&["none", "builtin"]), 0);
}

#[test]
fn a_mapping_that_cannot_be_used_ends_the_run() {
    let (code, _, said) = run(&[
        "check",
        "rules",
        "--mapping",
        "unsupported.yml",
        "--mapping",
        "missing.yml",
    ]);
    assert_eq!(code, 2);
    for part in [
        "unsupported.yml:2:13",
        "`set_state` is not supported here",
        "`field_name_mapping`",
        "missing.yml: ",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let (code, tagged, _) = run(&[
        "tag",
        "--rules",
        "rules",
        "--mapping",
        "rules/vault.yml",
        "events.jsonl",
    ]);
    assert_eq!((code, &*tagged), (2, ""));
}
