//! Errors of reading the accounts.

use crate::model::{Workspace, quoted};
use crate::net::ErrorKind;
use crate::truto::{self, TrutoError};

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the connection `{id}` is for {}, not for Asana", quoted(integration))]
    WrongIntegration { id: String, integration: String },
    #[error("the connection sees no Asana workspace")]
    NoWorkspace,
    /// The connection sees several workspaces, and the settings name none.
    #[error("the connection sees {} Asana workspaces: {}", listed.len(), list(listed))]
    SeveralWorkspaces { listed: Vec<Workspace> },
    /// The connection does not see the workspace of the settings.
    #[error(
        "the connection does not see the workspace `{wanted}`; it sees {}",
        list(listed)
    )]
    WorkspaceNotListed {
        wanted: String,
        /// The visible workspaces.
        listed: Vec<Workspace>,
    },
    /// The list of workspaces is incomplete, so a missing workspace may still exist.
    #[error("the list of Asana workspaces is incomplete: {because}")]
    WorkspacesUnknown { because: String },
    /// Truto passes a 401 of Asana on as a lost login, but the same login read the list of users just before.
    #[error(
        "the memberships were refused (status 401), although the list of users was read through the same connection \
         `{id}`: it lacks full permissions, or lost its login between the two requests"
    )]
    MembershipsUnauthorized { id: String },
    #[error(transparent)]
    Truto(#[from] TrutoError),
}

impl SourceError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongIntegration { .. }
            | Self::NoWorkspace
            | Self::MembershipsUnauthorized { .. } => ErrorKind::Refused,
            Self::SeveralWorkspaces { .. } | Self::WorkspaceNotListed { .. } => {
                ErrorKind::Configuration
            }
            Self::WorkspacesUnknown { .. } => ErrorKind::Unexpected,
            Self::Truto(truto) => truto.kind(),
        }
    }

    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::WrongIntegration { .. } => {
                "set TRUTO_INTEGRATED_ACCOUNT_ID to a connection to Asana"
            }
            Self::NoWorkspace => "connect Asana with an account of the workspace to check",
            Self::SeveralWorkspaces { .. } | Self::WorkspaceNotListed { .. } => {
                "set ASANA_WORKSPACE_ID to the id of the workspace to check"
            }
            Self::WorkspacesUnknown { .. } => return None,
            Self::MembershipsUnauthorized { id } => return Some(truto::full_or_narrow(id)),
            Self::Truto(truto) => return truto.hint(),
        };
        Some(hint.to_owned())
    }
}

fn list(workspaces: &[Workspace]) -> String {
    if workspaces.is_empty() {
        return "none".to_owned();
    }
    let one = |workspace: &Workspace| match &workspace.name {
        Some(name) => format!("`{}` ({})", workspace.id, quoted(name)),
        None => format!("`{}`", workspace.id),
    };
    workspaces.iter().map(one).collect::<Vec<_>>().join(", ")
}
