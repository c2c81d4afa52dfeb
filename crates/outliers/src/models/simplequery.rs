//! Every event that the query finds is an outlier.

use super::{Batch, Candidate, Detect, Group, Model, Note, Prepared};
use crate::config::Config;
use crate::fields::Fields;
use crate::use_case::Keys;
use crate::{Mode, Problem};
use serde_json::{Value as Json, json};

pub(super) const MODEL: Model = Model {
    name: "simplequery",
    keys: &["process_documents_chronologically", "highlight_match"],
    read,
};

struct SimpleQuery {
    highlights: bool,
}

fn read(keys: &Keys<'_>, config: &Config) -> Result<Box<dyn Detect>, Problem> {
    keys.bool("process_documents_chronologically")?;
    let highlights = keys.bool("highlight_match")?;
    let highlights = highlights.unwrap_or(config.highlights);
    Ok(Box::new(SimpleQuery { highlights }))
}

impl Detect for SimpleQuery {
    fn batch(&self) -> Batch {
        Batch::None
    }

    fn is_chronological(&self) -> bool {
        false
    }

    fn highlights(&self) -> bool {
        self.highlights
    }

    fn decides_again(&self) -> bool {
        false
    }

    /// Events that have the outlier already are left out. Where an event has outliers of several models, the index does not
    /// tell whose name is whose: ee-outliers leaves them out, too; otherwise they are read, and the event itself decides.
    fn prepare(&mut self, run: &Prepared<'_>) -> Result<Vec<Json>, String> {
        let exact = |field: &str| exact(field, run.mappings);
        let model_type = exact("outliers.model_type");
        let is_it = json!([
            {"term": {exact("outliers.model_name"): {"value": run.name}}},
            {"term": {&*model_type: {"value": MODEL.name}}},
        ]);
        let mut tagged = json!({"bool": {"filter": is_it}});
        if run.mode == Mode::Strict {
            let others: Vec<&str> = OTHERS.to_vec();
            tagged["bool"]["must_not"] = json!([{"terms": {&*model_type: others}}]);
        }
        Ok(vec![json!({"bool": {"must_not": [tagged]}})])
    }

    fn look(&self, _: &Fields<'_>) -> Vec<Note> {
        vec![Note::default()]
    }

    fn decide(&self, groups: &[Group]) -> Vec<Candidate> {
        let all = groups.iter().enumerate().flat_map(|(group, notes)| {
            (0..notes.notes.len()).map(move |note| Candidate {
                group,
                note,
                tells: Vec::new(),
            })
        });
        all.collect()
    }
}

/// The types of the models that are not this one.
const OTHERS: [&str; 4] = ["metrics", "terms", "sudden_appearance", "word2vec"];

/// The name by which whole values of a field are asked for: its own if it is a keyword in all indices that have it.
fn exact(field: &str, mappings: &[Json]) -> String {
    let kinds = mappings.iter().filter_map(|mapping| {
        let names = field.split('.');
        let found = names.fold(mapping, |at, name| &at["properties"][name]);
        found["type"].as_str()
    });
    let kinds: Vec<&str> = kinds.collect();
    match !kinds.is_empty() && kinds.iter().all(|kind| *kind == "keyword") {
        true => field.to_owned(),
        false => format!("{field}.keyword"),
    }
}
