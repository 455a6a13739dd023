//! A ledger entry: the commit point of a run, and a link of the chain.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ReviewPart, json};
use crate::judgement::{Mark, RunRef};

/// The `schema` of an entry.
const SCHEMA: &str = "asana-access-review/ledger-entry/v1";

/// What the first entry names as its predecessor: 64 zeros.
pub const FIRST_PREVIOUS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry is stored under this size, in bytes, so that a KMS can sign it whole.
const MAX_BYTES: usize = 4096;

/// A ledger entry. It holds no personal data and is kept for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The form of the entry.
    pub schema: String,
    /// Its number, from 1, without gaps.
    pub sequence: u64,
    /// What it commits.
    pub kind: EntryKind,
    /// The Truto connection.
    pub connection: String,
    /// Where the accounts came from, after the mark of the evidence if it has one.
    pub origin: String,
    /// The run's folder, relative to the connection.
    pub run: String,
    /// SHA-256 of `manifest.json`, in hex.
    pub manifest_sha256: String,
    /// SHA-256 of `SHA256SUMS`, in hex.
    pub sums_sha256: String,
    /// SHA-256 of the bytes of the entry before; 64 zeros for the first.
    pub previous_sha256: String,
    /// The run's verdict.
    pub verdict: String,
    /// Whether the run was complete.
    pub complete: bool,
    /// When the entry was written.
    pub committed_at: Timestamp,
    /// Until when the run's folder is to be kept; none if no retention was set.
    pub retain_until: Option<Timestamp>,
    /// SHA-256 of the DER of the public key that signed it, or [`UNSIGNED`](Self::UNSIGNED).
    pub key_sha256: String,
}

/// What an entry commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A review that was judged.
    Run,
    /// A run that could not be judged.
    Failure,
    /// A periodic access review was opened.
    ReviewOpen,
    /// A periodic access review was closed.
    ReviewClose,
}

impl EntryKind {
    /// Which part of a periodic review it is.
    pub fn review_part(self) -> Option<ReviewPart> {
        match self {
            Self::ReviewOpen => Some(ReviewPart::Open),
            Self::ReviewClose => Some(ReviewPart::Close),
            Self::Run | Self::Failure => None,
        }
    }
}

/// The kind of a key that signs entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519.
    Ed25519,
    /// ECDSA over P-256 with SHA-256; its signatures are DER.
    P256,
}

/// What makes an entry unreadable.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// It is larger than any entry we write.
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// It is not the JSON of an entry.
    #[error("it is not an entry: {0}")]
    NotAnEntry(#[from] serde_json::Error),
    /// It reads like an entry and is not written like one.
    #[error("it is not in the form entries are written in")]
    NotCanonical,
}

impl Entry {
    /// What an entry that is not signed names as its key.
    pub const UNSIGNED: &str = "none";

    /// Whether it names a key: its signature must be there.
    pub fn is_signed(&self) -> bool {
        self.key_sha256 != Self::UNSIGNED
    }

    /// How another entry or a manifest names the run it commits.
    pub fn run_ref(&self) -> RunRef {
        RunRef {
            sequence: self.sequence,
            run: self.run.clone(),
            manifest_sha256: self.manifest_sha256.clone(),
        }
    }

    /// The `schema` every entry bears.
    pub fn schema() -> String {
        SCHEMA.to_owned()
    }

    /// The exact bytes: one key a line, in order, indented by two, with a final newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        json::document(self, usize::MAX)
    }

    /// Reads an entry, and demands exactly the bytes we would write.
    ///
    /// # Errors
    /// What is wrong with it.
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

/// An origin as entries name it: with the mark of the evidence, if it has one.
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
