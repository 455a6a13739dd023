//! The data files of a run, made one after the other so that only one is held at a time.

use std::borrow::Cow;
use std::io::BufWriter;

use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::csv::Table;
use super::entry::sha256_hex;
use super::facts::{input_facts, input_hr};
use super::result::result;
use super::{RunFile, Snapshot, json};
use crate::judgement::{Change, DirectiveKind, Finding, FindingKind, Leaver, MatchKind, Owner};
use crate::model::{Account, Alias, EmailAddress, Exception, RawFile, Role, Status};

/// A file of the run's folder, as it will be stored.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// Which file.
    pub file: RunFile,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Records in it, where it holds records.
    pub rows: Option<u64>,
}

/// A stored file, as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Name relative to the run's folder.
    pub name: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Records in it, where it holds records.
    pub rows: Option<u64>,
}

impl DataFile {
    /// What the manifest says of the file.
    pub fn record(&self) -> FileRecord {
        FileRecord {
            name: self.file.name(),
            sha256: sha256_hex(&self.bytes),
            bytes: self.bytes.len() as u64,
            rows: self.rows,
        }
    }
}

/// The bytes of `SHA256SUMS`, as `sha256sum -c` reads it.
pub fn sums(files: &[FileRecord]) -> Vec<u8> {
    let mut files: Vec<&FileRecord> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let lines: String = files
        .iter()
        .map(|file| sums_line(&file.name, &file.sha256))
        .collect();
    lines.into_bytes()
}

/// A line of `SHA256SUMS`.
pub(super) fn sums_line(name: &str, sha256: &str) -> String {
    format!("{sha256}  {name}\n")
}

/// A raw file under its name.
pub fn raw_file(raw: RawFile) -> DataFile {
    DataFile {
        file: RunFile::raw(raw.kind),
        bytes: raw.bytes,
        rows: Some(raw.rows),
    }
}

impl<'a> Snapshot<'a> {
    /// Every data file but the raw ones and the report, each made when it is asked for.
    pub fn data_files(self) -> impl Iterator<Item = DataFile> + use<'a> {
        const MAKERS: [fn(&Snapshot<'_>) -> DataFile; 13] = [
            input_facts,
            |snapshot| input_hr(&snapshot.inputs.hr),
            input_links,
            input_aliases,
            input_exceptions,
            accounts_jsonl,
            accounts_csv,
            leavers_jsonl,
            leavers_csv,
            concluded,
            findings_csv,
            changes_csv,
            result,
        ];
        MAKERS.into_iter().map(move |make| make(&self))
    }

    fn accounts(&self) -> impl Iterator<Item = (&'a Account, &'a Owner)> {
        self.inputs
            .population
            .accounts
            .iter()
            .zip(&self.judgement.owners)
    }
}

/// One record a line, gzip. Without a name and a time in the header, so that the same records give
/// the same bytes.
pub(super) fn gzip_lines(file: RunFile, records: impl Iterator<Item = impl Serialize>) -> DataFile {
    let gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::new(3));
    // A serialiser writes a few bytes at a time, which is slow to compress.
    let mut out = BufWriter::with_capacity(64 << 10, gzip);
    let mut rows = 0;
    for record in records {
        json::line(&mut out, &record);
        rows += 1;
    }
    let bytes = out
        .into_inner()
        .map_err(|error| error.into_error())
        .and_then(|gzip| gzip.finish())
        .expect("writing to memory does not fail");
    DataFile {
        file,
        bytes,
        rows: Some(rows),
    }
}

fn table(file: RunFile, table: Table) -> DataFile {
    let (bytes, rows) = table.finish();
    DataFile {
        file,
        bytes,
        rows: Some(rows),
    }
}

// Cells.

fn text(value: Option<&str>) -> Cow<'_, str> {
    Cow::Borrowed(value.unwrap_or_default())
}

fn shown<'a>(value: Option<impl ToString>) -> Cow<'a, str> {
    value.map_or(Cow::Borrowed(""), |value| Cow::Owned(value.to_string()))
}

fn email(value: Option<&EmailAddress>) -> Cow<'_, str> {
    text(value.map(EmailAddress::as_written))
}

fn joined<'a>(values: impl Iterator<Item = impl AsRef<str>>) -> Cow<'a, str> {
    let mut cell = String::new();
    for (place, value) in values.enumerate() {
        if place > 0 {
            cell.push(';');
        }
        cell.push_str(value.as_ref());
    }
    Cow::Owned(cell)
}

// The files, in the order they are made.

/// `inputs/links.jsonl.gz`: the employed people and the accounts tied to them, for the next run.
fn input_links(snapshot: &Snapshot<'_>) -> DataFile {
    gzip_lines(RunFile::InputLinks, snapshot.judgement.links.iter())
}

fn input_aliases(snapshot: &Snapshot<'_>) -> DataFile {
    let columns = [&Alias::COLUMNS[..], &["line", "state", "detail"]].concat();
    let mut out = Table::with_header(&columns);
    let aliases = snapshot.inputs.directives.aliases().iter();
    for (alias, of) in aliases.zip(snapshot.judgement.directives_of(DirectiveKind::Alias)) {
        let Alias {
            line,
            email,
            account_id,
            person_id,
            relation,
            owner,
            reason,
            approved_by,
            expires_on,
            fault: _,
        } = alias;
        out.row([
            text(email.as_deref()),
            text(account_id.as_deref()),
            text(person_id.as_deref()),
            text(relation.as_deref()),
            text(owner.as_deref()),
            text(reason.as_deref()),
            text(approved_by.as_deref()),
            text(expires_on.as_deref()),
            shown(Some(line)),
            shown(Some(of.state)),
            Cow::Borrowed(of.detail.as_str()),
        ]);
    }
    table(RunFile::InputAliases, out)
}

fn input_exceptions(snapshot: &Snapshot<'_>) -> DataFile {
    let mut out = Table::with_header(
        &[
            &Exception::COLUMNS[..],
            &[
                "line",
                "state",
                "detail",
                "in_force_since",
                "after_the_fact",
            ],
        ]
        .concat(),
    );
    let exceptions = snapshot.inputs.directives.exceptions().iter();
    for (exception, of) in
        exceptions.zip(snapshot.judgement.directives_of(DirectiveKind::Exception))
    {
        let Exception {
            line,
            email,
            person_id,
            account_id,
            check,
            reason,
            approved_by,
            approved_on,
            expires_on,
            ticket,
            fault: _,
        } = exception;
        out.row([
            text(email.as_deref()),
            text(person_id.as_deref()),
            text(account_id.as_deref()),
            text(check.as_deref()),
            text(reason.as_deref()),
            text(approved_by.as_deref()),
            text(approved_on.as_deref()),
            text(expires_on.as_deref()),
            text(ticket.as_deref()),
            shown(Some(line)),
            shown(Some(of.state)),
            Cow::Borrowed(of.detail.as_str()),
            shown(of.in_force_since),
            shown(Some(of.after_the_fact)),
        ]);
    }
    table(RunFile::InputExceptions, out)
}

/// A line of `accounts.jsonl.gz`: the columns of `accounts.csv` with real types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
    pub account_id: String,
    pub email: Option<EmailAddress>,
    pub other_emails: Vec<EmailAddress>,
    pub name: Option<String>,
    pub status: Status,
    pub role: Role,
    pub view_only: Option<bool>,
    pub external_id: Option<String>,
    pub workspace_id: String,
    pub workspace: Option<String>,
    pub joined_at: Option<Timestamp>,
    pub last_login_at: Option<Timestamp>,
    /// Its owner in HR.
    pub person_id: Vec<String>,
    #[serde(rename = "match")]
    pub matched_by: Vec<MatchKind>,
    pub findings: Vec<FindingKind>,
}

impl AccountLine {
    /// The account as it was read.
    pub(super) fn into_account(self) -> Account {
        Account {
            id: self.account_id,
            emails: self.email.into_iter().chain(self.other_emails).collect(),
            name: self.name,
            status: self.status,
            role: self.role,
            view_only: self.view_only,
            external_id: self.external_id,
            joined_at: self.joined_at,
            last_login_at: self.last_login_at,
        }
    }
}

fn accounts_jsonl(snapshot: &Snapshot<'_>) -> DataFile {
    let workspace = &snapshot.inputs.population.workspace;
    let lines = snapshot.accounts().map(|(account, owner)| AccountLine {
        account_id: account.id.clone(),
        email: account.email().cloned(),
        other_emails: account.emails.get(1..).unwrap_or_default().to_vec(),
        name: account.name.clone(),
        status: account.status.clone(),
        role: account.role.clone(),
        view_only: account.view_only,
        external_id: account.external_id.clone(),
        workspace_id: workspace.id.clone(),
        workspace: workspace.name.clone(),
        joined_at: account.joined_at,
        last_login_at: account.last_login_at,
        person_id: owner.person_ids.clone(),
        matched_by: owner.matched_by.clone(),
        findings: owner.findings.clone(),
    });
    gzip_lines(RunFile::AccountsJsonl, lines)
}

fn accounts_csv(snapshot: &Snapshot<'_>) -> DataFile {
    let workspace = &snapshot.inputs.population.workspace;
    let mut out = Table::with_header(&[
        "account_id",
        "email",
        "other_emails",
        "name",
        "status",
        "role",
        "view_only",
        "workspace_id",
        "workspace",
        "joined_at",
        "last_login_at",
        "person_id",
        "match",
        "findings",
    ]);
    for (account, owner) in snapshot.accounts() {
        out.row([
            Cow::Borrowed(account.id.as_str()),
            email(account.email()),
            joined(account.emails.iter().skip(1).map(EmailAddress::as_written)),
            text(account.name.as_deref()),
            shown(Some(&account.status)),
            shown(Some(&account.role)),
            shown(account.view_only),
            Cow::Borrowed(workspace.id.as_str()),
            text(workspace.name.as_deref()),
            shown(account.joined_at),
            shown(account.last_login_at),
            joined(owner.person_ids.iter()),
            joined(owner.matched_by.iter().map(|kind| kind.as_str())),
            joined(owner.findings.iter().map(|kind| kind.as_str())),
        ]);
    }
    table(RunFile::AccountsCsv, out)
}

fn leavers_jsonl(snapshot: &Snapshot<'_>) -> DataFile {
    gzip_lines(RunFile::LeaversJsonl, snapshot.judgement.leavers.iter())
}

fn concluded(snapshot: &Snapshot<'_>) -> DataFile {
    gzip_lines(RunFile::Concluded, snapshot.judgement.concluded.iter())
}

fn leavers_csv(snapshot: &Snapshot<'_>) -> DataFile {
    let mut out = Table::with_header(&[
        "offboarding_id",
        "person_id",
        "name",
        "emails",
        "hr_status",
        "hr_end",
        "hr_last_day",
        "hr_line",
        "end_of_work",
        "moved_from",
        "deadline",
        "deadline_rule_run",
        "outcome",
        "result",
        "concluded_run",
        "account_id",
        "account_email",
        "role",
        "status",
        "match",
        "last_seen_with_access",
        "first_seen_without_access",
        "within_sla",
        "exception_expires",
        "note",
        "first_seen_in_feed",
        "deadline_from_notice",
        "within_sla_from_notice",
    ]);
    for leaver in &snapshot.judgement.leavers {
        let Leaver {
            offboarding_id,
            person_key: _,
            person_id,
            name,
            emails,
            end_of_work,
            moved_from,
            deadline,
            deadline_rule_run,
            grace_seconds: _,
            corrected_deadline: _,
            standing: _,
            outcome,
            result,
            concluded_run,
            concluded_at: _,
            seen_employed: _,
            superseded: _,
            account_id,
            account_email,
            matched_by,
            account_role,
            account_status,
            last_seen_with_access,
            first_seen_without_access,
            within_sla,
            exception_expires,
            note,
            first_seen_in_feed,
            deadline_from_notice,
            within_sla_from_notice,
            in_feed: _,
            hr_status,
            hr_end,
            hr_last_day,
            hr_line,
            other_person_ids: _,
            tenures: _,
            suspected_account_id: _,
            more_suspected: _,
        } = leaver;
        out.row([
            Cow::Borrowed(&**offboarding_id),
            text(person_id.as_deref()),
            text(name.as_deref()),
            joined(emails.iter().map(EmailAddress::as_written)),
            shown(hr_status.as_ref()),
            text(hr_end.as_deref()),
            text(hr_last_day.as_deref()),
            shown(*hr_line),
            shown(*end_of_work),
            shown(*moved_from),
            shown(*deadline),
            text(deadline_rule_run.as_deref()),
            shown(Some(outcome)),
            shown(*result),
            text(concluded_run.as_deref()),
            joined(account_id.iter()),
            joined(account_email.iter().map(|address| email(address.as_ref()))),
            joined(account_role.iter().map(|role| shown(role.as_ref()))),
            joined(account_status.iter().map(|status| shown(status.as_ref()))),
            joined(matched_by.iter().map(|kind| kind.as_str())),
            shown(*last_seen_with_access),
            shown(*first_seen_without_access),
            shown(Some(within_sla)),
            text(exception_expires.as_deref()),
            Cow::Borrowed(note.as_str()),
            shown(Some(first_seen_in_feed)),
            shown(*deadline_from_notice),
            shown(Some(within_sla_from_notice)),
        ]);
    }
    table(RunFile::LeaversCsv, out)
}

fn findings_csv(snapshot: &Snapshot<'_>) -> DataFile {
    let mut out = Table::with_header(&[
        "finding_id",
        "kind",
        "severity",
        "account_id",
        "email",
        "name",
        "role",
        "status",
        "person_id",
        "end_of_work",
        "deadline",
        "overdue_hours",
        "match",
        "first_seen",
        "note",
    ]);
    for finding in &snapshot.judgement.findings {
        let Finding {
            finding_id,
            kind,
            severity,
            account_id,
            email: address,
            name,
            role,
            status,
            person_id,
            end_of_work,
            deadline,
            overdue_hours,
            matched_by,
            first_seen,
            note,
        } = finding;
        out.row([
            Cow::Borrowed(finding_id.as_str()),
            shown(Some(kind)),
            shown(Some(severity)),
            text(account_id.as_deref()),
            email(address.as_ref()),
            text(name.as_deref()),
            shown(role.as_ref()),
            shown(status.as_ref()),
            text(person_id.as_deref()),
            shown(*end_of_work),
            shown(*deadline),
            shown(*overdue_hours),
            shown(*matched_by),
            shown(Some(first_seen)),
            Cow::Borrowed(note.as_str()),
        ]);
    }
    table(RunFile::FindingsCsv, out)
}

fn changes_csv(snapshot: &Snapshot<'_>) -> DataFile {
    let mut out = Table::with_header(&[
        "change",
        "account_id",
        "person_id",
        "email",
        "name",
        "before",
        "after",
        "previous_run",
    ]);
    for change in &snapshot.judgement.changes {
        let Change {
            change,
            account_id,
            person_id,
            email: address,
            name,
            before,
            after,
            previous_run,
        } = change;
        out.row([
            shown(Some(change)),
            text(account_id.as_deref()),
            text(person_id.as_deref()),
            email(address.as_ref()),
            text(name.as_deref()),
            Cow::Borrowed(before.as_str()),
            Cow::Borrowed(after.as_str()),
            Cow::Borrowed(previous_run.as_str()),
        ]);
    }
    table(RunFile::ChangesCsv, out)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn sums_are_sorted_lines_that_sha256sum_reads() {
        let record = |name: &str, bytes: &[u8]| FileRecord {
            name: name.to_owned(),
            sha256: sha256_hex(bytes),
            bytes: bytes.len() as u64,
            rows: None,
        };
        let text = String::from_utf8(sums(&[record("b", b"b"), record("a/x", b"")])).expect("text");
        insta::assert_snapshot!(text, @"
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/x
        3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b
        ");
    }

    #[test]
    fn the_same_lines_give_the_same_gzip_bytes() {
        let make = || gzip_lines(RunFile::InputHr, ["a", "b"].into_iter());
        assert_eq!(make().bytes, make().bytes);
        assert_eq!(make().bytes[4..8], [0; 4], "no time in the header");
        let mut text = String::new();
        let gzip = make().bytes;
        flate2::read::GzDecoder::new(&*gzip)
            .read_to_string(&mut text)
            .expect("gzip");
        assert_eq!(text, "\"a\"\n\"b\"\n");
    }
}
