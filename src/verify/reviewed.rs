//! A part of a review held against what it was made from: the worksheet against the night it froze and the
//! review before it, what was decided against the worksheet, and every other file against what it tells.
//!
//! The population and the decisions are held against each other whatever version wrote them. Words,
//! pages and the spreadsheet are another matter: only the very program that wrote them can make them again.
//! Worksheets are read when they are needed, and none is held for later.

use serde::Serialize;
use serde_json::{Map, Value};

use super::FaultKind;
use super::again::{Judges, Known};
use super::committed::Found;
use super::reviews::Part;
use crate::evidence::{
    FileRecord, ReviewFile, ReviewFolder, ReviewPart, RunFile, sha256_hex, sums_of,
};
use crate::judgement::RunRef;
use crate::review;
use crate::review::{
    Before, ByReviewer, ClosedRow, FrozenRow, Owners, ReviewClosed, ReviewDataFile, ReviewManifest,
    ReviewedNight, Worksheet, frozen_rows, undecided_rows,
};
use crate::store::{StoreError, is_name};

/// So many differences are told one by one.
const TOLD: usize = 3;

/// What a version says in its own way: words, and which earlier decision it reminds of.
const WORDS_OF_A_ROW: [&str; 5] = [
    "changed",
    "previous_decision",
    "recommended",
    "reason",
    "assigned_by",
];
const WORDS_OF_A_MANIFEST: [&str; 2] = ["controls", "reasons"];

/// How holding a part against what it was made from came out.
pub(super) enum Held {
    /// The same.
    Same,
    /// The same as far as could be seen here, and why no farther; no fault.
    InPart(String),
    /// These files say otherwise.
    Otherwise(Vec<(FaultKind, ReviewFile, String)>),
}

/// What is found while a part is looked at.
struct Looked<'a> {
    found: &'a Found,
    /// Whether this very program wrote it.
    is_ours: bool,
    /// Records of each file that was made again.
    rows: Vec<(&'static str, Option<u64>)>,
    otherwise: Vec<(FaultKind, ReviewFile, String)>,
    not_seen: Vec<String>,
}

impl Looked<'_> {
    fn otherwise(&mut self, kind: FaultKind, file: ReviewFile, text: impl Into<String>) {
        self.otherwise.push((kind, file, text.into()));
    }

    /// Holds a file against the same made again.
    fn made_again(&mut self, made: &ReviewDataFile, from: &str) {
        self.rows.push((made.file.name(), made.rows));
        let sha256 = sha256_hex(&made.bytes);
        if self.found.sums.get(made.file.name()) != Some(&sha256) {
            let text = format!("made again from {from}, the file has other content");
            self.otherwise(FaultKind::JudgedOtherwise, made.file, text);
        }
    }

    fn held(self) -> Held {
        if !self.otherwise.is_empty() {
            return Held::Otherwise(self.otherwise);
        }
        match self.not_seen.is_empty() {
            true => Held::Same,
            false => Held::InPart(self.not_seen.join("; ")),
        }
    }
}

/// Holds a part that is sound in itself against what it was made from.
pub(super) async fn hold(
    of: &Part<'_>,
    manifest: &ReviewManifest,
    found: &Found,
    judges: &Judges,
) -> Result<Held, StoreError> {
    let is_ours = of.tool.is_surely(&manifest.tool);
    let mut looked = Looked {
        found,
        is_ours,
        rows: Vec::new(),
        otherwise: Vec::new(),
        not_seen: Vec::new(),
    };
    if !is_ours {
        let tool = &manifest.tool;
        looked.not_seen.push(format!(
            "pages, spreadsheet and words are of version {} ({}), and not made again",
            tool.version, tool.commit
        ));
    }
    match of.part {
        ReviewPart::Open => opened(of, manifest, judges, &mut looked).await?,
        ReviewPart::Close => closed(of, manifest, judges, &mut looked).await?,
    }
    Ok(looked.held())
}

/// The worksheet: its rows are those of the night, compared with the review before.
async fn opened(
    of: &Part<'_>,
    manifest: &ReviewManifest,
    judges: &Judges,
    looked: &mut Looked<'_>,
) -> Result<(), StoreError> {
    let stored = looked.found.get(ReviewFile::WorksheetJson.name());
    let worksheet = stored.map(|bytes| Worksheet::from_bytes(bytes));
    let worksheet = match worksheet {
        Some(Ok(worksheet)) if worksheet.schema == Worksheet::schema() => worksheet,
        Some(Ok(_)) => {
            let text = "its worksheet is of a form that this version does not know";
            looked.not_seen.push(text.to_owned());
            return Ok(());
        }
        Some(Err(error)) => {
            let text = format!("it is no worksheet: {error}");
            looked.otherwise(FaultKind::Disagreement, ReviewFile::WorksheetJson, text);
            return Ok(());
        }
        None => return Ok(()),
    };
    let from_itself = "worksheet.json";
    let (file, sha256) = worksheet.to_file();
    let csv = worksheet.csv(&sha256);
    looked.made_again(&csv, from_itself);
    if looked.is_ours {
        looked.made_again(&file, "what it says");
        let html = ReviewDataFile {
            file: ReviewFile::WorksheetHtml,
            bytes: review::worksheet_page(&worksheet, &sha256, &manifest.origin),
            rows: Some(worksheet.rows.len() as u64),
        };
        looked.made_again(&html, from_itself);
        drop((file, csv, html));
        match worksheet.xlsx(&sha256) {
            Ok(xlsx) => looked.made_again(&xlsx, from_itself),
            Err(_) => {
                let text = "its spreadsheet could not be made again";
                looked.not_seen.push(text.to_owned());
            }
        }
    }

    let night = frozen(of, judges, &manifest.night).await?;
    let Some(ReviewedNight {
        head,
        accounts,
        owners,
    }) = night
    else {
        let text = format!(
            "the files of its night, entry {}, are not at hand or not sound",
            manifest.night.sequence
        );
        looked.not_seen.push(text);
        return Ok(());
    };
    let compared = match before(of, judges, of.stored.entry.sequence).await? {
        Ok(before) => before,
        Err(why) => {
            looked.not_seen.push(why);
            return Ok(());
        }
    };
    let reviewers = worksheet.reviewers.as_ref();
    let scope = manifest.review.scope;
    let (rows, left_out) = frozen_rows(accounts, scope, compared.as_ref(), reviewers, &owners);
    let mut differences = Differences::default();
    match rows {
        Ok(rows) => of_rows(&rows, &worksheet.rows, looked.is_ours, &mut differences),
        Err(accounts) => accounts.iter().for_each(|account| {
            let text = format!("nobody but its owner could decide about account {account}");
            differences.add(text);
        }),
    }
    let review = &manifest.review;
    let compared_with = compared.map(|before| before.id);
    for (what, is_same) in [
        ("review", worksheet.review == review.id),
        ("name", worksheet.name == review.name),
        ("due", worksheet.due == review.due),
        ("scope", worksheet.scope == review.scope),
        ("opened_at", worksheet.opened_at == review.at),
        (
            "connection",
            worksheet.connection == of.stored.entry.connection,
        ),
        (
            "workspace",
            worksheet.workspace == head.population.workspace,
        ),
        ("night", worksheet.night == manifest.night),
        ("night_as_of", worksheet.night_as_of == head.as_of),
        ("compared_with", worksheet.compared_with == compared_with),
        ("left_out", worksheet.left_out == left_out),
    ] {
        if !is_same {
            differences.add(format!("{what} is another"));
        }
    }
    if let Some(text) = differences.told() {
        let text = format!("derived again from the night it reviews: {text}");
        looked.otherwise(FaultKind::JudgedOtherwise, ReviewFile::WorksheetJson, text);
    }
    let origin = &head.population.origin;
    let made =
        |files| ReviewManifest::opened(&manifest.frame(), &worksheet, &sha256, origin, files);
    of_manifest(manifest, made, looked);
    Ok(())
}

/// What was decided: about every row of the worksheet, by whom it may be.
async fn closed(
    of: &Part<'_>,
    manifest: &ReviewManifest,
    judges: &Judges,
    looked: &mut Looked<'_>,
) -> Result<(), StoreError> {
    let review = looked.found.get(ReviewFile::Review.name());
    let Some(Ok(closed)) = review.map(|bytes| serde_json::from_slice::<ReviewClosed>(bytes)) else {
        return Ok(());
    };
    let Some(worksheet) = worksheet(of, manifest).await? else {
        let text = "the worksheet that it decides about is not at hand or not sound";
        looked.not_seen.push(text.to_owned());
        return Ok(());
    };
    let owners = match frozen(of, judges, &worksheet.night).await? {
        Some(night) => night.owners,
        None => {
            let text = "its night is not at hand or not sound: owners are known by the addresses of the rows alone";
            looked.not_seen.push(text.to_owned());
            Owners::default()
        }
    };
    let mut differences = Differences::default();
    of_decisions(&closed, &worksheet, &owners, &mut differences);
    if let Some(text) = differences.told() {
        let text = format!("it and the worksheet do not say the same: {text}");
        looked.otherwise(FaultKind::Disagreement, ReviewFile::Review, text);
    }
    let from_itself = "review.json";
    let csv = closed.csv(&worksheet);
    looked.made_again(&csv, from_itself);
    if looked.is_ours {
        let file = closed.to_file();
        looked.made_again(&file, "what it says");
        let page = review::closed_review(&review::Closed {
            worksheet: &worksheet,
            closed: &closed,
            reasons: &closed.reasons(),
            tool: &manifest.tool,
            origin: &manifest.origin,
            revocations_due: closed.revocations_due.unwrap_or(closed.closed_at),
        });
        let page = ReviewDataFile {
            file: ReviewFile::Report,
            bytes: page,
            rows: None,
        };
        looked.made_again(&page, from_itself);
    }
    let made = |files| {
        let frame = manifest.frame();
        let (origin, reasons) = (&manifest.origin, closed.reasons());
        ReviewManifest::closed(&frame, &worksheet, &closed, origin, reasons, files)
    };
    of_manifest(manifest, made, looked);
    Ok(())
}

/// A manifest against the same made again; of another version, but for its words.
fn of_manifest(
    manifest: &ReviewManifest,
    made: impl FnOnce(Vec<FileRecord>) -> ReviewManifest,
    looked: &mut Looked<'_>,
) {
    // What it says of the files has been held against them, but for the records in each.
    let mut files = manifest.files.clone();
    for (name, rows) in &looked.rows {
        if let Some(file) = files.iter_mut().find(|file| file.name == *name) {
            file.rows = *rows;
        }
    }
    let made = made(files);
    if looked.is_ours {
        let (file, _) = made.to_file();
        looked.made_again(&file, "the files it describes");
        return;
    }
    let is_word = |key: &str| WORDS_OF_A_MANIFEST.contains(&key);
    let apart = apart(&made, manifest, is_word);
    if !apart.is_empty() {
        let text = format!("it and its files do not say the same: {}", apart.join(", "));
        looked.otherwise(FaultKind::Disagreement, ReviewFile::Manifest, text);
    }
}

/// Differences, of which the first are told.
#[derive(Default)]
struct Differences {
    told: Vec<String>,
    more: usize,
}

impl Differences {
    fn add(&mut self, text: String) {
        match self.told.len() < TOLD {
            true => self.told.push(text),
            false => self.more += 1,
        }
    }

    fn told(&self) -> Option<String> {
        let text = self.told.join("; ");
        match (self.told.is_empty(), self.more) {
            (true, _) => None,
            (false, 0) => Some(text),
            (false, more) => Some(format!("{text}; and {more} more")),
        }
    }
}

/// The keys of two records in which they differ as they are written.
fn apart<T: Serialize>(one: &T, other: &T, is_left_out: impl Fn(&str) -> bool) -> Vec<String> {
    let keys = |of: &T| match serde_json::to_value(of) {
        Ok(Value::Object(keys)) => keys,
        Ok(_) | Err(_) => Map::new(),
    };
    let (one, other) = (keys(one), keys(other));
    let mut all: Vec<&String> = one.keys().chain(other.keys()).collect();
    all.sort();
    all.dedup();
    let differ = |key: &&&String| one.get(key.as_str()) != other.get(key.as_str());
    let differ = all.iter().filter(differ).map(|key| (*key).clone());
    differ.filter(|key| !is_left_out(key)).collect()
}

/// The rows that a night gives against those that were frozen. No names are told.
fn of_rows(
    derived: &[FrozenRow],
    stored: &[FrozenRow],
    with_words: bool,
    differences: &mut Differences,
) {
    if derived.len() != stored.len() {
        let (one, other) = (derived.len(), stored.len());
        differences.add(format!("there are {one} rows, and not {other}"));
    }
    let is_left_out = |key: &str| !with_words && WORDS_OF_A_ROW.contains(&key);
    for (derived, stored) in derived.iter().zip(stored) {
        if derived.account_id != stored.account_id {
            // All that follow are out of place.
            let (row, account) = (stored.row, &derived.account_id);
            differences.add(format!("row {row} is account {account}"));
            return;
        }
        let apart = apart(derived, stored, is_left_out);
        if !apart.is_empty() {
            differences.add(format!(
                "row {} has another {}",
                stored.row,
                apart.join(", ")
            ));
        }
    }
}

/// What was decided against the rows it is about.
fn of_decisions(
    closed: &ReviewClosed,
    worksheet: &Worksheet,
    owners: &Owners,
    differences: &mut Differences,
) {
    for (what, is_same) in [
        ("schema", closed.schema == ReviewClosed::schema()),
        ("review", closed.review == worksheet.review),
        ("name", closed.name == worksheet.name),
        ("due", closed.due == worksheet.due),
        ("scope", closed.scope == worksheet.scope),
        ("opened_at", closed.opened_at == worksheet.opened_at),
        ("night", closed.night == worksheet.night),
        (
            "reviewers",
            closed.reviewers == ByReviewer::of(&closed.rows),
        ),
    ] {
        if !is_same {
            differences.add(format!("{what} is another"));
        }
    }
    if closed.accepted_incomplete.is_some() == closed.complete {
        let text =
            "a reason to close it incomplete is told, and it is complete; or the other way round";
        differences.add(text.to_owned());
    }
    if closed.closed_at < closed.opened_at {
        differences.add("it was closed before it was opened".to_owned());
    }
    if closed.rows.len() != worksheet.rows.len() {
        let (one, other) = (worksheet.rows.len(), closed.rows.len());
        differences.add(format!("there are {one} rows, and not {other}"));
    }
    let mut decisions = vec![0; closed.decision_files.len()];
    let mut lines = std::collections::BTreeSet::new();
    let undecided = undecided_rows(worksheet, closed.reassigned.as_ref(), owners);
    let rows = closed.rows.iter().zip(&worksheet.rows).zip(undecided);
    for ((row, frozen), undecided) in rows {
        let copied = ClosedRow {
            decided_by: row.decided_by.clone(),
            decision: row.decision,
            new_role: row.new_role.clone(),
            note: row.note.clone(),
            decided_at: row.decided_at,
            source: row.source,
            ..undecided
        };
        let apart = apart(&copied, row, |_| false);
        if !apart.is_empty() {
            differences.add(format!(
                "row {} has another {}",
                frozen.row,
                apart.join(", ")
            ));
        }
        if let Err(text) = row.ensure_in_order(frozen, owners) {
            differences.add(text);
        }
        if row.decision.is_none() {
            continue;
        }
        let file = row.source.and_then(|(file, _)| {
            let at = usize::try_from(file).ok()?.checked_sub(1)?;
            decisions.get_mut(at)
        });
        match file {
            Some(count) if lines.insert(row.source) => *count += 1,
            Some(_) => differences.add(format!("row {} is decided by another's line", frozen.row)),
            None => differences.add(format!("row {} was decided in no file", frozen.row)),
        }
    }
    let counted = closed.decision_files.iter().map(|file| file.decisions);
    if !counted.eq(decisions) {
        differences.add("its files hold another number of decisions".to_owned());
    }
}

/// A file of a committed folder, if the entry still vouches for it.
async fn committed(
    of: &Part<'_>,
    known: &Known,
    file: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let run = &known.at.run;
    let read = async |file: &str| {
        let name = of.connection.committed_file(run, file);
        match name.filter(|name| is_name(name)) {
            Some(name) => of.stored.store.read_again(&name).await,
            None => Ok(None),
        }
    };
    let sums = read(&RunFile::Sums.name()).await?;
    let sums = sums.filter(|sums| sha256_hex(sums) == known.sums_sha256);
    let Some(sha256) = sums.and_then(|sums| sums_of(&sums)?.remove(file)) else {
        return Ok(None);
    };
    let bytes = read(file).await?;
    Ok(bytes.filter(|bytes| sha256_hex(bytes) == sha256))
}

/// The night that a review names, as it is stored.
async fn frozen(
    of: &Part<'_>,
    judges: &Judges,
    night: &RunRef,
) -> Result<Option<ReviewedNight>, StoreError> {
    let Some(known) = judges.entry(night) else {
        return Ok(None);
    };
    let mut files = Vec::new();
    for file in ReviewedNight::FILES {
        match committed(of, known, &file.name()).await? {
            Some(bytes) => files.push(bytes),
            None => return Ok(None),
        }
    }
    let [facts, accounts, hr] = &files[..] else {
        return Ok(None);
    };
    Ok(ReviewedNight::of([facts, accounts, hr]).ok())
}

/// The worksheet that a closed review decides about: the manifest names its hash.
async fn worksheet(
    of: &Part<'_>,
    manifest: &ReviewManifest,
) -> Result<Option<Worksheet>, StoreError> {
    let Some(part) = ReviewFolder::of(&manifest.review.id, ReviewPart::Open) else {
        return Ok(None);
    };
    let name = of.connection.review_file(&part, ReviewFile::WorksheetJson);
    let bytes = of.stored.store.read_again(&name).await?;
    let bytes = bytes.filter(|bytes| sha256_hex(bytes) == manifest.review.sha256);
    Ok(bytes.and_then(|bytes| Worksheet::from_bytes(&bytes).ok()))
}

/// The reviews that were closed before an entry, back to the last of everybody; or why one is not at hand.
async fn before(
    of: &Part<'_>,
    judges: &Judges,
    sequence: u64,
) -> Result<Result<Option<Before>, String>, StoreError> {
    let mut before: Option<Before> = None;
    let mut sequence = sequence;
    loop {
        let close = match judges.closed_last(sequence) {
            Ok(Some(close)) => close,
            Ok(None) => return Ok(Ok(before)),
            Err(why) => return Ok(Err(why)),
        };
        sequence = close.at.sequence;
        let Some((closed, worksheet)) = earlier(of, judges, close).await? else {
            return Ok(Err(format!(
                "the review that it is compared with, closed by entry {sequence}, is not at hand or not sound"
            )));
        };
        match &mut before {
            None => before = Some(Before::of(worksheet, &closed)),
            Some(before) => before.add(worksheet, &closed),
        }
        if closed.is_of_all() {
            return Ok(Ok(before));
        }
    }
}

/// A review that was closed, with what it was opened with.
async fn earlier(
    of: &Part<'_>,
    judges: &Judges,
    close: &Known,
) -> Result<Option<(ReviewClosed, Worksheet)>, StoreError> {
    let review = committed(of, close, ReviewFile::Review.name()).await?;
    let closed: Option<ReviewClosed> =
        review.and_then(|review| serde_json::from_slice(&review).ok());
    let Some(closed) = closed else {
        return Ok(None);
    };
    let Some(opened) = judges.entry(&closed.opened) else {
        return Ok(None);
    };
    let worksheet = committed(of, opened, ReviewFile::WorksheetJson.name()).await?;
    let worksheet = worksheet.and_then(|bytes| Worksheet::from_bytes(&bytes).ok());
    Ok(worksheet.map(|worksheet| (closed, worksheet)))
}
