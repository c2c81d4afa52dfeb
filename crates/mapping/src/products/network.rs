//! What is seen in the network: Zeek, DNS, firewalls, flows, and devices of Cisco and Fortinet.

use super::When::{All, Any, Has, Is};
use super::{Fields, Row, dataset, form, row};

/// The ends of a connection, in ECS.
#[rustfmt::skip]
const ENDS: Fields = &[
    ("id.orig_h", &["source.ip", "source.address"]),
    ("id.orig_p", &["source.port"]),
    ("id.resp_h", &["destination.ip", "destination.address"]),
    ("id.resp_p", &["destination.port"]),
];

/// What rules of Zeek's own log sources name, where it is moved in ECS. The rest is below `zeek.<log>` or `<log>`.
#[rustfmt::skip]
const DNS: Fields = &[
    ("query", &["dns.question.name", "zeek.dns.query"]),
    ("qtype_name", &["dns.question.type", "zeek.dns.qtype_name"]),
    ("answers", &["dns.answers.data", "dns.answers.name", "zeek.dns.answers"]),
    ("rcode_name", &["dns.response_code", "zeek.dns.rcode_name"]),
];
#[rustfmt::skip]
const HTTP: Fields = &[
    ("host", &["url.domain"]),
    ("uri", &["url.original"]),
    ("c-uri", &["url.original"]),
    ("method", &["http.request.method"]),
    ("referrer", &["http.request.referrer"]),
    ("user_agent", &["user_agent.original"]),
    ("c-useragent", &["user_agent.original"]),
    ("status_code", &["http.response.status_code"]),
    ("request_body_len", &["http.request.body.bytes"]),
    ("response_body_len", &["http.response.body.bytes"]),
    ("version", &["http.version"]),
];
/// Only Corelight's pipelines move these.
#[rustfmt::skip]
const SMB_FILES: Fields = &[("name", &["file.name"]), ("path", &["file.path"])];

/// A log of Zeek: as JSON with its name, after Elastic's module or integration, and after Corelight's pipelines.
macro_rules! zeek {
    ($log:literal, $elastic:expr, $corelight:expr) => {
        row(
            "zeek",
            "",
            $log,
            &[
                form(Is(&["_path"], &[$log])).fields(&[ZEEK_NATIVE]),
                form(dataset(&[concat!("zeek.", $log)]))
                    .fields(&[ENDS, $elastic])
                    .below(&[("", &[concat!("zeek.", $log, "."), ""])]),
                form(Is(&["labels.corelight.event_sub_type"], &[$log]))
                    .fields(&[ENDS, $corelight])
                    .below(&[("", &[concat!($log, "."), ""])]),
            ],
        )
    };
}

/// Names of other products that rules use for Zeek.
#[rustfmt::skip]
const ZEEK_NATIVE: Fields = &[("c-uri", &["uri"]), ("c-useragent", &["user_agent"])];

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    zeek!("dce_rpc", &[], &[]),
    zeek!("dns", DNS, DNS),
    zeek!("http", HTTP, HTTP),
    zeek!("kerberos", &[], &[]),
    zeek!("rdp", &[], &[]),
    zeek!("smb_files", &[], SMB_FILES),
    zeek!("x509", &[], &[]),
    row("", "dns", "", &[
        form(Any(&[
            dataset(&["zeek.dns", "dns", "network_traffic.dns", "coredns.log", "zscaler_zia.dns"]),
            Is(&["labels.corelight.event_sub_type"], &["dns"]),
        ]))
        .fields(&[&[
            ("query", &["dns.question.name", "zeek.dns.query"]),
            ("record_type", &["dns.question.type", "zeek.dns.qtype_name"]),
            ("answer", &["dns.answers.data", "dns.answers.name", "zeek.dns.answers"]),
        ]]),
        form(Is(&["_path"], &["dns"])).fields(&[&[("record_type", &["qtype_name"]), ("answer", &["answers"])]]),
    ]),
    row("", "firewall", "", &[
        form(Any(&[
            Is(&["observer.type"], &["firewall"]),
            dataset(&["iptables.log", "zeek.connection"]),
            Is(&["labels.corelight.event_sub_type"], &["conn"]),
        ]))
        .fields(&[&[
            ("src_ip", &["source.ip"]),
            ("src_port", &["source.port"]),
            ("dst_ip", &["destination.ip"]),
            ("dst_port", &["destination.port"]),
            ("action", &["event.action"]),
        ]]),
        form(Is(&["_path"], &["conn"])).fields(&[&[
            ("src_ip", &["id.orig_h"]),
            ("src_port", &["id.orig_p"]),
            ("dst_ip", &["id.resp_h"]),
            ("dst_port", &["id.resp_p"]),
        ]]),
    ]),
    row("", "", "netflow", &[form(dataset(&["netflow.log"]))]),
    row("cisco", "", "aaa", &[form(dataset(IOS))]),
    row("cisco", "", "bgp", &[form(dataset(IOS))]),
    row("cisco", "", "ldp", &[form(dataset(IOS))]),
    row("cisco", "", "syslog", &[form(dataset(IOS))]),
    row("fortigate", "", "event", &[
        form(Is(&["type"], &["event"])).and(All(&[Has(&["logid"]), Has(&["devid", "vd"])])),
        form(All(&[dataset(&["fortinet_fortigate.log", "fortinet.firewall"]), Is(&["fortinet.firewall.type"], &["event"])]))
            .below(&[("", &["fortinet.firewall.", ""])]),
    ]),
];

/// The log of Cisco's IOS: of the agent and of Filebeat's module.
const IOS: &[&str] = &["cisco_ios.log", "cisco.ios"];
