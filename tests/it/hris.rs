//! Reads the HR rows from an HR system behind Truto that pages, refuses, fails and omits fields.

use std::time::Duration;

use crate::support::job::{Ended, Job};
use crate::support::schema;
use asana_access_review::clock::Clock;
use asana_access_review::feed::{self, FeedError, HrisSettings, Source};
use asana_access_review::model::{AgeBasis, Employment, HrFeed};
use asana_access_review::net::{self, Deadline, ErrorKind};
use asana_access_review::truto::{self, RateLimit, TrutoError};
use insta::{assert_debug_snapshot, assert_snapshot};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use truto_simulator::{
    Action, CONNECTION_ID, Employee, Envelope, Fault, HRIS_CONNECTION_ID, Hris, LastCursor,
    Limiter, Permission, RecordedRequest, Simulator, TOKEN, World,
};

const LIST: &str = "hris/employees$";

fn settings(simulator: &Simulator) -> HrisSettings {
    HrisSettings {
        truto: truto::ApiSettings {
            base_url: simulator.url().parse().expect("an address"),
            api_token: TOKEN.into(),
            token_pace: None,
            rate_limit: None,
            http: net::Settings {
                timeout: Duration::from_secs(5),
                max_attempts: 3,
                max_elapsed: Duration::from_secs(20),
                base_delay: Duration::ZERO,
                traffic: None,
            },
        }
        .to(HRIS_CONNECTION_ID, 100),
        dates: asana_access_review::feed::DateRules {
            order: None,
            time_zone: "Europe/Berlin".to_owned(),
            location_zones: std::collections::BTreeMap::new(),
        },
        words: asana_access_review::feed::Words::default(),
        may_lack_leavers: false,
    }
}

fn as_of() -> Timestamp {
    "2026-11-23T22:40:00Z".parse().expect("an instant")
}

async fn read_with(settings: HrisSettings) -> Result<HrFeed, FeedError> {
    let deadline = Deadline::after(Duration::from_secs(60));
    feed::read(&Source::Hris(settings), &Clock::at(as_of()), deadline).await
}

async fn try_read(world: World) -> Result<HrFeed, FeedError> {
    let simulator = Simulator::spawn(world.at(as_of()));
    read_with(settings(&simulator)).await
}

/// The feed of a world with a readable HR system.
async fn read(world: World) -> HrFeed {
    try_read(world).await.expect("a feed")
}

async fn refused(world: World) -> FeedError {
    try_read(world).await.expect_err("a refusal")
}

fn scenario(name: &str) -> World {
    World::scenario(name).expect("a scenario")
}

fn with(hris: Hris) -> World {
    World::generated(12).hris(hris)
}

fn reported(error: &FeedError) -> String {
    crate::support::reported(error, error.kind(), error.hint())
}

fn unusable(feed: HrFeed) -> String {
    assert_eq!(feed.rows_in_file(), 0, "an unusable feed has no rows");
    feed.unusable.expect("an unusable feed")
}

// ---- The ordinary case ----

#[tokio::test]
async fn every_employee_of_the_hr_system_is_a_row_of_a_live_feed() {
    let feed = read(scenario("hris")).await;
    assert_eq!(feed.unusable, None);
    assert_eq!((feed.rows.len(), feed.rows_in_file()), (12, 12));
    let ended = feed
        .rows
        .iter()
        .filter(|row| row.status == Employment::Ended);
    let ended: Vec<_> = ended.map(|row| row.person_id.as_deref()).collect();
    assert_eq!(ended, [Some("9")]);
    let origin = &feed.origin;
    assert_eq!(origin.url, format!("truto-hris://{HRIS_CONNECTION_ID}"));
    assert_eq!(origin.modified_at, Some(as_of()));
    assert_eq!(origin.age_basis, AgeBasis::Live);
    assert_eq!(origin.format, "truto-hris");
    assert_eq!(origin.notes, ["The connection is for “bamboohr”"]);
    assert_debug_snapshot!(origin.requests, @r#"
    [
        RequestRecord {
            method: "GET",
            path: "/integrated-account/b7c41f96-20d3-4e58-9a0b-64d1c8e7f352",
            query: {},
            answers: 1,
        },
        RequestRecord {
            method: "GET",
            path: "/unified/hris/employees",
            query: {
                "integrated_account_id": "b7c41f96-20d3-4e58-9a0b-64d1c8e7f352",
                "limit": "100",
                "truto_ignore_remote_data": "true",
            },
            answers: 1,
        },
    ]
    "#);
}

#[tokio::test]
async fn only_the_hr_connection_is_read_and_never_its_raw_records() {
    let simulator = Simulator::spawn(scenario("hris").at(as_of()));
    let feed = read_with(settings(&simulator)).await;
    assert!(feed.is_ok());
    let requests = simulator.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.authorized));
    assert_eq!(
        requests[0].path,
        format!("/integrated-account/{HRIS_CONNECTION_ID}")
    );
    assert_eq!(requests[1].query("truto_ignore_remote_data"), Some("true"));
}

// ---- Pages ----

#[tokio::test]
async fn three_pages_are_read_in_order_and_hashed_together() {
    let simulator = Simulator::spawn(with(Hris::generated(250)).at(as_of()));
    let feed = read_with(settings(&simulator)).await;
    let feed = feed.expect("a feed");
    let lines: Vec<_> = feed.rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, (1..=250).collect::<Vec<u64>>());
    let pages = &feed.origin.pages;
    let reported: Vec<_> = pages
        .iter()
        .map(|page| (page.list.as_str(), page.page, page.rows, page.last))
        .collect();
    assert_eq!(
        reported,
        [
            ("employees", 1, 100, false),
            ("employees", 2, 100, false),
            ("employees", 3, 50, true),
        ]
    );
    assert_eq!(
        feed.origin.bytes,
        pages.iter().map(|page| page.bytes).sum::<u64>()
    );
    assert_eq!(feed.origin.requests[1].answers, 3);

    let mut all = Sha256::new();
    for request in simulator
        .requests()
        .iter()
        .filter(|r| r.path.ends_with("employees"))
    {
        let body = body_again(&simulator, request).await;
        all.update(&body);
    }
    assert_eq!(feed.origin.sha256, const_hex::encode(all.finalize()));
}

/// Sends a recorded request again and returns the body.
async fn body_again(simulator: &Simulator, request: &RecordedRequest) -> Vec<u8> {
    let mut url: reqwest::Url = simulator.url().parse().expect("an address");
    url.set_path(&request.path);
    url.query_pairs_mut().extend_pairs(&request.query);
    let headers = [("authorization", format!("Bearer {TOKEN}"))];
    let headers = headers
        .into_iter()
        .map(|(name, value)| {
            let value = reqwest::header::HeaderValue::try_from(value).expect("a header");
            (reqwest::header::HeaderName::from_static(name), value)
        })
        .collect();
    let http = net::Http::new(
        &settings(simulator).truto.api.http,
        Deadline::after(Duration::from_secs(60)),
    );
    let request = net::Request {
        url,
        headers,
        max_bytes: 1 << 20,
        pacer: None,
        what: "GET a page again".to_owned(),
    };
    let answer = http.expect("a client").get(request).await;
    answer.expect("a page").body
}

#[tokio::test]
async fn every_form_of_a_list_gives_the_same_rows() {
    let plain = read(with(Hris::generated(120))).await;
    for envelope in [Envelope::Result, Envelope::Results, Envelope::Keyed] {
        for last_cursor in [LastCursor::Null, LastCursor::Missing, LastCursor::Empty] {
            let world = with(Hris::generated(120)).with(|world| {
                world.envelope = envelope;
                world.last_cursor = last_cursor;
            });
            let feed = read(world).await;
            assert_eq!(feed.rows, plain.rows, "{envelope:?} {last_cursor:?}");
        }
    }
}

#[tokio::test]
async fn an_incomplete_list_is_not_used() {
    assert_snapshot!(unusable(read(scenario("hris-partial")).await), @"Truto marked the list of employees as partial (`is_partial_response`): leavers may be missing");
    let hris = Hris::generated(250).with(|hris| hris.repeated_cursor = true);
    let feed = read(with(hris)).await;
    // The evidence still has the pages that were received.
    assert_eq!(feed.origin.pages.len(), 2);
    assert_eq!(feed.origin.sha256.len(), 64);
    assert_snapshot!(unusable(feed), @"the list of employees did not end: page 2 has the cursor of an earlier page");
}

#[tokio::test]
async fn repeated_records_are_counted_and_records_without_an_id_are_listed() {
    let hris = Hris::generated(102).with(|hris| {
        hris.duplicate_rows = 2;
        hris.row_without_id = true;
    });
    let feed = read(with(hris)).await;
    assert_eq!((feed.rows.len(), feed.duplicate_rows), (102, 2));
    assert_eq!(feed.rejected.len(), 1);
    assert_eq!(
        feed.rejected[0].reason,
        "page 2, row 5: the record has no id"
    );
    assert_eq!(feed.rows_in_file(), 105);
}

#[tokio::test]
async fn an_expired_cursor_restarts_the_list_once() {
    let world = || with(Hris::generated(250));
    let feed = read(world().with(|world| world.expired_cursors = 1)).await;
    assert_eq!((feed.rows.len(), feed.origin.pages.len()), (250, 3));

    let error = refused(world().with(|world| world.expired_cursors = 99)).await;
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(
        matches!(
            error,
            FeedError::Truto {
                cause: TrutoError::CursorExpired { page: 2, .. },
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_without_records_is_an_error_and_not_an_empty_list() {
    for body in [r#"{"message":"ok"}"#, "[]", r#"{"result":null}"#, "<html>"] {
        let answer = Action::status(200, body);
        let error = refused(scenario("hris").fault(Fault::once(LIST, answer))).await;
        assert_eq!(error.kind(), ErrorKind::Unexpected, "{body}");
    }
    let feed = read(with(Hris::new())).await;
    assert_eq!((feed.unusable.as_deref(), feed.rows_in_file()), (None, 0));
}

#[tokio::test]
async fn transient_errors_are_retried() {
    for action in [
        Action::RateLimited(Limiter::Truto),
        Action::TrutoError {
            status: 502,
            message: "Bad Gateway".to_owned(),
        },
        Action::html(530),
        Action::Reset,
        Action::CutBody,
        Action::status(200, r#"{"result":[{"id":"1"},{"#),
    ] {
        let world = scenario("hris").with(|world| world.retry_after = 0);
        let feed = read(world.fault(Fault::once(LIST, action.clone()))).await;
        assert_eq!(feed.rows.len(), 12, "{action:?}");
    }
}

#[tokio::test]
async fn requests_keep_to_the_limit_of_their_connection() {
    let window = Duration::from_millis(300);
    let world = with(Hris::generated(6)).with(|world| world.rate_limit = Some((2, window)));
    let simulator = Simulator::spawn(world);
    let mut settings = settings(&simulator);
    settings.truto.page_size = 1;
    settings.truto.api.rate_limit = Some(RateLimit {
        requests: 2,
        window,
    });
    settings.may_lack_leavers = true;
    let feed = read_with(settings).await.expect("a feed");
    assert_eq!(feed.rows.len(), 6);
    let statuses = simulator.requests();
    assert!(statuses.iter().all(|request| request.status == Some(200)));
}

// ---- Refusals ----

#[tokio::test]
async fn every_refusal_names_the_hr_connection_and_has_a_hint() {
    let dead = Action::RemoteError {
        status: 401,
        message: "Not Authorized".to_owned(),
    };
    let dies = Fault::once(LIST, dead)
        .nth(2)
        .connection_becomes("needs_reauth");
    let token_is_refused = Action::TrutoError {
        status: 401,
        message: "Unauthorized".to_owned(),
    };
    let permission =
        |permission| with(Hris::generated(3).with(|hris| hris.permission = permission));
    let status = |status: &str| {
        let status = status.to_owned();
        with(Hris::generated(3).with(|hris| hris.connection_status = status))
    };
    let worlds = [
        ("needs reauth", scenario("hris-needs-reauth")),
        ("dies on page 2", with(Hris::generated(250)).fault(dies)),
        (
            "another token",
            scenario("hris").with(|world| world.token = "other".to_owned()),
        ),
        (
            "token may not",
            scenario("hris").fault(Fault::once(LIST, token_is_refused)),
        ),
        (
            "scope",
            permission(Permission::missing_scope("employees:read")),
        ),
        ("forbidden", permission(Permission::Forbidden(Vec::new()))),
        ("no such route", permission(Permission::NotFound)),
        ("no such connection", World::generated(3)),
        ("connecting", status("connecting")),
        ("paused", status("paused")),
        (
            "Asana",
            with(Hris::generated(3).with(|hris| hris.integration = "Asana".to_owned())),
        ),
        (
            "down",
            scenario("hris").fault(Fault::once(LIST, Action::html(502)).for_ever()),
        ),
    ];
    let mut texts = String::new();
    for (name, world) in worlds {
        texts.push_str(&format!("[{name}] {}\n\n", reported(&refused(world).await)));
    }
    assert!(!texts.contains(CONNECTION_ID), "{texts}");
    for seconds in 1..20 {
        texts = texts.replace(&format!("attempts in {seconds} s"), "attempts in 0 s");
    }
    assert_snapshot!(texts, @r"
    [needs reauth] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` to the HR system is not usable: its status is `needs_reauth`
    hint: an administrator of the HR system must reconnect `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` in Truto; the id stays

    [dies on page 2] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` has lost its login at the HR system (status `needs_reauth`)
    hint: an administrator of the HR system must reconnect `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` in Truto; the id stays

    [another token] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: Truto refused the API token
    hint: check TRUTO_API_TOKEN: it must be complete, not expired, and of the connection's environment

    [token may not] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: GET /unified/hris/employees was refused (status 401): “Unauthorized”
    hint: the token can read the connection but not this resource: check the permissions of the token, then the connection's login at the HR system

    [scope] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: GET /unified/hris/employees was refused: missing scope employees:read
    hint: an administrator of the HR system must reconnect in Truto with full permissions or these scopes; the id stays

    [forbidden] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: GET /unified/hris/employees was refused (status 403): “You do not have access to this resource.”
    hint: the account that connected the HR system must be allowed to read all employees, and Truto must support its employees (unified HRIS)

    [no such route] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: GET /unified/hris/employees was rejected (status 404): “Not Found”
    hint: the account that connected the HR system must be allowed to read all employees, and Truto must support its employees (unified HRIS)

    [no such connection] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: Truto knows no connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` for this token
    hint: check HR_FEED_URL, and that TRUTO_API_TOKEN belongs to the same environment

    [connecting] Transient: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` to the HR system is still connecting
    hint: wait until its status is `active`: Truto is still setting it up

    [paused] Refused: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` to the HR system is not usable: its status is `paused`
    hint: an administrator of the HR system must reconnect `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` in Truto; the id stays

    [Asana] Configuration: the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` is for Asana, not for an HR system
    hint: set HR_FEED_URL to a connection to an HR system

    [down] Transient: the HR system behind the connection `b7c41f96-20d3-4e58-9a0b-64d1c8e7f352` cannot be read: GET /unified/hris/employees: 502 Bad Gateway, after 3 attempts in 0 s
    hint: -
    ");
}

#[tokio::test]
async fn an_inactive_connection_gets_no_further_request() {
    for status in [
        "connecting",
        "needs_reauth",
        "validation_error",
        "paused",
        "",
    ] {
        let hris = Hris::generated(3).with(|hris| hris.connection_status = status.to_owned());
        let simulator = Simulator::spawn(with(hris));
        let error = read_with(settings(&simulator)).await;
        let expected = match status {
            "connecting" => ErrorKind::Transient,
            _ => ErrorKind::Refused,
        };
        assert_eq!(error.expect_err("a refusal").kind(), expected, "{status}");
        assert_eq!(simulator.requests().len(), 1, "{status}");
    }
}

// ---- The whole job ----

/// A job that reads the HR system of its world.
fn job(world: World) -> Job {
    Job::new(world, "").env("HR_FEED_URL", &format!("truto-hris://{HRIS_CONNECTION_ID}"))
}

fn check<'r>(result: &'r Value, id: &str) -> &'r Value {
    let checks = result["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["id"] == id);
    found.unwrap_or_else(|| panic!("no check {id}"))
}

fn ensure_as_published(job: &Job, sequence: u64) {
    for (schema, file) in [
        ("manifest", "manifest.json"),
        ("result", "result.json"),
        ("facts", "inputs/facts.json"),
    ] {
        let content = job.json(sequence, file);
        schema::ensure_as_published(file, &schema::validator(schema), &content);
    }
}

#[test]
fn exit_0_with_every_page_of_the_hr_system_in_the_evidence() {
    let job = job(scenario("hris"));
    let Ended { code, stderr, .. } = job.run();
    assert_eq!(code, 0, "{stderr}");
    let manifest = job.json(1, "manifest.json");
    let hr = &manifest["sources"]["hr_feed"];
    assert_eq!(hr["url"], format!("truto-hris://{HRIS_CONNECTION_ID}"));
    assert_eq!(hr["format"], "truto-hris");
    assert_eq!(hr["age_basis"], "live");
    assert_eq!((&hr["rows"], &hr["rows_read"]), (&json!(12), &json!(12)));
    assert_eq!(hr["pages"][0]["list"], "employees");
    assert_eq!(hr["pages"][0]["bytes"], hr["bytes"]);
    assert_eq!(hr["requests"][1]["path"], "/unified/hris/employees");
    assert_eq!(
        check(&job.json(1, "result.json"), "hr_fresh")["status"],
        "pass"
    );
    ensure_as_published(&job, 1);

    // The evidence has neither other fields of the HR system nor its raw records.
    for (name, bytes) in crate::support::job::tree(&job.evidence()) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("payRate") && !text.contains("dateOfBirth"),
            "{name}"
        );
    }
    let report = std::fs::read_to_string(job.run_folder(1).join("report.html")).expect("a report");
    assert!(report.contains("The HR system, read through Truto"));
    assert!(report.contains("at the time of reading, by the server"));
}

#[test]
fn exit_3_a_leaver_of_the_hr_system_still_has_access() {
    let left = |number: usize, employee: Employee| match number {
        // Only the employment has the date, as an instant.
        1 => employee
            .left("2020-03-31")
            .field("termination_date", Value::Null),
        2 => employee.left("2020-03-31T00:00:00.000Z"),
        // The status outweighs the end of an earlier tenure.
        3 => employee.field("termination_date", json!("2020-03-31")),
        // A rehire.
        4 => employee.employments(&[("2015-01-01", Some("2018-12-31")), ("2022-01-01", None)]),
        // On leave.
        5 => employee.field("employment_status", json!("on_leave")),
        _ => employee,
    };
    let hris = Hris::generated(12).with(|hris| {
        let employees = std::mem::take(&mut hris.employees).into_iter();
        hris.employees = employees
            .enumerate()
            .map(|(at, one)| left(at, one))
            .collect();
    });
    let job = job(with(hris));
    let Ended { code, stderr, .. } = job.run();
    assert_eq!(code, 3, "{stderr}");
    let leavers = job.records(1, "leavers.jsonl.gz");
    let mut outcomes: Vec<_> = leavers
        .iter()
        .map(|leaver| (leaver["person_id"].clone(), leaver["outcome"].clone()))
        .collect();
    outcomes.sort_by_key(|(id, _)| id.as_str().map(str::to_owned));
    assert_eq!(
        outcomes,
        [
            (json!("2"), json!("still_active")),
            (json!("3"), json!("still_active")),
            (json!("5"), json!("rehired")),
            (json!("9"), json!("removed")),
        ]
    );
    ensure_as_published(&job, 1);
}

#[test]
fn exit_4_a_partial_list_of_employees() {
    let job = job(scenario("hris-partial"));
    assert_eq!(job.run().code, 4);
    let result = job.json(1, "result.json");
    let accounted = check(&result, "hr_rows_accounted");
    assert_eq!(accounted["status"], "fail");
    assert_snapshot!(accounted["detail"].as_str().unwrap_or_default(), @"the HR feed cannot be used: Truto marked the list of employees as partial (`is_partial_response`): leavers may be missing");
    assert_eq!(
        job.json(1, "manifest.json")["sources"]["hr_feed"]["pages"][0]["rows"],
        12
    );
    ensure_as_published(&job, 1);
}

#[test]
fn exit_75_and_77_leave_a_failure_record_and_78_leaves_none() {
    let down = Fault::once("hris/", Action::html(502)).for_ever();
    for (world, code, records) in [
        (scenario("hris").fault(down), 75, 1),
        (scenario("hris-needs-reauth"), 77, 1),
        (World::generated(3), 77, 1),
        (
            with(Hris::generated(3).with(|hris| hris.integration = "asana".to_owned())),
            78,
            0,
        ),
    ] {
        let job = job(world);
        let Ended {
            code: ended,
            stderr,
            ..
        } = job.run();
        assert_eq!(ended, code, "{stderr}");
        assert_eq!(job.entries(), records);
        if records > 0 {
            let failure = &job.json(1, "manifest.json")["failure"];
            assert_eq!(failure["code"], code);
            assert_eq!(failure["stage"], "reading the HR feed");
        }
    }
}
