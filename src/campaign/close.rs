//! `review status` and `review close`: what was decided, and whether that is everything.

use std::path::PathBuf;

use super::decisions::{Fault, Gathered, gather};
use super::left::Left;
use super::{
    CampaignError, Given, Moment, Progress, Settings, ledger_of, ledger_to_read, owners, reviewers,
};
use crate::clock::Clock;
use crate::evidence::{
    AcceptedIncomplete, Entry, EntryKind, ReviewClosed, ReviewDataFile, ReviewFile, ReviewFolder,
    ReviewManifest, ReviewPart, ReviewerFile, Worksheet, sha256_hex,
};
use crate::judgement::Verdict;
use crate::ledger::{Committed, Ledger, LedgerError, commit_review, found};
use crate::report;

/// What `review status` is asked for.
#[derive(Clone, Debug, Default)]
pub struct StatusAsked {
    /// The review, by id or name; none: the newest that is open.
    pub review: Option<String>,
    /// Decisions received so far: files, and folders of files.
    pub decisions: Vec<PathBuf>,
    /// Rows given to another reviewer since.
    pub reassigned: Option<PathBuf>,
}

/// What `review close` is asked for.
#[derive(Clone, Debug)]
pub struct CloseAsked {
    /// Which review, and the decisions.
    pub of: StatusAsked,
    /// Why it may be closed with rows that nobody decided.
    pub accept_incomplete: Option<String>,
}

/// A review on its way to be closed, or closed.
#[derive(Debug)]
pub struct Closing {
    /// How far it is.
    pub progress: Progress,
    /// What is wrong with what was given.
    pub faults: Vec<Fault>,
    /// Where its evidence is, once it is closed.
    pub committed: Option<Committed>,
    /// Which attempt that had died was finished with it.
    pub finished: Option<String>,
    /// How it came out, once it is closed.
    pub verdict: Option<Verdict>,
}

/// A review that is open, as the ledger vouches for it.
struct Open {
    entry: Entry,
    worksheet: Worksheet,
    review_sha256: String,
    origin: String,
}

/// How far a review is, by the decisions that were received.
///
/// # Errors
/// Where the review or a file cannot be read.
pub async fn status(
    settings: &Settings,
    asked: &StatusAsked,
    moment: &Moment,
) -> Result<Closing, CampaignError> {
    let ledger = ledger_to_read(settings).await?;
    let open = find(&ledger, asked.review.as_deref()).await?;
    let reassigned = reassigned(asked)?;
    let given = given(asked)?;
    let owners = owners::of_review(&ledger, &open.worksheet, moment.as_of).await?;
    let gathered = gather(
        &open.worksheet,
        &open.review_sha256,
        &owners,
        reassigned.as_ref(),
        &given,
    );
    let rows = &gathered.rows;
    Ok(Closing {
        progress: Progress::of(
            open.worksheet,
            open.review_sha256,
            open.origin,
            rows,
            moment.as_of,
        ),
        faults: gathered.faults,
        committed: None,
        finished: None,
        verdict: None,
    })
}

/// Closes a review.
///
/// # Errors
/// Everything that is not in order; then nothing is written.
pub async fn close(
    settings: &Settings,
    asked: &CloseAsked,
    moment: &Moment,
    clock: &Clock,
) -> Result<Closing, CampaignError> {
    let ledger = ledger_of(settings, moment.as_of).await?;
    let last = ledger.head(clock).await?;
    let open = find(&ledger, asked.of.review.as_deref()).await?;
    ensure_after(&open.worksheet, moment)?;
    let reassigned = reassigned(&asked.of)?;
    let given = given(&asked.of)?;
    let owners = owners::of_review(&ledger, &open.worksheet, moment.as_of).await?;
    let (worksheet, review_sha256) = (&open.worksheet, &open.review_sha256);
    let Gathered {
        rows,
        files,
        mut faults,
    } = gather(
        worksheet,
        review_sha256,
        &owners,
        reassigned.as_ref(),
        &given,
    );
    let is_in_order = faults.is_empty();
    let progress = Progress::of(
        open.worksheet,
        open.review_sha256,
        open.origin,
        &rows,
        moment.as_of,
    );
    let Progress {
        worksheet,
        review_sha256,
        origin,
        totals,
        ..
    } = &progress;
    if !is_in_order || (totals.undecided > 0 && asked.accept_incomplete.is_none()) {
        let undecided = rows.iter().filter(|row| row.decision.is_none());
        faults.extend(undecided.map(|row| {
            let text = format!(
                "row {}, account {}, is not decided",
                row.row, row.account_id
            );
            Fault::of("missing", text)
        }));
        return Err(CampaignError::Refused {
            headline: format!(
                "the review is not closed: {} of {} rows are decided",
                totals.decided, totals.rows
            ),
            faults,
            hint: if is_in_order {
                "gather what is missing, or close it with --accept-incomplete REASON, which is \
                 printed on page one"
            } else {
                "correct the files; nothing was written"
            },
        });
    }
    if totals.undecided == 0 && asked.accept_incomplete.is_some() {
        let text = "every row is decided: close it without --accept-incomplete";
        return Err(CampaignError::Asked(text.to_owned()));
    }
    let part = ReviewFolder::of(&worksheet.review, ReviewPart::Close)
        .ok_or_else(|| CampaignError::Unexpected("the review's id is none".to_owned()))?;
    let left = Left::of(&ledger, &part, worksheet, moment).await?;
    let closed_at = left.closed_at(moment);
    let due = closed_at.checked_add(settings.revocation_grace);
    let due = due.unwrap_or(closed_at);
    let complete = totals.undecided == 0;
    let closed = ReviewClosed {
        schema: ReviewClosed::schema(),
        review: worksheet.review.clone(),
        name: worksheet.name.clone(),
        due: worksheet.due.clone(),
        scope: worksheet.scope,
        opened_at: worksheet.opened_at,
        closed_at,
        revocations_due: Some(due),
        review_sha256: review_sha256.clone(),
        opened: open.entry.run_ref(),
        night: worksheet.night.clone(),
        verdict: totals.verdict(),
        complete,
        accepted_incomplete: asked
            .accept_incomplete
            .clone()
            .map(|reason| AcceptedIncomplete { reason }),
        reviewers: progress.reviewers.clone(),
        totals: totals.clone(),
        reassigned,
        decision_files: files,
        rows,
    };
    let reasons = closed.reasons();
    let page = report::closed_review(&report::Closed {
        worksheet,
        closed: &closed,
        reasons: &reasons,
        tool: &settings.frame.tool,
        origin,
        revocations_due: due,
    });
    let page = ReviewDataFile {
        file: ReviewFile::Report,
        bytes: page,
        rows: None,
    };
    let files = vec![closed.to_file(), closed.csv(worksheet), page];
    let frame = left.frame(settings);
    let manifest = |files| {
        let reasons = reasons.clone();
        ReviewManifest::closed(&frame, worksheet, &closed, origin, reasons, files)
    };
    let at = closed.closed_at;
    let committed = commit_review(&ledger, last, clock, at, &part, files, manifest)
        .await
        .map_err(|error| left.refusal(&closed.review, error))?;
    Ok(Closing {
        faults: Vec::new(),
        verdict: Some(closed.verdict),
        committed: Some(committed),
        finished: left.told(),
        progress,
    })
}

/// A review is closed after it was opened: the grace of what it asks for counts from there.
fn ensure_after(worksheet: &Worksheet, moment: &Moment) -> Result<(), CampaignError> {
    if moment.as_of >= worksheet.opened_at {
        return Ok(());
    }
    Err(CampaignError::Asked(format!(
        "by the clock of this machine it is {}, and the review was opened at {}: set the clock",
        moment.as_of, worksheet.opened_at
    )))
}

fn given(asked: &StatusAsked) -> Result<Vec<Given>, CampaignError> {
    Given::decisions(&asked.decisions, asked.reassigned.as_deref())
}

fn reassigned(asked: &StatusAsked) -> Result<Option<ReviewerFile>, CampaignError> {
    let Some(path) = &asked.reassigned else {
        return Ok(None);
    };
    let file = reviewers::read(&Given::by_name(path)?, true);
    Ok(Some(file.map_err(|faults| CampaignError::Refused {
        headline: "the file of reassignments is not in order".to_owned(),
        faults,
        hint: "its columns are rule,value,reviewer,note, and its rules are all `reassign`",
    })?))
}

fn is_closed(id: &str, sequence: u64) -> String {
    format!("the review {id} was closed by ledger entry {sequence}")
}

/// The review that is meant, if it is open, with its frozen population.
async fn find(ledger: &Ledger, asked: Option<&str>) -> Result<Open, CampaignError> {
    let mut closed: Vec<(String, u64)> = Vec::new();
    let is_meant = |entry: &Entry| {
        let Some(part) = ReviewFolder::parse(&entry.run) else {
            return false;
        };
        let is_asked = asked.is_none_or(|asked| {
            let name = part.id().rsplit_once('-').map(|(name, _)| name);
            part.id() == asked || name == Some(asked)
        });
        match entry.kind {
            EntryKind::ReviewClose if is_asked => {
                closed.push((part.id().to_owned(), entry.sequence));
                false
            }
            // Two may have one name: of those, the newest that is open. An id is of one alone.
            EntryKind::ReviewOpen => {
                let is_open = closed.iter().all(|(id, _)| id != part.id());
                is_asked && (is_open || asked == Some(part.id()))
            }
            EntryKind::Run | EntryKind::Failure | EntryKind::ReviewClose => false,
        }
    };
    let entries = ledger.back_to(is_meant).await?;
    let entry = entries.into_iter().next_back();
    let entry = entry.filter(|entry| entry.kind == EntryKind::ReviewOpen);
    let part = entry.as_ref().and_then(|of| ReviewFolder::parse(&of.run));
    let (Some(entry), Some(part)) = (entry, part) else {
        return Err(CampaignError::Asked(match (asked, closed.first()) {
            (Some(_), Some((id, sequence))) => is_closed(id, *sequence),
            (Some(asked), None) => format!("there is no review `{asked}` in the ledger"),
            (None, _) => "no review is open".to_owned(),
        }));
    };
    if let Some((id, sequence)) = closed.iter().find(|(id, _)| id == part.id()) {
        return Err(CampaignError::Asked(is_closed(id, *sequence)));
    }
    if asked.is_none() {
        tracing::info!(review = part.id(), "Took the newest review that is open");
    }
    let names = [
        ReviewFile::WorksheetJson.name(),
        ReviewFile::Manifest.name(),
    ];
    let files = ledger.committed_files(&entry, &names).await?;
    let bytes = found(&files, names[0]);
    let damaged = |text: &str| {
        let sequence = entry.sequence;
        LedgerError::Fault(format!("the files of ledger entry {sequence}: {text}"))
    };
    let worksheet = Worksheet::from_bytes(bytes).map_err(|error| damaged(&error.to_string()))?;
    let manifest: ReviewManifest = serde_json::from_slice(found(&files, names[1]))
        .map_err(|error| damaged(&error.to_string()))?;
    let review_sha256 = sha256_hex(bytes);
    if manifest.review.sha256 != review_sha256
        || worksheet.review != part.id()
        || !manifest.apart_from(&entry).is_empty()
    {
        return Err(damaged("manifest and worksheet do not say the same").into());
    }
    Ok(Open {
        entry,
        worksheet,
        review_sha256,
        origin: manifest.origin,
    })
}
