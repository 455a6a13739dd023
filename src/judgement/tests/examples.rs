//! The worked examples of `docs/judgement.md`, generated so that they are correct.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::world::*;
use crate::judgement::{Leaver, Outcome};
use crate::model::{HrDate, HrRow, Status};
use crate::schedule::RunSchedule;

const ADA: &str = "ada@example.com";
const BEGIN: &str = "<!-- the examples, made by a test -->\n";
const END: &str = "<!-- end of the examples -->\n";

/// A worked example: its heading, the runs in order, and the outcome of the last.
struct Example {
    heading: String,
    runs: Vec<World>,
    outcome: Outcome,
}

/// One example for each outcome.
fn of_outcomes() -> Vec<Example> {
    let left = || world().account(ADA).leaver(ADA, date(2026, 11, 2));
    let on_the_day = || world().account(ADA).leaver(ADA, date(2026, 11, 22));
    Outcome::ALL
        .iter()
        .map(|outcome| {
            let runs = match outcome {
                Outcome::Rehired => {
                    let first = row("E1").mail(ADA).ended().end(date(2025, 5, 30));
                    let second = row("E9").mail(ADA).active().start(date(2026, 1, 5));
                    vec![world().account(ADA).hr(first).hr(second)]
                }
                Outcome::Rescinded => two_runs(on_the_day(), |run| {
                    run.no_rows().hr(row("E-ada").mail(ADA).active())
                }),
                Outcome::Upcoming => {
                    let row = row("E1").mail(ADA).active().end(date(2026, 12, 24));
                    vec![world().account(ADA).hr(row)]
                }
                Outcome::StillActive => vec![left()],
                Outcome::NotEvaluable => {
                    vec![left().status("ada", Status::Unknown(Some("paused".to_owned())))]
                }
                Outcome::WithinGrace => vec![on_the_day()],
                Outcome::Excepted => vec![left().exception(|exception| {
                    exception.person_id = text("E-ada");
                })],
                Outcome::Removed => two_runs(on_the_day(), |run| {
                    run.at("2026-11-23T23:30:00Z").without("ada")
                }),
                Outcome::NoAccessFound => vec![world().leaver(ADA, date(2026, 11, 2))],
            };
            Example {
                heading: format!("`{outcome}`"),
                runs,
                outcome: *outcome,
            }
        })
        .collect()
}

/// Further situations.
fn of_rules() -> Vec<Example> {
    let employed = |email| {
        let row = row("E1").mail(email).name("Ada Diaz").active();
        row.start(date(2020, 3, 2))
    };
    let reassigned = world()
        .account(ADA)
        .hr(row("E1")
            .mail(ADA)
            .name("Ada Diaz")
            .ended()
            .end(date(2026, 11, 2)))
        .hr(row("E9")
            .mail(ADA)
            .name("Ada Lopez")
            .active()
            .start(date(2026, 11, 16)));
    let renamed = two_runs(world().account(ADA).hr(employed(ADA)), move |run| {
        let left = row("E1")
            .mail("ada.roth@example.com")
            .name("Ada Roth")
            .ended();
        run.no_rows().hr(left.end(date(2026, 11, 20)))
    });
    let contradiction = world()
        .account(ADA)
        .hr(employed(ADA).end(date(2026, 11, 2)));
    let example = |heading: &str, runs, outcome| Example {
        heading: heading.to_owned(),
        runs,
        outcome,
    };
    let left = world().account(ADA).leaver(ADA, date(2026, 11, 20));
    let gone = left.clone().next().without("ada");
    let longer_grace = gone
        .clone()
        .next()
        .policy(|policy| policy.offboarding_grace_seconds = 14 * 24 * 3600);
    let moved = two_runs(left.clone(), |run| {
        run.no_rows().leaver(ADA, date(2026, 11, 23)).without("ada")
    });
    vec![
        example(
            "A late removal that a longer grace does not change",
            vec![left, gone, longer_grace],
            Outcome::Removed,
        ),
        example(
            "An end of work that HR moved after the deadline",
            moved,
            Outcome::Removed,
        ),
        example(
            "A reassigned address with a related name",
            vec![reassigned],
            Outcome::NotEvaluable,
        ),
        example(
            "A link that survives a changed address",
            renamed,
            Outcome::StillActive,
        ),
        example(
            "A contradiction between status and date",
            vec![contradiction],
            Outcome::NotEvaluable,
        ),
    ]
}

/// A run, and the next one after a change.
fn two_runs(first: World, change: impl FnOnce(World) -> World) -> Vec<World> {
    let second = change(first.clone().next());
    vec![first, second]
}

fn hr_row(row: &HrRow) -> String {
    let mut shown = row.person_id.clone().unwrap_or_default();
    for part in row
        .name
        .iter()
        .cloned()
        .chain(row.emails().map(|email| email.to_string()))
    {
        let _ = write!(shown, ", {part}");
    }
    let status = row.status.to_string();
    let _ = write!(shown, ", {status}");
    let mut date = |what: &str, date: &Option<HrDate>| {
        if let Some(date) = date {
            let _ = write!(shown, ", {what} {}", date.written);
        }
    };
    date("first day", &row.start);
    date("termination", &row.end);
    date("last day of work", &row.last_day);
    shown
}

/// The inputs of a run.
fn inputs(world: &World) -> String {
    let inputs = &world.inputs;
    let mut shown = format!("| run | `{}` |\n", inputs.as_of);
    let grace = inputs.policy.offboarding_grace_seconds / 3600;
    if grace != 24 {
        let _ = writeln!(shown, "| grace | {grace} h |");
    }
    for row in &inputs.hr.rows {
        let _ = writeln!(shown, "| HR row | {} |", hr_row(row));
    }
    let accounts = inputs.population.accounts.iter();
    let mut others = accounts.filter(|account| account.id != "root").peekable();
    if others.peek().is_none() {
        shown.push_str("| accounts | only the administrator's |\n");
    }
    for account in others {
        let emails: Vec<&str> = account
            .emails
            .iter()
            .map(|email| email.as_written())
            .collect();
        let _ = writeln!(
            shown,
            "| account | `{}`, {}, {}, {} |",
            account.id,
            emails.join(" "),
            account.role,
            account.status
        );
    }
    for exception in inputs.manual.exceptions() {
        let _ = writeln!(
            shown,
            "| exception | for {}, approved by {}, through {} |",
            exception.person_id.as_deref().unwrap_or_default(),
            exception.approved_by.as_deref().unwrap_or_default(),
            exception.expires_on.as_deref().unwrap_or_default(),
        );
    }
    shown
}

/// The row of the leaver, by the columns of `leavers.csv`.
fn result(leaver: &Leaver) -> String {
    let instant = |at: Option<jiff::Timestamp>| match at {
        Some(at) => format!("`{at}`"),
        None => "–".to_owned(),
    };
    let kinds: Vec<&str> = leaver.matched_by.iter().map(|kind| kind.as_str()).collect();
    let or_none = |text: String| {
        if text.is_empty() {
            "–".to_owned()
        } else {
            text
        }
    };
    format!(
        "| end_of_work | {} |\n| deadline | {} |\n| account_id | {} |\n| match | {} |\n\
         | last_seen_with_access | {} |\n| first_seen_without_access | {} |\n\
         | **outcome** | **`{}`** |\n| within_sla | {} |\n| result | {} |\n| note | {} |\n",
        instant(leaver.end_of_work),
        instant(leaver.deadline),
        or_none(leaver.account_id.join(";")),
        or_none(kinds.join(";")),
        instant(leaver.last_seen_with_access),
        instant(leaver.first_seen_without_access),
        leaver.outcome,
        leaver.within_sla,
        or_none(
            leaver
                .result
                .map(|result| result.to_string())
                .unwrap_or_default()
        ),
        or_none(leaver.note.clone()),
    )
}

fn made() -> String {
    let mut made = String::from(BEGIN);
    for Example {
        heading,
        runs,
        outcome,
    } in of_outcomes().into_iter().chain(of_rules())
    {
        let _ = write!(made, "\n### {heading}\n\n| input | |\n|---|---|\n");
        for world in &runs {
            made.push_str(&inputs(world));
        }
        let judged = runs.last().expect("a run").judge();
        let is_ada = |leaver: &&Leaver| {
            let mut ids = leaver.person_id.iter();
            ids.any(|id| id == "E1" || id == "E-ada")
        };
        let leaver = judged.leavers.iter().find(is_ada).expect("Ada");
        assert_eq!(leaver.outcome, outcome, "{heading}");
        let _ = write!(made, "\n| result | |\n|---|---|\n{}", result(leaver));
    }
    made.push('\n');
    made.push_str(END);
    made
}

#[test]
fn the_page_has_the_examples_of_the_judgement() {
    let document = include_str!("../../../docs/judgement.md");
    let made = made();
    assert!(
        document.contains(&made),
        "docs/judgement.md should have:\n{made}"
    );
}

#[test]
fn the_page_names_every_word_of_the_judgement() {
    use crate::judgement::{ChangeKind, CheckId, FindingKind, MatchKind, OffboardingResult};
    let document = include_str!("../../../docs/judgement.md");
    let words = (Outcome::ALL.iter().map(|word| word.as_str()))
        .chain(FindingKind::ALL.iter().map(|word| word.as_str()))
        .chain(ChangeKind::ALL.iter().map(|word| word.as_str()))
        .chain(OffboardingResult::ALL.iter().map(|word| word.as_str()))
        .chain(CheckId::ALL.iter().map(|word| word.as_str()))
        .chain(MatchKind::ALL.iter().map(|word| word.as_str()));
    for word in words {
        assert!(document.contains(&format!("`{word}`")), "{word}");
    }
}

/// The intervals of one removal, by schedules with one run and with two runs a day.
fn of_schedules() -> String {
    let mut table = String::from(
        "| access removed at | runs at | last run with access | first run without | `result` |\n|---|---|---|---|---|\n",
    );
    for removed in [
        "2026-11-23T18:00:00Z",
        "2026-11-23T23:45:00Z",
        "2026-11-24T09:00:00Z",
    ] {
        for (cron, runs_at) in [("40 23 * * *", "23:40"), ("30 0,23 * * *", "23:30, 00:30")] {
            let schedule = RunSchedule {
                cron: cron.to_owned(),
                zone: "Etc/UTC".to_owned(),
            };
            let runs = schedule.parse().expect("a schedule");
            let runs = runs.between(at("2026-11-22T12:00:00Z"), at("2026-11-26T12:00:00Z"));
            let (first, later) = runs.split_first().expect("runs");
            let mut snapshot = world().account(ADA).leaver(ADA, date(2026, 11, 22));
            snapshot = snapshot.at(&first.to_string());
            for run in later {
                snapshot = snapshot.next().at(&run.to_string());
                if *run > at(removed) {
                    snapshot = snapshot.without("ada");
                }
            }
            let judged = snapshot.judge();
            let leaver = &judged.leavers[0];
            assert_eq!(leaver.deadline, Some(at("2026-11-24T00:00:00Z")));
            let (last, first) = (
                leaver.last_seen_with_access.expect("it was seen"),
                leaver.first_seen_without_access.expect("it is gone"),
            );
            let result = leaver.result.expect("it is concluded");
            let short = |instant: Timestamp| instant.strftime("%-d Nov %H:%M");
            let _ = writeln!(
                table,
                "| {} | {runs_at} | {} | {} | `{result}` |",
                short(at(removed)),
                short(last),
                short(first),
            );
        }
    }
    table
}

#[test]
fn the_page_has_the_intervals_of_one_and_two_runs_a_day() {
    let page = include_str!("../../../docs/judgement.md");
    let table = of_schedules();
    assert!(page.contains(&table), "docs/judgement.md lacks:\n{table}");
}
