//! Reads the files of an earlier run, for a later run that builds on it and for `verify`.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};

use super::data_file::sums_line;
use super::gzip::unpacked;
use super::layout::is_sha256;
use super::{AccountLine, RunFile};
use crate::judgement::Leaver;

/// The largest unpacked size of a file that the job writes, in bytes. The HR feed alone may have 64 MiB.
pub(crate) const MOST_BYTES: u64 = 1 << 30;

/// Calls `take` for each record of a packed file with one record a line.
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
/// If the bytes cannot be parsed.
pub fn account_lines(bytes: &[u8]) -> Result<Vec<AccountLine>, serde_json::Error> {
    lines(RunFile::AccountsJsonl, bytes)
}

/// The offboardings of a run, from its `leavers.jsonl.gz` and `concluded.jsonl.gz`.
///
/// # Errors
/// If the bytes cannot be parsed.
pub fn leavers(open: &[u8], concluded: &[u8]) -> Result<Vec<Leaver>, serde_json::Error> {
    let mut leavers = lines(RunFile::LeaversJsonl, open)?;
    each_line(RunFile::Concluded, concluded, |leaver| leavers.push(leaver))?;
    Ok(leavers)
}

/// The hash of each file that a `SHA256SUMS` lists. None if the bytes differ from those that this program writes: a
/// file that is listed twice, or in another form, would be ambiguous.
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
