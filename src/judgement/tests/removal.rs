//! The interval in which access ended, and whether it ended in time.

use super::world::*;
use crate::judgement::{FindingKind, OffboardingResult, Outcome, Verdict, WithinSla};
use crate::model::Status;

const ADA: &str = "ada@example.com";
const FIRST: &str = "2026-11-23T22:40:00Z";

#[test]
fn a_removal_is_the_interval_between_two_runs() {
    let judged = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 23))
        .next()
        .without("ada")
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Removed);
    assert_eq!(ada.last_seen_with_access, Some(at(FIRST)));
    assert_eq!(
        ada.first_seen_without_access,
        Some(at("2026-11-24T22:40:00Z"))
    );
    assert_eq!(ada.within_sla, WithinSla::Yes);
    assert_eq!(judged.verdict, Verdict::Pass);
}

#[test]
fn the_interval_is_carried_from_run_to_run() {
    let snapshot = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 23))
        .next()
        .without("ada");
    let first = leaver(&snapshot.judge(), ADA).clone();
    let later = snapshot.snapshots(5).judge();
    let ada = leaver(&later, ADA);
    assert_eq!(ada.last_seen_with_access, first.last_seen_with_access);
    assert_eq!(
        ada.first_seen_without_access,
        first.first_seen_without_access
    );
    assert_eq!(ada.within_sla, WithinSla::Yes);
}

#[test]
fn access_gone_by_the_deadline_is_in_time_else_late() {
    // The deadline is always the midnight after the 24th; access is gone in different runs.
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 23));
    let gone_after = |snapshots: usize| {
        let judged = snapshot.clone().snapshots(snapshots).without("ada").judge();
        leaver(&judged, ADA).within_sla
    };
    assert_eq!(gone_after(1), WithinSla::Yes);
    // Seen at 22:40 on the 24th, gone on the 25th: the deadline lies between.
    assert_eq!(gone_after(2), WithinSla::Unknown);
    assert_eq!(gone_after(3), WithinSla::No);
}

#[test]
fn access_gone_at_the_deadline_is_in_time() {
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 23)).next();
    let deadline = "2026-11-25T00:00:00Z";
    let judged = snapshot.clone().without("ada").at(deadline).judge();
    assert_eq!(leaver(&judged, ADA).within_sla, WithinSla::Yes);

    // Seen at the deadline and not after it: the result is unknown.
    let judged = snapshot.at(deadline).next().without("ada").judge();
    assert_eq!(leaver(&judged, ADA).within_sla, WithinSla::Unknown);
}

#[test]
fn a_late_removal_is_a_finding_without_effect_on_the_verdict() {
    let judged = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 20))
        .next()
        .without("ada")
        .judge();
    assert_eq!(kinds(&judged), [FindingKind::LateRemoval]);
    // From the midnight after the 21st to 22:40 on the 23rd.
    assert_eq!(judged.findings[0].overdue_hours, Some(46));
    assert_eq!(judged.findings[0].account_id.as_deref(), Some("ada"));
    assert_eq!(judged.verdict, Verdict::Pass);
}

#[test]
fn a_reappearance_does_not_change_the_concluded_interval() {
    let back = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 23))
        .next()
        .status("ada", Status::Inactive)
        .next()
        .status("ada", Status::Active);
    assert_eq!(kinds(&back.judge()), [FindingKind::AccessAfterConclusion]);
    assert_eq!(back.judge().verdict, Verdict::Fail);
    let judged = back.next().status("ada", Status::Inactive).judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Removed);
    assert_eq!(ada.result, Some(OffboardingResult::InTime));
    assert_eq!(ada.last_seen_with_access, Some(at(FIRST)));
    assert_eq!(
        ada.first_seen_without_access,
        Some(at("2026-11-24T22:40:00Z"))
    );
    assert_eq!(ada.within_sla, WithinSla::Yes);
}

#[test]
fn an_unknown_status_in_between_does_not_prove_removal() {
    let judged = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 23))
        .next()
        .status("ada", Status::Unknown(None))
        .next()
        .status("ada", Status::Inactive)
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.last_seen_with_access, Some(at(FIRST)));
    assert_eq!(
        ada.first_seen_without_access,
        Some(at("2026-11-25T22:40:00Z"))
    );
    assert_eq!(ada.within_sla, WithinSla::Unknown);
}

#[test]
fn an_incomplete_run_does_not_end_an_interval() {
    let snapshot = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 23))
        .next()
        .without("ada")
        .cut();
    assert_eq!(
        leaver(&snapshot.judge(), ADA).first_seen_without_access,
        None
    );
    let judged = snapshot.next().judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(
        ada.first_seen_without_access,
        Some(at("2026-11-25T22:40:00Z"))
    );
    assert_eq!(ada.last_seen_with_access, Some(at(FIRST)));
}

#[test]
fn a_sighting_survives_incomplete_runs_and_failed_runs() {
    // Seen in an incomplete run and not later: the baseline is older than the sighting.
    let judged = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 22))
        .next()
        .cut()
        .next()
        .sleep()
        .sleep()
        .without("ada")
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.last_seen_with_access, Some(at("2026-11-24T22:40:00Z")));
    assert_eq!(
        ada.first_seen_without_access,
        Some(at("2026-11-27T22:40:00Z"))
    );
    assert_eq!(ada.within_sla, WithinSla::No);
}

#[test]
fn a_leaver_named_after_the_removal_was_seen_in_the_baseline() {
    let judged = world()
        .account(ADA)
        .next()
        .without("ada")
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Removed);
    assert_eq!(ada.last_seen_with_access, Some(at(FIRST)));
    assert_eq!(ada.within_sla, WithinSla::No);
    // HR named the leaver only in this run, so the deadline from notice had not passed.
    assert_eq!(ada.within_sla_from_notice, WithinSla::Yes);
}

#[test]
fn a_leaver_never_seen_with_access_has_no_known_interval() {
    let judged = world()
        .account(ADA)
        .status("ada", Status::Inactive)
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.last_seen_with_access, None);
    assert_eq!(ada.within_sla, WithinSla::Unknown);
}
