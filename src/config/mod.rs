//! Settings: envy reads the environment, and this module turns it into the settings of each module, or reports all
//! problems at once.
//!
//! Every raw value is optional text. An empty value counts as unset. A problem names its variable, never a secret.

mod connection;
mod evidence;
mod fleet;
mod hr;
mod judge;
mod monitoring;
mod notifications;
mod values;
mod variables;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

pub use fleet::{Connection, Fleet, connection_ids, has_connections};
pub use variables::{Command, Default, VARIABLES, Variable, variable};

use self::judge::Judge;
use self::values::Wrong;
use self::variables::Raw;
use crate::cli::exit::FailOn;
use crate::evidence::{Executor, OwnControl, Tool};
use crate::judgement::Policy;
use crate::model::{Permissions, counted};
use crate::review::ReviewFrame;
use crate::schedule::RunSchedule;
use crate::source::RawPages;
use crate::{feed, files, ledger, manual, metrics, notify, signing, source, store, truto};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    pub source: source::Settings,
    pub feed: feed::Source,
    pub manual: manual::Settings,
    pub policy: Policy,
    pub schedule: Option<RunSchedule>,
    pub store: store::Settings,
    pub ledger: ledger::Settings,
    pub signing: signing::Settings,
    /// Time limit of the whole run.
    pub deadline: Duration,
    /// How critical Asana is to the company, in the company's own word: `critical`.
    pub criticality: String,
    pub own_controls: Vec<OwnControl>,
    pub notify: notify::Settings,
    pub metrics: metrics::Settings,
    /// The verdicts that have their own exit code.
    pub fail_on: FailOn,
    /// The executor that the environment claims.
    pub executor: Executor,
    /// Whether this process checks other connections too.
    pub is_one_of_several: bool,
}

/// The settings of `connect`.
#[derive(Clone, Debug)]
pub struct ConnectSettings {
    pub truto: truto::ApiSettings,
    pub permissions: Permissions,
}

/// The settings of a periodic access review.
#[derive(Clone, Debug)]
pub struct ReviewSettings {
    /// The Truto connection whose evidence is reviewed.
    pub connection: String,
    pub store: store::Settings,
    pub ledger: ledger::Settings,
    pub signing: signing::Settings,
    pub revocation_grace: SignedDuration,
    pub frame: ReviewFrame,
    pub notify: notify::Settings,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    Text,
}

/// Valid settings, and warnings about the environment.
#[derive(Debug)]
pub struct Judged<T> {
    pub settings: T,
    /// One for each unknown variable with a name like ours.
    pub warnings: Vec<String>,
}

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

    pub fn all(&self) -> &[String] {
        &self.problems
    }

    /// The remedies for the operator.
    pub fn hints(&self) -> Vec<String> {
        let mut hints = self.hints.clone();
        hints.push("docs/configuration.md describes all variables".to_owned());
        hints
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems = counted(self.problems.len(), "problem", "problems");
        writeln!(f, "the configuration has {problems}")?;
        for problem in &self.problems {
            writeln!(f, "  {problem}")?;
        }
        write!(f, "hint: {}", self.hints().join("; "))
    }
}

impl std::error::Error for Problems {}

/// Names and values of environment variables, as the operating system provides them.
pub type Environment = Vec<(std::ffi::OsString, std::ffi::OsString)>;

/// A person waits for `check` and `connect`. Three attempts are over after about a second and a half if a host is
/// unknown or refuses the connection.
const FEW_ATTEMPTS: u32 = 3;

/// The settings of a run.
///
/// `read_file` reads the file that `<secret>_FILE` names.
///
/// # Errors
/// All problems at once.
pub fn load(
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<Settings>, Problems> {
    judge::judged(environment, read_file, |judge, raw| judge.settings(raw))
}

/// The settings of `check`: those of a run, with few attempts per request.
///
/// # Errors
/// All problems at once.
pub fn load_check(
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<Settings>, Problems> {
    judge::judged(environment, read_file, |judge, raw| {
        judge.few_attempts = Some(FEW_ATTEMPTS);
        judge.settings(raw)
    })
}

/// The settings of a run over several connections, without those of each connection.
///
/// # Errors
/// All problems at once.
pub fn load_fleet(
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<Fleet>, Problems> {
    let of_connections = fleet::inherited(&environment);
    judge::judged(environment, read_file, |judge, raw| {
        judge.fleet(raw, of_connections)
    })
}

/// The settings of a periodic review.
///
/// # Errors
/// All problems at once.
pub fn load_review(
    environment: Environment,
    tool: Tool,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<ReviewSettings>, Problems> {
    judge::judged(environment, read_file, |judge, raw| judge.review(raw, tool))
}

/// The settings of `status`.
#[derive(Clone, Debug)]
pub struct StatusSettings {
    pub store: store::Settings,
    /// The list of connections.
    pub list: Option<files::Location>,
}

/// The settings of `status`. `url` and `list` are the locations of the evidence and of the list of connections, if the
/// command line names them.
///
/// # Errors
/// All problems at once.
pub fn load_status(
    environment: Environment,
    url: Option<String>,
    list: Option<String>,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<StatusSettings>, Problems> {
    judge::judged(environment, read_file, |judge, mut raw| {
        judge.few_attempts = Some(FEW_ATTEMPTS);
        raw.evidence_url.text = url.or(raw.evidence_url.text);
        raw.connections_url.text = list.or(raw.connections_url.text);
        let force_path_style = judge.force_path_style(&raw);
        let http = judge.http(&raw);
        let list = judge.optional(&raw.connections_url, values::file);
        let store = judge.store(&raw, force_path_style);
        judge.logs(&raw);
        let list = match list? {
            Some(place) => Some(hr::located(place, None, http.as_ref(), force_path_style)?),
            None => None,
        };
        Some(StatusSettings {
            store: store?,
            list,
        })
    })
}

/// The settings of `verify`. `url` is the location of the evidence, if the command line names it.
///
/// # Errors
/// All problems at once.
pub fn load_store(
    environment: Environment,
    url: Option<String>,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<store::Settings>, Problems> {
    judge::judged(environment, read_file, |judge, mut raw| {
        raw.evidence_url.text = url.or(raw.evidence_url.text);
        let force_path_style = judge.force_path_style(&raw);
        let settings = judge.store(&raw, force_path_style);
        judge.logs(&raw);
        settings
    })
}

/// The settings of `connect`.
///
/// # Errors
/// All problems at once.
pub fn load_connect(
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<ConnectSettings>, Problems> {
    judge::judged(environment, read_file, |judge, raw| {
        judge.few_attempts = Some(FEW_ATTEMPTS);
        let http = judge.http(&raw);
        let truto = judge.api(&raw, http);
        let permissions = judge.permissions(&raw);
        judge.logs(&raw);
        Some(ConnectSettings {
            truto: truto?,
            permissions: permissions?,
        })
    })
}

/// Parses the id of a connection for the command line.
///
/// # Errors
/// The error and a hint.
pub fn connection_id(text: &str) -> Result<String, String> {
    values::connection_id(text).map_err(in_words)
}

/// Parses an interval for the command line: `24h`, `7d`.
///
/// # Errors
/// The error and a hint.
pub fn interval(text: &str) -> Result<Duration, String> {
    values::some_time(text).map_err(in_words)
}

fn in_words(wrong: Wrong) -> String {
    match wrong.hint {
        Some(hint) => format!("{}: {hint}", wrong.text),
        None => wrong.text,
    }
}

/// The format and the filter of log lines, which are needed before the first log line. A wrong value falls back to the
/// default here, and [`load`] reports it.
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

fn fail_on(text: &str) -> Result<FailOn, Wrong> {
    values::one_of([
        ("findings", FailOn::Findings),
        ("inconclusive", FailOn::Inconclusive),
        ("never", FailOn::Never),
    ])(text)
}

fn log_format(text: &str) -> Result<LogFormat, Wrong> {
    values::one_of([("json", LogFormat::Json), ("text", LogFormat::Text)])(text)
}

impl Judge {
    fn logs(&mut self, raw: &Raw) {
        self.get(&raw.log_format, log_format);
        self.get(&raw.rust_log, |text| {
            text.parse::<tracing_subscriber::filter::EnvFilter>()
                .map(drop)
                .map_err(|error| Wrong::new(format!("is not a filter: {error}")))
        });
    }

    fn settings(&mut self, raw: Raw) -> Option<Settings> {
        let http = self.http(&raw);
        let truto = self.truto(&raw, http.clone());
        let workspace_id = raw.asana_workspace_id.text.clone();
        let words = [RawPages::None, RawPages::Minimal, RawPages::Full];
        let words = words.map(|raw| (raw.as_str(), raw));
        let raw_pages = self.get(&raw.evidence_raw, values::one_of(words));
        let force_path_style = self.force_path_style(&raw);
        let manual = self.manual(&raw, &http, force_path_style);
        let rules = self.hr_rules(&raw);
        let feed = self.feed(&raw, rules.as_ref(), truto.as_ref(), http, force_path_style);
        let permissions = self.permissions(&raw);
        let policy = self.policy(&raw, rules, permissions);
        let schedule = self.schedule(&raw, policy.as_ref());
        let evidence = self.evidence(&raw, force_path_style);
        let notify = self.notify(&raw);
        let metrics = self.metrics(&raw);
        let deadline = self.get(&raw.run_deadline, values::some_time);
        let criticality = self.criticality(&raw);
        let fail_on = self.get(&raw.fail_on, fail_on);
        self.logs(&raw);
        self.only_with_connections(&raw);
        let own_controls = self.own_controls(&raw);
        let evidence = evidence?;
        Some(Settings {
            executor: executor(&raw),
            is_one_of_several: raw.connections_url.is_set(),
            source: source::Settings {
                truto: truto?,
                workspace_id,
                raw: raw_pages?,
                permissions: permissions?,
            },
            feed: feed?,
            manual: manual?,
            policy: policy?,
            schedule,
            store: evidence.store,
            ledger: evidence.ledger,
            signing: evidence.signing,
            deadline: deadline?,
            criticality: criticality?,
            own_controls: own_controls?,
            notify: notify?,
            metrics: metrics?,
            fail_on: fail_on?,
        })
    }

    fn review(&mut self, raw: Raw, tool: Tool) -> Option<ReviewSettings> {
        let connection = self.connection(&raw);
        let force_path_style = self.force_path_style(&raw);
        let evidence = self.evidence(&raw, force_path_style);
        let grace = self.get(&raw.revocation_grace, values::duration);
        let criticality = self.criticality(&raw);
        let notify = self.notify(&raw);
        let own_controls = self.own_controls(&raw);
        self.logs(&raw);
        let evidence = evidence?;
        Some(ReviewSettings {
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

    fn schedule(&mut self, raw: &Raw, policy: Option<&Policy>) -> Option<RunSchedule> {
        let (cron, zone) = (&raw.run_schedule, &raw.run_schedule_zone);
        if !cron.is_set() && zone.is_set() {
            let problem = "RUN_SCHEDULE_ZONE is set, but RUN_SCHEDULE is not";
            self.add(problem, Some("set both, or neither"));
        }
        let cron = self.get(cron, values::cron)?;
        let zone = match self.optional(zone, values::zone)? {
            Some(zone) => zone,
            None => policy?.hr_time_zone.clone(),
        };
        Some(RunSchedule { cron, zone })
    }

    fn criticality(&mut self, raw: &Raw) -> Option<String> {
        self.get(&raw.system_criticality, |text| Ok(text.to_owned()))
    }

    fn own_controls(&mut self, raw: &Raw) -> Option<Vec<OwnControl>> {
        let own_controls = self.optional(&raw.control_ids, values::own_controls);
        own_controls.map(Option::unwrap_or_default)
    }
}

fn executor(raw: &Raw) -> Executor {
    Executor {
        claimed_job_name: raw.job_name.text.clone(),
        claimed_pod_uid: raw.pod_uid.text.clone(),
        claimed_image_digest: raw.image_digest.text.clone(),
    }
}

#[cfg(test)]
mod tests;
