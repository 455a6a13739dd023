//! Evidence in stores that others built. Our own server in the test process (`tests/store.rs`) injects
//! faults; these show that what we ask for is what servers understand.

mod support;

use std::collections::BTreeSet;
use std::process::Child;

use asana_access_review::store::{Created, Store, StoreError};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use futures_util::future::join_all;
use support::company::{Objects, below, ensure_sound};
use support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, ended};
use support::servers::{Moto, SeaweedFs};

const BUCKET: &str = "evidence";
const PREFIX: &str = "n";
const EVIDENCE: &str = "s3://evidence/n";

/// The job of this environment with its evidence in the bucket.
fn with(job: Job, environment: Vec<(&'static str, String)>) -> Job {
    let job = job.env("EVIDENCE_URL", EVIDENCE);
    environment
        .into_iter()
        .fold(job, |job, (name, value)| job.env(name, &value))
}

/// All evidence in the bucket, read with stock requests.
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

// Creates.

#[tokio::test]
async fn a_name_is_taken_once_and_other_bytes_are_a_conflict() {
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
async fn of_sixteen_creates_at_once_one_wins_and_its_bytes_stay() {
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
async fn what_is_damaged_on_the_way_is_not_stored() {
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
async fn wrong_credentials_and_a_bucket_that_is_not_there_are_told_apart() {
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

// Runs of the real binary.

#[tokio::test]
async fn a_review_leaves_evidence_that_verifies() {
    let Some(weed) = SeaweedFs::start() else {
        return;
    };
    weed.bucket(BUCKET).await;
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), weed.env());
    assert_eq!(job.run().code, 0);
    job.hr_feed(LEFT_AND_ACTIVE);
    let second = job.run();
    assert_eq!(second.code, 3, "{}", second.stderr);

    let entries = ensure_sound(&objects(&weed.client().await).await);
    let verdicts: Vec<_> = entries.iter().map(|entry| &entry.verdict[..]).collect();
    assert_eq!(verdicts, ["pass", "fail"]);
    let verified = job.run_with(&["verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}

#[tokio::test]
async fn runs_at_once_keep_one_chain_without_gaps_and_each_its_evidence() {
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
        let entries = ensure_sound(&objects);
        assert_eq!(entries.len(), expected);
        let runs: BTreeSet<&str> = entries.iter().map(|entry| &entry.run[..]).collect();
        assert_eq!(runs.len(), expected);
        // Nothing lies there that no entry vouches for.
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
async fn moto_keeps_evidence_that_verifies_too() {
    let Some(moto) = Moto::start() else {
        return;
    };
    moto.locked_bucket(BUCKET).await;
    let job = with(Job::scenario("healthy", LEFT_AND_GONE), moto.s3_env());
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    assert_eq!(ensure_sound(&objects(&moto.s3().await).await).len(), 2);
    let verified = job.run_with(&["verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}
