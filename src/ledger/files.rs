//! Reading the files of a committed folder, each compared with the hash that its entry vouches for.

use super::{Ledger, LedgerError};
use crate::evidence::{Entry, RunFile, sha256_hex, sums_of};

/// Why a committed folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderFault {
    #[error("`{0}` is not the name of a folder that evidence has")]
    NoFolder(String),
    #[error("{0} is missing")]
    Missing(String),
    #[error("{0} was modified")]
    Modified(String),
    #[error("SHA256SUMS cannot be read")]
    NoSums,
    #[error("SHA256SUMS names another manifest")]
    OtherManifest,
    #[error("SHA256SUMS lacks {0}")]
    NotListed(String),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Which files of a folder are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    All,
    /// Some of an old folder may be deleted by a rule of the bucket.
    Wanted,
}

impl Ledger {
    /// The `wanted` files of a committed folder, after every file of it was compared with its hash, and the
    /// hashes with the entry.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] if one is missing or was modified.
    pub async fn committed_files<const N: usize>(
        &self,
        entry: &Entry,
        wanted: [&str; N],
    ) -> Result<[Vec<u8>; N], LedgerError> {
        self.array_of(entry, wanted, Extent::All).await
    }

    /// The same without reading the other files.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] if one of the wanted files is missing or was modified.
    pub async fn committed_files_alone<const N: usize>(
        &self,
        entry: &Entry,
        wanted: [&str; N],
    ) -> Result<[Vec<u8>; N], LedgerError> {
        self.array_of(entry, wanted, Extent::Wanted).await
    }

    async fn array_of<const N: usize>(
        &self,
        entry: &Entry,
        wanted: [&str; N],
        extent: Extent,
    ) -> Result<[Vec<u8>; N], LedgerError> {
        let files = self.files_of(entry, &wanted, extent).await;
        let files = files.map_err(|fault| match fault {
            FolderFault::Ledger(error) => error,
            fault => LedgerError::Fault(format!("entry {}: {fault}", entry.sequence)),
        })?;
        Ok(<[Vec<u8>; N]>::try_from(files).expect("as many as are wanted"))
    }

    /// The files in the order in which they are wanted.
    pub(super) async fn files_of(
        &self,
        entry: &Entry,
        wanted: &[&str],
        extent: Extent,
    ) -> Result<Vec<Vec<u8>>, FolderFault> {
        let read = async |file: &str, sha256: &str| {
            let name = self.folder.committed_file(&entry.run, file);
            let name = name.ok_or_else(|| FolderFault::NoFolder(entry.run.clone()))?;
            let bytes = self.store.read(&name).await.map_err(LedgerError::from)?;
            let bytes = bytes.ok_or_else(|| FolderFault::Missing(file.to_owned()))?;
            match sha256_hex(&bytes) == sha256 {
                true => Ok(bytes),
                false => Err(FolderFault::Modified(file.to_owned())),
            }
        };
        let bytes = read(&RunFile::Sums.name(), &entry.sums_sha256).await?;
        let sums = sums_of(&bytes).ok_or(FolderFault::NoSums)?;
        if sums.get(&RunFile::Manifest.name()) != Some(&entry.manifest_sha256) {
            return Err(FolderFault::OtherManifest);
        }
        if let Some(file) = wanted.iter().find(|file| !sums.contains_key(**file)) {
            return Err(FolderFault::NotListed((*file).to_owned()));
        }
        let mut found = vec![Vec::new(); wanted.len()];
        for (file, sha256) in &sums {
            let at = wanted.iter().position(|wanted| wanted == file);
            if at.is_none() && extent == Extent::Wanted {
                continue;
            }
            let bytes = read(file, sha256).await?;
            if let Some(at) = at {
                found[at] = bytes;
            }
        }
        Ok(found)
    }
}
