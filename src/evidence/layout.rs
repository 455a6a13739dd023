//! The names of all objects of the evidence. No other module contains such a name.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{RunIdentity, run_id};
use crate::model::{RawKind, words};

/// The folder of one connection: `system=asana/connection=<id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionFolder(String);

impl ConnectionFolder {
    /// The folder of all connections; ends with a slash.
    pub const ALL: &str = "system=asana/";

    /// The connection folder that contains an object.
    pub fn containing(name: &str) -> Option<Self> {
        let (connection, rest) = name.strip_prefix(Self::ALL)?.split_once('/')?;
        let is_one = connection.starts_with("connection=") && !rest.is_empty();
        is_one.then(|| Self(format!("{}{connection}", Self::ALL)))
    }

    /// The folder of a run or of a part of a review that contains an object, and the object's name in that folder.
    pub fn committed_file_of(&self, name: &str) -> Option<(String, String)> {
        let below = name.strip_prefix(&self.0)?.strip_prefix('/')?;
        let depth = match below.starts_with("reviews/") {
            true => 2,
            false => 1,
        };
        let (end, _) = below.match_indices('/').nth(depth)?;
        let (folder, file) = (&below[..end], &below[end + 1..]);
        is_committed(folder).then(|| (folder.to_owned(), file.to_owned()))
    }

    /// Whether an object is in the folder of public keys.
    pub fn is_key(&self, name: &str) -> bool {
        let below = name.strip_prefix(&self.0).unwrap_or_default();
        below.starts_with("/keys/")
    }

    /// The folder of a connection. Characters other than ASCII letters, digits, `-` and `_` are percent-encoded, so
    /// that an id cannot lead to another folder.
    pub fn of(connection: &str) -> Self {
        let encoded = connection.bytes().map(|byte| match byte {
            b'-' | b'_' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        });
        Self(format!(
            "{}connection={}",
            Self::ALL,
            String::from_iter(encoded)
        ))
    }

    /// The id of the connection, as `--connection` takes it. Characters that no id from this program has become `?`.
    pub fn id(&self) -> String {
        let encoded = self.0.rsplit("connection=").next().unwrap_or_default();
        let mut bytes = encoded.split('%');
        let mut id = bytes.next().unwrap_or_default().to_owned();
        for part in bytes {
            let byte = part
                .get(..2)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok());
            id.push(byte.filter(u8::is_ascii_graphic).map_or('?', char::from));
            id.push_str(part.get(2..).unwrap_or_default());
        }
        let shown = |c: char| if c.is_ascii_graphic() { c } else { '?' };
        id.chars().map(shown).collect()
    }

    /// The folder of the ledger; ends with a slash.
    pub fn ledger(&self) -> String {
        format!("{}/ledger/", self.0)
    }

    pub fn entry(&self, sequence: u64) -> String {
        format!("{}{sequence:010}.json", self.ledger())
    }

    /// The number of the entry with this name. None if it is not the name of an entry.
    pub fn sequence_of(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.ledger())?.strip_suffix(".json")?;
        let is_number = digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok())?
    }

    /// The signature of an entry, by the SHA-256 of the entry's bytes.
    pub fn signature(&self, entry_sha256: &str) -> String {
        format!("{}{entry_sha256}.sig", self.ledger())
    }

    /// Whether an object has the name of a signature. Its entry may be missing: a run that stopped before its entry
    /// leaves such a signature.
    pub fn is_signature(&self, name: &str) -> bool {
        let below = name.strip_prefix(&self.ledger());
        below
            .and_then(|file| file.strip_suffix(".sig"))
            .is_some_and(is_sha256)
    }

    /// The folder of public keys; ends with a slash.
    pub fn keys(&self) -> String {
        format!("{}/keys/", self.0)
    }

    /// A public key, by the SHA-256 of its DER. None if `key_sha256` is not a hash.
    pub fn public_key(&self, key_sha256: &str) -> Option<String> {
        is_sha256(key_sha256).then(|| format!("{}{key_sha256}.pem", self.keys()))
    }

    /// A file of the folder that an entry names. None if `run` is not the name of a folder of evidence.
    pub fn committed_file(&self, run: &str, file: &str) -> Option<String> {
        is_committed(run).then(|| format!("{}/{run}/{file}", self.0))
    }

    /// A file of a run.
    pub fn file(&self, run: &RunFolder, file: &RunFile) -> String {
        format!("{}/{run}/{}", self.0, file.name())
    }
}

/// Whether an entry may commit a folder of this name.
fn is_committed(folder: &str) -> bool {
    RunFolder::parse(folder).is_some() || ReviewFolder::parse(folder).is_some()
}

/// Whether a text is a SHA-256 in lower-case hex.
pub(super) fn is_sha256(text: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 64 && text.bytes().all(is_hex)
}

impl fmt::Display for ConnectionFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A run's folder, relative to its connection: `dt=2026-11-23/run=20261123T224000Z-7f3a9c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(String);

impl RunFolder {
    pub fn of(identity: &RunIdentity) -> Self {
        Self(format!("dt={}/run={}", identity.day(), identity.run_id()))
    }

    /// The folder that a ledger entry names. None if the name does not have the exact form.
    pub fn parse(name: &str) -> Option<Self> {
        let (day, run) = name.strip_prefix("dt=")?.split_once("/run=")?;
        (is_plain(day) && is_plain(run)).then(|| Self(name.to_owned()))
    }

    /// Whether the day in the name is that of the instant.
    pub fn is_of_its_day(&self) -> bool {
        let day = self
            .instant()
            .map(|at| at.strftime("dt=%Y-%m-%d/").to_string());
        day.is_some_and(|day| self.0.starts_with(&day))
    }

    /// The run's id: `20261123T224000Z-7f3a9c`.
    pub fn id(&self) -> &str {
        self.0.split_once("/run=").map_or("", |(_, id)| id)
    }

    /// The instant in the name, to the second.
    pub fn instant(&self) -> Option<Timestamp> {
        instant_of(self.id())
    }
}

/// The instant in an id such as `20261123T224000Z-7f3a9c`.
fn instant_of(id: &str) -> Option<Timestamp> {
    let instant = DateTime::strptime("%Y%m%dT%H%M%SZ", id.split_once('-')?.0).ok()?;
    TimeZone::UTC.to_timestamp(instant).ok()
}

/// Whether a text has only characters that cannot lead to another folder.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for RunFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file of a run's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunFile {
    AccountsCsv,
    AccountsJsonl,
    LeaversCsv,
    LeaversJsonl,
    Concluded,
    FindingsCsv,
    ChangesCsv,
    Result,
    InputHr,
    InputLinks,
    InputAliases,
    InputExceptions,
    InputFacts,
    RawPages(u32),
    RawGets,
    Report,
    Manifest,
    Sums,
}

impl RunFile {
    /// The files that every judged run, or every failed run, has.
    pub fn always(is_judged: bool) -> &'static [Self] {
        match is_judged {
            false => &[Self::Manifest, Self::Report],
            true => &[
                Self::Manifest,
                Self::Report,
                Self::AccountsCsv,
                Self::AccountsJsonl,
                Self::LeaversCsv,
                Self::LeaversJsonl,
                Self::Concluded,
                Self::FindingsCsv,
                Self::ChangesCsv,
                Self::Result,
                Self::InputHr,
                Self::InputLinks,
                Self::InputAliases,
                Self::InputExceptions,
                Self::InputFacts,
            ],
        }
    }

    /// Whether `verify` needs the content of the file with this name, to recompute the run: all files except the page
    /// for people.
    pub fn is_recomputed(name: &str) -> bool {
        name != Self::Report.name()
    }

    /// Whether a file of this name keeps answers, full or shortened.
    pub fn is_raw(name: &str) -> bool {
        name.starts_with("raw/")
    }

    /// The file that keeps answers of this kind.
    pub fn raw(kind: RawKind) -> Self {
        match kind {
            RawKind::Pages(number) => Self::RawPages(number),
            RawKind::Gets => Self::RawGets,
        }
    }

    /// The name, relative to the run's folder.
    pub fn name(&self) -> String {
        match self {
            Self::AccountsCsv => "accounts.csv".to_owned(),
            Self::AccountsJsonl => "accounts.jsonl.gz".to_owned(),
            Self::LeaversCsv => "leavers.csv".to_owned(),
            Self::LeaversJsonl => "leavers.jsonl.gz".to_owned(),
            Self::Concluded => "concluded.jsonl.gz".to_owned(),
            Self::FindingsCsv => "findings.csv".to_owned(),
            Self::ChangesCsv => "changes.csv".to_owned(),
            Self::Result => "result.json".to_owned(),
            Self::InputHr => "inputs/hr.jsonl.gz".to_owned(),
            Self::InputLinks => "inputs/links.jsonl.gz".to_owned(),
            Self::InputAliases => "inputs/aliases.csv".to_owned(),
            Self::InputExceptions => "inputs/exceptions.csv".to_owned(),
            Self::InputFacts => "inputs/facts.json".to_owned(),
            Self::RawPages(number) => format!("raw/pages-{number:04}.jsonl.gz"),
            Self::RawGets => "raw/gets.jsonl.gz".to_owned(),
            Self::Report => "report.html".to_owned(),
            Self::Manifest => "manifest.json".to_owned(),
            Self::Sums => "SHA256SUMS".to_owned(),
        }
    }
}

/// The largest size in bytes of an object of this name. This program does not write larger ones, so a reader may stop
/// there: the hash is wrong in any case.
pub fn most_bytes(name: &str) -> u64 {
    let is_in = |folder: &str| name.split('/').rev().nth(1) == Some(folder);
    match is_in("ledger") || is_in("keys") {
        true => 1 << 20,
        false => 2 << 30,
    }
}

/// One attempt to write a part of a periodic review, relative to its connection:
/// `reviews/2026-Q4-7f3a9c/close-20261221T091500Z-2b90d4`. The part of the review is the one that an entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewFolder {
    id: String,
    part: ReviewPart,
    /// `20261221T091500Z-2b90d4`.
    attempt: String,
}

words! {
    /// A part of a review.
    ReviewPart {
        /// The frozen population.
        Open = "open",
        /// The decisions.
        Close = "close",
        /// The sign-off of a second person.
        Acknowledge = "acknowledge",
    }
}

impl ReviewPart {
    /// What its entry did to the review.
    pub fn done(self) -> &'static str {
        match self {
            Self::Open => "opened",
            Self::Close => "closed",
            Self::Acknowledge => "acknowledged",
        }
    }
}

impl ReviewFolder {
    /// A new folder for a part of the review with this id. None if the id does not have the exact form.
    pub fn of(id: &str, part: ReviewPart, as_of: Timestamp, suffix: &str) -> Option<Self> {
        Self::parse(&format!("reviews/{id}/{part}-{}", run_id(as_of, suffix)))
    }

    /// The folder that a ledger entry names. None if the name does not have the exact form.
    pub fn parse(name: &str) -> Option<Self> {
        let (id, rest) = name.strip_prefix("reviews/")?.split_once('/')?;
        let (part, attempt) = rest.split_once('-')?;
        let part = ReviewPart::ALL.iter().find(|of| of.as_str() == part)?;
        let is_id = is_plain(id) && id.len() <= 80 && !id.starts_with('-');
        (is_id && is_plain(attempt)).then(|| Self {
            id: id.to_owned(),
            part: *part,
            attempt: attempt.to_owned(),
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether a command with this id or name means the review. Without one, it means any.
    pub fn is_called(&self, asked: Option<&str>) -> bool {
        let name = self.id.rsplit_once('-').map(|(name, _)| name);
        asked.is_none_or(|asked| self.id == asked || name == Some(asked))
    }

    pub fn part(&self) -> ReviewPart {
        self.part
    }

    /// The instant in the name, to the second.
    pub fn instant(&self) -> Option<Timestamp> {
        instant_of(&self.attempt)
    }
}

impl fmt::Display for ReviewFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reviews/{}/{}-{}", self.id, self.part, self.attempt)
    }
}

words! {
    /// A file of a periodic review.
    ReviewFile {
        WorksheetJson = "worksheet.json",
        WorksheetCsv = "worksheet.csv",
        WorksheetXlsx = "worksheet.xlsx",
        WorksheetHtml = "worksheet.html",
        DecisionsCsv = "decisions.csv",
        Review = "review.json",
        Acknowledgement = "acknowledgement.json",
        Report = "report.html",
        Manifest = "manifest.json",
        Sums = "SHA256SUMS",
    }
}

words! {
    /// The beginning of the name of a received file.
    ReceivedKind {
        Decisions = "decisions-",
        /// A file that proves the sender.
        Attached = "attached-",
    }
}

impl ReviewFile {
    /// The files that a part of a review always has, except `SHA256SUMS`.
    pub fn always(part: ReviewPart) -> &'static [Self] {
        match part {
            ReviewPart::Open => &[
                Self::WorksheetJson,
                Self::WorksheetCsv,
                Self::WorksheetXlsx,
                Self::WorksheetHtml,
                Self::Manifest,
            ],
            ReviewPart::Close => &[
                Self::DecisionsCsv,
                Self::Review,
                Self::Report,
                Self::Manifest,
            ],
            ReviewPart::Acknowledge => &[Self::Acknowledgement, Self::Manifest],
        }
    }

    /// The name in the folder of a file as it was received. It has no characters of the original name.
    pub fn received(kind: ReceivedKind, number: usize, extension: &str) -> String {
        format!("received/{kind}{number:03}.{extension}")
    }

    /// The name, relative to the folder.
    pub fn name(self) -> &'static str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_review_folder_of_an_entry_cannot_lead_elsewhere() {
        let name = "reviews/2026-Q4-7f3a9c/open-20261123T224000Z-7f3a9c";
        let folder = ReviewFolder::parse(name).expect("a folder");
        assert_eq!(folder.to_string(), name);
        assert_eq!(
            (folder.id(), folder.part()),
            ("2026-Q4-7f3a9c", ReviewPart::Open)
        );
        for name in [
            "reviews/2026-Q4/shut-1",
            "reviews/2026-Q4/open",
            "reviews/2026-Q4/open-",
            "reviews/../open-1",
            "reviews//open-1",
            "reviews/a/b/open-1",
            "reviews/a/open-1/",
            "reviews/a/open-../x",
            "dt=2026-11-23/run=20261123T224000Z-7f3a9c",
        ] {
            assert_eq!(ReviewFolder::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_file_of_a_review_is_recognized_by_its_name() {
        let folder = ConnectionFolder::of("c1");
        let part = ReviewFolder::parse("reviews/2026-Q4-7f3a9c/close-1").expect("a folder");
        let name = format!("{folder}/{part}/{}", ReviewFile::Report);
        let found = folder.committed_file_of(&name).expect("a review's file");
        assert_eq!(found, (part.to_string(), "report.html".to_owned()));
        let other = format!("{folder}/reviews/x");
        assert_eq!(folder.committed_file_of(&other), None);
    }

    #[test]
    fn a_connection_cannot_leave_its_folder() {
        let folder = ConnectionFolder::of("../../etc/pass wd");
        assert_eq!(
            folder.to_string(),
            "system=asana/connection=%2E%2E%2F%2E%2E%2Fetc%2Fpass%20wd"
        );
        assert_eq!(folder.id(), "../../etc/pass?wd");
        assert_eq!(ConnectionFolder::of("5f0c-a_B").id(), "5f0c-a_B");
    }

    #[test]
    fn only_entries_have_a_sequence() {
        let folder = ConnectionFolder::of("c1");
        assert_eq!(folder.sequence_of(&folder.entry(42)), Some(42));
        for other in [
            "ledger/42.json",
            "ledger/0000000042.sig",
            "ledger/00000000x2.json",
        ] {
            let name = format!("{folder}/{other}");
            assert_eq!(folder.sequence_of(&name), None, "{name}");
        }
        assert_eq!(folder.sequence_of("elsewhere/ledger/0000000042.json"), None);
    }

    #[test]
    fn signatures_and_keys_are_named_by_a_hash_and_found_by_their_name() {
        let folder = ConnectionFolder::of("c1");
        let sha256 = "ab".repeat(32);
        let signature = folder.signature(&sha256);
        assert_eq!(
            signature,
            format!("system=asana/connection=c1/ledger/{sha256}.sig")
        );
        assert!(folder.is_signature(&signature));
        assert_eq!(folder.sequence_of(&signature), None);
        let key = folder.public_key(&sha256).expect("a name");
        assert_eq!(key, format!("system=asana/connection=c1/keys/{sha256}.pem"));

        for other in ["none", "", "../../etc/passwd", &"AB".repeat(32)] {
            assert_eq!(folder.public_key(other), None, "{other}");
            let name = folder.signature(other);
            assert!(!folder.is_signature(&name), "{name}");
        }
    }

    #[test]
    fn the_run_folder_of_an_entry_cannot_lead_elsewhere() {
        assert!(RunFolder::parse("dt=2026-11-23/run=20261123T224000Z-7f3a9c").is_some());
        for name in [
            "",
            "dt=/run=",
            "dt=../run=x",
            "dt=2026-11-23/run=a/../../b",
            "/etc",
        ] {
            assert_eq!(RunFolder::parse(name), None, "{name}");
        }
    }
}
