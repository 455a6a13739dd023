//! The files from reviewers, compared strictly with the frozen rows. All faults are reported at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::{Deserialize, Deserializer};

use super::files::InputFile;
use super::reviewers::person;
use super::table::{self, Columns, DecisionTable, TableRow};
use super::{FileFault, FileName, Frozen};
use crate::evidence::{ReceivedKind, ReviewFile};
use crate::files;
use crate::judgement::Decision;
use crate::model::{EmailAddress, Role, counted, trim};
use crate::review::{
    COLUMNS, ClosedRow, DecisionFile, DecisionFormat, Eligibility, FrozenRow, ReceivedFile,
    ReviewerFile, Rules, undecided_rows,
};

/// The `schema` of the file that the page saves.
const PAGE_SCHEMA: &str = "asana-access-review/decisions/v1";

/// The decisions of all files.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Every row, decided or not.
    pub(super) rows: Vec<ClosedRow>,
    pub(super) files: Vec<DecisionFile>,
    pub(super) faults: Vec<FileFault>,
    /// Decisions whose time is before the opening or after the closing.
    pub(super) impossible_times: usize,
    /// Late decisions of reviewers who have left, about rows that another person decides.
    pub(super) skipped: usize,
}

impl Gathered {
    /// Sentences about lines that count differently from what they claim.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.impossible_times > 0 {
            notes.push(format!(
                "{} a time before the opening or after the closing, so the time of the closing counts",
                counted(self.impossible_times, "decision has", "decisions have")
            ));
        }
        if self.skipped > 0 {
            notes.push(format!(
                "{} skipped: the reviewer has left, according to HR, and another person decides the row",
                counted(self.skipped, "decision was", "decisions were")
            ));
        }
        notes
    }
}

/// A line with a decision. The page writes the fields that serde reads.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    #[serde(skip)]
    line: u64,
    #[serde(deserialize_with = "as_text")]
    row: String,
    account_id: String,
    #[serde(skip)]
    email: String,
    decision: String,
    #[serde(deserialize_with = "text_or_none")]
    new_role: String,
    note: String,
    #[serde(skip)]
    decided_by: String,
    #[serde(skip)]
    review_sha256: String,
    decided_at: String,
    #[serde(skip)]
    fault: Option<String>,
}

fn as_text<'de, D: Deserializer<'de>>(number: D) -> Result<String, D::Error> {
    u32::deserialize(number).map(|number| number.to_string())
}

fn text_or_none<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    Option::deserialize(text).map(Option::unwrap_or_default)
}

/// Reads every file, and compares each line with the frozen rows.
pub(super) fn gather(
    frozen: &Frozen,
    rules: &Rules<'_>,
    reassigned: Option<&ReviewerFile>,
    given: &[InputFile],
) -> Gathered {
    let mut gathered = Gathered {
        rows: undecided_rows(&frozen.worksheet, reassigned, rules.owners),
        files: Vec::new(),
        faults: Vec::new(),
        impossible_times: 0,
        skipped: 0,
    };
    if let Some(file) = reassigned {
        let left = file.lines_by(Eligibility::HasLeft, rules.owners, rules.closed_at);
        gathered.faults.extend(left.into_iter().map(|line| {
            let text = "the new reviewer has left, according to HR";
            FileFault::new(&FileName::of(&file.file), line, text)
        }));
    }
    let mut decided: HashMap<usize, (&FileName, u64)> = HashMap::new();
    for (number, file) in (1u32..).zip(given) {
        let (format, claims) = match claims(file) {
            Ok(read) => read,
            Err(fault) => {
                gathered.faults.push(fault);
                continue;
            }
        };
        if let Some(same) = given
            .iter()
            .take_while(|of| !std::ptr::eq(*of, file))
            .find(|of| of.bytes == file.bytes)
        {
            let text =
                |other: &str| format!("it has the same content as {other}: remove one of them");
            gathered.faults.push(FileFault {
                text_in_a_log: Some(text(&same.name.in_a_log)),
                ..FileFault::new(&file.name, None, text(&same.name.file))
            });
            continue;
        }
        let is_of_another =
            |claim: &Claim| !claim.review_sha256.eq_ignore_ascii_case(&frozen.sha256);
        if claims.len() > 1 && claims.iter().all(is_of_another) {
            let text = "it belongs to another review: every review hash differs or is blank";
            gathered.faults.push(FileFault::new(&file.name, None, text));
            continue;
        }
        let mut accepted = 0;
        for claim in claims {
            let fault = |text: String| FileFault::new(&file.name, claim.line, text);
            let (at, row) = match judged(frozen, rules, &gathered.rows, &claim) {
                Ok(Judged::Counts(at, row)) => (at, *row),
                Ok(Judged::Skipped) => {
                    gathered.skipped += 1;
                    continue;
                }
                Err(text) => {
                    gathered.faults.push(fault(text));
                    continue;
                }
            };
            if row.decided_at.is_none() && !claim.decided_at.is_empty() {
                gathered.impossible_times += 1;
            }
            match decided.entry(at) {
                Entry::Vacant(place) => {
                    place.insert((&file.name, claim.line));
                    let source = Some((number, claim.line));
                    gathered.rows[at] = ClosedRow { source, ..row };
                    accepted += 1;
                }
                Entry::Occupied(first) => {
                    let ((other, line), number) = (first.get(), row.row);
                    let word = |row: &ClosedRow| row.decision.map_or("", Decision::as_str);
                    let (here, there) = (word(&row), word(&gathered.rows[at]));
                    let text = |other| {
                        format!(
                            "row {number} is decided twice: here {here}, in line {line} of {other} {there}; \
                             remove the file that does not count"
                        )
                    };
                    gathered.faults.push(FileFault {
                        text_in_a_log: Some(text(&other.in_a_log)),
                        ..fault(text(&other.file))
                    });
                }
            }
        }
        let extension = match format {
            DecisionFormat::Csv => "csv",
            DecisionFormat::Xlsx => "xlsx",
            DecisionFormat::Page => "jsonl",
        };
        let at = gathered.files.len() + 1;
        let stored = ReviewFile::received(ReceivedKind::Decisions, at, extension);
        gathered.files.push(DecisionFile {
            received: ReceivedFile::of(file.name.file.clone(), stored, &file.bytes),
            format,
            decisions: accepted,
        });
    }
    for (who, row, rows) in rules.unknown_deciders(&gathered.rows) {
        let file = row
            .source
            .and_then(|(number, _)| usize::try_from(number).ok());
        let file = file.and_then(|number| given.get(number.checked_sub(1)?));
        let text = |address: &str| {
            format!(
                "neither Asana nor HR knows the person who decided {}: correct the address, or add \
                 --accept-reviewer {address}",
                counted(rows, "row", "rows")
            )
        };
        let name = file.map_or_else(|| FileName::of("decisions"), |file| file.name.clone());
        gathered.faults.push(FileFault {
            text_in_a_log: Some(text("ADDRESS")),
            ..FileFault::new(&name, None, text(who.as_written()))
        });
    }
    gathered
}

/// What a claim means.
enum Judged {
    /// The place of the row, and the row with its decision.
    Counts(usize, Box<ClosedRow>),
    /// A late decision of a reviewer who has left, about a row that another person decides.
    Skipped,
}

/// The row of a claim with its decision.
fn judged(
    of: &Frozen,
    rules: &Rules<'_>,
    rows: &[ClosedRow],
    claim: &Claim,
) -> Result<Judged, String> {
    if let Some(fault) = &claim.fault {
        return Err(fault.clone());
    }
    if !claim.review_sha256.eq_ignore_ascii_case(&of.sha256) {
        return Err("it belongs to another review: its review hash differs or is blank".to_owned());
    }
    let number = whole(&claim.row)
        .ok_or("its `row` is not a whole number, such as 7: copy the column from the worksheet")?;
    let frozen = of.worksheet.row(number);
    let frozen = frozen.ok_or_else(|| format!("this review has no row {number}"))?;
    let at = usize::try_from(number)
        .unwrap_or_default()
        .saturating_sub(1);
    if !is_account(&claim.account_id, &frozen.account_id) || !is_email(&claim.email, frozen) {
        return Err(format!(
            "row {number} is account {}, but the line has another account: the columns were sorted \
             separately, or a spreadsheet changed the id",
            frozen.account_id
        ));
    }
    let decision = Decision::parse(&claim.decision).ok_or_else(|| match &*claim.decision {
        "" => format!("row {number} has a note or a new role, but no decision"),
        _ => format!("row {number}: the decision must be keep, revoke, change_role or dont_know"),
    })?;
    let of_row = |wrong: &str| format!("row {number}: {wrong}");
    let role = Role::from(claim.new_role.to_ascii_lowercase());
    let role = Some(role).filter(|role| role.rank().is_some());
    let wrong = "the new role must be admin, member or guest";
    let new_role = if_filled(&claim.new_role, role, wrong).map_err(of_row)?;
    let (by, wrong) = (
        person(&claim.decided_by),
        "`decided_by` is not an e-mail address",
    );
    let by = if_filled(&claim.decided_by, by, wrong).map_err(of_row)?;
    let (decided_at, wrong) = (
        claim.decided_at.parse().ok(),
        "`decided_at` is not an instant",
    );
    let decided_at = if_filled(&claim.decided_at, decided_at, wrong).map_err(of_row)?;
    let decided_at = decided_at.filter(|at| rules.is_possible(*at));
    let row = ClosedRow {
        decided_by: by.or_else(|| rows[at].reviewer.clone()),
        decision: Some(decision),
        new_role,
        note: claim.note.clone(),
        decided_at,
        ..rows[at].clone()
    };
    if rules.is_of_replaced_leaver(&row, frozen) {
        return Ok(Judged::Skipped);
    }
    row.ensure_in_order(frozen, rules)?;
    Ok(Judged::Counts(at, Box::new(row)))
}

/// The value of a cell, unless it is blank.
fn if_filled<'w, T>(cell: &str, read: Option<T>, wrong: &'w str) -> Result<Option<T>, &'w str> {
    match read {
        None if !cell.is_empty() => Err(wrong),
        read => Ok(read),
    }
}

/// A whole number, also in the form of a spreadsheet: `7.0`. `1,000` is ambiguous and not a number.
fn whole(text: &str) -> Option<u32> {
    const THOUSAND: usize = 3;
    let digits = match text.split_once(['.', ',']) {
        Some((digits, zeros))
            if zeros.len() != THOUSAND && zeros.bytes().all(|byte| byte == b'0') =>
        {
            digits
        }
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok()
}

/// Whether a cell is blank, is the account's id, or is that id as a spreadsheet changes a long number: it keeps 15
/// digits, and shows fewer with an exponent.
fn is_account(cell: &str, account_id: &str) -> bool {
    const KEPT: usize = 15;
    // A spreadsheet shows six digits without trailing zeros; the format `0.00E+00` shows three.
    const LEAST_SHOWN: usize = 3;
    if cell.is_empty() || cell == account_id {
        return true;
    }
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(account_id) || account_id.len() < 12 {
        return false;
    }
    if is_number(cell) {
        return cell.len() == account_id.len()
            && cell.get(..KEPT) == account_id.get(..KEPT)
            && cell.bytes().skip(KEPT).all(|byte| byte == b'0');
    }
    let shown = cell.replace(',', ".").to_ascii_uppercase();
    let (Ok(number), Ok(id), true) = (
        shown.parse::<f64>(),
        account_id.parse::<f64>(),
        shown.contains('E'),
    ) else {
        return false;
    };
    let number = format!("{number:e}");
    let rounded = |digits: usize| format!("{id:.*e}", digits - 1).parse::<f64>();
    (LEAST_SHOWN..=KEPT).any(|digits| rounded(digits).is_ok_and(|id| format!("{id:e}") == number))
}

fn is_email(cell: &str, frozen: &FrozenRow) -> bool {
    cell.is_empty()
        || frozen.email.as_ref().is_some_and(|email| {
            cell == trim(email.as_written()) || EmailAddress::parse(cell).as_ref() == Some(email)
        })
}

const TABLE: Columns<'_> = Columns {
    known: &COLUMNS,
    required: &["row", "account_id", "decision", "note", "review_sha256"],
};

fn claims(file: &InputFile) -> Result<(DecisionFormat, Vec<Claim>), FileFault> {
    let failed = |text: String| FileFault::new(&file.name, None, text);
    if file.bytes.starts_with(b"PK\x03\x04") {
        // The first part of such a file is its type, which is not packed.
        const OPEN_DOCUMENT: &[u8] = b"mimetypeapplication/vnd.oasis.opendocument";
        const AT: usize = 30;
        if file.bytes[AT.min(file.bytes.len())..].starts_with(OPEN_DOCUMENT) {
            let text = "it is an OpenDocument file (.ods): save it as .xlsx or .csv";
            return Err(failed(text.to_owned()));
        }
        let table = table::xlsx(&file.bytes, TABLE).map_err(failed)?;
        return Ok((DecisionFormat::Xlsx, of_table(&table)));
    }
    if file.bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        let text = "it is an old spreadsheet (.xls), or has a password: save it as .xlsx without a password";
        return Err(failed(text.to_owned()));
    }
    let decoded = files::decode(file.bytes.clone()).map_err(failed)?;
    let text = decoded.text.trim_start_matches('\u{feff}');
    if !text.trim_ascii_start().starts_with('{') {
        let table = table::of_text(text, TABLE).map_err(failed)?;
        return Ok((DecisionFormat::Csv, of_table(&table)));
    }
    // The page writes UTF-8. An editor may save another form of Unicode.
    if !decoded.encoding.starts_with("UTF-") {
        let encoding = decoded.encoding;
        let text = format!("it is not UTF-8, but looks like {encoding}");
        return Err(failed(text));
    }
    Ok((DecisionFormat::Page, of_page(file, text)?))
}

fn of_table(table: &DecisionTable) -> Vec<Claim> {
    let claim = |row: &TableRow| {
        let cell = |name| table.cell(row, name).to_owned();
        // Some spreadsheets mark a number as text with an apostrophe, and others keep it.
        let number = |name| cell(name).trim_start_matches('\'').to_owned();
        Claim {
            line: row.line,
            row: number("row"),
            account_id: number("account_id"),
            email: cell("email"),
            decision: cell("decision"),
            new_role: cell("new_role"),
            note: cell("note"),
            decided_by: cell("decided_by"),
            review_sha256: cell("review_sha256"),
            // A spreadsheet has no instants: a reviewer could type any.
            decided_at: String::new(),
            fault: row.fault.clone(),
        }
    };
    // A row that the reviewer did not fill in has no claim.
    let is_filled = |claim: &Claim| {
        let cells = [&claim.decision, &claim.new_role, &claim.note];
        claim.fault.is_some() || cells.iter().any(|text| !text.is_empty())
    };
    table.rows.iter().map(claim).filter(is_filled).collect()
}

/// The file that the page saves: a head with the reviewer and the number of decisions, then one decision a line.
fn of_page(file: &InputFile, text: &str) -> Result<Vec<Claim>, FileFault> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct PageHead {
        schema: String,
        #[serde(rename = "review")]
        _review: String,
        review_sha256: String,
        reviewer: String,
        #[serde(rename = "exported_at")]
        _exported_at: String,
        decisions: usize,
    }
    let fault = |line, text: &str| FileFault::new(&file.name, line, text);
    let lines = (1u64..).zip(text.lines());
    let mut lines = lines.filter(|(_, line)| !trim(line).is_empty());
    let (first, head) = lines.next().unwrap_or((1, ""));
    let head: PageHead = serde_json::from_str(head)
        .map_err(|_| fault(Some(first), "it is not a file of the worksheet page"))?;
    if head.schema != PAGE_SCHEMA {
        let text = "this version does not support its schema";
        return Err(fault(Some(first), text));
    }
    let claim = |(number, line): (u64, &str)| {
        let claim = serde_json::from_str(line).unwrap_or_else(|_| Claim {
            fault: Some("it is not a decision of the worksheet page".to_owned()),
            ..Claim::default()
        });
        Claim {
            line: number,
            note: trim(&claim.note).to_owned(),
            decided_by: head.reviewer.clone(),
            review_sha256: head.review_sha256.clone(),
            ..claim
        }
    };
    let claims: Vec<Claim> = lines.map(claim).collect();
    let (expected, actual) = (head.decisions, claims.len());
    if actual != expected {
        let text = format!(
            "its head promises {}, but it has {actual}: it was cut or changed",
            counted(expected, "decision", "decisions")
        );
        return Err(fault(None, &text));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_a_spreadsheet_shortened_is_recognised() {
        let id = "1204556770001016";
        for cell in [
            "",
            id,
            "1.20456E+15",
            "1,20456E+15",
            "1204556770001010",
            "1,2046e15",
        ] {
            assert!(is_account(cell, id), "{cell}");
        }
        for cell in [
            "1204556880001016",
            "1204556770001020",
            "1.3E+15",
            "1E+15",
            "1.20459E+15",
            "ada",
            "7",
        ] {
            assert!(!is_account(cell, id), "{cell}");
        }
        assert!(!is_account("1002", "1001"));
        // Trailing zeros of the shown digits are omitted.
        assert!(is_account("1.2E+15", "1200000000000001"));
        assert!(is_account("1.20E+15", id) && !is_account("1.2E+14", "1200000000000001"));
    }

    #[test]
    fn a_row_is_named_by_a_whole_number() {
        assert_eq!(
            (whole("7"), whole("7.0"), whole("7,00")),
            (Some(7), Some(7), Some(7))
        );
        assert_eq!((whole("7.5"), whole("-1"), whole("")), (None, None, None));
        assert_eq!((whole("1,000"), whole("1.000")), (None, None));
    }
}
