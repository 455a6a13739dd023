//! A store in a folder. A file gets its name only when it is completely on the disk.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{Created, StoreError, TEMPORARY};
use crate::evidence;
use crate::model::Protection;

/// How many files are written at the same time. The file system combines their fsyncs into one commit.
const THREADS: usize = 8;

#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    pub(super) fn location(&self) -> String {
        self.root.display().to_string()
    }

    pub(super) fn locate(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }

    pub(super) fn exists(&self) -> bool {
        let found = fs::metadata(&self.root);
        !found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    pub(super) fn create(&self, name: &str, bytes: &[u8]) -> Result<Created, StoreError> {
        let created = self.put(name, bytes)?;
        self.sync_folders([name])?;
        Ok(created)
    }

    /// Creates a file, and tests whether it can be created twice. A folder has neither locks nor versions.
    pub(super) fn protect(&self, name: &str, bytes: &[u8]) -> Result<Protection, StoreError> {
        self.create(name, bytes)?;
        Ok(Protection {
            create_only: self.create(name, bytes)? == Created::AlreadyThere,
            lock_asked: None,
            lock: None,
            versioned: false,
            encryption_asked: None,
            encryption: None,
            unread: None,
        })
    }

    pub(super) fn create_all(&self, files: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let failed = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..THREADS.min(files.len()) {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed)
                        && let Some((name, bytes)) = files.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        if let Err(error) = self.put(name, bytes) {
                            stop.store(true, Ordering::Relaxed);
                            failed
                                .lock()
                                .unwrap_or_else(|poisoned| poisoned.into_inner())
                                .get_or_insert(error);
                        }
                    }
                });
            }
        });
        match failed
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
        {
            Some(error) => Err(error),
            None => self.sync_folders(files.iter().map(|(name, _)| name.as_str())),
        }
    }

    /// A folder below the root, or the root itself. (A join with an empty path would append a slash.)
    fn folder(&self, below: impl AsRef<Path>) -> PathBuf {
        match below.as_ref().as_os_str().is_empty() {
            true => self.root.clone(),
            false => self.root.join(below),
        }
    }

    /// Writes the bytes to the disk, then gives the file its name. The name survives a crash only after
    /// [`Self::sync_folders`].
    fn put(&self, name: &str, bytes: &[u8]) -> Result<Created, StoreError> {
        let path = self.root.join(name);
        let temporary = self.root.join(TEMPORARY);
        make_folder(&temporary)?;
        make_folder(path.parent().unwrap_or(&self.root))?;
        let mut file =
            temporary_file(&temporary).map_err(|error| failed("writing", &temporary, error))?;
        file.write_all(bytes)
            .and_then(|()| file.as_file().sync_all())
            .map_err(|error| failed("writing", &path, error))?;
        // This never replaces a file: if two processes race, the file system lets one succeed.
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(Created::New),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                match self.read(name)?.is_some_and(|there| there == bytes) {
                    true => Ok(Created::AlreadyThere),
                    false => Err(StoreError::Conflict {
                        name: path.display().to_string(),
                    }),
                }
            }
            Err(error) => Err(failed("writing", &path, error.error)),
        }
    }

    /// Writes the names to the disk: syncs each folder once, from those of the files up to the root.
    ///
    /// This includes folders that existed before, because another process may have created them and not synced them
    /// yet. To sync an unchanged folder costs almost nothing.
    fn sync_folders<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), StoreError> {
        let mut folders = BTreeSet::new();
        for name in names {
            folders.extend(Path::new(name).ancestors().skip(1));
        }
        for folder in folders.into_iter().rev() {
            sync_folder(&self.folder(folder))?;
        }
        Ok(())
    }

    /// Reads a regular file. A link, a pipe or a device is not an object: it may lead anywhere, or have no end.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.root.join(name);
        let read = || -> io::Result<Option<Vec<u8>>> {
            let found = fs::symlink_metadata(&path)?;
            if !found.is_file() {
                return Ok(None);
            }
            let most = evidence::most_bytes(name) + 1;
            let mut bytes = Vec::with_capacity(found.len().min(most) as usize);
            File::open(&path)?.take(most).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        };
        match read() {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            // A part of the path is a file. If it is below the root, the object does not exist; else the root is wrong.
            Err(error) if error.kind() == ErrorKind::NotADirectory && self.root.is_dir() => {
                Ok(None)
            }
            Err(error) => Err(failed("reading", &path, error)),
        }
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        // The prefix up to its last slash is a folder. Only this folder is listed.
        let start = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.walk(start, prefix, &mut names)?;
        names.sort();
        Ok(names)
    }

    /// Links count too: a reader finds nothing behind them, and can report that.
    pub(super) fn children(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let path = self.folder(folder);
        let unreadable = |error| failed("listing", &path, error);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let last = entry.map_err(unreadable)?.file_name();
            names.push(format!("{folder}{}", last.to_string_lossy()));
        }
        names.sort();
        Ok(names)
    }

    fn walk(&self, folder: &str, prefix: &str, names: &mut Vec<String>) -> Result<(), StoreError> {
        let path = self.folder(folder);
        let unreadable = |error| failed("listing", &path, error);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotADirectory && self.root.is_dir() => {
                return Ok(());
            }
            Err(error) => return Err(unreadable(error)),
        };
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            // This program writes only UTF-8 names. Other names are listed in a lossy form, not hidden.
            let last = entry.file_name().to_string_lossy().into_owned();
            let name = match folder {
                "" => last,
                folder => format!("{folder}/{last}"),
            };
            if !name.starts_with(prefix) && !prefix.starts_with(&format!("{name}/"))
                || super::is_reserved(&name)
            {
                continue;
            }
            match entry.file_type().map_err(unreadable)?.is_dir() {
                true => self.walk(&name, prefix, names)?,
                false => names.push(name),
            }
        }
        Ok(())
    }
}

/// A file that is as readable as the umask allows, because auditors and other containers read it.
fn temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Creates `folder` and its missing parents. Each one is on the disk before the next is created.
fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let folder = or_here(folder);
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(folder.parent().unwrap_or(folder)),
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(not_a_folder(folder, error)),
        Err(error) => Err(failed("creating the folder", folder, error)),
    }
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let folder = or_here(folder);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failed("writing", folder, error))
}

/// The parent of a relative name can be empty, which means the working folder.
fn or_here(folder: &Path) -> &Path {
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

fn failed(action: &str, path: &Path, error: io::Error) -> StoreError {
    let what = format!("{action} `{}`", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::Refused {
            what,
            hint: "let the user of this job read and write the folder (in Kubernetes: a writable volume, and its \
                   `fsGroup`)"
                .to_owned(),
            source: error.into(),
        },
        ErrorKind::NotADirectory => not_a_folder(path, error),
        ErrorKind::InvalidFilename => StoreError::Configuration {
            what: format!("{what} is not possible"),
            hint: "the file system does not accept this name: choose a shorter EVIDENCE_URL".to_owned(),
            source: Some(error.into()),
        },
        _ => StoreError::Unavailable { what, source: error.into() },
    }
}

fn not_a_folder(path: &Path, error: io::Error) -> StoreError {
    let file = path
        .ancestors()
        .find(|path| path.metadata().is_ok_and(|found| !found.is_dir()))
        .unwrap_or(path);
    StoreError::Configuration {
        what: format!("`{}` is a file, but a folder is needed", file.display()),
        hint: "set EVIDENCE_URL to a folder, which may be new".to_owned(),
        source: Some(error.into()),
    }
}
