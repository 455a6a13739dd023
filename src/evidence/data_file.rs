//! A file of a run, its record in the manifest, and its line in `SHA256SUMS`.

use std::io::BufWriter;

use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};

use super::entry::sha256_hex;
use super::{RunFile, csv, json};
use crate::model::RawFile;

/// A file of the run's folder, before it is stored.
#[derive(Clone, Debug)]
pub struct DataFile {
    pub file: RunFile,
    pub bytes: Vec<u8>,
    /// The number of records. None if the file does not consist of records.
    pub rows: Option<u64>,
}

/// A stored file, as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// The name, relative to the run's folder.
    pub name: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The number of records. None if the file does not consist of records.
    pub rows: Option<u64>,
}

impl DataFile {
    /// A file that does not consist of records.
    pub fn of(file: RunFile, bytes: Vec<u8>) -> Self {
        Self {
            file,
            bytes,
            rows: None,
        }
    }

    /// The file's record in the manifest.
    pub fn record(&self) -> FileRecord {
        FileRecord {
            name: self.file.name(),
            sha256: sha256_hex(&self.bytes),
            bytes: self.bytes.len() as u64,
            rows: self.rows,
        }
    }
}

/// The bytes of `SHA256SUMS`, in the form that `sha256sum -c` reads.
pub fn sums(files: &[FileRecord]) -> Vec<u8> {
    let mut files: Vec<&FileRecord> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let lines: String = files
        .iter()
        .map(|file| sums_line(&file.name, &file.sha256))
        .collect();
    lines.into_bytes()
}

/// A line of `SHA256SUMS`.
pub(super) fn sums_line(name: &str, sha256: &str) -> String {
    format!("{sha256}  {name}\n")
}

/// A file of `raw/`.
pub fn raw_file(raw: RawFile) -> DataFile {
    DataFile {
        file: RunFile::raw(raw.kind),
        bytes: raw.bytes,
        rows: Some(raw.rows),
    }
}

/// A gzip file with one record a line. Its header has no name and no time, so that the same records give the same
/// bytes.
pub(super) fn gzip_lines(file: RunFile, records: impl Iterator<Item = impl Serialize>) -> DataFile {
    let gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::new(3));
    // A serializer writes a few bytes at a time, which would be slow to compress.
    let mut out = BufWriter::with_capacity(64 << 10, gzip);
    let mut rows = 0;
    for record in records {
        json::line(&mut out, &record);
        rows += 1;
    }
    let bytes = out
        .into_inner()
        .map_err(|error| error.into_error())
        .and_then(|gzip| gzip.finish())
        .expect("writing to memory does not fail");
    DataFile {
        file,
        bytes,
        rows: Some(rows),
    }
}

/// A CSV file for people, with these columns.
pub(super) fn table(
    file: RunFile,
    columns: &str,
    records: impl Iterator<Item = impl Serialize>,
) -> DataFile {
    let (bytes, rows) = csv::table(&Vec::from_iter(columns.split(',')), records);
    DataFile {
        file,
        bytes,
        rows: Some(rows),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn sums_are_sorted_lines_that_sha256sum_reads() {
        let record = |name: &str, bytes: &[u8]| FileRecord {
            name: name.to_owned(),
            sha256: sha256_hex(bytes),
            bytes: bytes.len() as u64,
            rows: None,
        };
        let text = String::from_utf8(sums(&[record("b", b"b"), record("a/x", b"")])).expect("text");
        insta::assert_snapshot!(text, @"
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/x
        3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b
        ");
    }

    #[test]
    fn the_same_lines_give_the_same_gzip_bytes() {
        let make = || gzip_lines(RunFile::InputHr, ["a", "b"].into_iter());
        assert_eq!(make().bytes, make().bytes);
        assert_eq!(make().bytes[4..8], [0; 4], "no time in the header");
        let mut text = String::new();
        let gzip = make().bytes;
        flate2::read::GzDecoder::new(&*gzip)
            .read_to_string(&mut text)
            .expect("gzip");
        assert_eq!(text, "\"a\"\n\"b\"\n");
    }
}
