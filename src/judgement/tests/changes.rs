//! The changes since earlier runs, with the values before and after.

use super::world::*;
use crate::judgement::{CheckId, CheckStatus};
use crate::model::{Role, Status};

const ADA: &str = "ada@example.com";

#[test]
fn the_first_run_has_no_changes() {
    let judged = world().account(ADA).leaver(ADA, date(2026, 11, 2)).judge();
    assert!(judged.changes.is_empty());
}

#[test]
fn an_unchanged_run_has_no_changes() {
    let judged = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 2))
        .next()
        .judge();
    assert!(judged.changes.is_empty());
}

#[test]
fn every_change_of_an_account_is_reported_with_before_and_after() {
    let snapshot = world().account(ADA).named("ada", "Ada").next();
    let changed = |world: World| changes(&world.judge());
    let snapshot = || snapshot.clone();
    assert_eq!(
        changed(snapshot().account("b@example.com")),
        ["added b:  -> active"]
    );
    assert_eq!(
        changed(snapshot().without("ada")),
        ["removed ada: active -> "]
    );
    assert_eq!(
        changed(snapshot().status("ada", Status::Inactive)),
        ["deactivated ada: active -> inactive"]
    );
    assert_eq!(
        changed(snapshot().role("ada", Role::Admin)),
        ["role_changed ada: member -> admin"]
    );
    assert_eq!(
        changed(snapshot().email("ada", "lovelace@example.com")),
        ["email_changed ada: ada@example.com -> lovelace@example.com"]
    );
    assert_eq!(
        changed(snapshot().named("ada", "Lovelace")),
        ["name_changed ada: Ada -> Lovelace"]
    );
    let inactive = snapshot().status("ada", Status::Inactive).next();
    assert_eq!(
        changed(inactive.clone().status("ada", Status::Active)),
        ["reactivated ada: inactive -> active"]
    );
    assert_eq!(
        changed(inactive.status("ada", Status::Unknown(None))),
        ["reactivated ada: inactive -> unknown"]
    );
}

#[test]
fn an_account_that_came_back_has_rejoined() {
    for address in [ADA, "lovelace@example.com"] {
        for snapshots in [1, 3] {
            let judged = world()
                .account(ADA)
                .next()
                .without("ada")
                .snapshots(snapshots)
                .account_as("ada", address)
                .judge();
            assert_eq!(changes(&judged), ["rejoined ada:  -> active"]);
        }
    }
}

#[test]
fn an_inactive_account_with_a_new_membership_has_rejoined() {
    let joined = |instant: &str| Some(at(instant));
    let snapshot = world()
        .account(ADA)
        .status("ada", Status::Inactive)
        .set("ada", |a| a.joined_at = joined("2025-01-01T00:00:00Z"))
        .next()
        .status("ada", Status::Active);
    let judged = snapshot
        .set("ada", |a| a.joined_at = joined("2026-11-24T00:00:00Z"))
        .judge();
    assert_eq!(changes(&judged), ["rejoined ada: inactive -> active"]);
}

#[test]
fn a_first_date_of_joining_is_not_a_return() {
    let judged = world()
        .account(ADA)
        .status("ada", Status::Inactive)
        .next()
        .status("ada", Status::Active)
        .set("ada", |a| a.joined_at = Some(at("2025-01-01T00:00:00Z")))
        .judge();
    assert_eq!(changes(&judged), ["reactivated ada: inactive -> active"]);
}

#[test]
fn account_changes_wait_for_the_next_complete_run() {
    let snapshot = world()
        .account(ADA)
        .next()
        .without("ada")
        .account("bob@example.com")
        .leaver("cyd@example.com", date(2026, 11, 2))
        .cut();
    assert_eq!(
        changes(&snapshot.judge()),
        ["leaver_added E-cyd:  -> not_evaluable"]
    );
    let judged = snapshot.next().judge();
    assert_eq!(
        changes(&judged),
        ["added bob:  -> active", "removed ada: active -> "]
    );
    assert!(judged.changes[0].previous_run.starts_with("dt=2026-11-23/"));
}

#[test]
fn every_change_of_a_leaver_is_reported() {
    let snapshot = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)));
    let judged = snapshot
        .clone()
        .next()
        .leaver("bob@example.com", date(2026, 11, 9))
        .judge();
    assert_eq!(
        changes(&judged),
        ["leaver_added E-bob:  -> no_access_found"]
    );

    let snapshot = snapshot.next().no_rows();
    assert_eq!(
        changes(&snapshot.judge()),
        ["leaver_vanished E1: still_active -> still_active"]
    );
    let moved = row("E1").mail(ADA).ended().end(date(2026, 11, 9));
    assert_eq!(
        changes(&snapshot.clone().hr(moved).judge()),
        ["end_of_work_moved E1: 2026-11-03T00:00:00Z -> 2026-11-10T00:00:00Z"]
    );
    let judged = snapshot
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .hr(row("E2").mail(ADA).active())
        .judge();
    assert_eq!(changes(&judged), ["rehired E1: still_active -> rehired"]);
}

#[test]
fn a_changed_rule_is_reported_with_a_warning() {
    let judged = world()
        .next()
        .policy(|policy| policy.offboarding_grace_seconds = 3600)
        .judge();
    assert_eq!(
        changes(&judged),
        ["policy_changed offboarding_grace_seconds: 86400 -> 3600"]
    );
    assert_eq!(status(&judged, CheckId::PolicyUnchanged), CheckStatus::Warn);
}

#[test]
fn a_rule_that_vanishes_is_a_changed_rule() {
    let judged = world()
        .policy(|policy| policy.review_every_seconds = Some(86_400))
        .next()
        .policy(|policy| policy.review_every_seconds = None)
        .judge();
    assert_eq!(
        changes(&judged),
        ["policy_changed review_every_seconds: 86400 -> "]
    );
    assert_eq!(status(&judged, CheckId::PolicyUnchanged), CheckStatus::Warn);
}
