//! The checks before reading: the connection works, the workspace is the right one, and the connected account is known.

use std::collections::BTreeMap;

use tracing::{info, warn};

use super::SourceError;
use super::accounts::account;
use crate::model::{Connection, RequestRecord, Viewer, Workspace};
use crate::truto::{Client, End, List, Organization, PageWalk, Row, User};

#[derive(Debug)]
pub struct Preflight {
    /// The connection.
    pub connection: Connection,
    /// The workspace to read.
    pub workspace: Workspace,
    /// The number of workspaces that the connection sees.
    pub workspaces_visible: u64,
    /// The connected account.
    pub viewer: Viewer,
    /// The requests, for the evidence.
    pub requests: Vec<RequestRecord>,
}

/// Requests the connection, its workspaces and its own user, in this order.
pub async fn preflight(client: &Client, wanted: Option<&str>) -> Result<Preflight, SourceError> {
    let connection = connection(client).await?;
    let organizations = directory_list(client, "organizations", "organizations");
    let (seen, pages, end) = workspaces(client, &organizations).await?;
    let workspaces_visible = seen.len() as u64;
    let workspace = choose(wanted, seen, end)?;
    let me = directory_list(client, List::ME, "me");
    let viewer = viewer(client, &me, &workspace).await?;
    info!(
        workspaces_visible,
        "The connection is active and sees workspace {}", workspace.id
    );
    Ok(Preflight {
        connection,
        workspace,
        workspaces_visible,
        viewer,
        requests: vec![
            client.connection_record(),
            organizations.record(client, pages),
            me.record(client, 1),
        ],
    })
}

fn directory_list(client: &Client, name: &'static str, resource: &str) -> List {
    List {
        name,
        path: ["unified", "user-directory", resource]
            .map(str::to_owned)
            .to_vec(),
        query: Vec::new(),
        limit: client.page_size(),
    }
}

/// The connection, which must be active and for Asana. An answer without an integration is tolerated, because the
/// workspaces show the difference.
async fn connection(client: &Client) -> Result<Connection, SourceError> {
    let account = client.active_connection().await?;
    let id = client.connection_id().to_owned();
    let is_asana = account.is_asana();
    match (account.integration, is_asana) {
        (Some(integration), Some(false)) => Err(SourceError::WrongIntegration { id, integration }),
        (integration, _) => Ok(Connection {
            id,
            status: account.status.unwrap_or_default(),
            integration,
            authentication_method: account.authentication_method,
            scopes: account.scopes,
            tenant_id: account.tenant_id,
            environment_id: account.environment_id,
            is_sandbox: account.is_sandbox,
            region: account.region,
        }),
    }
}

/// Every workspace that the connection sees: at least one, from a complete list.
pub async fn visible_workspaces(client: &Client) -> Result<Vec<Workspace>, SourceError> {
    let organizations = directory_list(client, "organizations", "organizations");
    let (seen, _, end) = workspaces(client, &organizations).await?;
    match end.shortfall() {
        Some(because) => Err(SourceError::WorkspacesUnknown { because }),
        None if seen.is_empty() => Err(SourceError::NoWorkspace),
        None => Ok(seen),
    }
}

/// Every workspace that the connection sees, sorted by id; the number of pages, and how the list ended.
async fn workspaces(
    client: &Client,
    list: &List,
) -> Result<(Vec<Workspace>, u64, End), SourceError> {
    let mut walk = PageWalk::<Organization>::new(client, list);
    let mut seen = BTreeMap::new();
    while let Some(page) = walk.next().await? {
        for row in page.rows {
            match row {
                Row::Record(Organization { id: Some(id), name }) if Client::can_ask_for(&id) => {
                    seen.entry(id).or_insert(name);
                }
                Row::Record(_) | Row::Other(_) => {
                    warn!("Ignored a workspace without a usable id");
                }
            }
        }
    }
    let seen = seen.into_iter().map(|(id, name)| Workspace { id, name });
    let end = walk.end().unwrap_or(End::LastPage);
    Ok((seen.collect(), walk.pages(), end))
}

/// The workspace of the settings, which the connection must see; or the only one.
fn choose(
    wanted: Option<&str>,
    mut seen: Vec<Workspace>,
    end: End,
) -> Result<Workspace, SourceError> {
    if let Some(wanted) = wanted
        && let Some(place) = seen.iter().position(|workspace| workspace.id == wanted)
    {
        return Ok(seen.swap_remove(place));
    }
    if let Some(because) = end.shortfall() {
        return Err(SourceError::WorkspacesUnknown { because });
    }
    if let Some(wanted) = wanted {
        return Err(SourceError::WorkspaceNotListed {
            wanted: wanted.to_owned(),
            listed: seen,
        });
    }
    match seen.len() {
        1 => Ok(seen.swap_remove(0)),
        0 => Err(SourceError::NoWorkspace),
        _ => Err(SourceError::SeveralWorkspaces { listed: seen }),
    }
}

/// The connected account. If it is unknown, the run continues and the judgement warns.
async fn viewer(
    client: &Client,
    list: &List,
    workspace: &Workspace,
) -> Result<Viewer, SourceError> {
    let not_reported = |reason: String| Ok(Viewer::NotReported { reason });
    match PageWalk::<User>::new(client, list).next().await {
        Ok(page) => {
            let rows = page.into_iter().flat_map(|page| page.rows);
            let first = rows.filter_map(|row| match row {
                Row::Record(mut user) => Some((user.id.take()?, user)),
                Row::Other(_) => None,
            });
            match { first }.next() {
                Some((id, user)) => {
                    let (of, _) = account(id, user, workspace);
                    Ok(Viewer::Account {
                        has_address: !of.emails.is_empty(),
                        id: of.id,
                        role: of.role,
                    })
                }
                None => not_reported("`/me` has no user".to_owned()),
            }
        }
        Err(error) if error.is_refusal_of_resource() || error.is_malformed() => {
            warn!("Could not read the connected account: {error}");
            not_reported(error.to_string())
        }
        Err(error) => Err(error.into()),
    }
}
