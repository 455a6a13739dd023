//! A company whose runs write evidence that can be tampered with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use asana_access_review::aws::Retries;
use asana_access_review::clock::Clock;
use asana_access_review::commands::run::{self, Done, Failed};
use asana_access_review::config;
use asana_access_review::evidence::{Entry, FIRST_PREVIOUS, RunIdentity, sums_of};
use asana_access_review::judgement::{Check, CheckId, CheckStatus, Verdict};
use asana_access_review::signing::SigningKey;
use asana_access_review::store::Store;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use truto_simulator::{CONNECTION_ID, Simulator, TOKEN, World};

use super::job::LEFT_AND_GONE;
use super::s3::{Fault, Rule, S3Server};

/// One attempt each, because the injected faults are permanent.
pub(crate) const ONE_ATTEMPT: Retries = Retries {
    max_attempts: 1,
    delay: Duration::ZERO,
};

/// The evidence of any company, by name.
pub(crate) type Objects = BTreeMap<String, Vec<u8>>;

pub(crate) fn sha256(bytes: &[u8]) -> String {
    const_hex::encode(Sha256::digest(bytes))
}

/// The name of something below the connection.
pub(crate) fn below(name: &str) -> String {
    format!("system=asana/connection={CONNECTION_ID}/{name}")
}

pub(crate) fn entry_name(sequence: u64) -> String {
    below(&format!("ledger/{sequence:010}.json"))
}

/// The instant of a run, counted from 1.
pub(crate) fn instant(snapshot: i64) -> Timestamp {
    let first: Timestamp = "2026-11-01T22:40:00Z".parse().expect("an instant");
    first + SignedDuration::from_hours(24 * (snapshot - 1))
}

/// A company with its accounts and its HR feed.
pub(crate) struct Company {
    pub(crate) simulator: Simulator,
    pub(crate) folder: TempDir,
}

/// What differs from a usual run.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) as_of: Timestamp,
    pub(crate) suffix: &'a str,
    pub(crate) retention_days: &'a str,
    pub(crate) signing_key: &'a str,
}

impl Run<'static> {
    pub(crate) fn at(as_of: Timestamp) -> Self {
        Self {
            as_of,
            suffix: "7f3a9c",
            retention_days: "",
            signing_key: "",
        }
    }
}

impl Company {
    pub(crate) fn new() -> Self {
        let company = Self {
            simulator: Simulator::spawn(World::generated(12)),
            folder: tempfile::tempdir().expect("a folder"),
        };
        company.hr_feed(LEFT_AND_GONE);
        company
    }

    pub(crate) fn hr_feed(&self, rows: &str) {
        let text = format!("Employee ID,Name,Work Email,Status,Termination Date\n{rows}");
        fs::write(self.folder.path().join("hr.csv"), text).expect("an HR feed");
    }

    /// Sets the clock of every server to this instant. The HR feed is three hours older.
    pub(crate) fn set_world(&self, world: World, as_of: Timestamp) {
        self.simulator.set_world(world.at(as_of));
        super::changed_before(&self.folder.path().join("hr.csv"), as_of);
    }

    /// A run that signs with the key of its own settings, if it has one.
    pub(crate) async fn run(&self, store: &Store, run: Run<'_>) -> Result<Done, Failed> {
        let settings = self.settings(run);
        let key = SigningKey::open(&settings.signing).await;
        let key = key.expect("a key that needs no server");
        Self::run_of(store, key, settings, run).await
    }

    /// A run that signs with an opened key.
    pub(crate) async fn run_signing(
        &self,
        store: &Store,
        key: SigningKey,
        run: Run<'_>,
    ) -> Result<Done, Failed> {
        Self::run_of(store, Some(key), self.settings(run), run).await
    }

    fn settings(&self, run: Run<'_>) -> config::Settings {
        let feed = self.folder.path().join("hr.csv").display().to_string();
        let variables = [
            ("TRUTO_BASE_URL", self.simulator.url()),
            ("TRUTO_API_TOKEN", TOKEN.to_owned()),
            ("TRUTO_INTEGRATED_ACCOUNT_ID", CONNECTION_ID.to_owned()),
            ("TRUTO_RATE_LIMIT", "off".to_owned()),
            ("RETRY_MAX_ATTEMPTS", "1".to_owned()),
            ("HR_FEED_URL", feed),
            ("EVIDENCE_RETENTION_DAYS", run.retention_days.to_owned()),
            ("EVIDENCE_SIGNING_KEY", run.signing_key.to_owned()),
        ];
        let environment = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        config::load(environment.collect(), |path| fs::read_to_string(path))
            .expect("settings")
            .settings
    }

    async fn run_of(
        store: &Store,
        key: Option<SigningKey>,
        settings: config::Settings,
        run: Run<'_>,
    ) -> Result<Done, Failed> {
        let identity = RunIdentity {
            executor: settings.executor.clone(),
            ..super::identity(run.as_of, run.suffix)
        };
        let clock = Clock::at(run.as_of);
        run::run_in(store.clone(), key, &settings, identity, clock).await
    }

    /// A run in this world.
    pub(crate) async fn run_in(&self, store: &Store, world: World, snapshot: i64) -> Done {
        let as_of = instant(snapshot);
        self.set_world(world, as_of);
        self.run(store, Run::at(as_of))
            .await
            .map_err(|failed| failed.error.chain())
            .expect("a run")
    }

    /// A run that passes.
    pub(crate) async fn quiet_run(&self, store: &Store, snapshot: i64) -> Done {
        self.run_in(store, World::generated(12), snapshot).await
    }

    /// A run that fails.
    pub(crate) async fn failed_run(&self, store: &Store, snapshot: i64) -> Failed {
        let as_of = instant(snapshot);
        self.set_world(World::scenario("down").expect("a scenario"), as_of);
        let run = self.run(store, Run::at(as_of)).await;
        run.map(|_| ()).expect_err("no judgement")
    }
}

/// A store for evidence that can be tampered with.
pub(crate) enum Place {
    Folder(TempDir),
    Bucket(S3Server),
}

impl Place {
    pub(crate) fn folder() -> Self {
        Self::Folder(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn bucket() -> Self {
        Self::Bucket(S3Server::start(["evidence"]))
    }

    pub(crate) fn both() -> [Self; 2] {
        [Self::folder(), Self::bucket()]
    }

    pub(crate) fn is_bucket(&self) -> bool {
        matches!(self, Self::Bucket(_))
    }

    /// The server of a bucket.
    pub(crate) fn server(&self) -> &S3Server {
        match self {
            Self::Bucket(server) => server,
            Self::Folder(_) => panic!("a folder has no server"),
        }
    }

    pub(crate) async fn store(&self) -> Store {
        match self {
            Self::Folder(folder) => Store::folder(folder.path()),
            Self::Bucket(server) => {
                Store::s3(server.client().await, "evidence", "").with_retries(ONE_ATTEMPT)
            }
        }
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        match self {
            Self::Folder(folder) => {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
                fs::write(path, bytes).expect("a file");
            }
            Self::Bucket(server) => server.tamper("evidence", name, bytes),
        }
    }

    pub(crate) fn remove(&self, name: &str) {
        match self {
            Self::Folder(folder) => fs::remove_file(folder.path().join(name)).expect("a file"),
            Self::Bucket(server) => server.remove("evidence", name),
        }
    }

    /// All objects, read directly from the disk.
    pub(crate) fn objects(&self) -> Objects {
        match self {
            Self::Folder(folder) => super::objects_below(folder.path()),
            Self::Bucket(server) => server.objects("evidence"),
        }
    }

    /// Changes the text of an object.
    pub(crate) fn edit(&self, objects: &Objects, name: &str, change: impl FnOnce(&str) -> String) {
        let text = std::str::from_utf8(&objects[name]).expect("text");
        let changed = change(text);
        assert_ne!(text, changed, "{name}");
        self.put(name, changed.as_bytes());
    }

    /// Restores these objects and removes all others.
    pub(crate) fn restore(&self, objects: &Objects, now: &Objects) {
        for name in now.keys().filter(|name| !objects.contains_key(*name)) {
            self.remove(name);
        }
        for (name, bytes) in objects {
            self.put(name, bytes);
        }
    }
}

pub(crate) fn entry(objects: &Objects, sequence: u64) -> Entry {
    Entry::from_bytes(&objects[&entry_name(sequence)]).expect("an entry")
}

/// The name of a file of a committed run.
pub(crate) fn run_file(objects: &Objects, sequence: u64, file: &str) -> String {
    below(&format!("{}/{file}", entry(objects, sequence).run))
}

pub(crate) fn manifest(objects: &Objects, sequence: u64) -> Value {
    serde_json::from_slice(&objects[&run_file(objects, sequence, "manifest.json")]).expect("JSON")
}

/// The sequences of the runs that an entry's run built on: previous and baseline.
pub(crate) fn built_on(objects: &Objects, sequence: u64) -> (Option<u64>, Option<u64>) {
    let manifest = manifest(objects, sequence);
    let of = |key: &str| manifest[key]["sequence"].as_u64();
    (of("previous"), of("baseline"))
}

/// Checks a ledger as an auditor would: it has no gaps, each entry links to the bytes before it,
/// and every file of every run has the hash that its entry covers. Returns the entries.
pub(crate) fn ensure_intact(objects: &Objects) -> Vec<Entry> {
    let ledger = below("ledger/");
    let count = objects
        .keys()
        .filter(|name| name.starts_with(&ledger) && !name.ends_with(".sig"))
        .count() as u64;
    let mut previous = FIRST_PREVIOUS.to_owned();
    let mut runs = BTreeSet::new();
    let mut entries = Vec::new();
    for sequence in 1..=count {
        let name = entry_name(sequence);
        let bytes = objects.get(&name).unwrap_or_else(|| panic!("no {name}"));
        let entry = Entry::from_bytes(bytes).expect("an entry");
        assert_eq!(entry.sequence, sequence);
        assert_eq!(entry.connection, CONNECTION_ID);
        assert_eq!(entry.previous_sha256, previous, "{name}");
        assert!(runs.insert(entry.run.clone()), "{} twice", entry.run);
        previous = sha256(bytes);

        let of_run = |file: &str| below(&format!("{}/{file}", entry.run));
        let sums = &objects[&of_run("SHA256SUMS")];
        assert_eq!(sha256(sums), entry.sums_sha256);
        let sums = sums_of(sums).expect("sums");
        assert_eq!(sums["manifest.json"], entry.manifest_sha256);
        for (file, expected) in sums {
            assert_eq!(
                sha256(&objects[&of_run(&file)]),
                expected,
                "{}",
                of_run(&file)
            );
        }
        entries.push(entry);
    }
    entries
}

pub(crate) fn ledger_check(done: &Done) -> &Check {
    let checks = &done.judgement.checks;
    let id = CheckId::LedgerContinues;
    checks.iter().find(|check| check.id == id).expect("a check")
}

pub(crate) fn ensure_clean(done: &Done) {
    let check = ledger_check(done);
    assert_eq!(check.status, CheckStatus::Pass, "{}", check.detail);
    assert_eq!(
        done.judgement.verdict,
        Verdict::Pass,
        "{:?}",
        done.judgement.reasons
    );
}

pub(crate) fn ensure_fault(done: &Done, fault: &str) {
    let check = ledger_check(done);
    assert_eq!(check.status, CheckStatus::Fail, "{fault}");
    assert!(check.detail.contains(fault), "{fault}: {}", check.detail);
    assert_eq!(done.judgement.verdict, Verdict::Inconclusive, "{fault}");
}

/// A fault that an earlier run recorded is a warning and fails no later run.
pub(crate) fn ensure_recorded_before(done: &Done, fault: &str) {
    let check = ledger_check(done);
    assert_eq!(check.status, CheckStatus::Warn, "{}", check.detail);
    let reported = check.detail.strip_prefix("recorded before: ");
    assert!(
        reported.is_some_and(|reported| reported.contains(fault)),
        "{fault}: {}",
        check.detail
    );
    assert_eq!(done.judgement.verdict, Verdict::Pass, "{fault}");
}

pub(crate) fn rewritten(
    place: &Place,
    objects: &Objects,
    sequence: u64,
    change: impl FnOnce(&mut Entry),
) {
    let mut changed = entry(objects, sequence);
    change(&mut changed);
    assert_ne!(changed, entry(objects, sequence));
    place.put(&entry_name(sequence), &changed.to_bytes());
}

/// Runs until the store is asked to put this key, then kills the run.
pub(crate) async fn kill_at_put(
    server: &S3Server,
    key: &str,
    run: impl Future<Output = Result<Done, Failed>>,
) {
    let silence = Fault::Slow(Duration::from_secs(3600));
    server.inject(Rule::on("PUT", key, silence));
    let before = server.count("PUT", key);
    tokio::select! {
        _ = run => panic!("it was not killed"),
        () = async {
            while server.count("PUT", key) == before {
                tokio::time::sleep(Duration::from_micros(500)).await;
            }
        } => {}
    }
}

/// A change of a ledger with three passing runs, and what later runs report.
pub(crate) struct Tampering {
    pub(crate) what: &'static str,
    pub(crate) done: fn(&Place, &Objects),
    /// The fault that the fourth run reports. If it does not build on entry 3, it also reports that
    /// entry 3 is not trusted.
    pub(crate) fault: &'static str,
    /// The entry that the fourth run builds on.
    pub(crate) built_on: u64,
    /// Whether the fifth run reports it again, because it reads the same place.
    pub(crate) stays: bool,
}

impl Tampering {
    /// Applies the change to three runs and makes two more. Returns the objects and the number of
    /// the first of the two.
    pub(crate) async fn walk(
        &self,
        place: &Place,
        three: &Objects,
        run: impl AsyncFn(i64) -> Done,
    ) -> (Objects, u64) {
        const NOT_TRUSTED: &str =
            "; entry 3 may be the previous run, and has a fault: leavers are carried from entry 2";
        let what = self.what;
        (self.done)(place, three);
        let changed = place.objects();
        let done = run(4).await;
        let doubt = match self.built_on {
            3 => "",
            _ => NOT_TRUSTED,
        };
        ensure_fault(&done, self.fault);
        ensure_fault(&done, doubt);

        // The chain continues from the stored bytes, even if they were changed.
        let four = place.objects();
        let sequence = done.committed.sequence;
        let on = Some(self.built_on);
        assert_eq!(built_on(&four, sequence), (on, on), "{what}");
        assert_eq!(
            entry(&four, sequence).previous_sha256,
            sha256(&four[&entry_name(sequence - 1)]),
            "{what}"
        );
        for (name, bytes) in &changed {
            assert!(four[name] == *bytes, "{what}: {name} was replaced");
        }

        let done = run(5).await;
        assert_eq!(done.committed.sequence, sequence + 1, "{what}");
        let five = place.objects();
        let on = Some(sequence);
        assert_eq!(built_on(&five, sequence + 1), (on, on), "{what}");
        match self.stays {
            true => ensure_recorded_before(&done, self.fault),
            false => ensure_clean(&done),
        }
        (five, sequence)
    }
}
