//! Field mappings: what a rule's log source and field names mean on the events that there are.
//!
//! A Sigma rule says `category: process_creation` and `Image`; an event has neither. A [`Mapping`] knows, for the log
//! source of a rule, in which events it lies (its [`Branch`]es), and for each field name in such a branch all the places
//! where the different shapes of an event keep it. These places are looked up *together*: of flat EVTX fields
//! (`Image`), the nested JSON of an EVTX record (`Event.EventData.Image`), winlogbeat 6 (`event_data.Image`), winlogbeat
//! 7 and 8 as they send (`winlog.event_data.Image`), and what Elastic's ingest pipelines make of that
//! (`process.executable`), an event has one. So nobody has to say which shape events have, and one set of rules serves a
//! mixture of them.
//!
//! Promised: a log source binds. Product, category and service become conditions on the event, and a log source that no
//! mapping knows is an error, never a rule that is silently true or silently dead. What an ingest pipeline took apart
//! (`User`, `Hashes`, `Details` …) is put together again where that is possible.
//!
//! Left out: rules of other products than Windows, other tools' mapping files, and the meaning of tests, which is
//! `predicate`'s.
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

mod error;
mod mapped;
mod translate;
mod windows;

pub use error::{MapError, NotMapped};
pub use mapped::{Branch, MappedRule};

use predicate::Predicate;
use sigma::Rule;

/// A field mapping. It may be shared between threads, and remembers the fields that it has made.
#[derive(Debug)]
pub struct Mapping {
    /// None: names are as they are.
    windows: Option<windows::Windows>,
}

impl Mapping {
    /// No mapping: the names of a rule are those of the events, and every event is in scope, whatever the log source.
    pub fn none() -> Mapping {
        Mapping { windows: None }
    }

    /// The mapping for events of Windows, in all shapes that the crate's page names.
    pub fn builtin() -> Mapping {
        Mapping {
            windows: Some(windows::Windows::default()),
        }
    }

    /// What `rule` means on events.
    ///
    /// # Errors
    /// [`MapError::NotMapped`] if its log source is not known here; otherwise what is wrong with the rule, and where.
    pub fn map(&self, rule: &Rule) -> Result<MappedRule, MapError> {
        let Some(windows) = &self.windows else {
            let detection = translate::detection(rule)?;
            return Ok(MappedRule {
                branches: vec![Branch {
                    condition: Predicate::All(Vec::new()),
                    detection,
                }],
            });
        };
        let scopes = windows::scopes(&rule.log_source)?;
        let detection = translate::detection(rule)?;
        Ok(MappedRule {
            branches: windows.branches(&scopes, &detection),
        })
    }
}
