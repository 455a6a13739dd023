//! A connection made with the real binary, by an admin who is slow, absent or refused.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::has;
use crate::support::job::{Ended, ended, masked};
use insta::assert_snapshot;
use serde_json::Value;
use truto_simulator::{
    Action, Admin, CONNECTION_ID, Fault, HRIS_CONNECTION_ID, MADE_CONNECTION_ID, Simulator, TOKEN,
    World,
};

/// The binary with the two variables that it needs, in an empty folder.
struct Connect {
    simulator: Simulator,
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Connect {
    fn new(world: World) -> Self {
        let simulator = Simulator::spawn(world);
        let url = simulator.url();
        Self {
            simulator,
            folder: tempfile::tempdir().expect("a folder"),
            environment: Vec::new(),
        }
        .env("TRUTO_BASE_URL", &url)
        .env("TRUTO_API_TOKEN", TOKEN)
        .env("RETRY_MAX_ATTEMPTS", "1")
        .env("RUST_LOG", "off")
    }

    fn scenario(name: &str) -> Self {
        Self::new(World::scenario(name).expect("a scenario"))
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_asana-access-review"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .arg("connect")
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).output().expect("the binary"))
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary")
    }

    /// The requests to the server, as `POST /link-token`.
    fn asked(&self) -> Vec<String> {
        let requests = self.simulator.requests();
        let line = |r: &truto_simulator::RecordedRequest| format!("{} {}", r.method, r.path);
        requests.iter().map(line).collect()
    }

    fn links_made(&self) -> usize {
        let is_link = |asked: &&String| *asked == "POST /link-token";
        self.asked().iter().filter(is_link).count()
    }

    /// `connect` must write no files.
    fn ensure_nothing_written(&self) {
        let left = fs::read_dir(self.folder.path()).expect("a folder").count();
        assert_eq!(left, 0, "something was written");
    }
}

const NEW: &[&str] = &["--tenant-id", "acme", "--yes"];
const AGAIN: &[&str] = &["--reconnect", CONNECTION_ID, "--yes"];

fn reported(ended: &Ended) -> String {
    let (stdout, stderr) = (
        masked(&ended.stdout, Path::new("/nowhere")),
        masked(&ended.stderr, Path::new("/nowhere")),
    );
    // The text before the link is the same in all cases.
    let from = stdout.find("\nGive this link").unwrap_or(0);
    let stdout = &stdout[from..];
    format!(
        "exit {}\n--- stdout\n{stdout}--- stderr\n{stderr}",
        ended.code
    )
}

fn events(ended: &Ended) -> Vec<Value> {
    let lines = ended.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

// ---- The ordinary case ----

#[test]
fn a_new_connection_is_made_and_its_variables_are_printed() {
    let connect = Connect::scenario("healthy");
    let ended = connect.run(NEW);
    let text = format!(
        "exit {}\n--- stdout\n{}--- stderr\n{}",
        ended.code,
        masked(&ended.stdout, Path::new("/nowhere")),
        ended.stderr
    );
    assert_snapshot!("connect_a_new_connection", text);
    assert_eq!(connect.links_made(), 1);
    connect.ensure_nothing_written();
    let requests = connect.simulator.requests();
    let posted = requests.iter().find(|request| request.method == "POST");
    assert_snapshot!(posted.expect("a link").body, @r#"{"tenant_id":"acme"}"#);
}

#[test]
fn only_variables_for_truto_are_required() {
    let connect = Connect::scenario("healthy").env("TRUTO_API_TOKEN", "");
    let ended = connect.run(NEW);
    assert_eq!(ended.code, 78);
    assert_snapshot!(ended.stderr, @r"
    error: the configuration has 1 problem
      TRUTO_API_TOKEN is not set
    hint: docs/configuration.md describes all variables
    ");
    // Variables of other commands are not checked.
    let connect = Connect::scenario("healthy").env("HR_FEED_MAX_AGE", "soon");
    let ended = connect.run(&["--tenant-id", "acme", "--yes", "--timeout", "1s"]);
    assert_ne!(ended.code, 78, "{}", ended.stderr);
}

#[test]
fn json_output_has_the_link_first_and_later_the_result() {
    let connect = Connect::scenario("connect-unused");
    let mut child = connect.start(&["--tenant-id", "acme", "--yes", "--json"]);
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let first = lines.next().expect("a line").expect("text");
    let link: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(link["event"], "link");
    assert_eq!(link["tenant_id"], "acme");
    // The admin opens the link in a browser.
    let url = link["url"].as_str().expect("a link").to_owned();
    let (host, target) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("an address");
    let mut stream = TcpStream::connect(host).expect("the page");
    write!(
        stream,
        "GET /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .expect("a request");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");

    let second = lines.next().expect("a line").expect("text");
    let connected: Value = serde_json::from_str(&second).expect("JSON");
    insta::assert_snapshot!(format!("{connected:#}"), @r#"
    {
      "connection": "c6a0e7d2-4b1f-4f0b-9d35-71e2a8b5c904",
      "error": null,
      "event": "connected",
      "exit": 0,
      "hint": null,
      "scopes": [
        "default"
      ],
      "warnings": [],
      "workspaces": [
        {
          "id": "1150527741687836",
          "name": "Example Company"
        }
      ]
    }
    "#);
    assert!(lines.next().is_none());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

// ---- The question ----

#[test]
fn without_a_terminal_and_without_yes_no_request_is_sent() {
    let connect = Connect::scenario("healthy");
    let ended = connect.run(&["--tenant-id", "acme"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert_snapshot!(ended.stderr, @"
    error: connect asks before it makes a link, and stdin is not a terminal
    hint: add --yes to make the link without the question
    ");
    assert!(connect.asked().is_empty());
}

/// The exit code and output at a terminal, with these lines typed.
fn at_a_terminal(connect: &Connect, typed: &str) -> (Option<i32>, String) {
    let binary = env!("CARGO_BIN_EXE_asana-access-review");
    let mut child = Command::new("script")
        .args([
            "-qec",
            &format!("{binary} connect --tenant-id acme"),
            "/dev/null",
        ])
        .current_dir(connect.folder.path())
        .envs(
            connect
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("script");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(typed.as_bytes()).expect("a line");
    let mut text = String::new();
    let mut stdout = child.stdout.take().expect("its output");
    stdout.read_to_string(&mut text).expect("text");
    drop(stdin);
    (child.wait().expect("an end").code(), text)
}

#[test]
fn at_a_terminal_only_a_yes_makes_a_link() {
    if !has(&["script"]) {
        return;
    }
    let connect = Connect::scenario("healthy");
    for no in ["n\n", "\n", "maybe\n"] {
        let (code, text) = at_a_terminal(&connect, no);
        assert_eq!(code, Some(130), "{text}");
        assert!(text.contains("Make the link? [y/N]"), "{text}");
        assert!(text.contains("No link was made."), "{text}");
    }
    assert_eq!(connect.links_made(), 0);
    let (code, text) = at_a_terminal(&connect, "yes\n");
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(connect.links_made(), 1);
    // The progress line.
    assert!(text.contains("Waiting for Asana to be connected"), "{text}");
}

#[test]
fn arguments_that_name_no_single_connection_are_refused() {
    let connect = Connect::scenario("healthy");
    for arguments in [
        &["--yes"][..],
        &["--tenant-id", "acme", "--reconnect", CONNECTION_ID, "--yes"],
        &["--tenant-id", " ", "--yes"],
        &["--reconnect", "../api-token", "--yes"],
        &["--tenant-id", "acme", "--yes", "--timeout", "30"],
    ] {
        assert_eq!(connect.run(arguments).code, 2, "{arguments:?}");
    }
    assert!(connect.asked().is_empty());
}

// ---- Existing connections ----

#[test]
fn an_existing_connection_of_the_tenant_is_named_first() {
    let connect = Connect::scenario("healthy");
    let ended = connect.run(&["--tenant-id", "example-company", "--yes", "--json"]);
    let events = events(&ended);
    let warnings = events[0]["warnings"].as_array().expect("warnings");
    assert_eq!(warnings.len(), 2);
    assert_snapshot!(warnings[0].as_str().unwrap_or_default(), @"this tenant already has a connection to Asana: `5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10` (status `active`). A second connection has separate evidence; to renew the existing one: asana-access-review connect --reconnect 5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10");
    // The command waits for the new connection.
    assert_eq!(events[1]["connection"], MADE_CONNECTION_ID);
}

#[test]
fn a_recent_connection_attempt_is_a_warning() {
    let shortly_after = "2026-09-01T10:06:00Z".parse().expect("an instant");
    let worlds = [
        World::scenario("healthy").map(|world| world.at(shortly_after)),
        World::scenario("connecting"),
    ];
    for world in worlds {
        let connect = Connect::new(world.expect("a scenario"));
        let ended = connect.run(&[
            "--tenant-id",
            "example-company",
            "--yes",
            "--json",
            "--timeout",
            "1s",
        ]);
        let warnings = events(&ended)[0]["warnings"].clone();
        let just_now = warnings[1].as_str().unwrap_or_default().to_owned();
        assert!(
            just_now.starts_with(
                "another connection is being made, or was made in the last ten minutes: `5f0c"
            ),
            "{just_now}"
        );
    }
    // If the time is unknown, the warning is general: see the snapshot of the first test.
}

// ---- The wait ----

#[test]
fn a_connection_that_fails_in_truto_is_reported_with_its_reason() {
    let post_install = Connect::scenario("connect-post-install-error").run(NEW);
    assert_snapshot!("connect_post_install_error", reported(&post_install));
    let validation = Connect::scenario("connect-validation-error").run(NEW);
    assert_snapshot!("connect_validation_error", reported(&validation));
    let json = Connect::scenario("connect-validation-error").run(&[NEW, &["--json"]].concat());
    let failed = &events(&json)[1];
    assert_eq!(failed["event"], "failed");
    assert_eq!(failed["exit"], 77);
    assert_eq!(failed["connection"], MADE_CONNECTION_ID);
}

#[test]
fn an_admin_who_does_not_connect_in_time_is_a_timeout() {
    let connect = Connect::scenario("connect-unused");
    let ended = connect.run(&["--tenant-id", "acme", "--yes", "--timeout", "3s"]);
    assert_snapshot!("connect_unused", reported(&ended));
    connect.ensure_nothing_written();

    let stuck = World::scenario("healthy").expect("a scenario");
    let stuck = stuck.with(|world| world.admin = Admin::with_states(&["connecting"]));
    let ended = Connect::new(stuck).run(&["--tenant-id", "acme", "--yes", "--timeout", "5s"]);
    assert_eq!(ended.code, 75);
    assert!(
        ended.stderr.starts_with(
            "error: the connection `c6a0e7d2-4b1f-4f0b-9d35-71e2a8b5c904` (status `connecting`) did \
             not become active within 5 s"
        ),
        "{}",
        ended.stderr
    );
}

#[test]
fn connect_waits_for_a_slow_admin_and_retries_errors_of_truto() {
    let world = World::scenario("healthy").expect("a scenario");
    let world = world
        .fault(Fault::once("integrated-account", Action::html(502)).nth(2))
        .with(|world| {
            let slow = Admin::with_states(&["connecting", "active"]);
            world.admin = Admin {
                uses_link_after: Some(2),
                ..slow
            };
        });
    let connect = Connect::new(world);
    let ended = connect.run(NEW);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(connect.links_made(), 1);
}

#[test]
fn ctrl_c_during_the_wait_is_a_clean_stop() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let connect = Connect::scenario("connect-unused");
        let child = connect.start(NEW);
        let watched = Instant::now();
        while connect.links_made() == 0 && watched.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let asked = Instant::now();
        let kill = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(kill.expect("kill").success());
        let ended = ended(child.wait_with_output().expect("an end"));
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{:?}",
            asked.elapsed()
        );
        assert_eq!(
            ended.stderr,
            "stopped: the wait ended; a printed link works once, within seven days\n"
        );
        connect.ensure_nothing_written();
    }
}

// ---- Reconnecting ----

#[test]
fn a_reconnected_connection_keeps_its_id_and_context() {
    let connect = Connect::scenario("reconnect");
    let ended = connect.run(&[AGAIN, &["--json"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let connected = &events(&ended)[1];
    assert_eq!(connected["connection"], CONNECTION_ID);
    // The context contains the scopes. The simulator clears it unless it is set to keep it.
    assert_eq!(connected["scopes"][0], "default");
    assert_eq!(connected["warnings"].as_array().map(Vec::len), Some(0));
    let requests = connect.simulator.requests();
    let posted = requests.iter().find(|request| request.method == "POST");
    assert_snapshot!(
        posted.expect("a link").body,
        @r#"{"integrated_account_id":"5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10","persist_previous_context":true,"scopes":["default"]}"#
    );
}

#[test]
fn a_link_never_asks_for_a_mix_of_scopes() {
    let narrow = r#"{"scopes":["users:read","workspaces:read"],"tenant_id":"acme"}"#;
    let renewal =
        format!(r#"{{"integrated_account_id":"{CONNECTION_ID}","persist_previous_context":true}}"#);
    for (which, permissions, body) in [
        (NEW, "full", r#"{"tenant_id":"acme"}"#),
        (NEW, "narrow", narrow),
        (AGAIN, "narrow", &renewal),
    ] {
        let connect = Connect::scenario("connect-narrow").env("ASANA_PERMISSIONS", permissions);
        let ended = connect.run(which);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let requests = connect.simulator.requests();
        let posted = requests.iter().find(|request| request.method == "POST");
        assert_eq!(posted.expect("a link").body, body);
        let is_narrow = permissions == "narrow";
        assert_eq!(ended.stdout.contains("It reads no roles"), is_narrow);
        assert_eq!(
            ended.stdout.contains("export ASANA_PERMISSIONS=narrow"),
            is_narrow
        );
        assert_eq!(
            ended.stdout.contains("instead of full permissions"),
            !is_narrow
        );
    }
    // More than was asked for.
    let full = Connect::scenario("healthy")
        .env("ASANA_PERMISSIONS", "narrow")
        .run(NEW);
    let more = "it has full permissions (default), more than ASANA_PERMISSIONS=narrow needs";
    assert!(full.stdout.contains(more), "{}", full.stdout);
}

#[test]
fn scopes_that_asana_forbids_are_reported_with_both_remedies() {
    for which in [NEW, AGAIN] {
        let ended = Connect::scenario("connect-forbidden-scopes").run(which);
        assert_eq!(ended.code, 77, "{}", ended.stdout);
        assert!(
            ended.stderr.contains("status is `validation_error`"),
            "{}",
            ended.stderr
        );
        let hint = ended.stderr.lines().find(|line| line.starts_with("hint: "));
        let hint = hint.unwrap_or_default();
        assert!(
            hint.contains("full permissions (the scope default, alone)"),
            "{hint}"
        );
        assert!(hint.contains("ASANA_PERMISSIONS=narrow"), "{hint}");
        assert!(hint.contains("connect --reconnect "), "{hint}");
    }
}

#[test]
fn a_connection_that_is_unknown_or_not_asanas_is_not_reconnected() {
    let connect = Connect::scenario("hris");
    let ended = connect.run(&["--reconnect", HRIS_CONNECTION_ID, "--yes"]);
    assert_eq!(ended.code, 77);
    assert!(
        ended.stderr.contains("is for “…”, not for Asana"),
        "{}",
        ended.stderr
    );
    let ended = connect.run(&["--reconnect", "nobody", "--yes"]);
    assert_eq!(ended.code, 77);
    assert_snapshot!(ended.stderr, @"
    error: Truto knows no connection `nobody` for this token
    hint: check the id after --reconnect, and that TRUTO_API_TOKEN belongs to the same environment
    ");
    assert_eq!(connect.links_made(), 0);
}

// ---- Refusals and unusual answers ----

#[test]
fn a_refused_token_is_reported_before_a_link_is_made() {
    let connect = Connect::scenario("healthy").env("TRUTO_API_TOKEN", "wrong-token");
    let ended = connect.run(NEW);
    assert_eq!(ended.code, 77);
    assert_snapshot!(ended.stderr, @"
    error: Truto refused the API token
    hint: check TRUTO_API_TOKEN: it must be complete, not expired, and of the connection's environment
    ");
    assert_eq!(connect.asked(), ["GET /integrated-account"]);
}

#[test]
fn a_link_that_truto_refuses_is_reported_with_a_hint() {
    let refused = Action::TrutoError {
        status: 403,
        message: "Token may not create links".to_owned(),
    };
    let world = |action| {
        let world = World::scenario("healthy").expect("a scenario");
        world.fault(Fault::once("link-token", action).for_ever())
    };
    let ended = Connect::new(world(refused)).run(NEW);
    assert_eq!(ended.code, 77);
    assert_snapshot!(ended.stderr, @"
    error: POST /link-token was refused (status 403): “…”
    hint: allow the API token to make links, and install Asana in its environment of Truto
    ");
    for (body, code) in [
        (r#"{"message":"ok"}"#, 1),
        ("[]", 1),
        ("<html></html>", 1),
        (r#"{"link_tok"#, 75),
    ] {
        let ended = Connect::new(world(Action::status(200, body))).run(NEW);
        assert_eq!(ended.code, code, "{body}: {}", ended.stderr);
        assert!(
            ended
                .stderr
                .starts_with("error: POST /link-token: the answer cannot be read"),
            "{body}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_connection_of_another_tenant_is_never_mistaken_for_the_new_one() {
    let others = r#"{"result":[
        {"id":"theirs","tenant_id":"somebody-else","status":"active","integration":{"name":"asana"}},
        {"id":"jira","tenant_id":"acme","status":"active","integration":{"name":"jira"}},
        {"id":"../x","tenant_id":"acme","status":"active","integration":{"name":"asana"}},
        {"tenant_id":"acme","status":"active","integration":{"name":"asana"}},
        null]}"#;
    let world = World::scenario("connect-unused").expect("a scenario");
    let unfiltered = Fault::once("integrated-account$", Action::status(200, others)).nth(2);
    let ended = Connect::new(world.fault(unfiltered.for_ever())).run(&[
        "--tenant-id",
        "acme",
        "--yes",
        "--timeout",
        "3s",
    ]);
    assert_eq!(ended.code, 75, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .starts_with("error: Asana was not connected within 3 s")
    );
}

#[test]
fn every_page_of_the_connections_is_read() {
    let first = r#"{"result":[],"next_cursor":"more","limit":1}"#;
    let again = r#"{"result":[],"next_cursor":"again"}"#;
    let second =
        r#"{"result":[{"id":"old","tenant_id":"acme","status":"paused"}],"next_cursor":null}"#;
    let world = World::scenario("connect-unused").expect("a scenario");
    let pages = [first, second].map(|page| Action::status(200, page));
    let [first, second] = pages;
    let world = world
        .fault(Fault::once("integrated-account$", first))
        .fault(Fault::once("integrated-account$", second).nth(2));
    let connect = Connect::new(world);
    let ended = connect.run(&["--tenant-id", "acme", "--yes", "--timeout", "1s"]);
    assert!(
        ended.stdout.contains("`old` (status `paused`)"),
        "{}",
        ended.stdout
    );
    let requests = connect.simulator.requests();
    assert_eq!(requests[1].query("next_cursor"), Some("more"));

    let endless = Action::status(200, again);
    let world = World::scenario("connect-unused").expect("a scenario");
    let world = world.fault(Fault::once("integrated-account$", endless).for_ever());
    let ended = Connect::new(world).run(NEW);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("the list of connections has no end"),
        "{}",
        ended.stderr
    );
}

// ---- What the connection can read ----

#[test]
fn several_workspaces_are_listed_for_a_choice() {
    let ended = Connect::scenario("two-workspaces").run(NEW);
    assert_snapshot!("connect_two_workspaces", reported(&ended));
}

#[test]
fn a_connection_without_a_workspace_is_reported_as_unusable() {
    let world = World::scenario("healthy").expect("a scenario");
    let ended = Connect::new(world.with(|world| world.workspaces.clear())).run(NEW);
    assert_snapshot!("connect_no_workspace", reported(&ended));
}

#[test]
fn insufficient_scopes_are_reported() {
    let world = World::scenario("healthy").expect("a scenario");
    let narrow = |world: &mut World| world.scopes = vec!["users:read workspaces:read".to_owned()];
    let ended = Connect::new(world.with(narrow)).run(NEW);
    assert_eq!(ended.code, 0);
    assert!(
        ended.stdout.contains(
            "warning: it has the scopes users:read, workspaces:read instead of full permissions"
        ),
        "{}",
        ended.stdout
    );
}
