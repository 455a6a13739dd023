//! The accounts of one Asana workspace, as a complete list, or with the reason why it is incomplete.

use tokio::sync::Notify;
use tracing::info;

use crate::clock::Clock;
pub use crate::model::RawPages;
use crate::model::{DerivationRecord, Memberships, Permissions, Population, RawFile, Viewer};
use crate::net::Deadline;
use crate::truto;

mod accounts;
mod derivation;
mod error;
mod gaps;
mod listing;
mod mapping;
mod memberships;
mod raw;
mod recompute;
mod workspace;

pub use derivation::VERSION;
use derivation::{Derivation, Derived};
pub use error::SourceError;
pub use listing::users_list;
use memberships::Members;
pub use memberships::memberships_list;
pub use recompute::{KeptAnswers, NotRecomputed, recompute};
pub use workspace::{Preflight, preflight, visible_workspaces};

/// The permissions of Asana that a run needs, and why. Asana has no narrower scope for the last one, which a run with
/// [`Permissions::Narrow`] omits.
pub const SCOPES: [(&str, &str); 3] = [
    ("users:read", "who has an account: name and e-mail"),
    ("workspaces:read", "which workspaces there are"),
    (
        FULL_PERMISSIONS,
        "full permissions: workspace memberships, with status and role, have no scope of their own",
    ),
];

pub use crate::truto::FULL_PERMISSIONS;

/// The accounts to read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The connection.
    pub truto: truto::Settings,
    /// The workspace's gid; unset: the only one the connection sees.
    pub workspace_id: Option<String>,
    /// Which part of Truto's pages is kept.
    pub raw: RawPages,
    pub permissions: Permissions,
}

/// The accounts, and Truto's answers.
#[derive(Debug)]
pub struct FetchedAccounts {
    /// The accounts, with the proof that the list is complete.
    pub population: Population,
    /// The stored part of Truto's answers, in the order of `population.listing.pages`, single users last.
    pub raw: Vec<RawFile>,
}

/// Reads every account of the workspace.
///
/// A list that cannot be read is an error. If a list is incomplete or lacks fields, the population records it, and the
/// judgement decides.
pub async fn fetch_all(
    settings: &Settings,
    clock: &Clock,
    deadline: Deadline,
) -> Result<FetchedAccounts, SourceError> {
    let client = truto::Client::new(&settings.truto, clock, deadline)?;
    fetch(&client, settings).await
}

/// Sends every request of [`fetch_all`], but reads only the first page of each list. This shows whether a run could
/// read the lists; it is not enough for a verdict. The connected account is read alone if the first page lacks it.
///
/// # Errors
/// As for [`fetch_all`].
pub async fn sample(
    settings: &Settings,
    clock: &Clock,
    deadline: Deadline,
) -> Result<Population, SourceError> {
    let client = truto::Client::new(&settings.truto, clock, deadline)?.first_pages_only();
    let mut population = fetch(&client, settings).await?.population;
    if let Viewer::Account { id, .. } = &population.viewer
        && !population.listing.last_page_reached
        && population.accounts.iter().all(|account| account.id != *id)
        && let Ok(got) = client.user(id).await
    {
        let (mut own, _) = accounts::account(id.clone(), got.user, &population.workspace);
        if settings.permissions == Permissions::Narrow {
            accounts::only_listed(&mut own);
        }
        population.accounts.push(own);
    }
    Ok(population)
}

async fn fetch(
    client: &truto::Client,
    settings: &Settings,
) -> Result<FetchedAccounts, SourceError> {
    let Preflight {
        connection,
        workspace,
        workspaces_visible,
        mut viewer,
        mut requests,
    } = preflight(client, settings.workspace_id.as_deref()).await?;

    let users_answered = Notify::new();
    let users = listing::read(client, &workspace, settings.raw, &users_answered);
    let (users, members, second, (mapping, asked_mapping)) = match settings.permissions {
        Permissions::Full => {
            let members = memberships::read(client, &workspace.id, settings.raw, &users_answered);
            let (users, members, mapping) =
                tokio::try_join!(users, members, mapping::read(client))?;
            (users, Some(members), None, mapping)
        }
        Permissions::Narrow => {
            let second = gaps::second_list(client, &workspace, settings.raw);
            let (users, second, mapping) = tokio::try_join!(users, second, mapping::read(client))?;
            (users, None, Some(second), mapping)
        }
    };
    requests.extend([asked_mapping, users.request]);
    let mut raw = [users.raw, Vec::new(), Vec::new()];
    let members = match members {
        None => Members::without(Memberships::NotRequested),
        Some(members) => {
            requests.push(members.request);
            raw[1] = members.raw;
            if let Viewer::Account { id, role, .. } = &mut viewer {
                let listed = users.content.accounts.get(id).map(|of| &of.role);
                let others = listed.into_iter().chain(members.content.role(id));
                *role = others.fold(&*role, accounts::lower).clone();
            }
            members.content
        }
    };
    let mut derivation = Derivation::of(&workspace, users.content, members);
    let filled = gaps::fill(client, &workspace, &mut derivation, second, settings.raw).await?;
    let Derived {
        listing,
        memberships,
        gaps,
        accounts,
    } = derivation.finish();
    info!(
        accounts.count = accounts.len(),
        "Read {} accounts of workspace {}",
        accounts.len(),
        workspace.id
    );
    requests.extend(filled.requests);
    raw[2] = filled.raw;
    Ok(FetchedAccounts {
        population: Population {
            connection,
            origin: client.origin(),
            workspace,
            workspaces_visible,
            viewer,
            listing,
            memberships,
            gaps,
            derivation: DerivationRecord {
                version: VERSION,
                kept: settings.raw,
            },
            mapping,
            clock_skew_minutes: client.skew_minutes(),
            requests,
            accounts,
        },
        raw: raw::numbered(raw, filled.gets),
    })
}
