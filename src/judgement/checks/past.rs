//! The checks against earlier runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{check, with};
use crate::judgement::changes::differing_rules;
use crate::judgement::outcomes::JudgedLeaver;
use crate::judgement::remedies::CLOSES_WITH;
use crate::judgement::summary::fell_due;
use crate::judgement::{Baseline, Check, CheckId, CheckStatus, Inputs};
use crate::model::{HrDate, Mapping};
use crate::schedule::{CLOSE_RUNS, RunSchedule};

/// If the last complete run is older than this, a nightly run was missed.
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
        Mapping::NotReported { reason } => {
            let detail = format!("Truto's mapping of Asana's users is unknown: {reason}");
            return check(id, CheckStatus::Warn, detail);
        }
        Mapping::Reported { sha256 } => sha256,
    };
    let numbers = json!({ "sha256": sha256 });
    let (status, detail, numbers) = match before {
        None => (
            CheckStatus::Pass,
            "no complete run has recorded the mapping yet",
            numbers,
        ),
        Some(Mapping::NotReported { .. }) => (
            CheckStatus::Warn,
            "the last complete run did not record the mapping, so a change cannot be ruled out",
            numbers,
        ),
        Some(Mapping::Reported { sha256: known }) if *known == *sha256 => (
            CheckStatus::Pass,
            "the mapping is the same as in the last complete run",
            numbers,
        ),
        Some(Mapping::Reported { sha256: known }) => (
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
    leavers: &[JudgedLeaver<'_>],
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

/// Deadlines that the job's schedule leaves without two runs close around them.
#[derive(Debug)]
pub struct ScheduleGaps {
    /// Their zones, by IANA name; none if there is no gap.
    pub zones: Vec<String>,
    /// A schedule in the same zone that closes the gaps.
    pub proposed: String,
}

impl ScheduleGaps {
    /// Of the zone of HR dates, and of each zone that a date of the feed is in.
    ///
    /// # Errors
    /// That the schedule cannot be read.
    pub fn of(schedule: &RunSchedule, inputs: &Inputs) -> Result<Self, String> {
        let runs = schedule.parse()?;
        let grace = SignedDuration::from_secs(inputs.policy.offboarding_grace_seconds);
        let until = inputs.as_of;
        let dates = inputs.hr.rows.iter().flat_map(|row| {
            let dates = [&row.start, &row.end, &row.last_day];
            dates.into_iter().flatten().map(|date: &HrDate| &*date.zone)
        });
        let names: BTreeSet<&str> = dates.chain([&*inputs.policy.hr_time_zone]).collect();
        // A date with an offset of its own is in no zone.
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

    /// The gaps and the line that closes them; none if there are none.
    pub fn detail(&self, schedule: &RunSchedule) -> Option<String> {
        let Self { zones, proposed } = self;
        let (zones, hours) = (zones.join(", "), CLOSE_RUNS.as_hours());
        (!zones.is_empty()).then(|| {
            format!(
                "the schedule {schedule} has no two runs within {hours} hours around every deadline in {zones}: a \
                 removal between two runs may be proven neither in time nor late{CLOSES_WITH}`RUN_SCHEDULE: {proposed}`"
            )
        })
    }
}

/// Whether runs come often enough, and on both sides of each deadline.
fn cadence(inputs: &Inputs, leavers: &[JudgedLeaver<'_>]) -> Check {
    let mut check = cadence_so_far(inputs, leavers);
    let Some(schedule) = &inputs.schedule else {
        return check;
    };
    let (zones, detail) = match ScheduleGaps::of(schedule, inputs) {
        Ok(gaps) => {
            let detail = gaps.detail(schedule);
            (gaps.zones, detail)
        }
        Err(wrong) => (
            Vec::new(),
            Some(format!("the schedule {schedule}: {wrong}")),
        ),
    };
    let numbers = &mut check.numbers;
    numbers.insert(
        "zones_without_close_runs".to_owned(),
        json!(zones.join(", ")),
    );
    if let Some(detail) = detail {
        check.status = CheckStatus::Warn;
        check.detail = format!("{}; {detail}", check.detail);
    }
    check
}

/// The runs there were.
fn cadence_so_far(inputs: &Inputs, leavers: &[JudgedLeaver<'_>]) -> Check {
    let id = CheckId::Cadence;
    let Some(baseline) = &inputs.past.baseline else {
        return if inputs.past.ledger_head.is_none() {
            check(id, CheckStatus::Pass, "the first run")
        } else {
            check(id, CheckStatus::Warn, "no earlier run is complete")
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
    // A known schedule shows it before any deadline is missed.
    let zones = match inputs.schedule {
        None => zones_without_close_runs(inputs, baseline, leavers),
        Some(_) => BTreeSet::new(),
    };
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
                format!("entry {head} and the earlier files that this run used match their hashes"),
            ),
        }
    };
    with(check(id, status, detail), numbers)
}
