//! The rows of a review: every account of a night that has access, who decides about it, what changed
//! since the review before, and what the evidence speaks for.

use std::collections::HashMap;

use super::{
    FrozenRow, LeftOut, Listed, NO_REVIEW_BEFORE, Owners, ReviewClosed, ReviewerFile, Scope,
    Worksheet,
};
use crate::people::{Access, Role, Status};
use crate::review::Decision;

/// Reviews that were closed before: what rows are compared with. Of each account it is the newest decision,
/// back to the last review that was of everybody and complete: one of some roles that came after it knows
/// the others not.
#[derive(Clone, Debug)]
pub struct Before {
    /// The id of the last.
    pub id: String,
    rows: HashMap<String, FrozenRow>,
    decided: HashMap<String, Decision>,
}

impl Before {
    /// The review that was closed last, from what it froze and what was decided.
    pub fn of(worksheet: Worksheet, closed: &ReviewClosed) -> Self {
        let mut before = Self {
            id: closed.review.clone(),
            rows: HashMap::new(),
            decided: HashMap::new(),
        };
        before.add(worksheet, closed);
        before
    }

    /// Adds the review that was closed before those that are known.
    pub fn add(&mut self, worksheet: Worksheet, closed: &ReviewClosed) {
        for row in &closed.rows {
            if let Some(decision) = row.decision {
                let decided = self.decided.entry(row.account_id.clone());
                decided.or_insert(decision);
            }
        }
        for row in worksheet.rows {
            self.rows.entry(row.account_id.clone()).or_insert(row);
        }
    }
}

impl ReviewClosed {
    /// Whether nothing that was decided before it matters for the next review.
    pub fn is_of_all(&self) -> bool {
        self.scope == Scope::All && self.complete
    }
}

fn is_in(scope: Scope, role: &Role) -> bool {
    match (scope, role) {
        (Scope::All, _) | (_, Role::Unknown(_)) => true,
        (Scope::Admins, role) => *role == Role::Admin,
        (Scope::Guests, role) => *role == Role::Guest,
    }
}

/// One row for every account of the scope, in the order of the list; every other one is counted.
///
/// # Errors
/// The accounts about which nobody but their owner could decide.
pub fn frozen_rows(
    listed: Vec<Listed>,
    scope: Scope,
    before: Option<&Before>,
    reviewers: Option<&ReviewerFile>,
    owners: &Owners,
) -> (Result<Vec<FrozenRow>, Vec<String>>, LeftOut) {
    let mut left_out = LeftOut::default();
    let mut rows = Vec::new();
    let mut undecided = Vec::new();
    for account in listed {
        if account.status.access() == Access::None {
            left_out.without_access += 1;
            continue;
        }
        if !is_in(scope, &account.role) {
            left_out.out_of_scope += 1;
            continue;
        }
        let changed = changed(&account, before);
        let previous_decision =
            before.and_then(|before| before.decided.get(&account.account_id).copied());
        let (recommended, reason) = recommended(&account, &changed, previous_decision);
        let mut row = FrozenRow {
            row: u32::try_from(rows.len() + 1).unwrap_or(u32::MAX),
            account_id: account.account_id,
            email: account.email,
            other_emails: account.other_emails,
            name: account.name,
            role: account.role,
            status: account.status,
            view_only: account.view_only,
            joined_at: account.joined_at,
            last_login_at: account.last_login_at,
            person_id: account.person_id,
            matched_by: account.matched_by,
            changed,
            previous_decision,
            findings: account.findings,
            recommended,
            reason,
            reviewer: None,
            assigned_by: String::new(),
        };
        if let Some(file) = reviewers {
            match file.decider(&row, owners) {
                Some((reviewer, told)) => {
                    row.reviewer = Some(reviewer);
                    row.assigned_by = told;
                }
                None => undecided.push(row.account_id.clone()),
            }
        }
        rows.push(row);
    }
    let rows = if undecided.is_empty() {
        Ok(rows)
    } else {
        Err(undecided)
    };
    (rows, left_out)
}

/// What is different from the population of the last review, for people.
fn changed(account: &Listed, before: Option<&Before>) -> String {
    let Some(before) = before else {
        return NO_REVIEW_BEFORE.to_owned();
    };
    let Some(earlier) = before.rows.get(&account.account_id) else {
        return "not in the last review".to_owned();
    };
    let mut told = Vec::new();
    if earlier.role != account.role {
        told.push(format!("role was {}", earlier.role));
    }
    if earlier.status != account.status {
        told.push(format!("status was {}", earlier.status));
    }
    if earlier.email != account.email {
        let email = earlier.email.as_ref().map_or("none", |of| of.as_written());
        told.push(format!("e-mail was {email}"));
    }
    if earlier.name != account.name {
        let name = earlier.name.as_deref().unwrap_or("none");
        told.push(format!("name was {name}"));
    }
    if earlier.person_id != account.person_id {
        told.push(format!("HR match was {}", earlier.hr_match()));
    }
    if told.is_empty() {
        "unchanged".to_owned()
    } else {
        told.join("; ")
    }
}

/// What the evidence speaks for, and why. The reviewer decides.
fn recommended(account: &Listed, changed: &str, previous: Option<Decision>) -> (Decision, String) {
    let has = |kind: &str| account.findings.iter().any(|found| found == kind);
    let told = |decision, reason: &str| (decision, reason.to_owned());
    if has("offboarded_access") {
        return told(
            Decision::Revoke,
            "the owner has left, and the deadline has passed",
        );
    }
    if previous == Some(Decision::Revoke) {
        return told(
            Decision::Revoke,
            "the last review revoked it, and it is still there",
        );
    }
    if has("revocation_not_done") {
        return told(
            Decision::Revoke,
            "a review asked for a change that was not made",
        );
    }
    if has("possible_offboarded_access") {
        return told(
            Decision::DontKnow,
            "it may belong to a leaver: find out whose it is",
        );
    }
    if has("account_unidentifiable") {
        return told(Decision::DontKnow, "it has no e-mail: find out whose it is");
    }
    if has("account_without_hr_record") {
        return told(Decision::Revoke, "nobody in HR's roster owns it");
    }
    match (&account.status, &account.role) {
        (Status::Unknown(_), _) => {
            return told(
                Decision::DontKnow,
                "its status is not known: look it up in Asana",
            );
        }
        (_, Role::Unknown(_)) => {
            return told(
                Decision::DontKnow,
                "its role is not known: look it up in Asana",
            );
        }
        (Status::Invited, _) => {
            return told(
                Decision::Keep,
                "an invitation that was not accepted yet: is it still wanted?",
            );
        }
        (_, Role::Admin) if changed.starts_with("role was") => {
            return told(
                Decision::Keep,
                "an administrator since the last review: is it needed?",
            );
        }
        (_, Role::Guest) => {
            return told(
                Decision::Keep,
                "a guest, whom HR does not know: does the work go on?",
            );
        }
        _ => {}
    }
    if account.person_id.is_empty() {
        return told(
            Decision::Keep,
            "nothing was found, and HR's feed names no owner",
        );
    }
    told(Decision::Keep, "nothing was found against it")
}
