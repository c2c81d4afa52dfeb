//! `sigtag load`: events into an index of a store.

use crate::arguments::LoadCommand;
use crate::run::Run;
use crate::stores::Want;
use crate::{Exit, run, show, stores};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use store::{Store, StoreError};
use tagger::Rules;

pub(crate) fn run(command: &LoadCommand) -> Exit {
    let schema = match command.schema.as_deref().map(schema).transpose() {
        Ok(schema) => schema,
        Err(message) => {
            show::error(&message);
            return Exit::Usage;
        }
    };
    let options = &command.options;
    let rules = match command.rules.as_slice() {
        [] => Some(Arc::new(Rules::none())),
        paths => run::rules(paths, options, command.run.quiet),
    };
    let Some(rules) = rules else {
        return Exit::Usage;
    };
    let tagger = (!command.rules.is_empty()).then(|| run::tagger(options.profile, &rules));
    let inputs = input::inputs(&command.input);
    let loaded = stores::with(&command.place, &command.access, Want::Make, async |store| {
        make(store, &command.index, schema).await?;
        let run = Run::start(&command.run, inputs.size(), run::Unit::Bytes);
        let options = tagger::Options {
            tagger,
            ..run.options()
        };
        let loaded = tagger::load(&rules, inputs, &options, store, &command.index).await;
        run.end();
        loaded
    });
    match loaded {
        Ok(summary) => {
            let exit = run::exit_of(&summary, options.strict_rules);
            let show = match command.rules.is_empty() {
                true => show::loaded,
                false => show::summary,
            };
            run::tell(&command.run, &summary, exit, show)
        }
        Err(exit) => exit,
    }
}

/// Makes the index, unless it is there.
async fn make(store: &dyn Store, index: &str, schema: Option<Value>) -> Result<(), StoreError> {
    match (store.indices(index).await, schema) {
        (Err(StoreError::NoIndex(_)), schema) => {
            let mut body = schema.unwrap_or_else(|| json!({}));
            // A value that does not fit its field would cost the whole event.
            let setting = &mut body["settings"]["index.mapping.ignore_malformed"];
            if setting.is_null() {
                *setting = json!(true);
            }
            store.create(index, body).await
        }
        // A load that is completed, or goes on, names the same schema again.
        (Ok(known), Some(body))
            if !known.iter().all(|one| has(&one.mapping, &body["mappings"])) =>
        {
            Err(StoreError::Mapping {
                at: "--schema".to_owned(),
                reason: format!("`{index}` exists already, and its fields are others"),
            })
        }
        (known, _) => known.map(drop),
    }
}

/// Whether a mapping has all that another one says.
fn has(known: &Value, wanted: &Value) -> bool {
    match (known, wanted) {
        (_, Value::Null) => true,
        (Value::Object(known), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            let known = known.get(key);
            known.is_some_and(|known| has(known, wanted))
        }),
        (known, wanted) => known == wanted,
    }
}

/// The body of the request to create an index that a file stands for.
fn schema(file: &Path) -> Result<Value, String> {
    let text = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let read: Result<Value, _> = serde_json::from_slice(&text);
    let mut read = read.map_err(|error| format!("{}: {error}", file.display()))?;
    if read["template"].is_object() {
        read = read["template"].take();
    }
    let parts = ["mappings", "settings", "aliases"];
    let is_body = |read: &Value| parts.iter().any(|part| read.get(part).is_some());
    match &mut read {
        read if is_body(read) => {
            let parts = parts.iter().filter_map(|part| {
                let part_of = read.get(*part)?.clone();
                Some(((*part).to_owned(), part_of))
            });
            Ok(Value::Object(parts.collect()))
        }
        read if read.is_object() => Ok(json!({"mappings": read.take()})),
        _ => Err(format!("{}: expected an object", file.display())),
    }
}
