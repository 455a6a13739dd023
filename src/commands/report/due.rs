//! When runs were due in the period.

use std::time::Duration;

use jiff::Timestamp;

use crate::pack::{Period, PeriodSchedule, ScheduleBasis};
use crate::verify::{self, Bound, ChainVerified, Rhythm, Started};

/// The due runs, by the given rhythm, else by the recorded schedule, else by the usual time between two runs.
pub(super) fn schedule(
    chain: &ChainVerified,
    given: Option<Rhythm>,
    given_text: Option<String>,
    period: &Period,
    now: Timestamp,
) -> PeriodSchedule {
    let bounds = verify::Period {
        from: Some(Bound::At(period.from)),
        to: Some(Bound::At(period.to)),
    };
    let started = &chain.started;
    let check =
        |rhythm: Option<&Rhythm>| verify::check_operation(started, rhythm, &bounds, now).due;
    if let Some(rhythm) = given {
        return PeriodSchedule {
            basis: ScheduleBasis::Given,
            text: given_text,
            due: check(Some(&rhythm)),
        };
    }
    if let Some(due) = check(None) {
        let recorded = started.iter().rev().find_map(|run| run.schedule.as_ref());
        return PeriodSchedule {
            basis: ScheduleBasis::Recorded,
            text: recorded.map(ToString::to_string),
            due: Some(due),
        };
    }
    let usual = usual_interval(started);
    let text = |usual: Duration| {
        let minutes = usual.as_secs() / 60;
        format!(
            "{} h {} min, the usual time between two runs",
            minutes / 60,
            minutes % 60
        )
    };
    PeriodSchedule {
        basis: ScheduleBasis::Unknown,
        text: usual.map(text),
        due: usual.and_then(|usual| check(Some(&Rhythm::Interval(usual)))),
    }
}

/// The recorded schedule, if the given one replaces it with another. A given cron schedule holds in `zone`.
pub(super) fn replaced(chain: &ChainVerified, given: Option<&str>, zone: &str) -> Option<String> {
    let mut recorded = chain.started.iter().rev();
    let recorded = recorded.find_map(|run| run.schedule.as_ref())?.to_string();
    let given = format!("{} ({zone})", given?);
    (given != recorded).then_some(recorded)
}

/// The median time between two runs, in whole minutes. None with fewer than three runs.
fn usual_interval(started: &[Started]) -> Option<Duration> {
    let mut between: Vec<i64> = started
        .windows(2)
        .map(|pair| pair[1].at.as_second() - pair[0].at.as_second())
        .collect();
    between.sort_unstable();
    let median = *between
        .get(between.len() / 2)
        .filter(|_| between.len() >= 2)?;
    let minutes = u64::try_from(median).ok()?.div_ceil(60);
    (minutes > 0).then(|| Duration::from_secs(minutes * 60))
}
