//! The checks against earlier runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use super::{check, with};
use crate::judgement::changes::differing_rules;
use crate::judgement::outcomes::Judged;
use crate::judgement::summary::fell_due;
use crate::judgement::{Baseline, Check, CheckId, CheckStatus, Inputs};
use crate::people::Mapping;

/// If the last complete run is older than this, a nightly run was missed.
const CADENCE: SignedDuration = SignedDuration::from_hours(36);

/// Two complete runs prove best what happened around a deadline if they are no farther apart than this.
const CLOSE_RUNS: SignedDuration = SignedDuration::from_hours(2);

/// The checks against earlier runs.
pub(in crate::judgement) fn of_the_past(inputs: &Inputs, leavers: &[Judged<'_>]) -> Vec<Check> {
    vec![
        policy_unchanged(inputs),
        cadence(inputs, leavers),
        ledger_continues(inputs),
        mapping_unchanged(inputs),
    ]
}

fn policy_unchanged(inputs: &Inputs) -> Check {
    let id = CheckId::PolicyUnchanged;
    let Some(previous) = &inputs.past.previous else {
        return check(id, CheckStatus::Pass, "no earlier run to compare with");
    };
    let rules: Vec<String> = differing_rules(previous, inputs)
        .into_iter()
        .map(|(rule, ..)| rule)
        .collect();
    if rules.is_empty() {
        check(
            id,
            CheckStatus::Pass,
            "the rules are those of the run before",
        )
    } else {
        check(
            id,
            CheckStatus::Warn,
            format!("changed since the run before: {}", rules.join(", ")),
        )
    }
}

/// Status, role and e-mail are Truto's words for Asana's: a mapping that changed may have changed what
/// they mean.
fn mapping_unchanged(inputs: &Inputs) -> Check {
    let id = CheckId::MappingUnchanged;
    let before = inputs.past.baseline.as_ref();
    let before = before.map(|baseline| &baseline.mapping);
    let sha256 = match &inputs.population.mapping {
        Mapping::NotTold { reason } => {
            let detail = format!("how Truto maps Asana's users is not known: {reason}");
            return check(id, CheckStatus::Warn, detail);
        }
        Mapping::Told { sha256 } => sha256,
    };
    let numbers = json!({ "sha256": sha256 });
    let (status, detail, numbers) = match before {
        None => (
            CheckStatus::Pass,
            "no complete run to compare with",
            numbers,
        ),
        Some(Mapping::NotTold { .. }) => (
            CheckStatus::Warn,
            "the last complete run was not told it: a change since the one before is not ruled out",
            numbers,
        ),
        Some(Mapping::Told { sha256: known }) if *known == *sha256 => (
            CheckStatus::Pass,
            "Truto maps Asana's users as in the last complete run",
            numbers,
        ),
        Some(Mapping::Told { sha256: known }) => (
            CheckStatus::Warn,
            "changed since the last complete run: status, role or e-mail may mean something else; \
             compare some accounts with Asana",
            json!({ "sha256": sha256, "before": known }),
        ),
    };
    with(check(id, status, detail), numbers)
}

/// How many runs since the baseline were incomplete.
fn incomplete_since(inputs: &Inputs, baseline: &Baseline) -> u64 {
    let previous = inputs.past.previous.as_ref();
    let trend = previous.map_or(&[][..], |previous| &previous.trend);
    let newest_first = trend.iter().rev();
    let since = newest_first.take_while(|run| run.run != baseline.at.run);
    since.filter(|run| !run.complete).count() as u64
}

/// `in between, 2 runs were incomplete and 1 run failed`
fn in_between(incomplete: u64, failed: u64) -> String {
    let incomplete = match incomplete {
        0 => None,
        1 => Some("1 run was incomplete".to_owned()),
        runs => Some(format!("{runs} runs were incomplete")),
    };
    let failed = match failed {
        0 => None,
        1 => Some("1 run failed".to_owned()),
        runs => Some(format!("{runs} runs failed")),
    };
    match Vec::from_iter(incomplete.into_iter().chain(failed)) {
        parts if parts.is_empty() => "no run in between left a record".to_owned(),
        parts => format!("in between, {}", parts.join(" and ")),
    }
}

/// Zones with a deadline that fell due between two complete runs that are far apart: a removal between these runs may
/// be proven neither in time nor late.
fn zones_without_close_runs(
    inputs: &Inputs,
    baseline: &Baseline,
    leavers: &[Judged<'_>],
) -> BTreeSet<Arc<str>> {
    if inputs.as_of.duration_since(baseline.as_of) <= CLOSE_RUNS {
        return BTreeSet::new();
    }
    let due = leavers
        .iter()
        .map(|judged| &judged.leaver)
        .filter(|leaver| {
            let is_later = leaver
                .deadline
                .is_some_and(|deadline| deadline >= baseline.as_of);
            is_later && fell_due(inputs, leaver)
        });
    let zones = due.filter_map(|leaver| {
        let mut tenures = leaver.tenures.iter();
        let own = tenures.find(|of| of.person_id == leaver.person_id && of.zone.is_some());
        own.or(leaver.tenures.first())?.zone.clone()
    });
    zones.collect()
}

fn cadence(inputs: &Inputs, leavers: &[Judged<'_>]) -> Check {
    let id = CheckId::Cadence;
    let Some(baseline) = &inputs.past.baseline else {
        return if inputs.past.ledger_head.is_none() {
            check(id, CheckStatus::Pass, "the first run")
        } else {
            check(
                id,
                CheckStatus::Warn,
                "no complete run can be relied on so far",
            )
        };
    };
    let since = inputs.as_of.duration_since(baseline.as_of);
    let hours = since.as_hours();
    let incomplete = incomplete_since(inputs, baseline);
    let failed = inputs.past.failed_since_baseline;
    let is_late = since > CADENCE;
    let (status, mut detail) = if since.is_negative() {
        (
            CheckStatus::Warn,
            "the last complete run is dated later than this one: a clock went back".to_owned(),
        )
    } else {
        let mut detail = format!("{hours} h since the last complete run");
        if is_late || incomplete + failed > 0 {
            detail = format!("{detail}; {}", in_between(incomplete, failed));
        }
        let status = match is_late {
            true => CheckStatus::Warn,
            false => CheckStatus::Pass,
        };
        (status, detail)
    };
    let zones = zones_without_close_runs(inputs, baseline, leavers);
    let zones = Vec::from_iter(zones).join(", ");
    if !zones.is_empty() {
        detail.push_str(&format!(
            "; deadlines in {zones} fell due since then, and the complete runs before and after them are more than {} hours apart",
            CLOSE_RUNS.as_hours()
        ));
    }
    let numbers = json!({
        "since_last_complete_seconds": since.as_secs(),
        "incomplete_in_between": incomplete,
        "failed_in_between": failed,
        "zones_without_close_runs": zones,
    });
    with(check(id, status, detail), numbers)
}

fn ledger_continues(inputs: &Inputs) -> Check {
    let id = CheckId::LedgerContinues;
    let past = &inputs.past;
    let numbers = json!({ "head": past.ledger_head });
    // A deleted entry stays deleted: it fails the run that finds it, and later runs only report it.
    let previous = past.previous.as_ref();
    let recorded = previous.map_or(&[][..], |previous| &previous.ledger_faults);
    let (old, new): (Vec<String>, Vec<String>) = past
        .ledger_faults
        .iter()
        .cloned()
        .partition(|fault| recorded.contains(fault));
    let old = format!("recorded before: {}", old.join("; "));
    let (status, detail) = if !new.is_empty() && new.len() < past.ledger_faults.len() {
        (CheckStatus::Fail, format!("{}; {old}", new.join("; ")))
    } else if !new.is_empty() {
        (CheckStatus::Fail, new.join("; "))
    } else if !past.ledger_faults.is_empty() {
        (CheckStatus::Warn, old)
    } else {
        match past.ledger_head {
            None => (
                CheckStatus::Warn,
                "no baseline: the first entry of this ledger".to_owned(),
            ),
            Some(head) => (
                CheckStatus::Pass,
                format!("entry {head} and what was used of earlier runs are unaltered"),
            ),
        }
    };
    with(check(id, status, detail), numbers)
}
