//! The list of users: every page, every row accounted for.

use tracing::{info, warn};

use super::accounts::{Accounts, account};
use super::raw::{Kept, Packer};
use super::{RawPages, SourceError};
use crate::people::{Listing, RejectedRecord, RequestRecord, Workspace};
use crate::truto::{Client, End, List, Page, Row, TrutoError, User, Walk, restarted_once};

/// The users as listed.
#[derive(Debug, Default)]
pub(super) struct Users {
    pub(super) accounts: Accounts,
    pub(super) listing: Listing,
    /// Texts in place of addresses that are none.
    pub(super) emails_unreadable: u64,
    pub(super) raw: Vec<Kept>,
    pub(super) requests: Vec<RequestRecord>,
}

/// The list of users of a workspace.
pub fn users_list(client: &Client, workspace_id: &str) -> List {
    List {
        name: "users",
        path: ["unified", "user-directory", "users"]
            .map(str::to_owned)
            .to_vec(),
        query: vec![("organization_id", workspace_id.to_owned())],
        limit: client.page_size(),
    }
}

/// Reads the list of users to its end.
pub(super) async fn read(
    client: &Client,
    workspace: &Workspace,
    raw: RawPages,
) -> Result<Users, SourceError> {
    let list = users_list(client, &workspace.id);
    let users = restarted_once(async || read_once(client, &list, workspace, raw).await).await?;
    let Listing {
        rows,
        unique,
        duplicates,
        ..
    } = users.listing;
    info!(
        rows,
        unique,
        duplicates,
        pages = users.listing.pages.len(),
        "Read the list of users: {unique} accounts"
    );
    Ok(users)
}

async fn read_once(
    client: &Client,
    list: &List,
    workspace: &Workspace,
    raw: RawPages,
) -> Result<Users, TrutoError> {
    let mut walk = Walk::<User>::new(client, list);
    let mut users = Users::default();
    let mut packer = Packer::new(raw);
    while let Some(page) = walk.next().await? {
        users.raw.extend(packer.page(&page));
        users.add(page, workspace);
        let (pages, accounts) = (walk.pages(), users.accounts.len());
        info!(target: "progress", pages, accounts, "Read {pages} pages, {accounts} accounts");
    }
    users.listing.unique = users.accounts.len() as u64;
    match walk.end() {
        Some(End::LastPage) => users.listing.last_page_reached = true,
        Some(end @ (End::RepeatedCursor { .. } | End::TooManyPages)) => {
            warn!("The list of users did not come to an end: {end}");
            users.listing.stopped_because = Some(end.to_string());
        }
        None => {}
    }
    users.requests = vec![list.record(client, walk.pages())];
    Ok(users)
}

impl Users {
    fn add(&mut self, page: Page<User>, workspace: &Workspace) {
        let number = page.record.page;
        self.listing.rows += page.record.rows;
        self.listing.partial_response |= page.is_partial;
        self.listing.pages.push(page.record);
        for (row, place) in page.rows.into_iter().zip(1..) {
            let reason = match row {
                Row::Record(mut user) => match user.id.take() {
                    Some(id) => {
                        let (account, unreadable) = account(id, user, workspace);
                        self.emails_unreadable += unreadable;
                        if !self.accounts.add(account) {
                            self.listing.duplicates += 1;
                        }
                        continue;
                    }
                    None => "it has no id".to_owned(),
                },
                Row::Other(kind) => format!("it is {kind}, not a record"),
            };
            self.listing.rejected.push(RejectedRecord {
                page: number,
                row: place,
                reason,
            });
        }
    }
}
