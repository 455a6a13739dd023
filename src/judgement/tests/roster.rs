//! A feed that names all employed people, and people who are missing from it.

use super::world::*;
use crate::judgement::{
    CheckId, CheckStatus, FeedScope, FindingKind, OffboardingResult, Outcome, Severity, Verdict,
    WithinSla,
};
use crate::model::{Role, Status};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// Root, Ada and Bob are employed and have accounts.
fn employed_people() -> World {
    world()
        .policy(|policy| {
            policy.hr_feed_scope = FeedScope::Roster;
            policy.hr_feed_allow_empty = false;
        })
        .account(ADA)
        .account(BOB)
        .hr(row("E0").mail(VIEWER).active())
        .hr(row("E1").mail(ADA).active())
        .hr(row("E2").mail(BOB).active())
}

fn without_row(world: World, id: &str) -> World {
    world.change(|inputs| {
        inputs
            .hr
            .rows
            .retain(|row| row.person_id.as_deref() != Some(id));
    })
}

#[test]
fn a_roster_of_employed_people_passes_without_leavers() {
    let judged = employed_people().judge();
    assert_eq!(judged.verdict, Verdict::Pass);
    assert!(judged.leavers.is_empty() && judged.findings.is_empty());
    assert_eq!(status(&judged, CheckId::HrNotEmpty), CheckStatus::Pass);
    assert_eq!(judged.links.len(), 3);

    let empty = employed_people().no_rows().judge();
    assert_eq!(status(&empty, CheckId::HrNotEmpty), CheckStatus::Fail);
}

#[test]
fn an_internal_account_without_hr_record_is_a_finding() {
    let snapshot = employed_people()
        .account("eve@example.com")
        .account("gone@example.com")
        .status("gone", Status::Inactive)
        .account("pat@partner.example")
        .role("pat", Role::Guest)
        .account("guest@example.com")
        .role("guest", Role::Guest)
        .account("kim@gmail.com");
    let judged = snapshot.judge();
    assert_eq!(kinds(&judged), [FindingKind::AccountWithoutHrRecord]);
    let finding = &judged.findings[0];
    assert_eq!(finding.account_id.as_deref(), Some("eve"));
    assert_eq!(finding.severity, Severity::Medium);
    assert_eq!(judged.verdict, Verdict::Pass);
}

#[test]
fn an_administrator_without_hr_record_makes_a_run_inconclusive() {
    let snapshot = employed_people()
        .account("eve@example.com")
        .role("eve", Role::Admin);
    let judged = snapshot.judge();
    assert_eq!(judged.findings[0].severity, Severity::High);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert_eq!(judged.reasons, ["1 administrator has no HR record"]);

    let excepted = snapshot.exception(|exception| exception.account_id = text("eve"));
    let judged = excepted.judge();
    assert!(judged.findings.is_empty());
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
}

#[test]
fn a_service_account_needs_an_owner_in_the_roster() {
    let bot = |owner: &'static str| {
        employed_people().account("bot@example.com").alias(|alias| {
            alias.account_id = text("bot");
            alias.relation = text("service");
            alias.owner = text(owner);
            alias.reason = text("a bot");
            alias.expires_on = text("2027-01-31");
        })
    };
    assert!(bot("E1").judge().findings.is_empty());
    assert!(bot("ADA@example.com").judge().findings.is_empty());
    assert_eq!(
        kinds(&bot("E77").judge()),
        [
            FindingKind::AccountWithoutHrRecord,
            FindingKind::AliasInvalid
        ]
    );
}

#[test]
fn a_leavers_feed_does_not_report_accounts_without_hr_record() {
    let judged = world().account(ADA).judge();
    assert!(judged.findings.is_empty());
}

#[test]
fn a_person_missing_from_the_roster_is_not_evaluable() {
    let snapshot = without_row(employed_people().next(), "E1");
    for snapshot in [snapshot.clone(), snapshot.clone().snapshots(3)] {
        let judged = snapshot.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        assert_eq!(judged.leavers.len(), 1);
    }
    assert_eq!(
        changes(&snapshot.judge()),
        ["leaver_added E1:  -> not_evaluable"]
    );
    let gone = snapshot.next().without("ada");
    let judged = gone.judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Removed);
    assert_eq!(leaver(&judged, ADA).within_sla, WithinSla::Unknown);
    let next = gone.next().judge();
    assert_eq!(
        leaver(&next, ADA).result,
        Some(OffboardingResult::NotDemonstrated)
    );
    assert_eq!(next.verdict, Verdict::Pass);
}

#[test]
fn a_missing_person_is_judged_by_a_new_row() {
    let missing = without_row(employed_people().next(), "E1").next();
    let back = missing.clone().hr(row("E1").mail(ADA).active()).judge();
    assert_eq!(outcome(&back, ADA), Outcome::Rescinded);
    assert_eq!(back.verdict, Verdict::Pass);
    let left = row("E1").mail(ADA).ended().end(date(2026, 11, 20));
    let judged = missing.hr(left).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn runs_without_a_readable_roster_keep_all_people() {
    let rows = employed_people().inputs.hr.rows;
    let snapshot = employed_people()
        .next()
        .unusable()
        .next()
        .unusable()
        .snapshots(2);
    let snapshot = snapshot.no_rows().change(|inputs| {
        inputs.hr.rows = rows
            .into_iter()
            .filter(|row| row.person_id.as_deref() != Some("E1"))
            .collect();
    });
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::NotEvaluable);
}

#[test]
fn a_person_in_an_unreadable_row_is_not_missing() {
    let rejected = without_row(employed_people().next(), "E1").rejected(Some("E1"), None);
    let judged = rejected.judge();
    assert!(judged.leavers.is_empty());
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    let gone = rejected.next().change(|inputs| inputs.hr.rejected.clear());
    assert_eq!(outcome(&gone.judge(), ADA), Outcome::NotEvaluable);
}

#[test]
fn a_leaver_who_leaves_the_roster_is_still_followed() {
    let left = row("E1").mail(ADA).ended().end(date(2026, 11, 2));
    let snapshot = without_row(employed_people(), "E1").hr(left).next();
    let judged = without_row(snapshot, "E1").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(judged.leavers.len(), 1);
}

#[test]
fn a_new_address_with_the_same_id_is_the_same_member() {
    let snapshot = employed_people().next();
    let snapshot = without_row(snapshot, "E1").hr(row("E1").mail("ada.new@example.com").active());
    let judged = snapshot.email("ada", "ada.new@example.com").judge();
    assert!(judged.leavers.is_empty(), "{:?}", judged.leavers);
}

#[test]
fn a_private_or_recycled_address_does_not_replace_a_person() {
    let shared = "family@gmail.com";
    let snapshot = employed_people().no_rows();
    let snapshot = snapshot
        .hr(row("E0").mail(VIEWER).active())
        .hr(row("E1").name("Ada").mail(ADA).other(shared).active())
        .hr(row("E2").name("Bob Roe").mail(BOB).other(shared).active())
        .next();
    let judged = without_row(snapshot.clone(), "E2").judge();
    assert_eq!(outcome(&judged, BOB), Outcome::NotEvaluable);

    let recycled = row("E9").name("Rob Jones").mail(BOB).active();
    let judged = without_row(snapshot, "E2").hr(recycled).judge();
    let missing = judged
        .leavers
        .iter()
        .find(|l| l.person_id.as_deref() == Some("E2"));
    assert_eq!(missing.map(|l| l.outcome), Some(Outcome::NotEvaluable));
    assert_ne!(judged.verdict, Verdict::Pass);
}

#[test]
fn a_missing_person_with_a_suspected_account_is_kept() {
    let snapshot = employed_people()
        .without("bob")
        .account_as("7", "bob+asana@example.com")
        .next();
    let snapshot = without_row(snapshot, "E2");
    for snapshot in [snapshot.clone(), snapshot.clone().snapshots(3)] {
        let judged = snapshot.judge();
        assert_eq!(outcome(&judged, BOB), Outcome::NotEvaluable);
        assert!(kinds(&judged).contains(&FindingKind::PossibleOffboardedAccess));
        assert_ne!(judged.verdict, Verdict::Pass);
    }
}

#[test]
fn a_run_of_another_scope_keeps_all_people() {
    let scope = |snapshot: World, scope| snapshot.policy(|policy| policy.hr_feed_scope = scope);
    let snapshot = scope(employed_people().next(), FeedScope::Leavers).next();
    let snapshot = without_row(scope(snapshot, FeedScope::Roster), "E1");
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::NotEvaluable);
}

#[test]
fn a_service_account_has_an_owner_if_one_line_names_one() {
    for owners in [["E1", "E77"], ["E77", "E1"]] {
        let mut snapshot = employed_people().account("bot@example.com");
        for owner in owners {
            snapshot = snapshot.alias(|alias| {
                alias.account_id = text("bot");
                alias.relation = text("service");
                alias.owner = text(owner);
                alias.reason = text("a bot");
                alias.expires_on = text("2027-01-31");
            });
        }
        // The other line gets its own finding.
        let kinds = kinds(&snapshot.judge());
        assert_eq!(kinds, [FindingKind::AliasInvalid], "{owners:?}");
    }
}
