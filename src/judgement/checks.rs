//! What is looked at before anything is concluded, each check with its numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::changes::differing_rules;
use super::tenures::Person;
use super::{Basis, Check, CheckId, CheckStatus, FeedScope, Inputs};
use crate::people::{
    Access, Account, Employment, Listing, Memberships, RejectedRow, Role, Status, Viewer,
};

/// The one origin whose answers need no mark.
const TRUTO: &str = "https://api.truto.one";

/// More than this off, in minutes, and no instant in the evidence can be trusted.
const MAX_CLOCK_SKEW_MINUTES: u64 = 5;

/// A file may be dated so much later than the run: two clocks may differ as much as ours may.
const MAX_FUTURE_SECONDS: i64 = 60 * MAX_CLOCK_SKEW_MINUTES as i64;

/// Asana's `/workspaces/{gid}/users` gives at most this many: a list of exactly so many may be cut.
const SUSPICIOUS_POPULATION: u64 = 2000;

/// A fall of fewer than this many is not a collapse, whatever its percentage.
const SMALLEST_DROP: u64 = 20;

/// So many complete runs back, the largest population is what a fall is measured against.
const DROP_WINDOW: usize = 7;

/// A nightly run that is later than this missed a night.
const CADENCE: SignedDuration = SignedDuration::from_hours(36);

fn check(id: CheckId, status: CheckStatus, detail: impl Into<String>) -> Check {
    Check {
        id,
        status,
        detail: detail.into(),
        numbers: BTreeMap::new(),
    }
}

fn with(mut check: Check, numbers: Value) -> Check {
    if let Value::Object(numbers) = numbers {
        check.numbers = numbers.into_iter().collect();
    }
    check
}

/// Whether absence from the list may be taken as removal.
pub(super) fn make_complete(checks: &[Check]) -> bool {
    checks
        .iter()
        .all(|check| !check.id.makes_complete() || check.status != CheckStatus::Fail)
}

/// The checks on the accounts and on how they were read.
pub(super) fn of_the_accounts(basis: &Basis<'_>) -> Vec<Check> {
    let inputs = basis.inputs;
    vec![
        connection_active(inputs),
        source_origin(inputs),
        clock(inputs),
        workspace_listed(inputs),
        list_complete(inputs),
        rows_reconcile(inputs),
        population_size(inputs),
        population_drop(basis),
        fields_known(basis),
        viewer(inputs),
    ]
}

/// The checks on the HR feed.
pub(super) fn of_the_feed(basis: &Basis<'_>, people: &[Person<'_>]) -> Vec<Check> {
    let inputs = basis.inputs;
    vec![
        hr_fresh(inputs),
        hr_not_empty(inputs, people),
        hr_rows_accounted(basis),
        hr_matchable(basis),
        hr_drop(basis),
    ]
}

/// The checks against earlier runs.
pub(super) fn of_the_past(inputs: &Inputs) -> Vec<Check> {
    vec![
        policy_unchanged(inputs),
        cadence(inputs),
        ledger_continues(inputs),
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
    let id = CheckId::SourceOrigin;
    match mark_of_origin(origin) {
        None => check(id, CheckStatus::Pass, format!("answers came from {TRUTO}")),
        Some(mark) => check(
            id,
            CheckStatus::Warn,
            format!("answers came from {origin}: {mark}"),
        ),
    }
}

/// What evidence from another origin than Truto's own must say of itself on its face.
pub fn mark_of_origin(origin: &str) -> Option<&'static str> {
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let host = host.strip_prefix('[').map_or_else(
        || host.split([':', '/']).next().unwrap_or_default(),
        |v6| v6.split(']').next().unwrap_or_default(),
    );
    if origin == TRUTO {
        None
    } else if host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
        Some("TEST DATA")
    } else {
        Some("NOT FROM api.truto.one")
    }
}

fn clock(inputs: &Inputs) -> Check {
    let id = CheckId::Clock;
    match inputs.population.clock_skew_minutes {
        None => check(
            id,
            CheckStatus::Warn,
            "no answer was dated: our clock could not be compared",
        ),
        Some(skew) => {
            let within = skew.unsigned_abs() <= MAX_CLOCK_SKEW_MINUTES;
            let status = if within {
                CheckStatus::Pass
            } else {
                CheckStatus::Fail
            };
            let detail = if within {
                "our clock agrees with the server's".to_owned()
            } else {
                format!(
                    "our clock is {} minutes {} the server's",
                    skew.unsigned_abs(),
                    if skew > 0 { "ahead of" } else { "behind" }
                )
            };
            with(check(id, status, detail), json!({ "skew_minutes": skew }))
        }
    }
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

fn list_complete(inputs: &Inputs) -> Check {
    let listing = &inputs.population.listing;
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
        let detail = "Truto marked the list as partial, and the memberships do not prove it whole";
        (CheckStatus::Fail, detail.to_owned())
    } else if listing.partial_response {
        let detail = "Truto marked the list as partial; the memberships name the same accounts";
        (CheckStatus::Pass, detail.to_owned())
    } else {
        (
            CheckStatus::Pass,
            "every page was read, up to one that names no next".to_owned(),
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
            "{} row(s) are no account, the first on page {} row {}: {}",
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
        Memberships::Unreadable {
            status,
            missing_scopes,
        } => {
            single_source = Some(if missing_scopes.is_empty() {
                format!("single source: the memberships answered {status}")
            } else {
                format!(
                    "single source: the memberships answered {status}, missing scope {}",
                    missing_scopes.join(", ")
                )
            });
        }
    }
    let (status, detail) = if !faults.is_empty() {
        (CheckStatus::Fail, faults.join("; "))
    } else if let Some(warning) = single_source {
        (CheckStatus::Warn, warning)
    } else {
        (
            CheckStatus::Pass,
            "rows add up, and the memberships name the same accounts".to_owned(),
        )
    };
    with(check(id, status, detail), numbers)
}

fn population_size(inputs: &Inputs) -> Check {
    let accounts = inputs.population.accounts.len() as u64;
    let id = CheckId::PopulationSize;
    let (status, detail) = if accounts == 0 {
        (CheckStatus::Fail, "the list holds no account".to_owned())
    } else if accounts == SUSPICIOUS_POPULATION
        && !memberships_agree(&inputs.population.memberships)
    {
        let detail = "exactly 2000 accounts is where Asana cuts a list, and the memberships do \
                      not prove it whole";
        (CheckStatus::Fail, detail.to_owned())
    } else {
        (CheckStatus::Pass, format!("{accounts} account(s)"))
    };
    with(check(id, status, detail), json!({ "accounts": accounts }))
}

/// A collapse: by more than the percentage, and by enough to be more than a few people.
fn collapsed(now: u64, largest: u64, max_drop_percent: u32) -> bool {
    let fall = largest.saturating_sub(now);
    fall >= SMALLEST_DROP && fall * 100 > largest * u64::from(max_drop_percent)
}

/// What a check saw that would fail it, were it not for exceptions.
fn accepted(detail: &str, exceptions: &str) -> String {
    format!("{detail}; accepted by {exceptions}")
}

fn drop(basis: &Basis<'_>, id: CheckId, now: u64, nights: impl Iterator<Item = u64>) -> Check {
    let Some(largest) = nights.max() else {
        return check(id, CheckStatus::Pass, "no complete run to compare with");
    };
    let percent = basis.inputs.policy.max_drop_percent;
    let seen = format!("{now} now, at most {largest} in the last {DROP_WINDOW} complete runs");
    let (status, detail) = if collapsed(now, largest, percent) {
        let detail = format!("{seen}: fell by more than {percent} %");
        match basis.directives.covers_check(id) {
            Some(exception) => (CheckStatus::Warn, accepted(&detail, &exception.in_short())),
            None => (CheckStatus::Fail, detail),
        }
    } else {
        let detail = format!("{seen}: did not fall by more than {percent} %");
        (CheckStatus::Pass, detail)
    };
    with(
        check(id, status, detail),
        json!({ "now": now, "largest": largest }),
    )
}

/// The complete nights a fall is measured against.
fn complete_nights(inputs: &Inputs) -> impl Iterator<Item = &super::Night> {
    let trend = inputs
        .past
        .previous
        .as_ref()
        .map_or(&[][..], |previous| &previous.trend);
    trend
        .iter()
        .rev()
        .filter(|night| night.complete)
        .take(DROP_WINDOW)
}

fn population_drop(basis: &Basis<'_>) -> Check {
    let inputs = basis.inputs;
    let now = inputs.population.accounts.len() as u64;
    let nights = complete_nights(inputs).map(|night| night.counts.accounts.total);
    drop(basis, CheckId::PopulationDrop, now, nights)
}

/// Rows that tell of somebody: blank and repeated ones must not make up for missing people.
pub(super) fn rows_with_people(inputs: &Inputs) -> u64 {
    (inputs.hr.rows.len() + inputs.hr.rejected.len()) as u64
}

fn hr_drop(basis: &Basis<'_>) -> Check {
    let inputs = basis.inputs;
    if inputs.policy.hr_feed_scope == FeedScope::RecentLeavers {
        let detail = "not judged: in this scope rows drop out with time";
        return check(CheckId::HrDrop, CheckStatus::Pass, detail);
    }
    let nights = complete_nights(inputs).map(|night| night.hr_rows);
    drop(basis, CheckId::HrDrop, rows_with_people(inputs), nights)
}

fn fields_known(basis: &Basis<'_>) -> Check {
    let inputs = basis.inputs;
    let accounts = &inputs.population.accounts;
    let count = |wanted: fn(&&Account) -> bool| accounts.iter().filter(wanted).count();
    let (named, nameless): (Vec<&Account>, Vec<&Account>) = accounts
        .iter()
        .filter(|account| account.access() != Access::None && account.emails.is_empty())
        .partition(|account| basis.directives.name(account));
    let (by_hand, no_email) = (named.len(), nameless.len());
    let exceptions: BTreeSet<String> = named
        .iter()
        .filter_map(|account| basis.directives.excepts_account(account))
        .collect();
    let no_status = count(|account| matches!(account.status, Status::Unknown(_)));
    let no_role = count(|account| {
        account.access() != Access::None && matches!(account.role, Role::Unknown(_))
    });
    let gaps = &inputs.population.gaps;
    let mut detail = Vec::new();
    if no_email > 0 {
        detail.push(format!(
            "{no_email} account(s) that have or may have access bear no e-mail"
        ));
    }
    if no_status > 0 {
        detail.push(format!("{no_status} of unknown status"));
    }
    if no_role > 0 {
        detail.push(format!("{no_role} of unknown role"));
    }
    if !detail.is_empty() {
        let because = gaps.stopped_because.clone().unwrap_or_default();
        let unsaid = gaps
            .missing_scopes
            .iter()
            .filter(|scope| !because.contains(scope.as_str()));
        let unsaid: Vec<&str> = unsaid.map(String::as_str).collect();
        detail.extend(gaps.stopped_because.clone());
        if !unsaid.is_empty() {
            detail.push(format!("missing scope {}", unsaid.join(", ")));
        }
    }
    if by_hand > 0 {
        detail.push(format!(
            "{by_hand} without e-mail are named by hand: {}",
            if exceptions.is_empty() {
                "aliases say what they are".to_owned()
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
            "e-mail, status and role of every account are known".to_owned(),
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
    let viewer = match &inputs.population.viewer {
        Viewer::NotTold { reason } => {
            let detail = format!("the connection's own account is not known: {reason}");
            return check(id, CheckStatus::Warn, detail);
        }
        Viewer::Account { id } => id,
    };
    let Some(account) = inputs
        .population
        .accounts
        .iter()
        .find(|account| account.id == *viewer)
    else {
        let detail = format!("the connection's own account {viewer} is missing from the list");
        return check(id, CheckStatus::Fail, detail);
    };
    let (status, detail) = match &account.role {
        Role::Admin => (
            CheckStatus::Pass,
            "the connection's own account is listed, an admin".into(),
        ),
        Role::Member | Role::Guest => (
            CheckStatus::Fail,
            format!(
                "the connection's own account {viewer} is a {}: it may not see everybody; connect \
                 as an admin",
                account.role
            ),
        ),
        Role::Unknown(_) => (
            CheckStatus::Warn,
            format!("the connection's own account {viewer} is listed, its role is unknown"),
        ),
    };
    check(id, status, detail)
}

fn hr_fresh(inputs: &Inputs) -> Check {
    let id = CheckId::HrFresh;
    let origin = &inputs.hr.origin;
    let Some(max_age) = inputs.policy.hr_feed_max_age_seconds else {
        return check(id, CheckStatus::Pass, "not judged: HR_FEED_MAX_AGE is off");
    };
    let Some(modified) = origin.modified_at else {
        return check(id, CheckStatus::Fail, "nobody says how old the HR feed is");
    };
    let age = inputs.as_of.duration_since(modified).as_secs();
    let numbers = json!({ "age_seconds": age, "max_age_seconds": max_age });
    // A date that has not come yet would stay fresh until it has: it tells no age at all.
    if age < -MAX_FUTURE_SECONDS {
        let detail = "the HR feed is dated in the future: nobody knows how old it is";
        return with(check(id, CheckStatus::Fail, detail), numbers);
    }
    let fresh = age <= max_age;
    let status = if fresh {
        CheckStatus::Pass
    } else {
        CheckStatus::Fail
    };
    let detail = format!(
        "the HR feed is {} h old, at most {} h is allowed",
        age / 3600,
        max_age / 3600
    );
    with(check(id, status, detail), numbers)
}

fn hr_not_empty(inputs: &Inputs, people: &[Person<'_>]) -> Check {
    let id = CheckId::HrNotEmpty;
    if inputs.hr.unusable.is_some() {
        // Leavers of an earlier run are followed, but tonight's file names nobody.
        let detail = "the HR feed cannot be used: nobody knows whom it names";
        return check(id, CheckStatus::Fail, detail);
    }
    if inputs.policy.hr_feed_scope == FeedScope::Roster {
        let rows = rows_with_people(inputs);
        let numbers = json!({ "rows": rows });
        let (status, detail) = match rows {
            0 => (CheckStatus::Fail, "the roster names nobody".to_owned()),
            _ => (CheckStatus::Pass, format!("the roster has {rows} row(s)")),
        };
        return with(check(id, status, detail), numbers);
    }
    let named = people
        .iter()
        .filter(|person| person.in_feed && person.is_named_as_leaver())
        .count();
    let numbers = json!({ "leavers": named });
    let (status, detail) = if named > 0 {
        (
            CheckStatus::Pass,
            format!("the HR feed names {named} leaver(s)"),
        )
    } else if inputs.policy.hr_feed_allow_empty {
        (
            CheckStatus::Pass,
            "the HR feed names no leaver, which is allowed".to_owned(),
        )
    } else {
        let detail = "the HR feed names no leaver; HR_FEED_ALLOW_EMPTY=true if that is believable";
        (CheckStatus::Fail, detail.to_owned())
    };
    with(check(id, status, detail), numbers)
}

fn hr_rows_accounted(basis: &Basis<'_>) -> Check {
    let inputs = basis.inputs;
    let id = CheckId::HrRowsAccounted;
    let hr = &inputs.hr;
    let unclassified = hr
        .rows
        .iter()
        .filter(|row| matches!(row.status, Employment::Unclassified(_)))
        .count();
    let mut open: Vec<&RejectedRow> = Vec::new();
    let mut exceptions: BTreeSet<String> = BTreeSet::new();
    for row in &hr.rejected {
        match basis.directives.covers_rejected(row) {
            Some(exception) => {
                exceptions.insert(exception.in_short());
            }
            None => open.push(row),
        }
    }
    let numbers = json!({
        "rows_in_file": hr.rows_in_file(), "rows": hr.rows.len(), "rejected": hr.rejected.len(),
        "blank": hr.blank_rows, "duplicates": hr.duplicate_rows, "unclassified": unclassified,
    });
    let (status, detail) = if let Some(reason) = &hr.unusable {
        (
            CheckStatus::Fail,
            format!("the HR feed cannot be used: {reason}"),
        )
    } else if let Some(first) = open.first().or(hr.rejected.first().as_ref()) {
        let detail = format!(
            "{} row(s) were rejected, the first at line {}: {}",
            hr.rejected.len(),
            first.line,
            first.reason
        );
        let exceptions = Vec::from_iter(exceptions).join(", ");
        match (open.len(), exceptions.is_empty()) {
            (0, _) => (CheckStatus::Warn, accepted(&detail, &exceptions)),
            (_, true) => (CheckStatus::Fail, detail),
            (rest, false) => (
                CheckStatus::Fail,
                format!("{detail}; all but {rest} are accepted by {exceptions}"),
            ),
        }
    } else if unclassified > 0 {
        (
            CheckStatus::Warn,
            format!("{unclassified} row(s) have a status that is not known"),
        )
    } else {
        (
            CheckStatus::Pass,
            "every row of the HR feed was understood".to_owned(),
        )
    };
    with(check(id, status, detail), numbers)
}

fn hr_matchable(basis: &Basis<'_>) -> Check {
    let inputs = basis.inputs;
    let same = &basis.same_domains;
    let id = CheckId::HrMatchable;
    if inputs.hr.rows.is_empty() {
        return check(id, CheckStatus::Pass, "no HR row to match");
    }
    let accounts = &inputs.population.accounts;
    let domains: std::collections::HashSet<&str> = accounts
        .iter()
        .filter(|account| account.role != Role::Guest)
        .flat_map(|account| {
            let held = account.emails.iter();
            held.map(|email| same.canonical(email.domain()))
        })
        .collect();
    let external: std::collections::HashSet<&str> = accounts
        .iter()
        .filter_map(|account| account.external_id.as_deref())
        .collect();
    let matchable = inputs.hr.rows.iter().filter(|row| {
        row.emails()
            .any(|email| domains.contains(same.canonical(email.domain())))
            || row
                .person_id
                .as_deref()
                .is_some_and(|id| external.contains(id))
    });
    let matchable = matchable.count();
    let numbers = json!({ "rows": inputs.hr.rows.len(), "matchable": matchable });
    if matchable == 0 {
        let detail = "no HR row shares a mail domain with any account: HR and Asana may be of \
                      different organizations";
        return with(check(id, CheckStatus::Fail, detail), numbers);
    }
    let detail = format!("{matchable} HR row(s) share a mail domain or an id with accounts");
    with(check(id, CheckStatus::Pass, detail), numbers)
}

fn policy_unchanged(inputs: &Inputs) -> Check {
    let id = CheckId::PolicyUnchanged;
    let Some(previous) = &inputs.past.previous else {
        return check(id, CheckStatus::Pass, "no earlier run to compare with");
    };
    let rules: Vec<String> = differing_rules(previous, inputs)
        .into_iter()
        .map(|(rule, ..)| rule)
        .collect();
    if rules.is_empty() {
        check(
            id,
            CheckStatus::Pass,
            "the rules are those of the run before",
        )
    } else {
        check(
            id,
            CheckStatus::Warn,
            format!("changed since the run before: {}", rules.join(", ")),
        )
    }
}

fn cadence(inputs: &Inputs) -> Check {
    let id = CheckId::Cadence;
    let last: Option<Timestamp> = inputs.past.baseline.as_ref().map(|baseline| baseline.as_of);
    let Some(last) = last else {
        return if inputs.past.ledger_head.is_none() {
            check(id, CheckStatus::Pass, "the first run")
        } else {
            check(
                id,
                CheckStatus::Warn,
                "no complete run can be relied on so far",
            )
        };
    };
    let since = inputs.as_of.duration_since(last);
    let hours = since.as_hours();
    let (status, detail) = if since.is_negative() {
        (
            CheckStatus::Warn,
            "the last complete run is dated later than this one: a clock went back".to_owned(),
        )
    } else if since > CADENCE {
        (
            CheckStatus::Warn,
            format!("{hours} h since the last complete run: nights were missed"),
        )
    } else {
        (
            CheckStatus::Pass,
            format!("{hours} h since the last complete run"),
        )
    };
    with(
        check(id, status, detail),
        json!({ "since_last_complete_seconds": since.as_secs() }),
    )
}

fn ledger_continues(inputs: &Inputs) -> Check {
    let id = CheckId::LedgerContinues;
    let past = &inputs.past;
    let numbers = json!({ "head": past.ledger_head });
    // A deleted entry stays deleted: it fails the night that finds it, and is told ever after.
    let recorded = past
        .previous
        .as_ref()
        .map_or("", |previous| &previous.ledger_detail);
    let (old, new): (Vec<&str>, Vec<&str>) = past
        .ledger_faults
        .iter()
        .map(String::as_str)
        .partition(|fault| recorded.contains(fault));
    let old = format!("recorded before: {}", old.join("; "));
    let (status, detail) = if !new.is_empty() && new.len() < past.ledger_faults.len() {
        (CheckStatus::Fail, format!("{}; {old}", new.join("; ")))
    } else if !new.is_empty() {
        (CheckStatus::Fail, new.join("; "))
    } else if !past.ledger_faults.is_empty() {
        (CheckStatus::Warn, old)
    } else {
        match past.ledger_head {
            None => (
                CheckStatus::Warn,
                "no baseline: the first entry of this ledger".to_owned(),
            ),
            Some(head) => (
                CheckStatus::Pass,
                format!("entry {head} and what was used of earlier runs are unaltered"),
            ),
        }
    };
    with(check(id, status, detail), numbers)
}
