//! The data files of a run. They are made one at a time, so that only one is in memory.

use jiff::Timestamp;
use serde::Serialize;

use super::account_line::AccountLine;
use super::data_file::{ComparedFile, Content, DataFile, Lines, lines, table};
use super::facts::{hr_lines, input_facts};
use super::result::result;
use super::{RunFile, Snapshot};
use crate::judgement::{Leaver, ManualKind, ManualState};
use crate::model::{Alias, Exception, Role, Status};

impl<'a> Snapshot<'a> {
    /// Every data file except those of `raw/` and the report. The iterator makes each file when it is needed.
    pub fn data_files(self) -> impl Iterator<Item = DataFile> + use<'a> {
        self.contents().map(Content::made)
    }

    /// The same files, compared with the stored ones of these names.
    pub fn compared_files<'s>(
        self,
        stored: impl Fn(&RunFile) -> Option<&'s [u8]>,
    ) -> impl Iterator<Item = ComparedFile> {
        let contents = self.contents();
        contents.map(move |content| content.compared(&stored))
    }

    fn contents(self) -> impl Iterator<Item = Content<'a>> + use<'a> {
        const MAKERS: [fn(Snapshot<'_>) -> Content<'_>; 13] = [
            |of| input_facts(&of).into(),
            |of| hr_lines(&of.inputs.hr).into(),
            |of| input_links(&of).into(),
            |of| input_aliases(&of).into(),
            |of| input_exceptions(&of).into(),
            |of| accounts_jsonl(&of).into(),
            |of| accounts_csv(&of).into(),
            |of| leavers_jsonl(&of).into(),
            |of| leavers_csv(&of).into(),
            |of| concluded(&of).into(),
            |of| findings_csv(&of).into(),
            |of| changes_csv(&of).into(),
            |of| result(&of).into(),
        ];
        MAKERS.into_iter().map(move |make| make(self))
    }
}

/// `inputs/links.jsonl.gz`: the employed people and the accounts tied to them, for the next run.
fn input_links<'a>(snapshot: &Snapshot<'a>) -> Lines<'a> {
    lines(RunFile::InputLinks, snapshot.judgement.links.iter())
}

/// A line of the manual decisions, with its state and effect.
#[derive(Serialize)]
struct ManualRow<'a, L> {
    #[serde(flatten)]
    line: &'a L,
    state: ManualState,
    detail: &'a str,
    in_force_since: Option<Timestamp>,
    after_the_fact: bool,
}

fn manual<'a, L>(
    snapshot: &Snapshot<'a>,
    kind: ManualKind,
    lines: &'a [L],
) -> impl Iterator<Item = ManualRow<'a, L>> {
    let uses = snapshot.judgement.lines_of(kind);
    lines.iter().zip(uses).map(|(line, of)| ManualRow {
        line,
        state: of.state,
        detail: &of.detail,
        in_force_since: of.in_force_since,
        after_the_fact: of.after_the_fact,
    })
}

fn input_aliases(snapshot: &Snapshot<'_>) -> DataFile {
    let columns = Alias::COLUMNS.join(",") + ",line,state,detail";
    let aliases = snapshot.inputs.manual.aliases();
    let rows = manual(snapshot, ManualKind::Alias, aliases);
    table(RunFile::InputAliases, &columns, rows)
}

fn input_exceptions(snapshot: &Snapshot<'_>) -> DataFile {
    let columns = Exception::COLUMNS.join(",") + ",line,state,detail,in_force_since,after_the_fact";
    let exceptions = snapshot.inputs.manual.exceptions();
    let rows = manual(snapshot, ManualKind::Exception, exceptions);
    table(RunFile::InputExceptions, &columns, rows)
}

fn account_lines<'a>(snapshot: &Snapshot<'a>) -> impl Iterator<Item = AccountLine> + use<'a> {
    let population = &snapshot.inputs.population;
    let workspace = &population.workspace;
    let accounts = population.accounts.iter().zip(&snapshot.judgement.owners);
    accounts.map(|(account, owner)| AccountLine {
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
    })
}

fn accounts_jsonl<'a>(snapshot: &Snapshot<'a>) -> Lines<'a> {
    lines(RunFile::AccountsJsonl, account_lines(snapshot))
}

fn accounts_csv(snapshot: &Snapshot<'_>) -> DataFile {
    let columns = "account_id,email,other_emails,name,status,role,view_only,workspace_id,workspace,\
        joined_at,last_login_at,person_id,match,findings";
    table(RunFile::AccountsCsv, columns, account_lines(snapshot))
}

fn leavers_jsonl<'a>(snapshot: &Snapshot<'a>) -> Lines<'a> {
    lines(RunFile::LeaversJsonl, snapshot.judgement.leavers.iter())
}

fn concluded<'a>(snapshot: &Snapshot<'a>) -> Lines<'a> {
    lines(RunFile::Concluded, snapshot.judgement.concluded.iter())
}

/// A line of `leavers.csv`.
#[derive(Serialize)]
struct LeaverRow<'a> {
    #[serde(flatten)]
    leaver: &'a Leaver,
    role: &'a [Option<Role>],
    status: &'a [Option<Status>],
}

fn leavers_csv(snapshot: &Snapshot<'_>) -> DataFile {
    let columns = "offboarding_id,person_id,name,emails,hr_status,hr_end,hr_last_day,hr_line,end_of_work,\
        moved_from,deadline,deadline_rule_run,outcome,result,concluded_run,account_id,\
        account_email,role,status,match,last_seen_with_access,first_seen_without_access,\
        within_sla,exception_expires,note,first_seen_in_feed,deadline_from_notice,\
        within_sla_from_notice";
    let leavers = snapshot.judgement.leavers.iter();
    let rows = leavers.map(|leaver| LeaverRow {
        leaver,
        role: &leaver.account_role,
        status: &leaver.account_status,
    });
    table(RunFile::LeaversCsv, columns, rows)
}

fn findings_csv(snapshot: &Snapshot<'_>) -> DataFile {
    let columns = "finding_id,kind,severity,account_id,email,name,role,status,person_id,end_of_work,\
        deadline,overdue_hours,match,first_seen,note";
    let findings = snapshot.judgement.findings.iter();
    table(RunFile::FindingsCsv, columns, findings)
}

fn changes_csv(snapshot: &Snapshot<'_>) -> DataFile {
    let columns = "change,account_id,person_id,email,name,before,after,previous_run";
    let changes = snapshot.judgement.changes.iter();
    table(RunFile::ChangesCsv, columns, changes)
}
