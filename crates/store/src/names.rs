//! Names of indices, and patterns of them.

use crate::StoreError;

/// Checks the name of an index or alias by Elasticsearch's rules.
///
/// # Errors
/// [`StoreError::Name`] says what is wrong with it.
pub(crate) fn check(name: &str) -> Result<(), StoreError> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > 255 {
        "it is longer than 255 bytes"
    } else if matches!(name, "." | "..") || name.starts_with(['-', '_', '+']) {
        "it begins with `-`, `_` or `+`, or is `.` or `..`"
    } else if name.chars().any(char::is_uppercase) {
        "it has upper-case letters"
    } else if name.contains(|c: char| r#"\/*?"<>|,#:"#.contains(c) || c <= ' ') {
        r#"it has a blank or one of \ / * ? " < > | , # :"#
    } else {
        return Ok(());
    };
    Err(StoreError::Name {
        name: name.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns() {
        for name in ["a", "winlogbeat-2024.05.06", ".hidden", "é"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "A",
            "a b",
            "a/b",
            "_a",
            "..",
            "a*",
            "a,b",
            "a\0",
            &"a".repeat(256),
        ] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
