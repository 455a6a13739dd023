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
    b"asana-access-review wrote this object to test the store. It is not evidence.\n";

/// Signed to test the key. It is not a ledger entry, and its signature is not kept.
const SIGNED: &[u8] = b"asana-access-review checks that this key signs\n";

#[derive(Default)]
pub(super) struct EvidenceProbe {
    /// The ledger, if it could be read.
    pub(super) chain: Option<Chain>,
    /// The protection of the probe, if this command created it.
    pub(super) protection: Option<Protection>,
}

/// Tests store, key and ledger.
pub(super) async fn check(
    settings: &Settings,
    write_probe: bool,
    clock: &Clock,
    checked: &mut Checked,
) -> EvidenceProbe {
    let as_of = clock.as_of();
    let mut evidence = EvidenceProbe::default();
    let store = match Store::open(&settings.store).await {
        Ok(store) => store.locked(settings.ledger.lock(as_of)),
        Err(error) => {
            checked.add(failed(Subject::Evidence, &error));
            checked.add(Subject::SigningKey.skipped("the store could not be opened"));
            return evidence;
        }
    };
    let key = signing_key(settings).await;
    checked.add(match &key {
        Ok(None) => Subject::SigningKey.skipped("no key is set: entries are not signed"),
        Ok(Some(key)) => {
            let sha256 = key.public().sha256();
            Subject::SigningKey.ok(format!("it signs; its public key has the SHA-256 {sha256}"))
        }
        Err(error) => Subject::SigningKey.failed(error, error.exit(), error.hint()),
    });
    if write_probe {
        evidence.protection = match probe(&store, as_of, checked).await {
            Ok(protection) => protection,
            Err(line) => {
                checked.add(line);
                None
            }
        };
    } else {
        let text = "not requested: --write-probe creates one object, `.probe`";
        checked.add(Subject::WriteProbe.skipped(text));
    }
    let Ok(key) = key else {
        checked.add(Subject::Evidence.skipped("the key could not be opened"));
        return evidence;
    };
    let connection = &settings.source.truto.integrated_account_id;
    let ledger = Ledger::new(store.clone(), connection, settings.ledger.clone(), key);
    match ledger.open(clock).await.map_err(RunError::Past) {
        Ok(chain) => {
            let text = format!("the evidence in {} can be read", store.location());
            checked.add(Subject::Evidence.ok(text));
            evidence.chain = Some(chain);
        }
        Err(error) => {
            checked.add(Subject::Evidence.failed(&error, error.exit(), error.hint()));
        }
    }
    evidence
}

/// The configured key, after a test signature.
async fn signing_key(settings: &Settings) -> Result<Option<SigningKey>, RunError> {
    let key = SigningKey::open(&settings.signing).await;
    let key = key.map_err(RunError::Key)?;
    if let Some(key) = &key {
        key.sign(SIGNED).await.map_err(RunError::Key)?;
    }
    Ok(key)
}

/// Creates an object twice and tries to delete it, because only an attempt shows that the store refuses.
///
/// Returns the protection of a new probe, none for an older probe, or the line that ends the probe.
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
                    "`{name}` has other content: it was replaced, or another program created it"
                ),
            )
            .hint("remove it, then repeat `check --write-probe`"),
        error => failed(subject, &error),
    })?;
    let protection = store.protect(PROBE, PROBED, as_of).await;
    let protection = protection.map_err(|error| failed(subject, &error))?;
    checked.add(match store.create(PROBE, &b"other bytes\n"[..]).await {
        Err(StoreError::Conflict { .. }) if protection.create_only => {
            subject.ok("created once; a second create was refused")
        }
        Ok(_) | Err(StoreError::Conflict { .. }) => {
            let text = "the store accepted a second create of one name, so it replaces objects";
            let line = subject.fail(Exit::Inconclusive, text);
            line.hint("use a store that honours `If-None-Match: *`")
        }
        Err(error) => failed(subject, &error),
    });
    let is_new = created == Created::New;
    if !is_new {
        checked.add(subject.skipped(
            "lock and encryption: the probe existed before; each run checks its first file",
        ));
    }
    checked.add(match store.try_to_delete(PROBE).await {
        Ok(Deleted::Refused) => subject.ok("deleting it was refused"),
        Ok(Deleted::Gone) => subject
            .warn("deleting it was not refused")
            .hint("deny `s3:DeleteObject` to the job, and lock the bucket: docs/iam/ has policies"),
        Ok(Deleted::NotTried(why)) => subject.skipped(why),
        Err(error) => failed(subject, &error),
    });
    Ok(is_new.then_some(protection))
}

fn failed(subject: Subject, error: &StoreError) -> Line {
    subject.failed(error, error.kind(), error.hint().map(str::to_owned))
}
