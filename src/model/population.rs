//! Everybody who has an account, and how we know that this is everybody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, Role, words};

/// The accounts of one workspace, with the proof that none is missing.
///
/// The numbers are what the checks look at: whoever reads the accounts states here what was seen,
/// and leaves it to the judgement whether that is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// The Truto connection they were read through.
    pub connection: Connection,
    /// Scheme, host and port the answers came from.
    pub origin: String,
    /// The workspace reviewed.
    pub workspace: Workspace,
    /// How many workspaces the connection can see.
    pub workspaces_visible: u64,
    /// Whose eyes we looked through.
    pub viewer: Viewer,
    /// How the list ended and what it held.
    pub listing: Listing,
    /// The second witness.
    pub memberships: Memberships,
    /// How fields that the list left out were filled.
    pub gaps: GapFilling,
    /// How the accounts can be recomputed.
    pub derivation: HowDerived,
    /// How Truto made accounts of Asana's records.
    pub mapping: Mapping,
    /// Our clock minus the server's, in whole minutes towards zero; none if no answer was dated.
    pub clock_skew_minutes: Option<i64>,
    /// What was asked, by method, path and query; repeats after a failure are not counted.
    pub requests: Vec<RequestRecord>,
    /// One per account id, sorted by id. They are in `accounts.jsonl.gz`, so the facts do not repeat them.
    #[serde(skip)]
    pub accounts: Vec<Account>,
}

/// A Truto connection ("integrated account"), without anything secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Its state as Truto words it: `active`, `needs_reauth`, …
    pub status: String,
    /// The integration it is for: `asana`.
    pub integration: Option<String>,
    /// `oauth2`, `api_key`, …
    pub authentication_method: Option<String>,
    /// The scopes it was given, where Truto tells.
    pub scopes: Vec<String>,
    /// The tenant, in the words of whoever made the connection.
    pub tenant_id: Option<String>,
    /// The environment of Truto that it belongs to.
    pub environment_id: Option<String>,
    /// Whether Truto reports it as a sandbox.
    pub is_sandbox: Option<bool>,
    /// Where Truto keeps it: `wnam`, `enam`, `apac`, `eu`.
    pub region: Option<String>,
}

impl Connection {
    /// Whether Truto reports it as a sandbox. Truto reports nothing else about whether data is real.
    pub fn is_sandbox(&self) -> bool {
        self.is_sandbox == Some(true)
    }
}

/// An Asana workspace or organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Its gid.
    pub id: String,
    /// Its name, if told.
    pub name: Option<String>,
}

impl Workspace {
    pub fn name_or_id(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

/// The account the connection itself uses: what it cannot see, we cannot see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Viewer {
    /// Asana says who it is.
    Account {
        /// The account's id.
        id: String,
        /// Its role as `/me` gives it, which may differ from that in the lists.
        role: Role,
    },
    /// It could not be read.
    NotReported {
        /// Why.
        reason: String,
    },
}

/// One page of a list, as received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRecord {
    /// Which list: `users`, `memberships`, `emails`, `employees`.
    pub list: String,
    /// Number of the page in its list, from 1.
    pub page: u64,
    /// Rows on it.
    pub rows: u64,
    /// Size of the body in bytes, unpacked.
    pub bytes: u64,
    /// SHA-256 of the body, unpacked, in hex.
    pub sha256: String,
    /// SHA-256 of the cursor the page was asked with, in hex; none for the first.
    pub cursor_sha256: Option<String>,
    /// Whether it named no further page.
    pub last: bool,
    /// The HTTP status of the answer.
    pub status: u16,
    /// How often it was asked for until that answer came.
    pub attempts: u32,
}

/// How the list of users ended and what it held: `rows` = `unique` + `duplicates` + `rejected`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Every page of every list, in the order asked.
    pub pages: Vec<PageRecord>,
    /// Rows on the pages of the users list.
    pub rows: u64,
    /// Accounts with an id of their own.
    pub unique: u64,
    /// Rows that repeat an id.
    pub duplicates: u64,
    /// Rows that are no account.
    pub rejected: Vec<RejectedRecord>,
    /// Whether a page without a cursor was reached.
    pub last_page_reached: bool,
    /// Why the list ended early, if it did: a cursor that came twice, too many pages.
    pub stopped_because: Option<String>,
    /// Whether a page said `is_partial_response`.
    pub partial_response: bool,
}

/// A row of the users list that is no account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRecord {
    /// Page of the users list, from 1.
    pub page: u64,
    /// Place on the page, from 1.
    pub row: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// The workspace memberships: the second witness of completeness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memberships {
    /// All pages were read.
    Read {
        /// Membership records.
        rows: u64,
        /// Records that are no membership.
        rejected: u64,
        /// Accounts with at least one active membership.
        active: u64,
        /// Accounts whose every membership is inactive.
        inactive: u64,
        /// Accounts with a membership that says neither.
        unknown: u64,
        /// Ids with an active membership that the list of users lacks.
        active_not_listed: Vec<String>,
        /// Ids listed as not inactive for which there is no membership, not even an inactive one.
        listed_without_membership: Vec<String>,
    },
    /// The pass began and its list did not come to an end.
    Incomplete {
        /// Why.
        reason: String,
    },
    /// Truto or Asana does not give them to this connection: there is a single source.
    Unreadable {
        /// The answer's status.
        status: u16,
        /// Scopes the answer names as missing.
        missing_scopes: Vec<String>,
    },
}

/// How fields that the list left out were filled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapFilling {
    /// Accounts without an e-mail in the list of users.
    pub emails_missing_in_list: u64,
    /// Texts in place of an e-mail, in the list or read one by one, that are no address.
    pub emails_unreadable: u64,
    /// E-mails the pass over `/custom/users` brought.
    pub emails_from_pass: u64,
    /// Asana's own list of users as this pass read it: another witness of completeness. None if there was no pass.
    pub second_list: Option<SecondList>,
    /// Accounts read one by one.
    pub gets: u64,
    /// Of these, how many answered 404.
    pub gets_not_found: u64,
    /// Why filling stopped early, if it did.
    pub stopped_because: Option<String>,
    /// Scopes that answers named as missing.
    pub missing_scopes: Vec<String>,
}

/// Asana's own list of users beside the list that the accounts are from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondList {
    /// Whether its last page was reached.
    pub last_page_reached: bool,
    /// Ids that the list of accounts lacks.
    pub not_listed: Vec<String>,
    /// Ids of accounts that it lacks.
    pub only_listed: Vec<String>,
}

/// How accounts were made from Truto's answers, and what of these is there to do it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HowDerived {
    /// The version of the way from answers to accounts.
    pub version: u32,
    /// How much of the answers is kept.
    pub kept: RawPages,
}

words! {
    /// How much of Truto's pages is kept beside their digests.
    RawPages {
        /// Nothing.
        None = "none",
        /// Only the fields we use.
        Minimal = "minimal",
        /// Every byte.
        Full = "full",
    }
}

/// How Truto maps Asana's records of users, which it may change, and a customer may override.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mapping {
    /// Truto told it.
    Reported {
        /// SHA-256 of it in hex: as JSON without blanks, keys sorted.
        sha256: String,
    },
    /// It could not be read.
    NotReported {
        /// Why.
        reason: String,
    },
}

/// A kind of request that was made, without secrets and without cursors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// `GET`.
    pub method: String,
    /// The path, an account's own id written `{id}`.
    pub path: String,
    /// The query, without cursors.
    pub query: BTreeMap<String, String>,
    /// How many different ones were answered: pages, or accounts.
    pub answers: u64,
}

/// Truto's own words, kept so that a third party can recompute the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFile {
    /// What it holds.
    pub kind: RawKind,
    /// The content, gzip.
    pub bytes: Vec<u8>,
    /// Records in it.
    pub rows: u64,
}

/// The most bytes of pages, unpacked, in one raw file; a larger page has a file of its own.
pub const RAW_FILE_BYTES: u64 = 16 << 20;

/// Decides where the raw files of one list end, from the sizes of its pages.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawFileSize(Option<u64>);

impl RawFileSize {
    /// Whether a page of this size begins a file. Takes the pages in their order.
    pub fn begins_with(&mut self, bytes: u64) -> bool {
        let held = self.0.map(|held| held.saturating_add(bytes));
        let held = held.filter(|held| *held <= RAW_FILE_BYTES);
        self.0 = Some(held.unwrap_or(bytes));
        held.is_none()
    }
}

/// The number of the raw file that holds each of these pages, in their order. A file has pages of one list.
pub fn raw_file_of_each(pages: &[PageRecord]) -> impl Iterator<Item = (u32, &PageRecord)> {
    let (mut number, mut size, mut list) = (0, RawFileSize::default(), None);
    pages.iter().map(move |page| {
        if list != Some(&page.list) {
            (size, list) = (RawFileSize::default(), Some(&page.list));
        }
        number += u32::from(size.begins_with(page.bytes));
        (number, page)
    })
}

/// What a raw file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// Pages of a list, one a line; the number counts these files, from 1.
    Pages(u32),
    /// The accounts read one by one, one a line.
    Gets,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_file_ends_with_its_list_or_before_it_grows_too_large() {
        let page = |list: &str, bytes| PageRecord {
            list: list.to_owned(),
            page: 1,
            rows: 1,
            bytes,
            sha256: String::new(),
            cursor_sha256: None,
            last: false,
            status: 200,
            attempts: 1,
        };
        let most = RAW_FILE_BYTES;
        let pages = [
            page("users", most - 1),
            page("users", 1),
            page("users", 1),
            page("users", most + 1),
            page("users", 0),
            page("memberships", 1),
            page("memberships", u64::MAX),
        ];
        let files = raw_file_of_each(&pages).map(|(file, _)| file);
        assert_eq!(Vec::from_iter(files), [1, 1, 2, 3, 4, 5, 6]);
        assert_eq!(raw_file_of_each(&[]).count(), 0);
    }
}
