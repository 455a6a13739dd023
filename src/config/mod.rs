//! Settings: the environment as envy reads it, judged here, all problems at once.
//!
//! Every raw value is optional text and an empty one is unset. What is wrong is gathered by the
//! name of its variable; the values of secrets stay out of messages.

mod evidence;
mod hr;
mod judge;
mod reach;
mod telling;
mod values;
mod variables;

use std::fmt;
use std::path::Path;
use std::time::Duration;

pub use variables::{Command, Default, VARIABLES, Variable, variable};

use self::judge::Judge;
use self::values::Wrong;
use self::variables::Raw;
use crate::evidence::{Executor, OwnControl, Tool};
use crate::exit::FailOn;
use crate::judgement::Policy;
use crate::review::ReviewFrame;
use crate::review::command as review;
use crate::schedule::RunSchedule;
use crate::source::RawPages;
use crate::{notify, run, source, store, truto};

/// The settings of a review.
#[derive(Debug)]
pub struct Settings {
    /// What the run needs.
    pub run: run::Settings,
    /// Who is told of it.
    pub notify: notify::Settings,
    /// Which verdicts are an exit code of their own.
    pub fail_on: FailOn,
    /// Who ran it, as the environment claims.
    pub executor: Executor,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Settings that were judged, and what a person should know about them all the same.
#[derive(Debug)]
pub struct Judged<T> {
    /// The settings.
    pub settings: T,
    /// Variables that look like ours and are not.
    pub warnings: Vec<String>,
}

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    problems: Vec<String>,
    hints: Vec<String>,
}

impl Problems {
    fn add(&mut self, problem: String, hint: Option<String>) {
        self.problems.push(problem);
        if let Some(hint) = hint
            && !self.hints.contains(&hint)
        {
            self.hints.push(hint);
        }
    }
}

impl Problems {
    /// Each problem, in words.
    pub fn all(&self) -> &[String] {
        &self.problems
    }

    /// What to do about them.
    pub fn hints(&self) -> Vec<String> {
        let mut hints = self.hints.clone();
        hints.push("all variables are described in docs/configuration.md".to_owned());
        hints
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => writeln!(f, "the configuration has 1 problem")?,
            count => writeln!(f, "the configuration has {count} problems")?,
        }
        for problem in &self.problems {
            writeln!(f, "  {problem}")?;
        }
        write!(f, "hint: {}", self.hints().join("; "))
    }
}

impl std::error::Error for Problems {}

/// An environment: names and values, as the operating system has them.
pub type Environment = Vec<(std::ffi::OsString, std::ffi::OsString)>;

/// Judges the environment for a run.
///
/// `read_file` reads what `<secret>_FILE` names.
///
/// # Errors
/// Every problem at once.
pub fn load(
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<Settings>, Problems> {
    let mut judge = Judge::default();
    let (raw, warnings) = judge.raw(environment, read_file);
    let settings = judge.settings(raw);
    judge.judged(settings, warnings)
}

/// Judges the environment for a periodic review, by a program that `tool` names.
///
/// # Errors
/// Every problem at once.
pub fn load_review(
    environment: Environment,
    tool: Tool,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<review::Settings>, Problems> {
    let mut judge = Judge::default();
    let (raw, warnings) = judge.raw(environment, read_file);
    let settings = judge.review(raw, tool);
    judge.judged(settings, warnings)
}

/// Judges the environment for somebody who checks evidence; `url` is where it lies, if the command line
/// says so.
///
/// # Errors
/// Every problem at once.
pub fn load_store(
    environment: Environment,
    url: Option<String>,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<store::Settings>, Problems> {
    let mut judge = Judge::default();
    let (mut raw, warnings) = judge.raw(environment, read_file);
    raw.evidence_url = url.or(raw.evidence_url);
    let force_path_style = judge.force_path_style(&raw);
    let settings = judge.store(&raw, force_path_style);
    judge.logs(&raw);
    judge.judged(settings, warnings)
}

/// Judges the environment for somebody who makes a connection.
///
/// # Errors
/// Every problem at once.
pub fn load_truto(
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<truto::ApiSettings>, Problems> {
    let mut judge = Judge::default();
    let (raw, warnings) = judge.raw(environment, read_file);
    let http = judge.http(&raw);
    let settings = judge.api(&raw, http);
    judge.logs(&raw);
    judge.judged(settings, warnings)
}

/// The id of a connection as the command line takes it.
///
/// # Errors
/// What is wrong with it, and what to write.
pub fn connection_id(text: &str) -> Result<String, String> {
    values::connection_id(text).map_err(in_words)
}

/// An interval as the command line takes it: `24h`, `7d`.
///
/// # Errors
/// What is wrong with it, and what to write.
pub fn interval(text: &str) -> Result<Duration, String> {
    values::some_time(text).map_err(in_words)
}

fn in_words(wrong: Wrong) -> String {
    match wrong.hint {
        Some(hint) => format!("{}: {hint}", wrong.text),
        None => wrong.text,
    }
}

/// How log lines are to look, and which are written: needed before anything can be said. A value
/// that is wrong is [`load`]'s to complain about; until then lines look as where nothing is set.
pub fn logging(environment: &Environment, stderr_is_terminal: bool) -> (LogFormat, String) {
    let get = |name: &str| {
        let found = environment.iter().find(|(key, _)| key == name);
        found
            .and_then(|(_, value)| value.to_str())
            .map(str::trim)
            .filter(|v| !v.is_empty())
    };
    let usual = if stderr_is_terminal {
        LogFormat::Text
    } else {
        LogFormat::Json
    };
    let format = get("LOG_FORMAT")
        .and_then(|text| log_format(text).ok())
        .unwrap_or(usual);
    (format, get("RUST_LOG").unwrap_or("info").to_owned())
}

fn log_format(text: &str) -> Result<LogFormat, Wrong> {
    values::choice(
        text,
        &[("json", LogFormat::Json), ("text", LogFormat::Text)],
    )
}

impl Judge {
    fn logs(&mut self, raw: &Raw) {
        self.get("LOG_FORMAT", &raw.log_format, log_format);
        self.get("RUST_LOG", &raw.rust_log, |text| {
            text.parse::<tracing_subscriber::filter::EnvFilter>()
                .map(drop)
                .map_err(|error| Wrong::new(format!("is no filter: {error}")))
        });
    }

    fn settings(&mut self, raw: Raw) -> Option<Settings> {
        let http = self.http(&raw);
        let truto = self.truto(&raw, http.clone());
        let workspace_id = raw.asana_workspace_id.clone();
        let raw_pages = self.get("EVIDENCE_RAW", &raw.evidence_raw, |text| {
            let words: Vec<_> = RawPages::ALL.iter().map(|of| (of.as_str(), *of)).collect();
            values::choice(text, &words)
        });
        let force_path_style = self.force_path_style(&raw);
        let directives = self.directives(&raw, &http, force_path_style);
        let rules = self.hr_rules(&raw);
        let feed = self.feed(&raw, rules.as_ref(), truto.as_ref(), http, force_path_style);
        let policy = self.policy(&raw, rules);
        let schedule = self.schedule(&raw, policy.as_ref());
        let evidence = self.evidence(&raw, force_path_style);
        let notify = self.notify(&raw);
        let deadline = self.get("RUN_DEADLINE", &raw.run_deadline, values::some_time);
        let criticality = self.criticality(&raw);
        let fail_on = self.get("FAIL_ON", &raw.fail_on, |text| {
            let words = [
                ("findings", FailOn::Findings),
                ("inconclusive", FailOn::Inconclusive),
                ("never", FailOn::Never),
            ];
            values::choice(text, &words)
        });
        self.logs(&raw);
        let own_controls = self.own_controls(&raw);
        let evidence = evidence?;
        Some(Settings {
            executor: executor(&raw),
            run: run::Settings {
                source: source::Settings {
                    truto: truto?,
                    workspace_id,
                    raw: raw_pages?,
                },
                feed: feed?,
                directives: directives?,
                policy: policy?,
                schedule,
                store: evidence.store,
                ledger: evidence.ledger,
                signing: evidence.signing,
                deadline: deadline?,
                criticality: criticality?,
                own_controls: own_controls?,
            },
            notify: notify?,
            fail_on: fail_on?,
        })
    }

    fn review(&mut self, raw: Raw, tool: Tool) -> Option<review::Settings> {
        let connection = self.connection(&raw);
        let force_path_style = self.force_path_style(&raw);
        let evidence = self.evidence(&raw, force_path_style);
        let grace = self.get("REVOCATION_GRACE", &raw.revocation_grace, values::duration);
        let criticality = self.criticality(&raw);
        let notify = self.notify(&raw);
        let own_controls = self.own_controls(&raw);
        self.logs(&raw);
        let evidence = evidence?;
        Some(review::Settings {
            connection: connection?,
            store: evidence.store,
            ledger: evidence.ledger,
            signing: evidence.signing,
            revocation_grace: grace?.try_into().ok()?,
            frame: ReviewFrame {
                tool,
                executor: executor(&raw),
                criticality: criticality?,
                own_controls: own_controls?,
            },
            notify: notify?,
        })
    }

    /// When the job runs; none if that is not set.
    fn schedule(&mut self, raw: &Raw, policy: Option<&Policy>) -> Option<RunSchedule> {
        let (cron, zone) = (&raw.run_schedule, &raw.run_schedule_zone);
        if cron.is_none() && zone.is_some() {
            let problem = "RUN_SCHEDULE_ZONE is set, and RUN_SCHEDULE is not".to_owned();
            let hint = "set both, or neither".to_owned();
            self.problems.add(problem, Some(hint));
        }
        let cron = self.get("RUN_SCHEDULE", cron, values::cron)?;
        let zone = match zone {
            None => policy?.hr_time_zone.clone(),
            set => self.get("RUN_SCHEDULE_ZONE", set, values::zone)?,
        };
        Some(RunSchedule { cron, zone })
    }

    fn criticality(&mut self, raw: &Raw) -> Option<String> {
        let value = &raw.system_criticality;
        self.get("SYSTEM_CRITICALITY", value, |text| Ok(text.to_owned()))
    }

    fn own_controls(&mut self, raw: &Raw) -> Option<Vec<OwnControl>> {
        match &raw.control_ids {
            None => Some(Vec::new()),
            text => self.get("CONTROL_IDS", text, values::own_controls),
        }
    }
}

/// Who or what runs it, as the environment claims.
fn executor(raw: &Raw) -> Executor {
    Executor {
        claimed_job_name: raw.job_name.clone(),
        claimed_pod_uid: raw.pod_uid.clone(),
        claimed_image_digest: raw.image_digest.clone(),
    }
}

#[cfg(test)]
mod tests;
