//! Ways to tamper with periodic reviews, on which both verifiers agree.
//!
//! A forger with write access rewrites files, sums, manifest, entry and chain with the code that
//! wrote them. The verifiers find the forgery by comparing the review with its run and its
//! worksheet.

use std::fs;
use std::path::Path;

use asana_access_review::cli::arguments::OpenArguments;
use asana_access_review::commands::review as command;
use asana_access_review::evidence::{
    Control, Entry, EntryKind, FileRecord, ReviewFile, ReviewFolder, sha256_hex, sums,
};
use asana_access_review::judgement::{Decision, RunRef, Verdict};
use asana_access_review::model::{EmailAddress, Role, Status};
use asana_access_review::review;
use asana_access_review::review::{
    ByDecider, ByReviewer, ClosedRow, FrozenRow, ReviewClosed, ReviewDataFile, ReviewManifest,
    Totals, Worksheet,
};
use asana_access_review::store::Store;
use asana_access_review::verify::{self, Expectations};
use serde_json::Value;
use truto_simulator::World;

use super::{
    Copy, Fault, Seen, TOOLS, place, reported_by_script, reported_by_verify, script, sorted,
};
use crate::support::has;
use crate::support::job::{Ended, Job, LEFT_AND_GONE};

// ---- The evidence ----
//
// Three runs, of which the second is not complete. A review of the third, opened and closed, and a
// run that follows it up. Another review with a run in between, closed incomplete, and a run. A
// third review that is still open.

const INCOMPLETE: u64 = 2;
const OPEN_A: u64 = 4;
const CLOSE_A: u64 = 5;
const AFTER_A: u64 = 6;
const OPEN_B: u64 = 7;
const CLOSE_B: u64 = 9;
const OPEN_C: u64 = 11;

fn reviewed() -> Job {
    let job = Job::new(World::generated(12), LEFT_AND_GONE).env("EVIDENCE_RETENTION_DAYS", "36500");
    let snapshot = |day: &str| job.run_at(&format!("{day}T22:40:00Z"), World::generated(12));
    snapshot("2026-11-01");
    let doubtful = World::scenario("fields-refused").expect("a scenario");
    job.run_at("2026-11-02T22:40:00Z", doubtful);
    snapshot("2026-11-03");
    let a = crate::support::review::open(&job, "2026-11-04T09:00:00Z", "2026-Q3");
    let decide = |row: u32, role: &Role| match row {
        4 => Some((Decision::Revoke, "")),
        5 if *role == Role::Member => Some((Decision::ChangeRole, "guest")),
        5 => Some((Decision::ChangeRole, "member")),
        _ => Some((Decision::Keep, "")),
    };
    let all = |row: &asana_access_review::review::FrozenRow| decide(row.row, &row.role);
    crate::support::review::close(&job, "2026-11-04T17:00:00Z", &a, all, None);
    snapshot("2026-11-05");
    let b = crate::support::review::open(&job, "2026-11-06T09:00:00Z", "2026-Q4");
    snapshot("2026-11-06");
    let some = |row: &asana_access_review::review::FrozenRow| match row.row {
        1 => None,
        2 => Some((Decision::DontKnow, "")),
        row => decide(row, &Role::Member).map(|_| (Decision::Keep, "")),
    };
    crate::support::review::close(
        &job,
        "2026-11-07T09:00:00Z",
        &b,
        some,
        Some("a reviewer is ill"),
    );
    snapshot("2026-11-07");
    crate::support::review::open(&job, "2026-11-08T09:00:00Z", "2027-Q1");
    assert_eq!(job.entries() as u64, OPEN_C);
    job
}

/// The result of `verify` and its JSON output.
fn verified(root: &Path, head: Option<&str>) -> (Ended, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let expected = Expectations {
        now: "2026-12-01T00:00:00Z".parse().expect("an instant"),
        connection: None,
        heads: head.and_then(verify::Anchor::parse).into_iter().collect(),
        every: None,
        period: verify::Period::default(),
        keys: Vec::new(),
    };
    let verified = runtime.block_on(verify::verify(&Store::folder(root), &expected));
    let verified = verified.expect("a store");
    let reported = verify::as_json(&verified, &expected);
    let ended = Ended {
        code: if verified.integrity_holds() { 0 } else { 5 },
        stdout: reported.to_string(),
        stderr: String::new(),
    };
    (ended, reported)
}

// ---- The forger ----

impl Copy {
    fn json<T: serde::de::DeserializeOwned>(&self, sequence: u64, file: ReviewFile) -> T {
        let bytes = self.read(&self.review_file(sequence, file));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    fn review_file(&self, sequence: u64, file: ReviewFile) -> String {
        self.file(sequence, file.name())
    }

    fn run_ref(&self, sequence: u64) -> RunRef {
        self.entries[sequence as usize - 1].run_ref()
    }

    /// Writes files of a part, and updates sums, manifest and chain.
    fn seal(&mut self, sequence: u64, files: Vec<ReviewDataFile>, manifest: &ReviewManifest) {
        for file in files {
            self.write(&self.file(sequence, &file.name), file.bytes);
        }
        let (file, manifest_sha256) = manifest.to_file();
        self.write(&self.file(sequence, &file.name), file.bytes);
        let names = self.files(sequence).into_iter();
        let records: Vec<FileRecord> = names
            .filter(|name| name != "SHA256SUMS")
            .map(|name| FileRecord {
                sha256: sha256_hex(&self.read(&self.file(sequence, &name))),
                bytes: 0,
                rows: None,
                name,
            })
            .collect();
        let sums = sums(&records);
        self.write(&self.review_file(sequence, ReviewFile::Sums), &sums);
        self.rewrite(sequence, |entry| {
            entry.manifest_sha256 = manifest_sha256;
            entry.sums_sha256 = sha256_hex(&sums);
            entry.verdict = manifest.verdict.as_str().to_owned();
            entry.complete = manifest.complete;
        });
    }

    /// Changes the worksheet and everything that depends on it.
    fn forge_open(&mut self, sequence: u64, change: impl FnOnce(&mut Worksheet)) {
        self.forge_open_of(sequence, change, |_| ());
    }

    fn forge_open_of(
        &mut self,
        sequence: u64,
        change: impl FnOnce(&mut Worksheet),
        last: impl FnOnce(&mut ReviewManifest),
    ) {
        let before: ReviewManifest = self.json(sequence, ReviewFile::Manifest);
        let mut worksheet: Worksheet = self.json(sequence, ReviewFile::WorksheetJson);
        change(&mut worksheet);
        for (number, row) in (1..).zip(&mut worksheet.rows) {
            row.row = number;
        }
        let (file, sha256) = worksheet.to_file();
        let html = ReviewDataFile {
            name: ReviewFile::WorksheetHtml.name().to_owned(),
            bytes: review::worksheet_page(&worksheet, &sha256, &before.origin),
            rows: file.rows,
        };
        let xlsx = worksheet.xlsx(&sha256).expect("a spreadsheet");
        let files = vec![file, worksheet.csv(&sha256), xlsx, html];
        let records = files.iter().map(ReviewDataFile::record).collect();
        let frame = before.frame();
        let mut manifest =
            ReviewManifest::opened(&frame, &worksheet, &sha256, &before.origin, records);
        last(&mut manifest);
        self.seal(sequence, files, &manifest);
    }

    /// Changes the decisions and everything that depends on them.
    fn forge_close(&mut self, sequence: u64, change: impl FnOnce(&mut ReviewClosed)) {
        self.forge_close_of(sequence, change, |_| ());
    }

    fn forge_close_of(
        &mut self,
        sequence: u64,
        change: impl FnOnce(&mut ReviewClosed),
        last: impl FnOnce(&mut ReviewClosed),
    ) {
        let before: ReviewManifest = self.json(sequence, ReviewFile::Manifest);
        let mut closed: ReviewClosed = self.json(sequence, ReviewFile::Review);
        change(&mut closed);
        closed.totals = Totals::of(&closed.rows);
        closed.reviewers = ByReviewer::of(closed.rows.iter().map(ClosedRow::answer));
        closed.deciders = ByDecider::of(&closed.rows);
        closed.complete = closed.totals.undecided == 0;
        closed.verdict = closed.totals.verdict();
        for (at, file) in (1..).zip(&mut closed.decision_files) {
            let of = closed
                .rows
                .iter()
                .filter(|row| row.source.is_some_and(|(of, _)| of == at));
            file.decisions = of.count() as u64;
        }
        last(&mut closed);
        let opened = before.opened.as_ref().expect("an entry").sequence;
        let worksheet: Worksheet = self.json(opened, ReviewFile::WorksheetJson);
        let page = ReviewDataFile {
            name: ReviewFile::Report.name().to_owned(),
            bytes: review::closing_page(&worksheet, &closed, &before.tool, &before.origin),
            rows: None,
        };
        let files = vec![closed.to_file(), closed.csv(&worksheet), page];
        let mut records: Vec<FileRecord> = files.iter().map(ReviewDataFile::record).collect();
        let received = before.files.iter();
        records.extend(
            received
                .filter(|of| of.name.starts_with("received/"))
                .cloned(),
        );
        let (frame, origin) = (before.frame(), &before.origin);
        let mut manifest = ReviewManifest::closed(&frame, &worksheet, &closed, origin, records);
        manifest.snapshot = closed.snapshot.clone();
        self.seal(sequence, files, &manifest);
    }

    /// Changes one file of a part and the records of it.
    fn forge_file(
        &mut self,
        sequence: u64,
        file: ReviewFile,
        change: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) {
        let name = self.review_file(sequence, file);
        let before = self.read(&name);
        let bytes = change(before.clone());
        assert_ne!(before, bytes, "nothing was forged");
        let mut manifest: ReviewManifest = self.json(sequence, ReviewFile::Manifest);
        let record = manifest.files.iter_mut().find(|of| of.name == file.name());
        let record = record.expect("a record");
        record.sha256 = sha256_hex(&bytes);
        record.bytes = bytes.len() as u64;
        self.write(&name, bytes);
        self.seal(sequence, Vec::new(), &manifest);
    }

    /// Moves a part to the folder with the instant of its manifest.
    fn move_to_its_instant(&mut self, sequence: u64) {
        let manifest: ReviewManifest = self.json(sequence, ReviewFile::Manifest);
        let of = manifest.review;
        let to = ReviewFolder::of(&of.id, of.part, of.at, "7f3a9c").expect("a folder");
        self.rename(&self.run(sequence), &to.to_string());
        self.rewrite(sequence, |entry| entry.run = to.to_string());
    }

    /// Changes the manifest.
    fn forge_manifest(&mut self, sequence: u64, change: impl FnOnce(&mut ReviewManifest)) {
        let mut manifest: ReviewManifest = self.json(sequence, ReviewFile::Manifest);
        change(&mut manifest);
        self.seal(sequence, Vec::new(), &manifest);
    }
}

fn without_last_line(text: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(text).expect("text");
    let end = text.trim_end().rfind('\n').expect("lines") + 1;
    text.as_bytes()[..end].to_vec()
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

/// Adds an entry that closes a closed review with this folder.
fn close_again(copy: &Copy, folder: String) {
    let mut again = copy.entries[CLOSE_A as usize - 1].clone();
    let last = &copy.entries[OPEN_C as usize - 1];
    again.sequence = OPEN_C + 1;
    again.run = folder;
    again.previous_sha256 = sha256_hex(&last.to_bytes());
    again.committed_at = last.committed_at;
    copy.write_entry(OPEN_C + 1, &again.to_bytes());
}

/// The manifest of a part, where most faults are reported.
fn manifest(copy: &Copy, sequence: u64) -> String {
    copy.review_file(sequence, ReviewFile::Manifest)
}

fn worksheet(copy: &Copy, sequence: u64) -> String {
    copy.review_file(sequence, ReviewFile::WorksheetJson)
}

fn review(copy: &Copy, sequence: u64) -> String {
    copy.review_file(sequence, ReviewFile::Review)
}

struct Tampering {
    name: &'static str,
    /// The number of entries that the copy has.
    entries: u64,
    with: fn(&mut Copy) -> Seen,
}

const fn tampering(name: &'static str, entries: u64, with: fn(&mut Copy) -> Seen) -> Tampering {
    Tampering {
        name,
        entries,
        with,
    }
}

const TAMPERINGS: &[Tampering] = &[
    // ---- Folders ----
    tampering("a review is deleted whole", OPEN_C, |copy| {
        let (open, close) = (copy.run(OPEN_A), copy.run(CLOSE_A));
        fs::remove_dir_all(copy.at(&open).parent().expect("a folder")).expect("a folder");
        Seen::both("missing_folder", open).and_both("missing_folder", close)
    }),
    tampering("the open part is deleted", OPEN_C, |copy| {
        let open = copy.run(OPEN_B);
        fs::remove_dir_all(copy.at(&open)).expect("a folder");
        Seen::both("missing_folder", open)
    }),
    tampering("the close part is deleted", OPEN_C, |copy| {
        let close = copy.run(CLOSE_A);
        fs::remove_dir_all(copy.at(&close)).expect("a folder");
        Seen::both("missing_folder", close)
    }),
    tampering("a review is in the folder of another id", OPEN_C, |copy| {
        let (open, close) = (copy.run(OPEN_A), copy.run(CLOSE_A));
        copy.rename("reviews/2026-Q3-7f3a9c", "reviews/2026-Q2-7f3a9c");
        Seen::both("missing_folder", open).and_both("missing_folder", close)
    }),
    tampering("the parts of a review are swapped", OPEN_C, |copy| {
        let (open, close) = (copy.run(OPEN_A), copy.run(CLOSE_A));
        copy.rename(&open, "aside");
        copy.rename(&close, &open);
        copy.rename("aside", &close);
        Seen::both("modified", format!("{open}/SHA256SUMS"))
            .and_both("modified", format!("{close}/SHA256SUMS"))
    }),
    tampering("a part is replaced by another review's", OPEN_C, |copy| {
        let (one, other) = (copy.run(CLOSE_A), copy.run(CLOSE_B));
        fs::remove_dir_all(copy.at(&one)).expect("a folder");
        crate::support::copy(&copy.at(&other), &copy.at(&one));
        Seen::both("modified", format!("{one}/SHA256SUMS"))
    }),
    tampering("a part of unknown kind is added", OPEN_C, |copy| {
        let name = "reviews/2026-Q3-7f3a9c/shut-20261001T000000Z-7f3a9c/review.json";
        copy.write(name, "{}");
        Seen::both("extra_file", name)
    }),
    // ---- Entries ----
    tampering("the entry of a close is deleted", OPEN_C, |copy| {
        fs::remove_file(copy.entry_path(CLOSE_A)).expect("an entry");
        Seen::both("missing_entry", place(AFTER_A))
    }),
    tampering("a close is marked as a run", OPEN_C, |copy| {
        copy.rewrite(CLOSE_A, |entry| entry.kind = EntryKind::Run);
        Seen::both("disagreement", place(CLOSE_A))
    }),
    tampering("an open is marked as a failed run", OPEN_C, |copy| {
        copy.rewrite(OPEN_B, |entry| entry.kind = EntryKind::Failure);
        Seen::both("disagreement", place(OPEN_B)).and_both("disagreement", manifest(copy, CLOSE_B))
    }),
    tampering("a run is marked as a close", OPEN_C, |copy| {
        copy.rewrite(AFTER_A, |entry| entry.kind = EntryKind::ReviewClose);
        [AFTER_A, OPEN_B, CLOSE_B]
            .iter()
            .fold(Seen::nothing(), |seen, at| {
                seen.and_both("disagreement", copy.file(*at, "manifest.json"))
            })
    }),
    tampering("an open is marked as a close", OPEN_C, |copy| {
        copy.rewrite(OPEN_A, |entry| entry.kind = EntryKind::ReviewClose);
        let seen = ["decisions.csv", "review.json", "report.html"]
            .iter()
            .fold(Seen::nothing(), |seen, file| {
                seen.and_both("missing_file", copy.file(OPEN_A, file))
            });
        seen.and_both("disagreement", manifest(copy, OPEN_A))
            .and_both("disagreement", manifest(copy, CLOSE_A))
    }),
    tampering("a close is of another review's folder", OPEN_C, |copy| {
        let other = copy.run(CLOSE_B);
        copy.rewrite(CLOSE_A, |entry| entry.run = other.clone());
        Seen::both("modified", format!("{other}/SHA256SUMS"))
            .and_both("moved", place(CLOSE_B))
            .and_both("run_after_commit", place(CLOSE_A))
    }),
    tampering("a close is of a run's folder", OPEN_C, |copy| {
        let snapshot = copy.run(AFTER_A - 3);
        copy.rewrite(CLOSE_A, |entry| entry.run = snapshot);
        Seen::both("moved", place(CLOSE_A))
    }),
    tampering("a review is closed twice, in one folder", OPEN_C, |copy| {
        let folder = copy.run(CLOSE_A);
        close_again(copy, folder);
        Seen::both("moved", place(OPEN_C + 1))
    }),
    tampering("a review is closed twice", OPEN_C, |copy| {
        let folder = format!("{}c0ffee", copy.run(CLOSE_A).trim_end_matches("7f3a9c"));
        crate::support::copy(&copy.at(&copy.run(CLOSE_A)), &copy.at(&folder));
        close_again(copy, folder);
        Seen::both("disagreement", place(OPEN_C + 1))
    }),
    tampering("a review is closed before it is opened", OPEN_C, |copy| {
        let (open, close) = (
            copy.entries[OPEN_A as usize - 1].clone(),
            copy.entries[CLOSE_A as usize - 1].clone(),
        );
        let take = |entry: &mut Entry, from: &Entry| {
            let (sequence, at) = (entry.sequence, entry.committed_at);
            let previous = entry.previous_sha256.clone();
            *entry = from.clone();
            (entry.sequence, entry.committed_at) = (sequence, at);
            entry.previous_sha256 = previous;
        };
        copy.rewrite(OPEN_A, |entry| take(entry, &close));
        copy.rewrite(CLOSE_A, |entry| take(entry, &open));
        // The entries stay in place, but the runs that they name are gone.
        let close = manifest(copy, OPEN_A);
        Seen::both("disagreement", close).and_both("run_after_commit", place(OPEN_A))
    }),
    // ---- The run of a review, with a rewritten chain ----
    tampering(
        "a review is of a run that is not complete",
        OPEN_A,
        |copy| {
            let snapshot = copy.run_ref(INCOMPLETE);
            copy.forge_open(OPEN_A, |worksheet| worksheet.snapshot = snapshot);
            Seen::both("disagreement", manifest(copy, OPEN_A))
        },
    ),
    tampering("a review is of a run that does not exist", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| {
            worksheet.snapshot.manifest_sha256 = sha256_hex(b"another");
        });
        Seen::both("disagreement", manifest(copy, OPEN_C))
    }),
    tampering("a review is of a later run", OPEN_A, |copy| {
        copy.forge_open(OPEN_A, |worksheet| worksheet.snapshot.sequence = 12);
        Seen::both("disagreement", manifest(copy, OPEN_A))
    }),
    tampering("a review is of a review", OPEN_C, |copy| {
        let snapshot = copy.run_ref(CLOSE_A);
        copy.forge_open(OPEN_C, |worksheet| worksheet.snapshot = snapshot);
        Seen::both("disagreement", manifest(copy, OPEN_C))
    }),
    tampering(
        "a review is of an earlier run than it records",
        OPEN_C,
        |copy| {
            let snapshot = copy.run_ref(3);
            copy.forge_open(OPEN_C, |worksheet| worksheet.snapshot = snapshot);
            Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
        },
    ),
    tampering(
        "the worksheet is changed after the close",
        CLOSE_A,
        |copy| {
            copy.forge_open(OPEN_A, |worksheet| worksheet.due = "2028-12-31".to_owned());
            // It is no longer the entry that was closed.
            Seen::both("disagreement", manifest(copy, CLOSE_A))
        },
    ),
    tampering(
        "a review that was never opened is closed",
        CLOSE_A,
        |copy| {
            let snapshot = copy.run_ref(3);
            copy.forge_close(CLOSE_A, |closed| closed.opened = snapshot);
            Seen::both("disagreement", manifest(copy, CLOSE_A))
        },
    ),
    tampering(
        "another review is closed than was opened",
        CLOSE_B,
        |copy| {
            let other = copy.run_ref(OPEN_A);
            copy.forge_close(CLOSE_B, |closed| closed.opened = other);
            Seen::both("disagreement", manifest(copy, CLOSE_B))
        },
    ),
    tampering("a review is closed of another run", CLOSE_B, |copy| {
        let other = copy.run_ref(3);
        copy.forge_close(CLOSE_B, |closed| closed.snapshot = other);
        Seen::both("disagreement", manifest(copy, CLOSE_B))
    }),
    tampering("decisions are about another worksheet", CLOSE_B, |copy| {
        copy.forge_close(CLOSE_B, |closed| {
            closed.review_sha256 = sha256_hex(b"another")
        });
        Seen::both("disagreement", manifest(copy, CLOSE_B))
    }),
    tampering("an open review is marked as passed", OPEN_C, |copy| {
        copy.forge_manifest(OPEN_C, |manifest| {
            manifest.verdict = Verdict::Pass;
            manifest.complete = true;
        });
        Seen::both("disagreement", manifest(copy, OPEN_C))
    }),
    tampering("a review is closed after its commit", CLOSE_A, |copy| {
        copy.forge_close(CLOSE_A, |closed| {
            closed.closed_at = "2026-11-09T00:00:00Z".parse().expect("an instant");
        });
        copy.move_to_its_instant(CLOSE_A);
        Seen::both("run_after_commit", place(CLOSE_A))
    }),
    tampering(
        "a part is in the folder of another instant",
        CLOSE_A,
        |copy| {
            copy.forge_close(CLOSE_A, |closed| {
                closed.closed_at = "2026-11-04T17:00:01Z".parse().expect("an instant");
            });
            Seen::both("disagreement", manifest(copy, CLOSE_A))
        },
    ),
    tampering(
        "a review is closed before it was opened, by its instant",
        CLOSE_A,
        |copy| {
            copy.forge_close(CLOSE_A, |closed| {
                closed.closed_at = "2026-11-04T08:00:00Z".parse().expect("an instant");
            });
            copy.move_to_its_instant(CLOSE_A);
            Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
        },
    ),
    tampering(
        "review.json has another time than its manifest",
        CLOSE_A,
        |copy| {
            copy.forge_file(CLOSE_A, ReviewFile::Review, |text| {
                let text = String::from_utf8(text).expect("text");
                text.replace(
                    "04T17:00:00Z\",\n  \"revocations_due",
                    "04T16:00:00Z\",\n  \"revocations_due",
                )
                .into_bytes()
            });
            Seen::both("disagreement", review(copy, CLOSE_A))
        },
    ),
    tampering("a required file is removed", OPEN_C, |copy| {
        let file = copy.review_file(OPEN_C, ReviewFile::WorksheetXlsx);
        fs::remove_file(copy.at(&file)).expect("a file");
        copy.forge_manifest(OPEN_C, |manifest| {
            manifest.files.retain(|of| of.name != "worksheet.xlsx");
        });
        Seen::both("missing_file", file)
    }),
    // ---- The population, with a rewritten chain ----
    tampering(
        "a row is removed and counted as one without access",
        OPEN_C,
        |copy| {
            copy.forge_open(OPEN_C, |worksheet| {
                worksheet.rows.remove(3);
                worksheet.left_out.without_access += 1;
            });
            Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
        },
    ),
    tampering("the last row is removed", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| drop(worksheet.rows.pop()));
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering(
        "an account that does not exist is reviewed",
        OPEN_C,
        |copy| {
            copy.forge_open(OPEN_C, |worksheet| {
                let mut row = worksheet.rows[0].clone();
                row.account_id = "4711".to_owned();
                worksheet.rows.push(row);
            });
            Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
        },
    ),
    tampering("two accounts are swapped", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| worksheet.rows.swap(1, 2));
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("an account is changed", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| {
            let row = &mut worksheet.rows[1];
            row.role = match row.role {
                Role::Admin => Role::Member,
                Role::Member | Role::Guest | Role::Unknown(_) => Role::Admin,
            };
            row.status = Status::Invited;
        });
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("an address has another form", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| {
            let row = &mut worksheet.rows[1];
            let written = row.email.as_ref().expect("an address").as_written();
            row.email = Some(email(&written.to_uppercase()));
        });
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("an owner reviews their own account", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| {
            let row = &mut worksheet.rows[1];
            row.reviewer = row.email.clone();
        });
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("the reviewers' file names the owner", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| {
            let own = worksheet.rows[1].email.clone().expect("an address");
            let file = worksheet.reviewers.as_mut().expect("a file");
            file.lines[0].reviewer = own.clone();
            for row in &mut worksheet.rows {
                row.reviewer = Some(own.clone());
            }
        });
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("an earlier decision is changed", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| {
            worksheet.rows[1].previous_decision = Some(Decision::Keep);
        });
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("the previous review is skipped", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| worksheet.compared_with = None);
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("a recommendation is changed", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| {
            worksheet.rows[1].recommended = Some(Decision::DontKnow);
            worksheet.rows[1].reason = "another reason".into();
        });
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("a review is of another workspace", OPEN_C, |copy| {
        copy.forge_open(OPEN_C, |worksheet| {
            worksheet.workspace.name = Some("Another".to_owned());
        });
        Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
    }),
    tampering("test data is marked as data from Truto", OPEN_C, |copy| {
        let origin = "https://api.truto.one";
        copy.forge_manifest(OPEN_C, |manifest| manifest.origin = origin.to_owned());
        copy.rewrite(OPEN_C, |entry| entry.origin = origin.to_owned());
        Seen::nothing().and_verify("review_differs", manifest(copy, OPEN_C))
    }),
    tampering(
        "the worksheet for a spreadsheet has a row less",
        OPEN_C,
        |copy| {
            copy.forge_file(OPEN_C, ReviewFile::WorksheetCsv, without_last_line);
            let file = copy.review_file(OPEN_C, ReviewFile::WorksheetCsv);
            Seen::nothing().and_verify("review_differs", file)
        },
    ),
    tampering("the page of a worksheet is changed", OPEN_C, |copy| {
        copy.forge_file(OPEN_C, ReviewFile::WorksheetHtml, |page| {
            let text = String::from_utf8(page).expect("text");
            text.replace("person3@", "person4@").into_bytes()
        });
        // Pages are not generated again, but the entry has their hash.
        Seen::nothing().with_head("modified", place(OPEN_C))
    }),
    tampering("the spreadsheet is another's", OPEN_C, |copy| {
        let other = copy.read(&copy.review_file(OPEN_A, ReviewFile::WorksheetXlsx));
        copy.forge_file(OPEN_C, ReviewFile::WorksheetXlsx, |_| other);
        Seen::nothing().with_head("modified", place(OPEN_C))
    }),
    tampering("the worksheet is written in another form", OPEN_C, |copy| {
        copy.forge_file(OPEN_C, ReviewFile::WorksheetJson, |text| {
            [&text[..], b"\n"].concat()
        });
        // The review has the hash of the spreadsheet.
        Seen::both("disagreement", manifest(copy, OPEN_C))
    }),
    tampering("a manifest of a review claims a control", OPEN_C, |copy| {
        copy.forge_manifest(OPEN_C, |manifest| {
            manifest.controls.push(Control {
                id: "PCI DSS 7.2.4".to_owned(),
                supports: "All access was reviewed.".to_owned(),
                does_not_show: String::new(),
            });
        });
        Seen::nothing().and_verify("review_differs", manifest(copy, OPEN_C))
    }),
    tampering("a manifest of a review counts other rows", OPEN_C, |copy| {
        copy.forge_manifest(OPEN_C, |manifest| manifest.files[0].rows = Some(1));
        Seen::nothing().and_verify("review_differs", manifest(copy, OPEN_C))
    }),
    // ---- The decisions, with a rewritten chain ----
    tampering(
        "a revocation is forged into a keep, at the end",
        CLOSE_A,
        |copy| {
            copy.forge_close(CLOSE_A, |closed| {
                closed.rows[3].decision = Some(Decision::Keep);
                closed.rows[3].note = String::new();
            });
            // The files of the reviewers are not stored, so only a noted head shows the change.
            Seen::nothing().with_head("modified", place(CLOSE_A))
        },
    ),
    tampering(
        "a revocation is forged into a keep, with all files that depend on it",
        OPEN_C,
        |copy| {
            copy.forge_close(CLOSE_A, |closed| {
                closed.rows[3].decision = Some(Decision::Keep);
                closed.rows[3].note = String::new();
            });
            // The next run followed up the decision, and the next review showed it.
            Seen::nothing()
                .and_verify("decisions_differ", copy.file(AFTER_A, "inputs/facts.json"))
                .and_verify("review_differs", worksheet(copy, OPEN_B))
        },
    ),
    tampering("decisions for people are changed", CLOSE_A, |copy| {
        copy.forge_file(CLOSE_A, ReviewFile::DecisionsCsv, |text| {
            let text = String::from_utf8(text).expect("text");
            text.replace(",revoke,", ",keep,").into_bytes()
        });
        let file = copy.review_file(CLOSE_A, ReviewFile::DecisionsCsv);
        Seen::nothing().and_verify("review_differs", file)
    }),
    tampering("the report of a review is changed", CLOSE_A, |copy| {
        copy.forge_file(CLOSE_A, ReviewFile::Report, |page| {
            let text = String::from_utf8(page).expect("text");
            text.replace("as was agreed", "as was not agreed")
                .into_bytes()
        });
        Seen::nothing().with_head("modified", place(CLOSE_A))
    }),
    tampering("decisions are written in another form", CLOSE_A, |copy| {
        copy.forge_file(CLOSE_A, ReviewFile::Review, |text| {
            [&text[..], b"\n"].concat()
        });
        Seen::nothing().and_verify("review_differs", review(copy, CLOSE_A))
    }),
    tampering(
        "a row is dropped and the totals adjusted",
        CLOSE_A,
        |copy| {
            copy.forge_close(CLOSE_A, |closed| drop(closed.rows.remove(5)));
            Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
        },
    ),
    tampering(
        "an entry without people shows who had left",
        CLOSE_A,
        |copy| {
            copy.forge_close(CLOSE_A, |closed| closed.people_run = closed.opened.clone());
            Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
        },
    ),
    tampering("totals are changed", CLOSE_B, |copy| {
        copy.forge_close_of(CLOSE_B, |_| (), |closed| closed.totals.decided += 1);
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_B))
    }),
    tampering("a reviewer's totals are changed", CLOSE_B, |copy| {
        copy.forge_close_of(
            CLOSE_B,
            |_| (),
            |closed| closed.reviewers[0].totals.undecided = 0,
        );
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_B))
    }),
    tampering(
        "a review is complete although rows are undecided",
        CLOSE_B,
        |copy| {
            copy.forge_close_of(
                CLOSE_B,
                |closed| closed.accepted_incomplete = None,
                |closed| closed.complete = true,
            );
            Seen::nothing().and_verify("disagreement", review(copy, CLOSE_B))
        },
    ),
    tampering(
        "a review passes although a decision is open",
        CLOSE_B,
        |copy| {
            copy.forge_close_of(CLOSE_B, |_| (), |closed| closed.verdict = Verdict::Pass);
            Seen::nothing().and_verify("disagreement", review(copy, CLOSE_B))
        },
    ),
    tampering(
        "the reason why a review is incomplete is removed",
        CLOSE_B,
        |copy| {
            copy.forge_close(CLOSE_B, |closed| closed.accepted_incomplete = None);
            Seen::nothing().and_verify("disagreement", review(copy, CLOSE_B))
        },
    ),
    tampering("a row without a decision gets one", CLOSE_B, |copy| {
        copy.forge_close(CLOSE_B, |closed| {
            let other = closed.rows[5].clone();
            let row = &mut closed.rows[0];
            row.decision = Some(Decision::Keep);
            row.decided_by = other.decided_by;
            closed.accepted_incomplete = None;
        });
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_B))
    }),
    tampering("one line decides two rows", CLOSE_B, |copy| {
        copy.forge_close(CLOSE_B, |closed| {
            let other = closed.rows[5].clone();
            let row = &mut closed.rows[0];
            row.decision = Some(Decision::Keep);
            row.decided_by = other.decided_by;
            row.source = other.source;
            closed.accepted_incomplete = None;
        });
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_B))
    }),
    tampering("an owner decided", CLOSE_A, |copy| {
        copy.forge_close(CLOSE_A, |closed| {
            let row = &mut closed.rows[5];
            row.decided_by = row.email.clone();
            row.reviewer = row.email.clone();
        });
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
    }),
    tampering(
        "a person who is not the reviewer decided",
        CLOSE_A,
        |copy| {
            copy.forge_close(CLOSE_A, |closed| {
                closed.rows[5].decided_by = Some(email("deputy@example.net"));
            });
            Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
        },
    ),
    tampering("a row is reassigned without a line", CLOSE_A, |copy| {
        copy.forge_close(CLOSE_A, |closed| {
            closed.rows[5].decided_by = Some(email("deputy@example.net"));
            closed.rows[5].reviewer = Some(email("deputy@example.net"));
        });
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
    }),
    tampering("a revocation has no reason", CLOSE_A, |copy| {
        copy.forge_close(CLOSE_A, |closed| closed.rows[3].note = String::new());
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
    }),
    tampering("a decision is about another account", CLOSE_A, |copy| {
        copy.forge_close(CLOSE_A, |closed| {
            let other = closed.rows[6].account_id.clone();
            closed.rows[3].account_id = other;
        });
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
    }),
    tampering(
        "a file of decisions has fewer rows than recorded",
        CLOSE_A,
        |copy| {
            copy.forge_close_of(
                CLOSE_A,
                |_| (),
                |closed| closed.decision_files[0].decisions += 1,
            );
            Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
        },
    ),
    tampering("a review is marked as of fewer roles", CLOSE_A, |copy| {
        copy.forge_close(CLOSE_A, |closed| {
            closed.scope = asana_access_review::review::Scope::Admins;
        });
        Seen::nothing().and_verify("disagreement", review(copy, CLOSE_A))
    }),
    // Files of another program version are compared as well.
    tampering(
        "the decisions of another version are changed",
        CLOSE_A,
        |copy| {
            copy.forge_file(CLOSE_A, ReviewFile::DecisionsCsv, without_last_line);
            copy.forge_manifest(CLOSE_A, |manifest| {
                manifest.tool.commit = "unknown".to_owned()
            });
            let file = copy.review_file(CLOSE_A, ReviewFile::DecisionsCsv);
            Seen::nothing().and_verify("review_differs", file)
        },
    ),
    tampering(
        "a worksheet of another version has a row less",
        OPEN_C,
        |copy| {
            copy.forge_open_of(
                OPEN_C,
                |worksheet| drop(worksheet.rows.pop()),
                |manifest| manifest.tool.version = "9.9.9".to_owned(),
            );
            Seen::nothing().and_verify("review_differs", worksheet(copy, OPEN_C))
        },
    ),
    tampering(
        "a manifest of another version is of another origin",
        OPEN_C,
        |copy| {
            let origin = "https://api.truto.one";
            copy.forge_manifest(OPEN_C, |manifest| {
                manifest.origin = origin.to_owned();
                manifest.tool.version = "9.9.9".to_owned();
            });
            copy.rewrite(OPEN_C, |entry| entry.origin = origin.to_owned());
            Seen::nothing().and_verify("review_differs", manifest(copy, OPEN_C))
        },
    ),
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
    for (head, with_head) in [(None, &[][..]), (Some(head), &with_head[..])] {
        if head.is_some() && with_head.is_empty() {
            continue;
        }
        let (ended, _) = verified(&copy.root, head);
        let reported = reported_by_verify(&ended, &copy.connection);
        compare("verify", reported, &by_verify, with_head);
        let arguments: Vec<&str> = head.iter().flat_map(|head| ["--head", head]).collect();
        let reported = reported_by_script(&script(&copy.root, &arguments), &copy.connection);
        compare("verify.sh", reported, &[], with_head);
    }
    wrong
}

#[test]
fn both_verifiers_agree_on_every_way_to_tamper_with_reviews() {
    if !has(&TOOLS) {
        return;
    }
    let job = reviewed();
    let root = job.folder.path().join("copy");
    let whole = Copy::of(&job, &root, OPEN_C);
    let (_, reported) = verified(&whole.root, Some(&whole.head()));
    assert_eq!(
        reported["integrity"]["faults"],
        serde_json::json!([]),
        "{reported:#}"
    );
    let chain = &reported["chains"][0];
    assert_eq!(chain["reviews_recomputed"], 5, "{reported:#}");
    assert_eq!(chain["reviews_not_recomputed"], serde_json::json!([]));
    assert_eq!(chain["decisions_recomputed"], 6);
    let ended = script(&whole.root, &["--head", &whole.head()]);
    assert!(
        ended.stdout.contains("Integrity: holds, 11 entries"),
        "{}",
        ended.stdout
    );
    // A program of another version gets the same result.
    let ended = crate::support::job::verify(&whole.root, &[]);
    let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(
        reported["integrity"]["faults"],
        serde_json::json!([]),
        "{reported:#}"
    );
    assert_eq!(
        reported["chains"][0]["reviews_recomputed"], 5,
        "{reported:#}"
    );

    let mut wrong = Vec::new();
    for tampering in TAMPERINGS {
        let mut copy = Copy::of(&job, &root, tampering.entries);
        let head = copy.head();
        let seen = (tampering.with)(&mut copy);
        wrong.extend(verify_both(&copy, seen, &head, tampering.name));
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn each_file_of_a_review_is_compared_with_its_hash_and_name() {
    if !has(&TOOLS) {
        return;
    }
    let job = reviewed();
    let root = job.folder.path().join("copy");
    let mut wrong = Vec::new();
    for sequence in [OPEN_A, CLOSE_A] {
        for file in Copy::of(&job, &root, OPEN_C).files(sequence) {
            let mut each = |what: &str, kind: &str, act: &dyn Fn(&Copy, &str) -> String| {
                let copy = Copy::of(&job, &root, OPEN_C);
                let head = copy.head();
                let reported = act(&copy, &copy.file(sequence, &file));
                wrong.extend(verify_both(
                    &copy,
                    Seen::both(kind, reported),
                    &head,
                    &format!("{file} {what}"),
                ));
            };
            each("modified", "modified", &|copy, name| {
                copy.write(name, [copy.read(name), b" ".to_vec()].concat());
                name.to_owned()
            });
            each("deleted", "missing_file", &|copy, name| {
                fs::remove_file(copy.at(name)).expect("a file");
                name.to_owned()
            });
            each("joined by a copy", "extra_file", &|copy, name| {
                let added = format!("{name}.1");
                copy.write(&added, copy.read(name));
                added
            });
            if file != "SHA256SUMS" {
                each("renamed", "moved", &|copy, name| {
                    copy.rename(name, &format!("{name}.1"));
                    name.to_owned()
                });
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn a_review_of_an_expired_run_is_checked_as_far_as_possible() {
    let job = reviewed();
    let mut copy = Copy::of(&job, &job.folder.path().join("copy"), OPEN_A);
    let long_ago = "2026-11-04T00:00:00Z".parse().expect("an instant");
    copy.rewrite(3, |entry| entry.retain_until = Some(long_ago));
    fs::remove_dir_all(copy.at(&copy.run(3))).expect("a folder");
    let (ended, reported) = verified(&copy.root, None);
    let faults = reported_by_verify(&ended, &copy.connection);
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(reported["chains"][0]["reviews_recomputed"], 0);
    let why = reported["chains"][0]["reviews_not_recomputed"][0].as_str();
    assert!(
        why.is_some_and(|why| why.contains("its run, entry 3")),
        "{reported:#}"
    );
}

#[test]
fn a_decision_by_the_owner_under_another_address_is_found() {
    let job = Job::new(World::generated(12), "")
        .env("EMAIL_DOMAIN_ALIASES", "example.com=example.io")
        .env("HR_FEED_SCOPE", "roster")
        .env("HR_FEED_COLUMNS", "other_email=Personal");
    job.hr_file(
        b"Employee ID,Name,Work Email,Personal,Status,Termination Date\n\
          E1,One,person1@example.com,one@mail.example,Active,\n",
    );
    job.run_at("2026-11-03T22:40:00Z", World::generated(12));
    // Anyone may decide, except the owner of the account.
    let asked = OpenArguments {
        name: "2026-Q4".to_owned(),
        due: "2026-12-31".parse().expect("a day"),
        ..OpenArguments::default()
    };
    let opened = crate::support::review::at(
        &job,
        "2026-11-04T09:00:00Z",
        async |settings, moment, clock| command::open(settings, &asked, moment, clock).await,
    );
    let keep = |_: &FrozenRow| Some((Decision::Keep, ""));
    crate::support::review::close(&job, "2026-11-04T17:00:00Z", &opened, keep, None);
    let reported_if_decided_by = |who: &str| {
        let mut copy = Copy::of(&job, &job.folder.path().join("copy"), 3);
        copy.forge_close(3, |closed| {
            closed.rows[0].decided_by = Some(email(who));
            closed.accepted_reviewers.push(email("ciso@example.net"));
        });
        reported_by_verify(
            &crate::support::job::verify(&copy.root, &[]),
            &copy.connection.clone(),
        )
    };
    assert_eq!(reported_if_decided_by("ciso@example.net"), Vec::new());
    for own in ["Person1+x@example.IO", "one@mail.example"] {
        let reported = reported_if_decided_by(own);
        assert_eq!(reported.len(), 1, "{own}");
        assert!(reported[0].1.ends_with("/review.json"), "{own}");
    }
}
