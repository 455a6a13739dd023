//! Accounts that only one list names, and the `service` aliases for them.

use std::sync::Arc;

use super::checks::{disagreeing, me, service, service_of};
use super::world::*;
use crate::judgement::{
    CheckId, CheckStatus, FindingKind, GoneAccount, LinkedAccount, MatchKind, OffboardingResult,
    Outcome, Past, PersonLinks, Verdict,
};
use crate::model::{Role, Viewer};

use CheckStatus::{Fail, Pass};

/// A world of a second run in which only the memberships name account 7, with an alias that makes it a service account.
fn unlisted_with_alias(past: impl FnOnce(&mut Past)) -> World {
    let world = world().hr(left("E1").mail("ana@example.com")).next();
    let world = world.alias(service("7")).change(|inputs| {
        inputs.population.memberships = disagreeing("not listed");
    });
    world.change(|inputs| past(&mut inputs.past))
}

#[test]
fn no_alias_hides_an_account_that_an_earlier_run_tied_to_a_person() {
    let judged = unlisted_with_alias(|_| {}).judge();
    assert_eq!(status(&judged, CheckId::RowsReconcile), Pass);
    let instant = at("2026-11-01T00:00:00Z");
    let of_leaver = |concluded: bool| {
        unlisted_with_alias(move |past| {
            let previous = past.previous.as_mut().expect("a run");
            let leaver = Arc::make_mut(&mut previous.leavers[0]);
            leaver.account_id = vec!["7".to_owned()];
            leaver.account_email = vec![None];
            leaver.result = concluded.then_some(OffboardingResult::InTime);
        })
    };
    let linked = unlisted_with_alias(|past| {
        past.previous.as_mut().expect("a run").links = vec![PersonLinks {
            person_ids: vec!["E2".to_owned()],
            emails: Vec::new(),
            name: None,
            without_address: false,
            accounts: vec![LinkedAccount {
                account_id: "7".to_owned(),
                matched_by: MatchKind::PersonId,
            }],
        }];
    });
    let former = unlisted_with_alias(|past| {
        let former = &mut past.baseline.as_mut().expect("a run").former_emails;
        former.insert("7".to_owned(), vec![mail("ana@example.com")]);
    });
    let gone = unlisted_with_alias(|past| {
        let ended = GoneAccount {
            last_seen_with_access: instant,
            first_seen_without_access: instant,
        };
        let gone = &mut past.baseline.as_mut().expect("a run").gone;
        gone.insert("7".to_owned(), ended);
    });
    let by_me = unlisted_with_alias(|_| {}).change(|inputs| {
        inputs.population.viewer = Viewer::Account {
            id: "7".to_owned(),
            role: Role::Admin,
            has_address: true,
        };
    });
    for world in [
        of_leaver(false),
        of_leaver(true),
        linked,
        former,
        gone,
        by_me,
    ] {
        let judged = world.judge();
        let found = check(&judged, CheckId::RowsReconcile);
        assert_eq!(found.status, Fail);
        assert!(!found.detail.contains("ALIASES_URL"), "{}", found.detail);
        assert!(!judged.complete);
    }
}

#[test]
fn a_service_account_that_leaves_one_list_keeps_its_alias() {
    let unlisted = |world: World| {
        world.change(|inputs| inputs.population.memberships = disagreeing("not listed"))
    };
    let named = world().account_as("7", "none").alias(service("7"));
    let second = unlisted(named.next().without("7"));
    assert!(second.judge().complete);
    let third = unlisted(second.next());
    assert!(third.judge().complete);
}

#[test]
fn the_owner_of_an_account_that_only_the_memberships_name_may_leave() {
    let unlisted = world().account("ana@example.com").change(|inputs| {
        inputs.population.memberships = disagreeing("not listed");
    });
    let connected = world().account("ana@example.com").change(|inputs| {
        inputs.population.viewer = me("7", Role::Admin);
    });
    for world in [unlisted, connected] {
        let of = |owner: &str| {
            world
                .clone()
                .alias(service_of("7", owner))
                .hr(left("E1").mail("ana@example.com"))
                .without("ana")
        };
        let judged = of("ops@example.com").judge();
        assert!(judged.findings.is_empty(), "{:?}", judged.findings);
        for owner in ["E1", "ana@example.com"] {
            let judged = of(owner).judge();
            let [finding] = judged.findings.as_slice() else {
                panic!("{:?}", judged.findings);
            };
            assert_eq!(finding.kind, FindingKind::PossibleOffboardedAccess);
            assert_eq!(finding.account_id.as_deref(), Some("7"));
            assert!(
                finding
                    .note
                    .starts_with("the owner of this service account has left"),
                "{}",
                finding.note
            );
            assert_eq!(judged.verdict, Verdict::Inconclusive);
        }
    }
}

#[test]
fn an_account_that_no_list_names_has_no_owner_who_left() {
    let judged = world()
        .hr(left("E1").mail("ana@example.com"))
        .alias(service_of("7", "E1"))
        .judge();
    let kinds = Vec::from_iter(judged.findings.iter().map(|of| of.kind));
    assert!(!kinds.contains(&FindingKind::PossibleOffboardedAccess));
    assert_ne!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

#[test]
fn an_account_without_an_address_names_its_line() {
    let line = "if it is a service account or an AI teammate, closes with: \
                `ALIASES_URL: ,7,,service,<owner>,<why>,<who>,<date>`";
    let nameless = world().account_as("7", "none");
    let judged = nameless.clone().judge();
    assert_eq!(
        check(&judged, CheckId::FieldsKnown).detail,
        format!("1 account that has or may have access has no address; account 7 first: {line}")
    );
    let [finding] = judged.findings.as_slice() else {
        panic!("{:?}", judged.findings);
    };
    assert_eq!(finding.kind, FindingKind::AccountUnidentifiable);
    assert!(finding.note.ends_with(line), "{}", finding.note);
    let closed = nameless.alias(service("7")).judge();
    assert_eq!(closed.verdict, Verdict::Pass, "{:?}", closed.reasons);
    // Many accounts without an address have another cause.
    let many = (0..11).fold(world(), |world, n| {
        world.account_as(&format!("x{n}"), "none")
    });
    let judged = many.judge();
    let detail = &check(&judged, CheckId::FieldsKnown).detail;
    assert!(!detail.contains("closes with"), "{detail}");
    let mut notes = judged.findings.iter().map(|of| &of.note);
    assert!(notes.all(|note| !note.contains("closes with")));
}

#[test]
fn a_listed_account_without_a_membership_names_its_line() {
    let world = world()
        .account_as("7", "bot@example.com")
        .change(|inputs| inputs.population.memberships = disagreeing("without membership"));
    assert_eq!(
        check(&world.judge(), CheckId::RowsReconcile).detail,
        "1 listed account has no membership, account 7 first; run again; if it is a service account or an AI teammate, \
         closes with: `ALIASES_URL: ,7,,service,<owner>,<why>,<who>,<date>`"
    );
    let closed = world.alias(service("7")).judge();
    assert_eq!(closed.verdict, Verdict::Pass, "{:?}", closed.reasons);
}
