//! Reads the store and counts every object by its lock.

use std::sync::Mutex;

use jiff::Timestamp;
use serde::Serialize;

use crate::ledger::Objects;
use crate::model::LockMode;
use crate::store::{Store, StoreError};

/// A store, and the locks of what was read from it.
pub(super) struct CountingReader<'a> {
    /// For objects that were counted before, or that are no evidence of their own.
    pub(super) store: &'a Store,
    now: Timestamp,
    locks: Mutex<Locks>,
}

/// How much of what was read lies under a lock that holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Locks {
    /// Objects that were read.
    #[serde(rename = "objects_read")]
    pub objects: u64,
    /// Objects that nobody can delete now (compliance).
    pub compliance: u64,
    /// Objects that only someone who may bypass the lock can delete now (governance).
    pub governance: u64,
    /// When the first of these locks ends.
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
    /// The same for people.
    pub(super) fn as_text(&self) -> String {
        let (objects, compliance, governance) = (self.objects, self.compliance, self.governance);
        match self.first_until {
            None => format!(
                "locks: none of the {objects} objects read is locked, or the locks cannot be read (s3:GetObjectRetention)"
            ),
            Some(until) => format!(
                "locks: {} of the {objects} objects read are locked ({compliance} compliance, {governance} \
                 governance); the first lock ends at {until}",
                compliance + governance
            ),
        }
    }
}
