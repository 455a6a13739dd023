//! The ways in which Truto's answers may differ and still be answers: what a client must tolerate.

/// Which fields the rows of the users list carry beside `id` and `name`. A get carries all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListFields {
    /// `emails`.
    pub emails: bool,
    /// `status`.
    pub status: bool,
    /// `roles`.
    pub roles: bool,
    /// The rest: first and last name, organizations, licences, dates.
    pub details: bool,
}

impl ListFields {
    /// Everything.
    pub const FULL: Self = Self {
        emails: true,
        status: true,
        roles: true,
        details: true,
    };
    /// `id` and `name` only, as Asana's compact form has it.
    pub const ID_AND_NAME: Self = Self {
        emails: false,
        status: false,
        roles: false,
        details: false,
    };
    /// Everything but `emails`.
    pub const WITHOUT_EMAIL: Self = Self {
        emails: false,
        ..Self::FULL
    };
    /// Everything but `status`.
    pub const WITHOUT_STATUS: Self = Self {
        status: false,
        ..Self::FULL
    };
    /// Everything but `roles`.
    pub const WITHOUT_ROLES: Self = Self {
        roles: false,
        ..Self::FULL
    };
}

/// How a value that is not there is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    /// The key is absent.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// An empty list, or an empty text.
    Empty,
}

/// Whose words `status` and `roles[].name` use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Words {
    /// Truto's: `active`, `invited`, `inactive`; `Admin`, `Member`, `Guest`.
    #[default]
    Truto,
    /// The provider's own, unmapped: `enabled`, `pending_invite`, `deprovisioned`;
    /// `organization_admin`, `full_member`, `outside_guest`.
    Raw,
}

/// How the rows of a unified list are wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Envelope {
    /// `{"result":[…]}`.
    #[default]
    Result,
    /// `{"results":[…]}`, on every list.
    Results,
    /// `{"result":{"<id>":{…}}}`, on the lists of users and of employees.
    Keyed,
}

/// How the last page says that it is the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastCursor {
    /// `"next_cursor":null`.
    #[default]
    Null,
    /// No `next_cursor`.
    Missing,
    /// `"next_cursor":""`.
    Empty,
}

/// What `/custom` makes of Asana's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CustomEnvelope {
    /// `{"result":[…],"next_cursor":…,"prev_cursor":…}`.
    #[default]
    Truto,
    /// Asana's own: `{"data":[…],"next_page":{"offset":…}}`.
    Asana,
    /// Asana's own inside `result`: `{"result":{"data":[…],"next_page":…},"next_cursor":null,…}`.
    AsanaInResult,
}

/// Whether Asana lets the connection read something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Permission {
    /// Yes.
    #[default]
    Granted,
    /// 403, naming the scopes that are missing.
    Forbidden(Vec<String>),
    /// 404: not visible, or no such route.
    NotFound,
}

impl Permission {
    /// 403 that names one missing scope.
    pub fn missing_scope(scope: &str) -> Self {
        Self::Forbidden(vec![scope.to_owned()])
    }
}

/// Whom `/me` names: the account that the connection uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The person with this gid, listed or not.
    Person(String),
    /// Nobody: an empty list.
    Absent,
    /// 403.
    Refused,
}

/// Who is said to have limited the rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limiter {
    /// Truto: no remote flag.
    #[default]
    Truto,
    /// Asana, through Truto: the remote flag, `raw_response` and the insight.
    Asana,
}

/// What the admin does who is given a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// How often somebody looks at connections before the link is used; none: nobody uses it. Opened
    /// in a browser it is used at once.
    pub uses_link_after: Option<u32>,
    /// The states the connection then walks through, one a look; it stays in the last.
    pub states: Vec<String>,
    /// What the connection says went wrong, in a state other than `active` and `connecting`.
    pub last_error: Option<String>,
}

impl Admin {
    /// An admin who looks away once and then connects, so that the states follow.
    pub fn with_states(states: &[&str]) -> Self {
        Self {
            uses_link_after: Some(1),
            states: states.iter().map(|&state| state.to_owned()).collect(),
            last_error: None,
        }
    }

    /// What goes wrong, in words.
    pub fn but(mut self, error: &str) -> Self {
        self.last_error = Some(error.to_owned());
        self
    }

    /// Nobody uses the link.
    pub fn absent() -> Self {
        Self {
            uses_link_after: None,
            ..Self::default()
        }
    }
}

impl Default for Admin {
    /// Connects, and it works.
    fn default() -> Self {
        Self::with_states(&["connecting", "active"])
    }
}
