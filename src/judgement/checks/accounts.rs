//! The checks on the accounts and on how they were read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::drop;
use crate::judgement::domains;
use crate::judgement::manual::{Covered, NO_EMAIL};
use crate::judgement::remedies::{CLOSES_WITH, Key, Remedy};
use crate::judgement::services::{self, MOST_SERVICES, is_of_nobody, is_unlisted_service};
use crate::judgement::uses::Uses;
use crate::judgement::words::TRUTO;
use crate::judgement::{Basis, Check, CheckId, CheckStatus, Inputs, Mark, TrendPoint};
use crate::model::{
    Access, Account, EmailAddress, Listing, Memberships, Permissions, Population, Role, Status,
    Viewer, counted, quoted,
};

/// The largest tolerable error of a clock, in minutes. Beyond it the instants in the evidence are unreliable.
pub(super) const MAX_CLOCK_SKEW_MINUTES: u64 = 5;

/// The longest list that Asana's `/workspaces/{gid}/users` returns: a list of exactly this length may be cut.
const SUSPICIOUS_POPULATION: u64 = 2000;

/// The checks on the accounts and on how they were read.
pub(in crate::judgement) fn of_the_accounts(basis: &Basis<'_>, uses: &mut Uses) -> Vec<Check> {
    let inputs = basis.inputs;
    vec![
        connection_active(inputs),
        source_origin(inputs),
        clock(inputs),
        workspace_listed(inputs),
        list_complete(basis, uses),
        rows_reconcile(basis, uses),
        population_size(basis, uses),
        population_drop(basis, uses),
        fields_known(basis, uses),
        viewer(basis, uses),
    ]
}

fn connection_active(inputs: &Inputs) -> Check {
    let id = CheckId::ConnectionActive;
    match inputs.population.connection.status.as_str() {
        "active" => id.pass("the connection is active"),
        status => id.fail(format!("the connection is {}, not active", quoted(status))),
    }
}

fn source_origin(inputs: &Inputs) -> Check {
    let id = CheckId::SourceOrigin;
    let seen = format!("answers came from {}", inputs.population.origin);
    match Mark::of_population(&inputs.population) {
        None => id.pass(format!("answers came from {TRUTO}")),
        Some(Mark::Sandbox) => id.warn(format!("{seen}, through a connection that is a sandbox")),
        Some(mark @ (Mark::TestData | Mark::Elsewhere)) => id.warn(format!("{seen}: {mark}")),
    }
}

/// Compares this machine's clock with the server's, and with the machine that committed the last ledger entry.
fn clock(inputs: &Inputs) -> Check {
    let id = CheckId::Clock;
    let skew = inputs.population.clock_skew_minutes;
    let mut check = match skew {
        None => id.warn("no answer had a date, so our clock could not be compared"),
        Some(skew) if skew.unsigned_abs() <= MAX_CLOCK_SKEW_MINUTES => {
            id.pass("our clock is within 5 minutes of the server's")
        }
        Some(skew) => {
            let side = if skew > 0 { "ahead of" } else { "behind" };
            let minutes = skew.unsigned_abs();
            id.fail(format!(
                "our clock is {minutes} minutes {side} the server's"
            ))
        }
    };
    let behind = inputs.past.clock_behind_seconds;
    if behind > 0 {
        check.detail += &format!("; it is {behind} s behind the last ledger entry");
    }
    if !is_tolerable(behind) {
        check.status = CheckStatus::Fail;
        check.detail += &format!(
            ", more than {MAX_CLOCK_SKEW_MINUTES} minutes: this clock or that of the previous run is wrong"
        );
    }
    check.with(match skew {
        None => json!({ "behind_ledger_seconds": behind }),
        Some(skew) => json!({ "skew_minutes": skew, "behind_ledger_seconds": behind }),
    })
}

/// Whether clocks of two correct machines may differ by this much. Up to this limit a new ledger entry takes the
/// instant of the last one. Beyond it the check `clock` fails, and the entries show the difference.
pub fn is_tolerable(behind_seconds: u64) -> bool {
    behind_seconds <= 60 * MAX_CLOCK_SKEW_MINUTES
}

fn workspace_listed(inputs: &Inputs) -> Check {
    // A run without a workspace stops before the judgement; the number is for readers.
    let visible = inputs.population.workspaces_visible;
    let id = CheckId::WorkspaceListed;
    let workspace = &inputs.population.workspace.id;
    // Accounts of another workspace are not a baseline: all of them would seem to be gone.
    let past = &inputs.past;
    let of_baseline = past.baseline.iter().map(|of| &of.workspace_id);
    let of_previous = past.previous.iter().flat_map(|of| &of.workspace_id);
    let mut earlier = of_baseline.chain(of_previous);
    let check = if visible == 0 {
        id.fail("the connection sees no workspace")
    } else if let Some(other) = earlier.find(|other| *other != workspace) {
        id.fail(format!(
            "this run read workspace {workspace}, but earlier runs read workspace {other}: the evidence of a \
             connection covers one workspace; create another connection, or set another `EVIDENCE_URL`"
        ))
    } else {
        id.pass(format!("workspace {workspace} is listed"))
    };
    check.with(json!({ "workspaces_visible": visible }))
}

/// The accounts that only one list has, except service accounts, which Asana may leave out of either.
fn unexplained<'i>(basis: &Basis<'_>, ids: &'i [String], uses: &mut Uses) -> Vec<&'i str> {
    let ids = ids.iter().map(String::as_str);
    ids.filter(|id| match basis.listed.get(id) {
        Some(account) => !basis.manual.is_service(account, uses),
        None => !is_unlisted_service(basis, id, uses),
    })
    .collect()
}

/// Whether the second list names exactly the accounts of the list: the memberships, or Asana's own list of users if the
/// memberships were not requested.
fn second_list_agrees(basis: &Basis<'_>, uses: &mut Uses) -> bool {
    let population = &basis.inputs.population;
    let (one, other) = match (&population.memberships, &population.gaps.second_list) {
        (
            Memberships::Read {
                rejected: 0,
                active_not_listed,
                listed_without_membership,
                ..
            },
            _,
        ) => (active_not_listed, listed_without_membership),
        (Memberships::NotRequested, Some(second)) if second.last_page_reached => {
            (&second.not_listed, &second.only_listed)
        }
        _ => return false,
    };
    unexplained(basis, one, uses).is_empty() && unexplained(basis, other, uses).is_empty()
}

/// The second list of a run with these permissions, and whether it agrees, in words.
fn second_list_in_words(permissions: Permissions, agrees: bool) -> &'static str {
    match (permissions, agrees) {
        (Permissions::Full, true) => "the memberships agree with",
        (Permissions::Full, false) => "the memberships do not show",
        (Permissions::Narrow, true) => "Asana's own list of users agrees with",
        (Permissions::Narrow, false) => "Asana's own list of users does not show",
    }
}

/// What to do about an answer that a new run may get right.
const RUN_AGAIN: &str = "run again; if it happens again, send Truto support the page and cursor digests of manifest.json";

/// Why no second list shows that the list is complete, and what to do. `None` if one does: the memberships, or Asana's
/// own list of users if the memberships were not requested.
///
/// No other source replaces it. Truto's mapping may drop an account from its list, and the connected account may be a
/// guest; then neither the pages of the list nor `/me` differ.
fn without_second_list(population: &Population) -> Option<(String, String)> {
    let gaps = &population.gaps;
    let connection = &population.connection.id;
    Some(match &population.memberships {
        Memberships::Read { .. } => return None,
        Memberships::Incomplete { reason } => (
            format!("the memberships were not read to their end ({reason})"),
            RUN_AGAIN.to_owned(),
        ),
        Memberships::Unreadable {
            status,
            missing_scopes,
        } => {
            let missing = match missing_scopes.as_slice() {
                [] => String::new(),
                scopes => format!(", missing scope {}", scopes.join(", ")),
            };
            (
                format!("the memberships could not be read (status {status}{missing})"),
                full_or_narrow(connection),
            )
        }
        Memberships::NotRequested => match (&gaps.second_list, &gaps.second_list_unread) {
            (Some(second), _) if second.last_page_reached => return None,
            (Some(_), _) => (
                "Asana's own list of users was not read to its end".to_owned(),
                RUN_AGAIN.to_owned(),
            ),
            (None, Some(why)) => (
                format!("Asana's own list of users could not be read ({why})"),
                match gaps.missing_scopes.is_empty() {
                    true => RUN_AGAIN.to_owned(),
                    false => format!(
                        "the connection needs the scope users:read{}",
                        reconnect(connection)
                    ),
                },
            ),
            (None, None) => (
                "Asana's own list of users was not read".to_owned(),
                RUN_AGAIN.to_owned(),
            ),
        },
    })
}

fn reconnect(connection: &str) -> String {
    format!("{CLOSES_WITH}`asana-access-review connect --reconnect {connection}`")
}

/// Both remedies for a connection that lacks full permissions.
fn full_or_narrow(connection: &str) -> String {
    format!(
        "connect again with full permissions{}; or, if the organization grants only narrow scopes, with \
         `ASANA_PERMISSIONS=narrow` and `INTERNAL_DOMAINS=<its mail domains>`",
        reconnect(connection)
    )
}

fn list_complete(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    let listing = &inputs.population.listing;
    let id = CheckId::ListComplete;
    let second = |agrees| second_list_in_words(inputs.policy.asana_permissions, agrees);
    let pages = listing.pages.iter();
    let pages = pages.filter(|page| page.list == "users").count();
    let check = if let Some(reason) = &listing.stopped_because {
        id.fail(format!("the list was not read to its end: {reason}"))
    } else if !listing.last_page_reached {
        id.fail("the last page was not reached")
    } else if let Some((why, remedy)) = without_second_list(&inputs.population) {
        id.fail(format!(
            "no second list confirms that the list is complete: {why}; {remedy}"
        ))
    } else if listing.partial_response && !second_list_agrees(basis, uses) {
        id.fail(format!(
            "Truto marked the list as partial, and {} that it is complete",
            second(false)
        ))
    } else if listing.partial_response {
        id.pass(format!(
            "Truto marked the list as partial; {} it on the accounts that have access",
            second(true)
        ))
    } else {
        id.pass("every page was read; the last page names no next page")
    };
    check.with(json!({ "pages": pages, "rows": listing.rows }))
}

fn rows_reconcile(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    let Listing {
        rows,
        unique,
        duplicates,
        rejected,
        ..
    } = &inputs.population.listing;
    let id = CheckId::RowsReconcile;
    let mut numbers = json!({
        "rows": rows, "unique": unique, "duplicates": duplicates, "rejected": rejected.len(),
    });
    let mut faults = Vec::new();
    if *rows != unique + duplicates + rejected.len() as u64 {
        faults.push("rows do not add up".to_owned());
    }
    if *unique != inputs.population.accounts.len() as u64 {
        faults.push("the number of accounts differs from the number of unique rows".to_owned());
    }
    if let Some(first) = rejected.first() {
        faults.push(format!(
            "{} could not be read as accounts, the first on page {} row {}: {}",
            counted(rejected.len(), "row", "rows"),
            first.page,
            first.row,
            first.reason
        ));
    }
    let mut missing = |numbers: &mut Value, number: &str, ids: &[String], words: [&str; 2]| {
        numbers[number] = json!(ids.len());
        let open = unexplained(basis, ids, uses);
        let first = open.first()?;
        let [one, several] = words;
        let found = format!(
            "{}, account {first} first",
            counted(open.len(), one, several)
        );
        // For a listed account the alias counts also if it has an address, because it is not hidden from its leaver.
        let may_be_service = open.len() <= MOST_SERVICES
            && (basis.listed.contains_key(first) || is_of_nobody(basis, first));
        Some(match may_be_service {
            true => format!("{found}; run again; {}", services::closes_with(first)),
            false => format!("{found}; {RUN_AGAIN}"),
        })
    };
    if let Memberships::Read {
        rows,
        rejected,
        active,
        active_not_listed,
        listed_without_membership,
        ..
    } = &inputs.population.memberships
    {
        if *rejected > 0 {
            let records = counted(*rejected, "membership record", "membership records");
            faults.push(format!("{records} could not be read"));
        }
        faults.extend(missing(
            &mut numbers,
            "active_not_listed",
            active_not_listed,
            [
                "active membership is missing from the list",
                "active memberships are missing from the list",
            ],
        ));
        faults.extend(missing(
            &mut numbers,
            "listed_without_membership",
            listed_without_membership,
            [
                "listed account has no membership",
                "listed accounts have no membership",
            ],
        ));
        numbers["memberships"] = json!(rows);
        numbers["active_memberships"] = json!(active);
    }
    if let Some(second) = &inputs.population.gaps.second_list {
        // Also if this list was cut off: it names an account that exists.
        faults.extend(missing(
            &mut numbers,
            "second_list_not_listed",
            &second.not_listed,
            [
                "account of Asana's own list of users is missing from the list",
                "accounts of Asana's own list of users are missing from the list",
            ],
        ));
        // Memberships are the better second list: they have a status, and name deactivated accounts too.
        let is_read = matches!(inputs.population.memberships, Memberships::Read { .. });
        if second.last_page_reached && !is_read {
            if second.rejected > 0 {
                let rows = counted(second.rejected, "row", "rows");
                numbers["second_list_rejected"] = json!(second.rejected);
                faults.push(format!(
                    "{rows} of Asana's own list of users could not be read"
                ));
            }
            faults.extend(missing(
                &mut numbers,
                "second_list_only_listed",
                &second.only_listed,
                [
                    "listed account is missing from Asana's own list of users",
                    "listed accounts are missing from Asana's own list of users",
                ],
            ));
        }
    }
    let permissions = inputs.policy.asana_permissions;
    let is_narrow = inputs.population.memberships == Memberships::NotRequested;
    if is_narrow != (permissions == Permissions::Narrow) {
        faults.push("the lists that were read are not those of ASANA_PERMISSIONS".to_owned());
    }
    let check = if !faults.is_empty() {
        id.fail(faults.join("; "))
    } else if second_list_agrees(basis, uses) {
        let agrees = second_list_in_words(permissions, true);
        id.pass(format!(
            "rows add up, and {agrees} the list on the accounts that have access"
        ))
    } else {
        // `list_complete` fails.
        id.pass("rows add up; no second list was read to its end")
    };
    check.with(numbers)
}

fn population_size(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    let accounts = inputs.population.accounts.len() as u64;
    let id = CheckId::PopulationSize;
    let is_cut = accounts == SUSPICIOUS_POPULATION && !second_list_agrees(basis, uses);
    let check = if accounts == 0 {
        id.fail("the list has no account")
    } else if is_cut {
        id.fail(format!(
            "Asana cuts a list at exactly 2000 accounts, and {} that this list is complete",
            second_list_in_words(inputs.policy.asana_permissions, false)
        ))
    } else {
        id.pass(counted(accounts, "account", "accounts"))
    };
    check.with(json!({ "accounts": accounts }))
}

fn population_drop(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let now = basis.inputs.population.accounts.len() as u64;
    let is_narrow = basis.inputs.policy.asana_permissions == Permissions::Narrow;
    let comparable = |run: &TrendPoint| {
        let counts = &run.counts.accounts;
        // A list that was read with narrow permissions has no deactivated accounts.
        let inactive = counts.by_status.get(Status::Inactive.kind());
        let inactive = inactive.copied().filter(|_| is_narrow);
        counts.total.saturating_sub(inactive.unwrap_or_default())
    };
    drop(basis, CheckId::PopulationDrop, now, comparable, uses)
}

fn fields_known(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    let id = CheckId::FieldsKnown;
    let (mut covered, mut no_status, mut no_role) = (0, 0, 0);
    let mut unnamed = Vec::new();
    let mut exceptions = BTreeSet::new();
    for account in &inputs.population.accounts {
        no_status += usize::from(matches!(account.status, Status::Unknown(_)));
        if account.access() == Access::None {
            continue;
        }
        let is_role_read = account.status != Status::Listed;
        no_role += usize::from(is_role_read && matches!(account.role, Role::Unknown(_)));
        if !account.emails.is_empty() {
            continue;
        }
        let manual = &basis.manual;
        if manual.is_service(account, uses) {
            covered += 1;
        } else if let Some(exception) =
            manual.covers(Covered::Account(account, NO_EMAIL), None, uses)
        {
            covered += 1;
            exceptions.insert(exception.in_short());
        } else {
            unnamed.push(account.id.as_str());
        }
    }
    let no_email = unnamed.len();
    let gaps = &inputs.population.gaps;
    let mut detail = Vec::new();
    if no_email > 0 {
        detail.push(counted(
            no_email,
            "account that has or may have access has no address",
            "accounts that have or may have access have no address",
        ));
    }
    let unknown = [
        (no_status, "of unknown status"),
        (no_role, "of unknown role"),
    ];
    for (count, what) in unknown {
        if count > 0 {
            detail.push(format!("{count} {what}"));
        }
    }
    if !detail.is_empty() {
        // This reason includes the missing scopes.
        match &gaps.stopped_because {
            Some(because) => detail.push(because.clone()),
            None if gaps.missing_scopes.is_empty() => {}
            None => detail.push(format!("missing scope {}", gaps.missing_scopes.join(", "))),
        }
    }
    if let Some(first) = unnamed
        .first()
        .filter(|_| services::may_be_services(basis, no_email))
    {
        detail.push(format!(
            "account {first} first: {}",
            services::closes_with(first)
        ));
    }
    let mut numbers = json!({
        "without_email": no_email, "status_unknown": no_status, "role_unknown": no_role,
    });
    let accepted = exceptions.len();
    if covered > 0 {
        let by = match accepted {
            0 => "aliases".to_owned(),
            _ => Vec::from_iter(exceptions).join(", "),
        };
        let covered_accounts = counted(
            covered,
            "account without an address is",
            "accounts without an address are",
        );
        detail.push(format!("{covered_accounts} covered by {by}"));
        numbers["without_email_named_by_hand"] = json!(covered);
    }
    let detail = detail.join("; ");
    let check = if no_email > 0 {
        id.fail(detail)
    } else if no_status + no_role + accepted > 0 {
        id.warn(detail)
    } else if covered > 0 {
        id.pass(detail)
    } else {
        id.pass(match inputs.policy.asana_permissions {
            Permissions::Full => {
                "every status is known, and so are the address and role of every account with access"
            }
            Permissions::Narrow => {
                "every account has an address; status and role are not read (ASANA_PERMISSIONS=narrow)"
            }
        })
    };
    check.with(numbers)
}

/// Whether the connected account sees every account of the list. A guest sees only some of them, in every list.
fn viewer(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let population = &basis.inputs.population;
    let connection = &population.connection.id;
    let id = CheckId::Viewer;
    let (viewer, of_me) = match &population.viewer {
        Viewer::NotReported { reason } => {
            return id.fail(format!(
                "the connected account is unknown ({reason}), so nothing shows that it sees every account; connect \
                 again{}",
                reconnect(connection)
            ));
        }
        Viewer::Account { id, role, .. } => (id.as_str(), role),
    };
    let listed = basis.listed.get(viewer);
    // The lower role counts: a connection that sees less than an administrator returns a shorter list.
    let (role, differ) = match (listed.map(|account| &account.role), of_me) {
        (Some(listed), of_me) => match (listed.rank(), of_me.rank()) {
            (Some(one), Some(other)) if one != other => {
                let [lower, higher] = match one < other {
                    true => [listed, of_me],
                    false => [of_me, listed],
                };
                let both =
                    format!(" (Asana gives the roles {lower} and {higher}; the lower one counts)");
                (lower, both)
            }
            (None, Some(_)) => (of_me, String::new()),
            (Some(_) | None, _) => (listed, String::new()),
        },
        (None, of_me) => (of_me, String::new()),
    };
    let is_narrow = basis.inputs.policy.asana_permissions == Permissions::Narrow;
    let sees_too_little = match role {
        Role::Guest => true,
        Role::Member => !is_narrow,
        Role::Admin | Role::Unknown(_) => false,
    };
    if sees_too_little {
        return id.fail(format!(
            "the connected account {viewer} is a {role}{differ}: it may not see every account; connect as an \
             administrator{}",
            reconnect(connection)
        ));
    }
    let Some(account) = listed else {
        return if is_unlisted_service(basis, viewer, uses) {
            id.pass(
                "the connected account is a service account, by an alias; Asana does not list it",
            )
        } else if is_of_nobody(basis, viewer) {
            let line = Remedy::Service(viewer.to_owned()).line(Key::None);
            id.fail(format!(
                "the connected account {viewer} is missing from the list; if it is a service account, closes with: `{line}`"
            ))
        } else {
            id.fail(format!(
                "the connected account {viewer} is missing from the list; connect again{}",
                reconnect(connection)
            ))
        };
    };
    if is_narrow {
        return viewer_by_address(basis, account, uses);
    }
    if *role == Role::Admin {
        return id.pass("the connected account is listed as an admin");
    }
    let remedy = match &population.memberships {
        // `list_complete` fails for the same reason, and names the remedy.
        Memberships::Unreadable { .. } => "the memberships would show it".to_owned(),
        _ => full_or_narrow(connection),
    };
    id.fail(format!(
        "the role of the connected account {viewer} is unknown, so nothing shows that it sees every account; {remedy}"
    ))
}

/// With narrow permissions, roles are not readable. In Asana, an account with an address in a domain of the
/// organization is not a guest. A domain that `EMAIL_DOMAIN_ALIASES` sets equal to one of them is a domain of the
/// organization, too.
///
/// A service account without an address needs an alias. The line would let a guest pass, so its owner must have an
/// address in a domain of the organization, and an account or a row in HR.
fn viewer_by_address(basis: &Basis<'_>, account: &Account, uses: &mut Uses) -> Check {
    let id = CheckId::Viewer;
    if account.emails.iter().any(|email| basis.is_ours(email)) {
        return id.pass(
            "the connected account has an address in INTERNAL_DOMAINS; its role is not read (ASANA_PERMISSIONS=narrow)",
        );
    }
    let connection = &basis.inputs.population.connection.id;
    let viewer = &account.id;
    let may_be_service = is_of_nobody(basis, viewer);
    if may_be_service
        && basis
            .manual
            .has_own_owner(account, |email| basis.is_ours(email), uses)
    {
        return id.pass(
            "the connected account is a service account, by an alias whose owner has an address in INTERNAL_DOMAINS",
        );
    }
    let doubt = format!(
        "the connected account {viewer} has no address in INTERNAL_DOMAINS: it may be a guest, who sees too little"
    );
    if may_be_service {
        return id.fail(format!(
            "{doubt}; {}, whose owner has an Asana account or a row in HR with an address in INTERNAL_DOMAINS; else \
             connect with an account of the organization{}",
            services::closes_with(viewer),
            reconnect(connection)
        ));
    }
    let unnamed = domains::unnamed(basis.inputs, &basis.domains);
    let mut of_viewer = account.emails.iter().map(EmailAddress::domain);
    // The line to paste would let a guest pass, so something other than the account must support the domain.
    match of_viewer.any(|domain| unnamed.contains(domain)) {
        true => id.fail(format!(
            "{doubt}; if its domain is the organization's, closes with: `{}`",
            domains::setting(basis.inputs, &unnamed)
        )),
        false => id.fail(format!(
            "{doubt}; connect with an account of the organization{}",
            reconnect(connection)
        )),
    }
}
