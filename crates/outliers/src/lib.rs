//! ee-outliers' use cases on any store: which events are unusual, tagged where they lie.
//!
//! A [`Config`] and the [`UseCases`] are read from the files that ee-outliers reads, with its dialect, its defaults and its
//! placeholders. [`run`] goes through the use cases one by one: it scans the events that a use case is about, lets its
//! model take notes of them and decide, takes out what is whitelisted, and writes the outliers into the events in the form
//! that ee-outliers has: `tags`, and lists under `outliers`.
//!
//! **Never more than that is written.** An event is changed as it was read, and only if nobody else has changed it since; if
//! somebody has, it is read and changed again. So use cases that meet in an event add to each other, and no change is lost.
//!
//! **One odd thing never stops the rest**: an event with an unexpected shape, a broken use case among good ones, an index that is
//! gone. Each is counted, and shown with an example.
//!
//! **Many use cases, one scan.** Use cases of simplequery over the same events are matched together by the engine, if their
//! filters can be read as predicates under the schema of the index.
//!
//! **Two modes.** [`Mode::Compat`] shows what a healthy run of ee-outliers shows, statistics over batches included;
//! [`Mode::Strict`] has the corrections that `docs/ee-outliers.md` lists. Neither reproduces crashes and lost writes.
//!
//! Families are tables: a model is one file in `models/`, a metric one in `metrics/`, a trigger method one row in `frontier`.
//! Left out, and refused by name: the model word2vec, the metric relative_english_entropy, mails, the daemon, and removing what has
//! become whitelisted.
//!
//! ```
//! use outliers::{Config, Mode, Options, UseCases};
//! use store::{Embedded, Scan, Store, Write};
//! # let folder = tempfile::tempdir().unwrap();
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let general = folder.path().join("outliers.conf");
//! std::fs::write(&general, "[general]\nes_index_pattern=events\n")?;
//! let use_case = folder.path().join("rare.conf");
//! std::fs::write(&use_case, "[terms_rare]
//! es_query_filter=*
//! aggregator=host
//! target=process
//! target_count_method=within_aggregator
//! trigger_on=low
//! trigger_method=pct_of_max_value
//! trigger_sensitivity=50
//! outlier_type=rare
//! outlier_reason=seldom on this host
//! outlier_summary={term} was started once on {aggregator}
//! run_model=1
//! ")?;
//! let config = Config::read(&[general], Mode::Strict).unwrap();
//! let use_cases = UseCases::read(&[use_case.to_str().unwrap().to_owned()], &config);
//!
//! let store = Embedded::open(&folder.path().join("store"))?;
//! let started = ["cmd.exe", "cmd.exe", "cmd.exe", "mshta.exe"].map(|process| {
//!     let event = format!(r#"{{"@timestamp": "2026-03-14T12:00:00Z", "host": "ws1", "process": "{process}"}}"#);
//!     Write::Create { id: None, source: event.into_bytes() }
//! });
//! store.write("events", started.to_vec()).await?;
//! store.refresh("events").await?;
//!
//! let options = Options {
//!     now: "2026-03-15T12:00:00Z".parse()?,
//!     jobs: 1,
//!     dry_run: false,
//!     explains: false,
//!     stop: Default::default(),
//! };
//! let summary = outliers::run(&config, use_cases, &store, &options, &|_, line| println!("{line}")).await;
//! assert!(summary.is_clean());
//! store.refresh("events").await?;
//! let documents = store.scan(&Scan::all("events")).await?.documents;
//! assert!(documents[3].source.contains(r#""summary":["mshta.exe was started once on ws1"]"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod config;
mod fields;
mod frontier;
mod grok;
mod ini;
mod metrics;
mod models;
mod outlier;
mod pattern;
mod problem;
mod python;
mod run;
mod summary;
mod time;
mod together;
mod use_case;
mod value;
mod whitelist;
mod wrap;

pub use config::Config;
pub use problem::Problem;
pub use run::{Level, Log, Options, run};
pub use summary::{Ended, Summary, Tally};
pub use use_case::{UseCase, UseCases};

/// How close to the original a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With its defects corrected.
    Strict,
    /// As it shows itself in a healthy run.
    Compat,
}
