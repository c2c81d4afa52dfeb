//! `sigtag convert`, and `sigtag sigmac --strict`, which writes the same.

use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const MSHTA: &str = r"
title: Mshta Started, Again
id: 5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0001
status: test
author: Ada, Grace
level: high
tags: [attack.stealth, attack.t1218.005]
logsource: {product: windows, service: security}
detection:
    selection:
        EventID: 4688
        NewProcessName|endswith: \mshta.exe
    condition: selection
";

const FILTER: &str = r"
title: Not the Helpdesk
logsource: {product: windows, service: security}
filter:
    rules: [5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0001]
    selection: {SubjectUserName: helpdesk}
    condition: not selection
";

const UNREADY: &str = r"
title: Unready
id: 5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0002
logsource: {product: frobnicator}
detection: {s: {a: b}, condition: s}
";

const CORRELATION: &str = r"
title: Many
id: 5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0003
correlation: {type: event_count, rules: [5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0001], timespan: 5m, condition: {gte: 10}}
";

/// A folder with files of its own.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Desk {
        let desk = Desk {
            folder: tempfile::tempdir().unwrap(),
        };
        for (name, text) in files {
            let path = desk.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs sigtag with arguments that have no blanks: its exit code, standard output and standard error.
    fn run(&self, arguments: &str) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigtag"));
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path());
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

#[test]
fn all_rules_of_a_folder_are_in_one_file() {
    let second = MSHTA.replace("0001", "0009").replace("Again", "Once More");
    let desk = Desk::new(&[
        ("r/z.yml", MSHTA),
        ("r/a/b.yaml", &second),
        ("r/c.yml", MSHTA),
        ("r/README.md", "# no rule"),
    ]);
    let (code, out, err) = desk.run("convert --target ee-outliers --mapping winlogbeat r");
    // The same id twice is an error for the second.
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("z.yml:2:1") && err.contains("2 rules converted, 0 need set-up, 1 broken"),
        "{err}"
    );
    let sections: Vec<&str> = out.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(sections.iter().collect::<HashSet<_>>().len(), 2);
    assert!(out.find("Once More") < out.find("Started; Again"), "{out}");
    assert!(out.contains("\nrule_author = Ada; Grace\n"));
    for line in out
        .lines()
        .filter_map(|line| line.strip_prefix("es_dsl_filter = "))
    {
        let filter: Value = serde_json::from_str(line).unwrap();
        assert!(filter["query"]["constant_score"]["filter"].is_object());
    }
}

#[test]
fn each_rule_may_have_a_file_of_its_own() {
    let two = format!("{MSHTA}---\n{}", MSHTA.replace("0001", "0009"));
    let desk = Desk::new(&[
        ("a.yml", MSHTA),
        ("b/two.yml", &two.replace("-9a51-", "-9a52-")),
    ]);
    let (code, out, err) =
        desk.run("convert --target elastalert --mapping winlogbeat --split --output out a.yml b");
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let mut names: Vec<_> = fs::read_dir(desk.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["a.yaml", "two-2.yaml", "two.yaml"]);
    assert!(
        fs::read_to_string(desk.path("out/a.yaml"))
            .unwrap()
            .starts_with("alert:\n- debug\n")
    );
    let (code, _, err) = desk.run("convert --target elastalert --split a.yml");
    assert_eq!(code, 2);
    assert!(err.contains("--output"), "{err}");
}

#[test]
fn every_target_is_written_by_meaning_but_eql() {
    let desk = Desk::new(&[("a.yml", MSHTA)]);
    let (_, help, _) = desk.run("convert --help");
    let targets = [
        "ee-outliers",
        "elastalert",
        "elastalert-dsl",
        "es-dsl",
        "es-qs",
        "es-rule",
        "kibana",
        "kibana-ndjson",
        "xpack-watcher",
    ];
    for target in targets {
        assert!(help.contains(target));
        let (code, out, err) = desk.run(&format!(
            "convert --target {target} --mapping winlogbeat a.yml"
        ));
        assert_eq!(code, 0, "{target}: {err}");
        assert!(out.contains("NewProcessName"), "{target}: {out}");
    }
    for target in ["es-eql", "es-rule-eql"] {
        let (code, out, err) = desk.run(&format!(
            "convert --target {target} --mapping winlogbeat a.yml"
        ));
        assert_eq!((code, out.as_str()), (2, ""), "{target}: {err}");
        assert!(err.contains("--compat"), "{err}");
        assert_eq!(
            desk.run(&format!(
                "convert --target {target} --compat --mapping winlogbeat-modules-enabled a.yml"
            ))
            .0,
            0
        );
    }
}

#[test]
fn filters_apply_and_what_cannot_be_converted_is_told() {
    let desk = Desk::new(&[
        ("a.yml", MSHTA),
        ("f.yml", FILTER),
        ("u.yml", UNREADY),
        ("c.yml", CORRELATION),
    ]);
    let (code, out, err) =
        desk.run("convert --target es-qs --mapping winlogbeat a.yml f.yml u.yml");
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("NOT") && out.contains("SubjectUserName"),
        "{out}"
    );
    assert!(
        err.contains("u.yml:4:12") && err.contains("1 rule converted, 1 need set-up, 0 broken"),
        "{err}"
    );
    assert_eq!(
        desk.run("convert --target es-qs --strict-rules a.yml u.yml")
            .0,
        1
    );
    let (code, _, err) = desk.run("convert --target es-qs a.yml c.yml");
    assert_eq!(code, 1);
    assert!(
        err.contains("a correlation of rules cannot be converted to `es-qs`"),
        "{err}"
    );
}

#[test]
fn the_schema_decides_where_a_field_is_searched() {
    let mapping = r#"{"mappings": {"properties": {"winlog": {"properties": {
        "channel": {"type": "keyword"}, "event_id": {"type": "long"},
        "event_data": {"properties": {"NewProcessName": {"type": "text", "fields": {"raw": {"type": "keyword"}}}}}
    }}}}}"#;
    let desk = Desk::new(&[
        ("a.yml", MSHTA),
        ("index.json", mapping),
        ("broken.json", "{"),
    ]);
    let run = |schema: &str| {
        desk.run(&format!(
            "convert --target es-dsl --mapping winlogbeat {schema} a.yml"
        ))
    };
    assert!(
        run("")
            .1
            .contains("\"winlog.event_data.NewProcessName\": {")
    );
    assert!(
        run("--schema dynamic")
            .1
            .contains("\"winlog.event_data.NewProcessName.keyword\": {")
    );
    assert!(
        run("--schema index.json")
            .1
            .contains("\"winlog.event_data.NewProcessName.raw\": {")
    );
    for wrong in ["broken.json", "missing.json"] {
        let (code, _, err) = run(&format!("--schema {wrong}"));
        assert_eq!(code, 2);
        assert!(err.contains(wrong), "{err}");
    }
}

#[test]
fn without_a_mapping_every_shape_of_event_is_looked_for() {
    let desk = Desk::new(&[("a.yml", MSHTA)]);
    let (code, out, _) = desk.run("convert --target es-qs a.yml");
    assert_eq!(code, 0);
    for name in [
        "winlog.event_data.NewProcessName",
        "Event.EventData.NewProcessName",
        " NewProcessName",
    ] {
        assert!(
            out.contains(&format!("{name}:")) || out.contains(&format!("({}:", name.trim())),
            "{name}: {out}"
        );
    }
}

#[test]
fn sigmac_writes_the_same_when_it_is_strict() {
    let desk = Desk::new(&[
        ("a.yml", MSHTA),
        (
            "n.yml",
            "title: n\nlogsource: {product: windows}\ndetection: {s: {Ip|cidr: 10.0.0.0/8}, condition: s}\n",
        ),
    ]);
    for target in ["ee-outliers", "es-dsl", "es-qs", "elastalert"] {
        let (_, expected, _) = desk.run(&format!(
            "convert --target {target} --mapping winlogbeat a.yml n.yml"
        ));
        let (code, out, err) = desk.run(&format!(
            "sigmac --strict -t {target} -c winlogbeat a.yml n.yml"
        ));
        assert_eq!((code, out), (0, expected), "{target}: {err}");
    }
    let (_, expected, _) = desk.run("sigmac -t es-qs -c winlogbeat a.yml");
    assert_eq!(
        desk.run("convert --compat --target es-qs --mapping winlogbeat a.yml")
            .1,
        expected
    );
    let (code, out, _) = desk.run("sigmac --strict -f level=low -t es-qs -c winlogbeat a.yml");
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(
        desk.run("sigmac --strict -f condition=x -t es-qs -c winlogbeat a.yml")
            .0,
        1
    );
    assert_eq!(
        desk.run("sigmac --strict --schema missing.json -t es-qs -c winlogbeat a.yml")
            .0,
        6
    );
}

#[test]
fn what_is_wrong_with_the_command_is_told_before_anything_is_written() {
    let desk = Desk::new(&[("a.yml", MSHTA)]);
    let cases = [
        ("--target es-qs --option typo=1", "typo"),
        (
            "--target es-qs --compat --mapping winlogbeat --mapping sysmon",
            "order",
        ),
        ("--target es-eql --compat --mapping winlogbeat", "backends"),
    ];
    for (arguments, word) in cases {
        let (code, out, err) = desk.run(&format!("convert {arguments} a.yml"));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments}: {err}");
        assert!(err.contains(word), "{arguments}: {err}");
    }
}

#[test]
fn a_configuration_without_fields_changes_no_names() {
    let desk = Desk::new(&[("a.yml", MSHTA)]);
    let run = |mappings: &str| {
        desk.run(&format!("convert --target es-qs {mappings} a.yml"))
            .1
    };
    let expected = run("--mapping winlogbeat");
    assert_eq!(run("--mapping sysmon --mapping winlogbeat"), expected);
    assert_eq!(run("--mapping winlogbeat --mapping sysmon"), expected);
}
