//! The ways in which answers may differ: one at a time.

use serde_json::{Value, json};
use truto_simulator::{
    CustomEnvelope, Envelope, Gap, LastCursor, ListFields, Permission, Person, Simulator, Viewer,
    WORKSPACE_ID, Words, World,
};

use crate::http::{all_rows, data, get};

const USERS: &str = "/unified/user-directory/users";

/// A world with one page of three people, changed in one way.
fn three(change: impl FnOnce(&mut World)) -> Simulator {
    Simulator::spawn(World::generated(3).with(change))
}

fn users(simulator: &Simulator) -> Value {
    data(simulator, USERS).json()
}

fn memberships(simulator: &Simulator, query: &str) -> crate::http::Answer {
    let path = format!("/custom/workspaces/{WORKSPACE_ID}/workspace_memberships");
    data(simulator, &format!("{path}?{query}"))
}

#[test]
fn the_list_carries_the_fields_it_is_reported_to_and_a_get_carries_all() {
    for (fields, missing) in [
        (ListFields::WITHOUT_EMAIL, "emails"),
        (ListFields::WITHOUT_STATUS, "status"),
        (ListFields::WITHOUT_ROLES, "roles"),
        (ListFields::ID_AND_NAME, "created_at"),
    ] {
        let simulator = three(|world| world.list_fields = fields);
        let row = users(&simulator)["result"][0].clone();
        assert_eq!(row.get(missing), None);
        let id = row["id"].as_str().expect("an id");
        let user = data(&simulator, &format!("{USERS}/{id}")).json();
        assert!(user.get(missing).is_some(), "{missing}");
    }
}

#[test]
fn what_is_left_out_may_be_null_or_empty_instead_of_absent() {
    for (gap, emails) in [(Gap::Null, Value::Null), (Gap::Empty, json!([]))] {
        let simulator = three(|world| {
            world.list_fields = ListFields::ID_AND_NAME;
            world.gap = gap;
        });
        assert_eq!(users(&simulator)["result"][0].get("emails"), Some(&emails));
    }
}

#[test]
fn status_and_role_can_come_in_raw_words() {
    let simulator = three(|world| {
        world.status_words = Words::Raw;
        world.role_words = Words::Raw;
    });
    let row = &users(&simulator)["result"][0];
    assert_eq!(row["status"], "enabled");
    assert_eq!(row["roles"][0]["name"], "organization_admin");
}

#[test]
fn remote_data_is_the_providers_record_with_the_flags_of_the_membership() {
    let simulator = three(|world| world.remote_data = true);
    let remote = &users(&simulator)["result"][0]["remote_data"];
    assert_eq!(remote["email"], "person1@example.com");
    assert_eq!(remote["is_active"], true);
    assert_eq!(remote["is_admin"], true);
}

#[test]
fn the_end_of_a_list_is_null_or_missing_or_empty() {
    for (last_cursor, end) in [
        (LastCursor::Null, Some(Value::Null)),
        (LastCursor::Missing, None),
        (LastCursor::Empty, Some(json!(""))),
    ] {
        let simulator = three(|world| world.last_cursor = last_cursor);
        assert_eq!(users(&simulator).get("next_cursor"), end.as_ref());
        assert_eq!(all_rows(&simulator, &format!("{USERS}?limit=2")).len(), 3);
    }
}

#[test]
fn rows_come_under_another_name_or_keyed_by_id() {
    let simulator = three(|world| world.envelope = Envelope::Results);
    let page = users(&simulator);
    assert_eq!(page["results"].as_array().map(Vec::len), Some(3));
    assert_eq!(page.get("result"), None);
    assert!(get(&simulator, "/integrated-account").json()["results"].is_array());

    let simulator = three(|world| world.envelope = Envelope::Keyed);
    let page = users(&simulator);
    assert_eq!(
        page["result"].as_object().map(serde_json::Map::len),
        Some(3)
    );
    let row = &page["result"]["1200000000000001"];
    assert_eq!(row["id"], "1200000000000001");
}

#[test]
fn the_last_full_page_can_lead_to_an_empty_one() {
    let simulator = three(|world| world.empty_last_page = true);
    let first = users(&simulator);
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let second = data(&simulator, &format!("{USERS}?next_cursor={cursor}")).json();
    assert_eq!(second["result"], json!([]));
    assert_eq!(second["next_cursor"], Value::Null);
}

#[test]
fn a_cursor_can_be_repeated_for_ever() {
    let simulator = three(|world| world.repeated_cursor = true);
    let page = data(&simulator, &format!("{USERS}?limit=1")).json();
    let cursor = page["next_cursor"].as_str().expect("a cursor").to_owned();
    for _ in 0..3 {
        let page = data(&simulator, &format!("{USERS}?limit=1&next_cursor={cursor}")).json();
        assert_eq!(page["next_cursor"], json!(cursor));
        assert_eq!(page["result_count"], 1);
    }
}

#[test]
fn a_cursor_can_be_expired_or_wrong() {
    let simulator = three(|world| world.expired_cursors = 1);
    let page = data(&simulator, &format!("{USERS}?limit=2")).json();
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let next = format!("{USERS}?limit=2&next_cursor={cursor}");
    let expired = data(&simulator, &next);
    assert_eq!(expired.status, 400);
    assert_eq!(expired.json()["truto_is_remote_error"], true);
    assert_eq!(data(&simulator, &next).json()["result_count"], 1);
    assert_eq!(
        data(&simulator, &format!("{USERS}?next_cursor=zz")).status,
        400
    );
}

#[test]
fn rows_can_come_twice_or_without_an_id_and_ids_can_be_numbers() {
    let simulator = three(|world| {
        world.duplicate_rows = 2;
        world.row_without_id = true;
        world.numeric_ids = true;
    });
    let page = users(&simulator);
    assert_eq!(page["result_count"], 6);
    let rows = page["result"].as_array().expect("rows");
    assert_eq!(rows[0], rows[3]);
    assert_eq!(rows[0]["id"], json!(1_200_000_000_000_001_u64));
    assert_eq!(rows[5].get("id"), None);
    assert_eq!(
        data(&simulator, &format!("{USERS}/1200000000000001")).status,
        200
    );
}

#[test]
fn the_list_can_say_that_it_is_partial() {
    let simulator = three(|world| world.partial_response = true);
    assert_eq!(users(&simulator)["is_partial_response"], true);
}

#[test]
fn the_list_can_demand_the_organization() {
    let simulator = three(|world| world.organization_id_required = true);
    assert_eq!(data(&simulator, USERS).status, 400);
    let target = format!("{USERS}?organization_id={WORKSPACE_ID}");
    assert_eq!(data(&simulator, &target).status, 200);
}

#[test]
fn a_workspace_holds_only_its_own_people() {
    let elsewhere = Person::member("1299", "Ed Elsewhere", "ed@example.com").in_workspaces(&["77"]);
    let simulator = Simulator::spawn(
        World::generated(3)
            .workspace("77", "Labs")
            .person(elsewhere),
    );
    for (workspace, count) in [(WORKSPACE_ID, 3), ("77", 1)] {
        let page = data(&simulator, &format!("{USERS}?organization_id={workspace}")).json();
        assert_eq!(page["result_count"], count);
        let path = format!("/custom/workspaces/{workspace}/workspace_memberships");
        assert_eq!(all_rows(&simulator, &path).len(), count);
        let path = format!("/custom/users?workspace={workspace}");
        assert_eq!(all_rows(&simulator, &path).len(), count);
    }
}

#[test]
fn what_is_refused_names_the_missing_scope_and_the_connection_stays_active() {
    let simulator = three(|world| {
        world.users = Permission::missing_scope("users:read");
        world.gets = Permission::NotFound;
        world.memberships = Permission::missing_scope("default");
        world.custom_users = Permission::NotFound;
    });
    let refused = data(&simulator, USERS);
    assert_eq!(refused.status, 403);
    let body = refused.json();
    assert_eq!(body["truto_is_remote_error"], true);
    let scopes = &body["truto_error_insight"]["forbidden_error"]["value"]["missing_scopes"];
    assert_eq!(*scopes, json!(["users:read"]));
    assert_eq!(
        data(&simulator, &format!("{USERS}/1200000000000001")).status,
        404
    );
    assert_eq!(data(&simulator, "/custom/users").status, 404);
    assert_eq!(memberships(&simulator, "").status, 403);

    let path = format!("/integrated-account/{}", truto_simulator::CONNECTION_ID);
    let connection = get(&simulator, &path).json();
    assert_eq!(connection["status"], "active");
    let scopes = &connection["last_forbidden_error"]["missing_scopes"];
    assert_eq!(*scopes, json!(["default"]));
}

#[test]
fn one_get_can_be_missing_though_the_list_has_the_account() {
    let simulator = three(|world| {
        world.gets_missing.insert("1200000000000002".to_owned());
    });
    assert_eq!(users(&simulator)["result_count"], 3);
    assert_eq!(
        data(&simulator, &format!("{USERS}/1200000000000002")).status,
        404
    );
    assert_eq!(
        data(&simulator, &format!("{USERS}/1200000000000003")).status,
        200
    );
}

#[test]
fn an_invitation_is_an_active_membership() {
    let invited = Person::member("1299", "Ivy Invited", "ivy@example.com").invited();
    let simulator = Simulator::spawn(World::generated(0).person(invited));
    assert_eq!(users(&simulator)["result"][0]["status"], "invited");
    let page = memberships(&simulator, "opt_fields=is_active").json();
    assert_eq!(page["result"][0]["is_active"], true);
}

#[test]
fn somebody_who_came_back_has_an_old_and_a_new_membership() {
    let back = Person::member("1299", "Rae Return", "rae@example.com").rejoined();
    let simulator = Simulator::spawn(World::generated(0).person(back));
    let page = memberships(&simulator, "opt_fields=is_active,user").json();
    let of = |place: usize| {
        let row = &page["result"][place];
        (row["user"]["gid"].clone(), row["is_active"].clone())
    };
    assert_eq!(of(0), (json!("1299"), json!(false)));
    assert_eq!(of(1), (json!("1299"), json!(true)));
}

#[test]
fn custom_answers_can_be_asanas_own_body() {
    let simulator = three(|world| world.custom_envelope = CustomEnvelope::Asana);
    let first = memberships(&simulator, "limit=2").json();
    assert_eq!(first["data"].as_array().map(Vec::len), Some(2));
    let offset = first["next_page"]["offset"].as_str().expect("an offset");
    let second = memberships(&simulator, &format!("limit=2&offset={offset}")).json();
    assert_eq!(second["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(second["next_page"], Value::Null);
    assert_eq!(second.get("result"), None);

    let simulator = three(|world| world.custom_envelope = CustomEnvelope::AsanaInResult);
    let page = memberships(&simulator, "limit=2").json();
    assert_eq!(page["result"]["data"].as_array().map(Vec::len), Some(2));
    assert!(page["result"]["next_page"]["offset"].is_string());
    assert_eq!(page["next_cursor"], Value::Null);
}

#[test]
fn the_viewer_can_be_absent_refused_or_gone_from_the_list() {
    let me = "/unified/user-directory/me";
    let simulator = three(|world| world.viewer = Viewer::Absent);
    assert_eq!(data(&simulator, me).json()["result"], json!([]));
    let simulator = three(|world| world.viewer = Viewer::Refused);
    assert_eq!(data(&simulator, me).status, 403);
    let simulator = three(|world| world.people[0].listed = false);
    assert_eq!(
        data(&simulator, me).json()["result"][0]["id"],
        "1200000000000001"
    );
    assert_eq!(users(&simulator)["result_count"], 2);
}

#[test]
fn answers_to_calls_for_data_can_carry_further_headers() {
    let simulator = three(|world| {
        world.headers = vec![("ratelimit-limit".to_owned(), "110;w=10".to_owned())];
    });
    assert_eq!(
        data(&simulator, USERS).header("ratelimit-limit"),
        Some("110;w=10")
    );
    assert_eq!(
        get(&simulator, "/api-token").header("ratelimit-limit"),
        None
    );
}
