//! Makes a connection: the existing connections, a link for an admin, and the wait until the connection works or fails.
//!
//! It writes nothing, here or in Asana. Truto reports connections and their states, but neither links nor who opened
//! one.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;
use tracing::{info, warn};

use crate::cli::exit::Exit;
use crate::clock::Clock;
use crate::config::ConnectSettings;
use crate::model::{Permissions, Workspace, quoted};
use crate::net::{Deadline, ErrorKind};
use crate::source::{FULL_PERMISSIONS, SCOPES, SourceError, visible_workspaces};
use crate::truto::{
    ApiSettings, Client, ConnectionState, LinkFor, Links, TenantConnections, TrutoError,
    shown_status,
};

/// A connection younger than this may be one that someone else is making now.
const JUST_NOW: Duration = Duration::from_secs(10 * 60);

/// The last request may take this long, even if less time is left.
const LAST_REQUEST: Duration = Duration::from_secs(5);

/// Organizations per page.
const PAGE_SIZE: u32 = 100;

/// The error of OAuth for scopes that the app may not ask for, or not together.
const FORBIDDEN_SCOPES: &str = "forbidden_scopes";

/// A person notices no shorter delay, and this is far below Truto's limit of 500 requests in 10 s.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The connection to renew is not for Asana.
    #[error("the connection `{id}` is for {}, not for Asana", quoted(integration))]
    WrongIntegration { id: String, integration: String },
    #[error("Truto knows no connection `{id}` for this token")]
    Unknown { id: String },
    #[error("the connection `{}` was made but does not work: its status is {}{}", .0.id, status_of(.0), .0.last_error)]
    Failed(Box<ConnectionState>),
    #[error("{} within {} s", not_connected(.seen.as_deref()), .after.as_secs())]
    TimedOut {
        /// The connection as last seen, if there is one.
        seen: Option<Box<ConnectionState>>,
        after: Duration,
    },
    #[error(transparent)]
    Truto(#[from] TrutoError),
}

impl ConnectError {
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongIntegration { .. } | Self::Unknown { .. } | Self::Failed(_) => {
                ErrorKind::Refused
            }
            Self::TimedOut { .. } => ErrorKind::Transient,
            Self::Truto(truto) => truto.kind(),
        }
    }

    /// What the operator can do.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::WrongIntegration { .. } => "give --reconnect the id of a connection to Asana",
            Self::Unknown { .. } => {
                "check the id after --reconnect, and that TRUTO_API_TOKEN belongs to the same environment"
            }
            Self::Failed(seen) if seen.last_error.names(FORBIDDEN_SCOPES) => {
                return Some(format!(
                    "Asana does not allow its app these scopes: in Truto, set full permissions (the scope default, alone) \
                     for Asana, or narrow scopes without default and ASANA_PERMISSIONS=narrow; then renew it, the id \
                     stays: asana-access-review connect --reconnect {}",
                    seen.id
                ));
            }
            Self::Failed(seen) => {
                let why = "an Asana admin or the workspace's owner must connect; if the organization \
                           restricts third-party apps, a super admin must first allow Truto's; then \
                           renew it, the id stays: asana-access-review connect --reconnect";
                return Some(format!("{why} {}", seen.id));
            }
            Self::TimedOut { seen: None, .. } => {
                "the link works once, within seven days; after its use, `connect` with the same \
                 --tenant-id names the connection"
            }
            Self::TimedOut { .. } => {
                "the link works once, within seven days; see the connection's log in Truto's dashboard"
            }
            Self::Truto(TrutoError::Refused { .. }) => {
                "allow the API token to make links, and install Asana in its environment of Truto"
            }
            Self::Truto(truto) => return truto.hint(),
        };
        Some(hint.to_owned())
    }

    pub(super) fn connection_id(&self) -> Option<&str> {
        match self {
            Self::WrongIntegration { id, .. } | Self::Unknown { id } => Some(id),
            Self::Failed(seen) => Some(&seen.id),
            Self::TimedOut { seen, .. } => seen.as_ref().map(|seen| seen.id.as_str()),
            Self::Truto(_) => None,
        }
    }
}

pub(super) fn status_of(seen: &ConnectionState) -> String {
    shown_status(seen.status.as_deref())
}

fn not_connected(seen: Option<&ConnectionState>) -> String {
    match seen {
        None => "Asana was not connected".to_owned(),
        Some(seen) => {
            let (id, status) = (&seen.id, status_of(seen));
            format!("the connection `{id}` (status {status}) did not become active")
        }
    }
}

/// A connection that is being made.
#[derive(Debug)]
pub(super) struct Connecting<'a> {
    links: Links,
    clock: Clock,
    truto: ApiSettings,
    pub(super) permissions: Permissions,
    pub(super) wanted: LinkFor<'a>,
    /// The connections before the link.
    pub(super) before: TenantConnections,
}

/// Connections that another person may be making now.
pub(super) fn just_now(before: &TenantConnections) -> Vec<&ConnectionState> {
    let just_now = SignedDuration::try_from(JUST_NOW).unwrap_or_default();
    let is_young =
        |seen: &ConnectionState| Some(before.at?.duration_since(seen.created_at?) <= just_now);
    let is_connecting = |seen: &ConnectionState| seen.status.as_deref() == Some("connecting");
    let of = |seen: &&ConnectionState| is_connecting(seen) || is_young(seen) == Some(true);
    before.connections.iter().filter(of).collect()
}

#[derive(Debug)]
pub(super) struct Connected {
    pub(super) permissions: Permissions,
    pub(super) connection: ConnectionState,
    /// It worked before too, so only its change in Truto shows the new login.
    pub(super) was_active: bool,
    /// Other connections that were made during the wait.
    pub(super) others: Vec<ConnectionState>,
    pub(super) workspaces: Result<Vec<Workspace>, SourceError>,
}

impl Connected {
    /// A connection that sees no workspace is not usable.
    pub(super) fn exit(&self) -> Exit {
        match &self.workspaces {
            Ok(_) => Exit::Pass,
            Err(error) => error.kind().into(),
        }
    }

    /// Whether the granted scopes are the full permissions; none if Truto does not name the scopes.
    pub(super) fn has_full_permissions(&self) -> Option<bool> {
        let scopes = &self.connection.scopes;
        (!scopes.is_empty()).then(|| scopes.iter().any(|scope| scope == FULL_PERMISSIONS))
    }
}

impl<'a> Connecting<'a> {
    /// Reads the existing connections.
    ///
    /// # Errors
    /// If Truto refuses, or the connection to renew does not exist.
    pub(super) async fn begin(
        settings: ConnectSettings,
        wanted: LinkFor<'a>,
        clock: &Clock,
    ) -> Result<Self, ConnectError> {
        // Each request has its own bounds; `timeout` bounds the wait.
        let ConnectSettings { truto, permissions } = settings;
        let unbounded = Deadline::after(Duration::MAX);
        let links = Links::new(&truto, clock, unbounded)?;
        Ok(Self {
            permissions,
            before: look(&links, wanted).await?,
            links,
            clock: *clock,
            truto,
            wanted,
        })
    }

    /// The scopes to ask for; none: those that are set for Asana in Truto.
    ///
    /// Asana refuses `default` beside any other scope, and Truto may add scopes of its own to narrow ones. A renewal
    /// with full permissions asks for them alone, so that earlier scopes are not asked for once more.
    fn scopes(&self) -> Option<Vec<&'static str>> {
        match (self.wanted, self.permissions) {
            (LinkFor::Connection(_), Permissions::Full) => Some(vec![FULL_PERMISSIONS]),
            (LinkFor::Connection(_), Permissions::Narrow)
            | (LinkFor::Tenant(_), Permissions::Full) => None,
            (LinkFor::Tenant(_), Permissions::Narrow) => {
                let scopes = SCOPES.iter().map(|(scope, _)| *scope);
                Some(scopes.filter(|scope| *scope != FULL_PERMISSIONS).collect())
            }
        }
    }

    pub(super) async fn link(&self) -> Result<Url, ConnectError> {
        Ok(self.links.link(self.wanted, self.scopes()).await?)
    }

    /// Waits until the connection works.
    ///
    /// # Errors
    /// If it fails, or the time is over.
    pub(super) async fn wait(&self, after: Duration) -> Result<Connected, ConnectError> {
        let deadline = Deadline::after(after);
        let mut watch = Watch::default();
        loop {
            let left = deadline.remaining();
            if left.is_zero() {
                let seen = watch.last.map(Box::new);
                return Err(ConnectError::TimedOut { seen, after });
            }
            report_waiting(watch.last.as_ref(), after.saturating_sub(left), after);
            tokio::time::sleep(POLL_EVERY.min(left)).await;
            let look = look(&self.links, self.wanted);
            let look = tokio::time::timeout(left.max(LAST_REQUEST), look);
            let seen = match look.await {
                Ok(Ok(seen)) => seen.connections,
                // A transient error of Truto does not end the wait.
                Ok(Err(error)) if error.kind() == ErrorKind::Transient => {
                    warn!("{error}; reading the connection once more");
                    continue;
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => continue,
            };
            match watch.step(&self.before, self.wanted, seen) {
                Step::Wait => {}
                Step::Works { connection, others } => {
                    return self.connected(connection, others).await;
                }
                Step::Fails(seen) => return Err(ConnectError::Failed(Box::new(seen))),
            }
        }
    }

    async fn connected(
        &self,
        connection: ConnectionState,
        others: Vec<ConnectionState>,
    ) -> Result<Connected, ConnectError> {
        let settings = self.truto.to(&connection.id, PAGE_SIZE);
        let unbounded = Deadline::after(Duration::MAX);
        let client = Client::new(&settings, &self.clock, unbounded)?;
        let is_active = |of: &ConnectionState| of.id == connection.id && is_active(of);
        Ok(Connected {
            permissions: self.permissions,
            was_active: self.before.connections.iter().any(is_active),
            connection,
            others,
            workspaces: visible_workspaces(&client).await,
        })
    }
}

/// The tenant's connections to Asana, or the one to renew.
async fn look(links: &Links, wanted: LinkFor<'_>) -> Result<TenantConnections, ConnectError> {
    let id = match wanted {
        LinkFor::Tenant(tenant_id) => return Ok(links.connections(tenant_id).await?),
        LinkFor::Connection(id) => id,
    };
    let seen = links.connection(id).await.map_err(|error| match error {
        TrutoError::ConnectionUnknown { id, .. } => ConnectError::Unknown { id },
        error => ConnectError::Truto(error),
    })?;
    match seen.integration {
        Some(integration) if !integration.trim().eq_ignore_ascii_case("asana") => {
            let id = seen.id;
            Err(ConnectError::WrongIntegration { id, integration })
        }
        _ => Ok(TenantConnections {
            connections: vec![seen],
            at: None,
        }),
    }
}

/// Shows the duration of the wait to a person at the terminal.
fn report_waiting(seen: Option<&ConnectionState>, waited: Duration, of: Duration) {
    let (waited_s, of_s) = (waited.as_secs(), of.as_secs());
    let what = match seen {
        None => "Waiting for Asana to be connected".to_owned(),
        Some(seen) => format!("The connection {} is {}", seen.id, status_of(seen)),
    };
    info!(target: "progress", waited_s, "{what}: {waited_s} s of {of_s} s");
}

fn is_active(seen: &ConnectionState) -> bool {
    seen.status.as_deref() == Some("active")
}

/// Whether Truto could not make the connection.
fn has_failed(seen: &ConnectionState) -> bool {
    matches!(
        seen.status.as_deref(),
        Some("post_install_error" | "validation_error" | "needs_reauth")
    )
}

#[derive(Debug, Default)]
struct Watch {
    /// The last state of the new or renewed connection.
    last: Option<ConnectionState>,
}

/// The step after reading the connections.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Wait,
    Works {
        connection: ConnectionState,
        others: Vec<ConnectionState>,
    },
    Fails(ConnectionState),
}

impl Watch {
    fn step(
        &mut self,
        before: &TenantConnections,
        wanted: LinkFor<'_>,
        seen: Vec<ConnectionState>,
    ) -> Step {
        let mut touched: Vec<ConnectionState> = match wanted {
            LinkFor::Tenant(_) => {
                let is_known =
                    |seen: &ConnectionState| before.connections.iter().any(|b| b.id == seen.id);
                seen.into_iter().filter(|seen| !is_known(seen)).collect()
            }
            // An unchanged connection means that the admin has not used the link yet.
            LinkFor::Connection(_) => {
                let is_as_before = |seen: &ConnectionState| {
                    let same = |b: &ConnectionState| {
                        b.status == seen.status && b.updated_at == seen.updated_at
                    };
                    before.connections.iter().any(same)
                };
                let began = self.last.is_some();
                let of = |seen: &ConnectionState| began || !is_as_before(seen);
                seen.into_iter().filter(of).collect()
            }
        };
        if let Some(place) = touched.iter().position(is_active) {
            let connection = touched.remove(place);
            return Step::Works {
                connection,
                others: touched,
            };
        }
        // Every request through a dead login updates its status, so this change is not the admin's.
        let was_dead = |seen: &ConnectionState| {
            let needs_reauth =
                |seen: &ConnectionState| seen.status.as_deref() == Some("needs_reauth");
            needs_reauth(seen) && before.connections.iter().any(needs_reauth) && self.last.is_none()
        };
        touched.retain(|seen| !was_dead(seen));
        let Some(first) = touched.iter().position(|seen| !has_failed(seen)) else {
            return match touched.pop() {
                Some(failed) => Step::Fails(failed),
                None => Step::Wait,
            };
        };
        let seen = touched.swap_remove(first);
        if self.last.as_ref().map(|last| &last.status) != Some(&seen.status) {
            let status = status_of(&seen);
            info!(connection = seen.id, status, "The connection is {status}");
        }
        self.last = Some(seen);
        Step::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: &str, status: &str, updated_at: &str) -> ConnectionState {
        ConnectionState {
            id: id.to_owned(),
            status: Some(status.to_owned()),
            integration: Some("asana".to_owned()),
            last_error: Default::default(),
            scopes: Vec::new(),
            created_at: "2026-09-01T10:00:00Z".parse().ok(),
            updated_at: Some(updated_at.to_owned()),
        }
    }

    fn before(connections: &[ConnectionState]) -> TenantConnections {
        TenantConnections {
            connections: connections.to_vec(),
            at: "2026-09-01T10:30:00Z".parse().ok(),
        }
    }

    fn new() -> LinkFor<'static> {
        LinkFor::Tenant("acme")
    }

    fn renewal() -> LinkFor<'static> {
        LinkFor::Connection("a")
    }

    /// The last of a series of steps.
    fn after(
        before: &TenantConnections,
        wanted: LinkFor<'_>,
        looks: Vec<Vec<ConnectionState>>,
    ) -> Step {
        let mut watch = Watch::default();
        let mut last = Step::Wait;
        for look in looks {
            assert_eq!(last, Step::Wait, "the wait ended too early");
            last = watch.step(before, wanted, look);
        }
        last
    }

    fn works(connection: ConnectionState) -> Step {
        let others = Vec::new();
        Step::Works { connection, others }
    }

    #[test]
    fn a_connection_that_was_there_before_is_not_the_new_one() {
        let old = seen("a", "active", "1");
        let known = before(std::slice::from_ref(&old));
        let (connecting, active) = (seen("b", "connecting", "1"), seen("b", "active", "2"));
        let looks = vec![
            vec![old.clone()],
            vec![old.clone(), connecting],
            vec![old, active.clone()],
        ];
        assert_eq!(after(&known, new(), looks), works(active));
    }

    #[test]
    fn a_new_connection_that_fails_ends_the_wait_unless_another_works() {
        let nothing = before(&[]);
        let failed = seen("b", "validation_error", "1");
        assert_eq!(
            after(&nothing, new(), vec![vec![failed.clone()]]),
            Step::Fails(failed.clone())
        );
        let (works, connecting) = (seen("c", "active", "1"), seen("c", "connecting", "1"));
        assert_eq!(
            after(&nothing, new(), vec![vec![failed.clone(), connecting]]),
            Step::Wait
        );
        assert_eq!(
            after(&nothing, new(), vec![vec![failed.clone(), works.clone()]]),
            Step::Works {
                connection: works,
                others: vec![failed],
            }
        );
    }

    #[test]
    fn an_unknown_status_continues_the_wait() {
        let paused = seen("b", "paused", "1");
        assert_eq!(after(&before(&[]), new(), vec![vec![paused]]), Step::Wait);
    }

    #[test]
    fn a_renewed_connection_counts_once_it_has_changed() {
        let dead = seen("a", "needs_reauth", "1");
        let known = before(std::slice::from_ref(&dead));
        let active = seen("a", "active", "2");
        assert_eq!(
            after(&known, renewal(), vec![vec![dead.clone()]]),
            Step::Wait
        );
        // Meanwhile, a run uses the dead login, and Truto updates the status.
        let marked = seen("a", "needs_reauth", "2");
        assert_eq!(after(&known, renewal(), vec![vec![marked]]), Step::Wait);
        assert_eq!(
            after(&known, renewal(), vec![vec![dead], vec![active.clone()]]),
            works(active)
        );

        let was_active = seen("a", "active", "1");
        let known = before(std::slice::from_ref(&was_active));
        assert_eq!(
            after(&known, renewal(), vec![vec![was_active.clone()]]),
            Step::Wait
        );
        let renewed = seen("a", "active", "2");
        assert_eq!(
            after(
                &known,
                renewal(),
                vec![vec![was_active.clone()], vec![renewed.clone()]]
            ),
            works(renewed)
        );
        // Without dates from Truto, the states in between show the change.
        let connecting = seen("a", "connecting", "1");
        assert_eq!(
            after(
                &known,
                renewal(),
                vec![vec![connecting], vec![was_active.clone()]]
            ),
            works(was_active)
        );
    }

    #[test]
    fn a_second_failure_counts_only_after_an_attempt() {
        let failed = seen("a", "validation_error", "1");
        let known = before(std::slice::from_ref(&failed));
        assert_eq!(
            after(&known, renewal(), vec![vec![failed.clone()]]),
            Step::Wait
        );
        let connecting = seen("a", "connecting", "2");
        assert_eq!(
            after(
                &known,
                renewal(),
                vec![vec![connecting], vec![failed.clone()]]
            ),
            Step::Fails(failed)
        );
        let refused = seen("a", "validation_error", "2");
        assert_eq!(
            after(&known, renewal(), vec![vec![refused.clone()]]),
            Step::Fails(refused)
        );
    }

    #[test]
    fn a_connection_is_new_if_it_is_young_or_connecting() {
        let mut young = seen("a", "active", "1");
        young.created_at = "2026-09-01T10:20:00Z".parse().ok();
        let connecting = seen("b", "connecting", "1");
        let mut undated = seen("c", "active", "1");
        undated.created_at = None;
        let old = seen("d", "active", "1");
        let ids: Vec<_> = just_now(&before(&[young, connecting, undated, old]))
            .iter()
            .map(|seen| seen.id.clone())
            .collect();
        assert_eq!(ids, ["a", "b"]);
    }
}
