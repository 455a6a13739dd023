//! A feed that names everybody who works here, and who is missing from it.

use super::world::*;
use crate::judgement::{
    CheckId, CheckStatus, FeedScope, FindingKind, OffboardingResult, Outcome, Severity, Verdict,
    WithinSla,
};
use crate::model::{Role, Status};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// Root, Ada and Bob work here and have accounts.
fn everybody() -> World {
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
fn a_roster_in_which_everybody_works_here_passes_without_leavers() {
    let judged = everybody().judge();
    assert_eq!(judged.verdict, Verdict::Pass);
    assert!(judged.leavers.is_empty() && judged.findings.is_empty());
    assert_eq!(status(&judged, CheckId::HrNotEmpty), CheckStatus::Pass);
    assert_eq!(judged.links.len(), 3);

    let empty = everybody().no_rows().judge();
    assert_eq!(status(&empty, CheckId::HrNotEmpty), CheckStatus::Fail);
}

#[test]
fn an_internal_account_nobody_in_hr_owns_is_a_finding_and_guests_are_kept_apart() {
    let snapshot = everybody()
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
fn an_administrator_nobody_in_hr_owns_makes_the_run_inconclusive() {
    let snapshot = everybody()
        .account("eve@example.com")
        .role("eve", Role::Admin);
    let judged = snapshot.judge();
    assert_eq!(judged.findings[0].severity, Severity::High);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert_eq!(judged.reasons, ["1 administrator(s) have no HR record"]);

    let excepted = snapshot.exception(|exception| exception.account_id = text("eve"));
    let judged = excepted.judge();
    assert!(judged.findings.is_empty());
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
}

#[test]
fn a_service_account_needs_an_owner_whom_hr_knows() {
    let bot = |owner: &'static str| {
        everybody().account("bot@example.com").alias(|alias| {
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
fn in_a_feed_of_leavers_an_account_without_hr_record_is_no_finding() {
    let judged = world().account(ADA).judge();
    assert!(judged.findings.is_empty());
}

#[test]
fn somebody_missing_from_the_roster_is_not_evaluable_until_access_is_gone() {
    let snapshot = without_row(everybody().next(), "E1");
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
fn somebody_missing_who_comes_back_or_is_named_as_a_leaver_is_judged_by_that() {
    let missing = without_row(everybody().next(), "E1").next();
    let back = missing.clone().hr(row("E1").mail(ADA).active()).judge();
    assert_eq!(outcome(&back, ADA), Outcome::Rescinded);
    assert_eq!(back.verdict, Verdict::Pass);
    let left = row("E1").mail(ADA).ended().end(date(2026, 11, 20));
    let judged = missing.hr(left).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn runs_without_a_readable_roster_forget_nobody() {
    let rows = everybody().inputs.hr.rows;
    let snapshot = everybody().next().unusable().next().unusable().snapshots(2);
    let snapshot = snapshot.no_rows().change(|inputs| {
        inputs.hr.rows = rows
            .into_iter()
            .filter(|row| row.person_id.as_deref() != Some("E1"))
            .collect();
    });
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::NotEvaluable);
}

#[test]
fn somebody_named_in_a_row_that_cannot_be_read_is_not_missing_and_not_forgotten() {
    let rejected = without_row(everybody().next(), "E1").rejected(Some("E1"), None);
    let judged = rejected.judge();
    assert!(judged.leavers.is_empty());
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    let gone = rejected.next().change(|inputs| inputs.hr.rejected.clear());
    assert_eq!(outcome(&gone.judge(), ADA), Outcome::NotEvaluable);
}

#[test]
fn a_leaver_who_drops_out_of_a_roster_is_followed_as_in_any_feed() {
    let left = row("E1").mail(ADA).ended().end(date(2026, 11, 2));
    let snapshot = without_row(everybody(), "E1").hr(left).next();
    let judged = without_row(snapshot, "E1").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(judged.leavers.len(), 1);
}

#[test]
fn a_new_address_with_the_same_id_is_the_same_member() {
    let snapshot = everybody().next();
    let snapshot = without_row(snapshot, "E1").hr(row("E1").mail("ada.new@example.com").active());
    let judged = snapshot.email("ada", "ada.new@example.com").judge();
    assert!(judged.leavers.is_empty(), "{:?}", judged.leavers);
}

#[test]
fn a_private_or_recycled_address_fills_no_gap_in_a_roster() {
    let shared = "family@gmail.com";
    let snapshot = everybody().no_rows();
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
fn somebody_missing_with_an_account_that_may_be_theirs_is_not_forgotten() {
    let snapshot = everybody()
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
fn a_run_of_another_scope_forgets_nobody() {
    let scope = |snapshot: World, scope| snapshot.policy(|policy| policy.hr_feed_scope = scope);
    let snapshot = scope(everybody().next(), FeedScope::Leavers).next();
    let snapshot = without_row(scope(snapshot, FeedScope::Roster), "E1");
    assert_eq!(outcome(&snapshot.judge(), ADA), Outcome::NotEvaluable);
}

#[test]
fn a_service_account_has_an_owner_if_hr_knows_any_of_those_named() {
    for owners in [["E1", "E77"], ["E77", "E1"]] {
        let mut snapshot = everybody().account("bot@example.com");
        for owner in owners {
            snapshot = snapshot.alias(|alias| {
                alias.account_id = text("bot");
                alias.relation = text("service");
                alias.owner = text(owner);
                alias.reason = text("a bot");
                alias.expires_on = text("2027-01-31");
            });
        }
        // The other line is a finding of its own.
        let kinds = kinds(&snapshot.judge());
        assert_eq!(kinds, [FindingKind::AliasInvalid], "{owners:?}");
    }
}
