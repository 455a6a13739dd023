//! The signatures of one ledger's entries.
//!
//! A key is trusted only where somebody pins it. Without a pinned key, signatures are held against the
//! public keys that lie beside the ledger: that shows an accident, and no forger.

use std::collections::HashMap;

use super::reader::Reader;
use super::{FaultKind, Verified};
use crate::evidence::{ConnectionFolder, Entry};
use crate::signing::PublicKey;
use crate::store::StoreError;

/// A key that lies beside the ledger, as an entry names it.
#[derive(Clone)]
enum Beside {
    Sound(PublicKey),
    /// It is gone: whether the signature is good, nobody can say here.
    Gone,
    /// The entry names no key, or the file is not the key that it is named after.
    Spoilt(&'static str),
}

pub(super) struct Signatures<'a> {
    store: &'a Reader<'a>,
    folder: &'a ConnectionFolder,
    pinned: &'a [PublicKey],
    /// Keys that lie beside the ledger, by the hash that entries name.
    beside: HashMap<String, Beside>,
    /// The first entry that was signed.
    first_signed: Option<u64>,
    /// Whether the last entry is signed by a pinned key.
    head_is_pinned: bool,
    /// Entries whose signature fits.
    pub(super) good: u64,
    /// Signed entries whose key is at hand nowhere.
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
            head_is_pinned: false,
            good: 0,
            unchecked: 0,
        }
    }

    /// Checks the signature of one entry: its bytes, their hash, and what they say.
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
        self.head_is_pinned = false;
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
            let text = format!("it names the key {key_sha256}, which is none of those given");
            verified.fault(FaultKind::UnknownKey, place, text);
            return Ok(());
        }
        let Some(signature) = self.store.read(&self.folder.signature(sha256)).await? else {
            let text = "it names a key, and its signature is gone";
            verified.fault(FaultKind::MissingSignature, place, text);
            return Ok(());
        };
        let key = match pinned {
            Some(pinned) => Beside::Sound(pinned.clone()),
            None => self.beside(key_sha256).await?,
        };
        let key = match key {
            Beside::Sound(key) => key,
            Beside::Gone => {
                self.unchecked += 1;
                return Ok(());
            }
            Beside::Spoilt(text) => {
                verified.fault(FaultKind::BadSignature, place, text);
                return Ok(());
            }
        };
        if key.verify(bytes, &signature) {
            self.good += 1;
            self.head_is_pinned = pinned.is_some();
        } else {
            let text = "its signature does not fit its bytes and the key it names";
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
            None => Beside::Spoilt("it names a key that is none"),
            Some(name) => match self.store.read(&name).await? {
                None => Beside::Gone,
                Some(text) => match PublicKey::named(key_sha256, &text) {
                    Some(key) => Beside::Sound(key),
                    None => Beside::Spoilt(
                        "the key that it names, and that lies beside the ledger, was modified",
                    ),
                },
            },
        };
        self.beside.insert(key_sha256.to_owned(), key.clone());
        Ok(key)
    }

    /// With keys that are pinned, the end of the chain must be signed by one of them: else the signed
    /// part could be cut off and go on unsigned.
    pub(super) fn check_head(&self, head: u64, place: &str, verified: &mut Verified) {
        if !self.pinned.is_empty() && head > 0 && !self.head_is_pinned {
            let text = "the last entry is not signed by a key that was given";
            verified.fault(FaultKind::MissingSignature, place, text);
        }
    }
}
