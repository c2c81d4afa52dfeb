//! Applications: code hosting, Kubernetes, OpenCanary, the RPC firewall, databases.

use super::When::{All, Any, Has, Is};
use super::{Fields, Form, Row, dataset, form, rebuilt, row};
use crate::windows::Scope;

/// Short names that rules use beside those of the audit event.
#[rustfmt::skip]
const KUBERNETES: Fields = &[
    ("apiGroup", &["objectRef.apiGroup"]),
    ("resource", &["objectRef.resource"]),
    ("subresource", &["objectRef.subresource"]),
    ("namespace", &["objectRef.namespace"]),
    ("name", &["objectRef.name"]),
    ("username", &["user.username"]),
    ("hostPath", &["requestObject.spec.volumes.hostPath", "requestObject.spec.volumes.hostPath.path"]),
    ("capabilities", &["requestObject.spec.containers.securityContext.capabilities.add"]),
];

#[rustfmt::skip]
const KUBERNETES_ECS: Fields = &[
    ("apiGroup", &["kubernetes.audit.objectRef.apiGroup"]),
    ("resource", &["kubernetes.audit.objectRef.resource"]),
    ("subresource", &["kubernetes.audit.objectRef.subresource"]),
    ("namespace", &["kubernetes.audit.objectRef.namespace"]),
    ("name", &["kubernetes.audit.objectRef.name"]),
    ("username", &["kubernetes.audit.user.username"]),
    (
        "hostPath",
        &["kubernetes.audit.requestObject.spec.volumes.hostPath", "kubernetes.audit.requestObject.spec.volumes.hostPath.path"],
    ),
    ("capabilities", &["kubernetes.audit.requestObject.spec.containers.securityContext.capabilities.add"]),
];

/// An audit event of Kubernetes, alone and in Elastic's integration.
#[rustfmt::skip]
const KUBERNETES_FORMS: &[Form] = &[
    form(All(&[Is(&["kind"], &["Event"]), Is(&["apiVersion"], &["audit.k8s.io/*"])])).fields(&[KUBERNETES]),
    form(Any(&[dataset(&["kubernetes.audit_logs"]), Is(&["kubernetes.audit.kind"], &["Event"])]))
        .fields(&[KUBERNETES_ECS])
        .below(&[("", &["kubernetes.audit.", ""])]),
];

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("github", "", "audit", &[
        form(Has(&["action"])).and(All(&[
            Has(&["actor"]),
            Has(&["created_at", "@timestamp"]),
            Has(&["org", "business", "repo", "user"]),
        ])),
        form(dataset(&["github.audit"]))
            .fields(&[&[("action", &["event.action"]), ("actor", &["user.name"])]])
            .below(&[("", &["github.", ""])]),
    ]),
    row("bitbucket", "", "audit", &[
        form(All(&[Has(&["auditType.category"]), Has(&["auditType.action"])])),
        form(dataset(&["atlassian_bitbucket.audit"])).below(&[("auditType.", &["bitbucket.audit.type."])]),
    ]),
    row("kubernetes", "", "audit", KUBERNETES_FORMS),
    row("kubernetes", "application", "audit", KUBERNETES_FORMS),
    row("opencanary", "application", "", &[
        form(All(&[Has(&["logtype"]), Has(&["node_id"])])),
        form(dataset(&["opencanary.events"]))
            .fields(&[&[
                ("node_id", &["opencanary.node.id"]),
                ("src_host", &["source.ip", "source.address"]),
                ("dst_host", &["destination.ip", "destination.address"]),
                ("src_port", &["source.port"]),
                ("dst_port", &["destination.port"]),
            ]])
            .rebuilt(&[("logtype", &rebuilt::CANARY_LOGTYPE)])
            .below(&[("", &["opencanary.", ""])]),
    ]),
    row("rpc_firewall", "application", "", &[])
        .scopes(&[Scope { renames: &[("EventLog", "Channel")], ..Scope::new(&["RPCFW"], &[]) }]),
    row("", "database", "", &[form(Is(&["event.category"], &["database"]))]),
];
