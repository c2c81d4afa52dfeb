//! What is corrected when rules are converted by their meaning: each correction with a rule that sigmac gets wrong.

use convert::sigmac::{Chain, Config, Options};
use convert::strict::Names;
use convert::{Artefact, Converted, TARGETS, sigmac, strict};
use event::Event;
use query::{LuceneOptions, Schema};
use serde_json::Value;
use sigma::{Document, Source};

/// A correction: its name in `docs/sigmac.md`, a rule, events that it must hit, and events that it must not.
struct Correction {
    name: &'static str,
    detection: &'static str,
    hits: &'static [&'static str],
    misses: &'static [&'static str],
}

const CORRECTIONS: &[Correction] = &[
    Correction {
        name: "regular expressions",
        detection: r"{s: {CommandLine|re: '^a\d+b$'}, condition: s}",
        hits: &[r#"{"CommandLine": "a12b"}"#],
        misses: &[r#"{"CommandLine": "adb"}"#, r#"{"CommandLine": "xa12b"}"#],
    },
    Correction {
        name: "escapes",
        detection: r"{s: {CommandLine|contains: 'a\*b'}, condition: s}",
        hits: &[r#"{"CommandLine": "a*b"}"#],
        misses: &[r#"{"CommandLine": "axb"}"#],
    },
    Correction {
        name: "backslashes",
        detection: r"{s: {CommandLine|contains: 'C:\\Temp'}, condition: s}",
        hits: &[r#"{"CommandLine": "dir C:\\Temp"}"#],
        misses: &[r#"{"CommandLine": "dir C:Temp"}"#],
    },
    Correction {
        name: "phrases",
        detection: "{s: {CommandLine: 'net user'}, condition: s}",
        hits: &[r#"{"CommandLine": "net user"}"#],
        misses: &[
            r#"{"CommandLine": "net user /add"}"#,
            r#"{"CommandLine": "net-user"}"#,
        ],
    },
    Correction {
        name: "case",
        detection: r"{s: {Image|endswith: \cmd.exe}, condition: s}",
        hits: &[r#"{"Image": "C:\\Windows\\CMD.EXE"}"#],
        misses: &[r#"{"Image": "C:\\Windows\\xcmd.exe"}"#],
    },
    Correction {
        name: "log source",
        detection: "{s: {User|contains: x}, condition: s}",
        hits: &[r#"{"User": "x"}"#],
        misses: &[r#"{"Channel": "System", "User": "x"}"#],
    },
    Correction {
        name: "list of conditions",
        detection: "{a: {User|contains: x}, b: {Image|contains: y}, condition: [a, b]}",
        hits: &[r#"{"User": "x"}"#, r#"{"Image": "y"}"#],
        misses: &[r#"{"User": "y"}"#],
    },
    Correction {
        name: "keywords joined with `all`",
        detection: "{k: {'|all': [ab, cd]}, condition: k}",
        hits: &[r#"{"User": "cd ab"}"#, r#"{"User": "ab", "Image": "cd"}"#],
        misses: &[r#"{"User": "ab"}"#],
    },
    Correction {
        name: "keywords with wildcards",
        detection: "{k: ['a*d'], condition: k}",
        hits: &[r#"{"User": "abcd"}"#],
        misses: &[r#"{"User": "dcba"}"#],
    },
    Correction {
        name: "time frames",
        detection: "{s: {User|contains: x}, timeframe: 10m, condition: s}",
        hits: &[r#"{"User": "x"}"#],
        misses: &[r#"{"User": "y"}"#],
    },
    Correction {
        name: "null in a list",
        detection: "{s: {User: [null, x]}, condition: s}",
        hits: &[r#"{"Image": "y"}"#, r#"{"User": "x"}"#],
        misses: &[r#"{"User": "None"}"#],
    },
    Correction {
        name: "`cidr`",
        detection: "{s: {IpAddress|cidr: 10.1.0.0/16}, condition: s}",
        hits: &[r#"{"IpAddress": "10.1.2.3"}"#],
        misses: &[r#"{"IpAddress": "10.2.2.3"}"#],
    },
    Correction {
        name: "`re\\|i`",
        detection: "{s: {User|re|i: 'ab+c'}, condition: s}",
        hits: &[r#"{"User": "xABBCx"}"#],
        misses: &[r#"{"User": "ac"}"#],
    },
    Correction {
        name: "lists of expressions",
        detection: "{s: {User|re: ['ab+c', 'xy+z']}, condition: s}",
        hits: &[r#"{"User": "xyyz"}"#],
        misses: &[r#"{"User": "xz"}"#],
    },
    Correction {
        name: "booleans",
        detection: "{s: {Initiated: true}, condition: s}",
        hits: &[r#"{"Initiated": "true"}"#],
        misses: &[r#"{"Initiated": "false"}"#],
    },
    Correction {
        name: "words in conditions",
        detection: "{order_sel: {User|contains: x}, condition: order_sel}",
        hits: &[r#"{"User": "x"}"#],
        misses: &[r#"{"User": "y"}"#],
    },
    Correction {
        name: "quantifiers",
        detection: "{a: {User|contains: x}, b: {Image|contains: y}, condition: any of them}",
        hits: &[r#"{"User": "x"}"#],
        misses: &[r#"{"User": "y"}"#],
    },
];

/// The others, each with a proof of its own.
const OTHERS: &[(&str, fn())] = &[
    ("sub-fields", || {
        let rule = rule("{s: {User|contains: x}, condition: s}");
        let written = |schema| text(&convert_strictly("es-dsl", &rule, &[], schema));
        assert!(written(Schema::keywords()).contains(r#""User": {"#));
        assert!(written(Schema::dynamic()).contains(r#""User.keyword": {"#));
    }),
    ("lists under `windash`", || {
        // es-dsl has them, es-qs has not.
        let rule = rule("{s: {CommandLine|contains|windash: [' -a', ' -b']}, condition: s}");
        assert!(convert_compat("es-qs", &rule).is_err());
        let written = convert_strictly("es-qs", &rule, &[], Schema::dynamic());
        let predicate = lucene(&text(&written), &Schema::dynamic());
        assert!(
            holds(&predicate, r#"{"CommandLine": "x /b"}"#)
                && !holds(&predicate, r#"{"CommandLine": "xb"}"#)
        );
    }),
    ("`expand`", || {
        let pipeline =
            "transformations: [{id: p, type: value_placeholders}]\nvars: {admins: [ann, bob]}\n";
        let rule = rule("{s: {User|expand: '%admins%'}, condition: s}");
        assert!(convert_compat("es-dsl", &rule).is_err());
        let written = convert_strictly("es-dsl", &rule, &[pipeline], Schema::dynamic());
        let predicate = dsl(&written, &Schema::dynamic());
        assert!(
            holds(&predicate, r#"{"User": "Bob"}"#) && !holds(&predicate, r#"{"User": "eve"}"#)
        );
    }),
    ("`fieldref`", || {
        // A query cannot compare two fields: it finds more, and that is told.
        let rule = rule("{s: {User|fieldref: ParentUser}, condition: s}");
        assert!(convert_compat("es-dsl", &rule).is_err());
        let written = convert_strictly("es-dsl", &rule, &[], Schema::dynamic());
        assert!(holds(
            &dsl(&written, &Schema::dynamic()),
            r#"{"User": "a", "ParentUser": "A"}"#
        ));
        assert!(
            written
                .notes
                .iter()
                .any(|note| note.reason == query::Reason::Reference)
        );
    }),
    ("aggregations", || {
        // sigmac leaves out what ee-outliers does not read anyway: every single event is a hit.
        let rule = rule("{s: {User|contains: x}, condition: s | count() > 5}");
        assert!(convert_compat("ee-outliers", &rule).is_ok());
        let source = Source {
            name: "rule.yml",
            text: rule.as_bytes(),
        };
        let parsed = sigma::parse(&source);
        assert!(parsed.documents.is_empty() && parsed.set_aside[0].reason.message.contains('|'));
    }),
    ("titles", || {
        let rule = rule("{s: {User|contains: x}, condition: s}")
            .replace("title: t", "title: 'Copy, {user} and go'");
        let compat = text(&convert_compat("ee-outliers", &rule).unwrap());
        assert!(compat.contains("outlier_reason = Sigma hit - Copy, {user} and go\n"));
        let strict = text(&convert_strictly(
            "ee-outliers",
            &rule,
            &[],
            Schema::keywords(),
        ));
        assert!(strict.contains("outlier_reason = Sigma hit - Copy; (user) and go\n"));
    }),
    ("authors", || {
        let rule = format!(
            "{}author: Ann, Bob\n",
            rule("{s: {User|contains: x}, condition: s}")
        );
        assert!(!text(&convert_compat("ee-outliers", &rule).unwrap()).contains("Ann"));
        let strict = text(&convert_strictly(
            "ee-outliers",
            &rule,
            &[],
            Schema::keywords(),
        ));
        assert!(strict.contains("\nrule_author = Ann; Bob\n"));
    }),
];

fn rule(detection: &str) -> String {
    format!(
        "title: t\nlogsource: {{product: windows, service: security}}\ndetection: {detection}\n"
    )
}

fn target(name: &str) -> &'static dyn convert::Target {
    *TARGETS.iter().find(|target| target.name() == name).unwrap()
}

fn convert_strictly(name: &str, rule: &str, mappings: &[&str], schema: Schema) -> Converted {
    let sources: Vec<Source> = mappings
        .iter()
        .map(|text| Source {
            name: "mapping.yml",
            text: text.as_bytes(),
        })
        .collect();
    let names = Names::read(&sources).unwrap();
    let source = Source {
        name: "rule.yml",
        text: rule.as_bytes(),
    };
    let parsed = sigma::parse_with(&source, &names.placeholders());
    let Some(Document::Rule(rule)) = parsed.documents.first() else {
        panic!("{:?}", parsed.diagnostics)
    };
    let converter = strict::Converter::new(target(name), names, schema, Options::default());
    converter.convert(rule).unwrap().unwrap()
}

fn convert_compat(name: &str, rule: &str) -> Result<Converted, sigmac::Failure> {
    let config = Config::read(&Source {
        name: "config.yml",
        text: b"defaultindex: x",
    })
    .unwrap();
    let converter =
        sigmac::Converter::new(target(name), Chain::new(vec![config]), Options::default());
    converter
        .convert(&Source {
            name: "rule.yml",
            text: rule.as_bytes(),
        })
        .remove(0)
}

fn text(converted: &Converted) -> String {
    match &converted.artefact {
        Artefact::Text(text) => text.clone(),
        Artefact::Json(parts) => target("es-dsl").finish(parts.clone()).unwrap(),
    }
}

fn dsl(converted: &Converted, schema: &Schema) -> predicate::Predicate {
    let Artefact::Json(parts) = &converted.artefact else {
        panic!("no JSON")
    };
    read(&parts[0], schema).unwrap()
}

fn read(request: &Value, schema: &Schema) -> Result<predicate::Predicate, query::ReadError> {
    query::read(&request["query"], schema, jiff::Timestamp::UNIX_EPOCH)
}

fn lucene(text: &str, schema: &Schema) -> predicate::Predicate {
    query::read_lucene(
        text,
        schema,
        &LuceneOptions::new(jiff::Timestamp::UNIX_EPOCH),
    )
    .unwrap()
}

/// Whether a predicate holds for an event of the log Security, unless it says of another one.
fn holds(predicate: &predicate::Predicate, event: &str) -> bool {
    let mut event: Value = serde_json::from_str(event).unwrap();
    let channel = event.get("Channel").cloned().unwrap_or("Security".into());
    event["Channel"] = channel;
    predicate.matches(&Event::parse(event.to_string().as_bytes()).unwrap())
}

#[test]
fn each_correction_is_right_where_sigmac_is_wrong() {
    let schema = Schema::dynamic();
    for Correction {
        name,
        detection,
        hits,
        misses,
    } in CORRECTIONS
    {
        println!("{name}");
        let rule = rule(detection);
        let right = |predicate: &predicate::Predicate| {
            hits.iter().all(|event| holds(predicate, event))
                && !misses.iter().any(|event| holds(predicate, event))
        };
        assert!(
            right(&dsl(
                &convert_strictly("es-dsl", &rule, &[], Schema::dynamic()),
                &schema
            )),
            "{name}: es-dsl"
        );
        let text = text(&convert_strictly("es-qs", &rule, &[], Schema::dynamic()));
        assert!(right(&lucene(&text, &schema)), "{name}: es-qs: {text}");
        // sigmac refuses the rule, or splits it, or its query is wrong, or the server would refuse it.
        if let Ok(Converted {
            artefact: Artefact::Json(parts),
            ..
        }) = convert_compat("es-dsl", &rule)
            && let [request] = parts.as_slice()
            && let Ok(predicate) = read(request, &schema)
        {
            assert!(
                !right(&predicate),
                "{name}: sigmac is right, too: {request}"
            );
        }
    }
}

#[test]
fn the_other_corrections_are_proved() {
    for (name, proof) in OTHERS {
        println!("{name}");
        proof();
    }
}

#[test]
fn the_guide_lists_every_correction() {
    let guide = std::fs::read_to_string(testkit::workspace_root().join("docs/sigmac.md")).unwrap();
    let (_, section) = guide.split_once("\n## What `--strict` corrects\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| **")?.split_once("**"));
    let listed: Vec<&str> = rows.map(|(name, _)| name).collect();
    let names = CORRECTIONS
        .iter()
        .map(|it| it.name)
        .chain(OTHERS.iter().map(|(name, _)| *name));
    assert_eq!(listed, names.collect::<Vec<_>>());
}
