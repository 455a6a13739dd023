//! Answers that are too large, too deep, in the wrong place or from another system. Each is refused
//! with its name, and the token is not sent elsewhere.

use std::net::TcpListener;
use std::time::Duration;

use asana_access_review::model::Memberships;
use asana_access_review::net::ErrorKind;
use truto_simulator::{
    Action, CONNECTION_ID, Fault, ListFields, Permission, Person, Simulator, World,
};

use super::{LIST, chain, fetch_from, scenario};
use crate::support::job::{Job, LEFT_AND_GONE};

/// Every request for the list gets this answer.
fn listed(body: &str) -> World {
    scenario("healthy").fault(Fault::once(LIST, Action::status(200, body)).for_ever())
}

/// The error of a read, and the number of requests for the list.
async fn refused(world: World) -> (ErrorKind, String, usize) {
    let simulator = Simulator::spawn(world);
    let error = fetch_from(&simulator).await.expect_err("a refusal");
    let requests = simulator.requests();
    let lists = requests.iter().filter(|r| r.path.ends_with("/users"));
    (error.kind(), chain(&error), lists.count())
}

#[tokio::test]
async fn a_body_of_more_than_32_mib_is_refused_and_not_retried() {
    let rows = format!(r#"{{"result":[{{"id":"{}"}}]}}"#, "x".repeat(33 << 20));
    let (kind, text, asked) = refused(listed(&rows)).await;
    assert_eq!(kind, ErrorKind::Unexpected);
    assert_eq!(
        text,
        "GET /unified/user-directory/users: the answer is larger than 32 MiB"
    );
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn wrong_or_missing_json_is_refused_with_its_problem() {
    let cases = [
        ("<!DOCTYPE html><html></html>", "it is not JSON"),
        ("result: []", "it is not JSON"),
        ("{\"result\":[]}garbage", "it is not JSON"),
        ("[]", "it is a list"),
        ("\"ok\"", "it is a text"),
        ("{}", "it has no records"),
        (
            r#"{"result":7}"#,
            "a field of its envelope has the wrong type (line 1, column 11)",
        ),
        (
            r#"{"result":[],"next_cursor":{}}"#,
            "a field of its envelope has the wrong type (line 1, column",
        ),
        (
            r#"{"result":[],"next_page":"x"}"#,
            "a field of its envelope",
        ),
    ];
    for (body, problem) in cases {
        let (kind, text, _) = refused(listed(body)).await;
        let start = &body[..body.len().min(40)];
        assert_eq!(kind, ErrorKind::Unexpected, "{start}: {text}");
        let expected = format!(
            "GET /unified/user-directory/users, page 1: the answer cannot be read: {problem}"
        );
        assert!(text.starts_with(&expected), "{start}: {text}");
    }
}

#[tokio::test]
async fn deep_json_is_harmless_and_a_deep_row_is_rejected() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    for deep in [deep, objects] {
        let body = format!(
            r#"{{"unread":{deep},"result":[{{"id":"1","status":"active","unread":{deep},"roles":{deep}}},[{deep}]]}}"#
        );
        let simulator = Simulator::spawn(listed(&body));
        let population = fetch_from(&simulator).await.expect("accounts").population;
        assert_eq!(population.accounts.len(), 1);
        let reasons: Vec<_> = population
            .listing
            .rejected
            .iter()
            .map(|r| &r.reason)
            .collect();
        assert_eq!(reasons, ["it is not a record"]);
    }
    // A deep error body is not parsed, only its beginning is quoted.
    let deep = Action::status(403, &"[".repeat(50_000));
    let (kind, text, _) = refused(scenario("healthy").fault(Fault::once(LIST, deep))).await;
    assert_eq!(kind, ErrorKind::Refused);
    assert!(text.len() < 400, "{} bytes", text.len());
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    elsewhere.set_nonblocking(true).expect("a socket");
    let url = format!(
        "http://{}/steal",
        elsewhere.local_addr().expect("an address")
    );
    for status in [301, 302, 303, 307, 308] {
        let away = Action::status(status, "").header("location", &url);
        let world = scenario("healthy").fault(Fault::once("/", away).for_ever());
        let (kind, text, _) = refused(world).await;
        assert_eq!(kind, ErrorKind::Configuration, "{text}");
        assert!(
            text.ends_with(&format!(
                "answers with a redirect to “127.0.0.1” (status {status}), which is not followed"
            )),
            "{text}"
        );
    }
    // Asana's own body contains the URL of its next page, of which only the offset is used.
    let page =
        format!(r#"{{"data":[],"next_page":{{"offset":"o","path":"//elsewhere","uri":"{url}"}}}}"#);
    let odd = Fault::once("workspace_memberships", Action::status(200, &page));
    let simulator = Simulator::spawn(scenario("healthy").fault(odd));
    fetch_from(&simulator).await.expect("accounts");
    std::thread::sleep(Duration::from_millis(50));
    assert!(
        elsewhere.accept().is_err(),
        "a request was sent to the other host"
    );
}

#[tokio::test]
async fn a_cursor_that_is_too_long_for_a_url_is_refused() {
    let cursor = "c".repeat(1 << 20);
    let page = format!(r#"{{"result":[{{"id":"1"}}],"next_cursor":"{cursor}"}}"#);
    let (kind, text, asked) = refused(listed(&page)).await;
    assert_eq!((kind, asked), (ErrorKind::Unexpected, 1));
    assert_eq!(
        text,
        "GET /unified/user-directory/users, page 1: the answer cannot be read: it has a cursor of \
         1048576 bytes, more than an address can carry"
    );

    // Only the memberships are incomplete, and the run continues.
    let page = format!(r#"{{"data":[],"next_page":{{"offset":"{cursor}"}}}}"#);
    let odd = Fault::once("workspace_memberships", Action::status(200, &page)).for_ever();
    let simulator = Simulator::spawn(scenario("healthy").fault(odd));
    let memberships = fetch_from(&simulator)
        .await
        .expect("accounts")
        .population
        .memberships;
    let Memberships::Incomplete { reason } = memberships else {
        panic!("{memberships:?}");
    };
    assert!(reason.contains("1048576 bytes"), "{reason}");
}

#[tokio::test]
async fn an_id_with_slashes_or_dots_stays_one_part_of_the_path() {
    let odd = [
        "..",
        ".",
        "../../api-token",
        "a/b",
        "a?b=c#d",
        "%2e%2e",
        "ü",
        " x ",
    ];
    let long = "9".repeat(100_000);
    let ids = odd.iter().copied().chain([long.as_str()]);
    let people = ids.map(|id| Person::member(id, "Odd", "odd@example.com"));
    let simulator = Simulator::spawn(World::generated(0).people(people).with(|world| {
        world.list_fields = ListFields::ID_AND_NAME;
        world.memberships = Permission::NotFound;
        world.custom_users = Permission::NotFound;
    }));
    let population = fetch_from(&simulator).await.expect("accounts").population;
    assert_eq!(population.accounts.len(), 9);
    let requests = simulator.requests();
    let gets = requests.iter().filter_map(|request| {
        let id = request
            .path
            .strip_prefix("/unified/user-directory/users/")?;
        Some(id.to_owned())
    });
    let mut gets: Vec<_> = gets.filter(|get| get != "meta/list").collect();
    gets.sort();
    // Ids of only dots, and ids that are too long for a URL, are not requested.
    assert_eq!(
        gets,
        [
            "%20x%20",
            "%252e%252e",
            "%C3%BC",
            "..%2F..%2Fapi-token",
            "a%2Fb",
            "a%3Fb=c%23d"
        ]
    );
    let strays = requests
        .iter()
        .filter(|request| request.path.contains("api-token"));
    assert_eq!(strays.count(), 1);
}

#[tokio::test]
async fn a_workspace_with_dots_as_its_id_is_ignored() {
    let body = r#"{"result":[{"id":"..","name":"Up"},{"id":"1150527741687836"}]}"#;
    let odd = Fault::once("user-directory/organizations", Action::status(200, body));
    let simulator = Simulator::spawn(scenario("healthy").fault(odd));
    let population = fetch_from(&simulator).await.expect("accounts").population;
    assert_eq!(population.workspaces_visible, 1);
}

#[test]
fn a_connection_of_another_integration_is_refused() {
    let other = r#"{"id":"x","status":"active","integration":{"name":"jira"}}"#;
    let fault = Fault::once("integrated-account", Action::status(200, other));
    let job = Job::new(scenario("healthy").fault(fault), LEFT_AND_GONE);
    let ended = job.run();
    assert_eq!(ended.code, 77);
    let reported = format!("the connection `{CONNECTION_ID}` is for “…”, not for Asana");
    assert!(ended.stderr.contains(&reported), "{}", ended.stderr);
    assert_eq!(job.simulator.requests().len(), 1);
}
