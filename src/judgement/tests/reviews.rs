//! Decisions of reviews, followed until they are proven done.

use super::world::{World, at, kinds, status, text, world};
use crate::judgement::{
    CheckId, CheckStatus, ClosedReview, Decision, FindingKind, FollowUp, FollowUpState, FollowUps,
    Judgement, OpenReview, ReviewScope, Verdict,
};
use crate::model::{EmailAddress, Role, Status};

const ASKED: &str = "2026-11-10T00:00:00Z";

fn asked(decision: Decision, role: Role, new_role: Option<Role>) -> FollowUp {
    FollowUp {
        review: "q4".to_owned(),
        sequence: 3,
        account_id: "ada".to_owned(),
        email: None,
        decision,
        role,
        new_role,
        decided_at: at(ASKED),
        state: FollowUpState::Open,
        last_seen_before: None,
        first_seen_done: None,
        undone_at: None,
    }
}

fn revoked() -> FollowUp {
    asked(Decision::Revoke, Role::Member, None)
}

/// Ada has an account, and a review made this decision. A week of grace ends on the 17th.
fn snapshot(of: FollowUp) -> World {
    let follow_ups = FollowUps {
        through: 3,
        counted_from: at("2026-10-01T00:00:00Z"),
        last_closed: None,
        last_of_some: None,
        open: Vec::new(),
        unread: Vec::new(),
        decisions: vec![of],
    };
    world()
        .account_as("ada", "ada@example.com")
        .policy(|policy| policy.revocation_grace_seconds = Some(7 * 24 * 3600))
        .change(|inputs| inputs.follow_ups = follow_ups)
}

fn state(judged: &Judgement) -> FollowUpState {
    judged.follow_ups.decisions[0].state
}

#[test]
fn without_reviews_a_run_reports_nothing_about_them() {
    let judged = world().judge();
    assert_eq!(judged.follow_ups.decisions, []);
    assert!(
        judged
            .checks
            .iter()
            .all(|check| check.id != CheckId::ReviewDue)
    );
}

#[test]
fn a_revocation_fails_the_verdict_only_after_its_grace() {
    let judged = snapshot(revoked()).judge();
    assert_eq!(kinds(&judged), [FindingKind::RevocationNotDone]);
    assert_eq!(judged.verdict, Verdict::Fail);
    let in_time = snapshot(FollowUp {
        decided_at: at("2026-11-16T22:40:00Z"),
        ..revoked()
    });
    let judged = in_time.judge();
    assert_eq!(
        (kinds(&judged), state(&judged)),
        (Vec::new(), FollowUpState::Open)
    );
}

#[test]
fn a_revocation_is_done_when_the_account_is_inactive_or_gone() {
    for world in [
        snapshot(revoked()).status("ada", Status::Inactive),
        snapshot(revoked()).without("ada"),
    ] {
        let judged = world.judge();
        assert_eq!(
            (kinds(&judged), state(&judged)),
            (Vec::new(), FollowUpState::Done)
        );
        let of = &judged.follow_ups.decisions[0];
        assert_eq!(of.first_seen_done, Some(at("2026-11-23T22:40:00Z")));
    }
}

#[test]
fn absence_from_a_cut_list_does_not_prove_a_revocation() {
    let judged = snapshot(revoked()).without("ada").cut().judge();
    assert_eq!(state(&judged), FollowUpState::Open);
    assert_ne!(judged.verdict, Verdict::Pass);
}

#[test]
fn a_decision_of_unknown_state_is_not_done() {
    let judged = snapshot(revoked())
        .status("ada", Status::Unknown(Some("paused".to_owned())))
        .judge();
    assert_eq!(state(&judged), FollowUpState::Open);
    let finding = &judged.findings[0];
    assert_eq!(finding.kind, FindingKind::RevocationNotDone);
    assert!(
        finding
            .note
            .contains("could not determine whether it is done"),
        "{}",
        finding.note
    );
}

#[test]
fn revoked_access_that_is_back_is_an_immediate_finding() {
    let done = FollowUp {
        state: FollowUpState::Done,
        decided_at: at("2026-11-20T00:00:00Z"),
        first_seen_done: Some(at("2026-11-21T00:00:00Z")),
        ..revoked()
    };
    let judged = snapshot(done).judge();
    assert_eq!(state(&judged), FollowUpState::GrantedAgain);
    assert_eq!(kinds(&judged), [FindingKind::RevocationNotDone]);
    assert!(judged.findings[0].note.contains("granted again"));
}

/// A revoked account with its address. The account is gone, and another account has the address.
fn invited_anew(state: FollowUpState) -> World {
    let of = FollowUp {
        email: EmailAddress::parse("ada@example.com"),
        state,
        first_seen_done: (state == FollowUpState::Done).then(|| at("2026-11-12T00:00:00Z")),
        ..revoked()
    };
    snapshot(of)
        .without("ada")
        .account_as("ada2", "Ada@Example.com")
}

#[test]
fn revoked_access_is_back_under_another_id_with_the_address() {
    let judged = invited_anew(FollowUpState::Done).judge();
    assert_eq!(state(&judged), FollowUpState::GrantedAgain);
    assert_eq!(kinds(&judged), [FindingKind::RevocationNotDone]);
    let finding = &judged.findings[0];
    assert_eq!(finding.account_id.as_deref(), Some("ada2"));
    assert!(
        finding.note.contains("granted again") && finding.note.contains("account ada"),
        "{}",
        finding.note
    );
    // A second account in an equivalent domain may have been kept.
    let judged = invited_anew(FollowUpState::Done)
        .without("ada2")
        .account_as("ada3", "ada@example.org")
        .policy(|policy| policy.email_domain_aliases = vec!["example.com=example.org".to_owned()])
        .judge();
    assert_eq!(state(&judged), FollowUpState::Done);
    let judged = invited_anew(FollowUpState::Done)
        .without("ada2")
        .account_as("ada3", "ada@example.org")
        .change(|inputs| {
            let accounts = &mut inputs.population.accounts;
            let last = accounts.last_mut().expect("an account");
            last.emails.extend(EmailAddress::parse("ada@example.com"));
        })
        .judge();
    assert_eq!(state(&judged), FollowUpState::Done);
}

#[test]
fn a_revocation_is_not_done_while_another_account_has_the_address() {
    let judged = invited_anew(FollowUpState::Open).judge();
    assert_eq!(
        (kinds(&judged), state(&judged)),
        (vec![FindingKind::RevocationNotDone], FollowUpState::Open)
    );
    let gone = invited_anew(FollowUpState::Open).status("ada2", Status::Inactive);
    let judged = gone.judge();
    assert_eq!(
        (kinds(&judged), state(&judged)),
        (Vec::new(), FollowUpState::Done)
    );
    let unknown = invited_anew(FollowUpState::Open).status("ada2", Status::Unknown(None));
    assert_eq!(state(&unknown.judge()), FollowUpState::Open);
    // An account without a recorded address is followed only by id.
    let by_id = snapshot(revoked())
        .without("ada")
        .account_as("ada2", "ada@example.com");
    assert_eq!(state(&by_id.judge()), FollowUpState::Done);
}

#[test]
fn a_role_change_is_done_with_the_new_role_or_a_lower_one() {
    let less = || asked(Decision::ChangeRole, Role::Admin, Some(Role::Member));
    for (role, wanted) in [
        (Role::Admin, FollowUpState::Open),
        (Role::Member, FollowUpState::Done),
        (Role::Guest, FollowUpState::Done),
        (Role::Unknown(None), FollowUpState::Open),
    ] {
        let judged = snapshot(less()).role("ada", role.clone()).judge();
        assert_eq!(state(&judged), wanted, "{role}");
    }
    let more = asked(Decision::ChangeRole, Role::Guest, Some(Role::Member));
    let judged = snapshot(more).role("ada", Role::Guest).judge();
    assert_eq!(state(&judged), FollowUpState::Open);
}

#[test]
fn an_approved_exception_for_the_account_covers_it() {
    let judged = snapshot(revoked())
        .exception(|exception| {
            exception.account_id = text("ada");
            exception.reason = text("hands over until Friday");
            exception.approved_by = text("ciso@example.com");
            exception.expires_on = text("2026-11-30");
        })
        .judge();
    assert_eq!(kinds(&judged), []);
    assert_eq!(judged.verdict, Verdict::PassWithExceptions);
}

#[test]
fn a_review_is_due_after_its_interval_or_its_last_day() {
    let every =
        |world: World| world.policy(|policy| policy.review_every_seconds = Some(90 * 86_400));
    let reviews = |change: fn(&mut FollowUps)| {
        let world = every(snapshot(revoked())).change(|inputs| {
            inputs.follow_ups.decisions.clear();
            change(&mut inputs.follow_ups);
        });
        status(&world.judge(), CheckId::ReviewDue)
    };
    assert_eq!(reviews(|_| ()), CheckStatus::Pass);
    assert_eq!(
        reviews(|of| of.counted_from = at("2026-08-01T00:00:00Z")),
        CheckStatus::Warn
    );
    assert_eq!(
        reviews(|of| {
            of.counted_from = at("2025-08-01T00:00:00Z");
            of.last_closed = Some(ClosedReview {
                review: "q4".to_owned(),
                sequence: 3,
                closed_at: at(ASKED),
                complete: true,
                acknowledged_at: None,
            });
        }),
        CheckStatus::Pass
    );
    // A review of only some roles does not count.
    assert_eq!(
        reviews(|of| {
            of.counted_from = at("2025-08-01T00:00:00Z");
            of.last_of_some = Some(ClosedReview {
                review: "admins".to_owned(),
                sequence: 3,
                closed_at: at(ASKED),
                complete: true,
                acknowledged_at: None,
            });
        }),
        CheckStatus::Warn
    );
    assert_eq!(
        reviews(|of| of.open.push(OpenReview {
            review: "q4".to_owned(),
            sequence: 2,
            opened_at: at(ASKED),
            due: "2026-11-22".to_owned(),
            scope: ReviewScope::All,
        })),
        CheckStatus::Warn
    );
    assert_eq!(reviews(|of| of.unread.push(2)), CheckStatus::Fail);
    // Also if reviews are not required.
    let world = snapshot(revoked()).change(|inputs| {
        inputs.policy.review_every_seconds = None;
        inputs.follow_ups.unread.push(2);
    });
    let judged = world.judge();
    assert_eq!(status(&judged, CheckId::ReviewDue), CheckStatus::Fail);
}
