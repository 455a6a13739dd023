//! The texts of `review`. Names and addresses appear only if a person reads them.

use std::fmt::Write as _;

use super::{Closing, Frozen, Opened, ReviewError, ReviewProgress};
use crate::cli::exit;
use crate::evidence::ReviewFile;
use crate::judgement::Decision;
use crate::report::on_one_line;
use crate::review::{ByReviewer, Totals};

/// At most so many faults are listed; the others are counted.
const FAULTS_LISTED: usize = 1000;

fn reviewer(number: usize, of: &ByReviewer, names: bool) -> String {
    match &of.reviewer {
        None => "anybody but the owner".to_owned(),
        Some(who) if names => on_one_line(who.as_written()),
        Some(_) => format!("reviewer {}", number + 1),
    }
}

pub fn opened(opened: &Opened, names: bool) -> String {
    let Opened {
        progress,
        idle_lines,
        committed,
    } = opened;
    let Frozen {
        worksheet, sha256, ..
    } = &progress.frozen;
    let mut text = String::new();
    let _ = writeln!(text, "OPEN          review {}", worksheet.review);
    let _ = writeln!(text, "\n  due        {}", worksheet.due);
    let _ = writeln!(text, "  run        {}", worksheet.snapshot.run);
    let _ = writeln!(
        text,
        "  rows       {} (scope {}; left out: {} without access, {} of other roles)",
        worksheet.rows.len(),
        worksheet.scope.as_str(),
        worksheet.left_out.without_access,
        worksheet.left_out.out_of_scope
    );
    for (number, of) in progress.reviewers.iter().enumerate() {
        let (who, rows) = (reviewer(number, of, names), of.totals.rows);
        let _ = writeln!(text, "  reviewer   {who}: {rows} row(s)");
    }
    if !idle_lines.is_empty() {
        let lines: Vec<String> = idle_lines.iter().map(u64::to_string).collect();
        let _ = writeln!(
            text,
            "  unused     line(s) {} of the reviewers file fit no row",
            lines.join(", ")
        );
    }
    let _ = writeln!(text, "  hash       {sha256}");
    let _ = writeln!(text, "  evidence   {}", committed.folder);
    let _ = writeln!(
        text,
        "  hand out   {}, or {} and {} beside it",
        committed.report,
        ReviewFile::WorksheetXlsx.name(),
        ReviewFile::WorksheetCsv.name()
    );
    let _ = writeln!(
        text,
        "  ledger     {}:{}",
        committed.sequence, committed.head_sha256
    );
    text
}

fn counts(totals: &Totals) -> String {
    let words = Decision::ALL.iter().filter_map(|decision| {
        let count = totals.with(*decision);
        (count > 0).then(|| format!("{count} {decision}"))
    });
    let words: Vec<String> = words.collect();
    let mut text = format!("{}/{}", totals.decided, totals.rows);
    if !words.is_empty() {
        let _ = write!(text, ": {}", words.join(", "));
    }
    text
}

fn numbers(progress: &ReviewProgress, names: bool) -> String {
    let mut text = String::new();
    let overdue = if progress.overdue { ", OVERDUE" } else { "" };
    let _ = writeln!(
        text,
        "\n  due        {}{overdue}",
        progress.frozen.worksheet.due
    );
    let _ = writeln!(text, "  decided    {}", counts(&progress.totals));
    for (number, of) in progress.reviewers.iter().enumerate() {
        let late = if progress.is_late(of) {
            ", OVERDUE"
        } else {
            ""
        };
        let who = reviewer(number, of, names);
        let _ = writeln!(text, "  reviewer   {who} {}{late}", counts(&of.totals));
    }
    text
}

fn faults(faults: &[super::FileFault], names: bool) -> String {
    let mut text = String::new();
    for fault in faults.iter().take(FAULTS_LISTED) {
        let _ = writeln!(text, "  {}", on_one_line(&fault.sentence(names)));
    }
    if faults.len() > FAULTS_LISTED {
        let _ = writeln!(text, "  and {} more", faults.len() - FAULTS_LISTED);
    }
    let is_numbered = |fault: &super::FileFault| fault.file != fault.file_in_a_log;
    if !names && faults.iter().any(is_numbered) {
        text += "  (files are numbered as they were given, those of a folder by name: a log tells no names)\n";
    }
    text
}

pub fn status(closing: &Closing, names: bool) -> String {
    let progress = &closing.progress;
    let mut text = format!(
        "OPEN          review {}\n",
        progress.frozen.worksheet.review
    );
    text += &numbers(progress, names);
    if !closing.faults.is_empty() {
        let _ = writeln!(text, "\n  not in order: {}", closing.faults.len());
        text += &faults(&closing.faults, names);
    }
    text
}

pub fn closed(closing: &Closing, names: bool) -> String {
    let progress = &closing.progress;
    let mut text = format!(
        "CLOSED        review {}\n",
        progress.frozen.worksheet.review
    );
    text += &numbers(progress, names);
    if let Some(finished) = &closing.finished {
        let _ = writeln!(text, "  finished   {}", on_one_line(finished));
    }
    if let Some(committed) = &closing.committed {
        let _ = writeln!(text, "  evidence   {}", committed.folder);
        let _ = writeln!(text, "  report     {}", committed.report);
        let _ = writeln!(
            text,
            "  ledger     {}:{}",
            committed.sequence, committed.head_sha256
        );
    }
    text
}

pub fn failure(error: &ReviewError, names: bool) -> String {
    let words = match error {
        ReviewError::File {
            in_a_log: Some(file),
            reason,
            ..
        } if !names => format!("{file} cannot be read: {reason}"),
        _ => exit::error_chain(error),
    };
    let mut text = format!("error: {}\n", on_one_line(&words));
    match error {
        ReviewError::Refused {
            faults: wrong,
            hint,
            ..
        } => {
            text += &faults(wrong, names);
            let _ = writeln!(text, "hint: {hint}");
        }
        ReviewError::Ledger(ledger) => {
            if let Some(hint) = ledger.hint() {
                let _ = writeln!(text, "hint: {hint}");
            }
        }
        ReviewError::File { .. } | ReviewError::Asked(_) | ReviewError::Unexpected(_) => {}
    }
    text
}
