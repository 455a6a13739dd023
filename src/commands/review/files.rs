//! The input files of a command: received decisions, as files or folders, and the reviewers file; and their faults.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::ReviewError;
use crate::evidence::{ReceivedKind, ReviewFile, sha256_hex};
use crate::review::{ReceivedFile, ReviewDataFile};

/// A larger file is refused, in bytes: a worksheet of 100,000 rows has about 40 MB.
const MAX_BYTES: u64 = 64 << 20;

/// Digits of a file's SHA-256 that identify it in a log.
const DIGITS: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Without the folder. Reviewers name files after themselves, so this must not reach a log.
    pub file: String,
    /// The name for a log.
    pub in_a_log: String,
}

impl FileName {
    /// A name that a log may have too.
    pub(super) fn of(name: &str) -> Self {
        Self {
            file: name.to_owned(),
            in_a_log: name.to_owned(),
        }
    }
}

/// A fault of an input file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    pub name: FileName,
    /// None if the fault concerns the whole file.
    pub line: Option<u64>,
    /// A sentence without names of people, and without names of files unless the next field is set.
    pub text: String,
    /// The sentence for a log, if `text` names a file.
    pub text_in_a_log: Option<String>,
}

impl FileFault {
    pub(super) fn new(
        name: &FileName,
        line: impl Into<Option<u64>>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            name: name.clone(),
            line: line.into(),
            text: text.into(),
            text_in_a_log: None,
        }
    }

    /// File and sentence, with names for a person, or without for a log.
    pub(super) fn words(&self, names: bool) -> (&str, &str) {
        match (names, &self.text_in_a_log) {
            (true, _) => (&self.name.file, &self.text),
            (false, text) => (&self.name.in_a_log, text.as_ref().unwrap_or(&self.text)),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct InputFile {
    pub(super) name: FileName,
    pub(super) bytes: Vec<u8>,
}

impl InputFile {
    /// A file whose name a log may have too.
    pub(super) fn by_name(path: &Path) -> Result<Self, ReviewError> {
        Ok(Self {
            name: FileName::of(&name_of(path)),
            bytes: read(path, false).map_err(|reason| failed(path, None, reason))?,
        })
    }

    /// Decisions: the files on the command line, and those of each folder in the order of their names, except the
    /// reviewers file. A name may be that of a person, so a log has the number of the file and the first digits of its
    /// hash.
    pub(super) fn decisions(
        paths: &[PathBuf],
        reviewers: Option<&Path>,
    ) -> Result<Vec<Self>, ReviewError> {
        let mut found = Vec::new();
        for path in paths {
            match path.is_dir() {
                true => {
                    let files = below(path, reviewers)?.into_iter();
                    found.extend(files.map(|file| (file, Some(path))));
                }
                false => found.push((path.clone(), None)),
            }
        }
        let read = |(number, (path, folder)): (usize, (PathBuf, Option<&PathBuf>))| {
            let bytes = read(&path, folder.is_some()).map_err(|reason| {
                let place = match folder {
                    Some(folder) => format!("`{}`", folder.display()),
                    None => "--decisions".to_owned(),
                };
                failed(&path, Some(format!("file {number} of {place}")), reason)
            })?;
            let hash = sha256_hex(&bytes);
            let start = hash.get(..DIGITS).unwrap_or(&hash);
            let name = FileName {
                file: name_of(&path),
                in_a_log: format!("file {number} (SHA-256 {start}…)"),
            };
            Ok(Self { name, bytes })
        };
        (1..).zip(found).map(read).collect()
    }
}

/// Files that prove who sent a statement: their records, and the files to store.
pub(super) fn attachments(
    paths: &[PathBuf],
) -> Result<(Vec<ReceivedFile>, Vec<ReviewDataFile>), ReviewError> {
    let mut stored = Vec::new();
    for (number, path) in (1..).zip(paths) {
        let bytes = read(path, true)
            .map_err(|reason| failed(path, Some(format!("file {number} of --attach")), reason))?;
        let extension = path
            .extension()
            .map(|of| of.to_string_lossy().to_lowercase());
        let is_plain = |of: &String| {
            (1..=8).contains(&of.len()) && of.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let extension = extension.filter(is_plain).unwrap_or("bin".to_owned());
        let name = ReviewFile::received(ReceivedKind::Attached, number, &extension);
        let record = ReceivedFile::of(name_of(path), name.clone(), &bytes);
        stored.push((record, ReviewDataFile::received(&name, bytes)));
    }
    Ok(stored.into_iter().unzip())
}

/// The files of a folder, by name. Names with a leading dot are skipped: a mounted Secret keeps its content in `..data`
/// and links to it.
fn below(folder: &Path, reviewers: Option<&Path>) -> Result<Vec<PathBuf>, ReviewError> {
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    let reviewers = reviewers.and_then(place);
    let is_reviewers = |path: &Path| reviewers.is_some() && place(path) == reviewers;
    let unreadable = |error: std::io::Error| failed(folder, None, error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let path = entry.path();
        if !is_hidden && !is_reviewers(&path) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let reason = "the folder has no file of decisions".to_owned();
        return Err(failed(folder, None, reason));
    }
    Ok(files)
}

fn read(path: &Path, is_in_folder: bool) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    let what = std::fs::metadata(path).map_err(text)?;
    if what.is_dir() {
        return Err("it is a folder: name each folder on the command line".to_owned());
    }
    // A pipe on the command line has a writer; a pipe in a folder may have none.
    if is_in_folder && !what.is_file() {
        return Err("it is not a regular file: remove it from the folder".to_owned());
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(text)?.take(MAX_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(text)?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(format!("it is larger than {MAX_BYTES} bytes")),
        false => Ok(bytes),
    }
}

fn failed(path: &Path, in_a_log: Option<String>, reason: String) -> ReviewError {
    ReviewError::File {
        path: path.to_owned(),
        in_a_log,
        reason,
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
