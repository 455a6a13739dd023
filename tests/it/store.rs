//! One contract for both stores, and what can only happen to one of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::chain;
use crate::support::s3::{ACCESS_KEY, Fault, Rule, S3Server, SECRET_KEY};
use asana_access_review::aws::{self, AwsError, Retries};
use asana_access_review::model::{Lock, LockMode, Protection};
use asana_access_review::store::{Created, History, ObjectLock, Settings, Store, StoreError};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use jiff::Timestamp;

const NO_WAITING: Retries = Retries {
    max_attempts: 8,
    delay: Duration::ZERO,
};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Whether the test was named on the command line. Its parent test does that; `--ignored` alone
/// does not.
fn is_child(test: &str) -> bool {
    std::env::args().any(|argument| argument == test)
}

/// What both stores guarantee.
mod contract {
    use super::*;

    pub(super) async fn a_created_object_can_be_read_back(store: &Store) {
        for (name, bytes) in [
            ("plain", &b"bytes"[..]),
            (
                "system=asana/connection=1f3a/ledger/0000000001.json",
                b"{}\n",
            ),
            ("empty", b""),
            ("a b+c&d%20e~\u{e9}.csv", b"\xef\xbb\xbfa,b\r\n"),
        ] {
            assert_eq!(
                store.create(name, bytes).await.unwrap(),
                Created::New,
                "{name}"
            );
            assert_eq!(
                store.read(name).await.unwrap().as_deref(),
                Some(bytes),
                "{name}"
            );
            assert!(
                store.list("").await.unwrap().contains(&name.to_owned()),
                "{name}"
            );
        }
    }

    pub(super) async fn the_same_bytes_again_are_accepted_and_others_are_a_conflict(store: &Store) {
        let name = "ledger/0000000001.json";
        assert_eq!(store.create(name, "first").await.unwrap(), Created::New);
        assert_eq!(
            store.create(name, "first").await.unwrap(),
            Created::AlreadyThere
        );
        for other in ["other", "", "first and more", "firs"] {
            let error = store.create(name, other).await.unwrap_err();
            assert!(
                matches!(&error, StoreError::Conflict { name: at } if *at == store.locate(name)),
                "{error:?}"
            );
        }
        assert_eq!(store.read(name).await.unwrap().unwrap(), b"first");
    }

    pub(super) async fn a_missing_object_reads_as_none_and_is_not_listed(store: &Store) {
        assert_eq!(store.read("nothing").await.unwrap(), None);
        assert_eq!(store.list("").await.unwrap(), names(&[]));
        assert_eq!(store.list("no/such/").await.unwrap(), names(&[]));
        store.create("a/b/c", "c").await.unwrap();
        assert_eq!(store.read("a/b").await.unwrap(), None);
        assert_eq!(store.read("a/b/c/d").await.unwrap(), None);
        assert_eq!(store.list("a/b/c/").await.unwrap(), names(&[]));
    }

    pub(super) async fn the_children_of_a_folder_are_folders_and_objects(store: &Store) {
        assert_eq!(store.children("of=1/").await.unwrap(), names(&[]));
        for name in ["of=1/b/x", "of=1/b/y/z", "of=1/a", "of=10/c", "of=1.txt"] {
            store.create(name, name).await.unwrap();
        }
        let children = store.children("of=1/").await.unwrap();
        assert_eq!(children, names(&["of=1/a", "of=1/b"]));
        assert!(store.children("../").await.is_err());
    }

    pub(super) async fn a_listing_is_sorted_and_has_only_its_prefix(store: &Store) {
        let all = [
            "dt=1-b/x",
            "dt=1/run=2/x",
            "dt=1/run=1/y",
            "dt=1/run=1/x",
            "dt=10/x",
            "other",
            "dt=1.txt",
        ];
        for name in all {
            store.create(name, name).await.unwrap();
        }
        let mut sorted = names(&all);
        sorted.sort();
        assert_eq!(store.list("").await.unwrap(), sorted);
        assert_eq!(
            store.list("dt=1/").await.unwrap(),
            names(&["dt=1/run=1/x", "dt=1/run=1/y", "dt=1/run=2/x"])
        );
        assert_eq!(
            store.list("dt=1/run=1").await.unwrap(),
            names(&["dt=1/run=1/x", "dt=1/run=1/y"])
        );
        assert_eq!(
            store.list("dt=1").await.unwrap(),
            names(&[
                "dt=1-b/x",
                "dt=1.txt",
                "dt=1/run=1/x",
                "dt=1/run=1/y",
                "dt=1/run=2/x",
                "dt=10/x"
            ])
        );
        assert_eq!(store.list("other").await.unwrap(), names(&["other"]));
    }

    pub(super) async fn many_objects_created_at_once_all_exist(store: &Store) {
        let files: Vec<_> = (0..150)
            .map(|n| (format!("many/{}/{n:04}", n % 7), n.to_string().into_bytes()))
            .collect();
        store.create_all(files.clone()).await.unwrap();
        let mut wanted: Vec<_> = files.iter().map(|(name, _)| name.clone()).collect();
        wanted.sort();
        assert_eq!(store.list("many/").await.unwrap(), wanted);
        for (name, bytes) in files {
            assert_eq!(store.read(&name).await.unwrap(), Some(bytes), "{name}");
        }
    }

    pub(super) async fn create_all_accepts_the_same_bytes_and_stops_at_a_conflict(store: &Store) {
        let files = |last: &str| {
            vec![
                ("a".to_owned(), b"a".to_vec()),
                ("b/c".to_owned(), last.as_bytes().to_vec()),
            ]
        };
        store.create_all(Vec::new()).await.unwrap();
        store.create_all(files("c")).await.unwrap();
        store.create_all(files("c")).await.unwrap();
        let error = store.create_all(files("other")).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Conflict { name } if *name == store.locate("b/c")),
            "{error:?}"
        );
        assert_eq!(store.read("b/c").await.unwrap().unwrap(), b"c");
    }

    pub(super) async fn exactly_one_of_several_racing_creates_wins(store: &Store) {
        for round in 0..4 {
            let name = format!("race/{round}");
            let racers: Vec<_> = (0..16)
                .map(|racer| {
                    let (store, name) = (store.clone(), name.clone());
                    tokio::spawn(async move { store.create(&name, format!("racer {racer}")).await })
                })
                .collect();
            let mut winners = Vec::new();
            for (racer, outcome) in racers.into_iter().enumerate() {
                match outcome.await.unwrap() {
                    Ok(Created::New) => winners.push(racer),
                    Err(StoreError::Conflict { .. }) => {}
                    other => panic!("racer {racer}: {other:?}"),
                }
            }
            assert_eq!(winners.len(), 1, "{winners:?}");
            let there = store.read(&name).await.unwrap().unwrap();
            assert_eq!(
                String::from_utf8(there).unwrap(),
                format!("racer {}", winners[0])
            );
        }
    }

    pub(super) async fn no_name_escapes_the_store(store: &Store) {
        for name in [
            "",
            "/etc/passwd",
            "..",
            "a/../../b",
            "a//b",
            "a/",
            "./a",
            "a/.",
            ".tmp/a",
            "a\\b",
            "a\nb",
            "a\0b",
        ] {
            for error in [
                store.create(name, "x").await.unwrap_err(),
                store
                    .create_all(vec![(name.to_owned(), Vec::new())])
                    .await
                    .unwrap_err(),
                store.read(name).await.unwrap_err(),
            ] {
                assert!(
                    matches!(error, StoreError::Configuration { .. }),
                    "{name:?}: {error:?}"
                );
            }
        }
        for prefix in ["/", "../", "a//", "./", "a/../"] {
            assert!(store.list(prefix).await.is_err(), "{prefix:?}");
        }
        assert_eq!(store.list("").await.unwrap(), names(&[]));
    }
}

/// Each claim of the contract, as one test for each store.
macro_rules! both_stores {
    ($($claim:ident)*) => {
        mod in_a_folder {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $claim() {
                let folder = tempfile::tempdir().unwrap();
                contract::$claim(&Store::folder(folder.path().join("made/when/needed"))).await;
            })*
        }

        mod in_a_bucket {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $claim() {
                let server = S3Server::start(["evidence"]);
                server.tamper("evidence", "nightly-2/beside", b"not ours");
                let store = Store::s3(server.client().await, "evidence", "nightly").with_retries(NO_WAITING);
                contract::$claim(&store).await;
                assert_eq!(server.violations(), names(&[]));
            })*
        }
    };
}

both_stores! {
    a_created_object_can_be_read_back
    the_same_bytes_again_are_accepted_and_others_are_a_conflict
    a_missing_object_reads_as_none_and_is_not_listed
    the_children_of_a_folder_are_folders_and_objects
    a_listing_is_sorted_and_has_only_its_prefix
    many_objects_created_at_once_all_exist
    create_all_accepts_the_same_bytes_and_stops_at_a_conflict
    exactly_one_of_several_racing_creates_wins
    no_name_escapes_the_store
}

mod folder {
    use super::*;

    #[tokio::test]
    async fn opening_a_store_creates_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("evidence");
        let settings = Settings::Folder(root.clone());
        let store = Store::open(&settings).await.unwrap();
        assert_eq!(store.location(), root.display().to_string());
        assert_eq!(store.locate("a/b"), root.join("a/b").display().to_string());
        assert_eq!(store.list("").await.unwrap(), names(&[]));
        assert!(!root.exists());
    }

    #[tokio::test]
    async fn leftovers_of_a_killed_run_are_neither_listed_nor_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".tmp")).unwrap();
        fs::write(folder.path().join(".tmp/.tmpAbCdEf"), "hal").unwrap();
        fs::create_dir(folder.path().join("lost+found")).unwrap();
        let store = Store::folder(folder.path());
        assert_eq!(store.list("").await.unwrap(), names(&[]));
        assert_eq!(store.create("a", "half").await.unwrap(), Created::New);
        assert_eq!(store.list("").await.unwrap(), names(&["a"]));
        assert_eq!(store.list(".").await.unwrap(), names(&[]));
    }

    /// The next test kills this process, which writes below its working directory until then.
    #[tokio::test]
    #[ignore = "the next test runs it as a child process"]
    async fn writer() {
        if !is_child("store::folder::writer") {
            return;
        }
        let store = Store::folder("evidence");
        for run in 0.. {
            let files = (0..20).map(|n| (format!("run={run}/{n}"), vec![b'x'; 300_000]));
            store.create_all(files.collect()).await.unwrap();
            store
                .create(&format!("ledger/{run}"), "whole")
                .await
                .unwrap();
        }
    }

    #[test]
    fn a_kill_leaves_complete_files_and_no_entry_without_its_run() {
        let mut seen = 0;
        for moment in [30, 60, 90, 120, 150, 180] {
            let folder = tempfile::tempdir().unwrap();
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "store::folder::writer", "--ignored"])
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            thread::sleep(Duration::from_millis(moment));
            child.kill().unwrap();
            child.wait().unwrap();
            let root = folder.path().join("evidence");
            let store = Store::folder(&root);
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let names = runtime.block_on(store.list("")).unwrap();
            seen += names.len();
            for name in &names {
                let length = fs::read(root.join(name)).unwrap().len();
                match name.strip_prefix("ledger/") {
                    None => assert_eq!(length, 300_000, "{name}"),
                    Some(run) => {
                        assert_eq!(length, "whole".len(), "{name}");
                        let run = format!("run={run}/");
                        assert_eq!(
                            names.iter().filter(|name| name.starts_with(&run)).count(),
                            20
                        );
                    }
                }
            }
        }
        assert!(seen > 0, "no child began to write");
    }

    #[tokio::test]
    async fn no_temporary_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::folder(folder.path());
        store.create("a", "a").await.unwrap();
        store.create("a", "a").await.unwrap();
        store.create("a", "b").await.unwrap_err();
        assert_eq!(fs::read_dir(folder.path().join(".tmp")).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn files_have_the_usual_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        Store::folder(folder.path()).create("a", "a").await.unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(folder.path().join("a")), mode(other));
    }

    #[tokio::test]
    async fn a_file_in_the_place_of_the_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for root in [file.clone(), file.join("evidence")] {
            let store = Store::folder(root);
            for error in [
                store.create("a/b", "x").await.unwrap_err(),
                store.read("a/b").await.unwrap_err(),
                store.list("").await.unwrap_err(),
            ] {
                assert!(
                    matches!(error, StoreError::Configuration { .. }),
                    "{error:?}"
                );
                assert_eq!(
                    error.to_string(),
                    format!("`{}` is a file, but a folder is needed", file.display())
                );
            }
        }
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_refused() {
        // Here not even root can create a file.
        let sealed = PathBuf::from("/sys/kernel");
        if !sealed.exists() {
            println!("skipped: no /sys here");
            return;
        }
        let store = Store::folder(sealed.join("evidence"));
        let error = store.create("a", "x").await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "creating the folder `/sys/kernel/evidence` was refused"
        );
        assert!(error.hint().unwrap().contains("fsGroup"));
        let files = vec![("a".to_owned(), Vec::new()), ("b".to_owned(), Vec::new())];
        let error = store.create_all(files).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_of_another_user_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
        if fs::create_dir(folder.path().join("probe")).is_ok() {
            println!("skipped: permissions do not bind this user (root)");
            return;
        }
        let store = Store::folder(folder.path());
        let error = store.create("a", "x").await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
        assert!(error.hint().unwrap().contains("fsGroup"));
    }

    #[tokio::test]
    async fn all_files_of_a_run_are_written_quickly() {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let files = (0..120).map(|n| {
            (
                format!("dt=2026-11-23/run=1/raw/truto-{n:04}.json.gz"),
                vec![n; 2_000],
            )
        });
        let started = Instant::now();
        Store::folder(folder.path())
            .create_all(files.collect())
            .await
            .unwrap();
        println!("120 files in {:?}", started.elapsed());
        assert_eq!(
            Store::folder(folder.path())
                .list("dt=2026-11-23/")
                .await
                .unwrap()
                .len(),
            120
        );
    }
}

mod bucket {
    use super::*;

    async fn world() -> (S3Server, Store) {
        let server = S3Server::start(["evidence"]);
        let store =
            Store::s3(server.client().await, "evidence", "nightly").with_retries(NO_WAITING);
        (server, store)
    }

    #[tokio::test]
    async fn the_location_of_an_object_is_its_url() {
        let (server, store) = world().await;
        assert_eq!(store.location(), "s3://evidence/nightly");
        assert_eq!(store.locate("a/b"), "s3://evidence/nightly/a/b");
        let root = Store::s3(server.client().await, "evidence", "");
        assert_eq!(root.location(), "s3://evidence");
        assert_eq!(root.locate("a/b"), "s3://evidence/a/b");
        root.create("a/b", "at the top").await.unwrap();
        assert_eq!(root.list("").await.unwrap(), names(&["a/b"]));
        assert_eq!(store.list("").await.unwrap(), names(&[]));
    }

    #[tokio::test]
    async fn a_healthy_create_is_one_request() {
        let (server, store) = world().await;
        store.create("a", "a").await.unwrap();
        let asked: Vec<_> = server
            .actions()
            .iter()
            .map(|action| action.operation().to_owned())
            .collect();
        assert_eq!(asked, ["PUT"]);
    }

    const AS_OF: &str = "2026-11-23T22:40:00.123Z";

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    /// The S3 headers of a locked and encrypted object.
    fn headers(mode: &str, until: &str) -> Fault {
        Fault::Headers(vec![
            ("x-amz-object-lock-mode", mode.to_owned()),
            ("x-amz-object-lock-retain-until-date", until.to_owned()),
            ("x-amz-server-side-encryption", "aws:kms".to_owned()),
            ("x-amz-version-id", "3sL4kqtJlcpXroDTDmJ".to_owned()),
        ])
    }

    #[tokio::test]
    async fn requests_have_the_owner_and_puts_also_lock_and_encryption() {
        let (server, store) = world().await;
        let store = store
            .owned_by(Some("123456789012".to_owned()))
            .encrypted_with(Some("alias/evidence".to_owned()))
            .locked(Some(ObjectLock {
                mode: LockMode::Compliance,
                until: at("2027-11-23T22:40:00.123Z"),
            }));
        store.create("a", "a").await.unwrap();
        store.read("a").await.unwrap();
        store.list("").await.unwrap();
        store.history("").await.unwrap();
        store.protect("b", "b", at(AS_OF)).await.unwrap();
        let actions = server.actions();
        for action in &actions {
            assert_eq!(
                action.headers["x-amz-expected-bucket-owner"], "123456789012",
                "{action:?}"
            );
        }
        let mut puts = actions.iter().filter(|action| action.method == "PUT");
        assert_eq!(puts.clone().count(), 3);
        assert!(puts.all(|put| {
            put.headers["x-amz-object-lock-mode"] == "COMPLIANCE"
                && put.headers["x-amz-object-lock-retain-until-date"] == "2027-11-23T22:40:00Z"
                && put.headers["x-amz-server-side-encryption"] == "aws:kms"
                && put.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/evidence"
        }));
        assert_eq!(server.violations(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn locks_and_encryption_are_read_back_from_the_store() {
        let (server, store) = world().await;
        let asked = store.clone().locked(Some(ObjectLock {
            mode: LockMode::Governance,
            until: at("2026-12-23T22:40:00.123Z"),
        }));
        // s3s-fs accepts the headers of a lock and locks nothing.
        let seen = asked.protect("silent", "x", at(AS_OF)).await.unwrap();
        assert!(seen.create_only);
        let thirty = Some(Lock {
            mode: LockMode::Governance,
            days: 30,
        });
        assert_eq!((seen.lock_asked, seen.lock), (thirty, None));

        server.inject(Rule::on(
            "HEAD",
            "locked",
            headers("GOVERNANCE", "2026-12-23T22:40:00Z"),
        ));
        let seen = asked.protect("locked", "x", at(AS_OF)).await.unwrap();
        assert_eq!(
            seen,
            Protection {
                create_only: true,
                lock_asked: thirty,
                lock: thirty,
                versioned: true,
                encryption_asked: None,
                encryption: Some("aws:kms".to_owned()),
                unread: None,
            }
        );
        // The bucket's default lock starts by the bucket's clock, a little earlier or later.
        for until in ["2026-12-23T22:40:09Z", "2026-12-23T22:39:50Z"] {
            server.heal();
            server.inject(Rule::on("HEAD", "", headers("GOVERNANCE", until)));
            let name = format!("default-{}", &until[14..16]);
            let seen = store.protect(&name, "x", at(AS_OF)).await.unwrap();
            assert_eq!((seen.lock_asked, seen.lock), (None, thirty), "{until}");
        }
    }

    #[tokio::test]
    async fn a_store_that_replaces_objects_is_found() {
        let (server, store) = world().await;
        server.inject(Rule::on("PUT", "replaced", Fault::Xml(200, String::new())).nth(2));
        let seen = store.protect("replaced", "x", at(AS_OF)).await.unwrap();
        assert!(!seen.create_only);
    }

    #[tokio::test]
    async fn an_unreadable_lock_is_reported_as_unknown() {
        let (server, store) = world().await;
        for (fault, reported) in [
            (Fault::AccessDenied, "the store refused HEAD of the object"),
            (
                Fault::Status(501, ""),
                "the store does not answer HEAD of an object",
            ),
            (
                Fault::Status(405, ""),
                "the store does not answer HEAD of an object",
            ),
        ] {
            server.heal();
            let name = format!("{fault:?}").replace(['(', ')', ',', '"', ' '], "");
            server.inject(Rule::on("HEAD", "", fault));
            let seen = store.protect(&name, "x", at(AS_OF)).await.unwrap();
            assert_eq!(seen.unread.as_deref(), Some(reported));
        }
        server.heal();
        server.inject(Rule::on("HEAD", "", Fault::SlowDown).always());
        let error = store.protect("down", "x", at(AS_OF)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_bucket_without_object_lock_is_an_error_with_a_hint() {
        let (server, store) = world().await;
        let text = "<Error><Code>InvalidRequest</Code><Message>Bucket is missing Object Lock \
                    Configuration</Message></Error>";
        server.inject(Rule::on("PUT", "", Fault::Xml(400, text.to_owned())));
        let store = store.locked(Some(ObjectLock {
            mode: LockMode::Governance,
            until: at("2026-12-23T22:40:00.123Z"),
        }));
        let error = store.create("a", "a").await.unwrap_err();
        assert!(
            matches!(error, StoreError::Configuration { .. }),
            "{error:?}"
        );
        assert!(error.hint().unwrap().contains("EVIDENCE_OBJECT_LOCK_MODE"));
    }

    #[tokio::test]
    async fn an_unsuitable_store_is_an_error_that_names_the_missing_feature() {
        let (server, store) = world().await;
        for (fault, lacks) in [
            (Fault::Status(304, ""), "create-only writes"),
            (
                Fault::Status(400, "InvalidArgument"),
                "x-amz-checksum-sha256",
            ),
            (Fault::Status(501, "NotImplemented"), "SHA-256 checksums"),
        ] {
            server.heal();
            server.inject(Rule::on("PUT", "", fault));
            let error = store.create("a", "a").await.unwrap_err();
            assert!(
                matches!(error, StoreError::Configuration { .. }),
                "{error:?}"
            );
            assert!(error.hint().unwrap().contains(lacks), "{error:?}");
        }
    }

    fn versions(entries: &str, more: &str) -> Fault {
        Fault::Xml(
            200,
            format!(
                "<?xml version=\"1.0\"?><ListVersionsResult><Name>evidence</Name>{more}{entries}\
                 </ListVersionsResult>"
            ),
        )
    }

    #[tokio::test]
    async fn a_second_version_and_a_deletion_are_reported_over_all_pages() {
        let (server, store) = world().await;
        let version = |key: &str, id: &str| {
            format!("<Version><Key>nightly/{key}</Key><VersionId>{id}</VersionId></Version>")
        };
        let page = [version("a/once", "1"), version("a/twice", "2")].concat();
        let more = "<IsTruncated>true</IsTruncated><NextKeyMarker>nightly/a/twice</NextKeyMarker>\
                    <NextVersionIdMarker>2</NextVersionIdMarker>";
        server.inject(Rule::on("LIST", "versions", versions(&page, more)));
        let deleted =
            "<DeleteMarker><Key>nightly/a/gone</Key><VersionId>4</VersionId></DeleteMarker>";
        let page = [&version("a/twice", "1"), deleted, &version("a/gone", "3")].concat();
        let last = "<IsTruncated>false</IsTruncated>";
        server.inject(Rule::on("LIST", "versions", versions(&page, last)));
        assert_eq!(
            store.history("a/").await.unwrap(),
            History::Reported {
                replaced: names(&["a/twice"]),
                deleted: names(&["a/gone"]),
            }
        );
        let second = server.actions().pop().unwrap().query;
        assert!(
            second.contains("key-marker=nightly%2Fa%2Ftwice"),
            "{second}"
        );
        assert!(second.contains("version-id-marker=2"), "{second}");

        server.heal();
        let endless = "<IsTruncated>true</IsTruncated>";
        server.inject(Rule::on("LIST", "versions", versions("", endless)));
        let error = store.history("a/").await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn unreadable_versions_are_not_reported_as_none() {
        let (server, store) = world().await;
        server.inject(Rule::on("LIST", "versions", Fault::AccessDenied));
        let reported = |history| match history {
            History::NotReported(why) => why,
            reported => panic!("{reported:?}"),
        };
        let why = reported(store.history("").await.unwrap());
        assert!(why.contains("s3:ListBucketVersions"), "{why}");
        server.inject(Rule::on(
            "LIST",
            "versions",
            Fault::Status(501, "NotImplemented"),
        ));
        let why = reported(store.history("").await.unwrap());
        assert!(why.contains("does not list versions"), "{why}");
        let folder = tempfile::tempdir().unwrap();
        let why = reported(Store::folder(folder.path()).history("").await.unwrap());
        assert!(why.contains("folder"), "{why}");
    }

    #[tokio::test]
    async fn objects_have_a_content_type() {
        let (server, store) = world().await;
        let client = server.client().await;
        for (name, wanted) in [
            ("manifest.json", "application/json"),
            ("accounts.csv", "text/csv; charset=utf-8"),
            ("report.html", "text/html; charset=utf-8"),
            ("accounts.jsonl.gz", "application/gzip"),
            ("SHA256SUMS", "text/plain; charset=utf-8"),
        ] {
            store.create(name, "x").await.unwrap();
            let there = client
                .get_object()
                .bucket("evidence")
                .key(format!("nightly/{name}"))
                .send()
                .await
                .unwrap();
            assert_eq!(there.content_type(), Some(wanted), "{name}");
            assert_eq!(there.content_encoding(), None, "{name}");
        }
    }

    #[tokio::test]
    async fn the_test_server_refuses_requests_that_evidence_never_needs() {
        let (server, store) = world().await;
        store.create("a", "a").await.unwrap();
        let client = server.client().await;
        let put = || client.put_object().bucket("evidence").key("b");
        let delete = client.delete_object().bucket("evidence").key("nightly/a");
        let file = ByteStream::from_path("Cargo.toml").await.unwrap();
        let chunked = put().if_none_match("*").body(file);
        assert!(put().checksum_sha256("x").send().await.is_err());
        assert!(put().if_none_match("*").send().await.is_err());
        assert!(
            put()
                .if_none_match("*")
                .checksum_sha256("x")
                .send()
                .await
                .is_err()
        );
        assert!(chunked.send().await.is_err());
        assert!(delete.send().await.is_err());
        assert_eq!(
            server.violations(),
            [
                "PUT b: a put without `If-None-Match: *`",
                "PUT b: a put without `x-amz-checksum-sha256`",
                "PUT b: a put whose body does not have its SHA-256",
                "PUT b: a put of an `aws-chunked` body",
                "DELETE nightly/a: a DELETE",
            ]
        );
        assert_eq!(server.objects("evidence").len(), 1);
    }

    #[tokio::test]
    async fn our_own_write_is_recognised_after_a_lost_answer() {
        let (server, store) = world().await;
        server.inject(Rule::on("PUT", "ledger/", Fault::LostAnswer));
        assert_eq!(
            store.create("ledger/1.json", "ours").await.unwrap(),
            Created::AlreadyThere
        );
        let answers: Vec<_> = server
            .actions()
            .iter()
            .map(|a| (a.operation().to_owned(), a.status.unwrap()))
            .collect();
        let wanted = [("PUT", 500), ("PUT", 412), ("GET", 200)];
        assert_eq!(
            answers,
            wanted.map(|(operation, status)| (operation.to_owned(), status))
        );
    }

    #[tokio::test]
    async fn the_write_of_another_run_is_a_conflict_after_a_lost_answer() {
        let (server, store) = world().await;
        server.tamper("evidence", "nightly/ledger/1.json", b"theirs");
        server.inject(Rule::on("PUT", "ledger/", Fault::LostAnswer));
        let error = store.create("ledger/1.json", "ours").await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}");
        assert_eq!(
            server.objects("evidence")["nightly/ledger/1.json"],
            b"theirs"
        );
    }

    #[tokio::test]
    async fn an_unreadable_existing_object_is_not_taken_for_our_own() {
        let (server, store) = world().await;
        server.inject(Rule::on("PUT", "", Fault::PreconditionFailed));
        let error = store.create("a", "ours").await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        store.create("b", "ours").await.unwrap();
        server.inject(Rule::on("GET", "", Fault::AccessDenied));
        let error = store.create("b", "ours").await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Refused { hint, .. } if hint.contains("s3:GetObject")),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_transient_error_is_retried() {
        for fault in [
            Fault::Conflict,
            Fault::TooManyRequests,
            Fault::SlowDown,
            Fault::Status(500, "InternalError"),
            Fault::Status(502, ""),
            Fault::Status(504, ""),
            Fault::Reset,
        ] {
            let (server, store) = world().await;
            server.inject(Rule::on("", "", fault.clone()).times(2));
            assert_eq!(
                store.create("a", "a").await.unwrap(),
                Created::New,
                "{fault:?}"
            );
            assert_eq!(server.count("PUT", "nightly/a"), 3, "{fault:?}");
            server.inject(Rule::on("", "", fault.clone()).times(2));
            assert_eq!(store.read("a").await.unwrap().unwrap(), b"a", "{fault:?}");
            server.inject(Rule::on("", "", fault.clone()).times(2));
            assert_eq!(store.list("").await.unwrap(), names(&["a"]), "{fault:?}");
            assert_eq!(server.count("LIST", ""), 3, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn a_persistent_error_is_unavailable() {
        for (fault, attempts) in [
            (Fault::Conflict, 8),
            (Fault::TooManyRequests, 8),
            (Fault::SlowDown, 4),
            (Fault::Status(500, "InternalError"), 4),
            (Fault::Reset, 4),
        ] {
            let (server, store) = world().await;
            server.inject(Rule::on("", "", fault.clone()).always());
            let error = store.create("a", "a").await.unwrap_err();
            assert!(
                matches!(error, StoreError::Unavailable { .. }),
                "{fault:?}: {error:?}"
            );
            assert_eq!(server.count("PUT", ""), attempts, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_not_retried_and_names_the_permission() {
        let (server, store) = world().await;
        server.inject(Rule::on("", "", Fault::AccessDenied).always());
        for (error, permission) in [
            (store.create("a", "a").await.unwrap_err(), "s3:PutObject"),
            (
                store
                    .create_all(vec![("a".to_owned(), Vec::new())])
                    .await
                    .unwrap_err(),
                "s3:PutObject",
            ),
            (store.read("a").await.unwrap_err(), "s3:GetObject"),
            (store.list("").await.unwrap_err(), "s3:ListBucket"),
        ] {
            assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
            assert!(error.hint().unwrap().contains(permission), "{error:?}");
        }
        assert_eq!(server.actions().len(), 4);
        let error = store.create("a", "a").await.unwrap_err();
        insta::assert_snapshot!(chain(&error), @"writing `s3://evidence/nightly/a` was refused: AccessDenied (HTTP 403): “Injected by the test”");
    }

    #[tokio::test]
    async fn bad_credentials_are_a_refusal() {
        let server = S3Server::start(["evidence"]);
        for (access_key, secret_key) in [("AKIAOTHER", SECRET_KEY), (ACCESS_KEY, "wrong")] {
            let client = server.client_with(access_key, secret_key).await;
            let store = Store::s3(client, "evidence", "nightly");
            let error = store.create("a", "a").await.unwrap_err();
            assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
            assert!(chain(&error).contains("HTTP 403"), "{error:?}");
        }
        // AWS sends these codes where s3s sends `NotSignedUp`.
        for code in [
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
        ] {
            server.inject(Rule::on("PUT", "", Fault::Status(400, code)));
            let store = Store::s3(server.client().await, "evidence", "nightly");
            let error = store.create("a", "a").await.unwrap_err();
            assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
            assert!(
                error.hint().unwrap().contains("AWS_SECRET_ACCESS_KEY"),
                "{error:?}"
            );
        }
        assert!(server.objects("evidence").is_empty());
    }

    #[tokio::test]
    async fn a_missing_bucket_is_not_an_empty_one() {
        let server = S3Server::start(["evidence"]);
        let store = Store::s3(server.client().await, "evidance", "nightly");
        for error in [
            store.create("a", "a").await.unwrap_err(),
            store.read("a").await.unwrap_err(),
            store.list("").await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
            assert_eq!(error.to_string(), "the bucket `evidance` does not exist");
        }
    }

    #[tokio::test]
    async fn a_404_without_the_code_of_s3_is_not_a_missing_object() {
        let (server, store) = world().await;
        server.inject(Rule::on("GET", "", Fault::Status(404, "")));
        let error = store.read("a").await.unwrap_err();
        assert!(
            matches!(error, StoreError::Configuration { .. }),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_store_without_create_only_writes_is_reported() {
        let (server, store) = world().await;
        server.inject(Rule::on("PUT", "", Fault::Status(501, "NotImplemented")));
        let error = store.create("a", "a").await.unwrap_err();
        assert!(
            matches!(error, StoreError::Configuration { .. }),
            "{error:?}"
        );
        assert!(error.hint().unwrap().contains("If-None-Match"));
    }

    #[tokio::test]
    async fn a_truncated_or_corrupt_body_is_read_again() {
        for fault in [Fault::CutBody, Fault::CorruptBody] {
            let (server, store) = world().await;
            store.create("a", "a body of some length").await.unwrap();
            server.inject(Rule::on("GET", "", fault.clone()).times(2));
            assert_eq!(
                store.read("a").await.unwrap().unwrap(),
                b"a body of some length",
                "{fault:?}"
            );
            assert_eq!(server.count("GET", ""), 3, "{fault:?}");
            server.inject(Rule::on("GET", "", fault.clone()).always());
            let error = store.read("a").await.unwrap_err();
            assert!(
                matches!(error, StoreError::Unavailable { .. }),
                "{fault:?}: {error:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_listing_of_many_pages_is_complete_or_an_error() {
        let (server, store) = world().await;
        let wanted: Vec<_> = (0..2_003).map(|n| format!("{n:04}")).collect();
        for name in &wanted {
            server.tamper("evidence", &format!("nightly/{name}"), b"");
        }
        assert_eq!(store.list("").await.unwrap(), wanted);
        assert_eq!(server.count("LIST", ""), 3);
        server.inject(Rule::on("LIST", "continuation-token", Fault::AccessDenied));
        let error = store.list("").await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");

        for name in &wanted {
            server.tamper("evidence", &format!("nightly/all/{name}/x"), b"");
        }
        let before = server.count("LIST", "");
        let folders = Vec::from_iter(wanted.iter().map(|name| format!("all/{name}")));
        assert_eq!(store.children("all/").await.unwrap(), folders);
        assert_eq!(server.count("LIST", "") - before, 3);
        server.inject(Rule::on("LIST", "continuation-token", Fault::AccessDenied));
        let error = store.children("all/").await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_slow_answer_is_requested_again() {
        let server = S3Server::start(["evidence"]);
        let timeouts =
            TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(200));
        let config = server.client().await.config().to_builder();
        let client = Client::from_conf(config.timeout_config(timeouts.build()).build());
        let store = Store::s3(client, "evidence", "nightly");
        server.inject(Rule::on("PUT", "", Fault::Slow(Duration::from_secs(60))));
        assert_eq!(store.create("a", "a").await.unwrap(), Created::New);
        server.inject(Rule::on("PUT", "", Fault::Slow(Duration::from_secs(60))).always());
        let error = store.create("b", "b").await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn leftovers_in_the_bucket_are_not_listed() {
        let (server, store) = world().await;
        server.tamper("evidence", "nightly/.tmp/copied-from-a-folder", b"");
        server.tamper("evidence", "nightly/a", b"");
        assert_eq!(store.list("").await.unwrap(), names(&["a"]));
    }

    #[tokio::test]
    async fn a_feed_of_the_wrong_size_is_not_read() {
        let server = S3Server::start(["people"]);
        server.tamper("people", "leavers.csv", &[b'x'; 1_000]);
        let client = server.client().await;
        let read = async |key, max_bytes| {
            aws::get_object_with(&client, "people", key, max_bytes, NO_WAITING).await
        };
        let object = read("leavers.csv", 1_000).await.unwrap();
        assert_eq!(object.bytes.len(), 1_000);
        assert!(object.last_modified.is_some());
        assert!(matches!(
            read("leavers.csv", 999).await,
            Err(AwsError::TooLarge { max_bytes: 999, .. })
        ));
        let error = read("joiners.csv", 1_000).await.unwrap_err();
        assert!(matches!(error, AwsError::NotFound { .. }));
        assert_eq!(
            error.to_string(),
            "`s3://people/joiners.csv` does not exist"
        );
        server.inject(Rule::on("GET", "", Fault::AccessDenied));
        assert!(matches!(
            read("leavers.csv", 1_000).await,
            Err(AwsError::Refused { .. })
        ));
        server.inject(Rule::on("GET", "", Fault::CutBody));
        assert_eq!(read("leavers.csv", 1_000).await.unwrap().bytes.len(), 1_000);
    }
}

/// Configuration that the SDK reads from the environment. A test cannot change its own environment,
/// so it starts a child.
mod environment {
    use super::*;

    /// One create in a new process with exactly these variables. Returns what it printed.
    fn create_with<'a>(env: impl IntoIterator<Item = (&'a str, String)>) -> String {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::environment::child",
                "--ignored",
                "--nocapture",
            ])
            .env_clear()
            .envs(env)
            .output()
            .unwrap();
        let printed = String::from_utf8(child.stdout).unwrap();
        let reported = printed
            .lines()
            .find_map(|line| line.strip_prefix("child: "));
        reported.unwrap_or_else(|| panic!("{printed}")).to_owned()
    }

    #[tokio::test]
    #[ignore = "the other tests here run it as a child process"]
    async fn child() {
        if !is_child("store::environment::child") {
            return;
        }
        let settings = Settings::S3 {
            bucket: "evidence".to_owned(),
            prefix: "nightly".to_owned(),
            force_path_style: true,
            owner: None,
            kms_key_id: None,
        };
        let outcome = match Store::open(&settings).await {
            Ok(store) => store.create("a", "a").await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(created) => println!("\nchild: {created:?}"),
            Err(error) => {
                let variant = format!("{error:?}");
                let variant = variant.split([' ', '{']).next().unwrap();
                let reported = chain(&error);
                let hint = error.hint().unwrap_or_default();
                println!("\nchild: {variant}: {reported} (hint: {hint})");
            }
        }
    }

    fn without(server: &S3Server, names: &[&str]) -> Vec<(&'static str, String)> {
        server
            .env()
            .into_iter()
            .filter(|(name, _)| !names.contains(name))
            .collect()
    }

    #[test]
    fn endpoint_region_and_credentials_are_found() {
        let server = S3Server::start(["evidence"]);
        assert_eq!(create_with(server.env()), "New");
        let stored: BTreeSet<_> = server.objects("evidence").into_keys().collect();
        assert_eq!(stored, BTreeSet::from(["nightly/a".to_owned()]));
    }

    #[test]
    fn without_a_region_the_variable_is_named() {
        let server = S3Server::start(["evidence"]);
        let printed = create_with(without(&server, &["AWS_REGION"]));
        insta::assert_snapshot!(printed, @"Configuration: no AWS region is set (hint: set AWS_REGION to the bucket's region (any value, such as `us-east-1`, for a store without regions))");
        assert!(server.actions().is_empty());
    }

    #[test]
    fn without_credentials_the_ways_to_give_them_are_named() {
        let server = S3Server::start(["evidence"]);
        let printed = create_with(without(&server, &["AWS_ACCESS_KEY_ID"]));
        insta::assert_snapshot!(printed, @"Refused: writing `s3://evidence/nightly/a` was refused: the credential provider was not enabled: no credentials found in chain. Attempted: Environment: the credential provider was not enabled: environment variable not set; Profile: the credential provider was not enabled; WebIdentityToken: the credential provider was not enabled: $AWS_WEB_IDENTITY_TOKEN_FILE was not set; EcsContainer: the credential provider was not enabled: ECS provider not configured; Ec2InstanceMetadata: the credential provider was not enabled: IMDS disabled by AWS_EC2_METADATA_DISABLED env var set to `true` (hint: no usable AWS credentials were found: give the job's service account a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)");
        assert!(server.actions().is_empty());
    }

    #[test]
    fn an_unreachable_role_provider_is_a_transient_error() {
        let server = S3Server::start(["evidence"]);
        let closed = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut env = without(&server, &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
        env.push((
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("http://{closed}/role"),
        ));
        let printed = create_with(env).replace(&closed.port().to_string(), "PORT");
        assert!(printed.starts_with("Unavailable"), "{printed}");
    }

    #[test]
    fn an_unreachable_server_is_unavailable() {
        let server = S3Server::start(["evidence"]);
        let closed = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut env = without(&server, &["AWS_ENDPOINT_URL_S3"]);
        env.push(("AWS_ENDPOINT_URL_S3", format!("http://{closed}")));
        insta::assert_snapshot!(create_with(env), @"Unavailable: writing `s3://evidence/nightly/a` failed: dispatch failure: io error: client error (Connect): tcp connect error: Connection refused (os error 111) (hint: )");
    }

    #[test]
    fn the_proxy_of_the_environment_is_used() {
        let server = S3Server::start(["evidence"]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream
                .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
            line
        });
        let mut env = without(&server, &["AWS_ENDPOINT_URL_S3"]);
        env.push((
            "AWS_ENDPOINT_URL_S3",
            "https://s3.example.invalid".to_owned(),
        ));
        env.push(("HTTPS_PROXY", proxy));
        let printed = create_with(env);
        assert_eq!(
            asked.join().unwrap(),
            "CONNECT s3.example.invalid:443 HTTP/1.1\r\n",
            "{printed}"
        );
    }
}
