//! The verdict and its reasons.

use super::world::*;
use crate::judgement::summary;
use crate::judgement::uses::Needed;
use crate::judgement::{
    Check, CheckId, CheckStatus, Finding, FindingKind, Leaver, Outcome, Severity, Verdict,
    ensure_sums_reconcile,
};

const ADA: &str = "ada@example.com";

fn needed(exceptions: usize) -> Needed {
    Needed {
        exceptions,
        after_the_fact: 0,
    }
}

fn leaver_with(outcome: Outcome) -> Leaver {
    let judged = world().leaver(ADA, date(2026, 11, 2)).judge();
    Leaver {
        outcome,
        ..judged.leavers[0].clone()
    }
}

fn finding_of(kind: FindingKind) -> Finding {
    let judged = world().account(ADA).leaver(ADA, date(2026, 11, 2)).judge();
    Finding {
        kind,
        severity: Severity::Low,
        ..judged.findings[0].clone()
    }
}

fn check_that(status: CheckStatus) -> Check {
    Check {
        id: CheckId::Clock,
        status,
        detail: "so it is".to_owned(),
        numbers: std::collections::BTreeMap::new(),
    }
}

#[test]
fn each_outcome_means_one_verdict() {
    for outcome in Outcome::ALL {
        let expected = match outcome {
            Outcome::NotEvaluable => Verdict::Inconclusive,
            Outcome::Excepted => Verdict::PassWithExceptions,
            // The finding about the account fails the run.
            Outcome::StillActive => continue,
            Outcome::Rehired
            | Outcome::Rescinded
            | Outcome::Upcoming
            | Outcome::WithinGrace
            | Outcome::Removed
            | Outcome::NoAccessFound => Verdict::Pass,
        };
        let needed = needed(usize::from(*outcome == Outcome::Excepted));
        let summary::Conclusion {
            verdict, reasons, ..
        } = summary::verdict(&[], &[leaver_with(*outcome)], &[], needed);
        assert_eq!(verdict, expected, "{outcome}");
        assert_eq!(reasons.is_empty(), expected == Verdict::Pass, "{outcome}");
    }
}

#[test]
fn each_finding_means_one_verdict() {
    for kind in FindingKind::ALL {
        let expected = match kind {
            FindingKind::OffboardedAccess
            | FindingKind::AccessAfterConclusion
            | FindingKind::RevocationNotDone => Verdict::Fail,
            FindingKind::PossibleOffboardedAccess => Verdict::Inconclusive,
            // Its leavers are not evaluable, and the verdict counts them.
            FindingKind::LeaverWithoutAddress
            | FindingKind::LateRemoval
            | FindingKind::AccountWithoutHrRecord
            | FindingKind::AccountUnidentifiable
            | FindingKind::ExceptionInvalid
            | FindingKind::AliasInvalid => Verdict::Pass,
        };
        let summary::Conclusion { verdict, .. } =
            summary::verdict(&[], &[], &[finding_of(*kind)], needed(0));
        assert_eq!(verdict, expected, "{kind}");
    }
}

#[test]
fn only_a_failed_check_makes_a_run_inconclusive() {
    for (status, expected) in [
        (CheckStatus::Pass, Verdict::Pass),
        (CheckStatus::Warn, Verdict::Pass),
        (CheckStatus::Fail, Verdict::Inconclusive),
    ] {
        let summary::Conclusion { verdict, .. } =
            summary::verdict(&[check_that(status)], &[], &[], needed(0));
        assert_eq!(verdict, expected);
    }
}

#[test]
fn the_worst_reason_decides_and_comes_first() {
    let summary::Conclusion {
        verdict, reasons, ..
    } = summary::verdict(
        &[check_that(CheckStatus::Fail)],
        &[
            leaver_with(Outcome::NotEvaluable),
            leaver_with(Outcome::Excepted),
        ],
        &[
            finding_of(FindingKind::OffboardedAccess),
            finding_of(FindingKind::PossibleOffboardedAccess),
        ],
        needed(1),
    );
    assert_eq!(verdict, Verdict::Fail);
    assert_eq!(
        reasons,
        [
            "1 account of a leaver has access past the deadline",
            "check clock failed: so it is",
            "1 leaver could not be judged",
            "1 account may belong to a leaver",
            "1 risk acceptance in use; 1 leaver keeps access under it",
        ]
    );
}

#[test]
fn reasons_contain_no_names() {
    let judged = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 2))
        .leaver("bob@elsewhere.example", date(2026, 11, 2))
        .rejected(Some("E7"), Some("eve@example.com"))
        .judge();
    for reason in &judged.reasons {
        assert!(!reason.contains('@'), "{reason}");
    }
}

#[test]
fn the_trend_keeps_ninety_runs_this_run_last() {
    let snapshot = world().account(ADA).snapshots(95);
    let judged = snapshot.judge();
    assert_eq!(judged.trend.len(), 90);
    let last = judged.trend.last().unwrap();
    assert_eq!(last.as_of, snapshot.inputs.as_of);
    assert_eq!(last.counts, judged.counts);
    assert!(judged.trend.is_sorted_by_key(|snapshot| snapshot.as_of));
}

#[test]
fn the_verdict_counts_deadlines_since_the_last_complete_run() {
    let words = |world: &World| world.judge().deadlines_due();
    let none = "0 deadlines fell due since the last complete run: this pass tested no new removal";
    // The deadline is the midnight at the end of the 24th, UTC.
    let first = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 22))
        .leaver("bob@example.com", date(2026, 11, 1));
    assert_eq!(
        words(&first),
        "1 deadline has passed; no earlier run is complete"
    );
    let second = first.next();
    assert_eq!(
        words(&second),
        "1 deadline fell due since the last complete run"
    );
    let removed = second.clone().without("ada");
    assert_eq!(removed.judge().verdict, Verdict::Pass);
    assert_eq!(
        words(&removed),
        "1 deadline fell due since the last complete run"
    );
    let third = removed.next();
    assert_eq!(words(&third), none);
    assert_eq!(third.judge().counts.leavers.deadlines_due, 0);
    assert!(third.judge().reasons.is_empty());
    // An incomplete run does not test a deadline, so the next run tests it.
    let after_incomplete = second.clone().cut().next();
    assert_eq!(
        words(&after_incomplete),
        "1 deadline fell due since the last complete run"
    );
    // A leaver whom HR names late is tested for the first time.
    let late = third.leaver("eve@example.com", date(2026, 10, 1));
    assert_eq!(
        words(&late),
        "1 deadline fell due since the last complete run"
    );
    assert_eq!(words(&late.next()), none);
    // A future deadline, or the deadline of a rehired person, is not due.
    let ahead = world().next().leaver(ADA, date(2026, 12, 24));
    assert_eq!(words(&ahead), none);
    let rehired = world()
        .next()
        .leaver(ADA, date(2026, 11, 1))
        .hr(row("E-ada").mail(ADA).active().start(date(2026, 11, 10)));
    assert_eq!(words(&rehired), none);
}

#[test]
fn a_sum_that_does_not_add_up_is_named() {
    let snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 2));
    let mut judged = snapshot.judge();
    judged.findings.clear();
    let fault = ensure_sums_reconcile(&snapshot.inputs, &judged).unwrap_err();
    assert!(fault.contains("no finding"), "{fault}");
    judged.counts.leavers.total += 1;
    let fault = ensure_sums_reconcile(&snapshot.inputs, &judged).unwrap_err();
    assert!(fault.contains("leavers by outcome"), "{fault}");
}
