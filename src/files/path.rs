//! Reading a file at a path, never more of it than the cap.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;

use super::{Fetched, FileError, Purpose, Refusal, aside};
use crate::model::AgeBasis;

/// Reads a file, off the threads that must stay free to hear a signal.
pub(super) async fn read(
    path: &Path,
    purpose: Purpose,
    max_bytes: u64,
) -> Result<(Vec<u8>, Fetched), FileError> {
    let path = path.to_owned();
    let location = path.display().to_string();
    aside(purpose, &location, move || {
        read_file(&path, purpose, max_bytes)
    })
    .await?
}

fn read_file(
    path: &Path,
    purpose: Purpose,
    max_bytes: u64,
) -> Result<(Vec<u8>, Fetched), FileError> {
    let location = path.display().to_string();
    let failed = |error: io::Error| {
        let location = location.clone();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                FileError::NotFound { purpose, location }
            }
            io::ErrorKind::PermissionDenied => FileError::Refused {
                purpose,
                location,
                refusal: Refusal::Permission,
            },
            io::ErrorKind::IsADirectory => FileError::NotAFile { purpose, location },
            _ => FileError::Unavailable {
                purpose,
                location,
                cause: error.into(),
            },
        }
    };
    let mut file = File::open(path).map_err(failed)?;
    // Asked of the open file, so that age and content belong together whatever replaces the path.
    let before = file.metadata().map_err(failed)?;
    if before.is_dir() {
        return Err(FileError::NotAFile { purpose, location });
    }
    let mut bytes = Vec::new();
    let taken = file
        .by_ref()
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if taken as u64 > max_bytes {
        return Err(FileError::TooLarge {
            purpose,
            location,
            limit_bytes: max_bytes,
        });
    }
    let mut fetched = Fetched {
        url: location.clone(),
        modified_at: None,
        age_basis: AgeBasis::Unknown,
        answer: None,
    };
    // A pipe has a time too, but it says nothing of the content.
    if before.is_file() {
        let after = file.metadata().map_err(failed)?;
        let modified = after.modified().map_err(failed)?;
        if after.len() != taken as u64 || before.modified().map_err(failed)? != modified {
            return Err(FileError::Unavailable {
                purpose,
                location,
                cause: "the file changed while it was read".into(),
            });
        }
        fetched.modified_at = Timestamp::try_from(modified).ok();
        if fetched.modified_at.is_some() {
            fetched.age_basis = AgeBasis::FileMtime;
        }
    }
    Ok((bytes, fetched))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use insta::assert_snapshot;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_whole_and_its_age_is_its_mtime() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hr.csv");
        std::fs::write(&path, b"Employee ID").expect("a file");
        let (bytes, fetched) = read(&path, Purpose::HrFeed, 11).await.expect("the file");
        assert_eq!(bytes, b"Employee ID");
        assert_eq!(fetched.age_basis, AgeBasis::FileMtime);
        assert!(fetched.modified_at.is_some());
        assert_eq!(fetched.url, path.display().to_string());
    }

    #[tokio::test]
    async fn a_file_one_byte_over_the_cap_is_refused_and_the_cap_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hr.csv");
        std::fs::write(&path, vec![b'x'; 2 * 1024 * 1024 + 1]).expect("a file");
        let error = read(&path, Purpose::HrFeed, 2 * 1024 * 1024)
            .await
            .expect_err("too large");
        let text = error
            .to_string()
            .replace(&path.display().to_string(), "hr.csv");
        assert_snapshot!(text, @"the HR feed at `hr.csv` is larger than the size cap of 2097152 bytes (2 MiB), which holds before and after unpacking: export only the columns and rows the review needs");
    }

    #[tokio::test]
    async fn nothing_there_a_folder_and_a_forbidden_file_are_distinguished() {
        let folder = tempfile::tempdir().expect("a folder");
        let absent = read(&folder.path().join("absent.csv"), Purpose::HrFeed, 10).await;
        assert!(matches!(absent, Err(FileError::NotFound { .. })));
        let a_folder = read(folder.path(), Purpose::HrFeed, 10).await;
        assert!(matches!(a_folder, Err(FileError::NotAFile { .. })));

        let path = folder.path().join("secret.csv");
        std::fs::write(&path, b"x").expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("a mode");
        if File::open(&path).is_ok() {
            println!("skipped: this user may read everything");
            return;
        }
        let refused = read(&path, Purpose::HrFeed, 10).await;
        assert!(matches!(refused, Err(FileError::Refused { .. })));
    }
}
