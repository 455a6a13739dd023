//! Recomputes the accounts from Truto's answers, and the decisions from the stored inputs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::panic::resume_unwind;
use std::thread;

use super::committed::FolderFiles;
use crate::evidence::{
    CarriedFiles, Entry, EntryKind, Facts, FileRecord, Manifest, PastFacts, ReviewPart, RunFile,
    RunResult, Snapshot,
};
use crate::judgement::{self, Baseline, FollowUps, Inputs, Judgement, Previous, RunRef, judge};
use crate::review::{ReviewEvent, ReviewRef};
use crate::source::{self, NotRecomputed};

/// The files of a run that differ from the recomputed ones, or why they cannot be recomputed here. The latter is not a
/// fault.
pub(super) type Decisions = Result<Vec<String>, String>;

/// Whether the accounts equal those recomputed from Truto's answers.
type Accounts = Result<(), NotRecomputed>;

/// A run without faults that later runs build on.
struct Earlier {
    complete: bool,
    baseline: Baseline,
    /// An error gives the reason why later runs cannot carry anything from this run.
    previous: Result<Previous, String>,
}

/// How many runs stay in memory for later runs. Most runs build on the one before; a run after incomplete runs builds
/// on an older one. A run that builds on an even older run is reported as not recomputed.
const RUNS_KEPT: usize = 2;

/// The earlier entries and runs that later ones build on.
#[derive(Default)]
pub(super) struct Recompute {
    /// The newest is last. The newest complete run always stays.
    runs: Vec<Earlier>,
    /// All earlier entries, by number.
    entries: BTreeMap<u64, Entry>,
    /// SHA-256 of the worksheet, and the reviewed run, of every opened review, by the number of its entry.
    pub(super) reviews: BTreeMap<u64, (String, RunRef)>,
    /// The readable events of reviews.
    events: Vec<ReviewEvent>,
    /// Entries that could not be read and may be of reviews.
    unread: Vec<RangeInclusive<u64>>,
}

impl Recompute {
    /// Remembers an entry for later entries.
    pub(super) fn remember(&mut self, entry: &Entry) {
        self.entries.insert(entry.sequence, entry.clone());
    }

    /// The earlier entry that `at` names, if the ledger contains it.
    pub(super) fn entry(&self, at: &RunRef) -> Option<&Entry> {
        let known = self.entries.get(&at.sequence);
        known.filter(|known| known.run_ref() == *at)
    }

    /// Checks that the run that a review names is complete. A missing entry was reported already.
    pub(super) fn ensure_reviewable(&self, snapshot: &RunRef) -> Result<(), String> {
        let sequence = snapshot.sequence;
        match self.entries.get(&sequence) {
            Some(known) if known.kind != EntryKind::Run => Err(format!(
                "entry {sequence}, which it reviews, is not a judged run"
            )),
            Some(known) if !known.complete => Err(format!(
                "the run of entry {sequence}, which it reviews, is not complete"
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Checks that the entry that a closed review names opened this review.
    pub(super) fn ensure_opens(
        &self,
        opened: &RunRef,
        review: &ReviewRef,
        snapshot: &RunRef,
    ) -> Result<(), String> {
        let sequence = opened.sequence;
        let Some(known) = self.entries.get(&sequence) else {
            return Ok(());
        };
        if !known.commits(&review.id, ReviewPart::Open) {
            return Err(format!(
                "entry {sequence} does not open the review that this entry closes"
            ));
        }
        match self.reviews.get(&sequence) {
            Some((worksheet, _)) if *worksheet != review.sha256 => Err(
                "its decisions are about another worksheet than the one that was opened".to_owned(),
            ),
            Some((_, reviewed)) if reviewed != snapshot => {
                Err("it names another run than the one that was reviewed".to_owned())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Checks that the entry that an acknowledgement names closed this review.
    pub(super) fn ensure_closes(&self, closed: &RunRef, review: &ReviewRef) -> Result<(), String> {
        let sequence = closed.sequence;
        match self.entries.get(&sequence) {
            Some(known) if !known.commits(&review.id, ReviewPart::Close) => Err(format!(
                "entry {sequence} does not close the review that this entry acknowledges"
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// The last entry after `after` and before `before` that closed a review. An error if an entry in between cannot
    /// be read.
    pub(super) fn closed_last(&self, after: u64, before: u64) -> Result<Option<&Entry>, String> {
        let mut entries = self.entries.range(after + 1..before.max(after + 1)).rev();
        let close = entries.find(|(_, known)| known.kind == EntryKind::ReviewClose);
        let from = close.map_or(after, |(sequence, _)| *sequence);
        let is_between = |of: &RangeInclusive<u64>| *of.end() > from && *of.start() < before;
        if self.unread.iter().any(is_between) {
            return Err("an earlier entry cannot be read, and may have closed a review".to_owned());
        }
        Ok(close.map(|(_, known)| known))
    }

    /// Checks that `at` names an earlier entry of the chain.
    pub(super) fn ensure_there(&self, sequence: u64, at: &RunRef) -> Result<(), String> {
        let there = self.entries.get(&at.sequence);
        // A missing entry was reported already.
        let is_it = there.is_none_or(|there| there.run_ref() == *at);
        if !is_it || !(1..sequence).contains(&at.sequence) {
            return Err(format!(
                "it names another entry {} than the ledger contains",
                at.sequence
            ));
        }
        Ok(())
    }

    /// Remembers the event of a review for later runs. None: its files cannot be read.
    pub(super) fn remember_event(&mut self, sequence: u64, event: Option<ReviewEvent>) {
        match event {
            Some(event) => self.events.push(event),
            None => self.cannot_read(sequence..=sequence),
        }
    }

    /// Remembers entries that cannot be read. They may be of reviews.
    pub(super) fn cannot_read(&mut self, sequences: RangeInclusive<u64>) {
        self.unread.push(sequences);
    }

    /// Whether a run knew every review: those of the previous run, and the events since. If a review cannot be read
    /// here, this cannot be checked, and the run's own record counts.
    fn knew_reviews(&self, inputs: &Inputs) -> bool {
        let known = &inputs.follow_ups;
        let previous = inputs.past.previous.as_ref();
        let before = previous.map(|previous| &previous.follow_ups);
        let from = before.map_or(0, |before| before.through);
        let is_between =
            |of: &RangeInclusive<u64>| *of.end() > from && *of.start() <= known.through;
        let knew_unread = known.unread.len() > before.map_or(0, |before| before.unread.len());
        if knew_unread || self.unread.iter().any(is_between) {
            return true;
        }
        let carried = FollowUps::carried(before, &self.events, known.through, inputs.as_of);
        carried == *known && known.through == inputs.past.ledger_head.unwrap_or_default()
    }

    /// Recomputes the accounts and decisions of a run without faults, and keeps the run for later ones.
    pub(super) fn run(
        &mut self,
        entry: &Entry,
        manifest: &Manifest,
        found: &FolderFiles,
        (facts, result): (Facts<'_>, RunResult<'_>),
    ) -> (Accounts, Decisions) {
        let file = |file: RunFile| found.kept.get(&file.name()).map_or(&[][..], Vec::as_slice);
        let version = result.judgement;
        let is_known = match version == judgement::VERSION {
            true => Ok(()),
            false => Err(format!(
                "judged by version {version} of the rules; this version, {}, cannot recompute it",
                judgement::VERSION
            )),
        };
        let past = is_known.clone().and_then(|()| self.past(&facts.past));
        let (former_emails, gone) = (facts.former_emails.clone(), facts.gone.clone());
        let (former_emails, gone) = (former_emails.into_owned(), gone.into_owned());
        let inputs = facts.into_inputs(Some(file(RunFile::AccountsJsonl)), file(RunFile::InputHr));
        let mut inputs = match inputs {
            Ok(inputs) => inputs,
            Err(why) => {
                // The files are unchanged since the commit, and this version of the rules wrote them.
                let decisions = is_known.map(|()| vec![RunFile::InputFacts.name()]);
                let why = format!("its inputs cannot be read: {why}");
                return (Err(NotRecomputed::NotPossible(why)), decisions);
            }
        };
        let past = past.map(|(baseline, previous)| {
            inputs.past.baseline = baseline;
            inputs.past.previous = previous;
        });
        // The two are independent, so they run in parallel.
        let (accounts, decisions) = thread::scope(|scope| {
            let accounts = scope.spawn(|| source::recompute(&inputs.population, found));
            let decisions = past.map(|()| self.differing(&inputs, manifest, found));
            let accounts = accounts.join();
            (
                accounts.unwrap_or_else(|panic| resume_unwind(panic)),
                decisions,
            )
        });
        let at = entry.run_ref();
        let carried = CarriedFiles {
            leavers: file(RunFile::LeaversJsonl),
            concluded: file(RunFile::Concluded),
            links: file(RunFile::InputLinks),
        };
        let previous = result.into_previous(at.clone(), manifest, carried);
        let sequence = at.sequence;
        let (as_of, population) = (inputs.as_of, inputs.population);
        self.runs.push(Earlier {
            complete: manifest.complete,
            previous: previous
                .map_err(|error| format!("the result of entry {sequence} cannot be read: {error}"))
                .and_then(|of| of.ok_or(format!("the manifest of entry {sequence} has no policy"))),
            baseline: Baseline::of(at, as_of, population, former_emails, gone),
        });
        self.forget_old_runs();
        (accounts, decisions)
    }

    /// The files of a run that differ from the recomputed ones.
    fn differing(&self, inputs: &Inputs, manifest: &Manifest, found: &FolderFiles) -> Vec<String> {
        let mut differing = differing(inputs, &judge(inputs), manifest, &found.kept);
        let facts = RunFile::InputFacts.name();
        if !self.knew_reviews(inputs) && !differing.contains(&facts) {
            differing.push(facts);
        }
        differing
    }

    /// The runs that a run builds on.
    fn past(&self, past: &PastFacts<'_>) -> Result<(Option<Baseline>, Option<Previous>), String> {
        let find = |at: &Option<Cow<'_, RunRef>>| at.as_deref().map(|at| self.find(at)).transpose();
        let baseline = find(&past.baseline)?.map(|of| of.baseline.clone());
        let previous = find(&past.previous)?.map(|of| of.previous.clone());
        Ok((baseline, previous.transpose()?))
    }

    /// Keeps only the newest runs and the newest complete one.
    fn forget_old_runs(&mut self) {
        while self.runs.len() > RUNS_KEPT {
            let newest_complete = self.runs.iter().rposition(|run| run.complete);
            let oldest = if newest_complete == Some(0) { 1 } else { 0 };
            self.runs.remove(oldest);
        }
    }

    fn find(&self, at: &RunRef) -> Result<&Earlier, String> {
        let run = self.runs.iter().find(|run| run.baseline.at == *at);
        run.ok_or_else(|| {
            format!(
                "it builds on entry {}, which has faults, has expired or is too old",
                at.sequence
            )
        })
    }
}

/// The files of a run that differ from the stored ones.
fn differing(
    inputs: &Inputs,
    judgement: &Judgement,
    manifest: &Manifest,
    kept: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let frame = manifest.frame();
    let snapshot = Snapshot {
        frame: &frame,
        inputs,
        judgement,
    };
    let mut differing = Vec::new();
    let mut files: Vec<FileRecord> = manifest.files.clone();
    let stored = |file: &RunFile| kept.get(&file.name()).map(Vec::as_slice);
    for made in snapshot.compared_files(stored) {
        let name = made.file.name();
        if !made.is_same {
            differing.push(name);
        } else if let Some(file) = files.iter_mut().find(|file| file.name == name) {
            file.rows = made.rows;
        }
    }
    // The list of files was compared with the files; everything else follows from the inputs.
    let (made, _) = snapshot.manifest(files).to_file();
    if kept.get(&made.file.name()) != Some(&made.bytes) {
        differing.push(made.file.name());
    }
    differing
}
