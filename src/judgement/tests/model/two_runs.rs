//! What the first of two runs leaves for the second: links from people to accounts (§5.2).

use jiff::SignedDuration;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::lines::{accepts_suspicion, is_covered, says_different};
use super::model;
use super::people::{Alike, ModelPerson, alike};
use super::ties::Model;
use crate::judgement::tests::world::{World, WorldRow, date, mail};
use crate::judgement::tests::worlds::{WorldRun, cases, snapshots, worlds};
use crate::judgement::{Leaver, MatchKind, Outcome, Standing};
use crate::model::{Access, Account, Employment, HrRow};

/// A leaver of the second run who is certainly a person of the first, by an id that is unique in both.
fn known_before<'m, 'a>(leaver: &Leaver, model: &'m Model<'a>) -> Option<&'m ModelPerson<'a>> {
    let id = leaver.person_id.as_ref()?;
    let mut with_id = model
        .people
        .iter()
        .filter(|person| person.ids().contains(id));
    let person = with_id.next()?;
    (with_id.next().is_none() && person.ids().len() == 1 && leaver.other_person_ids.is_empty())
        .then_some(person)
}

/// The error if the second run does not follow a person by the account id of the first.
fn lost(first: &World, second: &World) -> Vec<String> {
    let (before, after) = (first.judge(), second.judge());
    let (old, new) = (model(first, &before), model(second, &after));
    let inputs = &second.inputs;
    let mut lost = Vec::new();
    for leaver in after.leavers.iter().filter(|leaver| leaver.in_feed) {
        let (Some(was), Some(is)) = (known_before(leaver, &old), known_before(leaver, &new)) else {
            continue;
        };
        // An unlike name without a shared address may belong to another person with a reused id.
        // One name of the first run is kept.
        let mut kept = was.names().into_iter();
        let is_unlike = kept.any(|name| alike(&[name], &is.names()) == Alike::Unlike);
        if is_unlike && was.own_emails().is_disjoint(&is.emails()) {
            continue;
        }
        for (id, (before, kind)) in old.tied(was) {
            // An account of several people is followed for none of them.
            let is_shared = before.emails.iter().any(|email| was.shared.contains(email));
            if is_shared && kind != MatchKind::PersonId {
                continue;
            }
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
            // By a link of their own, which the model of a first run does not know.
            let mut others = after.leavers.iter();
            let is_followed = others.any(|other| {
                let works_here = !matches!(other.standing, Standing::Ended | Standing::Doubtful);
                works_here && other.account_id.contains(&account.id)
            });
            // Or by an address that it had before.
            let mut others = new.people.iter().filter(|other| !std::ptr::eq(*other, is));
            let is_former =
                others.any(|other| new.is_employed(other) && new.tie(other, before).is_some());
            // Or by their own link from the first run.
            let is_same = |one: &ModelPerson<'_>, other: &ModelPerson<'_>| {
                !one.ids().is_disjoint(&other.ids()) || !one.emails().is_disjoint(&other.emails())
            };
            let mut others = old
                .people
                .iter()
                .filter(|other| !std::ptr::eq(*other, was) && old.tie(other, before).is_some());
            let is_linked = others.any(|other| {
                let mut today = new.people.iter();
                today.any(|now| {
                    !std::ptr::eq(now, is) && new.is_employed(now) && is_same(now, other)
                })
            });
            let is_owned = is_followed || is_former || is_linked;
            lost.extend(lost_account(
                leaver,
                [was, is],
                [before, account],
                is_owned,
                &new,
            ));
        }
    }
    lost
}

/// The error for one account, which may be followed for another, employed person.
fn lost_account(
    leaver: &Leaver,
    [was, person]: [&ModelPerson<'_>; 2],
    [before, account]: [&Account; 2],
    is_owned: bool,
    model: &Model<'_>,
) -> Option<String> {
    let mut others = model
        .people
        .iter()
        .filter(|other| !std::ptr::eq(*other, person));
    // A carried link does not own an account that matches an employed person today. It is a suspicion.
    let is_owned = is_owned
        || others.any(|other| model.is_employed(other) && model.tie(other, account).is_some());
    let began_later = account.joined_at.zip(leaver.end_of_work);
    if is_owned && began_later.is_some_and(|(joined, ended)| joined > ended) {
        return None;
    }
    let is_tied = leaver.account_id.contains(&account.id);
    let is_suspected = leaver.suspected_account_id.contains(&account.id);
    if !(is_tied || is_owned && is_suspected) {
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
        && leaver.verdict_deadline().is_some_and(|deadline| {
            model.inputs.as_of.duration_since(deadline) > SignedDuration::ZERO
        });
    let is_open = is_tied
        && account.access() == Access::Has
        && ![before, account].iter().any(|of| model.is_doubt(person, of))
        // Also by an address that HR gives no more.
        && ![was, person].iter().any(|of| is_covered(of, account, model.inputs));
    (is_overdue && is_open && leaver.outcome != Outcome::StillActive).then(|| {
        format!(
            "account {} is open past the deadline: {leaver:#?}",
            account.id
        )
    })
}

/// A person of the first run who leaves in the second, with another address and perhaps another name. The accounts do
/// not change.
fn a_leaver_who_is_renamed() -> impl Strategy<Value = Vec<WorldRun>> {
    let addresses = select(vec![
        Some("ada.roe@example.com"),
        Some("bob@example.com"),
        None,
    ]);
    let names = select(vec!["Ada Diaz", "Ada Maria Diaz", "Ada Roe", "Bob Roe"]);
    (
        snapshots(2),
        any::<Index>(),
        addresses,
        option::of(names),
        any::<bool>(),
    )
        .prop_map(|(mut snapshots, at, address, name, with_ids)| {
            let [first, second] = &mut snapshots[..] else {
                unreachable!("two runs")
            };
            if !with_ids {
                first
                    .accounts
                    .iter_mut()
                    .for_each(|account| account.external_id = None);
            }
            second.accounts.clone_from(&first.accounts);
            let with_id: Vec<&HrRow> = first
                .rows
                .iter()
                .filter(|row| row.person_id.is_some())
                .collect();
            if with_id.is_empty() {
                return snapshots;
            }
            let mut leaver = with_id[at.index(with_id.len())].clone();
            second.rows.retain(|row| row.person_id != leaver.person_id);
            leaver.status = Employment::Ended;
            leaver.email = address.map(mail);
            leaver.name = name.map(str::to_owned);
            leaver.other_emails.clear();
            (leaver.start, leaver.last_day) = (None, None);
            second.rows.push(WorldRow(leaver).end(date(2026, 11, 2)).0);
            snapshots
        })
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_link_of_the_first_run_is_followed_by_account_id(runs in snapshots(2)) {
        let worlds = worlds(&runs);
        prop_assert_eq!(lost(&worlds[0], &worlds[1]), Vec::<String>::new());
    }

    #[test]
    fn a_leaver_who_is_renamed_keeps_their_accounts(runs in a_leaver_who_is_renamed()) {
        let worlds = worlds(&runs);
        prop_assert_eq!(lost(&worlds[0], &worlds[1]), Vec::<String>::new());
    }
}
