//! Checks one committed run: its files must agree with each other and follow from their inputs.

use super::committed::{CommittedFolder, FolderFiles};
use super::recompute::Recompute;
use super::{ChainVerified, FaultKind, Verified};
use crate::evidence::{EntryKind, Facts, Manifest, RunFile, RunResult};
use crate::judgement;
use crate::source::NotRecomputed;
use crate::store::StoreError;

/// Checks a run. Returns its manifest if the run has no fault.
pub(super) async fn verify(
    stored: &CommittedFolder<'_>,
    recompute: &mut Recompute,
    chain: &mut ChainVerified,
    verified: &mut Verified,
) -> Result<Option<Manifest>, StoreError> {
    let run = &stored.folder;
    let faults_before = verified.faults.len();
    let files = stored.walk(RunFile::is_recomputed, chain, verified).await?;
    let Some(files) = files else {
        return Ok(None);
    };
    let manifest: Option<Manifest> = stored.manifest(&files, verified);
    let mut facts_and_result = None;
    if let Some(manifest) = &manifest {
        let apart = manifest.apart_from(stored.entry);
        stored.check_manifest(&apart, &manifest.files, &files, verified);
        let mut builds_on = manifest.previous.iter().chain(&manifest.baseline);
        let sequence = stored.entry.sequence;
        if let Err(text) = builds_on.try_for_each(|at| recompute.ensure_there(sequence, at)) {
            let place = stored.place(&RunFile::Manifest.name());
            verified.fault(FaultKind::Disagreement, place, text);
        }
        if stored.entry.kind == EntryKind::Run {
            facts_and_result = self::facts_and_result(stored, manifest, &files, verified);
        }
    }
    let is_faultless = verified.faults.len() == faults_before;
    let Some(manifest) = manifest.filter(|_| is_faultless) else {
        return Ok(None);
    };
    let Some(facts_and_result) = facts_and_result else {
        return Ok(Some(manifest));
    };
    let (accounts, decisions) = recompute.run(stored.entry, &manifest, &files, facts_and_result);
    match accounts {
        Ok(()) => chain.accounts_recomputed += 1,
        Err(NotRecomputed::NotKept) => {
            let why = "raw pages were not kept (EVIDENCE_RAW=none)";
            chain.accounts_not_recomputed.push(format!("{run}: {why}"));
            chain.without_raw += 1;
        }
        Err(NotRecomputed::NotPossible(why)) => {
            chain.accounts_not_recomputed.push(format!("{run}: {why}"))
        }
        Err(NotRecomputed::Differs { place, text }) => {
            let file = place.map_or(RunFile::AccountsJsonl, RunFile::raw);
            let text = format!("recomputed from the raw pages: {text}");
            verified.fault(FaultKind::AccountsDiffer, stored.place(&file.name()), text);
        }
    }
    match decisions {
        Err(why) => chain.decisions_not_recomputed.push(format!("{run}: {why}")),
        Ok(differing) => {
            chain.decisions_recomputed += u64::from(differing.is_empty());
            for name in differing {
                let text = "recomputed from the stored inputs, the file has other content";
                verified.fault(FaultKind::DecisionsDiffer, stored.place(&name), text);
            }
        }
    }
    Ok(Some(manifest))
}

/// The facts and the result of a judged run. They must belong to this run: a copy of an earlier run under a later date
/// would agree with itself.
fn facts_and_result(
    stored: &CommittedFolder<'_>,
    manifest: &Manifest,
    files: &FolderFiles,
    verified: &mut Verified,
) -> Option<(Facts<'static>, RunResult<'static>)> {
    let (entry, as_of) = (stored.entry, manifest.run.as_of);
    let result = stored.read_json(files, &RunFile::Result.name(), verified);
    let facts = stored.read_json(files, &RunFile::InputFacts.name(), verified);
    let mut check = |file: RunFile, agrees: bool| {
        if !agrees {
            let sequence = entry.sequence;
            let text = format!("it does not belong to the run that entry {sequence} commits");
            verified.fault(FaultKind::Disagreement, stored.place(&file.name()), text);
        }
    };
    let agrees = |result: &RunResult<'_>| {
        result.as_of == as_of
            && result.verdict.as_str() == entry.verdict
            && result.complete == entry.complete
            && (1..=judgement::VERSION).contains(&result.judgement)
    };
    check(RunFile::Result, result.as_ref().is_none_or(agrees));
    let agrees = |facts: &Facts<'_>| {
        facts.as_of == as_of
            && facts.run == entry.run
            && facts.past.previous.as_deref() == manifest.previous.as_ref()
            && facts.past.baseline.as_deref() == manifest.baseline.as_ref()
    };
    check(RunFile::InputFacts, facts.as_ref().is_none_or(agrees));
    facts.zip(result)
}
