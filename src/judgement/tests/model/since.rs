//! The instant since which an exception is in force, and its use after the fact: §5.5, over several runs.

use jiff::Timestamp;
use proptest::prelude::*;

use crate::judgement::tests::world::World;
use crate::judgement::tests::worlds::{cases, snapshots, worlds};
use crate::judgement::{Judgement, ManualKind, ManualState};
use crate::model::{EmailAddress, Exception};

type Keys = (
    Option<EmailAddress>,
    Option<String>,
    Option<String>,
    Option<String>,
);

fn keys(of: &Exception) -> Keys {
    let email = of.email.as_deref().and_then(EmailAddress::parse);
    let (person_id, account_id) = (of.person_id.clone(), of.account_id.clone());
    (email, person_id, account_id, of.check.clone())
}

/// Lines in force, with their keys.
fn in_force(world: &World, judged: &Judgement) -> Vec<(u64, Keys)> {
    let is_in_force = |line: u64| {
        let mut lines = judged.lines_of(ManualKind::Exception);
        lines.any(|of| {
            let is_kept = matches!(of.state, ManualState::Used | ManualState::Unused);
            of.line == line && is_kept
        })
    };
    let lines = world.inputs.manual.exceptions().iter();
    let lines = lines.filter(|of| is_in_force(of.line));
    lines.map(|of| (of.line, keys(of))).collect()
}

/// The first of the runs up to this one that all had such a line.
fn since(runs: &[(&World, Judgement)], keys: &Keys) -> Timestamp {
    let has_line = |(world, judged): &&(&World, Judgement)| {
        in_force(world, judged).iter().any(|(_, of)| of == keys)
    };
    let series = runs.iter().rev().take_while(has_line);
    let first = series.last().expect("the last run has the line");
    first.0.inputs.as_of
}

fn disagreements(runs: &[(&World, Judgement)]) -> Vec<String> {
    let mut all = Vec::new();
    let (first, last) = (runs.first().expect("a run"), runs.last().expect("a run"));
    let (world, judged) = last;
    let mut lines = Vec::new();
    for (line, keys) in in_force(world, judged) {
        let since = since(runs, &keys);
        let mut reported = judged.lines_of(ManualKind::Exception);
        let of = reported.find(|of| of.line == line).expect("the line");
        if of.in_force_since != Some(since) {
            all.push(format!(
                "line {line}: code {:?}, model {since}",
                of.in_force_since
            ));
        }
        lines.push((line, since));
    }
    for leaver in &judged.leavers {
        let due = leaver.deadline.max(leaver.deadline_from_notice);
        for (line, since) in &lines {
            let shown = format!("exception in line {line}, ");
            let Some((_, note)) = leaver.note.split_once(&shown) else {
                continue;
            };
            let note = note.split("exception in line ").next().unwrap_or_default();
            let is_late = due.is_some_and(|due| *since > due) && *since > first.0.inputs.as_of;
            if note.contains("after the fact") != is_late {
                all.push(format!("line {line} since {since}, due {due:?}: {note}"));
            }
            let mut used = judged.lines_of(ManualKind::Exception);
            if is_late && used.all(|of| of.line != *line || !of.after_the_fact) {
                all.push(format!("line {line} is not labelled"));
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn the_model_agrees_since_when_an_exception_is_in_force(runs in snapshots(4)) {
        let worlds = worlds(&runs);
        let judged: Vec<(&World, Judgement)> =
            worlds.iter().map(|world| (world, world.judge())).collect();
        for count in 1..=judged.len() {
            prop_assert_eq!(disagreements(&judged[..count]), Vec::<String>::new());
        }
    }
}
