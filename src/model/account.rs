//! An account in Asana, as the sources tell it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::EmailAddress;

/// One account of the reviewed workspace: one record per account id, whatever the source repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Asana's user gid. The key: it stays when name and address change.
    pub id: String,
    /// The addresses the source gave, the primary one first.
    pub emails: Vec<EmailAddress>,
    /// The display name. Free text of a stranger; never a key.
    pub name: Option<String>,
    /// Whether the account can be used.
    pub status: Status,
    /// What it may do in the workspace.
    pub role: Role,
    /// A view-only licence, if the source says.
    pub view_only: Option<bool>,
    /// The id HR or an identity provider gave the person, where the connection carries one.
    pub external_id: Option<String>,
    /// When the membership began.
    pub joined_at: Option<Timestamp>,
    /// Last login, only where the source tells it.
    pub last_login_at: Option<Timestamp>,
}

impl Account {
    /// The first address, if the account has any.
    pub fn email(&self) -> Option<&EmailAddress> {
        self.emails.first()
    }

    /// Whether somebody can get in with this account.
    pub fn access(&self) -> Access {
        self.status.access()
    }
}

/// Whether an account can be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Status {
    /// In use.
    Active,
    /// Invited and not yet accepted: the invitation can still be taken.
    Invited,
    /// Deactivated, deprovisioned or deleted.
    Inactive,
    /// Not told, or told in a word we don't know, which is kept.
    Unknown(Option<String>),
}

/// Whether somebody can get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Proven: the account cannot be used.
    None,
    /// The status is unknown: access is possible.
    Possible,
    /// Active or invited.
    Has,
}

impl Status {
    /// What the status means for access. Unknown stays unknown.
    pub fn access(&self) -> Access {
        match self {
            Self::Active | Self::Invited => Access::Has,
            Self::Unknown(_) => Access::Possible,
            Self::Inactive => Access::None,
        }
    }

    /// The word without the raw value: a key to count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Inactive => "inactive",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What an account may do in the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Role {
    /// Administers the organization.
    Admin,
    /// A member of the organization.
    Member,
    /// An outsider who sees what is shared with them.
    Guest,
    /// Not told, or told in a word we don't know, which is kept. Never taken for a member.
    Unknown(Option<String>),
}

impl Role {
    /// The word without the raw value: a key to count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Guest => "guest",
            Self::Unknown(_) => "unknown",
        }
    }

    /// How much it may do, the least first; none where nobody can tell.
    pub fn rank(&self) -> Option<u8> {
        match self {
            Self::Guest => Some(0),
            Self::Member => Some(1),
            Self::Admin => Some(2),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A word of the source's own.
            Self::Unknown(Some(raw)) => write!(f, "{}:{raw}", self.kind()),
            known => f.write_str(known.kind()),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A word of the source's own.
            Self::Unknown(Some(raw)) => write!(f, "{}:{raw}", self.kind()),
            known => f.write_str(known.kind()),
        }
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.to_string()
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.to_string()
    }
}

/// The raw value behind `unknown:`; any word we never write is itself unknown.
fn unknown(text: String) -> Option<String> {
    match text.strip_prefix("unknown") {
        Some("") => None,
        Some(rest) if rest.starts_with(':') => Some(rest[1..].to_owned()),
        _ => Some(text),
    }
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        match text.as_str() {
            "active" => Self::Active,
            "invited" => Self::Invited,
            "inactive" => Self::Inactive,
            _ => Self::Unknown(unknown(text)),
        }
    }
}

impl From<String> for Role {
    fn from(text: String) -> Self {
        match text.as_str() {
            "admin" => Self::Admin,
            "member" => Self::Member,
            "guest" => Self::Guest,
            _ => Self::Unknown(unknown(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_roles_are_read_back_as_written() {
        for status in [
            Status::Active,
            Status::Invited,
            Status::Inactive,
            Status::Unknown(None),
            Status::Unknown(Some("on_leave".to_owned())),
            Status::Unknown(Some(":".to_owned())),
        ] {
            assert_eq!(Status::from(status.to_string()), status);
        }
        for role in [Role::Admin, Role::Member, Role::Guest, Role::Unknown(None)] {
            assert_eq!(Role::from(role.to_string()), role);
        }
        assert_eq!(
            Role::Unknown(Some("Editor".to_owned())).to_string(),
            "unknown:Editor"
        );
    }

    #[test]
    fn an_unknown_status_is_possible_access_and_an_invitation_is_access() {
        assert_eq!(
            Status::Unknown(Some("paused".to_owned())).access(),
            Access::Possible
        );
        assert_eq!(Status::Invited.access(), Access::Has);
        assert_eq!(Status::Inactive.access(), Access::None);
    }
}
