//! Who decides about which row: the first line of the file that fits, and never the owner.

use super::decisions::Fault;
use super::owners::Owners;
use super::{Given, table};
use crate::evidence::{FrozenRow, ReviewerFile, ReviewerLine, sha256_hex};
use crate::people::EmailAddress;

/// The columns of the file.
const COLUMNS: [&str; 4] = ["rule", "value", "reviewer", "note"];

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Role,
    Domain,
    Person,
    Default,
    Reassign,
}

fn rule(text: &str) -> Option<Rule> {
    match text.to_ascii_lowercase().as_str() {
        "role" => Some(Rule::Role),
        "domain" => Some(Rule::Domain),
        "person" => Some(Rule::Person),
        "default" => Some(Rule::Default),
        "reassign" => Some(Rule::Reassign),
        _ => None,
    }
}

/// Reads the file; `is_only_reassigned` where the review is open already, and rows can only be given on.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(given: &Given, is_only_reassigned: bool) -> Result<ReviewerFile, Vec<Fault>> {
    let whole = |text: String| vec![Fault::of_file(given, text)];
    let table = table::csv(given.bytes.clone(), &COLUMNS).map_err(whole)?;
    table
        .ensure_columns(&["rule", "value", "reviewer"])
        .map_err(whole)?;
    let mut lines = Vec::new();
    let mut faults = Vec::new();
    for row in &table.rows {
        let cell = |name| table.cell(row, name);
        let mut fault = |text: &str| faults.push(Fault::new(given, row.line, text));
        if let Some(text) = &row.fault {
            fault(text);
            continue;
        }
        let (value, note) = (cell("value"), cell("note"));
        let Some(of) = rule(cell("rule")) else {
            fault("the rule is none of role, domain, person, default, reassign");
            continue;
        };
        let Some(reviewer) = person(cell("reviewer")) else {
            fault("the reviewer is no e-mail address");
            continue;
        };
        match of {
            _ if is_only_reassigned && of != Rule::Reassign => {
                fault("the review is open: only `reassign` gives rows to somebody else now");
            }
            Rule::Default if !value.is_empty() => {
                fault("`default` is for every row, and has a value");
            }
            Rule::Role if !["admin", "member", "guest", "unknown"].contains(&value) => {
                fault("the role is none of admin, member, guest, unknown");
            }
            Rule::Reassign if note.is_empty() => fault("`reassign` needs a note that says why"),
            Rule::Domain | Rule::Person | Rule::Reassign if value.is_empty() => {
                fault("the line has no value: what is it for?");
            }
            Rule::Domain if domain(value).is_none() => fault("the value is no mail domain"),
            Rule::Role | Rule::Domain | Rule::Person | Rule::Default | Rule::Reassign => {
                lines.push(ReviewerLine {
                    line: row.line,
                    rule: cell("rule").to_ascii_lowercase(),
                    value: value.to_owned(),
                    reviewer,
                    note: note.to_owned(),
                });
            }
        }
    }
    if lines.is_empty() && faults.is_empty() {
        faults.push(Fault::of_file(given, "it has no line".to_owned()));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(ReviewerFile {
        file: given.file.clone(),
        sha256: sha256_hex(&given.bytes),
        lines,
    })
}

/// A person's address and nothing else: of `mailto:ana@x.com` or `Ana<ana@x.com>` another address would be
/// made, and Ana could decide about herself.
pub(super) fn person(text: &str) -> Option<EmailAddress> {
    let text = match text.split_at_checked("mailto:".len()) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address,
        _ => text,
    };
    let is_odd = text.contains(|c: char| "<>()[],;:\"\\|/".contains(c));
    EmailAddress::parse(text).filter(|_| !is_odd)
}

/// Whether a line names an account: by its id or one of its addresses.
fn names(value: &str, row: &FrozenRow) -> bool {
    let email = EmailAddress::parse(value);
    let mut own = row.email.iter().chain(&row.other_emails);
    value == row.account_id || email.is_some_and(|email| own.any(|of| *of == email))
}

/// A mail domain as addresses bear it, so that `Bücher.example` is the one of the accounts.
fn domain(value: &str) -> Option<String> {
    let email = EmailAddress::parse(&format!("x@{}", value.trim_start_matches('@')))?;
    Some(email.domain().to_owned())
}

/// Lines that fit no row, by number.
pub(super) fn idle_lines(file: &ReviewerFile, rows: &[FrozenRow]) -> Vec<u64> {
    let is_reviewer = |email: &EmailAddress| is_reviewer(file, email);
    let is_idle = |line: &&ReviewerLine| match rule(&line.rule) {
        Some(Rule::Default) => false,
        Some(Rule::Reassign) => {
            let had = EmailAddress::parse(&line.value).is_some_and(|email| is_reviewer(&email));
            !had && !rows.iter().any(|row| names(&line.value, row))
        }
        Some(Rule::Role | Rule::Domain | Rule::Person) | None => {
            !rows.iter().any(|row| fits(line, row))
        }
    };
    let idle = file.lines.iter().filter(is_idle);
    idle.map(|line| line.line).collect()
}

/// Whether a line gives rows to somebody.
pub(super) fn is_reviewer(file: &ReviewerFile, email: &EmailAddress) -> bool {
    file.lines.iter().any(|line| line.reviewer == *email)
}

fn fits(line: &ReviewerLine, row: &FrozenRow) -> bool {
    match rule(&line.rule) {
        Some(Rule::Role) => row.role.kind() == line.value,
        Some(Rule::Domain) => {
            let wanted = domain(&line.value);
            let email = row.email.as_ref();
            email.is_some_and(|email| Some(email.domain()) == wanted.as_deref())
        }
        Some(Rule::Person) => names(&line.value, row),
        Some(Rule::Default) => true,
        Some(Rule::Reassign) | None => false,
    }
}

/// Who decides about a row, and which line says so; none where no line names somebody else than its owner.
pub(super) fn of_row(
    file: &ReviewerFile,
    row: &FrozenRow,
    owners: &Owners,
) -> Option<(EmailAddress, String)> {
    let line = file
        .lines
        .iter()
        .find(|line| fits(line, row) && !owners.is_of(row, &line.reviewer))?;
    let mut told = format!("line {}: {}", line.line, line.rule);
    if !line.value.is_empty() {
        told = format!("{told} {}", line.value);
    }
    let assigned = (line.reviewer.clone(), told);
    let is_reviewer = |email: &EmailAddress| is_reviewer(file, email);
    let given_on = reassigned(file, row, Some(&assigned.0), owners, is_reviewer);
    Some(given_on.unwrap_or(assigned))
}

/// Whom a row was given to by a `reassign` line: one that names the reviewer it had, or the account. The
/// address of a reviewer names their rows, and not their own account, which is somebody else's to decide.
pub(super) fn reassigned(
    file: &ReviewerFile,
    row: &FrozenRow,
    reviewer: Option<&EmailAddress>,
    owners: &Owners,
    is_reviewer: impl Fn(&EmailAddress) -> bool,
) -> Option<(EmailAddress, String)> {
    let is_meant = |line: &ReviewerLine| match EmailAddress::parse(&line.value) {
        Some(email) if is_reviewer(&email) => reviewer == Some(&email),
        Some(_) | None => names(&line.value, row),
    };
    let line = file.lines.iter().find(|line| {
        rule(&line.rule) == Some(Rule::Reassign)
            && is_meant(line)
            && !owners.is_of(row, &line.reviewer)
    })?;
    let told = format!("line {}: reassign {}: {}", line.line, line.value, line.note);
    Some((line.reviewer.clone(), told))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given {
        Given {
            file: "reviewers.csv".to_owned(),
            in_a_log: "reviewers.csv".to_owned(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_example_of_the_runbook_is_read_without_a_fault() {
        let runbook = include_str!("../../docs/access-reviews.md");
        let example = runbook.split("```csv\n").nth(1);
        let example = example.and_then(|rest| rest.split("```").next());
        let example = example.expect("an example").replace("\n   ", "\n");
        let file = read(&given(example.trim_start()), false).expect("a file");
        assert_eq!(file.lines.len(), 6);
    }

    #[test]
    fn an_address_with_anything_around_it_makes_no_other_person() {
        let ana = EmailAddress::parse("ana@x.com");
        assert_eq!(person("mailto:ana@x.com"), ana);
        assert_eq!(person("MailTo:Ana@X.com"), ana);
        for text in [
            "Ana<ana@x.com>",
            "<ana@x.com>",
            "ana@x.com;",
            "a:ana@x.com",
            "ana@x.com,b@x.com",
        ] {
            assert_eq!(person(text), None, "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_by_its_line() {
        let text = "rule,value,reviewer,note\nrole,boss,a@x.com,\nteam,x,a@x.com,\n\
                    domain,,a@x.com,\ndefault,x,a@x.com,\nreassign,b@x.com,a@x.com,\n\
                    person,1,nobody,\n";
        let faults = read(&given(text), false).expect_err("faults");
        let lines: Vec<Option<u64>> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7].map(Some));
        let open = read(&given("rule,value,reviewer\ndefault,,a@x.com\n"), true);
        assert!(open.is_err_and(|faults| faults[0].text.contains("the review is open")));
    }
}
