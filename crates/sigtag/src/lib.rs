//! Sigtag's types in one place, for programs that want to match and tag events themselves.
//!
//! A rule becomes a predicate, many become a rule set, a rule set has hits on an event, and hits become a tag:
//!
//! ```
//! use sigtag::{Branch, Hit, Mapping, Profile, RuleTag, Ruleset, Tagger};
//!
//! let text = br"
//! title: Mshta started
//! id: 3f6c8b1e-0f0a-4a59-9d3e-6a4f3c1f2b10
//! logsource: {product: windows, category: process_creation}
//! detection:
//!     selection: {Image|endswith: \mshta.exe}
//!     condition: selection
//! level: high
//! tags: [attack.stealth, attack.t1218.005]
//! ";
//! let parsed = sigtag::parse(&sigtag::Source { name: "mshta.yml", text });
//! let Some(sigtag::Document::Rule(rule)) = parsed.documents.first() else { panic!("{:?}", parsed.diagnostics) };
//!
//! // What the rule means on events of Windows, in any of their shapes.
//! let mapped = Mapping::builtin().map(rule).unwrap();
//!
//! // All rules at once; here it is one.
//! let branches = mapped.branches.iter().map(|branch| Branch {
//!     condition: branch.condition.clone(),
//!     detection: branch.detection.clone(),
//! });
//! let ruleset = Ruleset::compile([branches]);
//!
//! let line = br#"{"Channel":"Security","EventID":4688,"NewProcessName":"C:\\Windows\\System32\\mshta.exe"}"#;
//! let mut matcher = ruleset.matcher();
//! let matched = matcher.matches(line).unwrap();
//! assert_eq!(matched.rules, [0]);
//!
//! // The tag goes into the event's own text.
//! let tag = RuleTag::new(rule);
//! let tagger = Tagger { profile: Profile::Ecs, ruleset: "example".into(), tagged_at: "2026-11-24T09:00:00Z".into() };
//! let mut tagged = Vec::new();
//! tagger.apply(&matched.event, &[Hit { rule: &tag, fields: Vec::new() }], None, &mut tagged);
//! assert!(String::from_utf8(tagged).unwrap().contains(r#""attack":["TA0005:T1218.005"]"#));
//! ```
//!
//! Events that lie in a store are tagged there. Files are loaded into one, with all rules of a folder:
//!
//! ```
//! use sigtag::{Embedded, Mapping, Options, Profile, Rules, Selection, Store, Tagger, inputs, load, tag_store};
//! # let folder = tempfile::tempdir().unwrap();
//! # let (rules, events) = ("../../demo/rules", "../../demo/events");
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let rules = std::sync::Arc::new(Rules::load(&[rules.into()], &Mapping::builtin(), None)?);
//! let store = Embedded::open(folder.path())?;
//! store.create("events", serde_json::json!({})).await?;
//!
//! load(&rules, inputs(&[events.into()]), &Options::new(None), &store, "events").await?;
//! store.refresh("events").await?;
//! let tagger = Tagger { profile: Profile::Ecs, ruleset: rules.id.clone(), tagged_at: "2026-11-24T09:00:00Z".into() };
//! let summary = tag_store(&rules, &Options::new(Some(tagger)), &store, &Selection::all("events")).await?;
//!
//! store.refresh("events").await?;
//! let query = serde_json::json!({"query": {"exists": {"field": "sigma.rule.id"}}});
//! assert_eq!(store.count("events", &query).await?, summary.tagged);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

pub use engine::{Branch, Matched, Matcher, Ruleset};
pub use event::{Event, FieldPath};
pub use input::{Inputs, inputs};
pub use mapping::{MappedRule, Mapping};
pub use predicate::Predicate;
pub use sigma::{Collection, Diagnostic, Document, Rule, Source, parse};
pub use store::{Embedded, Scan, Store, StoreError, Write};
pub use tag::{Hit, Outcome, Profile, RuleTag, Tagger};
pub use tagger::{
    Mode, Options, Rules, Selection, Summary, load, plan, tag_files, tag_store, untag_store,
};
