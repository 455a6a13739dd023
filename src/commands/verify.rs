//! `verify`: checks stored evidence; [`crate::verify`] has the checks.

use std::path::PathBuf;

use super::{Session, error_text, failed, run_until_signal, store_settings};
use crate::cli::arguments::VerifyArguments;
use crate::cli::exit::Exit;
use crate::cli::logging::Progress;
use crate::cli::terminal;
use crate::config::Environment;
use crate::signing::PublicKey;
use crate::store::{Store, StoreError};
use crate::verify::{Expectations, VerifyError, as_json, as_text, verify};

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
    let evidence = (arguments.url, arguments.public_keys);
    let ended = with_evidence(environment, progress, evidence, async |store, keys| {
        let expected = Expectations {
            keys,
            now: clock.as_of(),
            connection: arguments.connection,
            heads: arguments.heads,
            every,
            period,
        };
        let verified = verify(&store, &expected).await?;
        Ok::<_, VerifyError>((verified, expected))
    });
    let (verified, expected) = ended?.map_err(|error| {
        terminal::print_error(&error_text(&error, error.hint()));
        error.exit()
    })?;
    terminal::print(&match arguments.json {
        true => format!("{:#}\n", as_json(&verified, &expected)),
        false => as_text(&verified, &expected),
    });
    Ok(verified.exit())
}

/// Opens the store of an address and the files of public keys, and works with them until a signal.
///
/// # Errors
/// The exit code, if a setting or a key is wrong, or a signal stopped the work.
pub(super) fn with_evidence<T, E: From<StoreError>>(
    environment: Environment,
    progress: Progress,
    (url, public_keys): (Option<String>, Vec<PathBuf>),
    work: impl AsyncFnOnce(Store, Vec<PublicKey>) -> Result<T, E>,
) -> Result<Result<T, E>, Exit> {
    let settings = store_settings(environment, url)?;
    let keys: Result<_, String> = public_keys.iter().map(public_key).collect();
    let keys = keys.map_err(|problem| failed(Exit::Configuration, &problem))?;
    let ended = run_until_signal(async { work(Store::open(&settings).await?, keys).await });
    progress.clear();
    ended
}

fn public_key(path: &PathBuf) -> Result<PublicKey, String> {
    let place = path.display();
    let text = std::fs::read(path)
        .map_err(|error| format!("the public key `{place}` cannot be read: {error}"))?;
    PublicKey::from_pem(&text).map_err(|error| format!("`{place}` is not a public key: {error}"))
}
