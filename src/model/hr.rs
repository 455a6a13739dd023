//! The HR feed: rows, dates and rejected rows.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EmailAddress, PageRecord, RequestRecord, words};

/// A complete, normalised HR feed. Every row of the file is in exactly one of its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HrFeed {
    pub origin: FeedOrigin,
    /// The rows that could be read, in the order of the file.
    pub rows: Vec<HrRow>,
    /// The rows that could not be read, each with its reason.
    pub rejected: Vec<RejectedRow>,
    /// Rows without any value.
    pub blank_rows: u64,
    /// Rows with an id or an address that repeat an earlier row in every field; the first one is in `rows`.
    pub duplicate_rows: u64,
    /// The reason if the whole file cannot be used. Then `rows` is empty.
    pub unusable: Option<String>,
}

impl HrFeed {
    /// The number of data rows in the file: read, rejected, blank and repeated.
    pub fn rows_in_file(&self) -> u64 {
        self.rows.len() as u64 + self.rejected.len() as u64 + self.blank_rows + self.duplicate_rows
    }
}

/// The source of an HR feed, and the facts about reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedOrigin {
    /// The address without credentials and query.
    pub url: String,
    /// SHA-256 of the fetched bytes, in hex. For a list, of all pages in order.
    pub sha256: String,
    /// The number of fetched bytes.
    pub bytes: u64,
    /// The instant of the last change of a file, or of the live reading of a list, if known.
    pub modified_at: Option<Timestamp>,
    /// The source of that instant.
    pub age_basis: AgeBasis,
    /// `csv`, `json`, `jsonl` or `truto-hris`.
    pub format: String,
    /// The encoding of the text: `UTF-8`.
    pub encoding: String,
    /// Whether the bytes were gzip.
    pub gzip: bool,
    /// Every column of the feed, in order.
    pub columns: Vec<FeedColumn>,
    /// Notes on the file: skipped lines, a guessed delimiter.
    pub notes: Vec<String>,
    /// Every page, if the feed is a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageRecord>,
    /// The requests for a list, by method, path and query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestRecord>,
    /// The words of the status columns, most frequent first. `check` prints them.
    #[serde(skip)]
    pub status_words: Vec<StatusWord>,
}

/// A word of a status column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusWord {
    /// As written.
    pub word: String,
    pub meaning: Employment,
    /// The number of rows with this word.
    pub rows: u64,
}

/// A column of a table, or a key of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedColumn {
    /// The header as written, or the dotted path of a nested key.
    pub name: String,
    pub meaning: Meaning,
}

words! {
    /// The meaning of a column, or the reason why it is not read.
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
        /// Department, which reviewers see. It decides nothing.
        Department = "department",
        /// Job title, which reviewers see. It decides nothing.
        Title = "title",
        /// Not read, because `HR_FEED_COLUMNS` lists it after `ignore=`.
        Ignored = "ignored",
        /// Not read, because its name is unrelated to leaving: a birth date, a manager.
        Harmless = "harmless",
        /// Not read, because its meaning is unknown.
        Unread = "unread",
    }
}

impl Meaning {
    /// Whether a column only has facts for reviewers. Its dates, addresses and words of leaving count as unread.
    pub fn is_displayed(self) -> bool {
        matches!(self, Self::Department | Self::Title)
    }

    /// Whether the values of the column decide something.
    pub fn decides(self) -> bool {
        !self.is_displayed() && !matches!(self, Self::Ignored | Self::Harmless | Self::Unread)
    }

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
    /// Index in the columns of the feed, from 0.
    pub column: usize,
    /// The end of the day in the cell. If the date has two readings, the earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<EmailAddress>,
}

/// The source of the feed's age.
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
    /// The line in which the row begins, from 1. For JSON, the number of the element. For a list, the number of the record
    /// across all pages, which all tenures of one record share.
    pub line: u64,
    /// The person's id. It is text: `00123` is not `123`.
    pub person_id: Option<String>,
    /// As written.
    pub name: Option<String>,
    /// The work address.
    pub email: Option<EmailAddress>,
    /// Further addresses: personal ones, aliases.
    pub other_emails: Vec<EmailAddress>,
    /// The meaning of the status columns.
    pub status: Employment,
    /// First day of work: the midnight that opens it.
    pub start: Option<HrDate>,
    /// Termination date: the midnight that closes it.
    pub end: Option<HrDate>,
    /// Last day of work: the midnight that closes it.
    pub last_day: Option<HrDate>,
    /// As written.
    pub location: Option<Arc<str>>,
    /// As written. Only shown to reviewers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Arc<str>>,
    /// The job title, as written. Only shown to reviewers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Arc<str>>,
    /// Whether an address cell contains text that is not an address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable_address: bool,
    /// Dates and addresses in unread columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadCell>,
    /// Notes on unusual values: a trimmed blank, a date in the far future.
    pub notes: Vec<String>,
}

impl HrRow {
    /// The end of work: the last day of work if the row has it, else the termination date.
    pub fn end_of_work(&self) -> Option<&HrDate> {
        self.last_day.as_ref().or(self.end.as_ref())
    }

    /// Every address of the row, the work address first.
    pub fn emails(&self) -> impl Iterator<Item = &EmailAddress> {
        self.email.iter().chain(&self.other_emails)
    }
}

/// A date of the feed, as written and as an instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HrDate {
    /// The text of the cell.
    pub written: Arc<str>,
    /// The instant. For a date without a time, the midnight in `zone` that closes the day (an end) or opens it (a start).
    pub at: Timestamp,
    /// The zone of the row, or `offset` if the text has an offset.
    pub zone: Arc<str>,
}

/// The meaning of a status. Written `active`, `on_leave`, `ended`, `unclassified:<word>` or `blank`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Employment {
    /// Employed, including people in garden leave or on notice.
    Active,
    /// Employed and on leave.
    OnLeave,
    /// Has left, or will leave on the row's date.
    Ended,
    /// An unknown word, as written.
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

/// A row that could not be read. It is listed, never dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// The line in which the row begins, from 1.
    pub line: u64,
    /// The fault and the remedy.
    pub reason: String,
    /// Whether the reason names a setting that makes the row readable.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_setting: bool,
    /// The person's id, if readable.
    pub person_id: Option<String>,
    /// The text of the e-mail cell, if any.
    pub email: Option<Box<str>>,
    /// The person's name, if readable. This person may not approve an exception for the row.
    pub name: Option<Box<str>>,
    /// The row's other addresses, if readable, for the same purpose.
    pub other_emails: Vec<EmailAddress>,
}
