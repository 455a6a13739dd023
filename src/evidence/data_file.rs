//! A file of a run, its record in the manifest, and its line in `SHA256SUMS`.

use std::io::{self, BufWriter, Read as _, Write};

use flate2::bufread::MultiGzDecoder;
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

/// A file that is made, or only compared with a stored one.
pub(super) enum Content<'a> {
    Plain(DataFile),
    Lines(Lines<'a>),
}

/// Writes the lines, and returns their number.
type WriteLines<'a> = dyn FnOnce(&mut dyn Write) -> io::Result<u64> + 'a;

/// A gzip file with one record a line.
pub(super) struct Lines<'a> {
    file: RunFile,
    write: Box<WriteLines<'a>>,
}

/// A recomputed file, compared with the stored one.
#[derive(Debug)]
pub struct ComparedFile {
    pub file: RunFile,
    pub is_same: bool,
    /// The number of records. None if the file does not consist of records.
    pub rows: Option<u64>,
}

impl From<DataFile> for Content<'_> {
    fn from(file: DataFile) -> Self {
        Self::Plain(file)
    }
}

impl<'a> From<Lines<'a>> for Content<'a> {
    fn from(lines: Lines<'a>) -> Self {
        Self::Lines(lines)
    }
}

impl Content<'_> {
    pub(super) fn made(self) -> DataFile {
        match self {
            Self::Plain(file) => file,
            Self::Lines(lines) => lines.packed(),
        }
    }

    /// Compares the content. Another version may pack the same lines differently.
    pub(super) fn compared<'s>(
        self,
        stored: impl FnOnce(&RunFile) -> Option<&'s [u8]>,
    ) -> ComparedFile {
        match self {
            Self::Plain(DataFile { file, bytes, rows }) => ComparedFile {
                is_same: stored(&file) == Some(&bytes),
                file,
                rows,
            },
            Self::Lines(Lines { file, write }) => {
                let stored = stored(&file);
                let mut same = SameBytes::of(stored.unwrap_or_default());
                let rows = write(&mut same).expect("comparing does not fail");
                ComparedFile {
                    is_same: stored.is_some() && same.ends(),
                    file,
                    rows: Some(rows),
                }
            }
        }
    }
}

/// A gzip file of these records.
pub(super) fn lines<'a>(
    file: RunFile,
    records: impl Iterator<Item = impl Serialize> + 'a,
) -> Lines<'a> {
    let write = move |out: &mut dyn Write| {
        // A serializer writes a few bytes at a time, which would be slow to compress.
        let mut out = BufWriter::with_capacity(64 << 10, out);
        let mut rows = 0;
        for record in records {
            json::line(&mut out, &record);
            rows += 1;
        }
        out.flush()?;
        Ok(rows)
    };
    Lines {
        file,
        write: Box::new(write),
    }
}

impl Lines<'_> {
    /// The file. Its header has no name and no time, so that the same records give the same bytes.
    pub(super) fn packed(self) -> DataFile {
        let mut gzip = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::new(3));
        let written = (self.write)(&mut gzip).and_then(|rows| Ok((gzip.finish()?, rows)));
        let (bytes, rows) = written.expect("writing to memory does not fail");
        DataFile {
            file: self.file,
            bytes,
            rows: Some(rows),
        }
    }
}

/// Compares what is written with the content of a gzip file. Unpacking is faster than packing, and only the last write
/// is in memory.
struct SameBytes<'s> {
    stored: MultiGzDecoder<&'s [u8]>,
    read: Vec<u8>,
    is_same: bool,
}

impl<'s> SameBytes<'s> {
    fn of(gzip: &'s [u8]) -> Self {
        Self {
            stored: MultiGzDecoder::new(gzip),
            read: Vec::new(),
            is_same: true,
        }
    }

    /// Whether all bytes were equal and no more are stored.
    fn ends(mut self) -> bool {
        self.is_same && matches!(self.stored.read(&mut [0]), Ok(0))
    }
}

impl Write for SameBytes<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_same {
            self.read.resize(bytes.len(), 0);
            self.is_same = self.stored.read_exact(&mut self.read).is_ok() && self.read == bytes;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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

    fn two_lines() -> Lines<'static> {
        lines(RunFile::InputHr, ["a", "b"].into_iter())
    }

    #[test]
    fn the_same_lines_give_the_same_gzip_bytes() {
        let make = || two_lines().packed();
        assert_eq!(make().bytes, make().bytes);
        assert_eq!(make().bytes[4..8], [0; 4], "no time in the header");
        let mut text = String::new();
        let gzip = make().bytes;
        flate2::read::GzDecoder::new(&*gzip)
            .read_to_string(&mut text)
            .expect("gzip");
        assert_eq!(text, "\"a\"\n\"b\"\n");
    }

    #[test]
    fn lines_are_compared_by_content_and_to_the_last_byte() {
        let packed = |content: &[u8], level| {
            let mut gzip = GzBuilder::new().write(Vec::new(), Compression::new(level));
            gzip.write_all(content).expect("gzip");
            gzip.finish().expect("gzip")
        };
        let is_same = |stored: Option<&[u8]>| {
            let compared = Content::from(two_lines()).compared(|_| stored);
            assert_eq!(compared.rows, Some(2));
            compared.is_same
        };
        let content = b"\"a\"\n\"b\"\n";
        let whole = packed(content, 9);
        assert!(is_same(Some(&whole)));
        assert!(is_same(Some(&two_lines().packed().bytes)));
        let members = [packed(&content[..5], 0), packed(&content[5..], 1)].concat();
        assert!(is_same(Some(&members)));
        assert!(!is_same(None));
        assert!(!is_same(Some(b"")));
        assert!(!is_same(Some(content)));
        assert!(!is_same(Some(&whole[..whole.len() - 1])), "cut");
        assert!(!is_same(Some(&[&whole[..], b"x"].concat())), "more");
        assert!(!is_same(Some(&packed(&content[..7], 3))), "shorter");
        assert!(!is_same(Some(&packed(b"\"a\"\n\"c\"\n", 3))), "other");
        let longer = [&content[..], b"\n"].concat();
        assert!(!is_same(Some(&packed(&longer, 3))), "longer");
    }
}
