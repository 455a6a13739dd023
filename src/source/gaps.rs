//! Fills the gaps of the list of users: first with Asana's own list for e-mails, then user by user.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tracing::{info, warn};

use super::derivation::{Derivation, EmailsPass};
use super::memberships::ASANA_PAGE_SIZE;
use super::raw::{Kept, Packer};
use super::{RawPages, SourceError};
use crate::model::{GapFilling, RequestRecord, Workspace};
use crate::truto::{
    Client, CustomUser, End, List, PageWalk, SingleUser, TrutoError, restarted_once,
};

/// Users read at once. The rate limit bounds the requests; this only hides the latency.
const AT_ONCE: usize = 8;

/// If the first users that are read alone fill no gap, the others are not read.
const FIRST_TRY: usize = 10;

/// The requests for the gaps, and their stored answers.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) raw: Vec<Kept>,
    pub(super) gets: Vec<Kept>,
    pub(super) requests: Vec<RequestRecord>,
}

/// Asana's own list of users, or why it could not be read.
#[derive(Debug)]
pub(super) struct SecondRead {
    read: Result<(EmailsPass, Vec<Kept>), TrutoError>,
    request: RequestRecord,
}

/// Reads Asana's own list of users, with e-mails. A refusal is an outcome, not an error.
pub(super) async fn second_list(
    client: &Client,
    workspace: &Workspace,
    raw: RawPages,
) -> Result<SecondRead, SourceError> {
    let list = List {
        name: List::EMAILS,
        path: ["custom", "users"].map(str::to_owned).to_vec(),
        query: vec![
            ("workspace", workspace.id.clone()),
            ("opt_fields", "name,email".to_owned()),
        ],
        limit: ASANA_PAGE_SIZE,
    };
    let read = restarted_once(async || read_emails(client, &list, raw).await).await;
    let pages = match &read {
        Ok((pass, _)) => pass.pages.len() as u64,
        Err(error) if error.is_refusal_of_resource() || error.is_malformed() => {
            warn!("Could not read Asana's own list of users: {error}");
            1
        }
        Err(_) => return Err(read.map(drop).unwrap_err().into()),
    };
    let request = list.record(client, pages);
    Ok(SecondRead { read, request })
}

/// Fills missing e-mails, statuses and roles as far as the connection allows. Asana's own list of users may have been
/// read already.
pub(super) async fn fill(
    client: &Client,
    workspace: &Workspace,
    derivation: &mut Derivation<'_>,
    second: Option<SecondRead>,
    raw: RawPages,
) -> Result<Filled, SourceError> {
    let mut filled = Filled::default();
    let second = match second {
        None if derivation.lacks_emails() => Some(second_list(client, workspace, raw).await?),
        second => second,
    };
    if let Some(SecondRead { read, request }) = second {
        filled.requests.push(request);
        match read {
            Ok((pass, kept)) => {
                filled.raw = kept;
                derivation.take_emails(pass);
            }
            Err(error) => {
                add_scopes(&mut derivation.gaps, &error);
                derivation.gaps.second_list_unread = Some(error.to_string());
            }
        }
    }
    filled.one_by_one(client, derivation, raw).await?;
    Ok(filled)
}

impl Filled {
    /// Reads alone every account that still lacks a field.
    async fn one_by_one(
        &mut self,
        client: &Client,
        derivation: &mut Derivation<'_>,
        raw: RawPages,
    ) -> Result<(), SourceError> {
        let mut ids = derivation.to_read_alone();
        if client.reads_first_pages_only() {
            ids.truncate(1);
        }
        if ids.is_empty() {
            return Ok(());
        }
        let needed = client.pacer().time_for(ids.len() as u64);
        let left = client.deadline().remaining();
        if needed > left {
            let because = too_long(ids.len(), needed);
            let (needed_s, left_s) = (needed.as_secs(), left.as_secs());
            warn!(
                needed_s,
                left_s, "Did not read accounts one by one: {because}"
            );
            derivation.gaps.stopped_because = Some(because);
            return Ok(());
        }
        let all = ids.len();
        info!(
            accounts = all,
            "Reading {all} accounts one by one to fill gaps of the list"
        );
        let mut lines = Packer::new(raw);
        let (first, rest) = ids.split_at(FIRST_TRY.min(all));
        let mut helped = false;
        for (ids, is_rest) in [(first, false), (rest, true)] {
            if is_rest && !ids.is_empty() && !helped {
                let because =
                    format!("the first {FIRST_TRY} accounts read one by one filled no gap");
                warn!("Stopped reading accounts one by one: {because}");
                derivation.gaps.stopped_because = Some(because);
                break;
            }
            let mut answers = stream::iter(ids)
                .map(async |id| (id, client.user(id).await))
                .buffered(AT_ONCE);
            while let Some((id, answer)) = answers.next().await {
                match answer {
                    Ok(SingleUser { user, body }) => {
                        lines.user(&user, body);
                        helped |= derivation.take_alone(id, user);
                    }
                    Err(error) if matches!(error.status(), Some(404 | 410)) => {
                        derivation.gaps.gets += 1;
                        derivation.gaps.gets_not_found += 1;
                    }
                    Err(error) if error.is_refusal_of_resource() || error.is_malformed() => {
                        warn!("Could not read accounts one by one: {error}");
                        derivation.gaps.gets += 1;
                        add_scopes(&mut derivation.gaps, &error);
                        derivation.gaps.stopped_because = Some(error.to_string());
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
                let gets = derivation.gaps.gets;
                info!(target: "progress", gets, all, "Read {gets} of {all} accounts one by one");
            }
            if derivation.gaps.stopped_because.is_some() {
                break;
            }
        }
        if client.reads_first_pages_only() && derivation.gaps.stopped_because.is_none() {
            let still = derivation.to_read_alone();
            if ids.first().is_some_and(|id| still.contains(id)) {
                let because = "the first account read alone still lacks a field";
                derivation.gaps.stopped_because = Some(because.to_owned());
            }
        }
        self.gets = lines.finish();
        let path = "/unified/user-directory/users/{id}";
        let record = client.record(path, derivation.gaps.gets);
        self.requests.push(record);
        Ok(())
    }
}

fn add_scopes(gaps: &mut GapFilling, error: &TrutoError) {
    for scope in error.missing_scopes() {
        if !gaps.missing_scopes.contains(scope) {
            gaps.missing_scopes.push(scope.clone());
        }
    }
}

async fn read_emails(
    client: &Client,
    list: &List,
    raw: RawPages,
) -> Result<(EmailsPass, Vec<Kept>), TrutoError> {
    let mut walk = PageWalk::<CustomUser>::new(client, list);
    let mut pass = EmailsPass::default();
    let mut packer = Packer::new(raw);
    while let Some(page) = walk.next().await? {
        packer.page(&page);
        pass.take(page.record, page.rows);
        let pages = walk.pages();
        info!(target: "progress", pages, "Read {pages} pages of e-mails");
    }
    if let Some(because) = walk.end().and_then(End::shortfall) {
        warn!("Asana's own list of users is incomplete: {because}");
    }
    info!(
        pages = walk.pages(),
        "Read {} e-mail addresses from Asana's own list",
        pass.emails.len()
    );
    Ok((pass, packer.finish()))
}

/// `1,200 accounts to read one by one need 41 min, more than the run has left (RUN_DEADLINE)`
///
/// The time left is only logged: it differs between runs, and the same answers must give the same evidence.
fn too_long(accounts: usize, needed: Duration) -> String {
    let minutes = needed.as_secs().div_ceil(60);
    format!(
        "{} accounts to read one by one need {minutes} min, more than the run has left (RUN_DEADLINE)",
        thousands(accounts)
    )
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    Vec::from_iter(groups.map(String::from_utf8_lossy)).join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_gives_the_necessary_time_in_minutes() {
        let text = too_long(1_200, Duration::from_secs(2_430));
        insta::assert_snapshot!(text, @"1,200 accounts to read one by one need 41 min, more than the run has left (RUN_DEADLINE)");
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }
}
