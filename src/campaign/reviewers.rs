//! Who decides about which row: the first line of the file that fits, and never the owner.

use super::decisions::Fault;
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
        let Some(reviewer) = EmailAddress::parse(cell("reviewer")) else {
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

/// Whether a line names an account: by its id or one of its addresses.
fn names(value: &str, row: &FrozenRow) -> bool {
    let email = EmailAddress::parse(value);
    let mut own = row.email.iter().chain(&row.other_emails);
    value == row.account_id || email.is_some_and(|email| own.any(|of| *of == email))
}

fn fits(line: &ReviewerLine, row: &FrozenRow) -> bool {
    match rule(&line.rule) {
        Some(Rule::Role) => row.role.kind() == line.value,
        Some(Rule::Domain) => {
            let wanted = line.value.trim_start_matches('@').to_lowercase();
            row.email
                .as_ref()
                .is_some_and(|email| email.domain() == wanted)
        }
        Some(Rule::Person) => names(&line.value, row),
        Some(Rule::Default) => true,
        Some(Rule::Reassign) | None => false,
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
    Some(reassigned(file, row, Some(&assigned.0)).unwrap_or(assigned))
}

/// Whom a row was given to by a `reassign` line: one that names the account, or the reviewer it had.
pub(super) fn reassigned(
    file: &ReviewerFile,
    row: &FrozenRow,
    reviewer: Option<&EmailAddress>,
) -> Option<(EmailAddress, String)> {
    let had = |line: &ReviewerLine| {
        let email = EmailAddress::parse(&line.value);
        email.is_some() && email.as_ref() == reviewer
    };
    let line = file.lines.iter().find(|line| {
        rule(&line.rule) == Some(Rule::Reassign)
            && (names(&line.value, row) || had(line))
            && !row.is_of(&line.reviewer)
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
