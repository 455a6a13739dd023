//! The reviewers file: who decides about which row.

use std::path::Path;

use super::files::InputFile;
use super::table::{self, Columns};
use super::{FileFault, ReviewError};
use crate::evidence::sha256_hex;
use crate::model::EmailAddress;
use crate::review::{ReviewerFile, ReviewerLine, Rule};

const COLUMNS: Columns<'_> = Columns {
    known: &["rule", "value", "reviewer", "note"],
    required: &["rule", "value", "reviewer"],
};

/// The reviewers file of a new review, or a file that gives rows of an open review to other reviewers.
pub(super) fn read_file(path: &Path, is_open: bool) -> Result<ReviewerFile, ReviewError> {
    read(&InputFile::by_name(path)?, is_open).map_err(|faults| ReviewError::Refused {
        headline: match is_open {
            false => "the reviewers file has faults".to_owned(),
            true => "the file of reassignments has faults".to_owned(),
        },
        faults,
        hint: match is_open {
            false => {
                "its columns are rule,value,reviewer,note; docs/access-reviews.md has an example"
            }
            true => "its columns are rule,value,reviewer,note, and each rule is `reassign`",
        },
    })
}

fn read(given: &InputFile, is_open: bool) -> Result<ReviewerFile, Vec<FileFault>> {
    let whole = |text: String| vec![FileFault::new(&given.name, None, text)];
    let table = table::csv(given.bytes.clone(), COLUMNS).map_err(whole)?;
    let mut lines = Vec::new();
    let mut faults = Vec::new();
    for row in &table.rows {
        let cell = |name| table.cell(row, name);
        let mut fault = |text: &str| faults.push(FileFault::new(&given.name, row.line, text));
        if let Some(text) = &row.fault {
            fault(text);
            continue;
        }
        let (value, note) = (cell("value"), cell("note"));
        let rule = cell("rule").to_ascii_lowercase();
        let Some(rule) = Rule::ALL.iter().find(|of| of.as_str() == rule) else {
            fault("the rule must be role, domain, person, default or reassign");
            continue;
        };
        let Some(reviewer) = person(cell("reviewer")) else {
            fault("the reviewer is not an e-mail address");
            continue;
        };
        match rule {
            _ if is_open && *rule != Rule::Reassign => {
                fault("the review is open, so every rule must be `reassign`");
            }
            Rule::Default if !value.is_empty() => {
                fault("`default` is for every row, so its value must be blank");
            }
            Rule::Role if !["admin", "member", "guest", "unknown"].contains(&value) => {
                fault("the role must be admin, member, guest or unknown");
            }
            Rule::Reassign if note.is_empty() => fault("`reassign` needs a note with the reason"),
            Rule::Domain | Rule::Person | Rule::Reassign if value.is_empty() => {
                fault("the line has no value");
            }
            Rule::Domain if ReviewerLine::domain(value).is_none() => {
                fault("the value is not a mail domain");
            }
            Rule::Role | Rule::Domain | Rule::Person | Rule::Default | Rule::Reassign => {
                lines.push(ReviewerLine {
                    line: row.line,
                    rule: *rule,
                    value: value.to_owned(),
                    reviewer,
                    note: note.to_owned(),
                });
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if lines.is_empty() {
        return Err(whole("it has no lines".to_owned()));
    }
    Ok(ReviewerFile {
        file: given.name.file.clone(),
        sha256: sha256_hex(&given.bytes),
        lines,
    })
}

/// The address of a person, without any other text: with other text, a reviewer could decide about their own account. A
/// `mailto:` link of a spreadsheet counts as its address.
pub(super) fn person(text: &str) -> Option<EmailAddress> {
    let text = match text.split_at_checked("mailto:".len()) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address,
        _ => text,
    };
    EmailAddress::parse(text).filter(|_| !text.contains(['|', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::review::FileName;

    fn given(text: &str) -> InputFile {
        InputFile {
            name: FileName::of("reviewers.csv"),
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_example_of_the_runbook_is_read_without_a_fault() {
        let runbook = include_str!("../../../docs/access-reviews.md");
        let example = runbook.split("```csv\n").nth(1);
        let example = example.and_then(|rest| rest.split("```").next());
        let example = example.expect("an example").replace("\n   ", "\n");
        let file = read(&given(example.trim_start()), false).expect("a file");
        assert_eq!(file.lines.len(), 6);
    }

    #[test]
    fn an_address_with_other_text_is_refused() {
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
    fn each_faulty_line_is_reported() {
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
