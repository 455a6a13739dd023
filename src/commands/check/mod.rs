//! The preflight: every setting and endpoint that a run uses, tried, and nothing stored.
//!
//! It asks the run's own rooms, the lists of accounts for their first page only. What they find goes
//! through the run's own judgement, and of its checks those are told that a first page can answer.

mod accounts;
mod feed;
mod line;
mod schedule;
mod store;
mod text;

pub use feed::{ColumnReading, DateReading, FeedReading, StatusReading};
pub use line::{Line, Mark, Subject};
use text::{as_json, as_text};

use super::{Session, failed, run_until_signal};
use crate::cli::arguments::CheckArguments;
use crate::cli::exit::{Exit, told as chain};
use crate::cli::terminal;
use crate::clock::Clock;
use crate::config::{self, Judged, Problems, Settings};
use crate::judgement::{
    CheckId, CheckStatus, DirectiveKind, DirectiveState, DirectiveUse, Inputs, Judgement, Past,
    judge,
};
use crate::ledger::Ledger;
use crate::model::{Directives, HrFeed, Memberships, Population, Viewer};
use crate::net::Deadline;
use crate::review::FollowUps;
use crate::schedule::RunSchedule;
use crate::signing::SigningKey;
use crate::store::Store;
use crate::{manual, notify};

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Each line, in the order of subjects.
    pub lines: Vec<Line>,
    /// How the HR feed was read, if it could be.
    pub feed: Option<FeedReading>,
}

impl Checked {
    /// How a run would end: by the first line that would stop it, else inconclusive where something
    /// failed that it would go on with.
    pub fn exit(&self) -> Exit {
        let failed = self.lines.iter().filter(|line| line.mark == Mark::Fail);
        let mut exits = failed.map(|line| line.exit);
        let first = exits.next().unwrap_or(Exit::Pass);
        match first {
            Exit::Inconclusive => exits.find(|exit| *exit != first).unwrap_or(first),
            first => first,
        }
    }

    fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The settings cannot be judged: nothing else can be tried.
    fn of_problems(problems: &Problems) -> Self {
        let one = |problem| Line::fail(Subject::Settings, Exit::Configuration, problem);
        let mut lines: Vec<Line> = problems.all().iter().map(one).collect();
        if let Some(last) = lines.pop() {
            lines.push(last.hint(Some(problems.hints().join("; "))));
        }
        let others = Subject::ALL.iter().filter(|at| **at != Subject::Settings);
        lines.extend(others.map(|at| Line::skipped(*at, "not tried: the settings come first")));
        Self { lines, feed: None }
    }
}

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

    let judged = Sample::of(settings, clock, found, directives, hr, population);
    judged.tell(&mut checked);
    checked.add(schedule::check(settings.schedule.as_ref(), &judged.inputs));
    checked.add(told_to(&settings.notify));
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
            checked.add(Line::fail(Subject::Directives, exit, chain(&error)).hint(hint));
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
            checked.add(Line::fail(Subject::HrFeed, exit, chain(&error)).hint(hint));
            None
        }
    }
}

fn told_to(settings: &notify::Settings) -> Line {
    let receivers: Vec<String> = settings.receivers();
    match receivers.is_empty() {
        true => Line::skipped(Subject::Notify, "nobody is to be told"),
        false => Line::ok(
            Subject::Notify,
            format!("would tell {}; nothing was sent", receivers.join(" and ")),
        ),
    }
}

/// What a run's judgement says of what was read, as far as a first page can tell.
struct Sample {
    judgement: Judgement,
    inputs: Inputs,
    has_hr: bool,
    has_accounts: bool,
    has_past: bool,
}

impl Sample {
    fn of(
        settings: &Settings,
        clock: &Clock,
        found: store::Found,
        directives: Option<Directives>,
        hr: Option<HrFeed>,
        population: Option<Population>,
    ) -> Self {
        let (has_hr, has_accounts) = (hr.is_some(), population.is_some());
        let has_past = found.chain.is_some();
        let as_of = clock.as_of();
        let (past, follow_ups) = match found.chain {
            Some(chain) => (chain.past, chain.follow_ups),
            None => (Past::default(), FollowUps::starting(as_of)),
        };
        let inputs = Inputs {
            as_of,
            run: "none: a check".into(),
            policy: settings.policy.clone(),
            // The schedule has a line of its own.
            schedule: None,
            population: population.unwrap_or_else(accounts::nobody),
            hr: hr.unwrap_or_default(),
            directives: directives.unwrap_or_default(),
            follow_ups,
            past,
            store: found.protection,
        };
        Self {
            judgement: judge(&inputs),
            inputs,
            has_hr,
            has_accounts,
            has_past,
        }
    }

    fn tell(&self, checked: &mut Checked) {
        for line in &self.judgement.directives {
            checked.lines.extend(self.directive(line));
        }
        if self.has_past {
            for id in [
                CheckId::LedgerContinues,
                CheckId::PolicyUnchanged,
                CheckId::Cadence,
            ] {
                checked.add(self.line(Subject::Evidence, id));
            }
            // There is no such check where nobody asks for reviews, and none is lost.
            if self.has_check(CheckId::ReviewDue) {
                checked.add(self.line(Subject::Evidence, CheckId::ReviewDue));
            }
        }
        if self.inputs.store.is_some() {
            checked.add(self.line(Subject::WriteProbe, CheckId::StoreProtection));
        }
        if self.has_hr {
            for id in [
                CheckId::HrFresh,
                CheckId::HrNotEmpty,
                CheckId::HrRowsAccounted,
            ] {
                checked.add(self.line(Subject::HrFeed, id));
            }
        }
        if self.has_accounts {
            checked.add(self.line(Subject::Truto, CheckId::SourceOrigin));
            checked.add(self.line(Subject::Clock, CheckId::Clock));
            checked.add(self.viewer());
            checked.add(accounts::viewer_and_leavers(&self.inputs, &self.judgement));
            self.tell_of_whole_lists(checked);
        }
        if self.has_accounts && self.has_hr {
            let line = self.line(Subject::Match, CheckId::HrMatchable);
            let is_whole = self.inputs.population.listing.last_page_reached;
            checked.add(match line.mark {
                Mark::Fail if !is_whole => Line::warn(
                    Subject::Match,
                    "no HR row shares a mail domain with an account of the first page",
                ),
                _ => line,
            });
        }
    }

    /// The state of a line of the aliases or exceptions. Only the whole list of accounts shows that a line is unused.
    fn directive(&self, of: &DirectiveUse) -> Option<Line> {
        let file = match of.kind {
            DirectiveKind::Alias => "aliases",
            DirectiveKind::Exception => "exceptions",
        };
        let text = format!(
            "line {} of the {file} is {}: {}",
            of.line, of.state, of.detail
        );
        let is_whole = self.inputs.population.listing.last_page_reached;
        match of.state {
            DirectiveState::Expired | DirectiveState::Malformed => {
                Some(Line::warn(Subject::Directives, text))
            }
            DirectiveState::Used | DirectiveState::Unused if !self.has_hr || !self.has_accounts => {
                None
            }
            DirectiveState::Unused if !is_whole => None,
            DirectiveState::Used | DirectiveState::Unused => {
                Some(Line::ok(Subject::Directives, text))
            }
        }
    }

    /// Whose account the connection uses. One that is not on the first page is not missing from the list.
    fn viewer(&self) -> Line {
        let population = &self.inputs.population;
        let line = self.line(Subject::Viewer, CheckId::Viewer);
        match &population.viewer {
            Viewer::Account { id, .. }
                if !population.listing.last_page_reached
                    && population.accounts.iter().all(|account| account.id != *id) =>
            {
                let text = format!(
                    "the account `{id}` is not on the first page, and could not be read alone: its \
                     role is not known"
                );
                Line::warn(Subject::Viewer, text)
            }
            Viewer::Account { .. } | Viewer::NotTold { .. } => line,
        }
    }

    /// Of a workspace that fits on a page, a run's own checks on the lists can be told too.
    fn tell_of_whole_lists(&self, checked: &mut Checked) {
        let population = &self.inputs.population;
        if !population.listing.last_page_reached {
            return;
        }
        for id in [CheckId::ListComplete, CheckId::PopulationSize] {
            checked.add(self.line(Subject::Users, id));
        }
        if matches!(population.memberships, Memberships::Read { .. }) {
            checked.add(self.line(Subject::Memberships, CheckId::RowsReconcile));
        }
    }

    fn has_check(&self, id: CheckId) -> bool {
        self.judgement.checks.iter().any(|check| check.id == id)
    }

    /// A check of the judgement's, as a line.
    fn line(&self, subject: Subject, id: CheckId) -> Line {
        let mut checks = self.judgement.checks.iter();
        match checks.find(|check| check.id == id) {
            None => Line::skipped(subject, format!("{id} was not judged")),
            Some(check) => match check.status {
                CheckStatus::Pass => Line::ok(subject, &check.detail),
                CheckStatus::Warn => Line::warn(subject, &check.detail),
                CheckStatus::Fail => Line::fail(subject, Exit::Inconclusive, &check.detail),
            },
        }
    }
}

/// The ledger of the connection, in a store and with a key that are open.
fn ledger_of(settings: &Settings, store: &Store, key: Option<SigningKey>) -> Ledger {
    Ledger::new(
        store.clone(),
        &settings.source.truto.integrated_account_id,
        settings.ledger.clone(),
        key,
    )
}
