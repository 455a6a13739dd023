//! The signatures of one ledger's entries.
//!
//! A key is trusted only if it was given. If none was, signatures are checked with the public keys that lie
//! beside the ledger: that detects accidents, and no forgery.

use std::collections::HashMap;

use super::reader::Reader;
use super::{FaultKind, Verified};
use crate::evidence::{ConnectionFolder, Entry};
use crate::signing::PublicKey;
use crate::store::StoreError;

/// A key that lies beside the ledger, as an entry names it.
#[derive(Clone)]
enum Beside {
    Usable(PublicKey),
    /// It is gone: the signature cannot be checked here.
    Gone,
    /// The entry names no key, or the file is not the key that it is named after.
    Unusable(&'static str),
}

pub(super) struct Signatures<'a> {
    store: &'a Reader<'a>,
    folder: &'a ConnectionFolder,
    pinned: &'a [PublicKey],
    /// Keys that lie beside the ledger, by the hash that entries name.
    beside: HashMap<String, Beside>,
    /// The first entry that was signed.
    first_signed: Option<u64>,
    /// Entries with a good signature.
    pub(super) good: u64,
    /// Signed entries whose key is not available.
    pub(super) unchecked: u64,
}

impl<'a> Signatures<'a> {
    pub(super) fn new(
        store: &'a Reader<'a>,
        folder: &'a ConnectionFolder,
        pinned: &'a [PublicKey],
    ) -> Self {
        Self {
            store,
            folder,
            pinned,
            beside: HashMap::new(),
            first_signed: None,
            good: 0,
            unchecked: 0,
        }
    }

    /// Checks the signature of one entry: its bytes, their hash, and their content.
    pub(super) async fn check(
        &mut self,
        sequence: u64,
        bytes: &[u8],
        sha256: &str,
        entry: &Entry,
        place: &str,
        verified: &mut Verified,
    ) -> Result<(), StoreError> {
        let key_sha256 = entry.key_sha256.as_str();
        if !entry.is_signed() {
            if let Some(first) = self.first_signed {
                let text = format!("it is not signed, and entry {first} before it is");
                verified.fault(FaultKind::MissingSignature, place, text);
            }
            return Ok(());
        }
        self.first_signed.get_or_insert(sequence);
        let pinned = self.pinned.iter().find(|key| key.sha256() == key_sha256);
        if pinned.is_none() && !self.pinned.is_empty() {
            let text = format!("it is signed with the key {key_sha256}, which was not given");
            verified.fault(FaultKind::UnknownKey, place, text);
            return Ok(());
        }
        let Some(signature) = self.store.read(&self.folder.signature(sha256)).await? else {
            let text = "it names a key, and the signature is gone";
            verified.fault(FaultKind::MissingSignature, place, text);
            return Ok(());
        };
        let key = match pinned {
            Some(pinned) => Beside::Usable(pinned.clone()),
            None => self.beside(key_sha256).await?,
        };
        let key = match key {
            Beside::Usable(key) => key,
            Beside::Gone => {
                self.unchecked += 1;
                return Ok(());
            }
            Beside::Unusable(text) => {
                verified.fault(FaultKind::BadSignature, place, text);
                return Ok(());
            }
        };
        if key.verify(bytes, &signature) {
            self.good += 1;
        } else {
            let text = "its signature does not match its bytes and the key that it names";
            verified.fault(FaultKind::BadSignature, place, text);
        }
        Ok(())
    }

    /// The key of this hash that lies beside the ledger.
    async fn beside(&mut self, key_sha256: &str) -> Result<Beside, StoreError> {
        if let Some(known) = self.beside.get(key_sha256) {
            return Ok(known.clone());
        }
        let key = match self.folder.public_key(key_sha256) {
            None => Beside::Unusable("the name of its key is not a SHA-256"),
            Some(name) => match self.store.read(&name).await? {
                None => Beside::Gone,
                Some(text) => match PublicKey::named(key_sha256, &text) {
                    Some(key) => Beside::Usable(key),
                    None => Beside::Unusable(
                        "the key that it names lies beside the ledger and was modified",
                    ),
                },
            },
        };
        self.beside.insert(key_sha256.to_owned(), key.clone());
        Ok(key)
    }

    /// If keys were given, entries must be signed. Every entry after the first signed one was checked on its own.
    pub(super) fn check_head(&self, head: u64, place: &str, verified: &mut Verified) {
        if !self.pinned.is_empty() && head > 0 && self.first_signed.is_none() {
            let text = "keys were given, and no entry is signed";
            verified.fault(FaultKind::MissingSignature, place, text);
        }
    }
}
