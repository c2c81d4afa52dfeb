//! A server beside which something is measured.

use std::{
    error,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    thread,
    time::Duration,
};

use serde_json::Value;
use servers::{Answer, Error, Running};

use super::child;

/// How many events a server gets in one request.
const BULK: usize = 5_000;

/// An hour: a server on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// How long a server is watched to see whether it rests.
const WATCHED: Duration = Duration::from_secs(2);

/// What a server that rests uses of a processor at most.
const RESTING: f64 = 0.05;

/// Asks for a path, and gives the answer, whatever it is.
pub fn answer(
    server: &Running,
    method: &str,
    path: &str,
    body: Option<&str>,
) -> Result<Answer, Error> {
    let url = format!("{}/{path}", server.url());
    servers::request(method, &url, body, PATIENCE)
}

/// Asks for a path, and gives the answer, which has to be a good one.
pub fn ask(
    server: &Running,
    method: &str,
    path: &str,
    body: Option<&str>,
) -> Result<Value, Box<dyn error::Error>> {
    let answer = answer(server, method, path, body)?;
    match answer.status {
        200 | 201 => Ok(answer.body),
        status => Err(format!(
            "{method} /{path}: {status} {:.2000}",
            answer.body.to_string()
        )
        .into()),
    }
}

/// Gives events to an index, one a line.
pub fn give(server: &Running, index: &str, events: &Path) -> Result<(), Box<dyn error::Error>> {
    let mut lines = BufReader::new(File::open(events)?).lines();
    loop {
        let mut bulk = String::new();
        for line in lines.by_ref().take(BULK) {
            bulk.push_str("{\"create\":{}}\n");
            bulk.push_str(&line?);
            bulk.push('\n');
        }
        if bulk.is_empty() {
            return Ok(());
        }
        let answer = ask(server, "POST", &format!("{index}/_bulk"), Some(&bulk))?;
        if answer["errors"] != false {
            return Err(format!("the server refuses events: {:.500}", answer.to_string()).into());
        }
    }
}

/// The processor time that a server has had, in seconds.
pub fn cpu(server: &Running) -> Result<f64, Box<dyn error::Error>> {
    child::cpu_of(server.process().pid)
}

/// Waits until a server merges nothing any more, and rests.
pub fn rest(server: &Running) -> Result<(), Box<dyn error::Error>> {
    loop {
        let before = cpu(server)?;
        thread::sleep(WATCHED);
        let stats = ask(server, "GET", "_stats/merge", None)?;
        let merges = &stats["_all"]["total"]["merges"]["current"];
        if merges == 0 && cpu(server)? - before < RESTING * WATCHED.as_secs_f64() {
            return Ok(());
        }
    }
}
