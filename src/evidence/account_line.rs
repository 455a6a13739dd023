//! A line of `accounts.jsonl.gz`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::judgement::{FindingKind, MatchKind};
use crate::model::{Account, EmailAddress, Role, Status};

/// The columns of `accounts.csv` with real types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
    pub account_id: String,
    pub email: Option<EmailAddress>,
    pub other_emails: Vec<EmailAddress>,
    pub name: Option<String>,
    pub status: Status,
    pub role: Role,
    pub view_only: Option<bool>,
    pub external_id: Option<String>,
    pub workspace_id: String,
    pub workspace: Option<String>,
    pub joined_at: Option<Timestamp>,
    pub last_login_at: Option<Timestamp>,
    /// The owners according to HR.
    pub person_id: Vec<String>,
    #[serde(rename = "match")]
    pub matched_by: Vec<MatchKind>,
    pub findings: Vec<FindingKind>,
}

impl AccountLine {
    /// The account as it was read.
    pub(super) fn into_account(self) -> Account {
        Account {
            id: self.account_id,
            emails: self.email.into_iter().chain(self.other_emails).collect(),
            name: self.name,
            status: self.status,
            role: self.role,
            view_only: self.view_only,
            external_id: self.external_id,
            joined_at: self.joined_at,
            last_login_at: self.last_login_at,
        }
    }
}
