//! Information produced by the entity: for each population, the questions of an auditor, and where the answer is.

use super::table::text;
use super::{Column, Cover, IpePopulation, IpeQuestion, Table, Totals};
use crate::model::counted;

const COLUMNS: &[Column] = &[
    text("population"),
    text("question"),
    text("answer"),
    text("file"),
    text("field"),
];

/// The answer, the file of a run or of the pack, and the field.
type Answer = (String, &'static str, &'static str);

/// What the answers count.
pub(super) struct Counted<'a> {
    pub(super) cover: &'a Cover,
    pub(super) totals: &'a Totals,
    pub(super) runs: &'a Table,
    pub(super) decisions: &'a Table,
}

impl Counted<'_> {
    /// How many runs have a verdict and this word in a column.
    fn judged_with(&self, column: &str, word: &str) -> usize {
        let cells = self.runs.cells("kind").zip(self.runs.cells(column));
        cells.filter(|of| *of == ("run", word)).count()
    }
}

/// How many rows have this word in a column.
fn rows_with(table: &Table, column: &str, word: &str) -> usize {
    table.cells(column).filter(|cell| *cell == word).count()
}

pub(super) fn table(of: &Counted<'_>) -> Table {
    let mut table = Table::new("ipe", "Information produced by the entity", COLUMNS);
    for population in IpePopulation::ALL {
        for question in IpeQuestion::ALL {
            let (answer, file, field) = answer(*population, *question, of);
            table.push([
                population.to_string(),
                question.to_string(),
                answer,
                file.to_owned(),
                field.to_owned(),
            ]);
        }
    }
    table
}

fn answer(population: IpePopulation, question: IpeQuestion, of: &Counted<'_>) -> Answer {
    use IpePopulation::{Accounts, Leavers, Reviews, Runs};
    use IpeQuestion::{
        Accuracy, Changes, Completeness, Exclusions, Limits, Parameters, Source, WhoAndWhen,
    };
    let Counted {
        cover,
        totals,
        runs,
        decisions,
    } = of;
    let (due, hr) = (totals.runs.due, &totals.hr);
    let judged = rows_with(runs, "kind", "run");
    let (text, file, field) = match (population, question) {
        (Leavers, Source) => (
            "The HR feed of each run. Its address, size and SHA-256 are recorded.".to_owned(),
            "manifest.json of each run",
            "sources.hr_feed",
        ),
        (Leavers, WhoAndWhen) => (
            "The program reads the feed in each run. The executor is a claim of the job.".to_owned(),
            "manifest.json of each run",
            "run",
        ),
        (Leavers, Parameters) => (
            format!("Ends of work from {} to {} in {}.", cover.from, cover.to, cover.zone),
            "pack.json",
            "cover",
        ),
        (Leavers, Completeness) => (
            format!(
                "{} rows in {} runs: {} read, {} rejected, {} blank, {} repeated.",
                hr.rows, hr.runs, hr.read, hr.rejected, hr.blank, hr.duplicates
            ),
            "csv/hr_by_run.csv",
            "rows",
        ),
        (Leavers, Accuracy) => (
            "Each item has the dates as HR wrote them, the deadline, and the two runs around the end of access."
                .to_owned(),
            "csv/population.csv",
            "hr_end",
        ),
        (Leavers, Exclusions) => (
            format!("{} rejected rows; each has its reason in the run.", hr.rejected),
            "inputs/hr.jsonl.gz of each run",
            "kind",
        ),
        (Leavers, Changes) => (
            "Moved ends of work, vanished rows and rehires are flags and later events.".to_owned(),
            "csv/population.csv",
            "later_events",
        ),
        (Leavers, Limits) => (
            "People whom HR never names are not in the population.".to_owned(),
            match cover.has_expected {
                true => "csv/hr_tieout.csv",
                false => "pack.json",
            },
            match cover.has_expected {
                true => "difference",
                false => "limits",
            },
        ),
        (Accounts, Source) => (
            "Asana, read through Truto. Every page is recorded with its SHA-256.".to_owned(),
            "manifest.json of each run",
            "sources.truto",
        ),
        (Accounts, WhoAndWhen) => (
            "The connected account, named by its id, at the instant of the run.".to_owned(),
            "manifest.json of each run",
            "sources.truto.viewer",
        ),
        (Accounts, Parameters) => (
            "Requests by method, path and query, without secrets.".to_owned(),
            "manifest.json of each run",
            "sources.truto.requests",
        ),
        (Accounts, Completeness) => (
            format!(
                "In {} of {judged} runs with a verdict, the list was read to its end and confirmed.",
                of.judged_with("complete", "true")
            ),
            "manifest.json of each run",
            "checks",
        ),
        (Accounts, Accuracy) => (
            format!(
                "In {} of {judged} runs with a verdict, the accounts were recomputed from the stored pages.",
                of.judged_with("verified", "recomputed")
            ),
            "csv/runs.csv",
            "verified",
        ),
        (Accounts, Exclusions) => (
            "Rows of the list that are not accounts, each with its reason.".to_owned(),
            "manifest.json of each run",
            "sources.truto.rejected",
        ),
        (Accounts, Changes) => (
            "Accounts that joined, and role changes.".to_owned(),
            "csv/changes.csv",
            "change",
        ),
        (Accounts, Limits) => (
            "The list shows what the connected account sees, at the instants of the runs.".to_owned(),
            "report.html of each run",
            "",
        ),
        (Runs, Source) => (
            "The ledger of the connection: one entry for each run, chained by hashes.".to_owned(),
            "csv/runs.csv",
            "entry_sha256",
        ),
        (Runs, WhoAndWhen) => (
            format!(
                "What started each run, when it began, and when it was committed. {} of {} do not record what started \
                 them.",
                rows_with(runs, "trigger", "unknown"),
                counted(runs.rows.len(), "run", "runs")
            ),
            "csv/runs.csv",
            "trigger",
        ),
        (Runs, Parameters) => (
            format!(
                "Due instants: {} ({}).",
                cover.schedule.as_deref().unwrap_or("no schedule is known"),
                cover.schedule_basis
            ),
            "csv/runs.csv",
            "due_at",
        ),
        (Runs, Completeness) => (
            format!(
                "{due} runs were due; each has a row, even if it is missing. {}",
                match cover.reliance.faults {
                    0 => "The entry numbers have no gaps.",
                    _ => "The evidence has faults: verification.txt lists them.",
                }
            ),
            "csv/runs.csv",
            "state",
        ),
        (Runs, Accuracy) => (
            format!(
                "In {} of {judged} runs with a verdict, the decisions were recomputed from the stored inputs, byte for byte.",
                of.judged_with("verified", "recomputed")
            ),
            "csv/runs.csv",
            "verified",
        ),
        (Runs, Exclusions) => (
            "Runs that were not due are extra. They are listed, and do not count as due.".to_owned(),
            "csv/runs.csv",
            "state",
        ),
        (Runs, Changes) => (
            "Rules, versions of the program, sources and key.".to_owned(),
            "csv/tools.csv",
            "first_entry",
        ),
        (Runs, Limits) => (
            "Inconclusive and failed runs prove no absence.".to_owned(),
            "csv/deviations.csv",
            "type",
        ),
        (Reviews, Source) => (
            "The entries of the ledger that opened and closed each review.".to_owned(),
            "csv/reviews.csv",
            "opened_entry",
        ),
        (Reviews, WhoAndWhen) => (
            format!(
                "Reviewer, the person who decided, and the time, as stated in the received files. {} of {} have no time.",
                rows_with(decisions, "decided_at", ""),
                counted(decisions.rows.len(), "row", "rows")
            ),
            "csv/decisions.csv",
            "decided_by",
        ),
        (Reviews, Parameters) => (
            "Scope and due day.".to_owned(),
            "csv/reviews.csv",
            "scope",
        ),
        (Reviews, Completeness) => (
            "The frozen population has one row for each account of the reviewed run.".to_owned(),
            "csv/reviews.csv",
            "rows",
        ),
        (Reviews, Accuracy) => (
            "The worksheet is recomputed from the reviewed run.".to_owned(),
            "verification.txt",
            "",
        ),
        (Reviews, Exclusions) => (
            "Accounts without access and out of scope are counted in the worksheet.".to_owned(),
            "worksheet.json of the review",
            "left_out",
        ),
        (Reviews, Changes) => (
            "Each revocation and role change is followed to proof.".to_owned(),
            "csv/follow_up.csv",
            "state",
        ),
        (Reviews, Limits) => (
            "A review shows decisions, not how they were reached.".to_owned(),
            "csv/decisions.csv",
            "note",
        ),
    };
    (text, file, field)
}
