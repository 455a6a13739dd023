//! The requests to AWS need exactly the permissions of the policies in `docs/iam/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::job::{Job, LEFT_AND_GONE};
use crate::support::kms::{ALIAS, KmsServer};
use crate::support::s3::{Action, S3Server};
use serde_json::Value;
use truto_simulator::World;

/// Every statement of a policy in `docs/iam/`: its id and its actions.
fn policy(name: &str) -> Vec<(String, BTreeSet<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/iam")
        .join(name);
    let text = fs::read_to_string(path).expect("a policy");
    let policy: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    let statements = policy["Statement"].as_array().expect("statements");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    statements
        .iter()
        .map(|statement| {
            let actions = match &statement["Action"] {
                Value::Array(actions) => actions.iter().map(text).collect(),
                action => [text(action)].into(),
            };
            (text(&statement["Sid"]), actions)
        })
        .collect()
}

fn allowed(name: &str, but: &[&str]) -> BTreeSet<String> {
    let statements = policy(name).into_iter();
    statements
        .filter(|(id, _)| !but.contains(&id.as_str()))
        .flat_map(|(_, actions)| actions)
        .collect()
}

/// The permissions that S3 requires for our request, as its reference lists them.
fn permissions(action: &Action) -> Vec<&'static str> {
    let mut needed = match action.operation() {
        "PUT" => vec!["s3:PutObject"],
        // S3 reports a lock only with this permission.
        "HEAD" => vec!["s3:GetObject", "s3:GetObjectRetention"],
        "GET" => vec!["s3:GetObject"],
        "LIST" if action.query.contains("versions") => vec!["s3:ListBucketVersions"],
        "LIST" => vec!["s3:ListBucket"],
        other => panic!("no permission is known for {other}: {action:?}"),
    };
    if action.headers.contains_key("x-amz-object-lock-mode") {
        needed.push("s3:PutObjectRetention");
    }
    if action
        .headers
        .get("x-amz-server-side-encryption")
        .map(String::as_str)
        == Some("aws:kms")
    {
        // A put also reads the object back.
        needed.extend(["kms:GenerateDataKey", "kms:Decrypt"]);
    }
    needed
}

fn asked(actions: &[Action]) -> BTreeSet<String> {
    actions
        .iter()
        .flat_map(permissions)
        .map(str::to_owned)
        .collect()
}

fn job(server: &S3Server) -> Job {
    let job = Job::new(
        World::scenario("healthy").expect("a scenario"),
        LEFT_AND_GONE,
    )
    .env("EVIDENCE_URL", "s3://evidence/n");
    server
        .env()
        .into_iter()
        .fold(job, |job, (name, value)| job.env(name, &value))
}

#[test]
fn the_writer_uses_exactly_the_permissions_of_its_policy() {
    let server = S3Server::start(["evidence"]);
    let job = job(&server)
        .env("EVIDENCE_OBJECT_LOCK_MODE", "governance")
        .env("EVIDENCE_RETENTION_DAYS", "30")
        .env("EVIDENCE_KMS_KEY_ID", "alias/evidence");
    // s3s-fs does not lock or encrypt, so the check of the store makes the run inconclusive.
    assert_eq!(job.run().code, 4);
    assert_eq!(job.run().code, 4);
    job.simulator
        .set_world(World::scenario("missing-scope").expect("a scenario"));
    assert_eq!(job.run().code, 77);
    let elsewhere = ["SignLedgerEntries", "ReadHrFilesInS3"];
    assert_eq!(asked(&server.actions()), allowed("writer.json", &elsewhere));
    // Every request is below the prefix.
    for action in server.actions() {
        let place = format!("{}?{}", action.key, action.query);
        assert!(
            action.key.starts_with("n/") || action.query.contains("prefix=n%2F"),
            "{place}"
        );
    }
}

#[test]
fn without_locks_and_own_keys_two_statements_are_unnecessary() {
    let server = S3Server::start(["evidence"]);
    let job = job(&server);
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    let gone = [
        "LockEvidence",
        "EncryptEvidence",
        "SignLedgerEntries",
        "ReadHrFilesInS3",
    ];
    assert_eq!(asked(&server.actions()), allowed("writer.json", &gone));
}

#[test]
fn a_key_in_kms_needs_exactly_the_permissions_of_its_statement() {
    let kms = KmsServer::start();
    let server = S3Server::start(["evidence"]);
    let job = kms
        .env()
        .into_iter()
        .fold(job(&server), |job, (name, value)| job.env(name, &value))
        .env("EVIDENCE_SIGNING_KMS_KEY_ID", ALIAS);
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run_with(&["verify"]).code, 0);
    let asked = kms.asked().into_iter();
    let asked: BTreeSet<String> = asked.map(|asked| format!("kms:{}", asked.action)).collect();
    let policy = policy("writer.json");
    let statement = policy.iter().find(|(id, _)| id == "SignLedgerEntries");
    assert_eq!(asked, statement.expect("the statement").1);
}

#[test]
fn the_auditors_policy_suffices_for_verify_and_status_and_only_reads() {
    let server = S3Server::start(["evidence"]);
    let job = job(&server);
    assert_eq!(job.run().code, 0);
    let before = server.actions().len();
    assert_eq!(job.run_with(&["verify"]).code, 0);
    assert_eq!(job.run_with(&["status"]).code, 0);
    let allowed = allowed("auditor.json", &[]);
    let asked = asked(&server.actions()[before..]);
    assert!(asked.is_subset(&allowed), "{asked:?}");
    assert!(asked.contains("s3:ListBucketVersions"), "{asked:?}");
    for action in &allowed {
        let (_, verb) = action.split_once(':').expect("an action");
        let reads = ["Get", "List", "Decrypt"]
            .iter()
            .any(|word| verb.starts_with(word));
        assert!(reads, "{action}");
    }
}

#[test]
fn review_open_needs_the_writers_policy_and_status_the_auditors() {
    let server = S3Server::start(["evidence"]);
    let job = job(&server);
    assert_eq!(job.run().code, 0);
    let before = server.actions().len();
    let open = ["review", "open", "--name", "2026-Q4", "--due", "2999-12-31"];
    assert_eq!(job.run_with(&open).code, 0);
    let asked_to_open = asked(&server.actions()[before..]);
    let allowed_to_write = allowed("writer.json", &["ReadHrFilesInS3"]);
    assert!(asked_to_open.is_subset(&allowed_to_write));
    assert!(asked_to_open.contains("s3:PutObject"));
    let before = server.actions().len();
    assert_eq!(job.run_with(&["review", "status"]).code, 0);
    let asked_for_status = asked(&server.actions()[before..]);
    assert!(asked_for_status.contains("s3:GetObject"));
    let allowed_to_read = allowed("auditor.json", &[]);
    assert!(
        asked_for_status.is_subset(&allowed_to_read),
        "{asked_for_status:?}"
    );
}

#[test]
fn a_feed_in_s3_needs_exactly_the_permissions_of_its_statement() {
    let server = S3Server::start(["evidence", "people"]);
    server.tamper(
        "people",
        "leavers.csv",
        b"Person ID,Email,End date\nE9,nobody@example.com,2020-01-31\n",
    );
    let job = job(&server).env("HR_FEED_URL", "s3://people/leavers.csv");
    let ended = job.run();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let of_the_feed: Vec<Action> = server
        .actions()
        .into_iter()
        .filter(|action| action.bucket == "people")
        .collect();
    let policy = policy("writer.json");
    let statement = policy.iter().find(|(id, _)| id == "ReadHrFilesInS3");
    assert_eq!(asked(&of_the_feed), statement.expect("the statement").1);
}

#[test]
fn the_bucket_policy_denies_what_verify_can_only_find_later() {
    let denied = allowed("bucket-policy.json", &[]);
    for action in ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"] {
        assert!(denied.contains(action), "{action}");
    }
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/iam/bucket-policy.json"),
    );
    let policy: Value = serde_json::from_str(&text.expect("a policy")).expect("JSON");
    for statement in policy["Statement"].as_array().expect("statements") {
        assert_eq!(statement["Effect"], "Deny", "{statement}");
    }
}
