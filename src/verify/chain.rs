//! One connection's ledger, from its first entry to its last.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use tracing::info;

use super::again::Judges;
use super::committed::Committed;
use super::nights;
use super::reader::Reader;
use super::reviews;
use super::runs;
use super::signatures::Signatures;
use super::{Anchor, ChainVerified, Expectations, FaultKind, Verified};
use crate::evidence::{
    ConnectionFolder, Entry, EntryKind, FIRST_PREVIOUS, ReviewFile, ReviewFolder, ReviewPart,
    RunFile, RunFolder, sha256_hex,
};
use crate::store::{History, StoreError};

/// What lies below a connection's folder.
struct Listing {
    /// Numbers of the entries.
    sequences: BTreeSet<u64>,
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
            sequences: BTreeSet::new(),
            has_zero: false,
            strangers: Vec::new(),
            runs: BTreeMap::new(),
            reviews: BTreeMap::new(),
            others: Vec::new(),
        };
        for name in store.list(&format!("{folder}/")).await? {
            if let Some(sequence) = folder.sequence_of(&name) {
                if sequence == 0 {
                    listing.has_zero = true;
                } else {
                    listing.sequences.insert(sequence);
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
        let text = "nobody who writes evidence makes a file of this name here";
        verified.fault(FaultKind::ExtraFile, name, text);
    }

    let mut judges = Judges::default();
    let mut signatures = Signatures::new(store, folder, &expected.keys);
    let mut before: Option<Link> = None;
    let mut nights: Vec<(Timestamp, u64)> = Vec::new();
    let mut runs_named: HashMap<String, u64> = HashMap::new();
    let sequences = std::mem::take(&mut listing.sequences);
    let head = sequences.last().copied().unwrap_or_default();
    let mut wanted = 1;
    if listing.has_zero {
        let place = format!("{}, ledger entry 0", chain.folder);
        let text = "the first entry is 1: nobody who writes evidence makes this one";
        verified.fault(FaultKind::ExtraFile, place, text);
    }
    for sequence in sequences {
        let place = format!("{}, ledger entry {sequence}", chain.folder);
        if sequence > wanted {
            let text = match sequence - wanted {
                1 => format!("entry {wanted} is not there"),
                many => format!("{many} entries from {wanted} on are not there"),
            };
            let text = format!("{text}: numbers have no gaps, so they were deleted");
            verified.fault(FaultKind::MissingEntry, place.clone(), text);
            judges.cannot_read(wanted..=sequence - 1);
        }
        wanted = sequence.saturating_add(1);
        let Some(bytes) = store.read(&folder.entry(sequence)).await? else {
            let text = "it was listed, and is gone";
            verified.fault(FaultKind::MissingEntry, place, text);
            judges.cannot_read(sequence..=sequence);
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
                judges.cannot_read(sequence..=sequence);
                before = None;
                continue;
            }
        };
        check_entry(&entry, folder, sequence, &place, verified);
        check_link(&entry, before.as_ref(), &place, verified);
        signatures
            .check(sequence, &bytes, &sha256, &entry, &place, verified)
            .await?;
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
            if let Some(other) = runs_named.insert(entry.run.clone(), sequence) {
                let text = format!("entry {other} commits the same part of the review, `{part}`");
                verified.fault(FaultKind::Moved, place, text);
                judges.remember(&entry);
                judges.cannot_read(sequence..=sequence);
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
            judges.remember(&entry);
            chain.reviews += 1;
            let of = reviews::Part {
                stored: &stored,
                connection: folder,
                part: kind,
            };
            reviews::verify(&of, &mut judges, &mut chain, verified).await?;
            continue;
        }
        if !matches!(entry.kind, EntryKind::Run | EntryKind::Failure) {
            judges.cannot_read(sequence..=sequence);
        }
        match RunFolder::parse(&entry.run) {
            None => {
                judges.remember(&entry);
                judges.cannot_read(sequence..=sequence);
                let text = format!("it names the run `{}`, which is no run's folder", entry.run);
                verified.fault(FaultKind::Disagreement, place, text);
            }
            Some(run) => {
                if let Some(other) = runs_named.insert(entry.run.clone(), sequence) {
                    let text = format!("entry {other} commits the same run, `{}`", entry.run);
                    verified.fault(FaultKind::Moved, place, text);
                    // The folder was held against the entry that it is of.
                    judges.remember(&entry);
                    continue;
                }
                if !run.is_of_its_day() {
                    let text = "its run lies under another day than its own";
                    verified.fault(FaultKind::Disagreement, place.clone(), text);
                }
                if let Some(as_of) = run.instant() {
                    if as_of > entry.committed_at {
                        let text = format!("its run is of {as_of}, after it was committed");
                        verified.fault(FaultKind::RunAfterCommit, place.clone(), text);
                    }
                    // One that could not be judged is explained; a periodic review is no night.
                    if matches!(entry.kind, EntryKind::Run | EntryKind::Failure) {
                        nights.push((as_of, sequence));
                    }
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
                judges.remember(&entry);
                runs::verify(&stored, &mut judges, &mut chain, verified).await?;
            }
        }
        info!(target: "progress", sequence, head, "Checked entry {sequence} of {head}");
    }
    if chain.entries == 0 {
        let text = "there is no ledger entry: nothing here is evidence";
        verified.fault(FaultKind::EmptyLedger, chain.folder.clone(), text);
    }
    let place = format!("{}, ledger entry {head}", chain.folder);
    signatures.check_head(head, &place, verified);
    chain.signed = signatures.good;
    chain.signatures_unchecked = signatures.unchecked;
    check_history(history, folder, &runs_named, &chain.expired, verified);
    // The runs of lost entries are there, and nobody vouches for them any more.
    let all = listing.runs.into_keys().chain(listing.reviews.into_keys());
    chain.uncommitted = all.filter(|run| !runs_named.contains_key(run)).collect();
    nights.sort();
    chain.period = nights.first().zip(nights.last()).map(|(a, b)| (a.0, b.0));
    let (every, until) = (expected.every.as_ref(), expected.until);
    nights::check(&nights, every, until, &chain.folder, verified);
    verified.chains.push(chain);
    Ok(())
}

/// Evidence is written once and never deleted. What nobody vouches for, and what is expired, may be.
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
        let text = "it was written more than once: an older version lies below what is read";
        verified.fault(FaultKind::SecondVersion, name, text);
    }
    for name in deleted.iter().filter(is_evidence) {
        let text = "it was deleted: a delete marker lies, or lay, on it";
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
        let text = format!("it says that it is entry {}", entry.sequence);
        verified.fault(FaultKind::Moved, place, text);
    }
    if ConnectionFolder::of(&entry.connection) != *folder {
        let text = "it is of another connection";
        verified.fault(FaultKind::Moved, place, text);
    }
}

fn check_link(entry: &Entry, before: Option<&Link>, place: &str, verified: &mut Verified) {
    if entry.sequence == 1 {
        if entry.previous_sha256 != FIRST_PREVIOUS {
            let text = "it is the first and names a predecessor";
            verified.fault(FaultKind::BrokenLink, place, text);
        }
        return;
    }
    // A gap has been told of, and nothing links over it.
    let Some(before) = before.filter(|before| before.sequence + 1 == entry.sequence) else {
        return;
    };
    if entry.previous_sha256 != before.sha256 {
        let text = format!("entry {} is not the one it links to", before.sequence);
        verified.fault(FaultKind::BrokenLink, place, text);
    }
    if entry.committed_at < before.committed_at {
        let text = format!(
            "it was committed at {}, before entry {}",
            entry.committed_at, before.sequence
        );
        verified.fault(FaultKind::WentBack, place, text);
    }
}
