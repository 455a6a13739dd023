//! The HR feed: fetched, decoded, read row by row, nothing lost silently.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::net;

/// Where the feed is and how to read it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub location: Location,
    /// What it is; `None` finds out from the content.
    pub format: Option<Format>,
    /// Columns named by hand, by what they hold.
    pub columns: BTreeMap<Column, String>,
    /// How to read a date like `03/04/2026`; `None` refuses it.
    pub date_order: Option<DateOrder>,
    /// Zone of dates that carry none: an IANA name that is known to exist.
    pub time_zone: String,
    /// Larger feeds are refused, in bytes (before and after unpacking).
    pub max_bytes: u64,
}

/// Where a feed is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file.
    Path(PathBuf),
    /// `https://` (or `http://` on loopback).
    Http {
        /// The address.
        url: reqwest::Url,
        /// The `Authorization` header.
        authorization: Option<SecretString>,
        /// Bounds of the request.
        http: net::Settings,
    },
    /// An S3 object.
    S3 {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
        /// Path-style addressing.
        force_path_style: bool,
    },
}

/// What a feed file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Delimited text with a header.
    Csv,
    /// One JSON array, or an object that holds one.
    Json,
    /// One JSON object a line.
    Jsonl,
}

/// How the parts of a date with slashes or dashes are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Day, month, year.
    DayFirst,
    /// Month, day, year.
    MonthFirst,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The person's id.
    PersonId,
    /// The person's name.
    Name,
    /// The work address.
    Email,
    /// Further addresses.
    OtherEmail,
    /// First day of work.
    Start,
    /// Termination date.
    End,
    /// Last day of work.
    LastDay,
    /// Employment status.
    Status,
    /// Work place.
    Location,
    /// Time zone of the row's dates, an IANA name.
    Zone,
}
