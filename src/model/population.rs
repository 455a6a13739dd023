//! The accounts of a workspace, and the proof that the list is complete.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, Role, words};

words! {
    /// What the connection may read, as configured. It is never chosen automatically.
    Permissions {
        /// Full permissions of Asana.
        Full = "full",
        /// Only users, workspaces and teams. Asana has no narrow scope for memberships.
        Narrow = "narrow",
    }
}

impl Permissions {
    /// What evidence read with these permissions does not show, in addition to the limits of every run.
    pub fn not_shown(self) -> &'static [&'static str] {
        match self {
            Self::Full => &[],
            Self::Narrow => &[
                "roles: who is an administrator, a member or a guest, and so which administrators HR does not know",
                "view-only licences",
                "whether a listed person is active or only invited",
                "accounts that were deactivated: Asana does not list them, so removal shows as absence",
                "when an account joined",
            ],
        }
    }
}

/// The accounts of one workspace, with the facts that prove that the list is complete.
///
/// The source records these facts. The judgement decides whether they are sufficient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// The Truto connection through which they were read.
    pub connection: Connection,
    /// Scheme, host and port of the server.
    pub origin: String,
    /// The checked workspace.
    pub workspace: Workspace,
    /// The number of workspaces that the connection can see.
    pub workspaces_visible: u64,
    /// The connected account.
    pub viewer: Viewer,
    /// The facts about the list of users.
    pub listing: Listing,
    /// The second list, which must agree.
    pub memberships: Memberships,
    /// The sources of fields that the list lacks.
    pub gaps: GapFilling,
    /// The rule by which the accounts can be recomputed.
    pub derivation: DerivationRecord,
    /// Truto's mapping of Asana's records.
    pub mapping: Mapping,
    /// Our clock minus the server's, in whole minutes rounded towards zero. `None` if no answer had a date.
    pub clock_skew_minutes: Option<i64>,
    /// The requests by method, path and query. Retries are not counted.
    pub requests: Vec<RequestRecord>,
    /// One for each account id, sorted by id. `accounts.jsonl.gz` contains them, so the facts do not repeat them.
    #[serde(skip)]
    pub accounts: Vec<Account>,
}

/// A Truto connection ("integrated account"), without secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub id: String,
    /// Truto's word for its state: `active`, `needs_reauth`, …
    pub status: String,
    /// The name of the integration: `asana`.
    pub integration: Option<String>,
    /// `oauth2`, `api_key`, …
    pub authentication_method: Option<String>,
    /// The granted scopes, if Truto reports them.
    pub scopes: Vec<String>,
    /// The tenant, as named by the creator of the connection.
    pub tenant_id: Option<String>,
    /// Its Truto environment.
    pub environment_id: Option<String>,
    /// Whether Truto reports it as a sandbox, if known.
    pub is_sandbox: Option<bool>,
    /// Its region at Truto: `wnam`, `enam`, `apac`, `eu`.
    pub region: Option<String>,
}

impl Connection {
    /// Whether Truto reports it as a sandbox. No other field shows whether the data is real.
    pub fn is_sandbox(&self) -> bool {
        self.is_sandbox == Some(true)
    }
}

/// An Asana workspace or organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// The gid.
    pub id: String,
    /// The name, if known.
    pub name: Option<String>,
}

impl Workspace {
    pub fn name_or_id(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

impl Population {
    /// The accounts that may have access and that only a second list, or the connection itself, names.
    pub fn unlisted(&self) -> impl Iterator<Item = &str> {
        let of_members = match &self.memberships {
            Memberships::Read {
                active_not_listed, ..
            } => active_not_listed.as_slice(),
            _ => &[],
        };
        let second = self.gaps.second_list.iter();
        let second = second.flat_map(|second| &second.not_listed);
        let mut ids = Vec::from_iter(of_members.iter().chain(second).map(String::as_str));
        if let Viewer::Account { id, .. } = &self.viewer
            && self.accounts.iter().all(|account| account.id != *id)
        {
            ids.push(id);
        }
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter()
    }
}

/// The connected account. The program sees only what this account sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Viewer {
    /// Asana reported the account.
    Account {
        id: String,
        /// The lowest role that `/me`, the list and the memberships give.
        role: Role,
        /// Whether `/me` gives an address: then a person may have the account.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        has_address: bool,
    },
    /// It could not be read.
    NotReported { reason: String },
}

/// One page of a list, as received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRecord {
    /// The list: `users`, `memberships`, `emails`, `employees`.
    pub list: String,
    /// The number of the page in its list, from 1.
    pub page: u64,
    /// The number of rows on the page.
    pub rows: u64,
    /// The size of the unpacked body, in bytes.
    pub bytes: u64,
    /// SHA-256 of the unpacked body, in hex.
    pub sha256: String,
    /// SHA-256 of the cursor in the request, in hex. `None` for the first page.
    pub cursor_sha256: Option<String>,
    /// Whether the page names no further page.
    pub last: bool,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The number of attempts up to this answer.
    pub attempts: u32,
}

/// The facts about the list of users. `rows` = `unique` + `duplicates` + `rejected`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Every page of every list, in the order of the requests.
    pub pages: Vec<PageRecord>,
    /// The number of rows in the list of users.
    pub rows: u64,
    /// The number of different account ids.
    pub unique: u64,
    /// The number of rows that repeat an id.
    pub duplicates: u64,
    /// Rows that are not accounts.
    pub rejected: Vec<RejectedRecord>,
    /// Whether a page without a cursor was reached.
    pub last_page_reached: bool,
    /// The reason if the list ended early: a repeated cursor, too many pages.
    pub stopped_because: Option<String>,
    /// Whether a page had `is_partial_response`.
    pub partial_response: bool,
}

/// A row of the list of users that is not an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRecord {
    /// The number of the page, from 1.
    pub page: u64,
    /// The number of the row on the page, from 1.
    pub row: u64,
    pub reason: String,
}

/// The workspace memberships: a second list that must agree with the list of users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memberships {
    /// All pages were read.
    Read {
        /// The number of membership records.
        rows: u64,
        /// The number of records that are not memberships.
        rejected: u64,
        /// The number of accounts with an active membership.
        active: u64,
        /// The number of accounts with only inactive memberships.
        inactive: u64,
        /// The number of accounts with a membership that is neither active nor inactive.
        unknown: u64,
        /// Ids with an active membership that are missing in the list of users.
        active_not_listed: Vec<String>,
        /// Ids of listed accounts that are not inactive and have no membership, not even an inactive one.
        listed_without_membership: Vec<String>,
    },
    /// Not asked for, because of `ASANA_PERMISSIONS=narrow`. Asana's own list of users is the second list instead.
    NotRequested,
    /// The list did not end.
    Incomplete { reason: String },
    /// This connection may not read them, so nothing shows that the list of users is complete.
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// The missing scopes that the answer names.
        missing_scopes: Vec<String>,
    },
}

/// The sources of fields that the list of users lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapFilling {
    /// The number of accounts without an e-mail address in the list of users.
    pub emails_missing_in_list: u64,
    /// The number of texts that should be e-mail addresses but are not, in the list or in single answers.
    pub emails_unreadable: u64,
    /// The number of accounts whose first e-mail address is from the memberships.
    pub emails_from_memberships: u64,
    /// The number of accounts whose first e-mail address is from `/custom/users`.
    pub emails_from_pass: u64,
    /// Asana's own list of users, read by this pass: another list that must agree. `None` without a pass.
    pub second_list: Option<SecondList>,
    /// Why Asana's own list of users was requested and could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_list_unread: Option<String>,
    /// Ids that a second list names with an address, and that are missing in the list of accounts: a person has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlisted_with_email: Vec<String>,
    /// The number of accounts that were read one by one.
    pub gets: u64,
    /// The number of those that answered 404.
    pub gets_not_found: u64,
    /// The reason if filling stopped early.
    pub stopped_because: Option<String>,
    /// The missing scopes that answers named.
    pub missing_scopes: Vec<String>,
}

/// Asana's own list of users, compared with the list of the accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondList {
    /// Whether its last page was reached.
    pub last_page_reached: bool,
    /// Rows without an id, which may name anyone.
    pub rejected: u64,
    /// Ids that are missing in the list of accounts.
    pub not_listed: Vec<String>,
    /// Ids of accounts that are missing in this list.
    pub only_listed: Vec<String>,
}

/// The rule that made accounts from Truto's answers, and the part of the answers that is kept to recompute them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DerivationRecord {
    /// The version of the rule.
    pub version: u32,
    /// The part of the answers that is kept.
    pub kept: RawPages,
}

words! {
    /// The part of Truto's pages that is kept, in addition to their digests.
    RawPages {
        /// Nothing.
        None = "none",
        /// Only the fields that are used.
        Minimal = "minimal",
        /// Every byte.
        Full = "full",
    }
}

/// Truto's mapping of Asana's user records. Truto may change it, and a customer may override it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mapping {
    /// Truto reported it.
    Reported {
        /// SHA-256 in hex of the mapping as JSON without blanks, with sorted keys.
        sha256: String,
    },
    /// It could not be read.
    NotReported { reason: String },
}

/// A kind of request, without secrets and cursors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// `GET`.
    pub method: String,
    /// The path, with `{id}` for the id of an account.
    pub path: String,
    /// The query, without cursors.
    pub query: BTreeMap<String, String>,
    /// The number of different answers: pages or accounts.
    pub answers: u64,
}

/// Truto's own answers, kept so that a third party can recompute the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFile {
    pub kind: RawKind,
    /// The content, packed with gzip.
    pub bytes: Vec<u8>,
    /// The number of records.
    pub rows: u64,
}

/// The most unpacked bytes of pages in one raw file. A larger page has its own file.
pub const RAW_FILE_BYTES: u64 = 16 << 20;

/// Splits the pages of one list into raw files by size.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawFileSize(Option<u64>);

impl RawFileSize {
    /// Whether a page of this size begins a file. Call it for all pages in order.
    pub fn begins_with(&mut self, bytes: u64) -> bool {
        let size = self.0.map(|size| size.saturating_add(bytes));
        let size = size.filter(|size| *size <= RAW_FILE_BYTES);
        self.0 = Some(size.unwrap_or(bytes));
        size.is_none()
    }
}

/// The number of the raw file of each page, in order. A file has pages of one list.
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

/// The content of a raw file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// Pages of one list, one per line, with the number of the file, from 1.
    Pages(u32),
    /// Accounts that were read one by one, one per line.
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
