//! Writes the files of a pack, all or none.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::ReportError;
use crate::evidence::{FileRecord, sha256_hex, sums};
use crate::pack::{self, Pack, RedactionKey};

/// The independent verifier, as in the documentation.
const VERIFY: &str = include_str!("../../../docs/verify.sh");

/// Draws the sample again.
const REDO_SAMPLE: &str = include_str!("redo-sample.sh");

/// `verification.txt` has the time of making, so `SHA256SUMS` does not list it. It names the hash of `SHA256SUMS`.
const VERIFICATION: &str = "verification.txt";

const SUMS: &str = "SHA256SUMS";

/// The files of a pack, by name.
#[derive(Debug, Default)]
pub(super) struct PackFiles(BTreeMap<String, Vec<u8>>);

impl PackFiles {
    pub(super) fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(name.into(), bytes.into());
    }

    /// The files that print the pack.
    pub(super) fn add_pack(&mut self, pack: &Pack) -> Result<(), ReportError> {
        self.add("audit-pack.xlsx", pack::spreadsheet(pack)?);
        self.add("index.html", pack::index(pack));
        for leaver in &pack.sample {
            if let Some(sheet) = pack::sheet(pack, leaver) {
                self.add(format!("samples/{}/sheet.html", leaver.folder), sheet);
            }
        }
        for table in &pack.tables {
            self.add(format!("csv/{}.csv", table.name), table.to_csv());
        }
        self.add("pack.json", pack.to_json());
        self.add("tools/verify.sh", VERIFY);
        self.add("tools/redo-sample.sh", REDO_SAMPLE);
        Ok(())
    }

    fn sums(&self) -> Vec<u8> {
        let records = self.0.iter().map(|(name, bytes)| FileRecord {
            name: name.clone(),
            sha256: sha256_hex(bytes),
            bytes: bytes.len() as u64,
            rows: None,
        });
        sums(&Vec::from_iter(records))
    }

    /// Writes everything into a new folder next to `out`, and then gives it the name. Returns the SHA-256 of
    /// `SHA256SUMS`.
    pub(super) fn write(self, out: &Path, verification: String) -> Result<String, ReportError> {
        let sums = self.sums();
        let sums_sha256 = sha256_hex(&sums);
        let verification = format!("{verification}SHA256SUMS: {sums_sha256}\n");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ReportError::Write { path, source }
        };
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let made = tempfile::Builder::new()
            .prefix(".audit-pack-")
            .tempdir_in(parent);
        let made = made.map_err(failed(parent))?;
        let more = [
            (SUMS.to_owned(), sums),
            (VERIFICATION.to_owned(), verification.into_bytes()),
        ];
        for (name, bytes) in self.0.into_iter().chain(more) {
            let path = made.path().join(&name);
            let folder = path.parent().unwrap_or(made.path());
            fs::create_dir_all(folder).map_err(failed(folder))?;
            fs::write(&path, bytes).map_err(failed(&path))?;
        }
        ensure_empty(out)?;
        // An empty folder of this name is replaced.
        fs::rename(made.path(), out).map_err(failed(out))?;
        // The folder has another name now, so there is nothing to delete.
        let _ = made.keep();
        Ok(sums_sha256)
    }
}

/// Refuses a folder that is not empty.
pub(super) fn ensure_empty(out: &Path) -> Result<(), ReportError> {
    match fs::read_dir(out) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(ReportError::NotEmpty(out.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(ReportError::NotAFolder(out.to_owned()))
        }
        Err(source) => Err(ReportError::Write {
            path: out.to_owned(),
            source,
        }),
    }
}

/// Refuses a folder inside of the evidence: `verify` would report its files as faults.
pub(super) fn ensure_outside(out: &Path, evidence: &Path) -> Result<(), ReportError> {
    let Ok(evidence) = fs::canonicalize(evidence) else {
        return Ok(());
    };
    let out_path = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    // Links count in the part of the path that exists.
    let mut existing = out_path
        .ancestors()
        .filter_map(|of| fs::canonicalize(of).ok());
    match existing.next().is_some_and(|of| of.starts_with(&evidence)) {
        true => Err(ReportError::WithinEvidence(out.to_owned())),
        false => Ok(()),
    }
}

/// The key of the pseudonyms, from the file next to the pack. The first pack creates it, so that the same evidence
/// gives the same pseudonyms later.
pub(super) fn redaction_key(out: &Path) -> Result<(RedactionKey, PathBuf), ReportError> {
    let mut name = out.as_os_str().to_owned();
    name.push(".key");
    let path = PathBuf::from(name);
    let wrong = |reason: String| ReportError::Key {
        path: path.clone(),
        reason,
    };
    let mut bytes = [0; RedactionKey::BYTES];
    match fs::read_to_string(&path) {
        Ok(text) => {
            const_hex::decode_to_slice(text.trim(), &mut bytes)
                .map_err(|_| wrong("it does not have 64 hex digits".to_owned()))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            getrandom::fill(&mut bytes).map_err(|error| wrong(error.to_string()))?;
            private_file(&path)
                .and_then(|mut file| writeln!(file, "{}", const_hex::encode(bytes)))
                .map_err(|error| wrong(error.to_string()))?;
        }
        Err(error) => return Err(wrong(error.to_string())),
    }
    Ok((RedactionKey::of(&bytes), path))
}

/// A new file that only its owner may read.
fn private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::create_dir_all(parent)?;
    }
    fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}
