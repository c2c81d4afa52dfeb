//! What an index says of its fields.

mod mapping;

pub use mapping::SchemaError;
pub(crate) use mapping::is_iso;

use crate::asked::METADATA;
use predicate::{Analysis, Field, glob};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

/// The fields of an index and their types: what Elasticsearch calls the mapping of an index.
///
/// ```
/// use query::{Schema, Type};
/// use serde_json::json;
///
/// let schema = Schema::from_json(&json!({"mappings": {"dynamic": "strict", "properties": {
///     "name": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
/// }}})).unwrap();
/// assert_eq!(schema.kind("name"), Some(&Type::Text));
/// assert_eq!(schema.kind("name.keyword"), Some(&Type::Keyword { ignore_above: 256, lowercase: false }));
/// assert_eq!(schema.kind("other"), None);
/// ```
///
/// A field that is not mapped has no values in an index, so a query on it finds nothing. A schema that takes new fields
/// ([dynamic](Schema::dynamic)) knows the type that such a field gets: that of a string, since the type of the values that
/// will come is not known. So a number in a field that is mapped nowhere is taken for its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// By the names that queries use, those of multi-fields included.
    fields: BTreeMap<String, Mapped>,
    /// What fields become that are not there yet, the first that applies.
    templates: Vec<Template>,
    /// Whether new fields under these names stay out of the index; the longest name counts.
    closed: BTreeMap<String, bool>,
}

/// A mapped field.
#[derive(Clone, Debug, PartialEq)]
struct Mapped {
    /// Where its values stand in an event: for a multi-field, at its parent; for an alias, at its target.
    path: String,
    kind: Type,
}

/// The type that new fields of some names get.
#[derive(Clone, Debug, PartialEq)]
struct Template {
    /// What its path is like; `*` stands for any characters,
    names: String,
    /// and what the last name in it is like.
    last: String,
    kind: Type,
    /// The multi-fields of such a field.
    fields: Vec<(String, Type)>,
}

/// The type of a field, as far as it decides what a query on it means.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `keyword` and `constant_keyword`: the value is one term, unless it is longer than so many UTF-16 units.
    Keyword {
        /// That length; `usize::MAX` if there is none.
        ignore_above: usize,
        /// Whether the normalizer `lowercase` lowers it.
        lowercase: bool,
    },
    /// `wildcard`: as a keyword, kept in another way.
    Wildcard {
        /// The length beyond which a value is left out.
        ignore_above: usize,
    },
    /// `text` and `match_only_text`, with the analyzer `standard`.
    Text,
    /// `long`, `double` and the like.
    Number,
    /// `date` and `date_nanos`.
    Date,
    /// `boolean`.
    Boolean,
    /// `ip`.
    Ip,
    /// Something that cannot be asked here; why.
    Other(String),
}

/// A field as a query names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known<'s> {
    /// Where its values stand in an event.
    pub(crate) path: String,
    pub(crate) kind: &'s Type,
}

/// The fields that a name with a `*` in it stands for.
pub(crate) struct Like<'s> {
    /// Those that are mapped, by their names.
    pub(crate) mapped: Vec<(String, Known<'s>)>,
    /// The types that those get which are not mapped yet.
    pub(crate) new: Vec<&'s Type>,
}

impl Known<'_> {
    pub(crate) fn field(&self) -> Field {
        Field::path(&self.path)
    }
}

impl Type {
    /// How its values become terms; `None` if they do not.
    pub(crate) fn analysis(&self) -> Option<Analysis> {
        match *self {
            Type::Keyword {
                ignore_above,
                lowercase,
            } => Some(Analysis::Whole {
                ignore_above,
                lowercase,
            }),
            Type::Wildcard { ignore_above } => Some(Analysis::Whole {
                ignore_above,
                lowercase: false,
            }),
            Type::Text => Some(Analysis::Words),
            Type::Number | Type::Date | Type::Boolean | Type::Ip | Type::Other(_) => None,
        }
    }

    /// The length beyond which a value is not in the index.
    pub(crate) fn ignore_above(&self) -> usize {
        match self {
            Type::Keyword { ignore_above, .. } | Type::Wildcard { ignore_above } => *ignore_above,
            _ => usize::MAX,
        }
    }
}

/// The dates that every schema made here knows.
const DATES: [&str; 5] = [
    "@timestamp",
    "event.created",
    "event.end",
    "event.ingested",
    "event.start",
];

/// A keyword as the templates of Beats and ECS have it.
const KEYWORD: Type = Type::Keyword {
    ignore_above: 1_024,
    lowercase: false,
};

impl Schema {
    /// An index as Beats and ECS make it: every field is a keyword up to 1,024 UTF-16 units, but for the dates
    /// (`@timestamp`, `event.created`, `event.end`, `event.ingested`, `event.start`).
    pub fn keywords() -> Schema {
        Schema::open(KEYWORD, Vec::new())
    }

    /// An index without a mapping, as Elasticsearch makes it: every field is a text with a keyword `.keyword` up to 256
    /// UTF-16 units beside it, but for the same dates as in [`Schema::keywords`].
    pub fn dynamic() -> Schema {
        Schema::open(Type::Text, vec![keyword_beside_text()])
    }

    /// This schema without fields that are not mapped: an index as it stands, in which nothing else can be found.
    pub fn as_it_stands(mut self) -> Schema {
        self.templates.clear();
        self
    }

    fn open(kind: Type, fields: Vec<(String, Type)>) -> Schema {
        let dates = DATES.map(|name| {
            let date = Mapped {
                path: name.to_owned(),
                kind: Type::Date,
            };
            (name.to_owned(), date)
        });
        Schema {
            fields: dates.into(),
            templates: vec![Template {
                names: "*".to_owned(),
                last: "*".to_owned(),
                kind,
                fields,
            }],
            closed: BTreeMap::new(),
        }
    }

    /// The type of the field that a query calls `name`; `None` if there is none, so that nothing is found in it.
    pub fn kind(&self, name: &str) -> Option<&Type> {
        self.known(name).map(|known| known.kind)
    }

    /// What is known of the field that a query calls `name`.
    pub(crate) fn known(&self, name: &str) -> Option<Known<'_>> {
        if let Some(mapped) = self.fields.get(name) {
            return Some(mapped.known());
        }
        // A multi-field of a field that would be made.
        if let Some((parent, last)) = name.rsplit_once('.')
            && let Some(template) = self.template(parent)
            && let Some((_, kind)) = template.fields.iter().find(|(field, _)| field == last)
        {
            let path = parent.to_owned();
            return Some(Known { path, kind });
        }
        let path = name.to_owned();
        let kind = &self.template(name)?.kind;
        Some(Known { path, kind })
    }

    /// The template for a new field.
    fn template(&self, name: &str) -> Option<&Template> {
        // A field with fields of its own is no object, and a mapped name takes no template.
        let ends = name.match_indices('.').map(|(at, _)| &name[..at]);
        let is_open = ends
            .clone()
            .filter_map(|parent| self.closed.get(parent))
            .next_back()
            .or_else(|| self.closed.get(""))
            .is_none_or(|closed| !closed);
        let is_leaf = |parent: &str| {
            let mapped = self.fields.get(parent);
            mapped.is_some_and(|mapped| !matches!(mapped.kind, Type::Other(_)))
        };
        let is_below_a_field = || ends.clone().any(is_leaf);
        if !is_open || self.fields.contains_key(name) || is_below_a_field() {
            return None;
        }
        let mut templates = self.templates.iter();
        let last = name.rsplit('.').next().unwrap_or(name);
        templates.find(|template| glob(&template.names, name) && glob(&template.last, last))
    }

    /// The names by which a query can ask for the values at `path`, each with its type: the field, then its multi-fields.
    pub(crate) fn names_of<'s>(&'s self, path: &str) -> Vec<(String, &'s Type)> {
        let mut names: Vec<(String, &Type)> = Vec::new();
        if let Some(template) = self.template(path) {
            names.push((path.to_owned(), &template.kind));
            let fields = template.fields.iter();
            names.extend(fields.map(|(name, kind)| (format!("{path}.{name}"), kind)));
        }
        // Those of multi-fields begin with it.
        let from = (Bound::Included(path), Bound::Unbounded);
        let mapped = self.fields.range::<str, _>(from);
        let alike = mapped.take_while(|(name, _)| name.starts_with(path));
        let at_path = alike.filter(|(_, mapped)| mapped.path == path);
        names.extend(at_path.map(|(name, mapped)| (name.clone(), &mapped.kind)));
        names
    }

    /// Whether the values of some field are in the index only as their words.
    pub(crate) fn has_words_only(&self) -> bool {
        let is_whole = |kind: &Type| matches!(kind, Type::Keyword { .. } | Type::Wildcard { .. });
        let mut mapped = self
            .fields
            .values()
            .filter(|mapped| mapped.kind == Type::Text);
        let mut templates = self
            .templates
            .iter()
            .filter(|template| template.kind == Type::Text);
        mapped.any(|mapped| {
            !self
                .names_of(&mapped.path)
                .iter()
                .any(|(_, kind)| is_whole(kind))
        }) || templates.any(|template| !template.fields.iter().any(|(_, kind)| is_whole(kind)))
    }

    /// Whether a field of this name is mapped.
    pub(crate) fn is_mapped(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The fields whose names are like `names`; `None` if those that are not mapped yet cannot be told from others.
    pub(crate) fn like(&self, names: &str) -> Option<Like<'_>> {
        // A server's own fields have to be named, also where a schema has them.
        let is_meant = |name: &str| glob(names, name) && !METADATA.contains(&name);
        let mapped = self.fields.iter().filter(|(name, _)| is_meant(name));
        let mapped = mapped.map(|(name, mapped)| (name.clone(), mapped.known()));
        let mut like = Like {
            mapped: mapped.collect(),
            new: Vec::new(),
        };
        if self.closed.get("").is_some_and(|closed| *closed) {
            return Some(like);
        }
        for template in &self.templates {
            let is_meant = |name: &str| names.strip_prefix("*.") == Some(name);
            let fields = template.fields.iter();
            let fields = fields.filter(|(name, _)| names == "*" || is_meant(name));
            let before = like.new.len();
            like.new.extend((names == "*").then_some(&template.kind));
            like.new.extend(fields.map(|(_, kind)| kind));
            if like.new.len() == before {
                return None;
            }
        }
        Some(like)
    }

    /// The mapped fields that lie in the object `name`, or in those that it stands for if there is a `*` in it, or are them.
    pub(crate) fn in_object(&self, name: &str) -> Vec<Known<'_>> {
        let below = format!("{name}.*");
        let fields = self.fields.iter().filter(|(own, mapped)| {
            let is_in = glob(&below, own) || name.contains('*') && glob(name, own);
            let is_multi_field = **own != mapped.path;
            is_in && !is_multi_field && !matches!(mapped.kind, Type::Other(_))
        });
        fields.map(|(_, mapped)| mapped.known()).collect()
    }
}

impl Mapped {
    fn known(&self) -> Known<'_> {
        let path = self.path.clone();
        Known {
            path,
            kind: &self.kind,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Keyword { .. } => "a keyword",
            Type::Wildcard { .. } => "a wildcard field",
            Type::Text => "a text",
            Type::Number => "a number",
            Type::Date => "a date",
            Type::Boolean => "a boolean",
            Type::Ip => "an address",
            Type::Other(kind) => kind,
        })
    }
}

/// The multi-field that Elasticsearch gives a text by itself.
fn keyword_beside_text() -> (String, Type) {
    let kind = Type::Keyword {
        ignore_above: 256,
        lowercase: false,
    };
    ("keyword".to_owned(), kind)
}
