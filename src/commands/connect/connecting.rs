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
use crate::model::Workspace;
use crate::net::{Deadline, ErrorKind};
use crate::source::{FULL_PERMISSIONS, SourceError, visible_workspaces};
use crate::truto::{ApiSettings, Client, Known, LinkFor, Links, Seen, TrutoError};

/// A connection younger than this may be one that someone else is making now.
const JUST_NOW: Duration = Duration::from_secs(10 * 60);

/// The last look may take this long, even if less time is left.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// Organizations asked for per page.
const PAGE_SIZE: u32 = 100;

/// Shorter would show a person nothing new, and Truto's limit (500 in 10 s) is far.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The connection to renew is not for Asana.
    #[error("the connection `{id}` is for `{integration}`, not for Asana")]
    WrongIntegration { id: String, integration: String },
    #[error("Truto knows no connection `{id}` for this token")]
    Unknown { id: String },
    #[error("the connection `{}` was made and does not work: its status is `{}`{}", .0.id, status_of(.0), .0.said)]
    Failed(Box<Seen>),
    #[error("{} within {} s", nobody(.seen.as_deref()), .after.as_secs())]
    TimedOut {
        /// The connection as last seen, if there is one.
        seen: Option<Box<Seen>>,
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
            Self::WrongIntegration { .. } => "name a connection of Asana's after --reconnect",
            Self::Unknown { .. } => {
                "check the id after --reconnect, and that TRUTO_API_TOKEN is of the same environment"
            }
            Self::Failed(seen) => {
                let why = "whoever connects must be an Asana admin or the workspace's owner; where the \
                           organization restricts third-party apps, a super admin must allow Truto's \
                           first; then make it again, the id stays: connect --reconnect";
                return Some(format!("{why} {}", seen.id));
            }
            Self::TimedOut { seen: None, .. } => {
                "the link works for seven days, once; when it was used, `connect` with the same \
                 --tenant-id names the connection before it asks"
            }
            Self::TimedOut { .. } => {
                "the link works for seven days, once; Truto's dashboard has the connection's log"
            }
            Self::Truto(TrutoError::Refused { .. }) => {
                "the API token must be allowed to make links, and Asana be installed in its environment of Truto"
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

fn status_of(seen: &Seen) -> &str {
    seen.status.as_deref().unwrap_or("not told")
}

fn nobody(seen: Option<&Seen>) -> String {
    match seen {
        None => "nobody connected Asana".to_owned(),
        Some(seen) => {
            let (id, status) = (&seen.id, status_of(seen));
            format!("the connection `{id}` (status `{status}`) did not become active")
        }
    }
}

/// A connection on its way.
#[derive(Debug)]
pub(super) struct Connecting<'a> {
    links: Links,
    clock: Clock,
    truto: ApiSettings,
    pub(super) wanted: LinkFor<'a>,
    /// What there was before.
    pub(super) before: Known,
}

/// Connections that say that somebody may be connecting just now.
pub(super) fn just_now(before: &Known) -> Vec<&Seen> {
    let just_now = SignedDuration::try_from(JUST_NOW).unwrap_or_default();
    let is_young = |seen: &Seen| Some(before.at?.duration_since(seen.created_at?) <= just_now);
    let is_connecting = |seen: &Seen| seen.status.as_deref() == Some("connecting");
    let of = |seen: &&Seen| is_connecting(seen) || is_young(seen) == Some(true);
    before.connections.iter().filter(of).collect()
}

#[derive(Debug)]
pub(super) struct Connected {
    pub(super) connection: Seen,
    /// It worked before too: only its change in Truto shows the new login.
    pub(super) was_active: bool,
    /// Other connections made meanwhile.
    pub(super) others: Vec<Seen>,
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

    /// Whether Truto reports scopes that are not the full permissions.
    pub(super) fn lacks_permissions(&self) -> bool {
        let scopes = &self.connection.scopes;
        !scopes.is_empty() && !scopes.iter().any(|scope| scope == FULL_PERMISSIONS)
    }
}

impl<'a> Connecting<'a> {
    /// Reads the existing connections.
    ///
    /// # Errors
    /// If Truto refuses, or the connection to renew does not exist.
    pub(super) async fn begin(
        truto: ApiSettings,
        wanted: LinkFor<'a>,
        clock: &Clock,
    ) -> Result<Self, ConnectError> {
        // Each request ends by its own bounds; the waiting ends by `timeout`.
        let unbounded = Deadline::after(Duration::MAX);
        let links = Links::new(&truto, clock, unbounded)?;
        Ok(Self {
            before: look(&links, wanted).await?,
            links,
            clock: *clock,
            truto,
            wanted,
        })
    }

    pub(super) async fn link(&self) -> Result<Url, ConnectError> {
        Ok(self.links.link(self.wanted).await?)
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
            let look = tokio::time::timeout(left.max(LAST_LOOK), look);
            let seen = match look.await {
                Ok(Ok(seen)) => seen.connections,
                // A transient error of Truto does not end the wait.
                Ok(Err(error)) if error.kind() == ErrorKind::Transient => {
                    warn!("Looking again: {error}");
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
        connection: Seen,
        others: Vec<Seen>,
    ) -> Result<Connected, ConnectError> {
        let settings = self.truto.to(&connection.id, PAGE_SIZE);
        let unbounded = Deadline::after(Duration::MAX);
        let client = Client::new(&settings, &self.clock, unbounded)?;
        let is_active = |of: &Seen| of.id == connection.id && is_active(of);
        Ok(Connected {
            was_active: self.before.connections.iter().any(is_active),
            connection,
            others,
            workspaces: visible_workspaces(&client).await,
        })
    }
}

/// The tenant's connections to Asana, or the one that is to be made again.
async fn look(links: &Links, wanted: LinkFor<'_>) -> Result<Known, ConnectError> {
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
        _ => Ok(Known {
            connections: vec![seen],
            at: None,
        }),
    }
}

/// Reports how long it has waited to a person at the terminal.
fn report_waiting(seen: Option<&Seen>, waited: Duration, of: Duration) {
    let (waited_s, of_s) = (waited.as_secs(), of.as_secs());
    let what = match seen {
        None => "Waiting for somebody to connect Asana".to_owned(),
        Some(seen) => format!("The connection {} is `{}`", seen.id, status_of(seen)),
    };
    info!(target: "progress", waited_s, "{what}: {waited_s} s of {of_s} s");
}

fn is_active(seen: &Seen) -> bool {
    seen.status.as_deref() == Some("active")
}

/// States in which Truto leaves a connection that could not be made.
fn has_failed(seen: &Seen) -> bool {
    matches!(
        seen.status.as_deref(),
        Some("post_install_error" | "validation_error" | "needs_reauth")
    )
}

/// What was seen while waiting.
#[derive(Debug, Default)]
struct Watch {
    /// The connection as last seen, once there is something to see of it.
    last: Option<Seen>,
}

/// What follows from a look.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Wait,
    Works { connection: Seen, others: Vec<Seen> },
    Fails(Seen),
}

impl Watch {
    fn step(&mut self, before: &Known, wanted: LinkFor<'_>, seen: Vec<Seen>) -> Step {
        let mut touched: Vec<Seen> = match wanted {
            LinkFor::Tenant(_) => {
                let is_known = |seen: &Seen| before.connections.iter().any(|b| b.id == seen.id);
                seen.into_iter().filter(|seen| !is_known(seen)).collect()
            }
            // Before the admin has come, a connection is as it was.
            LinkFor::Connection(_) => {
                let is_as_before = |seen: &Seen| {
                    let same =
                        |b: &Seen| b.status == seen.status && b.updated_at == seen.updated_at;
                    before.connections.iter().any(same)
                };
                let began = self.last.is_some();
                let of = |seen: &Seen| began || !is_as_before(seen);
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
        // A dead login is marked anew by every call that meets it: no word of the admin's.
        let was_dead = |seen: &Seen| {
            let needs_reauth = |seen: &Seen| seen.status.as_deref() == Some("needs_reauth");
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
            info!(connection = seen.id, status, "The connection is `{status}`");
        }
        self.last = Some(seen);
        Step::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: &str, status: &str, updated_at: &str) -> Seen {
        Seen {
            id: id.to_owned(),
            status: Some(status.to_owned()),
            integration: Some("asana".to_owned()),
            said: Default::default(),
            scopes: Vec::new(),
            created_at: "2026-09-01T10:00:00Z".parse().ok(),
            updated_at: Some(updated_at.to_owned()),
        }
    }

    fn before(connections: &[Seen]) -> Known {
        Known {
            connections: connections.to_vec(),
            at: "2026-09-01T10:30:00Z".parse().ok(),
        }
    }

    fn new() -> LinkFor<'static> {
        LinkFor::Tenant("acme")
    }

    fn again() -> LinkFor<'static> {
        LinkFor::Connection("a")
    }

    /// The last step of a row of looks.
    fn after(before: &Known, wanted: LinkFor<'_>, looks: Vec<Vec<Seen>>) -> Step {
        let mut watch = Watch::default();
        let mut last = Step::Wait;
        for look in looks {
            assert_eq!(last, Step::Wait, "it went on");
            last = watch.step(before, wanted, look);
        }
        last
    }

    fn works(connection: Seen) -> Step {
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
    fn a_status_nobody_knows_is_waited_on() {
        let paused = seen("b", "paused", "1");
        assert_eq!(after(&before(&[]), new(), vec![vec![paused]]), Step::Wait);
    }

    #[test]
    fn a_connection_made_again_counts_once_it_has_changed() {
        let dead = seen("a", "needs_reauth", "1");
        let known = before(std::slice::from_ref(&dead));
        let active = seen("a", "active", "2");
        assert_eq!(after(&known, again(), vec![vec![dead.clone()]]), Step::Wait);
        // A nightly run meets the dead login meanwhile, and Truto marks it again.
        let marked = seen("a", "needs_reauth", "2");
        assert_eq!(after(&known, again(), vec![vec![marked]]), Step::Wait);
        assert_eq!(
            after(&known, again(), vec![vec![dead], vec![active.clone()]]),
            works(active)
        );

        let was_active = seen("a", "active", "1");
        let known = before(std::slice::from_ref(&was_active));
        assert_eq!(
            after(&known, again(), vec![vec![was_active.clone()]]),
            Step::Wait
        );
        let renewed = seen("a", "active", "2");
        assert_eq!(
            after(
                &known,
                again(),
                vec![vec![was_active.clone()], vec![renewed.clone()]]
            ),
            works(renewed)
        );
        // Where Truto tells no dates, the states on the way tell.
        let connecting = seen("a", "connecting", "1");
        assert_eq!(
            after(
                &known,
                again(),
                vec![vec![connecting], vec![was_active.clone()]]
            ),
            works(was_active)
        );
    }

    #[test]
    fn a_connection_that_fails_again_is_reported_once_it_was_tried() {
        let failed = seen("a", "validation_error", "1");
        let known = before(std::slice::from_ref(&failed));
        assert_eq!(
            after(&known, again(), vec![vec![failed.clone()]]),
            Step::Wait
        );
        let connecting = seen("a", "connecting", "2");
        assert_eq!(
            after(
                &known,
                again(),
                vec![vec![connecting], vec![failed.clone()]]
            ),
            Step::Fails(failed)
        );
        let refused = seen("a", "validation_error", "2");
        assert_eq!(
            after(&known, again(), vec![vec![refused.clone()]]),
            Step::Fails(refused)
        );
    }

    #[test]
    fn only_what_is_young_by_trutos_clock_or_connecting_is_just_now() {
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
