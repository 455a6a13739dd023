//! The workspace memberships: a second source for the accounts, with their status and role.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::{info, warn};

use super::accounts::{
    Accounts, add_email, higher, may_have_access, reported_by_flag, role_of_flags,
};
use super::raw::{Packer, ReadList};
use super::{RawPages, SourceError};
use crate::model::{self, EmailAddress, PageRecord, Role, Status, read_addresses};
use crate::truto::{
    Client, End, List, Membership, MembershipUser, PageWalk, Row, TrutoError, instant,
    restarted_once,
};

/// Asana's largest page.
pub(super) const ASANA_PAGE_SIZE: u32 = 100;

/// The memberships by user.
#[derive(Debug, Default)]
pub(super) struct Members {
    by_user: BTreeMap<String, Member>,
    rows: u64,
    rejected: u64,
    /// None: read to the end.
    shortfall: Option<model::Memberships>,
    pub(super) pages: Vec<PageRecord>,
}

/// The memberships of one user, merged. An active record wins over one without the flag, and that over an inactive one:
/// a user who was removed and added once more has two records. Among equal records, the newest start and the highest
/// role count.
///
/// An address belongs to the user, so each record of the user has it, or none.
#[derive(Clone, Debug)]
struct Member {
    emails: Vec<EmailAddress>,
    is_active: Option<bool>,
    role: Role,
    is_view_only: Option<bool>,
    began_at: Option<Timestamp>,
}

impl Member {
    fn new(record: &Membership) -> Self {
        let email = record.user.email.as_deref().unwrap_or_default();
        Self {
            emails: read_addresses(email).found,
            is_active: record.is_active,
            role: role_of_flags(record.is_admin, record.is_guest),
            is_view_only: record.is_view_only,
            began_at: record.created_at.as_deref().and_then(instant),
        }
    }

    fn merge(&mut self, mut other: Self) {
        for email in std::mem::take(&mut other.emails) {
            add_email(&mut self.emails, email);
        }
        other.emails.clone_from(&self.emails);
        let weight = |is_active| match is_active {
            Some(true) => 2,
            None => 1,
            Some(false) => 0,
        };
        match weight(other.is_active).cmp(&weight(self.is_active)) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Greater => *self = other,
            std::cmp::Ordering::Equal => {
                let role = std::mem::replace(&mut self.role, Role::Unknown(None));
                self.role = higher(role, other.role);
                if other.began_at > self.began_at {
                    self.began_at = other.began_at;
                    self.is_view_only = other.is_view_only.or(self.is_view_only);
                } else {
                    self.is_view_only = self.is_view_only.or(other.is_view_only);
                }
            }
        }
    }
}

/// Asana's own list of a workspace's memberships.
pub fn memberships_list(workspace_id: &str) -> List {
    let path = [
        "custom",
        "workspaces",
        workspace_id,
        "workspace_memberships",
    ];
    let fields = "user.email,is_active,is_admin,is_guest,is_view_only,created_at";
    List {
        name: List::MEMBERSHIPS,
        path: path.map(str::to_owned).to_vec(),
        query: vec![("opt_fields", fields.to_owned())],
        limit: ASANA_PAGE_SIZE,
    }
}

/// Reads the memberships. A refused or incomplete list is an outcome, not an error.
///
/// The first request waits for the first page of the list of users. If the memberships are then refused as if the
/// connection had no login, it has one, and lacks permissions.
///
/// # Errors
/// No answer, or a refusal of the login.
pub(super) async fn read(
    client: &Client,
    workspace_id: &str,
    raw: RawPages,
    users_answered: &Notify,
) -> Result<ReadList<Members>, SourceError> {
    let list = memberships_list(workspace_id);
    users_answered.notified().await;
    let read = restarted_once(async || read_once(client, &list, raw).await).await;
    let shortfall = match read {
        Ok(members) => return Ok(members),
        Err(TrutoError::ConnectionNeedsReauth { id, .. }) => {
            return Err(SourceError::MembershipsUnauthorized { id });
        }
        Err(error) if error.is_refusal_of_resource() => {
            warn!(
                "Could not read the workspace memberships, so nothing shows that the list of users is complete: {error}"
            );
            model::Memberships::Unreadable {
                status: error.status().unwrap_or_default(),
                missing_scopes: error.missing_scopes().to_vec(),
            }
        }
        Err(error) if error.is_malformed() => {
            warn!("Could not read an answer about workspace memberships: {error}");
            let reason = error.to_string();
            model::Memberships::Incomplete { reason }
        }
        Err(error) => return Err(error.into()),
    };
    Ok(ReadList {
        content: Members::without(shortfall),
        raw: Vec::new(),
        request: list.record(client, 1),
    })
}

async fn read_once(
    client: &Client,
    list: &List,
    raw: RawPages,
) -> Result<ReadList<Members>, TrutoError> {
    let mut walk = PageWalk::<Membership>::new(client, list);
    let mut members = Members::default();
    let mut packer = Packer::new(raw);
    let mut refused = None;
    loop {
        let page = match walk.next().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            // The earlier pages count; only the end of the list is missing.
            Err(error) if walk.pages() > 0 && error.is_refusal_of_resource() => {
                refused = Some(error.to_string());
                break;
            }
            Err(error) => return Err(error),
        };
        packer.page(&page);
        members.take(page.record, page.rows);
        let pages = walk.pages();
        info!(target: "progress", pages, "Read {pages} pages of memberships");
    }
    members.end(walk.end(), refused);
    if let Some(model::Memberships::Incomplete { reason }) = &members.shortfall {
        warn!("The list of workspace memberships is incomplete: {reason}");
    }
    info!(
        rows = members.rows,
        pages = walk.pages(),
        "Read {} workspace memberships",
        members.rows
    );
    Ok(ReadList {
        content: members,
        raw: packer.finish(),
        request: list.record(client, walk.pages()),
    })
}

/// The gid of a membership's user. Its address stays.
fn gid(user: &mut MembershipUser) -> Option<String> {
    user.gid.take().or(user.id.take())
}

impl Members {
    /// No memberships, for this reason.
    pub(super) fn without(shortfall: model::Memberships) -> Self {
        Self {
            shortfall: Some(shortfall),
            ..Self::default()
        }
    }

    pub(super) fn are_not_requested(&self) -> bool {
        self.shortfall == Some(model::Memberships::NotRequested)
    }

    pub(super) fn role(&self, user: &str) -> Option<&Role> {
        self.by_user.get(user).map(|member| &member.role)
    }

    /// Adds the next page.
    pub(super) fn take(&mut self, record: PageRecord, rows: Vec<Row<Membership>>) {
        self.rows += record.rows;
        self.pages.push(record);
        for row in rows {
            match row {
                Row::Record(mut record) => match gid(&mut record.user) {
                    Some(user) => self.add(user, &record),
                    None => self.rejected += 1,
                },
                Row::Other(_) => self.rejected += 1,
            }
        }
    }

    /// Records how the list ended, or why its next page was refused.
    pub(super) fn end(&mut self, end: Option<End>, refused: Option<String>) {
        if let Some(reason) = end.and_then(End::shortfall).or(refused) {
            self.stop(reason);
        }
    }

    fn add(&mut self, user: String, record: &Membership) {
        let member = Member::new(record);
        match self.by_user.get_mut(&user) {
            Some(known) => known.merge(member),
            None => {
                self.by_user.insert(user, member);
            }
        }
    }

    /// The list is incomplete. An unread page may have an active record of the same user, so only access counts.
    fn stop(&mut self, reason: String) {
        self.by_user
            .retain(|_, member| member.is_active == Some(true));
        self.shortfall = Some(model::Memberships::Incomplete { reason });
    }

    /// Fills the gaps of the list of users. If the lists disagree, access wins.
    pub(super) fn fill(&self, accounts: &mut Accounts) {
        for account in accounts.values_mut() {
            let Some(member) = self.by_user.get(&account.id) else {
                continue;
            };
            // The memberships decide a status with an unknown word.
            if member.is_active.is_some() && matches!(account.status, Status::Unknown(_)) {
                account.status = Status::Unknown(None);
            }
            reported_by_flag(&mut account.status, member.is_active);
            let role = std::mem::replace(&mut account.role, Role::Unknown(None));
            account.role = higher(role, member.role.clone());
            account.view_only = account.view_only.or(member.is_view_only);
            account.joined_at = account.joined_at.or(member.began_at);
            for email in &member.emails {
                add_email(&mut account.emails, email.clone());
            }
        }
    }

    /// The users who may have access and have an address.
    pub(super) fn with_email(&self) -> impl Iterator<Item = &String> {
        let members = self.by_user.iter();
        let is_a_person =
            |member: &Member| member.is_active != Some(false) && !member.emails.is_empty();
        members.filter_map(move |(id, member)| is_a_person(member).then_some(id))
    }

    /// How the two lists agree.
    pub(super) fn summary(&self, accounts: &Accounts) -> model::Memberships {
        if let Some(shortfall) = &self.shortfall {
            return shortfall.clone();
        }
        let with = |reported| {
            let members = self.by_user.iter();
            members.filter(move |(_, member)| member.is_active == reported)
        };
        let count = |reported| with(reported).count() as u64;
        // A membership without a flag may be active.
        let active = with(Some(true)).chain(with(None)).map(|(id, _)| id);
        let active_not_listed = active.filter(|id| !accounts.contains_key(*id));
        let listed = accounts.values().filter(|account| may_have_access(account));
        let listed = listed.map(|account| &account.id);
        let without_membership = listed.filter(|id| !self.by_user.contains_key(*id));
        model::Memberships::Read {
            rows: self.rows,
            rejected: self.rejected,
            active: count(Some(true)),
            inactive: count(Some(false)),
            unknown: count(None),
            active_not_listed: active_not_listed.cloned().collect(),
            listed_without_membership: without_membership.cloned().collect(),
        }
    }
}
