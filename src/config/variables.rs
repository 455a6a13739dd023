//! The table of variables: name, default, commands, meaning.
//!
//! The environment that envy reads, the help, and the warnings about unknown names are made from it. A test compares
//! docs/configuration.md with it.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Run,
    Check,
    Connect,
    Verify,
    Review,
}

impl Command {
    pub const ALL: [Self; 5] = [
        Self::Run,
        Self::Check,
        Self::Connect,
        Self::Verify,
        Self::Review,
    ];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Check => "check",
            Self::Connect => "connect",
            Self::Verify => "verify",
            Self::Review => "review",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Variable {
    pub name: &'static str,
    /// The value if it is not set.
    pub default: Default,
    /// Its value is never shown, and may come as `<name>_FILE`.
    pub secret: bool,
    pub commands: &'static [Command],
    /// One line.
    pub meaning: &'static str,
}

/// The value of a variable that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// A missing value is a problem.
    Required,
    Unset,
    Value(&'static str),
    /// It depends on the surroundings, in words.
    Depends(&'static str),
}

use self::Default::{Depends, Required, Unset, Value};
use Command::{Check, Connect, Review, Run, Verify};

const SOURCE: &[Command] = &[Run, Check];
const TRUTO: &[Command] = &[Run, Check, Connect];
const CONNECTION: &[Command] = &[Run, Check, Review];
const WRITES: &[Command] = &[Run, Check, Review];
const STORE: &[Command] = &[Run, Check, Verify, Review];
const ALL: &[Command] = &Command::ALL;

macro_rules! variables {
    ($($field:ident = $name:literal, $default:expr, [$($flag:ident)?], $commands:expr, $meaning:literal;)+) => {
        /// Every variable, in the order of the documentation.
        pub const VARIABLES: &[Variable] = &[$(Variable {
            name: $name,
            default: $default,
            secret: is_secret!($($flag)?),
            commands: $commands,
            meaning: $meaning,
        },)+];

        /// The environment as envy reads it: every value optional text. It holds
        /// secrets as plain text and so has no `Debug`.
        #[derive(std::default::Default, Deserialize)]
        pub(super) struct EnvyValues { $($field: Option<String>,)+ }

        /// The same with the name of each variable beside its value.
        pub(super) struct Raw { $(pub(super) $field: RawValue,)+ }

        impl From<EnvyValues> for Raw {
            fn from(read: EnvyValues) -> Self {
                Self { $($field: RawValue { name: $name, text: read.$field },)+ }
            }
        }

        impl Raw {
            pub(super) fn each(&mut self) -> Vec<&mut RawValue> {
                vec![$(&mut self.$field,)+]
            }
        }
    };
}

pub(super) struct RawValue {
    pub(super) name: &'static str,
    pub(super) text: Option<String>,
}

impl RawValue {
    pub(super) fn is_set(&self) -> bool {
        self.text.is_some()
    }
}

macro_rules! is_secret {
    () => {
        false
    };
    (secret) => {
        true
    };
}

variables! {
    truto_api_token = "TRUTO_API_TOKEN", Required, [secret], TRUTO, "Truto bearer token";
    truto_integrated_account_id = "TRUTO_INTEGRATED_ACCOUNT_ID", Required, [], CONNECTION, "the Truto connection to Asana (an id, never Asana credentials)";
    truto_base_url = "TRUTO_BASE_URL", Value("https://api.truto.one"), [], TRUTO, "where Truto is; plain http only for loopback; any other origin is marked in the evidence";
    truto_page_size = "TRUTO_PAGE_SIZE", Value("100"), [], SOURCE, "records asked for per page";
    truto_rate_limit = "TRUTO_RATE_LIMIT", Value("49/10s"), [], TRUTO, "at most this many requests in any window of this length; `off` if the server has no limit";
    asana_workspace_id = "ASANA_WORKSPACE_ID", Depends("the only workspace the connection sees"), [], SOURCE, "gid of the Asana workspace to review";
    hr_feed_url = "HR_FEED_URL", Required, [], SOURCE, "who left: a file at a path, file://, https:// or s3://bucket/key, or the HR system behind a Truto connection, truto-hris://INTEGRATED_ACCOUNT_ID";
    hr_feed_format = "HR_FEED_FORMAT", Value("auto"), [], SOURCE, "csv, json, jsonl, or auto";
    hr_feed_scope = "HR_FEED_SCOPE", Value("leavers"), [], SOURCE, "leavers (everyone who left), recent-leavers (a rolling window: rows may drop out) or roster (everyone who works here, with or without leavers)";
    hr_feed_columns = "HR_FEED_COLUMNS", Unset, [], SOURCE, "names of columns: person_id=Company Code+File Number,end=Left,ignore=Badge issued+Locker";
    hr_feed_records = "HR_FEED_RECORDS", Unset, [], SOURCE, "which lists of a JSON document hold the people, by paths with dots or by their ends: employees,contractors";
    hr_feed_statuses = "HR_FEED_STATUSES", Unset, [], SOURCE, "more status words, each employed, on_leave or left: Sabbatical=on_leave,Alumni=left";
    hr_feed_no_address = "HR_FEED_NO_ADDRESS", Unset, [], SOURCE, "words and addresses that mean no address: keine,noemail@corp.example";
    hr_feed_date_order = "HR_FEED_DATE_ORDER", Unset, [], SOURCE, "dmy or mdy for dates with slashes or dashes; unset: an ambiguous date rejects its row";
    hr_feed_authorization = "HR_FEED_AUTHORIZATION", Unset, [secret], SOURCE, "Authorization header for an https feed";
    hr_feed_max_age = "HR_FEED_MAX_AGE", Value("48h"), [], SOURCE, "an older feed, or one of unknown age, fails check hr_fresh; off";
    hr_feed_allow_empty = "HR_FEED_ALLOW_EMPTY", Value("false"), [], SOURCE, "true if a feed without leavers is plausible";
    hr_time_zone = "HR_TIME_ZONE", Value("Etc/UTC"), [], SOURCE, "zone of HR dates without one; a row's own zone column wins";
    hr_location_zones = "HR_LOCATION_ZONES", Unset, [], SOURCE, "zones by work place, for rows that name no zone: Berlin=Europe/Berlin;New York, NY=America/New_York";
    offboarding_grace = "OFFBOARDING_GRACE", Value("24h"), [], SOURCE, "how long after the end of work access may last";
    aliases_url = "ALIASES_URL", Unset, [], SOURCE, "CSV of aliases (which account belongs to which person): a path, file://, https:// or s3://bucket/key";
    exceptions_url = "EXCEPTIONS_URL", Unset, [], SOURCE, "CSV of approved exceptions: a path, file://, https:// or s3://bucket/key";
    email_domain_aliases = "EMAIL_DOMAIN_ALIASES", Unset, [], SOURCE, "mail domains that are one: corp.com=corp.io";
    max_drop_percent = "MAX_DROP_PERCENT", Value("30"), [], SOURCE, "a larger fall in accounts or HR rows fails its check";
    internal_domains = "INTERNAL_DOMAINS", Unset, [], SOURCE, "the organization's mail domains, in addition to those of accounts that are not guests";
    evidence_url = "EVIDENCE_URL", Value("./evidence"), [], STORE, "where evidence goes: a folder or s3://bucket/prefix";
    evidence_retention_days = "EVIDENCE_RETENTION_DAYS", Unset, [], WRITES, "retain_until in the ledger, in days from the run";
    evidence_object_lock_mode = "EVIDENCE_OBJECT_LOCK_MODE", Unset, [], WRITES, "governance or compliance: S3 Object Lock on each object, for EVIDENCE_RETENTION_DAYS; unset: the bucket's default";
    evidence_kms_key_id = "EVIDENCE_KMS_KEY_ID", Unset, [], WRITES, "key of AWS KMS that the bucket encrypts each object with (SSE-KMS); unset: the bucket's default";
    evidence_bucket_owner = "EVIDENCE_BUCKET_OWNER", Unset, [], STORE, "the AWS account, 12 digits, that the bucket must belong to; unset: any";
    evidence_signing_key = "EVIDENCE_SIGNING_KEY", Unset, [secret], WRITES, "PEM private key (Ed25519 or P-256) in PKCS#8 that signs each ledger entry; once signed, a ledger takes no unsigned entry";
    evidence_signing_kms_key_id = "EVIDENCE_SIGNING_KMS_KEY_ID", Unset, [], WRITES, "the same with an AWS KMS key (ECC_NIST_P256) by its id, alias/NAME or ARN; the private half never leaves KMS; not both";
    evidence_raw = "EVIDENCE_RAW", Value("minimal"), [], SOURCE, "Truto's pages kept as none, minimal (only the fields we use) or full; digests are always kept";
    s3_force_path_style = "S3_FORCE_PATH_STYLE", Value("false"), [], STORE, "path-style addressing; other S3 settings are the AWS SDK's own (AWS_REGION, AWS_ENDPOINT_URL_S3, …)";
    http_timeout = "HTTP_TIMEOUT", Value("30s"), [], TRUTO, "one HTTP attempt, body included";
    retry_max_attempts = "RETRY_MAX_ATTEMPTS", Value("8"), [], TRUTO, "attempts per request, the first included";
    retry_max_elapsed = "RETRY_MAX_ELAPSED", Value("10m"), [], TRUTO, "all attempts of a request and the waiting between them";
    run_schedule = "RUN_SCHEDULE", Unset, [], SOURCE, "when the job runs, the five fields of its cron schedule: 30 0,23 * * *; recorded in the evidence, and check cadence names the zones whose deadlines have no two runs close around them";
    run_schedule_zone = "RUN_SCHEDULE_ZONE", Depends("HR_TIME_ZONE"), [], SOURCE, "the time zone of RUN_SCHEDULE";
    run_deadline = "RUN_DEADLINE", Value("50m"), [], &[Run, Check], "the whole run";
    fail_on = "FAIL_ON", Value("findings"), [], &[Run], "findings: exit 3 on fail, 4 on inconclusive; inconclusive: only 4; never: 0 once evidence is stored";
    log_format = "LOG_FORMAT", Depends("json unless stderr is a terminal"), [], ALL, "json or text";
    rust_log = "RUST_LOG", Value("info"), [], ALL, "which log lines are written";
    system_criticality = "SYSTEM_CRITICALITY", Value("critical"), [], &[Run, Check, Review], "printed in the evidence";
    control_ids = "CONTROL_IDS", Unset, [], &[Run, Check, Review], "the company's own controls, printed beside ours, `ID: text` each, separated by semicolons";
    job_name = "JOB_NAME", Unset, [], &[Run, Check, Review], "recorded as claimed executor";
    pod_uid = "POD_UID", Unset, [], &[Run, Check, Review], "recorded as claimed executor";
    image_digest = "IMAGE_DIGEST", Unset, [], &[Run, Check, Review], "recorded as claimed executor";
    review_every = "REVIEW_EVERY", Value("90d"), [], SOURCE, "how often a periodic access review is due: later, check review_due warns; off";
    revocation_grace = "REVOCATION_GRACE", Value("7d"), [], &[Run, Check, Review], "how long a revocation or role change that a review decided may take; then it fails the nightly verdict";
    notify_on = "NOTIFY_ON", Value("change"), [], &[Run, Check, Review], "which runs send a notification: always, change (findings, verdict or doubts differ from the previous run; and once a week) or problem (fail, inconclusive); failed runs and periodic reviews always send one";
    notify_webhook_url = "NOTIFY_WEBHOOK_URL", Unset, [secret], &[Run, Check, Review], "where to post the outcome, as a Standard Webhook";
    notify_webhook_secret = "NOTIFY_WEBHOOK_SECRET", Unset, [secret], &[Run, Check, Review], "whsec_ key that signs what is posted; several, separated by blanks or commas, while one replaces another";
    notify_slack_webhook_url = "NOTIFY_SLACK_WEBHOOK_URL", Unset, [secret], &[Run, Check, Review], "a Slack incoming webhook to post the outcome to";
}

pub fn variable(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envy_finds_each_variable_under_its_name() {
        for variable in VARIABLES {
            let vars = [(variable.name.to_owned(), "x".to_owned())];
            let mut raw = Raw::from(envy::from_iter::<_, EnvyValues>(vars).expect("optional text"));
            let set = raw.each().into_iter().filter(|value| value.is_set());
            let set: Vec<&str> = set.map(|value| value.name).collect();
            assert_eq!(set, [variable.name]);
        }
    }
}
