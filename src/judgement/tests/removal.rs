//! The interval in which access ended, and whether that was in time.

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
fn gone_by_the_deadline_is_in_time_and_seen_after_it_is_late() {
    // The deadline is the midnight after the 24th for each; access is gone on different runs.
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
fn the_very_deadline_is_in_time() {
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 23)).next();
    let deadline = "2026-11-25T00:00:00Z";
    let judged = snapshot.clone().without("ada").at(deadline).judge();
    assert_eq!(leaver(&judged, ADA).within_sla, WithinSla::Yes);

    // Seen at the deadline and not after it: nobody knows.
    let judged = snapshot.at(deadline).next().without("ada").judge();
    assert_eq!(leaver(&judged, ADA).within_sla, WithinSla::Unknown);
}

#[test]
fn a_late_removal_is_a_finding_that_leaves_the_verdict_alone() {
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
fn a_reappearance_leaves_the_interval_of_the_conclusion() {
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
fn a_doubtful_status_in_between_is_no_proof_of_removal() {
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
fn an_incomplete_run_ends_no_interval() {
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
    // Seen in an incomplete run, and then in none: the baseline is older than the sighting.
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
fn somebody_named_after_the_removal_was_last_seen_in_the_baseline() {
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
    // HR told of it only in this run: that clock had not begun to run out.
    assert_eq!(ada.within_sla_from_notice, WithinSla::Yes);
}

#[test]
fn who_was_never_seen_with_access_has_no_known_interval() {
    let judged = world()
        .account(ADA)
        .status("ada", Status::Inactive)
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.last_seen_with_access, None);
    assert_eq!(ada.within_sla, WithinSla::Unknown);
}
