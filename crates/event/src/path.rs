//! Names of fields.

use std::fmt;

/// The path of a field: names joined by dots, without blanks. `*` stands for any one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath {
    text: Box<str>,
    has_wildcard: bool,
}

impl FieldPath {
    /// The path that `name` says; blanks in it do not count.
    pub fn new(name: &str) -> FieldPath {
        let text: Box<str> = name
            .chars()
            .filter(|c| *c != ' ')
            .collect::<String>()
            .into();
        let has_wildcard = text.split('.').any(|name| name == "*");
        FieldPath { text, has_wildcard }
    }

    /// The path as text, without blanks.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.text.split('.')
    }

    /// Whether it stands for more than one path.
    pub(crate) fn has_wildcard(&self) -> bool {
        self.has_wildcard
    }

    /// Whether a value with the path `path` (blanks removed) is meant.
    pub(crate) fn matches(&self, path: &str) -> bool {
        if !self.has_wildcard {
            return *self.text == *path;
        }
        let mut names = path.split('.');
        self.names().all(|wanted| {
            names
                .next()
                .is_some_and(|name| wanted == "*" || wanted == name)
        }) && names.next().is_none()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_do_not_count() {
        assert_eq!(FieldPath::new("New Value"), FieldPath::new("NewValue"));
    }

    #[test]
    fn a_star_is_any_one_name() {
        let path = FieldPath::new("Event.UserData.*.Id");
        assert!(path.matches("Event.UserData.EventXML.Id"));
        assert!(!path.matches("Event.UserData.Id"));
        assert!(!path.matches("Event.UserData.a.b.Id"));
        assert!(!FieldPath::new("a*").matches("ab"));
    }
}
