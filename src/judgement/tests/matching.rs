//! Matches of accounts and people.

use super::world::*;
use crate::judgement::{FindingKind, MatchKind, Outcome, Verdict};
use crate::model::Status;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

#[test]
fn case_blanks_and_composition_of_an_address_are_ignored() {
    for (account, hr) in [
        ("Ada@Example.COM", "ada@example.com"),
        ("ada@example.com", " ADA@example.com\u{a0}"),
        ("jos\u{e9}@example.com", "jose\u{301}@example.com"),
        ("a\u{200b}da@example.com", "ada@example.com"),
    ] {
        let judged = world()
            .account_as("1", account)
            .leaver(hr, date(2026, 11, 2))
            .judge();
        assert_eq!(outcome(&judged, hr), Outcome::StillActive, "{hr:?}");
        assert_eq!(leaver(&judged, hr).matched_by, [MatchKind::Email]);
    }
}

#[test]
fn a_personal_address_matches() {
    let judged = world()
        .account_as("1", "ada@gmail.com")
        .hr(row("E1")
            .mail(ADA)
            .other("Ada@Gmail.com")
            .ended()
            .end(date(2026, 11, 2)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn a_further_address_of_the_account_matches() {
    let judged = world()
        .account_as("1", "ada@gmail.com")
        .set("1", |account| account.emails.push(mail(ADA)))
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn an_id_is_the_strongest_match() {
    let judged = world()
        .account(ADA)
        .set("ada", |account| {
            account.external_id = Some("E-ada".to_owned())
        })
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    assert_eq!(leaver(&judged, ADA).matched_by, [MatchKind::PersonId]);
}

#[test]
fn ids_are_text() {
    let judged = world()
        .account("bob@example.com")
        .set("bob", |account| {
            account.external_id = Some("123".to_owned())
        })
        .hr(row("00123").mail(ADA).ended().end(date(2026, 11, 2)))
        .judge();
    assert!(leaver(&judged, ADA).account_id.is_empty());
}

/// A leaver whose account has only the same name or a plus-tag.
fn possible(account: &str, name: &str) -> World {
    let leaves = row("E1")
        .mail(ADA)
        .name("D\u{ed}az, Ada")
        .ended()
        .end(date(2026, 11, 2));
    world().account_as("1", account).named("1", name).hr(leaves)
}

#[test]
fn a_plus_tag_and_a_same_name_are_possible_and_never_a_match() {
    for (account, name) in [
        ("ada+asana@example.com", "A. D."),
        ("a.diaz@home.example", "ada D\u{ed}az"),
    ] {
        let judged = possible(account, name).judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
        assert!(leaver(&judged, ADA).account_id.is_empty());
        assert_eq!(kinds(&judged), [FindingKind::PossibleOffboardedAccess]);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn an_account_without_access_is_not_suspected() {
    let judged = possible("ada+asana@example.com", "A. D.")
        .status("1", Status::Inactive)
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NoAccessFound);

    let judged = possible("ada+asana@example.com", "A. D.")
        .status("1", Status::Unknown(None))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

#[test]
fn an_account_of_an_employed_person_is_not_suspected() {
    let judged = possible("a.diaz@example.com", "Ada D\u{ed}az")
        .hr(row("E2").mail("a.diaz@example.com").active())
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NoAccessFound);
    assert_eq!(judged.verdict, Verdict::Pass);
}

#[test]
fn a_suspicion_does_not_weaken_a_finding_of_access() {
    let judged = possible("ada+asana@example.com", "A. D.")
        .account(ADA)
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(
        kinds(&judged),
        [
            FindingKind::OffboardedAccess,
            FindingKind::PossibleOffboardedAccess
        ]
    );
}

#[test]
fn a_suspicion_beside_a_removed_account_keeps_the_leaver_open() {
    let judged = possible("ada+asana@example.com", "A. D.")
        .account(ADA)
        .status("ada", Status::Inactive)
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

#[test]
fn a_suspicion_stays_open_when_the_account_changes_its_name() {
    let snapshot = possible("x@home.example", "Ada D\u{ed}az")
        .next()
        .named("1", "Another Name");
    for snapshot in [
        snapshot.clone(),
        snapshot.clone().no_rows(),
        snapshot.snapshots(3),
    ] {
        let judged = snapshot.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
        assert_eq!(kinds(&judged), [FindingKind::PossibleOffboardedAccess]);
    }
}

#[test]
fn a_suspicion_ends_with_the_access_or_with_an_owner() {
    let snapshot = possible("x@home.example", "Ada D\u{ed}az").next();
    for snapshot in [
        snapshot.clone().without("1"),
        snapshot.clone().status("1", Status::Inactive),
        snapshot.hr(row("E2").mail("x@home.example").active()),
    ] {
        assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::NoAccessFound);
    }
}

#[test]
fn a_leaver_named_after_the_account_changed_its_address_is_found() {
    let judged = world()
        .account(ADA)
        .next()
        .email("ada", "lovelace@example.com")
        .snapshots(2)
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(leaver(&judged, ADA).matched_by, [MatchKind::FormerEmail]);
}

#[test]
fn once_linked_a_leaver_is_followed_by_account_id() {
    let snapshot = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 23))
        .next()
        .email("ada", "x@elsewhere.example");
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::WithinGrace);
    let snapshot = snapshot.snapshots(2).email("ada", "y@elsewhere.example");
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::StillActive);
}

#[test]
fn a_leaver_named_long_after_the_removal_is_matched() {
    let judged = world()
        .account(ADA)
        .next()
        .without("ada")
        .snapshots(4)
        .leaver(ADA, date(2026, 11, 24))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Removed);
}

#[test]
fn an_account_that_came_back_with_another_address_is_found() {
    let snapshot = world().account(ADA).next();
    let judged = snapshot
        .without("ada")
        .snapshots(3)
        .account_as("ada", "lovelace@example.com")
        .snapshots(2)
        .leaver(ADA, date(2026, 11, 24))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn an_account_known_only_by_its_id_is_removed_when_gone() {
    let judged = world()
        .account("x@elsewhere.example")
        .set("x", |account| account.external_id = Some("E1".to_owned()))
        .next()
        .without("x")
        .hr(row("E1").ended().end(date(2026, 11, 2)))
        .judge();
    assert_eq!(judged.leavers[0].outcome, Outcome::Removed);
    assert_eq!(judged.leavers[0].matched_by, [MatchKind::PersonId]);
}

#[test]
fn an_account_lists_its_owners_leavers_first() {
    let judged = world()
        .account(ADA)
        .set("ada", |account| account.external_id = Some("E2".to_owned()))
        .hr(row("E2").mail("zed@example.com").active())
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    let owner = &judged.owners[1];
    assert_eq!(owner.person_ids, ["E-ada", "E2"]);
    assert_eq!(owner.matched_by, [MatchKind::Email, MatchKind::PersonId]);
    assert_eq!(owner.findings, [FindingKind::OffboardedAccess]);
}

#[test]
fn a_suspicion_stays_with_its_leaver_without_an_id() {
    let bob = "bob@example.com";
    let ada = row("").mail(ADA).ended().end(date(2026, 11, 2));
    let snapshot = world()
        .account_as("1", "ada+x@example.com")
        .account_as("2", "bob+x@example.com")
        .hr(ada)
        .hr(row("").mail(bob).ended().end(date(2026, 11, 2)));
    let of_bob = |snapshot: &World| leaver(&snapshot.judge(), bob).note.clone();
    assert!(!of_bob(&snapshot).contains("account 1"));
    assert!(!of_bob(&snapshot.clone().next()).contains("account 1"));
}

#[test]
fn a_nameless_row_does_not_join_two_names_of_one_id() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 1)))
        .hr(row("E1")
            .mail(BOB)
            .name("Bob Roe")
            .active()
            .start(date(2026, 11, 5)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
}

#[test]
fn a_nameless_row_with_an_address_has_the_name_of_its_id() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA))
        .hr(left("E1").name("Ada Diaz"))
        .hr(row("E2")
            .mail(ADA)
            .name("Bob Roe")
            .active()
            .start(date(2026, 11, 5)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
}

#[test]
fn a_related_person_does_not_excuse_an_account_that_began_later() {
    let judged = world()
        .account(ADA)
        .set("ada", |account| {
            account.joined_at = Some(at("2026-11-23T08:00:00Z"))
        })
        .hr(left("E1").mail(ADA).name("Ada Roe"))
        .hr(row("E2")
            .mail(ADA)
            .name("Ada Diaz")
            .active()
            .start(date(2026, 11, 9)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

#[test]
fn a_further_address_is_not_reassigned() {
    let judged = world()
        .account(BOB)
        .set("bob", |account| {
            account.joined_at = Some(at("2026-11-23T08:00:00Z"))
        })
        .hr(left("E1").other(BOB).name("Ada Roe"))
        .hr(row("E2").mail(BOB).name("Eve").active())
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

#[test]
fn a_person_who_has_not_begun_does_not_excuse_an_account() {
    let judged = world()
        .account(ADA)
        .set("ada", |account| {
            account.joined_at = Some(at("2026-11-23T08:00:00Z"))
        })
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(row("E2")
            .mail(ADA)
            .name("Bob Roe")
            .active()
            .start(date(2027, 1, 4)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

#[test]
fn an_address_passes_on_only_to_a_later_leaver() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(row("E2")
            .mail(ADA)
            .name("Bob Roe")
            .ended()
            .end(date(2026, 12, 24)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

#[test]
fn an_id_of_two_people_does_not_disable_other_ids() {
    let judged = world()
        .account_as("1", "nick@partner.example")
        .set("1", |account| account.external_id = text("E1"))
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(row("E2")
            .mail(ADA)
            .name("Ada Diaz")
            .ended()
            .end(date(2026, 10, 1)))
        .hr(row("E2").mail(BOB).name("Bob Roe").active())
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn a_new_tenure_of_a_colleague_is_not_a_transfer() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA).name("Ada Roe"))
        .hr(row("E2")
            .mail(ADA)
            .name("Ada Diaz")
            .ended()
            .start(date(2020, 1, 1))
            .end(date(2026, 11, 1)))
        .hr(row("E2")
            .mail(ADA)
            .name("Ada Diaz")
            .active()
            .start(date(2026, 11, 2)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

#[test]
fn an_address_during_garden_leave_is_not_shared() {
    let garden = row("E1").mail(ADA).name("Ada Diaz").active();
    let judged = world()
        .account(ADA)
        .hr(garden.last_day(date(2026, 11, 2)).end(date(2026, 12, 24)))
        .hr(row("E2")
            .mail(ADA)
            .name("Bob Roe")
            .active()
            .start(date(2026, 11, 5)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

#[test]
fn a_last_day_before_the_start_does_not_reassign_an_address() {
    let upcoming = row("E2").mail(ADA).name("Bob Roe").ended();
    let upcoming = upcoming.start(date(2026, 11, 3)).end(date(2026, 12, 24));
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(upcoming.last_day(date(2025, 5, 31)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

#[test]
fn a_name_in_another_script_does_not_hide_a_related_name() {
    let judged = world()
        .account(ADA)
        .hr(left("E1")
            .mail(ADA)
            .name("\u{410}\u{434}\u{430} \u{414}\u{438}\u{430}\u{441}"))
        .hr(left("E1").name("Ada Diaz"))
        .hr(row("E2").mail(ADA).name("Ada Roe").active())
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

#[test]
fn two_ids_whose_people_have_one_name_and_work_address_are_one_person() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").name("Ada Diaz"))
        .hr(left("E1").mail(ADA))
        .hr(row("E2").mail(ADA).name("Ada Diaz").active())
        .judge();
    assert_eq!(leaver(&judged, ADA).other_person_ids.len(), 1);
}
