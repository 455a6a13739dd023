//! Makes a connection: the existing connections, a link for an admin, and the wait until the connection works or fails.
//!
//! It writes nothing, here or in Asana. Truto reports connections and their states, but neither links nor who opened
//! one.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use tracing::{info, warn};

use crate::cli::exit::Exit;
use crate::clock::Clock;
use crate::model::Workspace;
use crate::net::{Deadline, ErrorKind};
use crate::source::{FULL_PERMISSIONS, SourceError, visible_workspaces};
use crate::truto::{ApiSettings, Client, LinkFor, Links, Seen, TrutoError};

/// A connection younger than this may be one that someone else is making now.
const JUST_NOW: Duration = Duration::from_secs(10 * 60);

/// The last look may take this long, even if less time is left.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// Organizations asked for per page.
const PAGE_SIZE: u32 = 100;

/// Shorter would show a person nothing new, and Truto's limit (500 in 10 s) is far.
const POLL_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    New {
        /// The customer's own name for the tenant.
        tenant_id: String,
    },
    /// An existing one; its id and context stay.
    Again { connection_id: String },
}

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
    Truto(TrutoError),
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
                let id = &seen.id;
                return Some(format!(
                    "whoever connects must be an Asana admin or the workspace's owner; where the \
                     organization restricts third-party apps, a super admin must allow Truto's \
                     first; then make it again, the id stays: connect --reconnect {id}"
                ));
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
pub(super) struct Connecting {
    links: Links,
    clock: Clock,
    truto: ApiSettings,
    wanted: Wanted,
    before: Before,
}

#[derive(Clone, Debug)]
pub(super) struct Before {
    /// The tenant's connections to Asana, or the one that is to be made again.
    pub(super) connections: Vec<Seen>,
    /// The moment, by Truto's clock.
    pub(super) at: Option<Timestamp>,
}

impl Before {
    /// Connections that say that somebody may be connecting just now.
    pub(super) fn just_now(&self) -> Vec<&Seen> {
        let is_young = |seen: &Seen| {
            let age = Some(self.at?.duration_since(seen.created_at?));
            age.map(|age| age <= jiff::SignedDuration::try_from(JUST_NOW).unwrap_or_default())
        };
        let of = |seen: &&Seen| {
            seen.status.as_deref() == Some("connecting") || is_young(seen) == Some(true)
        };
        self.connections.iter().filter(of).collect()
    }
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

impl Connecting {
    /// Reads the existing connections.
    ///
    /// # Errors
    /// If Truto refuses, or the connection to renew does not exist.
    pub(super) async fn begin(
        truto: ApiSettings,
        wanted: Wanted,
        clock: &Clock,
    ) -> Result<Self, ConnectError> {
        // Each request ends by its own bounds; the waiting ends by `timeout`.
        let unbounded = Deadline::after(Duration::MAX);
        let links = Links::new(&truto, clock, unbounded).map_err(ConnectError::Truto)?;
        let before = match &wanted {
            Wanted::New { tenant_id } => {
                let known = links.connections(tenant_id).await;
                let known = known.map_err(ConnectError::Truto)?;
                Before {
                    connections: known.connections,
                    at: known.at,
                }
            }
            Wanted::Again { connection_id } => Before {
                connections: vec![asanas_own(&links, connection_id).await?],
                at: None,
            },
        };
        Ok(Self {
            links,
            clock: *clock,
            truto,
            wanted,
            before,
        })
    }

    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(super) fn before(&self) -> &Before {
        &self.before
    }

    pub(super) async fn link(&self) -> Result<Url, ConnectError> {
        let wanted = match &self.wanted {
            Wanted::New { tenant_id } => LinkFor::Tenant(tenant_id),
            Wanted::Again { connection_id } => LinkFor::Connection(connection_id),
        };
        self.links.link(wanted).await.map_err(ConnectError::Truto)
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
            tell_waiting(watch.last.as_ref(), after.saturating_sub(left), after);
            tokio::time::sleep(POLL_EVERY.min(left)).await;
            let look = tokio::time::timeout(left.max(LAST_LOOK), self.look());
            let seen = match look.await {
                Ok(Ok(seen)) => seen,
                // A transient error of Truto does not end the wait.
                Ok(Err(error)) if error.kind() == ErrorKind::Transient => {
                    warn!("Looking again: {error}");
                    continue;
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => continue,
            };
            match watch.step(&self.before, &self.wanted, seen) {
                Step::Wait => {}
                Step::Works { connection, others } => {
                    return self.connected(connection, others).await;
                }
                Step::Fails(seen) => return Err(ConnectError::Failed(Box::new(seen))),
            }
        }
    }

    async fn look(&self) -> Result<Vec<Seen>, ConnectError> {
        match &self.wanted {
            Wanted::New { tenant_id } => {
                let known = self.links.connections(tenant_id).await;
                Ok(known.map_err(ConnectError::Truto)?.connections)
            }
            Wanted::Again { connection_id } => {
                Ok(vec![asanas_own(&self.links, connection_id).await?])
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
        let client = Client::new(&settings, &self.clock, unbounded).map_err(ConnectError::Truto)?;
        let workspaces = visible_workspaces(&client).await;
        let was_active = self
            .before
            .connections
            .iter()
            .any(|before| before.id == connection.id && is_active(before));
        Ok(Connected {
            connection,
            was_active,
            others,
            workspaces,
        })
    }
}

/// The connection of this id, which must be Asana's.
async fn asanas_own(links: &Links, id: &str) -> Result<Seen, ConnectError> {
    let seen = match links.connection(id).await {
        Ok(seen) => seen,
        Err(TrutoError::ConnectionUnknown { id, .. }) => return Err(ConnectError::Unknown { id }),
        Err(error) => return Err(ConnectError::Truto(error)),
    };
    match &seen.integration {
        Some(name) if !name.trim().eq_ignore_ascii_case("asana") => {
            Err(ConnectError::WrongIntegration {
                id: seen.id,
                integration: name.clone(),
            })
        }
        _ => Ok(seen),
    }
}

/// How far it is, for whoever looks on.
fn tell_waiting(seen: Option<&Seen>, waited: Duration, of: Duration) {
    let (waited_s, of_s) = (waited.as_secs(), of.as_secs());
    match seen {
        None => info!(
            target: "progress",
            waited_s,
            "Waiting for somebody to connect Asana: {waited_s} s of {of_s} s"
        ),
        Some(seen) => info!(
            target: "progress",
            waited_s,
            "The connection {} is `{}`: {waited_s} s of {of_s} s",
            seen.id,
            status_of(seen)
        ),
    }
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
    fn step(&mut self, before: &Before, wanted: &Wanted, seen: Vec<Seen>) -> Step {
        let mut touched: Vec<Seen> = match wanted {
            Wanted::New { .. } => {
                let is_known = |seen: &Seen| before.connections.iter().any(|b| b.id == seen.id);
                seen.into_iter().filter(|seen| !is_known(seen)).collect()
            }
            // Before the admin has come, a connection is as it was.
            Wanted::Again { .. } => {
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
            let others = touched;
            return Step::Works { connection, others };
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
            info!(
                connection = seen.id,
                status = status_of(&seen),
                "The connection is `{}`",
                status_of(&seen)
            );
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

    fn before(connections: &[Seen]) -> Before {
        Before {
            connections: connections.to_vec(),
            at: "2026-09-01T10:30:00Z".parse().ok(),
        }
    }

    fn new() -> Wanted {
        Wanted::New {
            tenant_id: "acme".to_owned(),
        }
    }

    fn again() -> Wanted {
        Wanted::Again {
            connection_id: "a".to_owned(),
        }
    }

    /// The last step of a row of looks.
    fn after(before: &Before, wanted: &Wanted, looks: Vec<Vec<Seen>>) -> Step {
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
        assert_eq!(after(&known, &new(), looks), works(active));
    }

    #[test]
    fn a_new_connection_that_fails_ends_the_wait_unless_another_works() {
        let nothing = before(&[]);
        let failed = seen("b", "validation_error", "1");
        assert_eq!(
            after(&nothing, &new(), vec![vec![failed.clone()]]),
            Step::Fails(failed.clone())
        );
        let (works, connecting) = (seen("c", "active", "1"), seen("c", "connecting", "1"));
        assert_eq!(
            after(&nothing, &new(), vec![vec![failed.clone(), connecting]]),
            Step::Wait
        );
        assert_eq!(
            after(&nothing, &new(), vec![vec![failed.clone(), works.clone()]]),
            Step::Works {
                connection: works,
                others: vec![failed],
            }
        );
    }

    #[test]
    fn a_status_nobody_knows_is_waited_on() {
        let paused = seen("b", "paused", "1");
        assert_eq!(after(&before(&[]), &new(), vec![vec![paused]]), Step::Wait);
    }

    #[test]
    fn a_connection_made_again_counts_once_it_has_changed() {
        let dead = seen("a", "needs_reauth", "1");
        let known = before(std::slice::from_ref(&dead));
        let active = seen("a", "active", "2");
        assert_eq!(
            after(&known, &again(), vec![vec![dead.clone()]]),
            Step::Wait
        );
        // A nightly run meets the dead login meanwhile, and Truto marks it again.
        let marked = seen("a", "needs_reauth", "2");
        assert_eq!(after(&known, &again(), vec![vec![marked]]), Step::Wait);
        assert_eq!(
            after(&known, &again(), vec![vec![dead], vec![active.clone()]]),
            works(active)
        );

        let was_active = seen("a", "active", "1");
        let known = before(std::slice::from_ref(&was_active));
        assert_eq!(
            after(&known, &again(), vec![vec![was_active.clone()]]),
            Step::Wait
        );
        let renewed = seen("a", "active", "2");
        assert_eq!(
            after(
                &known,
                &again(),
                vec![vec![was_active.clone()], vec![renewed.clone()]]
            ),
            works(renewed)
        );
        // Where Truto tells no dates, the states on the way tell.
        let connecting = seen("a", "connecting", "1");
        assert_eq!(
            after(
                &known,
                &again(),
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
            after(&known, &again(), vec![vec![failed.clone()]]),
            Step::Wait
        );
        let connecting = seen("a", "connecting", "2");
        assert_eq!(
            after(
                &known,
                &again(),
                vec![vec![connecting], vec![failed.clone()]]
            ),
            Step::Fails(failed)
        );
        let refused = seen("a", "validation_error", "2");
        assert_eq!(
            after(&known, &again(), vec![vec![refused.clone()]]),
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
        let ids: Vec<_> = before(&[young, connecting, undated, old])
            .just_now()
            .iter()
            .map(|seen| seen.id.clone())
            .collect();
        assert_eq!(ids, ["a", "b"]);
    }
}
