//! Requests that a test stands in the way of.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a request on, and gives the whole answer.
pub fn forward(server: &str, request: &[u8]) -> Vec<u8> {
    let mut to = TcpStream::connect(server).unwrap();
    let text = request
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head =
        String::from_utf8_lossy(&request[..text]).into_owned() + "\r\nconnection: close\r\n\r\n";
    to.write_all(head.as_bytes()).unwrap();
    to.write_all(&request[text + 4..]).unwrap();
    let mut answer = Vec::new();
    let _ = to.read_to_end(&mut answer);
    answer
}

/// A whole request, and how long its head is; none if there is none.
pub fn read_message(stream: &mut impl Read) -> Option<(Vec<u8>, usize)> {
    let mut message = Vec::new();
    let mut room = [0; 65_536];
    loop {
        let end = message.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head) = end {
            let text = String::from_utf8_lossy(&message[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if message.len() >= head + 4 + length {
                return Some((message, head));
            }
        }
        let read = stream.read(&mut room).ok().filter(|read| *read > 0)?;
        message.extend_from_slice(&room[..read]);
    }
}
