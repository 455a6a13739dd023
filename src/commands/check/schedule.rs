//! Whether two runs of the schedule lie close around each deadline. Only such runs prove that access ended in time.

use super::{Line, Subject};
use crate::judgement::{Inputs, ScheduleGaps};
use crate::schedule::RunSchedule;

pub(super) fn check(schedule: Option<&RunSchedule>, inputs: &Inputs) -> Line {
    let subject = Subject::Schedule;
    let Some(schedule) = schedule else {
        let text = "not known: set RUN_SCHEDULE, or give it as --schedule \"30 0,23 * * *\"";
        return Line::skipped(subject, text);
    };
    match ScheduleGaps::of(schedule, inputs).map(|gaps| gaps.detail(schedule)) {
        Ok(None) => Line::ok(
            subject,
            format!("{schedule}: two runs lie close around every deadline"),
        ),
        Ok(Some(gaps)) => Line::warn(subject, gaps),
        Err(wrong) => Line::warn(subject, format!("{schedule}: {wrong}")),
    }
}
