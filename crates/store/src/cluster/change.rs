//! From a document as it was read and its new text to what is sent.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The members that make `after` of `before` when a server merges them: objects member by member, everything else
/// replaced. None if something has to go, which merging cannot do, or if a name is there twice.
pub(super) fn partial(before: &str, after: &str) -> Option<String> {
    let (before, after) = (members(before)?, members(after)?);
    if before.iter().any(|(key, _)| value(&after, key).is_none()) {
        return None;
    }
    let mut changed = Vec::new();
    for (key, new) in &after {
        match value(&before, key) {
            Some(old) if old.get() == new.get() => {}
            Some(old) if !merges(&read(old)?, &read(new)?) => return None,
            _ => changed.push(format!("{}:{}", Value::from(key.as_str()), new.get())),
        }
    }
    Some(format!("{{{}}}", changed.join(",")))
}

type Members = Vec<(String, Box<RawValue>)>;

/// The members of an object in their order; none if it is no object, or names one twice.
fn members(text: &str) -> Option<Members> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Members;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
            let mut members = Members::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let members = serde::Deserializer::deserialize_map(&mut json, Visitor).ok()?;
    let is_once = |(number, (key, _)): (usize, &(String, _))| {
        members[..number].iter().all(|(other, _)| other != key)
    };
    members.iter().enumerate().all(is_once).then_some(members)
}

fn value<'m>(members: &'m Members, key: &str) -> Option<&'m RawValue> {
    let found = members.iter().find(|(own, _)| own == key);
    found.map(|(_, value)| &**value)
}

fn read(value: &RawValue) -> Option<Value> {
    serde_json::from_str(value.get()).ok()
}

/// Whether merging `after` into `before` gives `after`.
fn merges(before: &Value, after: &Value) -> bool {
    let merge = |before: &Map<String, Value>, after: &Map<String, Value>| {
        before.iter().all(|(key, before)| {
            let after = after.get(key);
            after.is_some_and(|after| merges(before, after))
        })
    };
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => merge(before, after),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_sent() {
        for (before, after, sent) in [
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, Some(r#"{"b":2}"#)),
            (
                r#"{"a":1.50}"#,
                r#"{"a":1.50,"b":[1]}"#,
                Some(r#"{"b":[1]}"#),
            ),
            (
                r#"{"a":{"b":1},"c":3}"#,
                r#"{"a":{"b":1,"d":2},"c":3}"#,
                Some(r#"{"a":{"b":1,"d":2}}"#),
            ),
            (r#"{"a":[1,2]}"#, r#"{"a":[1]}"#, Some(r#"{"a":[1]}"#)),
            (
                r#"{"a":{"b":1}}"#,
                r#"{"a":[{"b":1}]}"#,
                Some(r#"{"a":[{"b":1}]}"#),
            ),
            (r#"{"a":1}"#, r#"{"a":1}"#, Some("{}")),
            // Something goes.
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, None),
            (r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":1}}"#, None),
            (r#"{"a":{"b":{"c":1}}}"#, r#"{"a":{"b":{"d":1}}}"#, None),
            (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2,"b":3}"#, None),
        ] {
            assert_eq!(partial(before, after).as_deref(), sent, "{before} {after}");
        }
    }
}
