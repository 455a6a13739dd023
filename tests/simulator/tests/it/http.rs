//! A small HTTP client: one GET on a connection of its own, read to the end.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use truto_simulator::{CONNECTION_ID, Simulator, TOKEN};

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The value of a header, its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// GET with the right token.
pub(crate) fn get(simulator: &Simulator, target: &str) -> Answer {
    try_get(simulator, target, Some(TOKEN)).expect("an answer")
}

/// GET of data: with the right token and the connection's id.
pub(crate) fn data(simulator: &Simulator, target: &str) -> Answer {
    get(simulator, &with_connection(target))
}

/// The target with the connection's id in its query.
pub(crate) fn with_connection(target: &str) -> String {
    let joint = if target.contains('?') { '&' } else { '?' };
    format!("{target}{joint}integrated_account_id={CONNECTION_ID}")
}

/// GET with a token or without; an error if the answer does not come whole.
pub(crate) fn try_get(
    simulator: &Simulator,
    target: &str,
    token: Option<&str>,
) -> std::io::Result<Answer> {
    let url = simulator.url();
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    let token = token.map_or_else(String::new, |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\n{token}Connection: close\r\n\r\n"
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let answer = Answer {
        status: head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or_else(cut)?,
        head: head.to_owned(),
        body: body.to_owned(),
    };
    match answer.header("content-length") {
        Some(length) if length != body.len().to_string() => Err(cut()),
        _ => Ok(answer),
    }
}

/// Every row of a list, page by page, the way a client reads it.
pub(crate) fn all_rows(simulator: &Simulator, target: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    for _ in 0..100 {
        let joint = if target.contains('?') { '&' } else { '?' };
        let page = data(simulator, &format!("{target}{joint}next_cursor={cursor}")).json();
        let result = page.get("result").or_else(|| page.get("results"));
        rows.extend(result.and_then(Value::as_array).expect("rows").clone());
        match page["next_cursor"].as_str() {
            Some(next) if !next.is_empty() => next.clone_into(&mut cursor),
            _ => return rows,
        }
    }
    panic!("the list does not end");
}
