//! Information produced by the entity: for each population, the questions of an auditor, and where the answer is.

use super::table::text;
use super::{Column, Cover, IpePopulation, IpeQuestion, Table, Totals};

const COLUMNS: &[Column] = &[
    text("population"),
    text("question"),
    text("answer"),
    text("file"),
    text("field"),
];

/// The answer, the file of a run or of the pack, and the field.
type Answer = (String, &'static str, &'static str);

pub(super) fn table(cover: &Cover, totals: &Totals) -> Table {
    let mut table = Table::new("ipe", "Information produced by the entity", COLUMNS);
    for population in IpePopulation::ALL {
        for question in IpeQuestion::ALL {
            let (answer, file, field) = answer(*population, *question, cover, totals);
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

fn answer(
    population: IpePopulation,
    question: IpeQuestion,
    cover: &Cover,
    totals: &Totals,
) -> Answer {
    use IpePopulation::{Accounts, Leavers, Reviews, Runs};
    use IpeQuestion::{
        Accuracy, Changes, Completeness, Exclusions, Limits, Parameters, Source, WhoAndWhen,
    };
    let (due, hr) = (totals.runs.due, &totals.hr);
    let (text, file, field) = match (population, question) {
        (Leavers, Source) => (
            "The HR feed of each run. Its address, size and SHA-256 are recorded.".to_owned(),
            "manifest.json",
            "sources.hr_feed",
        ),
        (Leavers, WhoAndWhen) => (
            "The program reads the feed in each run. The executor is a claim of the job.".to_owned(),
            "manifest.json",
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
            "inputs/hr.jsonl.gz",
            "kind",
        ),
        (Leavers, Changes) => (
            "Moved ends of work, vanished rows and rehires are flags and later events.".to_owned(),
            "csv/population.csv",
            "later_events",
        ),
        (Leavers, Limits) => (
            "People whom HR never names are not in the population.".to_owned(),
            "csv/hr_tieout.csv",
            "difference",
        ),
        (Accounts, Source) => (
            "Asana, read through Truto. Every page is recorded with its SHA-256.".to_owned(),
            "manifest.json",
            "sources.truto",
        ),
        (Accounts, WhoAndWhen) => (
            "The connected account, named by its id, at the instant of the run.".to_owned(),
            "manifest.json",
            "sources.truto.viewer",
        ),
        (Accounts, Parameters) => (
            "Requests by method, path and query, without secrets.".to_owned(),
            "manifest.json",
            "sources.truto.requests",
        ),
        (Accounts, Completeness) => (
            "The list was read to its end, and a second list agrees.".to_owned(),
            "manifest.json",
            "checks",
        ),
        (Accounts, Accuracy) => (
            "The accounts are recomputed from the kept pages.".to_owned(),
            "csv/runs.csv",
            "verified",
        ),
        (Accounts, Exclusions) => (
            "Rows of the list that are not accounts, each with its reason.".to_owned(),
            "manifest.json",
            "sources.truto.rejected",
        ),
        (Accounts, Changes) => (
            "Accounts that joined, and role changes.".to_owned(),
            "csv/changes.csv",
            "change",
        ),
        (Accounts, Limits) => (
            "The list shows what the connected account sees, at the instants of the runs.".to_owned(),
            "report.html",
            "",
        ),
        (Runs, Source) => (
            "The ledger of the connection: one entry a run, chained by hashes.".to_owned(),
            "csv/runs.csv",
            "entry_sha256",
        ),
        (Runs, WhoAndWhen) => (
            "What started each run, when it began, and when it was committed.".to_owned(),
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
            format!("{due} runs were due; each has a row, missing ones too. Numbers of entries have no gaps."),
            "csv/runs.csv",
            "state",
        ),
        (Runs, Accuracy) => (
            "Decisions are recomputed from the stored inputs, byte for byte.".to_owned(),
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
            "Reviewer, the person who decided, and the time, as the received files claim.".to_owned(),
            "csv/decisions.csv",
            "decided_by",
        ),
        (Reviews, Parameters) => (
            "Scope and due day.".to_owned(),
            "csv/reviews.csv",
            "scope",
        ),
        (Reviews, Completeness) => (
            "The frozen population has one row an account of the reviewed run.".to_owned(),
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
            "worksheet.json",
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
