//! One committed run: whether its files agree, and whether they follow from their inputs.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::committed::{Committed, Found};
use super::recompute::{Decisions, Recompute};
use super::{ChainVerified, FaultKind, Verified};
use crate::evidence::{EntryKind, Manifest, RunFile};
use crate::judgement::{self, RunRef};
use crate::model::RawKind;
use crate::source::{self, KeptAnswers};
use crate::store::StoreError;

/// The files that recomputing needs, by name; all have the right hash.
pub(super) struct Kept {
    files: BTreeMap<String, Vec<u8>>,
    /// The version of the rules by which the run was judged, as the result states it.
    pub(super) judged_by: Option<u32>,
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

/// Checks a run, and gives its manifest if nothing is wrong with the run.
pub(super) async fn verify(
    stored: &Committed<'_>,
    recompute: &mut Recompute,
    chain: &mut ChainVerified,
    verified: &mut Verified,
) -> Result<Option<Manifest>, StoreError> {
    let run = &stored.folder;
    let faults_before = verified.faults.len();
    let found = stored.walk(RunFile::is_read_again, chain, verified).await?;
    let Some(found) = found else {
        return Ok(None);
    };
    let manifest = manifest(stored, &found, verified);
    let mut kept = Kept {
        files: found.kept,
        judged_by: None,
    };
    if let Some(manifest) = &manifest {
        if let Err(text) = recompute.builds_on_what_is_there(stored.entry, manifest) {
            let place = stored.place(&RunFile::Manifest.name());
            verified.fault(FaultKind::Disagreement, place, text);
        }
        check_heads(stored, manifest, &mut kept, verified);
    }
    let is_faultless = verified.faults.len() == faults_before;
    let Some(manifest) = manifest.filter(|_| is_faultless) else {
        return Ok(None);
    };
    if stored.entry.kind != EntryKind::Run {
        return Ok(Some(manifest));
    }
    let (accounts, decisions) = recompute.run(stored.entry, &manifest, &kept);
    match accounts {
        source::Again::Same => chain.accounts_recomputed += 1,
        source::Again::NotKept => {
            let why = "raw pages were not kept (EVIDENCE_RAW=none)";
            chain.accounts_not_recomputed.push(format!("{run}: {why}"));
            chain.without_raw += 1;
        }
        source::Again::NotPossible(why) => {
            chain.accounts_not_recomputed.push(format!("{run}: {why}"))
        }
        source::Again::Otherwise(source::Otherwise { place, text }) => {
            let file = place.map_or(RunFile::InputFacts, RunFile::raw);
            let text = format!("recomputed from the raw pages: {text}");
            verified.fault(FaultKind::AccountsDiffer, stored.place(&file.name()), text);
        }
    }
    match decisions {
        Decisions::Same => chain.decisions_recomputed += 1,
        Decisions::NotPossible(why) => chain.decisions_not_recomputed.push(format!("{run}: {why}")),
        Decisions::Differ(names) => {
            for name in names {
                let text = "recomputed from the stored inputs, the file has other content";
                verified.fault(FaultKind::DecisionsDiffer, stored.place(&name), text);
            }
        }
    }
    Ok(Some(manifest))
}

/// The manifest, which must agree with entry and sums.
fn manifest(stored: &Committed<'_>, found: &Found, verified: &mut Verified) -> Option<Manifest> {
    let bytes = stored.manifest(found, verified)?;
    let place = stored.place(&RunFile::Manifest.name());
    let entry = stored.entry;
    let manifest: Manifest = match serde_json::from_slice(bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            let text = format!("it cannot be read as a manifest: {error}");
            verified.fault(FaultKind::Disagreement, place, text);
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
    if !found.is_described_by(&manifest.files) {
        let text = "the files it describes are not those that SHA256SUMS lists";
        verified.fault(FaultKind::Disagreement, place, text);
    }
    Some(manifest)
}

/// Result and facts must be of this run: an earlier run that is presented again under a later date agrees with
/// itself.
fn check_heads(
    stored: &Committed<'_>,
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
                "it is not the result of the run that entry {} commits",
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
                "it does not belong to the run that entry {} commits",
                entry.sequence
            );
            verified.fault(FaultKind::Disagreement, stored.place(&name), text);
        }
    }
}
