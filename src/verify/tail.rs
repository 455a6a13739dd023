//! What the chain itself cannot show: whether its end was cut off, and when its entries were really stored.

use jiff::{SignedDuration, Timestamp};

use super::reader::CountingReader;
use super::{Verified, Warning, WarningKind};
use crate::evidence::{ConnectionFolder, RunFile, RunFolder};
use crate::review::ReviewManifest;
use crate::store::StoreError;

/// A bucket stores an entry within seconds of its commit; a larger difference than this has another cause.
const LATEST: SignedDuration = SignedDuration::from_mins(15);

/// A complete folder that no entry names.
pub(super) struct Uncommitted {
    pub(super) folder: String,
    pub(super) at: Timestamp,
}

/// The instant of a complete folder that no entry names; none for one that a run left unfinished. The sums are
/// written last.
pub(super) async fn uncommitted(
    store: &CountingReader<'_>,
    connection: &ConnectionFolder,
    folder: &str,
    files: &[String],
) -> Result<Option<Uncommitted>, StoreError> {
    if !files.contains(&RunFile::Sums.name()) {
        return Ok(None);
    }
    let at = match RunFolder::parse(folder) {
        Some(run) => run.instant(),
        None => {
            let name = connection.committed_file(folder, &RunFile::Manifest.name());
            let bytes = match name {
                Some(name) => store.store.read(&name).await?,
                None => None,
            };
            let manifest: Option<ReviewManifest> =
                bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            manifest.map(|manifest| manifest.review.at)
        }
    };
    Ok(at.map(|at| Uncommitted {
        folder: folder.to_owned(),
        at,
    }))
}

/// Complete folders that are newer than every committed run and review: their entries may have been deleted.
pub(super) fn warn_of_newer(
    connection: &ConnectionFolder,
    mut uncommitted: Vec<Uncommitted>,
    newest: Option<Timestamp>,
    verified: &mut Verified,
) {
    uncommitted.retain(|folder| newest.is_none_or(|newest| folder.at > newest));
    uncommitted.sort_by_key(|folder| folder.at);
    let Some(first) = uncommitted.first() else {
        return;
    };
    let count = uncommitted.len() as u64;
    let are = match count {
        1 => "folder is",
        _ => "folders are",
    };
    let text = format!(
        "the end of the ledger may have been cut off: {count} complete {are} newer than the newest ledger entry and \
         without an entry; the first is {}. A run that was stopped just before its commit, or is running now, looks the \
         same: compare with a ledger head noted elsewhere (--head)",
        first.folder
    );
    verified.warnings.push(Warning {
        kind: WarningKind::NewerThanLedger,
        place: connection.to_string(),
        count,
        first: first.folder.clone(),
        text,
    });
}

/// Warns of a newest run that lies in the future.
pub(super) fn warn_of_future(
    connection: &ConnectionFolder,
    newest: Option<Timestamp>,
    now: Timestamp,
    verified: &mut Verified,
) {
    let Some(newest) = newest.filter(|newest| newest.duration_since(now) > LATEST) else {
        return;
    };
    let text = format!(
        "the newest run is dated {newest}, and it is {now} by the clock of this machine: one of the two clocks is wrong, \
         or the evidence was written ahead of time"
    );
    verified.warnings.push(Warning {
        kind: WarningKind::DatedInTheFuture,
        place: connection.to_string(),
        count: 1,
        first: newest.to_string(),
        text,
    });
}

/// When entries were stored, by the clock of the bucket, compared with what they state.
#[derive(Default)]
pub(super) struct StoredTimes {
    pub(super) compared: u64,
    differing: u64,
    first: Option<(u64, Timestamp, Timestamp)>,
}

impl StoredTimes {
    pub(super) fn compare(
        &mut self,
        sequence: u64,
        committed_at: Timestamp,
        stored_at: Option<Timestamp>,
    ) {
        let Some(stored_at) = stored_at else {
            return;
        };
        self.compared += 1;
        if stored_at.duration_since(committed_at).abs() > LATEST {
            self.differing += 1;
            self.first
                .get_or_insert((sequence, committed_at, stored_at));
        }
    }

    pub(super) fn warn(&self, connection: &ConnectionFolder, verified: &mut Verified) {
        let Some((sequence, committed_at, stored_at)) = self.first else {
            return;
        };
        let (differing, compared) = (self.differing, self.compared);
        let text = format!(
            "{differing} of {compared} ledger entries were stored more than {} minutes before or after the time they \
             state; the first is entry {sequence}: it states {committed_at}, and the bucket stored it at {stored_at}. \
             Possible causes: a restored copy, a wrong clock, or backdated entries",
            LATEST.as_mins()
        );
        verified.warnings.push(Warning {
            kind: WarningKind::StoredAtAnotherTime,
            place: connection.to_string(),
            count: differing,
            first: format!("ledger entry {sequence}"),
            text,
        });
    }
}
