//! Checks one committed part of a periodic review: compares its files with the entry and with the earlier entries that
//! it builds on.

use super::committed::{CommittedFolder, FolderFiles};
use super::recompute::Recompute;
use super::reviewed;
use super::{ChainVerified, FaultKind, Verified};
use crate::evidence::{ReviewFile, ReviewPart};
use crate::judgement::Verdict;
use crate::review::{ReceivedFile, ReviewClosed, ReviewEvent, ReviewManifest, Totals};
use crate::store::StoreError;

/// Whether the content of a file is needed. The other files are recomputed from these and compared by hash.
fn is_read(file: &str) -> bool {
    let read = [
        ReviewFile::Manifest,
        ReviewFile::Review,
        ReviewFile::WorksheetJson,
        ReviewFile::Acknowledgement,
    ];
    read.map(ReviewFile::name).contains(&file)
}

pub(super) async fn verify(
    stored: &CommittedFolder<'_>,
    recompute: &mut Recompute,
    chain: &mut ChainVerified,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    let sequence = stored.entry.sequence;
    let faults_before = verified.faults.len();
    let Some(files) = stored.walk(is_read, chain, verified).await? else {
        recompute.remember_event(sequence, None);
        return Ok(());
    };
    let read = check_manifest(stored, &files, recompute, verified);
    let Some((manifest, closed)) = read.filter(|_| verified.faults.len() == faults_before) else {
        recompute.remember_event(sequence, None);
        return Ok(());
    };
    let event = ReviewEvent::of(stored.entry, manifest.clone(), closed.clone());
    recompute.remember_event(sequence, event.ok());

    let compared = reviewed::compare(stored, &manifest, closed, &files, recompute).await?;
    match (compared.differing.is_empty(), compared.unchecked.is_empty()) {
        (true, true) => chain.reviews_recomputed += 1,
        (true, false) => {
            let why = compared.unchecked.join("; ");
            let text = format!("{}: {why}", stored.folder);
            chain.reviews_not_recomputed.push(text);
        }
        (false, _) => {}
    }
    for (kind, file, text) in compared.differing {
        verified.fault(kind, stored.place(&file), text);
    }
    Ok(())
}

/// Compares the manifest with the entry, `SHA256SUMS` and the earlier entries that it names, and for a closed review
/// also with `review.json`.
fn check_manifest(
    stored: &CommittedFolder<'_>,
    files: &FolderFiles,
    recompute: &mut Recompute,
    verified: &mut Verified,
) -> Option<(ReviewManifest, Option<ReviewClosed>)> {
    let entry = stored.entry;
    let part = entry.kind.review_part().unwrap_or(ReviewPart::Close);
    let manifest: ReviewManifest = stored.manifest(files, verified)?;
    let closed: Option<ReviewClosed> = match part {
        ReviewPart::Open | ReviewPart::Acknowledge => None,
        ReviewPart::Close => stored.read_json(files, ReviewFile::Review.name(), verified),
    };
    stored.check_manifest(
        &manifest.apart_from(entry),
        &manifest.files,
        files,
        verified,
    );
    let mut disagree = |file: ReviewFile, text: String| {
        verified.fault(FaultKind::Disagreement, stored.place(file.name()), text);
    };
    let (snapshot, opened) = (&manifest.snapshot, manifest.opened.as_ref());
    let builds_on = [
        manifest.closed.as_ref().map_or(Ok(()), |closed| {
            recompute
                .ensure_there(entry.sequence, closed)
                .and_then(|()| recompute.ensure_closes(closed, &manifest.review))
        }),
        recompute
            .ensure_there(entry.sequence, snapshot)
            .and_then(|()| recompute.ensure_reviewable(snapshot)),
        opened.map_or(Ok(()), |opened| {
            recompute
                .ensure_there(entry.sequence, opened)
                .and_then(|()| recompute.ensure_opens(opened, &manifest.review, snapshot))
        }),
    ];
    for text in builds_on.into_iter().filter_map(Result::err) {
        disagree(ReviewFile::Manifest, text);
    }
    match part {
        ReviewPart::Open => {
            let worksheet = files.sums.get(ReviewFile::WorksheetJson.name());
            if worksheet != Some(&manifest.review.sha256) {
                let text = "its worksheet is not the one that it names".to_owned();
                disagree(ReviewFile::Manifest, text);
            }
            if manifest.verdict != Verdict::Inconclusive || manifest.complete {
                let text = "it opens a review, but states a result".to_owned();
                disagree(ReviewFile::Manifest, text);
            }
            let opened = (manifest.review.sha256.clone(), snapshot.clone());
            recompute.reviews.insert(entry.sequence, opened);
        }
        ReviewPart::Close => {
            let agrees = closed.as_ref().is_none_or(|closed| {
                closed.review == manifest.review.id
                    && closed.review_sha256 == manifest.review.sha256
                    && Some(&closed.opened) == manifest.opened.as_ref()
                    && closed.snapshot == manifest.snapshot
                    && closed.closed_at == manifest.review.at
                    && closed.verdict == manifest.verdict
                    && closed.verdict == closed.totals.verdict()
                    && closed.complete == manifest.complete
                    && closed.complete == (closed.totals.undecided == 0)
                    && closed.totals == Totals::of(&closed.rows)
            });
            if !agrees {
                let text = "it and the manifest disagree".to_owned();
                disagree(ReviewFile::Review, text);
            }
            let is_stored = |of: &ReceivedFile| files.sums.get(&of.stored) == Some(&of.sha256);
            if !closed
                .as_ref()
                .is_none_or(|of| of.received().all(is_stored))
            {
                let text = "a received file that it names is not in the folder".to_owned();
                disagree(ReviewFile::Review, text);
            }
        }
        ReviewPart::Acknowledge => {}
    }
    Some((manifest, closed))
}
