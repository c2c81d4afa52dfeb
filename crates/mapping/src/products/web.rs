//! Web servers and proxies.
//!
//! Rules name fields as the W3C extended log format does. Servers differ in what they call a query: `url.original` is the
//! path with it, as rules mean it.

use super::When::{All, Any, Has, Is};
use super::{Fields, Form, Rebuilt, Row, When, dataset, form, rebuilt, row};

/// The fields of ECS.
#[rustfmt::skip]
const WEB: Fields = &[
    ("c-ip", &["source.ip", "source.address"]),
    ("src_ip", &["source.ip"]),
    ("src_port", &["source.port"]),
    ("dst_ip", &["destination.ip"]),
    ("dst_port", &["destination.port"]),
    ("r-dns", &["url.domain", "destination.domain"]),
    ("cs-host", &["url.domain", "destination.domain"]),
    ("c-uri", &["url.original", "url.full"]),
    ("cs-uri", &["url.original", "url.full"]),
    ("c-uri-query", &["url.query"]),
    ("cs-uri-query", &["url.original", "url.query"]),
    ("cs-method", &["http.request.method"]),
    ("cs-version", &["http.version"]),
    ("c-useragent", &["user_agent.original"]),
    ("cs-user-agent", &["user_agent.original"]),
    ("cs-referer", &["http.request.referrer"]),
    ("cs-referrer", &["http.request.referrer"]),
    ("cs-cookie", &["http.cookie", "iis.access.cookie"]),
    ("cs-content-type", &["http.request.mime_type"]),
    ("cs-username", &["user.name", "source.user.name"]),
    ("cs-bytes", &["http.request.body.bytes", "http.request.bytes"]),
    ("sc-bytes", &["http.response.body.bytes", "http.response.bytes"]),
    ("sc-status", &["http.response.status_code", "squid.status_code"]),
];

const fn ecs(when: When) -> Form {
    form(when).fields(&[WEB]).rebuilt(WEB_REBUILT)
}

const WEB_REBUILT: Rebuilt = &[
    ("c-uri-stem", &rebuilt::URI_STEM),
    ("cs-uri-stem", &rebuilt::URI_STEM),
    ("c-uri-extension", &rebuilt::URI_EXTENSION),
];

/// The traffic that Zeek sees, as ECS and as Zeek's own JSON.
const ZEEK: When = Any(&[
    dataset(&["zeek.http"]),
    Is(&["labels.corelight.event_sub_type"], &["http"]),
]);

const fn zeek_native() -> Form {
    form(Is(&["_path"], &["http"]))
        .fields(&[ZEEK_NATIVE])
        .rebuilt(ZEEK_NATIVE_REBUILT)
}

#[rustfmt::skip]
const ZEEK_NATIVE: Fields = &[
    ("c-ip", &["id.orig_h"]),
    ("src_ip", &["id.orig_h"]),
    ("src_port", &["id.orig_p"]),
    ("dst_ip", &["id.resp_h"]),
    ("dst_port", &["id.resp_p"]),
    ("r-dns", &["host"]),
    ("cs-host", &["host"]),
    ("c-uri", &["uri"]),
    ("cs-uri", &["uri"]),
    ("cs-uri-query", &["uri"]),
    ("cs-method", &["method"]),
    ("cs-version", &["version"]),
    ("c-useragent", &["user_agent"]),
    ("cs-user-agent", &["user_agent"]),
    ("cs-referer", &["referrer"]),
    ("cs-referrer", &["referrer"]),
    ("cs-username", &["username"]),
    ("cs-bytes", &["request_body_len"]),
    ("sc-bytes", &["response_body_len"]),
    ("sc-status", &["status_code"]),
];

const ZEEK_NATIVE_REBUILT: Rebuilt = &[
    ("c-uri-stem", &rebuilt::ZEEK_URI_STEM),
    ("cs-uri-stem", &rebuilt::ZEEK_URI_STEM),
    ("c-uri-extension", &rebuilt::ZEEK_URI_EXTENSION),
];

/// Events that have the names of the W3C format. Those of headers may be written as there: `cs(User-Agent)`.
const fn w3c(when: When) -> Form {
    form(when).fields(&[&[
        ("cs-user-agent", &["cs-user-agent", "cs(User-Agent)"]),
        ("c-useragent", &["c-useragent", "cs(User-Agent)"]),
        ("cs-referer", &["cs-referer", "cs(Referer)"]),
        ("cs-cookie", &["cs-cookie", "cs(Cookie)"]),
    ]])
}

const APACHE_FILES: &[&str] = &[
    "/var/log/apache/*.log",
    "/var/log/apache2/*.log",
    "/var/log/httpd/*",
];

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("", "webserver", "", &[
        ecs(dataset(&["apache.access", "nginx.access", "iis.access", "traefik.access"])),
        ecs(ZEEK),
        zeek_native(),
        w3c(All(&[Has(&["cs-method"]), Has(&["sc-status"])])).and(Has(&["cs-uri-stem"])),
        form(Is(&["log.file.path"], APACHE_FILES)),
    ]),
    row("", "proxy", "", &[
        ecs(Any(&[Is(&["observer.type"], &["proxy"]), dataset(&["squid.log", "zscaler_zia.web"])])),
        ecs(ZEEK),
        zeek_native(),
        w3c(Has(&["cs-method", "sc-status"])).and(Has(&["c-uri"])),
    ]),
    row("", "", "apache", &[form(Any(&[dataset(&["apache.access", "apache.error"]), Is(&["log.file.path"], APACHE_FILES)]))]),
    row("", "", "nginx", &[form(Any(&[dataset(&["nginx.access", "nginx.error"]), Is(&["log.file.path"], &["/var/log/nginx/*"])]))]),
];
