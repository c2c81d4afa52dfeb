//! The values that documents have in a field, as sorting and aggregations see them.
//!
//! They come from the columns, and from the documents themselves where a column does not have them.

use super::document::Document;
use super::index::{Segment, Store, Texts};
use super::mapping::{Column, Kind, number};
use super::select::is_within;
use crate::StoreError;
use event::Event;
use jiff::Timestamp;
use predicate::{Missing, date_millis, lower, text_of};
use query::Type;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;
use tantivy::DocId;
use tantivy::columnar::Column as Numbers;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Text(Arc<str>),
    Integer(i64),
    Float(f64),
    /// Milliseconds since 1970.
    Date(i64),
    Boolean(bool),
}

impl Item {
    /// As a number; texts have none.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Item::Text(_) => None,
            Item::Integer(number) | Item::Date(number) => Some(*number as f64),
            Item::Float(number) => Some(*number),
            Item::Boolean(value) => Some(f64::from(u8::from(*value))),
        }
    }

    /// As the key of a bucket, or in what a hit was sorted by.
    pub(crate) fn json(&self) -> Value {
        match self {
            Item::Text(text) => Value::from(&**text),
            Item::Integer(number) | Item::Date(number) => Value::from(*number),
            Item::Float(number) => Value::from(*number),
            Item::Boolean(value) => Value::from(i64::from(*value)),
        }
    }

    /// As the key of a bucket in words, where there is one beside the key.
    pub(crate) fn words(&self) -> Option<String> {
        match self {
            Item::Text(_) | Item::Integer(_) | Item::Float(_) => None,
            Item::Date(millis) => Some(date_text(*millis)),
            Item::Boolean(value) => Some(value.to_string()),
        }
    }

    /// Reads what a request says, as a value of this kind.
    pub(crate) fn read(json: &Value, kind: Kind) -> Option<Item> {
        let text = match json {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => json.to_string(),
            _ => return None,
        };
        Item::of_text(&text, kind)
    }

    fn of_text(text: &str, kind: Kind) -> Option<Item> {
        match kind {
            Kind::String | Kind::Ip => Some(Item::Text(text.into())),
            Kind::Integer(..) => {
                let whole = text.parse().ok();
                let cut = || number(text).map(|number| number.trunc() as i64);
                whole.or_else(cut).map(Item::Integer)
            }
            Kind::Float { is_single } => number(text).map(|number| Item::float(number, is_single)),
            Kind::Date => date_millis(text, Missing::Earliest).map(Item::Date),
            Kind::Boolean => match text {
                "true" | "1" => Some(Item::Boolean(true)),
                "false" | "" | "0" => Some(Item::Boolean(false)),
                _ => None,
            },
            Kind::Opaque => None,
        }
    }

    fn float(number: f64, is_single: bool) -> Item {
        Item::Float(if is_single {
            f64::from(number as f32)
        } else {
            number
        })
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Item) -> Ordering {
        match (self, other) {
            (Item::Text(a), Item::Text(b)) => a.cmp(b),
            (Item::Text(_), _) => Ordering::Greater,
            (_, Item::Text(_)) => Ordering::Less,
            (Item::Integer(a) | Item::Date(a), Item::Integer(b) | Item::Date(b)) => a.cmp(b),
            (a, b) => {
                let (a, b) = (a.number().unwrap_or(0.0), b.number().unwrap_or(0.0));
                a.total_cmp(&b)
            }
        }
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Item) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Item {}

/// A date as `strict_date_time` writes it.
pub(crate) fn date_text(millis: i64) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(date) => format!("{date:.3}"),
        Err(_) => millis.to_string(),
    }
}

/// Reads the values of one field in one segment.
pub(crate) struct Reader<'s> {
    segment: Segment<'s>,
    field: String,
    column: Column,
    ignore_above: usize,
    lowercase: bool,
    values: Values,
    /// The documents that have to be asked.
    ignored: BTreeSet<DocId>,
    store: Store<'s>,
}

/// How many documents have each text.
pub(crate) struct Counted {
    pub(crate) texts: Vec<(Arc<str>, u64)>,
    /// How many have none.
    pub(crate) without: u64,
}

enum Values {
    None,
    Texts {
        column: Texts,
        /// The text of each number; none where it is longer than the field has them.
        known: Vec<Option<Arc<str>>>,
    },
    Integers(Numbers<i64>),
    Floats(Numbers<f64>),
}

/// What a field is to sorting and aggregations, in one index.
pub(crate) fn kind_of(
    segment_of: &super::index::Snapshot,
    name: &str,
) -> Result<Option<Kind>, String> {
    let Some(named) = segment_of.mapping.named(name) else {
        return Ok(None);
    };
    let kind = segment_of
        .mapping
        .fields()
        .get(&named.field)
        .map(|column| column.kind);
    match (&named.kind, kind) {
        (Type::Text, _) => Err(format!(
            "`{name}` is a text, which has words only: use a keyword, as `{name}.keyword`"
        )),
        (Type::Other(other), _) => Err(format!("`{name}` is {other}")),
        (_, kind) => Ok(kind),
    }
}

impl<'s> Reader<'s> {
    /// A reader for the field that a request calls `name`; none if the index does not have it.
    pub(crate) fn open(segment: Segment<'s>, name: &str) -> Result<Option<Reader<'s>>, StoreError> {
        let mapping = &segment.snapshot.mapping;
        let Some(named) = mapping.named(name) else {
            return Ok(None);
        };
        let Some(column) = mapping.fields().get(&named.field).copied() else {
            return Ok(None);
        };
        let (ignore_above, lowercase) = match named.kind {
            Type::Keyword {
                ignore_above,
                lowercase,
            } => (ignore_above, lowercase),
            Type::Wildcard { ignore_above } => (ignore_above, false),
            _ => (usize::MAX, false),
        };
        let mut reader = Reader {
            segment,
            field: named.field.clone(),
            column,
            ignore_above,
            lowercase,
            values: Values::None,
            ignored: segment.ignored(column.number)?.into_iter().collect(),
            store: segment.store()?,
        };
        // A text that no column holds is longer than this field takes.
        if matches!(column.kind, Kind::String | Kind::Ip)
            && ignore_above < super::mapping::LONGEST_CELL / 3
        {
            reader.ignored.clear();
        }
        reader.values = match column.kind {
            Kind::String | Kind::Ip => match segment.texts(column)? {
                Some(texts) => {
                    let mut known = vec![None; texts.distinct()];
                    texts.for_each(&mut |number, text| {
                        known[number as usize] = reader.text(text);
                    })?;
                    Values::Texts {
                        column: texts,
                        known,
                    }
                }
                None => Values::None,
            },
            Kind::Float { .. } => segment.floats(column)?.map_or(Values::None, Values::Floats),
            _ => segment
                .integers(column)?
                .map_or(Values::None, Values::Integers),
        };
        Ok(Some(reader))
    }

    fn text(&self, text: &str) -> Option<Arc<str>> {
        is_within(text, self.ignore_above).then(|| match self.lowercase {
            true => lower(text).into(),
            false => text.into(),
        })
    }

    /// The values of a document, sorted; `distinct`: each once.
    pub(crate) fn values(
        &self,
        doc: DocId,
        distinct: bool,
        items: &mut Vec<Item>,
    ) -> Result<(), StoreError> {
        items.clear();
        let kind = self.column.kind;
        if !self.ignored.is_empty() && self.ignored.contains(&doc) {
            let stored = self.store.get(doc)?;
            if let Ok(event) = Event::parse(stored.source.as_bytes()) {
                let document = Document::new(&self.segment.snapshot.name, &stored.id, event);
                for value in document.values(&self.field) {
                    let text = text_of(value).filter(|_| kind.takes(value));
                    let item = text.and_then(|text| Item::of_text(&text, kind));
                    items.extend(match item {
                        Some(Item::Text(text)) => self.text(&text).map(Item::Text),
                        other => other,
                    });
                }
            }
        } else {
            match &self.values {
                Values::None => {}
                Values::Texts { column, known } => {
                    let numbers = column.numbers().values_for_doc(doc);
                    let texts = numbers.filter_map(|number| known[number as usize].clone());
                    items.extend(texts.map(Item::Text));
                }
                Values::Integers(column) => {
                    let numbers = column.values_for_doc(doc);
                    items.extend(numbers.map(|number| match kind {
                        Kind::Date => Item::Date(number),
                        Kind::Boolean => Item::Boolean(number != 0),
                        _ => Item::Integer(number),
                    }));
                }
                Values::Floats(column) => {
                    let is_single = kind == Kind::Float { is_single: true };
                    let numbers = column.values_for_doc(doc);
                    items.extend(numbers.map(|number| Item::float(number, is_single)));
                }
            }
        }
        if items.len() > 1 {
            items.sort_unstable();
            // A server holds each text once, but each number.
            if distinct || matches!(kind, Kind::String | Kind::Ip) {
                items.dedup();
            }
        }
        Ok(())
    }

    /// Counts the documents of each distinct text at once, where that can be done.
    pub(crate) fn count_texts(&self, docs: &mut dyn Iterator<Item = DocId>) -> Option<Counted> {
        let Values::Texts { column, known } = &self.values else {
            return None;
        };
        if !self.ignored.is_empty() || self.lowercase {
            return None;
        }
        let mut counts = vec![0u64; known.len()];
        let mut without = 0;
        let mut numbers: Vec<u64> = Vec::new();
        for doc in docs {
            numbers.clear();
            numbers.extend(column.numbers().values_for_doc(doc));
            if numbers.len() > 1 {
                numbers.sort_unstable();
                numbers.dedup();
            }
            numbers.retain(|number| known[*number as usize].is_some());
            without += u64::from(numbers.is_empty());
            for number in &numbers {
                counts[*number as usize] += 1;
            }
        }
        let texts = known.iter().zip(counts);
        let counted = texts.filter_map(|(text, count)| match (text, count) {
            (Some(text), 1..) => Some((text.clone(), count)),
            _ => None,
        });
        Some(Counted {
            texts: counted.collect(),
            without,
        })
    }
}
