//! Leavers whom the feed no longer names. They are followed, so that a deleted row does not hide a leaver.

use super::world::*;
use crate::judgement::{
    ChangeKind, CheckId, CheckStatus, FindingKind, Inputs, OffboardingResult, Outcome, Verdict,
};
use crate::model::Role;

const ADA: &str = "ada@example.com";

fn left() -> World {
    world().account(ADA).leaver(ADA, date(2026, 11, 2)).next()
}

#[test]
fn a_vanished_leaver_is_followed_until_access_is_proven_gone() {
    let snapshot = left().no_rows();
    for snapshot in [snapshot.clone(), snapshot.clone().snapshots(3)] {
        let judged = snapshot.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
        assert!(!leaver(&judged, ADA).in_feed);
        assert_eq!(judged.verdict, Verdict::Fail);
    }
    assert_eq!(
        changes(&snapshot.judge()),
        ["leaver_vanished E-ada: still_active -> still_active"]
    );

    let gone = snapshot.snapshots(2).without("ada");
    assert_eq!(outcome(&gone.judge(), ADA), Outcome::Removed);
    let later = gone.next().judge();
    assert_eq!(leaver(&later, ADA).result, Some(OffboardingResult::Late));
    assert!(later.changes.is_empty());
    assert_eq!(later.verdict, Verdict::Pass);
    assert!(later.findings.is_empty());
}

#[test]
fn a_vanished_concluded_leaver_has_no_suspected_namesake() {
    let name = |inputs: &mut Inputs| inputs.hr.rows[0].name = text("Ada Roe");
    let gone = left().change(name).without("ada").next().no_rows();
    let gone = (0..60).fold(gone, |world, number| {
        let id = format!("n{number}");
        let world = world.account_as(&id, &format!("{id}@gmail.com"));
        world.role(&id, Role::Guest).named(&id, "Ada Roe")
    });
    let judged = gone.judge();
    assert!(leaver(&judged, ADA).more_suspected);
    assert_eq!(outcome(&judged, ADA), Outcome::Removed);
}

/// Deleting the row of a person who left long ago does not close a suspicion.
#[test]
fn a_suspicion_about_a_concluded_leaver_survives_without_the_row() {
    let name = |inputs: &mut Inputs| inputs.hr.rows[0].name = text("Ada Roe");
    let concluded = world().leaver(ADA, date(2025, 1, 2)).change(name).next();
    let suspected = concluded
        .account_as("n1", "n1@gmail.com")
        .role("n1", Role::Guest)
        .named("n1", "Ada Roe");
    let is_suspected = |world: &World| {
        let judged = world.judge();
        let mut kinds = judged.findings.iter().map(|finding| finding.kind);
        kinds.any(|kind| kind == FindingKind::PossibleOffboardedAccess)
    };
    assert!(is_suspected(&suspected));
    assert!(is_suspected(&suspected.clone().next()));
    let vanished = suspected.next().no_rows();
    assert!(is_suspected(&vanished));
    assert!(is_suspected(&vanished.next()));
}

#[test]
fn a_vanished_leaver_is_not_dropped_by_an_incomplete_run() {
    let snapshot = left().no_rows().without("ada").cut();
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::NotEvaluable);
    let snapshot = snapshot.next();
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::Removed);
}

#[test]
fn a_vanished_upcoming_leaver_ends_on_the_announced_day() {
    let snapshot = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 24))
        .next()
        .no_rows();
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::Upcoming);
    assert_eq!(
        outcome(&snapshot.snapshots(3).judge(), ADA),
        Outcome::StillActive
    );
}

#[test]
fn a_vanished_undated_leaver_still_counts_from_the_first_run() {
    let snapshot = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended())
        .next()
        .no_rows()
        .snapshots(2);
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::StillActive);
}

#[test]
fn an_unusable_feed_keeps_leavers_and_is_inconclusive() {
    let removed = left().without("ada");
    let snapshot = removed.unusable();
    for snapshot in [snapshot.clone(), snapshot.snapshots(3)] {
        let judged = snapshot.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::Removed);
        assert!(leaver(&judged, ADA).in_feed);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        assert!(
            judged
                .changes
                .iter()
                .all(|change| change.change != ChangeKind::LeaverVanished)
        );
        assert_eq!(status(&judged, CheckId::HrRowsAccounted), CheckStatus::Fail);
        assert_eq!(status(&judged, CheckId::HrNotEmpty), CheckStatus::Fail);
    }
}

#[test]
fn a_run_with_an_unusable_feed_still_finds_access() {
    let judged = left().unusable().judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
}

#[test]
fn a_leaver_in_a_rejected_row_has_not_vanished() {
    for (id, email) in [(Some("E-ada"), None), (None, Some(" ADA@example.com"))] {
        let snapshot = left().no_rows().rejected(id, email);
        let judged = snapshot.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
        assert!(leaver(&judged, ADA).in_feed);
        assert!(judged.changes.is_empty());
    }
}

#[test]
fn a_person_never_reported_as_a_leaver_passes_without_a_row() {
    let unclear = row("E1").mail(ADA).word("Leave");
    let snapshot = world().hr(unclear).next().no_rows();
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::NoAccessFound);
    let later = snapshot.next().judge();
    assert_eq!(outcome(&later, ADA), Outcome::NoAccessFound);
    assert_eq!(later.verdict, Verdict::Pass);
}

#[test]
fn a_leaver_whose_row_was_emptied_before_it_vanished_is_still_followed() {
    let nobody_knows = "ada@elsewhere.example";
    let snapshot = world()
        .hr(row("E1").mail(nobody_knows).ended().end(date(2026, 11, 2)))
        .next()
        .no_rows()
        .hr(row("E1").mail(nobody_knows))
        .next()
        .no_rows()
        .snapshots(3);
    assert_eq!(
        outcome(&snapshot.judge(), nobody_knows),
        Outcome::NotEvaluable
    );
    assert_eq!(snapshot.judge().verdict, Verdict::Inconclusive);
}

#[test]
fn a_rescinded_leaver_is_not_followed_without_a_row() {
    let judged = left()
        .no_rows()
        .hr(row("E-ada").mail(ADA).active())
        .next()
        .no_rows()
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Rescinded);
    assert_eq!(ada.result, Some(OffboardingResult::Withdrawn));
    assert_eq!(changes(&judged), ["leaver_vanished E-ada: rescinded -> "]);
}

#[test]
fn a_shared_personal_address_does_not_identify_a_leaver() {
    // HR gives a home address for Bob that Ada once had as her second address.
    let shared = "family@gmail.com";
    let ada = row("E1").name("Ada").mail(ADA).other(shared);
    let snapshot = world()
        .account(ADA)
        .hr(ada.ended().end(date(2026, 11, 2)))
        .next()
        .no_rows();
    for bob in [
        row("E2").name("Bob").mail(shared).active(),
        row("E2")
            .name("Bob")
            .mail(shared)
            .ended()
            .end(date(2026, 11, 9)),
        row("").name("Bob").mail(shared).active(),
    ] {
        let judged = snapshot.clone().hr(bob).judge();
        assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
        assert_eq!(judged.verdict, Verdict::Fail);
    }
}

#[test]
fn a_row_with_a_personal_address_does_not_replace_a_leaver() {
    let vague = row("").other(ADA).ended();
    let snapshot = world()
        .account(ADA)
        .hr(vague.clone())
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .next()
        .no_rows()
        .hr(vague);
    assert_eq!(snapshot.judge().verdict, Verdict::Fail);
    assert_eq!(snapshot.judge().leavers.len(), 2);
}

#[test]
fn a_reassigned_address_does_not_identify_a_leaver() {
    let snapshot = world()
        .account(ADA)
        .account("lovelace@example.com")
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .next()
        .no_rows()
        .hr(row("E1")
            .mail("lovelace@example.com")
            .ended()
            .end(date(2026, 11, 2)))
        .hr(row("E9").mail(ADA).active());
    let judged = snapshot.judge();
    assert_eq!(judged.leavers.len(), 1);
    assert_eq!(
        leaver(&judged, "lovelace@example.com").outcome,
        Outcome::StillActive
    );
}

#[test]
fn a_leaver_without_id_and_work_address_is_one_in_every_run() {
    for unclear in [
        row("").name("Ada").other("ada@gmail.com").ended(),
        row("").name("Ada").ended(),
        row("")
            .other("ada@gmail.com")
            .ended()
            .end(date(2026, 11, 2)),
    ] {
        let judged = world().hr(unclear).snapshots(3).judge();
        assert_eq!(judged.leavers.len(), 1);
        assert!(judged.changes.is_empty());
        assert!(judged.leavers[0].in_feed);
    }
}
