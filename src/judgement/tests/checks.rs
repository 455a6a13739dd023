//! Each check at its limits.

use jiff::SignedDuration;

use super::world::*;
use crate::judgement::{
    CheckId, CheckStatus, FeedScope, HrPeople, Inputs, ManualState, Mark, Outcome, Verdict,
};
use crate::model::{
    Alias, Employment, Lock, LockMode, Mapping, Memberships, RejectedRecord, Role, SecondList,
    Status, Viewer,
};
use crate::schedule::RunSchedule;

use CheckStatus::{Fail, Pass, Warn};

/// The status of a check after one change to a world without findings.
fn after(id: CheckId, change: impl FnOnce(&mut Inputs)) -> CheckStatus {
    let judged = world().exactly(change);
    if status(&judged, id) == Fail {
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        assert!(
            judged.reasons[0].contains(id.as_str()),
            "{:?}",
            judged.reasons
        );
    } else {
        assert_eq!(judged.verdict, Verdict::Pass, "{:?}", judged.reasons);
    }
    status(&judged, id)
}

#[test]
fn every_check_is_there_once_and_in_order() {
    let judged = world()
        .policy(|policy| policy.review_every_seconds = Some(90 * 86_400))
        .judge();
    let ids: Vec<CheckId> = judged.checks.iter().map(|check| check.id).collect();
    assert_eq!(ids, CheckId::ALL);
    for check in &judged.checks {
        let expected = if check.id == CheckId::LedgerContinues {
            Warn
        } else {
            Pass
        };
        assert_eq!(check.status, expected, "{}: {}", check.id, check.detail);
    }
}

#[test]
fn only_checks_on_the_list_decide_whether_a_run_is_complete() {
    let complete = |change: fn(&mut Inputs)| world().exactly(change).complete;
    assert!(complete(
        |inputs| inputs.population.connection.status = "x".to_owned()
    ));
    assert!(complete(
        |inputs| inputs.population.clock_skew_minutes = Some(99)
    ));
    assert!(complete(|inputs| inputs.hr.unusable = Some("x".to_owned())));
    assert!(complete(|inputs| inputs
        .past
        .ledger_faults
        .push("x".to_owned())));

    assert!(!complete(|inputs| inputs.population.workspaces_visible = 0));
    assert!(!complete(|inputs| inputs
        .population
        .listing
        .last_page_reached = false));
    assert!(!complete(|inputs| inputs.population.listing.rows += 1));
    assert!(!complete(|inputs| inputs.population.accounts[0]
        .emails
        .clear()));
    assert!(!complete(
        |inputs| inputs.population.accounts[0].role = Role::Guest
    ));
    assert!(!complete(|inputs| {
        inputs.population.accounts.clear();
        inputs.population.listing.rows = 0;
        inputs.population.listing.unique = 0;
        inputs.population.viewer = Viewer::NotReported {
            reason: "403".to_owned(),
        };
    }));
}

#[test]
fn a_connection_that_is_not_active_fails() {
    for (state, expected) in [
        ("active", Pass),
        ("connecting", Fail),
        ("needs_reauth", Fail),
    ] {
        let found = after(CheckId::ConnectionActive, |inputs| {
            inputs.population.connection.status = state.to_owned();
        });
        assert_eq!(found, expected, "{state}");
    }
}

#[test]
fn evidence_from_another_origin_is_marked() {
    let cases = [
        ("https://api.truto.one", false, None),
        ("https://api.truto.one", true, Some(Mark::Sandbox)),
        ("http://127.0.0.1:8080", false, Some(Mark::TestData)),
        ("http://127.0.0.1:8080", true, Some(Mark::TestData)),
        ("http://localhost:1", false, Some(Mark::TestData)),
        ("http://[::1]:1", false, Some(Mark::TestData)),
        ("https://truto.example", false, Some(Mark::Elsewhere)),
        ("https://truto.example", true, Some(Mark::Sandbox)),
        (
            "https://api.truto.one.example",
            false,
            Some(Mark::Elsewhere),
        ),
        ("https://127.example", false, Some(Mark::Elsewhere)),
        ("http://api.truto.one", false, Some(Mark::Elsewhere)),
    ];
    for (origin, is_sandbox, mark) in cases {
        assert_eq!(Mark::of(origin, is_sandbox), mark, "{origin}");
        let found = after(CheckId::SourceOrigin, |inputs| {
            inputs.population.origin = origin.to_owned();
            inputs.population.connection.is_sandbox = Some(is_sandbox);
        });
        assert_eq!(found, if mark.is_some() { Warn } else { Pass });
    }
}

#[test]
fn a_clock_more_than_five_minutes_off_fails() {
    for (skew, expected) in [
        (None, Warn),
        (Some(5), Pass),
        (Some(-5), Pass),
        (Some(6), Fail),
        (Some(-6), Fail),
        (Some(i64::MIN), Fail),
    ] {
        let found = after(CheckId::Clock, |inputs| {
            inputs.population.clock_skew_minutes = skew;
        });
        assert_eq!(found, expected, "{skew:?}");
    }
}

#[test]
fn a_clock_more_than_five_minutes_behind_the_last_entry_fails() {
    for (behind, skew, expected) in [
        (0, Some(0), Pass),
        (3, Some(0), Pass),
        (300, Some(0), Pass),
        (300, None, Warn),
        (301, Some(0), Fail),
        (301, None, Fail),
        (u64::MAX, Some(0), Fail),
    ] {
        let found = after(CheckId::Clock, |inputs| {
            inputs.past.clock_behind_seconds = behind;
            inputs.population.clock_skew_minutes = skew;
        });
        assert_eq!(found, expected, "{behind} {skew:?}");
    }
}

#[test]
fn a_connection_that_sees_no_workspace_fails() {
    for (visible, expected) in [(0, Fail), (1, Pass), (3, Pass)] {
        let found = after(CheckId::WorkspaceListed, |inputs| {
            inputs.population.workspaces_visible = visible;
        });
        assert_eq!(found, expected, "{visible}");
    }
}

#[test]
fn a_list_that_was_not_read_to_its_end_fails() {
    let id = CheckId::ListComplete;
    let stopped = Some("a cursor came twice".to_owned());
    assert_eq!(
        after(id, |i| i.population.listing.stopped_because = stopped),
        Fail
    );
    assert_eq!(
        after(id, |i| i.population.listing.last_page_reached = false),
        Fail
    );
}

fn unreadable() -> Memberships {
    Memberships::Unreadable {
        status: 403,
        missing_scopes: vec!["default".to_owned()],
    }
}

pub(super) fn second_list(not_listed: &[&str], only_listed: &[&str]) -> SecondList {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    SecondList {
        last_page_reached: true,
        rejected: 0,
        not_listed: ids(not_listed),
        only_listed: ids(only_listed),
    }
}

#[test]
fn a_full_list_is_complete_only_with_the_memberships() {
    let cut = SecondList {
        last_page_reached: false,
        ..SecondList::default()
    };
    for (memberships, second, expected) in [
        (agreeing(), None, Pass),
        (agreeing(), Some(cut.clone()), Pass),
        // The list may lack an account, and nothing else shows it.
        (unreadable(), None, Fail),
        (unreadable(), Some(second_list(&[], &[])), Fail),
        (unreadable(), Some(cut), Fail),
        (incomplete(), None, Fail),
        (incomplete(), Some(second_list(&[], &[])), Fail),
    ] {
        let case = format!("{memberships:?}, {second:?}");
        let judged = world().exactly(|inputs| {
            inputs.population.memberships = memberships;
            inputs.population.gaps.second_list = second;
        });
        assert_eq!(status(&judged, CheckId::ListComplete), expected, "{case}");
        assert_eq!(status(&judged, CheckId::RowsReconcile), Pass, "{case}");
        assert_eq!(judged.complete, expected == Pass, "{case}");
    }
    let judged = world().exactly(|inputs| inputs.population.memberships = unreadable());
    assert_eq!(
        check(&judged, CheckId::ListComplete).detail,
        "no second list confirms that the list is complete: the memberships could not be read (status 403, missing scope \
         default); connect again with full permissions; closes with: `asana-access-review connect --reconnect conn`; or, \
         if the organization grants only narrow scopes, with `ASANA_PERMISSIONS=narrow` and \
         `INTERNAL_DOMAINS=<its mail domains>`"
    );
    let judged = world().exactly(|inputs| inputs.population.memberships = incomplete());
    assert_eq!(
        check(&judged, CheckId::ListComplete).detail,
        "no second list confirms that the list is complete: the memberships were not read to their end (a page answered \
         500); run again; if it happens again, send Truto support the page and cursor digests of manifest.json"
    );
}

#[test]
fn an_account_that_only_asanas_own_list_has_is_never_overlooked() {
    let cut = SecondList {
        last_page_reached: false,
        ..second_list(&["7"], &["root"])
    };
    for memberships in [agreeing(), unreadable(), incomplete()] {
        for second in [second_list(&["7"], &[]), cut.clone()] {
            let judged = world().exactly(|inputs| {
                inputs.population.memberships = memberships.clone();
                inputs.population.gaps.second_list = Some(second);
            });
            assert_eq!(status(&judged, CheckId::RowsReconcile), Fail);
            assert!(!judged.complete);
            let detail = &check(&judged, CheckId::RowsReconcile).detail;
            assert_eq!(
                detail,
                "1 account of Asana's own list of users is missing from the list, account 7 first; run again; if it is a \
                 service account or an AI teammate, closes with: \
                 `ALIASES_URL: ,7,,service,<owner>,<why>,<who>,<date>`"
            );
        }
    }
    let unreadable_row = SecondList {
        rejected: 1,
        ..second_list(&[], &[])
    };
    // The memberships are the better source.
    for (second, without) in [
        (second_list(&[], &[]), Pass),
        (unreadable_row, Fail),
        (second_list(&[], &["root"]), Fail),
    ] {
        for (memberships, expected) in [(unreadable(), without), (agreeing(), Pass)] {
            let judged = world().exactly(|inputs| {
                inputs.population.memberships = memberships;
                inputs.population.gaps.second_list = Some(second.clone());
            });
            assert_eq!(
                status(&judged, CheckId::RowsReconcile),
                expected,
                "{second:?}"
            );
        }
    }
}

/// An alias that makes this account a service account.
pub(super) fn service(account_id: &str) -> impl FnOnce(&mut Alias) {
    service_of(account_id, "ops@example.com")
}

pub(super) fn service_of(account_id: &str, owner: &str) -> impl FnOnce(&mut Alias) {
    move |alias| {
        alias.account_id = text(account_id);
        alias.relation = text("service");
        alias.owner = text(owner);
        alias.reason = text("mirrors builds into tasks");
        alias.approved_by = text("ciso@example.com");
        alias.expires_on = text("2027-03-31");
    }
}

#[test]
fn a_service_alias_explains_an_account_that_one_list_lacks() {
    let with = |not_listed: &[&str]| {
        let ids = Vec::from_iter(not_listed.iter().map(|id| (*id).to_owned()));
        world().change(|inputs| {
            let Memberships::Read {
                active_not_listed, ..
            } = &mut inputs.population.memberships
            else {
                panic!("memberships");
            };
            *active_not_listed = ids;
        })
    };
    for partial in [false, true] {
        let with = |ids: &[&str]| {
            with(ids).change(|inputs| inputs.population.listing.partial_response = partial)
        };
        let judged = with(&["7"]).judge();
        assert_eq!(status(&judged, CheckId::RowsReconcile), Fail);
        let judged = with(&["7"]).alias(service("7")).judge();
        assert_eq!(status(&judged, CheckId::RowsReconcile), Pass);
        assert!(judged.complete);
        assert_eq!(judged.manual[0].state, ManualState::Used);
        // Every account needs its own line.
        let judged = with(&["7", "8"]).alias(service("7")).judge();
        let detail = &check(&judged, CheckId::RowsReconcile).detail;
        assert!(
            detail.starts_with("1 active membership is missing from the list, account 8 first"),
            "{detail}"
        );
        assert!(!judged.complete);
    }
}

#[test]
fn no_alias_hides_an_account_that_has_or_had_an_address() {
    let missing = |world: World| {
        world.change(|inputs| inputs.population.memberships = disagreeing("not listed"))
    };
    let before = missing(
        world()
            .account_as("7", "ana@example.com")
            .next()
            .without("7"),
    );
    let now = missing(world()).change(|inputs| {
        inputs.population.gaps.unlisted_with_email = vec!["7".to_owned()];
    });
    for world in [before, now] {
        let judged = world.alias(service("7")).judge();
        let detail = &check(&judged, CheckId::RowsReconcile).detail;
        assert_eq!(
            detail,
            "1 active membership is missing from the list, account 7 first; run again; if it happens again, send Truto \
             support the page and cursor digests of manifest.json"
        );
        assert!(!judged.complete);
    }
}

fn incomplete() -> Memberships {
    Memberships::Incomplete {
        reason: "a page answered 500".to_owned(),
    }
}

/// Memberships that were read completely, with one fault.
pub(super) fn disagreeing(amiss: &str) -> Memberships {
    let ids = |here: &str| {
        if amiss == here {
            vec!["7".to_owned()]
        } else {
            Vec::new()
        }
    };
    Memberships::Read {
        rows: 1,
        rejected: u64::from(amiss == "rejected"),
        active: 1,
        inactive: 0,
        unknown: 0,
        active_not_listed: ids("not listed"),
        listed_without_membership: ids("without membership"),
    }
}

#[test]
fn a_partial_list_needs_agreeing_memberships() {
    for (memberships, expected) in [
        (agreeing(), Pass),
        (unreadable(), Fail),
        (incomplete(), Fail),
        (disagreeing("not listed"), Fail),
        (disagreeing("without membership"), Fail),
        (disagreeing("rejected"), Fail),
    ] {
        let judged = world().exactly(|inputs| {
            inputs.population.listing.partial_response = true;
            inputs.population.memberships = memberships;
        });
        assert_eq!(status(&judged, CheckId::ListComplete), expected);
        assert_eq!(judged.complete, expected == Pass);
    }
}

#[test]
fn rows_and_accounts_must_add_up() {
    let id = CheckId::RowsReconcile;
    assert_eq!(after(id, |i| i.population.listing.rows += 1), Fail);
    assert_eq!(after(id, |i| i.population.listing.duplicates += 1), Fail);
    let both = |i: &mut Inputs| {
        i.population.listing.rows += 1;
        i.population.listing.duplicates += 1;
    };
    assert_eq!(after(id, both), Pass);
    let more = |i: &mut Inputs| {
        i.population.listing.rows += 1;
        i.population.listing.unique += 1;
    };
    assert_eq!(after(id, more), Fail);
    let rejected = |i: &mut Inputs| {
        i.population.listing.rows += 1;
        i.population.listing.rejected.push(RejectedRecord {
            page: 1,
            row: 2,
            reason: "no id".to_owned(),
        });
    };
    assert_eq!(after(id, rejected), Fail);
}

#[test]
fn the_memberships_must_name_the_same_accounts() {
    for (memberships, expected) in [
        (agreeing(), Pass),
        (disagreeing("not listed"), Fail),
        (disagreeing("without membership"), Fail),
        (disagreeing("rejected"), Fail),
    ] {
        let found = after(CheckId::RowsReconcile, |inputs| {
            inputs.population.memberships = memberships;
        });
        assert_eq!(found, expected);
    }
}

#[test]
fn a_list_without_accounts_fails() {
    let found = after(CheckId::PopulationSize, |inputs| {
        inputs.population.accounts.clear();
        inputs.population.listing.rows = 0;
        inputs.population.listing.unique = 0;
        inputs.population.viewer = Viewer::NotReported {
            reason: "403".to_owned(),
        };
    });
    assert_eq!(found, Fail);
}

#[test]
fn exactly_two_thousand_accounts_need_agreeing_memberships() {
    // The viewer is one of them.
    for (others, memberships, expected) in [
        (1998, unreadable(), Pass),
        (1999, unreadable(), Fail),
        (1999, agreeing(), Pass),
        (2000, unreadable(), Pass),
    ] {
        let judged = world()
            .crowd(others)
            .change(|inputs| inputs.population.memberships = memberships)
            .judge();
        assert_eq!(
            status(&judged, CheckId::PopulationSize),
            expected,
            "{others}"
        );
    }
}

#[test]
fn a_fall_by_more_than_the_percentage_and_at_least_five_fails() {
    // The viewer is one of them.
    let cases = [
        (100, 70, Pass), // exactly 30 %
        (100, 69, Fail),
        (25, 7, Fail),
        (14, 10, Pass), // 28.6 %
        (10, 6, Pass),  // 40 %, but only 4 accounts
        (10, 5, Fail),
        (100, 130, Pass),
        (5, 1, Pass),
        (6, 1, Fail),
    ];
    for (before, now, expected) in cases {
        let mut next = world().crowd(before - 1).next();
        while next.inputs.population.accounts.len() > now {
            let last = next.inputs.population.accounts.last().unwrap().id.clone();
            next = next.without(&last);
        }
        let judged = next.judge();
        let found = status(&judged, CheckId::PopulationDrop);
        assert_eq!(found, expected, "{before} to {now}");
        assert_eq!(judged.complete, expected == Pass);
    }
}

#[test]
fn a_fall_is_measured_against_the_largest_run_of_seven_days() {
    let many = world().crowd(99).next();
    let few = many.change(|inputs| {
        inputs.population.accounts.truncate(60);
        inputs.policy.max_drop_percent = 50;
    });
    let strict = |world: World| {
        let judged = world.policy(|policy| policy.max_drop_percent = 30).judge();
        status(&judged, CheckId::PopulationDrop)
    };
    // After six small runs the large one is seven days old.
    let six = few.snapshots(6);
    assert_eq!(strict(six.clone()), Fail);
    let later = six.clone().at("2026-11-30T22:40:01Z");
    assert_eq!(strict(later), Pass);
    // The number of runs within the days does not matter.
    let hourly = (0..30).fold(many_then_few(), |world, hour| {
        let next = world.inputs.as_of + SignedDuration::from_hours(1);
        assert_eq!(strict(world.clone()), Fail, "after {hour} runs");
        world.next().at(&next.to_string())
    });
    assert_eq!(strict(hourly), Fail);
}

fn many_then_few() -> World {
    world().crowd(99).next().change(|inputs| {
        inputs.population.accounts.truncate(60);
        inputs.policy.max_drop_percent = 50;
    })
}

#[test]
fn a_fall_is_measured_against_an_old_run_if_it_is_the_last() {
    let drop = |world: &World| {
        let judged = world.judge();
        let check = check(&judged, CheckId::PopulationDrop);
        (check.status, check.detail.clone())
    };
    let first = world().crowd(24).next();
    let few = first.clone().at("2027-01-23T22:40:00Z").change(|inputs| {
        inputs.population.accounts.truncate(7);
    });
    let line = "closes with: `EXCEPTIONS_URL: ,,,population_drop,<why>,<who>,<today>,<date>`";
    let detail = format!(
        "7 now, 25 in the last complete run, which is more than 7 days old: fell by 18 (72 %), more than 30 %; {line}"
    );
    assert_eq!(drop(&few), (Fail, detail));
    // The number of incomplete runs in between does not matter.
    let incomplete = (0..95).fold(first, |world, _| world.cut().next());
    let few = incomplete.change(|inputs| inputs.population.accounts.truncate(7));
    assert_eq!(drop(&few).0, Fail);
}

#[test]
fn a_fall_is_reported_with_numbers_and_the_line_that_accepts_it() {
    let few = world().crowd(24).next().change(|inputs| {
        inputs.population.accounts.truncate(7);
    });
    let judged = few.judge();
    assert!(!judged.complete);
    assert_eq!(
        check(&judged, CheckId::PopulationDrop).detail,
        "7 now, a high of 25 in the complete runs of the last 7 days: fell by 18 (72 %), more than 30 %; closes with: \
         `EXCEPTIONS_URL: ,,,population_drop,<why>,<who>,<today>,<date>`"
    );
    let accepted = few.exception(|exception| exception.check = text("population_drop"));
    let judged = accepted.judge();
    assert_eq!(status(&judged, CheckId::PopulationDrop), Warn);
    assert!(judged.complete);

    // A percentage slightly above the limit is never shown as the limit.
    let few = world().crowd(9_998).next().change(|inputs| {
        inputs.population.accounts.truncate(6_999);
    });
    let judged = few.judge();
    let detail = &check(&judged, CheckId::PopulationDrop).detail;
    assert!(
        detail.contains("fell by 3000 (30.1 %), more than 30 %"),
        "{detail}"
    );
}

#[test]
fn an_account_with_access_but_without_an_address_fails() {
    for (state, expected) in [
        (Status::Active, Fail),
        (Status::Invited, Fail),
        (Status::Unknown(None), Fail),
        (Status::Inactive, Pass),
    ] {
        let judged = world()
            .account("ada@example.com")
            .status("ada", state)
            .set("ada", |account| account.emails.clear())
            .judge();
        assert_eq!(status(&judged, CheckId::FieldsKnown), expected);
    }
}

#[test]
fn an_unknown_status_or_role_warns() {
    let ada = || world().account("ada@example.com");
    for judged in [
        ada().status("ada", Status::Unknown(None)).judge(),
        ada().role("ada", Role::Unknown(None)).judge(),
    ] {
        assert_eq!(status(&judged, CheckId::FieldsKnown), Warn);
        assert_eq!(judged.verdict, Verdict::Pass);
    }
}

#[test]
fn a_missing_scope_is_named() {
    let judged = world()
        .account("ada@example.com")
        .set("ada", |account| account.emails.clear())
        .change(|inputs| inputs.population.gaps.missing_scopes = vec!["users:read".to_owned()])
        .judge();
    assert!(
        check(&judged, CheckId::FieldsKnown)
            .detail
            .contains("users:read")
    );
}

#[test]
fn the_connected_account_must_be_an_administrator() {
    for (role, expected) in [
        (Role::Admin, Pass),
        (Role::Member, Fail),
        (Role::Guest, Fail),
        // It may be a guest, who sees a few people only.
        (Role::Unknown(None), Fail),
    ] {
        let judged = world().role("root", role).judge();
        assert_eq!(status(&judged, CheckId::Viewer), expected);
        assert_eq!(judged.complete, expected != Fail);
    }
    for (listed, of_me, expected) in [
        (Role::Admin, Role::Admin, Pass),
        (Role::Admin, Role::Member, Fail),
        (Role::Admin, Role::Guest, Fail),
        (Role::Admin, Role::Unknown(text("owner")), Pass),
        (Role::Member, Role::Admin, Fail),
        (Role::Unknown(None), Role::Admin, Pass),
        (Role::Unknown(None), Role::Guest, Fail),
        (Role::Unknown(None), Role::Unknown(None), Fail),
    ] {
        let case = format!("listed {listed}, {of_me} by itself");
        let world = world().role("root", listed).change(|inputs| {
            let id = "root".to_owned();
            inputs.population.viewer = Viewer::Account {
                id,
                role: of_me,
                has_address: false,
            };
        });
        assert_eq!(status(&world.judge(), CheckId::Viewer), expected, "{case}");
    }
}

/// The detail of a failed check `viewer` for this connected account.
fn viewer_failed(world: World, viewer: Viewer) -> String {
    let judged = world
        .change(|inputs| inputs.population.viewer = viewer)
        .judge();
    assert_eq!(status(&judged, CheckId::Viewer), Fail);
    assert!(!judged.complete);
    check(&judged, CheckId::Viewer).detail.clone()
}

pub(super) fn me(id: &str, role: Role) -> Viewer {
    let id = id.to_owned();
    Viewer::Account {
        id,
        role,
        has_address: false,
    }
}

#[test]
fn each_doubt_about_the_connected_account_names_its_line() {
    let again = "closes with: `asana-access-review connect --reconnect conn`";
    assert_eq!(
        viewer_failed(world(), me("root", Role::Guest)),
        format!(
            "the connected account root is a guest (Asana gives the roles guest and admin; the lower one counts): it may not see \
             every account; connect as an administrator; {again}"
        )
    );
    assert_eq!(
        viewer_failed(
            world().role("root", Role::Unknown(None)),
            me("root", Role::Unknown(None))
        ),
        format!(
            "the role of the connected account root is unknown, so nothing shows that it sees every account; connect again \
             with full permissions; {again}; or, if the organization grants only narrow scopes, with \
             `ASANA_PERMISSIONS=narrow` and `INTERNAL_DOMAINS=<its mail domains>`"
        )
    );
    let reason = "403".to_owned();
    assert_eq!(
        viewer_failed(world(), Viewer::NotReported { reason }),
        format!(
            "the connected account is unknown (403), so nothing shows that it sees every account; connect again; {again}"
        )
    );
    assert_eq!(
        viewer_failed(world(), me("7", Role::Unknown(None))),
        "the connected account 7 is missing from the list; if it is a service account, closes with: `ALIASES_URL: ,7,,service,<owner>,<why>,<who>,<date>`"
    );
}

#[test]
fn a_service_account_may_be_connected_and_missing_from_the_list() {
    let connected = |role: Role| {
        let world = world().alias(service("7"));
        world.change(|inputs| inputs.population.viewer = me("7", role))
    };
    for (role, expected) in [
        (Role::Unknown(None), Pass),
        (Role::Admin, Pass),
        (Role::Member, Fail),
        (Role::Guest, Fail),
    ] {
        let judged = connected(role).judge();
        assert_eq!(status(&judged, CheckId::Viewer), expected);
        assert_eq!(judged.complete, expected == Pass);
    }
    // An account of a person is not a service account after it left the list.
    let person = world()
        .account_as("7", "ana@example.com")
        .next()
        .without("7");
    let detail = viewer_failed(person.alias(service("7")), me("7", Role::Unknown(None)));
    assert!(
        detail.ends_with(
            "connect again; closes with: `asana-access-review connect --reconnect conn`"
        ),
        "{detail}"
    );
    // Nor does an alias replace the role of a listed account.
    let listed = world()
        .role("root", Role::Unknown(None))
        .alias(service("root"));
    viewer_failed(listed, me("root", Role::Unknown(None)));
}

#[test]
fn an_old_undated_or_future_hr_feed_fails() {
    let hours = SignedDuration::from_hours;
    let second = SignedDuration::from_secs(1);
    for (age, expected) in [
        (Some(hours(48)), Pass),
        (Some(hours(48) + second), Fail),
        // Clocks may differ by five minutes.
        (Some(-SignedDuration::from_mins(5)), Pass),
        (Some(-SignedDuration::from_mins(5) - second), Fail),
        (None, Fail),
    ] {
        let found = after(CheckId::HrFresh, |inputs| {
            inputs.hr.origin.modified_at = age.map(|age| inputs.as_of - age);
        });
        assert_eq!(found, expected, "{age:?}");
    }
    let off = after(CheckId::HrFresh, |inputs| {
        inputs.policy.hr_feed_max_age_seconds = None;
        inputs.hr.origin.modified_at = None;
    });
    assert_eq!(off, Pass);
}

#[test]
fn a_feed_without_leavers_fails_unless_allowed() {
    let strict = world().policy(|policy| policy.hr_feed_allow_empty = false);
    let empty = |world: World| status(&world.judge(), CheckId::HrNotEmpty);
    let ada = || row("E1").mail("ada@example.com");
    assert_eq!(empty(world()), Pass);
    assert_eq!(empty(strict.clone()), Fail);
    assert_eq!(empty(strict.clone().hr(ada().active())), Fail);
    assert_eq!(empty(strict.clone().hr(ada().end(date(2026, 12, 1)))), Pass);

    // Leavers of an earlier run do not count, because this run's file does not name them.
    let left = strict.hr(ada().ended().end(date(2026, 11, 2))).next();
    assert_eq!(empty(left.clone()), Pass);
    assert_eq!(empty(left.clone().no_rows()), Fail);
    assert_eq!(empty(left.no_rows().hr(ada().active())), Fail);
}

#[test]
fn a_rejected_row_fails() {
    let id = CheckId::HrRowsAccounted;
    assert_eq!(status(&world().rejected(None, None).judge(), id), Fail);
    assert_eq!(status(&world().unusable().judge(), id), Fail);
    let word = row("E1")
        .mail("ada@example.com")
        .word("Garden Leave")
        .end(date(2026, 11, 2));
    assert_eq!(status(&world().hr(word).judge(), id), Warn);
}

#[test]
fn a_feed_of_another_organization_fails() {
    let id = CheckId::HrMatchable;
    let leaver = |email: &str| world().leaver(email, date(2026, 11, 2));
    assert_eq!(status(&leaver("ada@example.com").judge(), id), Pass);
    assert_eq!(status(&leaver("ada@elsewhere.example").judge(), id), Fail);
    // One shared domain is enough.
    let mixed = leaver("ada@elsewhere.example").leaver("bob@example.com", date(2026, 11, 2));
    assert_eq!(status(&mixed.judge(), id), Pass);
    // A guest's domain does not count.
    let guest = leaver("ada@elsewhere.example")
        .account("guest@elsewhere.example")
        .role("guest", Role::Guest);
    assert_eq!(status(&guest.judge(), id), Fail);
}

#[test]
fn a_collapsed_hr_feed_fails_unless_rows_may_drop_out() {
    let leavers = |count: usize| {
        (0..count).fold(world().no_rows(), |world, number| {
            world.leaver(&format!("c{number}@example.com"), date(2026, 11, 2))
        })
    };
    let rows = leavers(70).inputs.hr.rows;
    let fallen = |rows: usize, blank: u64, scope: FeedScope| {
        let snapshot = leavers(100)
            .policy(|policy| policy.hr_feed_scope = scope)
            .next();
        let judged = snapshot
            .change(|inputs| {
                inputs.hr.rows.truncate(rows);
                inputs.hr.blank_rows = blank;
                inputs.hr.duplicate_rows = blank;
            })
            .judge();
        status(&judged, CheckId::HrDrop)
    };
    assert_eq!(rows.len(), 70);
    assert_eq!(fallen(70, 0, FeedScope::Leavers), Pass);
    assert_eq!(fallen(69, 0, FeedScope::Leavers), Fail);
    assert_eq!(fallen(69, 0, FeedScope::RecentLeavers), Pass);
    // Blank and repeated rows do not compensate for missing ones.
    assert_eq!(fallen(3, 60, FeedScope::Leavers), Fail);
}

#[test]
fn a_missed_run_warns() {
    let snapshot = world().next();
    let found = |instant: &str| status(&snapshot.clone().at(instant).judge(), CheckId::Cadence);
    assert_eq!(found("2026-11-25T10:40:00Z"), Pass); // 36 h
    assert_eq!(found("2026-11-25T10:40:01Z"), Warn);
    // Our clock was set back to before the last run.
    assert_eq!(found("2026-11-22T22:40:00Z"), Warn);

    // Only a complete run counts.
    let cut = world().cut().next();
    assert_eq!(status(&cut.judge(), CheckId::Cadence), Warn);
    assert_eq!(status(&world().judge(), CheckId::Cadence), Pass);
}

#[test]
fn cadence_counts_the_runs_since_the_last_complete_one() {
    let detail = |world: &World| check(&world.judge(), CheckId::Cadence).detail.clone();
    let snapshot = world().next();
    assert_eq!(detail(&snapshot), "24 h since the last complete run");
    let late = snapshot.clone().sleep().sleep();
    assert_eq!(
        detail(&late),
        "72 h since the last complete run; no run in between left a record"
    );
    let cut = snapshot.clone().cut().next();
    assert_eq!(
        detail(&cut),
        "48 h since the last complete run; in between, 1 run was incomplete"
    );
    let cut_twice = cut.cut().next();
    let failed = cut_twice.change(|inputs| inputs.past.failed_since_baseline = 1);
    assert_eq!(
        detail(&failed),
        "72 h since the last complete run; in between, 2 runs were incomplete and 1 run failed"
    );
    let judged = failed.judge();
    let numbers = &check(&judged, CheckId::Cadence).numbers;
    assert_eq!(numbers["incomplete_in_between"], 2);
    assert_eq!(numbers["failed_in_between"], 1);
    // A complete run ends the count.
    let detail = detail(&failed.next());
    assert_eq!(detail, "24 h since the last complete run");
}

#[test]
fn cadence_names_zones_with_deadlines_between_distant_runs() {
    // The deadline is the midnight at the end of the 24th, UTC.
    let first = world().leaver("ada@example.com", date(2026, 11, 22));
    let zones = |world: &World| {
        let judged = world.judge();
        check(&judged, CheckId::Cadence).numbers["zones_without_close_runs"].clone()
    };
    let at = |instant: &str| first.clone().next().at(instant);
    assert_eq!(zones(&at("2026-11-24T00:40:00Z")), "");
    let far = at("2026-11-24T00:40:01Z");
    assert_eq!(zones(&far), "Etc/UTC");
    let judged = far.judge();
    assert_eq!(
        check(&judged, CheckId::Cadence).detail,
        "2 h since the last complete run; deadlines in Etc/UTC fell due since then, and the complete runs before and after them are more than 2 hours apart"
    );
    assert_eq!(status(&judged, CheckId::Cadence), Pass);
    // The check does not name a zone before the deadline, or two runs after it.
    assert_eq!(zones(&at("2026-11-23T23:59:00Z")), "");
    assert_eq!(zones(&far.next()), "");
}

fn scheduled(snapshot: World, cron: &str, zone: &str) -> World {
    snapshot.change(|inputs| {
        inputs.schedule = Some(RunSchedule {
            cron: cron.to_owned(),
            zone: zone.to_owned(),
        });
    })
}

#[test]
fn cadence_names_zones_that_the_schedule_does_not_cover() {
    let cadence = |snapshot: &World| check(&snapshot.judge(), CheckId::Cadence).clone();
    let berlin = |snapshot: World| {
        snapshot.policy(|policy| policy.hr_time_zone = "Europe/Berlin".to_owned())
    };
    let twice = cadence(&scheduled(
        berlin(world()),
        "30 0,23 * * *",
        "Europe/Berlin",
    ));
    assert_eq!(
        (twice.status, twice.detail.as_str()),
        (Pass, "the first run")
    );
    assert_eq!(twice.numbers["zones_without_close_runs"], "");

    let once = scheduled(berlin(world()), "40 23 * * *", "Europe/Berlin");
    let found = cadence(&once);
    assert_eq!(found.status, Warn);
    assert_eq!(found.numbers["zones_without_close_runs"], "Europe/Berlin");
    assert_eq!(
        found.detail,
        "the first run; the schedule 40 23 * * * (Europe/Berlin) does not have two runs within 2 hours around every \
         deadline in Europe/Berlin: a removal between two runs may be proven neither in time nor late; closes \
         with: `RUN_SCHEDULE: 30 0,23 * * *`"
    );
    // A warning does not make a run inconclusive.
    let judged = once.judge();
    assert_eq!((judged.verdict, judged.complete), (Verdict::Pass, true));
}

#[test]
fn cadence_checks_every_zone_of_the_feed() {
    let in_tokyo = |snapshot: World| {
        snapshot.change(|inputs| {
            for row in &mut inputs.hr.rows {
                let end = row.end.as_mut().expect("an end");
                end.zone = "Asia/Tokyo".into();
            }
        })
    };
    let snapshot = || in_tokyo(world().leaver("ada@example.com", date(2026, 11, 22)));
    let cadence = |snapshot: &World| check(&snapshot.judge(), CheckId::Cadence).clone();
    let found = cadence(&scheduled(snapshot(), "30 0,23 * * *", "Etc/UTC"));
    assert_eq!(found.numbers["zones_without_close_runs"], "Asia/Tokyo");
    let closes_with = "`RUN_SCHEDULE: 30 0,14,15,23 * * *`";
    assert!(found.detail.ends_with(closes_with), "{}", found.detail);
    let closed = scheduled(snapshot(), "30 0,14,15,23 * * *", "Etc/UTC");
    assert_eq!(cadence(&closed).status, Pass);
    // A date with its own offset does not have a zone.
    let with_offset = snapshot().change(|inputs| {
        let end = inputs.hr.rows[0].end.as_mut().expect("an end");
        end.zone = "offset".into();
    });
    let twice = scheduled(with_offset, "30 0,23 * * *", "Etc/UTC");
    assert_eq!(cadence(&twice).status, Pass);
}

#[test]
fn a_known_schedule_decides_about_zones_instead_of_past_runs() {
    let first = world().leaver("ada@example.com", date(2026, 11, 22));
    let far = first.next().at("2026-11-24T00:40:01Z");
    let found = check(&far.judge(), CheckId::Cadence).clone();
    assert_eq!(found.numbers["zones_without_close_runs"], "Etc/UTC");
    let judged = scheduled(far, "30 0,23 * * *", "Etc/UTC").judge();
    let found = check(&judged, CheckId::Cadence);
    assert_eq!(found.detail, "2 h since the last complete run");
    assert_eq!(found.numbers["zones_without_close_runs"], "");
}

#[test]
fn another_schedule_is_a_changed_rule() {
    let snapshot = scheduled(world(), "30 0,23 * * *", "Etc/UTC").next();
    assert_eq!(status(&snapshot.judge(), CheckId::PolicyUnchanged), Pass);
    let judged = scheduled(snapshot, "40 23 * * *", "Etc/UTC").judge();
    let found = check(&judged, CheckId::PolicyUnchanged);
    assert_eq!(found.detail, "changed since the previous run: schedule");
}

#[test]
fn hr_people_and_the_other_row_counts_add_up_to_the_file() {
    let on_leave = |mut row: WorldRow| {
        row.0.status = Employment::OnLeave;
        row
    };
    let snapshot = world()
        .leaver("ada@example.com", date(2026, 11, 2))
        // One rehired person in two rows.
        .hr(row("E1")
            .mail("bo@example.com")
            .ended()
            .end(date(2025, 5, 30)))
        .hr(row("E1")
            .mail("bo@example.com")
            .active()
            .start(date(2026, 1, 5)))
        .hr(row("E2").mail("cy@example.com").active())
        .hr(row("E3")
            .mail("di@example.com")
            .active()
            .end(date(2026, 12, 24)))
        .hr(on_leave(row("E4").mail("ed@example.com")))
        // A contradiction.
        .hr(row("E5")
            .mail("fy@example.com")
            .active()
            .end(date(2026, 11, 2)))
        .hr(row("E6").mail("gus@example.com").word("sabbatical"))
        .rejected(Some("E7"), None)
        .change(|inputs| {
            inputs.policy.hr_feed_scope = FeedScope::Roster;
            inputs.hr.blank_rows = 3;
            inputs.hr.duplicate_rows = 2;
        });
    let people = snapshot.judge().hr_people;
    assert_eq!(
        people,
        HrPeople {
            employed: 3,
            on_leave: 1,
            left: 1,
            unclassified: 2,
            further_rows: 1,
        }
    );
    let hr = &snapshot.inputs.hr;
    let others = hr.rejected.len() as u64 + hr.blank_rows + hr.duplicate_rows;
    let sum = people.total() + people.further_rows + others;
    assert_eq!(sum, hr.rows_in_file());
    assert_eq!(sum, 14);

    // A leaver who is followed without a row is not counted.
    let vanished = snapshot.next().no_rows().judge().hr_people;
    assert_eq!(vanished, HrPeople::default());
}

#[test]
fn a_ledger_fault_fails_and_the_first_entry_warns() {
    let id = CheckId::LedgerContinues;
    assert_eq!(after(id, |_| ()), Warn);
    assert_eq!(after(id, |i| i.past.ledger_head = Some(41)), Pass);
    let faulty = |i: &mut Inputs| i.past.ledger_faults.push("entry 40 is altered".to_owned());
    assert_eq!(after(id, faulty), Fail);
}

#[test]
fn a_fault_of_the_ledger_fails_only_the_run_that_records_it() {
    let recorded = world().next().change(|inputs| {
        let previous = inputs.past.previous.as_mut().expect("a run");
        previous.ledger_faults = vec!["entry 40 is altered".to_owned()];
    });
    for (faults, expected) in [
        (&["entry 40 is altered"][..], Warn),
        (&["entry 4 is altered"], Fail),
        (&["entry 40 is altered", "entry 41 is altered"], Fail),
    ] {
        let world = recorded.clone().change(|inputs| {
            inputs.past.ledger_faults = faults.iter().map(|&fault| fault.to_owned()).collect();
        });
        let found = status(&world.judge(), CheckId::LedgerContinues);
        assert_eq!(found, expected, "{faults:?}");
    }
}

fn locked(mode: LockMode, days: u32) -> Option<Lock> {
    Some(Lock { mode, days })
}

#[test]
fn a_store_must_protect_evidence_as_configured() {
    use LockMode::{Compliance, Governance};
    let year = locked(Governance, 365);
    let cases = [
        (None, year, Pass),
        (None, None, Warn),
        (year, year, Pass),
        (year, locked(Governance, 366), Pass),
        (year, locked(Governance, 364), Fail),
        (year, locked(Compliance, 365), Fail),
        (locked(Compliance, 365), year, Fail),
        (year, None, Fail),
    ];
    for (asked, got, expected) in cases {
        let found = after(CheckId::StoreProtection, |inputs| {
            let store = inputs.store.as_mut().expect("a store");
            (store.lock_asked, store.lock) = (asked, got);
        });
        assert_eq!(found, expected, "asked {asked:?}, got {got:?}");
    }
    let kms = Some("aws:kms".to_owned());
    for (asked, got, expected) in [
        (None, None, Pass),
        (kms.clone(), kms.clone(), Pass),
        (kms.clone(), Some("AES256".to_owned()), Fail),
        (kms, None, Fail),
    ] {
        let found = after(CheckId::StoreProtection, |inputs| {
            let store = inputs.store.as_mut().expect("a store");
            (store.encryption_asked, store.encryption) = (asked, got);
        });
        assert_eq!(found, expected);
    }
    let found = after(CheckId::StoreProtection, |inputs| {
        inputs.store.as_mut().expect("a store").create_only = false;
    });
    assert_eq!(found, Fail);
    let found = after(CheckId::StoreProtection, |inputs| {
        inputs.store.as_mut().expect("a store").unread = Some("HEAD was refused".to_owned());
    });
    assert_eq!(found, Warn);
}

#[test]
fn the_protection_of_the_store_is_reported_with_its_numbers() {
    let judged = world()
        .change(|inputs| {
            let store = inputs.store.as_mut().expect("a store");
            store.lock_asked = locked(LockMode::Compliance, 400);
        })
        .judge();
    let id = CheckId::StoreProtection;
    let check = judged.checks.iter().find(|check| check.id == id);
    let check = check.expect("the check");
    assert_eq!(
        check.detail,
        "the setting asks for a lock (compliance for 400 days), and the object has governance for 365 days; a \
         second create was refused; encrypted (AES256)"
    );
    assert_eq!(check.numbers["lock_days"], 365);
    assert_eq!(check.numbers["create_only"], "yes");
    assert!(judged.complete, "the list of accounts is still complete");
}

#[test]
fn a_run_that_stores_nothing_has_no_check_of_the_store() {
    let judged = world().change(|inputs| inputs.store = None).judge();
    assert_eq!(judged.verdict, Verdict::Pass);
    let id = CheckId::StoreProtection;
    assert!(judged.checks.iter().all(|check| check.id != id));
}

fn mapped(sha256: &str) -> Mapping {
    let sha256 = sha256.to_owned();
    Mapping::Reported { sha256 }
}

#[test]
fn a_mapping_is_compared_with_that_of_the_last_complete_run() {
    let not_reported = || {
        let reason = "Truto answers 404".to_owned();
        Mapping::NotReported { reason }
    };
    for (before, now, expected) in [
        (mapped("a"), mapped("a"), Pass),
        (mapped("a"), mapped("b"), Warn),
        // A run without the mapping does not show whether it changed.
        (not_reported(), mapped("a"), Warn),
        (mapped("a"), not_reported(), Warn),
    ] {
        let first = world().change(|inputs| inputs.population.mapping = before.clone());
        let second = first.next();
        let judged = second.change(|inputs| inputs.population.mapping = now.clone());
        let judged = judged.judge();
        let found = status(&judged, CheckId::MappingUnchanged);
        assert_eq!(found, expected, "{before:?}, {now:?}");
        assert_eq!(judged.verdict, Verdict::Pass);
        assert!(judged.complete);
    }
    let judged = world()
        .change(|inputs| inputs.population.mapping = mapped("a"))
        .next()
        .change(|inputs| inputs.population.mapping = mapped("b"))
        .judge();
    let id = CheckId::MappingUnchanged;
    let check = judged.checks.iter().find(|check| check.id == id);
    let check = check.expect("the check");
    assert_eq!(check.numbers["sha256"], "b");
    assert_eq!(check.numbers["before"], "a");
}

#[test]
fn runs_of_another_workspace_are_not_a_baseline() {
    let first = world()
        .account("ada@example.com")
        .leaver("ada@example.com", date(2026, 11, 1));
    let elsewhere = |inputs: &mut Inputs| inputs.population.workspace.id = "1332".to_owned();
    let second = first.next().without("ada").change(elsewhere);
    let judged = second.judge();
    assert_eq!(status(&judged, CheckId::WorkspaceListed), Fail);
    assert!(
        !judged.complete,
        "a person missing from another workspace has not lost access"
    );
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    let outcome = outcome(&judged, "ada@example.com");
    assert_ne!(outcome, Outcome::Removed);

    // Any number of runs there fails. After the return, only the first run fails.
    let third = second.next();
    assert_eq!(status(&third.judge(), CheckId::WorkspaceListed), Fail);
    let back = third.change(|inputs| inputs.population.workspace.id = "1331".to_owned());
    assert_eq!(status(&back.judge(), CheckId::WorkspaceListed), Fail);
    let after = back.next();
    assert_eq!(status(&after.judge(), CheckId::WorkspaceListed), Pass);
}
