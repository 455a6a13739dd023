//! Why the accounts could not be read.

use crate::model::Workspace;
use crate::net::ErrorKind;
use crate::truto::TrutoError;

/// Why the accounts could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The connection is for something else.
    #[error("the connection `{id}` is for `{integration}`, not for Asana")]
    WrongIntegration {
        /// The connection.
        id: String,
        /// What it is for.
        integration: String,
    },
    /// The connection sees no workspace.
    #[error("the connection sees no Asana workspace")]
    NoWorkspace,
    /// Several workspaces, and nobody said which.
    #[error("the connection sees {} Asana workspaces: {}", listed.len(), list(listed))]
    SeveralWorkspaces {
        /// These.
        listed: Vec<Workspace>,
    },
    /// The workspace asked for is not among those seen.
    #[error(
        "the connection does not see the workspace `{wanted}`; it sees {}",
        list(listed)
    )]
    WorkspaceNotListed {
        /// The gid asked for.
        wanted: String,
        /// The workspaces seen.
        listed: Vec<Workspace>,
    },
    /// The list of workspaces has no end, so nothing follows from what it lacks.
    #[error("the list of Asana workspaces did not come to an end: {because}")]
    WorkspacesUnknown {
        /// Why.
        because: String,
    },
    /// Truto did not give what was asked for.
    #[error(transparent)]
    Truto(#[from] TrutoError),
}

impl SourceError {
    /// What sort of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongIntegration { .. } | Self::NoWorkspace => ErrorKind::Refused,
            Self::SeveralWorkspaces { .. } | Self::WorkspaceNotListed { .. } => {
                ErrorKind::Configuration
            }
            Self::WorkspacesUnknown { .. } => ErrorKind::Unexpected,
            Self::Truto(truto) => truto.kind(),
        }
    }

    /// What to do about it, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::WrongIntegration { .. } => {
                "set TRUTO_INTEGRATED_ACCOUNT_ID to a connection of Asana's"
            }
            Self::NoWorkspace => {
                "the account that connected Asana must belong to the workspace that is reviewed"
            }
            Self::SeveralWorkspaces { .. } | Self::WorkspaceNotListed { .. } => {
                "set ASANA_WORKSPACE_ID to the id of the workspace that is reviewed"
            }
            Self::WorkspacesUnknown { .. } => return None,
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
        Some(name) => format!("`{}` ({name})", workspace.id),
        None => format!("`{}`", workspace.id),
    };
    workspaces.iter().map(one).collect::<Vec<_>>().join(", ")
}
