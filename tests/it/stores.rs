//! Evidence in stores that others built, and keys that sign there. Our own servers in the test
//! process (`store`, `kms`) inject faults. These servers show that our requests are valid.

use std::collections::BTreeSet;
use std::fs;
use std::process::Child;

use crate::support::company::{Objects, below, ensure_intact};
use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, ended};
use crate::support::servers::{Moto, SeaweedFs};
use crate::support::shell::{TOOLS, shell, the_one};
use asana_access_review::store::{Created, Store, StoreError};
use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;

const BUCKET: &str = "evidence";
const PREFIX: &str = "n";
const EVIDENCE: &str = "s3://evidence/n";

/// The job with this environment and its evidence in the bucket.
fn with(job: Job, environment: Vec<(&'static str, String)>) -> Job {
    let job = job.env("EVIDENCE_URL", EVIDENCE);
    environment
        .into_iter()
        .fold(job, |job, (name, value)| job.env(name, &value))
}

/// All evidence in the bucket, read with plain requests.
async fn objects(client: &Client) -> Objects {
    let prefix = format!("{PREFIX}/");
    let mut pages = client
        .list_objects_v2()
        .bucket(BUCKET)
        .into_paginator()
        .send();
    let mut objects = Objects::new();
    while let Some(page) = pages.next().await {
        for object in page.expect("a page").contents() {
            let key = object.key().expect("a key");
            let answer = client.get_object().bucket(BUCKET).key(key).send().await;
            let body = answer.expect("an object").body.collect().await;
            let name = key.strip_prefix(&prefix).expect("below the prefix");
            objects.insert(name.to_owned(), body.expect("a body").to_vec());
        }
    }
    objects
}

fn wait(child: Child) -> Ended {
    ended(child.wait_with_output().expect("the binary"))
}

// ---- Creates ----

#[tokio::test]
async fn a_name_is_created_once_and_other_bytes_are_a_conflict() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    for bucket in [BUCKET, "locked"] {
        match bucket {
            BUCKET => weed.bucket(bucket).await,
            _ => weed.locked_bucket(bucket).await,
        }
        let store = Store::s3(weed.client().await, bucket, PREFIX);
        let made = store.create("a/b.json", "one").await.expect("a create");
        assert_eq!(made, Created::New);
        let again = store.create("a/b.json", "one").await.expect("a create");
        assert_eq!(again, Created::AlreadyThere);
        let other = store.create("a/b.json", "two").await;
        assert!(
            matches!(other, Err(StoreError::Conflict { .. })),
            "{other:?}"
        );
        let there = store.read("a/b.json").await.expect("a read");
        assert_eq!(there.as_deref(), Some(&b"one"[..]));

        let put = weed.client().await.put_object().bucket(bucket);
        let put = put.key("n/a/b.json").if_none_match("*");
        let refused = put.body(b"two".to_vec().into()).send().await;
        let refused = refused.expect_err("a refusal");
        let status = refused.raw_response().map(|raw| raw.status().as_u16());
        assert_eq!(status, Some(412), "{:?}", refused.code());
    }
}

#[tokio::test]
async fn one_of_sixteen_concurrent_creates_wins_and_its_bytes_stay() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.bucket(BUCKET).await;
    let store = Store::s3(weed.client().await, BUCKET, PREFIX);
    for round in 0..8 {
        let name = format!("ledger/{round}");
        let creates = (0..16).map(|racer| {
            let (store, name) = (store.clone(), name.clone());
            async move { (racer, store.create(&name, format!("racer {racer}")).await) }
        });
        let mut winners = Vec::new();
        for (racer, created) in join_all(creates).await {
            match created {
                Ok(Created::New) => winners.push(racer),
                Err(StoreError::Conflict { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        let [winner] = winners[..] else {
            panic!("{winners:?} won");
        };
        let there = store.read(&name).await.expect("a read").expect("an object");
        assert_eq!(there, format!("racer {winner}").as_bytes());
    }
}

#[tokio::test]
async fn an_object_that_is_corrupted_in_transit_is_not_stored() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.bucket(BUCKET).await;
    let client = weed.client().await;
    let put = client
        .put_object()
        .bucket(BUCKET)
        .key("n/a")
        .if_none_match("*");
    let other = "A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEc+4E=";
    let refused = put
        .checksum_sha256(other)
        .body(b"one".to_vec().into())
        .send()
        .await;
    let refused = refused.expect_err("a refusal");
    let status = refused.raw_response().map(|raw| raw.status().as_u16());
    assert_eq!(status, Some(400), "{:?}", refused.code());
    let store = Store::s3(client, BUCKET, PREFIX);
    assert_eq!(store.read("a").await.expect("a read"), None);
}

#[tokio::test]
async fn wrong_credentials_and_a_missing_bucket_are_distinguished() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), weed.env());
    let missing = job.run();
    assert_eq!(missing.code, 78, "{}", missing.stderr);
    assert!(
        missing
            .stderr
            .contains("the bucket `evidence` does not exist")
    );
    weed.bucket(BUCKET).await;
    let job = job.env("AWS_SECRET_ACCESS_KEY", "another");
    let refused = job.run();
    assert_eq!(refused.code, 77, "{}", refused.stderr);
}

// ---- Runs of the real binary ----

#[tokio::test]
async fn the_evidence_of_two_runs_verifies() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.bucket(BUCKET).await;
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), weed.env());
    assert_eq!(job.run().code, 0);
    job.hr_feed(LEFT_AND_ACTIVE);
    let second = job.run();
    assert_eq!(second.code, 3, "{}", second.stderr);

    let entries = ensure_intact(&objects(&weed.client().await).await);
    let verdicts: Vec<_> = entries.iter().map(|entry| &entry.verdict[..]).collect();
    assert_eq!(verdicts, ["pass", "fail"]);
    let verified = job.run_with(&["verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}

#[tokio::test]
async fn concurrent_runs_keep_one_chain_without_gaps() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.bucket(BUCKET).await;
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), weed.env());
    let mut expected = 0;
    for at_once in [2, 8] {
        let runs: Vec<Child> = (0..at_once).map(|_| job.start()).collect();
        for run in runs {
            let run = wait(run);
            assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        }
        expected += at_once;
        let objects = objects(&weed.client().await).await;
        let entries = ensure_intact(&objects);
        assert_eq!(entries.len(), expected);
        let runs: BTreeSet<&str> = entries.iter().map(|entry| &entry.run[..]).collect();
        assert_eq!(runs.len(), expected);
        // Every object belongs to the ledger or to a run of the ledger.
        for name in objects.keys() {
            let is_ledger = name.starts_with(&below("ledger/"));
            let is_of_a_run = runs.iter().any(|run| name.starts_with(&below(run)));
            assert!(is_ledger || is_of_a_run, "{name}");
        }
        let verified = job.run_with(&["verify"]);
        assert_eq!(verified.code, 0, "{}", verified.stdout);
    }
}

#[tokio::test]
async fn evidence_in_moto_verifies() {
    let Some(moto) = Moto::start() else {
        return;
    };
    moto.locked_bucket(BUCKET).await;
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), moto.s3_env());
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    assert_eq!(ensure_intact(&objects(&moto.s3().await).await).len(), 2);
    let verified = job.run_with(&["verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}

// ---- Locks, versions and encryption ----

const DAYS: &str = "30";

fn locking(job: Job, mode: &str) -> Job {
    job.env("EVIDENCE_OBJECT_LOCK_MODE", mode)
        .env("EVIDENCE_RETENTION_DAYS", DAYS)
}

/// The status and detail of the newest run's check of the store.
async fn store_protection(client: &Client) -> (String, String) {
    let objects = objects(client).await;
    let entries = ensure_intact(&objects);
    let run = &entries.last().expect("an entry").run;
    let name = below(&format!("{run}/result.json"));
    let result: serde_json::Value = serde_json::from_slice(&objects[&name]).expect("JSON");
    let checks = result["checks"].as_array().expect("checks");
    let check = checks
        .iter()
        .find(|check| check["id"] == "store_protection")
        .expect("the check");
    let text = |key: &str| check[key].as_str().expect("text").to_owned();
    (text("status"), text("detail"))
}

/// Each fault that `verify` finds: its kind, and the last part of its place.
fn faults(job: &Job) -> Vec<(String, String)> {
    let verified = job.run_with(&["verify", "--json"]);
    let reported: serde_json::Value = serde_json::from_str(&verified.stdout).expect("JSON");
    let faults = reported["integrity"]["faults"].as_array().expect("faults");
    assert_eq!(verified.code, if faults.is_empty() { 0 } else { 5 });
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let last = |place: String| place.rsplit('/').next().unwrap_or_default().to_owned();
    faults
        .iter()
        .map(|fault| (text(&fault["kind"]), last(text(&fault["place"]))))
        .collect()
}

#[tokio::test]
async fn a_requested_lock_works_and_is_read_back() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.locked_bucket(BUCKET).await;
    let client = weed.client().await;
    let job = locking(
        with(Job::scenario("healthy", LEFT_AND_GONE), weed.env()),
        "compliance",
    );
    assert_eq!(job.run().code, 0);
    let (status, detail) = store_protection(&client).await;
    assert_eq!(status, "pass", "{detail}");
    assert!(
        detail.contains("locked (compliance for 30 days)"),
        "{detail}"
    );

    // No object can be deleted, including the entry.
    let versions = client.list_object_versions().bucket(BUCKET).send().await;
    for version in versions.expect("versions").versions() {
        let (key, id) = (version.key().expect("a key"), version.version_id());
        let refused = client
            .delete_object()
            .bucket(BUCKET)
            .key(key)
            .set_version_id(id.map(str::to_owned))
            .send()
            .await
            .expect_err(key);
        assert_eq!(
            refused.raw_response().map(|it| it.status().as_u16()),
            Some(403),
            "{key}"
        );
    }
    let verified = job.run_with(&["verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    let reported = verified
        .stdout
        .lines()
        .find(|line| line.contains("locks: "));
    let reported = reported.expect("the locks");
    let objects = objects(&client).await.len();
    assert!(
        reported.contains(&format!(
            "locks: {objects} of the {objects} objects read are locked ({objects} compliance"
        )),
        "{reported}"
    );
}

#[tokio::test]
async fn a_bucket_without_object_lock_ends_the_run_before_any_write() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.bucket(BUCKET).await;
    let job = locking(
        with(Job::scenario("healthy", LEFT_AND_GONE), weed.env()),
        "governance",
    );
    let ended = job.run();
    assert_eq!(ended.code, 78, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stderr.contains("EVIDENCE_OBJECT_LOCK_MODE"),
        "{}",
        ended.stderr
    );
    assert!(objects(&weed.client().await).await.is_empty());
}

#[tokio::test]
async fn overwritten_and_deleted_objects_are_found_by_their_versions() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.locked_bucket(BUCKET).await;
    let client = weed.client().await;
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), weed.env());
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    assert_eq!(faults(&job), []);
    let all = objects(&client).await;
    let entries = ensure_intact(&all);
    let key = |name: &str| format!("{PREFIX}/{}", below(name));
    let put = async |name: String, bytes: &[u8]| {
        let body = bytes.to_vec().into();
        let put = client.put_object().bucket(BUCKET).key(name).body(body);
        put.send().await.expect("a put");
    };

    // The same bytes again: the content is unchanged, but there is a second version.
    let report = format!("{}/report.html", entries[0].run);
    put(key(&report), &all[&below(&report)]).await;
    let second = ("second_version".to_owned(), "report.html".to_owned());
    assert_eq!(faults(&job), std::slice::from_ref(&second));

    // With the last entry deleted the chain is only shorter, but the delete markers remain.
    for name in [
        "ledger/0000000002.json".to_owned(),
        format!("{}/result.json", entries[1].run),
    ] {
        let gone = client.delete_object().bucket(BUCKET).key(key(&name));
        gone.send().await.expect("a delete marker");
    }
    let deleted = ("delete_marker".to_owned(), "0000000002.json".to_owned());
    assert_eq!(faults(&job), [second.clone(), deleted.clone()]);

    // Other bytes under the same name, which a store allows after a deletion.
    let name = format!("{}/accounts.csv", entries[0].run);
    let gone = client.delete_object().bucket(BUCKET).key(key(&name));
    gone.send().await.expect("a delete marker");
    put(key(&name), b"other bytes").await;
    let reported: BTreeSet<_> = faults(&job).into_iter().collect();
    let of = |kind: &str| (kind.to_owned(), "accounts.csv".to_owned());
    let expected = [
        second,
        deleted,
        of("modified"),
        of("second_version"),
        of("delete_marker"),
    ];
    assert_eq!(reported, expected.into());
}

#[tokio::test]
async fn a_deleted_connection_is_found_beside_another() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.locked_bucket(BUCKET).await;
    let client = weed.client().await;
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), weed.env());
    assert_eq!(job.run().code, 0);
    let other = format!("{PREFIX}/system=asana/connection=other/ledger/0000000001.json");
    let put = client.put_object().bucket(BUCKET).key(&other);
    put.body(b"{}".to_vec().into()).send().await.expect("a put");
    let gone = client.delete_object().bucket(BUCKET).key(&other);
    gone.send().await.expect("a delete marker");
    let deleted = ("delete_marker".to_owned(), "connection=other".to_owned());
    assert_eq!(faults(&job), [deleted]);
}

#[tokio::test]
async fn objects_are_encrypted_with_the_configured_kms_key() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.bucket(BUCKET).await;
    let client = weed.client().await;
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), weed.env())
        .env("EVIDENCE_KMS_KEY_ID", "evidence-key");
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let (_, detail) = store_protection(&client).await;
    assert!(detail.contains("encrypted (aws:kms)"), "{detail}");
    assert_eq!(faults(&job), []);
}

// ---- Keys that sign in KMS ----

/// Makes a key in moto and returns its id.
async fn made(kms: &aws_sdk_kms::Client, spec: KeySpec, usage: KeyUsageType) -> String {
    let made = kms.create_key().key_spec(spec).key_usage(usage).send();
    let made = made.await.expect("a key");
    let key = made.key_metadata.expect("metadata");
    key.key_id
}

#[tokio::test]
async fn verify_and_stock_openssl_check_signatures_of_kms() {
    let Some(moto) = Moto::start() else {
        return;
    };
    if !crate::support::has(&TOOLS) {
        return;
    }
    let kms = moto.kms().await;
    let id = made(&kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let alias = "alias/access-review";
    let named = kms.create_alias().alias_name(alias).target_key_id(&id);
    named.send().await.expect("an alias");
    let mut job = Job::scenario("healthy", LEFT_AND_GONE);
    for (name, value) in moto.kms_env() {
        job = job.env(name, &value);
    }
    let arn = kms.describe_key().key_id(&id).send().await.expect("a key");
    let arn = arn.key_metadata.and_then(|key| key.arn).expect("an ARN");
    for id in [id.as_str(), alias, arn.as_str()] {
        job = job.env("EVIDENCE_SIGNING_KMS_KEY_ID", id);
        let ended = job.run();
        assert_eq!(ended.code, 0, "{id}: {}", ended.stderr);
    }

    // The key as a verifier gets it: from KMS, with the line of the documentation.
    let answer = kms.get_public_key().key_id(alias).send().await;
    let der = answer.expect("a key").public_key.expect("a public half");
    let line = the_one("aws kms get-public-key");
    let (_, rest) = line.split_once(" | ").expect("a pipe");
    let line = format!("printf %s \"$key\" | {rest}");
    let key = STANDARD.encode(der);
    let folder = job.folder.path();
    let (is_made, reported) = shell(folder, &line, &[("key", &key)]);
    assert!(is_made, "{reported}");

    let check = the_one("openssl dgst -sha256 -verify");
    let lines = format!("{}\n{check}", the_one("signature="));
    let pinned = folder.join("signing.pub.pem").display().to_string();
    let ledger = job.connection().join("ledger");
    for sequence in 1..=3 {
        let entry = format!("{sequence:010}.json");
        let variables = [("entry", entry.as_str()), ("key", pinned.as_str())];
        let (is_valid, reported) = shell(&ledger, &lines, &variables);
        assert!(is_valid, "{reported}");
    }
    let verified = crate::support::job::verify(&job.evidence(), &["--public-key", &pinned]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);

    // A forged entry is refused.
    let entry = ledger.join("0000000003.json");
    let text = fs::read_to_string(&entry).expect("an entry");
    fs::write(&entry, text.replace("\"pass\"", "\"fail\"")).expect("a file");
    let verified = crate::support::job::verify(&job.evidence(), &["--public-key", &pinned]);
    assert_eq!(verified.code, 5, "{}", verified.stdout);
}

#[tokio::test]
async fn a_key_that_cannot_sign_is_refused_before_any_write() {
    let Some(moto) = Moto::start() else {
        return;
    };
    let kms = moto.kms().await;
    let of = async |spec, usage| made(&kms, spec, usage).await;
    let sign = KeyUsageType::SignVerify;
    let rsa = of(KeySpec::Rsa2048, sign.clone()).await;
    let p384 = of(KeySpec::EccNistP384, sign.clone()).await;
    let k256 = of(KeySpec::EccSecgP256K1, sign.clone()).await;
    let symmetric = of(KeySpec::SymmetricDefault, KeyUsageType::EncryptDecrypt).await;
    let missing = "1234abcd-12ab-34cd-56ef-1234567890ab".to_owned();
    let mut job = Job::scenario("healthy", LEFT_AND_GONE);
    for (name, value) in moto.kms_env() {
        job = job.env(name, &value);
    }
    for id in [rsa, p384, k256, symmetric, missing] {
        job = job.env("EVIDENCE_SIGNING_KMS_KEY_ID", &id);
        let ended = job.run();
        assert_eq!(ended.code, 78, "{id}: {}", ended.stderr);
        assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
        assert!(!job.evidence().exists(), "{id}");
    }
}

#[tokio::test]
async fn racing_runs_sign_evidence_in_s3_with_a_key_in_kms() {
    let (Some(weed), Some(moto)) = (SeaweedFs::start(), Moto::start()) else {
        return;
    };
    weed.locked_bucket(BUCKET).await;
    let kms = moto.kms().await;
    let id = made(&kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let mut job = with(Job::scenario("healthy", LEFT_AND_GONE), weed.env());
    for (name, value) in moto.kms_env() {
        job = job.env(name, &value);
    }
    let job = job.env("EVIDENCE_SIGNING_KMS_KEY_ID", &id);
    let runs: Vec<Child> = (0..4).map(|_| job.start()).collect();
    for run in runs {
        let run = wait(run);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    }
    let objects = objects(&weed.client().await).await;
    let entries = ensure_intact(&objects);
    assert_eq!(entries.len(), 4);
    let key = below(&format!("keys/{}.pem", entries[0].key_sha256));
    fs::write(job.folder.path().join("key.pem"), &objects[&key]).expect("a key");
    let verified = job.run_with(&["verify", "--public-key", "key.pem"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}
