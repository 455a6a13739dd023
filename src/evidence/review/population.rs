//! Reading the night whose population a review freezes.

use jiff::Timestamp;
use serde::Deserialize;

use super::Owners;
use crate::evidence::{RunFile, unpacked};
use crate::people::{Connection, EmailAddress, Role, Status, Workspace};

/// A file of a night that unpacks to more is none of ours, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// The night whose population a review freezes.
#[derive(Debug)]
pub struct ReviewedNight {
    /// Its instant, origin and rules.
    pub head: NightHead,
    /// Its accounts.
    pub accounts: Vec<Listed>,
    /// Whose they are.
    pub owners: Owners,
}

impl ReviewedNight {
    /// The files of a night that it is read from.
    pub const FILES: [RunFile; 3] = [
        RunFile::InputFacts,
        RunFile::AccountsJsonl,
        RunFile::InputHr,
    ];

    /// Reads it from the bytes of [`Self::FILES`], in their order.
    ///
    /// # Errors
    /// Which of them is no such file.
    pub fn of([facts, accounts, hr]: [&[u8]; 3]) -> Result<Self, String> {
        let [of_facts, of_accounts, of_hr] = Self::FILES.map(|file| file.name());
        let lines = |file: &str, packed: &[u8]| {
            unpacked(packed, MOST_BYTES).ok_or_else(|| format!("{file} is no gzip, or too large"))
        };
        let none = |file: &str, error: serde_json::Error| {
            format!("{file} is not as it was written: {error}")
        };
        let head: NightHead =
            serde_json::from_slice(facts).map_err(|error| none(&of_facts, error))?;
        let listed = population(&lines(&of_accounts, accounts)?);
        let accounts = listed.map_err(|error| none(&of_accounts, error))?;
        let owners = Owners::of(&head.policy, &accounts, &lines(&of_hr, hr)?);
        Ok(Self {
            owners: owners.map_err(|error| none(&of_hr, error))?,
            head,
            accounts,
        })
    }
}

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
pub(super) struct OwnerAddresses {
    /// The person.
    pub(super) person_id: Option<String>,
    /// Their addresses.
    pub(super) emails: Vec<EmailAddress>,
}

/// Reads the addresses in the unpacked lines of `inputs/hr.jsonl.gz`, those of rejected rows too.
///
/// # Errors
/// Where the bytes are not those of such a file.
pub(super) fn owner_addresses(lines: &[u8]) -> Result<Vec<OwnerAddresses>, serde_json::Error> {
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
    /// The connection.
    pub connection: Connection,
    /// The origin.
    pub origin: String,
    /// The workspace.
    pub workspace: Workspace,
}

/// Reads the unpacked lines of `accounts.jsonl.gz`.
///
/// # Errors
/// Where the bytes are not those of such a file.
fn population(lines: &[u8]) -> Result<Vec<Listed>, serde_json::Error> {
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect()
}
