//! The audit pack of a period: what an auditor asks for at its end, made from the evidence of its runs alone.
//!
//! CSV files, spreadsheet and page are printers of one [`Pack`]. The pack draws no conclusion on the effectiveness of
//! the control.

mod accounts;
mod deviations;
mod document;
mod effect;
mod findings;
mod fold;
mod hr;
mod ipe;
mod items;
mod manual;
mod page;
mod period;
mod redact;
mod reviews;
mod rules;
mod runs;
mod sample;
mod sampled;
mod sources;
mod spreadsheet;
mod table;
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::evidence::{OwnControl, Tool};
pub use fold::{Ending, Fold, Folded, JudgedFiles, LeaverToSample, RunFiles, is_of_a_run};
use items::PopulationItem;
pub use page::{index, sheet};
pub use period::{Entries, LedgerEntry, Period};
pub use redact::RedactionKey;
pub use runs::{Gap, GapRun, PeriodSchedule};
pub use sample::{SampleRequest, SampledRunFolder};
pub use sampled::SampleTables;
pub use spreadsheet::spreadsheet;
pub use table::{Column, Kind, Table};
pub use words::{
    AdminBegan, AdminEnded, DeviationType, Effect, FindingClosed, Flag, IpePopulation, IpeQuestion,
    ItemResult, LaterEvent, Part, RunState, RunVerified, SampleReason, ScheduleBasis,
    TieoutDifference,
};

/// Page one says so, and `pack.json`.
pub const NO_CONCLUSION: &str =
    "This pack draws no conclusion on the effectiveness of the control.";

/// The audit pack of one connection and one period.
#[derive(Clone, Debug)]
pub struct Pack {
    pub cover: Cover,
    /// The equations of page one. Each number can be counted in the tables.
    pub totals: Totals,
    /// Every table, in the order of the specification. Each is a CSV file and a tab.
    pub tables: Vec<Table>,
    /// Every day of the period in its zone, in order.
    pub days: Vec<CalendarDay>,
    /// One for each row of the table `population`, in its order.
    pub items: Vec<ItemBar>,
    /// In order of time.
    pub gaps: Vec<Gap>,
    /// One for each sampled leaver, in the order of the table `sample`. Empty without a seed.
    pub sample: Vec<SampledLeaver>,
    /// What was verified, without the time of making: the rows of the section on integrity.
    pub integrity: Vec<Fact>,
    /// What the pack does not show, each as one sentence.
    pub limits: Vec<String>,
    /// What to ask the entity for, each as one sentence.
    pub ask_for: Vec<String>,
}

impl Pack {
    /// The table of this name. None if the pack does not have it.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// The first page.
#[derive(Clone, Debug, Serialize)]
pub struct Cover {
    /// The name of the workspace, else its id. None if no run of the period names it.
    pub entity: Option<String>,
    pub workspace_id: Option<String>,
    /// The id of the Truto connection.
    pub connection: String,
    /// How critical the system is, in the company's own word. May be empty.
    pub criticality: String,
    /// The company's own controls.
    pub own_controls: Vec<OwnControl>,
    /// `TEST DATA`, `SANDBOX` or another mark, if the evidence has one.
    pub mark: Option<String>,
    /// The first and the last day of the period: `2026-10-01`.
    pub from: String,
    pub to: String,
    /// The zone of these days: `Europe/Berlin`.
    pub zone: String,
    /// The first instant of the first day, and the instant that closes the last one.
    pub from_instant: Timestamp,
    pub to_instant: Timestamp,
    /// SHA-256 of `population-ids.txt`, in hex.
    pub population_sha256: String,
    /// None: no sample is drawn, and the auditor notes the hash of the population first.
    pub seed: Option<String>,
    /// How many items and runs were asked for.
    pub sample_size: u64,
    pub sample_runs: u64,
    pub schedule_basis: ScheduleBasis,
    /// The schedule, as given or as last recorded: `30 0,23 * * * (Europe/Berlin)`.
    pub schedule: Option<String>,
    /// Number of the first ledger entry from which the population is complete, because the files of earlier runs have
    /// expired. None if no run of the period has expired.
    pub complete_from_entry: Option<u64>,
    /// The first and the last run of the period.
    pub first_run: Option<Timestamp>,
    pub last_run: Option<Timestamp>,
    /// The program that made the pack.
    pub tool: Tool,
    /// What the pack relies on, and what it does not.
    #[serde(flatten)]
    pub reliance: Reliance,
    /// Items whose deadline, interval or result was fixed by a run with a fault.
    pub items_on_faults: u64,
    /// Whether names, addresses and ids are pseudonyms.
    pub redacted: bool,
    /// Whether the auditor's own HR export was given.
    pub has_expected: bool,
    /// [`NO_CONCLUSION`].
    pub statement: &'static str,
}

/// What the pack relies on: what was verified, with what, and what that leaves open. Page one has it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reliance {
    /// Faults of integrity. Above 0 only with `--despite-faults`.
    pub faults: u64,
    /// What `verify` warns about, each as one sentence.
    pub warnings: Vec<String>,
    /// SHA-256 of each public key that signatures were checked with, in hex. Without one, signatures are not relied on.
    pub public_keys: Vec<String>,
    /// Number of the newest entry whose hash was given as a ledger head.
    pub head_given: Option<u64>,
    /// Number of the last entry of the ledger.
    pub last_entry: u64,
    /// Folders of runs that began in the period and have no ledger entry: `dt=…/run=…`.
    pub runs_without_entry: Vec<String>,
    /// The schedule that the evidence records, if another one was given instead.
    pub replaced_schedule: Option<String>,
    /// Connections of the evidence that the pack does not cover.
    pub further_connections: u64,
    /// Whether every run that was due in the period has started or is missing. Else a later pack differs.
    pub is_period_over: bool,
}

/// The equations of page one.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    pub runs: RunTotals,
    pub items: ItemTotals,
    pub hr: HrTotals,
    pub findings: FindingTotals,
    /// Rows of `deviations` by type. Every type is listed, even with 0.
    pub deviations: BTreeMap<DeviationType, u64>,
    /// The comparison with the auditor's own HR export. None without `--expect`.
    pub hr_tieout: Option<TieoutTotals>,
}

/// `due` is the sum of all states except `extra`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunTotals {
    pub due: u64,
    /// Rows of `runs` by state. Every state is listed, even with 0.
    pub by_state: BTreeMap<RunState, u64>,
    /// The extra runs by the state that each would have as a due run. Only states with a run.
    pub extra_by_state: BTreeMap<RunState, u64>,
}

/// `total` is the sum of `by_result`, and of `by_part`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ItemTotals {
    pub total: u64,
    /// Rows of `population` by result. Every result is listed, even with 0.
    pub by_result: BTreeMap<ItemResult, u64>,
    pub by_part: BTreeMap<Part, u64>,
    /// Items whose deadline has passed, with an account whose access no run shows to have ended.
    pub still_with_access: u64,
    /// Items that are in time only because the grace was loosened.
    pub in_time_by_loosened_grace: u64,
}

/// Sums over the rows of `hr_by_run`: `rows` = `read` + `rejected` + `blank` + `duplicates`, and
/// `read` = `persons` + `further_rows`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HrTotals {
    /// Judged runs of the period.
    pub runs: u64,
    pub rows: u64,
    pub read: u64,
    pub rejected: u64,
    pub blank: u64,
    pub duplicates: u64,
    pub persons: u64,
    /// Rows beyond the first of each person.
    pub further_rows: u64,
}

/// `opened_before` + `opened` − `closed` = `open`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FindingTotals {
    /// Opened before the period, and still open when it began.
    pub opened_before: u64,
    pub opened: u64,
    pub closed: u64,
    pub open: u64,
}

/// Rows of `hr_tieout`: `both` + `only_in_hr` + `only_in_evidence` = the number of rows. Rows of the export: `rows` =
/// `both` + `only_in_hr` + `outside` + `employed` + `repeated` + `blank`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TieoutTotals {
    /// Below the header of the export.
    pub rows: u64,
    /// Ended outside of the period, as the item of the row did.
    pub outside: u64,
    /// Without an end, and with the status of an employee.
    pub employed: u64,
    /// The same person and end as in an earlier row.
    pub repeated: u64,
    /// Without a value, or a repeated header, a total or a footer.
    pub blank: u64,
    pub both: u64,
    pub only_in_hr: u64,
    pub only_in_evidence: u64,
    /// Of `both`: the dates differ.
    pub dates_differ: u64,
}

impl TieoutTotals {
    /// Rows of the export that were compared.
    pub fn compared(&self) -> u64 {
        self.both + self.only_in_hr
    }
}

/// One day of the calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CalendarDay {
    /// In the zone of the period: `2026-11-23`.
    pub day: String,
    /// The runs that were due or started on this day, in order. Rows of the table `runs`.
    pub runs: Vec<CalendarRun>,
    /// Deadlines of items that fell on this day.
    pub deadlines: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CalendarRun {
    /// When the run was due, else when it began.
    pub at: Timestamp,
    pub state: RunState,
    /// `dt=…/run=…`. None if the run is missing.
    pub run: Option<String>,
}

/// An item as a bar: its interval against the deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemBar {
    pub item_id: String,
    /// A pseudonym if the pack is redacted.
    pub name: Option<String>,
    pub part: Part,
    pub result: ItemResult,
    pub end_of_work: Option<Timestamp>,
    pub deadline: Option<Timestamp>,
    /// The last run that saw access.
    pub last_seen_with_access: Option<Timestamp>,
    /// The first complete run after it that did not see access. None if access was last seen, or never.
    pub first_seen_without_access: Option<Timestamp>,
    pub flags: Vec<Flag>,
}

impl ItemBar {
    /// Whether runs saw access that must have ended, and no run shows that it did.
    fn may_have_access(&self) -> bool {
        let must_have_ended = match self.result {
            ItemResult::Late
            | ItemResult::NotDemonstrated
            | ItemResult::RiskAccepted
            | ItemResult::Open
            | ItemResult::NotEvaluable
            | ItemResult::AccessAfterConclusion => true,
            ItemResult::InTime
            | ItemResult::NoAccount
            | ItemResult::DateCorrected
            | ItemResult::Withdrawn
            | ItemResult::RehiredBeforeDue
            | ItemResult::NotDue => false,
        };
        let has_end = self.first_seen_without_access.is_some();
        must_have_ended && self.last_seen_with_access.is_some() && !has_end
    }
}

/// A name and a value, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

/// A sampled leaver, and what the folder of the sample contains.
#[derive(Clone, Debug)]
pub struct SampledLeaver {
    /// `leaver-01-<item_id>`, below `samples/`.
    pub folder: String,
    /// The item's row of `population` has the same id.
    pub item_id: String,
    pub why: SampleReason,
    /// `hr.csv`: HR's row each time it changed.
    pub hr: Table,
    /// `access.csv`: each run from the one before the end of work to three after the conclusion.
    pub access: Table,
    /// The last run that saw access, and the first that did not: what `before/` and `after/` contain.
    pub before: Option<SampledRun>,
    pub after: Option<SampledRun>,
    /// The run that fixed the deadline: what `rule/` contains.
    pub rule: Option<SampledRun>,
    /// The exception that covers the item: reason, approver, day of approval, ticket, first run.
    pub exception: Option<SampledException>,
    /// The grace of record in seconds, and the run that fixed the deadline.
    pub grace_seconds: Option<i64>,
    pub rule_run: Option<String>,
}

/// A run whose evidence a sample folder contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SampledRun {
    pub sequence: u64,
    /// `dt=…/run=…`.
    pub run: String,
    pub as_of: Timestamp,
    /// SHA-256 of the ledger entry, in hex.
    pub entry_sha256: String,
    /// The files below `before/` or `after/`.
    pub files: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SampledException {
    pub line: u64,
    pub reason: Option<String>,
    pub approved_by: Option<String>,
    pub approved_on: Option<String>,
    pub ticket: Option<String>,
    /// The first run that showed the line.
    pub in_force_since: Option<Timestamp>,
    pub after_the_fact: bool,
}
