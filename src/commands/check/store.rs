//! The store: earlier evidence, the write probe, and the signing key.

use jiff::Timestamp;

use super::{Checked, Line, Settings, Subject};
use crate::cli::exit::Exit;
use crate::clock::Clock;
use crate::commands::run::RunError;
use crate::ledger::{Chain, Ledger};
use crate::model::Protection;
use crate::signing::SigningKey;
use crate::store::{Created, Deleted, Store, StoreError};

/// The write probe's one constant key, beside all connections.
const PROBE: &str = ".probe";

const PROBED: &[u8] =
    b"asana-access-review wrote this to see what the store does with it. It is no evidence.\n";

/// Signed to see whether the key works. It is not a ledger entry, and its signature is not kept.
const SIGNED: &[u8] = b"asana-access-review checks that this key signs\n";

#[derive(Default)]
pub(super) struct Found {
    /// The ledger, if it could be read.
    pub(super) chain: Option<Chain>,
    /// What the store did with the probe, if it was created just now.
    pub(super) protection: Option<Protection>,
}

/// Tries store, key and ledger.
pub(super) async fn check(
    settings: &Settings,
    write_probe: bool,
    clock: &Clock,
    checked: &mut Checked,
) -> Found {
    let as_of = clock.as_of();
    let mut found = Found::default();
    let store = match Store::open(&settings.store).await {
        Ok(store) => store.locked(settings.ledger.lock(as_of)),
        Err(error) => {
            checked.add(failed(Subject::Evidence, &error));
            checked.add(Subject::SigningKey.skipped("the store could not be opened"));
            return found;
        }
    };
    let key = signing_key(settings).await;
    checked.add(match &key {
        Ok(None) => Subject::SigningKey.skipped("no key is set: entries are not signed"),
        Ok(Some(key)) => {
            let sha256 = key.public().sha256();
            Subject::SigningKey.ok(format!(
                "it signs; its public half has the SHA-256 {sha256}"
            ))
        }
        Err(error) => Subject::SigningKey.failed(error, error.exit(), error.hint()),
    });
    if write_probe {
        found.protection = match probe(&store, as_of, checked).await {
            Ok(protection) => protection,
            Err(line) => {
                checked.add(line);
                None
            }
        };
    } else {
        let text = "not asked for: --write-probe creates one object, `.probe`";
        checked.add(Subject::WriteProbe.skipped(text));
    }
    let Ok(key) = key else {
        checked.add(Subject::Evidence.skipped("the key could not be opened"));
        return found;
    };
    let connection = &settings.source.truto.integrated_account_id;
    let ledger = Ledger::new(store.clone(), connection, settings.ledger.clone(), key);
    match ledger.open(clock).await.map_err(RunError::Past) {
        Ok(chain) => {
            let text = format!("the evidence in {} can be read", store.location());
            checked.add(Subject::Evidence.ok(text));
            found.chain = Some(chain);
        }
        Err(error) => {
            checked.add(Subject::Evidence.failed(&error, error.exit(), error.hint()));
        }
    }
    found
}

/// The key that is set, if it signs.
async fn signing_key(settings: &Settings) -> Result<Option<SigningKey>, RunError> {
    let key = SigningKey::open(&settings.signing).await;
    let key = key.map_err(RunError::Key)?;
    if let Some(key) = &key {
        key.sign(SIGNED).await.map_err(RunError::Key)?;
    }
    Ok(key)
}

/// Creates an object twice and tries to delete it, since only an attempt shows that the store refuses.
///
/// Returns what the store did with it, unless the probe is of an earlier day; or the line that ends the probe.
async fn probe(
    store: &Store,
    as_of: Timestamp,
    checked: &mut Checked,
) -> Result<Option<Protection>, Line> {
    let subject = Subject::WriteProbe;
    let created = store.create(PROBE, PROBED).await;
    let created = created.map_err(|error| match error {
        StoreError::Conflict { name } => subject
            .fail(
                Exit::Inconclusive,
                format!(
                    "`{name}` has other content: something replaced it, or is no probe of ours"
                ),
            )
            .hint("remove it, and try again"),
        error => failed(subject, &error),
    })?;
    let protection = store.protect(PROBE, PROBED, as_of).await;
    let protection = protection.map_err(|error| failed(subject, &error))?;
    checked.add(match store.create(PROBE, &b"other bytes\n"[..]).await {
        Err(StoreError::Conflict { .. }) if protection.create_only => {
            subject.ok("created once; a second create was refused")
        }
        Ok(_) | Err(StoreError::Conflict { .. }) => {
            let text = "the store took a second create of one name: it replaces what is there";
            let line = subject.fail(Exit::Inconclusive, text);
            line.hint("evidence needs a store that honours `If-None-Match: *`")
        }
        Err(error) => failed(subject, &error),
    });
    let is_new = created == Created::New;
    if !is_new {
        checked.add(subject.skipped(
            "lock and encryption: the probe was there before; each run looks at its first file",
        ));
    }
    checked.add(match store.try_to_delete(PROBE).await {
        Ok(Deleted::Refused) => subject.ok("deleting it was refused"),
        Ok(Deleted::Gone) => subject.warn("deleting it was not refused").hint(
            "take `s3:DeleteObject` from the job, and lock the bucket: docs/iam/ has policies",
        ),
        Ok(Deleted::NotTried(why)) => subject.skipped(why),
        Err(error) => failed(subject, &error),
    });
    Ok(is_new.then_some(protection))
}

fn failed(subject: Subject, error: &StoreError) -> Line {
    subject.failed(error, error.kind(), error.hint().map(str::to_owned))
}
