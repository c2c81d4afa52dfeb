//! Who signs in: Okta and Duo.

use super::When::{All, Has};
use super::{Fields, Row, dataset, form, row};

#[rustfmt::skip]
const OKTA: Fields = &[
    ("eventType", &["event.action", "okta.event_type"]),
    ("displayMessage", &["okta.display_message"]),
    ("severity", &["okta.severity"]),
    ("uuid", &["okta.uuid"]),
    ("actor.id", &["okta.actor.id"]),
    ("actor.type", &["okta.actor.type"]),
    ("actor.alternateId", &["okta.actor.alternate_id"]),
    ("actor.displayName", &["okta.actor.display_name"]),
    ("target.id", &["okta.target.id"]),
    ("target.type", &["okta.target.type"]),
    ("target.alternateId", &["okta.target.alternate_id"]),
    ("target.displayName", &["okta.target.display_name"]),
    ("outcome.result", &["okta.outcome.result"]),
    ("outcome.reason", &["okta.outcome.reason"]),
    ("client.ipAddress", &["okta.client.ip", "client.ip"]),
    ("client.userAgent.rawUserAgent", &["okta.client.user_agent.raw_user_agent"]),
    ("securityContext.isProxy", &["okta.security_context.is_proxy"]),
    ("securityContext.isp", &["okta.security_context.isp"]),
    ("securityContext.domain", &["okta.security_context.domain"]),
];

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("okta", "", "okta", &[
        form(Has(&["eventType"])).and(All(&[
            Has(&["published"]),
            Has(&["actor", "actor.alternateId"]),
            Has(&["outcome", "outcome.result"]),
        ])),
        form(dataset(&["okta.system"]))
            .fields(&[OKTA])
            .below(&[("debugContext.debugData.", &["okta.debug_context.debug_data.flattened."])]),
    ]),
    row("cisco", "", "duo", &[
        form(Has(&["event_type"])).and(Has(&["txid"])),
        form(dataset(&["cisco_duo.auth"])).below(&[("", &["cisco_duo.auth.", ""])]),
    ]),
];
