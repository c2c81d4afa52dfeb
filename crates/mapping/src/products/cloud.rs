//! Amazon Web Services, Google Cloud and Google Workspace.

use super::When::{All, Has, Is};
use super::{Fields, Row, When, dataset, form, rebuilt, row};

#[rustfmt::skip]
const CLOUDTRAIL: Fields = &[
    ("eventSource", &["event.provider"]),
    ("eventName", &["event.action"]),
    ("eventID", &["event.id"]),
    ("eventType", &["aws.cloudtrail.event_type"]),
    ("eventCategory", &["aws.cloudtrail.event_category"]),
    ("eventVersion", &["aws.cloudtrail.event_version"]),
    ("errorCode", &["aws.cloudtrail.error_code"]),
    ("errorMessage", &["aws.cloudtrail.error_message"]),
    ("awsRegion", &["cloud.region"]),
    ("sourceIPAddress", &["source.address", "source.ip"]),
    ("userAgent", &["user_agent.original"]),
    ("readOnly", &["aws.cloudtrail.read_only"]),
    ("recipientAccountId", &["aws.cloudtrail.recipient_account_id"]),
    ("status", &["event.outcome"]),
    ("userIdentity.type", &["aws.cloudtrail.user_identity.type"]),
    ("userIdentity.arn", &["aws.cloudtrail.user_identity.arn"]),
    ("userIdentity.userName", &["user.name"]),
    ("userIdentity.principalId", &["user.id"]),
    ("userIdentity.accountId", &["cloud.account.id"]),
    ("userIdentity.accessKeyId", &["aws.cloudtrail.user_identity.access_key_id"]),
    ("userIdentity.invokedBy", &["aws.cloudtrail.user_identity.invoked_by"]),
    (
        "userIdentity.sessionContext.attributes.mfaAuthenticated",
        &["aws.cloudtrail.user_identity.session_context.mfa_authenticated"],
    ),
    ("userIdentity.sessionContext.sessionIssuer.type", &["aws.cloudtrail.user_identity.session_context.session_issuer.type"]),
    ("userIdentity.sessionContext.sessionIssuer.arn", &["aws.cloudtrail.user_identity.session_context.session_issuer.arn"]),
    ("userIdentity.sessionContext.sessionIssuer.userName", &["user.name"]),
    ("requestParameters", &["aws.cloudtrail.request_parameters"]),
    ("responseElements", &["aws.cloudtrail.response_elements"]),
    ("additionalEventData", &["aws.cloudtrail.additional_eventdata"]),
];

/// Where a rule searches a whole object, its values are searched, down to the third level.
#[rustfmt::skip]
const CLOUDTRAIL_NATIVE: Fields = &[
    ("requestParameters", &["requestParameters", "requestParameters.*", "requestParameters.*.*", "requestParameters.*.*.*"]),
    ("responseElements", &["responseElements", "responseElements.*", "responseElements.*.*", "responseElements.*.*.*"]),
];

/// An entry of the audit logs of Google Cloud; some senders put the entry below `data`.
const AUDIT_LOG: When = Is(
    &["protoPayload.@type", "data.protoPayload.@type"],
    &["type.googleapis.com/google.cloud.audit.AuditLog"],
);

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("aws", "", "cloudtrail", &[
        form(All(&[Has(&["eventVersion"]), Has(&["eventSource"])])).and(Has(&["eventName"])).fields(&[CLOUDTRAIL_NATIVE]),
        form(dataset(&["aws.cloudtrail"])).fields(&[CLOUDTRAIL]).below(&[
            ("requestParameters.", &["aws.cloudtrail.flattened.request_parameters."]),
            ("responseElements.", &["aws.cloudtrail.flattened.response_elements."]),
            ("additionalEventData.", &["aws.cloudtrail.flattened.additional_eventdata."]),
        ]),
    ]),
    row("gcp", "", "gcp.audit", &[
        form(AUDIT_LOG)
            .fields(&[&[
                ("gcp.audit.method_name", &["protoPayload.methodName", "data.protoPayload.methodName"]),
                ("data.protoPayload.logName", &["logName", "data.logName"]),
                ("data.protoPayload.resource.type", &["resource.type", "data.resource.type"]),
            ]])
            .below(&[("data.protoPayload.", &["protoPayload.", "data.protoPayload."])]),
        form(dataset(&["gcp.audit"]))
            .fields(&[&[
                ("gcp.audit.method_name", &["event.action"]),
                ("data.protoPayload.methodName", &["event.action"]),
                ("data.protoPayload.serviceName", &["service.name"]),
                ("data.protoPayload.resourceName", &["gcp.audit.resource_name"]),
                ("data.protoPayload.logName", &["log.logger"]),
            ]])
            .below(&[("data.protoPayload.authorizationInfo.", &["gcp.audit.authorization_info."])]),
    ]),
    row("gcp", "", "google_workspace.admin", &[
        form(Is(&["eventService"], &["admin.googleapis.com"])).and(Has(&["eventName"])),
        // The same in the audit logs of Google Cloud.
        form(All(&[AUDIT_LOG, Is(&["protoPayload.serviceName"], &["admin.googleapis.com"])])).fields(&[&[
            ("eventService", &["protoPayload.serviceName"]),
            ("eventName", &["protoPayload.metadata.event.eventName"]),
        ]]),
        form(dataset(&["google_workspace.admin"]))
            .fields(&[&[
                ("eventName", &["event.action"]),
                ("new_value", &["google_workspace.admin.new_value"]),
                ("old_value", &["google_workspace.admin.old_value"]),
                ("setting_name", &["google_workspace.admin.setting.name"]),
            ]])
            .rebuilt(&[("eventService", &rebuilt::GOOGLE_SERVICE)]),
    ]),
    row("gcp", "", "google_workspace.login", &[
        form(All(&[AUDIT_LOG, Is(&["protoPayload.serviceName"], &["login.googleapis.com"])]))
            .fields(&[&[("protoPayload.Servicename", &["protoPayload.serviceName"])]]),
        form(dataset(&["google_workspace.login"]))
            .fields(&[&[("protoPayload.metadata.event.eventName", &["event.action"])]])
            .rebuilt(&[
                ("protoPayload.serviceName", &rebuilt::GOOGLE_SERVICE),
                ("protoPayload.Servicename", &rebuilt::GOOGLE_SERVICE),
            ]),
    ]),
];
