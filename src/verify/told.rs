//! What was found, for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{ChainVerified, Expectations, Fault, FaultKind, Verified};
use crate::report::on_one_line;

/// So many faults of one kind are told one by one to people; machines get all of them.
const TOLD_EACH: usize = 20;

/// How far the evidence can be relied on, strongest last. It is always said.
fn assurance(verified: &Verified, expected: &Expectations) -> Vec<String> {
    let mut told = Vec::new();
    if verified.is_sound() {
        told.push(
            "self-consistent: whoever can write to the store could have written all of it anew"
                .to_owned(),
        );
        if verified.chains.iter().any(|chain| chain.judged_again > 0) {
            told.push(
                "judged again: every file of those nights but report.html, which is hashed only, and raw/".to_owned(),
            );
        }
        if verified.chains.iter().any(|chain| chain.derived_again > 0) {
            told.push(
                "derived again: the accounts of those nights from Truto's answers in raw/; workspace, /me and \
                 refusals as recorded, with EVIDENCE_RAW=minimal also how lists ended".to_owned(),
            );
        }
        if verified.chains.iter().any(|chain| chain.without_raw > 0) {
            told.push("not re-derived: raw pages were not kept".to_owned());
        }
        let is_left =
            |chain: &ChainVerified| chain.not_derived_again.len() as u64 > chain.without_raw;
        if verified.chains.iter().any(is_left) {
            told.push(
                "not re-derivable: the accounts of the nights that are listed as underived"
                    .to_owned(),
            );
        }
        let not_again: usize = verified
            .chains
            .iter()
            .map(|chain| chain.not_judged_again.len())
            .sum();
        if not_again > 0 {
            told.push(format!(
                "not judged again: {not_again} night(s), of which only hashes and links were checked"
            ));
        }
        if verified.chains.iter().any(|chain| chain.reviews_again > 0) {
            told.push(
                "reviews: each worksheet is its night's accounts, and what was decided is about its rows; \
                 that reviewers decided so is as recorded"
                    .to_owned(),
            );
        }
        if verified
            .chains
            .iter()
            .any(|chain| chain.signatures_unchecked > 0)
        {
            told.push("not checked: signatures by a key that is not at hand".to_owned());
        }
        if !expected.keys.is_empty() {
            told.push(
                "signed: the last entry, and with it all it links to, by a key that was given"
                    .to_owned(),
            );
        } else if verified.chains.iter().any(|chain| chain.signed > 0) {
            told.push("signed by keys that lie beside the ledger: give --public-key to know whose they are".to_owned());
        }
        if !expected.heads.is_empty() {
            told.push(
                "anchored: up to each --head it is the evidence that was there when that was noted"
                    .to_owned(),
            );
        }
        told.push(verified.locks.told());
        if let Some(why) = verified.versions_not_told {
            told.push(format!("not checked: older versions, since {why}"));
        }
    }
    told
}

/// For people.
pub fn as_text(verified: &Verified, expected: &Expectations) -> String {
    let mut text = String::new();
    let headline = if verified.is_sound() {
        "SOUND      everything agrees with the ledger, and every night that could be was judged again alike"
    } else {
        "NOT SOUND  the evidence is not what was written"
    };
    let _ = writeln!(text, "{headline}\n\n  evidence   {}", verified.location);
    for chain in &verified.chains {
        text += &chain_as_text(chain);
    }
    for told in assurance(verified, expected) {
        let _ = writeln!(text, "  assurance  {told}");
    }
    if verified.is_sound() {
        return text;
    }
    let mut by_kind: BTreeMap<FaultKind, Vec<&Fault>> = BTreeMap::new();
    for fault in &verified.faults {
        by_kind.entry(fault.kind).or_default().push(fault);
    }
    let _ = writeln!(text);
    for (kind, faults) in by_kind {
        for fault in faults.iter().take(TOLD_EACH) {
            let _ = writeln!(
                text,
                "  {kind:<16} {}: {}",
                on_one_line(&fault.place),
                on_one_line(&fault.text)
            );
        }
        if faults.len() > TOLD_EACH {
            let more = faults.len() - TOLD_EACH;
            let _ = writeln!(text, "  {kind:<16} and {more} more; --json has all");
        }
    }
    text
}

fn chain_as_text(chain: &ChainVerified) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "\n  connection {}", on_one_line(&chain.folder));
    if let Some((first, last)) = chain.period {
        let _ = writeln!(text, "  period     {first} to {last}");
    }
    let _ = writeln!(
        text,
        "  entries    {}: {} judged, {} failed nights",
        chain.entries, chain.runs, chain.failures
    );
    if chain.reviews > 0 {
        let _ = writeln!(
            text,
            "  reviews    {} opened or closed, {} held whole against what they were made from",
            chain.reviews, chain.reviews_again
        );
    }
    let _ = writeln!(text, "  files      {} with the right hash", chain.files);
    let _ = writeln!(
        text,
        "  derived    {} again from raw/, the same accounts",
        chain.derived_again
    );
    let _ = writeln!(
        text,
        "  judged     {} again, the same byte for byte",
        chain.judged_again
    );
    if chain.signed > 0 {
        let _ = writeln!(
            text,
            "  signed     {} with a signature that fits",
            chain.signed
        );
    }
    if chain.signatures_unchecked > 0 {
        let _ = writeln!(
            text,
            "  unchecked  {} signed by a key that is not at hand",
            chain.signatures_unchecked
        );
    }
    if let Some(head) = &chain.head {
        let _ = writeln!(text, "  ledger     {}:{}", head.sequence, head.sha256);
    }
    for (what, list) in [
        ("underived ", &chain.not_derived_again),
        ("not again ", &chain.not_judged_again),
        ("not again ", &chain.reviews_not_again),
        ("expired   ", &chain.expired),
        ("no entry  ", &chain.uncommitted),
    ] {
        for place in list.iter().take(TOLD_EACH) {
            let _ = writeln!(text, "  {what} {}", on_one_line(place));
        }
        if list.len() > TOLD_EACH {
            let _ = writeln!(text, "  {what} and {} more", list.len() - TOLD_EACH);
        }
    }
    text
}

/// For machines.
pub fn as_json(verified: &Verified, expected: &Expectations) -> Value {
    let chains: Vec<Value> = verified
        .chains
        .iter()
        .map(|chain| {
            json!({
                "folder": chain.folder,
                "entries": chain.entries,
                "head": chain.head.as_ref().map(|head| format!("{}:{}", head.sequence, head.sha256)),
                "runs": chain.runs,
                "failures": chain.failures,
                "reviews": chain.reviews,
                "reviews_again": chain.reviews_again,
                "reviews_not_again": chain.reviews_not_again,
                "files": chain.files,
                "signed": chain.signed,
                "signatures_unchecked": chain.signatures_unchecked,
                "derived_again": chain.derived_again,
                "not_derived_again": chain.not_derived_again,
                "judged_again": chain.judged_again,
                "not_judged_again": chain.not_judged_again,
                "expired": chain.expired,
                "uncommitted": chain.uncommitted,
                "first_night": chain.period.map(|(first, _)| first),
                "last_night": chain.period.map(|(_, last)| last),
            })
        })
        .collect();
    json!({
        "sound": verified.is_sound(),
        "location": verified.location,
        "assurance": assurance(verified, expected),
        "locks": {
            "objects_read": verified.locks.objects,
            "compliance": verified.locks.compliance,
            "governance": verified.locks.governance,
            "first_until": verified.locks.first_until,
        },
        "older_versions": verified.versions_not_told.map_or("looked at", |why| why),
        "chains": chains,
        "faults": verified.faults,
    })
}
