//! The accounts of one Asana workspace, as a list that is complete or says why not.

use crate::truto;

/// Which accounts to read, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The connection.
    pub truto: truto::Settings,
    /// The workspace's gid; unset: the only one the connection sees.
    pub workspace_id: Option<String>,
    /// How much of Truto's pages is kept.
    pub raw: RawPages,
}

/// How much of Truto's pages is kept beside their digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawPages {
    /// Nothing.
    None,
    /// Only the fields the judgement uses.
    Minimal,
    /// Every byte.
    Full,
}
