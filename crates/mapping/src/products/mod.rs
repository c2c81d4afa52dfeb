//! Every product but Windows: the log sources that rules name, and the forms in which their events come.
//!
//! A log source is a [`Row`] in the file of its family. Each of its [`Form`]s says which events are of it, and where such
//! an event keeps the fields that rules name: as the product itself writes it, or as Elastic's Beats and integrations
//! (ECS) rewrite it. Each form becomes a branch of a rule. To add a product, add rows; `docs/log-sources.md` says where
//! each is from, and `tests/cases/` has an example of each.

mod application;
mod cloud;
mod hosts;
mod identity;
mod microsoft;
mod network;
mod rebuilt;
mod web;

use crate::mapped::{Branch, rebind};
use crate::windows::Scope;
use event::FieldPath;
use predicate::{Derived, Field, Matcher, Part, Pattern, Predicate, Source, Test};
use sigma::LogSource;
use std::sync::Arc;

/// The families, each with its log sources.
static FAMILIES: [&[Row]; 7] = [
    hosts::ROWS,
    web::ROWS,
    network::ROWS,
    cloud::ROWS,
    microsoft::ROWS,
    identity::ROWS,
    application::ROWS,
];

/// A log source, and where its events are. What it does not name is empty.
pub(crate) struct Row {
    product: &'static str,
    category: &'static str,
    service: &'static str,
    /// Event logs in Windows' shapes.
    pub scopes: &'static [Scope],
    /// All others.
    pub forms: &'static [Form],
}

/// A form in which events of a log source come.
pub(crate) struct Form {
    /// Which events are of it. Events are sorted by the values that this asks for, so they should be few.
    when: When,
    /// What must hold besides: for values that seldom repeat.
    and: When,
    /// Fields with other names there, and their places.
    fields: &'static [Fields],
    /// Fields that are put together from others.
    rebuilt: Rebuilt,
    /// Fields whose names only begin in another way. Those that stand nowhere have their own names.
    below: Fields,
}

/// Names of fields (or what they begin with), and where each is.
type Fields = &'static [(&'static str, &'static [&'static str])];

/// Names of fields, and how each is put together.
type Rebuilt = &'static [(&'static str, &'static Derived)];

/// What is asked of an event.
pub(crate) enum When {
    /// At one of these paths stands one of these values, in which `*` and `?` are wildcards.
    Is(&'static [&'static str], &'static [&'static str]),
    /// There is something at one of these paths.
    Has(&'static [&'static str]),
    All(&'static [When]),
    Any(&'static [When]),
}

/// Documents of these data sets, as Beats and integrations name them.
const fn dataset(names: &'static [&'static str]) -> When {
    When::Is(&["event.dataset", "data_stream.dataset"], names)
}

const fn row(
    product: &'static str,
    category: &'static str,
    service: &'static str,
    forms: &'static [Form],
) -> Row {
    Row {
        product,
        category,
        service,
        scopes: &[],
        forms,
    }
}

impl Row {
    const fn scopes(self, scopes: &'static [Scope]) -> Row {
        Row { scopes, ..self }
    }

    /// Whether its events are of `log_source`: it says the same wherever that says something.
    fn is_of(&self, log_source: &LogSource) -> bool {
        let says = |named: &Option<String>, own| named.as_ref().is_none_or(|name| name == own);
        says(&log_source.product, self.product)
            && says(&log_source.category, self.category)
            && says(&log_source.service, self.service)
    }

    /// Whether it says exactly what `log_source` does.
    fn is(&self, log_source: &LogSource) -> bool {
        let says = |named: &Option<String>, own| named.as_deref().unwrap_or_default() == own;
        says(&log_source.product, self.product)
            && says(&log_source.category, self.category)
            && says(&log_source.service, self.service)
    }
}

/// The rows whose events `log_source` means: the one that says the same, else all that say more. None if it says nothing.
pub(crate) fn rows(log_source: &LogSource) -> Vec<&'static Row> {
    let LogSource {
        product,
        category,
        service,
        ..
    } = log_source;
    if product.is_none() && category.is_none() && service.is_none() {
        return Vec::new();
    }
    let all = || FAMILIES.iter().copied().flatten();
    if let Some(row) = all().find(|row| row.is(log_source)) {
        return vec![row];
    }
    all().filter(|row| row.is_of(log_source)).collect()
}

const fn form(when: When) -> Form {
    Form {
        when,
        and: When::All(&[]),
        fields: &[],
        rebuilt: &[],
        below: &[],
    }
}

impl Form {
    const fn and(self, and: When) -> Form {
        Form { and, ..self }
    }

    const fn fields(self, fields: &'static [Fields]) -> Form {
        Form { fields, ..self }
    }

    const fn rebuilt(self, rebuilt: Rebuilt) -> Form {
        Form { rebuilt, ..self }
    }

    const fn below(self, below: Fields) -> Form {
        Form { below, ..self }
    }

    /// The branch of a detection that still has Sigma's field names.
    pub fn branch(&self, detection: &Predicate) -> Branch {
        let detection = rebind(detection, &|name| self.field(name));
        Branch {
            condition: self.when.predicate(),
            detection: match &self.and {
                When::All([]) => detection,
                and => Predicate::All(vec![and.predicate(), detection]),
            },
        }
    }

    /// The field with this name in such an event.
    fn field(&self, name: &str) -> Field {
        let renamed = self.fields.iter().copied().flatten();
        let renamed = renamed
            .filter(|(sigma, _)| *sigma == name)
            .flat_map(|(_, paths)| *paths)
            .map(|path| Source::Path(FieldPath::new(path)));
        let rebuilt = self
            .rebuilt
            .iter()
            .filter(|(sigma, _)| *sigma == name)
            .map(|(_, derived)| Source::Derived(derived));
        let sources: Vec<Source> = renamed.chain(rebuilt).collect();
        if sources.is_empty() {
            self.field_below(name)
        } else {
            Field::new(sources)
        }
    }

    /// The field with this name, of which only the beginning may differ.
    fn field_below(&self, name: &str) -> Field {
        let moved = self.below.iter().find_map(|(sigma, prefixes)| {
            let rest = name.strip_prefix(sigma)?;
            Some(prefixes.iter().map(move |prefix| format!("{prefix}{rest}")))
        });
        match moved {
            Some(paths) => Field::new(paths.map(|path| Source::Path(FieldPath::new(&path)))),
            None => Field::path(name),
        }
    }
}

impl When {
    fn predicate(&self) -> Predicate {
        let all = |parts: &[When]| parts.iter().map(When::predicate).collect();
        let field = |paths: &[&str]| {
            Field::new(paths.iter().map(|path| Source::Path(FieldPath::new(path))))
        };
        match self {
            When::Is(paths, values) => {
                let field = field(paths);
                let test = |value: &&str| {
                    let matcher = Matcher::Pattern(Arc::new(pattern(value)));
                    Predicate::Test(Test::Value(field.clone(), matcher))
                };
                match values {
                    [value] => test(value),
                    values => Predicate::Any(values.iter().map(test).collect()),
                }
            }
            When::Has(paths) => Predicate::Test(Test::Present(field(paths))),
            When::All(parts) => Predicate::All(all(parts)),
            When::Any(parts) => Predicate::Any(all(parts)),
        }
    }
}

/// A text with wildcards and without escapes.
fn pattern(text: &str) -> Pattern {
    let part = |piece: &str| match piece {
        "*" => Part::Star,
        "?" => Part::One,
        text => Part::Text(text.to_owned()),
    };
    let pieces =
        text.split_inclusive(['*', '?'])
            .flat_map(|piece| match piece.strip_suffix(['*', '?']) {
                Some(before) => [before, &piece[before.len()..]],
                None => [piece, ""],
            });
    Pattern::new(pieces.map(part), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;

    fn all() -> impl Iterator<Item = &'static Row> {
        FAMILIES.iter().copied().flatten()
    }

    /// The log source as rules of `tests/cases/` write it.
    fn flow(row: &Row) -> String {
        let named = [
            ("product", row.product),
            ("category", row.category),
            ("service", row.service),
        ];
        let named = named.into_iter().filter(|(_, name)| !name.is_empty());
        let named: Vec<_> = named.map(|(key, name)| format!("{key}: {name}")).collect();
        format!("logsource: {{{}}}\n", named.join(", "))
    }

    #[test]
    fn no_log_source_stands_twice_or_is_empty() {
        let mut seen = BTreeSet::new();
        for row in all() {
            assert!(seen.insert(flow(row)), "{}", flow(row));
            assert!(
                !(row.scopes.is_empty() && row.forms.is_empty()),
                "{}",
                flow(row)
            );
        }
    }

    #[test]
    fn no_field_of_a_form_is_named_twice() {
        for row in all() {
            for form in row.forms {
                let mut seen = BTreeSet::new();
                for (name, _) in form.fields.iter().copied().flatten() {
                    assert!(seen.insert(name), "{}: {name}", flow(row));
                }
            }
        }
    }

    #[test]
    fn each_log_source_has_a_case_and_a_line_in_the_documentation() {
        let root = testkit::workspace_root();
        let cases: String = fs::read_dir(root.join("tests/cases"))
            .unwrap()
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        let documentation = fs::read_to_string(root.join("docs/log-sources.md")).unwrap();
        for row in all() {
            assert!(cases.contains(&flow(row)), "no case: {}", flow(row));
            let [product, category, service] = [row.product, row.category, row.service]
                .map(|name| if name.is_empty() { "–" } else { name });
            let line = format!("| {product} | {category} | {service} |");
            assert!(
                documentation.contains(&line),
                "not in docs/log-sources.md: {line}"
            );
        }
    }

    #[test]
    fn wildcards_of_conditions() {
        for (text, value, matches) in [
            ("a", "A", true),
            ("a", "ab", false),
            ("/var/log/auth.log*", "/var/log/auth.log.1", true),
            ("*.log", "x.log", true),
            ("a?c*", "abcd", true),
            ("a?c*", "ac", false),
            ("**", "", true),
        ] {
            assert_eq!(pattern(text).matches(value), matches, "{text}: {value}");
        }
    }
}
