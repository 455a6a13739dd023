//! Aliases and exceptions, as people wrote them. The judgement decides the effect of each line, so `verify` can recompute
//! it from the same lines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The files of aliases and exceptions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualDecisions {
    pub aliases: Option<ManualFile<Alias>>,
    pub exceptions: Option<ManualFile<Exception>>,
}

impl ManualDecisions {
    pub fn aliases(&self) -> &[Alias] {
        self.aliases.as_ref().map_or(&[], |file| &file.lines)
    }

    pub fn exceptions(&self) -> &[Exception] {
        self.exceptions.as_ref().map_or(&[], |file| &file.lines)
    }

    /// SHA-256 of each file, by its name: `aliases`, `exceptions`.
    pub fn sha256(&self) -> BTreeMap<String, String> {
        let aliases = self.aliases.as_ref().map(|file| &file.sha256);
        let exceptions = self.exceptions.as_ref().map(|file| &file.sha256);
        [("aliases", aliases), ("exceptions", exceptions)]
            .into_iter()
            .filter_map(|(name, sha256)| Some((name.to_owned(), sha256?.clone())))
            .collect()
    }
}

/// A file that was read completely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualFile<L> {
    /// The address without credentials and query.
    pub url: String,
    /// SHA-256 of the fetched bytes, in hex.
    pub sha256: String,
    pub bytes: u64,
    pub lines: Vec<L>,
}

/// A line that links an account to a person, or separates them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The line in the file, from 1.
    pub line: u64,
    /// The address of the account if the line has no `account_id`, and that of the person if it has no `person_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<String>,
    /// `same` (the default), `different`, `same_person` or `service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The owner of a service account: a person id or an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// An address or a person id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// The last day on which the line is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<String>,
    /// The fault, if cells may be in the wrong columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Alias {
    pub const COLUMNS: [&str; 8] = [
        "email",
        "account_id",
        "person_id",
        "relation",
        "owner",
        "reason",
        "approved_by",
        "expires_on",
    ];
}

/// A line that accepts a risk until a date.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The line in the file, from 1.
    pub line: u64,
    /// An address of the person or of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The check whose failure is accepted: `population_drop`, `hr_drop` or `leavers_without_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// An address or a person id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_on: Option<String>,
    /// The last day on which the line is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<String>,
    /// The organization's own record of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The fault, if cells may be in the wrong columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Exception {
    pub const COLUMNS: [&str; 9] = [
        "email",
        "person_id",
        "account_id",
        "check",
        "reason",
        "approved_by",
        "approved_on",
        "expires_on",
        "ticket",
    ];
}
