//! Reads a schema out of the JSON that servers and templates have.

use super::{Mapped, Schema, Template, Type, keyword_beside_text};
use serde_json::{Map, Value};
use std::collections::btree_map::Entry;
use thiserror::Error;

/// How deep objects may lie in one another.
const MAX_DEPTH: usize = 64;

/// What is no schema.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// There is nothing that says what fields there are.
    #[error(
        "no mapping found: expected `properties`, `mappings`, or what `GET index/_mapping` answers"
    )]
    NoMapping,
    /// A part is not what it should be.
    #[error("{path}: expected {expected}, found {found}")]
    Unexpected {
        /// Where in the JSON it stands.
        path: String,
        /// What should stand there.
        expected: &'static str,
        /// What stands there, in short.
        found: String,
    },
    /// An alias of a field that is not there.
    #[error("`{alias}` is an alias of `{target}`, which is no field")]
    Alias {
        /// The alias.
        alias: String,
        /// What it should stand for.
        target: String,
    },
    /// Several indices disagree.
    #[error("the indices disagree about {0}: take them one by one")]
    Conflict(String),
    /// It is nested deeper than any index may be.
    #[error("{0}: nested too deeply")]
    TooDeep(String),
}

impl Schema {
    /// Reads the JSON of an index mapping, of what `GET index/_mapping` answers, or of an index or component template.
    ///
    /// Several indices in it are read as one; where they disagree about a field, that is an error. A field of a type that
    /// cannot be asked (as `geo_point`) is known, and naming it in a query is an error.
    ///
    /// # Errors
    /// [`SchemaError`] says what is wrong, and where.
    pub fn from_json(json: &Value) -> Result<Schema, SchemaError> {
        let mut found = Vec::new();
        find_mappings(json, "$", 0, &mut found)?;
        let mut schemas = found.into_iter().map(|found| found.read());
        let mut schema = schemas.next().ok_or(SchemaError::NoMapping)??;
        for other in schemas {
            schema.merge(other?)?;
        }
        Ok(schema)
    }

    fn merge(&mut self, other: Schema) -> Result<(), SchemaError> {
        if self.templates != other.templates || self.closed != other.closed {
            return Err(SchemaError::Conflict(
                "fields that are not mapped".to_owned(),
            ));
        }
        for (name, mapped) in other.fields {
            match self.fields.entry(name) {
                Entry::Occupied(known) if *known.get() != mapped => {
                    return Err(SchemaError::Conflict(format!("`{}`", known.key())));
                }
                entry => drop(entry.or_insert(mapped)),
            }
        }
        Ok(())
    }
}

/// A mapping with the settings that stand beside it.
struct Found<'j> {
    path: String,
    mapping: &'j Map<String, Value>,
    settings: &'j Value,
}

/// Finds the mappings in whatever they are wrapped.
fn find_mappings<'j>(
    json: &'j Value,
    path: &str,
    depth: usize,
    found: &mut Vec<Found<'j>>,
) -> Result<(), SchemaError> {
    // As deep as the list of index templates has them.
    const DEEPEST: usize = 5;
    let object = object(json, path)?;
    if let Some(mappings) = object.get("mappings") {
        let path = format!("{path}.mappings");
        let mapping = self::object(mappings, &path)?;
        let settings = object.get("settings").unwrap_or(&Value::Null);
        found.push(Found {
            path,
            mapping: without_type(mapping),
            settings,
        });
        return Ok(());
    }
    if is_mapping(object) {
        let settings = &Value::Null;
        found.push(Found {
            path: path.to_owned(),
            mapping: object,
            settings,
        });
        return Ok(());
    }
    if depth == DEEPEST {
        return Ok(());
    }
    for (key, value) in object {
        let path = format!("{path}.{key}");
        match value {
            Value::Object(_) => find_mappings(value, &path, depth + 1, found)?,
            Value::Array(items) if matches!(&**key, "index_templates" | "component_templates") => {
                for (number, item) in items.iter().enumerate() {
                    find_mappings(item, &format!("{path}[{number}]"), depth + 1, found)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether an object is a mapping itself.
fn is_mapping(object: &Map<String, Value>) -> bool {
    let is_object = |key: &str| object.get(key).is_some_and(Value::is_object);
    is_object("properties") || object.get("dynamic_templates").is_some_and(Value::is_array)
}

/// A mapping without the name of a document type, which old servers put around it.
fn without_type(mapping: &Map<String, Value>) -> &Map<String, Value> {
    let mut members = mapping.iter();
    match (members.next(), members.next()) {
        (Some((_, Value::Object(inner))), None) if !is_mapping(mapping) && is_mapping(inner) => {
            inner
        }
        _ => mapping,
    }
}

impl Found<'_> {
    fn read(&self) -> Result<Schema, SchemaError> {
        let mut reader = Reader {
            settings: self.settings,
            schema: Schema::default(),
            aliases: Vec::new(),
        };
        let dynamic = self.mapping.get("dynamic");
        if !takes_new_fields(dynamic) {
            reader.schema.closed.insert(String::new(), true);
        }
        if let Some(runtime) = self.mapping.get("runtime") {
            for name in object(runtime, &format!("{}.runtime", self.path))?.keys() {
                reader.add(name, name, Type::Other("a runtime field".to_owned()));
            }
        }
        if let Some(templates) = self.mapping.get("dynamic_templates") {
            reader.dynamic_templates(templates, &format!("{}.dynamic_templates", self.path))?;
        }
        if let Some(properties) = self.mapping.get("properties") {
            reader.properties(
                properties,
                "",
                &format!("{}.properties", self.path),
                None,
                0,
            )?;
        }
        reader.finish()
    }
}

/// Whether `dynamic` says that new fields are mapped.
fn takes_new_fields(dynamic: Option<&Value>) -> bool {
    match dynamic {
        None | Some(Value::Bool(true)) => true,
        Some(Value::String(text)) => text == "true",
        Some(_) => false,
    }
}

struct Reader<'j> {
    settings: &'j Value,
    schema: Schema,
    /// Names and what they stand for.
    aliases: Vec<(String, String)>,
}

impl Reader<'_> {
    fn add(&mut self, name: &str, path: &str, kind: Type) {
        let path = path.to_owned();
        self.schema
            .fields
            .insert(name.to_owned(), Mapped { path, kind });
    }

    /// Whatever comes to lie in the field `name` is of the type of `template`.
    fn open(&mut self, template: Template, name: &str) {
        self.schema.templates.insert(0, template);
        self.schema.closed.insert(name.to_owned(), false);
    }

    /// `outer`: why nothing in here can be asked, if so.
    fn properties(
        &mut self,
        properties: &Value,
        parent: &str,
        path: &str,
        outer: Option<&str>,
        depth: usize,
    ) -> Result<(), SchemaError> {
        if depth == MAX_DEPTH {
            return Err(SchemaError::TooDeep(path.to_owned()));
        }
        for (key, value) in object(properties, path)? {
            let path = format!("{path}.{key}");
            let field = object(value, &path)?;
            let name = match parent {
                "" => key.clone(),
                parent => format!("{parent}.{key}"),
            };
            let kind = text(field, "type", &path)?;
            let kind = kind.unwrap_or(if field.contains_key("properties") {
                "object"
            } else {
                ""
            });
            match kind {
                "object" | "nested" | "" => {
                    let nested = (kind == "nested").then_some("a field of a nested object");
                    let outer = outer.or(nested);
                    if let Some(reason) = nested {
                        let kind = Type::Other(reason.to_owned());
                        self.open(Template::below(&name, kind), &name);
                    }
                    if field.contains_key("dynamic") || is(field, "enabled", false) {
                        let is_closed =
                            is(field, "enabled", false) || !takes_new_fields(field.get("dynamic"));
                        self.schema.closed.insert(name.clone(), is_closed);
                    }
                    if let Some(properties) = field.get("properties") {
                        let path = format!("{path}.properties");
                        self.properties(properties, &name, &path, outer, depth + 1)?;
                    }
                }
                "alias" => {
                    let target = text(field, "path", &path)?.unwrap_or_default();
                    self.aliases.push((name, target.to_owned()));
                }
                "flattened" | "flat_object" => {
                    let ignore_above = ignore_above(field, &path)?;
                    let leaf = Type::Keyword {
                        ignore_above,
                        lowercase: false,
                    };
                    self.open(Template::below(&name, leaf), &name);
                    self.add(
                        &name,
                        &name,
                        Type::Other(format!("all of a `{kind}` field")),
                    );
                }
                _ => self.leaf(&name, field, &path, outer)?,
            }
        }
        Ok(())
    }

    /// A field with values, and its multi-fields.
    fn leaf(
        &mut self,
        name: &str,
        field: &Map<String, Value>,
        path: &str,
        outer: Option<&str>,
    ) -> Result<(), SchemaError> {
        let other = outer.map(|reason| Type::Other(reason.to_owned()));
        let kind = self.kind(field, path)?;
        self.add(name, name, other.clone().unwrap_or(kind));
        for (key, kind) in self.multi_fields(field, path)? {
            self.add(
                &format!("{name}.{key}"),
                name,
                other.clone().unwrap_or(kind),
            );
        }
        Ok(())
    }

    fn multi_fields(
        &self,
        field: &Map<String, Value>,
        path: &str,
    ) -> Result<Vec<(String, Type)>, SchemaError> {
        let Some(fields) = field.get("fields") else {
            return Ok(Vec::new());
        };
        let path = format!("{path}.fields");
        let fields = object(fields, &path)?.iter();
        let kinds = fields.map(|(key, value)| {
            let path = format!("{path}.{key}");
            Ok((key.clone(), self.kind(object(value, &path)?, &path)?))
        });
        kinds.collect()
    }

    fn kind(&self, field: &Map<String, Value>, path: &str) -> Result<Type, SchemaError> {
        let kind = text(field, "type", path)?.unwrap_or("text");
        if is(field, "index", false) {
            return Ok(Type::Other(format!("a `{kind}` that is not indexed")));
        }
        Ok(match kind {
            "keyword" | "constant_keyword" => {
                let ignore_above = ignore_above(field, path)?;
                match text(field, "normalizer", path)? {
                    None => Type::Keyword {
                        ignore_above,
                        lowercase: false,
                    },
                    Some(normalizer) if self.lowers(normalizer) => Type::Keyword {
                        ignore_above,
                        lowercase: true,
                    },
                    Some(normalizer) => {
                        Type::Other(format!("a keyword with the normalizer `{normalizer}`"))
                    }
                }
            }
            "wildcard" => Type::Wildcard {
                ignore_above: ignore_above(field, path)?,
            },
            "text" | "match_only_text" => {
                let index = text(field, "analyzer", path)?.unwrap_or("default");
                let search = text(field, "search_analyzer", path)?.unwrap_or(index);
                match [index, search].iter().find(|name| !self.is_standard(name)) {
                    None => Type::Text,
                    Some(other) => Type::Other(format!("a text with the analyzer `{other}`")),
                }
            }
            "long" | "integer" | "short" | "byte" | "unsigned_long" | "double" | "float"
            | "half_float" | "scaled_float" => Type::Number,
            "date" | "date_nanos" => {
                let format = text(field, "format", path)?.unwrap_or("date_optional_time");
                match format.split("||").find(|format| !is_iso(format)) {
                    None => Type::Date,
                    Some(_) => Type::Other(format!("a date with the format `{format}`")),
                }
            }
            "boolean" => Type::Boolean,
            "ip" => Type::Ip,
            other => Type::Other(format!("a field of type `{other}`")),
        })
    }

    /// Whether a normalizer lowers, and does nothing else.
    fn lowers(&self, name: &str) -> bool {
        match self.analysis("normalizer", name) {
            None => name == "lowercase",
            Some(normalizer) => {
                let is_lowercase = |filter: &Value| filter == "lowercase";
                let filters = match normalizer.get("filter") {
                    Some(Value::Array(filters)) => {
                        !filters.is_empty() && filters.iter().all(is_lowercase)
                    }
                    filter => filter.is_some_and(is_lowercase),
                };
                let chars = normalizer.get("char_filter").and_then(Value::as_array);
                filters && chars.is_none_or(Vec::is_empty)
            }
        }
    }

    /// Whether an analyzer is `standard` as it comes.
    fn is_standard(&self, name: &str) -> bool {
        match self.analysis("analyzer", name) {
            None => matches!(name, "standard" | "default"),
            Some(analyzer) => {
                let settings = analyzer.as_object();
                analyzer.get("type").is_some_and(|kind| kind == "standard")
                    && settings.is_some_and(|settings| settings.len() == 1)
            }
        }
    }

    /// What the settings say of an analyzer or normalizer.
    fn analysis(&self, what: &str, name: &str) -> Option<&Value> {
        let settings = self.settings;
        let index = settings.get("index").unwrap_or(settings);
        index.get("analysis")?.get(what)?.get(name)
    }

    /// What fields become that are not there yet, as far as they are strings.
    fn dynamic_templates(&mut self, templates: &Value, path: &str) -> Result<(), SchemaError> {
        let Value::Array(templates) = templates else {
            return Err(unexpected(path, "a list", templates));
        };
        for (number, named) in templates.iter().enumerate() {
            let path = format!("{path}[{number}]");
            for (name, template) in object(named, &path)? {
                let path = format!("{path}.{name}");
                let template = object(template, &path)?;
                if is_for_strings(template.get("match_mapping_type")) {
                    let template = self.dynamic_template(name, template, &path)?;
                    self.schema.templates.push(template);
                }
            }
        }
        Ok(())
    }

    fn dynamic_template(
        &self,
        name: &str,
        template: &Map<String, Value>,
        path: &str,
    ) -> Result<Template, SchemaError> {
        let condition = |key: &str| match template.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(unexpected(&format!("{path}.{key}"), "a string", other)),
        };
        let names = condition("path_match")?.unwrap_or_else(|| "*".to_owned());
        let last = condition("match")?.unwrap_or_else(|| "*".to_owned());
        let unreadable = [
            "unmatch",
            "path_unmatch",
            "match_pattern",
            "runtime",
            "unmatch_mapping_type",
        ];
        if let Some(key) = unreadable.iter().find(|key| template.contains_key(**key)) {
            let kind = Type::Other(format!(
                "a field of the template `{name}`, which has `{key}`"
            ));
            return Ok(Template {
                names,
                last,
                kind,
                fields: Vec::new(),
            });
        }
        let path = format!("{path}.mapping");
        let mapping = match template.get("mapping") {
            Some(mapping) => object(mapping, &path)?,
            None => return Err(unexpected(&path, "an object", &Value::Null)),
        };
        let is_default = matches!(
            mapping
                .get("type")
                .map(|kind| kind.as_str().unwrap_or_default()),
            None | Some("{dynamic_type}")
        );
        let (kind, fields) = match is_default {
            true => (Type::Text, vec![keyword_beside_text()]),
            false => (
                self.kind(mapping, &path)?,
                self.multi_fields(mapping, &path)?,
            ),
        };
        Ok(Template {
            names,
            last,
            kind,
            fields,
        })
    }

    fn finish(self) -> Result<Schema, SchemaError> {
        let mut schema = self.schema;
        for (alias, target) in self.aliases {
            match schema.fields.get(&target).cloned() {
                Some(mapped) => drop(schema.fields.insert(alias, mapped)),
                None => return Err(SchemaError::Alias { alias, target }),
            }
        }
        schema.templates.push(Template {
            names: "*".to_owned(),
            last: "*".to_owned(),
            kind: Type::Text,
            fields: vec![keyword_beside_text()],
        });
        Ok(schema)
    }
}

impl Template {
    /// Whatever lies in the field `name`.
    fn below(name: &str, kind: Type) -> Template {
        Template {
            names: format!("{name}.*"),
            last: "*".to_owned(),
            kind,
            fields: Vec::new(),
        }
    }
}

/// Whether a template is for strings too.
fn is_for_strings(kinds: Option<&Value>) -> bool {
    let is_string = |kind: &Value| kind == "string" || kind == "*";
    match kinds {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().any(is_string),
        Some(kind) => is_string(kind),
    }
}

/// Whether a format is one that dates are read in here.
pub(crate) fn is_iso(format: &str) -> bool {
    let format = format.strip_prefix("strict_").unwrap_or(format);
    matches!(
        format,
        "date_optional_time"
            | "date_optional_time_nanos"
            | "date_time"
            | "date_time_no_millis"
            | "date"
            | "epoch_millis"
    )
}

fn ignore_above(field: &Map<String, Value>, path: &str) -> Result<usize, SchemaError> {
    let Some(value) = field.get("ignore_above") else {
        return Ok(usize::MAX);
    };
    let number = match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    };
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| unexpected(&format!("{path}.ignore_above"), "a number", value))
}

/// Whether a member is this boolean, also in quotes.
fn is(field: &Map<String, Value>, key: &str, wanted: bool) -> bool {
    match field.get(key) {
        Some(Value::Bool(value)) => *value == wanted,
        Some(Value::String(text)) => *text == wanted.to_string(),
        _ => false,
    }
}

fn text<'j>(
    field: &'j Map<String, Value>,
    key: &str,
    path: &str,
) -> Result<Option<&'j str>, SchemaError> {
    match field.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(unexpected(&format!("{path}.{key}"), "a string", other)),
    }
}

fn object<'j>(value: &'j Value, path: &str) -> Result<&'j Map<String, Value>, SchemaError> {
    value
        .as_object()
        .ok_or_else(|| unexpected(path, "an object", value))
}

fn unexpected(path: &str, expected: &'static str, found: &Value) -> SchemaError {
    SchemaError::Unexpected {
        path: path.to_owned(),
        expected,
        found: crate::error::brief(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const fn keyword(ignore_above: usize, lowercase: bool) -> Type {
        Type::Keyword {
            ignore_above,
            lowercase,
        }
    }

    /// What is at the paths of these names.
    fn kinds(json: Value, names: &[&str]) -> Vec<Option<(String, Type)>> {
        let schema = Schema::from_json(&json).unwrap();
        let known = |name: &&str| {
            schema
                .known(name)
                .map(|known| (known.path, known.kind.clone()))
        };
        names.iter().map(known).collect()
    }

    fn at(path: &str, kind: Type) -> Option<(String, Type)> {
        Some((path.to_owned(), kind))
    }

    #[test]
    fn a_mapping_in_all_its_wrappings() {
        let mapping = json!({"dynamic": false, "properties": {"a": {"type": "ip"}}});
        for json in [
            mapping.clone(),
            json!({"mappings": mapping}),
            json!({"mappings": {"_doc": mapping}}),
            json!({"i-1": {"mappings": mapping}, "i-2": {"mappings": mapping}}),
            json!({"index_patterns": ["i"], "template": {"mappings": mapping}}),
            json!({"index_templates": [{"name": "t", "index_template": {"template": {"mappings": mapping}}}]}),
        ] {
            assert_eq!(kinds(json, &["a", "b"]), [at("a", Type::Ip), None]);
        }
        assert_eq!(
            Schema::from_json(&json!({"acknowledged": true})),
            Err(SchemaError::NoMapping)
        );
        let disagreeing = json!({"i": {"mappings": {"properties": {"a": {"type": "ip"}}}}, "j": {"mappings": {"properties": {"a": {"type": "date"}}}}});
        assert_eq!(
            Schema::from_json(&disagreeing),
            Err(SchemaError::Conflict("`a`".to_owned()))
        );
    }

    #[test]
    fn fields_of_all_kinds() {
        let json = json!({
            "settings": {"index": {"analysis": {
                "normalizer": {"low": {"type": "custom", "filter": ["lowercase"]}, "fold": {"filter": ["lowercase", "asciifolding"]}},
                "analyzer": {"words": {"type": "standard"}, "grams": {"tokenizer": "ngram"}}}}},
            "mappings": {"dynamic": "strict", "properties": {
                "k": {"type": "keyword", "ignore_above": 7, "normalizer": "low", "fields": {"text": {"type": "text"}}},
                "t": {"type": "text", "analyzer": "words", "fields": {"keyword": {"type": "keyword"}}},
                "o": {"properties": {"n": {"type": "long"}, "off": {"type": "object", "enabled": false}}},
                "w": {"type": "wildcard"},
                "al": {"type": "alias", "path": "o.n"},
                "fl": {"type": "flattened"},
                "fold": {"type": "keyword", "normalizer": "fold"},
                "grams": {"type": "text", "analyzer": "grams"},
                "ne": {"type": "nested", "properties": {"x": {"type": "keyword"}}},
                "raw": {"type": "keyword", "index": false},
                "when": {"type": "date", "format": "dd/MM/yyyy"},
            }}
        });
        let other = |text: &str| Type::Other(text.to_owned());
        let max = usize::MAX;
        for (name, expected) in [
            ("k", at("k", keyword(7, true))),
            ("k.text", at("k", Type::Text)),
            ("k.keyword", None),
            ("t", at("t", Type::Text)),
            ("t.keyword", at("t", keyword(max, false))),
            ("o", None),
            ("o.n", at("o.n", Type::Number)),
            ("o.off.x", None),
            ("w", at("w", Type::Wildcard { ignore_above: max })),
            ("al", at("o.n", Type::Number)),
            ("fl.x.y", at("fl.x.y", keyword(max, false))),
            (
                "fold",
                at("fold", other("a keyword with the normalizer `fold`")),
            ),
            (
                "grams",
                at("grams", other("a text with the analyzer `grams`")),
            ),
            ("ne.x", at("ne.x", other("a field of a nested object"))),
            ("raw", at("raw", other("a `keyword` that is not indexed"))),
            (
                "when",
                at("when", other("a date with the format `dd/MM/yyyy`")),
            ),
        ] {
            assert_eq!(kinds(json.clone(), &[name]), [expected], "{name}");
        }
    }

    #[test]
    fn templates_say_what_new_fields_become() {
        let json = json!({
            "date_detection": false,
            "dynamic_templates": [
                {"longs": {"match_mapping_type": "long", "mapping": {"type": "long"}}},
                {"ids": {"match": "id*", "mapping": {"type": "ip"}}},
                {"data": {"path_match": "data.*", "match_mapping_type": "string", "mapping": {"type": "text", "fields": {"raw": {"type": "keyword"}}}}},
                {"strings_as_keyword": {"match_mapping_type": "string", "mapping": {"ignore_above": 1024, "type": "keyword"}}},
            ],
            "properties": {"a": {"type": "keyword"}, "off": {"dynamic": "false", "properties": {"on": {"dynamic": true, "type": "object"}}}}
        });
        for (name, expected) in [
            ("x", at("x", keyword(1024, false))),
            ("x.keyword", at("x.keyword", keyword(1024, false))),
            ("x.id1", at("x.id1", Type::Ip)),
            ("data.x", at("data.x", Type::Text)),
            ("data.x.raw", at("data.x", keyword(usize::MAX, false))),
            ("a.keyword", None),
            ("off.x", None),
            ("off.on.x", at("off.on.x", keyword(1024, false))),
        ] {
            assert_eq!(kinds(json.clone(), &[name]), [expected], "{name}");
        }
        let dynamic = json!({"properties": {"a": {"type": "ip"}}});
        let closed = Schema::from_json(&dynamic).unwrap().as_it_stands();
        assert_eq!(
            (closed.kind("a"), closed.kind("b")),
            (Some(&Type::Ip), None)
        );
        let expected = [at("b", Type::Text), at("b", keyword(256, false))];
        assert_eq!(kinds(dynamic, &["b", "b.keyword"]), expected);
    }

    #[test]
    fn broken_schemas_are_errors() {
        let mut deep = json!({"type": "keyword"});
        for _ in 0..100 {
            deep = json!({"properties": {"o": deep}});
        }
        assert!(matches!(
            Schema::from_json(&deep),
            Err(SchemaError::TooDeep(_))
        ));
        for (json, message) in [
            (json!([]), "$: expected an object, found []"),
            (
                json!({"properties": {"a": 1}}),
                "$.properties.a: expected an object, found 1",
            ),
            (
                json!({"properties": {"a": {"type": 1}}}),
                "$.properties.a.type: expected a string, found 1",
            ),
            (
                json!({"properties": {"a": {"type": "keyword", "ignore_above": "x"}}}),
                "$.properties.a.ignore_above: expected a number, found \"x\"",
            ),
            (
                json!({"properties": {"a": {"type": "alias", "path": "b"}}}),
                "`a` is an alias of `b`, which is no field",
            ),
        ] {
            assert_eq!(Schema::from_json(&json).unwrap_err().to_string(), message);
        }
    }
}
