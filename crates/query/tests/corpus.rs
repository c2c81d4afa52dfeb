//! Real queries and real rules: the queries that other converters made of SigmaHQ's rules are read, and these rules are
//! written and read again.

use jiff::Timestamp;
use mapping::Mapping;
use predicate::Predicate;
use query::{LuceneOptions, Problem, ReadError, Schema, dsl, lucene, read, read_lucene};
use serde_json::Value;
use sigma::{Document, Source};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

fn now() -> Timestamp {
    "2024-05-06T07:08:09Z".parse().unwrap()
}

/// The results that went well in a file of golden data.
fn outputs(file: &Path) -> Vec<Value> {
    let lines = BufReader::new(zstd::Decoder::new(File::open(file).unwrap()).unwrap()).lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    lines
        .filter(|line| line["ok"] == true || line["error"].is_null())
        .collect()
}

/// How many queries there were, and how many could not be read, since
#[derive(Debug, Default, PartialEq)]
struct Count {
    all: usize,
    /// a regular expression is none of Lucene's, or has an operator that has no counterpart,
    regex: usize,
    /// it is no query at all,
    syntax: usize,
    /// or it asks fields by a part of their names, where no field is known by name.
    names: usize,
}

impl Count {
    fn add(&mut self, read: Result<Predicate, ReadError>) {
        self.all += 1;
        match read.map_err(|error| error.problem) {
            Ok(_) => {}
            Err(Problem::Regex { .. }) => self.regex += 1,
            Err(Problem::Expected { .. }) => self.syntax += 1,
            Err(Problem::Names(_)) => self.names += 1,
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn queries_of_other_converters_are_read() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let files = |names: [&str; 2]| {
        names
            .map(|name| outputs(&shared.join(format!("golden/{name}.jsonl.zst"))))
            .concat()
    };
    let in_json = files(["es-dsl-winlogbeat-new", "es-dsl-winlogbeat-old_by0231"]);
    let in_lucene = files(["es-qs-winlogbeat-new", "pysigma-lucene-ecs_windows"]);
    for (schema, names) in [(Schema::dynamic(), 0), (Schema::keywords(), 32)] {
        let mut count = Count::default();
        for output in in_json.iter().filter_map(|line| line["output"].as_str()) {
            let output: Value = serde_json::from_str(output).unwrap();
            match output.as_array() {
                Some(several) => several
                    .iter()
                    .for_each(|one| count.add(read(&one["query"], &schema, now()))),
                None => count.add(read(&output["query"], &schema, now())),
            }
        }
        let expected = Count {
            all: 2_135,
            regex: 11,
            // Fields without a name, which servers refuse, too.
            syntax: 9,
            ..Count::default()
        };
        assert_eq!(count, expected);

        let mut count = Count::default();
        let options = LuceneOptions::new(now());
        for line in &in_lucene {
            let output = &line["output"];
            let several = output
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            for text in output.as_str().into_iter().chain(several) {
                count.add(read_lucene(text.trim_end(), &schema, &options));
            }
        }
        let expected = Count {
            all: 3_793,
            regex: 22,
            syntax: 15,
            names,
        };
        assert_eq!(count, expected);
    }
}

#[test]
fn rules_are_written_and_read_again() {
    let Some(shared) = testkit::shared() else {
        return;
    };
    let archive =
        zstd::Decoder::new(File::open(shared.join("corpus/sigmahq-2026-08.tar.zst")).unwrap())
            .unwrap();
    let mapping = Mapping::builtin();
    let mut written = 0;
    for file in tar::Archive::new(archive).entries().unwrap() {
        let mut file = file.unwrap();
        let name = file.path().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".yml") {
            continue;
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        for document in sigma::parse(&Source {
            name: &name,
            text: &text,
        })
        .documents
        {
            let Document::Rule(rule) = document else {
                continue;
            };
            let Ok(mapped) = mapping.map(&rule) else {
                continue;
            };
            let predicate = mapped.predicate();
            let schemas = [Schema::keywords(), Schema::dynamic()];
            let schema = &schemas[written % 2];
            let in_json = dsl(&predicate, schema).query;
            if let Err(error) = read(&in_json, schema, now()) {
                panic!("{name}: {error}");
            }
            let in_lucene = lucene(&predicate, schema).query;
            // To compile the many expressions of such a query takes its time.
            if written % 32 < 2
                && let Err(error) = read_lucene(&in_lucene, schema, &LuceneOptions::new(now()))
            {
                panic!("{name}: {error}");
            }
            written += 1;
        }
    }
    assert!(written > 3_000, "{written}");
}
