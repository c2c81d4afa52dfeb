//! The targets, one file each.

mod dsl;
mod ee_outliers;
mod elastalert;
mod elastalert_dsl;
mod es_dsl;
mod es_eql;
mod es_qs;
mod es_rule;
mod es_rule_eql;
mod kibana;
mod kibana_ndjson;
mod xpack_watcher;

use crate::Draft;
use crate::sigmac::Failure;

/// What a rule becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Artefact {
    /// A text of its own.
    Text(String),
    /// A part of a text that is written when all rules are there.
    Json(Vec<serde_json::Value>),
}

/// Something that rules are converted to.
pub trait Target: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;
    /// What it is, in a few words.
    fn title(&self) -> &'static str;
    /// How the names of its files end.
    fn extension(&self) -> &'static str;
    /// Whether it can write what a rule means, and not only what sigmac sees in it.
    fn takes_meaning(&self) -> bool {
        true
    }
    /// Its options beside those on fields, and what they do.
    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
    /// Writes one rule.
    ///
    /// # Errors
    /// What it cannot express.
    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure>;
    /// The text of all parts together, for targets that write such.
    fn finish(&self, _parts: Vec<serde_json::Value>) -> Option<String> {
        None
    }
}

/// Every target, in the order in which they are shown.
pub static TARGETS: &[&dyn Target] = &[
    &ee_outliers::EeOutliers,
    &elastalert::Elastalert,
    &elastalert_dsl::ElastalertDsl,
    &es_dsl::EsDsl,
    &es_eql::EsEql,
    &es_qs::EsQs,
    &es_rule::EsRule,
    &es_rule_eql::EsRuleEql,
    &kibana::Kibana,
    &kibana_ndjson::KibanaNdjson,
    &xpack_watcher::XpackWatcher,
];
