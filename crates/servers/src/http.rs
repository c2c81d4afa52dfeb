//! Requests to a server.

use std::time::Duration;

use serde_json::Value;
use ureq::{Agent, http::Request};

use crate::Error;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 28;

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status, e.g. 404. It is for the caller to judge.
    pub status: u16,
    /// The body as JSON; as a string when it is none.
    pub body: Value,
}

/// Sends one request, with a body of JSON if there is one, and waits at most `timeout` for the whole answer.
///
/// # Errors
/// [`Error::NoAnswer`]. An answer with whatever status is no error.
pub fn request(
    method: &str,
    url: &str,
    body: Option<&str>,
    timeout: Duration,
) -> Result<Answer, Error> {
    let no_answer = |reason: ureq::Error| Error::NoAnswer {
        method: method.into(),
        url: url.into(),
        reason: reason.to_string(),
    };
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        // A proxy that the environment names is not meant for servers on this machine.
        .proxy(None)
        .build()
        .into();
    let head = Request::builder().method(method).uri(url);
    let answer = match body {
        Some(body) => head
            .header("content-type", "application/json")
            .body(body)
            .map_err(ureq::Error::from)
            .and_then(|request| agent.run(request)),
        None => head
            .body(())
            .map_err(ureq::Error::from)
            .and_then(|request| agent.run(request)),
    };
    let mut answer = answer.map_err(no_answer)?;
    let status = answer.status().as_u16();
    let text = answer
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER)
        .read_to_string()
        .map_err(no_answer)?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status, body })
}
