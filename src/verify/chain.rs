//! One connection's ledger, from its first entry to its last.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use tracing::info;

use super::committed::Committed;
use super::operation::{self, FailedRun, Started};
use super::reader::Reader;
use super::recompute::Recompute;
use super::reviews;
use super::runs;
use super::signatures::Signatures;
use super::tail::{self, StoredTimes};
use super::{Anchor, ChainVerified, Expectations, FaultKind, Verified};
use crate::evidence::{
    ConnectionFolder, Entry, EntryKind, FIRST_PREVIOUS, ReviewFile, ReviewFolder, ReviewPart,
    RunFile, RunFolder, sha256_hex,
};
use crate::store::{History, Listed, StoreError};

/// What lies below a connection's folder.
struct Listing {
    /// Numbers of the entries, and when a bucket stored each.
    sequences: BTreeMap<u64, Option<Timestamp>>,
    /// Whether there is a number zero, which no entry has.
    has_zero: bool,
    /// Names in the ledger's folder that are neither entry nor signature.
    strangers: Vec<String>,
    /// Files of each run's folder, relative to it.
    runs: BTreeMap<String, Vec<String>>,
    /// Files of each part of a periodic review, relative to it.
    reviews: BTreeMap<String, Vec<String>>,
    /// Anything else.
    others: Vec<String>,
}

impl Listing {
    async fn of(store: &Reader<'_>, folder: &ConnectionFolder) -> Result<Self, StoreError> {
        let mut listing = Self {
            sequences: BTreeMap::new(),
            has_zero: false,
            strangers: Vec::new(),
            runs: BTreeMap::new(),
            reviews: BTreeMap::new(),
            others: Vec::new(),
        };
        for Listed { name, stored_at } in store.list(&format!("{folder}/")).await? {
            if let Some(sequence) = folder.sequence_of(&name) {
                if sequence == 0 {
                    listing.has_zero = true;
                } else {
                    listing.sequences.insert(sequence, stored_at);
                }
            } else if name.starts_with(&folder.ledger()) {
                if !folder.is_signature(&name) {
                    listing.strangers.push(name);
                }
            } else if let Some((run, file)) = folder.run_file_of(&name) {
                listing.runs.entry(run).or_default().push(file);
            } else if let Some((part, file)) = folder.review_file_of(&name) {
                listing.reviews.entry(part).or_default().push(file);
            } else if !folder.is_beside_runs(&name) {
                listing.others.push(name);
            }
        }
        Ok(listing)
    }
}

/// A link of the chain that was read.
struct Link {
    sequence: u64,
    sha256: String,
    committed_at: Timestamp,
}

/// Checks one connection.
pub(super) async fn verify(
    store: &Reader<'_>,
    history: &History,
    folder: &ConnectionFolder,
    expected: &Expectations,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    let mut listing = Listing::of(store, folder).await?;
    let mut chain = ChainVerified {
        folder: folder.to_string(),
        ..ChainVerified::default()
    };
    for name in listing.strangers.iter().chain(&listing.others) {
        let text = "the job writes no file of this name here";
        verified.fault(FaultKind::ExtraFile, name, text);
    }

    let mut recompute = Recompute::default();
    let mut signatures = Signatures::new(store, folder, &expected.keys);
    let mut before: Option<Link> = None;
    let mut started: Vec<Started> = Vec::new();
    let mut newest: Option<Timestamp> = None;
    let mut stored_times = StoredTimes::default();
    let mut runs_named: HashMap<String, u64> = HashMap::new();
    let sequences = std::mem::take(&mut listing.sequences);
    let head = sequences.keys().last().copied().unwrap_or_default();
    let mut wanted = 1;
    if listing.has_zero {
        let place = format!("{}, ledger entry 0", chain.folder);
        let text = "the first entry is 1: the job writes no entry of this number";
        verified.fault(FaultKind::ExtraFile, place, text);
    }
    for (sequence, stored_at) in sequences {
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
            let text = "it was listed and cannot be read any more";
            verified.fault(FaultKind::MissingEntry, place, text);
            recompute.cannot_read(sequence..=sequence);
            continue;
        };
        chain.entries += 1;
        let sha256 = sha256_hex(&bytes);
        for anchor in &expected.heads {
            if anchor.sequence == sequence && anchor.sha256 == sha256 {
                chain.anchored.push(anchor.clone());
            }
        }
        chain.head = Some(Anchor {
            sequence,
            sha256: sha256.clone(),
        });
        let entry = match Entry::from_bytes(&bytes) {
            Ok(entry) => entry,
            Err(fault) => {
                verified.fault(FaultKind::BrokenLink, place, fault.to_string());
                recompute.cannot_read(sequence..=sequence);
                before = None;
                continue;
            }
        };
        check_entry(&entry, folder, sequence, &place, verified);
        check_link(&entry, before.as_ref(), &place, verified);
        signatures
            .check(sequence, &bytes, &sha256, &entry, &place, verified)
            .await?;
        stored_times.compare(sequence, entry.committed_at, stored_at);
        before = Some(Link {
            sequence,
            sha256,
            committed_at: entry.committed_at,
        });

        let is_review = match entry.kind {
            EntryKind::Run | EntryKind::Failure => None,
            EntryKind::ReviewOpen | EntryKind::ReviewClose => ReviewFolder::parse(&entry.run),
        };
        if let Some(part) = is_review {
            newest = newest.max(Some(entry.committed_at));
            if let Some(other) = runs_named.insert(entry.run.clone(), sequence) {
                let text = format!("entry {other} commits the same part of the review, `{part}`");
                verified.fault(FaultKind::Moved, place, text);
                recompute.remember(&entry);
                recompute.cannot_read(sequence..=sequence);
                continue;
            }
            let kind = match entry.kind {
                EntryKind::ReviewOpen => ReviewPart::Open,
                EntryKind::ReviewClose | EntryKind::Run | EntryKind::Failure => ReviewPart::Close,
            };
            let always = ReviewFile::always(kind).iter();
            let stored = Committed {
                store,
                entry: &entry,
                folder: folder.review(&part),
                what: "review",
                files: listing.reviews.get(&entry.run).cloned().unwrap_or_default(),
                always: always.map(|file| file.name().to_owned()).collect(),
                now: expected.now,
            };
            recompute.remember(&entry);
            chain.reviews += 1;
            let of = reviews::Part {
                stored: &stored,
                connection: folder,
                part: kind,
            };
            reviews::verify(&of, &mut recompute, &mut chain, verified).await?;
            continue;
        }
        if !matches!(entry.kind, EntryKind::Run | EntryKind::Failure) {
            recompute.cannot_read(sequence..=sequence);
        }
        match RunFolder::parse(&entry.run) {
            None => {
                recompute.remember(&entry);
                recompute.cannot_read(sequence..=sequence);
                let text = format!("its run `{}` is not the name of a run folder", entry.run);
                verified.fault(FaultKind::Disagreement, place, text);
            }
            Some(run) => {
                if let Some(other) = runs_named.insert(entry.run.clone(), sequence) {
                    let text = format!("entry {other} commits the same run, `{}`", entry.run);
                    verified.fault(FaultKind::Moved, place, text);
                    // The folder was compared with its own entry.
                    recompute.remember(&entry);
                    continue;
                }
                if !run.is_of_its_day() {
                    let text = "its run lies in the folder of another day";
                    verified.fault(FaultKind::Disagreement, place.clone(), text);
                }
                if let Some(as_of) = run.instant() {
                    if as_of > entry.committed_at {
                        let text = format!("its run began at {as_of}, after the commit");
                        verified.fault(FaultKind::RunAfterCommit, place.clone(), text);
                    }
                    newest = newest.max(Some(as_of));
                }
                match entry.kind {
                    EntryKind::Failure => chain.failures += 1,
                    EntryKind::Run => chain.runs += 1,
                    EntryKind::ReviewOpen | EntryKind::ReviewClose => {}
                }
                let always = RunFile::always(entry.kind == EntryKind::Run);
                let stored = Committed {
                    store,
                    entry: &entry,
                    folder: folder.run(&run),
                    what: "run",
                    files: listing.runs.get(&entry.run).cloned().unwrap_or_default(),
                    always: always.iter().map(RunFile::name).collect(),
                    now: expected.now,
                };
                recompute.remember(&entry);
                let manifest = runs::verify(&stored, &mut recompute, &mut chain, verified).await?;
                let failure = manifest
                    .as_ref()
                    .and_then(|manifest| manifest.failure.as_ref());
                if let Some(at) = run.instant()
                    && matches!(entry.kind, EntryKind::Run | EntryKind::Failure)
                {
                    let is_failure = entry.kind == EntryKind::Failure;
                    let failed = is_failure.then(|| FailedRun {
                        entry: sequence,
                        run: entry.run.clone(),
                        stage: failure.map(|failure| failure.stage.clone()),
                        exit: failure.map(|failure| failure.code),
                    });
                    let schedule = manifest.and_then(|manifest| manifest.schedule);
                    started.push(Started {
                        at,
                        failed,
                        schedule,
                    });
                }
            }
        }
        info!(target: "progress", sequence, head, "Checked entry {sequence} of {head}");
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
    let place = format!("{}, ledger entry {head}", chain.folder);
    signatures.check_head(head, &place, verified);
    chain.signed = signatures.good;
    chain.signatures_unchecked = signatures.unchecked;
    check_history(history, folder, &runs_named, &chain.expired, verified);
    let mut complete = Vec::new();
    for (name, files) in listing.runs.into_iter().chain(listing.reviews) {
        if !runs_named.contains_key(&name) {
            complete.extend(tail::uncommitted(store, folder, &name, &files).await?);
            chain.uncommitted.push(name);
        }
    }
    tail::warn_of_newer(folder, complete, newest, verified);
    tail::warn_of_future(folder, newest, expected.now, verified);
    stored_times.warn(folder, verified);
    chain.stored_times = stored_times.compared;
    started.sort_by_key(|run| run.at);
    let (first, last) = (started.first(), started.last());
    chain.period = first.zip(last).map(|(first, last)| (first.at, last.at));
    let rhythm = expected.every.as_ref();
    chain.operation = operation::check(&started, rhythm, &expected.period, expected.now);
    verified.chains.push(chain);
    Ok(())
}

/// Evidence is written once and never deleted. Files without an entry and expired files may be.
fn check_history(
    history: &History,
    folder: &ConnectionFolder,
    runs_named: &HashMap<String, u64>,
    expired: &[String],
    verified: &mut Verified,
) {
    let History::Told { replaced, deleted } = history else {
        return;
    };
    let below = format!("{folder}/");
    let is_evidence = |name: &&String| {
        name.starts_with(&below)
            // How a console draws a folder.
            && !name.ends_with('/')
            && (!name.starts_with(&folder.ledger())
                || folder.sequence_of(name).is_some()
                || folder.is_signature(name))
            && folder
                .run_file_of(name)
                .or_else(|| folder.review_file_of(name))
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

fn check_entry(
    entry: &Entry,
    folder: &ConnectionFolder,
    sequence: u64,
    place: &str,
    verified: &mut Verified,
) {
    if entry.sequence != sequence {
        let text = format!("its content is that of entry {}", entry.sequence);
        verified.fault(FaultKind::Moved, place, text);
    }
    if ConnectionFolder::of(&entry.connection) != *folder {
        let text = "it belongs to another connection";
        verified.fault(FaultKind::Moved, place, text);
    }
}

fn check_link(entry: &Entry, before: Option<&Link>, place: &str, verified: &mut Verified) {
    if entry.sequence == 1 {
        if entry.previous_sha256 != FIRST_PREVIOUS {
            let text = "it is the first entry and names a predecessor";
            verified.fault(FaultKind::BrokenLink, place, text);
        }
        return;
    }
    // A gap has been reported, and no link leads across it.
    let Some(before) = before.filter(|before| before.sequence + 1 == entry.sequence) else {
        return;
    };
    if entry.previous_sha256 != before.sha256 {
        let text = format!(
            "its previous_sha256 is not the hash of entry {}",
            before.sequence
        );
        verified.fault(FaultKind::BrokenLink, place, text);
    }
    if entry.committed_at < before.committed_at {
        let text = format!(
            "it was committed at {}, before entry {}, which was committed at {}: the two clocks differed by more \
             than 5 minutes, or the entries were backdated",
            entry.committed_at, before.sequence, before.committed_at
        );
        verified.fault(FaultKind::WentBack, place, text);
    }
}
