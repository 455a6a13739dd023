//! Writes a file for a reader that may look at any moment.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes the whole file or none of it. A reader never sees a part.
///
/// # Errors
/// If the folder does not exist, or the file cannot be written.
pub fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    // As readable as the umask allows: the reader is usually another user.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder_of(file)?)?;
    temporary.write_all(bytes)?;
    temporary.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// The absolute folder of a file, without links.
///
/// # Errors
/// If the folder does not exist.
pub fn folder_of(file: &Path) -> io::Result<PathBuf> {
    let folder = file.parent().filter(|of| !of.as_os_str().is_empty());
    std::fs::canonicalize(folder.unwrap_or(Path::new(".")))
}
