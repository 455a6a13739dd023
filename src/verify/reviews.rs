//! One committed part of a periodic review: every file against its hash, and what it says against the
//! entry and the entries it builds on.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::again::Judges;
use super::reader::Reader;
use super::{ChainVerified, FaultKind, Verified};
use crate::evidence::{
    ConnectionFolder, Entry, ReviewClosed, ReviewFile, ReviewFolder, ReviewManifest, ReviewPart,
    event, sha256_hex, sums_of,
};
use crate::store::{StoreError, is_name};

/// A part of a review as its entry names it and as the store lists it.
pub(super) struct Stored<'a> {
    pub(super) store: &'a Reader<'a>,
    pub(super) folder: &'a ConnectionFolder,
    pub(super) entry: &'a Entry,
    pub(super) part: &'a ReviewFolder,
    /// Names relative to the part's folder.
    pub(super) files: Vec<String>,
    /// The instant of checking: what must be kept no longer may be gone.
    pub(super) now: Timestamp,
}

impl Stored<'_> {
    /// Whether its time to be kept is over.
    fn may_be_gone(&self) -> bool {
        self.entry
            .retain_until
            .is_some_and(|until| until <= self.now)
    }

    fn place(&self, file: &str) -> String {
        format!("{}/{file}", self.folder.review(self.part))
    }
}

/// Hash of every file that `SHA256SUMS` names, and what of them is read.
struct Kept {
    sums: BTreeMap<String, String>,
    sizes: BTreeMap<String, u64>,
    manifest: Vec<u8>,
    review: Vec<u8>,
    /// Files are gone, and may be.
    is_partly_gone: bool,
}

pub(super) async fn verify(
    stored: &Stored<'_>,
    judges: &mut Judges,
    chain: &mut ChainVerified,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    let part = stored.folder.review(stored.part);
    if stored.files.is_empty() {
        if stored.may_be_gone() {
            chain.expired.push(part);
        } else {
            let text = "the folder of a committed review is gone";
            verified.fault(FaultKind::MissingRun, part, text);
        }
        judges.remember_event(stored.entry.sequence, None);
        return Ok(());
    }
    let faults_before = verified.faults.len();
    let mut happened = None;
    let kept = files(stored, chain, verified).await?;
    // A store deletes what is expired file by file: what is left must still be what it was.
    if kept.as_ref().is_some_and(|kept| kept.is_partly_gone) {
        chain.expired.push(part);
    } else if let Some(kept) = kept {
        says_the_same(stored, &kept, judges, verified);
        if verified.faults.len() == faults_before {
            happened = event(stored.entry, &kept.manifest, Some(&kept.review)).ok();
        }
    }
    judges.remember_event(stored.entry.sequence, happened);
    Ok(())
}

async fn files(
    stored: &Stored<'_>,
    chain: &mut ChainVerified,
    verified: &mut Verified,
) -> Result<Option<Kept>, StoreError> {
    let name = ReviewFile::Sums.name();
    let place = stored.place(name);
    let sequence = stored.entry.sequence;
    let Some(bytes) = stored.store.read(&place).await? else {
        if stored.may_be_gone() {
            chain.expired.push(stored.folder.review(stored.part));
            return Ok(None);
        }
        let text = "it is gone, and with it what the entry vouches for";
        verified.fault(FaultKind::MissingFile, place, text);
        return Ok(None);
    };
    if sha256_hex(&bytes) != stored.entry.sums_sha256 {
        let text = format!("it is not the one that entry {sequence} names");
        verified.fault(FaultKind::Modified, place, text);
        return Ok(None);
    }
    let Some(sums) = sums_of(&bytes) else {
        let text = "it is not in the form sums are written in";
        verified.fault(FaultKind::Disagreement, place, text);
        return Ok(None);
    };
    chain.files += 1;
    for file in ReviewFile::always(stored.part.part()) {
        if !sums.contains_key(file.name()) {
            let text = "every review has it, and the sums of this one do not name it";
            verified.fault(FaultKind::MissingFile, stored.place(file.name()), text);
        }
    }
    let mut extra: Vec<&String> = stored.files.iter().filter(|file| *file != name).collect();
    extra.retain(|file| !sums.contains_key(*file));
    let mut kept = Kept {
        sums: BTreeMap::new(),
        sizes: BTreeMap::new(),
        manifest: Vec::new(),
        review: Vec::new(),
        is_partly_gone: false,
    };
    for (file, sha256) in &sums {
        let place = stored.place(file);
        if !is_name(&place) {
            let text = "its name is none that a file of a review can have";
            verified.fault(FaultKind::MissingFile, place, text);
            continue;
        }
        let Some(bytes) = stored.store.read(&place).await? else {
            // The same bytes under a name nobody wrote: somebody renamed them.
            let mut found = None;
            for other in extra.iter().filter(|other| is_name(&stored.place(other))) {
                let bytes = stored.store.read(&stored.place(other)).await?;
                if bytes.is_some_and(|bytes| sha256_hex(&bytes) == *sha256) {
                    found = Some(*other);
                }
            }
            match found {
                Some(other) => {
                    let text = format!("it lies under the name `{other}`");
                    verified.fault(FaultKind::Moved, place, text);
                    extra.retain(|file| *file != other);
                }
                None if stored.may_be_gone() => kept.is_partly_gone = true,
                None => {
                    let text = "it was hashed when the run was committed, and is gone";
                    verified.fault(FaultKind::MissingFile, place, text);
                }
            }
            continue;
        };
        if sha256_hex(&bytes) != *sha256 {
            let text = "its bytes are not those that were hashed when the run was committed";
            verified.fault(FaultKind::Modified, place, text);
            continue;
        }
        chain.files += 1;
        kept.sizes.insert(file.clone(), bytes.len() as u64);
        if file == ReviewFile::Manifest.name() {
            kept.manifest = bytes;
        } else if file == ReviewFile::Review.name() {
            kept.review = bytes;
        }
    }
    for file in extra {
        let text = "it was not there when the run was committed";
        verified.fault(FaultKind::ExtraFile, stored.place(file), text);
    }
    kept.sums = sums;
    Ok(Some(kept))
}

/// The manifest against entry, sums and the entries it builds on; of a closed review, `review.json` too.
fn says_the_same(stored: &Stored<'_>, kept: &Kept, judges: &mut Judges, verified: &mut Verified) {
    let name = ReviewFile::Manifest.name();
    let place = stored.place(name);
    let entry = stored.entry;
    if kept.manifest.is_empty() {
        return;
    }
    if sha256_hex(&kept.manifest) != entry.manifest_sha256 {
        let text = format!("it is not the one that entry {} names", entry.sequence);
        verified.fault(FaultKind::Modified, place, text);
        return;
    }
    let mut disagree = |file: &str, text: String| {
        verified.fault(FaultKind::Disagreement, stored.place(file), text);
    };
    let manifest: ReviewManifest = match serde_json::from_slice(&kept.manifest) {
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
    let is_as_described = manifest.files.iter().all(|record| {
        kept.sums.get(&record.name) == Some(&record.sha256)
            && kept
                .sizes
                .get(&record.name)
                .is_none_or(|size| *size == record.bytes)
    });
    let is_described =
        |file: &String| file == name || manifest.files.iter().any(|record| record.name == *file);
    if !is_as_described || !kept.sums.keys().all(is_described) {
        let text = "the files it describes are not those that the sums name";
        disagree(name, text.to_owned());
    }
    match stored.part.part() {
        ReviewPart::Open => {
            let worksheet = kept.sums.get(ReviewFile::WorksheetJson.name());
            if worksheet != Some(&manifest.review.sha256) {
                disagree(name, "its worksheet is not the one it names".to_owned());
            }
            judges.remember_review(entry.sequence, &manifest.review.sha256);
        }
        ReviewPart::Close => {
            let name = ReviewFile::Review.name();
            let of = manifest.opened.as_ref().map_or(0, |at| at.sequence);
            let closed: Option<ReviewClosed> = serde_json::from_slice(&kept.review).ok();
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
            if kept.sizes.contains_key(name) && !agrees {
                disagree(name, "it and the manifest do not say the same".to_owned());
            }
            if !judges.is_of_review(of, &manifest.review.sha256) {
                let text = "its decisions are about another worksheet than the one that was opened";
                disagree(ReviewFile::Manifest.name(), text.to_owned());
            }
        }
    }
}
