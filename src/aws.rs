//! One AWS configuration: credentials and region as the SDK finds them, our own HTTP client.
//!
//! Everything that would change how evidence is written is pinned here (behaviour, timeouts,
//! retries), so that an update of the SDK cannot change it.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ChecksumMode, ObjectLockMode};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::model::LockMode;
use crate::net::ErrorKind;

mod failure;
mod retry;

pub(crate) use failure::{AwsFailure, AwsFailureKind, BAD_REQUEST};
pub use retry::Retries;
pub(crate) use retry::retry;

/// A server that does not take the connection within this is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the first byte sent to the first byte of the answer. The body of a put counts too: 10 MB in
/// this time is 1.4 Mbit/s.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// One attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(90);
/// All attempts of the SDK together, with the waiting between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(300);
/// A body that does not move for this long is cut off.
const STALL_GRACE: Duration = Duration::from_secs(20);

/// The SDK's attempts at what it retries: 5xx, throttling by name, timeouts and resets.
const SDK_ATTEMPTS: u32 = 4;
/// The SDK doubles this from attempt to attempt, and spreads it.
const SDK_DELAY: Duration = Duration::from_millis(250);
/// The SDK waits no longer than this between two attempts.
const SDK_MAX_DELAY: Duration = Duration::from_secs(5);

/// An object and when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The content, checked against its checksum where the store keeps one.
    pub bytes: Vec<u8>,
    /// When the store says it was last written.
    pub last_modified: Option<Timestamp>,
    /// The lock it is under, where the store tells of one.
    pub lock: Option<ObjectLock>,
}

/// A lock on one version of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectLock {
    /// Whom it lets through.
    pub mode: LockMode,
    /// When it is over.
    pub until: Timestamp,
}

impl ObjectLock {
    /// The lock that an answer of S3 tells of. Without the right to see locks, S3 tells of none.
    pub(crate) fn of(mode: Option<&ObjectLockMode>, until: Option<&DateTime>) -> Option<Self> {
        let mode = match mode? {
            ObjectLockMode::Governance => LockMode::Governance,
            ObjectLockMode::Compliance => LockMode::Compliance,
            _ => return None,
        };
        let until = timestamp(until?)?;
        Some(Self { mode, until })
    }
}

fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

/// Why AWS, or a folder in the place of a bucket, did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// Other bytes have this name. They are kept: nothing is ever replaced.
    #[error("`{name}` already exists with other content")]
    Conflict {
        /// Where it is: a path or an `s3://` address.
        name: String,
    },
    /// The object or its bucket is not there.
    #[error("{what} does not exist")]
    NotFound {
        /// What was looked for.
        what: String,
        hint: Option<&'static str>,
        /// What the server said.
        source: BoxError,
    },
    /// No credentials, bad ones, or a missing permission.
    #[error("{what} was refused")]
    Refused {
        /// What was tried, on what.
        what: String,
        hint: String,
        /// What the file system or the server said.
        source: BoxError,
    },
    /// The object is larger than the caller takes.
    #[error("`{address}` is larger than {max_bytes} bytes")]
    TooLarge {
        address: String,
        hint: Option<&'static str>,
        /// The largest size that is taken.
        max_bytes: u64,
    },
    /// It cannot work like this, however often it is tried.
    #[error("{what}")]
    Configuration {
        /// What is wrong.
        what: String,
        hint: String,
        /// What the file system or the server said, if one was asked.
        source: Option<BoxError>,
    },
    /// The store is down, or full, or out of reach: worth another try later.
    #[error("{what} failed")]
    Unavailable {
        /// What was tried, on what.
        what: String,
        /// The last cause.
        source: BoxError,
    },
}

impl AwsError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict { .. } => ErrorKind::Unexpected,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::NotFound { .. } | Self::TooLarge { .. } | Self::Configuration { .. } => {
                ErrorKind::Configuration
            }
            Self::Unavailable { .. } => ErrorKind::Transient,
        }
    }

    /// What the operator may do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { hint, .. } | Self::Configuration { hint, .. } => Some(hint),
            Self::NotFound { hint, .. } | Self::TooLarge { hint, .. } => *hint,
            Self::Conflict { .. } | Self::Unavailable { .. } => None,
        }
    }

    fn no_region(hint: &str) -> Self {
        Self::Configuration {
            what: "no AWS region is set".to_owned(),
            hint: hint.to_owned(),
            source: None,
        }
    }

    /// What `failure` means for what was tried at `address` in a bucket, or with the KMS key of this id.
    pub(crate) fn from_failure(
        action: Action,
        bucket: &str,
        address: &str,
        failure: AwsFailure,
    ) -> Self {
        let AwsFailure {
            kind,
            cause: source,
        } = failure;
        let not_found = |what: String, source| Self::NotFound {
            what,
            hint: None,
            source,
        };
        let what = format!("{} `{address}`", action.verb());
        match kind {
            AwsFailureKind::NoSuchBucket => not_found(format!("the bucket `{bucket}`"), source),
            AwsFailureKind::NoSuchKey => not_found(format!("`{address}`"), source),
            AwsFailureKind::Refused(hint) => Self::Refused {
                what,
                hint: hint.map_or_else(|| action.permission_hint(bucket), str::to_owned),
                source,
            },
            AwsFailureKind::Misconfigured(hint) => Self::Configuration {
                what: format!("{what} cannot work"),
                hint: hint.to_owned(),
                source: Some(source),
            },
            AwsFailureKind::TooLarge(max_bytes) => Self::TooLarge {
                address: address.to_owned(),
                hint: None,
                max_bytes,
            },
            AwsFailureKind::Exists | AwsFailureKind::TryAgain | AwsFailureKind::Unavailable => {
                Self::Unavailable { what, source }
            }
        }
    }
}

/// What was tried with an object, a bucket or a KMS key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Read,
    Write,
    List,
    Delete,
    GetPublicKey,
    Sign,
}

impl Action {
    fn verb(self) -> &'static str {
        match self {
            Self::Read => "reading",
            Self::Write => "writing",
            Self::List => "listing",
            Self::Delete => "trying to delete",
            Self::GetPublicKey => "reading the public half of the KMS key",
            Self::Sign => "signing with the KMS key",
        }
    }

    fn permission_hint(self, bucket: &str) -> String {
        let on_key = |permission| {
            format!("the job needs `{permission}` on the key, in its own policy and in the key's")
        };
        match self {
            // Without the right to list, S3 says "denied" also for an object that does not exist.
            Self::Read => format!(
                "the job needs `s3:GetObject` on the objects and `s3:ListBucket` on the bucket `{bucket}`, \
                 and `kms:Decrypt` if it is encrypted with a key of yours"
            ),
            Self::Write => format!(
                "the job needs `s3:PutObject` on the objects of the bucket `{bucket}`, \
                 and `kms:GenerateDataKey` if it is encrypted with a key of yours"
            ),
            Self::List => format!("the job needs `s3:ListBucket` on the bucket `{bucket}`"),
            // Of all refusals the one that is wanted.
            Self::Delete => format!("nobody should delete in the bucket `{bucket}`"),
            Self::GetPublicKey => on_key("kms:GetPublicKey"),
            Self::Sign => on_key("kms:Sign"),
        }
    }
}

/// The configuration of this process: loaded once, then the same for all.
///
/// Credentials, region and endpoints come from where the SDK looks for them (`AWS_*`, the shared
/// files, a role of the pod or the machine).
pub async fn sdk_config() -> SdkConfig {
    static CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();
    let load = || sdk_config_from(ConfigLoader::default());
    CONFIG.get_or_init(load).await.clone()
}

/// `loader`'s configuration with our HTTP client, timeouts and retries.
///
/// The proxy variables are honoured for every request, those for credentials included: with
/// `HTTP_PROXY` set, `NO_PROXY` should name the link-local addresses roles come from.
pub async fn sdk_config_from(loader: ConfigLoader) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(SDK_ATTEMPTS)
        .with_initial_backoff(SDK_DELAY)
        .with_max_backoff(SDK_MAX_DELAY);
    let stalls = StalledStreamProtectionConfig::enabled()
        .grace_period(STALL_GRACE)
        .build();
    let mut loader = loader
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .timeout_config(timeouts)
        .retry_config(retries)
        .stalled_stream_protection(stalls);
    if let Ok(name) = AppName::new(env!("CARGO_PKG_NAME")) {
        loader = loader.app_name(name);
    }
    loader.load().await
}

/// The SDK's client on the one TLS stack of this program.
///
/// `build_https()` would be shorter, but never asks the proxy variables.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build()
    })
}

/// A client for S3, or the error that no region is known.
pub fn s3_client(config: &SdkConfig, force_path_style: bool) -> Result<Client, AwsError> {
    if region_of(config).is_none() {
        return Err(AwsError::no_region(
            "set AWS_REGION to the bucket's region (any value, such as `us-east-1`, for a store that has none)",
        ));
    }
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(force_path_style);
    Ok(Client::from_conf(config.build()))
}

/// A client for KMS in the region that the key's ARN names, else in that of the configuration.
pub fn kms_client(config: &SdkConfig, key_id: &str) -> Result<aws_sdk_kms::Client, AwsError> {
    let own = region_of_arn(key_id).map(|region| Region::new(region.to_owned()));
    let Some(region) = own.or_else(|| region_of(config).cloned()) else {
        return Err(AwsError::no_region(
            "set AWS_REGION to the key's region, or name the key by its ARN",
        ));
    };
    let config = aws_sdk_kms::config::Builder::from(config).region(region);
    Ok(aws_sdk_kms::Client::from_conf(config.build()))
}

/// An empty variable is as good as unset.
fn region_of(config: &SdkConfig) -> Option<&Region> {
    config.region().filter(|region| !region.as_ref().is_empty())
}

/// `eu-central-1` of `arn:aws:kms:eu-central-1:111122223333:key/…`.
fn region_of_arn(key_id: &str) -> Option<&str> {
    let mut parts = key_id.strip_prefix("arn:")?.split(':');
    parts.nth(2).filter(|region| !region.is_empty())
}

/// Reads one object of at most `max_bytes`, with the configuration of this process.
pub async fn get_object(
    bucket: &str,
    key: &str,
    force_path_style: bool,
    max_bytes: u64,
) -> Result<Object, AwsError> {
    let client = s3_client(&sdk_config().await, force_path_style)?;
    get_object_with(&client, bucket, key, max_bytes, Retries::default()).await
}

/// Reads one object of at most `max_bytes`.
///
/// The size is watched while it arrives: what a server announces is not what it sends.
pub async fn get_object_with(
    client: &Client,
    bucket: &str,
    key: &str,
    max_bytes: u64,
    retries: Retries,
) -> Result<Object, AwsError> {
    let address = format!("s3://{bucket}/{key}");
    retry(retries, &address, || {
        get_once(client, bucket, key, None, max_bytes)
    })
    .await
    .map_err(|failure| AwsError::from_failure(Action::Read, bucket, &address, failure))
}

pub(crate) async fn get_once(
    client: &Client,
    bucket: &str,
    key: &str,
    bucket_owner: Option<&str>,
    max_bytes: u64,
) -> Result<Object, AwsFailure> {
    let mut answer = client
        .get_object()
        .bucket(bucket)
        .key(key)
        .set_expected_bucket_owner(bucket_owner.map(str::to_owned))
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .map_err(AwsFailure::of)?;
    let announced = answer
        .content_length()
        .and_then(|length| u64::try_from(length).ok());
    if announced.is_some_and(|length| length > max_bytes) {
        return Err(AwsFailure::too_large(max_bytes));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.body.next().await {
        // The SDK gives back the body as it comes and does not ask again when it breaks off.
        let chunk = chunk.map_err(AwsFailure::of_body)?;
        if bytes.len() as u64 + chunk.len() as u64 > max_bytes {
            return Err(AwsFailure::too_large(max_bytes));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Object {
        bytes,
        last_modified: answer.last_modified.as_ref().and_then(timestamp),
        lock: ObjectLock::of(
            answer.object_lock_mode.as_ref(),
            answer.object_lock_retain_until_date.as_ref(),
        ),
    })
}
