//! Decides whether an entry can be relied on. Runs, reviews and `verify` share this decision.

use std::collections::HashMap;
use std::future::Future;

use jiff::Timestamp;

use crate::evidence::{
    ConnectionFolder, Entry, EntryKind, FIRST_PREVIOUS, ReviewFolder, RunFolder, sha256_hex,
};
use crate::model::quoted;
use crate::signing::PublicKey;
use crate::store::{Store, StoreError};

/// A fault of an entry, or of its link to the entry before.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EntryFault {
    #[error("{0}")]
    Unreadable(String),
    #[error("its content is that of entry {0}")]
    OtherSequence(u64),
    #[error("it belongs to another connection")]
    OtherConnection,
    #[error("it is the first entry, but names a predecessor")]
    FirstHasPredecessor,
    #[error("its previous_sha256 is not the hash of entry {before}")]
    BrokenLink { before: u64 },
    #[error(
        "it was committed at {at}, before entry {before}, which was committed at {before_at}: the two clocks differed \
         by more than 5 minutes, or the entries were backdated"
    )]
    WentBack {
        at: Timestamp,
        before: u64,
        before_at: Timestamp,
    },
    #[error("{} is not the name of a folder of evidence", quoted(.0))]
    NoFolder(String),
    #[error("its run is in the folder of another day")]
    OtherDay,
    #[error("the run or the command began at {0}, after the commit")]
    RunAfterCommit(Timestamp),
    #[error("it is not signed, but the earlier entry {0} is")]
    Unsigned(u64),
    #[error("the name of its key is not a SHA-256")]
    NoKey,
    #[error("it is signed with the key {0}, which was not given")]
    UnknownKey(String),
    #[error("its public key {0} is missing")]
    KeyMissing(String),
    #[error("its public key {0} was modified")]
    KeyModified(String),
    #[error("it names a key, but its signature is missing")]
    SignatureMissing,
    #[error("its signature does not match its bytes and the key that it names")]
    BadSignature,
}

/// The part of the chain that a fault makes unreliable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreliable {
    ThisEntry,
    EntryBefore,
    /// Only the dates. A clock was wrong, but hash and signature still match the content. If such an entry were
    /// unusable, one wrong clock would stop all later reviews.
    Dates,
}

impl EntryFault {
    pub fn unreliable(&self) -> Unreliable {
        match self {
            Self::Unreadable(_)
            | Self::OtherSequence(_)
            | Self::OtherConnection
            | Self::NoFolder(_)
            | Self::OtherDay
            | Self::Unsigned(_)
            | Self::NoKey
            | Self::UnknownKey(_)
            | Self::KeyMissing(_)
            | Self::KeyModified(_)
            | Self::SignatureMissing
            | Self::BadSignature => Unreliable::ThisEntry,
            Self::FirstHasPredecessor | Self::BrokenLink { .. } => Unreliable::EntryBefore,
            Self::WentBack { .. } | Self::RunAfterCommit(_) => Unreliable::Dates,
        }
    }
}

/// A source of entries, signatures and keys.
pub trait Objects {
    fn object(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;
}

impl Objects for Store {
    async fn object(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(name).await
    }
}

/// The data of an entry that the next entry links to.
#[derive(Clone, Debug)]
pub struct Link {
    sequence: u64,
    sha256: String,
    committed_at: Timestamp,
}

/// The folder that an entry commits.
#[derive(Debug)]
pub enum EntryFolder {
    Run(RunFolder),
    Review(ReviewFolder),
}

impl EntryFolder {
    fn of(entry: &Entry) -> Option<Self> {
        let run = RunFolder::parse(&entry.run).map(Self::Run);
        let folder = match entry.kind {
            EntryKind::Run | EntryKind::Failure => run,
            // If it is a run, the comparison with its manifest reports the fault.
            EntryKind::ReviewOpen | EntryKind::ReviewClose | EntryKind::ReviewAcknowledge => {
                ReviewFolder::parse(&entry.run).map(Self::Review).or(run)
            }
        };
        folder.filter(|folder| folder.instant().is_some())
    }

    fn instant(&self) -> Option<Timestamp> {
        match self {
            Self::Run(run) => run.instant(),
            Self::Review(part) => part.instant(),
        }
    }
}

/// An entry and its faults.
#[derive(Debug)]
pub struct Inspected {
    pub sequence: u64,
    pub sha256: String,
    /// None if the bytes are not an entry.
    pub entry: Option<Entry>,
    /// None if the entry does not name a folder of its kind.
    pub folder: Option<EntryFolder>,
    pub faults: Vec<EntryFault>,
    /// Whether the entry is signed and its signature matches.
    pub is_verified: bool,
}

impl Inspected {
    fn has(&self, unreliable: Unreliable) -> bool {
        let mut faults = self.faults.iter();
        faults.any(|fault| fault.unreliable() == unreliable)
    }

    /// The entry, if it can be relied on.
    pub fn relied_on(&self) -> Option<&Entry> {
        let entry = self.entry.as_ref();
        entry.filter(|_| !self.has(Unreliable::ThisEntry))
    }

    /// Whether the entry before cannot be relied on, because this reliable entry does not link to it.
    pub fn contradicts_the_one_before(&self) -> bool {
        self.relied_on().is_some() && self.has(Unreliable::EntryBefore)
    }

    /// The data that the next entry links to.
    pub fn link(&self) -> Option<Link> {
        Some(Link {
            sequence: self.sequence,
            sha256: self.sha256.clone(),
            committed_at: self.entry.as_ref()?.committed_at,
        })
    }
}

impl Link {
    /// None if the bytes are not an entry: then the next link cannot be checked.
    pub fn of(sequence: u64, bytes: &[u8]) -> Option<Self> {
        Some(Self {
            sequence,
            sha256: sha256_hex(bytes),
            committed_at: Entry::from_bytes(bytes).ok()?.committed_at,
        })
    }
}

/// Inspects the entries of one connection.
#[derive(Debug)]
pub struct Inspector<'a, O> {
    objects: &'a O,
    folder: &'a ConnectionFolder,
    trusted: &'a [PublicKey],
    only_trusted: bool,
    /// The keys stored next to the ledger, or why they cannot be used. They prove that a signature matches its entry,
    /// but not who signed.
    stored_keys: HashMap<String, Result<PublicKey, EntryFault>>,
}

impl<'a, O: Objects> Inspector<'a, O> {
    /// With `only_trusted`, any other key is a fault. Without it, other keys are read from the `keys/` folder.
    pub fn new(
        objects: &'a O,
        folder: &'a ConnectionFolder,
        trusted: &'a [PublicKey],
        only_trusted: bool,
    ) -> Self {
        Self {
            objects,
            folder,
            trusted,
            only_trusted,
            stored_keys: HashMap::new(),
        }
    }

    /// Inspects one entry, and its link to the entry before if that one can be read. `signed_before` is the number of
    /// an earlier entry that is signed.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn inspect(
        &mut self,
        sequence: u64,
        bytes: &[u8],
        before: Option<&Link>,
        signed_before: Option<u64>,
    ) -> Result<Inspected, StoreError> {
        let mut inspected = Inspected {
            sequence,
            sha256: sha256_hex(bytes),
            entry: None,
            folder: None,
            faults: Vec::new(),
            is_verified: false,
        };
        let entry = match Entry::from_bytes(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                inspected
                    .faults
                    .push(EntryFault::Unreadable(error.to_string()));
                return Ok(inspected);
            }
        };
        let faults = &mut inspected.faults;
        if entry.sequence != sequence {
            faults.push(EntryFault::OtherSequence(entry.sequence));
        }
        if ConnectionFolder::of(&entry.connection) != *self.folder {
            faults.push(EntryFault::OtherConnection);
        }
        match before.filter(|before| before.sequence + 1 == entry.sequence) {
            Some(before) => check_link(&entry, before, faults),
            None if entry.sequence == 1 && entry.previous_sha256 != FIRST_PREVIOUS => {
                faults.push(EntryFault::FirstHasPredecessor);
            }
            None => {}
        }
        inspected.folder = EntryFolder::of(&entry);
        match &inspected.folder {
            None => faults.push(EntryFault::NoFolder(entry.run.clone())),
            Some(EntryFolder::Run(run)) if !run.is_of_its_day() => {
                faults.push(EntryFault::OtherDay);
            }
            Some(EntryFolder::Run(_) | EntryFolder::Review(_)) => {}
        }
        let began = inspected.folder.as_ref().and_then(EntryFolder::instant);
        let late = began.filter(|began| *began > entry.committed_at);
        faults.extend(late.map(EntryFault::RunAfterCommit));
        match entry.is_signed() {
            true => self.check_signature(&mut inspected, &entry, bytes).await?,
            false => faults.extend(signed_before.map(EntryFault::Unsigned)),
        }
        inspected.entry = Some(entry);
        Ok(inspected)
    }

    async fn check_signature(
        &mut self,
        inspected: &mut Inspected,
        entry: &Entry,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let faults = &mut inspected.faults;
        let named = entry.key_sha256.clone();
        let trusted = self.trusted.iter().find(|key| key.sha256() == named);
        let key = match trusted {
            Some(key) => Ok(key.clone()),
            None if self.only_trusted => {
                faults.push(EntryFault::UnknownKey(named));
                return Ok(());
            }
            None => self.stored_key(&named).await?,
        };
        let key = key.map_err(|fault| faults.push(fault));
        let signature = self.folder.signature(&inspected.sha256);
        match (self.objects.object(&signature).await?, key) {
            (None, _) => faults.push(EntryFault::SignatureMissing),
            (Some(_), Err(())) => {}
            (Some(signature), Ok(key)) => {
                inspected.is_verified = key.verify(bytes, &signature);
                if !inspected.is_verified {
                    faults.push(EntryFault::BadSignature);
                }
            }
        }
        Ok(())
    }

    /// The key with this hash, from the `keys/` folder.
    pub(super) async fn stored_key(
        &mut self,
        sha256: &str,
    ) -> Result<Result<PublicKey, EntryFault>, StoreError> {
        if let Some(key) = self.stored_keys.get(sha256) {
            return Ok(key.clone());
        }
        let Some(name) = self.folder.public_key(sha256) else {
            return Ok(Err(EntryFault::NoKey));
        };
        let key = match self.objects.object(&name).await? {
            None => Err(EntryFault::KeyMissing(sha256.to_owned())),
            Some(text) => PublicKey::named(sha256, &text)
                .ok_or_else(|| EntryFault::KeyModified(sha256.to_owned())),
        };
        self.stored_keys.insert(sha256.to_owned(), key.clone());
        Ok(key)
    }
}

fn check_link(entry: &Entry, before: &Link, faults: &mut Vec<EntryFault>) {
    if entry.previous_sha256 != before.sha256 {
        let before = before.sequence;
        faults.push(EntryFault::BrokenLink { before });
    }
    if entry.committed_at < before.committed_at {
        faults.push(EntryFault::WentBack {
            at: entry.committed_at,
            before: before.sequence,
            before_at: before.committed_at,
        });
    }
}
