//! Which documents of a store are tagged, and how.

use serde_json::{Value, json};

/// The field that says when an event happened.
pub const TIME: &str = "@timestamp";

/// Which documents of a store are tagged, and how.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The indices: names, patterns with `*`, aliases; several separated by commas.
    pub indices: String,
    /// The first time of an event that counts, RFC 3339.
    pub since: Option<String>,
    /// The first time of an event that does not count any more, RFC 3339.
    pub until: Option<String>,
    /// Where tags go.
    pub mode: Mode,
    /// Whether everything is done but writing.
    pub dry_run: bool,
    /// Whether documents are read that are done with these rules.
    pub again: bool,
    /// How many documents are read a second, at most.
    pub rate: Option<u32>,
    /// Whether templates are changed, so that indices to come have the fields of tags.
    pub templates: bool,
}

/// Where tags go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Into the events where they can be changed, else into the side index.
    #[default]
    Auto,
    /// Into the events.
    InPlace,
    /// Into the side index.
    Side,
    /// Into both.
    Both,
}

impl Mode {
    /// Every mode, in the order that help texts show them.
    pub const ALL: [Mode; 4] = [Mode::Auto, Mode::InPlace, Mode::Side, Mode::Both];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::InPlace => "in-place",
            Mode::Side => "side",
            Mode::Both => "both",
        }
    }
}

impl Selection {
    /// All events of these indices, tagged where they can be.
    pub fn all(indices: &str) -> Selection {
        Selection {
            indices: indices.to_owned(),
            since: None,
            until: None,
            mode: Mode::default(),
            dry_run: false,
            again: false,
            rate: None,
            templates: true,
        }
    }

    /// What finds the events, if not all are meant.
    pub(crate) fn query(&self) -> Option<Value> {
        if self.since.is_none() && self.until.is_none() {
            return None;
        }
        let mut range = json!({});
        if let Some(since) = &self.since {
            range["gte"] = json!(since);
        }
        if let Some(until) = &self.until {
            range["lt"] = json!(until);
        }
        Some(json!({"range": {TIME: range}}))
    }

    /// What finds the events of which cannot be said whether they are meant.
    pub(crate) fn undated(&self) -> Option<Value> {
        self.query()
            .map(|_| json!({"query": {"bool": {"must_not": {"exists": {"field": TIME}}}}}))
    }
}
