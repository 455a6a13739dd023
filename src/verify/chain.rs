//! Checks the ledger of one connection, from its first entry to its last.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use tracing::info;

use super::committed::CommittedFolder;
use super::operation::{self, FailedRun, Started};
use super::reader::CountingReader;
use super::recompute::Recompute;
use super::reviews;
use super::runs;
use super::tail::{self, StoredTimes};
use super::{Anchor, ChainVerified, EntryState, Expectations, FaultKind, Verified};
use crate::evidence::{ConnectionFolder, EntryKind, ReviewFile, RunFile};
use crate::ledger::{EntryFault, EntryFolder, Inspector, Link};
use crate::store::{History, Listed, StoreError};

/// The objects below a connection's folder.
#[derive(Default)]
struct ConnectionListing {
    /// Numbers of the entries, each with the time at which a bucket stored it.
    sequences: BTreeMap<u64, Option<Timestamp>>,
    /// Files of each folder of a run or of a part of a periodic review. Names are relative to the folder.
    folders: BTreeMap<String, Vec<String>>,
    /// Objects that the job did not write.
    extra: Vec<String>,
}

impl ConnectionListing {
    async fn of(store: &CountingReader<'_>, folder: &ConnectionFolder) -> Result<Self, StoreError> {
        let mut listing = Self::default();
        for Listed { name, stored_at } in store.store.list_with_times(&format!("{folder}/")).await?
        {
            if let Some(sequence) = folder.sequence_of(&name) {
                listing.sequences.insert(sequence, stored_at);
            } else if let Some((folder, file)) = folder.committed_file_of(&name) {
                listing.folders.entry(folder).or_default().push(file);
            } else if !folder.is_signature(&name) && !folder.is_key(&name) {
                listing.extra.push(name);
            }
        }
        Ok(listing)
    }
}

/// What was found before the check of an entry.
#[derive(Clone, Copy)]
struct Counted {
    sequence: u64,
    faults: usize,
    expired: usize,
    not_recomputed: usize,
}

impl Counted {
    fn before(sequence: u64, chain: &ChainVerified, verified: &Verified) -> Self {
        Self {
            sequence,
            faults: verified.faults.len(),
            expired: chain.expired.len(),
            not_recomputed: chain.accounts_not_recomputed.len()
                + chain.decisions_not_recomputed.len()
                + chain.reviews_not_recomputed.len(),
        }
    }

    /// The state of the entry, from what was found until the next one.
    fn state(&self, next: &Self) -> EntryState {
        if next.faults > self.faults {
            EntryState::Faulty
        } else if next.expired > self.expired {
            EntryState::Expired
        } else if next.not_recomputed > self.not_recomputed {
            EntryState::HashesOnly
        } else {
            EntryState::Recomputed
        }
    }
}

/// Checks one connection.
pub(super) async fn verify(
    store: &CountingReader<'_>,
    history: &History,
    folder: &ConnectionFolder,
    expected: &Expectations,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    let mut listing = ConnectionListing::of(store, folder).await?;
    let mut chain = ChainVerified {
        folder: folder.to_string(),
        ..ChainVerified::default()
    };
    for name in &listing.extra {
        let text = "the job writes no file of this name here";
        verified.fault(FaultKind::ExtraFile, name, text);
    }

    let mut recompute = Recompute::default();
    let has_keys = !expected.keys.is_empty();
    let mut inspector = Inspector::new(store, folder, &expected.keys, has_keys);
    let mut before: Option<Link> = None;
    let mut first_signed = None;
    let mut started: Vec<Started> = Vec::new();
    let mut newest: Option<Timestamp> = None;
    let mut stored_times = StoredTimes::default();
    let mut runs_named: HashMap<String, u64> = HashMap::new();
    let mut parts_named = HashMap::new();
    let mut sequences = std::mem::take(&mut listing.sequences);
    let last = sequences.keys().last().copied().unwrap_or_default();
    let mut wanted = 1;
    if sequences.remove(&0).is_some() {
        let place = format!("{}, ledger entry 0", chain.folder);
        let text = "the first entry is 1: the job writes no entry of this number";
        verified.fault(FaultKind::ExtraFile, place, text);
    }
    let mut counted: Option<Counted> = None;
    for (sequence, stored_at) in sequences {
        let before_it = Counted::before(sequence, &chain, verified);
        if let Some(last) = counted.replace(before_it) {
            chain.states.insert(last.sequence, last.state(&before_it));
        }
        if let Some(stored_at) = stored_at {
            chain.stored_at.insert(sequence, stored_at);
        }
        let place = format!("{}, ledger entry {sequence}", chain.folder);
        if sequence > wanted {
            let text = match sequence - wanted {
                1 => format!("entry {wanted} is missing"),
                many => format!("{many} entries from {wanted} on are missing"),
            };
            let text = format!("{text}: numbers have no gaps, so this is a deletion");
            verified.fault(FaultKind::MissingEntry, place.clone(), text);
            recompute.cannot_read(wanted..=sequence - 1);
        }
        wanted = sequence.saturating_add(1);
        let Some(bytes) = store.read(&folder.entry(sequence)).await? else {
            let text = "the store listed it, but it can no longer be read";
            verified.fault(FaultKind::MissingEntry, place, text);
            recompute.cannot_read(sequence..=sequence);
            continue;
        };
        chain.entries += 1;
        let inspected = inspector
            .inspect(sequence, &bytes, before.as_ref(), first_signed)
            .await?;
        before = inspected.link();
        chain.signed += u64::from(inspected.is_verified);
        for fault in &inspected.faults {
            match fault {
                EntryFault::KeyMissing(_) => chain.signatures_unchecked += 1,
                fault => verified.fault(fault.into(), place.clone(), fault.to_string()),
            }
        }
        let head = Anchor {
            sequence,
            sha256: inspected.sha256,
        };
        if expected.heads.contains(&head) {
            chain.anchored.push(head.clone());
        }
        chain.head = Some(head);
        let Some(entry) = inspected.entry else {
            recompute.cannot_read(sequence..=sequence);
            continue;
        };
        if entry.is_signed() {
            first_signed.get_or_insert(sequence);
        }
        stored_times.compare(sequence, entry.committed_at, stored_at);
        recompute.remember(&entry);
        let Some(of) = inspected.folder else {
            recompute.cannot_read(sequence..=sequence);
            continue;
        };
        if let Some(other) = runs_named.insert(entry.run.clone(), sequence) {
            let text = format!("entry {other} commits the same folder, `{}`", entry.run);
            verified.fault(FaultKind::Moved, place, text);
            if matches!(entry.kind, EntryKind::ReviewOpen | EntryKind::ReviewClose) {
                recompute.cannot_read(sequence..=sequence);
            }
            // The folder was compared with the entry that committed it first.
            continue;
        }
        if let EntryFolder::Review(of) = &of {
            let part = (of.id().to_owned(), of.part());
            if let Some(other) = parts_named.insert(part, sequence) {
                let text = format!("entry {other} commits the same part of the review");
                verified.fault(FaultKind::Disagreement, place, text);
            }
        }
        let files = listing.folders.get(&entry.run);
        let committed = |what, always| CommittedFolder {
            store,
            entry: &entry,
            connection: folder,
            folder: format!("{folder}/{}", entry.run),
            what,
            files: files.map_or(&[][..], Vec::as_slice),
            always,
            now: expected.now,
        };
        match of {
            EntryFolder::Review(_) => {
                newest = newest.max(Some(entry.committed_at));
                chain.reviews += 1;
                let always = entry.kind.review_part().map_or(&[][..], ReviewFile::always);
                let always = always.iter().map(|file| file.name().to_owned()).collect();
                let stored = committed("review", always);
                reviews::verify(&stored, &mut recompute, &mut chain, verified).await?;
            }
            EntryFolder::Run(run) => {
                let is_failure = entry.kind == EntryKind::Failure;
                match entry.kind {
                    EntryKind::Run => chain.runs += 1,
                    EntryKind::Failure => chain.failures += 1,
                    EntryKind::ReviewOpen
                    | EntryKind::ReviewClose
                    | EntryKind::ReviewAcknowledge => {
                        recompute.cannot_read(sequence..=sequence);
                    }
                }
                let always = RunFile::always(entry.kind == EntryKind::Run);
                let always = always.iter().map(RunFile::name).collect();
                let stored = committed("run", always);
                let manifest = runs::verify(&stored, &mut recompute, &mut chain, verified).await?;
                let Some(at) = run.instant() else {
                    continue;
                };
                newest = newest.max(Some(at));
                let failure = manifest.as_ref().and_then(|of| of.failure.as_ref());
                started.push(Started {
                    at,
                    failed: is_failure.then(|| FailedRun {
                        entry: sequence,
                        run: entry.run.clone(),
                        stage: failure.map(|failure| failure.stage.clone()),
                        exit: failure.map(|failure| failure.code),
                    }),
                    schedule: manifest.and_then(|manifest| manifest.schedule),
                });
            }
        }
        info!(target: "progress", sequence, head = last, "Checked entry {sequence} of {last}");
    }
    if let Some(last) = counted {
        let end = Counted::before(last.sequence, &chain, verified);
        chain.states.insert(last.sequence, last.state(&end));
    }
    if chain.entries == 0 {
        let text = match expected.connection {
            None => "it has no ledger entry, so nothing in it is evidence",
            Some(_) => {
                "it has no ledger entry: check the connection id; if it is right, the evidence was deleted"
            }
        };
        verified.fault(FaultKind::EmptyLedger, chain.folder.clone(), text);
    }
    // The inspector has checked each entry after the first signed one.
    if has_keys && last > 0 && first_signed.is_none() {
        let place = format!("{}, ledger entry {last}", chain.folder);
        let text = "keys were given, but no entry is signed";
        verified.fault(FaultKind::MissingSignature, place, text);
    }
    check_history(history, folder, &runs_named, &chain.expired, verified);
    let mut complete = Vec::new();
    for (name, files) in listing.folders {
        if !runs_named.contains_key(&name) {
            let at = tail::complete_at(&name, &files);
            complete.extend(at.map(|at| (at, name.clone())));
            chain.uncommitted.push(name);
        }
    }
    tail::warn_of_newer(folder, complete, newest, verified);
    tail::warn_of_future(folder, newest, expected.now, verified);
    stored_times.warn(folder, verified);
    chain.stored_times = stored_times.compared;
    started.sort_by_key(|run| run.at);
    chain.first_run = started.first().map(|run| run.at);
    chain.last_run = started.last().map(|run| run.at);
    let rhythm = expected.every.as_ref();
    chain.operation = operation::check(&started, rhythm, &expected.period, expected.now);
    chain.started = started;
    verified.chains.push(chain);
    Ok(())
}

/// Evidence is written once and never deleted. Only files without an entry and expired files may be replaced or
/// deleted.
fn check_history(
    history: &History,
    folder: &ConnectionFolder,
    runs_named: &HashMap<String, u64>,
    expired: &[String],
    verified: &mut Verified,
) {
    let History::Reported { replaced, deleted } = history else {
        return;
    };
    let below = format!("{folder}/");
    let is_evidence = |name: &&String| {
        name.starts_with(&below)
            // S3's console makes such an object to show a folder.
            && !name.ends_with('/')
            && (!name.starts_with(&folder.ledger())
                || folder.sequence_of(name).is_some()
                || folder.is_signature(name))
            && folder
                .committed_file_of(name)
                .is_none_or(|(run, _)| {
                    runs_named.contains_key(&run) && !expired.contains(&format!("{folder}/{run}"))
                })
    };
    for name in replaced.iter().filter(is_evidence) {
        let text = "it was written more than once: an older version exists";
        verified.fault(FaultKind::SecondVersion, name, text);
    }
    for name in deleted.iter().filter(is_evidence) {
        let text = "it was deleted: it has, or had, a delete marker";
        verified.fault(FaultKind::DeleteMarker, name, text);
    }
}
