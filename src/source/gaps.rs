//! Filling what the list of users leaves out: one pass for e-mails, then user by user.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tracing::{info, warn};

use super::accounts::{account, add_email, has_gap, merge};
use super::listing::Users;
use super::memberships::{ASANA_PAGE_SIZE, Members};
use super::raw::{Kept, Lines, Packer};
use super::{RawPages, SourceError};
use crate::people::{EmailAddress, GapFilling, PageRecord, RequestRecord, Workspace};
use crate::truto::{
    Client, CustomUser, End, GotUser, List, Row, TrutoError, User, Walk, restarted_once,
};

/// Users read at once. The rate limit is what bounds us; this only hides the latency.
const AT_ONCE: usize = 8;

/// If so many users read alone brought nothing, the rest will not either.
const FIRST_TRY: usize = 10;

/// What filling brought.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) gaps: GapFilling,
    pub(super) pages: Vec<PageRecord>,
    pub(super) raw: Vec<Kept>,
    pub(super) gets: Option<Kept>,
    pub(super) requests: Vec<RequestRecord>,
}

/// Fills missing e-mails, statuses and roles as far as the connection allows.
pub(super) async fn fill(
    client: &Client,
    workspace: &Workspace,
    users: &mut Users,
    members: &Members,
    raw: RawPages,
) -> Result<Filled, SourceError> {
    let mut filled = Filled::default();
    let without_email = |users: &Users| {
        let accounts = users.accounts.iter();
        accounts.filter(|account| account.emails.is_empty()).count() as u64
    };
    filled.gaps.emails_missing_in_list = without_email(users);
    filled.gaps.emails_unreadable = users.emails_unreadable;
    if filled.gaps.emails_missing_in_list > 0 {
        filled.emails_pass(client, workspace, users, raw).await?;
        filled.gaps.emails_from_pass = filled.gaps.emails_missing_in_list - without_email(users);
    }
    filled.one_by_one(client, workspace, users, raw).await?;
    // What a single read told may in turn disagree with the membership.
    members.fill(&mut users.accounts);
    Ok(filled)
}

impl Filled {
    /// One pass over Asana's own list of users, which gives e-mails when asked for them.
    async fn emails_pass(
        &mut self,
        client: &Client,
        workspace: &Workspace,
        users: &mut Users,
        raw: RawPages,
    ) -> Result<(), SourceError> {
        let list = List {
            name: "emails",
            path: ["custom", "users"].map(str::to_owned).to_vec(),
            query: vec![
                ("workspace", workspace.id.clone()),
                ("opt_fields", "name,email".to_owned()),
            ],
            limit: ASANA_PAGE_SIZE,
        };
        let pass = match restarted_once(async || read_emails(client, &list, raw).await).await {
            Ok(pass) => pass,
            Err(error) if error.is_refusal_of_resource() || error.is_malformed() => {
                warn!("E-mails cannot be read in one pass: {error}");
                self.add_scopes(&error);
                self.requests.push(list.record(client, 1));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        for (id, email) in pass.emails {
            if let Some(account) = users.accounts.get_mut(&id)
                && account.emails.is_empty()
            {
                add_email(&mut account.emails, email);
            }
        }
        let pages = pass.pages.len() as u64;
        self.requests.push(list.record(client, pages));
        self.pages = pass.pages;
        self.raw = pass.raw;
        Ok(())
    }

    /// Reads alone every account that still lacks something.
    async fn one_by_one(
        &mut self,
        client: &Client,
        workspace: &Workspace,
        users: &mut Users,
        raw: RawPages,
    ) -> Result<(), SourceError> {
        let lacking = users.accounts.iter().filter(|account| has_gap(account));
        let mut ids: Vec<String> = lacking
            .filter(|account| Client::can_ask_for(&account.id))
            .map(|account| account.id.clone())
            .collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return Ok(());
        }
        let needed = client.pacer().time_for(ids.len() as u64);
        let left = client.deadline().remaining();
        if needed > left {
            let because = too_long(ids.len(), needed);
            let (needed_s, left_s) = (needed.as_secs(), left.as_secs());
            warn!(needed_s, left_s, "Not started: {because}");
            self.gaps.stopped_because = Some(because);
            return Ok(());
        }
        info!(
            accounts = ids.len(),
            "Reading {} accounts one by one for what the list leaves out",
            ids.len()
        );
        let mut lines = Lines::new(raw);
        let (first, rest) = ids.split_at(FIRST_TRY.min(ids.len()));
        let mut helped = false;
        for (ids, is_rest) in [(first, false), (rest, true)] {
            if is_rest && !ids.is_empty() && !helped {
                let because =
                    format!("the first {FIRST_TRY} accounts read one by one told nothing new");
                warn!("Stopped: {because}");
                self.gaps.stopped_because = Some(because);
                break;
            }
            let mut answers = stream::iter(ids)
                .map(async |id| (id, client.user(id).await))
                .buffered(AT_ONCE);
            while let Some((id, answer)) = answers.next().await {
                match answer {
                    Ok(GotUser { user, body }) => {
                        self.gaps.gets += 1;
                        lines.add(&user, body);
                        helped |= self.take(id, user, workspace, users);
                    }
                    Err(error) if matches!(error.status(), Some(404 | 410)) => {
                        self.gaps.gets += 1;
                        self.gaps.gets_not_found += 1;
                    }
                    Err(error) if error.is_refusal_of_resource() || error.is_malformed() => {
                        warn!("Accounts cannot be read one by one: {error}");
                        self.gaps.gets += 1;
                        self.add_scopes(&error);
                        self.gaps.stopped_because = Some(error.to_string());
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
                let gets = self.gaps.gets;
                info!(target: "progress", gets, "Read {gets} accounts one by one");
            }
            if self.gaps.stopped_because.is_some() {
                break;
            }
        }
        self.gets = lines.finish();
        self.requests.push(RequestRecord {
            method: "GET".to_owned(),
            path: "/unified/user-directory/users/{id}".to_owned(),
            query: [(
                "integrated_account_id".to_owned(),
                client.connection_id().to_owned(),
            )]
            .into(),
            answers: self.gaps.gets,
        });
        Ok(())
    }

    /// Makes a user read alone one with the account listed; whether a gap was filled by it.
    fn take(&mut self, id: &str, user: User, workspace: &Workspace, users: &mut Users) -> bool {
        let (got, unreadable) = account(id.to_owned(), user, workspace);
        self.gaps.emails_unreadable += unreadable;
        let Some(known) = users.accounts.get_mut(id) else {
            return false;
        };
        let before = (
            known.emails.is_empty(),
            known.status.clone(),
            known.role.clone(),
        );
        merge(known, got);
        before
            != (
                known.emails.is_empty(),
                known.status.clone(),
                known.role.clone(),
            )
    }

    fn add_scopes(&mut self, error: &TrutoError) {
        for scope in error.missing_scopes() {
            if !self.gaps.missing_scopes.contains(scope) {
                self.gaps.missing_scopes.push(scope.clone());
            }
        }
    }
}

#[derive(Debug, Default)]
struct EmailsPass {
    emails: Vec<(String, EmailAddress)>,
    pages: Vec<PageRecord>,
    raw: Vec<Kept>,
}

async fn read_emails(
    client: &Client,
    list: &List,
    raw: RawPages,
) -> Result<EmailsPass, TrutoError> {
    let mut walk = Walk::<CustomUser>::new(client, list);
    let mut pass = EmailsPass::default();
    let mut packer = Packer::new(raw);
    while let Some(page) = walk.next().await? {
        pass.raw.extend(packer.page(&page));
        pass.pages.push(page.record);
        for row in page.rows {
            if let Row::Record(user) = row
                && let Some(id) = user.gid.or(user.id)
                && let Some(email) = user.email.as_deref().and_then(EmailAddress::parse)
            {
                pass.emails.push((id, email));
            }
        }
    }
    if let Some(end @ (End::RepeatedCursor { .. } | End::TooManyPages)) = walk.end() {
        warn!("The list of e-mails did not come to an end: {end}");
    }
    info!(
        pages = walk.pages(),
        "Read {} e-mail addresses in one pass",
        pass.emails.len()
    );
    Ok(pass)
}

/// `1,200 accounts to read one by one need 41 min, more than the run has left (RUN_DEADLINE)`
///
/// What is left to the minute stays in the log: it differs from run to run, and evidence made from
/// the same answers must not.
fn too_long(accounts: usize, needed: Duration) -> String {
    let minutes = needed.as_secs().div_ceil(60);
    format!(
        "{} accounts to read one by one need {minutes} min, more than the run has left (RUN_DEADLINE)",
        thousands(accounts)
    )
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_take_too_long_is_said_in_minutes() {
        let text = too_long(1_200, Duration::from_secs(2_430));
        insta::assert_snapshot!(text, @"1,200 accounts to read one by one need 41 min, more than the run has left (RUN_DEADLINE)");
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }
}
