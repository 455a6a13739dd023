//! Prints the two answers and their details, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::operation::ScheduleChange;
use super::{ChainVerified, Expectations, Fault, FaultKind, Verified};
use crate::model::counted;
use crate::report::on_one_line;
use crate::schedule::{DueRuns, MissingRuns};

/// The text has at most this many lines of one kind; `--json` has all.
const LISTED: usize = 20;

/// Sentences that explain how far an auditor can rely on the evidence.
fn assurance(verified: &Verified, expected: &Expectations) -> Vec<String> {
    let sum = |count: fn(&ChainVerified) -> u64| verified.chains.iter().map(count).sum::<u64>();
    let without_raw = sum(|chain| chain.without_raw);
    let has_keys = !expected.keys.is_empty();
    let has_heads = !expected.heads.is_empty();
    let has_stored_times = sum(|chain| chain.stored_times) > 0;
    let not_recomputed = match sum(|chain| chain.decisions_not_recomputed.len() as u64) {
        1 => {
            "decisions of 1 run were not recomputed: only its hashes and links were checked".into()
        }
        runs => format!(
            "decisions of {runs} runs were not recomputed: only their hashes and links were checked"
        ),
    };
    let locks = verified.locks.as_text();
    let versions = verified.versions_unchecked.unwrap_or_default();
    let versions = format!("older versions: not checked, because {versions}");
    let lines = [
        (
            true,
            "consistent: hashes and links agree; anyone who can write to the store could have rewritten all of it",
        ),
        (
            sum(|chain| chain.decisions_recomputed) > 0,
            "decisions: recomputed from the stored inputs; report.html and raw/ are only compared with their hashes",
        ),
        (
            sum(|chain| chain.accounts_recomputed) > 0,
            "accounts: recomputed from Truto's answers in raw/; workspace, /me and refusals are taken as recorded, \
             with EVIDENCE_RAW=minimal also how lists ended",
        ),
        (
            without_raw > 0,
            "accounts of some runs were not recomputed: raw pages were not kept",
        ),
        (
            sum(|chain| chain.accounts_not_recomputed.len() as u64) > without_raw,
            "accounts of some runs could not be recomputed; they are listed above",
        ),
        (
            sum(|chain| chain.decisions_not_recomputed.len() as u64) > 0,
            &not_recomputed,
        ),
        (
            sum(|chain| chain.reviews_recomputed) > 0,
            "reviews: except those listed above, each worksheet was recomputed from its run, and each decision is \
             about one of its rows; that the reviewers made these decisions is taken as recorded",
        ),
        (
            sum(|chain| chain.signatures_unchecked) > 0,
            "signatures of some entries were not checked: their key is not available",
        ),
        (
            has_keys,
            "signatures: the last entry of each ledger is signed with a given key, and its links cover all earlier \
             entries",
        ),
        (
            !has_keys && sum(|chain| chain.signed) > 0,
            "signatures: checked only with the keys stored next to the ledger; give --public-key to check who signed",
        ),
        (
            !has_heads,
            "end of the ledger: not checked; give --head with an entry that you noted elsewhere",
        ),
        (
            has_heads,
            "end of the ledger: everything up to each --head is unchanged since you noted it",
        ),
        (
            !has_stored_times,
            "time of storing: not checked; file times in a folder prove nothing, so check the bucket itself",
        ),
        (
            has_stored_times,
            "time of storing: each entry was compared with the time at which the bucket stored it",
        ),
        (true, &locks),
        (verified.versions_unchecked.is_some(), &versions),
    ];
    let lines = lines.into_iter().filter(|(applies, _)| *applies);
    lines.map(|(_, line)| line.to_owned()).collect()
}

/// The first answer, on one line.
fn integrity(verified: &Verified) -> String {
    match verified.faults.len() as u64 {
        0 => "Integrity: holds".to_owned(),
        faults => format!("Integrity: broken, {}", counted(faults, "fault", "faults")),
    }
}

/// The second answer, on one line.
fn operation(verified: &Verified) -> String {
    let mut text = match verified.missing_runs() {
        None => "Operation: not checked".to_owned(),
        Some(0) if verified.due().all(|due| due.runs == Some(0)) => {
            "Operation: no run was due in this period".to_owned()
        }
        Some(0) => "Operation: no scheduled run is missing".to_owned(),
        Some(1) => "Operation: 1 scheduled run is missing".to_owned(),
        Some(missing) => format!("Operation: {missing} scheduled runs are missing"),
    };
    if let Some(why) = verified.operation_not_checked() {
        let connection = match verified.missing_runs() {
            Some(_) => "not checked for every connection: ",
            None => "",
        };
        let _ = write!(text, " ({connection}{})", on_one_line(why));
    }
    let failed = verified.failed_runs();
    if failed > 0 {
        let _ = write!(text, ", {} failed", counted(failed, "run", "runs"));
    }
    let after: u64 = verified.due().map(|due| due.after_last_run).sum();
    if after > 0 {
        let were = counted(after, "run was", "runs were");
        let _ = write!(
            text,
            "; {were} due since the last run (to count them: --to now)"
        );
    }
    text
}

/// The result as text: what was checked, then the faults and warnings, and the two answers last.
pub fn as_text(verified: &Verified, expected: &Expectations) -> String {
    let mut text = format!("  evidence   {}\n", verified.location);
    for chain in &verified.chains {
        text += &chain_as_text(chain);
    }
    let _ = writeln!(text);
    if verified.integrity_holds() {
        for line in assurance(verified, expected) {
            let _ = writeln!(text, "  assurance  {line}");
        }
        let _ = writeln!(text);
    } else {
        text += &faults_as_text(&verified.faults);
    }
    for warning in &verified.warnings {
        let (place, words) = (on_one_line(&warning.place), on_one_line(&warning.text));
        let _ = writeln!(text, "WARNING: {place}: {words}\n");
    }
    let _ = writeln!(text, "{}\n{}", integrity(verified), operation(verified));
    text
}

fn faults_as_text(faults: &[Fault]) -> String {
    let mut text = String::new();
    let mut by_kind: BTreeMap<FaultKind, Vec<&Fault>> = BTreeMap::new();
    for fault in faults {
        by_kind.entry(fault.kind).or_default().push(fault);
    }
    for (kind, faults) in by_kind {
        let lines = faults.iter().map(|fault| {
            let (place, words) = (on_one_line(&fault.place), on_one_line(&fault.text));
            format!("{place}: {words}")
        });
        list(&mut text, &format!("{kind:<17}"), lines);
    }
    text + "\n"
}

/// Prints up to [`LISTED`] lines, each after the same word.
fn list(text: &mut String, word: &str, lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(LISTED);
    for line in lines.take(LISTED) {
        let _ = writeln!(text, "  {word} {line}");
    }
    if more > 0 {
        let _ = writeln!(text, "  {word} and {more} more; --json has all");
    }
}

fn chain_as_text(chain: &ChainVerified) -> String {
    let mut text = String::new();
    let mut row = |word: &str, what: String| {
        let _ = writeln!(text, "  {word:<10} {what}");
    };
    row("connection", on_one_line(&chain.folder).to_string());
    if let (Some(first), Some(last)) = (chain.first_run, chain.last_run) {
        row("runs", format!("the first at {first}, the last at {last}"));
    }
    let (entries, runs) = (chain.entries, chain.runs);
    let judged = counted(runs, "run", "runs");
    let failed = counted(chain.failures, "run", "runs");
    row(
        "entries",
        format!("{entries}: {judged} judged, {failed} failed"),
    );
    let (reviews, same) = (chain.reviews, chain.reviews_recomputed);
    if reviews > 0 {
        let text = format!(
            "{reviews} opened, closed or acknowledged, {same} recomputed with the same result"
        );
        row("reviews", text);
    }
    row("files", format!("{} with the right hash", chain.files));
    for (word, same) in [
        ("accounts", chain.accounts_recomputed),
        ("decisions", chain.decisions_recomputed),
    ] {
        let mut text = format!("recomputed with the same result for {same} of {runs} runs");
        if same < runs {
            text += "; the others differ or were not recomputed";
        }
        row(word, text);
    }
    if chain.signed > 0 {
        row("signed", format!("{} with a valid signature", chain.signed));
    }
    let unchecked = chain.signatures_unchecked;
    if unchecked > 0 {
        let text = format!("{unchecked} signed with a key that is not available");
        row("unchecked", text);
    }
    if let Some(head) = &chain.head {
        row("ledger", head.to_string());
    }
    if let Some(due) = &chain.operation.due {
        row("schedule", schedule_as_text(due));
    }
    for change in &chain.operation.schedule_changes {
        let ScheduleChange { after, until, to } = change;
        let to = on_one_line(&to.to_string()).to_string();
        row(
            "changed",
            format!("the schedule, between {after} and {until}, to {to}"),
        );
    }
    if let Some(why) = &chain.operation.not_checked {
        row("schedule", format!("not checked: {}", on_one_line(why)));
    }
    for (word, lines) in [
        ("accounts not recomputed", &chain.accounts_not_recomputed),
        ("decisions not recomputed", &chain.decisions_not_recomputed),
        ("review not recomputed", &chain.reviews_not_recomputed),
        ("expired   ", &chain.expired),
        ("no entry  ", &chain.uncommitted),
    ] {
        let lines = lines.iter().map(|line| on_one_line(line).to_string());
        list(&mut text, word, lines);
    }
    let failed = chain.operation.failed.iter().map(|run| {
        let why = match (&run.stage, run.exit) {
            (Some(stage), Some(exit)) => format!(": {stage}, exit {exit}"),
            _ => String::new(),
        };
        on_one_line(&format!("entry {}, {}{why}", run.entry, run.run)).to_string()
    });
    list(&mut text, "failed run", failed);
    let missing = chain.operation.due.iter().flat_map(|due| &due.missing);
    let missing = missing.map(
        |MissingRuns {
             runs,
             from,
             to,
             local,
         }| match local {
            Some(local) => format!("due at {from} ({local}), no run started before {to}"),
            None => format!("{} between {from} and {to}", counted(*runs, "run", "runs")),
        },
    );
    list(&mut text, "missing   ", Vec::from_iter(missing).into_iter());
    text
}

fn schedule_as_text(due: &DueRuns) -> String {
    let mut text = match due.runs {
        Some(runs) => format!("{} due", counted(runs, "run was", "runs were")),
        None => "checked against the interval".to_owned(),
    };
    let _ = write!(text, " from {} to {}", due.from, due.to);
    if due.may_still_start > 0 {
        let _ = write!(text, "; {} may still start", due.may_still_start);
    }
    text
}

/// The result as JSON.
pub fn as_json(verified: &Verified, expected: &Expectations) -> Value {
    let assurance = match verified.integrity_holds() {
        true => assurance(verified, expected),
        false => Vec::new(),
    };
    json!({
        "location": verified.location,
        "integrity": {
            "holds": verified.integrity_holds(),
            "faults": verified.faults,
        },
        "operation": {
            "checked": verified.operation_not_checked().is_none(),
            "missing_runs": verified.missing_runs(),
            "failed_runs": verified.failed_runs(),
        },
        "warnings": verified.warnings,
        "assurance": assurance,
        "locks": verified.locks,
        "older_versions": verified.versions_unchecked.unwrap_or("checked"),
        "chains": verified.chains,
    })
}
