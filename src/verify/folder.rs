//! One committed run: every file of its folder against the hashes that its entry vouches for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::again::{Again, Judges};
use super::reader::Reader;
use super::{ChainVerified, FaultKind, Verified};
use crate::evidence::{
    ConnectionFolder, Entry, EntryKind, Manifest, RunFile, RunFolder, sha256_hex, sums_of,
};
use crate::judgement::{self, RunRef};
use crate::people::RawKind;
use crate::source::{self, KeptAnswers};
use crate::store::{StoreError, is_name};

/// A run as its entry names it and as the store lists it.
pub(super) struct Stored<'a> {
    pub(super) store: &'a Reader<'a>,
    pub(super) folder: &'a ConnectionFolder,
    pub(super) entry: &'a Entry,
    pub(super) run: &'a RunFolder,
    /// Names relative to the run's folder.
    pub(super) files: Vec<String>,
    /// The instant of checking: a run whose time is over may be gone.
    pub(super) now: Timestamp,
}

impl Stored<'_> {
    fn place(&self, file: &str) -> String {
        format!("{}/{file}", self.folder.run(self.run))
    }

    /// Whether its time to be kept is over.
    fn may_be_gone(&self) -> bool {
        self.entry
            .retain_until
            .is_some_and(|until| until <= self.now)
    }

    async fn read(&self, file: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.read(&self.place(file)).await
    }
}

/// Files that deriving and judging again need, by name; all of them sound.
pub(super) struct Kept {
    files: BTreeMap<String, Vec<u8>>,
    /// Size of every file that is sound.
    sound: BTreeMap<String, u64>,
    /// Every file that `SHA256SUMS` names, with its hash.
    sums: BTreeMap<String, String>,
    /// The version of the rules that the result says it was judged by.
    pub(super) judged_by: Option<u32>,
    /// Files are gone, and may be.
    is_partly_gone: bool,
}

impl Kept {
    pub(super) fn get(&self, name: &str) -> Option<&Vec<u8>> {
        self.files.get(name)
    }
}

impl KeptAnswers for Kept {
    fn get(&self, kind: RawKind) -> Option<&[u8]> {
        let name = RunFile::raw(kind).name();
        self.files.get(&name).map(Vec::as_slice)
    }

    fn count(&self) -> usize {
        let names = self.files.keys();
        names.filter(|name| RunFile::is_raw(name)).count()
    }
}

pub(super) async fn verify(
    stored: &Stored<'_>,
    judges: &mut Judges,
    chain: &mut ChainVerified,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    let run = stored.folder.run(stored.run);
    if stored.files.is_empty() {
        if stored.may_be_gone() {
            chain.expired.push(run);
        } else {
            let text = "the folder of a committed run is gone";
            verified.fault(FaultKind::MissingRun, run, text);
        }
        return Ok(());
    }
    let faults_before = verified.faults.len();
    let Some(mut kept) = files(stored, chain, verified).await? else {
        return Ok(());
    };
    // A store deletes what is expired file by file: what is left must still be what it was.
    if kept.is_partly_gone {
        chain.expired.push(run);
        return Ok(());
    }
    let manifest = manifest(stored, &kept, verified);
    if let Some(manifest) = &manifest {
        if let Err(text) = judges.builds_on_what_is_there(stored.entry, manifest) {
            let place = stored.place(&RunFile::Manifest.name());
            verified.fault(FaultKind::Disagreement, place, text);
        }
        says_the_same(stored, manifest, &mut kept, verified);
    }
    let is_sound = verified.faults.len() == faults_before;
    let Some(manifest) = manifest.filter(|_| is_sound && stored.entry.kind == EntryKind::Run)
    else {
        return Ok(());
    };
    let (derived, judged) = judges.again(stored.entry, &manifest, &kept);
    match derived {
        source::Again::Same => chain.derived_again += 1,
        source::Again::NotKept => {
            let why = "raw pages were not kept (EVIDENCE_RAW=none)";
            chain.not_derived_again.push(format!("{run}: {why}"));
            chain.without_raw += 1;
        }
        source::Again::NotPossible(why) => chain.not_derived_again.push(format!("{run}: {why}")),
        source::Again::Otherwise(source::Otherwise { place, text }) => {
            let file = place.map_or(RunFile::InputFacts, RunFile::raw);
            let text = format!("derived again from the raw pages: {text}");
            verified.fault(
                FaultKind::AccountsOtherwise,
                stored.place(&file.name()),
                text,
            );
        }
    }
    match judged {
        Again::Same => chain.judged_again += 1,
        Again::NotPossible(why) => chain.not_judged_again.push(format!("{run}: {why}")),
        Again::Otherwise(names) => {
            for name in names {
                let text = "judged again from the stored inputs, the file has other content";
                verified.fault(FaultKind::JudgedOtherwise, stored.place(&name), text);
            }
        }
    }
    Ok(())
}

/// Every file against `SHA256SUMS`, and that against the entry. What is kept is what is read again; none
/// where the sums cannot be believed.
async fn files(
    stored: &Stored<'_>,
    chain: &mut ChainVerified,
    verified: &mut Verified,
) -> Result<Option<Kept>, StoreError> {
    let name = RunFile::Sums.name();
    let Some(bytes) = stored.read(&name).await? else {
        if stored.may_be_gone() {
            chain.expired.push(stored.folder.run(stored.run));
            return Ok(None);
        }
        let text = "it is gone, and with it what the entry vouches for";
        verified.fault(FaultKind::MissingFile, stored.place(&name), text);
        return Ok(None);
    };
    if sha256_hex(&bytes) != stored.entry.sums_sha256 {
        let text = format!(
            "it is not the one that entry {} names",
            stored.entry.sequence
        );
        verified.fault(FaultKind::Modified, stored.place(&name), text);
        return Ok(None);
    }
    let Some(sums) = sums_of(&bytes) else {
        let text = "it is not in the form sums are written in";
        verified.fault(FaultKind::Disagreement, stored.place(&name), text);
        return Ok(None);
    };
    chain.files += 1;

    let mut files = BTreeMap::new();
    let mut sound = BTreeMap::new();
    let mut is_partly_gone = false;
    for file in RunFile::always(stored.entry.kind == EntryKind::Run) {
        let file = file.name();
        if !sums.contains_key(&file) {
            let text = "every run of its kind has it, and the sums of this one do not name it";
            verified.fault(FaultKind::MissingFile, stored.place(&file), text);
        }
    }
    let mut extra: Vec<&String> = stored.files.iter().filter(|file| **file != name).collect();
    extra.retain(|file| !sums.contains_key(*file));
    for (file, sha256) in &sums {
        if !is_name(&stored.place(file)) {
            let text = "its name is none that a file of a run can have";
            verified.fault(FaultKind::MissingFile, stored.place(file), text);
            continue;
        }
        let Some(bytes) = stored.read(file).await? else {
            // The same bytes under a name nobody wrote: somebody renamed them.
            let mut found = None;
            for other in extra.iter().filter(|other| is_name(&stored.place(other))) {
                let bytes = stored.read(other).await?;
                if bytes.is_some_and(|bytes| sha256_hex(&bytes) == *sha256) {
                    found = Some(*other);
                }
            }
            match found {
                Some(other) => {
                    let text = format!("it lies under the name `{other}`");
                    verified.fault(FaultKind::Moved, stored.place(file), text);
                    extra.retain(|file| *file != other);
                }
                None if stored.may_be_gone() => is_partly_gone = true,
                None => {
                    let text = "it was hashed when the run was committed, and is gone";
                    verified.fault(FaultKind::MissingFile, stored.place(file), text);
                }
            }
            continue;
        };
        if sha256_hex(&bytes) != *sha256 {
            let text = "its bytes are not those that were hashed when the run was committed";
            verified.fault(FaultKind::Modified, stored.place(file), text);
            continue;
        }
        chain.files += 1;
        sound.insert(file.clone(), bytes.len() as u64);
        if RunFile::is_read_again(file) {
            files.insert(file.clone(), bytes);
        }
    }
    for file in extra {
        let text = "it was not there when the run was committed";
        verified.fault(FaultKind::ExtraFile, stored.place(file), text);
    }
    Ok(Some(Kept {
        files,
        sound,
        sums,
        judged_by: None,
        is_partly_gone,
    }))
}

/// The manifest, which must say what entry and sums say.
fn manifest(stored: &Stored<'_>, kept: &Kept, verified: &mut Verified) -> Option<Manifest> {
    let name = RunFile::Manifest.name();
    let place = stored.place(&name);
    let bytes = kept.get(&name)?;
    let entry = stored.entry;
    if sha256_hex(bytes) != entry.manifest_sha256 {
        let text = format!("it is not the one that entry {} names", entry.sequence);
        verified.fault(FaultKind::Modified, place, text);
        return None;
    }
    let manifest: Manifest = match serde_json::from_slice(bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            verified.fault(
                FaultKind::Disagreement,
                place,
                format!("it is no manifest: {error}"),
            );
            return None;
        }
    };
    let apart = manifest.apart_from(entry);
    if !apart.is_empty() {
        let text = format!(
            "it and entry {} disagree: {}",
            entry.sequence,
            apart.join(", ")
        );
        verified.fault(FaultKind::Disagreement, place.clone(), text);
    }
    // The manifest cannot hold its own hash; all else it describes, and nothing more.
    let mut described = manifest.files.iter();
    let is_as_described = described.all(|record| {
        let is_named = kept.sums.get(&record.name) == Some(&record.sha256);
        let sound = kept.sound.get(&record.name);
        is_named && sound.is_none_or(|bytes| *bytes == record.bytes)
    });
    let undescribed = kept
        .sums
        .keys()
        .any(|file| *file != name && !manifest.files.iter().any(|record| record.name == *file));
    if !is_as_described || undescribed {
        let text = "the files it describes are not those that the sums name";
        verified.fault(FaultKind::Disagreement, place.clone(), text);
    }
    Some(manifest)
}

/// Result and facts must be of this very run: an earlier night told again under a later date is sound
/// in itself.
fn says_the_same(
    stored: &Stored<'_>,
    manifest: &Manifest,
    kept: &mut Kept,
    verified: &mut Verified,
) {
    #[derive(serde::Deserialize)]
    struct ResultHead {
        judgement: u32,
        as_of: Timestamp,
        verdict: String,
        complete: bool,
    }
    #[derive(serde::Deserialize)]
    struct FactsHead {
        as_of: Timestamp,
        run: String,
        past: PastHead,
    }
    #[derive(serde::Deserialize)]
    struct PastHead {
        previous: Option<RunRef>,
        baseline: Option<RunRef>,
    }
    if stored.entry.kind != EntryKind::Run {
        return;
    }
    let entry = stored.entry;
    let name = RunFile::Result.name();
    if let Some(bytes) = kept.get(&name) {
        let head: Option<ResultHead> = serde_json::from_slice(bytes).ok();
        let agrees = head.as_ref().is_some_and(|head| {
            head.as_of == manifest.run.as_of
                && head.verdict == entry.verdict
                && head.complete == entry.complete
                && (1..=judgement::VERSION).contains(&head.judgement)
        });
        kept.judged_by = head.map(|head| head.judgement);
        if !agrees {
            let text = format!(
                "it is not the result of the night that entry {} commits",
                entry.sequence
            );
            verified.fault(FaultKind::Disagreement, stored.place(&name), text);
        }
    }
    let name = RunFile::InputFacts.name();
    if let Some(bytes) = kept.get(&name) {
        let agrees = serde_json::from_slice(bytes).is_ok_and(|head: FactsHead| {
            head.as_of == manifest.run.as_of
                && head.run == entry.run
                && head.past.previous == manifest.previous
                && head.past.baseline == manifest.baseline
        });
        if !agrees {
            let text = format!(
                "it is not of the night that entry {} commits",
                entry.sequence
            );
            verified.fault(FaultKind::Disagreement, stored.place(&name), text);
        }
    }
}
