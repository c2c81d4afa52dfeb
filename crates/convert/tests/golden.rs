//! What sigmac wrote for SigmaHQ's rules, byte for byte.

use convert::sigmac::{Chain, Config, Converter, Options};
use convert::{Artefact, TARGETS};
use sigma::Source;
use std::collections::HashMap;
use std::path::Path;

/// The files of an archive by their names in it.
fn unpack(path: &Path) -> HashMap<String, Vec<u8>> {
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut files = HashMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry
            .path()
            .unwrap()
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        files.insert(name, bytes);
    }
    files
}

#[test]
fn every_row() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let only = std::env::var("ONLY").unwrap_or_default();
    let old = unpack(&shared.join("corpus/sigmahq-2020-05.tar.zst"));
    let new = unpack(&shared.join("corpus/sigmahq-2026-08.tar.zst"));
    let configs = unpack(&shared.join("corpus/sigmac-configs-0.23.1.tar.zst"));
    let mut names: Vec<_> = std::fs::read_dir(shared.join("golden"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    let mut bad = 0;
    for path in names {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("pysigma") || !name.ends_with(".zst") || !name.contains(&only) {
            continue;
        }
        let stem = name
            .trim_start_matches("extra_")
            .trim_end_matches(".jsonl.zst");
        let Some(target) = TARGETS
            .iter()
            .filter(|target| stem.starts_with(&format!("{}-", target.name())))
            .max_by_key(|target| target.name().len())
        else {
            println!("{name}: no target");
            continue;
        };
        let rest = &stem[target.name().len() + 1..];
        let (config, _) = rest
            .rsplit_once("-new")
            .or(rest.rsplit_once("-old"))
            .unwrap();
        let chain: Vec<Config> = config
            .split('+')
            .map(|config| {
                let file = if config == "sysmon" {
                    "generic/sysmon.yml".to_owned()
                } else {
                    format!("{config}.yml")
                };
                let text = if std::env::var("BUILTIN").is_ok() {
                    mapping::configs::text(config).unwrap().into_bytes()
                } else {
                    configs[&file].clone()
                };
                Config::read(&Source {
                    name: &file,
                    text: &text,
                })
                .unwrap()
            })
            .collect();
        let mut options = Options::default();
        if name.contains("opt_ci") {
            options.set("keyword_field", "");
            options.set("case_insensitive_whitelist", "*");
            options.set("keyword_whitelist", "winlog.channel");
        }
        if name.contains("opt_text") {
            options.set("keyword_base_fields", "*");
            options.set("analyzed_sub_field_name", ".text");
        }
        let rules = if name.contains("-old_by") { &old } else { &new };
        let text = zstd::decode_all(std::fs::File::open(&path).unwrap()).unwrap();
        let (mut total, mut equal, mut better) = (0, 0, 0);
        for line in text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            total += 1;
            let row: serde_json::Value = serde_json::from_slice(line).unwrap();
            let rule = row["rule_path"].as_str().unwrap();
            let converter = Converter::new(*target, Chain::new(chain.clone()), options.clone());
            let mut code = 0;
            let mut output = String::new();
            let mut parts = Vec::new();
            let mut message = String::new();
            for result in converter.convert(&Source {
                name: rule,
                text: &rules[rule],
            }) {
                match result.map(|converted| converted.artefact) {
                    Ok(Artefact::Text(text)) => output.push_str(&(text + "\n")),
                    Ok(Artefact::Json(more)) => parts.extend(more),
                    Err(failure) => {
                        code = failure.status.code();
                        message = failure.diagnostic.message;
                        break;
                    }
                }
            }
            if code == 0
                && let Some(text) = target.finish(parts)
            {
                output.push_str(&(text + "\n"));
            }
            let expected = row["output"].as_str().unwrap_or_default();
            let rc = row["rc"].as_u64().unwrap();
            let alike = |text: &str| text == output;
            let others = row["alt_outputs"].as_array().cloned().unwrap_or_default();
            if u64::from(code) == rc
                && (rc != 0
                    || alike(expected)
                    || others.iter().any(|other| other.as_str() == Some(&output)))
            {
                equal += 1;
            } else if rc == 1 {
                better += 1;
            } else {
                bad += 1;
                if bad < 14 {
                    let at = expected
                        .bytes()
                        .zip(output.bytes())
                        .take_while(|(a, b)| a == b)
                        .count();
                    let around = |text: &str| {
                        text.get(
                            text.floor_char_boundary(at.saturating_sub(70))
                                ..text.floor_char_boundary((at + 110).min(text.len())),
                        )
                        .unwrap_or_default()
                        .to_owned()
                    };
                    println!(
                        "{rule} rc {rc} got {code} {message}\n   E {}\n   G {}",
                        around(expected),
                        around(&output)
                    );
                }
            }
        }
        println!("{name}: {equal} + {better} / {total}");
    }
    assert_eq!(bad, 0);
}
