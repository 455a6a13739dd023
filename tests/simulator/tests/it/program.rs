//! The simulator as a program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use truto_simulator::{CONNECTION_ID, TOKEN, scenarios};

/// A started program, ended with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_truto-simulator"))
}

#[test]
fn it_says_how_to_reach_it_and_prints_each_request() {
    let mut command = program();
    command.args(["--scenario", "three-pages", "--record"]);
    let mut child = Program(command.stdout(Stdio::piped()).spawn().expect("a process"));
    let stdout = child.0.stdout.take().expect("its output");
    let mut lines = BufReader::new(stdout)
        .lines()
        .map(|line| line.expect("a line"));

    let first = lines.next().expect("a line");
    let url = first
        .strip_prefix("The simulator listens on ")
        .expect("its address");
    let url = url.to_owned();
    assert_eq!(lines.next().as_deref(), Some(""));
    for expected in [
        format!("export TRUTO_BASE_URL={url}"),
        format!("export TRUTO_API_TOKEN={TOKEN}"),
        format!("export TRUTO_INTEGRATED_ACCOUNT_ID={CONNECTION_ID}"),
        String::new(),
    ] {
        assert_eq!(lines.next(), Some(expected));
    }

    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
    write!(
        stream,
        "GET /api-token?limit=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(
        lines.next().as_deref(),
        Some("401 GET /api-token?limit=1 (wrong token)")
    );

    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
    let body = r#"{"tenant_id":"acme"}"#;
    write!(
        stream,
        "POST /link-token HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(lines.next(), Some(format!("200 POST /link-token {body}")));
}

#[test]
fn it_lists_its_scenarios() {
    let output = program().arg("--list").output().expect("a process");
    let text = String::from_utf8(output.stdout).expect("text");
    // Each topic once, with its scenarios below it.
    let mut expected = String::new();
    let mut last = "";
    for (topic, name, about) in scenarios() {
        if topic != last {
            let gap = if last.is_empty() { "" } else { "\n" };
            expected += &format!("{gap}{topic}\n");
            last = topic;
        }
        expected += &format!("  {name:<28}{about}\n");
    }
    assert_eq!(text, expected);
    let topics = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(' '));
    let topics = Vec::from_iter(topics);
    assert!(
        topics.len() >= 8 && topics.contains(&"Permissions are missing"),
        "{topics:?}"
    );
}

#[test]
fn what_it_cannot_do_it_says() {
    for (arguments, words) in [
        (["--scenario", "nothing"], "there is no scenario `nothing`"),
        (["--rate-limit", "fast"], "write it as `50/10s`, or `off`"),
    ] {
        let output = program().args(arguments).output().expect("a process");
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).expect("text");
        assert!(text.contains(words), "{text}");
    }
}
