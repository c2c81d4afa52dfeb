//! Microsoft's clouds: Azure, Entra and Microsoft 365.

use super::When::{All, Any, Has, Is};
use super::{Fields, Form, Rebuilt, Row, When, dataset, form, rebuilt, row};

#[rustfmt::skip]
const ACTIVITY: Fields = &[
    ("operationName", OPERATION),
    ("OperationName", OPERATION),
    ("OperationNameValue", OPERATION),
    ("CategoryValue", &["CategoryValue", "category", "azure.activitylogs.category"]),
    ("ResourceId", &["ResourceId", "_ResourceId", "resourceId", "azure.resource.id"]),
    ("ResourceProviderValue", &["ResourceProviderValue", "azure.resource.provider"]),
    ("properties.message", &["properties.message", "azure.activitylogs.properties.message"]),
];
const OPERATION: &[&str] = &[
    "operationName",
    "OperationNameValue",
    "azure.activitylogs.operation_name",
];

/// The audit log of Entra. Rules write names as the export to an event hub, the table of Log Analytics or the portal does.
#[rustfmt::skip]
const AUDIT: Fields = &[
    ("operationName", AUDIT_OPERATION),
    ("OperationName", AUDIT_OPERATION),
    ("ActivityDisplayName", AUDIT_ACTIVITY),
    ("ActivityType", AUDIT_ACTIVITY),
    ("activityType", AUDIT_ACTIVITY),
    // The values that rules give it are names of activities.
    (
        "properties.message",
        &[
            "properties.message",
            "operationName",
            "OperationName",
            "properties.activityDisplayName",
            "ActivityDisplayName",
            "azure.auditlogs.operation_name",
            "azure.auditlogs.properties.activity_display_name",
        ],
    ),
    ("Category", AUDIT_CATEGORY),
    ("category", AUDIT_CATEGORY),
    ("LoggedByService", &["LoggedByService", "properties.loggedByService", "azure.auditlogs.properties.logged_by_service"]),
    (
        "Status",
        &[
            "Status",
            "Result",
            "ResultReason",
            "properties.result",
            "properties.resultReason",
            "event.outcome",
            "azure.auditlogs.properties.result_reason",
        ],
    ),
    ("properties.result", &["properties.result", "Result", "event.outcome"]),
    ("TargetResources", TARGETS),
    ("properties.targetResources", TARGETS),
    (
        "targetResources.type",
        &["TargetResources.type", "properties.targetResources.type", "azure.auditlogs.properties.target_resources.*.type"],
    ),
    ("TargetResources.ModifiedProperties.DisplayName", CHANGED_NAME),
    ("TargetResources.ModifiedProperties.NewValue", CHANGED_VALUE),
    ("TargetResources.modifiedProperties", CHANGED),
    ("TargetResources.modifiedProperties.newValue", CHANGED_VALUE),
];
const AUDIT_OPERATION: &[&str] = &[
    "operationName",
    "OperationName",
    "azure.auditlogs.operation_name",
];
const AUDIT_ACTIVITY: &[&str] = &[
    "ActivityDisplayName",
    "properties.activityDisplayName",
    "azure.auditlogs.properties.activity_display_name",
];
const AUDIT_CATEGORY: &[&str] = &[
    "Category",
    "properties.category",
    "azure.auditlogs.properties.category",
];
const TARGETS: &[&str] = &[
    "TargetResources.*",
    "TargetResources.modifiedProperties.newValue",
    "properties.targetResources.*",
    "properties.targetResources.modifiedProperties.newValue",
    "azure.auditlogs.properties.target_resources.*.*",
    "azure.auditlogs.properties.target_resources.*.modified_properties.*.new_value",
];
const CHANGED: &[&str] = &[
    "TargetResources.modifiedProperties.*",
    "properties.targetResources.modifiedProperties.*",
    "azure.auditlogs.properties.target_resources.*.modified_properties.*.*",
];
const CHANGED_NAME: &[&str] = &[
    "TargetResources.modifiedProperties.displayName",
    "properties.targetResources.modifiedProperties.displayName",
    "azure.auditlogs.properties.target_resources.*.modified_properties.*.display_name",
];
const CHANGED_VALUE: &[&str] = &[
    "TargetResources.modifiedProperties.newValue",
    "properties.targetResources.modifiedProperties.newValue",
    "azure.auditlogs.properties.target_resources.*.modified_properties.*.new_value",
];

/// The sign-in logs of Entra, as [`AUDIT`].
#[rustfmt::skip]
const SIGN_IN: Fields = &[
    ("ResultType", RESULT_TYPE),
    ("resultType", RESULT_TYPE),
    ("ResultDescription", RESULT_DESCRIPTION),
    ("Resultdescription", RESULT_DESCRIPTION),
    ("Status", &["Status", "Status.additionalDetails", "properties.status.additionalDetails", "message", "event.outcome"]),
    ("AuthenticationRequirement", AUTHENTICATION_REQUIREMENT),
    ("properties.authenticationRequirement", AUTHENTICATION_REQUIREMENT),
    ("ClientApp", &["ClientAppUsed", "properties.clientAppUsed", "azure.signinlogs.properties.client_app_used"]),
    (
        "conditionalAccessStatus",
        &[
            "ConditionalAccessStatus",
            "properties.conditionalAccessStatus",
            "azure.signinlogs.properties.conditional_access_status",
        ],
    ),
    ("DeviceDetail.deviceId", DEVICE_ID),
    ("properties.deviceDetail.deviceId", DEVICE_ID),
    (
        "DeviceDetail.isCompliant",
        &[
            "DeviceDetail.isCompliant",
            "properties.deviceDetail.isCompliant",
            "azure.signinlogs.properties.device_detail.is_compliant",
        ],
    ),
    (
        "DeviceDetail.trusttype",
        &["DeviceDetail.trustType", "properties.deviceDetail.trustType", "azure.signinlogs.properties.device_detail.trust_type"],
    ),
    (
        "NetworkLocationDetails",
        &["NetworkLocationDetails", "properties.networkLocationDetails", "azure.signinlogs.properties.network_location_details"],
    ),
    (
        "ResourceDisplayName",
        &["ResourceDisplayName", "properties.resourceDisplayName", "azure.signinlogs.properties.resource_display_name"],
    ),
    ("RiskState", &["RiskState", "properties.riskState", "azure.signinlogs.properties.risk_state"]),
    ("userAgent", &["userAgent", "UserAgent", "properties.userAgent", "user_agent.original"]),
    ("location", &["location", "Location", "geo.country_iso_code"]),
    ("callerIpAddress", &["callerIpAddress", "IPAddress", "source.ip"]),
    ("properties.appId", &["properties.appId", "AppId", "azure.signinlogs.properties.app_id"]),
];
const RESULT_TYPE: &[&str] = &["resultType", "ResultType", "azure.signinlogs.result_type"];
const RESULT_DESCRIPTION: &[&str] = &[
    "resultDescription",
    "ResultDescription",
    "azure.signinlogs.result_description",
];
const AUTHENTICATION_REQUIREMENT: &[&str] = &[
    "AuthenticationRequirement",
    "properties.authenticationRequirement",
    "azure.signinlogs.properties.authentication_requirement",
    "azure.signinlogs.properties.authenticationRequirement",
];
const DEVICE_ID: &[&str] = &[
    "DeviceDetail.deviceId",
    "properties.deviceDetail.deviceId",
    "azure.signinlogs.properties.device_detail.device_id",
];

/// What rules of Defender for Cloud Apps ask of a record of the audit log.
#[rustfmt::skip]
const ALERT: Fields = &[
    ("eventSource", &["Workload", "event.provider"]),
    ("eventName", &["Operation", "event.action", "rule.name"]),
    ("Payload", &["Payload", "o365.audit.Payload"]),
];
const ALERT_REBUILT: Rebuilt = &[("status", &rebuilt::OFFICE_STATUS)];

/// A record of the Office 365 Management Activity API.
const fn office_record() -> Form {
    form(All(&[Has(&["Workload"]), Has(&["RecordType"])])).and(Has(&["Operation"]))
}

const OFFICE: When = dataset(&["o365.audit"]);

/// All services of Microsoft 365 share the audit log; what a rule means stands in its own fields.
macro_rules! office_alerts {
    ($service:literal) => {
        row(
            "m365",
            "",
            $service,
            &[
                office_record().fields(&[ALERT]).rebuilt(ALERT_REBUILT),
                form(OFFICE).fields(&[ALERT]).rebuilt(ALERT_REBUILT),
                // With the names that rules use.
                form(Is(&["eventSource"], &["SecurityComplianceCenter"])).and(Has(&["eventName"])),
            ],
        )
    };
}

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("azure", "", "activitylogs", &[
        form(Is(
            &["category"],
            &[
                "Administrative",
                "Security",
                "Policy",
                "ServiceHealth",
                "Alert",
                "Autoscale",
                "Recommendation",
                "ResourceHealth",
            ],
        ))
        .and(All(&[Has(&["operationName"]), Has(&["resourceId"])]))
        .fields(&[ACTIVITY]),
        form(Any(&[Is(&["Type"], &["AzureActivity"]), dataset(&["azure.activitylogs"])])).fields(&[ACTIVITY]),
    ]),
    row("azure", "", "auditlogs", &[form(Any(&[Is(&["category"], &["AuditLogs"]), Is(&["Type"], &["AuditLogs"]), dataset(&["azure.auditlogs"])]))
        .fields(&[AUDIT])]),
    row("azure", "", "signinlogs", &[form(Any(&[
        Is(
            &["category"],
            &["SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs"],
        ),
        Is(
            &["Type"],
            &[
                "SigninLogs",
                "AADNonInteractiveUserSignInLogs",
                "AADServicePrincipalSignInLogs",
                "AADManagedIdentitySignInLogs",
            ],
        ),
        dataset(&["azure.signinlogs"]),
    ]))
    .fields(&[SIGN_IN])]),
    row("azure", "", "riskdetection", &[form(Any(&[
        Is(&["category"], &["UserRiskEvents"]),
        Is(&["Type"], &["AADUserRiskEvents"]),
        dataset(&["azure.identity_protection"]),
    ]))
    .fields(&[&[(
        "riskEventType",
        &["RiskEventType", "properties.riskEventType", "azure.identityprotection.properties.risk_event_type"],
    )]])]),
    row("m365", "", "audit", &[
        office_record().fields(&[&[
            ("Parameters", &["Parameters", "Parameters.*"]),
            ("OperationProperties", &["OperationProperties", "OperationProperties.*"]),
        ]]),
        form(OFFICE)
            .fields(&[&[
                ("Operation", &["event.action"]),
                ("Workload", &["event.provider"]),
                ("ResultStatus", &["o365.audit.ResultStatus", "event.outcome"]),
                ("Parameters", &["o365.audit.Parameters", "o365.audit.Parameters.*"]),
                ("OperationProperties", &["o365.audit.OperationProperties", "o365.audit.OperationProperties.*"]),
            ]])
            .below(&[("", &["o365.audit.", ""])]),
    ]),
    office_alerts!("exchange"),
    office_alerts!("threat_detection"),
    office_alerts!("threat_management"),
];
