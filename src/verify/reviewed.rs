//! Recomputes a part of a review: the worksheet from its run and the earlier reviews, the decisions from the worksheet,
//! and the CSV files from both.
//!
//! Pages and spreadsheets are only compared with their hashes. Worksheets are read when they are needed and not kept in
//! memory.

use serde::de::DeserializeOwned;

use super::FaultKind;
use super::committed::{CommittedFolder, FolderFiles};
use super::recompute::Recompute;
use crate::evidence::{Entry, EntryKind, FileRecord, ReviewFile, RunFile, RunResult, sha256_hex};
use crate::judgement::{FollowUps, RunRef};
use crate::ledger::{self, Extent, FolderFault};
use crate::model::at_most;
use crate::review::{
    Acknowledgement, EarlierReviews, OpenedWith, Owners, ReceivedFile, ReviewClosed,
    ReviewDataFile, ReviewManifest, ReviewedRun, Worksheet,
};
use crate::store::StoreError;

/// At most this many differences are listed.
const REPORTED: usize = 3;

/// The differences between a part and the same part recomputed.
pub(super) struct Comparison<'a> {
    files: &'a FolderFiles,
    /// The number of records in each recomputed file.
    rows: Vec<(String, Option<u64>)>,
    pub(super) differing: Vec<(FaultKind, String, String)>,
    /// Why something could not be compared. Not a fault.
    pub(super) unchecked: Vec<String>,
}

impl Comparison<'_> {
    fn differ(&mut self, kind: FaultKind, file: ReviewFile, text: String) {
        self.differing.push((kind, file.name().to_owned(), text));
    }

    /// Compares a stored file with the recomputed one.
    fn recomputed(&mut self, made: &ReviewDataFile, from: &str) {
        let sha256 = sha256_hex(&made.bytes);
        if self.files.sums.get(&made.name) != Some(&sha256) {
            let text = format!("recomputed from {from}, the file has other content");
            self.differing
                .push((FaultKind::ReviewDiffers, made.name.clone(), text));
        }
        self.rows.push((made.name.clone(), made.rows));
    }

    /// Compares the stored manifest with the recomputed one.
    fn manifest(
        &mut self,
        manifest: &ReviewManifest,
        made: impl FnOnce(Vec<FileRecord>) -> ReviewManifest,
    ) {
        // Hashes and sizes were compared with the files; only the numbers of records are recomputed.
        let mut files = manifest.files.clone();
        for (name, rows) in &self.rows {
            if let Some(file) = files.iter_mut().find(|file| file.name == *name) {
                file.rows = *rows;
            }
        }
        let (file, _) = made(files).to_file();
        self.recomputed(&file, "the files it describes");
    }
}

/// Recomputes a part whose files have the right hashes, and compares it.
pub(super) async fn compare<'a>(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
    closed: Option<ReviewClosed>,
    files: &'a FolderFiles,
    recompute: &Recompute,
) -> Result<Comparison<'a>, StoreError> {
    let mut comparison = Comparison {
        files,
        rows: Vec::new(),
        differing: Vec::new(),
        unchecked: Vec::new(),
    };
    match (closed, of.entry.kind) {
        (Some(review), _) => self::closed(of, manifest, review, recompute, &mut comparison).await?,
        (None, EntryKind::ReviewAcknowledge) => {
            acknowledged(of, manifest, recompute, &mut comparison).await?;
        }
        (None, _) => opened(of, manifest, recompute, &mut comparison).await?,
    }
    Ok(comparison)
}

/// Compares the worksheet: its rows are the accounts of the run, compared with the earlier reviews.
async fn opened(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
    recompute: &Recompute,
    comparison: &mut Comparison<'_>,
) -> Result<(), StoreError> {
    let Some(stored) = comparison.files.kept.get(ReviewFile::WorksheetJson.name()) else {
        return Ok(());
    };
    let worksheet: Worksheet = match serde_json::from_slice(stored) {
        Ok(worksheet) => worksheet,
        Err(error) => {
            let text = format!("it cannot be read as a worksheet: {error}");
            comparison.differ(FaultKind::Disagreement, ReviewFile::WorksheetJson, text);
            return Ok(());
        }
    };
    let (file, sha256) = worksheet.to_file();
    comparison.recomputed(&file, "its own data");
    comparison.recomputed(&worksheet.csv(&sha256), "worksheet.json");

    let Some(run) = reviewed_run(of, recompute, &manifest.snapshot).await? else {
        let sequence = manifest.snapshot.sequence;
        let text = format!("the files of its run, entry {sequence}, are missing or have faults");
        comparison.unchecked.push(text);
        return Ok(());
    };
    // The opening stopped its comparison at a review that it could not read.
    let stopped = worksheet.not_compared.as_ref();
    if let Some(not_compared) = stopped {
        let (sequence, reason) = (not_compared.sequence, &not_compared.reason);
        comparison.unchecked.push(format!(
            "its rows are not compared with the review of entry {sequence}: {reason}"
        ));
    }
    let after = stopped.map_or(0, |of| of.sequence);
    let earlier = match earlier_reviews(of, recompute, after, of.entry.sequence).await? {
        Ok(earlier) => earlier,
        Err(why) => {
            comparison.unchecked.push(why);
            return Ok(());
        }
    };
    let origin = run.origin.clone();
    let recomputed = Worksheet::freeze(
        OpenedWith {
            review: manifest.review.id.clone(),
            name: manifest.review.name.clone(),
            due: manifest.review.due.clone(),
            scope: manifest.review.scope,
            opened_at: manifest.review.at,
            connection: of.entry.connection.clone(),
            snapshot: manifest.snapshot.clone(),
            reviewers: worksheet.reviewers.clone(),
            reason_for: worksheet.reason_for.clone(),
            not_compared: worksheet.not_compared.clone(),
        },
        run,
        earlier.as_ref(),
    );
    let made =
        |files| ReviewManifest::opened(&manifest.frame(), &worksheet, &sha256, &origin, files);
    comparison.manifest(manifest, made);
    let wrong = match recomputed {
        Ok((recomputed, _)) => worksheet.contradictions(recomputed),
        Err(not_frozen) => not_frozen.texts(),
    };
    if !wrong.is_empty() {
        let text = at_most(REPORTED, wrong).join("; ");
        let text = format!("recomputed from the run it reviews: {text}");
        comparison.differ(FaultKind::ReviewDiffers, ReviewFile::WorksheetJson, text);
    }
    Ok(())
}

/// Compares the decisions: each is about a row of the worksheet, by a person who may decide about it.
async fn closed(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
    closed: ReviewClosed,
    recompute: &Recompute,
    comparison: &mut Comparison<'_>,
) -> Result<(), StoreError> {
    let Some(worksheet) = worksheet(of, manifest).await? else {
        let text = "the worksheet that it decides about is missing or has faults";
        comparison.unchecked.push(text.to_owned());
        return Ok(());
    };
    let owners = match reviewed_run(of, recompute, &worksheet.snapshot).await? {
        Some(run) => run.owners,
        None => {
            let text = "its run is missing or has faults, so owners were identified only by the addresses in the rows";
            comparison.unchecked.push(text.to_owned());
            Owners::default()
        }
    };
    let (at, file) = (&closed.people_run, ReviewFile::Review);
    let owners = united_with(owners, at, &worksheet, of, recompute, comparison, file).await?;
    comparison.recomputed(&closed.to_file(), "its own data");
    comparison.recomputed(&closed.csv(&worksheet), "review.json");
    let (frame, origin) = (manifest.frame(), &manifest.origin);
    let made = |files| ReviewManifest::closed(&frame, &worksheet, &closed, origin, files);
    comparison.manifest(manifest, made);
    let wrong = closed.contradictions(&worksheet, &owners);
    if !wrong.is_empty() {
        let text = at_most(REPORTED, wrong).join("; ");
        let text = format!("it and the worksheet disagree: {text}");
        comparison.differ(FaultKind::Disagreement, ReviewFile::Review, text);
    }
    Ok(())
}

/// Compares the acknowledgement with the closed review, and its count of open decisions with the run that it names.
async fn acknowledged(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
    recompute: &Recompute,
    comparison: &mut Comparison<'_>,
) -> Result<(), StoreError> {
    let file = ReviewFile::Acknowledgement;
    let Some(stored) = comparison.files.kept.get(file.name()) else {
        return Ok(());
    };
    let stored: Acknowledgement = match serde_json::from_slice(stored) {
        Ok(stored) => stored,
        Err(error) => {
            let text = format!("it cannot be read: {error}");
            comparison.differ(FaultKind::Disagreement, file, text);
            return Ok(());
        }
    };
    let entry = manifest.closed.as_ref().and_then(|at| recompute.entry(at));
    let review: Option<ReviewClosed> = match entry {
        Some(entry) => json(of, entry, ReviewFile::Review).await?,
        None => None,
    };
    let worksheet = worksheet(of, manifest).await?;
    let (Some(review), Some(worksheet)) = (review, worksheet) else {
        let text = "the review that it acknowledges is missing or has faults";
        comparison.unchecked.push(text.to_owned());
        return Ok(());
    };
    let mut follow_ups = None;
    if let Some(at) = &stored.with.as_of_run {
        let Some(found) = follow_ups_of(of, recompute, at).await? else {
            let text = format!(
                "the files of its run, entry {}, are missing or have faults",
                at.sequence
            );
            comparison.unchecked.push(text);
            return Ok(());
        };
        follow_ups = Some(found);
    }
    let with = &stored.with;
    let made = Acknowledgement::of(&review, with.clone(), follow_ups.as_ref());
    comparison.recomputed(&made.to_file(), "the closed review");
    let (frame, origin) = (manifest.frame(), &manifest.origin);
    let manifest_made =
        |files| ReviewManifest::acknowledged(&frame, &worksheet, &review, &stored, origin, files);
    comparison.manifest(manifest, manifest_made);
    let owners = reviewed_run(of, recompute, &worksheet.snapshot).await?;
    let owners = owners.map(|run| run.owners).unwrap_or_default();
    let at = &with.people_run;
    let owners = united_with(owners, at, &worksheet, of, recompute, comparison, file).await?;
    if let Err(wrong) = stored.ensure_second_person(&worksheet, &review, &owners) {
        let text = format!("the person who acknowledges it {wrong}");
        comparison.differ(FaultKind::Disagreement, file, text);
    }
    let is_stored = |of: &ReceivedFile| comparison.files.sums.get(&of.stored) == Some(&of.sha256);
    let later = with.closed.sequence..of.entry.sequence;
    let as_of_run = with.as_of_run.as_ref();
    let is_later = as_of_run.is_none_or(|at| later.contains(&at.sequence));
    if !with.attachments.iter().all(is_stored) || !is_later {
        let text = "a file or a run that it names does not fit it".to_owned();
        comparison.differ(FaultKind::Disagreement, file, text);
    }
    Ok(())
}

/// The owners, with the people of the run that shows who had left.
async fn united_with(
    owners: Owners,
    at: &RunRef,
    worksheet: &Worksheet,
    of: &CommittedFolder<'_>,
    recompute: &Recompute,
    comparison: &mut Comparison<'_>,
    file: ReviewFile,
) -> Result<Owners, StoreError> {
    if *at == worksheet.snapshot {
        return Ok(owners);
    }
    let is_between = (worksheet.snapshot.sequence..of.entry.sequence).contains(&at.sequence);
    let is_run = |entry: &Entry| entry.kind == EntryKind::Run && entry.complete;
    if !is_between || !recompute.entry(at).is_none_or(is_run) {
        let text = "its `people_run` is no complete run after the reviewed one";
        comparison.differ(FaultKind::Disagreement, file, text.to_owned());
        return Ok(owners);
    }
    let Some(run) = reviewed_run(of, recompute, at).await? else {
        let sequence = at.sequence;
        comparison.unchecked.push(format!(
            "the files of entry {sequence} are missing or have faults, so nothing shows who had left"
        ));
        return Ok(owners);
    };
    Ok(owners.united_with(run.owners))
}

/// The follow-ups after a run. None if its files are missing or modified.
async fn follow_ups_of(
    of: &CommittedFolder<'_>,
    recompute: &Recompute,
    at: &RunRef,
) -> Result<Option<FollowUps>, StoreError> {
    let Some(entry) = recompute.entry(at) else {
        return Ok(None);
    };
    let name = RunFile::Result.name();
    let files = committed(of, entry, &[&name]).await?;
    Ok(files.and_then(|files| {
        let result: RunResult<'_> = serde_json::from_slice(&files[0]).ok()?;
        Some(result.follow_ups.into_owned())
    }))
}

/// Files of a committed folder. None if one is missing or modified.
async fn committed(
    of: &CommittedFolder<'_>,
    entry: &Entry,
    files: &[&str],
) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
    let (store, extent) = (of.store.store, Extent::Wanted);
    match ledger::committed_files(store, of.connection, entry, files, extent).await {
        Ok(files) => Ok(Some(files)),
        Err(FolderFault::Store(error)) => Err(error),
        Err(FolderFault::Missing(_) | FolderFault::Other(_)) => Ok(None),
    }
}

async fn json<T: DeserializeOwned>(
    of: &CommittedFolder<'_>,
    entry: &Entry,
    file: ReviewFile,
) -> Result<Option<T>, StoreError> {
    let files = committed(of, entry, &[file.name()]).await?;
    Ok(files.and_then(|files| serde_json::from_slice(&files[0]).ok()))
}

/// The stored run that a review names. None if its files are missing or modified.
async fn reviewed_run(
    of: &CommittedFolder<'_>,
    recompute: &Recompute,
    snapshot: &RunRef,
) -> Result<Option<ReviewedRun>, StoreError> {
    let Some(entry) = recompute.entry(snapshot) else {
        return Ok(None);
    };
    let names = ReviewedRun::FILES.map(|file| file.name());
    let files = committed(of, entry, &names.each_ref().map(String::as_str)).await?;
    Ok(files.and_then(|files| {
        let files = <[Vec<u8>; 6]>::try_from(files).ok()?;
        ReviewedRun::read(files.each_ref().map(Vec::as_slice)).ok()
    }))
}

/// The worksheet of a closed review, if it has the hash in the manifest.
async fn worksheet(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
) -> Result<Option<Worksheet>, StoreError> {
    let file = ReviewFile::WorksheetJson.name();
    let opened = manifest.opened.as_ref();
    let Some(name) = opened.and_then(|at| of.connection.committed_file(&at.run, file)) else {
        return Ok(None);
    };
    let bytes = of.store.store.read(&name).await?;
    let bytes = bytes.filter(|bytes| sha256_hex(bytes) == manifest.review.sha256);
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// The reviews that were closed before an entry, back to the last complete one of scope `all`. An inner error gives the
/// reason why one of these reviews cannot be read.
async fn earlier_reviews(
    of: &CommittedFolder<'_>,
    recompute: &Recompute,
    after: u64,
    mut sequence: u64,
) -> Result<Result<Option<EarlierReviews>, String>, StoreError> {
    let mut earlier = None;
    loop {
        let close = match recompute.closed_last(after, sequence) {
            Ok(Some(close)) => close,
            Ok(None) => return Ok(Ok(earlier)),
            Err(why) => return Ok(Err(why)),
        };
        sequence = close.sequence;
        let closed: Option<ReviewClosed> = json(of, close, ReviewFile::Review).await?;
        let opened = closed.as_ref().and_then(|of| recompute.entry(&of.opened));
        let worksheet = match opened {
            Some(opened) => json(of, opened, ReviewFile::WorksheetJson).await?,
            None => None,
        };
        let (Some(closed), Some(worksheet)) = (closed, worksheet) else {
            return Ok(Err(format!(
                "the review that it is compared with, closed by entry {sequence}, is missing or has faults"
            )));
        };
        earlier = Some(EarlierReviews::with(earlier, worksheet, &closed));
        if closed.is_of_all() {
            return Ok(Ok(earlier));
        }
    }
}
