//! A bad way to a server.

use crate::message::{forward, read_message};
use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long an answer that is late takes longer.
const LATE: Duration = Duration::from_millis(300);

/// A way to a server on which a third of all requests meets a fault.
pub struct BadWay {
    pub url: String,
    faults: Arc<AtomicU64>,
}

impl BadWay {
    /// How many requests have met a fault.
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    pub fn to(server: &str) -> BadWay {
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let faults = Arc::new(AtomicU64::new(0));
        let counted = faults.clone();
        let number = AtomicU64::new(0);
        std::thread::spawn(move || {
            let (server, counted, number) = (&server, &counted, &number);
            std::thread::scope(|scope| {
                for stream in listener.incoming() {
                    let mut stream = stream.unwrap();
                    // A connection is for one request, so that each meets a fault of its own.
                    scope.spawn(move || {
                        let Some((request, head)) = read_message(&mut stream) else { return };
                        let head = String::from_utf8_lossy(&request[..head]).into_owned();
                        let is_first = head.starts_with("GET / ");
                        let nth = number.fetch_add(1, Ordering::Relaxed);
                        let fault = if is_first { u64::MAX } else { nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60 };
                        if fault < 6 {
                            counted.fetch_add(1, Ordering::Relaxed);
                        }
                        let refuse = |stream: &mut TcpStream, status: &str| {
                            let body = r#"{"error":{"type":"es_rejected_execution_exception","reason":"busy"}}"#;
                            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                            let _ = stream.write_all(format!("{head}{body}").as_bytes());
                        };
                        match fault {
                            0 => return refuse(&mut stream, "429 Too Many Requests"),
                            1 => return refuse(&mut stream, "503 Service Unavailable"),
                            // Cut before the server has heard of it.
                            2 => return drop(stream.shutdown(Shutdown::Both)),
                            _ => {}
                        }
                        let mut answer = forward(server, &request);
                        match fault {
                            // Cut after it: half of the answer is lost.
                            3 => answer.truncate(answer.len() / 2),
                            4 => std::thread::sleep(LATE),
                            // Some shards have failed, and the answer looks whole.
                            5 if head.contains("/_search") => {
                                let text = String::from_utf8_lossy(&answer);
                                answer = text.replace("\"failed\":0", "\"failed\":1").into_bytes();
                            }
                            _ => {}
                        }
                        let _ = stream.write_all(&answer);
                        let _ = stream.shutdown(Shutdown::Both);
                    });
                }
            });
        });
        BadWay { url, faults }
    }
}
