//! Compares a part of a review with its sources: the worksheet with the frozen run and the review before, the
//! decisions with the worksheet, and every other file with its data.
//!
//! Population and decisions are compared whatever version wrote them. Words, pages and the spreadsheet can be
//! recomputed only by the program that wrote them. Worksheets are read when they are needed, and none is held.

use serde::Serialize;
use serde_json::{Map, Value};

use super::FaultKind;
use super::committed::Found;
use super::recompute::{Known, Recompute};
use super::reviews::Part;
use crate::evidence::{
    Before, ByReviewer, ClosedRow, FileRecord, FrozenRow, Owners, ReviewClosed, ReviewDataFile,
    ReviewFile, ReviewFolder, ReviewManifest, ReviewPart, ReviewedNight, RunFile, Worksheet,
    frozen_rows, sha256_hex, sums_of, undecided_rows,
};
use crate::judgement::RunRef;
use crate::report;
use crate::store::{StoreError, is_name};

/// So many differences are listed one by one.
const LISTED: usize = 3;

/// Fields that each version words differently, and the reminder of an earlier decision.
const WORDS_OF_A_ROW: [&str; 5] = [
    "changed",
    "previous_decision",
    "recommended",
    "reason",
    "assigned_by",
];
const WORDS_OF_A_MANIFEST: [&str; 2] = ["controls", "reasons"];

/// How comparing a part with its sources came out.
pub(super) enum Compared {
    /// The same.
    Same,
    /// The same as far as could be checked here, and why no further; no fault.
    InPart(String),
    /// These files differ.
    Differs(Vec<(FaultKind, ReviewFile, String)>),
}

/// What is found while a part is compared.
struct Comparison<'a> {
    found: &'a Found,
    /// Whether this very program wrote it.
    is_ours: bool,
    /// Records of each file that was recomputed.
    rows: Vec<(&'static str, Option<u64>)>,
    differing: Vec<(FaultKind, ReviewFile, String)>,
    unchecked: Vec<String>,
}

impl Comparison<'_> {
    fn differs(&mut self, kind: FaultKind, file: ReviewFile, text: impl Into<String>) {
        self.differing.push((kind, file, text.into()));
    }

    /// Compares a file with the same file recomputed.
    fn recomputed(&mut self, made: &ReviewDataFile, from: &str) {
        self.rows.push((made.file.name(), made.rows));
        let sha256 = sha256_hex(&made.bytes);
        if self.found.sums.get(made.file.name()) != Some(&sha256) {
            let text = format!("recomputed from {from}, the file has other content");
            self.differs(FaultKind::ReviewDiffers, made.file, text);
        }
    }

    fn end(self) -> Compared {
        if !self.differing.is_empty() {
            return Compared::Differs(self.differing);
        }
        match self.unchecked.is_empty() {
            true => Compared::Same,
            false => Compared::InPart(self.unchecked.join("; ")),
        }
    }
}

/// Compares a part without faults with its sources.
pub(super) async fn compare(
    of: &Part<'_>,
    manifest: &ReviewManifest,
    found: &Found,
    recompute: &Recompute,
) -> Result<Compared, StoreError> {
    let is_ours = of.tool.is_surely(&manifest.tool);
    let mut looked = Comparison {
        found,
        is_ours,
        rows: Vec::new(),
        differing: Vec::new(),
        unchecked: Vec::new(),
    };
    if !is_ours {
        let tool = &manifest.tool;
        looked.unchecked.push(format!(
            "pages, spreadsheet and wording are of version {} ({}) and were not recomputed",
            tool.version, tool.commit
        ));
    }
    match of.part {
        ReviewPart::Open => opened(of, manifest, recompute, &mut looked).await?,
        ReviewPart::Close => closed(of, manifest, recompute, &mut looked).await?,
    }
    Ok(looked.end())
}

/// The worksheet: its rows are those of the run, compared with the review before.
async fn opened(
    of: &Part<'_>,
    manifest: &ReviewManifest,
    recompute: &Recompute,
    looked: &mut Comparison<'_>,
) -> Result<(), StoreError> {
    let stored = looked.found.get(ReviewFile::WorksheetJson.name());
    let worksheet = stored.map(|bytes| Worksheet::from_bytes(bytes));
    let worksheet = match worksheet {
        Some(Ok(worksheet)) if worksheet.schema == Worksheet::schema() => worksheet,
        Some(Ok(_)) => {
            let text = "this version does not know the form of its worksheet";
            looked.unchecked.push(text.to_owned());
            return Ok(());
        }
        Some(Err(error)) => {
            let text = format!("it cannot be read as a worksheet: {error}");
            looked.differs(FaultKind::Disagreement, ReviewFile::WorksheetJson, text);
            return Ok(());
        }
        None => return Ok(()),
    };
    let from_itself = "worksheet.json";
    let (file, sha256) = worksheet.to_file();
    let csv = worksheet.csv(&sha256);
    looked.recomputed(&csv, from_itself);
    if looked.is_ours {
        looked.recomputed(&file, "its own data");
        let html = ReviewDataFile {
            file: ReviewFile::WorksheetHtml,
            bytes: report::worksheet(&worksheet, &sha256, &manifest.origin),
            rows: Some(worksheet.rows.len() as u64),
        };
        looked.recomputed(&html, from_itself);
        drop((file, csv, html));
        match worksheet.xlsx(&sha256) {
            Ok(xlsx) => looked.recomputed(&xlsx, from_itself),
            Err(_) => {
                let text = "its spreadsheet could not be recomputed";
                looked.unchecked.push(text.to_owned());
            }
        }
    }

    let night = frozen(of, recompute, &manifest.night).await?;
    let Some(ReviewedNight {
        head,
        accounts,
        owners,
    }) = night
    else {
        let text = format!(
            "the files of its run, entry {}, are missing or have faults",
            manifest.night.sequence
        );
        looked.unchecked.push(text);
        return Ok(());
    };
    let compared = match before(of, recompute, of.stored.entry.sequence).await? {
        Ok(before) => before,
        Err(why) => {
            looked.unchecked.push(why);
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
            let text = format!("only its owner could decide about account {account}");
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
            differences.add(format!("{what} differs"));
        }
    }
    if let Some(text) = differences.as_text() {
        let text = format!("recomputed from the run that it reviews: {text}");
        looked.differs(FaultKind::ReviewDiffers, ReviewFile::WorksheetJson, text);
    }
    let origin = &head.population.origin;
    let made =
        |files| ReviewManifest::opened(&manifest.frame(), &worksheet, &sha256, origin, files);
    of_manifest(manifest, made, looked);
    Ok(())
}

/// The decisions: one for each row of the worksheet, by someone who may decide it.
async fn closed(
    of: &Part<'_>,
    manifest: &ReviewManifest,
    recompute: &Recompute,
    looked: &mut Comparison<'_>,
) -> Result<(), StoreError> {
    let review = looked.found.get(ReviewFile::Review.name());
    let Some(Ok(closed)) = review.map(|bytes| serde_json::from_slice::<ReviewClosed>(bytes)) else {
        return Ok(());
    };
    let Some(worksheet) = worksheet(of, manifest).await? else {
        let text = "its worksheet is missing or has faults";
        looked.unchecked.push(text.to_owned());
        return Ok(());
    };
    let owners = match frozen(of, recompute, &worksheet.night).await? {
        Some(night) => night.owners,
        None => {
            let text = "its run is missing or has faults, so owners are known only by the addresses in the rows";
            looked.unchecked.push(text.to_owned());
            Owners::default()
        }
    };
    let mut differences = Differences::default();
    of_decisions(&closed, &worksheet, &owners, &mut differences);
    if let Some(text) = differences.as_text() {
        let text = format!("it and the worksheet disagree: {text}");
        looked.differs(FaultKind::Disagreement, ReviewFile::Review, text);
    }
    let from_itself = "review.json";
    let csv = closed.csv(&worksheet);
    looked.recomputed(&csv, from_itself);
    if looked.is_ours {
        let file = closed.to_file();
        looked.recomputed(&file, "its own data");
        let page = report::closed_review(&report::Closed {
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
        looked.recomputed(&page, from_itself);
    }
    let made = |files| {
        let frame = manifest.frame();
        let (origin, reasons) = (&manifest.origin, closed.reasons());
        ReviewManifest::closed(&frame, &worksheet, &closed, origin, reasons, files)
    };
    of_manifest(manifest, made, looked);
    Ok(())
}

/// Compares a manifest with the same one recomputed; of another version, except for its wording.
fn of_manifest(
    manifest: &ReviewManifest,
    made: impl FnOnce(Vec<FileRecord>) -> ReviewManifest,
    looked: &mut Comparison<'_>,
) {
    // Its list of files has been compared with them, except for the number of records.
    let mut files = manifest.files.clone();
    for (name, rows) in &looked.rows {
        if let Some(file) = files.iter_mut().find(|file| file.name == *name) {
            file.rows = *rows;
        }
    }
    let made = made(files);
    if looked.is_ours {
        let (file, _) = made.to_file();
        looked.recomputed(&file, "the files it describes");
        return;
    }
    let is_word = |key: &str| WORDS_OF_A_MANIFEST.contains(&key);
    let apart = apart(&made, manifest, is_word);
    if !apart.is_empty() {
        let text = format!("it and its files disagree: {}", apart.join(", "));
        looked.differs(FaultKind::Disagreement, ReviewFile::Manifest, text);
    }
}

/// Differences, of which the first are listed.
#[derive(Default)]
struct Differences {
    listed: Vec<String>,
    more: usize,
}

impl Differences {
    fn add(&mut self, text: String) {
        match self.listed.len() < LISTED {
            true => self.listed.push(text),
            false => self.more += 1,
        }
    }

    fn as_text(&self) -> Option<String> {
        let text = self.listed.join("; ");
        match (self.listed.is_empty(), self.more) {
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

/// Compares the rows that the run yields with the frozen ones. No names are printed.
fn of_rows(
    derived: &[FrozenRow],
    stored: &[FrozenRow],
    with_words: bool,
    differences: &mut Differences,
) {
    if derived.len() != stored.len() {
        let (one, other) = (derived.len(), stored.len());
        differences.add(format!("{one} rows are expected, and there are {other}"));
    }
    let is_left_out = |key: &str| !with_words && WORDS_OF_A_ROW.contains(&key);
    for (derived, stored) in derived.iter().zip(stored) {
        if derived.account_id != stored.account_id {
            // All that follow are out of place.
            let (row, account) = (stored.row, &derived.account_id);
            differences.add(format!("row {row} should be account {account}"));
            return;
        }
        let apart = apart(derived, stored, is_left_out);
        if !apart.is_empty() {
            differences.add(format!(
                "row {} differs in {}",
                stored.row,
                apart.join(", ")
            ));
        }
    }
}

/// Compares the decisions with the rows that they are about.
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
            differences.add(format!("{what} differs"));
        }
    }
    if closed.accepted_incomplete.is_some() == closed.complete {
        let text = "whether it is complete contradicts the reason for closing it incomplete";
        differences.add(text.to_owned());
    }
    if closed.closed_at < closed.opened_at {
        differences.add("it was closed before it was opened".to_owned());
    }
    if closed.rows.len() != worksheet.rows.len() {
        let (one, other) = (worksheet.rows.len(), closed.rows.len());
        differences.add(format!("{one} rows are expected, and there are {other}"));
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
                "row {} differs in {}",
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
            Some(_) => differences.add(format!(
                "row {} is decided by the line of another row",
                frozen.row
            )),
            None => differences.add(format!(
                "row {} has a decision that is in no decision file",
                frozen.row
            )),
        }
    }
    let counted = closed.decision_files.iter().map(|file| file.decisions);
    if !counted.eq(decisions) {
        differences.add("the number of decisions in its files differs".to_owned());
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

/// The run that a review names, as it is stored.
async fn frozen(
    of: &Part<'_>,
    recompute: &Recompute,
    night: &RunRef,
) -> Result<Option<ReviewedNight>, StoreError> {
    let Some(known) = recompute.entry(night) else {
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

/// The reviews that were closed before an entry, back to the last one of all accounts; or why one is missing.
async fn before(
    of: &Part<'_>,
    recompute: &Recompute,
    sequence: u64,
) -> Result<Result<Option<Before>, String>, StoreError> {
    let mut before: Option<Before> = None;
    let mut sequence = sequence;
    loop {
        let close = match recompute.closed_last(sequence) {
            Ok(Some(close)) => close,
            Ok(None) => return Ok(Ok(before)),
            Err(why) => return Ok(Err(why)),
        };
        sequence = close.at.sequence;
        let Some((closed, worksheet)) = earlier(of, recompute, close).await? else {
            return Ok(Err(format!(
                "the review before, closed by entry {sequence}, is missing or has faults"
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
    recompute: &Recompute,
    close: &Known,
) -> Result<Option<(ReviewClosed, Worksheet)>, StoreError> {
    let review = committed(of, close, ReviewFile::Review.name()).await?;
    let closed: Option<ReviewClosed> =
        review.and_then(|review| serde_json::from_slice(&review).ok());
    let Some(closed) = closed else {
        return Ok(None);
    };
    let Some(opened) = recompute.entry(&closed.opened) else {
        return Ok(None);
    };
    let worksheet = committed(of, opened, ReviewFile::WorksheetJson.name()).await?;
    let worksheet = worksheet.and_then(|bytes| Worksheet::from_bytes(&bytes).ok());
    Ok(worksheet.map(|worksheet| (closed, worksheet)))
}
