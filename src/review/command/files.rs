//! Files that somebody gives by hand: the decisions that came back, alone or as folders, and who decides.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::ReviewError;
use crate::evidence::sha256_hex;

/// A file given by hand is refused beyond this size, in bytes: a worksheet of 100,000 rows has some 40 MB.
const MAX_BYTES: u64 = 64 << 20;

/// So many digits of a file's SHA-256 tell it from the others in a log.
const DIGITS: usize = 12;

/// A file that somebody gave by hand.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// Its name, without its folder.
    pub(super) file: String,
    /// What a log calls it.
    pub(super) in_a_log: String,
    pub(super) bytes: Vec<u8>,
}

impl Given {
    /// A file that whoever runs this has named, and that may be called so anywhere.
    pub(super) fn by_name(path: &Path) -> Result<Self, ReviewError> {
        let bytes = read(path).map_err(|reason| failed(path, None, reason))?;
        let file = name_of(path);
        Ok(Self {
            in_a_log: file.clone(),
            file,
            bytes,
        })
    }

    /// Decisions: the files that were given, and those of each folder in the order of their names, but for
    /// the one that says who decides. They may be called as the people who sent them, so a log has their
    /// number and the beginning of their hash.
    pub(super) fn decisions(
        paths: &[PathBuf],
        reviewers: Option<&Path>,
    ) -> Result<Vec<Self>, ReviewError> {
        let mut found = Vec::new();
        for path in paths {
            if path.is_dir() {
                let below = below(path, reviewers, found.len());
                found.extend(below?.into_iter().map(|file| (file, Some(path))));
            } else {
                found.push((path.clone(), None));
            }
        }
        let read = |(number, (path, folder)): (usize, (PathBuf, Option<&PathBuf>))| {
            let number = format!("file {}", number + 1);
            let bytes = read(&path).map_err(|reason| {
                let place = folder.map_or("--decisions".to_owned(), |folder| {
                    format!("`{}`", folder.display())
                });
                failed(&path, Some(format!("{number} of {place}")), reason)
            })?;
            let hash = sha256_hex(&bytes);
            Ok(Self {
                in_a_log: format!(
                    "{number} (SHA-256 {}…)",
                    hash.get(..DIGITS).unwrap_or(&hash)
                ),
                file: name_of(&path),
                bytes,
            })
        };
        found.into_iter().enumerate().map(read).collect()
    }
}

/// The files of a folder, by name. What begins with a dot is passed by: a mounted Secret keeps its content
/// in `..data` and links to it, and no reviewer sends such a file.
fn below(
    folder: &Path,
    reviewers: Option<&Path>,
    before: usize,
) -> Result<Vec<PathBuf>, ReviewError> {
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    let reviewers = reviewers.and_then(place);
    let is_theirs = |path: &Path| reviewers.is_some() && place(path) == reviewers;
    let unreadable = |error: std::io::Error| failed(folder, None, error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (name, path) = (entry.file_name(), entry.path());
        if !name.as_encoded_bytes().starts_with(b".") && !is_theirs(&path) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let reason = "it is a folder with no file of decisions in it".to_owned();
        return Err(failed(folder, None, reason));
    }
    for (number, path) in files.iter().enumerate() {
        // A link that leads nowhere is told when it is read.
        let Ok(what) = std::fs::metadata(path) else {
            continue;
        };
        if !what.is_file() {
            let (is, instead) = match what.is_dir() {
                true => ("a folder itself", "give each folder that has files"),
                false => ("no file", "take it out"),
            };
            let number = before + number + 1;
            let place = format!("file {number} of `{}`", folder.display());
            let reason = format!("it is {is}: {instead}");
            return Err(failed(path, Some(place), reason));
        }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    let size = std::fs::metadata(path).map_err(text)?.len();
    if size > MAX_BYTES {
        return Err(format!("it is larger than {MAX_BYTES} bytes"));
    }
    // A pipe or a device tells no size.
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(text)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is larger than {MAX_BYTES} bytes"));
    }
    Ok(bytes)
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
