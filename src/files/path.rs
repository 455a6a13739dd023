//! Files at a path.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;

use super::{FetchFault, Fetched, Refusal, aside};
use crate::model::AgeBasis;

/// Reads a file on another thread, so that the program reacts to signals meanwhile.
pub(super) async fn read(path: &Path, max_bytes: u64) -> Result<(Vec<u8>, Fetched), FetchFault> {
    let path = path.to_owned();
    aside(move || read_file(&path, max_bytes)).await
}

fn read_file(path: &Path, max_bytes: u64) -> Result<(Vec<u8>, Fetched), FetchFault> {
    let mut file = File::open(path)?;
    // From the open file, so that age and content belong together even if the path is replaced.
    let before = file.metadata()?;
    if before.is_dir() {
        return Err(FetchFault::IsFolder);
    }
    let mut bytes = Vec::new();
    let mut limited = file.by_ref().take(max_bytes.saturating_add(1));
    let taken = limited.read_to_end(&mut bytes)? as u64;
    if taken > max_bytes {
        return Err(FetchFault::TooLarge(max_bytes));
    }
    let mut modified_at = None;
    // The time of a pipe is not the age of its content.
    if before.is_file() {
        let after = file.metadata()?;
        let modified = after.modified()?;
        if after.len() != taken || before.modified()? != modified {
            let cause = "the file changed while it was read";
            return Err(FetchFault::Unavailable(cause.into()));
        }
        modified_at = Timestamp::try_from(modified).ok();
    }
    Ok((bytes, Fetched::dated(modified_at, AgeBasis::FileMtime)))
}

impl From<io::Error> for FetchFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::Refused(Refusal::Permission),
            io::ErrorKind::IsADirectory => Self::IsFolder,
            _ => Self::Unavailable(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use insta::assert_snapshot;

    use super::*;
    use crate::files::{self, FileError, Location, Purpose};
    use crate::net::Deadline;

    async fn fetch(path: &Path, max_bytes: u64) -> Result<(Vec<u8>, Fetched), FileError> {
        let deadline = Deadline::after(std::time::Duration::from_secs(60));
        let location = Location::Path(path.to_owned());
        files::fetch(&location, Purpose::HrFeed, max_bytes, deadline).await
    }

    #[tokio::test]
    async fn the_age_of_a_file_is_its_mtime() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hr.csv");
        std::fs::write(&path, b"Employee ID").expect("a file");
        let (bytes, fetched) = fetch(&path, 11).await.expect("the file");
        assert_eq!(bytes, b"Employee ID");
        assert_eq!(fetched.age_basis, AgeBasis::FileMtime);
        assert!(fetched.modified_at.is_some());
        assert_eq!(fetched.url, path.display().to_string());
    }

    #[tokio::test]
    async fn a_file_one_byte_over_the_limit_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hr.csv");
        std::fs::write(&path, vec![b'x'; 2 * 1024 * 1024 + 1]).expect("a file");
        let error = fetch(&path, 2 * 1024 * 1024).await.expect_err("too large");
        let text = error
            .to_string()
            .replace(&path.display().to_string(), "hr.csv");
        assert_snapshot!(text, @"the HR feed at `hr.csv` is larger than the size cap of 2097152 bytes (2 MiB), which applies before and after unpacking: export only the columns and rows that the check needs");
    }

    #[tokio::test]
    async fn an_absent_file_a_folder_and_a_forbidden_file_are_distinguished() {
        let folder = tempfile::tempdir().expect("a folder");
        let absent = read(&folder.path().join("absent.csv"), 10).await;
        assert!(matches!(absent, Err(FetchFault::NotFound)));
        let a_folder = read(folder.path(), 10).await;
        assert!(matches!(a_folder, Err(FetchFault::IsFolder)));

        let path = folder.path().join("secret.csv");
        std::fs::write(&path, b"x").expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("a mode");
        if File::open(&path).is_ok() {
            println!("skipped: this user may read everything");
            return;
        }
        let refused = read(&path, 10).await;
        assert!(matches!(refused, Err(FetchFault::Refused(_))));
    }
}
