//! The checks on the accounts and on how they were read.

use std::collections::BTreeSet;

use serde_json::json;

use super::{check, complete_runs, drop, with};
use crate::judgement::directives::{Covered, NO_EMAIL};
use crate::judgement::uses::Uses;
use crate::judgement::words::TRUTO;
use crate::judgement::{Basis, Check, CheckId, CheckStatus, Inputs, Mark};
use crate::model::{
    Access, Account, Listing, Memberships, Population, Role, SecondList, Status, Viewer,
};

/// More than this off, in minutes, and no instant in the evidence can be trusted.
pub(super) const MAX_CLOCK_SKEW_MINUTES: u64 = 5;

/// Asana's `/workspaces/{gid}/users` gives at most this many: a list of exactly so many may be cut.
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
        viewer(inputs),
    ]
}

fn connection_active(inputs: &Inputs) -> Check {
    let status = &inputs.population.connection.status;
    let id = CheckId::ConnectionActive;
    if status == "active" {
        check(id, CheckStatus::Pass, "the connection is active")
    } else {
        check(
            id,
            CheckStatus::Fail,
            format!("the connection is `{status}`, not active"),
        )
    }
}

fn source_origin(inputs: &Inputs) -> Check {
    let origin = &inputs.population.origin;
    let (status, detail) = match Mark::of_population(&inputs.population) {
        None => (CheckStatus::Pass, format!("answers came from {TRUTO}")),
        Some(Mark::Sandbox) => (
            CheckStatus::Warn,
            format!("answers came from {origin}, through a connection that is a sandbox"),
        ),
        Some(mark @ (Mark::TestData | Mark::Elsewhere)) => (
            CheckStatus::Warn,
            format!("answers came from {origin}: {mark}"),
        ),
    };
    check(CheckId::SourceOrigin, status, detail)
}

/// This machine's clock against the server's, and against the machine that committed the last ledger entry.
fn clock(inputs: &Inputs) -> Check {
    let skew = inputs.population.clock_skew_minutes;
    let (status, detail) = match skew {
        None => (
            CheckStatus::Warn,
            "no answer was dated: our clock could not be compared".to_owned(),
        ),
        Some(skew) if skew.unsigned_abs() <= MAX_CLOCK_SKEW_MINUTES => (
            CheckStatus::Pass,
            "our clock is within 5 minutes of the server's".to_owned(),
        ),
        Some(skew) => (
            CheckStatus::Fail,
            format!(
                "our clock is {} minutes {} the server's",
                skew.unsigned_abs(),
                if skew > 0 { "ahead of" } else { "behind" }
            ),
        ),
    };
    let behind = inputs.past.clock_behind_seconds;
    let (status, detail) = match behind {
        0 => (status, detail),
        _ if is_tolerable(behind) => (
            status,
            format!("{detail}; it is {behind} s behind the last ledger entry"),
        ),
        _ => (
            CheckStatus::Fail,
            format!(
                "{detail}; it is {behind} s behind the last ledger entry, more than {MAX_CLOCK_SKEW_MINUTES} minutes: this \
                 clock or that of the run before is wrong"
            ),
        ),
    };
    let numbers = match skew {
        None => json!({ "behind_ledger_seconds": behind }),
        Some(skew) => json!({ "skew_minutes": skew, "behind_ledger_seconds": behind }),
    };
    with(check(CheckId::Clock, status, detail), numbers)
}

/// Whether a clock that is so many seconds behind the last ledger entry may belong to an honest machine. Up to here
/// the next entry takes the instant of the last; beyond it check `clock` fails, and the entries show it.
pub fn is_tolerable(behind_seconds: u64) -> bool {
    behind_seconds <= 60 * MAX_CLOCK_SKEW_MINUTES
}

fn workspace_listed(inputs: &Inputs) -> Check {
    // A run without a workspace stops before it is judged; the number is what a reader wants.
    let visible = inputs.population.workspaces_visible;
    let id = CheckId::WorkspaceListed;
    let numbers = json!({ "workspaces_visible": visible });
    if visible == 0 {
        return with(
            check(id, CheckStatus::Fail, "the connection sees no workspace"),
            numbers,
        );
    }
    let workspace = &inputs.population.workspace.id;
    // Another workspace's people are no baseline: all of them would be gone from this one.
    let past = &inputs.past;
    let of_baseline = past.baseline.iter().map(|of| &of.workspace_id);
    let of_previous = past
        .previous
        .iter()
        .filter_map(|of| of.workspace_id.as_ref());
    if let Some(other) = of_baseline
        .chain(of_previous)
        .find(|other| *other != workspace)
    {
        let detail = format!(
            "this is workspace {workspace}, and earlier runs are of workspace {other}: the evidence of a \
             connection is of one workspace; create another connection, or set another EVIDENCE_URL"
        );
        return with(check(id, CheckStatus::Fail, detail), numbers);
    }
    with(
        check(
            id,
            CheckStatus::Pass,
            format!("workspace {workspace} is listed"),
        ),
        numbers,
    )
}

/// Whether a complete memberships pass names exactly the accounts of the list.
fn memberships_agree(memberships: &Memberships) -> bool {
    matches!(
        memberships,
        Memberships::Read { rejected: 0, active_not_listed, listed_without_membership, .. }
            if active_not_listed.is_empty() && listed_without_membership.is_empty()
    )
}

/// Why nothing but the list itself shows that the list is complete; none if there is a witness: the memberships,
/// Asana's own list of users, or the connection's own account.
fn without_witness(population: &Population) -> Option<String> {
    let memberships = match &population.memberships {
        Memberships::Read { .. } => return None,
        Memberships::Incomplete { reason } => {
            format!("the memberships were not read to their end ({reason})")
        }
        unreadable @ Memberships::Unreadable { .. } => unanswered(unreadable),
    };
    let second_list = match &population.gaps.second_list {
        Some(second) if second.last_page_reached => return None,
        Some(_) => "Asana's own list of users was not read to its end",
        None => "Asana's own list of users was not read",
    };
    match &population.viewer {
        Viewer::Account { .. } => None,
        Viewer::NotReported { reason } => Some(format!(
            "{memberships}; {second_list}; the connected account is unknown ({reason})"
        )),
    }
}

/// `the memberships answered 403, missing scope default`
fn unanswered(memberships: &Memberships) -> String {
    match memberships {
        Memberships::Unreadable {
            status,
            missing_scopes,
        } if missing_scopes.is_empty() => format!("the memberships answered {status}"),
        Memberships::Unreadable {
            status,
            missing_scopes,
        } => format!(
            "the memberships answered {status}, missing scope {}",
            missing_scopes.join(", ")
        ),
        Memberships::Read { .. } | Memberships::Incomplete { .. } => String::new(),
    }
}

fn list_complete(inputs: &Inputs) -> Check {
    let population = &inputs.population;
    let listing = &population.listing;
    let id = CheckId::ListComplete;
    let users = listing
        .pages
        .iter()
        .filter(|page| page.list == "users")
        .count();
    let numbers = json!({ "pages": users, "rows": listing.rows });
    let (status, detail) = if let Some(reason) = &listing.stopped_because {
        (
            CheckStatus::Fail,
            format!("the list was not read to its end: {reason}"),
        )
    } else if !listing.last_page_reached {
        (
            CheckStatus::Fail,
            "the last page was not reached".to_owned(),
        )
    } else if listing.partial_response && !memberships_agree(&inputs.population.memberships) {
        let detail =
            "Truto marked the list as partial, and the memberships do not show that it is complete";
        (CheckStatus::Fail, detail.to_owned())
    } else if listing.partial_response {
        let detail = "Truto marked the list as partial; the memberships agree with it on the accounts that have access";
        (CheckStatus::Pass, detail.to_owned())
    } else if let Some(why) = without_witness(population) {
        let detail = format!(
            "no second source confirms that the list is complete: {why}; connect again with full permissions; closes \
             with: `asana-access-review connect --reconnect {}`",
            population.connection.id
        );
        (CheckStatus::Fail, detail)
    } else {
        (
            CheckStatus::Pass,
            "every page was read; the last page names no next page".to_owned(),
        )
    };
    with(check(id, status, detail), numbers)
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
        faults.push("the accounts are not the rows that were counted".to_owned());
    }
    if let Some(first) = rejected.first() {
        faults.push(format!(
            "{} row(s) could not be read as accounts, the first on page {} row {}: {}",
            rejected.len(),
            first.page,
            first.row,
            first.reason
        ));
    }
    match &inputs.population.memberships {
        Memberships::Read {
            rows,
            rejected,
            active,
            active_not_listed,
            listed_without_membership,
            ..
        } => {
            numbers["memberships"] = json!(rows);
            numbers["active_memberships"] = json!(active);
            numbers["active_not_listed"] = json!(active_not_listed.len());
            numbers["listed_without_membership"] = json!(listed_without_membership.len());
            if *rejected > 0 {
                faults.push(format!("{rejected} membership record(s) could not be read"));
            }
            if let Some(first) = active_not_listed.first() {
                faults.push(format!(
                    "{} active membership(s) are missing from the list, account {first} first",
                    active_not_listed.len()
                ));
            }
            if let Some(first) = listed_without_membership.first() {
                faults.push(format!(
                    "{} listed account(s) have no membership, account {first} first",
                    listed_without_membership.len()
                ));
            }
        }
        Memberships::Incomplete { reason } => {
            faults.push(format!(
                "the memberships were not read to their end: {reason}"
            ));
        }
        unreadable @ Memberships::Unreadable { .. } => {
            let unanswered = unanswered(unreadable);
            let second_list = inputs.population.gaps.second_list.as_ref();
            match second_list.filter(|second| second.last_page_reached) {
                None => single_source = Some(format!("single source: {unanswered}")),
                Some(SecondList {
                    last_page_reached: _,
                    not_listed,
                    only_listed,
                }) => {
                    numbers["second_list_not_listed"] = json!(not_listed.len());
                    numbers["second_list_only_listed"] = json!(only_listed.len());
                    if let Some(first) = not_listed.first() {
                        faults.push(format!(
                            "{} account(s) of Asana's own list of users are missing from the list, account {first} \
                             first",
                            not_listed.len()
                        ));
                    }
                    if let Some(first) = only_listed.first() {
                        faults.push(format!(
                            "{} listed account(s) are missing from Asana's own list of users, account {first} first",
                            only_listed.len()
                        ));
                    }
                    single_source = Some(format!(
                        "Asana's own list of users names the same accounts, but {unanswered}"
                    ));
                }
            }
        }
    }
    let (status, detail) = if !faults.is_empty() {
        (CheckStatus::Fail, faults.join("; "))
    } else if let Some(warning) = single_source {
        (CheckStatus::Warn, warning)
    } else {
        (
            CheckStatus::Pass,
            "rows add up, and the memberships agree with the list on the accounts that have access"
                .to_owned(),
        )
    };
    with(check(id, status, detail), numbers)
}

fn population_size(inputs: &Inputs) -> Check {
    let accounts = inputs.population.accounts.len() as u64;
    let id = CheckId::PopulationSize;
    let (status, detail) = if accounts == 0 {
        (CheckStatus::Fail, "the list has no account".to_owned())
    } else if accounts == SUSPICIOUS_POPULATION
        && !memberships_agree(&inputs.population.memberships)
    {
        let detail = "Asana cuts a list at exactly 2000 accounts, and the memberships do not show that this \
                      list is complete";
        (CheckStatus::Fail, detail.to_owned())
    } else {
        (CheckStatus::Pass, format!("{accounts} account(s)"))
    };
    with(check(id, status, detail), json!({ "accounts": accounts }))
}

fn population_drop(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    let now = inputs.population.accounts.len() as u64;
    let snapshots =
        complete_runs(inputs).map(|snapshot| (snapshot.as_of, snapshot.counts.accounts.total));
    drop(basis, CheckId::PopulationDrop, now, snapshots, uses)
}

fn fields_known(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    let accounts = &inputs.population.accounts;
    let count = |wanted: fn(&&Account) -> bool| accounts.iter().filter(wanted).count();
    let (mut by_hand, mut no_email) = (0, 0);
    let mut exceptions = BTreeSet::new();
    for account in accounts {
        if account.access() == Access::None || !account.emails.is_empty() {
            continue;
        }
        if basis.directives.is_service(account, uses) {
            by_hand += 1;
            continue;
        }
        match basis
            .directives
            .covers(Covered::Account(account, NO_EMAIL), None, uses)
        {
            Some(exception) => {
                by_hand += 1;
                exceptions.insert(exception.in_short());
            }
            None => no_email += 1,
        }
    }
    let no_status = count(|account| matches!(account.status, Status::Unknown(_)));
    let no_role = count(|account| {
        account.access() != Access::None && matches!(account.role, Role::Unknown(_))
    });
    let gaps = &inputs.population.gaps;
    let mut detail = Vec::new();
    if no_email > 0 {
        detail.push(format!(
            "{no_email} account(s) that have or may have access have no address"
        ));
    }
    if no_status > 0 {
        detail.push(format!("{no_status} of unknown status"));
    }
    if no_role > 0 {
        detail.push(format!("{no_role} of unknown role"));
    }
    if !detail.is_empty() {
        // The reason names its own missing scopes.
        match &gaps.stopped_because {
            Some(because) => detail.push(because.clone()),
            None if gaps.missing_scopes.is_empty() => {}
            None => detail.push(format!("missing scope {}", gaps.missing_scopes.join(", "))),
        }
    }
    if by_hand > 0 {
        detail.push(format!(
            "{by_hand} without an address are decided by hand: {}",
            if exceptions.is_empty() {
                "by aliases".to_owned()
            } else {
                Vec::from_iter(exceptions.iter().map(String::as_str)).join(", ")
            }
        ));
    }
    let (status, detail) = if no_email > 0 {
        (CheckStatus::Fail, detail.join("; "))
    } else if no_status + no_role + exceptions.len() > 0 {
        (CheckStatus::Warn, detail.join("; "))
    } else if by_hand > 0 {
        (CheckStatus::Pass, detail.join("; "))
    } else {
        (
            CheckStatus::Pass,
            "every status is known, and address and role of every account that has access"
                .to_owned(),
        )
    };
    let mut numbers = json!({
        "without_email": no_email, "status_unknown": no_status, "role_unknown": no_role,
    });
    if by_hand > 0 {
        numbers["without_email_named_by_hand"] = json!(by_hand);
    }
    with(check(CheckId::FieldsKnown, status, detail), numbers)
}

fn viewer(inputs: &Inputs) -> Check {
    let id = CheckId::Viewer;
    let (viewer, of_me) = match &inputs.population.viewer {
        Viewer::NotReported { reason } => {
            let detail = format!("the connected account is unknown: {reason}");
            return check(id, CheckStatus::Warn, detail);
        }
        Viewer::Account { id, role } => (id, role),
    };
    let Some(account) = inputs
        .population
        .accounts
        .iter()
        .find(|account| account.id == *viewer)
    else {
        let detail = format!("the connected account {viewer} is missing from the list");
        return check(id, CheckStatus::Fail, detail);
    };
    // The lower of both: a connection that sees less than an administrator shows a shorter list.
    let is_lower = match (of_me.rank(), account.role.rank()) {
        (Some(of_me), Some(listed)) => of_me < listed,
        (of_me, None) => of_me.is_some(),
        (None, Some(_)) => false,
    };
    let role = if is_lower { of_me } else { &account.role };
    let (status, detail) = match role {
        Role::Admin => (
            CheckStatus::Pass,
            "the connected account is listed as an admin".into(),
        ),
        Role::Member | Role::Guest => (
            CheckStatus::Fail,
            format!(
                "the connected account {viewer} is a {role}{}: it may not see every account; connect as an administrator",
                match (of_me.rank(), account.role.rank()) {
                    (Some(one), Some(other)) if one != other =>
                        format!(" (role {of_me} in `/me`, {} in the list)", account.role),
                    _ => String::new(),
                }
            ),
        ),
        Role::Unknown(_) => (
            CheckStatus::Warn,
            format!("the connected account {viewer} is listed, its role is unknown"),
        ),
    };
    check(id, status, detail)
}
