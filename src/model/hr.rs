//! The HR feed: rows, dates and rejected rows.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EmailAddress, PageRecord, RequestRecord, words};

/// A complete HR feed, normalised: every row of the file is in exactly one of its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HrFeed {
    /// Where the file came from and how it was read.
    pub origin: FeedOrigin,
    /// The rows that could be read, in the order of the file.
    pub rows: Vec<HrRow>,
    /// The rows that could not, each with its reason.
    pub rejected: Vec<RejectedRow>,
    /// Rows without any value.
    pub blank_rows: u64,
    /// Rows that repeat an earlier row in every field; the first one is in `rows`.
    pub duplicate_rows: u64,
    /// Why the file as a whole cannot be used, if so; `rows` is empty then.
    pub unusable: Option<String>,
}

impl HrFeed {
    /// All data rows of the file: read, rejected, blank and repeated ones.
    pub fn rows_in_file(&self) -> u64 {
        self.rows.len() as u64 + self.rejected.len() as u64 + self.blank_rows + self.duplicate_rows
    }
}

/// Where an HR file came from and how it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedOrigin {
    /// The address without credentials and query.
    pub url: String,
    /// SHA-256 of the bytes as they were fetched, in hex; of all pages in their order, where the
    /// feed is a list.
    pub sha256: String,
    /// How many bytes were fetched.
    pub bytes: u64,
    /// When the file was last changed, or a list was read live, if known.
    pub modified_at: Option<Timestamp>,
    /// The source of that instant.
    pub age_basis: AgeBasis,
    /// `csv`, `json`, `jsonl` or `truto-hris`.
    pub format: String,
    /// The encoding the text was read in, as `UTF-8`.
    pub encoding: String,
    /// Whether the bytes were gzip.
    pub gzip: bool,
    /// Every column of the feed, in its order.
    pub columns: Vec<FeedColumn>,
    /// Notes on how the file was read: skipped lines, a guessed delimiter.
    pub notes: Vec<String>,
    /// Every page of the list, where the feed is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageRecord>,
    /// What was asked for it, by method, path and query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestRecord>,
    /// The words of the status columns, most frequent first, for `check` to show.
    #[serde(skip)]
    pub status_words: Vec<StatusWord>,
}

/// A word of a status column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusWord {
    /// As written.
    pub word: String,
    pub meaning: Employment,
    /// How many rows have it.
    pub rows: u64,
}

/// A column of a table, or a key of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedColumn {
    /// The header as written; of a nested key the path with dots.
    pub name: String,
    pub meaning: Meaning,
}

words! {
    /// What a column holds, and whether it is read.
    Meaning {
        PersonId = "person_id",
        Name = "name",
        /// Work addresses.
        Email = "email",
        /// Further addresses: private ones, aliases.
        OtherEmail = "other_email",
        /// First day of work.
        Start = "start",
        /// Termination date.
        End = "end",
        /// Last day of work.
        LastDay = "last_day",
        /// Employment status.
        Status = "status",
        /// Work place.
        Location = "location",
        /// Time zone of the row's dates.
        Zone = "zone",
        /// Not read, because `HR_FEED_COLUMNS` names it after `ignore=`.
        Ignored = "ignored",
        /// Not read, because its name shows that it has nothing to do with leaving: a birth date, a manager.
        Harmless = "harmless",
        /// Not read, because its meaning is unknown.
        Unread = "unread",
    }
}

impl Meaning {
    /// The word for it in `HR_FEED_COLUMNS`.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Ignored => "ignore",
            other => other.as_str(),
        }
    }
}

/// A date or addresses in an unread column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadCell {
    /// Place in the columns of the feed, from 0.
    pub column: usize,
    /// The date as the end of that day; the earlier one if it can be read in two ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<EmailAddress>,
}

/// The source of the age of the HR file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeBasis {
    /// The file system.
    FileMtime,
    /// `Last-Modified` of an HTTP answer.
    HttpLastModified,
    /// `Last-Modified` of an S3 object.
    S3LastModified,
    /// `Date` of the first page of a list that was read live.
    Live,
    /// No source.
    #[default]
    Unknown,
}

/// One row of the feed that could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HrRow {
    /// Line in the file where the row begins, from 1 (JSON: the element's number, from 1; a list:
    /// the record's number through all pages, which several tenures of one record share).
    pub line: u64,
    /// The person's id. Text: `00123` is not `123`.
    pub person_id: Option<String>,
    /// The person's name, as written.
    pub name: Option<String>,
    /// The work address.
    pub email: Option<EmailAddress>,
    /// Further addresses: personal ones, aliases.
    pub other_emails: Vec<EmailAddress>,
    /// The meaning of the status column.
    pub status: Employment,
    /// First day of work, beginning with the midnight that opens it.
    pub start: Option<HrDate>,
    /// Termination date, ending with the midnight that closes it.
    pub end: Option<HrDate>,
    /// Last day of work, ending with the midnight that closes it.
    pub last_day: Option<HrDate>,
    /// The work place, as written.
    pub location: Option<Arc<str>>,
    /// Whether an address cell holds text that is not an address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable_address: bool,
    /// Dates and addresses in unread columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadCell>,
    /// What was unusual about the row: a blank trimmed, a far date read as "no end".
    pub notes: Vec<String>,
}

impl HrRow {
    /// The end of work: the last day of work where the feed has it, else the termination date.
    pub fn end_of_work(&self) -> Option<&HrDate> {
        self.last_day.as_ref().or(self.end.as_ref())
    }

    /// Every address of the row, the work address first.
    pub fn emails(&self) -> impl Iterator<Item = &EmailAddress> {
        self.email.iter().chain(&self.other_emails)
    }
}

/// A date of the feed: as written, and the instant it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HrDate {
    /// The text of the cell.
    pub written: Arc<str>,
    /// The instant: for a date without a time, the midnight that closes it (an end) or opens it (a
    /// start), in `zone`.
    pub at: Timestamp,
    /// The zone used, or `offset` where the text carries its own.
    pub zone: Arc<str>,
}

/// The meaning of a status. Written `active`, `on_leave`, `ended`, `unclassified:<word>` or `blank`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Employment {
    /// Works here, also in garden leave or on notice.
    Active,
    /// Works here and is on leave.
    OnLeave,
    /// Has left, or will on the row's date.
    Ended,
    /// A word that is not known, as written.
    Unclassified(String),
    /// The row has no status.
    #[default]
    Blank,
}

impl fmt::Display for Employment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.write_str("active"),
            Self::OnLeave => f.write_str("on_leave"),
            Self::Ended => f.write_str("ended"),
            Self::Unclassified(word) => write!(f, "unclassified:{word}"),
            Self::Blank => f.write_str("blank"),
        }
    }
}

impl From<Employment> for String {
    fn from(employment: Employment) -> Self {
        employment.to_string()
    }
}

impl From<String> for Employment {
    fn from(text: String) -> Self {
        match text.as_str() {
            "active" => Self::Active,
            "on_leave" => Self::OnLeave,
            "ended" => Self::Ended,
            "blank" => Self::Blank,
            _ => match text.strip_prefix("unclassified:") {
                Some(word) => Self::Unclassified(word.to_owned()),
                None => Self::Unclassified(text),
            },
        }
    }
}

/// A row that could not be read: listed, never dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// Line in the file where the row begins, from 1.
    pub line: u64,
    /// What is wrong with it and what to do.
    pub reason: String,
    /// Whether the reason names a setting with which the row can be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_setting: bool,
    /// The person's id, where it could be read.
    pub person_id: Option<String>,
    /// The text of the e-mail cell, where there is one.
    pub email: Option<Box<str>>,
    /// The person's name, where it could be read: the person may not approve an exception for the row.
    pub name: Option<Box<str>>,
    /// The row's other addresses, where they could be read, for the same reason.
    pub other_emails: Vec<EmailAddress>,
}
