//! Reading the chain from its head: what earlier runs saw, as far as the chain vouches for it.

use jiff::Timestamp;

use super::backwards::{Backwards, FARTHEST, Looked};
use super::files::{Extent, FolderFault, committed_files};
use super::{EntryFolder, Ledger, LedgerError, whole_second};
use crate::clock::Clock;
use crate::evidence::{
    CarriedFiles, EarlierRun, Entry, EntryKind, FIRST_PREVIOUS, Facts, Manifest, ReviewFolder,
    RunFile, RunFolder, RunResult, sha256_hex,
};
use crate::judgement::{Baseline, FollowUps, Past, Previous, is_tolerable_clock_difference};
use crate::model::at_most;
use crate::review::{ReviewChange, ReviewEvent};

/// Entries looked at beyond those a run builds on, since runs that raced may stand in another order
/// than their instants. One more is read, for the link to it.
const RACE_WINDOW: usize = 7;

/// So many faults are told one by one.
const FAULTS_REPORTED: usize = 20;

/// The largest number that leaves room for the next entry's ten digits.
const LAST_SEQUENCE: u64 = 9_999_999_998;

/// The ledger as a run found it.
#[derive(Debug)]
pub struct Chain {
    /// Number and hash of the last entry.
    pub(super) head: Option<Head>,
    /// What earlier runs saw.
    pub past: Past,
    /// What closed reviews asked for, before this run.
    pub follow_ups: FollowUps,
    /// How the runs before came out.
    pub before: RunsBefore,
}

/// How the runs before a run came out: no matter to its judgement, and what makes its own news.
#[derive(Clone, Debug, Default)]
pub struct RunsBefore {
    /// Nothing was ever committed.
    pub is_empty: bool,
    /// A run since the newest judged one could not be judged.
    pub has_failed_since: bool,
    /// The newest judged run; none where it is not known for sure which one that is.
    pub snapshot: Option<EarlierRun>,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub(super) sequence: u64,
    pub(super) sha256: String,
    /// The next entry is not dated before this: the `committed_at` of this entry, unless the clock was so far behind
    /// it when the entry was read that no honest clock is.
    pub(super) not_before: Option<Timestamp>,
}

impl Head {
    /// What the first entry follows.
    pub(super) fn before_the_first() -> Self {
        Self {
            sequence: 0,
            sha256: FIRST_PREVIOUS.to_owned(),
            not_before: None,
        }
    }

    /// An entry as it was read at `now`; what cannot be read bears no instant.
    fn read(sequence: u64, bytes: &[u8], now: Timestamp) -> Self {
        let entry = Entry::from_bytes(bytes).ok();
        let committed_at = entry.map(|entry| entry.committed_at);
        Self {
            sequence,
            sha256: sha256_hex(bytes),
            not_before: committed_at.filter(|at| is_tolerable_clock_difference(behind(*at, now))),
        }
    }
}

/// By how many seconds a clock that shows `now` is behind an entry.
fn behind(committed_at: Timestamp, now: Timestamp) -> u64 {
    let behind = committed_at.duration_since(whole_second(now));
    u64::try_from(behind.as_secs()).unwrap_or_default()
}

impl Ledger {
    /// The numbers of all entries, ascending, and names in the ledger's folder that are neither entries nor signatures.
    pub(super) async fn listing(&self) -> Result<(Vec<u64>, Vec<String>), LedgerError> {
        let mut sequences = Vec::new();
        let mut strangers = Vec::new();
        for name in self.store.list(&self.folder.ledger()).await? {
            match self.folder.sequence_of(&name) {
                Some(sequence) if (1..=LAST_SEQUENCE).contains(&sequence) => {
                    sequences.push(sequence);
                }
                // A name that a copying tool gives to what it has not finished is taken for no entry.
                _ if self.folder.is_signature(&name) || name.ends_with(".tmp") => {}
                _ => strangers.push(name),
            }
        }
        sequences.sort_unstable();
        Ok((sequences, strangers))
    }

    /// The end of the chain as it is now, by the clock, readable or not.
    ///
    /// # Errors
    /// Where the store fails, or the last entry that can be read is signed, and this run has no key.
    pub async fn head(&self, clock: &Clock) -> Result<Option<Head>, LedgerError> {
        let mut head = None;
        let (sequences, _) = self.listing().await?;
        for sequence in sequences.into_iter().rev().take(FARTHEST) {
            // Listed, and gone: the one before is the end.
            let Some(bytes) = self.store.read(&self.folder.entry(sequence)).await? else {
                continue;
            };
            head.get_or_insert_with(|| Head::read(sequence, &bytes, clock.now()));
            if self.signs() {
                break;
            }
            match Entry::from_bytes(&bytes) {
                Ok(entry) if entry.is_signed() => return Err(LedgerError::Signed { sequence }),
                Ok(_) => break,
                // Whether the ledger is signed, one before it says.
                Err(_) => {}
            }
        }
        Ok(head)
    }

    /// Reads the end of the chain and the runs a new one builds on, and believes only what the
    /// chain's hashes vouch for. Faults are recorded, and the chain goes on. A run dated after the clock's
    /// instant is no baseline: what it did not see yet cannot be missing.
    ///
    /// What is not reached is not looked at: of entries farther back only that none is missing.
    ///
    /// A run with a key believes a signed entry only with its signature, and uses no unsigned one that
    /// follows a signed one.
    ///
    /// # Errors
    /// Where the store fails, or the ledger is signed, and this run has no key.
    pub async fn open(&self, clock: &Clock) -> Result<Chain, LedgerError> {
        let (sequences, strangers) = self.listing().await?;
        let mut walk = Walk::new(self, clock);
        let mut entries = Backwards::new(self, &sequences, self.signs());
        walk.note_strangers(&strangers);
        walk.note_gaps(&sequences);
        let mut looked_at = 0;
        while !walk.is_done() {
            if looked_at == FARTHEST && looked_at < sequences.len() {
                walk.note_farthest();
                break;
            }
            let Some((sequence, looked)) = entries.next().await? else {
                break;
            };
            looked_at += 1;
            walk.step(sequence, looked).await?;
        }
        if walk.has_own_signature {
            let fault = entries.fault_of_own_key().await?;
            fault.into_iter().for_each(|fault| walk.note(fault));
        }
        Ok(walk.chain(sequences.last().copied()))
    }
}

/// The walk from the head backwards.
struct Walk<'a> {
    ledger: &'a Ledger,
    clock: &'a Clock,
    head: Option<Head>,
    past: Past,
    before: RunsBefore,
    /// The entry looked at last.
    lowest: Option<u64>,
    /// An entry names the key of this run.
    has_own_signature: bool,
    /// The newest entry with a fault, of those after the previous run.
    doubted: Option<u64>,
    /// Entries of periodic reviews.
    reviews: Vec<ReviewEvent>,
    /// Entries looked at since there was nothing more to look for.
    beyond: usize,
}

/// What a new run takes from one before: the previous run with how it came out, and the baseline.
type Taken = (Option<(Previous, EarlierRun)>, Option<Baseline>);

impl<'a> Walk<'a> {
    fn new(ledger: &'a Ledger, clock: &'a Clock) -> Self {
        Self {
            ledger,
            clock,
            head: None,
            past: Past::default(),
            before: RunsBefore::default(),
            lowest: None,
            has_own_signature: false,
            doubted: None,
            reviews: Vec::new(),
            beyond: 0,
        }
    }

    fn has_found_both(&self) -> bool {
        self.past.previous.is_some() && self.past.baseline.is_some()
    }

    /// The links of all entries that could be used have been looked at, the one behind the last too.
    fn is_done(&self) -> bool {
        self.is_done_with_runs() && self.has_read_reviews()
    }

    fn is_done_with_runs(&self) -> bool {
        self.beyond > RACE_WINDOW
    }

    /// Whether every entry was read that the previous run had not read for reviews: one may stand before it,
    /// written while it ran.
    fn has_read_reviews(&self) -> bool {
        let carried = self.past.previous.as_ref().map(|of| &of.follow_ups);
        let lowest = self.lowest.unwrap_or(u64::MAX);
        carried.is_some_and(|carried| lowest <= carried.through.saturating_add(1))
    }

    fn note(&mut self, fault: String) {
        if !self.past.ledger_faults.contains(&fault) {
            tracing::warn!(fault, "The ledger has a fault");
            self.past.ledger_faults.push(fault);
        }
    }

    fn note_strangers(&mut self, strangers: &[String]) {
        let Some(first) = strangers.first() else {
            return;
        };
        let prefix = self.ledger.folder.ledger();
        let first = first.strip_prefix(&prefix).unwrap_or(first);
        let first: String = first.escape_debug().take(60).collect();
        let count = strangers.len();
        self.note(format!(
            "{count} file(s) in ledger/ are not entries: `{first}`"
        ));
    }

    /// Numbers have no gaps: one is a deletion.
    fn note_gaps(&mut self, sequences: &[u64]) {
        let mut expected = 1;
        for sequence in sequences {
            if *sequence > expected {
                let missing = sequence - expected;
                self.note(format!(
                    "{missing} ledger entry(s) are missing from {expected} on"
                ));
                self.lost(sequence - 1);
            }
            expected = sequence + 1;
        }
    }

    fn note_farthest(&mut self) {
        if !self.has_found_both() {
            let what = match self.past.previous {
                Some(_) => "complete run",
                None => "run",
            };
            self.note(format!(
                "no {what} was found among the newest {FARTHEST} entries; older ones were not looked at"
            ));
        }
    }

    /// What was found in a ledger whose last entry has this number.
    fn chain(mut self, last: Option<u64>) -> Chain {
        let previous = self.past.previous.as_ref();
        let carried = previous.map(|previous| &previous.follow_ups);
        let through = last.unwrap_or_default();
        let follow_ups = FollowUps::carried(carried, &self.reviews, through, self.clock.as_of());
        let previous = previous.map(|previous| previous.at.sequence);
        self.before.is_empty = last.is_none();
        if let Some(doubted) = self.doubted {
            self.before.snapshot = None;
            let instead = match previous {
                Some(previous) => format!("leavers are carried from entry {previous}"),
                None => "no leavers are carried".to_owned(),
            };
            self.note(format!(
                "entry {doubted} may be the run before and has a fault: {instead}"
            ));
        }
        Chain {
            head: self.head,
            follow_ups,
            before: self.before,
            past: Past {
                ledger_faults: at_most(FAULTS_REPORTED, self.past.ledger_faults),
                ledger_head: last,
                ..self.past
            },
        }
    }

    fn doubt(&mut self, sequence: u64) {
        if self.past.previous.is_none() {
            self.doubted.get_or_insert(sequence);
        }
    }

    /// Takes from one entry what a new run builds on.
    async fn step(&mut self, sequence: u64, looked: Option<Looked>) -> Result<(), LedgerError> {
        if self.has_found_both() {
            self.beyond += 1;
        }
        let Some(looked) = looked else {
            self.note(format!("entry {sequence} is gone"));
            self.lost(sequence);
            return Ok(());
        };
        let is_last = self.head.is_none();
        if is_last {
            let now = self.clock.now();
            let committed_at = looked.inspected.entry.as_ref().map(|of| of.committed_at);
            self.past.clock_behind_seconds = committed_at.map_or(0, |at| behind(at, now));
            self.head = Some(Head::read(sequence, &looked.bytes, now));
        }
        if self
            .lowest
            .replace(sequence)
            .is_some_and(|after| after > sequence + 1)
        {
            // A gap, which has been noted. Nothing links over it.
            self.doubt(sequence + 1);
        }
        if let Some(entry) = looked.inspected.entry.as_ref().filter(|of| of.is_signed()) {
            if !self.ledger.signs() {
                return Err(LedgerError::Signed { sequence });
            }
            let is_own = entry.key_sha256 == self.ledger.key_sha256();
            self.has_own_signature |= is_own;
            if is_last && !is_own {
                // This is allowed, and may be a slip.
                tracing::warn!(
                    key_sha256 = self.ledger.key_sha256(),
                    before = entry.key_sha256,
                    "This run signs with another key than the one before"
                );
            }
        }
        looked.faults().for_each(|fault| self.note(fault));
        let (Some(entry), Some(folder)) = (looked.relied_on(), &looked.inspected.folder) else {
            self.doubt(sequence);
            self.lost(sequence);
            return Ok(());
        };
        let is_failure = entry.kind == EntryKind::Failure;
        self.before.has_failed_since |= is_failure && self.past.previous.is_none();
        self.past.failed_since_baseline += u64::from(is_failure && self.past.baseline.is_none());
        match (entry.kind, folder) {
            (EntryKind::ReviewOpen | EntryKind::ReviewClose, _) => self.review(entry).await,
            (EntryKind::Run, EntryFolder::Run(folder)) if !self.is_done_with_runs() => {
                self.run(entry, folder).await
            }
            (EntryKind::Run | EntryKind::Failure, _) => Ok(()),
        }
    }

    /// An entry that has a fault or is gone may have closed a review.
    fn lost(&mut self, sequence: u64) {
        self.reviews.push(ReviewEvent {
            sequence,
            review: String::new(),
            change: ReviewChange::Lost,
        });
    }

    /// What happened to a review. One that cannot be read is told ever after: what it asked for is lost.
    async fn review(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let event = match self.ledger.review_event(entry).await {
            Ok(read) => read,
            Err(LedgerError::Fault(fault)) => {
                self.note(fault);
                let part = ReviewFolder::parse(&entry.run);
                ReviewEvent {
                    sequence: entry.sequence,
                    review: part.map_or_else(|| entry.run.clone(), |part| part.id().to_owned()),
                    change: ReviewChange::Unread {
                        is_close: entry.kind == EntryKind::ReviewClose,
                    },
                }
            }
            Err(error) => return Err(error),
        };
        self.reviews.push(event);
        Ok(())
    }

    /// Takes a run as previous run, as baseline, or both, if it is wanted and its files have no fault. A
    /// run with a fault in one file is not used at all.
    async fn run(&mut self, entry: &Entry, folder: &RunFolder) -> Result<(), LedgerError> {
        let (sequence, as_of) = (entry.sequence, self.clock.as_of());
        let as_previous = self.past.previous.is_none();
        let newest = self.past.baseline.as_ref().map(|baseline| baseline.as_of);
        let instant = folder.instant().filter(|instant| *instant <= as_of);
        let as_baseline = entry.complete && instant.is_some() && instant > newest;
        if !as_previous && !as_baseline {
            return Ok(());
        }
        let is_expired = entry.retain_until.is_some_and(|until| until < as_of);
        match self.taken(entry, as_previous, as_baseline).await {
            Ok((previous, baseline)) => {
                if let Some((previous, snapshot)) = previous {
                    self.past.previous = Some(previous);
                    self.before.snapshot = Some(snapshot);
                }
                self.past.baseline = baseline.or(self.past.baseline.take());
            }
            Err(FolderFault::Store(error)) => return Err(error.into()),
            Err(FolderFault::Missing(_)) if is_expired => {
                tracing::info!(sequence, "A run is expired, and its files are gone");
            }
            Err(fault) => {
                self.note(format!("entry {sequence}: {fault}"));
                self.doubt(sequence);
            }
        }
        Ok(())
    }

    async fn taken(
        &self,
        entry: &Entry,
        as_previous: bool,
        as_baseline: bool,
    ) -> Result<Taken, FolderFault> {
        let mut wanted = vec![RunFile::Manifest];
        if as_previous {
            wanted.extend([
                RunFile::Result,
                RunFile::LeaversJsonl,
                RunFile::Concluded,
                RunFile::InputLinks,
            ]);
        }
        if as_baseline {
            wanted.extend([RunFile::InputFacts, RunFile::AccountsJsonl]);
        }
        let names: Vec<String> = wanted.iter().map(RunFile::name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let Ledger { store, folder, .. } = self.ledger;
        let files = committed_files(store, folder, entry, &names, Extent::Wanted).await?;
        let mut files = files.into_iter();
        let mut next = || files.next().unwrap_or_default();

        let manifest: Manifest = parsed(RunFile::Manifest, serde_json::from_slice(&next()))?;
        // The last entry has no successor that would vouch for what it states.
        let apart = manifest.apart_from(entry);
        if !apart.is_empty() {
            let text = format!("it and its manifest disagree: {}", apart.join(", "));
            return Err(FolderFault::Other(text));
        }
        let mut taken = Taken::default();
        if as_previous {
            let result: RunResult<'_> = parsed(RunFile::Result, serde_json::from_slice(&next()))?;
            let snapshot = result.as_earlier(entry.run_ref());
            let files = CarriedFiles {
                leavers: &next(),
                concluded: &next(),
                links: &next(),
            };
            let previous = result.into_previous(entry.run_ref(), &manifest, files);
            let previous = parsed(RunFile::Result, previous)?;
            let missing = || FolderFault::Other("its manifest has no policy".to_owned());
            taken.0 = Some((previous.ok_or_else(missing)?, snapshot));
        }
        if as_baseline {
            let facts: Facts<'_> = parsed(RunFile::InputFacts, serde_json::from_slice(&next()))?;
            let baseline = facts.into_baseline(entry.run_ref(), &next());
            taken.1 = Some(parsed(RunFile::AccountsJsonl, baseline)?);
        }
        Ok(taken)
    }
}

/// A file whose hash is right, and that may have a form we do not know.
fn parsed<T>(file: RunFile, parsed: Result<T, serde_json::Error>) -> Result<T, FolderFault> {
    parsed.map_err(|error| FolderFault::Other(format!("{} cannot be read: {error}", file.name())))
}
