//! `review status` and `review close`.

use jiff::Timestamp;

use super::files::{InputFile, attachments};
use super::received::{Gathered, gather};
use super::{
    FileFault, FileName, Frozen, Moment, ReviewError, ReviewProgress, chain, ledger_of,
    ledger_to_read, reviewers,
};
use crate::cli::arguments::{CloseArguments, DecisionArguments};
use crate::clock::Clock;
use crate::config::ReviewSettings;
use crate::evidence::{ReviewFile, ReviewPart};
use crate::judgement::RunRef;
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
    /// The run that shows who has left.
    people_run: RunRef,
    reassigned: Option<ReviewerFile>,
    /// Deciders whom neither Asana nor HR knows.
    accepted: Vec<EmailAddress>,
    given: Vec<InputFile>,
    gathered: Gathered,
}

async fn receive(
    ledger: &Ledger,
    asked: &DecisionArguments,
    frozen: Frozen,
    as_of: Timestamp,
) -> Result<Received, ReviewError> {
    let path = asked.reassigned.as_deref();
    let reassigned = path
        .map(|path| reviewers::read_file(path, true))
        .transpose()?;
    let given = InputFile::decisions(&asked.decisions, path)?;
    let people_run = chain::people_run(ledger, &frozen.worksheet.snapshot).await?;
    let owners = chain::owners(ledger, &frozen.worksheet, &people_run.entry, as_of).await?;
    let rules = Rules {
        worksheet: &frozen.worksheet,
        owners: &owners,
        accepted: &asked.accept_reviewer,
        closed_at: as_of,
    };
    let gathered = gather(&frozen, &rules, reassigned.as_ref(), &given);
    let mut accepted = asked.accept_reviewer.clone();
    accepted.sort();
    accepted.dedup();
    accepted.retain(|who| {
        let is_unknown = owners.eligibility(who, as_of) == Eligibility::Unknown;
        let mut rows = gathered.rows.iter();
        is_unknown && rows.any(|row| row.decided_by.as_ref() == Some(who))
    });
    let by_reviewer = ByReviewer::of(gathered.rows.iter().map(ClosedRow::answer));
    let mut progress = ReviewProgress::of(frozen, by_reviewer, as_of);
    let reviewers = progress.reviewers.iter().flat_map(|of| &of.reviewer);
    let has_left = |who: &&EmailAddress| owners.eligibility(who, as_of) == Eligibility::HasLeft;
    progress.warnings.extend(people_run.unknown_since(as_of));
    progress.warnings.extend(gathered.notes());
    progress.left = reviewers.filter(has_left).cloned().collect();
    Ok(Received {
        progress,
        people_run: people_run.entry.run_ref(),
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
    let received = receive(&ledger, asked, frozen, moment.as_of).await?;
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
    moment.ensure_after(ReviewPart::Open, worksheet.opened_at)?;
    let part = moment.folder(&worksheet.review, ReviewPart::Close)?;
    let received = receive(&ledger, &asked.of, frozen, moment.as_of).await?;
    let (progress, gathered) = (received.progress, received.gathered);
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
    let closed_at = moment.as_of;
    let due = closed_at.checked_add(settings.revocation_grace);
    let with = ClosedWith {
        opened: entry.run_ref(),
        people_run: received.people_run,
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
    files
        .extend(stored.map(|(of, file)| ReviewDataFile::received(&of.received.stored, file.bytes)));
    files.extend(attached);
    let frame = &settings.frame;
    let manifest = |files| ReviewManifest::closed(frame, worksheet, &closed, origin, files);
    let committed = commit_review(&ledger, last, clock, closed_at, &part, files, manifest).await?;
    Ok(ReviewProgress {
        step: ReviewStep::Closed,
        committed: Some(committed),
        ..progress.closed(&closed)
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
