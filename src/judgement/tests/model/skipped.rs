//! Worlds in which code and contract are known to differ: each has its test in `disputed.rs`. A shape is
//! deleted here when its test passes.

use super::ends::{Says, Stands, end, says};
use super::lines::approves_for_themselves;
use super::people::{Person, name, share_a_work_address, share_an_address, share_an_id};
use super::ties::Model;
use crate::judgement::MatchKind;
use crate::people::{Employment, HrRow};

/// The disputed shape that a run has, if any.
pub(super) fn shape(model: &Model<'_>) -> Option<&'static str> {
    let rows = &model.inputs.hr.rows;
    let now = model.inputs.as_of;
    let pairs = || {
        let all = rows.iter().enumerate();
        all.flat_map(|(place, one)| rows[..place].iter().map(move |other| (one, other)))
    };
    let either = |holds: &dyn Fn(&HrRow, &HrRow) -> bool| {
        pairs().any(|(one, other)| holds(one, other) || holds(other, one))
    };
    let start = |row: &HrRow| row.start.as_ref().map(|start| start.at);
    let ends = |row: &HrRow| {
        let both = [&row.last_day, &row.end].into_iter().flatten();
        both.map(|date| date.at).collect::<Vec<_>>()
    };
    let touch =
        |one: &HrRow, other: &HrRow| share_an_id(one, other) || share_a_work_address(one, other);

    let has_odd_start =
        |row: &HrRow| start(row).is_some_and(|start| ends(row).iter().any(|end| *end <= start));
    if rows.iter().any(has_odd_start) {
        return Some("a start after an end of its own row");
    }
    let is_recent = |row: &HrRow| {
        row.status == Employment::Active
            && end(row).is_some_and(|end| end <= now)
            && says(row, model.inputs) == Says::Contradiction
            && row
                .last_day
                .as_ref()
                .is_some_and(|day| row.end.as_ref().is_some_and(|end| end.at > day.at))
    };
    if rows.iter().any(is_recent) {
        return Some("an old last day and a recent termination date");
    }
    let is_nameless_beside = |one: &HrRow, other: &HrRow| {
        let vague = |one: &HrRow, other: &HrRow| match (name(one), name(other)) {
            (Some(one), Some(other)) => {
                !one.agrees_in_one_script(&other)
                    && one.compare(&other) == crate::people::Likeness::Agree
            }
            (one, other) => one.is_some() || other.is_some(),
        };
        (touch(one, other) || share_an_address(one, other)) && vague(one, other)
    };
    let is_third = |third: &HrRow, one: &HrRow, other: &HrRow| {
        !std::ptr::eq(third, one)
            && !std::ptr::eq(third, other)
            && [one, other]
                .iter()
                .any(|row| touch(third, row) || share_an_address(third, row))
    };
    let is_nameless_among_three = |one: &HrRow, other: &HrRow| {
        is_nameless_beside(one, other) && rows.iter().any(|third| is_third(third, one, other))
    };
    if either(&is_nameless_among_three) {
        return Some("a row without a name among three");
    }
    let has_two_names = model.people.iter().any(|person| {
        let names = person.names();
        names
            .iter()
            .any(|one| names.iter().any(|other| !one.agrees_in_one_script(other)))
    });
    if has_two_names {
        return Some("a person with two names");
    }
    let has_one_id_of_two = model.people.iter().any(|person| {
        let telling = model.ids_that_tell(person);
        !telling.is_empty() && telling != person.ids()
    });
    if has_one_id_of_two {
        return Some("a person with an id that is somebody else's, too");
    }
    let has_unread_date = rows
        .iter()
        .any(|row| row.unread.iter().any(|cell| cell.date.is_some()));
    let will_leave = |person: &Person<'_>| {
        model.is_employed(person) && model.stands(person).0 != Stands::Working
    };
    if has_unread_date && model.people.iter().any(will_leave) {
        return Some("a date that is not read, and somebody who will leave");
    }
    let only_id = |one: &HrRow, other: &HrRow| {
        share_an_id(one, other)
            && !share_an_address(one, other)
            && (name(one).is_none() || name(other).is_none())
            && start(one).is_some()
            && start(other).is_some()
    };
    if either(&only_id) {
        return Some("two tenures of one id that overlap, and nothing else ties them");
    }
    let is_to_come = |row: &HrRow| {
        row.status != Employment::Ended && start(row).is_some_and(|start| start > now)
    };
    if rows.iter().any(is_to_come) {
        return Some("somebody who has not begun");
    }
    let ends_later = |one: &HrRow, other: &HrRow| {
        one.status == Employment::Ended
            && end(one).is_some_and(|end| end > now)
            && share_a_work_address(one, other)
    };
    if either(&ends_later) {
        return Some("an address of somebody who has left by the status and leaves by the date");
    }
    let is_handed_on = model.people.iter().any(|person| {
        let (stands, ended) = model.stands(person);
        model.accounts().iter().any(|account| {
            stands == Stands::Left
                && account
                    .joined_at
                    .zip(ended)
                    .is_some_and(|(joined, ended)| joined > ended)
                && matches!(
                    model.tie(person, account),
                    Some(MatchKind::Email | MatchKind::DomainAlias)
                )
                && model.people.iter().any(|other| {
                    !std::ptr::eq(person, other)
                        && model.is_employed(other)
                        && model.tie(other, account).is_some()
                })
        })
    });
    if is_handed_on {
        return Some("an account that began after the end of work");
    }
    if approves_for_themselves(&model.people, model.inputs) {
        return Some("a line that the person or the account it is for approved");
    }
    let is_in_doubt = model.people.iter().any(|person| {
        let tied = model.tied(person);
        let doubts = tied
            .values()
            .filter(|(account, _)| model.is_doubt(person, account));
        (1..tied.len()).contains(&doubts.count())
    });
    if is_in_doubt {
        return Some("an account in doubt beside one that is none");
    }
    let in_garden_leave = |one: &HrRow, other: &HrRow| {
        let left = matches!(says(one, model.inputs), Says::Left(_));
        left && one.status == Employment::Active && share_a_work_address(one, other)
    };
    if either(&in_garden_leave) {
        return Some("an address of somebody in garden leave");
    }
    None
}
