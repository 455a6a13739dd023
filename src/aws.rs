//! The AWS configuration: credentials and region from where the SDK finds them, with our own HTTP client.
//!
//! Behaviour, timeouts and retries are fixed here, so that an update of the SDK cannot change how evidence is written.

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

/// The longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time from the first byte sent to the first byte of the answer. The body of a put counts too: 10 MB in
/// this time is 1.4 Mbit/s.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest time for one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(90);
/// The longest time for all attempts of the SDK, with the waits between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(300);
/// A body that makes no progress for this long is aborted.
const STALL_GRACE: Duration = Duration::from_secs(20);

/// The SDK's attempts, if a failure is one that it retries: 5xx, named throttling errors, timeouts and resets.
const SDK_ATTEMPTS: u32 = 4;
/// The SDK's first wait. It doubles with each attempt and varies at random.
const SDK_DELAY: Duration = Duration::from_millis(250);
/// The SDK's longest wait between two attempts.
const SDK_MAX_DELAY: Duration = Duration::from_secs(5);

/// An object that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The content. It was compared with the checksum if the store keeps one.
    pub bytes: Vec<u8>,
    /// The time of the last write, by the store's clock.
    pub last_modified: Option<Timestamp>,
    /// The lock on the object, if the store reports one.
    pub lock: Option<ObjectLock>,
}

/// A lock on one version of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectLock {
    pub mode: LockMode,
    pub until: Timestamp,
}

impl ObjectLock {
    /// The lock in an answer of S3. S3 omits it if the job has no permission to read locks.
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

/// Why a request to AWS, or an operation on a folder in place of a bucket, failed.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// Nothing is replaced: the existing object stays.
    #[error("`{name}` already exists with other content")]
    Conflict {
        /// A path or an `s3://` address.
        name: String,
    },
    /// The object or its bucket does not exist.
    #[error("{what} does not exist")]
    NotFound {
        what: String,
        hint: Option<&'static str>,
        source: BoxError,
    },
    /// Credentials are missing or wrong, or a permission is missing.
    #[error("{what} was refused")]
    Refused {
        /// The operation and its object.
        what: String,
        hint: String,
        source: BoxError,
    },
    /// The object is larger than the caller accepts.
    #[error("`{address}` is larger than {max_bytes} bytes")]
    TooLarge {
        address: String,
        hint: Option<&'static str>,
        max_bytes: u64,
    },
    /// A retry cannot succeed with this configuration.
    #[error("{what}")]
    Configuration {
        what: String,
        hint: String,
        source: Option<BoxError>,
    },
    /// The store is down, full or out of reach. A later attempt may succeed.
    #[error("{what} failed")]
    Unavailable {
        /// The operation and its object.
        what: String,
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

    /// A remedy for the operator.
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

    /// The error for an action on `address`, which is an object in a bucket or the id of a KMS key.
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
                what: format!("{what} is not possible"),
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

/// An operation on an object, a bucket or a KMS key.
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
            format!(
                "the job needs `{permission}` on the key: allow it in the policies of the job's role and of the key"
            )
        };
        match self {
            // Without permission to list, S3 answers "denied" also for an object that does not exist.
            Self::Read => format!(
                "the job needs `s3:GetObject` on the objects and `s3:ListBucket` on the bucket `{bucket}`, and \
                 `kms:Decrypt` on the key if you encrypt the bucket with your own key"
            ),
            Self::Write => format!(
                "the job needs `s3:PutObject` on the objects of the bucket `{bucket}`, and `kms:GenerateDataKey` on \
                 the key if you encrypt the bucket with your own key"
            ),
            Self::List => format!("the job needs `s3:ListBucket` on the bucket `{bucket}`"),
            // This refusal is the expected one.
            Self::Delete => {
                format!("the job needs no permission to delete in the bucket `{bucket}`")
            }
            Self::GetPublicKey => on_key("kms:GetPublicKey"),
            Self::Sign => on_key("kms:Sign"),
        }
    }
}

/// The configuration of this process. It is loaded only once.
///
/// Credentials, region and endpoints come from the SDK's usual places: `AWS_*`, the shared files, a role of the pod or
/// of the machine.
pub async fn sdk_config() -> SdkConfig {
    static CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();
    let load = || sdk_config_from(ConfigLoader::default());
    CONFIG.get_or_init(load).await.clone()
}

/// `loader`'s configuration with our HTTP client, timeouts and retries.
///
/// The proxy variables apply to every request, also to those for credentials. If `HTTP_PROXY` is set, `NO_PROXY` should
/// name the link-local addresses from which roles come.
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
/// `build_https()` would be shorter, but ignores the proxy variables.
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

/// A client for S3.
///
/// # Errors
/// If no region is set.
pub fn s3_client(config: &SdkConfig, force_path_style: bool) -> Result<Client, AwsError> {
    if region_of(config).is_none() {
        return Err(AwsError::no_region(
            "set AWS_REGION to the bucket's region (any value, such as `us-east-1`, for a store without regions)",
        ));
    }
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(force_path_style);
    Ok(Client::from_conf(config.build()))
}

/// A client for KMS, in the region of the key's ARN, or else in the configured region.
///
/// # Errors
/// If no region is set.
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

/// An empty region counts as unset.
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
/// The size is also checked while the bytes arrive, because a server may send more than it announces.
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
        // The SDK does not retry a body that breaks off.
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
