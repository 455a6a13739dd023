//! Reads the files of an earlier run, for a later run that builds on it and for `verify`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};

use flate2::read::MultiGzDecoder;
use serde::de::{DeserializeOwned, Error as _};

use super::data_file::sums_line;
use super::layout::is_sha256;
use super::{AccountLine, RunFile};
use crate::judgement::Leaver;

/// The largest unpacked size of a file that the job writes, in bytes. The HR feed alone may have 64 MiB.
pub(crate) const MOST_BYTES: u64 = 1 << 30;

/// Calls `take` for each record of a packed file with one record a line. It unpacks line by line: all lines of 50,000
/// old leavers take 40 MiB.
pub(super) fn each_line<T: DeserializeOwned>(
    file: RunFile,
    bytes: &[u8],
    mut take: impl FnMut(T),
) -> Result<(), serde_json::Error> {
    let packed = || serde_json::Error::custom(format!("{} cannot be unpacked", file.name()));
    let unpacked = MultiGzDecoder::new(bytes).take(MOST_BYTES + 1);
    let mut unpacked = BufReader::with_capacity(64 << 10, unpacked);
    let (mut line, mut read) = (Vec::new(), 0);
    loop {
        line.clear();
        read += unpacked
            .read_until(b'\n', &mut line)
            .map_err(|_| packed())? as u64;
        let record = line.trim_ascii_end();
        if read > MOST_BYTES {
            return Err(packed());
        } else if !record.is_empty() {
            take(serde_json::from_slice(record)?);
        } else if line.is_empty() {
            return Ok(());
        }
    }
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

/// The offboardings of a run, from its `leavers.jsonl.gz` or `concluded.jsonl.gz`.
///
/// # Errors
/// If the bytes cannot be parsed.
pub fn leaver_lines(file: RunFile, bytes: &[u8]) -> Result<Vec<Leaver>, serde_json::Error> {
    lines(file, bytes)
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
