//! The table of variables: name, default, commands, meaning.
//!
//! Defines the environment that envy reads, `--help`, and the warnings about unknown names. A test compares
//! docs/configuration.md with it.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Run,
    Check,
    Connect,
    Verify,
    Report,
    Status,
    Review,
}

impl Command {
    pub const ALL: [Self; 7] = [
        Self::Run,
        Self::Check,
        Self::Connect,
        Self::Verify,
        Self::Report,
        Self::Status,
        Self::Review,
    ];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Check => "check",
            Self::Connect => "connect",
            Self::Verify => "verify",
            Self::Report => "report",
            Self::Status => "status",
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
use Command::{Check, Connect, Report, Review, Run, Status, Verify};

const SOURCE: &[Command] = &[Run, Check];
const TRUTO: &[Command] = &[Run, Check, Connect];
const FLEET: &[Command] = &[Run, Check];
const LIST: &[Command] = &[Run, Check, Status];
const HTTP: &[Command] = &[Run, Check, Connect, Status];
const CONNECTION: &[Command] = &[Run, Check, Review];
const WRITES: &[Command] = &[Run, Check, Review];
const STORE: &[Command] = &[Run, Check, Verify, Report, Status, Review];
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
    truto_api_token = "TRUTO_API_TOKEN", Required, [secret], TRUTO, "API token of Truto";
    truto_integrated_account_id = "TRUTO_INTEGRATED_ACCOUNT_ID", Required, [], CONNECTION, "Id of the Truto connection (integrated account) to Asana; not an Asana credential";
    truto_base_url = "TRUTO_BASE_URL", Value("https://api.truto.one"), [], TRUTO, "Base URL of Truto's API. http is accepted for loopback only. Evidence from any other origin than Truto's own is marked";
    truto_page_size = "TRUTO_PAGE_SIZE", Value("100"), [], SOURCE, "Records requested per page";
    truto_rate_limit = "TRUTO_RATE_LIMIT", Value("49/10s"), [], TRUTO, "Highest number of requests in any window of this length; `off` if the server has no limit";
    truto_token_rate_limit = "TRUTO_TOKEN_RATE_LIMIT", Value("490/10s"), [], FLEET, "With CONNECTIONS_URL: highest number of requests of the API token, over all connections, in any window of this length; divided among the shards; `off` if the server has no limit";
    asana_workspace_id = "ASANA_WORKSPACE_ID", Depends("the connection's only workspace"), [], SOURCE, "Id (gid) of the Asana workspace to check";
    asana_permissions = "ASANA_PERMISSIONS", Value("full"), [], TRUTO, "What the connection may read: full, or narrow for only users:read and workspaces:read. Narrow runs read no roles and no status, and need INTERNAL_DOMAINS";
    hr_feed_url = "HR_FEED_URL", Required, [], SOURCE, "The HR feed: a path, file://, https:// or s3://bucket/key, or an HR system that Truto connects: truto-hris://INTEGRATED_ACCOUNT_ID";
    hr_feed_format = "HR_FEED_FORMAT", Value("auto"), [], SOURCE, "Format of the feed: csv, json, jsonl or auto";
    hr_feed_scope = "HR_FEED_SCOPE", Value("leavers"), [], SOURCE, "People in the feed: leavers (everyone who left), recent-leavers (those who left recently; rows may drop out) or roster (everyone employed, with or without leavers)";
    hr_feed_columns = "HR_FEED_COLUMNS", Unset, [], SOURCE, "Names of the feed's columns: person_id=Company Code+File Number,end=Left,ignore=Badge issued+Locker";
    hr_feed_records = "HR_FEED_RECORDS", Unset, [], SOURCE, "Lists of a JSON document that hold the people, as dotted paths or their ends: employees,contractors";
    hr_feed_statuses = "HR_FEED_STATUSES", Unset, [], SOURCE, "Additional status words, each employed, on_leave or left: Sabbatical=on_leave,Alumni=left";
    hr_feed_no_address = "HR_FEED_NO_ADDRESS", Unset, [], SOURCE, "Words and addresses that mean \"no address\": keine,noemail@corp.example";
    hr_feed_date_order = "HR_FEED_DATE_ORDER", Unset, [], SOURCE, "Order of dates with slashes or dashes: dmy or mdy. If unset, an ambiguous date rejects its row";
    hr_feed_authorization = "HR_FEED_AUTHORIZATION", Unset, [secret], SOURCE, "Authorization header for an https:// feed";
    hr_feed_max_age = "HR_FEED_MAX_AGE", Value("48h"), [], SOURCE, "Maximum age of the feed. An older feed, or one of unknown age, fails check hr_fresh; `off` disables the limit";
    hr_feed_allow_empty = "HR_FEED_ALLOW_EMPTY", Value("false"), [], SOURCE, "Whether a feed without leavers is plausible: true or false";
    hr_time_zone = "HR_TIME_ZONE", Value("Etc/UTC"), [], SOURCE, "Time zone of HR dates; a row's own time zone or location takes precedence";
    hr_location_zones = "HR_LOCATION_ZONES", Unset, [], SOURCE, "Time zones by location, for rows without a time zone: Berlin=Europe/Berlin;New York, NY=America/New_York";
    offboarding_grace = "OFFBOARDING_GRACE", Value("24h"), [], SOURCE, "Time allowed between the end of work and the removal of access";
    aliases_url = "ALIASES_URL", Unset, [], SOURCE, "CSV file of aliases (which account belongs to which person): a path, file://, https:// or s3://bucket/key";
    exceptions_url = "EXCEPTIONS_URL", Unset, [], SOURCE, "CSV file of approved exceptions: a path, file://, https:// or s3://bucket/key";
    email_domain_aliases = "EMAIL_DOMAIN_ALIASES", Unset, [], SOURCE, "Mail domains of the same mailboxes: corp.com=corp.io";
    max_drop_percent = "MAX_DROP_PERCENT", Value("30"), [], SOURCE, "Largest plausible decrease of accounts or HR rows since the baseline, in percent. A larger one, of at least 5, fails its check";
    internal_domains = "INTERNAL_DOMAINS", Unset, [], SOURCE, "The organization's mail domains; with full permissions, in addition to the domains of accounts that are not guests";
    evidence_url = "EVIDENCE_URL", Value("./evidence"), [], STORE, "Location of the evidence: a folder or s3://bucket/prefix";
    evidence_retention_days = "EVIDENCE_RETENTION_DAYS", Unset, [], WRITES, "Days from the run to the `retain_until` of its ledger entry";
    evidence_object_lock_mode = "EVIDENCE_OBJECT_LOCK_MODE", Unset, [], WRITES, "S3 Object Lock mode of each object for EVIDENCE_RETENTION_DAYS: governance or compliance. If unset, the bucket's default applies";
    evidence_kms_key_id = "EVIDENCE_KMS_KEY_ID", Unset, [], WRITES, "AWS KMS key with which the bucket encrypts each object (SSE-KMS). If unset, the bucket's default applies";
    evidence_bucket_owner = "EVIDENCE_BUCKET_OWNER", Unset, [], STORE, "AWS account id (12 digits) that must own the bucket. If unset, any account may own it";
    evidence_signing_key = "EVIDENCE_SIGNING_KEY", Unset, [secret], WRITES, "Private key that signs each ledger entry: Ed25519 or P-256, PKCS#8, PEM. A signed ledger accepts no unsigned entry";
    evidence_signing_kms_key_id = "EVIDENCE_SIGNING_KMS_KEY_ID", Unset, [], WRITES, "AWS KMS key (ECC_NIST_P256) that signs instead: id, alias/NAME or ARN. Set only one of the two";
    evidence_raw = "EVIDENCE_RAW", Value("minimal"), [], SOURCE, "Truto's pages in the evidence: none, minimal (only the fields that are used) or full. Their digests are always stored";
    s3_force_path_style = "S3_FORCE_PATH_STYLE", Value("false"), [], STORE, "Whether to use path-style addresses: true or false. The AWS SDK reads its other settings itself (AWS_REGION, AWS_ENDPOINT_URL_S3, …)";
    http_timeout = "HTTP_TIMEOUT", Value("30s"), [], HTTP, "Time limit of one HTTP attempt, body included";
    retry_max_attempts = "RETRY_MAX_ATTEMPTS", Value("8"), [], HTTP, "Attempts per request, including the first; check, connect and status make at most 3";
    retry_max_elapsed = "RETRY_MAX_ELAPSED", Value("10m"), [], HTTP, "Time limit of all attempts of one request, including the waits between them";
    run_schedule = "RUN_SCHEDULE", Unset, [], SOURCE, "The job's cron schedule (five fields), recorded in the evidence: 30 0,23 * * *. Check cadence names time zones whose deadlines no two runs enclose closely";
    run_schedule_zone = "RUN_SCHEDULE_ZONE", Depends("the value of HR_TIME_ZONE"), [], SOURCE, "Time zone of RUN_SCHEDULE";
    run_deadline = "RUN_DEADLINE", Value("50m"), [], &[Run, Check], "Time limit of the whole run";
    fail_on = "FAIL_ON", Value("findings"), [], &[Run], "Verdicts with their own exit code: findings (fail exits with 3, inconclusive with 4), inconclusive (only 4) or never (0 once evidence is stored). With CONNECTIONS_URL, it has no default: unset is never";
    connections_url = "CONNECTIONS_URL", Unset, [], LIST, "List of connections: a path, file://, https:// or s3://bucket/key. JSON Lines, one connection a line: an object of variables that override the environment. A run checks each connection of this shard; status shows those without evidence as missing";
    connections_concurrency = "CONNECTIONS_CONCURRENCY", Value("4"), [], FLEET, "With CONNECTIONS_URL: connections checked at the same time, 1 to 64";
    shard_count = "SHARD_COUNT", Value("1"), [], FLEET, "With CONNECTIONS_URL: number of shards among which the connections are divided, 1 to 100000";
    job_completion_index = "JOB_COMPLETION_INDEX", Value("0"), [], FLEET, "With CONNECTIONS_URL: number of this shard, from 0. Kubernetes sets it in the pods of an Indexed Job";
    job_retry = "JOB_RETRY", Value("0"), [], FLEET, "With CONNECTIONS_URL: how often this shard has failed in its Job. It changes the order of work, so that one connection cannot keep the others from their turn";
    shard_deadline = "SHARD_DEADLINE", Value("1h"), [], FLEET, "With CONNECTIONS_URL: time after which a shard starts no further connection";
    log_format = "LOG_FORMAT", Depends("text at a terminal, else json"), [], ALL, "Format of log lines: json or text";
    rust_log = "RUST_LOG", Value("info"), [], ALL, "Filter for log lines";
    system_criticality = "SYSTEM_CRITICALITY", Value("critical"), [], &[Run, Check, Review], "Criticality of Asana to the company, printed in the evidence";
    control_ids = "CONTROL_IDS", Unset, [], &[Run, Check, Review], "The company's own controls, printed next to the framework's: `ID: text`, separated by semicolons";
    job_name = "JOB_NAME", Unset, [], &[Run, Check, Review], "Name of the Kubernetes Job, recorded as the claimed executor";
    pod_uid = "POD_UID", Unset, [], &[Run, Check, Review], "UID of the pod, recorded as the claimed executor";
    image_digest = "IMAGE_DIGEST", Unset, [], &[Run, Check, Review], "Digest of the container image, recorded as the claimed executor";
    review_every = "REVIEW_EVERY", Value("90d"), [], SOURCE, "Interval of the periodic access review. Check review_due warns when one is overdue; `off` disables the check";
    revocation_grace = "REVOCATION_GRACE", Value("7d"), [], &[Run, Check, Review], "Time allowed to carry out a revocation or role change that a review decided. Afterwards it is a finding";
    notify_on = "NOTIFY_ON", Value("change"), [], &[Run, Check, Review], "Runs that send a notification: always, change (verdict, findings or open questions changed; also once a week) or problem (fail, inconclusive). Failed runs and access reviews always send one";
    notify_webhook_url = "NOTIFY_WEBHOOK_URL", Unset, [secret], &[Run, Check, Review], "URL of a webhook that receives the result (Standard Webhooks)";
    notify_webhook_secret = "NOTIFY_WEBHOOK_SECRET", Unset, [secret], &[Run, Check, Review], "whsec_ key that signs webhook messages. During a rotation: several, separated by spaces or commas";
    notify_slack_webhook_url = "NOTIFY_SLACK_WEBHOOK_URL", Unset, [secret], &[Run, Check, Review], "URL of a Slack incoming webhook that receives the result";
    metrics_file = "METRICS_FILE", Unset, [], &[Run, Check], "File NAME.prom for the textfile collector of node_exporter, with the metrics of the newest run. With SHARD_COUNT above 1, each shard writes NAME-INDEX.prom";
    metrics_pushgateway_url = "METRICS_PUSHGATEWAY_URL", Unset, [], &[Run, Check], "Base address of a Prometheus Pushgateway, http:// or https://, which gets a group of metrics for each connection";
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
