//! The people of a simulated workspace, and their memberships.

use crate::WORKSPACE_ID;

/// A person with an account.
///
/// For example `Person::member("1201", "Ada Lovelace", "ada@example.com").admin()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Asana's gid of the user, which Truto returns as `id`.
    pub gid: String,
    /// The display name.
    pub name: String,
    /// The primary address, if Asana has one.
    pub email: Option<String>,
    /// Further addresses, listed after the primary one.
    pub other_emails: Vec<String>,
    /// Whether the account can be used.
    pub status: Status,
    /// Administers the organization.
    pub admin: bool,
    /// Sees only what is shared with them.
    pub guest: bool,
    /// Has a view-only licence.
    pub view_only: bool,
    /// When the membership began, as the API writes it.
    pub joined_at: String,
    /// Last login. Asana has none, but other mappings may.
    pub last_login_at: Option<String>,
    /// The id from an identity provider; absent without SCIM.
    pub external_id: Option<String>,
    /// The workspaces the person is in, by gid.
    pub workspaces: Vec<String>,
    /// The membership records; `None` means one for each workspace, made from the fields above.
    pub memberships: Option<Vec<Membership>>,
    /// Whether the person is in the lists of users (Truto's and Asana's own).
    pub listed: bool,
}

/// The state of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Active,
    /// Invited, not yet accepted. Asana's membership has `is_active: true` nevertheless.
    Invited,
    /// Deprovisioned.
    Inactive,
    /// Truto's word `deleted`.
    Deleted,
    /// Any other word.
    Other(String),
}

impl Status {
    /// The value of `is_active` in Asana's membership.
    pub fn is_active(&self) -> bool {
        match self {
            Self::Active | Self::Invited | Self::Other(_) => true,
            Self::Inactive | Self::Deleted => false,
        }
    }
}

/// One membership of a person in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The membership's own gid.
    pub gid: String,
    /// The workspace's gid.
    pub workspace: String,
    /// `is_active`.
    pub active: bool,
    /// `is_admin`.
    pub admin: bool,
    /// `is_guest`.
    pub guest: bool,
    /// `is_view_only`.
    pub view_only: bool,
    /// When it began.
    pub created_at: String,
}

impl Person {
    /// An active member of the workspace.
    pub fn member(gid: impl Into<String>, name: impl Into<String>, email: &str) -> Self {
        Self {
            gid: gid.into(),
            name: name.into(),
            email: Some(email.to_owned()),
            other_emails: Vec::new(),
            status: Status::Active,
            admin: false,
            guest: false,
            view_only: false,
            joined_at: "2023-02-06T09:00:00.000Z".to_owned(),
            last_login_at: None,
            external_id: None,
            workspaces: vec![WORKSPACE_ID.to_owned()],
            memberships: None,
            listed: true,
        }
    }

    /// Makes them an administrator.
    pub fn admin(mut self) -> Self {
        self.admin = true;
        self
    }

    /// Makes them a guest.
    pub fn guest(mut self) -> Self {
        self.guest = true;
        self
    }

    /// Gives them a view-only licence.
    pub fn view_only(mut self) -> Self {
        self.view_only = true;
        self
    }

    /// Sets the status.
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Invited, not yet accepted.
    pub fn invited(self) -> Self {
        self.status(Status::Invited)
    }

    /// Deprovisioned, and still listed.
    pub fn inactive(self) -> Self {
        self.status(Status::Inactive)
    }

    /// Removes the address.
    pub fn without_email(mut self) -> Self {
        self.email = None;
        self
    }

    /// Sets the primary address.
    pub fn email(mut self, email: &str) -> Self {
        self.email = Some(email.to_owned());
        self
    }

    /// Adds a further address.
    pub fn other_email(mut self, email: &str) -> Self {
        self.other_emails.push(email.to_owned());
        self
    }

    /// Sets when the membership began, as the API writes it.
    pub fn joined_at(mut self, when: &str) -> Self {
        self.joined_at = when.to_owned();
        self
    }

    /// Sets the last login, as the API writes it.
    pub fn last_login_at(mut self, when: &str) -> Self {
        self.last_login_at = Some(when.to_owned());
        self
    }

    /// Sets the id of an identity provider.
    pub fn external_id(mut self, id: &str) -> Self {
        self.external_id = Some(id.to_owned());
        self
    }

    /// Sets their workspaces.
    pub fn in_workspaces(mut self, gids: &[&str]) -> Self {
        self.workspaces = gids.iter().map(|gid| (*gid).to_owned()).collect();
        self
    }

    /// Removes them from the lists of users; their memberships stay.
    pub fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// Sets the membership records.
    pub fn with_memberships(mut self, memberships: Vec<Membership>) -> Self {
        self.memberships = Some(memberships);
        self
    }

    /// Listed as a user, but without a membership.
    pub fn without_membership(self) -> Self {
        self.with_memberships(Vec::new())
    }

    /// Removed once and added again: an old inactive membership comes before the active one.
    pub fn rejoined(self) -> Self {
        let mut memberships = self.memberships();
        if let Some(now) = memberships.first().cloned() {
            let before = Membership {
                gid: format!("{}0", now.gid),
                active: false,
                created_at: "2019-04-01T08:30:00.000Z".to_owned(),
                ..now
            };
            memberships.insert(0, before);
        }
        self.with_memberships(memberships)
    }

    /// The membership records: those set, or one for each workspace.
    pub fn memberships(&self) -> Vec<Membership> {
        if let Some(memberships) = &self.memberships {
            return memberships.clone();
        }
        let of = |(place, workspace): (usize, &String)| Membership {
            gid: format!("{}{}", self.gid, place + 1),
            workspace: workspace.clone(),
            active: self.status.is_active(),
            admin: self.admin,
            guest: self.guest,
            view_only: self.view_only,
            created_at: self.joined_at.clone(),
        };
        self.workspaces.iter().enumerate().map(of).collect()
    }
}

const FIRST_NAMES: [&str; 20] = [
    "Ada", "Bruno", "Chiara", "David", "Esra", "Farid", "Gudrun", "Hiro", "Ines", "Jakub", "Kwame",
    "Lucia", "Mehmet", "Nadia", "Oskar", "Petra", "Quentin", "Rosa", "Stefan", "Tove",
];

const LAST_NAMES: [&str; 23] = [
    "Almeida",
    "Brandt",
    "Costa",
    "Dupont",
    "Eriksen",
    "Farouk",
    "Garcia",
    "Haas",
    "Ito",
    "Jovanovic",
    "Klein",
    "Lopez",
    "Moreau",
    "Novak",
    "Olsen",
    "Park",
    "Quist",
    "Rossi",
    "Santos",
    "Tamm",
    "Urban",
    "Vogel",
    "Weiss",
];

/// A generated person: the same number always gives the same person.
///
/// Number 1 is an active administrator. Most others are members; every 50th is an administrator,
/// one in 20 is a guest with a Gmail address, one in 33 is invited, one in ten is inactive, and one
/// in 40 is view-only.
pub fn generated(number: usize) -> Person {
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last = LAST_NAMES[(number / 7 + number) % LAST_NAMES.len()];
    let is_guest = number % 20 == 7;
    let domain = if is_guest { "gmail.com" } else { "example.com" };
    let mut person = Person::member(
        (1_200_000_000_000_000 + number).to_string(),
        format!("{first} {last}"),
        &format!("person{number}@{domain}"),
    )
    .joined_at(&format!(
        "20{:02}-{:02}-{:02}T09:00:00.000Z",
        15 + number % 10,
        1 + number % 12,
        1 + number % 28
    ));
    person.guest = is_guest;
    person.admin = number == 1 || (number.is_multiple_of(50) && !is_guest);
    person.view_only = number % 40 == 13;
    if number % 10 == 9 {
        person.status = Status::Inactive;
    } else if number % 33 == 5 {
        person.status = Status::Invited;
    }
    person
}
