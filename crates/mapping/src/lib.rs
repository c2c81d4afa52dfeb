//! Field mappings: what a rule's log source and field names mean on the events that there are.
//!
//! A Sigma rule says `category: process_creation` and `Image`; an event has neither. A [`Mapping`] knows, for the log
//! source of a rule, in which events it lies (its [`Branch`]es), and for each field name in such a branch all the places
//! where an event may keep it. So nobody has to say which shape events have, and one set of rules serves a mixture of them.
//!
//! Windows (`windows`) is one log format in many shapes: flat EVTX fields (`Image`), the nested JSON of an EVTX record
//! (`Event.EventData.Image`), winlogbeat 6 (`event_data.Image`), winlogbeat 7 and 8 as they send
//! (`winlog.event_data.Image`), and what Elastic's ingest pipelines make of that (`process.executable`). An event has one
//! of these, and all are looked up *together*. Every other product (`products`) is a table of log sources, each with the
//! forms in which its events come, and each form with a condition and names of its own.
//!
//! Promised: a log source binds. Product, category and service become conditions on the event, and a log source that no
//! mapping knows is an error, never a rule that is silently true or silently dead. What an ingest pipeline took apart
//! (`User`, `Hashes`, `Details` …) is put together again where that is possible.
//!
//! Beside what is built in there are mappings that users bring (`custom`), as files of sigmac and pySigma.
//!
//! Left out: the meaning of tests, which is `predicate`'s, and what concerns only queries: indices, templates, output.
//!
//! ```
//! # use sigma::{Document, Source};
//! use event::Event;
//! use mapping::Mapping;
//!
//! let text = br"
//! title: Mshta
//! logsource: {product: windows, category: process_creation}
//! detection:
//!   selection: {Image|endswith: \mshta.exe}
//!   condition: selection
//! ";
//! let parsed = sigma::parse(&Source { name: "mshta.yml", text });
//! let Some(Document::Rule(rule)) = parsed.documents.first() else { panic!("{:?}", parsed.diagnostics) };
//! let predicate = Mapping::builtin().map(rule).unwrap().predicate();
//! for event in [
//!     r#"{"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Image": "C:\\mshta.exe"}"#,
//!     r#"{"winlog": {"channel": "Security", "event_id": "4688"}, "process": {"executable": "C:\\mshta.exe"}}"#,
//! ] {
//!     assert!(predicate.matches(&Event::parse(event.as_bytes()).unwrap()));
//! }
//! ```

pub mod configs;
mod custom;
mod error;
mod mapped;
mod products;
mod translate;
mod windows;

pub use error::{MapError, NotMapped};
pub use mapped::{Branch, MappedRule};

use custom::{Custom, Draft, Unusable};
use predicate::Predicate;
use sigma::{Diagnostic, LogSource, Placeholders, Rule, Source};
use std::collections::HashSet;
use windows::Windows;

/// A field mapping. It may be shared between threads, and remembers the fields that it has made.
#[derive(Debug)]
pub struct Mapping {
    /// The first that knows a rule's log source decides.
    parts: Vec<Part>,
    /// What it was made of: names of what is built in, and texts.
    identity: Vec<Vec<u8>>,
}

/// What may know log sources.
#[derive(Debug)]
enum Part {
    /// Names are as they are, and every event is of every log source.
    AsIs,
    /// What is built in.
    Builtin(Windows),
    /// What the user brings.
    Custom(Custom),
}

impl Mapping {
    /// No mapping: the names of a rule are those of the events, and every event is in scope, whatever the log source.
    pub fn none() -> Mapping {
        Mapping {
            parts: vec![Part::AsIs],
            identity: vec![b"none".to_vec()],
        }
    }

    /// The mapping for all products that are known here, in all shapes of their events.
    pub fn builtin() -> Mapping {
        Mapping {
            parts: vec![Part::Builtin(Windows::default())],
            identity: vec![concat!("builtin ", env!("CARGO_PKG_VERSION")).into()],
        }
    }

    /// Reads the text of a mapping file, which is a configuration of sigmac or a processing pipeline of pySigma.
    ///
    /// # Errors
    /// All that is wrong with it, and all that it says but is not understood here.
    pub fn read(source: &Source<'_>) -> Result<Mapping, Vec<Diagnostic>> {
        Ok(Mapping {
            parts: vec![Part::Custom(Custom::read(source)?)],
            identity: vec![source.text.to_vec()],
        })
    }

    /// What tells it from other mappings: equal for those that were made of the same texts, and of the same version of what
    /// is built in, in the same order.
    pub fn identity(&self) -> &[Vec<u8>] {
        &self.identity
    }

    /// What configurations of sigmac say of the names of fields, for all rules, and nothing of log sources. These names
    /// come beside the one that a field has in the rule, so that a mapping behind this one can still tell what is meant.
    pub fn names_beside(mut self) -> Mapping {
        self.identity.push(b"names beside".to_vec());
        for part in &mut self.parts {
            if let Part::Custom(custom) = part {
                custom.leave_names_beside();
            }
        }
        self
    }

    /// Whether it is a configuration of sigmac.
    pub fn is_config(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Custom(Custom::Config(_))])
    }

    /// How the names begin that it gives to fields.
    pub fn roots(&self) -> HashSet<String> {
        let mut roots = HashSet::new();
        for part in &self.parts {
            if let Part::Custom(custom) = part {
                let names = custom
                    .names()
                    .map(|name| name.split('.').next().unwrap_or_default());
                roots.extend(names.map(str::to_owned));
            }
        }
        roots
    }

    /// Asks several mappings, the first of which that knows a rule's log source decides. One that does not may still have
    /// changed the rule for the next: its log source, or the names of its fields.
    pub fn first_of(mappings: impl IntoIterator<Item = Mapping>) -> Mapping {
        let mut all = Mapping {
            parts: Vec::new(),
            identity: Vec::new(),
        };
        for mapping in mappings {
            all.parts.extend(mapping.parts);
            all.identity.extend(mapping.identity);
        }
        all
    }

    /// The values that it has for the placeholders of rules, which are put in when these are read ([`sigma::parse_with`]).
    pub fn placeholders(&self) -> Placeholders {
        let mut all = Placeholders::new();
        for part in &self.parts {
            let Part::Custom(custom) = part else { continue };
            for (name, values) in custom.placeholders().into_iter().flatten() {
                all.entry(name.clone()).or_insert_with(|| values.clone());
            }
        }
        all
    }

    /// What `rule` means on events.
    ///
    /// # Errors
    /// [`MapError::NotMapped`] if its log source is not known here; otherwise what is wrong with the rule, and where.
    pub fn map(&self, rule: &Rule) -> Result<MappedRule, MapError> {
        let mut draft = Draft::of(rule)?;
        for part in &self.parts {
            let branches = match part {
                Part::AsIs => vec![Branch {
                    condition: Predicate::All(Vec::new()),
                    detection: draft.detection().into_owned(),
                }],
                Part::Builtin(windows) => builtin(windows, &draft.log_source, &draft.detection()),
                Part::Custom(custom) => {
                    let unusable = |unusable: Unusable| MapError::Value {
                        reason: unusable.reason(),
                        location: rule.location.clone(),
                    };
                    custom.apply(&mut draft).map_err(unusable)?;
                    draft.branch().into_iter().collect()
                }
            };
            if !branches.is_empty() {
                return Ok(MappedRule { branches });
            }
        }
        Err(NotMapped::from(&draft.log_source).into())
    }
}

/// The branches of a detection that still has Sigma's field names; none if the log source is not known.
fn builtin(windows: &Windows, log_source: &LogSource, detection: &Predicate) -> Vec<Branch> {
    let rows = products::rows(log_source);
    let mut scopes = windows::scopes(log_source);
    scopes.extend(rows.iter().flat_map(|row| row.scopes));
    let mut branches = windows.branches(&scopes, detection);
    let forms = rows.iter().flat_map(|row| row.forms);
    branches.extend(forms.map(|form| form.branch(detection)));
    branches
}
