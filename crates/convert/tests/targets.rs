//! Every target has a golden file: what it writes for the rules in `golden/rules.yml`.
//!
//! Set `UPDATE_GOLDEN` to write the files anew.

use convert::sigmac::{Chain, Config, Converter, Options};
use convert::{Artefact, TARGETS, Target};
use sigma::Source;
use std::path::Path;

const RULES: Source<'_> = Source {
    name: "rules.yml",
    text: include_bytes!("golden/rules.yml"),
};
const CONFIG: Source<'_> = Source {
    name: "config.yml",
    text: include_bytes!("golden/config.yml"),
};

fn convert(target: &dyn Target, options: Options) -> Vec<String> {
    let chain = Chain::new(vec![Config::read(&CONFIG).unwrap()]);
    let results = Converter::new(target, chain, options).convert(&RULES);
    let shown =
        results
            .into_iter()
            .map(|result| match result.map(|converted| converted.artefact) {
                Ok(Artefact::Text(text)) => text,
                Ok(Artefact::Json(parts)) => target.finish(parts).unwrap_or_default(),
                Err(failure) => {
                    let code = failure.status.code();
                    format!("error {code}: {}", failure.diagnostic.message)
                }
            });
    shown.collect()
}

fn target(name: &str) -> &'static dyn Target {
    *TARGETS.iter().find(|it| it.name() == name).unwrap()
}

#[test]
fn every_target_has_a_golden_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for target in TARGETS {
        let mut text = String::new();
        for (at, shown) in convert(*target, Options::default()).iter().enumerate() {
            text.push_str(&format!("# rule {}\n{shown}\n", at + 1));
        }
        let file = folder.join(format!("{}.txt", target.name()));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(text, golden, "{}", file.display());
    }
}

#[test]
fn elastalert_sends_alerts_as_the_options_say() {
    let mut options = Options::default();
    options.set("alert_methods", "http_post, email");
    options.set("emails", "a@example.org,b@example.org");
    options.set("http_post_include_rule_metadata", "true");
    options.set("http_post_url", "https://example.org/hook");
    options.set("realert_time", "2h");
    let rules = convert(target("elastalert"), options);
    for part in [
        "alert:\n- email\n- post\n",
        "\nhttp_post_static_payload:\n  sigma_rule_metadata:\n    description: |\n      A tool",
        "\nemail:\n- a@example.org\n- b@example.org\n",
        "\nhttp_post_url: https://example.org/hook\n",
        "\nrealert:\n  hours: 2\n",
    ] {
        assert!(rules[0].contains(part), "{part}\n{}", rules[0]);
    }
}

#[test]
fn a_span_of_time_wants_a_number_and_a_unit() {
    for bad in ["", "m", "é", "1.5h", "soon"] {
        let mut options = Options::default();
        options.set("realert_time", bad);
        let rules = convert(target("elastalert"), options);
        assert!(rules[0].starts_with("error 42:"), "{bad}: {}", rules[0]);
    }
}

#[test]
fn a_watch_is_shown_as_the_option_says() {
    let shown = |output: &str| {
        let mut options = Options::default();
        options.set("output", output);
        options.set("es", "search.example:9200");
        convert(target("xpack-watcher"), options).remove(0)
    };
    let path = "_watcher/watch/6f1c5f8e-0f0e-4c59-9d8d-0a3ff9d8a001";
    assert!(shown("plain").starts_with(&format!("PUT {path}\n{{\n  \"metadata\"")));
    assert!(shown("json").starts_with("{\"metadata\": {\"name\""));
    assert!(shown("curl").contains(&format!(" search.example:9200/{path} <<EOF\n")));
}
