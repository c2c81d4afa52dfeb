//! Reading a mapping, and making fields that are not in it.

use super::{Added, Column, DEEPEST, Kind, LONGEST_NAME, Mapping, Named, Object, error, rejected};
use crate::{Rejected, StoreError};
use event::Value as Scalar;
use predicate::{Missing, date_millis};
use query::Type;
use serde_json::{Map, Value, json};

/// What happens to fields that are not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dynamic {
    /// They are made.
    Yes,
    /// They are not in the index.
    No,
    /// The document is rejected.
    Strict,
}

/// What some new fields become.
#[derive(Clone, Debug)]
pub(super) struct Template {
    names: Option<String>,
    paths: Option<String>,
    /// The kinds of values that it is for, as Elasticsearch names them; all if there are none.
    values: Vec<String>,
    mapping: Map<String, Value>,
}

impl Mapping {
    pub(super) fn root(&mut self, json: &Value) -> Result<(), StoreError> {
        let at = "$.mappings";
        let root = object(json, at)?;
        for key in root.keys() {
            let known = [
                "properties",
                "dynamic",
                "dynamic_templates",
                "date_detection",
                "numeric_detection",
                "_meta",
            ];
            if !known.contains(&key.as_str()) {
                return Err(error(format!("{at}.{key}"), "this is not supported"));
            }
        }
        if root
            .get("numeric_detection")
            .is_some_and(|value| value != false)
        {
            return Err(error(
                format!("{at}.numeric_detection"),
                "this is not supported",
            ));
        }
        self.detects_dates = root.get("date_detection") != Some(&Value::Bool(false));
        let dynamic = dynamic(root.get("dynamic"), Dynamic::Yes, at)?;
        self.objects.insert(
            String::new(),
            Object {
                dynamic,
                is_enabled: true,
            },
        );
        if let Some(templates) = root.get("dynamic_templates") {
            self.templates = read_templates(templates, &format!("{at}.dynamic_templates"))?;
        }
        self.properties(
            &root["properties"],
            "",
            &format!("{at}.properties"),
            dynamic,
            0,
        )
    }

    fn properties(
        &mut self,
        json: &Value,
        parent: &str,
        at: &str,
        inherited: Dynamic,
        depth: usize,
    ) -> Result<(), StoreError> {
        if depth > DEEPEST {
            return Err(error(at, "nested too deeply"));
        }
        for (key, value) in object(json, at)? {
            let at = format!("{at}.{key}");
            let field = object(value, &at)?;
            let name = join(parent, key);
            if key.is_empty() || key.split('.').any(str::is_empty) {
                return Err(error(at, "a name cannot be empty"));
            }
            let kind = field.get("type").and_then(Value::as_str);
            match kind.unwrap_or("object") {
                "object" => {
                    let dynamic = dynamic(field.get("dynamic"), inherited, &at)?;
                    let is_enabled = field.get("enabled") != Some(&Value::Bool(false));
                    // A key with dots in it makes the objects on the way, too.
                    for (end, _) in name.match_indices('.') {
                        self.objects
                            .entry(name[..end].to_owned())
                            .or_insert(Object {
                                dynamic: inherited,
                                is_enabled: true,
                            });
                    }
                    self.objects.insert(
                        name.clone(),
                        Object {
                            dynamic,
                            is_enabled,
                        },
                    );
                    if let Some(properties) = field.get("properties") {
                        let at = format!("{at}.properties");
                        self.properties(properties, &name, &at, dynamic, depth + 1)?;
                    }
                }
                "alias" => {}
                _ => self.field(&name, field, &at, inherited).map(drop)?,
            }
        }
        // Aliases last: what they stand for has to be there.
        for (key, value) in object(json, at)? {
            let at = format!("{at}.{key}");
            let field = object(value, &at)?;
            if field.get("type").is_some_and(|kind| kind == "alias") {
                let target = field
                    .get("path")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let named = self.names.get(target).cloned();
                let missing = || {
                    error(
                        &at,
                        format!("an alias of `{target}`, which has to come before it"),
                    )
                };
                self.names
                    .insert(join(parent, key), named.ok_or_else(missing)?);
            }
        }
        Ok(())
    }

    /// Adds a field with its multi-fields, and gives the names of those.
    fn field(
        &mut self,
        name: &str,
        json: &Map<String, Value>,
        at: &str,
        inherited: Dynamic,
    ) -> Result<Vec<String>, StoreError> {
        let (kind, named) = kind(json, at)?;
        for (end, _) in name.match_indices('.') {
            self.objects
                .entry(name[..end].to_owned())
                .or_insert(Object {
                    dynamic: inherited,
                    is_enabled: true,
                });
        }
        let column = Column {
            number: self.next_number,
            kind,
        };
        self.next_number += 1;
        self.fields.insert(name.to_owned(), column);
        let field = name.to_owned();
        self.names
            .insert(name.to_owned(), Named { field, kind: named });
        let mut multi_fields = Vec::new();
        if let Some(fields) = json.get("fields") {
            let at = format!("{at}.fields");
            for (key, value) in object(fields, &at)? {
                let at = format!("{at}.{key}");
                let (other, named) = self::kind(object(value, &at)?, &at)?;
                if other != kind && kind != Kind::Opaque && other != Kind::Opaque {
                    let reason = "a multi-field of another kind than its field is not supported";
                    return Err(error(at, reason));
                }
                let whole = join(name, key);
                let field = name.to_owned();
                self.names
                    .insert(whole.clone(), Named { field, kind: named });
                multi_fields.push(whole);
            }
        }
        Ok(multi_fields)
    }

    /// Decides about a value whose name is not that of a field; gives the field that it belongs to, if it has one.
    pub(super) fn missing(
        &mut self,
        name: &str,
        value: &Scalar<'_>,
        added: &mut Vec<Added>,
    ) -> Result<Option<Column>, Rejected> {
        if self.names.contains_key(name) {
            return Err(rejected(name, "another name of a field, not a field"));
        }
        if let Some(object) = self.objects.get(name) {
            return match value {
                Scalar::Object(_) => Ok(None),
                _ if !object.is_enabled || self.is_lenient => Ok(None),
                _ => Err(rejected(
                    name,
                    "a single value, where there were objects before",
                )),
            };
        }
        // The nearest thing that is known above it.
        let mut above = name;
        let parent = loop {
            above = above.rsplit_once('.').map_or("", |(parent, _)| parent);
            if let Some(column) = self.fields.get(above) {
                // The object itself has been met before, and was taken or ignored.
                let is_taken = column.kind == Kind::Opaque || self.is_lenient;
                return match is_taken {
                    true => Ok(None),
                    false => Err(rejected(
                        above,
                        "an object, where the field takes single values",
                    )),
                };
            }
            if let Some(object) = self.objects.get(above) {
                break *object;
            }
            if above.is_empty() {
                return Ok(None);
            }
        };
        match parent.dynamic {
            _ if !parent.is_enabled => return Ok(None),
            Dynamic::No => return Ok(None),
            Dynamic::Strict => {
                return Err(rejected(name, "the mapping is strict and does not have it"));
            }
            Dynamic::Yes => {}
        }
        if name.split('.').any(|part| part.trim().is_empty()) {
            return Err(rejected(name, "a part of the name is empty"));
        }
        if name.split('.').count() > DEEPEST {
            return Err(rejected(name, format!("more than {DEEPEST} levels deep")));
        }
        if name.len() > LONGEST_NAME {
            return Err(rejected(
                name,
                format!("a name longer than {LONGEST_NAME} bytes"),
            ));
        }
        if self.names.len() + self.objects.len() >= self.limit {
            let reason = format!(
                "the index has {} fields already, which is its limit",
                self.limit
            );
            return Err(rejected(name, reason));
        }
        if let Scalar::Object(_) = value {
            self.objects.insert(name.to_owned(), parent);
            added.push(Added {
                name: name.to_owned(),
                json: json!({"properties": {}}),
                multi_fields: Vec::new(),
            });
            return Ok(None);
        }
        let json = self.new_field(name, value);
        let fields: Map<String, Value> = json.as_object().cloned().unwrap_or_default();
        let known = self.objects.len();
        let made = self.field(name, &fields, name, parent.dynamic);
        let multi_fields = made.map_err(|error| rejected(name, error.to_string()))?;
        debug_assert!(self.objects.len() >= known);
        added.push(Added {
            name: name.to_owned(),
            json,
            multi_fields,
        });
        Ok(self.fields.get(name).copied())
    }

    /// The mapping of a field that has this as its first value.
    fn new_field(&self, name: &str, value: &Scalar<'_>) -> Value {
        let (value_kind, default) = match value {
            Scalar::Bool(_) => ("boolean", json!({"type": "boolean"})),
            Scalar::Number(literal) if literal.contains(['.', 'e', 'E']) => {
                ("double", json!({"type": "float"}))
            }
            Scalar::Number(_) => ("long", json!({"type": "long"})),
            Scalar::String(text) if self.detects_dates && is_date(text) => {
                ("date", json!({"type": "date"}))
            }
            Scalar::String(text) if self.detects_dates && is_slashed_date(text) => {
                let format = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis";
                ("date", json!({"type": "date", "format": format}))
            }
            _ => {
                let keyword = json!({"type": "keyword", "ignore_above": 256});
                (
                    "string",
                    json!({"type": "text", "fields": {"keyword": keyword}}),
                )
            }
        };
        let mut templates = self.templates.iter();
        let Some(template) = templates.find(|template| template.is_for(name, value_kind)) else {
            return default;
        };
        let mut mapping = template.mapping.clone();
        let own = mapping.get("type").and_then(Value::as_str);
        if own.is_none_or(|own| own == "{dynamic_type}") {
            for (key, value) in default.as_object().into_iter().flatten() {
                mapping.insert(key.clone(), value.clone());
            }
        }
        Value::Object(mapping)
    }

    /// Takes a new field into the JSON.
    pub(super) fn show(&mut self, added: &Added) {
        let mut at = &mut self.json;
        for name in added.name.split('.') {
            at = &mut at["properties"][name];
        }
        if at.is_null() {
            *at = added.json.clone();
        }
    }

    /// Forgets a field whose document was rejected.
    pub(super) fn take_back(&mut self, added: &Added) {
        self.objects.remove(&added.name);
        self.fields.remove(&added.name);
        for name in added.multi_fields.iter().chain([&added.name]) {
            self.names.remove(name);
        }
    }
}

impl Template {
    fn is_for(&self, path: &str, value_kind: &str) -> bool {
        let name = path.rsplit('.').next().unwrap_or(path);
        let is_like = |pattern: &Option<String>, text: &str| {
            pattern
                .as_ref()
                .is_none_or(|pattern| predicate::glob(pattern, text))
        };
        let is_of_kind = self.values.is_empty()
            || self
                .values
                .iter()
                .any(|kind| kind == "*" || kind == value_kind);
        is_of_kind && is_like(&self.names, name) && is_like(&self.paths, path)
    }
}

fn read_templates(json: &Value, at: &str) -> Result<Vec<Template>, StoreError> {
    let Value::Array(list) = json else {
        return Err(error(at, "expected a list"));
    };
    let mut templates = Vec::new();
    for (number, named) in list.iter().enumerate() {
        for (name, template) in object(named, &format!("{at}[{number}]"))? {
            let at = format!("{at}[{number}].{name}");
            let template = object(template, &at)?;
            let mut read = Template {
                names: None,
                paths: None,
                values: Vec::new(),
                mapping: Map::new(),
            };
            for (key, value) in template {
                let at = format!("{at}.{key}");
                let text = || match value {
                    Value::String(text) => Ok(text.clone()),
                    _ => Err(error(&at, "expected a string")),
                };
                match &**key {
                    "match" => read.names = Some(text()?),
                    "path_match" => read.paths = Some(text()?),
                    "match_mapping_type" => match value {
                        Value::Array(kinds) => {
                            let kinds = kinds.iter().filter_map(Value::as_str);
                            read.values = kinds.map(str::to_owned).collect();
                        }
                        _ => read.values = vec![text()?],
                    },
                    "mapping" => read.mapping = object(value, &at)?.clone(),
                    _ => return Err(error(at, "this is not supported")),
                }
            }
            let own = read.mapping.get("type").and_then(Value::as_str);
            let is_for_objects = read.values.iter().any(|kind| kind == "object");
            if own.is_some_and(|own| own == "object") || is_for_objects {
                return Err(error(at, "templates for objects are not supported"));
            }
            if own.is_some_and(|own| own != "{dynamic_type}") {
                kind(&read.mapping, &format!("{at}.mapping"))?;
            }
            templates.push(read);
        }
    }
    Ok(templates)
}

/// The kind of a field, and its type as queries see it.
fn kind(json: &Map<String, Value>, at: &str) -> Result<(Kind, Type), StoreError> {
    let name = json.get("type").and_then(Value::as_str).unwrap_or("text");
    // As queries read it, so that there are not two opinions.
    let whole = json!({"mappings": {"properties": {"f": json}}});
    let schema = query::Schema::from_json(&whole);
    let schema = schema.map_err(|problem| error(at, problem.to_string()))?;
    let other = || Type::Other(format!("a field of type `{name}`"));
    let named = schema.kind("f").cloned().unwrap_or_else(other);
    let bits = |bits: u32| Kind::Integer(-(1 << (bits - 1)), (1 << (bits - 1)) - 1);
    let kind = match name {
        _ if json.get("index") == Some(&Value::Bool(false)) => Kind::Opaque,
        "nested" | "flattened" | "flat_object" | "join" | "percolator" | "runtime" => {
            return Err(error(
                at,
                format!("fields of type `{name}` are not supported"),
            ));
        }
        "keyword" | "constant_keyword" | "wildcard" | "text" | "match_only_text" => Kind::String,
        "long" => Kind::Integer(i64::MIN, i64::MAX),
        "unsigned_long" => Kind::Integer(0, i64::MAX),
        "integer" => bits(32),
        "short" => bits(16),
        "byte" => bits(8),
        "double" => Kind::Float { is_single: false },
        "float" => Kind::Float { is_single: true },
        "half_float" | "scaled_float" => Kind::Float { is_single: false },
        "date" | "date_nanos" if named == Type::Date => Kind::Date,
        "boolean" => Kind::Boolean,
        "ip" => Kind::Ip,
        _ => Kind::Opaque,
    };
    Ok((kind, named))
}

fn dynamic(value: Option<&Value>, inherited: Dynamic, at: &str) -> Result<Dynamic, StoreError> {
    Ok(match value {
        None => inherited,
        Some(Value::Bool(true)) => Dynamic::Yes,
        Some(Value::Bool(false)) => Dynamic::No,
        Some(Value::String(text)) if text == "true" => Dynamic::Yes,
        Some(Value::String(text)) if text == "false" => Dynamic::No,
        Some(Value::String(text)) if text == "strict" => Dynamic::Strict,
        Some(_) => return Err(error(format!("{at}.dynamic"), "this is not supported")),
    })
}

/// Whether a string makes its field a date: not if it could be a number.
fn is_date(text: &str) -> bool {
    let year = text.get(..4).unwrap_or_default();
    let has_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    has_year && text.contains([':', '-']) && date_millis(text, Missing::Earliest).is_some()
}

/// Whether a string is a date as `yyyy/MM/dd HH:mm:ss Z||yyyy/MM/dd Z` has it, by its form.
fn is_slashed_date(text: &str) -> bool {
    let form: String = text
        .chars()
        .take(30)
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let day = form.strip_prefix("0000/00/00").unwrap_or("x");
    let zone = day.strip_prefix(" 00:00:00").unwrap_or(day);
    matches!(
        zone,
        "" | " Z" | " +0000" | " -0000" | " +00:00" | " -00:00"
    )
}

fn join(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        parent => format!("{parent}.{name}"),
    }
}

fn object<'j>(json: &'j Value, at: &str) -> Result<&'j Map<String, Value>, StoreError> {
    json.as_object()
        .ok_or_else(|| error(at, "expected an object"))
}
