//! Scenarios: all of them can be started, and each shows what its name says.

use serde_json::json;
use truto_simulator::{CONNECTION_ID, Simulator, WORKSPACE_ID, World, scenarios};

use crate::http::{all_rows, data, get};

const USERS: &str = "/unified/user-directory/users";

fn scenario(name: &str) -> Simulator {
    Simulator::spawn(World::scenario(name).unwrap_or_else(|| panic!("no scenario `{name}`")))
}

#[test]
fn every_scenario_has_a_name_of_its_own_one_sentence_and_a_world_that_can_be_served() {
    let mut names: Vec<_> = scenarios().map(|(_, name, _)| name).collect();
    let all = names.len();
    for (_, name, about) in scenarios() {
        assert!(about.ends_with('.'), "{name}: {about}");
        let world = World::scenario(name).expect("a world");
        // What is slow is slow for every call, and says nothing new here.
        let simulator = Simulator::spawn(world.with(|world| {
            if name == "slow" {
                world.faults.clear();
            }
        }));
        let status = get(&simulator, &format!("/integrated-account/{CONNECTION_ID}")).status;
        let expected = match name {
            "bad-token" => 401,
            "down" => 502,
            _ => 200,
        };
        assert_eq!(status, expected, "{name}");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(World::scenario("no-such-scenario").is_none());
}

#[test]
fn healthy_scenarios_list_everybody() {
    for (name, count) in [
        ("healthy", 12),
        ("story-run-1", 25),
        ("story-run-2", 25),
        ("three-pages", 250),
        ("empty-last-page", 200),
        ("no-next-cursor", 120),
        ("results-alias", 12),
        ("two-thousand", 2000),
        ("empty", 0),
    ] {
        let target = format!("{USERS}?organization_id={WORKSPACE_ID}");
        assert_eq!(all_rows(&scenario(name), &target).len(), count, "{name}");
    }
}

#[test]
fn the_first_page_of_users_meets_what_the_name_says() {
    for (name, status) in [
        ("rate-limited", 429),
        ("remote-rate-limited", 429),
        ("bad-token", 401),
        ("needs-reauth", 401),
        ("missing-scope", 403),
        ("blocked", 503),
        ("bad-gateway-once", 502),
        ("down", 502),
        ("html-error", 502),
        ("connecting", 400),
    ] {
        assert_eq!(data(&scenario(name), USERS).status, status, "{name}");
    }
}

#[test]
fn two_workspaces_share_an_administrator() {
    let simulator = scenario("two-workspaces");
    let organizations = data(&simulator, "/unified/user-directory/organizations").json();
    assert_eq!(organizations["result_count"], 2);
    for organization in organizations["result"].as_array().expect("rows") {
        let id = organization["id"].as_str().expect("an id");
        let rows = all_rows(&simulator, &format!("{USERS}?organization_id={id}"));
        let is_there = rows.iter().any(|row| row["id"] == "1200000000000001");
        assert!(is_there, "{id}");
        assert_eq!(rows.len(), if id == WORKSPACE_ID { 12 } else { 4 });
    }
}

#[test]
fn witnesses_disagree_in_both_directions() {
    let simulator = scenario("disagreeing-witness");
    let listed: Vec<_> = all_rows(&simulator, USERS)
        .into_iter()
        .map(|row| row["id"].clone())
        .collect();
    let path = format!("/custom/workspaces/{WORKSPACE_ID}/workspace_memberships");
    let members: Vec<_> = all_rows(&simulator, &path)
        .into_iter()
        .map(|row| row["user"]["gid"].clone())
        .collect();
    let (unlisted, without) = (json!("1200000000000002"), json!("1200000000000003"));
    assert!(!listed.contains(&unlisted) && members.contains(&unlisted));
    assert!(listed.contains(&without) && !members.contains(&without));
}

#[test]
fn a_narrow_connection_reads_people_with_access_and_nothing_else() {
    let simulator = scenario("narrow");
    let own = "/custom/users?workspace=1150527741687836&opt_fields=name,email";
    let (listed, asanas) = (all_rows(&simulator, USERS), all_rows(&simulator, own));
    assert_eq!((listed.len(), asanas.len()), (11, 11));
    for row in &listed {
        let fields: Vec<&String> = row.as_object().expect("a user").keys().collect();
        assert_eq!(fields, ["emails", "id", "name"]);
    }
    for path in ["workspace_memberships", "agents"] {
        let refused = data(
            &simulator,
            &format!("/custom/workspaces/{WORKSPACE_ID}/{path}"),
        );
        assert_eq!(refused.status, 403, "{path}");
        let body = refused.json();
        let insight = &body["truto_error_insight"]["forbidden_error"]["value"];
        assert_eq!(insight["missing_scopes"], json!([]), "{path}");
        let words = body["raw_response"]["errors"][0]["message"].as_str();
        assert!(words.is_some_and(|words| words.starts_with("Full permissions are required")));
    }
}

#[test]
fn a_refused_membership_call_can_end_the_connection() {
    let simulator = scenario("memberships-unauthorized");
    let path = format!("/custom/workspaces/{WORKSPACE_ID}/workspace_memberships");
    assert_eq!(data(&simulator, USERS).status, 200);
    assert_eq!(data(&simulator, &path).status, 401);
    assert_eq!(data(&simulator, USERS).status, 401);
    let connection = get(&simulator, &format!("/integrated-account/{CONNECTION_ID}")).json();
    assert_eq!(connection["status"], "needs_reauth");
}

#[test]
fn the_last_refusal_is_reported_until_the_same_list_is_read() {
    let path = format!("/custom/workspaces/{WORKSPACE_ID}/workspace_memberships");
    let simulator = scenario("full-permissions-required");
    let last = || {
        let connection = get(&simulator, &format!("/integrated-account/{CONNECTION_ID}"));
        connection.json()["last_forbidden_error"].clone()
    };
    assert!(last().is_null());
    assert_eq!(data(&simulator, &path).status, 403);
    assert_eq!(data(&simulator, USERS).status, 200);
    assert_eq!(last()["resource"], json!(path));
    assert_eq!(last()["missing_scopes"], json!([]));
}

#[test]
fn agents_sandbox_and_region_are_reported() {
    let simulator = scenario("agents");
    let path = format!("/custom/workspaces/{WORKSPACE_ID}/agents");
    let names = Vec::from_iter(
        all_rows(&simulator, &path)
            .into_iter()
            .map(|row| row["name"].clone()),
    );
    assert_eq!(names, ["Triage agent", "Status agent"]);
    assert_eq!(all_rows(&simulator, USERS).len(), 12);
    let connection = get(
        &scenario("sandbox"),
        &format!("/integrated-account/{CONNECTION_ID}"),
    );
    let connection = connection.json();
    assert_eq!(connection["is_sandbox"], true);
    assert_eq!(connection["region"], "eu");
}
