//! `review open`: a committed night's population, frozen into a worksheet.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::decisions::Fault;
use super::{CampaignError, Given, Moment, Progress, Settings, ledger_of, reviewers};
use crate::clock::Clock;
use crate::evidence::{
    Before, Entry, EntryKind, ReviewClosed, ReviewFile, ReviewFolder, ReviewManifest, ReviewPart,
    ReviewedNight, ReviewerFile, Scope, Worksheet, frozen_rows, undecided_rows,
};
use crate::ledger::{Committed, Ledger, LedgerError, commit_review, found};
use crate::report;

/// What `review open` is asked for.
#[derive(Clone, Debug)]
pub struct OpenAsked {
    /// What people call the review.
    pub name: String,
    /// The last day for decisions.
    pub due: jiff::civil::Date,
    /// Which accounts.
    pub scope: Scope,
    /// Who decides what.
    pub reviewers: Option<PathBuf>,
    /// The night: `latest`, a ledger number, a run's id or folder.
    pub run: String,
}

/// A review that was opened.
#[derive(Debug)]
pub struct Opened {
    /// How far it is: nothing is decided.
    pub progress: Progress,
    /// Lines of the reviewers file that fit no row: a slip in one leaves its rows to another line.
    pub idle_lines: Vec<u64>,
    /// Where it is.
    pub committed: Committed,
}

/// Opens a review.
///
/// # Errors
/// Why not; nothing that was written counts then.
pub async fn open(
    settings: &Settings,
    asked: &OpenAsked,
    moment: &Moment,
    clock: &Clock,
) -> Result<Opened, CampaignError> {
    let id = format!("{}-{}", asked.name, moment.suffix);
    let part = ReviewFolder::of(&id, ReviewPart::Open).ok_or_else(|| {
        CampaignError::Asked(
            "the name of a review has letters, digits and hyphens, at most 70: 2026-Q4".to_owned(),
        )
    })?;
    let today = moment.as_of.strftime("%Y-%m-%d").to_string();
    if asked.due.to_string() < today {
        let due = asked.due;
        return Err(CampaignError::Asked(format!(
            "the due day {due} has passed"
        )));
    }
    let lines = match &asked.reviewers {
        None => None,
        Some(path) => {
            let file = reviewers::read(&Given::by_name(path)?, false);
            Some(file.map_err(|faults| CampaignError::Refused {
                headline: "the reviewers file is not in order".to_owned(),
                faults,
                hint: "its columns are rule,value,reviewer,note; docs/access-reviews.md has an example",
            })?)
        }
    };
    let ledger = ledger_of(settings, moment.as_of).await?;
    let last = ledger.head(clock).await?;
    let night = night(&ledger, &asked.run).await?;
    let before = before(&ledger).await?;
    let ReviewedNight {
        head,
        accounts,
        owners,
    } = frozen(&ledger, &night).await?;
    let (rows, left_out) = frozen_rows(
        accounts,
        asked.scope,
        before.as_ref(),
        lines.as_ref(),
        &owners,
    );
    let rows = rows.map_err(|accounts| CampaignError::Refused {
        headline: format!("{} row(s) have nobody to decide them", accounts.len()),
        faults: nobody_decides(lines.as_ref(), &accounts),
        hint: "nobody reviews themselves: add a `default` line with another reviewer",
    })?;
    if rows.is_empty() {
        return Err(CampaignError::Asked(
            "there is nothing to review: no account of that scope has access".to_owned(),
        ));
    }
    let worksheet = Worksheet {
        schema: Worksheet::schema(),
        review: id,
        name: asked.name.clone(),
        due: asked.due.to_string(),
        scope: asked.scope,
        opened_at: moment.as_of,
        connection: settings.connection.clone(),
        is_sandbox: head.population.connection.is_sandbox(),
        workspace: head.population.workspace,
        night: night.run_ref(),
        night_as_of: head.as_of,
        compared_with: before.map(|before| before.id),
        reviewers: lines,
        left_out,
        rows,
    };
    let origin = head.population.origin;
    let (file, review_sha256) = worksheet.to_file();
    let html = crate::evidence::ReviewDataFile {
        file: ReviewFile::WorksheetHtml,
        bytes: report::worksheet(&worksheet, &review_sha256, &origin),
        rows: Some(worksheet.rows.len() as u64),
    };
    let xlsx = worksheet.xlsx(&review_sha256).map_err(|error| {
        CampaignError::Unexpected(format!("the spreadsheet could not be made: {error}"))
    })?;
    let files = vec![file, worksheet.csv(&review_sha256), xlsx, html];
    let manifest =
        |files| ReviewManifest::opened(&settings.frame, &worksheet, &review_sha256, &origin, files);
    let committed =
        commit_review(&ledger, last, clock, moment.as_of, &part, files, manifest).await?;
    let idle_lines = worksheet
        .reviewers
        .as_ref()
        .map(|file| file.idle_lines(&worksheet.rows));
    let rows = undecided_rows(&worksheet, None, &owners);
    Ok(Opened {
        idle_lines: idle_lines.unwrap_or_default(),
        progress: Progress::of(worksheet, review_sha256, origin, &rows, moment.as_of),
        committed,
    })
}

/// The entry of the night that is asked for, with every entry after it sound.
async fn night(ledger: &Ledger, asked: &str) -> Result<Entry, CampaignError> {
    let is_it = |entry: &Entry| {
        let is_named = match asked {
            "latest" => entry.complete,
            asked => {
                entry.run == asked
                    || entry.run.ends_with(&format!("/run={asked}"))
                    || entry.sequence.to_string() == asked
            }
        };
        entry.kind == EntryKind::Run && is_named
    };
    let entries = ledger.back_to(is_it).await?;
    let night = entries.into_iter().next_back().filter(|entry| is_it(entry));
    let none = match asked {
        "latest" => "there is no complete night to review: run one first".to_owned(),
        asked => format!("there is no night `{asked}` in the ledger"),
    };
    let night: Entry = night.ok_or(CampaignError::Asked(none))?;
    if !night.complete {
        return Err(CampaignError::Asked(format!(
            "the night of ledger entry {} is not complete: accounts may be missing from its list",
            night.sequence
        )));
    }
    Ok(night)
}

fn unreadable(entry: &Entry, error: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Fault(format!(
        "the files of ledger entry {} cannot be read: {error}",
        entry.sequence
    ))
}

/// The night that is reviewed; every file of it was held against its hash.
async fn frozen(ledger: &Ledger, night: &Entry) -> Result<ReviewedNight, LedgerError> {
    let names = ReviewedNight::FILES.map(|file| file.name());
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    night_of(night, &ledger.committed_files(night, &wanted).await?)
}

/// A night, out of its files.
pub(super) fn night_of(
    entry: &Entry,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<ReviewedNight, LedgerError> {
    let bytes = ReviewedNight::FILES.map(|file| found(files, &file.name()));
    ReviewedNight::of(bytes).map_err(|why| unreadable(entry, &why))
}

/// What earlier reviews decided, back to the last that was of everybody.
async fn before(ledger: &Ledger) -> Result<Option<Before>, CampaignError> {
    let mut before: Option<Before> = None;
    for nth in 1.. {
        let mut seen = 0;
        let is_nth = |entry: &Entry| {
            let is_close = entry.kind == EntryKind::ReviewClose;
            seen += usize::from(is_close);
            is_close && seen == nth
        };
        let entries = ledger.back_to(is_nth).await?;
        let closes = entries.iter();
        let mut closes = closes.filter(|entry| entry.kind == EntryKind::ReviewClose);
        let Some(close) = closes.nth(nth - 1) else {
            break;
        };
        let (closed, worksheet) = earlier(ledger, close).await?;
        match &mut before {
            None => before = Some(Before::of(worksheet, &closed)),
            Some(before) => before.add(worksheet, &closed),
        }
        if closed.is_of_all() {
            break;
        }
    }
    Ok(before)
}

/// A review that was closed, with what it was opened with.
async fn earlier(
    ledger: &Ledger,
    close: &Entry,
) -> Result<(ReviewClosed, Worksheet), CampaignError> {
    let review = ReviewFile::Review.name();
    let files = ledger.committed_files(close, &[review]).await?;
    let closed: ReviewClosed =
        serde_json::from_slice(found(&files, review)).map_err(|error| unreadable(close, &error))?;
    let is_opened = |entry: &Entry| entry.run_ref() == closed.opened;
    let entries = ledger.back_to(is_opened).await?;
    let Some(opened) = entries.last().filter(|entry| is_opened(entry)) else {
        return Err(unreadable(close, &"the entry that opened it is gone").into());
    };
    let name = ReviewFile::WorksheetJson.name();
    let files = ledger.committed_files(opened, &[name]).await?;
    let worksheet =
        Worksheet::from_bytes(found(&files, name)).map_err(|error| unreadable(opened, &error))?;
    Ok((closed, worksheet))
}

fn nobody_decides(lines: Option<&ReviewerFile>, accounts: &[String]) -> Vec<Fault> {
    let file = lines.map_or("", |lines| &lines.file);
    let fault = |account: &String| {
        let text = format!("no line names a reviewer other than the owner of account {account}");
        Fault::of(file, text)
    };
    accounts.iter().map(fault).collect()
}
