//! The population of a review: the accounts with access of a committed run, each with the facts from the evidence and
//! its reviewer.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;

use serde::{Deserialize, Serialize};

use super::facts::{self, AccountFacts, RunFacts};
use super::{
    Eligibility, FrozenRow, LeftOut, Owners, ReasonFor, ReviewClosed, ReviewerFile, Scope,
    Worksheet,
};
use crate::evidence::{AccountLine, Facts, RunFile, RunResult, account_lines, leaver_lines};
use crate::judgement::{Decision, FindingKind, FollowUps, Outcome, RunRef};
use crate::model::{Access, Permissions, Role, Status, Workspace};
use crate::report::visible::Minute as _;

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
    /// The reviews of which the run knew.
    pub follow_ups: FollowUps,
    facts: RunFacts,
}

impl ReviewedRun {
    pub const FILES: [RunFile; 6] = [
        RunFile::InputFacts,
        RunFile::AccountsJsonl,
        RunFile::InputHr,
        RunFile::LeaversJsonl,
        RunFile::Concluded,
        RunFile::Result,
    ];

    /// Reads the bytes of [`Self::FILES`], in their order.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub fn read(
        [facts, accounts, hr, open, concluded, result]: [&[u8]; 6],
    ) -> Result<Self, String> {
        // Only the lines of the accounts are needed, which have the findings too.
        let inputs = serde_json::from_slice::<Facts<'_>>(facts)
            .and_then(|facts| facts.into_inputs(None, hr))
            .map_err(|error| format!("the inputs cannot be read: {error}"))?;
        let accounts = account_lines(accounts)
            .map_err(|error| format!("its accounts cannot be read: {error}"))?;
        let leavers = [
            (RunFile::LeaversJsonl, open),
            (RunFile::Concluded, concluded),
        ]
        .map(|(file, bytes)| leaver_lines(file, bytes));
        let leavers = leavers
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map(|lines| lines.concat())
            .map_err(|error| format!("its leavers cannot be read: {error}"))?;
        let result: RunResult<'_> = serde_json::from_slice(result)
            .map_err(|error| format!("its result cannot be read: {error}"))?;
        let manual = &result.manual;
        let services = facts::services(&inputs, manual);
        Ok(Self {
            as_of: inputs.as_of,
            owners: Owners::of(&inputs, &accounts, &leavers, &services),
            facts: RunFacts::of(&inputs, &leavers, services, manual),
            is_sandbox: inputs.population.connection.is_sandbox(),
            origin: inputs.population.origin,
            workspace: inputs.population.workspace,
            permissions: inputs.policy.asana_permissions,
            follow_ups: inputs.follow_ups,
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
    /// The rows for which *keep* needs a reason.
    pub reason_for: Vec<ReasonFor>,
    pub not_compared: Option<NotCompared>,
}

/// The earlier review at which the comparison stopped, because its evidence has a fault or has expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCompared {
    /// The ledger entry that closed that review, or that cannot be read.
    pub sequence: u64,
    pub reason: String,
}

/// Why no worksheet can be made.
#[derive(Debug)]
pub enum NotFrozen {
    /// Lines of the reviewers file whose reviewer has left.
    ReviewersLeft(Vec<u64>),
    /// Accounts that only their owner could review.
    OnlyOwners(Vec<String>),
}

impl NotFrozen {
    /// A sentence for each fault.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::ReviewersLeft(lines) => {
                let text = |line| format!("the reviewer of line {line} has left, according to HR");
                lines.iter().map(text).collect()
            }
            Self::OnlyOwners(accounts) => {
                let text =
                    |account| format!("only the owner of account {account} could decide about it");
                accounts.iter().map(text).collect()
            }
        }
    }
}

impl Worksheet {
    /// One row for each account of the scope, in the order of the list. Other accounts are counted.
    ///
    /// # Errors
    /// The reviewers who have left, or the accounts that only their owner could review.
    pub fn freeze(
        with: OpenedWith,
        run: ReviewedRun,
        earlier: Option<&EarlierReviews>,
    ) -> Result<(Self, Owners), NotFrozen> {
        if let Some(file) = &with.reviewers {
            let left = file.lines_by(Eligibility::HasLeft, &run.owners, with.opened_at);
            if !left.is_empty() {
                return Err(NotFrozen::ReviewersLeft(left));
            }
        }
        let mut left_out = LeftOut::default();
        let mut rows = Vec::with_capacity(run.accounts.len());
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
            let facts = run.facts.about(&account);
            let mut row = FrozenRow::of(number, account, facts, run.permissions, earlier);
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
            return Err(NotFrozen::OnlyOwners(without_reviewer));
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
            not_compared: with.not_compared,
            reviewers: with.reviewers,
            reason_for: with.reason_for,
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
        facts: AccountFacts,
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
            department: facts.department,
            title: facts.title,
            leaver_outcome: facts.leaver_outcome,
            end_of_work: facts.end_of_work,
            exception_ends: facts.exception_ends,
            service_owner: facts.service_owner,
            changed: Cow::Borrowed(""),
            previous_decision: decided,
            findings: account.findings,
            recommended: None,
            reason: Cow::Borrowed(""),
            reviewer: None,
            assigned_by: String::new(),
        };
        row.changed = row.changed_since(was);
        let is_other_role = was
            .flatten()
            .is_some_and(|was| was.role != row.role && was.role != Role::Unknown(None));
        (row.recommended, row.reason) = row.recommendation(is_other_role, permissions);
        row
    }

    /// The differences from the population of the last review.
    /// A role or status that one of the two could not read has not changed.
    fn changed_since(&self, before: Option<Option<&Self>>) -> Cow<'static, str> {
        let before = match before {
            None => return NO_REVIEW_BEFORE.into(),
            Some(None) => return "not in the last review".into(),
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
            true => "unchanged".into(),
            false => changes.join("; ").into(),
        }
    }

    /// The suggestion of the evidence, if it has one, and a sentence. Nothing suggests to keep an account.
    fn recommendation(
        &self,
        is_other_role: bool,
        permissions: Permissions,
    ) -> (Option<Decision>, Cow<'static, str>) {
        let has = |kind: FindingKind| self.findings.contains(&kind);
        let instant =
            |at: Option<Timestamp>| at.map_or("an unknown day".to_owned(), |at| at.minute());
        let end = instant(self.end_of_work);
        let revoke = |why: &'static str| (Some(Decision::Revoke), why.into());
        let unsure = |why: &'static str| (Some(Decision::DontKnow), why.into());
        let none = |why: &'static str| (None, why.into());
        let (outcome, exception) = (self.leaver_outcome, self.exception_ends.as_deref());
        match (&self.status, &self.role) {
            _ if outcome == Some(Outcome::StillActive) || has(FindingKind::OffboardedAccess) => {
                revoke("the owner has left, and the deadline has passed")
            }
            _ if outcome == Some(Outcome::WithinGrace) => {
                (Some(Decision::Revoke), format!("the owner left on {end}").into())
            }
            _ if self.previous_decision == Some(Decision::Revoke) => {
                revoke("the last review revoked it, but it still exists")
            }
            _ if self.previous_decision == Some(Decision::DontKnow) => {
                unsure("the last review left the question open: answer it now")
            }
            _ if has(FindingKind::RevocationNotDone) => {
                revoke("a decision of a review was not carried out")
            }
            _ if outcome == Some(Outcome::NotEvaluable)
                || has(FindingKind::PossibleOffboardedAccess) =>
            {
                unsure("it may belong to a leaver: identify the owner")
            }
            _ if outcome == Some(Outcome::Excepted) => match exception {
                Some(ends) => (None, format!(
                    "the owner left on {end}, and an exception accepts the access until {ends}: is it still needed?"
                ).into()),
                None => (None, format!(
                    "the owner left on {end}, and an exception accepts the access: is it still needed?"
                ).into()),
            },
            _ if outcome == Some(Outcome::Upcoming) => {
                (None, format!("the owner's work ends on {end}: the access must end then").into())
            }
            _ if has(FindingKind::AccountUnidentifiable) => {
                unsure("it has no e-mail: identify the owner")
            }
            _ if has(FindingKind::AccountWithoutHrRecord) => {
                revoke("no person in HR's roster owns it")
            }
            // The connection reads neither status nor role, and everybody in the list has access.
            _ if permissions == Permissions::Narrow => match self.person_id.is_empty() {
                true => none("no finding, but the HR feed names no owner; role not readable"),
                false => none("no finding; role not readable"),
            },
            (Status::Unknown(_), _) => unsure("its status is unknown: check it in Asana"),
            (_, Role::Unknown(_)) => unsure("its role is unknown: check it in Asana"),
            _ if self.service_owner.is_some() => {
                none("no finding; a service account: is it still used?")
            }
            (Status::Invited, _) => none("no finding; a pending invitation: is it still needed?"),
            (_, Role::Admin) if is_other_role => {
                none("no finding; a new administrator since the last review: is the role needed?")
            }
            (_, Role::Guest) => none("no finding; a guest, unknown to HR: does the work continue?"),
            _ if self.person_id.is_empty() => none("no finding, but the HR feed names no owner"),
            _ => none("no finding"),
        }
    }

    /// Whether *keep* needs a reason for this row. An unknown role counts as an administrator's.
    pub fn needs_reason(&self, reason_for: &[ReasonFor]) -> bool {
        reason_for.iter().any(|of| self.is_among(*of))
    }

    fn is_among(&self, of: ReasonFor) -> bool {
        match of {
            ReasonFor::Admins => matches!(self.role, Role::Admin | Role::Unknown(_)),
            ReasonFor::Service => self.service_owner.is_some(),
            ReasonFor::Excepted => {
                self.exception_ends.is_some() || self.leaver_outcome == Some(Outcome::Excepted)
            }
            ReasonFor::Guests => matches!(self.role, Role::Guest | Role::Unknown(_)),
            ReasonFor::All => true,
        }
    }

    /// The kinds of rows because of which *keep* needs a reason, in words: `administrators, service accounts`.
    pub fn why_reason(&self, reason_for: &[ReasonFor]) -> String {
        let kinds = reason_for.iter().filter(|of| self.is_among(**of));
        let kinds: Vec<&str> = kinds.map(|of| of.title()).collect();
        kinds.join(", ")
    }
}
