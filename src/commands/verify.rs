//! `verify`: checks stored evidence; [`crate::verify`] has the checks.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Session, failed, run_until_signal, settings};
use crate::cli::arguments::VerifyArguments;
use crate::cli::exit::{self, Exit};
use crate::cli::terminal;
use crate::config;
use crate::report::on_one_line;
use crate::signing::PublicKey;
use crate::store::Store;
use crate::verify::{Expectations, VerifyError, as_json, as_text, verify};

/// # Errors
/// The exit code, if there is no answer.
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
    let store = settings(config::load_store(environment, arguments.url, |path| {
        std::fs::read_to_string(path)
    }))?;
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
        terminal::print_error(&error_text(&error));
        error.exit()
    })?;
    terminal::print(&match arguments.json {
        true => format!("{:#}\n", as_json(&verified, &expected)),
        false => as_text(&verified, &expected),
    });
    Ok(verified.exit())
}

/// The public keys in these files.
fn public_keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, String> {
    let read = |path: &PathBuf| {
        let place = path.display();
        let text = std::fs::read(path)
            .map_err(|error| format!("the public key `{place}` cannot be read: {error}"))?;
        PublicKey::from_pem(&text).map_err(|error| format!("`{place}` is no public key: {error}"))
    };
    paths.iter().map(read).collect()
}

fn error_text(error: &VerifyError) -> String {
    let text = format!("error: {}", exit::error_chain(error));
    let mut text = on_one_line(&text) + "\n";
    if let Some(hint) = error.hint() {
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}
