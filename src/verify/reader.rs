//! Reads the store, and counts the objects by their lock.

use std::sync::Mutex;

use jiff::Timestamp;
use serde::Serialize;

use crate::ledger::Objects;
use crate::model::LockMode;
use crate::store::{Store, StoreError};

/// A store, and the locks of the objects that were read from it.
pub(super) struct CountingReader<'a> {
    /// Reads without counting: for objects that were counted before, or that are not evidence.
    pub(super) store: &'a Store,
    now: Timestamp,
    locks: Mutex<Locks>,
}

/// How many of the objects that were read are locked now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Locks {
    #[serde(rename = "objects_read")]
    pub objects: u64,
    /// Objects that no identity can delete now.
    pub compliance: u64,
    /// Objects that only an identity with the right to bypass the lock can delete now.
    pub governance: u64,
    /// When the first lock ends.
    pub first_until: Option<Timestamp>,
}

impl<'a> CountingReader<'a> {
    pub(super) fn new(store: &'a Store, now: Timestamp) -> Self {
        Self {
            store,
            now,
            locks: Mutex::default(),
        }
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(read) = self.store.read_whole(name).await? else {
            return Ok(None);
        };
        let mut locks = self.locks.lock().unwrap_or_else(|it| it.into_inner());
        locks.objects += 1;
        if let Some(lock) = read.lock.filter(|lock| lock.until > self.now) {
            match lock.mode {
                LockMode::Compliance => locks.compliance += 1,
                LockMode::Governance => locks.governance += 1,
            }
            let first = locks.first_until.get_or_insert(lock.until);
            *first = lock.until.min(*first);
        }
        Ok(Some(read.bytes))
    }

    pub(super) fn locks(&self) -> Locks {
        *self.locks.lock().unwrap_or_else(|it| it.into_inner())
    }
}

impl Objects for CountingReader<'_> {
    async fn object(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(name).await
    }
}

impl Locks {
    /// A sentence for people.
    pub(super) fn as_text(&self) -> String {
        let (objects, compliance, governance) = (self.objects, self.compliance, self.governance);
        match self.first_until {
            None => format!(
                "locks: 0 of the {objects} objects read are locked, or the locks cannot be read (s3:GetObjectRetention)"
            ),
            Some(until) => format!(
                "locks: {} of the {objects} objects read are locked ({compliance} compliance, {governance} \
                 governance); the first lock ends at {until}",
                compliance + governance
            ),
        }
    }
}
