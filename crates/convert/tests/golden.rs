//! What sigmac wrote for SigmaHQ's rules, byte for byte.
//!
//! Each file of the golden data is one target with one chain of configurations; each row one rule file. The chain is read
//! once from sigmac's own configurations, and once from what is built in.

use convert::sigmac::{Chain, Config, Converter, Options};
use convert::{Artefact, TARGETS, Target};
use serde_json::Value;
use sigma::Source;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

/// How many differences are shown.
const SHOWN: usize = 10;

/// The options of files whose names say that they have some.
const OPTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "opt_ci",
        &[
            ("keyword_field", ""),
            ("case_insensitive_whitelist", "*"),
            ("keyword_whitelist", "winlog.channel"),
        ],
    ),
    (
        "opt_text",
        &[
            ("keyword_base_fields", "*"),
            ("analyzed_sub_field_name", ".text"),
        ],
    ),
];

type Files = HashMap<String, Vec<u8>>;

/// The files of an archive by their names in it.
fn unpack(path: &Path) -> Files {
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut files = Files::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(name.trim_start_matches("./").to_owned(), bytes);
    }
    files
}

/// What one file of the golden data is about.
struct Case {
    target: &'static dyn Target,
    configs: Vec<String>,
    options: Options,
    is_old: bool,
}

impl Case {
    /// `TARGET-CONFIG+CONFIG-(new|old)…`
    fn named(name: &str) -> Case {
        let stem = name.trim_start_matches("extra_");
        let targets = TARGETS
            .iter()
            .filter(|target| stem.starts_with(&format!("{}-", target.name())));
        let target = targets.max_by_key(|target| target.name().len());
        let target = *target.unwrap_or_else(|| panic!("{name}: no target of this name"));
        let rest = &stem[target.name().len() + 1..];
        let (configs, _) = rest
            .rsplit_once("-new")
            .or(rest.rsplit_once("-old"))
            .unwrap();
        let mut options = Options::default();
        for (part, values) in OPTIONS {
            let values = values.iter().filter(|_| name.contains(part));
            values.for_each(|(option, value)| options.set(option, value));
        }
        Case {
            target,
            configs: configs.split('+').map(str::to_owned).collect(),
            options,
            is_old: rest.contains("-old"),
        }
    }

    fn chain(&self, text: impl Fn(&str) -> Vec<u8>) -> Chain {
        let read = |name: &String| {
            Config::read(&Source {
                name,
                text: &text(name),
            })
            .unwrap()
        };
        Chain::new(self.configs.iter().map(read).collect())
    }

    /// The exit code and standard output for one rule file, in a fresh state.
    fn run(&self, chain: &Chain, name: &str, text: &[u8]) -> (u8, String) {
        let converter = Converter::new(self.target, chain.clone(), self.options.clone());
        let (mut output, mut parts) = (String::new(), Vec::new());
        for converted in converter.convert(&Source { name, text }) {
            match converted.map(|converted| converted.artefact) {
                Ok(Artefact::Text(text)) => output.push_str(&(text + "\n")),
                Ok(Artefact::Json(more)) => parts.extend(more),
                Err(failure) => return (failure.status.code(), output),
            }
        }
        if let Some(text) = self.target.finish(parts) {
            output.push_str(&(text + "\n"));
        }
        (0, output)
    }
}

/// The output with the members of each `should` in order, for rows where the order is left to chance.
fn ordered(output: &str) -> String {
    fn order(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(order),
            Value::Object(map) => {
                map.values_mut().for_each(order);
                if let Some(Value::Array(items)) = map.get_mut("should") {
                    items.sort_by_key(Value::to_string);
                }
            }
            _ => {}
        }
    }
    let lines = output.lines().map(|line| match line.split_once(" = {") {
        Some((name, json)) => {
            let mut json: Value = serde_json::from_str(&format!("{{{json}")).unwrap();
            order(&mut json);
            format!("{name} = {json}\n")
        }
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// The place where two texts part.
fn parting(expected: &str, output: &str) -> String {
    let same = expected
        .bytes()
        .zip(output.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let around = |text: &str| {
        let cut = |at: usize| text.floor_char_boundary(at.min(text.len()));
        text[cut(same.saturating_sub(80))..cut(same + 120)].to_owned()
    };
    format!(
        "  sigmac: {}\n  sigtag: {}",
        around(expected),
        around(output)
    )
}

#[test]
fn every_row_is_what_sigmac_wrote() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let corpus = |name: &str| unpack(&shared.join("corpus").join(name));
    let old = corpus("sigmahq-2020-05.tar.zst");
    let new = corpus("sigmahq-2026-08.tar.zst");
    let configs = corpus("sigmac-configs-0.23.1.tar.zst");
    let from_sigmac = |name: &str| {
        let paths = [format!("{name}.yml"), format!("generic/{name}.yml")];
        paths
            .iter()
            .find_map(|path| configs.get(path))
            .unwrap()
            .clone()
    };
    let built_in = |name: &str| mapping::configs::text(name).unwrap().into_bytes();
    let entries = std::fs::read_dir(shared.join("golden")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut different = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(stem) = name
            .strip_suffix(".jsonl.zst")
            .filter(|stem| !stem.starts_with("pysigma"))
        else {
            continue;
        };
        let case = Case::named(stem);
        let rules = if case.is_old { &old } else { &new };
        let chains = [
            ("its configurations", case.chain(from_sigmac)),
            ("built in", case.chain(built_in)),
        ];
        let text = zstd::decode_all(std::fs::File::open(&path).unwrap()).unwrap();
        let rows: Vec<Value> = serde_json::Deserializer::from_slice(&text)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let (mut equal, mut crashed) = (0, 0);
        for row in &rows {
            let rule = row["rule_path"].as_str().unwrap();
            let status = row["rc"].as_u64().unwrap();
            let expected = row["output"].as_str().unwrap_or_default();
            for (which, chain) in &chains {
                let (code, output) = case.run(chain, rule, &rules[rule]);
                let alike = output == expected
                    || row["hashseed_dependent"] == true && ordered(&output) == ordered(expected);
                if u64::from(code) == status && (code != 0 || alike) {
                    equal += 1;
                } else if status == 1 {
                    // sigmac dies; what is done instead is listed in docs/sigmac.md.
                    crashed += 1;
                } else {
                    let parting = parting(expected, &output);
                    different.push(format!(
                        "{name}, {which}: {rule}: {status}, and not {code}\n{parting}"
                    ));
                }
            }
        }
        println!(
            "{name}: {} rows twice, {equal} equal, {crashed} where sigmac dies",
            rows.len()
        );
    }
    let shown = different[..different.len().min(SHOWN)].join("\n");
    assert!(
        different.is_empty(),
        "{} rows are different:\n{shown}",
        different.len()
    );
}
