//! The population of a review: the accounts with access of a committed run, each with the facts from the evidence and
//! its reviewer.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{FrozenRow, LeftOut, Owners, ReviewClosed, ReviewerFile, Scope, Worksheet};
use crate::evidence::{AccountLine, Facts, RunFile, account_lines};
use crate::judgement::{Decision, FindingKind, RunRef};
use crate::model::{Access, Permissions, Role, Status, Workspace};

/// The value of `changed` without an earlier review.
pub const NO_REVIEW_BEFORE: &str = "no review before";

/// The run of a review's population.
#[derive(Debug)]
pub struct ReviewedRun {
    pub as_of: Timestamp,
    /// Truto's origin.
    pub origin: String,
    /// Whether Truto reports the connection as a sandbox.
    pub is_sandbox: bool,
    pub workspace: Workspace,
    pub permissions: Permissions,
    pub accounts: Vec<AccountLine>,
    pub owners: Owners,
}

impl ReviewedRun {
    pub const FILES: [RunFile; 3] = [
        RunFile::InputFacts,
        RunFile::AccountsJsonl,
        RunFile::InputHr,
    ];

    /// Reads the bytes of [`Self::FILES`], in their order.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub fn read([facts, accounts, hr]: [&[u8]; 3]) -> Result<Self, String> {
        let inputs = serde_json::from_slice::<Facts<'_>>(facts)
            .and_then(|facts| facts.into_inputs(accounts, hr))
            .map_err(|error| format!("the inputs cannot be read: {error}"))?;
        let accounts = account_lines(accounts)
            .map_err(|error| format!("its accounts cannot be read: {error}"))?;
        Ok(Self {
            as_of: inputs.as_of,
            owners: Owners::of(&inputs.policy.email_domain_aliases, &accounts, &inputs.hr),
            is_sandbox: inputs.population.connection.is_sandbox(),
            origin: inputs.population.origin,
            workspace: inputs.population.workspace,
            permissions: inputs.policy.asana_permissions,
            accounts,
        })
    }
}

/// Earlier closed reviews, with which the rows are compared. The newest decision about each account counts, back to the
/// last complete review of scope `all`.
#[derive(Clone, Debug)]
pub struct EarlierReviews {
    /// The id of the newest review.
    pub id: String,
    rows: HashMap<String, FrozenRow>,
    decided: HashMap<String, Decision>,
}

impl EarlierReviews {
    /// Adds a review to the later ones. No earlier review is needed if [`ReviewClosed::is_of_all`] holds.
    pub fn with(earlier: Option<Self>, worksheet: Worksheet, closed: &ReviewClosed) -> Self {
        let mut earlier = earlier.unwrap_or_else(|| Self {
            id: closed.review.clone(),
            rows: HashMap::new(),
            decided: HashMap::new(),
        });
        for (row, decision) in closed.decided() {
            let decided = earlier.decided.entry(row.account_id.clone());
            decided.or_insert(decision);
        }
        for row in worksheet.rows {
            earlier.rows.entry(row.account_id.clone()).or_insert(row);
        }
        earlier
    }
}

/// The facts of opening a review, in addition to its run.
#[derive(Clone, Debug)]
pub struct OpenedWith {
    /// The review's id.
    pub review: String,
    pub name: String,
    /// The last day for decisions, `2026-12-31`.
    pub due: String,
    pub scope: Scope,
    pub opened_at: Timestamp,
    pub connection: String,
    pub snapshot: RunRef,
    pub reviewers: Option<ReviewerFile>,
}

impl Worksheet {
    /// One row for each account of the scope, in the order of the list. Other accounts are counted.
    ///
    /// # Errors
    /// The accounts that only their owner could review.
    pub fn freeze(
        with: OpenedWith,
        run: ReviewedRun,
        earlier: Option<&EarlierReviews>,
    ) -> Result<(Self, Owners), Vec<String>> {
        let mut left_out = LeftOut::default();
        let mut rows = Vec::new();
        let mut without_reviewer = Vec::new();
        for account in run.accounts {
            if account.status.access() == Access::None {
                left_out.without_access += 1;
                continue;
            }
            if !is_in(with.scope, &account.role) {
                left_out.out_of_scope += 1;
                continue;
            }
            let number = u32::try_from(rows.len() + 1).unwrap_or(u32::MAX);
            let mut row = FrozenRow::of(number, account, run.permissions, earlier);
            if let Some(file) = &with.reviewers {
                match file.decider(&row, &run.owners) {
                    Some((reviewer, by)) => {
                        row.reviewer = Some(reviewer);
                        row.assigned_by = by;
                    }
                    None => without_reviewer.push(row.account_id.clone()),
                }
            }
            rows.push(row);
        }
        if !without_reviewer.is_empty() {
            return Err(without_reviewer);
        }
        let worksheet = Self {
            schema: Self::SCHEMA.to_owned(),
            review: with.review,
            name: with.name,
            due: with.due,
            scope: with.scope,
            opened_at: with.opened_at,
            connection: with.connection,
            is_sandbox: run.is_sandbox,
            workspace: run.workspace,
            permissions: run.permissions,
            snapshot: with.snapshot,
            snapshot_as_of: run.as_of,
            compared_with: earlier.map(|earlier| earlier.id.clone()),
            reviewers: with.reviewers,
            left_out,
            rows,
        };
        Ok((worksheet, run.owners))
    }
}

fn is_in(scope: Scope, role: &Role) -> bool {
    match (scope, role) {
        (Scope::All, _) | (_, Role::Unknown(_)) => true,
        (Scope::Admins, role) => *role == Role::Admin,
        (Scope::Guests, role) => *role == Role::Guest,
    }
}

impl FrozenRow {
    fn of(
        row: u32,
        account: AccountLine,
        permissions: Permissions,
        earlier: Option<&EarlierReviews>,
    ) -> Self {
        let was = earlier.map(|earlier| earlier.rows.get(&account.account_id));
        let decided = earlier.and_then(|of| of.decided.get(&account.account_id).copied());
        let mut row = Self {
            row,
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
            changed: String::new(),
            previous_decision: decided,
            findings: account.findings,
            recommended: Decision::Keep,
            reason: String::new(),
            reviewer: None,
            assigned_by: String::new(),
        };
        row.changed = row.changed_since(was);
        let is_other_role = was
            .flatten()
            .is_some_and(|was| was.role != row.role && was.role != Role::Unknown(None));
        let (recommended, reason) = row.recommendation(is_other_role, permissions);
        row.recommended = recommended;
        row.reason = reason.to_owned();
        row
    }

    /// The differences from the population of the last review.
    /// A role or status that one of the two could not read has not changed.
    fn changed_since(&self, before: Option<Option<&Self>>) -> String {
        let before = match before {
            None => return NO_REVIEW_BEFORE.to_owned(),
            Some(None) => return "not in the last review".to_owned(),
            Some(Some(before)) => before,
        };
        let is_read =
            |of: &Self| of.role != Role::Unknown(None) && of.status != Status::Unknown(None);
        let are_read = |before: &Self| is_read(before) && is_read(self);
        let email = before.email.as_ref().map_or("none", |of| of.as_written());
        let name = before.name.as_deref().unwrap_or("none");
        let changes = [
            (before.role != self.role && are_read(before))
                .then(|| format!("role was {}", before.role)),
            (before.status != self.status && are_read(before))
                .then(|| format!("status was {}", before.status)),
            (before.email != self.email).then(|| format!("e-mail was {email}")),
            (before.name != self.name).then(|| format!("name was {name}")),
            (before.person_id != self.person_id)
                .then(|| format!("HR match was {}", before.hr_match())),
        ];
        let changes: Vec<String> = changes.into_iter().flatten().collect();
        match changes.is_empty() {
            true => "unchanged".to_owned(),
            false => changes.join("; "),
        }
    }

    /// The suggestion of the evidence, and its reason. The reviewer decides.
    fn recommendation(
        &self,
        is_other_role: bool,
        permissions: Permissions,
    ) -> (Decision, &'static str) {
        let has = |kind: FindingKind| self.findings.contains(&kind);
        let (revoke, unsure, keep) = (
            |why| (Decision::Revoke, why),
            |why| (Decision::DontKnow, why),
            |why| (Decision::Keep, why),
        );
        match (&self.status, &self.role) {
            _ if has(FindingKind::OffboardedAccess) => {
                revoke("the owner has left, and the deadline has passed")
            }
            _ if self.previous_decision == Some(Decision::Revoke) => {
                revoke("the last review revoked it, but it still exists")
            }
            _ if has(FindingKind::RevocationNotDone) => {
                revoke("a decision of a review was not carried out")
            }
            _ if has(FindingKind::PossibleOffboardedAccess) => {
                unsure("it may belong to a leaver: identify the owner")
            }
            _ if has(FindingKind::AccountUnidentifiable) => {
                unsure("it has no e-mail: identify the owner")
            }
            _ if has(FindingKind::AccountWithoutHrRecord) => {
                revoke("no person in HR's roster owns it")
            }
            // The connection reads neither status nor role, and everybody in the list has access.
            _ if permissions == Permissions::Narrow => match self.person_id.is_empty() {
                true => keep("no finding, but the HR feed names no owner; role not readable"),
                false => keep("no finding; role not readable"),
            },
            (Status::Unknown(_), _) => unsure("its status is unknown: check it in Asana"),
            (_, Role::Unknown(_)) => unsure("its role is unknown: check it in Asana"),
            (Status::Invited, _) => keep("a pending invitation: is it still needed?"),
            (_, Role::Admin) if is_other_role => {
                keep("a new administrator since the last review: is the role needed?")
            }
            (_, Role::Guest) => keep("a guest, unknown to HR: does the work continue?"),
            _ if self.person_id.is_empty() => keep("no finding, but the HR feed names no owner"),
            _ => keep("no finding"),
        }
    }
}
