//! What reviewers sent back, held against the frozen rows: strictly, and everything that is wrong at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::{Deserialize, Deserializer};

use super::files::Given;
use super::reviewers::person;
use super::table::{self, Columns, DecisionTable, TableRow};
use super::{FileFault, FileName, Frozen};
use crate::evidence::sha256_hex;
use crate::files;
use crate::judgement::Decision;
use crate::model::{EmailAddress, Role, trim};
use crate::review::{
    COLUMNS, ClosedRow, DecisionFile, DecisionFormat, FrozenRow, Owners, ReviewerFile,
    undecided_rows,
};

/// The `schema` of the file that the page saves.
const PAGE_SCHEMA: &str = "asana-access-review/decisions/v1";

/// What the files come to.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Every row, decided or not.
    pub(super) rows: Vec<ClosedRow>,
    pub(super) files: Vec<DecisionFile>,
    pub(super) faults: Vec<FileFault>,
}

/// A line of a file that decides something. The page writes the fields that are read.
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

/// Reads every file and holds each of its lines against the rows.
pub(super) fn gather(
    frozen: &Frozen,
    owners: &Owners,
    reassigned: Option<&ReviewerFile>,
    given: &[Given],
) -> Gathered {
    let mut gathered = Gathered {
        rows: undecided_rows(&frozen.worksheet, reassigned, owners),
        files: Vec::new(),
        faults: Vec::new(),
    };
    let mut decided: HashMap<usize, (&FileName, u64)> = HashMap::new();
    for (number, file) in (1u32..).zip(given) {
        let (format, claims) = match claims(file) {
            Ok(read) => read,
            Err(fault) => {
                gathered.faults.push(fault);
                continue;
            }
        };
        let mut accepted = 0;
        for claim in claims {
            let fault = |text: String| FileFault::new(&file.name, claim.line, text);
            let (at, row) = match judged(frozen, owners, &gathered.rows, &claim) {
                Ok(judged) => judged,
                Err(text) => {
                    gathered.faults.push(fault(text));
                    continue;
                }
            };
            match decided.entry(at) {
                Entry::Vacant(place) => {
                    place.insert((&file.name, claim.line));
                    let source = Some((number, claim.line));
                    gathered.rows[at] = ClosedRow { source, ..row };
                    accepted += 1;
                }
                Entry::Occupied(first) => {
                    let ((other, line), row) = (first.get(), row.row);
                    let text = |other| format!("row {row} is decided in {other}, line {line}, too");
                    gathered.faults.push(FileFault {
                        text_in_a_log: Some(text(&other.in_a_log)),
                        ..fault(text(&other.file))
                    });
                }
            }
        }
        gathered.files.push(DecisionFile {
            file: file.name.file.clone(),
            format,
            sha256: sha256_hex(&file.bytes),
            bytes: file.bytes.len() as u64,
            decisions: accepted,
        });
    }
    gathered
}

/// The row that a claim decides, with the decision, and its place.
fn judged(
    of: &Frozen,
    owners: &Owners,
    rows: &[ClosedRow],
    claim: &Claim,
) -> Result<(usize, ClosedRow), String> {
    if let Some(fault) = &claim.fault {
        return Err(fault.clone());
    }
    if !claim.review_sha256.eq_ignore_ascii_case(&of.sha256) {
        return Err("it is of another review: it bears another hash, or none".to_owned());
    }
    let number = whole(&claim.row).ok_or("it names no row by its number")?;
    let frozen = of.worksheet.row(number);
    let frozen = frozen.ok_or_else(|| format!("there is no row {number} in this review"))?;
    let at = usize::try_from(number)
        .unwrap_or_default()
        .saturating_sub(1);
    if !is_account(&claim.account_id, &frozen.account_id) || !is_email(&claim.email, frozen) {
        return Err(format!(
            "row {number} is account {}, and the line says otherwise: columns may have been sorted \
             apart, or a spreadsheet has changed the id",
            frozen.account_id
        ));
    }
    let decision = Decision::parse(&claim.decision).ok_or_else(|| match &*claim.decision {
        "" => format!("row {number} has a note or a new role, and no decision"),
        _ => format!("row {number}: the decision is none of keep, revoke, change_role, dont_know"),
    })?;
    let of_row = |wrong: &str| format!("row {number}: {wrong}");
    let role = Role::from(claim.new_role.to_ascii_lowercase());
    let role = Some(role).filter(|role| role.rank().is_some());
    let wrong = "the new role is none of admin, member, guest";
    let new_role = if_filled(&claim.new_role, role, wrong).map_err(of_row)?;
    let (by, wrong) = (
        person(&claim.decided_by),
        "`decided_by` is no e-mail address",
    );
    let by = if_filled(&claim.decided_by, by, wrong).map_err(of_row)?;
    let (decided_at, wrong) = (claim.decided_at.parse().ok(), "`decided_at` is no instant");
    let decided_at = if_filled(&claim.decided_at, decided_at, wrong).map_err(of_row)?;
    let row = ClosedRow {
        decided_by: by.or_else(|| rows[at].reviewer.clone()),
        decision: Some(decision),
        new_role,
        note: claim.note.clone(),
        decided_at,
        ..rows[at].clone()
    };
    row.ensure_in_order(frozen, owners)?;
    Ok((at, row))
}

/// What was read of a cell, if it is not blank.
fn if_filled<'w, T>(cell: &str, read: Option<T>, wrong: &'w str) -> Result<Option<T>, &'w str> {
    match read {
        None if !cell.is_empty() => Err(wrong),
        read => Ok(read),
    }
}

/// A whole number, also as a spreadsheet writes it: `7.0`. Not `1,000`: that may be one or a thousand.
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

/// Whether a cell is the account's id, is left blank, or is what a spreadsheet makes of a long number: it
/// keeps 15 digits, and shows fewer with an exponent.
fn is_account(cell: &str, account_id: &str) -> bool {
    const KEPT: usize = 15;
    // A spreadsheet shows six, and leaves out zeros at the end; the form `0.00E+00` shows three.
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

fn claims(file: &Given) -> Result<(DecisionFormat, Vec<Claim>), FileFault> {
    let failed = |text: String| FileFault::new(&file.name, None, text);
    if file.bytes.starts_with(b"PK\x03\x04") {
        // The first part of such a file says what it is, and is not packed.
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
        let text =
            "it is a spreadsheet of the old form (.xls), or has a password: save it as .xlsx";
        return Err(failed(text.to_owned()));
    }
    let decoded = files::decode(file.bytes.clone()).map_err(failed)?;
    let text = decoded.text.trim_start_matches('\u{feff}');
    if !text.trim_ascii_start().starts_with('{') {
        let table = table::of_text(text, TABLE).map_err(failed)?;
        return Ok((DecisionFormat::Csv, of_table(&table)));
    }
    // The page writes UTF-8, and an editor that changes it does so to another form of Unicode.
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
        // An apostrophe that makes a number text in some spreadsheets, and is kept by others.
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
            decided_at: cell("decided_at"),
            fault: row.fault.clone(),
        }
    };
    // A row that its reviewer left alone is not decided here.
    let is_said = |claim: &Claim| {
        let said = [&claim.decision, &claim.new_role, &claim.note];
        claim.fault.is_some() || said.iter().any(|text| !text.is_empty())
    };
    table.rows.iter().map(claim).filter(is_said).collect()
}

/// The file that the page saves: a line that says whose decisions it holds and how many, then one a line.
fn of_page(file: &Given, text: &str) -> Result<Vec<Claim>, FileFault> {
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
        .map_err(|_| fault(Some(first), "it is no file that the page has saved"))?;
    if head.schema != PAGE_SCHEMA {
        let text = "it is of a form this version does not know";
        return Err(fault(Some(first), text));
    }
    let claim = |(number, line): (u64, &str)| {
        let claim = serde_json::from_str(line).unwrap_or_else(|_| Claim {
            fault: Some("it is no decision as the page writes it".to_owned()),
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
    let (promised, held) = (head.decisions, claims.len());
    if held != promised {
        let text = format!(
            "it says that it holds {promised} decision(s), and holds {held}: it was cut or changed"
        );
        return Err(fault(None, &text));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_a_spreadsheet_shortened_is_still_recognised_and_another_is_not() {
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
        // Zeros at the end of the digits that are shown are left out.
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
