//! Outliers: what they say, and how they come into their events.

use crate::config::Config;
use crate::fields::{Fields, words};
use crate::models::Tells;
use crate::use_case::UseCase;
use crate::value::{Case, Found, Members, Value};
use crate::whitelist::collect;
use crate::wrap::wrap;
use crate::{Mode, python};
use std::borrow::Cow;
use std::collections::HashSet;
use store::Document;
use tag::splice::{Change, Changes, items, rewrite};

/// The tag of an event that has outliers.
const TAG: &str = "outlier";

const OUTLIERS: &str = "outliers";

/// The number of outliers of an event: the one value that is no list.
const TOTAL: &str = "total_outliers";

/// Why an event cannot take outliers.
pub(crate) const IN_THE_WAY: &str = "`outliers` is there already, and is no object";

/// An outlier.
#[derive(Debug)]
pub(crate) struct Outlier {
    members: Members<'static>,
}

impl Outlier {
    /// What a use case says of an event.
    pub(crate) fn new(
        use_case: &UseCase,
        config: &Config,
        fields: &Fields<'_>,
        tells: &Tells,
    ) -> Outlier {
        let mut own: Tells = vec![
            ("model_name".into(), use_case.name.as_str().into()),
            ("model_type".into(), use_case.model.into()),
        ];
        own.extend(tells.iter().cloned());
        let list = |template: &str| {
            let text = fields.fill(template, &own);
            let parts = text.split(',').map(|part| Value::from(part.trim()));
            Value::List(parts.collect())
        };
        let summary = wrap(&fields.fill(&use_case.summary, &own));
        let mut outlier = Outlier {
            members: vec![
                ("type".into(), list(&use_case.types)),
                ("reason".into(), list(&use_case.reasons)),
                ("summary".into(), summary.into()),
            ],
        };
        let assets = assets(config, fields);
        if !assets.is_empty() {
            outlier.put("assets".into(), Value::List(assets));
        }
        for (key, value) in &use_case.more {
            outlier.put(key.clone().into(), value.as_str().into());
        }
        for (key, value) in tells {
            outlier.put(key.clone(), value.clone());
        }
        for (key, value) in own.into_iter().take(2) {
            outlier.put(key, value);
        }
        for (name, value) in &fields.derived {
            outlier.put(format!("derived_{name}").into(), value.clone());
        }
        outlier
    }

    fn put(&mut self, key: Cow<'static, str>, value: Value<'static>) {
        match self.members.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.members.push((key, value)),
        }
    }

    fn text(&self, key: &str) -> String {
        let found = self.members.iter().find(|(known, _)| known == key);
        found.map_or_else(String::new, |(_, value)| python::str(value))
    }

    /// What it says in short.
    pub(crate) fn summary(&self) -> String {
        self.text("summary")
    }

    /// What decided, as `; metric 12.0; decision_frontier 9.5`.
    pub(crate) fn facts(&self) -> String {
        const FACTS: [&str; 7] = [
            "metric",
            "term_count",
            "num_target_value_in_window",
            "decision_frontier",
            "confidence",
            "start_time_window",
            "end_time_window",
        ];
        let facts = FACTS.iter().filter_map(|fact| {
            let found = self.members.iter().find(|(key, _)| key == fact);
            found.map(|(key, value)| format!("; {key} {}", python::str(value)))
        });
        facts.collect()
    }

    /// What a whitelist compares: the values of the outlier, those of the event, and where the event lies.
    pub(crate) fn values(
        &self,
        document: &Document,
        fields: &Fields<'_>,
        mode: Mode,
    ) -> HashSet<String> {
        let mut values: HashSet<String> = [&document.index, &document.id]
            .into_iter()
            .cloned()
            .collect();
        if mode == Mode::Compat {
            // The score, which hits of a scroll do not have, and the type, which there was.
            values.extend(["None".to_owned(), "_doc".to_owned()]);
        }
        for (_, value) in self.members.iter().chain(&own(&fields.derived)) {
            collect(value, &mut values);
        }
        collect(&Value::read(&document.source), &mut values);
        values
    }

    /// Whether an event has it already: an outlier of this summary and of the same use case. In compat mode the summary
    /// alone decides.
    fn is_in(&self, outliers: &Members<'_>, mode: Mode) -> bool {
        let list = |key: &str| {
            let found = outliers.iter().find(|(known, _)| known == key);
            found.map_or_else(Vec::new, |(_, value)| words(value))
        };
        let names = ["summary", "model_name", "model_type"];
        let [summaries, models, types] = names.map(list);
        let [summary, model, model_type] = names.map(|name| self.text(name));
        if mode == Mode::Compat {
            return summaries.contains(&summary);
        }
        if models.len() == summaries.len() && types.len() == summaries.len() {
            let mut all = summaries.iter().zip(&models).zip(&types);
            return all.any(|((a, b), c)| (a, b, c) == (&summary, &model, &model_type));
        }
        summaries.contains(&summary) && models.contains(&model)
    }
}

fn own(derived: &[(String, Value<'static>)]) -> Members<'static> {
    let derived = derived.iter().cloned();
    derived.map(|(name, value)| (name.into(), value)).collect()
}

fn assets(config: &Config, fields: &Fields<'_>) -> Vec<Value<'static>> {
    let mut assets = Vec::new();
    for (field, kind) in &config.assets {
        if let Found::Value(value) = fields.get(field, Case::Ignored) {
            let words = words(&value).into_iter().filter(|word| !word.is_empty());
            assets.extend(words.map(|word| Value::from(format!("{kind}: {word}"))));
        }
    }
    assets
}

/// The text of an event with these outliers; none if it has them all.
pub(crate) fn add<'o>(
    source: &str,
    outliers: impl Iterator<Item = &'o Outlier>,
    mode: Mode,
) -> Result<Option<String>, &'static str> {
    let members = items(source);
    let place = |name: &str| members.iter().rposition(|member| member.key == name);
    let known = place(OUTLIERS).map(|place| Value::read(members[place].value));
    let mut all = match known {
        None | Some(Value::Null) => Members::new(),
        Some(Value::Object(all)) => all,
        Some(_) => return Err(IN_THE_WAY),
    };
    let mut is_changed = false;
    for outlier in outliers {
        if !outlier.is_in(&all, mode) {
            merge(&mut all, outlier);
            is_changed = true;
        }
    }
    if !is_changed {
        return Ok(None);
    }
    let mut changes = Changes::new();
    let mut append = Vec::new();
    let mut set = |name: &str, json: String| match place(name) {
        Some(place) => drop(changes.insert(place, Change::Value(json))),
        None => append.push(format!("\"{name}\":{json}")),
    };
    let tags = place("tags").map(|place| members[place].value);
    if let Some(tags) = tagged(tags, mode) {
        set("tags", tags);
    }
    set(OUTLIERS, Value::Object(all).json());
    Ok(Some(rewrite(source, &members, &changes, &append)))
}

/// Whether an event has an outlier of this use case.
pub(crate) fn has(source: &str, name: &str, model: &str) -> bool {
    let members = items(source);
    let known = members.iter().rfind(|member| member.key == OUTLIERS);
    let Some(Value::Object(all)) = known.map(|member| Value::read(member.value)) else {
        return false;
    };
    let list = |key: &str| {
        let found = all.iter().find(|(known, _)| known == key);
        found.map_or_else(Vec::new, |(_, value)| words(value))
    };
    let (names, models) = (list("model_name"), list("model_type"));
    let mut pairs = names.iter().zip(&models);
    pairs.any(|(own, kind)| (&**own, &**kind) == (name, model))
}

/// The tags with ours among them; none if it is there.
fn tagged(tags: Option<&str>, mode: Mode) -> Option<String> {
    let ours = Value::from(TAG);
    let tags = match tags.map(Value::read) {
        None | Some(Value::Null) => return Some(Value::List(vec![ours]).json()),
        Some(tags) => tags,
    };
    match tags {
        Value::List(list) if list.contains(&ours) => None,
        Value::List(list) => {
            let text = Value::List(list.into_iter().chain([ours]).collect());
            Some(text.json())
        }
        // In ee-outliers any text that contains ours.
        Value::Text(text) if text == TAG || mode == Mode::Compat && text.contains(TAG) => None,
        single => Some(Value::List(vec![single, ours]).json()),
    }
}

fn merge<'a>(all: &mut Members<'a>, outlier: &Outlier) {
    for (key, value) in outlier.members.iter().filter(|(key, _)| key != TOTAL) {
        let more = match value {
            Value::List(list) => list.clone(),
            single => vec![single.clone()],
        };
        match all.iter_mut().find(|(known, _)| known == key) {
            Some((_, Value::List(list))) => list.extend(more),
            Some((_, known)) => {
                let first = std::mem::replace(known, Value::Null);
                *known = Value::List(std::iter::once(first).chain(more).collect());
            }
            None => all.push((key.clone(), Value::List(more))),
        }
    }
    let total = all.iter_mut().find(|(known, _)| known == TOTAL);
    match total {
        Some((_, total)) => {
            let count: usize = python::str(total).parse().unwrap_or(0);
            *total = Value::from(count + 1);
        }
        None => all.push((TOTAL.into(), Value::from(1usize))),
    }
}

/// The text of an event without any outlier; none if it has none.
pub(crate) fn remove(source: &str) -> Option<String> {
    let members = items(source);
    let mut changes = Changes::new();
    for (place, member) in members.iter().enumerate() {
        if member.key == OUTLIERS {
            changes.insert(place, Change::Drop);
        }
        if member.key == "tags"
            && let Value::List(list) = Value::read(member.value)
        {
            let ours = Value::from(TAG);
            if list.contains(&ours) {
                let rest = list.into_iter().filter(|tag| *tag != ours);
                let rest = Value::List(rest.collect()).json();
                changes.insert(place, Change::Value(rest));
            }
        }
    }
    (!changes.is_empty()).then(|| rewrite(source, &members, &changes, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlier(summary: &str, model: &str, more: &[(&'static str, &str)]) -> Outlier {
        let mut members: Members<'static> = vec![
            ("type".into(), Value::read("[\"a\",\"b\"]").into_owned()),
            ("summary".into(), summary.into()),
            ("model_name".into(), model.into()),
            ("model_type".into(), "terms".into()),
        ];
        let more = more.iter();
        members.extend(more.map(|(key, json)| ((*key).into(), Value::read(json).into_owned())));
        Outlier { members }
    }

    fn added(source: &str, outliers: &[Outlier], mode: Mode) -> Option<String> {
        add(source, outliers.iter(), mode).unwrap()
    }

    #[test]
    fn the_first_outlier_makes_the_object_and_leaves_the_rest_as_it_is() {
        let outlier = outlier(
            "s",
            "m",
            &[("metric", "1.0"), ("sample", "[]"), ("opt", "null")],
        );
        let text = added(
            "{ \"n\": 1.50 , \"tags\": [\"x\"]}",
            &[outlier],
            Mode::Strict,
        )
        .unwrap();
        assert_eq!(
            text,
            "{ \"n\": 1.50 , \"tags\": [\"x\",\"outlier\"],\"outliers\":{\"type\":[\"a\",\"b\"],\"summary\":[\"s\"],\
             \"model_name\":[\"m\"],\"model_type\":[\"terms\"],\"metric\":[1.0],\"sample\":[],\"opt\":[null],\"total_outliers\":1}}"
        );
        assert_eq!(remove(&text).unwrap(), "{ \"n\": 1.50 , \"tags\": [\"x\"]}");
    }

    #[test]
    fn further_outliers_are_put_behind_and_known_ones_are_not() {
        let both = [outlier("s", "m", &[]), outlier("t", "m", &[("extra", "7")])];
        let text = added("{}", &both, Mode::Strict).unwrap();
        assert!(
            text.contains(r#""type":["a","b","a","b"],"summary":["s","t"]"#),
            "{text}"
        );
        assert!(text.contains(r#""total_outliers":2,"extra":[7]"#), "{text}");
        assert_eq!(added(&text, &both, Mode::Strict), None);
        // The same summary of another use case: ee-outliers loses it.
        let other = [outlier("s", "other", &[])];
        assert_eq!(added(&text, &other, Mode::Compat), None);
        let three = added(&text, &other, Mode::Strict).unwrap();
        assert!(three.contains(r#""total_outliers":3"#), "{three}");
        assert_eq!(added(&three, &other, Mode::Strict), None);
        // Twice at once.
        let twice = [outlier("s", "m", &[]), outlier("s", "m", &[])];
        assert!(
            added("{}", &twice, Mode::Strict)
                .unwrap()
                .contains(r#""total_outliers":1"#)
        );
    }

    #[test]
    fn tags_of_any_shape_are_kept() {
        for (tags, strict, compat) in [
            ("null", Some("[\"outlier\"]"), Some("[\"outlier\"]")),
            ("[\"outlier\"]", None, None),
            ("\"outlier\"", None, None),
            (
                "\"my outliers\"",
                Some("[\"my outliers\",\"outlier\"]"),
                None,
            ),
            (
                "\"x\"",
                Some("[\"x\",\"outlier\"]"),
                Some("[\"x\",\"outlier\"]"),
            ),
        ] {
            assert_eq!(
                tagged(Some(tags), Mode::Strict).as_deref(),
                strict,
                "{tags}"
            );
            assert_eq!(
                tagged(Some(tags), Mode::Compat).as_deref(),
                compat,
                "{tags}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        let outlier = [outlier("s", "m", &[])];
        for text in [r#"{"outliers":"many"}"#, r#"{"outliers":[1]}"#] {
            assert_eq!(add(text, outlier.iter(), Mode::Strict), Err(IN_THE_WAY));
        }
        assert!(added(r#"{"outliers":null}"#, &outlier, Mode::Strict).is_some());
        assert_eq!(remove(r#"{"a":1,"tags":"outlier"}"#), None);
    }
}
