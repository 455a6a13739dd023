//! Reads the entries of a ledger backwards from the last one, and inspects each with its predecessor.

use super::inspect::{EntryFault, Inspected, Inspector, Link};
use super::{Ledger, LedgerError};
use crate::evidence::Entry;
use crate::store::Store;

/// A run reads at most this many entries, which takes about a minute.
pub(super) const FARTHEST: usize = 1000;

pub(super) struct Backwards<'a> {
    ledger: &'a Ledger,
    inspector: Inspector<'a, Store>,
    /// The numbers of the entries that were not read yet, ascending.
    sequences: &'a [u64],
    /// The next entry, if it was already read to check a link. The inner value is `None` if the entry is missing.
    ahead: Option<Option<Vec<u8>>>,
    /// Whether to look for an earlier signed entry if an entry is unsigned.
    looks_back: bool,
    /// A cached search: below this entry, the last signed entry has that number, if one is signed.
    lookback: Option<(u64, Option<u64>)>,
    /// Why the next entry cannot be relied on, whatever its content: the entry after it does not link to it.
    denied: Option<String>,
}

/// An entry that was read and inspected.
pub(super) struct ReadEntry {
    pub(super) bytes: Vec<u8>,
    pub(super) inspected: Inspected,
    /// How the entry after it contradicts it.
    denied: Option<String>,
}

impl ReadEntry {
    /// The entry, if it can be relied on.
    pub(super) fn relied_on(&self) -> Option<&Entry> {
        let entry = self.inspected.relied_on();
        entry.filter(|_| self.denied.is_none())
    }

    /// The faults of the entry, as sentences.
    pub(super) fn faults(&self) -> impl Iterator<Item = String> {
        let sequence = self.inspected.sequence;
        let faults = self.inspected.faults.iter();
        faults.map(move |fault| format!("entry {sequence}: {fault}"))
    }

    /// The entry.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] if it cannot be relied on.
    pub(super) fn ensure_relied_on(&self) -> Result<&Entry, LedgerError> {
        self.relied_on().ok_or_else(|| {
            let faults: Vec<String> = self.denied.iter().cloned().chain(self.faults()).collect();
            LedgerError::Fault(faults.join("; "))
        })
    }
}

impl<'a> Backwards<'a> {
    pub(super) fn new(ledger: &'a Ledger, sequences: &'a [u64], looks_back: bool) -> Self {
        let key = ledger.key.as_ref();
        let trusted = key.map_or(&[][..], |key| std::slice::from_ref(key.public()));
        Self {
            ledger,
            inspector: Inspector::new(&ledger.store, &ledger.folder, trusted, false),
            sequences,
            ahead: None,
            looks_back,
            lookback: None,
            denied: None,
        }
    }

    async fn read(&self, sequence: u64) -> Result<Option<Vec<u8>>, LedgerError> {
        let name = self.ledger.folder.entry(sequence);
        Ok(self.ledger.store.read(&name).await?)
    }

    /// The number and the content of the next entry backwards. The content is `None` if the entry is missing.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, Option<ReadEntry>)>, LedgerError> {
        let Some((&sequence, earlier)) = self.sequences.split_last() else {
            return Ok(None);
        };
        self.sequences = earlier;
        let bytes = match self.ahead.take() {
            Some(bytes) => bytes,
            None => self.read(sequence).await?,
        };
        let mut before = None;
        if let Some(&earlier) = earlier.last() {
            let bytes = self.read(earlier).await?;
            before = bytes.as_deref().and_then(|bytes| Link::of(earlier, bytes));
            self.ahead = Some(bytes);
        }
        let Some(bytes) = bytes else {
            self.denied = None;
            return Ok(Some((sequence, None)));
        };
        let is_unsigned = || Entry::from_bytes(&bytes).is_ok_and(|entry| !entry.is_signed());
        let signed_before = match self.looks_back && is_unsigned() {
            true => self.signed_before(sequence).await?,
            false => None,
        };
        let inspected = self
            .inspector
            .inspect(sequence, &bytes, before.as_ref(), signed_before)
            .await?;
        let denied = self.denied.take();
        let read = ReadEntry {
            bytes,
            inspected,
            denied,
        };
        if read.denied.is_none() && read.inspected.contradicts_the_one_before() {
            self.denied = read.faults().next();
        }
        Ok(Some((sequence, Some(read))))
    }

    /// The last signed entry before this one. An attacker without the key may have added any number of unsigned entries
    /// after it.
    async fn signed_before(&mut self, sequence: u64) -> Result<Option<u64>, LedgerError> {
        if let Some((below, signed)) = self.lookback
            && sequence <= below
            && signed.is_none_or(|signed| signed < sequence)
        {
            return Ok(signed);
        }
        let mut signed = None;
        for earlier in self.sequences.iter().rev().take(FARTHEST) {
            let bytes = self.read(*earlier).await?.unwrap_or_default();
            if Entry::from_bytes(&bytes).is_ok_and(|entry| entry.is_signed()) {
                signed = Some(*earlier);
                break;
            }
        }
        self.lookback = Some((sequence, signed));
        Ok(signed)
    }

    /// The fault of the stored copy of this run's public key.
    pub(super) async fn fault_of_own_key(&mut self) -> Result<Option<String>, LedgerError> {
        let sha256 = self.ledger.key_sha256();
        Ok(match self.inspector.stored_key(sha256).await? {
            Err(EntryFault::KeyMissing(_)) => Some(format!("public key {sha256} is missing")),
            Err(EntryFault::KeyModified(_)) => Some(format!("public key {sha256} was modified")),
            Ok(_) | Err(_) => None,
        })
    }
}
