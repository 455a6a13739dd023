//! The findings of a run.

use std::collections::BTreeSet;

use super::world::*;
use crate::judgement::{FindingKind, Judgement, Severity};
use crate::model::{Exception, Status};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

#[test]
fn a_finding_id_is_a_digest_that_an_auditor_can_compute() {
    // printf 'conn\noffboarded_access\nada\nE-ada' | sha256sum | cut -c 1-16
    let judged = world().account(ADA).leaver(ADA, date(2026, 11, 2)).judge();
    assert_eq!(judged.findings[0].finding_id, "e5074780e9828c81");

    // printf 'conn\naccount_unidentifiable\nx\n' | sha256sum | cut -c 1-16
    let judged = world()
        .account(ADA)
        .account("x@example.com")
        .set("x", |account| account.emails.clear())
        .judge();
    assert_eq!(judged.findings[0].finding_id, "7e73b66560bf01b6");
}

#[test]
fn a_finding_reports_how_long_access_is_overdue() {
    let judged = world()
        .account(ADA)
        .named("ada", "Ada")
        .leaver(ADA, date(2026, 11, 20))
        .judge();
    let finding = &judged.findings[0];
    assert_eq!(finding.end_of_work, Some(at("2026-11-21T00:00:00Z")));
    assert_eq!(finding.deadline, Some(at("2026-11-22T00:00:00Z")));
    assert_eq!(finding.overdue_hours, Some(46));
    assert_eq!(finding.name.as_deref(), Some("Ada"));
}

#[test]
fn first_seen_is_kept_until_a_run_without_the_finding() {
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 2));
    let first = snapshot.inputs.as_of;
    let seen = |world: &World| world.judge().findings[0].first_seen;
    let snapshot = snapshot.snapshots(3);
    assert_eq!(seen(&snapshot), first);

    // A failed run and an incomplete run that saw the access do not interrupt the series.
    let snapshot = snapshot.sleep().cut().next();
    assert_eq!(seen(&snapshot), first);

    let back = snapshot
        .status("ada", Status::Inactive)
        .next()
        .status("ada", Status::Active);
    assert_eq!(seen(&back), back.inputs.as_of);
}

#[test]
fn an_account_with_access_but_without_an_address_is_a_finding() {
    let judged = world()
        .account(ADA)
        .set("ada", |account| account.emails.clear())
        .judge();
    assert_eq!(kinds(&judged), [FindingKind::AccountUnidentifiable]);
    assert_eq!(judged.findings[0].severity, Severity::Medium);
    let judged = world()
        .account(ADA)
        .set("ada", |account| account.emails.clear())
        .status("ada", Status::Inactive)
        .judge();
    assert!(judged.findings.is_empty());
}

#[test]
fn each_account_with_access_has_its_own_finding() {
    let judged = world()
        .account_as("1", ADA)
        .account_as("2", ADA)
        .account_as("3", ADA)
        .status("3", Status::Inactive)
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    let accounts: Vec<_> = judged
        .findings
        .iter()
        .map(|finding| finding.account_id.as_deref().unwrap())
        .collect();
    assert_eq!(accounts, ["1", "2"]);
}

#[test]
fn the_most_severe_finding_comes_first() {
    let judged = world()
        .account("zed@example.com")
        .set("zed", |account| account.emails.clear())
        .account(ADA)
        .leaver(ADA, date(2026, 11, 2))
        .leaver(VIEWER, date(2026, 11, 2))
        .judge();
    let severities: Vec<_> = judged.findings.iter().map(|found| found.severity).collect();
    assert_eq!(
        severities,
        [Severity::Critical, Severity::High, Severity::Medium]
    );
}

#[test]
fn a_doubtful_account_is_not_a_finding_beside_open_access() {
    let judged = world()
        .account(ADA)
        .account(BOB)
        .hr(left("E1").mail(ADA).other(BOB).name("Ada Roe"))
        .hr(row("E2").mail(ADA).name("Ada Diaz").active())
        .judge();
    let found = judged
        .findings
        .iter()
        .filter(|of| of.kind == FindingKind::OffboardedAccess);
    let found: Vec<_> = found.filter_map(|of| of.account_id.as_deref()).collect();
    assert_eq!(found, ["bob"]);
}

#[test]
fn each_expired_exception_is_followed_by_its_own_keys() {
    let expired = |email: &str, check: &str| {
        let key = |key: &str| Some(key.to_owned()).filter(|key| !key.is_empty());
        let keys = [key(email), key(check)];
        move |exception: &mut Exception| {
            let [email, check] = keys;
            exception.email = email;
            exception.check = check;
            exception.expires_on = text("2026-11-21");
        }
    };
    let both = world()
        .exception(expired("ada@example.com", ""))
        .exception(expired("bob@example.com", ""))
        .exception(expired("", "hr_drop"))
        .judge();
    let ids = |judged: &Judgement| {
        let ids = judged.findings.iter().map(|of| of.finding_id.clone());
        BTreeSet::from_iter(ids)
    };
    assert_eq!(kinds(&both), [FindingKind::ExceptionInvalid; 3]);
    assert_eq!(ids(&both).len(), 3);
    let one = world().exception(expired("bob@example.com", "")).judge();
    assert!(ids(&one).is_subset(&ids(&both)));
}
