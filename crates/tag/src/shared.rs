//! Putting values into fields that others write as well, and taking exactly those out again.

use std::borrow::Cow;

use event::scan_value;

use crate::Conflict;
use crate::added::{Added, Kind, Shape, kind, leads_to};
use crate::splice::{Change, Changes, Item, items, quoted, rewrite, string};

/// What a profile makes of the hits on one event: values to put into shared fields, in the order in which new fields are
/// written.
#[derive(Default)]
pub(crate) struct Patch(Vec<(&'static str, Vec<String>)>);

impl Patch {
    pub fn push<'v>(&mut self, path: &'static str, values: impl IntoIterator<Item = &'v str>) {
        let mut values = values.into_iter().map(str::to_owned).peekable();
        if values.peek().is_none() {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == path) {
            Some((_, known)) => known.extend(values),
            None => self.0.push((path, values.collect())),
        }
    }
}

/// Values of one field, seen from an object on the way to it.
#[derive(Clone, Copy)]
struct Part<'a> {
    path: &'a str,
    /// What of the path is still to go; empty at the field itself.
    rest: &'a str,
    values: &'a [String],
    /// Whether an object on the way so far is new, so that what is below it has no former shape of its own.
    in_new: bool,
}

impl<'a> Part<'a> {
    fn new(path: &'a str, values: &'a [String]) -> Part<'a> {
        Part {
            path,
            rest: path,
            values,
            in_new: false,
        }
    }

    fn below(self, key: &str) -> Part<'a> {
        Part {
            rest: self.rest.get(key.len() + 1..).unwrap_or_default(),
            ..self
        }
    }

    /// The path so far.
    fn here(self) -> &'a str {
        self.path[..self.path.len() - self.rest.len()].trim_end_matches('.')
    }
}

/// The parts, now that they have come into an object that is new.
fn in_new<'a>(parts: &[Part<'a>]) -> Vec<Part<'a>> {
    parts
        .iter()
        .map(|part| Part {
            in_new: true,
            ..*part
        })
        .collect()
}

/// Where a path goes on from an object.
#[derive(PartialEq)]
enum Place<'a> {
    /// In the member with this index.
    Member(usize),
    /// In a member that does not exist, with this key.
    New(&'a str),
}

impl<'a> Place<'a> {
    /// The member that spells most of the path, the last one if there are several.
    fn of(rest: &'a str, members: &[Item<'_>]) -> Place<'a> {
        let spelling = members
            .iter()
            .enumerate()
            .filter(|(_, member)| leads_to(&member.key, rest));
        match spelling.max_by_key(|(index, member)| (member.key.len(), *index)) {
            Some((index, _)) => Place::Member(index),
            None => Place::New(rest.split('.').next().unwrap_or(rest)),
        }
    }
}

/// The parts that go on at the same place, each seen from there.
fn by_place<'a>(parts: &[Part<'a>], members: &[Item<'_>]) -> Vec<(Place<'a>, Vec<Part<'a>>)> {
    let mut groups: Vec<(Place<'a>, Vec<Part<'a>>)> = Vec::new();
    for part in parts {
        let place = Place::of(part.rest, members);
        let below = match place {
            Place::Member(index) => part.below(&members[index].key),
            Place::New(key) => part.below(key),
        };
        match groups.iter_mut().find(|(known, _)| *known == place) {
            Some((_, group)) => group.push(below),
            None => groups.push((place, vec![below])),
        }
    }
    groups
}

/// The strings at a path.
pub(crate) fn values(event: &str, path: &str) -> Vec<String> {
    let mut text = event;
    let mut part = Part::new(path, &[]);
    while !part.rest.is_empty() {
        let members = members(text);
        let Place::Member(index) = Place::of(part.rest, &members) else {
            return Vec::new();
        };
        part = part.below(&members[index].key);
        text = members[index].value;
    }
    strings(text)
        .into_iter()
        .flatten()
        .map(Cow::into_owned)
        .collect()
}

/// The members of an object; none for any other text.
fn members(text: &str) -> Vec<Item<'_>> {
    if text.trim_start().starts_with('{') {
        items(text)
    } else {
        Vec::new()
    }
}

/// Each value of a field, if it is a string: the elements of a list, or the one value.
fn strings(text: &str) -> Vec<Option<Cow<'_, str>>> {
    match shape(text) {
        None => items(text).iter().map(|item| string(item.value)).collect(),
        Some(Shape::Single) => vec![string(text)],
        Some(Shape::Absent | Shape::Null) => Vec::new(),
    }
}

/// The shape of a value; none if it is a list.
fn shape(value: &str) -> Option<Shape> {
    match value.as_bytes().first() {
        None => Some(Shape::Absent),
        Some(b'n') => Some(Shape::Null),
        Some(b'[') => None,
        Some(_) => Some(Shape::Single),
    }
}

/// Puts values into an event, where they are not there already.
pub(crate) fn add(event: &str, patch: &Patch) -> Result<(String, Added), Conflict> {
    let parts: Vec<Part<'_>> = patch
        .0
        .iter()
        .map(|(path, values)| Part::new(path, values))
        .collect();
    let mut added = Added::default();
    let text = add_to_object(event, &parts, &mut added)?;
    match added.deepened() {
        Some(field) if scan_value(text.as_bytes(), 0).is_err() => Err(Conflict(field)), // nested too deep now
        _ => Ok((text, added)),
    }
}

fn add_to_object(text: &str, parts: &[Part<'_>], added: &mut Added) -> Result<String, Conflict> {
    let members = members(text);
    let mut changes = Changes::new();
    let mut append = Vec::new();
    for (place, parts) in by_place(parts, &members) {
        match place {
            Place::Member(index) => {
                if let Some(value) = add_to_value(members[index].value, &parts, added)? {
                    changes.insert(index, Change::Value(value));
                }
            }
            Place::New(key) => {
                if let Some(value) = add_to_value("", &parts, added)? {
                    append.push(format!("{}:{value}", quoted(key)));
                }
            }
        }
    }
    Ok(rewrite(text, &members, &changes, &append))
}

/// The new value of a field, or of an object on the way to some; none if it stays.
fn add_to_value(
    value: &str,
    parts: &[Part<'_>],
    added: &mut Added,
) -> Result<Option<String>, Conflict> {
    let Some(first) = parts.first() else {
        return Ok(None);
    };
    if first.rest.is_empty() {
        return add_to_field(value, *first, added);
    }
    if value.starts_with('{') {
        return add_to_object(value, parts, added).map(Some);
    }
    match shape(value) {
        Some(shape @ (Shape::Absent | Shape::Null)) => {
            if !first.in_new {
                added.was(first.here(), shape);
            }
            add_to_object("{}", &in_new(parts), added).map(Some)
        }
        _ if leads_to("outliers", first.path) => Err(Conflict("outliers")),
        _ => Ok(None),
    }
}

fn add_to_field(
    value: &str,
    part: Part<'_>,
    added: &mut Added,
) -> Result<Option<String>, Conflict> {
    let kind = kind(part.path).unwrap_or(Kind::Set);
    let new = match kind {
        Kind::Set | Kind::Text => missing(value, part.values),
        Kind::Bag | Kind::Count => part.values.to_vec(),
    };
    if new.is_empty() {
        return Ok(None);
    }
    let list: Vec<String> = new.iter().map(|value| quoted(value)).collect();
    let shape = shape(value);
    let text = match (kind, shape) {
        (Kind::Count, _) => counted(value, &new, u64::checked_add).ok_or(Conflict("outliers"))?,
        (Kind::Text, Some(Shape::Absent)) => list.join(","),
        (_, Some(Shape::Absent | Shape::Null)) => format!("[{}]", list.join(",")),
        (_, Some(Shape::Single)) => format!("[{value},{}]", list.join(",")),
        (_, None) => rewrite(value, &items(value), &Changes::new(), &list),
    };
    if let Some(shape) = shape.filter(|_| !part.in_new) {
        added.was(part.path, shape);
    }
    added.set(part.path, new);
    Ok(Some(text))
}

/// Those of the values that a field does not have, each once.
fn missing(value: &str, values: &[String]) -> Vec<String> {
    let present = strings(value);
    let mut missing: Vec<String> = Vec::new();
    for value in values {
        if !missing.contains(value) && !present.iter().flatten().any(|present| present == value) {
            missing.push(value.clone());
        }
    }
    missing
}

/// A count in the event, combined with one of ours.
fn counted(value: &str, ours: &[String], combine: fn(u64, u64) -> Option<u64>) -> Option<String> {
    let count = match shape(value) {
        Some(Shape::Absent | Shape::Null) => 0,
        _ => value.parse().ok()?,
    };
    combine(count, ours.first()?.parse().ok()?).map(|count| count.to_string())
}

/// Takes out what was added, and says whether all of it was still there.
pub(crate) fn subtract(event: &str, added: &Added) -> (String, bool) {
    let parts: Vec<Part<'_>> = added
        .values
        .iter()
        .map(|(path, values)| Part::new(path, values))
        .collect();
    let mut subtraction = Subtraction { added, whole: true };
    let text = subtraction.object(event, &parts);
    (text, subtraction.whole)
}

struct Subtraction<'a> {
    added: &'a Added,
    /// Whether all was there so far.
    whole: bool,
}

impl Subtraction<'_> {
    fn object(&mut self, text: &str, parts: &[Part<'_>]) -> String {
        let members = members(text);
        let mut changes = Changes::new();
        for (place, parts) in by_place(parts, &members) {
            let change = match place {
                Place::Member(index) => self
                    .value(members[index].value, &parts)
                    .map(|change| (index, change)),
                Place::New(_) => None,
            };
            self.whole &= change.is_some();
            changes.extend(change);
        }
        rewrite(text, &members, &changes, &[])
    }

    /// What becomes of a field, or of an object on the way to some; none if nothing was found there.
    fn value(&mut self, value: &str, parts: &[Part<'_>]) -> Option<Change> {
        let first = *parts.first()?;
        if first.rest.is_empty() {
            return match kind(first.path)? {
                Kind::Count => self.count(value, first),
                Kind::Set | Kind::Text | Kind::Bag => self.field(value, first),
            };
        }
        if !value.starts_with('{') {
            return None;
        }
        let former = self.added.former(first.here(), first.in_new);
        let left = match former {
            Some(_) => self.object(value, &in_new(parts)),
            None => self.object(value, parts),
        };
        Some(if items(&left).is_empty() {
            emptied(former, left)
        } else {
            Change::Value(left)
        })
    }

    fn count(&self, value: &str, part: Part<'_>) -> Option<Change> {
        let left = counted(value, part.values, u64::checked_sub)?;
        let former = self.added.former(part.path, part.in_new);
        Some(if left == "0" {
            emptied(former, left)
        } else {
            Change::Value(left)
        })
    }

    /// Of a value that is there several times the last one goes: ours were added behind the others.
    fn field(&mut self, value: &str, part: Part<'_>) -> Option<Change> {
        let present = strings(value);
        let mut taken = Changes::new();
        for ours in part.values.iter().rev() {
            let is_ours = |at: &usize| {
                present[*at].as_deref() == Some(ours.as_str()) && !taken.contains_key(at)
            };
            let found = (0..present.len()).rev().find(is_ours);
            self.whole &= found.is_some();
            taken.extend(found.map(|index| (index, Change::Drop)));
        }
        if taken.is_empty() {
            return None;
        }
        let former = self.added.former(part.path, part.in_new);
        if shape(value).is_some() {
            return Some(emptied(former, "[]".to_owned()));
        }
        let elements = items(value);
        let left = rewrite(value, &elements, &taken, &[]);
        Some(match (items(&left).as_slice(), former) {
            ([], _) => emptied(former, left),
            ([only], Some(Shape::Single)) => Change::Value(only.value.to_owned()),
            _ => Change::Value(left),
        })
    }
}

/// What becomes of something that holds nothing any more and would be written as `empty`.
fn emptied(former: Option<Shape>, empty: String) -> Change {
    match former {
        Some(Shape::Absent) => Change::Drop,
        Some(Shape::Null) => Change::Value("null".to_owned()),
        Some(Shape::Single) | None => Change::Value(empty),
    }
}
