//! `review status` and `review close`.

use super::left::Left;
use super::received::{FileFault, Gathered, gather};
use super::{
    Frozen, Given, Moment, ReviewError, ReviewProgress, chain, ledger_of, ledger_to_read, reviewers,
};
use crate::cli::arguments::{CloseArguments, DecisionArguments};
use crate::clock::Clock;
use crate::config::ReviewSettings;
use crate::evidence::{Entry, ReviewFile, ReviewFolder, ReviewPart};
use crate::judgement::Verdict;
use crate::ledger::{Committed, Ledger, commit_review};
use crate::review::{
    AcceptedIncomplete, ClosedRow, ClosedWith, ReviewClosed, ReviewDataFile, ReviewManifest,
    ReviewerFile, closing_page,
};

/// A review on its way to be closed, or closed.
#[derive(Debug)]
pub struct Closing {
    pub progress: ReviewProgress,
    /// Faults in the received files.
    pub faults: Vec<FileFault>,
    /// Where its evidence is, once it is closed.
    pub committed: Option<Committed>,
    /// The attempt that had died and was finished, if there was one.
    pub finished: Option<String>,
    /// Once it is closed.
    pub verdict: Option<Verdict>,
}

/// A review with the decisions received.
struct Received {
    entry: Entry,
    progress: ReviewProgress,
    reassigned: Option<ReviewerFile>,
    gathered: Gathered,
}

async fn receive(
    ledger: &Ledger,
    asked: &DecisionArguments,
    moment: &Moment,
) -> Result<Received, ReviewError> {
    let (entry, frozen) = chain::open_review(ledger, asked.review.as_deref()).await?;
    let reassigned = asked.reassigned.as_deref().map(reviewers::reassigned);
    let reassigned = reassigned.transpose()?;
    let given = Given::decisions(&asked.decisions, asked.reassigned.as_deref())?;
    let owners = chain::owners(ledger, &frozen.worksheet, moment.as_of).await?;
    let gathered = gather(
        &frozen.worksheet,
        &frozen.sha256,
        &owners,
        reassigned.as_ref(),
        &given,
    );
    Ok(Received {
        entry,
        progress: ReviewProgress::of(frozen, &gathered.rows, moment.as_of),
        reassigned,
        gathered,
    })
}

/// The progress of a review, by the decisions received.
///
/// # Errors
/// If the review or a file cannot be read.
pub async fn status(
    settings: &ReviewSettings,
    asked: &DecisionArguments,
    moment: &Moment,
) -> Result<Closing, ReviewError> {
    let ledger = ledger_to_read(settings).await?;
    let received = receive(&ledger, asked, moment).await?;
    Ok(Closing {
        progress: received.progress,
        faults: received.gathered.faults,
        committed: None,
        finished: None,
        verdict: None,
    })
}

///
/// # Errors
/// Every fault; then nothing is written.
pub async fn close(
    settings: &ReviewSettings,
    asked: &CloseArguments,
    moment: &Moment,
    clock: &Clock,
) -> Result<Closing, ReviewError> {
    let ledger = ledger_of(settings, moment.as_of).await?;
    let last = ledger.head(clock).await?;
    let Received {
        entry,
        progress,
        reassigned,
        gathered: Gathered {
            rows,
            files,
            faults,
        },
    } = receive(&ledger, &asked.of, moment).await?;
    let ReviewProgress { frozen, totals, .. } = &progress;
    let Frozen {
        worksheet,
        sha256,
        origin,
    } = frozen;
    // The grace of what it asks for counts from the closing.
    if moment.as_of < worksheet.opened_at {
        return Err(ReviewError::Asked(format!(
            "by the clock of this machine it is {}, and the review was opened at {}: set the clock",
            moment.as_of, worksheet.opened_at
        )));
    }
    if !faults.is_empty() || (totals.undecided > 0 && asked.accept_incomplete.is_none()) {
        return Err(not_closed(&progress, &rows, faults));
    }
    if totals.undecided == 0 && asked.accept_incomplete.is_some() {
        let text = "every row is decided: close it without --accept-incomplete";
        return Err(ReviewError::Asked(text.to_owned()));
    }
    let part = ReviewFolder::of(&worksheet.review, ReviewPart::Close)
        .ok_or_else(|| ReviewError::Unexpected("the review's id has another form".to_owned()))?;
    let left = Left::of(&ledger, &part, worksheet, moment).await?;
    let closed_at = left.closed_at(moment);
    let due = closed_at.checked_add(settings.revocation_grace);
    let accepted = asked.accept_incomplete.clone();
    let with = ClosedWith {
        opened: entry.run_ref(),
        closed_at,
        revocations_due: due.unwrap_or(closed_at),
        accepted_incomplete: accepted.map(|reason| AcceptedIncomplete { reason }),
        reassigned,
        decision_files: files,
        rows,
    };
    let closed = ReviewClosed::of(worksheet, sha256, with);
    let page = ReviewDataFile {
        file: ReviewFile::Report,
        bytes: closing_page(worksheet, &closed, &settings.frame.tool, origin),
        rows: None,
    };
    let files = vec![closed.to_file(), closed.csv(worksheet), page];
    let frame = left.frame(settings);
    let manifest = |files| ReviewManifest::closed(&frame, worksheet, &closed, origin, files);
    let committed = commit_review(&ledger, last, clock, closed_at, &part, files, manifest)
        .await
        .map_err(|error| left.refusal(&closed.review, error))?;
    Ok(Closing {
        faults: Vec::new(),
        verdict: Some(closed.verdict),
        committed: Some(committed),
        finished: left.finished(),
        progress,
    })
}

fn not_closed(
    progress: &ReviewProgress,
    rows: &[ClosedRow],
    mut faults: Vec<FileFault>,
) -> ReviewError {
    let hint = if faults.is_empty() {
        "gather what is missing, or close it with --accept-incomplete REASON, which is printed on page one"
    } else {
        "correct the files; nothing was written"
    };
    let undecided = rows.iter().filter(|row| row.decision.is_none());
    faults.extend(undecided.map(|row| {
        let text = format!(
            "row {}, account {}, is not decided",
            row.row, row.account_id
        );
        FileFault::of("missing", text)
    }));
    ReviewError::Refused {
        headline: format!(
            "the review is not closed: {} of {} rows are decided",
            progress.totals.decided, progress.totals.rows
        ),
        faults,
        hint,
    }
}
