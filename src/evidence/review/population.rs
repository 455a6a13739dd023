//! Reading the night whose population a review freezes.

use jiff::Timestamp;
use serde::Deserialize;

use crate::people::{EmailAddress, Role, Status, Workspace};

/// An account of a committed night, as `accounts.jsonl.gz` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// The account.
    pub account_id: String,
    /// Its first address.
    pub email: Option<EmailAddress>,
    /// Its other addresses.
    #[serde(default)]
    pub other_emails: Vec<EmailAddress>,
    /// Its name.
    pub name: Option<String>,
    /// Whether it can be used.
    pub status: Status,
    /// What it may do.
    pub role: Role,
    /// A view-only licence.
    pub view_only: Option<bool>,
    /// When it joined.
    pub joined_at: Option<Timestamp>,
    /// Last login, where known.
    pub last_login_at: Option<Timestamp>,
    /// Whose it is in HR.
    #[serde(default)]
    pub person_id: Vec<String>,
    /// How that is known.
    #[serde(default, rename = "match")]
    pub matched_by: Vec<String>,
    /// Kinds of the findings about it.
    #[serde(default)]
    pub findings: Vec<String>,
}

/// What a review needs to know of a night beside its accounts, from `inputs/facts.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct NightHead {
    /// The night's instant.
    pub as_of: Timestamp,
    /// Where its accounts came from, and the workspace.
    pub population: NightPopulation,
    /// The rules it was judged by.
    pub policy: NightPolicy,
}

/// What a review needs of a night's rules.
#[derive(Clone, Debug, Deserialize)]
pub struct NightPolicy {
    /// Mail domains that are one: `corp.com=corp.io`.
    #[serde(default)]
    pub email_domain_aliases: Vec<String>,
}

/// The addresses of a person, as a row of HR has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerAddresses {
    /// The person.
    pub person_id: Option<String>,
    /// Their addresses.
    pub emails: Vec<EmailAddress>,
}

/// Reads the addresses in the unpacked lines of `inputs/hr.jsonl.gz`, those of rejected rows too.
///
/// # Errors
/// Where the bytes are not those of such a file.
pub fn owner_addresses(lines: &[u8]) -> Result<Vec<OwnerAddresses>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Line {
        #[serde(default)]
        person_id: Option<String>,
        #[serde(default)]
        email: Option<String>,
        #[serde(default)]
        other_emails: Vec<String>,
    }
    let lines = lines.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let line: Line = serde_json::from_slice(line)?;
            let emails = line.email.iter().chain(&line.other_emails);
            Ok(OwnerAddresses {
                person_id: line.person_id,
                emails: emails
                    .filter_map(|text| EmailAddress::parse(text))
                    .collect(),
            })
        })
        .collect()
}

/// Where a night's accounts came from.
#[derive(Clone, Debug, Deserialize)]
pub struct NightPopulation {
    /// The origin.
    pub origin: String,
    /// The workspace.
    pub workspace: Workspace,
}

/// Reads the unpacked lines of `accounts.jsonl.gz`.
///
/// # Errors
/// Where the bytes are not those of such a file.
pub fn population(lines: &[u8]) -> Result<Vec<Listed>, serde_json::Error> {
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect()
}

/// Reads the head of `inputs/facts.json`.
///
/// # Errors
/// Where the bytes are not those of such a file.
pub fn night_head(facts: &[u8]) -> Result<NightHead, serde_json::Error> {
    serde_json::from_slice(facts)
}
