//! `status`: the newest result of every connection; [`crate::status`] reads them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Session, error_text, failed, row, run_until_signal, settings};
use crate::cli::arguments::OverviewArguments;
use crate::cli::exit::Exit;
use crate::cli::terminal::{self, ATTENTION, BAD, GOOD, styled};
use crate::config::{self, StatusSettings};
use crate::evidence::ConnectionFolder;
use crate::files;
use crate::net::Deadline;
use crate::status::{Links, Wanted, as_text, page, status};
use crate::store::{self, Store};

/// A person waits for `status`.
const LIST_WITHIN: Duration = Duration::from_secs(60);

/// # Errors
/// The exit code, if the evidence could not be listed, or the page could not be written.
pub fn start(arguments: &OverviewArguments, session: Session) -> Result<Exit, Exit> {
    let Session {
        clock,
        environment,
        progress,
    } = session;
    let read = |path: &Path| fs::read_to_string(path);
    let (url, list) = (arguments.url.clone(), arguments.list.clone());
    let StatusSettings {
        store: settings,
        list,
    } = settings(config::load_status(environment, url, list, read))?;
    let listed = match list {
        Some(list) => Some(run_until_signal(listed(&list))??),
        None => None,
    };
    let wanted = Wanted {
        now: clock.as_of(),
        connections: arguments.connections.clone(),
        listed,
        max_age: arguments.max_age,
    };
    let ended = run_until_signal(async {
        let store = Store::open(&settings).await?;
        status(&store, &wanted).await
    });
    progress.clear();
    let overview = ended?.map_err(|error| {
        terminal::print_error(&error_text(&error, error.hint()));
        error.exit()
    })?;
    if let Some(file) = &arguments.html {
        let links = links(&settings, &overview.evidence, file);
        let written = links.and_then(|links| files::replace(file, &page(&overview, &links)));
        written.map_err(|error| {
            let place = file.display();
            let problem = format!(
                "the page `{place}` cannot be written: {error}\nhint: name a file in a folder that exists and that \
                 this user may write"
            );
            failed(Exit::Configuration, &problem)
        })?;
    }
    if arguments.json {
        let json = serde_json::to_string_pretty(&overview).expect("its keys are text");
        terminal::print(&format!("{json}\n"));
    } else {
        let mut text = as_text(&overview, terminal::is_interactive());
        if let Some(file) = &arguments.html {
            row(&mut text, "page", file.display());
        }
        let (style, headline) = match overview.exit() {
            Exit::Pass => (GOOD, "PASS"),
            Exit::Fail => (BAD, "FAIL"),
            _ => (ATTENTION, "INCONCLUSIVE"),
        };
        text += &format!("\n{}: {}\n", styled(style, headline), overview.sums());
        terminal::print(&text);
    }
    Ok(overview.exit())
}

/// The connections in the list.
///
/// # Errors
/// The exit code. The problems are printed.
async fn listed(list: &files::Location) -> Result<BTreeSet<ConnectionFolder>, Exit> {
    let bytes = super::list_of_connections(list, Deadline::after(LIST_WITHIN)).await;
    let (bytes, _) = bytes.map_err(|error| {
        terminal::print_error(&error_text(&error, error.hint()));
        Exit::from(error.kind())
    })?;
    let ids = config::connection_ids(&bytes);
    let ids = ids.map_err(|problems| failed(Exit::Configuration, &problems))?;
    Ok(ids.iter().map(|id| ConnectionFolder::of(id)).collect())
}

/// How a page at this place refers to reports.
fn links(settings: &store::Settings, evidence: &str, file: &Path) -> io::Result<Links> {
    match settings {
        store::Settings::Folder(root) => Ok(Links::to_folder(
            &fs::canonicalize(root)?,
            &files::folder_of(file)?,
        )),
        store::Settings::S3 { .. } => {
            Ok(Links::Text(format!("{}/", evidence.trim_end_matches('/'))))
        }
    }
}
