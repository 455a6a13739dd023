//! Feeds over HTTP, and the status and headers of their answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};

use crate::situations::company::{Company, Run, filled};
use crate::situations::must::{Failures, Must};

const GONE: &str =
    r#"[{"id": "E900", "email": "x@acme.example", "status": "Terminated", "endDate": "{D-20}"}]"#;

/// Runs against a server that gives this answer to every request.
fn run(status: &str, headers: &str, body: &str) -> Run {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let body = filled(body);
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLast-Modified: Mon, 23 Nov 2026 19:40:00 GMT\r\n\
         Date: Mon, 23 Nov 2026 22:40:00 GMT\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let lines = BufReader::new(stream.try_clone().expect("a reader")).lines();
            // A GET ends with a blank line.
            let end = lines.map_while(Result::ok).find(String::is_empty);
            if end.is_some() {
                stream.write_all(answer.as_bytes()).ok();
            }
        }
    });
    let url = format!("http://{address}/employees");
    Company::new().env("HR_FEED_URL", &url).run("")
}

#[test]
fn a_complete_answer_is_read() {
    let mut failures = Failures::default();
    for headers in [
        "",
        "Link: </employees?page=1>; rel=\"self\"\r\n",
        "X-Total-Count: 1\r\n",
    ] {
        failures.add(headers, Must::Pass.hold(&run("200 OK", headers, GONE)));
    }
    failures.ensure_none();
}

#[test]
fn an_answer_with_a_next_page_in_its_headers_does_not_pass() {
    let mut failures = Failures::default();
    for (status, headers) in [
        ("200 OK", "Link: </employees?page=2>; rel=\"next\"\r\n"),
        (
            "200 OK",
            "Link: </employees?page=1>; rel=\"self\", </employees?page=2>; rel=next\r\n",
        ),
        ("200 OK", "X-Next-Page: 2\r\n"),
        ("200 OK", "X-Total-Count: 250\r\n"),
        ("200 OK", "X-Total: 250\r\n"),
        ("200 OK", "X-Total-Pages: 5\r\n"),
        ("206 Partial Content", "Content-Range: items 0-0/250\r\n"),
        ("206 Partial Content", ""),
        ("200 OK", "Content-Range: employees 0-0/250\r\n"),
        ("202 Accepted", ""),
    ] {
        let run = run(status, headers, GONE);
        let result = match run.verdict().starts_with("pass") {
            true => Err(run.summary()),
            false => Ok(()),
        };
        failures.add(&format!("{status} {}", headers.trim()), result);
    }
    failures.ensure_none();
}
