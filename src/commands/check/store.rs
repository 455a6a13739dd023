//! The store: earlier evidence, the write probe, and the signing key.

use jiff::Timestamp;

use super::{Checked, Line, Settings, Subject, error_chain};
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
            checked.add(Line::skipped(
                Subject::SigningKey,
                "the store could not be opened",
            ));
            return found;
        }
    };
    let key = signing_key(settings, checked).await;
    if write_probe {
        found.protection = probe(&store, as_of, checked).await;
    } else {
        let text = "not asked for: --write-probe creates one object, `.probe`";
        checked.add(Line::skipped(Subject::WriteProbe, text));
    }
    let Ok(key) = key else {
        checked.add(Line::skipped(
            Subject::Evidence,
            "the key could not be opened",
        ));
        return found;
    };
    let connection = &settings.source.truto.integrated_account_id;
    let ledger = Ledger::new(store.clone(), connection, settings.ledger.clone(), key);
    match ledger.open(clock).await {
        Ok(chain) => {
            let text = format!("the evidence in {} can be read", store.location());
            checked.add(Line::ok(Subject::Evidence, text));
            found.chain = Some(chain);
        }
        Err(error) => {
            let error = RunError::Past(error);
            let line = Line::fail(Subject::Evidence, error.exit(), error.chain());
            checked.add(line.hint(error.hint()));
        }
    }
    found
}

async fn signing_key(settings: &Settings, checked: &mut Checked) -> Result<Option<SigningKey>, ()> {
    let subject = Subject::SigningKey;
    let tried = async {
        let Some(key) = SigningKey::open(&settings.signing).await? else {
            return Ok(None);
        };
        key.sign(SIGNED).await?;
        Ok(Some(key))
    };
    match tried.await {
        Ok(None) => {
            checked.add(Line::skipped(
                subject,
                "no key is set: entries are not signed",
            ));
            Ok(None)
        }
        Ok(Some(key)) => {
            let text = format!(
                "it signs; its public half has the SHA-256 {}",
                key.public().sha256()
            );
            checked.add(Line::ok(subject, text));
            Ok(Some(key))
        }
        Err(error) => {
            let error = RunError::Key(error);
            checked.add(Line::fail(subject, error.exit(), error.chain()).hint(error.hint()));
            Err(())
        }
    }
}

/// Creates an object twice and tries to delete it, since only an attempt shows that the store refuses.
///
/// Returns what the store did with it, unless the probe is of an earlier day.
async fn probe(store: &Store, as_of: Timestamp, checked: &mut Checked) -> Option<Protection> {
    let subject = Subject::WriteProbe;
    let created = match store.create(PROBE, PROBED).await {
        Ok(created) => created,
        Err(StoreError::Conflict { name }) => {
            let text = format!(
                "`{name}` has other content: something replaced it, or is no probe of ours"
            );
            let hint = "remove it, and try again";
            checked.add(Line::fail(subject, Exit::Inconclusive, text).hint(Some(hint)));
            return None;
        }
        Err(error) => {
            checked.add(failed(subject, &error));
            return None;
        }
    };
    let protection = match store.protect(PROBE, PROBED, as_of).await {
        Ok(protection) => protection,
        Err(error) => {
            checked.add(failed(subject, &error));
            return None;
        }
    };
    match store.create(PROBE, &b"other bytes\n"[..]).await {
        Err(StoreError::Conflict { .. }) if protection.create_only => {
            checked.add(Line::ok(
                subject,
                "created once; a second create was refused",
            ));
        }
        Ok(_) | Err(StoreError::Conflict { .. }) => {
            let text = "the store took a second create of one name: it replaces what is there";
            let hint = "evidence needs a store that honours `If-None-Match: *`";
            checked.add(Line::fail(subject, Exit::Inconclusive, text).hint(Some(hint)));
        }
        Err(error) => checked.add(failed(subject, &error)),
    }
    let is_new = created == Created::New;
    if !is_new {
        checked.add(Line::skipped(
            subject,
            "lock and encryption: the probe was there before; each run looks at its first file",
        ));
    }
    checked.add(match store.try_to_delete(PROBE).await {
        Ok(Deleted::Refused) => Line::ok(subject, "deleting it was refused"),
        Ok(Deleted::Gone) => Line::warn(subject, "deleting it was not refused").hint(Some(
            "take `s3:DeleteObject` from the job, and lock the bucket: docs/iam/ has policies",
        )),
        Ok(Deleted::NotTried(why)) => Line::skipped(subject, why),
        Err(error) => failed(subject, &error),
    });
    is_new.then_some(protection)
}

fn failed(subject: Subject, error: &StoreError) -> Line {
    Line::fail(subject, error.kind().into(), error_chain(error)).hint(error.hint())
}
