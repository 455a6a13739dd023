//! The verdict, its reasons, and the run in numbers.

use std::collections::{BTreeMap, HashSet};

use super::checks::rows_with_people;
use super::people::Person;
use super::uses::Needed;
use super::{
    AccountCounts, Change, ChangeCounts, ChangeKind, Check, CheckStatus, Counts, Finding,
    FindingCounts, FindingKind, HrPeople, Inputs, Judgement, Leaver, LeaverCounts, Outcome,
    Standing, TrendPoint, Verdict,
};
use crate::model::{Employment, Role};

/// So many runs are carried from run to run. The newest complete run is always one of them.
const TREND: usize = 90;

/// The verdict, and why it is not a plain pass.
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
    let of_kind = |kind| {
        findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .count()
    };
    let with_outcome = |outcome| {
        leavers
            .iter()
            .filter(|leaver| leaver.outcome == outcome)
            .count()
    };

    let mut failing = Vec::new();
    for kind in [
        FindingKind::OffboardedAccess,
        FindingKind::AccessAfterConclusion,
        FindingKind::RevocationNotDone,
    ] {
        let found = of_kind(kind);
        if found > 0 {
            failing.push(format!("{kind}: {found} finding(s)"));
        }
    }
    let mut doubts = Vec::new();
    for check in checks
        .iter()
        .filter(|check| check.status == CheckStatus::Fail)
    {
        doubts.push(check.as_reason());
    }
    let not_evaluable = with_outcome(Outcome::NotEvaluable);
    if not_evaluable > 0 {
        doubts.push(format!("{not_evaluable} leaver(s) could not be judged"));
    }
    let possible = of_kind(FindingKind::PossibleOffboardedAccess);
    if possible > 0 {
        doubts.push(format!("{possible} account(s) may belong to a leaver"));
    }
    let admins = findings.iter().filter(|finding| {
        finding.kind == FindingKind::AccountWithoutHrRecord && finding.role == Some(Role::Admin)
    });
    let admins = admins.count();
    if admins > 0 {
        doubts.push(format!("{admins} administrator(s) have no HR record"));
    }

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
            excepted => format!("; {excepted} leaver(s) keep access under them"),
        };
        let late = match needed.after_the_fact {
            0 => String::new(),
            late => format!(", {late} of them after the fact"),
        };
        let needed = needed.exceptions;
        reasons.push(format!("{needed} risk acceptance(s) in use{late}{leavers}"));
    }
    Conclusion {
        verdict,
        reasons,
        in_doubt,
    }
}

/// How often each word occurs; every word of the closed set is there, also with zero.
fn tally(
    all: impl Iterator<Item = &'static str>,
    found: impl Iterator<Item = &'static str>,
) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<&str, u64> = all.map(|word| (word, 0)).collect();
    for word in found {
        *counts.entry(word).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(word, count)| (word.to_owned(), count))
        .collect()
}

/// Whether a leaver's deadline has passed since the last complete run. If HR named the leaver after it, any
/// deadline that has passed counts: no run has tested it before.
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
    let statuses = ["active", "invited", "inactive", "unknown"].into_iter();
    let roles = ["admin", "member", "guest", "unknown"].into_iter();
    Counts {
        accounts: AccountCounts {
            total: accounts.len() as u64,
            by_status: tally(
                statuses,
                accounts.iter().map(|account| account.status.kind()),
            ),
            by_role: tally(roles, accounts.iter().map(|account| account.role.kind())),
        },
        leavers: LeaverCounts {
            total: leavers.len() as u64,
            by_outcome: tally(
                Outcome::ALL.iter().map(|outcome| outcome.as_str()),
                leavers.iter().map(|leaver| leaver.outcome.as_str()),
            ),
            deadlines_due: leavers
                .iter()
                .filter(|leaver| fell_due(inputs, leaver))
                .count() as u64,
        },
        findings: FindingCounts {
            total: findings.len() as u64,
            by_kind: tally(
                FindingKind::ALL.iter().map(|kind| kind.as_str()),
                findings.iter().map(|finding| finding.kind.as_str()),
            ),
        },
        changes: ChangeCounts {
            total: changes.len() as u64,
            by_change: tally(
                ChangeKind::ALL.iter().map(|kind| kind.as_str()),
                changes.iter().map(|change| change.change.as_str()),
            ),
        },
        risk_acceptances: needed.exceptions as u64,
    }
}

/// The people of today's feed, by their standing: the dates and the status of all rows decide, not a word alone.
pub(super) fn hr_people(people: &[Person<'_>]) -> HrPeople {
    let mut counts = HrPeople::default();
    for person in people.iter().filter(|person| !person.rows.is_empty()) {
        let is_on_leave = person
            .row
            .is_some_and(|row| row.status == Employment::OnLeave);
        *match person.standing {
            Standing::Ended => &mut counts.left,
            Standing::Doubtful => &mut counts.unclassified,
            Standing::Working | Standing::Rehired | Standing::Rescinded | Standing::Upcoming => {
                match is_on_leave {
                    true => &mut counts.on_leave,
                    false => &mut counts.employed,
                }
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
    let earlier = inputs
        .past
        .previous
        .as_ref()
        .map_or(&[][..], |previous| &previous.trend);
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

/// Proves that the sums of a judgement add up.
pub(super) fn ensure_sums_reconcile(inputs: &Inputs, judgement: &Judgement) -> Result<(), String> {
    let Counts {
        accounts,
        leavers,
        findings,
        changes,
        risk_acceptances: _,
    } = &judgement.counts;
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    let sums = [
        (
            "accounts by status",
            accounts.total,
            sum(&accounts.by_status),
        ),
        ("accounts by role", accounts.total, sum(&accounts.by_role)),
        (
            "accounts and their owners",
            accounts.total,
            judgement.owners.len() as u64,
        ),
        (
            "accounts of the list",
            accounts.total,
            inputs.population.accounts.len() as u64,
        ),
        (
            "leavers by outcome",
            leavers.total,
            sum(&leavers.by_outcome),
        ),
        (
            "HR rows by person",
            inputs.hr.rows.len() as u64,
            judgement.hr_people.total() + judgement.hr_people.further_rows,
        ),
        ("findings by kind", findings.total, sum(&findings.by_kind)),
        ("changes by kind", changes.total, sum(&changes.by_change)),
    ];
    for (what, total, parts) in sums {
        if total != parts {
            return Err(format!("{what}: {parts} are not {total}"));
        }
    }
    let found: HashSet<&str> = judgement
        .findings
        .iter()
        .filter(|finding| {
            let kinds = [
                FindingKind::OffboardedAccess,
                FindingKind::AccessAfterConclusion,
            ];
            kinds.contains(&finding.kind)
        })
        .filter_map(|finding| finding.account_id.as_deref())
        .collect();
    for leaver in &judgement.leavers {
        let reported = leaver
            .account_id
            .iter()
            .any(|id| found.contains(id.as_str()));
        if leaver.outcome == Outcome::StillActive && !reported {
            return Err("a leaver with access and no finding about it".to_owned());
        }
    }
    Ok(())
}
