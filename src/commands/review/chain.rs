//! What a review builds on, read through the ledger: the run that it freezes, the reviews before it, and the
//! open review that is to be shown or closed.

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{Frozen, ReviewError};
use crate::evidence::{Entry, EntryKind, ReviewFile, ReviewFolder, sha256_hex};
use crate::judgement::RunRef;
use crate::ledger::{Extent, Ledger, LedgerError};
use crate::review::{EarlierReviews, Owners, ReviewClosed, ReviewManifest, ReviewedRun, Worksheet};

fn unreadable(entry: &Entry, why: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Fault(format!(
        "the files of ledger entry {} cannot be read: {why}",
        entry.sequence
    ))
}

fn json<T: DeserializeOwned>(entry: &Entry, bytes: &[u8]) -> Result<T, LedgerError> {
    serde_json::from_slice(bytes).map_err(|error| unreadable(entry, &error))
}

/// A file of a review's part, after every file of the part was verified.
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

/// The entry of the run that is asked for.
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
        ReviewError::Asked(match asked {
            "latest" => "there is no complete run to review: run one first".to_owned(),
            asked => format!("there is no run `{asked}` in the ledger"),
        })
    })?;
    match run.complete {
        true => Ok(run),
        false => Err(ReviewError::Asked(format!(
            "the run of ledger entry {} is not complete: accounts may be missing from its list",
            run.sequence
        ))),
    }
}

/// A run's files, each verified.
pub(super) async fn reviewed_run(ledger: &Ledger, run: &Entry) -> Result<ReviewedRun, LedgerError> {
    let names = ReviewedRun::FILES.map(|file| file.name());
    let wanted = names.each_ref().map(String::as_str);
    let files = ledger.committed_files(run, wanted, Extent::All).await?;
    ReviewedRun::read(files.each_ref().map(Vec::as_slice)).map_err(|why| unreadable(run, &why))
}

/// Whose the accounts of an open review are. If the run is kept no longer, only the addresses of the rows
/// themselves are known.
pub(super) async fn owners(
    ledger: &Ledger,
    worksheet: &Worksheet,
    as_of: Timestamp,
) -> Result<Owners, LedgerError> {
    let Some(run) = entry(ledger, &worksheet.snapshot).await? else {
        let sequence = worksheet.snapshot.sequence;
        let text = format!("ledger entry {sequence}, whose run is reviewed, is gone");
        return Err(LedgerError::Fault(text));
    };
    let names = ReviewedRun::FILES.map(|file| file.name());
    let wanted = names.each_ref().map(String::as_str);
    let files = ledger.committed_files(&run, wanted, Extent::Wanted).await;
    let owners = files.and_then(|files| {
        let read = ReviewedRun::read(files.each_ref().map(Vec::as_slice));
        Ok(read.map_err(|why| unreadable(&run, &why))?.owners)
    });
    match owners {
        // A store that fails says nothing about the run.
        Err(LedgerError::Fault(why)) if run.retain_until.is_some_and(|until| until < as_of) => {
            tracing::warn!(
                why,
                "The reviewed run is kept no longer: an owner is known by the addresses of the row alone"
            );
            Ok(Owners::default())
        }
        owners => owners,
    }
}

async fn entry(ledger: &Ledger, at: &RunRef) -> Result<Option<Entry>, LedgerError> {
    ledger.newest(|entry: &Entry| entry.run_ref() == *at).await
}

/// What earlier reviews decided, back to the last complete one of scope `all`.
pub(super) async fn earlier_reviews(
    ledger: &Ledger,
) -> Result<Option<EarlierReviews>, LedgerError> {
    let mut earlier = None;
    let mut below = u64::MAX;
    loop {
        let is_it = |entry: &Entry| entry.kind == EntryKind::ReviewClose && entry.sequence < below;
        let Some(close) = ledger.newest(is_it).await? else {
            return Ok(earlier);
        };
        below = close.sequence;
        let closed: ReviewClosed = read(ledger, &close, ReviewFile::Review).await?;
        let Some(open) = entry(ledger, &closed.opened).await? else {
            return Err(unreadable(&close, &"the entry that opened it is gone"));
        };
        let worksheet = read(ledger, &open, ReviewFile::WorksheetJson).await?;
        earlier = Some(EarlierReviews::with(earlier, worksheet, &closed));
        if closed.is_of_all() {
            return Ok(earlier);
        }
    }
}

/// The review that is asked for by id or name, or the newest, if it is open.
pub(super) async fn open_review(
    ledger: &Ledger,
    asked: Option<&str>,
) -> Result<(Entry, Frozen), ReviewError> {
    let mut closed: Vec<(String, u64)> = Vec::new();
    let is_meant = |entry: &Entry| {
        let Some(part) = ReviewFolder::parse(&entry.run) else {
            return false;
        };
        let id = part.id();
        let name = id.rsplit_once('-').map(|(name, _)| name);
        let is_asked = asked.is_none_or(|asked| id == asked || name == Some(asked));
        match entry.kind {
            EntryKind::ReviewClose if is_asked => {
                closed.push((id.to_owned(), entry.sequence));
                false
            }
            // Two may have one name: then the newest that is open. An id is unique.
            EntryKind::ReviewOpen => {
                let is_open = closed.iter().all(|(closed, _)| closed != id);
                is_asked && (is_open || asked == Some(id))
            }
            EntryKind::Run | EntryKind::Failure | EntryKind::ReviewClose => false,
        }
    };
    let entry = ledger.newest(is_meant).await?;
    let part = entry.as_ref().and_then(|of| ReviewFolder::parse(&of.run));
    let id = part.as_ref().map(ReviewFolder::id);
    // The one that was asked for by its id, or one of its name.
    let mut closed = closed.iter().filter(|(of, _)| id.is_none_or(|id| id == of));
    let closed = closed.next().filter(|_| id.is_some() || asked.is_some());
    if let Some((id, sequence)) = closed {
        let text = format!("the review {id} was closed by ledger entry {sequence}");
        return Err(ReviewError::Asked(text));
    }
    let (Some(entry), Some(part)) = (entry, part) else {
        return Err(ReviewError::Asked(match asked {
            Some(asked) => format!("there is no review `{asked}` in the ledger"),
            None => "no review is open".to_owned(),
        }));
    };
    if asked.is_none() {
        tracing::info!(review = part.id(), "Took the newest review that is open");
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
