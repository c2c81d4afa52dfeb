//! The differences that are wanted.

use crate::compare::{Case, Class, difference};
use crate::pair::Answer;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is left out, in the words of the error that names it.
const LEFT_OUT: &[&str] = &[
    "a backslash before a letter, which makes its case count is not supported",
    "$.highlight: this is not supported",
    "$.collapse: this is not supported",
    "the aggregation `significant_terms` is not supported",
    "the aggregation `percentiles` is not supported",
    "the query `fuzzy` is not supported",
    "the query `script` is not supported",
    "fuzziness: the parameter `fuzziness` is not supported",
    "slop: the parameter `slop` is not supported",
    "time_zone: the parameter `time_zone` is not supported",
    "format: the parameter `format` is not supported",
    "analyze_wildcard: the parameter `analyze_wildcard` is not supported",
    "type: the parameter `type` is not supported",
    "`~` (fuzzy terms and proximity) is not supported",
    "a range without regard to case cannot be translated",
    "the operator `<` cannot be translated",
    "the operator `~` cannot be translated",
    "the operator `&` cannot be translated",
    "`ip` is an address: a range cannot be asked of it",
    "is a boolean: a range cannot be asked of it",
    "is a date with the format `yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis`: a term cannot be asked of it",
    "is a date with the format `yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis`: a range cannot be asked of it",
    "the query is empty, so that it would find nothing",
];

/// Each with its reason, and how it is told from others.
pub const CLASSES: &[Class] = &[
    Class {
        reason: "not supported here, and the error names it",
        has: |case| {
            LEFT_OUT
                .iter()
                .any(|words| only_embedded_refuses(case, words))
        },
    },
    Class {
        reason: "an error here where the server leaves out what it cannot read, since it asks all fields",
        has: |case| {
            case.request.to_string().contains("query_string")
                && only_embedded_refuses(case, "in the regular expression")
        },
    },
    Class {
        reason: "a date may be written as one in `missing`, where the server wants a number",
        has: |case| {
            case.request["sort"].to_string().contains("missing")
                && only_server_refuses(case, "number_format_exception")
        },
    },
    Class {
        reason: "whole numbers may be compared with such as their field cannot have",
        has: |case| only_server_refuses(case, "is out of range for a"),
    },
    Class {
        reason: "dates may be compared with such as no calendar has",
        has: |case| only_server_refuses(case, "failed to parse date field [-9223372036854775808]"),
    },
    Class {
        reason: "the server does not ask so many fields at once",
        has: |case| {
            only_server_refuses(case, "field expansion matches too many fields")
                || only_server_refuses(case, "maxClauseCount is set to 1024")
        },
    },
    Class {
        reason: "the server refuses so long or complex a pattern",
        has: |case| {
            only_server_refuses(case, "input automaton is too large")
                || only_server_refuses(case, "would require more than 10000 effort")
                || only_server_refuses(case, "Query string length exceeds max allowed length 32000")
        },
    },
    Class {
        reason: "the server gives more hits than it counts: texts without words, where it only asks whether there is one",
        has: |case| {
            both(case).is_some_and(|(server, own)| {
                let hits = server["hits"]["hits"].as_array().map_or(0, Vec::len) as u64;
                let mut counted = server.clone();
                counted["hits"]["total"]["value"] = json!(hits);
                server["hits"]["total"]["value"].as_u64() < Some(hits)
                    && difference(case.request, &counted, own).is_none()
            })
        },
    },
    Class {
        reason: "the server may count a document twice in a `composite` of a number that it has twice",
        has: |case| {
            both(case).is_some_and(|(server, own)| {
                let mut once = server.clone();
                let buckets = once["aggregations"]["x"]["buckets"].as_array_mut();
                let buckets = buckets.into_iter().flatten();
                for bucket in buckets.filter(|bucket| bucket["key"] == json!({"x": 1})) {
                    bucket["doc_count"] = json!(2);
                }
                case.request["aggs"]["x"].get("composite").is_some()
                    && difference(case.request, &once, own).is_none()
            })
        },
    },
    Class {
        reason: "-0.0 is 0 here, and less than 0 at the server",
        has: |case| differ_in(case, |value| value.as_f64() == Some(0.0)),
    },
    Class {
        reason: "names of fields are compared without their blanks, so that `ErrorCode` is `Error Code`, too",
        has: |case| both(case).is_some() && differ_by_blanks(case),
    },
    Class {
        reason: "a text in a field of numbers is one if it is a plain decimal number",
        has: |case| differ_in(case, |value| value == "1e3"),
    },
    Class {
        reason: "an empty text in a field of numbers or booleans is there, and is no `false`",
        has: |case| differ_in(case, |value| value == ""),
    },
];

fn both<'a>(case: &Case<'a>) -> Option<(&'a Value, &'a Value)> {
    case.server.as_ref().ok().zip(case.embedded.as_ref().ok())
}

fn only_embedded_refuses(case: &Case<'_>, words: &str) -> bool {
    case.server.is_ok() && matches!(case.embedded, Err(reason) if reason.contains(words))
}

fn only_server_refuses(case: &Case<'_>, words: &str) -> bool {
    case.embedded.is_ok() && matches!(case.server, Err(reason) if reason.contains(words))
}

/// Whether a field is asked that another one is without its blanks, and all documents that only one of the two shows have
/// that other one.
fn differ_by_blanks(case: &Case<'_>) -> bool {
    let mut names = BTreeSet::new();
    gather_names(&case.index.mapping, &mut names);
    let request = case.request.to_string();
    names.retain(|name| {
        let bare = name.replace(' ', "");
        ["\"", ":", "."]
            .iter()
            .any(|end| request.contains(&format!(".{bare}{end}")))
    });
    let (server, own) = (ids(case.server), ids(case.embedded));
    !names.is_empty()
        && server.symmetric_difference(&own).all(|id| {
            let mut documents = case.index.documents.iter();
            let text = documents
                .find(|(known, _)| known == id)
                .map(|(_, text)| text);
            text.is_some_and(|text| {
                names
                    .iter()
                    .any(|name| text.contains(&format!("\"{name}\":")))
            })
        })
}

/// The names in a mapping that have blanks.
fn gather_names(mapping: &Value, names: &mut BTreeSet<String>) {
    for (name, field) in mapping["properties"].as_object().into_iter().flatten() {
        if name.contains(' ') {
            names.insert(name.clone());
        }
        gather_names(field, names);
    }
}

fn ids(answer: &Answer) -> BTreeSet<String> {
    let hits = answer
        .iter()
        .flat_map(|answer| answer["hits"]["hits"].as_array());
    let ids = hits.flatten().filter_map(|hit| hit["_id"].as_str());
    ids.map(str::to_owned).collect()
}

/// Whether only one field is asked, and all documents that only one of the two finds have such a value there.
fn differ_in(case: &Case<'_>, is_such: fn(&Value) -> bool) -> bool {
    if both(case).is_none() {
        return false;
    }
    let query = &case.request["query"];
    let field = ["term", "match", "match_phrase", "range"]
        .iter()
        .find_map(|kind| query[kind].as_object()?.keys().next().map(String::as_str))
        .or(query["exists"]["field"].as_str())
        .or(query["query_string"]["query"]
            .as_str()
            .and_then(|text| Some(text.split_once(':')?.0)));
    let (server, own) = (ids(case.server), ids(case.embedded));
    let mut others = server.symmetric_difference(&own).peekable();
    others.peek().is_some()
        && others.all(|id| {
            let mut documents = case.index.documents.iter();
            let document = documents.find(|(known, _)| known == id);
            let document = document.and_then(|(_, text)| serde_json::from_str::<Value>(text).ok());
            document
                .zip(field)
                .is_some_and(|(document, field)| is_such(&document[field]))
        })
}
