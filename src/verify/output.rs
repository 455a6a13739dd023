//! The two answers and what they rest on, for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{ChainVerified, Due, Expectations, Fault, FaultKind, Verified};
use crate::report::on_one_line;

/// People see so many lines of one kind; `--json` has all.
const LISTED: usize = 20;

/// How far the evidence can be relied on.
fn assurance(verified: &Verified, expected: &Expectations) -> Vec<String> {
    let sum = |count: fn(&ChainVerified) -> u64| verified.chains.iter().map(count).sum::<u64>();
    let mut lines = Vec::new();
    let mut line = |text: &str| lines.push(text.to_owned());
    line(
        "consistent: hashes and links agree; anyone who can write to the store could have rewritten all of it",
    );
    if sum(|chain| chain.decisions_recomputed) > 0 {
        line(
            "decisions: recomputed from the stored inputs; report.html and raw/ are only compared with their hashes",
        );
    }
    if sum(|chain| chain.accounts_recomputed) > 0 {
        line(
            "accounts: recomputed from Truto's answers in raw/; workspace, /me and refusals are taken as recorded, with \
             EVIDENCE_RAW=minimal also how lists ended",
        );
    }
    if sum(|chain| chain.without_raw) > 0 {
        line("accounts of some runs were not recomputed: raw pages were not kept");
    }
    if sum(|chain| chain.accounts_not_recomputed.len() as u64) > sum(|chain| chain.without_raw) {
        line("accounts of some runs could not be recomputed; they are listed above");
    }
    match sum(|chain| chain.decisions_not_recomputed.len() as u64) {
        0 => {}
        1 => line("decisions of 1 run were not recomputed: only its hashes and links were checked"),
        runs => line(&format!(
            "decisions of {runs} runs were not recomputed: only their hashes and links were checked"
        )),
    }
    if sum(|chain| chain.reviews_recomputed) > 0 {
        line(
            "reviews: except those listed above, each worksheet was recomputed from its run, and each decision is about one of its rows; that the \
             reviewers made these decisions is taken as recorded",
        );
    }
    if sum(|chain| chain.signatures_unchecked) > 0 {
        line("signatures of some entries were not checked: their key is not available");
    }
    if !expected.keys.is_empty() {
        line(
            "signatures: the last entry of each ledger is signed with a given key, and its links cover all earlier entries",
        );
    } else if sum(|chain| chain.signed) > 0 {
        line(
            "signatures: made with keys that lie beside the ledger; give --public-key to check whose they are",
        );
    }
    match expected.heads.is_empty() {
        true => line(
            "end of the ledger: not checked; give --head with an entry that was noted elsewhere",
        ),
        false => line(
            "end of the ledger: everything up to each --head is unchanged since that head was noted",
        ),
    }
    match sum(|chain| chain.stored_times) {
        0 => line(
            "time of storing: not checked; file times in a folder prove nothing, so check the bucket itself",
        ),
        _ => line(
            "time of storing: each entry was compared with the time at which the bucket stored it",
        ),
    }
    line(&verified.locks.as_text());
    if let Some(why) = verified.versions_unchecked {
        line(&format!("older versions: not checked, because {why}"));
    }
    lines
}

fn count(number: u64, one: &str, more: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {more}"),
    }
}

/// The first answer, in one line.
fn integrity(verified: &Verified) -> String {
    match verified.faults.len() as u64 {
        0 => "Integrity: holds".to_owned(),
        faults => format!("Integrity: broken, {}", count(faults, "fault", "faults")),
    }
}

/// The second answer, in one line.
fn operation(verified: &Verified) -> String {
    let failed: usize = verified
        .chains
        .iter()
        .map(|of| of.operation.failed.len())
        .sum();
    let all_due = || {
        verified
            .chains
            .iter()
            .filter_map(|of| of.operation.due.as_ref())
    };
    let mut text = match verified.missing_runs() {
        None => "Operation: not checked".to_owned(),
        Some(0) if all_due().all(|due| due.runs == Some(0)) => {
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
    if failed > 0 {
        let _ = write!(text, ", {} failed", count(failed as u64, "run", "runs"));
    }
    let after: u64 = all_due().map(|due| due.after_last_run).sum();
    if after > 0 {
        let were = count(after, "run was", "runs were");
        let _ = write!(
            text,
            "; {were} due since the last run (to count them: --to now)"
        );
    }
    text
}

/// For people: what was checked, then what is wrong, and the two answers last.
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

/// Some lines, each with the same word before it.
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
    if let Some((first, last)) = chain.period {
        row("runs", format!("the first at {first}, the last at {last}"));
    }
    row(
        "entries",
        format!(
            "{}: {} judged, {} failed",
            chain.entries,
            count(chain.runs, "run", "runs"),
            count(chain.failures, "run", "runs")
        ),
    );
    if chain.reviews > 0 {
        let (reviews, same) = (chain.reviews, chain.reviews_recomputed);
        row(
            "reviews",
            format!("{reviews} opened or closed, {same} recomputed with the same result"),
        );
    }
    row("files", format!("{} with the right hash", chain.files));
    for (word, same) in [
        ("accounts", chain.accounts_recomputed),
        ("decisions", chain.decisions_recomputed),
    ] {
        row(
            word,
            format!(
                "recomputed with the same result for {same} of {} runs",
                chain.runs
            ),
        );
    }
    if chain.signed > 0 {
        row("signed", format!("{} with a good signature", chain.signed));
    }
    if chain.signatures_unchecked > 0 {
        row(
            "unchecked",
            format!(
                "{} signed with a key that is not available",
                chain.signatures_unchecked
            ),
        );
    }
    if let Some(head) = &chain.head {
        row("ledger", format!("{}:{}", head.sequence, head.sha256));
    }
    if let Some(due) = &chain.operation.due {
        row("schedule", schedule_as_text(due));
    }
    for change in &chain.operation.schedule_changes {
        let to = on_one_line(&change.to.to_string()).to_string();
        row(
            "changed",
            format!(
                "the schedule, between {} and {}, to {to}",
                change.after, change.until
            ),
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
        list(
            &mut text,
            word,
            lines.iter().map(|line| on_one_line(line).to_string()),
        );
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
    let missing: Vec<String> = missing
        .map(|missing| match &missing.local {
            Some(local) => format!(
                "due at {} ({local}), no run started before {}",
                missing.from, missing.to
            ),
            None => format!(
                "{} between {} and {}",
                count(missing.runs, "run", "runs"),
                missing.from,
                missing.to
            ),
        })
        .collect();
    list(&mut text, "missing   ", missing.into_iter());
    text
}

fn schedule_as_text(due: &Due) -> String {
    let mut text = match due.runs {
        Some(runs) => format!("{} due", count(runs, "run was", "runs were")),
        None => "checked against the interval".to_owned(),
    };
    let _ = write!(text, " from {} to {}", due.from, due.to);
    if due.may_still_start > 0 {
        let _ = write!(text, "; {} may still start", due.may_still_start);
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
                "reviews_recomputed": chain.reviews_recomputed,
                "reviews_not_recomputed": chain.reviews_not_recomputed,
                "files": chain.files,
                "signed": chain.signed,
                "signatures_unchecked": chain.signatures_unchecked,
                "accounts_recomputed": chain.accounts_recomputed,
                "accounts_not_recomputed": chain.accounts_not_recomputed,
                "decisions_recomputed": chain.decisions_recomputed,
                "decisions_not_recomputed": chain.decisions_not_recomputed,
                "expired": chain.expired,
                "uncommitted": chain.uncommitted,
                "first_run": chain.period.map(|(first, _)| first),
                "last_run": chain.period.map(|(_, last)| last),
                "stored_times_compared": chain.stored_times,
                "operation": chain.operation,
            })
        })
        .collect();
    let failed: usize = verified
        .chains
        .iter()
        .map(|of| of.operation.failed.len())
        .sum();
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
            "failed_runs": failed,
        },
        "warnings": verified.warnings,
        "assurance": assurance,
        "locks": {
            "objects_read": verified.locks.objects,
            "compliance": verified.locks.compliance,
            "governance": verified.locks.governance,
            "first_until": verified.locks.first_until,
        },
        "older_versions": verified.versions_unchecked.unwrap_or("checked"),
        "chains": chains,
    })
}
