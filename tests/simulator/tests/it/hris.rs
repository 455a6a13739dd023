//! The HR system: a connection of its own, and the list of employees.

use serde_json::{Value, json};
use truto_simulator::{
    Action, CONNECTION_ID, Employee, Envelope, Fault, HRIS_CONNECTION_ID, Hris, LastCursor,
    Permission, Simulator, World,
};

use crate::http::{Answer, data, get};

const EMPLOYEES: &str = "/unified/hris/employees";

fn with(hris: Hris) -> Simulator {
    Simulator::spawn(World::new().hris(hris))
}

fn ask(simulator: &Simulator, target: &str) -> Answer {
    let joint = if target.contains('?') { '&' } else { '?' };
    let connection = format!("integrated_account_id={HRIS_CONNECTION_ID}");
    get(simulator, &format!("{target}{joint}{connection}"))
}

fn status(simulator: &Simulator, id: &str) -> Value {
    get(simulator, &format!("/integrated-account/{id}")).json()["status"].clone()
}

#[test]
fn an_employee_has_the_documented_fields() {
    let ada = Employee::new("17", "Ada Lovelace", "ada@example.com").left("2026-10-31");
    let simulator = with(Hris::new().employee(ada));
    let page = ask(&simulator, EMPLOYEES).json();
    assert_eq!(page["next_cursor"], Value::Null);
    assert_eq!(page["is_partial_response"], false);
    assert_eq!(
        page["result"],
        json!([{
            "id": "emp-17",
            "employee_number": "17",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "name": "Ada Lovelace",
            "job_title": "Engineer",
            "groups": [
                {"id": "t1", "name": "Platform", "type": "team"},
                {"id": "d1", "name": "Research", "type": "department"},
            ],
            "emails": [{"email": "ada@example.com", "type": "work", "is_primary": true}],
            "employment_status": "inactive",
            "start_date": "2019-04-01",
            "termination_date": "2026-10-31",
            "work_location": {"id": "1", "name": "Berlin"},
            "employments": [{
                "effective_date": "2019-04-01",
                "end_date": "2026-10-31",
                "employment_type": "full_time",
            }],
            "remote_data": {"payRate": "4200.00 EUR", "dateOfBirth": "1990-01-01"},
        }])
    );
    let without = ask(
        &simulator,
        &format!("{EMPLOYEES}?truto_ignore_remote_data=true"),
    )
    .json();
    assert_eq!(without["result"][0].get("remote_data"), None);
}

#[test]
fn each_connection_has_its_own_lists_state_and_limit() {
    let simulator = Simulator::spawn(
        World::new()
            .hris(Hris::generated(2).with(|hris| hris.integration = "hibob".to_owned()))
            .with(|world| world.rate_limit = Some((1, std::time::Duration::from_secs(60)))),
    );
    let path = format!("/integrated-account/{HRIS_CONNECTION_ID}");
    let connection = get(&simulator, &path).json();
    assert_eq!(connection["integration"]["name"], "hibob");
    assert_eq!(connection["integration"]["category"], "hris");
    assert_eq!(ask(&simulator, "/unified/user-directory/users").status, 404);
    assert_eq!(data(&simulator, EMPLOYEES).status, 404);
    // Each of the two was asked once, which is as much as the window holds.
    assert_eq!(ask(&simulator, EMPLOYEES).status, 429);
    assert_eq!(
        data(&simulator, "/unified/user-directory/users").status,
        429
    );

    let listed = get(&simulator, "/integrated-account").json();
    assert_eq!(listed["result"].as_array().map(Vec::len), Some(2));
    let without = Simulator::spawn(World::new());
    assert_eq!(get(&without, &path).status, 404);
    assert_eq!(ask(&without, EMPLOYEES).status, 404);
}

#[test]
fn employees_come_page_by_page_in_every_form_of_a_list() {
    for envelope in [Envelope::Result, Envelope::Results, Envelope::Keyed] {
        let world = World::new().hris(Hris::generated(5));
        let simulator = Simulator::spawn(world.with(|world| {
            world.envelope = envelope;
            world.last_cursor = LastCursor::Missing;
        }));
        let first = ask(&simulator, &format!("{EMPLOYEES}?limit=3")).json();
        let cursor = first["next_cursor"].as_str().expect("a cursor");
        let next = format!("{EMPLOYEES}?limit=3&next_cursor={cursor}");
        let second = ask(&simulator, &next).json();
        assert_eq!(second.get("next_cursor"), None, "{envelope:?}");
        assert_eq!(second["result_count"], 2, "{envelope:?}");
        match envelope {
            Envelope::Result => assert_eq!(second["result"][1]["id"], "emp-5"),
            Envelope::Results => assert_eq!(second["results"][1]["id"], "emp-5"),
            Envelope::Keyed => assert_eq!(second["result"]["emp-5"]["id"], "emp-5"),
        }
    }
}

#[test]
fn the_list_can_be_odd_in_the_ways_of_the_users_list() {
    let simulator = with(Hris::generated(3).with(|hris| {
        hris.partial_response = true;
        hris.duplicate_rows = 1;
        hris.row_without_id = true;
    }));
    let page = ask(&simulator, EMPLOYEES).json();
    assert_eq!(page["is_partial_response"], true);
    assert_eq!(page["result"][3], page["result"][0]);
    assert_eq!(page["result"][4], json!({"name": "Nobody"}));

    let simulator = with(Hris::generated(3).with(|hris| hris.repeated_cursor = true));
    let page = ask(&simulator, &format!("{EMPLOYEES}?limit=1")).json();
    let cursor = page["next_cursor"].as_str().expect("a cursor").to_owned();
    let next = format!("{EMPLOYEES}?limit=1&next_cursor={cursor}");
    assert_eq!(ask(&simulator, &next).json()["next_cursor"], json!(cursor));
}

#[test]
fn what_is_refused_is_refused_for_this_connection_only() {
    let simulator = with(Hris::generated(3).with(|hris| {
        hris.permission = Permission::missing_scope("employees:read");
    }));
    let refused = ask(&simulator, EMPLOYEES);
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("employees:read"));

    let dead = Action::RemoteError {
        status: 401,
        message: "Not Authorized".to_owned(),
    };
    let fault = Fault::once("hris/employees", dead).connection_becomes("needs_reauth");
    let simulator = Simulator::spawn(World::new().hris(Hris::generated(3)).fault(fault));
    assert_eq!(ask(&simulator, EMPLOYEES).status, 401);
    assert_eq!(ask(&simulator, EMPLOYEES).status, 401);
    assert_eq!(status(&simulator, HRIS_CONNECTION_ID), "needs_reauth");
    assert_eq!(status(&simulator, CONNECTION_ID), "active");
    assert_eq!(
        data(&simulator, "/unified/user-directory/users").status,
        200
    );
}

#[test]
fn the_scenarios_show_what_their_names_say() {
    let scenario = |name| Simulator::spawn(World::scenario(name).expect("a scenario"));
    let healthy = ask(&scenario("hris"), EMPLOYEES).json();
    assert_eq!(healthy["result_count"], 12);
    assert_eq!(healthy["result"][8]["termination_date"], "2020-01-31");
    let partial = ask(&scenario("hris-partial"), EMPLOYEES).json();
    assert_eq!(partial["is_partial_response"], true);
    assert_eq!(ask(&scenario("hris-needs-reauth"), EMPLOYEES).status, 401);
}
