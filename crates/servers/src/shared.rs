//! The server that tests share.

use std::{
    collections::BTreeMap,
    env,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::{Map, Value, json};
use testkit::skip;
use ureq::http::Uri;

use crate::{
    Answer, Error, Options, Running, request,
    running::{first, random},
    start,
};

/// The environment variable that names a server that is there: `http://HOST:PORT`. Tests that may run on its product and major
/// version use it instead of starting one.
pub const GIVEN: &str = "SIGTAG_TEST_OPENSEARCH";

/// The environment variable that, set to whatever, allows [`GIVEN`] to name another machine.
pub const GIVEN_ANYWHERE: &str = "SIGTAG_TEST_YES";

/// What every index of a test is set to, for as long as the test does not set it otherwise: a query that names no field asks all
/// fields, there are not more fields than that a server would refuse such a query, and one node has all of it.
pub const TEST_INDEX_SETTINGS: &[(&str, &str)] = &[
    ("index.number_of_shards", "1"),
    ("index.number_of_replicas", "0"),
    ("index.query.default_field", "*"),
    ("index.mapping.total_fields.limit", "1000"),
];

/// How long a request of a test may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server for one test. Others use the same at the same time, so a test works on indices of its own, whose names begin with
/// [`Server::prefix`]; they are deleted when this is dropped.
#[derive(Debug)]
pub struct Server {
    target: Arc<Target>,
    prefix: String,
}

/// Where a server is, and what it is.
#[derive(Debug)]
struct Target {
    url: String,
    name: String,
    version: String,
    /// `None` when somebody else started it. What tests share is not dropped; the end of their process ends it.
    _running: Option<Running>,
}

/// For a test that takes every kind of server, the one to be taken first.
pub const ANY: &[&str] = &[
    "opensearch-3",
    "opensearch-2",
    "elasticsearch-9",
    "elasticsearch-8",
    "elasticsearch-7",
];

/// The server for the calling test: the one that [`GIVEN`] names, if it is one of `names`; otherwise the first of `names` that this
/// machine has a Java for, started once for all tests of the process.
///
/// Where Java, Maven or the jars are not to be had, the calling test is recorded as skipped, and returns.
///
/// # Panics
/// When `names` has one that is not in [`crate::KINDS`], when the server does not start, when [`GIVEN`] names none that may be used,
/// and, with `CI=true`, when there is none.
#[track_caller]
pub fn server(names: &[&str]) -> Option<Server> {
    match target(names) {
        Ok(target) => Some(Server {
            target,
            prefix: format!("sigtag-test-{}-", random()),
        }),
        Err(error) => match &*error {
            Error::Missing { what, help } => {
                skip(what, help);
                None
            }
            error => panic!("there is no server for the test: {error}"),
        },
    }
}

type Outcome = Result<Arc<Target>, Arc<Error>>;

/// What was found for each list of names. The first test of a list starts the server while the others wait.
static FOUND: Mutex<BTreeMap<String, Outcome>> = Mutex::new(BTreeMap::new());

fn target(names: &[&str]) -> Outcome {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(outcome) = found.get(&names.join(" ")) {
        return outcome.clone();
    }
    let outcome = find(names, &found).map_err(Arc::new);
    found.insert(names.join(" "), outcome.clone());
    outcome
}

fn find(names: &[&str], found: &BTreeMap<String, Outcome>) -> Result<Arc<Target>, Error> {
    if let Some(given) = given()?.filter(|given| names.contains(&&*given.name)) {
        return Ok(Arc::new(given));
    }
    let kind = first(names)?;
    let same = |outcome: &Outcome| match outcome {
        Ok(target) if target.name == kind.name && target._running.is_some() => Some(target.clone()),
        _ => None,
    };
    if let Some(target) = found.values().find_map(same) {
        return Ok(target);
    }
    let running = start(kind, &Options::default())?;
    Ok(Arc::new(Target {
        url: running.url().to_owned(),
        name: kind.name.to_owned(),
        version: kind.version.to_owned(),
        _running: Some(running),
    }))
}

/// The server that the environment names.
fn given() -> Result<Option<Target>, Error> {
    let Ok(value) = env::var(GIVEN) else {
        return Ok(None);
    };
    let refused = |reason: String| Error::Given {
        variable: GIVEN,
        value: value.clone(),
        reason,
    };
    let url = base(&value, env::var_os(GIVEN_ANYWHERE).is_some()).map_err(refused)?;
    let answer = request("GET", &url, None, TIMEOUT).map_err(|error| refused(error.to_string()))?;
    let (name, version) =
        product(&answer.body).ok_or_else(|| refused("no such server answers there".into()))?;
    Ok(Some(Target {
        url,
        name,
        version,
        _running: None,
    }))
}

/// Checks the address of a server, and takes a slash from its end.
fn base(value: &str, anywhere: bool) -> Result<String, String> {
    let uri: Uri = value.parse().map_err(|error| format!("{error}"))?;
    let host = uri.host().unwrap_or_default();
    if uri.scheme_str() != Some("http") || host.is_empty() {
        return Err("it has to be http://HOST:PORT".into());
    }
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if !is_here && !anywhere {
        return Err(format!(
            "it is on another machine; to write to it all the same: {GIVEN_ANYWHERE}=1"
        ));
    }
    Ok(value.trim_end_matches('/').to_owned())
}

/// Name and version of the server that answers so to `GET /`.
fn product(root: &Value) -> Option<(String, String)> {
    let version = root["version"]["number"].as_str()?;
    let product = root["version"]["distribution"]
        .as_str()
        .unwrap_or("elasticsearch");
    let (major, _) = version.split_once('.')?;
    Some((format!("{product}-{major}"), version.to_owned()))
}

impl Server {
    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.target.url
    }

    /// Which server it is: a name of [`crate::KINDS`].
    pub fn name(&self) -> &str {
        &self.target.name
    }

    /// Its version, e.g. `2.19.1`.
    pub fn version(&self) -> &str {
        &self.target.version
    }

    /// What the names of this test's indices begin with: `sigtag-test-`, eight random digits, and a hyphen.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The full name of an index of this test.
    pub fn index(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Creates an index with [`TEST_INDEX_SETTINGS`] and gives back its full name. `body` is as the server takes it; its settings,
    /// with their names written out (`index.refresh_interval`), win.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn create_index(&self, name: &str, body: &Value) -> String {
        let index = self.index(name);
        let answer = self.send(
            "PUT",
            &format!("/{index}"),
            Some(&index_body(body).to_string()),
        );
        assert_eq!(answer.status, 200, "{index}: {}", answer.body);
        index
    }

    /// Sends `GET` to a path.
    ///
    /// # Panics
    /// As [`Server::send`].
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// Sends `POST` with a body to a path.
    ///
    /// # Panics
    /// As [`Server::send`].
    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, Some(body))
    }

    /// Sends a request to a path, which begins with a slash. The status of the answer is for the test to judge.
    ///
    /// # Panics
    /// When no answer comes within a minute.
    pub fn send(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let url = format!("{}{path}", self.url());
        request(method, &url, body, TIMEOUT).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The indices of this test that there are.
    fn indices(&self) -> Result<Vec<String>, Error> {
        let url = format!(
            "{}/_cat/indices/{}*?format=json&h=index&expand_wildcards=all",
            self.url(),
            self.prefix
        );
        let answer = request("GET", &url, None, TIMEOUT)?;
        let rows = answer.body.as_array().into_iter().flatten();
        Ok(rows
            .filter_map(|row| row["index"].as_str())
            // Whatever the server makes of the pattern: nothing else is deleted.
            .filter(|index| index.starts_with(&self.prefix))
            .map(str::to_owned)
            .collect())
    }

    fn delete_indices(&self) -> Result<(), Error> {
        // One by one, by their names: servers may refuse patterns.
        for index in self.indices()? {
            request("DELETE", &format!("{}/{index}", self.url()), None, TIMEOUT)?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.delete_indices()
            && !thread::panicking()
        {
            panic!("the indices {}* are left behind: {error}", self.prefix);
        }
    }
}

/// The body of a new index, with our settings where it has none of its own.
fn index_body(body: &Value) -> Value {
    let mut settings = Map::new();
    for (key, value) in TEST_INDEX_SETTINGS {
        settings.insert((*key).into(), json!(value));
    }
    let own = body["settings"].as_object().cloned().unwrap_or_default();
    settings.extend(own);
    let mut body = body.as_object().cloned().unwrap_or_default();
    body.insert("settings".into(), Value::Object(settings));
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn only_this_machine_is_written_to() {
        for (value, anywhere, expected) in [
            ("http://127.0.0.1:9200", false, Ok("http://127.0.0.1:9200")),
            ("http://localhost:9200/", false, Ok("http://localhost:9200")),
            ("http://[::1]:9200", false, Ok("http://[::1]:9200")),
            ("http://10.1.2.3:9200", true, Ok("http://10.1.2.3:9200")),
            ("http://10.1.2.3:9200", false, Err("another machine")),
            (
                "http://localhost.example:9200",
                false,
                Err("another machine"),
            ),
            ("https://127.0.0.1:9200", false, Err("http://HOST:PORT")),
            ("127.0.0.1:9200", false, Err("http://HOST:PORT")),
        ] {
            match (base(value, anywhere), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url, expected, "{value}"),
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{value}: {reason}"),
                (found, _) => panic!("{value}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_server_says_what_it_is() {
        let opensearch = json!({"version": {"distribution": "opensearch", "number": "2.19.1"}});
        let elasticsearch = json!({"version": {"number": "8.19.0"}});
        let name = |root| product(root).map(|(name, _)| name);
        assert_eq!(name(&opensearch).as_deref(), Some("opensearch-2"));
        assert_eq!(name(&elasticsearch).as_deref(), Some("elasticsearch-8"));
        assert_eq!(product(&json!("<html>")), None);
        for name in [name(&opensearch), name(&elasticsearch)] {
            Kind::named(&name.unwrap_or_default()).expect("it is in the table");
        }
    }

    #[test]
    fn a_test_may_set_what_is_set_for_it() {
        let body = index_body(&json!({
            "settings": {"index.mapping.total_fields.limit": 7},
            "mappings": {"dynamic": false},
        }));
        assert_eq!(body["settings"]["index.mapping.total_fields.limit"], 7);
        assert_eq!(body["settings"]["index.query.default_field"], "*");
        assert_eq!(body["mappings"]["dynamic"], false);
    }
}
