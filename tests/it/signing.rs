//! Signed ledgers: written, read, tampered with, and checked with stock openssl.

use std::collections::BTreeMap;
use std::fs;

use crate::support::company::{
    Company, Objects, Place, Run, Tampering, below, built_on, ensure_clean, ensure_fault,
    ensure_intact, ensure_recorded_before, entry, entry_name, instant, kill_at_put, ledger_check,
    rewritten, sha256,
};
use crate::support::has;
use crate::support::job::{Job, LEFT_AND_GONE};
use crate::support::s3::{Fault, Rule};
use crate::support::shell::{TOOLS, shell, the_one};
use asana_access_review::cli::exit::Exit;
use asana_access_review::commands::run::{Done, Failed};
use asana_access_review::evidence::{Entry, EntryKind};
use asana_access_review::judgement::CheckStatus;
use asana_access_review::signing::{PrivateKey, PublicKey};
use asana_access_review::store::Store;
use futures_util::future::join_all;
use secrecy::SecretString;
use truto_simulator::World;

const ED25519: &str = include_str!("../keys/ed25519.test-key.pem");
const ED25519_PUBLIC: &str = include_str!("../keys/ed25519.pub.pem");
const P256: &str = include_str!("../keys/p256.test-key.pem");
const P256_PUBLIC: &str = include_str!("../keys/p256.pub.pem");

/// Private and public keys as openssl wrote them.
const KEYS: [(&str, &str); 2] = [(ED25519, ED25519_PUBLIC), (P256, P256_PUBLIC)];

fn public(text: &str) -> PublicKey {
    PublicKey::from_pem(text.as_bytes()).expect("a public key")
}

fn key_name(text: &str) -> String {
    below(&format!("keys/{}.pem", public(text).sha256()))
}

fn signature_name(entry: &[u8]) -> String {
    below(&format!("ledger/{}.sig", sha256(entry)))
}

fn signed<'a>(key: &'a str, snapshot: i64) -> Run<'a> {
    Run {
        signing_key: key,
        ..Run::at(instant(snapshot))
    }
}

/// A signed run.
async fn run(company: &Company, store: &Store, run: Run<'_>) -> Result<Done, Failed> {
    company.set_world(World::generated(12), run.as_of);
    company.run(store, run).await
}

async fn signed_run(company: &Company, store: &Store, key: &str, snapshot: i64) -> Done {
    run(company, store, signed(key, snapshot))
        .await
        .map_err(|failed| failed.error.chain())
        .expect("a run")
}

/// Checks what an auditor with these public keys would: the chain, and that one of the keys signed
/// each entry.
fn ensure_signed(objects: &Objects, keys: &[&str]) -> Vec<Entry> {
    let entries = ensure_intact(objects);
    let keys: Vec<PublicKey> = keys.iter().map(|key| public(key)).collect();
    for entry in &entries {
        let bytes = &objects[&entry_name(entry.sequence)];
        let key = keys.iter().find(|key| key.sha256() == entry.key_sha256);
        let key = key.unwrap_or_else(|| panic!("entry {} names no key", entry.sequence));
        let signature = &objects[&signature_name(bytes)];
        assert!(key.verify(bytes, signature), "entry {}", entry.sequence);
        let beside = &objects[&below(&format!("keys/{}.pem", key.sha256()))];
        assert_eq!(*beside, key.to_pem().as_bytes());
    }
    entries
}

// ---- What is written ----

#[tokio::test]
async fn every_entry_of_a_run_with_a_key_is_signed() {
    let company = Company::new();
    for place in Place::both() {
        for (key, public) in KEYS {
            let empty = place.objects();
            let store = place.store().await;
            let first = signed_run(&company, &store, key, 1).await;
            assert_eq!(ledger_check(&first).status, CheckStatus::Warn);
            for snapshot in 2..=3 {
                ensure_clean(&signed_run(&company, &store, key, snapshot).await);
            }
            let objects = place.objects();
            assert_eq!(ensure_signed(&objects, &[public]).len(), 3);
            assert_eq!(objects[&key_name(public)], public.as_bytes());
            let keys = objects.keys().filter(|name| name.contains("/keys/"));
            assert_eq!(keys.count(), 1);
            let signatures = objects.keys().filter(|name| name.ends_with(".sig"));
            assert_eq!(signatures.count(), 3);
            place.restore(&empty, &objects);
        }
        if let Place::Bucket(server) = &place {
            assert_eq!(server.violations(), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn the_signature_is_written_between_the_sums_and_the_entry() {
    let company = Company::new();
    let place = Place::bucket();
    let store = place.store().await;
    signed_run(&company, &store, ED25519, 1).await;
    let actions = place.server().actions();
    let puts: Vec<&str> = actions
        .iter()
        .filter(|action| action.method == "PUT")
        .map(|action| action.key.as_str())
        .collect();
    let signature = signature_name(&place.objects()[&entry_name(1)]);
    let [.., sums, key, before, last] = puts[..] else {
        panic!("{puts:?}");
    };
    assert!(sums.ends_with("/SHA256SUMS"), "{puts:?}");
    assert_eq!(
        [key, before, last],
        [key_name(ED25519_PUBLIC), signature, entry_name(1)]
    );
}

#[tokio::test]
async fn a_failure_record_is_signed_too() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    signed_run(&company, &store, P256, 1).await;
    company.set_world(World::scenario("down").expect("a scenario"), instant(2));
    let failed = company.run(&store, signed(P256, 2)).await;
    let failed = failed.map(|_| ()).expect_err("the run should fail");
    assert_eq!(failed.record.expect("a record").sequence, 2);
    let entries = ensure_signed(&place.objects(), &[P256_PUBLIC]);
    assert_eq!(entries[1].kind, EntryKind::Failure);
    ensure_clean(&signed_run(&company, &store, P256, 3).await);
    assert_eq!(built_on(&place.objects(), 3), (Some(1), Some(1)));
}

#[tokio::test]
async fn an_entry_that_cannot_be_signed_is_not_written() {
    let company = Company::new();
    let place = Place::bucket();
    let store = place.store().await;
    signed_run(&company, &store, ED25519, 1).await;
    place
        .server()
        .inject(Rule::on("PUT", ".sig", Fault::AccessDenied).always());
    let failed = run(&company, &store, signed(ED25519, 2)).await;
    let failed = failed.map(|_| ()).expect_err("the run should fail");
    assert_eq!(failed.error.exit(), Exit::Refused);
    assert_eq!(failed.record, None);
    assert!(!place.objects().contains_key(&entry_name(2)));
}

// ---- When signing begins, with which key, and that it does not stop ----

#[tokio::test]
async fn signing_can_begin_later_and_the_key_can_change() {
    let company = Company::new();
    for place in Place::both() {
        let store = place.store().await;
        company.quiet_run(&store, 1).await;
        company.quiet_run(&store, 2).await;
        let keys = [ED25519, ED25519, P256, ED25519];
        for (key, snapshot) in keys.into_iter().zip(3..) {
            ensure_clean(&signed_run(&company, &store, key, snapshot).await);
            let before = snapshot as u64 - 1;
            let objects = place.objects();
            assert_eq!(built_on(&objects, before + 1), (Some(before), Some(before)));
        }
        let objects = place.objects();
        let named: Vec<String> = ensure_intact(&objects)
            .into_iter()
            .map(|entry| entry.key_sha256)
            .collect();
        let [ed25519, p256] =
            [ED25519_PUBLIC, P256_PUBLIC].map(|key| public(key).sha256().to_owned());
        let none = || "none".to_owned();
        assert_eq!(
            named,
            [
                none(),
                none(),
                ed25519.clone(),
                ed25519.clone(),
                p256,
                ed25519
            ]
        );
    }
}

#[tokio::test]
async fn a_run_without_a_key_on_a_signed_ledger_writes_nothing() {
    let company = Company::new();
    for place in Place::both() {
        let store = place.store().await;
        signed_run(&company, &store, ED25519, 1).await;
        let before = place.objects();
        let failed = run(&company, &store, Run::at(instant(2))).await;
        let failed = failed.map(|_| ()).expect_err("the run should fail");
        assert_eq!(failed.error.exit(), Exit::Configuration);
        assert_eq!(failed.record, None);
        assert_eq!(place.objects(), before);

        // No failure is recorded on it either if the walk itself fails.
        if place.is_bucket() {
            let refused = Rule::on("GET", "/ledger/", Fault::AccessDenied);
            place.server().inject(refused);
            let failed = run(&company, &store, Run::at(instant(2))).await;
            let failed = failed.map(|_| ()).expect_err("the run should fail");
            assert_eq!(failed.error.exit(), Exit::Refused);
            assert_eq!(failed.record, None);
            assert_eq!(place.objects(), before);
        }
        ensure_clean(&signed_run(&company, &store, ED25519, 2).await);
    }
}

#[tokio::test]
async fn concurrent_runs_leave_no_unsigned_entry_after_a_signed_one() {
    let company = Company::new();
    let place = Place::bucket();
    let store = place.store().await;
    company.set_world(World::generated(12), instant(1));
    let suffixes: Vec<String> = (0..6).map(|racer| format!("racer{racer}")).collect();
    let runs = suffixes.iter().enumerate().map(|(racer, suffix)| {
        let signing_key = if racer % 2 == 0 { "" } else { P256 };
        company.run(
            &store,
            Run {
                suffix,
                signing_key,
                ..Run::at(instant(1))
            },
        )
    });
    for (racer, done) in join_all(runs).await.into_iter().enumerate() {
        match done {
            Ok(_) => {}
            Err(failed) => {
                assert_eq!(racer % 2, 0, "{}", failed.error.chain());
                assert_eq!(failed.error.exit(), Exit::Configuration);
            }
        }
    }
    let objects = place.objects();
    let signed: Vec<bool> = ensure_intact(&objects)
        .iter()
        .map(|entry| entry.key_sha256 != "none")
        .collect();
    assert!(signed.is_sorted(), "{signed:?}");
    ensure_clean(&signed_run(&company, &store, P256, 2).await);
}

// ---- Races and kills ----

#[tokio::test]
async fn concurrent_signing_runs_keep_one_chain_of_signed_entries() {
    let company = Company::new();
    for racers in [2_u64, 8] {
        let place = Place::bucket();
        let store = place.store().await;
        company.set_world(World::generated(12), instant(1));
        let suffixes: Vec<String> = (0..racers).map(|racer| format!("racer{racer}")).collect();
        let runs = suffixes.iter().enumerate().map(|(racer, suffix)| {
            let (signing_key, _) = KEYS[racer % 2];
            let run = Run {
                suffix,
                signing_key,
                ..Run::at(instant(1))
            };
            company.run(&store, run)
        });
        for done in join_all(runs).await {
            done.map_err(|failed| failed.error.chain()).expect("a run");
        }
        let keys = [ED25519_PUBLIC, P256_PUBLIC];
        let entries = ensure_signed(&place.objects(), &keys);
        assert_eq!(entries.len() as u64, racers);
        ensure_clean(&signed_run(&company, &store, P256, 2).await);
        assert_eq!(place.server().violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_run_killed_between_signature_and_entry_leaves_no_fault() {
    let company = Company::new();
    let place = Place::bucket();
    let (store, server) = (place.store().await, place.server());
    signed_run(&company, &store, P256, 1).await;
    company.set_world(World::generated(12), instant(2));
    let run = company.run(&store, signed(P256, 2));
    kill_at_put(server, &entry_name(2), run).await;
    let killed = place.objects();
    assert_eq!(ensure_signed(&killed, &[P256_PUBLIC]).len(), 1);
    let signatures = killed.keys().filter(|name| name.ends_with(".sig"));
    assert_eq!(signatures.count(), 2, "one signs nothing");

    ensure_clean(&signed_run(&company, &store, P256, 3).await);
    let objects = place.objects();
    assert_eq!(ensure_signed(&objects, &[P256_PUBLIC]).len(), 2);
    assert_eq!(built_on(&objects, 2), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_signature_with_a_lost_answer_is_recognised() {
    let company = Company::new();
    let place = Place::bucket();
    let (store, server) = (place.store().await, place.server());
    for put in [".sig", "/keys/", "/ledger/0000000001.json"] {
        server.inject(Rule::on("PUT", put, Fault::LostAnswer));
    }
    let done = signed_run(&company, &store, P256, 1).await;
    assert_eq!(done.committed.sequence, 1);
    assert_eq!(ensure_signed(&place.objects(), &[P256_PUBLIC]).len(), 1);
    assert_eq!(server.count("PUT", ".sig"), 2);
}

// ---- Tampering ----

fn signature_of(objects: &Objects, sequence: u64) -> String {
    signature_name(&objects[&entry_name(sequence)])
}

const TAMPERINGS: &[Tampering] = &[
    Tampering {
        what: "the last signature is deleted",
        done: |place, objects| place.remove(&signature_of(objects, 3)),
        fault: "entry 3: it names a key, but its signature is missing",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last signature is modified",
        done: |place, objects| {
            let name = signature_of(objects, 3);
            let mut signature = objects[&name].clone();
            *signature.last_mut().expect("a byte") ^= 1;
            place.put(&name, &signature);
        },
        fault: "entry 3: its signature does not match its bytes and the key that it names",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last signature is that of another entry",
        done: |place, objects| {
            let other = &objects[&signature_of(objects, 2)];
            place.put(&signature_of(objects, 3), other);
        },
        fault: "entry 3: its signature does not match its bytes and the key that it names",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last signature is empty",
        done: |place, objects| place.put(&signature_of(objects, 3), b""),
        fault: "entry 3: its signature does not match its bytes and the key that it names",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry is rewritten",
        done: |place, objects| {
            rewritten(place, objects, 3, |entry| entry.complete = false);
        },
        fault: "entry 3: it names a key, but its signature is missing",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry is rewritten, and its old signature put under its new name",
        done: |place, objects| {
            rewritten(place, objects, 3, |entry| entry.complete = false);
            let name = signature_of(&place.objects(), 3);
            place.put(&name, &objects[&signature_of(objects, 3)]);
        },
        fault: "entry 3: its signature does not match its bytes and the key that it names",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry is rewritten without a signature",
        done: |place, objects| {
            rewritten(place, objects, 3, |entry| {
                entry.key_sha256 = "none".to_owned()
            });
        },
        fault: "entry 3: it is not signed, but the earlier entry 2 is",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry names a key that does not exist",
        done: |place, objects| {
            rewritten(place, objects, 3, |entry| {
                entry.key_sha256 = "ab".repeat(32)
            });
        },
        fault: "entry 3: its public key abababababababababababababababababababababababababababababababab \
                is missing; entry 3: it names a key, but its signature is missing",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry names a key that is not a hash",
        done: |place, objects| {
            rewritten(place, objects, 3, |entry| {
                entry.key_sha256 = "../../elsewhere".to_owned();
            });
        },
        fault: "entry 3: the name of its key is not a SHA-256",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "an entry in the middle loses its signature",
        done: |place, objects| place.remove(&signature_of(objects, 2)),
        fault: "entry 2: it names a key, but its signature is missing",
        built_on: 3,
        stays: true,
    },
];

#[tokio::test]
async fn a_bad_signature_is_recorded_and_the_last_intact_run_is_used() {
    let company = Company::new();
    for place in Place::both() {
        let store = place.store().await;
        for snapshot in 1..=3 {
            signed_run(&company, &store, ED25519, snapshot).await;
        }
        let three = place.objects();
        // In a bucket, only every fourth, because the code is the same.
        let step = if place.is_bucket() { 4 } else { 1 };
        for tampering in TAMPERINGS.iter().step_by(step) {
            let run = async |snapshot| signed_run(&company, &store, ED25519, snapshot).await;
            let (five, sequence) = tampering.walk(&place, &three, run).await;
            // The chain continues, signed.
            let key = public(ED25519_PUBLIC);
            for sequence in [sequence, sequence + 1] {
                let bytes = &five[&entry_name(sequence)];
                let signature = &five[&signature_name(bytes)];
                assert!(key.verify(bytes, signature), "{}", tampering.what);
            }
            place.restore(&three, &five);
        }
    }
}

#[tokio::test]
async fn a_faulty_public_key_is_recorded_and_its_owner_can_continue() {
    let company = Company::new();
    let name = key_name(ED25519_PUBLIC);
    let sha256 = public(ED25519_PUBLIC).sha256().to_owned();
    let missing = format!("public key {sha256} is missing");
    let modified = format!("public key {sha256} was modified");
    let place = Place::folder();
    let store = place.store().await;
    for snapshot in 1..=2 {
        signed_run(&company, &store, ED25519, snapshot).await;
    }
    let two = place.objects();

    // Its owner puts it back.
    place.remove(&name);
    ensure_fault(&signed_run(&company, &store, ED25519, 3).await, &missing);
    let three = place.objects();
    assert_eq!(three[&name], ED25519_PUBLIC.as_bytes());
    assert_eq!(built_on(&three, 3), (Some(2), Some(2)));
    ensure_clean(&signed_run(&company, &store, ED25519, 4).await);
    place.restore(&two, &place.objects());

    // The file is not replaced, and it does not stop a run.
    for other in [P256_PUBLIC, "garbage"] {
        place.put(&name, other.as_bytes());
        ensure_fault(&signed_run(&company, &store, ED25519, 3).await, &modified);
        assert_eq!(built_on(&place.objects(), 3), (Some(2), Some(2)));
        let done = signed_run(&company, &store, ED25519, 4).await;
        ensure_recorded_before(&done, &modified);
        assert_eq!(place.objects()[&name], other.as_bytes());
        place.restore(&two, &place.objects());
    }

    // For a run with another key, no entry is trusted without the missing public key.
    place.remove(&name);
    let done = signed_run(&company, &store, P256, 3).await;
    ensure_fault(&done, &missing);
    assert_eq!(built_on(&place.objects(), 3), (None, None));
}

#[tokio::test]
async fn an_entry_signed_with_a_key_it_does_not_name_is_not_trusted() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    signed_run(&company, &store, ED25519, 1).await;
    signed_run(&company, &store, ED25519, 2).await;
    let two = place.objects();
    rewritten(&place, &two, 2, |entry| entry.complete = false);
    let forged = &place.objects()[&entry_name(2)];
    let other = PrivateKey::from_pem(&SecretString::from(P256)).expect("a key");
    let signature = other.sign(forged).expect("a signature");
    place.put(&signature_name(forged), &signature);
    let done = signed_run(&company, &store, ED25519, 3).await;
    ensure_fault(
        &done,
        "entry 2: its signature does not match its bytes and the key that it names",
    );
    assert_eq!(built_on(&place.objects(), 3), (Some(1), Some(1)));
}

#[tokio::test]
async fn unsigned_entries_after_a_signed_one_are_not_trusted() {
    let company = Company::new();
    let forger = Place::folder();
    let store = forger.store().await;
    for snapshot in 1..=12 {
        company.quiet_run(&store, snapshot).await;
    }
    // The runs are complete, but their entries were written without the key.
    let forged = forger.objects();
    for failure_follows in [false, true] {
        let place = Place::folder();
        for (name, bytes) in &forged {
            place.put(name, bytes);
        }
        let mut first = entry(&forged, 1);
        first.key_sha256 = public(ED25519_PUBLIC).sha256().to_owned();
        let mut previous = String::new();
        for sequence in 1..=12 {
            let mut link = match sequence {
                1 => first.clone(),
                _ => entry(&forged, sequence),
            };
            if sequence > 1 {
                link.previous_sha256 = previous;
            }
            let bytes = link.to_bytes();
            place.put(&entry_name(sequence), &bytes);
            if sequence == 1 {
                let key = PrivateKey::from_pem(&SecretString::from(ED25519)).expect("a key");
                let signature = key.sign(&bytes).expect("a signature");
                place.put(&signature_name(&bytes), &signature);
                place.put(&key_name(ED25519_PUBLIC), ED25519_PUBLIC.as_bytes());
            }
            previous = sha256(&bytes);
        }
        let store = place.store().await;
        let mut snapshot = 13;
        if failure_follows {
            company.set_world(
                World::scenario("down").expect("a scenario"),
                instant(snapshot),
            );
            let failed = company.run(&store, signed(ED25519, snapshot)).await;
            assert!(failed.expect_err("the run should fail").record.is_some());
            snapshot += 1;
        }
        let done = signed_run(&company, &store, ED25519, snapshot).await;
        ensure_fault(
            &done,
            "entry 12: it is not signed, but the earlier entry 1 is",
        );
        let sequence = done.committed.sequence;
        assert_eq!(
            built_on(&place.objects(), sequence),
            (Some(1), Some(1)),
            "{failure_follows}"
        );
    }
}

// ---- What an auditor does, without our program ----

/// A job that signs with the key in a file.
fn signing_job(key: &str) -> Job {
    let job =
        Job::scenario("healthy", LEFT_AND_GONE).env("EVIDENCE_SIGNING_KEY_FILE", "signing.pem");
    fs::write(job.folder.path().join("signing.pem"), key).expect("a key");
    job
}

/// The command that checks a signature of this kind of key, from the documentation.
fn check_in_the_documentation(public: &str) -> String {
    let check = match public {
        ED25519_PUBLIC => the_one("openssl pkeyutl -verify"),
        _ => the_one("openssl dgst -sha256 -verify"),
    };
    format!("{}\n{check}", the_one("signature="))
}

#[test]
fn openssl_checks_our_signatures_with_the_lines_in_the_documentation() {
    if !has(&TOOLS) {
        return;
    }
    for (key, public_key) in KEYS {
        let job = signing_job(key);
        for _ in 0..2 {
            assert_eq!(job.run().code, 0);
        }
        let ledger = job.connection().join("ledger");
        let pinned = job.folder.path().join("signing.pub.pem");
        fs::write(&pinned, public_key).expect("a key");
        let pinned = pinned.display().to_string();
        let lines = check_in_the_documentation(public_key);
        for sequence in 1..=2 {
            let entry = format!("{sequence:010}.json");
            let variables = [("entry", entry.as_str()), ("key", pinned.as_str())];
            let (is_sound, reported) = shell(&ledger, &lines, &variables);
            assert!(is_sound, "{reported}");
            let hash = the_one("openssl pkey -pubin");
            let (_, reported) = shell(&ledger, &hash, &variables);
            let named = job.entry(sequence)["key_sha256"]
                .as_str()
                .expect("a hash")
                .to_owned();
            assert!(reported.starts_with(&named), "{reported}");

            // With another key, and with another entry, the same signature is refused.
            let other = KEYS.iter().find(|(_, other)| *other != public_key);
            let other_key = job.folder.path().join("other.pub.pem");
            fs::write(&other_key, other.expect("another").1).expect("a key");
            let other_key = other_key.display().to_string();
            let variables = [("entry", entry.as_str()), ("key", other_key.as_str())];
            let (is_sound, reported) = shell(&ledger, &lines, &variables);
            assert!(!is_sound, "{reported}");
        }
        let bytes = fs::read(ledger.join("0000000001.json")).expect("an entry");
        let text = String::from_utf8(bytes.clone()).expect("text");
        let forged = text.replace("\"pass\"", "\"fail\"");
        fs::write(ledger.join("forged.json"), &forged).expect("a file");
        let of = |bytes: &[u8]| ledger.join(format!("{}.sig", sha256(bytes)));
        fs::copy(of(&bytes), of(forged.as_bytes())).expect("a copy");
        let variables = [("entry", "forged.json"), ("key", pinned.as_str())];
        let (is_sound, reported) = shell(&ledger, &lines, &variables);
        assert!(!is_sound, "{reported}");
    }
}

#[test]
fn keys_made_with_the_lines_in_the_documentation_are_accepted() {
    if !has(&TOOLS) {
        return;
    }
    let made = the_one("openssl genpkey");
    let (made, or) = made.split_once("# or: ").expect("another kind");
    let other = made.replace("-algorithm ed25519", or);
    assert_ne!(made, other);
    for made in [made, other.as_str()] {
        let job = signing_job("");
        fs::remove_file(job.folder.path().join("signing.pem")).expect("a file");
        let lines = format!("{made}\n{}", the_one("openssl pkey -in signing.pem"));
        let (is_made, reported) = shell(job.folder.path(), &lines, &[]);
        assert!(is_made, "{reported}");
        assert_eq!(job.run().code, 0);
        let pinned = job.folder.path().join("signing.pub.pem");
        let pinned = fs::read_to_string(pinned).expect("a public key");
        assert_eq!(
            job.entry(1)["key_sha256"].as_str(),
            Some(public(&pinned).sha256())
        );
    }
}

/// The lines that a page tells the reader to type, as a browser shows them.
fn typed(page: &str) -> Vec<String> {
    page.split("<pre class=\"shell\">")
        .skip(1)
        .map(|rest| rest.split("</pre>").next().unwrap_or_default())
        .map(|text| {
            let mut text = text.to_owned();
            for (entity, c) in [
                ("&#34;", "\""),
                ("&#39;", "'"),
                ("&lt;", "<"),
                ("&gt;", ">"),
            ] {
                text = text.replace(entity, c);
            }
            text.replace("&#38;", "&").replace("&amp;", "&")
        })
        .collect()
}

#[test]
fn openssl_checks_our_signatures_with_the_lines_in_the_report() {
    if !has(&TOOLS) {
        return;
    }
    for (key, public_key) in KEYS {
        let job = signing_job(key);
        assert_eq!(job.run().code, 0);
        job.simulator
            .set_world(World::scenario("down").expect("a scenario"));
        assert_eq!(job.run().code, 75);
        for sequence in 1..=2 {
            let folder = job.run_folder(sequence);
            let page = job.text(sequence, "report.html");
            assert!(page.contains(public(public_key).sha256()));
            let lines = typed(&page).join("\n");
            fs::write(folder.join("KEY.pem"), public_key).expect("a key");
            let (is_sound, reported) = shell(&folder, &lines, &[]);
            assert!(is_sound, "{reported}");
            let last = reported.lines().last().unwrap_or_default();
            assert!(
                ["Verified OK", "Signature Verified Successfully"].contains(&last),
                "{reported}"
            );
        }
    }
}

#[test]
fn the_report_of_an_unsigned_run_has_no_lines_to_check_it() {
    let unsigned = Job::scenario("healthy", LEFT_AND_GONE);
    assert_eq!(unsigned.run().code, 0);
    let page = unsigned.text(1, "report.html");
    assert!(!page.contains("openssl") && page.contains("is not signed"));
}

// ---- What an operator sees ----

fn reported(job: &Job) -> String {
    job.reported(&job.run())
}

#[test]
fn exit_78_a_signed_ledger_and_no_key() {
    let job = signing_job(ED25519);
    assert_eq!(job.run().code, 0);
    let job = job.env("EVIDENCE_SIGNING_KEY_FILE", "");
    insta::assert_snapshot!(reported(&job));
    assert_eq!(job.json(1, "result.json")["verdict"], "pass");
    assert_eq!(job.entries(), 2, "an entry and its signature");
}

#[test]
fn exit_78_keys_that_cannot_sign() {
    let sec1 = include_str!("../keys/p256-sec1.test-key.pem");
    let encrypted = include_str!("../keys/p256-encrypted.test-key.pem");
    let on_one_line = ED25519.replace('\n', " ");
    let mut texts = BTreeMap::new();
    for (what, key) in [
        ("sec1", sec1),
        ("encrypted", encrypted),
        ("on_one_line", &on_one_line),
        ("no_pem", "/run/secrets/signing.pem"),
    ] {
        let job = signing_job(key).env("RUST_LOG", "trace");
        let ended = job.run();
        assert_eq!(ended.code, 78, "{ended:?}");
        ensure_no_part_of_key(key, &ended.stdout);
        ensure_no_part_of_key(key, &ended.stderr);
        assert!(!job.evidence().exists());
        texts.insert(what, reported(&job.env("RUST_LOG", "off")));
        // The variable itself is checked in the same way.
        let job = Job::scenario("healthy", LEFT_AND_GONE).env("EVIDENCE_SIGNING_KEY", key);
        assert_eq!(reported(&job), texts[what]);
    }
    insta::assert_snapshot!(
        texts
            .into_iter()
            .map(|(what, reported)| format!("== {what}\n{reported}"))
            .collect::<String>()
    );
}

/// Checks that no part of a key's body is in a text.
fn ensure_no_part_of_key(key: &str, text: &str) {
    for word in key.split_whitespace().filter(|word| word.len() >= 20) {
        for start in 0..=word.len() - 20 {
            assert!(!text.contains(&word[start..start + 20]), "{text}");
        }
    }
}

#[test]
fn no_part_of_a_key_is_printed_stored_or_logged() {
    for (key, _) in KEYS {
        let job = signing_job(key).env("RUST_LOG", "trace");
        let ended = job.run();
        assert_eq!(ended.code, 0, "{ended:?}");
        ensure_no_part_of_key(key, &ended.stdout);
        ensure_no_part_of_key(key, &ended.stderr);
        for (name, bytes) in crate::support::job::tree(&job.evidence()) {
            ensure_no_part_of_key(key, &format!("{name} {}", String::from_utf8_lossy(&bytes)));
        }
    }
}
