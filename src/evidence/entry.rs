//! A ledger entry commits a folder, and is a link of the chain.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ReviewFolder, ReviewPart, json};
use crate::judgement::{Mark, RunRef};

/// The `schema` of an entry.
const SCHEMA: &str = "asana-access-review/ledger-entry/v1";

/// The `previous_sha256` of the first entry.
pub const FIRST_PREVIOUS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry is smaller than this, in bytes, because AWS KMS signs at most 4096 bytes.
const MAX_BYTES: usize = 4096;

/// A ledger entry. It contains no personal data and is kept for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub schema: String,
    /// The number of the entry, from 1, without gaps.
    pub sequence: u64,
    pub kind: EntryKind,
    /// The id of the Truto connection.
    pub connection: String,
    /// The server from which the accounts came, with a mark before it if the evidence has one.
    pub origin: String,
    /// The committed folder, relative to the connection.
    pub run: String,
    /// SHA-256 of `manifest.json`, in hex.
    pub manifest_sha256: String,
    /// SHA-256 of `SHA256SUMS`, in hex.
    pub sums_sha256: String,
    /// SHA-256 of the bytes of the entry before; 64 zeros for the first.
    pub previous_sha256: String,
    pub verdict: String,
    pub complete: bool,
    pub committed_at: Timestamp,
    /// The end of the folder's retention. None if no retention was set.
    pub retain_until: Option<Timestamp>,
    /// SHA-256 of the DER of the public key that signed it, or [`UNSIGNED`](Self::UNSIGNED).
    pub key_sha256: String,
}

/// What an entry commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A judged run.
    Run,
    /// A failed run, which could not be judged.
    Failure,
    /// A periodic access review was opened.
    ReviewOpen,
    /// A periodic access review was closed.
    ReviewClose,
    /// A second person acknowledged a closed review.
    ReviewAcknowledge,
}

impl EntryKind {
    /// The part of a periodic review that the entry commits.
    pub fn review_part(self) -> Option<ReviewPart> {
        match self {
            Self::ReviewOpen => Some(ReviewPart::Open),
            Self::ReviewClose => Some(ReviewPart::Close),
            Self::ReviewAcknowledge => Some(ReviewPart::Acknowledge),
            Self::Run | Self::Failure => None,
        }
    }
}

/// The kind of a key that signs entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Ed25519,
    /// ECDSA over P-256 with SHA-256. Signatures are DER.
    P256,
}

/// Why bytes are not an entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("it is not an entry: {0}")]
    NotAnEntry(#[from] serde_json::Error),
    /// The JSON is that of an entry, but the bytes are not those that this program writes.
    #[error("it does not have the exact form of an entry")]
    NotCanonical,
}

impl Entry {
    /// The `key_sha256` of an unsigned entry.
    pub const UNSIGNED: &str = "none";

    /// Whether the entry names a key. Its signature must then exist.
    pub fn is_signed(&self) -> bool {
        self.key_sha256 != Self::UNSIGNED
    }

    /// Whether the entry commits this part of the review with this id.
    pub fn commits(&self, review: &str, part: ReviewPart) -> bool {
        let folder = ReviewFolder::parse(&self.run);
        let is_it = |of: ReviewFolder| of.id() == review && of.part() == part;
        self.kind.review_part() == Some(part) && folder.is_some_and(is_it)
    }

    /// The reference by which other files name the committed run.
    pub fn run_ref(&self) -> RunRef {
        RunRef {
            sequence: self.sequence,
            run: self.run.clone(),
            manifest_sha256: self.manifest_sha256.clone(),
        }
    }

    /// The `schema` of every entry.
    pub fn schema() -> String {
        SCHEMA.to_owned()
    }

    /// The exact bytes: one key a line, in a fixed order, indented by two spaces, with a final newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        json::document(self, usize::MAX)
    }

    /// Parses an entry, and accepts only the exact bytes that [`to_bytes`](Self::to_bytes) gives.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() >= MAX_BYTES {
            return Err(EntryError::TooLarge);
        }
        let entry: Self = serde_json::from_slice(bytes)?;
        if entry.schema != SCHEMA || entry.to_bytes() != bytes {
            return Err(EntryError::NotCanonical);
        }
        Ok(entry)
    }
}

/// An origin in the form of ledger entries: with the mark of the evidence before it, if it has one.
pub fn marked(origin: &str, is_sandbox: bool) -> String {
    match Mark::of(origin, is_sandbox) {
        Some(mark) => format!("{mark}: {origin}"),
        None => origin.to_owned(),
    }
}

/// SHA-256 in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    const_hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            schema: Entry::schema(),
            sequence: 1,
            kind: EntryKind::Run,
            connection: "c1".to_owned(),
            origin: "https://api.truto.one".to_owned(),
            run: "dt=2026-11-23/run=20261123T224000Z-7f3a9c".to_owned(),
            manifest_sha256: "ab".repeat(32),
            sums_sha256: "cd".repeat(32),
            previous_sha256: FIRST_PREVIOUS.to_owned(),
            verdict: "pass".to_owned(),
            complete: true,
            committed_at: "2026-11-23T22:40:02Z".parse().expect("an instant"),
            retain_until: None,
            key_sha256: Entry::UNSIGNED.to_owned(),
        }
    }

    #[test]
    fn an_entry_has_one_key_a_line_in_order() {
        insta::assert_snapshot!(String::from_utf8(entry().to_bytes()).expect("text"), @r#"
        {
          "schema": "asana-access-review/ledger-entry/v1",
          "sequence": 1,
          "kind": "run",
          "connection": "c1",
          "origin": "https://api.truto.one",
          "run": "dt=2026-11-23/run=20261123T224000Z-7f3a9c",
          "manifest_sha256": "abababababababababababababababababababababababababababababababab",
          "sums_sha256": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
          "previous_sha256": "0000000000000000000000000000000000000000000000000000000000000000",
          "verdict": "pass",
          "complete": true,
          "committed_at": "2026-11-23T22:40:02Z",
          "retain_until": null,
          "key_sha256": "none"
        }
        "#);
    }

    #[test]
    fn an_entry_is_read_back_only_from_its_exact_bytes() {
        let bytes = entry().to_bytes();
        assert_eq!(Entry::from_bytes(&bytes).expect("an entry"), entry());

        let compact = serde_json::to_vec(&entry()).expect("json");
        assert!(matches!(
            Entry::from_bytes(&compact),
            Err(EntryError::NotCanonical)
        ));
        let text = String::from_utf8(bytes.clone()).expect("text");
        let extra = text.replace("\"kind\"", "\"extra\": 1,\n  \"kind\"");
        assert!(matches!(
            Entry::from_bytes(extra.as_bytes()),
            Err(EntryError::NotAnEntry(_))
        ));
        let spaced = text.replace("true", "true ");
        assert!(matches!(
            Entry::from_bytes(spaced.as_bytes()),
            Err(EntryError::NotCanonical)
        ));
        assert!(matches!(
            Entry::from_bytes(&[b' '; 5000]),
            Err(EntryError::TooLarge)
        ));
    }
}
