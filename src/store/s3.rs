//! A store in a bucket. Every put is create-only and has a SHA-256 checksum.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ObjectLockMode, ServerSideEncryption};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{Created, Deleted, History, Listed, ObjectLock, Read, StoreError};
use crate::aws::{Action, AwsFailure, AwsFailureKind, BAD_REQUEST, Retries, get_once, retry};
use crate::model::{Lock, LockMode, Protection};

/// How many puts run at the same time in [`S3::create_all`].
const CONCURRENCY: usize = 8;

/// The largest object, in bytes. This program does not write larger ones, because they would not fit the job's memory.
const MAX_BYTES: u64 = 1 << 30;

#[derive(Clone, Debug)]
pub(super) struct S3 {
    client: Client,
    bucket: String,
    prefix: String,
    pub(super) retries: Retries,
    /// The AWS account that must own the bucket.
    pub(super) owner: Option<String>,
    /// The lock for each new object.
    pub(super) lock: Option<ObjectLock>,
    /// The KMS key that encrypts each new object.
    pub(super) kms_key_id: Option<String>,
}

impl S3 {
    pub(super) fn new(client: Client, bucket: String, prefix: String) -> Self {
        let prefix = prefix.trim_matches('/').to_owned();
        Self {
            client,
            bucket,
            prefix,
            retries: Retries::default(),
            owner: None,
            lock: None,
            kms_key_id: None,
        }
    }

    pub(super) fn location(&self) -> String {
        match self.prefix.as_str() {
            "" => format!("s3://{}", self.bucket),
            prefix => format!("s3://{}/{prefix}", self.bucket),
        }
    }

    pub(super) fn locate(&self, name: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(name))
    }

    fn key(&self, name: &str) -> String {
        match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    pub(super) async fn create(&self, name: &str, bytes: Vec<u8>) -> Result<Created, StoreError> {
        let address = self.locate(name);
        match self.put(name, &bytes).await {
            Ok(()) => Ok(Created::New),
            // This may be our own write: its answer was lost, and the SDK retried.
            Err(failure) if failure.kind == AwsFailureKind::Exists => {
                match self.read(name).await? {
                    Some(there) if there.bytes == bytes => Ok(Created::AlreadyThere),
                    Some(_) => Err(StoreError::Conflict { name: address }),
                    None => Err(StoreError::Unavailable {
                        what: format!("reading back `{address}`"),
                        source: failure.cause,
                    }),
                }
            }
            Err(failure) => Err(self.error(Action::Write, &address, failure)),
        }
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), AwsFailure> {
        let key = self.key(name);
        let sha256 = STANDARD.encode(Sha256::digest(bytes));
        let put = || self.put_once(&key, bytes, &sha256);
        retry(self.retries, &self.locate(name), put).await
    }

    /// One put, from memory. From a file, the SDK would send `aws-chunked`, which some stores reject. We set the
    /// checksum, so that it equals the one in the manifest and the SDK adds none.
    async fn put_once(&self, key: &str, bytes: &[u8], sha256: &str) -> Result<(), AwsFailure> {
        let mut put = self.client.put_object();
        if let Some(lock) = self.lock {
            let until = DateTime::from_secs(lock.until.as_second());
            put = put
                .object_lock_mode(match lock.mode {
                    LockMode::Governance => ObjectLockMode::Governance,
                    LockMode::Compliance => ObjectLockMode::Compliance,
                })
                .object_lock_retain_until_date(until);
        }
        if let Some(kms_key_id) = &self.kms_key_id {
            put = put
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(kms_key_id);
        }
        put.bucket(&self.bucket)
            .key(key)
            .set_expected_bucket_owner(self.owner.clone())
            .if_none_match("*")
            .checksum_sha256(sha256)
            .content_type(content_type(key))
            .body(bytes.to_vec().into())
            .send()
            .await
            .map(|_| ())
            .map_err(AwsFailure::of)
    }

    pub(super) async fn create_all(&self, files: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        stream::iter(files)
            .map(|(name, bytes)| async move { self.create(&name, bytes).await.map(|_| ()) })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }

    /// Creates an object, and tests how the store protects it.
    pub(super) async fn protect(
        &self,
        name: &str,
        bytes: Vec<u8>,
        as_of: Timestamp,
    ) -> Result<Protection, StoreError> {
        let (address, key) = (self.locate(name), self.key(name));
        self.create(name, bytes.clone()).await?;
        // A store that accepts the same bytes a second time would accept other bytes too.
        let create_only = match self.put(name, &bytes).await {
            Ok(()) => false,
            Err(failure) if failure.kind == AwsFailureKind::Exists => true,
            Err(failure) => return Err(self.error(Action::Write, &address, failure)),
        };
        let seen = match retry(self.retries, &address, || self.head_once(&key)).await {
            Ok(seen) => Ok(seen),
            Err(failure) => match failure.kind {
                AwsFailureKind::Unavailable | AwsFailureKind::TryAgain => {
                    return Err(self.error(Action::Read, &address, failure));
                }
                AwsFailureKind::Refused(_) => Err("the store refused HEAD of the object"),
                _ => Err("the store does not answer HEAD of an object"),
            },
        };
        let days = |lock: ObjectLock| Lock {
            mode: lock.mode,
            days: whole_days(lock.until.duration_since(as_of)),
        };
        let reported = seen.as_ref().ok();
        Ok(Protection {
            create_only,
            lock_asked: self.lock.map(days),
            lock: reported
                .and_then(|seen| {
                    let until = seen.object_lock_retain_until_date();
                    ObjectLock::of(seen.object_lock_mode(), until)
                })
                .map(days),
            versioned: reported
                .and_then(HeadObjectOutput::version_id)
                .is_some_and(|version| version != "null"),
            encryption_asked: self
                .kms_key_id
                .as_ref()
                .map(|_| ServerSideEncryption::AwsKms.as_str().to_owned()),
            encryption: reported
                .and_then(HeadObjectOutput::server_side_encryption)
                .map(|encryption| encryption.as_str().to_owned()),
            unread: seen.err().map(str::to_owned),
        })
    }

    async fn head_once(&self, key: &str) -> Result<HeadObjectOutput, AwsFailure> {
        self.client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .set_expected_bucket_owner(self.owner.clone())
            .send()
            .await
            .map_err(AwsFailure::of)
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Read>, StoreError> {
        let key = self.key(name);
        let address = self.locate(name);
        let owner = self.owner.as_deref();
        let get = || get_once(&self.client, &self.bucket, &key, owner, MAX_BYTES);
        match retry(self.retries, &address, get).await {
            Ok(object) => Ok(Some(Read {
                bytes: object.bytes,
                lock: object.lock,
            })),
            Err(failure) if failure.kind == AwsFailureKind::NoSuchKey => Ok(None),
            Err(failure) => Err(self.error(Action::Read, &address, failure)),
        }
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let address = self.locate(prefix);
        // With a slash at its end, so that `prefix` never matches the objects below `prefix-2`.
        let ours = self.key("");
        let wanted = self.key(prefix);
        let mut listed = Vec::new();
        let mut token = None;
        loop {
            let list = || self.list_once(&wanted, None, token.as_deref());
            let page = retry(self.retries, &address, list)
                .await
                .map_err(|failure| self.error(Action::List, &address, failure))?;
            listed.extend(page.contents().iter().filter_map(|object| {
                let stored_at = object.last_modified();
                Some(Listed {
                    name: object.key()?.strip_prefix(&ours)?.to_owned(),
                    stored_at: stored_at.and_then(|at| Timestamp::from_second(at.secs()).ok()),
                })
            }));
            if !page.is_truncated().unwrap_or(false) {
                listed.sort_by(|one, other| one.name.cmp(&other.name));
                return Ok(listed);
            }
            if page.next_continuation_token.is_none() || page.next_continuation_token == token {
                return Err(stopped_half_way(format!("listing `{address}`")));
            }
            token = page.next_continuation_token;
        }
    }

    pub(super) async fn children(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let address = self.locate(folder);
        let (ours, wanted) = (self.key(""), self.key(folder));
        let name = |key: &str| key.strip_prefix(&ours).map(str::to_owned);
        let mut names = Vec::new();
        let mut token = None;
        loop {
            let list = || self.list_once(&wanted, Some("/"), token.as_deref());
            let page = retry(self.retries, &address, list)
                .await
                .map_err(|failure| self.error(Action::List, &address, failure))?;
            let folders = page.common_prefixes().iter();
            let folders = folders.filter_map(|of| of.prefix()?.strip_suffix('/'));
            let objects = page.contents().iter().filter_map(|object| object.key());
            // S3's console creates a key with a slash at its end to show an empty folder.
            let objects = objects.filter(|key| !key.ends_with('/'));
            names.extend(folders.chain(objects).filter_map(name));
            if !page.is_truncated().unwrap_or(false) {
                names.sort();
                names.dedup();
                return Ok(names);
            }
            if page.next_continuation_token.is_none() || page.next_continuation_token == token {
                return Err(stopped_half_way(format!("listing `{address}`")));
            }
            token = page.next_continuation_token;
        }
    }

    async fn list_once(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        token: Option<&str>,
    ) -> Result<ListObjectsV2Output, AwsFailure> {
        self.client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_delimiter(delimiter.map(str::to_owned))
            .set_expected_bucket_owner(self.owner.clone())
            .set_continuation_token(token.map(str::to_owned))
            .send()
            .await
            .map_err(AwsFailure::of)
    }

    pub(super) async fn try_to_delete(&self, name: &str) -> Result<Deleted, StoreError> {
        let (address, key) = (self.locate(name), self.key(name));
        let delete = || async {
            let delete = self.client.delete_object().bucket(&self.bucket).key(&key);
            let delete = delete.set_expected_bucket_owner(self.owner.clone());
            delete.send().await.map(|_| ()).map_err(AwsFailure::of)
        };
        match retry(self.retries, &address, delete).await {
            Ok(()) => Ok(Deleted::Gone),
            Err(failure) if failure.kind == AwsFailureKind::Refused(None) => Ok(Deleted::Refused),
            Err(failure) => Err(self.error(Action::Delete, &address, failure)),
        }
    }

    pub(super) async fn history(&self, prefix: &str) -> Result<History, StoreError> {
        let address = self.locate(prefix);
        let (ours, wanted) = (self.key(""), self.key(prefix));
        let name = |key: Option<&str>| key?.strip_prefix(&ours).map(str::to_owned);
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        let mut deleted = BTreeSet::new();
        let mut keeps_all = true;
        let mut from: Option<(String, String)> = None;
        loop {
            let list = || self.list_versions_once(&wanted, from.as_ref());
            let page = match retry(self.retries, &address, list).await {
                Ok(page) => page,
                Err(failure) => {
                    return match failure.kind {
                        AwsFailureKind::Refused(_) => Ok(History::NotReported(
                            "the store refused to list versions (s3:ListBucketVersions)",
                        )),
                        AwsFailureKind::Misconfigured(_) | AwsFailureKind::NoSuchKey => {
                            Ok(History::NotReported("the store does not list versions"))
                        }
                        _ => Err(self.error(Action::List, &address, failure)),
                    };
                }
            };
            for version in page.versions() {
                // Without versioning, a replaced object leaves no trace.
                keeps_all &= version.version_id() != Some("null");
                if let Some(name) = name(version.key()) {
                    *versions.entry(name).or_default() += 1;
                }
            }
            deleted.extend(page.delete_markers().iter().filter_map(|at| name(at.key())));
            if !page.is_truncated().unwrap_or(false) {
                versions.retain(|_, count| *count > 1);
                if !keeps_all && versions.is_empty() && deleted.is_empty() {
                    return Ok(History::NotReported(
                        "the bucket has objects that were written without versioning, which keeps no older versions",
                    ));
                }
                return Ok(History::Reported {
                    replaced: versions.into_keys().collect(),
                    deleted: deleted.into_iter().collect(),
                });
            }
            let next = page.next_key_marker.map(|key| {
                let version = page.next_version_id_marker.unwrap_or_default();
                (key, version)
            });
            if next.is_none() || next == from {
                return Err(stopped_half_way(format!(
                    "listing the versions of `{address}`"
                )));
            }
            from = next;
        }
    }

    async fn list_versions_once(
        &self,
        prefix: &str,
        from: Option<&(String, String)>,
    ) -> Result<ListObjectVersionsOutput, AwsFailure> {
        let mut list = self.client.list_object_versions();
        if let Some((key, version)) = from {
            list = list.key_marker(key);
            if !version.is_empty() {
                list = list.version_id_marker(version);
            }
        }
        list.bucket(&self.bucket)
            .prefix(prefix)
            .set_expected_bucket_owner(self.owner.clone())
            .send()
            .await
            .map_err(AwsFailure::of)
    }

    fn error(&self, action: Action, address: &str, mut failure: AwsFailure) -> StoreError {
        // A store without support for locks or checksums answers 400, but each with other words.
        let is_put = matches!(action, Action::Write);
        if is_put && failure.kind == AwsFailureKind::Misconfigured(BAD_REQUEST) {
            failure.kind = AwsFailureKind::Misconfigured(match self.lock {
                Some(_) => BAD_LOCKED_PUT,
                None => BAD_PUT,
            });
        }
        let mut error = StoreError::from_failure(action, &self.bucket, address, failure);
        match &mut error {
            StoreError::NotFound { hint, .. } => *hint = Some(NO_BUCKET),
            StoreError::TooLarge { hint, .. } => *hint = Some(NOT_OURS),
            _ => {}
        }
        error
    }
}

/// A list that stopped half-way is an error, not a short list.
fn stopped_half_way(what: String) -> StoreError {
    StoreError::Unavailable {
        what,
        source: "the store announced more pages, but did not give the start of the next one".into(),
    }
}

/// The length in whole days, with a tolerance of an hour: the store's clock may be a little behind ours.
fn whole_days(length: SignedDuration) -> u32 {
    let hours = length.as_hours().saturating_add(1);
    u32::try_from(hours / 24).unwrap_or_default()
}

const NO_BUCKET: &str = "create the bucket, or correct EVIDENCE_URL";

const NOT_OURS: &str = "this program does not write such large objects: another program writes below this prefix; \
                        remove the object, or set EVIDENCE_URL to another prefix";

const BAD_PUT: &str = "check EVIDENCE_URL, AWS_REGION, AWS_ENDPOINT_URL_S3 and S3_FORCE_PATH_STYLE; if they are right, \
                       the store may not support `x-amz-checksum-sha256`, which evidence needs (docs/stores.md)";

const BAD_LOCKED_PUT: &str = "if the bucket has no Object Lock, enable it (it needs versioning) or unset \
                                  EVIDENCE_OBJECT_LOCK_MODE; else check EVIDENCE_URL, AWS_REGION, \
                                  AWS_ENDPOINT_URL_S3 and S3_FORCE_PATH_STYLE";

/// The content type, for a person who opens the object in a browser.
fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.') {
        Some((_, "json")) => "application/json",
        Some((_, "csv")) => "text/csv; charset=utf-8",
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "gz")) => "application/gzip",
        _ => "text/plain; charset=utf-8",
    }
}
