//! One committed part of a periodic review: what its files say, against the entry and the entries it
//! builds on.

use super::again::Judges;
use super::committed::{Committed, Found};
use super::{ChainVerified, FaultKind, Verified};
use crate::evidence::{ReviewClosed, ReviewFile, ReviewManifest, ReviewPart, event};
use crate::store::StoreError;

/// Whether a file is read for more than its hash.
fn is_read(file: &str) -> bool {
    file == ReviewFile::Manifest.name() || file == ReviewFile::Review.name()
}

pub(super) async fn verify(
    stored: &Committed<'_>,
    part: ReviewPart,
    judges: &mut Judges,
    chain: &mut ChainVerified,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    let faults_before = verified.faults.len();
    let mut happened = None;
    if let Some(found) = stored.walk(is_read, chain, verified).await? {
        says_the_same(stored, part, &found, judges, verified);
        if verified.faults.len() == faults_before {
            let file = |file: ReviewFile| found.get(file.name()).map(Vec::as_slice);
            let manifest = file(ReviewFile::Manifest).unwrap_or_default();
            happened = event(stored.entry, manifest, file(ReviewFile::Review)).ok();
        }
    }
    judges.remember_event(stored.entry.sequence, happened);
    Ok(())
}

/// The manifest against entry, sums and the entries it builds on; of a closed review, `review.json` too.
fn says_the_same(
    stored: &Committed<'_>,
    part: ReviewPart,
    found: &Found,
    judges: &mut Judges,
    verified: &mut Verified,
) {
    let name = ReviewFile::Manifest.name();
    let entry = stored.entry;
    let Some(bytes) = stored.manifest(found, verified) else {
        return;
    };
    let mut disagree = |file: &str, text: String| {
        verified.fault(FaultKind::Disagreement, stored.place(file), text);
    };
    let manifest: ReviewManifest = match serde_json::from_slice(bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            disagree(name, format!("it is no manifest of a review: {error}"));
            return;
        }
    };
    let apart = manifest.apart_from(entry);
    if !apart.is_empty() {
        let (sequence, apart) = (entry.sequence, apart.join(", "));
        disagree(name, format!("it and entry {sequence} disagree: {apart}"));
    }
    for at in manifest.opened.iter().chain([&manifest.night]) {
        if let Err(text) = judges.ensure_there(entry.sequence, at) {
            disagree(name, text);
        }
    }
    if !found.is_described_by(&manifest.files) {
        let text = "the files it describes are not those that the sums name";
        disagree(name, text.to_owned());
    }
    match part {
        ReviewPart::Open => {
            let worksheet = found.sums.get(ReviewFile::WorksheetJson.name());
            if worksheet != Some(&manifest.review.sha256) {
                disagree(name, "its worksheet is not the one it names".to_owned());
            }
            judges.remember_review(entry.sequence, &manifest.review.sha256);
        }
        ReviewPart::Close => {
            let name = ReviewFile::Review.name();
            let of = manifest.opened.as_ref().map_or(0, |at| at.sequence);
            let review = found.get(name);
            let closed: Option<ReviewClosed> =
                review.and_then(|review| serde_json::from_slice(review).ok());
            let agrees = closed.is_some_and(|closed| {
                closed.review == manifest.review.id
                    && closed.review_sha256 == manifest.review.sha256
                    && Some(&closed.opened) == manifest.opened.as_ref()
                    && closed.night == manifest.night
                    && closed.verdict == manifest.verdict
                    && closed.complete == manifest.complete
                    && closed.totals.rows == closed.rows.len() as u64
                    && closed.totals == crate::evidence::Totals::of(&closed.rows)
                    && closed.complete == (closed.totals.decided == closed.totals.rows)
            });
            if review.is_some() && !agrees {
                disagree(name, "it and the manifest do not say the same".to_owned());
            }
            if !judges.is_of_review(of, &manifest.review.sha256) {
                let text = "its decisions are about another worksheet than the one that was opened";
                disagree(ReviewFile::Manifest.name(), text.to_owned());
            }
        }
    }
}
