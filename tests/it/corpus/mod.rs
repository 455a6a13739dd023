//! Two verifiers that share no code check the same evidence: the binary and `docs/verify.sh`.
//!
//! Two hundred runs are tampered with at random places. Each way to tamper lists exactly the faults
//! that each verifier must report; any other fault fails the test. A failure prints its seed:
//! `CORPUS_SEED=<seed> cargo test --test it corpus::` repeats it.

mod reviews;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::chance::{Chance, seed};
use crate::support::has;
use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, ended, unpacked, verify};
use asana_access_review::clock::Clock;
use asana_access_review::evidence::{
    ConnectionFolder, Entry, EntryKind, FIRST_PREVIOUS, FailedSnapshot, Failure, FileRecord, Frame,
    Manifest, sha256_hex, sums, sums_of,
};
use asana_access_review::judgement::Decision;
use asana_access_review::ledger::{self, Ledger};
use asana_access_review::review::FrozenRow;
use asana_access_review::store::Store;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use truto_simulator::World;

const RUNS: u64 = 200;

/// A periodic review is opened far from the beginning, and closed after one more run.
const REVIEWED: u64 = 150;

const ENTRIES: u64 = RUNS + 2;

/// The seed if `CORPUS_SEED` is not set. Another seed tampers at other places.
const SEED: u64 = 20_261_123;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.sh");

const TOOLS: [&str; 4] = ["sh", "awk", "find", "sha256sum"];

// ---- Reported faults ----

/// A fault: its kind, and its place below `system=asana/connection=<id>`.
type Fault = (String, String);

/// The script replaces every byte that could move a cursor.
fn plain(text: &str) -> String {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'\\';
    text.bytes()
        .map(|byte| if is_plain(byte) { byte as char } else { '?' })
        .collect()
}

fn fault(connection: &str, kind: &str, place: &str) -> Fault {
    let place = place.strip_prefix(connection).unwrap_or(place);
    let below = place.strip_prefix('/').or(place.strip_prefix(", "));
    (kind.to_owned(), plain(below.unwrap_or(place)))
}

fn sorted(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort();
    faults
}

/// If `verify` gave up without a list of faults, the exit code is the fault.
fn reported_by_verify(ended: &Ended, connection: &str) -> Vec<Fault> {
    if ended.stdout.is_empty() {
        return vec![fault("", "gave_up", &format!("exit {}", ended.code))];
    }
    let reported: Value = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr));
    let faults = reported["integrity"]["faults"].as_array().expect("faults");
    assert_eq!(ended.code, if faults.is_empty() { 0 } else { 5 });
    let text = |fault: &Value, key: &str| fault[key].as_str().expect("text").to_owned();
    let one = |of: &Value| fault(connection, &text(of, "kind"), &text(of, "place"));
    sorted(faults.iter().map(one).collect())
}

fn reported_by_script(ended: &Ended, connection: &str) -> Vec<Fault> {
    assert_eq!(ended.stderr, "", "{}", ended.stdout);
    let faults = match ended.code {
        0 => Vec::new(),
        5 => ended
            .stdout
            .lines()
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let (kind, rest) = line.split_once(' ').expect("a kind");
                let (place, _) = rest.split_once(": ").expect("a place and a text");
                fault(connection, kind, place)
            })
            .collect(),
        code => panic!("exit {code}: {}", ended.stdout),
    };
    let outcome = ended.stdout.lines().last().unwrap_or_default();
    assert_eq!(outcome.starts_with("Integrity: holds,"), faults.is_empty());
    sorted(faults)
}

fn script(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new("sh");
    command.arg(SCRIPT).args(arguments).arg("--").arg(folder);
    ended(command.output().expect("sh"))
}

// ---- The evidence ----

/// Two hundred runs and a review, made in this process. The worlds and the HR feed differ from run
/// to run.
fn two_hundred_runs() -> Job {
    let job = Job::new(World::generated(12), LEFT_AND_ACTIVE)
        // This takes as long as a person would wait for the test.
        .env("EVIDENCE_RETENTION_DAYS", "36500");
    let first: Timestamp = "2026-01-01T22:40:00Z".parse().expect("an instant");
    let mut opened = None;
    for snapshot in 0..RUNS {
        match snapshot % 3 {
            0 => job.hr_feed(LEFT_AND_ACTIVE),
            _ => job.hr_feed(&format!("{LEFT_AND_ACTIVE}{LEFT_AND_GONE}")),
        }
        let at = first + SignedDuration::from_hours(24 * snapshot as i64);
        let world = World::generated(12 + (snapshot % 4) as usize);
        job.run_at(&at.to_string(), world);
        let later = (at + SignedDuration::from_hours(8)).to_string();
        if snapshot == REVIEWED {
            opened = Some(crate::support::review::open(&job, &later, "2026-Q2"));
        } else if let Some(opened) = opened.take() {
            let decide = |row: &FrozenRow| match row.row {
                2 => Some((Decision::Revoke, "")),
                _ => Some((Decision::Keep, "")),
            };
            crate::support::review::close(&job, &later, &opened, decide, None);
        }
    }
    job
}

/// A copy of the first runs, with hard links. A changed file is written as a new one.
struct Copy {
    root: PathBuf,
    /// `system=asana/connection=<id>`.
    connection: String,
    snapshots: u64,
    entries: Vec<Entry>,
}

fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::hard_link(from, to).expect("a link");
}

impl Copy {
    fn of(job: &Job, root: &Path, snapshots: u64) -> Self {
        if root.exists() {
            fs::remove_dir_all(root).expect("the copy before");
        }
        let whole = job.connection();
        let name = whole.strip_prefix(job.evidence()).expect("below");
        let mut copy = Self {
            root: root.to_owned(),
            connection: name.to_str().expect("UTF-8").to_owned(),
            snapshots,
            entries: Vec::new(),
        };
        for sequence in 1..=snapshots {
            let entry = format!("ledger/{sequence:010}.json");
            link(&whole.join(&entry), &copy.at(&entry));
            let bytes = fs::read(whole.join(&entry)).expect("an entry");
            let entry = Entry::from_bytes(&bytes).expect("an entry");
            let run = whole.join(&entry.run);
            for file in sums_in(&run).into_iter().map(|(file, _)| file) {
                link(&run.join(&file), &copy.at(&entry.run).join(&file));
            }
            let name = format!("{}/SHA256SUMS", entry.run);
            link(&whole.join(&name), &copy.at(&name));
            copy.entries.push(entry);
        }
        copy
    }

    fn at(&self, below: &str) -> PathBuf {
        self.root.join(&self.connection).join(below)
    }

    fn entry_path(&self, sequence: u64) -> PathBuf {
        self.at(&format!("ledger/{sequence:010}.json"))
    }

    fn run(&self, sequence: u64) -> String {
        self.entries[sequence as usize - 1].run.clone()
    }

    /// The name of a file of a run, below the connection.
    fn file(&self, sequence: u64, file: &str) -> String {
        format!("{}/{file}", self.run(sequence))
    }

    fn read(&self, below: &str) -> Vec<u8> {
        fs::read(self.at(below)).expect("a file")
    }

    /// Writes a new file. The file that it was linked to stays unchanged.
    fn write(&self, below: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(below);
        if path.exists() {
            fs::remove_file(&path).expect("a file");
        }
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    fn rename(&self, from: &str, to: &str) {
        let to = self.at(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::rename(self.at(from), to).expect("something to rename");
    }

    /// All files of a run.
    fn files(&self, sequence: u64) -> Vec<String> {
        crate::support::files_below(&self.at(&self.run(sequence)))
    }

    /// Any file of a run, except `but`.
    fn any_file(&self, sequence: u64, chance: &mut Chance, but: &[&str]) -> String {
        let mut files = self.files(sequence);
        files.retain(|file| !but.contains(&file.as_str()));
        chance.one_of(&files)
    }

    fn head(&self) -> String {
        let bytes = fs::read(self.entry_path(self.snapshots)).expect("an entry");
        format!("{}:{}", self.snapshots, sha256_hex(&bytes))
    }

    fn write_entry(&self, sequence: u64, bytes: &[u8]) {
        self.write(&format!("ledger/{sequence:010}.json"), bytes);
    }

    /// Changes an entry in place, so that the next one no longer links to it.
    fn edit(&mut self, sequence: u64, change: impl FnOnce(&mut Entry)) {
        let entry = &mut self.entries[sequence as usize - 1];
        change(entry);
        let bytes = entry.to_bytes();
        self.write_entry(sequence, &bytes);
    }

    /// Changes an entry and links all later ones to it, as an attacker with write access would.
    fn rewrite(&mut self, sequence: u64, change: impl FnOnce(&mut Entry)) {
        self.edit(sequence, change);
        for later in sequence + 1..=self.snapshots {
            let before = self.entries[later as usize - 2].to_bytes();
            self.edit(later, |entry| entry.previous_sha256 = sha256_hex(&before));
        }
    }

    /// Rewrites manifest, sums and chain for the current files of a run's folder.
    fn rewrite_run(&mut self, sequence: u64, change: impl FnOnce(&mut Value)) {
        let run = self.run(sequence);
        let name = format!("{run}/manifest.json");
        let mut manifest: Value = serde_json::from_slice(&self.read(&name)).expect("JSON");
        let there = self.files(sequence);
        let listed = manifest["files"].as_array_mut().expect("files");
        listed.retain(|file| there.iter().any(|name| file["name"] == *name));
        for file in listed {
            let name = file["name"].as_str().expect("a name");
            let bytes = self.read(&format!("{run}/{name}"));
            file["sha256"] = sha256_hex(&bytes).into();
            file["bytes"] = bytes.len().into();
        }
        change(&mut manifest);
        self.write(&name, written(manifest));
        self.rewrite_sums(sequence, |_| ());
    }

    /// Rewrites sums and chain.
    fn rewrite_sums(&mut self, sequence: u64, change: impl FnOnce(&mut Vec<FileRecord>)) {
        let run = self.run(sequence);
        let mut records: Vec<FileRecord> = self
            .files(sequence)
            .into_iter()
            .filter(|file| file != "SHA256SUMS")
            .map(|name| FileRecord {
                sha256: sha256_hex(&self.read(&format!("{run}/{name}"))),
                bytes: 0,
                rows: None,
                name,
            })
            .collect();
        change(&mut records);
        let sums = sums(&records);
        self.write(&format!("{run}/SHA256SUMS"), &sums);
        let manifest = fs::read(self.at(&format!("{run}/manifest.json")));
        self.rewrite(sequence, |entry| {
            entry.sums_sha256 = sha256_hex(&sums);
            if let Ok(manifest) = manifest {
                entry.manifest_sha256 = sha256_hex(&manifest);
            }
        });
    }
}

/// A manifest in the form that a run writes, which a forger would keep.
fn written(manifest: Value) -> Vec<u8> {
    let manifest: Manifest = serde_json::from_value(manifest).expect("a manifest");
    manifest.to_file().0.bytes
}

/// The files that a run's `SHA256SUMS` lists, with their hashes.
fn sums_in(run: &Path) -> Vec<(String, String)> {
    let sums = fs::read(run.join("SHA256SUMS")).expect("sums");
    let sums = sums_of(&sums).expect("sums");
    sums.into_iter().collect()
}

// ---- Ways to tamper ----

/// The expected faults. Any other fault is an error.
#[derive(Default)]
struct Seen {
    by_both: Vec<Fault>,
    /// Faults that only `verify` finds, because the script does not recompute.
    by_verify: Vec<Fault>,
    /// Faults that both find, but only with a noted head.
    with_head: Vec<Fault>,
}

impl Seen {
    fn nothing() -> Self {
        Self::default()
    }

    fn both(kind: &str, place: impl Into<String>) -> Self {
        Self::nothing().and_both(kind, place)
    }

    fn and_both(mut self, kind: &str, place: impl Into<String>) -> Self {
        self.by_both.push(fault("", kind, &place.into()));
        self
    }

    fn and_verify(mut self, kind: &str, place: impl Into<String>) -> Self {
        self.by_verify.push(fault("", kind, &place.into()));
        self
    }

    fn with_head(mut self, kind: &str, place: impl Into<String>) -> Self {
        self.with_head.push(fault("", kind, &place.into()));
        self
    }

    /// The next run names the original manifest of this run, and both verifiers compare it.
    fn and_next_run(self, copy: &Copy, sequence: u64) -> Self {
        if sequence == copy.snapshots {
            return self;
        }
        let next = copy.file(sequence + 1, "manifest.json");
        self.and_both("disagreement", next)
    }
}

fn place(sequence: u64) -> String {
    format!("ledger entry {sequence}")
}

/// Names that a shell, a tool or a pattern could misread.
const ODD_NAMES: [&str; 14] = [
    "-rf",
    "--check",
    "a b.csv",
    " blank",
    "über.csv",
    "$(touch x)",
    "`touch x`",
    "a;touch x",
    "it's.csv",
    "\"quoted\"",
    "*",
    "two\nlines",
    "back\\slash",
    "bell\u{7}",
];

struct Tampering {
    name: &'static str,
    /// The least number of runs.
    least: u64,
    with: fn(&mut Copy, &mut Chance) -> Seen,
}

const fn tampering(
    name: &'static str,
    least: u64,
    with: fn(&mut Copy, &mut Chance) -> Seen,
) -> Tampering {
    Tampering { name, least, with }
}

const TAMPERINGS: &[Tampering] = &[
    // ---- Files of a run ----
    tampering("a bit of a file is flipped", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let file = copy.file(snapshot, &copy.any_file(snapshot, chance, &[]));
        let mut bytes = copy.read(&file);
        let at = chance.between(0, bytes.len() as u64 - 1) as usize;
        bytes[at] ^= 1 << chance.between(0, 7);
        copy.write(&file, bytes);
        Seen::both("modified", file)
    }),
    tampering("a file is truncated", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let file = copy.file(snapshot, &copy.any_file(snapshot, chance, &[]));
        let mut bytes = copy.read(&file);
        bytes.truncate(chance.between(0, bytes.len() as u64 - 1) as usize);
        copy.write(&file, bytes);
        Seen::both("modified", file)
    }),
    tampering("something is appended to a file", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let file = copy.file(snapshot, &copy.any_file(snapshot, chance, &[]));
        let more = chance.one_of(&["\n", " ", "\0", "\r\n"]);
        let bytes = [copy.read(&file), more.into()].concat();
        copy.write(&file, bytes);
        Seen::both("modified", file)
    }),
    tampering("a file is deleted", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let file = copy.file(snapshot, &copy.any_file(snapshot, chance, &[]));
        fs::remove_file(copy.at(&file)).expect("a file");
        Seen::both("missing_file", file)
    }),
    tampering("a file is renamed", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let file = copy.file(snapshot, &copy.any_file(snapshot, chance, &["SHA256SUMS"]));
        // The script does not read a file without a plain name, so it does not know the bytes.
        let to = copy.file(snapshot, chance.one_of(&ODD_NAMES[..11]));
        copy.rename(&file, &to);
        Seen::both("moved", file)
    }),
    tampering("two files of a run are swapped", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let one = copy.any_file(snapshot, chance, &["SHA256SUMS"]);
        let other = copy.any_file(snapshot, chance, &["SHA256SUMS", &one]);
        let (one, other) = (copy.file(snapshot, &one), copy.file(snapshot, &other));
        let (first, second) = (copy.read(&one), copy.read(&other));
        assert_ne!(first, second, "all files of a run differ");
        copy.write(&one, second);
        copy.write(&other, first);
        Seen::both("modified", one).and_both("modified", other)
    }),
    tampering(
        "a file is replaced by that of another run",
        2,
        |copy, chance| {
            let (one, other) = chance.two_between(1, copy.snapshots);
            let name = chance.one_of(&["manifest.json", "result.json", "inputs/facts.json"]);
            let (file, from) = (copy.file(one, name), copy.file(other, name));
            copy.write(&file, copy.read(&from));
            Seen::both("modified", file)
        },
    ),
    tampering("a file is added to a run", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let folder = chance.one_of(&["", "inputs/", "a/new/folder/"]);
        let name = copy.file(snapshot, &format!("{folder}{}", chance.one_of(&ODD_NAMES)));
        copy.write(&name, "x");
        Seen::both("extra_file", name)
    }),
    tampering("a file is added to the ledger", 1, |copy, chance| {
        let name = format!("ledger/{}", chance.one_of(&ODD_NAMES));
        copy.write(&name, "x");
        Seen::both("extra_file", name)
    }),
    tampering("a file is added beside the runs", 1, |copy, chance| {
        let folder = chance.one_of(&["", "dt=2026-01-01/", "dt=2026-01-01/run=a b/"]);
        let name = format!("{folder}{}", chance.one_of(&ODD_NAMES));
        copy.write(&name, "x");
        Seen::both("extra_file", name)
    }),
    // ---- Whole runs ----
    tampering("a run's folder is deleted", 1, |copy, chance| {
        let run = copy.run(chance.between(1, copy.snapshots));
        fs::remove_dir_all(copy.at(&run)).expect("a folder");
        Seen::both("missing_folder", run)
    }),
    tampering("a run's folder is renamed", 1, |copy, chance| {
        let run = copy.run(chance.between(1, copy.snapshots));
        copy.rename(&run, "dt=2026-01-01/run=20260101T224000Z-000000");
        Seen::both("missing_folder", run)
    }),
    tampering(
        "a run's folder is replaced by another's",
        2,
        |copy, chance| {
            let (one, other) = chance.two_between(1, copy.snapshots);
            let (one, other) = (copy.run(one), copy.run(other));
            fs::remove_dir_all(copy.at(&one)).expect("a folder");
            crate::support::copy(&copy.at(&other), &copy.at(&one));
            Seen::both("modified", format!("{one}/SHA256SUMS"))
        },
    ),
    tampering("two runs' folders are swapped", 2, |copy, chance| {
        let (one, other) = chance.two_between(1, copy.snapshots);
        let (one, other) = (copy.run(one), copy.run(other));
        copy.rename(&one, "aside");
        copy.rename(&other, &one);
        copy.rename("aside", &other);
        Seen::both("modified", format!("{one}/SHA256SUMS"))
            .and_both("modified", format!("{other}/SHA256SUMS"))
    }),
    // ---- Entries ----
    tampering("an entry is deleted", 2, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots - 1);
        fs::remove_file(copy.entry_path(snapshot)).expect("an entry");
        Seen::both("missing_entry", place(snapshot + 1))
    }),
    tampering("an entry has a far higher number", 1, |copy, _| {
        let far = 9_999_999_998;
        copy.write_entry(far, &copy.entries[copy.snapshots as usize - 1].to_bytes());
        // It has the number and the run of another entry.
        Seen::both("missing_entry", place(far))
            .and_both("moved", place(far))
            .and_both("moved", place(far))
    }),
    tampering("the tail is cut", 2, |copy, chance| {
        let last = chance.between(1, copy.snapshots - 1);
        let with_runs = chance.between(0, 1) == 1;
        for snapshot in last + 1..=copy.snapshots {
            fs::remove_file(copy.entry_path(snapshot)).expect("an entry");
            if with_runs {
                fs::remove_dir_all(copy.at(&copy.run(snapshot))).expect("a folder");
            }
        }
        Seen::nothing().with_head("truncated", place(copy.snapshots))
    }),
    tampering("an entry has another verdict", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        copy.edit(snapshot, |entry| entry.verdict = "pass".to_owned());
        let seen = Seen::both("disagreement", copy.file(snapshot, "manifest.json"))
            .and_both("disagreement", copy.file(snapshot, "result.json"));
        match snapshot == copy.snapshots {
            true => seen,
            false => seen.and_both("broken_link", place(snapshot + 1)),
        }
    }),
    tampering("an entry is written in another form", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let text = String::from_utf8(copy.entries[snapshot as usize - 1].to_bytes()).expect("text");
        let other = match chance.between(0, 8) {
            0 => text + "\n",
            1 => text.trim_end().to_owned(),
            2 => text.replace('\n', "\r\n"),
            3 => text.replace("\": ", "\":"),
            4 => text.replace("  \"kind\"", "  \"more\": 1,\n  \"kind\""),
            5 => text.replace("true", "true\0"),
            6 => text + &" ".repeat(5000),
            7 => text.replace(":00Z\"", ":00+00:00\""),
            _ => String::new(),
        };
        copy.write_entry(snapshot, other.as_bytes());
        Seen::both("broken_link", place(snapshot))
    }),
    tampering("two entries are swapped", 2, |copy, chance| {
        let (one, other) = chance.two_between(1, copy.snapshots);
        let bytes = |snapshot: u64| copy.entries[snapshot as usize - 1].to_bytes();
        copy.write_entry(one, &bytes(other));
        copy.write_entry(other, &bytes(one));
        let mut seen = Seen::both("moved", place(one)).and_both("moved", place(other));
        if one + 1 != other {
            seen = seen
                .and_both("broken_link", place(one + 1))
                .and_both("went_back", place(one + 1));
        }
        match other == copy.snapshots {
            true => seen,
            false => seen.and_both("broken_link", place(other + 1)),
        }
    }),
    tampering("an entry links to another", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let to = sha256_hex(b"another");
        copy.rewrite(snapshot, |entry| entry.previous_sha256 = to);
        Seen::both("broken_link", place(snapshot))
    }),
    tampering("a later entry is taken for the first", 2, |copy, chance| {
        let snapshot = chance.between(2, copy.snapshots);
        copy.rewrite(snapshot, |entry| {
            entry.previous_sha256 = FIRST_PREVIOUS.to_owned();
        });
        Seen::both("broken_link", place(snapshot))
    }),
    tampering(
        "an entry is dated back, with rewritten links",
        2,
        |copy, chance| {
            let snapshot = chance.between(2, copy.snapshots);
            let before = copy.entries[snapshot as usize - 2].committed_at;
            let back = before - SignedDuration::from_millis(chance.between(1, 5000) as i64);
            copy.rewrite(snapshot, |entry| entry.committed_at = back);
            Seen::both("went_back", place(snapshot)).and_both("run_after_commit", place(snapshot))
        },
    ),
    tampering(
        "an entry is dated later, with rewritten links",
        2,
        |copy, chance| {
            let snapshot = chance.between(1, copy.snapshots - 1);
            let next = copy.entries[snapshot as usize].committed_at;
            let later = next + SignedDuration::from_millis(chance.between(1, 5000) as i64);
            copy.rewrite(snapshot, |entry| entry.committed_at = later);
            Seen::both("went_back", place(snapshot + 1))
        },
    ),
    tampering(
        "a run is committed twice, with rewritten links",
        2,
        |copy, chance| {
            let (one, other) = chance.two_between(1, copy.snapshots);
            let first = copy.entries[one as usize - 1].clone();
            copy.rewrite(other, |entry| {
                entry.run = first.run.clone();
                entry.manifest_sha256 = first.manifest_sha256;
                entry.sums_sha256 = first.sums_sha256;
                entry.verdict = first.verdict;
            });
            Seen::both("moved", place(other)).and_next_run(copy, other)
        },
    ),
    tampering(
        "an entry is of another connection, with rewritten links",
        1,
        |copy, chance| {
            let snapshot = chance.between(1, copy.snapshots);
            let other = chance.one_of(&["another", "a b/ü", "\"\\\n\u{1}", ""]);
            copy.rewrite(snapshot, |entry| entry.connection = other.to_owned());
            Seen::both("moved", place(snapshot))
                .and_both("disagreement", copy.file(snapshot, "manifest.json"))
        },
    ),
    tampering(
        "a ledger is in the folder of another connection",
        1,
        |copy, chance| {
            let other = chance.one_of(&["another", "a%20b", "%C3%BC", "a b"]);
            let other = format!("system=asana/connection={other}");
            let to = copy.root.join(&other);
            fs::rename(copy.at(""), to).expect("a folder");
            copy.connection = other;
            (1..=copy.snapshots).fold(Seen::nothing(), |seen, snapshot| {
                seen.and_both("moved", place(snapshot))
            })
        },
    ),
    tampering(
        "an entry is marked as expired, with rewritten links",
        1,
        |copy, chance| {
            let snapshot = chance.between(1, copy.snapshots);
            let long_ago = "2021-01-01T00:00:00Z".parse().expect("an instant");
            copy.rewrite(snapshot, |entry| entry.retain_until = Some(long_ago));
            fs::remove_dir_all(copy.at(&copy.run(snapshot))).expect("a folder");
            Seen::nothing().with_head("modified", place(copy.snapshots))
        },
    ),
    // ---- Rewritten hashes and chain ----
    tampering("a data file is forged", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let name = chance.one_of(&["leavers.csv", "findings.csv", "accounts.csv"]);
        let file = copy.file(snapshot, name);
        let mut text = String::from_utf8(copy.read(&file)).expect("text");
        text.truncate(text[..text.len() - 2].rfind('\n').expect("lines") + 1);
        copy.write(&file, text);
        copy.rewrite_run(snapshot, |_| ());
        let seen = Seen::nothing().and_verify("decisions_differ", file);
        seen.and_next_run(copy, snapshot)
    }),
    tampering("a result is forged", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let file = copy.file(snapshot, "result.json");
        let text = String::from_utf8(copy.read(&file)).expect("text");
        let forged = text.replace("still_active", "removed");
        assert_ne!(text, forged, "nothing was forged");
        copy.write(&file, forged);
        copy.rewrite_run(snapshot, |_| ());
        let seen = Seen::nothing().and_verify("decisions_differ", file);
        seen.and_next_run(copy, snapshot)
    }),
    tampering(
        "a verdict is forged everywhere except in the entry",
        1,
        |copy, chance| {
            let snapshot = chance.between(1, copy.snapshots);
            copy.rewrite_run(snapshot, |manifest| manifest["verdict"] = "pass".into());
            let seen = Seen::both("disagreement", copy.file(snapshot, "manifest.json"));
            // It also names the manifest of the run before.
            seen.and_next_run(copy, snapshot)
        },
    ),
    tampering("a report is forged", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let file = copy.file(snapshot, "report.html");
        let text = String::from_utf8(copy.read(&file)).expect("text");
        copy.write(&file, text.replace("Fail", "Pass"));
        copy.rewrite_run(snapshot, |_| ());
        // The report is not recomputed. A change of the last run's report can be found only with a
        // noted head.
        let seen = Seen::nothing().with_head("modified", place(copy.snapshots));
        seen.and_next_run(copy, snapshot)
    }),
    tampering("a manifest describes other pages", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let name = chance.one_of(&["report.html", "raw/pages-0001.jsonl.gz"]);
        copy.rewrite_run(snapshot, |manifest| {
            let files = manifest["files"].as_array_mut().expect("files");
            let file = files.iter_mut().find(|file| file["name"] == name);
            file.expect("the file")["sha256"] = sha256_hex(b"another").into();
        });
        Seen::both("disagreement", copy.file(snapshot, "manifest.json"))
            .and_next_run(copy, snapshot)
    }),
    tampering("checks are removed from a manifest", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        copy.rewrite_run(snapshot, |manifest| {
            manifest["checks"] = Value::Array(Vec::new())
        });
        let seen =
            Seen::nothing().and_verify("decisions_differ", copy.file(snapshot, "manifest.json"));
        seen.and_next_run(copy, snapshot)
    }),
    tampering("the rules in a manifest are changed", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        copy.rewrite_run(snapshot, |manifest| {
            manifest["policy"]["offboarding_grace_seconds"] = 1.into();
        });
        let seen =
            Seen::nothing().and_verify("decisions_differ", copy.file(snapshot, "manifest.json"));
        seen.and_next_run(copy, snapshot)
    }),
    tampering("a second part follows in a gzip", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let name = chance.one_of(&["leavers.jsonl.gz", "inputs/links.jsonl.gz"]);
        let file = copy.file(snapshot, name);
        let both = [copy.read(&file), copy.read(&file)].concat();
        copy.write(&file, both);
        copy.rewrite_run(snapshot, |_| ());
        let seen = Seen::nothing().and_verify("decisions_differ", file);
        seen.and_next_run(copy, snapshot)
    }),
    tampering("a raw page is removed", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let name = chance.one_of(&["raw/pages-0001.jsonl.gz", "raw/pages-0002.jsonl.gz"]);
        let file = copy.file(snapshot, name);
        fs::remove_file(copy.at(&file)).expect("a file");
        copy.rewrite_run(snapshot, |_| ());
        let seen = Seen::nothing().and_verify("accounts_differ", file);
        seen.and_next_run(copy, snapshot)
    }),
    tampering("an account is removed from the list", 1, |copy, chance| {
        // Otherwise the later runs would be compared with it.
        let snapshot = copy.snapshots;
        let file = copy.file(snapshot, "accounts.jsonl.gz");
        let text = String::from_utf8(unpacked(&file, copy.read(&file))).expect("text");
        let account = format!(
            "{{\"account_id\":\"12000000000000{:02}\"",
            chance.between(3, 11)
        );
        let lines = text.lines().filter(|line| !line.starts_with(&account));
        let forged: String = lines.map(|line| format!("{line}\n")).collect();
        assert_ne!(text, forged, "nothing was forged");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, forged.as_bytes()).expect("gzip");
        copy.write(&file, packed.finish().expect("gzip"));
        copy.rewrite_run(snapshot, |_| ());
        // Such a run is not complete, and changes of its accounts are not judged.
        let changes = copy.file(snapshot, "changes.csv");
        let had_changes = copy.read(&changes).split(|byte| *byte == b'\n').count() > 2;
        let mut seen = Seen::nothing().and_verify("accounts_differ", file);
        for name in ["accounts.csv", "manifest.json", "result.json"] {
            seen = seen.and_verify("decisions_differ", copy.file(snapshot, name));
        }
        match had_changes {
            true => seen.and_verify("decisions_differ", changes),
            false => seen,
        }
    }),
    tampering("facts name another previous run", 2, |copy, chance| {
        // Otherwise it could not be recomputed, which is not a fault.
        let snapshot = chance.between(2, copy.snapshots);
        let file = copy.file(snapshot, "inputs/facts.json");
        let text = String::from_utf8(copy.read(&file)).expect("text");
        let before = copy.entries[snapshot as usize - 2].manifest_sha256.clone();
        let forged = text.replace(&before, &sha256_hex(b"another"));
        assert_ne!(text, forged, "nothing was forged");
        copy.write(&file, forged);
        copy.rewrite_run(snapshot, |_| ());
        let seen = Seen::nothing().and_verify("disagreement", file);
        seen.and_next_run(copy, snapshot)
    }),
    tampering("a run builds on itself", 2, |copy, chance| {
        let snapshot = chance.between(2, copy.snapshots);
        let itself = chance.one_of(&[0, snapshot, snapshot + 1]);
        copy.rewrite_run(snapshot, |manifest| {
            manifest["previous"]["sequence"] = itself.into()
        });
        Seen::both("disagreement", copy.file(snapshot, "manifest.json"))
            .and_verify("disagreement", copy.file(snapshot, "inputs/facts.json"))
            .and_next_run(copy, snapshot)
    }),
    tampering("a run is marked as a periodic review", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let kind = chance.one_of(&[EntryKind::ReviewOpen, EntryKind::ReviewClose]);
        copy.rewrite(snapshot, |entry| entry.kind = kind);
        Seen::both("disagreement", copy.file(snapshot, "manifest.json"))
    }),
    tampering("sums are written in another form", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let name = copy.file(snapshot, "SHA256SUMS");
        let text = String::from_utf8(copy.read(&name)).expect("text");
        let (first, _) = text.split_once('\n').expect("lines");
        let other = match chance.between(0, 3) {
            0 => format!("{first}\n{text}"),
            1 => text.trim_end().to_owned(),
            2 => text.replace('\n', "\r\n"),
            _ => text.replacen(first, &first.to_uppercase(), 1),
        };
        copy.write(&name, &other);
        copy.rewrite(snapshot, |entry| {
            entry.sums_sha256 = sha256_hex(other.as_bytes())
        });
        Seen::both("disagreement", name)
    }),
    tampering("a file has a name like a signature", 1, |copy, chance| {
        let name = chance.one_of(&["x.sig", ".sig", "0000000001.json.sig", "0000000001.tmp"]);
        let name = format!("ledger/{name}");
        copy.write(&name, "x");
        Seen::both("extra_file", name)
    }),
    tampering("an input is removed", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let name = chance.one_of(&["inputs/facts.json", "inputs/hr.jsonl.gz", "result.json"]);
        let file = copy.file(snapshot, name);
        fs::remove_file(copy.at(&file)).expect("a file");
        copy.rewrite_run(snapshot, |_| ());
        // It cannot be recomputed then, which `verify` reports but does not count as a fault.
        let seen = Seen::both("missing_file", file);
        seen.and_next_run(copy, snapshot)
    }),
    tampering("a manifest is removed", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let file = copy.file(snapshot, "manifest.json");
        fs::remove_file(copy.at(&file)).expect("a file");
        copy.rewrite_sums(snapshot, |_| ());
        Seen::both("missing_file", file)
    }),
    tampering("sums point out of the run's folder", 2, |copy, chance| {
        let (one, other) = chance.two_between(1, copy.snapshots);
        let name = format!("../../{}/leavers.csv", copy.run(other));
        let sha256 = sha256_hex(&copy.read(&copy.file(other, "leavers.csv")));
        copy.rewrite_sums(one, |records| {
            records.push(FileRecord {
                name: name.clone(),
                sha256,
                bytes: 0,
                rows: None,
            });
        });
        Seen::both("missing_file", copy.file(one, &name))
            .and_both("disagreement", copy.file(one, "manifest.json"))
    }),
    tampering(
        "an earlier run is copied to a later one",
        3,
        |copy, chance| {
            let (one, other) = chance.two_between(1, copy.snapshots);
            let (from, to) = (copy.run(one), copy.run(other));
            fs::remove_dir_all(copy.at(&to)).expect("a folder");
            crate::support::copy(&copy.at(&from), &copy.at(&to));
            let (_, id) = to.split_once("/run=").expect("a run");
            let as_of = copy.entries[other as usize - 1].committed_at.to_string();
            copy.rewrite_run(other, |manifest| {
                manifest["run"]["id"] = id.into();
                manifest["run"]["as_of"] = as_of.into();
            });
            Seen::both("disagreement", format!("{to}/result.json"))
                .and_both("disagreement", format!("{to}/inputs/facts.json"))
                .and_next_run(copy, other)
        },
    ),
    tampering(
        "a run is in the folder of another day",
        1,
        |copy, chance| {
            let snapshot = chance.between(1, copy.snapshots);
            let run = copy.run(snapshot);
            let (_, below) = run.split_once('/').expect("a day");
            let moved = format!("dt=2025-12-31/{below}");
            copy.rename(&run, &moved);
            copy.rewrite(snapshot, |entry| entry.run = moved);
            Seen::both("disagreement", place(snapshot))
                .and_both("disagreement", copy.file(snapshot, "inputs/facts.json"))
                .and_next_run(copy, snapshot)
        },
    ),
    tampering("an entry is added before the first", 1, |copy, chance| {
        let snapshot = chance.between(1, copy.snapshots);
        let run = "dt=2025-12-31/run=20251231T224000Z-000000";
        let at = "2025-12-31T22:40:00Z";
        crate::support::copy(&copy.at(&copy.run(snapshot)), &copy.at(run));
        let manifest = format!("{run}/manifest.json");
        let old = String::from_utf8(copy.read(&manifest)).expect("text");
        let mut new: Value = serde_json::from_str(&old).expect("JSON");
        new["run"]["id"] = "20251231T224000Z-000000".into();
        new["run"]["as_of"] = at.into();
        let new = written(new);
        let name = format!("{run}/SHA256SUMS");
        let sums = String::from_utf8(copy.read(&name)).expect("text");
        let [old, new_sha256] = [old.as_bytes(), &new].map(sha256_hex);
        let sums = sums.replace(&old, &new_sha256);
        copy.write(&manifest, new);
        copy.write(&name, &sums);
        let mut entry = copy.entries[snapshot as usize - 1].clone();
        entry.sequence = 0;
        entry.run = run.to_owned();
        entry.committed_at = at.parse().expect("an instant");
        entry.manifest_sha256 = new_sha256;
        entry.sums_sha256 = sha256_hex(sums.as_bytes());
        copy.write_entry(0, &entry.to_bytes());
        Seen::both("extra_file", place(0))
    }),
];

/// Runs both verifiers on a copy and returns what differs from the expected faults.
fn verify_both(copy: &Copy, seen: Seen, head: &str, context: &str) -> Vec<String> {
    let Seen {
        by_both,
        by_verify,
        with_head,
    } = seen;
    let mut wrong = Vec::new();
    let mut compare = |who: &str, reported: Vec<Fault>, own: &[Fault], head: &[Fault]| {
        let expected = sorted([&by_both[..], own, head].concat());
        if reported != expected {
            wrong.push(format!(
                "{who}, {context}\n  reported {reported:?}\n  expected {expected:?}\n"
            ));
        }
    };
    let arguments: [&[&str]; 2] = [&[], &["--head", head]];
    for (arguments, with_head) in arguments.into_iter().zip([&[][..], &with_head]) {
        if !arguments.is_empty() && with_head.is_empty() {
            continue;
        }
        let reported = reported_by_verify(&verify(&copy.root, arguments), &copy.connection);
        compare("verify", reported, &by_verify, with_head);
        let reported = reported_by_script(&script(&copy.root, arguments), &copy.connection);
        compare("verify.sh", reported, &[], with_head);
    }
    wrong
}

#[test]
fn both_verifiers_agree_on_every_way_to_tamper_with_runs() {
    if !has(&TOOLS) {
        return;
    }
    let job = two_hundred_runs();
    let whole = Copy::of(&job, &job.folder.path().join("whole"), ENTRIES);
    let ended = verify(&whole.root, &["--head", &whole.head()]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(reported["chains"][0]["decisions_recomputed"], RUNS);
    let ended = script(&whole.root, &["--head", &whole.head()]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(
        ended.stdout.contains("Integrity: holds, 202 entries"),
        "{}",
        ended.stdout
    );

    let seed = seed("CORPUS_SEED", SEED);
    let mut wrong = Vec::new();
    for (number, tampering) in TAMPERINGS.iter().enumerate() {
        // The beginning of a chain is a chain, and a few runs are recomputed sooner.
        let mut chance = Chance(seed ^ ((number as u64) << 32));
        let snapshots = chance.between(tampering.least, 6);
        let root = job.folder.path().join("copy");
        let mut copy = Copy::of(&job, &root, snapshots);
        let head = copy.head();
        let context = format!("seed {seed}, {snapshots} runs: {}", tampering.name);
        let seen = (tampering.with)(&mut copy, &mut chance);
        wrong.extend(verify_both(&copy, seen, &head, &context));
    }
    // Once more, far from the beginning.
    let mut chance = Chance(seed);
    let tampering = &TAMPERINGS[chance.between(0, TAMPERINGS.len() as u64 - 1) as usize];
    let mut copy = Copy::of(&job, &job.folder.path().join("many"), RUNS / 3);
    let head = copy.head();
    let context = format!("seed {seed}, many runs: {}", tampering.name);
    let seen = (tampering.with)(&mut copy, &mut chance);
    wrong.extend(verify_both(&copy, seen, &head, &context));
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// Failed runs of a connection of any name: a ledger with few files.
fn failed_runs(root: &Path, connection: &str, snapshots: u64) -> Copy {
    let ledger = Ledger::new(
        Store::folder(root),
        connection,
        ledger::Settings::default(),
        None,
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for snapshot in 0..snapshots {
        let as_of: Timestamp = "2026-01-01T22:40:00Z".parse().expect("an instant");
        let as_of = as_of + SignedDuration::from_hours(24 * snapshot as i64);
        let frame = Frame {
            signer: None,
            identity: crate::support::identity(as_of, "7f3a9c"),
            criticality: "critical".to_owned(),
            own_controls: Vec::new(),
        };
        let failure = Failure {
            stage: "reading the HR feed".to_owned(),
            code: 77,
            message: "it was refused".to_owned(),
        };
        let snapshot = FailedSnapshot {
            frame: &frame,
            connection,
            origin: "https://api.truto.one",
            schedule: None,
            failure: &failure,
        };
        let report = b"a report".to_vec();
        let clock = Clock::at(as_of);
        let commit = ledger::commit_failure(&ledger, &clock, &snapshot, report);
        runtime.block_on(commit).expect("a commit");
    }
    let mut copy = Copy {
        root: root.to_owned(),
        connection: ConnectionFolder::of(connection).to_string(),
        snapshots,
        entries: Vec::new(),
    };
    for sequence in 1..=snapshots {
        let bytes = fs::read(copy.entry_path(sequence)).expect("an entry");
        copy.entries
            .push(Entry::from_bytes(&bytes).expect("an entry"));
    }
    copy
}

#[test]
fn both_verifiers_accept_failed_runs_of_connections_of_any_name() {
    if !has(&TOOLS) {
        return;
    }
    for connection in ["c1", "a b/ü", "../..", "\"\\\n\t\u{1}", "1e3", "-n", "%41"] {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = failed_runs(folder.path(), connection, 2);
        assert_eq!(reported_by_verify(&verify(&copy.root, &[]), ""), []);
        assert_eq!(reported_by_script(&script(&copy.root, &[]), ""), []);
    }
}

/// A failed run observed nothing, so its manifest cannot support a control, even if every hash
/// agrees.
#[test]
fn a_failed_run_that_claims_a_control_is_a_fault() {
    let claims: [fn(&mut Value); 4] = [
        |manifest| {
            manifest["controls"] =
                json!([{"id": "SOC 2 CC6.2", "supports": "a", "does_not_show": "b"}])
        },
        |manifest| manifest["failure"]["code"] = json!(0),
        |manifest| {
            manifest["checks"] =
                json!([{"id": "workspace_listed", "status": "pass", "detail": "a", "numbers": {}}])
        },
        |manifest| manifest["failure"] = Value::Null,
    ];
    for (number, claim) in claims.into_iter().enumerate() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut copy = failed_runs(folder.path(), "c1", 2);
        copy.rewrite_run(2, claim);
        let faults = reported_by_verify(&verify(&copy.root, &[]), &copy.connection);
        assert_eq!(faults.len(), 1, "{number}: {faults:?}");
        assert_eq!(faults[0].0, "disagreement", "{number}: {faults:?}");
    }
}

#[test]
fn a_connection_without_its_ledger_is_found_beside_another() {
    if !has(&TOOLS) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let one = failed_runs(folder.path(), "one", 1);
    let other = failed_runs(folder.path(), "other", 1);
    fs::remove_dir_all(other.at("ledger")).expect("a folder");
    let reported = [fault("", "empty_ledger", &other.connection)];
    assert_eq!(reported_by_verify(&verify(&one.root, &[]), ""), reported);
    assert_eq!(reported_by_script(&script(&one.root, &[]), ""), reported);
}

#[test]
fn a_failed_run_has_a_report_too() {
    if !has(&TOOLS) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut copy = failed_runs(folder.path(), "c1", 1);
    let report = copy.file(1, "report.html");
    fs::remove_file(copy.at(&report)).expect("a file");
    copy.rewrite_run(1, |_| ());
    let reported = [fault("", "missing_file", &report)];
    assert_eq!(
        reported_by_verify(&verify(&copy.root, &[]), &copy.connection),
        reported
    );
    assert_eq!(
        reported_by_script(&script(&copy.root, &[]), &copy.connection),
        reported
    );
}

#[test]
fn the_script_reports_a_folder_that_it_cannot_read() {
    use std::os::unix::fs::PermissionsExt as _;
    if !has(&TOOLS) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let copy = failed_runs(folder.path(), "c1", 1);
    assert_eq!(script(&copy.root, &[]).code, 0);
    // This happens if a folder cannot be entered: the script reports what it found, and that more
    // is unread.
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("a folder");
    let find = "#!/bin/sh\nPATH=${PATH#*:}\nfind \"$@\"\nexit 1\n";
    fs::write(bin.join("find"), find).expect("a script");
    fs::set_permissions(bin.join("find"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = format!("PATH={}:$PATH; exec sh \"$@\"", bin.display());
    let mut command = Command::new("sh");
    command.args(["-c", &path, "sh", SCRIPT]).arg(&copy.root);
    let ended = ended(command.output().expect("sh"));
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
}

#[test]
fn each_noted_head_must_match() {
    if !has(&TOOLS) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let one = failed_runs(folder.path(), "one", 2);
    let other = failed_runs(folder.path(), "other", 2);
    let (one, other) = (one.head(), other.head());
    let shown = format!("ledger     {}", other.to_uppercase());
    let both = ["--head", &one, "--head", &shown];
    assert_eq!(reported_by_verify(&verify(folder.path(), &both), ""), []);
    assert_eq!(reported_by_script(&script(folder.path(), &both), ""), []);

    let wrong = format!("2:{}", sha256_hex(b"another"));
    let arguments = ["--head", &one, "--head", &wrong];
    let reported = [fault("", "modified", &place(2))];
    assert_eq!(
        reported_by_script(&script(folder.path(), &arguments), ""),
        reported
    );
    assert_eq!(
        reported_by_verify(&verify(folder.path(), &arguments), ""),
        reported
    );

    let cut = format!("3:{}", sha256_hex(b"another"));
    let reported = [fault("", "truncated", &place(3))];
    let arguments = ["--head", &cut];
    assert_eq!(
        reported_by_script(&script(folder.path(), &arguments), ""),
        reported
    );
    assert_eq!(
        reported_by_verify(&verify(folder.path(), &arguments), ""),
        reported
    );
}

/// A link, a pipe or a device may point anywhere or have no end, so neither verifier reads it.
#[test]
fn only_regular_files_are_read() {
    if !has(&TOOLS) {
        return;
    }
    for special in ["link", "pipe"] {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = failed_runs(folder.path(), "c1", 2);
        let report = copy.file(1, "report.html");
        let unknown = copy.file(2, "unknown");
        fs::remove_file(copy.at(&report)).expect("a file");
        for path in [copy.at(&report), copy.at(&unknown)] {
            match special {
                "link" => std::os::unix::fs::symlink("/dev/zero", path).expect("a link"),
                _ => {
                    let made = Command::new("mkfifo").arg(path).status();
                    assert!(made.expect("mkfifo").success());
                }
            }
        }
        let expected = [
            fault("", "extra_file", &report),
            fault("", "extra_file", &unknown),
            fault("", "missing_file", &report),
        ];
        let by_script = reported_by_script(&script(&copy.root, &[]), &copy.connection);
        assert_eq!(by_script, expected, "{special}");
        let by_verify = reported_by_verify(&verify(&copy.root, &[]), &copy.connection);
        assert_eq!(by_verify, expected, "{special}");
    }
}

#[test]
fn the_script_leaves_no_temporary_file() {
    if !has(&TOOLS) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let copy = failed_runs(&folder.path().join("evidence"), "c1", 1);
    let tmp = folder.path().join("tmp");
    fs::create_dir(&tmp).expect("a folder");
    let run = |evidence: &Path| {
        let mut command = Command::new("sh");
        command.arg(SCRIPT).arg(evidence).env("TMPDIR", &tmp);
        let ended = ended(command.output().expect("sh"));
        assert_eq!(fs::read_dir(&tmp).expect("a folder").count(), 0);
        ended.code
    };
    assert_eq!(run(&copy.root), 0);
    assert_eq!(run(&tmp), 2);
    copy.write("stray", "x");
    assert_eq!(run(&copy.root), 5);
}

#[test]
fn the_script_refuses_wrong_arguments_and_missing_evidence() {
    if !has(&TOOLS) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("nowhere");
    let refused: [(&Path, &[&str]); 6] = [
        (&nowhere, &[]),
        (folder.path(), &["--head", "1:abc"]),
        (folder.path(), &["--head"]),
        (folder.path(), &["--public-key", "nowhere.pem"]),
        (folder.path(), &["--unknown"]),
        (folder.path(), &["another"]),
    ];
    for (path, arguments) in refused {
        let ended = script(path, arguments);
        assert_eq!(ended.code, 2, "{arguments:?} {}", ended.stdout);
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    }
    let empty = script(folder.path(), &[]);
    assert_eq!(empty.code, 2, "{}", empty.stdout);
    assert!(
        empty.stderr.contains("contains no evidence"),
        "{}",
        empty.stderr
    );
    // A noted head implies that there was evidence.
    let head = format!("1:{}", sha256_hex(b"an entry"));
    let reported = [fault("", "truncated", &place(1))];
    let arguments = ["--head", &head];
    assert_eq!(
        reported_by_script(&script(folder.path(), &arguments), ""),
        reported
    );
    assert_eq!(
        reported_by_verify(&verify(folder.path(), &arguments), ""),
        reported
    );
}

/// A key pair that openssl made.
struct Key {
    private: PathBuf,
    public: PathBuf,
    sha256: String,
    is_ed25519: bool,
}

fn openssl(arguments: &[&str], paths: &[(&str, &Path)]) {
    let mut command = Command::new("openssl");
    command.args(arguments);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    let done = command.output().expect("openssl");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {said}");
}

impl Key {
    fn new(folder: &Path, name: &str, algorithm: &[&str]) -> Self {
        let path = |ending: &str| folder.join(format!("{name}.{ending}"));
        let (private, public, der) = (path("key"), path("pem"), path("der"));
        let arguments = [&["genpkey", "-algorithm"], algorithm].concat();
        openssl(&arguments, &[("-out", &private)]);
        let paths = [("-in", &*private), ("-out", &*public)];
        openssl(&["pkey", "-pubout"], &paths);
        let paths = [("-in", &*private), ("-out", &*der)];
        openssl(&["pkey", "-pubout", "-outform", "DER"], &paths);
        Self {
            sha256: sha256_hex(&fs::read(der).expect("a key")),
            is_ed25519: algorithm == ["ED25519"],
            private,
            public,
        }
    }

    fn p256(folder: &Path, name: &str) -> Self {
        let algorithm = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
        Self::new(folder, name, &algorithm)
    }

    fn ed25519(folder: &Path, name: &str) -> Self {
        Self::new(folder, name, &["ED25519"])
    }

    fn sign(&self, copy: &Copy, sequence: u64) {
        let entry = copy.entry_path(sequence);
        let sig = copy.signature(sequence);
        if self.is_ed25519 {
            let paths = [
                ("-inkey", &*self.private),
                ("-in", &*entry),
                ("-out", &*sig),
            ];
            openssl(&["pkeyutl", "-sign", "-rawin"], &paths);
        } else {
            let paths = [("-sign", &*self.private), ("-out", &*sig)];
            let entry = entry.to_str().expect("UTF-8");
            let mut arguments = vec!["dgst", "-sha256"];
            for (option, path) in &paths {
                arguments.extend([*option, path.to_str().expect("UTF-8")]);
            }
            arguments.push(entry);
            openssl(&arguments, &[]);
        }
    }
}

impl Copy {
    fn signature(&self, sequence: u64) -> PathBuf {
        let entry = fs::read(self.entry_path(sequence)).expect("an entry");
        self.at(&format!("ledger/{}.sig", sha256_hex(&entry)))
    }

    /// Rewrites the chain and signs each entry with the key at its place.
    fn signed(mut self, keys: &[Option<&Key>]) -> Self {
        for (sequence, key) in (1..).zip(keys) {
            let before = match sequence {
                1 => FIRST_PREVIOUS.to_owned(),
                _ => sha256_hex(&self.entries[sequence as usize - 2].to_bytes()),
            };
            self.edit(sequence, |entry| {
                entry.previous_sha256 = before;
                entry.key_sha256 = key.map_or("none".to_owned(), |key| key.sha256.clone());
            });
            if let Some(key) = key {
                key.sign(&self, sequence);
            }
        }
        self
    }

    /// Stores a file beside the ledger, under the name of a key.
    fn store_key(&self, key: &Key, bytes: impl AsRef<[u8]>) {
        self.write(&format!("keys/{}.pem", key.sha256), bytes);
    }

    /// The faults on which both verifiers agree.
    fn faults_with(&self, keys: &[&Key]) -> Vec<Fault> {
        let mut arguments = Vec::new();
        for key in keys {
            arguments.extend(["--public-key", key.public.to_str().expect("UTF-8")]);
        }
        let by_script = reported_by_script(&script(&self.root, &arguments), &self.connection);
        let by_verify = reported_by_verify(&verify(&self.root, &arguments), &self.connection);
        assert_eq!(by_script, by_verify, "{arguments:?}");
        by_script
    }
}

#[test]
fn signatures_are_trusted_only_with_given_keys() {
    if !has(&TOOLS) || !has(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let old = Key::p256(folder.path(), "old");
    let new = Key::ed25519(folder.path(), "-new key");
    let foreign = Key::p256(folder.path(), "foreign");
    let snapshots = |name: &str, keys: &[Option<&Key>]| {
        let root = folder.path().join(name);
        failed_runs(&root, "c1", keys.len() as u64).signed(keys)
    };
    let one = |kind: &str, sequence: u64| vec![fault("", kind, &place(sequence))];

    // Signing began with the second entry, and the key changed after the third.
    let keys = [None, Some(&old), Some(&old), Some(&new)];
    let rotated = snapshots("rotated", &keys);
    assert_eq!(rotated.faults_with(&[&old, &new]), []);
    assert_eq!(rotated.faults_with(&[&new, &foreign, &old]), []);
    assert_eq!(rotated.faults_with(&[]), []);
    let ended = script(&rotated.root, &[]);
    assert!(
        ended.stdout.contains("3 signatures were not checked"),
        "{}",
        ended.stdout
    );
    let unknown = rotated.faults_with(&[&new]);
    assert_eq!(
        unknown,
        [one("unknown_key", 2), one("unknown_key", 3)].concat()
    );
    assert_eq!(rotated.faults_with(&[&old]), one("unknown_key", 4));

    let gone = snapshots("gone", &keys);
    fs::remove_file(gone.signature(3)).expect("a signature");
    assert_eq!(gone.faults_with(&[&old, &new]), one("missing_signature", 3));
    assert_eq!(gone.faults_with(&[]), one("missing_signature", 3));

    for sequence in [2, 4] {
        let of_another = snapshots(&format!("of another {sequence}"), &keys);
        let other = fs::read(of_another.signature(3)).expect("a signature");
        fs::write(of_another.signature(sequence), other).expect("a signature");
        let reported = of_another.faults_with(&[&old, &new]);
        assert_eq!(reported, one("bad_signature", sequence));
    }
    // An attacker signs, and names the trusted key.
    let forged = snapshots("forged", &[Some(&old), Some(&old)]);
    foreign.sign(&forged, 2);
    assert_eq!(forged.faults_with(&[&old]), one("bad_signature", 2));

    // Without a given key, the verifiers use the keys beside the ledger.
    let beside = snapshots("beside", &keys);
    for key in [&old, &new] {
        beside.store_key(key, fs::read(&key.public).expect("a key"));
    }
    let ended = script(&beside.root, &[]);
    assert!(
        !ended.stdout.contains("signatures were"),
        "{}",
        ended.stdout
    );
    assert_eq!(beside.faults_with(&[]), []);
    let other = fs::read(beside.signature(3)).expect("a signature");
    fs::write(beside.signature(4), &other).expect("a signature");
    assert_eq!(beside.faults_with(&[]), one("bad_signature", 4));
    fs::write(beside.signature(4), "").expect("a signature");
    assert_eq!(beside.faults_with(&[]), one("bad_signature", 4));
    for spoilt in [&b"x"[..], &fs::read(&foreign.public).expect("a key")] {
        beside.store_key(&old, spoilt);
        let bad = [2, 3, 4].map(|sequence| one("bad_signature", sequence));
        assert_eq!(beside.faults_with(&[]), bad.concat());
        assert_eq!(beside.faults_with(&[&old, &new]), one("bad_signature", 4));
    }
    let mut names_none = failed_runs(&folder.path().join("names none"), "c1", 1);
    names_none.edit(1, |entry| entry.key_sha256 = "a key".to_owned());
    fs::write(names_none.signature(1), "x").expect("a signature");
    assert_eq!(names_none.faults_with(&[]), one("bad_signature", 1));
    assert_eq!(names_none.faults_with(&[&old]), one("unknown_key", 1));

    let stopped = snapshots("stopped", &[None, Some(&old), None]);
    assert_eq!(stopped.faults_with(&[&old]), one("missing_signature", 3));
    assert_eq!(stopped.faults_with(&[]), one("missing_signature", 3));
    let never = snapshots("never", &[None, None]);
    assert_eq!(never.faults_with(&[]), []);
    assert_eq!(never.faults_with(&[&old]), one("missing_signature", 2));

    let rsa = Key::new(folder.path(), "rsa", &["RSA"]);
    let arguments = ["--public-key", rsa.public.to_str().expect("UTF-8")];
    assert_eq!(script(&never.root, &arguments).code, 2);
}
