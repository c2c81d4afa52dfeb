//! Rules of ElastAlert, with queries in Elasticsearch's JSON.

use super::{Artefact, Target, dsl, elastalert};
use crate::Draft;
use crate::sigmac::Failure;

/// `elastalert-dsl`
pub(super) struct ElastalertDsl;

impl Target for ElastalertDsl {
    fn name(&self) -> &'static str {
        "elastalert-dsl"
    }

    fn title(&self) -> &'static str {
        "ElastAlert rule, with queries in Elasticsearch's JSON"
    }

    fn extension(&self) -> &'static str {
        "yaml"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "alert_methods",
                "how alerts are sent: email, http_post; commas between them (into the log)",
            ),
            ("emails", "addresses, with commas between them"),
            ("from_addr", "who sends mails"),
            ("smtp_host", "the mail server"),
            ("smtp_auth_file", "a file with its user and password"),
            ("http_post_url", "where to post to"),
            (
                "http_post_include_rule_metadata",
                "true: post what the rule says of itself",
            ),
            ("realert_time", "how long no second alert is sent (0m)"),
        ]
    }

    fn write(&self, draft: &Draft<'_, '_>) -> Result<Artefact, Failure> {
        let filters = draft.queries.iter().map(|it| dsl::filter(draft, it));
        let filters: Result<_, Failure> = filters.collect();
        elastalert::rule(draft, filters?)
    }
}
