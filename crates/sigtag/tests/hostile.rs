//! Bad rules and bad events among good ones: each costs itself, says so, and nothing else is lost.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Far more than it takes, and far less than anything that is not linear would.
const LIMIT: Duration = Duration::from_secs(60);

fn rule(title: &str, detection: &str) -> String {
    let logsource = "logsource: {product: windows, service: sysmon}";
    format!("title: {title}\nstatus: test\n{logsource}\ndetection:\n{detection}\nlevel: high\n")
}

fn item(title: &str, item: &str) -> String {
    rule(
        title,
        &format!("    sel:\n        {item}\n    condition: sel"),
    )
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    fs::write(folder.join(name), text).unwrap();
}

/// Rules that must be refused, each with a word of the reason.
fn bad_rules() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let laughs: String = (1..12)
        .map(|n| {
            format!(
                "a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]\n",
                n - 1
            )
        })
        .collect();
    let brackets = format!(
        "    sel: {{f: a}}\n    condition: {}sel{}",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    vec![
        (
            "laughs",
            format!("a0: &a0 lol\n{laughs}{}", item("Laughs", "f: a")).into(),
            "alias",
        ),
        ("self", b"title: &x [*x]\n".to_vec(), "itself"),
        (
            "deep",
            format!("title: {}{}\n", "[".repeat(100_000), "]".repeat(100_000)).into(),
            "recursion",
        ),
        (
            "twice",
            rule(
                "Twice",
                "    sel: {f: a}\n    sel: {f: b}\n    condition: sel",
            )
            .into(),
            "twice",
        ),
        (
            "python",
            item("Python", "f: !!python/object:os.system a").into(),
            "tag",
        ),
        (
            "not-utf8",
            [item("Bytes", "f: a").as_bytes(), b"# \xff\n"].concat(),
            "UTF-8",
        ),
        ("brackets", rule("Brackets", &brackets).into(), "deep"),
        (
            "modifier",
            item("Modifier", "f|frobnicate: a").into(),
            "frobnicate",
        ),
        (
            "nothing",
            rule("Nothing", "    sel: {f: a}\n    condition: 1 of nothing*").into(),
            "nothing*",
        ),
        ("number", item("Number", "f|contains: 5").into(), "contains"),
        (
            "lookahead",
            item("Lookahead", "f|re: a(?=b)").into(),
            "look-around",
        ),
        (
            "backreference",
            item("Backreference", r"f|re: (a)\1").into(),
            "back-reference",
        ),
        ("huge", item("Huge", r"f|re: \w{1000}{1000}").into(), "big"),
        ("bracket", item("Bracket", "f|re: 'a['").into(), "class"),
        ("empty", b"title: Empty\n".to_vec(), ""),
    ]
}

/// Rules that look dangerous and must run.
fn hard_rules() -> Vec<(&'static str, String)> {
    let values: String = (0..10_000)
        .map(|n| format!("\n            - value{n}\\end"))
        .collect();
    vec![
        ("wildcards.yml", item("Wildcards", "Long: '*a*a*a*a*a*b'")),
        (
            "backtracking.yml",
            item("Backtracking", "Long|re: '(a+)+$b'"),
        ),
        ("repeated.yml", item("Repeated", "Long|re: '(.*a){25}$b'")),
        (
            "list.yml",
            item("List", &format!("Image|endswith:{values}")),
        ),
        ("good.yml", item("Good", r"Image|endswith: \evil.exe")),
    ]
}

#[test]
fn the_rest_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, events) = (folder.path().join("rules"), folder.path().join("events"));
    fs::create_dir_all(&rules).unwrap();
    fs::create_dir_all(&events).unwrap();
    for (name, text, _) in bad_rules() {
        write(&rules, &format!("{name}.yml"), text);
    }
    for (name, text) in hard_rules() {
        write(&rules, name, text);
    }

    let channel = r#""Channel":"Microsoft-Windows-Sysmon/Operational""#;
    let good = format!(r#"{{{channel},"EventID":1,"Image":"C:\\evil.exe"}}"#);
    let long = format!(
        r#"{{{channel},"EventID":1,"Image":"C:\\evil.exe","Long":"{}"}}"#,
        "a".repeat(1 << 20)
    );
    let keys: String = (0..100_000).map(|n| format!(r#","key{n}":{n}"#)).collect();
    let many_keys = format!(r#"{{{channel},"Image":"C:\\evil.exe"{keys}}}"#);
    let too_long = format!(
        r#"{{{channel},"Image":"C:\\evil.exe","x":"{}"}}"#,
        "x".repeat(17 << 20)
    );
    let deep = format!(
        r#"{{{channel},"x":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    // Good lines, with a bad one between any two.
    let lines = [
        good.as_bytes(),
        b"{\"a\":",
        good.as_bytes(),
        deep.as_bytes(),
        good.as_bytes(),
        too_long.as_bytes(),
        long.as_bytes(),
        b"[1,2]",
        many_keys.as_bytes(),
        b"{\"a\":01}",
        good.as_bytes(),
        b"\"text\"",
        good.as_bytes(),
    ];
    write(&events, "lines.jsonl", lines.join(&b'\n'));
    write(
        &events,
        "text.json",
        [&b"{\"x\":\"\xff\x00\", "[..], &good.as_bytes()[1..]].concat(),
    );
    write(&events, "zip.jsonl", b"PK\x03\x04 and so on");
    write(&events, "empty.evtx", b"");
    write(
        &events,
        "broken.evtx",
        [&b"ElfFile\0"[..], &[0u8; 5000]].concat(),
    );
    symlink(&events, events.join("loop")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(events.join("pipe"))
            .status()
            .unwrap()
            .success()
    );

    let start = Instant::now();
    let run = Command::new(env!("CARGO_BIN_EXE_sigtag"))
        .current_dir(folder.path())
        .args([
            "tag",
            "--quiet",
            "--stats",
            "stats.json",
            "--output",
            "out.jsonl",
            "--rules",
            "rules",
            "events",
        ])
        .output()
        .unwrap();
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    assert_eq!(
        run.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );

    let stats: Value =
        serde_json::from_slice(&fs::read(folder.path().join("stats.json")).unwrap()).unwrap();
    let broken = stats["rule_set"]["set_aside"].as_array().unwrap();
    for (name, _, word) in bad_rules() {
        let file = format!("rules/{name}.yml");
        let reasons: Vec<&str> = broken
            .iter()
            .filter(|rule| rule["file"] == *file)
            .map(|rule| rule["reason"].as_str().unwrap())
            .collect();
        assert_eq!(reasons.len(), 1, "{name}: {reasons:?}");
        assert!(
            reasons[0].contains(word),
            "{name}: `{word}` is not in `{}`",
            reasons[0]
        );
    }
    assert_eq!(stats["rule_set"]["running"], hard_rules().len());
    assert_eq!(stats["rule_set"]["broken"], bad_rules().len());

    // Seven good lines and the repaired one.
    assert_eq!(stats["tagged"], 8, "{stats:#}");
    let count = |reason: &str| {
        let skips = stats["input"].as_array().unwrap().iter();
        skips
            .filter(|skip| skip["reason"].as_str().unwrap().contains(reason))
            .map(|skip| skip["count"].as_u64().unwrap())
            .sum::<u64>()
    };
    for (reason, expected) in [
        ("not well-formed JSON", 3),
        ("longer than 16 MiB", 1),
        ("not a JSON object", 2),
        ("U+FFFD", 1),
        ("control characters", 1),
        ("unpacked", 1),
        ("damaged", 1),
        ("no regular file", 1),
        ("already read", 1),
    ] {
        assert_eq!(count(reason), expected, "{reason}: {stats:#}");
    }
    for line in fs::read_to_string(folder.path().join("out.jsonl"))
        .unwrap()
        .lines()
    {
        serde_json::from_str::<Value>(line).unwrap();
    }
}
