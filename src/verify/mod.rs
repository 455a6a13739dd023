//! Is the evidence what was written? Read by somebody who trusts nothing they cannot recompute.
//!
//! Every ledger from its first entry to its last, every file of every run, the accounts derived again
//! from the answers they came in, the judgement made again from what is stored, and periodic reviews held
//! against their nights. Nothing is written, and no network is used but the store's.

mod again;
mod chain;
mod committed;
mod fault;
mod nights;
mod reader;
mod reviewed;
mod reviews;
mod runs;
mod signatures;
mod told;

use jiff::Timestamp;

pub use fault::{Fault, FaultKind};
pub use nights::Rhythm;
pub use reader::Locks;
use reader::Reader;
pub use told::{as_json, as_text};

use crate::evidence::ConnectionFolder;
use crate::signing::PublicKey;
use crate::store::{History, Store, StoreError};

/// What to check the evidence against.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// The instant of checking: a run whose time to be kept is over may be gone.
    pub now: Timestamp,
    /// Only this connection; none: every one below the address.
    pub connection: Option<String>,
    /// Entries somebody noted elsewhere: a chain cannot see its own end cut off.
    pub heads: Vec<Anchor>,
    /// How often a review was to run, so that missing nights are known.
    pub every: Option<Rhythm>,
    /// Up to when it was to run; none: up to the last night there is.
    pub until: Option<Timestamp>,
    /// Public keys that are trusted. With one, the last entry must be signed by it.
    pub keys: Vec<PublicKey>,
}

/// A ledger entry as every run prints it: `42:<sha256>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Its number.
    pub sequence: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Anchor {
    /// Reads `42:<sha256>`, also with `ledger ` before it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("ledger").map_or(text, str::trim);
        let (sequence, sha256) = text.split_once(':')?;
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Self {
            sequence: sequence.parse().ok().filter(|number| *number > 0)?,
            sha256: is_hash.then(|| sha256.to_ascii_lowercase())?,
        })
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Where the evidence lies, as shown to people.
    pub location: String,
    /// Each connection's ledger.
    pub chains: Vec<ChainVerified>,
    /// The locks of what was read.
    pub locks: Locks,
    /// Why the store's older versions were not looked at, where they were not.
    pub versions_not_told: Option<&'static str>,
    /// Everything that is wrong, in the order it was met.
    pub faults: Vec<Fault>,
}

/// What was found of one connection.
#[derive(Clone, Debug, Default)]
pub struct ChainVerified {
    /// The folder of the connection.
    pub folder: String,
    /// Ledger entries.
    pub entries: u64,
    /// The last of them.
    pub head: Option<Anchor>,
    /// Entries of judged nights.
    pub runs: u64,
    /// Entries of nights that could not be judged.
    pub failures: u64,
    /// Entries of periodic reviews, opened and closed.
    pub reviews: u64,
    /// Parts of reviews that were held against what they were made from, and came out the same.
    pub reviews_again: u64,
    /// What of reviews was not, and why. No faults.
    pub reviews_not_again: Vec<String>,
    /// Files whose hash is right.
    pub files: u64,
    /// Runs whose accounts were derived again from the raw pages, and came out the same.
    pub derived_again: u64,
    /// Runs whose accounts were not, and why. No faults.
    pub not_derived_again: Vec<String>,
    /// How many of these because raw pages were not kept.
    pub without_raw: u64,
    /// Runs that were judged again, with the same result byte for byte.
    pub judged_again: u64,
    /// Runs that were not, and why. No faults.
    pub not_judged_again: Vec<String>,
    /// Entries whose signature fits: a pinned key, or where none is, one that lies beside the ledger.
    pub signed: u64,
    /// Signed entries whose key is not at hand.
    pub signatures_unchecked: u64,
    /// Runs whose time to be kept is over and whose folder is gone. No faults.
    pub expired: Vec<String>,
    /// Run folders that no entry vouches for: of runs that died. No evidence, and no faults.
    pub uncommitted: Vec<String>,
    /// Instants of the first and the last night.
    pub period: Option<(Timestamp, Timestamp)>,
    /// Anchors that were met.
    pub anchored: Vec<Anchor>,
}

impl Verified {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks everything a store holds.
///
/// # Errors
/// Where the store cannot be read; what is wrong with the evidence is a [`Fault`].
pub async fn verify(store: &Store, expected: &Expectations) -> Result<Verified, StoreError> {
    let mut verified = Verified {
        location: store.location(),
        ..Verified::default()
    };
    let folders = match &expected.connection {
        Some(connection) => vec![ConnectionFolder::of(connection)],
        None => connections(store).await?,
    };
    let history = store.history(ConnectionFolder::ALL).await?;
    if let History::NotTold(why) = history {
        verified.versions_not_told = Some(why);
    }
    let reader = Reader::new(store, expected.now);
    for folder in folders {
        chain::verify(&reader, &history, &folder, expected, &mut verified).await?;
    }
    verified.locks = reader.locks();
    if expected.connection.is_none() {
        verified.deleted_connections(&history);
    }
    if verified.chains.is_empty() {
        let place = verified.location.clone();
        let text = "there is no connection's folder: nothing here is evidence";
        verified.fault(FaultKind::EmptyLedger, place, text);
    }
    for anchor in &expected.heads {
        let met = |chain: &ChainVerified| chain.anchored.contains(anchor);
        if !verified.chains.iter().any(met) {
            let place = format!("ledger entry {}", anchor.sequence);
            let heads = verified
                .chains
                .iter()
                .filter_map(|chain| chain.head.as_ref());
            let last = heads.map(|head| head.sequence).max();
            let is_cut = last.unwrap_or_default() < anchor.sequence;
            let (kind, text) = if is_cut {
                (
                    FaultKind::CutTail,
                    "the entry that was noted elsewhere is not there",
                )
            } else {
                (
                    FaultKind::Modified,
                    "the entry is not the one that was noted elsewhere",
                )
            };
            verified.fault(kind, place, text);
        }
    }
    Ok(verified)
}

/// The folders of all connections below the store's address.
async fn connections(store: &Store) -> Result<Vec<ConnectionFolder>, StoreError> {
    let mut folders: Vec<ConnectionFolder> = Vec::new();
    for name in store.list(ConnectionFolder::ALL).await? {
        if let Some(folder) = ConnectionFolder::containing(&name)
            && folders.last() != Some(&folder)
        {
            folders.push(folder);
        }
    }
    Ok(folders)
}

impl Verified {
    /// Connections of which nothing is left to read but the marks of deletion.
    fn deleted_connections(&mut self, history: &History) {
        let History::Told { deleted, .. } = history else {
            return;
        };
        let mut gone: Vec<String> = deleted
            .iter()
            .filter_map(|name| {
                let folder = ConnectionFolder::containing(name)?;
                // A run that died before its entry was no evidence.
                folder.sequence_of(name).map(|_| folder)
            })
            .map(|folder| folder.to_string())
            .filter(|folder| self.chains.iter().all(|chain| chain.folder != *folder))
            .collect();
        gone.dedup();
        for folder in gone {
            let text = "everything of this connection was deleted";
            self.fault(FaultKind::DeleteMarker, folder, text);
        }
    }

    fn fault(&mut self, kind: FaultKind, place: impl Into<String>, text: impl Into<String>) {
        self.faults.push(Fault {
            kind,
            place: place.into(),
            text: text.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Anchor;

    #[test]
    fn an_anchor_is_read_as_every_run_prints_it() {
        let sha256 = "ab".repeat(32);
        let anchor = Some(Anchor {
            sequence: 42,
            sha256: sha256.clone(),
        });
        for text in [
            format!("42:{sha256}"),
            format!("  ledger     42:{sha256}"),
            format!("42:{}", sha256.to_uppercase()),
        ] {
            assert_eq!(Anchor::parse(&text), anchor, "{text}");
        }
        for text in [
            "",
            "42",
            "42:ab",
            &format!("0:{sha256}"),
            &format!("x:{sha256}"),
        ] {
            assert_eq!(Anchor::parse(text), None, "{text}");
        }
    }
}
