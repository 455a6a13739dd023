//! Looks for signs of problems that the chain itself cannot show: a missing end, and other times of storing than the
//! entries state.

use jiff::{SignedDuration, Timestamp};

use super::{Verified, WarningKind};
use crate::evidence::{ConnectionFolder, ReviewFolder, RunFile, RunFolder};

/// A bucket stores an entry within seconds of its commit. A difference larger than this has another cause.
const LATEST: SignedDuration = SignedDuration::from_mins(15);

/// The instant of a complete folder. None if the folder is incomplete: `SHA256SUMS` is written last.
pub(super) fn complete_at(folder: &str, files: &[String]) -> Option<Timestamp> {
    let is_complete = files.contains(&RunFile::Sums.name());
    let run = RunFolder::parse(folder).map(|run| run.instant());
    let at = run.or_else(|| ReviewFolder::parse(folder).map(|part| part.instant()));
    at.flatten().filter(|_| is_complete)
}

/// Warns of complete folders that are newer than every committed run and review: their entries may have been deleted.
pub(super) fn warn_of_newer(
    connection: &ConnectionFolder,
    mut uncommitted: Vec<(Timestamp, String)>,
    newest: Option<Timestamp>,
    verified: &mut Verified,
) {
    uncommitted.retain(|(at, _)| newest.is_none_or(|newest| *at > newest));
    uncommitted.sort();
    let Some((_, first)) = uncommitted.first() else {
        return;
    };
    let count = uncommitted.len() as u64;
    let (are, have) = match count {
        1 => ("folder is", "has"),
        _ => ("folders are", "have"),
    };
    let text = format!(
        "the end of the ledger may have been cut off: {count} complete {are} newer than the newest ledger entry and \
         {have} no entry; the first is {first}. A run or `review` command that was stopped just before its commit, or is running now, \
         leaves the same traces: give a ledger head that you noted elsewhere (--head)"
    );
    let first = (count, first.clone());
    verified.warn(WarningKind::NewerThanLedger, connection, first, text);
}

/// Warns if the newest run is dated in the future.
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
        "the newest run is dated {newest}, but the clock of this machine shows {now}: one of the two clocks is wrong, \
         or the evidence was written ahead of time"
    );
    let first = (1, newest.to_string());
    verified.warn(WarningKind::DatedInTheFuture, connection, first, text);
}

/// Compares the times at which the bucket stored the entries with the times that they state.
#[derive(Default)]
pub(super) struct StoredTimes {
    pub(super) compared: u64,
    /// The number of each differing entry, when it was committed, and when it was stored.
    differing: Vec<(u64, Timestamp, Timestamp)>,
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
            self.differing.push((sequence, committed_at, stored_at));
        }
    }

    pub(super) fn warn(&self, connection: &ConnectionFolder, verified: &mut Verified) {
        let Some((sequence, committed_at, stored_at)) = self.differing.first() else {
            return;
        };
        let (differing, compared) = (self.differing.len() as u64, self.compared);
        let text = format!(
            "{differing} of {compared} ledger entries were stored more than {} minutes before or after the time they \
             state; the first is entry {sequence}: it states {committed_at}, and the bucket stored it at {stored_at}. \
             Possible causes: a restored copy, a wrong clock, or backdated entries",
            LATEST.as_mins()
        );
        let first = (differing, format!("ledger entry {sequence}"));
        verified.warn(WarningKind::StoredAtAnotherTime, connection, first, text);
    }
}
