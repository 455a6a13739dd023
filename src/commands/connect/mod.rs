//! `connect`: makes or renews a Truto connection. It shows what the link permits, asks, prints the link, and waits.

mod connecting;
mod text;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use connecting::{ConnectError, Connected, Connecting, just_now};

use super::{Session, error_text, failed, run_until_signal, settings};
use crate::cli::arguments::ConnectArguments;
use crate::cli::exit::Exit;
use crate::cli::terminal::{self, print, print_error};
use crate::config;
use crate::config::ConnectSettings;
use crate::truto::LinkFor;

/// # Errors
/// The exit code, if there is no connection.
pub fn start(arguments: ConnectArguments, session: Session) -> Result<Exit, Exit> {
    if !arguments.yes && !io::stdin().is_terminal() {
        print_error(text::NOT_INTERACTIVE);
        return Err(Exit::Usage);
    }
    let wanted = match (&arguments.tenant_id, &arguments.reconnect) {
        (Some(tenant_id), _) => LinkFor::Tenant(tenant_id),
        (None, Some(connection_id)) => LinkFor::Connection(connection_id),
        (None, None) => {
            let needed = "connect needs --tenant-id or --reconnect";
            return Err(failed(Exit::Usage, &needed));
        }
    };
    let read = |path: &Path| std::fs::read_to_string(path);
    let settings = settings(config::load_connect(session.environment.clone(), read))?;
    let ended = run_until_signal(connect(settings, wanted, &arguments, &session));
    session.progress.clear();
    let ended = ended.inspect_err(|_| print_error(text::STOPPED))?;
    ended.map_err(|error| {
        print_error(&error_text(&error, error.hint()));
        if arguments.json {
            print(&format!("{}\n", text::failure_event(&error)));
        }
        error.kind().into()
    })
}

async fn connect(
    settings: ConnectSettings,
    wanted: LinkFor<'_>,
    arguments: &ConnectArguments,
    session: &Session,
) -> Result<Exit, ConnectError> {
    let connecting = Connecting::begin(settings, wanted, &session.clock).await?;
    let permissions = connecting.permissions;
    let before = &connecting.before;
    // With --json, stdout has only JSON.
    let print_text = if arguments.json { print_error } else { print };
    print_text(&text::before(wanted, permissions, before));
    if !arguments.yes {
        print_text(text::QUESTION);
        if !terminal::is_confirmed().await {
            print_text(text::DECLINED);
            return Ok(Exit::Interrupted);
        }
    }
    let url = connecting.link().await?;
    print(&match arguments.json {
        true => format!("{}\n", text::link_event(wanted, before, &url)),
        false => text::link(&url),
    });
    let connected = connecting.wait(arguments.timeout).await?;
    session.progress.clear();
    print(&match arguments.json {
        true => format!("{}\n", text::connected_event(&connected)),
        false => text::connected(&connected),
    });
    Ok(connected.exit())
}
