//! An Asana account, as the sources report it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::EmailAddress;

/// One account of the workspace. Each account id has one record, even if the source repeats it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Asana's user gid. It does not change with name and address.
    pub id: String,
    /// The addresses from the source, the primary one first.
    pub emails: Vec<EmailAddress>,
    /// The display name. Free text of its owner; never a key.
    pub name: Option<String>,
    pub status: Status,
    pub role: Role,
    /// Whether the licence is view-only, if known.
    pub view_only: Option<bool>,
    /// The id that HR or an identity provider assigned to the person, if the connection has one.
    pub external_id: Option<String>,
    /// The start of the membership.
    pub joined_at: Option<Timestamp>,
    /// The last login, if known.
    pub last_login_at: Option<Timestamp>,
}

impl Account {
    /// The first address, if any.
    pub fn email(&self) -> Option<&EmailAddress> {
        self.emails.first()
    }

    /// Whether this account gives access.
    pub fn access(&self) -> Access {
        self.status.access()
    }
}

/// The status of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Status {
    Active,
    /// Invited. The invitation can still be accepted.
    Invited,
    /// Deactivated, deprovisioned or deleted.
    Inactive,
    /// In the list of a connection with narrow permissions, which reads no status. Asana lists only people who are
    /// active or invited. The word in files is `unknown`.
    Listed,
    /// Not reported, or an unknown word, which is kept.
    Unknown(Option<String>),
}

/// Whether an account gives access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// The account certainly cannot be used.
    None,
    /// The status is unknown.
    Possible,
    /// Active, invited or listed.
    Has,
}

impl Status {
    /// The access of this status. Unknown stays unknown.
    pub fn access(&self) -> Access {
        match self {
            Self::Active | Self::Invited | Self::Listed => Access::Has,
            Self::Unknown(_) => Access::Possible,
            Self::Inactive => Access::None,
        }
    }

    /// The word without the raw value, for counts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Inactive => "inactive",
            Self::Listed | Self::Unknown(_) => "unknown",
        }
    }
}

/// The role of an account in the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Role {
    /// Administers the organization.
    Admin,
    /// A member of the organization.
    Member,
    /// A person outside the organization, who sees only shared content.
    Guest,
    /// Not reported, or an unknown word, which is kept. Never treated as a member.
    Unknown(Option<String>),
}

impl Role {
    /// The word without the raw value, for counts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Guest => "guest",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Whether the source reported a role, known or not.
    pub fn is_read(&self) -> bool {
        *self != Self::Unknown(None)
    }

    /// The rank of the role, from the fewest rights to the most. `None` if the role is unknown.
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
            // The source's own word.
            Self::Unknown(Some(raw)) => write!(f, "{}:{raw}", self.kind()),
            known => f.write_str(known.kind()),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The source's own word.
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

/// The raw value after `unknown:`. Any other word is itself the raw value.
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
        assert_eq!(Status::Listed.access(), Access::Has);
        assert_eq!(Status::Listed.to_string(), "unknown");
    }
}
