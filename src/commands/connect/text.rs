//! The texts of `connect`, for people and as JSON.

use std::fmt::Write as _;

use reqwest::Url;
use serde_json::{Value, json};

use super::super::error_text;
use super::connecting::status_of;
use super::{ConnectError, Connected, just_now};
use crate::cli::exit::{self, Exit};
use crate::model::{Permissions, Workspace};
use crate::report::on_one_line;
use crate::source::{FULL_PERMISSIONS, SCOPES, SourceError};
use crate::truto::{ConnectionState, LinkFor, TenantConnections};

/// What the link permits, before the user confirms.
pub(super) fn before(
    wanted: LinkFor<'_>,
    permissions: Permissions,
    before: &TenantConnections,
) -> String {
    let mut text = match wanted {
        LinkFor::Tenant(tenant_id) => {
            let tenant = on_one_line(tenant_id);
            format!("A new connection from Truto to Asana, tenant `{tenant}`.\n")
        }
        LinkFor::Connection(id) => format!(
            "A renewal of the connection `{id}` from Truto to Asana. Its id and context stay.\n"
        ),
    };
    text.push_str(match permissions {
        Permissions::Full => {
            "
  connect as    an Asana admin of the organization, or the owner of the workspace. A guest or a
                member may not see every account. In Asana Enterprise, prefer a service account
  reads         every account: name, e-mail, status (active, invited, inactive), role (admin,
                member, guest) and membership of the workspace; ids and names of workspaces.
                It reads no tasks, projects or files, and changes nothing
  permissions   "
        }
        Permissions::Narrow => {
            "
  connect as    a member of the organization, with an address in one of its mail domains. A guest
                does not see every account
  reads         every account: name and e-mail; ids and names of workspaces. It reads no roles,
                no status, no tasks, projects or files, and changes nothing
  permissions   "
        }
    });
    let scopes = SCOPES.iter();
    let scopes =
        scopes.filter(|(scope, _)| permissions == Permissions::Full || *scope != FULL_PERMISSIONS);
    for (place, (scope, why)) in scopes.enumerate() {
        let indent = if place == 0 { "" } else { "                " };
        let _ = writeln!(text, "{indent}{scope:<16} {why}");
    }
    let _ = writeln!(text);
    for warning in warnings(wanted, before) {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

/// Warnings from what Truto reports.
pub(super) fn warnings(wanted: LinkFor<'_>, before: &TenantConnections) -> Vec<String> {
    let list = |seen: &[&ConnectionState]| {
        let seen: Vec<String> = seen.iter().map(|seen| named(seen)).collect();
        seen.join(", ")
    };
    let mut warnings = Vec::new();
    let known: Vec<&ConnectionState> = before.connections.iter().collect();
    let just_now = just_now(before);
    if let (LinkFor::Tenant(_), Some(first)) = (wanted, known.first()) {
        warnings.push(format!(
            "this tenant already has a connection to Asana: {}. A second connection has separate \
             evidence; to renew the existing one: asana-access-review connect --reconnect {}",
            list(&known),
            first.id
        ));
    }
    warnings.push(match just_now.is_empty() {
        true => "Truto does not list links. If you made one in the last ten minutes, use that one: each \
                 link that is used makes a separate login"
            .to_owned(),
        false => format!(
            "another connection is being made, or was made in the last ten minutes: {}. A second link \
             makes a second connection",
            list(&just_now)
        ),
    });
    warnings
}

pub(super) const QUESTION: &str = "Make the link? [y/N] ";

pub(super) const NOT_INTERACTIVE: &str = "error: connect asks before it makes a link, and stdin is not a terminal\n\
     hint: add --yes to make the link without the question\n";

pub(super) const DECLINED: &str = "No link was made.\n";

pub(super) const STOPPED: &str =
    "stopped: the wait ended; a printed link works once, within seven days\n";

pub(super) fn link(url: &Url) -> String {
    format!(
        "\nGive this link to the person who connects. It works once, within seven days:\n\n  {url}\n\n"
    )
}

pub(super) fn connected(connected: &Connected) -> String {
    let mut text = format!("The connection `{}` is active.\n", connected.connection.id);
    for note in notes(connected) {
        let _ = writeln!(text, "warning: {note}");
    }
    match &connected.workspaces {
        Ok(workspaces) => {
            let _ = match workspaces.len() {
                1 => writeln!(text, "It sees 1 workspace:"),
                count => writeln!(text, "It sees {count} workspaces:"),
            };
            for workspace in workspaces {
                let (id, name) = (on_one_line(&workspace.id), name(workspace));
                let _ = writeln!(text, "  {id}  {name}");
            }
        }
        Err(error) => {
            let _ = writeln!(text, "Its workspaces are unknown.");
            text += &error_text(error, error.hint());
        }
    }
    let _ = writeln!(text, "\nexport {CONNECTION}={}", connected.connection.id);
    if connected.permissions == Permissions::Narrow {
        let _ = writeln!(text, "export ASANA_PERMISSIONS=narrow");
        let _ = writeln!(text, "# the organization's mail domains:");
        let _ = writeln!(text, "# export INTERNAL_DOMAINS=example.com");
    }
    match connected.workspaces.as_deref() {
        Ok([one]) if is_plain(&one.id) => {
            let _ = writeln!(text, "export {WORKSPACE}={}", one.id);
        }
        Ok(several) => {
            let _ = writeln!(text, "# one of:");
            for workspace in several.iter().filter(|workspace| is_plain(&workspace.id)) {
                let (id, name) = (&workspace.id, name(workspace));
                let _ = writeln!(text, "# export {WORKSPACE}={id}   # {name}");
            }
        }
        Err(_) => {}
    }
    text
}

const CONNECTION: &str = "TRUTO_INTEGRATED_ACCOUNT_ID";
const WORKSPACE: &str = "ASANA_WORKSPACE_ID";

/// Warnings about an active connection.
fn notes(connected: &Connected) -> Vec<String> {
    let mut notes = Vec::new();
    if connected.was_active {
        notes.push(
            "it was active before too, and Truto has changed it since; check that the admin has finished"
                .to_owned(),
        );
    }
    match (connected.permissions, connected.has_full_permissions()) {
        (Permissions::Full, Some(false)) => notes.push(format!(
            "it has the scopes {} instead of full permissions (default), so runs are inconclusive; reconnect \
             with full permissions, or set ASANA_PERMISSIONS=narrow and INTERNAL_DOMAINS",
            on_one_line(&connected.connection.scopes.join(", "))
        )),
        (Permissions::Narrow, Some(true)) => notes.push(
            "it has full permissions (default), more than ASANA_PERMISSIONS=narrow needs".to_owned(),
        ),
        (Permissions::Full, Some(true)) | (Permissions::Narrow, Some(false)) | (_, None) => {}
    }
    let others = connected.others.iter().map(named);
    notes.extend(
        others.map(|other| format!("another connection was made during the wait: {other}")),
    );
    notes
}

pub(super) fn link_event(wanted: LinkFor<'_>, before: &TenantConnections, url: &Url) -> Value {
    let (tenant, connection) = match wanted {
        LinkFor::Tenant(id) => (Some(id), None),
        LinkFor::Connection(id) => (None, Some(id)),
    };
    json!({
        "event": "link",
        "tenant_id": tenant,
        "connection": connection,
        "url": url.as_str(),
        "warnings": warnings(wanted, before),
    })
}

pub(super) fn connected_event(connected: &Connected) -> Value {
    let of = |workspace: &Workspace| json!({ "id": workspace.id, "name": workspace.name });
    let workspaces = connected.workspaces.as_ref();
    let error = workspaces.err().map(|error| exit::error_chain(error));
    json!({
        "event": "connected",
        "exit": connected.exit().code(),
        "connection": connected.connection.id,
        "scopes": connected.connection.scopes,
        "workspaces": workspaces.ok().map(|all| all.iter().map(of).collect::<Vec<_>>()),
        "error": error,
        "hint": workspaces.err().and_then(SourceError::hint),
        "warnings": notes(connected),
    })
}

pub(super) fn failure_event(error: &ConnectError) -> Value {
    json!({
        "event": "failed",
        "exit": Exit::from(error.kind()).code(),
        "connection": error.connection_id(),
        "error": exit::error_chain(error),
        "hint": error.hint(),
    })
}

fn named(seen: &ConnectionState) -> String {
    format!("`{}` (status {})", seen.id, status_of(seen))
}

fn name(workspace: &Workspace) -> String {
    on_one_line(workspace.name.as_deref().unwrap_or("(no name)"))
}

/// Whether a shell takes the id without quotes.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
