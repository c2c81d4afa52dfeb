//! `sigtag sigmac`: options, output, exit codes; and all that is deliberately not as in sigmac, by its name in the guide.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const MSHTA: &str = r"
title: Mshta Started
id: 5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0001
status: test
author: Ada
level: high
tags: [attack.stealth, attack.t1218.005]
logsource: {product: windows, service: security}
detection:
    selection:
        EventID: 4688
        Image|endswith: \mshta.exe
    condition: selection
";

const MANY: &str = r"
title: Many Logons
id: 5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0002
status: experimental
level: low
logsource: {product: windows, service: security}
detection:
    selection: {EventID: 4625}
    timeframe: 10m
    condition: selection | count() by TargetUserName > 5
";

const NETWORK: &str = r"
title: Network
logsource: {product: windows, service: security}
detection:
    selection: {IpAddress|cidr: 10.0.0.0/8}
    condition: selection
";

const UNKNOWN: &str = r"
title: Unknown
logsource: {product: windows, service: security}
detection:
    selection: {User|frobnicate: x}
    condition: selection
";

const BOOLEAN: &str = r"
title: Boolean
logsource: {product: windows, service: security}
detection:
    selection: {Initiated: true}
    condition: selection
";

const USE_CASE: &str = r#"[simplequery_sigma_5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0001]
es_dsl_filter = {"query": {"constant_score": {"filter": {"bool": {"must": [{"match_phrase": {"winlog.channel": "Security"}}, {"match_phrase": {"winlog.event_id": "4688"}}, {"wildcard": {"winlog.event_data.Image.keyword": "*\\\\mshta.exe"}}]}}}}}
es_index = winlogbeat-*
outlier_type = Sigma hit, attack.stealth, attack.t1218.005
outlier_reason = Sigma hit - Mshta Started
outlier_summary = Sigma hit - Mshta Started
run_model = 1
test_model = 0


"#;

/// A folder with files of its own.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Desk {
        let desk = Desk {
            folder: tempfile::tempdir().unwrap(),
        };
        files
            .iter()
            .for_each(|(name, text)| desk.put(name, text.as_bytes()));
        desk
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("SIGTAG_SIGMAC_CONFIGS");
        command
    }

    /// Runs `sigtag sigmac` with arguments that have no blanks.
    fn run(&self, arguments: &str) -> Ran {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_sigtag")));
        Ran::from(
            command
                .arg("sigmac")
                .args(arguments.split_whitespace())
                .output()
                .unwrap(),
        )
    }
}

/// How it ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[test]
fn a_rule_becomes_a_use_case() {
    let desk = Desk::new(&[("mshta.yml", MSHTA)]);
    let ran = desk.run("--target ee-outliers --config winlogbeat mshta.yml");
    assert_eq!((ran.code, ran.out.as_str()), (0, USE_CASE), "{}", ran.err);
}

#[test]
fn it_may_be_called_sigmac() {
    let desk = Desk::new(&[("mshta.yml", MSHTA)]);
    let link = desk.path("sigmac");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sigtag"), &link).unwrap();
    let output = desk
        .command(&link)
        .args(["-t", "ee-outliers", "-c", "winlogbeat", "mshta.yml"])
        .output();
    assert_eq!(Ran::from(output.unwrap()).out, USE_CASE);
}

#[test]
fn exit_codes_are_those_of_sigmac() {
    let other = "order: 20\nbackends: [splunk]\nfieldmappings: {Image: image}\n";
    let files = [
        ("mshta.yml", MSHTA),
        ("many.yml", MANY),
        ("network.yml", NETWORK),
        ("broken.yml", "title: [\n"),
        ("text.yml", "just a text\n"),
        (
            "missing-search.yml",
            "title: t\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: other}\n",
        ),
        (
            "unclear.yml",
            "title: t\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s s}\n",
        ),
        ("sum.yml", &MANY.replace("count()", "sum(Size)")),
        ("boolean.yml", BOOLEAN),
        ("empty.yml", ""),
        ("other.yml", other),
        ("list.yml", "- a\n"),
        ("odd.yml", "logsources: {x: {index: y}}\n"),
    ];
    let desk = Desk::new(&files);
    let cases = [
        ("-t ee-outliers -c winlogbeat mshta.yml", 0),
        ("-t ee-outliers -c winlogbeat empty.yml", 0),
        ("", 0),
        ("-l", 0),
        ("--backend-help ee-outliers", 0),
        (
            "-t ee-outliers -c winlogbeat -o missing/folder/file mshta.yml",
            1,
        ),
        ("-t ee-outliers -c winlogbeat -C missing.yml mshta.yml", 1),
        ("-t ee-outliers -c winlogbeat -f level=grave mshta.yml", 1),
        ("-t ee-outliers -c winlogbeat unclear.yml", 1),
        ("-t frobnicate -c winlogbeat mshta.yml", 2),
        ("--frobnicate", 2),
        ("-t ee-outliers -c winlogbeat broken.yml", 3),
        ("-t ee-outliers -c winlogbeat network.yml", 4),
        ("-t ee-outliers -c winlogbeat missing-search.yml", 4),
        ("-t ee-outliers -c winlogbeat missing.yml", 5),
        ("-t ee-outliers -c missing.yml mshta.yml", 5),
        ("-t ee-outliers -c list.yml mshta.yml", 6),
        ("-t ee-outliers -c odd.yml mshta.yml", 6),
        ("-c winlogbeat mshta.yml", 10),
        ("-t ee-outliers mshta.yml", 20),
        ("-t ee-outliers --shoot-yourself-in-the-foot mshta.yml", 0),
        ("-t ee-outliers -c other.yml mshta.yml", 21),
        ("-t ee-outliers -c winlogbeat -c sysmon mshta.yml", 21),
        (
            "-t ee-outliers -c winlogbeat -c sysmon --shoot-yourself-in-the-foot mshta.yml",
            0,
        ),
        ("-t ee-outliers -c sysmon -c winlogbeat mshta.yml", 0),
        ("-t ee-outliers -c winlogbeat -of title mshta.yml", 30),
        (
            "-t ee-outliers -c winlogbeat -oF json -of frobnicate mshta.yml",
            30,
        ),
        ("-t ee-outliers -c winlogbeat text.yml", 42),
        ("-t ee-outliers -c winlogbeat sum.yml", 42),
        ("-t ee-outliers -c winlogbeat boolean.yml", 42),
        ("-t es-qs -c winlogbeat many.yml", 42),
    ];
    for (arguments, code) in cases {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, code, "{arguments}: {}{}", ran.out, ran.err);
        let told = !ran.err.is_empty();
        assert_eq!(told, code != 0, "{arguments}: {}", ran.err);
    }
}

#[test]
fn configurations_are_found() {
    let own = "defaultindex: own-*\nfieldmappings: {Image: own.image}\n";
    let desk = Desk::new(&[
        ("mshta.yml", MSHTA),
        ("configs/deep/own.yml", own),
        (
            ".config/sigma/mine.yml",
            &own.replace("own.image", "mine.image"),
        ),
        (
            "configs/deep/winlogbeat.yml",
            &own.replace("own.image", "other.image"),
        ),
    ]);
    let image = |ran: Ran, name: &str| assert!(ran.out.contains(name), "{}{}", ran.out, ran.err);
    image(
        desk.run("-t es-qs -c configs/deep/own.yml mshta.yml"),
        "own.image.keyword",
    );
    image(desk.run("-t es-qs -c mine mshta.yml"), "mine.image.keyword");
    // A folder that is named here comes before what is built in.
    image(
        desk.run("-t es-qs -c configs -c own mshta.yml"),
        "own.image.keyword",
    );
    image(
        desk.run("-t es-qs -c configs -c winlogbeat mshta.yml"),
        "other.image.keyword",
    );
    image(
        desk.run("-t es-qs -c winlogbeat mshta.yml"),
        "winlog.event_data.Image.keyword",
    );
    let mut command = desk.command(Path::new(env!("CARGO_BIN_EXE_sigtag")));
    command.env("SIGTAG_SIGMAC_CONFIGS", desk.path("configs"));
    let output = command
        .args(["sigmac", "-t", "es-qs", "-c", "own", "mshta.yml"])
        .output()
        .unwrap();
    image(Ran::from(output), "own.image.keyword");
    let ran = desk.run("-t es-qs -c nowhere mshta.yml");
    assert!(ran.err.contains("built in (winlogbeat,"), "{}", ran.err);
}

#[test]
fn output_goes_where_it_is_wanted() {
    let two = format!("action: global\n{MSHTA}---\ntags: [one]\n---\ntags: [two]\n");
    let desk = Desk::new(&[("a.yml", MSHTA), ("b.yml", &two), ("out/old", "")]);
    let read = |name: &str| {
        fs::read_to_string(desk.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    assert_eq!(
        desk.run("-t ee-outliers -c winlogbeat -o one.conf a.yml")
            .code,
        0
    );
    assert_eq!(read("one.conf"), USE_CASE);
    assert_eq!(
        desk.run("-t ee-outliers -c winlogbeat -o out/ a.yml b.yml")
            .code,
        0
    );
    assert_eq!(read("out/a.rule"), USE_CASE);
    assert!(
        read("out/b_0.rule")
            .starts_with("[simplequery_sigma_5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0001-2]\n")
    );
    assert!(
        read("out/b_1.rule")
            .starts_with("[simplequery_sigma_5b1a2a5e-8f0c-4c39-9a51-3a3f7f7f0001-3]\n")
    );
    assert_eq!(
        desk.run("-t ee-outliers -c winlogbeat -o out/p_ -e conf a.yml")
            .code,
        0
    );
    assert_eq!(read("out/p_a.conf"), USE_CASE);
    assert_eq!(
        desk.run("-t es-dsl -c winlogbeat -o out/ a.yml b.yml").code,
        0
    );
    let all: Value = serde_json::from_str(&read("out/es-dsl_mono_output.rule")).unwrap();
    assert_eq!(all.as_array().map(Vec::len), Some(3));
    let ran = desk.run("-t es-qs -c winlogbeat --print0 a.yml b.yml");
    assert_eq!(ran.out.matches('\0').count(), 3);
    assert!(!ran.out.contains('\n'));
    let ran = desk.run("-t es-qs -c winlogbeat -oF json -of title,tags,filename a.yml");
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(listed[0]["title"], "Mshta Started");
    assert_eq!(listed[0]["tags"][1], "attack.t1218.005");
    assert_eq!(listed[0]["filename"], "a.yml");
    assert!(listed[0]["rule"][0].as_str().unwrap().contains("mshta.exe"));
}

#[test]
fn nothing_is_lost_on_the_way_out() {
    let desk = Desk::new(&[
        ("a/r.yml", MSHTA),
        ("b/r.yml", MSHTA),
        ("keep", "kept"),
        ("network.yml", NETWORK),
    ]);
    let read = |name: &str| fs::read_to_string(desk.path(name)).unwrap();
    // A run that comes to nothing leaves the file, and no rule is written over itself.
    assert_eq!(
        desk.run("-t es-qs -c winlogbeat -o keep network.yml").code,
        4
    );
    assert_eq!(read("keep"), "kept");
    assert_eq!(
        desk.run("-t es-qs -c winlogbeat -o a/r.yml a/r.yml").code,
        1
    );
    assert_eq!(read("a/r.yml"), MSHTA);
    let ran = desk.run("-t es-qs -c winlogbeat -r -o p_ a b");
    assert!(
        ran.err.contains("p_r.rule is written again, for b/r.yml"),
        "{}",
        ran.err
    );
    // Targets that write at the end have a list, too.
    let ran = desk.run("-t es-dsl -c winlogbeat -of=title -oF=json a/r.yml b/r.yml");
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    assert!(listed[1]["rule"][0].as_str().unwrap().contains("mshta.exe"));
}

#[test]
fn arguments_are_taken_as_by_sigmac() {
    let desk = Desk::new(&[("a.yml", MSHTA)]);
    assert_eq!(
        desk.run("--targ es-qs -t ee-outliers --conf winlogbeat -d -d a.yml")
            .out,
        USE_CASE
    );
}

#[test]
fn a_filter_is_turned_round_for_repeated_rules() {
    let rules = format!(
        "{MSHTA}---\naction: repeat\ntitle: Repeated High\n---\naction: repeat\nlevel: low\ntitle: Repeated Low\n"
    );
    let desk = Desk::new(&[("a.yml", &rules)]);
    let ran = desk.run("-t ee-outliers -c winlogbeat -f level=high a.yml");
    let has =
        ["Mshta Started", "Repeated High", "Repeated Low"].map(|title| ran.out.contains(title));
    assert_eq!(has, [true, false, true], "{}", ran.out);
}

#[test]
fn rules_come_from_standard_input() {
    let desk = Desk::new(&[]);
    let mut command = desk.command(Path::new(env!("CARGO_BIN_EXE_sigtag")));
    command.args(["sigmac", "-t", "ee-outliers", "-c", "winlogbeat", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(MSHTA.as_bytes())
        .unwrap();
    assert_eq!(
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(),
        USE_CASE
    );
}

#[test]
fn options_of_the_target_come_from_a_file_and_from_the_command_line() {
    let desk = Desk::new(&[
        ("mshta.yml", MSHTA),
        ("options.yml", "keyword_field: raw\nset_size: 5\n"),
    ]);
    let ran = desk.run("-t es-dsl -c winlogbeat -C options.yml mshta.yml");
    assert!(
        ran.out.contains("Image.raw\"") && ran.out.contains("\"size\": "),
        "{}",
        ran.out
    );
    let ran = desk.run("-t es-dsl -c winlogbeat -C options.yml -O keyword_field=whole mshta.yml");
    assert!(ran.out.contains("Image.whole\""), "{}", ran.out);
}

#[test]
fn filters_choose_rules() {
    let desk = Desk::new(&[("a.yml", MSHTA), ("b.yml", MANY)]);
    let titles = |filter: &str| {
        let ran = desk.run(&format!(
            "-t ee-outliers -c winlogbeat -f {filter} a.yml b.yml"
        ));
        assert_eq!(ran.code, 0, "{filter}: {}", ran.err);
        ["Mshta", "Many"].map(|title| ran.out.contains(&format!("hit - {title}")))
    };
    let cases = [
        ("level>=medium", [true, false]),
        ("level<=low", [false, true]),
        ("level=high,status=test", [true, false]),
        ("level=high,status=stable", [false, false]),
        ("status!=test", [false, true]),
        ("logsource=security", [true, true]),
        ("logsource!=security", [false, false]),
        ("tag=ATTACK.T1218.005", [true, false]),
        ("tlp=WHITE", [true, true]),
        ("condition=count", [false, true]),
    ];
    for (filter, expected) in cases {
        assert_eq!(titles(filter), expected, "{filter}");
    }
}

/// All that is deliberately not as in sigmac. The guide has a table with the same names.
const DIFFERENCES: &[(&str, fn())] = &[
    ("recursion", || {
        let desk = Desk::new(&[
            ("r/README.md", "# Rules\n"),
            ("r/z/b.yml", MSHTA),
            ("r/a.yml", &MSHTA.replace("Started", "First")),
        ]);
        let ran = desk.run("-t ee-outliers -c winlogbeat -r r");
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.find("First") < ran.out.find("Started"));
    }),
    ("going on", || {
        let desk = Desk::new(&[("a.yml", NETWORK), ("b.yml", BOOLEAN), ("c.yml", MSHTA)]);
        let ran = desk.run("-t ee-outliers -c winlogbeat a.yml b.yml c.yml");
        assert_eq!((ran.code, ran.out.as_str()), (4, USE_CASE), "{}", ran.err);
        assert_eq!(
            desk.run("-t ee-outliers -c winlogbeat -d a.yml b.yml c.yml")
                .code,
            42
        );
        assert_eq!(
            desk.run("-t ee-outliers -c winlogbeat -I b.yml c.yml").code,
            0
        );
    }),
    ("tracebacks", || {
        let desk = Desk::new(&[("a.yml", UNKNOWN), ("b.yml", MSHTA)]);
        let ran = desk.run("-t ee-outliers -c winlogbeat -d -I a.yml b.yml");
        assert_eq!((ran.code, ran.out.as_str()), (1, USE_CASE));
        assert!(
            ran.err.contains("a.yml:5:17") && ran.err.contains("frobnicate"),
            "{}",
            ran.err
        );
    }),
    ("doubled keys", || {
        let doubled = MSHTA.replace("    condition", "    selection: {a: b}\n    condition");
        let desk = Desk::new(&[("a.yml", &doubled)]);
        let ran = desk.run("-t ee-outliers -c winlogbeat a.yml");
        assert_eq!(ran.code, 3);
        assert!(ran.err.contains("a.yml:13:5"), "{}", ran.err);
    }),
    ("traces of other rules", || {
        let desk = Desk::new(&[("a.yml", MANY), ("b.yml", MSHTA)]);
        let ran = desk.run("-t ee-outliers -c winlogbeat a.yml b.yml");
        assert!(
            ran.err.contains("each single event is a hit"),
            "{}",
            ran.err
        );
        assert!(
            ran.out.contains("now-10m") && ran.out.ends_with(USE_CASE),
            "{}",
            ran.out
        );
    }),
    ("order of names", || {
        let own = "fieldmappings: {Image: [z, a, m]}\n";
        let desk = Desk::new(&[("own.yml", own), ("a.yml", MSHTA)]);
        let ran = desk.run("-t es-qs -c own.yml a.yml");
        let places = ["z.keyword", "a.keyword", "m.keyword"].map(|name| ran.out.find(name));
        assert!(places.is_sorted() && places[0].is_some(), "{}", ran.out);
    }),
    ("bad filters", || {
        let desk = Desk::new(&[("a.yml", MSHTA)]);
        let ran = desk.run("-t ee-outliers -c winlogbeat -f status=testing a.yml");
        assert_eq!(ran.code, 1);
        assert!(
            ran.err.contains("experimental, test, stable"),
            "{}",
            ran.err
        );
    }),
    ("dates", || {
        let desk = Desk::new(&[
            ("a.yml", &format!("{MSHTA}date: 2020-01-01\n")),
            ("b.yml", &format!("{MSHTA}date: 2999-01-01\n")),
        ]);
        let run = |file: &str| {
            desk.run(&format!(
                "-t ee-outliers -c winlogbeat -f inlastday=30 {file}"
            ))
        };
        assert_eq!((run("a.yml").code, run("a.yml").out.as_str()), (0, ""));
        assert_eq!(run("b.yml").out, USE_CASE);
    }),
    ("files after a date", || {
        let ran = Desk::new(&[]).run("-L 2020/01/01");
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains("not in Sigtag"), "{}", ran.err);
    }),
    ("output as YAML", || {
        let desk = Desk::new(&[("a.yml", MSHTA)]);
        let ran = desk.run("-t es-qs -c winlogbeat -of title -oF yaml a.yml");
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains("not in Sigtag"), "{}", ran.err);
    }),
    ("searches of log sources", || {
        let own = "logsources: {w: {product: windows, search: 'index=x'}}\n";
        let desk = Desk::new(&[("own.yml", own), ("a.yml", MSHTA)]);
        let ran = desk.run("-t es-qs -c own.yml a.yml");
        assert_eq!(ran.code, 42);
        assert!(ran.err.contains("`search`"), "{}", ran.err);
    }),
    ("limits", || {
        let names = vec!["selection"; 2_001].join(" or ");
        let desk = Desk::new(&[(
            "a.yml",
            &MSHTA.replace("condition: selection", &format!("condition: {names}")),
        )]);
        let ran = desk.run("-t es-qs -c winlogbeat a.yml");
        assert_eq!(ran.code, 4);
        assert!(ran.err.contains("2000 searches"), "{}", ran.err);
    }),
    ("other targets", || {
        let desk = Desk::new(&[("a.yml", MSHTA)]);
        let ran = desk.run("-t splunk -c winlogbeat a.yml");
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("`splunk` is not in Sigtag"), "{}", ran.err);
    }),
    ("other configurations", || {
        // sigmac reads all there are, and dies of one that is broken.
        let desk = Desk::new(&[
            ("a.yml", MSHTA),
            (".config/sigma/broken.yml", "logsources: [\n"),
        ]);
        assert_eq!(desk.run("-t ee-outliers -c winlogbeat a.yml").out, USE_CASE);
    }),
    ("debugging", || {
        let desk = Desk::new(&[("a.yml", MSHTA)]);
        assert_eq!(
            desk.run("-t ee-outliers -c winlogbeat -v -D a.yml").out,
            USE_CASE
        );
        assert!(!desk.path("sigmac.log").exists());
    }),
];

/// The names in the first column of a table of the guide, below this heading.
fn listed(heading: &str) -> Vec<String> {
    let guide = fs::read_to_string(testkit::workspace_root().join("docs/sigmac.md")).unwrap();
    let (_, section) = guide.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| **")?.split_once("**"));
    rows.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn the_guide_lists_every_difference() {
    let names: Vec<_> = DIFFERENCES.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed("What is different from sigmac"), names);
}

#[test]
fn each_difference_is_as_the_guide_says() {
    for (name, proof) in DIFFERENCES {
        println!("{name}");
        proof();
    }
}

#[test]
fn whatever_is_broken_is_told_and_the_rest_converted() {
    let desk = Desk::new(&[
        ("r/broken.yml", "title: [\n"),
        ("r/good.yml", MSHTA),
        ("r/network.yml", NETWORK),
        ("r/unknown.yml", UNKNOWN),
        ("r/nothing.yml", "\n"),
        ("r/deep.yml", &format!("title: {}\n", "[".repeat(1_000))),
        ("r/README.md", "# Rules\n"),
    ]);
    desk.put("r/latin.yml", b"title: ol\xe9\n");
    let brackets = format!(
        "title: t\ndetection:\n  s: {{a: b}}\n  condition: {}s\n",
        "(".repeat(10_000)
    );
    desk.put("r/brackets.yml", brackets.as_bytes());
    let many = vec!["s"; 20_000].join(" and ");
    let long = format!("title: t\ndetection:\n  s: {{a: b}}\n  condition: {many}\n");
    desk.put("r/long.yml", long.as_bytes());
    let dashes = "{a|windash|windash: ' -a -b -c -d -e -f -g -h -i -j -k -l'}";
    let dashes = format!("title: t\ndetection: {{s: {dashes}, condition: s}}\n");
    desk.put("r/dashes.yml", dashes.as_bytes());
    let values = vec!["'x'"; 10_000].join(", ");
    desk.put(
        "r/huge.yml",
        format!("title: t\ndetection:\n  s: [{values}]\n  condition: s\n").as_bytes(),
    );
    let ran = desk.run("-t ee-outliers -c winlogbeat -r r");
    assert!(ran.out.contains(USE_CASE), "{}", ran.err);
    assert_eq!(
        ran.out.matches("\n[simplequery").count() + 1,
        2,
        "{}",
        ran.err
    );
    for place in [
        "broken.yml:1:8",
        "network.yml:5:17",
        "unknown.yml:5:17",
        "latin.yml:1:10",
        "deep.yml:1:",
        "brackets.yml:4:",
        "long.yml:4:",
        "dashes.yml:2:17",
    ] {
        assert!(ran.err.contains(place), "{place}: {}", ran.err);
    }
}
