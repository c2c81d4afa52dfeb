//! `sigtag search`: hits as a table or as lines, and aggregations.

use crate::arguments::{Rows, SearchCommand};
use crate::stores::Want;
use crate::{Exit, show, stores};
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use store::{MAX_HITS, MAX_PAGE, Scan, Store, StoreError};

/// A column of the table: its head, and the fields of which the first that an event has is shown.
type Column = (String, Vec<String>);

/// What the table shows if nothing else is asked for.
const COLUMNS: [(&str, &[&str]); 4] = [
    (
        "Time",
        &[
            "@timestamp",
            "SystemTime",
            "UtcTime",
            "Event.System.TimeCreated.#attributes.SystemTime",
            "eventTime",
        ],
    ),
    (
        "Host",
        &[
            "winlog.computer_name",
            "Computer",
            "Event.System.Computer",
            "host.name",
        ],
    ),
    ("Level", &["sigma.level"]),
    ("Rules", &["sigma.rule.name", "outliers.summary"]),
];

pub(crate) fn run(command: &SearchCommand) -> Exit {
    let query = command.query.as_deref().map(query).transpose();
    let aggs = command.aggs.as_deref().map(|text| json("--aggs", text));
    let (query, aggs) = match (query, aggs.transpose()) {
        (Ok(query), Ok(aggs)) => (query, aggs),
        (Err(message), _) | (_, Err(message)) => {
            show::error(&message);
            return Exit::Usage;
        }
    };
    let is_plain = command.sort.is_empty() && (command.fields.is_empty() || !is_jsonl(command));
    if command.size > MAX_HITS && !is_plain {
        show::error(&format!(
            "more than {} hits can be had only without --sort, and of jsonl without --fields",
            show::number(MAX_HITS as u64)
        ));
        return Exit::Usage;
    }
    let searched = stores::with(
        &command.store.place,
        &command.store.access,
        Want::Read,
        async |store| match aggs {
            Some(aggs) => aggregate(command, store, query, aggs).await,
            None if command.size > MAX_HITS => export(command, store, query).await,
            None => search(command, store, query).await,
        },
    );
    searched.unwrap_or_else(|exit| exit)
}

fn is_jsonl(command: &SearchCommand) -> bool {
    command.format == Rows::Jsonl
}

/// What is written where a query is expected.
fn query(text: &str) -> Result<Value, String> {
    match text.trim_start().starts_with('{') {
        true => json("the query", text),
        false => Ok(json!({"query_string": {"query": text}})),
    }
}

fn json(what: &str, text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{what} is no JSON: {error}"))
}

async fn aggregate(
    command: &SearchCommand,
    store: &dyn Store,
    query: Option<Value>,
    aggs: Value,
) -> Result<Exit, StoreError> {
    let request = request(query, [("size", json!(0)), ("aggs", aggs)]);
    let found = store.search(&command.index, &request).await?;
    let text = format!("{:#}\n", found.aggregations.unwrap_or_default());
    Ok(show::output(text.as_bytes(), Exit::Done))
}

async fn search(
    command: &SearchCommand,
    store: &dyn Store,
    query: Option<Value>,
) -> Result<Exit, StoreError> {
    let sort = command
        .sort
        .iter()
        .map(|field| match field.strip_suffix(":desc") {
            Some(field) => json!({field: "desc"}),
            None => json!({field.strip_suffix(":asc").unwrap_or(field): "asc"}),
        });
    let source = match command.format {
        Rows::Jsonl if !command.fields.is_empty() => json!(command.fields),
        _ => json!(true),
    };
    let members = [
        ("size", json!(command.size)),
        ("sort", sort.collect()),
        ("_source", source),
        ("track_total_hits", json!(true)),
    ];
    let found = store
        .search(&command.index, &request(query, members))
        .await?;
    let hits = found.hits.hits.iter().map(|hit| Hit {
        index: &hit.index,
        id: &hit.id,
        source: hit.source.as_ref().map_or("{}", |source| source.get()),
    });
    let exit = show::output(&print(command, hits), Exit::Done);
    if !is_jsonl(command) {
        let total = found.hits.total.map_or(0, |total| total.value);
        show::found(found.hits.hits.len() as u64, total);
    }
    Ok(exit)
}

/// Prints more hits than a search gives.
async fn export(
    command: &SearchCommand,
    store: &dyn Store,
    query: Option<Value>,
) -> Result<Exit, StoreError> {
    let mut scan = Scan {
        query,
        ..Scan::all(&command.index)
    };
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let mut left = command.size;
    while left > 0 {
        scan.size = left.min(MAX_PAGE / 5);
        let page = store.scan(&scan).await?;
        left -= page.documents.len();
        let hits = page.documents.iter().map(|document| Hit {
            index: &document.index,
            id: &document.id,
            source: &document.source,
        });
        if let Err(cause) = out.write_all(&print(command, hits)) {
            return Ok(show::not_written(None, &cause));
        }
        match page.next {
            Some(next) => scan.after = Some(next),
            None => break,
        }
    }
    Ok(match out.flush() {
        Ok(()) => Exit::Done,
        Err(cause) => show::not_written(None, &cause),
    })
}

fn request<const N: usize>(query: Option<Value>, members: [(&str, Value); N]) -> Value {
    let members = members
        .into_iter()
        .chain(query.map(|query| ("query", query)));
    let members = members.map(|(name, value)| (name.to_owned(), value));
    Value::Object(members.collect::<Map<_, _>>())
}

/// A hit.
struct Hit<'h> {
    index: &'h str,
    id: &'h str,
    source: &'h str,
}

impl Hit<'_> {
    /// A line of JSON.
    fn line(&self) -> Vec<u8> {
        let name = |name: &str| json!(name).to_string();
        let (index, id) = (name(self.index), name(self.id));
        // Between values there may be line breaks; in strings they are escaped.
        let source = self.source.replace(['\n', '\r'], " ");
        format!("{{\"_index\":{index},\"_id\":{id},\"_source\":{source}}}\n").into_bytes()
    }

    /// What stands in the first of these fields that the event has.
    fn values(&self, fields: &[String]) -> Vec<String> {
        let Ok(event) = serde_json::from_str::<Value>(self.source) else {
            return Vec::new();
        };
        let found = fields.iter().map(|field| {
            let mut found = Vec::new();
            collect(&event, field, &mut found);
            found
        });
        let found = found.into_iter().find(|values| !values.is_empty());
        found.unwrap_or_default()
    }
}

/// The values at a path, whether its keys are nested or dotted.
fn collect(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| collect(element, path, found)),
        Value::Object(members) if !path.is_empty() => {
            for (key, value) in members {
                match path.strip_prefix(key.as_str()) {
                    Some("") => collect(value, "", found),
                    Some(rest) if rest.starts_with('.') => collect(value, &rest[1..], found),
                    _ => {}
                }
            }
        }
        Value::Null => {}
        Value::String(text) if path.is_empty() => found.push(text.clone()),
        value if path.is_empty() => found.push(value.to_string()),
        _ => {}
    }
}

/// The hits in the format that was asked for.
fn print<'h>(command: &SearchCommand, hits: impl ExactSizeIterator<Item = Hit<'h>>) -> Vec<u8> {
    match command.format {
        Rows::Jsonl => hits.flat_map(|hit| hit.line()).collect(),
        Rows::Table if hits.len() == 0 => Vec::new(),
        Rows::Table => table(&command.fields, hits),
    }
}

fn table<'h>(fields: &[String], hits: impl Iterator<Item = Hit<'h>>) -> Vec<u8> {
    let columns: Vec<Column> = match fields {
        [] => COLUMNS
            .iter()
            .map(|(head, fields)| ((*head).to_owned(), owned(fields)))
            .collect(),
        fields => fields
            .iter()
            .map(|field| (field.clone(), vec![field.clone()]))
            .collect(),
    };
    let heads = columns.iter().map(|(head, _)| head.as_str());
    let rows = hits.map(|hit| {
        let cells = columns.iter();
        let cells = cells.map(|(_, fields)| hit.values(fields).join("\n"));
        cells.collect()
    });
    (show::hits(heads, rows) + "\n").into_bytes()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
