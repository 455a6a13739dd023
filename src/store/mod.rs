//! The store of evidence: objects that are written once and never replaced.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::aws::{self, Retries};
use crate::model::Protection;

mod folder;
mod s3;

pub use crate::aws::{AwsError as StoreError, ObjectLock};
use folder::Folder;
use s3::S3;

/// The address and the options of the store.
#[derive(Clone, Debug)]
pub enum Settings {
    /// A folder. It is created with the first object.
    Folder(PathBuf),
    S3 {
        bucket: String,
        /// Without a slash at either end. May be empty.
        prefix: String,
        /// Path-style addressing.
        force_path_style: bool,
        /// The AWS account that must own the bucket, because another account can take over the name of a deleted
        /// bucket.
        owner: Option<String>,
        /// The KMS key that encrypts the objects. None: the bucket's own encryption.
        kms_key_id: Option<String>,
    },
}

/// The result of a delete that the store should refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The store refused, as it should.
    Refused,
    /// The store deleted the object.
    Gone,
    /// The delete was not tried, for this reason.
    NotTried(&'static str),
}

/// An object that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub bytes: Vec<u8>,
    /// The lock on the object, if the store reports one.
    pub lock: Option<ObjectLock>,
}

/// An object that was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// The time of storing, by the bucket's clock. None in a folder, because copying changes the times of files.
    pub stored_at: Option<Timestamp>,
}

/// The names that were replaced or deleted. Evidence is written once, so there should be none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    /// By name, as the store reports it.
    Reported {
        /// Names with more than one version.
        replaced: Vec<String>,
        /// Names with a delete marker. Older versions may remain.
        deleted: Vec<String>,
    },
    /// The store does not report it, for this reason.
    NotReported(&'static str),
}

/// The result of a create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// This call created the object.
    New,
    /// The object existed with the same bytes. An earlier call wrote it, or an attempt of this call whose answer was
    /// lost.
    AlreadyThere,
}

/// Objects in a folder or a bucket, which are written once and never replaced.
///
/// A name is relative, with `/` between its parts. An object exists either completely or not. After a create has
/// returned, the object survives a crash of the process or the machine.
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
    /// Opens a store. Nothing is created, and no bucket is contacted, before the first operation.
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

    /// The same store with these retries. A folder has none.
    pub fn with_retries(self, retries: Retries) -> Self {
        self.in_a_bucket(|s3| s3.retries = retries)
    }

    /// The same store, which refuses a bucket of another AWS account. No effect on a folder.
    pub fn owned_by(self, owner: Option<String>) -> Self {
        self.in_a_bucket(|s3| s3.owner = owner)
    }

    /// The same store, which encrypts new objects with a key of AWS KMS. No effect on a folder.
    pub fn encrypted_with(self, kms_key_id: Option<String>) -> Self {
        self.in_a_bucket(|s3| s3.kms_key_id = kms_key_id)
    }

    /// The same store, which locks new objects. No effect on a folder.
    pub fn locked(self, lock: Option<ObjectLock>) -> Self {
        self.in_a_bucket(|s3| s3.lock = lock)
    }

    fn in_a_bucket(mut self, change: impl FnOnce(&mut S3)) -> Self {
        if let StoreKind::S3(s3) = &mut self.kind {
            change(s3);
        }
        self
    }

    /// The folder of this store. None for a bucket.
    pub fn folder_path(&self) -> Option<&Path> {
        match &self.kind {
            StoreKind::Folder(folder) => Some(folder.path()),
            StoreKind::S3(_) => None,
        }
    }

    /// The address, for people: a path, or `s3://bucket/prefix`.
    pub fn location(&self) -> String {
        match &self.kind {
            StoreKind::Folder(folder) => folder.location(),
            StoreKind::S3(s3) => s3.location(),
        }
    }

    /// The address of an object, which need not exist: a path or an `s3://` address.
    pub fn locate(&self, name: &str) -> String {
        match &self.kind {
            StoreKind::Folder(folder) => folder.locate(name),
            StoreKind::S3(s3) => s3.locate(name),
        }
    }

    /// Creates one object. If several calls race for a name, one succeeds.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if an object of that name has other bytes. It stays.
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
    /// After an error, any of them may exist. So create an object that depends on them only after success.
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

    /// Creates one object like [`Self::create`], and tests how the store protects it: whether it refuses a second
    /// create, and which lock, versioning and encryption it applies.
    ///
    /// The days of a lock count from `as_of`. If a bucket accepts the second create, the object then has two equal
    /// versions.
    ///
    /// # Errors
    /// Like [`Self::create`]. It is not an error if the store does not report locks.
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

    /// Reads one object. `None` if it does not exist.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read_whole(name).await?.map(|read| read.bytes))
    }

    /// Reads one object with its lock. `None` if it does not exist.
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

    /// Tries to delete one object, to test that the store refuses. Never call it for evidence.
    ///
    /// # Errors
    /// If the store is out of reach, or if its answer is neither a success nor a refusal.
    pub async fn try_to_delete(&self, name: &str) -> Result<Deleted, StoreError> {
        ensure_name(name)?;
        match &self.kind {
            StoreKind::Folder(_) => Ok(Deleted::NotTried(
                "in a folder, a process that may write may also delete",
            )),
            StoreKind::S3(s3) => s3.try_to_delete(name).await,
        }
    }

    /// The names below `prefix` that were replaced or deleted, as far as the store keeps older versions.
    ///
    /// # Errors
    /// If the store is out of reach. It is not an error if the store does not report versions.
    pub async fn history(&self, prefix: &str) -> Result<History, StoreError> {
        match &self.kind {
            StoreKind::Folder(_) => Ok(History::NotReported("a folder keeps no older versions")),
            StoreKind::S3(s3) => s3.history(prefix).await,
        }
    }

    /// Whether the folder exists. Always true for a bucket: reads from a missing bucket give an error.
    pub async fn exists(&self) -> bool {
        match &self.kind {
            StoreKind::Folder(folder) => {
                let exists = blocking(folder, |folder| Ok(folder.exists())).await;
                exists.unwrap_or(true)
            }
            StoreKind::S3(_) => true,
        }
    }

    /// The names directly below a folder, sorted: of objects, and of folders without their slash. `folder` ends with
    /// `/`.
    ///
    /// A listing is complete, or it is an error.
    pub async fn children(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        ensure_name(&format!("{folder}_"))?;
        match &self.kind {
            StoreKind::Folder(root) => {
                let folder = folder.to_owned();
                blocking(root, move |root| root.children(&folder)).await
            }
            StoreKind::S3(s3) => s3.children(folder).await,
        }
    }

    /// All names that begin with `prefix`, sorted. End it with `/` to list the objects of a folder.
    ///
    /// A listing is complete, or it is an error. Temporary files are omitted.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let listed = self.list_with_times(prefix).await?;
        Ok(listed.into_iter().map(|object| object.name).collect())
    }

    /// Like [`Self::list`], with the time at which each object was stored.
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
                // S3's console creates a key with a slash at its end to show an empty folder.
                listed.retain(|Listed { name, .. }| {
                    !name.is_empty() && !name.ends_with('/') && !is_reserved(name)
                });
                Ok(listed)
            }
        }
    }
}

/// Runs disk operations on a thread that may block.
async fn blocking<T: Send + 'static>(
    folder: &Folder,
    work: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (folder, span) = (folder.clone(), tracing::Span::current());
    match tokio::task::spawn_blocking(move || span.in_scope(|| work(&folder))).await {
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

/// The folder for files until they are complete.
const TEMPORARY: &str = ".tmp";

/// Whether a name in a folder is not an object: our temporary files, and the `lost+found` of a new ext4 volume.
fn is_reserved(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    first == TEMPORARY || first == "lost+found"
}

/// Whether a store can have an object of this name: relative, without `..`, empty parts or characters that control a
/// terminal. A listing may contain other names, if another program wrote them.
pub fn is_name(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_plain = |c: char| !c.is_control() && c != '\\';
    name.split('/').all(is_part) && name.chars().all(is_plain) && !is_reserved(name)
}

/// Refuses a name that leads out of the store or is reserved.
fn ensure_name(name: &str) -> Result<(), StoreError> {
    if is_name(name) {
        return Ok(());
    }
    Err(StoreError::Configuration {
        what: format!("`{}` cannot be the name of an object", name.escape_debug()),
        hint: "use a relative name without `..` and without empty parts".to_owned(),
        source: None,
    })
}
