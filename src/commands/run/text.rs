//! The summary of a run. It names people only at a terminal.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use super::super::{error_text, evidence_rows, head, row};
use super::{Done, Failed};
use crate::cli::terminal::{ATTENTION, BAD, GOOD, styled};
use crate::judgement::{CheckStatus, Finding, Judgement, ManualKind, Verdict};
use crate::report::on_one_line;

/// The summary shows this many findings, most severe first.
const FINDINGS_SHOWN: usize = 20;

/// The verdict comes last, where a terminal shows it.
pub fn summary(done: &Done, names: bool) -> String {
    let judgement = &done.judgement;
    let (verdict, counts) = (judgement.verdict, &judgement.counts);
    let mut text = String::new();
    let workspace = on_one_line(match names {
        true => done.workspace.name_or_id(),
        false => &done.workspace.id,
    });
    let complete = match judgement.complete {
        true => "complete",
        false => "not complete",
    };
    row(
        &mut text,
        "workspace",
        format!("{workspace}, list of accounts {complete}"),
    );
    row(&mut text, "checks", checks(judgement));
    row(&mut text, "accounts", counted(&counts.accounts.by_status));
    for (kind, label) in [
        (ManualKind::Alias, "aliases"),
        (ManualKind::Exception, "exceptions"),
    ] {
        let states = by(judgement.lines_of(kind).map(|of| of.state));
        if !states.is_empty() {
            row(&mut text, label, counted(&states));
        }
    }
    row(&mut text, "leavers", counted(&counts.leavers.by_outcome));
    row(&mut text, "deadlines", judgement.deadlines_due());
    row(&mut text, "findings", counted(&counts.findings.by_kind));
    let followed = judgement.follow_ups.decisions.iter();
    let states = by(followed.map(|of| of.state.as_str()));
    if !states.is_empty() {
        row(&mut text, "follow-ups", counted(&states));
    }
    row(&mut text, "changes", counted(&counts.changes.by_change));
    if !judgement.findings.is_empty() {
        text.push('\n');
        for finding in judgement.findings.iter().take(FINDINGS_SHOWN) {
            let _ = writeln!(text, "  {}", one_finding(finding, names));
        }
        let more = judgement.findings.len().saturating_sub(FINDINGS_SHOWN);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more, all in findings.csv");
        }
    }
    text.push('\n');
    evidence_rows(&mut text, &done.committed);
    text.push('\n');
    if let Some(mark) = done.mark {
        let _ = writeln!(text, "{mark}");
    }
    let style = match verdict {
        Verdict::Pass | Verdict::PassWithExceptions => GOOD,
        Verdict::Fail => BAD,
        Verdict::Inconclusive => ATTENTION,
    };
    let headline = styled(style, verdict.headline());
    let _ = writeln!(text, "{headline}: {}", counts.conclusion(verdict));
    for reason in &judgement.reasons {
        row(&mut text, "because", on_one_line(reason));
    }
    text
}

fn by<W: Ord>(words: impl Iterator<Item = W>) -> BTreeMap<W, u64> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

/// The total, and the count of each kind: `3: 2 active, 1 invited`.
fn counted<W: Display>(counts: &BTreeMap<W, u64>) -> String {
    let counts = counts.iter().filter(|(_, count)| **count > 0);
    let words: Vec<String> = counts
        .clone()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    match counts.map(|(_, count)| count).sum::<u64>() {
        0 => "0".to_owned(),
        total => format!("{total}: {}", words.join(", ")),
    }
}

/// The number of passed checks, and the ids of the others.
fn checks(judgement: &Judgement) -> String {
    let with = |status| {
        let checks = judgement.checks.iter();
        let checks = checks.filter(move |check| check.status == status);
        checks.map(|check| check.id.as_str()).collect::<Vec<_>>()
    };
    let mut text = format!("{} pass", with(CheckStatus::Pass).len());
    for (status, word) in [(CheckStatus::Warn, "warn"), (CheckStatus::Fail, "fail")] {
        let ids = with(status);
        if !ids.is_empty() {
            let _ = write!(text, ", {} {word} ({})", ids.len(), ids.join(", "));
        }
    }
    text
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
    // In a faulty manual line, the account may be any text.
    let is_id = |id: &str| names || id.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(account) = finding.account_id.as_deref().filter(|id| is_id(id)) {
        let _ = write!(text, "  account {}", on_one_line(account));
    }
    if let Some(role) = finding.role.as_ref().filter(|role| role.is_read()) {
        let _ = write!(text, ", {}", on_one_line(&role.to_string()));
    }
    if let Some(hours) = finding.overdue_hours {
        let _ = write!(text, ", {hours} h past the deadline");
    }
    text
}

pub(super) fn failure(failed: &Failed) -> String {
    let mut text = error_text(&failed.error, failed.error.hint());
    match &failed.record {
        Some(record) => {
            let _ = writeln!(text, "a failure record was stored: {}", record.folder);
            let _ = writeln!(text, "ledger: {}", head(record));
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
    use crate::ledger::{Committed, EarlierRuns};
    use crate::model::{EmailAddress, Role, Workspace};

    /// A run with one finding more than the summary shows.
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
                reasons: vec!["a reason with \u{1b}[2J".to_owned()],
                in_doubt: false,
                complete: true,
                checks: Vec::new(),
                leavers: Vec::new(),
                concluded: Vec::new(),
                gone: BTreeMap::new(),
                changes: Vec::new(),
                owners: Vec::new(),
                manual: Vec::new(),
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
            tenant: None,
            workspace: Workspace {
                id: "1331".to_owned(),
                name: Some("Example\u{1b}[31m".to_owned()),
            },
            feed_modified_at: None,
            mark: Some(Mark::TestData),
            before: EarlierRuns::default(),
        }
    }

    #[test]
    fn the_summary_for_a_person_names_people_and_the_files() {
        insta::assert_snapshot!(anstream::adapter::strip_str(&summary(&done(), true)));
    }

    #[test]
    fn without_a_terminal_the_summary_has_counts_and_ids_but_no_names() {
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
    fn control_characters_of_a_name_are_replaced() {
        assert_eq!(
            on_one_line("a\u{1b}[31mb\u{202e}c\r\nd"),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}\u{fffd}d"
        );
    }
}
