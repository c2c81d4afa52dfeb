//! The mapping of an index: which fields it has, of which type, and what it makes of a value.
//!
//! New fields are made as Elasticsearch makes them. What a field is, it stays, and a document that does not fit is
//! rejected, unless the index was made with `index.mapping.ignore_malformed`; then such values are only not found by
//! their field's type.

mod dynamic;
mod value;

pub(crate) use value::{Cell, LONGEST_CELL, number};

use crate::{Rejected, StoreError};
use dynamic::{Dynamic, Template};
use event::{Event, Value as Scalar};
use query::{Schema, Type};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

use super::document::Leaves;

/// The most fields that an index has, unless its settings say otherwise.
const MOST_FIELDS: usize = 10_000;

/// How deep objects may lie in one another, as in Elasticsearch.
const DEEPEST: usize = 20;

/// The longest name of a field, in bytes, with those of the objects around it.
const LONGEST_NAME: usize = 4_096;

/// Names at the top of a document that belong to the store.
const METADATA: [&str; 8] = [
    "_id",
    "_index",
    "_source",
    "_seq_no",
    "_version",
    "_primary_term",
    "_routing",
    "_ignored",
];

/// The fields of an index.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    /// As Elasticsearch shows it.
    json: Value,
    settings: Value,
    /// The fields that have values of their own, by name.
    fields: HashMap<String, Column>,
    /// The names by which values can be asked for: fields, multi-fields, aliases.
    names: BTreeMap<String, Named>,
    objects: HashMap<String, Object>,
    templates: Vec<Template>,
    detects_dates: bool,
    is_lenient: bool,
    limit: usize,
    next_number: u32,
}

/// Where an index has the values of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Column {
    /// What it is called in the index.
    pub(crate) number: u32,
    pub(crate) kind: Kind,
}

/// What a field makes of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Texts, keywords and the like.
    String,
    /// Addresses.
    Ip,
    /// Whole numbers in this range.
    Integer(i64, i64),
    /// Numbers; of single precision if so.
    Float {
        is_single: bool,
    },
    /// Points in time, in milliseconds.
    Date,
    Boolean,
    /// Not in the index.
    Opaque,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// The field that has the values.
    pub(crate) field: String,
    /// The type, under this name.
    pub(crate) kind: Type,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Object {
    dynamic: Dynamic,
    is_enabled: bool,
}

/// A mapping as it is kept beside the index.
#[derive(Serialize, Deserialize)]
struct Kept {
    mapping: Value,
    settings: Value,
    numbers: BTreeMap<String, u32>,
    next_number: u32,
}

/// What an index makes of a document.
pub(crate) struct Row {
    /// The values, each with the number of its field.
    pub(crate) cells: Vec<(u32, Cell)>,
    /// The fields of which it has values that the index does not hold as they are.
    pub(crate) ignored: Vec<u32>,
}

impl Mapping {
    /// Reads the `mappings` and `settings` of a request that makes an index.
    pub(crate) fn new(mappings: &Value, settings: &Value) -> Result<Mapping, StoreError> {
        let settings = settings::read(settings)?;
        let mut json = match mappings {
            Value::Null => json!({}),
            Value::Object(_) => mappings.clone(),
            _ => return Err(error("$.mappings", "expected an object")),
        };
        if json.get("properties").is_none() {
            json["properties"] = json!({});
        }
        let mut mapping = Mapping {
            json: Value::Null,
            fields: HashMap::new(),
            names: BTreeMap::new(),
            objects: HashMap::new(),
            templates: Vec::new(),
            detects_dates: true,
            is_lenient: settings.is_lenient,
            limit: settings.limit.unwrap_or(MOST_FIELDS),
            next_number: 0,
            settings: settings.json,
        };
        mapping.root(&json)?;
        mapping.json = json;
        mapping.schema(false)?;
        Ok(mapping)
    }

    /// Reads what [`Mapping::kept`] has written.
    pub(crate) fn restore(text: &str) -> Result<Mapping, String> {
        let kept: Kept = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut mapping =
            Mapping::new(&kept.mapping, &kept.settings).map_err(|error| error.to_string())?;
        for (name, column) in &mut mapping.fields {
            let number = kept.numbers.get(name);
            column.number = *number.ok_or_else(|| format!("the field `{name}` has no number"))?;
        }
        mapping.next_number = kept.next_number;
        Ok(mapping)
    }

    /// This mapping with further fields; those that are there have to be the same.
    pub(crate) fn with(&self, added: &Value) -> Result<Mapping, StoreError> {
        let members = added.as_object().filter(|members| members.len() == 1);
        let properties = members.and_then(|members| members.get("properties"));
        let properties =
            properties.ok_or_else(|| error("$", "expected `properties` and nothing else"))?;
        let mut json = self.json.clone();
        merge(&mut json["properties"], properties, "$.properties", 0)?;
        let mut mapping = Mapping::new(&json, &self.settings)?;
        let mut next = self.next_number;
        for (name, column) in &mut mapping.fields {
            column.number = match self.fields.get(name) {
                Some(known) => known.number,
                None => {
                    next += 1;
                    next - 1
                }
            };
        }
        mapping.next_number = next;
        Ok(mapping)
    }

    /// The mapping as text, for [`Mapping::restore`].
    pub(crate) fn kept(&self) -> String {
        let numbers = self.fields.iter();
        let kept = Kept {
            mapping: self.json.clone(),
            settings: self.settings.clone(),
            numbers: numbers
                .map(|(name, column)| (name.clone(), column.number))
                .collect(),
            next_number: self.next_number,
        };
        // Names and JSON values can always be written.
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// The mapping as Elasticsearch shows it.
    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    /// The fields with values of their own.
    pub(crate) fn fields(&self) -> &HashMap<String, Column> {
        &self.fields
    }

    /// What `name` stands for.
    pub(crate) fn named(&self, name: &str) -> Option<&Named> {
        self.names.get(name)
    }

    /// What queries read it as; `with_metadata`: as if `_id` and `_index` were keywords of the documents.
    pub(crate) fn schema(&self, with_metadata: bool) -> Result<Schema, StoreError> {
        let mut mapping = self.json.clone();
        if with_metadata {
            for name in ["_id", "_index"] {
                mapping["properties"][name] = json!({"type": "keyword"});
            }
        }
        let json = json!({"mappings": mapping, "settings": self.settings});
        let schema = Schema::from_json(&json).map_err(|error| StoreError::Mapping {
            at: "$.mappings".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(schema.as_it_stands())
    }

    /// What the index makes of a document, for which fields are made that are not there yet.
    pub(crate) fn row(&mut self, event: Event<'_>) -> Result<Row, Rejected> {
        let mut added = Vec::new();
        let row = self.fill(event, &mut added);
        match &row {
            Ok(_) => added.iter().for_each(|field| self.show(field)),
            Err(_) => added.iter().for_each(|field| self.take_back(field)),
        }
        row
    }

    fn fill(&mut self, event: Event<'_>, added: &mut Vec<Added>) -> Result<Row, Rejected> {
        for member in event.members() {
            if METADATA.contains(&&*member.key) {
                let reason = "belongs to the store, and cannot be a field of a document";
                return Err(rejected(&member.key, reason));
            }
        }
        let leaves = Leaves::of(event);
        let mut row = Row {
            cells: Vec::new(),
            ignored: Vec::new(),
        };
        for (name, value) in leaves.iter() {
            // Arrays have no value, and null is none.
            let Some(value) = value.filter(|value| **value != Scalar::Null) else {
                continue;
            };
            let column = match self.fields.get(name) {
                Some(column) => *column,
                None => match self.missing(name, value, added)? {
                    Some(column) => column,
                    None => continue,
                },
            };
            match column.kind.cell(value) {
                Ok(Some(cell)) => row.cells.push((column.number, cell)),
                Ok(None) => row.ignored.push(column.number),
                Err(_) if self.is_lenient => row.ignored.push(column.number),
                Err(reason) => return Err(rejected(name, reason)),
            }
        }
        row.ignored.sort_unstable();
        row.ignored.dedup();
        Ok(row)
    }
}

/// A field or object that a document has brought.
#[derive(Clone, Debug)]
struct Added {
    name: String,
    /// Its mapping.
    json: Value,
    /// Its multi-fields, by their whole names.
    multi_fields: Vec<String>,
}

/// Adds fields to those of an object.
fn merge(known: &mut Value, added: &Value, at: &str, depth: usize) -> Result<(), StoreError> {
    let (Some(known), Some(added)) = (known.as_object_mut(), added.as_object()) else {
        return Err(error(at, "expected an object"));
    };
    if depth > DEEPEST {
        return Err(error(at, "nested too deeply"));
    }
    for (name, field) in added {
        let at = format!("{at}.{name}");
        match known.get_mut(name) {
            None => drop(known.insert(name.clone(), field.clone())),
            Some(known) if known == field => {}
            Some(known) => match (known.get_mut("properties"), field.get("properties")) {
                (Some(known), Some(inner))
                    if field.as_object().is_some_and(|field| field.len() == 1) =>
                {
                    merge(known, inner, &at, depth + 1)?;
                }
                _ => return Err(error(at, format!("the field is {known} already"))),
            },
        }
    }
    Ok(())
}

fn error(at: impl Into<String>, reason: impl Into<String>) -> StoreError {
    StoreError::Mapping {
        at: at.into(),
        reason: reason.into(),
    }
}

fn rejected(field: &str, reason: impl Into<String>) -> Rejected {
    // A name can be as long as a document.
    const LONGEST: usize = 200;
    let field = match field.char_indices().nth(LONGEST) {
        None => field.to_owned(),
        Some((end, _)) => format!("{}…", &field[..end]),
    };
    Rejected::Value {
        field,
        reason: reason.into(),
    }
}

/// The settings of an index.
mod settings {
    use super::{Map, StoreError, Value, error};

    pub(super) struct Settings {
        pub(super) json: Value,
        pub(super) is_lenient: bool,
        pub(super) limit: Option<usize>,
    }

    /// Settings that say how a cluster keeps an index, which means nothing here, or that queries read.
    const NEUTRAL: [&str; 8] = [
        "number_of_shards",
        "number_of_replicas",
        "auto_expand_replicas",
        "hidden",
        "refresh_interval",
        "codec",
        "query.default_field",
        "max_result_window",
    ];

    pub(super) fn read(json: &Value) -> Result<Settings, StoreError> {
        let mut settings = Settings {
            json: json.clone(),
            is_lenient: false,
            limit: None,
        };
        let mut flat = Vec::new();
        flatten(json, "", 0, &mut flat)?;
        for (name, value) in flat {
            let name = name.strip_prefix("index.").unwrap_or(&name);
            let text = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            let wrong = || error(format!("$.settings.{name}"), format!("cannot be {text}"));
            match name {
                "mapping.ignore_malformed" => {
                    settings.is_lenient = text.parse().map_err(|_| wrong())?;
                }
                "mapping.total_fields.limit" => {
                    settings.limit = Some(text.parse().map_err(|_| wrong())?);
                }
                name if NEUTRAL.contains(&name) || name.starts_with("analysis.") => {}
                name => {
                    let at = format!("$.settings.{name}");
                    return Err(error(at, "this setting is not supported"));
                }
            }
        }
        Ok(settings)
    }

    fn flatten<'j>(
        json: &'j Value,
        prefix: &str,
        depth: usize,
        flat: &mut Vec<(String, &'j Value)>,
    ) -> Result<(), StoreError> {
        let members: &Map<String, Value> = match json {
            Value::Null => return Ok(()),
            Value::Object(members) if depth <= super::DEEPEST => members,
            _ => return Err(error("$.settings", "expected an object, not too deep")),
        };
        for (key, value) in members {
            let name = match prefix {
                "" => key.clone(),
                prefix => format!("{prefix}.{key}"),
            };
            match value {
                Value::Object(_) => flatten(value, &name, depth + 1, flat)?,
                value => flat.push((name, value)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
