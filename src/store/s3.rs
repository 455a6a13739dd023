//! A bucket: every put is create-only and carries its SHA-256.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use super::{Created, StoreError};
use crate::aws::{Action, AwsError, Failure, Kind, Retries, get_once, retry};

/// Puts under way at once in [`S3::create_all`].
const CONCURRENCY: usize = 8;

/// Evidence larger than this is not ours: it would not fit the job's memory.
const MAX_BYTES: u64 = 1 << 30;

#[derive(Clone, Debug)]
pub(super) struct S3 {
    client: Client,
    bucket: String,
    prefix: String,
    retries: Retries,
}

impl S3 {
    pub(super) fn new(client: Client, bucket: String, prefix: String) -> Self {
        let prefix = prefix.trim_matches('/').to_owned();
        let retries = Retries::default();
        Self {
            client,
            bucket,
            prefix,
            retries,
        }
    }

    pub(super) fn with_retries(self, retries: Retries) -> Self {
        Self { retries, ..self }
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
        let key = self.key(name);
        let sha256 = STANDARD.encode(Sha256::digest(&bytes));
        let put = || self.put_once(&key, &bytes, &sha256);
        match retry(self.retries, &address, put).await {
            Ok(()) => Ok(Created::New),
            // Perhaps our own write, whose answer was lost before the SDK tried again.
            Err(Failure {
                kind: Kind::Exists,
                cause,
            }) => match self.read(name).await? {
                Some(there) if there == bytes => Ok(Created::AlreadyThere),
                Some(_) => Err(StoreError::Conflict { name: address }),
                None => Err(StoreError::Unavailable {
                    what: format!("reading back `{address}`"),
                    source: cause,
                }),
            },
            Err(failure) => Err(self.error(Action::Write, &address, failure)),
        }
    }

    /// One put, from memory: from a file the SDK would send `aws-chunked`, which some stores reject.
    /// Set by us, the checksum is the one in the manifest, and the SDK adds none of its own.
    async fn put_once(&self, key: &str, bytes: &[u8], sha256: &str) -> Result<(), Failure> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .if_none_match("*")
            .checksum_sha256(sha256)
            .content_type(content_type(key))
            .body(bytes.to_vec().into())
            .send()
            .await
            .map(|_| ())
            .map_err(Failure::of)
    }

    pub(super) async fn create_all(&self, files: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        stream::iter(files)
            .map(|(name, bytes)| async move { self.create(&name, bytes).await.map(|_| ()) })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let key = self.key(name);
        let address = self.locate(name);
        let get = || get_once(&self.client, &self.bucket, &key, MAX_BYTES);
        match retry(self.retries, &address, get).await {
            Ok(object) => Ok(Some(object.bytes)),
            Err(Failure {
                kind: Kind::NoSuchKey,
                ..
            }) => Ok(None),
            Err(failure) => Err(self.error(Action::Read, &address, failure)),
        }
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let address = self.locate(prefix);
        // With its slash, so that `prefix` never finds what lies under `prefix-2`.
        let ours = self.key("");
        let wanted = self.key(prefix);
        let mut names = Vec::new();
        let mut token = None;
        loop {
            let list = || self.list_once(&wanted, token.as_deref());
            let page = retry(self.retries, &address, list)
                .await
                .map_err(|failure| self.error(Action::List, &address, failure))?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            names.extend(
                keys.filter_map(|key| key.strip_prefix(&ours))
                    .map(str::to_owned),
            );
            if !page.is_truncated().unwrap_or(false) {
                names.sort();
                return Ok(names);
            }
            // A list that stopped half-way is an error, not a short list.
            if page.next_continuation_token.is_none() || page.next_continuation_token == token {
                return Err(StoreError::Unavailable {
                    what: format!("listing `{address}`"),
                    source: "the store says there is more, but not where it goes on".into(),
                });
            }
            token = page.next_continuation_token;
        }
    }

    async fn list_once(
        &self,
        prefix: &str,
        token: Option<&str>,
    ) -> Result<ListObjectsV2Output, Failure> {
        self.client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_continuation_token(token.map(str::to_owned))
            .send()
            .await
            .map_err(Failure::of)
    }

    fn error(&self, action: Action, address: &str, failure: Failure) -> StoreError {
        AwsError::from_failure(action, &self.bucket, address, failure).into()
    }
}

/// What a browser is told when somebody opens the object.
fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.') {
        Some((_, "json")) => "application/json",
        Some((_, "csv")) => "text/csv; charset=utf-8",
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "gz")) => "application/gzip",
        _ => "text/plain; charset=utf-8",
    }
}
