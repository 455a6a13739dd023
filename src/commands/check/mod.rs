//! `check`: tries every setting and endpoint that a run uses, and stores nothing.
//!
//! It calls the modules of a run, but reads only the first page of each list of accounts, and judges what they read. It
//! reports the checks that a first page can answer.

mod accounts;
mod feed;
mod line;
mod sample;
mod schedule;
mod store;
mod text;

pub use feed::{ColumnReading, DateReading, FeedReading, StatusReading};
pub use line::{Checked, Line, LineMark, Subject};
use sample::Sample;
use text::{as_json, as_text};

use super::{Session, failed, run_until_signal};
use crate::cli::arguments::CheckArguments;
use crate::cli::exit::{Exit, error_chain};
use crate::cli::terminal;
use crate::clock::Clock;
use crate::config::{self, Judged, Settings};
use crate::model::{Directives, HrFeed};
use crate::net::Deadline;
use crate::schedule::RunSchedule;
use crate::{manual, notify};

/// # Errors
/// The exit code, if the schedule is wrong, the time is over or a signal stops it.
pub fn start(arguments: CheckArguments, session: Session) -> Result<Exit, Exit> {
    let Session {
        clock,
        environment,
        progress,
    } = session;
    let print = |checked: &Checked| {
        terminal::print(&match arguments.json {
            true => format!("{:#}\n", as_json(checked)),
            false => as_text(checked),
        });
        checked.exit()
    };
    let loaded = config::load(environment, |path| std::fs::read_to_string(path));
    let Judged {
        mut settings,
        warnings,
    } = match loaded {
        Ok(judged) => judged,
        Err(problems) => return Ok(print(&Checked::of_problems(&problems))),
    };
    if let Some(cron) = arguments.schedule {
        let zone = arguments.zone;
        let zone = zone.unwrap_or_else(|| settings.policy.hr_time_zone.clone());
        let schedule = RunSchedule { cron, zone };
        let parsed = schedule.parse();
        parsed.map_err(|wrong| failed(Exit::Usage, &format!("--zone: {wrong}")))?;
        settings.schedule = Some(schedule);
    }
    let checked = run_until_signal(async {
        let check = check(&settings, &warnings, arguments.write_probe, &clock);
        tokio::time::timeout(settings.deadline, check).await
    });
    progress.clear();
    let checked = checked?.map_err(|_| {
        failed(
            Exit::Transient,
            &"the check was not over in time (RUN_DEADLINE)",
        )
    })?;
    Ok(print(&checked))
}

/// Tries everything.
///
/// `write_probe`: one object may be created to see what the store does with it.
async fn check(
    settings: &Settings,
    warnings: &[String],
    write_probe: bool,
    clock: &Clock,
) -> Checked {
    let mut checked = Checked::default();
    for warning in warnings {
        checked.add(Line::warn(Subject::Settings, warning));
    }
    if warnings.is_empty() {
        checked.add(Line::ok(Subject::Settings, "every variable was judged"));
    }
    let deadline = Deadline::after(settings.deadline);
    let found = store::check(settings, write_probe, clock, &mut checked).await;
    let directives = read_directives(settings, deadline, &mut checked).await;
    let hr = read_hr(settings, clock, deadline, &mut checked).await;
    let is_usable = |hr: &&HrFeed| hr.unusable.is_none();
    let by_hand = &settings.policy.hr_feed_columns;
    checked.feed = hr
        .as_ref()
        .filter(is_usable)
        .map(|hr| FeedReading::of(hr, by_hand));
    let population = accounts::sample(settings, clock, deadline, &mut checked).await;

    let sample = Sample::of(settings, clock, found, directives, hr, population);
    sample.report(&mut checked);
    checked.add(schedule::check(settings.schedule.as_ref(), &sample.inputs));
    checked.add(receivers(&settings.notify));
    checked.lines.sort_by_key(|line| line.subject);
    checked
}

async fn read_directives(
    settings: &Settings,
    deadline: Deadline,
    checked: &mut Checked,
) -> Option<Directives> {
    match manual::read(&settings.manual, deadline).await {
        Ok(read) => {
            let text = match (&read.aliases, &read.exceptions) {
                (None, None) => "neither aliases nor exceptions are set".to_owned(),
                _ => format!(
                    "read {} line(s) of aliases and {} of exceptions",
                    read.aliases().len(),
                    read.exceptions().len()
                ),
            };
            checked.add(Line::ok(Subject::Directives, text));
            Some(read)
        }
        Err(error) => {
            let exit = error.kind().into();
            let hint = error.hint();
            checked.add(Line::fail(Subject::Directives, exit, error_chain(&error)).hint(hint));
            None
        }
    }
}

async fn read_hr(
    settings: &Settings,
    clock: &Clock,
    deadline: Deadline,
    checked: &mut Checked,
) -> Option<HrFeed> {
    match crate::feed::read(&settings.feed, clock, deadline).await {
        Ok(hr) => Some(hr),
        Err(error) => {
            let exit = error.kind().into();
            let hint = error.hint();
            checked.add(Line::fail(Subject::HrFeed, exit, error_chain(&error)).hint(hint));
            None
        }
    }
}

fn receivers(settings: &notify::Settings) -> Line {
    let receivers: Vec<String> = settings.receivers();
    match receivers.is_empty() {
        true => Line::skipped(Subject::Notify, "nobody is to be told"),
        false => Line::ok(
            Subject::Notify,
            format!("would tell {}; nothing was sent", receivers.join(" and ")),
        ),
    }
}
