//! `[credentials]`: who asks. Of these nothing is shown but the names of keys.

use super::file::{ConfigFile, suggesting};
use crate::credentials::{Secret, Told};
use crate::show;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The table, as a key of the file.
pub(super) const CREDENTIALS: &str = "credentials";

/// The keys of the table.
pub(super) const KEYS: [&str; 7] = [
    "user",
    "password",
    "password-file",
    "api-key",
    "api-key-file",
    "bearer",
    "bearer-file",
];

/// What a key is about, wherever its value lies.
fn kind(name: &str) -> &str {
    name.strip_suffix("-file").unwrap_or(name)
}

impl ConfigFile {
    /// What the table says.
    pub(super) fn credentials(&mut self, table: &DeTable) -> Told {
        let mut told = Told::default();
        let mut found: Vec<(usize, &str)> = Vec::new();
        for (key, value) in table {
            let (name, at): (&str, _) = (key.get_ref(), key.span().start);
            if !KEYS.contains(&name) {
                self.fault(at, suggesting(name, KEYS.into_iter()));
                continue;
            }
            found.push((at, name));
            let Some(text) = self.text(name, value) else {
                continue;
            };
            let place = self.place(at);
            let secret = match name.ends_with("-file") {
                false => Secret::Text(text.clone()),
                true => Secret::File {
                    path: self.beside(&text),
                    named_by: format!("{place}: {name}"),
                },
            };
            if self.is_open && name != "user" && matches!(secret, Secret::Text(_)) {
                let path = self.path.display();
                show::warning(&format!(
                    "{place}: others than its owner can read this secret: chmod 600 {path}"
                ));
            }
            match kind(name) {
                "user" => told.user = Some(text),
                "password" => told.password = Some(secret),
                "api-key" => told.api_key = Some(secret),
                _ => told.bearer = Some(secret),
            }
        }
        self.agree(found);
        told
    }

    fn text(&mut self, name: &str, value: &Spanned<DeValue>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => return Some(text.to_string()),
            DeValue::String(_) => self.fault(value.span().start, format!("`{name}` is empty")),
            _ => self.mistyped(name, "a string", value),
        }
        None
    }

    /// Whether these say one thing, once and as a whole.
    fn agree(&mut self, mut found: Vec<(usize, &str)>) {
        found.sort_unstable();
        let is_user = |(_, name): &(usize, &str)| *name == "user";
        let has_user = found.iter().any(is_user);
        for (index, &(at, name)) in found.iter().enumerate() {
            let mut before = found[..index].iter().map(|(_, name)| *name);
            if let Some(same) = before.clone().find(|other| kind(other) == kind(name)) {
                self.fault(
                    at,
                    format!("`{name}` beside `{same}`: only one of the two can be"),
                );
            } else if kind(name) == "password" {
                if !has_user {
                    self.fault(at, format!("`{name}`, but `user` does not say whose it is"));
                }
            } else if let Some(other) = before.find(|other| kind(other) != "password") {
                let reason = "only one of user, API key and token can say who asks";
                self.fault(at, format!("`{name}` beside `{other}`: {reason}"));
            }
        }
    }
}
