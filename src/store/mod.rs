//! Where evidence lies: named bytes that are written once and never replaced.

use std::path::PathBuf;

/// Where evidence lies.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A folder or a bucket.
    pub location: Location,
}

/// A folder or a bucket.
#[derive(Clone, Debug)]
pub enum Location {
    /// A folder; it is made when the first object is.
    Folder(PathBuf),
    /// A bucket and a prefix without slashes at its ends (empty for none).
    S3 {
        /// Bucket.
        bucket: String,
        /// Prefix.
        prefix: String,
        /// Path-style addressing.
        force_path_style: bool,
    },
}
