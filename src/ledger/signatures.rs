//! Signs entries. Each signature is written before its entry.

use super::{Ledger, LedgerError};
use crate::evidence::Entry;
use crate::store::StoreError;

impl Ledger {
    /// The `key_sha256` of this run's entries.
    pub(super) fn key_sha256(&self) -> &str {
        let key = self.key.as_ref();
        key.map_or(Entry::UNSIGNED, |key| key.public().sha256())
    }

    pub(super) fn signs(&self) -> bool {
        self.key.is_some()
    }

    /// Stores the public key next to the ledger, if it is not stored yet.
    pub(super) async fn publish_key(&self) -> Result<(), LedgerError> {
        let Some(key) = self.key.as_ref() else {
            return Ok(());
        };
        let public = key.public();
        let Some(name) = self.folder.public_key(public.sha256()) else {
            return Ok(());
        };
        match self.store.create(&name, public.to_pem()).await {
            // The copy is a convenience. A modified copy stops no run, because auditors get the key from elsewhere.
            Err(StoreError::Conflict { .. }) => {
                tracing::warn!(
                    key_sha256 = public.sha256(),
                    "The public key stored next to the ledger does not match its name"
                );
                Ok(())
            }
            other => Ok(other.map(drop)?),
        }
    }

    /// Signs an entry before it is created, if this run has a key.
    pub(super) async fn sign(&self, entry: &[u8], entry_sha256: &str) -> Result<(), LedgerError> {
        let Some(key) = self.key.as_ref() else {
            return Ok(());
        };
        let signature = key.sign(entry).await?;
        let name = self.folder.signature(entry_sha256);
        self.store.create(&name, signature).await?;
        Ok(())
    }
}
