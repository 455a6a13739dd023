//! `review open`: the population of a committed run, frozen into a worksheet.

use std::iter;

use super::{
    FileFault, FileName, Frozen, Moment, ReviewError, ReviewProgress, chain, ledger_of, reviewers,
};
use crate::cli::arguments::OpenArguments;
use crate::clock::Clock;
use crate::config::ReviewSettings;
use crate::evidence::{ReviewFile, ReviewPart};
use crate::ledger::commit_review;
use crate::model::{Permissions, counted};
use crate::notify::ReviewStep;
use crate::report::visible::Minute as _;
use crate::review::{
    ByReviewer, Eligibility, NotFrozen, OpenedWith, ReasonFor, ReviewManifest, ReviewerFile, Scope,
    Worksheet, worksheet_page,
};

/// Opens a review.
///
/// # Errors
/// The cause. Files that were already written do not count.
pub async fn open(
    settings: &ReviewSettings,
    asked: &OpenArguments,
    moment: &Moment,
    clock: &Clock,
) -> Result<ReviewProgress, ReviewError> {
    let id = format!("{}-{}", asked.name, moment.suffix);
    let part = moment.folder(&id, ReviewPart::Open)?;
    let due = asked.due.to_string();
    if due < moment.as_of.day() {
        return Err(ReviewError::BadRequest(format!(
            "the due day {due} has passed"
        )));
    }
    let path = asked.reviewers.as_deref();
    let lines = path.map(|path| reviewers::read_file(path, false));
    let lines = lines.transpose()?;
    let ledger = ledger_of(settings, moment.as_of).await?;
    let last = ledger.head(clock).await?;
    let entry = chain::run(&ledger, &asked.run).await?;
    let mut run = chain::reviewed_run(&ledger, &entry).await?;
    let people_run = chain::people_run(&ledger, &entry.run_ref()).await?;
    run.owners = chain::with_people_of(&ledger, run.owners, &entry, &people_run.entry).await?;
    if !asked.yes {
        let known = &run.follow_ups;
        let similar = chain::similar_reviews(&ledger, known, &asked.name, asked.scope).await?;
        if !similar.is_empty() {
            return Err(ReviewError::Similar(similar));
        }
    }
    let (earlier, not_compared) = chain::earlier_reviews(&ledger, moment.as_of).await?;
    let mut warnings = Vec::from_iter(people_run.unknown_since(moment.as_of));
    if let Some(not_compared) = &not_compared {
        let (sequence, reason) = (not_compared.sequence, &not_compared.reason);
        tracing::warn!(sequence, reason, "An earlier review could not be read");
        warnings.push(format!(
            "the rows are not compared with the review of ledger entry {sequence}: {reason}; the worksheet records this"
        ));
    }

    if run.permissions == Permissions::Narrow && asked.scope != Scope::All {
        return Err(ReviewError::BadRequest(format!(
            "the run has no roles (ASANA_PERMISSIONS=narrow), so nothing shows who belongs to the scope {}: use --scope all",
            asked.scope
        )));
    }
    let mut reason_for = asked.reason_for.clone();
    if run.permissions == Permissions::Narrow {
        // Without roles, each row could be an administrator's or a guest's.
        reason_for.retain(|of| !matches!(of, ReasonFor::Admins | ReasonFor::Guests));
    }
    let origin = run.origin.clone();
    let with = OpenedWith {
        review: id,
        name: asked.name.clone(),
        due,
        scope: asked.scope,
        opened_at: moment.as_of,
        connection: settings.connection.clone(),
        snapshot: entry.run_ref(),
        reviewers: lines.clone(),
        reason_for,
        not_compared,
    };
    let (worksheet, owners) = Worksheet::freeze(with, run, earlier.as_ref())
        .map_err(|why| not_frozen(lines.as_ref(), &why))?;
    if let Some(file) = &lines {
        let unknown = file.lines_by(Eligibility::Unknown, &owners, moment.as_of);
        if !unknown.is_empty() {
            let unknown: Vec<String> = unknown.iter().map(u64::to_string).collect();
            warnings.push(format!(
                "neither Asana nor HR knows the reviewer of {} {}: check the address; `close` refuses their \
                 decisions without --accept-reviewer ADDRESS",
                if unknown.len() == 1 { "line" } else { "lines" },
                unknown.join(", ")
            ));
        }
    }
    if worksheet.rows.is_empty() {
        let text = "no account of this scope has access, so there is nothing to review";
        return Err(ReviewError::bad_request(text));
    }
    let idle_lines = lines.map(|file| file.idle_lines(&worksheet.rows));
    // The files of 100,000 rows need the memory.
    drop(owners);
    let reviewers = worksheet
        .rows
        .iter()
        .map(|row| (row.reviewer.as_ref(), None));
    let reviewers = ByReviewer::of(reviewers);
    let (file, sha256) = worksheet.to_file();
    let frozen = Frozen {
        worksheet,
        sha256,
        origin,
    };
    let progress = ReviewProgress::of(frozen, reviewers, moment.as_of);
    let Frozen {
        worksheet,
        sha256,
        origin,
    } = &progress.frozen;
    let xlsx = worksheet.xlsx(sha256).map_err(|error| {
        ReviewError::Unexpected(format!("could not write the spreadsheet: {error}"))
    })?;
    let html = || {
        let page = worksheet_page(worksheet, sha256, origin);
        worksheet.file(ReviewFile::WorksheetHtml, page)
    };
    let files = [file]
        .into_iter()
        .chain(iter::once_with(|| worksheet.csv(sha256)))
        .chain([xlsx])
        .chain(iter::once_with(html));
    let manifest =
        |files| ReviewManifest::opened(&settings.frame, worksheet, sha256, origin, files);
    let committed =
        commit_review(&ledger, last, clock, moment.as_of, &part, files, manifest).await?;
    Ok(ReviewProgress {
        step: ReviewStep::Opened,
        idle_lines: idle_lines.unwrap_or_default(),
        committed: Some(committed),
        warnings,
        ..progress
    })
}

fn not_frozen(lines: Option<&ReviewerFile>, why: &NotFrozen) -> ReviewError {
    let file = FileName::of(lines.map_or("", |lines| &lines.file));
    let (headline, hint) = match why {
        NotFrozen::ReviewersLeft(lines) => (
            counted(lines.len(), "reviewer has left", "reviewers have left"),
            "name reviewers who work here; nothing was written",
        ),
        NotFrozen::OnlyOwners(accounts) => (
            counted(
                accounts.len(),
                "row has only its owner as a reviewer",
                "rows have only their owner as a reviewer",
            ),
            "add a `default` line with another reviewer: the owner of an account or a service account cannot review it",
        ),
    };
    let fault = |text: String| FileFault::new(&file, None, text);
    ReviewError::Refused {
        headline,
        faults: why.texts().into_iter().map(fault).collect(),
        hint,
    }
}
