//! Real events, for whoever has them.

use crate::pair::Document;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The lines of a compressed file.
pub fn lines(file: &Path) -> Vec<String> {
    let file = File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines = BufReader::new(zstd::Decoder::new(file).unwrap()).lines();
    lines.map(Result::unwrap).collect()
}

/// A sample, with what the same shape has of the regression events behind it.
pub fn events(shared: &Path, shape: &str) -> Vec<Document> {
    let sample = lines(&shared.join(format!("corpus/sample-{shape}.jsonl.zst")));
    let regression = lines(&shared.join(format!("corpus/regression-{shape}-open.jsonl.zst")));
    let documents = regression.iter().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["doc"].to_string()
    });
    sample
        .into_iter()
        .chain(documents)
        .enumerate()
        .map(|(number, text)| (format!("e{number}"), text))
        .collect()
}

/// An index as the templates of Beats make it: keywords, and text only where the message is.
pub fn keywords() -> Value {
    json!({
        "settings": {"index.mapping.total_fields.limit": 10_000},
        "mappings": {
            "dynamic_templates": [
                {"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}}
            ],
            "date_detection": false,
            "properties": {
                "@timestamp": {"type": "date"},
                "message": {"type": "text"}
            }
        }
    })
}

/// An index without a mapping, for as many fields as come.
pub fn dynamic() -> Value {
    json!({"settings": {"index.mapping.total_fields.limit": 10_000}})
}
