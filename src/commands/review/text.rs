//! The texts of `review`. Names and addresses appear only for a person.

use std::fmt::Write as _;

use super::super::{error_text, head, row};
use super::{FileFault, Frozen, OPEN_A_REVIEW, ReviewError, ReviewProgress};
use crate::cli::terminal::{BAD, styled};
use crate::evidence::ReviewFile;
use crate::judgement::{Decision, FollowUpState};
use crate::model::counted;
use crate::notify::ReviewStep;
use crate::report::on_one_line;
use crate::report::visible::Minute as _;
use crate::review::Totals;

/// The number of listed faults; the others are counted.
const FAULTS_LISTED: usize = 1000;

/// The review after a command.
pub fn text(review: &ReviewProgress, names: bool) -> String {
    let Frozen {
        worksheet, sha256, ..
    } = &review.frozen;
    let is_opened = review.step == ReviewStep::Opened;
    let state = match (review.step, review.verdict) {
        (ReviewStep::Acknowledged, _) => "ACKNOWLEDGED",
        (ReviewStep::Closed, _) | (ReviewStep::Status, Some(_)) => "CLOSED",
        (ReviewStep::Opened | ReviewStep::Status, _) => "OPEN",
    };
    let overdue = |is_late| if is_late { ", OVERDUE" } else { "" };
    let has_left = |has_left| match has_left {
        true => ", HAS LEFT according to HR: reassign the rows",
        false => "",
    };
    let mut text = format!("{state:<12}  review {}\n\n", worksheet.review);
    let due = format!("{}{}", worksheet.due, overdue(review.overdue));
    row(&mut text, "due", due);
    if is_opened {
        row(&mut text, "run", &worksheet.snapshot.run);
        let (rows, scope, left_out) = (worksheet.rows.len(), worksheet.scope, worksheet.left_out);
        let (without, out) = (left_out.without_access, left_out.out_of_scope);
        let excluded = format!("excluded: {without} without access, {out} of other roles");
        let rows = format!("{rows} (scope {scope}; {excluded})");
        row(&mut text, "rows", rows);
    } else {
        row(&mut text, "decided", counts(&review.totals));
    }
    for (number, of) in (1..).zip(&review.reviewers) {
        let who = match &of.reviewer {
            None => "any person except the owner".to_owned(),
            Some(who) if names => on_one_line(who.as_written()),
            Some(_) => format!("reviewer {number}"),
        };
        let rows = match is_opened {
            true => format!(": {}", counted(of.totals.rows, "row", "rows")),
            false => format!(
                " {}{}{}",
                counts(&of.totals),
                overdue(review.is_late(of)),
                has_left(review.must_be_replaced(of))
            ),
        };
        row(&mut text, "reviewer", who + &rows);
    }
    for reason in &review.reasons {
        row(&mut text, "reason", on_one_line(reason));
    }
    let is_closed =
        matches!(review.step, ReviewStep::Status | ReviewStep::Closed) && review.verdict.is_some();
    if let Some(sequence) = review.acknowledged_by {
        row(&mut text, "signed off", format!("ledger entry {sequence}"));
    } else if is_closed {
        let how = "not yet: `review acknowledge --by EMAIL --statement TEXT`";
        row(&mut text, "signed off", how);
    }
    text += &follow_ups(review);
    if !review.idle_lines.is_empty() {
        let lines: Vec<String> = review.idle_lines.iter().map(u64::to_string).collect();
        let line = if lines.len() == 1 { "line" } else { "lines" };
        let lines = lines.join(", ");
        let unused = format!("{line} {lines} of the reviewers file: no row fits");
        row(&mut text, "unused", unused);
    }
    for warning in &review.warnings {
        row(&mut text, "warning", on_one_line(warning));
    }
    if !review.faults.is_empty() {
        let _ = writeln!(text, "\n  faults: {}", review.faults.len());
        text += &faults(&review.faults, names);
    }
    if is_opened {
        row(&mut text, "hash", sha256);
    }
    if let Some(committed) = &review.committed {
        row(&mut text, "evidence", &committed.folder);
        let report = &committed.report;
        if is_opened {
            let (xlsx, csv) = (
                ReviewFile::WorksheetXlsx.name(),
                ReviewFile::WorksheetCsv.name(),
            );
            let files = format!("{report}, or {xlsx} and {csv} beside it");
            row(&mut text, "hand out", files);
        } else {
            row(&mut text, "report", report);
        }
        row(&mut text, "ledger", head(committed));
    }
    if names {
        for of in &review.reviewers {
            if let Some(reminder) = review.reminder(of) {
                let (to, subject) = (on_one_line(&reminder.to), on_one_line(&reminder.subject));
                let _ = write!(
                    text,
                    "\n  send to {to}\n  {subject}\n\n  {}\n",
                    reminder.text
                );
            }
        }
    }
    text
}

/// The decisions that the newest run follows, and those that are not done.
fn follow_ups(review: &ReviewProgress) -> String {
    let mut text = String::new();
    let all = review.follow_ups();
    let Some(run) = review.run.as_ref().filter(|_| !all.is_empty()) else {
        let asked = review.followed.len();
        if let Some(due) = review.changes_due.filter(|_| asked > 0) {
            let due = due.minute();
            let all =
                format!("{asked}, due by {due}; no run since the closing has followed them yet");
            row(&mut text, "follow-ups", all);
        }
        return text;
    };
    let count = |state| all.iter().filter(|of| of.state == state).count();
    let (done, again) = (
        count(FollowUpState::Done),
        count(FollowUpState::GrantedAgain),
    );
    let open = count(FollowUpState::Open);
    let counts = format!(
        "{}: {done} done, {open} open, {again} granted again (run of {})",
        all.len(),
        run.as_of.minute()
    );
    row(&mut text, "follow-ups", counts);
    for of in all.iter().filter(|of| of.state != FollowUpState::Done) {
        let what = match &of.new_role {
            Some(role) => format!("change the role to {role}"),
            None if of.decision == Decision::DontKnow => "answer: is it needed?".to_owned(),
            None => "revoke".to_owned(),
        };
        let account = on_one_line(&of.account_id);
        let since = of.decided_at.day();
        row(
            &mut text,
            "to do",
            format!("account {account}: {what} (decided {since})"),
        );
    }
    text
}

fn counts(totals: &Totals) -> String {
    let words = Decision::ALL.iter().filter_map(|decision| {
        let count = totals.with(*decision);
        (count > 0).then(|| format!("{count} {decision}"))
    });
    let words: Vec<String> = words.collect();
    let text = format!("{}/{}", totals.decided, totals.rows);
    match words.is_empty() {
        true => text,
        false => format!("{text}: {}", words.join(", ")),
    }
}

fn faults(faults: &[FileFault], names: bool) -> String {
    let mut text = String::new();
    for fault in faults.iter().take(FAULTS_LISTED) {
        let (file, what) = fault.words(names);
        let sentence = match fault.line {
            Some(line) => format!("{file}, line {line}: {what}"),
            None => format!("{file}: {what}"),
        };
        let _ = writeln!(text, "  {}", on_one_line(&sentence));
    }
    if faults.len() > FAULTS_LISTED {
        let _ = writeln!(text, "  and {} more", faults.len() - FAULTS_LISTED);
    }
    let is_numbered = |fault: &FileFault| fault.name.file != fault.name.in_a_log;
    if !names && faults.iter().any(is_numbered) {
        text += "  (files are numbered in the order of the command line, those of a folder by name; a log has no names)\n";
    }
    text
}

/// The answer of `status` if no review is open.
pub(super) fn none_open(json: bool) -> String {
    match json {
        true => "{\n  \"review\": null,\n  \"reviewers\": []\n}\n".to_owned(),
        false => format!("No access review is open. Open one with `{OPEN_A_REVIEW}`.\n"),
    }
}

pub fn failure(error: &ReviewError, names: bool) -> String {
    let without_hint = error_text(error, None::<String>);
    match error {
        ReviewError::File {
            in_a_log: Some(file),
            reason,
            ..
        } if !names => {
            let text = on_one_line(&format!("{file} cannot be read: {reason}"));
            format!("{} {text}\n", styled(BAD, "error:"))
        }
        ReviewError::Refused {
            faults: wrong,
            hint,
            ..
        } => format!("{without_hint}{}hint: {hint}\n", faults(wrong, names)),
        ReviewError::Ledger(ledger) => error_text(error, ledger.hint()),
        ReviewError::Similar(_) => error_text(error, Some("to open another review, add --yes")),
        ReviewError::NoneOpen
        | ReviewError::File { .. }
        | ReviewError::BadRequest(_)
        | ReviewError::NotOpen(_)
        | ReviewError::Unexpected(_) => without_hint,
    }
}
