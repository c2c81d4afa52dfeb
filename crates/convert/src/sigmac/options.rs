//! Options of sigmac's backends, `-O key=value`, and what those about fields decide.

use regex::RegexSet;
use std::collections::BTreeMap;

/// Options by their names.
#[derive(Clone, Debug, Default)]
pub struct Options {
    values: BTreeMap<String, String>,
}

impl Options {
    /// Sets an option; what was set before is replaced.
    pub fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// The names of those that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The value of an option, if it was set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of an option, or what it is by default.
    pub(crate) fn or<'o>(&'o self, name: &str, default: &'o str) -> &'o str {
        self.get(name).unwrap_or(default)
    }
}

/// The options on keyword fields, which all targets have, and what they do.
pub const FIELD_OPTIONS: &[(&str, &str)] = &[
    (
        "keyword_field",
        "sub-field for wildcards and expressions; empty: the field itself, for all values (keyword)",
    ),
    (
        "keyword_base_fields",
        "fields that have no such sub-field; commas, * and ? are allowed here and below",
    ),
    (
        "keyword_whitelist",
        "fields that are always searched as keywords",
    ),
    ("keyword_blacklist", "fields that never are"),
    (
        "analyzed_sub_field_name",
        "what is put behind the name of a field for all other values, e.g. .text",
    ),
    (
        "analyzed_sub_fields",
        "if given, all other fields are searched as keywords",
    ),
    (
        "case_insensitive_whitelist",
        "fields that are searched with both cases of each letter, as an expression",
    ),
    ("case_insensitive_blacklist", "fields that are not"),
    (
        "wildcard_use_keyword",
        "false: wildcards are searched for in the field itself (true)",
    ),
];

/// How a field is searched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Access {
    /// Its name, with that of the sub-field.
    pub name: String,
    /// Whether the sub-field holds the value as a whole.
    pub keyword: bool,
    /// Whether both cases of each letter are searched.
    pub caseless: bool,
}

/// The options on keyword fields.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    keyword: String,
    keyword_base: RegexSet,
    analysed: String,
    /// All but these are keywords; none named: no field is.
    analysed_fields: RegexSet,
    keyword_white: RegexSet,
    keyword_black: RegexSet,
    caseless_white: RegexSet,
    caseless_black: RegexSet,
    wildcards_as_keyword: bool,
}

impl Fields {
    pub fn new(options: &Options) -> Fields {
        let list = |name: &str| patterns(options.or(name, ""));
        Fields {
            keyword: options
                .or("keyword_field", "keyword")
                .trim_matches(['.', ' '])
                .to_owned(),
            keyword_base: list("keyword_base_fields"),
            analysed: options.or("analyzed_sub_field_name", "").to_owned(),
            analysed_fields: list("analyzed_sub_fields"),
            keyword_white: list("keyword_whitelist"),
            keyword_black: list("keyword_blacklist"),
            caseless_white: list("case_insensitive_whitelist"),
            caseless_black: list("case_insensitive_blacklist"),
            wildcards_as_keyword: !matches!(
                &*options
                    .or("wildcard_use_keyword", "true")
                    .to_ascii_lowercase(),
                "no" | "false" | "0"
            ),
        }
    }

    /// How a field is searched for these values.
    pub fn access(&self, field: &str, wildcard: bool, regex: bool) -> Access {
        let among = |names: &RegexSet| !names.is_empty() && names.is_match(field);
        let keyword = |caseless| Access {
            name: self.keyword_name(field),
            keyword: true,
            caseless,
        };
        let forced = self.keyword.is_empty()
            || !self.analysed_fields.is_empty() && !among(&self.analysed_fields);
        if among(&self.keyword_black) {
            Access {
                name: self.analysed_name(field),
                keyword: false,
                caseless: false,
            }
        } else if among(&self.keyword_white) {
            keyword(false)
        } else if among(&self.caseless_white) && !among(&self.caseless_black) && !regex {
            keyword(true)
        } else if forced || regex || wildcard && self.wildcards_as_keyword {
            keyword(false)
        } else {
            Access {
                name: self.analysed_name(field),
                keyword: false,
                caseless: false,
            }
        }
    }

    /// The field where a value is held as a whole.
    pub fn keyword_name(&self, field: &str) -> String {
        let is_base = !self.keyword_base.is_empty() && self.keyword_base.is_match(field);
        if self.keyword.is_empty() || is_base {
            field.to_owned()
        } else {
            format!("{field}.{}", self.keyword)
        }
    }

    /// The field where a value is analysed.
    pub fn analysed_name(&self, field: &str) -> String {
        format!("{field}{}", self.analysed)
    }
}

/// The patterns of a list with commas, in which `*` and `?` are wildcards and `[…]` is a choice of characters.
fn patterns(list: &str) -> RegexSet {
    let expressions = list
        .split(',')
        .map(str::trim)
        .filter(|pattern| !pattern.is_empty())
        .map(|pattern| {
            let mut expression = String::from("(?s)^");
            for c in pattern.chars() {
                match c {
                    '*' => expression.push_str(".*"),
                    '?' => expression.push('.'),
                    '[' | ']' | '-' => expression.push(c),
                    c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
                }
            }
            expression + "$"
        });
    // What is no pattern fits no field, and the others still do.
    let sound = expressions.filter(|expression| regex::Regex::new(expression).is_ok());
    RegexSet::new(sound).unwrap_or_default()
}

/// Whether a text has a `*` or `?` that is a wildcard: no backslash stands before it, or two do.
pub(crate) fn has_wildcard(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        matches!(byte, b'*' | b'?')
            && (at == 0 || bytes[at - 1] != b'\\' || at > 1 && bytes[at - 2] == b'\\')
    })
}
