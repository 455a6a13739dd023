//! Signatures: each is written before its entry, and read before its entry is believed.

use std::collections::BTreeMap;

use super::{Ledger, LedgerError};
use crate::evidence::{Entry, sha256_hex};
use crate::signing::PublicKey;
use crate::store::StoreError;

/// The public keys that lie beside the ledger, each read once. They prove that entries and signatures
/// fit, and not whose they are: that takes a key from elsewhere, which `verify` is given.
#[derive(Debug, Default)]
pub(super) struct Keys {
    read: BTreeMap<String, KeyFile>,
}

#[derive(Clone, Debug)]
enum KeyFile {
    Sound(PublicKey),
    Missing,
    Modified,
}

/// What is wrong with an entry's signature.
#[derive(Debug, Default)]
pub(super) struct SignatureFaults {
    /// Each, in words.
    pub(super) faults: Vec<String>,
    /// Whether the entry is to be believed all the same.
    pub(super) is_believed: bool,
}

impl Ledger {
    /// What this run's entries name as their key.
    pub(super) fn key_sha256(&self) -> &str {
        let key = self.key.as_ref();
        key.map_or(Entry::UNSIGNED, |key| key.public().sha256())
    }

    pub(super) fn signs(&self) -> bool {
        self.key.is_some()
    }

    /// Lays the public key beside the ledger, where it is not there yet.
    pub(super) async fn publish_key(&self) -> Result<(), LedgerError> {
        let Some(key) = self.key.as_ref() else {
            return Ok(());
        };
        let public = key.public();
        let Some(name) = self.folder.public_key(public.sha256()) else {
            return Ok(());
        };
        match self.store.create(&name, public.to_pem()).await {
            // A convenience that somebody spoilt stops no run: whoever checks has the key from elsewhere.
            Err(StoreError::Conflict { .. }) => {
                tracing::warn!(
                    key_sha256 = public.sha256(),
                    "The public key beside the ledger is not the one it is named after"
                );
                Ok(())
            }
            other => Ok(other.map(drop)?),
        }
    }

    /// Signs an entry that is about to be created, where this run has a key.
    pub(super) async fn sign(&self, entry: &[u8], entry_sha256: &str) -> Result<(), LedgerError> {
        let Some(key) = self.key.as_ref() else {
            return Ok(());
        };
        let signature = key.sign(entry).await?;
        let name = self.folder.signature(entry_sha256);
        self.store.create(&name, signature).await?;
        Ok(())
    }

    /// Whether the signature of a signed entry is there, and fits it and the key it names.
    pub(super) async fn check_signature(
        &self,
        keys: &mut Keys,
        entry: &Entry,
        bytes: &[u8],
    ) -> Result<SignatureFaults, LedgerError> {
        let sequence = entry.sequence;
        let mut faults = Vec::new();
        let key_sha256 = &entry.key_sha256;
        let file = match self.folder.public_key(key_sha256) {
            Some(name) => self.key_file(keys, key_sha256, &name).await?,
            None => {
                faults.push(format!("entry {sequence} names a key that is none"));
                return Ok(SignatureFaults::not_believed(faults));
            }
        };
        let own = self.key.as_ref();
        let own = own.filter(|own| own.public().sha256() == key_sha256);
        let key = match (file, own) {
            (KeyFile::Sound(key), _) => Some(key),
            (KeyFile::Missing, own) => {
                faults.push(format!("public key {key_sha256} is missing"));
                own.map(|own| own.public().clone())
            }
            (KeyFile::Modified, own) => {
                faults.push(format!("public key {key_sha256} was modified"));
                own.map(|own| own.public().clone())
            }
        };
        let signature = self.folder.signature(&sha256_hex(bytes));
        let Some(signature) = self.store.read(&signature).await? else {
            faults.push(format!("the signature of entry {sequence} is missing"));
            return Ok(SignatureFaults::not_believed(faults));
        };
        let Some(key) = key else {
            return Ok(SignatureFaults::not_believed(faults));
        };
        let is_believed = key.verify(bytes, &signature);
        if !is_believed {
            faults.push(format!("the signature of entry {sequence} does not verify"));
        }
        Ok(SignatureFaults {
            faults,
            is_believed,
        })
    }

    async fn key_file(
        &self,
        keys: &mut Keys,
        key_sha256: &str,
        name: &str,
    ) -> Result<KeyFile, LedgerError> {
        if let Some(file) = keys.read.get(key_sha256) {
            return Ok(file.clone());
        }
        let file = match self.store.read(name).await? {
            None => KeyFile::Missing,
            Some(text) => match PublicKey::named(key_sha256, &text) {
                Some(key) => KeyFile::Sound(key),
                None => KeyFile::Modified,
            },
        };
        keys.read.insert(key_sha256.to_owned(), file.clone());
        Ok(file)
    }
}

impl SignatureFaults {
    fn not_believed(faults: Vec<String>) -> Self {
        Self {
            faults,
            is_believed: false,
        }
    }
}
