//! The list of users. Each row of each page becomes an account or is rejected.

use tokio::sync::Notify;
use tracing::{info, warn};

use super::accounts::{Accounts, account, add};
use super::raw::{Packer, ReadList};
use super::{RawPages, SourceError};
use crate::model::{Listing, RejectedRecord, Workspace};
use crate::truto::{Client, End, List, Page, PageWalk, Row, TrutoError, User, restarted_once};

/// The accounts of the list.
#[derive(Debug, Default)]
pub(super) struct Users {
    pub(super) accounts: Accounts,
    pub(super) listing: Listing,
    /// The number of unreadable addresses.
    pub(super) emails_unreadable: u64,
}

/// The list of users of a workspace.
pub fn users_list(client: &Client, workspace_id: &str) -> List {
    List {
        name: List::USERS,
        path: ["unified", "user-directory", "users"]
            .map(str::to_owned)
            .to_vec(),
        query: vec![("organization_id", workspace_id.to_owned())],
        limit: client.page_size(),
    }
}

/// Reads the list of users to its end. Notifies `answered` after its first page.
pub(super) async fn read(
    client: &Client,
    workspace: &Workspace,
    raw: RawPages,
    answered: &Notify,
) -> Result<ReadList<Users>, SourceError> {
    let list = users_list(client, &workspace.id);
    let read = async || read_once(client, &list, workspace, raw, answered).await;
    let read = restarted_once(read).await?;
    let listing = &read.content.listing;
    let unique = listing.unique;
    info!(
        rows = listing.rows,
        unique,
        duplicates = listing.duplicates,
        pages = listing.pages.len(),
        "Read the list of users: {unique} accounts"
    );
    Ok(read)
}

async fn read_once(
    client: &Client,
    list: &List,
    workspace: &Workspace,
    raw: RawPages,
    answered: &Notify,
) -> Result<ReadList<Users>, TrutoError> {
    let mut walk = PageWalk::<User>::new(client, list);
    let mut users = Users::default();
    let mut packer = Packer::new(raw);
    while let Some(page) = walk.next().await? {
        answered.notify_one();
        packer.page(&page);
        users.take(page, workspace);
        let (pages, accounts) = (walk.pages(), users.accounts.len());
        info!(target: "progress", pages, accounts, "Read {pages} pages, {accounts} accounts");
    }
    users.end(walk.end());
    if let Some(because) = &users.listing.stopped_because {
        warn!("The list of users is incomplete: {because}");
    }
    Ok(ReadList {
        content: users,
        raw: packer.finish(),
        request: list.record(client, walk.pages()),
    })
}

impl Users {
    /// Adds the next page.
    pub(super) fn take(&mut self, page: Page<User>, workspace: &Workspace) {
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
                        if !add(&mut self.accounts, account) {
                            self.listing.duplicates += 1;
                        }
                        continue;
                    }
                    None => "it has no id".to_owned(),
                },
                Row::Other(_) => "it is not a record".to_owned(),
            };
            self.listing.rejected.push(RejectedRecord {
                page: number,
                row: place,
                reason,
            });
        }
    }

    /// Records how the list ended, after all pages.
    pub(super) fn end(&mut self, end: Option<End>) {
        self.listing.unique = self.accounts.len() as u64;
        self.listing.last_page_reached = end == Some(End::LastPage);
        self.listing.stopped_because = end.and_then(End::shortfall);
    }
}
