//! Reads the files of a committed folder, and compares each with its hash.

use super::{Ledger, LedgerError};
use crate::evidence::{ConnectionFolder, Entry, RunFile, sha256_hex, sums_of};
use crate::model::quoted;
use crate::store::{Store, StoreError};

/// Why a committed folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderFault {
    #[error("{0} is missing")]
    Missing(String),
    #[error("{0}")]
    Other(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which files of a folder to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    All,
    /// Only the wanted files: a lifecycle rule of the bucket may have deleted other files of an old folder.
    Wanted,
}

impl Ledger {
    /// The `wanted` files of a committed folder. The files are compared with their hashes in `SHA256SUMS`, and that
    /// file with its hash in the entry.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] if one of the files to read is missing or modified.
    pub async fn committed_files<const N: usize>(
        &self,
        entry: &Entry,
        wanted: [&str; N],
        extent: Extent,
    ) -> Result<[Vec<u8>; N], LedgerError> {
        let files = committed_files(&self.store, &self.folder, entry, &wanted, extent).await;
        let files = files.map_err(|fault| match fault {
            FolderFault::Store(error) => LedgerError::Store(error),
            fault => LedgerError::Fault(format!("entry {}: {fault}", entry.sequence)),
        })?;
        Ok(<[Vec<u8>; N]>::try_from(files).expect("one file for each wanted name"))
    }
}

/// The `wanted` files of a committed folder, in the order of `wanted`.
///
/// # Errors
/// If one of the files to read is missing or modified, or if the store fails.
pub async fn committed_files(
    store: &Store,
    folder: &ConnectionFolder,
    entry: &Entry,
    wanted: &[&str],
    extent: Extent,
) -> Result<Vec<Vec<u8>>, FolderFault> {
    let fault = |text: &str| FolderFault::Other(text.to_owned());
    let read = async |file: &str, sha256: &str| {
        let name = folder.committed_file(&entry.run, file).ok_or_else(|| {
            let text = "is not the name of a folder of evidence";
            fault(&format!("{} {text}", quoted(&entry.run)))
        })?;
        let bytes = store.read(&name).await?;
        let bytes = bytes.ok_or_else(|| FolderFault::Missing(file.to_owned()))?;
        match sha256_hex(&bytes) == sha256 {
            true => Ok(bytes),
            false => Err(fault(&format!("{file} was modified"))),
        }
    };
    let bytes = read(&RunFile::Sums.name(), &entry.sums_sha256).await?;
    let sums = sums_of(&bytes).ok_or_else(|| fault("SHA256SUMS cannot be read"))?;
    if sums.get(&RunFile::Manifest.name()) != Some(&entry.manifest_sha256) {
        return Err(fault(
            "SHA256SUMS has another hash for the manifest than the entry",
        ));
    }
    if let Some(file) = wanted.iter().find(|file| !sums.contains_key(**file)) {
        return Err(fault(&format!("SHA256SUMS does not list {file}")));
    }
    let mut contents = vec![Vec::new(); wanted.len()];
    for (file, sha256) in &sums {
        let at = wanted.iter().position(|wanted| wanted == file);
        if at.is_none() && extent == Extent::Wanted {
            continue;
        }
        let bytes = read(file, sha256).await?;
        if let Some(at) = at {
            contents[at] = bytes;
        }
    }
    Ok(contents)
}
