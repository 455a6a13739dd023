//! `review open` and `review close`, killed at every request to the store, and two at once.
//! Whatever they leave proves nothing false, and repeating the same command succeeds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::company::ensure_intact;
use crate::support::job::{Ended, Job, LEFT_AND_GONE, ended};
use crate::support::s3::{Fault, Rule, S3Server};
use asana_access_review::evidence::{Entry, EntryKind, sha256_hex};
use asana_access_review::review::Worksheet;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use truto_simulator::{CONNECTION_ID, World};

type Objects = BTreeMap<String, Vec<u8>>;

/// A company with one run and its evidence in a bucket.
struct Company {
    job: Job,
    server: S3Server,
}

/// A name below the connection, in the bucket.
fn below(name: &str) -> String {
    format!("n/system=asana/connection={CONNECTION_ID}/{name}")
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

    /// The entries of the ledger, after both verifiers accepted the evidence.
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
        if crate::support::has(&["sh", "awk", "sha256sum"]) {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
            let seen = Command::new("sh").arg(script).arg(folder.path()).output();
            let seen = seen.expect("sh");
            let reported = String::from_utf8_lossy(&seen.stdout);
            assert!(seen.status.success(), "{context}: {reported}");
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

    fn open(&self) -> Worksheet {
        assert_eq!(self.job.run_with(OPEN).code, 0);
        let objects = self.objects();
        let mut sheets = objects
            .iter()
            .filter(|(name, _)| name.ends_with("/worksheet.json"));
        let (_, bytes) = sheets.next().expect("a worksheet");
        assert!(sheets.next().is_none());
        serde_json::from_slice::<Worksheet>(bytes).expect("a worksheet")
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

    fn part(&self, sheet: &Worksheet, file: &str) -> String {
        below(&format!("reviews/{}/close/{file}", sheet.review))
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
fn a_close_killed_at_any_store_request_is_finished_by_a_repeat() {
    let company = Company::new();
    let sheet = company.open();
    let file = company.decisions("d.csv", "still needed");
    let before = company.objects();
    let (mut killed, mut finished) = (0, 0);
    for answered in 0.. {
        company.restore(&before);
        let context = format!("killed at request {}", answered + 1);
        if let Some(ended) = company.kill_after(&close(&file), answered) {
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            assert!(!ended.stdout.contains("finished"), "{}", ended.stdout);
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
        // At another instant, the same files still give the same bytes.
        if left.len() > before.len() {
            thread::sleep(Duration::from_millis(1100));
        }
        let again = company.job.run_with(&close(&file));
        assert_eq!(again.code, 0, "{context}: {}", again.stderr);
        let has_begun = left.contains_key(&company.part(&sheet, "review.json"));
        let is_reported = again
            .stdout
            .contains("finished   an interrupted attempt of ");
        assert_eq!(is_reported, has_begun, "{context}: {}", again.stdout);
        finished += u32::from(has_begun);
        let entries = company.verified_entries(&context);
        assert_eq!(entries.len(), 3, "{context}");
        assert_eq!(entries[2].kind, EntryKind::ReviewClose);
        for (name, bytes) in left {
            assert_eq!(company.objects()[&name], bytes, "{context}: {name}");
        }
        let once_more = company.job.run_with(&close(&file));
        assert_eq!(once_more.code, 78, "{context}");
        assert!(
            once_more.stderr.contains("no access review is open"),
            "{}",
            once_more.stderr
        );
    }
    assert!(killed > 10 && finished >= 5, "{killed}, {finished}");
    assert_eq!(company.server.violations(), Vec::<String>::new());
}

/// A company with a review whose close was killed before its entry was written.
fn killed_close() -> (Company, Worksheet, PathBuf) {
    let company = Company::new();
    let sheet = company.open();
    let file = company.decisions("d.csv", "still needed");
    let silence = Fault::Slow(Duration::from_secs(3600));
    company.server.inject(Rule::on("PUT", "/ledger/", silence));
    let asked = company.server.count("PUT", "/ledger/");
    let mut child = company.start(&close(&file));
    while company.server.count("PUT", "/ledger/") == asked {
        let ended = child.try_wait().expect("a state");
        assert!(ended.is_none(), "it ended before its entry: {ended:?}");
        thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    child.wait().expect("an end");
    company.server.heal();
    (company, sheet, file)
}

#[test]
fn a_close_refuses_files_that_changed_since_the_killed_attempt() {
    let (company, sheet, file) = killed_close();
    let left = company.objects();
    let files = [
        "review.json",
        "decisions.csv",
        "report.html",
        "manifest.json",
        "SHA256SUMS",
    ];
    for name in files {
        let name = company.part(&sheet, name);
        let mut changed = left[&name].clone();
        changed.push(b' ');
        company.server.tamper("evidence", &name, &changed);
        let again = company.job.run_with(&close(&file));
        assert_eq!(again.code, 78, "{name}: {}", again.stderr);
        // If two files differ, the first is named.
        let is_named = again
            .stderr
            .contains("exists with other content: another attempt");
        assert!(is_named, "{name}: {}", again.stderr);
        assert_eq!(company.verified_entries(&name).len(), 2);
        company.restore(&left);
    }
    let unknown = company.part(&sheet, "more.csv");
    company.server.tamper("evidence", &unknown, b"x");
    let again = company.job.run_with(&close(&file));
    assert_eq!(again.code, 5, "{}", again.stderr);
    assert!(
        again
            .stderr
            .contains("/more.csv` is in the folder to be committed"),
        "{}",
        again.stderr
    );
    assert_eq!(company.verified_entries("an unknown file").len(), 2);
    company.restore(&left);

    // The close does not mix in other decisions, and names the file of the killed attempt.
    let other = company.decisions("other.csv", "another note");
    let again = company.job.run_with(&close(&other));
    assert_eq!(again.code, 78);
    let begun = sha256_hex(&fs::read(&file).expect("a file"));
    assert!(
        again.stderr.contains(&format!("SHA-256 {begun}")),
        "{}",
        again.stderr
    );
    assert_eq!(company.verified_entries("other decisions").len(), 2);

    let again = company.job.run_with(&close(&file));
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(company.verified_entries("the same decisions").len(), 3);
}

#[test]
fn a_changed_instant_of_a_killed_attempt_is_refused_or_reported() {
    let (company, sheet, file) = killed_close();
    let name = company.part(&sheet, "review.json");
    let left = company.objects();
    let review: Value = serde_json::from_slice(&left[&name]).expect("JSON");
    let instant = |key: &str| -> Timestamp {
        let text = review[key].as_str().expect("an instant");
        text.parse().expect("an instant")
    };
    let (closed_at, due) = (instant("closed_at"), instant("revocations_due"));
    let with = |at: Timestamp, due: Timestamp| {
        // Removes every file of the attempt except the one with the instant.
        company.restore(&left);
        for other in [
            "decisions.csv",
            "report.html",
            "manifest.json",
            "SHA256SUMS",
        ] {
            let name = company.part(&sheet, other);
            company.server.remove("evidence", &name);
        }
        let text = String::from_utf8(left[&name].clone()).expect("text");
        let mut changed = text.clone();
        for (key, at) in [("closed_at", at), ("revocations_due", due)] {
            let before = format!("\"{key}\": \"{}\"", instant(key));
            changed = changed.replace(&before, &format!("\"{key}\": \"{at}\""));
        }
        assert_ne!(text, changed, "the text should change");
        company.server.tamper("evidence", &name, changed.as_bytes());
        company.job.run_with(&close(&file))
    };
    for impossible in ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
        let again = with(impossible.parse().expect("an instant"), due);
        assert_eq!(again.code, 78, "{}", again.stderr);
        assert!(again.stderr.contains(impossible), "{}", again.stderr);
    }
    // The due time does not fit the changed instant.
    let later = closed_at + SignedDuration::from_secs(1);
    thread::sleep(Duration::from_millis(2100));
    let again = with(later, due);
    assert_eq!(again.code, 78, "{}", again.stderr);
    let is_refused = again.stderr.contains("exists with other content");
    assert!(is_refused, "{}", again.stderr);
    assert_eq!(company.verified_entries("another instant").len(), 2);
    // A consistent change of both times, with all other files removed, is still reported.
    let again = with(later, due + SignedDuration::from_secs(1));
    assert_eq!(again.code, 0, "{}", again.stderr);
    let reported = format!("finished   an interrupted attempt of {later}");
    assert!(again.stdout.contains(&reported), "{}", again.stdout);
    assert_eq!(company.verified_entries("a changed instant").len(), 3);
}

#[test]
fn of_two_closes_at_once_one_succeeds_and_the_other_is_refused() {
    let company = Company::new();
    company.open();
    let (one, other) = (
        company.decisions("one.csv", "still needed"),
        company.decisions("other.csv", "else"),
    );
    let before = company.objects();
    for (second, wanted) in [
        (&one, "ledger entry 3 closed the review"),
        (&other, "exists with other content"),
    ] {
        company.restore(&before);
        // The second starts when the first is about to write its entry.
        let wait = Fault::Slow(Duration::from_secs(4));
        company.server.inject(Rule::on("PUT", "/ledger/", wait));
        let asked = company.server.count("PUT", "/ledger/");
        let first = company.start(&close(&one));
        let waited = Instant::now();
        while company.server.count("PUT", "/ledger/") == asked {
            assert!(waited.elapsed() < Duration::from_secs(60), "no entry");
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(1100));
        let second = company.job.run_with(&close(second));
        let first = ended(first.wait_with_output().expect("an end"));
        company.server.heal();
        let (won, lost) = match first.code {
            0 => (first, second),
            _ => (second, first),
        };
        assert_eq!(
            (won.code, lost.code),
            (0, 78),
            "{}{}",
            won.stderr,
            lost.stderr
        );
        assert!(lost.stderr.contains(wanted), "{}", lost.stderr);
        assert_eq!(company.verified_entries(wanted).len(), 3);
    }
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
        assert!(racers.iter().any(|racer| racer.code == 0), "{racers:?}");
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
    let wait = Fault::Slow(Duration::from_secs(4));
    company.server.inject(Rule::on("PUT", "/ledger/", wait));
    let asked = company.server.count("PUT", "/ledger/");
    let next = [
        "review",
        "open",
        "--name",
        "2027-Q1",
        "--due",
        "2999-12-31",
        "--yes",
    ];
    let opening = company.start(&next);
    while company.server.count("PUT", "/ledger/") == asked {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(company.job.run_with(&close(&file)).code, 0);
    let opening = ended(opening.wait_with_output().expect("an end"));
    company.server.heal();
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
