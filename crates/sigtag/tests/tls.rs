//! A cluster behind TLS that wants to know who asks: a gate with a certificate of a CA of our own, in front of a real server.

mod desk;
mod message;

use desk::{Desk, Ran};
use message::{forward, read_message};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use servers::Server;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

const RULE: &str = "title: Evil\nid: 5f1abf3e-0000-4000-8000-000000000001\nlogsource: {product: windows, service: sysmon}\n\
    detection: {selection: {Image|contains: evil}, condition: selection}\nlevel: high\n";

const EVENTS: &str = "{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Image\":\"evil\"}\n\
    {\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Image\":\"good\"}\n";

const PASSWORD: &str = "s3cret:with/@,";
const API_KEY: &str = "aWQ6dGhlLWtleS1pdHNlbGY=";
const TOKEN: &str = "head.of-the.token";

/// Who may come in, as the head of a request says it, and whether to write.
const GUESTS: [(&str, bool); 4] = [
    // `ada`, and `reader`, with the password.
    ("Basic YWRhOnMzY3JldDp3aXRoL0As", true),
    ("Basic cmVhZGVyOnMzY3JldDp3aXRoL0As", false),
    ("ApiKey aWQ6dGhlLWtleS1pdHNlbGY=", true),
    ("Bearer head.of-the.token", true),
];

/// The variables for each of the ways to say who asks.
const WAYS: [&[(&str, &str)]; 3] = [
    &[("SIGTAG_USER", "ada"), ("SIGTAG_PASSWORD", PASSWORD)],
    &[("SIGTAG_API_KEY", API_KEY)],
    &[("SIGTAG_BEARER", TOKEN)],
];

fn server() -> Option<Server> {
    servers::server(servers::ANY)
}

/// An authority that signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Authority {
        Authority::named("an authority")
    }

    fn named(name: &str) -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a host.
    fn signs(&self, host: &str) -> Identity {
        self.signs_with(host, |_| {})
    }

    fn signs_with(&self, host: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        (certificate.der().clone(), key.into())
    }
}

/// Listens with TLS, lets in who may come in, and passes on what they ask. Gives the port.
fn gate(identity: Identity, server: &str) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.0], identity.1);
    let config = Arc::new(config.unwrap());
    let server = server.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let server = server.clone();
            std::thread::spawn(move || {
                // Who does not like the certificate goes away.
                let Some((request, head)) = read_message(&mut stream) else {
                    return;
                };
                let answer = answer(&server, &request, head);
                let _ = stream.write_all(&answer);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    port
}

fn answer(server: &str, request: &[u8], head: usize) -> Vec<u8> {
    let head = String::from_utf8_lossy(&request[..head]);
    let mut lines = head.lines();
    let asked = lines.next().unwrap();
    let who = lines.find_map(|line| line.strip_prefix("authorization: "));
    let guest = GUESTS.iter().find(|(name, _)| Some(*name) == who);
    let is_write = asked.starts_with("PUT ") || asked.contains("/_bulk");
    match guest {
        None => refusal("401 Unauthorized", "unable to authenticate"),
        Some((_, false)) if is_write => refusal("403 Forbidden", "action is unauthorized"),
        Some(_) => forward(server, request),
    }
}

fn refusal(status: &str, reason: &str) -> Vec<u8> {
    let body = format!(
        "{{\"error\":{{\"type\":\"security_exception\",\"reason\":\"{reason}\"}},\"status\":{}}}",
        &status[..3]
    );
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// A folder with a rule, events, and the certificate of an authority.
fn desk(authority: &Authority, variables: &[(&'static str, &str)]) -> Desk {
    let files = [
        ("rule.yml", RULE),
        ("e.jsonl", EVENTS),
        ("ca.pem", &authority.pem()),
    ];
    let mut desk = Desk::new(&files);
    let variables = variables.iter();
    desk.environment = variables
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    desk
}

/// Runs what is to be refused: nothing is done, one error says `parts`, and no secret is told.
#[track_caller]
fn refused(desk: &Desk, arguments: &[&str], parts: &[&str]) {
    let ran = desk.run(arguments);
    assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
    let errors = ran.err.lines().filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 1, "{}", ran.err);
    for part in parts {
        assert!(ran.err.contains(part), "{part} is not in: {}", ran.err);
    }
    tells_no_secret(&ran);
}

#[track_caller]
fn tells_no_secret(ran: &Ran) {
    let encoded = GUESTS.iter().filter_map(|(head, _)| head.split(' ').nth(1));
    for secret in [PASSWORD, API_KEY, TOKEN].into_iter().chain(encoded) {
        let told = ran.out.contains(secret) || ran.err.contains(secret);
        assert!(!told, "{secret} is in: {} {}", ran.out, ran.err);
    }
}

#[test]
fn who_has_the_ca_and_says_who_asks_loads_tags_and_searches() {
    let Some(server) = server() else { return };
    let authority = Authority::new();
    let port = gate(authority.signs("127.0.0.1"), server.url());
    let url = format!("https://127.0.0.1:{port}/");
    for (number, variables) in WAYS.iter().enumerate() {
        let index = server.index(&format!("way-{number}"));
        let desk = desk(&authority, variables);
        let at = ["--store", &url, "--ca", "ca.pem", "--index", &index];
        let run = |command: &str, more: &[&str]| {
            let ran = desk.run(&[&[command], &at[..], more].concat());
            assert_eq!(ran.code, 0, "{variables:?} {command}: {}", ran.err);
            tells_no_secret(&ran);
            ran
        };
        run("load", &["e.jsonl"]);
        server.post(&format!("/{index}/_refresh"), "");
        let tag = [&["tag"], &at[..], &["--rules", "rule.yml"]].concat();
        assert_eq!(desk.stats(&tag)["written"], 1);
        server.post(&format!("/{index}/_refresh"), "");
        let found = run("search", &["--format", "jsonl", "sigma.level:high"]);
        assert_eq!(found.out.lines().count(), 1, "{}", found.out);
        assert!(found.out.contains("evil"), "{}", found.out);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused_with_what_to_do() {
    let authority = Authority::new();
    let here = "127.0.0.1";
    let expired = authority.signs_with(here, |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let early = authority.signs_with(here, |params| {
        params.not_before = date_time_ymd(2999, 1, 1);
        params.not_after = date_time_ymd(3000, 1, 1);
    });
    let desk = desk(&authority, WAYS[0]);
    // Nobody gets so far as to be passed on.
    let nowhere = "http://127.0.0.1:9";
    let ca = ["--ca", "ca.pem"];
    let other = Authority::named("another one").signs(here);
    let anew = Authority::new().signs(here);
    let cases: [(Identity, &[&str], &[&str]); 6] = [
        (authority.signs(here), &[], &["--ca FILE", "UnknownIssuer"]),
        (other, &ca, &["--ca FILE", "UnknownIssuer"]),
        (anew, &ca, &["--ca FILE", "BadSignature"]),
        (
            authority.signs("es1.example"),
            &ca,
            &["for another name", "es1.example"],
        ),
        (expired, &ca, &["has expired", "clock"]),
        (early, &ca, &["not valid yet", "clock"]),
    ];
    for (identity, options, parts) in cases {
        let url = format!("https://{here}:{}", gate(identity, nowhere));
        let at = ["--store", &url, "--index", "i"];
        for command in [
            &["load", "e.jsonl"][..],
            &["tag", "--rules", "rule.yml"],
            &["search"],
        ] {
            refused(&desk, &[command, &at, options].concat(), parts);
        }
    }
}

#[test]
fn what_the_system_trusts_is_trusted_without_a_ca_and_may_be_nothing() {
    let Some(server) = server() else { return };
    let authority = Authority::new();
    let port = gate(authority.signs("127.0.0.1"), server.url());
    let url = format!("https://127.0.0.1:{port}");
    let mut desk = desk(&authority, WAYS[0]);
    let indices = ["indices", "--store", &url, "none-*"];
    let of_system = |desk: &Desk, file: &str| {
        let file = desk.path(file).to_str().unwrap().to_owned();
        vec![("SSL_CERT_FILE", file), ("SSL_CERT_DIR", String::new())]
    };
    let trusted = of_system(&desk, "ca.pem");
    desk.environment.extend(trusted);
    let ran = desk.run(&indices);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // A small container has no certificates at all.
    fs::write(desk.path("empty.pem"), "").unwrap();
    let empty = of_system(&desk, "empty.pem");
    desk.environment.extend(empty);
    refused(&desk, &indices, &["--ca FILE"]);
    let ran = desk.run(&[&indices[..], &["--ca", "ca.pem"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = desk.run(&["indices", "--store", server.url(), "none-*"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn every_certificate_is_taken_only_with_a_loud_warning() {
    let Some(server) = server() else { return };
    let authority = Authority::new();
    let expired = authority.signs_with("es1.example", |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let url = format!("https://127.0.0.1:{}", gate(expired, server.url()));
    let index = server.index("insecure");
    let desk = desk(&authority, WAYS[0]);
    for command in [
        &["load", "e.jsonl"][..],
        &["tag", "--rules", "rule.yml"],
        &["search"],
    ] {
        let at = ["--store", &url, "--index", &index, "--insecure"];
        let ran = desk.run(&[command, &at].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let warning = "warning: --insecure: whoever is on the way";
        assert!(ran.err.contains(warning), "{}", ran.err);
        tells_no_secret(&ran);
    }
}

#[test]
fn a_file_that_holds_no_ca_is_named() {
    let authority = Authority::new();
    let desk = desk(&authority, WAYS[0]);
    let whole = authority.pem();
    let key = KeyPair::generate().unwrap().serialize_pem();
    let garbled = whole.replace("MII", "MIJ");
    let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, text, part) in [
        ("empty.pem", "", "holds no certificate"),
        ("text.pem", "certificate: to come", "holds no certificate"),
        ("key.pem", &key, "holds no certificate"),
        ("cut.pem", &whole[..whole.len() / 2], "the file of the CA"),
        ("garbled.pem", &garbled, "the file of the CA"),
        ("other.pem", other, "the file of the CA"),
    ] {
        fs::write(desk.path(name), text).unwrap();
        let url = format!(
            "https://127.0.0.1:{}",
            gate(authority.signs("127.0.0.1"), "")
        );
        let search = ["search", "--index", "i", "--store", &url, "--ca", name];
        refused(&desk, &search, &[part]);
    }
    for (name, part) in [("none.pem", "none.pem: No such file"), (".", "--ca: .: ")] {
        let at = ["--store", "https://127.0.0.1:9", "--ca", name];
        refused(
            &desk,
            &[&["search", "--index", "i"], &at[..]].concat(),
            &[part],
        );
    }
}

#[test]
fn http_and_https_are_told_apart() {
    let Some(server) = server() else { return };
    let authority = Authority::new();
    let port = gate(authority.signs("127.0.0.1"), server.url());
    let desk = desk(&authority, WAYS[0]);
    let search = |url: &str, parts: &[&str]| {
        let at = ["--index", "i", "--store", url, "--ca", "ca.pem"];
        refused(&desk, &[&["search"], &at[..]].concat(), parts);
    };
    search(&format!("http://127.0.0.1:{port}"), &["write https://"]);
    let plain = server.url().replace("http://", "https://");
    search(&plain, &["write http://"]);
    for url in ["ftp://127.0.0.1:9", "https://", "http:///index"] {
        search(url, &[url, "each node is http://HOST:PORT"]);
    }
    search("https://127.0.0.1:9,127.0.0.1:8", &["`127.0.0.1:8`"]);
}

#[test]
fn who_is_not_known_or_may_not_is_told_what_to_do() {
    let Some(server) = server() else { return };
    let authority = Authority::new();
    let port = gate(authority.signs("127.0.0.1"), server.url());
    let url = format!("https://127.0.0.1:{port}");
    let index = server.create_index("may", &serde_json::json!({}));
    let at = ["--store", &url, "--ca", "ca.pem", "--index", &index];
    let commands = [
        &["load", "e.jsonl"][..],
        &["tag", "--rules", "rule.yml"],
        &["untag", "--all"],
        &["search"],
    ];
    let unknown: [&[_]; 3] = [
        &[],
        &[("SIGTAG_USER", "ada"), ("SIGTAG_PASSWORD", "wrong")],
        &[("SIGTAG_BEARER", API_KEY)],
    ];
    for variables in unknown {
        let desk = desk(&authority, variables);
        for command in commands {
            let parts = ["401", "SIGTAG_PASSWORD", "unable to authenticate"];
            refused(&desk, &[command, &at].concat(), &parts);
        }
    }
    let desk = desk(
        &authority,
        &[("SIGTAG_USER", "reader"), ("SIGTAG_PASSWORD", PASSWORD)],
    );
    for command in &commands[..2] {
        let parts = ["403", "privileges", "action is unauthorized"];
        refused(&desk, &[command, &at[..]].concat(), &parts);
    }
    let ran = desk.run(&[&["search"], &at[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_secret_in_a_url_is_refused_and_not_repeated() {
    let desk = Desk::new(&[("rule.yml", RULE), ("e.jsonl", EVENTS)]);
    for url in [
        format!("https://ada:{PASSWORD}@127.0.0.1:9"),
        format!("http://127.0.0.1:8,http://ada:{PASSWORD}@127.0.0.1:9"),
        format!("https://{TOKEN}@127.0.0.1:9"),
    ] {
        for command in [
            &["load", "--index", "i", "e.jsonl"][..],
            &["tag", "--index", "i", "--rules", "rule.yml"],
            &["search", "--index", "i"],
            &["indices"],
        ] {
            let command = [command, &["--store", &url]].concat();
            refused(&desk, &command, &["SIGTAG_USER and SIGTAG_PASSWORD"]);
        }
    }
}

#[test]
fn a_node_that_is_down_or_has_a_bad_certificate_is_passed_over() {
    let Some(server) = server() else { return };
    let authority = Authority::new();
    let good = gate(authority.signs("127.0.0.1"), server.url());
    let bad = gate(Authority::new().signs("127.0.0.1"), server.url());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let down = free.unwrap().port();
    let node = |port: u16| format!("https://127.0.0.1:{port}");
    let desk = desk(&authority, WAYS[0]);
    let index = server.index("nodes");
    let at = |nodes: &[u16]| nodes.iter().map(|port| node(*port)).collect::<Vec<_>>();
    for first in [down, bad] {
        let nodes = at(&[first, good]).join(", ");
        let more = ["--ca", "ca.pem", "--index", &index, "e.jsonl"];
        let ran = desk.run(&[&["load", "--store", &nodes], &more[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    // Of each it is told what is wrong with it.
    let nodes = at(&[down, bad]).join(",");
    let search = [
        "search", "--store", &nodes, "--ca", "ca.pem", "--index", &index,
    ];
    let parts = [&node(down), "refused", &node(bad), "--ca FILE"];
    refused(&desk, &search, &parts);
}

/// A file with a secret, for whom it may be read by.
fn secret(folder: &Path, text: &str, mode: u32) -> String {
    fs::write(folder, text).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[test]
fn secrets_may_lie_in_files() {
    let Some(server) = server() else { return };
    let authority = Authority::new();
    let port = gate(authority.signs("127.0.0.1"), server.url());
    let url = format!("https://127.0.0.1:{port}");
    let indices = ["indices", "--store", &url, "--ca", "ca.pem", "none-*"];
    for (variables, name, text) in [
        (
            &[("SIGTAG_USER", "ada")][..],
            "SIGTAG_PASSWORD_FILE",
            PASSWORD,
        ),
        (&[], "SIGTAG_API_KEY_FILE", API_KEY),
        (&[], "SIGTAG_BEARER_FILE", TOKEN),
    ] {
        for (end, mode) in [("", 0o600), ("\n", 0o640), ("\r\n", 0o644)] {
            let mut desk = desk(&authority, variables);
            let file = secret(&desk.path("secret"), &format!("{text}{end}"), mode);
            desk.environment.push((name, file.clone()));
            let ran = desk.run(&indices);
            assert_eq!(ran.code, 0, "{name}: {}", ran.err);
            let warning = format!("{name}: everybody on this machine can read {file}");
            assert_eq!(ran.err.contains(&warning), mode == 0o644, "{}", ran.err);
            tells_no_secret(&ran);
        }
    }
}

#[test]
fn secrets_that_are_not_to_be_had_or_said_twice_are_named() {
    let authority = Authority::new();
    let nowhere = ["indices", "--store", "http://127.0.0.1:9"];
    let folder = tempfile::tempdir().unwrap();
    let good = secret(&folder.path().join("good"), PASSWORD, 0o600);
    let empty = secret(&folder.path().join("empty"), "\n", 0o600);
    let none = folder.path().join("none").to_str().unwrap().to_owned();
    type Case<'c> = (&'c [(&'static str, &'c str)], &'c [&'c str]);
    let cases: [Case; 6] = [
        (
            &[("SIGTAG_API_KEY_FILE", &none)],
            &["SIGTAG_API_KEY_FILE: ", &none, "No such file"],
        ),
        (
            &[("SIGTAG_BEARER_FILE", &empty)],
            &["SIGTAG_BEARER_FILE: ", &empty, "empty"],
        ),
        (
            &[
                ("SIGTAG_USER", "ada"),
                ("SIGTAG_PASSWORD", PASSWORD),
                ("SIGTAG_PASSWORD_FILE", &good),
            ],
            &["SIGTAG_PASSWORD_FILE: SIGTAG_PASSWORD is set, too"],
        ),
        (&[("SIGTAG_PASSWORD_FILE", &good)], &["SIGTAG_USER"]),
        (
            &[("SIGTAG_USER", "ada"), ("SIGTAG_BEARER", TOKEN)],
            &["only one of"],
        ),
        (
            &[("SIGTAG_BEARER", "two\nlines")],
            &["the credentials hold a line break"],
        ),
    ];
    for (variables, parts) in cases {
        let mut desk = desk(&authority, &[]);
        let variables = variables.iter();
        desk.environment = variables
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        refused(&desk, &nowhere, parts);
    }
}
