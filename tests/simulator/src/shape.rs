//! The forms of Truto's answers that a client must tolerate.

/// The fields in the list of users besides `id` and `name`. A get has all of them.
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
    /// Only `id` and `name`, like Asana's compact form.
    pub const ID_AND_NAME: Self = Self {
        emails: false,
        status: false,
        roles: false,
        details: false,
    };
    /// What narrow scopes give: `id`, `name` and `emails`.
    pub const NARROW: Self = Self {
        emails: true,
        ..Self::ID_AND_NAME
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

/// How a missing value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    /// The key is absent.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// An empty list or an empty string.
    Empty,
}

/// Whose words `status` and `roles[].name` use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Words {
    /// Truto's: `active`, `invited`, `inactive`; `Admin`, `Member`, `Guest`.
    #[default]
    Truto,
    /// The provider's own, without mapping: `enabled`, `pending_invite`, `deprovisioned`;
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

/// How the last page is marked.
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

/// How `/custom` wraps Asana's body.
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

/// Whether Asana permits the connection to read something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Permission {
    /// Yes.
    #[default]
    Granted,
    /// 403 with the missing scopes.
    Forbidden(Vec<String>),
    /// 403 in Asana's words for an endpoint that no narrow scope covers. Truto names no missing scope.
    FullPermissionsOnly,
    /// 401, although the login works: some endpoints answer so to narrow scopes. Truto takes it for a lost login, and
    /// the connection becomes `needs_reauth`.
    Unauthorized,
    /// 404: not visible, or the route does not exist.
    NotFound,
}

impl Permission {
    /// 403 with one missing scope.
    pub fn missing_scope(scope: &str) -> Self {
        Self::Forbidden(vec![scope.to_owned()])
    }
}

/// The connected account, as `/me` returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The person with this gid, listed or not.
    Person(String),
    /// An empty list.
    Absent,
    /// 403.
    Refused,
}

/// The origin of a rate limit, as answers report it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limiter {
    /// Truto: no remote flag.
    #[default]
    Truto,
    /// Asana, through Truto: the remote flag, `raw_response` and the insight.
    Asana,
}

/// What the admin does with a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// How often connections are read before the admin uses the link; none: the admin never uses it.
    /// A link that is opened in a browser is used at once.
    pub uses_link_after: Option<u32>,
    /// The states of the connection after that, one for each read. It stays in the last state.
    pub states: Vec<String>,
    /// The error of the connection in a state other than `active` and `connecting`.
    pub last_error: Option<String>,
}

impl Admin {
    /// An admin who uses the link after one read; then the states follow.
    pub fn with_states(states: &[&str]) -> Self {
        Self {
            uses_link_after: Some(1),
            states: states.iter().map(|&state| state.to_owned()).collect(),
            last_error: None,
        }
    }

    /// Sets the error message.
    pub fn but(mut self, error: &str) -> Self {
        self.last_error = Some(error.to_owned());
        self
    }

    /// An admin who never uses the link.
    pub fn absent() -> Self {
        Self {
            uses_link_after: None,
            ..Self::default()
        }
    }
}

impl Default for Admin {
    /// An admin who connects successfully.
    fn default() -> Self {
        Self::with_states(&["connecting", "active"])
    }
}
