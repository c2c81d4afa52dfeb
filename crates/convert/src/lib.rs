//! Whole artefacts out of rules: use cases of ee-outliers, rules of ElastAlert, searches, watches, detection rules.
//!
//! # Why
//!
//! There are two questions, and they are kept apart. *What is looked for?* has two answers: [`sigmac`] gives that of the
//! legacy converter of this name, to the byte, since people have scripts around it; [`strict`] gives what the rule means, as
//! far as a query can say it. *What is made of it?* is answered by a [`Target`], one file each in `targets/`, which puts a
//! query into the frame that another program wants and does not know where the query comes from.
//!
//! # What it promises
//!
//! - [`sigmac`]: each rule as sigmac 0.23.1 converts it in a fresh state; what is deliberately different is listed in
//!   `docs/sigmac.md`. Where sigmac dies, there is a [`sigmac::Failure`] with a place.
//! - [`strict`]: a query that finds at least what the rule means, as far as an index holds it; [`Converted::notes`] says where
//!   it is not exact.
//! - The order of what is written is that of the rules. One that fails does not stop another.
//!
//! # What it leaves out
//!
//! Files and folders, command lines, and any talk with a server.
//!
//! ```
//! use convert::sigmac::{Chain, Config, Converter, Options};
//! use convert::{Artefact, TARGETS};
//! use sigma::Source;
//!
//! let config = mapping::configs::text("winlogbeat").unwrap();
//! let config = Config::read(&Source { name: "winlogbeat", text: config.as_bytes() }).unwrap();
//! let target = TARGETS.iter().find(|target| target.name() == "es-qs").unwrap();
//! let converter = Converter::new(*target, Chain::new(vec![config]), Options::default());
//!
//! let text = br"
//! title: Mshta
//! logsource: {product: windows, service: security}
//! detection: {selection: {EventID: 4688}, condition: selection}
//! ";
//! let converted = converter.convert(&Source { name: "mshta.yml", text }).remove(0).unwrap();
//! let query = r#"(winlog.channel:"Security" AND winlog.event_id:"4688")"#;
//! assert_eq!(converted.artefact, Artefact::Text(query.to_owned()));
//! ```

mod draft;
mod head;
pub mod sigmac;
pub mod strict;
mod targets;

pub use draft::{Converted, Draft};
pub use head::Head;
pub use targets::{Artefact, TARGETS, Target};
