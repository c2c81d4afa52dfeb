//! Requests that reach the server, sooner or later.
//!
//! Nodes are tried in turn. What a server may do later (429, 502, 503, 504), and what was cut off, is asked again after a
//! while that grows, with a random part, as often as it takes: every request is such that it may come twice.

use super::{Access, Credentials};
use crate::StoreError;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(120);

/// How long to wait at first, and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// A network that carries fewer bytes a second is far, as far as answers of so many bytes tell.
const FAR: f64 = (4 << 20) as f64;
const JUDGED: usize = 1 << 20;

/// What a server is told of who asks; it is in its slow logs and lists of tasks.
const NAME: &str = "sigtag";

pub(super) struct Http {
    client: Client,
    nodes: Vec<String>,
    /// The node that answered last.
    node: AtomicUsize,
    /// Whether the network takes so long that answers are to be packed.
    is_far: AtomicBool,
    on_wait: super::OnWait,
}

/// What a server has answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The request, for messages: `GET /_stats`.
    what: String,
}

impl Http {
    pub(super) fn new(access: Access) -> Result<Http, StoreError> {
        // Somebody else in this process may have chosen one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut headers = HeaderMap::new();
        if let Some(credentials) = &access.credentials {
            let mut value = HeaderValue::from_str(&credentials.header()).map_err(|_| {
                unreachable_at(
                    &access,
                    "the credentials hold a line break, or what is not ASCII",
                )
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        headers.insert("x-opaque-id", HeaderValue::from_static(NAME));
        let mut client = Client::builder()
            .user_agent(concat!("sigtag/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .gzip(true)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = &access.ca {
            let of_ca =
                |reason: &str| unreachable_at(&access, &format!("the file of the CA {reason}"));
            let certificates = Certificate::from_pem_bundle(pem)
                .map_err(|error| of_ca(&format!("cannot be read: {}", causes(&error))))?;
            if certificates.is_empty() {
                return Err(of_ca(
                    "holds no certificate: it has to be PEM, `-----BEGIN CERTIFICATE-----`",
                ));
            }
            client = client.tls_certs_only(certificates);
        } else if access.urls.iter().all(|url| url.starts_with("http://")) {
            // Not every machine has certificates, and none are needed.
            client = client.tls_certs_only([]);
        }
        if access.insecure {
            client = client.tls_danger_accept_invalid_certs(true);
        }
        let client = client.build().map_err(|error| {
            let reason = match access.ca {
                Some(_) => format!("the file of the CA cannot be used: {}", causes(&error)),
                None => format!(
                    "{}: name the CA of the server with --ca FILE",
                    causes(&error)
                ),
            };
            unreachable_at(&access, &reason)
        })?;
        Ok(Http {
            client,
            nodes: access.urls,
            node: AtomicUsize::new(0),
            is_far: AtomicBool::new(false),
            on_wait: access.on_wait,
        })
    }

    /// Asks each node once, and gives the first answer.
    pub(super) async fn first(&self, path: &str) -> Result<Answer, StoreError> {
        let mut reasons = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            self.node.store(number, Ordering::Relaxed);
            match self.once(Method::GET, path, None).await {
                Ok(answer) => return Ok(answer),
                Err(error) if self.nodes.len() == 1 => reasons.push(with_help(&error)),
                Err(error) => reasons.push(format!("{node}: {}", with_help(&error))),
            }
        }
        Err(StoreError::Unreachable {
            url: match &self.nodes[..] {
                [node] => node.clone(),
                _ => "no node answers".to_owned(),
            },
            reason: reasons.join("; "),
        })
    }

    /// Asks until there is an answer that stays the same.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Body>,
    ) -> Result<Answer, StoreError> {
        self.ask_while(&[429, 502, 503, 504], method, path, body)
            .await
    }

    /// Asks until there is an answer that stays the same, or the server has too much to do.
    pub(super) async fn ask_unless_busy(
        &self,
        method: Method,
        path: &str,
        body: Option<&Body>,
    ) -> Result<Answer, StoreError> {
        self.ask_while(&[502, 503, 504], method, path, body).await
    }

    async fn ask_while(
        &self,
        later: &[u16],
        method: Method,
        path: &str,
        body: Option<&Body>,
    ) -> Result<Answer, StoreError> {
        let mut wait = Wait::default();
        loop {
            let reason = match self.once(method.clone(), path, body).await {
                Ok(answer) if later.contains(&answer.status.as_u16()) => answer.reason(),
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let next = self.node.load(Ordering::Relaxed) + 1;
                    self.node.store(next % self.nodes.len(), Ordering::Relaxed);
                    causes(&error)
                }
            };
            self.wait(&mut wait, &reason).await;
        }
    }

    /// Learns from the length of an answer and the time it was on its way how far the server is.
    fn came(&self, bytes: usize, time: Duration) {
        let is_slow = bytes as f64 / time.as_secs_f64() < FAR;
        if bytes >= JUDGED && is_slow {
            self.is_far.store(true, Ordering::Relaxed);
        }
    }

    /// Waits before something is tried again.
    pub(super) async fn wait(&self, wait: &mut Wait, reason: &str) {
        let time = wait.next();
        (self.on_wait)(reason, time);
        tokio::time::sleep(time).await;
    }

    /// Asks once.
    pub(super) async fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Body>,
    ) -> Result<Answer, reqwest::Error> {
        let node = &self.nodes[self.node.load(Ordering::Relaxed) % self.nodes.len()];
        let what = format!("{method} {}", path.split('?').next().unwrap_or(path));
        let mut request = self.client.request(method, format!("{node}{path}"));
        if !self.is_far.load(Ordering::Relaxed) {
            // Near the server, to pack costs it more than to send.
            request = request.header(ACCEPT_ENCODING, "identity");
        }
        request = match body {
            Some(Body::Json(value)) => request.json(value),
            Some(Body::Lines(text)) => request
                .header(CONTENT_TYPE, "application/x-ndjson")
                .body(text.clone()),
            None => request,
        };
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        // The server has its answer ready before it sends any of it: what is left is the way.
        let start = Instant::now();
        let body: Vec<u8> = answer.bytes().await?.into();
        self.came(body.len(), start.elapsed());
        Ok(Answer {
            status,
            headers,
            body,
            what,
        })
    }
}

/// What is sent.
pub(super) enum Body {
    Json(Value),
    /// The lines of a bulk request.
    Lines(bytes::Bytes),
}

/// How long to wait: twice as long each time, and of that a random part.
#[derive(Default)]
pub(super) struct Wait {
    times: u32,
}

impl Wait {
    fn next(&mut self) -> Duration {
        let most = WAIT.0.saturating_mul(1 << self.times.min(16)).min(WAIT.1);
        self.times += 1;
        let random = RandomState::new().hash_one(self.times) as u32;
        most.mul_f64(0.1 + 0.9 * f64::from(random) / f64::from(u32::MAX))
    }
}

impl Answer {
    /// What the answer holds.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an error of the server, and for an answer that is none.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        if !self.status.is_success() {
            return Err(self.refused());
        }
        serde_json::from_slice(&self.body).map_err(|error| StoreError::Refused {
            what: self.what.clone(),
            reason: format!("its answer cannot be read: {error}"),
        })
    }

    /// The error that the answer is.
    pub(super) fn refused(&self) -> StoreError {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let index = &body["error"]["index"];
        match (self.status.as_u16(), index.as_str()) {
            (404, Some(index)) => StoreError::NoIndex(index.to_owned()),
            // A block has nothing to do with who asks.
            (401 | 403, _) if body["error"]["type"] != "cluster_block_exception" => {
                StoreError::Forbidden {
                    what: self.what.clone(),
                    reason: self.reason(),
                }
            }
            _ => StoreError::Refused {
                what: self.what.clone(),
                reason: self.reason(),
            },
        }
    }

    /// The server's reason, and what to do.
    pub(super) fn reason(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let reason = match error_text(&body["error"]) {
            Some(reason) => reason,
            None => String::from_utf8_lossy(&self.body)
                .chars()
                .take(300)
                .collect(),
        };
        let status = self.status.as_u16();
        let help = match status {
            401 => {
                ": the server does not know who asks. Set SIGTAG_USER and SIGTAG_PASSWORD, \
                    SIGTAG_API_KEY or SIGTAG_BEARER, or put right what they say"
            }
            403 => {
                ": the user may not do this, or the index is blocked. Needed are the privileges \
                    read, write, view_index_metadata and monitor, and manage to set the schema"
            }
            _ => "",
        };
        format!("{status}{help}: {}", reason.trim())
    }
}

/// What an error of a server says: its type, reason, and the reason behind that.
pub(super) fn error_text(error: &Value) -> Option<String> {
    if let Some(text) = error.as_str() {
        return Some(text.to_owned());
    }
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let root = match error["root_cause"].as_array().and_then(|all| all.first()) {
        Some(root) => root,
        None => error,
    };
    let kind = root["type"].as_str()?;
    let mut shown = format!("{kind}: {}", text(root, "reason"));
    let behind = text(&error["caused_by"], "reason");
    if !behind.is_empty() && !shown.contains(&behind) {
        shown += &format!(" ({behind})");
    }
    Some(shown)
}

/// An error with what is behind it, and first of all what to do.
fn with_help(error: &reqwest::Error) -> String {
    let causes = causes(error);
    match help(error) {
        Some(help) => format!("{help} ({causes})"),
        None => causes,
    }
}

/// What to do about an error, if that is known.
fn help(error: &reqwest::Error) -> Option<&'static str> {
    use rustls::{CertificateError, Error, InvalidMessage};
    let plain = error.url().is_some_and(|url| url.scheme() == "http");
    let Some(tls) = tls_error(error) else {
        let is_garbled = error.is_request() && !error.is_connect() && !error.is_timeout();
        return (plain && is_garbled).then_some(
            "the answer is no HTTP, or was cut off: if TLS is spoken there, write https://",
        );
    };
    match tls {
        Error::InvalidCertificate(certificate) => match certificate {
            // The second, if the CA was made anew with the same name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Some(
                "the server's certificate is signed by nobody who is trusted here: name the CA \
                 that has signed it with --ca FILE",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Some(
                    "the server's certificate is for another name: write a name that it is for \
                     into the URL",
                )
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Some(
                "the server's certificate has expired: the server needs a new one, or the clock \
                 of this machine is wrong",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Some(
                "the server's certificate is not valid yet: the clock of this machine, or of the \
                 one that made it, is wrong",
            ),
            _ => Some("the server's certificate cannot be accepted"),
        },
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some("what answers does not speak TLS: write http://, or another port")
        }
        _ => None,
    }
}

/// The error of TLS behind an error.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        next = match error.downcast_ref::<std::io::Error>() {
            // Its source is that of the error that it holds.
            Some(holder) => holder.get_ref().map(|held| held as _),
            None => error.source(),
        };
    }
    None
}

/// An error with what is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text += &format!(": {more}");
        }
        source = cause.source();
    }
    text
}

fn unreachable_at(access: &Access, reason: &str) -> StoreError {
    StoreError::Unreachable {
        url: access.urls.join(", "),
        reason: reason.to_owned(),
    }
}

impl Credentials {
    fn header(&self) -> String {
        use base64::Engine;
        match self {
            Credentials::Basic { user, password } => {
                let engine = base64::engine::general_purpose::STANDARD;
                format!("Basic {}", engine.encode(format!("{user}:{password}")))
            }
            Credentials::ApiKey(key) => format!("ApiKey {key}"),
            Credentials::Bearer(token) => format!("Bearer {token}"),
        }
    }
}
