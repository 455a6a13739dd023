//! Derives the accounts from Truto's answers. A run uses it on fetched answers, and `verify` on stored ones.

use std::collections::BTreeSet;

use tracing::warn;

use super::accounts::{account, add_email, has_gap, merge, only_listed};
use super::listing::Users;
use super::memberships::Members;
use crate::model::{
    Account, EmailAddress, GapFilling, Listing, Memberships, PageRecord, Role, SecondList, Status,
    Workspace, read_addresses,
};
use crate::truto::{Client, CustomUser, Row, User};

/// The version of the derivation. It changes whenever the same answers may give other accounts.
pub const VERSION: u32 = 1;

/// The accounts of both lists, whose gaps are filled step by step.
#[derive(Debug)]
pub(super) struct Derivation<'a> {
    workspace: &'a Workspace,
    users: Users,
    members: Members,
    pub(super) gaps: GapFilling,
    /// The ids in Asana's own list of users, which has the address of each user who has one.
    named: BTreeSet<String>,
}

/// The result of the derivation.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) listing: Listing,
    pub(super) memberships: Memberships,
    pub(super) gaps: GapFilling,
    pub(super) accounts: Vec<Account>,
}

impl<'a> Derivation<'a> {
    /// Merges both lists.
    pub(super) fn of(workspace: &'a Workspace, users: Users, members: Members) -> Self {
        let gaps = GapFilling {
            emails_unreadable: users.emails_unreadable,
            ..GapFilling::default()
        };
        let mut derivation = Self {
            workspace,
            users,
            members,
            gaps,
            named: BTreeSet::new(),
        };
        let missing = derivation.without_email();
        derivation.members.fill(&mut derivation.users.accounts);
        let pages = &mut derivation.users.listing.pages;
        pages.append(&mut derivation.members.pages);
        derivation.gaps.emails_missing_in_list = missing;
        derivation.gaps.emails_from_memberships = missing - derivation.without_email();
        derivation
    }

    /// Whether the memberships were not asked for.
    pub(super) fn is_narrow(&self) -> bool {
        self.members.are_not_requested()
    }

    fn without_email(&self) -> u64 {
        let accounts = self.users.accounts.values();
        accounts.filter(|account| account.emails.is_empty()).count() as u64
    }

    /// Whether an account lacks an e-mail, which Asana's own list of users may have.
    pub(super) fn lacks_emails(&self) -> bool {
        self.without_email() > 0
    }

    /// Adds the addresses of Asana's own list. An address that only one list has identifies an owner too.
    pub(super) fn take_emails(&mut self, pass: EmailsPass) {
        let missing = self.without_email();
        let accounts = &self.users.accounts;
        let not_listed = pass.ids.iter().filter(|id| !accounts.contains_key(*id));
        let only_listed = accounts.keys().filter(|id| !pass.ids.contains(*id));
        self.gaps.second_list = Some(SecondList {
            last_page_reached: pass.pages.last().is_some_and(|page| page.last),
            rejected: pass.rejected,
            not_listed: not_listed.cloned().collect(),
            only_listed: only_listed.cloned().collect(),
        });
        for (id, email) in pass.emails {
            match self.users.accounts.get_mut(&id) {
                Some(account) => add_email(&mut account.emails, email),
                None => self.gaps.unlisted_with_email.push(id),
            }
        }
        self.gaps.emails_from_pass = missing - self.without_email();
        self.users.listing.pages.extend(pass.pages);
        self.named = pass.ids;
    }

    /// The accounts that still lack a field, in the order in which they are read alone.
    pub(super) fn to_read_alone(&self) -> Vec<String> {
        let accounts = self.users.accounts.values();
        let is_narrow = self.is_narrow();
        let lacking = accounts.filter(|account| has_gap(account, &self.named, is_narrow));
        let ids = lacking.map(|account| account.id.clone());
        let (ids, odd): (Vec<String>, Vec<String>) = ids.partition(|id| Client::can_ask_for(id));
        if !odd.is_empty() {
            let accounts = odd.len();
            warn!(
                accounts,
                "{accounts} accounts have an id that no address can carry"
            );
        }
        ids
    }

    /// Merges a user that was read alone into its account. Returns whether this filled a gap.
    pub(super) fn take_alone(&mut self, id: &str, user: User) -> bool {
        self.gaps.gets += 1;
        let (got, unreadable) = account(id.to_owned(), user, self.workspace);
        self.gaps.emails_unreadable += unreadable;
        let Some(known) = self.users.accounts.get_mut(id) else {
            return false;
        };
        let filled = |of: &Account| (of.emails.is_empty(), of.status.clone(), of.role.clone());
        let before = filled(known);
        merge(known, got);
        before != filled(known)
    }

    /// Asana lists only people with access. Truto may list others too: an account that it marks as deactivated, and that
    /// Asana's own complete list lacks, has no access.
    fn restrict_to_narrow(&mut self) {
        let second = self.gaps.second_list.as_mut();
        let mut second = second.filter(|second| second.last_page_reached && second.rejected == 0);
        for account in self.users.accounts.values_mut() {
            let is_deactivated = account.status == Status::Inactive;
            match &mut second {
                Some(second) if is_deactivated && !self.named.contains(&account.id) => {
                    second.only_listed.retain(|id| *id != account.id);
                    account.role = Role::Unknown(None);
                    account.view_only = None;
                }
                _ => only_listed(account),
            }
        }
    }

    /// The accounts, and how complete they are. The listing has the pages of all lists.
    pub(super) fn finish(mut self) -> Derived {
        // A user that was read alone may disagree with the membership.
        self.members.fill(&mut self.users.accounts);
        if self.is_narrow() {
            self.restrict_to_narrow();
        }
        let Self {
            users,
            members,
            mut gaps,
            ..
        } = self;
        let accounts = &users.accounts;
        let with_email = members.with_email().cloned();
        let unlisted = &mut gaps.unlisted_with_email;
        unlisted.extend(with_email.filter(|id| !accounts.contains_key(id)));
        unlisted.sort();
        unlisted.dedup();
        let memberships = members.summary(accounts);
        // The largest lists of a run: one makes room before the other is copied.
        drop(members);
        Derived {
            listing: users.listing,
            memberships,
            gaps,
            accounts: users.accounts.into_values().collect(),
        }
    }
}

/// The addresses of Asana's own list of users.
#[derive(Debug, Default)]
pub(super) struct EmailsPass {
    /// Of all users.
    pub(super) ids: BTreeSet<String>,
    /// Rows without an id.
    pub(super) rejected: u64,
    pub(super) emails: Vec<(String, EmailAddress)>,
    pub(super) pages: Vec<PageRecord>,
}

impl EmailsPass {
    /// Adds the next page.
    pub(super) fn take(&mut self, record: PageRecord, rows: Vec<Row<CustomUser>>) {
        self.pages.push(record);
        for row in rows {
            let (gid, id, email) = match row {
                Row::Record(CustomUser { gid, id, email, .. }) => (gid, id, email),
                Row::Other(_) => (None, None, None),
            };
            let Some(id) = gid.or(id) else {
                self.rejected += 1;
                continue;
            };
            if let Some(text) = email {
                let found = read_addresses(&text).found;
                self.emails
                    .extend(found.into_iter().map(|email| (id.clone(), email)));
            }
            self.ids.insert(id);
        }
    }
}
