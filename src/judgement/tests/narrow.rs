//! A list that was read with narrow permissions: the domains of the settings replace the roles.

use super::checks::{second_list, service_of};
use super::world::*;
use crate::judgement::{CheckId, CheckStatus, Judgement};
use crate::model::{Memberships, Permissions, Role, Status, Viewer};

use CheckStatus::{Fail, Pass, Warn};

/// A world as a connection with narrow permissions shows it.
fn narrow(world: World) -> World {
    world.change(|inputs| {
        inputs.policy.asana_permissions = Permissions::Narrow;
        inputs.policy.internal_domains = vec!["example.com".to_owned()];
        inputs.population.memberships = Memberships::NotRequested;
        inputs.population.gaps.second_list = Some(second_list(&[], &[]));
        for account in &mut inputs.population.accounts {
            account.status = Status::Listed;
            account.role = Role::Unknown(None);
        }
    })
}

/// A narrow world in which this account connected Asana.
fn connected_by(id: &str, email: &str) -> World {
    narrow(world().account_as(id, email)).change(|inputs| {
        let id = id.to_owned();
        let role = Role::Unknown(None);
        inputs.population.viewer = Viewer::Account {
            id,
            role,
            has_address: false,
        };
    })
}

fn matchable(judged: &Judgement) -> (CheckStatus, &str) {
    let check = check(judged, CheckId::HrMatchable);
    (check.status, &check.detail)
}

#[test]
fn the_connected_account_needs_an_address_in_an_own_domain() {
    for (email, expected) in [
        ("ana@example.com", Pass),
        ("ana@agency.com", Fail),
        ("ana@gmail.com", Fail),
    ] {
        let judged = connected_by("7", email).judge();
        assert_eq!(status(&judged, CheckId::Viewer), expected, "{email}");
        assert_eq!(judged.complete, expected == Pass);
    }
}

#[test]
fn a_listed_service_account_may_be_connected_if_its_owner_works_here() {
    let connected = || connected_by("7", "none");
    let failed = connected().judge();
    assert_eq!(
        check(&failed, CheckId::Viewer).detail,
        "the connected account 7 has no address in INTERNAL_DOMAINS: it may be a guest, who sees too little; if it is a \
         service account or an AI teammate, closes with: `ALIASES_URL: ,7,,service,<owner>,<why>,<who>,<date>`, whose \
         owner has an Asana account or a row in HR with an address in INTERNAL_DOMAINS; else connect with an account of \
         the organization; closes with: `asana-access-review connect --reconnect conn`"
    );
    let owned = |world: World, owner: &str| world.alias(service_of("7", owner));
    let ana = || row("E1").mail("ana@example.com");
    let guest = || connected().account("gwen@agency.com");
    for (world, owner, expected) in [
        (connected(), VIEWER, Pass),
        (connected().hr(ana().active()), "E1", Pass),
        (connected().hr(ana().active()), "ana@example.com", Pass),
        // The owner is unknown.
        (connected(), "ana@example.com", Fail),
        // The owner has left, or is an outsider.
        (connected().hr(ana().ended()), "E1", Fail),
        (guest(), "gwen@agency.com", Fail),
        (
            guest().hr(row("E1").mail("gwen@agency.com").active()),
            "E1",
            Fail,
        ),
    ] {
        let judged = owned(world, owner).judge();
        assert_eq!(status(&judged, CheckId::Viewer), expected, "{owner}");
        assert_eq!(judged.complete, expected == Pass);
    }
    // `/me` shows that a person has it.
    let person = owned(connected(), VIEWER).change(|inputs| {
        inputs.population.viewer = Viewer::Account {
            id: "7".to_owned(),
            role: Role::Unknown(None),
            has_address: true,
        };
    });
    assert_eq!(status(&person.judge(), CheckId::Viewer), Fail);
}

#[test]
fn a_domain_that_equals_an_own_domain_is_own_too() {
    let with = |email: &str, pair: &str| {
        let world = connected_by("7", email);
        let pair = pair.to_owned();
        world.policy(|policy| policy.email_domain_aliases = vec![pair])
    };
    for (email, pair, expected) in [
        ("ana@corp.io", "corp.io=example.com", Pass),
        ("ana@corp.io", "example.com=corp.io", Pass),
        // Two domains that are equal, and neither is own.
        ("ana@corp.io", "corp.io=agency.com", Fail),
        // Anyone can get an address there.
        ("ana@gmail.com", "gmail.com=example.com", Fail),
    ] {
        let judged = with(email, pair).judge();
        assert_eq!(status(&judged, CheckId::Viewer), expected, "{pair}");
    }
}

#[test]
fn the_line_for_a_guests_domain_appears_only_with_other_support() {
    let detail = |world: World| check(&world.judge(), CheckId::Viewer).detail.clone();
    assert_eq!(
        detail(connected_by("7", "ana@agency.com")),
        "the connected account 7 has no address in INTERNAL_DOMAINS: it may be a guest, who sees too little; connect with \
         an account of the organization; closes with: `asana-access-review connect --reconnect conn`"
    );
    let in_hr = connected_by("7", "ana@corp.io").hr(row("E1").mail("ben@corp.io").active());
    assert_eq!(
        detail(in_hr),
        "the connected account 7 has no address in INTERNAL_DOMAINS: it may be a guest, who sees too little; if its domain \
         is the organization's, closes with: `INTERNAL_DOMAINS=example.com,corp.io`"
    );
}

#[test]
fn a_domain_that_the_setting_lacks_is_named_with_its_line() {
    let known = || narrow(world()).hr(row("E1").mail("ana@example.com").active());
    assert_eq!(matchable(&known().judge()).0, Pass);
    let line = "INTERNAL_DOMAINS lacks 1 mail domain that seems to be the organization's; closes with: \
                `INTERNAL_DOMAINS=example.com,corp.io`";
    let in_hr = known().hr(row("E2").mail("ben@corp.io").active()).judge();
    assert_eq!(matchable(&in_hr), (Warn, line));
    // The line closes it, and so does an equivalent.
    let named = known()
        .hr(row("E2").mail("ben@corp.io").active())
        .policy(|policy| policy.internal_domains.push("corp.io".to_owned()));
    assert_eq!(matchable(&named.judge()).0, Pass);
    let equal = known()
        .hr(row("E2").mail("ben@corp.io").active())
        .policy(|policy| policy.email_domain_aliases = vec!["corp.io=example.com".to_owned()]);
    assert_eq!(matchable(&equal.judge()).0, Pass);

    // Personal addresses and public providers show nothing.
    let personal = known().hr(row("E2")
        .mail("ben@gmail.com")
        .other("b@mueller.de")
        .active());
    assert_eq!(matchable(&personal.judge()).0, Pass);
    // With full permissions the roles show the domains.
    let full = world()
        .account("ana@example.com")
        .hr(row("E1").mail("ana@example.com").active())
        .hr(row("E2").mail("ben@corp.io").active());
    assert_eq!(matchable(&full.judge()).0, Pass);
}

#[test]
fn an_account_in_a_domain_like_an_own_one_is_named() {
    for (domain, expected) in [
        ("example.de", Warn),
        ("eu.example.com", Warn),
        ("agency.com", Pass),
        ("notexample.com", Pass),
        ("gmail.com", Pass),
    ] {
        let world = world().account(&format!("ben@{domain}"));
        let judged = narrow(world)
            .hr(row("E1").mail("ana@example.com").active())
            .judge();
        let (found, detail) = matchable(&judged);
        assert_eq!(found, expected, "{domain}: {detail}");
        let line = format!("`INTERNAL_DOMAINS=example.com,{domain}`");
        assert_eq!(detail.contains(&line), expected == Warn, "{detail}");
    }
}

#[test]
fn the_domains_of_a_full_baseline_are_named_after_a_switch() {
    let next = world()
        .account("ana@corp.io")
        .account("gwen@agency.com")
        .role("gwen", Role::Guest)
        .hr(row("E1").mail("ben@example.com").active())
        .next();
    assert_eq!(matchable(&next.judge()).0, Pass);
    let (found, detail) = (Warn, "`INTERNAL_DOMAINS=example.com,corp.io`");
    let judged = narrow(next).judge();
    assert_eq!(matchable(&judged).0, found);
    assert!(matchable(&judged).1.ends_with(detail), "{judged:?}");
    assert_eq!(judged.organization_domains, ["example.com"]);
}

#[test]
fn a_feed_with_other_domains_only_names_the_setting() {
    let judged = narrow(world().account("ana@corp.io"))
        .hr(row("E1").mail("ana@corp.io").active())
        .judge();
    assert_eq!(
        matchable(&judged),
        (
            Fail,
            "no HR row shares a mail domain of INTERNAL_DOMAINS with an account: HR and Asana may belong to different \
             organizations; if the domains in HR are the organization's, closes with: \
             `INTERNAL_DOMAINS=example.com,corp.io`"
        )
    );
    // No account has an address in HR's domain, so the line would not close it.
    let judged = narrow(world())
        .hr(row("E1").mail("ana@corp.io").active())
        .judge();
    assert_eq!(matchable(&judged).0, Fail);
    assert!(!matchable(&judged).1.contains("INTERNAL_DOMAINS"));
    // A feed with no work address cannot name a domain.
    let judged = narrow(world())
        .hr(row("E1").mail("ana@gmail.com").active())
        .judge();
    assert_eq!(matchable(&judged).0, Fail);
    assert!(!matchable(&judged).1.contains("INTERNAL_DOMAINS"));
}
