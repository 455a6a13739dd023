//! The world behind the simulated API: who has an account, how the answers look, what goes wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::faults::Fault;
use crate::hris::Hris;
use crate::people::{self, Person};
use crate::shape::{
    Admin, CustomEnvelope, Envelope, Gap, LastCursor, Limiter, ListFields, Permission, Viewer,
    Words,
};
use crate::{CONNECTION_ID, TOKEN, WORKSPACE_ID};

/// Everything the simulator answers from. Every field may be set on its own; [`World::with`] does
/// it in the middle of a chain.
#[derive(Clone, Debug)]
pub struct World {
    /// Everybody who has or had an account, in the order of the list.
    pub people: Vec<Person>,
    /// The workspaces the connection can see.
    pub workspaces: Vec<Workspace>,
    /// Whose eyes the connection looks through.
    pub viewer: Viewer,
    /// The HR system, where one is connected too.
    pub hris: Option<Hris>,

    /// The API token that is right.
    pub token: String,
    /// When that token ends, as `GET /api-token` tells.
    pub token_expires_at: Option<Timestamp>,
    /// The connection's state. Any word; calls for data are answered in `active` only.
    pub connection_status: String,
    /// The state the connection takes once it has been read so many times.
    pub connection_becomes: Option<(u32, String)>,
    /// Whether the connection is blocked: every call for data answers 503.
    pub blocked: bool,
    /// The tenant the connection belongs to.
    pub tenant_id: String,
    /// `oauth2`, `api_key`, …
    pub authentication_method: String,
    /// The scopes the connection was given.
    pub scopes: Vec<String>,
    /// Further connections, by id, tenant and state, for the list of connections.
    pub other_connections: Vec<(String, String, String)>,

    /// Who is given links, and what becomes of the connection they make.
    pub admin: Admin,

    /// What every answer says in `Date`; the clock of the machine if not set.
    pub date: Option<Timestamp>,
    /// At most so many calls for data in any window of that length, by connection.
    pub rate_limit: Option<(u32, Duration)>,
    /// Whether answers to calls for data tell of that limit, in `ratelimit-*`.
    pub tells_rate_limit: bool,
    /// Who is said to have limited the rate.
    pub limiter: Limiter,
    /// Seconds in the `Retry-After` of a 429.
    pub retry_after: u32,
    /// Headers added to every answer to a call for data, as `ratelimit-remaining`.
    pub headers: Vec<(String, String)>,

    /// How Truto says that it maps Asana's users, in JSONata.
    pub response_mapping: String,
    /// Whether that may be read.
    pub mapping: Permission,
    /// Which fields the users list carries.
    pub list_fields: ListFields,
    /// How a field that a row has no value for, or that the list leaves out, is written.
    pub gap: Gap,
    /// Whose words `status` uses, in list and get.
    pub status_words: Words,
    /// Whose words `roles[].name` uses, in list and get.
    pub role_words: Words,
    /// Whether rows carry `remote_data`, in list and get.
    pub remote_data: bool,
    /// Whether `id` and `gid` of a person are numbers.
    pub numeric_ids: bool,
    /// The largest page; also the size of a page when `limit` is not sent.
    pub page_size_cap: usize,
    /// How the rows are wrapped.
    pub envelope: Envelope,
    /// How the last page says that it is the last.
    pub last_cursor: LastCursor,
    /// Whether the last page with rows still names a cursor, which leads to an empty page.
    pub empty_last_page: bool,
    /// Whether every page after the first names the cursor it was asked with.
    pub repeated_cursor: bool,
    /// How many calls with a cursor are answered "expired" before cursors work.
    pub expired_cursors: u32,
    /// What the users list says in `is_partial_response`.
    pub partial_response: bool,
    /// How many of the first rows come again at the end of the list.
    pub duplicate_rows: usize,
    /// Whether the list ends with a row that has no `id`.
    pub row_without_id: bool,
    /// Whether the users list demands `organization_id` (400 without).
    pub organization_id_required: bool,

    /// Whether the users list may be read.
    pub users: Permission,
    /// Whether single users may be read.
    pub gets: Permission,
    /// Gids of people whose get answers 404, though the list names them.
    pub gets_missing: BTreeSet<String>,
    /// Whether organizations may be read.
    pub organizations: Permission,
    /// Whether workspace memberships may be read.
    pub memberships: Permission,
    /// Whether Asana's own list of users may be read.
    pub custom_users: Permission,
    /// What `/custom` makes of Asana's body.
    pub custom_envelope: CustomEnvelope,

    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// As short as one may be.
const RESPONSE_MAPPING: &str =
    r#"response.{ "id": gid, "name": name, "emails": [{ "email": email }] }"#;

/// A workspace of Asana, which Truto calls an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its gid.
    pub gid: String,
    /// Its name.
    pub name: String,
}

impl Workspace {
    /// A workspace.
    pub fn new(gid: &str, name: &str) -> Self {
        Self {
            gid: gid.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A healthy world: the connection is active, there is one workspace, and in it the
    /// administrator who connected Asana and nobody else.
    pub fn new() -> Self {
        let viewer =
            Person::member("1200000000000000", "Vera Viewer", "vera.viewer@example.com").admin();
        Self {
            viewer: Viewer::Person(viewer.gid.clone()),
            people: vec![viewer],
            ..Self::empty()
        }
    }

    /// A healthy world of `accounts` people made by arithmetic: the same number, the same world.
    /// The first of them is an administrator and connected Asana.
    pub fn generated(accounts: usize) -> Self {
        let people: Vec<_> = (1..=accounts).map(people::generated).collect();
        let viewer = people
            .first()
            .map_or(Viewer::Absent, |p| Viewer::Person(p.gid.clone()));
        Self {
            people,
            viewer,
            ..Self::empty()
        }
    }

    /// A healthy world without people.
    fn empty() -> Self {
        Self {
            people: Vec::new(),
            workspaces: vec![Workspace::new(WORKSPACE_ID, "Example Company")],
            viewer: Viewer::Absent,
            hris: None,
            token: TOKEN.to_owned(),
            token_expires_at: None,
            connection_status: "active".to_owned(),
            connection_becomes: None,
            blocked: false,
            tenant_id: "example-company".to_owned(),
            authentication_method: "oauth2".to_owned(),
            scopes: vec!["default".to_owned()],
            other_connections: Vec::new(),
            admin: Admin::default(),
            date: None,
            rate_limit: None,
            tells_rate_limit: false,
            limiter: Limiter::Truto,
            retry_after: 10,
            headers: Vec::new(),
            response_mapping: RESPONSE_MAPPING.to_owned(),
            mapping: Permission::Granted,
            list_fields: ListFields::FULL,
            gap: Gap::Absent,
            status_words: Words::Truto,
            role_words: Words::Truto,
            remote_data: false,
            numeric_ids: false,
            page_size_cap: 100,
            envelope: Envelope::Result,
            last_cursor: LastCursor::Null,
            empty_last_page: false,
            repeated_cursor: false,
            expired_cursors: 0,
            partial_response: false,
            duplicate_rows: 0,
            row_without_id: false,
            organization_id_required: false,
            users: Permission::Granted,
            gets: Permission::Granted,
            gets_missing: BTreeSet::new(),
            organizations: Permission::Granted,
            memberships: Permission::Granted,
            custom_users: Permission::Granted,
            custom_envelope: CustomEnvelope::Truto,
            faults: Vec::new(),
        }
    }

    /// Adds somebody at the end of the list.
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    /// Adds everybody.
    pub fn people(mut self, people: impl IntoIterator<Item = Person>) -> Self {
        self.people.extend(people);
        self
    }

    /// Adds a workspace.
    pub fn workspace(mut self, gid: &str, name: &str) -> Self {
        self.workspaces.push(Workspace::new(gid, name));
        self
    }

    /// Connects an HR system.
    pub fn hris(mut self, hris: Hris) -> Self {
        self.hris = Some(hris);
        self
    }

    /// Adds a rule of what goes wrong.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Says whose eyes the connection looks through.
    pub fn viewed_by(mut self, viewer: Viewer) -> Self {
        self.viewer = viewer;
        self
    }

    /// Sets the connection's state.
    pub fn connection_status(mut self, status: &str) -> Self {
        self.connection_status = status.to_owned();
        self
    }

    /// Pins what every answer says in `Date`.
    pub fn at(mut self, date: Timestamp) -> Self {
        self.date = Some(date);
        self
    }

    /// Sets any field in the middle of a chain: `World::new().with(|w| w.numeric_ids = true)`.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Changes the person with this gid.
    ///
    /// # Panics
    ///
    /// If there is nobody with this gid: a test that changes nobody tests nothing.
    pub fn with_person(mut self, gid: &str, change: impl FnOnce(Person) -> Person) -> Self {
        let place = self.people.iter().position(|person| person.gid == gid);
        let place = place.unwrap_or_else(|| panic!("nobody in this world has the gid {gid}"));
        let person = self.people.remove(place);
        self.people.insert(place, change(person));
        self
    }

    /// Takes the person with this gid out of the world.
    ///
    /// # Panics
    ///
    /// If there is nobody with this gid.
    pub fn without_person(mut self, gid: &str) -> Self {
        let before = self.people.len();
        self.people.retain(|person| person.gid != gid);
        assert!(
            self.people.len() < before,
            "nobody in this world has the gid {gid}"
        );
        self
    }

    /// The name of a workspace, if the connection can see it.
    pub(crate) fn workspace_name(&self, gid: &str) -> Option<&str> {
        let of = |workspace: &&Workspace| workspace.gid == gid;
        self.workspaces
            .iter()
            .find(of)
            .map(|workspace| workspace.name.as_str())
    }

    /// The connection's id: the same in every world.
    pub(crate) fn connection_id(&self) -> &'static str {
        CONNECTION_ID
    }
}
