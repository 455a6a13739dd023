//! Ledgers signed by a key in AWS KMS: the requests, the result of each answer, and a check of the
//! signatures with stock openssl.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::company::{
    Company, Objects, Place, Run, below, built_on, ensure_clean, ensure_intact, entry_name,
    instant, ledger_check, sha256,
};
use crate::support::job::{Job, LEFT_AND_GONE, masked, tree};
use crate::support::kms::{ALIAS, Fault, GET_PUBLIC_KEY, KEYS, KmsServer, Rule, SIGN};
use crate::support::s3::S3Server;
use crate::support::shell::{TOOLS, shell, the_one};
use asana_access_review::cli::exit::Exit;
use asana_access_review::commands::run::{Done, Failed};
use asana_access_review::evidence::EntryKind;
use asana_access_review::judgement::CheckStatus;
use asana_access_review::signing::SigningKey;
use asana_access_review::store::Store;
use futures_util::future::join_all;
use serde_json::json;
use truto_simulator::World;

const ED25519_PUBLIC: &str = include_str!("../keys/ed25519.pub.pem");
const ED25519: &str = include_str!("../keys/ed25519.test-key.pem");

async fn opened(kms: &KmsServer, id: &str) -> SigningKey {
    kms.open(id).await.expect("a key")
}

/// A run signed by the key that the alias names.
async fn snapshot(kms: &KmsServer, company: &Company, store: &Store, snapshot: i64) -> Done {
    attempted(kms, company, store, snapshot)
        .await
        .map_err(|failed| failed.error.chain())
        .expect("a run")
}

async fn attempted(
    kms: &KmsServer,
    company: &Company,
    store: &Store,
    snapshot: i64,
) -> Result<Done, Failed> {
    company.set_world(World::generated(12), instant(snapshot));
    let key = opened(kms, ALIAS).await;
    company
        .run_signing(store, key, Run::at(instant(snapshot)))
        .await
}

fn signature_of(objects: &Objects, sequence: u64) -> &[u8] {
    let entry = &objects[&entry_name(sequence)];
    &objects[&below(&format!("ledger/{}.sig", sha256(entry)))]
}

/// Every object except the files of runs.
fn in_the_ledger(objects: &Objects) -> Vec<&String> {
    let is_ledger = |name: &&String| name.contains("/ledger/") || name.contains("/keys/");
    objects.keys().filter(is_ledger).collect()
}

// ---- What is written ----

#[tokio::test]
async fn every_entry_is_signed_by_the_key_over_exactly_its_bytes() {
    let company = Company::new();
    for place in Place::both() {
        let kms = KmsServer::start();
        let store = place.store().await;
        let first = snapshot(&kms, &company, &store, 1).await;
        assert_eq!(ledger_check(&first).status, CheckStatus::Warn);
        for later in 2..=3 {
            ensure_clean(&snapshot(&kms, &company, &store, later).await);
        }
        let objects = place.objects();
        let entries = ensure_intact(&objects);
        let asked = kms.asked();
        let signed: Vec<_> = asked.iter().filter(|asked| asked.action == SIGN).collect();
        assert_eq!((entries.len(), signed.len()), (3, 3));
        let public = kms.public(0);
        for (entry, asked) in entries.iter().zip(signed) {
            let bytes = &objects[&entry_name(entry.sequence)];
            assert_eq!(asked.message, *bytes);
            assert_eq!(asked.key_id, ALIAS);
            assert_eq!(entry.key_sha256, public.sha256());
            assert!(public.verify(bytes, signature_of(&objects, entry.sequence)));
        }
        let beside = &objects[&below(&format!("keys/{}.pem", public.sha256()))];
        assert_eq!(*beside, public.to_pem().as_bytes());
        assert_eq!(in_the_ledger(&objects).len(), 3 + 3 + 1);
        assert_eq!(kms.count(GET_PUBLIC_KEY), 3, "once a run");
        assert_eq!(kms.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_ledger_can_change_between_own_keys_and_keys_in_kms() {
    let company = Company::new();
    for place in Place::both() {
        let kms = KmsServer::start();
        let store = place.store().await;
        company.quiet_run(&store, 1).await;
        let own = Run {
            signing_key: ED25519,
            ..Run::at(instant(2))
        };
        company.set_world(World::generated(12), instant(2));
        ensure_clean(&company.run(&store, own).await.expect("a run"));
        ensure_clean(&snapshot(&kms, &company, &store, 3).await);
        kms.point_alias_to(1);
        ensure_clean(&snapshot(&kms, &company, &store, 4).await);
        ensure_clean(&snapshot(&kms, &company, &store, 5).await);
        company.set_world(World::generated(12), instant(6));
        let own = Run::at(instant(6));
        let own = Run {
            signing_key: ED25519,
            ..own
        };
        ensure_clean(&company.run(&store, own).await.expect("a run"));

        let objects = place.objects();
        let named: Vec<String> = ensure_intact(&objects)
            .into_iter()
            .map(|entry| entry.key_sha256)
            .collect();
        let [first, second] = [0, 1].map(|key| kms.public(key).sha256());
        let own = &named[1];
        let expected = ["none", own, first, second, second, own];
        assert_eq!(named, expected);
        assert_eq!(built_on(&objects, 6), (Some(5), Some(5)));
    }
}

#[tokio::test]
async fn a_signed_ledger_gets_no_unsigned_entry_if_kms_is_unset() {
    let company = Company::new();
    let kms = KmsServer::start();
    let place = Place::folder();
    let store = place.store().await;
    snapshot(&kms, &company, &store, 1).await;
    let before = place.objects();
    company.set_world(World::generated(12), instant(2));
    let failed = company.run(&store, Run::at(instant(2))).await;
    let failed = failed.map(|_| ()).expect_err("the run should fail");
    assert_eq!(failed.error.exit(), Exit::Configuration);
    let hint = failed.error.hint().expect("a hint");
    assert!(hint.contains("EVIDENCE_SIGNING_KMS_KEY_ID"), "{hint}");
    assert_eq!(place.objects(), before);
}

#[tokio::test]
async fn concurrent_runs_each_sign_their_own_entry() {
    let company = Company::new();
    let kms = KmsServer::start();
    let place = Place::bucket();
    let store = place.store().await;
    company.set_world(World::generated(12), instant(1));
    let key = opened(&kms, ALIAS).await;
    let suffixes: Vec<String> = (0..6).map(|racer| format!("racer{racer}")).collect();
    let runs = suffixes.iter().map(|suffix| {
        let run = Run {
            suffix,
            ..Run::at(instant(1))
        };
        company.run_signing(&store, key.clone(), run)
    });
    for done in join_all(runs).await {
        done.map_err(|failed| failed.error.chain()).expect("done");
    }
    let objects = place.objects();
    let entries = ensure_intact(&objects);
    assert_eq!(entries.len(), 6);
    for entry in entries {
        let bytes = &objects[&entry_name(entry.sequence)];
        let signature = signature_of(&objects, entry.sequence);
        assert!(kms.public(0).verify(bytes, signature));
    }
    assert_eq!(place.server().violations(), Vec::<String>::new());
    ensure_clean(&snapshot(&kms, &company, &store, 2).await);
}

// ---- What KMS answers when it is asked to sign ----

#[tokio::test]
async fn a_signature_that_does_not_verify_is_never_stored() {
    let company = Company::new();
    for (what, fault) in [
        ("of other bytes", Fault::OtherBytes),
        ("of another key", Fault::OtherKey),
        ("no signature", Fault::Bytes(b"signature".to_vec())),
        ("empty", Fault::Bytes(Vec::new())),
        ("none", Fault::Members(json!({ "Signature": null }))),
    ] {
        for place in Place::both() {
            let kms = KmsServer::start();
            let store = place.store().await;
            snapshot(&kms, &company, &store, 1).await;
            let before = place.objects();
            kms.inject(Rule::on(SIGN, fault.clone()));
            let failed = attempted(&kms, &company, &store, 2).await;
            let failed = failed.map(|_| ()).expect_err(what);
            assert_eq!(failed.error.exit(), Exit::Unexpected, "{what}");
            assert_eq!(failed.record, None, "{what}");
            let reported = failed.error.chain();
            assert!(reported.ends_with("does not verify with the public half of the key"));
            assert_eq!(
                in_the_ledger(&place.objects()),
                in_the_ledger(&before),
                "{what}"
            );
            assert_eq!(kms.count(SIGN), 2, "{what}");

            kms.heal();
            ensure_clean(&snapshot(&kms, &company, &store, 3).await);
            assert_eq!(built_on(&place.objects(), 2), (Some(1), Some(1)));
        }
    }
}

#[tokio::test]
async fn an_alias_that_changes_its_key_during_a_run_signs_nothing() {
    let company = Company::new();
    let kms = KmsServer::start();
    let place = Place::folder();
    let store = place.store().await;
    company.set_world(World::generated(12), instant(1));
    let key = opened(&kms, ALIAS).await;
    kms.point_alias_to(1);
    let failed = company.run_signing(&store, key, Run::at(instant(1))).await;
    let failed = failed.map(|_| ()).expect_err("the run should fail");
    assert_eq!(failed.error.exit(), Exit::Unexpected);
    let hint = failed.error.hint().expect("a hint");
    assert!(hint.contains("run again"), "{hint}");
    // The public key of that run is stored, but no entry names it.
    let objects = place.objects();
    let [key] = in_the_ledger(&objects)[..] else {
        panic!("an entry or a signature");
    };
    assert!(key.ends_with(&format!("{}.pem", kms.public(0).sha256())));
    snapshot(&kms, &company, &store, 2).await;
}

#[tokio::test]
async fn if_signing_fails_neither_entry_nor_record_is_written() {
    let company = Company::new();
    for (fault, exit, attempts) in [
        (Fault::error("AccessDeniedException"), Exit::Refused, 1),
        (Fault::error("DisabledException"), Exit::Refused, 1),
        (Fault::error("KMSInvalidStateException"), Exit::Refused, 1),
        (Fault::error("ExpiredTokenException"), Exit::Refused, 1),
        (Fault::error("NotFoundException"), Exit::Configuration, 1),
        (
            Fault::error("InvalidKeyUsageException"),
            Exit::Configuration,
            1,
        ),
        (Fault::Page(404), Exit::Configuration, 1),
        // The SDK makes four attempts for the entry, and four more for the failure record.
        (Fault::error("ThrottlingException"), Exit::Transient, 8),
        (
            Fault::Error(500, "KMSInternalException"),
            Exit::Transient,
            8,
        ),
        (
            Fault::Error(503, "KeyUnavailableException"),
            Exit::Transient,
            8,
        ),
        (Fault::Page(502), Exit::Transient, 8),
        (Fault::Reset, Exit::Transient, 8),
        (Fault::Slow(Duration::from_secs(30)), Exit::Transient, 8),
    ] {
        let what = format!("{fault:?}");
        let kms = KmsServer::start();
        let place = Place::folder();
        let store = place.store().await;
        snapshot(&kms, &company, &store, 1).await;
        let before = place.objects();
        kms.inject(Rule::on(SIGN, fault));
        let failed = attempted(&kms, &company, &store, 2).await;
        let failed = failed.map(|_| ()).expect_err(&what);
        assert_eq!(
            failed.error.exit(),
            exit,
            "{what}: {}",
            failed.error.chain()
        );
        assert_eq!(failed.record, None, "{what}");
        assert_eq!(
            in_the_ledger(&place.objects()),
            in_the_ledger(&before),
            "{what}"
        );
        assert_eq!(kms.count(SIGN), 1 + attempts, "{what}");

        kms.heal();
        ensure_clean(&snapshot(&kms, &company, &store, 3).await);
    }
}

#[tokio::test]
async fn a_transient_error_of_kms_is_retried() {
    let company = Company::new();
    for fault in [
        Fault::error("ThrottlingException"),
        Fault::Error(500, "KMSInternalException"),
        Fault::Reset,
    ] {
        let kms = KmsServer::start();
        let place = Place::folder();
        let store = place.store().await;
        kms.inject(Rule::on(GET_PUBLIC_KEY, fault.clone()).times(2));
        kms.inject(Rule::on(SIGN, fault).times(2));
        snapshot(&kms, &company, &store, 1).await;
        assert_eq!((kms.count(GET_PUBLIC_KEY), kms.count(SIGN)), (3, 3));
        ensure_clean(&snapshot(&kms, &company, &store, 2).await);
    }
}

#[tokio::test]
async fn a_failure_record_is_signed_in_kms_or_not_written() {
    let company = Company::new();
    let kms = KmsServer::start();
    let place = Place::folder();
    let store = place.store().await;
    snapshot(&kms, &company, &store, 1).await;
    let down = async |snapshot: i64| {
        let world = World::scenario("down").expect("a scenario");
        company.set_world(world, instant(snapshot));
        let key = opened(&kms, ALIAS).await;
        let failed = company.run_signing(&store, key, Run::at(instant(snapshot)));
        failed.await.map(|_| ()).expect_err("the run should fail")
    };
    let failed = down(2).await;
    assert_eq!(failed.record.expect("a record").sequence, 2);
    let objects = place.objects();
    assert_eq!(ensure_intact(&objects)[1].kind, EntryKind::Failure);
    let signature = signature_of(&objects, 2);
    assert!(kms.public(0).verify(&objects[&entry_name(2)], signature));

    kms.inject(Rule::on(SIGN, Fault::error("AccessDeniedException")));
    let failed = down(3).await;
    // The error of the run itself is reported.
    assert_eq!(failed.error.exit(), Exit::Transient);
    assert_eq!(failed.record, None);
    assert_eq!(in_the_ledger(&place.objects()), in_the_ledger(&objects));

    // A run that was lost because KMS was unavailable for a moment leaves a failure record.
    kms.heal();
    kms.inject(Rule::on(SIGN, Fault::Error(500, "KMSInternalException")).times(4));
    let failed = attempted(&kms, &company, &store, 4).await;
    let failed = failed.map(|_| ()).expect_err("the run should fail");
    assert_eq!(failed.error.exit(), Exit::Transient);
    assert_eq!(failed.record.expect("a record").sequence, 3);
    ensure_clean(&snapshot(&kms, &company, &store, 5).await);
}

// ---- What KMS answers when it is asked for the public key ----

#[tokio::test]
async fn only_a_p256_signing_key_is_accepted() {
    let kms = KmsServer::start();
    for (others, why) in [
        (
            json!({ "KeySpec": "RSA_2048" }),
            "its spec is `RSA_2048`, not `ECC_NIST_P256`",
        ),
        (
            json!({ "KeySpec": "ECC_NIST_EDWARDS25519" }),
            "its spec is `ECC_NIST_EDWARDS25519`, not `ECC_NIST_P256`",
        ),
        (
            json!({ "KeySpec": "A_KIND_OF_TOMORROW" }),
            "its spec is `A_KIND_OF_TOMORROW`, not `ECC_NIST_P256`",
        ),
        (
            json!({ "KeyUsage": "KEY_AGREEMENT", "SigningAlgorithms": null }),
            "its usage is `KEY_AGREEMENT`, not `SIGN_VERIFY`",
        ),
        (
            json!({ "SigningAlgorithms": ["ECDSA_SHA_384"] }),
            "it does not sign with `ECDSA_SHA_256`",
        ),
        (
            json!({ "PublicKey": null }),
            "its public half is not a P-256 key",
        ),
        (
            json!({ "PublicKey": "AAAA" }),
            "its public half is not a P-256 key",
        ),
        (
            // The public half of an Ed25519 key.
            json!({ "PublicKey": ED25519_PUBLIC.lines().nth(1) }),
            "its public half is not a P-256 key",
        ),
    ] {
        kms.inject(Rule::on(GET_PUBLIC_KEY, Fault::Members(others)));
        let error = kms.open(ALIAS).await.expect_err(why);
        assert_eq!(
            error.to_string(),
            format!("the KMS key `{ALIAS}` cannot sign ledger entries: {why}")
        );
        assert_eq!(Exit::from(error.kind()), Exit::Configuration);
        assert!(error.hint().expect("a hint").contains("ECC_NIST_P256"));
        kms.heal();
    }
    // Members that an older or another KMS omits are not an error.
    let silent =
        json!({ "KeySpec": null, "KeyUsage": null, "SigningAlgorithms": null, "KeyId": null });
    kms.inject(Rule::on(GET_PUBLIC_KEY, Fault::Members(silent)));
    let key = kms.open(ALIAS).await.expect("a key");
    assert_eq!(key.public(), kms.public(0));
}

#[tokio::test]
async fn a_key_is_found_by_its_id_its_alias_and_its_arn() {
    let kms = KmsServer::start();
    let arn = format!("arn:aws:kms:eu-west-1:111122223333:key/{}", KEYS[1]);
    for (id, key) in [(ALIAS, 0), (KEYS[0], 0), (KEYS[1], 1), (&arn, 1)] {
        let opened = opened(&kms, id).await;
        assert_eq!(opened.public(), kms.public(key), "{id}");
        let signature = opened.sign(b"an entry").await.expect("a signature");
        assert!(kms.public(key).verify(b"an entry", &signature));
        assert!(!format!("{opened:?}").contains("secret"));
    }
    assert_eq!(kms.violations(), Vec::<String>::new());
}

/// A job that signs in this KMS.
fn signing_job(kms: &KmsServer) -> Job {
    kms.env().into_iter().fold(
        Job::scenario("healthy", LEFT_AND_GONE).env("EVIDENCE_SIGNING_KMS_KEY_ID", ALIAS),
        |job, (name, value)| job.env(name, &value),
    )
}

fn reported(job: &Job) -> String {
    let ended = job.run();
    let stdout = masked(&ended.stdout, job.folder.path());
    let stderr = masked(&ended.stderr, job.folder.path());
    format!(
        "exit {}\n--- stdout\n{stdout}--- stderr\n{stderr}",
        ended.code
    )
}

#[test]
fn each_error_of_a_kms_key_has_a_message_and_a_hint() {
    let mut texts = String::new();
    for fault in [
        Fault::error("AccessDeniedException"),
        Fault::error("NotFoundException"),
        Fault::error("DisabledException"),
        Fault::error("KMSInvalidStateException"),
        Fault::error("UnsupportedOperationException"),
        Fault::error("UnrecognizedClientException"),
        Fault::error("InvalidSignatureException"),
        Fault::error("ValidationException"),
        Fault::Error(500, "KMSInternalException"),
        Fault::Page(404),
        Fault::Page(200),
        Fault::Members(json!({ "KeySpec": "ECC_NIST_P384" })),
    ] {
        let kms = KmsServer::start();
        kms.inject(Rule::on(GET_PUBLIC_KEY, fault.clone()));
        let job = signing_job(&kms);
        texts += &format!("== {fault:?}\n{}", reported(&job));
        // Truto was not asked, and nothing was written.
        assert_eq!(job.simulator.requests().len(), 0, "{fault:?}");
        assert!(!job.evidence().exists(), "{fault:?}");
    }
    insta::assert_snapshot!(texts);
}

#[test]
fn an_unreachable_kms_is_exit_75_and_leaves_no_record() {
    let kms = KmsServer::start();
    let gone = signing_job(&kms);
    drop(kms);
    let ended = gone.env("RUST_LOG", "info").run();
    assert_eq!(ended.code, 75, "{}", ended.stderr);
    let reported = "Stored no failure record: its entry could not be signed without the key";
    assert!(ended.stderr.contains(reported), "{}", ended.stderr);

    // The same holds on a signed ledger.
    let kms = KmsServer::start();
    let job = signing_job(&kms);
    assert_eq!(job.run().code, 0);
    let before = tree(&job.evidence());
    kms.inject(Rule::on(GET_PUBLIC_KEY, Fault::Reset));
    assert_eq!(job.run().code, 75);
    assert_eq!(tree(&job.evidence()), before);
}

#[test]
fn missing_region_and_credentials_are_reported() {
    let kms = KmsServer::start();
    let nowhere = signing_job(&kms).env("AWS_REGION", "");
    let ended = nowhere.run();
    assert_eq!(ended.code, 78, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("no AWS region is set"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("set AWS_REGION to the key's region"));
    // An ARN contains the region.
    let arn = format!("arn:aws:kms:eu-central-1:111122223333:key/{}", KEYS[0]);
    let job = nowhere.env("EVIDENCE_SIGNING_KMS_KEY_ID", &arn);
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);

    let without_credentials = signing_job(&kms)
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "");
    let ended = without_credentials.run();
    assert_eq!(ended.code, 77, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("no usable AWS credentials were found")
    );
}

#[test]
fn a_slow_kms_does_not_exceed_the_deadline_of_the_run() {
    let kms = KmsServer::start();
    kms.inject(Rule::on(GET_PUBLIC_KEY, Fault::Slow(Duration::from_secs(60))).times(1));
    let job = signing_job(&kms).env("RUN_DEADLINE", "1s");
    let ended = job.run();
    assert_eq!(ended.code, 75, "{}", ended.stderr);
    assert!(ended.stderr.contains("RUN_DEADLINE"), "{}", ended.stderr);
    assert!(!job.evidence().exists());

    // A slow answer within the deadline is waited for.
    let job = job.env("RUN_DEADLINE", "");
    kms.inject(Rule::on(SIGN, Fault::Slow(Duration::from_secs(1))));
    assert_eq!(job.run().code, 0);
}

#[test]
fn a_refused_signature_is_reported_with_the_missing_permission() {
    let kms = KmsServer::start();
    kms.inject(Rule::on(SIGN, Fault::error("AccessDeniedException")));
    let job = signing_job(&kms);
    insta::assert_snapshot!(reported(&job));
    let ended = job.env("RUST_LOG", "info").run();
    let reported = "Stored no failure record: its entry could not be signed either";
    assert!(ended.stderr.contains(reported), "{}", ended.stderr);
}

// ---- What an auditor does ----

/// Checks evidence with the binary and `docs/verify.sh`. Returns their exit codes.
fn verified(evidence: &Path, public_key: &Path) -> [Option<i32>; 2] {
    let key = public_key.display().to_string();
    let ours = crate::support::job::verify(evidence, &["--public-key", &key]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.sh");
    let theirs = Command::new("sh")
        .args([script, "--public-key", &key])
        .arg(evidence)
        .output()
        .expect("sh");
    [Some(ours.code), theirs.status.code()]
}

#[test]
fn openssl_and_both_verifiers_check_signatures_of_kms() {
    if !crate::support::has(&TOOLS) {
        return;
    }
    let kms = KmsServer::start();
    let job = signing_job(&kms);
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    let of = |key: usize| {
        let path = job.folder.path().join(format!("{key}.pub.pem"));
        fs::write(&path, kms.public(key).to_pem()).expect("a key");
        path
    };
    let (own, other) = (of(0), of(1));
    let check = the_one("openssl dgst -sha256 -verify");
    let lines = format!("{}\n{check}", the_one("signature="));
    let ledger = job.connection().join("ledger");
    for sequence in 1..=2 {
        let entry = format!("{sequence:010}.json");
        for (key, is_right) in [(&own, true), (&other, false)] {
            let key = key.display().to_string();
            let variables = [("entry", entry.as_str()), ("key", key.as_str())];
            let (is_sound, reported) = shell(&ledger, &lines, &variables);
            assert_eq!(is_sound, is_right, "{reported}");
        }
    }
    let evidence = job.evidence();
    assert_eq!(verified(&evidence, &own), [Some(0); 2]);
    assert_eq!(verified(&evidence, &other), [Some(5); 2]);

    // The page names the person to ask for the key.
    let page = job.text(1, "report.html");
    assert!(page.contains("aws kms get-public-key"), "{page}");
    assert!(page.contains(kms.public(0).sha256()));
}

#[test]
fn evidence_in_a_bucket_is_signed_in_kms_with_the_same_credentials() {
    let kms = KmsServer::start();
    let server = S3Server::start(["evidence"]);
    let job = crate::support::in_bucket(signing_job(&kms), &server);
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    assert_eq!(kms.count(SIGN), 2);
    assert_eq!(server.violations(), Vec::<String>::new());
    let path = job.folder.path().join("key.pem");
    fs::write(&path, kms.public(0).to_pem()).expect("a key");
    let ended = job.run_with(&["verify", "--public-key", "key.pem"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
}
