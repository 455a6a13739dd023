//! The form of Truto's answers in a healthy world: pages, single objects, errors, authorization.

use crate::http::{all_rows, data, get, try_get, with_connection};
use serde_json::{Value, json};
use truto_simulator::{CONNECTION_ID, Person, Simulator, TOKEN, WORKSPACE_ID, World};

const USERS: &str = "/unified/user-directory/users";

#[test]
fn a_healthy_world_lists_its_administrator_and_nobody_else() {
    let simulator = Simulator::spawn(World::new());
    let page = data(&simulator, USERS).json();
    assert_eq!(page["next_cursor"], Value::Null);
    assert_eq!(page["prev_cursor"], Value::Null);
    assert_eq!(page["result_count"], 1);
    assert_eq!(page["is_partial_response"], false);
    assert_eq!(
        page["result"],
        json!([{
            "id": "1200000000000000",
            "name": "Vera Viewer",
            "first_name": "Vera",
            "last_name": "Viewer",
            "emails": [{"email": "vera.viewer@example.com", "is_primary": true}],
            "status": "active",
            "roles": [{"id": "admin", "name": "Admin", "organization": WORKSPACE_ID}],
            "organizations": [{"id": WORKSPACE_ID, "name": "Example Company"}],
            "created_at": "2023-02-06T09:00:00.000Z",
        }])
    );
}

#[test]
fn cursors_lead_through_every_page_and_no_row_comes_twice() {
    let simulator = Simulator::spawn(World::generated(250));
    let target = format!("{USERS}?limit=100&organization_id={WORKSPACE_ID}");
    let rows = all_rows(&simulator, &target);
    let mut ids: Vec<_> = rows.iter().map(|row| row["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((rows.len(), ids.len()), (250, 250));
    assert_eq!(simulator.requests().len(), 3);
}

#[test]
fn a_page_holds_no_more_rows_than_asked_for_and_never_more_than_the_cap() {
    let simulator = Simulator::spawn(World::generated(250));
    for (asked, got) in [("limit=7", 7), ("limit=1000", 100), ("", 100)] {
        let page = data(&simulator, &format!("{USERS}?{asked}")).json();
        assert_eq!(page["result_count"], got, "{asked}");
    }
    assert_eq!(data(&simulator, &format!("{USERS}?limit=0")).status, 400);
}

#[test]
fn organizations_and_me_are_lists() {
    let simulator = Simulator::spawn(World::new());
    let organizations = data(&simulator, "/unified/user-directory/organizations").json();
    assert_eq!(
        organizations["result"],
        json!([{"id": WORKSPACE_ID, "name": "Example Company"}])
    );
    let me = data(&simulator, "/unified/user-directory/me").json();
    assert_eq!(me["result"][0]["id"], "1200000000000000");
    assert_eq!(me["next_cursor"], Value::Null);
}

#[test]
fn a_single_user_is_a_bare_object_and_a_stranger_is_404() {
    let simulator = Simulator::spawn(World::new());
    let user = data(&simulator, &format!("{USERS}/1200000000000000")).json();
    assert_eq!(user["name"], "Vera Viewer");
    let stranger = data(&simulator, &format!("{USERS}/7"));
    assert_eq!(stranger.status, 404);
    assert_eq!(stranger.json()["truto_is_remote_error"], true);
}

#[test]
fn the_connection_is_a_bare_object_and_can_be_found_in_the_list() {
    let simulator = Simulator::spawn(World::new());
    let connection = get(&simulator, &format!("/integrated-account/{CONNECTION_ID}")).json();
    assert_eq!(connection["id"], CONNECTION_ID);
    assert_eq!(connection["status"], "active");
    assert_eq!(connection["integration"]["name"], "asana");
    assert_eq!(get(&simulator, "/integrated-account/unknown").status, 404);

    for (query, found) in [
        ("", 1),
        (
            "?tenant_id=example-company&integration.name=asana&status=active",
            1,
        ),
        ("?status=needs_reauth", 0),
        ("?integration.name=jira", 0),
    ] {
        let list = get(&simulator, &format!("/integrated-account{query}")).json();
        let rows = list["result"].as_array().expect("rows").len();
        assert_eq!(rows, found, "{query}");
    }

    let capabilities = format!("/integrated-account/{CONNECTION_ID}/capabilities?type=unified");
    let capabilities = get(&simulator, &capabilities).json();
    assert_eq!(capabilities["account"]["is_blocked"], false);
    let tokens = get(&simulator, "/api-token").json();
    assert_eq!(tokens["result"][0]["expires_at"], Value::Null);
    assert_eq!(data(&simulator, &format!("{USERS}/meta/list")).status, 200);
}

#[test]
fn a_wrong_or_missing_token_is_refused_by_truto_itself() {
    let simulator = Simulator::spawn(World::new());
    for token in [None, Some("wrong")] {
        for target in ["/integrated-account", &with_connection(USERS)] {
            let refused = try_get(&simulator, target, token).expect("an answer");
            assert_eq!(refused.status, 401);
            let body = refused.json();
            assert_eq!(body["statusCode"], 401);
            assert_eq!(body["error"], "Unauthorized");
            assert_eq!(body.get("truto_is_remote_error"), None);
        }
    }
    assert!(
        simulator
            .requests()
            .iter()
            .all(|request| !request.authorized)
    );
}

#[test]
fn data_needs_the_id_of_the_connection() {
    let simulator = Simulator::spawn(World::new());
    for target in [USERS, "/custom/users", "/proxy/users"] {
        let refused = get(&simulator, target);
        assert_eq!(refused.status, 400, "{target}");
        let insight = &refused.json()["truto_error_insight"];
        assert_eq!(
            insight["missing_required_query_parameters"]["value"],
            json!(["integrated_account_id"])
        );
        let unknown = get(&simulator, &format!("{target}?integrated_account_id=other"));
        assert_eq!(unknown.status, 404, "{target}");
    }
}

#[test]
fn memberships_and_asana_users_are_compact_unless_fields_are_asked_for() {
    let simulator = Simulator::spawn(World::new());
    let memberships = format!("/custom/workspaces/{WORKSPACE_ID}/workspace_memberships");
    let compact = &all_rows(&simulator, &memberships)[0];
    assert_eq!(compact["user"]["gid"], "1200000000000000");
    assert_eq!(compact.get("is_active"), None);
    for spelling in [
        "opt_fields=is_active,is_admin,user.name",
        "opt_fields%5B%5D=is_active&opt_fields[]=is_admin&opt_fields[]=user.name",
    ] {
        let rich = &all_rows(&simulator, &format!("{memberships}?{spelling}"))[0];
        assert_eq!(rich["is_active"], true, "{spelling}");
        assert_eq!(rich["user"]["name"], "Vera Viewer", "{spelling}");
    }

    let users = format!("/custom/users?workspace={WORKSPACE_ID}");
    assert_eq!(all_rows(&simulator, &users)[0].get("email"), None);
    let rich = &all_rows(&simulator, &format!("{users}&opt_fields=name,email"))[0];
    assert_eq!(rich["email"], "vera.viewer@example.com");
}

#[test]
fn an_unknown_workspace_is_404_from_asana() {
    let simulator = Simulator::spawn(World::new());
    for target in [
        "/unified/user-directory/users?organization_id=1",
        "/custom/users?workspace=1",
        "/custom/workspaces/1/workspace_memberships",
    ] {
        let answer = data(&simulator, target);
        assert_eq!(answer.status, 404, "{target}");
        assert_eq!(answer.json()["truto_is_remote_error"], true, "{target}");
    }
}

#[test]
fn every_answer_has_one_date_and_the_world_can_pin_it() {
    let simulator = Simulator::spawn(World::new());
    let date_lines = |head: &str| head.to_lowercase().matches("\r\ndate:").count();
    assert_eq!(date_lines(&data(&simulator, USERS).head), 1);

    let pinned = "2026-11-23T22:40:00Z".parse().expect("an instant");
    simulator.set_world(World::new().at(pinned));
    for answer in [data(&simulator, USERS), get(&simulator, "/nowhere")] {
        assert_eq!(date_lines(&answer.head), 1);
        assert_eq!(answer.header("date"), Some("Mon, 23 Nov 2026 22:40:00 GMT"));
    }
}

#[test]
fn requests_are_remembered_decoded_and_in_order() {
    let simulator = Simulator::spawn(World::new());
    data(&simulator, "/unified/user-directory/me");
    data(&simulator, "/custom/users?opt_fields=name%2Cemail");
    let requests = simulator.requests();
    assert_eq!(requests[0].path, "/unified/user-directory/me");
    assert_eq!(
        requests[0].query("integrated_account_id"),
        Some(CONNECTION_ID)
    );
    assert_eq!(requests[1].query("opt_fields"), Some("name,email"));
    assert_eq!(requests[1].user_agent.as_deref(), Some("test"));
    assert!(requests[1].authorized);
    assert_eq!(requests[1].status, Some(200));
    simulator.forget_requests();
    assert_eq!(simulator.requests(), []);
}

#[test]
fn the_next_run_has_another_world_behind_the_same_address() {
    let simulator = Simulator::spawn(World::new());
    assert_eq!(data(&simulator, USERS).json()["result_count"], 1);
    let ada = Person::member("1201", "Ada Lovelace", "ada@example.com");
    simulator.set_world(World::new().person(ada));
    assert_eq!(data(&simulator, USERS).json()["result_count"], 2);
    assert_eq!(simulator.requests().len(), 2);
}

#[tokio::test]
async fn it_starts_inside_a_runtime_too_and_stops_when_dropped() {
    let simulator = Simulator::start(World::new()).await.expect("a simulator");
    let url = simulator.url();
    assert_eq!(get(&simulator, "/api-token").status, 200);
    drop(simulator);
    let host = url.trim_start_matches("http://");
    assert!(std::net::TcpStream::connect(host).is_err());
}

#[test]
fn generated_people_are_the_same_every_time() {
    let (first, second) = (World::generated(500), World::generated(500));
    assert_eq!(first.people, second.people);
    assert!(first.people[0].admin);
    let guests = first.people.iter().filter(|person| person.guest).count();
    assert_eq!(guests, 25);
    assert_eq!(TOKEN, first.token);
}

#[test]
fn ten_thousand_accounts_come_in_a_hundred_pages() {
    let simulator = Simulator::spawn(World::generated(10_000));
    let rows = all_rows(&simulator, &format!("{USERS}?limit=100"));
    assert_eq!(rows.len(), 10_000);
    assert_eq!(simulator.requests().len(), 100);
}
