//! `review status` and `review close`.

use jiff::Timestamp;

use super::chain::PeopleRun;
use super::files::{InputFile, attachments};
use super::interrupted::InterruptedClose;
use super::received::{Gathered, gather};
use super::{
    FileFault, FileName, Frozen, Moment, ReviewError, ReviewProgress, chain, ledger_of,
    ledger_to_read, reviewers,
};
use crate::cli::arguments::{CloseArguments, DecisionArguments};
use crate::clock::Clock;
use crate::config::ReviewSettings;
use crate::evidence::{ReviewFile, ReviewFolder, ReviewPart};
use crate::ledger::{Ledger, LedgerError, commit_review};
use crate::model::EmailAddress;
use crate::notify::ReviewStep;
use crate::review::{
    AcceptedIncomplete, ByReviewer, ClosedRow, ClosedWith, Eligibility, ReviewClosed,
    ReviewDataFile, ReviewManifest, ReviewerFile, Rules, closing_page,
};

/// A review with the received decisions.
struct Received {
    progress: ReviewProgress,
    reassigned: Option<ReviewerFile>,
    /// Deciders whom neither Asana nor HR knows.
    accepted: Vec<EmailAddress>,
    given: Vec<InputFile>,
    gathered: Gathered,
}

/// `people_run` shows who has left. `closed_at` is the instant of the closing, or now.
async fn receive(
    ledger: &Ledger,
    asked: &DecisionArguments,
    frozen: Frozen,
    people_run: &PeopleRun,
    closed_at: Timestamp,
    moment: &Moment,
) -> Result<Received, ReviewError> {
    let path = asked.reassigned.as_deref();
    let reassigned = path
        .map(|path| reviewers::read_file(path, true))
        .transpose()?;
    let given = InputFile::decisions(&asked.decisions, path)?;
    let owners = chain::owners(ledger, &frozen.worksheet, &people_run.entry, moment.as_of).await?;
    let rules = Rules {
        worksheet: &frozen.worksheet,
        owners: &owners,
        accepted: &asked.accept_reviewer,
        closed_at,
    };
    let gathered = gather(&frozen, &rules, reassigned.as_ref(), &given);
    let mut accepted = asked.accept_reviewer.clone();
    accepted.sort();
    accepted.dedup();
    accepted.retain(|who| {
        let is_unknown = owners.eligibility(who, closed_at) == Eligibility::Unknown;
        let mut rows = gathered.rows.iter();
        is_unknown && rows.any(|row| row.decided_by.as_ref() == Some(who))
    });
    let by_reviewer = ByReviewer::of(gathered.rows.iter().map(ClosedRow::answer));
    let mut progress = ReviewProgress::of(frozen, by_reviewer, moment.as_of);
    let reviewers = progress.reviewers.iter().flat_map(|of| &of.reviewer);
    let has_left =
        |who: &&EmailAddress| owners.eligibility(who, moment.as_of) == Eligibility::HasLeft;
    progress
        .warnings
        .extend(people_run.unknown_since(moment.as_of));
    progress.warnings.extend(gathered.notes());
    progress.left = reviewers.filter(has_left).cloned().collect();
    Ok(Received {
        progress,
        reassigned,
        accepted,
        given,
        gathered,
    })
}

/// The progress of a review, with the received decisions.
///
/// # Errors
/// If the review or a file cannot be read.
pub async fn status(
    settings: &ReviewSettings,
    asked: &DecisionArguments,
    moment: &Moment,
) -> Result<ReviewProgress, ReviewError> {
    let ledger = ledger_to_read(settings).await?;
    let run = match chain::newest_run(&ledger, 0).await {
        Ok(run) => run,
        // The follow-ups are only shown.
        Err(LedgerError::Fault(fault)) => {
            tracing::warn!(
                fault,
                "The newest run could not be read, so no follow-ups are shown"
            );
            None
        }
        Err(error) => return Err(error.into()),
    };
    let frozen = match chain::open_review(&ledger, asked.review.as_deref()).await {
        Err(not_open @ (ReviewError::NotOpen(_) | ReviewError::NoneOpen))
            if asked.decisions.is_empty() =>
        {
            let of = chain::closed_review(&ledger, asked.review.as_deref()).await;
            let of = of.map_err(|error| match error {
                ReviewError::BadRequest(_) => not_open,
                other => other,
            })?;
            let mut progress = ReviewProgress::of_closed(of.frozen, &of.closed, moment.as_of);
            progress.acknowledged_by = of.acknowledged_by;
            progress.run = run;
            return Ok(progress);
        }
        open => open?.1,
    };
    let snapshot = &frozen.worksheet.snapshot;
    let people_run = chain::people_run(&ledger, snapshot).await?;
    let received = receive(&ledger, asked, frozen, &people_run, moment.as_of, moment).await?;
    Ok(ReviewProgress {
        faults: received.gathered.faults,
        run,
        ..received.progress
    })
}

/// # Errors
/// Every fault. In this case nothing is written.
pub async fn close(
    settings: &ReviewSettings,
    asked: &CloseArguments,
    moment: &Moment,
    clock: &Clock,
) -> Result<ReviewProgress, ReviewError> {
    let (attachments, attached) = attachments(&asked.attach.files)?;
    let ledger = ledger_of(settings, moment.as_of).await?;
    let last = ledger.head(clock).await?;
    let (entry, frozen) = chain::open_review(&ledger, asked.of.review.as_deref()).await?;
    let worksheet = &frozen.worksheet;
    // The grace of its decisions counts from the instant of closing.
    if moment.as_of < worksheet.opened_at {
        return Err(ReviewError::BadRequest(format!(
            "the clock of this machine shows {}, but the review was opened at {}: set the clock",
            moment.as_of, worksheet.opened_at
        )));
    }
    let part = ReviewFolder::of(&worksheet.review, ReviewPart::Close).ok_or_else(|| {
        ReviewError::Unexpected("the id of the review has the wrong form".to_owned())
    })?;
    let interrupted = InterruptedClose::of(&ledger, &part, worksheet, moment).await?;
    let closed_at = interrupted.closed_at(moment);
    let newest = chain::people_run(&ledger, &worksheet.snapshot).await?;
    let (people_run, newer) = match interrupted.people_run() {
        Some(first) if *first != newest.entry.run_ref() => {
            let first = chain::people_run_of(&ledger, first).await?;
            (first, Some(newest.entry.sequence))
        }
        Some(_) | None => (newest, None),
    };
    let received = receive(&ledger, &asked.of, frozen, &people_run, closed_at, moment).await?;
    let (mut progress, gathered) = (received.progress, received.gathered);
    if let Some(newer) = newer {
        let first = people_run.entry.sequence;
        progress.warnings.push(format!(
            "the interrupted attempt read from ledger entry {first} who has left; entry {newer} is a newer complete run, \
             and may show that a reviewer has left since then"
        ));
    }
    let Frozen {
        worksheet,
        sha256,
        origin,
    } = &progress.frozen;
    let is_complete = progress.totals.undecided == 0;
    let accepted = asked.accept_incomplete.clone();
    if !gathered.faults.is_empty() || (!is_complete && accepted.is_none()) {
        return Err(not_closed(&progress, gathered));
    }
    if is_complete && accepted.is_some() {
        let text = "every row is decided: close the review without --accept-incomplete";
        return Err(ReviewError::bad_request(text));
    }
    let due = closed_at.checked_add(settings.revocation_grace);
    let with = ClosedWith {
        opened: entry.run_ref(),
        people_run: people_run.entry.run_ref(),
        closed_at,
        revocations_due: due.unwrap_or(closed_at),
        accepted_incomplete: accepted.map(|reason| AcceptedIncomplete { reason }),
        accepted_reviewers: received.accepted,
        reassigned: received.reassigned,
        decision_files: gathered.files,
        attachments,
        rows: gathered.rows,
    };
    let closed = ReviewClosed::of(worksheet, sha256, with);
    let page = closing_page(worksheet, &closed, &settings.frame.tool, origin);
    let page = ReviewDataFile::new(ReviewFile::Report, page, None);
    let mut files = vec![closed.to_file(), closed.csv(worksheet), page];
    let stored = closed.decision_files.iter().zip(received.given);
    files.extend(stored.map(|(of, file)| ReviewDataFile::received(&of.stored, file.bytes)));
    files.extend(attached);
    let frame = interrupted.frame(settings);
    let manifest = |files| ReviewManifest::closed(&frame, worksheet, &closed, origin, files);
    let committed = commit_review(&ledger, last, clock, closed_at, &part, files, manifest)
        .await
        .map_err(|error| interrupted.refusal(&closed.review, error))?;
    let followed = closed.followed();
    Ok(ReviewProgress {
        step: ReviewStep::Closed,
        verdict: Some(closed.verdict),
        reasons: closed.reasons(),
        changes_due: Some(closed.revocations_due),
        followed: followed.map(|(row, _)| row.account_id.clone()).collect(),
        committed: Some(committed),
        finished: interrupted.finished(),
        ..progress
    })
}

fn not_closed(progress: &ReviewProgress, gathered: Gathered) -> ReviewError {
    let Gathered {
        rows, mut faults, ..
    } = gathered;
    let hint = match faults.is_empty() {
        true => {
            "collect the missing decisions, or add --accept-incomplete REASON, which page one of the report shows"
        }
        false => "correct the files, then repeat the command; nothing was written",
    };
    let missing = FileName::of("missing");
    let undecided = rows.iter().filter(|row| row.decision.is_none());
    faults.extend(undecided.map(|row| {
        let (number, account) = (row.row, &row.account_id);
        let text = format!("row {number}, account {account}, is undecided");
        FileFault::new(&missing, None, text)
    }));
    let (decided, rows) = (progress.totals.decided, progress.totals.rows);
    ReviewError::Refused {
        headline: format!("the review is not closed: {decided} of {rows} rows are decided"),
        faults,
        hint,
    }
}
