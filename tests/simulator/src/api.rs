//! The API: answers a request from the state of the world.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::faults::Action;
use crate::hris::{self, Hris};
use crate::limit::SlidingWindow;
use crate::links::Links;
use crate::pages::{self, Page, Rows};
use crate::request::RecordedRequest;
use crate::rows;
use crate::shape::{CustomEnvelope, Envelope, LastCursor, Limiter, Permission, Viewer};
use crate::world::World;
use crate::{CONNECTION_ID, HRIS_CONNECTION_ID, MADE_CONNECTION_ID};

/// What happens to a request.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The right answer, or the one that replaces it.
    pub(crate) answer: Answer,
    /// How long to wait before the answer.
    pub(crate) delay: Duration,
    /// How the answer arrives.
    pub(crate) way: Way,
    /// The `Date` header, if the world sets it.
    pub(crate) date: Option<String>,
}

/// How a list differs from a plain one.
#[derive(Clone, Copy, Debug, Default)]
struct Oddities {
    is_keyed: bool,
    empty_last_page: bool,
    repeated_cursor: bool,
    partial_response: bool,
}

/// How an answer arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// All of it arrives.
    Whole,
    /// Nothing arrives: the connection is reset.
    Reset,
    /// Half of it arrives.
    Cut,
}

/// The world that is served, and its state.
pub(crate) struct Api {
    world: Arc<World>,
    date: Option<String>,
    /// The id of the connection that the current request is for.
    connection: String,
    /// The current state of the connection.
    status: String,
    status_changes: u32,
    keeps_context: bool,
    /// The links, and their connections.
    links: Links,
    /// The current state of the connection to the HR system.
    hris_status: String,
    connection_reads: u32,
    expired_cursors_left: u32,
    last_forbidden: Value,
    /// How many requests matched each fault.
    matched: Vec<u32>,
    /// The requests of each connection.
    windows: HashMap<String, SlidingWindow>,
    hris_window: SlidingWindow,
    /// Lists that were requested, rendered.
    lists: HashMap<String, Arc<Rows>>,
    /// Indexes of people in the world, by gid.
    places: HashMap<String, usize>,
}

impl Api {
    pub(crate) fn new(world: World) -> Self {
        let mut api = Self {
            world: Arc::new(World::new()),
            date: None,
            connection: CONNECTION_ID.to_owned(),
            status: String::new(),
            status_changes: 0,
            keeps_context: true,
            links: Links::default(),
            hris_status: String::new(),
            connection_reads: 0,
            expired_cursors_left: 0,
            last_forbidden: Value::Null,
            matched: Vec::new(),
            windows: HashMap::new(),
            hris_window: SlidingWindow::default(),
            lists: HashMap::new(),
            places: HashMap::new(),
        };
        api.set_world(world);
        api
    }

    /// Serves another world from now on.
    pub(crate) fn set_world(&mut self, world: World) {
        let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
        self.date = world
            .date
            .and_then(|date| printer.timestamp_to_rfc9110_string(&date).ok());
        self.status.clone_from(&world.connection_status);
        self.status_changes = 0;
        self.keeps_context = true;
        self.links = Links::default();
        self.hris_status = match &world.hris {
            Some(hris) => hris.connection_status.clone(),
            None => String::new(),
        };
        self.connection_reads = 0;
        self.expired_cursors_left = world.expired_cursors;
        self.last_forbidden = world.last_forbidden_error.clone();
        self.matched = vec![0; world.faults.len()];
        self.windows.clear();
        self.hris_window = SlidingWindow::default();
        self.lists.clear();
        let people = world.people.iter().enumerate();
        self.places = people
            .map(|(place, person)| (person.gid.clone(), place))
            .collect();
        self.world = Arc::new(world);
    }

    /// The valid token.
    pub(crate) fn token(&self) -> &str {
        &self.world.token
    }

    /// Answers a request for this connection.
    pub(crate) fn answer(&mut self, connection: &str, request: &RecordedRequest) -> Reply {
        connection.clone_into(&mut self.connection);
        let world = Arc::clone(&self.world);
        let (delay, action) = self.meet_faults(&world, request);
        let (answer, way) = match action {
            Some(Action::Answer {
                status,
                headers,
                content_type,
                body,
            }) => {
                let answer = Answer {
                    status,
                    headers,
                    content_type,
                    body: body.into(),
                };
                (answer, Way::Whole)
            }
            Some(Action::TrutoError { status, message }) => {
                (Answer::truto_error(status, &message), Way::Whole)
            }
            Some(Action::RemoteError { status, message }) => {
                (Answer::remote_error(status, &message), Way::Whole)
            }
            Some(Action::RateLimited(limiter)) => {
                (too_many_requests(limiter, world.retry_after), Way::Whole)
            }
            Some(Action::Reset) => (Answer::truto_error(500, ""), Way::Reset),
            Some(Action::CutBody) => (self.route(&world, request), Way::Cut),
            Some(Action::Delay(_)) | None => (self.route(&world, request), Way::Whole),
        };
        Reply {
            answer,
            delay,
            way,
            date: self.date.clone(),
        }
    }

    /// Counts the request for every fault. Returns the sum of delays, and the first other action.
    fn meet_faults(
        &mut self,
        world: &World,
        request: &RecordedRequest,
    ) -> (Duration, Option<Action>) {
        let mut delay = Duration::ZERO;
        let mut action = None;
        for (fault, matched) in world.faults.iter().zip(&mut self.matched) {
            if !fault.matches(&request.path) {
                continue;
            }
            *matched = matched.saturating_add(1);
            if !fault.applies_to(*matched) {
                continue;
            }
            match &fault.action {
                Action::Delay(time) => delay += *time,
                // A later rule counts the request, but does nothing.
                _ if action.is_some() => continue,
                other => action = Some(other.clone()),
            }
            if let Some(status) = &fault.connection_becomes {
                if request.query("integrated_account_id") == Some(HRIS_CONNECTION_ID) {
                    self.hris_status.clone_from(status);
                    continue;
                }
                self.status.clone_from(status);
                self.status_changes += 1;
            }
        }
        (delay, action)
    }

    fn route(&mut self, world: &World, request: &RecordedRequest) -> Answer {
        let segments: Vec<_> = request.path.trim_matches('/').split('/').collect();
        // People open this page, without a token.
        if segments == ["connect-account"] {
            return self.links.open(request);
        }
        if !request.authorized {
            return Answer::truto_error(401, "Invalid or expired API token");
        }
        if segments == ["link-token"] && request.method == "POST" {
            return self.links.post(request);
        }
        if request.method != "GET" {
            return no_such_route(request);
        }
        if let ["integrated-account"] | ["integrated-account", _] = segments.as_slice() {
            self.look(world);
        }
        match segments.as_slice() {
            ["api-token"] => api_tokens(world),
            ["integrated-account"] => self.connections(world, request),
            ["integrated-account", id] if *id == self.connection => self.connection(world),
            ["integrated-account", id, "capabilities"] if *id == self.connection => {
                self.capabilities(world)
            }
            ["integrated-account", HRIS_CONNECTION_ID] if world.hris.is_some() => {
                Answer::json(&self.hris_connection(world))
            }
            ["integrated-account", MADE_CONNECTION_ID] if self.links.made(world).is_some() => self
                .made_connection(world)
                .map_or_else(|| no_such_route(request), |body| Answer::json(&body)),
            ["integrated-account", ..] => Answer::truto_error(404, "Integrated account not found"),
            [root @ ("unified" | "proxy" | "custom"), rest @ ..] => {
                let answer = match self.refuse_data(world, request) {
                    Some(refusal) => refusal,
                    None if *root == "unified" => self.unified(world, request, rest),
                    None if *root == "custom" => self.custom(world, request, rest),
                    None => no_such_route(request),
                };
                self.remember_forbidden(request, &answer);
                let answer = self.tell_rate_limit(world, answer);
                world.headers.iter().fold(answer, |answer, (name, value)| {
                    answer.with_header(name, value)
                })
            }
            _ => no_such_route(request),
        }
    }

    /// Connections are read, so each link advances by one step.
    fn look(&mut self, world: &World) {
        if let Some(becomes) = self.links.look(world) {
            if self.status != becomes.status {
                self.status = becomes.status;
                self.status_changes += 1;
            }
            self.keeps_context = becomes.keeps_context;
        }
    }

    /// The connection that a link created.
    fn made_connection(&self, world: &World) -> Option<Value> {
        let (id, tenant, status) = self.links.made(world)?;
        let mut body = connection(world, id, tenant, status, 0);
        body["last_error"] = last_error(world, status);
        Some(body)
    }

    /// The refusal of data requests, if they are currently refused.
    fn refuse_data(&mut self, world: &World, request: &RecordedRequest) -> Option<Answer> {
        let id = request.query("integrated_account_id").unwrap_or_default();
        if id.is_empty() {
            return Some(Answer::missing_parameter("integrated_account_id"));
        }
        let is_hris = world.hris.is_some() && id == HRIS_CONNECTION_ID;
        let made = self.links.made(world);
        let window = self.windows.entry(id.to_owned()).or_default();
        let (calls, status) = match made {
            _ if is_hris => (&mut self.hris_window, self.hris_status.as_str()),
            Some((made, _, status)) if made == id => (window, status),
            _ if id == self.connection => (window, self.status.as_str()),
            _ => return Some(Answer::truto_error(404, "Integrated account not found")),
        };
        if let Some((at_most, window)) = world.rate_limit
            && !calls.admit(at_most, window, Instant::now())
        {
            return Some(too_many_requests(world.limiter, world.retry_after));
        }
        if world.blocked && !is_hris {
            let message = "Integrated account is blocked. Please contact support.";
            return Some(Answer::truto_error(503, message));
        }
        match status {
            "active" => None,
            "needs_reauth" => Some(Answer::remote_error(401, "Not Authorized")),
            other => {
                let message = format!("Integrated account is not active, but {other}");
                Some(Answer::truto_error(400, &message))
            }
        }
    }

    /// Adds the three headers in the form of Truto's documentation.
    fn tell_rate_limit(&self, world: &World, answer: Answer) -> Answer {
        let Some((at_most, window)) = world.rate_limit.filter(|_| world.tells_rate_limit) else {
            return answer;
        };
        let Some(calls) = self.windows.get(&self.connection) else {
            return answer;
        };
        let (left, seconds) = calls.left(at_most, window, Instant::now());
        answer
            .with_header(
                "ratelimit-limit",
                &format!("{at_most};w={}", window.as_secs()),
            )
            .with_header("ratelimit-remaining", &left.to_string())
            .with_header("ratelimit-reset", &seconds.to_string())
    }

    fn remember_forbidden(&mut self, request: &RecordedRequest, answer: &Answer) {
        if answer.status == 403 {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let scopes = &body["truto_error_insight"]["forbidden_error"]["value"]["missing_scopes"];
            self.last_forbidden = json!({
                "resource": request.path,
                "method": "list",
                "missing_scopes": scopes,
                "occurred_at": "2026-09-01T10:05:00.000Z",
            });
        } else if answer.status == 200 && self.last_forbidden["resource"] == json!(request.path) {
            self.last_forbidden = Value::Null;
        }
    }

    fn unified(&mut self, world: &World, request: &RecordedRequest, path: &[&str]) -> Answer {
        // The available models depend on the integration of the connection.
        if request.query("integrated_account_id") == Some(HRIS_CONNECTION_ID) {
            return match (path, &world.hris) {
                (["hris", "employees"], Some(hris)) => self.employees(world, hris, request),
                _ => no_such_route(request),
            };
        }
        match path {
            ["user-directory", "organizations"] => {
                if let Some(refusal) = Answer::refusal(&world.organizations) {
                    return refusal;
                }
                let rows = self.list("organizations", || {
                    let mut rows = Rows::default();
                    for workspace in &world.workspaces {
                        let row = json!({"id": workspace.gid, "name": workspace.name});
                        rows.push(row.to_string().as_bytes());
                    }
                    rows
                });
                self.unified_page(world, request, "organizations", &rows, Oddities::default())
            }
            ["user-directory", "me"] => self.me(world, request),
            ["user-directory", "users"] => self.users(world, request),
            ["user-directory", "users", "meta", "list"]
            | ["user-directory", "users", "asana", "meta", "list"] => {
                Answer::refusal(&world.mapping).unwrap_or_else(|| mapping(world))
            }
            ["user-directory", "users", id] => self.user(world, id),
            _ => no_such_route(request),
        }
    }

    fn me(&mut self, world: &World, request: &RecordedRequest) -> Answer {
        let gid = match &world.viewer {
            Viewer::Refused => {
                return Answer::refusal(&Permission::missing_scope("users:read"))
                    .unwrap_or_else(|| no_such_route(request));
            }
            Viewer::Absent => None,
            Viewer::Person(gid) => Some(gid),
        };
        let mut rows = Rows::default();
        if let Some(gid) = gid {
            let row = match self.places.get(gid) {
                Some(place) => rows::user(world, &world.people[*place], world.single_fields),
                None => json!({"id": gid}),
            };
            rows.push(row.to_string().as_bytes());
        }
        self.unified_page(world, request, "me", &rows, Oddities::default())
    }

    fn users(&mut self, world: &World, request: &RecordedRequest) -> Answer {
        if let Some(refusal) = Answer::refusal(&world.users) {
            return refusal;
        }
        let workspace = request.query("organization_id").filter(|id| !id.is_empty());
        if let Some(refusal) = unknown_workspace(world, workspace) {
            return refusal;
        }
        if workspace.is_none() && world.organization_id_required {
            return Answer::missing_parameter("organization_id");
        }
        let rows = self.list(&format!("users {}", workspace.unwrap_or_default()), || {
            rows::users(world, workspace)
        });
        let odd = Oddities {
            is_keyed: world.envelope == Envelope::Keyed,
            empty_last_page: world.empty_last_page,
            repeated_cursor: world.repeated_cursor,
            partial_response: world.partial_response,
        };
        self.unified_page(world, request, "users", &rows, odd)
    }

    fn employees(&mut self, world: &World, hris: &Hris, request: &RecordedRequest) -> Answer {
        if let Some(refusal) = Answer::refusal(&hris.permission) {
            return refusal;
        }
        let with_remote_data = request.query("truto_ignore_remote_data") != Some("true");
        let rows = self.list(&format!("employees {with_remote_data}"), || {
            hris::employees(world, hris, with_remote_data)
        });
        let odd = Oddities {
            is_keyed: world.envelope == Envelope::Keyed,
            empty_last_page: false,
            repeated_cursor: hris.repeated_cursor,
            partial_response: hris.partial_response,
        };
        self.unified_page(world, request, "employees", &rows, odd)
    }

    fn user(&self, world: &World, id: &str) -> Answer {
        if let Some(refusal) = Answer::refusal(&world.gets) {
            return refusal;
        }
        match self.places.get(id) {
            Some(place) if !world.gets_missing.contains(id) => Answer::json(&rows::user(
                world,
                &world.people[*place],
                world.single_fields,
            )),
            _ => Answer::remote_error(404, &format!("user: Unknown object: {id}")),
        }
    }

    fn custom(&mut self, world: &World, request: &RecordedRequest, path: &[&str]) -> Answer {
        let opt_fields = request.list("opt_fields");
        let (name, rows) = match path {
            ["workspaces", workspace, "workspace_memberships"] => {
                let refusal = Answer::refusal(&world.memberships);
                if world.memberships == Permission::Unauthorized {
                    self.status = "needs_reauth".to_owned();
                    self.status_changes += 1;
                }
                if let Some(refusal) = refusal.or_else(|| unknown_workspace(world, Some(workspace)))
                {
                    return refusal;
                }
                let key = format!("memberships {workspace} {}", opt_fields.join(","));
                let render = || rows::memberships(world, workspace, &opt_fields);
                ("memberships", self.list(&key, render))
            }
            ["workspaces", workspace, "agents"] => {
                let refusal = Answer::refusal(&world.agents_permission);
                if let Some(refusal) = refusal.or_else(|| unknown_workspace(world, Some(workspace)))
                {
                    return refusal;
                }
                ("agents", self.list("agents", || rows::agents(world)))
            }
            ["users"] => {
                let workspace = request.query("workspace").filter(|gid| !gid.is_empty());
                let refusal = Answer::refusal(&world.custom_users);
                if let Some(refusal) = refusal.or_else(|| unknown_workspace(world, workspace)) {
                    return refusal;
                }
                let key = format!(
                    "asana users {} {}",
                    workspace.unwrap_or_default(),
                    opt_fields.join(",")
                );
                let render = || rows::asana_users(world, workspace, &opt_fields);
                ("asana users", self.list(&key, render))
            }
            _ => return no_such_route(request),
        };
        self.custom_page(world, request, name, &rows)
    }

    /// The rows of a list, rendered at the first request.
    fn list(&mut self, key: &str, render: impl FnOnce() -> Rows) -> Arc<Rows> {
        if let Some(rows) = self.lists.get(key) {
            return Arc::clone(rows);
        }
        let rows = Arc::new(render());
        self.lists.insert(key.to_owned(), Arc::clone(&rows));
        rows
    }

    /// A page in Truto's unified envelope.
    fn unified_page(
        &mut self,
        world: &World,
        request: &RecordedRequest,
        list: &str,
        rows: &Rows,
        odd: Oddities,
    ) -> Answer {
        let asked = request.query("next_cursor").filter(|c| !c.is_empty());
        let page = match self.page(world, request, list, asked, rows, world.page_size_cap) {
            Ok(page) => page,
            Err(refusal) => return *refusal,
        };
        let more = page.end < rows.len() || (odd.empty_last_page && page.len() > 0);
        let next = match asked {
            Some(asked) if odd.repeated_cursor => Some(asked.to_owned()),
            _ => more.then(|| pages::cursor(list, page.end)),
        };
        let (open, close) = if odd.is_keyed { ('{', '}') } else { ('[', ']') };
        let mut body = envelope_start(world, open);
        body.extend_from_slice(rows.slice(page.start, page.end));
        let rest = format!(
            "{close}{},\"prev_cursor\":null,\"result_count\":{},\"is_partial_response\":{}}}",
            next_cursor(world, next.as_deref()),
            page.len(),
            odd.partial_response,
        );
        body.extend_from_slice(rest.as_bytes());
        Answer::bytes(body)
    }

    /// A page of Asana's own list, wrapped as the world defines.
    fn custom_page(
        &mut self,
        world: &World,
        request: &RecordedRequest,
        list: &str,
        rows: &Rows,
    ) -> Answer {
        let of = |name| request.query(name).filter(|cursor| !cursor.is_empty());
        let asked = of("next_cursor").or_else(|| of("offset"));
        // Asana itself returns pages only if the request has a limit.
        let unlimited = match world.custom_envelope {
            CustomEnvelope::Truto => world.page_size_cap,
            CustomEnvelope::Asana | CustomEnvelope::AsanaInResult => usize::MAX,
        };
        let page = match self.page(world, request, list, asked, rows, unlimited) {
            Ok(page) => page,
            Err(refusal) => return *refusal,
        };
        let next = match asked {
            Some(asked) if world.custom_repeated_cursor => Some(asked.to_owned()),
            _ => (page.end < rows.len()).then(|| pages::cursor(list, page.end)),
        };
        let next_page = match &next {
            Some(offset) => {
                let path = format!("{}?offset={offset}", request.path);
                let uri = format!("https://app.asana.com/api/1.0{path}");
                json!({"offset": offset, "path": path, "uri": uri})
            }
            None => Value::Null,
        };
        let (mut body, rest) = match world.custom_envelope {
            CustomEnvelope::Truto => {
                let next = next_cursor(world, next.as_deref());
                let rest = format!("]{next},\"prev_cursor\":null}}");
                (envelope_start(world, '['), rest)
            }
            CustomEnvelope::Asana => {
                let rest = format!("],\"next_page\":{next_page}}}");
                (b"{\"data\":[".to_vec(), rest)
            }
            CustomEnvelope::AsanaInResult => {
                let rest = format!(
                    "],\"next_page\":{next_page}}},\"next_cursor\":null,\"prev_cursor\":null}}"
                );
                (b"{\"result\":{\"data\":[".to_vec(), rest)
            }
        };
        body.extend_from_slice(rows.slice(page.start, page.end));
        body.extend_from_slice(rest.as_bytes());
        Answer::bytes(body)
    }

    /// The page that a request is for.
    fn page(
        &mut self,
        world: &World,
        request: &RecordedRequest,
        list: &str,
        cursor: Option<&str>,
        rows: &Rows,
        without_limit: usize,
    ) -> Result<Page, Box<Answer>> {
        let refuse = |message: &str| Err(Box::new(Answer::remote_error(400, message)));
        let limit = match request.query("limit").filter(|limit| !limit.is_empty()) {
            None => without_limit,
            Some(limit) => match limit.parse::<usize>() {
                Ok(limit) if limit > 0 => limit.min(world.page_size_cap),
                _ => return refuse("limit: Value must be between 1 and 100."),
            },
        };
        let start = match cursor {
            None => 0,
            Some(_) if self.expired_cursors_left > 0 => {
                self.expired_cursors_left -= 1;
                return refuse("offset: Your pagination token has expired.");
            }
            Some(cursor) => match pages::parse_cursor(list, cursor) {
                Some(start) => start,
                None => return refuse("offset: Your pagination token is invalid."),
            },
        };
        Ok(Page::new(start, limit, rows.len()))
    }

    /// The connection. It may change its state after a number of reads.
    fn connection(&mut self, world: &World) -> Answer {
        self.connection_reads += 1;
        if let Some((reads, status)) = &world.connection_becomes
            && self.connection_reads == reads + 1
        {
            self.status.clone_from(status);
            self.status_changes += 1;
        }
        Answer::json(&self.connection_body(world))
    }

    fn connection_body(&self, world: &World) -> Value {
        let mut body = connection(
            world,
            &self.connection,
            &world.tenant_id,
            &self.status,
            self.status_changes,
        );
        body["last_forbidden_error"].clone_from(&self.last_forbidden);
        body["last_error"] = last_error(world, &self.status);
        if !self.keeps_context {
            body["context"] = json!({});
        }
        body
    }

    /// The connection to the HR system, of the same tenant.
    fn hris_connection(&self, world: &World) -> Value {
        let status = &self.hris_status;
        let mut body = connection(world, HRIS_CONNECTION_ID, &world.tenant_id, status, 0);
        let name = world.hris.as_ref().map(|hris| hris.integration.as_str());
        body["integration"] = json!({"id": HRIS_INTEGRATION_ID, "name": name, "category": "hris"});
        body
    }

    fn connections(&self, world: &World, request: &RecordedRequest) -> Answer {
        let others = world
            .other_connections
            .iter()
            .map(|(id, tenant, status)| connection(world, id, tenant, status, 0));
        let is_asked_for = |body: &Value| {
            let fits = |name: &str, value: &Value| {
                request
                    .query(name)
                    .is_none_or(|asked| Some(asked) == value.as_str())
            };
            fits("tenant_id", &body["tenant_id"])
                && fits("integration.name", &body["integration"]["name"])
                && fits("status", &body["status"])
        };
        let hris = world.hris.as_ref().map(|_| self.hris_connection(world));
        let rows: Vec<_> = std::iter::once(self.connection_body(world))
            .chain(self.made_connection(world))
            .chain(hris)
            .chain(others)
            .filter(is_asked_for)
            .collect();
        Answer::json(&json!({result_key(world): rows, "next_cursor": null, "limit": 5000}))
    }

    fn capabilities(&self, world: &World) -> Answer {
        let unified = |resource: &str, methods: &[&str]| {
            json!({
                "model": "user-directory", "model_label": "User Directory", "resource": resource,
                "methods": methods, "env_overridden": false, "docs_url": null,
            })
        };
        Answer::json(&json!({
            "integration": {"id": INTEGRATION_ID, "name": "asana", "label": "Asana", "category": "ticketing"},
            "environment_id": ENVIRONMENT_ID,
            "proxy": [],
            "unified": [
                unified("users", &["get", "list"]),
                unified("organizations", &["list"]),
                unified("me", &["list"]),
            ],
            "auth": {"formats": ["oauth2", "api_key"], "fields": []},
            "account": {
                "id": self.connection,
                "status": self.status,
                "authentication_method": world.authentication_method,
                "is_blocked": world.blocked,
            },
        }))
    }
}

const INTEGRATION_ID: &str = "91dcffb7-d9db-4c70-9ac8-91c71578f9a0";
const HRIS_INTEGRATION_ID: &str = "4c2e7f18-95ab-4d06-b3f1-0a8d6e5c7b29";
const ENVIRONMENT_ID: &str = "0b6f3d0e-6f2f-4f0a-8d39-1f6f7a2c9e55";

/// A connection as `GET /integrated-account/{id}` returns it.
fn connection(world: &World, id: &str, tenant: &str, status: &str, changes: u32) -> Value {
    json!({
        "id": id,
        "tenant_id": tenant,
        "environment_id": ENVIRONMENT_ID,
        "environment_integration_id": "c5a3a1de-6f0d-4c1e-8f0b-9b8f53d2e7f4",
        "status": status,
        "is_sandbox": world.is_sandbox,
        "authentication_method": world.authentication_method,
        "region": world.region,
        "context": {"oauth": {"scope": world.scopes}},
        "object_store_context_fields": [],
        "last_error": null,
        "last_action_run_result": {},
        "last_forbidden_error": null,
        "unified_model_override": {},
        "integration": {"id": INTEGRATION_ID, "name": "asana", "category": "ticketing"},
        "created_at": "2026-09-01 10:00:00",
        "updated_at": format!("2026-09-01 10:{:02}:00", 5 + changes.min(54)),
    })
}

/// The error of a connection in this state.
fn last_error(world: &World, status: &str) -> Value {
    match status {
        "active" | "connecting" => Value::Null,
        "needs_reauth" => json!("Not Authorized"),
        _ => json!(world.admin.last_error),
    }
}

fn api_tokens(world: &World) -> Answer {
    let token = json!({
        "id": "7d9b1a34-5a0c-4a86-8f3d-0f4ad1b5c9e2",
        "name": "asana-access-review",
        "environment_id": ENVIRONMENT_ID,
        "expires_at": world.token_expires_at.map(|at| at.to_string()),
        "created_at": "2026-09-01T10:00:00.000Z",
        "updated_at": "2026-09-01T10:00:00.000Z",
    });
    Answer::json(&json!({result_key(world): [token], "next_cursor": null, "limit": 5000}))
}

/// Truto's mapping of Asana's users.
fn mapping(world: &World) -> Answer {
    Answer::json(&json!({
        "resource": "users",
        "method": "list",
        "response_mapping": world.response_mapping,
        "query_schema": {
            "organization_id": {"type": "string", "required": false},
            "limit": {"type": "integer"},
            "next_cursor": {"type": "string"},
        },
        "default_query": {"opt_fields": "name,email"},
        "schema": {"type": "object", "properties": {"id": {"type": "string"}}},
    }))
}

fn no_such_route(request: &RecordedRequest) -> Answer {
    let message = format!("Route {}:{} not found", request.method, request.path);
    Answer::truto_error(404, &message)
}

fn too_many_requests(limiter: Limiter, retry_after: u32) -> Answer {
    match limiter {
        Limiter::Truto => Answer::too_many_requests(retry_after),
        Limiter::Asana => Answer::remote_too_many_requests(retry_after),
    }
}

fn unknown_workspace(world: &World, gid: Option<&str>) -> Option<Answer> {
    let gid = gid.filter(|gid| world.workspace_name(gid).is_none())?;
    let message = format!("workspace: Unknown object: {gid}");
    Some(Answer::remote_error(404, &message))
}

fn result_key(world: &World) -> &'static str {
    match world.envelope {
        Envelope::Result | Envelope::Keyed => "result",
        Envelope::Results => "results",
    }
}

/// `{"result":[`, with capacity for a page.
fn envelope_start(world: &World, open: char) -> Vec<u8> {
    let mut body = Vec::with_capacity(64 * 1024);
    body.extend_from_slice(format!("{{\"{}\":{open}", result_key(world)).as_bytes());
    body
}

/// `,"next_cursor":…`, or nothing.
fn next_cursor(world: &World, next: Option<&str>) -> String {
    match (next, world.last_cursor) {
        (Some(next), _) => format!(",\"next_cursor\":{}", json!(next)),
        (None, LastCursor::Null) => ",\"next_cursor\":null".to_owned(),
        (None, LastCursor::Empty) => ",\"next_cursor\":\"\"".to_owned(),
        (None, LastCursor::Missing) => String::new(),
    }
}
