//! The evidence that a review needs, read through the ledger: the run to freeze, earlier reviews, and the open review
//! to show or close.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::{Frozen, ReviewError};
use crate::evidence::{Entry, EntryKind, ReviewFile, ReviewFolder, RunFile, RunResult, sha256_hex};
use crate::judgement::{CheckId, CheckStatus, FollowUps, RunRef};
use crate::ledger::{Extent, Ledger, LedgerError};
use crate::report::visible::Minute as _;
use crate::review::{
    EarlierReviews, NotCompared, Owners, ReviewClosed, ReviewManifest, ReviewedRun, Scope,
    Worksheet,
};

fn unreadable(entry: &Entry, why: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Fault(format!(
        "the files of ledger entry {} cannot be read: {why}",
        entry.sequence
    ))
}

fn json<T: DeserializeOwned>(entry: &Entry, bytes: &[u8]) -> Result<T, LedgerError> {
    serde_json::from_slice(bytes).map_err(|error| unreadable(entry, &error))
}

/// A file of one part of a review, after every file of the part was verified.
async fn read<T: DeserializeOwned>(
    ledger: &Ledger,
    entry: &Entry,
    file: ReviewFile,
) -> Result<T, LedgerError> {
    let [bytes] = ledger
        .committed_files(entry, [file.name()], Extent::All)
        .await?;
    json(entry, &bytes)
}

/// The entry of the requested run.
pub(super) async fn run(ledger: &Ledger, asked: &str) -> Result<Entry, ReviewError> {
    let is_it = |entry: &Entry| {
        let is_named = match asked {
            "latest" => entry.complete,
            asked => {
                entry.run == asked
                    || entry.run.ends_with(&format!("/run={asked}"))
                    || entry.sequence.to_string() == asked
            }
        };
        entry.kind == EntryKind::Run && is_named
    };
    let found = ledger.newest(is_it).await?;
    let run = found.ok_or_else(|| {
        ReviewError::BadRequest(match asked {
            "latest" => "the ledger has no complete run to review: run one first".to_owned(),
            asked => format!("the ledger has no run `{asked}`"),
        })
    })?;
    match run.complete {
        true => Ok(run),
        false => Err(ReviewError::BadRequest(format!(
            "the run of ledger entry {} is incomplete, so its list may lack accounts",
            run.sequence
        ))),
    }
}

/// The verified files of a run.
pub(super) async fn reviewed_run(ledger: &Ledger, run: &Entry) -> Result<ReviewedRun, LedgerError> {
    let names = ReviewedRun::FILES.map(|file| file.name());
    let wanted = names.each_ref().map(String::as_str);
    let files = ledger.committed_files(run, wanted, Extent::All).await?;
    ReviewedRun::read(files.each_ref().map(Vec::as_slice)).map_err(|why| unreadable(run, &why))
}

/// A run that shows who has left.
pub(super) struct PeopleRun {
    pub(super) entry: Entry,
    /// Whether it could use the HR feed.
    has_feed: bool,
    /// Whether a newer complete run could not use it.
    is_passed_over: bool,
}

/// The run that shows who has left: the newest complete one that could use the HR feed, since the reviewed run. Without
/// such a run, the newest complete one.
pub(super) async fn people_run(
    ledger: &Ledger,
    reviewed: &RunRef,
) -> Result<PeopleRun, LedgerError> {
    let mut newest = None;
    let mut below = u64::MAX;
    loop {
        let mut passed = false;
        let is_it = |entry: &Entry| {
            passed = entry.sequence < reviewed.sequence && newest.is_some();
            let is_run = entry.kind == EntryKind::Run && entry.complete && entry.sequence < below;
            is_run || passed
        };
        let found = ledger.newest(is_it).await?.filter(|_| !passed);
        let Some(entry) = found else {
            let none = || LedgerError::Fault("the ledger has no complete run".to_owned());
            return newest.ok_or_else(none);
        };
        below = entry.sequence;
        let has_feed = has_feed(ledger, &entry).await?;
        let run = PeopleRun {
            entry,
            has_feed,
            is_passed_over: newest.is_some(),
        };
        match run.has_feed {
            true => return Ok(run),
            false => newest = newest.or(Some(run)),
        }
    }
}

/// Whether a run could use the HR feed.
async fn has_feed(ledger: &Ledger, run: &Entry) -> Result<bool, LedgerError> {
    let result: RunResult<'_> = result_of(ledger, run).await?;
    let mut checks = result.checks.iter();
    Ok(!checks.any(|of| of.id == CheckId::HrNotEmpty && of.status == CheckStatus::Fail))
}

async fn result_of(ledger: &Ledger, run: &Entry) -> Result<RunResult<'static>, LedgerError> {
    let name = RunFile::Result.name();
    let [bytes] = ledger
        .committed_files(run, [&*name], Extent::Wanted)
        .await?;
    json(run, &bytes)
}

/// The owners of the accounts of a review, by that run and the later one. After the retention of the reviewed run, only
/// the addresses in the rows are known.
pub(super) async fn owners(
    ledger: &Ledger,
    worksheet: &Worksheet,
    people_run: &Entry,
    as_of: Timestamp,
) -> Result<Owners, LedgerError> {
    let Some(run) = entry(ledger, &worksheet.snapshot).await? else {
        let sequence = worksheet.snapshot.sequence;
        let text = format!("ledger entry {sequence} of the reviewed run is missing");
        return Err(LedgerError::Fault(text));
    };
    let owners = match owners_of(ledger, &run).await {
        // Only a fault of the evidence is tolerated, not an error of the store.
        Err(LedgerError::Fault(why)) if run.retain_until.is_some_and(|until| until < as_of) => {
            tracing::warn!(
                why,
                "The retention of the reviewed run has ended: owners are known only by the addresses in the rows"
            );
            Owners::default()
        }
        owners => owners?,
    };
    match *people_run == run {
        true => Ok(owners),
        false => Ok(owners.united_with(owners_of(ledger, people_run).await?)),
    }
}

/// The owners of a run, with the people of a later one.
pub(super) async fn with_people_of(
    ledger: &Ledger,
    owners: Owners,
    run: &Entry,
    people_run: &Entry,
) -> Result<Owners, LedgerError> {
    match people_run == run {
        true => Ok(owners),
        false => Ok(owners.with_people_of(owners_of(ledger, people_run).await?)),
    }
}

impl PeopleRun {
    /// A warning if the run does not show who has left lately.
    pub(super) fn unknown_since(&self, as_of: Timestamp) -> Option<String> {
        const OLD: SignedDuration = SignedDuration::from_hours(72);
        let committed_at = self.entry.committed_at;
        let is_old = as_of.duration_since(committed_at) > OLD;
        match (self.has_feed, is_old || self.is_passed_over) {
            (false, _) => Some(
                "no complete run since the reviewed one could use the HR feed, so nothing shows who has left lately"
                    .to_owned(),
            ),
            (true, true) => Some(format!(
                "the newest complete run that could use the HR feed is of {}, so nothing shows who has left since then",
                committed_at.day()
            )),
            (true, false) => None,
        }
    }
}

async fn owners_of(ledger: &Ledger, run: &Entry) -> Result<Owners, LedgerError> {
    let names = ReviewedRun::FILES.map(|file| file.name());
    let wanted = names.each_ref().map(String::as_str);
    let files = ledger.committed_files(run, wanted, Extent::Wanted).await?;
    let read = ReviewedRun::read(files.each_ref().map(Vec::as_slice));
    Ok(read.map_err(|why| unreadable(run, &why))?.owners)
}

async fn entry(ledger: &Ledger, at: &RunRef) -> Result<Option<Entry>, LedgerError> {
    ledger.newest(|entry: &Entry| entry.run_ref() == *at).await
}

/// The decisions of earlier reviews, back to the last complete one of scope `all`, or to a review that cannot be read:
/// one with a fault must not prevent the next review, whose decisions replace those that were lost.
///
/// # Errors
/// If the store fails.
pub(super) async fn earlier_reviews(
    ledger: &Ledger,
    as_of: Timestamp,
) -> Result<(Option<EarlierReviews>, Option<NotCompared>), LedgerError> {
    let mut earlier = None;
    let mut below = u64::MAX;
    loop {
        let mut lowest = u64::MAX;
        let is_it = |entry: &Entry| {
            lowest = entry.sequence;
            entry.kind == EntryKind::ReviewClose && entry.sequence < below
        };
        let close = match ledger.newest(is_it).await {
            Ok(Some(close)) => close,
            Ok(None) => return Ok((earlier, None)),
            // The entry below the last one that could be read.
            Err(LedgerError::Fault(reason)) => {
                let sequence = lowest.saturating_sub(1);
                return Ok((earlier, Some(NotCompared { sequence, reason })));
            }
            Err(error) => return Err(error),
        };
        below = close.sequence;
        match one_closed(ledger, &close).await {
            Ok((worksheet, closed)) => {
                earlier = Some(EarlierReviews::with(earlier, worksheet, &closed));
                if closed.is_of_all() {
                    return Ok((earlier, None));
                }
            }
            Err(LedgerError::Fault(fault)) => {
                let is_expired = close.retain_until.is_some_and(|until| until < as_of);
                let reason = match is_expired {
                    true => "its retention has ended, and its files are gone".to_owned(),
                    false => fault,
                };
                let sequence = close.sequence;
                return Ok((earlier, Some(NotCompared { sequence, reason })));
            }
            Err(error) => return Err(error),
        }
    }
}

/// A closed review and its worksheet.
async fn one_closed(
    ledger: &Ledger,
    close: &Entry,
) -> Result<(Worksheet, ReviewClosed), LedgerError> {
    let closed: ReviewClosed = read(ledger, close, ReviewFile::Review).await?;
    let Some(open) = entry(ledger, &closed.opened).await? else {
        return Err(unreadable(
            close,
            &"the entry that opened the review is missing",
        ));
    };
    let worksheet = read(ledger, &open, ReviewFile::WorksheetJson).await?;
    Ok((worksheet, closed))
}

/// Reviews of this name, and open ones of this scope, each as a sentence. `known` are the reviews of which `run` knew.
pub(super) async fn similar_reviews(
    ledger: &Ledger,
    known: &FollowUps,
    name: &str,
    scope: Scope,
) -> Result<Vec<String>, LedgerError> {
    let mut newer = Vec::new();
    let collect = |entry: &Entry| {
        if entry.sequence > known.through && entry.kind.review_part().is_some() {
            newer.push(entry.clone());
        }
        entry.sequence <= known.through.saturating_add(1)
    };
    match ledger.newest(collect).await {
        // The question is only for convenience: a fault must not prevent the next review.
        Ok(_) | Err(LedgerError::Fault(_)) => {}
        Err(error) => return Err(error),
    }
    let mut open: Vec<(String, Scope)> = Vec::new();
    let known_open = known.open.iter();
    open.extend(known_open.map(|of| (of.review.clone(), of.scope)));
    let last = known.last_closed.iter().chain(&known.last_of_some);
    let mut closed: Vec<String> = last.map(|of| of.review.clone()).collect();
    for entry in newer.iter().rev() {
        let part = ReviewFolder::parse(&entry.run);
        let id = part.as_ref().map_or("", ReviewFolder::id);
        match entry.kind {
            EntryKind::ReviewOpen => {
                let manifest = read::<ReviewManifest>(ledger, entry, ReviewFile::Manifest).await;
                // If it cannot be read, it may have this scope.
                let its = match manifest {
                    Ok(manifest) => manifest.review.scope,
                    Err(LedgerError::Fault(_)) => scope,
                    Err(error) => return Err(error),
                };
                open.push((id.to_owned(), its));
            }
            EntryKind::ReviewClose => {
                open.retain(|(of, _)| of != id);
                closed.push(id.to_owned());
            }
            EntryKind::Run | EntryKind::Failure | EntryKind::ReviewAcknowledge => {}
        }
    }
    let has_name = |id: &str| id.rsplit_once('-').map(|(of, _)| of) == Some(name);
    let similar = open
        .iter()
        .filter(|(id, its)| has_name(id) || *its == scope);
    let mut texts: Vec<String> = similar
        .map(|(id, its)| format!("the review {id} of scope {its} is open"))
        .collect();
    let closed = closed.iter().filter(|id| has_name(id));
    texts.extend(closed.map(|id| format!("the review {id} has the same name and is closed")));
    Ok(texts)
}

/// A judged run and its follow-ups.
#[derive(Debug)]
pub(super) struct NewestRun {
    pub(super) at: RunRef,
    pub(super) as_of: Timestamp,
    pub(super) follow_ups: FollowUps,
}

/// The newest judged run after this entry.
pub(super) async fn newest_run(
    ledger: &Ledger,
    after: u64,
) -> Result<Option<NewestRun>, LedgerError> {
    let is_it = |entry: &Entry| entry.kind == EntryKind::Run || entry.sequence <= after;
    let run = ledger.newest(is_it).await?;
    let Some(run) = run.filter(|run| run.kind == EntryKind::Run && run.sequence > after) else {
        return Ok(None);
    };
    let result = result_of(ledger, &run).await?;
    Ok(Some(NewestRun {
        at: run.run_ref(),
        as_of: result.as_of,
        follow_ups: result.follow_ups.into_owned(),
    }))
}

/// A closed review.
pub(super) struct ClosedOne {
    pub(super) close: Entry,
    pub(super) closed: ReviewClosed,
    pub(super) frozen: Frozen,
    /// The ledger entry that acknowledges it.
    pub(super) acknowledged_by: Option<u64>,
}

/// The closed review with this id or name, or the newest.
pub(super) async fn closed_review(
    ledger: &Ledger,
    asked: Option<&str>,
) -> Result<ClosedOne, ReviewError> {
    let mut acknowledged: HashMap<String, u64> = HashMap::new();
    let is_meant = |entry: &Entry| {
        let Some(part) = ReviewFolder::parse(&entry.run) else {
            return false;
        };
        if entry.kind == EntryKind::ReviewAcknowledge {
            acknowledged.insert(part.id().to_owned(), entry.sequence);
        }
        entry.kind == EntryKind::ReviewClose && part.is_called(asked)
    };
    let Some(close) = ledger.newest(is_meant).await? else {
        return Err(ReviewError::BadRequest(match asked {
            Some(asked) => format!("the ledger has no closed review `{asked}`"),
            None => "no review is closed: `review close --decisions FOLDER` closes one".to_owned(),
        }));
    };
    let (worksheet, closed) = one_closed(ledger, &close).await?;
    let manifest: ReviewManifest = read(ledger, &close, ReviewFile::Manifest).await?;
    Ok(ClosedOne {
        acknowledged_by: acknowledged.remove(&closed.review),
        frozen: Frozen {
            worksheet,
            sha256: closed.review_sha256.clone(),
            origin: manifest.origin,
        },
        close,
        closed,
    })
}

/// The review with this id or name, or the newest, if it is open.
pub(super) async fn open_review(
    ledger: &Ledger,
    asked: Option<&str>,
) -> Result<(Entry, Frozen), ReviewError> {
    let mut closed: Vec<(String, u64)> = Vec::new();
    let mut is_empty = true;
    let is_meant = |entry: &Entry| {
        is_empty = false;
        let part = ReviewFolder::parse(&entry.run).filter(|part| part.is_called(asked));
        let Some(part) = part else {
            return false;
        };
        if entry.kind == EntryKind::ReviewClose {
            closed.push((part.id().to_owned(), entry.sequence));
        }
        // A name selects the newest open review of that name. An id is unique.
        let is_open = closed.iter().all(|(closed, _)| closed != part.id());
        entry.kind == EntryKind::ReviewOpen && (is_open || asked == Some(part.id()))
    };
    let entry = ledger.newest(is_meant).await?;
    let part = entry.as_ref().and_then(|of| ReviewFolder::parse(&of.run));
    let id = part.as_ref().map(ReviewFolder::id);
    // The closed review with the requested id or name.
    let mut closed = closed.iter().filter(|(of, _)| id.is_none_or(|id| id == of));
    let closed = closed.next().filter(|_| id.is_some() || asked.is_some());
    if let Some((id, sequence)) = closed {
        let text = format!("the review {id} was closed by ledger entry {sequence}");
        return Err(ReviewError::NotOpen(text));
    }
    let (Some(entry), Some(part)) = (entry, part) else {
        return Err(match asked {
            Some(asked) => ReviewError::NotOpen(format!("the ledger has no review `{asked}`")),
            // A mistyped setting must not pass for a ledger without a review.
            None if is_empty => ReviewError::bad_request(
                "the ledger is empty: check EVIDENCE_URL and TRUTO_INTEGRATED_ACCOUNT_ID, or make a run first",
            ),
            None => ReviewError::NoneOpen,
        });
    };
    if asked.is_none() {
        tracing::info!(review = part.id(), "Selected the newest open review");
    }
    let names = [ReviewFile::WorksheetJson, ReviewFile::Manifest].map(ReviewFile::name);
    let [bytes, manifest] = ledger.committed_files(&entry, names, Extent::All).await?;
    let worksheet: Worksheet = json(&entry, &bytes)?;
    let manifest: ReviewManifest = json(&entry, &manifest)?;
    let review_sha256 = sha256_hex(&bytes);
    if manifest.review.sha256 != review_sha256
        || worksheet.review != part.id()
        || !manifest.apart_from(&entry).is_empty()
    {
        return Err(unreadable(&entry, &"manifest and worksheet contradict each other").into());
    }
    let frozen = Frozen {
        worksheet,
        sha256: review_sha256,
        origin: manifest.origin,
    };
    Ok((entry, frozen))
}
