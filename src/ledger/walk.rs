//! Reads the chain backwards from its head, and takes the data of earlier runs that the hashes of the chain cover.

use jiff::Timestamp;

use super::backwards::{Backwards, FARTHEST, ReadEntry};
use super::files::{Extent, FolderFault, committed_files};
use super::{Committed, EntryFolder, Ledger, LedgerError, whole_second};
use crate::clock::Clock;
use crate::evidence::{
    CarriedFiles, EarlierRun, Entry, EntryKind, FIRST_PREVIOUS, Facts, Manifest, ReviewFolder,
    RunFile, RunFolder, RunResult, sha256_hex,
};
use crate::judgement::{Baseline, FollowUps, Past, Previous, is_tolerable_clock_difference};
use crate::model::{at_most, counted, quoted};
use crate::review::{ReviewChange, ReviewEvent};

/// How many entries to read before those that a run builds on: if runs raced, the order of their entries may differ
/// from that of their instants. One more is read to check its link.
const RACE_WINDOW: usize = 7;

/// At most this many faults are listed.
const FAULTS_REPORTED: usize = 20;

/// The largest number whose successor still has ten digits.
const LAST_SEQUENCE: u64 = 9_999_999_998;

/// The ledger at the start of a run.
#[derive(Debug)]
pub struct Chain {
    /// Number and hash of the last entry.
    pub(super) head: Option<Head>,
    /// The data of earlier runs, for the judgement.
    pub past: Past,
    /// The open decisions of closed reviews.
    pub follow_ups: FollowUps,
    /// The results of earlier runs, for the notification.
    pub before: EarlierRuns,
}

/// The results of earlier runs. They do not affect the judgement; a notification is compared with them.
#[derive(Clone, Debug, Default)]
pub struct EarlierRuns {
    /// The ledger has no entry.
    pub is_empty: bool,
    /// A run failed since the newest judged one.
    pub has_failed_since: bool,
    /// The newest judged run. None if a fault makes it uncertain which run that is.
    pub snapshot: Option<EarlierRun>,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub(super) sequence: u64,
    pub(super) sha256: String,
    /// The next entry is dated no earlier than this: the `committed_at` of this entry. None if this machine's clock is
    /// too far behind it for a tolerable difference between two clocks.
    pub(super) not_before: Option<Timestamp>,
}

impl Head {
    /// The head of an empty ledger.
    pub(super) fn before_the_first() -> Self {
        Self {
            sequence: 0,
            sha256: FIRST_PREVIOUS.to_owned(),
            not_before: None,
        }
    }

    /// The head from the bytes of an entry, read at `now`.
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

/// By how many seconds a clock that shows `now` is behind `committed_at`.
fn behind(committed_at: Timestamp, now: Timestamp) -> u64 {
    let behind = committed_at.duration_since(whole_second(now));
    u64::try_from(behind.as_secs()).unwrap_or_default()
}

impl Ledger {
    /// The numbers of all entries, ascending, and the other names in the ledger's folder except those of signatures.
    pub(super) async fn listing(&self) -> Result<(Vec<u64>, Vec<String>), LedgerError> {
        let mut sequences = Vec::new();
        let mut extra = Vec::new();
        for name in self.store.list(&self.folder.ledger()).await? {
            match self.folder.sequence_of(&name) {
                Some(sequence) if (1..=LAST_SEQUENCE).contains(&sequence) => {
                    sequences.push(sequence);
                }
                // Copying tools give unfinished files such names.
                _ if self.folder.is_signature(&name) || name.ends_with(".tmp") => {}
                _ => extra.push(name),
            }
        }
        sequences.sort_unstable();
        Ok((sequences, extra))
    }

    /// The newest run or failed run of the ledger, with its manifest. None if its entry cannot be relied on.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn newest_run(&self) -> Result<Option<(Committed, Manifest)>, LedgerError> {
        let (sequences, _) = self.listing().await?;
        let mut entries = Backwards::new(self, &sequences, self.signs());
        while let Some((_, read)) = entries.next().await? {
            let Some(read) = read else {
                return Ok(None);
            };
            let Some(entry) = read.relied_on() else {
                return Ok(None);
            };
            // A person may open or close a review between two attempts of a Job.
            if entry.kind.review_part().is_some() {
                continue;
            }
            let Some(name) = self
                .folder
                .committed_file(&entry.run, &RunFile::Manifest.name())
            else {
                return Ok(None);
            };
            let bytes = self.store.read(&name).await?;
            let bytes = bytes.filter(|bytes| sha256_hex(bytes) == entry.manifest_sha256);
            let manifest = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let committed = self.committed(entry, sha256_hex(&read.bytes), &RunFile::Report.name());
            return Ok(manifest.map(|manifest| (committed, manifest)));
        }
        Ok(None)
    }

    /// The current end of the chain. It may be an entry that cannot be parsed.
    ///
    /// # Errors
    /// If the store fails, or if the last readable entry is signed and this run has no key.
    pub async fn head(&self, clock: &Clock) -> Result<Option<Head>, LedgerError> {
        let mut head = None;
        let (sequences, _) = self.listing().await?;
        for sequence in sequences.into_iter().rev().take(FARTHEST) {
            // A listed entry that is missing cannot be the end.
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
                // An earlier entry shows whether the ledger is signed.
                Err(_) => {}
            }
        }
        Ok(head)
    }

    /// Reads the end of the chain and the earlier runs that a new run builds on. It uses only data that the hashes of
    /// the chain cover. It records faults and continues. A run that is dated after the clock's instant cannot be the
    /// baseline.
    ///
    /// Of older entries it checks only that their numbers have no gap.
    ///
    /// A run with a key relies on a signed entry only if the signature is valid, and never on an unsigned entry after a
    /// signed one.
    ///
    /// # Errors
    /// If the store fails, or if the ledger is signed and this run has no key.
    pub async fn open(&self, clock: &Clock) -> Result<Chain, LedgerError> {
        let (sequences, extra) = self.listing().await?;
        let mut walk = Walk::new(self, clock);
        let mut entries = Backwards::new(self, &sequences, self.signs());
        walk.note_extra_files(&extra);
        walk.note_gaps(&sequences);
        let mut read_count = 0;
        while !walk.is_done() {
            if read_count == FARTHEST && read_count < sequences.len() {
                walk.note_farthest();
                break;
            }
            let Some((sequence, read)) = entries.next().await? else {
                break;
            };
            read_count += 1;
            walk.step(sequence, read).await?;
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
    before: EarlierRuns,
    /// The number of the entry that was read last.
    lowest: Option<u64>,
    /// Whether an entry names the key of this run.
    has_own_signature: bool,
    /// The newest entry with a fault that is newer than the previous run.
    faulty: Option<u64>,
    /// The events of periodic reviews.
    reviews: Vec<ReviewEvent>,
    /// How many entries were read after previous run and baseline were found.
    beyond: usize,
}

/// The data that a new run takes from an earlier one: as previous run with its result, as baseline, or both.
type Carried = (Option<(Previous, EarlierRun)>, Option<Baseline>);

impl<'a> Walk<'a> {
    fn new(ledger: &'a Ledger, clock: &'a Clock) -> Self {
        Self {
            ledger,
            clock,
            head: None,
            past: Past::default(),
            before: EarlierRuns::default(),
            lowest: None,
            has_own_signature: false,
            faulty: None,
            reviews: Vec::new(),
            beyond: 0,
        }
    }

    fn has_found_both(&self) -> bool {
        self.past.previous.is_some() && self.past.baseline.is_some()
    }

    /// Whether every entry that a run can use was read, and the one before the last of these.
    fn is_done(&self) -> bool {
        self.is_done_with_runs() && self.has_read_reviews()
    }

    fn is_done_with_runs(&self) -> bool {
        self.beyond > RACE_WINDOW
    }

    /// Whether the previous run looked for a review in this entry.
    fn has_carried(&self, sequence: u64) -> bool {
        let previous = self.past.previous.as_ref();
        previous.is_some_and(|of| sequence <= of.follow_ups.through)
    }

    /// Whether every entry was read in which the previous run did not look for reviews. Such an entry may precede that
    /// run's own entry, if it was written during the run.
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

    fn note_extra_files(&mut self, extra: &[String]) {
        let Some(first) = extra.first() else {
            return;
        };
        let prefix = self.ledger.folder.ledger();
        let first = first.strip_prefix(&prefix).unwrap_or(first);
        let first: String = first.escape_debug().take(60).collect();
        let files = counted(
            extra.len(),
            "file in ledger/ is not an entry",
            "files in ledger/ are not entries",
        );
        self.note(format!("{files}, such as {}", quoted(&first)));
    }

    /// Numbers have no gaps: a gap is a deletion.
    fn note_gaps(&mut self, sequences: &[u64]) {
        let mut expected = 1;
        for sequence in sequences {
            if *sequence > expected {
                let missing = counted(
                    sequence - expected,
                    "ledger entry is missing",
                    "ledger entries are missing",
                );
                self.note(format!("{missing} from {expected} on"));
                self.note_lost(sequence - 1);
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
                "the newest {FARTHEST} entries contain no {what}; older entries were not read"
            ));
        }
    }

    /// The result of the walk, in a ledger whose last entry has this number.
    fn chain(mut self, last: Option<u64>) -> Chain {
        let previous = self.past.previous.as_ref();
        let carried = previous.map(|previous| &previous.follow_ups);
        let through = last.unwrap_or_default();
        let follow_ups = FollowUps::carried(carried, &self.reviews, through, self.clock.as_of());
        let previous = previous.map(|previous| previous.at.sequence);
        self.before.is_empty = last.is_none();
        if let Some(faulty) = self.faulty {
            self.before.snapshot = None;
            let instead = match previous {
                Some(previous) => format!("leavers are carried from entry {previous}"),
                None => "no leavers are carried".to_owned(),
            };
            self.note(format!(
                "entry {faulty} may be the previous run, and has a fault: {instead}"
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

    fn note_faulty(&mut self, sequence: u64) {
        if self.past.previous.is_none() {
            self.faulty.get_or_insert(sequence);
        }
    }

    /// Takes the data that a new run builds on from one entry.
    async fn step(&mut self, sequence: u64, read: Option<ReadEntry>) -> Result<(), LedgerError> {
        if self.has_found_both() {
            self.beyond += 1;
        }
        let Some(read) = read else {
            self.note(format!("entry {sequence} is missing"));
            self.note_lost(sequence);
            return Ok(());
        };
        let is_last = self.head.is_none();
        if is_last {
            let now = self.clock.now();
            let committed_at = read.inspected.entry.as_ref().map(|of| of.committed_at);
            self.past.clock_behind_seconds = committed_at.map_or(0, |at| behind(at, now));
            self.head = Some(Head::read(sequence, &read.bytes, now));
        }
        if self
            .lowest
            .replace(sequence)
            .is_some_and(|after| after > sequence + 1)
        {
            // A gap. It was noted already, and no link crosses it.
            self.note_faulty(sequence + 1);
        }
        if let Some(entry) = read.inspected.entry.as_ref().filter(|of| of.is_signed()) {
            if !self.ledger.signs() {
                return Err(LedgerError::Signed { sequence });
            }
            let is_own = entry.key_sha256 == self.ledger.key_sha256();
            self.has_own_signature |= is_own;
            if is_last && !is_own {
                // This is allowed, but it may be a mistake.
                tracing::warn!(
                    key_sha256 = self.ledger.key_sha256(),
                    last_entry_key_sha256 = entry.key_sha256,
                    "This run signs with another key than the last ledger entry"
                );
            }
        }
        read.faults().for_each(|fault| self.note(fault));
        let (Some(entry), Some(folder)) = (read.relied_on(), &read.inspected.folder) else {
            self.note_faulty(sequence);
            self.note_lost(sequence);
            return Ok(());
        };
        let is_failure = entry.kind == EntryKind::Failure;
        self.before.has_failed_since |= is_failure && self.past.previous.is_none();
        self.past.failed_since_baseline += u64::from(is_failure && self.past.baseline.is_none());
        match (entry.kind, folder) {
            (EntryKind::ReviewOpen | EntryKind::ReviewClose | EntryKind::ReviewAcknowledge, _) => {
                self.review(entry).await
            }
            (EntryKind::Run, EntryFolder::Run(folder)) if !self.is_done_with_runs() => {
                self.run(entry, folder).await
            }
            (EntryKind::Run | EntryKind::Failure, _) => Ok(()),
        }
    }

    /// Notes an entry that has a fault or is missing: it may have closed a review.
    fn note_lost(&mut self, sequence: u64) {
        self.reviews.push(ReviewEvent {
            sequence,
            review: String::new(),
            change: ReviewChange::Lost,
        });
    }

    /// Notes the event of a review. All later runs report a review that cannot be read, because its decisions are lost.
    async fn review(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let is_past = |until: Timestamp| until < self.clock.as_of();
        // An earlier run followed it, and its retention has ended.
        if entry.retain_until.is_some_and(is_past) && self.has_carried(entry.sequence) {
            let Ledger { store, folder, .. } = self.ledger;
            let read = committed_files(store, folder, entry, &[], Extent::All).await;
            if let Err(FolderFault::Missing(_)) = read {
                let sequence = entry.sequence;
                tracing::info!(sequence, "A review has expired, and its files were deleted");
                return Ok(());
            }
        }
        let event = match self.ledger.review_event(entry).await {
            Ok(read) => read,
            Err(LedgerError::Fault(fault)) => {
                self.note(fault);
                // An acknowledgement has no decisions to follow.
                if entry.kind == EntryKind::ReviewAcknowledge {
                    return Ok(());
                }
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

    /// Takes a run as previous run, as baseline, or both, if its files have no fault. A run with a fault in one file is
    /// not used.
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
        match self.carried(entry, as_previous, as_baseline).await {
            Ok((previous, baseline)) => {
                if let Some((previous, snapshot)) = previous {
                    self.past.previous = Some(previous);
                    self.before.snapshot = Some(snapshot);
                }
                self.past.baseline = baseline.or(self.past.baseline.take());
            }
            Err(FolderFault::Store(error)) => return Err(error.into()),
            Err(FolderFault::Missing(_)) if is_expired => {
                tracing::info!(sequence, "A run has expired, and its files were deleted");
            }
            Err(fault) => {
                self.note(format!("entry {sequence}: {fault}"));
                self.note_faulty(sequence);
            }
        }
        Ok(())
    }

    async fn carried(
        &self,
        entry: &Entry,
        as_previous: bool,
        as_baseline: bool,
    ) -> Result<Carried, FolderFault> {
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
        // The last entry has no successor whose hash would confirm its content.
        let apart = manifest.apart_from(entry);
        if !apart.is_empty() {
            let text = format!("it and its manifest disagree: {}", apart.join(", "));
            return Err(FolderFault::Other(text));
        }
        let mut carried = Carried::default();
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
            carried.0 = Some((previous.ok_or_else(missing)?, snapshot));
        }
        if as_baseline {
            let facts: Facts<'_> = parsed(RunFile::InputFacts, serde_json::from_slice(&next()))?;
            let baseline = facts.into_baseline(entry.run_ref(), &next());
            carried.1 = Some(parsed(RunFile::AccountsJsonl, baseline)?);
        }
        Ok(carried)
    }
}

/// Turns a parse error into a fault: the hash of the file is right, but it may have an unknown form.
fn parsed<T>(file: RunFile, parsed: Result<T, serde_json::Error>) -> Result<T, FolderFault> {
    parsed.map_err(|error| FolderFault::Other(format!("{} cannot be read: {error}", file.name())))
}
