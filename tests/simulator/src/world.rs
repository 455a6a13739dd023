//! The world behind the simulated API: accounts, the form of the answers, and faults.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::faults::Fault;
use crate::hris::Hris;
use crate::people::{self, Person};
use crate::shape::{
    Admin, CustomEnvelope, Envelope, Gap, LastCursor, Limiter, ListFields, Permission, Viewer,
    Words,
};
use crate::{TOKEN, WORKSPACE_ID};

/// Everything that defines the simulator's answers. Each field can be set; [`World::with`] sets
/// fields in a chain of calls.
#[derive(Clone, Debug)]
pub struct World {
    /// All people who have or had an account, in the order of the list.
    pub people: Vec<Person>,
    /// The workspaces that the connection can read.
    pub workspaces: Vec<Workspace>,
    /// The connected account.
    pub viewer: Viewer,
    /// The HR system, if one is connected.
    pub hris: Option<Hris>,

    /// The valid API token.
    pub token: String,
    /// When the token expires, according to `GET /api-token`.
    pub token_expires_at: Option<Timestamp>,
    /// The state of the connection; any word. Data requests succeed only in `active`.
    pub connection_status: String,
    /// The new state of the connection after this many reads.
    pub connection_becomes: Option<(u32, String)>,
    /// Whether the connection is blocked: every data request answers 503.
    pub blocked: bool,
    /// The tenant that the connection belongs to.
    pub tenant_id: String,
    /// `oauth2`, `api_key`, …
    pub authentication_method: String,
    /// The scopes of the connection.
    pub scopes: Vec<String>,
    /// Whether Truto reports the connection as a sandbox.
    pub is_sandbox: bool,
    /// Truto's region of the connection: `wnam`, `enam`, `apac`, `eu`.
    pub region: String,
    /// The last refusal before the first request, as Truto reports it; null: none.
    pub last_forbidden_error: Value,
    /// The AI teammates of the workspace: gid and name. Asana lists them apart from the users.
    pub agents: Vec<(String, String)>,
    /// Whether they may be read. No narrow scope covers them.
    pub agents_permission: Permission,
    /// More entries for the list of connections: id, tenant and state.
    pub other_connections: Vec<(String, String, String)>,

    /// The admin who gets links, and the states of the connection that results.
    pub admin: Admin,

    /// The `Date` of every answer; without it, the machine's clock.
    pub date: Option<Timestamp>,
    /// At most this many data requests in any window of this length, per connection.
    pub rate_limit: Option<(u32, Duration)>,
    /// Whether answers to data requests report that limit in `ratelimit-*`.
    pub tells_rate_limit: bool,
    /// The origin of the rate limit, as answers report it.
    pub limiter: Limiter,
    /// Seconds in the `Retry-After` of a 429.
    pub retry_after: u32,
    /// Additional headers of every answer to a data request, such as `ratelimit-remaining`.
    pub headers: Vec<(String, String)>,

    /// Truto's mapping of Asana's users, in JSONata.
    pub response_mapping: String,
    /// Whether the mapping may be read.
    pub mapping: Permission,
    /// The fields in the list of users.
    pub list_fields: ListFields,
    /// The fields of a user who is read alone, and of `/me`.
    pub single_fields: ListFields,
    /// How a field is written if it has no value, or if the list omits it.
    pub gap: Gap,
    /// Whose words `status` uses, in lists and gets.
    pub status_words: Words,
    /// Whose words `roles[].name` uses, in lists and gets.
    pub role_words: Words,
    /// Whether rows have `remote_data`, in lists and gets.
    pub remote_data: bool,
    /// Whether `id` and `gid` of a person are numbers.
    pub numeric_ids: bool,
    /// The largest page, and the size of a page without `limit`.
    pub page_size_cap: usize,
    /// How the rows are wrapped.
    pub envelope: Envelope,
    /// How the last page is marked.
    pub last_cursor: LastCursor,
    /// Whether the last page with rows returns a cursor for an empty page.
    pub empty_last_page: bool,
    /// Whether every page after the first returns the cursor of its own request.
    pub repeated_cursor: bool,
    /// The same for the lists of `/custom`.
    pub custom_repeated_cursor: bool,
    /// How many requests with a cursor are answered "expired" before cursors work.
    pub expired_cursors: u32,
    /// The value of `is_partial_response` in the list of users.
    pub partial_response: bool,
    /// How many of the first rows are repeated at the end of the list.
    pub duplicate_rows: usize,
    /// Gids of people whom Truto's list of users omits, unlike Asana's own lists.
    pub omitted_rows: BTreeSet<String>,
    /// Whether the list ends with a row that has no `id`.
    pub row_without_id: bool,
    /// Whether the list of users requires `organization_id` (400 without it).
    pub organization_id_required: bool,

    /// Whether the list of users may be read.
    pub users: Permission,
    /// Whether single users may be read.
    pub gets: Permission,
    /// Gids of people who are listed, but whose get answers 404.
    pub gets_missing: BTreeSet<String>,
    /// Whether organizations may be read.
    pub organizations: Permission,
    /// Whether workspace memberships may be read.
    pub memberships: Permission,
    /// Whether memberships have `user.email` if it is requested, which Asana does not document.
    pub membership_emails: bool,
    /// Whether Asana's own list of users may be read.
    pub custom_users: Permission,
    /// How `/custom` wraps Asana's body.
    pub custom_envelope: CustomEnvelope,

    /// The faults.
    pub faults: Vec<Fault>,
}

/// A mapping that is as short as possible.
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
    /// A healthy world: the connection is active, and the only workspace has only the administrator
    /// who connected Asana.
    pub fn new() -> Self {
        let viewer =
            Person::member("1200000000000000", "Vera Viewer", "vera.viewer@example.com").admin();
        Self {
            viewer: Viewer::Person(viewer.gid.clone()),
            people: vec![viewer],
            ..Self::empty()
        }
    }

    /// A healthy world of `accounts` generated people: the same number always gives the same world.
    /// The first person is an administrator and connected Asana.
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
            is_sandbox: false,
            region: "wnam".to_owned(),
            last_forbidden_error: Value::Null,
            agents: Vec::new(),
            agents_permission: Permission::Granted,
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
            single_fields: ListFields::FULL,
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
            custom_repeated_cursor: false,
            expired_cursors: 0,
            partial_response: false,
            duplicate_rows: 0,
            omitted_rows: BTreeSet::new(),
            row_without_id: false,
            organization_id_required: false,
            users: Permission::Granted,
            gets: Permission::Granted,
            gets_missing: BTreeSet::new(),
            organizations: Permission::Granted,
            memberships: Permission::Granted,
            membership_emails: true,
            custom_users: Permission::Granted,
            custom_envelope: CustomEnvelope::Truto,
            faults: Vec::new(),
        }
    }

    /// The same workspace through a connection with only `users:read`, `workspaces:read` and the scopes for teams: id,
    /// name and e-mail of the people who are active or invited. Every other endpoint requires full permissions.
    pub fn narrow(mut self) -> Self {
        let scopes = [
            "users:read",
            "workspaces:read",
            "teams:read",
            "team_memberships:read",
        ];
        self.scopes = scopes.map(str::to_owned).to_vec();
        self.list_fields = ListFields::NARROW;
        self.single_fields = ListFields::NARROW;
        self.memberships = Permission::FullPermissionsOnly;
        self.agents_permission = Permission::FullPermissionsOnly;
        for person in &mut self.people {
            person.listed &= person.status.is_active();
        }
        self
    }

    /// Adds a person at the end of the list.
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    /// Adds several people at the end of the list.
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

    /// Adds a fault.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets the connected account.
    pub fn viewed_by(mut self, viewer: Viewer) -> Self {
        self.viewer = viewer;
        self
    }

    /// Sets the connection's state.
    pub fn connection_status(mut self, status: &str) -> Self {
        self.connection_status = status.to_owned();
        self
    }

    /// Sets the `Date` of every answer.
    pub fn at(mut self, date: Timestamp) -> Self {
        self.date = Some(date);
        self
    }

    /// Sets any field in a chain of calls: `World::new().with(|w| w.numeric_ids = true)`.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Changes the person with this gid.
    ///
    /// # Panics
    ///
    /// If no person has this gid, because a test that changes nothing tests nothing.
    pub fn with_person(mut self, gid: &str, change: impl FnOnce(Person) -> Person) -> Self {
        let place = self.people.iter().position(|person| person.gid == gid);
        let place = place.unwrap_or_else(|| panic!("no person in this world has the gid {gid}"));
        let person = self.people.remove(place);
        self.people.insert(place, change(person));
        self
    }

    /// Removes the person with this gid from the world.
    ///
    /// # Panics
    ///
    /// If no person has this gid.
    pub fn without_person(mut self, gid: &str) -> Self {
        let before = self.people.len();
        self.people.retain(|person| person.gid != gid);
        assert!(
            self.people.len() < before,
            "no person in this world has the gid {gid}"
        );
        self
    }

    /// The name of a workspace, if the connection can read it.
    pub(crate) fn workspace_name(&self, gid: &str) -> Option<&str> {
        let of = |workspace: &&Workspace| workspace.gid == gid;
        self.workspaces
            .iter()
            .find(of)
            .map(|workspace| workspace.name.as_str())
    }
}
