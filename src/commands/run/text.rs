//! The summary of a run at a terminal. Names and addresses appear only if a person reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Done, Failed};
use crate::cli::terminal::{ATTENTION, BAD, GOOD, styled};
use crate::judgement::{CheckStatus, DirectiveKind, DirectiveState, Finding, Judgement, Verdict};
use crate::report::on_one_line;

/// So many findings fit on a screen, most severe first.
const FINDINGS_SHOWN: usize = 20;

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
    let style = match judgement.verdict {
        Verdict::Pass | Verdict::PassWithExceptions => GOOD,
        Verdict::Fail => BAD,
        Verdict::Inconclusive => ATTENTION,
    };
    let headline = format!("{:<12}", judgement.verdict.headline());
    let _ = writeln!(
        text,
        "{}  {}",
        styled(style, headline),
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
    text += &manual_lines(judgement);
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

/// How many checks passed, and the ids of the others.
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

/// The states of aliases and exceptions.
fn manual_lines(judgement: &Judgement) -> String {
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
        let states: Vec<String> = counts
            .filter(|(count, _)| *count > 0)
            .map(|(count, state)| format!("{count} {state}"))
            .collect();
        if !states.is_empty() {
            let _ = writeln!(
                text,
                "  {word} {}: {}",
                of_kind().count(),
                states.join(", ")
            );
        }
    }
    text
}

/// The states of what closed reviews asked for.
fn followed(judgement: &Judgement) -> String {
    let follow_ups = judgement.follow_ups.decisions.iter();
    let mut by_state: BTreeMap<&str, usize> = BTreeMap::new();
    for of in follow_ups {
        *by_state.entry(of.state.as_str()).or_default() += 1;
    }
    let total: usize = by_state.values().sum();
    let states: Vec<String> = by_state
        .into_iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    match total {
        0 => String::new(),
        _ => format!("  follow-ups {total}: {}\n", states.join(", ")),
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

pub(super) fn failure(failed: &Failed) -> String {
    let error = styled(BAD, "error:");
    let mut text = format!("{error} {}\n", on_one_line(&failed.error.chain()));
    if let Some(hint) = failed.error.hint() {
        let _ = writeln!(text, "hint: {hint}");
    }
    match &failed.record {
        Some(record) => {
            let _ = writeln!(text, "a failure record was stored: {}", record.folder);
            let _ = writeln!(text, "ledger: {}:{}", record.sequence, record.head_sha256);
        }
        None if failed.error.exit().leaves_a_record() => {
            text.push_str("no failure record could be stored\n");
        }
        None => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::outcome;
    use super::*;
    use crate::cli::exit::Exit;
    use crate::judgement::FollowUps;
    use crate::judgement::{
        Counts, FindingCounts, FindingKind, FormerEmails, HrPeople, Mark, Severity, Verdict,
    };
    use crate::ledger::{Committed, RunsBefore};
    use crate::model::{EmailAddress, Role, Workspace};

    /// A run with one finding more than a screen shows.
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
            before: RunsBefore::default(),
        }
    }

    #[test]
    fn the_summary_for_a_person_names_people_and_leads_to_the_rest() {
        insta::assert_snapshot!(anstream::adapter::strip_str(&summary(&done(), true)));
    }

    #[test]
    fn outside_a_terminal_there_are_counts_and_ids_and_no_names() {
        let done = done();
        let summary = summary(&done, false);
        let last = outcome::of(&Ok(done), Exit::Fail);
        for text in [summary, last.to_string()] {
            for private in ["Ada", "ada@", "Example"] {
                assert!(!text.contains(private), "{private} in {text}");
            }
        }
        assert_eq!(last["exit"], 3);
        assert_eq!(last["verdict"], "fail");
        assert_eq!(last["findings"]["total"], 21);
        assert_eq!(last["ledger"]["sequence"], 7);
        assert_eq!(last["ledger"]["head"], "ab".repeat(32));
        assert_eq!(last["evidence"], "x/dt=2026-11-23/run=1");
    }

    #[test]
    fn a_name_cannot_move_the_cursor_or_turn_the_line_around() {
        assert_eq!(
            on_one_line("a\u{1b}[31mb\u{202e}c\r\nd"),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}\u{fffd}d"
        );
    }
}
