//! Options and credentials lie in a file: they mean what they mean on the command line, and what is wrong has a place.

mod desk;

use desk::{Desk, Ran};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// What must never be shown.
const SECRET: &str = "s3cr3t-0f-ada";

const RULE: &str = "title: Evil\nid: 5f1abf3e-0000-4000-8000-000000000001\nlogsource: {product: windows, service: sysmon}\n\
    detection: {selection: {Image|contains: evil}, condition: selection}\nlevel: high\n";
const EVENTS: &str = r#"{"Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "evil"}
{"Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "good"}
"#;

fn demo(name: &str) -> String {
    let path = testkit::workspace_root().join("demo").join(name);
    path.to_str().unwrap().to_owned()
}

/// A desk with a rule, two events, and a file of options that its owner alone can read.
fn desk(config: &str) -> Desk {
    let desk = Desk::new(&[("rule.yml", RULE), ("e.jsonl", EVENTS)]);
    write(&desk, config, 0o600);
    desk
}

fn write(desk: &Desk, config: &str, mode: u32) {
    let path = desk.path("sigtag.toml");
    fs::write(&path, config).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A summary without how long it took.
fn summary(desk: &Desk, name: &str) -> Value {
    let text = fs::read(desk.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut summary: Value = serde_json::from_slice(&text).unwrap();
    assert!(summary.as_object_mut().unwrap().remove("seconds").is_some());
    summary
}

fn tells_no_secret(ran: &Ran) {
    assert!(!ran.err.contains(SECRET), "{}", ran.err);
    assert!(!ran.out.contains(SECRET), "{}", ran.out);
}

/// The places and reasons of the errors; nothing else is said.
fn errors(ran: &Ran) -> Vec<&str> {
    assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
    let lines = ran.err.lines();
    let errors = lines.map(|line| line.strip_prefix("error: "));
    errors
        .collect::<Option<_>>()
        .unwrap_or_else(|| panic!("{}", ran.err))
}

#[test]
fn a_file_and_options_give_the_same_result_on_files() {
    let rules = demo("rules");
    let desk = desk(&format!(
        "rules = ['{rules}']\nmapping = ['winlogbeat']\nmin-level = 'high'\nprofile = 'both'\njobs = 1\n\
         quiet = true\nall = false\noutput = 'file.jsonl'\nstats = 'file.json'\n"
    ));
    let events = demo("events");
    let by_file = desk.run(&["tag", "--config", "sigtag.toml", &events]);
    let by_options = desk.run(&[
        "tag",
        "--rules",
        &rules,
        "--mapping",
        "winlogbeat",
        "--min-level",
        "high",
        "--profile",
        "both",
        "--jobs",
        "1",
        "--quiet",
        "--output",
        "options.jsonl",
        "--stats",
        "options.json",
        &events,
    ]);
    assert_eq!((by_file.code, &*by_file.err), (0, ""));
    assert_eq!((by_options.code, &*by_options.err), (0, ""));
    assert_eq!(summary(&desk, "file.json"), summary(&desk, "options.json"));
    assert!(summary(&desk, "file.json")["tagged"].as_u64().unwrap() > 10);
    let lines = |name| fs::read_to_string(desk.path(name)).unwrap().lines().count();
    assert_eq!(lines("file.jsonl"), lines("options.jsonl"));
    let tagged = fs::read_to_string(desk.path("file.jsonl")).unwrap();
    assert!(tagged.contains("\"outliers\":") && tagged.contains("\"sigma\":"));
}

#[test]
fn a_file_and_options_give_the_same_result_in_a_store() {
    let rules = demo("rules");
    let desk = desk(&format!(
        "rules = '{rules}'\nstore = 'by-file'\nindex = ['one', 'two']\nmode = 'both'\nrate = 100_000\n\
         since = 2000-01-01\nno-templates = true\njobs = 0x2\nstats = 'file.json'\n"
    ));
    for store in ["by-file", "by-options"] {
        for index in ["one", "two", "three"] {
            desk.stats(&["load", "--store", store, "--index", index, &demo("events")]);
        }
    }
    let options = [
        "--rules",
        &rules,
        "--store",
        "by-options",
        "--index",
        "one,two",
        "--mode",
        "both",
        "--since",
        "2000-01-01",
    ];
    let plan = |options: &[&str]| -> Vec<Value> {
        let ran = desk.run(&[&["plan", "--format", "jsonl"], options].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let lines = ran.out.lines();
        let indices = lines.map(|line| serde_json::from_str(line).unwrap());
        let parts = ["name", "documents", "tags", "done", "schema"];
        indices
            .map(|index: Value| parts.iter().map(|part| index[*part].clone()).collect())
            .collect()
    };
    let planned = plan(&["--config", "sigtag.toml"]);
    assert_eq!(planned.len(), 2, "{planned:?}");
    assert_eq!(planned[0][2], "both");
    assert_eq!(planned, plan(&options));

    let by_file = desk.run(&["tag", "--config", "sigtag.toml"]);
    assert_eq!(by_file.code, 0, "{}", by_file.err);
    let more = [
        "--rate",
        "100000",
        "--no-templates",
        "--jobs",
        "2",
        "--stats",
        "options.json",
    ];
    let by_options = desk.run(&[&["tag"], &options[..], &more].concat());
    assert_eq!(by_options.code, 0, "{}", by_options.err);
    assert_eq!(summary(&desk, "file.json"), summary(&desk, "options.json"));
    assert!(summary(&desk, "file.json")["written"].as_u64().unwrap() > 10);

    // A date without quotes, and a flag, do what they say.
    let later = format!(
        "rules = '{rules}'\nstore = 'by-file'\nindex = 'three'\nstats = 'file.json'\ndry-run = true\n"
    );
    for (since, is_any) in [("2000-01-01", true), ("2100-01-01T00:00:00Z", false)] {
        write(&desk, &format!("{later}since = {since}\n"), 0o600);
        let ran = desk.run(&["tag", "--config", "sigtag.toml"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let found = summary(&desk, "file.json")["tagged"] != 0;
        assert_eq!(found, is_any, "{since}");
    }
    let query = [
        "search", "--store", "by-file", "--index", "three", "--format", "jsonl",
    ];
    let ran = desk.run(&[&query[..], &["tags:sigma"]].concat());
    assert_eq!((ran.code, &*ran.out), (0, ""), "{}", ran.err);
}

#[test]
fn what_the_command_line_says_wins() {
    let desk = desk(
        "rules = ['rule.yml', 'none.yml']\nmin-level = 'critical'\nstats = 'file.json'\nquiet = true\n",
    );
    let ran = desk.run(&["tag", "--config", "sigtag.toml", "e.jsonl"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("none.yml"), "{}", ran.err);
    for place in ["first", "last"] {
        let given = [
            "--rules",
            "rule.yml",
            "--min-level=low",
            "--stats",
            "given.json",
        ];
        let file = ["--config=sigtag.toml"];
        let options = match place {
            "first" => [&file[..], &given].concat(),
            _ => [&given[..], &file].concat(),
        };
        let ran = desk.run(&[&["tag"], &options[..], &["--", "e.jsonl"]].concat());
        assert_eq!((ran.code, &*ran.err), (0, ""));
        assert_eq!(summary(&desk, "given.json")["tagged"], 1);
        assert!(!desk.path("file.json").exists());
    }
    // The colours of messages about the file, too.
    write(&desk, "rules = 1\ncolor = 'never'\n", 0o600);
    let ran = desk.run(&[
        "--color",
        "always",
        "tag",
        "--config",
        "sigtag.toml",
        "e.jsonl",
    ]);
    assert!(ran.err.contains("\u{1b}["), "{}", ran.err);
}

#[test]
fn paths_count_from_where_the_file_lies() {
    let desk = desk("");
    fs::create_dir_all(desk.path("conf/rules")).unwrap();
    fs::write(desk.path("conf/rules/rule.yml"), RULE).unwrap();
    fs::write(
        desk.path("conf/rules/two.yml"),
        RULE.replace("0001", "0002"),
    )
    .unwrap();
    // Also built-in names and those of files that are not in the same folder.
    let fields = "title: mine\nbackends: [es-dsl]\norder: 1\nfieldmappings: {Image: Image}\n";
    fs::write(desk.path("fields.yml"), fields).unwrap();
    let config = "rules = 'rules'\nmapping = ['builtin', 'winlogbeat', '../fields.yml']\nstore = 'store'\nindex = 'i'\nstats = 'stats.json'\n";
    fs::write(desk.path("conf/sigtag.toml"), config).unwrap();
    desk.stats(&["load", "--store", "conf/store", "--index", "i", "e.jsonl"]);
    let absolute = desk.path("conf/sigtag.toml");
    for path in ["conf/sigtag.toml", absolute.to_str().unwrap()] {
        let ran = desk.run(&["tag", "--config", path, "--again"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let summary = summary(&desk, "conf/stats.json");
        assert_eq!(summary["events"], 2);
        assert_eq!(summary["hits"], 2);
        fs::remove_file(desk.path("conf/stats.json")).unwrap();
    }
    // An absolute path is one; one of the command line counts from where sigtag is called.
    let rules = desk.path("rule.yml");
    let config = format!("rules = '{}'\n", rules.display());
    fs::write(desk.path("conf/sigtag.toml"), config).unwrap();
    let tagged = desk.stats(&["tag", "--config", "conf/sigtag.toml", "e.jsonl"]);
    assert_eq!(tagged["hits"], 1);
}

#[test]
fn all_that_is_wrong_is_told_with_its_place() {
    let config = "\u{feff}# é
ruls = ['a']
min_level = 'high'
  rate = 'fast'
mode = \"sideways\"   # é
jobs = 1000
since = 2026-13-15T00
";
    let desk = desk(config);
    let ran = desk.run(&["tag", "--config", "sigtag.toml", "e.jsonl"]);
    let not_toml = errors(&ran);
    assert_eq!(not_toml.len(), 1, "{not_toml:?}");
    assert!(
        not_toml[0].starts_with("sigtag.toml:7:9: this is not TOML: "),
        "{not_toml:?}"
    );

    let config = config.replace("2026-13-15T00", "'yesterday'")
        + "until = 07:32:00
'store' = ['é', 'http:///x', 5]
index = ''
\"é\\n\\u001b\" = 1
inputs = ['x']
config = 'y'
password = 's3cr3t-0f-ada'
quiet = 'yes'
again = 1
profile = ['ecs']
format = 'xml'
color = 'red'
ca.x = 1
rules = [[]]
target = 'es-qs'
credential = { password = 's3cr3t-0f-ada' }
[credentials]
paswort = 's3cr3t-0f-ada'
user = 5
api-key = 's3cr3t-0f-ada'
api-key-file = ''
bearer-file = 'x'
";
    write(&desk, &config, 0o600);
    let time = "a time is 2026-03-15T12:00:00Z, 2026-03-15, or how long ago: 7d, 12h, 30m";
    let who = "only one of user, API key and token can say who asks";
    let expected = [
        "2:1: there is no key `ruls`: did you mean `rules`?",
        "3:1: there is no key `min_level`: did you mean `min-level`?",
        "4:10: `rate`: expected a number, found string",
        "5:8: `mode` cannot be `sideways`: there are auto, in-place, side, both",
        "6:8: `jobs` cannot be `1000`: 1000 is not in 1..=256",
        &format!("7:9: `since` cannot be `yesterday`: {time}"),
        &format!("8:9: `until` cannot be `07:32:00`: {time}"),
        "9:17: `store` is refused: each node is http://HOST:PORT or https://HOST:PORT, and not `http:///x`",
        "9:30: `store`: expected a string or an array of strings, found integer",
        "10:9: `index` is empty",
        r"11:1: there is no key `é\u{a}\u{1b}`",
        "12:1: `inputs` cannot be set here: name the events on the command line",
        "13:1: `config` cannot be set here: one file holds it all",
        "14:1: `password` cannot be set here: it goes into the table `[credentials]`",
        "15:9: `quiet`: expected true or false, found string",
        "16:9: `again`: expected true or false, found integer",
        "17:11: `profile`: expected a string, found array",
        "18:10: `format` cannot be `xml`: there are table, jsonl",
        "19:9: `color` cannot be `red`: there are auto, always, never",
        "20:1: `ca`: expected a string, found table",
        "21:10: `rules`: expected a string or an array of strings, found array",
        "22:1: there is no key `target`: did you mean `rate`?",
        "23:1: there is no key `credential`: did you mean `credentials`?",
        "25:1: there is no key `paswort`: did you mean `password`?",
        "26:8: `user`: expected a string, found integer",
        &format!("27:1: `api-key` beside `user`: {who}"),
        "28:1: `api-key-file` beside `api-key`: only one of the two can be",
        "28:16: `api-key-file` is empty",
        &format!("29:1: `bearer-file` beside `user`: {who}"),
    ];
    // Keys that a command does not have are checked all the same.
    for command in ["tag", "plan"] {
        let ran = desk.run(&[command, "--config", "sigtag.toml"]);
        let found = errors(&ran);
        let found: Vec<_> = found
            .iter()
            .map(|line| line.strip_prefix("sigtag.toml:").unwrap())
            .collect();
        assert_eq!(found, expected);
        tells_no_secret(&ran);
    }
    assert!(!desk.path("stats.json").exists());
}

#[test]
fn settings_that_do_not_go_together_are_told_with_their_place() {
    let desk = desk("");
    let store = "rules = 'rule.yml'\n\nstore = 's'\nindex = 'i'\n";
    let password = "[credentials]\npassword-file = 'p'\n";
    type Case<'c> = (&'c str, &'c [&'c str], &'c [&'c str]);
    let cases: [Case; 6] = [
        (
            store,
            &["tag", "e.jsonl"],
            &[
                "sigtag.toml:3:1: `store` does not go with [INPUT]...",
                "sigtag.toml:4:1: `index` does not go with [INPUT]...",
            ],
        ),
        (
            store,
            &["tag", "--output", "x"],
            &["sigtag.toml:3:1: `store` does not go with --output"],
        ),
        (
            "all = true\nstore = 's'\nindex = 'i'\nrules = 'r'\n",
            &["tag"],
            &[
                "sigtag.toml:1:1: `all` does not go with --store",
                "sigtag.toml:2:1: `store` does not go with --all",
            ],
        ),
        (
            "rules = 'r'\nindex = 'i'\n",
            &["tag"],
            &["sigtag.toml:2:1: `index` needs --store"],
        ),
        (
            password,
            &["tag", "--rules", "rule.yml", "e.jsonl"],
            &["sigtag.toml:2:1: `password-file`, but `user` does not say whose it is"],
        ),
        (
            "[credentials]\nuser = 'ada'\npassword = 's3cr3t-0f-ada'\npassword-file = 'x'\n",
            &["plan"],
            &["sigtag.toml:4:1: `password-file` beside `password`: only one of the two can be"],
        ),
    ];
    for (config, arguments, expected) in cases {
        write(&desk, config, 0o600);
        let ran = desk.run(&[arguments, &["--config", "sigtag.toml"]].concat());
        assert_eq!(errors(&ran), expected, "{config}");
        tells_no_secret(&ran);
    }
    // What the command line lacks, or has too much, is told as without a file.
    write(&desk, "quiet = true\n", 0o600);
    for (arguments, part) in [
        (&["tag", "e.jsonl"][..], "--rules <PATH>"),
        (&["plan", "--rules", "rule.yml"], "--store <DIR|URL>"),
        (
            &["tag", "--rules", "rule.yml", "--bogus", "e.jsonl"],
            "unexpected argument '--bogus'",
        ),
        (
            &["tag", "--rules", "rule.yml", "--jobs", "0", "e.jsonl"],
            "0 is not in 1..=256",
        ),
    ] {
        let ran = desk.run(&[arguments, &["--config", "sigtag.toml"]].concat());
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn files_that_are_none_are_told() {
    let desk = desk("rules = 'rule.yml'\n");
    fs::write(desk.path("large.toml"), " ".repeat((1 << 20) + 1)).unwrap();
    fs::write(desk.path("latin.toml"), b"# a\nrules = '\xe9'\n").unwrap();
    fs::write(
        desk.path("deep.toml"),
        format!("rules = {}", "[".repeat(100_000)),
    )
    .unwrap();
    fs::write(desk.path("twice.toml"), "rules = 'a'\nrules = 'b'\n").unwrap();
    for (name, begins) in [
        ("none.toml", "none.toml: No such file or directory"),
        (".", ".: Is a directory"),
        ("/dev/zero", "/dev/zero: it has more than 1 MiB"),
        ("large.toml", "large.toml: it has more than 1 MiB"),
        ("latin.toml", "latin.toml:2:10: this is not UTF-8"),
        ("deep.toml", "deep.toml:1:89: this is not TOML: "),
        (
            "twice.toml",
            "twice.toml:2:1: this is not TOML: duplicate key",
        ),
    ] {
        let ran = desk.run(&["tag", "--config", name, "e.jsonl"]);
        let errors = errors(&ran);
        assert!(errors[0].starts_with(begins), "{name}: {errors:?}");
        assert!(errors.len() < 4, "{name}: {errors:?}");
    }
    let many: String = (0..20_000).map(|key| format!("x{key} = 1\n")).collect();
    write(&desk, &many, 0o600);
    let ran = desk.run(&["tag", "--config", "sigtag.toml", "e.jsonl"]);
    assert_eq!(errors(&ran).len(), 101);
    assert!(ran.err.ends_with("error: sigtag.toml: and 19,900 more\n"));
    // A run does not write over the file that it is told by.
    write(&desk, "rules = 'rule.yml'\n", 0o600);
    let ran = desk.run(&[
        "tag",
        "--config",
        "sigtag.toml",
        "--stats",
        "sigtag.toml",
        "e.jsonl",
    ]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        fs::read_to_string(desk.path("sigtag.toml")).unwrap(),
        "rules = 'rule.yml'\n"
    );
}

#[test]
fn broken_files_show_no_secret() {
    let whole = format!(
        "rules = ['rule.yml']\nstore = 'https://127.0.0.1:9'\nindex = 'i'\n\
         [credentials]\nuser = 'ada'\npassword = '{SECRET}'\n"
    );
    let desk = desk("");
    let line = format!("password = '{SECRET}'");
    let mut broken: Vec<String> = [
        format!("password = {SECRET}"),
        format!("password = '{SECRET}"),
        format!("password = \"\"\"{SECRET}"),
        format!("password = \"\n{SECRET}\" = 1"),
        format!("password =\n{SECRET}"),
        format!("password = '{SECRET}' '{SECRET}'"),
        format!("password = ['{SECRET}'"),
        format!("password = {{ x = '{SECRET}'"),
        format!("password: '{SECRET}'"),
        format!("password '{SECRET}'"),
        format!("password = \"\\{SECRET}\""),
        format!("{line}\n{line}"),
        format!("{line}\n[credentials]\n{line}"),
        format!("{line}\nuser.x = '{SECRET}'"),
    ]
    .iter()
    .map(|other| whole.replace(&line, other))
    .collect();
    // Wherever the file was cut off within the line.
    let end = whole.find(&line).unwrap();
    broken.extend(
        (end..whole.len())
            .step_by(3)
            .map(|cut| whole[..cut].to_owned()),
    );
    // In sound files: where it does not belong.
    broken.extend([
        whole.replace("https://", &format!("https://ada:{SECRET}@")),
        whole.replace("https://", &format!("ada:{SECRET}@")),
        whole.replace("user", "usr"),
        whole.replace("[credentials]", ""),
        whole.replace("[credentials]", "[credential]"),
        whole.replace(
            "'https://127.0.0.1:9'",
            &format!("[1, 'https://ada:{SECRET}@h']"),
        ),
        whole.replace(&line, &format!("password = ['{SECRET}']")),
        whole.replace(&line, &format!("password = {{'x' = '{SECRET}'}}")),
        format!(
            "credentials = '{SECRET}'\n{}",
            &whole[..whole.find('[').unwrap()]
        ),
    ]);
    for config in broken {
        write(&desk, &config, 0o600);
        for command in ["tag", "plan"] {
            let ran = desk.run(&[
                command,
                "--config",
                "sigtag.toml",
                "--index",
                "x",
                "--mode",
                "side",
            ]);
            assert!(ran.code == 2 || ran.code == 1, "{config}: {}", ran.err);
            tells_no_secret(&ran);
        }
    }
}

#[test]
fn a_secret_that_others_can_read_gives_a_warning() {
    let desk = desk("");
    let secret =
        format!("rules = 'rule.yml'\n[credentials]\nuser = 'ada'\npassword = '{SECRET}'\n");
    let none = "rules = 'rule.yml'\n[credentials]\nuser = 'ada'\npassword-file = 'x'\n";
    for (config, mode, is_told) in [
        (&*secret, 0o600, false),
        (&secret, 0o640, true),
        (&secret, 0o604, true),
        (none, 0o644, false),
    ] {
        write(&desk, config, mode);
        let ran = desk.run(&["tag", "--config", "sigtag.toml", "--quiet", "e.jsonl"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let warning = "warning: sigtag.toml:4:1: others than its owner can read this secret: chmod 600 sigtag.toml\n";
        assert_eq!(ran.err, if is_told { warning } else { "" }, "{mode:o}");
        tells_no_secret(&ran);
    }
}

/// A server that tells what it was asked, and refuses.
fn listening() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0].into());
            }
            let _ = send.send(request);
            let refusal =
                "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(refusal.as_bytes());
        }
    });
    (url, receive)
}

#[test]
fn who_asks_is_told_to_the_server_only() {
    let (url, asked) = listening();
    let password = format!("password = '{SECRET}'");
    type Case<'c> = (&'c str, &'c [(&'static str, &'c str)], Option<&'c str>);
    let cases: [Case; 9] = [
        (
            &format!("user = 'ada'\n{password}"),
            &[],
            Some("Basic YWRhOnMzY3IzdC0wZi1hZGE="),
        ),
        (
            "user = 'ada'\npassword-file = 'conf/secret'",
            &[],
            Some("Basic YWRhOnMzY3IzdC0wZi1hZGE="),
        ),
        (
            &format!("api-key = '{SECRET}'"),
            &[],
            Some("ApiKey s3cr3t-0f-ada"),
        ),
        (
            "bearer-file = 'conf/secret'",
            &[],
            Some("Bearer s3cr3t-0f-ada"),
        ),
        // The environment wins as a whole; only a password may be that of the file's user.
        (
            &format!("user = 'ada'\n{password}"),
            &[("SIGTAG_BEARER", "other")],
            Some("Bearer other"),
        ),
        (
            &format!("bearer = '{SECRET}'"),
            &[("SIGTAG_USER", "bob")],
            Some("Basic Ym9iOg=="),
        ),
        (
            &format!("user = 'ada'\n{password}"),
            &[("SIGTAG_PASSWORD", "x")],
            Some("Basic YWRhOng="),
        ),
        (
            "bearer-file = 'conf/none'",
            &[("SIGTAG_API_KEY", "other")],
            Some("ApiKey other"),
        ),
        ("", &[], None),
    ];
    for command in ["tag", "plan"] {
        for (credentials, environment, header) in cases {
            let mut desk = desk(&format!(
                "rules = 'rule.yml'\nstore = '{url}'\nindex = 'i'\n[credentials]\n{credentials}\n"
            ));
            fs::create_dir(desk.path("conf")).unwrap();
            fs::write(desk.path("conf/secret"), format!("{SECRET}\n")).unwrap();
            fs::set_permissions(desk.path("conf/secret"), fs::Permissions::from_mode(0o600))
                .unwrap();
            let variables = environment.iter();
            desk.environment = variables
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect();
            let ran = desk.run(&[command, "--config", "sigtag.toml"]);
            assert_eq!(ran.code, 2, "{}", ran.err);
            assert!(ran.err.contains("401"), "{}", ran.err);
            tells_no_secret(&ran);
            let request = asked.recv_timeout(Duration::from_secs(10)).unwrap();
            let told = request
                .lines()
                .find_map(|line| line.strip_prefix("authorization: "));
            assert_eq!(told, header, "{credentials}");
        }
    }
}

#[test]
fn files_of_secrets_that_are_not_to_be_had_are_told_with_their_place() {
    let config = "rules = 'rule.yml'\nstore = 'http://127.0.0.1:9'\nindex = 'i'\n[credentials]\nbearer-file = 'none'\n";
    let desk = desk(config);
    let ran = desk.run(&["plan", "--config", "sigtag.toml"]);
    let expected = "sigtag.toml:5:1: bearer-file: none: No such file or directory (os error 2)";
    assert_eq!(errors(&ran), [expected]);
    // A password of the environment is nobody's if the file names no user.
    let mut desk = self::desk(&config.replace("none", "rule.yml"));
    desk.environment = vec![("SIGTAG_PASSWORD", SECRET.to_owned())];
    let ran = desk.run(&["plan", "--config", "sigtag.toml"]);
    assert!(
        errors(&ran)[0].starts_with("SIGTAG_PASSWORD: "),
        "{}",
        ran.err
    );
}

/// The page, and the rows of its table of keys.
fn page() -> (String, Vec<[String; 4]>) {
    let path = testkit::workspace_root().join("docs/configuration.md");
    let page = fs::read_to_string(path).unwrap();
    let (_, keys) = page.split_once("\n## The keys\n").unwrap();
    let (keys, _) = keys.split_once("\n## ").unwrap();
    let rows = keys.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        let cells: Vec<String> = cells.map(|cell| cell.trim().replace('`', "")).collect();
        cells.try_into().unwrap()
    });
    let rows = cells.collect();
    (page, rows)
}

/// The long options of a command, as its help has them, with what is said of each.
fn options(desk: &Desk, command: &str) -> Vec<(String, String)> {
    let help = desk.run(&[command, "--help"]).out;
    let mut options: Vec<(String, String)> = Vec::new();
    for line in help.lines() {
        let words = line.trim_start().trim_start_matches("-h, ");
        match words.strip_prefix("--").filter(|_| line.starts_with("  ")) {
            Some(option) => {
                let name = option.split(' ').next().unwrap();
                options.push((name.to_owned(), String::new()));
            }
            None => {
                if let Some((_, about)) = options.last_mut() {
                    about.push_str(line);
                }
            }
        }
    }
    options.retain(|(name, _)| !["help", "config"].contains(&&**name));
    options
}

#[test]
fn every_option_is_a_key_and_every_key_is_documented_with_its_default() {
    let (_, rows) = page();
    let desk = desk("");
    let tag = options(&desk, "tag");
    assert!(
        tag.len() > 15 && tag.iter().any(|(name, _)| name == "rules"),
        "{tag:?}"
    );
    let mut names: Vec<String> = Vec::new();
    for (name, about) in tag.into_iter().chain(options(&desk, "plan")) {
        // A float is the value of no option.
        write(&desk, &format!("{name} = 1.5\n"), 0o600);
        let ran = desk.run(&["plan", "--config", "sigtag.toml"]);
        let place = format!(
            "error: sigtag.toml:1:{}: `{name}`: expected ",
            name.len() + 4
        );
        assert!(ran.err.starts_with(&place), "{}", ran.err);
        let row = rows.iter().find(|[key, ..]| *key == name);
        let [_, kind, default, _] = row.unwrap_or_else(|| panic!("`{name}` is not documented"));
        let kinds = [
            ("a number", "number"),
            ("a string or an array of strings", "array"),
            ("true or false", "boolean"),
            ("a string", "string"),
        ];
        let expected = ran.err[place.len()..].split(',').next().unwrap();
        let (_, expected) = kinds.iter().find(|(shown, _)| *shown == expected).unwrap();
        assert!(kind.starts_with(expected), "{name}: {kind}");
        if let Some((_, rest)) = about.split_once("[default: ") {
            assert_eq!(rest.split(']').next().unwrap(), default, "{name}");
        }
        if *expected == "boolean" {
            assert_eq!(default, "false", "{name}");
        }
        names.push(name);
    }
    let documented: Vec<_> = rows.iter().map(|[key, ..]| key).collect();
    let unknown = documented.iter().filter(|key| !names.contains(key));
    assert_eq!(unknown.count(), 0, "{documented:?}");
}

#[test]
fn the_documented_example_is_sound() {
    let (page, _) = page();
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let desk = desk(example);
    let own = [
        "--rules",
        "rule.yml",
        "--mapping",
        "builtin",
        "--store",
        "s",
        "--stats",
        "stats.json",
    ];
    desk.stats(&["load", "--store", "s", "--index", "proxy-1", "e.jsonl"]);
    for command in [&["tag"][..], &["plan"]] {
        let own = if command == ["tag"] {
            &own[..]
        } else {
            &own[..6]
        };
        let ran = desk.run(&[command, own, &["--config", "sigtag.toml"]].concat());
        assert_eq!((ran.code, &*ran.err), (0, ""), "{command:?}");
    }
    assert_eq!(summary(&desk, "stats.json")["events"], 0);
    // The errors of the page are errors.
    let (_, shown) = page.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    write(
        &desk,
        "\n\nmin_level = 'high'\n\n\n\nmode = 'sideways'\n\nrate = 'fast'\n",
        0o600,
    );
    assert_eq!(desk.run(&["tag", "--config", "sigtag.toml"]).err, shown);
}
