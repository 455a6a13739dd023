//! `docs/requests.md` lists exactly the requests that the commands make.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use truto_simulator::{
    Action, CONNECTION_ID, CustomEnvelope, Fault, HRIS_CONNECTION_ID, Hris, ListFields,
    RecordedRequest, Simulator, WORKSPACE_ID, World, scenarios,
};

use super::scenario;
use crate::support::in_bucket;
use crate::support::job::{Job, LEFT_AND_ACTIVE, LEFT_AND_GONE};
use crate::support::s3::{self, Rule, S3Server};

/// A key as `openssl rand -base64 32` makes it.
const WEBHOOK_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Request → the commands that make it, and its parameters.
type Made = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>;

fn note(made: &mut Made, command: &str, request: &RecordedRequest) {
    let (commands, query) = made.entry(pattern(request)).or_default();
    commands.insert(command.to_owned());
    query.extend(request.query.iter().map(|(name, _)| name.clone()));
}

/// A request with ids replaced by `{id}`.
fn pattern(request: &RecordedRequest) -> String {
    let mut parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    for place in 1..parts.len() {
        let before = parts[place - 1];
        let is_id = match before {
            "integrated-account" | "workspaces" => true,
            // A path below a user is a different request.
            "users" => place + 1 == parts.len(),
            _ => false,
        };
        if is_id {
            parts[place] = "{id}";
        }
    }
    match variable_of(&request.path) {
        Some(variable) => format!("{} {variable}", request.method),
        None => format!("{} /{}", request.method, parts.join("/")),
    }
}

/// The variable for a path of the simulator, if the path represents another server.
fn variable_of(path: &str) -> Option<&'static str> {
    match path.split('/').nth(1)? {
        "hr.csv" => Some("HR_FEED_URL"),
        "aliases.csv" => Some("ALIASES_URL"),
        "exceptions.csv" => Some("EXCEPTIONS_URL"),
        "connections.jsonl" => Some("CONNECTIONS_URL"),
        "webhook" => Some("NOTIFY_WEBHOOK_URL"),
        "slack" => Some("NOTIFY_SLACK_WEBHOOK_URL"),
        "pushgateway" => Some("METRICS_PUSHGATEWAY_URL"),
        _ => None,
    }
}

/// Every scenario without its delays.
fn worlds() -> Vec<(&'static str, World)> {
    let quick = |name| {
        scenario(name).with(|world| {
            world.retry_after = 0;
            world.rate_limit = None;
            world
                .faults
                .retain(|fault| !matches!(fault.action, Action::Delay(_)));
        })
    };
    let mut worlds: Vec<_> = scenarios()
        .map(|(_, name, _)| (name, quick(name)))
        .collect();
    // Longer lists than in the scenarios, with both kinds of cursor.
    for envelope in [CustomEnvelope::Truto, CustomEnvelope::Asana] {
        let long = World::generated(120).with(|world| {
            world.list_fields = ListFields::ID_AND_NAME;
            world.membership_emails = false;
            world.custom_envelope = envelope;
        });
        worlds.push(("sparse and long", long));
    }
    let more = Action::status(200, r#"{"result":[],"next_cursor":"more"}"#);
    let paged = World::generated(12).fault(Fault::once("integrated-account$", more));
    worlds.push(("connect-pages", paged));
    let long = World::generated(120).hris(Hris::generated(120));
    worlds.push(("hris, long", long));
    worlds
}

/// The requests of one run or `check` against a world.
fn requests_of(name: &str, world: World, arguments: &[&str]) -> Vec<RecordedRequest> {
    let job = Job::new(world, LEFT_AND_ACTIVE)
        .env("ASANA_WORKSPACE_ID", WORKSPACE_ID)
        .for_scenario(name);
    let job = match name.starts_with("hris") {
        true => job.env("HR_FEED_URL", &format!("truto-hris://{HRIS_CONNECTION_ID}")),
        false => job,
    };
    job.run_with(arguments);
    job.simulator.requests()
}

/// The requests of `connect`, for a new connection and for a reconnect.
fn connect(name: &str, world: World) -> Vec<RecordedRequest> {
    let timeout = match name {
        "connect-unused" => "1s",
        _ => "20s",
    };
    let simulator = Simulator::spawn(world);
    for which in [["--tenant-id", "acme"], ["--reconnect", CONNECTION_ID]] {
        let ended = Command::new(env!("CARGO_BIN_EXE_asana-access-review"))
            .env_clear()
            .env("TRUTO_BASE_URL", simulator.url())
            .env("TRUTO_API_TOKEN", truto_simulator::TOKEN)
            .env("RETRY_MAX_ATTEMPTS", "1")
            .env("RUST_LOG", "off")
            .arg("connect")
            .args(which)
            .args(["--yes", "--timeout", timeout])
            .output();
        ended.expect("the binary");
    }
    simulator.requests()
}

/// Files at https addresses, and receivers of notifications. The simulator serves all of them.
fn elsewhere(arguments: &[&str]) -> Vec<RecordedRequest> {
    let file = |path: &str, text: &str| Fault::once(path, Action::status(200, text)).for_ever();
    let hr = format!("Employee ID,Name,Work Email,Status,Termination Date\n{LEFT_AND_GONE}");
    let aliases = "account_id,email,person_id,relation,owner,reason,approved_by,expires_on\n";
    let exceptions = "person_id,email,account_id,check,reason,approved_by,approved_on,expires_on\n";
    let world = World::generated(12)
        .fault(file("/hr.csv", &hr))
        .fault(file("/aliases.csv", aliases))
        .fault(file("/exceptions.csv", exceptions))
        .fault(file("/webhook", ""))
        .fault(file("/slack", "ok"))
        .fault(file("/pushgateway", ""));
    let job = Job::new(world, LEFT_AND_GONE);
    let url = job.simulator.url();
    let job = job
        .env("HR_FEED_URL", &format!("{url}/hr.csv"))
        .env("HR_FEED_MAX_AGE", "off")
        .env("ALIASES_URL", &format!("{url}/aliases.csv"))
        .env("EXCEPTIONS_URL", &format!("{url}/exceptions.csv"))
        .env("NOTIFY_ON", "always")
        .env("NOTIFY_WEBHOOK_URL", &format!("{url}/webhook"))
        .env("NOTIFY_WEBHOOK_SECRET", WEBHOOK_KEY)
        .env("NOTIFY_SLACK_WEBHOOK_URL", &format!("{url}/slack"))
        .env("METRICS_PUSHGATEWAY_URL", &format!("{url}/pushgateway"));
    let ended = job.run_with(arguments);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let requests = job.simulator.requests();
    for request in &requests {
        let is_elsewhere = variable_of(&request.path).is_some();
        assert_eq!(request.authorized, !is_elsewhere, "{}", request.path);
    }
    requests
}

/// The requests for a list of connections at a web address.
fn for_a_list(arguments: &[&str]) -> Vec<RecordedRequest> {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    let line = format!(
        "{{\"TRUTO_INTEGRATED_ACCOUNT_ID\": \"{CONNECTION_ID}\", \"HR_FEED_URL\": \"hr.csv\"}}"
    );
    let list = Fault::once("/connections.jsonl", Action::status(200, &line)).for_ever();
    let world = World::scenario("healthy").expect("a scenario");
    job.simulator.set_world(world.fault(list));
    let url = format!("{}/connections.jsonl", job.simulator.url());
    let job = job
        .env("TRUTO_INTEGRATED_ACCOUNT_ID", "")
        .env("HR_FEED_URL", "")
        .env("CONNECTIONS_URL", &url);
    let ended = job.run_with(arguments);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    job.simulator.requests()
}

/// The requests to the bucket, by command.
fn bucket() -> Made {
    let server = S3Server::start(["evidence"]);
    let job = in_bucket(Job::scenario("healthy", LEFT_AND_GONE), &server);
    let mut made = Made::new();
    let probing: &[&str] = &["check", "--write-probe"];
    server.inject(Rule::on("DELETE", "/.probe", s3::Fault::AccessDenied).always());
    for (command, arguments) in [
        ("run", &[][..]),
        ("run", &[]),
        ("verify", &["verify"]),
        (
            "report",
            &["report", "--from", "2026-01-01", "--to", "2099-12-31"],
        ),
        ("status", &["status"]),
        ("check", probing),
    ] {
        let before = server.actions().len();
        let ended = job.run_with(arguments);
        assert_eq!(ended.code, 0, "{command}: {}", ended.stderr);
        for action in &server.actions()[before..] {
            let operation = match action.operation() {
                "PUT" => "PutObject",
                "GET" => "GetObject",
                "HEAD" => "HeadObject",
                "DELETE" => "DeleteObject",
                "LIST" if action.query.starts_with("versions") => "ListObjectVersions",
                "LIST" => "ListObjectsV2",
                other => other,
            };
            let (commands, _) = made.entry(operation.to_owned()).or_default();
            commands.insert(command.to_owned());
        }
    }
    made
}

/// The tables of the page.
fn page() -> Made {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/requests.md");
    let text = fs::read_to_string(path).expect("the page");
    let mut made = Made::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let words = |cell: &str| -> BTreeSet<String> {
            let words = cell.split_whitespace();
            words
                .map(|word| word.trim_matches('`').to_owned())
                .collect()
        };
        let (request, query, by) = match cells.as_slice() {
            [request, query, by, _] => (*request, words(query), words(by)),
            [request, by, _] => (*request, BTreeSet::new(), words(by)),
            _ => panic!("{line}"),
        };
        let known = made.insert(request.trim_matches('`').to_owned(), (by, query));
        assert!(known.is_none(), "{request} is there twice");
    }
    made
}

#[test]
fn the_page_lists_exactly_the_requests_of_the_commands() {
    let made = Mutex::new(bucket());
    let work = Mutex::new(worlds());
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                loop {
                    let next = work.lock().expect("the work").pop();
                    let Some((name, world)) = next else {
                        break;
                    };
                    let reviewed = requests_of(name, world.clone(), &[]);
                    let checked = requests_of(name, world.clone(), &["check"]);
                    let connected = match name {
                        "healthy" | "reconnect" => connect(name, world),
                        name if name.starts_with("connect-") => connect(name, world),
                        _ => Vec::new(),
                    };
                    let mut made = made.lock().expect("the requests");
                    for request in &reviewed {
                        note(&mut made, "run", request);
                    }
                    for request in &checked {
                        note(&mut made, "check", request);
                    }
                    for request in &connected {
                        note(&mut made, "connect", request);
                    }
                }
            });
        }
    });
    let mut made = made.into_inner().expect("the requests");
    for (command, arguments) in [("run", &[][..]), ("check", &["check"])] {
        for request in elsewhere(arguments).iter().chain(&for_a_list(arguments)) {
            note(&mut made, command, request);
        }
    }
    let page = page();
    let names = |made: &Made| made.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&page), names(&made));
    for (request, reported) in &page {
        assert_eq!(Some(reported), made.get(request), "{request}");
    }
}

#[test]
fn verify_and_status_send_no_request_to_truto() {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    job.simulator.forget_requests();
    assert_eq!(job.run_with(&["verify"]).code, 0);
    assert_eq!(job.run_with(&["status"]).code, 0);
    assert!(job.simulator.requests().is_empty());
}
