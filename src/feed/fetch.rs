//! Getting the bytes of a feed, never more of them than the cap.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;

use super::{FeedError, Fetched, Refusal, aside};
use crate::people::AgeBasis;

/// Reads a file, off the threads that must stay free to hear a signal.
pub(super) async fn file(path: &Path, max_bytes: u64) -> Result<(Vec<u8>, Fetched), FeedError> {
    let path = path.to_owned();
    let location = path.display().to_string();
    aside(&location, move || read_file(&path, max_bytes)).await?
}

fn read_file(path: &Path, max_bytes: u64) -> Result<(Vec<u8>, Fetched), FeedError> {
    let location = path.display().to_string();
    let failed = |error: io::Error| {
        let location = location.clone();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                FeedError::NotFound { location }
            }
            io::ErrorKind::PermissionDenied => FeedError::Refused {
                location,
                refusal: Refusal::Permission,
            },
            io::ErrorKind::IsADirectory => FeedError::NotAFile { location },
            _ => FeedError::Unavailable {
                location,
                cause: error.into(),
            },
        }
    };
    let mut file = File::open(path).map_err(failed)?;
    // Asked of the open file, so that age and content belong together whatever replaces the path.
    let before = file.metadata().map_err(failed)?;
    if before.is_dir() {
        return Err(FeedError::NotAFile { location });
    }
    let mut bytes = Vec::new();
    let taken = file
        .by_ref()
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if taken as u64 > max_bytes {
        return Err(FeedError::TooLarge {
            location,
            limit_bytes: max_bytes,
        });
    }
    let mut fetched = Fetched {
        url: location.clone(),
        modified_at: None,
        age_basis: AgeBasis::Unknown,
    };
    // A pipe has a time too, but it says nothing of the content.
    if before.is_file() {
        let after = file.metadata().map_err(failed)?;
        let modified = after.modified().map_err(failed)?;
        if after.len() != taken as u64 || before.modified().map_err(failed)? != modified {
            return Err(FeedError::Unavailable {
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
        let (bytes, fetched) = file(&path, 11).await.expect("the file");
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
        let error = file(&path, 2 * 1024 * 1024).await.expect_err("too large");
        let text = error
            .to_string()
            .replace(&path.display().to_string(), "hr.csv");
        assert_snapshot!(text, @"the HR feed at `hr.csv` is larger than the size cap of 2097152 bytes (2 MiB), which holds before and after unpacking: export only the columns and rows the review needs");
    }

    #[tokio::test]
    async fn nothing_there_a_folder_and_a_forbidden_file_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let absent = file(&folder.path().join("absent.csv"), 10).await;
        assert!(matches!(absent, Err(FeedError::NotFound { .. })));
        let a_folder = file(folder.path(), 10).await;
        assert!(matches!(a_folder, Err(FeedError::NotAFile { .. })));

        let path = folder.path().join("secret.csv");
        std::fs::write(&path, b"x").expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("a mode");
        if File::open(&path).is_ok() {
            println!("skipped: this user may read everything");
            return;
        }
        let refused = file(&path, 10).await;
        assert!(matches!(refused, Err(FeedError::Refused { .. })));
    }
}
