//! The checks on the accounts and on how they were read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::drop;
use crate::judgement::manual::{Covered, NO_EMAIL};
use crate::judgement::remedies::CLOSES_WITH;
use crate::judgement::uses::Uses;
use crate::judgement::words::TRUTO;
use crate::judgement::{Basis, Check, CheckId, CheckStatus, Inputs, Mark, TrendPoint};
use crate::model::{
    Access, Account, Listing, Memberships, Permissions, Population, Role, Status, Viewer, counted,
    quoted,
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
        list_complete(inputs),
        rows_reconcile(inputs),
        population_size(inputs),
        population_drop(basis, uses),
        fields_known(basis, uses),
        viewer(basis),
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

/// Whether the second list names exactly the accounts of the list: the memberships, or Asana's own list of users if the
/// memberships were not requested.
fn second_list_agrees(population: &Population) -> bool {
    match (&population.memberships, &population.gaps.second_list) {
        (
            Memberships::Read {
                rejected: 0,
                active_not_listed,
                listed_without_membership,
                ..
            },
            _,
        ) => active_not_listed.is_empty() && listed_without_membership.is_empty(),
        (Memberships::NotRequested, Some(second)) => {
            second.last_page_reached
                && second.not_listed.is_empty()
                && second.only_listed.is_empty()
        }
        _ => false,
    }
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

/// Why Asana's own list of users does not show that the list is complete. `None` if it does.
fn without_second_list(population: &Population) -> Option<String> {
    let gaps = &population.gaps;
    match (&gaps.second_list, &gaps.second_list_unread) {
        (Some(second), _) if second.last_page_reached => None,
        (Some(_), _) => Some("Asana's own list of users was not read to its end".to_owned()),
        (None, Some(why)) => Some(format!(
            "Asana's own list of users could not be read ({why})"
        )),
        (None, None) => Some("Asana's own list of users was not read".to_owned()),
    }
}

/// Why no second source shows that the list is complete. `None` if one does: the memberships, Asana's own list of
/// users, or the connected account. Without the memberships by choice, only Asana's own list does.
fn without_witness(population: &Population) -> Option<String> {
    let memberships = match &population.memberships {
        Memberships::Read { .. } => return None,
        Memberships::NotRequested => return without_second_list(population),
        Memberships::Incomplete { reason } => {
            format!("the memberships were not read to their end ({reason})")
        }
        Memberships::Unreadable {
            status,
            missing_scopes,
        } => unanswered(*status, missing_scopes),
    };
    let second_list = without_second_list(population)?;
    match &population.viewer {
        Viewer::Account { .. } => None,
        Viewer::NotReported { reason } => Some(format!(
            "{memberships}; {second_list}; the connected account is unknown ({reason})"
        )),
    }
}

/// Both remedies for a connection that cannot read the memberships, after the first one in words.
fn or_narrow(connection: &str) -> String {
    format!(
        "{CLOSES_WITH}`asana-access-review connect --reconnect {connection}`; or, if the organization grants only narrow \
         scopes, with `ASANA_PERMISSIONS=narrow`"
    )
}

/// `the memberships could not be read (status 403, missing scope default)`
fn unanswered(status: u16, missing_scopes: &[String]) -> String {
    let missing = match missing_scopes {
        [] => String::new(),
        scopes => format!(", missing scope {}", scopes.join(", ")),
    };
    format!("the memberships could not be read (status {status}{missing})")
}

fn list_complete(inputs: &Inputs) -> Check {
    let population = &inputs.population;
    let listing = &population.listing;
    let id = CheckId::ListComplete;
    let permissions = inputs.policy.asana_permissions;
    let second = |agrees| second_list_in_words(permissions, agrees);
    let pages = listing.pages.iter();
    let pages = pages.filter(|page| page.list == "users").count();
    let check = if let Some(reason) = &listing.stopped_because {
        id.fail(format!("the list was not read to its end: {reason}"))
    } else if !listing.last_page_reached {
        id.fail("the last page was not reached")
    } else if listing.partial_response && !second_list_agrees(population) {
        id.fail(format!(
            "Truto marked the list as partial, and {} that it is complete",
            second(false)
        ))
    } else if listing.partial_response {
        id.pass(format!(
            "Truto marked the list as partial; {} it on the accounts that have access",
            second(true)
        ))
    } else if let Some(why) = without_witness(population) {
        let id_of = &population.connection.id;
        let remedy = match permissions {
            Permissions::Full => format!("connect again with full permissions{}", or_narrow(id_of)),
            Permissions::Narrow if population.gaps.missing_scopes.is_empty() => {
                "run again; if it happens again, send Truto support the page and cursor digests of manifest.json"
                    .to_owned()
            }
            Permissions::Narrow => format!(
                "the connection needs the scope users:read{CLOSES_WITH}`asana-access-review connect --reconnect {id_of}`"
            ),
        };
        id.fail(format!(
            "no second source confirms that the list is complete: {why}; {remedy}"
        ))
    } else {
        id.pass("every page was read; the last page names no next page")
    };
    check.with(json!({ "pages": pages, "rows": listing.rows }))
}

fn rows_reconcile(inputs: &Inputs) -> Check {
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
    let mut single_source = None;
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
    let missing =
        |numbers: &mut Value, number: &str, accounts: &[String], one: &str, several: &str| {
            let count = accounts.len();
            numbers[number] = json!(count);
            let first = accounts.first()?;
            Some(format!(
                "{}, account {first} first",
                counted(count, one, several)
            ))
        };
    let second = inputs.population.gaps.second_list.as_ref();
    let second = second.filter(|second| second.last_page_reached);
    match &inputs.population.memberships {
        Memberships::Read {
            rows,
            rejected,
            active,
            active_not_listed,
            listed_without_membership,
            ..
        } => {
            if *rejected > 0 {
                let records = counted(*rejected, "membership record", "membership records");
                faults.push(format!("{records} could not be read"));
            }
            faults.extend(missing(
                &mut numbers,
                "active_not_listed",
                active_not_listed,
                "active membership is missing from the list",
                "active memberships are missing from the list",
            ));
            faults.extend(missing(
                &mut numbers,
                "listed_without_membership",
                listed_without_membership,
                "listed account has no membership",
                "listed accounts have no membership",
            ));
            numbers["memberships"] = json!(rows);
            numbers["active_memberships"] = json!(active);
        }
        Memberships::Incomplete { reason } => {
            faults.push(format!(
                "the memberships were not read to their end: {reason}"
            ));
        }
        Memberships::Unreadable {
            status,
            missing_scopes,
        } => {
            let unanswered = unanswered(*status, missing_scopes);
            let remedy = or_narrow(&inputs.population.connection.id);
            single_source = Some(match second {
                None => format!("single source: {unanswered}{remedy}"),
                Some(_) => format!(
                    "Asana's own list of users names the same accounts, but {unanswered}{remedy}"
                ),
            });
        }
        Memberships::NotRequested => {}
    }
    if let Some(second) = second {
        faults.extend(missing(
            &mut numbers,
            "second_list_not_listed",
            &second.not_listed,
            "account of Asana's own list of users is missing from the list",
            "accounts of Asana's own list of users are missing from the list",
        ));
        // Memberships are the better second list: they have a status, and name deactivated accounts too.
        let is_needed = matches!(
            inputs.population.memberships,
            Memberships::Unreadable { .. } | Memberships::NotRequested
        );
        if is_needed && second.rejected > 0 {
            let rows = counted(second.rejected, "row", "rows");
            numbers["second_list_rejected"] = json!(second.rejected);
            faults.push(format!(
                "{rows} of Asana's own list of users could not be read"
            ));
        }
        let only_listed: &[String] = match is_needed {
            true => &second.only_listed,
            false => &[],
        };
        faults.extend(missing(
            &mut numbers,
            "second_list_only_listed",
            only_listed,
            "listed account is missing from Asana's own list of users",
            "listed accounts are missing from Asana's own list of users",
        ));
    }
    let is_narrow = inputs.population.memberships == Memberships::NotRequested;
    if is_narrow != (inputs.policy.asana_permissions == Permissions::Narrow) {
        faults.push("the lists that were read are not those of ASANA_PERMISSIONS".to_owned());
    }
    let agrees = second_list_in_words(inputs.policy.asana_permissions, true);
    let check = if !faults.is_empty() {
        id.fail(faults.join("; "))
    } else if let Some(warning) = single_source {
        id.warn(warning)
    } else {
        id.pass(format!(
            "rows add up, and {agrees} the list on the accounts that have access"
        ))
    };
    check.with(numbers)
}

fn population_size(inputs: &Inputs) -> Check {
    let accounts = inputs.population.accounts.len() as u64;
    let id = CheckId::PopulationSize;
    let is_cut = accounts == SUSPICIOUS_POPULATION && !second_list_agrees(&inputs.population);
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
    let (mut covered, mut no_email, mut no_status, mut no_role) = (0, 0, 0, 0);
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
            no_email += 1;
        }
    }
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

/// With narrow permissions the role is not readable. In Asana, an account with an address in a domain of the
/// organization is not a guest.
fn viewer_by_address(basis: &Basis<'_>, account: &Account, of_me: &Role) -> Check {
    let id = CheckId::Viewer;
    let viewer = &account.id;
    let ours = account.emails.iter().filter(|email| basis.is_ours(email));
    if *of_me == Role::Guest {
        id.fail(format!(
            "the connected account {viewer} is a guest, who sees too little: connect as a member or an administrator"
        ))
    } else if ours.count() > 0 {
        id.pass(
            "the connected account has an address in INTERNAL_DOMAINS; its role is not read (ASANA_PERMISSIONS=narrow)",
        )
    } else {
        id.fail(format!(
            "the connected account {viewer} has no address in INTERNAL_DOMAINS: it may be a guest, who sees too little; \
             connect with an account of the organization, or add its domain to INTERNAL_DOMAINS"
        ))
    }
}

fn viewer(basis: &Basis<'_>) -> Check {
    let inputs = basis.inputs;
    let id = CheckId::Viewer;
    let is_narrow = inputs.policy.asana_permissions == Permissions::Narrow;
    let (viewer, of_me) = match &inputs.population.viewer {
        Viewer::NotReported { reason } if is_narrow => {
            return id.fail(format!(
                "the connected account is unknown ({reason}), so nothing shows that it is not a guest, who sees too little"
            ));
        }
        Viewer::NotReported { reason } => {
            return id.warn(format!("the connected account is unknown: {reason}"));
        }
        Viewer::Account { id, role } => (id, role),
    };
    let mut accounts = inputs.population.accounts.iter();
    let Some(account) = accounts.find(|account| account.id == *viewer) else {
        return id.fail(format!(
            "the connected account {viewer} is missing from the list"
        ));
    };
    if is_narrow {
        return viewer_by_address(basis, account, of_me);
    }
    // The lower role counts: a connection that sees less than an administrator returns a shorter list.
    let listed = &account.role;
    let (role, both) = match (of_me.rank(), listed.rank()) {
        (Some(one), Some(other)) if one != other => {
            let both = format!(" (role {of_me} in `/me`, {listed} in the list)");
            (if one < other { of_me } else { listed }, both)
        }
        (Some(_), None) => (of_me, String::new()),
        (Some(_) | None, Some(_)) | (None, None) => (listed, String::new()),
    };
    match role {
        Role::Admin => id.pass("the connected account is listed as an admin"),
        Role::Member | Role::Guest => id.fail(format!(
            "the connected account {viewer} is a {role}{both}: it may not see every account; connect as an administrator"
        )),
        Role::Unknown(_) => {
            id.warn(format!("the connected account {viewer} is listed, but its role is unknown"))
        }
    }
}
