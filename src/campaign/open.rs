//! `review open`: a committed night's population, frozen into a worksheet.

use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;
use std::path::PathBuf;

use super::decisions::Fault;
use super::owners::Owners;
use super::{CampaignError, Given, Moment, Progress, Settings, ledger_of, reviewers};
use crate::clock::Clock;
use crate::evidence::{
    ClosedRow, Entry, EntryKind, FrozenRow, LeftOut, Listed, NO_REVIEW_BEFORE, NightHead,
    ReviewClosed, ReviewFile, ReviewFolder, ReviewManifest, ReviewPart, ReviewerFile, RunFile,
    Scope, Worksheet, night_head, population,
};
use crate::ledger::{Committed, Ledger, LedgerError, commit_review, found};
use crate::people::{Access, Decision, Role, Status};
use crate::report;

/// A file of a night that unpacks to more is none of ours.
const MOST_BYTES: u64 = 1 << 30;

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

/// Reviews that were closed before: what rows are compared with.
struct Before {
    /// The id of the last.
    id: String,
    rows: HashMap<String, FrozenRow>,
    decided: HashMap<String, Decision>,
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
    let night = night(&ledger, &asked.run).await?;
    let before = before(&ledger).await?;
    let frozen = Night::whole(&ledger, &night).await?;
    let owners = Owners::of(&frozen, &night)?;
    let Night { head, accounts, .. } = frozen;
    let by = lines.as_ref().map(|file| (file, &owners));
    let (rows, left_out) = rows(accounts, asked.scope, before.as_ref(), by);
    let rows = rows.map_err(|faults| CampaignError::Refused {
        headline: format!("{} row(s) have nobody to decide them", faults.len()),
        faults,
        hint: "nobody reviews themselves: add a `default` line with another reviewer",
    })?;
    if rows.is_empty() {
        return Err(CampaignError::Asked(
            "there is nothing to review: no account of that scope has access".to_owned(),
        ));
    }
    let idle_lines = lines
        .as_ref()
        .map(|file| reviewers::idle_lines(file, &rows));
    let worksheet = Worksheet {
        schema: Worksheet::schema(),
        review: id,
        name: asked.name.clone(),
        due: asked.due.to_string(),
        scope: asked.scope,
        opened_at: moment.as_of,
        connection: settings.connection.clone(),
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
    let committed = commit_review(&ledger, clock, moment.as_of, &part, files, manifest).await?;
    let rows = worksheet.rows.iter();
    let rows: Vec<ClosedRow> = rows
        .map(|row| ClosedRow::undecided(row, row.reviewer.clone()))
        .collect();
    Ok(Opened {
        progress: Progress::of(worksheet, review_sha256, origin, &rows, moment.as_of),
        idle_lines: idle_lines.unwrap_or_default(),
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

pub(super) fn unreadable(entry: &Entry, error: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Damaged(format!(
        "the files of ledger entry {} cannot be read: {error}",
        entry.sequence
    ))
}

/// What a review needs of a night; every file of it was held against its hash.
pub(super) struct Night {
    pub(super) head: NightHead,
    pub(super) accounts: Vec<Listed>,
    /// The unpacked lines of `inputs/hr.jsonl.gz`.
    pub(super) hr: Vec<u8>,
}

impl Night {
    /// Of a night to be reviewed: all of it is what was written.
    async fn whole(ledger: &Ledger, entry: &Entry) -> Result<Self, LedgerError> {
        let names = Self::names();
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        Self::of(entry, &ledger.committed_files(entry, &wanted).await?)
    }

    /// Of a night that is under review.
    pub(super) async fn read(ledger: &Ledger, entry: &Entry) -> Result<Self, LedgerError> {
        let names = Self::names();
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        Self::of(entry, &ledger.committed_files_alone(entry, &wanted).await?)
    }

    fn names() -> [String; 3] {
        let files = [
            RunFile::InputFacts,
            RunFile::AccountsJsonl,
            RunFile::InputHr,
        ];
        files.map(|file| file.name())
    }

    fn of(entry: &Entry, files: &BTreeMap<String, Vec<u8>>) -> Result<Self, LedgerError> {
        let [facts, accounts, hr] = Self::names();
        let unpacked = |name: &str| {
            let mut lines = Vec::new();
            flate2::read::MultiGzDecoder::new(found(files, name))
                .take(MOST_BYTES)
                .read_to_end(&mut lines)
                .map_err(|error| unreadable(entry, &error))?;
            Ok::<_, LedgerError>(lines)
        };
        let head = night_head(found(files, &facts)).map_err(|error| unreadable(entry, &error))?;
        let listed = population(&unpacked(&accounts)?);
        Ok(Self {
            head,
            accounts: listed.map_err(|error| unreadable(entry, &error))?,
            hr: unpacked(&hr)?,
        })
    }
}

/// What earlier reviews decided: the newest decision about each account, back to the last review that
/// was of everybody and complete. One of some roles that came after it knows the others not.
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
        let before = before.get_or_insert_with(|| Before {
            id: closed.review.clone(),
            decided: HashMap::new(),
            rows: HashMap::new(),
        });
        for row in &closed.rows {
            if let Some(decision) = row.decision {
                let decided = before.decided.entry(row.account_id.clone());
                decided.or_insert(decision);
            }
        }
        for row in worksheet.rows {
            before.rows.entry(row.account_id.clone()).or_insert(row);
        }
        if closed.scope == Scope::All && closed.complete {
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

fn is_in(scope: Scope, role: &Role) -> bool {
    match (scope, role) {
        (Scope::All, _) | (_, Role::Unknown(_)) => true,
        (Scope::Admins, role) => *role == Role::Admin,
        (Scope::Guests, role) => *role == Role::Guest,
    }
}

/// One row for every account of the scope, in the order of the list; every other one is counted.
fn rows(
    listed: Vec<Listed>,
    scope: Scope,
    before: Option<&Before>,
    reviewers: Option<(&ReviewerFile, &Owners)>,
) -> (Result<Vec<FrozenRow>, Vec<Fault>>, LeftOut) {
    let mut left_out = LeftOut::default();
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    for account in listed {
        if account.status.access() == Access::None {
            left_out.without_access += 1;
            continue;
        }
        if !is_in(scope, &account.role) {
            left_out.out_of_scope += 1;
            continue;
        }
        let changed = changed(&account, before);
        let previous_decision =
            before.and_then(|before| before.decided.get(&account.account_id).copied());
        let (recommended, reason) = recommended(&account, &changed, previous_decision);
        let mut row = FrozenRow {
            row: u32::try_from(rows.len() + 1).unwrap_or(u32::MAX),
            account_id: account.account_id,
            email: account.email,
            other_emails: account.other_emails,
            name: account.name,
            role: account.role,
            status: account.status,
            view_only: account.view_only,
            joined_at: account.joined_at,
            last_login_at: account.last_login_at,
            person_id: account.person_id,
            matched_by: account.matched_by,
            changed,
            previous_decision,
            findings: account.findings,
            recommended,
            reason,
            reviewer: None,
            assigned_by: String::new(),
        };
        if let Some((file, owners)) = reviewers {
            match reviewers::of_row(file, &row, owners) {
                Some((reviewer, told)) => {
                    row.reviewer = Some(reviewer);
                    row.assigned_by = told;
                }
                None => {
                    let text = format!(
                        "no line names a reviewer other than the owner of account {}",
                        row.account_id
                    );
                    faults.push(Fault::of(&file.file, text));
                }
            }
        }
        rows.push(row);
    }
    let rows = if faults.is_empty() {
        Ok(rows)
    } else {
        Err(faults)
    };
    (rows, left_out)
}

/// What is different from the population of the last review, for people.
fn changed(account: &Listed, before: Option<&Before>) -> String {
    let Some(before) = before else {
        return NO_REVIEW_BEFORE.to_owned();
    };
    let Some(earlier) = before.rows.get(&account.account_id) else {
        return "not in the last review".to_owned();
    };
    let mut told = Vec::new();
    if earlier.role != account.role {
        told.push(format!("role was {}", earlier.role));
    }
    if earlier.status != account.status {
        told.push(format!("status was {}", earlier.status));
    }
    if earlier.email != account.email {
        let email = earlier.email.as_ref().map_or("none", |of| of.as_written());
        told.push(format!("e-mail was {email}"));
    }
    if earlier.name != account.name {
        let name = earlier.name.as_deref().unwrap_or("none");
        told.push(format!("name was {name}"));
    }
    if earlier.person_id != account.person_id {
        told.push(format!("HR match was {}", earlier.hr_match()));
    }
    if told.is_empty() {
        "unchanged".to_owned()
    } else {
        told.join("; ")
    }
}

/// What the evidence speaks for, and why. The reviewer decides.
fn recommended(account: &Listed, changed: &str, previous: Option<Decision>) -> (Decision, String) {
    let has = |kind: &str| account.findings.iter().any(|found| found == kind);
    let told = |decision, reason: &str| (decision, reason.to_owned());
    if has("offboarded_access") {
        return told(
            Decision::Revoke,
            "the owner has left, and the deadline has passed",
        );
    }
    if previous == Some(Decision::Revoke) {
        return told(
            Decision::Revoke,
            "the last review revoked it, and it is still there",
        );
    }
    if has("revocation_not_done") {
        return told(
            Decision::Revoke,
            "a review asked for a change that was not made",
        );
    }
    if has("possible_offboarded_access") {
        return told(
            Decision::DontKnow,
            "it may belong to somebody who left: find out whose it is",
        );
    }
    if has("account_unidentifiable") {
        return told(Decision::DontKnow, "it has no e-mail: find out whose it is");
    }
    if has("account_without_hr_record") {
        return told(Decision::Revoke, "nobody in HR's roster owns it");
    }
    match (&account.status, &account.role) {
        (Status::Unknown(_), _) => {
            return told(
                Decision::DontKnow,
                "its status is not known: look it up in Asana",
            );
        }
        (_, Role::Unknown(_)) => {
            return told(
                Decision::DontKnow,
                "its role is not known: look it up in Asana",
            );
        }
        (Status::Invited, _) => {
            return told(
                Decision::Keep,
                "an invitation that was not accepted yet: is it still wanted?",
            );
        }
        (_, Role::Admin) if changed.starts_with("role was") => {
            return told(
                Decision::Keep,
                "an administrator since the last review: is it needed?",
            );
        }
        (_, Role::Guest) => {
            return told(
                Decision::Keep,
                "a guest, whom HR does not know: does the work go on?",
            );
        }
        _ => {}
    }
    if account.person_id.is_empty() {
        return told(
            Decision::Keep,
            "nothing was found, and HR's feed names no owner",
        );
    }
    told(Decision::Keep, "nothing was found against it")
}
