//! The record of an offboarding, which later runs do not change.

use super::world::*;
use crate::judgement::{
    FeedScope, FindingKind, Judgement, Leaver, OffboardingResult, Outcome, Verdict,
};
use crate::model::Status;

const ADA: &str = "ada@example.com";

/// Ada left on 20 November; her account was seen after the deadline and is gone on the 24th.
fn late() -> World {
    world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 20))
        .next()
        .without("ada")
}

/// The fields that a later run may not change.
fn proven(leaver: &Leaver) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        leaver.offboarding_id.clone(),
        leaver.end_of_work,
        leaver.deadline,
        leaver.result,
        leaver.concluded_run.clone(),
        leaver.last_seen_with_access,
        leaver.first_seen_without_access,
    )
}

fn record<'j>(judged: &'j Judgement, id: &str) -> &'j Leaver {
    let concluded = judged.concluded.iter().map(|of| &**of);
    let mut all = judged.leavers.iter().chain(concluded);
    let found = all.find(|leaver| *leaver.offboarding_id == *id);
    found.expect("the offboarding is on record")
}

#[test]
fn a_conclusion_survives_all_later_events() {
    let snapshot = late();
    let judged = snapshot.judge();
    let first = leaver(&judged, ADA).clone();
    assert_eq!(first.result, Some(OffboardingResult::Late));
    let snapshot = snapshot.next();
    let twice_the_grace = snapshot
        .clone()
        .policy(|policy| policy.offboarding_grace_seconds = 96 * 3600);
    let moved = snapshot.clone().no_rows().leaver(ADA, date(2026, 11, 25));
    let rehired = snapshot
        .clone()
        .no_rows()
        .account(ADA)
        .hr(row("E-ada").mail(ADA).active().start(date(2026, 11, 24)));
    let changed = [
        ("a longer grace", twice_the_grace),
        ("a deleted row", snapshot.clone().no_rows()),
        ("a moved end", moved),
        ("a rehire", rehired),
        ("an incomplete run", snapshot.clone().cut()),
        ("an unusable feed", snapshot.clone().unusable()),
        (
            "a rejected row",
            snapshot.no_rows().rejected(Some("E-ada"), None),
        ),
    ];
    for (what, snapshot) in changed {
        for snapshot in [snapshot.clone(), snapshot.snapshots(3)] {
            let judged = snapshot.judge();
            let ada = record(&judged, &first.offboarding_id);
            assert_eq!(proven(ada), proven(&first), "{what}");
        }
    }
}

#[test]
fn an_incomplete_run_repeats_the_conclusion() {
    let judged = late().next().cut().judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Removed);
    assert_eq!(
        ada.note,
        "concluded by run dt=2026-11-24/run=2026-11-24T22:40:00Z: late"
    );
}

#[test]
fn a_late_removal_is_reported_by_the_run_that_concludes() {
    let snapshot = late();
    assert_eq!(kinds(&snapshot.judge()), [FindingKind::LateRemoval]);
    assert_eq!(kinds(&snapshot.next().judge()), []);
}

#[test]
fn the_grace_of_the_first_run_after_the_end_is_on_record() {
    let longer = |world: World| world.policy(|policy| policy.offboarding_grace_seconds = 96 * 3600);
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 20));
    // The deadline has passed by then and does not change.
    let judged = longer(snapshot.next()).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(
        leaver(&judged, ADA).deadline,
        Some(at("2026-11-22T00:00:00Z"))
    );
    // A longer grace before the end of work counts.
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 24)).next();
    let judged = longer(snapshot).snapshots(1).judge();
    assert_eq!(
        leaver(&judged, ADA).deadline,
        Some(at("2026-11-29T00:00:00Z"))
    );
}

#[test]
fn hr_may_move_the_end_of_work_until_the_deadline() {
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 23)).next();
    let id = leaver(&snapshot.judge(), ADA).offboarding_id.clone();
    let moved = snapshot.no_rows().leaver(ADA, date(2026, 11, 25));
    let judged = moved.judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.offboarding_id, id);
    assert_eq!(ada.moved_from, Some(at("2026-11-24T00:00:00Z")));
    assert_eq!(ada.deadline, Some(at("2026-11-27T00:00:00Z")));
    let judged = moved.snapshots(2).without("ada").judge();
    assert_eq!(leaver(&judged, ADA).result, Some(OffboardingResult::InTime));
}

#[test]
fn an_end_moved_after_the_deadline_is_never_in_time() {
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 20)).next();
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::StillActive);
    let moved = snapshot.no_rows().leaver(ADA, date(2026, 11, 25));
    let judged = moved.judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Upcoming);
    assert_eq!(ada.deadline, Some(at("2026-11-22T00:00:00Z")));
    assert_eq!(ada.corrected_deadline, Some(at("2026-11-27T00:00:00Z")));
    let in_time = moved.clone().next().without("ada").snapshots(2).judge();
    let ada = leaver(&in_time, ADA);
    assert_eq!(ada.result, Some(OffboardingResult::DateCorrected));
    let late = moved.snapshots(4).without("ada").judge();
    assert_eq!(leaver(&late, ADA).result, Some(OffboardingResult::Late));
}

#[test]
fn a_rescission_after_the_deadline_is_withdrawn() {
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 20)).next();
    let back = snapshot.no_rows().hr(row("E-ada").mail(ADA).active());
    let judged = back.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Rescinded);
    assert_eq!(
        leaver(&judged, ADA).result,
        Some(OffboardingResult::Withdrawn)
    );
    // The same end of work, reported again, has the deadline of record.
    let reopened = back
        .clone()
        .next()
        .no_rows()
        .leaver(ADA, date(2026, 11, 20));
    let judged = reopened.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(kinds(&judged), [FindingKind::OffboardedAccess]);
    // Another end of work is another offboarding.
    let other = back
        .next()
        .no_rows()
        .leaver(ADA, date(2026, 11, 24))
        .judge();
    assert_eq!(outcome(&other, ADA), Outcome::WithinGrace);
    assert_eq!(other.leavers.len(), 2);
}

#[test]
fn a_second_leaving_after_a_rehire_gets_its_own_record() {
    let rehired = late()
        .next()
        .no_rows()
        .account(ADA)
        .hr(row("E-ada").mail(ADA).active().start(date(2026, 11, 25)));
    let judged = rehired.judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Rehired);
    assert_eq!(ada.result, Some(OffboardingResult::Late));
    let second = rehired.next().no_rows().hr(row("E-ada")
        .mail(ADA)
        .ended()
        .start(date(2026, 11, 25))
        .end(date(2026, 11, 25)));
    let judged = second.judge();
    assert_eq!(leaver(&judged, ADA).outcome, Outcome::WithinGrace);
    assert_ne!(leaver(&judged, ADA).offboarding_id, ada.offboarding_id);
    let first = record(&judged, &ada.offboarding_id);
    assert_eq!(first.result, Some(OffboardingResult::Late));
    assert_eq!(first.outcome, Outcome::Rehired);
    let judged = second.without("ada").judge();
    assert_eq!(leaver(&judged, ADA).result, Some(OffboardingResult::InTime));
}

#[test]
fn a_new_tenure_concludes_an_open_offboarding() {
    let rehired_on = |snapshot: World, day: i8| {
        let row = row("E-ada").mail(ADA).active().start(date(2026, 11, day));
        leaver(&snapshot.no_rows().hr(row).judge(), ADA).result
    };
    let left = |day: i8| world().account(ADA).leaver(ADA, date(2026, 11, day));
    // The deadline is the midnight after the 24th.
    let before = rehired_on(left(23).next(), 24);
    assert_eq!(before, Some(OffboardingResult::RehiredBeforeDue));
    let late = rehired_on(left(20).next(), 24);
    assert_eq!(late, Some(OffboardingResult::Late));
    // Last seen at 22:40 on the 24th, before the deadline; the new tenure begins after it.
    let unseen = rehired_on(left(23).snapshots(2).sleep(), 26);
    assert_eq!(unseen, Some(OffboardingResult::NotDemonstrated));
}

#[test]
fn access_after_the_conclusion_fails_while_hr_names_the_leaver() {
    let back = late().next().account(ADA);
    let judged = back.judge();
    assert_eq!(kinds(&judged), [FindingKind::AccessAfterConclusion]);
    assert_eq!(judged.verdict, Verdict::Fail);
    assert_eq!(leaver(&judged, ADA).result, Some(OffboardingResult::Late));
    // Another account counts, too.
    let other = late().next().account_as("other", ADA).judge();
    assert_eq!(kinds(&other), [FindingKind::AccessAfterConclusion]);
}

#[test]
fn access_after_the_conclusion_without_a_row_depends_on_the_feed() {
    let vanished = late().next().no_rows().next();
    let judged = vanished.clone().account(ADA).judge();
    assert_eq!(kinds(&judged), [FindingKind::PossibleOffboardedAccess]);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    // The address may now belong to another person.
    let other = vanished.clone().account_as("other", ADA).judge();
    assert_eq!(other.verdict, Verdict::Pass);
    let roster = |snapshot: World| {
        let snapshot = snapshot.policy(|policy| policy.hr_feed_scope = FeedScope::Roster);
        snapshot.hr(row("E-root").mail(VIEWER).active())
    };
    let judged = roster(vanished.account(ADA)).judge();
    assert_eq!(kinds(&judged), [FindingKind::AccessAfterConclusion]);
}

#[test]
fn an_account_found_later_reopens_the_offboarding() {
    let snapshot = world().leaver(ADA, date(2026, 11, 20));
    let judged = snapshot.judge();
    let first = leaver(&judged, ADA).clone();
    assert_eq!(first.result, Some(OffboardingResult::NoAccount));
    let found = snapshot.next().account(ADA);
    let judged = found.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(kinds(&judged), [FindingKind::OffboardedAccess]);
    assert_eq!(leaver(&judged, ADA).deadline, first.deadline);
    assert_eq!(leaver(&judged, ADA).result, None);
    let judged = found.next().without("ada").judge();
    assert_eq!(leaver(&judged, ADA).result, Some(OffboardingResult::Late));
}

#[test]
fn a_leaver_whom_hr_names_late_gets_the_true_interval() {
    let judged = world()
        .account(ADA)
        .next()
        .status("ada", Status::Inactive)
        .snapshots(3)
        .leaver(ADA, date(2026, 11, 23))
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.last_seen_with_access, Some(at("2026-11-23T22:40:00Z")));
    assert_eq!(
        ada.first_seen_without_access,
        Some(at("2026-11-24T22:40:00Z"))
    );
    assert_eq!(ada.result, Some(OffboardingResult::InTime));
    assert_eq!(ada.note, "named by HR on 2026-11-27, after access was gone");
}

#[test]
fn after_90_days_a_conclusion_is_a_short_line_and_still_guards_the_account() {
    let snapshot = late();
    let first = leaver(&snapshot.judge(), ADA).clone();
    let later = snapshot.next().at("2027-03-01T22:40:00Z");
    let judged = later.judge();
    assert_eq!(judged.leavers, []);
    assert_eq!(proven(&judged.concluded[0]), proven(&first));
    let judged = later.next().account(ADA).judge();
    assert_eq!(kinds(&judged), [FindingKind::AccessAfterConclusion]);
    assert_eq!(proven(leaver(&judged, ADA)), proven(&first));
    assert_eq!(judged.concluded, []);
}

#[test]
fn an_announced_end_counts_beside_a_later_fixed_term() {
    let snapshot = world()
        .account(ADA)
        .hr(row("E-ada").mail(ADA).active().end(date(2026, 11, 24)))
        .hr(row("E-ada")
            .mail(ADA)
            .active()
            .start(date(2027, 1, 22))
            .end(date(2027, 9, 19)));
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::Upcoming);
    let judged = snapshot.snapshots(4).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
}

#[test]
fn an_end_in_a_far_year_is_a_contradiction() {
    let judged = world().account(ADA).leaver(ADA, date(2099, 12, 31)).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

#[test]
fn access_of_a_vanished_leaver_stays_suspected_in_every_run() {
    let vanished = late().next().no_rows().next();
    let back = vanished.account(ADA);
    for runs in [0, 1, 4] {
        let judged = back.clone().snapshots(runs).judge();
        assert_eq!(judged.verdict, Verdict::Inconclusive, "after {runs}");
        assert_eq!(leaver(&judged, ADA).account_id, ["ada"]);
    }
    let closed = back.snapshots(2).alias(|alias| {
        alias.account_id = text("ada");
        alias.person_id = text("E-ada");
        alias.relation = text("different");
    });
    assert_eq!(closed.judge().verdict, Verdict::PassWithExceptions);
}

#[test]
fn a_later_date_does_not_hide_access_after_the_conclusion() {
    let back = late().next().account(ADA).no_rows();
    for later in [date(2026, 12, 20), date(2026, 11, 24), date(2026, 10, 1)] {
        let judged = back.clone().leaver(ADA, later).judge();
        assert_eq!(kinds(&judged), [FindingKind::AccessAfterConclusion]);
    }
    // In a roster, an employed row with a future end is a running tenure.
    let roster = back
        .policy(|policy| policy.hr_feed_scope = FeedScope::Roster)
        .hr(row("E-root").mail(VIEWER).active())
        .hr(row("E-ada").mail(ADA).active().end(date(2026, 12, 20)));
    assert_eq!(kinds(&roster.judge()), []);
}

#[test]
fn access_seen_after_the_deadline_is_never_in_time() {
    // Inactive before the deadline, active after it in two incomplete runs, inactive again.
    let judged = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 24))
        .next()
        .status("ada", Status::Inactive)
        .next()
        .status("ada", Status::Active)
        .cut()
        .next()
        .cut()
        .next()
        .status("ada", Status::Inactive)
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.result, Some(OffboardingResult::Late));
    assert!(ada.last_seen_with_access < ada.first_seen_without_access);
}

#[test]
fn a_row_that_returns_with_another_date_keeps_the_record() {
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 23)).next();
    let reopened = snapshot.no_rows().next().leaver(ADA, date(2026, 11, 26));
    let judged = reopened.judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.deadline, Some(at("2026-11-25T00:00:00Z")));
    assert_eq!(ada.corrected_deadline, Some(at("2026-11-28T00:00:00Z")));
    let judged = reopened.without("ada").snapshots(2).judge();
    assert_eq!(
        leaver(&judged, ADA).result,
        Some(OffboardingResult::DateCorrected)
    );
}

#[test]
fn each_offboarding_has_its_own_id() {
    // A person without a date who leaves, comes back and leaves again.
    let undated = || row("E1").mail(ADA).ended();
    let mut snapshot = world().account(ADA).hr(undated());
    for _ in 0..3 {
        snapshot = snapshot.next().no_rows().hr(row("E1").mail(ADA).active());
        snapshot = snapshot.next().no_rows().hr(undated());
    }
    let judged = snapshot.judge();
    let ids: std::collections::BTreeSet<&str> = judged
        .leavers
        .iter()
        .map(|leaver| &*leaver.offboarding_id)
        .collect();
    assert_eq!((ids.len(), judged.leavers.len()), (4, 4));
}

#[test]
fn people_with_only_a_shared_address_are_on_record_once() {
    let team = "team@example.com";
    let left = |name: &str| {
        let row = row("").mail(team).name(name);
        row.ended().end(date(2026, 11, 2))
    };
    let snapshot = world()
        .account(team)
        .hr(left("Ada Diaz"))
        .hr(left("Bob Roe"))
        .hr(left("Eve Poe"));
    assert_eq!(snapshot.judge().leavers.len(), 3);
    assert_eq!(snapshot.snapshots(4).judge().leavers.len(), 3);
}

#[test]
fn a_person_never_reported_as_a_leaver_is_closed_once() {
    let snapshot = world()
        .hr(row("E-x").name("Xav Ier").word("Zzz"))
        .next()
        .no_rows()
        .next();
    for runs in [0, 1, 2] {
        let judged = snapshot.clone().snapshots(runs).judge();
        assert_eq!(
            judged.leavers[0].result,
            Some(OffboardingResult::Withdrawn),
            "after {runs}"
        );
        assert_eq!(judged.verdict, Verdict::Pass);
    }
}

#[test]
fn an_undated_conclusion_is_not_reopened_by_a_date() {
    let snapshot = world().hr(row("E-ada").mail(ADA).ended()).account(ADA);
    let gone = snapshot.next().without("ada");
    let judged = gone.judge();
    assert_eq!(
        leaver(&judged, ADA).result,
        Some(OffboardingResult::NotDemonstrated)
    );
    let dated = gone.next().no_rows().leaver(ADA, date(2026, 11, 30));
    assert_eq!(
        leaver(&dated.judge(), ADA).result,
        Some(OffboardingResult::NotDemonstrated)
    );
}

#[test]
fn an_unknown_status_is_not_a_sighting_for_a_late_leaver() {
    let judged = world()
        .account(ADA)
        .status("ada", Status::Unknown(None))
        .next()
        .status("ada", Status::Inactive)
        .snapshots(2)
        .leaver(ADA, date(2026, 11, 20))
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.last_seen_with_access, None);
    assert_eq!(ada.result, Some(OffboardingResult::NotDemonstrated));
}

#[test]
fn a_missing_person_with_access_again_after_removal_fails() {
    let gone = world()
        .policy(|policy| policy.hr_feed_scope = FeedScope::Roster)
        .hr(row("E-root").mail(VIEWER).active())
        .account(ADA)
        .hr(row("E-ada").mail(ADA).active())
        .next()
        .change(|inputs| inputs.hr.rows.truncate(1))
        .next()
        .without("ada");
    let judged = gone.judge();
    let result = leaver(&judged, ADA).result;
    assert_eq!(result, Some(OffboardingResult::NotDemonstrated));
    let judged = gone.next().account(ADA).judge();
    assert_eq!(kinds(&judged), [FindingKind::AccessAfterConclusion]);
    assert_eq!(judged.verdict, Verdict::Fail);
}

/// An approved line that makes E1 and E9 one person.
fn joined(snapshot: World) -> World {
    snapshot.alias(|alias| {
        alias.person_id = text("E1=E9");
        alias.relation = text("same_person");
    })
}

#[test]
fn a_deleted_same_person_line_makes_no_second_offboarding() {
    let e1 = || row("E1").mail(ADA).name("Ada Diaz").ended();
    let e9 = || row("E9").mail("al@example.com").name("Al Roe");
    let left = |day| date(2026, 11, day);
    for (what, one, other) in [
        ("later", e1().end(left(20)), e9().ended().end(left(22))),
        ("one day", e1().end(left(20)), e9().ended().end(left(20))),
        ("employed", e1().end(left(20)), e9().active()),
        ("to come", e1().end(left(20)), e9().active().end(left(29))),
        ("no date", e1(), e9().active()),
        ("no dates", e1(), e9().ended()),
    ] {
        let apart = world().account(ADA).hr(one).hr(other);
        let first = apart.judge();
        let of_ada = leaver(&first, ADA);
        let together = joined(apart.next()).next();
        let again = together.change(|inputs| inputs.manual.aliases = None);
        for runs in [0, 1] {
            let judged = again.clone().snapshots(runs).judge();
            let ada = leaver(&judged, ADA);
            assert_eq!(ada.offboarding_id, of_ada.offboarding_id, "{what}");
            assert_eq!(ada.outcome, Outcome::StillActive, "{what}");
            let records = judged.leavers.iter().filter(|of| !of.superseded);
            assert_eq!(records.count(), first.leavers.len(), "{what}");
        }
    }
}

#[test]
fn an_end_that_an_alias_moved_moves_back_with_its_offboarding() {
    let of_ada = row("E1").mail(ADA).name("Ada Diaz").ended();
    let of_al = || row("E9").mail("al@example.com").name("Al Roe");
    let apart = world()
        .account(ADA)
        .hr(of_ada.end(date(2026, 11, 20)))
        .hr(of_al().active());
    let first = apart.judge();
    let left = apart.next().change(|inputs| {
        inputs.hr.rows.truncate(1);
    });
    let together = joined(left.hr(of_al().ended().end(date(2026, 11, 22))));
    assert_eq!(together.judge().leavers.len(), 1);
    let again = together
        .next()
        .change(|inputs| inputs.manual.aliases = None);
    let judged = again.judge();
    let (ada, before) = (leaver(&judged, ADA), leaver(&first, ADA));
    assert_eq!(ada.offboarding_id, before.offboarding_id);
    assert_eq!(ada.end_of_work, before.end_of_work);
    assert_eq!(ada.outcome, Outcome::StillActive);
    let al = leaver(&judged, "al@example.com");
    assert_eq!(&*al.person_key, "E9");
}

#[test]
fn a_deleted_different_line_leaves_the_account_suspected() {
    // Only an earlier run ties the account to Ada: both addresses have changed.
    let left = |snapshot: World| {
        let ada = row("E1").mail("ada.d@example.com").name("Ada Diaz");
        let ada = ada.ended().end(date(2026, 11, 20));
        let snapshot = snapshot.no_rows().email("ada", "x@example.com");
        snapshot.hr(ada)
    };
    let separated = |snapshot: World| {
        snapshot.alias(|alias| {
            alias.account_id = text("ada");
            alias.person_id = text("E1");
            alias.relation = text("different");
        })
    };
    let employed = row("E1").mail(ADA).name("Ada Diaz").active();
    let employed = world().account(ADA).hr(employed).next();
    let after = separated(left(employed.clone()).next());
    let at_once = separated(left(employed));
    for snapshot in [after, at_once] {
        assert_eq!(snapshot.judge().verdict, Verdict::PassWithExceptions);
        let deleted = snapshot
            .next()
            .change(|inputs| inputs.manual.aliases = None);
        for runs in [0, 1] {
            let judged = deleted.clone().snapshots(runs).judge();
            assert_eq!(kinds(&judged), [FindingKind::PossibleOffboardedAccess]);
            assert_eq!(judged.verdict, Verdict::Inconclusive);
        }
    }
}
