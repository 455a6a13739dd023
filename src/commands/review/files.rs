//! Files that are given to a command: the decisions that came back, alone or as folders, and who decides; and what is
//! wrong with them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::ReviewError;
use crate::evidence::sha256_hex;

/// A larger file is refused, in bytes: a worksheet of 100,000 rows has about 40 MB.
const MAX_BYTES: u64 = 64 << 20;

/// So many digits of a file's SHA-256 distinguish it from the others in a log.
const DIGITS: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Its name, without its folder. Reviewers name files after themselves, so this is for no log.
    pub file: String,
    /// What a log calls the file.
    pub in_a_log: String,
}

impl FileName {
    /// Of something that is called the same everywhere.
    pub(super) fn of(name: &str) -> Self {
        Self {
            file: name.to_owned(),
            in_a_log: name.to_owned(),
        }
    }
}

/// Something that is wrong with what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    pub name: FileName,
    /// Line in it, where it is about one.
    pub line: Option<u64>,
    /// A sentence, which names people nowhere, and files only where the next field is set.
    pub text: String,
    /// The sentence for a log, where the other one names a file.
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

    /// File and sentence for a person, or for a log.
    pub(super) fn words(&self, names: bool) -> (&str, &str) {
        match (names, &self.text_in_a_log) {
            (true, _) => (&self.name.file, &self.text),
            (false, text) => (&self.name.in_a_log, text.as_ref().unwrap_or(&self.text)),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) name: FileName,
    pub(super) bytes: Vec<u8>,
}

impl Given {
    /// A file that the command line names, and that may be called so anywhere.
    pub(super) fn by_name(path: &Path) -> Result<Self, ReviewError> {
        Ok(Self {
            name: FileName::of(&name_of(path)),
            bytes: read(path, false).map_err(|reason| failed(path, None, reason))?,
        })
    }

    /// Decisions: the files that were given, and those of each folder in the order of their names, except the
    /// reviewers file. They may be named after the people who sent them, so a log has their number and the
    /// beginning of their hash.
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

/// The files of a folder, by name. Names that begin with a dot are skipped: a mounted Secret keeps its content
/// in `..data` and links to it.
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
        let reason = "it is a folder without a file of decisions".to_owned();
        return Err(failed(folder, None, reason));
    }
    Ok(files)
}

fn read(path: &Path, is_in_folder: bool) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    let what = std::fs::metadata(path).map_err(text)?;
    if what.is_dir() {
        return Err("it is a folder itself: give each folder that has files".to_owned());
    }
    // A pipe that is named on the command line has a writer; one that lies in a folder may have none.
    if is_in_folder && !what.is_file() {
        return Err("it is no file: take it out".to_owned());
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
