//! `review acknowledge`: a second person signs off a closed review.

use super::files::attachments;
use super::{Moment, ReviewError, ReviewProgress, chain, ledger_of};
use crate::cli::arguments::AcknowledgeArguments;
use crate::clock::Clock;
use crate::config::ReviewSettings;
use crate::evidence::ReviewPart;
use crate::ledger::commit_review;
use crate::model::counted;
use crate::notify::ReviewStep;
use crate::review::{AcknowledgedWith, Acknowledgement, Eligibility, ReviewManifest};

/// # Errors
/// If no closed review was found, if this person may not acknowledge it, or if the evidence cannot be used.
pub async fn acknowledge(
    settings: &ReviewSettings,
    asked: &AcknowledgeArguments,
    moment: &Moment,
    clock: &Clock,
) -> Result<ReviewProgress, ReviewError> {
    let (attached, files) = attachments(&asked.attach.files)?;
    let ledger = ledger_of(settings, moment.as_of).await?;
    let last = ledger.head(clock).await?;
    let of = chain::closed_review(&ledger, asked.review.as_deref()).await?;
    let closed = &of.closed;
    if let Some(sequence) = of.acknowledged_by {
        return Err(ReviewError::BadRequest(format!(
            "the review {} was acknowledged by ledger entry {sequence}",
            closed.review
        )));
    }
    moment.ensure_after(ReviewPart::Close, closed.closed_at)?;
    let worksheet = &of.frozen.worksheet;
    let people_run = chain::people_run(&ledger, &worksheet.snapshot).await?;
    let owners = chain::owners(&ledger, worksheet, &people_run.entry, moment.as_of).await?;
    let run = chain::newest_run(&ledger, of.close.sequence).await?;
    let with = AcknowledgedWith {
        closed: of.close.run_ref(),
        acknowledged_at: moment.as_of,
        by: asked.by.clone(),
        statement: asked.statement.clone(),
        as_of_run: run.as_ref().map(|run| run.at.clone()),
        people_run: people_run.entry.run_ref(),
        attachments: attached,
    };
    let follow_ups = run.as_ref().map(|run| &run.follow_ups);
    let acknowledgement = Acknowledgement::of(closed, with, follow_ups);
    acknowledgement
        .ensure_second_person(worksheet, closed, &owners)
        .map_err(|wrong| ReviewError::BadRequest(format!("the person of --by {wrong}")))?;
    let mut warnings = Vec::from_iter(people_run.unknown_since(moment.as_of));
    if owners.eligibility(&asked.by, moment.as_of) == Eligibility::Unknown {
        let text = "neither Asana nor HR knows the address of --by: check it for a typing error";
        warnings.push(text.to_owned());
    }
    if acknowledgement.open_decisions > 0 {
        warnings.push(format!(
            "{} not carried out or not answered, so PCI DSS 7.2.4 is not claimed",
            counted(
                acknowledgement.open_decisions,
                "decision of the review is",
                "decisions of the review are"
            )
        ));
    }
    let part = moment.folder(&closed.review, ReviewPart::Acknowledge)?;
    let origin = &of.frozen.origin;
    let mut all = vec![acknowledgement.to_file()];
    all.extend(files);
    let manifest = |files| {
        let frame = &settings.frame;
        ReviewManifest::acknowledged(frame, worksheet, closed, &acknowledgement, origin, files)
    };
    let committed = commit_review(&ledger, last, clock, moment.as_of, &part, all, manifest).await?;
    Ok(ReviewProgress {
        step: ReviewStep::Acknowledged,
        committed: Some(committed),
        warnings,
        run,
        ..ReviewProgress::of_closed(of.frozen, closed, moment.as_of)
    })
}
