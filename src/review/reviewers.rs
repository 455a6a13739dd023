//! The reviewer of each row: the first line of the reviewers file that fits, but never the owner.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClosedRow, Eligibility, FrozenRow, Owners, Worksheet};
use crate::model::{EmailAddress, words};

words! {
    /// The rows to which a line of the reviewers file applies.
    Rule {
        /// Accounts of a role.
        Role = "role",
        /// Accounts of a domain.
        Domain = "domain",
        /// One account.
        Person = "person",
        /// Every account.
        Default = "default",
        /// Rows of a reviewer or an account, which another reviewer takes over.
        Reassign = "reassign",
    }
}

/// The reviewers file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewerFile {
    pub file: String,
    pub sha256: String,
    pub lines: Vec<ReviewerLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewerLine {
    /// The line in the file, from 1.
    pub line: u64,
    pub rule: Rule,
    pub value: String,
    pub reviewer: EmailAddress,
    pub note: String,
}

/// Whether a line names an account, by its id or by one of its addresses.
fn names(value: &str, row: &FrozenRow) -> bool {
    let email = EmailAddress::parse(value);
    let mut own = row.email.iter().chain(&row.other_emails);
    value == row.account_id || email.is_some_and(|email| own.any(|of| *of == email))
}

impl ReviewerLine {
    /// A mail domain in the form of addresses, so that `Bücher.example` equals the domain of the accounts.
    pub fn domain(value: &str) -> Option<String> {
        let email = EmailAddress::parse(&format!("x@{}", value.trim_start_matches('@')))?;
        Some(email.domain().to_owned())
    }

    fn fits(&self, row: &FrozenRow) -> bool {
        match self.rule {
            Rule::Role => row.role.kind() == self.value,
            Rule::Domain => {
                let wanted = Self::domain(&self.value);
                let email = row.email.as_ref();
                email.is_some_and(|email| Some(email.domain()) == wanted.as_deref())
            }
            Rule::Person => names(&self.value, row),
            Rule::Default => true,
            Rule::Reassign => false,
        }
    }
}

impl ReviewerFile {
    /// Whether a line gives rows to this person.
    pub fn has_reviewer(&self, email: &EmailAddress) -> bool {
        self.lines.iter().any(|line| line.reviewer == *email)
    }

    /// Lines whose reviewer is of this kind at this instant, by number.
    pub fn lines_by(&self, kind: Eligibility, owners: &Owners, at: Timestamp) -> Vec<u64> {
        let is_such = |line: &&ReviewerLine| owners.eligibility(&line.reviewer, at) == kind;
        let lines = self.lines.iter().filter(is_such);
        lines.map(|line| line.line).collect()
    }

    /// Lines that fit no row, by number.
    pub fn idle_lines(&self, rows: &[FrozenRow]) -> Vec<u64> {
        let is_idle = |line: &&ReviewerLine| match line.rule {
            Rule::Default => false,
            Rule::Reassign => {
                let had = EmailAddress::parse(&line.value);
                !had.is_some_and(|email| self.has_reviewer(&email))
                    && !rows.iter().any(|row| names(&line.value, row))
            }
            Rule::Role | Rule::Domain | Rule::Person => !rows.iter().any(|row| line.fits(row)),
        };
        let idle = self.lines.iter().filter(is_idle);
        idle.map(|line| line.line).collect()
    }

    /// The reviewer of a row, and the line that names them; none if no line names a person other than the owner.
    pub(super) fn decider(
        &self,
        row: &FrozenRow,
        owners: &Owners,
    ) -> Option<(EmailAddress, String)> {
        let line = self
            .lines
            .iter()
            .find(|line| line.fits(row) && !owners.is_of(row, &line.reviewer))?;
        let mut by = format!("line {}: {}", line.line, line.rule);
        if !line.value.is_empty() {
            by = format!("{by} {}", line.value);
        }
        let assigned = (line.reviewer.clone(), by);
        let is_reviewer = |email: &EmailAddress| self.has_reviewer(email);
        let given_on = self.given_on(row, Some(&assigned.0), owners, is_reviewer);
        Some(given_on.unwrap_or(assigned))
    }

    /// The new reviewer of a row by a `reassign` line, which names the previous reviewer or the account. The address of
    /// a reviewer selects the rows of this reviewer, not the reviewer's own account, which another person decides.
    fn given_on(
        &self,
        row: &FrozenRow,
        reviewer: Option<&EmailAddress>,
        owners: &Owners,
        is_reviewer: impl Fn(&EmailAddress) -> bool,
    ) -> Option<(EmailAddress, String)> {
        let is_meant = |line: &ReviewerLine| match EmailAddress::parse(&line.value) {
            Some(email) if is_reviewer(&email) => reviewer == Some(&email),
            Some(_) | None => names(&line.value, row),
        };
        let line = self.lines.iter().find(|line| {
            line.rule == Rule::Reassign && is_meant(line) && !owners.is_of(row, &line.reviewer)
        })?;
        let by = format!("line {}: reassign {}: {}", line.line, line.value, line.note);
        Some((line.reviewer.clone(), by))
    }
}

/// Every row before any decision, with the reviewer of the worksheet or of a later `reassign` line.
pub fn undecided_rows(
    worksheet: &Worksheet,
    reassigned: Option<&ReviewerFile>,
    owners: &Owners,
) -> Vec<ClosedRow> {
    let deciders: HashSet<&str> = worksheet.deciders().iter().map(|who| who.key()).collect();
    let is_reviewer = |email: &EmailAddress| {
        deciders.contains(email.key()) || reassigned.is_some_and(|file| file.has_reviewer(email))
    };
    let rows = worksheet.rows.iter().map(|row| {
        let was = row.reviewer.as_ref();
        let now = reassigned.and_then(|file| file.given_on(row, was, owners, is_reviewer));
        ClosedRow::undecided(row, now.map(|(who, _)| who).or(was.cloned()))
    });
    rows.collect()
}
