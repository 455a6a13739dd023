//! Settings: the environment as envy reads it, judged here, all problems at once.
//!
//! Every raw value is optional text and an empty one is unset. What is wrong is gathered by the
//! name of its variable; the values of secrets stay out of messages.

mod values;
mod variables;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

pub use variables::{Command, Default, VARIABLES, Variable, variable};

use self::values::{Place, Wrong};
use self::variables::Raw;
use crate::evidence::{Executor, ReviewFrame, Tool};
use crate::exit::FailOn;
use crate::feed::{self, DateOrder, DateRules, Format};
use crate::judgement::{FeedScope, Policy};
use crate::notify::{self, NotifyOn};
use crate::people::LockMode;
use crate::signing::PrivateKey;
use crate::source::RawPages;
use crate::{campaign, directives, files, ledger, net, run, signing, source, store, truto};

/// A larger HR feed is refused, in bytes, packed or not. 100,000 people are some 10 MB; this leaves
/// room for wide exports and keeps a wrong file from filling the memory.
const MAX_HR_FEED_BYTES: u64 = 64 << 20;

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
        hints.push("all variables are described in README.md".to_owned());
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
    load_as(Command::Run, environment, read_file)
}

/// Judges the environment for somebody who tries what a run needs.
///
/// # Errors
/// Every problem at once.
pub fn load_check(
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<Settings>, Problems> {
    load_as(Command::Check, environment, read_file)
}

/// Everything a review needs, whichever command asks.
fn load_as(
    command: Command,
    environment: Environment,
    read_file: impl Fn(&Path) -> std::io::Result<String>,
) -> Result<Judged<Settings>, Problems> {
    let mut judge = Judge::default();
    let (mut raw, warnings) = judge.raw(environment, read_file);
    judge.not_built(command, &mut raw);
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
) -> Result<Judged<campaign::Settings>, Problems> {
    let mut judge = Judge::default();
    let (mut raw, warnings) = judge.raw(environment, read_file);
    judge.not_built(Command::Review, &mut raw);
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
    judge.not_built(Command::Verify, &mut raw);
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
    let (mut raw, warnings) = judge.raw(environment, read_file);
    judge.not_built(Command::Connect, &mut raw);
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

/// An address as a message may show it: without credentials, query and fragment, where tokens are.
fn without_secrets<'a>(name: &str, value: &'a str) -> std::borrow::Cow<'a, str> {
    if !name.ends_with("_URL") {
        return value.into();
    }
    let value = value.split(['?', '#']).next().unwrap_or_default();
    match value
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)))
    {
        Some((scheme, (_, rest))) => format!("{scheme}://…@{rest}").into(),
        None => value.into(),
    }
}

/// Where a file is, with what is needed to get it.
fn located(
    place: Place,
    authorization: Option<SecretString>,
    http: Option<&net::Settings>,
    force_path_style: Option<bool>,
) -> Option<files::Location> {
    Some(match place {
        Place::Path(path) => files::Location::Path(path),
        Place::Web(url) => files::Location::Http {
            url,
            authorization,
            http: http?.clone(),
        },
        Place::S3 { bucket, key } => files::Location::S3 {
            bucket,
            key,
            force_path_style: force_path_style?,
        },
        Place::TrutoHris(_) => return None,
    })
}

/// Variables of these families that nobody knows are a slip of the pen.
const FAMILIES: [&str; 4] = ["TRUTO_", "HR_", "EVIDENCE_", "NOTIFY_"];

/// Of other programs: systemd's.
const STRANGERS: [&str; 1] = ["NOTIFY_SOCKET"];

/// What the feed is read by and the policy records.
struct HrRules {
    columns: BTreeMap<feed::Column, String>,
    date_order: Option<DateOrder>,
    time_zone: String,
    location_zones: BTreeMap<String, String>,
    scope: FeedScope,
    allow_empty: bool,
}

/// Gathers problems while values become settings.
#[derive(Default)]
struct Judge {
    problems: Problems,
}

impl Judge {
    /// The raw values with secrets read from their files, and warnings about unknown names.
    fn raw(
        &mut self,
        environment: Environment,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) -> (Raw, Vec<String>) {
        let mut warnings = Vec::new();
        let mut ours = Vec::new();
        let mut files: BTreeMap<&str, PathBuf> = BTreeMap::new();
        for (name, value) in environment {
            let Ok(name) = name.into_string() else {
                continue;
            };
            let secret_of_file = name
                .strip_suffix("_FILE")
                .and_then(variable)
                .filter(|variable| variable.secret);
            if let Some(variable) = secret_of_file {
                if !value.is_empty() {
                    files.insert(variable.name, PathBuf::from(value));
                }
            } else if variable(&name).is_some() {
                match value.into_string() {
                    Ok(value) => ours.push((name, value)),
                    Err(_) => self.problems.add(format!("{name} is not UTF-8"), None),
                }
            } else if FAMILIES.iter().any(|family| name.starts_with(family))
                && !STRANGERS.contains(&name.as_str())
            {
                warnings.push(format!("{name} is set, and no variable has this name"));
            }
        }
        let mut raw: Raw = envy::from_iter(ours).unwrap_or_else(|error| {
            // Only optional text is asked for, which every value is.
            self.problems
                .add(format!("the environment cannot be read: {error}"), None);
            Raw::default()
        });
        for (name, value) in raw.each() {
            *value = value
                .take()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty());
            if let Some(path) = files.get(name) {
                self.secret_from_file(name, value, path, &read_file);
            }
        }
        warnings.sort();
        (raw, warnings)
    }

    fn secret_from_file(
        &mut self,
        name: &str,
        value: &mut Option<String>,
        path: &Path,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) {
        if value.is_some() {
            let problem = format!("{name} and {name}_FILE are both set");
            self.problems
                .add(problem, Some("keep one of the two".to_owned()));
            return;
        }
        match read_file(path) {
            Ok(text) if text.trim().is_empty() => {
                self.problems
                    .add(format!("{name}_FILE=`{}` is empty", path.display()), None);
            }
            Ok(text) => *value = Some(text.trim().to_owned()),
            Err(error) => {
                let path = path.display();
                self.problems.add(
                    format!("{name}_FILE=`{path}` cannot be read: {error}"),
                    None,
                );
            }
        }
        // Whatever is wrong with the file is said; that the variable is not set would be a second
        // complaint about the same thing.
        value.get_or_insert_with(String::new);
    }

    fn wrong(&mut self, name: &str, value: &str, wrong: Wrong) {
        let is_secret = variable(name).is_some_and(|variable| variable.secret);
        let problem = if is_secret {
            format!("{name} {}", wrong.text)
        } else {
            format!("{name}=`{}` {}", without_secrets(name, value), wrong.text)
        };
        self.problems.add(problem, wrong.hint);
    }

    /// The value of a variable, or its default where it is not set, as something typed.
    fn get<T>(
        &mut self,
        name: &str,
        value: &Option<String>,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let default = variable(name).map(|variable| variable.default);
        let text = match (value, default) {
            (Some(value), _) => value.as_str(),
            (None, Some(Default::Value(default))) => default,
            (None, Some(Default::Required)) => {
                self.problems.add(format!("{name} is not set"), None);
                return None;
            }
            (None, _) => return None,
        };
        parse(text)
            .map_err(|wrong| self.wrong(name, text, wrong))
            .ok()
    }

    /// Settings, if nothing is wrong.
    fn judged<T>(self, settings: Option<T>, warnings: Vec<String>) -> Result<Judged<T>, Problems> {
        match settings {
            Some(settings) if self.problems.problems.is_empty() => {
                Ok(Judged { settings, warnings })
            }
            _ => Err(self.problems),
        }
    }

    fn force_path_style(&mut self, raw: &Raw) -> Option<bool> {
        let value = &raw.s3_force_path_style;
        self.get("S3_FORCE_PATH_STYLE", value, values::boolean)
    }

    fn logs(&mut self, raw: &Raw) {
        self.get("LOG_FORMAT", &raw.log_format, log_format);
        self.get("RUST_LOG", &raw.rust_log, |text| {
            text.parse::<tracing_subscriber::filter::EnvFilter>()
                .map(drop)
                .map_err(|error| Wrong::new(format!("is no filter: {error}")))
        });
    }

    /// Judges the values of a command that later versions act on, and refuses each that is set: it
    /// would be ignored.
    fn not_built(&mut self, command: Command, raw: &mut Raw) {
        for (name, value) in raw.each() {
            let Some(text) = value.as_deref().filter(|text| !text.is_empty()) else {
                continue;
            };
            if !variable(name).is_some_and(|variable| variable.commands.contains(&command)) {
                continue;
            }
            let judged = match name {
                "CONNECTIONS_URL" => values::place(text).map(drop),
                "SHARD_COUNT" | "CONNECTIONS_CONCURRENCY" => {
                    values::number(text, 1, 1000).map(drop)
                }
                "METRICS_PUSHGATEWAY_URL" => values::web_address(text).map(drop),
                _ => Ok(()),
            };
            let text = text.to_owned();
            if let Err(wrong) = judged {
                self.wrong(name, &text, wrong);
            }
            if variable(name).is_some_and(|variable| !variable.built) {
                self.problems.add(
                    format!("{name} is set, and this version has not built what it switches"),
                    Some(
                        "unset what is not built yet, so that nothing is taken for done".to_owned(),
                    ),
                );
            }
        }
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
        let store = self.store(&raw, force_path_style);
        let retention_days = self.get(
            "EVIDENCE_RETENTION_DAYS",
            &raw.evidence_retention_days,
            |text| values::number(text, 1, 36_500),
        );
        let lock_mode = self.lock_mode(&raw);
        if let Some(store::Settings {
            location: store::Location::Folder(_),
        }) = &store
        {
            self.only_for_buckets(&raw);
        }
        let signing = self.signing(&raw);
        let notify = self.notify(&raw);
        let deadline = self.get("RUN_DEADLINE", &raw.run_deadline, values::some_time);
        let criticality = self.get("SYSTEM_CRITICALITY", &raw.system_criticality, |text| {
            Ok(text.to_owned())
        });
        let fail_on = self.get("FAIL_ON", &raw.fail_on, |text| {
            let words = [
                ("findings", FailOn::Findings),
                ("inconclusive", FailOn::Inconclusive),
                ("never", FailOn::Never),
            ];
            values::choice(text, &words)
        });
        self.logs(&raw);
        Some(Settings {
            run: run::Settings {
                source: source::Settings {
                    truto: truto?,
                    workspace_id,
                    raw: raw_pages?,
                },
                feed: feed?,
                directives: directives?,
                policy: policy?,
                store: store?,
                ledger: ledger::Settings {
                    retention_days,
                    lock_mode: lock_mode?,
                },
                signing: signing?,
                deadline: deadline?,
                criticality: criticality?,
                control_ids: values::list(raw.control_ids.as_deref().unwrap_or_default()),
            },
            notify: notify?,
            fail_on: fail_on?,
            executor: Executor {
                claimed_job_name: raw.job_name,
                claimed_pod_uid: raw.pod_uid,
                claimed_image_digest: raw.image_digest,
            },
        })
    }

    fn review(&mut self, raw: Raw, tool: Tool) -> Option<campaign::Settings> {
        let connection = self.get(
            "TRUTO_INTEGRATED_ACCOUNT_ID",
            &raw.truto_integrated_account_id,
            values::connection_id,
        );
        let force_path_style = self.force_path_style(&raw);
        let store = self.store(&raw, force_path_style);
        let retention_days = self.get(
            "EVIDENCE_RETENTION_DAYS",
            &raw.evidence_retention_days,
            |text| values::number(text, 1, 36_500),
        );
        let lock_mode = self.lock_mode(&raw);
        if let Some(store::Settings {
            location: store::Location::Folder(_),
        }) = &store
        {
            self.only_for_buckets(&raw);
        }
        let signing = self.signing(&raw);
        let grace = self.get("REVOCATION_GRACE", &raw.revocation_grace, values::duration);
        let criticality = self.get("SYSTEM_CRITICALITY", &raw.system_criticality, |text| {
            Ok(text.to_owned())
        });
        let notify = self.notify(&raw);
        self.logs(&raw);
        Some(campaign::Settings {
            notify: notify?,
            connection: connection?,
            store: store?,
            ledger: ledger::Settings {
                retention_days,
                lock_mode: lock_mode?,
            },
            signing: signing?,
            revocation_grace: grace?.try_into().ok()?,
            frame: ReviewFrame {
                tool,
                executor: Executor {
                    claimed_job_name: raw.job_name,
                    claimed_pod_uid: raw.pod_uid,
                    claimed_image_digest: raw.image_digest,
                },
                criticality: criticality?,
                control_ids: values::list(raw.control_ids.as_deref().unwrap_or_default()),
            },
        })
    }

    fn http(&mut self, raw: &Raw) -> Option<net::Settings> {
        let timeout = self.get("HTTP_TIMEOUT", &raw.http_timeout, values::some_time);
        let attempts = self.get("RETRY_MAX_ATTEMPTS", &raw.retry_max_attempts, |text| {
            values::number(text, 1, 100)
        });
        let elapsed = self.get(
            "RETRY_MAX_ELAPSED",
            &raw.retry_max_elapsed,
            values::duration,
        );
        Some(net::Settings {
            timeout: timeout?,
            max_attempts: attempts?,
            max_elapsed: elapsed?,
            base_delay: net::Settings::BASE_DELAY,
        })
    }

    fn truto(&mut self, raw: &Raw, http: Option<net::Settings>) -> Option<truto::Settings> {
        let api = self.api(raw, http);
        let connection = self.get(
            "TRUTO_INTEGRATED_ACCOUNT_ID",
            &raw.truto_integrated_account_id,
            values::connection_id,
        );
        let page_size = self.get("TRUTO_PAGE_SIZE", &raw.truto_page_size, |text| {
            values::number(text, 1, 1000)
        });
        Some(api?.to(&connection?, page_size?))
    }

    /// Truto, whichever connection is spoken of.
    fn api(&mut self, raw: &Raw, http: Option<net::Settings>) -> Option<truto::ApiSettings> {
        let token = self.secret("TRUTO_API_TOKEN", &raw.truto_api_token);
        let base_url = self.get("TRUTO_BASE_URL", &raw.truto_base_url, values::base_url);
        let rate_limit = self.get(
            "TRUTO_RATE_LIMIT",
            &raw.truto_rate_limit,
            values::rate_limit,
        );
        Some(truto::ApiSettings {
            base_url: base_url?,
            api_token: token?,
            rate_limit: rate_limit?,
            http: http?,
        })
    }

    /// The lock that the store is asked for, if it is to be asked.
    fn lock_mode(&mut self, raw: &Raw) -> Option<Option<LockMode>> {
        let name = "EVIDENCE_OBJECT_LOCK_MODE";
        if raw.evidence_object_lock_mode.is_none() {
            return Some(None);
        }
        if raw.evidence_retention_days.is_none() {
            let problem = format!("{name} needs EVIDENCE_RETENTION_DAYS");
            let hint = "a lock must end some day: write how many days evidence is to be kept";
            self.problems.add(problem, Some(hint.to_owned()));
        }
        let mode = self.get(name, &raw.evidence_object_lock_mode, |text| {
            let words = [
                ("governance", LockMode::Governance),
                ("compliance", LockMode::Compliance),
            ];
            values::choice(text, &words)
        });
        Some(Some(mode?))
    }

    /// What signs, if anything is to.
    fn signing(&mut self, raw: &Raw) -> Option<signing::Settings> {
        let private = match &raw.evidence_signing_key {
            None => Some(signing::Settings::Unsigned),
            // Its file was complained about.
            Some(text) if text.is_empty() => None,
            set => self.get("EVIDENCE_SIGNING_KEY", set, |text| {
                let key = PrivateKey::from_pem(&SecretString::from(text))
                    .map_err(|error| Wrong::new(error.to_string()).hint(error.hint()))?;
                Ok(signing::Settings::Private(Arc::new(key)))
            }),
        };
        let Some(id) = &raw.evidence_signing_kms_key_id else {
            return private;
        };
        if raw.evidence_signing_key.is_some() {
            let problem = "EVIDENCE_SIGNING_KEY and EVIDENCE_SIGNING_KMS_KEY_ID are both set";
            self.problems
                .add(problem.to_owned(), Some("keep one of the two".to_owned()));
        }
        if values::is_kms_key(id) {
            return Some(signing::Settings::Kms(id.clone()));
        }
        // Not shown: somebody may have put the key itself there.
        self.problems.add(
            "EVIDENCE_SIGNING_KMS_KEY_ID names no KMS key".to_owned(),
            Some("write the key's id, `alias/NAME`, or its ARN".to_owned()),
        );
        None
    }

    /// Who is told of the run. Whatever would tell nobody is a problem: it would be taken for done.
    fn notify(&mut self, raw: &Raw) -> Option<notify::Settings> {
        let on = self.get("NOTIFY_ON", &raw.notify_on, |text| {
            let words = [NotifyOn::Always, NotifyOn::Change, NotifyOn::Problem];
            values::choice(text, &words.map(|on| (on.as_str(), on)))
        });
        let slack = self.receiver("NOTIFY_SLACK_WEBHOOK_URL", &raw.notify_slack_webhook_url);
        let address = self.receiver("NOTIFY_WEBHOOK_URL", &raw.notify_webhook_url);
        let keys = match &raw.notify_webhook_secret {
            None => Some(None),
            // Its file was complained about.
            Some(text) if text.is_empty() => None,
            set => self.get("NOTIFY_WEBHOOK_SECRET", set, |text| {
                let keys = notify::Keys::parse(&SecretString::from(text));
                keys.map(Some)
                    .map_err(|error| Wrong::new(error.to_string()).hint(error.hint()))
            }),
        };
        match (&raw.notify_webhook_url, &raw.notify_webhook_secret) {
            (Some(_), None) => self.problems.add(
                "NOTIFY_WEBHOOK_URL is set, and NOTIFY_WEBHOOK_SECRET is not".to_owned(),
                Some(notify::KeyError::None.hint().to_owned()),
            ),
            (None, Some(_)) => self.problems.add(
                "NOTIFY_WEBHOOK_SECRET is set, and NOTIFY_WEBHOOK_URL is not".to_owned(),
                None,
            ),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let has_receiver =
            raw.notify_webhook_url.is_some() || raw.notify_slack_webhook_url.is_some();
        // The default may be written out.
        if let Some(on) = on.filter(|on| *on != NotifyOn::Change && !has_receiver) {
            let on = on.as_str();
            self.problems.add(
                format!("NOTIFY_ON=`{on}` is set, and nobody is to be told"),
                Some("set NOTIFY_WEBHOOK_URL or NOTIFY_SLACK_WEBHOOK_URL, or unset it".to_owned()),
            );
        }
        let webhook = match (address?, keys?) {
            (Some(address), Some(keys)) => Some(notify::Webhook { address, keys }),
            _ => None,
        };
        Some(notify::Settings {
            on: on?,
            webhook,
            slack: slack?,
            http: notify::Settings::HTTP,
            within: notify::Settings::WITHIN,
        })
    }

    /// An address that is a secret as a whole: nothing of it is told.
    fn receiver(&mut self, name: &str, value: &Option<String>) -> Option<Option<notify::Address>> {
        match value {
            None => Some(None),
            // Its file was complained about.
            Some(text) if text.is_empty() => None,
            set => self.get(name, set, |text| {
                let url = values::secret_address(text)?;
                Ok(Some(notify::Address::new(url)))
            }),
        }
    }

    /// A secret that is fit for a header.
    fn secret(&mut self, name: &str, value: &Option<String>) -> Option<SecretString> {
        self.get(name, value, |text| {
            if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                Ok(SecretString::from(text))
            } else {
                Err(Wrong::new("holds characters that no header can carry"))
            }
        })
    }

    fn feed(
        &mut self,
        raw: &Raw,
        rules: Option<&HrRules>,
        truto: Option<&truto::Settings>,
        http: Option<net::Settings>,
        force_path_style: Option<bool>,
    ) -> Option<feed::Source> {
        let authorization = raw
            .hr_feed_authorization
            .as_ref()
            .and_then(|_| self.secret("HR_FEED_AUTHORIZATION", &raw.hr_feed_authorization));
        let place = self.get(
            "HR_FEED_URL",
            &raw.hr_feed_url,
            |text| match values::place(text)? {
                Place::TrutoHris(id) if raw.truto_integrated_account_id.as_ref() == Some(&id) => {
                    Err(
                        Wrong::new("names the connection of TRUTO_INTEGRATED_ACCOUNT_ID")
                            .hint("name a connection to an HR system"),
                    )
                }
                place @ Place::TrutoHris(_) => Ok(place),
                place => values::one_file(place),
            },
        );
        if authorization.is_some() && !matches!(place, None | Some(Place::Web(_))) {
            let problem = "HR_FEED_AUTHORIZATION is set, and HR_FEED_URL is no https address";
            self.problems.add(problem.to_owned(), None);
        }
        let format = self.get("HR_FEED_FORMAT", &raw.hr_feed_format, |text| {
            let words = [
                ("auto", None),
                ("csv", Some(Format::Csv)),
                ("json", Some(Format::Json)),
                ("jsonl", Some(Format::Jsonl)),
            ];
            values::choice(text, &words)
        });
        let place = place?;
        if matches!(place, Place::TrutoHris(_)) {
            self.only_for_files(raw);
        }
        let rules = rules?;
        let dates = DateRules {
            order: rules.date_order,
            time_zone: rules.time_zone.clone(),
            location_zones: rules.location_zones.clone(),
        };
        let location = match place {
            Place::TrutoHris(id) => {
                return Some(feed::Source::Hris(feed::HrisSettings {
                    truto: truto::Settings {
                        integrated_account_id: id,
                        ..truto?.clone()
                    },
                    dates,
                    may_lack_leavers: rules.allow_empty || rules.scope == FeedScope::Roster,
                }));
            }
            place => located(place, authorization, http.as_ref(), force_path_style)?,
        };
        Some(feed::Source::File(feed::Settings {
            location,
            format: format?,
            columns: rules.columns.clone(),
            dates,
            max_bytes: MAX_HR_FEED_BYTES,
        }))
    }

    /// What says how a file is to be read would be ignored where there is none.
    fn only_for_files(&mut self, raw: &Raw) {
        let format = raw.hr_feed_format.as_deref().filter(|text| *text != "auto");
        for (name, value) in [
            ("HR_FEED_FORMAT", format),
            ("HR_FEED_COLUMNS", raw.hr_feed_columns.as_deref()),
        ] {
            if value.is_some() {
                let problem = format!("{name} is set, and HR_FEED_URL is no file");
                self.problems.add(
                    problem,
                    Some(format!("unset {name}: Truto names the fields")),
                );
            }
        }
    }

    fn directives(
        &mut self,
        raw: &Raw,
        http: &Option<net::Settings>,
        force_path_style: Option<bool>,
    ) -> Option<directives::Settings> {
        let mut location = |name, value: &Option<String>| match value {
            None => Some(None),
            set => {
                let place = self.get(name, set, values::file)?;
                located(place, None, http.as_ref(), force_path_style).map(Some)
            }
        };
        let aliases = location("ALIASES_URL", &raw.aliases_url);
        let exceptions = location("EXCEPTIONS_URL", &raw.exceptions_url);
        Some(directives::Settings {
            aliases: aliases?,
            exceptions: exceptions?,
        })
    }

    fn hr_rules(&mut self, raw: &Raw) -> Option<HrRules> {
        let columns = match &raw.hr_feed_columns {
            None => Some(BTreeMap::new()),
            set => self.get("HR_FEED_COLUMNS", set, values::columns),
        };
        let date_order = match &raw.hr_feed_date_order {
            None => Some(None),
            set => self.get("HR_FEED_DATE_ORDER", set, |text| {
                let words = [("dmy", DateOrder::DayFirst), ("mdy", DateOrder::MonthFirst)];
                values::choice(text, &words).map(Some)
            }),
        };
        let time_zone = self.get("HR_TIME_ZONE", &raw.hr_time_zone, values::zone);
        let location_zones = match &raw.hr_location_zones {
            None => Some(BTreeMap::new()),
            set => self.get("HR_LOCATION_ZONES", set, values::location_zones),
        };
        let scope = self.get("HR_FEED_SCOPE", &raw.hr_feed_scope, |text| {
            let words = [
                ("leavers", FeedScope::Leavers),
                ("recent-leavers", FeedScope::RecentLeavers),
                ("roster", FeedScope::Roster),
            ];
            values::choice(text, &words)
        });
        let allow_empty = &raw.hr_feed_allow_empty;
        let allow_empty = self.get("HR_FEED_ALLOW_EMPTY", allow_empty, values::boolean);
        Some(HrRules {
            columns: columns?,
            date_order: date_order?,
            time_zone: time_zone?,
            location_zones: location_zones?,
            scope: scope?,
            allow_empty: allow_empty?,
        })
    }

    fn policy(&mut self, raw: &Raw, rules: Option<HrRules>) -> Option<Policy> {
        let grace = self.get(
            "OFFBOARDING_GRACE",
            &raw.offboarding_grace,
            values::duration,
        );
        let max_age = self.get(
            "HR_FEED_MAX_AGE",
            &raw.hr_feed_max_age,
            values::duration_or_off,
        );
        let max_drop = self.get("MAX_DROP_PERCENT", &raw.max_drop_percent, |text| {
            values::number(text, 0, 100)
        });
        let internal_domains = match &raw.internal_domains {
            None => Some(Vec::new()),
            set => self.get("INTERNAL_DOMAINS", set, |text| {
                values::list(text)
                    .iter()
                    .map(|domain| values::domain(domain))
                    .collect()
            }),
        };
        let email_domain_aliases = match &raw.email_domain_aliases {
            None => Some(Vec::new()),
            set => self.get("EMAIL_DOMAIN_ALIASES", set, values::domain_pairs),
        };
        let HrRules {
            columns,
            // As it was written.
            date_order: _,
            time_zone,
            location_zones,
            scope,
            allow_empty,
        } = rules?;
        let review_every = self.get("REVIEW_EVERY", &raw.review_every, values::duration_or_off);
        let revocation_grace =
            self.get("REVOCATION_GRACE", &raw.revocation_grace, values::duration);
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Some(Policy {
            offboarding_grace_seconds: seconds(grace?),
            hr_time_zone: time_zone,
            hr_location_zones: location_zones,
            hr_feed_scope: scope,
            hr_feed_max_age_seconds: max_age?.map(seconds),
            hr_feed_allow_empty: allow_empty,
            hr_feed_date_order: raw.hr_feed_date_order.clone(),
            hr_feed_columns: columns
                .into_iter()
                .map(|(column, header)| (column.key().to_owned(), header))
                .collect(),
            internal_domains: {
                let mut domains = internal_domains?;
                domains.sort();
                domains.dedup();
                domains
            },
            email_domain_aliases: email_domain_aliases?,
            max_drop_percent: max_drop?,
            review_every_seconds: review_every?.map(seconds),
            revocation_grace_seconds: Some(seconds(revocation_grace?)),
        })
    }

    fn store(&mut self, raw: &Raw, force_path_style: Option<bool>) -> Option<store::Settings> {
        let place = self.get(
            "EVIDENCE_URL",
            &raw.evidence_url,
            |text| match values::place(text)? {
                Place::Web(_) | Place::TrutoHris(_) => {
                    Err(Wrong::new("is neither a folder nor a bucket")
                        .hint("write `s3://bucket/prefix`"))
                }
                place => Ok(place),
            },
        );
        let owner = match &raw.evidence_bucket_owner {
            None => Some(None),
            set => self
                .get("EVIDENCE_BUCKET_OWNER", set, values::aws_account)
                .map(Some),
        };
        let location = match place? {
            Place::Path(path) => store::Location::Folder(path),
            Place::S3 { bucket, key } => store::Location::S3 {
                bucket,
                prefix: key.trim_matches('/').to_owned(),
                force_path_style: force_path_style?,
                owner: owner?,
                kms_key_id: raw.evidence_kms_key_id.clone(),
            },
            Place::Web(_) | Place::TrutoHris(_) => return None,
        };
        Some(store::Settings { location })
    }

    /// What says how a bucket is to keep evidence would be ignored where there is none, and somebody may
    /// rely on it.
    fn only_for_buckets(&mut self, raw: &Raw) {
        for (name, value) in [
            ("EVIDENCE_OBJECT_LOCK_MODE", &raw.evidence_object_lock_mode),
            ("EVIDENCE_KMS_KEY_ID", &raw.evidence_kms_key_id),
            ("EVIDENCE_BUCKET_OWNER", &raw.evidence_bucket_owner),
        ] {
            if value.is_some() {
                let problem = format!("{name} is set, and EVIDENCE_URL is no bucket");
                let hint = "unset it, or let EVIDENCE_URL be `s3://bucket/prefix`";
                self.problems.add(problem, Some(hint.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
