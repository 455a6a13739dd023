//! The last words of a run: a summary a person likes to read, and one line of JSON for machines.
//!
//! Names and addresses appear only where a person reads along.

pub mod connect;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::exit::{self, Exit};
use crate::judgement::{CheckStatus, DirectiveKind, DirectiveState, Finding, Judgement, Verdict};
use crate::report::on_one_line;
use crate::run::{Done, Failed};
use crate::verify::VerifyError;

/// Kubernetes cuts a termination message at this many bytes.
const TERMINATION_BYTES: usize = 4096;

/// So many findings fit on a screen, the gravest first.
const FINDINGS_SHOWN: usize = 20;

/// The summary of a review.
pub fn summary(done: &Done, names: bool) -> String {
    let Done {
        judgement,
        committed,
        workspace,
        mark,
        before: _,
    } = done;
    let counts = &judgement.counts;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<12}  {}",
        judgement.verdict.headline(),
        counts.conclusion(judgement.verdict)
    );
    if let Some(mark) = mark {
        let _ = writeln!(text, "{mark}");
    }
    let _ = writeln!(text);
    for reason in &judgement.reasons {
        let _ = writeln!(text, "  why        {}", on_one_line(reason));
    }
    let workspace = workspace
        .name
        .as_deref()
        .filter(|_| names)
        .unwrap_or(&workspace.id);
    let complete = if judgement.complete {
        "complete"
    } else {
        "not complete"
    };
    let workspace = on_one_line(workspace);
    let _ = writeln!(text, "  workspace  {workspace}, run {complete}");
    text += &checks(judgement);
    let line = |what: &str, total: u64, by: &BTreeMap<String, u64>| {
        let parts: Vec<String> = by
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        let parts = parts.join(", ");
        if total == 0 {
            format!("  {what} 0\n")
        } else {
            format!("  {what} {total}: {parts}\n")
        }
    };
    text += &line(
        "accounts  ",
        counts.accounts.total,
        &counts.accounts.by_status,
    );
    text += &by_hand(judgement);
    text += &line(
        "leavers   ",
        counts.leavers.total,
        &counts.leavers.by_outcome,
    );
    let _ = writeln!(text, "  deadlines  {}", judgement.deadlines_due());
    text += &line(
        "findings  ",
        counts.findings.total,
        &counts.findings.by_kind,
    );
    text += &followed(judgement);
    text += &line(
        "changes   ",
        counts.changes.total,
        &counts.changes.by_change,
    );
    if !judgement.findings.is_empty() {
        let _ = writeln!(text);
        for finding in judgement.findings.iter().take(FINDINGS_SHOWN) {
            let _ = writeln!(text, "  {}", one_finding(finding, names));
        }
        let more = judgement.findings.len().saturating_sub(FINDINGS_SHOWN);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more, all in findings.csv");
        }
    }
    let _ = writeln!(text);
    let _ = writeln!(text, "  evidence   {}", committed.folder);
    let _ = writeln!(text, "  report     {}", committed.report);
    let _ = writeln!(
        text,
        "  ledger     {}:{}",
        committed.sequence, committed.head_sha256
    );
    text
}

/// How many checks passed, and which did not: a pass with a warning is not a plain one.
fn checks(judgement: &Judgement) -> String {
    let with = |status| {
        let checks = judgement
            .checks
            .iter()
            .filter(move |check| check.status == status);
        checks.map(|check| check.id.as_str()).collect::<Vec<_>>()
    };
    let mut text = format!("  checks     {} pass", with(CheckStatus::Pass).len());
    for (status, word) in [(CheckStatus::Warn, "warn"), (CheckStatus::Fail, "fail")] {
        let ids = with(status);
        if !ids.is_empty() {
            let _ = write!(text, ", {} {word} ({})", ids.len(), ids.join(", "));
        }
    }
    text + "\n"
}

/// What became of the lines that somebody wrote by hand.
fn by_hand(judgement: &Judgement) -> String {
    let mut text = String::new();
    for (kind, word) in [
        (DirectiveKind::Alias, "aliases   "),
        (DirectiveKind::Exception, "exceptions"),
    ] {
        let of_kind = || {
            judgement
                .directives
                .iter()
                .filter(move |of| of.kind == kind)
        };
        let counts = DirectiveState::ALL.iter().map(|state| {
            let count = of_kind().filter(|of| of.state == *state).count();
            (count, state)
        });
        let told: Vec<String> = counts
            .filter(|(count, _)| *count > 0)
            .map(|(count, state)| format!("{count} {state}"))
            .collect();
        if !told.is_empty() {
            let _ = writeln!(text, "  {word} {}: {}", of_kind().count(), told.join(", "));
        }
    }
    text
}

/// How far what closed reviews asked for is done.
fn followed(judgement: &Judgement) -> String {
    let follow_ups = judgement.follow_ups.decisions.iter();
    let mut by_state: BTreeMap<&str, usize> = BTreeMap::new();
    for of in follow_ups {
        *by_state.entry(of.state.as_str()).or_default() += 1;
    }
    let total: usize = by_state.values().sum();
    let told: Vec<String> = by_state
        .into_iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    match total {
        0 => String::new(),
        _ => format!("  follow-ups {total}: {}\n", told.join(", ")),
    }
}

fn one_finding(finding: &Finding, names: bool) -> String {
    let mut text = format!("{:<9} {}", finding.severity, finding.kind);
    if names {
        if let Some(name) = &finding.name {
            let _ = write!(text, "  {}", on_one_line(name));
        }
        if let Some(email) = &finding.email {
            let _ = write!(text, " <{}>", on_one_line(email.as_written()));
        }
    }
    if let Some(account) = &finding.account_id {
        let _ = write!(text, "  account {}", on_one_line(account));
    }
    if let Some(role) = &finding.role {
        let _ = write!(text, ", {}", on_one_line(&role.to_string()));
    }
    if let Some(hours) = finding.overdue_hours {
        let _ = write!(text, ", {hours} h past the deadline");
    }
    text
}

/// What is said of a review that did not come to a judgement.
pub fn failure(failed: &Failed) -> String {
    let mut text = format!("error: {}\n", on_one_line(&failed.trouble.chain()));
    if let Some(hint) = failed.trouble.hint() {
        let _ = writeln!(text, "hint: {hint}");
    }
    match &failed.record {
        Some(record) => {
            let _ = writeln!(text, "a failure record was stored: {}", record.folder);
            let _ = writeln!(text, "ledger: {}:{}", record.sequence, record.head_sha256);
        }
        None if failed.trouble.exit().leaves_a_record() => {
            text.push_str("no failure record could be stored\n");
        }
        None => {}
    }
    text
}

/// Why `verify` has no answer.
pub fn verify_error(error: &VerifyError) -> String {
    let text = format!("error: {}", exit::told(error));
    let mut text = on_one_line(&text) + "\n";
    if let Some(hint) = error.hint() {
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}

/// The last words of a review, for machines.
pub fn last_words(done: &Done, exit: Exit) -> Value {
    let Judgement {
        verdict,
        complete,
        counts,
        ..
    } = &done.judgement;
    json!({
        "exit": exit.code(),
        "verdict": verdict,
        "complete": complete,
        "mark": done.mark,
        "accounts": counts.accounts.total,
        "leavers": counts.leavers,
        "findings": counts.findings,
        "changes": counts.changes.total,
        "ledger": { "sequence": done.committed.sequence, "head": done.committed.head_sha256 },
        "evidence": done.committed.key,
    })
}

/// The last words of a review that did not come to a judgement.
pub fn last_words_of_failure(failed: &Failed, exit: Exit) -> Value {
    let record = failed.record.as_ref();
    json!({
        "exit": exit.code(),
        "verdict": record.map(|_| Verdict::Inconclusive),
        "stage": failed.trouble.stage(),
        "error": failed.trouble.chain(),
        "ledger": record.map(|record| json!({ "sequence": record.sequence, "head": record.head_sha256 })),
        "evidence": record.map(|record| &record.key),
    })
}

/// The last words where the run could not even begin.
pub fn last_words_of_refusal(exit: Exit, error: &str) -> Value {
    json!({ "exit": exit.code(), "verdict": null, "error": error })
}

/// One line of at most 4096 bytes; an error that is longer is cut, the rest is short.
pub fn termination_message(mut words: Value) -> String {
    let mut line = words.to_string();
    while line.len() > TERMINATION_BYTES - 1 {
        let over = line.len() - (TERMINATION_BYTES - 1);
        let Some(error) = words.get("error").and_then(Value::as_str) else {
            break;
        };
        // Escapes make a character longer than it is; cutting twice what is over is quick enough.
        let keep = error.chars().count().saturating_sub(over.max(8));
        let cut: String = error.chars().take(keep).collect();
        words["error"] = Value::String(cut);
        line = words.to_string();
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::{
        Counts, FindingCounts, FindingKind, FormerEmails, HrPeople, Mark, Severity,
    };
    use crate::ledger::{Before, Committed};
    use crate::people::{EmailAddress, Role, Workspace};
    use crate::review::FollowUps;

    /// A night with one finding more than a screen has room for.
    fn done() -> Done {
        let as_of = "2026-11-23T22:40:00Z".parse().expect("an instant");
        let finding = |number: u64| Finding {
            finding_id: format!("{number:016x}"),
            kind: FindingKind::OffboardedAccess,
            severity: Severity::Critical,
            account_id: Some(number.to_string()),
            email: EmailAddress::parse("ada@example.com"),
            name: Some("Ada \u{202e}Lovelace".to_owned()),
            role: Some(Role::Admin),
            status: None,
            person_id: Some("E1".to_owned()),
            end_of_work: None,
            deadline: None,
            overdue_hours: Some(31),
            matched_by: None,
            first_seen: as_of,
            note: String::new(),
        };
        let findings: Vec<Finding> = (1..=21).map(finding).collect();
        Done {
            judgement: Judgement {
                hr_people: HrPeople::default(),
                verdict: Verdict::Fail,
                reasons: vec!["Truto said \u{1b}[2J".to_owned()],
                in_doubt: false,
                complete: true,
                checks: Vec::new(),
                leavers: Vec::new(),
                concluded: Vec::new(),
                gone: BTreeMap::new(),
                changes: Vec::new(),
                owners: Vec::new(),
                directives: Vec::new(),
                links: Vec::new(),
                feed_since: None,
                follow_ups: FollowUps::starting(as_of),
                former_emails: FormerEmails::new(),
                organization_domains: Vec::new(),
                counts: Counts {
                    findings: FindingCounts {
                        total: 21,
                        by_kind: [("offboarded_access".to_owned(), 21)].into(),
                    },
                    ..Counts::default()
                },
                trend: Vec::new(),
                findings,
            },
            committed: Committed {
                sequence: 7,
                head_sha256: "ab".repeat(32),
                folder: "./evidence/x/dt=2026-11-23/run=1".to_owned(),
                report: "./evidence/x/dt=2026-11-23/run=1/report.html".to_owned(),
                key: "x/dt=2026-11-23/run=1".to_owned(),
            },
            workspace: Workspace {
                id: "1331".to_owned(),
                name: Some("Example\u{1b}[31m".to_owned()),
            },
            mark: Some(Mark::TestData),
            before: Before::default(),
        }
    }

    #[test]
    fn the_summary_for_a_person_names_people_and_leads_to_the_rest() {
        insta::assert_snapshot!(summary(&done(), true));
    }

    #[test]
    fn what_leaves_the_terminal_has_counts_and_ids_and_nobodys_name() {
        let done = done();
        let texts = [
            summary(&done, false),
            last_words(&done, Exit::Fail).to_string(),
        ];
        for text in texts {
            for private in ["Ada", "ada@", "Example"] {
                assert!(!text.contains(private), "{private} in {text}");
            }
        }
        let last = last_words(&done, Exit::Fail);
        assert_eq!(last["exit"], 3);
        assert_eq!(last["verdict"], "fail");
        assert_eq!(last["findings"]["total"], 21);
        assert_eq!(last["ledger"]["sequence"], 7);
        assert_eq!(last["ledger"]["head"], "ab".repeat(32));
        assert_eq!(last["evidence"], "x/dt=2026-11-23/run=1");
    }

    #[test]
    fn a_long_error_is_cut_to_what_kubernetes_keeps() {
        let words = last_words_of_refusal(Exit::Configuration, &"\u{1}ü\"".repeat(3000));
        let line = termination_message(words);
        assert!(line.len() <= TERMINATION_BYTES, "{}", line.len());
        let read: Value = serde_json::from_str(&line).expect("one JSON line");
        assert_eq!(read["exit"], 78);
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn a_name_cannot_move_the_cursor_or_turn_the_line_around() {
        assert_eq!(
            on_one_line("a\u{1b}[31mb\u{202e}c\r\nd"),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}\u{fffd}d"
        );
    }
}
