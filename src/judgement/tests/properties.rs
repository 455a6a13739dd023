//! Properties of every world.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::world::*;
use super::worlds::cases;
use crate::judgement::{FindingKind, Judgement, MatchKind, Outcome, Verdict};
use crate::model::{EmailAddress, Employment, Role, Status};

const MAILS: &[&str] = &[
    "ada@example.com",
    "ADA@Example.com",
    " ada@example.com",
    "ada+x@example.com",
    "bob@example.com",
    "ada@gmail.com",
    "eve@partner.example",
];

const NAMES: &[&str] = &["Ada Diaz", "Bob Roe"];

fn accounts()
-> impl Strategy<Value = Vec<(usize, &'static str, Status, bool, Option<&'static str>)>> {
    let statuses = [
        Status::Active,
        Status::Active,
        Status::Invited,
        Status::Inactive,
        Status::Unknown(None),
    ];
    let account = (
        0..6usize,
        select(MAILS),
        select(statuses.to_vec()),
        any::<bool>(),
        proptest::option::of(select(NAMES)),
    );
    proptest::collection::vec(account, 0..5)
}

fn rows() -> impl Strategy<Value = Vec<WorldRow>> {
    let statuses = [
        Employment::Ended,
        Employment::Ended,
        Employment::Active,
        Employment::Blank,
        Employment::Unclassified("Leave".to_owned()),
    ];
    let days = [date(2026, 11, 2), date(2026, 11, 22), date(2026, 12, 24)];
    let row = (
        select(vec!["", "E1", "E2", "E3"]),
        proptest::option::of(select(MAILS)),
        proptest::option::of(select(MAILS)),
        proptest::option::of(select(NAMES)),
        select(statuses.to_vec()),
        proptest::option::of(select(days.to_vec())),
        proptest::option::of(select(days.to_vec())),
    )
        .prop_map(|(id, email, other, name, status, start, end)| {
            let mut made = row(id);
            made.0.status = status;
            if let Some(email) = email {
                made = made.mail(email);
            }
            if let Some(other) = other {
                made = made.other(other);
            }
            if let Some(name) = name {
                made = made.name(name);
            }
            if let Some(start) = start {
                made = made.start(start);
            }
            if let Some(end) = end {
                made = made.end(end);
            }
            made
        });
    proptest::collection::vec(row, 0..5)
}

prop_compose! {
    fn a_world()(accounts in accounts(), rows in rows(), cut in any::<bool>()) -> World {
        let mut made = world();
        let mut ids = BTreeSet::new();
        for (id, email, status, guest, name) in accounts {
            if !ids.insert(id) {
                continue;
            }
            let id = id.to_string();
            made = made
                .account_as(&id, email)
                .set(&id, |account| {
                    account.status = status;
                    account.name = name.map(str::to_owned);
                    if guest {
                        account.role = Role::Guest;
                    }
                });
        }
        for row in rows {
            made = made.hr(row);
        }
        if cut { made.cut() } else { made }
    }
}

/// A world in which a leaver usually has access.
fn a_failing_world() -> impl Strategy<Value = World> {
    a_world().prop_map(|made| {
        let left = row("E1").mail("ada@example.com").ended();
        made.account_as("9", "ada@example.com")
            .hr(left.end(date(2026, 11, 2)))
    })
}

/// The next run with the accounts and rows of another world.
fn then(snapshot: World, other: &World) -> World {
    let (population, hr) = (&other.inputs.population, &other.inputs.hr);
    snapshot.next().change(|inputs| {
        inputs.population.accounts = population.accounts.clone();
        inputs.hr.rows = hr.rows.clone();
    })
}

fn backwards(snapshot: World) -> World {
    snapshot.change(|inputs| {
        inputs.population.accounts.reverse();
        inputs.hr.rows.reverse();
    })
}

/// All results, independent of the order of the accounts.
fn results(snapshot: &World) -> String {
    let Judgement {
        verdict,
        reasons,
        in_doubt,
        complete,
        checks,
        leavers,
        concluded,
        gone,
        findings,
        changes,
        owners,
        hr_people,
        manual,
        links,
        feed_since,
        follow_ups,
        former_emails,
        organization_domains,
        counts,
        trend,
    } = snapshot.judge();
    let accounts = snapshot.inputs.population.accounts.iter();
    let owners: std::collections::BTreeMap<_, _> = accounts
        .map(|account| account.id.clone())
        .zip(owners)
        .collect();
    format!(
        "{verdict} {reasons:#?} {in_doubt} {complete} {checks:#?} {leavers:#?} {concluded:#?} {gone:#?} {findings:#?} {changes:#?} \
         {owners:#?} {manual:#?} {links:#?} {feed_since:?} {follow_ups:?} {former_emails:?} {organization_domains:?} {counts:?} {trend:?} {hr_people:?}"
    )
}

/// The address as a person would compare it; these worlds are plain ASCII.
fn plain(email: &str) -> String {
    email.trim().to_lowercase()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_order_of_accounts_and_rows_never_matters(one in a_world(), two in a_world()) {
        prop_assert_eq!(results(&one), results(&backwards(one.clone())));
        let forth = then(one.clone(), &two);
        let back = backwards(then(backwards(one), &two));
        prop_assert_eq!(results(&forth), results(&back));
    }

    #[test]
    fn each_leaver_of_the_feed_gets_exactly_one_outcome(one in a_world(), two in a_world()) {
        for snapshot in [one.clone(), then(one, &two)] {
            // Judging proves that the sums reconcile.
            let judged = snapshot.judge();
            for row in &snapshot.inputs.hr.rows {
                let Some(id) = &row.person_id else { continue };
                let mut of = judged.leavers.iter().filter(|leaver| {
                    leaver.in_feed
                        && leaver.person_id.iter().chain(&leaver.other_person_ids).any(|of| of == id)
                });
                let first = of.next();
                // If one id has two jobs, the first may continue.
                let mut same = snapshot.inputs.hr.rows.iter().filter(|of| of.person_id == row.person_id);
                let is_only = same.all(|of| of.status != Employment::Active);
                if row.status == Employment::Ended && is_only {
                    prop_assert!(first.is_some(), "{:?}", row);
                }
                // People with unlike names and one id are different people.
                let mut same = snapshot.inputs.hr.rows.iter().filter(|of| of.person_id == row.person_id);
                let is_one = snapshot.inputs.past.previous.is_none() && same.all(|of| of.name == row.name);
                prop_assert!(!is_one || of.next().is_none(), "{:?} has two outcomes", row);
            }
        }
    }

    #[test]
    fn nothing_that_is_left_out_makes_a_failing_world_pass_unseen(
        snapshot in a_failing_world(),
        account in any::<prop::sample::Index>(),
        person in any::<prop::sample::Index>(),
    ) {
        let before = snapshot.judge();
        prop_assume!(before.verdict == Verdict::Fail);
        let accounts = snapshot.inputs.population.accounts.len();
        let rows = snapshot.inputs.hr.rows.len();
        let next = snapshot.next();
        for shorter in [
            next.clone().change(|inputs| {
                inputs.population.accounts.remove(account.index(accounts));
            }),
            next.change(|inputs| {
                inputs.hr.rows.remove(person.index(rows));
            }),
        ] {
            let judged = shorter.judge();
            // An incomplete run is not a baseline, so only the leaver records the sighting.
            let reported = !judged.changes.is_empty()
                || !before.complete && judged.leavers.iter().any(|leaver| {
                    leaver.outcome == Outcome::Removed && leaver.last_seen_with_access.is_some()
                });
            prop_assert!(judged.verdict != Verdict::Pass || reported);
        }
    }

    #[test]
    fn access_that_was_found_stays_found_when_the_feed_is_emptied(snapshot in a_failing_world()) {
        let before = snapshot.judge();
        let accounts = snapshot.inputs.population.accounts.iter();
        let run_accounts: Vec<String> = accounts.map(|account| account.id.clone()).collect();
        let judged = snapshot.next().no_rows().judge();
        let of_accounts = before.findings.iter().filter(|finding| finding.account_id.is_some());
        for finding in of_accounts {
            let found = judged.findings.iter().any(|later| {
                // Accounts and leavers with one name are one question, reported on the first account.
                let is_question = later.kind == FindingKind::PossibleOffboardedAccess;
                later.kind == finding.kind
                    && (is_question || later.account_id == finding.account_id)
            });
            // Another leaver, whose work has not ended, uses the account.
            let accounts = run_accounts.iter().zip(&judged.owners);
            let mut owner = accounts.filter(|(id, _)| Some(*id) == finding.account_id.as_ref());
            let is_owned = owner.any(|(_, owner)| !owner.person_ids.is_empty());
            prop_assert!(found || is_owned, "{:?} is gone", finding);
        }
    }

    #[test]
    fn a_slow_obvious_matcher_agrees(snapshot in a_world()) {
        // An address of several people does not identify any of them.
        let rows = snapshot.inputs.hr.rows.iter();
        let emails: Vec<&EmailAddress> = rows.filter_map(|row| row.email.as_ref()).collect();
        let distinct: BTreeSet<&EmailAddress> = emails.iter().copied().collect();
        prop_assume!(distinct.len() == emails.len());
        let judged = snapshot.judge();
        for leaver in &judged.leavers {
            let addresses: BTreeSet<String> =
                leaver.emails.iter().map(|email| plain(email.as_written())).collect();
            let slow: BTreeSet<&str> = snapshot.inputs.population.accounts.iter()
                .filter(|account| {
                    let mut of = account.emails.iter().map(|email| plain(email.as_written()));
                    of.any(|email| addresses.contains(&email))
                })
                .map(|account| account.id.as_str())
                .collect();
            let quick: BTreeSet<&str> = leaver.account_id.iter().map(String::as_str).collect();
            prop_assert_eq!(slow, quick);
            prop_assert!(leaver.matched_by.iter().all(|kind| *kind == MatchKind::Email));
        }
    }
}
