//! The accounts are read from a real server that pages, refuses, fails and contradicts itself.

use std::io::Read as _;
use std::time::Duration;

use asana_access_review::clock::Clock;
use asana_access_review::model::{
    Account, Memberships, Permissions, Population, RawFile, RawKind, Role, SecondList, Status,
    Viewer,
};
use asana_access_review::net::{self, Deadline, ErrorKind, Http, NetError, Request};
use asana_access_review::source::{
    self, FetchedAccounts, KeptAnswers, NotRecomputed, RawPages, SourceError, fetch_all, recompute,
};
use asana_access_review::truto::{self, RateLimit, TrutoError};
use insta::{assert_debug_snapshot, assert_snapshot};
use jiff::Timestamp;
use truto_simulator::{
    Action, CONNECTION_ID, CustomEnvelope, Envelope, Fault, Gap, LastCursor, Limiter, ListFields,
    Permission, Person, Simulator, TOKEN, WORKSPACE_ID, Words, World, generated_person,
};

const LIST: &str = "user-directory/users$";

fn settings(simulator: &Simulator) -> source::Settings {
    source::Settings {
        truto: truto::ApiSettings {
            base_url: simulator.url().parse().expect("an address"),
            api_token: TOKEN.into(),
            token_pace: None,
            rate_limit: None,
            http: quick(),
        }
        .to(CONNECTION_ID, 100),
        workspace_id: Some(WORKSPACE_ID.to_owned()),
        raw: RawPages::Minimal,
        permissions: Permissions::Full,
    }
}

fn quick() -> net::Settings {
    net::Settings {
        timeout: Duration::from_secs(5),
        max_attempts: 8,
        max_elapsed: Duration::from_secs(20),
        base_delay: Duration::ZERO,
        traffic: None,
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn as_of() -> Timestamp {
    "2026-11-23T22:40:00Z".parse().expect("an instant")
}

async fn fetch_with(
    simulator: &Simulator,
    settings: &source::Settings,
) -> Result<FetchedAccounts, SourceError> {
    simulator.forget_requests();
    let fetched = fetch_all(settings, &Clock::at(as_of()), soon()).await?;
    // In every world, the stored answers must give the same accounts again.
    if settings.raw != RawPages::None {
        assert_eq!(recomputed(&fetched), Ok(()));
    }
    Ok(fetched)
}

async fn try_fetch(world: World) -> Result<FetchedAccounts, SourceError> {
    let simulator = Simulator::spawn(world.at(as_of()));
    fetch_with(&simulator, &settings(&simulator)).await
}

async fn fetch(world: World) -> FetchedAccounts {
    try_fetch(world).await.expect("the accounts")
}

async fn refused(world: World) -> SourceError {
    try_fetch(world).await.expect_err("a refusal")
}

fn scenario(name: &str) -> World {
    World::scenario(name).expect("a scenario")
}

fn account<'a>(fetched: &'a FetchedAccounts, gid: &str) -> &'a Account {
    let accounts = &fetched.population.accounts;
    let found = accounts.iter().find(|account| account.id == gid);
    found.expect("an account with this id")
}

fn gid(number: usize) -> String {
    generated_person(number).gid
}

/// Whether the path reads a single account.
fn is_get(path: &str) -> bool {
    path.contains("/users/") && !path.ends_with("/meta/list")
}

fn reported(error: &SourceError) -> String {
    crate::support::reported(error, error.kind(), error.hint())
}

fn unpacked(file: &RawFile) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(file.bytes.as_slice())
        .read_to_string(&mut text)
        .expect("gzip of text");
    text
}

// ---- The ordinary case ----

#[tokio::test]
async fn a_healthy_workspace_is_read_and_both_sources_agree() {
    let fetched = fetch(scenario("healthy")).await;
    let population = &fetched.population;
    assert_eq!(population.accounts.len(), 12);
    assert!(population.accounts.is_sorted_by_key(|account| &account.id));
    assert!(population.listing.last_page_reached);
    assert_eq!(population.workspaces_visible, 1);
    let role = Role::Admin;
    assert_eq!(
        population.viewer,
        Viewer::Account {
            id: gid(1),
            role,
            has_address: true
        }
    );
    assert_eq!(population.clock_skew_minutes, Some(0));
    assert_eq!(population.gaps, Default::default());
    assert_debug_snapshot!(population.memberships, @r"
    Read {
        rows: 12,
        rejected: 0,
        active: 11,
        inactive: 1,
        unknown: 0,
        active_not_listed: [],
        listed_without_membership: [],
    }
    ");
    assert_debug_snapshot!(population.accounts[0], @r#"
    Account {
        id: "1200000000000001",
        emails: [
            "person1@example.com",
        ],
        name: Some(
            "Bruno Brandt",
        ),
        status: Active,
        role: Admin,
        view_only: Some(
            false,
        ),
        external_id: None,
        joined_at: Some(
            2016-02-02T09:00:00Z,
        ),
        last_login_at: None,
    }
    "#);
}

#[tokio::test]
async fn a_page_records_its_status_and_the_number_of_attempts() {
    let world = || World::generated(250);
    let came = |fetched: &FetchedAccounts| -> Vec<(String, u16, u32)> {
        let pages = fetched.population.listing.pages.iter();
        pages
            .map(|page| (page.list.clone(), page.status, page.attempts))
            .collect()
    };
    let quiet = came(&fetch(world()).await);
    assert!(
        quiet
            .iter()
            .all(|(_, status, attempts)| (*status, *attempts) == (200, 1))
    );

    let gateway = Fault::once(LIST, Action::status(502, "")).nth(2);
    let cut = Action::status(200, r#"{"result":[{"id":"1"},{"#);
    let cut = Fault::once(LIST, cut).nth(3);
    let fetched = fetch(world().fault(gateway).fault(cut)).await;
    let found = came(&fetched);
    let users: Vec<u32> = found
        .iter()
        .filter(|(list, ..)| list == "users")
        .map(|(_, _, attempts)| *attempts)
        .collect();
    // The second page was refused, then cut short, then complete at the third attempt.
    assert_eq!(users, [1, 3, 1]);
    assert!(found.iter().all(|(_, status, _)| *status == 200));
}

#[tokio::test]
async fn a_run_sends_its_requests_in_one_order_and_records_them() {
    let simulator = Simulator::spawn(scenario("healthy").at(as_of()));
    let fetched = fetch_with(&simulator, &settings(&simulator)).await;
    let requests = simulator.requests();
    assert!(requests.iter().all(|request| request.authorized));
    let agent = requests[0].user_agent.as_deref().unwrap_or_default();
    assert!(agent.starts_with("asana-access-review/"), "{agent}");
    let first: Vec<_> = requests[..3].iter().map(|r| r.path.as_str()).collect();
    assert_debug_snapshot!(first, @r#"
    [
        "/integrated-account/5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
        "/unified/user-directory/organizations",
        "/unified/user-directory/me",
    ]
    "#);
    assert_debug_snapshot!(fetched.expect("the accounts").population.requests, @r#"
    [
        RequestRecord {
            method: "GET",
            path: "/integrated-account/5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
            query: {},
            answers: 1,
        },
        RequestRecord {
            method: "GET",
            path: "/unified/user-directory/organizations",
            query: {
                "integrated_account_id": "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
                "limit": "100",
            },
            answers: 1,
        },
        RequestRecord {
            method: "GET",
            path: "/unified/user-directory/me",
            query: {
                "integrated_account_id": "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
                "limit": "100",
            },
            answers: 1,
        },
        RequestRecord {
            method: "GET",
            path: "/unified/user-directory/users/meta/list",
            query: {
                "integrated_account_id": "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
            },
            answers: 1,
        },
        RequestRecord {
            method: "GET",
            path: "/unified/user-directory/users",
            query: {
                "integrated_account_id": "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
                "limit": "100",
                "organization_id": "1150527741687836",
            },
            answers: 1,
        },
        RequestRecord {
            method: "GET",
            path: "/custom/workspaces/1150527741687836/workspace_memberships",
            query: {
                "integrated_account_id": "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10",
                "limit": "100",
                "opt_fields": "user.email,is_active,is_admin,is_guest,is_view_only,created_at",
            },
            answers: 1,
        },
    ]
    "#);
}

// ---- Pages ----

#[tokio::test]
async fn three_pages_are_read_in_order_and_each_digest_is_recorded() {
    let fetched = fetch(scenario("three-pages")).await;
    let listing = &fetched.population.listing;
    assert_eq!((listing.rows, listing.unique), (250, 250));
    let pages: Vec<_> = listing
        .pages
        .iter()
        .map(|page| (page.list.as_str(), page.page, page.rows, page.last))
        .collect();
    assert_eq!(
        pages,
        [
            ("users", 1, 100, false),
            ("users", 2, 100, false),
            ("users", 3, 50, true),
            ("memberships", 1, 100, false),
            ("memberships", 2, 100, false),
            ("memberships", 3, 50, true),
        ]
    );
    for page in &listing.pages {
        assert_eq!(page.sha256.len(), 64);
        assert_eq!(page.cursor_sha256.is_none(), page.page == 1);
    }
}

#[tokio::test]
async fn an_empty_last_page_ends_the_list() {
    let fetched = fetch(scenario("empty-last-page")).await;
    let listing = &fetched.population.listing;
    assert!(listing.last_page_reached);
    assert_eq!((listing.rows, listing.unique), (200, 200));
    let users = listing.pages.iter().filter(|page| page.list == "users");
    assert_eq!(
        users.map(|page| page.rows).collect::<Vec<_>>(),
        [100, 100, 0]
    );
}

#[tokio::test]
async fn a_null_missing_or_empty_cursor_ends_a_list() {
    for last in [LastCursor::Null, LastCursor::Missing, LastCursor::Empty] {
        let fetched = fetch(World::generated(120).with(|world| world.last_cursor = last)).await;
        assert!(fetched.population.listing.last_page_reached, "{last:?}");
        assert_eq!(fetched.population.accounts.len(), 120, "{last:?}");
    }
}

#[tokio::test]
async fn a_repeated_cursor_makes_a_list_incomplete() {
    let fetched = fetch(scenario("repeated-cursor")).await;
    let listing = &fetched.population.listing;
    assert!(!listing.last_page_reached);
    assert_snapshot!(
        listing.stopped_because.as_deref().unwrap_or_default(),
        @"page 2 has the cursor of an earlier page"
    );
}

#[tokio::test]
async fn every_form_of_a_list_gives_the_same_accounts() {
    let plain = fetch(scenario("healthy")).await.population.accounts;
    for envelope in [Envelope::Result, Envelope::Results, Envelope::Keyed] {
        for numeric_ids in [false, true] {
            let world = scenario("healthy").with(|world| {
                world.envelope = envelope;
                world.numeric_ids = numeric_ids;
            });
            let accounts = fetch(world).await.population.accounts;
            assert_eq!(accounts, plain, "{envelope:?}, numbers: {numeric_ids}");
        }
    }
}

#[tokio::test]
async fn repeated_rows_are_counted_and_rows_without_an_id_are_listed() {
    let world = World::generated(105).with(|world| {
        world.duplicate_rows = 5;
        world.row_without_id = true;
    });
    let fetched = fetch(world).await;
    let listing = &fetched.population.listing;
    assert_eq!(
        (listing.rows, listing.unique, listing.duplicates),
        (111, 105, 5)
    );
    assert_debug_snapshot!(listing.rejected, @r#"
    [
        RejectedRecord {
            page: 2,
            row: 11,
            reason: "it has no id",
        },
    ]
    "#);
}

#[tokio::test]
async fn a_list_that_is_marked_partial_is_recorded_as_partial() {
    let fetched = fetch(scenario("partial-response")).await;
    assert!(fetched.population.listing.partial_response);
}

#[tokio::test]
async fn an_expired_cursor_restarts_the_list_once() {
    let fetched = fetch(scenario("expired-cursor")).await;
    let listing = &fetched.population.listing;
    assert!(listing.last_page_reached);
    assert_eq!(
        (listing.rows, listing.unique, listing.duplicates),
        (250, 250, 0)
    );

    let error = refused(World::generated(250).with(|world| world.expired_cursors = 99)).await;
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(
        matches!(
            error,
            SourceError::Truto(TrutoError::CursorExpired { page: 2, .. })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_without_rows_is_an_error_and_not_an_empty_list() {
    for body in [
        r#"{"message":"ok"}"#,
        "[]",
        r#"{"result":null}"#,
        "<html></html>",
    ] {
        let answer = Action::status(200, body);
        let error = refused(scenario("healthy").fault(Fault::once(LIST, answer))).await;
        assert_eq!(error.kind(), ErrorKind::Unexpected, "{body}");
    }
}

#[tokio::test]
async fn truncated_json_is_requested_again() {
    let answer = Action::status(200, r#"{"result":[{"id":"1"},{"#);
    let fetched = fetch(scenario("healthy").fault(Fault::once(LIST, answer.clone()))).await;
    assert_eq!(fetched.population.accounts.len(), 12);
    let error = refused(scenario("healthy").fault(Fault::once(LIST, answer).for_ever())).await;
    assert_eq!(error.kind(), ErrorKind::Transient);
}

// ---- The connection and the workspace ----

#[tokio::test]
async fn every_refusal_has_a_cause_and_a_hint() {
    let mut texts = String::new();
    for name in [
        "bad-token",
        "needs-reauth",
        "reauth-mid-run",
        "missing-scope",
        "connecting",
        "blocked",
        "down",
        "html-error",
    ] {
        let error = refused(scenario(name)).await;
        texts.push_str(&format!("[{name}] {}\n\n", reported(&error)));
    }
    // How long eight attempts took depends on the machine.
    for seconds in 1..20 {
        texts = texts.replace(&format!("attempts in {seconds} s"), "attempts in 0 s");
    }
    assert_snapshot!(texts, @r"
    [bad-token] Refused: Truto refused the API token
    hint: check TRUTO_API_TOKEN: it must be complete, not expired, and of the connection's environment

    [needs-reauth] Refused: the connection `5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10` to Asana is not usable: its status is `needs_reauth`
    hint: an Asana admin must reconnect `5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10`; the id stays: asana-access-review connect --reconnect 5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10

    [reauth-mid-run] Refused: the connection `5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10` has lost its login at Asana (status `needs_reauth`)
    hint: an Asana admin must reconnect `5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10`; the id stays: asana-access-review connect --reconnect 5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10

    [missing-scope] Refused: GET /unified/user-directory/users was refused: missing scope users:read
    hint: an Asana admin must reconnect with full permissions or these scopes; the id stays: asana-access-review connect --reconnect 5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10

    [connecting] Transient: the connection `5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10` to Asana is still connecting
    hint: wait until its status is `active`: Truto is still setting it up

    [blocked] Transient: Truto answers 503, as it does for a blocked account: “Integrated account is blocked. Please contact support.”
    hint: contact Truto support

    [down] Transient: GET /integrated-account/5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10: 502 Bad Gateway, after 8 attempts in 0 s
    hint: -

    [html-error] Transient: GET /unified/user-directory/users: 502 Bad Gateway, after 8 attempts in 0 s
    hint: -
    ");
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_a_configuration_error() {
    let simulator = Simulator::spawn(scenario("healthy"));
    let mut settings = settings(&simulator);
    settings.truto.api.api_token = "line\nbreak".into();
    let error = fetch_with(&simulator, &settings)
        .await
        .expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(simulator.requests().is_empty());
}

#[tokio::test]
async fn an_unknown_connection_is_refused_after_one_call() {
    let simulator = Simulator::spawn(scenario("healthy"));
    let mut settings = settings(&simulator);
    settings.truto.integrated_account_id = "no-such-connection".to_owned();
    let error = fetch_with(&simulator, &settings)
        .await
        .expect_err("a refusal");
    assert!(matches!(
        error,
        SourceError::Truto(TrutoError::ConnectionUnknown { .. })
    ));
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(simulator.requests().len(), 1);
}

#[tokio::test]
async fn a_connection_of_another_integration_is_named() {
    let other = r#"{"id":"x","status":"active","integration":{"name":"jira"}}"#;
    let world = scenario("healthy").fault(Fault::once(
        "integrated-account",
        Action::status(200, other),
    ));
    let error = refused(world).await;
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(
        error.to_string().contains("“jira”, not for Asana"),
        "{error}"
    );
}

#[tokio::test]
async fn an_inactive_connection_is_refused_before_any_data_is_read() {
    for status in [
        "needs_reauth",
        "validation_error",
        "post_install_error",
        "paused",
        "",
    ] {
        let simulator = Simulator::spawn(scenario("healthy").connection_status(status));
        let error = fetch_with(&simulator, &settings(&simulator))
            .await
            .expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Refused, "{status}");
        assert_eq!(simulator.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn one_workspace_needs_no_setting_and_several_need_one() {
    let simulator = Simulator::spawn(scenario("healthy"));
    let mut unpinned = settings(&simulator);
    unpinned.workspace_id = None;
    let fetched = fetch_with(&simulator, &unpinned)
        .await
        .expect("the accounts");
    assert_eq!(fetched.population.workspace.id, WORKSPACE_ID);

    simulator.set_world(scenario("two-workspaces"));
    let several = fetch_with(&simulator, &unpinned)
        .await
        .expect_err("several");
    assert_snapshot!(reported(&several), @r"
    Configuration: the connection sees 2 Asana workspaces: `1150527741687836` (“Example Company”), `1150527741687999` (“Example Company Labs”)
    hint: set ASANA_WORKSPACE_ID to the id of the workspace to check
    ");
    let fetched = fetch_with(&simulator, &settings(&simulator))
        .await
        .expect("the accounts");
    assert_eq!(fetched.population.workspaces_visible, 2);
    assert_eq!(fetched.population.accounts.len(), 12);

    let mut elsewhere = settings(&simulator);
    elsewhere.workspace_id = Some("42".to_owned());
    let not_listed = fetch_with(&simulator, &elsewhere)
        .await
        .expect_err("not listed");
    assert_snapshot!(reported(&not_listed), @r"
    Configuration: the connection does not see the workspace `42`; it sees `1150527741687836` (“Example Company”), `1150527741687999` (“Example Company Labs”)
    hint: set ASANA_WORKSPACE_ID to the id of the workspace to check
    ");
    let users = simulator.requests();
    assert!(!users.iter().any(|request| request.path.ends_with("/users")));

    simulator.set_world(scenario("healthy").with(|world| world.workspaces.clear()));
    let none = fetch_with(&simulator, &unpinned)
        .await
        .expect_err("no workspace");
    assert_eq!(none.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn the_connected_account_is_reported_or_why_it_is_unknown() {
    for name in ["viewer-refused", "viewer-absent"] {
        let viewer = fetch(scenario(name)).await.population.viewer;
        assert!(
            matches!(viewer, Viewer::NotReported { .. }),
            "{name}: {viewer:?}"
        );
    }
    let bare = Action::status(200, r#"{"id":"1200000000000002","name":"Bare"}"#);
    let fetched = fetch(scenario("healthy").fault(Fault::once("user-directory/me", bare))).await;
    // The lists give the role.
    let role = Role::Member;
    assert_eq!(
        fetched.population.viewer,
        Viewer::Account {
            id: gid(2),
            role,
            has_address: false
        }
    );
}

#[tokio::test]
async fn the_lowest_role_of_the_connected_account_counts() {
    let demoted = |person: Person| {
        let mut memberships = person.memberships();
        memberships[0].admin = false;
        person.with_memberships(memberships)
    };
    let world = scenario("healthy").with_person(&gid(1), demoted);
    let fetched = fetch(world).await;
    assert_eq!(account(&fetched, &gid(1)).role, Role::Admin);
    let Viewer::Account { id, role, .. } = &fetched.population.viewer else {
        panic!("not reported");
    };
    assert_eq!((id, role), (&gid(1), &Role::Member));
    assert_eq!(recomputed(&fetched), Ok(()));
}

#[tokio::test]
async fn the_clock_is_compared_with_trutos_in_whole_minutes() {
    for (date, minutes) in [
        ("2026-11-23T22:40:59Z", 0),
        ("2026-11-23T22:50:00Z", -9),
        ("2026-11-23T22:29:30Z", 10),
    ] {
        let world = scenario("healthy").at(date.parse().expect("an instant"));
        let simulator = Simulator::spawn(world);
        // Half a minute after a whole one, so that the duration of the call does not matter.
        let ours = Clock::at("2026-11-23T22:40:15Z".parse().expect("an instant"));
        let fetched = fetch_all(&settings(&simulator), &ours, soon()).await;
        let skew = fetched.expect("the accounts").population.clock_skew_minutes;
        assert_eq!(skew, Some(minutes), "{date}");
    }
}

// ---- Two sources for each account ----

#[tokio::test]
async fn refused_memberships_leave_a_single_source() {
    let fetched = fetch(scenario("memberships-refused")).await;
    assert_eq!(
        fetched.population.memberships,
        Memberships::Unreadable {
            status: 403,
            missing_scopes: vec!["default".to_owned()],
        }
    );
    assert_eq!(fetched.population.accounts.len(), 12);
}

#[tokio::test]
async fn every_form_of_asanas_own_response_is_read() {
    let plain = fetch(World::generated(120)).await.population;
    for envelope in [CustomEnvelope::Asana, CustomEnvelope::AsanaInResult] {
        let world = World::generated(120).with(|world| world.custom_envelope = envelope);
        let read = fetch(world).await.population;
        assert_eq!(read.memberships, plain.memberships, "{envelope:?}");
        assert_eq!(read.accounts, plain.accounts, "{envelope:?}");
    }
}

#[tokio::test]
async fn accounts_in_only_one_of_two_sources_are_kept() {
    let fetched = fetch(scenario("disagreeing-witness")).await;
    let Memberships::Read {
        active_not_listed,
        listed_without_membership,
        ..
    } = &fetched.population.memberships
    else {
        panic!("not read");
    };
    assert_eq!(active_not_listed, &[gid(2)]);
    assert_eq!(listed_without_membership, &[gid(3)]);
}

#[tokio::test]
async fn if_list_and_membership_disagree_access_wins() {
    let in_force = |person: Person| {
        let mut memberships = person.memberships();
        memberships[0].active = true;
        person.with_memberships(memberships)
    };
    let ended = |person: Person| {
        let mut memberships = person.memberships();
        memberships[0].active = false;
        person.with_memberships(memberships)
    };
    let world = scenario("healthy")
        .person(in_force(
            Person::member("1", "A", "a@example.com").inactive(),
        ))
        .person(ended(Person::member("2", "B", "b@example.com")));
    let fetched = fetch(world).await;
    assert_eq!(account(&fetched, "1").status, Status::Active);
    assert_eq!(account(&fetched, "2").status, Status::Active);
}

#[tokio::test]
async fn memberships_decide_a_status_that_is_missing_in_the_list() {
    let on_leave = Status::Unknown(Some("on_leave".to_owned()));
    let world = || scenario("unknown-status");
    let with = |active: &[bool]| {
        world().with_person(&gid(3), |person| {
            let record = person.memberships()[0].clone();
            let records = active.iter().map(|active| {
                let mut record = record.clone();
                record.active = *active;
                record
            });
            let records = records.collect();
            person.with_memberships(records)
        })
    };
    for (active, expected) in [
        (&[true][..], Status::Active),
        (&[false], Status::Inactive),
        (&[false, true], Status::Active),
        (&[], on_leave.clone()),
    ] {
        let fetched = fetch(with(active)).await;
        assert_eq!(account(&fetched, &gid(3)).status, expected, "{active:?}");
    }
    let refused = fetch(world().with(|world| world.memberships = Permission::NotFound)).await;
    assert_eq!(account(&refused, &gid(3)).status, on_leave);
    // A membership without a readable active flag decides nothing, and neither does one in an
    // incomplete list.
    for (flag, end) in [("null", "null"), ("false", r#""again""#)] {
        let page = format!(
            r#"{{"result":[{{"user":{{"gid":"{}"}},"is_active":{flag}}}],"next_cursor":{end}}}"#,
            gid(3)
        );
        let fault = Fault::once("workspace_memberships", Action::status(200, &page)).for_ever();
        let fetched = fetch(world().fault(fault)).await;
        assert_eq!(account(&fetched, &gid(3)).status, on_leave, "{page}");
    }
}

#[tokio::test]
async fn asanas_own_list_of_users_is_compared_with_the_list_of_accounts() {
    let page = format!(
        r#"{{"result":[{{"gid":"{}","email":"a@example.com"}},{{"gid":"77"}},{{"email":"b@example.com"}},null],
            "next_cursor":null}}"#,
        gid(1)
    );
    let fault = Fault::once("custom/users", Action::status(200, &page)).for_ever();
    let world = scenario("healthy").fault(fault).with(|world| {
        world.list_fields = ListFields::ID_AND_NAME;
        world.membership_emails = false;
        world.gets = Permission::NotFound;
    });
    for raw in [RawPages::Minimal, RawPages::Full] {
        let fetched = fetch_keeping(world.clone(), raw).await;
        let fetched = fetched.expect("the accounts");
        let second = fetched.population.gaps.second_list.as_ref();
        let second = second.expect("the list was read");
        assert!(second.last_page_reached);
        assert_eq!(second.rejected, 2);
        assert_eq!(second.not_listed, ["77"]);
        assert_eq!(second.only_listed.len(), 11);
        assert!(!second.only_listed.contains(&gid(1)));
        assert_eq!(recomputed(&fetched), Ok(()));
        let mut altered = written(&fetched.population);
        altered
            .gaps
            .second_list
            .as_mut()
            .expect("it")
            .not_listed
            .clear();
        let reported = fault_reported(&altered, &fetched.raw);
        assert!(
            reported.contains("Asana's own list of users differs"),
            "{reported}"
        );
    }
}

#[tokio::test]
async fn a_membership_without_a_flag_may_name_an_unlisted_account() {
    // Also if no membership has a flag: nothing shows that the account has no access.
    for flag in [r#","is_active":true"#, ""] {
        let page = format!(
            r#"{{"result":[{{"user":{{"gid":"77"}}}},{{"user":{{"gid":"{}"}}{flag}}}],"next_cursor":null}}"#,
            gid(1)
        );
        let fault = Fault::once("workspace_memberships", Action::status(200, &page)).for_ever();
        let fetched = fetch(scenario("healthy").fault(fault)).await;
        match &fetched.population.memberships {
            Memberships::Read {
                active_not_listed, ..
            } => assert_eq!(active_not_listed, &["77"], "{page}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_current_membership_outweighs_the_one_it_replaced() {
    let world = scenario("rejoined").with(|world| world.list_fields = ListFields::ID_AND_NAME);
    let fetched = fetch(world).await;
    let rejoined = account(&fetched, &gid(3));
    assert_eq!(rejoined.status, Status::Active);
    let began = generated_person(3).joined_at.parse().expect("an instant");
    assert_eq!(rejoined.joined_at, Some(began));
}

#[tokio::test]
async fn memberships_without_an_end_are_incomplete_and_only_prove_access() {
    let page = r#"{"result":[{"user":{"gid":"1200000000000002"},"is_active":false},
        {"user":{"gid":"1200000000000003"},"is_active":true}],"next_cursor":"again"}"#;
    let fault = Fault::once("workspace_memberships", Action::status(200, page)).for_ever();
    let world = scenario("healthy").fault(fault).with(|world| {
        world.list_fields = ListFields::WITHOUT_STATUS;
        world.gets = Permission::NotFound;
    });
    let fetched = fetch(world).await;
    assert!(matches!(
        fetched.population.memberships,
        Memberships::Incomplete { .. }
    ));
    assert_eq!(account(&fetched, &gid(2)).status, Status::Unknown(None));
    assert_eq!(account(&fetched, &gid(3)).status, Status::Active);
}

// ---- Filling gaps ----

#[tokio::test]
async fn memberships_fill_status_role_and_address_else_one_list_the_addresses() {
    let full = fetch(World::generated(120)).await.population;
    for (gap, has_emails) in [
        (Gap::Absent, true),
        (Gap::Absent, false),
        (Gap::Null, false),
        (Gap::Empty, false),
    ] {
        let simulator = Simulator::spawn(World::generated(120).with(|world| {
            world.list_fields = ListFields::ID_AND_NAME;
            world.membership_emails = has_emails;
            world.gap = gap;
        }));
        let sparse = fetch_with(&simulator, &settings(&simulator)).await;
        let sparse = sparse.expect("the accounts").population;
        let reported = |accounts: &[Account]| -> Vec<_> {
            let status = |account: &Account| match account.status {
                // Asana's memberships have no invitations.
                Status::Invited => Status::Active,
                ref other => other.clone(),
            };
            let one = |a: &Account| (a.id.clone(), a.emails.clone(), status(a), a.role.clone());
            accounts.iter().map(one).collect()
        };
        assert_eq!(
            reported(&sparse.accounts),
            reported(&full.accounts),
            "{gap:?}"
        );
        assert_eq!(sparse.gaps.emails_missing_in_list, 120);
        let of_memberships = if has_emails { 120 } else { 0 };
        assert_eq!(sparse.gaps.emails_from_memberships, of_memberships);
        assert_eq!(sparse.gaps.emails_from_pass, 120 - of_memberships);
        let same = SecondList {
            last_page_reached: true,
            ..SecondList::default()
        };
        let second = (!has_emails).then_some(same);
        assert_eq!(sparse.gaps.second_list, second);
        assert_eq!(sparse.gaps.gets, 0);
        let gets = simulator.requests();
        assert!(!gets.iter().any(|request| is_get(&request.path)));
    }
}

#[tokio::test]
async fn a_complete_list_needs_no_further_requests() {
    let simulator = Simulator::spawn(World::generated(120));
    fetch_with(&simulator, &settings(&simulator))
        .await
        .expect("the accounts");
    let requests = simulator.requests();
    assert!(
        !requests
            .iter()
            .any(|request| request.path == "/custom/users")
    );
    assert!(!requests.iter().any(|request| is_get(&request.path)));
}

#[tokio::test]
async fn accounts_are_read_one_by_one_only_as_the_last_resort() {
    let full = fetch(scenario("healthy").with(|w| w.memberships = Permission::NotFound)).await;
    let sparse = fetch(scenario("sparse-list")).await;
    assert_eq!(sparse.population.gaps.gets, 12);
    assert_eq!(sparse.population.accounts, full.population.accounts);
    let last = sparse.raw.last().expect("a file");
    assert_eq!((last.kind, last.rows), (RawKind::Gets, 12));
    assert_eq!(unpacked(last).lines().count(), 12);
}

#[tokio::test]
async fn an_account_that_is_not_found_when_read_alone_keeps_its_gap() {
    let fetched = fetch(scenario("get-404")).await;
    let gaps = &fetched.population.gaps;
    assert_eq!((gaps.gets, gaps.gets_not_found), (12, 1));
    let gone = account(&fetched, &gid(3));
    assert_eq!(
        (&gone.status, gone.emails.len()),
        (&Status::Unknown(None), 0)
    );
}

#[tokio::test]
async fn gaps_that_remain_are_unknown_and_missing_scopes_are_named() {
    let fetched = fetch(scenario("fields-refused")).await;
    assert_debug_snapshot!(fetched.population.gaps, @r#"
    GapFilling {
        emails_missing_in_list: 12,
        emails_unreadable: 0,
        emails_from_memberships: 0,
        emails_from_pass: 0,
        second_list: None,
        second_list_unread: Some(
            "GET /custom/users was refused: missing scope users:read",
        ),
        unlisted_with_email: [],
        gets: 1,
        gets_not_found: 0,
        stopped_because: Some(
            "GET /unified/user-directory/users/1200000000000001 was refused: missing scope users:read",
        ),
        missing_scopes: [
            "users:read",
        ],
    }
    "#);
    let accounts = fetched.population.accounts;
    let unknown = (Status::Unknown(None), Role::Unknown(None));
    assert!(accounts.into_iter().all(|a| (a.status, a.role) == unknown));
}

#[tokio::test]
async fn reading_one_by_one_stops_when_it_adds_nothing() {
    let nobody = Action::status(200, r#"{"result":{"name":"Somebody"}}"#);
    let world = World::generated(40)
        .fault(Fault::once("user-directory/users/", nobody).for_ever())
        .with(|world| {
            world.list_fields = ListFields::ID_AND_NAME;
            world.memberships = Permission::NotFound;
            world.custom_users = Permission::NotFound;
        });
    let fetched = fetch(world).await;
    assert_eq!(fetched.population.gaps.gets, 10);
    assert_snapshot!(
        fetched.population.gaps.stopped_because.unwrap_or_default(),
        @"the first 10 accounts read one by one filled no gap"
    );
}

#[tokio::test]
async fn an_unreadable_account_stops_the_filling_but_not_the_run() {
    let page = Action::status(200, "<html>Sign in to the hotel's network</html>");
    let world = World::generated(40)
        .fault(Fault::once("user-directory/users/", page).for_ever())
        .with(|world| {
            world.list_fields = ListFields::ID_AND_NAME;
            world.memberships = Permission::NotFound;
            world.custom_users = Permission::NotFound;
        });
    let population = fetch(world).await.population;
    assert_eq!((population.gaps.gets, population.accounts.len()), (1, 40));
    assert_snapshot!(
        population.gaps.stopped_because.unwrap_or_default(),
        @"GET /unified/user-directory/users/{id}: the answer cannot be read: it is not JSON"
    );
}

#[tokio::test]
async fn filling_that_would_pass_the_deadline_is_not_started() {
    let simulator = Simulator::spawn(scenario("free-plan").with(|world| world.rate_limit = None));
    let mut settings = settings(&simulator);
    settings.truto.api.rate_limit = Some(RateLimit {
        requests: 49,
        window: Duration::from_secs(600),
    });
    let fetched = fetch_all(&settings, &Clock::at(as_of()), soon()).await;
    let gaps = fetched.expect("the accounts").population.gaps;
    assert_snapshot!(
        gaps.stopped_because.unwrap_or_default(),
        @"300 accounts to read one by one need 60 min, more than the run has left (RUN_DEADLINE)"
    );
    let requests = simulator.requests();
    assert!(!requests.iter().any(|request| is_get(&request.path)));
}

#[tokio::test]
async fn the_raw_record_of_asana_fills_gaps_of_the_list() {
    let world = scenario("remote-data").with(|world| {
        world.memberships = Permission::NotFound;
        world.gets = Permission::NotFound;
    });
    let fetched = fetch(world).await;
    let first = account(&fetched, &gid(1));
    assert_eq!(
        (&first.status, &first.role),
        (&Status::Active, &Role::Admin)
    );
}

#[tokio::test]
async fn unknown_words_are_kept_if_no_better_value_is_known() {
    let world = scenario("raw-words").with(|world| world.memberships = Permission::NotFound);
    let fetched = fetch(world).await;
    let first = account(&fetched, &gid(1));
    assert_eq!(first.status, Status::Unknown(Some("enabled".to_owned())));
    assert_eq!(
        first.role,
        Role::Unknown(Some("organization_admin".to_owned()))
    );
    assert_eq!(fetched.population.gaps.gets, 0);
    // The flags of Asana's own membership are preferred to an unknown word.
    let fetched = fetch(scenario("raw-words")).await;
    assert_eq!(account(&fetched, &gid(1)).role, Role::Admin);
    assert_eq!(account(&fetched, &gid(1)).status, Status::Active);
    assert_eq!(Words::default(), Words::Truto);
}

#[tokio::test]
async fn a_row_is_read_in_every_form_of_its_fields() {
    let rows = r#"{"result":[
        {"id":1,"emails":["Ana@X.com",{"email":"main@x.com","is_primary":true},{"email":"no address"}],
         "status":"ACTIVE","roles":[{"name":"Guest","organization":"1150527741687836"},{"name":"admin","organization":"99"},{"name":"Admin","group":"Team"}],
         "created_at":"2024-09-01 10:00:00","last_login_at":"soon","licenses":[{"name":"View-only"}],"external_id":"E7"},
        {"id":"2","email":"b@x.com","status":"deleted","roles":"super_admin","first_name":"Bo","last_name":"Berg"},
        {"id":"2","email":"b2@x.com","status":"invited","roles":["member"],"last_login_at":"2026-01-02T03:04:05Z"},
        {"id":"3","emails":[],"status":null,"roles":[],"remote_data":{"is_active":true,"is_admin":true,"workspace":{"gid":"99"}}},
        "text", null],"next_cursor":""}"#;
    let world = scenario("healthy")
        .fault(Fault::once(LIST, Action::status(200, rows)))
        .with(|world| {
            world.memberships = Permission::NotFound;
            world.custom_users = Permission::NotFound;
            world.gets = Permission::NotFound;
        });
    let fetched = fetch(world).await;
    assert_debug_snapshot!(fetched.population.accounts, @r#"
    [
        Account {
            id: "1",
            emails: [
                "main@x.com",
                "Ana@X.com",
            ],
            name: None,
            status: Active,
            role: Guest,
            view_only: Some(
                true,
            ),
            external_id: Some(
                "E7",
            ),
            joined_at: Some(
                2024-09-01T10:00:00Z,
            ),
            last_login_at: None,
        },
        Account {
            id: "2",
            emails: [
                "b@x.com",
                "b2@x.com",
            ],
            name: Some(
                "Bo Berg",
            ),
            status: Invited,
            role: Admin,
            view_only: None,
            external_id: None,
            joined_at: None,
            last_login_at: Some(
                2026-01-02T03:04:05Z,
            ),
        },
        Account {
            id: "3",
            emails: [],
            name: None,
            status: Unknown(
                None,
            ),
            role: Unknown(
                None,
            ),
            view_only: None,
            external_id: None,
            joined_at: None,
            last_login_at: None,
        },
    ]
    "#);
    assert_debug_snapshot!(fetched.population.gaps, @r#"
    GapFilling {
        emails_missing_in_list: 1,
        emails_unreadable: 1,
        emails_from_memberships: 0,
        emails_from_pass: 0,
        second_list: None,
        second_list_unread: Some(
            "GET /custom/users was rejected (status 404): “Not Found”",
        ),
        unlisted_with_email: [],
        gets: 1,
        gets_not_found: 1,
        stopped_because: None,
        missing_scopes: [],
    }
    "#);
    let listing = &fetched.population.listing;
    assert_eq!(
        (listing.rows, listing.unique, listing.duplicates),
        (6, 3, 1)
    );
    assert_eq!(listing.rejected.len(), 2);
}

// ---- Raw pages ----

#[tokio::test]
async fn raw_pages_are_kept_as_configured_and_are_reproducible() {
    let simulator = Simulator::spawn(World::generated(120).at(as_of()));
    let mut settings = settings(&simulator);
    settings.raw = RawPages::None;
    assert!(
        fetch_with(&simulator, &settings)
            .await
            .expect("accounts")
            .raw
            .is_empty()
    );

    settings.raw = RawPages::Full;
    let full = fetch_with(&simulator, &settings).await.expect("accounts");
    let kinds: Vec<_> = full.raw.iter().map(|file| (file.kind, file.rows)).collect();
    assert_eq!(kinds, [(RawKind::Pages(1), 120), (RawKind::Pages(2), 120),]);
    let pages = &full.population.listing.pages;
    for (file, pages) in full.raw.iter().zip(pages.chunks(2)) {
        let content = unpacked(file);
        let sizes: Vec<u64> = content.lines().map(|line| line.len() as u64).collect();
        assert_eq!(sizes, [pages[0].bytes, pages[1].bytes]);
    }

    settings.raw = RawPages::Minimal;
    let one = fetch_with(&simulator, &settings).await.expect("accounts");
    let two = fetch_with(&simulator, &settings).await.expect("accounts");
    assert_eq!(one.raw, two.raw);
    assert_eq!(one.population, two.population);
    let first = unpacked(&one.raw[0]);
    assert_snapshot!(first[..220], @r#"{"result":[{"id":"1200000000000001","name":"Bruno Brandt","first_name":"Bruno","last_name":"Brandt","emails":[{"email":"person1@example.com","is_primary":true}],"status":"active","roles":[{"name":"Admin","organization":""#);
    assert!(!first.contains("next_cursor"));
}

// ---- Recomputing accounts ----

impl KeptAnswers for Kept<'_> {
    fn get(&self, kind: RawKind) -> Option<&[u8]> {
        let file = self.0.iter().find(|file| file.kind == kind)?;
        Some(&file.bytes)
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

/// The raw pages of a run.
struct Kept<'a>(&'a [RawFile]);

/// The population as evidence holds it: written, then read back.
fn written(population: &Population) -> Population {
    let text = serde_json::to_string(population).expect("JSON");
    Population {
        accounts: population.accounts.clone(),
        ..serde_json::from_str(&text).expect("a population")
    }
}

fn recomputed(fetched: &FetchedAccounts) -> Result<(), NotRecomputed> {
    recompute(&written(&fetched.population), &Kept(&fetched.raw))
}

async fn fetch_keeping(world: World, raw: RawPages) -> Result<FetchedAccounts, SourceError> {
    fetch_as(world, raw, Permissions::Full).await
}

async fn fetch_as(
    world: World,
    raw: RawPages,
    permissions: Permissions,
) -> Result<FetchedAccounts, SourceError> {
    let simulator = Simulator::spawn(world.at(as_of()));
    let settings = source::Settings {
        raw,
        permissions,
        ..settings(&simulator)
    };
    fetch_with(&simulator, &settings).await
}

#[tokio::test]
async fn the_accounts_of_every_world_are_recomputed_from_raw_pages() {
    let mut seen = 0;
    for (_, name, _) in truto_simulator::scenarios() {
        // Worlds that wait, and worlds with many equal accounts.
        if name.ends_with("rate-limited") || matches!(name, "slow" | "free-plan" | "two-thousand") {
            continue;
        }
        for raw in [RawPages::Minimal, RawPages::Full] {
            for permissions in [Permissions::Full, Permissions::Narrow] {
                let Ok(fetched) = fetch_as(scenario(name), raw, permissions).await else {
                    continue;
                };
                let recomputed = recomputed(&fetched);
                assert_eq!(recomputed, Ok(()), "{name}, {raw:?}, {permissions}");
                seen += 1;
            }
        }
    }
    assert!(seen > 150, "{seen}");
}

/// The fault that is reported if the recorded accounts and the raw pages differ.
fn fault_reported(population: &Population, raw: &[RawFile]) -> String {
    match recompute(&written(population), &Kept(raw)) {
        Err(NotRecomputed::Differs { place, text }) => format!("{place:?} {text}"),
        other => panic!("{other:?}"),
    }
}

type Forgery = (&'static str, fn(&mut Population));

#[tokio::test]
async fn every_difference_from_the_raw_pages_is_found() {
    let forgeries: &[Forgery] = &[
        ("account 1200000000000003 is missing", |population| {
            population.accounts.remove(2);
        }),
        ("account 1200000000000003 is missing", |population| {
            population.accounts.remove(2);
            population.listing.unique -= 1;
            population.listing.rows -= 1;
            population.listing.pages[0].rows -= 1;
        }),
        ("account 12999 is in no raw page", |population| {
            let mut one = population.accounts[2].clone();
            one.id = "12999".to_owned();
            population.accounts.push(one);
        }),
        ("differs in status", |population| {
            population.accounts[1].status = Status::Inactive;
        }),
        ("differs in role", |population| {
            population.accounts[0].role = Role::Member;
        }),
        ("differs in e-mail", |population| {
            population.accounts[0].emails.clear();
        }),
        ("the second witness differs", |population| {
            if let Memberships::Read { active, .. } = &mut population.memberships {
                *active -= 1;
            }
        }),
        ("", |population| {
            population.memberships = Memberships::Incomplete {
                reason: "it was late".to_owned(),
            };
        }),
        ("", |population| {
            population.listing.pages.truncate(1);
        }),
        ("", |population| {
            population.listing.pages.clear();
        }),
        ("", |population| {
            population.listing.pages.swap(0, 1);
        }),
        ("it names a page of the list `more`", |population| {
            population.listing.pages[1].list = "more".to_owned();
        }),
        ("the number of repeated rows differs", |population| {
            population.listing.duplicates = 7;
        }),
        ("are kept", |population| population.gaps.gets += 3),
        ("", |population| {
            population.derivation.kept = RawPages::None;
        }),
    ];
    for raw in [RawPages::Minimal, RawPages::Full] {
        let fetched = fetch_keeping(scenario("healthy"), raw).await;
        let fetched = fetched.expect("the accounts");
        for (number, (expected, forge)) in forgeries.iter().enumerate() {
            let mut population = fetched.population.clone();
            forge(&mut population);
            // Only the pages show that the list of memberships has no end.
            if number == 7 && raw == RawPages::Minimal {
                continue;
            }
            // A page that records fewer rows is itself a different page.
            let expected = if number == 1 { "recorded" } else { expected };
            let reported = fault_reported(&population, &fetched.raw);
            assert!(
                reported.contains(expected),
                "{raw:?} {number} {expected}: {reported}"
            );
        }
        // A page that was removed, and a page that was replaced.
        for damage in 0..3 {
            let mut files = fetched.raw.clone();
            match damage {
                0 => drop(files.pop()),
                1 => files[0].bytes = files[1].bytes.clone(),
                _ => files[0].bytes.truncate(20),
            }
            let reported = fault_reported(&fetched.population, &files);
            assert!(reported.starts_with("Some(Pages("), "{raw:?}: {reported}");
        }
    }
}

#[tokio::test]
async fn a_digest_is_compared_with_its_page() {
    let fetched = fetch_keeping(scenario("three-pages"), RawPages::Full).await;
    let mut population = fetched.as_ref().expect("the accounts").population.clone();
    let raw = &fetched.as_ref().expect("the accounts").raw;
    population.listing.pages[1].sha256 = "ab".repeat(32);
    let reported = fault_reported(&population, raw);
    assert!(
        reported.starts_with("Some(Pages(1)) page 2 of the list `users` is not the page"),
        "{reported}"
    );
    population = fetched.as_ref().expect("the accounts").population.clone();
    population.listing.pages[2].cursor_sha256 = Some("ab".repeat(32));
    let reported = fault_reported(&population, raw);
    assert!(
        reported.starts_with("Some(Pages(1)) page 3 of the list `users` is not the page"),
        "{reported}"
    );
}

#[tokio::test]
async fn an_account_read_alone_must_have_had_a_gap() {
    for raw in [RawPages::Minimal, RawPages::Full] {
        let fetched = fetch_keeping(scenario("get-404"), raw).await;
        let fetched = fetched.expect("the accounts");
        let mut files = fetched.raw.clone();
        let gets = files.pop().expect("the page of single reads");
        assert_eq!(gets.kind, RawKind::Gets);
        let reported = fault_reported(&fetched.population, &files);
        assert!(reported.contains("the answers of 0 are kept"), "{reported}");
        let lines = unpacked(&gets);
        for lines in [
            lines.lines().rev().collect::<Vec<_>>().join("\n"),
            format!("{lines}{lines}"),
            lines.replace(&gid(2), "12999"),
            "not a user".to_owned(),
        ] {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut packed, lines.as_bytes()).expect("gzip");
            let mut changed = gets.clone();
            changed.bytes = packed.finish().expect("gzip");
            let reported = fault_reported(&fetched.population, &[&files[..], &[changed]].concat());
            assert!(reported.starts_with("Some(Gets)"), "{reported}");
        }
    }
}

#[tokio::test]
async fn accounts_that_cannot_be_recomputed_are_not_a_fault() {
    let none = fetch_keeping(scenario("healthy"), RawPages::None).await;
    let none = none.expect("the accounts");
    let reported = recompute(&written(&none.population), &Kept(&none.raw));
    assert_eq!(reported, Err(NotRecomputed::NotKept));

    let mut fetched = fetch(scenario("healthy")).await;
    fetched.population.derivation.version += 1;
    // A future version does not avoid the comparison.
    let reported = recompute(&written(&fetched.population), &Kept(&fetched.raw));
    assert!(
        matches!(reported, Err(NotRecomputed::Differs { .. })),
        "{reported:?}"
    );
}

// ---- Requests ----

#[tokio::test]
async fn a_transient_failure_is_not_an_error() {
    for name in [
        "bad-gateway-once",
        "reset-once",
        "cut-body-once",
        "html-once",
    ] {
        let world = match name {
            "html-once" => scenario("healthy").fault(Fault::once(LIST, Action::html(520))),
            _ => scenario(name),
        };
        let simulator = Simulator::spawn(world.at(as_of()));
        let fetched = fetch_with(&simulator, &settings(&simulator)).await;
        assert_eq!(fetched.expect(name).population.accounts.len(), 12, "{name}");
        let lists = simulator.requests();
        let lists = lists
            .iter()
            .filter(|r| r.path.ends_with("user-directory/users"));
        assert_eq!(lists.count(), 2, "{name}");
    }
}

#[tokio::test]
async fn retries_are_counted_and_change_nothing_else() {
    let quiet = fetch(scenario("healthy")).await.population;
    let mut stumbled = fetch(scenario("bad-gateway-once")).await.population;
    stumbled.origin.clone_from(&quiet.origin);
    let first = &mut stumbled.listing.pages[0].attempts;
    assert_eq!(std::mem::replace(first, 1), 2);
    assert_eq!(stumbled, quiet);
}

#[tokio::test]
async fn a_rate_limit_of_truto_or_asana_is_waited_out() {
    for limiter in [Limiter::Truto, Limiter::Asana] {
        let world = scenario("healthy")
            .fault(Fault::once(LIST, Action::RateLimited(limiter)))
            .with(|world| world.retry_after = 1);
        let started = std::time::Instant::now();
        let fetched = fetch(world).await;
        assert_eq!(fetched.population.accounts.len(), 12);
        assert!(started.elapsed() >= Duration::from_secs(1), "{limiter:?}");
    }
    let without_word = Action::status(429, "slow down");
    let fetched = fetch(scenario("healthy").fault(Fault::once(LIST, without_word))).await;
    assert_eq!(fetched.population.accounts.len(), 12);
}

#[tokio::test]
async fn a_wait_that_is_too_long_ends_the_request_at_once() {
    let world = scenario("healthy")
        .fault(Fault::once(LIST, Action::RateLimited(Limiter::Truto)))
        .with(|world| world.retry_after = 900);
    let error = refused(world).await;
    assert_eq!(error.kind(), ErrorKind::Transient);
    let text = error.to_string();
    assert!(
        text.starts_with("GET /unified/user-directory/users: 429 Too Many Requests; the next attempt is due in 900 s"),
        "{text}"
    );
}

#[tokio::test]
async fn a_paced_run_never_exceeds_the_rate_limit() {
    let world = World::generated(100).with(|world| {
        world.page_size_cap = 10;
        world.rate_limit = Some((10, Duration::from_millis(300)));
    });
    let simulator = Simulator::spawn(world);
    let mut settings = settings(&simulator);
    settings.truto.api.rate_limit = Some(RateLimit {
        requests: 9,
        window: Duration::from_millis(300),
    });
    let fetched = fetch_with(&simulator, &settings).await.expect("accounts");
    assert_eq!(fetched.population.accounts.len(), 100);
    let statuses = simulator.requests();
    assert!(statuses.iter().all(|request| request.status == Some(200)));
}

fn request<'a>(url: String) -> Request<'a> {
    Request {
        url: url.parse().expect("an address"),
        headers: Default::default(),
        max_bytes: 1024 * 1024,
        pacer: None,
        what: "GET /feed".to_owned(),
    }
}

#[tokio::test]
async fn each_status_is_retried_as_listed_here() {
    let simulator = Simulator::spawn(World::new());
    let http = Http::new(&quick(), soon()).expect("a client");
    let mut attempts = std::collections::BTreeMap::<usize, Vec<u16>>::new();
    for status in 200..=599 {
        let fault = Fault::once("/feed", Action::status(status, "")).for_ever();
        simulator.set_world(World::new().fault(fault));
        simulator.forget_requests();
        let answer = http.get(request(format!("{}/feed", simulator.url()))).await;
        assert_eq!(answer.is_ok(), (200..300).contains(&status), "{status}");
        let made = simulator.requests().len();
        if made > 1 {
            attempts.entry(made).or_default().push(status);
        }
    }
    assert_debug_snapshot!(attempts, @"
    {
        3: [
            503,
        ],
        8: [
            408,
            425,
            429,
            500,
            502,
            504,
            520,
            521,
            522,
            523,
            524,
            525,
            526,
            527,
            528,
            529,
            530,
        ],
    }
    ");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_host_is_named() {
    let away = Action::status(302, "").header("location", "https://elsewhere.example/x?secret=1");
    let simulator = Simulator::spawn(World::new().fault(Fault::once("/feed", away)));
    let http = Http::new(&quick(), soon()).expect("a client");
    let error = http
        .get(request(format!("{}/feed", simulator.url())))
        .await
        .expect_err("a redirect");
    let host = simulator.url().replace("http://", "");
    assert_snapshot!(
        error.to_string().replace(&host, "[host]"),
        @"GET /feed: `[host]` answers with a redirect to “elsewhere.example” (status 302), which is not followed"
    );
    assert_eq!(simulator.requests().len(), 1);
}

#[tokio::test]
async fn a_body_larger_than_allowed_is_refused_with_the_limit() {
    let large = Action::status(200, &"x".repeat(1024 * 1024 + 1));
    let simulator = Simulator::spawn(World::new().fault(Fault::once("/feed", large)));
    let http = Http::new(&quick(), soon()).expect("a client");
    let error = http
        .get(request(format!("{}/feed", simulator.url())))
        .await
        .expect_err("too large");
    assert_snapshot!(error.to_string(), @"GET /feed: the answer is larger than 1 MiB");
}

#[tokio::test]
async fn plain_http_goes_to_loopback_only() {
    let http = Http::new(&quick(), soon()).expect("a client");
    let error = http
        .get(request("http://feed.example/hr.csv".to_owned()))
        .await;
    assert!(matches!(error, Err(NetError::PlainHttp { .. })));
}

#[tokio::test]
async fn a_late_answer_is_a_timeout() {
    let slow = Action::Delay(Duration::from_secs(3));
    let simulator = Simulator::spawn(World::new().fault(Fault::once("/", slow).for_ever()));
    let hasty = net::Settings {
        timeout: Duration::from_millis(50),
        max_attempts: 2,
        ..quick()
    };
    let http = Http::new(&hasty, soon()).expect("a client");
    let error = http
        .get(request(format!("{}/feed?token=secret", simulator.url())))
        .await;
    let error = error.expect_err("no answer");
    let host = simulator.url().replace("http://", "");
    assert_snapshot!(
        error.to_string().replace(&host, "[host]"),
        @"GET /feed: `[host]` did not answer in time, after 2 attempts in 0 s"
    );
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn after_the_deadline_no_request_is_sent() {
    let simulator = Simulator::spawn(scenario("healthy"));
    let passed = Deadline::after(Duration::ZERO);
    let error = fetch_all(&settings(&simulator), &Clock::at(as_of()), passed).await;
    let error = error.expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(error.to_string().ends_with("the run's deadline has passed"));
    assert!(simulator.requests().is_empty());
}

#[tokio::test]
async fn an_unreachable_server_is_transient_and_counts_its_attempts() {
    let simulator = Simulator::spawn(scenario("healthy"));
    let settings = settings(&simulator);
    drop(simulator);
    let error = fetch_all(&settings, &Clock::at(as_of()), soon())
        .await
        .expect_err("no server");
    assert_eq!(error.kind(), ErrorKind::Transient);
    let text = error.to_string();
    assert!(
        text.contains("no connection to `127.0.0.1:") && text.contains("after 8 attempts in"),
        "{text}"
    );
}

#[tokio::test]
async fn a_tls_failure_is_not_retried() {
    let simulator = Simulator::spawn(World::new());
    let http = Http::new(&quick(), soon()).expect("a client");
    let url = simulator.url().replace("http://", "https://");
    let error = http
        .get(request(format!("{url}/feed")))
        .await
        .expect_err("no TLS there");
    // On a machine without any CA certificates the client cannot even be built.
    assert!(
        matches!(error, NetError::Tls { .. } | NetError::Client(_)),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn a_401_from_an_active_connection_is_reported_unchanged() {
    let answer = Action::TrutoError {
        status: 401,
        message: "No permission".to_owned(),
    };
    let error = refused(scenario("healthy").fault(Fault::once(LIST, answer).for_ever())).await;
    assert_snapshot!(reported(&error), @"
    Refused: GET /unified/user-directory/users was refused (status 401): “No permission”
    hint: the token can read the connection but not this resource: check the permissions of the token, then the connection's login at Asana
    ");
}

#[tokio::test]
async fn a_server_with_no_quota_left_is_not_asked_before_its_reset() {
    let used_up = Action::status(200, r#"{"result":[],"next_cursor":null}"#)
        .header("ratelimit-remaining", "0")
        .header("ratelimit-reset", "1");
    let world = scenario("healthy").fault(Fault::once("user-directory/me", used_up));
    let started = std::time::Instant::now();
    let fetched = fetch(world).await;
    assert_eq!(fetched.population.accounts.len(), 12);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_missing_memberships_route_leaves_a_single_source() {
    for (status, body) in [(400, "no such path"), (405, ""), (404, "<html></html>")] {
        let fault = Fault::once("workspace_memberships", Action::status(status, body)).for_ever();
        let fetched = fetch(scenario("healthy").fault(fault)).await;
        assert!(
            matches!(
                fetched.population.memberships,
                Memberships::Unreadable { status: reported, .. } if reported == status
            ),
            "{:?}",
            fetched.population.memberships
        );
    }
}

#[tokio::test]
async fn memberships_that_keep_failing_are_an_error() {
    let fault = Fault::once("workspace_memberships", Action::html(502)).for_ever();
    let error = refused(scenario("healthy").fault(fault)).await;
    assert_eq!(error.kind(), ErrorKind::Transient);
}
