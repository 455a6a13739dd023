//! Reading back what an earlier run wrote, for the run that builds on it and for `verify`.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};

use super::data_file::sums_line;
use super::gzip::unpacked;
use super::layout::is_sha256;
use super::{AccountLine, RunFile};

/// The job writes no file that unpacks to more, in bytes: the HR feed alone may have 64 MiB.
pub(crate) const MOST_BYTES: u64 = 1 << 30;

/// Hands on the records of a packed file with one a line.
pub(super) fn each_line<T: DeserializeOwned>(
    file: RunFile,
    bytes: &[u8],
    mut take: impl FnMut(T),
) -> Result<(), serde_json::Error> {
    let unpacked = unpacked(bytes, MOST_BYTES)
        .ok_or_else(|| serde_json::Error::custom(format!("{} cannot be unpacked", file.name())))?;
    let lines = unpacked.split(|byte| *byte == b'\n');
    for line in lines.filter(|line| !line.is_empty()) {
        take(serde_json::from_slice(line)?);
    }
    Ok(())
}

pub(super) fn lines<T: DeserializeOwned>(
    file: RunFile,
    bytes: &[u8],
) -> Result<Vec<T>, serde_json::Error> {
    let mut records = Vec::new();
    each_line(file, bytes, |record| records.push(record))?;
    Ok(records)
}

/// The accounts of a run, from its `accounts.jsonl.gz`.
///
/// # Errors
/// If the bytes are not those of such a file.
pub fn account_lines(bytes: &[u8]) -> Result<Vec<AccountLine>, serde_json::Error> {
    lines(RunFile::AccountsJsonl, bytes)
}

/// The hash of each file that a `SHA256SUMS` lists, or none where these are not exactly the bytes we would
/// write: what is listed twice, or in another form, can be read two ways.
pub fn sums_of(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let sums: BTreeMap<String, String> = text
        .lines()
        .map(|line| {
            let (sha256, name) = line.split_once("  ")?;
            let is_odd = |c: char| c.is_ascii_control() || c == '\\';
            let is_name = !name.is_empty() && !name.contains(is_odd);
            (is_sha256(sha256) && is_name).then(|| (name.to_owned(), sha256.to_owned()))
        })
        .collect::<Option<_>>()?;
    let written: String = sums
        .iter()
        .map(|(name, sha256)| sums_line(name, sha256))
        .collect();
    (written == text).then_some(sums)
}
