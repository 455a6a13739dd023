//! `verify`: checks stored evidence; [`crate::verify`] has the checks.

use std::path::{Path, PathBuf};

use super::{Session, error_text, failed, run_until_signal, settings};
use crate::cli::arguments::VerifyArguments;
use crate::cli::exit::Exit;
use crate::cli::terminal;
use crate::config;
use crate::signing::PublicKey;
use crate::store::Store;
use crate::verify::{Expectations, as_json, as_text, verify};

/// # Errors
/// The exit code, if the evidence could not be checked.
pub fn start(arguments: VerifyArguments, session: Session) -> Result<Exit, Exit> {
    let wrong = |problem: String| failed(Exit::Usage, &problem);
    let (every, period) = (
        arguments.rhythm().map_err(wrong)?,
        arguments.period().map_err(wrong)?,
    );
    let Session {
        clock,
        environment,
        progress,
    } = session;
    let read = |path: &Path| std::fs::read_to_string(path);
    let store = settings(config::load_store(environment, arguments.url, read))?;
    let keys = public_keys(&arguments.public_keys);
    let expected = Expectations {
        keys: keys.map_err(|problem| failed(Exit::Configuration, &problem))?,
        now: clock.as_of(),
        connection: arguments.connection,
        heads: arguments.heads,
        every,
        period,
    };
    let ended = run_until_signal(async { verify(&Store::open(&store).await?, &expected).await });
    progress.clear();
    let verified = ended?.map_err(|error| {
        terminal::print_error(&error_text(&error, error.hint()));
        error.exit()
    })?;
    terminal::print(&match arguments.json {
        true => format!("{:#}\n", as_json(&verified, &expected)),
        false => as_text(&verified, &expected),
    });
    Ok(verified.exit())
}

/// The public keys in these files.
pub(super) fn public_keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, String> {
    let read = |path: &PathBuf| {
        let place = path.display();
        let text = std::fs::read(path)
            .map_err(|error| format!("the public key `{place}` cannot be read: {error}"))?;
        PublicKey::from_pem(&text)
            .map_err(|error| format!("`{place}` is not a public key: {error}"))
    };
    paths.iter().map(read).collect()
}
