//! The verdict, its reasons, and the run in numbers.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;

use super::checks::rows_with_people;
use super::people::Person;
use super::uses::Needed;
use super::{
    AccountCounts, Change, ChangeCounts, ChangeKind, Check, CheckStatus, Counts, Finding,
    FindingCounts, FindingKind, HrPeople, Inputs, Judgement, Leaver, LeaverCounts, Outcome,
    Standing, TrendPoint, Verdict,
};
use crate::model::{Employment, Role, counted};

/// The number of runs in the trend. The newest complete run is always one of them.
const TREND: usize = 90;

/// The verdict, and why it is not `pass`.
pub(super) struct Conclusion {
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<String>,
    pub(super) in_doubt: bool,
}

pub(super) fn verdict(
    checks: &[Check],
    leavers: &[Leaver],
    findings: &[Finding],
    needed: Needed,
) -> Conclusion {
    let of_kind = |kind| findings.iter().filter(|of| of.kind == kind).count();
    let with_outcome = |outcome| leavers.iter().filter(|of| of.outcome == outcome).count();
    let mut failing = Vec::new();
    for (kind, one, several) in [
        (
            FindingKind::OffboardedAccess,
            "account of a leaver has access past the deadline",
            "accounts of leavers have access past the deadline",
        ),
        (
            FindingKind::AccessAfterConclusion,
            "account of a leaver has access after the offboarding was concluded",
            "accounts of leavers have access after the offboarding was concluded",
        ),
        (
            FindingKind::RevocationNotDone,
            "decision of an access review was not carried out",
            "decisions of access reviews were not carried out",
        ),
    ] {
        let found = of_kind(kind);
        if found > 0 {
            failing.push(counted(found, one, several));
        }
    }
    let failed = checks.iter().filter(|of| of.status == CheckStatus::Fail);
    let mut doubts: Vec<String> = failed.map(Check::as_reason).collect();
    let admins = findings.iter().filter(|finding| {
        finding.kind == FindingKind::AccountWithoutHrRecord && finding.role == Some(Role::Admin)
    });
    let open = [
        (
            with_outcome(Outcome::NotEvaluable),
            "leaver could not be judged",
            "leavers could not be judged",
        ),
        (
            of_kind(FindingKind::PossibleOffboardedAccess),
            "account may belong to a leaver",
            "accounts may belong to a leaver",
        ),
        (
            admins.count(),
            "administrator has no HR record",
            "administrators have no HR record",
        ),
    ];
    let open = open.iter().filter(|(count, ..)| *count > 0);
    doubts.extend(open.map(|(count, one, several)| counted(*count, one, several)));

    let verdict = if !failing.is_empty() {
        Verdict::Fail
    } else if !doubts.is_empty() {
        Verdict::Inconclusive
    } else if needed.exceptions > 0 {
        Verdict::PassWithExceptions
    } else {
        Verdict::Pass
    };
    let in_doubt = !doubts.is_empty();
    let mut reasons = failing;
    reasons.extend(doubts);
    if needed.exceptions > 0 {
        let excepted = with_outcome(Outcome::Excepted);
        let leavers = match excepted {
            0 => String::new(),
            excepted => {
                let keep = counted(excepted, "leaver keeps access", "leavers keep access");
                let them = if needed.exceptions == 1 { "it" } else { "them" };
                format!("; {keep} under {them}")
            }
        };
        let late = match needed.after_the_fact {
            0 => String::new(),
            late => format!(", {late} after the fact"),
        };
        let needed = counted(needed.exceptions, "risk acceptance", "risk acceptances");
        reasons.push(format!("{needed} in use{late}{leavers}"));
    }
    Conclusion {
        verdict,
        reasons,
        in_doubt,
    }
}

/// The count of each word. Every word of the closed set is included, also with zero.
fn tally<T: Display>(all: &[T], found: impl Iterator<Item = T>) -> BTreeMap<String, u64> {
    let all = all.iter().map(|word| (word.to_string(), 0));
    let mut counts: BTreeMap<String, u64> = all.collect();
    for word in found {
        *counts.entry(word.to_string()).or_default() += 1;
    }
    counts
}

/// Whether a leaver's deadline has passed since the last complete run. If HR named the leaver after that run, any past
/// deadline counts, because no run has tested it yet.
pub(super) fn fell_due(inputs: &Inputs, leaver: &Leaver) -> bool {
    let deadline = leaver.deadline;
    let Some(deadline) = deadline.filter(|_| leaver.standing == Standing::Ended) else {
        return false;
    };
    let baseline = inputs.past.baseline.as_ref();
    let is_new = baseline.is_none_or(|baseline| {
        deadline >= baseline.as_of || leaver.first_seen_in_feed > baseline.as_of
    });
    deadline < inputs.as_of && is_new
}

/// The run in numbers.
pub(super) fn count(
    inputs: &Inputs,
    leavers: &[Leaver],
    findings: &[Finding],
    changes: &[Change],
    needed: Needed,
) -> Counts {
    let accounts = &inputs.population.accounts;
    let due = leavers.iter().filter(|leaver| fell_due(inputs, leaver));
    Counts {
        accounts: AccountCounts {
            total: accounts.len() as u64,
            by_status: tally(
                &["active", "invited", "inactive", "unknown"],
                accounts.iter().map(|of| of.status.kind()),
            ),
            by_role: tally(
                &["admin", "member", "guest", "unknown"],
                accounts.iter().map(|of| of.role.kind()),
            ),
        },
        leavers: LeaverCounts {
            total: leavers.len() as u64,
            by_outcome: tally(Outcome::ALL, leavers.iter().map(|of| of.outcome)),
            deadlines_due: due.count() as u64,
        },
        findings: FindingCounts {
            total: findings.len() as u64,
            by_kind: tally(FindingKind::ALL, findings.iter().map(|of| of.kind)),
        },
        changes: ChangeCounts {
            total: changes.len() as u64,
            by_change: tally(ChangeKind::ALL, changes.iter().map(|of| of.change)),
        },
        risk_acceptances: needed.exceptions as u64,
    }
}

/// The people of today's feed by their standing, which follows from the dates and the status of all rows.
pub(super) fn hr_people(people: &[Person<'_>]) -> HrPeople {
    let mut counts = HrPeople::default();
    for person in people.iter().filter(|person| !person.rows.is_empty()) {
        let row = person.row;
        let is_on_leave = row.is_some_and(|row| row.status == Employment::OnLeave);
        *match person.standing {
            Standing::Ended => &mut counts.left,
            Standing::Doubtful => &mut counts.unclassified,
            _ if is_on_leave => &mut counts.on_leave,
            Standing::Working | Standing::Rehired | Standing::Rescinded | Standing::Upcoming => {
                &mut counts.employed
            }
        } += 1;
        counts.further_rows += person.rows.len() as u64 - 1;
    }
    counts
}

/// The last runs, this one last.
pub(super) fn trend(
    inputs: &Inputs,
    verdict: Verdict,
    complete: bool,
    counts: &Counts,
) -> Vec<TrendPoint> {
    let previous = inputs.past.previous.as_ref();
    let earlier = previous.map_or(&[][..], |previous| &previous.trend);
    let (dropped, kept) = earlier.split_at(earlier.len().saturating_sub(TREND - 1));
    let mut trend = kept.to_vec();
    if !kept.iter().any(|run| run.complete)
        && let Some(last_complete) = dropped.iter().rfind(|run| run.complete)
    {
        trend[0] = last_complete.clone();
    }
    trend.push(TrendPoint {
        run: inputs.run.to_string(),
        as_of: inputs.as_of,
        verdict,
        complete,
        hr_rows: rows_with_people(inputs),
        counts: counts.clone(),
    });
    trend
}

/// Checks that the sums of a judgement add up.
///
/// # Errors
/// A sentence with the first wrong sum, which would be a bug.
pub fn ensure_sums_reconcile(inputs: &Inputs, judgement: &Judgement) -> Result<(), String> {
    let Counts {
        accounts,
        leavers,
        findings,
        changes,
        risk_acceptances: _,
    } = &judgement.counts;
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    let (by_status, by_role) = (sum(&accounts.by_status), sum(&accounts.by_role));
    let (owners, people) = (judgement.owners.len() as u64, &judgement.hr_people);
    let (listed, rows) = (&inputs.population.accounts, &inputs.hr.rows);
    let by_person = people.total() + people.further_rows;
    let sums = [
        ("accounts by status", accounts.total, by_status),
        ("accounts by role", accounts.total, by_role),
        ("accounts and their owners", accounts.total, owners),
        ("accounts of the list", accounts.total, listed.len() as u64),
        (
            "leavers by outcome",
            leavers.total,
            sum(&leavers.by_outcome),
        ),
        ("HR rows by person", rows.len() as u64, by_person),
        ("findings by kind", findings.total, sum(&findings.by_kind)),
        ("changes by kind", changes.total, sum(&changes.by_change)),
    ];
    for (what, total, parts) in sums {
        if total != parts {
            return Err(format!("{what}: the parts add up to {parts}, not {total}"));
        }
    }
    let kinds = [
        FindingKind::OffboardedAccess,
        FindingKind::AccessAfterConclusion,
    ];
    let found = judgement
        .findings
        .iter()
        .filter(|of| kinds.contains(&of.kind));
    let found: HashSet<&String> = found.filter_map(|of| of.account_id.as_ref()).collect();
    for leaver in &judgement.leavers {
        let reported = leaver.account_id.iter().any(|id| found.contains(id));
        if leaver.outcome == Outcome::StillActive && !reported {
            return Err("a leaver has access, but no finding reports it".to_owned());
        }
    }
    Ok(())
}
