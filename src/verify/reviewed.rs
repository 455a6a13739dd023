//! A part of a review compared with what it was made from: the worksheet with the run it froze and the reviews
//! before it, the decisions with the worksheet, and the CSV files with both.
//!
//! Pages and spreadsheets are not recomputed: the manifest has their hashes. Worksheets are read when they are
//! needed, and none is held for later.

use serde::de::DeserializeOwned;

use super::FaultKind;
use super::committed::{CommittedFolder, FolderFiles};
use super::recompute::Recompute;
use crate::evidence::{Entry, FileRecord, ReviewFile, ReviewFolder, ReviewPart, sha256_hex};
use crate::judgement::RunRef;
use crate::ledger::{self, Extent, FolderFault};
use crate::model::at_most;
use crate::review::{
    EarlierReviews, OpenedWith, Owners, ReviewClosed, ReviewDataFile, ReviewManifest, ReviewedRun,
    Worksheet,
};
use crate::store::StoreError;

/// So many differences are reported one by one.
const REPORTED: usize = 3;

/// How comparing a part with what it was made from came out.
pub(super) struct Comparison<'a> {
    found: &'a FolderFiles,
    /// Records of each file that was recomputed.
    rows: Vec<(&'static str, Option<u64>)>,
    /// The files that differ.
    pub(super) differing: Vec<(FaultKind, ReviewFile, String)>,
    /// Why it could not be compared any farther; no fault.
    pub(super) unchecked: Vec<String>,
}

impl Comparison<'_> {
    /// Compares a file with the same file recomputed.
    fn recomputed(&mut self, made: &ReviewDataFile, from: &str) {
        self.rows.push((made.file.name(), made.rows));
        let sha256 = sha256_hex(&made.bytes);
        if self.found.sums.get(made.file.name()) != Some(&sha256) {
            let text = format!("recomputed from {from}, the file has other content");
            self.differing
                .push((FaultKind::ReviewDiffers, made.file, text));
        }
    }

    /// Compares the manifest with the same one recomputed.
    fn manifest(
        &mut self,
        manifest: &ReviewManifest,
        made: impl FnOnce(Vec<FileRecord>) -> ReviewManifest,
    ) {
        // What it says of the files was compared with them, but for the records in each.
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

/// Compares a part whose files are intact with what it was made from.
pub(super) async fn compare<'a>(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
    closed: Option<ReviewClosed>,
    found: &'a FolderFiles,
    recompute: &Recompute,
) -> Result<Comparison<'a>, StoreError> {
    let mut looked = Comparison {
        found,
        rows: Vec::new(),
        differing: Vec::new(),
        unchecked: Vec::new(),
    };
    match closed {
        None => opened(of, manifest, recompute, &mut looked).await?,
        Some(review) => self::closed(of, manifest, review, recompute, &mut looked).await?,
    }
    Ok(looked)
}

/// The worksheet: its rows are the accounts of the run, compared with the reviews before.
async fn opened(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
    recompute: &Recompute,
    looked: &mut Comparison<'_>,
) -> Result<(), StoreError> {
    let Some(stored) = looked.found.kept.get(ReviewFile::WorksheetJson.name()) else {
        return Ok(());
    };
    let worksheet: Worksheet = match serde_json::from_slice(stored) {
        Ok(worksheet) => worksheet,
        Err(error) => {
            let text = format!("it cannot be read as a worksheet: {error}");
            looked
                .differing
                .push((FaultKind::Disagreement, ReviewFile::WorksheetJson, text));
            return Ok(());
        }
    };
    let (file, sha256) = worksheet.to_file();
    looked.recomputed(&file, "its own data");
    looked.recomputed(&worksheet.csv(&sha256), "worksheet.json");

    let Some(run) = reviewed_run(of, recompute, &manifest.snapshot).await? else {
        let sequence = manifest.snapshot.sequence;
        let text = format!("the files of its run, entry {sequence}, are missing or have faults");
        looked.unchecked.push(text);
        return Ok(());
    };
    let earlier = match earlier_reviews(of, recompute, of.entry.sequence).await? {
        Ok(earlier) => earlier,
        Err(why) => {
            looked.unchecked.push(why);
            return Ok(());
        }
    };
    let origin = run.origin.clone();
    let again = Worksheet::freeze(
        OpenedWith {
            review: manifest.review.id.clone(),
            name: manifest.review.name.clone(),
            due: manifest.review.due.clone(),
            scope: manifest.review.scope,
            opened_at: manifest.review.at,
            connection: of.entry.connection.clone(),
            snapshot: manifest.snapshot.clone(),
            reviewers: worksheet.reviewers.clone(),
        },
        run,
        earlier.as_ref(),
    );
    let made =
        |files| ReviewManifest::opened(&manifest.frame(), &worksheet, &sha256, &origin, files);
    looked.manifest(manifest, made);
    let wrong = match again {
        Ok((again, _)) => worksheet.contradictions(again),
        Err(accounts) => {
            let accounts = accounts.iter();
            let text = |account| format!("only its owner could decide about account {account}");
            accounts.map(text).collect()
        }
    };
    if !wrong.is_empty() {
        let text = at_most(REPORTED, wrong).join("; ");
        let text = format!("recomputed from the run it reviews: {text}");
        looked
            .differing
            .push((FaultKind::ReviewDiffers, ReviewFile::WorksheetJson, text));
    }
    Ok(())
}

/// The decisions: about every row of the worksheet, by a person who may decide.
async fn closed(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
    closed: ReviewClosed,
    recompute: &Recompute,
    looked: &mut Comparison<'_>,
) -> Result<(), StoreError> {
    let Some(worksheet) = worksheet(of, manifest).await? else {
        let text = "the worksheet that it decides about is missing or has faults";
        looked.unchecked.push(text.to_owned());
        return Ok(());
    };
    let owners = match reviewed_run(of, recompute, &worksheet.snapshot).await? {
        Some(run) => run.owners,
        None => {
            let text = "its run is missing or has faults: owners are known by the addresses of the rows alone";
            looked.unchecked.push(text.to_owned());
            Owners::default()
        }
    };
    looked.recomputed(&closed.to_file(), "its own data");
    looked.recomputed(&closed.csv(&worksheet), "review.json");
    let (frame, origin) = (manifest.frame(), &manifest.origin);
    let made = |files| ReviewManifest::closed(&frame, &worksheet, &closed, origin, files);
    looked.manifest(manifest, made);
    let wrong = closed.contradictions(&worksheet, &owners);
    if !wrong.is_empty() {
        let text = at_most(REPORTED, wrong).join("; ");
        let text = format!("it and the worksheet disagree: {text}");
        looked
            .differing
            .push((FaultKind::Disagreement, ReviewFile::Review, text));
    }
    Ok(())
}

/// Files of a committed folder, if its entry still vouches for them.
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

/// The run that a review names, as it is stored.
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
        let files = <[Vec<u8>; 3]>::try_from(files).ok()?;
        ReviewedRun::read(files.each_ref().map(Vec::as_slice)).ok()
    }))
}

/// The worksheet that a closed review decides about: the manifest names its hash.
async fn worksheet(
    of: &CommittedFolder<'_>,
    manifest: &ReviewManifest,
) -> Result<Option<Worksheet>, StoreError> {
    let Some(part) = ReviewFolder::of(&manifest.review.id, ReviewPart::Open) else {
        return Ok(None);
    };
    let name = of.connection.review_file(&part, ReviewFile::WorksheetJson);
    let bytes = of.store.store.read(&name).await?;
    let bytes = bytes.filter(|bytes| sha256_hex(bytes) == manifest.review.sha256);
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// The reviews that were closed before an entry, back to the last complete one of scope `all`; or why one is
/// not at hand.
async fn earlier_reviews(
    of: &CommittedFolder<'_>,
    recompute: &Recompute,
    mut sequence: u64,
) -> Result<Result<Option<EarlierReviews>, String>, StoreError> {
    let mut earlier = None;
    loop {
        let close = match recompute.closed_last(sequence) {
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
