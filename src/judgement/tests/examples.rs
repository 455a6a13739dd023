//! The worked examples of `docs/judgement.md`, made here so that they are true.

use std::fmt::Write as _;

use super::world::*;
use crate::judgement::{Leaver, Outcome};
use crate::people::{HrDate, HrRow, Status};

const ADA: &str = "ada@example.com";
const BEGIN: &str = "<!-- the examples, made by a test -->\n";
const END: &str = "<!-- end of the examples -->\n";

/// One example an outcome: a night, or several one after the other.
fn examples() -> Vec<(Outcome, Vec<World>)> {
    let left = || world().account(ADA).leaver(ADA, date(2026, 11, 2));
    let on_the_day = || world().account(ADA).leaver(ADA, date(2026, 11, 22));
    let after = |first: World, change: fn(World) -> World| {
        let second = change(first.clone().next());
        vec![first, second]
    };
    Outcome::ALL
        .iter()
        .map(|outcome| {
            let nights = match outcome {
                Outcome::Rehired => {
                    let first = row("E1").mail(ADA).ended().end(date(2025, 5, 30));
                    let second = row("E9").mail(ADA).active().start(date(2026, 1, 5));
                    vec![world().account(ADA).hr(first).hr(second)]
                }
                Outcome::Rescinded => after(on_the_day(), |night| {
                    night.no_rows().hr(row("E-ada").mail(ADA).active())
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
                Outcome::Removed => after(on_the_day(), |night| {
                    night.at("2026-11-23T23:30:00Z").without("ada")
                }),
                Outcome::NoAccessFound => vec![world().leaver(ADA, date(2026, 11, 2))],
            };
            (*outcome, nights)
        })
        .collect()
}

fn written(row: &HrRow) -> String {
    let mut told = row.person_id.clone().unwrap_or_default();
    for email in row.emails() {
        let _ = write!(told, ", {email}");
    }
    let status = crate::judgement::Tenure::status_word(&row.status);
    let _ = write!(told, ", {status}");
    let mut date = |what: &str, date: &Option<HrDate>| {
        if let Some(date) = date {
            let _ = write!(told, ", {what} {}", date.written);
        }
    };
    date("first day", &row.start);
    date("termination", &row.end);
    date("last day of work", &row.last_day);
    told
}

/// What a night had before it.
fn night(world: &World) -> String {
    let inputs = &world.inputs;
    let mut told = format!("| review at | `{}` |\n", inputs.as_of);
    for row in &inputs.hr.rows {
        let _ = writeln!(told, "| HR says | {} |", written(row));
    }
    let accounts = inputs.population.accounts.iter();
    let mut others = accounts.filter(|account| account.id != "root").peekable();
    if others.peek().is_none() {
        told.push_str("| accounts | none but the administrator's |\n");
    }
    for account in others {
        let emails: Vec<&str> = account
            .emails
            .iter()
            .map(|email| email.as_written())
            .collect();
        let _ = writeln!(
            told,
            "| account | `{}`, {}, {}, {} |",
            account.id,
            emails.join(" "),
            account.role,
            account.status
        );
    }
    for exception in inputs.directives.exceptions() {
        let _ = writeln!(
            told,
            "| exception | for {}, approved by {}, through {} |",
            exception.person_id.as_deref().unwrap_or_default(),
            exception.approved_by.as_deref().unwrap_or_default(),
            exception.expires_on.as_deref().unwrap_or_default(),
        );
    }
    told
}

/// What the judgement says, by the columns of `leavers.csv`.
fn said(leaver: &Leaver) -> String {
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
         | **outcome** | **`{}`** |\n| within_sla | {} |\n| note | {} |\n",
        instant(leaver.end_of_work),
        instant(leaver.deadline),
        or_none(leaver.account_id.join(";")),
        or_none(kinds.join(";")),
        instant(leaver.last_seen_with_access),
        instant(leaver.first_seen_without_access),
        leaver.outcome,
        leaver.within_sla,
        or_none(leaver.note.clone()),
    )
}

fn made() -> String {
    let mut made = String::from(BEGIN);
    for (outcome, nights) in examples() {
        let _ = write!(
            made,
            "\n### `{outcome}`\n\n| what was read | |\n|---|---|\n"
        );
        for world in &nights {
            made.push_str(&night(world));
        }
        let judged = nights.last().expect("a night").judge();
        let leaver = leaver(&judged, ADA);
        assert_eq!(leaver.outcome, outcome);
        let _ = write!(made, "\n| what is said | |\n|---|---|\n{}", said(leaver));
    }
    made.push('\n');
    made.push_str(END);
    made
}

#[test]
fn the_document_has_one_example_an_outcome_as_the_judgement_makes_it() {
    let document = include_str!("../../../docs/judgement.md");
    let made = made();
    assert!(
        document.contains(&made),
        "docs/judgement.md should have:\n{made}"
    );
}

#[test]
fn the_document_names_every_word_of_the_judgement() {
    use crate::judgement::{ChangeKind, CheckId, FindingKind, MatchKind};
    let document = include_str!("../../../docs/judgement.md");
    let words = (Outcome::ALL.iter().map(|word| word.as_str()))
        .chain(FindingKind::ALL.iter().map(|word| word.as_str()))
        .chain(ChangeKind::ALL.iter().map(|word| word.as_str()))
        .chain(CheckId::ALL.iter().map(|word| word.as_str()))
        .chain(MatchKind::ALL.iter().map(|word| word.as_str()));
    for word in words {
        assert!(document.contains(&format!("`{word}`")), "{word}");
    }
}
