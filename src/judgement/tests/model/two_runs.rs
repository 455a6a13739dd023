//! What the first of two runs leaves for the second: links from people to accounts (§5.2).

use jiff::SignedDuration;
use proptest::prelude::*;

use super::lines::{accepts_suspicion, is_covered, says_different};
use super::people::Person;
use super::ties::Model;
use super::{model, skipped};
use crate::judgement::tests::world::World;
use crate::judgement::tests::worlds::{cases, nights, worlds};
use crate::judgement::{Leaver, Outcome, Standing};
use crate::people::{Access, Account};

/// A leaver of the second run who is certainly a person of the first: by an id that nobody else has in either.
fn known_before<'m, 'a>(leaver: &Leaver, model: &'m Model<'a>) -> Option<&'m Person<'a>> {
    let id = leaver.person_id.as_ref()?;
    let mut with_id = model
        .people
        .iter()
        .filter(|person| person.ids().contains(id));
    let person = with_id.next()?;
    (with_id.next().is_none() && person.ids().len() == 1 && leaver.other_person_ids.is_empty())
        .then_some(person)
}

/// How the second run fails to follow somebody by the account id of the first, if it does.
fn lost(first: &World, second: &World) -> Vec<String> {
    let (before, after) = (first.judge(), second.judge());
    let (old, new) = (model(first, &before), model(second, &after));
    if skipped::shape(&old).or(skipped::shape(&new)).is_some() {
        return Vec::new();
    }
    let inputs = &second.inputs;
    let mut lost = Vec::new();
    for leaver in after.leavers.iter().filter(|leaver| leaver.in_feed) {
        let (Some(was), Some(is)) = (known_before(leaver, &old), known_before(leaver, &new)) else {
            continue;
        };
        for (id, _) in old.tied(was) {
            let mut listed = new.accounts().iter();
            let Some(account) = listed.find(|account| account.id == id) else {
                continue;
            };
            if account.access() == Access::None
                || says_different(was, account, inputs)
                || says_different(is, account, inputs)
            {
                continue;
            }
            lost.extend(lost_account(leaver, is, account, &new));
        }
    }
    lost
}

fn lost_account(
    leaver: &Leaver,
    person: &Person<'_>,
    account: &Account,
    model: &Model<'_>,
) -> Option<String> {
    let mut others = model
        .people
        .iter()
        .filter(|other| !std::ptr::eq(*other, person));
    // A carried link does not own an account that matches somebody employed today: it is a suspicion.
    let is_owned =
        others.any(|other| model.is_employed(other) && model.tie(other, account).is_some());
    let is_tied = leaver.account_id.contains(&account.id);
    let is_suspected = leaver.suspected_account_id.contains(&account.id);
    if !is_tied && !(is_owned && is_suspected) {
        return Some(format!(
            "account {} is followed no more: {leaver:#?}",
            account.id
        ));
    }
    let has_left = matches!(leaver.standing, Standing::Ended | Standing::Doubtful);
    let looks_removed = matches!(leaver.outcome, Outcome::Removed | Outcome::NoAccessFound);
    if has_left && looks_removed && !accepts_suspicion(person, account, model.inputs) {
        return Some(format!("account {} has access: {leaver:#?}", account.id));
    }
    let is_overdue = leaver.standing == Standing::Ended
        && leaver.deadline.is_some_and(|deadline| {
            model.inputs.as_of.duration_since(deadline) > SignedDuration::ZERO
        });
    let is_open = is_tied
        && account.access() == Access::Has
        && !model.is_doubt(person, account)
        && !is_covered(person, account, model.inputs);
    (is_overdue && is_open && leaver.outcome != Outcome::StillActive).then(|| {
        format!(
            "account {} is open past the deadline: {leaver:#?}",
            account.id
        )
    })
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_link_of_the_first_run_is_followed_by_account_id(runs in nights(2)) {
        let worlds = worlds(&runs);
        prop_assert_eq!(lost(&worlds[0], &worlds[1]), Vec::<String>::new());
    }
}
