//! Which part of a document a search gives.

use crate::StoreError;
use predicate::glob;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// What `_source` asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    is_off: bool,
    includes: Vec<String>,
    excludes: Vec<String>,
}

impl Filter {
    /// Reads `_source`.
    pub(crate) fn read(json: Option<&Value>, at: &str) -> Result<Filter, StoreError> {
        let names = |json: &Value, at: &str| -> Result<Vec<String>, StoreError> {
            let wrong = || StoreError::request(at, "expected names of fields");
            match json {
                Value::String(name) => Ok(vec![name.clone()]),
                Value::Array(names) => {
                    let names = names.iter().map(|name| name.as_str().map(str::to_owned));
                    names.collect::<Option<_>>().ok_or_else(wrong)
                }
                _ => Err(wrong()),
            }
        };
        let mut filter = Filter::default();
        match json {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => filter.is_off = true,
            Some(Value::Object(members)) => {
                for (key, value) in members {
                    let at = format!("{at}.{key}");
                    match &**key {
                        "includes" | "include" => filter.includes = names(value, &at)?,
                        "excludes" | "exclude" => filter.excludes = names(value, &at)?,
                        _ => return Err(StoreError::request(at, "this is not supported")),
                    }
                }
            }
            Some(json) => filter.includes = names(json, at)?,
        }
        Ok(filter)
    }

    /// What is asked for of a document; all of it as it was written, if nothing is left out.
    pub(crate) fn apply(&self, source: &str) -> Option<Box<RawValue>> {
        if self.is_off {
            return None;
        }
        if *self == Filter::default() {
            return RawValue::from_string(source.to_owned()).ok();
        }
        let value = serde_json::from_str(source).unwrap_or_default();
        let filtered = self.value(value, "", false);
        let filtered = filtered.unwrap_or_else(|| Value::Object(Map::new()));
        serde_json::value::to_raw_value(&filtered).ok()
    }

    /// What is left of the value at `path`; `inside`: something around it was asked for by name.
    ///
    /// As servers have it, an object that was asked for is there even if nothing is left of it, but not in a list.
    fn value(&self, value: Value, path: &str, inside: bool) -> Option<Value> {
        if !path.is_empty() && is_named(&self.excludes, path) {
            return None;
        }
        let inside = inside || self.includes.is_empty() || is_named(&self.includes, path);
        match value {
            Value::Object(members) => {
                let kept: Map<String, Value> = members
                    .into_iter()
                    .filter_map(|(key, value)| {
                        let path = match path {
                            "" => key.clone(),
                            path => format!("{path}.{key}"),
                        };
                        self.value(value, &path, inside).map(|value| (key, value))
                    })
                    .collect();
                (!kept.is_empty() || inside).then_some(Value::Object(kept))
            }
            Value::Array(items) => {
                let kept: Vec<Value> = items
                    .into_iter()
                    .filter_map(|item| self.value(item, path, inside))
                    .filter(|item| !is_empty(item))
                    .collect();
                (!kept.is_empty() || inside).then_some(Value::Array(kept))
            }
            value => inside.then_some(value),
        }
    }
}

/// Whether one of the names is that of the value at `path`, or of something around it.
fn is_named(names: &[String], path: &str) -> bool {
    names
        .iter()
        .any(|name| glob(name, path) || glob(&format!("{name}.*"), path))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_of_a_document() {
        let source = r#"{"a":{"b":1,"c":[{"d":2,"e":3},4]},"n":123456789012345678901234567890}"#;
        for (filter, expected) in [
            (json!(true), Some(source)),
            (json!(false), None),
            (json!("a.b"), Some(r#"{"a":{"b":1}}"#)),
            (json!(["a.c.*"]), Some(r#"{"a":{"c":[{"d":2,"e":3}]}}"#)),
            (json!({"excludes": ["a.c", "n"]}), Some(r#"{"a":{"b":1}}"#)),
            (
                json!({"includes": "a", "excludes": "*.d"}),
                Some(r#"{"a":{"b":1,"c":[{"e":3},4]}}"#),
            ),
            (json!("none"), Some("{}")),
            (json!({"excludes": ["a.*", "n"]}), Some(r#"{"a":{}}"#)),
            (
                json!({"includes": "a.c", "excludes": ["*.d", "*.e"]}),
                Some(r#"{"a":{"c":[4]}}"#),
            ),
        ] {
            let filter = Filter::read(Some(&filter), "$._source").unwrap();
            let found = filter.apply(source);
            assert_eq!(found.as_ref().map(|raw| raw.get()), expected, "{filter:?}");
        }
        // A key with a dot in it is a path.
        let filter = Filter::read(Some(&json!("a")), "$._source").unwrap();
        let found = filter.apply(r#"{"a.b":1,"ab":2}"#).unwrap();
        assert_eq!(found.get(), r#"{"a.b":1}"#);
        assert!(Filter::read(Some(&json!(1)), "$._source").is_err());
    }
}
