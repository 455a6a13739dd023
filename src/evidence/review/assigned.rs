//! Who decides about which row: the first line of the reviewers' file that fits, and never the owner.

use super::{FrozenRow, ReviewerFile, ReviewerLine};
use crate::people::EmailAddress;

/// What a line of the reviewers' file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignedBy {
    /// Accounts of a role.
    Role,
    /// Accounts of a domain.
    Domain,
    /// One account.
    Person,
    /// Every account.
    Default,
    /// Rows that a reviewer, or an account, had: somebody else decides.
    Reassign,
}

impl AssignedBy {
    /// Reads the word, in capitals too.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "role" => Some(Self::Role),
            "domain" => Some(Self::Domain),
            "person" => Some(Self::Person),
            "default" => Some(Self::Default),
            "reassign" => Some(Self::Reassign),
            _ => None,
        }
    }
}

/// Whether a line names an account: by its id or one of its addresses.
fn names(value: &str, row: &FrozenRow) -> bool {
    let email = EmailAddress::parse(value);
    let mut own = row.email.iter().chain(&row.other_emails);
    value == row.account_id || email.is_some_and(|email| own.any(|of| *of == email))
}

fn fits(line: &ReviewerLine, row: &FrozenRow) -> bool {
    match AssignedBy::parse(&line.rule) {
        Some(AssignedBy::Role) => row.role.kind() == line.value,
        Some(AssignedBy::Domain) => {
            let wanted = line.value.trim_start_matches('@').to_lowercase();
            row.email
                .as_ref()
                .is_some_and(|email| email.domain() == wanted)
        }
        Some(AssignedBy::Person) => names(&line.value, row),
        Some(AssignedBy::Default) => true,
        Some(AssignedBy::Reassign) | None => false,
    }
}

/// Who decides about a row, and which line says so; none where no line names somebody else than its owner.
pub(super) fn of_row(file: &ReviewerFile, row: &FrozenRow) -> Option<(EmailAddress, String)> {
    let line = file
        .lines
        .iter()
        .find(|line| fits(line, row) && !row.is_of(&line.reviewer))?;
    let mut told = format!("line {}: {}", line.line, line.rule);
    if !line.value.is_empty() {
        told = format!("{told} {}", line.value);
    }
    let assigned = (line.reviewer.clone(), told);
    Some(given_on(file, row, Some(&assigned.0)).unwrap_or(assigned))
}

/// Whom a row was given to by a `reassign` line: one that names the account, or the reviewer it had.
pub fn given_on(
    file: &ReviewerFile,
    row: &FrozenRow,
    reviewer: Option<&EmailAddress>,
) -> Option<(EmailAddress, String)> {
    let had = |line: &ReviewerLine| {
        let email = EmailAddress::parse(&line.value);
        email.is_some() && email.as_ref() == reviewer
    };
    let line = file.lines.iter().find(|line| {
        AssignedBy::parse(&line.rule) == Some(AssignedBy::Reassign)
            && (names(&line.value, row) || had(line))
            && !row.is_of(&line.reviewer)
    })?;
    let told = format!("line {}: reassign {}: {}", line.line, line.value, line.note);
    Some((line.reviewer.clone(), told))
}
