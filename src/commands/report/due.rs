//! When runs were due in the period.

use std::time::Duration;

use jiff::Timestamp;

use crate::pack::{DueAt, DueGap, DueRuns, Period, ScheduleBasis};
use crate::verify::{self, Bound, ChainVerified, Rhythm, Started};

/// The due runs, by the given rhythm, else by the recorded schedule, else by the usual time between two runs.
pub(super) fn due(
    chain: &ChainVerified,
    given: Option<Rhythm>,
    given_text: Option<String>,
    period: &Period,
    now: Timestamp,
) -> DueRuns {
    let bounds = verify::Period {
        from: Some(Bound::At(period.from)),
        to: Some(Bound::At(period.to)),
    };
    let started = &chain.started;
    let checked = verify::check_operation(started, given.as_ref(), &bounds, now);
    let recorded = started.iter().rev().find_map(|run| run.schedule.as_ref());
    let (basis, schedule, checked) = match (given, checked.due) {
        (Some(_), due) => (ScheduleBasis::Given, given_text, due),
        (None, Some(due)) => {
            let text = recorded.map(ToString::to_string);
            (ScheduleBasis::Recorded, text, Some(due))
        }
        (None, None) => {
            let usual = usual_interval(started);
            let text = usual.map(|usual| {
                let minutes = usual.as_secs() / 60;
                format!(
                    "{} h {} min, the usual time between two runs",
                    minutes / 60,
                    minutes % 60
                )
            });
            let rhythm = usual.map(Rhythm::Interval);
            let checked = rhythm.and_then(|rhythm| {
                verify::check_operation(started, Some(&rhythm), &bounds, now).due
            });
            (ScheduleBasis::Unknown, text, checked)
        }
    };
    let instants = checked.iter().flat_map(|due| &due.instants);
    let missing = checked.iter().flat_map(|due| &due.missing);
    DueRuns {
        basis,
        schedule,
        may_still_start: checked.as_ref().map_or(0, |due| due.may_still_start),
        instants: instants
            .map(|of| DueAt {
                at: of.at,
                local: of.local.clone(),
                started: of.started.clone(),
            })
            .collect(),
        gaps: missing
            .map(|of| DueGap {
                from: of.from,
                to: of.to,
                runs: of.runs,
            })
            .collect(),
    }
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
