//! Each leaver has exactly one outcome.

use super::world::*;
use crate::judgement::{FindingKind, Outcome, Severity, Verdict, WithinSla};
use crate::model::{FeedColumn, Meaning, Role, Status, UnreadCell};

const ADA: &str = "ada@example.com";

#[test]
fn nothing_to_report_is_a_pass() {
    let judged = world().account(ADA).judge();
    assert_eq!(judged.verdict, Verdict::Pass);
    assert!(judged.complete);
    assert!(judged.reasons.is_empty());
    assert!(judged.leavers.is_empty() && judged.findings.is_empty() && judged.changes.is_empty());
}

#[test]
fn a_leaver_who_is_still_active_is_found() {
    let judged = world().account(ADA).leaver(ADA, date(2026, 11, 2)).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(leaver(&judged, ADA).within_sla, WithinSla::No);
    assert_eq!(kinds(&judged), [FindingKind::OffboardedAccess]);
    assert_eq!(judged.verdict, Verdict::Fail);
}

#[test]
fn findings_show_whether_a_leaver_is_admin_guest_or_invited() {
    let mut world = world();
    for who in ["admin", "guest", "invited", "member"] {
        let email = format!("{who}@example.com");
        world = world.account(&email).leaver(&email, date(2026, 11, 2));
    }
    let judged = world
        .role("admin", Role::Admin)
        .role("guest", Role::Guest)
        .status("invited", Status::Invited)
        .judge();
    let found: Vec<_> = judged
        .findings
        .iter()
        .map(|finding| {
            let (role, status) = (finding.role.clone(), finding.status.clone());
            (finding.severity, role.unwrap(), status.unwrap())
        })
        .collect();
    assert_eq!(
        found,
        [
            (Severity::Critical, Role::Admin, Status::Active),
            (Severity::High, Role::Guest, Status::Active),
            (Severity::High, Role::Member, Status::Invited),
            (Severity::High, Role::Member, Status::Active),
        ]
    );
}

#[test]
fn a_leaver_of_unknown_status_is_not_evaluable() {
    for when in [date(2026, 11, 2), date(2026, 11, 22)] {
        let judged = world()
            .account(ADA)
            .status("ada", Status::Unknown(Some("paused".to_owned())))
            .leaver(ADA, when)
            .judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn access_is_within_grace_up_to_the_deadline() {
    // Work ends at the midnight at the end of the 22nd. With a day of grace, the deadline is the next midnight.
    let evening = world().account(ADA).leaver(ADA, date(2026, 11, 22));
    let judged = evening.clone().at("2026-11-24T00:00:00Z").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::WithinGrace);
    assert_eq!(leaver(&judged, ADA).within_sla, WithinSla::Unknown);
    assert_eq!(judged.verdict, Verdict::Pass);

    let judged = evening.at("2026-11-24T00:00:01Z").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn work_has_ended_at_its_very_end() {
    let world = world().account(ADA).leaver(ADA, date(2026, 11, 23));
    let judged = world.clone().at("2026-11-23T23:59:59Z").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Upcoming);
    assert_eq!(judged.verdict, Verdict::Pass);

    let judged = world.clone().at("2026-11-24T00:00:00Z").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::WithinGrace);

    let without_grace = world.policy(|policy| policy.offboarding_grace_seconds = 0);
    let judged = without_grace.clone().at("2026-11-24T00:00:00Z").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::WithinGrace);
    let judged = without_grace.at("2026-11-24T00:00:01Z").judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

#[test]
fn a_last_day_of_work_wins_over_the_termination_date() {
    let leaves = row("E1")
        .mail(ADA)
        .ended()
        .end(date(2026, 12, 31))
        .last_day(date(2026, 10, 31));
    let judged = world().account(ADA).hr(leaves).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    let tenure = &leaver(&judged, ADA).tenures[0];
    assert_eq!(tenure.end.as_deref(), Some("2026-12-31"));
    assert_eq!(tenure.last_day.as_deref(), Some("2026-10-31"));
}

#[test]
fn an_inactive_account_is_removed_access() {
    let judged = world()
        .account(ADA)
        .status("ada", Status::Inactive)
        .leaver(ADA, date(2026, 11, 2))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Removed);
    assert_eq!(judged.verdict, Verdict::Pass);
}

#[test]
fn the_worst_of_several_accounts_decides() {
    let two = world()
        .account_as("1", ADA)
        .account_as("2", "ada@home.example")
        .hr(row("E1")
            .mail(ADA)
            .other("ada@home.example")
            .ended()
            .end(date(2026, 11, 2)));
    let unknown = || Status::Unknown(None);
    let cases = [
        (Status::Inactive, Status::Active, Outcome::StillActive, "2"),
        (unknown(), Status::Active, Outcome::StillActive, "2"),
        (Status::Inactive, unknown(), Outcome::NotEvaluable, "2"),
        (Status::Inactive, Status::Inactive, Outcome::Removed, "1"),
        (Status::Active, Status::Inactive, Outcome::StillActive, "1"),
    ];
    for (first, second, expected, worst) in cases {
        let judged = two.clone().status("1", first).status("2", second).judge();
        assert_eq!(outcome(&judged, ADA), expected);
        assert_eq!(leaver(&judged, ADA).account_id[0], worst);
        assert_eq!(leaver(&judged, ADA).account_id.len(), 2);
    }
}

#[test]
fn no_access_found_needs_a_key_that_could_have_matched() {
    let cases = [
        // In a domain of accounts, and in a domain of only guests or a public provider.
        ("ada@example.com", Outcome::NoAccessFound),
        ("ada@partner.example", Outcome::NotEvaluable),
        ("ada@gmail.com", Outcome::NotEvaluable),
        ("ada@elsewhere.example", Outcome::NotEvaluable),
    ];
    for (email, expected) in cases {
        let judged = world()
            .account("guest@partner.example")
            .role("guest", Role::Guest)
            .account("member@gmail.com")
            .leaver(email, date(2026, 11, 2))
            .judge();
        assert_eq!(outcome(&judged, email), expected, "{email}");
    }
}

#[test]
fn a_domain_named_in_the_settings_is_the_organizations() {
    let judged = world()
        .policy(|policy| policy.internal_domains = vec!["Old.Example".to_owned()])
        .leaver("ada@old.example", date(2026, 11, 2))
        .judge();
    assert_eq!(outcome(&judged, "ada@old.example"), Outcome::NoAccessFound);
}

#[test]
fn a_public_mail_provider_is_never_an_own_domain() {
    let judged = world()
        .policy(|policy| policy.internal_domains = vec!["gmail.com".to_owned()])
        .leaver("ada@gmail.com", date(2026, 11, 2))
        .judge();
    assert_eq!(outcome(&judged, "ada@gmail.com"), Outcome::NotEvaluable);
    assert_eq!(judged.organization_domains, ["example.com"]);
}

#[test]
fn a_leaver_without_an_address_is_not_evaluable() {
    let judged = world().hr(row("E1").ended().end(date(2026, 11, 2))).judge();
    assert_eq!(judged.leavers[0].outcome, Outcome::NotEvaluable);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
}

#[test]
fn an_id_proves_absence_only_if_every_account_has_one() {
    let ada = row("E1").ended().end(date(2026, 11, 2));
    let bob = row("E2").mail("bob@example.com").active();
    let carried = |id: &str| Some(id.to_owned());
    let some = world()
        .account("bob@example.com")
        .set("bob", |account| account.external_id = carried("E2"))
        .hr(ada)
        .hr(bob);
    assert_eq!(some.judge().leavers[0].outcome, Outcome::NotEvaluable);

    let all = some.set("root", |account| account.external_id = carried("E0"));
    assert_eq!(all.judge().leavers[0].outcome, Outcome::NoAccessFound);
}

#[test]
fn an_incomplete_run_finds_access_but_proves_no_absence() {
    let world = world()
        .account(ADA)
        .account("bob@example.com")
        .status("bob", Status::Inactive)
        .account("eve@example.com")
        .leaver(ADA, date(2026, 11, 2))
        .leaver("bob@example.com", date(2026, 11, 2))
        .leaver("cyd@example.com", date(2026, 11, 2))
        .leaver("eve@example.com", date(2026, 11, 22));
    let judged = world.cut().judge();
    assert!(!judged.complete);
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    for email in ["bob@example.com", "cyd@example.com", "eve@example.com"] {
        assert_eq!(outcome(&judged, email), Outcome::NotEvaluable, "{email}");
    }
    assert_eq!(judged.verdict, Verdict::Fail);
}

#[test]
fn the_worst_outcomes_come_first() {
    let judged = world()
        .account("zoe@example.com")
        .leaver("abe@example.com", date(2026, 11, 2))
        .leaver("zoe@example.com", date(2026, 11, 2))
        .leaver("bea@elsewhere.example", date(2026, 11, 2))
        .judge();
    let outcomes: Vec<Outcome> = judged.leavers.iter().map(|leaver| leaver.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::StillActive,
            Outcome::NotEvaluable,
            Outcome::NoAccessFound
        ]
    );
}

#[test]
fn an_end_of_work_at_the_end_of_time_is_upcoming() {
    let mut forever = row("E1").mail(ADA).active().end(date(2026, 11, 2));
    forever.0.end.as_mut().unwrap().at = jiff::Timestamp::MAX;
    let judged = world().account(ADA).hr(forever).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Upcoming);
}

#[test]
fn a_column_is_mostly_blank_among_employed_people() {
    let column = FeedColumn {
        name: "Exit".to_owned(),
        meaning: Meaning::Unread,
    };
    let mut dated = row("E1").mail(ADA).active();
    dated.0.unread = vec![UnreadCell {
        column: 0,
        date: Some(at("2026-11-03T00:00:00Z")),
        emails: Vec::new(),
    }];
    let judged = world()
        .change(|inputs| inputs.hr.origin.columns = vec![column])
        .account(ADA)
        .hr(dated)
        .hr(row("E2").active().end(date(2026, 12, 24)))
        .hr(row("E3").active().end(date(2026, 12, 24)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}
