//! What the crate promises: a server that works, that tests can share, and that is gone when its owner is.

use std::{net::TcpStream, time::Duration};

use serde_json::{Value, json};
use servers::{Error, Options, Running, Server};

const OPENSEARCH: &[&str] = &["opensearch-3", "opensearch-2"];

/// A server of the calling test alone.
#[track_caller]
fn own_server() -> Option<Running> {
    match servers::start_first(OPENSEARCH, &Options::default()) {
        Ok(running) => Some(running),
        Err(Error::Missing { what, help }) => {
            testkit::skip(&what, &help);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn ask(method: &str, url: String, body: Option<Value>) -> Value {
    let body = body.map(|body| body.to_string());
    servers::request(method, &url, body.as_deref(), Duration::from_secs(60))
        .expect("the server answers")
        .body
}

#[test]
fn a_server_works_and_is_gone_when_dropped() {
    let Some(server) = own_server() else { return };
    let url = server.url().to_owned();
    ask("PUT", format!("{url}/events"), None);
    let document = json!({"image": "powershell.exe"});
    ask(
        "PUT",
        format!("{url}/events/_doc/1?refresh=true"),
        Some(document),
    );
    let query = json!({"query": {"match": {"image": "powershell.exe"}}});
    let found = ask("POST", format!("{url}/events/_search"), Some(query));
    assert_eq!(found["hits"]["hits"][0]["_id"], "1", "{found}");

    let process = server.process();
    assert!(process.is_running() && process.home.is_dir());
    drop(server);
    let address = url.trim_start_matches("http://");
    assert!(TcpStream::connect(address).is_err(), "{address} is open");
    assert!(!process.is_running(), "{process:?} still runs");
    assert!(!process.home.exists(), "{process:?} left its folder");
}

fn count(server: &Server, pattern: &str) -> usize {
    let answer = server.get(&format!("/_cat/indices/{pattern}?format=json"));
    answer.body.as_array().map_or(0, Vec::len)
}

#[test]
fn tests_share_a_server_but_no_index() {
    let Some(one) = servers::server(OPENSEARCH) else {
        return;
    };
    let Some(other) = servers::server(OPENSEARCH) else {
        return;
    };
    assert_eq!(one.url(), other.url());
    assert_ne!(one.prefix(), other.prefix());

    let mappings = json!({"mappings": {"properties": {"image": {"type": "keyword"}}}});
    let of_one = one.create_index("events", &mappings);
    let of_other = other.create_index("events", &mappings);
    one.post(
        &format!("/{of_one}/_doc?refresh=true"),
        r#"{"image": "a b"}"#,
    );
    let found = one.get(&format!("/{of_one}/_count?q=%22a%20b%22"));
    assert_eq!(found.body["count"], 1, "by a query that names no field");

    let pattern = format!("{}*", one.prefix());
    assert_eq!(count(&one, &pattern), 1);
    drop(one);
    assert_eq!(count(&other, &pattern), 0, "a test leaves nothing behind");
    assert_eq!(count(&other, &of_other), 1, "and takes nothing from others");
}

#[test]
fn an_index_of_a_test_has_the_settings_of_tests() {
    let Some(server) = servers::server(OPENSEARCH) else {
        return;
    };
    let index = server.create_index("settings", &json!({}));
    let answer = server.get(&format!("/{index}/_settings?flat_settings=true"));
    let settings = &answer.body[&index]["settings"];
    for (key, value) in servers::TEST_INDEX_SETTINGS {
        // A list of one is given back as a list.
        let found = settings[key].get(0).unwrap_or(&settings[key]);
        assert_eq!(found, value, "{key}: {settings}");
    }
}
