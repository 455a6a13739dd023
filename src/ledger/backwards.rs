//! The entries of a ledger from the last one backwards, each inspected with the one before it.

use super::inspect::{EntryFault, Inspected, Inspector, Link};
use super::{Ledger, LedgerError};
use crate::evidence::Entry;
use crate::store::Store;

/// A ledger is not read further back than this: a minute or so of reading.
pub(super) const FARTHEST: usize = 1000;

pub(super) struct Backwards<'a> {
    ledger: &'a Ledger,
    inspector: Inspector<'a, Store>,
    /// The numbers of all entries that were not read yet, ascending.
    sequences: &'a [u64],
    /// The next entry, if it was read together with the one after it; none: it is gone.
    ahead: Option<Option<Vec<u8>>>,
    /// Whether an unsigned entry is to be compared with all before it.
    looks_back: bool,
    /// Below which entry it is known which one is the last that is signed.
    lookback: Option<(u64, Option<u64>)>,
    /// Why the next entry cannot be relied on, whatever it is.
    denied: Option<String>,
}

/// An entry that was read.
pub(super) struct Looked {
    pub(super) bytes: Vec<u8>,
    pub(super) inspected: Inspected,
    /// Why the entry after it does not vouch for it.
    denied: Option<String>,
}

impl Looked {
    /// The entry, if nothing speaks against it.
    pub(super) fn relied_on(&self) -> Option<&Entry> {
        let entry = self.inspected.relied_on();
        entry.filter(|_| self.denied.is_none())
    }

    /// What is wrong with it, as sentences.
    pub(super) fn faults(&self) -> impl Iterator<Item = String> {
        let sequence = self.inspected.sequence;
        let faults = self.inspected.faults.iter();
        faults.map(move |fault| format!("entry {sequence}: {fault}"))
    }

    /// The entry.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] if something speaks against it.
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

    /// The entry before the last one that was looked at, by its number; without content if it is gone.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, Option<Looked>)>, LedgerError> {
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
        let looked = Looked {
            bytes,
            inspected,
            denied,
        };
        if looked.denied.is_none() && looked.inspected.denies_the_one_before() {
            self.denied = looked.faults().next();
        }
        Ok(Some((sequence, Some(looked))))
    }

    /// The last signed entry before this one. Somebody without the key may have added any number of
    /// unsigned ones.
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

    /// What is wrong with the public key of this run that lies beside the ledger.
    pub(super) async fn fault_of_own_key(&mut self) -> Result<Option<String>, LedgerError> {
        let sha256 = self.ledger.key_sha256();
        Ok(match self.inspector.beside(sha256).await? {
            Err(EntryFault::KeyMissing(_)) => Some(format!("public key {sha256} is missing")),
            Err(EntryFault::KeyModified(_)) => Some(format!("public key {sha256} was modified")),
            Ok(_) | Err(_) => None,
        })
    }
}
