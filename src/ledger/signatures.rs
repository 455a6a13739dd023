//! Signatures: each is written before its entry.

use super::{Ledger, LedgerError};
use crate::evidence::Entry;
use crate::store::StoreError;

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
}
