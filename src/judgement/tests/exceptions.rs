//! The approver, the instant since which an exception is in force, and the state of each line.

use super::world::*;
use crate::judgement::{
    CheckId, CheckStatus, FindingKind, Judgement, ManualKind, ManualState, ManualUse, Outcome,
    Verdict,
};
use crate::model::{Exception, Role, Status};

const ADA: &str = "ada@example.com";
const LEFT: jiff::civil::Date = jiff::civil::date(2026, 11, 2);

/// The only line of a file.
fn used(judged: &Judgement, kind: ManualKind) -> &ManualUse {
    let mut lines = judged.lines_of(kind);
    let line = lines.next().expect("a line");
    assert!(lines.next().is_none(), "several lines");
    line
}

fn exception(judged: &Judgement) -> &ManualUse {
    used(judged, ManualKind::Exception)
}

fn without_exceptions(world: World) -> World {
    world.change(|inputs| inputs.manual.exceptions = None)
}

fn for_ada(of: &mut Exception) {
    of.person_id = text("E-ada");
}

/// Checks that an exception by another approver covers access, and that one by these approvers is malformed.
fn ensure_refused(snapshot: &World, keys: fn(&mut Exception), approvers: &[&str]) {
    let by = |approver: &str| {
        let snapshot = snapshot.clone().exception(|of| {
            keys(of);
            of.approved_by = text(approver);
        });
        snapshot.judge()
    };
    assert_eq!(exception(&by("ciso@example.com")).state, ManualState::Used);
    for approver in approvers {
        let judged = by(approver);
        let line = exception(&judged);
        assert_eq!(line.state, ManualState::Malformed, "{approver}");
        assert_eq!(
            line.detail, "it is approved by the person it is for",
            "{approver}"
        );
        assert!(
            kinds(&judged).contains(&FindingKind::ExceptionInvalid),
            "{approver}"
        );
        assert_eq!(line.in_force_since, None, "{approver}");
    }
}

// ---- Who may approve ----

#[test]
fn a_former_address_of_the_account_cannot_approve() {
    let snapshot = world()
        .account(ADA)
        .named("ada", "Ada Roe")
        .hr(row("E-ada").mail(ADA).name("Ada Roe").active())
        .next()
        .email("ada", "ada.diaz@example.com")
        .named("ada", "Ada Diaz")
        .no_rows()
        .hr(left("E-ada").mail("ada.diaz@example.com").name("Ada Diaz"));
    let former = [
        ADA,
        "Ada+x@example.com",
        "\u{430}da@example.com",
        "ada.roe@home.example",
    ];
    for snapshots in [0, 2] {
        let later = snapshot.clone().snapshots(snapshots);
        ensure_refused(&later, |of| of.account_id = text("ada"), &former[..3]);
    }
    ensure_refused(&snapshot, for_ada, &former);
}

#[test]
fn a_former_address_from_hr_cannot_approve() {
    let snapshot = world()
        .account(ADA)
        .hr(row("E-ada")
            .mail(ADA)
            .other("ada@home.example")
            .name("Ada Roe")
            .active())
        .next()
        .no_rows()
        .hr(left("E-ada").mail(ADA));
    ensure_refused(
        &snapshot,
        for_ada,
        &["ada@home.example", "ada.roe@home.example"],
    );
}

#[test]
fn the_local_part_of_the_own_address_cannot_approve() {
    let snapshot = world()
        .account_as("77", "ada.diaz@example.com")
        .hr(left("E-ada").mail("ada.diaz@example.com"));
    let spellings = [
        "ada.diaz",
        "Ada_Diaz",
        "ada-diaz+asana",
        "\u{430}da.diaz",
        "77",
        "e-ADA",
    ];
    ensure_refused(&snapshot, for_ada, &spellings);
}

#[test]
fn an_address_that_only_resembles_the_own_one_may_approve() {
    let snapshot = world()
        .account_as("5", "anal@example.com")
        .hr(left("E-ada").mail("anal@example.com").name("Ana Lee"));
    for approver in [
        "ana1@example.com",
        "ana@example.com",
        "Anna.Lee@example.com",
        "E-ada1",
    ] {
        let judged = snapshot.clone().exception(|of| {
            for_ada(of);
            of.approved_by = text(approver);
        });
        assert_eq!(
            judged.judge().verdict,
            Verdict::PassWithExceptions,
            "{approver}"
        );
    }
}

#[test]
fn a_person_in_a_rejected_row_cannot_approve_it() {
    let rejected = |world: World| {
        world.rejected(Some("E-ada"), Some(ADA)).change(|inputs| {
            let row = inputs.hr.rejected.last_mut().expect("a row");
            row.name = Some("Ada Roe".into());
            row.other_emails = vec![mail("ada@home.example")];
        })
    };
    let snapshot = world()
        .account("ada.old@example.com")
        .hr(row("E-ada")
            .mail("ada.old@example.com")
            .name("Ada Smith")
            .active())
        .next()
        .no_rows();
    let approvers = [
        "E-ada",
        ADA,
        "ada@home.example",
        "ada.roe@gmail.com",
        "roe-ada",
        "Roe, Ada <boss@example.com>",
        "ada.old@example.com",
        "ada.smith@example.com",
    ];
    ensure_refused(&rejected(snapshot), for_ada, &approvers);
    let first = rejected(world());
    ensure_refused(&first, |of| of.email = text(ADA), &approvers[..6]);
}

#[test]
fn a_self_approved_exception_is_reported_before_it_is_needed() {
    let snapshot = world()
        .account(ADA)
        .hr(row("E-ada").mail(ADA).name("Ada Diaz").active())
        .exception(|of| {
            for_ada(of);
            of.approved_by = text("ada.diaz@example.com");
        });
    assert_eq!(exception(&snapshot.judge()).state, ManualState::Malformed);
}

#[test]
fn owner_and_user_cannot_approve_a_service_account() {
    let unknown_owner = world().alias(|alias| {
        alias.account_id = text("root");
        alias.relation = text("service");
        alias.owner = text("bob@example.com");
        alias.approved_by = text("bob@example.com");
        alias.expires_on = text("2027-01-31");
    });
    let judged = unknown_owner.judge();
    assert_eq!(
        used(&judged, ManualKind::Alias).state,
        ManualState::Malformed
    );
    let bot = |approver: &'static str| {
        world()
            .account("bot@example.com")
            .named("bot", "Ada Diaz")
            .hr(row("E-bob")
                .mail("bob@example.com")
                .name("Bob Roe")
                .active())
            .alias(move |alias| {
                alias.account_id = text("bot");
                alias.relation = text("service");
                alias.owner = text("E-bob");
                alias.approved_by = text(approver);
                alias.expires_on = text("2027-01-31");
            })
    };
    for approver in [
        "E-bob",
        "bob@example.com",
        "bob.roe",
        "bot@example.com",
        "ada.diaz@home.example",
    ] {
        let judged = bot(approver).judge();
        let line = used(&judged, ManualKind::Alias);
        assert_eq!(line.state, ManualState::Malformed, "{approver}");
        let reason = "it is approved by the owner or the user of the account";
        assert_eq!(line.detail, reason, "{approver}");
    }
    let judged = bot("ciso@example.com").judge();
    assert_eq!(used(&judged, ManualKind::Alias).state, ManualState::Used);
}

#[test]
fn a_former_account_address_cannot_approve_a_different_alias() {
    let snapshot = world()
        .account_as("1", "nick@example.com")
        .next()
        .email("1", "x@example.com")
        .named("1", "Ada Diaz")
        .hr(left("E-ada").mail(ADA).name("Ada Diaz"))
        .alias(|alias| {
            alias.account_id = text("1");
            alias.person_id = text("E-ada");
            alias.relation = text("different");
            alias.approved_by = text("nick@example.com");
        });
    let judged = snapshot.judge();
    assert_eq!(
        used(&judged, ManualKind::Alias).state,
        ManualState::Malformed
    );
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

#[test]
fn same_person_needs_keys_of_two_people() {
    for pair in ["E1=E1", "E1=", "=E2", "E1"] {
        let judged = world().alias(|alias| {
            alias.person_id = text(pair);
            alias.relation = text("same_person");
        });
        let judged = judged.judge();
        let line = used(&judged, ManualKind::Alias);
        assert_eq!(line.state, ManualState::Malformed, "{pair}");
    }
}

#[test]
fn a_service_line_that_ends_leaves_the_suspicion_open() {
    let suspected = world()
        .account_as("8", "x@example.com")
        .named("8", "Ada Diaz")
        .hr(left("E-ada").mail("ada@home.example").name("Ada Diaz"))
        .next();
    let decided = suspected.clone().alias(|alias| {
        alias.account_id = text("8");
        alias.relation = text("service");
        alias.owner = text("root@example.com");
        alias.expires_on = text("2026-12-31");
    });
    assert_eq!(
        decided.judge().verdict,
        Verdict::Inconclusive,
        "no other search is possible"
    );
    assert!(!kinds(&decided.judge()).contains(&FindingKind::PossibleOffboardedAccess));
    let next = decided.next().named("8", "Another Name");
    let deleted = next.clone().change(|inputs| inputs.manual.aliases = None);
    for snapshot in [deleted, next.at("2027-01-01T22:40:00Z")] {
        let kinds = kinds(&snapshot.judge());
        assert!(
            kinds.contains(&FindingKind::PossibleOffboardedAccess),
            "{kinds:?}"
        );
    }
}

// ---- Since when ----

/// Ada leaves on 22 November and keeps her access.
fn leaves() -> World {
    world().account(ADA).leaver(ADA, date(2026, 11, 22))
}

#[test]
fn an_exception_after_the_deadline_is_after_the_fact() {
    // The deadline is the end of the 23rd.
    let overdue = leaves().snapshots(4);
    assert_eq!(overdue.judge().verdict, Verdict::Fail);
    let judged = overdue.exception(for_ada).judge();
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
    assert_eq!(
        judged.reasons,
        ["1 risk acceptance in use, 1 after the fact; 1 leaver keeps access under it"]
    );
    let line = exception(&judged);
    assert!(line.after_the_fact);
    assert_eq!(line.in_force_since, Some(at("2026-11-27T22:40:00Z")));
    assert_eq!(
        leaver(&judged, ADA).note,
        "account ada: exception in line 2, approved by “ciso@example.com” until 2026-12-24: “hands over a project” \
         (after the fact: in force since 2026-11-27T22:40:00Z)"
    );
}

#[test]
fn an_exception_before_the_deadline_is_not_after_the_fact() {
    let judged = leaves().exception(for_ada).snapshots(6).judge();
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
    assert!(!exception(&judged).after_the_fact);
    assert_eq!(
        exception(&judged).in_force_since,
        Some(at("2026-11-23T22:40:00Z"))
    );
    assert!(!leaver(&judged, ADA).note.contains("after the fact"));
}

#[test]
fn the_deadline_from_notice_also_counts() {
    // HR names Ada on the 25th, so the deadline from notice is the evening of the 26th.
    let named = |snapshots: usize| {
        let snapshot = world().account(ADA).snapshots(2).leaver(ADA, LEFT);
        snapshot.snapshots(snapshots).exception(for_ada).judge()
    };
    assert!(!exception(&named(0)).after_the_fact);
    assert!(!exception(&named(1)).after_the_fact);
    assert!(exception(&named(2)).after_the_fact);
}

#[test]
fn an_exception_of_the_first_run_is_never_after_the_fact() {
    let snapshot = world().account(ADA).leaver(ADA, LEFT).exception(for_ada);
    for snapshots in [0, 1, 5] {
        let judged = snapshot.clone().snapshots(snapshots).judge();
        assert!(!exception(&judged).after_the_fact, "{snapshots}");
        assert_eq!(
            exception(&judged).in_force_since,
            Some(at("2026-11-23T22:40:00Z"))
        );
    }
    let without_grace = snapshot
        .clone()
        .policy(|policy| policy.offboarding_grace_seconds = 0);
    assert!(!exception(&without_grace.snapshots(2).judge()).after_the_fact);
    // Also if all earlier runs failed.
    let judged = snapshot.sleep().judge();
    assert!(!exception(&judged).after_the_fact);
}

#[test]
fn a_renewal_without_a_gap_keeps_its_instant() {
    let renewed = leaves().exception(for_ada).snapshots(3);
    // Another line, reason, approver and dates, but the same keys.
    let renewed = without_exceptions(renewed)
        .exception(|of| of.email = text("eve@example.com"))
        .exception(|of| {
            for_ada(of);
            of.reason = text("hands over for longer");
            of.approved_by = text("cfo@example.com");
            of.approved_on = text("2026-11-26");
            of.expires_on = text("2027-01-31");
            of.ticket = text("SEC-2");
        });
    let judged = renewed.judge();
    let line = judged.manual.last().expect("a line");
    assert_eq!(line.in_force_since, Some(at("2026-11-23T22:40:00Z")));
    assert!(!line.after_the_fact);
}

#[test]
fn only_a_gap_in_the_lines_resets_the_instant() {
    let covered = leaves().exception(for_ada).snapshots(2);
    let since = |snapshot: &World| exception(&snapshot.judge()).in_force_since;
    let first = Some(at("2026-11-23T22:40:00Z"));
    assert_eq!(since(&covered.clone().cut().next()), first);
    assert_eq!(since(&covered.clone().sleep()), first);

    // In one run the line is missing, has other keys, is expired or is malformed.
    type Gap = fn(&mut Exception);
    let gaps: [Gap; 4] = [
        |of| of.person_id = text("E-bob"),
        |of| of.account_id = text("ada"),
        |of| of.expires_on = text("2026-11-24"),
        |of| of.approved_by = text("E-ada"),
    ];
    for (case, gap) in gaps.into_iter().enumerate() {
        let snapshot = without_exceptions(covered.clone()).exception(|of| {
            for_ada(of);
            gap(of);
        });
        let snapshot = without_exceptions(snapshot.next()).exception(for_ada);
        assert_eq!(
            since(&snapshot),
            Some(at("2026-11-26T22:40:00Z")),
            "case {case}"
        );
        assert!(exception(&snapshot.judge()).after_the_fact, "case {case}");
    }
    let gone = without_exceptions(covered).next().exception(for_ada);
    assert_eq!(since(&gone), Some(at("2026-11-26T22:40:00Z")));
}

#[test]
fn keys_are_compared_as_addresses_are() {
    let snapshot = leaves().exception(|of| of.email = text(" ADA@Example.com"));
    let snapshot = without_exceptions(snapshot.next()).exception(|of| of.email = text(ADA));
    let since = exception(&snapshot.judge()).in_force_since;
    assert_eq!(since, Some(at("2026-11-23T22:40:00Z")));
}

#[test]
fn an_exception_in_time_is_preferred() {
    let judged = leaves()
        .exception(for_ada)
        .snapshots(4)
        .exception(|of| {
            of.account_id = text("ada");
            of.expires_on = text("2026-12-31");
        })
        .judge();
    assert_eq!(
        judged.reasons,
        ["1 risk acceptance in use; 1 leaver keeps access under it"]
    );
    let note = &leaver(&judged, ADA).note;
    assert!(note.contains("exception in line 2"), "{note}");
}

#[test]
fn a_doubt_and_a_suspicion_may_be_accepted_after_the_fact() {
    let doubt = leaves().status("ada", Status::Unknown(None)).snapshots(4);
    let judged = doubt.exception(for_ada).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Excepted);
    assert!(exception(&judged).after_the_fact);
    assert!(leaver(&judged, ADA).note.contains("after the fact"));

    let suspected = world()
        .account_as("8", "ada+x@example.com")
        .leaver(ADA, LEFT)
        .snapshots(4)
        .exception(|of| of.account_id = text("8"));
    assert!(exception(&suspected.judge()).after_the_fact);
}

#[test]
fn an_exception_without_a_deadline_is_never_after_the_fact() {
    let judged = world()
        .snapshots(4)
        .rejected(Some("E-ada"), None)
        .exception(for_ada)
        .judge();
    assert_eq!(status(&judged, CheckId::HrRowsAccounted), CheckStatus::Warn);
    assert!(!exception(&judged).after_the_fact);
}

// ---- The state of a line ----

#[test]
fn an_unused_line_reports_its_matches() {
    type Keys = fn(&mut Exception);
    let cases: [(Keys, &str); 7] = [
        (
            for_ada,
            "its person_id matches, but the run did not need it",
        ),
        (
            |of| of.email = text(ADA),
            "its email matches, but the run did not need it",
        ),
        (
            |of| of.account_id = text("root"),
            "its account_id matches, but the run did not need it",
        ),
        (
            |of| of.person_id = text("E-adda"),
            "no account or person in this run matches it",
        ),
        (
            |of| (of.person_id, of.account_id) = (text("E-ada"), text("adda")),
            "no account or person in this run has its account_id",
        ),
        (|of| of.check = text("hr_drop"), "hr_drop did not fail"),
        (
            |of| of.check = text("leavers_without_address"),
            "no leaver without a usable address needed it",
        ),
    ];
    for (keys, reason) in cases {
        let snapshot = world()
            .hr(row("E-ada").mail(ADA).active())
            .role("root", Role::Member);
        let judged = snapshot.exception(keys).judge();
        let line = exception(&judged);
        assert_eq!(line.state, ManualState::Unused, "{reason}");
        assert_eq!(line.detail, reason);
    }
    let judged = world().alias(|alias| {
        alias.account_id = text("77");
        alias.person_id = text("E-ada");
    });
    let judged = judged.judge();
    let line = used(&judged, ManualKind::Alias);
    assert_eq!(line.detail, "no account or person in this run matches it");
}
