//! What goes wrong: each fault as it arrives at a client.

use std::time::{Duration, Instant};

use truto_simulator::{Action, CONNECTION_ID, Fault, Limiter, Simulator, TOKEN, World};

use crate::http::{data, get, try_get, with_connection};

const USERS: &str = "/unified/user-directory/users";

fn with_fault(fault: Fault) -> Simulator {
    Simulator::spawn(World::generated(3).fault(fault))
}

fn connection_status(simulator: &Simulator) -> String {
    let connection = get(simulator, &format!("/integrated-account/{CONNECTION_ID}")).json();
    connection["status"].as_str().expect("a status").to_owned()
}

#[test]
fn a_fault_meets_the_requests_it_names_and_no_other() {
    let fault = Fault::once("users$", Action::status(502, "bad gateway"));
    let simulator = with_fault(fault.nth(2).times(2));
    let statuses: Vec<_> = (0..4).map(|_| data(&simulator, USERS).status).collect();
    assert_eq!(statuses, [200, 502, 502, 200]);
    assert_eq!(
        data(&simulator, &format!("{USERS}/1200000000000001")).status,
        200
    );
}

#[test]
fn a_fault_can_last_for_ever() {
    let simulator = with_fault(Fault::once("/", Action::status(502, "")).for_ever());
    for _ in 0..5 {
        assert_eq!(get(&simulator, "/api-token").status, 502);
    }
}

#[test]
fn an_answer_of_any_kind_has_its_own_headers_and_type() {
    let action = Action::html(530).header("retry-after", "3");
    let simulator = with_fault(Fault::once("users", action));
    let answer = data(&simulator, USERS);
    assert_eq!(answer.status, 530);
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(answer.header("retry-after"), Some("3"));
    assert!(answer.body.contains("<h1>Error 530</h1>"));
}

#[test]
fn the_rate_can_be_limited_by_truto_or_by_asana() {
    for (limiter, is_remote) in [(Limiter::Truto, false), (Limiter::Asana, true)] {
        let simulator = with_fault(Fault::once("users", Action::RateLimited(limiter)));
        let answer = data(&simulator, USERS);
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("retry-after"), Some("10"));
        let body = answer.json();
        assert_eq!(body["truto_is_remote_error"] == true, is_remote);
        let insight = &body["truto_error_insight"]["rate_limit_error"];
        assert_eq!(insight.is_object(), is_remote);
        assert_eq!(data(&simulator, USERS).status, 200);
    }
}

#[test]
fn more_calls_than_the_window_holds_are_429_and_reading_the_connection_is_free() {
    let simulator = Simulator::spawn(World::generated(3).with(|world| {
        world.rate_limit = Some((2, Duration::from_secs(60)));
        world.retry_after = 7;
    }));
    let statuses: Vec<_> = (0..3).map(|_| data(&simulator, USERS).status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(data(&simulator, USERS).header("retry-after"), Some("7"));
    assert_eq!(connection_status(&simulator), "active");
}

#[test]
fn a_reset_connection_answers_nothing_and_the_next_one_answers() {
    let simulator = with_fault(Fault::once("users", Action::Reset));
    let target = with_connection(USERS);
    let error = try_get(&simulator, &target, Some(TOKEN))
        .err()
        .expect("no answer");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(simulator.requests()[0].status, None);
    assert_eq!(data(&simulator, USERS).status, 200);
}

#[test]
fn a_cut_body_begins_rightly_and_ends_too_early() {
    let simulator = with_fault(Fault::once("users", Action::CutBody));
    let target = with_connection(USERS);
    let error = try_get(&simulator, &target, Some(TOKEN))
        .err()
        .expect("half an answer");
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(data(&simulator, USERS).status, 200);
}

#[test]
fn a_delayed_answer_is_the_right_one() {
    let delay = Duration::from_millis(60);
    let simulator = with_fault(Fault::once("users", Action::Delay(delay)));
    let start = Instant::now();
    assert_eq!(data(&simulator, USERS).status, 200);
    assert!(start.elapsed() >= delay);
}

#[test]
fn a_dead_asana_login_turns_the_connection_and_every_later_call_is_refused() {
    let dead = Action::RemoteError {
        status: 401,
        message: "Not Authorized".to_owned(),
    };
    let fault = Fault::once("users", dead).connection_becomes("needs_reauth");
    let simulator = with_fault(fault);
    assert_eq!(connection_status(&simulator), "active");
    let refused = data(&simulator, USERS).json();
    assert_eq!(refused["statusCode"], 401);
    assert_eq!(refused["truto_is_remote_error"], true);
    assert_eq!(refused["message"], "");
    assert_eq!(
        refused["raw_response"]["errors"][0]["message"],
        "Not Authorized"
    );
    assert_eq!(connection_status(&simulator), "needs_reauth");
    assert_eq!(data(&simulator, "/unified/user-directory/me").status, 401);
}

#[test]
fn a_blocked_connection_is_503_and_its_capabilities_say_so() {
    let simulator = Simulator::spawn(World::generated(3).with(|world| world.blocked = true));
    assert_eq!(data(&simulator, USERS).status, 503);
    assert_eq!(connection_status(&simulator), "active");
    let path = format!("/integrated-account/{CONNECTION_ID}/capabilities");
    assert_eq!(get(&simulator, &path).json()["account"]["is_blocked"], true);
}

#[test]
fn a_connection_in_any_other_state_answers_no_call_for_data() {
    for status in ["connecting", "validation_error", "paused"] {
        let simulator = Simulator::spawn(World::generated(3).connection_status(status));
        assert_eq!(data(&simulator, USERS).status, 400, "{status}");
        assert_eq!(connection_status(&simulator), status);
    }
}

#[test]
fn a_connection_can_become_active_while_it_is_watched() {
    let simulator = Simulator::spawn(
        World::generated(3)
            .connection_status("connecting")
            .with(|world| world.connection_becomes = Some((2, "active".to_owned()))),
    );
    let statuses: Vec<_> = (0..3).map(|_| connection_status(&simulator)).collect();
    assert_eq!(statuses, ["connecting", "connecting", "active"]);
    assert_eq!(data(&simulator, USERS).status, 200);
}
