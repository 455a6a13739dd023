//! People from rows: who has left, who came back, and whose rows are unclear.

use super::world::*;
use crate::judgement::{FindingKind, OffboardingResult, Outcome, Verdict, WithinSla};
use crate::model::{Employment, Status};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

#[test]
fn two_ids_with_one_address_are_one_person_who_came_back() {
    let judged = world()
        .account(ADA)
        .hr(row("E100").mail(ADA).ended().end(date(2025, 5, 31)))
        .hr(row("E214").mail(ADA).active())
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Rehired);
    assert_eq!(ada.person_id.as_deref(), Some("E100"));
    assert_eq!(ada.other_person_ids, ["E214"]);
    assert_eq!(ada.tenures.len(), 2);
    assert_eq!(judged.verdict, Verdict::Pass);
}

#[test]
fn one_id_with_a_new_start_after_its_end_came_back() {
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2025, 5, 31)))
        .hr(row("E1").mail(ADA).active().start(date(2026, 1, 7)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Rehired);
}

#[test]
fn a_contractor_who_starts_as_an_employee_the_same_day_came_back() {
    for start in [date(2026, 11, 2), date(2026, 11, 3)] {
        for id in ["C1", "E1"] {
            let judged = world()
                .account(ADA)
                .hr(row("C1").mail(ADA).ended().end(date(2026, 11, 2)))
                .hr(row(id).mail(ADA).active().start(start))
                .judge();
            assert_eq!(outcome(&judged, ADA), Outcome::Rehired, "{id} {start}");
        }
    }
}

#[test]
fn a_later_tenure_that_will_end_is_still_a_return() {
    let left = row("C1").mail(ADA).ended().end(date(2026, 6, 30));
    for later in [
        row("C2")
            .mail(ADA)
            .start(date(2026, 7, 1))
            .end(date(2027, 6, 30)),
        row("C2").mail(ADA).active().end(date(2027, 6, 30)),
    ] {
        let judged = world().account(ADA).hr(left.clone()).hr(later).judge();
        assert_eq!(outcome(&judged, ADA), Outcome::Rehired);
    }
}

#[test]
fn a_tenure_that_has_not_begun_is_not_a_return() {
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .hr(row("E2").mail(ADA).active().start(date(2026, 12, 1)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn a_leaver_whose_only_row_begins_later_is_still_followed() {
    let begins = row("E-ada").mail(ADA).active().start(date(2026, 12, 1));
    for later in [begins.clone(), begins.end(date(2027, 12, 1))] {
        let snapshot = world()
            .account(ADA)
            .leaver(ADA, date(2026, 11, 2))
            .next()
            .no_rows()
            .hr(later);
        assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::StillActive);
        assert_eq!(
            outcome(&snapshot.snapshots(2).judge(), ADA),
            Outcome::StillActive
        );
    }
}

#[test]
fn a_person_with_a_future_tenure_is_upcoming_once_it_begins() {
    let row = row("E1")
        .mail(ADA)
        .start(date(2026, 12, 1))
        .end(date(2027, 12, 1));
    let snapshot = world().hr(row);
    assert!(snapshot.judge().leavers.is_empty());
    let begun = snapshot.next().at("2026-12-01T22:40:00Z").judge();
    assert_eq!(outcome(&begun, ADA), Outcome::Upcoming);
    assert_eq!(
        leaver(&begun, ADA).end_of_work,
        Some(at("2027-12-02T00:00:00Z"))
    );
}

#[test]
fn a_postponed_return_is_not_a_return() {
    let left = row("E1").mail(ADA).ended().end(date(2026, 11, 2));
    let snapshot = world()
        .account(ADA)
        .hr(left)
        .hr(row("E2").mail(ADA).active())
        .next()
        .no_rows()
        .hr(row("E2").mail(ADA).active().start(date(2027, 1, 1)));
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::StillActive);
}

#[test]
fn one_id_both_active_and_ended_is_not_evaluable() {
    for active in [
        row("E1").mail(ADA).active(),
        row("E1").mail(ADA).active().start(date(2020, 1, 1)),
    ] {
        let judged = world()
            .account(ADA)
            .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
            .hr(active)
            .judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn active_with_an_old_past_date_is_employed() {
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).active().end(date(2025, 5, 31)))
        .judge();
    assert!(judged.leavers.is_empty());
    assert_eq!(judged.verdict, Verdict::Pass);
}

#[test]
fn an_announced_end_that_passes_without_news_is_not_rescinded() {
    let announced = row("E1").mail(ADA).active().end(date(2026, 11, 23));
    let snapshot = world().account(ADA).hr(announced.clone()).next();
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::WithinGrace);
    for snapshot in [snapshot.clone().snapshots(2), snapshot.clone().snapshots(4)] {
        let judged = snapshot.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        assert!(judged.changes.is_empty(), "{:?}", changes(&judged));
        let note = &leaver(&judged, ADA).note;
        assert!(
            note.starts_with(
                "the announced end of work has passed, but the status is still employed"
            ),
            "{note}"
        );
    }
    let vanished = snapshot.clone().no_rows();
    assert_eq!(
        outcome(&vanished.snapshots(2).judge(), ADA),
        Outcome::StillActive
    );

    // Any new report of HR decides.
    let then = |row: WorldRow| snapshot.clone().no_rows().hr(row).judge();
    let cleared = then(row("E1").mail(ADA).active());
    assert_eq!(outcome(&cleared, ADA), Outcome::Rescinded);
    let left = then(row("E1").mail(ADA).ended().end(date(2026, 11, 23)));
    assert_eq!(outcome(&left, ADA), Outcome::WithinGrace);
    let later = then(row("E1").mail(ADA).active().end(date(2026, 12, 23)));
    assert_eq!(outcome(&later, ADA), Outcome::Upcoming);
}

#[test]
fn a_reassigned_address_does_not_hide_a_leaver() {
    let jane = || row("E214").mail(ADA).name("Jane Doe").active();
    let john = || {
        row("E100")
            .mail(ADA)
            .name("Smith, John")
            .ended()
            .end(date(2026, 11, 2))
    };
    let snapshot = world().account(ADA).hr(jane()).hr(john());
    let judged = snapshot.judge();
    assert_eq!(judged.leavers.len(), 1);
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
    assert_eq!(outcome(&snapshot.next().judge(), ADA), Outcome::StillActive);

    for (returned, expected) in [
        // A related name is not enough, unless one tenure begins when the other ends.
        (
            row("E214").mail(ADA).name("John Miller").active(),
            Outcome::NotEvaluable,
        ),
        (
            row("E214")
                .mail(ADA)
                .name("John Miller")
                .active()
                .start(date(2026, 11, 3)),
            Outcome::Rehired,
        ),
        (
            row("E214")
                .mail(ADA)
                .name("John Miller")
                .active()
                .start(date(2026, 11, 4)),
            Outcome::NotEvaluable,
        ),
        (
            row("E214")
                .mail(ADA)
                .name("John Miller")
                .active()
                .start(date(2015, 1, 1)),
            Outcome::NotEvaluable,
        ),
        // A missing name agrees.
        (row("E214").mail(ADA).active(), Outcome::Rehired),
        (
            row("").mail(ADA).name("Jane Doe").active(),
            Outcome::StillActive,
        ),
    ] {
        let judged = world().account(ADA).hr(returned.clone()).hr(john()).judge();
        assert_eq!(outcome(&judged, ADA), expected, "{returned:?}");
    }
}

#[test]
fn active_with_a_future_date_is_upcoming() {
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).active().end(date(2026, 12, 31)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Upcoming);
}

#[test]
fn a_leaver_who_is_active_now_is_rescinded_and_kept() {
    let snapshot = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 2))
        .next()
        .no_rows()
        .hr(row("E-ada").mail(ADA).active());
    let judged = snapshot.judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Rescinded);
    assert_eq!(ada.tenures.len(), 2);
    assert_eq!(judged.verdict, Verdict::Pass);
    assert_eq!(outcome(&snapshot.next().judge(), ADA), Outcome::Rescinded);
}

#[test]
fn a_leaver_who_begins_again_is_rehired_under_the_old_id() {
    let snapshot = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .next()
        .no_rows()
        .hr(row("E2").mail(ADA).active().start(date(2026, 11, 24)))
        .at("2026-11-24T22:40:00Z");
    for snapshot in [snapshot.clone(), snapshot.next()] {
        let judged = snapshot.judge();
        let ada = leaver(&judged, ADA);
        assert_eq!(ada.outcome, Outcome::Rehired);
        assert_eq!(ada.person_id.as_deref(), Some("E1"));
        assert_eq!(ada.other_person_ids, ["E2"]);
        assert_eq!(ada.end_of_work, Some(at("2026-11-03T00:00:00Z")));
        assert_eq!(ada.tenures.len(), 2);
    }
}

#[test]
fn a_second_leaving_counts_after_a_return() {
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2025, 5, 31)))
        .hr(row("E2").mail(ADA).active().start(date(2026, 1, 1)))
        .next()
        .no_rows()
        .hr(row("E1").mail(ADA).ended().end(date(2025, 5, 31)))
        .hr(row("E2")
            .mail(ADA)
            .ended()
            .start(date(2026, 1, 1))
            .end(date(2026, 11, 23)))
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::WithinGrace);
    assert_eq!(ada.person_id.as_deref(), Some("E2"));
}

#[test]
fn an_undated_termination_counts_from_its_first_run() {
    let snapshot = world().account(ADA).hr(row("E1").mail(ADA).ended());
    let judged = snapshot.judge();
    // The first feed may name people who left long ago.
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
    assert_eq!(
        leaver(&judged, ADA).deadline,
        Some(at("2026-11-24T22:40:00Z"))
    );
    let later = world().next().account(ADA).hr(row("E1").mail(ADA).ended());
    assert_eq!(outcome(&later.judge(), ADA), Outcome::WithinGrace);
    // The next run is exactly at the deadline, and the one after it is later.
    assert_eq!(
        outcome(&snapshot.clone().next().judge(), ADA),
        Outcome::NotEvaluable
    );
    let judged = snapshot.clone().snapshots(2).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(leaver(&judged, ADA).end_of_work, None);

    let judged = snapshot.snapshots(3).without("ada").judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::Removed);
    assert_eq!(ada.result, Some(OffboardingResult::Late));
    assert_eq!(ada.within_sla, WithinSla::No);
    assert_eq!(ada.within_sla_from_notice, WithinSla::No);
    assert_eq!(kinds(&judged), [FindingKind::LateRemoval]);
}

#[test]
fn an_undated_leaver_with_a_personal_address_keeps_the_first_run() {
    let snapshot = world()
        .account_as("1", "ada@gmail.com")
        .hr(row("").other("ada@gmail.com").name("Ada").ended());
    let judged = snapshot.snapshots(3).judge();
    let ada = leaver(&judged, "ada@gmail.com");
    assert_eq!(ada.outcome, Outcome::StillActive);
    assert_eq!(ada.first_seen_in_feed, at("2026-11-23T22:40:00Z"));
}

#[test]
fn a_row_without_date_and_status_is_not_evaluable() {
    for unclear in [row("E1").mail(ADA), row("E1").mail(ADA).word("Leave")] {
        let judged = world().account(ADA).hr(unclear).judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
        assert_eq!(leaver(&judged, ADA).deadline, None);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn an_unknown_status_with_a_date_is_judged_by_the_date() {
    let judged = world()
        .account(ADA)
        .hr(row("E1")
            .mail(ADA)
            .word("Garden Leave")
            .end(date(2026, 11, 2)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert!(leaver(&judged, ADA).note.contains("Garden Leave"));
}

#[test]
fn one_id_with_two_dates_is_flagged_and_the_latest_that_has_passed_counts() {
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 9)))
        .hr(row("E1").mail(ADA).ended().end(date(2026, 12, 9)))
        .judge();
    let ada = leaver(&judged, ADA);
    assert_eq!(ada.outcome, Outcome::StillActive);
    assert_eq!(ada.end_of_work, Some(at("2026-11-10T00:00:00Z")));
    assert!(
        ada.note.contains("3 different ends of work"),
        "{}",
        ada.note
    );
}

#[test]
fn a_personal_address_does_not_tie_people_together() {
    let shared = "family@gmail.com";
    let judged = world()
        .account(ADA)
        .hr(row("E1")
            .mail(ADA)
            .other(shared)
            .ended()
            .end(date(2026, 11, 2)))
        .hr(row("E2").mail("bob@example.com").other(shared).active())
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(judged.leavers.len(), 1);
}

#[test]
fn a_leaver_whose_mail_was_blanked_is_found_by_the_address_hr_gave_before() {
    let judged = world()
        .leaver(ADA, date(2026, 11, 2))
        .next()
        .no_rows()
        .hr(row("E-ada").ended().end(date(2026, 11, 2)))
        .account(ADA)
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn two_rows_that_become_one_person_keep_both_accounts() {
    // HR corrects an address, so that two people become one, with the accounts of both.
    let snapshot = world()
        .account(ADA)
        .account("lovelace@example.com")
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .hr(row("E2")
            .mail("lovelace@example.com")
            .ended()
            .end(date(2026, 11, 2)))
        .next()
        .no_rows()
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .hr(row("E2").mail(ADA).ended().end(date(2026, 11, 2)))
        .without("ada");
    let judged = snapshot.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(leaver(&judged, ADA).account_id, ["lovelace", "ada"]);
    // The record of the other person is concluded with the proven result.
    let other = &judged.leavers[1];
    assert!(other.superseded);
    assert_eq!(other.result, Some(OffboardingResult::Late));
}

#[test]
fn an_announced_end_that_moves_is_not_rescinded() {
    let announced = |end| row("E1").mail(ADA).active().end(end);
    let first = world()
        .account(ADA)
        .hr(announced(date(2026, 11, 24)))
        .next();
    let moved = first
        .clone()
        .no_rows()
        .hr(announced(date(2026, 11, 25)))
        .next();
    assert_eq!(
        outcome(&moved.next().snapshots(2).judge(), ADA),
        Outcome::NotEvaluable
    );
    // Moved into the past, while the status is out of date.
    let pulled = first.no_rows().hr(announced(date(2026, 11, 20)));
    assert_eq!(outcome(&pulled.judge(), ADA), Outcome::NotEvaluable);
    assert_eq!(
        outcome(&pulled.snapshots(2).judge(), ADA),
        Outcome::NotEvaluable
    );
}

#[test]
fn an_old_tenure_that_was_never_closed_does_not_hide_a_leaver() {
    let left = row("E1")
        .mail(ADA)
        .name("Ada Diaz")
        .ended()
        .start(date(2020, 1, 1))
        .end(date(2026, 11, 2));
    let never_closed = row("C7")
        .mail(ADA)
        .name("Ada Diaz")
        .active()
        .start(date(2018, 1, 1));
    let judged = world()
        .account(ADA)
        .hr(left.clone())
        .hr(never_closed)
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    // Under one id it is the first of two jobs.
    let first_job = row("E1").mail(ADA).active().start(date(2018, 1, 1));
    let judged = world()
        .account(ADA)
        .hr(left.clone())
        .hr(first_job.clone())
        .judge();
    assert!(judged.leavers.is_empty());
    // A history has one row for each change. The row of the termination is not a second job.
    for entry in [
        left.clone().start(date(2026, 11, 2)),
        row("E1").mail(ADA).ended().start(date(2026, 11, 2)),
    ] {
        let judged = world().account(ADA).hr(entry).hr(first_job.clone()).judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
    }
}

#[test]
fn a_running_tenure_counts_beside_one_that_has_not_begun() {
    let snapshot = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .next()
        .no_rows()
        .hr(row("E1").mail(ADA).active().end(date(2026, 12, 24)));
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::Upcoming);
    let extended = row("E1").mail(ADA).active().start(date(2027, 1, 4));
    let snapshot = snapshot.hr(extended.end(date(2028, 1, 4)));
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::Upcoming);
}

#[test]
fn a_row_without_a_name_does_not_join_two_people() {
    let snapshot = world()
        .account(ADA)
        .hr(row("E1")
            .name("Ada Byron")
            .mail(ADA)
            .ended()
            .end(date(2026, 11, 2)))
        .hr(row("E2")
            .name("Grace Hopper")
            .mail(ADA)
            .active()
            .start(date(2026, 11, 9)));
    let outcomes = |snapshot: &World| -> Vec<Outcome> {
        let leavers = snapshot.judge().leavers;
        leavers.iter().map(|leaver| leaver.outcome).collect()
    };
    assert_eq!(outcomes(&snapshot), [Outcome::StillActive]);
    // An address of three people is shared and does not identify any of them.
    let nameless = row("E3").mail(ADA).active().start(date(2026, 11, 16));
    let shared = snapshot.hr(nameless);
    assert_eq!(outcomes(&shared), [Outcome::NotEvaluable]);
    assert_eq!(
        kinds(&shared.judge()),
        [FindingKind::PossibleOffboardedAccess]
    );
}

#[test]
fn a_passed_announced_end_is_kept_for_either_of_two_ids() {
    // HR later shows two ids to be one person: one had left, one was upcoming.
    for (left, leaving) in [("E1", "E2"), ("E2", "E1")] {
        let announced = row(leaving)
            .mail(ADA)
            .name("Ada Diaz")
            .active()
            .end(date(2026, 11, 24));
        let snapshot = world()
            .account(ADA)
            .account("lovelace@example.com")
            .hr(row(left)
                .mail("lovelace@example.com")
                .ended()
                .end(date(2026, 11, 22)))
            .hr(announced.clone());
        assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::Upcoming);
        let snapshot = snapshot
            .next()
            .next()
            .no_rows()
            .hr(row(left).mail(ADA).name("Ada Diaz").active())
            .hr(announced);
        let judged = snapshot.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable, "{left}");
    }
}

#[test]
fn a_future_tenure_is_not_a_return_for_either_of_two_ids() {
    // The rescinded end is known by its own id, and the past end by the id of an older tenure.
    let lovelace = "lovelace@example.com";
    let row = |id: &str| row(id).name("Ada Diaz");
    let ended = |id: &str, mail: &str, day: i8| row(id).mail(mail).ended().end(date(2026, 11, day));
    let left = |snapshot: World| snapshot.hr(ended("E2", ADA, 2)).hr(ended("E3", ADA, 9));
    let snapshot = left(world().account(ADA).hr(ended("E1", lovelace, 2)));
    let snapshot = left(
        snapshot
            .next()
            .no_rows()
            .hr(row("E1").mail(lovelace).active()),
    );
    assert_eq!(outcome(&snapshot.judge(), lovelace), Outcome::Rescinded);
    let to_come = |id: &str| row(id).mail(ADA).active().start(date(2027, 1, 4));
    let snapshot = snapshot
        .next()
        .no_rows()
        .hr(to_come("E1"))
        .hr(to_come("E2"));
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::StillActive);
}

#[test]
fn overlapping_tenures_that_only_an_id_ties_are_not_evaluable() {
    let judged = world()
        .account(ADA)
        .account(BOB)
        .hr(left("E1").mail(ADA).start(date(2026, 9, 15)))
        .hr(row("E1").mail(BOB).active().start(date(2020, 1, 1)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

#[test]
fn a_start_after_all_ends_does_not_hide_a_last_day() {
    let past = row("E1").mail(ADA).ended().last_day(date(2025, 5, 31));
    let odd = past.end(date(2026, 12, 24)).start(date(2027, 1, 4));
    let judged = world().account(ADA).hr(odd).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn an_end_before_an_employed_start_belongs_to_an_earlier_tenure() {
    let began = |day| {
        let earlier = row("E1").mail(ADA).active().end(date(2026, 11, 2));
        world().account(ADA).hr(earlier.start(day)).judge()
    };
    for day in [date(2026, 11, 3), date(2026, 11, 5)] {
        assert_eq!(began(day).leavers, [], "{day}");
    }
    assert_eq!(outcome(&began(date(2027, 1, 4)), ADA), Outcome::StillActive);
}

#[test]
fn a_future_end_before_a_future_start_is_upcoming() {
    let leaves = row("E1").mail(ADA).active().end(date(2026, 12, 24));
    let judged = world()
        .account(ADA)
        .hr(leaves.start(date(2027, 1, 4)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Upcoming);
}

#[test]
fn a_new_tenure_in_the_same_row_is_a_return() {
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 2)))
        .hr(row("E1")
            .mail(ADA)
            .active()
            .end(date(2025, 5, 31))
            .start(date(2026, 11, 9)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Rehired);
}

#[test]
fn a_return_on_leave_with_a_last_day_is_rehired() {
    let mut on_leave = row("E1").mail(ADA).start(date(2026, 9, 15));
    on_leave.0.status = Employment::OnLeave;
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().end(date(2025, 5, 31)))
        .hr(on_leave.last_day(date(2026, 11, 2)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Rehired);
}

#[test]
fn an_undated_end_of_an_overlapping_tenure_is_not_evaluable() {
    let judged = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended().start(date(2026, 9, 15)))
        .hr(row("E1").active().start(date(2020, 1, 1)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

#[test]
fn an_old_last_day_does_not_hide_a_recent_termination() {
    let judged = world()
        .account(ADA)
        .hr(row("E1")
            .mail(ADA)
            .active()
            .last_day(date(2025, 5, 31))
            .end(date(2026, 11, 21)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

#[test]
fn a_future_last_day_does_not_hide_a_past_termination() {
    let row = row("E1").mail(ADA).active().end(date(2026, 11, 2));
    let judged = world()
        .account(ADA)
        .hr(row.last_day(date(2027, 11, 2)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

#[test]
fn a_last_day_before_the_start_is_ignored() {
    let judged = world()
        .account(ADA)
        .status("ada", Status::Active)
        .hr(row("E1")
            .mail(ADA)
            .ended()
            .start(date(2026, 11, 3))
            .last_day(date(2026, 11, 2))
            .end(date(2026, 12, 24)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Upcoming);
}
