//! The checks against earlier runs.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{check, with};
use crate::judgement::changes::differing_rules;
use crate::judgement::{Check, CheckId, CheckStatus, Inputs};
use crate::people::Mapping;

/// A nightly run that is later than this missed a night.
const CADENCE: SignedDuration = SignedDuration::from_hours(36);

/// The checks against earlier runs.
pub(in crate::judgement) fn of_the_past(inputs: &Inputs) -> Vec<Check> {
    let mut checks = vec![
        policy_unchanged(inputs),
        cadence(inputs),
        ledger_continues(inputs),
    ];
    checks.extend(mapping_unchanged(inputs));
    checks
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
/// they mean. None where it was not asked for, as in evidence from before that.
fn mapping_unchanged(inputs: &Inputs) -> Option<Check> {
    let id = CheckId::MappingUnchanged;
    let now = inputs.population.mapping.as_ref()?;
    let before = inputs.past.baseline.as_ref();
    let before = before.and_then(|baseline| baseline.mapping.as_ref());
    let sha256 = match now {
        Mapping::NotTold { reason } => {
            let detail = format!("how Truto maps Asana's users is not known: {reason}");
            return Some(check(id, CheckStatus::Warn, detail));
        }
        Mapping::Told { sha256 } => sha256,
    };
    let numbers = json!({ "sha256": sha256 });
    let (status, detail, numbers) = match before {
        None => (
            CheckStatus::Pass,
            "no complete run that knew the mapping to compare with",
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
    Some(with(check(id, status, detail), numbers))
}

fn cadence(inputs: &Inputs) -> Check {
    let id = CheckId::Cadence;
    let last: Option<Timestamp> = inputs.past.baseline.as_ref().map(|baseline| baseline.as_of);
    let Some(last) = last else {
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
    let since = inputs.as_of.duration_since(last);
    let hours = since.as_hours();
    let (status, detail) = if since.is_negative() {
        (
            CheckStatus::Warn,
            "the last complete run is dated later than this one: a clock went back".to_owned(),
        )
    } else if since > CADENCE {
        (
            CheckStatus::Warn,
            format!("{hours} h since the last complete run: nights were missed"),
        )
    } else {
        (
            CheckStatus::Pass,
            format!("{hours} h since the last complete run"),
        )
    };
    with(
        check(id, status, detail),
        json!({ "since_last_complete_seconds": since.as_secs() }),
    )
}

fn ledger_continues(inputs: &Inputs) -> Check {
    let id = CheckId::LedgerContinues;
    let past = &inputs.past;
    let numbers = json!({ "head": past.ledger_head });
    // A deleted entry stays deleted: it fails the night that finds it, and is told ever after.
    let recorded = past
        .previous
        .as_ref()
        .map_or("", |previous| &previous.ledger_detail);
    let (old, new): (Vec<&str>, Vec<&str>) = past
        .ledger_faults
        .iter()
        .map(String::as_str)
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
