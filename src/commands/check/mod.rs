//! `check`: tests every setting and endpoint that a run uses, and stores nothing.
//!
//! It calls the modules of a run, but reads only the first page of each list of accounts, and judges what they read. It
//! reports the checks that a first page can answer.

mod accounts;
mod feed;
mod line;
mod sample;
mod store;
mod text;

pub use feed::{ColumnReading, DateReading, FeedReading, StatusReading};
pub use line::{Checked, Line, LineMark, Subject};
use sample::Sample;
use text::{as_json, summary};

use super::{Session, failed, run_until_signal};
use crate::cli::arguments::CheckArguments;
use crate::cli::exit::Exit;
use crate::cli::terminal;
use crate::clock::Clock;
use crate::config::{self, Judged, Settings};
use crate::manual;
use crate::model::counted;
use crate::net::Deadline;
use crate::schedule::RunSchedule;

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
            false => summary(checked),
        });
        checked.exit()
    };
    let mut checked = Checked {
        prints: (!arguments.json).then(|| progress.clone()),
        ..Checked::default()
    };
    let loaded = config::load_check(environment, |path| std::fs::read_to_string(path));
    let Judged {
        mut settings,
        warnings,
    } = match loaded {
        Ok(judged) => judged,
        Err(problems) => {
            checked.add_problems(&problems);
            return Ok(print(&checked));
        }
    };
    if let Some(cron) = arguments.schedule {
        let zone = arguments.zone;
        let zone = zone.unwrap_or_else(|| settings.policy.hr_time_zone.clone());
        let schedule = RunSchedule { cron, zone };
        let parsed = schedule.parse();
        parsed.map_err(|wrong| failed(Exit::Usage, &format!("--zone: {wrong}")))?;
        settings.schedule = Some(schedule);
    }
    let ended = run_until_signal(async {
        let probe = arguments.write_probe;
        let check = check(&settings, &warnings, probe, &clock, &mut checked);
        tokio::time::timeout(settings.deadline, check).await
    });
    progress.clear();
    let late = "the checks exceeded RUN_DEADLINE";
    ended?.map_err(|_| failed(Exit::Transient, &late))?;
    Ok(print(&checked))
}

/// Adds a line for each check.
///
/// `write_probe`: one object may be created to see how the store treats it.
async fn check(
    settings: &Settings,
    warnings: &[String],
    write_probe: bool,
    clock: &Clock,
    checked: &mut Checked,
) {
    for warning in warnings {
        checked.add(Subject::Settings.warn(warning));
    }
    if warnings.is_empty() {
        checked.add(Subject::Settings.ok("all variables are valid"));
    }
    let deadline = Deadline::after(settings.deadline);
    let evidence = store::check(settings, write_probe, clock, checked).await;
    let manual = match manual::read(&settings.manual, deadline).await {
        Ok(read) => {
            let aliases = counted(read.aliases().len(), "line", "lines");
            let exceptions = read.exceptions().len();
            checked.add(Subject::Manual.ok(match (&read.aliases, &read.exceptions) {
                (None, None) => "neither ALIASES_URL nor EXCEPTIONS_URL is set".to_owned(),
                _ => {
                    format!("read {aliases} of aliases and {exceptions} of exceptions")
                }
            }));
            Some(read)
        }
        Err(error) => {
            checked.add(Subject::Manual.failed(&error, error.kind(), error.hint()));
            None
        }
    };
    let hr = match crate::feed::read(&settings.feed, clock, deadline).await {
        Ok(hr) => Some(hr),
        Err(error) => {
            checked.add(Subject::HrFeed.failed(&error, error.kind(), error.hint()));
            None
        }
    };
    let usable = hr.as_ref().filter(|hr| hr.unusable.is_none());
    checked.feed = usable.map(|hr| FeedReading::of(hr, &settings.policy.hr_feed_columns));
    let population = accounts::sample(settings, clock, deadline, checked).await;

    let sample = Sample::of(settings, clock, evidence, manual, hr, population);
    sample.report(settings, checked);
    let receivers = settings.notify.receivers().join(" and ");
    checked.add(match receivers.is_empty() {
        true => Subject::Notify.skipped("no receiver is set"),
        false => Subject::Notify.ok(format!("a run would notify {receivers}; nothing was sent")),
    });
}
