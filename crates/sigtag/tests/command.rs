//! The program as a user meets it: output, order, exit codes, messages.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A rule for every event of Sysmon whose image ends with `evil.exe`.
const EVIL: &str = r"
title: Evil
id: 11111111-2222-4333-8444-555555555555
status: test
author: Ada, Grace
logsource: {product: windows, service: sysmon}
detection:
    selection:
        Image|endswith: \evil.exe
    condition: selection
level: high
tags: [attack.execution, attack.t1059.001]
";

const PLACEHOLDER: &str = r"
title: Placeholder
id: 22222222-2222-4333-8444-555555555555
status: test
logsource: {product: windows, service: sysmon}
detection:
    selection:
        User|expand: '%Administrators%'
    condition: selection
level: low
";

const BROKEN: &str = r"
title: Broken
id: 33333333-2222-4333-8444-555555555555
logsource: {product: windows, service: sysmon}
detection:
    selection:
        User|frobnicate: x
    condition: selection
";

/// A folder with rules and events of its own.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Desk { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigtag"));
        command.current_dir(&self.folder).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

fn event(number: usize) -> String {
    let image = if number.is_multiple_of(3) {
        "evil"
    } else {
        "good"
    };
    format!(
        r#"{{"Channel":"Microsoft-Windows-Sysmon/Operational", "EventID":1,"n":{number},"Computer":"pc{number}","Image":"C:\\{image}.exe"}}"#
    )
}

fn events(count: usize) -> String {
    (0..count).map(|number| event(number) + "\n").collect()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn numbers(text: &str) -> Vec<u64> {
    text.lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["n"]
                .as_u64()
                .unwrap()
        })
        .collect()
}

#[test]
fn hits_are_written_with_their_tag() {
    let desk = Desk::new(&[("rules/evil.yml", EVIL), ("logs/a.jsonl", &events(2))]);
    let run = desk.run(&["tag", "--rules", "rules", "logs"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let line = stdout(&run);
    let event: Value = serde_json::from_str(line.trim_end()).unwrap();
    assert_eq!(line.lines().count(), 1);
    assert!(
        line.starts_with(&super_prefix()),
        "what was there keeps its bytes: {line}"
    );
    assert_eq!(event["sigma"]["rule"]["name"][0], "Evil");
    assert_eq!(event["sigma"]["attack"][0], "TA0002:T1059.001");
    assert_eq!(event["sigma"]["matches"][0]["author"], "Ada, Grace");
    assert_eq!(
        event["sigma"]["matches"][0]["fields"]["Image"],
        r"C:\evil.exe"
    );
    assert_eq!(event["sigma"]["source"]["file"], "logs/a.jsonl");
    assert_eq!(event["sigma"]["source"]["line"], 1);
    assert_eq!(event["tags"][0], "sigma");
    let told = stderr(&run);
    for part in [
        "2 events read",
        "1 hit by 1 rule",
        "Evil",
        "Ada, Grace",
        "T1059.001",
        "pc0",
        "Execution",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
    assert!(!told.contains('\u{1b}'), "colours are for terminals");
}

/// The first event as it was, without its closing brace.
fn super_prefix() -> String {
    event(0).trim_end_matches('}').to_owned()
}

#[test]
fn order_does_not_depend_on_jobs() {
    // Several batches, and several files of different sizes.
    let files = [
        ("logs/a.jsonl", 30_000),
        ("logs/b.jsonl", 10),
        ("logs/c.jsonl", 20_000),
        ("logs/d.jsonl", 0),
        ("logs/e.jsonl", 5),
    ];
    let texts: Vec<(&str, String)> = files
        .iter()
        .map(|(name, count)| (*name, events(*count)))
        .collect();
    let mut all: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    all.push(("evil.yml", EVIL));
    let desk = Desk::new(&all);
    let one = desk.run(&[
        "tag", "--quiet", "--rules", "evil.yml", "--all", "--jobs", "1", "logs",
    ]);
    assert_eq!(code(&one), 0);
    let expected: Vec<u64> = files
        .iter()
        .flat_map(|(_, count)| 0..*count as u64)
        .collect();
    assert_eq!(numbers(&stdout(&one)), expected);
    for jobs in ["2", "7"] {
        let many = desk.run(&[
            "tag", "--quiet", "--rules", "evil.yml", "--all", "--jobs", jobs, "logs",
        ]);
        let without_time = |run: &Output| stdout(run).replace(&tagged_at(run), "");
        assert!(
            without_time(&many) == without_time(&one),
            "--jobs {jobs} changes the output"
        );
    }
}

fn tagged_at(run: &Output) -> String {
    let text = stdout(run);
    let at = text.find("tagged_at").unwrap();
    text[at..at + 34].to_owned()
}

#[test]
fn tagging_the_output_again_gives_the_same_bytes() {
    let desk = Desk::new(&[("evil.yml", EVIL), ("a.jsonl", &events(50))]);
    for profile in ["ecs", "ee-outliers", "both"] {
        for all in [&[][..], &["--all"][..]] {
            let run = |input: &str, output: &str| {
                let arguments = [
                    "tag",
                    "--quiet",
                    "--rules",
                    "evil.yml",
                    "--profile",
                    profile,
                    "--output",
                    output,
                ];
                let run = desk.run(&[&arguments, all, &[input]].concat());
                assert_eq!(code(&run), 0, "{}", stderr(&run));
                fs::read(desk.path(output)).unwrap()
            };
            let first = run("a.jsonl", "1.jsonl");
            assert_eq!(
                first.iter().filter(|byte| **byte == b'\n').count(),
                if all.is_empty() { 17 } else { 50 }
            );
            assert!(run("1.jsonl", "2.jsonl") == first, "{profile}");
        }
    }
}

#[test]
fn standard_input_is_read() {
    let desk = Desk::new(&[("evil.yml", EVIL)]);
    let mut child = desk
        .command(&["tag", "--quiet", "--rules", "evil.yml", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(events(4).as_bytes())
        .unwrap();
    let run = child.wait_with_output().unwrap();
    assert_eq!(numbers(&stdout(&run)), [0, 3]);
    assert!(stdout(&run).contains(r#""source":{"file":"-","line":4}"#));
}

#[test]
fn exit_codes_say_what_happened() {
    let broken_event = events(1) + "{\"a\":\n" + &event(3) + "\n";
    let desk = Desk::new(&[
        ("evil.yml", EVIL),
        ("placeholder.yml", PLACEHOLDER),
        ("broken.yml", BROKEN),
        ("good.jsonl", &events(4)),
        ("bad.jsonl", &broken_event),
        ("empty/readme.txt", "no rules here"),
    ]);
    let cases: &[(&[&str], i32, &str)] = &[
        (
            &["tag", "--rules", "evil.yml", "good.jsonl"],
            0,
            "0 need set-up, 0 broken",
        ),
        (
            &[
                "tag",
                "--rules",
                "evil.yml",
                "--rules",
                "placeholder.yml",
                "good.jsonl",
            ],
            0,
            "Administrators",
        ),
        (
            &[
                "tag",
                "--strict-rules",
                "--rules",
                "evil.yml",
                "--rules",
                "placeholder.yml",
                "good.jsonl",
            ],
            1,
            "1 need set-up",
        ),
        (
            &[
                "tag",
                "--quiet",
                "--rules",
                "evil.yml",
                "--rules",
                "broken.yml",
                "good.jsonl",
            ],
            1,
            "frobnicate",
        ),
        (
            &["tag", "--quiet", "--rules", "evil.yml", "bad.jsonl"],
            1,
            "bad.jsonl:2",
        ),
        (
            &["tag", "--quiet", "--rules", "evil.yml", "missing.jsonl"],
            1,
            "missing.jsonl",
        ),
        (&["tag", "--rules", "evil.yml"], 2, "INPUT"),
        (&["tag", "good.jsonl"], 2, "--rules"),
        (&["tag", "--rules", "missing", "good.jsonl"], 2, "missing"),
        (
            &["tag", "--rules", "empty", "good.jsonl"],
            2,
            "no rule files",
        ),
        (
            &[
                "tag",
                "--rules",
                "evil.yml",
                "--profile",
                "ocsf",
                "good.jsonl",
            ],
            2,
            "ee-outliers",
        ),
        (
            &[
                "tag",
                "--rules",
                "evil.yml",
                "--output",
                "no/such/folder",
                "good.jsonl",
            ],
            2,
            "no/such/folder",
        ),
        (
            &[
                "tag",
                "--rules",
                "evil.yml",
                "--output",
                "./good.jsonl",
                "good.jsonl",
            ],
            2,
            "is read by this run",
        ),
        (
            &["tag", "--rules", "evil.yml", "--jobs", "0", "good.jsonl"],
            2,
            "--jobs",
        ),
        (&["check", "evil.yml"], 0, "0 errors"),
        (&["check", "placeholder.yml"], 0, "1 need set-up"),
        (
            &["check", "--strict-rules", "placeholder.yml"],
            1,
            "1 need set-up",
        ),
        (&["check", "broken.yml"], 1, "1 error"),
        (&["check", "missing.yml"], 2, "missing.yml"),
        (&["explain", "evil.yml", "good.jsonl"], 0, ""),
        (&["explain", "evil.yml", "good.jsonl", "--line", "2"], 1, ""),
        (
            &["explain", "evil.yml", "good.jsonl", "--line", "9"],
            2,
            "line 9",
        ),
        (&["frobnicate"], 2, "frobnicate"),
        (&[], 2, "Usage"),
    ];
    for (arguments, expected, words) in cases {
        let run = desk.run(arguments);
        assert_eq!(code(&run), *expected, "{arguments:?}: {}", stderr(&run));
        assert!(
            stderr(&run).contains(words),
            "{arguments:?}: no `{words}` in {}",
            stderr(&run)
        );
    }
    // The rest was done all the same, and no input was harmed.
    assert_eq!(
        numbers(&stdout(&desk.run(&[
            "tag",
            "--quiet",
            "--rules",
            "evil.yml",
            "bad.jsonl"
        ]))),
        [0, 3]
    );
    assert_eq!(
        fs::read_to_string(desk.path("good.jsonl")).unwrap(),
        events(4)
    );
}

#[test]
fn what_is_read_is_never_written() {
    let desk = Desk::new(&[("evil.yml", EVIL), ("a.jsonl", &events(4))]);
    fs::hard_link(desk.path("a.jsonl"), desk.path("link.jsonl")).unwrap();
    for options in [
        ["--output", "evil.yml"],
        ["--output", "link.jsonl"],
        ["--stats", "a.jsonl"],
        ["--stats", "evil.yml"],
    ] {
        let run = desk.run(&[&["tag", "--rules", "evil.yml"], &options[..], &["a.jsonl"]].concat());
        assert_eq!(code(&run), 2, "{options:?}: {}", stderr(&run));
        assert_eq!(fs::read_to_string(desk.path("evil.yml")).unwrap(), EVIL);
        assert_eq!(fs::read_to_string(desk.path("a.jsonl")).unwrap(), events(4));
    }
    let both = ["--output", "x", "--stats", "x"];
    let run = desk.run(&[&["tag", "--rules", "evil.yml"], &both[..], &["a.jsonl"]].concat());
    assert_eq!(code(&run), 2);
}

#[test]
fn quiet_is_quiet() {
    let desk = Desk::new(&[
        ("evil.yml", EVIL),
        ("placeholder.yml", PLACEHOLDER),
        ("a.jsonl", &events(4)),
    ]);
    let run = desk.run(&["tag", "--quiet", "--rules", ".", "a.jsonl"]);
    assert_eq!((code(&run), stderr(&run)), (0, String::new()));
}

#[test]
fn statistics_are_for_machines() {
    let desk = Desk::new(&[
        ("evil.yml", EVIL),
        ("placeholder.yml", PLACEHOLDER),
        ("a.jsonl", &(events(4) + "broken\n")),
    ]);
    let run = desk.run(&[
        "tag",
        "--quiet",
        "--rules",
        ".",
        "--stats",
        "stats.json",
        "a.jsonl",
    ]);
    assert_eq!(code(&run), 1);
    let stats: Value = serde_json::from_slice(&fs::read(desk.path("stats.json")).unwrap()).unwrap();
    for (pointer, expected) in [
        ("/events", Value::from(4)),
        ("/tagged", 2.into()),
        ("/hits", 2.into()),
        ("/rules/0/title", "Evil".into()),
        ("/rules/0/events", 2.into()),
        ("/rules/0/author", "Ada, Grace".into()),
        ("/levels/0/name", "high".into()),
        ("/tactics/0/id", "TA0002".into()),
        ("/techniques/0/name", "T1059.001".into()),
        ("/hosts/0/events", 1.into()),
        ("/rule_set/running", 1.into()),
        ("/rule_set/need_set_up", 1.into()),
        ("/rule_set/set_aside/0/verdict", "needs set-up".into()),
        ("/input/0/effect", "lost".into()),
        ("/input/0/count", 1.into()),
        ("/interrupted", false.into()),
    ] {
        assert_eq!(
            stats.pointer(pointer),
            Some(&expected),
            "{pointer} of {stats:#}"
        );
    }
}

#[test]
fn levels_below_the_least_are_left_out() {
    let desk = Desk::new(&[("evil.yml", EVIL), ("a.jsonl", &events(4))]);
    let high = desk.run(&[
        "tag",
        "--rules",
        "evil.yml",
        "--min-level",
        "high",
        "a.jsonl",
    ]);
    assert_eq!(numbers(&stdout(&high)), [0, 3]);
    let critical = desk.run(&[
        "tag",
        "--rules",
        "evil.yml",
        "--min-level",
        "critical",
        "a.jsonl",
    ]);
    assert_eq!(stdout(&critical), "");
    assert!(stderr(&critical).contains("1 below the level asked for"));
}

#[test]
fn interrupted_runs_end_with_what_was_done() {
    let desk = Desk::new(&[("evil.yml", EVIL)]);
    for (jobs, signal) in [("1", "-INT"), ("3", "-TERM")] {
        let mut child = desk
            .command(&[
                "tag",
                "--rules",
                "evil.yml",
                "--output",
                "out.jsonl",
                "--jobs",
                jobs,
                "-",
            ])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let text = events(20_000);
        stdin.write_all(text.as_bytes()).unwrap();
        let interrupt = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .unwrap();
        assert!(interrupt.success());
        // The reader notices at the next batch.
        while stdin.write_all(text.as_bytes()).is_ok() {}
        let run = child.wait_with_output().unwrap();
        assert_eq!(code(&run), 130, "{}", stderr(&run));
        assert!(stderr(&run).contains("Interrupted"));
        let written = numbers(&fs::read_to_string(desk.path("out.jsonl")).unwrap());
        let expected = (0..20_000)
            .filter(|number| number % 3 == 0)
            .cycle()
            .take(written.len());
        assert!(
            !written.is_empty() && written.into_iter().eq(expected),
            "whole lines, in order, without a gap"
        );
    }
}

#[test]
fn a_slow_stream_is_answered_at_once() {
    let desk = Desk::new(&[("evil.yml", EVIL)]);
    for jobs in ["1", "2"] {
        let mut child = desk
            .command(&["tag", "--quiet", "--rules", "evil.yml", "--jobs", jobs, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        for number in [0, 3, 6] {
            writeln!(stdin, "{}", event(number)).unwrap();
            let answer = answers.next().unwrap().unwrap();
            assert!(answer.contains(&format!(r#""n":{number},"#)), "{answer}");
        }
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_full_disk_is_told_of() {
    let desk = Desk::new(&[
        ("evil.yml", EVIL),
        ("broken.yml", BROKEN),
        ("a.jsonl", &events(3)),
    ]);
    for arguments in [
        ["tag", "--rules", "evil.yml", "a.jsonl"].as_slice(),
        &["check", "broken.yml"],
        &["explain", "evil.yml", "a.jsonl"],
        &["dashboards", "kibana"],
        &["completions", "bash"],
        &["man"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let run = desk.command(arguments).stdout(full).output().unwrap();
        let told = stderr(&run);
        assert_eq!(code(&run), 1, "{arguments:?}: {told}");
        assert!(told.contains("cannot write to standard output"), "{told}");
    }
}

#[test]
fn diagnostics_show_the_place() {
    let desk = Desk::new(&[
        ("rules/broken.yml", BROKEN),
        ("rules/evil.yml", &EVIL.replace("t1059.001", "t1059.999")),
    ]);
    let text = desk.run(&["check", "rules"]);
    let shown = stdout(&text);
    for part in [
        "frobnicate",
        "rules/broken.yml:7:",
        "User|frobnicate: x",
        "^",
        "t1059.999",
        "rules/evil.yml",
    ] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    let json = desk.run(&["check", "--format", "json", "rules"]);
    let found: Vec<Value> = stdout(&json)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(code(&json), 1);
    let of = |severity: &str| {
        found
            .iter()
            .filter(|diagnostic| diagnostic["severity"] == severity)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("error").len(), 1, "{found:?}");
    assert_eq!(of("error")[0]["location"]["line"], 7);
    assert!(
        of("warning")
            .iter()
            .any(|diagnostic| diagnostic["code"] == "unknown-attack-tag")
    );
}

#[test]
fn explanations_show_what_the_event_held() {
    let desk = Desk::new(&[("evil.yml", EVIL), ("a.jsonl", &events(2))]);
    let hit = stdout(&desk.run(&["explain", "evil.yml", "a.jsonl"]));
    for part in ["Evil", "✓", r"*\evil.exe", r"Image = C:\evil.exe", "hit"] {
        assert!(hit.contains(part), "no `{part}` in {hit}");
    }
    let miss = stdout(&desk.run(&["explain", "evil.yml", "a.jsonl", "--line", "2"]));
    for part in ["✗", r"Image = C:\good.exe", "no hit"] {
        assert!(miss.contains(part), "no `{part}` in {miss}");
    }
}

#[test]
fn nothing_from_outside_commands_the_terminal() {
    let rule = EVIL.replace("title: Evil", "title: \"Ev\\e[31mil\"");
    let desk = Desk::new(&[
        ("evil.yml", &rule),
        (
            "a.jsonl",
            &(events(1).replace("pc0", "p\\u001b[2Jc") + "\u{1b}[2J\n"),
        ),
    ]);
    let run = desk.run(&["tag", "--rules", "evil.yml", "a.jsonl"]);
    assert!(
        !stderr(&run).contains('\u{1b}') && !stdout(&run).contains('\u{1b}'),
        "{}",
        stderr(&run)
    );
    let explained = desk.run(&["explain", "--color", "never", "evil.yml", "a.jsonl"]);
    assert!(!stdout(&explained).contains('\u{1b}'));
}

#[test]
fn colours_come_when_asked_for() {
    let desk = Desk::new(&[("evil.yml", EVIL), ("a.jsonl", &events(2))]);
    assert!(
        stderr(&desk.run(&["tag", "--color", "always", "--rules", "evil.yml", "a.jsonl"]))
            .contains("\u{1b}[")
    );
}

#[test]
fn help_completions_and_manual_come_from_one_definition() {
    let desk = Desk::new(&[]);
    let help = stdout(&desk.run(&["tag", "--help"]));
    let manual = stdout(&desk.run(&["man", "tag"]));
    let completions = stdout(&desk.run(&["completions", "bash"]));
    for option in [
        "rules",
        "output",
        "all",
        "profile",
        "min-level",
        "jobs",
        "stats",
        "strict-rules",
        "quiet",
        "color",
    ] {
        let option = format!("--{option}");
        assert!(help.contains(&option), "{option} is not in the help");
        assert!(
            manual.contains(&option.replace('-', "\\-")),
            "{option} is not in the manual"
        );
        assert!(
            completions.contains(&option),
            "{option} is not in the completions"
        );
    }
    let all = stdout(&desk.run(&["--help"]));
    for command in [
        "tag",
        "check",
        "explain",
        "dashboards",
        "completions",
        "man",
    ] {
        assert!(
            all.contains(&format!("\n  {command} ")),
            "{command} is not in the help"
        );
    }
}
