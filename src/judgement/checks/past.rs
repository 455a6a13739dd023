//! The checks against earlier runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::judgement::changes::differing_rules;
use crate::judgement::outcomes::JudgedLeaver;
use crate::judgement::remedies::CLOSES_WITH;
use crate::judgement::summary::fell_due;
use crate::judgement::{Baseline, Check, CheckId, CheckStatus, Inputs};
use crate::model::{HrDate, Mapping, counted};
use crate::schedule::{CLOSE_RUNS, RunSchedule};

/// If the last complete run is older than this, a daily run was missed.
const CADENCE: SignedDuration = SignedDuration::from_hours(36);

/// The checks against earlier runs.
pub(in crate::judgement) fn of_the_past(
    inputs: &Inputs,
    leavers: &[JudgedLeaver<'_>],
) -> Vec<Check> {
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
        return id.pass("no earlier run to compare with");
    };
    let rules = differing_rules(previous, inputs);
    if rules.is_empty() {
        return id.pass("the rules are the same as in the previous run");
    }
    let rules = Vec::from_iter(rules.iter().map(|(rule, ..)| rule.as_str()));
    id.warn(format!(
        "changed since the previous run: {}",
        rules.join(", ")
    ))
}

/// Truto maps Asana's fields to status, role and e-mail. A changed mapping may have changed their meaning.
fn mapping_unchanged(inputs: &Inputs) -> Check {
    let id = CheckId::MappingUnchanged;
    let sha256 = match &inputs.population.mapping {
        Mapping::NotReported { reason } => {
            return id.warn(format!(
                "Truto's mapping of Asana's users is unknown: {reason}"
            ));
        }
        Mapping::Reported { sha256 } => sha256,
    };
    let numbers = json!({ "sha256": sha256 });
    match inputs
        .past
        .baseline
        .as_ref()
        .map(|baseline| &baseline.mapping)
    {
        None => id
            .pass("no complete run has recorded the mapping yet")
            .with(numbers),
        Some(Mapping::NotReported { .. }) => {
            let detail =
                "the last complete run did not record the mapping, so a change cannot be ruled out";
            id.warn(detail).with(numbers)
        }
        Some(Mapping::Reported { sha256: known }) if known == sha256 => id
            .pass("the mapping is the same as in the last complete run")
            .with(numbers),
        Some(Mapping::Reported { sha256: known }) => {
            let detail = "changed since the last complete run: status, role or e-mail may mean something else; \
                          compare some accounts with Asana";
            id.warn(detail)
                .with(json!({ "sha256": sha256, "before": known }))
        }
    }
}

/// The number of incomplete runs since the baseline.
fn incomplete_since(inputs: &Inputs, baseline: &Baseline) -> u64 {
    let previous = inputs.past.previous.iter();
    let newest_first = previous.flat_map(|previous| previous.trend.iter().rev());
    let since = newest_first.take_while(|run| run.run != baseline.at.run);
    since.filter(|run| !run.complete).count() as u64
}

/// `in between, 2 runs were incomplete and 1 run failed`
fn in_between(incomplete: u64, failed: u64) -> String {
    let parts = [
        (incomplete, "run was incomplete", "runs were incomplete"),
        (failed, "run failed", "runs failed"),
    ];
    let parts = parts.iter().filter(|(count, ..)| *count > 0);
    let parts = parts.map(|(count, one, several)| counted(*count, one, several));
    match Vec::from_iter(parts) {
        parts if parts.is_empty() => "no run in between left a record".to_owned(),
        parts => format!("in between, {}", parts.join(" and ")),
    }
}

/// Zones with a deadline between two complete runs that are far apart. For a removal between these runs, the evidence
/// may prove neither `in_time` nor `late`.
fn zones_without_close_runs(
    inputs: &Inputs,
    baseline: &Baseline,
    leavers: &[JudgedLeaver<'_>],
) -> BTreeSet<Arc<str>> {
    if inputs.as_of.duration_since(baseline.as_of) <= CLOSE_RUNS {
        return BTreeSet::new();
    }
    let leavers = leavers.iter().map(|judged| &judged.leaver);
    let due = leavers.filter(|leaver| {
        leaver
            .deadline
            .is_some_and(|deadline| deadline >= baseline.as_of)
            && fell_due(inputs, leaver)
    });
    let zones = due.filter_map(|leaver| {
        let mut tenures = leaver.tenures.iter();
        let own = tenures.find(|of| of.person_id == leaver.person_id && of.zone.is_some());
        own.or(leaver.tenures.first())?.zone.clone()
    });
    zones.collect()
}

/// Deadlines for which the job's schedule does not have a run shortly before and shortly after.
#[derive(Debug)]
pub struct ScheduleGaps {
    /// Their zones, by IANA name; empty without a gap.
    pub zones: Vec<String>,
    /// A schedule in the same zone that closes the gaps.
    pub proposed: String,
}

impl ScheduleGaps {
    /// Checks the zone of HR dates and each zone of a date in the feed.
    ///
    /// # Errors
    /// If the schedule cannot be read.
    pub fn of(schedule: &RunSchedule, inputs: &Inputs) -> Result<Self, String> {
        let runs = schedule.parse()?;
        let grace = SignedDuration::from_secs(inputs.policy.offboarding_grace_seconds);
        let until = inputs.as_of;
        let dates = inputs.hr.rows.iter().flat_map(|row| {
            let dates = [&row.start, &row.end, &row.last_day];
            dates.into_iter().flatten().map(|date: &HrDate| &*date.zone)
        });
        let names: BTreeSet<&str> = dates.chain([&*inputs.policy.hr_time_zone]).collect();
        // A date with its own offset does not have a zone.
        let zones = names
            .into_iter()
            .filter_map(|name| Some((name, TimeZone::get(name).ok()?)));
        let zones: Vec<(&str, TimeZone)> = zones.collect();
        let missing = zones
            .iter()
            .filter(|(_, zone)| !runs.without_close_runs(zone, grace, until).is_empty());
        Ok(Self {
            zones: missing.map(|(name, _)| (*name).to_owned()).collect(),
            proposed: runs.with_close_runs(zones.iter().map(|(_, zone)| zone), grace, until),
        })
    }

    /// The gaps and the line that closes them; `None` without a gap.
    pub fn detail(&self, schedule: &RunSchedule) -> Option<String> {
        let Self { zones, proposed } = self;
        let (zones, hours) = (zones.join(", "), CLOSE_RUNS.as_hours());
        (!zones.is_empty()).then(|| {
            format!(
                "the schedule {schedule} does not have two runs within {hours} hours around every deadline in {zones}: a \
                 removal between two runs may be proven neither in time nor late{CLOSES_WITH}`RUN_SCHEDULE: {proposed}`"
            )
        })
    }
}

/// Whether runs are frequent enough, with one on each side of each deadline.
fn cadence(inputs: &Inputs, leavers: &[JudgedLeaver<'_>]) -> Check {
    let mut check = cadence_so_far(inputs, leavers);
    let Some(schedule) = &inputs.schedule else {
        return check;
    };
    let (zones, detail) = match ScheduleGaps::of(schedule, inputs) {
        Ok(gaps) => (gaps.zones.join(", "), gaps.detail(schedule)),
        Err(wrong) => (
            String::new(),
            Some(format!("the schedule {schedule}: {wrong}")),
        ),
    };
    let zones = json!(zones);
    check
        .numbers
        .insert("zones_without_close_runs".to_owned(), zones);
    if let Some(detail) = detail {
        check.status = CheckStatus::Warn;
        check.detail = format!("{}; {detail}", check.detail);
    }
    check
}

/// The check by the runs so far, without the schedule.
fn cadence_so_far(inputs: &Inputs, leavers: &[JudgedLeaver<'_>]) -> Check {
    let id = CheckId::Cadence;
    let Some(baseline) = &inputs.past.baseline else {
        return match inputs.past.ledger_head {
            None => id.pass("the first run"),
            Some(_) => id.warn("no earlier run is complete"),
        };
    };
    let since = inputs.as_of.duration_since(baseline.as_of);
    let hours = since.as_hours();
    let incomplete = incomplete_since(inputs, baseline);
    let failed = inputs.past.failed_since_baseline;
    let is_late = since > CADENCE;
    let mut check = id.pass(format!("{hours} h since the last complete run"));
    if since.is_negative() {
        check = id.warn("the last complete run is dated after this one: a clock was set back");
    } else if is_late || incomplete + failed > 0 {
        check.detail += &format!("; {}", in_between(incomplete, failed));
    }
    if is_late {
        check.status = CheckStatus::Warn;
    }
    // A known schedule shows the gap before a deadline falls into it.
    let zones = match inputs.schedule {
        None => zones_without_close_runs(inputs, baseline, leavers),
        Some(_) => BTreeSet::new(),
    };
    let zones = Vec::from_iter(zones).join(", ");
    if !zones.is_empty() {
        check.detail += &format!(
            "; deadlines in {zones} fell due since then, and the complete runs before and after them are more than {} hours apart",
            CLOSE_RUNS.as_hours()
        );
    }
    check.with(json!({
        "since_last_complete_seconds": since.as_secs(),
        "incomplete_in_between": incomplete,
        "failed_in_between": failed,
        "zones_without_close_runs": zones,
    }))
}

fn ledger_continues(inputs: &Inputs) -> Check {
    let id = CheckId::LedgerContinues;
    let past = &inputs.past;
    // A fault fails the run that finds it. Later runs only report it, because a deleted entry cannot be restored.
    let previous = past.previous.iter();
    let recorded = Vec::from_iter(previous.flat_map(|previous| &previous.ledger_faults));
    let (old, new): (Vec<&str>, Vec<&str>) = past
        .ledger_faults
        .iter()
        .map(String::as_str)
        .partition(|fault| recorded.iter().any(|known| known == fault));
    let recorded = format!("recorded before: {}", old.join("; "));
    let check = match (new.is_empty(), old.is_empty(), past.ledger_head) {
        (false, false, _) => id.fail(format!("{}; {recorded}", new.join("; "))),
        (false, true, _) => id.fail(new.join("; ")),
        (true, false, _) => id.warn(recorded),
        (true, true, None) => id.warn("no baseline: the first entry of this ledger"),
        (true, true, Some(head)) => id.pass(format!(
            "entry {head} and the earlier files that this run used match their hashes"
        )),
    };
    check.with(json!({ "head": past.ledger_head }))
}
