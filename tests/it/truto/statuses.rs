//! Every HTTP status, from Truto and through it: whether it is retried, the exit code and the
//! message.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use asana_access_review::cli::exit::Exit;
use asana_access_review::clock::Clock;
use asana_access_review::source::users_list;
use asana_access_review::truto::{ApiSettings, Client, PageWalk, User};
use insta::assert_snapshot;
use truto_simulator::{CONNECTION_ID, TOKEN};

use super::{as_of, chain, quick, soon};

/// A server that returns any status, also unregistered ones. Redirects point to another host.
struct Server {
    status: AtomicU16,
    remote: AtomicU16,
    asked: AtomicU32,
}

fn serve() -> (String, Arc<Server>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = Arc::new(Server {
        status: AtomicU16::new(0),
        remote: AtomicU16::new(0),
        asked: AtomicU32::new(0),
    });
    let shared = Arc::clone(&server);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // An error is a client that closed the connection.
            let _ = answer(stream, &shared);
        }
    });
    (url, server)
}

fn answer(stream: TcpStream, server: &Server) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let mut stream = stream;
    if first.contains("/integrated-account/") {
        let body = r#"{"status":"active","integration":{"name":"asana"}}"#;
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    server.asked.fetch_add(1, Ordering::SeqCst);
    let status = server.status.load(Ordering::SeqCst);
    let body = match server.remote.load(Ordering::SeqCst) {
        0 => format!(r#"{{"statusCode":{status},"error":"E","message":"Truto says no"}}"#),
        _ => format!(
            r#"{{"statusCode":{status},"error":"E","message":"","truto_is_remote_error":true,"raw_response":{{"errors":[{{"message":"Asana says no"}}]}}}}"#
        ),
    };
    let location = match status {
        301 | 302 | 303 | 307 | 308 => "Location: https://elsewhere.example/x?secret=1\r\n",
        _ => "",
    };
    match status {
        100..200 | 204 | 304 => write!(stream, "HTTP/1.1 {status} X\r\n{location}\r\n"),
        _ => write!(
            stream,
            "HTTP/1.1 {status} X\r\n{location}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
    }
}

/// `400, 402, 404-407`.
fn ranges(statuses: &[u16]) -> String {
    let mut parts: Vec<(u16, u16)> = Vec::new();
    for &status in statuses {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == status => *last = status,
            _ => parts.push((status, status)),
        }
    }
    let of = |(first, last): &(u16, u16)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    parts.iter().map(of).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn each_status_is_retried_and_reported_as_in_the_table() {
    let (url, server) = serve();
    let settings = ApiSettings {
        base_url: url.parse().expect("an address"),
        api_token: TOKEN.into(),
        token_pace: None,
        rate_limit: None,
        http: quick(),
    }
    .to(CONNECTION_ID, 100);
    let client = Client::new(&settings, &Clock::at(as_of()), soon()).expect("a client");
    let list = users_list(&client, "1");
    let mut table = String::new();
    for (remote, name) in [(0, "Truto's own"), (1, "with the remote flag")] {
        server.remote.store(remote, Ordering::SeqCst);
        let mut outcomes: Vec<String> = Vec::new();
        let mut statuses = BTreeMap::<String, Vec<u16>>::new();
        for status in 100..=599u16 {
            server.status.store(status, Ordering::SeqCst);
            server.asked.store(0, Ordering::SeqCst);
            let error = PageWalk::<User>::new(&client, &list).next().await;
            let error = error.expect_err("no page of users");
            let attempts = server.asked.load(Ordering::SeqCst);
            let exit = Exit::from(error.kind());
            let mut message = chain(&error);
            // The number and its reason depend on the status.
            let reason = reqwest::StatusCode::from_u16(status).ok();
            if let Some(reason) = reason.and_then(|status| status.canonical_reason()) {
                message = message.replace(&format!("{status} {reason}"), "[status]");
            }
            for text in [format!("status {status}"), format!("{status} redirects")] {
                let masked = text.replace(&status.to_string(), "[status]");
                message = message.replace(&text, &masked);
            }
            message = message.replace("status [status]", "[status]");
            for seconds in 1..20 {
                message = message.replace(&format!("attempts in {seconds} s"), "attempts in 0 s");
            }
            // The port differs from run to run.
            let hosts = message.split("`127.0.0.1:");
            let hosts: Vec<&str> = hosts
                .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()))
                .collect();
            let message = hosts.join("`[host]");
            let hint = error.hint().unwrap_or_else(|| "-".to_owned());
            let outcome = format!(
                "attempts: {attempts}, exit {}\n    {message}\n    hint: {hint}\n",
                exit.code()
            );
            if !outcomes.contains(&outcome) {
                outcomes.push(outcome.clone());
            }
            statuses.entry(outcome).or_default().push(status);
        }
        table.push_str(&format!("[{name}]\n"));
        for outcome in outcomes {
            table.push_str(&format!("{}: {outcome}", ranges(&statuses[&outcome])));
        }
        table.push('\n');
    }
    assert_snapshot!("statuses", table);
}
