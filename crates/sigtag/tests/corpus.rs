//! Real rules over real events: SigmaHQ's rules hit what they must, and nothing else, in every shape of the same events.
//!
//! The program runs as a user would run it. Rules and events are not part of this repository; see `testkit::shared`.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The folders of the rules that are in use.
const RULES: [&str; 5] = [
    "rules",
    "rules-emerging-threats",
    "rules-threat-hunting",
    "rules-compliance",
    "rules-placeholder",
];

/// How many active rules there are, and how many of them are about Windows.
const ACTIVE: usize = 3_780;
const ABOUT_WINDOWS: usize = 2_841;

/// Rule ids by event: a file, and the line or record in it.
type Hits = BTreeMap<(String, u64), BTreeSet<String>>;

/// What is unpacked once for all tests, or nothing where the data is not at hand.
struct Corpus {
    shared: PathBuf,
    folder: PathBuf,
    windows: BTreeSet<String>,
}

static CORPUS: LazyLock<Option<Corpus>> = LazyLock::new(|| {
    let shared = testkit::shared()?.join("corpus");
    // A static is never dropped, so a temporary folder would stay; this one is made anew by the next run.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    for archive in ["sigmahq-2026-08.tar.zst", "regression-open.tar.zst"] {
        let file = File::open(shared.join(archive)).unwrap();
        tar::Archive::new(zstd::Decoder::new(file).unwrap())
            .unpack(&folder)
            .unwrap();
    }
    let windows = about_windows(&folder);
    Some(Corpus {
        shared,
        folder,
        windows,
    })
});

/// The corpus, or a skip in the name of the calling test.
fn corpus() -> Option<&'static Corpus> {
    testkit::shared()?;
    CORPUS.as_ref()
}

/// The ids of the rules about Windows; a placeholder rule is none, since it does not run.
fn about_windows(folder: &Path) -> BTreeSet<String> {
    let mapping = mapping::Mapping::builtin();
    let paths = RULES.map(|name| folder.join(name));
    let rules = tagger::Rules::load(&paths, &mapping, None).unwrap();
    assert_eq!(rules.files, ACTIVE);
    let is_windows = |rule: &&sigma::Rule| rule.log_source.product.as_deref() == Some("windows");
    rules
        .running
        .iter()
        .map(|rule| &rule.rule)
        .filter(is_windows)
        .map(|rule| rule.id.to_string())
        .collect()
}

impl Corpus {
    /// Tags `input` with all rules and gives the hits of each event.
    fn hits(&self, input: &Path) -> Hits {
        let output = tempfile::NamedTempFile::new().unwrap();
        self.tag(input, output.path(), "ecs");
        read_hits(output.path(), input)
    }

    /// Tags `input` with all rules.
    fn tag(&self, input: &Path, output: &Path, profile: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigtag"));
        command.args(["tag", "--quiet", "--profile", profile]);
        for name in RULES {
            command.arg("--rules").arg(self.folder.join(name));
        }
        let run = command.arg("--output").arg(output).arg(input).output();
        let run = run.unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }

    /// The lines of a compressed file of the corpus.
    fn lines(&self, name: &str) -> Vec<Value> {
        let file = File::open(self.shared.join(name)).unwrap();
        let text: Box<dyn BufRead> = match name.ends_with(".zst") {
            true => Box::new(BufReader::new(zstd::Decoder::new(file).unwrap())),
            false => Box::new(BufReader::new(file)),
        };
        text.lines()
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect()
    }

    /// The documents of the regression events in one shape as a file of JSON lines, with what must hit each line.
    fn matrix(&self, name: &str) -> (tempfile::NamedTempFile, BTreeMap<u64, BTreeSet<String>>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut expected: BTreeMap<(String, u64), BTreeSet<String>> = BTreeMap::new();
        for row in self.lines("regression-matrix-open.jsonl") {
            expected.insert(
                (text(&row["case"]), row["record"].as_u64().unwrap()),
                texts(&row["expected"]),
            );
        }
        let mut by_line = BTreeMap::new();
        for (line, row) in (1..).zip(self.lines(name)) {
            writeln!(file, "{}", row["doc"]).unwrap();
            by_line.insert(
                line,
                expected
                    .remove(&(text(&row["case"]), row["record"].as_u64().unwrap()))
                    .unwrap(),
            );
        }
        assert!(expected.is_empty());
        (file, by_line)
    }

    /// Hits of Windows rules only, by line.
    fn windows_by_line(&self, hits: Hits) -> BTreeMap<u64, BTreeSet<String>> {
        let windows = |ids: BTreeSet<String>| {
            ids.intersection(&self.windows)
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        hits.into_iter()
            .map(|((_, line), ids)| (line, windows(ids)))
            .filter(|(_, ids)| !ids.is_empty())
            .collect()
    }
}

fn read_hits(output: &Path, input: &Path) -> Hits {
    let mut hits = Hits::new();
    for line in BufReader::new(File::open(output).unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let source = &event["sigma"]["source"];
        let file = text(&source["file"]);
        let file = file
            .strip_prefix(&*input.to_string_lossy())
            .unwrap()
            .trim_start_matches('/')
            .to_owned();
        let position = source["line"]
            .as_u64()
            .or_else(|| source["record"].as_u64())
            .unwrap();
        hits.entry((file, position))
            .or_default()
            .extend(texts(&event["sigma"]["rule"]["id"]));
    }
    hits
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

#[test]
fn each_rule_hits_its_regression_events() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.folder.join("regression_data");
    let hits = corpus.hits(&folder);
    let mut cases = 0;
    for row in corpus.lines("regression-open.jsonl") {
        for path in ["data_path", "json_path"] {
            let path = text(&row[path]);
            let file = path.strip_prefix("regression_data/").unwrap();
            let rule = text(&row["rule_id"]);
            let found = hits
                .iter()
                .filter(|((of, _), ids)| of == file && ids.contains(&rule))
                .count() as u64;
            assert!(
                found >= row["expected_matches"].as_u64().unwrap(),
                "{rule} hits {found} events of {path}"
            );
            cases += 1;
        }
    }
    assert_eq!(cases, 200);
}

#[test]
fn evtx_and_its_json_have_the_same_hits() {
    let Some(corpus) = corpus() else { return };
    let hits = corpus.hits(&corpus.folder.join("regression_data"));
    let mut by_file: BTreeMap<String, Vec<&BTreeSet<String>>> = BTreeMap::new();
    for ((file, _), ids) in &hits {
        by_file.entry(file.clone()).or_default().push(ids);
    }
    for (file, ids) in by_file.iter().filter(|(file, _)| file.ends_with(".evtx")) {
        assert_eq!(
            by_file.get(&file.replace(".evtx", ".json")),
            Some(ids),
            "{file}"
        );
    }
    assert_eq!(by_file.len(), 200);
}

#[test]
fn all_windows_rules_on_all_regression_events_are_exact() {
    let Some(corpus) = corpus() else { return };
    assert_eq!(corpus.windows.len(), ABOUT_WINDOWS);
    for name in [
        "regression-winlogbeat-open.jsonl.zst",
        "regression-ecs-open.jsonl.zst",
    ] {
        let (file, expected) = corpus.matrix(name);
        let expected: BTreeMap<_, _> = expected
            .into_iter()
            .filter(|(_, ids)| !ids.is_empty())
            .collect();
        let hits = corpus.windows_by_line(corpus.hits(file.path()));
        assert_eq!(hits, expected, "{name}");
    }
}

#[test]
fn sample_hits_are_exact() {
    let Some(corpus) = corpus() else { return };
    let rows = corpus.lines("sample-expected-open.jsonl");
    let by_line = |key: &str| {
        rows.iter()
            .map(|row| (row["line"].as_u64().unwrap(), texts(&row[key])))
            .collect::<BTreeMap<_, _>>()
    };
    let (expected, optional) = (by_line("expected"), by_line("optional"));
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .collect();
    // The rules for which all hits are known.
    let is_open = |id: &String| sha256(id)[0] >> 4 < 8;
    for name in ["sample-winlogbeat.jsonl.zst", "sample-ecs.jsonl.zst"] {
        let file = corpus.folder.join(name);
        fs::copy(corpus.shared.join(name), &file).unwrap();
        let none = BTreeSet::new();
        let counted = |(line, ids): (u64, BTreeSet<String>)| {
            let optional = optional.get(&line).unwrap_or(&none);
            (
                line,
                ids.into_iter()
                    .filter(|id| is_open(id) && !optional.contains(id))
                    .collect::<BTreeSet<_>>(),
            )
        };
        let hits = corpus
            .hits(&file)
            .into_iter()
            .map(|((_, line), ids)| (line, ids))
            .map(counted);
        let hits: BTreeMap<_, _> = hits.filter(|(_, ids)| !ids.is_empty()).collect();
        assert_eq!(hits, expected, "{name}");
    }
    assert_eq!(expected.values().map(BTreeSet::len).sum::<usize>(), 595);
}

#[test]
fn tagging_again_gives_the_same_bytes() {
    let Some(corpus) = corpus() else { return };
    let regression = corpus.folder.join("regression_data");
    let sample = corpus.shared.join("sample-ecs.jsonl.zst");
    for (input, profile) in [(&regression, "ecs"), (&sample, "both")] {
        let [once, twice] = [(); 2].map(|()| tempfile::NamedTempFile::new().unwrap());
        corpus.tag(input, once.path(), profile);
        corpus.tag(once.path(), twice.path(), profile);
        let [once, twice] = [once, twice].map(|file| fs::read(file.path()).unwrap());
        assert!(once.len() > 100_000 && once == twice, "{profile}");
    }
}

fn sha256(text: &str) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(text).into()
}
