//! Where evidence lies: named bytes that are written once and never replaced.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::aws::{self, Retries};
use crate::model::Protection;

mod folder;
mod s3;

pub use crate::aws::{AwsError as StoreError, ObjectLock};
use folder::Folder;
use s3::S3;

/// Where evidence lies.
#[derive(Clone, Debug)]
pub enum Settings {
    /// A folder; it is made when the first object is.
    Folder(PathBuf),
    /// A bucket and a prefix without slashes at its ends (empty for none).
    S3 {
        /// Bucket.
        bucket: String,
        /// Prefix.
        prefix: String,
        /// Path-style addressing.
        force_path_style: bool,
        /// The AWS account the bucket must belong to: a bucket of that name may change hands.
        owner: Option<String>,
        /// The key of AWS KMS that objects are encrypted with; none: as the bucket does by itself.
        kms_key_id: Option<String>,
    },
}

/// What became of a delete that should not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It was refused, as it should be.
    Refused,
    /// It was carried out.
    Gone,
    /// Nobody tried, and why.
    NotTried(&'static str),
}

/// An object that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The lock it is under, where the store tells of one.
    pub lock: Option<ObjectLock>,
}

/// An object that was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// When it was stored, by the bucket's clock. The times of files in a folder change with each copy and say nothing.
    pub stored_at: Option<Timestamp>,
}

/// What became of names over time: evidence is written once, so that nothing should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    /// As the store tells it, by name.
    Reported {
        /// Names that more than one version was written under.
        replaced: Vec<String>,
        /// Names that were deleted, though older versions may be there.
        deleted: Vec<String>,
    },
    /// Nobody tells, and why.
    NotReported(&'static str),
}

/// How an object came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// This call made it.
    New,
    /// It was there, with the same bytes: written before, or by this call, whose answer was lost.
    AlreadyThere,
}

/// Named bytes, written once and never replaced, in a folder or a bucket.
///
/// A name is relative, its parts divided by `/`. An object is there whole or not at all, and when a
/// call that creates returns, it stays there, whatever happens to this process or its machine.
#[derive(Clone, Debug)]
pub struct Store {
    kind: StoreKind,
}

#[derive(Clone, Debug)]
enum StoreKind {
    Folder(Folder),
    S3(S3),
}

impl Store {
    /// Opens a store. Nothing is made, and no bucket is asked, before the first object is.
    pub async fn open(settings: &Settings) -> Result<Self, StoreError> {
        match settings {
            Settings::Folder(root) => Ok(Self::folder(root)),
            Settings::S3 {
                bucket,
                prefix,
                force_path_style,
                owner,
                kms_key_id,
            } => {
                let client = aws::s3_client(&aws::sdk_config().await, *force_path_style)?;
                let store = Self::s3(client, bucket, prefix);
                Ok(store
                    .owned_by(owner.clone())
                    .encrypted_with(kms_key_id.clone()))
            }
        }
    }

    /// A store in a folder.
    pub fn folder(root: impl Into<PathBuf>) -> Self {
        let kind = StoreKind::Folder(Folder::new(root.into()));
        Self { kind }
    }

    /// A store in a bucket, below `prefix` (empty for none).
    pub fn s3(
        client: aws_sdk_s3::Client,
        bucket: impl Into<String>,
        prefix: impl Into<String>,
    ) -> Self {
        let kind = StoreKind::S3(S3::new(client, bucket.into(), prefix.into()));
        Self { kind }
    }

    /// The same store, trying again as `retries` says. A folder never tries again.
    pub fn with_retries(self, retries: Retries) -> Self {
        self.in_a_bucket(|s3| s3.retries = retries)
    }

    /// The same store, refusing a bucket of another AWS account. A folder has none.
    pub fn owned_by(self, owner: Option<String>) -> Self {
        self.in_a_bucket(|s3| s3.owner = owner)
    }

    /// The same store, encrypting what it creates with a key of AWS KMS. A folder encrypts nothing.
    pub fn encrypted_with(self, kms_key_id: Option<String>) -> Self {
        self.in_a_bucket(|s3| s3.kms_key_id = kms_key_id)
    }

    /// The same store, putting what it creates under a lock. A folder knows no locks.
    pub fn locked(self, lock: Option<ObjectLock>) -> Self {
        self.in_a_bucket(|s3| s3.lock = lock)
    }

    fn in_a_bucket(mut self, change: impl FnOnce(&mut S3)) -> Self {
        if let StoreKind::S3(s3) = &mut self.kind {
            change(s3);
        }
        self
    }

    /// Where it is, as shown to people: a path, or `s3://bucket/prefix`.
    pub fn location(&self) -> String {
        match &self.kind {
            StoreKind::Folder(folder) => folder.location(),
            StoreKind::S3(s3) => s3.location(),
        }
    }

    /// Where one object is, or would be: a path or an `s3://` address.
    pub fn locate(&self, name: &str) -> String {
        match &self.kind {
            StoreKind::Folder(folder) => folder.locate(name),
            StoreKind::S3(s3) => s3.locate(name),
        }
    }

    /// Creates one object. Of several that race for a name, one wins.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if other bytes have that name: they stay.
    pub async fn create(
        &self,
        name: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<Created, StoreError> {
        ensure_name(name)?;
        let bytes = bytes.into();
        match &self.kind {
            StoreKind::Folder(folder) => {
                let name = name.to_owned();
                blocking(folder, move |folder| folder.create(&name, &bytes)).await
            }
            StoreKind::S3(s3) => s3.create(name, bytes).await,
        }
    }

    /// Creates many objects, several at a time and in no order.
    ///
    /// On success all are there to stay. On an error, any of them may be there: an object that must
    /// only exist when they do, is created after them.
    pub async fn create_all(&self, files: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        for (name, _) in &files {
            ensure_name(name)?;
        }
        match &self.kind {
            StoreKind::Folder(folder) => {
                blocking(folder, move |folder| folder.create_all(&files)).await
            }
            StoreKind::S3(s3) => s3.create_all(files).await,
        }
    }

    /// Creates one object as [`Self::create`] does, and looks at what the store really does: whether it
    /// refuses to create it a second time, and which lock, versions and encryption it gives.
    ///
    /// `as_of` is the instant that the days of a lock count from. In a bucket that takes a second create
    /// all the same, the object is there in two equal versions afterwards.
    ///
    /// # Errors
    /// As of [`Self::create`]; that a store does not tell of locks is no error.
    pub async fn protect(
        &self,
        name: &str,
        bytes: impl Into<Vec<u8>>,
        as_of: Timestamp,
    ) -> Result<Protection, StoreError> {
        ensure_name(name)?;
        let bytes = bytes.into();
        match &self.kind {
            StoreKind::Folder(folder) => {
                let name = name.to_owned();
                blocking(folder, move |folder| folder.protect(&name, &bytes)).await
            }
            StoreKind::S3(s3) => s3.protect(name, bytes, as_of).await,
        }
    }

    /// Reads one object; `None` if there is none of that name.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read_whole(name).await?.map(|read| read.bytes))
    }

    /// Reads one object with the lock it is under; `None` if there is none of that name.
    pub async fn read_whole(&self, name: &str) -> Result<Option<Read>, StoreError> {
        ensure_name(name)?;
        match &self.kind {
            StoreKind::Folder(folder) => {
                let name = name.to_owned();
                let bytes = blocking(folder, move |folder| folder.read(&name)).await?;
                Ok(bytes.map(|bytes| Read { bytes, lock: None }))
            }
            StoreKind::S3(s3) => s3.read(name).await,
        }
    }

    /// Tries to delete one object, only to see that it is refused: never one of evidence.
    ///
    /// # Errors
    /// Where the store is out of reach, or answers otherwise than with yes or no.
    pub async fn try_to_delete(&self, name: &str) -> Result<Deleted, StoreError> {
        ensure_name(name)?;
        match &self.kind {
            StoreKind::Folder(_) => Ok(Deleted::NotTried(
                "in a folder, whoever may write may delete",
            )),
            StoreKind::S3(s3) => s3.try_to_delete(name).await,
        }
    }

    /// Which names below `prefix` were replaced or deleted, as far as the store remembers.
    ///
    /// # Errors
    /// Where the store is out of reach; that it does not tell is no error.
    pub async fn history(&self, prefix: &str) -> Result<History, StoreError> {
        match &self.kind {
            StoreKind::Folder(_) => Ok(History::NotReported("a folder keeps no older versions")),
            StoreKind::S3(s3) => s3.history(prefix).await,
        }
    }

    /// Whether there is a place to read from. A bucket that is not there answers with an error.
    pub async fn exists(&self) -> bool {
        match &self.kind {
            StoreKind::Folder(folder) => {
                let exists = blocking(folder, |folder| Ok(folder.exists())).await;
                exists.unwrap_or(true)
            }
            StoreKind::S3(_) => true,
        }
    }

    /// All names that begin with `prefix`, sorted; end it with `/` to mean what is below a name.
    ///
    /// A listing is complete or it is an error. Temporary files are no objects.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let listed = self.list_with_times(prefix).await?;
        Ok(listed.into_iter().map(|object| object.name).collect())
    }

    /// The same with the time at which each object was stored.
    pub async fn list_with_times(&self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        if !prefix.is_empty() {
            ensure_name(&format!("{prefix}_"))?;
        }
        match &self.kind {
            StoreKind::Folder(folder) => {
                let prefix = prefix.to_owned();
                let names = blocking(folder, move |folder| folder.list(&prefix)).await?;
                let listed = |name| Listed {
                    name,
                    stored_at: None,
                };
                Ok(names.into_iter().map(listed).collect())
            }
            StoreKind::S3(s3) => {
                let mut listed = s3.list(prefix).await?;
                // A key with a slash at its end is how S3's console draws an empty folder.
                listed.retain(|Listed { name, .. }| {
                    !name.is_empty() && !name.ends_with('/') && !is_reserved(name)
                });
                Ok(listed)
            }
        }
    }
}

/// Runs what waits for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(
    folder: &Folder,
    work: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let folder = folder.clone();
    match tokio::task::spawn_blocking(move || work(&folder)).await {
        Ok(done) => done,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(stopped) => Err(StoreError::Unavailable {
                what: "using the evidence folder".to_owned(),
                source: stopped.into(),
            }),
        },
    }
}

/// Where a folder's files are until they are whole.
const TEMPORARY: &str = ".tmp";

/// What lies in a folder but is no object: our temporary files, and what a fresh ext4 volume holds.
fn is_reserved(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    first == TEMPORARY || first == "lost+found"
}

/// Whether a store can have an object of this name: relative, without `..`, empty parts or what a
/// terminal would act on. What is listed may have other names, put there by somebody else.
pub fn is_name(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_plain = |c: char| !c.is_control() && c != '\\';
    name.split('/').all(is_part) && name.chars().all(is_plain) && !is_reserved(name)
}

/// A name must stay below the store, in both kinds of store, and must not be one of those above.
fn ensure_name(name: &str) -> Result<(), StoreError> {
    if is_name(name) {
        return Ok(());
    }
    Err(StoreError::Configuration {
        what: format!("`{}` is no name for an object", name.escape_debug()),
        hint: "a name is relative, without `..` or empty parts".to_owned(),
        source: None,
    })
}
