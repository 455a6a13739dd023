//! `review open` and `review close`, killed at every request to the store, and two at once.
//! What they leave proves nothing false, and the next command succeeds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::company::ensure_intact;
use crate::support::job::{Ended, Job, LEFT_AND_GONE, ended};
use crate::support::s3::{Fault, Rule, S3Server};
use asana_access_review::evidence::{ConnectionFolder, Entry, EntryKind};
use serde_json::{Value, json};
use truto_simulator::{CONNECTION_ID, World};

type Objects = BTreeMap<String, Vec<u8>>;

/// A company with one run and its evidence in a bucket.
struct Company {
    job: Job,
    server: S3Server,
}

/// The folders of reviews that no entry names.
fn left_over(objects: &Objects, entries: &[Entry]) -> Vec<String> {
    let folder = ConnectionFolder::of(CONNECTION_ID);
    let folders = objects
        .keys()
        .filter_map(|name| folder.committed_file_of(name));
    let mut left: BTreeSet<String> = folders.map(|(folder, _)| folder).collect();
    left.retain(|folder| entries.iter().all(|entry| entry.run != *folder));
    left.into_iter().collect()
}

impl Company {
    fn new() -> Self {
        let server = S3Server::start(["evidence"]);
        let job = crate::support::in_bucket(Job::new(World::generated(12), LEFT_AND_GONE), &server);
        assert_eq!(job.run().code, 0);
        Self { job, server }
    }

    fn objects(&self) -> Objects {
        self.server.objects("evidence")
    }

    /// Restores these objects and removes all others.
    fn restore(&self, objects: &Objects) {
        for (name, bytes) in self.objects() {
            match objects.get(&name) {
                None => self.server.remove("evidence", &name),
                Some(before) if *before != bytes => self.server.tamper("evidence", &name, before),
                Some(_) => {}
            }
        }
        let now = self.objects();
        for (name, bytes) in objects.iter().filter(|(name, _)| !now.contains_key(*name)) {
            self.server.tamper("evidence", name, bytes);
        }
    }

    /// The entries of the ledger, after both verifiers accepted the evidence and listed the folders without an entry
    /// that are there.
    fn verified_entries(&self, context: &str) -> Vec<Entry> {
        let objects = self.objects().into_iter();
        let objects: Objects = objects
            .filter_map(|(name, bytes)| Some((name.strip_prefix("n/")?.to_owned(), bytes)))
            .collect();
        let entries = ensure_intact(&objects);
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in &objects {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        let seen = crate::support::job::verify(folder.path(), &[]);
        assert_eq!(seen.code, 0, "{context}: {}", seen.stdout);
        let seen: Value = serde_json::from_str(&seen.stdout).expect("JSON");
        let left = left_over(&objects, &entries);
        assert_eq!(seen["chains"][0]["uncommitted"], json!(left), "{context}");
        if crate::support::has(&["sh", "awk", "sha256sum"]) {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
            let seen = Command::new("sh").arg(script).arg(folder.path()).output();
            let seen = seen.expect("sh");
            let reported = String::from_utf8_lossy(&seen.stdout);
            assert!(seen.status.success(), "{context}: {reported}");
            let prefix = format!("  no entry system=asana/connection={CONNECTION_ID}/");
            let lines = reported.lines();
            let listed: Vec<&str> = lines.filter_map(|of| of.strip_prefix(&prefix)).collect();
            assert_eq!(listed, left, "{context}");
        }
        entries
    }

    fn start(&self, line: &[&str]) -> Child {
        let mut command = self.job.command();
        command
            .args(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().expect("the binary")
    }

    /// Kills the command after this number of answered requests. Returns how it ended, if it ended
    /// before.
    fn kill_after(&self, line: &[&str], answered: u32) -> Option<Ended> {
        let before = self.server.actions().len();
        let silence = Fault::Slow(Duration::from_secs(3600));
        self.server
            .inject(Rule::on("", "", silence).nth(answered + 1).always());
        let mut child = self.start(line);
        let over = loop {
            if self.server.actions().len() > before + answered as usize {
                break false;
            }
            if child.try_wait().expect("a child").is_some() {
                break true;
            }
            thread::sleep(Duration::from_micros(500));
        };
        let _ = child.kill();
        let output = child.wait_with_output().expect("an end");
        self.server.heal();
        over.then(|| ended(output))
    }

    fn open(&self) {
        assert_eq!(self.job.run_with(OPEN).code, 0);
    }

    /// Starts the second command when the first is about to write its entry. Returns which was faster, and the other.
    fn race(&self, first: &[&str], second: &[&str]) -> (Ended, Ended) {
        let wait = Fault::Slow(Duration::from_secs(4));
        self.server.inject(Rule::on("PUT", "/ledger/", wait));
        let asked = self.server.count("PUT", "/ledger/");
        let first = self.start(first);
        let waited = Instant::now();
        while self.server.count("PUT", "/ledger/") == asked {
            assert!(waited.elapsed() < Duration::from_secs(60), "no entry");
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(1100));
        let second = self.job.run_with(second);
        let first = ended(first.wait_with_output().expect("an end"));
        self.server.heal();
        match first.code {
            0 => (first, second),
            _ => (second, first),
        }
    }

    /// Decisions for every row. `note` makes two files differ.
    fn decisions(&self, file: &str, note: &str) -> PathBuf {
        let objects = self.objects();
        let mut sheets = objects
            .iter()
            .filter(|(name, _)| name.ends_with("/worksheet.csv"));
        let (_, bytes) = sheets.next().expect("a worksheet");
        let mut reader = csv::ReaderBuilder::new().from_reader(&bytes[3..]);
        let headers = reader.headers().expect("a header").clone();
        let path = self.job.place().join(file);
        let mut writer = csv::Writer::from_path(&path).expect("a file");
        writer.write_record(&headers).expect("a row");
        for row in reader.records() {
            let mut row: Vec<String> = row.expect("a row").iter().map(str::to_owned).collect();
            let mut set = |name: &str, text: &str| {
                let at = headers.iter().position(|header| header == name);
                row[at.expect("a column")] = text.to_owned();
            };
            set("decision", "keep");
            set("note", note);
            set("decided_by", "boss@example.net");
            writer.write_record(&row).expect("a row");
        }
        writer.flush().expect("a file");
        path
    }
}

const OPEN: &[&str] = &["review", "open", "--name", "2026-Q4", "--due", "2999-12-31"];

fn close(file: &Path) -> [&str; 6] {
    [
        "review",
        "close",
        "--accept-reviewer",
        "boss@example.net",
        "--decisions",
        file.to_str().expect("UTF-8"),
    ]
}

const ACKNOWLEDGE: &[&str] = &[
    "review",
    "acknowledge",
    "--by",
    "ceo@example.net",
    "--statement",
    "I have read the report.",
];

fn kinds(entries: &[Entry]) -> Vec<EntryKind> {
    entries.iter().map(|entry| entry.kind).collect()
}

#[test]
fn an_open_killed_at_any_store_request_can_be_repeated() {
    let company = Company::new();
    let before = company.objects();
    let mut killed = 0;
    for answered in 0.. {
        company.restore(&before);
        let context = format!("killed at request {}", answered + 1);
        if let Some(ended) = company.kill_after(OPEN, answered) {
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            break;
        }
        killed += 1;
        assert_eq!(
            kinds(&company.verified_entries(&context)),
            [EntryKind::Run],
            "{context}"
        );
        let again = company.job.run_with(OPEN);
        assert_eq!(again.code, 0, "{context}: {}", again.stderr);
        let entries = company.verified_entries(&context);
        assert_eq!(kinds(&entries), [EntryKind::Run, EntryKind::ReviewOpen]);
        // The files of the killed command are not an open review.
        let status = company.job.run_with(&["review", "status"]);
        assert!(
            status.stdout.contains("decided    0/"),
            "{context}: {}",
            status.stdout
        );
    }
    assert!(killed > 10, "{killed}");
    assert_eq!(company.server.violations(), Vec::<String>::new());
}

#[test]
fn after_a_killed_close_a_corrected_file_closes_the_review() {
    let company = Company::new();
    company.open();
    let file = company.decisions("d.csv", "still needed");
    let corrected = company.decisions("corrected.csv", "needed until March");
    let before = company.objects();
    let (mut killed, mut begun) = (0, 0);
    for answered in 0.. {
        company.restore(&before);
        let context = format!("killed at request {}", answered + 1);
        if let Some(ended) = company.kill_after(&close(&file), answered) {
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            break;
        }
        killed += 1;
        let opened = [EntryKind::Run, EntryKind::ReviewOpen];
        assert_eq!(
            kinds(&company.verified_entries(&context)),
            opened,
            "{context}"
        );
        let left = company.objects();
        let again = company.job.run_with(&close(&corrected));
        assert_eq!(again.code, 0, "{context}: {}", again.stderr);
        let entries = company.verified_entries(&context);
        assert_eq!(entries.len(), 3, "{context}");
        assert_eq!(entries[2].kind, EntryKind::ReviewClose);
        let closed = company.objects();
        let decisions = closed.iter().find(|(name, _)| {
            name.contains(&entries[2].run) && name.ends_with("received/decisions-001.csv")
        });
        let (_, decisions) = decisions.expect("the decisions");
        assert_eq!(
            *decisions,
            fs::read(&corrected).expect("a file"),
            "{context}"
        );
        for (name, bytes) in &left {
            assert_eq!(closed[name], *bytes, "{context}: {name}");
        }
        let has_begun = left.keys().any(|name| name.contains("/close-"));
        begun += u32::from(has_begun);
        let once_more = company.job.run_with(&close(&file));
        assert_eq!(once_more.code, 78, "{context}");
        assert!(
            once_more.stderr.contains("no access review is open"),
            "{}",
            once_more.stderr
        );
    }
    assert!(killed > 10 && begun >= 5, "{killed}, {begun}");
    assert_eq!(company.server.violations(), Vec::<String>::new());
}

#[test]
fn of_two_commands_at_once_the_slower_names_the_entry_of_the_other() {
    let company = Company::new();
    company.open();
    let (one, other) = (
        company.decisions("one.csv", "still needed"),
        company.decisions("other.csv", "else"),
    );
    let before = company.objects();
    for second in [&one, &other] {
        company.restore(&before);
        let (won, lost) = company.race(&close(&one), &close(second));
        assert_eq!(
            (won.code, lost.code),
            (0, 78),
            "{}{}",
            won.stderr,
            lost.stderr
        );
        let wanted = "error: ledger entry 3 closed the review 2026-Q4-";
        assert!(lost.stderr.starts_with(wanted), "{}", lost.stderr);
        assert_eq!(company.verified_entries(wanted).len(), 3);
    }
    let (won, lost) = company.race(ACKNOWLEDGE, ACKNOWLEDGE);
    assert_eq!(
        (won.code, lost.code),
        (0, 78),
        "{}{}",
        won.stderr,
        lost.stderr
    );
    let wanted = "error: ledger entry 4 acknowledged the review 2026-Q4-";
    assert!(lost.stderr.starts_with(wanted), "{}", lost.stderr);
    assert_eq!(company.verified_entries(wanted).len(), 4);
    // Also in any order.
    for round in 0..5 {
        company.restore(&before);
        let racers = [
            company.start(&close(&one)),
            company.start(&close(&one)),
            company.start(&close(&other)),
        ];
        let racers = racers.map(|racer| ended(racer.wait_with_output().expect("an end")));
        let entries = company.verified_entries(&format!("round {round}"));
        assert_eq!(entries.len(), 3, "{racers:?}");
        let won = racers.iter().filter(|racer| racer.code == 0);
        assert_eq!(won.count(), 1, "{racers:?}");
        for racer in racers.iter().filter(|racer| racer.code != 0) {
            assert_eq!(racer.code, 78, "{}", racer.stderr);
            assert!(racer.stderr.starts_with("error: "), "{}", racer.stderr);
        }
    }
}

#[test]
fn an_open_stops_if_another_review_is_closed_meanwhile() {
    let company = Company::new();
    company.open();
    let file = company.decisions("d.csv", "still needed");
    let next = [
        "review",
        "open",
        "--name",
        "2027-Q1",
        "--due",
        "2999-12-31",
        "--yes",
    ];
    let (closing, opening) = company.race(&next, &close(&file));
    assert_eq!(closing.code, 0, "{}", closing.stderr);
    assert_eq!(opening.code, 75, "{}", opening.stderr);
    assert!(
        opening
            .stderr
            .contains("closed in the meantime, by ledger entry 3"),
        "{}",
        opening.stderr
    );
    assert_eq!(company.verified_entries("overtaken").len(), 3);
    assert_eq!(company.job.run_with(&next).code, 0);
    assert_eq!(company.verified_entries("opened").len(), 4);
}
